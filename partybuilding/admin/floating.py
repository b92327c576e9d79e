"""Stations and floating members in the admin: the community registers, keeps in touch and writes it down."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, ScopedModelAdmin, SelectFilter, chip, day_words, flag_filter, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm, Shown
from core.errors import DomainError
from core.forms import add_domain_error
from grids.admin_people import date_input
from grids.admin_places import PlaceFilter, place_field
from grids.models import GridNode
from partybuilding import actions, posts
from partybuilding.admin.fields import IN_USE, used
from partybuilding.floating_rules import CONTACT_DAYS, RevealReason, due_before
from partybuilding.models import FloatingContact, FloatingMember, Station
from partybuilding.pairing_deeds import version
from partybuilding.selectors import named_person
from partybuilding.selectors.floating import station_counts, to_contact, with_contact

MOST = 50


class StationForm(DeedForm):
    name = forms.CharField(label=lazy("驿站名称"), max_length=60)
    address = forms.CharField(label=lazy("地址"), max_length=200, required=False)
    keeper_name = forms.CharField(
        label=lazy("负责人姓名"), max_length=60, required=False, help_text=lazy("要有账号；太久没有联系时会收到提醒。")
    )
    keeper_phone = forms.CharField(
        label=lazy("负责人手机号码"), max_length=30, required=False, help_text=lazy("有同名的人时要填。")
    )

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        name, phone = data.pop("keeper_name", ""), data.pop("keeper_phone", "")
        county = self.obj.county if self.obj else getattr(data.get("node"), "county", None)
        data["keeper"] = None
        if name and county is not None:
            try:
                data["keeper"] = named_person(county, name, phone)
            except DomainError as error:
                add_domain_error(self, _renamed(error))
        return data


def _renamed(error: DomainError) -> DomainError:
    """The same refusal under this form's own fields."""
    error.fields = {f"keeper_{name}": words for name, words in error.fields.items()}
    return error


class NewStationForm(StationForm):
    def build(self) -> None:
        places = GridNode.objects.standing().filter(
            policies.within(GridNode, self.user, posts.MANAGE_STATION), community__isnull=False
        )
        self.fields["node"] = place_field(places.select_related("county", "level_type"), label=_("所在地"))
        self.order_fields(["node", "name", "address", "keeper_name", "keeper_phone"])


class EditStationForm(StationForm):
    version = version()

    def build(self) -> None:
        self.initial = {**self.initial, "keeper_name": self.obj.keeper.name if self.obj.keeper else ""}
        if self.obj.keeper is not None:
            # Whoever stays is not looked for again among people of the same name.
            self.fields["keeper_phone"].help_text = _("不换人就不填。")

    def clean(self) -> dict[str, Any]:
        keeper = self.obj.keeper
        if keeper and self.data.get("keeper_name") == keeper.name and not self.data.get("keeper_phone"):
            super(StationForm, self).clean()
            data = {name: value for name, value in self.cleaned_data.items() if not name.startswith("keeper")}
            self.cleaned_data = {**data, "keeper": keeper}
            return self.cleaned_data
        return super().clean()


class VersionForm(DeedForm):
    version = version()


class FloatingForm(DeedForm):
    name = forms.CharField(label=lazy("姓名"), max_length=60)
    phone = forms.CharField(
        label=lazy("手机号码"),
        max_length=20,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "numeric", "autocomplete": "off"}),
    )
    kept_at = forms.CharField(
        label=lazy("组织关系所在党组织"), max_length=100, help_text=lazy("写全称，如“某某市某某街道某某社区党支部”。")
    )

    def build(self) -> None:
        mine = Station.objects.filter(policies.within(Station, self.user, posts.MANAGE_FLOATING), is_active=True)
        self.fields["station"] = forms.ModelChoiceField(mine.order_by("name"), label=_("驿站"), empty_label=None)
        self.order_fields(["station", "name", "phone", "kept_at", "start", "version"])


class RegisterForm(FloatingForm):
    start = forms.DateField(label=lazy("登记日期"), initial=timezone.localdate, widget=date_input())


class EditFloatingForm(FloatingForm):
    version = version()

    def build(self) -> None:
        super().build()
        phone = self.fields["phone"]
        # The number is not shown again: whoever corrects it types the right one.
        phone.required, phone.help_text = False, _("现为 %(phone)s；不改就不填。") % {"phone": self.obj.masked_phone}
        self.initial = {**self.initial, "phone": "", "station": self.obj.station_id}


class ContactForm(DeedForm):
    contacted_on = forms.DateField(label=lazy("联系日期"), initial=timezone.localdate, widget=date_input())
    text = forms.CharField(
        label=lazy("联系情况"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("怎么联系的，有什么需要帮助；不写电话和证件号码。"),
    )


class LeaveForm(DeedForm):
    end = forms.DateField(label=lazy("离开日期"), initial=timezone.localdate, widget=date_input())
    version = version()

    def build(self) -> None:
        self.initial = {**self.initial, "end": timezone.localdate()}


class RevealForm(DeedForm):
    reason = forms.ChoiceField(label=lazy("用途"), choices=RevealReason.choices, widget=forms.RadioSelect)


def _create(*, actor: Any, obj: None, **data: Any) -> Station:
    return actions.create_station(actor=actor, **data)


def _update(*, actor: Any, obj: Station, **data: Any) -> Station:
    return actions.update_station(actor=actor, station=obj, **data)


def _close(*, actor: Any, obj: Station, **data: Any) -> Station:
    return actions.update_station(actor=actor, station=obj, is_active=False, **data)


def _open(*, actor: Any, obj: Station, **data: Any) -> Station:
    return actions.update_station(actor=actor, station=obj, is_active=True, **data)


def _register(*, actor: Any, obj: None, **data: Any) -> FloatingMember:
    return actions.register_floating(actor=actor, **data)


def _correct(*, actor: Any, obj: FloatingMember, phone: str, **data: Any) -> FloatingMember:
    changed = {"phone": phone} if phone else {}
    return actions.update_floating(actor=actor, floating=obj, **changed, **data)


def _contact(*, actor: Any, obj: FloatingMember, **data: Any) -> FloatingMember:
    actions.contact_floating(actor=actor, floating=obj, **data)
    return obj


def _leave(*, actor: Any, obj: FloatingMember, **data: Any) -> FloatingMember:
    return actions.leave_floating(actor=actor, floating=obj, **data)


def _reveal(*, actor: Any, obj: FloatingMember, reason: str) -> Shown:
    phone = actions.reveal_floating(actor=actor, floating=obj, reason=reason)
    return Shown(
        _("联系电话"),
        ((_("姓名"), obj.name), (_("手机号码"), phone)),
        _("只显示这一次，这次查看和用途已经记录。请不要抄录、转发。"),
    )


def is_present(row: FloatingMember) -> bool:
    return row.end is None or row.end >= timezone.localdate()


@admin.register(Station)
class StationAdmin(ScopedModelAdmin):
    list_display = ("title", "place", "kept_by", "here", "late", "state")
    list_display_links = ("title",)
    list_filter = (PlaceFilter, flag_filter("is_active", lazy("状态"), *IN_USE))
    list_select_related = ("node", "keeper")
    search_fields = ("name", "node__path")
    search_help_text = lazy("名称或地点")
    ordering = ("node__tree_id", "node__lft", "name")
    sortable_by = ()
    object_related = ("county", "node__county", "keeper")
    empty_text = lazy("先开设驿站，再登记流动党员。")
    adding = Deed("add", lazy("开设驿站"), posts.MANAGE_STATION, NewStationForm, _create, lazy("已开设。"), tone="main")
    deeds = (
        Deed("edit", lazy("修改"), posts.MANAGE_STATION, EditStationForm, _update, lazy("已保存。"), tone="main"),
        Deed(
            "close",
            lazy("停用"),
            posts.MANAGE_STATION,
            VersionForm,
            _close,
            lazy("已停用。"),
            help=lazy("还登记着流动党员的不能停用。"),
            tone="danger",
            offered=lambda row: row.is_active,
        ),
        Deed(
            "open",
            lazy("启用"),
            posts.MANAGE_STATION,
            VersionForm,
            _open,
            lazy("已启用。"),
            offered=lambda row: not row.is_active,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return station_counts(super().get_queryset(request))

    @admin.display(description=lazy("驿站名称"))
    def title(self, row: Station) -> str:
        return row.name

    @admin.display(description=lazy("所在地"))
    def place(self, row: Station) -> str:
        return row.node.path

    @admin.display(description=lazy("负责人"), empty_value="—")
    def kept_by(self, row: Station) -> str | None:
        return row.keeper.name if row.keeper else None

    @admin.display(description=lazy("登记人数"))
    def here(self, row: Any) -> int:
        return int(row.present)

    @admin.display(description=lazy("待联系"))
    def late(self, row: Any) -> str:
        return chip(row.waiting, "amber") if row.waiting else "0"

    @admin.display(description=lazy("状态"))
    def state(self, row: Station) -> str:
        return chip(*used(row))

    def chips(self, obj: Station) -> list[tuple[str, str]]:
        return [used(obj)]

    def facts(self, request: HttpRequest, obj: Station) -> list[Fact]:
        counts = station_counts(Station.objects.filter(pk=obj.pk)).values("present", "waiting").get()
        people: Any = _("%(count)d 名") % {"count": counts["present"]}
        if policies.can(request.user, posts.VIEW_FLOATING, obj):
            people = link(people, f"{reverse('admin:partybuilding_floatingmember_changelist')}?q={obj.name}")
        return [
            Fact(_("所在地"), obj.node.path, wide=True),
            Fact(_("地址"), obj.address, wide=True),
            Fact(_("负责人"), obj.keeper.name if obj.keeper else ""),
            Fact(_("登记的流动党员"), people),
            Fact(_("超过 %(days)d 天没有联系") % {"days": CONTACT_DAYS}, _("%(n)d 名") % {"n": counts["waiting"]}),
        ]


class FloatingPlaceFilter(PlaceFilter):
    path = "station__node"


class TouchFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "touch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("due", _("待联系")), ("here", _("在册")), ("left", _("已离开"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        today = timezone.localdate()
        if value == "due":
            return to_contact(rows)
        return rows.filter(end__lt=today) if value == "left" else rows.exclude(end__lt=today)


@admin.register(FloatingMember)
class FloatingMemberAdmin(SheetAdmin):
    sheets = ("floating",)
    list_display = ("person", "number", "at", "kept", "since", "touched", "state")
    list_display_links = ("person",)
    list_filter = (FloatingPlaceFilter, TouchFilter)
    list_select_related = ("station",)
    search_fields = ("name", "=phone", "station__name", "kept_at")
    search_help_text = lazy("姓名、完整手机号码、驿站、组织关系所在党组织")
    ordering = ("station__name", "-start", "id")
    sortable_by = ()
    object_related = ("station__node", "county", "contact")
    empty_text = lazy("流动党员来驿站时登记；成批的用表格导入。")
    adding = Deed(
        "add",
        lazy("登记流动党员"),
        posts.MANAGE_FLOATING,
        RegisterForm,
        _register,
        lazy("已登记。"),
        help=lazy("先告诉本人：登记只用于联系和服务，离开 400 天后删除。"),
        tone="main",
    )
    deeds = (
        Deed(
            "contact",
            lazy("记录联系"),
            posts.MANAGE_FLOATING,
            ContactForm,
            _contact,
            lazy("已记录。"),
            tone="main",
            offered=is_present,
        ),
        Deed(
            "reveal",
            lazy("查看电话"),
            posts.MANAGE_FLOATING,
            RevealForm,
            _reveal,
            "",
            help=lazy("谁在什么时候为什么查看，会记录下来。"),
            offered=is_present,
        ),
        Deed(
            "edit",
            lazy("修改"),
            posts.MANAGE_FLOATING,
            EditFloatingForm,
            _correct,
            lazy("已保存。"),
            help=lazy("换了驿站的在这里改。"),
            offered=is_present,
        ),
        Deed(
            "leave",
            lazy("登记离开"),
            posts.MANAGE_FLOATING,
            LeaveForm,
            _leave,
            lazy("已登记离开。"),
            help=lazy("离开 400 天后，姓名、电话和联系记录自动删除。"),
            tone="danger",
            offered=lambda row: row.end is None,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_contact(super().get_queryset(request))

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        return {} if obj is None else super().initial(request, deed, obj)

    @admin.display(description=lazy("姓名"))
    def person(self, row: FloatingMember) -> str:
        return row.name

    @admin.display(description=lazy("手机号码"))
    def number(self, row: FloatingMember) -> str:
        return row.masked_phone

    @admin.display(description=lazy("驿站"))
    def at(self, row: FloatingMember) -> str:
        return row.station.name

    @admin.display(description=lazy("组织关系所在党组织"))
    def kept(self, row: FloatingMember) -> str:
        return row.kept_at

    @admin.display(description=lazy("登记日期"))
    def since(self, row: FloatingMember) -> str:
        return day_words(row.start)

    @admin.display(description=lazy("最近联系"), empty_value="—")
    def touched(self, row: Any) -> str | None:
        return day_words(row.contacted_on) or None

    @admin.display(description=lazy("状态"))
    def state(self, row: Any) -> str:
        return chip(*state_of(row, row.last_on))

    def object_title(self, obj: FloatingMember) -> str:
        return obj.name

    def find(self, request: HttpRequest, object_id: int) -> Any:
        row = super().find(request, object_id)
        row.last_on = max([row.start, *row.contacts.values_list("contacted_on", flat=True)[:1]])
        return row

    def chips(self, obj: Any) -> list[tuple[str, str]]:
        return [state_of(obj, obj.last_on)]

    def facts(self, request: HttpRequest, obj: FloatingMember) -> list[Fact]:
        return [
            Fact(
                _("驿站"), link(obj.station.name, reverse("admin:partybuilding_station_change", args=[obj.station_id]))
            ),
            Fact(_("所在地"), obj.station.node.path),
            Fact(_("手机号码"), obj.masked_phone),
            Fact(_("联系人"), obj.contact.name if obj.contact else ""),
            Fact(_("组织关系所在党组织"), obj.kept_at, wide=True),
            Fact(_("登记日期"), day_words(obj.start)),
            Fact(_("离开日期"), day_words(obj.end)),
        ]

    def parts(self, request: HttpRequest, obj: FloatingMember) -> list[Part]:
        found = FloatingContact.objects.visible_to(request.user).filter(floating=obj).select_related("by")
        rows = [[day_words(row.contacted_on), row.by.name if row.by else "—", row.text] for row in found[:MOST]]
        columns = [_("联系日期"), _("联系人"), _("联系情况")]
        return [Part(_("联系记录"), columns, rows, _("还没有联系记录。联系之后用“记录联系”记下来。"))]


def state_of(row: FloatingMember, last_on: Any) -> tuple[str, str]:
    """Whether somebody is here and was contacted in time, as a chip."""
    today = timezone.localdate()
    if not is_present(row):
        return _("已离开"), "grey"
    return (_("待联系"), "amber") if last_on < due_before(today) else (_("正常"), "green")
