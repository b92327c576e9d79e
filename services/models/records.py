"""Records that stand beside a demand's state and never are one: supervision, extension, parking."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.querysets import ScopedQuerySet
from partybuilding.models import Unit
from services.models.demand import Demand
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


class RateExclusion(models.Model):
    """A demand is asked to be left out of one or more of the three rates; somebody at the county decides.

    Rules: docs/practice.md#loop (exclusions approved and logged).
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
