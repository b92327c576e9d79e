from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.codes import new_follow_code
from core.masking import mask_name, mask_phone
from grids.models import County, GridNode
from partybuilding.models import Unit
from services.models.settings import Category, Urgency
from services.querysets import DemandQuerySet


class DemandState(models.TextChoices):
    REGISTERED = "registered", _("待受理")
    DECLINED = "declined", _("不予受理")
    ACCEPTED = "accepted", _("已受理")
    PUBLISHED = "published", _("待认领")
    DISPATCHED = "dispatched", _("办理中")
    FINISHED = "finished", _("待核查")
    CHECKED = "checked", _("待评价")
    CLOSED_OFF = "closed_off", _("已销号")
    WITHDRAWN = "withdrawn", _("已撤回")
    LINKED = "linked", _("已并案")


# States in which somebody still has to do something.
OPEN_STATES = (
    DemandState.REGISTERED,
    DemandState.ACCEPTED,
    DemandState.PUBLISHED,
    DemandState.DISPATCHED,
    DemandState.FINISHED,
    DemandState.CHECKED,
)

# States in which the service limit runs, once it has started: a matter a unit gave back waits under the limit it had,
# for the resident's time is not reset (docs/practice.md#loop).
CLOCK_STATES = (DemandState.ACCEPTED, DemandState.PUBLISHED, DemandState.DISPATCHED)
UNDER_LIMIT = Q(state__in=["accepted", "published", "dispatched"], due_at__isnull=False)


class Origin(models.TextChoices):
    RESIDENT = "resident", _("居民扫码")
    KEEPER = "keeper", _("网格上报")
    CADRE = "cadre", _("社区登记")
    PHONE = "phone", _("电话登记")
    IMPORT = "import", _("表格导入")


class Desk(models.TextChoices):
    """Who has to make the next move before a unit has the matter: a community hands up what it can not settle."""

    COMMUNITY = "community", _("社区")
    STREET = "street", _("街道")
    COUNTY = "county", _("县级")


class Demand(models.Model):
    """A need of a resident or a place, from raised to closed off.

    Two clocks run beside the state: `step_due_at` for whoever has to make the next move, and `due_at` for the
    service as a whole, which starts at the first dispatch and is not reset by a return. `solved` and `satisfaction`
    are what the resident said last; neither follows from the state. `supervised_at` stands while a supervision waits
    for its answer: lists and guards read it here instead of asking for the record.
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="demands", verbose_name=_("县"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="demands", verbose_name=_("地点"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="+", verbose_name=_("社区"))
    code = models.CharField(_("编号"), max_length=20, unique=True)
    follow_code = models.CharField(_("查询码"), max_length=12, unique=True, default=new_follow_code, editable=False)
    category = models.ForeignKey(Category, models.PROTECT, related_name="demands", verbose_name=_("类别"))
    urgency = models.CharField(_("紧急程度"), max_length=10, choices=Urgency, default=Urgency.ORDINARY)
    origin = models.CharField(_("来源"), max_length=10, choices=Origin, default=Origin.RESIDENT)
    title = models.CharField(_("标题"), max_length=80)
    text = models.TextField(_("内容"), max_length=2000)
    contact_name = models.CharField(_("联系人"), max_length=60, blank=True)
    contact_phone = models.CharField(_("联系电话"), max_length=20, blank=True)
    raised_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("登记人")
    )

    state = models.CharField(_("状态"), max_length=12, choices=DemandState, default=DemandState.REGISTERED)
    version = models.PositiveIntegerField(default=1, editable=False)
    round = models.PositiveSmallIntegerField(_("办理轮次"), default=1)
    lead_unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="led_demands", verbose_name=_("牵头单位")
    )
    linked_to = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="linked", verbose_name=_("并入")
    )

    registered_at = models.DateTimeField(_("登记时间"), default=timezone.now)
    accepted_at = models.DateTimeField(_("受理时间"), null=True, blank=True)
    published_at = models.DateTimeField(_("发布时间"), null=True, blank=True)
    dispatched_at = models.DateTimeField(_("派单时间"), null=True, blank=True)
    finished_at = models.DateTimeField(_("办结时间"), null=True, blank=True)
    checked_at = models.DateTimeField(_("核查时间"), null=True, blank=True)
    closed_at = models.DateTimeField(_("销号时间"), null=True, blank=True)
    supervised_at = models.DateTimeField(_("督办时间"), null=True, blank=True)
    supervised_unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("被督办单位")
    )
    # Stands while the street's whistle is open (Whistle): lists and guards read it here.
    whistled_at = models.DateTimeField(_("吹哨时间"), null=True, blank=True, editable=False)
    desk = models.CharField(_("经办层级"), max_length=10, choices=Desk, default=Desk.COMMUNITY)
    escalated_at = models.DateTimeField(_("上报时间"), null=True, blank=True)
    # How often it went to another community: a second time only the street or the county decides.
    transfers = models.PositiveSmallIntegerField(_("移交次数"), default=0, editable=False)
    parked_until = models.DateField(_("挂账至"), null=True, blank=True)

    step_due_at = models.DateTimeField(_("本步时限"), null=True, blank=True)
    warn_at = models.DateTimeField(_("预警时间"), null=True, blank=True)
    due_at = models.DateTimeField(_("办理时限"), null=True, blank=True)
    late_marked_at = models.DateTimeField(_("标记超期时间"), null=True, blank=True, editable=False)
    # The county's rules (RuleVersion) its limits were last set by; a rule changed later moves no limit.
    rule_version = models.PositiveIntegerField(_("时限规则版本"), null=True, blank=True, editable=False)

    solved = models.BooleanField(_("是否解决"), null=True, blank=True)
    satisfaction = models.CharField(_("满意度"), max_length=12, blank=True)
    # Set by an approved exclusion (RateExclusion) alone: which of the three rates this demand does not count in.
    skip_response = models.BooleanField(_("不计响应率"), default=False, editable=False)
    skip_resolution = models.BooleanField(_("不计解决率"), default=False, editable=False)
    skip_satisfaction = models.BooleanField(_("不计满意率"), default=False, editable=False)

    external_number = models.CharField(_("原编号"), max_length=40, blank=True)
    external_date = models.DateField(_("原日期"), null=True, blank=True)
    external_channel = models.CharField(_("来源渠道"), max_length=40, blank=True)
    external_nature = models.CharField(_("性质"), max_length=20, blank=True)
    place_text = models.CharField(_("原地点"), max_length=100, blank=True)

    objects = DemandQuerySet.as_manager()

    class Meta:
        verbose_name = _("需求")
        verbose_name_plural = _("需求")
        ordering = ["-registered_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "external_number", "external_date"],
                condition=~Q(external_number=""),
                name="demand_external_once",
            ),
        ]
        indexes = [
            models.Index(fields=["community", "-registered_at", "-id"], name="demand_community_recent"),
            models.Index(fields=["county", "-registered_at", "-id"], name="demand_county_recent"),
            models.Index(fields=["node", "-registered_at"], name="demand_node_recent"),
            models.Index(fields=["lead_unit", "-registered_at"], name="demand_lead_recent"),
            models.Index(fields=["community", "state", "due_at"], name="demand_community_state"),
            models.Index(
                fields=["county", "due_at"],
                condition=UNDER_LIMIT,
                name="demand_running_due",
            ),
            models.Index(fields=["warn_at"], condition=UNDER_LIMIT, name="demand_running_warn"),
            models.Index(fields=["step_due_at"], condition=Q(step_due_at__isnull=False), name="demand_step_due"),
            models.Index(
                fields=["step_due_at", "id"],
                condition=Q(state="checked", step_due_at__isnull=False),
                name="demand_to_close",
            ),
            models.Index(
                fields=["community", "step_due_at"],
                condition=Q(step_due_at__isnull=False),
                name="demand_community_step",
            ),
            models.Index(fields=["parked_until"], condition=Q(parked_until__isnull=False), name="demand_parked"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def main(self) -> "Demand":
        """The matter whose service answers this one: the one it was linked to, else itself."""
        return self.linked_to or self

    @property
    def masked_name(self) -> str:
        return mask_name(self.contact_name)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.contact_phone)
