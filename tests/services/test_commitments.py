"""Promises: who makes them and where, how they go on, who says that they count, and what becomes of them when a unit goes."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.actors import SYSTEM
from core.errors import Conflict, DomainError, Forbidden, Invalid, InvalidTransition, NotFound, Stale
from core.models import AuditEntry, OutboxMessage
from grids.models import GridNode
from partybuilding.actions import update_unit
from services.actions import (
    NewCommitment,
    Settlement,
    change_commitment,
    confirm_commitment,
    drop_commitment,
    make_commitment,
    make_commitments,
    move_commitment,
    report_done,
    report_progress,
    send_back_commitment,
    settle_commitments,
)
from services.models import COMMITMENT_COUNTED, Commitment, CommitmentProgress, CommitmentState
from services.workflow import COMMITMENT
from tests import factories as make
from tests import weft_factories as weave
from tests.cast import Cast
from tests.factories import fresh

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)


def promise(actor: Any, cast: Cast, **fields: Any) -> Commitment:
    given = {
        "node": cast.a.building,
        "unit": cast.a.unit,
        "title": "更换楼道灯",
        "measure": "12 盏灯都亮",
        "owner": "王主任",
        "due_on": TODAY() + 30 * DAY,
        **fields,
    }
    return make_commitment(actor=actor, **given)


def reported(cast: Cast) -> Commitment:
    row = weave.make_commitment(cast.a.unit, cast.a.building)
    return report_done(actor=cast.a.liaison, commitment=row, text="都换好了")


def kinds() -> list[str]:
    return list(OutboxMessage.objects.order_by("pk").values_list("kind", flat=True))


# --- Made -----------------------------------------------------------------------------------------------------------


def test_a_liaison_promises_for_the_unit_and_the_community_learns_of_it(cast: Cast) -> None:
    row = promise(cast.a.liaison, cast, title=" 更换 楼道灯，电话13812345678 ")
    assert row.title == "更换 楼道灯，电话138****5678"
    assert (row.state, row.percent, row.community, row.promised_on) == ("open", 0, cast.a.node, TODAY())
    assert row.checkin is not None
    assert row.checkin.node == cast.a.node
    assert kinds() == ["commitment_promised"]
    entry = AuditEntry.objects.get(chain=f"services.commitment:{row.pk}")
    assert (entry.action, entry.county_id) == ("commitment.make", cast.county.pk)
    assert "王主任" not in f"{entry.label}{entry.changes}", "the trail is never erased"


def test_the_community_promises_on_the_units_behalf_and_the_unit_learns_of_it(cast: Cast) -> None:
    promise(cast.a.officer, cast)
    assert kinds() == ["commitment_made"]
    promise(cast.street_officer, cast, title="清理杂物")
    with pytest.raises((Forbidden, NotFound)):
        promise(cast.b.officer, cast, title="别人的事")
    assert Commitment.objects.count() == 2


def test_a_member_promises_for_themself_in_the_community_that_took_them_in(cast: Cast) -> None:
    a = cast.a
    mine: dict[str, Any] = {"unit": None, "member": a.member, "owner": a.member.name}
    with pytest.raises(Invalid, match="请先向“1 号楼”所在的社区报到"):
        promise(a.member_user, cast, **mine)
    weave.make_member_checkin(a.member, a.compound)
    row = promise(a.member_user, cast, **mine)
    assert row.holder == a.member.masked_name
    with pytest.raises(Conflict):
        promise(a.member_user, cast, **mine)
    with pytest.raises((Forbidden, NotFound)):
        promise(a.second_member_user, cast, **mine, title="替别人承诺")
    with pytest.raises(Invalid, match="社区报到"):
        promise(a.member_user, cast, **mine, node=cast.b.building)
    assert Commitment.objects.count() == 1


@pytest.mark.parametrize("who", ["a.staff", "b.liaison", "a.supporting_liaison", "a.member", "nobody", "auditor"])
def test_nobody_else_speaks_for_a_unit(cast: Cast, who: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        promise(cast.people()[who], cast)
    assert not Commitment.objects.exists()


def test_a_unit_promises_where_it_has_reported_above_or_below_it(cast: Cast) -> None:
    unit = cast.idle_unit
    where: dict[str, Any] = {"unit": unit}
    with pytest.raises(Invalid, match=r"没有在“.*1 号楼”报到.*（没有报到）"):
        promise(cast.a.officer, cast, **where)
    checkin = make.check_in(unit, cast.a.grid)
    assert promise(cast.idle_liaison, cast, **where).checkin == checkin
    assert promise(cast.idle_liaison, cast, **where, node=cast.a.node).checkin == checkin
    other = make.make_node(cast.a.compound, "grid", "第二网格")
    with pytest.raises(Invalid, match="它现在的报到地：第一网格"):
        promise(cast.idle_liaison, cast, **where, node=other)
    with pytest.raises(Invalid):
        promise(cast.b.officer, cast, **where, node=cast.b.building)


def test_the_nearest_check_in_is_the_one_that_serves(cast: Cast) -> None:
    near = make.check_in(cast.a.unit, cast.a.compound)
    assert promise(cast.a.liaison, cast).checkin == near
    far = cast.a.unit.checkins.get(node=cast.a.node)
    row = NewCommitment(cast.a.building, "另一项", "做到", "王主任", TODAY(), cast.a.unit, checkin=far)
    assert make_commitments(actor=cast.a.liaison, rows=[row])[0].checkin == far


def test_one_that_ended_yesterday_or_begins_tomorrow_does_not_serve(cast: Cast) -> None:
    make.check_in(cast.idle_unit, cast.a.node, start=TODAY() - 9 * DAY, end=TODAY() - DAY)
    make.check_in(cast.idle_unit, cast.a.grid, start=TODAY() + DAY)
    with pytest.raises(Invalid, match="没有报到"):
        promise(cast.a.officer, cast, unit=cast.idle_unit)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"title": " "}, "title"),
        ({"title": "长" * 101}, "title"),
        ({"measure": ""}, "measure"),
        ({"owner": ""}, "owner"),
        ({"due_on": TODAY() - DAY}, "due_on"),
        ({"unit": None}, "unit"),
    ],
)
def test_what_is_not_usable_is_said_under_its_field(cast: Cast, fields: dict[str, Any], name: str) -> None:
    with pytest.raises(Invalid) as refused:
        promise(cast.a.officer, cast, **fields)
    assert list(refused.value.fields) == [name]
    assert not Commitment.objects.exists()
    assert not AuditEntry.objects.filter(action="commitment.make").exists()


def test_a_retired_place_a_street_and_a_closed_unit_take_no_promise(cast: Cast) -> None:
    GridNode.objects.filter(pk=cast.a.floor.pk).update(retired_at=timezone.now())
    with pytest.raises(Invalid, match="已撤销"):
        promise(cast.a.officer, cast, node=cast.a.floor)
    with pytest.raises(Invalid, match="不在任何社区内"):
        promise(cast.street_officer, cast, node=cast.street)
    cast.a.unit.is_active = False
    cast.a.unit.save()
    with pytest.raises(Invalid, match="不是本县在用的单位"):
        promise(cast.a.officer, cast)


def test_the_same_promise_of_the_same_day_is_made_once(cast: Cast) -> None:
    promise(cast.a.liaison, cast)
    with pytest.raises(Conflict, match=r"当天已在“.*1 号楼”承诺过“更换楼道灯”"):
        promise(cast.a.officer, cast)
    rows = [NewCommitment(cast.a.grid, "同一项", "做到", "王主任", TODAY(), cast.a.unit)] * 2
    with pytest.raises(Conflict):
        make_commitments(actor=cast.a.officer, rows=rows)
    assert Commitment.objects.count() == 1


def test_a_list_of_the_past_brings_what_is_done_and_only_who_confirms_says_so(cast: Cast) -> None:
    row = NewCommitment(
        cast.a.building,
        "去年的事",
        "做到",
        "王主任",
        TODAY() - 20 * DAY,
        cast.a.unit,
        promised_on=TODAY() - 60 * DAY,
        done_on=TODAY() - 30 * DAY,
    )
    with pytest.raises((Forbidden, NotFound)):
        make_commitments(actor=cast.a.liaison, rows=[row])
    with pytest.raises(Forbidden):
        make_commitments(actor=cast.street_officer, rows=[row])
    (one,) = make_commitments(actor=cast.a.officer, rows=[row])
    assert (one.state, one.percent, one.done_on) == ("done", 100, TODAY() - 30 * DAY)
    assert kinds() == [], "what is done already is old news"


def test_a_unit_that_owes_a_promise_is_not_closed(cast: Cast) -> None:
    make.check_in(cast.idle_unit, cast.a.node)
    row = promise(cast.idle_liaison, cast, unit=cast.idle_unit)
    with pytest.raises(DomainError, match="没有完成的承诺事项"):
        update_unit(actor=cast.admin, unit=cast.idle_unit, is_active=False)
    drop_commitment(actor=cast.a.officer, commitment=row, reason="单位改了计划")


# --- How it goes on -------------------------------------------------------------------------------------------------


def test_the_life_of_a_promise(cast: Cast) -> None:
    a = cast.a
    row = promise(a.liaison, cast)
    row = report_progress(actor=a.liaison, commitment=row, percent=60, text="买了灯，联系13812345678")
    assert (row.percent, row.steps.get().text) == (60, "买了灯，联系138****5678")
    row = report_done(actor=a.liaison, commitment=row, text="都换好了", version=row.version)
    assert (row.state, row.percent, row.done_on) == ("reported", 100, None)
    row = send_back_commitment(actor=a.officer, commitment=row, reason="三楼还有两盏不亮", version=row.version)
    assert (row.state, row.reason, row.reported_at) == ("open", "三楼还有两盏不亮", None)
    row = report_done(actor=a.liaison, commitment=row, text="补上了")
    row = confirm_commitment(actor=a.secretary, commitment=row, version=row.version)
    assert (row.state, row.done_on, row.confirmed_by, row.reason) == ("done", TODAY(), a.secretary, "")
    told = ["promised", "reported", "sent_back", "reported", "confirmed"]
    assert kinds() == [f"commitment_{kind}" for kind in told]


def test_progress_sent_twice_stands_once(cast: Cast) -> None:
    row = weave.make_commitment(cast.a.unit, cast.a.building)
    for _twice in range(2):
        report_progress(actor=cast.a.liaison, commitment=row, percent=30, text="买了灯")
    assert CommitmentProgress.objects.count() == 1
    with pytest.raises(Stale):
        report_progress(actor=cast.a.liaison, commitment=row, percent=40, text="装了灯", version=row.version)


@pytest.mark.parametrize(("percent", "text"), [(101, "多了"), (-1, "少了"), (50, " ")])
def test_progress_that_is_not_usable(cast: Cast, percent: int, text: str) -> None:
    row = weave.make_commitment(cast.a.unit, cast.a.building)
    with pytest.raises(Invalid):
        report_progress(actor=cast.a.liaison, commitment=row, percent=percent, text=text)
    assert not row.steps.exists()


@pytest.mark.parametrize("who", ["a.officer", "a.staff", "b.liaison", "a.supporting_liaison", "street_officer"])
def test_only_who_promised_tells_how_far_it_is(cast: Cast, who: str) -> None:
    row = weave.make_commitment(cast.a.unit, cast.a.building)
    with pytest.raises((Forbidden, NotFound)):
        report_progress(actor=cast.people()[who], commitment=row, percent=50, text="替人说")
    with pytest.raises((Forbidden, NotFound)):
        report_done(actor=cast.people()[who], commitment=row, text="替人说")
    row.refresh_from_db()
    assert (row.state, row.percent, row.steps.count()) == ("open", 0, 0)


@pytest.mark.parametrize("who", ["a.liaison", "a.staff", "b.officer", "street_officer", "department", "a.keeper"])
def test_only_the_community_confirms(cast: Cast, who: str) -> None:
    row = reported(cast)
    with pytest.raises((Forbidden, NotFound)):
        confirm_commitment(actor=cast.people()[who], commitment=row)
    row.refresh_from_db()
    assert row.state == "reported"


@pytest.mark.parametrize("role", ["liaison", "staff"])
def test_nobody_confirms_for_their_own_unit_in_whatever_other_post(cast: Cast, role: str) -> None:
    row = reported(cast)
    both = make.make_unit_person("两头任职", cast.a.unit, role)
    make.make_appointment(both, "community_secretary", cast.a.node)
    for deed in (
        lambda: confirm_commitment(actor=both, commitment=row),
        lambda: send_back_commitment(actor=both, commitment=row, reason="不行"),
    ):
        with pytest.raises(InvalidTransition, match="不能确认自己的承诺"):
            deed()
    row.refresh_from_db()
    assert row.state == "reported"
    assert {move.name for move in COMMITMENT.available(row, both)} == {"move", "drop"}


def test_a_member_who_is_an_officer_does_not_confirm_their_own(cast: Cast) -> None:
    a = cast.a
    make.make_appointment(a.member_user, "community_officer", a.node)
    weave.make_member_checkin(a.member, a.compound)
    member = fresh(a.member_user)
    row = promise(member, cast, unit=None, member=a.member)
    row = report_done(actor=member, commitment=row, text="做完了")
    with pytest.raises(InvalidTransition):
        confirm_commitment(actor=member, commitment=row)
    assert confirm_commitment(actor=a.secretary, commitment=row).state == "done"


def test_the_second_confirmation_is_told_plainly(cast: Cast) -> None:
    row = reported(cast)
    confirm_commitment(actor=cast.a.officer, commitment=row)
    with pytest.raises(InvalidTransition, match="当前状态是“已完成”"):
        confirm_commitment(actor=cast.a.secretary, commitment=row)
    assert AuditEntry.objects.filter(action="commitment.confirm").count() == 1


def test_a_promise_is_corrected_while_it_is_open(cast: Cast) -> None:
    row = promise(cast.a.officer, cast)
    changed = change_commitment(actor=cast.a.officer, commitment=row, due_on=TODAY() + 60 * DAY, version=row.version)
    assert (changed.due_on, changed.version) == (TODAY() + 60 * DAY, row.version + 1)
    with pytest.raises(Stale):
        change_commitment(actor=cast.a.officer, commitment=row, title="别的", version=row.version)
    with pytest.raises(Invalid):
        change_commitment(actor=cast.a.officer, commitment=row, due_on=TODAY() - DAY)
    with pytest.raises(Forbidden):
        change_commitment(actor=cast.a.liaison, commitment=row, title="自己改")
    report_done(actor=cast.a.liaison, commitment=row, text="好了")
    with pytest.raises(Conflict):
        change_commitment(actor=cast.a.officer, commitment=row, title="晚了")


# --- When a unit goes -----------------------------------------------------------------------------------------------


def test_an_open_promise_moves_to_another_unit_and_counts_there(cast: Cast) -> None:
    a = cast.a
    row = promise(a.liaison, cast, due_on=TODAY() + 5 * DAY)
    report_progress(actor=a.liaison, commitment=row, percent=40, text="买了灯")
    row.refresh_from_db()
    new = move_commitment(
        actor=a.officer, commitment=row, unit=a.supporting_unit, reason="分工调整", version=row.version
    )
    row.refresh_from_db()
    assert (row.state, row.moved_to, row.reason) == ("moved", new, "分工调整")
    assert (new.state, new.percent, new.unit, new.owner) == ("open", 0, a.supporting_unit, a.supporting_liaison.name)
    assert (new.title, new.due_on, new.node) == (row.title, row.due_on, row.node)
    assert [one.pk for one in Commitment.objects.filter(state__in=COMMITMENT_COUNTED)] == [new.pk]
    assert kinds()[-2:] == ["commitment_moved", "commitment_made"]


def test_a_unit_that_has_not_reported_there_takes_nothing_over(cast: Cast) -> None:
    one, two = promise(cast.a.liaison, cast), promise(cast.a.liaison, cast, title="清理杂物")
    rows = [Settlement(one, cast.a.supporting_unit, ""), Settlement(two, cast.b.unit, "")]
    with pytest.raises(Invalid, match="没有在"):
        settle_commitments(actor=cast.a.officer, rows=rows)
    with pytest.raises(Invalid, match="本来就是"):
        settle_commitments(actor=cast.a.officer, rows=[Settlement(one, cast.a.unit, "")])
    with pytest.raises(Invalid):
        settle_commitments(actor=cast.a.officer, rows=[Settlement(one, None, " ")])
    assert set(Commitment.objects.values_list("state", flat=True)) == {"open"}, "all or none"


def test_whoever_ends_a_check_in_settles_its_promises(cast: Cast) -> None:
    a = cast.a
    one, two = promise(a.liaison, cast), promise(a.liaison, cast, title="清理杂物")
    rows = [Settlement(one, a.supporting_unit, "单位撤出"), Settlement(two, None, "单位撤出")]
    settle_commitments(actor=cast.admin, rows=rows)
    assert sorted(Commitment.objects.values_list("state", flat=True)) == ["dropped", "moved", "open"]
    with pytest.raises(Conflict):
        settle_commitments(actor=cast.admin, rows=rows)
    with pytest.raises((Forbidden, NotFound)):
        drop_commitment(actor=a.supporting_liaison, commitment=Commitment.objects.get(state="open"), reason="不想做")


def test_the_system_settles_as_well(cast: Cast) -> None:
    row = promise(cast.a.liaison, cast)
    settle_commitments(actor=SYSTEM, rows=[Settlement(row, None, "报到已结束")])
    row.refresh_from_db()
    assert row.state == "dropped"


# --- Every way through ----------------------------------------------------------------------------------------------

MOVES: dict[str, Callable[[Cast, Commitment], Any]] = {
    "progress": lambda cast, row: report_progress(actor=cast.a.liaison, commitment=row, percent=50, text="一半"),
    "report": lambda cast, row: report_done(actor=cast.a.liaison, commitment=row, text="好了"),
    "confirm": lambda cast, row: confirm_commitment(actor=cast.a.officer, commitment=row),
    "send_back": lambda cast, row: send_back_commitment(actor=cast.a.officer, commitment=row, reason="还差"),
    "change": lambda cast, row: change_commitment(actor=cast.a.officer, commitment=row, measure="改过"),
    "move": lambda cast, row: move_commitment(actor=cast.a.officer, commitment=row, unit=cast.a.supporting_unit),
    "drop": lambda cast, row: drop_commitment(actor=cast.a.officer, commitment=row, reason="不做了"),
}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from(sorted(MOVES)), max_size=8))
def test_whatever_is_tried_the_table_and_the_facts_agree(cast: Cast, names: list[str]) -> None:
    Commitment.objects.update(moved_to=None)
    CommitmentProgress.objects.all().delete()
    Commitment.objects.all().delete()
    row = weave.make_commitment(cast.a.unit, cast.a.building)
    for name in names:
        move = COMMITMENT.get(name)
        row.refresh_from_db()
        before = row.state
        if before in move.sources:
            MOVES[name](cast, row)
        else:
            with pytest.raises(InvalidTransition):
                MOVES[name](cast, row)
        row.refresh_from_db()
        assert row.state == (move.target or before if before in move.sources else before)
    assert (row.state == CommitmentState.DONE) == (row.done_on is not None) == (row.confirmed_by is not None)
    assert (row.state == CommitmentState.MOVED) == (row.moved_to is not None)
    counted = Commitment.objects.filter(state__in=COMMITMENT_COUNTED).count()
    assert counted == (0 if row.state == CommitmentState.DROPPED else 1)
