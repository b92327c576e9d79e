"""What a request of the API asks the database: a fixed number, whatever the rows (tests/query_counts.json)."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import User
from services.models import Demand
from tests.cast import Cast
from tests.factories import make_demand
from tests.services.test_api import client_of
from tests.services.test_loop import do, in_service, raised

pytestmark = pytest.mark.django_db
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


def asked(user: User, method: str, path: str, **data: Any) -> int:
    """Statements of one request, savepoints counted as BEGIN and COMMIT would be; the second one, when all is warm."""
    client = client_of(user)
    client.get("/api/v1/categories/")
    with CaptureQueriesContext(connection) as captured:
        answer = getattr(client, method)(f"/api/v1/{path}", data or None, format="json")
    assert answer.status_code < 300, answer.content
    return len(captured)


def test_raising_a_demand(cast: Cast) -> None:
    raised(cast)  # warms the limits and the calendar
    body = {"node": cast.a.building.code, "category": cast.category.name, "text": "路灯不亮"}
    assert asked(cast.a.officer, "post", "demands/", **body) == COUNTS["api.create"] <= 12


@pytest.mark.parametrize("rows", [1, 40])
def test_a_list(cast: Cast, rows: int) -> None:
    for _number in range(rows):
        make_demand(cast.a.building, cast.category)
    # A full page is counted as well; the last one counts itself.
    wanted = COUNTS["api.list"] if rows > 25 else COUNTS["api.list"] - 1
    assert asked(cast.a.officer, "get", "demands/") == wanted <= 8


@pytest.mark.parametrize("role", ["officer", "liaison"])
def test_a_demand_whatever_hangs_on_it(cast: Cast, role: str) -> None:
    demand, suborder = in_service(cast)
    do(cast.a.liaison, suborder, "assign", members=[cast.a.second_member])
    do(cast.department, demand, "supervise", reason="请加快")
    do(cast.a.liaison, suborder, "answer_supervision", reason="在办")
    person = getattr(cast.a, role)
    assert asked(person, "get", f"demands/{demand.code}/") == COUNTS[f"api.detail_{role}"] <= 8


def test_a_move_of_the_demand(cast: Cast) -> None:
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    assert asked(cast.a.officer, "post", f"demands/{demand.code}/publish/") == COUNTS["api.transition"] <= 14
    assert Demand.objects.get().state == "published"


def test_a_move_of_a_suborder(cast: Cast) -> None:
    demand, _suborder = in_service(cast)
    statements = asked(cast.a.liaison, "post", f"demands/{demand.code}/report/", text="已到现场")
    assert statements == COUNTS["api.transition_suborder"] <= 14
