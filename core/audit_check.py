"""The proof of the audit trail: reads every row once and says what does not fit, in constant memory.

What each pass can find:

* chains: a row whose content does not give its digest, a row that does not follow the one before it, a gap.
* seals: rows missing from a seal (so also a cut tail or a chain that is gone as a whole), seals altered or removed.
* anchor: seals cut off at the end, or replaced, against the file outside the database.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, seals
from core.models import AuditEntry, AuditSeal

CHUNK = 2000


@dataclass(frozen=True)
class Finding:
    """One thing to know. `problem` says whether the trail is not what was written."""

    text: str
    problem: bool = True


class _Seal(NamedTuple):
    pk: int
    number: int
    at: datetime
    rows: int
    digest: str
    previous: str
    mac: str


class Check:
    """One run. After `run()` is exhausted, `rows`, `chains` and `seals` say how much was read."""

    def __init__(self) -> None:
        self.rows = self.chains = self.seals = 0

    def run(self) -> Iterator[Finding]:
        yield from self._check_chains()
        yield from self._check_seals()
        yield from self._check_anchor()
        yield from self._check_waiting()

    def _check_chains(self) -> Iterator[Finding]:
        rows = AuditEntry.objects.order_by("chain", "position").values_list(*audit.DIGESTED, "digest")
        for chain, links in groupby(rows.iterator(chunk_size=CHUNK), key=lambda row: row[0]):
            self.chains += 1
            position, last = 0, ""
            for *values, digest in links:
                self.rows += 1
                found, previous = values[1], values[-1]
                if audit.digest(values) != digest:
                    yield Finding(_("记录链 %(chain)s 第 %(n)s 行的内容被改动。") % {"chain": chain, "n": found})
                if found != position + 1:
                    yield _gap(chain, position + 1, found - 1)
                elif previous != last:
                    yield Finding(
                        _("记录链 %(chain)s 第 %(n)s 行与前一行不相连：前一行被改动或替换。")
                        % {"chain": chain, "n": found}
                    )
                position, last = found, digest

    def _check_seals(self) -> Iterator[Finding]:
        # Fixed before the rows are read: a seal made meanwhile must not look as if its rows were gone.
        newest = AuditSeal.objects.aggregate(pk=models.Max("pk"))["pk"] or 0
        sealed = _SealedRows(newest)
        number, signature = 0, ""
        rows = AuditSeal.objects.filter(pk__lte=newest).order_by("pk").values_list("pk", *_Seal._fields[1:])
        for values in rows.iterator(chunk_size=CHUNK):
            seal = _Seal(*values)
            self.seals += 1
            if seal.number != number + 1:
                yield _missing_seals(number + 1, seal.number - 1)
            elif seal.previous != signature:
                yield Finding(_("封存 %(n)s 与前一个封存不相连：前一个封存被改动或替换。") % {"n": seal.number})
            yield from _check_signature(seal)
            yield from sealed.check(seal)
            number, signature = seal.number, seal.mac

    def _check_anchor(self) -> Iterator[Finding]:
        if not seals.anchor_path().exists():
            if self.seals:
                yield Finding(
                    _("找不到封存存根文件 %(path)s：无法判断末尾的封存是否被删除。若刚换过服务器，请从备份恢复该文件。")
                    % {"path": seals.anchor_path()}
                )
            return
        stored = AuditSeal.objects.order_by("number").values_list("number", "mac").iterator(chunk_size=CHUNK)
        seal = next(stored, None)
        last = 0
        for line, number, signature in seals.anchored():
            if number is None or number <= last:
                yield Finding(_("封存存根文件第 %(line)s 行无法辨认或次序有误。") % {"line": line})
                continue
            while seal is not None and seal[0] < number:
                yield Finding(_("封存存根文件里缺少封存 %(n)s。") % {"n": seal[0]})
                seal = next(stored, None)
            if seal is None or seal[0] > number:
                # A seal made since the cursor was opened is there after all.
                if not AuditSeal.objects.filter(number=number).exists():
                    yield Finding(_("封存 %(n)s 已从数据库中删除（存根文件里还有）。") % {"n": number})
            else:
                if not hmac.compare_digest(seal[1].encode(), signature.encode()):
                    yield Finding(_("封存 %(n)s 与存根文件不符：原来的封存被删除后重新生成。") % {"n": number})
                seal = next(stored, None)
            last = number
        if last == 0 and self.seals:
            yield Finding(_("封存存根文件是空的：无法判断末尾的封存是否被删除。"))
        elif seal is not None:
            yield Finding(_("封存 %(n)s 起还没有写入存根文件，下一次封存时会补上。") % {"n": seal[0]}, problem=False)

    def _check_waiting(self) -> Iterator[Finding]:
        found = AuditEntry.objects.filter(seal__isnull=True).aggregate(rows=models.Count("pk"), since=models.Min("at"))
        if found["rows"]:
            yield Finding(
                _("%(rows)s 行还没有封存，最早的一行写于 %(at)s；每 10 分钟封存一次，时间过长请检查后台程序。")
                % {"rows": found["rows"], "at": f"{timezone.localtime(found['since']):%Y-%m-%d %H:%M}"},
                problem=False,
            )


class _SealedRows:
    """Hands out the sealed rows seal by seal, read once in the order of the index (seal, id)."""

    def __init__(self, newest: int) -> None:
        rows = AuditEntry.objects.filter(seal_id__lte=newest).order_by("seal_id", "id")
        self._rows = rows.values_list("seal_id", *seals.SEALED).iterator(chunk_size=CHUNK)
        self._next = next(self._rows, None)

    def check(self, seal: _Seal) -> Iterator[Finding]:
        """Compares the rows of one seal with what it says. Seals come in the order of their keys."""
        summer = seals.Summer()
        while self._next is not None and self._next[0] <= seal.pk:
            summer.add(self._next[1:])
            self._next = next(self._rows, None)
        if summer.rows != seal.rows:
            yield Finding(
                _(
                    "封存 %(n)s（%(at)s）应有 %(expected)s 行，现有 %(rows)s 行：有记录被删除或添加，可能是某条记录链的末尾或整条记录链。"
                )
                % {"n": seal.number, "at": _moment(seal.at), "expected": seal.rows, "rows": summer.rows}
            )
        elif summer.digest() != seal.digest:
            yield Finding(
                _("封存 %(n)s（%(at)s）与其中的记录不符：有记录被改动或替换。")
                % {"n": seal.number, "at": _moment(seal.at)}
            )


def _check_signature(seal: _Seal) -> Iterator[Finding]:
    expected = seals.mac(number=seal.number, previous=seal.previous, rows=seal.rows, digest=seal.digest, at=seal.at)
    if not hmac.compare_digest(expected.encode(), seal.mac.encode()):
        yield Finding(_("封存 %(n)s 的签名不符：封存被改动，或 AUDIT_KEY 已更换。") % {"n": seal.number})


def _gap(chain: str, first: int, last: int) -> Finding:
    if last < first:
        return Finding(_("记录链 %(chain)s 的序号有误（第 %(n)s 行）。") % {"chain": chain, "n": last + 1})
    return Finding(_("记录链 %(chain)s 缺少第 %(rows)s 行。") % {"chain": chain, "rows": _span(first, last)})


def _missing_seals(first: int, last: int) -> Finding:
    if last < first:
        return Finding(_("封存的编号有误（封存 %(n)s）。") % {"n": last + 1})
    return Finding(_("缺少封存 %(rows)s。") % {"rows": _span(first, last)})


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"
