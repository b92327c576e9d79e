"""The bulletin (通报): what is long overdue is published, answered and followed up. Source: docs/domain.md#z8."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models import Unit
from services.models.demand import Demand
from services.querysets import BulletinItemQuerySet


class BulletinState(models.TextChoices):
    DRAFT = "draft", _("草稿")
    PUBLISHED = "published", _("已印发")
    WITHDRAWN = "withdrawn", _("已撤回")


class Bulletin(models.Model):
    """One number of the county's bulletin. It gets its number when it is published, so that no number is missing.

    `figures`: everything it says of rates and matters as it stood when it was published (`services.selectors.bulletins`);
    the paper is printed from it alone.
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="bulletins", verbose_name=_("县"))
    year = models.PositiveSmallIntegerField(_("年度"))
    number = models.PositiveSmallIntegerField(_("期号"), null=True, blank=True)
    title = models.CharField(_("标题"), max_length=80)
    since = models.DateField(_("起"))
    until = models.DateField(_("止"))
    text = models.TextField(_("工作要求"), max_length=2000, blank=True)
    figures = models.JSONField(default=dict, editable=False)
    state = models.CharField(_("状态"), max_length=10, choices=BulletinState, default=BulletinState.DRAFT)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("起草人"))
    created_at = models.DateTimeField(_("起草时间"), default=timezone.now)
    published_at = models.DateTimeField(_("印发时间"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("通报")
        verbose_name_plural = _("通报")
        ordering = ["-year", "-number"]
        constraints = [models.UniqueConstraint(fields=["county", "year", "number"], name="bulletin_number")]

    def __str__(self) -> str:
        return self.title


class BulletinItemState(models.TextChoices):
    OPEN = "open", _("待整改")
    ANSWERED = "answered", _("已答复")
    SETTLED = "settled", _("已整改")


class BulletinItem(models.Model):
    """A matter named in a bulletin: who has it, how late it was, and what was done about it since.

    `unit` empty: the community itself let it wait.
    """

    bulletin = models.ForeignKey(Bulletin, models.CASCADE, related_name="items", verbose_name=_("通报"))
    demand = models.ForeignKey(Demand, models.PROTECT, related_name="bulletin_items", verbose_name=_("需求"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="+", verbose_name=_("社区"))
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="bulletin_items", verbose_name=_("单位")
    )
    late_days = models.PositiveSmallIntegerField(_("超期工作日"), default=0)
    state = models.CharField(_("状态"), max_length=10, choices=BulletinItemState, default=BulletinItemState.OPEN)
    due_at = models.DateTimeField(_("答复时限"), null=True, blank=True)
    answer = models.TextField(_("整改情况"), max_length=1000, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("答复人")
    )
    answered_at = models.DateTimeField(_("答复时间"), null=True, blank=True)
    settled_at = models.DateTimeField(_("整改完成时间"), null=True, blank=True)
    note = models.CharField(_("县级意见"), max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = BulletinItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("通报事项")
        verbose_name_plural = _("通报事项")
        ordering = ["bulletin", "community", "id"]
        constraints = [models.UniqueConstraint(fields=["bulletin", "demand"], name="bulletin_item_once")]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="open"), name="bulletin_item_waiting")]

    def __str__(self) -> str:
        return f"{self.bulletin_id}/{self.demand_id}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.bulletin.county_id
