"""The next code, as the database knows the ones given. Callers hold the locks of the streets they number in."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Length

from core.codes import DivisionLevel
from core.prepared import Prepared
from grids import naming
from grids.models import County, GridNode


def next_code_below(prefix: str) -> str:
    """The code after the highest serial given below `prefix`, retired and moved nodes included.

    Raises Invalid when the serials are used up.
    """
    last = _last(prefix, "")
    if last == f"{prefix}999":
        beyond = (_last(prefix, mark) for mark in reversed(naming.BEYOND))
        last = next((code for code in beyond if code), last)
    return naming.code_after(prefix, naming.serial_below(prefix, last))


def _given(low: str, high: str, length: int) -> QuerySet[Any, Any]:
    # A range, because an index serves it on every database; LIKE it does not. From its end, because what hangs below
    # the last one is little.
    given = GridNode.objects.filter(code__gte=low, code__lte=high).annotate(length=Length("code")).filter(length=length)
    return given.order_by("-code").values_list("code")[:1]


_GIVEN = Prepared(_given, str, str, int)


def _last(prefix: str, mark: str) -> str:
    found = _GIVEN.rows(f"{prefix}{mark}000", f"{prefix}{mark}999", len(prefix) + len(mark) + naming.SERIAL)
    return str(found[0][0]) if found else ""


class GivenCodes:
    """The codes given in some streets, read once, for whoever numbers thousands of nodes. Retired and moved ones count:
    a code is given once.

    Args:
        around: codes of the places that shall be numbered in.
    """

    def __init__(self, county: County, around: Iterable[str]) -> None:
        self.county = county
        self._last: dict[str, int] = {}
        self._streets: set[str] = set()
        self._divisions: dict[str, list[str]] = {}
        self._read = {county.code}
        for street in {code[: DivisionLevel.STREET] for code in around}:
            self._read_street(street)
        streets = GridNode.objects.filter(county=county, level_type__key=naming.STREET)
        self.take(streets.values_list("code", flat=True))

    def take(self, codes: Iterable[str]) -> None:
        """Codes that are given already, or that somebody brings along."""
        for code in codes:
            code = code if len(code) != DivisionLevel.STREET else f"{code}000"
            for width in (naming.SERIAL, naming.SERIAL + 1):
                prefix = code[:-width]
                serial = naming.serial_below(prefix, code)
                if serial > self._last.get(prefix, 0):
                    self._last[prefix] = serial
            if len(code) == DivisionLevel.COMMUNITY:
                self._divisions.setdefault(code[: DivisionLevel.STREET], []).append(code)
                self._streets.add(code[: DivisionLevel.STREET] + "000")

    def next_street(self, name: str) -> str:
        return self._taken(naming.next_street_code(self.county.code, name, self._streets))

    def next_community(self, street_code: str, name: str) -> str:
        street = street_code[: DivisionLevel.STREET]
        if street not in self._read:
            self._read_street(street)
        return self._taken(naming.next_community_code(street_code, name, self._divisions.get(street, ())))

    def next_below(self, prefix: str) -> str:
        return self._taken(naming.code_after(prefix, self._last.get(prefix, 0)))

    def _taken(self, code: str) -> str:
        self.take((code,))
        return code

    def _read_street(self, street: str) -> None:
        self._read.add(street)
        # Up to the next number of nine digits; what a street has given begins with its own.
        after = f"{int(street) + 1:0{len(street)}d}"
        given = GridNode.objects.filter(code__gte=street, code__lt=after)
        self.take(given.order_by().values_list("code", flat=True))
