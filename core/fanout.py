"""Which messages to the outside follow from notices: over which channel, to whom, when, in which words.

Called by the delivery for a batch of notices at once; what it asks of the database does not grow with the batch.
"""

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from core import channels, notice_choices, notice_kinds, notice_words, quiet
from core.models import DigestEntry, NoticePreference, NoticeTemplate, OutboxMessage

Templates = Mapping[tuple[int, str], NoticeTemplate]
# One statement may name no more than so many accounts (SQLite takes 32,766 values).
CHUNK = 10_000


@dataclass(frozen=True)
class Reader:
    """An account a notice is for."""

    pk: int
    county_key: int | None


@dataclass
class Told:
    """A notice and its readers."""

    message: OutboxMessage
    readers: Sequence[Reader]


def send_on(batch: Sequence[Told], templates: Templates) -> int:
    """Writes the messages to the outside and what gathers for digests. Returns how many messages were written."""
    offered = channels.offered()
    batch = [told for told in batch if told.readers]
    if not offered or not batch:
        return 0
    people = any(channel.readers_per_message for channel in offered)
    preferences = _preferences(batch) if people else {}
    rows: list[OutboxMessage] = []
    entries: list[DigestEntry] = []
    now = timezone.now()
    for told in batch:
        kind = notice_kinds.find(told.message.kind)
        urgent = told.message.urgent or notice_kinds.is_urgent(told.message.kind)
        if kind is not None and kind.outside:
            rows += [
                _to_place(told, channel, templates, urgent, now)
                for channel in offered
                if not channel.readers_per_message
            ]
        if people:
            at_once, later = _by_person(told, {channel.name for channel in offered}, preferences, urgent, now)
            rows += _to_people(told, at_once, templates)
            entries += later
    OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    DigestEntry.objects.bulk_create(entries, ignore_conflicts=True, batch_size=500)
    return len(rows)


def _preferences(batch: Sequence[Told]) -> dict[int, NoticePreference]:
    readers = sorted({reader.pk for told in batch for reader in told.readers})
    found: dict[int, NoticePreference] = {}
    for start in range(0, len(readers), CHUNK):
        found |= NoticePreference.objects.in_bulk(readers[start : start + CHUNK])
    return found


def _to_place(
    told: Told, channel: channels.Channel, templates: Templates, urgent: bool, now: datetime.datetime
) -> OutboxMessage:
    counties = sorted(reader.county_key for reader in told.readers if reader.county_key is not None)
    county = counties[0] if counties else None
    due = now if urgent else quiet.earliest(notice_choices.quiet_hours(None), now)
    return _row(told, channel.name, "0", templates, county, due, [])


# Those who share a message share their quiet hours: whenever it leaves, it may for all of them or for none.
_Way = tuple[str, datetime.datetime, int | None, quiet.Hours | None]


def _by_person(
    told: Told,
    offered: set[str],
    preferences: Mapping[int, NoticePreference],
    urgent: bool,
    now: datetime.datetime,
) -> tuple[dict[_Way, list[int]], list[DigestEntry]]:
    """Who is told over what and when: (channel, moment, county, quiet hours) -> readers; and what waits for a digest."""
    at_once: dict[_Way, list[int]] = defaultdict(list)
    later: list[DigestEntry] = []
    for reader in told.readers:
        preference = preferences.get(reader.pk)
        hours = None if urgent else notice_choices.quiet_hours(preference)
        for way, choice in notice_choices.plan(preference, told.message.kind, urgent=urgent).items():
            if way not in offered:
                continue
            if choice == notice_choices.DIGEST and preference is not None:
                due = quiet.next_at(preference.digest_at, now)
                kind = told.message.kind
                later.append(DigestEntry(message=told.message, reader_id=reader.pk, channel=way, kind=kind, due_at=due))
                continue
            at_once[way, quiet.earliest(hours, now), reader.county_key, hours].append(reader.pk)
    return at_once, later


def _to_people(told: Told, at_once: Mapping[_Way, Sequence[int]], templates: Templates) -> list[OutboxMessage]:
    rows = []
    for (way, due, county, _hours), readers in at_once.items():
        channel = channels.find(way)
        size = channel.readers_per_message if channel is not None else 1
        for start in range(0, len(readers), size):
            part = readers[start : start + size]
            # Named after its first reader, so that a delivery that runs twice names it the same.
            rows.append(_row(told, way, f":{part[0]}", templates, county, due, list(part)))
    return rows


def _row(
    told: Told,
    channel: str,
    part: str,
    templates: Templates,
    county: int | None,
    due: datetime.datetime,
    readers: list[int],
) -> OutboxMessage:
    message = told.message
    template = templates.get((county, message.kind)) if county is not None else None
    return OutboxMessage(
        key=f"{message.key}#{channel}{part}",
        kind=message.kind,
        title=notice_kinds.kind_label(message.kind),
        body=notice_words.outside(template, message.kind, message.fields),
        channel=channel,
        audience={"readers": readers},
        county_key=county,
        urgent=message.urgent,
        due_at=due,
    )
