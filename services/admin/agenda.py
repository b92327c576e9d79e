"""Items of agendas and resolutions in the admin: claimed, resolved, tracked to their end."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, ScopedModelAdmin, SelectFilter, chip, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, deed_of
from core.text import ellipsis
from grids.admin_places import PlaceFilter
from services import posts
from services.actions import meeting_table, meetings, resolutions
from services.actions.meeting_table import NewResolution
from services.admin import meeting_forms as forms
from services.models import (
    AgendaItem,
    ItemState,
    MeetingState,
    Resolution,
    ResolutionKind,
    ResolutionState,
    Theme,
)
from services.selectors.meetings import late
from services.views import meeting_faces as faces
from services.workflow.meetings import AGENDA_ITEM, RESOLUTION

SHOWN = 60
_MEETING = ("meeting__county", "meeting__node__level_type", "meeting__node__community")


def _claim(*, actor: Any, obj: AgendaItem, **data: Any) -> AgendaItem:
    return meeting_table.claim_item(actor=actor, item=obj, **data)


def _release(*, actor: Any, obj: AgendaItem, **data: Any) -> AgendaItem:
    return meeting_table.release_item(actor=actor, item=obj, **data)


def _defer(*, actor: Any, obj: AgendaItem, **data: Any) -> AgendaItem:
    return meeting_table.defer_item(actor=actor, item=obj, **data)


def _resolve(*, actor: Any, obj: AgendaItem, version: int, **data: Any) -> AgendaItem:
    resolution = NewResolution(**data)
    if resolution.kind == ResolutionKind.LEADER and resolution.leader is not None and not resolution.owner:
        resolution = NewResolution(**{**data, "owner": resolution.leader.name})
    meeting_table.resolve_item(actor=actor, item=obj, resolution=resolution, version=version)
    return obj


def _change(*, actor: Any, obj: AgendaItem, **data: Any) -> AgendaItem:
    return meetings.change_item(actor=actor, item=obj, **data)


class MeetingPlaceFilter(PlaceFilter):
    path = "meeting__node"


class OfMeeting:
    """What items and resolutions have in common: they lie on the table of a meeting, and one goes back to it."""

    def to_table(self, answer: HttpResponse, obj: Any) -> HttpResponse:
        if obj.meeting.state == MeetingState.RUNNING:
            return redirect(reverse("admin:services_jointmeeting_table", args=[obj.meeting_id]))
        return answer

    @admin.display(description=lazy("会议"))
    def where(self, row: Any) -> str:
        return str(row.meeting.title)

    @staticmethod
    def of_meeting(row: Any) -> Fact:
        address = reverse("admin:services_jointmeeting_change", args=[row.meeting_id])
        return Fact(_("会议"), link(row.meeting.title, address), wide=True)


@admin.register(AgendaItem)
class AgendaItemAdmin(OfMeeting, ScopedModelAdmin):
    list_display = ("words", "where", "kind", "who", "state_chip")
    list_display_links = ("words",)
    list_filter = (
        MeetingPlaceFilter,
        choice_filter("state", lazy("状态"), ItemState.choices),
        choice_filter("theme", lazy("问题类型"), Theme.choices),
    )
    list_select_related = ("meeting", "unit")
    search_fields = ("title", "meeting__title", "unit__name")
    search_help_text = lazy("议题、会议、认领单位")
    ordering = ("-meeting__held_at", "order", "id")
    sortable_by = ()
    object_related = (
        *_MEETING,
        "unit",
        "demand__node",
        "demand__community",
        "demand__lead_unit",
        "project__node",
        "project__lead_unit",
        "proposal__demand__node",
        "proposal__resource",
        "came_from__meeting",
    )
    empty_text = lazy("联席会议的议题会列在这里。先召集一次会议，再添加议题。")
    deeds = (
        deed_of(AGENDA_ITEM, "resolve", forms.ResolveForm, _resolve),
        # For a unit whose people have no phone at hand; the units themselves do it on theirs.
        Deed(
            "claim",
            lazy("代记认领"),
            posts.MANAGE_MEETING,
            forms.ClaimForm,
            _claim,
            AGENDA_ITEM.get("claim").done,
            help=AGENDA_ITEM.get("claim").help,
            offered=lambda row: row.state == ItemState.OPEN,
        ),
        Deed(
            "release",
            AGENDA_ITEM.get("release").label,
            posts.MANAGE_MEETING,
            forms.VersionForm,
            _release,
            AGENDA_ITEM.get("release").done,
            offered=lambda row: row.state == ItemState.CLAIMED,
        ),
        Deed(
            "change",
            lazy("修改议题"),
            posts.MANAGE_MEETING,
            forms.ItemForm,
            _change,
            lazy("已保存。"),
            offered=lambda row: row.meeting.state not in (MeetingState.CLOSED, MeetingState.CANCELLED),
        ),
        deed_of(AGENDA_ITEM, "defer", forms.VersionForm, _defer),
    )

    @admin.display(description=lazy("议题"))
    def words(self, row: AgendaItem) -> str:
        return ellipsis(row.title, SHOWN)

    @admin.display(description=lazy("问题类型"), empty_value="—")
    def kind(self, row: AgendaItem) -> str | None:
        return row.get_theme_display() or None

    @admin.display(description=lazy("认领单位"), empty_value="—")
    def who(self, row: AgendaItem) -> str | None:
        return row.unit.label if row.unit else None

    @admin.display(description=lazy("状态"))
    def state_chip(self, row: AgendaItem) -> str:
        return chip(*faces.item_chip(row))

    def object_title(self, obj: AgendaItem) -> str:
        return obj.title

    def chips(self, obj: AgendaItem) -> list[tuple[str, str]]:
        return [faces.item_chip(obj)]

    def object_context(self, request: HttpRequest, obj: AgendaItem) -> dict[str, Any]:
        """Buttons stand only while the meeting is under way; and the way back to the table."""
        context = super().object_context(request, obj)
        if obj.meeting.state == MeetingState.RUNNING:
            address = reverse("admin:services_jointmeeting_table", args=[obj.meeting_id])
            context["buttons"].append({"label": _("回会议大屏"), "tone": "plain", "url": address})
        else:
            context["buttons"] = [one for one in context["buttons"] if one["url"].endswith("/change/")]
        return context

    def facts(self, request: HttpRequest, obj: AgendaItem) -> list[Fact]:
        matter: list[Fact] = []
        if obj.demand is not None:
            words: Any = f"{obj.demand.code} {obj.demand.title}"
            if policies.sees(request.user, obj.demand):
                words = link(words, reverse("admin:services_demand_change", args=[obj.demand_id]))
            matter.append(Fact(_("需求"), words, wide=True))
        if obj.project is not None:
            matter.append(Fact(_("项目"), str(obj.project), wide=True))
        if obj.proposal is not None:
            matter.append(Fact(_("可用资源"), obj.proposal.resource.name))
        before = [Fact(_("上次会议"), obj.came_from.meeting.title)] if obj.came_from else []
        return [
            self.of_meeting(obj),
            Fact(_("问题类型"), obj.get_theme_display()),
            Fact(_("认领单位"), obj.unit.name if obj.unit else ""),
            *matter,
            *before,
            Fact(_("说明"), obj.text, wide=True),
            Fact(_("讨论情况"), obj.said, wide=True),
        ]

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """What is resolved is not what the matter says of itself."""
        return {"version": obj.version} if deed.name == "resolve" else super().initial(request, deed, obj)

    def parts(self, request: HttpRequest, obj: AgendaItem) -> list[Part]:
        rows = [
            [
                link(row.text, reverse("admin:services_resolution_change", args=[row.pk])),
                row.get_kind_display(),
                row.unit.label if row.unit else "—",
                row.owner,
                day_words(row.due_on),
                chip(*faces.resolution_chip(row)),
            ]
            for row in obj.resolutions.select_related("unit").order_by("pk")
        ]
        columns = [_("决议"), _("形式"), _("责任单位"), _("责任人"), _("完成期限"), _("状态")]
        return [Part(_("决议"), columns, rows, _("还没有决议。会议进行中点“形成决议”。"))]

    def after(self, request: HttpRequest, deed: Deed, obj: Any, result: Any) -> HttpResponse:
        return self.to_table(super().after(request, deed, obj, result), obj)


def _finish(*, actor: Any, obj: Resolution, **data: Any) -> Resolution:
    return resolutions.finish_resolution(actor=actor, resolution=obj, **data)


def _drop(*, actor: Any, obj: Resolution, **data: Any) -> Resolution:
    return resolutions.drop_resolution(actor=actor, resolution=obj, **data)


def _correct(*, actor: Any, obj: Resolution, **data: Any) -> Resolution:
    return meeting_table.correct_resolution(actor=actor, resolution=obj, **data)


class LateFilter(SelectFilter):
    title = lazy("期限")
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("已到期未落实"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(late())


@admin.register(Resolution)
class ResolutionAdmin(OfMeeting, SheetAdmin):
    list_display = ("words", "where", "kind_words", "who", "due", "state_chip")
    list_display_links = ("words",)
    list_filter = (
        MeetingPlaceFilter,
        choice_filter("kind", lazy("形式"), ResolutionKind.choices),
        choice_filter("state", lazy("状态"), ResolutionState.choices),
        LateFilter,
    )
    list_select_related = ("meeting", "unit")
    search_fields = ("text", "item__title", "meeting__title", "unit__name", "owner")
    search_help_text = lazy("决议、议题、会议、责任单位、责任人")
    ordering = ("state", "due_on", "id")
    sortable_by = ()
    object_related = (*_MEETING, "item", "unit", "leader", "project", "commitment")
    sheets = ("resolutions",)
    empty_text = lazy("联席会议议定的事会列在这里，直到落实。")
    deeds = (
        Deed(
            "finish",
            RESOLUTION.get("finish").label,
            posts.MANAGE_MEETING,
            forms.ResultForm,
            _finish,
            RESOLUTION.get("finish").done,
            tone="main",
            offered=lambda row: _is_task(row) and row.meeting.state == MeetingState.CLOSED,
        ),
        Deed(
            "correct",
            lazy("更正"),
            posts.MANAGE_MEETING,
            forms.CorrectForm,
            _correct,
            lazy("已更正。"),
            offered=lambda row: row.state == ResolutionState.OPEN,
        ),
        Deed(
            "drop",
            RESOLUTION.get("drop").label,
            posts.MANAGE_MEETING,
            forms.ReasonForm,
            _drop,
            RESOLUTION.get("drop").done,
            help=lazy("会上撤回或不再办理的，写明原因。已经立项、承诺的，请到项目、承诺里终止。"),
            tone="danger",
            offered=lambda row: _is_task(row) or row.meeting.state != MeetingState.CLOSED,
        ),
    )

    @admin.display(description=lazy("决议"))
    def words(self, row: Resolution) -> str:
        return ellipsis(row.text, SHOWN)

    @admin.display(description=lazy("形式"))
    def kind_words(self, row: Resolution) -> str:
        return row.get_kind_display()

    @admin.display(description=lazy("责任单位（人）"))
    def who(self, row: Resolution) -> str:
        return f"{row.unit.label} {row.owner}" if row.unit else row.owner

    @admin.display(description=lazy("完成期限"))
    def due(self, row: Resolution) -> str:
        return day_words(row.due_on)

    @admin.display(description=lazy("状态"))
    def state_chip(self, row: Resolution) -> str:
        return chip(*faces.resolution_chip(row))

    def object_title(self, obj: Resolution) -> str:
        return ellipsis(obj.text, SHOWN)

    def chips(self, obj: Resolution) -> list[tuple[str, str]]:
        return [(obj.get_kind_display(), "blue"), faces.resolution_chip(obj)]

    def facts(self, request: HttpRequest, obj: Resolution) -> list[Fact]:
        item = link(obj.item.title, reverse("admin:services_agendaitem_change", args=[obj.item_id]))
        made: list[Fact] = []
        if obj.project is not None:
            made.append(Fact(_("项目"), str(obj.project), wide=True))
        if obj.commitment is not None:
            words: Any = obj.commitment.title
            if policies.sees(request.user, obj.commitment):
                words = link(words, reverse("admin:services_commitment_change", args=[obj.commitment_id]))
            made.append(Fact(_("承诺事项"), words, wide=True))
        return [
            self.of_meeting(obj),
            Fact(_("议题"), item, wide=True),
            Fact(_("决议"), obj.text, wide=True),
            Fact(_("责任单位"), obj.unit.name if obj.unit else ""),
            Fact(_("责任人"), obj.owner),
            *([Fact(_("协调领导"), obj.leader.name)] if obj.leader else []),
            Fact(_("完成期限"), day_words(obj.due_on)),
            Fact(_("落实日期"), day_words(obj.done_on)),
            *made,
            Fact(_("落实情况"), obj.result, wide=True),
        ]

    def after(self, request: HttpRequest, deed: Deed, obj: Any, result: Any) -> HttpResponse:
        return self.to_table(super().after(request, deed, obj, result), obj)


def _is_task(row: Resolution) -> bool:
    """Whether somebody says here that it is done: what became a project or a commitment follows that."""
    return row.state == ResolutionState.OPEN and row.project_id is None and row.commitment_id is None
