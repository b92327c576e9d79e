"""Exclusions, the ladder and bulletins on the pages people use: desk, phone, API; what each says and what it refuses."""

import datetime
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.models import User
from services.actions import ladder
from services.models import Bulletin, BulletinItem, Climb, Demand, DemandEvent, RateExclusion
from tests import factories as make
from tests import weft_factories as weave
from tests.cast import Cast
from tests.factories import fresh
from tests.services.test_bulletins import draft, late, publish

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user))
    return client


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def leader(cast: Cast) -> User:
    found = make.make_cadre("县领导", "county_leader", cast.county)
    make.make_pairing(cast.a.node, found, "leader")
    return found


@pytest.fixture
def escalated(cast: Cast, leader: User) -> Demand:
    demand = late(cast, contact_name="张翠花", contact_phone="13912345678")
    ladder.climb()
    return demand


# --- Exclusions -----------------------------------------------------------------------------------------------------


def test_an_exclusion_is_asked_for_from_the_demands_page_and_decided_on_its_own(cast: Cast) -> None:
    demand = make.make_demand(cast.a.building, state="closed_off", solved=False, satisfaction="dissatisfied")
    officer, department = signed_in(cast.a.officer), signed_in(cast.department)
    page = officer.get(reverse("admin:services_demand_change", args=[demand.pk]))
    address = f"{reverse('admin:services_rateexclusion_add')}?demand={demand.code}"
    assert address in page.content.decode()
    assert demand.code in officer.get(address).content.decode()
    sent = {"demand": demand.code, "rates": ["resolution"], "reason": "停电三天"}
    assert officer.post(reverse("admin:services_rateexclusion_add"), sent).status_code == 302
    row = RateExclusion.objects.get()
    change = reverse("admin:services_rateexclusion_change", args=[row.pk])
    assert "还没有影响任何数字" in words(department.get(change))
    approve = reverse("admin:services_rateexclusion_deed", args=[row.pk, "approve"])
    assert department.post(approve, {"note": "属实", "version": row.version}).status_code == 302
    said = words(department.get(change))
    assert "解决率 样本不足（0/1） —（已剔除 1 件）" in said
    assert department.post(approve, {"note": "再来", "version": row.version}).status_code == 409
    assert "剔除统计" in words(officer.get(reverse("admin:services_demand_change", args=[demand.pk])))


def test_who_may_not_ask_has_no_button_and_no_page(cast: Cast) -> None:
    demand = make.make_demand(cast.a.building)
    page = signed_in(cast.department).get(reverse("admin:services_demand_change", args=[demand.pk]))
    assert "申请剔除" not in page.content.decode()
    assert signed_in(cast.department).get(reverse("admin:services_rateexclusion_add")).status_code == 403
    sent = {"demand": demand.code, "rates": ["resolution"], "reason": "停电"}
    answer = signed_in(cast.b.officer).post(reverse("admin:services_rateexclusion_add"), sent)
    assert answer.status_code == 404
    assert not RateExclusion.objects.exists()


# --- The ladder -----------------------------------------------------------------------------------------------------


def test_the_leader_finds_on_the_phone_what_was_put_into_their_hands(leader: User, escalated: Demand) -> None:
    client, row = signed_in(leader), Climb.objects.get()
    assert "报我的超期事项" in words(client.get(reverse("mobile:todo")))
    said = words(client.get(reverse("mobile:ladder")))
    assert escalated.title in said and "报包联领导" in said and "个工作日" in said
    page = words(client.get(reverse("mobile:demand", args=[escalated.code])))
    assert "13912345678" not in page and "张翠花" not in page
    address = reverse("mobile:instruct", args=[row.pk])
    assert client.post(address, {"text": "三日内办结", "version": row.version}).status_code == 302
    assert DemandEvent.objects.get(name="instruct").text == "三日内办结"
    assert "已批示" in words(client.get(reverse("mobile:ladder")))
    assert client.post(address, {"text": "再说一遍", "version": row.version}).status_code == 409


def test_the_demands_page_says_on_which_rung_it_stands(cast: Cast, escalated: Demand, leader: User) -> None:
    for person in (cast.a.officer, cast.department, leader):
        page = signed_in(person).get(reverse("admin:services_demand_change", args=[escalated.pk]))
        assert "逐级提醒 报包联领导" in words(page)
        assert (reverse("mobile:instruct", args=[Climb.objects.get().pk]) in page.content.decode()) == (
            person == leader
        )
    assert "报包联领导" in words(signed_in(cast.a.liaison).get(reverse("mobile:demand", args=[escalated.code])))


def test_another_leader_has_an_empty_list_and_no_say(cast: Cast, escalated: Demand) -> None:
    client = signed_in(make.make_cadre("另一领导", "county_leader", cast.county))
    assert "没有报到您这里的事项" in words(client.get(reverse("mobile:ladder")))
    row = Climb.objects.get()
    answer = client.post(reverse("mobile:instruct", args=[row.pk]), {"text": "抓紧", "version": row.version})
    assert "请由包联“白龙塘社区”的领导批示" in words(answer)
    assert not DemandEvent.objects.filter(name="instruct").exists()


# --- Bulletins ------------------------------------------------------------------------------------------------------


def test_a_bulletin_is_drafted_looked_at_and_published_at_the_desk(cast: Cast) -> None:
    late(cast)
    ladder.climb()
    client = signed_in(cast.department)
    form = client.get(reverse("admin:services_bulletin_add")).content.decode()
    assert "需求办理情况通报" in form
    today = timezone.localdate()
    sent = {"title": "十月通报", "since": today - datetime.timedelta(days=60), "until": today, "text": "抓紧。"}
    assert client.post(reverse("admin:services_bulletin_add"), sent).status_code == 302
    row = Bulletin.objects.get()
    address = reverse("admin:services_bulletin_deed", args=[row.pk, "publish"])
    preview = client.post(address, {"version": row.version})
    assert "白龙塘社区" in words(preview) and Bulletin.objects.get().state == "draft"
    seal = re.search(r'name="seen" value="(\w+)"', preview.content.decode())
    assert seal is not None
    assert client.post(address, {"version": row.version, "seen": seal[1]}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.number) == ("published", 1)
    paper = client.get(reverse("admin:services_bulletin_paper", args=[row.pk]))
    assert paper.headers["Content-Type"].endswith("wordprocessingml.document")
    assert signed_in(cast.a.officer).get(reverse("admin:services_bulletin_paper", args=[row.pk])).status_code == 200


def test_a_draft_is_the_countys_alone(cast: Cast) -> None:
    row = draft(cast)
    for person in (cast.a.officer, cast.street_officer, cast.other_county_department):
        client = signed_in(person)
        assert client.get(reverse("admin:services_bulletin_change", args=[row.pk])).status_code == 404
        assert client.get(reverse("admin:services_bulletin_paper", args=[row.pk])).status_code == 404


def test_a_matter_of_a_draft_is_not_yet_somebodys_to_put_right(cast: Cast) -> None:
    late(cast)
    ladder.climb()
    row, page = draft(cast), reverse("admin:services_bulletinitem_changelist")
    assert "未印发" in words(signed_in(cast.department).get(page))
    publish(cast, row)
    assert "未印发" not in words(signed_in(cast.department).get(page))


def test_the_liaison_answers_on_the_phone(cast: Cast) -> None:
    late(cast)
    ladder.climb()
    item = publish(cast, draft(cast)).items.get()
    client = signed_in(cast.a.liaison)
    assert "通报整改" in words(client.get(reverse("mobile:todo")))
    assert item.demand.code in words(client.get(reverse("mobile:bulletins")))
    address = reverse("mobile:bulletin_item", args=[item.pk])
    assert client.post(address, {"text": "", "version": item.version}).status_code == 400
    assert client.post(address, {"text": "本周办结", "version": item.version}).status_code == 302
    item.refresh_from_db()
    assert (item.state, item.answer) == ("answered", "本周办结")
    assert "通报整改" not in words(client.get(reverse("mobile:todo")))
    assert signed_in(cast.b.liaison).get(address).status_code == 404
    neighbour = signed_in(cast.a.officer)
    assert "本周办结" in words(neighbour.get(address))
    assert "答复整改情况</button>" not in neighbour.get(address).content.decode()


# --- API ------------------------------------------------------------------------------------------------------------


def test_programs_ask_decide_instruct_answer_and_settle(cast: Cast, leader: User, escalated: Demand) -> None:
    def send(person: User, path: str, **data: Any) -> Any:
        return signed_in(person).post(f"/api/v1/{path}", data, content_type="application/json")

    made = send(cast.a.officer, "exclusions/", demand=escalated.code, rates=["response"], reason="停电")
    assert made.status_code == 201 and made.json()["rates"] == ["response"]
    pk = made.json()["id"]
    assert send(cast.a.officer, f"exclusions/{pk}/approve/", note="好").status_code == 403
    assert send(cast.b.officer, f"exclusions/{pk}/withdraw/").status_code == 404
    assert send(cast.department, f"exclusions/{pk}/approve/").status_code == 400
    assert send(cast.department, f"exclusions/{pk}/approve/", note="好", version=9).status_code == 409
    assert send(cast.department, f"exclusions/{pk}/approve/", note="好").json()["state"] == "approved"
    assert send(cast.department, f"exclusions/{pk}/nothing/", note="好").status_code == 404
    reversed_ = send(cast.department, f"exclusions/{pk}/reverse/", reason="错了").json()
    assert (reversed_["state"], set(reversed_["figures"])) == ("reversed", {"approve", "reverse"})
    listed = signed_in(cast.a.officer).get("/api/v1/exclusions/", {"state": "reversed"}).json()
    assert [row["id"] for row in listed["results"]] == [pk]

    climb = signed_in(leader).get("/api/v1/ladder/", {"rung": "leader"}).json()["results"][0]
    assert send(cast.department, f"ladder/{climb['id']}/instruct/", text="抓紧").status_code == 403
    assert send(leader, f"ladder/{climb['id']}/instruct/", text="抓紧").status_code == 200

    bulletin = publish(cast, draft(cast))
    body = signed_in(cast.a.liaison).get(f"/api/v1/bulletins/{bulletin.pk}/").json()
    assert body["items"][0]["code"] == escalated.code and body["total"]["response"]["excluded"] == 0
    item = BulletinItem.objects.get()
    assert send(cast.a.officer, f"bulletin-items/{item.pk}/answer/", text="我来").status_code == 409
    assert send(cast.a.liaison, f"bulletin-items/{item.pk}/answer/", text="本周办结").json()["state"] == "answered"
    assert send(cast.a.liaison, f"bulletin-items/{item.pk}/settle/", note="好").status_code == 403
    assert send(cast.department, f"bulletin-items/{item.pk}/settle/", note="好").json()["state"] == "settled"


def test_lists_cost_the_same_whatever_the_rows(cast: Cast, django_assert_max_num_queries: Any) -> None:
    department, liaison = signed_in(cast.department), signed_in(cast.a.liaison)

    def fill(number: int) -> None:
        for _each in range(number):
            demand = make.make_demand(cast.a.building, lead_unit=cast.a.unit)
            weave.make_exclusion(demand, cast.a.officer)
            number_ = Bulletin.objects.count() + 1
            weave.make_bulletin(demand, cast.department, number=number_)

    fill(2)
    pages = (
        (department, reverse("admin:services_rateexclusion_changelist"), 12),
        (department, reverse("admin:services_bulletin_changelist"), 12),
        (department, reverse("admin:services_bulletinitem_changelist"), 12),
        (liaison, reverse("mobile:bulletins"), 16),
        (department, "/api/v1/exclusions/", 6),
        (department, "/api/v1/bulletin-items/", 6),
    )
    for client, address, _most in pages:
        client.get(address)
    fill(10)
    for client, address, most in pages:
        with django_assert_max_num_queries(most):
            assert client.get(address).status_code == 200
