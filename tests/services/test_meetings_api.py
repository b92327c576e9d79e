"""Joint meetings by API: the same rows, rights and figures as the pages."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from core.models import User
from core.periods import Quarter
from services.actions import meeting_moves
from services.models import Resolution
from tests.cast import Cast
from tests.factories import fresh
from tests.services.test_meetings import item_of, running, task
from tests.weft_factories import soon

pytestmark = pytest.mark.django_db


def api(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(fresh(user))
    return client


def test_a_meeting_is_read_by_those_who_are_asked(cast: Cast) -> None:
    meeting = running(cast)
    for person in (cast.a.officer, cast.a.liaison, cast.street_officer, cast.department):
        found = api(person).get(f"/api/v1/meetings/{meeting.pk}/").json()
        assert [item["title"] for item in found["items"]] == ["楼道亮化"]
        assert {row["unit_name"] for row in found["attendances"]} == {cast.a.unit.name, cast.a.supporting_unit.name}
    for person in (cast.b.liaison, cast.b.officer, cast.a.keeper):
        assert api(person).get(f"/api/v1/meetings/{meeting.pk}/").status_code == 404
        assert api(person).get("/api/v1/meetings/").json()["results"] == []
    listed = api(cast.department).get("/api/v1/meetings/", {"node": cast.a.node.code, "state": "running"}).json()
    assert [row["id"] for row in listed["results"]] == [meeting.pk]
    assert api(cast.department).get("/api/v1/meetings/", {"node": "nowhere"}).status_code == 404


def test_a_program_claims_resolves_and_finishes(cast: Cast) -> None:
    meeting = running(cast)
    item = item_of(meeting)
    address = f"/api/v1/agenda-items/{item.pk}"
    claimed = api(cast.a.liaison).post(f"{address}/claim/", {"version": item.version}, format="json")
    assert (claimed.status_code, claimed.json()["unit"]) == (200, cast.a.unit.pk)
    late = api(cast.a.supporting_liaison).post(f"{address}/claim/", {}, format="json")
    assert late.status_code == 409
    assert cast.a.unit.label in late.json()["message"]
    assert api(cast.a.liaison).post(f"{address}/release/", {}, format="json").json()["state"] == "open"
    stale = api(cast.a.liaison).post(f"{address}/claim/", {"version": item.version}, format="json")
    assert (stale.status_code, stale.json()["code"]) == (409, "stale")
    words: dict[str, Any] = {"kind": "task", "text": "换灯", "due_on": soon().isoformat()}
    refused = api(cast.a.officer).post(f"{address}/resolve/", words, format="json")
    assert (refused.status_code, set(refused.json()["fields"])) == (400, {"owner"})
    assert api(cast.a.liaison).post(f"{address}/resolve/", {**words, "owner": "王"}, format="json").status_code == 403
    strange = {**words, "owner": "王主任", "unit": cast.idle_unit.pk}
    assert api(cast.a.officer).post(f"{address}/resolve/", strange, format="json").status_code == 400
    made = api(cast.a.officer).post(f"{address}/resolve/", {**words, "owner": "王主任"}, format="json")
    assert made.status_code == 201
    (row,) = made.json()["resolutions"]
    meeting_moves.close_meeting(actor=fresh(cast.a.officer), meeting=meeting)
    finish = f"/api/v1/resolutions/{row['id']}/finish/"
    assert api(cast.a.officer).post(finish, {"result": "已换"}, format="json").json()["state"] == "done"
    assert api(cast.a.liaison).get(f"/api/v1/resolutions/{row['id']}/").json()["result"] == "已换"
    assert Resolution.objects.get().state == "done"


def test_the_figures_are_those_of_the_page(cast: Cast) -> None:
    meeting = running(cast)
    quarter = Quarter.of(meeting.held_at)
    meeting_moves.close_meeting(actor=fresh(cast.a.officer), meeting=meeting, fates={item_of(meeting).pk: task()})
    for query, held in (({}, 1), ({"period": quarter.code}, 1), ({"period": quarter.previous().code}, 0)):
        found = api(cast.department).get("/api/v1/meetings/figures/", query).json()
        assert (found["held"], found["problems"], found["open"]) == (held, held, held)
    assert api(cast.department).get("/api/v1/meetings/figures/", {"period": "x"}).status_code == 400
    late = api(cast.department).get("/api/v1/resolutions/", {"late": "true"}).json()
    assert late["results"] == []


def test_lists_cost_the_same_whatever_the_rows(cast: Cast, django_assert_max_num_queries: Any) -> None:
    running(cast)
    client = api(cast.a.officer)
    with django_assert_max_num_queries(6):
        client.get("/api/v1/agenda-items/")
    with django_assert_max_num_queries(6):
        client.get("/api/v1/meetings/")
