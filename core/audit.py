"""The append-only trail of deeds: who did what to which object, from where. See docs/audit.md.

Each object has a hash chain of its own, so that writers on different objects never wait for one another; `core.seals`
ties all chains together afterwards, and `core.audit_check` proves the whole.
"""

import datetime
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core import origin
from core.actors import Actor, kind_of, user_of
from core.errors import Conflict, Invalid
from core.models import AuditEntry
from core.prepared import Prepared, insert

HIDDEN = "***"
BATCH = 500
# What a digest covers, in the order in which `values_list` hands it over.
DIGESTED = (
    "chain",
    "position",
    "at",
    "actor_id",
    "actor_kind",
    "action",
    "label",
    "changes",
    "reason",
    "origin",
    "county_id",
    "previous",
)

Changes = Mapping[str, tuple[Any, Any] | list[Any]]


@dataclass(frozen=True)
class Deed:
    """One row for `record_many`; the fields mean what the arguments of `record` mean. `action`: where the rows of one
    call differ in it."""

    obj: models.Model
    changes: Changes | None = None
    label: str = ""
    reason: str = ""
    personal: Collection[str] = field(default_factory=tuple)
    action: str = ""


def chain_of(obj: models.Model) -> str:
    """The name of the object's chain, the same for a proxy of its model."""
    model = type(obj)._meta.concrete_model or type(obj)
    return f"{model._meta.label_lower}:{obj.pk}"


def record(
    *,
    actor: Actor,
    action: str,
    obj: models.Model,
    changes: Changes | None = None,
    label: str = "",
    reason: str = "",
    personal: Collection[str] = (),
    new: bool = False,
) -> AuditEntry:
    """Writes one deed into the object's chain, inside the transaction that does the deed.

    Args:
        actor: who does it.
        action: stable word of the trade, at most 60 characters ("demand.dispatch").
        obj: the saved object; its row is locked by the caller.
        changes: field -> (before, after).
        label: the object's name as a page shows it; never personal data, the trail is not erased.
        reason: why, at most 500 characters.
        personal: fields of `changes` whose values are not stored, only that they changed.
        new: the object was made in this transaction, so its chain is known to be empty (saves a read).

    Raises:
        Conflict: somebody else wrote to this chain at the same time; the transaction must be given up.
        Invalid: the reason is too long.
        RuntimeError: there is no transaction.
    """
    chain = chain_of(obj)
    position, previous = (0, "") if new else _last(chain)
    deed = Deed(obj, changes, label, reason, personal)
    entry = _entry(actor, action, deed, chain, position + 1, previous, timezone.now())
    _insert([entry])
    return entry


def record_many(*, actor: Actor, action: str = "", deeds: Iterable[Deed], new: bool = False) -> list[AuditEntry]:
    """Writes many deeds in as few statements as the database allows; for imports. Arguments and errors as `record`."""
    at = timezone.now()
    entries: list[AuditEntry] = []
    ends: dict[str, tuple[int, str]] = {}
    for batch in _batches(deeds):
        if not new:
            unknown = {chain_of(deed.obj) for deed in batch} - ends.keys()
            ends.update(_last_of_many(unknown))
        for deed in batch:
            chain = chain_of(deed.obj)
            position, previous = ends.get(chain, (0, ""))
            entry = _entry(actor, deed.action or action, deed, chain, position + 1, previous, at)
            ends[chain] = (entry.position, entry.digest)
            entries.append(entry)
    _insert(entries)
    return entries


def digest(row: Iterable[Any]) -> str:
    """SHA-256 over the canonical JSON of one row's `DIGESTED` values."""
    values = dict(zip(DIGESTED, row, strict=True))
    values["at"] = values["at"].astimezone(datetime.UTC).isoformat(timespec="microseconds")
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    # A tamperer may have stored what no writer of ours can: it must be counted, not stop the check.
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def plain(value: Any) -> Any:
    """A value as JSON that every database gives back unchanged (else its digest would not).

    Fractions become text, because a database may write 1.0 as 1; NUL and broken characters go, because PostgreSQL
    refuses them.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, models.Model):
        return plain(value.pk)
    if isinstance(value, Mapping):
        return {_clean(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Promise):
        return [plain(item) for item in value]
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return _clean(str(value))


def _clean(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _entry(
    actor: Actor, action: str, deed: Deed, chain: str, position: int, previous: str, at: datetime.datetime
) -> AuditEntry:
    reason = _clean(deed.reason.strip())
    if len(reason) > 500:
        raise Invalid(_("理由不能超过 500 字。"), fields={"reason": _("不能超过 500 字。")})
    user = user_of(actor)
    entry = AuditEntry(
        chain=chain,
        position=position,
        at=at,
        actor=user,
        actor_kind=kind_of(actor),
        action=action,
        label=_clean(str(deed.label))[:120],
        changes=_shown(deed.changes or {}, deed.personal),
        reason=reason,
        origin=_clean(origin.current())[:80],
        county_id=_county_of(deed.obj),
        previous=previous,
    )
    entry.digest = digest(getattr(entry, name) for name in DIGESTED)
    return entry


def _shown(changes: Changes, personal: Collection[str]) -> dict[str, list[Any]]:
    return {
        name: [HIDDEN, HIDDEN] if name in personal else [plain(before), plain(after)]
        for name, (before, after) in changes.items()
    }


def _county_of(obj: models.Model) -> int | None:
    """The county whose auditor may read the deed; accounts carry it as `county_key` (core knows no counties)."""
    for name in ("county_id", "county_key"):
        found = getattr(obj, name, None)
        if found is not None:
            return int(found)
    return None


def _last(chain: str) -> tuple[int, str]:
    for position, last in _LAST.rows(chain):
        return position, last
    return 0, ""


_LAST = Prepared(
    lambda chain: AuditEntry.objects.filter(chain=chain).order_by("-position").values_list("position", "digest")[:1],
    str,
)


def _last_of_many(chains: Collection[str]) -> dict[str, tuple[int, str]]:
    newest = AuditEntry.objects.filter(chain=OuterRef("chain")).order_by("-position").values("position")[:1]
    rows = AuditEntry.objects.filter(chain__in=chains, position=Subquery(newest)).order_by()
    return {chain: (position, last) for chain, position, last in rows.values_list("chain", "position", "digest")}


def _batches(deeds: Iterable[Deed]) -> Iterator[list[Deed]]:
    batch: list[Deed] = []
    for deed in deeds:
        batch.append(deed)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _insert(entries: list[AuditEntry]) -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an audit row is written in the transaction of its deed")
    try:
        if len(entries) == 1:
            insert(entries[0])
        else:
            AuditEntry.objects.bulk_create(entries, batch_size=BATCH)
    except IntegrityError as error:
        raise Conflict(_("这条记录刚刚被别人改动，您的操作没有保存。请刷新页面，看过最新情况后再办理。")) from error
