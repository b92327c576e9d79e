"""Dates in tables: which of 09/03/2016 is the month is decided once for a whole file, from the file itself.

With the year first there is nothing to decide. With the year last a single 09/23/2016 proves that the month stands
first, a single 23/09/2016 that the day does. Without a proof the file is read month first (what Excel with an
American setting writes, the only common source of such dates here) and the person is told so. With proofs of both, only
the dates that prove themselves are read, and every other one is a fault of its row.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext as _

from core.errors import Invalid
from core.spreadsheets.table import Cell

# What a county's table can hold; outside, somebody's finger slipped.
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)

# A weekday and a time may follow, apart from the day; they are not kept. 2016年9月3日 星期六 上午 10:20,
# 9/3/2016 10:20:00 AM, 2016年9月3号10点20分
_CLOCK = r"(?:凌晨|上午|中午|下午|晚上)? ?\d{1,2}(?:[:时点]\d{1,2}(?:[:分](?:\d{1,2}(?:\.\d+)?秒?)?)?|[时点])"
_TIME = (
    rf"(?: ?(?:星期|周)[一二三四五六日天])?(?:(?:[T ]|(?<=\D)|(?=\D)){_CLOCK}(?: ?[AP]M)?(?:Z|[+-]\d{{2}}:?\d{{2}})?)?"
)
_YEAR_FIRST = re.compile(rf"(\d{{4}}) ?[-/.年 ] ?(\d{{1,2}}) ?[-/.月 ] ?(\d{{1,2}})(?: ?[日号])?{_TIME}", re.ASCII)
# A day, or a moment as systems write it: 20200903, 202009031020, 20200903102033.
_COMPACT = re.compile(rf"(\d{{4}})(\d{{2}})(\d{{2}})(?:(?:[01]\d|2[0-3])(?:[0-5]\d){{1,2}}|{_TIME})", re.ASCII)
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){_TIME}", re.ASCII)
_TWO_DIGIT_YEAR = re.compile(rf"\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}{_TIME}", re.ASCII)
# Days since 1900 as Excel counts them: 1927 to 2173.
_SERIAL = re.compile(r"([1-9]\d{4})(?:\.\d+)?", re.ASCII)


class DateOrder(StrEnum):
    """The order in which a file writes year, month and day."""

    YMD = "YMD"
    MDY = "MDY"
    DMY = "DMY"
    MIXED = "MIXED"


@dataclass(frozen=True)
class DateReading:
    """How the dates of one column are read.

    `order` is that of the dates with the year last (YMD when there are none); `proven` whether the file proves it.
    """

    order: DateOrder
    proven: bool
    dates_from_1904: bool = False

    @property
    def sentence(self) -> str:
        """For the person who imports."""
        if self.order is DateOrder.YMD:
            return _("日期按“年-月-日”读取。")
        if self.order is DateOrder.MIXED:
            return _("日期里“月/日/年”和“日/月/年”两种写法都有，分不清的已列为错误。")
        words = _("月/日/年") if self.order is DateOrder.MDY else _("日/月/年")
        if self.proven:
            return _("年份在后的日期按“%(order)s”读取（文件里有日期能够证明）。") % {"order": words}
        return _("年份在后的日期分不清月和日，已按“%(order)s”读取，请核对。") % {"order": words}

    def parse(self, value: Cell) -> date | None:
        """The day, or None for an empty cell. Raises Invalid with a message that fits behind a row and column."""
        if isinstance(value, datetime):
            return _within(value.date(), f"{value:%Y-%m-%d}")
        text = _plain(value)
        if not text:
            return None
        if found := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
            return _day(int(found[1]), int(found[2]), int(found[3]), value)
        if found := _YEAR_LAST.fullmatch(text):
            return self._year_last(int(found[1]), int(found[3]), int(found[4]), value)
        if found := _SERIAL.fullmatch(text):
            start = date(1904, 1, 1) if self.dates_from_1904 else date(1899, 12, 30)
            return _within(start + timedelta(days=int(found[1])), value)
        if _TWO_DIGIT_YEAR.fullmatch(text):
            raise Invalid(
                _("“%(value)s”的年份不完整，请写四位年份，如 2026-03-05") % {"value": value[:30]}, code="date_year"
            )
        raise Invalid(_("“%(value)s”不是日期，请写成 2026-03-05 的样子") % {"value": value[:30]}, code="date")

    def _year_last(self, first: int, second: int, year: int, value: str) -> date:
        order = _proof(first, second) or self.order
        if order is DateOrder.MIXED:
            raise Invalid(
                _("“%(value)s”分不清月和日（文件里两种写法都有），请改为 2026-03-05 的样子") % {"value": value[:30]},
                code="date_ambiguous",
            )
        # A date that proves the other order in a file that proved this one does not occur: the file is MIXED then.
        month, day = (second, first) if order is DateOrder.DMY else (first, second)
        return _day(year, month, day, value)


def decide_date_order(
    values: Iterable[Cell], *, default: DateOrder = DateOrder.MDY, dates_from_1904: bool = False
) -> DateReading:
    """Decides from all dates of a column how it writes them. Cells that are no dates have no say.

    Args:
        values: every cell of the column.
        default: taken for dates with the year last when none of them proves an order.
        dates_from_1904: as the table says; only for dates that stand there as bare numbers.
    """
    proofs: set[DateOrder] = set()
    year_last = False
    for value in values:
        if isinstance(value, datetime):
            continue
        found = _YEAR_LAST.fullmatch(_plain(value))
        if found:
            year_last = True
            proof = _proof(int(found[1]), int(found[3]))
            if proof:
                proofs.add(proof)
    if len(proofs) == 2:
        return DateReading(DateOrder.MIXED, True, dates_from_1904)
    if proofs:
        return DateReading(proofs.pop(), True, dates_from_1904)
    return DateReading(default if year_last else DateOrder.YMD, not year_last, dates_from_1904)


def _proof(first: int, second: int) -> DateOrder | None:
    """The order that two numbers before a year prove; None when both could be months, or neither."""
    if first <= 12 < second <= 31:
        return DateOrder.MDY
    if second <= 12 < first <= 31:
        return DateOrder.DMY
    return None


def _day(year: int, month: int, day: int, value: str) -> date:
    try:
        return _within(date(year, month, day), value)
    except ValueError as error:
        raise Invalid(_("“%(value)s”这一天不存在，请核对") % {"value": value[:30]}, code="date") from error


def _within(day: date, value: str) -> date:
    if not EARLIEST <= day <= LATEST:
        raise Invalid(_("“%(value)s”的年份不合常理，请核对") % {"value": value[:30]}, code="date_range")
    return day


def _plain(value: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", value).upper().split())
