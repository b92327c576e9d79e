"""Rules of dispatch in the admin: the list, one rule, what all of them would do now; and the list of outside matters."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, ScopedModelAdmin, chip, choice_filter, flag_filter, link
from core.deeds import Deed, Foresight
from core.errors import NotFound
from core.periods import datetime_words
from grids.models import County, Level, NodeKind
from grids.selectors import managed_county
from services import posts
from services.actions import routing as actions
from services.admin.routing_forms import MatterForm, RuleForm
from services.models import CategoryLearning, Demand, Desk, Origin, OutsideMatter, RouteMode, RouteTime, RoutingRule
from services.selectors.route_preview import Preview, Sent, preview, sent_by
from services.selectors.routing import DEDICATED, line_of

SHOWN = 50


def _create(*, actor: Any, obj: None, **data: Any) -> RoutingRule:
    return actions.create_rule(actor=actor, county=managed_county(actor, posts.MANAGE_ROUTING), **data)


def _update(*, actor: Any, obj: RoutingRule, **data: Any) -> RoutingRule:
    return actions.update_rule(actor=actor, rule=obj, **data)


def _foresee(*, actor: Any, obj: RoutingRule | None, **data: Any) -> Foresight:
    """What the rule would do to the demands nobody has been given yet, before it is saved."""
    data.pop("version", None)
    county = obj.county if obj is not None else managed_county(actor, posts.MANAGE_ROUTING)
    line = actions.proposed(actor=actor, county=county, rule=obj, **data)
    found = preview(actor, county.pk, line=line)
    return Foresight("admin/route_foresight.html", {**_context(found), "line": line}, facts="")


def _context(found: Preview) -> dict[str, Any]:
    return {"preview": found, "shown": SHOWN}


@admin.register(RoutingRule)
class RoutingRuleAdmin(ScopedModelAdmin):
    list_display = ("title", "when", "where_to", "how", "state", "place_in_order")
    list_display_links = ("title",)
    list_filter = (
        choice_filter("mode", lazy("方式"), RouteMode.choices),
        flag_filter("is_active", lazy("状态"), lazy("在用"), lazy("停用")),
    )
    list_select_related = ("node", "unit", "category")
    ordering = ("county", "order", "id")
    sortable_by = ()
    object_related = ("county", "node", "unit", "category")
    empty_text = lazy("新增规则后，派单时会按规则建议单位；哪条先写、先符合，就按哪条。")
    adding = Deed(
        "add",
        lazy("新增规则"),
        posts.MANAGE_ROUTING,
        RuleForm,
        _create,
        lazy("规则已新增，排在最后。"),
        help=lazy("从上往下，第一条符合的规则算数。条件不填就是不限。下一步先看看会派给谁，再保存。"),
        tone="main",
        foresee=_foresee,
    )
    deeds = (
        Deed(
            "edit",
            lazy("修改"),
            posts.MANAGE_ROUTING,
            RuleForm,
            _update,
            lazy("已保存。"),
            help=lazy("已经派出的单子不变。下一步先看看会派给谁，再保存。"),
            tone="main",
            foresee=_foresee,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("categories", "supporting")

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [*super().tools(request), (_("试派和顺序"), self.url("preview"), "plain")]

    # --- Columns ---

    @admin.display(description=lazy("规则"))
    def title(self, row: RoutingRule) -> str:
        return row.name

    @admin.display(description=lazy("条件"))
    def when(self, row: RoutingRule) -> str:
        return "；".join(conditions(row, {})) or _("所有需求")

    @admin.display(description=lazy("派给"))
    def where_to(self, row: RoutingRule) -> str:
        return goes_to(row)

    @admin.display(description=lazy("方式"))
    def how(self, row: RoutingRule) -> str:
        return chip(row.get_mode_display(), "blue" if row.mode == RouteMode.AUTO else "grey")

    @admin.display(description=lazy("状态"))
    def state(self, row: RoutingRule) -> str:
        return chip(*_state(row))

    @admin.display(description=lazy("顺序"))
    def place_in_order(self, row: RoutingRule) -> int:
        return row.order

    # --- One rule ---

    def chips(self, obj: RoutingRule) -> list[tuple[str, str]]:
        return [_state(obj), (obj.get_mode_display(), "blue" if obj.mode == RouteMode.AUTO else "grey")]

    def facts(self, request: HttpRequest, obj: RoutingRule) -> list[Fact]:
        levels = dict(Level.objects.filter(county_id=obj.county_id).values_list("key", "name"))
        faults = line_of(obj).faults
        return [
            Fact(_("条件"), "；".join(conditions(obj, levels)) or _("所有需求"), wide=True),
            Fact(_("派给"), goes_to(obj)),
            Fact(_("经办层级"), obj.get_desk_display() if obj.desk else ""),
            Fact(_("顺序"), obj.order),
            Fact(_("县"), obj.county.name),
            *([Fact(_("已失效的"), "；".join(faults), wide=True)] if faults else []),
        ]

    def parts(self, request: HttpRequest, obj: RoutingRule) -> list[Part]:
        if not policies.holds(request.user, posts.VIEW_DEMAND):
            return []
        sent = sent_by(request.user, obj.county_id, obj.pk)
        return [
            Part(
                _("这 %(count)d 条未派单的需求会派给……") % {"count": len(sent)},
                [_("需求"), _("地点"), _("派给"), _("为什么")],
                [_row(one) for one in sent[:SHOWN]],
                empty=_("现在没有未派单的需求按这条规则派。"),
                more=(_("看全部规则的试派"), self.url("preview")),
            )
        ]

    # --- All rules at once ---

    def more_urls(self) -> list[URLPattern]:
        return [self.page("preview/", self.preview_view, "preview")]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Where the rules send what nobody has been given yet; and their order, changed by plain buttons."""
        user: Any = request.user
        if not self.sees_list(user):
            raise PermissionDenied
        if request.method == "POST":
            return self._shifted(request)
        rules = list(self.get_queryset(request).select_related(*self.list_select_related, "county"))
        county = self._county(request, rules)
        found = preview(user, county.pk) if county is not None else Preview([], [], [], False)
        counted = {group.rule: 0 for group in found.groups}
        for group in found.groups:
            counted[group.rule] += group.count
        may = policies.holds(user, posts.MANAGE_ROUTING)
        lines = [
            {
                "rule": rule,
                "url": self.url("change", rule.pk),
                "when": "；".join(conditions(rule, {})) or _("所有需求"),
                "goes_to": goes_to(rule),
                "chip": _state(rule),
                "count": counted.get(rule.name, 0),
                "up": may and number > 0,
                "down": may and number < len(rules) - 1,
            }
            for number, rule in enumerate(rules)
        ]
        context = {
            "title": _("试派和顺序"),
            "lines": lines,
            # Who sees no demands would read of none as of none that wait.
            "tries": policies.holds(user, posts.VIEW_DEMAND),
            **_context(found),
            "back": self.url("changelist"),
        }
        return self.render(request, "admin/route_preview.html", context)

    def _county(self, request: HttpRequest, rules: Iterable[RoutingRule]) -> County | None:
        return next((rule.county for rule in rules), None)

    def _shifted(self, request: HttpRequest) -> HttpResponse:
        up, down = request.POST.get("up", ""), request.POST.get("down", "")
        key = up or down
        if not (key.isascii() and key.isdigit() and len(key) < 19):
            raise NotFound(_("没有找到这条记录，或不在您的管辖范围内。"))
        rule = self.find(request, int(key))
        moved = actions.shift_rule(actor=request.user, rule=rule, up=bool(up))  # type: ignore[arg-type]
        words = _("“%(rule)s”已上移。") if up else _("“%(rule)s”已下移。")
        messages.success(request, words % {"rule": moved.name})
        return redirect(f"{self.url('preview')}#rule-{moved.pk}")


def _state(rule: RoutingRule) -> tuple[str, str]:
    if not rule.is_active:
        return _("停用"), "grey"
    return (_("失效"), "red") if line_of(rule).is_broken else (_("在用"), "green")


def goes_to(rule: RoutingRule) -> str:
    """What a rule says, in words."""
    if rule.category is not None:
        return _("改为“%(category)s”") % {"category": rule.category.name}
    parts = [rule.unit.name] if rule.unit is not None else []
    helpers = [unit.label for unit in rule.supporting.all()]
    if helpers:
        parts.append(_("配合：%(units)s") % {"units": "、".join(helpers)})
    if rule.desk:
        parts.append(_("由%(desk)s经办") % {"desk": Desk(rule.desk).label})
    return "；".join(parts)


def conditions(rule: RoutingRule, levels: dict[str, str]) -> Iterable[str]:
    """What a rule asks of a demand, in words. `levels`: key -> name; the usual names when empty."""
    categories = [category.name for category in rule.categories.all()]
    if categories:
        yield _("类别：%(names)s") % {"names": "、".join(categories)}
    if rule.node is not None:
        yield _("地点：%(place)s") % {"place": rule.node.name}
    if rule.levels:
        known = {**_LEVELS, **levels, DEDICATED: str(NodeKind.DEDICATED.label)}
        yield _("在%(levels)s里") % {"levels": "、".join(known.get(key, key) for key in rule.levels)}
    if rule.words:
        yield _("内容含有：%(words)s") % {"words": "、".join(rule.words)}
    if rule.origins:
        yield _("来源：%(names)s") % {"names": "、".join(str(Origin(key).label) for key in rule.origins)}
    if rule.time != RouteTime.ANY:
        yield _("登记在%(time)s") % {"time": rule.get_time_display()}


_LEVELS = {
    "sector": "片区",
    "compound": "小区",
    "grid": "网格",
    "building": "楼栋",
    "unit_entrance": "单元",
    "floor_section": "分楼层",
    "floor": "楼层",
    "core_household": "党员中心户",
}


def _row(sent: Sent) -> list[Any]:
    demand: Demand = sent.demand
    assert sent.route is not None
    return [
        link(demand.title, reverse("admin:services_demand_change", args=[demand.pk])),
        demand.node.path,
        sent.route.goes_to,
        "；".join(sent.route.reasons),
    ]


# --- Matters a community must not lead ------------------------------------------------------------------------------


def _create_matter(*, actor: Any, obj: None, **data: Any) -> OutsideMatter:
    return actions.create_matter(actor=actor, county=managed_county(actor, posts.MANAGE_ROUTING), **data)


def _update_matter(*, actor: Any, obj: OutsideMatter, **data: Any) -> OutsideMatter:
    return actions.update_matter(actor=actor, matter=obj, **data)


@admin.register(OutsideMatter)
class OutsideMatterAdmin(ScopedModelAdmin):
    list_display = ("name", "basis", "known_by", "state")
    list_filter = (flag_filter("is_active", lazy("状态"), lazy("在用"), lazy("停用")),)
    search_fields = ("name", "basis")
    search_help_text = lazy("事项、依据")
    ordering = ("county", "name")
    sortable_by = ()
    object_related = ("county",)
    empty_text = lazy("把不该由社区牵头的事项列进来，派单时系统会提醒，并拦住派给社区自己的单位。")
    adding = Deed(
        "add",
        lazy("新增事项"),
        posts.MANAGE_ROUTING,
        MatterForm,
        _create_matter,
        lazy("已列入清单。"),
        help=lazy("列入以后，这类事项不能再派给社区自己的单位牵头；已经派出的不变。"),
        tone="main",
    )
    deeds = (
        Deed("edit", lazy("修改"), posts.MANAGE_ROUTING, MatterForm, _update_matter, lazy("已保存。"), tone="main"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("categories")

    @admin.display(description=lazy("怎样认出"))
    def known_by(self, row: OutsideMatter) -> str:
        names = "、".join(category.name for category in row.categories.all())
        parts = [_("类别：%(names)s") % {"names": names}] if names else []
        return "；".join(parts + ([_("内容含有：%(words)s") % {"words": "、".join(row.words)}] if row.words else []))

    @admin.display(description=lazy("状态"))
    def state(self, row: OutsideMatter) -> str:
        return chip(_("在用"), "green") if row.is_active else chip(_("停用"))

    def chips(self, obj: OutsideMatter) -> list[tuple[str, str]]:
        return [(_("在用"), "green") if obj.is_active else (_("停用"), "grey")]

    def facts(self, request: HttpRequest, obj: OutsideMatter) -> list[Fact]:
        return [
            Fact(_("依据"), obj.basis, wide=True),
            Fact(_("怎样认出"), self.known_by(obj), wide=True),
            Fact(_("县"), obj.county.name),
        ]


# --- What was learned of categories ---------------------------------------------------------------------------------


@admin.register(CategoryLearning)
class CategoryLearningAdmin(ScopedModelAdmin):
    """How often the suggested category was right, on demands kept aside; nothing can be changed here."""

    list_display = ("county_name", "examples", "tried", "accuracy", "when")
    list_display_links = ("county_name",)
    list_select_related = ("county",)
    sortable_by = ()
    object_related = ("county",)
    empty_text = lazy("本县有了受理过的需求以后，系统每天夜里学习一次，受理时会提示类别。")

    @admin.display(description=lazy("县"))
    def county_name(self, row: CategoryLearning) -> str:
        return row.county.name

    @admin.display(description=lazy("判断正确"))
    def accuracy(self, row: CategoryLearning) -> str:
        return accuracy_words(row)

    @admin.display(description=lazy("学习时间"))
    def when(self, row: CategoryLearning) -> str:
        return datetime_words(row.learned_at)

    def object_title(self, obj: CategoryLearning) -> str:
        return _("%(county)s的类别判断") % {"county": obj.county.name}

    def facts(self, request: HttpRequest, obj: CategoryLearning) -> list[Fact]:
        return [
            Fact(_("学习条数"), obj.examples),
            Fact(_("学习时间"), datetime_words(obj.learned_at)),
            Fact(_("检验条数"), obj.tried),
            Fact(_("判断正确"), accuracy_words(obj)),
            Fact(
                _("说明"),
                _("只用本县自己受理过的需求学习，不出本系统。每五条留一条不学，用来检验；只是提示，类别由受理的人定。"),
                wide=True,
            ),
        ]

    def parts(self, request: HttpRequest, obj: CategoryLearning) -> list[Part]:
        from_counts = {int(key): rows.get("", 0) for key, rows in obj.counts.items()}
        names = dict(obj.county.categories.filter(pk__in=from_counts).values_list("pk", "name"))
        rows = [[names.get(pk, "—"), count] for pk, count in sorted(from_counts.items(), key=lambda one: -one[1])]
        return [Part(_("学到的类别"), [_("类别"), _("学习条数")], rows, empty=_("还没有学到。"))]


# Below this the share says little, and the page says so.
FEW = 30


def accuracy_words(row: CategoryLearning) -> str:
    """How often the first suggestion was right, with both numbers; with few tried, that they are few."""
    if not row.tried:
        return _("还没有检验")
    words = _("%(right)d/%(tried)d（%(percent)d%%）") % {
        "right": row.right,
        "tried": row.tried,
        "percent": round(row.right * 100 / row.tried),
    }
    return words + (_("，检验的太少，仅供参考") if row.tried < FEW else "")
