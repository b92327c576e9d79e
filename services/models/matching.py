"""Proposals which resource could meet which demand, made for a whole list at once. Source: docs/domain.md#g2."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet
from services.models.demand import Demand
from services.models.supply import Project, Resource


class MatchRun(models.Model):
    """One round of matching for a community or a street. `score` and `greedy_score` are totals of the same figures.

    `missed` are the demands nothing was found for: why (`services.matching.scorer.Miss`) -> keys of the demands.
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="+", verbose_name=_("县"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="match_runs", verbose_name=_("范围"))
    at = models.DateTimeField(_("匹配时间"), default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("发起人")
    )
    demands = models.PositiveIntegerField(_("需求数"))
    resources = models.PositiveIntegerField(_("资源数"))
    score = models.PositiveIntegerField(_("总分"), default=0)
    greedy_score = models.PositiveIntegerField(_("逐条匹配的总分"), default=0)
    missed = models.JSONField(_("没有匹配的需求"), default=dict)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("供需匹配")
        verbose_name_plural = _("供需匹配")
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.node} {timezone.localtime(self.at):%Y-%m-%d}"


class ProposalState(models.TextChoices):
    PROPOSED = "proposed", _("待定")
    ACCEPTED = "accepted", _("已采纳")
    REFUSED = "refused", _("不采纳")
    OUTDATED = "outdated", _("已失效")


class MatchProposal(models.Model):
    """A resource for a demand, and why, in words (`reasons`: short sentences)."""

    run = models.ForeignKey(MatchRun, models.PROTECT, related_name="proposals", verbose_name=_("供需匹配"))
    demand = models.ForeignKey(Demand, models.PROTECT, related_name="proposals", verbose_name=_("需求"))
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="proposals", verbose_name=_("资源"))
    score = models.PositiveSmallIntegerField(_("匹配分"))
    reasons = models.JSONField(_("理由"))
    state = models.CharField(_("状态"), max_length=10, choices=ProposalState, default=ProposalState.PROPOSED)
    reason = models.CharField(_("不采纳的理由"), max_length=500, blank=True)
    project = models.ForeignKey(
        Project, models.PROTECT, null=True, blank=True, related_name="proposals", verbose_name=_("项目")
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("匹配建议")
        verbose_name_plural = _("匹配建议")
        ordering = ["run", "-score", "id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "demand"], name="proposal_one_per_demand"),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(project__isnull=False), name="proposal_accepted_has_project"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource} → {self.demand.code}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.run.county_id
