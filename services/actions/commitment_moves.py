"""How a promise goes on: progress, reported done, confirmed or sent back, moved or dropped. Source: docs/domain.md#z1.

Words are about places and work: telephone and identity numbers are taken out of them, and the trail holds none of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import files
from core.actors import Actor, user_of
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.moving import advance
from core.photos import Photo, accept_photos, make_thumbnail
from core.text import clean_line, clean_text
from partybuilding.models import Unit
from services import commitment_notices
from services.actions.commitments import Settlement, bad_percent, settle
from services.actions.resolutions import follow_ends
from services.models import Commitment, CommitmentProgress, Evidence, EvidenceStage
from services.workflow import COMMITMENT

_RELATED = ("node", "community", "unit", "member")
Told = Callable[[Any, Mapping[str, Any]], None]


def report_progress(
    *,
    actor: Actor,
    commitment: Commitment,
    percent: int,
    text: str,
    photos: Iterable[Any] = (),
    version: int | None = None,
) -> Commitment:
    """Who promised tells how far it is. Sent twice, it stands once. Done is reported with `report_done`.

    Must not be called inside another transaction when there are pictures: their files go with a failure of this one alone.

    Args:
        percent: 0 to 100. text: at most 500 characters. photos: uploads, at most six; none are needed.

    Raises:
        NotFound, Forbidden: the actor is not who promised. Invalid, TooLarge: percent, words or a picture are not usable.
        Conflict: it is not open any more. Stale: the page is old.
    """
    COMMITMENT.may(commitment, "progress", actor=actor, version=version)
    if not 0 <= percent <= 100:
        raise bad_percent()
    words = _clean(text, _("进展"))
    return _tell(actor, commitment, "progress", percent, words, photos, version)


def report_done(
    *,
    actor: Actor,
    commitment: Commitment,
    text: str,
    photos: Iterable[Any] = (),
    version: int | None = None,
) -> Commitment:
    """Who promised says that it is done; it counts once the community has confirmed it. Raises as `report_progress`."""
    COMMITMENT.may(commitment, "report", actor=actor, version=version)
    return _tell(actor, commitment, "report", 100, _clean(text, _("完成情况")), photos, version)


def confirm_commitment(*, actor: Actor, commitment: Commitment, version: int | None = None) -> Commitment:
    """The community confirms that a promise was kept, on the day on which that was reported: how long the confirmation
    took is not the unit's delay.

    Raises:
        NotFound, Forbidden: no `commitment.confirm` there. Conflict: nothing waits for it (a second click as well), or the
            actor belongs to the side that promised. Stale: the page is old.
    """

    def effect(row: Commitment, data: Mapping[str, Any]) -> None:
        row.done_on = timezone.localdate(row.reported_at) if row.reported_at else timezone.localdate()
        row.confirmed_by = user_of(actor)
        row.reason = ""
        commitment_notices.tell("confirmed", row)

    with transaction.atomic():
        row = advance(
            COMMITMENT,
            commitment,
            "confirm",
            actor=actor,
            version=version,
            effect=effect,
            related=_RELATED,
            label=str(commitment),
        )
        follow_ends(commitment=row)
    return row


def send_back_commitment(
    *, actor: Actor, commitment: Commitment, reason: str, version: int | None = None
) -> Commitment:
    """The community says what is still missing; who promised goes on. Raises as `confirm_commitment`, and Invalid."""
    words = clean_line(reason, max_length=500, label=_("退回理由"), field="reason", required=True)

    def effect(row: Commitment, data: Mapping[str, Any]) -> None:
        row.reason, row.reported_at = words, None
        commitment_notices.tell("sent_back", row)

    return advance(
        COMMITMENT,
        commitment,
        "send_back",
        actor=actor,
        data={"reason": words},
        version=version,
        effect=effect,
        related=_RELATED,
        label=str(commitment),
    )


def move_commitment(
    *, actor: Actor, commitment: Commitment, unit: Unit, reason: str = "", version: int | None = None
) -> Commitment:
    """Another unit takes a promise over. Returns its promise. Raises as `settle_commitments`; Stale when the page is old."""
    (old,) = settle(actor=actor, rows=[Settlement(commitment, unit, reason)], version=version)
    assert old.moved_to is not None
    return old.moved_to


def drop_commitment(*, actor: Actor, commitment: Commitment, reason: str, version: int | None = None) -> Commitment:
    """Gives a promise up, for a reason. Raises as `settle_commitments`; Stale when the page is old."""
    (row,) = settle(actor=actor, rows=[Settlement(commitment, None, reason)], version=version)
    return row


def _tell(
    actor: Actor,
    commitment: Commitment,
    name: str,
    percent: int,
    words: str,
    photos: Iterable[Any],
    version: int | None,
) -> Commitment:
    pictures = accept_photos(photos)

    def effect(row: Commitment, data: Mapping[str, Any]) -> None:
        _write(row, name, percent, words, actor)

    def go(told: Told) -> Commitment:
        return advance(
            COMMITMENT,
            commitment,
            name,
            actor=actor,
            data={"percent": percent, "text": words},
            version=version,
            effect=told,
            related=_RELATED,
            label=str(commitment),
        )

    if not pictures:
        return go(effect)
    with files.written_with_rows() as keep:

        def illustrated(row: Commitment, data: Mapping[str, Any]) -> None:
            _illustrate(_write(row, name, percent, words, actor), pictures, keep)

        return go(illustrated)


def _write(row: Commitment, name: str, percent: int, words: str, actor: Actor) -> CommitmentProgress:
    user = user_of(actor)
    last = row.steps.first()
    row.percent = percent
    if name == "report":
        row.reported_at, row.reason = timezone.now(), ""
        commitment_notices.tell("reported", row)
    elif last is not None and (last.percent, last.text, last.by_id) == (percent, words, user.pk if user else None):
        return last
    return CommitmentProgress.objects.create(commitment=row, percent=percent, text=words, by=user)


def _illustrate(step: CommitmentProgress, pictures: Sequence[Photo], keep: files.Keep) -> None:
    there = set(step.photos.values_list("digest", flat=True))
    rows = []
    for digest, picture in {one.sha256: one for one in pictures if one.sha256 not in there}.items():
        row = Evidence(step=step, stage=EvidenceStage.PROGRESS, size=picture.size, digest=digest)
        name = uuid4().hex
        keep(row.file, f"{name}.jpg", picture.data)
        keep(row.thumbnail, f"{name}-s.jpg", make_thumbnail(picture.data))
        rows.append(row)
    Evidence.objects.bulk_create(rows)


def _clean(text: str, label: str) -> str:
    words = clean_text(text, max_length=500, label=label, field="text", required=True)
    return scrub_identity_numbers(scrub_phone_numbers(words))
