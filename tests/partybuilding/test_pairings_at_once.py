"""Two people at one pairing at the same time: one wins, the other is told, nothing is written twice and nobody waits for ever."""

import datetime

import pytest
from django.utils import timezone

from core.errors import Conflict, DomainError, Invalid, NotFound
from grids.actions import retire_node
from grids.soundness import faults
from partybuilding.actions import (
    add_visit,
    end_pairing,
    hand_over_pairing,
    solve_problem,
    start_pairing,
    update_unit,
)
from partybuilding.models import Pairing, PairingProblem, PairingVisit
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together

pytestmark = pytest.mark.django_db(transaction=True)

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)


def test_the_same_pairing_made_twice_stands_once(transactional_cast: Cast) -> None:
    a = transactional_cast.a
    people = [fresh(a.officer), fresh(a.secretary)]
    errors = together(
        *(
            lambda user=user: start_pairing(actor=user, kind="department", node=a.compound, unit=a.unit)
            for user in people
        )
    )
    assert [type(error) for error in errors] == [Conflict]
    assert Pairing.objects.count() == 1


def test_a_visit_sent_twice_is_written_once(transactional_cast: Cast) -> None:
    a = transactional_cast.a
    row = make.make_pairing(a.compound, a.unit)
    sent = [fresh(a.liaison), fresh(a.liaison)]
    errors = together(
        *(
            lambda user=user: add_visit(actor=user, pairing=row, visited_on=TODAY(), text="看了", problem="漏雨")
            for user in sent
        )
    )
    assert errors == []
    assert (PairingVisit.objects.count(), PairingProblem.objects.count()) == (1, 1)


def test_of_two_handovers_one_wins(transactional_cast: Cast) -> None:
    cast = transactional_cast
    row = make.make_pairing(cast.a.compound, cast.a.unit)
    make.make_problem(row)
    officer, secretary = fresh(cast.a.officer), fresh(cast.a.secretary)
    errors = together(
        lambda: hand_over_pairing(actor=officer, pairing=row, unit=cast.a.supporting_unit),
        lambda: hand_over_pairing(actor=secretary, pairing=row, unit=cast.idle_unit),
        lambda: end_pairing(actor=fresh(cast.street_officer), pairing=row),
    )
    assert len(errors) == 2
    assert all(isinstance(error, Conflict) for error in errors)
    row.refresh_from_db()
    assert row.end == TODAY()
    assert Pairing.objects.exclude(pk=row.pk).count() <= 1


def test_a_problem_solved_while_it_is_handed_over_is_solved_once(transactional_cast: Cast) -> None:
    cast = transactional_cast
    row = make.make_pairing(cast.a.compound, cast.a.unit)
    problem = make.make_problem(row)
    errors = together(
        lambda: hand_over_pairing(actor=fresh(cast.a.officer), pairing=row, unit=cast.a.supporting_unit),
        lambda: solve_problem(actor=fresh(cast.a.liaison), problem=problem, solution="修了"),
    )
    problem.refresh_from_db()
    # Either it was solved and stays where it was, or it had gone along and is out of the old unit's sight.
    assert (problem.is_solved, problem.pairing == row) in ((True, True), (False, False))
    assert [type(error) for error in errors] == ([] if problem.is_solved else [NotFound])


def test_nobody_is_paired_with_a_place_or_a_unit_that_goes_out_of_use(transactional_cast: Cast) -> None:
    cast = transactional_cast
    node = make.make_node(cast.a.grid, "building", "旧楼")
    errors = together(
        lambda: start_pairing(actor=fresh(cast.a.officer), kind="cadre", node=node, user=cast.a.team_lead),
        lambda: retire_node(actor=fresh(cast.admin), node=node, reason="拆除"),
    )
    assert all(isinstance(error, DomainError) for error in errors)
    assert list(faults()) == []
    open_there = Pairing.objects.filter(node=node, end=None)
    node.refresh_from_db()
    assert not (node.is_retired and open_there.exists())
    errors = together(
        lambda: start_pairing(
            actor=fresh(cast.a.officer), kind="department", node=cast.a.compound, unit=cast.idle_unit
        ),
        lambda: update_unit(actor=fresh(cast.admin), unit=cast.idle_unit, is_active=False),
    )
    assert len(errors) == 1
    assert isinstance(errors[0], Conflict | Invalid)
    cast.idle_unit.refresh_from_db()
    assert cast.idle_unit.is_active is Pairing.objects.filter(unit=cast.idle_unit).exists()
