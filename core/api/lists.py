"""What every list of the API shares."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.pagination import CappedPagination


class Shown(serializers.Serializer[Any]):
    """A serializer whose rows come from a function; its fields are the schema."""

    def to_representation(self, instance: Any) -> Any:
        return instance


class ListView(APIView):
    """A paged list of rows the caller may see."""

    pagination_class = CappedPagination

    def page(self, request: Request, queryset: QuerySet[Any], row: Callable[[Any], Any]) -> Response:
        paginator = CappedPagination()
        found = paginator.paginate_queryset(queryset, request, view=self)
        return paginator.get_paginated_response([row(obj) for obj in found])
