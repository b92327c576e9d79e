"""Moves by their names in the API's addresses: what is refused comes in one order, whatever moves."""

from typing import Any

import pytest
from django.test import Client

from core.api.moves import Moves
from core.models import User
from services.api import cases, members, promises, steering, wishes
from services.models import (
    AgendaItem,
    BulletinItem,
    CheckInApplication,
    JointMeeting,
    MatchProposal,
    Project,
    RateExclusion,
    Resolution,
)
from tests import factories as make
from tests import weft_factories as weave
from tests.cast import Cast
from tests.factories import fresh

TABLES: dict[str, Moves[Any]] = {
    "exclusion": steering.EXCLUSION_MOVES,
    "ladder": steering.LADDER_MOVES,
    "bulletin_item": steering.ITEM_MOVES,
    "wish": wishes.MOVES,
    "commitment": promises.MOVES,
    "case": cases.CASE_MOVES,
    "help": cases.HELP_MOVES,
    "member_checkin": members.REPORT_MOVES,
    "service": members.SERVICE_MOVES,
}
# Putting right what was written down is done on the pages, which show what stands there.
PAGES_ONLY = {"wish": {"change"}, "commitment": {"change"}}


@pytest.mark.parametrize("key", TABLES)
def test_whatever_a_person_may_do_is_offered_and_nothing_else(key: str) -> None:
    moves = TABLES[key]
    by_people = {row.name for row in moves.flow.transitions if row.right is not None}
    assert set(moves.table) == by_people - PAGES_ONLY.get(key, set())


def test_a_move_that_is_the_systems_alone_can_not_be_offered() -> None:
    ladder = steering.LADDER_MOVES
    (name, *_others) = [row.name for row in ladder.flow.transitions if row.right is None]
    with pytest.raises(ValueError, match="nobody may make it"):
        Moves(ladder.flow, "climb", {name: ladder.table["instruct"]})


def send(person: User, path: str, **data: Any) -> tuple[int, str, dict[str, str]]:
    client = Client()
    client.force_login(fresh(person))
    answer = client.post(f"/api/v1/{path}/", data, content_type="application/json")
    body = answer.json()
    return answer.status_code, body.get("code", ""), body.get("fields", {})


@pytest.fixture
def exclusion(cast: Cast) -> RateExclusion:
    return weave.make_exclusion(make.make_demand(cast.a.building), cast.a.officer)


@pytest.fixture
def item(cast: Cast) -> BulletinItem:
    demand = make.make_demand(cast.a.building, lead_unit=cast.a.unit)
    return weave.make_bulletin(demand, cast.department).items.get()


@pytest.mark.django_db
def test_who_may_not_decide_is_told_so_before_what_is_missing(cast: Cast, exclusion: RateExclusion) -> None:
    before, path = exclusion.version, f"exclusions/{exclusion.pk}"
    assert send(cast.a.officer, f"{path}/approve")[0] == 403
    assert send(cast.a.officer, f"{path}/approve", note="好" * 900, version="x")[0] == 403
    assert send(cast.b.officer, f"{path}/approve")[0] == 404
    assert send(cast.department, f"{path}/approve", version=before + 7)[0] == 409, "an old page, before what is missing"
    assert send(cast.department, f"{path}/reverse")[0] == 409, "nothing to reverse yet"
    for data in ({}, {"note": ""}, {"note": "  "}, {"note": "好" * 900}, {"note": ["好"]}):
        code, _word, fields = send(cast.department, f"{path}/approve", **data)
        assert (code, set(fields)) == (400, {"note"})
    assert send(cast.department, f"{path}/approve", note="好", version="x")[2].keys() == {"version"}
    exclusion.refresh_from_db()
    assert (exclusion.state, exclusion.version) == ("requested", before)
    assert send(cast.department, f"{path}/approve", note="好", version=str(before))[0] == 200


@pytest.mark.django_db
def test_whoever_is_named_may_not_settle(cast: Cast, item: BulletinItem) -> None:
    path, before = f"bulletin-items/{item.pk}", item.state
    assert send(cast.a.liaison, f"{path}/settle")[0] == 403
    code, _word, fields = send(cast.department, f"{path}/settle")
    assert (code, set(fields)) == (400, {"note"})
    assert send(cast.a.liaison, f"{path}/answer")[0] == 400
    item.refresh_from_db()
    assert item.state == before


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nothing", "manager", "leader", "lapse", "x" * 300])
def test_a_move_of_nobody_is_not_found(cast: Cast, exclusion: RateExclusion, item: BulletinItem, name: str) -> None:
    for path in (f"exclusions/{exclusion.pk}", f"bulletin-items/{item.pk}"):
        assert send(cast.department, f"{path}/{name}", note="好")[:2] == (404, "unknown_transition")


@pytest.mark.django_db
def test_so_it_is_where_a_move_has_an_address_of_its_own(cast: Cast) -> None:
    weave.hang_weft(cast.a, cast.a.officer)
    application = CheckInApplication.objects.get()
    proposal, project = MatchProposal.objects.get(), Project.objects.get(state="open")
    JointMeeting.objects.update(state="running")
    item, resolution = AgendaItem.objects.get(), Resolution.objects.get()
    refused = [
        (cast.a.supporting_liaison, f"checkin-applications/{application.pk}/accept"),
        (cast.a.supporting_liaison, f"checkin-applications/{application.pk}/send_back"),
        (cast.department, f"matches/proposals/{proposal.pk}/refuse"),
        (cast.department, f"projects/{project.pk}/claim"),
        (cast.a.liaison, f"agenda-items/{item.pk}/resolve"),
    ]
    for person, path in refused:
        assert send(person, path)[0] == 403, path
    missing = [
        (cast.a.officer, f"checkin-applications/{application.pk}/accept", "community_liaison"),
        (cast.a.officer, f"checkin-applications/{application.pk}/decline", "reason"),
        (cast.a.officer, f"matches/proposals/{proposal.pk}/refuse", "reason"),
        (cast.a.officer, f"agenda-items/{item.pk}/resolve", "text"),
    ]
    for person, path, field in missing:
        code, _word, fields = send(person, path)
        assert (code, field in fields) == (400, True), path
    assert send(cast.a.officer, f"checkin-applications/{application.pk}/accept", community_liaison=10**17)[0] == 400
    assert send(cast.a.officer, f"agenda-items/{item.pk}/resolve", version=item.version + 5)[0] == 409
    for row in (application, proposal, project, item, resolution):
        assert type(row).objects.get(pk=row.pk).version == row.version
