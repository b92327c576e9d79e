"""Two people clicking at once: exactly one wins, the other is told plainly, and nothing is written twice."""

from io import StringIO

from django.core.management import call_command

from core.errors import Conflict
from services.actions import move, sweeping, tallies
from services.models import Assignment, Demand, DemandEvent, DemandState, SubOrder, Tally
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together
from tests.services.test_loop import dispatched, do, raised


def published(cast: Cast) -> Demand:
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    return do(cast.a.officer, demand, "publish")


def test_of_two_claims_one_wins_and_the_other_learns_who_has_it(transactional_cast: Cast) -> None:
    cast = transactional_cast
    demand = published(cast)
    claimers = [fresh(cast.a.liaison), fresh(cast.a.supporting_liaison)]
    raised_errors = together(
        *(lambda user=user: move(actor=user, target=demand, name="claim", version=demand.version) for user in claimers)
    )
    assert len(raised_errors) == 1
    winner = Demand.objects.get(pk=demand.pk).lead_unit
    assert isinstance(raised_errors[0], Conflict)
    assert winner is not None
    assert winner.label in str(raised_errors[0])
    assert SubOrder.objects.get().unit == winner
    assert DemandEvent.objects.filter(name="claim").count() == 1


def test_claiming_against_a_dispatch_gives_one_lead(transactional_cast: Cast) -> None:
    cast = transactional_cast
    demand = published(cast)
    officer, liaison = fresh(cast.a.officer), fresh(cast.a.liaison)
    errors = together(
        lambda: move(actor=officer, target=demand, name="dispatch", data={"unit": cast.a.supporting_unit}),
        lambda: move(actor=liaison, target=demand, name="claim"),
    )
    assert [type(error).__mro__[1] for error in errors] == [Conflict]
    assert SubOrder.objects.filter(role="lead").count() == 1
    assert Demand.objects.get().state == DemandState.DISPATCHED


def test_two_members_taking_at_once_both_serve(transactional_cast: Cast) -> None:
    cast = transactional_cast
    _demand, suborder = dispatched(cast)
    do(cast.a.liaison, suborder, "sign")
    do(cast.a.liaison, suborder, "assign", members=[cast.a.member, cast.a.second_member])
    users = [fresh(cast.a.member_user), fresh(cast.a.second_member_user)]
    offers = [Assignment.objects.get(member__user=user) for user in users]
    errors = together(
        *(
            lambda user=user, offer=offer: move(actor=user, target=offer, name="take")
            for user, offer in zip(users, offers, strict=True)
        )
    )
    assert errors == []
    assert set(Assignment.objects.values_list("state", flat=True)) == {"taken"}
    assert SubOrder.objects.get().state == "in_service"


def test_a_double_click_finishes_once(transactional_cast: Cast) -> None:
    cast = transactional_cast
    _demand, suborder = dispatched(cast)
    liaison = fresh(cast.a.liaison)
    errors = together(*[lambda: move(actor=liaison, target=suborder, name="sign", version=suborder.version)] * 2)
    assert len(errors) == 1
    assert isinstance(errors[0], Conflict)
    assert DemandEvent.objects.filter(name="sign").count() == 1


def test_two_sweepers_mark_and_tell_once(transactional_cast: Cast) -> None:
    cast = transactional_cast
    _demand, suborder = dispatched(cast)
    assert suborder.due_at is not None
    now = suborder.due_at.replace(year=suborder.due_at.year + 1)
    errors = together(*[lambda: sweeping.sweep(now)] * 2)
    assert errors == []
    assert DemandEvent.objects.filter(name="late").count() == 1
    assert DemandEvent.objects.filter(name="response_late").count() == 1


def test_two_tally_keepers_count_once(transactional_cast: Cast) -> None:
    cast = transactional_cast
    dispatched(cast)
    errors = together(*[lambda: tallies.refresh_tallies()] * 2)
    assert errors == []
    assert Tally.objects.get().registered == 1
    call_command("check_tallies", stdout=StringIO())
