"""One post, one person after another: handed over in one step, put right afterwards, never given to oneself."""

import datetime

import pytest
from django.utils import timezone

from core import policies
from core.accounts import deactivate
from core.actors import SYSTEM
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry, User
from grids.actions import appoint, correct_appointment, end_appointment, hand_over, retire_node
from grids.models import Appointment
from tests.cast import Cast
from tests.factories import fresh, make_appointment, make_user

TODAY = timezone.localdate()
DAY = datetime.timedelta(days=1)


@pytest.fixture
def keeper(cast: Cast) -> Appointment:
    """The keeper of the grid, ten days in post."""
    Appointment.objects.filter(user=cast.a.keeper).update(start=TODAY - 10 * DAY)
    return Appointment.objects.select_related("node", "user").get(user=cast.a.keeper)


def in_post(row: Appointment, day: datetime.date) -> list[str]:
    held = Appointment.objects.current(day).filter(post=row.post, node=row.node)
    return list(held.values_list("user__name", flat=True))


def test_a_handover_leaves_no_day_with_nobody_and_none_with_both(cast: Cast, keeper: Appointment) -> None:
    made = hand_over(actor=cast.a.officer, appointment=keeper, successor=cast.nobody, reason="轮岗")
    keeper.refresh_from_db()
    assert (keeper.end, made.start, made.end) == (TODAY - DAY, TODAY, None)
    for distance in range(-3, 4):
        expected = ["网格员甲"] if distance < 0 else ["无职务者"]
        assert in_post(keeper, TODAY + distance * DAY) == expected
    # The rights go along on the day itself.
    assert policies.sees(fresh(cast.nobody), cast.a.grid)
    assert not policies.sees(fresh(cast.a.keeper), cast.a.grid)


def test_a_handover_to_come_changes_nothing_before_its_day(cast: Cast, keeper: Appointment) -> None:
    hand_over(actor=cast.a.officer, appointment=keeper, successor=cast.nobody, day=TODAY + 3 * DAY)
    assert policies.sees(fresh(cast.a.keeper), cast.a.grid)
    assert not policies.sees(fresh(cast.nobody), cast.a.grid)
    assert in_post(keeper, TODAY + 2 * DAY) == ["网格员甲"]
    assert in_post(keeper, TODAY + 3 * DAY) == ["无职务者"]


def test_both_appointments_tell_of_the_handover_and_name_nobody(cast: Cast, keeper: Appointment) -> None:
    made = hand_over(actor=cast.a.officer, appointment=keeper, successor=cast.nobody, note="试用", reason="轮岗")
    left = AuditEntry.objects.get(chain=f"grids.appointment:{keeper.pk}")
    came = AuditEntry.objects.get(chain=f"grids.appointment:{made.pk}")
    assert (left.action, left.reason, left.changes["successor"]) == ("appointment.hand_over", "轮岗", [None, made.pk])
    assert (came.action, made.note) == ("appointment.start", "试用")
    assert cast.nobody.name not in str((left.changes, came.changes, left.label, came.label))


def refused(cast: Cast, row: Appointment, error: type[DomainError], match: str | None = None, **given: object) -> None:
    before = list(Appointment.objects.order_by("pk").values())
    trail = AuditEntry.objects.count()
    arguments = {"actor": cast.admin, "appointment": row, "successor": cast.nobody, **given}
    with pytest.raises(error, match=match):
        hand_over(**arguments)  # type: ignore[arg-type]
    assert list(Appointment.objects.order_by("pk").values()) == before
    assert AuditEntry.objects.count() == trail


def test_nobody_hands_over_to_themselves(cast: Cast, keeper: Appointment) -> None:
    refused(cast, keeper, Invalid, "现任本人", successor=cast.a.keeper)
    # Nor does anybody take a post over by their own hand.
    refused(cast, keeper, Forbidden, "不能给自己任职", actor=cast.a.officer, successor=cast.a.officer)


def test_the_day_lies_after_the_predecessors_first(cast: Cast, keeper: Appointment) -> None:
    refused(cast, keeper, Invalid, "晚于前任的任职日期", day=keeper.start)
    refused(cast, keeper, Invalid, "晚于前任的任职日期", day=keeper.start - DAY)
    made = hand_over(actor=cast.admin, appointment=keeper, successor=cast.nobody, day=keeper.start + DAY)
    keeper.refresh_from_db()
    assert keeper.end == keeper.start
    assert made.start == keeper.start + DAY


def test_what_has_ended_is_not_handed_over(cast: Cast, keeper: Appointment) -> None:
    end_appointment(actor=cast.admin, appointment=keeper)
    refused(cast, keeper, Conflict, "不能再交接")


def test_two_clicks_hand_over_once(cast: Cast, keeper: Appointment) -> None:
    hand_over(actor=cast.admin, appointment=keeper, successor=cast.nobody, version=1)
    refused(cast, keeper, Stale, "刚刚被别人改动过", successor=make_user("后来", county=cast.county), version=1)
    refused(cast, keeper, Conflict, "不能再交接", successor=make_user("后来", county=cast.county))


def test_a_successor_must_be_free_for_it(cast: Cast, keeper: Appointment) -> None:
    second = make_user("第二网格员", county=cast.county)
    appoint(actor=cast.admin, user=second, post="grid_keeper", place=cast.a.grid)
    refused(cast, keeper, Conflict, "不能重复任职", successor=second)
    refused(cast, keeper, Invalid, "不属于", successor=cast.other_county_secretary)
    deactivate(actor=cast.admin, user=cast.nobody, reason="调离")
    refused(cast, keeper, Invalid, "已停用")


def test_a_retired_place_is_not_handed_over(cast: Cast) -> None:
    Appointment.objects.filter(node=cast.a.other_building).delete()
    head = make_appointment(cast.nobody, "building_head", cast.a.other_building, start=TODAY - 5 * DAY)
    Appointment.objects.filter(pk=head.pk).update(end=TODAY - DAY)
    retire_node(actor=cast.admin, node=cast.a.other_building, reason="已拆除")
    Appointment.objects.filter(pk=head.pk).update(end=None)
    refused(cast, Appointment.objects.get(pk=head.pk), Invalid, "已撤销", successor=cast.a.keeper)


def test_the_only_administrator_may_be_followed_by_another(cast: Cast) -> None:
    Appointment.objects.filter(user=cast.admin).update(start=TODAY - DAY)
    row = Appointment.objects.select_related("county").get(user=cast.admin)
    refused(cast, row, Conflict, "审计员和管理员", successor=cast.auditor)
    hand_over(actor=cast.admin, appointment=row, successor=cast.nobody)
    held = Appointment.objects.current().filter(post="county_admin", county=cast.county)
    assert [one.user for one in held] == [cast.nobody]


def test_one_hands_over_only_what_one_may_give(cast: Cast, keeper: Appointment) -> None:
    own = Appointment.objects.select_related("node").get(user=cast.a.secretary)
    Appointment.objects.filter(pk=own.pk).update(start=TODAY - DAY)
    for actor in (cast.a.secretary, cast.a.officer, cast.a.team_lead, cast.a.keeper, cast.b.secretary, cast.department):
        refused(cast, own, DomainError, actor=actor)
    for actor in (cast.b.secretary, cast.other_street_officer, cast.a.keeper, cast.department, cast.other_county_admin):
        refused(cast, keeper, DomainError, actor=actor)


# --- Putting right --------------------------------------------------------------------------------------------------


def test_days_and_note_are_put_right(cast: Cast, keeper: Appointment) -> None:
    row = correct_appointment(
        actor=cast.a.officer,
        appointment=keeper,
        start=TODAY - 20 * DAY,
        end=None,
        note="兼",
        reason="录错日期",
        version=1,
    )
    assert (row.start, row.note, row.version) == (TODAY - 20 * DAY, "兼", 2)
    trail = AuditEntry.objects.get(chain=f"grids.appointment:{row.pk}")
    assert (trail.action, trail.reason, set(trail.changes)) == ("appointment.correct", "录错日期", {"start", "note"})
    same = correct_appointment(actor=cast.a.officer, appointment=row, start=row.start, end=None, note="兼")
    assert same.version == 2
    assert AuditEntry.objects.filter(chain=f"grids.appointment:{row.pk}").count() == 1


def test_a_leave_entered_by_mistake_is_taken_back(cast: Cast, keeper: Appointment) -> None:
    ended = end_appointment(actor=cast.admin, appointment=keeper, end=TODAY - DAY)
    assert not policies.sees(fresh(cast.a.keeper), cast.a.grid)
    correct_appointment(actor=cast.a.officer, appointment=ended, start=ended.start, end=None)
    assert policies.sees(fresh(cast.a.keeper), cast.a.grid)


def test_a_correction_makes_no_second_holder_of_the_same_person(cast: Cast, keeper: Appointment) -> None:
    end_appointment(actor=cast.admin, appointment=keeper, end=TODAY - 5 * DAY)
    again = appoint(actor=cast.admin, user=cast.a.keeper, post="grid_keeper", place=cast.a.grid)
    keeper.refresh_from_db()
    for start, end in ((keeper.start, None), (keeper.start, TODAY + DAY)):
        with pytest.raises(Conflict, match="不能重复任职"):
            correct_appointment(actor=cast.admin, appointment=keeper, start=start, end=end)
    with pytest.raises(Conflict, match="不能重复任职"):
        correct_appointment(actor=cast.admin, appointment=again, start=TODAY - 8 * DAY, end=None)
    with pytest.raises(Invalid, match="不能早于"):
        correct_appointment(actor=cast.admin, appointment=again, start=TODAY, end=TODAY - DAY)
    with pytest.raises(Stale):
        correct_appointment(actor=cast.admin, appointment=again, start=TODAY, end=None, note="x", version=7)


def test_nobody_lengthens_their_own_days(cast: Cast) -> None:
    end = TODAY + 5 * DAY
    Appointment.objects.filter(user=cast.admin).update(end=end)
    row = Appointment.objects.select_related("county", "user").get(user=cast.admin)
    with pytest.raises(Forbidden, match="自己的任职"):
        correct_appointment(actor=cast.admin, appointment=row, start=row.start, end=None)
    row.refresh_from_db()
    assert row.end == end


def test_the_last_administrator_is_not_corrected_away(cast: Cast) -> None:
    second = make_user("第二管理员", county=cast.county)
    made = appoint(actor=cast.admin, user=second, post="county_admin", place=cast.county)
    correct_appointment(actor=cast.admin, appointment=made, start=made.start, end=TODAY)
    row = Appointment.objects.select_related("county", "user").get(user=cast.admin)
    with pytest.raises(Conflict, match="唯一的管理员"):
        correct_appointment(actor=second, appointment=row, start=row.start, end=TODAY)


def test_nothing_runs_on_at_a_retired_place_or_for_a_stopped_account(cast: Cast, keeper: Appointment) -> None:
    ended = end_appointment(actor=cast.admin, appointment=keeper, end=TODAY - DAY)
    deactivate(actor=cast.admin, user=cast.a.keeper, reason="调离")
    with pytest.raises(Invalid, match="已停用"):
        correct_appointment(actor=cast.admin, appointment=ended, start=ended.start, end=None)
    # Its days in the past may still be put right.
    assert correct_appointment(actor=cast.admin, appointment=ended, start=ended.start, end=TODAY - 2 * DAY).end


# --- Nobody raises their own rights ---------------------------------------------------------------------------------


def test_no_post_reaches_what_its_holder_may_give(cast: Cast) -> None:
    """Whatever somebody may hand out lies strictly below every place where they may hand it out by their own post."""
    givers = (cast.street_secretary, cast.street_officer, cast.a.secretary, cast.a.officer)
    places = (cast.street, cast.a.node, cast.b.node, cast.a.compound, cast.a.grid, cast.a.building, cast.a.floor)
    count = Appointment.objects.count()
    for giver in givers:
        own = Appointment.objects.select_related("node").get(user=giver).node
        assert own is not None
        for place in (cast.county, *places):
            for post in ("county_admin", "street_officer", "community_secretary", "grid_keeper", "building_head"):
                # Never to oneself, wherever.
                with pytest.raises(DomainError):
                    appoint(actor=giver, user=giver, post=post, place=place)
            inside = place in places and own.tree_id == place.tree_id and own.lft < place.lft < own.rght
            if not inside:
                with pytest.raises((Forbidden, NotFound)):
                    appoint(actor=giver, user=cast.nobody, post="community_secretary", place=place)
    assert Appointment.objects.count() == count


def test_who_stands_behind_the_system_may_do_all_of_it(cast: Cast, keeper: Appointment) -> None:
    made = hand_over(actor=SYSTEM, appointment=keeper, successor=cast.nobody)
    assert User.objects.get(appointments=made) == cast.nobody
