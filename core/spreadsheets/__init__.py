"""The one way to read and write tables. Reading: `open_table`, then `bind_columns`. Writing: a ledger, a template, a
file with its errors, a plain csv."""

from core.spreadsheets.columns import BoundTable, Column, Record, bind_columns, choose_columns
from core.spreadsheets.csv_writer import write_csv
from core.spreadsheets.dates import DateOrder, DateReading, decide_date_order
from core.spreadsheets.error_file import write_errors
from core.spreadsheets.forbidden import (
    MEMBER_ROSTER,
    PETITION_DESK,
    ForbiddenHeader,
    forbidden_headers,
    refuse_forbidden,
    why_not_said,
)
from core.spreadsheets.ledger import LedgerColumn, write_ledger
from core.spreadsheets.reader import open_table, table_of
from core.spreadsheets.report import Report, RowError
from core.spreadsheets.table import Row, Table
from core.spreadsheets.template import write_template

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

__all__ = [
    "CSV_TYPE",
    "MEMBER_ROSTER",
    "PETITION_DESK",
    "XLSX_TYPE",
    "BoundTable",
    "Column",
    "DateOrder",
    "DateReading",
    "ForbiddenHeader",
    "LedgerColumn",
    "Record",
    "Report",
    "Row",
    "RowError",
    "Table",
    "bind_columns",
    "choose_columns",
    "decide_date_order",
    "forbidden_headers",
    "open_table",
    "refuse_forbidden",
    "table_of",
    "why_not_said",
    "write_csv",
    "write_errors",
    "write_ledger",
    "write_template",
]
