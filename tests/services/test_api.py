"""The API: the loop by the same people, strangers kept out, refusals clear and without effect."""

from typing import Any

import pytest
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from core.models import AuditEntry, User
from services.api import serializers as rows
from services.models import Assignment, Demand, DemandState
from tests.cast import Cast
from tests.services.test_loop import checked, dispatched, raised

pytestmark = pytest.mark.django_db


def client_of(user: User | None) -> APIClient:
    client = APIClient()
    if user is not None:
        key = Token.objects.get_or_create(user=user)[0].key
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return client


def post(user: User | None, path: str, **data: Any) -> Any:
    return client_of(user).post(f"/api/v1/{path}", data, format="json")


def step(user: User, demand: Demand, name: str, **data: Any) -> Any:
    answer = post(user, f"demands/{demand.code}/{name}/", **data)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_the_whole_loop_by_api(cast: Cast) -> None:
    a = cast.a
    answer = post(
        a.keeper, "demands/", node=a.building.code, category=cast.category.name, text="下水道堵了", origin="keeper"
    )
    assert answer.status_code == 201, answer.json()
    demand = Demand.objects.get(code=answer.json()["code"])
    step(a.officer, demand, "accept")
    step(a.officer, demand, "dispatch", unit=a.unit.pk, supporting=[a.supporting_unit.pk])
    step(a.liaison, demand, "sign", contacted=True)
    step(a.liaison, demand, "assign", members=[a.member.pk])
    step(a.member_user, demand, "take")
    step(a.member_user, demand, "report", text="已疏通")
    step(a.liaison, demand, "finish", text="疏通完毕")
    step(cast.department, demand, "supervise", reason="请加快核查")
    step(a.officer, demand, "answer_supervision", reason="今天核查")
    step(a.officer, demand, "check")
    step(a.officer, demand, "follow_up", reached=True, solved="yes", satisfaction="satisfied")
    done = step(a.secretary, demand, "close_off")
    assert done["state"] == "closed_off"
    page = client_of(a.officer).get(f"/api/v1/demands/{demand.code}/").json()
    assert page["solved"] is True
    assert [event["name"] for event in page["events"]][:3] == ["raise", "accept", "dispatch"]
    assert {row["unit_name"]: row["state"] for row in page["suborders"]} == {
        a.unit.name: "finished",
        a.supporting_unit.name: "dispatched",
    }, "closing the lead never cancels the others"


@pytest.mark.parametrize("role", ["b.secretary", "b.liaison", "b.keeper", "b.member", "idle_liaison", "nobody"])
def test_a_stranger_finds_nothing(cast: Cast, role: str) -> None:
    demand = raised(cast)
    stranger = cast.people()[role]
    client = client_of(stranger)
    assert client.get("/api/v1/demands/").json()["results"] == []
    assert client.get(f"/api/v1/demands/{demand.code}/").status_code == 404
    assert post(stranger, f"demands/{demand.code}/accept/").status_code == 404
    assert post(stranger, f"demands/{demand.code}/contact/", reason="看看").status_code == 404
    assert Demand.objects.get().version == 1


def test_without_a_key_nothing_opens(cast: Cast) -> None:
    demand = raised(cast)
    for path in ("demands/", f"demands/{demand.code}/", "places/", "units/", "members/", "me/", "categories/"):
        assert client_of(None).get(f"/api/v1/{path}").status_code == 401


def test_in_scope_but_not_allowed_is_403(cast: Cast) -> None:
    demand = raised(cast)
    answer = post(cast.a.keeper, f"demands/{demand.code}/accept/")
    assert answer.status_code == 403
    assert "受理" in answer.json()["message"]
    assert Demand.objects.get().state == DemandState.REGISTERED


def test_an_illegal_move_is_409_before_any_input_is_asked_for(cast: Cast) -> None:
    demand = raised(cast)
    answer = post(cast.a.officer, f"demands/{demand.code}/redo/")
    assert answer.status_code == 409
    assert answer.json()["code"] == "invalid_transition"


def test_a_stale_version_is_409(cast: Cast) -> None:
    demand = raised(cast)
    step(cast.a.officer, demand, "accept")
    answer = post(cast.a.officer, f"demands/{demand.code}/publish/", version=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert Demand.objects.get().state == DemandState.ACCEPTED


def test_a_missing_reason_is_400_and_named(cast: Cast) -> None:
    demand = raised(cast)
    answer = post(cast.a.officer, f"demands/{demand.code}/decline/")
    assert answer.status_code == 400
    assert "reason" in answer.json()["fields"]


def test_an_unknown_move_is_404(cast: Cast) -> None:
    demand = raised(cast)
    assert post(cast.a.officer, f"demands/{demand.code}/explode/").status_code == 404


@pytest.mark.parametrize("body", [[], [1], "text", {"unit": "x"}, {"unit": 10**12}, {"unit": None}, {"unit": {"a": 1}}])
def test_a_strange_body_is_400(cast: Cast, body: Any) -> None:
    demand = raised(cast)
    step(cast.a.officer, demand, "accept")
    client = client_of(cast.a.officer)
    answer = client.post(f"/api/v1/demands/{demand.code}/dispatch/", body, format="json")
    assert answer.status_code == 400, answer.content
    assert Demand.objects.get().state == DemandState.ACCEPTED


def test_a_unit_that_did_not_report_here_is_refused(cast: Cast) -> None:
    demand = raised(cast)
    step(cast.a.officer, demand, "accept")
    answer = post(cast.a.officer, f"demands/{demand.code}/dispatch/", unit=cast.b.unit.pk)
    assert answer.status_code == 400
    assert "unit" in answer.json()["fields"]


def test_the_later_claim_is_told_who_has_it(cast: Cast) -> None:
    demand = raised(cast)
    step(cast.a.officer, demand, "accept")
    step(cast.a.officer, demand, "publish")
    assert post(cast.b.liaison, f"demands/{demand.code}/claim/").status_code == 404
    step(cast.a.liaison, demand, "claim")
    answer = post(cast.a.supporting_liaison, f"demands/{demand.code}/claim/")
    assert answer.status_code == 409
    assert cast.a.unit.label in answer.json()["message"]


def test_a_keeper_raises_only_inside_the_own_grid(cast: Cast) -> None:
    body = {"category": cast.category.name, "text": "路灯不亮"}
    assert post(cast.a.keeper, "demands/", node=cast.b.building.code, **body).status_code == 404
    assert post(cast.a.keeper, "demands/", node=cast.a.node.code, **body).status_code in (403, 404)
    assert post(cast.a.keeper, "demands/", node=cast.a.building.code, **body).status_code == 201
    assert Demand.objects.count() == 1


def test_a_demand_sent_again_under_its_mark_is_raised_once(cast: Cast) -> None:
    body = {"category": cast.category.name, "text": "路灯不亮", "node": cast.a.building.code}
    codes = {post(cast.a.keeper, "demands/", once=mark, **body).json()["code"] for mark in ("a1", "a1", "a2")}
    assert len(codes) == Demand.objects.count() == 2
    answer = post(cast.a.keeper, "demands/", once="x" * 61, **body)
    assert answer.status_code == 400 and "once" in answer.json()["fields"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": "长" * 100_000}, "text"),
        ({"text": ""}, "text"),
        ({"category": "没有的类别"}, "category"),
        ({"contact_phone": "123"}, "contact_phone"),
        ({"origin": "resident"}, "origin"),
    ],
)
def test_bad_input_names_its_field(cast: Cast, change: dict[str, str], field: str) -> None:
    body = {"node": cast.a.building.code, "category": cast.category.name, "text": "路灯不亮", **change}
    answer = post(cast.a.keeper, "demands/", **body)
    assert answer.status_code == 400, answer.json()
    assert field in answer.json()["fields"]
    assert not Demand.objects.exists()


def test_contacts_are_masked_until_revealed(cast: Cast) -> None:
    demand = raised(cast, contact_name="张三", contact_phone="13900000001")
    client = client_of(cast.a.officer)
    page = client.get(f"/api/v1/demands/{demand.code}/").json()
    assert (page["contact_name"], page["contact_phone"]) == ("张*", "139****0001")
    assert "13900000001" not in client.get("/api/v1/demands/").content.decode()
    shown = post(cast.a.officer, f"demands/{demand.code}/contact/", reason="回电")
    assert shown.json()["phone"] == "13900000001"
    assert AuditEntry.objects.filter(action="demand.reveal_contact").count() == 1


def test_rows_are_as_the_schema_says(cast: Cast) -> None:
    demand = checked(cast)
    client = client_of(cast.a.officer)
    page = client.get(f"/api/v1/demands/{demand.code}/").json()
    assert set(page) == set(rows.DemandDetail().fields)
    assert set(page["suborders"][0]) == set(rows.SubOrderRow().fields)
    assert set(page["events"][0]) == set(rows.EventRow().fields)
    assert set(page["actions"][0]) == set(rows.ActionRow().fields)
    assert set(client.get("/api/v1/demands/").json()["results"][0]) == set(rows.DemandRow().fields)
    assert set(client.get("/api/v1/places/").json()["results"][0]) == set(rows.PlaceRow().fields)


def test_the_offered_actions_are_the_ones_that_work(cast: Cast) -> None:
    demand, _suborder = dispatched(cast)
    page = client_of(cast.a.liaison).get(f"/api/v1/demands/{demand.code}/").json()
    names = {action["name"] for action in page["actions"]}
    assert names == {"sign", "request_return"}
    on = next(action["on"] for action in page["actions"] if action["name"] == "sign")
    assert post(cast.a.liaison, f"demands/{demand.code}/sign/", on=on).status_code == 200
    assert not Assignment.objects.exists()


def test_filters(cast: Cast) -> None:
    raised(cast)
    client = client_of(cast.a.officer)
    assert client.get("/api/v1/demands/?state=registered").json()["count"] == 1
    assert client.get("/api/v1/demands/?state=closed_off").json()["count"] == 0
    assert client.get("/api/v1/demands/?since=yesterday").status_code == 400
    assert client.get("/api/v1/demands/?page=9").status_code == 404


def test_rows_say_on_whose_desk_a_demand_stands(cast: Cast) -> None:
    here, above = raised(cast), raised(cast)
    Demand.objects.filter(pk=above.pk).update(state="accepted", desk="street")
    client = client_of(cast.street_officer)
    found = {row["code"]: row for row in client.get("/api/v1/demands/").json()["results"]}
    assert (found[here.code]["desk"], found[here.code]["desk_label"]) == ("community", "社区")
    page = client.get(f"/api/v1/demands/{above.code}/").json()
    assert (page["desk"], page["desk_label"]) == ("street", "街道")
    narrowed = client.get("/api/v1/demands/?desk=street").json()["results"]
    assert [row["code"] for row in narrowed] == [above.code]
    assert client.get("/api/v1/demands/?desk=county").json()["count"] == 0
    wrong = client.get("/api/v1/demands/?desk=palace")
    assert (wrong.status_code, set(wrong.json()["fields"])) == (400, {"desk"})


def test_the_schema_and_its_page_open(cast: Cast) -> None:
    client = client_of(None)
    schema = client.get("/api/schema/", HTTP_ACCEPT="application/vnd.oai.openapi+json").json()
    assert "/api/v1/demands/{code}/{transition}/" in schema["paths"]
    assert client.get("/api/docs/").status_code == 200
