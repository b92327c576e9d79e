"""Places in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, SelectFilter, chip, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm
from grids import actions, place_parts, posts
from grids.admin.supervision import NODE_PHONE
from grids.admin_places import SEARCHED, PlaceFilter, place_field
from grids.models import Appointment, County, GridNode, Level, NodeKind
from grids.selectors import managed_county

MOST = 200


class FactsForm(DeedForm):
    kind = forms.ChoiceField(label=lazy("网格类型"), choices=NodeKind.choices, required=False)
    address = forms.CharField(label=lazy("地址"), max_length=200, required=False)
    households = forms.IntegerField(
        label=lazy("户数"),
        min_value=0,
        max_value=1_000_000,
        required=False,
        help_text=lazy("网格以 300 到 500 户为宜。"),
    )
    external_code = forms.CharField(
        label=lazy("外部编码"), max_length=40, required=False, help_text=lazy("省里另有编码的填在这里。")
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class CreateForm(DeedForm):
    name = forms.CharField(label=lazy("名称"), max_length=60)
    code = forms.CharField(
        label=lazy("区划代码"), max_length=12, required=False, help_text=lazy("街道、社区可以填；不填由系统编排。")
    )
    kind = forms.ChoiceField(label=lazy("网格类型"), choices=NodeKind.choices, required=False)
    address = forms.CharField(label=lazy("地址"), max_length=200, required=False)
    households = forms.IntegerField(label=lazy("户数"), min_value=0, max_value=1_000_000, required=False)

    def build(self) -> None:
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.ADD_NODE))
        levels = Level.objects.filter(county=managed_county(self.user, posts.ADD_NODE)).order_by("order")
        self.fields["level"] = forms.ChoiceField(
            label=_("层级"), choices=[("", _("请选择")), *((level.key, level.name) for level in levels)]
        )
        self.fields["parent"] = place_field(
            places, label=_("上级"), required=False, help_text=_("新建街道不填；其他都要填所在的街道、社区或网格。")
        )
        self.order_fields(["level", "parent", "name", "code", "kind", "address", "households"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not data.get("parent") and data.get("level") != "street":
            self.add_error("parent", _("请填写上级。"))
        if data.get("parent") and data.get("level") == "street":
            self.add_error("parent", _("街道直接属于县，不填上级。"))
        return data


class RenameForm(DeedForm):
    name = forms.CharField(label=lazy("新名称"), max_length=60)
    version = forms.IntegerField(widget=forms.HiddenInput)


class MoveNodeForm(DeedForm):
    version = forms.IntegerField(widget=forms.HiddenInput)

    def build(self) -> None:
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.ADD_NODE))
        self.fields["parent"] = place_field(places.exclude(pk=self.obj.pk), label=_("调整到哪个上级之下"))


class RetireForm(DeedForm):
    reason = forms.CharField(label=lazy("撤销理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    version = forms.IntegerField(widget=forms.HiddenInput)

    def build(self) -> None:
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_NODE))
        self.fields["successor"] = place_field(
            places.exclude(pk=self.obj.pk), label=_("由谁承接"), required=False, help_text=_("没有承接者可以不填。")
        )
        self.order_fields(["reason", "successor", "version"])


def _create(*, actor: Any, obj: None, parent: GridNode | None, **data: Any) -> GridNode:
    county = None if parent is not None else managed_county(actor, posts.ADD_NODE)
    data["kind"] = data.get("kind") or NodeKind.BASIC
    return actions.create_node(actor=actor, parent=parent, county=county, **data)


def _describe(*, actor: Any, obj: GridNode, **data: Any) -> GridNode:
    data["kind"] = data.get("kind") or NodeKind.BASIC
    return actions.describe_node(actor=actor, node=obj, **data)


def _rename(*, actor: Any, obj: GridNode, **data: Any) -> GridNode:
    return actions.rename_node(actor=actor, node=obj, **data)


def _move(*, actor: Any, obj: GridNode, **data: Any) -> GridNode:
    return actions.move_node(actor=actor, node=obj, **data)


def _retire(*, actor: Any, obj: GridNode, **data: Any) -> GridNode:
    return actions.retire_node(actor=actor, node=obj, **data)


def _stands(node: GridNode) -> bool:
    return not node.is_retired


class NodePlaceFilter(PlaceFilter):
    path = ""
    community = "community"


class LevelFilter(SelectFilter):
    title = lazy("层级")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        counties = County.objects.visible_to(request.user)
        levels = Level.objects.filter(county__in=counties).order_by("order").values_list("key", "name")
        return list(dict(levels).items())

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(level_type__key=value)


class StandingFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("在用")), ("0", _("已撤销"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(retired_at__isnull=value == "1")


@admin.register(GridNode)
class GridNodeAdmin(SheetAdmin):
    sheets = ("nodes",)
    list_display = ("node_name", "level", "where", "code", "homes", "state")
    list_display_links = ("node_name",)
    list_filter = (NodePlaceFilter, LevelFilter, StandingFilter)
    list_select_related = ("level_type",)
    search_fields = ("path", "^code", "^external_code")
    search_help_text = lazy("名称、位置或编码")
    ordering = ("tree_id", "lft")
    sortable_by = ()
    object_related = ("county", "level_type", "parent", "community", "successor")
    lookup_fields = SEARCHED
    empty_text = lazy("先新建街道，再在街道下建社区和网格；也可以整表导入。")
    adding = Deed("add", lazy("新建网格"), posts.ADD_NODE, CreateForm, _create, lazy("已新建。"), tone="main")
    deeds = (
        Deed(
            "describe",
            lazy("修改资料"),
            posts.MANAGE_NODE,
            FactsForm,
            _describe,
            lazy("已保存。"),
            tone="main",
            offered=_stands,
        ),
        Deed(
            "rename",
            lazy("改名"),
            posts.MANAGE_NODE,
            RenameForm,
            _rename,
            lazy("已改名。"),
            help=lazy("下面所有地点的位置随之改变，编码和二维码不变。"),
            offered=_stands,
        ),
        Deed(
            "move",
            lazy("调整隶属"),
            posts.MANAGE_NODE,
            MoveNodeForm,
            _move,
            lazy("已调整。"),
            help=lazy("连同下面的所有地点一起调整；未办结的需求跟着走，已办结的留在原社区。编码和二维码不变。"),
            offered=lambda node: _stands(node) and node.parent_id is not None,
        ),
        NODE_PHONE,
        Deed(
            "retire",
            lazy("撤销"),
            posts.MANAGE_NODE,
            RetireForm,
            _retire,
            lazy("已撤销。"),
            help=lazy("撤销后不能再登记需求，以前的记录都保留。"),
            tone="danger",
            offered=_stands,
        ),
    )

    def lookup_rows(self, request: HttpRequest) -> QuerySet[Any]:
        return super().lookup_rows(request).standing()  # type: ignore[attr-defined]

    def lookup_text(self, row: GridNode) -> str:
        return row.path

    @admin.display(description=lazy("名称"))
    def node_name(self, node: GridNode) -> str:
        return node.name

    @admin.display(description=lazy("层级"))
    def level(self, node: GridNode) -> str:
        return node.level_type.name

    @admin.display(description=lazy("位置"))
    def where(self, node: GridNode) -> str:
        return node.path

    @admin.display(description=lazy("户数"), empty_value="—")
    def homes(self, node: GridNode) -> int | None:
        return node.households

    @admin.display(description=lazy("状态"))
    def state(self, node: GridNode) -> str:
        return chip(_("已撤销")) if node.is_retired else chip(_("在用"), "green")

    def object_title(self, obj: GridNode) -> str:
        return obj.name

    def chips(self, obj: GridNode) -> list[tuple[str, str]]:
        return [(obj.level_type.name, "blue"), (_("已撤销"), "grey") if obj.is_retired else (_("在用"), "green")]

    def facts(self, request: HttpRequest, obj: GridNode) -> list[Fact]:
        parent = link(obj.parent.path, self.url("change", obj.parent.pk)) if obj.parent else ""
        if obj.parent and not policies.sees(request.user, obj.parent):
            parent = obj.parent.path
        found = [
            Fact(_("位置"), obj.path, wide=True),
            Fact(_("上级"), parent),
            Fact(_("编码"), obj.code),
            Fact(_("外部编码"), obj.external_code),
            Fact(_("网格类型"), obj.get_kind_display() if obj.level_type.key == "grid" else ""),
            Fact(_("地址"), obj.address),
            Fact(_("户数"), obj.households),
            Fact(_("启用日期"), day_words(obj.valid_from)),
        ]
        if obj.is_retired:
            found += [Fact(_("撤销日期"), day_words(obj.retired_at)), Fact(_("承接者"), obj.successor)]
        if obj.supervision_phone:
            found.append(Fact(_("监督电话"), obj.supervision_phone))
        for title, words, name in ((_("二维码"), _("打印二维码"), "qr"), (_("公示牌"), _("打印公示牌"), "card")):
            if page := self._printed(obj, name):
                found.append(Fact(title, link(words, page)))
        return found

    @staticmethod
    def _printed(obj: GridNode, name: str) -> str:
        """A page for the printer, which a higher floor has."""
        if obj.is_retired or obj.community_id is None:
            return ""
        try:
            return reverse(f"places:{name}", args=[obj.pk])
        except NoReverseMatch:
            return ""

    def parts(self, request: HttpRequest, obj: GridNode) -> list[Part]:
        children = list(
            GridNode.objects.standing().filter(parent=obj).select_related("level_type").order_by("lft")[:MOST]
        )
        held = Appointment.objects.visible_to(request.user).current().filter(node=obj).select_related("user")
        below = [
            [link(child.name, self.url("change", child.pk)), child.level_type.name, child.code, child.households or "—"]
            for child in children
        ]
        people = [[row.post_label, row.user.name, day_words(row.start)] for row in held]
        parts = [Part(_("下级"), [_("名称"), _("层级"), _("编码"), _("户数")], below, _("下面没有更小的单元。"))]
        if policies.holds(request.user, posts.VIEW_APPOINTMENT):
            parts.insert(0, Part(_("负责人"), [_("岗位"), _("姓名"), _("任职日期")], people, _("还没有人在这里任职。")))
        return [*parts, *place_parts.of(obj, request.user)]
