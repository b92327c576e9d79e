from django.db import models
from django.utils.translation import gettext_lazy as _
from mptt.models import MPTTModel, TreeForeignKey

from grids.models import County, GridNode
from partybuilding.models.unit import Domain, Unit
from partybuilding.querysets import OrganisationManager


class OrganisationKind(models.TextChoices):
    WORK_COMMITTEE = "work_committee", _("党工委")
    COMMITTEE = "committee", _("党委")
    GENERAL_BRANCH = "general_branch", _("党总支")
    BRANCH = "branch", _("党支部")
    GROUP = "group", _("党小组")


class PartyOrganisation(MPTTModel):
    """A party organisation: of a place (`node`), of a unit (`unit`), or a joint one (neither)."""

    county = models.ForeignKey(County, models.PROTECT, related_name="organisations", verbose_name=_("县"))
    parent = TreeForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("上级党组织")
    )
    name = models.CharField(_("党组织名称"), max_length=100)
    kind = models.CharField(_("类型"), max_length=20, choices=OrganisationKind, default=OrganisationKind.BRANCH)
    domain = models.CharField(_("所属领域"), max_length=20, choices=Domain, default=Domain.COMMUNITY)
    secretary = models.ForeignKey(
        "partybuilding.Member", models.PROTECT, null=True, blank=True, related_name="led", verbose_name=_("书记")
    )
    founded_on = models.DateField(_("成立日期"), null=True, blank=True)
    node = models.ForeignKey(
        GridNode, models.PROTECT, null=True, blank=True, related_name="organisations", verbose_name=_("所在网格")
    )
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="organisations", verbose_name=_("所在单位")
    )
    is_active = models.BooleanField(_("在用"), default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = OrganisationManager()

    class MPTTMeta:
        level_attr = "depth"

    class Meta:
        verbose_name = _("党组织")
        verbose_name_plural = _("党组织")
        ordering = ["tree_id", "lft"]
        constraints = [models.UniqueConstraint(fields=["county", "name"], name="organisation_county_name")]

    def __str__(self) -> str:
        return self.name
