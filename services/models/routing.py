"""How a demand finds its way: ordered rules, matters a community must not lead, what was learned of categories.

Source: docs/domain.md#c3 (the dispatching unit depends on the field), docs/practice.md#loop (清单外事项).
"""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models import Unit
from services.models.demand import Desk
from services.models.settings import Category


class RouteMode(models.TextChoices):
    SUGGEST = "suggest", _("建议")
    AUTO = "auto", _("自动派单")


class RouteTime(models.TextChoices):
    ANY = "any", _("不限")
    WORKING = "working", _("工作时间")
    OFF = "off", _("非工作时间")


class RoutingRule(models.Model):
    """One line of the county's rules, read in `order`; the first that fits a demand says where it goes.

    Conditions left empty fit everything. `levels`: keys of levels a place must lie in or at (compound, grid);
    `origins`: values of `Origin`; `words`: one of them must stand in the text. What it says: a unit to dispatch to,
    and/or who handles it (`desk`). One that says a category instead goes on with the rules for that category.
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="routing_rules", verbose_name=_("县"))
    name = models.CharField(_("规则名称"), max_length=40)
    order = models.PositiveSmallIntegerField(_("顺序"), default=100)
    is_active = models.BooleanField(_("在用"), default=True)
    mode = models.CharField(_("方式"), max_length=10, choices=RouteMode, default=RouteMode.SUGGEST)

    categories = models.ManyToManyField(Category, blank=True, related_name="+", verbose_name=_("类别"))
    node = models.ForeignKey(
        GridNode, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("地点范围")
    )
    levels = models.JSONField(_("地点层级"), default=list, blank=True)
    origins = models.JSONField(_("来源"), default=list, blank=True)
    time = models.CharField(_("登记时间"), max_length=10, choices=RouteTime, default=RouteTime.ANY)
    words = models.JSONField(_("内容含有"), default=list, blank=True)

    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("牵头单位"))
    supporting = models.ManyToManyField(Unit, blank=True, related_name="+", verbose_name=_("配合单位"))
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("改为类别")
    )
    desk = models.CharField(_("经办层级"), max_length=10, choices=Desk, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("派单规则")
        verbose_name_plural = _("派单规则")
        ordering = ["county", "order", "id"]
        constraints = [models.UniqueConstraint(fields=["county", "name"], name="routing_rule_name")]

    def __str__(self) -> str:
        return self.name


class OutsideMatter(models.Model):
    """A matter the community must not be made lead for (清单外事项): by category, or by words in the text."""

    county = models.ForeignKey(County, models.PROTECT, related_name="outside_matters", verbose_name=_("县"))
    name = models.CharField(_("事项"), max_length=60)
    basis = models.CharField(_("依据"), max_length=200, blank=True)
    categories = models.ManyToManyField(Category, blank=True, related_name="+", verbose_name=_("类别"))
    words = models.JSONField(_("内容含有"), default=list, blank=True)
    is_active = models.BooleanField(_("在用"), default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("清单外事项")
        verbose_name_plural = _("清单外事项")
        ordering = ["county", "name"]
        constraints = [models.UniqueConstraint(fields=["county", "name"], name="outside_matter_name")]

    def __str__(self) -> str:
        return self.name


class CategoryLearning(models.Model):
    """What a county's closed demands taught about categories: counts of word parts, and how often that was right.

    `counts`: {category id: {word part: number}}; `tried`, `right`: demands kept aside for the trial, and those of
    them whose category came first.
    """

    county = models.OneToOneField(County, models.PROTECT, related_name="learning", verbose_name=_("县"))
    learned_at = models.DateTimeField(_("学习时间"), default=timezone.now)
    examples = models.PositiveIntegerField(_("学习条数"), default=0)
    tried = models.PositiveIntegerField(_("检验条数"), default=0)
    right = models.PositiveIntegerField(_("判断正确"), default=0)
    counts = models.JSONField(default=dict)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("类别判断")
        verbose_name_plural = _("类别判断")
        ordering = ["county"]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.county_id}"
