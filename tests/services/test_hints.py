"""What stands beside accepting and dispatching, on the desk and on the phone."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.models import User
from partybuilding.models import Unit
from services.actions.learning import learn_categories
from services.models import Demand, OutsideMatter, SubOrder
from tests import factories as make
from tests.cast import Cast
from tests.services.test_routing_rules import make_rule
from tests.services.test_suggesting import lift, teach

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def desk(demand: Demand, name: str) -> str:
    return f"/admin/services/demand/{demand.pk}/move/{name}/?on=demand"


def phone(demand: Demand, name: str) -> str:
    return f"/m/demands/{demand.code}/{name}/?on=demand"


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture(params=[desk, phone], ids=["desk", "phone"])
def face(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_likely_duplicate_is_linked_with_one_touch(cast: Cast, face: Any) -> None:
    first, second = lift(cast), lift(cast, state="registered")
    client = signed_in(cast.a.officer)
    page = client.get(face(second, "accept"))
    text = text_of(page)
    assert "可能是同一件事" in text
    assert first.code in text
    assert "同一地点" in text
    [action] = re.findall(r'action="([^"]*/link/[^"]*)"', page.content.decode())
    sent = {"matter": first.code, "version": second.version}
    assert client.post(action.replace("&amp;", "&"), sent).status_code == 302
    second.refresh_from_db()
    assert (second.state, second.linked_to) == ("linked", first)


def test_the_category_the_text_speaks_for_is_taken_with_one_touch(cast: Cast, face: Any) -> None:
    teach(cast)
    learn_categories()
    Demand.objects.update(registered_at="2020-01-01T00:00+08:00")
    demand = make.make_demand(cast.a.building, cast.categories["其他"], title="水管漏水", text="厨房水管漏水，积水")
    client = signed_in(cast.a.officer)
    page = client.get(face(demand, "accept"))
    text = text_of(page)
    assert "可能是“ 水电气暖 ”" in text
    assert "因为提到：" in text
    link = f"?on=demand&amp;category={cast.category.pk}"
    assert link in page.content.decode()
    chosen = client.get(face(demand, "accept").partition("?")[0] + link.replace("&amp;", "&")).content.decode()
    assert f'<option value="{cast.category.pk}" selected>' in chosen


def test_the_rules_choose_the_unit_and_say_why(cast: Cast, face: Any) -> None:
    make_rule(cast, unit=cast.a.unit, supporting=[cast.a.supporting_unit], words=["电梯"])
    demand = lift(cast)
    client = signed_in(cast.a.officer)
    page = client.get(face(demand, "dispatch"))
    text = text_of(page)
    assert f"按规则派给：{cast.a.unit.label}" in text
    assert "规则“小区事项”：内容提到“电梯”" in text
    assert f'<option value="{cast.a.unit.pk}" selected>' in page.content.decode()
    assert re.search(rf'value="{cast.a.supporting_unit.pk}"[^>]*checked', page.content.decode())
    assert not SubOrder.objects.exists()


def test_a_matter_outside_the_list_is_warned_of_and_refused(cast: Cast, face: Any) -> None:
    OutsideMatter.objects.create(county=cast.county, name="电梯安全监管", basis="县清单第 3 项", words=["电梯"])
    Unit.objects.filter(pk=cast.a.unit.pk).update(domain="community")
    demand = lift(cast)
    client = signed_in(cast.a.officer)
    assert "县清单第 3 项" in text_of(client.get(face(demand, "dispatch")))
    page = client.post(face(demand, "dispatch"), {"unit": cast.a.unit.pk, "version": demand.version})
    assert page.status_code == 400
    assert "清单外事项" in page.content.decode()
    assert not SubOrder.objects.exists()


def test_other_moves_and_an_odd_category_show_nothing_new(cast: Cast, face: Any) -> None:
    lift(cast)
    demand = lift(cast)
    client = signed_in(cast.a.officer)
    assert "可能是同一件事" not in text_of(client.get(face(demand, "publish")))
    registered = lift(cast, state="registered")
    for odd in ("abc", "9" * 30, "-1"):
        assert client.get(face(registered, "accept") + f"&category={odd}").status_code == 200


def test_the_page_costs_the_same_with_one_and_with_many_beside_it(cast: Cast, face: Any) -> None:
    teach(cast)
    learn_categories()
    make_rule(cast, unit=cast.a.unit, words=["电梯"])
    lift(cast)
    demand = lift(cast, state="registered")
    client = signed_in(cast.a.officer)

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(face(demand, "accept")).status_code == 200
        return len(seen)

    cost()
    first = cost()
    for _number in range(5):
        lift(cast)
    assert cost() == first


class TestRegistering:
    """Nothing was chosen: the text chooses, a person confirms."""

    @pytest.fixture(autouse=True)
    def taught(self, cast: Cast) -> None:
        teach(cast)
        learn_categories()

    def test_a_call_gets_its_category_from_its_words(self, cast: Cast) -> None:
        client, url = signed_in(cast.a.officer), "/admin/services/demand/add/"
        before = Demand.objects.count()
        sent = {"node": cast.a.building.path, "text": "厨房水管漏水，积水了"}
        page = client.post(url, sent)
        assert "可能是“水电气暖”，因为提到" in text_of(page)
        assert f'<option value="{cast.category.pk}" selected>' in page.content.decode()
        assert Demand.objects.count() == before
        assert client.post(url, {**sent, "category": cast.category.pk}).status_code == 302
        assert Demand.objects.count() == before + 1

    def test_a_text_that_says_nothing_is_asked_about_as_ever(self, cast: Cast) -> None:
        page = signed_in(cast.a.officer).post(
            "/admin/services/demand/add/", {"node": cast.a.building.path, "text": "你好"}
        )
        assert "可能是" not in text_of(page)
        page = signed_in(cast.a.keeper).post("/m/report/", {"text": ""})
        assert page.status_code == 400

    def test_a_keeper_is_helped_on_the_phone(self, cast: Cast) -> None:
        page = signed_in(cast.a.keeper).post("/m/report/", {"text": "厨房水管漏水，积水了"})
        assert page.status_code == 400
        html = page.content.decode()
        assert "可能是“水电气暖”" in html
        assert re.search(rf'value="{cast.category.pk}"[^>]*checked', html)
