"""A query whose text is kept finds what the query itself would, whatever it is compared with."""

import datetime

import pytest
from django.db import connection
from django.db.models import Count, Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import User
from core.prepared import Prepared
from grids.models import Appointment
from tests import factories as make

pytestmark = pytest.mark.django_db

HOUR = datetime.timedelta(hours=1)


def test_a_moment_is_compared_as_the_query_would() -> None:
    noon = timezone.now().replace(hour=4, minute=0, second=0, microsecond=0)
    for hours in (-2, -1, 1):
        make.make_user(f"第{hours}", created_at=noon + hours * HOUR)
    before = Prepared(
        lambda now: User.objects.filter(created_at__lt=now).order_by("created_at").values_list("name"),
        datetime.datetime,
    )
    for now in (noon - 3 * HOUR, noon - HOUR, noon, noon + 2 * HOUR):
        names = User.objects.filter(created_at__lt=now).order_by("created_at").values_list("name")
        assert before.rows(now) == list(names)
    elsewhere = noon.astimezone(datetime.timezone(datetime.timedelta(hours=-8)))
    assert before.rows(elsewhere) == before.rows(noon)


def test_one_moment_may_stand_in_several_places() -> None:
    now = timezone.now()
    for hours in (-2, -1, 1):
        make.make_user(created_at=now + hours * HOUR)
    counted = Prepared(
        lambda now: (
            User.objects.filter(Q(created_at__lt=now) | Q(is_active=True))
            .order_by()
            .values_list("is_active")
            .annotate(before=Count("pk", filter=Q(created_at__lt=now)))
        ),
        datetime.datetime,
    )
    assert [before for _active, before in counted.rows(now)] == [2]
    assert [before for _active, before in counted.rows(now + 2 * HOUR)] == [3]


def test_an_argument_that_does_not_reach_the_query_is_refused() -> None:
    with pytest.raises(ValueError, match="does not reach"):
        Prepared(lambda now: User.objects.values_list("pk"), datetime.datetime).rows(timezone.now())


def test_one_object_comes_with_its_annotations_and_relations() -> None:
    cadre = make.make_cadre("王一", "county_department", make.make_county())
    found = Prepared(
        lambda pk: (
            Appointment.objects.filter(pk=pk).select_related("user", "county", "node").annotate(seen=Count("pk"))
        ),
        int,
    )
    row = cadre.appointments.get()
    with CaptureQueriesContext(connection) as captured:
        one = found.one(row.pk)
        assert (one, one.user, one.county, one.node, one.seen) == (row, cadre, row.county, None, 1)
    assert len(captured) == 2  # the row, and `row.county`
    assert (one.start, one.user.created_at) == (row.start, cadre.created_at)
    assert found.one(row.pk + 1) is None


def test_a_question_nobody_may_ask_finds_nothing() -> None:
    cadre = make.make_user()
    mine = User.objects.none().filter
    assert Prepared(lambda pk: mine(pk=pk), int).one(cadre.pk) is None
    assert Prepared(lambda pk: mine(pk=pk).values_list("pk"), int).rows(cadre.pk) == []
