"""Seals over the audit trail: every ten minutes a keyed signature over all rows written since the last one.

A seal holds what no writer of rows can forge without AUDIT_KEY, and each seal signs the one before it. The newest
signature is also appended to a file outside the database (`anchor_path`), so that cutting off the last seals together
with their rows is found as well.
"""

import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.models import AuditEntry, AuditSeal

ROWS_PER_SEAL = 5000
# What a seal covers of each row, as `values_list` hands it over.
SEALED = ("id", "chain", "position", "digest")


class Summer:
    """The running digest over a seal's rows; fed row by row, so that a check needs no memory."""

    def __init__(self) -> None:
        self.rows = 0
        self._hash = hashlib.sha256()

    def add(self, row: Iterable[object]) -> None:
        self.rows += 1
        self._hash.update(("|".join(str(part) for part in row) + "\n").encode("utf-8", "backslashreplace"))

    def digest(self) -> str:
        return self._hash.hexdigest()


def mac(*, number: int, previous: str, rows: int, digest: str, at: datetime) -> str:
    """The keyed signature of one seal: HMAC-SHA256 over everything it says."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    text = f"{number}|{previous}|{rows}|{digest}|{moment}"
    return hmac.new(settings.AUDIT_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def seal() -> int:
    """Seals every row not sealed yet and anchors the result. Returns the number of rows sealed.

    Two sealers at once do no harm: the number of a seal is unique, and the slower one leaves its rows to the next run.
    """
    total = 0
    while sealed := _seal_once():
        total += sealed
    anchor()
    return total


def _seal_once() -> int:
    try:
        with transaction.atomic():
            last = AuditSeal.objects.select_for_update().order_by("-number").first()
            unsealed = AuditEntry.objects.filter(seal__isnull=True).order_by("id").values_list(*SEALED)
            rows = list(unsealed[:ROWS_PER_SEAL])
            if not rows:
                return 0
            made = _make(last, rows)
            return AuditEntry.objects.filter(pk__in=[row[0] for row in rows]).update(seal=made)
    except IntegrityError:
        # Another sealer has this number, and with it these rows.
        return 0


def _make(last: AuditSeal | None, rows: list[tuple[int, str, int, str]]) -> AuditSeal:
    summer = Summer()
    for row in rows:
        summer.add(row)
    number, previous = (last.number + 1, last.mac) if last else (1, "")
    made = AuditSeal(number=number, at=timezone.now(), rows=summer.rows, digest=summer.digest(), previous=previous)
    made.mac = mac(number=number, previous=previous, rows=made.rows, digest=made.digest, at=made.at)
    made.save(force_insert=True)
    return made


def anchor_path() -> Path:
    return Path(settings.DATA_DIR) / "audit-seals.log"


def anchor() -> None:
    """Appends to the anchor file every seal it does not hold yet (a crash between commit and here loses none)."""
    path = anchor_path()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        known = _last_number(file)
        lines = [
            f"{number} {signature} {at.astimezone(UTC).isoformat()}\n"
            for number, signature, at in AuditSeal.objects.filter(number__gt=known)
            .order_by("number")
            .values_list("number", "mac", "at")
        ]
        if lines:
            file.write("".join(lines).encode())
            file.flush()
            os.fsync(file.fileno())


def _last_number(file: BinaryIO) -> int:
    """The last seal in the file, which is left positioned at its end; half a line (a crash) is cut off."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 4096))
    tail = file.read()
    whole = tail.rfind(b"\n") + 1
    if whole < len(tail):
        file.truncate(size - len(tail) + whole)
    file.seek(0, os.SEEK_END)
    lines = tail[:whole].splitlines()
    number = lines[-1].split()[0] if lines and lines[-1].split() else b"0"
    return int(number) if number.isdigit() else 0


def anchored() -> Iterator[tuple[int, int | None, str]]:
    """The anchor file, line by line: (line, number, signature); number is None where a line can not be read."""
    with anchor_path().open(encoding="utf-8", errors="replace") as file:
        for line, text in enumerate(file, start=1):
            parts = text.split()
            if len(parts) == 3 and parts[0].isascii() and parts[0].isdigit():
                yield line, int(parts[0]), parts[1]
            else:
                yield line, None, ""
