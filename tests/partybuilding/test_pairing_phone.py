"""`/m/pairings/`: one's places on the phone, in person or for a unit; and the same by API."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import phone
from core.models import User
from partybuilding.models import Pairing, PairingProblem, PairingVisit
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.partybuilding.test_pairing_pages import words
from tests.services.test_api import client_of

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(fresh(person))
    return client


def cards(answer: HttpResponse) -> list[str]:
    assert answer.status_code == 200
    return [card.title for card in answer.context["cards"]]


@pytest.fixture
def leader(cast: Cast) -> User:
    return make.make_cadre("县领导", "county_leader", cast.county)


# --- The phone ------------------------------------------------------------------------------------------------------


def test_each_finds_their_own_places_where_nobody_was_for_longest_first(cast: Cast, leader: User) -> None:
    make.make_pairing(cast.a.node, leader, "leader")
    make.make_pairing(cast.b.node, leader, "leader", end=TODAY() - DAY)
    seen = make.make_pairing(cast.a.compound, cast.a.unit)
    make.make_visit(seen)
    make.make_pairing(cast.a.grid, cast.a.unit)
    cadre = make.make_user("驻点干部", county=cast.county)
    make.make_pairing(cast.b.building, cadre)
    assert cards(signed_in(leader).get("/m/pairings/")) == ["白龙塘社区"]
    assert cards(signed_in(cast.a.liaison).get("/m/pairings/")) == ["第一网格", "和谐小区"]
    assert cards(signed_in(cast.a.staff).get("/m/pairings/")) == ["第一网格", "和谐小区"]
    assert cards(signed_in(cadre).get("/m/pairings/")) == ["1 号楼"]
    assert cards(signed_in(cast.b.liaison).get("/m/pairings/")) == []
    assert "还没有包联的地方" in words(signed_in(cast.a.officer).get("/m/pairings/"))
    assert signed_in(cast.nobody).get("/m/pairings/").status_code == 302


def test_a_visit_and_a_solution_are_written_down_on_one_screen_each(cast: Cast) -> None:
    row = make.make_pairing(cast.a.compound, cast.a.unit, duty="整治停车")
    client = signed_in(cast.a.liaison)
    page = f"/m/pairings/{row.pk}/"
    assert "整治停车" in words(client.get(page))
    assert client.post(f"{page}visit/", {"visited_on": TODAY().isoformat(), "text": ""}).status_code == 400
    late = {"visited_on": (TODAY() + DAY).isoformat(), "text": "看了"}
    assert "不能晚于今天" in words(client.post(f"{page}visit/", late))
    sent = client.post(f"{page}visit/", {"visited_on": TODAY().isoformat(), "text": "看了车棚", "problem": "车棚漏雨"})
    assert sent["Location"] == page
    problem = PairingProblem.objects.get()
    answer = client.get(page)
    assert "已记录走访" in words(answer)
    assert f'data-draft-done="pairing-{row.pk}"' in answer.content.decode(), "the draft has arrived"
    assert "车棚漏雨" in words(answer)
    assert "一家办不了的，请告诉社区" in words(answer)
    solve = f"/m/pairings/problems/{problem.pk}/solve/"
    assert "车棚漏雨" in words(client.get(solve))
    data = {"solution": "换了顶棚", "solved_on": TODAY().isoformat(), "version": 1}
    assert client.post(solve, {**data, "version": 9}).status_code == 409
    assert client.post(solve, data)["Location"] == page
    assert "车棚漏雨 → 换了顶棚" in words(client.get(page))
    assert client.post(solve, data).status_code == 409
    assert PairingVisit.objects.get().visited_by == cast.a.liaison


def test_strangers_find_nothing_and_lookers_write_nothing(cast: Cast, leader: User) -> None:
    row = make.make_pairing(cast.a.compound, cast.a.unit)
    problem = make.make_problem(row)
    data = {"visited_on": TODAY().isoformat(), "text": "看了"}
    for stranger in (cast.b.liaison, cast.idle_liaison, cast.a.keeper, cast.b.officer, cast.a.member_user):
        client = signed_in(stranger)
        for path in ("", "visit/"):
            assert client.get(f"/m/pairings/{row.pk}/{path}").status_code == 404, (stranger, path)
        assert client.post(f"/m/pairings/{row.pk}/visit/", data).status_code == 404
        assert client.get(f"/m/pairings/problems/{problem.pk}/solve/").status_code == 404
    looker = signed_in(leader)
    assert "记录走访" not in words(looker.get(f"/m/pairings/{row.pk}/"))
    assert looker.post(f"/m/pairings/{row.pk}/visit/", data).status_code == 403
    assert looker.get(f"/m/pairings/problems/{problem.pk}/solve/").status_code == 403
    assert not PairingVisit.objects.exists()


def test_whoever_raises_demands_passes_a_problem_on(cast: Cast) -> None:
    row = make.make_pairing(cast.a.building, cast.a.building_head)
    make.make_problem(row)
    page = signed_in(cast.a.building_head).get(f"/m/pairings/{row.pk}/").content.decode()
    assert f"/m/report/?at={cast.a.building.pk}" in page
    report = signed_in(cast.a.building_head).get(f"/m/report/?at={cast.a.building.pk}")
    assert cast.a.building.name in words(report)


def test_the_way_there_stands_under_mine_and_counts_what_is_unsolved(cast: Cast) -> None:
    def ours() -> list[phone.Way]:
        return [way for way in phone.ways(fresh(cast.a.liaison)) if way.url == "/m/pairings/"]

    assert ours() == []
    row = make.make_pairing(cast.a.compound, cast.a.unit)
    [way] = ours()
    assert (way.url, str(way.note), way.count) == ("/m/pairings/", "1 处", 0)
    assert "我的包联" in words(signed_in(cast.a.liaison).get("/m/me/"))
    assert "我的包联" not in words(signed_in(cast.a.liaison).get("/m/"))
    make.make_problem(row)
    make.make_problem(row, "二")
    make.make_problem(row, solved_on=TODAY(), solution="好了")
    [way] = ours()
    assert way.count == 2
    assert "我的包联" in words(signed_in(cast.a.liaison).get("/m/"))


def asked(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_phone_pages_cost_the_same_whatever_the_rows(cast: Cast) -> None:
    row = make.make_pairing(cast.a.compound, cast.a.unit)
    make.make_problem(row, visit=make.make_visit(row))
    pages = {"mobile.pairings": "/m/pairings/", "mobile.pairing": f"/m/pairings/{row.pk}/"}
    client = signed_in(cast.a.liaison)
    few = {name: asked(client, path) for name, path in pages.items()}
    for number in range(6):
        make.make_problem(row, f"问题{number}", visit=make.make_visit(row, f"第{number}次"))
        make.make_pairing(make.make_node(cast.a.node, "compound", f"小区{number}"), cast.a.unit)
    assert {name: asked(client, path) for name, path in pages.items()} == few
    assert few == {name: COUNTS[name] for name in pages}


# --- The API --------------------------------------------------------------------------------------------------------


def get(user: User, path: str = "", **query: Any) -> Any:
    return client_of(user).get(f"/api/v1/pairings/{path}", query)


def post(user: User, path: str = "", **data: Any) -> Any:
    return client_of(user).post(f"/api/v1/pairings/{path}", data, format="json")


def places(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["place"].rpartition(" · ")[2] for row in answer.json()["results"]]


def test_a_list_holds_what_one_sees(cast: Cast) -> None:
    make.make_pairing(cast.a.compound, cast.a.unit)
    make.make_pairing(cast.a.building, cast.a.team_lead, end=TODAY() - DAY)
    make.make_pairing(cast.b.grid, cast.a.unit)
    assert places(get(cast.a.officer)) == ["和谐小区"]
    assert places(get(cast.a.officer, state="all")) == ["和谐小区", "1 号楼"]
    assert places(get(cast.a.officer, state="all", kind="cadre")) == ["1 号楼"]
    assert places(get(cast.department)) == ["和谐小区", "第一网格"]
    assert places(get(cast.department, node=cast.b.node.code)) == ["第一网格"]
    assert places(get(cast.a.liaison, mine="true")) == ["和谐小区", "第一网格"]
    assert places(get(cast.b.liaison)) == []
    assert get(cast.a.officer, node=cast.b.node.code).status_code == 404


def test_a_pairing_lives_by_api(cast: Cast) -> None:
    made = post(cast.a.officer, kind="department", node=cast.a.compound.code, unit=cast.a.unit.pk, duty="停车")
    assert made.status_code == 201, made.content
    pk = made.json()["id"]
    been = post(cast.a.liaison, f"{pk}/visits/", visited_on=TODAY().isoformat(), text="看了", problem="漏雨")
    assert been.status_code == 201
    detail = been.json()
    assert (detail["visits"], detail["open_problems"]) == (1, 1)
    assert [row["text"] for row in detail["visit_records"]] == ["看了"]
    problem = detail["problems"][0]["id"]
    assert post(cast.a.staff, f"{pk}/problems/", found_on=TODAY().isoformat(), text="灯不亮").status_code == 201
    solved = post(cast.a.liaison, f"problems/{problem}/solve/", solution="修了", version=1)
    assert solved.json()["solved_on"] == TODAY().isoformat()
    assert post(cast.a.liaison, f"problems/{problem}/solve/", solution="修了").status_code == 409
    over = post(cast.a.officer, f"{pk}/hand-over/", unit=cast.a.supporting_unit.pk)
    assert over.status_code == 201
    assert [row["text"] for row in over.json()["problems"]] == ["灯不亮"]
    ended = post(cast.a.officer, f"{over.json()['id']}/end/", end=TODAY().isoformat())
    assert ended.json()["end"] == TODAY().isoformat()
    assert post(cast.a.officer, f"{pk}/end/").status_code == 409
    cadre = {"kind": "cadre", "node": cast.a.building.code}
    assert post(cast.a.officer, **cadre, name="没这个人").json()["fields"]["name"]
    assert post(cast.a.officer, **cadre, name="队长甲").status_code == 201


def test_the_api_keeps_strangers_out(cast: Cast) -> None:
    row = make.make_pairing(cast.a.compound, cast.a.unit)
    problem = make.make_problem(row)
    visit = {"visited_on": TODAY().isoformat(), "text": "看了"}
    for stranger in (cast.b.officer, cast.b.liaison, cast.a.keeper, cast.nobody):
        assert get(stranger, f"{row.pk}/").status_code == 404
        assert post(stranger, f"{row.pk}/visits/", **visit).status_code == 404
        assert post(stranger, f"{row.pk}/end/").status_code == 404
        assert post(stranger, f"problems/{problem.pk}/solve/", solution="x").status_code == 404
    data = {"kind": "department", "node": cast.a.grid.code, "unit": cast.a.unit.pk}
    for stranger in (cast.b.officer, cast.b.liaison, cast.nobody):
        assert post(stranger, **data).status_code == 404
    assert post(cast.a.team_lead, **data).status_code == 403
    for looker in (cast.a.team_lead, cast.a.liaison):
        assert post(looker, f"{row.pk}/end/").status_code == 403
    assert client_of(cast.a.officer).post("/api/v1/pairings/", [], format="json").status_code == 400
    assert Pairing.objects.count() == 1
    assert not PairingVisit.objects.exists()
