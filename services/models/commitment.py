"""What units and members promised a place, and what they did together with it. Source: docs/domain.md#z1, #z2."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models import Member, Unit
from services.models.checkin import UnitCheckIn


class CommitmentState(models.TextChoices):
    OPEN = "open", _("进行中")
    REPORTED = "reported", _("待确认")
    DONE = "done", _("已完成")
    MOVED = "moved", _("已转接")
    DROPPED = "dropped", _("已终止")


# What counts as promised in the figures: what was moved counts where it went, what was dropped is told apart.
COMMITMENT_COUNTED = (CommitmentState.OPEN, CommitmentState.REPORTED, CommitmentState.DONE)
COMMITMENT_OPEN = (CommitmentState.OPEN, CommitmentState.REPORTED)


class Commitment(models.Model):
    """A promise (承诺服务事项) of a unit or a member to a place. Done counts only when the community confirmed it."""

    county = models.ForeignKey(County, models.PROTECT, related_name="commitments", verbose_name=_("县"))
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="commitments", verbose_name=_("承诺单位")
    )
    member = models.ForeignKey(
        Member, models.PROTECT, null=True, blank=True, related_name="commitments", verbose_name=_("承诺党员")
    )
    checkin = models.ForeignKey(
        UnitCheckIn, models.PROTECT, null=True, blank=True, related_name="commitments", verbose_name=_("单位报到")
    )
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="commitments", verbose_name=_("受益地点"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="+", verbose_name=_("社区"))
    title = models.CharField(_("承诺事项"), max_length=100)
    measure = models.CharField(_("完成标准"), max_length=200)
    owner = models.CharField(_("责任人"), max_length=60)
    due_on = models.DateField(_("完成期限"))
    state = models.CharField(_("状态"), max_length=10, choices=CommitmentState, default=CommitmentState.OPEN)
    percent = models.PositiveSmallIntegerField(_("进度（%）"), default=0)
    promised_on = models.DateField(_("承诺日期"), default=timezone.localdate)
    reported_at = models.DateTimeField(_("申报完成时间"), null=True, blank=True)
    done_on = models.DateField(_("完成日期"), null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("确认人")
    )
    reason = models.CharField(_("意见"), max_length=500, blank=True)
    moved_to = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="moved_from", verbose_name=_("转接为")
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("承诺事项")
        verbose_name_plural = _("承诺事项")
        ordering = ["state", "due_on", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(unit__isnull=False, member__isnull=True) | Q(unit__isnull=True, member__isnull=False),
                name="commitment_unit_or_member",
            ),
            models.CheckConstraint(condition=Q(percent__lte=100), name="commitment_percent"),
            models.UniqueConstraint(
                fields=["unit", "node", "title", "promised_on"],
                condition=Q(unit__isnull=False),
                name="commitment_once",
            ),
        ]
        indexes = [
            models.Index(fields=["community", "state"], name="commitment_community"),
            models.Index(fields=["unit", "state", "due_on"], name="commitment_unit"),
            models.Index(fields=["due_on"], condition=Q(state__in=["open", "reported"]), name="commitment_due"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def holder(self) -> str:
        """Who promised, in words; a member's name masked."""
        return str(self.unit.label if self.unit else self.member.masked_name if self.member else "")


class CommitmentProgress(models.Model):
    """A step of the work on a promise, as who promised tells it."""

    commitment = models.ForeignKey(Commitment, models.PROTECT, related_name="steps", verbose_name=_("承诺事项"))
    at = models.DateTimeField(_("时间"), default=timezone.now)
    percent = models.PositiveSmallIntegerField(_("进度（%）"))
    text = models.CharField(_("进展"), max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("承诺进展")
        verbose_name_plural = _("承诺进展")
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return self.text[:30]


class ActivityKind(models.TextChoices):
    """Source: docs/domain.md#z2, #p2 (mediation, talks on law), #c5 (advice to property firms)."""

    HYGIENE = "hygiene", _("环境卫生")
    POLICY = "policy", _("政策宣传")
    VISIT = "visit", _("走访慰问")
    HEALTH = "health", _("健康义诊")
    CULTURE = "culture", _("文体活动")
    PARTY_DAY = "party_day", _("主题党日")
    MEDIATION = "mediation", _("纠纷调解")
    LAW = "law", _("法治宣讲")
    ADVICE = "advice", _("物业指导")
    OTHER = "other", _("其他")


class Activity(models.Model):
    """Something a community and its units did together (共建活动), written down once by the community."""

    county = models.ForeignKey(County, models.PROTECT, related_name="activities", verbose_name=_("县"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="activities", verbose_name=_("地点"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="+", verbose_name=_("社区"))
    kind = models.CharField(_("类型"), max_length=12, choices=ActivityKind)
    title = models.CharField(_("活动名称"), max_length=80)
    held_on = models.DateField(_("日期"))
    people = models.PositiveIntegerField(_("参加人数"), null=True, blank=True)
    units = models.ManyToManyField(Unit, related_name="activities", verbose_name=_("参加单位"))
    text = models.CharField(_("活动情况"), max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("共建活动")
        verbose_name_plural = _("共建活动")
        ordering = ["-held_on", "-id"]
        constraints = [models.UniqueConstraint(fields=["node", "title", "held_on"], name="activity_once")]
        indexes = [models.Index(fields=["community", "held_on"], name="activity_community")]

    def __str__(self) -> str:
        return self.title
