"""A demand is left out of a rate: asked with a reason, decided by another, written down with what it did, reversible."""

import datetime

import pytest
from django.utils import timezone

from core import policies
from core.actors import RESIDENT
from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry, OutboxMessage
from services import posts
from services.actions import (
    approve_exclusion,
    rate_sweep,
    reject_exclusion,
    request_exclusion,
    reverse_exclusion,
    tallies,
    withdraw_exclusion,
)
from services.models import Demand, DemandEvent, RateExclusion, Tally
from services.selectors.rates import Rate, rates_of, totals
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together
from tests.services.test_loop import checked, do

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(cast: Cast) -> Demand:
    """Answered in time; the resident says it is not solved."""
    demand = checked(cast)
    return do(RESIDENT, demand, "evaluate", solved="no", satisfaction="dissatisfied")


def ask(cast: Cast, demand: Demand, *rates: str, reason: str = "停电三天，无法施工") -> RateExclusion:
    return request_exclusion(
        actor=fresh(cast.a.officer), demand=demand, rates=rates or ("resolution", "satisfaction"), reason=reason
    )


def figures() -> dict[str, Rate]:
    tallies.refresh_tallies()
    return rates_of(totals(Tally.objects.all()))


def test_until_it_is_decided_it_counts(cast: Cast, heard: Demand) -> None:
    before = figures()
    row = ask(cast, heard)
    assert row.rates == ("resolution", "satisfaction")
    assert figures() == before == {"response": Rate(1, 1), "resolution": Rate(0, 1), "satisfaction": Rate(0, 1)}
    notice = OutboxMessage.objects.get(kind="exclusion_request")
    assert notice.audience == {"post": {"right": posts.DECIDE_EXCLUSION, "county": cast.county.pk}}


def test_an_approval_leaves_it_out_and_says_what_that_did(cast: Cast, heard: Demand) -> None:
    row = approve_exclusion(actor=fresh(cast.department), exclusion=ask(cast, heard), note="属实", version=1)
    assert figures() == {"response": Rate(1, 1), "resolution": Rate(0, 0, 1), "satisfaction": Rate(0, 0, 1)}
    assert row.figures["approve"] == {
        "resolution": [[0, 1, 0], [0, 0, 1]],
        "satisfaction": [[0, 1, 0], [0, 0, 1]],
    }
    names = list(DemandEvent.objects.filter(name__startswith="exclude").values_list("name", "title"))
    assert names == [("exclude_request", "申请剔除统计：解决率、满意率"), ("exclude", "同意剔除统计：解决率、满意率")]
    assert AuditEntry.objects.filter(action="exclusion.approve").get().actor == cast.department


def test_a_reversal_lets_it_count_again(cast: Cast, heard: Demand) -> None:
    before = figures()
    row = approve_exclusion(actor=fresh(cast.department), exclusion=ask(cast, heard), note="属实")
    row = reverse_exclusion(actor=fresh(cast.department), exclusion=row, reason="后来查明是推诿", version=row.version)
    assert figures() == before
    assert (row.state, row.reversal, row.reversed_by) == ("reversed", "后来查明是推诿", cast.department)
    assert row.figures["reverse"]["resolution"] == [[0, 0, 1], [0, 1, 0]]
    ask(cast, heard, "resolution")


def test_two_exclusions_of_one_demand_stand_apart(cast: Cast, heard: Demand) -> None:
    first = approve_exclusion(actor=fresh(cast.department), exclusion=ask(cast, heard, "response"), note="好")
    with pytest.raises(Invalid, match="已经不计响应率"):
        ask(cast, heard, "response", "resolution")
    approve_exclusion(actor=fresh(cast.department), exclusion=ask(cast, heard, "resolution"), note="好")
    reverse_exclusion(actor=fresh(cast.department), exclusion=first, reason="错了")
    heard.refresh_from_db()
    assert (heard.skip_response, heard.skip_resolution) == (False, True)


def test_a_refusal_and_a_withdrawal_change_no_figure(cast: Cast, heard: Demand) -> None:
    before = figures()
    row = reject_exclusion(actor=fresh(cast.department), exclusion=ask(cast, heard), note="理由不充分")
    assert (row.state, row.note) == ("rejected", "理由不充分")
    row = ask(cast, heard)
    with pytest.raises(Conflict, match="申请人本人"):
        withdraw_exclusion(actor=fresh(cast.a.secretary), exclusion=row)
    assert withdraw_exclusion(actor=fresh(cast.a.officer), exclusion=row).state == "withdrawn"
    assert figures() == before


def test_who_may_not_is_refused_and_nothing_changes(cast: Cast, heard: Demand) -> None:
    for person in (cast.b.officer, cast.b.liaison, cast.other_county_department):
        with pytest.raises(NotFound):
            request_exclusion(actor=fresh(person), demand=heard, rates=["response"], reason="停电")
    for person in (cast.a.liaison, cast.a.keeper, cast.department):
        with pytest.raises(Forbidden):
            request_exclusion(actor=fresh(person), demand=heard, rates=["response"], reason="停电")
    assert not RateExclusion.objects.exists()
    row = ask(cast, heard)
    for person in (cast.a.officer, cast.street_officer):
        with pytest.raises(Forbidden):
            approve_exclusion(actor=fresh(person), exclusion=row, note="好")
    for person in (cast.other_county_department, cast.admin, cast.auditor):
        with pytest.raises(NotFound):
            approve_exclusion(actor=fresh(person), exclusion=row, note="好")
    row.refresh_from_db()
    assert (row.state, row.version) == ("requested", 1)


def test_of_everybody_these_ask_and_these_decide(cast: Cast, heard: Demand) -> None:
    row = ask(cast, heard)
    heard.published_at = timezone.now()  # offered to units all around
    people = {name: fresh(user) for name, user in cast.people().items()}
    asks = {name for name, user in people.items() if policies.can(user, posts.REQUEST_EXCLUSION, heard)}
    around = {"a.secretary", "a.officer", "a.team_lead", "street_secretary", "street_officer"}
    assert asks == around
    assert {name for name, user in people.items() if policies.can(user, posts.DECIDE_EXCLUSION, row)} == {"department"}


def test_who_asked_does_not_decide_whatever_other_post_they_hold(cast: Cast, heard: Demand) -> None:
    make.make_appointment(cast.a.officer, "county_department", cast.county)
    row = ask(cast, heard)
    with pytest.raises(Conflict, match="不能审核自己的申请"):
        approve_exclusion(actor=fresh(cast.a.officer), exclusion=row, note="好")


def test_bad_input_is_named(cast: Cast, heard: Demand) -> None:
    officer = fresh(cast.a.officer)
    for rates, reason, field in (([], "停电", "rates"), (["speed"], "停电", "rates"), (["response"], " ", "reason")):
        with pytest.raises(Invalid) as refused:
            request_exclusion(actor=officer, demand=heard, rates=rates, reason=reason)
        assert field in refused.value.fields
    row = ask(cast, heard, reason="请联系张三 13912345678")
    assert "13912345678" not in row.reason
    with pytest.raises(Conflict, match="等待审核"):
        ask(cast, heard, "response")
    with pytest.raises(Invalid):
        approve_exclusion(actor=fresh(cast.department), exclusion=row, note="")
    with pytest.raises(Stale):
        approve_exclusion(actor=fresh(cast.department), exclusion=row, note="好", version=9)


def test_what_nobody_decides_is_brought_to_mind_and_then_taken_higher(cast: Cast, heard: Demand) -> None:
    row = ask(cast, heard)
    leader = make.make_cadre("县领导", "county_leader", cast.county)
    rate_sweep.sweep_rates(row.due_at - datetime.timedelta(minutes=1))
    assert not OutboxMessage.objects.filter(kind="exclusion_late").exists()
    for _twice in range(2):
        rate_sweep.sweep_rates(row.due_at + datetime.timedelta(hours=1))
    assert OutboxMessage.objects.filter(kind="exclusion_late").count() == 1
    assert not OutboxMessage.objects.filter(kind="exclusion_stuck").exists()
    rate_sweep.sweep_rates(row.due_at + datetime.timedelta(days=14))
    stuck = OutboxMessage.objects.get(kind="exclusion_stuck")
    assert stuck.audience == {
        "post": {"right": posts.INSTRUCT_DEMAND, "county": cast.county.pk},
        "user": cast.a.officer.pk,
    }
    assert policies.can(fresh(leader), posts.INSTRUCT_DEMAND, heard)
    row.refresh_from_db()
    assert row.state == "requested", "nothing is left out by waiting"


def test_of_two_decisions_at_once_one_stands(transactional_cast: Cast) -> None:
    cast = transactional_cast
    demand = checked(cast)
    do(RESIDENT, demand, "evaluate", solved="no", satisfaction="dissatisfied")
    row = ask(cast, demand)
    second = make.make_cadre("组织部二", "county_department", cast.county)
    people = [fresh(cast.department), fresh(second)]
    errors = together(
        lambda: approve_exclusion(actor=people[0], exclusion=row, note="好", version=row.version),
        lambda: reject_exclusion(actor=people[1], exclusion=row, note="不好", version=row.version),
    )
    assert len(errors) == 1 and isinstance(errors[0], Conflict)
    row.refresh_from_db()
    demand.refresh_from_db()
    assert demand.skip_resolution == (row.state == "approved")
    assert AuditEntry.objects.filter(action__in=["exclusion.approve", "exclusion.reject"]).count() == 1


def test_of_two_requests_at_once_one_stands(transactional_cast: Cast) -> None:
    cast = transactional_cast
    demand = make.make_demand(cast.a.building)
    people = [fresh(cast.a.officer), fresh(cast.a.secretary)]
    errors = together(
        *(
            lambda one=one: request_exclusion(actor=one, demand=demand, rates=["response"], reason="停电")  # type: ignore[misc]
            for one in people
        )
    )
    assert len(errors) == 1 and isinstance(errors[0], Conflict)
    assert RateExclusion.objects.count() == 1


def test_the_limit_is_of_working_days(cast: Cast, heard: Demand) -> None:
    row = ask(cast, heard)
    assert row.due_at > timezone.now() + datetime.timedelta(days=2)
