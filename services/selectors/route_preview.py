"""What the rules would do with the demands nobody has been given yet: by rule and unit, and what a change would change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.models import Demand, DemandState, RouteMode
from services.selectors.routing import Line, Route, lines_of, weigh

WAITING = (DemandState.REGISTERED, DemandState.ACCEPTED, DemandState.PUBLISHED)
MOST = 2000


@dataclass(frozen=True)
class Sent:
    """A demand on its way: where the rules send it, where they sent it before the change, and what was passed over."""

    demand: Demand
    route: Route | None
    before: Route | None = None
    skipped: Sequence[str] = ()

    @property
    def is_changed(self) -> bool:
        return (self.route and self.route.same) != (self.before and self.before.same)


@dataclass
class Group:
    """What one rule sends to one unit (or desk, or category)."""

    rule: str
    goes_to: str
    is_auto: bool
    rows: list[Sent] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Preview:
    """`groups` by rule in their order; `rest` no rule fits. `is_capped`: there are more than `MOST`."""

    groups: list[Group]
    rest: list[Sent]
    changed: list[Sent]
    is_capped: bool

    @property
    def total(self) -> int:
        return len(self.rest) + self.routed

    @property
    def routed(self) -> int:
        return sum(group.count for group in self.groups)


def undispatched(user: Any, county_id: int) -> list[Demand]:
    """The demands of a county nobody has been given yet and the user may know of, the most urgent first; one more than
    `MOST` at most. Two statements."""
    rows = Demand.objects.visible_to(user).filter(county_id=county_id, state__in=WAITING)
    return list(rows.with_faces().order_by("step_due_at", "pk")[: MOST + 1])


def preview(user: Any, county_id: int, *, line: Line | None = None) -> Preview:
    """What the rules in use would do now.

    Args:
        line: a rule as it would be saved, in the place of the one it stands for (or beside the others, when new); what
            it sends, and what changes by it, is then all that is answered.
    """
    demands = undispatched(user, county_id)
    now = lines_of([county_id])
    routes = weigh(now, demands[:MOST])
    if line is None:
        sent = [Sent(one, routes[one.pk][0], skipped=routes[one.pk][1]) for one in demands[:MOST]]
        return _sorted_out(sent, [], len(demands) > MOST)
    then = weigh(_with(now, line), demands[:MOST])
    sent = [Sent(one, then[one.pk][0], routes[one.pk][0], then[one.pk][1]) for one in demands[:MOST]]
    own = [one for one in sent if one.route is not None and one.route.rule is line.rule]
    return _sorted_out(own, [one for one in sent if one.is_changed], len(demands) > MOST)


def sent_by(user: Any, county_id: int, rule_id: int) -> list[Sent]:
    """What one saved rule sends today, as it stands among the others."""
    demands = undispatched(user, county_id)[:MOST]
    routes = weigh(lines_of([county_id]), demands)
    found = [Sent(one, routes[one.pk][0], skipped=routes[one.pk][1]) for one in demands]
    return [one for one in found if one.route is not None and one.route.rule.pk == rule_id]


def _with(lines: Iterable[Line], line: Line) -> list[Line]:
    others = [one for one in lines if one.rule.pk != line.rule.pk]
    if line.rule.is_active:
        others.append(line)
    return sorted(others, key=lambda one: one.key)


def _sorted_out(sent: Iterable[Sent], changed: list[Sent], is_capped: bool) -> Preview:
    groups: dict[tuple[Any, ...], Group] = {}
    rest: list[Sent] = []
    for one in sent:
        route = one.route
        if route is None:
            rest.append(one)
            continue
        key = (route.rule.order, route.rule.pk or 0, route.goes_to, route.mode)
        if key not in groups:
            groups[key] = Group(route.rule.name, route.goes_to, route.mode == RouteMode.AUTO)
        groups[key].rows.append(one)
    return Preview([groups[key] for key in sorted(groups)], rest, changed, is_capped)
