"""The care ledger by its actions: who may, what is kept, what is refused, and what the trail never holds."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from core import policies
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Stale, Throttled
from core.models import AuditEntry, User
from grids.actions import move_node, retire_node
from grids.actions.care import (
    CorrectedHousehold,
    NewHousehold,
    confirm_household,
    correct_household,
    correct_many,
    move_household,
    record_visit,
    register_household,
    register_many,
)
from grids.actions.care_facts import Facts, facts_of
from grids.actions.care_reveal import reveal_household
from grids.actions.care_rules import set_care_rules
from grids.care import CADENCE, REVEALS_AN_HOUR, expiry
from grids.hanging import what_hangs
from grids.models import CareCadence, CareHousehold, CareKind, CareNeed, CareVisit, County, GridNode
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db

TODAY = datetime.date(2026, 3, 5)
DAY = datetime.timedelta(days=1)


def today() -> datetime.date:
    return timezone.localdate()


def facts(**changes: Any) -> Facts:
    return replace(
        Facts(
            room="502室",
            name="赵秀兰",
            needs=frozenset({"elderly_alone"}),
            consent="spoken",
            consent_on=today(),
            phone="13912345678",
        ),
        **changes,
    )


def registered(cast: Cast, **changes: Any) -> CareHousehold:
    return register_household(actor=cast.a.keeper, node=cast.a.building, facts=facts(**changes))


def counted() -> tuple[int, ...]:
    return tuple(m._default_manager.count() for m in (CareHousehold, CareNeed, CareVisit, AuditEntry))


# --- Registering ----------------------------------------------------------------------------------------------------


def test_a_keeper_registers_a_household_with_its_consent(cast: Cast) -> None:
    one = registered(cast, room=" 502 室 ", phone="139 1234 5678")
    one.refresh_from_db()
    assert (one.county, one.community, one.node) == (cast.county, cast.a.node, cast.a.building)
    assert (one.room, one.phone) == ("502 室", "13912345678")
    assert (one.confirmed_on, one.expires_on) == (today(), expiry(today(), 12))
    assert one.next_visit_on == today() + 7 * DAY
    assert one.created_by == cast.a.keeper
    assert [need.kind for need in one.needs.all()] == ["elderly_alone"]


def test_the_trail_holds_that_it_was_registered_and_nothing_of_whom(cast: Cast) -> None:
    one = registered(cast)
    entry = AuditEntry.objects.get(action="care.register")
    assert entry.label == "白龙塘社区 关爱台账"
    assert entry.county_id == cast.county.pk
    assert entry.changes["consent"] == [None, "spoken"]
    for name in ("room", "name", "phone", "node_id", "needs"):
        assert entry.changes[name] == ["***", "***"]
    assert str(one) == f"关爱台账 {one.pk}"


@pytest.mark.parametrize(
    "role", ["b.keeper", "b.officer", "other_county_secretary", "superuser", "nobody", "a.liaison"]
)
def test_a_stranger_registers_nobody(cast: Cast, role: str) -> None:
    before = counted()
    with pytest.raises(NotFound):
        register_household(actor=cast.people()[role], node=cast.a.building, facts=facts())
    assert counted() == before


@pytest.mark.parametrize(
    "role", ["a.building_head", "a.team_lead", "street_secretary", "street_officer", "department", "admin"]
)
def test_who_only_knows_the_place_registers_nobody(cast: Cast, role: str) -> None:
    before = counted()
    with pytest.raises(Forbidden):
        register_household(actor=cast.people()[role], node=cast.a.building, facts=facts())
    assert counted() == before


def test_a_household_is_put_where_a_keeper_sees_it(cast: Cast) -> None:
    with pytest.raises(Invalid, match="不要只填到社区"):
        register_household(actor=cast.a.officer, node=cast.a.node, facts=facts())
    GridNode.objects.filter(pk=cast.a.other_building.pk).update(retired_at=timezone.now())
    with pytest.raises(Conflict, match="已撤销"):
        register_household(actor=cast.a.officer, node=cast.a.other_building, facts=facts())
    assert not CareHousehold.objects.exists()


@pytest.mark.parametrize("need", ["disability", "child_left_behind", "child_in_difficulty"])
def test_health_and_children_ask_for_a_consent_on_paper(cast: Cast, need: str) -> None:
    needs = frozenset({"elderly_alone", need})
    with pytest.raises(Invalid, match="书面同意") as refused:
        registered(cast, needs=needs)
    assert set(refused.value.fields) == {"consent"}
    assert not CareHousehold.objects.exists()
    for room, consent in (("1", "written"), ("2", "guardian")):
        assert registered(cast, needs=needs, room=room, consent=consent).needs.count() == 2


BAD: list[tuple[str, dict[str, Any]]] = [
    ("needs", {"needs": frozenset()}),
    ("needs", {"needs": frozenset({"ethnicity"})}),
    ("consent", {"consent": ""}),
    ("consent", {"consent": "none"}),
    ("consent_on", {"consent_on": datetime.date(2100, 1, 1)}),
    ("consent_on", {"consent_on": datetime.date(1899, 1, 1)}),
    ("room", {"room": " "}),
    ("room", {"room": "x" * 41}),
    ("room", {"room": "301（刑满释放）"}),
    ("name", {"name": ""}),
    ("name", {"name": "张三（信访）"}),
    ("name", {"name": "张三 110101199003078515"}),
    ("phone", {"phone": "12345"}),
]


@pytest.mark.parametrize(("field", "change"), BAD)
def test_what_can_not_be_kept_is_refused_with_its_field(cast: Cast, field: str, change: dict[str, Any]) -> None:
    before = counted()
    with pytest.raises(Invalid) as refused:
        registered(cast, **change)
    assert set(refused.value.fields) == {field}
    assert counted() == before


def test_every_fault_is_named_at_once(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        registered(cast, name="", room="", phone="x", needs=frozenset(), consent="")
    assert set(refused.value.fields) == {"name", "room", "phone", "needs", "consent"}


def test_the_same_household_is_registered_once(cast: Cast) -> None:
    registered(cast)
    before = counted()
    with pytest.raises(Conflict) as refused:
        registered(cast)
    assert "赵秀兰" not in refused.value.message
    with pytest.raises(Conflict):
        register_many(
            actor=cast.a.officer,
            rows=[NewHousehold(cast.a.building, facts(room="9")), NewHousehold(cast.a.building, facts(room="9"))],
        )
    assert counted() == before
    registered(cast, name="孙玉芳")


def test_many_are_registered_at_a_fixed_cost(cast: Cast, django_assert_max_num_queries: Any) -> None:
    rows = [NewHousehold(cast.a.building, facts(room=f"{n}")) for n in range(300)]
    with django_assert_max_num_queries(30):
        assert len(register_many(actor=fresh(cast.a.officer), rows=rows)) == 300
    assert AuditEntry.objects.filter(action="care.register").count() == 300


def test_an_entry_that_would_have_run_out_is_not_brought_in(cast: Cast) -> None:
    long_ago = today() - 400 * DAY
    with pytest.raises(Invalid, match="上门核实"):
        register_many(actor=cast.a.officer, rows=[NewHousehold(cast.a.building, facts(), confirmed_on=long_ago)])
    assert not CareHousehold.objects.exists()


# --- Correcting and moving ------------------------------------------------------------------------------------------


def test_a_correction_changes_what_it_says_and_counts_the_visits_anew(cast: Cast) -> None:
    one = registered(cast)
    correct_household(
        actor=cast.a.keeper, household=one, facts=facts(needs=frozenset({"veteran_family"}), phone=""), version=1
    )
    one.refresh_from_db()
    assert (one.phone, one.version) == ("", 2)
    assert [need.kind for need in one.needs.all()] == ["veteran_family"]
    assert one.next_visit_on == today() + 90 * DAY
    entry = AuditEntry.objects.get(action="care.correct")
    assert entry.changes == {"phone": ["***", "***"], "needs": ["***", "***"]}


def test_a_correction_that_changes_nothing_leaves_no_trace(cast: Cast) -> None:
    one = registered(cast)
    before = counted()
    correct_household(actor=cast.a.keeper, household=one, facts=facts_of(one))
    assert counted() == before
    one.refresh_from_db()
    assert one.version == 1


def test_an_old_page_corrects_nothing(cast: Cast) -> None:
    one = registered(cast)
    correct_household(actor=cast.a.officer, household=one, facts=facts(phone=""), version=1)
    for act in (
        lambda: correct_household(actor=cast.a.keeper, household=one, facts=facts(room="9"), version=1),
        lambda: move_household(actor=cast.a.keeper, household=one, node=cast.a.entrance, room="9", version=1),
        lambda: confirm_household(actor=cast.a.keeper, household=one, version=1),
    ):
        before = counted()
        with pytest.raises(Stale):
            act()
        assert counted() == before


def test_a_sensitive_need_is_not_slipped_in_later(cast: Cast) -> None:
    one = registered(cast)
    with pytest.raises(Invalid, match="书面同意"):
        correct_household(actor=cast.a.keeper, household=one, facts=facts(needs=frozenset({"disability"})))
    assert one.needs.get().kind == "elderly_alone"


def test_two_entries_do_not_become_the_same(cast: Cast) -> None:
    registered(cast)
    other = registered(cast, room="503室")
    with pytest.raises(Conflict):
        correct_household(actor=cast.a.keeper, household=other, facts=facts())
    other.refresh_from_db()
    assert other.room == "503室"


def test_a_household_moves_to_another_door_of_its_community(cast: Cast) -> None:
    one = registered(cast)
    move_household(actor=cast.a.officer, household=one, node=cast.a.other_building, room="101室", version=1)
    one.refresh_from_db()
    assert (one.node, one.room, one.community) == (cast.a.other_building, "101室", cast.a.node)
    entry = AuditEntry.objects.get(action="care.move")
    assert entry.changes == {"node_id": ["***", "***"], "room": ["***", "***"]}


def test_nobody_takes_a_household_into_another_community(cast: Cast) -> None:
    one = registered(cast)
    make.make_appointment(cast.a.officer, "community_officer", cast.b.node)
    with pytest.raises(Invalid, match="重新登记"):
        move_household(actor=fresh(cast.a.officer), household=one, node=cast.b.building, room="1")
    with pytest.raises(NotFound):
        move_household(actor=cast.a.keeper, household=one, node=cast.b.building, room="1")
    one.refresh_from_db()
    assert one.node == cast.a.building


# --- Visits and confirmations ---------------------------------------------------------------------------------------


def test_a_visit_sets_the_next_one(cast: Cast) -> None:
    one = make.make_household(cast.a.building, days_ago=20)
    record_visit(actor=cast.a.keeper, household=one, visited_on=today() - DAY, text="缺米，帮忙代购")
    one.refresh_from_db()
    assert (one.last_visit_on, one.next_visit_on) == (today() - DAY, today() + 6 * DAY)
    assert one.confirmed_on == today() - 20 * DAY
    visit = one.visits.get()
    assert (visit.visited_by, visit.text) == (cast.a.keeper, "缺米，帮忙代购")
    assert AuditEntry.objects.get(action="care.visit").changes["text"] == ["***", "***"]


def test_an_older_visit_written_down_late_moves_nothing_back(cast: Cast) -> None:
    one = make.make_household(cast.a.building, days_ago=20)
    record_visit(actor=cast.a.keeper, household=one, visited_on=today())
    record_visit(actor=cast.a.keeper, household=one, visited_on=today() - 5 * DAY)
    one.refresh_from_db()
    assert one.last_visit_on == today()
    assert one.visits.count() == 2


def test_a_visit_sent_twice_is_one_visit(cast: Cast) -> None:
    one = make.make_household(cast.a.building)
    for _twice in range(2):
        record_visit(actor=cast.a.keeper, household=one, visited_on=today(), text="一切都好")
    assert one.visits.count() == 1
    assert AuditEntry.objects.filter(action="care.visit").count() == 1


def test_a_visit_can_confirm_the_entry_as_well(cast: Cast) -> None:
    one = make.make_household(cast.a.building, days_ago=100)
    record_visit(actor=cast.a.keeper, household=one, visited_on=today(), confirmed=True)
    one.refresh_from_db()
    assert (one.confirmed_on, one.expires_on) == (today(), expiry(today(), 12))


def test_the_text_of_a_visit_names_nobody_and_crosses_no_line(cast: Cast) -> None:
    one = make.make_household(cast.a.building)
    text = "赵秀兰的女儿电话 13811112222，身份证 11010119900307002X，要送药"
    visit = record_visit(actor=cast.a.keeper, household=one, visited_on=today(), text=text)
    assert visit.text == "赵*兰的女儿电话 138****2222，身份证 ******************，要送药"
    before = counted()
    for bad in ("是信访户", "信教", "刑满释放人员", "重点人员", "x" * 501):
        with pytest.raises(Invalid) as refused:
            record_visit(actor=cast.a.keeper, household=one, visited_on=today(), text=bad)
        assert "text" in refused.value.fields
    with pytest.raises(Invalid):
        record_visit(actor=cast.a.keeper, household=one, visited_on=today() + DAY)
    assert counted() == before


def test_confirming_begins_a_new_term(cast: Cast) -> None:
    one = make.make_household(cast.a.building, days_ago=200)
    confirm_household(actor=cast.a.keeper, household=one, version=1)
    one.refresh_from_db()
    assert (one.confirmed_on, one.expires_on, one.version) == (today(), expiry(today(), 12), 2)
    confirm_household(actor=cast.a.keeper, household=one)
    assert AuditEntry.objects.filter(action="care.confirm").count() == 1


def test_what_has_run_out_can_only_be_confirmed(cast: Cast) -> None:
    one = make.make_household(cast.a.building, days_ago=370)
    before = counted()
    acts: list[Any] = [
        lambda: record_visit(actor=cast.a.keeper, household=one, visited_on=today()),
        lambda: correct_household(actor=cast.a.keeper, household=one, facts=facts()),
        lambda: move_household(actor=cast.a.keeper, household=one, node=cast.a.entrance, room="1"),
        lambda: reveal_household(actor=cast.a.keeper, household=one, purpose="visit"),
    ]
    for act in acts:
        with pytest.raises(Conflict, match="到期"):
            act()
    assert counted() == before
    record_visit(actor=cast.a.keeper, household=one, visited_on=today(), confirmed=True)
    correct_household(actor=cast.a.keeper, household=one, facts=facts())


def test_what_is_past_its_time_is_gone_before_the_sweeper_comes(cast: Cast) -> None:
    one = make.make_household(cast.a.building, days_ago=400)
    assert not CareHousehold.objects.visible_to(cast.a.keeper).exists()
    for act in (
        lambda: confirm_household(actor=cast.a.keeper, household=one),
        lambda: reveal_household(actor=cast.a.keeper, household=one, purpose="visit"),
    ):
        with pytest.raises(NotFound):
            act()


@pytest.mark.parametrize(
    ("role", "refusal"),
    [
        ("b.keeper", NotFound),
        ("b.secretary", NotFound),
        ("a.building_head", NotFound),
        ("a.team_lead", NotFound),
        ("street_secretary", NotFound),
        ("department", NotFound),
        ("admin", NotFound),
        ("superuser", NotFound),
        ("a.liaison", NotFound),
        ("a.member", NotFound),
    ],
)
def test_nobody_else_touches_a_household(cast: Cast, role: str, refusal: type[DomainError]) -> None:
    one, person = registered(cast), cast.people()[role]
    assert not policies.sees(person, one)
    before = counted()
    acts: list[Any] = [
        lambda: record_visit(actor=person, household=one, visited_on=today()),
        lambda: confirm_household(actor=person, household=one),
        lambda: correct_household(actor=person, household=one, facts=facts(room="9")),
        lambda: correct_many(actor=person, rows=[CorrectedHousehold(one, facts(room="9"))]),
        lambda: move_household(actor=person, household=one, node=cast.a.other_building, room="9"),
        lambda: reveal_household(actor=person, household=one, purpose="visit"),
    ]
    for act in acts:
        with pytest.raises((refusal, Forbidden)):
            act()
    assert counted() == before


# --- Revealing ------------------------------------------------------------------------------------------------------


def test_a_look_is_written_down_with_its_purpose_and_without_what_was_seen(cast: Cast) -> None:
    one = registered(cast)
    seen = reveal_household(actor=cast.a.keeper, household=one, purpose="visit")
    assert (seen.name, seen.phone, seen.room) == ("赵秀兰", "13912345678", "502室")
    entry = AuditEntry.objects.get(action="care.reveal")
    assert (entry.actor, entry.reason, entry.changes) == (cast.a.keeper, "上门走访前联系", {})


def test_a_look_without_a_purpose_of_the_list_is_refused(cast: Cast) -> None:
    one = registered(cast)
    for purpose in ("", "好奇", "赵秀兰"):
        with pytest.raises(Invalid):
            reveal_household(actor=cast.a.keeper, household=one, purpose=purpose)
    assert not AuditEntry.objects.filter(action="care.reveal").exists()


def test_the_ledger_is_not_copied_by_looking(cast: Cast) -> None:
    one = registered(cast)
    for _time in range(REVEALS_AN_HOUR):
        reveal_household(actor=cast.a.keeper, household=one, purpose="call")
    with pytest.raises(Throttled):
        reveal_household(actor=cast.a.keeper, household=one, purpose="call")
    reveal_household(actor=cast.a.officer, household=one, purpose="call")
    assert AuditEntry.objects.filter(action="care.reveal").count() == REVEALS_AN_HOUR + 1


# --- Rules of a county ----------------------------------------------------------------------------------------------


def test_a_county_sets_its_own_days_and_what_follows_is_recomputed(cast: Cast) -> None:
    one = make.make_household(cast.a.building, days_ago=40)
    elsewhere = make.make_household(cast.other_county_community)
    set_care_rules(actor=cast.admin, county=cast.county, days={"elderly_alone": 14, "low_income": 90}, months=6)
    one.refresh_from_db()
    assert one.next_visit_on == timezone.localdate(one.created_at) + 14 * DAY
    assert one.expires_on == expiry(one.confirmed_on, 6)
    assert CareCadence.objects.get().kind == "elderly_alone", "what equals the portal's table is not stored"
    assert registered(cast, room="9").expires_on == expiry(today(), 6)
    elsewhere.refresh_from_db()
    assert elsewhere.expires_on == expiry(elsewhere.confirmed_on, 12)
    entry = AuditEntry.objects.get(action="care.rules")
    assert entry.changes == {"elderly_alone": [7, 14], "care_months": [12, 6]}
    set_care_rules(actor=cast.admin, county=cast.county, days=dict(CADENCE), months=12)
    assert not CareCadence.objects.exists()


def test_no_entry_is_kept_longer_than_a_year_without_asking(cast: Cast) -> None:
    for days, months in (({}, 13), ({}, 0), ({"low_income": 0}, 12), ({"low_income": 367}, 12), ({"rich": 3}, 12)):
        with pytest.raises(Invalid):
            set_care_rules(actor=cast.admin, county=cast.county, days=days, months=months)
    assert not CareCadence.objects.exists()
    assert County.objects.get(pk=cast.county.pk).care_months == 12


@pytest.mark.parametrize("role", ["department", "a.secretary", "street_secretary", "other_county_admin", "superuser"])
def test_only_the_countys_administrator_sets_rules(cast: Cast, role: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        set_care_rules(actor=cast.people()[role], county=cast.county, days={"low_income": 9}, months=12)
    assert not CareCadence.objects.exists()


def test_every_need_has_its_days() -> None:
    assert set(CADENCE) == set(CareKind.values)


def test_a_place_takes_its_households_along(cast: Cast) -> None:
    building = make.make_node(cast.a.grid, "building", "9 号楼")
    one = register_household(actor=cast.a.officer, node=building, facts=facts())
    move_node(actor=cast.admin, node=building, parent=GridNode.objects.get(pk=cast.b.grid.pk))
    one.refresh_from_db()
    assert one.community == cast.b.node
    assert not CareHousehold.objects.visible_to(fresh(cast.a.keeper)).exists()
    assert CareHousehold.objects.visible_to(fresh(cast.b.keeper)).get() == one


def test_a_place_that_goes_out_of_use_hands_its_households_on_and_the_trail_tells_no_door(cast: Cast) -> None:
    one = register_household(actor=cast.a.officer, node=cast.a.other_building, facts=facts())
    with pytest.raises(Conflict, match="还有关爱台账登记") as refused:
        retire_node(actor=cast.admin, node=cast.a.other_building, reason="拆除")
    assert "1 条" not in refused.value.message
    seen = {
        name: what_hangs([cast.a.other_building], fresh(person))[0].words
        for name, person in (("officer", cast.a.officer), ("admin", cast.admin), ("street", cast.street_secretary))
    }
    assert seen == {"officer": "1 条关爱台账登记", "admin": "关爱台账登记", "street": "关爱台账登记"}
    successor = GridNode.objects.get(pk=cast.a.building.pk)
    kinds = [line.kind for line in what_hangs([cast.a.other_building], fresh(cast.admin), successor=successor)]
    assert "grids.carehousehold" not in kinds, "what goes along by itself is not even mentioned"
    retire_node(actor=cast.admin, node=cast.a.other_building, reason="拆除", successor=cast.a.building)
    one.refresh_from_db()
    assert (one.node, one.community, one.version) == (cast.a.building, cast.a.node, 2)
    entry = AuditEntry.objects.get(action="place.follow", chain__startswith="grids.carehousehold")
    assert (entry.label, entry.changes) == ("关爱台账登记", {"node_id": ["***", "***"]})
    assert "号楼" not in entry.reason


def test_two_entries_of_one_household_stand_in_the_way(cast: Cast) -> None:
    for node in (cast.a.building, cast.a.other_building):
        register_household(actor=cast.a.officer, node=node, facts=facts())
    with pytest.raises(Conflict, match="关爱台账登记"):
        retire_node(actor=cast.admin, node=cast.a.other_building, reason="拆除", successor=cast.a.building)
    assert CareHousehold.objects.filter(node=cast.a.other_building).exists()


def test_people_see_whom_they_look_after(cast: Cast) -> None:
    here = registered(cast)
    there = make.make_household(cast.b.building)
    seen = {
        name: set(CareHousehold.objects.visible_to(fresh(person)).values_list("pk", flat=True))
        for name, person in cast.people().items()
    }
    expected: dict[str, set[int]] = {key: {here.pk} for key in ("a.secretary", "a.officer", "a.keeper")}
    expected |= {key: {there.pk} for key in ("b.secretary", "b.officer", "b.keeper")}
    assert {name: pks for name, pks in seen.items() if pks} == expected


def test_a_stopped_account_sees_nothing(cast: Cast) -> None:
    registered(cast)
    User.objects.filter(pk=cast.a.keeper.pk).update(is_active=False)
    assert not CareHousehold.objects.visible_to(fresh(cast.a.keeper)).exists()
