from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partybuilding.models import Member, Unit
from services.models.demand import Demand
from services.querysets import AssignmentQuerySet, SubOrderQuerySet


class SubOrderRole(models.TextChoices):
    LEAD = "lead", _("牵头")
    SUPPORTING = "supporting", _("配合")


class SubOrderState(models.TextChoices):
    DISPATCHED = "dispatched", _("待签收")
    SIGNED = "signed", _("已签收")
    RETURN_REQUESTED = "return_requested", _("申请退单")
    RETURNED = "returned", _("已退单")
    IN_SERVICE = "in_service", _("服务中")
    FINISHED = "finished", _("已办结")


RUNNING_STATES = (
    SubOrderState.DISPATCHED,
    SubOrderState.SIGNED,
    SubOrderState.RETURN_REQUESTED,
    SubOrderState.IN_SERVICE,
)
# The same for the conditions of indexes, in the words in which `SubOrderQuerySet.running` asks.
RUNNING = Q(state__in=["dispatched", "signed", "return_requested", "in_service"])


class SubOrder(models.Model):
    """What one unit was given of a demand. Lead and supporting units each have their own, with clocks of its own.

    The clock starts at dispatch, not at signing: else a unit returns orders for free (docs/practice.md#loop).
    """

    demand = models.ForeignKey(Demand, models.PROTECT, related_name="suborders", verbose_name=_("需求"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="suborders", verbose_name=_("承办单位"))
    role = models.CharField(_("角色"), max_length=10, choices=SubOrderRole, default=SubOrderRole.LEAD)
    state = models.CharField(_("状态"), max_length=16, choices=SubOrderState, default=SubOrderState.DISPATCHED)
    version = models.PositiveIntegerField(default=1, editable=False)
    note = models.CharField(_("派单说明"), max_length=500, blank=True)
    claimed = models.BooleanField(_("主动认领"), default=False)
    designated = models.BooleanField(_("指定承办"), default=False, help_text=_("指定承办的单位不能退单。"))

    # Called by the street's whistle: comes to the matter beside the lead unit, whether checked in there or not.
    whistle = models.ForeignKey(
        "services.Whistle", models.PROTECT, null=True, blank=True, related_name="suborders", verbose_name=_("吹哨")
    )

    dispatched_at = models.DateTimeField(_("派单时间"), default=timezone.now)
    sign_due_at = models.DateTimeField(_("签收时限"), null=True, blank=True)
    contact_due_at = models.DateTimeField(_("首次联系时限"), null=True, blank=True)
    warn_at = models.DateTimeField(_("预警时间"), null=True, blank=True)
    due_at = models.DateTimeField(_("办理时限"), null=True, blank=True)
    signed_at = models.DateTimeField(_("签收时间"), null=True, blank=True)
    contacted_at = models.DateTimeField(_("首次联系时间"), null=True, blank=True)
    finished_at = models.DateTimeField(_("办结时间"), null=True, blank=True)
    returned_at = models.DateTimeField(_("退单时间"), null=True, blank=True)
    # Number of the extension that waits for a decision; 0 when none does.
    extension_waiting = models.PositiveSmallIntegerField(_("待审核的延期"), default=0, editable=False)
    review_due_at = models.DateTimeField(_("审核时限"), null=True, blank=True)
    rule_version = models.PositiveIntegerField(_("时限规则版本"), null=True, blank=True, editable=False)
    late_marked_at = models.DateTimeField(_("标记超期时间"), null=True, blank=True, editable=False)
    # Set by the sweeper when signing or first contact missed its limit: what the response rate counts against.
    response_late_at = models.DateTimeField(_("标记响应超时"), null=True, blank=True, editable=False)
    # When the sweeper looks at it next (services.reminders); at once where nobody has said.
    remind_at = models.DateTimeField(null=True, default=timezone.now, editable=False)
    result = models.TextField(_("办理结果"), blank=True)

    objects = SubOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("派单")
        verbose_name_plural = _("派单")
        ordering = ["demand", "role", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["demand"],
                condition=Q(role="lead") & ~Q(state="returned"),
                name="suborder_one_lead",
            ),
            models.UniqueConstraint(
                fields=["demand", "unit"], condition=~Q(state="returned"), name="suborder_once_per_unit"
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "state", "due_at"], name="suborder_unit_state"),
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["dispatched", "signed", "return_requested", "in_service"]),
                name="suborder_running_due",
            ),
            # Each round of the sweeper reads rows that are due in it, and none that it has seen to.
            models.Index(
                fields=["due_at", "id"],
                condition=RUNNING & Q(late_marked_at__isnull=True),
                name="suborder_to_mark_late",
            ),
            models.Index(
                fields=["sign_due_at", "id"],
                condition=RUNNING & Q(signed_at__isnull=True, response_late_at__isnull=True),
                name="suborder_to_mark_unsigned",
            ),
            models.Index(
                fields=["contact_due_at", "id"],
                condition=RUNNING & Q(contacted_at__isnull=True, response_late_at__isnull=True),
                name="suborder_to_mark_silent",
            ),
            models.Index(
                fields=["remind_at", "id"], condition=RUNNING & Q(remind_at__isnull=False), name="suborder_to_remind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.get_role_display()}"

    @property
    def is_lead(self) -> bool:
        return self.role == SubOrderRole.LEAD

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING_STATES


class AssignmentState(models.TextChoices):
    OFFERED = "offered", _("待回应")
    TAKEN = "taken", _("已接受")
    PASSED_UP = "passed_up", _("已婉拒")
    LAPSED = "lapsed", _("未回应")


# A member who is asked or has said yes; who declined or did not answer has no more to do with it.
LIVE_STATES = (AssignmentState.OFFERED, AssignmentState.TAKEN)


class Assignment(models.Model):
    """A member was asked to serve. Asked, never ordered: declining has no consequence (docs/practice.md#lines)."""

    suborder = models.ForeignKey(SubOrder, models.PROTECT, related_name="assignments", verbose_name=_("派单"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="assignments", verbose_name=_("党员"))
    state = models.CharField(_("状态"), max_length=10, choices=AssignmentState, default=AssignmentState.OFFERED)
    version = models.PositiveIntegerField(default=1, editable=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("安排人"))
    asked_at = models.DateTimeField(_("安排时间"), default=timezone.now)
    due_at = models.DateTimeField(_("回应时限"), null=True, blank=True)
    answered_at = models.DateTimeField(_("回应时间"), null=True, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("人员安排")
        verbose_name_plural = _("人员安排")
        ordering = ["suborder", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["suborder", "member"],
                condition=~Q(state__in=["passed_up", "lapsed"]),
                name="assignment_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["member", "state"], name="assignment_member_state"),
            models.Index(fields=["due_at"], condition=Q(state="offered"), name="assignment_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.member} {self.get_state_display()}"
