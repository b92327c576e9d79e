"""The care ledger with two people at once: nothing is written twice, and nothing comes back after it was erased."""

import datetime

import pytest
from django.utils import timezone

from core.errors import Conflict, NotFound
from core.models import AuditEntry
from grids.actions import move_node, retire_node
from grids.actions.care import confirm_household, correct_household, record_visit, register_household
from grids.actions.care_erase import erase_household
from grids.actions.care_facts import Facts
from grids.actions.care_sweep import sweep_care
from grids.models import CareHousehold, CareNeed, CareVisit, GridNode
from grids.soundness import faults
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together

pytestmark = pytest.mark.django_db(transaction=True)


def facts(room: str = "502室") -> Facts:
    return Facts(room, "赵秀兰", frozenset({"elderly_alone"}), "written", timezone.localdate())


def test_the_same_household_is_registered_once(transactional_cast: Cast) -> None:
    cast = transactional_cast
    people = [fresh(cast.a.keeper), fresh(cast.a.officer)]
    errors = together(*(lambda u=u: register_household(actor=u, node=cast.a.building, facts=facts()) for u in people))
    assert [type(error) for error in errors] == [Conflict]
    assert "赵秀兰" not in str(errors[0])
    assert CareHousehold.objects.count() == CareNeed.objects.count() == 1
    assert AuditEntry.objects.filter(action="care.register").count() == 1


def test_nobody_is_registered_at_a_place_that_goes_out_of_use(transactional_cast: Cast) -> None:
    cast = transactional_cast
    keeper, admin = fresh(cast.a.keeper), fresh(cast.admin)
    errors = together(
        lambda: register_household(actor=keeper, node=cast.a.other_building, facts=facts()),
        lambda: retire_node(actor=admin, node=cast.a.other_building, reason="拆除"),
    )
    assert [type(error) for error in errors] == [Conflict]
    retired = GridNode.objects.get(pk=cast.a.other_building.pk).is_retired
    assert retired != CareHousehold.objects.exists()
    assert list(faults()) == []


def test_a_household_registered_while_its_place_moves_goes_along(transactional_cast: Cast) -> None:
    cast = transactional_cast
    building = make.make_node(cast.a.grid, "building", "9 号楼")
    officer, admin = fresh(cast.a.officer), fresh(cast.admin)
    target = GridNode.objects.get(pk=cast.b.grid.pk)
    together(
        lambda: register_household(actor=officer, node=building, facts=facts()),
        lambda: move_node(actor=admin, node=building, parent=target),
    )
    assert all(one.community_id == cast.b.node.pk for one in CareHousehold.objects.all())
    assert list(faults()) == []


def test_two_corrections_of_one_page_are_one(transactional_cast: Cast) -> None:
    cast = transactional_cast
    one = make.make_household(cast.a.building)
    people = [fresh(cast.a.keeper), fresh(cast.a.officer)]
    errors = together(
        *(
            lambda u=u, r=r: correct_household(actor=u, household=one, facts=facts(r), version=1)
            for u, r in zip(people, ("1室", "2室"), strict=True)
        )
    )
    assert len(errors) == 1 and isinstance(errors[0], Conflict)
    assert CareHousehold.objects.get().version == 2


def test_what_is_erased_is_erased_whoever_works_on_it(transactional_cast: Cast) -> None:
    cast = transactional_cast
    one = make.make_household(cast.a.building, days_ago=20)
    keeper, officer, secretary = fresh(cast.a.keeper), fresh(cast.a.officer), fresh(cast.a.secretary)
    errors = together(
        lambda: record_visit(actor=keeper, household=one, visited_on=timezone.localdate(), text="要人送药"),
        lambda: erase_household(actor=officer, household=one, reason="asked"),
        lambda: erase_household(actor=secretary, household=one, reason="asked"),
        lambda: confirm_household(actor=keeper, household=one),
    )
    assert all(isinstance(error, NotFound) for error in errors)
    assert not CareHousehold.objects.exists() and not CareVisit.objects.exists() and not CareNeed.objects.exists()
    assert AuditEntry.objects.filter(action="care.erase").count() == 1


def test_two_sweepers_erase_once_and_one_confirmation_saves(transactional_cast: Cast) -> None:
    cast = transactional_cast
    for _number in range(5):
        make.make_household(cast.a.building, days_ago=400)
    saved = make.make_household(cast.a.building, days_ago=370)
    keeper = fresh(cast.a.keeper)
    errors = together(sweep_care, sweep_care, lambda: confirm_household(actor=keeper, household=saved))
    assert errors == []
    assert CareHousehold.objects.get() == saved
    assert AuditEntry.objects.filter(action="care.expire").count() == 5
    assert CareHousehold.objects.get().expires_on > timezone.localdate() + datetime.timedelta(days=300)
