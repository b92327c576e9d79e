"""How far the posts are filled, in the admin: the figures of a place, and the list of its vacancies."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, Case, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, day_words, link
from core.admin_sheets import SheetAdmin
from core.errors import NotFound
from grids import coverage, posts
from grids.admin.appointments import appoint_address, appoint_link
from grids.admin.nodes import LevelFilter, NodePlaceFilter
from grids.models import Appointment, County, GridNode, Vacancy
from grids.naming import COMMUNITY, STREET
from grids.posts import POSTS
from grids.resources.coverage import with_last_leave

MOST = 20


@admin.register(Vacancy)
class VacancyAdmin(SheetAdmin):
    sheets = ("coverage", "vacancies")
    list_display = ("place", "level", "missing", "since", "act")
    list_display_links = ("place",)
    list_filter = (NodePlaceFilter, LevelFilter)
    list_select_related = ("level_type",)
    search_fields = ("path", "^code")
    search_help_text = lazy("名称、位置或编码")
    ordering = ("tree_id", "lft")
    sortable_by = ()
    object_related = ("county", "level_type")
    empty_text = lazy("没有空缺：在用的每个网格、楼栋都有负责人。")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = policies.within(Vacancy, request.user, posts.MANAGE_APPOINTMENT)
        rows = with_last_leave(coverage.vacant(super().get_queryset(request)))
        return rows.annotate(mine=Case(When(mine, then=Value(True)), default=Value(False), output_field=BooleanField()))

    def more_urls(self) -> list[URLPattern]:
        return [
            self.page("coverage/", self.coverage_view, "coverage"),
            self.page("coverage/<int:pk>/", self.coverage_view, "coverage_place"),
        ]

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [(_("覆盖情况"), self.url("coverage"), "plain"), *super().tools(request)]

    def export_ids(self, request: HttpRequest) -> list[int]:
        """The figures go out by street and community, the vacancies one by one."""
        if request.resolver_match is None or request.resolver_match.kwargs["key"] != "coverage":
            return super().export_ids(request)
        nodes = Vacancy.objects.visible_to(request.user).standing().at(STREET, COMMUNITY)
        if pk := _number(request.GET.get("place", "")):
            nodes = nodes.inside(self.find(request, pk))
        return list(nodes.order_by("tree_id", "lft").values_list("pk", flat=True))

    # --- The list and its rows ------------------------------------------------------------------------------------

    @admin.display(description=lazy("地点"))
    def place(self, node: Vacancy) -> str:
        return node.path

    @admin.display(description=lazy("层级"))
    def level(self, node: Vacancy) -> str:
        return node.level_type.name

    @admin.display(description=lazy("空缺岗位"))
    def missing(self, node: Vacancy) -> str:
        return node.level_type.holder_words

    @admin.display(description=lazy("上一任离任日期"), empty_value="—")
    def since(self, node: Any) -> str | None:
        return day_words(node.last_leave) or None

    @admin.display(description=lazy("办理"), empty_value="—")
    def act(self, node: Any) -> str | None:
        return appoint_link(node) if node.mine else None

    def object_title(self, obj: Vacancy) -> str:
        return obj.name

    def chips(self, obj: Vacancy) -> list[tuple[str, str]]:
        vacant = coverage.vacant(Vacancy.objects.filter(pk=obj.pk)).exists()
        return [(_("空缺"), "amber") if vacant else (_("在岗"), "green")]

    def facts(self, request: HttpRequest, obj: Vacancy) -> list[Fact]:
        page = reverse("admin:grids_gridnode_change", args=[obj.pk])
        return [
            Fact(_("位置"), link(obj.path, page), wide=True),
            Fact(_("层级"), obj.level_type.name),
            Fact(_("负责人岗位"), obj.level_type.holder_words),
        ]

    def parts(self, request: HttpRequest, obj: Vacancy) -> list[Part]:
        held = Appointment.objects.visible_to(request.user).filter(node_id=obj.pk, post=obj.level_type.holder_post)
        rows = [
            [
                link(row.user.name, reverse("admin:grids_appointment_change", args=[row.pk])),
                day_words(row.start),
                day_words(row.end) or "—",
            ]
            for row in held.select_related("user").order_by("-start", "-id")[:MOST]
        ]
        return [Part(_("历任"), [_("姓名"), _("任职日期"), _("离任日期")], rows, _("还没有人任过这个岗位。"))]

    def object_context(self, request: HttpRequest, obj: Vacancy) -> dict[str, Any]:
        context = super().object_context(request, obj)
        if not obj.is_retired and policies.can(request.user, posts.MANAGE_APPOINTMENT, obj):
            context["buttons"] = [{"label": _("任命"), "tone": "main", "url": appoint_address(obj)}]
        return context

    # --- The figures ----------------------------------------------------------------------------------------------

    def coverage_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Of one place; without one, of where the person's look begins."""
        user: Any = request.user
        if not self.sees_list(user):
            raise PermissionDenied
        if pk is not None:
            return self._coverage(request, self._place(user, pk))
        tops = coverage.tops_of(user)
        if len(tops) == 1:
            return self._coverage(request, tops[0])
        rows = [[link(str(top), self.url("coverage_place", top.pk))] for top in tops if isinstance(top, GridNode)]
        part = Part(_("选择地点"), [_("任职地")], rows, _("您没有可以查看的地点。"))
        return self.render(request, "admin/coverage.html", {"title": _("岗位覆盖"), "parts": [part]})

    @staticmethod
    def _place(user: Any, pk: int) -> GridNode:
        nodes = GridNode.objects.visible_to(user).standing().select_related("county", "level_type", "parent")
        node: GridNode | None = nodes.filter(pk=pk).first()
        if node is None:
            raise NotFound(_("没有找到这个地点，或不在您的管辖范围内。"))
        policies.require(user, posts.VIEW_APPOINTMENT, node)
        return node

    def _coverage(self, request: HttpRequest, place: County | GridNode) -> HttpResponse:
        found = coverage.coverage_of(place)
        context = {
            "title": _("岗位覆盖：%(place)s") % {"place": place.name},
            "place": place,
            "total": found.total,
            "parts": [self._levels(found), *self._parts(found), _heads(place)],
            "up": self._up(request.user, place),
            "tools": self._tools(request, place),
        }
        return self.render(request, "admin/coverage.html", context)

    def _tools(self, request: HttpRequest, place: County | GridNode) -> list[tuple[str, str, str]]:
        query = f"?place={place.pk}" if isinstance(place, GridNode) else ""
        return [
            (_("空缺名单"), self.url("changelist") + query, "main"),
            (_("导出覆盖情况"), self.url("export", "coverage") + query, "plain"),
        ]

    def _up(self, user: Any, place: County | GridNode) -> tuple[str, str] | None:
        """The place above, if the person looks at it too."""
        if isinstance(place, County):
            return None
        if place.parent is not None:
            seen = policies.can(user, posts.VIEW_APPOINTMENT, place.parent)
            return (place.parent.name, self.url("coverage_place", place.parent.pk)) if seen else None
        whole = policies.can(user, posts.VIEW_APPOINTMENT, place.county)
        return (place.county.name, self.url("coverage")) if whole else None

    def _vacant(self, cover: coverage.Cover, place: County | GridNode, level: str = "") -> Any:
        """The number, leading to the places."""
        if not cover.vacant:
            return cover.vacant
        query = [f"place={place.pk}"] if isinstance(place, GridNode) else []
        query += [f"level={level}"] if level else []
        return link(cover.vacant, f"{self.url('changelist')}?{'&'.join(query)}")

    def _levels(self, found: coverage.Coverage) -> Part:
        rows: list[Sequence[Any]] = [
            [level.name, level.holder_words, *self._cells(cover, found.place, level.key)]
            for level, cover in found.levels
        ]
        if len(rows) > 1:
            rows.append([_("合计"), "", *self._cells(found.total, found.place)])
        columns = [_("层级"), _("负责人岗位"), *_figures()]
        return Part(_("各层级"), columns, rows, _("这里还没有需要配备负责人的地点。"))

    def _parts(self, found: coverage.Coverage) -> list[Part]:
        if isinstance(found.place, GridNode) and found.place.level_type.key != STREET:
            return []
        title = _("各街道（镇）") if isinstance(found.place, County) else _("各社区（村）")
        rows = [
            [link(node.name, self.url("coverage_place", node.pk)), *self._cells(cover, node)]
            for node, cover in found.parts
        ]
        return [Part(title, [_("名称"), *_figures()], rows, _("下面还没有地点。"))]

    def _cells(self, cover: coverage.Cover, place: County | GridNode, level: str = "") -> list[Any]:
        return [cover.nodes, cover.filled, self._vacant(cover, place, level), cover.share]


def _figures() -> list[str]:
    return [_("应配"), _("在岗"), _("空缺"), _("覆盖率")]


def _heads(place: County | GridNode) -> Part:
    rows = [[str(POSTS[post].label), count] for post, count in coverage.heads_of(place).items()]
    return Part(_("在任人数"), [_("岗位"), _("人数")], rows, _("还没有人任职。"))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
