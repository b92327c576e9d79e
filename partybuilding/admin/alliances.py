"""Joint bodies in the admin: who chairs them today, who sits on them, and what is done with a seat."""

import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import (
    Fact,
    Part,
    ScopedModelAdmin,
    SelectFilter,
    chip,
    choice_filter,
    day_words,
    flag_filter,
    link,
)
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm
from grids.admin_people import date_input
from grids.admin_places import PlaceFilter, place_field
from grids.models import GridNode
from grids.querysets import current, unended
from partybuilding import actions, posts
from partybuilding.admin.fields import unit_field
from partybuilding.alliance_rules import ENDING_DAYS, LEVELS
from partybuilding.models import Alliance, AllianceKind, AllianceSeat, SeatRole
from partybuilding.pairing_deeds import version
from partybuilding.selectors.alliances import chairs_of, seat_counts

MOST = 200
STATES = (lazy("在用"), lazy("已撤销"))


class AllianceForm(DeedForm):
    name = forms.CharField(
        label=lazy("名称"), max_length=60, required=False, help_text=lazy("不填就用地名，如“新城社区党建联盟”。")
    )
    founded_on = forms.DateField(label=lazy("成立日期"), required=False, widget=date_input())


class NewAllianceForm(AllianceForm):
    kind = forms.ChoiceField(label=lazy("类型"), choices=AllianceKind.choices, widget=forms.RadioSelect)

    def build(self) -> None:
        levels = {level for found in LEVELS.values() for level in found}
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_ALLIANCE))
        self.fields["node"] = place_field(
            places.at(*levels).select_related("county", "level_type"),
            label=_("所在地"),
            help_text=_("填街道或社区的名称。"),
        )
        self.order_fields(["node", "kind", "name", "founded_on"])


class EditForm(AllianceForm):
    version = version()

    def build(self) -> None:
        self.fields["name"].required, self.fields["name"].help_text = True, ""


class CloseForm(DeedForm):
    reason = forms.CharField(label=lazy("理由"), max_length=500)
    version = version()


class TermForm(DeedForm):
    """Whose person it is, in what office, for how long."""

    title = forms.CharField(label=lazy("职务"), max_length=60, required=False)
    start = forms.DateField(label=lazy("任期开始"), initial=timezone.localdate, widget=date_input())
    end = forms.DateField(
        label=lazy("任期结束"), required=False, widget=date_input(), help_text=lazy("轮值主席必填，其他可以不填。")
    )

    def unit(self) -> None:
        self.fields["unit"] = unit_field(
            self.user, label=_("所在单位"), required=False, help_text=_("社区、街道自己的人不填。")
        )


class SeatForm(TermForm):
    role = forms.ChoiceField(label=lazy("席位"), choices=SeatRole.choices, widget=forms.RadioSelect)
    name = forms.CharField(label=lazy("姓名"), max_length=60)

    def build(self) -> None:
        self.unit()
        # The row is the joint body, whose name is nobody's.
        self.initial = {**self.initial, "name": ""}
        self.order_fields(["role", "name", "unit", "title", "start", "end"])


class ChangeSeatForm(TermForm):
    version = version()

    def build(self) -> None:
        self.unit()
        self.initial = {**self.initial, "unit": self.obj.unit}
        self.order_fields(["unit", "title", "start", "end", "version"])


class ReplaceForm(DeedForm):
    name = forms.CharField(label=lazy("接替人姓名"), max_length=60)
    title = forms.CharField(label=lazy("职务"), max_length=60, required=False)
    day = forms.DateField(
        label=lazy("交接日期"),
        initial=timezone.localdate,
        widget=date_input(),
        help_text=lazy("原来的到这一天为止，新的从这一天开始，任期到原定的日期。"),
    )
    reason = forms.CharField(label=lazy("理由"), max_length=500, required=False)
    version = version()

    def build(self) -> None:
        self.fields["unit"] = unit_field(self.user, label=_("所在单位"), required=False)
        self.initial = {**self.initial, "name": "", "title": self.obj.title, "unit": self.obj.unit}
        self.order_fields(["name", "unit", "title", "day", "reason", "version"])


class EndForm(DeedForm):
    end = forms.DateField(
        label=lazy("最后一天"), initial=timezone.localdate, widget=date_input(), help_text=lazy("当天仍然在任。")
    )
    reason = forms.CharField(label=lazy("理由"), max_length=500, required=False)
    version = version()

    def build(self) -> None:
        self.initial = {**self.initial, "end": timezone.localdate()}


def _create(*, actor: Any, obj: None, **data: Any) -> Alliance:
    return actions.create_alliance(actor=actor, **data)


def _update(*, actor: Any, obj: Alliance, **data: Any) -> Alliance:
    return actions.update_alliance(actor=actor, alliance=obj, **data)


def _close(*, actor: Any, obj: Alliance, **data: Any) -> Alliance:
    return actions.close_alliance(actor=actor, alliance=obj, **data)


def _add_seat(*, actor: Any, obj: Alliance, **data: Any) -> Alliance:
    actions.add_seat(actor=actor, alliance=obj, **data)
    return obj


def _change_seat(*, actor: Any, obj: AllianceSeat, **data: Any) -> AllianceSeat:
    return actions.change_seat(actor=actor, seat=obj, **data)


def _replace_seat(*, actor: Any, obj: AllianceSeat, **data: Any) -> AllianceSeat:
    return actions.replace_seat(actor=actor, seat=obj, **data)


def _end_seat(*, actor: Any, obj: AllianceSeat, **data: Any) -> AllianceSeat:
    return actions.end_seat(actor=actor, seat=obj, **data)


def _stands(alliance: Alliance) -> bool:
    return alliance.is_active


def seat_state(seat: AllianceSeat) -> tuple[str, str]:
    """Whether the term runs, as a chip."""
    today = timezone.localdate()
    if seat.end is not None and seat.end < today:
        return _("已结束"), "grey"
    if seat.start > today:
        return _("未开始"), "blue"
    if seat.end is not None and (seat.end - today).days <= ENDING_DAYS:
        return _("将到期"), "amber"
    return _("在任"), "green"


def _runs(seat: AllianceSeat) -> bool:
    return seat.alliance.is_active and (seat.end is None or seat.end >= timezone.localdate())


def _of_today(role: SeatRole) -> Subquery:
    """The name of who holds a role today; of two on the day of a handover the new one."""
    held = AllianceSeat.objects.filter(current(), alliance=OuterRef("pk"), role=role).order_by("-start", "-pk")
    return Subquery(held.values("name")[:1])


@admin.register(Alliance)
class AllianceAdmin(ScopedModelAdmin):
    list_display = ("title", "what", "place", "standing", "turn", "seats_now", "state")
    list_display_links = ("title",)
    list_filter = (
        PlaceFilter,
        choice_filter("kind", lazy("类型"), AllianceKind.choices),
        flag_filter("is_active", lazy("状态"), *STATES),
    )
    list_select_related = ("node",)
    search_fields = ("name", "node__path")
    search_help_text = lazy("名称或地点")
    ordering = ("node__tree_id", "node__lft", "kind")
    sortable_by = ()
    object_related = ("county", "node__county", "node__level_type")
    empty_text = lazy("先登记街道大工委、社区大党委或党建联盟，再登记主席、委员和成员。")
    adding = Deed(
        "add",
        lazy("登记联盟"),
        posts.MANAGE_ALLIANCE,
        NewAllianceForm,
        _create,
        lazy("已登记，接着登记席位。"),
        help=lazy("大工委设在街道，大党委设在社区，党建联盟设在街道或社区；每处每种一个。"),
        tone="main",
    )
    deeds = (
        Deed(
            "seat",
            lazy("增加席位"),
            posts.MANAGE_ALLIANCE,
            SeatForm,
            _add_seat,
            lazy("已增加席位。"),
            help=lazy("轮值主席轮流担任，任期不能重叠，交接那一天可以是同一天。"),
            tone="main",
            offered=_stands,
        ),
        Deed("edit", lazy("修改"), posts.MANAGE_ALLIANCE, EditForm, _update, lazy("已保存。")),
        Deed(
            "close",
            lazy("撤销"),
            posts.MANAGE_ALLIANCE,
            CloseForm,
            _close,
            lazy("已撤销。"),
            help=lazy("撤销后，各席位的任期到今天为止，名册保留。"),
            tone="danger",
            offered=_stands,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        held = Count("seats", filter=unended("seats__"), distinct=True)
        rows = super().get_queryset(request)
        return rows.annotate(
            standing_name=_of_today(SeatRole.STANDING_CHAIR), turn_name=_of_today(SeatRole.ROTATING_CHAIR), held=held
        )

    @admin.display(description=lazy("名称"))
    def title(self, row: Alliance) -> str:
        return row.name

    @admin.display(description=lazy("类型"))
    def what(self, row: Alliance) -> str:
        return row.get_kind_display()

    @admin.display(description=lazy("所在地"))
    def place(self, row: Alliance) -> str:
        return row.node.path

    @admin.display(description=lazy("常任主席"), empty_value="—")
    def standing(self, row: Any) -> str | None:
        return row.standing_name

    @admin.display(description=lazy("今天的轮值主席"), empty_value="—")
    def turn(self, row: Any) -> str | None:
        return row.turn_name

    @admin.display(description=lazy("席位"))
    def seats_now(self, row: Any) -> int:
        return int(row.held)

    @admin.display(description=lazy("状态"))
    def state(self, row: Alliance) -> str:
        return chip(*_used(row))

    def chips(self, obj: Alliance) -> list[tuple[str, str]]:
        return [(obj.get_kind_display(), "blue"), _used(obj)]

    def facts(self, request: HttpRequest, obj: Alliance) -> list[Fact]:
        counts = seat_counts(Alliance.objects.filter(pk=obj.pk))
        held = "、".join(f"{role.label} {counts[role]} 名" for role in SeatRole if counts[role])
        chairs = "、".join(_who(seat) for seat in chairs_of([obj])[obj.pk]) if obj.is_active else ""
        return [
            Fact(_("所在地"), obj.node.path, wide=True),
            Fact(_("成立日期"), day_words(obj.founded_on)),
            Fact(_("现有席位"), held, wide=True),
            Fact(_("今天的主席"), chairs, wide=True),
        ]

    def parts(self, request: HttpRequest, obj: Alliance) -> list[Part]:
        seats = AllianceSeat.objects.visible_to(request.user).filter(alliance=obj).select_related("unit")
        running = list(seats.filter(unended()).order_by("start", "pk")[:MOST])
        found = []
        for role in SeatRole:
            rows = [_line(seat) for seat in running if seat.role == role]
            if rows or role in (SeatRole.STANDING_CHAIR, SeatRole.ROTATING_CHAIR, SeatRole.MEMBER):
                columns = [_("姓名"), _("所在单位"), _("职务"), _("任期"), _("状态")]
                found.append(Part(str(role.label), columns, rows, _("还没有登记，请用“增加席位”。")))
        past = f"{reverse('admin:partybuilding_allianceseat_changelist')}?q={obj.name}"
        found[-1] = Part(found[-1].title, found[-1].columns, found[-1].rows, found[-1].empty, (_("名册和往届"), past))
        return found


def _used(row: Alliance) -> tuple[str, str]:
    return (_("在用"), "green") if row.is_active else (_("已撤销"), "grey")


def _who(seat: AllianceSeat) -> str:
    return f"{seat.name}（{seat.get_role_display()}）"


def _term(seat: AllianceSeat) -> str:
    words = {"start": day_words(seat.start), "end": day_words(seat.end)}
    return (_("%(start)s 至 %(end)s") if seat.end else _("%(start)s 起")) % words


def _line(seat: AllianceSeat) -> list[Any]:
    page = reverse("admin:partybuilding_allianceseat_change", args=[seat.pk])
    unit = seat.unit.name if seat.unit else "—"
    return [link(seat.name, page), unit, seat.title or "—", _term(seat), chip(*seat_state(seat))]


class SeatPlaceFilter(PlaceFilter):
    path = "alliance__node"


class TermFilter(SelectFilter):
    title = lazy("任期")
    parameter_name = "term"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("now", _("在任")), ("ending", _("一个月内到期")), ("over", _("已结束"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        today = timezone.localdate()
        if value == "over":
            return rows.filter(end__lt=today)
        if value == "ending":
            return rows.filter(end__gte=today, end__lte=today + datetime.timedelta(days=ENDING_DAYS))
        return rows.filter(current())


@admin.register(AllianceSeat)
class AllianceSeatAdmin(SheetAdmin):
    sheets = ("alliance_seats",)
    list_display = ("person", "what", "body", "unit_name", "office", "term", "state")
    list_display_links = ("person",)
    list_filter = (SeatPlaceFilter, choice_filter("role", lazy("席位"), SeatRole.choices), TermFilter)
    list_select_related = ("alliance__node", "unit")
    search_fields = ("name", "alliance__name", "unit__name", "unit__short_name")
    search_help_text = lazy("姓名、联盟、单位")
    ordering = ("alliance__node__tree_id", "alliance__node__lft", "alliance", "role", "start", "id")
    sortable_by = ()
    object_related = ("alliance__node", "alliance__county", "unit")
    empty_text = lazy("席位在联盟的页面上登记，也可以用表格整表导入。")
    deeds = (
        Deed(
            "replace",
            lazy("换人"),
            posts.MANAGE_ALLIANCE,
            ReplaceForm,
            _replace_seat,
            lazy("已换人。"),
            tone="main",
            offered=_runs,
        ),
        Deed(
            "change",
            lazy("修改任期和职务"),
            posts.MANAGE_ALLIANCE,
            ChangeSeatForm,
            _change_seat,
            lazy("已保存。"),
            help=lazy("续任的，把任期结束改到新的日期。"),
        ),
        Deed(
            "end",
            lazy("结束"),
            posts.MANAGE_ALLIANCE,
            EndForm,
            _end_seat,
            lazy("已结束。"),
            tone="danger",
            offered=_runs,
        ),
    )

    @admin.display(description=lazy("姓名"))
    def person(self, row: AllianceSeat) -> str:
        return row.name

    @admin.display(description=lazy("席位"))
    def what(self, row: AllianceSeat) -> str:
        return row.get_role_display()

    @admin.display(description=lazy("联盟"))
    def body(self, row: AllianceSeat) -> str:
        return row.alliance.name

    @admin.display(description=lazy("所在单位"), empty_value="—")
    def unit_name(self, row: AllianceSeat) -> str | None:
        return row.unit.name if row.unit else None

    @admin.display(description=lazy("职务"), empty_value="—")
    def office(self, row: AllianceSeat) -> str | None:
        return row.title or None

    @admin.display(description=lazy("任期"))
    def term(self, row: AllianceSeat) -> str:
        return _term(row)

    @admin.display(description=lazy("状态"))
    def state(self, row: AllianceSeat) -> str:
        return chip(*seat_state(row))

    def object_title(self, obj: AllianceSeat) -> str:
        return _who(obj)

    def chips(self, obj: AllianceSeat) -> list[tuple[str, str]]:
        return [seat_state(obj)]

    def facts(self, request: HttpRequest, obj: AllianceSeat) -> list[Fact]:
        page = reverse("admin:partybuilding_alliance_change", args=[obj.alliance_id])
        return [
            Fact(_("联盟"), link(obj.alliance.name, page)),
            Fact(_("所在地"), obj.alliance.node.path),
            Fact(_("席位"), obj.get_role_display()),
            Fact(_("姓名"), obj.name),
            Fact(_("所在单位"), obj.unit.name if obj.unit else ""),
            Fact(_("职务"), obj.title),
            Fact(_("任期开始"), day_words(obj.start)),
            Fact(_("任期结束"), day_words(obj.end)),
        ]
