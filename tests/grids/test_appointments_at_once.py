"""Two people at one post at the same moment: one wins, the other is told, no day has two holders or none."""

import datetime

from django.utils import timezone

from core.actors import SYSTEM
from core.errors import Conflict, DomainError
from core.models import User
from grids.actions import appoint, appoint_person, correct_appointment, end_appointment, hand_over, retire_node
from grids.models import Appointment, GridNode
from tests.cast import Cast
from tests.factories import fresh, make_user, next_phone
from tests.grids.test_tree_concurrency import together

DAY = datetime.timedelta(days=1)


def keeper_of(cast: Cast) -> Appointment:
    Appointment.objects.filter(user=cast.a.keeper).update(start=timezone.localdate() - 9 * DAY)
    return Appointment.objects.select_related("node__county", "user").get(user=cast.a.keeper)


def test_two_handovers_at_once_leave_one_successor(transactional_cast: Cast) -> None:
    cast = transactional_cast
    row = keeper_of(cast)
    heirs = [make_user(f"接任{number}", county=cast.county) for number in range(4)]
    refused = together(
        *(lambda heir=heir: hand_over(actor=SYSTEM, appointment=row, successor=heir) and None for heir in heirs)  # type: ignore[misc]
    )
    assert len(refused) == 3
    assert all(isinstance(error, Conflict) for error in refused)
    assert Appointment.objects.current().filter(post="grid_keeper", node=cast.a.grid).count() == 1


def test_a_handover_against_a_leave_ends_the_post_once(transactional_cast: Cast) -> None:
    cast = transactional_cast
    row = keeper_of(cast)
    refused = together(
        lambda: hand_over(actor=SYSTEM, appointment=row, successor=cast.nobody) and None,
        lambda: end_appointment(actor=SYSTEM, appointment=row) and None,
        lambda: (
            correct_appointment(actor=SYSTEM, appointment=row, start=row.start, end=None, note="兼", version=1) and None
        ),
    )
    assert all(isinstance(error, Conflict) for error in refused)
    assert any("离任" in str(error) or "最后一天" in str(error) for error in refused)
    row.refresh_from_db()
    assert row.end is not None


def test_two_posts_handed_over_crosswise_do_not_block_each_other(transactional_cast: Cast) -> None:
    cast = transactional_cast
    first = keeper_of(cast)
    Appointment.objects.filter(user=cast.b.keeper).update(start=timezone.localdate() - 9 * DAY)
    second = Appointment.objects.select_related("node__county", "user").get(user=cast.b.keeper)
    assert (
        together(
            lambda: hand_over(actor=SYSTEM, appointment=first, successor=fresh(cast.b.keeper)) and None,
            lambda: hand_over(actor=SYSTEM, appointment=second, successor=fresh(cast.a.keeper)) and None,
        )
        == []
    )
    assert Appointment.objects.current().get(node=cast.a.grid, post="grid_keeper").user == cast.b.keeper
    assert Appointment.objects.current().get(node=cast.b.grid, post="grid_keeper").user == cast.a.keeper


def test_a_double_click_opens_one_account(transactional_cast: Cast) -> None:
    cast = transactional_cast
    phone = next_phone()
    officer = fresh(cast.a.officer)

    def click() -> None:
        appoint_person(
            actor=User.objects.get(pk=officer.pk), name="李新", phone=phone, post="grid_keeper", place=cast.a.grid
        )

    refused = together(click, click)
    assert [type(error) for error in refused] == [Conflict]
    assert Appointment.objects.get(user__phone=phone).node == cast.a.grid


def test_nobody_is_appointed_to_a_place_that_is_being_retired(transactional_cast: Cast) -> None:
    cast = transactional_cast
    place = GridNode.objects.get(pk=cast.a.other_building.pk)
    refused = together(
        lambda: retire_node(actor=SYSTEM, node=place, reason="已拆除") and None,
        lambda: appoint(actor=SYSTEM, user=cast.nobody, post="building_head", place=place) and None,
    )
    assert all(isinstance(error, DomainError) for error in refused)
    place.refresh_from_db()
    running = Appointment.objects.filter(node=place, end__isnull=True).exists()
    assert not (place.is_retired and running)


def test_administrators_who_dismiss_each_other_leave_one(transactional_cast: Cast) -> None:
    cast = transactional_cast
    second = make_user("第二管理员", county=cast.county)
    appoint(actor=SYSTEM, user=second, post="county_admin", place=cast.county)
    rows = list(Appointment.objects.filter(post="county_admin", county=cast.county).select_related("county", "user"))
    actors = {rows[0].pk: rows[1].user, rows[1].pk: rows[0].user}
    refused = together(
        *(
            lambda row=row: (
                end_appointment(  # type: ignore[misc]
                    actor=fresh(actors[row.pk]), appointment=row, end=timezone.localdate()
                )
                and None
            )
            for row in rows
        )
    )
    assert len(refused) == 1
    assert Appointment.objects.filter(post="county_admin", county=cast.county, end__isnull=True).count() == 1
