"""Who looks after which place: begun, changed, handed over, ended; by whom, and when it is refused."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from core import policies
from core.accounts import deactivate
from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry, User
from grids.actions import retire_node
from grids.soundness import faults
from partybuilding.actions import (
    NewPairing,
    PairingChange,
    change_duty,
    change_pairings,
    end_pairing,
    hand_over_pairing,
    start_pairing,
    start_pairings,
    update_unit,
)
from partybuilding.models import Pairing, PairingGuide, PairingProblem, PairingVisit
from partybuilding.posts import MANAGE_PAIRING, VIEW_PAIRING, VISIT_PAIRING
from partybuilding.selectors import guides_of, held_by
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)


@pytest.fixture
def leader(cast: Cast) -> User:
    return make.make_cadre("县领导", "county_leader", cast.county)


# --- Begun ----------------------------------------------------------------------------------------------------------


def test_a_leader_a_department_and_a_cadre_are_paired_with_places(cast: Cast, leader: User) -> None:
    a = cast.a
    street = cast.street_officer
    first = start_pairing(actor=cast.department, kind="leader", node=a.node, user=leader, duty=" 联系 社区 ")
    second = start_pairing(actor=street, kind="department", node=a.compound, unit=a.unit)
    third = start_pairing(actor=a.officer, kind="cadre", node=a.building, user=a.team_lead)
    assert [str(row.kind) for row in (first, second, third)] == ["leader", "department", "cadre"]
    assert (first.duty, first.start, first.end) == ("联系 社区", TODAY(), None)
    assert [row.holder for row in (first, second, third)] == ["县领导", "县住建局", "队长甲"]
    entry = AuditEntry.objects.get(chain=f"partybuilding.pairing:{first.pk}")
    assert (entry.action, entry.county_id, entry.actor) == ("pairing.start", cast.county.pk, cast.department)
    assert "县领导" not in f"{entry.label}{entry.changes}", "the trail is never erased"


@pytest.mark.parametrize(
    ("kind", "place", "holder", "words"),
    [
        ("other", "building", "user", "请选择包联类型"),
        ("leader", "building", "user", "只能到社区、片区、网格"),
        ("department", "node", "unit", "社区的牵头单位在“单位报到”里登记"),
        ("department", "building", "unit", "只能到片区、小区、网格"),
        ("cadre", "floor", "user", "这一级不设包联"),
        ("department", "compound", "user", "请只填单位"),
        ("cadre", "building", "unit", "请只填人员"),
        ("cadre", "building", "", "请只填人员"),
    ],
)
def test_a_kind_is_made_at_its_levels_and_with_its_holder(
    cast: Cast, kind: str, place: str, holder: str, words: str
) -> None:
    who: dict[str, Any] = {"unit": {"unit": cast.a.unit}, "user": {"user": cast.a.officer}, "": {}}[holder]
    with pytest.raises(Invalid, match=words):
        start_pairing(actor=cast.street_officer, kind=kind, node=getattr(cast.a, place), **who)
    assert not Pairing.objects.exists()


def test_what_is_out_of_use_or_of_another_county_is_not_paired(cast: Cast) -> None:
    a, admin = cast.a, cast.admin
    far_unit = make.make_unit(cast.other_county, "邻县住建局")
    with pytest.raises(Invalid, match="不是本县在用的单位"):
        start_pairing(actor=admin, kind="department", node=a.compound, unit=far_unit)
    with pytest.raises(Invalid, match="不属于西乡县"):
        start_pairing(actor=admin, kind="cadre", node=a.building, user=cast.other_county_secretary)
    deactivate(actor=admin, user=a.team_lead, reason="调离")
    with pytest.raises(Invalid, match="已停用"):
        start_pairing(actor=admin, kind="cadre", node=a.building, user=a.team_lead)
    update_unit(actor=admin, unit=cast.idle_unit, is_active=False)
    with pytest.raises(Invalid, match="在用的单位"):
        start_pairing(actor=admin, kind="department", node=a.compound, unit=cast.idle_unit)
    retired = make.make_node(a.grid, "building", "旧楼")
    retire_node(actor=admin, node=retired, reason="拆除")
    with pytest.raises(Invalid, match="已撤销"):
        start_pairing(actor=admin, kind="cadre", node=retired, user=a.officer)
    assert not Pairing.objects.exists()


def test_a_place_beside_ones_own_is_out_of_sight(cast: Cast) -> None:
    for stranger in (cast.b.officer, cast.other_street_officer, cast.other_county_admin, cast.nobody, cast.superuser):
        with pytest.raises(NotFound):
            start_pairing(actor=stranger, kind="department", node=cast.a.compound, unit=cast.a.unit)
    for looker in (cast.a.team_lead, cast.a.keeper):
        with pytest.raises(Forbidden):
            start_pairing(actor=looker, kind="department", node=cast.a.grid, unit=cast.a.unit)
    assert not Pairing.objects.exists()
    assert not AuditEntry.objects.filter(action="pairing.start").exists()


def test_the_same_two_are_paired_once_at_a_time(cast: Cast) -> None:
    a = cast.a
    row = start_pairing(actor=a.officer, kind="department", node=a.compound, unit=a.unit, start=TODAY() - 30 * DAY)
    with pytest.raises(Conflict, match="不用重复登记"):
        start_pairing(actor=a.officer, kind="department", node=a.compound, unit=a.unit)
    start_pairing(actor=a.officer, kind="department", node=a.compound, unit=a.supporting_unit)
    end_pairing(actor=a.officer, pairing=row)
    again = start_pairing(actor=a.officer, kind="department", node=a.compound, unit=a.unit)
    assert again.pk != row.pk
    before = NewPairing("department", a.compound, a.unit, start=TODAY() - 40 * DAY, end=TODAY() - 20 * DAY)
    with pytest.raises(Conflict):
        start_pairings(actor=a.officer, rows=[before])
    past = NewPairing("department", a.compound, a.unit, start=TODAY() - 40 * DAY, end=TODAY() - 30 * DAY)
    assert start_pairings(actor=a.officer, rows=[past])[0].end == TODAY() - 30 * DAY


def test_many_are_made_all_or_none(cast: Cast) -> None:
    good = NewPairing("department", cast.a.compound, cast.a.unit)
    with pytest.raises(Invalid):
        start_pairings(actor=cast.admin, rows=[good, NewPairing("department", cast.b.node, cast.b.unit)])
    with pytest.raises(Conflict):
        start_pairings(actor=cast.admin, rows=[good, good])
    with pytest.raises(Invalid, match="不能早于"):
        start_pairings(
            actor=cast.admin, rows=[NewPairing("department", cast.a.compound, cast.a.unit, end=TODAY() - DAY)]
        )
    assert not Pairing.objects.exists()


# --- Changed and ended ----------------------------------------------------------------------------------------------


def test_a_duty_is_changed_on_the_page_that_is_not_old(cast: Cast) -> None:
    row = make.make_pairing(cast.a.compound, cast.a.unit)
    changed = change_duty(actor=cast.a.officer, pairing=row, duty="整治停车", version=1)
    assert (changed.duty, changed.version) == ("整治停车", 2)
    assert change_duty(actor=cast.a.officer, pairing=row, duty="整治停车", version=2).version == 2
    with pytest.raises(Stale):
        change_duty(actor=cast.a.officer, pairing=row, duty="旧页面", version=1)
    with pytest.raises(Invalid, match="最多 200 字"):
        change_duty(actor=cast.a.officer, pairing=row, duty="长" * 201)
    for stranger, error in ((cast.b.officer, NotFound), (cast.a.liaison, Forbidden), (cast.a.team_lead, Forbidden)):
        with pytest.raises(error):
            change_duty(actor=stranger, pairing=row, duty="不行")
    entries = AuditEntry.objects.filter(chain=f"partybuilding.pairing:{row.pk}")
    assert [entry.changes for entry in entries] == [{"duty": ["", "整治停车"]}]


def test_days_are_corrected_without_crossing(cast: Cast) -> None:
    old = make.make_pairing(cast.a.compound, cast.a.unit, start=TODAY() - 90 * DAY, end=TODAY() - 60 * DAY)
    row = make.make_pairing(cast.a.compound, cast.a.unit, start=TODAY() - 30 * DAY)
    with pytest.raises(Conflict):
        change_pairings(actor=cast.admin, rows=[PairingChange(row, start=TODAY() - 70 * DAY)])
    with pytest.raises(Invalid):
        change_pairings(actor=cast.admin, rows=[PairingChange(row, end=TODAY() - 31 * DAY)])
    change_pairings(actor=cast.admin, rows=[PairingChange(row, start=TODAY() - 60 * DAY), PairingChange(old, duty="x")])
    row.refresh_from_db()
    old.refresh_from_db()
    assert (row.start, old.duty) == (TODAY() - 60 * DAY, "x")


def test_an_ended_pairing_keeps_its_record_and_opens_nothing_more(cast: Cast) -> None:
    row = make.make_pairing(cast.a.building, cast.a.team_lead)
    make.make_visit(row)
    with pytest.raises(Invalid, match="最后一天不能早于"):
        end_pairing(actor=cast.a.officer, pairing=row, end=row.start - DAY)
    ended = end_pairing(actor=cast.a.officer, pairing=row, end=TODAY() - DAY, reason="轮岗", version=1)
    assert ended.end == TODAY() - DAY
    with pytest.raises(Conflict, match="已办理过"):
        end_pairing(actor=cast.a.officer, pairing=row)
    assert PairingVisit.objects.count() == 1
    entry = AuditEntry.objects.get(chain=f"partybuilding.pairing:{row.pk}")
    assert (entry.action, entry.reason) == ("pairing.end", "轮岗")


# --- Handed over ----------------------------------------------------------------------------------------------------


def test_a_handover_ends_one_and_begins_the_other_and_open_problems_go_along(cast: Cast) -> None:
    a = cast.a
    row = make.make_pairing(a.building, a.team_lead, duty="联系 1 号楼")
    visit = make.make_visit(row)
    make.make_problem(row, "灯不亮", visit=visit)
    make.make_problem(row, "门坏了", solved_on=TODAY(), solution="换了")
    new = hand_over_pairing(actor=a.officer, pairing=row, user=a.building_head, reason="轮岗", version=1)
    row.refresh_from_db()
    assert (row.end, new.start, new.duty, new.user) == (TODAY(), TODAY(), "联系 1 号楼", a.building_head)
    assert {problem.text: problem.pairing_id for problem in PairingProblem.objects.all()} == {
        "灯不亮": new.pk,
        "门坏了": row.pk,
    }
    assert AuditEntry.objects.filter(action="pairing.problem_pass").count() == 1
    with pytest.raises(Conflict):
        hand_over_pairing(actor=a.officer, pairing=row, user=a.building_head)


def test_a_handover_is_refused_to_oneself_to_the_stopped_and_by_strangers(cast: Cast) -> None:
    a = cast.a
    row = make.make_pairing(a.compound, a.unit)
    with pytest.raises(Invalid, match="另一个接手"):
        hand_over_pairing(actor=a.officer, pairing=row, unit=a.unit)
    with pytest.raises(Invalid, match="请只填单位"):
        hand_over_pairing(actor=a.officer, pairing=row, user=a.team_lead)
    with pytest.raises(Stale):
        hand_over_pairing(actor=a.officer, pairing=row, unit=a.supporting_unit, version=9)
    with pytest.raises(Invalid, match="不能早于"):
        hand_over_pairing(actor=a.officer, pairing=row, unit=a.supporting_unit, day=row.start - DAY)
    make.make_pairing(a.compound, a.supporting_unit)
    with pytest.raises(Conflict, match="不用重复登记"):
        hand_over_pairing(actor=a.officer, pairing=row, unit=a.supporting_unit)
    for stranger, error in ((cast.b.officer, NotFound), (a.liaison, Forbidden)):
        with pytest.raises(error):
            hand_over_pairing(actor=stranger, pairing=row, unit=cast.idle_unit)
    row.refresh_from_db()
    assert row.end is None
    assert Pairing.objects.count() == 2


# --- What hangs on it -----------------------------------------------------------------------------------------------


def test_a_pairing_ends_with_its_place_or_goes_on_at_the_successor(cast: Cast) -> None:
    row = make.make_pairing(cast.a.other_building, cast.a.team_lead, start=TODAY() - 9 * DAY)
    solved = make_problem(row, solved_on=TODAY(), solution="已修好")
    unsolved = make_problem(row)
    retire_node(actor=cast.admin, node=cast.a.other_building, reason="拆除", successor=cast.a.building)
    row.refresh_from_db()
    assert (row.end, row.node) == (TODAY(), cast.a.other_building)
    new = Pairing.objects.get(node=cast.a.building)
    assert (new.user, new.start, new.end) == (cast.a.team_lead, TODAY(), None)
    assert PairingProblem.objects.get(pk=unsolved.pk).pairing == new
    assert PairingProblem.objects.get(pk=solved.pk).pairing == row
    gone = make.make_node(cast.a.grid, "building", "4 号楼")
    row = make.make_pairing(gone, cast.a.team_lead, start=TODAY() - 9 * DAY)
    retire_node(actor=cast.admin, node=gone, reason="拆除")
    row.refresh_from_db()
    assert row.end == TODAY()
    assert list(faults()) == []


def make_problem(pairing: Pairing, **fields: Any) -> PairingProblem:
    return PairingProblem.objects.create(pairing=pairing, found_on=TODAY() - DAY, text="漏水", **fields)


def test_a_unit_in_hand_stays_in_use(cast: Cast) -> None:
    held = make.make_pairing(cast.a.compound, cast.idle_unit)
    with pytest.raises(Conflict, match="1 件未结束的包联"):
        update_unit(actor=cast.admin, unit=cast.idle_unit, is_active=False)
    end_pairing(actor=cast.admin, pairing=held, end=TODAY() - DAY)
    update_unit(actor=cast.admin, unit=cast.idle_unit, is_active=False)


def test_the_paired_see_and_log_their_own_and_nothing_else(cast: Cast, leader: User) -> None:
    mine = make.make_pairing(cast.a.node, leader, "leader")
    theirs = make.make_pairing(cast.b.node, leader, "leader", end=TODAY() - DAY)
    unit = make.make_pairing(cast.b.compound, cast.idle_unit)
    nobody = make.make_cadre("驻点干部", "building_head", cast.b.building)
    post = make.make_pairing(cast.a.building, nobody)
    sees = {
        "leader": (leader, {mine, theirs, unit, post}),  # the post sees the county
        "cadre": (nobody, {post}),
        "liaison": (cast.idle_liaison, {unit}),
        "other": (cast.a.liaison, set()),
    }
    for name, (person, rows) in sees.items():
        assert set(Pairing.objects.visible_to(fresh(person))) == rows, name
    assert set(held_by(fresh(leader))) == {mine}
    assert set(held_by(fresh(cast.idle_liaison))) == {unit}
    assert policies.can(fresh(nobody), VISIT_PAIRING, post)
    assert not policies.can(fresh(nobody), MANAGE_PAIRING, post)
    assert policies.can(fresh(leader), VISIT_PAIRING, mine)
    assert not policies.can(fresh(leader), VISIT_PAIRING, theirs)
    assert not policies.can(fresh(cast.idle_liaison), VIEW_PAIRING, mine)
    end_pairing(actor=SYSTEM, pairing=post, end=TODAY() - DAY)
    assert not Pairing.objects.visible_to(fresh(nobody)).exists()


def test_a_county_says_how_far_it_pairs(cast: Cast) -> None:
    assert {key: (guide.level, guide.most) for key, guide in guides_of(cast.county).items()} == {
        "leader": ("community", 2),
        "department": ("sector", 3),
        "cadre": ("building", 3),
    }
    PairingGuide.objects.create(county=cast.county, kind="department", level="grid", most=5)
    PairingGuide.objects.create(county=cast.county, kind="cadre", level="", most=1)
    PairingGuide.objects.create(county=cast.county, kind="leader", level="core_household", most=1)
    assert {key: (guide.level, guide.most) for key, guide in guides_of(cast.county).items()} == {
        "leader": ("community", 1),
        "department": ("grid", 5),
        "cadre": ("", 1),
    }
