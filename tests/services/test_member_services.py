"""What members enter and communities confirm; quarterly cards; certificates; and the figures of it all."""

import datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from core import policies
from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound, Stale
from core.models import AuditEntry, OutboxMessage
from core.periods import Quarter, day_start
from services.actions.certificates import issue_certificate, revoke_certificate
from services.actions.member_cards import last_quarter, receive_cards, send_cards
from services.actions.member_services import (
    correct_service,
    decide_service,
    decide_services,
    drop_service,
    enter_service,
)
from services.actions.member_sweep import remind_communities, remind_members
from services.models import Certificate, MemberCard, MemberCheckIn, ServiceRecord
from services.selectors.members import MemberFigures, figures_by_community, member_figures
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together
from tests.weft_factories import make_member_checkin, make_service

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)


@pytest.fixture
def checkin(cast: Cast) -> MemberCheckIn:
    long_ago = day_start(last_quarter().previous().previous().first_day)
    return make_member_checkin(cast.a.member, cast.a.compound, applied_at=long_ago)


def enter(cast: Cast, checkin: MemberCheckIn, **given: object) -> ServiceRecord:
    values = {"served_on": TODAY(), "hours": "1.5", "text": "清理楼道", **given}
    return enter_service(actor=fresh(cast.a.member_user), checkin=checkin, **values)  # type: ignore[arg-type]


# --- Services -------------------------------------------------------------------------------------------------------


def test_a_service_counts_when_the_community_has_confirmed_it(cast: Cast, checkin: MemberCheckIn) -> None:
    row = enter(cast, checkin, text="给王家 13812345678 修灯")
    assert (row.state, "13812345678" in row.text) == ("entered", False)
    assert enter(cast, checkin, text="给王家 13812345678 修灯").pk == row.pk, "sent twice it is one"
    assert member_figures(cast.county).services == 0
    row = decide_service(actor=fresh(cast.a.officer), service=row, name="confirm", version=row.version)
    assert (row.state, row.decided_by) == ("confirmed", cast.a.officer)
    assert member_figures(cast.county) == MemberFigures(1, 1, Decimal("1.5"))
    with pytest.raises(Conflict, match="已经填过"):
        enter(cast, checkin, text="给王家 13812345678 修灯")
    entry = AuditEntry.objects.get(action="member_service.enter")
    assert "修灯" not in str(entry.changes), "the trail holds no words of what was done for whom"


def test_sent_back_with_a_word_it_is_corrected_and_comes_again(cast: Cast, checkin: MemberCheckIn) -> None:
    row = enter(cast, checkin)
    with pytest.raises(Invalid):
        decide_service(actor=fresh(cast.a.officer), service=row, name="send_back")
    row = decide_service(actor=fresh(cast.a.officer), service=row, name="send_back", reason="时长请核对")
    assert (row.state, row.reason) == ("sent_back", "时长请核对")
    assert OutboxMessage.objects.filter(kind="member_service_sent_back").count() == 1
    me = fresh(cast.a.member_user)
    data = {"served_on": TODAY(), "hours": "1", "text": "清理楼道"}
    with pytest.raises(Stale):
        correct_service(actor=me, service=row, **data, version=1)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        correct_service(actor=fresh(cast.a.second_member_user), service=row, **data)  # type: ignore[arg-type]
    row = correct_service(actor=me, service=row, **data, version=row.version)  # type: ignore[arg-type]
    assert (row.state, row.hours, row.reason) == ("entered", 1, "")
    row = drop_service(actor=me, service=row)
    assert enter(cast, checkin).pk != row.pk, "what was taken out may be entered again"


@pytest.mark.parametrize("hours", ["0", "25", "-1", "x", "NaN", "0.04"])
def test_hours_are_those_of_a_day(cast: Cast, checkin: MemberCheckIn, hours: str) -> None:
    with pytest.raises(Invalid) as refused:
        enter(cast, checkin, hours=hours)
    assert "hours" in refused.value.fields
    assert not ServiceRecord.objects.exists()


def test_days_and_words_that_can_not_be_are_refused_with_the_reason(cast: Cast, checkin: MemberCheckIn) -> None:
    enter(cast, checkin, hours=20)
    with pytest.raises(Invalid, match="一天不会超过 24 小时"):
        enter(cast, checkin, hours=5, text="值班")
    with pytest.raises(Invalid, match="不能晚于今天"):
        enter(cast, checkin, served_on=TODAY() + DAY)
    with pytest.raises(Invalid, match="不能早于报到"):
        enter(cast, checkin, served_on=datetime.date(2020, 1, 1))
    with pytest.raises(Invalid, match="请填写服务内容"):
        enter(cast, checkin, text="  ")
    waiting = make_member_checkin(cast.a.second_member, cast.a.compound, state="applied")
    with pytest.raises(Conflict, match="社区接收报到后"):
        enter_service(
            actor=fresh(cast.a.second_member_user), checkin=waiting, served_on=TODAY(), hours=1, text="清理楼道"
        )
    with pytest.raises(Forbidden):
        enter_service(actor=fresh(cast.a.officer), checkin=checkin, served_on=TODAY(), hours=1, text="代填")
    assert ServiceRecord.objects.count() == 1


def test_nobody_confirms_their_own_service(cast: Cast, checkin: MemberCheckIn) -> None:
    """A community officer who is a member as well."""
    make.make_appointment(cast.a.member_user, "community_officer", cast.a.node)
    row, other = enter(cast, checkin), make_service(make_member_checkin(cast.a.second_member, cast.a.compound))
    both = fresh(cast.a.member_user)
    with pytest.raises(InvalidTransition, match="您自己填的"):
        decide_service(actor=both, service=row, name="confirm")
    moved = decide_services(actor=both, services=[row, other], name="confirm")
    assert ([one.pk for one in moved.done], [one.row.pk for one in moved.refused]) == ([other.pk], [row.pk])
    row.refresh_from_db()
    assert row.state == "entered"


def test_many_are_confirmed_in_a_few_statements(
    cast: Cast, checkin: MemberCheckIn, django_assert_max_num_queries: object
) -> None:
    rows = [make_service(checkin, text=f"第 {number} 次") for number in range(40)]
    stranger = fresh(cast.b.officer)
    assert not decide_services(actor=stranger, services=rows, name="confirm").done
    officer = fresh(cast.a.officer)
    policies.grants_of(officer)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        moved = decide_services(actor=officer, services=rows, name="confirm")
    assert (len(moved.done), moved.refused) == (40, [])
    assert member_figures(cast.a.node).hours == 60


def test_an_old_quarter_is_closed_once_its_card_was_sent(cast: Cast, checkin: MemberCheckIn) -> None:
    old = last_quarter().previous()
    first = enter(cast, checkin, served_on=old.first_day)
    first = decide_service(actor=fresh(cast.a.officer), service=first, name="confirm")
    send_cards(actor=fresh(cast.a.officer), community=cast.a.node, quarter=old)
    with pytest.raises(Invalid, match="已经反馈给您的单位"):
        enter(cast, checkin, served_on=old.last_day, text="补一次")
    with pytest.raises(InvalidTransition, match="已经反馈给单位"):
        decide_service(actor=fresh(cast.a.officer), service=first, name="take_back", reason="确认错了")
    assert enter(cast, checkin, served_on=last_quarter().last_day, text="上季度的还能填")


def test_a_confirmation_is_taken_back_while_nobody_was_told(cast: Cast, checkin: MemberCheckIn) -> None:
    row = make_service(checkin, state="confirmed")
    assert (
        decide_service(actor=fresh(cast.a.officer), service=row, name="take_back", reason="点错了").state == "sent_back"
    )
    row = make_service(checkin, state="confirmed", text="写进证明")
    issue_certificate(
        actor=fresh(cast.a.member_user), member=cast.a.member, community=cast.a.node, since=TODAY(), until=TODAY()
    )
    with pytest.raises(InvalidTransition, match="服务证明"):
        decide_service(actor=fresh(cast.a.officer), service=row, name="take_back", reason="点错了")


# --- Cards ----------------------------------------------------------------------------------------------------------


def test_a_quarter_is_sent_to_the_units_and_twice_is_once(cast: Cast, checkin: MemberCheckIn) -> None:
    quarter = last_quarter()
    supporting = make_member_checkin(cast.a.supporting_member, cast.a.compound)
    for one in (checkin, supporting):
        make_service(one, served_on=quarter.first_day, state="confirmed")
    make_service(checkin, served_on=quarter.last_day, state="confirmed", hours="2")
    make_service(checkin, served_on=quarter.last_day, state="entered", text="没有确认")
    make_service(checkin, served_on=TODAY(), state="confirmed", text="这个季度")
    officer = fresh(cast.a.officer)
    sent = send_cards(actor=officer, community=cast.a.node, quarter=quarter)
    assert (sent.made, sent.corrected, sent.same) == (2, 0, 0)
    card = MemberCard.objects.get(member=cast.a.member)
    assert (card.unit, card.services, card.hours) == (cast.a.unit, 2, Decimal("3.5"))
    again = send_cards(actor=officer, community=cast.a.node, quarter=quarter)
    assert (again.made, again.corrected, again.same) == (0, 0, 2)
    assert receive_cards(actor=fresh(cast.a.liaison), unit=cast.a.unit, quarter=quarter) == 1
    assert receive_cards(actor=fresh(cast.a.liaison), unit=cast.a.unit, quarter=quarter) == 0
    make_service(checkin, served_on=quarter.last_day, state="confirmed", text="迟确认的")
    late = send_cards(actor=officer, community=cast.a.node, quarter=quarter)
    assert (late.made, late.corrected, late.same) == (0, 1, 1)
    card.refresh_from_db()
    assert (card.services, card.read_at) == (3, None), "the unit is shown what changed"
    assert OutboxMessage.objects.filter(kind="member_cards_sent").values("audience").distinct().count() == 2


def test_cards_are_sent_by_the_community_and_received_by_the_unit(cast: Cast, checkin: MemberCheckIn) -> None:
    quarter = last_quarter()
    make_service(checkin, served_on=quarter.first_day, state="confirmed")
    for stranger, error in ((cast.b.officer, NotFound), (cast.street_officer, Forbidden), (cast.a.liaison, NotFound)):
        with pytest.raises(error):
            send_cards(actor=fresh(stranger), community=cast.a.node, quarter=quarter)
    with pytest.raises(Invalid, match="还没有开始"):
        send_cards(actor=fresh(cast.a.officer), community=cast.a.node, quarter=Quarter.of(TODAY()).next())
    with pytest.raises(Invalid, match="请选择社区"):
        send_cards(actor=fresh(cast.a.officer), community=cast.a.compound, quarter=quarter)
    assert not MemberCard.objects.exists()
    send_cards(actor=fresh(cast.a.officer), community=cast.a.node, quarter=quarter)
    for stranger in (cast.a.officer, cast.a.supporting_liaison, cast.a.member_user, cast.a.staff):
        with pytest.raises(Forbidden):
            receive_cards(actor=fresh(stranger), unit=cast.a.unit, quarter=quarter)
    assert MemberCard.objects.filter(read_at=None).count() == 1


def test_a_quarter_that_runs_is_sent_as_it_stands_and_corrected_later(cast: Cast, checkin: MemberCheckIn) -> None:
    officer, quarter = fresh(cast.a.officer), Quarter.of(TODAY())
    make_service(checkin, served_on=TODAY(), text="先做的", state="confirmed")
    assert send_cards(actor=officer, community=cast.a.node, quarter=quarter).made == 1
    make_service(checkin, served_on=TODAY(), text="后做的", state="confirmed")
    assert send_cards(actor=officer, community=cast.a.node, quarter=quarter).corrected == 1
    assert MemberCard.objects.get().services == 2


@pytest.mark.django_db(transaction=True)
def test_two_who_send_at_once_make_one_card(transactional_cast: Cast) -> None:
    cast = transactional_cast
    row = make_member_checkin(cast.a.member, cast.a.compound)
    make_service(row, served_on=last_quarter().first_day, state="confirmed")
    people = [fresh(cast.a.officer), fresh(cast.a.secretary)]
    errors = together(
        *(lambda who=who: send_cards(actor=who, community=cast.a.node, quarter=last_quarter()) for who in people)
    )
    assert errors == []
    assert MemberCard.objects.count() == 1


# --- Certificates ---------------------------------------------------------------------------------------------------


def test_a_certificate_says_what_was_confirmed(cast: Cast, checkin: MemberCheckIn) -> None:
    make_service(checkin, state="confirmed")
    make_service(checkin, state="entered", text="没有确认")
    given = {"member": cast.a.member, "community": cast.a.node, "since": TODAY(), "until": TODAY()}
    row = issue_certificate(actor=fresh(cast.a.member_user), **given)  # type: ignore[arg-type]
    assert (row.services, row.hours, len(row.code)) == (1, Decimal("1.5"), 12)
    assert issue_certificate(actor=fresh(cast.a.officer), **given).pk == row.pk, "free, and the same one"  # type: ignore[arg-type]
    with pytest.raises(Forbidden):
        revoke_certificate(actor=fresh(cast.a.member_user), certificate=row, reason="不要了")
    with pytest.raises(Invalid):
        revoke_certificate(actor=fresh(cast.a.officer), certificate=row, reason=" ")
    row = revoke_certificate(actor=fresh(cast.a.officer), certificate=row, reason="时长有误")
    assert row.revoked_at is not None
    with pytest.raises(Conflict):
        revoke_certificate(actor=fresh(cast.a.officer), certificate=row, reason="再来")
    assert issue_certificate(actor=fresh(cast.a.member_user), **given).pk != row.pk  # type: ignore[arg-type]


def test_certificates_of_nothing_or_of_others_are_refused(cast: Cast, checkin: MemberCheckIn) -> None:
    me = fresh(cast.a.member_user)
    given = {"member": cast.a.member, "community": cast.a.node}
    with pytest.raises(Invalid, match="没有社区确认过的服务"):
        issue_certificate(actor=me, **given, since=TODAY(), until=TODAY())
    make_service(checkin, state="confirmed")
    with pytest.raises(Invalid, match="不能晚于今天"):
        issue_certificate(actor=me, **given, since=TODAY(), until=TODAY() + DAY)
    with pytest.raises(Invalid, match="不能晚于截止"):
        issue_certificate(actor=me, **given, since=TODAY(), until=TODAY() - DAY)
    for stranger in (cast.a.second_member_user, cast.b.officer, cast.a.liaison, cast.department):
        with pytest.raises(Forbidden):
            issue_certificate(actor=fresh(stranger), **given, since=TODAY(), until=TODAY())
    assert not Certificate.objects.exists()


# --- Figures and reminders ------------------------------------------------------------------------------------------


def test_figures_add_up_from_community_to_county(
    cast: Cast, checkin: MemberCheckIn, django_assert_num_queries: object
) -> None:
    other = make_member_checkin(cast.b.member, cast.b.compound)
    make_member_checkin(cast.a.second_member, cast.a.compound, state="applied")
    make_service(checkin, state="confirmed")
    make_service(other, state="confirmed", served_on=last_quarter().last_day, hours=2)
    with django_assert_num_queries(2):  # type: ignore[operator]
        by_community = figures_by_community(cast.county)
    assert by_community == {
        cast.a.node.pk: MemberFigures(1, 1, Decimal("1.5")),
        cast.b.node.pk: MemberFigures(1, 1, Decimal(2)),
    }
    whole = MemberFigures(2, 2, Decimal("3.5"))
    assert member_figures(cast.county) == member_figures(cast.street) == whole
    assert member_figures(cast.a.compound) == by_community[cast.a.node.pk]
    assert member_figures(cast.county, last_quarter()) == MemberFigures(2, 1, Decimal(2))


def test_what_waits_is_reminded_of_once_a_week(cast: Cast, checkin: MemberCheckIn) -> None:
    now = timezone.now()
    old = now - datetime.timedelta(days=20)
    make_member_checkin(cast.a.second_member, cast.a.compound, state="applied", applied_at=old)
    make_service(checkin, served_on=last_quarter().first_day, state="confirmed")
    make_service(checkin, text="等了很久", entered_at=old)
    make_service(checkin, text="被退回", state="sent_back", decided_at=old)
    for _run in range(2):
        remind_communities(now)
        remind_members(now)
    told = sorted(OutboxMessage.objects.filter(kind__startswith="member_wait").values_list("kind", flat=True))
    assert told == ["member_waiting", "member_waiting_cards", "member_waiting_service"]
    send_cards(actor=SYSTEM, community=cast.a.node, quarter=last_quarter())
    OutboxMessage.objects.all().delete()
    remind_communities(now)
    assert not OutboxMessage.objects.filter(kind="member_waiting_cards").exists()


def test_the_database_holds_what_the_actions_promise(cast: Cast, checkin: MemberCheckIn) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_member_checkin(cast.a.member, cast.b.compound, state="applied")
    make_service(checkin)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_service(checkin)
