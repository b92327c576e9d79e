"""A query whose text is kept finds what the query itself would, whatever it is compared with."""

import datetime

import pytest
from django.db.models import Count, Q
from django.utils import timezone

from core.models import User
from core.prepared import Prepared
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
