"""Party organisations in the admin: the list, the page of each, what is done with them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, chip, choice_filter, day_words, flag_filter, link
from core.deeds import Deed, DeedForm
from grids.admin_people import date_input
from grids.admin_places import PlaceFilter, place_field
from grids.models import GridNode
from grids.selectors import managed_county
from partybuilding import actions, posts
from partybuilding.admin.fields import IN_USE, member_field, organisation_field, unit_field, used
from partybuilding.admin.organisation_tree import OrganisationTreePages
from partybuilding.models import Domain, Member, OrganisationKind, PartyOrganisation
from partybuilding.pairing_deeds import version

MOST = 100


class OrganisationForm(DeedForm):
    name = forms.CharField(label=lazy("党组织名称"), max_length=100)
    kind = forms.ChoiceField(label=lazy("类型"), choices=OrganisationKind.choices, initial=OrganisationKind.BRANCH)
    domain = forms.ChoiceField(
        label=lazy("所属领域"),
        choices=[("", lazy("按所在网格或单位")), *Domain.choices],
        required=False,
    )
    founded_on = forms.DateField(label=lazy("成立日期"), required=False, widget=date_input())

    def build(self) -> None:
        places = GridNode.objects.standing().visible_to(self.user).select_related("county", "level_type")
        self.fields["node"] = place_field(places, label=_("所在网格"), required=False)
        self.fields["unit"] = unit_field(self.user, label=_("所在单位"), required=False)
        self.fields["secretary"] = member_field(
            self.user, label=_("书记"), required=False, help_text=_("填姓名或完整的手机号码，要先登记为党员。")
        )
        self.order_fields(["name", "kind", "parent", "node", "unit", "domain", "secretary", "founded_on", "version"])


class NewOrganisationForm(OrganisationForm):
    def build(self) -> None:
        self.fields["parent"] = organisation_field(self.user, label=_("上级党组织"), required=False)
        super().build()


class EditForm(OrganisationForm):
    version = version()

    def build(self) -> None:
        super().build()
        self.initial = {
            **self.initial,
            **{name: getattr(self.obj, name) for name in ("node", "unit", "secretary")},
        }


class MoveForm(DeedForm):
    reason = forms.CharField(label=lazy("理由"), max_length=500, required=False)
    version = version()

    def build(self) -> None:
        self.fields["parent"] = organisation_field(
            self.user,
            label=_("新的上级党组织"),
            required=False,
            help_text=_("填党组织名称中的几个字；空着就是没有上级。"),
        )
        self.initial = {**self.initial, "parent": self.obj.parent}
        self.order_fields(["parent", "reason", "version"])


class RetireForm(DeedForm):
    reason = forms.CharField(label=lazy("理由"), max_length=500, required=False)
    version = version()

    def build(self) -> None:
        count = Member.objects.active().filter(branch=self.obj).count()
        if count:
            self.fields["members_to"] = organisation_field(
                self.user, label=_("%(count)d 名党员转到") % {"count": count}, help_text=_("填党组织名称中的几个字。")
            )
        self.order_fields(["members_to", "reason", "version"])


class VersionForm(DeedForm):
    version = version()


def _create(*, actor: Any, obj: None, **data: Any) -> PartyOrganisation:
    county = managed_county(actor, posts.MANAGE_ORGANISATION)
    return actions.create_organisation(actor=actor, county=county, **data)


def _update(*, actor: Any, obj: PartyOrganisation, **data: Any) -> PartyOrganisation:
    return actions.update_organisation(actor=actor, organisation=obj, **data)


def _move(*, actor: Any, obj: PartyOrganisation, **data: Any) -> PartyOrganisation:
    return actions.move_organisation(actor=actor, organisation=obj, **data)


def _retire(*, actor: Any, obj: PartyOrganisation, **data: Any) -> PartyOrganisation:
    return actions.retire_organisation(actor=actor, organisation=obj, **data)


def _reopen(*, actor: Any, obj: PartyOrganisation, **data: Any) -> PartyOrganisation:
    return actions.reopen_organisation(actor=actor, organisation=obj, **data)


def _in_use(row: PartyOrganisation) -> bool:
    return row.is_active


@admin.register(PartyOrganisation)
class PartyOrganisationAdmin(OrganisationTreePages):
    sheets = ("organisations",)
    list_display = ("title", "what", "domain_name", "above", "where", "led_by", "state")
    list_display_links = ("title",)
    list_filter = (
        PlaceFilter,
        choice_filter("kind", lazy("类型"), OrganisationKind.choices),
        choice_filter("domain", lazy("所属领域"), Domain.choices),
        flag_filter("is_active", lazy("状态"), *IN_USE),
    )
    list_select_related = ("parent", "node", "unit", "secretary")
    search_fields = ("name",)
    search_help_text = lazy("党组织名称")
    ordering = ("tree_id", "lft")
    sortable_by = ()
    object_related = ("county", "parent", "node", "unit", "secretary")
    empty_text = lazy("先建上级党组织，再建下级；也可以用表格整表导入，上级写在同一张表里就行。")
    adding = Deed(
        "add",
        lazy("新建党组织"),
        posts.MANAGE_ORGANISATION,
        NewOrganisationForm,
        _create,
        lazy("已新建。"),
        help=lazy("设在社区、网格的填“所在网格”，设在单位的填“所在单位”，联合党组织两样都不填。"),
        tone="main",
    )
    deeds = (
        Deed("edit", lazy("修改"), posts.MANAGE_ORGANISATION, EditForm, _update, lazy("已保存。"), tone="main"),
        Deed(
            "move",
            lazy("调整上级"),
            posts.MANAGE_ORGANISATION,
            MoveForm,
            _move,
            lazy("已调整。"),
            help=lazy("它下面的党组织跟着一起调整；党员不变。"),
            offered=_in_use,
        ),
        Deed(
            "close",
            lazy("停用"),
            posts.MANAGE_ORGANISATION,
            RetireForm,
            _retire,
            lazy("已停用。"),
            help=lazy("下面还有在用的党组织时不能停用；还有党员的，要选好转到哪个党组织。"),
            tone="danger",
            offered=_in_use,
        ),
        Deed(
            "open",
            lazy("启用"),
            posts.MANAGE_ORGANISATION,
            VersionForm,
            _reopen,
            lazy("已启用。"),
            offered=lambda row: not row.is_active,
        ),
    )

    @admin.display(description=lazy("党组织名称"))
    def title(self, row: PartyOrganisation) -> str:
        return "　" * min(row.depth, 6) + row.name

    @admin.display(description=lazy("类型"))
    def what(self, row: PartyOrganisation) -> str:
        return row.get_kind_display()

    @admin.display(description=lazy("所属领域"))
    def domain_name(self, row: PartyOrganisation) -> str:
        return row.get_domain_display()

    @admin.display(description=lazy("上级党组织"), empty_value="—")
    def above(self, row: PartyOrganisation) -> str | None:
        return row.parent.name if row.parent else None

    @admin.display(description=lazy("设在"))
    def where(self, row: PartyOrganisation) -> str:
        return str(row.node or row.unit or _("联合党组织"))

    @admin.display(description=lazy("书记"), empty_value="—")
    def led_by(self, row: PartyOrganisation) -> str | None:
        return row.secretary.name if row.secretary else None

    @admin.display(description=lazy("状态"))
    def state(self, row: PartyOrganisation) -> str:
        return chip(*used(row))

    def chips(self, obj: PartyOrganisation) -> list[tuple[str, str]]:
        return [(obj.get_kind_display(), "blue"), used(obj)]

    def facts(self, request: HttpRequest, obj: PartyOrganisation) -> list[Fact]:
        above = link(obj.parent.name, self.url("change", obj.parent.pk)) if obj.parent else ""
        members: Any = _("%(count)d 名") % {"count": Member.objects.active().filter(branch=obj).count()}
        if policies.holds(request.user, posts.VIEW_MEMBER):
            members = link(members, f"{reverse('admin:partybuilding_member_changelist')}?q={obj.name}")
        return [
            Fact(_("类型"), obj.get_kind_display()),
            Fact(_("所属领域"), obj.get_domain_display()),
            Fact(_("上级党组织"), above),
            Fact(_("书记"), obj.secretary.name if obj.secretary else ""),
            Fact(_("所在网格"), obj.node.path if obj.node else ""),
            Fact(_("所在单位"), obj.unit or ""),
            Fact(_("成立日期"), day_words(obj.founded_on)),
            Fact(_("本级党员"), members),
        ]

    def parts(self, request: HttpRequest, obj: PartyOrganisation) -> list[Part]:
        below = PartyOrganisation.objects.visible_to(request.user).filter(parent=obj).order_by("lft")
        rows = [
            [link(row.name, self.url("change", row.pk)), row.get_kind_display(), chip(*used(row))]
            for row in below[:MOST]
        ]
        return [Part(_("下级党组织"), [_("党组织名称"), _("类型"), _("状态")], rows, _("下面没有党组织。"))]
