from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import County
from grids.querysets import ScopedQuerySet


class Urgency(models.TextChoices):
    URGENT = "urgent", _("紧急")
    ORDINARY = "ordinary", _("一般")
    COMPLEX = "complex", _("复杂")


class LimitUnit(models.TextChoices):
    HOURS = "hours", _("小时")
    WORK_HOURS = "work_hours", _("个工作小时")
    WORKDAYS = "workdays", _("个工作日")


class Category(models.Model):
    """A kind of demand: the button a resident presses, how urgent it is, and how long the unit has.

    Defaults of the limits: docs/practice.md#loop (urgent 24 hours, ordinary 5 working days, complex 15).
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="categories", verbose_name=_("县"))
    name = models.CharField(_("类别"), max_length=20)
    hint = models.CharField(_("举例"), max_length=60, blank=True)
    icon = models.CharField(_("图标"), max_length=20, blank=True)
    order = models.PositiveSmallIntegerField(_("顺序"), default=100)
    urgency = models.CharField(_("紧急程度"), max_length=10, choices=Urgency, default=Urgency.ORDINARY)
    limit_value = models.PositiveSmallIntegerField(_("办理时限"), default=5, validators=[MinValueValidator(1)])
    limit_unit = models.CharField(_("时限单位"), max_length=10, choices=LimitUnit, default=LimitUnit.WORKDAYS)
    contact_hours = models.PositiveSmallIntegerField(
        _("首次联系时限（工作小时）"), null=True, blank=True, help_text=_("不填的按全县的时限。")
    )
    is_public = models.BooleanField(_("居民可选"), default=True)
    is_active = models.BooleanField(_("在用"), default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("诉求类别")
        verbose_name_plural = _("诉求类别")
        ordering = ["county", "order", "id"]
        constraints = [models.UniqueConstraint(fields=["county", "name"], name="category_county_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def limit_words(self) -> str:
        return f"{self.limit_value} {self.get_limit_unit_display()}"


class LoopSettings(models.Model):
    """A county's limits for each waiting step. Every figure that differs between places is here, with its default."""

    county = models.OneToOneField(County, models.PROTECT, related_name="loop_settings", verbose_name=_("县"))
    accept_workdays = models.PositiveSmallIntegerField(_("受理时限（工作日）"), default=1)
    dispatch_workdays = models.PositiveSmallIntegerField(_("受理后派单时限（工作日）"), default=1)
    publish_workdays = models.PositiveSmallIntegerField(_("认领时限（工作日）"), default=3)
    sign_hours = models.PositiveSmallIntegerField(_("签收时限（工作小时）"), default=4)
    contact_hours = models.PositiveSmallIntegerField(_("首次联系时限（工作小时）"), default=2)
    check_workdays = models.PositiveSmallIntegerField(_("核查时限（工作日）"), default=2)
    assignment_workdays = models.PositiveSmallIntegerField(_("党员回应安排时限（工作日）"), default=2)
    auto_close_days = models.PositiveSmallIntegerField(_("核查后无人评价自动销号（天）"), default=7)
    reopen_days = models.PositiveSmallIntegerField(_("销号后可重启（天）"), default=10)
    supervision_workdays = models.PositiveSmallIntegerField(_("督办答复时限（工作日）"), default=2)
    review_workdays = models.PositiveSmallIntegerField(_("退单、延期审核时限（工作日）"), default=1)
    bulletin_workdays = models.PositiveSmallIntegerField(_("超期后列入通报（工作日）"), default=5)
    leader_workdays = models.PositiveSmallIntegerField(_("超期后报包联领导（工作日）"), default=10)
    bulletin_answer_workdays = models.PositiveSmallIntegerField(_("通报后整改答复时限（工作日）"), default=5)
    exclusion_workdays = models.PositiveSmallIntegerField(_("剔除申请审核时限（工作日）"), default=3)
    whistle_hours = models.PositiveSmallIntegerField(_("吹哨后单位应哨时限（工作小时）"), default=4)
    whistle_workdays = models.PositiveSmallIntegerField(_("吹哨事项办结时限（工作日）"), default=5)
    case_workdays = models.PositiveSmallIntegerField(_("单位回应帮扶时限（工作日）"), default=3)
    wish_check_workdays = models.PositiveSmallIntegerField(_("微心愿审核时限（工作日）"), default=3)
    wish_adopt_days = models.PositiveSmallIntegerField(_("微心愿认领期（天）"), default=30)
    wish_workdays = models.PositiveSmallIntegerField(_("微心愿圆梦时限（工作日）"), default=15)
    wish_cost = models.PositiveIntegerField(_("微心愿费用上限（元）"), default=500)
    yellow_percent = models.PositiveSmallIntegerField(_("剩余时限不足百分之几亮黄灯"), default=20)
    promise = models.CharField(_("对居民的承诺"), max_length=60, default="2 小时内联系您")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("办理时限设置")
        verbose_name_plural = _("办理时限设置")
        ordering = ["county"]

    def __str__(self) -> str:
        return f"{self.county} {self._meta.verbose_name}"


class RuleVersion(models.Model):
    """A county's limits as they stood from a moment on. Demands and orders name the version they were given their
    limits by, so that a changed rule can be told from a broken promise.

    `rules`: {"limits": {field: value}, "categories": {id: [name, value, unit, contact hours]}}.
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="rule_versions", verbose_name=_("县"))
    number = models.PositiveIntegerField(_("版本"))
    at = models.DateTimeField(_("生效时间"), default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("经办人")
    )
    rules = models.JSONField(_("规则"), default=dict)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("时限规则版本")
        verbose_name_plural = _("时限规则版本")
        ordering = ["county", "-number"]
        constraints = [models.UniqueConstraint(fields=["county", "number"], name="rule_version_once")]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.number}"
