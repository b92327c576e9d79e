"""The care ledger at the desk: a masked list and masked pages for the community, figures without persons for those above."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, ScopedModelAdmin, SelectFilter, chip, day_words
from core.admin_sheets import SheetAdmin
from core.audit_words import name_deeds, name_fields
from core.deeds import Deed
from core.errors import Forbidden
from core.periods import Quarter
from grids import care_deeds
from grids.actions.care_rules import set_care_rules
from grids.admin.care_rules import CareRulesForm
from grids.admin_places import PlaceFilter
from grids.care import CADENCE, CareState, erased_on, states_of, waiting_for
from grids.care_selectors import Figures, cadence_of, figures_of, total_of
from grids.models import CareCadence, CareHousehold, CareKind, GridNode
from grids.posts import COUNT_CARE, MANAGE_COUNTY
from grids.querysets import CARE_GRACE_DAYS
from grids.resources.care import needs_words
from grids.selectors import managed_county

name_deeds(
    {
        "care.register": lazy("登记关爱家庭"),
        "care.correct": lazy("修改关爱登记"),
        "care.move": lazy("关爱家庭搬家"),
        "care.visit": lazy("记录走访"),
        "care.confirm": lazy("核实关爱登记"),
        "care.reveal": lazy("查看关爱家庭联系方式"),
        "care.erase": lazy("删除关爱登记"),
        "care.expire": lazy("到期自动删除关爱登记"),
        "care.rules": lazy("设置关爱走访规则"),
    }
)
name_fields(
    {
        "needs": lazy("关爱类别"),
        "text": lazy("走访情况"),
        "visited_on": lazy("走访日期"),
        **{str(kind): label for kind, label in CareKind.choices},
    }
)

MOST_VISITS = 20
TONES = {
    CareState.EXPIRED: "red",
    CareState.TO_VISIT: "amber",
    CareState.EXPIRING: "amber",
    CareState.TO_CONFIRM: "blue",
}


class CarePlaceFilter(PlaceFilter):
    community = "community"


class NeedFilter(SelectFilter):
    title = lazy("关爱类别")
    parameter_name = "need"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(CareKind.choices)

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        # What has run out no longer says why it was there.
        return rows.filter(needs__kind=value, expires_on__gt=timezone.localdate())


class StateFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(CareState.choices)

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(waiting_for(value, timezone.localdate()))


def state_chips(household: CareHousehold) -> list[tuple[str, str]]:
    """What an entry waits for, or that it waits for nothing."""
    states = states_of(household, timezone.localdate())
    return [(str(state.label), TONES[state]) for state in states] or [(_("正常"), "green")]


def holds(household: CareHousehold) -> bool:
    return household.expires_on > timezone.localdate()


@admin.register(CareHousehold)
class CareHouseholdAdmin(SheetAdmin):
    list_display = ("who", "door", "where", "needs", "visited", "state")
    list_display_links = ("who",)
    list_filter = (CarePlaceFilter, NeedFilter, StateFilter)
    list_select_related = ("node",)
    # By place alone: a search by name would stand in the address and in the logs, and read a masked name bit by bit.
    search_fields = ("node__path",)
    search_help_text = lazy("小区、楼栋或单元")
    ordering = ("node__tree_id", "node__lft", "room", "id")
    sortable_by = ()
    object_related = ("node", "community", "created_by")
    empty_text = lazy("还没有登记。征得本人或监护人同意后再登记，也可以整表导入。")
    adding = care_deeds.REGISTER
    deeds = care_deeds.DEEDS
    sheets = ("households",)

    def more_urls(self) -> list[URLPattern]:
        return [self.page("figures/", self.figures_view, "figures")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("needs")

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [*super().tools(request), (_("统计"), self.url("figures"), "plain")]

    # --- List ---

    @admin.display(description=lazy("联系人"))
    def who(self, one: CareHousehold) -> str:
        return one.masked_name

    @admin.display(description=lazy("门牌"))
    def door(self, one: CareHousehold) -> str:
        return one.room

    @admin.display(description=lazy("位置"))
    def where(self, one: CareHousehold) -> str:
        return one.node.path

    @admin.display(description=lazy("关爱类别"), empty_value="—")
    def needs(self, one: CareHousehold) -> str | None:
        return needs_words([need.kind for need in one.needs.all()]) if holds(one) else None

    @admin.display(description=lazy("最近走访"), empty_value="—")
    def visited(self, one: CareHousehold) -> str | None:
        return day_words(one.last_visit_on) if holds(one) and one.last_visit_on else None

    @admin.display(description=lazy("状态"))
    def state(self, one: CareHousehold) -> str:
        return format_html_join(" ", "{}", ((chip(words, tone),) for words, tone in state_chips(one)))

    # --- The page of one household ---

    def object_title(self, obj: CareHousehold) -> str:
        return f"{obj.masked_name} · {obj.room}"

    def chips(self, obj: CareHousehold) -> list[tuple[str, str]]:
        return state_chips(obj)

    def facts(self, request: HttpRequest, obj: CareHousehold) -> list[Fact]:
        place = [Fact(_("位置"), obj.node.path, wide=True), Fact(_("门牌"), obj.room)]
        if not holds(obj):
            words = _("登记已于%(day)s到期，其他内容不再显示。请上门核实；到%(end)s仍没有核实的，自动删除。")
            days = {"day": day_words(obj.expires_on), "end": day_words(erased_on(obj))}
            return [*place, Fact(_("联系人"), obj.masked_name), Fact(_("说明"), words % days, wide=True)]
        return [
            *place,
            Fact(_("联系人"), obj.masked_name),
            Fact(_("联系电话"), obj.masked_phone),
            Fact(_("关爱类别"), needs_words([need.kind for need in obj.needs.all()])),
            Fact(_("最近走访"), day_words(obj.last_visit_on)),
            Fact(_("下次走访"), day_words(obj.next_visit_on)),
            Fact(_("同意方式"), obj.get_consent_display()),
            Fact(_("同意日期"), day_words(obj.consent_on)),
            Fact(_("核实日期"), day_words(obj.confirmed_on)),
            Fact(_("到期日期"), day_words(obj.expires_on)),
            Fact(_("登记人"), obj.created_by.name if obj.created_by else ""),
        ]

    def parts(self, request: HttpRequest, obj: CareHousehold) -> list[Part]:
        if not holds(obj):
            return []
        visits = obj.visits.select_related("visited_by")[:MOST_VISITS]
        rows = [
            [day_words(one.visited_on), one.visited_by.name if one.visited_by else "—", one.text or "—"]
            for one in visits
        ]
        columns = [_("走访日期"), _("走访人"), _("情况")]
        return [Part(_("走访记录"), columns, rows, _("还没有走访记录。"))]

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """Nothing: the forms say themselves what they start with, and never a name or a phone."""
        return {}

    def after(self, request: HttpRequest, deed: Deed, obj: Any, result: Any) -> HttpResponse:
        # Nothing is left to go back to.
        return super().after(request, deed, None if deed is care_deeds.ERASE else obj, result)

    # --- Figures ---

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        """Counts by community. Who may not see the households reads no count that could point at one."""
        if not policies.holds(request.user, COUNT_CARE):
            raise Forbidden(_("您没有“%(right)s”的权限。") % {"right": policies.label(COUNT_CARE)})
        found = figures_of(request.user)
        context = {
            "title": _("关爱统计"),
            "parts": [_by_round(found), _by_need(found)],
            "suppressed": not all(one.exact for one in found),
            "back_to_list": self.sees_list(request.user),
        }
        return self.render(request, "admin/care_figures.html", context)


def _by_round(found: list[Figures]) -> Part:
    quarter = Quarter.of(timezone.localdate())
    rows = [[_place(one), one.shown(one.households), one.share(one.in_time), one.share(one.confirmed)] for one in found]
    if len(found) > 1:
        rows.append([_("合计"), total_of([(one, one.households) for one in found]), "", ""])
    columns = [_("社区"), _("登记户数"), _("按时走访"), _("%(quarter)s已核实") % {"quarter": quarter.label}]
    return Part(_("走访和核实"), columns, rows, _("您的辖区里还没有社区。"))


def _by_need(found: list[Figures]) -> Part:
    kinds = [(str(kind), str(label)) for kind, label in CareKind.choices]
    rows = [[_place(one), *(one.shown(one.needs[kind]) for kind, _label in kinds)] for one in found]
    if len(found) > 1:
        totals = [total_of([(one, one.needs[kind]) for one in found]) for kind, _label in kinds]
        rows.append([_("合计"), *totals])
    return Part(_("按关爱类别"), [_("社区"), *(label for _kind, label in kinds)], rows, _("您的辖区里还没有社区。"))


def _place(one: Figures) -> str:
    street: GridNode | None = one.community.parent
    return f"{street.name} · {one.community.name}" if street else one.community.name


# --- Rules of the county --------------------------------------------------------------------------------------------


def _set_rules(*, actor: Any, obj: None, months: int, **days: int) -> None:
    set_care_rules(actor=actor, county=managed_county(actor, MANAGE_COUNTY), days=days, months=months)


@admin.register(CareCadence)
class CareCadenceAdmin(ScopedModelAdmin):
    """How often households are visited and how long an entry holds: one page of facts, one form."""

    view_right = MANAGE_COUNTY
    adding = Deed(
        "add",
        lazy("修改走访间隔和有效期"),
        MANAGE_COUNTY,
        CareRulesForm,
        _set_rules,
        lazy("已保存，各户的下次走访和到期日期已重新计算。"),
        help=lazy("保存后，全县各户的下次走访和到期日期随即重新计算。缩短有效期会使一些登记提前到期。"),
        tone="main",
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.sees_list(request.user):
            raise Forbidden(_("您没有“%(right)s”的权限。") % {"right": policies.label(MANAGE_COUNTY)})
        county = managed_county(request.user, MANAGE_COUNTY)
        cadence = cadence_of(county.pk)
        rows = [
            [
                label,
                _("每 %(days)d 天") % {"days": cadence[kind]},
                _("默认") if cadence[kind] == CADENCE[CareKind(kind)] else _("本县设置"),
            ]
            for kind, label in CareKind.choices
        ]
        rule = _("到期没有核实的，%(days)d 天后自动删除。几项需要的，按间隔最短的一项走访。")
        assert self.adding is not None
        context = {
            "title": _("走访间隔"),
            "facts": [
                Fact(_("登记有效期"), _("%(months)d 个月") % {"months": county.care_months}),
                Fact(_("说明"), rule % {"days": CARE_GRACE_DAYS}, wide=True),
            ],
            "parts": [Part(_("走访间隔"), [_("关爱类别"), _("走访间隔"), _("来源")], rows)],
            "buttons": [{"label": self.adding.label, "tone": "main", "url": self.url("add")}],
        }
        return self.render(request, "admin/care_rules.html", context)

    def facts(self, request: HttpRequest, obj: CareCadence) -> list[Fact]:
        return [Fact(_("关爱类别"), obj.get_kind_display()), Fact(_("走访间隔（天）"), obj.days)]
