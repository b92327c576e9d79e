"""What a program may get wrong: the answer is a 400 that says so, never a fault of ours, and nothing changed."""

import pytest

from services.actions import move
from services.models import Demand
from tests.cast import Cast
from tests.services.test_api import client_of
from tests.services.test_loop import raised

pytestmark = pytest.mark.django_db

# move -> bodies nobody can make sense of (UNIT stands for the lead unit's number)
MOVES = (
    ("park", '{"until": 20261231, "reason": "等开春"}'),
    ("park", '{"until": ["2027-01-05"], "reason": "等开春"}'),
    ("park", '{"until": "9999-12-31", "reason": "等开春"}'),
    ("park", '{"until": "2027-01-05", "reason": "\\ud800"}'),
    ("withdraw", '{"reason": "\\ud800"}'),
    ("link", '{"matter": "\\ud800"}'),
    ("publish", '{"version": 1e999}'),
    ("publish", '{"version": NaN}'),
    ("publish", "[" * 100_000),
    ("dispatch", '{"unit": UNIT, "supporting": [1000000000000000000000000]}'),
    ("dispatch", '{"unit": UNIT, "supporting": [{"a": 1}]}'),
    ("dispatch", '{"unit": UNIT, "supporting": ["\\ud800"]}'),
    ("dispatch", '{"unit": UNIT, "supporting": [1e400]}'),
    ("dispatch", '{"unit": UNIT, "note": "\\ud800"}'),
)


@pytest.mark.parametrize(("name", "body"), MOVES)
def test_a_move_nobody_can_read_is_refused_and_changes_nothing(cast: Cast, name: str, body: str) -> None:
    demand = raised(cast)
    demand = move(actor=cast.a.officer, target=demand, name="accept")
    body = body.replace("UNIT", str(cast.a.unit.pk))
    answer = client_of(cast.a.officer).post(
        f"/api/v1/demands/{demand.code}/{name}/", body, content_type="application/json"
    )
    assert answer.status_code == 400, answer.content[:300]
    assert answer.json()["message"]
    demand.refresh_from_db()
    assert (demand.state, demand.version, demand.parked_until) == ("accepted", 2, None)


@pytest.mark.parametrize(
    "body", ['{"place": "x", "category": "x", "text": "\\ud800"}', "[" * 100_000, '{"text": 1e999}']
)
@pytest.mark.parametrize("path", ["public/orders/", "token/"])
def test_so_is_what_comes_without_a_key(cast: Cast, path: str, body: str) -> None:
    answer = client_of(None).post(f"/api/v1/{path}", body, content_type="application/json")
    assert answer.status_code == 400
    assert not Demand.objects.exists()


@pytest.mark.parametrize("unit", ["1e30", "100000000000000000000000", "NaN", "-1", "x"])
def test_a_filter_no_row_can_answer_to_is_refused(cast: Cast, unit: str) -> None:
    answer = client_of(cast.a.officer).get("/api/v1/demands/", {"unit": unit})
    assert answer.status_code == 400
    assert "unit" in answer.json()["fields"]
