"""Numbers as people write them in tables: 1,200 户, ２部, 12.0."""

import re
import unicodedata

from django.utils.translation import gettext as _

from core.errors import Invalid

# Words of measure behind a number; whatever else stands there may change what it says.
_MEASURES = "户部个套台处盏辆位根栋座间条块米盘家人年"
_WHOLE = re.compile(rf"([0-9]{{1,12}})(?:\.0+)?\s*[{_MEASURES}]?")


def whole_number(text: str) -> int | None:
    """The whole number of a cell; None for an empty one. Raises Invalid for anything else, fractions included."""
    plain = unicodedata.normalize("NFKC", text).replace(",", "").strip()
    if not plain:
        return None
    found = _WHOLE.fullmatch(plain)
    if found is None:
        raise Invalid(_("请填写整数"))
    return int(found[1])
