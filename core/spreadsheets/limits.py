"""How much table is taken in one go, and what is said when it is more."""

from django.utils.translation import gettext as _

from core.errors import TooLarge
from core.uploads import MEGABYTE

MAX_BYTES = 20 * MEGABYTE
MAX_ROWS = 100_000
MAX_COLUMNS = 200
# How far down a header may stand (blank rows not counted): below a title, a row of unit and date, notes.
HEADER_WITHIN = 10


def too_many_rows(limit: int) -> TooLarge:
    return TooLarge(_("表格超过 %(limit)d 行，请分成几个文件分别导入。") % {"limit": limit}, code="too_many_rows")


def too_many_columns(row: int) -> TooLarge:
    return TooLarge(
        _("第 %(row)d 行超过 %(limit)d 列还有内容，请删去无关的列。") % {"limit": MAX_COLUMNS, "row": row},
        code="too_many_columns",
    )
