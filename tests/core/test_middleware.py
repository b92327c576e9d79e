"""What every request passes: where it comes from, what a refusal looks like, how long a session lasts, headers."""

import datetime
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core import errors, origin
from core.middleware import OriginMiddleware
from core.tasks import seal_audit
from tests.cast import Cast
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

REFUSALS = {
    "invalid": errors.Invalid("请填写理由。", fields={"reason": "不能为空"}),
    "forbidden": errors.Forbidden("您没有“派单”的权限。"),
    "missing": errors.NotFound("没有找到这条记录。"),
    "stale": errors.Stale("页面已经不是最新的。"),
    "large": errors.TooLarge("照片超过 10 MB。"),
    "often": errors.Throttled("操作过于频繁。"),
}
REFUSALS["often"].retry_after = 90  # type: ignore[attr-defined]


def refuse(request: HttpRequest, kind: str) -> HttpResponse:
    raise REFUSALS[kind]


def tell_origin(request: HttpRequest) -> HttpResponse:
    return HttpResponse(origin.current())


FAULTS = {"ours": ZeroDivisionError, "away": OperationalError, "cut": InterfaceError}
handler500 = "core.faults.answer"


def break_down(request: HttpRequest, kind: str = "ours") -> HttpResponse:
    raise FAULTS[kind]("secret")


urlpatterns = [
    path("refuse/<str:kind>/", refuse),
    path("tell/", tell_origin),
    path("m/tell/", tell_origin),
    path("r/tell/", tell_origin),
    path("api/v1/tell/", tell_origin),
    path("break/<str:kind>/", break_down),
    path("api/v1/break/<str:kind>/", break_down),
    path("", include("governance.urls")),
]


# --- Refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_is_a_page_with_its_message_and_status(client: Client, kind: str) -> None:
    response = client.get(f"/refuse/{kind}/")
    refusal = REFUSALS[kind]
    assert response.status_code == refusal.status
    page = response.content.decode()
    assert refusal.message in page
    assert all(text in page for text in refusal.fields.values())
    assert "<!doctype html>" in page.lower()


def test_part_of_a_page_that_is_refused_answers_with_the_message_alone(client: Client) -> None:
    response = client.get("/refuse/stale/", headers={"HX-Request": "true"})
    assert response.status_code == 409
    assert "页面已经不是最新的。" in response.content.decode()
    assert "<html" not in response.content.decode()
    assert response["HX-Retarget"] == ".messages"


def test_who_comes_too_often_is_told_when_to_come_back(client: Client) -> None:
    assert client.get("/refuse/often/")["Retry-After"] == "90"
    assert "Retry-After" not in client.get("/refuse/stale/")


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [("ours", 500, "系统出了点问题"), ("away", 503, "系统正在恢复"), ("cut", 503, "系统正在恢复")],
)
def test_a_fault_of_ours_is_no_refusal_and_tells_nothing(client: Client, kind: str, status: int, words: str) -> None:
    client.raise_request_exception = False
    page, program = client.get(f"/break/{kind}/"), client.post(f"/api/v1/break/{kind}/")
    assert page.status_code == program.status_code == status
    assert words in page.content.decode() and words in program.json()["message"]
    assert "secret" not in page.content.decode() + program.content.decode()
    # Only what passes by itself is worth another try.
    assert ("Retry-After" in page, "Retry-After" in program) == (status == 503,) * 2


# --- Origin -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/tell/", "网页 10.1.2.3"),
        ("/m/tell/", "手机 10.1.2.3"),
        ("/api/v1/tell/", "接口 10.1.2.3"),
        ("/r/tell/", "居民页面"),
    ],
)
def test_a_request_names_its_face_and_address_but_not_a_residents(client: Client, address: str, words: str) -> None:
    assert client.get(address, REMOTE_ADDR="10.1.2.3").content.decode() == words


def test_an_address_claimed_by_the_caller_is_not_believed(client: Client) -> None:
    response = client.get("/tell/", REMOTE_ADDR="10.1.2.3", headers={"X-Forwarded-For": "1.1.1.1"})
    assert response.content.decode() == "网页 10.1.2.3"


def test_an_address_told_by_a_trusted_proxy_is_believed(client: Client, settings: Any) -> None:
    import ipaddress

    settings.TRUSTED_PROXIES = (ipaddress.ip_network("10.1.2.3"),)
    response = client.get("/tell/", REMOTE_ADDR="10.1.2.3", headers={"X-Forwarded-For": "1.1.1.1, 2.2.2.2"})
    assert response.content.decode() == "网页 2.2.2.2"


@given(st.text(max_size=60))
def test_whatever_stands_as_address_the_origin_is_short_text(address: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    assert len(origin.of_request(request)) <= 60


@pytest.mark.parametrize(
    ("address", "shown"), [("::ffff:10.1.2.3", "10.1.2.3"), ("2001:DB8::1", "2001:db8::1"), ("", "")]
)
def test_an_address_has_one_spelling(rf: RequestFactory, address: str, shown: str) -> None:
    assert origin.client_address(rf.get("/", REMOTE_ADDR=address)) == shown


def test_the_origin_ends_with_the_request(rf: RequestFactory) -> None:
    assert origin.current() == "命令"
    middleware = OriginMiddleware(tell_origin)
    assert middleware(rf.get("/", REMOTE_ADDR="10.1.2.3")).content.decode() == "网页 10.1.2.3"
    assert origin.current() == "命令"


def test_what_a_task_does_comes_from_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("core.tasks.seals.seal", lambda: seen.append(origin.current()))
    seal_audit.apply()
    assert seen == ["任务"]
    assert origin.current() == "命令"


# --- Sessions ---------------------------------------------------------------------------------------------------------


def signed_in(client: Client) -> bool:
    return bool(client.get("/notices/").status_code == 200)


def test_a_cadre_who_leaves_the_desk_is_signed_out(cast: Cast, client: Client, settings: Any) -> None:
    settings.SESSION_IDLE_MINUTES = 30
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client.force_login(cast.a.officer)
        assert signed_in(client)
        for _number in range(5):
            clock.shift(datetime.timedelta(minutes=20))
            assert signed_in(client)
        clock.shift(datetime.timedelta(minutes=31))
        assert not signed_in(client)


def test_a_volunteer_s_phone_stays_signed_in(cast: Cast, client: Client) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client.force_login(cast.a.member_user)
        assert signed_in(client)
        clock.shift(datetime.timedelta(days=10))
        assert signed_in(client)
        clock.shift(datetime.timedelta(days=15))
        assert not signed_in(client)


def test_the_session_is_not_written_with_every_click(cast: Cast, client: Client, settings: Any) -> None:
    settings.SESSION_IDLE_MINUTES = 30

    def ends() -> datetime.datetime:
        return Session.objects.get().expire_date

    with time_machine.travel(timezone.now(), tick=False) as clock:
        client.force_login(cast.a.officer)
        client.get("/notices/")
        first = ends()
        clock.shift(datetime.timedelta(minutes=7))
        client.get("/notices/")
        assert ends() == first
        clock.shift(datetime.timedelta(minutes=1))
        client.get("/notices/")
        assert ends() == first + datetime.timedelta(minutes=8)


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(cast: Cast, client: Client, settings: Any) -> None:
    settings.SESSION_IDLE_MINUTES = 30
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client.force_login(cast.a.officer)
        client.get("/notices/")
        for _number in range(4):
            clock.shift(datetime.timedelta(minutes=8))
            client.get("/notices/?poll=1")
        assert not signed_in(client)


def test_who_never_signed_in_costs_no_query_and_gets_no_cookie(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = client.get("/tell/")
    assert not response.cookies


# --- Headers ----------------------------------------------------------------------------------------------------------


def test_every_answer_carries_the_security_headers(client: Client) -> None:
    for address in ("/tell/", "/refuse/missing/", "/accounts/login/"):
        response = client.get(address)
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Referrer-Policy"] == "same-origin"
        assert "geolocation=()" in response["Permissions-Policy"]
        assert "default-src 'self'" in response["Content-Security-Policy"]


def test_pages_of_a_person_stay_out_of_shared_caches(client: Client) -> None:
    client.force_login(make_user("王一"))
    assert "private" in client.get("/notices/")["Cache-Control"]
    assert "private" not in Client().get("/tell/").headers.get("Cache-Control", "")
