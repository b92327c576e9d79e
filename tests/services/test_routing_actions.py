"""Rules and the list of outside matters are written by the county's department, and followed when a demand is accepted."""

from typing import Any

import pytest

from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry
from grids.models import GridNode
from partybuilding.models import Unit
from services.actions import move
from services.actions import routing as actions
from services.models import Category, Demand, DemandEvent, OutsideMatter, RoutingRule, SubOrder
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together
from tests.services.test_loop import do, raised
from tests.services.test_routing_rules import make_rule


def create(cast: Cast, name: str = "小区事项", **values: Any) -> RoutingRule:
    given = {"unit": cast.a.unit, **values}
    return actions.create_rule(actor=cast.department, county=cast.county, name=name, **given)


@pytest.mark.django_db
class TestWriting:
    def test_the_department_writes_a_rule_and_the_trail_names_what_it_says(self, cast: Cast) -> None:
        rule = create(cast, categories=[cast.category], levels=["compound"], words=[" 漏水 ", "漏水", ""])
        assert (rule.order, rule.words) == (10, ["漏水"])
        assert list(rule.categories.all()) == [cast.category]
        entry = AuditEntry.objects.get(action="routing.create")
        assert entry.changes["unit"] == [None, str(cast.a.unit)]
        assert entry.changes["categories"] == [None, ["水电气暖"]]
        assert create(cast, "第二条").order == 20

    @pytest.mark.parametrize("who", ["a.secretary", "street_secretary", "admin", "other_county_department"])
    def test_nobody_else_does(self, cast: Cast, who: str) -> None:
        rule = create(cast)
        user = cast.people()[who]
        for attempt in (
            lambda: actions.create_rule(actor=user, county=cast.county, name="我的", unit=cast.a.unit),
            lambda: actions.update_rule(actor=user, rule=rule, is_active=False),
            lambda: actions.shift_rule(actor=user, rule=rule, up=True),
            lambda: actions.create_matter(actor=user, county=cast.county, name="x", words=["x"]),
        ):
            with pytest.raises((Forbidden, NotFound)):
                attempt()
        assert RoutingRule.objects.get().is_active
        assert not OutsideMatter.objects.exists()

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"unit": None}, "unit"),
            ({"unit": None, "desk": "mayor"}, "desk"),
            ({"mode": "auto", "desk": "street"}, "mode"),
            ({"levels": ["planet"]}, "levels"),
            ({"origins": ["rumour"]}, "origins"),
            ({"words": [f"词{number}" for number in range(21)]}, "words"),
            ({"name": " "}, "name"),
        ],
    )
    def test_what_can_not_be_meant_is_refused_by_its_field(
        self, cast: Cast, values: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            create(cast, **{"name": "小区事项", **values})
        assert field in refused.value.fields
        assert not RoutingRule.objects.exists()

    def test_a_rule_names_its_own_countys_rows_in_use(self, cast: Cast) -> None:
        elsewhere = Category.objects.filter(county=cast.other_county).first()
        Unit.objects.filter(pk=cast.idle_unit.pk).update(is_active=False)
        cast.idle_unit.refresh_from_db()
        retired = GridNode.objects.get(pk=cast.a.floor.pk)
        retired.retired_at = cast.a.node.valid_from  # type: ignore[assignment]
        for values in (
            {"categories": [elsewhere]},
            {"unit": cast.idle_unit},
            {"node": cast.other_county_community},
            {"node": retired},
            {"category": cast.category},
            {"unit": None, "supporting": [cast.a.unit], "desk": "street"},
            {"unit": None, "category": cast.category, "categories": [cast.category]},
        ):
            with pytest.raises(Invalid):
                create(cast, **values)
        assert not RoutingRule.objects.exists()

    def test_a_name_twice_and_an_old_page_change_nothing(self, cast: Cast) -> None:
        rule = create(cast)
        with pytest.raises(Conflict):
            create(cast)
        actions.update_rule(actor=cast.department, rule=rule, version=1, words=["电梯"])
        with pytest.raises(Stale):
            actions.update_rule(actor=cast.department, rule=rule, version=1, words=["门禁"])
        rule.refresh_from_db()
        assert (rule.words, rule.version) == (["电梯"], 2)

    def test_the_order_is_changed_one_place_at_a_time(self, cast: Cast) -> None:
        rules = [create(cast, name) for name in ("一", "二", "三")]
        actions.shift_rule(actor=cast.department, rule=rules[2], up=True)
        actions.shift_rule(actor=cast.department, rule=rules[0], up=True)
        assert list(RoutingRule.objects.values_list("name", flat=True)) == ["一", "三", "二"]
        assert AuditEntry.objects.filter(action="routing.shift").count() == 1

    def test_a_circle_is_refused_and_named(self, cast: Cast) -> None:
        water, dirt, other = cast.category, cast.categories["环境卫生"], cast.categories["其他"]
        create(cast, "一", unit=None, categories=[water], category=dirt)
        create(cast, "二", unit=None, categories=[dirt], category=other)
        with pytest.raises(Invalid, match="→") as refused:
            create(cast, "三", unit=None, categories=[other], category=water)
        for name in ("水电气暖 → 环境卫生", "环境卫生 → 其他", "其他 → 水电气暖"):
            assert name in refused.value.message + refused.value.message.replace("规则绕成了一圈：", "")
        assert RoutingRule.objects.count() == 2
        sleeping = create(cast, "三", unit=None, categories=[other], category=water, is_active=False)
        with pytest.raises(Invalid):
            actions.update_rule(actor=cast.department, rule=sleeping, is_active=True)
        sleeping.refresh_from_db()
        assert not sleeping.is_active

    def test_the_communitys_own_unit_gets_no_rule_for_a_matter_of_the_list(self, cast: Cast) -> None:
        Unit.objects.filter(pk=cast.a.unit.pk).update(domain="community")
        cast.a.unit.refresh_from_db()
        matter = {"name": "燃气安全", "basis": "县清单第 3 项", "categories": [cast.category]}
        actions.create_matter(actor=cast.department, county=cast.county, **matter)
        with pytest.raises(Invalid, match="县清单第 3 项"):
            create(cast, categories=[cast.category])

    def test_a_matter_needs_something_it_is_known_by(self, cast: Cast) -> None:
        with pytest.raises(Invalid):
            actions.create_matter(actor=cast.department, county=cast.county, name="违建拆除")
        matter = actions.create_matter(actor=cast.department, county=cast.county, name="违建拆除", words=["违建"])
        actions.update_matter(actor=cast.department, matter=matter, version=1, is_active=False)
        with pytest.raises(Stale):
            actions.update_matter(actor=cast.department, matter=matter, version=1, is_active=True)
        assert [row.action for row in AuditEntry.objects.filter(action__startswith="outside.").order_by("pk")] == [
            "outside.create",
            "outside.update",
        ]


@pytest.mark.django_db
class TestOutsideMatters:
    @pytest.fixture
    def own(self, cast: Cast) -> Demand:
        Unit.objects.filter(pk=cast.a.unit.pk).update(domain="community")
        cast.a.unit.refresh_from_db()
        OutsideMatter.objects.create(county=cast.county, name="供水管网抢修", basis="县清单第 3 项", words=["水管"])
        demand = raised(cast, text="门口水管爆裂")
        return do(cast.a.officer, demand, "accept")

    def test_the_communitys_own_unit_does_not_lead_and_is_told_why(self, cast: Cast, own: Demand) -> None:
        with pytest.raises(Invalid) as refused:
            do(cast.a.officer, own, "dispatch", unit=cast.a.unit)
        assert "县清单第 3 项" in refused.value.message
        assert "上报街道" in refused.value.message
        assert Demand.objects.get().state == "accepted"
        assert not SubOrder.objects.exists()

    def test_it_may_help(self, cast: Cast, own: Demand) -> None:
        done = do(cast.a.officer, own, "dispatch", unit=cast.a.supporting_unit, supporting=[cast.a.unit])
        assert done.state == "dispatched"

    def test_a_whistle_does_not_make_it_lead_either(self, cast: Cast, own: Demand) -> None:
        do(cast.a.officer, own, "escalate", reason="请街道协调")
        with pytest.raises(Invalid, match="清单外事项"):
            do(cast.street_officer, own, "whistle", units=[cast.a.unit, cast.a.supporting_unit], reason="现场处置")
        assert not SubOrder.objects.exists()
        do(
            cast.street_officer,
            own,
            "whistle",
            units=[cast.a.unit, cast.a.supporting_unit],
            lead=cast.a.supporting_unit,
            reason="现场处置",
        )
        assert SubOrder.objects.get(role="lead").unit == cast.a.supporting_unit

    def test_it_does_not_claim_it_either(self, cast: Cast, own: Demand) -> None:
        do(cast.a.officer, own, "publish")
        with pytest.raises(Invalid, match="清单外事项"):
            do(cast.a.liaison, own, "claim")
        assert Demand.objects.get().state == "published"


@pytest.mark.django_db
class TestFollowing:
    def test_an_accepted_demand_is_dispatched_by_the_rule_that_says_so(self, cast: Cast) -> None:
        make_rule(cast, mode="auto", unit=cast.a.unit, supporting=[cast.a.supporting_unit], levels=["compound"])
        done = do(cast.a.officer, raised(cast), "accept")
        assert done.state == "dispatched"
        assert set(SubOrder.objects.values_list("unit__name", "role")) == {
            ("县住建局", "lead"),
            ("县水务局", "supporting"),
        }
        event = DemandEvent.objects.get(name="dispatch")
        assert event.actor_kind == "system"
        assert "规则“小区事项”：地点在小区内" in event.text

    def test_a_chain_changes_the_category_on_the_way(self, cast: Cast) -> None:
        dirt = cast.categories["环境卫生"]
        make_rule(cast, "污水", mode="auto", order=10, words=["水"], category=dirt)
        make_rule(cast, "环卫", mode="auto", order=20, categories=[dirt], unit=cast.a.unit)
        done = do(cast.a.officer, raised(cast, text="水漫出来了"), "accept")
        assert (done.state, done.category) == ("dispatched", dirt)
        assert "环境卫生" in DemandEvent.objects.get(name="dispatch").text

    def test_a_suggestion_is_left_to_people(self, cast: Cast) -> None:
        make_rule(cast, unit=cast.a.unit)
        make_rule(cast, "别处", mode="auto", unit=cast.b.unit)
        assert do(cast.a.officer, raised(cast), "accept").state == "accepted"

    def test_a_unit_that_gave_it_back_does_not_get_it_again(self, cast: Cast) -> None:
        make_rule(cast, mode="auto", unit=cast.a.unit)
        demand = do(cast.a.officer, raised(cast), "accept")
        suborder = SubOrder.objects.get()
        do(cast.a.liaison, suborder, "request_return", reason="不属于我们")
        do(cast.a.officer, suborder, "approve_return")
        demand.refresh_from_db()
        assert demand.state == "accepted"
        actions.dispatch_by_rule(demand)
        assert SubOrder.objects.count() == 1

    def test_what_breaks_in_the_rules_leaves_the_acceptance_as_it_is(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rule = make_rule(cast, mode="auto", unit=cast.a.unit)
        RoutingRule.objects.filter(pk=rule.pk).update(levels=7)  # nothing that can be read
        assert do(cast.a.officer, raised(cast), "accept").state == "accepted"
        assert Demand.objects.get().state == "accepted"

    def test_a_demand_that_somebody_dispatched_meanwhile_is_not_dispatched_again(self, cast: Cast) -> None:
        demand = do(cast.a.officer, raised(cast), "accept")
        do(cast.a.officer, demand, "dispatch", unit=cast.a.supporting_unit)
        make_rule(cast, mode="auto", unit=cast.a.unit)
        actions.dispatch_by_rule(demand)
        assert SubOrder.objects.get().unit == cast.a.supporting_unit

    def test_the_system_dispatches_and_a_resident_does_not(self, cast: Cast) -> None:
        demand = do(cast.a.officer, raised(cast), "accept")
        assert move(actor=SYSTEM, target=demand, name="dispatch", data={"unit": cast.a.unit}).state == "dispatched"


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_halves_of_a_circle_saved_at_once_leave_one(self, transactional_cast: Cast) -> None:
        cast = transactional_cast
        water, dirt = cast.category, cast.categories["环境卫生"]
        people = [fresh(cast.department), make.make_cadre("住建", "county_department", cast.county)]
        errors = together(
            lambda: actions.create_rule(
                actor=people[0], county=cast.county, name="去", categories=[water], category=dirt
            ),
            lambda: actions.create_rule(
                actor=people[1], county=cast.county, name="回", categories=[dirt], category=water
            ),
        )
        assert [error.code for error in errors] == ["rule_loop"]  # type: ignore[attr-defined]
        assert RoutingRule.objects.count() == 1

    def test_a_rule_and_a_person_at_once_dispatch_once(self, transactional_cast: Cast) -> None:
        cast = transactional_cast
        demand = do(cast.a.officer, raised(cast), "accept")
        make_rule(cast, mode="auto", unit=cast.a.unit)
        officer, data = fresh(cast.a.officer), {"unit": cast.a.supporting_unit}
        together(
            lambda: actions.dispatch_by_rule(demand),
            lambda: move(actor=officer, target=demand, name="dispatch", data=data),
        )
        assert SubOrder.objects.filter(role="lead").count() == 1
        assert DemandEvent.objects.filter(name="dispatch").count() == 1
