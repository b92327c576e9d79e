from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.masking import mask_name, mask_phone
from core.models import mobile_validator
from grids.models import County, GridNode
from partybuilding.models.organisation import PartyOrganisation
from partybuilding.models.unit import Unit
from partybuilding.querysets import MemberQuerySet, MembershipQuerySet


class UnitRole(models.TextChoices):
    LIAISON = "liaison", _("联络员")
    STAFF = "staff", _("工作人员")


class UnitMembership(models.Model):
    """An account acting for a unit, from a day to a day."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="unit_memberships", verbose_name=_("人员")
    )
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="memberships", verbose_name=_("单位"))
    role = models.CharField(_("角色"), max_length=10, choices=UnitRole, default=UnitRole.LIAISON)
    start = models.DateField(_("开始日期"), default=timezone.localdate)
    end = models.DateField(_("结束日期"), null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("单位人员")
        verbose_name_plural = _("单位人员")
        ordering = ["unit", "role", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="membership_end_after_start"
            ),
            models.UniqueConstraint(
                fields=["user", "unit"], condition=Q(end__isnull=True), name="membership_open_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.user}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.unit.county_id


class Member(models.Model):
    """A party member as the organisation knows them: name, unit, branch, phone, and the compound they live in. Nothing else is
    kept on purpose.

    Source: docs/practice.md#left-out. Skills, wished post and free time belong to the member's own check-in.
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="members", verbose_name=_("县"))
    name = models.CharField(_("姓名"), max_length=60)
    phone = models.CharField(_("手机号码"), max_length=11, validators=[mobile_validator])
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="members", verbose_name=_("所在单位")
    )
    branch = models.ForeignKey(
        PartyOrganisation, models.PROTECT, null=True, blank=True, related_name="members", verbose_name=_("所在支部")
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="member", verbose_name=_("账号")
    )
    home = models.ForeignKey(
        GridNode, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("居住小区")
    )
    is_active = models.BooleanField(_("在用"), default=True)
    created_at = models.DateTimeField(_("建立时间"), default=timezone.now, editable=False)

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("党员")
        verbose_name_plural = _("党员")
        ordering = ["unit", "name", "id"]
        constraints = [models.UniqueConstraint(fields=["county", "phone"], name="member_county_phone")]

    def __str__(self) -> str:
        return self.name

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)
