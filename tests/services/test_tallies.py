"""The tally table says what the rows say, whatever happens and however often it is kept."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from core.actors import RESIDENT
from services.actions import tallies
from services.models import DemandEvent, Tally
from tests.cast import Cast
from tests.services.test_loop import checked, dispatched, do, raised

pytestmark = pytest.mark.django_db


def test_every_step_is_counted(cast: Cast) -> None:
    demand = checked(cast)
    assert tallies.refresh_tallies() == 1
    row = Tally.objects.get()
    assert (row.registered, row.dispatched, row.finished, row.closed, row.followed_up) == (1, 1, 1, 0, 0)
    assert (row.response_due, row.response_met) == (1, 1)
    do(RESIDENT, demand, "evaluate", solved="no", satisfaction="fairly")
    tallies.refresh_tallies()
    row = Tally.objects.get()
    assert (row.followed_up, row.solved, row.satisfied) == (1, 0, 1)


def test_finished_is_not_solved(cast: Cast) -> None:
    checked(cast)
    tallies.refresh_tallies()
    row = Tally.objects.get()
    assert (row.finished, row.solved) == (1, 0)


def test_keeping_twice_changes_nothing(cast: Cast) -> None:
    dispatched(cast)
    tallies.refresh_tallies()
    before = list(Tally.objects.values())
    assert tallies.refresh_tallies() == 0
    DemandEvent.objects.update(tallied=False)
    tallies.refresh_tallies()
    after = list(Tally.objects.values())
    assert [{**row, "id": 0} for row in before] == [{**row, "id": 0} for row in after]


def test_a_changed_category_leaves_no_old_count_behind(cast: Cast) -> None:
    demand = raised(cast)
    tallies.refresh_tallies()
    do(cast.a.officer, demand, "accept", category=cast.categories["水电气暖"])
    tallies.refresh_tallies()
    assert [row.category.name for row in Tally.objects.select_related("category")] == ["水电气暖"]


def test_check_tallies_finds_a_difference_and_rebuild_mends_it(cast: Cast) -> None:
    dispatched(cast)
    tallies.refresh_tallies()
    call_command("check_tallies", stdout=StringIO())
    Tally.objects.update(registered=7)
    with pytest.raises(CommandError, match="1 处"):
        call_command("check_tallies", stdout=StringIO())
    call_command("check_tallies", "--rebuild", stdout=StringIO())
