"""Posts in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, SelectFilter, chip, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed
from grids import posts
from grids.admin import appointing
from grids.admin_places import PlaceFilter
from grids.models import Appointment, GridNode
from grids.naming import SEPARATOR, steps_of
from grids.querysets import current

# What stands in the tables of a page before it is a history nobody reads.
MOST = 50


class HeldFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("在任")), ("0", _("已离任"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(current()) if value == "1" else rows.exclude(current())


def _runs(row: Appointment) -> bool:
    return row.end is None


@admin.register(Appointment)
class AppointmentAdmin(SheetAdmin):
    sheets = ("appointments",)
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
        appointing.AppointForm,
        appointing.appoint,
        lazy("已任命。"),
        help=lazy("权限来自岗位：任命后立即生效，在任职地及其下级有效。"),
        tone="main",
    )
    deeds = (
        Deed(
            "hand_over",
            lazy("交接"),
            posts.MANAGE_APPOINTMENT,
            appointing.HandOverForm,
            appointing.hand_over,
            lazy("已交接。"),
            help=lazy("一步办完：前任离任，接任者同一天上任，中间不会有人缺位，也不会两人同时有权限。"),
            tone="main",
            offered=_runs,
        ),
        Deed(
            "correct",
            lazy("更正"),
            posts.MANAGE_APPOINTMENT,
            appointing.CorrectForm,
            appointing.correct,
            lazy("已更正。"),
            help=lazy("日期录错了，或离任办错了，在这里改。换人请用“交接”。"),
        ),
        Deed(
            "end",
            lazy("离任"),
            posts.MANAGE_APPOINTMENT,
            appointing.EndForm,
            appointing.end,
            lazy("已离任。"),
            help=lazy("离任后岗位的权限随之停止。要立即停止登录，请到“账号”里停用。"),
            tone="danger",
            offered=_runs,
        ),
    )

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """From a vacancy one comes with the place and the post named."""
        if obj is not None:
            return super().initial(request, deed, obj)
        pk = request.GET.get("node", "")
        nodes = GridNode.objects.visible_to(request.user).standing()
        node = nodes.filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() and len(pk) < 19 else None
        return {"node": node, "post": request.GET.get("post", "")}

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
        return _("%(name)s：%(place)s %(post)s") % {
            "name": obj.user.name,
            "place": SEPARATOR.join(steps_of(obj.place)[-2:]),
            "post": obj.post_label,
        }

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

    def parts(self, request: HttpRequest, obj: Appointment) -> list[Part]:
        """The post's people one after another, and what else this person holds or held."""
        seen = Appointment.objects.visible_to(request.user).select_related("user", "node", "county")
        here = seen.filter(post=obj.post, node=obj.node, county=obj.county).order_by("-start", "-id")[:MOST]
        theirs = seen.filter(user=obj.user).exclude(pk=obj.pk).order_by("-start", "-id")[:MOST]
        columns = [_("任职日期"), _("离任日期"), _("状态")]
        return [
            Part(
                _("这个岗位的历任"),
                [_("姓名"), *columns],
                [[self._linked(row.user.name, row, obj), *_days(row)] for row in here],
            ),
            Part(
                _("此人的其他任职"),
                [_("岗位"), _("任职地"), *columns],
                [[self._linked(row.post_label, row, obj), row.place, *_days(row)] for row in theirs],
                _("没有其他任职。"),
            ),
        ]

    def _linked(self, words: str, row: Appointment, obj: Appointment) -> str:
        return words if row.pk == obj.pk else link(words, self.url("change", row.pk))


def _days(row: Appointment) -> list[str]:
    return [day_words(row.start), day_words(row.end) or "—", chip(*_held(row))]


def _held(row: Appointment) -> tuple[str, str]:
    today = timezone.localdate()
    if row.end is not None and row.end < today:
        return _("已离任"), "grey"
    return (_("在任"), "green") if row.start <= today else (_("未到任"), "blue")


def people_part(user: Any, node: GridNode) -> Part:
    """Who serves at a place today, for its own page; first of all that nobody does, with the way to change it."""
    order, level = list(posts.POSTS), node.level_type
    held = Appointment.objects.visible_to(user).current().filter(node=node).select_related("user")
    rows = [
        [
            link(level.words_for(row.post), reverse("admin:grids_appointment_change", args=[row.pk])),
            row.user.name,
            day_words(row.start),
        ]
        for row in sorted(held, key=lambda row: (order.index(row.post) if row.post in order else len(order), row.start))
    ]
    filled = any(row.post == level.holder_post and row.user.is_active for row in held)
    if level.holder_post and not filled and not node.is_retired:
        may = policies.can(user, posts.MANAGE_APPOINTMENT, node)
        rows.insert(0, [level.holder_words, chip(_("空缺"), "amber"), appoint_link(node) if may else "—"])
    return Part(_("负责人"), [_("岗位"), _("姓名"), _("任职日期")], rows, _("还没有人在这里任职。"))


def appoint_address(node: GridNode) -> str:
    """The form of an appointment with this place and the post that answers for it."""
    return f"{reverse('admin:grids_appointment_add')}?node={node.pk}&post={node.level_type.holder_post}"


def appoint_link(node: GridNode) -> str:
    """A button to it, for a cell."""
    return format_html('<a class="button button--small" href="{}">{}</a>', appoint_address(node), _("任命"))
