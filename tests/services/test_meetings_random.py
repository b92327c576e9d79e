"""Whatever is done at a table in whatever order, what is said of an item holds."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, DomainError
from services.actions import meeting_moves, meeting_table, resolutions
from services.actions.meetings import NewItem
from services.models import AgendaItem, Demand, ItemState, Resolution, ResolutionState
from tests.cast import Cast
from tests.factories import fresh
from tests.services.test_meetings import item_of, published_demand, running, task

pytestmark = pytest.mark.django_db
DEEDS = ("claim", "claim_other", "release", "resolve", "commit", "drop", "defer")


def do(cast: Cast, item: AgendaItem, name: str) -> Any:
    officer = fresh(cast.a.officer)
    if name == "claim":
        return meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item)
    if name == "claim_other":
        return meeting_table.claim_item(actor=fresh(cast.a.supporting_liaison), item=item)
    if name == "release":
        return meeting_table.release_item(actor=fresh(cast.a.liaison), item=item)
    if name == "resolve":
        return meeting_table.resolve_item(actor=officer, item=item, resolution=task())
    if name == "commit":
        return meeting_table.resolve_item(actor=officer, item=item, resolution=task(kind="commitment"))
    if name == "drop":
        made = item.resolutions.filter(state="open").first()
        return made and resolutions.drop_resolution(actor=officer, resolution=made, reason="写错了")
    return meeting_table.defer_item(actor=officer, item=item)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(DEEDS), max_size=7))
@example(["commit", "commit"])
def test_an_item_is_what_was_done_with_it(cast: Cast, deeds: list[str]) -> None:
    with transaction.atomic():
        demand = published_demand(cast)
        meeting = running(cast, NewItem(demand=demand))
        before = meeting.revision
        for name in deeds:
            try:
                with transaction.atomic():
                    do(cast, item_of(meeting), name)
            except DomainError:
                continue
            item = item_of(meeting)
            standing = item.resolutions.filter(state=ResolutionState.OPEN)
            assert (item.state == ItemState.RESOLVED) == standing.exists()
            assert item.state != ItemState.CLAIMED or item.unit is not None
            assert item.state not in (ItemState.OPEN, ItemState.DEFERRED) or item.unit is None
            demand.refresh_from_db()
            assert demand.state == "published", "nothing leaves the meeting before it closes"
        meeting.refresh_from_db()
        assert meeting.revision >= before
        item = item_of(meeting)
        left = {item.pk: "defer"} if item.state in (ItemState.OPEN, ItemState.CLAIMED) else {}
        # One promise twice stands in the way of closing until one of the two is dropped.
        for doubled in item.resolutions.filter(state=ResolutionState.OPEN, kind="commitment").order_by("pk")[1:]:
            with pytest.raises(Conflict):
                meeting_moves.close_meeting(actor=fresh(cast.a.officer), meeting=meeting, fates=left)
            resolutions.drop_resolution(actor=fresh(cast.a.officer), resolution=doubled, reason="写重了")
            meeting.refresh_from_db()
        meeting_moves.close_meeting(actor=fresh(cast.a.officer), meeting=meeting, fates=left)
        demand = Demand.objects.get(pk=demand.pk)
        item = item_of(meeting)
        assert (demand.lead_unit is not None) == (item.state == ItemState.RESOLVED and item.unit is not None)
        for made in Resolution.objects.filter(meeting=meeting, state=ResolutionState.OPEN, kind="commitment"):
            assert made.commitment is not None
        transaction.set_rollback(True)
