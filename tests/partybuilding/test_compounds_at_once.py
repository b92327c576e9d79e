"""Several people at one compound at the same moment: one profile, nobody overwritten, nothing left at a place out of use."""

from typing import Any

import pytest

from core.actors import SYSTEM
from core.errors import Conflict, Stale
from grids.actions import describe_compound, merge_nodes, register_remediation, retire_node
from grids.models import CompoundProfile, GridNode, Remediation
from grids.soundness import faults
from partybuilding.actions import record_running
from partybuilding.models import CompoundRunning
from tests import factories as make
from tests.cast import Cast
from tests.grids.test_tree_concurrency import again, together

WRITERS = 6


def test_the_first_facts_of_a_compound_are_written_once(transactional_cast: Cast) -> None:
    cast = transactional_cast

    def describe(year: int) -> Any:
        return lambda: describe_compound(actor=SYSTEM, node=again(cast.a.compound), version=0, built_year=year)

    def run(way: str) -> Any:
        return lambda: record_running(actor=SYSTEM, node=again(cast.a.compound), version=0, management=way)

    raised = together(*(describe(1990 + number) for number in range(WRITERS)))
    assert [type(error) for error in raised] == [Stale] * (WRITERS - 1)
    raised = together(*(run(way) for way in ("managed", "community", "unmanaged")))
    assert [type(error) for error in raised] == [Stale] * 2
    assert (CompoundProfile.objects.count(), CompoundRunning.objects.count()) == (1, 1)


def test_one_project_of_a_title_is_registered(transactional_cast: Cast) -> None:
    node = transactional_cast.a.compound

    def register() -> None:
        register_remediation(actor=SYSTEM, node=again(node), kind="lift", title="加装电梯")

    raised = together(*[register] * WRITERS)
    assert [type(error) for error in raised] == [Conflict] * (WRITERS - 1)
    assert Remediation.objects.count() == 1


def test_nothing_is_written_at_a_compound_that_goes_out_of_use_meanwhile(transactional_cast: Cast) -> None:
    for number in range(WRITERS):
        node = make.make_node(transactional_cast.a.node, "compound", f"{number} 号院")

        def retire(node: GridNode = node) -> None:
            retire_node(actor=SYSTEM, node=again(node), reason="拆迁")

        def register(node: GridNode = node) -> None:
            register_remediation(actor=SYSTEM, node=again(node), kind="lift", title="加装电梯")

        raised = together(retire, register)
        assert [type(error) for error in raised] == [Conflict]
    assert not Remediation.objects.filter(node__retired_at__isnull=False, finished_on__isnull=True).exists()
    assert list(faults()) == []


@pytest.mark.django_db
def test_a_merged_compound_leaves_its_profile_to_a_place_without_one_and_keeps_it_as_history_else(cast: Cast) -> None:
    first, second, third = (make.make_node(cast.a.node, "compound", f"{number} 号院") for number in range(3))
    for node, year in ((first, 1991), (second, 1992)):
        describe_compound(actor=SYSTEM, node=node, built_year=year)
        record_running(actor=SYSTEM, node=node, management="unmanaged")
    register_remediation(actor=SYSTEM, node=first, kind="lift", title="加装电梯")
    merge_nodes(actor=SYSTEM, node=again(third), sources=[again(first)], reason="合并管理")
    assert CompoundProfile.objects.get(node=third).built_year == 1991
    assert CompoundRunning.objects.filter(node=third).exists()
    assert Remediation.objects.get().node == third
    merge_nodes(actor=SYSTEM, node=again(third), sources=[again(second)], reason="合并管理")
    assert CompoundProfile.objects.get(node=second).built_year == 1992
    assert CompoundProfile.objects.get(node=third).built_year == 1991
    assert list(faults()) == []
