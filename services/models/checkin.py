from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import GridNode
from partybuilding.models import Unit
from services.querysets import CheckInQuerySet


class CheckInRole(models.TextChoices):
    LEAD = "lead", _("牵头单位")
    SUPPORTING = "supporting", _("配合单位")


class UnitCheckIn(models.Model):
    """A unit has reported to a place (双报到). What it may see there, claim and be dispatched follows from this."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="checkins", verbose_name=_("报到单位"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="checkins", verbose_name=_("报到地"))
    role = models.CharField(_("角色"), max_length=10, choices=CheckInRole, default=CheckInRole.SUPPORTING)
    start = models.DateField(_("报到日期"), default=timezone.localdate)
    end = models.DateField(_("结束日期"), null=True, blank=True)

    objects = CheckInQuerySet.as_manager()

    class Meta:
        verbose_name = _("单位报到")
        verbose_name_plural = _("单位报到")
        ordering = ["node", "role", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="checkin_end_after_start"
            ),
            models.UniqueConstraint(fields=["unit", "node"], condition=Q(end__isnull=True), name="checkin_open_once"),
        ]

    def __str__(self) -> str:
        return f"{self.unit} → {self.node}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.node.county_id
