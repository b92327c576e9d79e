"""Matching on the desk and by API: what a person reads of a run, and the clicks."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from core.models import User
from services.actions.matching import refuse_proposal, run_match
from services.models import MatchProposal, MatchRun, Project, Resource
from tests import factories as make
from tests.cast import Cast
from tests.services.test_matching import leak, water

pytestmark = pytest.mark.django_db
ADD = "/admin/services/matchrun/add/"
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def text(answer: Any) -> str:
    return str(answer.content.decode())


def a_run(cast: Cast) -> MatchRun:
    """Two proposals, and a demand that got nothing."""
    water(cast, unit=None, name="水管维修志愿者")
    leak(cast)
    leak(cast, title="厨房水管破裂")
    leak(cast, title="想学跳舞", text="想学跳舞。", category=cast.categories["其他"])
    return run_match(actor=cast.a.officer, node=cast.a.node)


def page_of(run: MatchRun) -> str:
    return reverse("admin:services_matchrun_change", args=[run.pk])


# --- Starting one ---------------------------------------------------------------------------------------------------


def test_a_run_is_started_from_the_desk(cast: Cast) -> None:
    water(cast)
    leak(cast)
    client = signed_in(cast.a.officer)
    assert f'value="{cast.a.node.pk}" selected' in text(client.get(ADD))
    answer = client.post(ADD, {"node": cast.a.node.pk}, follow=True)
    assert "匹配好了，请逐条看过后采纳。" in text(answer)
    assert answer.redirect_chain[-1][0] == page_of(MatchRun.objects.get())


def test_a_street_chooses_and_a_stranger_finds_nothing_to_choose(cast: Cast) -> None:
    client = signed_in(cast.street_officer)
    assert {str(place.pk) for place in (cast.street, cast.a.node, cast.b.node)} <= options(client.get(ADD))
    assert str(cast.other_street.pk) not in options(client.get(ADD))
    assert f'value="{cast.b.node.pk}" selected' in text(client.get(ADD, {"node": cast.b.node.pk}))
    water(cast, node=cast.b.node)
    leak(cast, node=cast.b.building)
    assert signed_in(cast.a.officer).post(ADD, {"node": cast.b.node.pk}).status_code == 200
    assert not MatchRun.objects.exists()


def options(answer: Any) -> set[str]:
    return {str(choice[0]) for choice in answer.context["form"].fields["node"].choices}


def test_the_lists_lead_to_matching_at_their_place(cast: Cast) -> None:
    for page in ("demand_changelist", "resource_changelist", "project_lists"):
        listed = reverse(f"admin:services_{page}")
        shown = text(signed_in(cast.a.officer).get(listed, {"place": cast.a.node.pk}))
        assert f"{ADD}?node={cast.a.node.pk}" in shown
        assert ADD not in text(signed_in(cast.department).get(listed))


def test_nothing_to_match_is_said_in_the_form(cast: Cast) -> None:
    answer = signed_in(cast.a.officer).post(ADD, {"node": cast.a.node.pk})
    assert "没有已受理、还没有派单的需求" in text(answer)


# --- The page -------------------------------------------------------------------------------------------------------


def test_the_page_tells_score_reasons_totals_and_what_found_nothing(cast: Cast) -> None:
    run = a_run(cast)
    shown = text(signed_in(cast.a.officer).get(page_of(run)))
    for words in (
        "水管维修志愿者",
        "社区自有",
        "类别相同：水电气暖",
        "文字相近：水管",
        "社区自己的资源",
        "合适",
        f"{run.score} 分",
        "没有这个类别的资源",
        "想学跳舞",
        "采纳所选",
    ):
        assert words in shown, words
    assert "多 0 分" not in shown


def test_the_gain_over_going_down_the_list_is_told(cast: Cast) -> None:
    run = a_run(cast)
    MatchRun.objects.update(greedy_score=run.score - 7)
    assert "一次统筹比逐条匹配多 7 分" in text(signed_in(cast.a.officer).get(page_of(run)))


def test_several_are_taken_up_in_one_click(cast: Cast) -> None:
    run = a_run(cast)
    client = signed_in(cast.a.officer)
    keys = list(run.proposals.values_list("pk", flat=True))
    answer = client.post(reverse("admin:services_matchrun_accept", args=[run.pk]), {"proposal": keys}, follow=True)
    assert "已生成 2 个项目草稿" in text(answer)
    assert "采纳所选" not in text(answer) and Project.objects.first().code in text(answer)  # type: ignore[union-attr]


def test_the_button_of_one_takes_up_that_one(cast: Cast) -> None:
    run = a_run(cast)
    one, other = run.proposals.all()
    address = reverse("admin:services_matchrun_accept", args=[run.pk])
    signed_in(cast.a.officer).post(address, {"one": one.pk, "proposal": [other.pk]})
    other.refresh_from_db()
    assert (Project.objects.count(), other.state) == (1, "proposed")


def test_a_refusal_is_told_and_the_choice_kept(cast: Cast) -> None:
    run = a_run(cast)
    client = signed_in(cast.a.officer)
    address = reverse("admin:services_matchrun_accept", args=[run.pk])
    assert "请先勾选要采纳的建议" in text(client.post(address, {}, follow=True))
    Resource.objects.update(quantity=1)
    keys = list(run.proposals.values_list("pk", flat=True))
    answer = client.post(address, {"proposal": keys}, follow=True)
    assert "没有生成任何项目" in text(answer)
    kept = run.proposals.get(state="proposed")
    assert [line["row"] for line in answer.context["lines"] if line["open"] and line["chosen"]] == [kept]
    assert not Project.objects.exists()


def test_who_only_looks_has_no_buttons_and_no_way(cast: Cast) -> None:
    run = a_run(cast)
    client = signed_in(cast.department)
    shown = text(client.get(page_of(run)))
    assert "水管维修志愿者" in shown and "采纳所选" not in shown and "重新匹配" not in shown
    address = reverse("admin:services_matchrun_accept", args=[run.pk])
    keys = {"proposal": list(run.proposals.values_list("pk", flat=True))}
    assert client.post(address, keys).status_code == 403
    assert signed_in(cast.b.officer).post(address, keys).status_code == 404
    assert client.get(address).status_code == 405
    assert not Project.objects.exists()


def test_proposals_of_another_run_are_not_taken_along(cast: Cast) -> None:
    run = a_run(cast)
    water(cast, node=cast.b.node)
    leak(cast, node=cast.b.building)
    strange = run_match(actor=cast.b.officer, node=cast.b.node).proposals.get()
    address = reverse("admin:services_matchrun_accept", args=[run.pk])
    answer = signed_in(cast.street_officer).post(address, {"proposal": [strange.pk, "x", "9" * 30]}, follow=True)
    assert "请先勾选" in text(answer)
    assert not Project.objects.exists()


def test_turned_down_with_a_reason_on_its_own_page(cast: Cast) -> None:
    run = a_run(cast)
    one = run.proposals.all()[0]
    client = signed_in(cast.a.officer)
    address = reverse("admin:services_matchproposal_deed", args=[one.pk, "refuse"])
    assert "以后不再给这条需求推荐这项资源" in text(client.get(address))
    answer = client.post(address, {"reason": "志愿者这个月外出", "version": one.version}, follow=True)
    assert answer.redirect_chain[-1][0] == page_of(run)
    assert "志愿者这个月外出" in text(answer) and "不采纳" in text(answer)


def test_pages_cost_the_same_whatever_the_rows(cast: Cast) -> None:
    def counted(run: MatchRun) -> int:
        client = signed_in(cast.a.officer)
        client.get(page_of(run))
        with CaptureQueriesContext(connection) as captured:
            client.get(page_of(run))
        return len(captured)

    few = counted(a_run(cast))
    assert few == COUNTS["admin.match_run"]
    for number in range(8):
        water(cast, name=f"水管{number}队", unit=make.make_unit(cast.county, f"单位{number}"))
        leak(cast)
        leak(cast, title="想学唱歌", text="想学。", category=cast.categories["其他"])
    assert counted(run_match(actor=cast.a.officer, node=cast.a.node)) == few


def test_the_ledger_of_a_run_holds_its_proposals(cast: Cast) -> None:
    run = a_run(cast)
    refuse_proposal(actor=cast.a.officer, proposal=run.proposals.all()[0], reason="不要")
    client = signed_in(cast.a.officer)
    address = reverse("admin:services_matchproposal_export", args=["match_proposals"])
    assert address in text(client.get(page_of(run)))
    book = load_workbook(io.BytesIO(client.post(f"{address}?run={run.pk}").content))
    cells = [[str(cell.value) for cell in row] for row in book.active.iter_rows()]
    found = [row for row in cells if "水管维修志愿者" in row]
    assert len(found) == 2
    assert {"不采纳", "待定"} <= {word for row in found for word in row}
    assert any(str(run.score) in row for row in cells)


# --- By API ---------------------------------------------------------------------------------------------------------


def test_runs_and_proposals_by_api(cast: Cast) -> None:
    water(cast)
    demand = leak(cast)
    client = signed_in(cast.a.officer)
    made = client.post("/api/v1/matches/", json.dumps({"node": cast.a.node.code}), "application/json")
    assert made.status_code == 201
    run = made.json()
    assert (run["demands"], run["resources"], run["proposals"], run["open"], run["missed"]) == (1, 1, 1, 1, [])
    assert [row["id"] for row in client.get("/api/v1/matches/", {"node": cast.a.node.code}).json()["results"]] == [
        run["id"]
    ]
    (row,) = client.get(f"/api/v1/matches/{run['id']}/proposals/?state=proposed").json()["results"]
    assert (row["demand"], row["score"], row["grade"], row["unit"]) == (demand.code, run["score"], "合适", "县住建局")
    taken = client.post(
        f"/api/v1/matches/{run['id']}/accept/", json.dumps({"proposals": [row["id"]]}), "application/json"
    )
    assert taken.json() == {"projects": [Project.objects.get().code]}
    again = client.post(
        f"/api/v1/matches/{run['id']}/accept/", json.dumps({"proposals": [row["id"]]}), "application/json"
    )
    assert again.status_code == 409


def test_the_api_refuses_strangers_and_lookers(cast: Cast) -> None:
    run = a_run(cast)
    one = run.proposals.all()[0]
    body = json.dumps({"node": cast.a.node.code})
    chosen, reason = json.dumps({"proposals": [one.pk]}), json.dumps({"reason": "不要"})
    for user, status in ((cast.b.officer, 404), (cast.department, 403), (cast.a.liaison, 404)):
        client = signed_in(user)
        asked = client.post("/api/v1/matches/", body, "application/json").status_code
        assert asked == status, user
        assert client.post(f"/api/v1/matches/{run.pk}/accept/", chosen, "application/json").status_code == status
        refused = client.post(f"/api/v1/matches/proposals/{one.pk}/refuse/", reason, "application/json")
        assert refused.status_code == status
    assert MatchRun.objects.count() == 1 and not Project.objects.exists()
    assert set(MatchProposal.objects.values_list("state", flat=True)) == {"proposed"}
    client = signed_in(cast.a.officer)
    row = client.post(f"/api/v1/matches/proposals/{one.pk}/refuse/", reason, "application/json").json()
    assert (row["state"], row["reason"]) == ("refused", "不要")
