"""Joint activities in the admin: the community writes them down."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, SelectFilter, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm
from core.errors import DomainError
from core.forms import add_domain_error
from core.text import ellipsis
from grids.admin_people import date_input
from grids.admin_places import PlaceFilter, place_field
from grids.models import GridNode
from partybuilding.models import CompoundRunning, Unit, UnitKind
from partybuilding.pairing_deeds import version
from partybuilding.unit_names import UnitNames
from services import actions, posts
from services.admin.filters import PeriodFilter
from services.forms import RowsField
from services.models import Activity, ActivityKind, UnitCheckIn


class FactsForm(DeedForm):
    """What an activity is. Units that report to the person's places and firms that run compounds there are ticked, others
    are named."""

    kind = forms.ChoiceField(label=lazy("类型"), choices=ActivityKind.choices)
    title = forms.CharField(label=lazy("活动名称"), max_length=80)
    held_on = forms.DateField(label=lazy("日期"), initial=timezone.localdate, widget=date_input())
    others = forms.CharField(
        label=lazy("其他参加单位"),
        max_length=500,
        required=False,
        help_text=lazy("上面没有列出的单位，写登记的名称，用顿号分开。"),
    )
    people = forms.IntegerField(
        label=lazy("参加人数"), min_value=0, required=False, help_text=lazy("大致人数，没有数过可以不填。")
    )
    text = forms.CharField(
        label=lazy("活动情况"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("写做了什么，不写居民的姓名、电话。"),
    )

    def build(self) -> None:
        places = GridNode.objects.filter(policies.within(GridNode, self.user, posts.MANAGE_ACTIVITY))
        self.places = places.standing().filter(community__isnull=False)
        held = UnitCheckIn.objects.current().filter(node__in=places.values("pk")).values("unit")
        running = CompoundRunning.objects.by_firms().filter(node__in=places.values("pk")).values("firm")
        units = Unit.objects.active().filter(Q(pk__in=held) | Q(pk__in=running))
        if self.obj is not None:
            units = Unit.objects.filter(pk__in=[*units.values_list("pk", flat=True), *_unit_keys(self.obj)])
        self.fields["units"] = RowsField(
            label=_("参加单位"),
            queryset=units.order_by("name"),
            required=False,
            initial=self.obj and _unit_keys(self.obj),
        )
        self.order_fields(["node", "kind", "title", "held_on", "units", "others", "people", "text", "version"])

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        place = self.obj.node if self.obj else data.get("node")
        others, units = data.pop("others", ""), list(data.get("units") or [])
        if place is not None and others:
            try:
                units += UnitNames(place.county).several(others, field="others")
            except DomainError as error:
                add_domain_error(self, error)
        data["units"] = list({unit.pk: unit for unit in units}.values())
        return data


class NewForm(FactsForm):
    def build(self) -> None:
        super().build()
        self.fields["node"] = place_field(self.places.select_related("county"), label=_("地点"))
        self.order_fields(["node"])


class ChangeForm(FactsForm):
    version = version()


class DropForm(DeedForm):
    reason = forms.CharField(label=lazy("删除理由"), max_length=500)
    version = version()


def _unit_keys(row: Activity) -> list[int]:
    return list(row.units.values_list("pk", flat=True))


def _register(*, actor: Any, obj: None, **data: Any) -> Activity:
    return actions.register_activity(actor=actor, **data)


def _change(*, actor: Any, obj: Activity, **data: Any) -> Activity:
    return actions.change_activity(actor=actor, activity=obj, **data)


def _drop(*, actor: Any, obj: Activity, **data: Any) -> None:
    actions.drop_activity(actor=actor, activity=obj, **data)


class ActivityPlaceFilter(PlaceFilter):
    community = "community"


class HeldFilter(PeriodFilter):
    title = lazy("日期")

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        period = self.periods[value]
        return rows.filter(held_on__range=(period.first_day, period.last_day))


class FirmFilter(SelectFilter):
    """Which property firm took part. Offered where a figure leads here."""

    title = lazy("物业企业")
    parameter_name = "firm"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        if not request.GET.get("firm"):
            return []
        firms = Unit.objects.visible_to(request.user).filter(kind=UnitKind.PROPERTY).order_by("name")
        return [("any", _("全部")), *((str(unit.pk), unit.label) for unit in firms)]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        named = Q(units__kind=UnitKind.PROPERTY) if value == "any" else Q(units=int(value))
        return rows.filter(pk__in=Activity.objects.filter(named).values("pk"))


@admin.register(Activity)
class ActivityAdmin(SheetAdmin):
    list_display = ("what", "kind_words", "place", "day", "who", "count")
    list_display_links = ("what",)
    list_filter = (
        ActivityPlaceFilter,
        choice_filter("kind", lazy("类型"), ActivityKind.choices),
        HeldFilter,
        FirmFilter,
    )
    list_select_related = ("node",)
    search_fields = ("title", "node__path", "units__name")
    search_help_text = lazy("活动名称、地点、单位")
    ordering = ("-held_on", "-id")
    sortable_by = ()
    object_related = ("node__county", "community")
    sheets = ("activities",)
    empty_text = lazy("社区和单位一起办的活动，办完后登记在这里；也可以整表导入。")
    adding = Deed(
        "add",
        lazy("登记活动"),
        posts.MANAGE_ACTIVITY,
        NewForm,
        _register,
        lazy("已登记活动。"),
        help=lazy("只登记已经办过的，计入社区的共建活动数。"),
        tone="main",
    )
    deeds = (
        Deed("edit", lazy("修改"), posts.MANAGE_ACTIVITY, ChangeForm, _change, lazy("已保存。"), tone="main"),
        Deed(
            "drop",
            lazy("删除"),
            posts.MANAGE_ACTIVITY,
            DropForm,
            _drop,
            lazy("已删除。"),
            help=lazy("只用于登记错了的活动，删除后不再计数，审计里留有记录。"),
            tone="danger",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("units")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, _twice = super().get_search_results(request, queryset, search_term)
        # A search over the units finds an activity once for each of them.
        return found.distinct(), False

    def after(self, request: HttpRequest, deed: Deed, obj: Any, result: Any) -> HttpResponse:
        if deed.name == "drop":
            messages.success(request, str(deed.done))
            return redirect(self.url("changelist"))
        return super().after(request, deed, obj, result)

    @admin.display(description=lazy("活动名称"))
    def what(self, row: Activity) -> str:
        return ellipsis(row.title, 40)

    @admin.display(description=lazy("类型"))
    def kind_words(self, row: Activity) -> str:
        return row.get_kind_display()

    @admin.display(description=lazy("地点"))
    def place(self, row: Activity) -> str:
        return row.node.path

    @admin.display(description=lazy("日期"))
    def day(self, row: Activity) -> str:
        return day_words(row.held_on)

    @admin.display(description=lazy("参加单位"))
    def who(self, row: Activity) -> str:
        return ellipsis("、".join(unit.label for unit in row.units.all()), 40)

    @admin.display(description=lazy("参加人数"), empty_value="—")
    def count(self, row: Activity) -> int | None:
        return row.people

    def object_title(self, obj: Activity) -> str:
        return obj.title

    def chips(self, obj: Activity) -> list[tuple[str, str]]:
        return [(obj.get_kind_display(), "blue")]

    def facts(self, request: HttpRequest, obj: Activity) -> list[Fact]:
        place: Any = obj.node.path
        if policies.sees(request.user, obj.node):
            place = link(place, reverse("admin:grids_gridnode_change", args=[obj.node_id]))
        return [
            Fact(_("地点"), place, wide=True),
            Fact(_("日期"), day_words(obj.held_on)),
            Fact(_("参加人数"), obj.people),
            Fact(_("活动情况"), obj.text, wide=True),
        ]

    def parts(self, request: HttpRequest, obj: Activity) -> list[Part]:
        units = obj.units.order_by("name")
        rows = [
            [
                link(unit.name, reverse("admin:partybuilding_unit_change", args=[unit.pk])),
                unit.get_kind_display(),
            ]
            for unit in units
        ]
        return [Part(_("参加单位"), [_("单位"), _("单位类型")], rows)]
