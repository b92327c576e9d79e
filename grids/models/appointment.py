from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models.county import County
from grids.models.node import GridNode
from grids.posts import POSTS, post_choices
from grids.querysets import AppointmentQuerySet


class Appointment(models.Model):
    """A person holds a post at exactly one of county or node, from a day to a day. Source of every cadre's rights."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="appointments", verbose_name=_("人员")
    )
    post = models.CharField(_("岗位"), max_length=40, choices=post_choices)
    county = models.ForeignKey(
        County, models.PROTECT, null=True, blank=True, related_name="appointments", verbose_name=_("县")
    )
    node = models.ForeignKey(
        GridNode, models.PROTECT, null=True, blank=True, related_name="appointments", verbose_name=_("任职地")
    )
    start = models.DateField(_("任职日期"), default=timezone.localdate)
    end = models.DateField(_("离任日期"), null=True, blank=True)
    note = models.CharField(_("备注"), max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("岗位任职")
        verbose_name_plural = _("岗位任职")
        ordering = ["-start", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(county__isnull=False, node__isnull=True) | Q(county__isnull=True, node__isnull=False),
                name="appointment_county_or_node",
            ),
            models.CheckConstraint(
                condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="appointment_end_after_start"
            ),
            models.UniqueConstraint(
                fields=["user", "post", "node"], condition=Q(end__isnull=True), name="appointment_open_once"
            ),
        ]
        indexes = [models.Index(fields=["node", "post"], condition=Q(end__isnull=True), name="appointment_open_node")]

    def __str__(self) -> str:
        return f"{self.place} {self.post_label} {self.user}"

    @property
    def post_label(self) -> str:
        return str(POSTS[self.post].label) if self.post in POSTS else self.post

    @property
    def county_key(self) -> int | None:
        """Where the audit trail looks for the county of a deed."""
        return self.node.county_id if self.node else self.county_id

    @property
    def place(self) -> str:
        return str(self.node or self.county)
