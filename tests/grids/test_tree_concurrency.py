"""Many people changing the same streets at once: nothing is corrupted, nobody waits for ever."""

import threading
from collections.abc import Callable

from django.db import connection

from core.actors import SYSTEM
from core.errors import Conflict, Stale
from grids.actions import appoint, create_node, move_node, rename_node, retire_node
from grids.models import Appointment, GridNode
from grids.soundness import faults
from tests.cast import Cast

WRITERS = 10
ROUNDS = 8


def together(*jobs: Callable[[], None]) -> list[BaseException]:
    """Runs the jobs in threads that start at the same moment. Returns what was raised."""
    ready = threading.Barrier(len(jobs))
    raised: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            ready.wait(timeout=30)
            job()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    return raised


def again(node: GridNode) -> GridNode:
    return GridNode.objects.get(pk=node.pk)


def test_ten_writers_on_two_streets_leave_every_tree_sound(transactional_cast: Cast) -> None:
    cast = transactional_cast
    refused = 0

    def writer(number: int) -> None:
        nonlocal refused
        home, away = (cast.a.node, cast.other_street_community)[:: 1 if number % 2 else -1]
        for turn in range(ROUNDS):
            grid = create_node(actor=SYSTEM, parent=again(home), level="grid", name=f"{number}-{turn}")
            building = create_node(actor=SYSTEM, parent=grid, level="building", name="1 号楼")
            try:
                # The whole grid goes to the other street, against the writers who come from there.
                move_node(actor=SYSTEM, node=again(grid), parent=again(away))
                rename_node(actor=SYSTEM, node=again(grid), name=f"{number}-{turn} 改")
                retire_node(actor=SYSTEM, node=again(building), reason="调整")
            except Conflict:
                refused += 1

    raised = together(*[lambda number=number: writer(number) for number in range(WRITERS)])  # type: ignore[misc]
    assert raised == []
    assert refused == 0
    assert list(faults()) == []
    assert GridNode.objects.filter(level_type__key="grid").count() == 2 + WRITERS * ROUNDS


def test_streets_made_at_once_in_two_counties_each_get_a_tree(transactional_cast: Cast) -> None:
    cast = transactional_cast
    counties = [cast.county, cast.other_county]

    def maker(number: int) -> Callable[[], None]:
        def make() -> None:
            create_node(actor=SYSTEM, county=counties[number % 2], level="street", name=f"第{number}街道")

        return make

    assert together(*[maker(number) for number in range(8)]) == []
    roots = GridNode.objects.filter(parent__isnull=True)
    assert roots.count() == 11
    assert len(set(roots.values_list("tree_id", flat=True))) == 11
    assert list(faults()) == []


def test_communities_that_change_streets_crosswise_do_not_deadlock(transactional_cast: Cast) -> None:
    cast = transactional_cast
    moved = together(
        lambda: move_node(actor=SYSTEM, node=again(cast.a.node), parent=again(cast.other_street)) and None,
        lambda: move_node(actor=SYSTEM, node=again(cast.other_street_community), parent=again(cast.street)) and None,
        lambda: move_node(actor=SYSTEM, node=again(cast.b.node), parent=again(cast.other_street)) and None,
    )
    assert moved == []
    assert list(faults()) == []


def test_one_node_moved_to_two_places_at_once_stands_in_one(transactional_cast: Cast) -> None:
    cast = transactional_cast
    node = again(cast.a.grid)
    raised = together(
        lambda: move_node(actor=SYSTEM, node=node, parent=again(cast.empty_community), version=node.version) and None,
        lambda: move_node(actor=SYSTEM, node=node, parent=again(cast.b.node), version=node.version) and None,
    )
    assert [type(error) for error in raised] == [Stale]
    assert list(faults()) == []


def test_a_node_is_not_retired_while_something_is_built_below_it(transactional_cast: Cast) -> None:
    cast = transactional_cast
    raised = together(
        lambda: retire_node(actor=SYSTEM, node=again(cast.a.other_building), reason="已拆除") and None,
        lambda: create_node(actor=SYSTEM, parent=again(cast.a.other_building), level="floor", name="1 层") and None,
    )
    assert [type(error) for error in raised] == [Conflict]
    assert list(faults()) == []


def test_two_administrators_give_one_post_once(transactional_cast: Cast) -> None:
    cast = transactional_cast
    give = [lambda: appoint(actor=SYSTEM, user=cast.nobody, post="county_department", place=cast.county) and None] * 4
    raised = together(*give)
    assert [type(error) for error in raised] == [Conflict] * 3
    assert Appointment.objects.filter(user=cast.nobody).count() == 1
