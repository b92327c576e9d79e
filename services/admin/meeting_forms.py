"""The forms of joint meetings: each asks for one deed, the action has the last word."""

import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.deeds import DeedForm
from core.periods import Quarter
from grids.admin_people import date_input
from grids.admin_places import place_field
from grids.models import GridNode
from grids.naming import COMMUNITY, STREET
from grids.policies import CountyScope
from partybuilding.admin.fields import unit_field
from partybuilding.models import Unit
from services import posts
from services.actions.meeting_moves import DEFER
from services.forms import RowsField
from services.models import (
    Attendance,
    Demand,
    ItemState,
    MatchProposal,
    Project,
    ResolutionKind,
    Theme,
)
from services.selectors import meetings as selectors
from services.selectors.meetings import MOST

_AHEAD = datetime.timedelta(days=7)


def version() -> forms.IntegerField:
    return forms.IntegerField(widget=forms.HiddenInput)


def _words(label: Any, rows: int = 3, length: int = 500, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, widget=forms.Textarea(attrs={"rows": rows}), **kwargs)


def _moment(**kwargs: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=lazy("会议时间"), widget=widget, **kwargs)


def in_a_week() -> datetime.datetime:
    """Nine in the morning of a weekday a week from now: far enough ahead for the notice."""
    day = timezone.localtime() + _AHEAD
    if day.weekday() > 4:
        day += datetime.timedelta(days=7 - day.weekday())
    return day.replace(hour=9, minute=0, second=0, microsecond=0)


class Boxes(RowsField):
    """Rows to tick, each with a line of words."""

    def __init__(self, words: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = words

    def label_from_instance(self, obj: Any) -> str:
        return str(self.words(obj))


# --- Calling --------------------------------------------------------------------------------------------------------


class PlanForm(DeedForm):
    held_at = _moment(initial=in_a_week)
    venue = forms.CharField(label=lazy("会议地点"), max_length=100)
    host = forms.CharField(label=lazy("主持人"), max_length=60, required=False)
    quarter = forms.ChoiceField(label=lazy("季度"))
    title = forms.CharField(
        label=lazy("会议名称"),
        max_length=80,
        required=False,
        help_text=lazy("不填就叫“某年第几季度某地联席会议”。"),
    )

    def build(self) -> None:
        self.of_county = any(isinstance(one, CountyScope) for one in policies.scopes(self.user, posts.MANAGE_MEETING))
        self.fields["node"] = place_field(
            places_that_call(self.user),
            label=_("哪里召集"),
            required=not self.of_county,
            help_text=_("社区或街道；不填就是全县的联席会议。") if self.of_county else _("本社区或本街道。"),
        )
        now = Quarter.of(timezone.localdate())
        quarters = (now.previous(), now, now.next())
        self.fields["quarter"].choices = [(one.code, one.label) for one in quarters]  # type: ignore[attr-defined]
        self.fields["quarter"].initial = now.code
        self.order_fields(["node", "held_at", "venue", "host", "quarter", "title"])

    def clean_quarter(self) -> datetime.date:
        return Quarter.parse(self.cleaned_data["quarter"]).first_day


def places_that_call(user: Any) -> Any:
    """Streets and communities where the person may call a meeting."""
    places = GridNode.objects.standing().filter(policies.within(GridNode, user, posts.MANAGE_MEETING))
    return places.at(COMMUNITY, STREET).select_related("county", "level_type")


class ChangeForm(DeedForm):
    title = forms.CharField(label=lazy("会议名称"), max_length=80)
    held_at = _moment()
    venue = forms.CharField(label=lazy("会议地点"), max_length=100)
    host = forms.CharField(label=lazy("主持人"), max_length=60, required=False)
    version = version()


class UnitsForm(DeedForm):
    """Who is asked: the units that have reported here, those on the list already, and one more by name."""

    def build(self) -> None:
        reported = selectors.reported_units(self.obj)
        asked = Unit.objects.filter(attendances__meeting=self.obj)
        known = Unit.objects.filter(
            pk__in={*reported.values_list("pk", flat=True), *asked.values_list("pk", flat=True)}
        )
        self.fields["units"] = Boxes(
            lambda unit: unit.name,
            queryset=known.order_by("name"),
            label=_("参会单位"),
            required=False,
            initial=list(asked.values_list("pk", flat=True)),
            help_text=_("这里报到的单位已经选好。"),
        )
        self.fields["one_more"] = unit_field(self.user, label=_("再请一个单位"), required=False)
        self.fields["version"] = version()


# --- Agenda ---------------------------------------------------------------------------------------------------------


def _demand_words(demand: Demand) -> str:
    mark = _("（已上报）") if demand.escalated_at else ""
    return f"{mark}{demand.title} · {demand.node.name} · {demand.category.name} · {demand.get_state_display()}"


def _proposal_words(row: MatchProposal) -> str:
    owner = row.resource.unit.label if row.resource.unit else _("社区")
    return f"{row.demand.title} ← {owner} {row.resource.name}"


def _project_words(row: Project) -> str:
    return f"{row.name} · {row.node.name}"


class AgendaForm(DeedForm):
    """What is put on the agenda: ticked from what nobody has yet, and one matter in words of one's own."""

    title = forms.CharField(label=lazy("自拟议题"), max_length=100, required=False)
    text = _words(lazy("自拟议题的说明"), required=False, help_text=lazy("写事情，不写住户的姓名、电话。"))
    theme = forms.ChoiceField(
        label=lazy("问题类型"),
        choices=[("", lazy("（不分类）")), *Theme.choices],
        required=False,
        help_text=lazy("自拟议题的类型；勾选的需求按类别自动归类，可以再改。"),
    )
    version = version()

    def build(self) -> None:
        lists: tuple[tuple[str, Any, Any, Any], ...] = (
            ("demands", _("没有单位承办的需求"), selectors.demands_for(self.user, self.obj), _demand_words),
            ("proposals", _("供需匹配建议"), selectors.proposals_for(self.user, self.obj), _proposal_words),
            ("projects", _("待认领的项目"), selectors.projects_for(self.user, self.obj), _project_words),
        )
        offered = []
        for name, label, rows, words in lists:
            keys = list(rows.values_list("pk", flat=True)[: MOST + 1])
            if not keys:
                continue
            more = _("只列出最要紧的 %(count)d 条。") % {"count": MOST} if len(keys) > MOST else ""
            # Ordered as the selector orders; only what is shown can be ticked.
            self.fields[name] = Boxes(
                words, queryset=rows.filter(pk__in=keys[:MOST]), label=label, required=False, help_text=more
            )
            offered.append(name)
        self.order_fields([*offered, "title", "text", "theme", "version"])


class RemoveForm(DeedForm):
    version = version()

    def build(self) -> None:
        items = self.obj.items.order_by("order", "pk")
        self.fields["items"] = Boxes(lambda item: f"{item.order}. {item.title}", queryset=items, label=_("移出哪些"))
        self.order_fields(["items", "version"])


class ItemForm(DeedForm):
    title = forms.CharField(label=lazy("议题"), max_length=100)
    theme = forms.ChoiceField(
        label=lazy("问题类型"), choices=[("", lazy("（不分类）")), *Theme.choices], required=False
    )
    text = _words(lazy("说明"), required=False)
    said = _words(lazy("讨论情况"), rows=4, required=False, help_text=lazy("谁说了什么，写进会议纪要。"))
    version = version()


# --- The table ------------------------------------------------------------------------------------------------------


class PublishForm(DeedForm):
    reason = _words(
        lazy("提前不足三天的原因"), rows=2, required=False, help_text=lazy("离开会不足三天的才要填，单位会看到。")
    )
    version = version()


class ReasonForm(DeedForm):
    reason = _words(lazy("原因"), rows=2)
    version = version()


class VersionForm(DeedForm):
    version = version()


class PresentForm(DeedForm):
    version = version()

    def build(self) -> None:
        rows = Attendance.objects.filter(meeting=self.obj).select_related("unit").order_by("unit__name", "pk")
        self.fields["present"] = Boxes(
            _attendance_words,
            queryset=rows,
            label=_("到会的单位"),
            required=False,
            initial=[row.pk for row in rows if row.state == "present"],
        )
        self.order_fields(["present", "version"])


def _attendance_words(row: Attendance) -> str:
    said = row.person or row.note
    return f"{row.unit.name}（{row.get_state_display()}{'：' + said if said else ''}）"


class ClaimForm(DeedForm):
    version = version()

    def build(self) -> None:
        asked = Unit.objects.filter(attendances__meeting=self.obj.meeting_id, is_active=True).order_by("name")
        self.fields["unit"] = forms.ModelChoiceField(queryset=asked, label=_("认领单位"), empty_label=_("请选择"))
        self.order_fields(["unit", "version"])


class ResolveForm(DeedForm):
    """What, by whom, until when. The leader is asked for only where several are paired with the place."""

    kind = forms.ChoiceField(
        label=lazy("形式"), choices=ResolutionKind.choices, widget=forms.RadioSelect, initial=ResolutionKind.TASK
    )
    text = _words(lazy("决议"), length=300, help_text=lazy("做什么，做到什么样算完成。立为承诺的，这就是完成标准。"))
    owner = forms.CharField(
        label=lazy("责任人"),
        max_length=60,
        required=False,
        error_messages={"required": lazy("请写明责任人：没有责任人的决议不能保存。")},
    )
    due_on = forms.DateField(label=lazy("完成期限"), widget=date_input())
    version = version()

    def build(self) -> None:
        asked = Unit.objects.filter(attendances__meeting=self.obj.meeting_id, is_active=True).order_by("name")
        self.fields["unit"] = forms.ModelChoiceField(
            queryset=asked,
            label=_("责任单位"),
            required=False,
            initial=self.obj.unit_id,
            empty_label=_("（不指定）"),
            help_text=_("立项、承诺要有责任单位。"),
        )
        leaders = selectors.leaders_for(self.obj)
        self.fields["owner"].required = not leaders
        if leaders:
            self.fields["owner"].help_text = _("一定要写；只有提请领导协调的可以不填，就是领导本人。")
            self.fields["leader"] = forms.TypedChoiceField(
                label=_("协调领导"),
                choices=[("", _("（不提请）")), *((user.pk, user.name) for user in leaders)],
                coerce=lambda pk: next((user for user in leaders if str(user.pk) == str(pk)), None),
                required=False,
                empty_value=None,
                initial=leaders[0].pk if len(leaders) == 1 else "",
                help_text=_("选“领导协调”时提请谁。"),
            )
        else:
            kinds = [(key, words) for key, words in ResolutionKind.choices if key != ResolutionKind.LEADER]
            self.fields["kind"].choices = kinds  # type: ignore[attr-defined]
        self.order_fields(["kind", "text", "unit", "owner", "leader", "due_on", "version"])


class CloseForm(DeedForm):
    """The summary, and for each item nothing was resolved of: what becomes of it."""

    summary = _words(lazy("会议小结"), rows=4, length=2000, required=False)
    version = version()

    def build(self) -> None:
        waiting = self.obj.items.filter(state__in=[ItemState.OPEN, ItemState.CLAIMED]).select_related("unit")
        self.open_items = list(waiting.order_by("order", "pk"))
        for item in self.open_items:
            held = _("（%(unit)s已认领）") % {"unit": item.unit.label} if item.unit else ""
            self.fields[f"item_{item.pk}"] = forms.ChoiceField(
                label=f"{item.order}. {item.title}{held}",
                choices=[
                    (DEFER, _("缓议，列入下次会议")),
                    (str(ResolutionKind.TASK), _("立为任务（填责任人和期限）")),
                ],
                widget=forms.RadioSelect,
                initial=str(ResolutionKind.TASK) if item.unit else DEFER,
            )
            self.fields[f"item_{item.pk}_owner"] = forms.CharField(
                label=_("责任人：%(title)s") % {"title": item.title}, max_length=60, required=False
            )
            self.fields[f"item_{item.pk}_due_on"] = forms.DateField(
                label=_("完成期限：%(title)s") % {"title": item.title}, required=False, widget=date_input()
            )
        names = [name for name in self.fields if name.startswith("item_")]
        self.order_fields([*names, "summary", "version"])


class CorrectForm(DeedForm):
    text = _words(lazy("决议"), length=300)
    owner = forms.CharField(label=lazy("责任人"), max_length=60)
    due_on = forms.DateField(label=lazy("完成期限"), widget=date_input())
    reason = forms.CharField(
        label=lazy("修改原因"), max_length=500, required=False, help_text=lazy("会议结束以后修改的要填。")
    )
    version = version()


class ResultForm(DeedForm):
    result = _words(lazy("落实情况"), help_text=lazy("怎么落实的，结果怎样。"))
    version = version()
