"""Units and members who report to places (双报到). Source: docs/domain.md#z2, docs/practice.md#checkin."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models import Member, Unit
from services.models.words import WishedPost
from services.querysets import CheckInQuerySet


class CheckInRole(models.TextChoices):
    LEAD = "lead", _("牵头单位")
    SUPPORTING = "supporting", _("配合单位")


class UnitCheckIn(models.Model):
    """A unit has reported to a place (双报到). What it may see there, claim and be dispatched follows from this.

    `until` is the day to which the co-building agreement runs: it is renewed or ended by somebody, never by the calendar.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="checkins", verbose_name=_("报到单位"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="checkins", verbose_name=_("报到地"))
    role = models.CharField(_("角色"), max_length=10, choices=CheckInRole, default=CheckInRole.SUPPORTING)
    number = models.CharField(_("回执编号"), max_length=20, blank=True)
    brings = models.CharField(_("带来的资源和服务"), max_length=500, blank=True)
    unit_liaison = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("单位联络员")
    )
    community_liaison = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("社区联络员")
    )
    start = models.DateField(_("报到日期"), default=timezone.localdate)
    until = models.DateField(_("协议到期"), null=True, blank=True)
    end = models.DateField(_("结束日期"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = CheckInQuerySet.as_manager()

    class Meta:
        verbose_name = _("单位报到")
        verbose_name_plural = _("单位报到")
        ordering = ["node", "role", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="checkin_end_after_start"
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("start")), name="checkin_until_after_start"
            ),
            models.UniqueConstraint(fields=["unit", "node"], condition=Q(end__isnull=True), name="checkin_open_once"),
            models.UniqueConstraint(fields=["number"], condition=~Q(number=""), name="checkin_number"),
        ]

    def __str__(self) -> str:
        return f"{self.unit} → {self.node}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.node.county_id


class ApplicationState(models.TextChoices):
    APPLIED = "applied", _("待接收")
    SENT_BACK = "sent_back", _("退回完善")
    ACCEPTED = "accepted", _("已接收")
    DECLINED = "declined", _("不接收")
    WITHDRAWN = "withdrawn", _("已撤回")


APPLICATION_OPEN = (ApplicationState.APPLIED, ApplicationState.SENT_BACK)


class CheckInApplication(models.Model):
    """A unit asks a community to take it in, or to renew what runs out (`renews`). Accepted, it makes the check-in."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="applications", verbose_name=_("报到单位"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="applications", verbose_name=_("报到地"))
    role = models.CharField(_("角色"), max_length=10, choices=CheckInRole, default=CheckInRole.SUPPORTING)
    brings = models.CharField(_("带来的资源和服务"), max_length=500)
    years = models.PositiveSmallIntegerField(_("共建年限"), default=1)
    unit_liaison = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("单位联络员")
    )
    state = models.CharField(_("状态"), max_length=12, choices=ApplicationState, default=ApplicationState.APPLIED)
    reason = models.CharField(_("意见"), max_length=500, blank=True)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("申请人")
    )
    applied_at = models.DateTimeField(_("申请时间"), default=timezone.now)
    decided_at = models.DateTimeField(_("办理时间"), null=True, blank=True)
    renews = models.ForeignKey(
        UnitCheckIn, models.PROTECT, null=True, blank=True, related_name="renewals", verbose_name=_("续签的报到")
    )
    checkin = models.ForeignKey(
        UnitCheckIn, models.PROTECT, null=True, blank=True, related_name="applications", verbose_name=_("报到")
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("报到申请")
        verbose_name_plural = _("报到申请")
        ordering = ["-applied_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "node"], condition=Q(state__in=["applied", "sent_back"]), name="application_open_once"
            ),
            models.CheckConstraint(condition=Q(years__gte=1, years__lte=5), name="application_years"),
        ]

    def __str__(self) -> str:
        return f"{self.unit} → {self.node}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.node.county_id


class MemberCheckInState(models.TextChoices):
    APPLIED = "applied", _("待接收")
    SENT_BACK = "sent_back", _("退回完善")
    ACCEPTED = "accepted", _("报到中")
    DECLINED = "declined", _("不接收")
    ENDED = "ended", _("已结束")


MEMBER_CHECKIN_OPEN = (MemberCheckInState.APPLIED, MemberCheckInState.SENT_BACK, MemberCheckInState.ACCEPTED)


def _empty() -> list[Any]:
    return []


class MemberCheckIn(models.Model):
    """A party member has reported to the compound they live in: a registration, never a clock-in (docs/practice.md#lines).

    `skills` and `free_time` are keys of `services.models.words`.
    """

    member = models.ForeignKey(Member, models.PROTECT, related_name="checkins", verbose_name=_("党员"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="member_checkins", verbose_name=_("居住小区"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="+", verbose_name=_("社区"))
    skills = models.JSONField(_("特长"), default=_empty)
    wished_post = models.CharField(_("意愿岗位"), max_length=12, choices=WishedPost, default=WishedPost.ANY)
    free_time = models.JSONField(_("空闲时间"), default=_empty)
    note = models.CharField(_("补充说明"), max_length=200, blank=True)
    state = models.CharField(_("状态"), max_length=12, choices=MemberCheckInState, default=MemberCheckInState.APPLIED)
    reason = models.CharField(_("意见"), max_length=500, blank=True)
    applied_at = models.DateTimeField(_("报到时间"), default=timezone.now)
    decided_at = models.DateTimeField(_("接收时间"), null=True, blank=True)
    ended_on = models.DateField(_("结束日期"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("党员报到")
        verbose_name_plural = _("党员报到")
        ordering = ["-applied_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["member"],
                condition=Q(state__in=["applied", "sent_back", "accepted"]),
                name="member_checkin_open_once",
            )
        ]
        indexes = [models.Index(fields=["community", "state"], name="member_checkin_community")]

    def __str__(self) -> str:
        return f"{self.member.masked_name} → {self.node}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.node.county_id
