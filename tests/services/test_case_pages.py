"""Cases on the desk, on the phone and over the API: each shows as much as the person may know, and no more."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import User
from services import actions
from services.models import CaseEntry, CaseState, Help, HelpCase, HelpState
from tests import factories as make
from tests import weft_factories as weave
from tests.cast import Cast
from tests.factories import fresh
from tests.services.test_cases import asked, opened, taken
from tests.weft_factories import soon, today

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
TEXT = "房屋过火，急需过渡住处。"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user), backend="core.backends.PhoneBackend")
    return client


def body(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


# --- The phone --------------------------------------------------------------------------------------------------------


def test_who_is_asked_sees_what_is_wanted_and_reads_on_after_taking_it_on(cast: Cast) -> None:
    case = opened(cast)
    (row,) = asked(cast, case)
    client = signed_in(cast.a.liaison)
    assert "份邀请等您回应" in body(client.get("/m/me/"))
    page = body(client.get(f"/m/cases/{case.pk}/"))
    assert case.title in page and "临时救助金" in page and cast.a.node.name in page
    for hidden in (TEXT, cast.a.building.name, "邀请县住建局", "帮扶过程"):
        assert hidden not in page
    sent = {"due_on": soon().isoformat(), "text": "先发救助金", "version": row.version}
    answer = client.post(f"/m/cases/helps/{row.pk}/accept/", sent)
    assert answer.status_code == 302 and answer.headers["Location"] == f"/m/cases/{case.pk}/"
    page = body(client.get(f"/m/cases/{case.pk}/"))
    assert TEXT in page and cast.a.building.name in page and "先发救助金" in page
    assert "邀请县住建局" not in page, "who was asked is the community's alone"


def test_who_declines_is_led_to_the_list_and_finds_nothing_there(cast: Cast) -> None:
    case = opened(cast)
    (row,) = asked(cast, case)
    client = signed_in(cast.a.liaison)
    answer = client.post(f"/m/cases/helps/{row.pk}/decline/", {"version": row.version}, follow=True)
    assert "谢谢您回复" in body(answer) and case.title not in body(answer)
    assert client.get(f"/m/cases/{case.pk}/").status_code == 404
    assert client.get(f"/m/cases/helps/{row.pk}/report/").status_code == 404
    assert client.get("/m/cases/?over=1").status_code == 200


def test_what_a_unit_has_done_is_one_touch_away(cast: Cast) -> None:
    case = opened(cast)
    row = taken(cast, case)
    client = signed_in(cast.a.liaison)
    assert case.title in body(client.get("/m/cases/"))
    actions.finish_help(actor=fresh(cast.a.liaison), help=row, result="发放救助金")
    assert case.title not in body(client.get("/m/cases/"))
    assert case.title in body(client.get("/m/cases/?over=1"))


def test_a_colleague_was_quicker(cast: Cast) -> None:
    case = opened(cast)
    (row,) = asked(cast, case)
    client = signed_in(make.make_unit_person("另一联络员", cast.a.unit))
    actions.accept_help(actor=fresh(cast.a.liaison), help=row, due_on=soon())
    answer = client.post(f"/m/cases/helps/{row.pk}/decline/", {"version": row.version})
    assert answer.status_code == 409
    assert Help.objects.get().state == HelpState.HELPING


def test_staff_of_a_helping_unit_read_and_press_nothing(cast: Cast) -> None:
    case = opened(cast)
    row = taken(cast, case)
    client = signed_in(cast.a.staff)
    assert TEXT in body(client.get(f"/m/cases/{case.pk}/"))
    assert f"/m/cases/helps/{row.pk}/" not in body(client.get(f"/m/cases/{case.pk}/"))
    assert client.post(f"/m/cases/helps/{row.pk}/finish/", {"result": "好了"}).status_code == 403


def test_the_community_works_a_case_on_the_phone(cast: Cast) -> None:
    client = signed_in(cast.a.secretary)
    new = {"node": cast.a.building.path, "node_key": cast.a.building.pk, "title": "火灾", "text": TEXT}
    new |= {"consent": "written", "consent_on": today().isoformat(), "review_on": soon().isoformat()}
    answer = client.post("/m/cases/new/", {**new, "text": "打 13812345678"})
    assert answer.status_code == 400 and "不写能找到人的号码" in answer.content.decode()
    assert client.post("/m/cases/new/", new).status_code == 302
    case = HelpCase.objects.get()
    ask = {"units": [cast.a.unit.pk, cast.a.supporting_unit.pk], "kind": "grant", "wanted": "救助金"}
    assert client.post(f"/m/cases/{case.pk}/ask/", {**ask, "units": [], "version": 1}).status_code == 400
    assert client.post(f"/m/cases/{case.pk}/ask/", {**ask, "version": 1}).status_code == 302
    helps = list(Help.objects.order_by("pk"))
    assert [row.unit for row in helps] == [cast.a.unit, cast.a.supporting_unit]
    page = body(client.get(f"/m/cases/{case.pk}/"))
    assert f"/m/cases/helps/{helps[0].pk}/withdraw/" in page and "等" in page
    assert client.post(f"/m/cases/helps/{helps[0].pk}/withdraw/", {"version": 1}).status_code == 302
    close = {"result": "住下来了", "version": 1}
    assert "还有单位" in client.post(f"/m/cases/{case.pk}/close/", close).content.decode()
    assert client.post(f"/m/cases/{case.pk}/close/", {**close, "ended": [helps[1].pk]}).status_code == 302
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED
    assert "火灾" in body(client.get("/m/cases/?over=1"))


# --- The desk ---------------------------------------------------------------------------------------------------------


def test_the_desk_says_the_next_step_and_who_has_not_answered(cast: Cast) -> None:
    case = opened(cast)
    client = signed_in(cast.a.officer)
    page = body(client.get(f"/admin/services/helpcase/{case.pk}/change/"))
    assert "还没有单位帮，请邀请单位" in page
    (row,) = asked(cast, case)
    Help.objects.update(due_at=row.asked_at)
    page = body(client.get(f"/admin/services/helpcase/{case.pk}/change/"))
    assert "县住建局还没有回应，请另请单位" in page and TEXT in page
    assert "件个案等您办" in body(client.get("/admin/"))
    listed = body(client.get("/admin/services/helpcase/?next=1"))
    assert case.title in listed
    answer = client.post(f"/admin/services/help/{row.pk}/do/withdraw/", {"version": row.version})
    assert answer.status_code == 302
    assert Help.objects.get().state == HelpState.ENDED


def test_a_demand_gives_a_case_its_place_and_no_word_of_a_person(cast: Cast) -> None:
    demand = make.make_demand(cast.a.building, cast.category, title="张三家着火", text="请打 13812345678")
    client = signed_in(cast.a.officer)
    address = f"/admin/services/helpcase/add/?demand={demand.pk}"
    assert address in body(client.get(f"/admin/services/demand/{demand.pk}/change/"))
    page = body(client.get(address))
    assert demand.code in page and cast.a.building.path in page
    assert "张三" not in page and "1381234" not in page
    elsewhere = make.make_demand(cast.b.building, cast.category)
    assert elsewhere.code not in body(client.get(f"/admin/services/helpcase/add/?demand={elsewhere.pk}"))


def test_a_place_shows_its_cases_to_its_community_alone(cast: Cast) -> None:
    case = opened(cast)
    address = f"/admin/grids/gridnode/{cast.a.building.pk}/change/"
    assert case.title in body(signed_in(cast.a.officer).get(address))
    assert case.title not in body(signed_in(cast.street_officer).get(address))


def test_the_sheet_is_printed_by_the_community_alone(cast: Cast) -> None:
    case = opened(cast)
    taken(cast, case)
    answer = signed_in(cast.a.officer).get(reverse("places:case_sheet", args=[case.pk]))
    assert TEXT in body(answer) and answer.headers["Cache-Control"] == "no-store"
    assert signed_in(cast.a.liaison).get(reverse("places:case_sheet", args=[case.pk])).status_code == 403
    assert signed_in(cast.street_officer).get(reverse("places:case_sheet", args=[case.pk])).status_code == 404


def test_the_dashboard_counts_cases_and_names_none(cast: Cast) -> None:
    case = opened(cast)
    taken(cast, case)
    page = body(signed_in(cast.department).get("/dashboard/weft/"))
    assert "帮扶个案" in page and "帮完 0 项，在帮 1 项" in page and case.title not in page


# --- The API ----------------------------------------------------------------------------------------------------------


def test_the_api_gives_as_much_as_one_may_know(cast: Cast) -> None:
    case = opened(cast)
    (row,) = asked(cast, case)
    client = signed_in(cast.a.liaison)
    seen = client.get(f"/api/v1/cases/{case.pk}/").json()
    assert (seen["whole"], seen["text"], seen["node"], seen["entries"]) == (False, "", "", [])
    assert seen["place"] == cast.a.node.path and [one["id"] for one in seen["helps"]] == [row.pk]
    answer = client.post(
        f"/api/v1/helps/{row.pk}/accept/", {"due_on": soon().isoformat()}, content_type="application/json"
    )
    assert answer.json()["state"] == "helping"
    seen = client.get(f"/api/v1/cases/{case.pk}/").json()
    assert (seen["whole"], seen["text"], seen["node"]) == (True, TEXT, cast.a.building.code)
    assert [one["name"] for one in seen["entries"]] == ["accept", "open"]
    assert [one["id"] for one in client.get("/api/v1/helps/?state=helping").json()["results"]] == [row.pk]
    assert client.get("/api/v1/helps/?state=nonsense").status_code == 400


def test_the_api_opens_asks_and_closes(cast: Cast) -> None:
    client = signed_in(cast.a.officer)

    def post(address: str, data: dict[str, Any]) -> Any:
        return client.post(f"/api/v1/{address}", data, content_type="application/json")

    new = {"node": cast.a.building.code, "title": "火灾", "consent": "spoken", "consent_on": today().isoformat()}
    assert post("cases/", {**new, "title": "打 13812345678"}).json()["fields"].keys() == {"title"}
    pk = post("cases/", new).json()["id"]
    assert post(f"cases/{pk}/ask/", {"units": [cast.a.unit.pk], "kind": "job"}).status_code == 400
    assert post(f"cases/{pk}/ask/", {"units": [99999], "kind": "job", "wanted": "岗位"}).status_code == 400
    told = post(f"cases/{pk}/ask/", {"units": [cast.a.unit.pk], "kind": "job", "wanted": "岗位"}).json()
    (help_pk,) = [one["id"] for one in told["helps"]]
    assert post(f"cases/{pk}/close/", {"result": "好了"}).status_code == 400
    assert post(f"cases/{pk}/close/", {"result": "好了", "ended": [help_pk]}).json()["state"] == "closed"
    assert post(f"cases/{pk}/fly/", {}).status_code == 404


def test_a_few_cases_tell_the_kinds_of_help_to_their_community_alone(cast: Cast) -> None:
    for _number in range(2):
        weave.make_case(cast.a.building, cast.a.officer, cast.a.unit)
    above = signed_in(cast.department).get("/api/v1/cases/figures/").json()
    own = signed_in(cast.a.officer).get("/api/v1/cases/figures/").json()
    assert (above["open"], above["units"], above["kinds"]) == (2, 1, [])
    assert (own["open"], [row["helping"] for row in own["kinds"]]) == (2, [2])
    for _number in range(3):
        weave.make_case(cast.a.building, cast.a.officer)
    assert signed_in(cast.department).get("/api/v1/cases/figures/").json()["kinds"] != []


# --- Speed ------------------------------------------------------------------------------------------------------------


def many(cast: Cast, number: int) -> HelpCase:
    for _one in range(number):
        case = weave.make_case(cast.a.building, cast.a.officer, cast.a.unit, cast.a.supporting_unit)
        weave.make_help(case, cast.a.unit, kind="job", state="asked")
        CaseEntry.objects.create(case=case, name="note", title="社区记录", actor=cast.a.officer)
    return case


@pytest.mark.parametrize(
    ("name", "who", "address"),
    [
        ("admin.cases", "officer", "/admin/services/helpcase/"),
        ("admin.case", "officer", "/admin/services/helpcase/{pk}/change/"),
        ("mobile.cases", "liaison", "/m/cases/"),
        ("mobile.case", "liaison", "/m/cases/{pk}/"),
        ("api.cases", "liaison", "/api/v1/cases/"),
        ("api.case", "liaison", "/api/v1/cases/{pk}/"),
    ],
)
def test_pages_cost_the_same_whatever_the_rows(cast: Cast, name: str, who: str, address: str) -> None:
    pk = many(cast, 2).pk
    client = signed_in(getattr(cast.a, who))
    client.get(address.format(pk=pk))
    for _rows in range(2):
        with CaptureQueriesContext(connection) as found:
            assert client.get(address.format(pk=pk)).status_code == 200
        assert len(found) == COUNTS[name], [one["sql"][:120] for one in found.captured_queries]
        many(cast, 3)
