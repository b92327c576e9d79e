"""Moves of a table by their names in the address: one order of refusals, whatever moves.

What nobody may do by API is not found; then right, state and version are asked; only then are the inputs read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from core.api.bodies import body_of, caller, given
from core.errors import NotFound
from core.models import User
from core.workflow import Workflow

Row = TypeVar("Row", bound=models.Model)


def as_given(user: User, row: Any, data: dict[str, Any]) -> dict[str, Any]:
    return data


@dataclass(frozen=True)
class Moves(Generic[Row]):
    """The moves of one table that the API offers.

    Attributes:
        flow: the table. `takes`: the keyword under which its actions take the row.
        table: move -> what reads its inputs, and the action; the action is given the inputs by their names.
        rows: finds the rows that inputs name by number, within the caller's sight; gets and returns the inputs.
    """

    flow: Workflow
    takes: str
    table: Mapping[str, tuple[type[Serializer[Any]], Callable[..., Any]]]
    rows: Callable[[User, Row, dict[str, Any]], dict[str, Any]] = as_given

    def __post_init__(self) -> None:
        for name in self.table:
            if self.flow.get(name).right is None:
                raise ValueError(f"{self.flow.name}.{name}: nobody may make it")

    def make(self, request: Request, row: Row, name: str) -> Any:
        """Makes the move the address names. Returns what its action returns.

        Raises:
            NotFound: there is no such move, or it is not made by API. Forbidden, InvalidTransition, Stale: as
                `Workflow.may`. Invalid, and the framework's own refusal of each field: the inputs.
        """
        user, move = caller(request), self.table.get(name)
        if move is None:
            raise NotFound(_("没有“%(name)s”这个操作。") % {"name": name[:40]}, code="unknown_transition")
        serializer, run = move
        self.flow.may(row, name, actor=user, version=_seen(request))
        return run(actor=user, **{self.takes: row}, **self.rows(user, row, given(request, serializer)))


def _seen(request: Request) -> int | None:
    """The version in the body; what is no number is left for the serializer to refuse."""
    value = body_of(request).get("version")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value if type(value) is int else None
