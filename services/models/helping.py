"""A case of a household in hardship, helped by several units (docs/domain.md#z9), and small wishes (docs/domain.md#l5).

Both hold the least that help needs. Who is helped stands in the care ledger or with the community alone.
"""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.masking import mask_name, mask_phone
from core.models import mobile_validator
from grids.models import CareHousehold, CareKind, ConsentKind, County, GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models import Member, Unit
from services.models.service import ServiceRecord


class CaseState(models.TextChoices):
    OPEN = "open", _("帮扶中")
    CLOSED = "closed", _("已结案")


class HelpCase(models.Model):
    """A household in sudden hardship that several units help together (帮扶个案). Seen by its community and by those who
    help, nobody else; the text is erased some time after it is closed (`erase_on`).
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="+", verbose_name=_("县"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="cases", verbose_name=_("地点"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="+", verbose_name=_("社区"))
    code = models.CharField(_("编号"), max_length=20, unique=True)
    household = models.ForeignKey(
        CareHousehold, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("关爱家庭")
    )
    title = models.CharField(_("事由"), max_length=60)
    text = models.TextField(_("困难情况"), max_length=1000, blank=True)
    consent = models.CharField(_("同意方式"), max_length=10, choices=ConsentKind)
    consent_on = models.DateField(_("同意日期"))
    state = models.CharField(_("状态"), max_length=10, choices=CaseState, default=CaseState.OPEN)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("建案人"))
    opened_at = models.DateTimeField(_("建案时间"), default=timezone.now)
    review_on = models.DateField(_("下次回看"), null=True, blank=True)
    closed_at = models.DateTimeField(_("结案时间"), null=True, blank=True)
    result = models.TextField(_("帮扶成效"), max_length=1000, blank=True)
    erase_on = models.DateField(_("清除日期"), null=True, blank=True)
    erased_at = models.DateTimeField(_("清除时间"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("帮扶个案")
        verbose_name_plural = _("帮扶个案")
        ordering = ["-opened_at", "-id"]
        indexes = [
            models.Index(fields=["community", "state"], name="case_community_state"),
            models.Index(fields=["review_on"], condition=Q(state="open"), name="case_review"),
            models.Index(fields=["erase_on"], condition=Q(erased_at__isnull=True), name="case_erase"),
        ]

    def __str__(self) -> str:
        return self.code


class HelpKind(models.TextChoices):
    GRANT = "grant", _("救助资金")
    LOAN = "loan", _("贷款")
    JOB = "job", _("就业")
    MEDIATION = "mediation", _("调解")
    MEDICAL = "medical", _("医疗")
    SCHOOLING = "schooling", _("助学")
    COMPANY = "company", _("陪伴照料")
    OTHER = "other", _("其他帮助")


class HelpState(models.TextChoices):
    ASKED = "asked", _("待回应")
    HELPING = "helping", _("帮扶中")
    DECLINED = "declined", _("已婉拒")
    DONE = "done", _("已完成")
    ENDED = "ended", _("已终止")


class Help(models.Model):
    """One unit's own help in a case. `due_at`: by when it answers while asked; `due_on`: by when the help is given."""

    case = models.ForeignKey(HelpCase, models.PROTECT, related_name="helps", verbose_name=_("帮扶个案"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="helps", verbose_name=_("帮扶单位"))
    kind = models.CharField(_("帮扶方式"), max_length=12, choices=HelpKind)
    wanted = models.CharField(_("希望提供"), max_length=200)
    state = models.CharField(_("状态"), max_length=10, choices=HelpState, default=HelpState.ASKED)
    due_at = models.DateTimeField(_("回应时限"), null=True, blank=True)
    due_on = models.DateField(_("完成期限"), null=True, blank=True)
    result = models.TextField(_("帮扶结果"), max_length=1000, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("邀请人"))
    asked_at = models.DateTimeField(_("邀请时间"), default=timezone.now)
    done_at = models.DateTimeField(_("完成时间"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("单位帮扶")
        verbose_name_plural = _("单位帮扶")
        ordering = ["case", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "unit", "kind"], condition=Q(state__in=["asked", "helping"]), name="help_open_once"
            )
        ]
        indexes = [
            models.Index(fields=["unit", "state"], name="help_unit_state"),
            models.Index(fields=["due_at"], condition=Q(state="asked"), name="help_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.get_kind_display()}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.case.county_id


class CaseEntry(models.Model):
    """A line of a case's one timeline. `help` empty: said by the community, or of the case as a whole."""

    case = models.ForeignKey(HelpCase, models.PROTECT, related_name="entries", verbose_name=_("帮扶个案"))
    help = models.ForeignKey(
        Help, models.PROTECT, null=True, blank=True, related_name="entries", verbose_name=_("单位帮扶")
    )
    name = models.CharField(_("操作"), max_length=30)
    title = models.CharField(_("事项"), max_length=120)
    text = models.TextField(_("说明"), max_length=1000, blank=True)
    at = models.DateTimeField(_("时间"), default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("经办人")
    )
    actor_kind = models.CharField(max_length=10, default="user")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("个案记录")
        verbose_name_plural = _("个案记录")
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["case", "at"], name="case_entry_case")]

    def __str__(self) -> str:
        return self.title


class WishState(models.TextChoices):
    COLLECTED = "collected", _("待审核")
    OPEN = "open", _("待认领")
    ADOPTED = "adopted", _("圆梦中")
    DONE = "done", _("已圆梦")
    THANKED = "thanked", _("已答谢")
    DECLINED = "declined", _("未采纳")
    ENDED = "ended", _("已结束")


class Wish(models.Model):
    """A small wish (微心愿) of a household in difficulty, adopted by one member or one unit.

    Collected, checked by the community, adopted one to one, done, thanked. Who wishes is known to the community alone:
    everybody else sees the wish, never a name or a number (docs/practice.md#checkin).
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="+", verbose_name=_("县"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="wishes", verbose_name=_("地点"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="+", verbose_name=_("社区"))
    code = models.CharField(_("编号"), max_length=20, unique=True)
    title = models.CharField(_("心愿"), max_length=60)
    text = models.CharField(_("说明"), max_length=300, blank=True)
    recipient_kind = models.CharField(_("困难类型"), max_length=20, choices=CareKind)
    recipient_name = models.CharField(_("心愿人"), max_length=60)
    recipient_phone = models.CharField(_("联系电话"), max_length=11, blank=True, validators=[mobile_validator])
    consent = models.CharField(_("同意方式"), max_length=10, choices=ConsentKind)
    cost = models.PositiveIntegerField(_("预计费用（元）"), default=0, validators=[MaxValueValidator(100_000)])
    state = models.CharField(_("状态"), max_length=10, choices=WishState, default=WishState.COLLECTED)
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="wishes", verbose_name=_("认领单位")
    )
    member = models.ForeignKey(
        Member, models.PROTECT, null=True, blank=True, related_name="wishes", verbose_name=_("认领党员")
    )
    collected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("征集人")
    )
    collected_at = models.DateTimeField(_("征集时间"), default=timezone.now)
    opened_at = models.DateTimeField(_("发布时间"), null=True, blank=True)
    adopted_at = models.DateTimeField(_("认领时间"), null=True, blank=True)
    done_at = models.DateTimeField(_("圆梦时间"), null=True, blank=True)
    thanked_at = models.DateTimeField(_("答谢时间"), null=True, blank=True)
    closed_at = models.DateTimeField(_("了结时间"), null=True, blank=True)
    # By when the next move is due, whoever has to make it; nothing waits without one.
    due_at = models.DateTimeField(_("本步时限"), null=True, blank=True)
    result = models.CharField(_("圆梦情况"), max_length=300, blank=True)
    thanks = models.CharField(_("答谢的话"), max_length=300, blank=True)
    reason = models.CharField(_("意见"), max_length=300, blank=True)
    erased_at = models.DateTimeField(_("清除时间"), null=True, blank=True)
    # What the member who adopted it did, on their own check-in: hours as they say, confirmed with the delivery.
    service = models.OneToOneField(
        ServiceRecord, models.PROTECT, null=True, blank=True, related_name="wish", verbose_name=_("服务记录")
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("微心愿")
        verbose_name_plural = _("微心愿")
        ordering = ["-collected_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(unit__isnull=True) | Q(member__isnull=True), name="wish_adopted_one_to_one"
            )
        ]
        indexes = [
            models.Index(fields=["community", "state"], name="wish_community_state"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="wish_due"),
            models.Index(
                fields=["closed_at"], condition=Q(closed_at__isnull=False, erased_at__isnull=True), name="wish_erase"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def masked_name(self) -> str:
        return mask_name(self.recipient_name)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.recipient_phone)
