"""Where the county's rules send a demand, and why. Source: docs/domain.md#c3, docs/decisions/0029-routing-rules.md.

Rules are read in their order; the first that fits wins. One that says a category goes on with the rules for that category:
those that name it, and those that name none and say where to. What is read is fixed whatever the number of demands.
"""

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from core import working_calendar
from core.working_calendar import WorkingCalendar
from grids.models import GridNode, Level, NodeKind
from grids.naming import COMMUNITY, STREET
from grids.policies import NodeScope
from partybuilding.models import Unit
from services.models import Category, Demand, Desk, Origin, RouteMode, RouteTime, RoutingRule, SubOrder
from services.models.routing import OutsideMatter
from services.reach import grounds_of
from services.selectors import outside

# Beside the keys of levels, a rule may name the grids of parks, schools and markets (docs/domain.md#c3).
DEDICATED = str(NodeKind.DEDICATED)
_EVERYWHERE = {STREET, COMMUNITY}


@dataclass(frozen=True)
class Line:
    """A rule as it is read: its row, which may not be saved yet, and the rows it names.

    Attributes:
        categories: it is for these alone; for all when empty.
        supporting: units dispatched to beside the lead.
    """

    rule: RoutingRule
    categories: tuple[Category, ...] = ()
    supporting: tuple[Unit, ...] = ()

    @property
    def key(self) -> tuple[int, float]:
        """Its place among the others. One that is not saved yet comes last among those of the same number."""
        return self.rule.order, self.rule.pk or float("inf")

    @property
    def faults(self) -> list[str]:
        """What it names that is out of use."""
        found = [_("类别“%(name)s”已停用") % {"name": one.name} for one in self.categories if not one.is_active]
        rule = self.rule
        if rule.category is not None and not rule.category.is_active:
            found.append(_("改为的类别“%(name)s”已停用") % {"name": rule.category.name})
        if rule.node is not None and rule.node.is_retired:
            found.append(_("地点“%(name)s”已撤销") % {"name": rule.node.name})
        units = [unit for unit in (rule.unit, *self.supporting) if unit is not None and not unit.is_active]
        return found + [_("单位“%(name)s”已停用") % {"name": unit.label} for unit in units]

    @property
    def is_broken(self) -> bool:
        """Whether it can not be followed any more. One of several categories or a supporting unit gone does not stop it."""
        rule = self.rule
        return (
            (bool(self.categories) and not any(one.is_active for one in self.categories))
            or (rule.category is not None and not rule.category.is_active)
            or (rule.node is not None and rule.node.is_retired)
            or (rule.unit is not None and not rule.unit.is_active)
        )


@dataclass(frozen=True)
class Route:
    """Where a demand goes by the rules.

    Attributes:
        rule: the one that says so, the last of the chain.
        unit, supporting: whom to dispatch to; `unit` is None when the rules say only who handles it.
        category: what it is to become, when the rules say another one than it has.
        desk: who handles it (`Desk`), empty when the rules do not say.
        mode: `RouteMode`; automatic only if every rule of the chain is.
        reasons: in words, one for each rule of the chain.
        skipped: rules that would have fitted, and why they were passed over.
    """

    rule: RoutingRule
    unit: Unit | None
    supporting: list[Unit]
    category: Category | None
    desk: str
    mode: str
    reasons: list[str]
    skipped: list[str] = field(default_factory=list)

    @property
    def goes_to(self) -> str:
        """In a word: the unit, the desk, or the category."""
        if self.unit is not None:
            return self.unit.label
        if self.desk:
            return str(Desk(self.desk).label)
        return _("改为“%(category)s”") % {"category": self.category.name} if self.category else ""

    @property
    def same(self) -> tuple[Any, ...]:
        """What two routes have in common when they send a demand the same way."""
        units = tuple(sorted(unit.pk for unit in self.supporting))
        return self.unit and self.unit.pk, units, self.category and self.category.pk, self.desk, self.mode


def route_of(demand: Demand) -> Route | None:
    """Where the rules send a demand; None when no rule fits. Eleven statements at most, one without rules."""
    return routes_of([demand]).get(demand.pk)


def routes_of(demands: Collection[Demand]) -> dict[int, Route]:
    """Demand id -> where the rules send it, for those that a rule fits. Eleven statements at most, whatever the number."""
    lines = lines_of({demand.county_id for demand in demands}) if demands else []
    return {pk: route for pk, (route, _skipped) in weigh(lines, demands).items() if route is not None}


def lines_of(county_ids: Collection[int], *, active: bool = True) -> list[Line]:
    """The rules of some counties in their order, with what they name. Three statements."""
    rows = RoutingRule.objects.filter(county_id__in=set(county_ids)).order_by("order", "pk")
    rows = rows.filter(is_active=True) if active else rows
    rows = rows.select_related("node", "unit", "category").prefetch_related("categories", "supporting")
    return [line_of(row) for row in rows]


def line_of(rule: RoutingRule) -> Line:
    return Line(rule, tuple(rule.categories.all()), tuple(rule.supporting.all()))


def weigh(lines: Sequence[Line], demands: Collection[Demand]) -> dict[int, tuple[Route | None, list[str]]]:
    """Demand id -> its route by these rules (None when none fits), and what was passed over on the way.

    Args:
        lines: in their order; also such as are not saved, for a preview.
    """
    if not lines or not demands:
        return {demand.pk: (None, []) for demand in demands}
    prefetch_related_objects(list(demands), "node")
    facts = Facts.gather(lines, demands)
    return {demand.pk: facts.walk(lines, demand) for demand in demands}


@dataclass(frozen=True)
class _Span:
    """A piece of the tree."""

    tree: int
    left: int
    right: int

    def holds(self, node: GridNode) -> bool:
        return self.tree == node.tree_id and self.left <= node.lft and node.rght <= self.right


@dataclass(frozen=True)
class Facts:
    """What the rules ask of demands beside the demands themselves, read for all of them at once.

    Attributes:
        calendar: the working calendar.
        level_names: (county id, level key) -> its name there.
        places: level key -> the pieces of the tree at that level, where demands are.
        grounds: unit id -> the places in which it can be given what hangs there (`services.reach`).
        had: demand id -> units that were given it, whether they have it still or gave it back.
        matters: what a community must not lead.
    """

    calendar: WorkingCalendar
    level_names: dict[tuple[int, str], str]
    places: dict[str, list[_Span]]
    grounds: Mapping[int, Sequence[NodeScope]]
    had: dict[int, dict[int, str]]
    matters: list[OutsideMatter]

    @classmethod
    def gather(cls, lines: Sequence[Line], demands: Collection[Demand]) -> "Facts":
        counties = {demand.county_id for demand in demands}
        levels = {key for line in lines for key in line.rule.levels}
        units = {line.rule.unit_id for line in lines if line.rule.unit_id}
        units |= {unit.pk for line in lines for unit in line.supporting}
        return cls(
            calendar=working_calendar.load(),
            level_names=_level_names(counties) if levels else {},
            places=_places(levels - _EVERYWHERE, {demand.community_id for demand in demands}),
            grounds=grounds_of(units) if units else {},
            had=_had(units, [demand.pk for demand in demands]),
            matters=outside.matters_of(counties) if units else [],
        )

    def walk(self, lines: Sequence[Line], demand: Demand) -> tuple[Route | None, list[str]]:
        """One demand through the rules. Nothing is read."""
        return _Walk(lines, self, demand).run()

    def in_reach(self, unit: Unit, node: GridNode) -> bool:
        return any(place.holds(node) for place in self.grounds.get(unit.pk, ()))

    def lies_in(self, key: str, node: GridNode) -> bool:
        """Whether a place is of a level, or lies in one of it."""
        return key in _EVERYWHERE or any(span.holds(node) for span in self.places.get(key, ()))

    def level_name(self, county_id: int, key: str) -> str:
        return str(NodeKind.DEDICATED.label) if key == DEDICATED else self.level_names.get((county_id, key), key)


def _level_names(counties: Collection[int]) -> dict[tuple[int, str], str]:
    rows = Level.objects.filter(county_id__in=counties).order_by().values_list("county_id", "key", "name")
    return {(county, key): name for county, key, name in rows}


def _places(levels: set[str], communities: Collection[int]) -> dict[str, list[_Span]]:
    """By level; as few rows as a community has of it."""
    if not levels:
        return {}
    inside = GridNode.objects.filter(community_id__in=communities).order_by()
    named = inside.filter(level_type__key__in=levels - {DEDICATED})
    wanted = named | inside.filter(kind=NodeKind.DEDICATED) if DEDICATED in levels else named
    found: dict[str, list[_Span]] = {}
    for key, kind, *span in wanted.values_list("level_type__key", "kind", "tree_id", "lft", "rght"):
        found.setdefault(key, []).append(_Span(*span))
        if kind == NodeKind.DEDICATED:
            found.setdefault(DEDICATED, []).append(_Span(*span))
    return found


def _had(units: Collection[int], demands: Collection[int]) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = {}
    if units:
        rows = SubOrder.objects.filter(demand_id__in=demands, unit_id__in=units).order_by("pk")
        for demand, unit, state in rows.values_list("demand_id", "unit_id", "state"):
            found.setdefault(demand, {})[unit] = state
    return found


@dataclass
class _Walk:
    """One demand on its way through the rules."""

    lines: Sequence[Line]
    facts: Facts
    demand: Demand
    reasons: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    passed: list[int] = field(default_factory=list)
    auto: bool = True

    def run(self) -> tuple[Route | None, list[str]]:
        """Ends: each round but the last adds a category to those passed, and none is passed twice."""
        category: Category | None = None
        last: RoutingRule | None = None
        self.passed = [self.demand.category_id]
        while True:
            line = self._first()
            if line is None:
                break
            self.reasons.append(self._reason(line))
            self.auto = self.auto and line.rule.mode == RouteMode.AUTO
            last = line.rule
            if line.rule.category is None:
                return self._route(line, category), self.skipped
            category = line.rule.category
            self.passed.append(category.pk)
        if last is None or category is None:
            return None, self.skipped
        # The rules say what it is, and none of them says where that goes.
        return self._route(Line(last), category), self.skipped

    def _route(self, line: Line, category: Category | None) -> Route:
        rule = line.rule
        auto = self.auto and rule.unit is not None and self.demand.origin != Origin.IMPORT
        return Route(
            rule=rule,
            unit=rule.unit,
            supporting=[unit for unit in line.supporting if unit.pk != rule.unit_id and self._may_help(unit)],
            category=category,
            desk=rule.desk,
            mode=str(RouteMode.AUTO if auto else RouteMode.SUGGEST),
            reasons=self.reasons,
            skipped=self.skipped,
        )

    def _first(self) -> Line | None:
        for line in self.lines:
            if not self._fits(line):
                continue
            why = self._against(line)
            if why is None:
                return line
            words = _("规则“%(rule)s”：%(why)s，跳过") % {"rule": line.rule.name, "why": why}
            if words not in self.skipped:
                self.skipped.append(words)
        return None

    @property
    def category_id(self) -> int:
        return self.passed[-1]

    def _fits(self, line: Line) -> bool:
        rule, demand = line.rule, self.demand
        if rule.county_id != demand.county_id or rule.category_id == self.category_id:
            return False
        if line.categories:
            if not any(one.pk == self.category_id for one in line.categories):
                return False
        elif len(self.passed) > 1 and rule.category_id is not None:
            # Goes on with the rules for its category: one for any category would lead away from it again.
            return False
        return (
            (rule.node is None or _span_of(rule.node).holds(demand.node))
            and (not rule.levels or any(self.facts.lies_in(key, demand.node) for key in rule.levels))
            and (not rule.origins or demand.origin in rule.origins)
            and (rule.time == RouteTime.ANY or (rule.time == RouteTime.WORKING) == self._in_hours)
            and (not rule.words or outside.word_in(rule.words, demand) is not None)
        )

    @property
    def _in_hours(self) -> bool:
        moment: datetime.datetime = self.demand.registered_at
        return self.facts.calendar.is_working_time(moment)

    def _against(self, line: Line) -> str | None:
        """Why a rule that fits is not followed all the same."""
        rule, unit = line.rule, line.rule.unit
        gone = any(one.pk == self.category_id and not one.is_active for one in line.categories)
        if gone or line.is_broken:
            return "、".join(line.faults)
        if rule.category_id in self.passed:
            return _("又回到类别“%(category)s”，规则成了循环") % {"category": rule.category}
        return None if unit is None else self._against_unit(unit)

    def _against_unit(self, unit: Unit) -> str | None:
        state = self.facts.had.get(self.demand.pk, {}).get(unit.pk)
        if state == "returned":
            return _("“%(unit)s”退回过这件事") % {"unit": unit.label}
        if state is not None:
            return _("“%(unit)s”已在办理这件事") % {"unit": unit.label}
        if not self.facts.in_reach(unit, self.demand.node):
            return _("“%(unit)s”没有在这里报到") % {"unit": unit.label}
        if outside.is_of_community(unit):
            for matter in self.facts.matters:
                if outside.fits(matter, self.demand, self.category_id):
                    return _("“%(matter)s”是清单外事项，不能由“%(unit)s”牵头") % {
                        "matter": matter.name,
                        "unit": unit.label,
                    }
        return None

    def _may_help(self, unit: Unit) -> bool:
        had = self.facts.had.get(self.demand.pk, {})
        return unit.is_active and unit.pk not in had and self.facts.in_reach(unit, self.demand.node)

    def _reason(self, line: Line) -> str:
        why = "，".join(self._conditions(line)) or _("适用于所有需求")
        words = _("规则“%(rule)s”：%(why)s") % {"rule": line.rule.name, "why": why}
        if line.rule.category is not None:
            words += _("，类别改为“%(category)s”") % {"category": line.rule.category.name}
        return words

    def _conditions(self, line: Line) -> Iterable[str]:
        """What of the demand made a rule fit, in words."""
        rule, demand = line.rule, self.demand
        for category in line.categories:
            if category.pk == self.category_id:
                yield _("类别是%(name)s") % {"name": category.name}
        if rule.node is not None:
            yield _("地点在%(name)s范围内") % {"name": rule.node.name}
        for key in [key for key in rule.levels if self.facts.lies_in(key, demand.node)][:1]:
            yield _("地点在%(level)s内") % {"level": self.facts.level_name(demand.county_id, key)}
        if rule.origins:
            yield _("来源是%(origin)s") % {"origin": demand.get_origin_display()}
        if rule.time != RouteTime.ANY:
            yield _("登记在%(time)s") % {"time": rule.get_time_display()}
        if rule.words:
            yield _("内容提到“%(word)s”") % {"word": outside.word_in(rule.words, demand)}


def _span_of(node: GridNode) -> _Span:
    return _Span(node.tree_id, node.lft, node.rght)


def circle_of(lines: Iterable[Line]) -> list[Category]:
    """A circle of categories that rules in use lead along, the first one again at the end; empty when there is none.

    Only rules that name the categories they are for can be part of one: the others are read at the beginning alone.
    """
    steps: dict[int, dict[int, Category]] = {}
    names: dict[int, Category] = {}
    for line in lines:
        if not line.rule.is_active or line.rule.category is None:
            continue
        for category in line.categories:
            names[category.pk] = category
            steps.setdefault(category.pk, {})[line.rule.category.pk] = line.rule.category
    done: set[int] = set()
    for start in steps:
        if found := _circle_from(start, steps, done):
            return [names[pk] for pk in found]
    return []


def _circle_from(start: int, steps: dict[int, dict[int, Category]], done: set[int]) -> list[int]:
    """Depth first, without recursion: a county may chain more categories than Python nests calls."""
    path: list[int] = [start]
    ahead = [iter(steps.get(start, ()))]
    while ahead:
        following = next(ahead[-1], None)
        if following is None:
            ahead.pop()
            done.add(path.pop())
        elif following in path:
            return [*path[path.index(following) :], following]
        elif following not in done:
            path.append(following)
            ahead.append(iter(steps.get(following, ())))
    return []
