"""The one way in which a list goes to Excel and comes back: a `Sheet` for each list, everything else written once.

    core.spreadsheets   reads and writes files
    core.sheets         template, dry run, preview, import, error file, ledger: for every list alike
    a floor's resources what a list's columns are, what a row would do, how it is written

Register a sheet from the `ready` of an app's `apps.py`; hang it on an admin page with `core.admin_sheets.SheetAdmin`.
"""

from core.sheets.base import Line, Plan, RowResource, Sheet, Task, What, register, sheet_of
from core.sheets.jobs import Outcome, check, submit_check, submit_import

__all__ = [
    "Line",
    "Outcome",
    "Plan",
    "RowResource",
    "Sheet",
    "Task",
    "What",
    "check",
    "register",
    "sheet_of",
    "submit_check",
    "submit_import",
]
