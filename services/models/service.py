"""What members did, as they enter it and the community confirms it; what is sent back of it, and certified."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models import Member, Unit
from services.models.checkin import MemberCheckIn


class ServiceState(models.TextChoices):
    ENTERED = "entered", _("待确认")
    SENT_BACK = "sent_back", _("退回核对")
    CONFIRMED = "confirmed", _("已确认")
    DROPPED = "dropped", _("已删除")


class ServiceRecord(models.Model):
    """A service a member gave. Hours are what the member says and the community confirms, never measured."""

    checkin = models.ForeignKey(MemberCheckIn, models.PROTECT, related_name="services", verbose_name=_("党员报到"))
    served_on = models.DateField(_("服务日期"))
    hours = models.DecimalField(_("时长（小时）"), max_digits=4, decimal_places=1)
    text = models.CharField(_("服务内容"), max_length=200)
    state = models.CharField(_("状态"), max_length=12, choices=ServiceState, default=ServiceState.ENTERED)
    reason = models.CharField(_("意见"), max_length=500, blank=True)
    entered_at = models.DateTimeField(_("填写时间"), default=timezone.now, editable=False)
    decided_at = models.DateTimeField(_("确认时间"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("确认人")
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("服务记录")
        verbose_name_plural = _("服务记录")
        ordering = ["-served_on", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(hours__gt=0, hours__lte=24), name="service_hours_of_a_day"),
            models.UniqueConstraint(
                fields=["checkin", "served_on", "text"], condition=~Q(state="dropped"), name="service_once"
            ),
        ]
        indexes = [models.Index(fields=["checkin", "state", "served_on"], name="service_checkin")]

    def __str__(self) -> str:
        return self.text[:30]

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.checkin.county_key


class MemberCard(models.Model):
    """The quarterly card (回单): what a member's community confirmed in a quarter, sent back to the member's unit."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="cards", verbose_name=_("党员"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="member_cards", verbose_name=_("所在单位"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="+", verbose_name=_("社区"))
    quarter = models.DateField(_("季度"))
    services = models.PositiveSmallIntegerField(_("服务次数"))
    hours = models.DecimalField(_("时长（小时）"), max_digits=6, decimal_places=1)
    sent_at = models.DateTimeField(_("反馈时间"), default=timezone.now)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("反馈人")
    )
    read_at = models.DateTimeField(_("查收时间"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("季度服务卡")
        verbose_name_plural = _("季度服务卡")
        ordering = ["-quarter", "unit", "member", "id"]
        constraints = [models.UniqueConstraint(fields=["member", "community", "quarter"], name="card_once")]

    def __str__(self) -> str:
        return f"{self.member.masked_name} {self.quarter:%Y-%m}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.unit.county_id


class Certificate(models.Model):
    """A certificate of a member's confirmed services, with a code by which anybody can check it."""

    county = models.ForeignKey(County, models.PROTECT, related_name="+", verbose_name=_("县"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="certificates", verbose_name=_("党员"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="+", verbose_name=_("社区"))
    code = models.CharField(_("验证码"), max_length=16, unique=True)
    since = models.DateField(_("起"))
    until = models.DateField(_("止"))
    services = models.PositiveIntegerField(_("服务次数"))
    hours = models.DecimalField(_("时长（小时）"), max_digits=7, decimal_places=1)
    issued_at = models.DateTimeField(_("出具时间"), default=timezone.now)
    revoked_at = models.DateTimeField(_("作废时间"), null=True, blank=True)
    reason = models.CharField(_("作废原因"), max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("服务证明")
        verbose_name_plural = _("服务证明")
        ordering = ["-issued_at", "-id"]

    def __str__(self) -> str:
        return f"{self.member.masked_name} {self.since}"
