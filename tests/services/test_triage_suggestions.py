"""What is suggested for many demands at once belongs together, and says nothing of what was never learned."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from services.actions.learning import learn_categories
from services.models import Demand, RoutingRule
from services.selectors.triage import Suggestion, suggestions, waiting
from tests.cast import Cast
from tests.factories import make_demand

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def offered(cast: Cast) -> dict[int, Suggestion]:
    return suggestions(list(waiting(cast.a.secretary, Demand.objects.all())))


def rule(cast: Cast, name: str, category: str, unit: object, **more: object) -> RoutingRule:
    row = RoutingRule.objects.create(county=cast.county, name=name, unit=unit, **more)
    row.categories.add(cast.categories[category])
    return row


def test_the_unit_is_that_of_the_category_that_is_suggested(cast: Cast) -> None:
    rule(cast, "卫生", "环境卫生", cast.a.supporting_unit, order=1)
    rule(cast, "水电", "水电气暖", cast.a.unit, order=2)
    demand = make_demand(cast.a.building, cast.categories["环境卫生"], title="家里停水了", text="自来水停水两天。")
    found = offered(cast)[demand.pk]
    assert (found.category, found.unit) == (cast.categories["水电气暖"], cast.a.unit)
    assert "水电气暖" in found.unit_why
    demand.refresh_from_db()
    assert demand.category == cast.categories["环境卫生"], "a suggestion changes nothing"


def test_whom_a_rule_adds_and_the_desk_it_names_come_along(cast: Cast) -> None:
    rule(cast, "水电", "水电气暖", cast.a.unit).supporting.add(cast.a.supporting_unit)
    rule(cast, "卫生", "环境卫生", None, desk="street")
    water, rubbish = (
        make_demand(cast.a.building, cast.categories[name], title=title, text=title)
        for name, title in (("水电气暖", "家里停水了"), ("环境卫生", "垃圾没人清运"))
    )
    found = offered(cast)
    assert (found[water.pk].unit, found[water.pk].supporting) == (cast.a.unit, (cast.a.supporting_unit,))
    assert (found[rubbish.pk].unit, found[rubbish.pk].desk) == (None, "street")
    assert "环境卫生" in found[rubbish.pk].unit_why


def test_matters_of_an_old_table_are_compared_with_one_another(cast: Cast) -> None:
    long_ago = timezone.now() - 800 * DAY

    def car_wash(days: int) -> Demand:
        words = "无证洗车店污水横流，气味难闻"
        return make_demand(cast.a.building, title=words, text=words, registered_at=long_ago + days * DAY)

    first, second, much_later = car_wash(0), car_wash(2), car_wash(100)
    found = offered(cast)
    assert (found[first.pk].twin, found[second.pk].twin) == (second, first)
    assert found[much_later.pk].twin is None, "a year's same complaint is another matter"


def test_a_text_of_another_world_gets_no_learned_category(cast: Cast) -> None:
    for _number in range(6):
        for category, text in (("水电气暖", "附近的居民反映家里停水"), ("其他", "居民建议开放书屋")):
            for _twice in range(3):
                make_demand(cast.a.building, cast.categories[category], state="closed_off", title=text, text=text)
    assert learn_categories() == 1
    strange, familiar, none = (
        make_demand(cast.a.building, cast.categories["环境卫生"], title=title, text=text)
        for title, text in (
            (
                "附近的河水发臭",
                "附近的居民每天经过这里，河水发臭，清淤之后过了几个月又是老样子，请相关部门到现场看看。",
            ),
            ("家里停水", "附近的居民反映家里停水"),
            ("建议开放书屋", "居民建议开放书屋"),
        )
    )
    found = offered(cast)
    assert found[strange.pk].category == cast.categories["环境卫生"], "by its words"
    assert found[familiar.pk].category == cast.categories["水电气暖"]
    assert found[none.pk].category is None, "to be of no kind is no reason to change what was written down"


def test_many_cost_as_much_as_one(cast: Cast) -> None:
    rule(cast, "卫生", "环境卫生", cast.a.supporting_unit)
    rule(cast, "水电", "水电气暖", cast.a.unit)

    def cost() -> int:
        rows = list(waiting(cast.a.secretary, Demand.objects.all()))
        with CaptureQueriesContext(connection) as seen:
            suggestions(rows)
        return len(seen)

    make_demand(cast.a.building, cast.categories["环境卫生"], title="家里停水了", text="自来水停水两天。")
    once = cost()
    for _number in range(5):
        make_demand(cast.a.building, cast.categories["环境卫生"], title="家里停水了", text="自来水停水两天。")
    assert cost() == once
