"""The next code below a prefix, as the database knows the ones given. Callers hold the lock of the street."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from django.db.models import Q
from django.db.models.functions import Length

from grids import naming
from grids.models import GridNode


def next_code_below(prefix: str) -> str:
    """The code after the highest serial given below `prefix`, retired and moved nodes included.

    Raises Invalid when the serials are used up.
    """
    last = _last(prefix, [""])
    if last == f"{prefix}999":
        last = _last(prefix, naming.BEYOND) or last
    return naming.code_after(prefix, naming.serial_below(prefix, last))


def _last(prefix: str, marks: Sequence[str]) -> str:
    # Ranges, because an index serves them on every database; LIKE it does not. From the end, because what hangs below
    # the last one is little.
    ranges = [Q(code__gte=f"{prefix}{mark}000", code__lte=f"{prefix}{mark}999") for mark in marks]
    length = len(prefix) + len(marks[0]) + naming.SERIAL
    given = GridNode.objects.filter(reduce(or_, ranges)).annotate(length=Length("code")).filter(length=length)
    return given.order_by("-code").values_list("code", flat=True).first() or ""
