"""What came of an import, as the person who sent the file is told."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.text import ellipsis, first_line

_SHOWN = 60


@dataclass(frozen=True)
class RowError:
    """Why a row was not taken: row number of the sheet, header of the column ("" for the row), reason, and the value.

    The value is for finding the cell again and is kept with the report: it is shortened, and telephone and identity
    numbers in it are masked.
    """

    row: int
    column: str
    message: str
    value: str = ""

    def __post_init__(self) -> None:
        shown = scrub_identity_numbers(scrub_phone_numbers(self.value[:1000]))
        object.__setattr__(self, "value", ellipsis(first_line(shown, _SHOWN), _SHOWN))


@dataclass
class Report:
    """Counts and faults of one import. `total` is created + updated + unchanged + skipped + rows with errors."""

    total: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    errors: list[RowError] = field(default_factory=list)
    ignored_columns: Sequence[str] = ()
    date_order: str = ""
    encoding: str = ""
    notes: Sequence[str] = ()

    @property
    def bad_rows(self) -> int:
        return len({error.row for error in self.errors})

    def as_dict(self) -> dict[str, Any]:
        """For a JSON column; `from_dict` reads it back."""
        return {**asdict(self), "ignored_columns": list(self.ignored_columns), "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Report":
        return cls(**{**data, "errors": [RowError(**error) for error in data.get("errors", [])]})
