from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import County
from partybuilding.querysets import UnitQuerySet


class UnitKind(models.TextChoices):
    DEPARTMENT = "department", _("机关单位")
    INSTITUTION = "institution", _("事业单位")
    SCHOOL = "school", _("学校")
    HOSPITAL = "hospital", _("医院")
    STATE_COMPANY = "state_company", _("国有企业")
    COMPANY = "company", _("非公企业")
    SOCIAL = "social", _("社会组织")
    PROPERTY = "property", _("物业企业")


class Domain(models.TextChoices):
    """The field of party work a unit or a party organisation belongs to (领域). Source: docs/domain.md#p1, #c2."""

    COMMUNITY = "community", _("街道社区")
    DEPARTMENT = "department", _("机关")
    INSTITUTION = "institution", _("事业单位")
    SCHOOL = "school", _("学校")
    HOSPITAL = "hospital", _("医院")
    STATE_COMPANY = "state_company", _("国有企业")
    NON_PUBLIC = "non_public", _("非公企业")
    SOCIAL = "social", _("社会组织")
    INDUSTRY = "industry", _("行业")
    CHAIN = "chain", _("产业链")
    PARK = "park", _("园区")
    COMPOUND = "compound", _("小区")
    PROPERTY = "property", _("物业")
    BUILDING = "building", _("楼宇")


# The domain of a unit nobody has said another one of.
DOMAIN_OF_KIND = {
    UnitKind.DEPARTMENT: Domain.DEPARTMENT,
    UnitKind.INSTITUTION: Domain.INSTITUTION,
    UnitKind.SCHOOL: Domain.SCHOOL,
    UnitKind.HOSPITAL: Domain.HOSPITAL,
    UnitKind.STATE_COMPANY: Domain.STATE_COMPANY,
    UnitKind.COMPANY: Domain.NON_PUBLIC,
    UnitKind.SOCIAL: Domain.SOCIAL,
    UnitKind.PROPERTY: Domain.PROPERTY,
}


class Unit(models.Model):
    """An organisation that reports to communities: department, school, hospital, company (驻区单位)."""

    county = models.ForeignKey(County, models.PROTECT, related_name="units", verbose_name=_("县"))
    name = models.CharField(_("单位名称"), max_length=60)
    short_name = models.CharField(_("简称"), max_length=20, blank=True)
    kind = models.CharField(_("单位类型"), max_length=20, choices=UnitKind, default=UnitKind.DEPARTMENT)
    domain = models.CharField(_("所属领域"), max_length=20, choices=Domain, default=Domain.DEPARTMENT)
    credit_code = models.CharField(_("统一社会信用代码"), max_length=18, blank=True)
    address = models.CharField(_("地址"), max_length=200, blank=True)
    duty = models.CharField(_("主要职责"), max_length=300, blank=True)
    is_active = models.BooleanField(_("在用"), default=True)
    created_at = models.DateTimeField(_("建立时间"), default=timezone.now, editable=False)

    objects = UnitQuerySet.as_manager()

    class Meta:
        verbose_name = _("单位")
        verbose_name_plural = _("单位")
        ordering = ["county", "name"]
        constraints = [
            models.UniqueConstraint(fields=["county", "name"], name="unit_county_name"),
            models.UniqueConstraint(
                fields=["credit_code"], condition=~models.Q(credit_code=""), name="unit_credit_code"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """The short name where there is one."""
        return self.short_name or self.name

    def domain_as(self, kind: str) -> str:
        """Its domain if it were of that kind: the kind's own, unless somebody has chosen another one."""
        chosen = self.domain != DOMAIN_OF_KIND[UnitKind(self.kind)]
        return str(self.domain if chosen else DOMAIN_OF_KIND[UnitKind(kind)])
