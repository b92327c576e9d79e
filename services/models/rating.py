"""After a service both sides rate (双向评价). Source: docs/domain.md#x2, #g5."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models import Unit
from services.models.commitment import Commitment
from services.models.evaluation import Satisfaction
from services.models.suborder import SubOrder
from services.models.supply import Project


class RatingSide(models.TextChoices):
    COMMUNITY = "community", _("社区评单位")
    UNIT = "unit", _("单位评社区")


class ServiceRating(models.Model):
    """What one side says of the other after one service: an order, a project or a promise that is done."""

    county = models.ForeignKey(County, models.PROTECT, related_name="+", verbose_name=_("县"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="ratings", verbose_name=_("社区"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="ratings", verbose_name=_("单位"))
    side = models.CharField(_("评价方"), max_length=10, choices=RatingSide)
    suborder = models.ForeignKey(
        SubOrder, models.PROTECT, null=True, blank=True, related_name="ratings", verbose_name=_("派单")
    )
    project = models.ForeignKey(
        Project, models.PROTECT, null=True, blank=True, related_name="ratings", verbose_name=_("项目")
    )
    commitment = models.ForeignKey(
        Commitment, models.PROTECT, null=True, blank=True, related_name="ratings", verbose_name=_("承诺事项")
    )
    grade = models.CharField(_("评价"), max_length=12, choices=Satisfaction)
    text = models.CharField(_("意见"), max_length=500, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("评价人")
    )
    at = models.DateTimeField(_("评价时间"), default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("双向评价")
        verbose_name_plural = _("双向评价")
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(suborder__isnull=False, project__isnull=True, commitment__isnull=True)
                | Q(suborder__isnull=True, project__isnull=False, commitment__isnull=True)
                | Q(suborder__isnull=True, project__isnull=True, commitment__isnull=False),
                name="rating_of_one_service",
            ),
            models.UniqueConstraint(fields=["side", "suborder"], name="rating_suborder_once"),
            models.UniqueConstraint(fields=["side", "project", "unit"], name="rating_project_once"),
            models.UniqueConstraint(fields=["side", "commitment"], name="rating_commitment_once"),
        ]
        indexes = [
            models.Index(fields=["unit", "side"], name="rating_unit"),
            models.Index(fields=["community", "side"], name="rating_community"),
        ]

    def __str__(self) -> str:
        return f"{self.get_side_display()} {self.get_grade_display()}"
