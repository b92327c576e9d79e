"""Nothing waits for ever: what becomes of each waiting state when nobody acts."""

import datetime

import pytest
from django.utils import timezone

from core.models import OutboxMessage
from services.actions import move
from services.actions.sweeping import sweep
from services.models import Assignment, AssignmentState, SubOrder, SubOrderState
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db


# --- Members who do not answer ---------------------------------------------------------------------------------------


def asked(cast: Cast) -> Assignment:
    demand = make.make_demand(cast.a.building, cast.category, state="dispatched")
    due = timezone.now() + datetime.timedelta(days=20)
    suborder = make.make_suborder(demand, cast.a.unit, state="signed", due_at=due)
    move(actor=fresh(cast.a.liaison), target=suborder, name="assign", data={"members": [cast.a.member]})
    return suborder.assignments.get()


def test_silence_lapses_and_the_liaison_asks_somebody_else(cast: Cast) -> None:
    one = asked(cast)
    assert one.due_at is not None
    assert sweep(one.due_at - datetime.timedelta(minutes=1))["lapsed"] == 0
    after = one.due_at + datetime.timedelta(minutes=1)
    assert sweep(after)["lapsed"] == 1
    assert sweep(after)["lapsed"] == 0
    one.refresh_from_db()
    assert one.state == AssignmentState.LAPSED
    told = OutboxMessage.objects.get(kind="demand_lapse")
    assert told.audience == {"unit": {"unit": cast.a.unit.pk, "role": "liaison"}}
    # No consequence: the same member may be asked again.
    move(actor=fresh(cast.a.liaison), target=SubOrder.objects.get(), name="assign", data={"members": [cast.a.member]})
    assert Assignment.objects.waiting().count() == 1


def test_silence_about_what_is_done_troubles_nobody(cast: Cast) -> None:
    one = asked(cast)
    assert one.due_at is not None
    SubOrder.objects.update(state=SubOrderState.FINISHED)
    assert sweep(one.due_at + datetime.timedelta(minutes=1))["lapsed"] == 1
    assert not OutboxMessage.objects.filter(kind="demand_lapse").exists()
