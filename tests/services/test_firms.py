"""物业服务: what property firms were advised, what was passed on to them and what came of it, the same on every face."""

import datetime
import io
import json
import random
from pathlib import Path
from typing import Any

import docx
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from core.actors import RESIDENT
from core.models import User
from core.periods import Month, Year
from grids.models import GridNode
from partybuilding.models import Unit
from services.models import Demand, Evaluation, ServiceRating, SubOrder
from services.selectors.firms import Figures, board, found_at
from tests.cast import Cast
from tests.factories import make_cadre, make_demand, make_node, make_suborder, make_unit_person
from tests.services.test_loop import checked, do, raised
from tests.weft_factories import make_activity, make_firm

pytestmark = pytest.mark.django_db
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
PAGE = "/admin/services/demand/firms/"
LEDGER = "/admin/services/demand/firms/ledger/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def this_year() -> Year:
    return Year.of(timezone.localdate())


@pytest.fixture
def firm(cast: Cast) -> Unit:
    return make_firm(cast.county, cast.a.compound)


@pytest.fixture
def world(cast: Cast, firm: Unit) -> Cast:
    """Of the firm in the compound of community a: two pieces of advice, an order open, one late, one finished and
    evaluated, one given back."""
    now = timezone.now()
    a, day = cast.a, datetime.timedelta(days=1)
    make_activity(a.node, firm, kind="advice", title="指导物业公开收费")
    make_activity(a.compound, firm, a.unit, kind="advice", title="指导物业整改消防通道")
    make_activity(a.compound, firm, kind="hygiene", title="小区大扫除")
    make_activity(a.compound, a.unit, kind="advice", title="没有物业参加的指导")
    given = {"state": "dispatched", "dispatched_at": now}
    make_suborder(make_demand(a.building, title="单元门坏了", **given), firm, due_at=now + day)
    make_suborder(make_demand(a.compound, title="电梯异响", **given), firm, state="signed", due_at=now - day)
    done = make_demand(a.building, title="楼道灯不亮", state="closed_off", solved=True, satisfaction="satisfied")
    order = make_suborder(done, firm, state="finished", finished_at=now, due_at=now + day)
    ServiceRating.objects.create(
        county=cast.county, community=a.node, unit=firm, side="community", suborder=order, grade="fairly"
    )
    ServiceRating.objects.create(
        county=cast.county, community=a.node, unit=firm, side="unit", suborder=order, grade="dissatisfied"
    )
    make_suborder(make_demand(a.building, title="不归物业", **given), firm, "supporting", state="returned")
    make_suborder(make_demand(a.building, title="别的单位的", **given), a.unit, due_at=now - day)
    return cast


def shown(found: Figures) -> tuple[int, ...]:
    """Advice, passed on, finished, open, late, returned, solved by the requesters' word."""
    orders = [found.orders[name] for name in ("finished", "open", "late", "returned")]
    return (found.advice, found.passed, *orders, found.heard)


def test_what_counts(world: Cast, firm: Unit) -> None:
    found = board(world.county, world.a.node, this_year())
    assert shown(found.whole) == (2, 4, 1, 2, 1, 1, 1)
    [line] = found.firms
    assert (line.firm, line.compounds, shown(line.figures)) == (firm, 1, shown(found.whole))
    rate = found.whole.rate("satisfaction")
    assert (rate.numerator, rate.denominator) == (1, 1)
    assert (found.whole.graded.count, found.whole.graded.fairly) == (1, 1), (
        "the firm's word of the community is not counted"
    )
    assert [(node.name, shown(figures)) for node, figures in found.below] == [("和谐小区", (1, 4, 1, 2, 1, 1, 1))]
    assert shown(board(world.county, world.a.compound, this_year()).whole) == (1, 4, 1, 2, 1, 1, 1)
    assert shown(board(world.county, world.b.node, this_year()).whole) == (0,) * 7
    assert [one.firm for one in board(world.county, world.b.node, this_year()).firms] == []
    streets = board(world.county, None, this_year())
    assert [(node.name, shown(figures)[:2]) for node, figures in streets.below] == [
        ("城北街道", (2, 4)),
        ("城南街道", (0, 0)),
    ]


def test_by_the_day_of_registration_and_of_the_advice(world: Cast, firm: Unit) -> None:
    long_ago = Month(2020, 3)
    Demand.objects.filter(title="电梯异响").update(registered_at=long_ago.start)
    make_activity(world.a.node, firm, kind="advice", title="早先的指导", held_on=long_ago.first_day)
    assert shown(board(world.county, world.a.node, long_ago).whole) == (1, 1, 0, 1, 1, 0, 0)
    assert shown(board(world.county, world.a.node, this_year()).whole) == (2, 3, 1, 1, 0, 1, 1)
    assert shown(board(world.county, world.a.node).whole) == (3, 4, 1, 2, 1, 1, 1)


def test_an_advice_to_two_firms_is_one_of_the_place(world: Cast, firm: Unit) -> None:
    other = make_firm(world.county, name="东方物业公司")
    make_activity(world.a.node, firm, other, kind="advice", title="两家一起指导")
    found = board(world.county, world.a.node, this_year())
    assert found.whole.advice == 3
    assert {line.firm.name: line.figures.advice for line in found.firms} == {"安居物业公司": 3, "东方物业公司": 1}


def test_who_asked_and_was_linked_says_for_themselves(cast: Cast, firm: Unit) -> None:
    main, twin = raised(cast), raised(cast, text="我家那层的灯也不亮，老人看不见。")
    do(cast.a.officer, main, "accept")
    do(cast.a.officer, twin, "link", matter=main)
    main = do(cast.a.officer, main, "dispatch", unit=firm)
    liaison = make_unit_person("物业经理", firm)
    order = main.suborders.get()
    do(liaison, order, "sign", contacted=True)
    do(liaison, order, "report", text="已联系电工。")
    do(liaison, order, "finish", text="更换声控灯 6 盏。")
    do(cast.a.officer, main, "check", note="看过，灯亮。")
    do(RESIDENT, main, "evaluate", solved="yes", satisfaction="satisfied")
    assert board(cast.county, cast.a.node).whole.heard == 1
    do(RESIDENT, Demand.objects.get(pk=twin.pk), "evaluate", solved="yes", satisfaction="fairly")
    found = board(cast.county, cast.a.node).whole
    assert (found.heard, found.passed, found.rate("satisfaction").denominator) == (2, 1, 1)
    assert Evaluation.objects.count() == 2
    assert checked(cast) is not None and board(cast.county, cast.a.node).whole.passed == 1, (
        "another unit's is not counted"
    )


@pytest.mark.parametrize("seed", range(3))
def test_recounted_by_hand(cast: Cast, seed: int) -> None:
    """Random orders of three firms and a department in five places, counted by Python alone."""
    draw = random.Random(seed)
    now = timezone.now()
    places = [cast.a.node, cast.a.compound, cast.a.floor, cast.b.building, cast.other_street_community]
    firms = [make_firm(cast.county, name=f"物业{number}") for number in range(3)]
    year = this_year()
    rows: list[tuple[Demand, SubOrder]] = []
    for _number in range(60):
        place, unit = draw.choice(places), draw.choice([*firms, cast.a.unit])
        heard = draw.choice([None, True, False])
        demand = make_demand(
            place,
            state="dispatched",
            solved=heard,
            satisfaction="" if heard is None else draw.choice(["satisfied", "fairly", "dissatisfied"]),
            skip_satisfaction=draw.random() < 0.2,
            registered_at=draw.choice([now, year.start, year.start - datetime.timedelta(days=40)]),
        )
        state = draw.choice(["dispatched", "signed", "return_requested", "in_service", "finished", "returned"])
        days = datetime.timedelta(days=draw.choice([-3, 3]))
        role = draw.choice(["lead", "supporting"])
        done = now + draw.choice([-1, 1]) * datetime.timedelta(days=5) if state == "finished" else None
        rows.append((demand, make_suborder(demand, unit, role, state=state, due_at=now + days, finished_at=done)))
    for place in (None, cast.street, *places):
        _compare(cast, place, rows, year)


def _compare(cast: Cast, place: GridNode | None, rows: list[tuple[Demand, SubOrder]], year: Year) -> None:
    now = timezone.now()
    if place is not None:
        place.refresh_from_db()

    def inside(demand: Demand) -> bool:
        above = demand.node.get_ancestors(include_self=True)
        return year.contains(demand.registered_at) and (place is None or place in above)

    found = board(cast.county, place, year)
    for line in found.firms:
        own = [(one, order) for one, order in rows if inside(one) and order.unit == line.firm]
        late = [
            order
            for _one, order in own
            if order.due_at
            and (
                (order.state == "finished" and order.finished_at and order.finished_at > order.due_at)
                or (order.state not in ("finished", "returned") and order.due_at < now)
            )
        ]
        led = [one for one, order in own if order.role == "lead"]
        rated = [one for one in led if one.solved is not None and not one.skip_satisfaction]
        assert shown(line.figures) == (
            0,
            len(own),
            sum(order.state == "finished" for _one, order in own),
            sum(order.state not in ("finished", "returned") for _one, order in own),
            len(late),
            sum(order.state == "returned" for _one, order in own),
            sum(one.solved is True for one in led),
        )
        rate = line.figures.rate("satisfaction")
        assert rate.denominator == len(rated)
        assert rate.numerator == sum(one.satisfaction in ("satisfied", "fairly") for one in rated)
    every = Figures()
    for line in found.firms:
        every.add(line.figures)
    assert shown(every) == shown(found.whole)


def test_every_face_says_the_same(world: Cast, firm: Unit) -> None:
    client = signed_in(world.a.officer)
    page = client.get(PAGE).content.decode()
    assert "物业服务" in page and "安居物业公司" in page and "本社区" not in page
    told = client.get("/api/v1/property-firms/").json()
    names = ("advice", "passed", "finished", "open", "late", "returned", "heard")
    assert [told[name] for name in names] == [2, 4, 1, 2, 1, 1, 1]
    assert [told["firms"][0][name] for name in names] == [2, 4, 1, 2, 1, 1, 1]
    assert told["rates"]["satisfaction"] == {"numerator": 1, "denominator": 1, "excluded": 0, "percent": None}
    assert (told["ratings"], told["ratings_good"], told["firms"][0]["compounds"]) == (1, 1, 1)
    for query, first in (("", "合计"), ("?by=firm", "安居物业公司")):
        sheet = load_workbook(io.BytesIO(client.get(LEDGER + query).content)).active
        lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
        start = 3 if query else 2
        assert any(line[1] == first and line[start : start + 7] == [2, 4, 1, 2, 1, 1, 1] for line in lines), lines


def test_every_figure_leads_to_as_many_rows(world: Cast, firm: Unit) -> None:
    client = signed_in(world.a.officer)
    listed = f"/admin/services/demand/?place={world.a.node.pk}&period={this_year().code}"
    page = client.get(PAGE).content.decode().replace("&amp;", "&")
    for standing, count in (("any", 4), ("finished", 1), ("open", 2), ("late", 1), ("returned", 1)):
        for unit in ("", f"&unit={firm.pk}"):
            address = f"{listed}&passed={standing}{unit}"
            assert address in page
            assert f"共 {count} 条" in client.get(address).content.decode(), address
    for who in ("any", firm.pk):
        address = f"/admin/services/activity/?place={world.a.node.pk}&period={this_year().code}&kind=advice&firm={who}"
        assert address in page
        assert "共 2 条" in client.get(address).content.decode()
    assert 'name="passed"' not in client.get(listed).content.decode(), "offered only where it is in use"


def test_the_sheet_for_the_review(world: Cast, firm: Unit) -> None:
    Demand.objects.filter(title="电梯异响").update(title="电梯异响，请打13900000001")
    answer = signed_in(world.a.officer).get(f"/admin/services/demand/firms/{firm.pk}/review/")
    paper = docx.Document(io.BytesIO(answer.content))
    words = "\n".join(line.text for line in paper.paragraphs)
    cells = [[cell.text for cell in row.cells] for table in paper.tables for row in table.rows]
    assert "安居物业公司" in words and "在管小区 1 个" in words and "满意率：样本不足（1/1）" in words
    assert ["2", "4", "1", "2", "1", "1"] in cells
    [late] = [row for row in cells if row[-1] == "未办结"]
    assert "电梯异响" in late[1] and "13900000001" not in late[1]
    other = make_firm(world.county, world.b.compound, name="乙物业公司")
    assert signed_in(world.a.officer).get(f"/admin/services/demand/firms/{other.pk}/review/").status_code == 404


def test_on_the_pages_of_the_compound_and_its_places(world: Cast, firm: Unit) -> None:
    client = signed_in(world.a.officer)
    for address in (
        f"/admin/partybuilding/compound/{world.a.compound.pk}/change/",
        f"/admin/grids/gridnode/{world.a.compound.pk}/change/",
    ):
        page = client.get(address).content.decode()
        assert "物业服务（今年）" in page and f"{PAGE}?place={world.a.compound.pk}" in page
    [line] = found_at(world.a.compound, this_year())
    assert shown(line.figures)[:5] == (1, 4, 1, 2, 1)
    assert "物业服务（今年）" not in client.get(f"/admin/grids/gridnode/{world.b.compound.pk}/change/").content.decode()
    assert found_at(make_node(world.a.node, "compound", "三无小区"), this_year()) == ()


def test_nobody_reads_what_is_not_theirs(world: Cast, firm: Unit) -> None:
    liaison = make_unit_person("物业经理", firm)
    officer = make_cadre("县级干部", "county_officer", world.county)
    manager = make_cadre("物业项目经理", "property_lead", world.a.compound)
    for user in (liaison, officer, manager, world.a.keeper, world.a.liaison, world.auditor, world.admin):
        client = signed_in(user)
        for address in (PAGE, LEDGER, f"{PAGE}{firm.pk}/review/"):
            assert client.get(address).status_code in (302, 403), (user, address)
        assert client.get("/api/v1/property-firms/").status_code == 404, user
    for user, place in (
        (world.b.officer, world.a.node),
        (world.a.officer, world.b.node),
        (world.other_county_department, world.street),
    ):
        client = signed_in(user)
        for address in (PAGE, LEDGER):
            assert client.get(f"{address}?place={place.pk}").status_code == 404
        assert client.get(f"/api/v1/property-firms/?place={place.code}").status_code in (400, 404)
    assert signed_in(world.b.officer).get(f"{PAGE}{firm.pk}/review/").status_code == 404
    for user in (world.department, world.street_officer, world.a.officer):
        assert signed_in(user).get(f"{PAGE}?place={world.a.node.pk}").status_code == 200
    assert signed_in(world.department).get("/api/v1/property-firms/?period=someday").status_code == 400


@pytest.mark.parametrize("rows", [1, 9])
def test_it_costs_the_same_whatever_the_rows(world: Cast, rows: int) -> None:
    for number in range(rows):
        other = make_firm(world.county, make_node(world.a.node, "compound", f"小区{number}"), name=f"物业{number}")
        make_suborder(make_demand(world.a.building), other)
        make_activity(world.a.node, other, kind="advice", title=f"指导{number}")
    client = signed_in(world.department)
    for name, address in (("admin.firms", PAGE), ("api.firms", "/api/v1/property-firms/")):
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        assert len(captured) == COUNTS[name], f"{name}: {len(captured)}"
    with CaptureQueriesContext(connection) as captured:
        board(world.county, None, this_year())
    assert len(captured) <= 9
    with CaptureQueriesContext(connection) as captured:
        found_at(world.a.compound, this_year())
    assert len(captured) == 4


def test_a_firm_out_of_use_is_told_of_without_ways(world: Cast, firm: Unit) -> None:
    Unit.objects.filter(pk=firm.pk).update(is_active=False)
    page: Any = signed_in(world.a.officer).get(PAGE).content.decode()
    assert "安居物业公司" in page and f"unit={firm.pk}" not in page
    [line] = board(world.county, world.a.node, this_year()).firms
    assert (line.compounds, line.figures.passed) == (0, 4)
