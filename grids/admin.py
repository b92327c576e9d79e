"""Places and posts in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, ScopedModelAdmin, SelectFilter, chip, choice_filter, day_words, link
from core.audit_words import name_deeds, name_fields
from core.deeds import Deed, DeedForm
from core.lookups import LookupField
from core.models import User
from grids import actions, posts
from grids.admin_places import SEARCHED, PlaceFilter, managed_county, place_field
from grids.models import Appointment, County, GridNode, Level, NodeKind
from grids.querysets import current

MOST = 200

name_deeds(
    {
        "appointment.start": lazy("任命"),
        "appointment.end": lazy("离任"),
        "county.create": lazy("建县"),
        "county.levels": lazy("设置层级"),
        "node.create": lazy("新建网格"),
        "node.describe": lazy("修改网格资料"),
        "node.move": lazy("调整隶属"),
        "node.rename": lazy("网格改名"),
        "node.retire": lazy("撤销网格"),
    }
)
name_fields({"levels": lazy("层级")})


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def person_text(user: Any) -> str:
    return f"{user.name}（{user.masked_phone}）"


def person_field(user: Any, **kwargs: Any) -> LookupField:
    """A field for one account in the person's sight, found by name or by the whole telephone number."""
    kwargs.setdefault("label", _("人员"))
    kwargs.setdefault("help_text", _("填姓名或完整的手机号码。还没有账号的，请先到“账号”里新建。"))
    return LookupField(
        rows=User.objects.visible_to(user).active(),
        search=("name", "=phone"),
        text=person_text,
        url=reverse_lazy("admin:core_user_lookup"),
        **kwargs,
    )


# --- Places ---------------------------------------------------------------------------------------------------------


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
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_NODE))
        levels = Level.objects.filter(county=managed_county(self.user, posts.MANAGE_NODE)).order_by("order")
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
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_NODE))
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
    county = None if parent is not None else managed_county(actor, posts.MANAGE_NODE)
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
class GridNodeAdmin(ScopedModelAdmin):
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
    adding = Deed("add", lazy("新建网格"), posts.MANAGE_NODE, CreateForm, _create, lazy("已新建。"), tone="main")
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
        code_page = self._code_page(obj)
        return [*found, Fact(_("二维码"), link(_("打印二维码"), code_page))] if code_page else found

    @staticmethod
    def _code_page(obj: GridNode) -> str:
        if obj.is_retired or obj.community_id is None:
            return ""
        try:
            return reverse("places:qr", args=[obj.pk])
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
        return parts


# --- Posts ----------------------------------------------------------------------------------------------------------


class AppointForm(DeedForm):
    post = forms.ChoiceField(label=lazy("岗位"))
    start = forms.DateField(label=lazy("任职日期"), initial=timezone.localdate, widget=date_input())
    note = forms.CharField(label=lazy("备注"), max_length=200, required=False)

    def build(self) -> None:
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_APPOINTMENT))
        county = managed_county(self.user, posts.MANAGE_APPOINTMENT)
        self.fields["user"] = person_field(self.user)
        self.fields["post"].choices = [("", _("请选择")), *self._posts(county)]  # type: ignore[attr-defined]
        self.fields["node"] = place_field(
            places, label=_("任职地"), required=False, help_text=_("县级岗位不填；其他岗位填街道、社区、网格或楼栋。")
        )
        self.order_fields(["user", "post", "node", "start", "note"])

    @staticmethod
    def _posts(county: County) -> list[tuple[str, str]]:
        """The posts of the levels this county has."""
        known = {posts.COUNTY, *Level.objects.filter(county=county).values_list("key", flat=True)}
        return [(post.key, str(post.label)) for post in posts.POSTS.values() if known & set(post.levels)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        post = posts.POSTS.get(data.get("post", ""))
        if post is not None and "node" not in self.errors:
            at_county = posts.COUNTY in post.levels
            if at_county and data.get("node"):
                self.add_error("node", _("“%(post)s”是县级岗位，不填任职地。") % {"post": post.label})
            elif not at_county and not data.get("node"):
                self.add_error("node", _("请填写任职地。"))
        return data


class EndForm(DeedForm):
    end = forms.DateField(
        label=lazy("离任日期"), initial=timezone.localdate, widget=date_input(), help_text=lazy("当天仍有权限。")
    )
    reason = forms.CharField(label=lazy("理由"), max_length=500, required=False)


def _appoint(*, actor: Any, obj: None, node: GridNode | None, **data: Any) -> Appointment:
    place = node if node is not None else managed_county(actor, posts.MANAGE_APPOINTMENT)
    return actions.appoint(actor=actor, place=place, **data)


def _end(*, actor: Any, obj: Appointment, **data: Any) -> Appointment:
    return actions.end_appointment(actor=actor, appointment=obj, **data)


class HeldFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("在任")), ("0", _("已离任"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(current()) if value == "1" else rows.exclude(current())


@admin.register(Appointment)
class AppointmentAdmin(ScopedModelAdmin):
    list_display = ("person", "what", "where", "since", "until", "state")
    list_display_links = ("person",)
    list_filter = (PlaceFilter, choice_filter("post", lazy("岗位"), posts.post_choices()), HeldFilter)
    list_select_related = ("user", "node", "county")
    search_fields = ("user__name", "node__path")
    search_help_text = lazy("姓名、任职地")
    ordering = ("-start", "id")
    sortable_by = ()
    object_related = ("user", "node__county", "county")
    empty_text = lazy("任命以后，这个人就有了岗位对应的权限。")
    adding = Deed(
        "add",
        lazy("任命"),
        posts.MANAGE_APPOINTMENT,
        AppointForm,
        _appoint,
        lazy("已任命。"),
        help=lazy("权限来自岗位：任命后立即生效，在任职地及其下级有效。"),
        tone="main",
    )
    deeds = (
        Deed(
            "end",
            lazy("离任"),
            posts.MANAGE_APPOINTMENT,
            EndForm,
            _end,
            lazy("已离任。"),
            help=lazy("离任后岗位的权限随之停止。要立即停止登录，请到“账号”里停用。"),
            tone="danger",
            offered=lambda row: row.end is None,
        ),
    )

    @admin.display(description=lazy("姓名"))
    def person(self, row: Appointment) -> str:
        return row.user.name

    @admin.display(description=lazy("岗位"))
    def what(self, row: Appointment) -> str:
        return row.post_label

    @admin.display(description=lazy("任职地"))
    def where(self, row: Appointment) -> str:
        return row.place

    @admin.display(description=lazy("任职日期"))
    def since(self, row: Appointment) -> str:
        return day_words(row.start)

    @admin.display(description=lazy("离任日期"), empty_value="—")
    def until(self, row: Appointment) -> str | None:
        return day_words(row.end) or None

    @admin.display(description=lazy("状态"))
    def state(self, row: Appointment) -> str:
        return chip(*_held(row))

    def object_title(self, obj: Appointment) -> str:
        return _("%(name)s：%(post)s") % {"name": obj.user.name, "post": obj.post_label}

    def chips(self, obj: Appointment) -> list[tuple[str, str]]:
        return [_held(obj)]

    def facts(self, request: HttpRequest, obj: Appointment) -> list[Fact]:
        return [
            Fact(_("姓名"), obj.user.name),
            Fact(_("手机号码"), obj.user.masked_phone),
            Fact(_("岗位"), obj.post_label),
            Fact(_("任职地"), obj.place),
            Fact(_("任职日期"), day_words(obj.start)),
            Fact(_("离任日期"), day_words(obj.end)),
            Fact(_("备注"), obj.note, wide=True),
        ]


def _held(row: Appointment) -> tuple[str, str]:
    today = timezone.localdate()
    if row.end is not None and row.end < today:
        return _("已离任"), "grey"
    return (_("在任"), "green") if row.start <= today else (_("未到任"), "blue")
