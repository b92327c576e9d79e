"""Posts by API: the same people, the same refusals and the same figures as on the pages."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from core.models import AuditEntry, User
from grids import coverage
from grids.models import Appointment
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh, next_phone, spec
from tests.services.test_api import client_of

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
TODAY = timezone.localdate().isoformat()


def get(user: User, path: str, **asked: Any) -> Any:
    return client_of(user).get(f"/api/v1/{path}", asked)


def post(user: User, path: str, **data: Any) -> Any:
    return client_of(user).post(f"/api/v1/appointments/{path}", data, format="json")


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return sorted(row["name"] for row in answer.json()["results"])


@pytest.fixture
def keeper(cast: Cast) -> Appointment:
    Appointment.objects.filter(user=cast.a.keeper).update(start="2026-01-05")
    return Appointment.objects.get(user=cast.a.keeper)


def state() -> tuple[Any, ...]:
    return list(Appointment.objects.order_by("pk").values()), User.objects.count(), AuditEntry.objects.count()


def test_the_list_holds_who_is_in_post_in_one_s_scope(cast: Cast) -> None:
    here = ["两委甲", "书记甲", "楼栋长甲", "网格员甲", "队长甲"]
    assert names(get(cast.a.officer, "appointments/")) == here
    assert names(get(cast.street_officer, "appointments/", place=cast.a.node.code)) == here
    assert names(get(cast.admin, "appointments/", post="grid_keeper")) == ["网格员乙", "网格员甲"]
    assert names(get(cast.a.keeper, "appointments/")) == []
    assert get(cast.a.officer, "appointments/", place=cast.b.node.code).status_code == 404
    row = get(cast.a.officer, "appointments/", post="grid_keeper").json()["results"][0]
    assert row["place"] == cast.a.grid.code
    assert "****" in row["phone"]


def test_what_was_held_is_listed_by_place_and_by_person(cast: Cast, keeper: Appointment) -> None:
    Appointment.objects.filter(pk=keeper.pk).update(end="2026-02-05")
    again = make.make_appointment(cast.a.keeper, "building_head", cast.a.building)
    make.make_appointment(cast.a.keeper, "building_head", cast.b.building)
    past = get(cast.a.officer, "appointments/", state="past", place=cast.a.grid.code).json()["results"]
    assert [row["id"] for row in past] == [keeper.pk]
    everything = get(cast.a.officer, "appointments/", state="all", person=cast.a.keeper.pk).json()["results"]
    assert [row["id"] for row in everything] == [again.pk, keeper.pk], "nothing of what lies out of scope"
    for odd in ({"state": "x"}, {"person": "x"}):
        assert get(cast.a.officer, "appointments/", **odd).status_code == 400


def test_a_post_is_given_to_somebody_new_with_a_password_told_once(cast: Cast) -> None:
    phone = next_phone()
    data = {"name": "李新", "phone": phone, "post": "grid_keeper", "place": cast.a.grid.code}
    made = post(cast.a.officer, "", **data)
    assert made.status_code == 201, made.content
    body = made.json()
    user = User.objects.get(phone=phone)
    assert user.check_password(body["first_password"])
    assert body["start"] == TODAY
    again = post(cast.a.officer, "", **{**data, "post": "building_head", "place": cast.a.building.code})
    assert (again.status_code, again.json()["first_password"]) == (201, None)
    twice = post(cast.a.officer, "", **data)
    assert (twice.status_code, twice.json()["code"]) == (409, "appointed_already")


def test_the_county_s_own_posts_name_no_place(cast: Cast) -> None:
    data = {"name": cast.nobody.name, "phone": cast.nobody.phone, "post": "county_leader"}
    made = post(cast.admin, "", **data)
    assert (made.status_code, made.json()["place"]) == (201, None)
    before = state()
    assert post(cast.street_officer, "", **data).status_code in (403, 404)
    assert state() == before


def test_a_handover_ends_one_and_begins_the_other(cast: Cast, keeper: Appointment) -> None:
    path = f"{keeper.pk}/hand_over/"
    new = {"name": "接班人", "phone": next_phone()}
    before = state()
    assert post(cast.a.officer, path, **new, version=7).status_code == 409
    same = post(cast.a.officer, path, name=cast.a.keeper.name, phone=cast.a.keeper.phone)
    assert (same.status_code, "user" in same.json()["fields"]) == (400, True)
    assert post(cast.a.officer, path, **new, day="昨天").status_code == 400
    assert state() == before
    made = post(cast.a.officer, path, **new, version=1, reason="轮岗")
    assert made.status_code == 201, made.content
    old = get(cast.a.officer, f"appointments/{keeper.pk}/").json()
    assert (made.json()["start"], old["end"] < TODAY, old["version"]) == (TODAY, True, 2)
    assert post(cast.a.officer, path, **new).status_code == 409


def test_a_post_is_ended_and_put_right(cast: Cast, keeper: Appointment) -> None:
    ended = post(cast.a.officer, f"{keeper.pk}/end/", end=TODAY, version=1)
    assert (ended.status_code, ended.json()["end"]) == (200, TODAY)
    assert post(cast.a.officer, f"{keeper.pk}/end/").status_code == 409
    note = post(cast.a.officer, f"{keeper.pk}/correct/", note="兼", reason="补记")
    assert (note.json()["note"], note.json()["end"]) == ("兼", TODAY), "what is not given stays"
    back = post(cast.a.officer, f"{keeper.pk}/correct/", end=None, version=3)
    assert back.json()["end"] is None
    assert post(cast.a.officer, f"{keeper.pk}/correct/", start="2026-01-01", version=3).status_code == 409


@pytest.mark.parametrize("deed", ["hand_over", "end", "correct"])
def test_who_may_not_is_refused(cast: Cast, keeper: Appointment, deed: str) -> None:
    before = state()
    data = {"name": "接班人", "phone": next_phone()}
    for person, expected in (
        (cast.a.team_lead, 403),
        (cast.department, 403),
        (cast.b.officer, 404),
        (cast.a.keeper, 404),
        (cast.a.liaison, 404),
        (cast.other_county_admin, 404),
    ):
        assert post(person, f"{keeper.pk}/{deed}/", **data).status_code == expected, person
    own = Appointment.objects.get(user=cast.a.officer)
    assert post(cast.a.officer, f"{own.pk}/{deed}/", **data, end="2030-01-01").status_code == 403
    assert client_of(None).post(f"/api/v1/appointments/{keeper.pk}/{deed}/").status_code == 401
    assert state() == before


def test_the_figures_are_those_of_the_page(cast: Cast) -> None:
    found = get(cast.a.officer, "coverage/").json()
    total = coverage.coverage_of(cast.a.node).total
    assert found["total"] == {"nodes": total.nodes, "filled": total.filled, "vacant": total.vacant}
    assert {row["level"]: row["vacant"] for row in found["levels"]}["building"] == 1
    assert {row["post"]: row["people"] for row in found["people"]}["grid_keeper"] == 1
    assert found["parts"] == []
    county = get(cast.department, "coverage/").json()
    assert (county["place"], [row["name"] for row in county["parts"]]) == (None, ["城北街道", "城南街道"])
    assert get(cast.department, "coverage/", place=cast.street.code).json()["place_name"] == "城北街道"
    assert get(cast.b.officer, "coverage/", place=cast.a.node.code).status_code == 404
    assert get(cast.a.keeper, "coverage/", place=cast.a.grid.code).status_code == 403
    make.make_appointment(cast.a.officer, "community_officer", cast.b.node)
    assert get(fresh(cast.a.officer), "coverage/").status_code == 400


def test_vacancies_are_listed_with_the_post_they_wait_for(cast: Cast) -> None:
    rows = get(cast.street_officer, "vacancies/", place=cast.a.node.code, level="building").json()["results"]
    assert [(row["code"], row["post"]) for row in rows] == [(cast.a.other_building.code, "building_head")]
    codes = {row["code"] for row in get(cast.b.officer, "vacancies/").json()["results"]}
    assert codes
    assert not any(code.startswith(cast.a.node.code) for code in codes)


def test_lists_cost_the_same_however_long(cast: Cast, django_assert_max_num_queries: Any) -> None:
    nodes = make.grow(
        cast.county,
        spec("street", "城东街道", spec("community", "东门社区", *(spec("grid", f"{n}") for n in range(40)))),
    )
    for number, grid in enumerate(nodes[2:22]):
        make.make_cadre(f"人{number}", "grid_keeper", grid)
    client = client_of(cast.admin)
    for path, name in (("appointments/", "appointments"), ("coverage/", "coverage"), ("vacancies/", "vacancies")):
        client.get(f"/api/v1/{path}")
        with django_assert_max_num_queries(COUNTS[f"api.{name}"]):
            assert client.get(f"/api/v1/{path}").status_code == 200
