"""The care ledger: which households need a visit, and why. The least a visit needs, and nothing else.

Lines that are not crossed (docs/domain.md#lines, docs/practice.md#left-out): needs of care only, with consent on record,
masked on screen, gone when erased, and gone by themselves when nobody confirms them any more. There is no free category
and no field for anything a visit does not need.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.masking import mask_name, mask_phone
from core.models import mobile_validator
from grids.models.county import County
from grids.models.node import GridNode
from grids.querysets import CareQuerySet, ScopedQuerySet


class CareKind(models.TextChoices):
    """The needs of care there are. A fixed list: a need that is not here is not recorded."""

    ELDERLY_ALONE = "elderly_alone", _("独居老人")
    EMPTY_NEST = "empty_nest", _("空巢老人")
    DISABILITY = "disability", _("残疾人")
    CHILD_LEFT_BEHIND = "child_left_behind", _("留守儿童")
    CHILD_IN_DIFFICULTY = "child_in_difficulty", _("困境儿童")
    LOW_INCOME = "low_income", _("低收入家庭")
    SUDDEN_HARDSHIP = "sudden_hardship", _("突发困难家庭")
    VETERAN_FAMILY = "veteran_family", _("烈军属、退役军人家庭")


class ConsentKind(models.TextChoices):
    WRITTEN = "written", _("本人书面同意")
    GUARDIAN = "guardian", _("监护人书面同意")
    SPOKEN = "spoken", _("本人当面口头同意")


class CareHousehold(models.Model):
    """A household on the care ledger. Seen by those who visit it, erased as if it had never been there.

    `community` repeats the node's, for figures. `expires_on` is 12 months after `confirmed_on` (a setting).
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="+", verbose_name=_("县"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="care_households", verbose_name=_("所在网格"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="+", verbose_name=_("所属社区"))
    room = models.CharField(_("门牌"), max_length=40)
    name = models.CharField(_("联系人"), max_length=60)
    phone = models.CharField(_("联系电话"), max_length=11, blank=True, validators=[mobile_validator])
    consent = models.CharField(_("同意方式"), max_length=10, choices=ConsentKind)
    consent_on = models.DateField(_("同意日期"))
    confirmed_on = models.DateField(_("核实日期"), default=timezone.localdate)
    expires_on = models.DateField(_("到期日期"))
    last_visit_on = models.DateField(_("最近走访"), null=True, blank=True)
    # What the shortest cadence of its needs asks for; kept by the actions, so that the worklist is one query.
    next_visit_on = models.DateField(_("下次走访"), null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(_("登记时间"), default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = CareQuerySet.as_manager()

    class Meta:
        verbose_name = _("关爱台账")
        verbose_name_plural = _("关爱台账")
        ordering = ["node", "room", "id"]
        constraints = [
            models.UniqueConstraint(fields=["node", "room", "name"], name="care_household_once"),
            models.CheckConstraint(condition=Q(expires_on__gt=F("confirmed_on")), name="care_household_expires_later"),
        ]
        indexes = [
            models.Index(fields=["community", "expires_on"], name="care_household_expiry"),
            models.Index(fields=["node", "next_visit_on"], name="care_household_visit"),
        ]

    def __str__(self) -> str:
        """Names nobody: this text stands in logs and trails."""
        return f"{self._meta.verbose_name} {self.pk}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.county_id

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone) if self.phone else ""


class CareNeed(models.Model):
    """One need of care of a household."""

    household = models.ForeignKey(CareHousehold, models.CASCADE, related_name="needs", verbose_name=_("家庭"))
    kind = models.CharField(_("关爱类别"), max_length=20, choices=CareKind)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("关爱需要")
        verbose_name_plural = _("关爱需要")
        ordering = ["household", "kind"]
        constraints = [models.UniqueConstraint(fields=["household", "kind"], name="care_need_once")]

    def __str__(self) -> str:
        return self.get_kind_display()


class CareVisit(models.Model):
    """A visit to a household: when, by whom, and a line on what is needed."""

    household = models.ForeignKey(CareHousehold, models.CASCADE, related_name="visits", verbose_name=_("家庭"))
    visited_on = models.DateField(_("走访日期"))
    visited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    text = models.CharField(_("情况"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("记录时间"), default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("走访记录")
        verbose_name_plural = _("走访记录")
        ordering = ["-visited_on", "-id"]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class CareCadence(models.Model):
    """How often a county wants a need visited, in days. What a county has not set follows `grids.care.CADENCE`."""

    county = models.ForeignKey(County, models.CASCADE, related_name="care_cadences", verbose_name=_("县"))
    kind = models.CharField(_("关爱类别"), max_length=20, choices=CareKind)
    days = models.PositiveSmallIntegerField(_("走访间隔（天）"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("走访间隔")
        verbose_name_plural = _("走访间隔")
        ordering = ["county", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["county", "kind"], name="care_cadence_once"),
            models.CheckConstraint(condition=Q(days__gte=1) & Q(days__lte=366), name="care_cadence_days"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.days}"
