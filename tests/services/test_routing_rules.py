"""The rules by which demands find their way: the first that fits, chains of categories, circles, and what is passed over."""

import datetime
import itertools
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from core import working_calendar
from grids.models import GridNode
from partybuilding.models import Unit
from services.models import Category, Demand, OutsideMatter, RoutingRule
from services.selectors.outside import outside_matter, outside_matters
from services.selectors.routing import Facts, Line, circle_of, lines_of, route_of, routes_of, weigh
from tests import factories as make
from tests.cast import Cast


def make_rule(cast: Cast, name: str = "小区事项", **fields: Any) -> RoutingRule:
    categories, supporting = fields.pop("categories", ()), fields.pop("supporting", ())
    rule = RoutingRule.objects.create(county=cast.county, name=name, **fields)
    rule.categories.set(categories)
    rule.supporting.set(supporting)
    return rule


def leak(cast: Cast, **fields: Any) -> Demand:
    given_fields = {"state": "accepted", "title": "水管漏水", "text": "厨房水管漏水三天。", **fields}
    return make.make_demand(given_fields.pop("node", cast.a.building), cast.category, **given_fields)


@pytest.mark.django_db
class TestWhatFits:
    def test_without_rules_nothing_is_suggested(self, cast: Cast) -> None:
        assert route_of(leak(cast)) is None

    def test_the_first_rule_that_fits_says_where_to_and_why(self, cast: Cast) -> None:
        make_rule(cast, "兜底", order=90, unit=cast.a.supporting_unit)
        make_rule(
            cast,
            order=10,
            unit=cast.a.unit,
            supporting=[cast.a.supporting_unit, cast.b.unit],
            categories=[cast.category],
            levels=["compound"],
            node=cast.a.node,
            words=["停水", "漏水"],
        )
        route = route_of(leak(cast))
        assert route is not None
        assert route.unit == cast.a.unit
        assert route.supporting == [cast.a.supporting_unit], "the neighbour's unit has not reported here"
        assert route.reasons == ["规则“小区事项”：类别是水电气暖，地点在白龙塘社区范围内，地点在小区内，内容提到“漏水”"]

    @pytest.mark.parametrize(
        "condition",
        [{"words": ["电梯"]}, {"origins": ["import"]}, {"levels": ["sector"]}, {"levels": ["dedicated"]}],
    )
    def test_a_condition_that_is_not_met_lets_the_next_rule_speak(self, cast: Cast, condition: dict[str, Any]) -> None:
        make_rule(cast, order=10, unit=cast.a.unit, **condition)
        make_rule(cast, "兜底", order=20, unit=cast.a.supporting_unit)
        route = route_of(leak(cast))
        assert route is not None
        assert route.rule.name == "兜底"

    def test_a_place_elsewhere_or_another_category_does_not_fit(self, cast: Cast) -> None:
        make_rule(cast, "城北", unit=cast.a.unit, node=cast.b.node)
        make_rule(cast, "环境", unit=cast.a.unit, categories=[cast.categories["环境卫生"]])
        assert route_of(leak(cast)) is None

    def test_the_hour_of_registration_decides_by_the_working_calendar(self, cast: Cast) -> None:
        make_rule(cast, "夜间", order=10, time="off", unit=cast.a.supporting_unit)
        make_rule(cast, "白天", order=20, time="working", unit=cast.a.unit)
        monday = datetime.datetime(2026, 3, 2, 10, tzinfo=datetime.UTC) - datetime.timedelta(hours=8)
        night = monday + datetime.timedelta(hours=12)
        found = [route_of(leak(cast, registered_at=moment)) for moment in (monday, night)]
        assert [route and route.rule.name for route in found] == ["白天", "夜间"]

    def test_parks_have_a_rule_of_their_own(self, cast: Cast) -> None:
        make_rule(cast, "园区", unit=cast.a.unit, levels=["dedicated"])
        GridNode.objects.filter(pk=cast.a.grid.pk).update(kind="dedicated")
        route = route_of(leak(cast))
        assert route is not None
        assert "专属网格" in route.reasons[0]

    def test_another_county_has_its_own_rules(self, cast: Cast) -> None:
        rule = make_rule(cast, unit=cast.a.unit)
        RoutingRule.objects.filter(pk=rule.pk).update(county=cast.other_county)
        assert route_of(leak(cast)) is None


@pytest.mark.django_db
class TestWhatIsPassedOver:
    def both(self, cast: Cast) -> None:
        make_rule(cast, "先", order=10, unit=cast.a.unit)
        make_rule(cast, "后", order=20, unit=cast.a.supporting_unit)

    def test_a_unit_that_gave_it_back_is_not_asked_again(self, cast: Cast) -> None:
        self.both(cast)
        demand = leak(cast)
        make.make_suborder(demand, cast.a.unit, state="returned")
        route = route_of(demand)
        assert route is not None
        assert route.rule.name == "后"
        assert route.skipped == [f"规则“先”：“{cast.a.unit.label}”退回过这件事，跳过"]

    def test_a_unit_at_work_a_stopped_one_and_a_stranger_are_passed_over(self, cast: Cast) -> None:
        self.both(cast)
        helped = leak(cast)
        make.make_suborder(helped, cast.a.unit, role="supporting")
        assert route_of(helped).unit == cast.a.supporting_unit  # type: ignore[union-attr]
        elsewhere = leak(cast, node=cast.b.building)
        assert route_of(elsewhere) is None
        Unit.objects.filter(pk=cast.a.unit.pk).update(is_active=False)
        assert route_of(leak(cast)).unit == cast.a.supporting_unit  # type: ignore[union-attr]

    def test_what_a_rule_names_and_is_retired_is_shown_and_skipped(self, cast: Cast) -> None:
        make_rule(cast, "先", order=10, unit=cast.a.unit, node=cast.a.node)
        GridNode.objects.filter(pk=cast.a.node.pk).update(retired_at=timezone.now())
        [line] = lines_of([cast.county.pk])
        assert line.is_broken
        assert line.faults == ["地点“白龙塘社区”已撤销"]
        (route, skipped) = weigh([line], [demand := leak(cast)])[demand.pk]
        assert route is None
        assert skipped == ["规则“先”：地点“白龙塘社区”已撤销，跳过"]

    def test_the_communitys_own_unit_is_not_sent_a_matter_of_the_list(self, cast: Cast) -> None:
        self.both(cast)
        Unit.objects.filter(pk=cast.a.unit.pk).update(domain="community")
        OutsideMatter.objects.create(county=cast.county, name="供水管网抢修", words=["漏水"])
        route = route_of(leak(cast))
        assert route is not None
        assert route.unit == cast.a.supporting_unit
        assert "清单外事项" in route.skipped[0]


@pytest.mark.django_db
class TestCategories:
    def test_a_rule_that_says_a_category_goes_on_with_its_rules(self, cast: Cast) -> None:
        dirt = cast.categories["环境卫生"]
        make_rule(cast, "污水归环卫", order=10, words=["漏水"], category=dirt)
        make_rule(cast, "水", order=20, categories=[cast.category], unit=cast.a.unit)
        make_rule(cast, "环卫", order=30, categories=[dirt], unit=cast.a.supporting_unit)
        route = route_of(leak(cast))
        assert route is not None
        assert (route.category, route.unit) == (dirt, cast.a.supporting_unit)
        assert route.reasons == [
            "规则“污水归环卫”：内容提到“漏水”，类别改为“环境卫生”",
            "规则“环卫”：类别是环境卫生",
        ]

    def test_a_category_alone_is_an_answer_too(self, cast: Cast) -> None:
        make_rule(cast, words=["漏水"], category=cast.categories["环境卫生"], mode="auto")
        route = route_of(leak(cast))
        assert route is not None
        assert route.unit is None
        assert route.mode == "suggest"
        assert route.goes_to == "改为“环境卫生”"

    def test_two_halves_of_a_circle_do_not_hang(self, cast: Cast) -> None:
        dirt = cast.categories["环境卫生"]
        make_rule(cast, "去", order=10, categories=[cast.category], category=dirt)
        make_rule(cast, "回", order=20, categories=[dirt], category=cast.category)
        route = route_of(leak(cast))
        assert route is not None
        assert (route.unit, route.category) == (None, dirt)
        assert "循环" in route.skipped[0]
        circle = circle_of(lines_of([cast.county.pk]))
        assert [one.name for one in circle] in (
            ["水电气暖", "环境卫生", "水电气暖"],
            ["环境卫生", "水电气暖", "环境卫生"],
        )

    def test_a_chain_is_automatic_only_if_all_of_it_is(self, cast: Cast) -> None:
        dirt = cast.categories["环境卫生"]
        make_rule(cast, "污水", order=10, words=["漏水"], category=dirt)
        make_rule(cast, "环卫", order=30, categories=[dirt], unit=cast.a.unit, mode="auto")
        assert route_of(leak(cast)).mode == "suggest"  # type: ignore[union-attr]
        RoutingRule.objects.update(mode="auto")
        assert route_of(leak(cast)).mode == "auto"  # type: ignore[union-attr]
        assert route_of(leak(cast, origin="import")).mode == "suggest"  # type: ignore[union-attr]


@pytest.mark.django_db
def test_many_demands_cost_as_much_as_one(cast: Cast) -> None:
    dirt = cast.categories["环境卫生"]
    make_rule(cast, "污水", order=10, words=["污水"], category=dirt)
    make_rule(cast, order=20, unit=cast.a.unit, levels=["compound", "dedicated"], categories=[cast.category])
    make_rule(cast, "别处", order=30, unit=cast.b.unit, supporting=[cast.b.supporting_unit])
    OutsideMatter.objects.create(county=cast.county, name="供水管网抢修", words=["漏水"])
    for _number in range(4):
        leak(cast)
        leak(cast, node=cast.b.building)

    working_calendar.load()  # kept by each process

    def cost(most: int) -> int:
        rows = list(Demand.objects.all()[:most])
        with CaptureQueriesContext(connection) as seen:
            assert len(routes_of(rows)) == most
            assert len(outside_matters(rows)) == most
        return len(seen)

    assert cost(1) == cost(8) <= 13


@pytest.mark.django_db
def test_a_matter_of_the_list_is_known_by_category_or_by_words(cast: Cast) -> None:
    by_words = OutsideMatter.objects.create(county=cast.county, name="供水管网抢修", words=["漏水"])
    assert outside_matter(leak(cast)) == by_words
    assert outside_matter(leak(cast, title="灯坏了", text="三楼灯坏了")) is None
    by_category = OutsideMatter.objects.create(county=cast.county, name="A 供水")
    by_category.categories.add(cast.category)
    assert outside_matter(leak(cast, title="灯坏了", text="三楼灯坏了")) == by_category
    OutsideMatter.objects.update(is_active=False)
    assert outside_matter(leak(cast)) is None


# --- Any rules whatever, against a slow reading of the same sentence -------------------------------------------------

CATEGORIES = {pk: Category(pk=pk, name=f"类{pk}", county_id=1) for pk in range(1, 5)}
HERE = GridNode(pk=1, tree_id=1, lft=5, rght=6)
WORDS = ["电梯", "漏水"]
RULES = st.lists(
    st.tuples(
        st.sets(st.sampled_from(sorted(CATEGORIES)), max_size=2),
        st.lists(st.sampled_from(WORDS), max_size=1),
        st.one_of(st.none(), st.sampled_from(sorted(CATEGORIES))),
    ),
    max_size=7,
)


def as_lines(rules: list[tuple[set[int], list[str], int | None]]) -> list[Line]:
    found = []
    for number, (categories, words, target) in enumerate(rules):
        goal: dict[str, Any] = {"category": CATEGORIES[target]} if target else {"desk": "street"}
        rule = RoutingRule(pk=number + 1, county_id=1, order=number, name=f"规则{number}", words=words, **goal)
        found.append(Line(rule, tuple(CATEGORIES[pk] for pk in sorted(categories))))
    return found


def read_slowly(rules: list[tuple[set[int], list[str], int | None]], category: int, text: str) -> list[int]:
    """The numbers of the rules followed, by the sentence alone: first that fits; a category goes on with its rules."""
    followed: list[int] = []
    been = [category]
    while True:
        for number, (categories, words, target) in enumerate(rules):
            fits = category in categories or (not categories and (len(been) == 1 or target is None))
            fits = fits and (not words or any(word in text for word in words))
            if fits and target not in been:
                followed.append(number)
                break
        else:
            return followed
        target = rules[followed[-1]][2]
        if target is None:
            return followed
        category = target
        been.append(target)


@settings(max_examples=150, deadline=None)
@given(rules=RULES, category=st.sampled_from(sorted(CATEGORIES)), text=st.sampled_from(["", *WORDS, "电梯漏水"]))
def test_any_rules_end_and_the_first_that_fits_is_followed(rules: Any, category: int, text: str) -> None:
    facts = Facts(working_calendar.WorkingCalendar(), {}, {}, {}, {}, [])
    demand = Demand(pk=1, county_id=1, node=HERE, category_id=category, title="", text=text)
    walked = walk(as_lines(rules), facts, demand)
    assert walked == [f"规则{number}" for number in read_slowly(rules, category, text)]


def walk(lines: list[Line], facts: Facts, demand: Demand) -> list[str]:
    route, _skipped = facts.walk(lines, demand)
    return [reason.partition("”")[0].removeprefix("规则“") for reason in route.reasons] if route else []


@settings(max_examples=150, deadline=None)
@given(rules=RULES)
def test_a_circle_is_found_if_and_only_if_there_is_one(rules: Any) -> None:
    steps = {(one, target) for categories, _words, target in rules if target for one in categories}
    # The closure, by brute force.
    reach = set(steps)
    while more := {(a, d) for a, b in reach for c, d in reach if b == c} - reach:
        reach |= more
    circle = [one.pk for one in circle_of(as_lines(rules))]
    assert bool(circle) == any(a == b for a, b in reach)
    assert all(step in steps for step in itertools.pairwise(circle))
    if circle:
        assert circle[0] == circle[-1]
