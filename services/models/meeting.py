"""The joint meeting, where lists turn into claims. Source: docs/domain.md#g2, #l4, docs/practice.md#checkin."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models import Unit
from services.models.commitment import Commitment
from services.models.demand import Demand
from services.models.matching import MatchProposal
from services.models.supply import Project


class MeetingState(models.TextChoices):
    PLANNED = "planned", _("筹备中")
    PUBLISHED = "published", _("已通知")
    RUNNING = "running", _("进行中")
    CLOSED = "closed", _("已结束")
    CANCELLED = "cancelled", _("已取消")


class JointMeeting(models.Model):
    """A joint meeting (联席会议) of a community, a street or, with `node` empty, the county, for a quarter.

    `revision` grows with everything that changes at the table: open screens ask for it and draw themselves anew.
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="meetings", verbose_name=_("县"))
    node = models.ForeignKey(
        GridNode, models.PROTECT, null=True, blank=True, related_name="meetings", verbose_name=_("召集地")
    )
    title = models.CharField(_("会议名称"), max_length=80)
    quarter = models.DateField(_("季度"))
    held_at = models.DateTimeField(_("会议时间"))
    venue = models.CharField(_("会议地点"), max_length=100)
    host = models.CharField(_("主持人"), max_length=60, blank=True)
    state = models.CharField(_("状态"), max_length=10, choices=MeetingState, default=MeetingState.PLANNED)
    published_at = models.DateTimeField(_("通知时间"), null=True, blank=True)
    closed_at = models.DateTimeField(_("结束时间"), null=True, blank=True)
    summary = models.CharField(_("会议小结"), max_length=2000, blank=True)
    reason = models.CharField(_("意见"), max_length=500, blank=True)
    revision = models.PositiveIntegerField(default=1, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("联席会议")
        verbose_name_plural = _("联席会议")
        ordering = ["-held_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["node", "held_at"],
                condition=Q(node__isnull=False) & ~Q(state="cancelled"),
                name="meeting_once",
            ),
            models.UniqueConstraint(
                fields=["county", "held_at"],
                condition=Q(node__isnull=True) & ~Q(state="cancelled"),
                name="meeting_of_county_once",
            ),
        ]
        indexes = [
            models.Index(fields=["county", "quarter"], name="meeting_county_quarter"),
            models.Index(
                fields=["held_at"],
                condition=Q(state__in=["planned", "published", "running"]),
                name="meeting_ahead",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Presence(models.TextChoices):
    INVITED = "invited", _("待回复")
    COMING = "coming", _("参加")
    EXCUSED = "excused", _("请假")
    PRESENT = "present", _("已到会")


class Attendance(models.Model):
    """A unit is asked to a meeting, and who comes for it."""

    meeting = models.ForeignKey(JointMeeting, models.PROTECT, related_name="attendances", verbose_name=_("联席会议"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="attendances", verbose_name=_("单位"))
    state = models.CharField(_("出席"), max_length=10, choices=Presence, default=Presence.INVITED)
    person = models.CharField(_("参会人"), max_length=60, blank=True)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    answered_at = models.DateTimeField(_("回复时间"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("参会单位")
        verbose_name_plural = _("参会单位")
        ordering = ["meeting", "unit"]
        constraints = [models.UniqueConstraint(fields=["meeting", "unit"], name="attendance_once")]

    def __str__(self) -> str:
        return f"{self.meeting} {self.unit}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.meeting.county_id


class Theme(models.TextChoices):
    """The six kinds of problems a meeting deals with (docs/domain.md#l4)."""

    RENEWAL = "renewal", _("改造升级")
    ABANDONED = "abandoned", _("弃管小区整治")
    HYGIENE = "hygiene", _("环境卫生")
    HARDSHIP = "hardship", _("困难帮扶")
    SAFETY = "safety", _("平安治安")
    SERVICE = "service", _("公共服务")


class ItemState(models.TextChoices):
    OPEN = "open", _("待议")
    CLAIMED = "claimed", _("已认领")
    RESOLVED = "resolved", _("已议定")
    LEADER = "leader", _("领导协调")
    DEFERRED = "deferred", _("缓议")


class AgendaItem(models.Model):
    """A matter on the table: a demand, a proposal, a project that nobody has claimed, or words alone."""

    meeting = models.ForeignKey(JointMeeting, models.PROTECT, related_name="items", verbose_name=_("联席会议"))
    order = models.PositiveSmallIntegerField(_("序号"))
    title = models.CharField(_("议题"), max_length=100)
    text = models.CharField(_("说明"), max_length=500, blank=True)
    said = models.CharField(_("讨论情况"), max_length=500, blank=True)
    theme = models.CharField(_("问题类型"), max_length=12, choices=Theme, blank=True)
    demand = models.ForeignKey(
        Demand, models.PROTECT, null=True, blank=True, related_name="agenda", verbose_name=_("需求")
    )
    proposal = models.ForeignKey(
        MatchProposal, models.PROTECT, null=True, blank=True, related_name="agenda", verbose_name=_("匹配建议")
    )
    project = models.ForeignKey(
        Project, models.PROTECT, null=True, blank=True, related_name="agenda", verbose_name=_("项目")
    )
    state = models.CharField(_("状态"), max_length=10, choices=ItemState, default=ItemState.OPEN)
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="claimed_items", verbose_name=_("认领单位")
    )
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("认领人")
    )
    claimed_at = models.DateTimeField(_("认领时间"), null=True, blank=True)
    # The deferred item of the meeting before that this one goes on with: each is carried over once.
    came_from = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="carried_to", verbose_name=_("上次会议的议题")
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("议题")
        verbose_name_plural = _("议题")
        ordering = ["meeting", "order", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "demand"], condition=Q(demand__isnull=False), name="item_demand_once"
            ),
            models.UniqueConstraint(
                fields=["meeting", "project"], condition=Q(project__isnull=False), name="item_project_once"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.meeting.county_id


class ResolutionKind(models.TextChoices):
    PROJECT = "project", _("立项")
    COMMITMENT = "commitment", _("承诺")
    TASK = "task", _("任务")
    LEADER = "leader", _("领导协调")


class ResolutionState(models.TextChoices):
    OPEN = "open", _("落实中")
    DONE = "done", _("已落实")
    DROPPED = "dropped", _("不再办理")


class Resolution(models.Model):
    """What the meeting resolved of an item: who does what by when, tracked to its end."""

    meeting = models.ForeignKey(JointMeeting, models.PROTECT, related_name="resolutions", verbose_name=_("联席会议"))
    item = models.ForeignKey(AgendaItem, models.PROTECT, related_name="resolutions", verbose_name=_("议题"))
    kind = models.CharField(_("形式"), max_length=12, choices=ResolutionKind)
    text = models.CharField(_("决议"), max_length=300)
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="resolutions", verbose_name=_("责任单位")
    )
    owner = models.CharField(_("责任人"), max_length=60)
    leader = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("协调领导")
    )
    due_on = models.DateField(_("完成期限"))
    project = models.ForeignKey(
        Project, models.PROTECT, null=True, blank=True, related_name="resolutions", verbose_name=_("项目")
    )
    commitment = models.ForeignKey(
        Commitment, models.PROTECT, null=True, blank=True, related_name="resolutions", verbose_name=_("承诺事项")
    )
    state = models.CharField(_("状态"), max_length=10, choices=ResolutionState, default=ResolutionState.OPEN)
    done_on = models.DateField(_("落实日期"), null=True, blank=True)
    result = models.CharField(_("落实情况"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("议定时间"), default=timezone.now)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("会议决议")
        verbose_name_plural = _("会议决议")
        ordering = ["state", "due_on", "id"]
        constraints = [models.CheckConstraint(condition=~Q(owner=""), name="resolution_has_owner")]
        indexes = [models.Index(fields=["due_on"], condition=Q(state="open"), name="resolution_due")]

    def __str__(self) -> str:
        return self.text[:30]

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.meeting.county_id
