"""Promises are made, corrected, and settled when their unit goes. Source: docs/domain.md#z1, #z2.

Locks, in this order: the streets of the places, check-ins (so that none ends meanwhile, and nobody promises the same thing
twice at once), promises; each in id order. How a promise goes on is `services.actions.commitment_moves`.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import audit, policies
from core.actors import SYSTEM, Actor, user_of
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.periods import date_words
from core.text import clean_line
from grids.actions import hold_places
from grids.actions.terms import BATCH, batches
from grids.models import GridNode
from partybuilding.models import Member, Unit
from partybuilding.policies import MemberScope, UnitScope
from partybuilding.selectors import liaisons_of
from services import commitment_notices, guards, posts, standing
from services.models import Commitment, CommitmentState, MemberCheckIn, UnitCheckIn
from services.workflow import COMMITMENT

UNCHANGED: Any = object()
# The name of who answers for it; the trail holds no names.
PERSONAL = ("owner",)
_FIELDS = ("title", "measure", "owner", "due_on")


@dataclass(frozen=True)
class NewCommitment:
    """A promise to be, of a unit or of a member.

    Attributes:
        node: the place that benefits; inside a community.
        title, measure, owner: what, when it counts as done, who answers for it.
        due_on: last day; not before the promise.
        checkin: by which the unit serves there; found when not given.
        promised_on: not in the future; today when not given. Only lists of what was promised before give it, and what
            `percent` of it, or that it was done and confirmed on `done_on`.
    """

    node: GridNode
    title: str
    measure: str
    owner: str
    due_on: datetime.date
    unit: Unit | None = None
    member: Member | None = None
    checkin: UnitCheckIn | None = None
    promised_on: datetime.date | None = None
    percent: int = 0
    done_on: datetime.date | None = None


@dataclass(frozen=True)
class CommitmentChange:
    """What shall be said of a promise that is open. What is not given stays. `version`: of what the person saw."""

    commitment: Commitment
    title: str = UNCHANGED
    measure: str = UNCHANGED
    owner: str = UNCHANGED
    due_on: datetime.date = UNCHANGED
    version: int | None = None


@dataclass(frozen=True)
class Settlement:
    """What becomes of an open promise whose unit goes: it passes to `unit`, or, without one, is dropped for `reason`."""

    commitment: Commitment
    unit: Unit | None
    reason: str


def make_commitment(
    *,
    actor: Actor,
    node: GridNode,
    title: str,
    measure: str,
    owner: str,
    due_on: datetime.date,
    unit: Unit | None = None,
    member: Member | None = None,
    checkin: UnitCheckIn | None = None,
) -> Commitment:
    """A unit or a member promises something to a place: by its liaison, by the member, or by the community for the unit.

    Args: as `NewCommitment`.

    Raises:
        NotFound, Forbidden: the actor speaks neither for the unit or member nor for the place.
        Invalid: a text or a date is not usable, the place is retired or in no community, or the unit (the member) has not
            reported there. Conflict: the same was promised there today.
    """
    row = NewCommitment(node, title, measure, owner, due_on, unit, member, checkin)
    return make_commitments(actor=actor, rows=[row])[0]


@transaction.atomic
def make_commitments(*, actor: Actor, rows: Sequence[NewCommitment]) -> list[Commitment]:
    """Makes many promises in a few statements, for imports and resolutions; all or none. Raises as `make_commitment`.

    A meeting's convenor makes what the meeting resolved (`meeting.manage` at the place).
    """
    nodes = {node.pk: node for node in hold_places(*{row.node.pk: row.node for row in rows}.values())}
    units = standing.checkins_of((row.unit.pk for row in rows if row.unit), lock=True)
    members = standing.member_checkins_of((row.member.pk for row in rows if row.member), lock=True)
    twins = _twins(rows)
    made = []
    for row in rows:
        one = judge_commitment(row, nodes[row.node.pk], units, members)
        _require_speaker(actor, row, one)
        if identity_of(one) in twins:
            raise _promised_already(one)
        twins.add(identity_of(one))
        made.append(one)
    _insert(made)
    deeds = [audit.Deed(one, _told(one), label=str(one), personal=PERSONAL) for one in made]
    audit.record_many(actor=actor, action="commitment.make", deeds=deeds, new=True)
    commitment_notices.made(actor, made)
    return made


@transaction.atomic
def change_commitments(*, actor: Actor, rows: Sequence[CommitmentChange]) -> list[Commitment]:
    """Corrects many open promises; all or none. Rows that say nothing new are left alone.

    Raises:
        NotFound, Forbidden: no `commitment.manage` there. Invalid: a text or a date is not usable.
        Conflict: one is not open any more, or there is one of that title already. Stale: the page is old.
    """
    locked = _locked(row.commitment for row in rows)
    deeds, changed = [], []
    for row in rows:
        one = locked[row.commitment.pk]
        COMMITMENT.may(one, "change", actor=actor, version=row.version)
        changes = _apply(one, row)
        if not changes:
            continue
        if "due_on" in changes:
            _check_due(one.due_on, one.promised_on)
        one.version += 1
        changed.append(one)
        deeds.append(audit.Deed(one, changes, label=str(one), personal=PERSONAL))
    try:
        with transaction.atomic():
            Commitment.objects.bulk_update(changed, [*_FIELDS, "version"], batch_size=BATCH)
    except IntegrityError as error:
        raise _promised_already(changed[0]) from error
    audit.record_many(actor=actor, action="commitment.change", deeds=deeds)
    return [locked[row.commitment.pk] for row in rows]


def change_commitment(
    *,
    actor: Actor,
    commitment: Commitment,
    title: str = UNCHANGED,
    measure: str = UNCHANGED,
    owner: str = UNCHANGED,
    due_on: datetime.date = UNCHANGED,
    version: int | None = None,
) -> Commitment:
    """Corrects an open promise. Raises as `change_commitments`."""
    row = CommitmentChange(commitment, title, measure, owner, due_on, version)
    return change_commitments(actor=actor, rows=[row])[0]


def settle_commitments(*, actor: Actor, rows: Sequence[Settlement]) -> None:
    """Says what becomes of promises whose unit goes; all or none. For whoever ends a check-in, in that transaction.

    One with a unit is moved to it: the old promise ends as moved, and the same begins anew under that unit, with its
    liaison as the owner. One without is dropped, with the reason.

    Raises:
        NotFound, Forbidden: neither `commitment.manage` nor `checkin.manage` there.
        Invalid: the unit has not reported there, is out of use or has it already; a reason is missing.
        Conflict: one is not open any more.
    """
    settle(actor=actor, rows=rows)


@transaction.atomic
def settle(*, actor: Actor, rows: Sequence[Settlement], version: int | None = None) -> list[Commitment]:
    """As `settle_commitments`; answers each promise as it stands now. `version`: of what the person saw of the one."""
    hold_places(*{row.commitment.node_id: row.commitment.node for row in rows}.values())
    units = [row.unit for row in rows if row.unit]
    checkins = standing.checkins_of((unit.pk for unit in units), lock=True)
    liaisons = liaisons_of(units)
    locked = _locked(row.commitment for row in rows)
    moved: list[tuple[Commitment, Commitment]] = []
    dropped: list[Commitment] = []
    for row in rows:
        one = locked[row.commitment.pk]
        data = {"unit": row.unit, "reason": row.reason.strip()}
        move = COMMITMENT.check(one, "move" if row.unit else "drop", actor=actor, data=data, version=version)
        before = one.state
        one.state = CommitmentState(str(move.target))
        one.reason = clean_line(row.reason, max_length=500, label=_("理由"), field="reason")
        one.version += 1
        if row.unit is None:
            dropped.append(one)
        else:
            owner = next((held.user.name for held in liaisons[row.unit.pk]), row.unit.label)
            moved.append((one, _taken_over(one, row.unit, owner[:60], checkins)))
        one.was = before  # type: ignore[attr-defined]
    _insert([new for _old, new in moved])
    for old, new in moved:
        old.moved_to = new
    Commitment.objects.bulk_update(locked.values(), ["state", "reason", "moved_to", "version"], batch_size=BATCH)
    fresh = [audit.Deed(new, _told(new), label=str(new), personal=PERSONAL) for _old, new in moved]
    audit.record_many(actor=actor, action="commitment.make", deeds=fresh, new=True)
    audit.record_many(actor=actor, action="commitment.move", deeds=[_ended(old) for old, _new in moved])
    audit.record_many(actor=actor, action="commitment.drop", deeds=[_ended(one) for one in dropped])
    commitment_notices.settled(moved, dropped)
    return [locked[row.commitment.pk] for row in rows]


Identity = tuple[int | None, int | None, int, str, datetime.date]


def identity_of(row: Commitment) -> Identity:
    """What makes two promises the same one: who, where, what, and when it was promised."""
    return row.unit_id, row.member_id, row.node_id, row.title, row.promised_on


# --- Checks ---------------------------------------------------------------------------------------------------------


def judge_commitment(
    row: NewCommitment,
    node: GridNode,
    units: dict[int, list[UnitCheckIn]],
    members: dict[int, MemberCheckIn],
) -> Commitment:
    """The promise a row would make, unsaved.

    Args:
        node: the row's place as it is now. units, members: their check-ins (`services.standing`).

    Raises Invalid under the field that is at fault.
    """
    if (row.unit is None) == (row.member is None):
        raise _bad("unit", _("请填写承诺单位，或由党员本人承诺，二者选一。"))
    if node.is_retired:
        raise _bad("node", _("“%(place)s”已撤销，不能作为受益地点。") % {"place": node.path})
    if node.community_id is None:
        raise _bad("node", _("“%(place)s”不在任何社区内，请选社区或社区以下的地点。") % {"place": node.path})
    promised_on = row.promised_on or timezone.localdate()
    if promised_on > timezone.localdate():
        raise _bad("promised_on", _("承诺日期不能晚于今天。"))
    _check_due(row.due_on, promised_on)
    if not 0 <= row.percent <= 100:
        raise bad_percent()
    if row.done_on is not None and not promised_on <= row.done_on <= timezone.localdate():
        raise _bad("done_on", _("完成日期要在承诺日期和今天之间。"))
    done = row.done_on is not None
    return Commitment(
        county_id=node.county_id,
        unit=row.unit,
        member=row.member,
        checkin=_checkin(row.unit, node, units, row.checkin) if row.unit else None,
        node=node,
        community_id=_community_of(row.member, node, members),
        title=_clean("title", row.title),
        measure=_clean("measure", row.measure),
        owner=_clean("owner", row.owner),
        due_on=row.due_on,
        promised_on=promised_on,
        state=CommitmentState.DONE if done else CommitmentState.OPEN,
        percent=100 if done else row.percent,
        done_on=row.done_on,
    )


def _checkin(
    unit: Unit, node: GridNode, units: dict[int, list[UnitCheckIn]], wanted: UnitCheckIn | None = None
) -> UnitCheckIn:
    if not unit.is_active or unit.county_id != node.county_id:
        raise _bad("unit", _("“%(unit)s”不是本县在用的单位。") % {"unit": unit})
    held = units.get(unit.pk, [])
    found = standing.nearest([row for row in held if wanted is None or row.pk == wanted.pk], node)
    if found is None:
        places = _("、").join(row.node.name for row in held) or _("（没有报到）")
        raise _bad(
            "unit",
            _("“%(unit)s”没有在“%(place)s”报到，不能在这里承诺。它现在的报到地：%(places)s。请先办理报到，或另选地点。")
            % {"unit": unit, "place": node.path, "places": places},
        )
    return found


def _community_of(member: Member | None, node: GridNode, members: dict[int, MemberCheckIn]) -> int:
    """The community that benefits; a member promises in the one that took them in."""
    assert node.community_id is not None
    if member is not None:
        checkin = members.get(member.pk)
        if not member.is_active or checkin is None or checkin.community_id != node.community_id:
            raise _bad("node", _("请先向“%(place)s”所在的社区报到，社区接收后才能在这里承诺。") % {"place": node.name})
    return node.community_id


def _require_speaker(actor: Actor, row: NewCommitment, one: Commitment) -> None:
    """The unit's liaison, the member, or who works on the lists of the place; for what is done already, who confirms."""
    if actor is SYSTEM:
        return
    if row.done_on is not None:
        policies.require(actor, posts.CONFIRM_COMMITMENT, one.node)
        if guards.is_ones_own(one, actor):
            raise Forbidden(_("您是“%(who)s”的人，不能登记它已完成。") % {"who": one.holder})
        return
    for scope in policies.scopes(user_of(actor), posts.MAKE_COMMITMENT):
        if isinstance(scope, UnitScope) and row.unit is not None and scope.unit_id == row.unit.pk:
            return
        if isinstance(scope, MemberScope) and row.member is not None and scope.member_id == row.member.pk:
            return
    if not policies.can(actor, posts.MANAGE_MEETING, one.node):
        policies.require(actor, posts.MANAGE_COMMITMENT, one.node)


def _check_due(due_on: datetime.date, promised_on: datetime.date) -> None:
    if due_on >= promised_on:
        return
    if promised_on == timezone.localdate():
        raise _bad("due_on", _("完成期限不能早于今天。"))
    raise _bad("due_on", _("完成期限不能早于承诺日期 %(day)s。") % {"day": date_words(promised_on)})


_WORDS = {"title": (lazy("承诺事项"), 100), "measure": (lazy("完成标准"), 200), "owner": (lazy("责任人"), 60)}


def _clean(name: str, value: str) -> str:
    label, length = _WORDS[name]
    words = clean_line(value, max_length=length, label=str(label), field=name, required=True)
    return scrub_identity_numbers(scrub_phone_numbers(words))


def _bad(name: str, message: str) -> Invalid:
    return Invalid(message, fields={name: message})


def bad_percent() -> Invalid:
    """For a percentage below 0 or above 100."""
    return _bad("percent", _("进度请填 0 到 100 之间的整数。"))


def _promised_already(row: Commitment) -> Conflict:
    message = _("“%(who)s”当天已在“%(place)s”承诺过“%(title)s”，不用重复登记。")
    words = {"who": row.holder, "place": row.node, "title": row.title}
    return Conflict(message % words, code="promised_already", fields={"title": message % words})


# --- Reading and writing --------------------------------------------------------------------------------------------


def _locked(rows: Iterable[Commitment]) -> dict[int, Commitment]:
    """The promises as they are now, by key. Raises NotFound when one is gone."""
    pks = sorted({row.pk for row in rows})
    found: dict[int, Commitment] = {}
    for some in batches(pks):
        again = Commitment.objects.select_for_update(of=("self",)).filter(pk__in=some).order_by("pk")
        found.update({row.pk: row for row in again.select_related("node", "community", "unit", "member")})
    if len(found) < len(pks):
        raise NotFound(_("没有找到这条记录，或不在您的管辖范围内。"))
    return found


def _twins(rows: Sequence[NewCommitment]) -> set[Identity]:
    """The promises there are already of these units and members, in these words, at these places."""
    found: set[Identity] = set()
    for some in batches(rows):
        days = {row.promised_on or timezone.localdate() for row in some}
        there = Commitment.objects.filter(node_id__in={row.node.pk for row in some}, promised_on__in=days)
        found.update(there.order_by().values_list("unit_id", "member_id", "node_id", "title", "promised_on"))
    return found


def _insert(rows: Sequence[Commitment]) -> None:
    if not rows:
        return
    try:
        with transaction.atomic():
            Commitment.objects.bulk_create(rows, batch_size=BATCH)
    except IntegrityError as error:
        raise _promised_already(rows[0]) from error


def _taken_over(old: Commitment, unit: Unit, owner: str, checkins: dict[int, list[UnitCheckIn]]) -> Commitment:
    if unit.pk == old.unit_id:
        raise _bad("unit", _("“%(title)s”本来就是“%(unit)s”的承诺，请选别的单位。") % {"title": old, "unit": unit})
    return Commitment(
        county_id=old.county_id,
        unit=unit,
        checkin=_checkin(unit, old.node, checkins),
        node=old.node,
        community_id=old.community_id,
        title=old.title,
        measure=old.measure,
        owner=owner,
        due_on=old.due_on,
    )


def _apply(one: Commitment, row: CommitmentChange) -> dict[str, tuple[Any, Any]]:
    """Sets what was given and differs; says what changed."""
    changes: dict[str, tuple[Any, Any]] = {}
    for name in _FIELDS:
        value = getattr(row, name)
        if value is UNCHANGED:
            continue
        before, after = getattr(one, name), _clean(name, value) if name in _WORDS else value
        if before != after:
            setattr(one, name, after)
            changes[name] = (before, after)
    return changes


def _told(row: Commitment) -> dict[str, tuple[Any, Any]]:
    fields = ("unit_id", "member_id", "node_id", *_FIELDS, "promised_on", "state", "percent", "done_on")
    return {name: (None, getattr(row, name)) for name in fields if getattr(row, name) is not None}


def _ended(row: Any) -> audit.Deed:
    changes = {"state": (row.was, row.state)}
    if row.moved_to_id:
        changes["moved_to_id"] = (None, row.moved_to_id)
    return audit.Deed(row, changes, label=str(row), reason=row.reason)
