"""The tree by API: found and written by the same people as on the pages, strangers kept out, nothing half done."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import User
from grids import hanging
from grids.api import node_rows as rows
from grids.models import Appointment, GridNode
from tests.cast import Cast
from tests.services.test_api import client_of

pytestmark = pytest.mark.django_db
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


def get(user: User, path: str, **asked: Any) -> Any:
    return client_of(user).get(f"/api/v1/nodes/{path}", asked)


def post(user: User, path: str, **data: Any) -> Any:
    return client_of(user).post(f"/api/v1/nodes/{path}", data, format="json")


def codes(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["code"] for row in answer.json()["results"]]


def test_a_list_holds_what_one_sees_and_nothing_else(cast: Cast) -> None:
    assert codes(get(cast.a.officer, "", level="community")) == [cast.a.node.code]
    assert codes(get(cast.admin, "", level="community")) == [
        cast.a.node.code,
        cast.b.node.code,
        cast.empty_community.code,
        cast.other_street_community.code,
    ]
    assert codes(get(cast.nobody, "")) == []
    assert codes(get(cast.a.officer, "", search="2 号楼")) == [cast.a.other_building.code]
    assert codes(get(cast.admin, "", community=cast.b.node.code, level="building")) == [
        cast.b.building.code,
        cast.b.other_building.code,
    ]


def test_children_subtree_and_breadcrumb_of_a_place(cast: Cast) -> None:
    a = cast.a
    assert codes(get(a.officer, f"{a.grid.code}/children/")) == [a.building.code, a.other_building.code]
    assert codes(get(a.officer, f"{a.building.code}/subtree/")) == [a.building.code, a.entrance.code, a.floor.code]
    steps = get(cast.street_officer, f"{a.building.code}/breadcrumb/").json()
    assert [step["name"] for step in steps] == ["城北街道", "白龙塘社区", "和谐小区", "第一网格", "1 号楼"]
    steps = get(a.officer, f"{a.building.code}/breadcrumb/").json()
    assert steps[0]["name"] == "白龙塘社区", "what lies above one's own place is not listed"


def test_retired_places_are_listed_when_asked_for(cast: Cast) -> None:
    gone = cast.a.other_building
    assert post(cast.admin, f"{gone.code}/retire/", reason="已拆除").status_code == 200
    assert codes(get(cast.admin, f"{cast.a.grid.code}/children/")) == [cast.a.building.code]
    assert codes(get(cast.admin, f"{cast.a.grid.code}/children/", state="retired")) == [gone.code]
    assert len(codes(get(cast.admin, f"{cast.a.grid.code}/children/", state="all"))) == 2
    assert get(cast.admin, "", state="gone").status_code == 400
    assert get(cast.admin, f"{gone.code}/").json()["retired_at"]


def test_the_code_of_a_retired_place_leads_to_the_one_that_took_over(cast: Cast) -> None:
    a = cast.a
    made = [post(a.officer, "", parent=a.grid.code, level="building", name=f"{n} 号楼").json()["code"] for n in (7, 8)]
    assert post(a.officer, f"{a.other_building.code}/retire/", reason="改建", successor=made[0]).status_code == 200
    assert post(a.officer, f"{made[0]}/retire/", reason="再改建", successor=made[1]).status_code == 200
    for code in (a.other_building.code, *made):
        assert get(a.officer, f"{code}/current/").json()["code"] == made[1]
    assert post(a.officer, f"{made[1]}/retire/", reason="拆除").status_code == 200
    assert get(a.officer, f"{made[0]}/current/").json()["code"] == "no_successor"


def test_a_place_is_found_by_who_is_in_post(cast: Cast) -> None:
    assert codes(get(cast.a.officer, "", search="网格员甲")) == [cast.a.grid.code]
    assert codes(get(cast.a.officer, "", search="网格员乙")) == []
    assert codes(get(cast.a.keeper, "", search="网格员甲")) == [], "who may not see posts does not find by them"


def test_a_place_made_renamed_described_moved_and_retired(cast: Cast) -> None:
    a = cast.a
    made = post(a.officer, "", parent=a.node.code, level="grid", name="第二网格", households=520)
    assert made.status_code == 201, made.json()
    row = made.json()
    assert "520" in row["size_warning"]
    assert row["community"] == a.node.code
    code = row["code"]
    done = post(a.officer, f"{code}/rename/", name="清泉网格", version=row["version"]).json()
    assert done["path"].endswith("清泉网格")
    done = post(a.officer, f"{code}/describe/", households=400, version=done["version"]).json()
    assert (done["households"], done["size_warning"]) == (400, "")
    done = post(a.officer, f"{code}/move/", parent=a.compound.code, version=done["version"]).json()
    assert done["parent"] == a.compound.code
    done = post(a.officer, f"{code}/retire/", reason="并入", successor=a.grid.code, version=done["version"]).json()
    assert done["successor"] == a.grid.code


def test_a_grid_is_split_and_merged_back(cast: Cast) -> None:
    a = cast.a
    answer = post(
        a.officer,
        f"{a.grid.code}/split/",
        parts=[{"name": "第二网格", "children": [a.other_building.code], "households": 310}],
        households=400,
        reason="超过 500 户",
    )
    assert answer.status_code == 201, answer.json()
    (new,) = answer.json()
    assert (new["households"], get(a.officer, f"{a.grid.code}/").json()["households"]) == (310, 400)
    assert codes(get(a.officer, f"{new['code']}/children/")) == [a.other_building.code]
    lines = get(a.officer, f"{a.grid.code}/hanging/", successor=new["code"]).json()
    (posts,) = [line for line in lines if line["kind"] == "grids.appointment"]
    assert (posts["count"], posts["fate"], posts["choices"]) == (1, "end", ["end", "follow"])
    done = post(
        a.officer,
        f"{new['code']}/merge/",
        sources=[a.grid.code],
        households=710,
        reason="合回来",
        wanted={"grids.appointment": "follow"},
    )
    assert done.status_code == 200, done.json()
    assert len(codes(get(a.officer, f"{new['code']}/children/"))) == 2
    assert get(a.officer, f"{a.grid.code}/").json()["successor"] == new["code"]
    assert Appointment.objects.filter(node__code=new["code"], user=a.keeper, end=None).exists()


def test_the_history_says_who_did_what_when_and_why(cast: Cast) -> None:
    code = cast.a.building.code
    post(cast.a.officer, f"{code}/rename/", name="甲楼", reason="重新编号")
    post(cast.a.officer, f"{code}/describe/", households=60)
    post(cast.a.officer, f"{code}/move/", parent=cast.a.node.code)
    moved, described, renamed = get(cast.a.officer, f"{code}/history/").json()["results"]
    assert (renamed["who"], renamed["title"], renamed["reason"]) == ("两委甲", "网格改名", "重新编号")
    assert (renamed["text"], renamed["changes"]) == ("名称：1 号楼 → 甲楼", {"name": ["1 号楼", "甲楼"]})
    assert described["text"] == "户数：60"
    assert moved["text"] == "从“城北街道 · 白龙塘社区 · 和谐小区 · 第一网格”到“城北街道 · 白龙塘社区”"


def test_an_old_version_is_refused_and_changes_nothing(cast: Cast) -> None:
    code = cast.a.building.code
    assert post(cast.a.officer, f"{code}/rename/", name="甲楼", version=1).status_code == 200
    for path, data in (
        ("rename", {"name": "乙楼"}),
        ("describe", {"households": 3}),
        ("move", {"parent": cast.a.node.code}),
        ("retire", {"reason": "拆"}),
        ("split", {"reason": "拆", "parts": [{"name": "丙楼"}]}),
        ("merge", {"reason": "并", "sources": [cast.a.other_building.code]}),
    ):
        answer = post(cast.a.officer, f"{code}/{path}/", **data, version=1)
        assert (answer.status_code, answer.json()["code"]) == (409, "stale"), path
    assert GridNode.objects.get(code=code).name == "甲楼"


@pytest.mark.parametrize("role", ["b.officer", "a.liaison", "other_street_officer", "other_county_admin", "nobody"])
def test_a_stranger_finds_nothing(cast: Cast, role: str) -> None:
    stranger = cast.people().get(role) or getattr(cast, role)
    code = cast.a.building.code
    for path in ("", "children/", "subtree/", "breadcrumb/", "history/", "hanging/"):
        assert get(stranger, f"{code}/{path}").status_code == 404
    for path, data in (
        ("rename", {"name": "乙楼"}),
        ("describe", {"households": 3}),
        ("move", {"parent": cast.b.node.code}),
        ("retire", {"reason": "拆"}),
        ("split", {"reason": "拆", "parts": [{"name": "丙楼"}]}),
        ("merge", {"reason": "并", "sources": [code]}),
    ):
        assert post(stranger, f"{code}/{path}/", **data).status_code == 404, path
    assert post(stranger, "", parent=code, level="floor", name="9 层").status_code == 404
    assert GridNode.objects.get(code=code).version == 1


def test_who_sees_a_place_without_keeping_it_is_told_so(cast: Cast) -> None:
    assert post(cast.a.keeper, f"{cast.a.building.code}/rename/", name="乙楼").status_code == 403
    assert post(cast.a.officer, f"{cast.a.node.code}/rename/", name="乙社区").status_code == 403


def test_bad_input_is_told_by_field(cast: Cast) -> None:
    answer = post(cast.a.officer, "", parent=cast.a.node.code, level="grid", name="")
    assert answer.status_code == 400 and "name" in answer.json()["fields"]
    answer = post(cast.a.officer, f"{cast.a.building.code}/move/", parent="nowhere")
    assert answer.status_code == 404 and "parent" in answer.json()["fields"]
    answer = post(cast.a.officer, f"{cast.a.grid.code}/merge/", sources=["nowhere"], reason="并")
    assert answer.status_code == 404 and "sources" in answer.json()["fields"]
    answer = post(cast.a.officer, f"{cast.a.grid.code}/split/", parts=[{"name": ""}], reason="拆")
    assert answer.status_code == 400 and "parts" in answer.json()["fields"]
    answer = post(cast.a.officer, f"{cast.a.grid.code}/move/", parent=cast.a.building.code)
    assert answer.status_code == 400 and "parent" in answer.json()["fields"]


def test_the_schema_says_what_a_row_holds(cast: Cast) -> None:
    node = GridNode.objects.select_related("county", *rows.RELATED).get(pk=cast.a.building.pk)
    assert set(rows.node_row(node)) == set(rows.NodeRow().fields)
    assert set(rows.step_row(node)) == set(rows.StepRow().fields)
    (line, *_more) = hanging.what_hangs([cast.a.node], cast.admin)
    assert set(rows.hanging_row(line)) == set(rows.HangingRow().fields)


@pytest.mark.parametrize("rows", [1, 30])
def test_a_request_costs_a_fixed_number_of_queries(cast: Cast, rows: int) -> None:
    for number in range(rows):
        post(cast.admin, "", parent=cast.a.grid.code, level="building", name=f"新 {number}")
        post(cast.admin, f"{cast.a.grid.code}/rename/", name=f"第 {number} 次改名")
    client, code = client_of(cast.admin), cast.a.grid.code
    client.get("/api/v1/nodes/")
    for key, path in {
        "api.nodes": "",
        "api.node": f"{code}/",
        "api.node_children": f"{code}/children/",
        "api.node_subtree": f"{code}/subtree/",
        "api.node_breadcrumb": f"{code}/breadcrumb/",
        "api.node_history": f"{code}/history/",
    }.items():
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(f"/api/v1/nodes/{path}", {"page_size": 10})
            assert answer.status_code == 200
        # A page that is not the last one counts the rows as well.
        full = isinstance(answer.json(), dict) and bool(answer.json().get("next"))
        assert len(captured) - full == COUNTS[key], key
