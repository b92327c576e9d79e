"""Pairings at the desk: made, changed, handed over, visited, solved; the gaps, and one ledger per place."""

import datetime
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.models import AuditEntry, User
from grids import timeline
from partybuilding.models import Pairing, PairingGuide, PairingProblem, PairingVisit
from services.models import Demand, Origin, UnitCheckIn
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
GAPS = "/admin/partybuilding/pairing/gaps/"


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(fresh(person))
    return client


def words(answer: HttpResponse) -> str:
    text = re.sub(r"<script.*?</script>|<[^>]+>", " ", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", unescape(text))


def address(row: Any, deed: str = "") -> str:
    page = f"admin:partybuilding_{row._meta.model_name}"
    return reverse(f"{page}_deed", args=[row.pk, deed]) if deed else reverse(f"{page}_change", args=[row.pk])


def start(person: User, **data: Any) -> HttpResponse:
    return signed_in(person).post(reverse("admin:partybuilding_pairing_add"), {"start": TODAY().isoformat(), **data})


# --- Deeds ----------------------------------------------------------------------------------------------------------


def test_a_pairing_lives_on_its_page(cast: Cast) -> None:
    made = start(cast.a.officer, kind="department", node=cast.a.compound.path, unit="县住建局", duty="整治停车")
    row = Pairing.objects.get()
    assert made["Location"] == address(row)
    client = signed_in(cast.a.officer)
    visit = {"visited_on": TODAY().isoformat(), "text": "看了车棚", "problem": "车棚漏雨"}
    assert client.post(address(row, "visit"), visit).status_code == 302
    problem = PairingProblem.objects.get()
    page = words(client.get(address(row)))
    for said in (
        "县住建局 → 和谐小区",
        "城北街道 · 白龙塘社区 · 和谐小区",
        "整治停车",
        "看了车棚",
        "车棚漏雨",
        "未解决",
    ):
        assert said in page, said
    assert "1" in words(client.get(reverse("admin:partybuilding_pairing_changelist")))
    solved = {"solution": "换了顶棚", "solved_on": TODAY().isoformat(), "version": 1}
    assert client.post(address(problem, "solve"), solved).status_code == 302
    assert client.get(address(problem, "solve")).status_code == 409
    assert "换了顶棚" in words(client.get(address(problem)))
    assert client.post(address(row, "change"), {"duty": "停车", "start": "2026-01-05", "version": 1}).status_code == 302
    assert client.post(address(row, "change"), {"duty": "旧", "start": "2026-01-05", "version": 1}).status_code == 409
    over = {"unit": "县水务局", "day": TODAY().isoformat(), "reason": "轮换", "version": 2}
    assert client.post(address(row, "hand_over"), over).status_code == 302
    new = Pairing.objects.get(unit=cast.a.supporting_unit)
    assert client.post(address(new, "end"), {"end": TODAY().isoformat(), "version": 1}).status_code == 302
    assert client.get(address(new, "end")).status_code == 409
    row.refresh_from_db()
    assert (row.end, row.duty) == (TODAY(), "停车")


def test_a_person_is_named_and_not_looked_up(cast: Cast) -> None:
    node = cast.a.building.path
    assert "请填写姓名" in words(start(cast.a.officer, kind="cadre", node=node))
    assert "没有这个人的账号" in words(start(cast.a.officer, kind="cadre", node=node, name="没这个人"))
    wrong = start(cast.a.officer, kind="cadre", node=node, name="队长甲", phone=cast.a.keeper.phone)
    assert "属于别人" in words(wrong)
    assert "网格员甲" not in words(wrong), "whose telephone it is, is not told"
    assert "请填写单位" in words(start(cast.a.officer, kind="department", node=cast.a.compound.path, name="队长甲"))
    assert "只能到网格、楼栋、单元" in words(start(cast.a.officer, kind="cadre", node=cast.a.node.path, name="队长甲"))
    assert not Pairing.objects.exists()
    assert start(cast.a.officer, kind="cadre", node=node, name="队长甲").status_code == 302
    assert Pairing.objects.get().user == cast.a.team_lead


def test_a_place_out_of_scope_is_not_found(cast: Cast) -> None:
    assert "没有找到" in words(start(cast.a.officer, kind="department", node=cast.b.compound.path, unit="县住建局"))
    row = make.make_pairing(cast.b.compound, cast.b.unit)
    problem, visit = make.make_problem(row), make.make_visit(row)
    client = signed_in(cast.a.officer)
    for one in (row, problem, visit):
        assert client.get(address(one)).status_code == 404
    assert client.post(address(row, "visit"), {"visited_on": "2026-01-01", "text": "x"}).status_code == 404
    assert client.post(address(problem, "solve"), {}).status_code == 404
    looker = signed_in(cast.b.team_lead)
    assert looker.get(address(row, "end")).status_code == 403
    assert looker.get(address(problem, "solve")).status_code == 403
    assert PairingVisit.objects.count() == 1


def test_lists_are_filtered_by_state_and_record(cast: Cast) -> None:
    quiet = make.make_pairing(cast.a.compound, cast.a.unit)
    busy = make.make_pairing(cast.a.compound, cast.a.supporting_unit)
    make.make_problem(busy, "灯不亮", visit=make.make_visit(busy))
    over = make.make_pairing(cast.a.building, cast.a.team_lead, end=TODAY() - DAY)
    client, listed = signed_in(cast.a.officer), reverse("admin:partybuilding_pairing_changelist")

    def shown(query: str) -> set[int]:
        return {row.pk for row in client.get(f"{listed}?{query}").context["cl"].result_list}

    assert shown("running=1") == {quiet.pk, busy.pk}
    assert shown("running=0") == {over.pk}
    assert shown("record=open") == {busy.pk}
    assert shown("record=none") == {quiet.pk, over.pk}
    assert shown("kind=cadre") == {over.pk}
    problems = reverse("admin:partybuilding_pairingproblem_changelist")
    assert "灯不亮" in words(client.get(f"{problems}?solved=0"))
    assert "灯不亮" not in words(client.get(f"{problems}?solved=1"))
    assert client.get(f"{listed}?user__phone__startswith=139").status_code == 400, "no field but the filters is asked"


def test_a_problem_that_is_too_big_becomes_a_demand(cast: Cast) -> None:
    row = make.make_pairing(cast.a.compound, cast.a.unit)
    problem = make.make_problem(row, "地下室渗水，要大修")
    client = signed_in(cast.a.officer)
    link = f"{reverse('admin:services_demand_add')}?problem={problem.pk}"
    assert link in client.get(address(problem)).content.decode()
    page = client.get(link).content.decode()
    assert "地下室渗水，要大修" in page
    assert cast.a.compound.path in page
    data = {"node": cast.a.compound.path, "category": cast.category.pk, "text": "地下室渗水，要大修", "origin": "cadre"}
    assert client.post(link, data).status_code == 302
    assert Demand.objects.get().origin == Origin.CADRE
    assert "转为需求" not in words(signed_in(cast.department).get(address(problem)))
    theirs = make.make_problem(make.make_pairing(cast.b.compound, cast.b.unit), "别人的事")
    assert "别人的事" not in words(client.get(f"{reverse('admin:services_demand_add')}?problem={theirs.pk}"))


# --- Gaps and overloads ---------------------------------------------------------------------------------------------


def cells(answer: HttpResponse) -> dict[str, list[tuple[int, int]]]:
    total = answer.context["total"]
    lines = [line for street in total.lines for line in (street, *street.lines)]
    return {line.name: [(cell.gaps, cell.due) for cell in line.cells] for line in lines}


@pytest.fixture
def paired(cast: Cast) -> Cast:
    """白龙塘社区: a leader, both buildings have a cadre, one of them with a stopped account; the compound has none."""
    PairingGuide.objects.create(county=cast.county, kind="department", level="compound", most=1)
    leader = make.make_cadre("县领导", "county_leader", cast.county)
    make.make_pairing(cast.a.node, leader, "leader")
    make.make_pairing(cast.a.building, cast.a.building_head)
    gone = make.make_user("调走的人", county=cast.county, is_active=False)
    make.make_pairing(cast.a.other_building, gone)
    make.make_pairing(cast.b.compound, cast.b.unit)
    make.make_pairing(cast.b.grid, cast.b.unit)
    return cast


def test_gaps_are_counted_for_street_and_community(paired: Cast) -> None:
    page = signed_in(paired.department).get(GAPS)
    # leader, department, cadre, lead unit
    assert cells(page) == {
        "城北街道": [(2, 3), (1, 2), (3, 4), (1, 3)],
        "白龙塘社区": [(0, 1), (1, 1), (1, 2), (0, 1)],
        "城北社区": [(1, 1), (0, 1), (2, 2), (0, 1)],
        "新民社区": [(1, 1), (0, 0), (0, 0), (1, 1)],
        "城南街道": [(1, 1), (0, 0), (0, 0), (1, 1)],
        "南门社区": [(1, 1), (0, 0), (0, 0), (1, 1)],
    }
    assert "每个小区都要有，一个单位最多 1 处" in words(page)
    own = signed_in(paired.a.officer).get(GAPS)
    assert set(cells(own)) == {"城北街道", "白龙塘社区"}
    assert cells(own)["城北街道"] == [(0, 1), (1, 1), (1, 2), (0, 1)]
    assert f"place={paired.street.pk}" not in own.content.decode(), "the street is named, and out of reach"
    assert signed_in(paired.a.officer).get(f"{GAPS}?place={paired.b.node.pk}").status_code == 404
    assert signed_in(paired.a.officer).get(f"{GAPS}?place={paired.street.pk}").status_code == 404
    assert set(cells(signed_in(paired.street_officer).get(f"{GAPS}?place={paired.b.node.pk}"))) == {
        "城北街道",
        "城北社区",
    }
    assert signed_in(paired.auditor).get(GAPS).status_code == 403


def test_places_without_anybody_are_listed_with_the_way_to_give_them_one(paired: Cast) -> None:
    page = signed_in(paired.a.officer).get(f"{GAPS}?lack=department")
    add = f"{reverse('admin:partybuilding_pairing_add')}?node={paired.a.compound.pk}&kind=department"
    assert add in unescape(page.content.decode())
    form = signed_in(paired.a.officer).get(add).content.decode()
    assert paired.a.compound.path in form
    assert re.search(r'value="department"[^>]*checked', form)
    assert paired.a.other_building.path in words(signed_in(paired.a.officer).get(f"{GAPS}?lack=cadre"))
    looker = signed_in(paired.a.team_lead).get(f"{GAPS}?lack=department")
    assert "?node=" not in looker.content.decode(), "who may not pair is shown the gap alone"
    lead = signed_in(paired.street_officer).get(f"{GAPS}?lack=lead_unit")
    check_in = f"{reverse('admin:services_unitcheckin_add')}?node={paired.empty_community.pk}"
    assert check_in in unescape(lead.content.decode())
    assert paired.empty_community.path in signed_in(paired.street_officer).get(check_in).content.decode()


def test_holders_of_too_many_are_shown_and_not_stopped(paired: Cast) -> None:
    page = signed_in(paired.b.officer).get(GAPS)
    [(load, listed)] = page.context["loads"]
    assert (load.holder, load.count, load.most) == ("县交通局", 2, 1)
    assert "q=" in listed
    assert signed_in(paired.a.officer).get(GAPS).context["loads"] == [], "nothing of it lies in the community"
    make.make_pairing(paired.other_street_community, paired.b.unit, "leader")
    more = start(paired.admin, kind="department", node=paired.a.compound.path, unit="县交通局")
    assert more.status_code == 302, "the guide warns and does not refuse"
    assert signed_in(paired.a.officer).get(GAPS).context["loads"][0][0].count == 3, "over the whole county"


def test_the_ledgers_hold_what_the_page_shows(paired: Cast) -> None:
    client = signed_in(paired.a.officer)
    page = client.get("/admin/partybuilding/pairing/export/pairing_gaps/")
    assert page.context["count"] == 2
    assert client.get("/admin/partybuilding/pairing/export/pairing_gaps/?lack=cadre").context["count"] == 1
    sent = client.post("/admin/partybuilding/pairing/export/pairing_gaps/")
    assert sent["Content-Type"].startswith("application/vnd.openxml")
    assert client.get("/admin/partybuilding/pairing/export/pairing_loads/").context["count"] == 0
    assert signed_in(paired.b.officer).post("/admin/partybuilding/pairing/export/pairing_loads/").status_code == 200
    assert AuditEntry.objects.filter(action="sheet.export").count() == 2


def test_the_county_says_how_far_it_pairs(cast: Cast) -> None:
    client = signed_in(cast.admin)
    data = {
        "leader_level": "community",
        "leader_most": 2,
        "department_level": "grid",
        "department_most": 4,
        "cadre_level": "",
        "cadre_most": 3,
    }
    guides = "/admin/partybuilding/pairing/guides/"
    assert client.get(guides).status_code == 200
    assert "1" in words(client.post(guides, {**data, "cadre_most": 0}))
    assert not PairingGuide.objects.exists()
    assert client.post(guides, data)["Location"] == GAPS
    assert {row.kind: (row.level, row.most) for row in PairingGuide.objects.all()} == {
        "leader": ("community", 2),
        "department": ("grid", 4),
        "cadre": ("", 3),
    }
    assert AuditEntry.objects.filter(action="pairing.guide", county_id=cast.county.pk).count() == 3
    client.post(guides, data)
    assert AuditEntry.objects.filter(action="pairing.guide").count() == 3, "nothing changed, nothing is written down"
    assert "干部包联" not in [str(column.cover.label) for column in client.get(GAPS).context["columns"]]
    for person in (cast.department, cast.a.officer, cast.street_officer):
        assert signed_in(person).post(guides, data).status_code == 403


# --- One ledger per place -------------------------------------------------------------------------------------------


def test_a_place_shows_who_looks_after_it_and_what_is_not_solved(cast: Cast) -> None:
    row = make.make_pairing(cast.a.compound, cast.a.unit, duty="整治停车")
    make.make_problem(row, "车棚漏雨", visit=make.make_visit(row, "看了车棚"))
    make.make_problem(row, "灯不亮", solution="换了", solved_on=TODAY())
    client = signed_in(cast.a.officer)
    page = words(client.get(reverse("admin:grids_gridnode_change", args=[cast.a.compound.pk])))
    for said in ("县住建局", "整治停车", "没有解决的问题", "车棚漏雨"):
        assert said in page, said
    below = words(client.get(reverse("admin:grids_gridnode_change", args=[cast.a.building.pk])))
    assert "县住建局" in below
    empty = client.get(reverse("admin:grids_gridnode_change", args=[cast.a.other_building.pk])).content.decode()
    assert f"?node={cast.a.other_building.pk}" in empty
    entries = [entry for entry in timeline.of(cast.a.node, fresh(cast.a.officer)) if entry.kind == "包联"]
    assert {entry.title for entry in entries} == {
        "县住建局走访：和谐小区",
        "县住建局发现问题：和谐小区",
        "县住建局解决问题：和谐小区",
    }
    assert [entry for entry in timeline.of(cast.b.node, fresh(cast.b.officer)) if entry.kind == "包联"] == []
    assert [entry for entry in timeline.of(cast.a.node, fresh(cast.b.officer)) if entry.kind == "包联"] == []


# --- What it costs --------------------------------------------------------------------------------------------------


def asked(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_pages_cost_the_same_whatever_the_rows(paired: Cast) -> None:
    pages = {
        "admin.pairings": reverse("admin:partybuilding_pairing_changelist"),
        "admin.pairing": address(Pairing.objects.get(node=paired.b.compound)),
        "admin.pairing_gaps": GAPS,
        "admin.pairing_gap": f"{GAPS}?lack=department",
    }
    client = signed_in(paired.department)
    few = {name: asked(client, path) for name, path in pages.items()}
    for number in range(8):
        node = make.make_node(paired.b.node, "compound", f"小区{number}")
        row = make.make_pairing(node, paired.b.unit)
        make.make_problem(row, visit=make.make_visit(row))
        make.make_problem(Pairing.objects.get(node=paired.b.compound), f"问题{number}")
        make.make_node(paired.b.node, "compound", f"空小区{number}")
    UnitCheckIn.objects.filter(node=paired.b.node).delete()
    many = {name: asked(client, path) for name, path in pages.items()}
    assert few == many
    assert many == {name: COUNTS[name] for name in pages}
