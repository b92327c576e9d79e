"""Demands in the admin: the loop's buttons, stale pages, strangers, several at once, the ledger, a call, a contact."""

import datetime
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from core.actors import RESIDENT
from core.models import AuditEntry, User
from services.actions import move, raise_demand
from services.models import Demand, DemandEvent, DemandState, Origin, SubOrder
from services.selectors.loop import actions_of, find_demand
from services.workflow import DEMAND
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
LIST = "/admin/services/demand/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def raised(cast: Cast, **fields: Any) -> Demand:
    values = {"node": cast.a.building, "category": cast.category, "text": "楼道灯坏了三天，晚上老人上下楼不方便。"}
    return raise_demand(actor=RESIDENT, origin=Origin.RESIDENT, **{**values, **fields})


def do(actor: User, target: Any, name: str, **data: Any) -> Demand:
    return move(actor=fresh(actor), target=target, name=name, data=data)


def page_url(demand: Demand) -> str:
    return reverse("admin:services_demand_change", args=[demand.pk])


def move_url(demand: Demand, name: str, on: str = "") -> str:
    return reverse("admin:services_demand_move", args=[demand.pk, name]) + (f"?on={on}" if on else "")


def version_on(page: HttpResponse) -> str:
    found = re.search(r'name="version" value="(\d+)"', page.content.decode())
    assert found
    return found[1]


def press(client: Client, demand: Demand, name: str, *, on: str = "", **data: Any) -> HttpResponse:
    """Opens a move's page and sends its form, as a person does."""
    page = client.get(move_url(demand, name, on))
    assert page.status_code == 200, page.content.decode()[:500]
    return client.post(move_url(demand, name, on), {"version": version_on(page), **data})


# --- The loop -------------------------------------------------------------------------------------------------------


def test_a_community_takes_a_demand_through_its_life(cast: Cast) -> None:
    demand = raised(cast)
    officer = signed_in(cast.a.officer)
    assert "受理" in officer.get(page_url(demand)).content.decode()
    assert press(officer, demand, "accept", category=cast.categories["环境卫生"].pk)["Location"] == page_url(demand)
    assert (
        press(officer, demand, "dispatch", unit=cast.a.unit.pk, supporting=[cast.a.supporting_unit.pk]).status_code
        == 302
    )
    lead = SubOrder.objects.get(unit=cast.a.unit)
    do(cast.a.liaison, lead, "sign")
    do(cast.a.liaison, lead, "report", text="正在办。")
    do(cast.a.liaison, lead, "finish", text="换了灯泡。")
    assert press(officer, demand, "check", note="看过了").status_code == 302
    assert press(officer, demand, "close_off").status_code == 302
    demand.refresh_from_db()
    assert demand.state == DemandState.CLOSED_OFF
    assert demand.category == cast.categories["环境卫生"]
    names = list(demand.events.values_list("name", flat=True))
    assert names == ["raise", "accept", "dispatch", "sign", "report", "finish", "check", "close_off"]
    page = officer.get(page_url(demand)).content.decode()
    for words in ("已销号", "换了灯泡。", "看过了", cast.a.unit.name, cast.a.supporting_unit.name):
        assert words in page


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("publish", {}),
        ("park", {"until": f"{timezone.localdate().year + 1}-03-05", "reason": "等春天修。"}),
        ("escalate", {"reason": "社区协调不了。"}),
        ("withdraw", {"reason": "居民自己解决了。"}),
    ],
)
def test_other_steps_of_an_accepted_demand(cast: Cast, name: str, data: dict[str, Any]) -> None:
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    assert press(signed_in(cast.a.officer), demand, name, **data).status_code == 302
    assert DemandEvent.objects.filter(demand=demand, name=name).exists()


def test_every_button_on_the_page_opens(cast: Cast) -> None:
    """Drawn from the table: whatever is offered in a state can be pressed, and nothing else stands there."""
    demand = raised(cast)
    steps: list[tuple[User, str, dict[str, Any]]] = [
        (cast.a.officer, "accept", {}),
        (cast.a.officer, "dispatch", {"unit": cast.a.unit}),
    ]
    for actor, name, data in [*steps, (cast.a.officer, "", {})]:
        for person in (cast.a.officer, cast.street_officer, cast.department):
            client = signed_in(person)
            page = client.get(page_url(demand)).content.decode()
            buttons = set(re.findall(rf'href="({re.escape(LIST)}{demand.pk}/move/[^"]+)"', page))
            user = fresh(person)
            offered = actions_of(user, find_demand(user, pk=demand.pk))
            assert buttons == {f"{LIST}{demand.pk}/move/{one.row.name}/?on={one.key}" for one in offered}
            for address in buttons:
                assert client.get(address).status_code == 200, address
        if name:
            do(actor, demand, name, **data)


def test_returns_and_extensions_are_decided_where_they_belong(cast: Cast) -> None:
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    do(cast.a.officer, demand, "dispatch", unit=cast.a.unit)
    lead = SubOrder.objects.get()
    do(cast.a.liaison, lead, "sign")
    until = timezone.localdate() + datetime.timedelta(days=40)
    do(cast.a.liaison, lead, "request_extension", until=until, reason="等配件")
    officer = signed_in(cast.a.officer)
    assert press(officer, demand, "approve_extension", on=f"suborder-{lead.pk}", note="同意").status_code == 302
    do(cast.a.liaison, lead, "request_extension", until=until + datetime.timedelta(days=30), reason="又等")
    refused = officer.get(move_url(demand, "approve_extension", f"suborder-{lead.pk}"))
    assert refused.status_code == 409
    assert "须由街道审核" in refused.content.decode()
    street = signed_in(cast.street_officer)
    assert press(street, demand, "reject_extension", on=f"suborder-{lead.pk}", reason="抓紧").status_code == 302
    assert "抓紧" in officer.get(page_url(demand)).content.decode()


def test_supervision_goes_out_and_the_community_answers(cast: Cast) -> None:
    demand = raised(cast)
    assert press(signed_in(cast.department), demand, "supervise", reason="请尽快受理。").status_code == 302
    officer = signed_in(cast.a.officer)
    assert "督办中" in officer.get(page_url(demand)).content.decode()
    assert press(officer, demand, "answer_supervision", reason="今天受理。").status_code == 302
    demand.refresh_from_db()
    assert demand.supervised_at is None


# --- What is refused ------------------------------------------------------------------------------------------------


def test_an_old_page_gets_a_409_that_shows_how_things_are(cast: Cast) -> None:
    demand = raised(cast)
    officer = signed_in(cast.a.officer)
    old = version_on(officer.get(move_url(demand, "accept")))
    do(cast.a.secretary, demand, "accept")
    answer = officer.post(move_url(demand, "accept"), {"version": old})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "已受理" in page
    assert cast.a.secretary.name in page, "who was faster"
    assert page_url(demand) in page
    # The same step is still open, but the page is old: nothing is overwritten.
    old = version_on(officer.get(move_url(demand, "publish")))
    do(cast.a.secretary, demand, "park", until=timezone.localdate() + datetime.timedelta(days=9), reason="等天暖")
    assert officer.post(move_url(demand, "publish"), {"version": old}).status_code == 409
    demand.refresh_from_db()
    assert (demand.state, demand.events.count()) == (DemandState.ACCEPTED, 3)


def test_a_missing_reason_is_asked_for_beside_its_field(cast: Cast) -> None:
    demand = raised(cast)
    answer = press(signed_in(cast.a.officer), demand, "decline", reason=" ")
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.content.decode()
    demand.refresh_from_db()
    assert demand.version == 1


def test_a_unit_that_has_not_reported_here_can_not_be_chosen(cast: Cast) -> None:
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    answer = press(signed_in(cast.a.officer), demand, "dispatch", unit=cast.b.unit.pk)
    assert answer.status_code == 400
    assert not SubOrder.objects.exists()


def test_a_refusal_of_the_action_stands_in_the_form(cast: Cast) -> None:
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    answer = press(signed_in(cast.a.officer), demand, "park", until="2020-01-01", reason="修路")
    assert answer.status_code == 400
    assert "太早。" in answer.content.decode()


@pytest.mark.parametrize("name", [row.name for row in DEMAND.transitions if row.right])
def test_strangers_find_nothing(cast: Cast, name: str) -> None:
    demand = raised(cast)
    for stranger in (cast.b.secretary, cast.other_street_officer, cast.other_county_department):
        client = signed_in(stranger)
        for address in (page_url(demand), move_url(demand, name)):
            assert client.get(address).status_code == 404
        assert client.post(move_url(demand, name), {"version": 1, "reason": "x"}).status_code == 404
    demand.refresh_from_db()
    assert demand.version == 1


def test_in_sight_without_the_right_is_403(cast: Cast) -> None:
    demand = raised(cast)
    for person in (cast.department, cast.street_officer):
        client = signed_in(person)
        assert client.get(move_url(demand, "accept")).status_code == 403
        assert client.post(move_url(demand, "accept"), {"version": 1}).status_code == 403
    assert signed_in(cast.admin).get(page_url(demand)).status_code == 403
    assert Demand.objects.get().state == DemandState.REGISTERED


def test_an_unknown_step_and_an_unknown_object_are_404(cast: Cast) -> None:
    demand = raised(cast)
    client = signed_in(cast.a.officer)
    assert client.get(move_url(demand, "delete")).status_code == 404
    assert client.get(move_url(demand, "accept", "suborder-999")).status_code == 404
    assert client.get(f"{LIST}999999/change/").status_code == 404


# --- Several at once ------------------------------------------------------------------------------------------------


def test_several_are_accepted_and_the_others_named_with_their_reason(cast: Cast) -> None:
    fine, other, done = raised(cast), raised(cast, text="井盖坏了。"), raised(cast, text="垃圾没人清。")
    strange = raised(cast, node=cast.b.building, text="邻居的事。")
    do(cast.a.officer, done, "accept")
    client = signed_in(cast.a.officer)
    ids = [fine.pk, other.pk, done.pk, strange.pk]
    chosen = client.post(LIST, {"action": "accept_chosen", "index": 0, "_selected_action": ids})
    assert chosen.status_code == 302
    page = client.get(chosen["Location"]).content.decode()
    assert "将办理 2 条" in page
    assert "这些不能这样办理" in page
    assert strange.code not in page
    do(cast.a.secretary, other, "accept")
    sent = {"id": ids, f"version-{fine.pk}": 1, f"version-{other.pk}": 1, f"version-{strange.pk}": 1}
    answer = client.post(reverse("admin:services_demand_bulk", args=["accept"]), sent).content.decode()
    assert "受理 1 条，已办好" in answer
    assert "有 2 条没有办理" in answer
    assert [Demand.objects.get(pk=pk).version for pk in ids] == [2, 2, 2, 1]


def test_several_are_dispatched_with_one_form_each_through_its_own_move(cast: Cast) -> None:
    demands = [raised(cast, text=f"第 {number} 件。") for number in range(3)]
    for demand in demands:
        do(cast.a.officer, demand, "accept")
    client = signed_in(cast.a.officer)
    address = reverse("admin:services_demand_bulk", args=["dispatch"])
    versions = {f"version-{demand.pk}": 2 for demand in demands}
    versions[f"version-{demands[2].pk}"] = 1
    sent = {"id": [demand.pk for demand in demands], **versions, "unit": cast.a.unit.pk, "note": "一并办理"}
    answer = client.post(address, {**sent, "supporting": [cast.a.supporting_unit.pk]})
    assert "派单 2 条，已办好" in answer.content.decode()
    assert SubOrder.objects.filter(demand__in=demands[:2]).count() == 4
    assert not SubOrder.objects.filter(demand=demands[2]).exists(), "nothing half done"
    # A unit of the neighbours is not on offer.
    answer = client.post(address, {**sent, "unit": cast.b.unit.pk, f"version-{demands[2].pk}": 2})
    assert answer.status_code == 400
    assert not SubOrder.objects.filter(demand=demands[2]).exists()


def test_only_those_who_may_see_the_bulk_pages(cast: Cast) -> None:
    address = reverse("admin:services_demand_bulk", args=["accept"])
    assert signed_in(cast.department).get(address).status_code == 403
    assert signed_in(cast.a.officer).get(reverse("admin:services_demand_bulk", args=["close_off"])).status_code == 404
    listed = signed_in(cast.department).get(LIST)
    assert "受理所选" not in listed.content.decode()


# --- A call, a contact, pictures ------------------------------------------------------------------------------------


def test_a_call_is_registered_in_one_form(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    sent = {
        "node": "1 号楼",
        "category": cast.category.pk,
        "text": "三楼漏水。",
        "contact_name": "李四",
        "contact_phone": "13800003333",
    }
    # Building, entrance and floor all answer to these words: the person is asked which.
    asked = client.post(f"{LIST}add/", sent)
    assert asked.status_code == 200
    assert f'name="node_key" value="{cast.a.building.pk}"' in asked.content.decode()
    answer = client.post(f"{LIST}add/", {**sent, "node_key": cast.a.building.pk})
    demand = Demand.objects.get()
    assert answer["Location"] == page_url(demand)
    assert (demand.origin, demand.node, demand.raised_by) == (Origin.PHONE, cast.a.building, cast.a.officer)


def test_a_call_from_elsewhere_is_not_registered(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    for place in (cast.b.building.path, cast.street.path):
        answer = client.post(f"{LIST}add/", {"node": place, "category": cast.category.pk, "text": "漏水。"})
        assert answer.status_code == 200
        assert 'aria-invalid="true"' in answer.content.decode() or "没有找到" in answer.content.decode()
    assert not Demand.objects.exists()


def test_a_bad_number_is_told_beside_its_field(cast: Cast) -> None:
    sent = {"node": cast.a.building.path, "category": cast.category.pk, "text": "漏水。", "contact_phone": "123"}
    answer = signed_in(cast.a.officer).post(f"{LIST}add/", sent)
    assert "请填写 11 位手机号码" in answer.content.decode()
    assert not Demand.objects.exists()


def test_a_contact_is_masked_until_a_reason_is_given(cast: Cast) -> None:
    demand = raised(cast, contact_name="张三丰", contact_phone="13800002222")
    client = signed_in(cast.a.officer)
    page = client.get(page_url(demand)).content.decode()
    assert "13800002222" not in page
    assert "138****2222" in page
    address = reverse("admin:services_demand_contact", args=[demand.pk])
    assert "13800002222" not in client.get(address).content.decode()
    assert client.post(address, {"why": "other"}).status_code == 400
    shown = client.post(address, {"why": "call"})
    assert "13800002222" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    entry = AuditEntry.objects.get(action="demand.reveal_contact")
    assert (entry.actor, entry.reason) == (cast.a.officer, "联系居民，了解情况")
    for person, status in ((cast.department, 403), (cast.b.secretary, 404)):
        assert signed_in(person).post(address, {"why": "call"}).status_code == status
    assert AuditEntry.objects.filter(action="demand.reveal_contact").count() == 1


def test_pictures_of_the_timeline_lead_to_the_guarded_door(cast: Cast) -> None:
    content = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(content, "JPEG")
    demand = raised(cast, photos=[SimpleUploadedFile("a.jpg", content.getvalue(), content_type="image/jpeg")])
    client = signed_in(cast.a.officer)
    page = client.get(page_url(demand)).content.decode()
    addresses = re.findall(r'href="(/files/[^"]+)"', page)
    assert addresses
    assert client.get(addresses[0]).status_code == 200
    assert signed_in(cast.b.secretary).get(addresses[0]).status_code == 404


# --- The list -------------------------------------------------------------------------------------------------------


def codes_of(client: Client, query: str) -> set[str]:
    page = client.get(f"{LIST}{query}")
    assert page.status_code == 200, query
    return set(re.findall(r'<span class="cell-under">([^<]+)</span>', page.content.decode()))


def test_filters_narrow_the_list(cast: Cast) -> None:
    plain = raised(cast)
    accepted = raised(cast, node=cast.a.other_building, text="井盖坏了。", category=cast.categories["环境卫生"])
    do(cast.a.officer, accepted, "accept")
    late = raised(cast, text="停水。")
    do(cast.a.officer, late, "accept")
    do(cast.a.officer, late, "dispatch", unit=cast.a.unit)
    Demand.objects.filter(pk=late.pk).update(due_at=timezone.now() - datetime.timedelta(hours=1))
    client = signed_in(cast.a.officer)
    everything = {plain.code, accepted.code, late.code}
    assert codes_of(client, "") == everything
    assert codes_of(client, "?state=accepted") == {accepted.code}
    assert codes_of(client, "?state=open") == everything
    assert codes_of(client, "?light=late") == {late.code}
    assert codes_of(client, "?light=soon") == set()
    assert codes_of(client, f"?category={cast.categories['环境卫生'].pk}") == {accepted.code}
    assert codes_of(client, f"?unit={cast.a.unit.pk}") == {late.code}
    assert codes_of(client, f"?place={cast.a.grid.pk}") == everything
    assert codes_of(client, f"?place={cast.b.node.pk}") == everything, "a place out of sight filters nothing"
    assert codes_of(client, "?origin=phone") == set()
    assert codes_of(client, "?wait=me") == {plain.code, accepted.code}
    assert codes_of(client, f"?period={timezone.localdate():%Y-%m}") == everything
    assert codes_of(client, "?q=井盖") == {accepted.code}
    assert codes_of(client, f"?q={late.code}") == {late.code}
    assert codes_of(client, "?q=2 号楼") == {accepted.code}
    assert codes_of(client, "?state=nonsense") == everything


def test_the_street_filters_by_community(cast: Cast) -> None:
    ours, theirs = raised(cast), raised(cast, node=cast.b.building)
    client = signed_in(cast.street_officer)
    assert codes_of(client, "") == {ours.code, theirs.code}
    assert codes_of(client, f"?place={cast.b.node.pk}") == {theirs.code}


def test_a_hostile_text_is_shown_as_text(cast: Cast) -> None:
    demand = raised(cast, text="<script>alert(1)</script>")
    client = signed_in(cast.a.officer)
    for address in (LIST, page_url(demand), move_url(demand, "accept"), "/admin/"):
        assert "<script>alert" not in client.get(address).content.decode()


# --- Statements -----------------------------------------------------------------------------------------------------


def counted(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


def test_statements_of_the_list_and_the_page_are_pinned(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    demands = [raised(cast, text=f"第 {number} 件。") for number in range(12)]
    demand = demands[0]
    do(cast.a.officer, demand, "accept")
    do(cast.a.officer, demand, "dispatch", unit=cast.a.unit, supporting=[cast.a.supporting_unit])
    lead = SubOrder.objects.get(unit=cast.a.unit)
    do(cast.a.liaison, lead, "sign")
    do(cast.a.liaison, lead, "assign", members=[cast.a.member, cast.a.second_member])
    do(cast.a.officer, demands[1], "accept")
    pages = {"admin.demands": LIST, "admin.demand": page_url(demand), "admin.move": move_url(demands[1], "dispatch")}
    found = {name: counted(client, address) for name, address in pages.items()}
    assert found == {name: COUNTS[name] for name in pages}
