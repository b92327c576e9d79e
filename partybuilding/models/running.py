"""Who runs a compound: a property firm or nobody, the owners' committee, the branch. Source: docs/domain.md#z3, #z5."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from grids.compounds import with_profiles
from grids.models import CompoundProfile, County, GridNode
from grids.querysets import NodeManager, NodeQuerySet, ScopedQuerySet
from partybuilding.models.organisation import PartyOrganisation
from partybuilding.models.unit import Unit, UnitKind


class Management(models.TextChoices):
    MANAGED = "managed", _("有物业管理")
    COMMUNITY = "community", _("社区代管")
    UNMANAGED = "unmanaged", _("三无小区")


class OwnersCommittee(models.TextChoices):
    NONE = "none", _("未成立")
    PREPARING = "preparing", _("筹备中")
    FORMED = "formed", _("已成立")


class BranchSetup(models.TextChoices):
    """The three ways in which a compound's branch is set up."""

    SINGLE = "single", _("单独建")
    ATTACHED = "attached", _("挂靠建")
    MERGED = "merged", _("融合建")


class RunningQuerySet(ScopedQuerySet):
    def run_by(self, firm: Unit) -> Any:
        """The compounds in use that a firm manages."""
        return self.filter(firm=firm, node__retired_at__isnull=True)

    def by_firms(self) -> "RunningQuerySet":
        """Compounds in use that a registered property firm in use manages."""
        return self.filter(
            management=Management.MANAGED,
            firm__kind=UnitKind.PROPERTY,
            firm__is_active=True,
            node__retired_at__isnull=True,
        )

    def covering(self, node: Any) -> "RunningQuerySet":
        """The same at a place or around it: whose firms look after what hangs there (docs/domain.md#c5)."""
        return self.by_firms().filter(node__tree_id=node.tree_id, node__lft__lte=node.lft, node__rght__gte=node.rght)


class CompoundRunning(models.Model):
    """Who runs a compound. Its physical facts are `grids.CompoundProfile`; one page shows both."""

    node = models.OneToOneField(GridNode, models.PROTECT, related_name="compound_running", verbose_name=_("小区"))
    county = models.ForeignKey(County, models.PROTECT, related_name="+", verbose_name=_("县"))
    management = models.CharField(_("管理方式"), max_length=12, choices=Management)
    # A firm need not be registered as a unit; where it is, `firm` leads to it.
    firm_name = models.CharField(_("物业公司"), max_length=60, blank=True)
    firm = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="compounds", verbose_name=_("物业单位")
    )
    committee = models.CharField(_("业主委员会"), max_length=12, choices=OwnersCommittee, default=OwnersCommittee.NONE)
    committee_on = models.DateField(_("业委会成立日期"), null=True, blank=True)
    branch = models.ForeignKey(
        PartyOrganisation, models.PROTECT, null=True, blank=True, related_name="compounds", verbose_name=_("党支部")
    )
    branch_setup = models.CharField(_("支部组建方式"), max_length=10, choices=BranchSetup, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = RunningQuerySet.as_manager()

    class Meta:
        verbose_name = _("小区管理")
        verbose_name_plural = _("小区管理")
        ordering = ["node__tree_id", "node__lft"]

    def __str__(self) -> str:
        return str(self.node)


class CompoundManager(NodeManager):
    """The places of the tree that have a profile."""

    def get_queryset(self) -> NodeQuerySet:
        found: NodeQuerySet = super().get_queryset().filter(with_profiles())
        return found


class Compound(GridNode):
    """A place of the tree seen as a compound: the lists and pages of both halves hang on it (docs/decisions/0016)."""

    objects = CompoundManager()

    class Meta:
        proxy = True
        verbose_name = _("小区档案")
        verbose_name_plural = _("小区档案")

    def __str__(self) -> str:
        return self.path or self.name

    @property
    def profile(self) -> CompoundProfile | None:
        """The physical half, where anything is recorded."""
        return getattr(self, "compound_profile", None)

    @property
    def running(self) -> CompoundRunning | None:
        """Who runs it, where that is recorded."""
        return getattr(self, "compound_running", None)
