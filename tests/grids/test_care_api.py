"""The care ledger by API: masked for every program, the same people as on the pages, strangers kept out."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import AuditEntry, User
from grids.api import care as rows
from grids.models import CareHousehold, CareVisit
from tests import factories as make
from tests.cast import Cast
from tests.services.test_api import client_of

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
NAME, PHONE = "欧阳惠莲", "13987651234"
DAY = datetime.timedelta(days=1)


def today() -> datetime.date:
    return timezone.localdate()


def get(user: User, path: str = "households/", **asked: Any) -> Any:
    return client_of(user).get(f"/api/v1/care/{path}", asked)


def post(user: User, path: str, **data: Any) -> Any:
    return client_of(user).post(f"/api/v1/care/households/{path}", data, format="json")


@pytest.fixture
def one(cast: Cast) -> CareHousehold:
    return make.make_household(
        cast.a.building, ("disability", "elderly_alone"), name=NAME, phone=PHONE, room="502室", days_ago=20
    )


def test_a_program_reads_masked_rows(cast: Cast, one: CareHousehold) -> None:
    for answer in (get(cast.a.keeper), get(cast.a.officer), get(cast.a.officer, f"households/{one.pk}/")):
        assert answer.status_code == 200
        assert NAME not in answer.content.decode() and PHONE not in answer.content.decode()
    row = get(cast.a.keeper, f"households/{one.pk}/").json()
    assert row["name"] == "欧*惠莲" and row["phone"] == "139****1234" and row["room"] == "502室"
    assert row["needs"] == ["disability", "elderly_alone"]
    assert row["states"] == ["to_visit"]
    assert set(row) == set(rows.HouseholdRow().fields)


def test_of_one_that_has_run_out_only_the_door_is_told(cast: Cast) -> None:
    gone = make.make_household(cast.a.building, ("disability",), days_ago=370, last_visit_on=today())
    row = get(cast.a.keeper, f"households/{gone.pk}/").json()
    assert (row["states"], row["needs"], row["phone"]) == (["expired"], [], "")
    assert (row["last_visit_on"], row["next_visit_on"]) == (None, None)
    assert get(cast.a.keeper, need="disability").json()["results"] == []


def test_a_list_is_narrowed_and_tells_what_it_can_not_be_asked(cast: Cast, one: CareHousehold) -> None:
    other = make.make_household(cast.a.other_building, ("low_income",), next_visit_on=today() + DAY)

    def found(**asked: str) -> list[int]:
        return [row["id"] for row in get(cast.a.officer, **asked).json()["results"]]

    assert found() == [one.pk, other.pk]
    assert found(need="low_income") == [other.pk]
    assert found(state="to_visit") == [one.pk]
    assert found(place=cast.a.other_building.code) == [other.pk]
    assert found(place=cast.b.building.code) == []
    for asked in ({"state": "rich"}, {"need": "ethnicity"}):
        assert get(cast.a.officer, **asked).status_code == 400
    assert found(name=NAME) == found(), "a filter there is none of narrows nothing"


def test_a_visit_and_a_confirmation(cast: Cast, one: CareHousehold) -> None:
    answer = post(cast.a.keeper, f"{one.pk}/visits/", visited_on=str(today()), text="要人送药")
    assert answer.status_code == 201
    assert answer.json()["last_visit_on"] == str(today())
    assert CareVisit.objects.get().text == "要人送药"
    assert post(cast.a.keeper, f"{one.pk}/confirm/", version=7).status_code == 409
    assert post(cast.a.keeper, f"{one.pk}/confirm/").status_code == 400
    answer = post(cast.a.keeper, f"{one.pk}/confirm/", version=1)
    assert answer.status_code == 200
    assert answer.json()["confirmed_on"] == str(today())
    assert AuditEntry.objects.get(action="care.visit").origin.startswith("接口")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"visited_on": "昨天"},
        {"visited_on": "2100-01-01"},
        {"visited_on": "2026-03-05", "text": "是信访户"},
        {"visited_on": "2026-03-05", "text": "x" * 501},
        {"visited_on": "2026-03-05", "confirmed": "也许"},
    ],
)
def test_what_can_not_be_written_down_is_refused(cast: Cast, one: CareHousehold, data: dict[str, Any]) -> None:
    answer = post(cast.a.keeper, f"{one.pk}/visits/", **data)
    assert answer.status_code == 400
    assert not CareVisit.objects.exists()


@pytest.mark.parametrize(
    ("role", "listed", "own"),
    [
        ("b.keeper", 200, 404),
        ("b.officer", 200, 404),
        ("a.team_lead", 403, 403),
        ("a.building_head", 403, 403),
        ("street_secretary", 403, 403),
        ("department", 403, 403),
        ("admin", 403, 403),
        ("superuser", 403, 403),
        ("a.liaison", 403, 403),
        ("other_county_secretary", 200, 404),
    ],
)
def test_a_stranger_learns_nothing(cast: Cast, one: CareHousehold, role: str, listed: int, own: int) -> None:
    person = cast.people().get(role) or getattr(cast, role)
    answer = get(person)
    assert answer.status_code == listed
    assert listed != 200 or answer.json()["results"] == []
    assert get(person, f"households/{one.pk}/").status_code == own
    assert post(person, f"{one.pk}/visits/", visited_on=str(today())).status_code == own
    assert post(person, f"{one.pk}/confirm/", version=1).status_code == own
    assert not CareVisit.objects.exists()


def test_counts_name_nobody_and_point_at_nobody(cast: Cast, one: CareHousehold) -> None:
    for _number in range(5):
        make.make_household(cast.a.building)
    here = next(row for row in get(cast.street_officer, "counts/").json() if row["community"] == cast.a.node.code)
    assert here["households"] == 6 and here["needs"]["elderly_alone"] == 6
    assert here["needs"]["disability"] is None and here["needs"]["low_income"] == 0
    assert set(here) == set(rows.CountRow().fields)
    own = next(row for row in get(cast.a.officer, "counts/").json() if row["community"] == cast.a.node.code)
    assert own["needs"]["disability"] == 1
    for person in (cast.admin, cast.auditor, cast.superuser, cast.a.liaison):
        assert get(person, "counts/").status_code == 403


@pytest.mark.parametrize("many", [1, 40])
def test_a_list_costs_the_same_whatever_the_rows(cast: Cast, many: int) -> None:
    for _number in range(many):
        make.make_household(cast.a.building, ("elderly_alone", "low_income"))
    client = client_of(cast.a.officer)
    client.get("/api/v1/care/households/")
    with CaptureQueriesContext(connection) as captured:
        assert client.get("/api/v1/care/households/").status_code == 200
    # A full page is counted as well; the last one counts itself.
    assert len(captured) == COUNTS["api.care"] - (many < 25) <= 8
