"""Whatever units and communities do in whatever order: a unit has one running check-in at a place, one open application,
and whatever is refused changes nothing."""

import contextlib
from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import DomainError
from services.actions import applications, check_in, end_check_in
from services.models import ApplicationState, CheckInApplication, UnitCheckIn
from services.selectors.checkins import open_states
from services.workflow import CHECKIN_APPLICATION
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db

STEPS = ("apply", "accept", "send_back", "decline", "reapply", "withdraw", "renew", "register", "end")


def do(cast: Cast, step: str) -> None:
    """One step of whoever may do it, on the latest application or check-in; raises where it is refused."""
    unit, officer = fresh(cast.idle_liaison), fresh(cast.a.officer)
    row: Any = CheckInApplication.objects.order_by("pk").last()
    held: Any = UnitCheckIn.objects.filter(unit=cast.idle_unit).order_by("pk").last()
    if step == "apply":
        applications.apply_to_check_in(actor=unit, unit=cast.idle_unit, node=cast.a.node, brings="科普")
    elif step == "register":
        check_in(actor=officer, unit=cast.idle_unit, node=cast.a.node)
    elif step == "end" and held:
        end_check_in(actor=officer, checkin=held)
    elif step == "renew" and held:
        applications.renew(actor=unit, checkin=held, brings="科普")
    elif step == "accept" and row:
        applications.accept(actor=officer, application=row, community_liaison=cast.a.officer)
    elif step in ("send_back", "decline") and row:
        getattr(applications, step)(actor=officer, application=row, reason="理由")
    elif step == "withdraw" and row:
        applications.withdraw(actor=unit, application=row)
    elif step == "reapply" and row:
        offer = {"role": "lead", "brings": "会议室", "years": 2, "unit_liaison": cast.idle_liaison}
        applications.reapply(actor=unit, application=row, **offer)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=12))
def test_no_order_of_steps_leaves_two_of_anything(cast: Cast, steps: list[str]) -> None:
    with transaction.atomic():
        for step in steps:
            before = Counter(CheckInApplication.objects.values_list("pk", "state"))
            with contextlib.suppress(DomainError):
                do(cast, step)
            for pk, state in CheckInApplication.objects.values_list("pk", "state"):
                was = next((old for key, old in before if key == pk), state)
                targets = {row.target for row in CHECKIN_APPLICATION.transitions if was in row.sources}
                assert state == was or state in targets
            rows = UnitCheckIn.objects.filter(unit=cast.idle_unit)
            assert rows.filter(end=None).count() <= 1
            assert rows.values("number").distinct().count() == rows.count()
            asked = CheckInApplication.objects.filter(unit=cast.idle_unit)
            assert asked.filter(state__in=open_states()).count() <= 1
            assert not asked.filter(state=ApplicationState.ACCEPTED, checkin=None).exists()
            assert not asked.filter(state__in=open_states(), renews__end__isnull=False).exists()
        transaction.set_rollback(True)
