"""Who runs a compound: a property firm or nobody, the owners' committee, the branch. Source: docs/domain.md#z3, #z5."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models.organisation import PartyOrganisation
from partybuilding.models.unit import Unit


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

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("小区管理")
        verbose_name_plural = _("小区管理")
        ordering = ["node__tree_id", "node__lft"]

    def __str__(self) -> str:
        return str(self.node)
