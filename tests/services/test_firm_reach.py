"""What hangs in a compound can be given to the property firm that runs it (转物业办理), and the firm learns of nothing else."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import policies
from core.errors import Invalid, NotFound
from grids.models import GridNode
from partybuilding.models import CompoundRunning, Unit
from services.actions import triage
from services.actions.routing import dispatch_by_rule
from services.actions.triage import Order
from services.models import Demand, RoutingRule, SubOrder, SubOrderState
from services.reach import grounds_of, serves
from services.selectors import loop as selectors
from services.selectors.routing import route_of
from services.selectors.triage import units_around
from tests.cast import Cast
from tests.factories import check_in, fresh, make_demand, make_node, make_unit_person
from tests.services.test_loop import do, raised
from tests.weft_factories import make_firm

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm(cast: Cast) -> Unit:
    """A firm that runs the compound of community a and has reported nowhere."""
    return make_firm(cast.county, cast.a.compound)


def accepted(cast: Cast, node: GridNode | None = None, **fields: Any) -> Demand:
    return make_demand(node or cast.a.building, cast.category, state="accepted", **fields)


def offered(cast: Cast, demand: Demand, user: Any = None) -> list[str]:
    return [unit.name for unit in selectors.units_to_dispatch(demand, user or fresh(cast.a.officer))]


def test_the_compounds_own_firm_stands_first_among_the_units(cast: Cast, firm: Unit) -> None:
    demand = accepted(cast, cast.a.floor)
    assert offered(cast, demand) == [firm.name, cast.a.unit.name, cast.a.supporting_unit.name]
    page = Client()
    page.force_login(cast.a.officer)
    words = page.get(f"/admin/services/demand/{demand.pk}/move/dispatch/").content.decode()
    assert words.index("安居物业公司（本小区物业）") < words.index("县住建局")
    demand.desk = "county"
    assert offered(cast, demand, fresh(cast.department))[0] == firm.name
    demand.desk = "street"
    assert offered(cast, demand, fresh(cast.street_officer))[0] == firm.name


def test_its_people_do_all_of_the_work(cast: Cast, firm: Unit) -> None:
    liaison = make_unit_person("物业经理", firm)
    demand = raised(cast, contact_name="张三", contact_phone="13900000001")
    do(cast.a.officer, demand, "accept")
    demand = do(cast.a.officer, demand, "dispatch", unit=firm)
    order = demand.suborders.get()
    do(liaison, order, "sign", contacted=True)
    do(liaison, order, "report", text="已联系电工。")
    demand = do(liaison, order, "finish", text="更换声控灯 6 盏。")
    assert (demand.state, demand.lead_unit) == ("finished", firm)
    seen = selectors.find_demand(fresh(liaison), code=demand.code)
    assert (seen.masked_name, seen.masked_phone) == ("张*", "139****0001")


def test_it_sees_nothing_it_was_not_given(cast: Cast, firm: Unit) -> None:
    liaison = make_unit_person("物业经理", firm)
    mine = raised(cast)
    do(cast.a.officer, mine, "accept")
    mine = do(cast.a.officer, mine, "dispatch", unit=firm)
    complaint = accepted(cast, cast.a.compound, title="物业乱收费", text="物业乱收停车费。")
    do(cast.a.officer, complaint, "publish")
    assert list(Demand.objects.visible_to(fresh(liaison))) == [mine]
    assert not policies.sees(fresh(liaison), complaint)
    with pytest.raises(NotFound):
        selectors.find_demand(fresh(liaison), code=complaint.code)
    with pytest.raises(NotFound):
        do(liaison, complaint, "claim")
    complaint.refresh_from_db()
    assert (complaint.state, complaint.lead_unit) == ("published", None)


def _ends(**change: Any) -> Any:
    def end(firm: Unit) -> None:
        for name, value in change.items():
            target = {"unit": firm, "node": GridNode, "running": CompoundRunning}[name]
            rows = (
                Unit.objects.filter(pk=firm.pk)
                if isinstance(target, Unit)
                else target.objects.filter(**({"compound_running__firm": firm} if name == "node" else {"firm": firm}))
            )
            rows.update(**value)

    return end


@pytest.mark.parametrize(
    "end",
    [
        _ends(running={"management": "community", "firm": None, "firm_name": ""}),
        _ends(running={"management": "unmanaged"}),
        _ends(unit={"is_active": False}),
        _ends(unit={"kind": "company"}),
        _ends(node={"retired_at": "2026-01-01T00:00:00+08:00"}),
    ],
    ids=["ran-out", "unmanaged", "stopped", "no-property-firm", "compound-retired"],
)
def test_when_it_runs_the_compound_no_longer_it_keeps_what_it_has_and_gets_no_more(
    cast: Cast, firm: Unit, end: Any
) -> None:
    liaison = make_unit_person("物业经理", firm)
    first, second = accepted(cast), accepted(cast)
    do(cast.a.officer, first, "dispatch", unit=firm)
    end(firm)
    assert offered(cast, second) == [cast.a.unit.name, cast.a.supporting_unit.name]
    with pytest.raises(Invalid, match="没有在"):
        do(cast.a.officer, second, "dispatch", unit=Unit.objects.get(pk=firm.pk))
    second.refresh_from_db()
    assert (second.state, second.suborders.count()) == ("accepted", 0)
    [order] = SubOrder.objects.filter(demand=first)
    assert (order.unit, order.state) == (firm, SubOrderState.DISPATCHED)
    if Unit.objects.get(pk=firm.pk).is_active:
        do(liaison, order, "sign", contacted=True)


def test_only_in_its_own_compound(cast: Cast, firm: Unit) -> None:
    other = make_node(cast.a.node, "compound", "东方小区")
    theirs = make_firm(cast.county, other, name="东方物业公司")
    for place, found in [
        (cast.a.compound, {firm}),
        (cast.a.floor, {firm}),
        (cast.a.node, set()),
        (other, {theirs}),
        (cast.b.building, set()),
    ]:
        place.refresh_from_db()
        assert set(Unit.objects.filter(serves(place), kind="property")) == found, place
        grounds = grounds_of([firm.pk, theirs.pk])
        assert {unit for unit in (firm, theirs) if any(one.holds(place) for one in grounds[unit.pk])} == found
    demand = accepted(cast, other)
    with pytest.raises(Invalid, match="小区档案"):
        do(cast.a.officer, demand, "dispatch", unit=firm)
    assert not SubOrder.objects.exists()


def test_a_dispatch_asks_the_database_no_more_than_before(cast: Cast, firm: Unit) -> None:
    def statements(unit: Unit) -> int:
        demand = accepted(cast)
        with CaptureQueriesContext(connection) as captured:
            do(cast.a.officer, demand, "dispatch", unit=unit)
        return len(captured)

    statements(cast.a.unit)  # what is read once a process
    assert statements(firm) == statements(cast.a.unit)
    with CaptureQueriesContext(connection) as captured:
        grounds_of([firm.pk, cast.a.unit.pk])
    assert len(captured) == 1


def test_many_are_passed_on_together(cast: Cast, firm: Unit) -> None:
    rows = [accepted(cast), accepted(cast), accepted(cast, cast.a.node)]
    assert firm in units_around(rows)
    orders = [Order(row.pk, row.version, [("dispatch", {"unit": firm})]) for row in rows]
    answers = triage.triage(actor=fresh(cast.a.officer), orders=orders)
    assert [answer.reason[:12] for answer in answers] == ["", "", f"“{firm.name}”没有在“"[:12]]
    assert SubOrder.objects.filter(unit=firm).count() == 2
    page = Client()
    page.force_login(cast.a.officer)
    more = [accepted(cast), accepted(cast, cast.a.compound)]
    address = "/admin/services/demand/bulk/dispatch/?" + "&".join(f"id={row.pk}" for row in more)
    assert firm.name in page.get(address).content.decode()
    # The community itself is in no compound: nobody can be given both who has reported to neither.
    assert firm.name not in page.get(f"{address}&id={rows[2].pk}").content.decode()


def test_rules_may_send_to_it(cast: Cast, firm: Unit) -> None:
    rule = RoutingRule.objects.create(county=cast.county, name="小区设施", unit=firm, mode="auto")
    inside, outside = accepted(cast), accepted(cast, cast.a.node)
    assert route_of(inside).unit == firm  # type: ignore[union-attr]
    assert route_of(outside) is None
    assert (dispatch_by_rule(inside).state, dispatch_by_rule(outside).state) == ("dispatched", "accepted")
    assert rule.unit == firm


def test_programs_are_offered_it(cast: Cast, firm: Unit) -> None:
    page = Client()
    page.force_login(cast.a.officer)
    demand = accepted(cast)
    found = page.get("/api/v1/units/", {"demand": demand.code}).json()["results"]
    assert [row["name"] for row in found if row["kind"] == "property"] == [firm.name]


def test_a_firm_that_has_reported_as_well_is_one_unit(cast: Cast, firm: Unit) -> None:
    check_in(firm, cast.a.node)
    assert offered(cast, accepted(cast)).count(firm.name) == 1
