"""Joint bodies of a place and its units: alliance, 大工委, 大党委. Source: docs/domain.md#l4, #g4."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models.unit import Unit


class AllianceKind(models.TextChoices):
    STREET_COMMITTEE = "street_committee", _("街道大工委")
    COMMUNITY_COMMITTEE = "community_committee", _("社区大党委")
    ALLIANCE = "alliance", _("党建联盟")


class Alliance(models.Model):
    """A joint body at a place. Who sits on it are `seats`, each with a term."""

    county = models.ForeignKey(County, models.PROTECT, related_name="alliances", verbose_name=_("县"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="alliances", verbose_name=_("所在地"))
    kind = models.CharField(_("类型"), max_length=20, choices=AllianceKind)
    name = models.CharField(_("名称"), max_length=60)
    founded_on = models.DateField(_("成立日期"), null=True, blank=True)
    is_active = models.BooleanField(_("在用"), default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("党建联盟")
        verbose_name_plural = _("党建联盟")
        ordering = ["node__tree_id", "node__lft", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["node", "kind"], condition=Q(is_active=True), name="alliance_one_of_a_kind")
        ]

    def __str__(self) -> str:
        return self.name


class SeatRole(models.TextChoices):
    """Source: docs/domain.md#l4, #g4 (part-time committee members), #p2 (lawyers who advise a community)."""

    STANDING_CHAIR = "standing_chair", _("常任主席")
    ROTATING_CHAIR = "rotating_chair", _("轮值主席")
    PART_TIME = "part_time", _("兼职委员")
    MEMBER = "member", _("成员")
    LEGAL_ADVISER = "legal_adviser", _("法治顾问")


class AllianceSeat(models.Model):
    """Who sits on a joint body, as what, from a day to a day."""

    alliance = models.ForeignKey(Alliance, models.PROTECT, related_name="seats", verbose_name=_("党建联盟"))
    role = models.CharField(_("席位"), max_length=20, choices=SeatRole)
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="seats", verbose_name=_("所在单位")
    )
    name = models.CharField(_("姓名"), max_length=60)
    title = models.CharField(_("职务"), max_length=60, blank=True)
    start = models.DateField(_("任期开始"), default=timezone.localdate)
    end = models.DateField(_("任期结束"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("联盟席位")
        verbose_name_plural = _("联盟席位")
        ordering = ["alliance", "role", "start", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="seat_end_after_start")
        ]

    def __str__(self) -> str:
        return f"{self.alliance} {self.get_role_display()}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.alliance.county_id
