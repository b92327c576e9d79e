"""`/m/`: each step of a demand by the person whose step it is, on the phone; strangers, old pages and slips of the hand."""

import datetime
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry, User
from core.uploads import MEGABYTE
from services.models import Assignment, Demand, DemandEvent, DemandState, Photo, SubOrder, SubOrderState
from tests import factories as make
from tests.cast import Cast
from tests.services.test_loop import checked, dispatched, do, in_service, raised
from tests.services.test_resident import picture, text_of
from tests.weft_factories import make_commitment, make_member_checkin, soon

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def address(demand: Demand, name: str = "", on: Any = None) -> str:
    found = f"/m/demands/{demand.code}/" + (f"{name}/" if name else "")
    return found + (f"?on={on._meta.model_name}-{on.pk}" if on is not None else "")


def press(person: User, demand: Demand, name: str, on: Any = None, **data: Any) -> Any:
    """What the phone does: opens the form behind the button and sends it, with the version that stands in it."""
    client = signed_in(person)
    form = client.get(address(demand, name, on))
    if form.status_code != 200:
        return form
    version = re.search(r'name="version" value="(\d+)"', text_of(form))
    assert version is not None
    return client.post(address(demand, name, on), {"version": version[1], **data})


def cards(response: Any) -> list[str]:
    return [card.title for group in response.context["groups"] for card in group.cards]


def buttons(response: Any) -> list[str]:
    return [button.label for button in response.context["buttons"]]


# --- Each step by its person ----------------------------------------------------------------------------------------


def test_a_demand_is_served_from_the_phone(cast: Cast) -> None:
    a = cast.a
    demand = raised(cast)
    assert press(a.officer, demand, "accept").status_code == 302
    given = press(a.officer, demand, "dispatch", unit=a.unit.pk, supporting=[a.supporting_unit.pk], note="请尽快")
    assert given["Location"] == address(demand)
    order = demand.suborders.get(unit=a.unit)
    assert press(a.liaison, demand, "sign", order, contacted="on").status_code == 302
    assert press(a.liaison, demand, "assign", order, members=[a.member.pk, a.second_member.pk]).status_code == 302
    mine, theirs = Assignment.objects.order_by("pk")
    assert press(a.member_user, demand, "take", mine).status_code == 302
    declined = press(a.second_member_user, demand, "pass_up", theirs)
    assert declined["Location"] == "/m/", "who declines no longer knows of the matter"
    assert press(a.member_user, demand, "report", order, text="阀门已换", photos=[picture()]).status_code == 302
    assert press(a.liaison, demand, "finish", order, text="已修好", photos=[picture()]).status_code == 302
    assert press(a.officer, demand, "check", note="看过").status_code == 302
    assert press(a.secretary, demand, "close_off").status_code == 302
    demand.refresh_from_db()
    assert demand.state == DemandState.CLOSED_OFF
    assert Photo.objects.count() == 2
    entry = AuditEntry.objects.filter(action="suborder.report").get()
    assert entry.origin.startswith("手机")


def test_cards_of_the_first_page_are_each_persons_own(cast: Cast) -> None:
    demand, suborder = dispatched(cast)
    page = signed_in(cast.a.liaison).get("/m/")
    assert cards(page) == [demand.title]
    card = page.context["groups"][0].cards[0]
    assert (card.chips[0].label, card.clock.colour) == ("待签收", "green")
    assert card.clock.left.startswith("签收还剩")
    assert [(button.label, button.kind) for button in card.buttons] == [("签收", "main")]
    for other in (cast.a.supporting_liaison, cast.b.liaison, cast.a.member_user, cast.idle_liaison, cast.a.staff):
        assert cards(signed_in(other).get("/m/")) == []
    do(cast.a.liaison, suborder, "sign")
    do(cast.a.liaison, suborder, "assign", members=[cast.a.member])
    asked = signed_in(cast.a.member_user).get("/m/")
    assert cards(asked) == [demand.title]
    assert [button.label for button in asked.context["groups"][0].cards[0].buttons] == ["接受", "婉拒"]
    assert cards(signed_in(cast.a.second_member_user).get("/m/")) == []


def test_after_taking_a_member_is_offered_to_report(cast: Cast) -> None:
    in_service(cast)
    card = signed_in(cast.a.member_user).get("/m/").context["groups"][0].cards[0]
    assert [button.label for button in card.buttons] == ["反馈进展"]


def test_a_community_sees_what_waits_for_it_and_the_street_what_was_escalated(cast: Cast) -> None:
    demand = raised(cast)
    officer = signed_in(cast.a.officer)
    card = officer.get("/m/").context["groups"][0].cards[0]
    assert [button.label for button in card.buttons] == ["受理"]
    for other in (cast.b.officer, cast.street_officer, cast.a.keeper, cast.department):
        assert cards(signed_in(other).get("/m/")) == []
    do(cast.a.officer, demand, "accept")
    do(cast.a.officer, demand, "escalate", reason="涉及两个社区")
    street = signed_in(cast.street_officer).get("/m/")
    assert [button.label for card in street.context["groups"][0].cards for button in card.buttons] == ["派单"]
    do(cast.a.officer, demand, "dispatch", unit=cast.a.unit)
    assert cards(officer.get("/m/")) == []
    do(cast.a.liaison, demand.suborders.get(), "request_return", reason="不归我们")
    assert cards(officer.get("/m/")) == [demand.title]


def test_what_is_parked_waits_for_its_date(cast: Cast) -> None:
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    do(cast.a.officer, demand, "park", until=timezone.localdate() + datetime.timedelta(days=30), reason="等开春施工")
    officer = signed_in(cast.a.officer)
    assert cards(officer.get("/m/")) == []
    listed = officer.get("/m/lists/").context["cards"][0]
    assert listed.clock.left.startswith("挂账至")


def test_the_most_urgent_stands_first_and_lateness_is_said_in_words(cast: Cast) -> None:
    first, _one = dispatched(cast)
    second = raised(cast, text="第二件事")
    do(cast.a.officer, second, "accept")
    do(cast.a.officer, second, "dispatch", unit=cast.a.unit)
    past = timezone.now() - datetime.timedelta(days=2, hours=1)
    SubOrder.objects.filter(demand=second).update(due_at=past)
    page = signed_in(cast.a.liaison).get("/m/")
    assert cards(page) == ["第二件事", first.title]
    assert "超期 2 天" in text_of(page)
    assert "已超期" in text_of(page)


def test_the_bar_counts_what_waits(cast: Cast) -> None:
    dispatched(cast)
    make_commitment(cast.a.unit, cast.a.node, due_on=soon(-1))  # waits behind a way, which has a number of its own
    client = signed_in(cast.a.liaison)
    for page in ("/m/", "/m/lists/", "/m/me/"):
        assert client.get(page).context["todo_count"] == 1
    assert signed_in(cast.a.staff).get("/m/me/").context["todo_count"] == 0


def test_empty_pages_say_what_to_do_next(cast: Cast) -> None:
    make_member_checkin(cast.a.member, cast.a.compound)
    for person, words in (
        (cast.a.liaison, "看可认领的需求"),
        (cast.a.keeper, "上报一件事"),
        (cast.a.staff, "看本单位的派单"),
        (cast.a.member_user, "接受或婉拒都可以"),
    ):
        page = text_of(signed_in(person).get("/m/"))
        assert "没有等您办的事" in page
        assert words in page


# --- The object page ------------------------------------------------------------------------------------------------


def test_buttons_are_those_of_the_table_for_this_person(cast: Cast) -> None:
    demand, suborder = in_service(cast)
    page = signed_in(cast.a.liaison).get(address(demand))
    assert buttons(page)[0] == "办结"
    assert set(buttons(page)) == {"办结", "安排人员", "反馈进展", "申请延期"}
    kinds = [button.kind for button in page.context["buttons"]]
    assert kinds == sorted(kinds, key=["main", "plain", "danger"].index)
    assert kinds.count("main") == 1
    for button in page.context["buttons"]:
        assert signed_in(cast.a.liaison).get(button.url).status_code == 200
    assert buttons(signed_in(cast.a.staff).get(address(demand))) == ["反馈进展"]
    assert buttons(signed_in(cast.a.keeper).get(address(demand))) == []
    assert f"on=suborder-{suborder.pk}" in page.context["buttons"][0].url


def test_two_buttons_of_one_word_say_whose_they_are(cast: Cast) -> None:
    demand, suborder = dispatched(cast, supporting=[cast.a.supporting_unit])
    do(cast.a.liaison, suborder, "request_return", reason="不归我们")
    do(cast.a.supporting_liaison, demand.suborders.get(unit=cast.a.supporting_unit), "request_return", reason="也不归")
    page = text_of(signed_in(cast.a.officer).get(address(demand)))
    assert "同意退单（县住建局）" in page
    assert "同意退单（县水务局）" in page


def test_strangers_find_nothing(cast: Cast) -> None:
    demand, suborder = in_service(cast)
    strangers = (
        cast.b.liaison,
        cast.b.keeper,
        cast.b.officer,
        cast.b.member_user,
        cast.a.supporting_liaison,
        cast.a.second_member_user,
        cast.idle_liaison,
        cast.other_county_secretary,
        cast.other_street_officer,
    )
    before = Demand.objects.get().version
    for stranger in strangers:
        client = signed_in(stranger)
        for path in (address(demand), address(demand, "report", suborder), address(demand, "contact")):
            response = client.get(path)
            assert response.status_code == 404, (stranger, path)
            assert demand.title not in text_of(response)
        posted = client.post(address(demand, "finish", suborder), {"version": "1", "text": "我来办结"})
        assert posted.status_code == 404, stranger
        assert cards(client.get("/m/")) == []
        assert demand.title not in text_of(client.get("/m/lists/?all=1"))
    assert Demand.objects.get().version == before


def test_an_unknown_code_and_a_strangers_matter_look_the_same(cast: Cast) -> None:
    demand = raised(cast)
    client = signed_in(cast.b.officer)
    pages = [text_of(client.get(f"/m/demands/{code}/")) for code in (demand.code, "20260101-000000")]
    assert len({re.sub(r"\d{8}-\d{6}", "", page) for page in pages}) == 1


def test_whoever_is_not_signed_in_is_asked_to(client: Client, cast: Cast) -> None:
    demand = raised(cast)
    for path in ("/m/", "/m/report/", "/m/lists/", "/m/me/", address(demand), address(demand, "accept")):
        response = client.get(path)
        assert response.status_code == 302
        assert response["Location"] == f"/accounts/login/?next={path}"


def test_whoever_has_no_work_on_the_phone_is_led_to_their_own_face(cast: Cast) -> None:
    for person in (cast.nobody, cast.admin, cast.auditor, cast.superuser):
        assert signed_in(person).get("/m/")["Location"] == "/home/"


# --- Refusals -------------------------------------------------------------------------------------------------------


def test_an_old_page_changes_nothing_and_leads_to_the_latest(cast: Cast) -> None:
    demand, suborder = in_service(cast)
    client = signed_in(cast.a.liaison)
    old = SubOrder.objects.get().version
    do(cast.a.member_user, suborder, "report", text="刚到现场")
    response = client.post(address(demand, "finish", suborder), {"version": old, "text": "抢着办结"})
    assert response.status_code == 409
    assert "已经不是最新的" in text_of(response)
    assert f'href="{address(demand)}"' in text_of(response)
    assert SubOrder.objects.get().state == SubOrderState.IN_SERVICE
    assert not DemandEvent.objects.filter(name="finish").exists()


def test_a_move_that_is_over_shows_no_form(cast: Cast) -> None:
    demand, suborder = in_service(cast)
    response = signed_in(cast.a.liaison).get(address(demand, "sign", suborder))
    assert response.status_code == 409
    assert "服务中" in text_of(response)


def test_a_guarded_move_shows_no_form_but_the_reason(cast: Cast) -> None:
    demand, suborder = dispatched(cast, designated=True)
    response = signed_in(cast.a.liaison).get(address(demand, "request_return", suborder))
    assert response.status_code == 409
    assert "指定承办的单位不能退单" in text_of(response)


def test_in_scope_but_without_the_right_is_forbidden(cast: Cast) -> None:
    demand = raised(cast)
    client = signed_in(cast.a.keeper)
    for response in (client.get(address(demand, "accept")), client.post(address(demand, "accept"), {"version": "1"})):
        assert response.status_code == 403
        assert "受理" in text_of(response)
        assert 'href="/m/"' in text_of(response)
    assert Demand.objects.get().state == DemandState.REGISTERED


@pytest.mark.parametrize("name", ["nonsense", "evaluate", "delete"])
def test_a_move_in_no_table_or_not_for_people_is_none(cast: Cast, name: str) -> None:
    demand = checked(cast)
    assert signed_in(cast.a.secretary).get(address(demand, name)).status_code in (403, 404)
    posted = signed_in(cast.a.secretary).post(address(demand, name), {"version": "1"})
    assert posted.status_code in (403, 404)


def test_one_object_is_not_moved_by_the_name_of_another(cast: Cast) -> None:
    demand, _suborder = in_service(cast)
    other, strange = dispatched(cast)
    response = signed_in(cast.a.liaison).post(address(demand, "sign", strange), {"version": "1"})
    assert response.status_code == 404
    assert SubOrder.objects.get(pk=strange.pk).state == SubOrderState.DISPATCHED
    assert other.pk != demand.pk


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        ({"text": ""}, 400, "请填写“进展”。"),
        ({"text": "字" * 100_000}, 400, "最多 2000 字，现在有 100000 字"),
        ({"text": "到了", "photos": [(b"%PDF-1.4", "现场.jpg")]}, 400, "这是 PDF 文件"),
        ({"text": "到了", "photos": [(b"\xff\xd8" + b"0" * (50 * MEGABYTE), "大.jpg")]}, 413, "不能超过 10 MB"),
    ],
    ids=["empty", "long", "pdf", "50MB"],
)
def test_a_slip_of_the_hand_is_said_and_keeps_what_was_typed(
    cast: Cast, data: dict[str, Any], status: int, words: str
) -> None:
    demand, suborder = in_service(cast)
    given = {**data, "photos": [picture(*one) for one in data.get("photos", [])]}
    response = press(cast.a.member_user, demand, "report", suborder, **given)
    assert response.status_code == status
    assert words in text_of(response)
    assert not DemandEvent.objects.filter(name="report").exists()
    assert not Photo.objects.exists()
    if "到了" in data["text"]:
        assert "到了</textarea>" in text_of(response)
        assert "请重新选一次" in text_of(response)


def test_a_reason_is_asked_for(cast: Cast) -> None:
    demand, suborder = dispatched(cast)
    response = press(cast.a.liaison, demand, "request_return", suborder)
    assert response.status_code == 400
    assert SubOrder.objects.get().state == SubOrderState.DISPATCHED


def test_only_units_of_the_place_can_be_chosen(cast: Cast) -> None:
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    response = press(cast.a.officer, demand, "dispatch", unit=cast.b.unit.pk)
    assert response.status_code == 400
    assert not SubOrder.objects.exists()


def test_an_assignment_with_nobody_left_says_so(cast: Cast) -> None:
    demand, suborder = dispatched(cast)
    do(cast.a.liaison, suborder, "sign")
    do(cast.a.liaison, suborder, "assign", members=[cast.a.member, cast.a.second_member])
    page = text_of(signed_in(cast.a.liaison).get(address(demand, "assign", suborder)))
    assert "都已经安排过" in page
    assert "data-draft=" not in page


# --- Claiming -------------------------------------------------------------------------------------------------------


def published(cast: Cast, **fields: Any) -> Demand:
    demand = raised(cast, **fields)
    do(cast.a.officer, demand, "accept")
    return do(cast.a.officer, demand, "publish")


def test_liaisons_of_the_place_find_and_claim_what_is_published(cast: Cast) -> None:
    demand = published(cast)
    for person, labels in ((cast.a.liaison, ["认领"]), (cast.a.supporting_liaison, ["认领"]), (cast.a.staff, [])):
        listed = signed_in(person).get("/m/lists/?list=offered").context["cards"]
        assert [card.title for card in listed] == [demand.title]
        assert [button.label for button in listed[0].buttons] == labels
    for stranger in (cast.b.liaison, cast.idle_liaison):
        assert signed_in(stranger).get("/m/lists/?list=offered").context["cards"] == []
    assert press(cast.a.staff, demand, "claim").status_code == 403
    assert press(cast.a.liaison, demand, "claim").status_code == 302
    assert Demand.objects.get().lead_unit == cast.a.unit


def test_a_unit_that_may_only_claim_sees_the_matter_and_not_the_contact(cast: Cast) -> None:
    demand = published(cast, contact_name="张三丰", contact_phone="13912345678")
    client = signed_in(cast.a.liaison)
    page = text_of(client.get(address(demand)))
    assert demand.text in page
    for hidden in ("139****5678", "张*丰", "timeline", "两委甲"):
        assert hidden not in page
    assert client.get(address(demand, "contact")).status_code == 403


def test_the_second_liaison_is_told_who_has_it(cast: Cast) -> None:
    demand = published(cast)
    second = signed_in(cast.a.supporting_liaison)
    assert second.get(address(demand, "claim")).status_code == 200
    press(cast.a.liaison, demand, "claim")
    response = second.post(address(demand, "claim"), {"version": str(demand.version)})
    assert response.status_code == 409
    assert "已由“县住建局”承办" in text_of(response)
    assert SubOrder.objects.count() == 1


def test_of_two_liaisons_at_once_exactly_one_wins(transactional_cast: Cast) -> None:
    cast = transactional_cast
    demand = published(cast)
    people = [signed_in(cast.a.liaison), signed_in(cast.a.supporting_liaison)]
    ready = threading.Barrier(2)
    answers: list[int] = []

    def claim(client: Client) -> None:
        ready.wait()
        try:
            answers.append(client.post(address(demand, "claim"), {"version": str(demand.version)}).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=claim, args=[client]) for client in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [302, 409]
    assert SubOrder.objects.count() == 1


# --- Contact --------------------------------------------------------------------------------------------------------


def test_a_contact_is_shown_after_a_reason_and_written_down(cast: Cast) -> None:
    demand = raised(cast, contact_name="张三丰", contact_phone="13912345678")
    client = signed_in(cast.a.officer)
    page = text_of(client.get(address(demand)))
    assert "张*丰 139****5678" in page
    assert address(demand, "contact") in page
    assert "13912345678" not in text_of(client.get(address(demand, "contact")))
    for bad in ({}, {"why": "other"}, {"why": "nonsense"}):
        refused = client.post(address(demand, "contact"), bad)
        assert refused.status_code == 400
        assert "13912345678" not in text_of(refused)
    assert not AuditEntry.objects.filter(action="demand.reveal_contact").exists()
    shown = client.post(address(demand, "contact"), {"why": "visit", "note": "今天下午"})
    assert 'href="tel:13912345678"' in text_of(shown)
    assert "no-store" in shown["Cache-Control"]
    entry = AuditEntry.objects.get(action="demand.reveal_contact")
    assert entry.reason == "上门前约时间；今天下午"
    assert "13912345678" not in text_of(client.get(address(demand)))


def test_a_member_is_offered_the_contact_once_they_took_it_on(cast: Cast) -> None:
    demand = raised(cast, contact_name="张三丰", contact_phone="13912345678")
    do(cast.a.officer, demand, "accept")
    do(cast.a.officer, demand, "dispatch", unit=cast.a.unit)
    suborder = demand.suborders.get()
    do(cast.a.liaison, suborder, "sign")
    do(cast.a.liaison, suborder, "assign", members=[cast.a.member])
    client = signed_in(cast.a.member_user)
    assert address(demand, "contact") not in text_of(client.get(address(demand)))
    early = client.post(address(demand, "contact"), {"why": "visit"})
    assert early.status_code == 403
    assert "13912345678" not in text_of(early)
    do(cast.a.member_user, Assignment.objects.get(), "take")
    assert address(demand, "contact") in text_of(client.get(address(demand)))
    assert "13912345678" in text_of(client.post(address(demand, "contact"), {"why": "visit"}))


def test_keepers_and_the_county_see_no_contact(cast: Cast) -> None:
    demand = raised(cast, contact_name="张三丰", contact_phone="13912345678")
    for person in (cast.a.keeper, cast.department, cast.street_officer):
        client = signed_in(person)
        assert address(demand, "contact") not in text_of(client.get(address(demand)))
        assert client.post(address(demand, "contact"), {"why": "visit"}).status_code == 403


# --- 上报 -----------------------------------------------------------------------------------------------------------


def report(person: User, cast: Cast, at: Any = None, **data: Any) -> Any:
    given = {"category": cast.category.pk, "text": "一楼大件垃圾堵住通道。", "once": "one", **data}
    return signed_in(person).post("/m/report/" + (f"?at={at.pk}" if at else ""), given)


def test_a_keeper_reports_at_their_own_place(cast: Cast) -> None:
    page = signed_in(cast.a.keeper).get("/m/report/")
    assert page.context["node"] == cast.a.grid
    response = report(cast.a.keeper, cast, photos=[picture()])
    demand = Demand.objects.get()
    assert response["Location"] == address(demand)
    assert (demand.node, demand.origin, demand.raised_by) == (cast.a.grid, "keeper", cast.a.keeper)
    assert demand.photos.count() == 1
    raised_by_me = signed_in(cast.a.keeper).get("/m/").context["raised"].cards
    assert [card.title for card in raised_by_me] == [demand.title]


def test_a_keeper_reports_below_their_place_and_nowhere_else(cast: Cast) -> None:
    assert report(cast.a.keeper, cast, cast.a.entrance).status_code == 302
    assert Demand.objects.get().node == cast.a.entrance
    client = signed_in(cast.a.keeper)
    for place in (cast.a.compound, cast.a.node, cast.b.building, cast.street):
        assert client.get(f"/m/report/?at={place.pk}").status_code == 404
        assert report(cast.a.keeper, cast, place, once="two").status_code == 404
        assert client.get(f"/m/report/place/?in={place.pk}").status_code == 404
    for nonsense in ("x", "99999999999999999999", "-1", "٣"):
        assert client.get("/m/report/", {"at": nonsense}).status_code == 404
    assert Demand.objects.count() == 1


def test_places_are_chosen_step_by_step(cast: Cast) -> None:
    client = signed_in(cast.a.keeper)
    assert [row.name for row in client.get("/m/report/place/").context["rows"]] == ["第一网格"]
    inside = client.get(f"/m/report/place/?in={cast.a.grid.pk}")
    assert [row.name for row in inside.context["rows"]] == ["1 号楼", "2 号楼"]
    assert inside.context["up"] is None, "what lies above is not theirs"
    below = client.get(f"/m/report/place/?in={cast.a.building.pk}")
    assert below.context["up"] == cast.a.grid.pk
    assert f'href="/m/report/?at={cast.a.building.pk}"' in text_of(below)


def test_a_cadre_reports_as_a_cadre_and_a_street_chooses_a_community_first(cast: Cast) -> None:
    report(cast.a.officer, cast, cast.a.building)
    assert Demand.objects.get().origin == "cadre"
    assert signed_in(cast.street_officer).get("/m/report/")["Location"] == "/m/report/place/"


def test_units_and_members_do_not_report(cast: Cast) -> None:
    for person in (cast.a.liaison, cast.a.member_user, cast.department):
        assert "您的岗位不用上报" in text_of(signed_in(person).get("/m/report/"))
        report(person, cast, cast.a.building)
    assert not Demand.objects.exists()


def test_a_report_sent_twice_is_one(cast: Cast) -> None:
    first, second = report(cast.a.keeper, cast), report(cast.a.keeper, cast)
    assert first["Location"] == second["Location"]
    assert Demand.objects.count() == 1
    report(cast.b.keeper, cast)
    assert Demand.objects.count() == 2, "the same words of another keeper are another matter"


@pytest.mark.parametrize(("data", "words"), [({"text": ""}, "请写几句话"), ({"category": ""}, "请选一个类别")])
def test_a_report_says_what_is_missing(cast: Cast, data: dict[str, str], words: str) -> None:
    response = report(cast.a.keeper, cast, **data)
    assert response.status_code == 400
    assert words in text_of(response)
    assert not Demand.objects.exists()


# --- 清单, 我的 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "names"),
    [
        ("a.liaison", ["offered", "unit"]),
        ("a.staff", ["offered", "unit"]),
        ("a.member", ["asked"]),
        ("a.keeper", ["area", "raised"]),
        ("a.officer", ["area", "raised"]),
        ("department", ["area", "raised"]),
        ("idle_liaison", ["unit"]),
    ],
)
def test_everybody_has_the_lists_of_what_they_hold(cast: Cast, who: str, names: list[str]) -> None:
    page = signed_in(cast.people()[who]).get("/m/lists/")
    assert page.status_code == 200
    found = [one.name for one in page.context["lists"]] or [page.context["chosen"].name]
    assert found == names


def test_a_list_of_others_is_not_opened_by_its_name(cast: Cast) -> None:
    raised(cast)
    page = signed_in(cast.a.liaison).get("/m/lists/?list=area")
    assert page.context["chosen"].name == "offered"
    assert page.context["cards"] == []


def test_lists_leave_out_what_is_over_unless_asked(cast: Cast) -> None:
    demand = do(cast.a.secretary, checked(cast), "close_off")
    for person, name in ((cast.a.keeper, "area"), (cast.a.liaison, "unit"), (cast.a.member_user, "asked")):
        client = signed_in(person)
        assert client.get(f"/m/lists/?list={name}").context["cards"] == []
        found = client.get(f"/m/lists/?list={name}&all=1").context["cards"]
        assert [card.code for card in found] == [demand.code]


def test_lists_are_searched_and_paged(cast: Cast) -> None:
    for number in range(25):
        make.make_demand(cast.a.building, cast.category, title=f"第 {number} 件")
    client = signed_in(cast.a.keeper)
    first = client.get("/m/lists/")
    assert len(first.context["cards"]) == 20
    assert first.context["next_url"] == "?list=area&page=2"
    assert len(client.get("/m/lists/" + first.context["next_url"]).context["cards"]) == 5
    assert [card.title for card in client.get("/m/lists/", {"q": "第 7 件"}).context["cards"]] == ["第 7 件"]
    code = Demand.objects.filter(title="第 3 件").get().code
    assert [card.title for card in client.get("/m/lists/", {"q": code}).context["cards"]] == ["第 3 件"]
    assert "换个词试试" in text_of(client.get("/m/lists/", {"q": "没有"}))


def test_no_page_of_the_phone_holds_a_table(cast: Cast) -> None:
    demand, _suborder = in_service(cast)
    client = signed_in(cast.a.liaison)
    for path in ("/m/", "/m/lists/", "/m/lists/?list=unit", "/m/me/", "/m/report/", address(demand)):
        assert "<table" not in text_of(client.get(path))


def test_my_page_names_what_one_holds(cast: Cast) -> None:
    keeper = text_of(signed_in(cast.a.keeper).get("/m/me/"))
    assert "网格员" in keeper
    assert f"/places/{cast.a.grid.pk}/qr/" in keeper
    assert cast.a.keeper.phone not in keeper
    assert cast.a.keeper.masked_phone in keeper
    liaison = text_of(signed_in(cast.a.liaison).get("/m/me/"))
    assert "县住建局" in liaison
    assert "/places/" not in liaison
    client = signed_in(cast.a.member_user)
    assert "县住建局" in text_of(client.get("/m/me/"))
    client.post("/accounts/logout/")
    assert client.get("/m/me/").status_code == 302


def test_the_page_after_a_move_forgets_its_draft(cast: Cast) -> None:
    demand, suborder = dispatched(cast)
    client = signed_in(cast.a.liaison)
    form = text_of(client.get(address(demand, "sign", suborder)))
    draft = re.search(r'data-draft="([^"]+)"', form)
    assert draft is not None
    done = client.post(address(demand, "sign", suborder), {"version": "1"}, follow=True)
    assert f'data-draft-done="{draft[1]}"' in text_of(done)
    assert "“签收”已办好" in text_of(done)


# --- Cost -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "who"),
    [
        ("todo_liaison", "a.liaison"),
        ("todo_member", "a.member"),
        ("todo_officer", "a.officer"),
        ("todo_keeper", "a.keeper"),
        ("lists_area", "a.officer"),
        ("lists_unit", "a.liaison"),
        ("lists_asked", "a.member"),
        ("demand", "a.liaison"),
        ("move", "a.liaison"),
        ("report", "a.keeper"),
        ("me", "a.keeper"),
    ],
)
def test_a_page_asks_the_database_so_often_whatever_the_rows(
    cast: Cast, django_assert_max_num_queries: Any, what: str, who: str
) -> None:
    for _more in range(3):
        demand, suborder = dispatched(cast)
        do(cast.a.liaison, suborder, "sign")
        do(cast.a.liaison, suborder, "assign", members=[cast.a.member, cast.a.second_member])
        do(cast.a.member_user, suborder.assignments.first(), "take")
        raised(cast)
        do(cast.a.secretary, checked_again(cast), "close_off")
        make.make_demand(cast.a.building, cast.category, raised_by=cast.a.keeper)
    client = signed_in(cast.people()[who])
    client.get("/m/me/")  # the session's first click is written down
    path = {
        "todo": "/m/",
        "lists": f"/m/lists/?list={what.partition('_')[2]}&all=1",
        "demand": address(demand),
        "move": address(demand, "report", suborder),
        "report": "/m/report/",
        "me": "/m/me/",
    }[what.partition("_")[0]]
    with django_assert_max_num_queries(COUNTS[f"mobile.{what}"]):
        assert client.get(path).status_code == 200


def checked_again(cast: Cast) -> Demand:
    demand, suborder = dispatched(cast)
    do(cast.a.liaison, suborder, "sign")
    do(cast.a.liaison, suborder, "report", text="到了")
    do(cast.a.liaison, suborder, "finish", text="好了")
    return do(cast.a.officer, demand, "check")
