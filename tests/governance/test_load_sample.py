"""`manage.py load_sample`: the same every time, and only into an empty database of its own."""

import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from core.models import User
from governance.sample import facts
from governance.sample.load import load
from grids.models import Appointment, CareHousehold, County, GridNode
from partybuilding.models import Member, Pairing, PairingProblem, PairingVisit
from services.models import Demand, DemandEvent, UnitCheckIn

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

DAY = datetime.date(2026, 11, 20)
PASSWORD = "shi-li-2026"


def _told() -> list[Any]:
    """What a person could tell two loads apart by."""
    return [
        list(GridNode.objects.order_by("code").values_list("code", "path", "public_token", "households", "valid_from")),
        list(User.objects.order_by("phone").values_list("phone", "name", "created_at")),
        list(Appointment.objects.order_by("id").values_list("user__phone", "post", "node__code", "start")),
        list(UnitCheckIn.objects.order_by("id").values_list("unit__name", "node__code", "role", "start")),
        list(Member.objects.order_by("phone").values_list("phone", "unit__name", "branch__name")),
        list(Pairing.objects.order_by("id").values_list("kind", "node__code", "unit__name", "user__phone", "start")),
        list(PairingVisit.objects.order_by("id").values_list("pairing__node__code", "visited_on", "text")),
        list(PairingProblem.objects.order_by("id").values_list("text", "found_on", "solved_on")),
        list(
            Demand.objects.order_by("code").values_list(
                "code", "follow_code", "title", "text", "state", "node__code", "due_at", "closed_at", "contact_phone"
            )
        ),
        list(
            CareHousehold.objects.order_by("id").values_list(
                "room", "name", "node__code", "expires_on", "next_visit_on"
            )
        ),
        list(
            DemandEvent.objects.order_by("demand__code", "at", "name", "title").values_list(
                "demand__code", "name", "at", "title", "text", "actor__phone"
            )
        ),
    ]


def test_the_same_day_gives_the_same_rows() -> None:
    tellings = []
    for day in (DAY, DAY, DAY - datetime.timedelta(days=1)):
        with transaction.atomic():
            load(day, PASSWORD, [facts.ZHENAN])
            tellings.append(_told())
            transaction.set_rollback(True)
    assert tellings[0] == tellings[1]
    assert tellings[0] != tellings[2]


def test_a_database_with_a_county_is_left_alone() -> None:
    County.objects.create(code="220821", name="镇赉县")
    with pytest.raises(CommandError, match="镇赉县"):
        call_command("load_sample", force=True)
    assert County.objects.count() == 1
    assert not User.objects.exists()


def test_a_configured_database_is_left_alone_unless_forced(settings: Any) -> None:
    settings.EMBEDDED = False
    with pytest.raises(CommandError, match="--force"):
        call_command("load_sample")
    assert not County.objects.exists()


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="不是日期"):
        call_command("load_sample", as_of="昨天", force=True)
    assert not County.objects.exists()
