"""Records that stand beside a demand's state and never are one: supervision, extension, parking."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.querysets import ScopedQuerySet
from partybuilding.models import Unit
from services.models.demand import CLOCK_STATES, Demand
from services.models.suborder import SubOrder


class Supervision(models.Model):
    """The county or street presses a late matter (督办); who has it must answer. `unit` empty: the community has it."""

    demand = models.ForeignKey(Demand, models.PROTECT, related_name="supervisions", verbose_name=_("需求"))
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="supervisions", verbose_name=_("被督办单位")
    )
    text = models.TextField(_("督办要求"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("督办人"))
    at = models.DateTimeField(_("督办时间"), default=timezone.now)
    due_at = models.DateTimeField(_("答复时限"))
    answer = models.TextField(_("答复"), blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("答复人")
    )
    answered_at = models.DateTimeField(_("答复时间"), null=True, blank=True)
    # Set by the sweeper when who owes the answer was reminded.
    reminded_at = models.DateTimeField(null=True, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("督办")
        verbose_name_plural = _("督办")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["demand"], condition=Q(answered_at__isnull=True), name="supervision_one_open"
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(answered_at__isnull=True), name="supervision_waiting"),
            models.Index(
                fields=["due_at", "id"],
                condition=Q(answered_at__isnull=True, reminded_at__isnull=True),
                name="supervision_to_remind",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:20]


class ExtensionState(models.TextChoices):
    WAITING = "waiting", _("待审核")
    APPROVED = "approved", _("同意")
    REJECTED = "rejected", _("驳回")


class Extension(models.Model):
    """A unit asks for more time, before the limit. The second one of a sub-order is decided one level up."""

    suborder = models.ForeignKey(SubOrder, models.PROTECT, related_name="extensions", verbose_name=_("派单"))
    number = models.PositiveSmallIntegerField(_("第几次"), default=1)
    until = models.DateField(_("延期至"))
    reason = models.TextField(_("理由"))
    state = models.CharField(_("状态"), max_length=10, choices=ExtensionState, default=ExtensionState.WAITING)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("申请人"))
    at = models.DateTimeField(_("申请时间"), default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("审核人")
    )
    decided_at = models.DateTimeField(_("审核时间"), null=True, blank=True)
    note = models.CharField(_("审核意见"), max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("延期")
        verbose_name_plural = _("延期")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["suborder"], condition=Q(state="waiting"), name="extension_one_waiting")
        ]

    def __str__(self) -> str:
        return f"{self.until:%Y-%m-%d}"


class Parking(models.Model):
    """Works that need a season or a budget are parked (挂账), with a plan and a date; the clocks stand until then."""

    demand = models.ForeignKey(Demand, models.PROTECT, related_name="parkings", verbose_name=_("需求"))
    plan = models.TextField(_("计划"))
    until = models.DateField(_("挂账至"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("经办人"))
    at = models.DateTimeField(_("挂账时间"), default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("挂账")
        verbose_name_plural = _("挂账")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.until:%Y-%m-%d}"


class Whistle(models.Model):
    """The street (or county) calls several units to one matter (街道吹哨、部门报到). One is open at a time.

    `due_at`: by when it has to be concluded. The units' own part are sub-orders that name the whistle.
    """

    demand = models.ForeignKey(Demand, models.PROTECT, related_name="whistles", verbose_name=_("需求"))
    text = models.TextField(_("吹哨要求"))
    meet_at = models.DateTimeField(_("到场时间"), null=True, blank=True)
    venue = models.CharField(_("到场地点"), max_length=60, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("吹哨人"))
    at = models.DateTimeField(_("吹哨时间"), default=timezone.now)
    due_at = models.DateTimeField(_("办结时限"))
    result = models.TextField(_("处置结果"), blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("办结人")
    )
    ended_at = models.DateTimeField(_("办结时间"), null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("吹哨")
        verbose_name_plural = _("吹哨")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["demand"], condition=Q(ended_at__isnull=True), name="whistle_one_open")
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(ended_at__isnull=True), name="whistle_waiting")]

    def __str__(self) -> str:
        return self.text[:20]


class ExclusionState(models.TextChoices):
    REQUESTED = "requested", _("待审核")
    APPROVED = "approved", _("同意剔除")
    REJECTED = "rejected", _("不同意")
    WITHDRAWN = "withdrawn", _("已撤回")
    REVERSED = "reversed", _("已恢复统计")


class RateExclusion(models.Model):
    """A demand is asked to be left out of one or more of the three rates; somebody at the county decides.

    `figures`: what the decision did to the community's rates of the month of registration, as
    {"approve": {"resolution": [[numerator, denominator, excluded] before, the same after]}, "reverse": {…}}.
    Rules: docs/practice.md#rates (exclusions approved and logged).
    """

    demand = models.ForeignKey(Demand, models.PROTECT, related_name="exclusions", verbose_name=_("需求"))
    response = models.BooleanField(_("响应率"), default=False)
    resolution = models.BooleanField(_("解决率"), default=False)
    satisfaction = models.BooleanField(_("满意率"), default=False)
    reason = models.TextField(_("剔除理由"), max_length=500)
    state = models.CharField(_("状态"), max_length=10, choices=ExclusionState, default=ExclusionState.REQUESTED)
    version = models.PositiveIntegerField(default=1, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("申请人"))
    at = models.DateTimeField(_("申请时间"), default=timezone.now)
    due_at = models.DateTimeField(_("审核时限"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("审核人")
    )
    decided_at = models.DateTimeField(_("审核时间"), null=True, blank=True)
    note = models.CharField(_("审核意见"), max_length=500, blank=True)
    reversed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("恢复人")
    )
    reversed_at = models.DateTimeField(_("恢复时间"), null=True, blank=True)
    reversal = models.CharField(_("恢复理由"), max_length=500, blank=True)
    figures = models.JSONField(default=dict, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("剔除申请")
        verbose_name_plural = _("剔除申请")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["demand"], condition=Q(state="requested"), name="exclusion_one_requested"),
            models.CheckConstraint(
                condition=Q(response=True) | Q(resolution=True) | Q(satisfaction=True), name="exclusion_of_some_rate"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="requested"), name="exclusion_waiting")]

    def __str__(self) -> str:
        return self.reason[:20]

    @property
    def rates(self) -> tuple[str, ...]:
        """The rates it speaks of, in their order."""
        return tuple(name for name in ("response", "resolution", "satisfaction") if getattr(self, name))

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.demand.county_id


class Rung(models.TextChoices):
    NONE = "none", _("未提醒")
    NEAR = "near", _("将到期")
    LATE = "late", _("已超期")
    NEXT_DAY = "next_day", _("超期次日催办")
    BULLETIN = "bulletin", _("列入通报")
    LEADER = "leader", _("报包联领导")


class Climb(models.Model):
    """How far a matter has climbed the ladder under the service limit it has now (docs/practice.md#loop).

    `limit`: the demand's limit it climbs from; a new one (redo, reopening, extension, parking) begins at the foot.
    `next_at`: when the next rung is due, empty when none is.
    """

    demand = models.OneToOneField(Demand, models.PROTECT, related_name="climb", verbose_name=_("需求"))
    limit = models.DateTimeField(_("办理时限"))
    rung = models.CharField(_("提醒层级"), max_length=10, choices=Rung, default=Rung.NONE)
    at = models.DateTimeField(_("到达时间"), null=True, blank=True)
    next_at = models.DateTimeField(_("下一级时间"), null=True, blank=True)
    instructed_at = models.DateTimeField(_("批示时间"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("逐级提醒")
        verbose_name_plural = _("逐级提醒")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="climb_next"),
            models.Index(fields=["rung"], condition=Q(rung__in=["bulletin", "leader"]), name="climb_high"),
        ]

    def __str__(self) -> str:
        return str(self.get_rung_display())

    @property
    def stands(self) -> bool:
        """Whether the limit it climbs from is still the demand's, and still runs."""
        demand = self.demand
        return demand.due_at == self.limit and demand.state in CLOCK_STATES

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.demand.county_id
