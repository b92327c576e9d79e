"""Who runs a compound: what goes together, who may say so, and what it is linked to."""

import datetime
from typing import Any

import pytest

from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry
from grids.actions import retire_node
from partybuilding.actions import RunningFacts, record_running, record_runnings, update_unit
from partybuilding.models import Compound, CompoundRunning, PartyOrganisation, Unit, UnitKind
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 3, 5)


@pytest.fixture
def branch(cast: Cast) -> PartyOrganisation:
    return make.make_organisation(cast.county, "和谐小区党支部", node=cast.a.compound)


@pytest.fixture
def firm(cast: Cast) -> Unit:
    return make.make_unit(cast.county, "平安物业公司", kind=UnitKind.PROPERTY)


def test_everything_about_a_managed_compound(cast: Cast, branch: PartyOrganisation, firm: Unit) -> None:
    row = record_running(
        actor=cast.a.officer,
        node=cast.a.compound,
        version=0,
        management="managed",
        firm_name="平安物业公司",
        committee="formed",
        committee_on=DAY,
        branch=branch,
        branch_setup="single",
    )
    assert (row.firm, row.branch, row.version) == (firm, branch, 1)
    assert AuditEntry.objects.get(action="compound.running").changes["firm_id"] == [None, firm.pk]
    again = record_running(actor=cast.a.officer, node=cast.a.compound, management="managed", committee_on=DAY)
    assert again.version == 1
    compound = Compound.objects.get(pk=cast.a.compound.pk)
    assert compound.running == row


def test_a_firm_need_not_be_registered_and_is_linked_once_it_is(cast: Cast) -> None:
    row = record_running(actor=cast.a.officer, node=cast.a.compound, management="managed", firm_name="平安物业公司")
    assert row.firm is None
    firm = make.make_unit(cast.county, "平安物业公司", kind=UnitKind.PROPERTY)
    row = record_running(actor=cast.a.officer, node=cast.a.compound)
    assert (row.firm, row.version) == (firm, 2)


def test_a_firm_that_runs_a_compound_is_not_closed(cast: Cast, firm: Unit) -> None:
    record_running(actor=cast.a.officer, node=cast.a.compound, management="managed", firm_name=firm.name)
    with pytest.raises(Conflict, match="在管的小区"):
        update_unit(actor=cast.admin, unit=firm, is_active=False)
    record_running(actor=cast.a.officer, node=cast.a.compound, management="unmanaged")
    update_unit(actor=cast.admin, unit=firm, is_active=False)


def test_what_ends_takes_along_what_hung_on_it(cast: Cast, firm: Unit) -> None:
    record_running(
        actor=cast.a.officer,
        node=cast.a.compound,
        management="managed",
        firm_name=firm.name,
        committee="formed",
        committee_on=DAY,
    )
    row = record_running(actor=cast.a.officer, node=cast.a.compound, management="unmanaged", committee="none")
    assert (row.firm_name, row.firm, row.committee_on) == ("", None, None)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({}, "management"),
        ({"management": "by_robots"}, "management"),
        ({"management": "unmanaged", "firm_name": "平安物业公司"}, "firm_name"),
        ({"management": "managed", "committee": "preparing", "committee_on": DAY}, "committee_on"),
        ({"management": "managed", "committee": "formed", "committee_on": datetime.date(2099, 1, 1)}, "committee_on"),
        ({"management": "managed", "branch_setup": "single"}, "branch"),
        ({"management": "managed", "branch_setup": "double"}, "branch_setup"),
        ({"management": "managed", "firm_name": "长" * 61}, "firm_name"),
    ],
)
def test_what_does_not_go_together_is_refused(cast: Cast, facts: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        record_running(actor=cast.a.officer, node=cast.a.compound, **facts)
    assert field in refused.value.fields
    assert not CompoundRunning.objects.exists()


def test_a_branch_needs_its_way_and_must_be_in_use_here(cast: Cast, branch: PartyOrganisation) -> None:
    strange = make.make_organisation(cast.other_county, "邻县党支部")
    closed = make.make_organisation(cast.county, "旧党支部", is_active=False)
    cases = ((branch, "", "branch_setup"), (strange, "single", "branch"), (closed, "single", "branch"))
    for one, setup, field in cases:
        with pytest.raises(Invalid) as refused:
            record_running(
                actor=cast.a.officer, node=cast.a.compound, management="managed", branch=one, branch_setup=setup
            )
        assert field in refused.value.fields
    assert not CompoundRunning.objects.exists()


@pytest.mark.parametrize(
    ("who", "error"),
    [("a.team_lead", Forbidden), ("a.keeper", NotFound), ("b.officer", NotFound), ("other_county_admin", NotFound)],
)
def test_nobody_else_writes_here(cast: Cast, who: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        record_running(actor=fresh(cast.people()[who]), node=cast.a.compound, management="managed")
    assert not CompoundRunning.objects.exists()


def test_two_people_at_once_and_a_retired_compound(cast: Cast) -> None:
    record_running(actor=cast.a.officer, node=cast.a.compound, version=0, management="managed")
    with pytest.raises(Stale):
        record_running(actor=cast.a.secretary, node=cast.a.compound, version=0, management="unmanaged")
    empty = make.make_node(cast.a.node, "compound", "旧小区")
    retire_node(actor=cast.admin, node=empty, reason="拆迁")
    with pytest.raises(Conflict, match="已撤销"):
        record_running(actor=cast.a.officer, node=empty, management="managed")
    assert CompoundRunning.objects.get().management == "managed"


def test_many_cost_the_same_as_one(cast: Cast, firm: Unit, django_assert_max_num_queries: Any) -> None:
    nodes = [make.make_node(cast.a.node, "compound", f"小区{number}") for number in range(30)]
    rows = [RunningFacts(node, management="managed", firm_name=firm.name) for node in nodes]
    with django_assert_max_num_queries(12):
        record_runnings(actor=SYSTEM, rows=rows)
    assert CompoundRunning.objects.filter(firm=firm).count() == 30
