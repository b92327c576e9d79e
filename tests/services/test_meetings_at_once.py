"""Two at the table at once: one claim wins, one closing, one resolution of a double click stands for what was sent."""

from core.errors import Conflict
from services.actions import meeting_moves, meeting_sweep, meeting_table
from services.models import AgendaItem, Commitment, JointMeeting
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together
from tests.services.test_meetings import item_of, running, task


def test_of_two_units_that_claim_at_once_one_has_it_and_the_other_learns_which(transactional_cast: Cast) -> None:
    cast = transactional_cast
    meeting = running(cast)
    item, before = item_of(meeting), meeting.revision
    people = [fresh(cast.a.liaison), fresh(cast.a.supporting_liaison)]
    errors = together(
        *(
            lambda user=user: meeting_table.claim_item(actor=user, item=item, version=item.version)  # type: ignore[misc]
            for user in people
        )
    )
    assert [isinstance(error, Conflict) for error in errors] == [True]
    winner = AgendaItem.objects.get().unit
    assert winner is not None
    assert winner.label in str(errors[0])
    assert JointMeeting.objects.get().revision == before + 1


def test_a_meeting_closed_twice_at_once_takes_effect_once(transactional_cast: Cast) -> None:
    cast = transactional_cast
    meeting = running(cast)
    resolution = task("12 盏灯都亮", kind="commitment", unit=cast.a.unit)
    meeting_table.resolve_item(actor=fresh(cast.a.officer), item=item_of(meeting), resolution=resolution)
    people = [fresh(cast.a.officer), fresh(cast.a.secretary)]
    errors = together(
        *(
            lambda user=user: meeting_moves.close_meeting(actor=user, meeting=meeting)  # type: ignore[misc]
            for user in people
        )
    )
    assert [isinstance(error, Conflict) for error in errors] == [True]
    assert Commitment.objects.count() == 1


def test_two_sweepers_follow_and_remind_once(transactional_cast: Cast) -> None:
    cast = transactional_cast
    meeting = running(cast)
    later = meeting.held_at.replace(year=meeting.held_at.year + 1)
    assert together(*[lambda: meeting_sweep.sweep_meetings(later)] * 2) == []
    assert JointMeeting.objects.get().state == "closed"
