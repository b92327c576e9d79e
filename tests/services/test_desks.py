"""A matter goes from desk to desk: to another community, up to the county and back, and the street whistles."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core import policies
from core.actors import RESIDENT
from core.errors import Conflict, Invalid, InvalidTransition
from core.models import AuditEntry, OutboxMessage
from grids import timeline
from partybuilding.models import UnitMembership
from services.actions import move
from services.actions.sweeping import sweep
from services.actions.tallies import differences, refresh_tallies
from services.clocks import clock_for
from services.models import Demand, DemandEvent, DemandState, Extension, SubOrder, Tally, Whistle
from services.selectors import loop as selectors
from services.workflow import DEMAND, SUBORDER
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db


def do(actor: Any, target: Any, name: str, **data: Any) -> Demand:
    return move(actor=actor if actor is RESIDENT else fresh(actor), target=target, name=name, data=data)


def accepted(cast: Cast, **fields: Any) -> Demand:
    return make.make_demand(cast.a.building, cast.category, **{"state": "accepted", **fields})


def waiting(user: Any) -> set[int]:
    return set(selectors.demands_waiting(fresh(user)).values_list("pk", flat=True))


# --- To another community ---------------------------------------------------------------------------------------------


def test_the_other_community_begins_anew_and_the_old_one_keeps_that_it_let_go(cast: Cast) -> None:
    demand = accepted(cast, published_at=timezone.now())
    DemandEvent.objects.create(demand=demand, name="raise", title="登记")
    refresh_tallies()
    after = do(cast.a.officer, demand, "transfer", place=cast.b.building, reason="在城北社区地界内。")
    assert (after.state, after.community_id, after.transfers) == (DemandState.REGISTERED, cast.b.node.pk, 1)
    assert after.published_at is None and after.step_due_at is not None and after.step_due_at > timezone.now()
    assert not policies.sees(fresh(cast.a.officer), after) and policies.sees(fresh(cast.b.officer), after)
    assert demand.pk in waiting(cast.b.officer)
    assert OutboxMessage.objects.get(kind="demand_transfer").audience["post"]["node"] == cast.b.node.pk
    event = DemandEvent.objects.get(name="transfer")
    assert "白龙塘社区 → 城北社区" in event.title and event.text == "在城北社区地界内。"
    trace = AuditEntry.objects.get(action="gridnode.transfer_out")
    assert trace.chain == f"grids.gridnode:{cast.a.node.pk}" and demand.code in trace.label
    told = timeline.of(cast.a.node, fresh(cast.a.officer))
    assert [row.title for row in told if row.kind == "需求"] == [f"移交需求：{demand.code} → 城北社区"]
    assert "需求" not in {row.kind for row in timeline.of(cast.a.node, fresh(cast.a.keeper))}
    refresh_tallies()
    assert not Tally.objects.filter(community=cast.a.node).exists()
    assert Tally.objects.get(community=cast.b.node).registered == 1
    assert not list(differences(cast.county))


def test_a_matter_is_not_passed_round(cast: Cast) -> None:
    demand = do(cast.a.officer, accepted(cast), "transfer", place=cast.b.node, reason="在那边。")
    with pytest.raises(InvalidTransition, match="已经移交过一次"):
        do(cast.b.officer, demand, "transfer", place=cast.a.node, reason="不在这边。")
    after = do(cast.street_officer, demand, "transfer", place=cast.empty_community, reason="街道核实。")
    assert (after.transfers, after.community_id) == (2, cast.empty_community.pk)


@pytest.mark.parametrize(
    ("place", "words"),
    [("other_county_community", "本县另一个社区"), ("street", "本县另一个社区"), ("a.entrance", "就在本社区")],
)
def test_only_another_community_of_the_county_will_do(cast: Cast, place: str, words: str) -> None:
    demand = accepted(cast)
    node = cast.a.entrance if place == "a.entrance" else getattr(cast, place)
    with pytest.raises(Invalid, match=words) as refusal:
        do(cast.a.officer, demand, "transfer", place=node, reason="移交。")
    assert "place" in refusal.value.fields
    assert Demand.objects.get(pk=demand.pk).version == 1


def test_a_retired_place_takes_nothing(cast: Cast) -> None:
    demand = accepted(cast)
    type(cast.b.building).objects.filter(pk=cast.b.building.pk).update(retired_at=timezone.now())
    with pytest.raises(Invalid, match="已撤销"):
        do(cast.a.officer, demand, "transfer", place=cast.b.building, reason="移交。")


def test_an_imported_matter_does_not_stand_beside_itself(cast: Cast) -> None:
    number = {"external_number": "S000001", "external_date": timezone.localdate()}
    make.make_demand(cast.b.building, cast.category, **number)
    demand = accepted(cast, **number)
    with pytest.raises(Conflict, match="S000001"):
        do(cast.a.officer, demand, "transfer", place=cast.b.node, reason="移交。")
    assert Demand.objects.get(pk=demand.pk).community_id == cast.a.node.pk


@pytest.mark.parametrize(("field", "words"), [("supervised_at", "督办"), ("whistled_at", "吹哨")])
def test_what_is_owed_here_is_settled_here(cast: Cast, field: str, words: str) -> None:
    demand = accepted(cast, **{field: timezone.now()})
    with pytest.raises(InvalidTransition, match=words):
        do(cast.a.officer, demand, "transfer", place=cast.b.node, reason="移交。")


def test_nobody_is_left_serving_in_the_old_place(cast: Cast) -> None:
    demand = accepted(cast)
    make.make_suborder(demand, cast.a.supporting_unit, "supporting", state="in_service")
    with pytest.raises(InvalidTransition, match="还在配合办理"):
        do(cast.a.officer, demand, "transfer", place=cast.b.node, reason="移交。")


def test_what_was_linked_goes_along(cast: Cast) -> None:
    demand = accepted(cast)
    linked = accepted(cast, state="linked", linked_to=demand)
    do(cast.a.officer, demand, "transfer", place=cast.b.building, reason="在那边。")
    linked.refresh_from_db()
    assert (linked.state, linked.community_id, linked.linked_to_id) == ("linked", cast.b.node.pk, demand.pk)
    assert linked.events.get().name == "follow_transfer"


# --- Up and down ------------------------------------------------------------------------------------------------------


def test_each_desk_finds_what_stands_on_it(cast: Cast) -> None:
    demand = accepted(cast)
    desks = {"community": cast.a.officer, "street": cast.street_officer, "county": cast.department}

    def on(desk: str) -> None:
        assert {name: demand.pk in waiting(user) for name, user in desks.items()} == {
            name: name == desk for name in desks
        }

    on("community")
    with pytest.raises(InvalidTransition, match="还在社区办理"):
        do(cast.street_officer, demand, "hand_up", reason="太难。")
    with pytest.raises(InvalidTransition, match="没有上报到县级"):
        do(cast.department, demand, "dispatch", unit=cast.a.unit)
    after = do(cast.a.officer, demand, "escalate", reason="社区协调不了。")
    assert after.step_due_at is not None and after.escalated_at is not None
    on("street")
    with pytest.raises(InvalidTransition, match="已经上报"):
        do(cast.a.officer, demand, "escalate", reason="再报。")
    do(cast.street_officer, demand, "hand_up", reason="街道也协调不了。")
    assert OutboxMessage.objects.get(kind="demand_hand_up").audience["post"]["county"] == cast.county.pk
    on("county")
    with pytest.raises(InvalidTransition, match="由县级交回"):
        do(cast.street_officer, demand, "hand_down", reason="我来。")
    do(cast.department, demand, "hand_down", reason="请社区找县气象局。")
    on("community")
    with pytest.raises(InvalidTransition, match="不用交回"):
        do(cast.street_officer, demand, "hand_down", reason="再交。")


def test_a_higher_desk_reaches_further(cast: Cast) -> None:
    def reach(user: Any) -> set[str]:
        return {unit.name for unit in selectors.units_to_dispatch(demand, fresh(user))}

    demand = accepted(cast)
    here = {cast.a.unit.name, cast.a.supporting_unit.name}
    assert reach(cast.a.officer) == reach(cast.street_officer) == here
    demand.desk = "street"
    in_the_street = here | {cast.b.unit.name, cast.b.supporting_unit.name}
    assert (reach(cast.a.officer), reach(cast.street_officer), reach(cast.department)) == (here, in_the_street, here)
    demand.desk = "county"
    assert reach(cast.department) == in_the_street | {cast.idle_unit.name}
    demand.save()
    with pytest.raises(Invalid, match="没有在"):
        do(cast.street_officer, demand, "dispatch", unit=cast.idle_unit)
    after = do(cast.department, demand, "dispatch", unit=cast.idle_unit)
    assert (after.state, after.lead_unit) == (DemandState.DISPATCHED, cast.idle_unit)


# --- The whistle ------------------------------------------------------------------------------------------------------


def whistled(cast: Cast, demand: Demand, **data: Any) -> Demand:
    given = {"units": [cast.b.unit, cast.idle_unit], "reason": "一起处置占道经营。", **data}
    return do(cast.street_officer, demand, "whistle", **given)


def test_a_whistle_calls_units_to_a_matter_without_a_lead(cast: Cast) -> None:
    meet_at = timezone.now() + datetime.timedelta(days=1)
    after = whistled(cast, accepted(cast), lead=cast.idle_unit, meet_at=meet_at, venue="社区会议室")
    assert (after.state, after.lead_unit) == (DemandState.DISPATCHED, cast.idle_unit)
    assert after.due_at is not None and after.whistled_at is not None
    roles = {row.unit: row.role for row in after.suborders.select_related("unit")}
    assert roles == {cast.idle_unit: "lead", cast.b.unit: "supporting"}
    record = Whistle.objects.get()
    assert all((row.whistle == record, row.designated) == (True, True) for row in after.suborders.all())
    told = OutboxMessage.objects.filter(kind="demand_whistle")
    assert {row.audience["unit"]["unit"] for row in told} == {cast.idle_unit.pk, cast.b.unit.pk}
    assert "社区会议室" in DemandEvent.objects.get(name="whistle").text
    with pytest.raises(InvalidTransition, match="指定承办"):
        do(cast.idle_liaison, after.suborders.get(unit=cast.idle_unit), "request_return", reason="不归我们。")


def test_beside_a_lead_the_called_units_support_it(cast: Cast) -> None:
    demand = accepted(cast)
    demand = do(cast.a.officer, demand, "dispatch", unit=cast.a.unit, supporting=[cast.a.supporting_unit])
    due = demand.due_at
    with pytest.raises(Invalid, match="已由"):
        whistled(cast, demand, lead=cast.idle_unit)
    assert not Whistle.objects.exists()
    after = whistled(cast, demand, units=[cast.b.unit, cast.a.supporting_unit])
    assert (after.lead_unit, after.due_at) == (cast.a.unit, due)
    assert SubOrder.objects.filter(whistle__isnull=False).count() == 2
    assert SubOrder.objects.filter(demand=demand).count() == 3
    with pytest.raises(InvalidTransition, match="已经吹哨"):
        whistled(cast, demand)


def given_back(cast: Cast, name: str = "accepted") -> Demand:
    """The lead unit has returned it, and who supported it is at work still."""
    demand = accepted(cast, state=name, published_at=timezone.now(), dispatched_at=timezone.now())
    make.make_suborder(demand, cast.a.unit, state="returned")
    make.make_suborder(demand, cast.a.supporting_unit, "supporting", state="in_service")
    return demand


def test_who_supports_does_not_come_to_lead_by_a_whistle(cast: Cast) -> None:
    demand = given_back(cast)
    for data in ({"units": [cast.a.supporting_unit]}, {"lead": cast.a.supporting_unit}):
        with pytest.raises(Invalid, match="已在配合办理") as refusal:
            whistled(cast, demand, **data)
        assert set(refusal.value.fields) == {"lead"}
    assert not Whistle.objects.exists() and Demand.objects.get(pk=demand.pk).state == "accepted"
    after = whistled(cast, demand, units=[cast.a.supporting_unit, cast.b.unit])
    assert after.lead_unit == cast.b.unit
    orders = after.suborders.exclude(state="returned").order_by("role")
    assert [(row.role, row.unit) for row in orders] == [("lead", cast.b.unit), ("supporting", cast.a.supporting_unit)]


def test_who_supports_is_told_why_it_can_not_claim(cast: Cast) -> None:
    demand = given_back(cast, "published")
    with pytest.raises(Invalid, match="已在配合办理"):
        do(cast.a.supporting_liaison, demand, "claim")
    assert do(cast.a.liaison, demand, "claim").lead_unit == cast.a.unit


def test_the_first_unit_leads_when_none_is_named(cast: Cast) -> None:
    assert whistled(cast, accepted(cast)).lead_unit == cast.b.unit


def test_a_whistle_is_concluded_by_the_street_with_a_result(cast: Cast) -> None:
    demand = whistled(cast, accepted(cast))
    assert demand.pk in waiting(cast.street_officer)
    with pytest.raises(InvalidTransition, match="没有要办结的吹哨"):
        do(cast.street_officer, accepted(cast), "end_whistle", reason="已清理。")
    after = do(cast.street_officer, demand, "end_whistle", reason="占道已清理。")
    record = Whistle.objects.get()
    assert (after.whistled_at, record.result, record.ended_by) == (None, "占道已清理。", cast.street_officer)
    assert demand.pk not in waiting(cast.street_officer)


@pytest.mark.parametrize("what", ["retired", "abroad", "done", "past"])
def test_only_units_in_use_of_the_county_are_called(cast: Cast, what: str) -> None:
    demand, data = accepted(cast), {}
    if what == "retired":
        type(cast.idle_unit).objects.filter(pk=cast.idle_unit.pk).update(is_active=False)
        cast.idle_unit.refresh_from_db()
    elif what == "abroad":
        data["units"] = [make.make_unit(cast.other_county, "邻县水务局")]
    elif what == "done":
        make.make_suborder(demand, cast.b.unit, "supporting", state="finished")
    else:
        data["meet_at"] = timezone.now() - datetime.timedelta(hours=1)
    with pytest.raises(Invalid):
        whistled(cast, demand, **data)
    assert not Whistle.objects.exists() and Demand.objects.get(pk=demand.pk).state == "accepted"


# --- Who served ------------------------------------------------------------------------------------------------------


HEARD = {"reached": True, "solved": "yes", "satisfaction": "satisfied"}


@pytest.mark.parametrize(
    ("name", "state", "data"),
    [
        ("check", "finished", {}),
        ("follow_up", "checked", HEARD),
        ("follow_up", "closed_off", HEARD),
        ("close_off", "checked", {}),
    ],
)
def test_who_served_does_not_check_call_or_close(cast: Cast, name: str, state: str, data: dict[str, Any]) -> None:
    demand = accepted(cast, state=state)
    make.make_suborder(demand, cast.a.unit, state="finished")
    make.make_appointment(cast.a.liaison, "community_officer", cast.a.node)
    with pytest.raises(InvalidTransition, match="承办单位的人"):
        do(cast.a.liaison, demand, name, **data)
    after = Demand.objects.get(pk=demand.pk)
    assert (after.state, after.solved, after.follow_ups.count()) == (state, None, 0)
    assert name not in {row.name for row in DEMAND.available(demand, fresh(cast.a.liaison))}
    make.make_appointment(cast.a.member_user, "community_officer", cast.a.node)
    row = SubOrder.objects.get()
    one = row.assignments.create(member=cast.a.member, state="passed_up", asked_by=cast.a.liaison)
    DEMAND.check(demand, name, actor=fresh(cast.a.member_user))
    one.state = "taken"
    one.save()
    with pytest.raises(InvalidTransition, match="承办单位的人"):
        do(cast.a.member_user, demand, name, **data)
    do(cast.a.officer, demand, name, **data)


def asking(cast: Cast, what: str, **fields: Any) -> SubOrder:
    """An order whose unit asks to give it back, or for more time for the first or the second time."""
    demand = accepted(cast, state="dispatched")
    late = {"due_at": timezone.now() + datetime.timedelta(days=3), "review_due_at": timezone.now(), **fields}
    if what == "return":
        return make.make_suborder(demand, cast.a.unit, state="return_requested", **late)
    number = 1 if what == "extension" else 2
    order = make.make_suborder(demand, cast.a.unit, state="in_service", extension_waiting=number, **late)
    until = timezone.localdate() + datetime.timedelta(days=20)
    Extension.objects.create(suborder=order, until=until, number=number, reason="等配件", by=cast.a.liaison)
    return order


ASKED = [
    ("return", "community_officer"),
    ("extension", "community_officer"),
    ("return", "street_officer"),
    ("extension", "street_officer"),
    ("second extension", "street_officer"),
]


@pytest.mark.parametrize("deed", ["approve", "reject"])
@pytest.mark.parametrize("role", ["liaison", "staff"])
@pytest.mark.parametrize(("what", "post"), ASKED)
def test_nobody_reviews_what_the_own_unit_asks_for(cast: Cast, what: str, post: str, role: str, deed: str) -> None:
    order, name = asking(cast, what), f"{deed}_{what.split()[-1]}"
    both = getattr(cast.a, role)
    make.make_appointment(both, post, cast.street if post.startswith("street") else cast.a.node)
    with pytest.raises(InvalidTransition, match="您所在单位的申请"):
        do(both, order, name, reason="看过了。")
    after = SubOrder.objects.get()
    assert (after.state, after.version) == (order.state, order.version)
    assert name not in {row.name for row in SUBORDER.available(order, fresh(both))}
    # The same person of another unit's order; and whoever else has the right, of this one.
    other = make.make_suborder(accepted(cast, state="dispatched"), cast.a.supporting_unit, state=order.state)
    other.extension_waiting, other.review_due_at = order.extension_waiting, order.review_due_at
    SUBORDER.check(other, name, actor=fresh(both), data={"reason": "看过了。"})
    others = [cast.street_secretary] if what == "second extension" else [cast.street_secretary, cast.a.officer]
    for one in others:
        SUBORDER.check(order, name, actor=fresh(one), data={"reason": "看过了。"})
    do(others[-1], order, name, reason="看过了。")


@pytest.mark.parametrize("what", ["return", "extension"])
def test_what_a_community_of_the_units_people_can_not_review_goes_up(cast: Cast, what: str) -> None:
    """All its cadres belong to the unit: everybody is reminded as ever, and the street reviews once the limit is past."""
    limit = timezone.now() + datetime.timedelta(minutes=10)
    order, name = asking(cast, what, review_due_at=limit, remind_at=limit), f"approve_{what}"
    for cadre in (cast.a.secretary, cast.a.officer, cast.a.team_lead):
        UnitMembership.objects.create(user=cadre, unit=cast.a.unit, role="staff")
        with pytest.raises(InvalidTransition, match="您所在单位的申请"):
            do(cadre, order, name)
    with pytest.raises(InvalidTransition, match="由社区审核"):
        do(cast.street_officer, order, name)
    clock = clock_for(cast.county.pk)
    top = clock.workdays(limit, clock.limits.bulletin_workdays)
    for moment in (limit, clock.workdays(limit, 1), top):
        sweep(moment + datetime.timedelta(minutes=1))
    told = OutboxMessage.objects.filter(kind__startswith="demand_review_late").order_by("pk")
    assert [(row.kind, row.audience["post"].get("node")) for row in told] == [
        ("demand_review_late", cast.a.node.pk),
        ("demand_review_late_street", cast.street.pk),
        ("demand_review_late_county", None),
    ]
    SubOrder.objects.update(review_due_at=timezone.now() - datetime.timedelta(minutes=1))
    do(cast.street_officer, order, name)


# --- One service answers both -----------------------------------------------------------------------------------------


def two(cast: Cast, **fields: Any) -> tuple[Demand, Demand]:
    main = accepted(cast, **{"state": "checked", "checked_at": timezone.now(), **fields})
    make.make_suborder(main, cast.a.unit, state="finished")
    return main, accepted(cast, state="linked", linked_to=main)


def test_whose_matter_was_linked_evaluates_once_and_counts_in_no_rate(cast: Cast) -> None:
    main, linked = two(cast)
    after = do(RESIDENT, linked, "evaluate", solved="yes", satisfaction="satisfied")
    assert (after.solved, after.satisfaction) == (None, "")
    assert linked.evaluations.get().round == main.round
    with pytest.raises(Invalid, match="已经评价"):
        do(RESIDENT, linked, "evaluate", solved="yes", satisfaction="satisfied")
    # Done again, it is heard again.
    do(cast.a.officer, main, "redo", reason="又坏了。")
    with pytest.raises(InvalidTransition, match="还没有办结"):
        do(RESIDENT, Demand.objects.get(pk=linked.pk), "evaluate", solved="no", satisfaction="dissatisfied")
    Demand.objects.filter(pk=main.pk).update(state="checked")
    do(RESIDENT, Demand.objects.get(pk=linked.pk), "evaluate", solved="no", satisfaction="dissatisfied")
    assert linked.evaluations.count() == 2
    # Nobody closes that off without a word.
    with pytest.raises(Invalid, match="没有解决"):
        do(cast.a.officer, main, "close_off")
    do(cast.a.officer, main, "close_off", note="已向两位居民说明。")


def test_the_page_of_a_linked_matter_asks_for_an_evaluation(cast: Cast, client: Client) -> None:
    _main, linked = two(cast)
    page = client.get(reverse("resident:follow", args=[linked.follow_code]))
    assert page.status_code == 200 and 'id="evaluate"' in page.content.decode()
    given = {"solved": "yes", "satisfaction": "fairly", "version": linked.version}
    client.post(reverse("resident:act", args=[linked.follow_code, "evaluate"]), given)
    again = client.get(reverse("resident:follow", args=[linked.follow_code])).content.decode()
    assert 'id="evaluate"' not in again and "基本满意" in again


def test_the_forms_of_the_new_moves_on_desk_and_phone(cast: Cast, client: Client) -> None:
    demand = accepted(cast)
    client.force_login(cast.street_officer)
    desk = client.get(f"/admin/services/demand/{demand.pk}/move/whistle/").content.decode()
    assert cast.idle_unit.name in desk and 'type="datetime-local"' in desk
    phone = client.get(f"/m/demands/{demand.code}/transfer/").content.decode()
    assert "城北街道 城北社区" in phone and "白龙塘社区</option>" not in phone
    given = {"place": cast.b.node.pk, "reason": "在那边。", "version": demand.version}
    client.force_login(cast.a.officer)
    done = client.post(f"/admin/services/demand/{demand.pk}/move/transfer/", given)
    assert done.status_code == 302 and done["Location"].endswith("/admin/services/demand/")
    assert Demand.objects.get(pk=demand.pk).community_id == cast.b.node.pk


@pytest.mark.parametrize("whose", ["main", "linked"])
def test_nobody_evaluates_after_the_matter_is_closed_for_good(cast: Cast, whose: str) -> None:
    main, linked = two(cast, state="closed_off", closed_at=timezone.now() - datetime.timedelta(days=11))
    demand = main if whose == "main" else linked
    with pytest.raises(InvalidTransition, match="超过 10 天"):
        do(RESIDENT, demand, "evaluate", solved="yes", satisfaction="satisfied")
    Demand.objects.filter(pk=main.pk).update(closed_at=timezone.now() - datetime.timedelta(days=9))
    do(RESIDENT, Demand.objects.get(pk=demand.pk), "evaluate", solved="yes", satisfaction="satisfied")
