"""The care ledger at the desk: masked lists and pages, filters, deeds, and figures that point at nobody."""

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

from core import policies
from core.models import AuditEntry, User
from grids.care_selectors import figures_of, total_of
from grids.models import CareCadence, CareHousehold, CareVisit
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
NAME, PHONE, ROOM = "欧阳惠莲", "13987651234", "502室"
BASE = "/admin/grids/carehousehold/"
DAY = datetime.timedelta(days=1)


def today() -> datetime.date:
    return timezone.localdate()


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text_of(answer: Any) -> str:
    return answer.content.decode()


@pytest.fixture
def one(cast: Cast) -> CareHousehold:
    return make.make_household(cast.a.building, name=NAME, phone=PHONE, room=ROOM, days_ago=20)


def listed(client: Client, **query: str) -> list[str]:
    return re.findall(r"(\w+)室</td>", text_of(client.get(BASE, query)))


# --- List and page --------------------------------------------------------------------------------------------------


def test_lists_pages_and_forms_are_masked(cast: Cast, one: CareHousehold) -> None:
    client = signed_in(cast.a.officer)
    pages = [BASE, f"{BASE}{one.pk}/change/"]
    pages += [f"{BASE}{one.pk}/do/{n}/" for n in ("visit", "confirm", "correct", "move", "reveal", "erase")]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page
        assert NAME not in text_of(answer) and PHONE not in text_of(answer), page
    shown = text_of(client.get(f"{BASE}{one.pk}/change/"))
    assert "欧*惠莲" in shown and "139****1234" in shown and "独居老人" in shown
    assert client.get(f"{BASE}lookup/", {"q": "白龙塘"}).json()["results"] == [
        {"id": one.pk, "text": f"关爱台账 {one.pk}"}
    ]


def test_the_list_is_filtered_by_need_and_state_and_place(cast: Cast) -> None:
    make.make_household(cast.a.building, ("disability",), room="1室", next_visit_on=today() - DAY)
    make.make_household(cast.a.other_building, ("low_income",), room="2室", days_ago=200, next_visit_on=today() + DAY)
    make.make_household(cast.a.building, ("disability",), room="3室", days_ago=370)
    make.make_household(cast.b.building, ("disability",), room="4室")
    client = signed_in(cast.a.officer)
    assert sorted(listed(client)) == ["1", "2", "3"]
    assert listed(client, need="disability") == ["1"]
    assert listed(client, state="to_visit") == ["1"]
    assert listed(client, state="to_confirm") == ["2"]
    assert listed(client, state="expired") == ["3"]
    assert sorted(listed(client, place=str(cast.a.grid.pk))) == ["1", "2", "3"]
    assert listed(client, place=str(cast.b.node.pk)) == listed(client)
    assert listed(client, q="2 号楼") == ["2"]


@pytest.mark.parametrize(
    "probe", ["name__startswith=欧", "phone__startswith=139", "room=502室", "needs__kind=disability"]
)
def test_no_list_answers_to_what_is_masked(cast: Cast, one: CareHousehold, probe: str) -> None:
    assert signed_in(cast.a.officer).get(f"{BASE}?{probe}").status_code == 400


def test_a_search_by_name_finds_nobody(cast: Cast, one: CareHousehold) -> None:
    assert listed(signed_in(cast.a.officer), q=NAME) == []
    for page in ("/admin/find/", BASE):
        for word in (NAME, PHONE):
            answer = signed_in(cast.a.officer).get(page, {"q": word})
            assert f"{BASE}{one.pk}/" not in text_of(answer)


def test_what_has_run_out_shows_its_door_and_nothing_else(cast: Cast) -> None:
    one = make.make_household(cast.a.building, ("disability",), name=NAME, room=ROOM, phone=PHONE, days_ago=370)
    CareVisit.objects.create(household=one, visited_on=today(), text="要人送药")
    client = signed_in(cast.a.officer)
    page = text_of(client.get(f"{BASE}{one.pk}/change/"))
    assert "已到期，待核实" in page and ROOM in page
    facts = page[page.index("fact-list") :]
    for hidden in ("残疾", "要人送药", "139****"):
        assert hidden not in facts
    assert client.get(f"{BASE}{one.pk}/do/reveal/").status_code == 409
    assert client.get(f"{BASE}{one.pk}/do/visit/").status_code == 409


# --- Deeds ----------------------------------------------------------------------------------------------------------


def test_a_look_is_shown_once(cast: Cast, one: CareHousehold) -> None:
    client = signed_in(cast.a.officer)
    assert client.post(f"{BASE}{one.pk}/do/reveal/", {}).status_code == 200
    assert not AuditEntry.objects.filter(action__startswith="care.").exists()
    answer = client.post(f"{BASE}{one.pk}/do/reveal/", {"purpose": "help"})
    assert NAME in text_of(answer) and PHONE in text_of(answer)
    assert "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.get(action="care.reveal").reason == "帮助办理救助、补贴等事项"


def test_the_auditor_reads_that_somebody_looked_and_at_no_one(cast: Cast, one: CareHousehold) -> None:
    client = signed_in(cast.a.officer)
    client.post(f"{BASE}{one.pk}/do/reveal/", {"purpose": "help"})
    client.post(f"{BASE}{one.pk}/do/erase/", {"reason": "asked"})
    auditor = signed_in(cast.auditor)
    page = text_of(auditor.get("/admin/core/auditentry/"))
    assert "查看关爱家庭联系方式" in page and "删除关爱登记" in page
    for entry in AuditEntry.objects.all():
        page = text_of(auditor.get(f"/admin/core/auditentry/{entry.pk}/change/"))
        for hidden in (NAME, PHONE, ROOM):
            assert hidden not in page


def test_an_entry_is_registered_corrected_moved_and_erased(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    sent = {
        "node": cast.a.building.pk,
        "room": ROOM,
        "name": NAME,
        "phone": PHONE,
        "needs": ["disability"],
        "consent": "written",
        "consent_on": str(today()),
    }
    client.post(f"{BASE}add/", sent)
    one = CareHousehold.objects.get()
    page = f"{BASE}{one.pk}/do/"
    client.post(f"{page}correct/", {**sent, "name": "", "phone": "", "room": "503室", "version": "1"})
    client.post(f"{page}move/", {"node": cast.a.other_building.pk, "room": "1室", "version": "2"})
    one.refresh_from_db()
    assert (one.name, one.phone, one.room, one.node) == (NAME, PHONE, "1室", cast.a.other_building)
    assert client.post(f"{page}erase/", {"reason": "moved"})["Location"] == BASE
    assert not CareHousehold.objects.exists()
    assert client.get(f"{BASE}{one.pk}/change/").status_code == 404


@pytest.mark.parametrize(
    ("role", "status"), [("b.officer", 404), ("street_secretary", 404), ("department", 404), ("superuser", 404)]
)
def test_a_stranger_finds_nothing(cast: Cast, one: CareHousehold, role: str, status: int) -> None:
    client = signed_in(cast.people()[role])
    for name, data in (("reveal", {"purpose": "help"}), ("erase", {"reason": "asked"})):
        assert client.post(f"{BASE}{one.pk}/do/{name}/", data).status_code == status
    assert CareHousehold.objects.exists()
    assert not AuditEntry.objects.filter(action__startswith="care.").exists()


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_costs_the_same_whatever_the_rows(cast: Cast, rows: int) -> None:
    for _number in range(rows):
        make.make_household(cast.a.building, ("elderly_alone", "low_income"))
    client = signed_in(cast.a.officer)
    pages = {
        "admin.care": BASE,
        "admin.care_household": f"{BASE}{CareHousehold.objects.all()[0].pk}/change/",
        "admin.care_figures": f"{BASE}figures/",
    }
    for key, page in pages.items():
        client.get(page)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page).status_code == 200
        assert len(captured) == COUNTS[key] <= 15, key


def test_every_right_of_the_ledger_agrees_with_its_filter(cast: Cast) -> None:
    for community in (cast.a, cast.b):
        make.make_household(community.building)
    rows = list(CareHousehold.objects.all())
    for name, person in cast.people().items():
        user = fresh(person)
        for right in ("view", "manage", "reveal", "erase", "export", "count"):
            inside = CareHousehold.objects.filter(policies.within(CareHousehold, user, f"care.{right}"))
            assert set(inside) == {one for one in rows if policies.can(user, f"care.{right}", one)}, (name, right)


# --- Figures --------------------------------------------------------------------------------------------------------


def many(cast: Cast) -> None:
    """白龙塘: 6 old people alone, 3 of them disabled as well; one overdue, one run out. 城北: 7 disabled."""
    for number in range(6):
        needs = ("elderly_alone", "disability") if number < 3 else ("elderly_alone",)
        make.make_household(cast.a.building, needs, next_visit_on=today() + (number - 1) * DAY)
    make.make_household(cast.a.building, ("disability",), days_ago=370)
    for _number in range(7):
        make.make_household(cast.b.building, ("disability",), days_ago=100)


def test_figures_by_community(cast: Cast) -> None:
    many(cast)
    rows = {one.community.name: one for one in figures_of(fresh(cast.street_secretary))}
    assert set(rows) == {"白龙塘社区", "城北社区", "新民社区"}
    here, there, empty = rows["白龙塘社区"], rows["城北社区"], rows["新民社区"]
    assert (here.households, here.needs["elderly_alone"], here.needs["disability"]) == (6, 6, 3)
    assert (here.in_time, here.confirmed) == (4, 6)
    assert (there.households, there.confirmed) == (7, 0)
    assert (empty.households, empty.shown(0)) == (0, "0")


def test_small_figures_are_told_to_those_alone_who_see_the_households(cast: Cast) -> None:
    many(cast)
    for person, said in (
        (cast.a.officer, "3"),
        (cast.a.secretary, "3"),
        (cast.a.keeper, "3"),
        (cast.a.team_lead, "少于 5"),
        (cast.street_secretary, "少于 5"),
        (cast.department, "少于 5"),
    ):
        here = next(one for one in figures_of(fresh(person)) if one.community == cast.a.node)
        assert here.shown(here.needs["disability"]) == said, person
        assert here.shown(here.households) == "6"


def test_a_total_does_not_tell_the_only_small_figure(cast: Cast) -> None:
    many(cast)
    rows = figures_of(fresh(cast.street_secretary))
    assert total_of([(one, one.needs["disability"]) for one in rows]) == "—", "10 - 7 would tell"
    assert total_of([(one, one.needs["elderly_alone"]) for one in rows]) == "6"


def test_a_part_of_few_households_is_not_told(cast: Cast) -> None:
    for number in range(2):
        make.make_household(cast.a.building, next_visit_on=today() + number * DAY)
    here = next(one for one in figures_of(fresh(cast.department)) if one.community == cast.a.node)
    assert here.share(here.in_time) == "少于 5"
    own = next(one for one in figures_of(fresh(cast.a.officer)) if one.community == cast.a.node)
    assert own.share(own.in_time) == "1 / 2"


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("a.officer", 200),
        ("a.team_lead", 200),
        ("street_officer", 200),
        ("department", 200),
        ("admin", 403),
        ("auditor", 403),
        ("superuser", 403),
        ("a.keeper", 302),
        ("a.liaison", 302),
    ],
)
def test_who_reads_figures(cast: Cast, role: str, status: int) -> None:
    many(cast)
    answer = signed_in(cast.people()[role]).get(f"{BASE}figures/")
    assert answer.status_code == status
    if role in ("street_officer", "department", "a.team_lead"):
        assert "少于 5" in text_of(answer)
        assert BASE + "1/" not in text_of(answer)
    assert "赵秀兰" not in text_of(answer)


def test_a_neighbouring_street_and_county_count_nothing_here(cast: Cast) -> None:
    many(cast)
    for person in (cast.other_street_officer, cast.other_county_department, cast.other_county_secretary):
        assert all(one.households == 0 for one in figures_of(fresh(person)))
        assert cast.a.node not in [one.community for one in figures_of(fresh(person))]
    for person in (cast.superuser, cast.nobody, cast.a.liaison, cast.a.member_user, cast.admin):
        assert figures_of(fresh(person)) == []


# --- Rules ----------------------------------------------------------------------------------------------------------


def test_the_administrator_sets_the_days(cast: Cast, one: CareHousehold) -> None:
    client = signed_in(cast.admin)
    page = text_of(client.get("/admin/grids/carecadence/"))
    assert "每 7 天" in page and "12 个月" in page
    form = client.get("/admin/grids/carecadence/add/").context["form"]
    sent = {name: field.initial for name, field in form.fields.items()}
    assert client.post("/admin/grids/carecadence/add/", {**sent, "elderly_alone": 10, "months": 6}).status_code == 302
    assert CareCadence.objects.get().days == 10
    one.refresh_from_db()
    assert one.next_visit_on == timezone.localdate(one.created_at) + 10 * DAY
    answer = client.post("/admin/grids/carecadence/add/", {**sent, "months": 13})
    assert answer.context["form"].errors.keys() == {"months"}


def test_the_menu_leads_where_one_may_go(cast: Cast) -> None:
    def links(person: User) -> set[str]:
        page = text_of(signed_in(person).get("/admin/"))
        return {link for link in (BASE, f"{BASE}figures/", "/admin/grids/carecadence/") if f'href="{link}"' in page}

    assert links(cast.a.officer) == {BASE, f"{BASE}figures/"}
    assert links(cast.street_officer) == links(cast.department) == {f"{BASE}figures/"}
    assert links(cast.admin) == {"/admin/grids/carecadence/"}
    assert links(cast.auditor) == set()
