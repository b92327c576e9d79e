"""Two people clicking at once: exactly one wins, the other is told plainly, and nothing is written twice."""

import threading
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from core.actors import RESIDENT, SYSTEM
from core.errors import Conflict, Invalid
from grids.actions import appoint, hold_places, merge_nodes, move_node, retire_node
from grids.models import GridNode
from grids.soundness import faults
from partybuilding.actions import create_organisation
from services.actions import check_in, move, raise_demand, sweeping, tallies
from services.models import Assignment, Demand, DemandEvent, DemandState, SubOrder, Tally
from tests.cast import Cast
from tests.factories import check_in as check_in_row
from tests.factories import fresh, make_unit, make_unit_person
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


@pytest.mark.postgres
def test_of_thirty_clients_at_ten_demands_ten_win_and_the_others_learn_who(transactional_cast: Cast) -> None:
    cast = transactional_cast
    demands = [published(cast) for _number in range(10)]
    liaisons = []
    for number in range(30):
        unit = make_unit(cast.county, f"认领单位{number}")
        check_in_row(unit, cast.a.node)
        liaisons.append(fresh(make_unit_person(f"认领人{number}", unit)))
    errors = together(
        *(
            lambda user=user, demand=demands[number % 10]: move(actor=user, target=demand, name="claim", version=3)
            for number, user in enumerate(liaisons)
        )
    )
    assert len(errors) == 20
    assert all(isinstance(error, Conflict) for error in errors)
    labels = {Demand.objects.get(pk=demand.pk).lead_unit.label for demand in demands}  # type: ignore[union-attr]
    assert all(any(label in str(error) for label in labels) for error in errors)
    assert SubOrder.objects.count() == len(labels) == 10
    assert DemandEvent.objects.filter(name="claim").count() == 10


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


# --- A place that changes while something is hung on it -------------------------------------------------------------


def _raise(cast: Cast, place: GridNode) -> Any:
    return raise_demand(actor=RESIDENT, node=place, category=cast.category, text="楼道灯不亮", origin="resident")


def _report(cast: Cast, place: GridNode) -> Any:
    return check_in(actor=SYSTEM, unit=cast.idle_unit, node=place)


def _appoint(cast: Cast, place: GridNode) -> Any:
    return appoint(actor=SYSTEM, user=cast.nobody, post="building_head", place=place)


def _organise(cast: Cast, place: GridNode) -> Any:
    return create_organisation(actor=SYSTEM, county=cast.county, name="楼栋党小组", node=place)


HUNG: dict[str, Callable[[Cast, GridNode], Any]] = {
    "demand": _raise,
    "check-in": _report,
    "appointment": _appoint,
    "organisation": _organise,
}


def place_of(cast: Cast) -> GridNode:
    return GridNode.objects.select_related("county", "level_type", "community").get(pk=cast.a.other_building.pk)


def _move(cast: Cast, place: GridNode) -> None:
    move_node(actor=SYSTEM, node=place, parent=GridNode.objects.get(pk=cast.b.compound.pk))


def _retire(cast: Cast, place: GridNode) -> None:
    retire_node(actor=SYSTEM, node=place, reason="已拆除", successor=GridNode.objects.get(pk=cast.a.building.pk))


def _merge(cast: Cast, place: GridNode) -> None:
    place.refresh_from_db()
    merge_nodes(actor=SYSTEM, node=place_of_b(cast), sources=[place], reason="合并")


def place_of_b(cast: Cast) -> GridNode:
    return GridNode.objects.get(pk=cast.b.other_building.pk)


CHANGED: dict[str, Callable[[Cast, GridNode], None]] = {"move": _move, "retire": _retire, "merge": _merge}


@pytest.mark.postgres
@pytest.mark.parametrize("change", list(CHANGED))
@pytest.mark.parametrize("kind", list(HUNG))
def test_what_is_hung_on_a_place_that_just_changed_knows_it(transactional_cast: Cast, kind: str, change: str) -> None:
    """The page was read before; the place changes and its transaction is still open when the row is about to be written."""
    cast = transactional_cast
    seen = place_of(cast)
    errors: list[BaseException] = []

    def hang() -> None:
        try:
            HUNG[kind](cast, seen)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    writer = threading.Thread(target=hang)
    with transaction.atomic():
        CHANGED[change](cast, place_of(cast))
        writer.start()
        # Long enough for the other one to come to the lock; when it has not, the test proves less and still passes.
        writer.join(timeout=0.3)
    writer.join(timeout=30)
    assert not writer.is_alive()
    assert [type(error) for error in errors] == ([] if change == "move" else [Invalid]), errors
    assert list(faults()) == []
    if kind == "demand" and change == "move":
        assert Demand.objects.get().community_id == cast.b.node.pk


@pytest.mark.postgres
@pytest.mark.parametrize("change", list(CHANGED))
@pytest.mark.parametrize("kind", list(HUNG))
def test_what_was_just_hung_on_a_place_goes_along(transactional_cast: Cast, kind: str, change: str) -> None:
    """The row is written and not yet committed when the place is about to change."""
    cast = transactional_cast
    errors: list[BaseException] = []

    def alter() -> None:
        try:
            CHANGED[change](cast, place_of(cast))
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    changer = threading.Thread(target=alter)
    with transaction.atomic():
        HUNG[kind](cast, place_of(cast))
        changer.start()
        changer.join(timeout=0.3)
        assert changer.is_alive(), "it waits for whoever holds the place"
    changer.join(timeout=30)
    assert errors == []
    assert list(faults()) == []


@pytest.mark.postgres
def test_those_who_hang_something_on_a_street_do_not_wait_for_one_another(transactional_cast: Cast) -> None:
    cast = transactional_cast
    done: list[Any] = []

    def hang() -> None:
        done.append(_raise(cast, place_of(cast)))
        connection.close()

    writer = threading.Thread(target=hang)
    with transaction.atomic():
        hold_places(place_of(cast))
        writer.start()
        writer.join(timeout=30)
        assert done
