"""Pages with a capped count."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import pagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from core.errors import Invalid, NotFound

COUNT_CAP = 10_000


class CappedPagination(pagination.BasePagination):
    """Pages by number (`page`, `page_size`), counting no further than 10,000 rows.

    A full count of a big table costs more than the page itself; nobody reads the number beyond that. Pages beyond
    the cap are still served.
    """

    page_size = 25
    max_page_size = 200

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.size = self._number("page_size", self.page_size, self.max_page_size)
        self.number = self._number("page", 1, 1_000_000)
        start = (self.number - 1) * self.size
        found = list(queryset[start : start + self.size + 1])
        if not found and self.number > 1:
            raise NotFound(_("没有这一页。"), code="no_such_page")
        self.has_next = len(found) > self.size
        rows = found[: self.size]
        if self.has_next:
            self.count = queryset.order_by()[: COUNT_CAP + 1].count()
        else:
            # The last page tells how many there are.
            self.count = start + len(rows)
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "count": min(self.count, COUNT_CAP),
                "count_is_capped": self.count > COUNT_CAP,
                "next": self._link(self.number + 1) if self.has_next else None,
                "previous": self._link(self.number - 1) if self.number > 1 else None,
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["count", "count_is_capped", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "description": "总数，最多数到 10000"},
                "count_is_capped": {"type": "boolean", "description": "总数是否超过 10000"},
                "next": link,
                "previous": link,
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        whole = {"type": "integer", "minimum": 1}
        return [
            {"name": "page", "in": "query", "required": False, "description": "页码", "schema": whole},
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": "每页行数，最多 200",
                "schema": {**whole, "maximum": self.max_page_size},
            },
        ]

    def _number(self, name: str, default: int, maximum: int) -> int:
        text = self.request.query_params.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 9 and int(text) > 0):
            message = _("%(name)s 应为正整数。") % {"name": name}
            raise Invalid(message, fields={name: message})
        return min(int(text), maximum)

    def _link(self, number: int) -> str:
        return replace_query_param(self.request.build_absolute_uri(), "page", number)
