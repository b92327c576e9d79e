"""A unit applies to report, the community answers: each move, each refusal, and that the two sides learn of it."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from core import notices
from core.actors import SYSTEM
from core.errors import Conflict, DomainError, Forbidden, Invalid, InvalidTransition, NotFound, Stale
from core.models import AuditEntry, Notice, OutboxMessage, User
from grids.models import GridNode
from services.actions import Settlement, applications, change_check_in, check_in, checkin_sweep, end_check_in
from services.actions.checkins import years_later
from services.models import ApplicationState, CheckInApplication, CheckInRole, Commitment, UnitCheckIn
from services.selectors import checkins as selectors
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.services.test_at_once import together
from tests.weft_factories import make_application, make_commitment

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)


def applied(cast: Cast, **fields: Any) -> CheckInApplication:
    """县气象局 asks 白龙塘社区 to take it in."""
    given: dict[str, Any] = {"role": "supporting", "brings": "气象科普 4 场", "years": 2, **fields}
    given.setdefault("node", cast.a.node)
    return applications.apply_to_check_in(actor=fresh(cast.idle_liaison), unit=cast.idle_unit, **given)


def accepted(cast: Cast, **fields: Any) -> UnitCheckIn:
    row = applications.accept(
        actor=fresh(cast.a.officer), application=applied(cast, **fields), community_liaison=cast.a.secretary
    )
    assert row.checkin is not None
    return row.checkin


def told(user: User) -> list[str]:
    notices.deliver()
    return list(Notice.objects.filter(reader=user).order_by("pk").values_list("title", flat=True))


def refused(kind: type[DomainError], call: Any, *models: Any) -> DomainError:
    """The call is refused in this way, and nothing was written."""
    before = {
        model: list(model.objects.order_by("pk").values()) for model in (CheckInApplication, UnitCheckIn, *models)
    }
    trail = AuditEntry.objects.count(), OutboxMessage.objects.count()
    with pytest.raises(kind) as caught:
        call()
    assert (AuditEntry.objects.count(), OutboxMessage.objects.count()) == trail
    for model, rows in before.items():
        assert list(model.objects.order_by("pk").values()) == rows
    return caught.value


# --- The good way ---------------------------------------------------------------------------------------------------


def test_a_unit_applies_and_the_community_takes_it_in(cast: Cast) -> None:
    row = applied(cast, role="lead")
    assert (row.state, row.unit_liaison, row.applied_by) == ("applied", cast.idle_liaison, cast.idle_liaison)
    assert told(cast.a.officer) == ["有单位申请报到：县气象局"]
    assert told(cast.b.officer) == []
    done = applications.accept(
        actor=fresh(cast.a.officer), application=row, community_liaison=cast.a.secretary, version=row.version
    )
    made = UnitCheckIn.objects.get(unit=cast.idle_unit)
    assert done.checkin == made and done.state == "accepted"
    assert (made.role, made.brings, made.start) == ("lead", "气象科普 4 场", TODAY())
    assert made.until == years_later(TODAY(), 2)
    assert made.number == f"610724-{TODAY().year}-{made.pk:05d}"
    assert (made.unit_liaison, made.community_liaison) == (cast.idle_liaison, cast.a.secretary)
    assert told(cast.idle_liaison) == ["报到已接收，可以打印回执：白龙塘社区"]
    deeds = AuditEntry.objects.filter(chain=f"services.checkinapplication:{row.pk}").order_by("position")
    assert [entry.action for entry in deeds] == ["checkin_application.apply", "checkin_application.accept"]


def test_what_is_sent_back_is_completed_and_taken_in(cast: Cast) -> None:
    row = applied(cast)
    row = applications.send_back(actor=fresh(cast.a.secretary), application=row, reason="请写明能开放哪些场地")
    assert (row.state, row.reason) == ("sent_back", "请写明能开放哪些场地")
    assert told(cast.idle_liaison) == ["报到申请退回，请补充：白龙塘社区"]
    again = {"role": "lead", "brings": "会议室一间，周末开放", "years": 3, "unit_liaison": cast.idle_liaison}
    row = applications.reapply(actor=fresh(cast.idle_liaison), application=row, version=row.version, **again)
    assert (row.state, row.reason, row.brings, row.years) == ("applied", "", "会议室一间，周末开放", 3)
    assert told(cast.a.officer)[-1] == "单位补充后再次申请报到：县气象局"
    row = applications.accept(actor=fresh(cast.a.officer), application=row, community_liaison=cast.a.officer)
    assert row.checkin and row.checkin.role == "lead"


def test_what_was_declined_or_withdrawn_can_be_applied_for_again(cast: Cast) -> None:
    row = applications.decline(actor=fresh(cast.a.officer), application=applied(cast), reason="已有单位牵头")
    assert row.state == ApplicationState.DECLINED
    notices.deliver()
    assert "已有单位牵头" in Notice.objects.get(reader=cast.idle_liaison).body
    row = applications.withdraw(actor=fresh(cast.idle_liaison), application=applied(cast))
    assert row.state == ApplicationState.WITHDRAWN
    assert applied(cast).state == ApplicationState.APPLIED
    assert not UnitCheckIn.objects.filter(unit=cast.idle_unit).exists()


# --- Who may --------------------------------------------------------------------------------------------------------


def test_nobody_applies_for_a_unit_that_is_not_theirs(cast: Cast) -> None:
    given = {"unit": cast.idle_unit, "node": cast.a.node, "brings": "科普"}
    for person, kind in (
        (cast.a.liaison, NotFound),
        (cast.a.officer, Forbidden),
        (cast.other_county_secretary, NotFound),
        (cast.nobody, NotFound),
    ):
        who = fresh(person)
        refused(kind, lambda who=who: applications.apply_to_check_in(actor=who, **given))
    staff = make.make_unit_person("气象员", cast.idle_unit, "staff")
    refused(Forbidden, lambda: applications.apply_to_check_in(actor=fresh(staff), **given))


def test_nobody_answers_for_a_community_that_is_not_theirs(cast: Cast) -> None:
    row = applied(cast)
    for person, kind in (
        (cast.b.officer, NotFound),
        (cast.idle_liaison, Forbidden),
        (cast.a.liaison, NotFound),
        (cast.department, Forbidden),
        (cast.a.keeper, NotFound),
    ):
        who = fresh(person)
        refused(kind, lambda who=who: applications.accept(actor=who, application=row, community_liaison=cast.a.officer))
        refused(kind, lambda who=who: applications.decline(actor=who, application=row, reason="不需要"))
    refused(Forbidden, lambda: applications.withdraw(actor=fresh(cast.a.officer), application=row))
    refused(NotFound, lambda: applications.withdraw(actor=fresh(cast.a.liaison), application=row))


# --- What can not be ------------------------------------------------------------------------------------------------


def test_a_unit_reports_once_and_applies_once(cast: Cast) -> None:
    applied(cast)
    assert "已向“城北街道 · 白龙塘社区”申请" in refused(Conflict, lambda: applied(cast)).message
    checkin = check_in(actor=SYSTEM, unit=cast.idle_unit, node=cast.b.node)
    assert checkin.number
    assert "已在“城北街道 · 城北社区”报到" in refused(Conflict, lambda: applied(cast, node=cast.b.node)).message
    twice = refused(Conflict, lambda: check_in(actor=SYSTEM, unit=cast.idle_unit, node=cast.b.node))
    assert "已在“城北街道 · 城北社区”报到" in twice.message
    # The compound inside is another place.
    assert applied(cast, node=cast.b.compound).state == "applied"


def test_registered_meanwhile_an_application_makes_no_second_check_in(cast: Cast) -> None:
    row = applied(cast)
    check_in(actor=fresh(cast.a.officer), unit=cast.idle_unit, node=cast.a.node)
    call = lambda: applications.accept(  # noqa: E731
        actor=fresh(cast.a.officer), application=row, community_liaison=cast.a.officer
    )
    assert "已在" in refused(Conflict, call).message
    applications.decline(actor=fresh(cast.a.officer), application=row, reason="已经登记")


def test_what_an_application_must_say(cast: Cast) -> None:
    assert "brings" in refused(Invalid, lambda: applied(cast, brings=" ")).fields
    assert "brings" in refused(Invalid, lambda: applied(cast, brings="长" * 501)).fields
    assert "years" in refused(Invalid, lambda: applied(cast, years=6)).fields
    assert "years" in refused(Invalid, lambda: applied(cast, years=0)).fields
    assert "role" in refused(Invalid, lambda: applied(cast, role="chief")).fields
    assert "unit_liaison" in refused(Invalid, lambda: applied(cast, unit_liaison=cast.a.liaison)).fields
    assert "node" in refused(Invalid, lambda: applied(cast, node=cast.a.building)).fields
    assert "unit" in refused(Invalid, lambda: applied(cast, node=cast.other_county_community)).fields
    GridNode.objects.filter(pk=cast.a.compound.pk).update(retired_at=timezone.now())
    assert "node" in refused(Invalid, lambda: applied(cast, node=cast.a.compound)).fields


def test_answers_need_their_words_their_version_and_their_state(cast: Cast) -> None:
    row, officer = applied(cast), fresh(cast.a.officer)
    answer = {"actor": officer, "application": row}
    refused(Invalid, lambda: applications.send_back(**answer, reason=" "))
    refused(Invalid, lambda: applications.decline(**answer, reason=""))
    stranger = refused(Invalid, lambda: applications.accept(**answer, community_liaison=cast.b.officer))
    assert "community_liaison" in stranger.fields
    refused(Stale, lambda: applications.send_back(**answer, reason="缺内容", version=row.version + 1))
    refused(
        InvalidTransition,
        lambda: applications.reapply(
            actor=fresh(cast.idle_liaison),
            application=row,
            role="lead",
            brings="x",
            years=1,
            unit_liaison=cast.idle_liaison,
        ),
    )
    applications.accept(**answer, community_liaison=cast.a.officer)
    refused(InvalidTransition, lambda: applications.decline(**answer, reason="不要了"))
    refused(InvalidTransition, lambda: applications.withdraw(actor=fresh(cast.idle_liaison), application=row))


def test_a_unit_stopped_meanwhile_is_not_taken_in(cast: Cast) -> None:
    row = applied(cast)
    cast.idle_unit.is_active = False
    cast.idle_unit.save(update_fields=["is_active"])
    refused(
        Invalid,
        lambda: applications.accept(actor=fresh(cast.a.officer), application=row, community_liaison=cast.a.officer),
    )


def test_of_two_cadres_accepting_at_once_one_makes_the_check_in(transactional_cast: Cast) -> None:
    cast = transactional_cast
    row = applied(cast)
    cadres = [fresh(cast.a.officer), fresh(cast.a.secretary)]
    errors = together(
        *(
            lambda who=who: applications.accept(actor=who, application=row, community_liaison=cast.a.officer)
            for who in cadres
        )
    )
    assert [type(error) for error in errors] == [InvalidTransition]
    assert UnitCheckIn.objects.filter(unit=cast.idle_unit).count() == 1


def test_accepting_while_another_registers_makes_one_check_in(transactional_cast: Cast) -> None:
    cast = transactional_cast
    row, officer, secretary = applied(cast), fresh(cast.a.officer), fresh(cast.a.secretary)
    errors = together(
        lambda: applications.accept(actor=officer, application=row, community_liaison=cast.a.officer),
        lambda: check_in(actor=secretary, unit=cast.idle_unit, node=cast.a.node),
    )
    assert len(errors) == 1 and isinstance(errors[0], Conflict)
    assert UnitCheckIn.objects.filter(unit=cast.idle_unit).count() == 1


# --- Renewal --------------------------------------------------------------------------------------------------------


def test_renewing_goes_on_from_the_old_last_day(cast: Cast) -> None:
    held = accepted(cast)
    early = refused(Conflict, lambda: applications.renew(actor=fresh(cast.idle_liaison), checkin=held))
    assert "30 天" in early.message
    assert held.until is not None
    UnitCheckIn.objects.filter(pk=held.pk).update(until=TODAY() + 20 * DAY)
    held.refresh_from_db()
    row = applications.renew(actor=fresh(cast.idle_liaison), checkin=held, years=1, brings="会议室")
    assert (row.renews, row.role) == (held, "supporting")
    applications.accept(actor=fresh(cast.a.officer), application=row, community_liaison=cast.a.officer)
    after = UnitCheckIn.objects.get(unit=cast.idle_unit)
    assert (after.pk, after.brings, after.community_liaison) == (held.pk, "会议室", cast.a.officer)
    assert after.until == years_later(TODAY() + 20 * DAY, 1)
    assert after.number == held.number


def test_what_has_run_out_goes_on_and_is_renewed_from_today(cast: Cast) -> None:
    held = make.check_in(cast.idle_unit, cast.a.node, start=TODAY() - 400 * DAY, until=TODAY() - 35 * DAY)
    assert selectors.has_run_out(held) and not selectors.runs_out(held)
    assert selectors.figures_at(cast.a.node) == selectors.Figures(3, 2)
    row = applications.renew(actor=fresh(cast.idle_liaison), checkin=held, brings="会议室")
    applications.accept(actor=fresh(cast.a.officer), application=row, community_liaison=cast.a.officer)
    held.refresh_from_db()
    assert held.until == years_later(TODAY(), 1) and held.number


def test_an_ended_check_in_is_not_renewed_and_takes_its_application_along(cast: Cast) -> None:
    held = make.check_in(cast.idle_unit, cast.a.node, until=TODAY())
    row = applications.renew(actor=fresh(cast.idle_liaison), checkin=held, brings="会议室")
    end_check_in(actor=fresh(cast.a.officer), checkin=held, reason="单位撤并")
    row.refresh_from_db()
    assert (row.state, row.reason) == ("withdrawn", "报到已结束，不用再续签。")
    held.refresh_from_db()
    refused(Conflict, lambda: applications.renew(actor=fresh(cast.idle_liaison), checkin=held, brings="会议室"))


def test_leap_days_end_on_the_last_of_february() -> None:
    assert years_later(datetime.date(2028, 2, 29), 1) == datetime.date(2029, 2, 28)
    assert years_later(datetime.date(2028, 2, 29), 4) == datetime.date(2032, 2, 29)


# --- Changing -------------------------------------------------------------------------------------------------------


def test_a_check_in_is_changed_and_the_unit_learns_of_it(cast: Cast) -> None:
    held = accepted(cast)
    officer = fresh(cast.a.officer)
    after = change_check_in(actor=officer, checkin=held, role="lead", brings="会议室", version=held.version)
    assert (after.role, after.brings, after.version) == ("lead", "会议室", held.version + 1)
    assert told(cast.idle_liaison)[-1] == "您单位的报到有改动：白龙塘社区"
    refused(Stale, lambda: change_check_in(actor=officer, checkin=held, role="supporting", version=held.version))
    count = OutboxMessage.objects.count()
    change_check_in(actor=officer, checkin=after, role="lead")
    assert OutboxMessage.objects.count() == count
    refused(Forbidden, lambda: change_check_in(actor=fresh(cast.idle_liaison), checkin=after, role="supporting"))
    refused(NotFound, lambda: change_check_in(actor=fresh(cast.b.officer), checkin=after, role="supporting"))
    refused(Invalid, lambda: change_check_in(actor=officer, checkin=after, unit_liaison=cast.a.liaison))
    refused(Invalid, lambda: change_check_in(actor=officer, checkin=after, until=after.start - DAY))


def test_a_liaison_who_has_left_is_no_reason_to_refuse_a_change(cast: Cast) -> None:
    held = accepted(cast)
    cast.a.secretary.appointments.update(end=TODAY() - DAY, start=TODAY() - 2 * DAY)
    assert change_check_in(actor=fresh(cast.a.officer), checkin=held, role="lead").role == "lead"


def test_open_promises_keep_a_check_in_from_ending(cast: Cast) -> None:
    held = accepted(cast)
    make_commitment(cast.idle_unit, cast.a.node, checkin=held, title="开放会议室")
    error = refused(Conflict, lambda: end_check_in(actor=fresh(cast.a.officer), checkin=held))
    assert "“开放会议室”" in error.message
    cast.idle_unit.commitments.update(state="done")
    assert end_check_in(actor=fresh(cast.a.officer), checkin=held).end == TODAY()


def test_ending_settles_every_promise_or_nothing(cast: Cast) -> None:
    held = accepted(cast)
    moved = make_commitment(cast.idle_unit, cast.a.building, checkin=held, title="换灯")
    dropped = make_commitment(cast.idle_unit, cast.a.node, checkin=held, title="开放会议室", state="reported")
    elsewhere = make_commitment(cast.a.unit, cast.a.node, title="别家的")
    officer = fresh(cast.a.officer)
    to_unit, gone = Settlement(moved, cast.a.unit, ""), Settlement(dropped, None, "会议室拆除")

    def end(*rows: Settlement) -> UnitCheckIn:
        return end_check_in(actor=officer, checkin=held, settlements=rows)

    assert "“开放会议室”" in refused(Conflict, lambda: end(to_unit), Commitment).message
    refused(Invalid, lambda: end(to_unit, Settlement(dropped, None, " ")), Commitment)
    refused(Invalid, lambda: end(Settlement(moved, cast.b.unit, ""), gone), Commitment)
    refused(Conflict, lambda: end(to_unit, gone, Settlement(elsewhere, None, "x")), Commitment)
    early = {"checkin": held, "settlements": (to_unit, gone), "end": held.start - DAY}
    refused(Invalid, lambda: end_check_in(actor=officer, **early), Commitment)
    refused(NotFound, lambda: end_check_in(actor=fresh(cast.b.officer), checkin=held), Commitment)
    assert end(to_unit, gone).end == TODAY()
    moved.refresh_from_db()
    dropped.refresh_from_db()
    assert (moved.state, dropped.state, dropped.reason) == ("moved", "dropped", "会议室拆除")
    assert moved.moved_to is not None and moved.moved_to.unit == cast.a.unit
    assert not selectors.open_promises([held.pk])
    assert told(cast.idle_liaison)[-1] == "您单位的报到已结束：白龙塘社区"


# --- Reminders ------------------------------------------------------------------------------------------------------


def test_the_community_is_reminded_of_units_that_wait(cast: Cast) -> None:
    applied(cast)
    applied(cast, node=cast.a.compound)
    assert checkin_sweep.sweep_checkins()["waiting"] == 0
    long_after = timezone.now() + 20 * DAY
    assert checkin_sweep.sweep_checkins(long_after)["waiting"] == 1
    checkin_sweep.sweep_checkins(long_after)
    found = [title for title in told(cast.a.officer) if "等待超过" in title]
    assert found == ["有 2 份报到申请等待超过 3 个工作日，请接收或退回"]


def test_a_unit_is_reminded_of_what_was_sent_back(cast: Cast) -> None:
    row = make_application(cast.idle_unit, cast.a.node, state="sent_back", reason="写明场地")
    CheckInApplication.objects.filter(pk=row.pk).update(decided_at=timezone.now() - 20 * DAY)
    assert checkin_sweep.sweep_checkins()["sent_back"] == 1
    checkin_sweep.sweep_checkins()
    assert told(cast.idle_liaison) == ["报到申请等您补充：白龙塘社区"]


def test_both_sides_are_reminded_of_what_runs_out(cast: Cast) -> None:
    held = make.check_in(cast.idle_unit, cast.a.node, until=TODAY() + 30 * DAY, start=TODAY() - 300 * DAY)
    UnitCheckIn.objects.filter(unit=cast.a.unit).update(until=TODAY() + 31 * DAY)
    checkin_sweep.sweep_checkins()
    checkin_sweep.sweep_checkins()
    assert [title.split("，")[1] for title in told(cast.idle_liaison)] == ["请续签：白龙塘社区"]
    assert told(cast.a.officer) == ["有 1 个单位的报到协议将到期或已到期，请联系续签或结束报到"]
    assert told(cast.a.liaison) == []
    applications.renew(actor=fresh(cast.idle_liaison), checkin=held, brings="会议室")
    assert checkin_sweep.sweep_checkins()["running_out"] == 1


# --- Figures --------------------------------------------------------------------------------------------------------


def test_a_unit_with_two_check_ins_counts_once(cast: Cast) -> None:
    make.check_in(cast.a.unit, cast.a.compound, CheckInRole.SUPPORTING)
    make.check_in(cast.a.supporting_unit, cast.a.compound, CheckInRole.LEAD)
    make.check_in(cast.idle_unit, cast.a.node, CheckInRole.SUPPORTING)
    make.check_in(make.make_unit(cast.county, "县林业局"), cast.a.node, end=TODAY() - DAY, start=TODAY() - 9 * DAY)
    stopped = make.make_unit(cast.county, "县粮食局", is_active=False)
    make.check_in(stopped, cast.a.node)
    here = selectors.figures_at(cast.a.node)
    assert (here.units, here.lead, here.supporting) == (3, 2, 1)
    by_community = selectors.figures_by_community(UnitCheckIn.objects.all())
    assert by_community[cast.a.node.pk] == here
    assert by_community[cast.b.node.pk] == selectors.Figures(2, 1)
