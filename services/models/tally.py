from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models import Unit
from services.models.settings import Category


class Tally(models.Model):
    """Counts of the demands one community registered in one month, by category and lead unit.

    Everything is counted in the month of registration, so that each rate's numerator and denominator speak of the
    same demands. Kept by `services.actions.tallies`; `manage.py check_tallies` proves it.
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="+", verbose_name=_("县"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="+", verbose_name=_("社区"))
    month = models.DateField(_("月份"))
    category = models.ForeignKey(Category, models.PROTECT, related_name="+", verbose_name=_("类别"))
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+", verbose_name=_("牵头单位"))

    registered = models.PositiveIntegerField(_("登记"), default=0)
    declined = models.PositiveIntegerField(_("不予受理"), default=0)
    dispatched = models.PositiveIntegerField(_("派单"), default=0)
    finished = models.PositiveIntegerField(_("办结"), default=0)
    closed = models.PositiveIntegerField(_("销号"), default=0)
    finished_in_time = models.PositiveIntegerField(_("按时办结"), default=0)
    response_due = models.PositiveIntegerField(_("应响应"), default=0)
    response_met = models.PositiveIntegerField(_("按时响应"), default=0)
    followed_up = models.PositiveIntegerField(_("有效回访"), default=0)
    solved = models.PositiveIntegerField(_("已解决"), default=0)
    rated = models.PositiveIntegerField(_("有效评价"), default=0)
    satisfied = models.PositiveIntegerField(_("满意和基本满意"), default=0)
    excluded_response = models.PositiveIntegerField(_("响应率剔除"), default=0)
    excluded_resolution = models.PositiveIntegerField(_("解决率剔除"), default=0)
    excluded_satisfaction = models.PositiveIntegerField(_("满意率剔除"), default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("统计")
        verbose_name_plural = _("统计")
        ordering = ["month", "community", "category"]
        constraints = [
            models.UniqueConstraint(fields=["community", "month", "category", "unit"], name="tally_cell"),
            models.UniqueConstraint(
                fields=["community", "month", "category"], condition=Q(unit__isnull=True), name="tally_cell_no_unit"
            ),
        ]
        indexes = [models.Index(fields=["county", "month"], name="tally_county_month")]

    def __str__(self) -> str:
        return f"{self.community_id} {self.month:%Y-%m}"
