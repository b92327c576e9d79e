"""What all of the API shares: one shape for errors, and pages that never count a whole table."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client
from django.urls import path
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import exceptions, serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import errors
from core.api import pagination
from core.api.errors import exception_handler
from core.models import CalendarDay

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class DaySerializer(serializers.ModelSerializer[CalendarDay]):
    class Meta:
        model = CalendarDay
        fields = ["date"]


class Days(ListAPIView[CalendarDay]):
    permission_classes = (AllowAny,)
    filter_backends = ()
    serializer_class = DaySerializer
    queryset = CalendarDay.objects.order_by("date")


class Refuse(APIView):
    permission_classes = (AllowAny,)

    def get(self, request: Request, kind: str) -> Response:
        raise REFUSALS[kind][0]

    def post(self, request: Request, kind: str) -> Response:
        return Response(request.data)


REFUSALS: dict[str, tuple[Exception, int, dict[str, Any]]] = {
    "domain": (
        errors.Invalid("请填写理由。", fields={"reason": "不能为空"}),
        400,
        {"code": "invalid", "message": "请填写理由。", "fields": {"reason": "不能为空"}},
    ),
    "transition": (
        errors.InvalidTransition("已经受理。"),
        409,
        {"code": "invalid_transition", "message": "已经受理。", "fields": {}},
    ),
    "django-404": (
        Http404("No Demand matches the given query."),
        404,
        {"code": "not_found", "message": "没有找到这条记录，或不在您的管辖范围内。", "fields": {}},
    ),
    "django-403": (
        PermissionDenied("internal"),
        403,
        {"code": "forbidden", "message": "您没有办理这件事的权限。", "fields": {}},
    ),
    "fields": (
        exceptions.ValidationError({"title": ["太长。", "有错字。"], "place": {"code": ["未知。"]}}),
        400,
        {
            "code": "invalid",
            "message": "提交的内容有误，请按提示修改。",
            "fields": {"title": "太长。 有错字。", "place": "未知。"},
        },
    ),
    "whole": (
        exceptions.ValidationError({"non_field_errors": ["日期不对。"]}),
        400,
        {"code": "invalid", "message": "日期不对。", "fields": {}},
    ),
    "list": (exceptions.ValidationError(["不行。"]), 400, {"code": "invalid", "message": "不行。", "fields": {}}),
}

urlpatterns = [path("api/v1/days/", Days.as_view()), path("api/v1/refuse/<str:kind>/", Refuse.as_view())]


@pytest.mark.parametrize("kind", REFUSALS)
def test_every_refusal_has_one_shape(client: Client, kind: str) -> None:
    response = client.get(f"/api/v1/refuse/{kind}/")
    _error, status, body = REFUSALS[kind]
    assert (response.status_code, response.json()) == (status, body)


def test_what_the_framework_refuses_has_the_same_shape_in_chinese(client: Client) -> None:
    broken = client.post("/api/v1/refuse/domain/", "{", content_type="application/json")
    method = client.delete("/api/v1/refuse/domain/")
    for response, status, code in ((broken, 400, "parse_error"), (method, 405, "method_not_allowed")):
        assert response.status_code == status
        assert set(response.json()) == {"code", "message", "fields"}
        assert response.json()["code"] == code
        assert any("\u4e00" <= char <= "\u9fff" for char in response.json()["message"])


def test_a_fault_of_ours_is_not_dressed_up() -> None:
    assert exception_handler(ZeroDivisionError(), {}) is None


def test_who_comes_too_often_is_told_when_to_come_back() -> None:
    error = errors.Throttled("操作过于频繁。")
    error.retry_after = 90
    response = exception_handler(error, {})
    assert response is not None
    assert (response.status_code, response.headers["Retry-After"]) == (429, "90")


nested = st.recursive(
    st.text(min_size=1, max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1, max_size=8), nested, max_size=4) | st.lists(nested, max_size=3))
def test_however_a_serializer_nests_its_errors_fields_are_sentences(detail: Any) -> None:
    response = exception_handler(exceptions.ValidationError(detail), {})
    assert response is not None
    assert isinstance(response.data["message"], str)
    assert all(isinstance(text, str) for text in response.data["fields"].values())


# --- Pages ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def days() -> None:
    first = datetime.date(2026, 1, 1)
    CalendarDay.objects.bulk_create(
        CalendarDay(date=first + datetime.timedelta(days=number), is_working=True) for number in range(60)
    )


def test_pages_lead_through_all_rows(client: Client, days: None) -> None:
    address, seen = "/api/v1/days/", []
    while address:
        page = client.get(address).json()
        assert (page["count"], page["count_is_capped"]) == (60, False)
        seen += [row["date"] for row in page["results"]]
        address = page["next"]
    assert len(seen) == 60
    assert seen == sorted(set(seen))
    assert client.get(page["previous"]).json()["results"][0]["date"] == "2026-01-26"


def test_the_count_stops_at_its_cap_and_the_pages_do_not(
    client: Client, days: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagination, "COUNT_CAP", 30)
    page = client.get("/api/v1/days/").json()
    assert (page["count"], page["count_is_capped"]) == (30, True)
    beyond = client.get("/api/v1/days/?page=3").json()
    assert len(beyond["results"]) == 10
    assert beyond["next"] is None


def test_the_last_page_needs_no_count(
    client: Client, days: None, django_assert_num_queries: Callable[[int], Any]
) -> None:
    with django_assert_num_queries(1):
        client.get("/api/v1/days/?page=3")
    with django_assert_num_queries(2):
        client.get("/api/v1/days/")


def test_an_empty_list_is_a_page_and_a_page_beyond_the_end_is_not(client: Client, days: None) -> None:
    assert client.get("/api/v1/days/?page=4").status_code == 404
    CalendarDay.objects.all().delete()
    page = client.get("/api/v1/days/").json()
    assert (page["count"], page["results"], page["next"], page["previous"]) == (0, [], None, None)


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=x", "page=１", "page_size=0", "page=1e3", f"page={'9' * 40}"]
)
def test_a_strange_page_is_refused_by_name(client: Client, days: None, query: str) -> None:
    response = client.get(f"/api/v1/days/?{query}")
    assert response.status_code == 400
    assert list(response.json()["fields"]) == [query.partition("=")[0]]


def test_a_page_has_a_largest_size(client: Client, days: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination.CappedPagination, "max_page_size", 40)
    assert len(client.get("/api/v1/days/?page_size=999999").json()["results"]) == 40
    assert len(client.get("/api/v1/days/?page_size=7").json()["results"]) == 7
