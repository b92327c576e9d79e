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
        indexes = [models.Index(fields=["due_at"], condition=Q(answered_at__isnull=True), name="supervision_waiting")]

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
