"""A query whose text is kept finds what the query itself would, whatever it is compared with."""

import datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Count, Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from core import working_calendar
from core.models import AuditEntry, CalendarDay, OutboxMessage, User
from core.prepared import Prepared, insert, keep_loaded, update
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


def test_an_object_read_so_is_a_row_like_any_other() -> None:
    cadre = make.make_user("王一")
    found = Prepared(lambda pk: User.objects.filter(pk=pk), int).one(cadre.pk)
    assert (found._state.adding, found._state.db, found.get_deferred_fields()) == (False, "default", set())
    assert found == cadre and found.__dict__.keys() == User.objects.get(pk=cadre.pk).__dict__.keys()
    found.name = "王二"
    found.save()
    assert User.objects.get(pk=cadre.pk).name == "王二"


def test_a_question_nobody_may_ask_finds_nothing() -> None:
    cadre = make.make_user()
    mine = User.objects.none().filter
    assert Prepared(lambda pk: mine(pk=pk), int).one(cadre.pk) is None
    assert Prepared(lambda pk: mine(pk=pk).values_list("pk"), int).rows(cadre.pk) == []


def _message(key: str, **values: object) -> OutboxMessage:
    return OutboxMessage(key=key, kind="job", title="通知", audience={"users": [1]}, fields={"编号": "1"}, **values)


def test_a_row_is_written_as_django_would_write_it() -> None:
    now = timezone.now()
    ours, theirs = (_message(key, due_at=now, created_at=now, urgent=True, county_key=7) for key in ("a", "b"))
    insert(ours)
    theirs.save(force_insert=True)
    assert (ours.pk, ours._state.adding, ours._state.db) == (theirs.pk - 1, False, "default")
    columns = [field.attname for field in OutboxMessage._meta.concrete_fields if field.name not in ("id", "key")]
    rows = OutboxMessage.objects.order_by("pk").values_list(*columns)
    assert rows[0] == rows[1]
    ours.title = "改过"
    ours.save()
    assert OutboxMessage.objects.get(key="a").title == "改过"


def test_values_of_other_types_are_written_as_django_would_write_them() -> None:
    odd: dict[str, Any] = {
        "title": gettext_lazy("删除"),
        "body": mark_safe("<b>通知</b>"),
        "urgent": 1,
        "county_key": "7",
        "due_at": "2026-11-20T08:00:00+08:00",
    }
    ours, theirs = (OutboxMessage(key=key, kind="job", audience={}, **odd) for key in ("a", "b"))
    insert(ours)
    theirs.save(force_insert=True)
    rows = list(OutboxMessage.objects.order_by("pk").values_list(*odd))
    assert rows[0] == rows[1]
    assert rows[0][2:4] == (True, 7)
    OutboxMessage.objects.update(title="", body="", urgent=False, county_key=None, due_at=timezone.now())
    update(ours, list(odd))
    assert OutboxMessage.objects.values_list(*odd).get(key="a") == rows[1]


def test_a_row_that_is_there_is_refused_or_left_as_it_is() -> None:
    insert(_message("a"))
    again = _message("a", urgent=True)
    insert(again, unless_there=True)
    assert again.pk is None
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(_message("a"))
    assert OutboxMessage.objects.values_list("key", "urgent").get() == ("a", False)


def test_columns_are_written_as_django_would_write_them() -> None:
    insert(_message("a"))
    row = OutboxMessage.objects.get()
    stale, now = OutboxMessage.objects.get(), timezone.now()
    row.title, row.due_at, row.fields, row.county_key, row.key = "改过", now, {"编号": "2"}, 7, "not written"
    update(row, ["title", "due_at", "fields", "county_key"])
    row.county_key = None
    update(row, ["county_key"])
    found = OutboxMessage.objects.get()
    assert (found.title, found.due_at, found.fields, found.county_key) == ("改过", now, {"编号": "2"}, None)
    assert found.key == "a"
    found.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        update(stale, ["title"])


def test_a_column_that_must_be_unique_is_refused_and_the_transaction_given_up() -> None:
    for key in ("a", "b"):
        insert(_message(key))
    row = OutboxMessage.objects.get(key="b")
    row.key = "a"
    with pytest.raises(IntegrityError), transaction.atomic():
        update(row, ["key"])
    assert set(OutboxMessage.objects.values_list("key", flat=True)) == {"a", "b"}


def test_a_relation_that_was_not_saved_is_refused() -> None:
    entry = AuditEntry(chain="x", position=1, action="x", actor=User(phone="19900000000"), changes={})
    with pytest.raises(ValueError, match="unsaved"):
        insert(entry)
    assert not AuditEntry.objects.exists()


def test_what_does_more_when_it_is_saved_does_it() -> None:
    new_year = datetime.date(2031, 1, 1)
    assert working_calendar.load().is_working_day(new_year)
    insert(CalendarDay(date=new_year, is_working=False))  # its listener forgets the calendar
    assert not working_calendar.load().is_working_day(new_year)


def test_rows_read_by_other_means_are_those_of_the_relation() -> None:
    cadre = make.make_cadre("王一", "county_department", make.make_county())
    row = cadre.appointments.get()
    keep_loaded(cadre, "appointments", [row])
    with CaptureQueriesContext(connection) as captured:
        assert list(cadre.appointments.all()) == [row]
    assert len(captured) == 0
    assert not cadre.appointments.filter(post="county_leader").exists()
    assert [one.pk for one in Prepared(lambda pk: Appointment.objects.filter(user_id=pk), int).all(cadre.pk)] == [
        row.pk
    ]
