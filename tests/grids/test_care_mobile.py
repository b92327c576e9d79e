"""`/m/care/`: the quarter's worklist on a keeper's phone; strangers, old pages and what must never be shown or kept."""

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import AuditEntry, User
from grids.models import CareHousehold, CareVisit
from tests import factories as make
from tests.cast import Cast

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
NAME, PHONE = "欧阳惠莲", "13987651234"
DAY = datetime.timedelta(days=1)


def today() -> datetime.date:
    return timezone.localdate()


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text_of(answer: Any) -> str:
    return answer.content.decode()


def version_in(answer: Any) -> str:
    found = re.search(r'name="version" value="(\d+)"', text_of(answer))
    assert found is not None
    return found[1]


@pytest.fixture
def one(cast: Cast) -> CareHousehold:
    return make.make_household(cast.a.building, name=NAME, phone=PHONE, room="502室", days_ago=20)


NEW = {
    "room": "301室",
    "name": NAME,
    "phone": PHONE,
    "needs": ["elderly_alone", "low_income"],
    "consent": "written",
    "consent_on": "2026-03-05",
}


# --- The keeper's work ----------------------------------------------------------------------------------------------


def test_a_keeper_registers_visits_and_confirms_on_the_phone(cast: Cast) -> None:
    client = signed_in(cast.a.keeper)
    form = client.get("/m/care/add/")
    assert f'value="{cast.a.building.pk}"' in text_of(form)
    assert "data-draft" not in text_of(form)
    made = client.post("/m/care/add/", {**NEW, "node": cast.a.building.pk})
    one = CareHousehold.objects.get()
    assert made["Location"] == f"/m/care/{one.pk}/"
    assert one.node == cast.a.building
    sent = client.post(f"/m/care/{one.pk}/visit/", {"visited_on": str(today()), "text": "要人代购", "confirmed": "on"})
    assert sent["Location"] == f"/m/care/{one.pk}/"
    assert CareVisit.objects.get().text == "要人代购"
    page = client.get(f"/m/care/{one.pk}/confirm/")
    assert client.post(f"/m/care/{one.pk}/confirm/", {"version": version_in(page)}).status_code == 400
    assert client.post(f"/m/care/{one.pk}/confirm/", {"version": version_in(page), "agreed": "on"}).status_code == 302
    assert AuditEntry.objects.get(action="care.register").origin.startswith("手机")


def test_the_most_pressing_stands_first_with_one_thing_to_do(cast: Cast) -> None:
    fine = make.make_household(cast.a.building, room="1", next_visit_on=today() + 30 * DAY)
    late = make.make_household(cast.a.building, room="2", next_visit_on=today() - 9 * DAY)
    later = make.make_household(cast.a.building, room="3", next_visit_on=today())
    asked = make.make_household(cast.a.building, room="4", days_ago=120, next_visit_on=today() + 5 * DAY)
    gone = make.make_household(cast.a.building, room="5", days_ago=370)
    make.make_household(cast.b.building, room="6", next_visit_on=today())
    client = signed_in(cast.a.keeper)
    page = client.get("/m/care/")
    assert [(card.household.pk, str(card.main.label)) for card in page.context["cards"]] == [
        (gone.pk, "核实"),
        (late.pk, "记录走访"),
        (later.pk, "记录走访"),
        (asked.pk, "核实"),
    ]
    assert [card.states[0][0] for card in page.context["cards"]] == [
        "已到期，待核实",
        "待走访",
        "待走访",
        "本季度待核实",
    ]
    everybody = client.get("/m/care/?all=1").context["cards"]
    assert fine.pk in {card.household.pk for card in everybody}
    assert len(everybody) == 5
    assert "已核实 3 / 5 户" in re.sub(r"\s+", " ", text_of(page))


def test_the_first_page_leads_to_the_worklist_and_counts_what_waits(cast: Cast) -> None:
    make.make_household(cast.a.building, next_visit_on=today())
    for address in ("/m/", "/m/me/"):
        page = text_of(signed_in(cast.a.keeper).get(address))
        assert 'href="/m/care/"' in page
        assert "关爱走访" in page
        assert "没有等您办的事" not in page
    assert signed_in(cast.a.keeper).get("/m/").context["todo_count"] == 1
    assert signed_in(cast.a.keeper).get("/m/care/").context["todo_count"] == 1
    for other in (cast.a.building_head, cast.a.liaison, cast.a.member_user, cast.street_officer):
        assert "/m/care/" not in text_of(signed_in(other).get("/m/me/"))


def test_an_empty_page_says_what_to_do(cast: Cast, one: CareHousehold) -> None:
    assert "征得本人或监护人同意后登记" in text_of(signed_in(cast.b.keeper).get("/m/care/"))
    CareHousehold.objects.update(next_visit_on=today() + DAY, confirmed_on=today())
    assert "都办完了" in text_of(signed_in(cast.a.keeper).get("/m/care/"))


# --- What is shown, and what never is -------------------------------------------------------------------------------


def test_no_page_or_form_shows_a_name_or_a_phone(cast: Cast, one: CareHousehold) -> None:
    client = signed_in(cast.a.officer)
    for path in (
        "",
        f"{one.pk}/",
        *(f"{one.pk}/{n}/" for n in ("visit", "confirm", "correct", "move", "reveal", "erase")),
    ):
        page = client.get(f"/m/care/{path}")
        assert page.status_code == 200, path
        assert NAME not in text_of(page) and PHONE not in text_of(page), path
        assert "data-draft=" not in text_of(page), path
    assert "欧*惠莲" in text_of(client.get(f"/m/care/{one.pk}/"))


def test_a_look_is_shown_once_and_not_stored(cast: Cast, one: CareHousehold) -> None:
    client = signed_in(cast.a.keeper)
    address = f"/m/care/{one.pk}/reveal/"
    assert client.post(address, {}).status_code == 400
    assert client.post(address, {"purpose": "好奇"}).status_code == 400
    assert not AuditEntry.objects.filter(action="care.reveal").exists()
    shown = client.post(address, {"purpose": "call"})
    assert shown.status_code == 200
    assert NAME in text_of(shown) and f"tel:{PHONE}" in text_of(shown)
    assert "no-store" in shown["Cache-Control"]
    assert NAME not in str(dict(client.session))
    assert NAME not in text_of(client.get(f"/m/care/{one.pk}/"))


def test_of_one_that_has_run_out_only_the_door_is_shown(cast: Cast) -> None:
    one = make.make_household(
        cast.a.building, ("disability",), name=NAME, phone=PHONE, room="502室", days_ago=370, last_visit_on=today()
    )
    CareVisit.objects.create(household=one, visited_on=today(), text="要人送药")
    client = signed_in(cast.a.keeper)
    for address in ("/m/care/", f"/m/care/{one.pk}/"):
        page = text_of(client.get(address))
        assert "已到期，待核实" in page and "502室" in page
        for hidden in ("残疾", "要人送药", "139", "最近走访", NAME):
            assert hidden not in page, (address, hidden)
    labels = [button["label"] for button in client.get(f"/m/care/{one.pk}/").context["buttons"]]
    assert labels == ["核实"]
    for name in ("visit", "correct", "move", "reveal"):
        assert client.get(f"/m/care/{one.pk}/{name}/").status_code == 409


def test_a_correction_left_empty_keeps_name_and_phone(cast: Cast, one: CareHousehold) -> None:
    client = signed_in(cast.a.keeper)
    address = f"/m/care/{one.pk}/correct/"
    sent = {"room": "503室", "needs": ["low_income"], "consent": "spoken", "consent_on": str(today()), "version": "1"}
    assert client.post(address, sent).status_code == 302
    one.refresh_from_db()
    assert (one.room, one.name, one.phone) == ("503室", NAME, PHONE)
    assert client.post(address, {**sent, "version": "2", "drop_phone": "on"}).status_code == 302
    one.refresh_from_db()
    assert one.phone == ""


def test_a_need_that_asks_for_paper_is_refused_beside_its_input(cast: Cast) -> None:
    client = signed_in(cast.a.keeper)
    sent = {**NEW, "node": cast.a.building.pk, "needs": ["disability"], "consent": "spoken"}
    answer = client.post("/m/care/add/", sent)
    assert answer.status_code == 400
    assert "书面同意" in "".join(answer.context["form"].errors["consent"])
    assert not CareHousehold.objects.exists()


def test_an_old_form_changes_nothing(cast: Cast, one: CareHousehold) -> None:
    client = signed_in(cast.a.keeper)
    CareHousehold.objects.update(version=2)
    answer = client.post(f"/m/care/{one.pk}/confirm/", {"version": "1", "agreed": "on"})
    assert answer.status_code == 409
    one.refresh_from_db()
    assert one.confirmed_on == today() - 20 * DAY


# --- Who gets in ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "listed", "own"),
    [
        ("a.keeper", 200, 200),
        ("a.officer", 200, 200),
        ("b.keeper", 200, 404),
        ("b.secretary", 200, 404),
        ("a.building_head", 403, 403),
        ("a.team_lead", 403, 403),
        ("street_secretary", 403, 403),
        ("a.liaison", 403, 403),
        ("a.member", 403, 403),
        ("superuser", 302, 302),
        ("admin", 302, 302),
    ],
)
def test_who_gets_in(cast: Cast, one: CareHousehold, role: str, listed: int, own: int) -> None:
    client = signed_in(cast.people()[role])
    assert client.get("/m/care/").status_code == listed
    assert client.get("/m/care/add/").status_code == listed
    for path in ("", "visit/", "confirm/", "correct/", "move/", "reveal/"):
        assert client.get(f"/m/care/{one.pk}/{path}").status_code == own, path
    for name, data in (
        ("visit", {"visited_on": str(today())}),
        ("reveal", {"purpose": "call"}),
        ("confirm", {"version": "1", "agreed": "on"}),
    ):
        if own != 200:
            assert client.post(f"/m/care/{one.pk}/{name}/", data).status_code == own
    if own != 200:
        assert not CareVisit.objects.exists()
        assert not AuditEntry.objects.filter(action__startswith="care.").exists()


def test_a_keeper_does_not_erase_and_the_community_does(cast: Cast, one: CareHousehold) -> None:
    address = f"/m/care/{one.pk}/erase/"
    assert signed_in(cast.a.keeper).post(address, {"reason": "asked"}).status_code == 403
    assert CareHousehold.objects.exists()
    done = signed_in(cast.a.officer).post(address, {"reason": "asked"})
    assert done["Location"] == "/m/care/"
    assert not CareHousehold.objects.exists()
    assert signed_in(cast.a.officer).get(f"/m/care/{one.pk}/").status_code == 404


def test_no_place_of_a_neighbour_is_offered_or_taken(cast: Cast) -> None:
    client = signed_in(cast.a.keeper)
    answer = client.post("/m/care/add/", {**NEW, "node": cast.b.building.pk})
    assert answer.status_code == 400
    assert not CareHousehold.objects.exists()
    assert f'value="{cast.b.building.pk}"' not in text_of(client.get("/m/care/add/"))


@pytest.mark.parametrize("rows", [1, 15])
def test_the_worklist_costs_the_same_whatever_the_rows(cast: Cast, rows: int) -> None:
    for _number in range(rows):
        make.make_household(cast.a.building, ("elderly_alone", "low_income"), days_ago=20)
    client = signed_in(cast.a.keeper)
    pages = {"mobile.care": "/m/care/", "mobile.care_household": f"/m/care/{CareHousehold.objects.all()[0].pk}/"}
    for key, address in pages.items():
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        assert len(captured) == COUNTS[key] <= 10, key
