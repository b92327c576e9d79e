"""The county's rules of dispatch and its list of matters a community must not lead: written here, and followed here.

Every change takes the county's row first, so that two people can not save the halves of a circle at once.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import SYSTEM, Actor
from core.errors import Conflict, DomainError, Invalid, Stale
from core.text import clean_line
from grids.models import County, Level
from services import posts
from services.actions.moving import move
from services.actions.together import Order, make_together
from services.models import (
    Demand,
    Desk,
    Origin,
    OutsideMatter,
    RouteMode,
    RouteTime,
    RoutingRule,
)
from services.selectors import outside
from services.selectors.routing import DEDICATED, Line, Route, circle_of, lines_of, route_of, routes_of

logger = logging.getLogger(__name__)
MOST_WORDS, WORD_LENGTH = 20, 20
MOST_RULES = 200
_STEP = 10
_COLUMNS = (
    "name",
    "order",
    "is_active",
    "mode",
    "node",
    "levels",
    "origins",
    "time",
    "words",
    "unit",
    "category",
    "desk",
)
_LISTS = ("categories", "supporting")
_OUTSIDE_COLUMNS = ("name", "basis", "words", "is_active")


# --- Rules ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_rule(*, actor: Actor, county: County, **values: Any) -> RoutingRule:
    """Adds a rule after the others of a county.

    Args:
        values: fields of `RoutingRule`; `categories` and `supporting` as sequences of rows.

    Raises:
        NotFound, Forbidden: without `routing.manage` in the county.
        Invalid: a value can not be used, or the rules would lead in a circle; `fields` names it.
        Conflict: the county has a rule of that name.
    """
    _require(actor, county)
    _hold(county)
    orders = list(RoutingRule.objects.filter(county=county).values_list("order", flat=True))
    if len(orders) >= MOST_RULES:
        raise Invalid(_("规则最多 %(most)d 条，请先停用、合并不用的规则。") % {"most": MOST_RULES})
    rule = RoutingRule(county=county, order=max(orders, default=0) + _STEP)
    lists = _fill(rule, values, {name: [] for name in _LISTS})
    _save(rule, lists)
    changes = {
        **{name: (None, getattr(rule, name)) for name in _COLUMNS},
        **{k: (None, _names(v)) for k, v in lists.items()},
    }
    audit.record(actor=actor, action="routing.create", obj=rule, changes=_plain(changes), label=rule.name, new=True)
    return rule


@transaction.atomic
def update_rule(*, actor: Actor, rule: RoutingRule, version: int | None = None, **values: Any) -> RoutingRule:
    """Changes a rule; demands dispatched before stay where they are. Arguments and errors as `create_rule`; `Stale` for an
    older version than the one that stands."""
    found = _locked(actor, rule, version)
    before: dict[str, Any] = {name: getattr(found, name) for name in _COLUMNS}
    kept = {name: list(getattr(found, name).all()) for name in _LISTS}
    lists = _fill(found, values, kept)
    changes: dict[str, tuple[Any, Any]] = {
        name: (old, getattr(found, name)) for name, old in before.items() if old != getattr(found, name)
    }
    changes |= {k: (_names(kept[k]), _names(v)) for k, v in lists.items() if _names(kept[k]) != _names(v)}
    if changes:
        found.version += 1
        _save(found, lists)
        audit.record(actor=actor, action="routing.update", obj=found, changes=_plain(changes), label=found.name)
    return found


@transaction.atomic
def shift_rule(*, actor: Actor, rule: RoutingRule, up: bool) -> RoutingRule:
    """Moves a rule one place up or down; at the end it stays where it is. Raises `NotFound`, `Forbidden`."""
    found = _locked(actor, rule, None)
    rows = list(RoutingRule.objects.select_for_update().filter(county_id=found.county_id).order_by("order", "pk"))
    at = next(number for number, row in enumerate(rows) if row.pk == found.pk)
    other = at - 1 if up else at + 1
    if not 0 <= other < len(rows):
        return found
    before = rows[at].order
    rows[at], rows[other] = rows[other], rows[at]
    for number, row in enumerate(rows, start=1):
        row.order = number * _STEP
    RoutingRule.objects.bulk_update(rows, ["order"])
    moved = rows[other]
    changes = {"order": (before, moved.order)}
    audit.record(actor=actor, action="routing.shift", obj=moved, changes=changes, label=moved.name)
    return moved


def proposed(*, actor: Actor, county: County, rule: RoutingRule | None = None, **values: Any) -> Line:
    """A rule as it would be read if it were saved so, for a preview. Nothing is written. Raises as `create_rule`."""
    _require(actor, county)
    if rule is None:
        last = RoutingRule.objects.filter(county=county).order_by("-order").values_list("order", flat=True).first()
        rule = RoutingRule(county=county, order=(last or 0) + _STEP)
    kept = {name: list(getattr(rule, name).all()) if rule.pk else [] for name in _LISTS}
    lists = _fill(rule, values, kept)
    return Line(rule, tuple(lists["categories"]), tuple(lists["supporting"]))


def _locked(actor: Actor, rule: RoutingRule, version: int | None) -> RoutingRule:
    _require(actor, rule.county)
    _hold(rule.county)
    related = ("county", "node", "unit", "category")
    found = RoutingRule.objects.select_for_update(of=("self",)).select_related(*related).get(pk=rule.pk)
    if version is not None and version != found.version:
        raise Stale(_("刚刚有人改过这条规则。没有做任何改动，请看过最新内容后再改。"))
    return found


def _require(actor: Actor, county: County) -> None:
    if actor is not SYSTEM:
        policies.require(actor, posts.MANAGE_ROUTING, county)


def _hold(county: County) -> None:
    """One writer of a county's rules at a time; whoever names the county by a foreign key is not kept waiting."""
    County.objects.select_for_update(no_key=True).get(pk=county.pk)


def _fill(rule: RoutingRule, values: Mapping[str, Any], kept: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Puts cleaned values into a rule, and answers the rows it names. Raises `Invalid`."""
    lists = {name: list(values[name]) if name in values else list(kept[name]) for name in _LISTS}
    for name in _COLUMNS:
        if name in values:
            clean = _CLEAN.get(name)
            setattr(rule, name, clean(values[name]) if clean else values[name])
    rule.name = clean_line(rule.name, max_length=40, label=_("规则名称"), field="name", required=True)
    _check_county(rule, lists)
    _check_answer(rule, lists)
    _check_outside(rule, lists)
    return lists


def _bad(field: str, message: str) -> Invalid:
    return Invalid(message, fields={field: message})


def _check_county(rule: RoutingRule, lists: Mapping[str, Sequence[Any]]) -> None:
    """What a rule names is of its county and in use; levels and origins are such as there are."""
    for field, rows in {**lists, "unit": [rule.unit], "category": [rule.category]}.items():
        for row in rows:
            if row is not None and (row.county_id != rule.county_id or not row.is_active):
                raise _bad(field, _("“%(name)s”不是本县在用的，请另选。") % {"name": row})
    if rule.node is not None and (rule.node.county_id != rule.county_id or rule.node.is_retired):
        raise _bad("node", _("“%(name)s”不是本县在用的地点，请另选。") % {"name": rule.node})
    levels = {*Level.objects.filter(county_id=rule.county_id).values_list("key", flat=True), DEDICATED}
    for field, given, known in (("levels", rule.levels, levels), ("origins", rule.origins, set(Origin.values))):
        if set(given) - known:
            raise _bad(field, _("请从列出的选项中选择。"))


def _check_answer(rule: RoutingRule, lists: Mapping[str, Sequence[Any]]) -> None:
    """A rule says something, and one thing."""
    to_somebody = rule.unit is not None or bool(rule.desk)
    if rule.category is not None and (to_somebody or lists["supporting"]):
        raise _bad("category", _("改类别的规则不能同时写单位或经办层级：改了类别以后，按那个类别的规则派。"))
    if rule.category is None and not to_somebody:
        raise _bad("unit", _("请写明派给哪个单位、由哪一级经办，或改为哪个类别。"))
    if lists["supporting"] and rule.unit is None:
        raise _bad("supporting", _("有配合单位的，请先选牵头单位。"))
    if rule.mode == RouteMode.AUTO and rule.category is None and (rule.unit is None or rule.desk):
        raise _bad("mode", _("自动派单的规则要写明牵头单位，不写经办层级。"))
    if rule.category is not None and any(one.pk == rule.category.pk for one in lists["categories"]):
        raise _bad("category", _("类别“%(name)s”改成它自己，没有用处，请另选。") % {"name": rule.category})


def _check_outside(rule: RoutingRule, lists: Mapping[str, Sequence[Any]]) -> None:
    """A rule for the categories of a matter outside the community's list does not send it to the community's own unit."""
    if rule.unit is None or not outside.is_of_community(rule.unit):
        return
    named = {category.pk for category in lists["categories"]}
    for matter in outside.matters_of([rule.county_id]):
        if named & {category.pk for category in matter.categories.all()}:
            raise _bad("unit", outside.refusal(matter, rule.unit))


def _words(value: Any) -> list[str]:
    found: list[str] = []
    for word in value or []:
        clean = clean_line(word, max_length=WORD_LENGTH, label=_("每个词"), field="words")
        if clean and clean not in found:
            found.append(clean)
    if len(found) > MOST_WORDS:
        raise _bad("words", _("最多 %(most)d 个词。") % {"most": MOST_WORDS})
    return found


def _one_of(field: str, choices: Sequence[str]) -> Callable[[Any], str]:
    def clean(value: Any) -> str:
        if value not in choices:
            raise _bad(field, _("请从列出的选项中选择。"))
        return str(value)

    return clean


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "words": _words,
    "levels": lambda value: sorted(set(value or [])),
    "origins": lambda value: sorted(set(value or [])),
    "mode": _one_of("mode", RouteMode.values),
    "time": _one_of("time", RouteTime.values),
    "desk": _one_of("desk", ["", *Desk.values]),
}


def _save(rule: RoutingRule, lists: Mapping[str, Sequence[Any]]) -> None:
    _write(rule, lists, _("已有名为“%(name)s”的规则，请换一个名称。"))
    circle = circle_of(lines_of([rule.county_id])) if rule.is_active and rule.category else []
    if circle:
        way = " → ".join(category.name for category in circle)
        message = _("规则绕成了一圈：%(way)s。请改掉其中一条。") % {"way": way}
        raise Invalid(message, code="rule_loop", fields={"category": message})


def _write(row: Any, lists: Mapping[str, Sequence[Any]], taken: str) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        message = taken % {"name": row.name}
        raise Conflict(message, code="name_taken", fields={"name": message}) from error
    for name, rows in lists.items():
        getattr(row, name).set(rows)


def _names(rows: Sequence[Any]) -> list[str]:
    return sorted(str(row) for row in rows)


def _plain(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Rows by their names: the trail is read by people."""

    def words(value: Any) -> Any:
        return str(value) if hasattr(value, "_meta") else value

    return {name: (words(old), words(new)) for name, (old, new) in changes.items() if old or new}


# --- Matters a community must not lead ------------------------------------------------------------------------------


@transaction.atomic
def create_matter(*, actor: Actor, county: County, **values: Any) -> OutsideMatter:
    """Adds a matter to the county's list. `values`: fields of `OutsideMatter`. Raises as `create_rule`."""
    _require(actor, county)
    matter = OutsideMatter(county=county)
    categories = _fill_matter(matter, values, [])
    _write(matter, {"categories": categories}, _("清单里已有“%(name)s”。"))
    changes = {name: (None, getattr(matter, name)) for name in _OUTSIDE_COLUMNS} | {
        "categories": (None, _names(categories))
    }
    audit.record(actor=actor, action="outside.create", obj=matter, changes=changes, label=matter.name, new=True)
    return matter


@transaction.atomic
def update_matter(*, actor: Actor, matter: OutsideMatter, version: int | None = None, **values: Any) -> OutsideMatter:
    """Changes a matter; what was dispatched before stays where it is. Raises as `update_rule`."""
    _require(actor, matter.county)
    found = OutsideMatter.objects.select_for_update(of=("self",)).get(pk=matter.pk)
    if version is not None and version != found.version:
        raise Stale(_("刚刚有人改过这个事项。没有做任何改动，请看过最新内容后再改。"))
    before = {name: getattr(found, name) for name in _OUTSIDE_COLUMNS}
    kept = list(found.categories.all())
    categories = _fill_matter(found, values, kept)
    changes: dict[str, tuple[Any, Any]] = {
        name: (old, getattr(found, name)) for name, old in before.items() if old != getattr(found, name)
    }
    if _names(kept) != _names(categories):
        changes["categories"] = (_names(kept), _names(categories))
    if changes:
        found.version += 1
        _write(found, {"categories": categories}, _("清单里已有“%(name)s”。"))
        audit.record(actor=actor, action="outside.update", obj=found, changes=changes, label=found.name)
    return found


def _fill_matter(matter: OutsideMatter, values: Mapping[str, Any], kept: Sequence[Any]) -> list[Any]:
    categories = list(values.get("categories", kept))
    for name in _OUTSIDE_COLUMNS:
        if name in values:
            setattr(matter, name, values[name])
    matter.name = clean_line(matter.name, max_length=60, label=_("事项"), field="name", required=True)
    matter.basis = clean_line(matter.basis, max_length=200, label=_("依据"), field="basis")
    matter.words = _words(matter.words)
    if any(one.county_id != matter.county_id for one in categories):
        raise _bad("categories", _("请从列出的选项中选择。"))
    if not categories and not matter.words:
        raise _bad("words", _("请选类别，或写出能认出这类事项的词。"))
    return categories


# --- Followed by the system -----------------------------------------------------------------------------------------


def dispatch_by_rule(demand: Demand) -> Demand:
    """Dispatches an accepted demand where an automatic rule says so; answers it as it is then.

    Called when the acceptance is written. Whatever goes wrong here, the acceptance stands and the demand waits for a
    person, as it would without rules.
    """
    try:
        with transaction.atomic():
            automatic = RoutingRule.objects.filter(county_id=demand.county_id, is_active=True, mode=RouteMode.AUTO)
            route = route_of(demand) if automatic.exists() else None
            if route is None or not _is_followed(route):
                return demand
            data = _as_told(route)
            return move(actor=SYSTEM, target=demand, name="dispatch", data=data)
    except DomainError as error:
        # Somebody was quicker, or the unit's check-in has just ended.
        logger.info("rules do not dispatch %s: %s", demand.code, error.message)
    except Exception:
        logger.exception("rules could not be followed for %s", demand.code)
    return demand


def dispatch_many_by_rule(demands: Sequence[Demand]) -> int:
    """The same for many demands that were accepted together, in a fixed number of statements. Returns how many went."""
    try:
        with transaction.atomic():
            counties = {demand.county_id for demand in demands}
            automatic = RoutingRule.objects.filter(county_id__in=counties, is_active=True, mode=RouteMode.AUTO)
            routes = routes_of(demands) if demands and automatic.exists() else {}
            orders = [
                Order(demand.pk, None, [("dispatch", _as_told(routes[demand.pk]))])
                for demand in demands
                if demand.pk in routes and _is_followed(routes[demand.pk])
            ]
            return sum(answer.error is None for answer in make_together(actor=SYSTEM, orders=orders)) if orders else 0
    except Exception:
        logger.exception("rules could not be followed for %s demands", len(demands))
    return 0


def _is_followed(route: Route) -> bool:
    return route.unit is not None and route.mode == RouteMode.AUTO


def _as_told(route: Route) -> dict[str, Any]:
    """The inputs of the dispatch a route speaks of."""
    return {
        "unit": route.unit,
        "supporting": route.supporting,
        "category": route.category,
        "note": _("按派单规则自动派单。%(why)s。") % {"why": "；".join(route.reasons)},
    }
