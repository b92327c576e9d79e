"""Takes what hangs on a place over to another one, as `grids.hanging` says it goes. Inside the transaction that changes
the tree, which holds the streets' locks alone, so that nobody hangs anything new on the place meanwhile.
"""

import copy
import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.errors import Conflict
from grids import hanging
from grids.actions.terms import batches
from grids.hanging import Fate, Hanging, Passage


def hand_over(passage: Passage, wanted: Mapping[str, str]) -> None:
    """The open rows on a place that goes out of use: over to the successor, ended, or refused all together.

    Args:
        passage: `node` is the place, `successor` who takes over (or None).
        wanted: `Hanging.key` -> the fate a person chose.

    Raises Conflict when some have to be seen to first; the message counts them.
    """
    plans = []
    stuck = []
    for kind in hanging.registered():
        here = Q(**{kind.node: passage.node})
        fate, otherwise = hanging.fates_of(kind, passage.successor, wanted)
        parts = _locked(kind, here, passage, fate, otherwise)
        plans.append((kind, parts))
        if count := len(parts.get(Fate.BY_HAND, ())):
            stuck.append(_stuck(kind, count))
    _refuse(passage, stuck)
    for kind, parts in plans:
        _end(kind, passage, parts.get(Fate.END, []))
        _carry(kind, passage, parts.get(Fate.FOLLOW, []))


def follow_community(passage: Passage, nodes: Q) -> None:
    """The community column of the open rows on some nodes follows them into another community.

    Args:
        nodes: filter on the nodes, which are in the new community already.

    Raises Conflict when rows find no room there; the message counts them.
    """
    plans = []
    stuck = []
    for kind in hanging.registered():
        if not kind.community:
            continue
        parts = _locked(kind, hanging.inside(kind, nodes), passage, Fate.FOLLOW, Fate.BY_HAND)
        plans.append((kind, parts.get(Fate.FOLLOW, [])))
        if count := len(parts.get(Fate.BY_HAND, ())):
            stuck.append(_stuck(kind, count))
    _refuse(passage, stuck)
    for kind, pks in plans:
        for some in batches(pks):
            rows = kind.model._default_manager.filter(pk__in=some)
            rows.update(**{kind.community: passage.new_community})
        _tell(kind, passage, dict(zip(pks, pks, strict=True)))


def _locked(kind: Hanging, where: Q, passage: Passage, fate: Fate, otherwise: Fate) -> dict[Fate, list[int]]:
    """The keys of open rows by what becomes of them, locked in the order of the keys like everywhere."""
    rows = kind.open_rows().filter(where).order_by("pk")
    pks = list(rows.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    found: dict[Fate, list[int]] = {fate: pks}
    if pks and fate is Fate.FOLLOW:
        crowded = kind.crowded_out(rows, passage.successor, passage.new_community)
        if crowded is not None:
            out = set(rows.filter(crowded).values_list("pk", flat=True))
            found = {fate: [pk for pk in pks if pk not in out]}
            found.setdefault(otherwise, []).extend(pk for pk in pks if pk in out)
    return found


def _stuck(kind: Hanging, count: int) -> str:
    return str(kind.label) if kind.discreet else hanging.counted(count, kind.label)


def _refuse(passage: Passage, stuck: list[str]) -> None:
    if stuck:
        raise Conflict(
            _("“%(place)s”还有%(rows)s，不能%(deed)s，请先办结或调整到别处。")
            % {"place": passage.node.path, "rows": "、".join(stuck), "deed": passage.deed},
            code="rows_hang",
        )


def _carry(kind: Hanging, passage: Passage, pks: list[int]) -> None:
    if not pks:
        return
    went = _begin_anew(kind, passage, pks) if kind.begun else _hang_elsewhere(kind, passage, pks)
    _tell(kind, passage, went)


def _hang_elsewhere(kind: Hanging, passage: Passage, pks: list[int]) -> dict[int, int]:
    """The rows themselves go over."""
    values: dict[str, Any] = {kind.node: passage.successor}
    if kind.community:
        values[kind.community] = passage.new_community
    if _has_version(kind):
        values["version"] = F("version") + 1
    changes = {f"{kind.node}_id": (passage.node.pk, passage.successor.pk)}
    for rows in _rows(kind, pks):
        kind.model._default_manager.filter(pk__in=[row.pk for row in rows]).update(**values)
        for row in rows:
            setattr(row, kind.node, passage.successor)
        _write_down(kind, passage, "place.follow", [(row, changes) for row in rows])
    return dict(zip(pks, pks, strict=True))


def _begin_anew(kind: Hanging, passage: Passage, pks: list[int]) -> dict[int, int]:
    """They end here today and begin there today: who served where, stays true."""
    today = timezone.localdate()
    went: dict[int, int] = {}
    for rows in _rows(kind, pks):
        anew = []
        for row in rows:
            again = copy.copy(row)
            again.pk, again._state = None, copy.copy(row._state)
            again._state.adding = True
            setattr(again, kind.node, passage.successor)
            again.start = max(row.start, today)
            if kind.afresh is not None:
                kind.afresh(again)
            if _has_version(kind):
                again.version = 1
            anew.append(again)
        _close(kind, passage, rows, today)
        kind.model._default_manager.bulk_create(anew)
        _write_down(kind, passage, kind.begun, [(row, _facts(row)) for row in anew], new=True)
        went |= {row.pk: again.pk for row, again in zip(rows, anew, strict=True)}
    return went


def _has_version(kind: Hanging) -> bool:
    return any(field.name == "version" for field in kind.model._meta.concrete_fields)


def _facts(row: Any) -> dict[str, tuple[Any, Any]]:
    """What the trail says of a new row: whom and what it joins and from when, never a text somebody wrote."""
    fields = [
        field for field in row._meta.concrete_fields if field.is_relation or field.choices or field.name == "start"
    ]
    return {field.attname: (None, getattr(row, field.attname)) for field in fields}


def _end(kind: Hanging, passage: Passage, pks: list[int]) -> None:
    today = timezone.localdate()
    if pks and kind.ender is not None:
        kind.ender(passage, pks)
    for rows in _rows(kind, pks):
        _close(kind, passage, rows, today)


def _close(kind: Hanging, passage: Passage, rows: Sequence[Any], today: datetime.date) -> None:
    """Today is the last day; of what has not begun yet, the first."""
    deeds = []
    for row in rows:
        setattr(row, kind.node, passage.node)
        before, row.end = row.end, max(row.start, today)
        deeds.append((row, {"end": (before, row.end)}))
    written = ["end"]
    if _has_version(kind):
        written.append("version")
        for row in rows:
            row.version += 1
    kind.model._default_manager.bulk_update(rows, written)
    _write_down(kind, passage, kind.ended, deeds)


def _rows(kind: Hanging, pks: list[int]) -> Iterator[list[Any]]:
    for some in batches(pks):
        yield list(kind.model._default_manager.filter(pk__in=some).order_by("pk"))


def _write_down(
    kind: Hanging, passage: Passage, action: str, rows: Sequence[tuple[Any, audit.Changes]], *, new: bool = False
) -> None:
    # The label says no more than the place and the kind: rows may be about persons, and the trail is never erased.
    if kind.discreet:
        label, reason = str(kind.label), _("随所在的地点%(deed)s") % {"deed": passage.deed}
    else:
        label = f"{passage.node.name} {kind.label}"
        reason = _("随“%(place)s”%(deed)s") % {"place": passage.node.name, "deed": passage.deed}
        if passage.reason:
            reason = f"{reason}：{passage.reason}"[:500]
    deeds = (
        audit.Deed(row, changes, label=label, reason=reason, personal=tuple(changes) if kind.discreet else ())
        for row, changes in rows
    )
    audit.record_many(actor=passage.actor, action=action, deeds=deeds, new=new)


def _tell(kind: Hanging, passage: Passage, went: Mapping[int, int]) -> None:
    if went and kind.follower is not None:
        kind.follower(passage, went)
