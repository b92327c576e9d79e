"""What the admin pages of this floor share: the fields that name a unit or an organisation, and what is in use."""

from typing import Any

from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.audit_words import name_deeds
from core.lookups import LookupField
from partybuilding.models import Member, PartyOrganisation, Unit

name_deeds(
    {
        "compound.running": lazy("登记小区管理情况"),
        "unit.create": lazy("登记单位"),
        "unit.update": lazy("修改单位"),
        "membership.start": lazy("登记单位人员"),
        "membership.end": lazy("结束单位人员"),
        "membership.role": lazy("更正单位人员角色"),
        "member.add": lazy("登记党员"),
        "member.update": lazy("修改党员"),
        "member.account": lazy("党员开通账号"),
        "organisation.create": lazy("新建党组织"),
        "organisation.update": lazy("修改党组织"),
        "organisation.move": lazy("调整党组织上级"),
        "organisation.retire": lazy("停用党组织"),
        "organisation.reopen": lazy("启用党组织"),
        "station.create": lazy("开设流动党员驿站"),
        "station.update": lazy("修改流动党员驿站"),
        "floating.register": lazy("登记流动党员"),
        "floating.update": lazy("修改流动党员"),
        "floating.contact": lazy("记录联系流动党员"),
        "floating.reveal": lazy("查看流动党员电话"),
        "floating.expire": lazy("到期自动删除流动党员"),
        "alliance.create": lazy("登记联盟"),
        "alliance.update": lazy("修改联盟"),
        "alliance.close": lazy("撤销联盟"),
        "alliance.seat_add": lazy("增加联盟席位"),
        "alliance.seat_change": lazy("修改联盟席位"),
        "alliance.seat_end": lazy("结束联盟席位"),
        "pairing.start": lazy("登记包联"),
        "pairing.change": lazy("修改包联"),
        "pairing.end": lazy("结束包联"),
        "pairing.guide": lazy("修改包联标准"),
        "pairing.visit": lazy("记录包联走访"),
        "pairing.visit_correct": lazy("更正包联走访"),
        "pairing.problem": lazy("登记包联问题"),
        "pairing.problem_pass": lazy("移交包联问题"),
        "pairing.problem_solve": lazy("解决包联问题"),
        "pairing.problem_correct": lazy("更正包联问题"),
        "pairing.problem_reopen": lazy("重新打开包联问题"),
    }
)

IN_USE = (lazy("在用"), lazy("停用"))


def unit_field(user: Any, **kwargs: Any) -> LookupField:
    """A field for one unit in use, found by its name."""
    kwargs.setdefault("label", _("单位"))
    kwargs.setdefault("help_text", _("填单位名称或简称中的几个字。"))
    return LookupField(
        rows=Unit.objects.visible_to(user).active().order_by("name"),
        search=("name", "short_name"),
        text=lambda unit: unit.name,
        url=reverse_lazy("admin:partybuilding_unit_lookup"),
        **kwargs,
    )


def organisation_field(user: Any, **kwargs: Any) -> LookupField:
    kwargs.setdefault("help_text", _("填党组织名称中的几个字。"))
    return LookupField(
        rows=PartyOrganisation.objects.visible_to(user).filter(is_active=True),
        search=("name",),
        url=reverse_lazy("admin:partybuilding_partyorganisation_lookup"),
        **kwargs,
    )


def member_field(user: Any, **kwargs: Any) -> LookupField:
    """A field for one party member in use, found by name or by the whole telephone number."""
    return LookupField(
        rows=Member.objects.visible_to(user).active().order_by("name", "pk"),
        search=("name", "=phone"),
        text=lambda member: f"{member.name}（{member.masked_phone}）",
        url=reverse_lazy("admin:partybuilding_member_lookup"),
        **kwargs,
    )


def used(row: Any) -> tuple[str, str]:
    return (_("在用"), "green") if row.is_active else (_("停用"), "grey")
