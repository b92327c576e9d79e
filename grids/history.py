"""What was done to a place, read from the audit trail and told in words: who, when, why, what it was before and is now."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from core.audit_words import change_words, deed_words
from core.models import AuditEntry
from grids.models import GridNode
from grids.querysets import in_subtree

_CHAIN = "grids.gridnode:"
# What is told of places below, where a whole street's makings and renamings would drown everything else.
_BELOW = ("node.split", "node.merge", "node.retire")
# Told by other words: the place in words, the successor's name.
_KEYS = ("parent_id", "successor_id", "retired_at", "code", "sha256")


@dataclass(frozen=True)
class Told:
    """One deed.

    Attributes:
        place: the place it was done to, where that is another one.
        text: from what to what. changes: the same for programs, field -> (before, after).
    """

    at: datetime.datetime
    action: str
    title: str
    text: str
    reason: str
    who: str
    place: str
    changes: dict[str, Any]


def deeds(node: GridNode, *, below: bool = False) -> QuerySet[AuditEntry]:
    """The deeds done to a place, newest first; with `below` also splits, merges and retirements inside it."""
    own = Q(chain=f"{_CHAIN}{node.pk}", action__startswith="node.")
    if below and node.rght > node.lft + 1:
        chains = GridNode.objects.filter(in_subtree(node)).order_by()
        named = chains.annotate(chain=Concat(Value(_CHAIN), Cast("pk", CharField())))
        own |= Q(chain__in=named.values("chain"), action__in=_BELOW)
    return AuditEntry.objects.filter(own).select_related("actor").order_by("-id")


def told(entries: Iterable[AuditEntry], node: GridNode) -> list[Told]:
    """Entries in words; one query however many."""
    rows = list(entries)
    successors = _paths(rows)
    own = f"{_CHAIN}{node.pk}"
    return [
        Told(
            at=row.at,
            action=row.action,
            title=deed_words(row.action),
            text=_text(row, successors),
            reason=row.reason,
            who=row.actor_name,
            place="" if row.chain == own else row.label,
            changes=row.changes,
        )
        for row in rows
    ]


def _paths(rows: Sequence[AuditEntry]) -> dict[int, str]:
    wanted = {pair[1] for row in rows for name, pair in row.changes.items() if name == "successor_id" and pair[1]}
    return dict(GridNode.objects.filter(pk__in=wanted).order_by().values_list("pk", "path")) if wanted else {}


def _text(row: AuditEntry, successors: dict[int, str]) -> str:
    parts = []
    for name, pair in row.changes.items():
        if name == "successor_id" and pair[1] in successors:
            parts.append(_("承接者：%(path)s") % {"path": successors[pair[1]]})
        elif name not in _KEYS:
            parts.append(_change(row, name, pair))
    return "；".join(part for part in parts if part)


def _change(row: AuditEntry, name: str, pair: Sequence[Any]) -> str:
    if name == "path":
        return _("从“%(before)s”到“%(after)s”") % {"before": _above(pair[0]), "after": _above(pair[1])}
    label, before, after = change_words(row.chain, name, list(pair))
    if pair[0] is None:
        return _("%(label)s：%(after)s") % {"label": label, "after": after}
    return _("%(label)s：%(before)s → %(after)s") % {"label": label, "before": before, "after": after}


def _above(path: str) -> str:
    """Where a place stood: its path without itself."""
    return str(path).rpartition(" · ")[0] or str(path)
