"""Whom a notice reaches when its audience is named by post."""

import datetime

import pytest
from django.utils import timezone

from core import notices
from core.models import Notice
from grids.models import Appointment
from tests.cast import Cast
from tests.factories import make_cadre


def readers(audience: dict[str, object]) -> set[str]:
    Notice.objects.all().delete()
    notices.post(kind="t", title="t", audience=audience, key=f"t:{audience}:{Notice.objects.count()}")
    notices.deliver()
    return set(Notice.objects.values_list("reader__name", flat=True))


def test_a_right_at_a_node_reaches_the_posts_there_and_none_above_or_beside(cast: Cast) -> None:
    assert readers({"post": {"right": "demand.accept", "node": cast.a.node.pk}}) == {"书记甲", "两委甲", "队长甲"}
    assert readers({"post": {"right": "demand.raise", "node": cast.a.grid.pk}}) == {"网格员甲"}
    assert readers({"post": {"right": "demand.accept", "node": cast.a.grid.pk}}) == set()
    assert readers({"post": {"right": "demand.dispatch", "node": cast.street.pk}}) == {"街道书记", "街道干部"}


def test_a_right_at_the_county_reaches_its_county_posts_alone(cast: Cast) -> None:
    assert readers({"post": {"right": "demand.supervise", "county": cast.county.pk}}) == {"组织部"}
    assert readers({"post": {"right": "demand.supervise", "county": cast.other_county.pk}}) == {"邻县组织部"}


def test_those_who_left_or_were_stopped_are_not_told(cast: Cast) -> None:
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    Appointment.objects.filter(user=cast.a.officer).update(start=yesterday, end=yesterday)
    cast.a.team_lead.is_active = False
    cast.a.team_lead.save()
    make_cadre("明天来的人", "community_officer", cast.a.node)
    Appointment.objects.filter(user__name="明天来的人").update(start=timezone.localdate() + datetime.timedelta(days=1))
    assert readers({"post": {"right": "demand.accept", "node": cast.a.node.pk}}) == {"书记甲"}


def test_an_unknown_right_and_a_missing_place_reach_nobody(cast: Cast) -> None:
    assert readers({"post": {"right": "demand.nonsense", "node": cast.a.node.pk}}) == set()
    assert readers({"post": {"right": "demand.accept"}}) == set()
    with pytest.raises(ValueError, match="unknown audience"):
        readers({"posts": {}})
