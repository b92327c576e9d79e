"""Joint meetings in the admin: called, told, held at the table, closed; and their papers."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, SelectFilter, chip, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, deed_of
from core.documents import CONTENT_TYPE
from core.errors import NotFound
from core.periods import Quarter, datetime_words
from grids.admin_places import PlaceFilter
from grids.models import GridNode
from grids.selectors import managed_county
from services import posts
from services.actions import meeting_moves, meeting_table, meetings
from services.actions.meeting_moves import DEFER
from services.actions.meeting_table import NewResolution
from services.actions.meetings import NewItem
from services.admin import meeting_forms as forms
from services.meeting_papers import minutes
from services.models import JointMeeting, MeetingState, Presence, ResolutionKind, Theme
from services.selectors import meetings as selectors
from services.views import meeting_faces as faces
from services.workflow.meetings import MEETING

OVER = (MeetingState.CLOSED, MeetingState.CANCELLED)


def _plan(*, actor: Any, obj: None, node: Any, **data: Any) -> JointMeeting:
    county = node.county if node is not None else managed_county(actor, posts.MANAGE_MEETING)
    return meetings.plan_meeting(actor=actor, county=county, node=node, **data)


def _change(*, actor: Any, obj: JointMeeting, **data: Any) -> JointMeeting:
    return meetings.change_meeting(actor=actor, meeting=obj, **data)


def _units(*, actor: Any, obj: JointMeeting, units: Any, one_more: Any, version: int) -> JointMeeting:
    wanted = [*units, *([one_more] if one_more and one_more not in units else [])]
    return meetings.set_units(actor=actor, meeting=obj, units=wanted, version=version)


def _agenda(*, actor: Any, obj: JointMeeting, title: str, text: str, theme: str, version: int, **lists: Any) -> Any:
    rows = [NewItem(demand=demand) for demand in lists.get("demands", ())]
    rows += [NewItem(proposal=proposal) for proposal in lists.get("proposals", ())]
    rows += [NewItem(project=project) for project in lists.get("projects", ())]
    if title or not rows:
        rows.append(NewItem(title, text, theme))
    meetings.add_items(actor=actor, meeting=obj, rows=rows, version=version)
    return obj


def _remove(*, actor: Any, obj: JointMeeting, **data: Any) -> JointMeeting:
    return meetings.remove_items(actor=actor, meeting=obj, **data)


def _publish(*, actor: Any, obj: JointMeeting, **data: Any) -> JointMeeting:
    return meeting_moves.publish_meeting(actor=actor, meeting=obj, **data)


def _start(*, actor: Any, obj: JointMeeting, **data: Any) -> JointMeeting:
    return meeting_moves.start_meeting(actor=actor, meeting=obj, **data)


def _cancel(*, actor: Any, obj: JointMeeting, **data: Any) -> JointMeeting:
    return meeting_moves.cancel_meeting(actor=actor, meeting=obj, **data)


def _present(*, actor: Any, obj: JointMeeting, **data: Any) -> JointMeeting:
    meeting_table.mark_present(actor=actor, meeting=obj, **data)
    return obj


def _close(*, actor: Any, obj: JointMeeting, summary: str, version: int, **asked: Any) -> JointMeeting:
    """`asked`: item_<key>, item_<key>_owner, item_<key>_due_on for each item nothing was resolved of."""
    titles = dict(obj.items.values_list("pk", "title"))
    fates: dict[int, meeting_moves.Fate] = {}
    for name, fate in asked.items():
        key = name.removeprefix("item_")
        if not key.isdigit():
            continue
        if fate == DEFER:
            fates[int(key)] = DEFER
        else:
            owner, due_on = asked[f"{name}_owner"], asked[f"{name}_due_on"]
            fates[int(key)] = NewResolution(ResolutionKind.TASK, titles[int(key)], due_on, owner)
    return meeting_moves.close_meeting(actor=actor, meeting=obj, summary=summary, fates=fates, version=version)


class QuarterFilter(SelectFilter):
    """The quarters of the last two years."""

    title = lazy("季度")
    parameter_name = "quarter"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found, one = [], Quarter.of(timezone.localdate()).next()
        for _number in range(9):
            found.append((one.code, one.label))
            one = one.previous()
        return found

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(quarter=Quarter.parse(value).first_day)


@admin.register(JointMeeting)
class JointMeetingAdmin(SheetAdmin):
    list_display = ("name", "place", "when", "came", "matters", "state_chip")
    list_display_links = ("name",)
    list_filter = (PlaceFilter, choice_filter("state", lazy("状态"), MeetingState.choices), QuarterFilter)
    list_select_related = ("node", "county")
    search_fields = ("title", "node__path", "venue")
    search_help_text = lazy("会议名称、召集地")
    ordering = ("-held_at", "-id")
    sortable_by = ()
    object_related = ("county", "node__level_type", "node__community")
    sheets = ("meetings",)
    empty_text = lazy("每季度开一次联席会议：点“召集会议”，参会单位和上次缓议的议题会自动列好。")
    adding = Deed(
        "add",
        lazy("召集会议"),
        posts.MANAGE_MEETING,
        forms.PlanForm,
        _plan,
        lazy("会议已建好。接下来添加议题，再发会议通知。"),
        help=lazy("先定时间地点；这里报到的单位自动列为参会单位，上次缓议的议题自动列入议程。发通知以前都可以改。"),
        tone="main",
    )
    deeds = (
        Deed(
            "agenda",
            lazy("添加议题"),
            posts.MANAGE_MEETING,
            forms.AgendaForm,
            _agenda,
            lazy("已列入议程。"),
            help=lazy("勾选没有单位承办的需求、匹配建议和待认领的项目（已上报的排在前面），也可以自拟一个议题。"),
            tone="main",
            offered=lambda row: row.state not in OVER,
        ),
        deed_of(MEETING, "publish", forms.PublishForm, _publish),
        deed_of(MEETING, "start", forms.VersionForm, _start),
        deed_of(MEETING, "close", forms.CloseForm, _close),
        Deed(
            "present",
            lazy("登记到会"),
            posts.MANAGE_MEETING,
            forms.PresentForm,
            _present,
            lazy("已登记到会。"),
            offered=lambda row: row.state == MeetingState.RUNNING,
        ),
        Deed(
            "units",
            lazy("调整参会单位"),
            posts.MANAGE_MEETING,
            forms.UnitsForm,
            _units,
            lazy("参会单位已调整。"),
            help=lazy("发通知以后只能增加，新增的单位会收到通知。"),
            offered=lambda row: row.state not in OVER,
        ),
        deed_of(MEETING, "change", forms.ChangeForm, _change),
        Deed(
            "remove",
            lazy("移出议题"),
            posts.MANAGE_MEETING,
            forms.RemoveForm,
            _remove,
            lazy("已移出议程。"),
            offered=lambda row: row.state == MeetingState.PLANNED,
        ),
        deed_of(MEETING, "cancel", forms.ReasonForm, _cancel),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        present = Count("attendances", filter=Q(attendances__state=Presence.PRESENT), distinct=True)
        return rows.annotate(
            asked_count=Count("attendances", distinct=True),
            present_count=present,
            item_count=Count("items", distinct=True),
        )

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """A new one starts with the person's own place, and with the venue and host of the last one there."""
        if deed.name in ("agenda", "publish", "cancel"):
            # A matter is not called like the meeting, and a new reason is not the last one.
            return {"version": obj.version}
        if obj is not None:
            return super().initial(request, deed, obj)
        places = forms.places_that_call(request.user)
        node = request.GET.get("node", "")
        chosen = None
        if node.isascii() and node.isdigit() and len(node) < 19:
            chosen = places.filter(pk=int(node)).first()
        elif not any(
            scope for scope in policies.scopes(request.user, posts.MANAGE_MEETING) if not hasattr(scope, "lft")
        ):
            chosen = places.order_by("tree_id", "lft").first()
        last = JointMeeting.objects.visible_to(request.user).filter(node=chosen).order_by("-held_at").first()
        found: dict[str, Any] = {"node": chosen} if chosen else {}
        return {**found, "venue": last.venue, "host": last.host} if last else found

    # --- List ---

    @admin.display(description=lazy("会议"))
    def name(self, row: JointMeeting) -> str:
        return row.title

    @admin.display(description=lazy("召集地"))
    def place(self, row: JointMeeting) -> str:
        return place_words(row)

    @admin.display(description=lazy("会议时间"))
    def when(self, row: JointMeeting) -> str:
        return datetime_words(row.held_at)

    @admin.display(description=lazy("到会/应到"))
    def came(self, row: Any) -> str:
        return f"{row.present_count}/{row.asked_count}"

    @admin.display(description=lazy("议题"))
    def matters(self, row: Any) -> int:
        return int(row.item_count)

    @admin.display(description=lazy("状态"))
    def state_chip(self, row: JointMeeting) -> str:
        return chip(*faces.meeting_chip(row))

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [*super().tools(request), (_("会议统计"), self.url("figures"), "plain")]

    # --- One ---

    def chips(self, obj: JointMeeting) -> list[tuple[str, str]]:
        return [faces.meeting_chip(obj)]

    def object_context(self, request: HttpRequest, obj: JointMeeting) -> dict[str, Any]:
        context = super().object_context(request, obj)
        papers = []
        if obj.state in (MeetingState.PUBLISHED, MeetingState.RUNNING):
            tone = "main" if obj.state == MeetingState.RUNNING else "plain"
            papers.append({"label": _("会议大屏"), "tone": tone, "url": self.url("table", obj.pk)})
        if obj.state != MeetingState.CANCELLED:
            papers.append({"label": _("打印签到表"), "tone": "plain", "url": self.url("sign_in", obj.pk)})
        if obj.state in (MeetingState.RUNNING, MeetingState.CLOSED):
            papers.append({"label": _("下载会议纪要"), "tone": "plain", "url": self.url("minutes", obj.pk)})
        danger = [button for button in context["buttons"] if button["tone"] == "danger"]
        others = [button for button in context["buttons"] if button["tone"] != "danger"]
        context["buttons"] = [*others, *papers, *danger]
        return context

    def facts(self, request: HttpRequest, obj: JointMeeting) -> list[Fact]:
        return [
            Fact(_("召集地"), place_words(obj)),
            Fact(_("季度"), Quarter.of(obj.quarter).label),
            Fact(_("会议时间"), datetime_words(obj.held_at)),
            Fact(_("会议地点"), obj.venue),
            Fact(_("主持人"), obj.host),
            Fact(_("通知时间"), datetime_words(obj.published_at) if obj.published_at else ""),
            *([Fact(_("结束时间"), datetime_words(obj.closed_at))] if obj.closed_at else []),
            *([Fact(_("说明"), obj.reason, wide=True)] if obj.reason else []),
            *([Fact(_("会议小结"), obj.summary, wide=True)] if obj.summary else []),
        ]

    def parts(self, request: HttpRequest, obj: JointMeeting) -> list[Part]:
        table = selectors.table_of(request.user, obj.pk)
        assert table is not None
        items = [
            [
                item.order,
                link(item.title, reverse("admin:services_agendaitem_change", args=[item.pk])),
                item.get_theme_display() or "—",
                item.unit.label if item.unit else "—",
                chip(*faces.item_chip(item)),
            ]
            for item in table.items.all()
        ]
        made = [
            [
                link(row.text, reverse("admin:services_resolution_change", args=[row.pk])),
                row.get_kind_display(),
                row.unit.label if row.unit else "—",
                row.owner,
                day_words(row.due_on),
                chip(*faces.resolution_chip(row)),
            ]
            for item in table.items.all()
            for row in item.resolutions.all()
        ]
        asked = [
            [row.unit.name, chip(*faces.presence_chip(row)), row.person or "—", row.note or "—"]
            for row in table.attendances.all()
        ]
        columns = [_("决议"), _("形式"), _("责任单位"), _("责任人"), _("完成期限"), _("状态")]
        return [
            Part(
                _("议程"),
                [_("序号"), _("议题"), _("问题类型"), _("认领单位"), _("状态")],
                items,
                _("还没有议题。点“添加议题”，从没有单位承办的需求和待认领的项目里勾选。"),
            ),
            *([Part(_("决议"), columns, made)] if made else []),
            Part(
                _("参会单位"),
                [_("单位"), _("出席"), _("参会人"), _("说明")],
                asked,
                _("还没有参会单位。单位报到以后会自动列出，也可以点“调整参会单位”添加。"),
            ),
        ]

    # --- The table, papers, figures ---

    def more_urls(self) -> list[URLPattern]:
        return [
            self.page("figures/", self.figures_view, "figures"),
            self.page("<int:pk>/table/", self.table_view, "table"),
            path("<int:pk>/live/", self.live_door, name=self.url_name("live")),
            self.page("<int:pk>/minutes/", self.minutes_view, "minutes"),
            self.page("<int:pk>/sign-in/", self.sign_in_view, "sign_in"),
        ]

    def _table(self, request: HttpRequest, pk: int) -> JointMeeting:
        if request.method not in {"GET", "HEAD"} or not self.sees_list(request.user):
            raise NotFound(_("没有找到这次会议，或不在您的管辖范围内。"))
        found = selectors.table_of(request.user, pk)
        if found is None:
            raise NotFound(_("没有找到这次会议，或不在您的管辖范围内。"))
        return found

    def _board(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        meeting = self._table(request, pk)
        return {
            "meeting": meeting,
            "lines": faces.lines_of(meeting, request.user),
            "count": faces.count_of(meeting),
            "chip": faces.meeting_chip(meeting),
            "when": datetime_words(meeting.held_at),
            "live": faces.is_live(meeting),
            "key": faces.key_of(meeting, request.user),
            "may_close": policies.can(request.user, posts.MANAGE_MEETING, meeting),
        }

    def table_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The big screen at the table."""
        return render(request, "services/meetings/table.html", self._board(request, pk))

    def live_door(self, request: HttpRequest, pk: int) -> HttpResponse:
        return faces.signed_out(request) or self.admin_site.admin_view(self.live_view)(request, pk)

    def live_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The board alone, for an open screen that asks whether anything changed."""
        answer = faces.unchanged(request, pk)
        return answer or render(request, "services/meetings/board.html", self._board(request, pk))

    def minutes_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The minutes as Word."""
        meeting = self._table(request, pk)
        response = HttpResponse(minutes(meeting), content_type=CONTENT_TYPE)
        name = _("%(title)s纪要.docx") % {"title": meeting.title}
        response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
        response.headers["Cache-Control"] = "no-store"
        return response

    def sign_in_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The sheet that lies at the door, for the printer."""
        meeting = self._table(request, pk)
        context = {"meeting": meeting, "when": datetime_words(meeting.held_at), "place": place_words(meeting)}
        return render(request, "services/meetings/sign_in.html", context)

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        """What meetings came to, by place and quarter."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.sees_list(request.user):
            raise NotFound(_("没有这个页面。"))
        node, period = _node(request), _period(request)
        found = selectors.figures(request.user, node=node, period=period)
        places = (
            GridNode.objects.visible_to(request.user).standing().at("street", "community").order_by("tree_id", "lft")
        )
        context = {
            "title": _("会议统计"),
            "figures": found,
            "themes": [(words, found.themes.get(key, 0)) for key, words in (*Theme.choices, ("", _("没有分类")))],
            "node": node,
            "period": period,
            "places": [(one.pk, "　" * one.depth + one.name) for one in places[:400]],
            "quarters": QuarterFilter(request, {}, JointMeeting, self).lookup_choices,
        }
        return self.render(request, "services/meetings/figures.html", context)

    def after(self, request: HttpRequest, deed: Deed, obj: Any, result: Any) -> HttpResponse:
        """From the opening of a meeting straight to the big screen."""
        answer = super().after(request, deed, obj, result)
        return redirect(self.url("table", obj.pk)) if deed.name == "start" else answer


def place_words(row: JointMeeting) -> str:
    return row.node.path if row.node is not None else row.county.name


def _node(request: HttpRequest) -> GridNode | None:
    value = request.GET.get("place", "")
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        return None
    found: GridNode | None = GridNode.objects.visible_to(request.user).filter(pk=int(value)).first()
    return found


def _period(request: HttpRequest) -> Quarter | None:
    value = request.GET.get("quarter", "")
    return Quarter.parse(value) if value else None
