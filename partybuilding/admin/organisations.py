"""Party organisations in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import (
    Fact,
    Part,
    ScopedModelAdmin,
    chip,
    choice_filter,
    flag_filter,
    link,
)
from core.deeds import Deed, DeedForm, NothingToFill
from grids.admin_places import place_field
from grids.models import GridNode
from grids.selectors import managed_county
from partybuilding import actions, posts
from partybuilding.admin.fields import IN_USE, organisation_field, unit_field, used
from partybuilding.models import OrganisationKind, PartyOrganisation


class OrganisationForm(DeedForm):
    name = forms.CharField(label=lazy("党组织名称"), max_length=100)
    kind = forms.ChoiceField(label=lazy("类型"), choices=OrganisationKind.choices, initial=OrganisationKind.BRANCH)


class NewOrganisationForm(OrganisationForm):
    def build(self) -> None:
        places = GridNode.objects.standing().visible_to(self.user)
        self.fields["parent"] = organisation_field(self.user, label=_("上级党组织"), required=False)
        self.fields["node"] = place_field(places, label=_("所在网格"), required=False)
        self.fields["unit"] = unit_field(self.user, label=_("所在单位"), required=False)


def _create_organisation(*, actor: Any, obj: None, **data: Any) -> PartyOrganisation:
    county = managed_county(actor, posts.MANAGE_ORGANISATION)
    return actions.create_organisation(actor=actor, county=county, **data)


def _update_organisation(*, actor: Any, obj: PartyOrganisation, **data: Any) -> PartyOrganisation:
    return actions.update_organisation(actor=actor, organisation=obj, **data)


def _close_organisation(*, actor: Any, obj: PartyOrganisation) -> PartyOrganisation:
    return actions.update_organisation(actor=actor, organisation=obj, is_active=False)


def _open_organisation(*, actor: Any, obj: PartyOrganisation) -> PartyOrganisation:
    return actions.update_organisation(actor=actor, organisation=obj, is_active=True)


@admin.register(PartyOrganisation)
class PartyOrganisationAdmin(ScopedModelAdmin):
    list_display = ("title", "what", "above", "where", "state")
    list_display_links = ("title",)
    list_filter = (
        choice_filter("kind", lazy("类型"), OrganisationKind.choices),
        flag_filter("is_active", lazy("状态"), *IN_USE),
    )
    list_select_related = ("parent", "node", "unit")
    search_fields = ("name",)
    search_help_text = lazy("党组织名称")
    ordering = ("tree_id", "lft")
    sortable_by = ()
    object_related = ("county", "parent", "node", "unit")
    empty_text = lazy("先建上级党组织，再建下级。")
    adding = Deed(
        "add",
        lazy("新建党组织"),
        posts.MANAGE_ORGANISATION,
        NewOrganisationForm,
        _create_organisation,
        lazy("已新建。"),
        help=lazy("设在社区、网格的填“所在网格”，设在单位的填“所在单位”，联合党组织两样都不填。"),
        tone="main",
    )
    deeds = (
        Deed(
            "edit",
            lazy("修改"),
            posts.MANAGE_ORGANISATION,
            OrganisationForm,
            _update_organisation,
            lazy("已保存。"),
            tone="main",
        ),
        Deed(
            "close",
            lazy("停用"),
            posts.MANAGE_ORGANISATION,
            NothingToFill,
            _close_organisation,
            lazy("已停用。"),
            help=lazy("下面还有在用的党组织时不能停用。"),
            tone="danger",
            offered=lambda row: row.is_active,
        ),
        Deed(
            "open",
            lazy("启用"),
            posts.MANAGE_ORGANISATION,
            NothingToFill,
            _open_organisation,
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

    @admin.display(description=lazy("上级党组织"), empty_value="—")
    def above(self, row: PartyOrganisation) -> str | None:
        return row.parent.name if row.parent else None

    @admin.display(description=lazy("设在"))
    def where(self, row: PartyOrganisation) -> str:
        return str(row.node or row.unit or _("联合党组织"))

    @admin.display(description=lazy("状态"))
    def state(self, row: PartyOrganisation) -> str:
        return chip(*used(row))

    def chips(self, obj: PartyOrganisation) -> list[tuple[str, str]]:
        return [used(obj)]

    def facts(self, request: HttpRequest, obj: PartyOrganisation) -> list[Fact]:
        above = link(obj.parent.name, self.url("change", obj.parent.pk)) if obj.parent else ""
        return [
            Fact(_("类型"), obj.get_kind_display()),
            Fact(_("上级党组织"), above),
            Fact(_("所在网格"), obj.node or ""),
            Fact(_("所在单位"), obj.unit or ""),
        ]

    def parts(self, request: HttpRequest, obj: PartyOrganisation) -> list[Part]:
        rows = [
            [link(row.name, self.url("change", row.pk)), row.get_kind_display(), chip(*used(row))]
            for row in PartyOrganisation.objects.visible_to(request.user).filter(parent=obj).order_by("lft")[:100]
        ]
        return [Part(_("下级党组织"), [_("党组织名称"), _("类型"), _("状态")], rows, _("下面没有党组织。"))]
