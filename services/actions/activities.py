"""Joint activities (共建活动): written down by the community, with the units that took part. Source: docs/domain.md#z2.

Locks: the streets of the places, then the activity. What was registered by mistake is taken away; the trail keeps it.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict, Invalid, NotFound, Stale
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.text import clean_line
from grids.actions import hold_places
from grids.actions.permission import require
from grids.actions.terms import BATCH
from grids.models import GridNode
from partybuilding.models import Unit
from services.models import Activity, ActivityKind
from services.posts import MANAGE_ACTIVITY

UNCHANGED: Any = object()
MOST_PEOPLE = 100_000
_FIELDS = ("kind", "title", "held_on", "people", "text")


@dataclass(frozen=True)
class ActivityFacts:
    """An activity as it is to stand. What is not given keeps its value, or for a new one its default.

    Attributes:
        activity: the one to correct; None registers a new one at `node`. version: of what the person saw.
        people: how many took part; None when nobody counted.
    """

    node: GridNode
    activity: Activity | None = None
    version: int | None = None
    kind: str = UNCHANGED
    title: str = UNCHANGED
    held_on: datetime.date = UNCHANGED
    units: Iterable[Unit] = UNCHANGED
    people: int | None = UNCHANGED
    text: str = UNCHANGED


def register_activity(*, actor: Actor, node: GridNode, **facts: Any) -> Activity:
    """Writes down an activity at a place. `facts`: as `ActivityFacts`.

    Raises:
        NotFound, Forbidden: no `activity.manage` there. Invalid: a fact is not usable, no unit took part, the day is still
            to come, the place is retired or in no community. Conflict: it is there already.
    """
    return keep_activities(actor=actor, rows=[ActivityFacts(node, **facts)])[0]


def change_activity(*, actor: Actor, activity: Activity, version: int | None = None, **facts: Any) -> Activity:
    """Corrects an activity. Raises as `register_activity`; Stale when the page is old."""
    row = ActivityFacts(activity.node, activity, version, **facts)
    return keep_activities(actor=actor, rows=[row])[0]


@transaction.atomic
def keep_activities(*, actor: Actor, rows: Sequence[ActivityFacts]) -> list[Activity]:
    """Registers and corrects many activities in a few statements; all or none. Raises as `change_activity`."""
    nodes = {node.pk: node for node in hold_places(*{row.node.pk: row.node for row in rows}.values())}
    require(actor, MANAGE_ACTIVITY, *nodes.values())
    stands = _locked(row.activity.pk for row in rows if row.activity is not None)
    made, made_deeds, changed, changed_deeds, results = [], [], [], [], []
    units: list[tuple[Activity, set[int]]] = []
    for row in rows:
        one = _as_it_is(row, nodes[row.node.pk], stands)
        changes, joined = judge_activity(row, one)
        deed = audit.Deed(one, changes, label=str(one))
        if row.activity is None:
            made.append(one)
            made_deeds.append(deed)
        elif changes:
            one.version += 1
            changed.append(one)
            changed_deeds.append(deed)
        if joined is not None:
            units.append((one, joined))
        results.append(one)
    try:
        with transaction.atomic():
            Activity.objects.bulk_create(made, batch_size=BATCH)
            Activity.objects.bulk_update(changed, [*_FIELDS, "version"], batch_size=BATCH)
    except IntegrityError as error:
        message = _("这个地点当天已经登记过同名的活动，不用重复登记。")
        raise Conflict(message, code="activity_taken", fields={"title": message}) from error
    _join(units)
    audit.record_many(actor=actor, action="activity.register", deeds=made_deeds, new=True)
    audit.record_many(actor=actor, action="activity.change", deeds=changed_deeds)
    return results


@transaction.atomic
def drop_activity(*, actor: Actor, activity: Activity, reason: str, version: int | None = None) -> None:
    """Takes away an activity that was registered by mistake. Raises as `change_activity`; Invalid without a reason."""
    reason = clean_line(reason, max_length=500, label=_("删除理由"), field="reason", required=True)
    row = _locked([activity.pk])[activity.pk]
    require(actor, MANAGE_ACTIVITY, row)
    _refuse_stale(row, version)
    changes = {name: (getattr(row, name), None) for name in ("kind", "title", "held_on", "node_id")}
    audit.record(actor=actor, action="activity.drop", obj=row, changes=changes, label=str(row), reason=reason)
    row.delete()


def judge_activity(row: ActivityFacts, one: Activity) -> tuple[dict[str, tuple[Any, Any]], set[int] | None]:
    """Puts what is given into an activity, writes nothing, and answers what changed and which units it is to have (None:
    those it has). Raises Invalid."""
    is_new = one.pk is None
    changes: dict[str, tuple[Any, Any]] = {}
    for name in _FIELDS:
        value = getattr(row, name)
        if value is UNCHANGED:
            continue
        before, after = getattr(one, name), _clean(name, value)
        if is_new or before != after:
            setattr(one, name, after)
            changes[name] = (None if is_new else before, after)
    joined = None
    if row.units is not UNCHANGED:
        units = list(row.units)
        for unit in units:
            if not unit.is_active or unit.county_id != one.county_id:
                raise _bad("units", _("“%(unit)s”不是本县在用的单位。") % {"unit": unit})
        joined = {unit.pk for unit in units}
        before_units = set() if is_new else {unit.pk for unit in one.units.all()}
        if joined != before_units:
            changes["units"] = (sorted(before_units), sorted(joined))
        else:
            joined = None
    if is_new and not joined:
        raise _bad("units", _("请选择参加的单位，至少一个。"))
    if joined is not None and not joined:
        raise _bad("units", _("请选择参加的单位，至少一个。"))
    return changes, joined


def _as_it_is(row: ActivityFacts, node: GridNode, stands: dict[int, Activity]) -> Activity:
    if row.activity is None:
        if node.is_retired:
            raise _bad("node", _("“%(place)s”已撤销，请改选现在的地点。") % {"place": node.path})
        if node.community_id is None:
            raise _bad("node", _("“%(place)s”不在任何社区内，请选社区或社区以下的地点。") % {"place": node.path})
        return Activity(node=node, county_id=node.county_id, community_id=node.community_id)
    one = stands[row.activity.pk]
    _refuse_stale(one, row.version)
    return one


def _locked(pks: Iterable[int]) -> dict[int, Activity]:
    wanted = sorted(set(pks))
    rows = Activity.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk")
    found = {row.pk: row for row in rows.select_related("node", "community").prefetch_related("units")}
    if len(found) < len(wanted):
        raise NotFound(_("没有找到这次活动，可能刚刚被删除。"))
    return found


def _refuse_stale(row: Activity, version: int | None) -> None:
    if version is not None and version != row.version:
        raise Stale(_("这次活动刚刚被别人改动过，请刷新页面，看过最新情况后再办理。"))


def _join(rows: Sequence[tuple[Activity, set[int]]]) -> None:
    through = Activity.units.through
    through.objects.filter(activity__in=[one.pk for one, _units in rows]).delete()
    links = [through(activity_id=one.pk, unit_id=unit) for one, units in rows for unit in sorted(units)]
    through.objects.bulk_create(links, batch_size=BATCH)


def _clean(name: str, value: Any) -> Any:
    if name == "kind":
        if value not in ActivityKind.values:
            raise _bad("kind", _("请从列表中选择活动类型。"))
        return value
    if name == "held_on":
        if value > timezone.localdate():
            raise _bad("held_on", _("活动日期不能晚于今天，办完以后再登记。"))
        return value
    if name == "people":
        if value is not None and not 0 <= value <= MOST_PEOPLE:
            raise _bad("people", _("参加人数请填 0 到 %(most)d 之间的整数。") % {"most": MOST_PEOPLE})
        return value
    length, label = (80, _("活动名称")) if name == "title" else (500, _("活动情况"))
    words = clean_line(value, max_length=length, label=label, field=name, required=name == "title")
    return scrub_identity_numbers(scrub_phone_numbers(words))


def _bad(name: str, message: str) -> Invalid:
    return Invalid(message, fields={name: message})
