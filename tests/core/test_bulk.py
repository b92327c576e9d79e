"""Rows written together are what rows written one by one would be, on both databases."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.bulk import update_rows
from services.models import Demand
from tests.cast import Cast
from tests.factories import make_demand

pytestmark = pytest.mark.django_db


def test_every_kind_of_value_arrives(cast: Cast) -> None:
    rows = [make_demand(cast.a.building, cast.category) for _number in range(3)]
    now = timezone.now()
    first, second, third = rows
    first.title, first.accepted_at, first.solved, first.parked_until = (
        "改'过\"的%s",
        now,
        True,
        datetime.date(2026, 3, 5),
    )
    second.lead_unit, second.solved, second.version = cast.a.unit, False, 9
    wanted = ("title", "accepted_at", "solved", "parked_until", "lead_unit_id", "version")
    third.text = "不该写进去"
    assert update_rows(rows, wanted) == 3
    for row in rows:
        found = Demand.objects.get(pk=row.pk)
        assert [getattr(found, name) for name in wanted] == [getattr(row, name) for name in wanted]
    assert Demand.objects.get(pk=third.pk).text != third.text
    assert Demand.objects.filter(accepted_at__lte=now, parked_until__year=2026).get() == first


def test_rows_that_are_gone_are_not_made_again(cast: Cast) -> None:
    row = make_demand(cast.a.building, cast.category)
    Demand.objects.all().delete()
    assert update_rows([row], ["title"]) == 0
    assert not Demand.objects.exists()


def test_five_hundred_are_one_statement(cast: Cast) -> None:
    assert update_rows([], ["title"]) == 0
    rows = [Demand(pk=number, title="标题") for number in range(1, 1002)]
    with CaptureQueriesContext(connection) as captured:
        update_rows(rows, ["title"])
    assert len(captured) == 3
