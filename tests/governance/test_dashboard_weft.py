"""The dashboard of double check-in says what the selectors say, of a place and of what it is made of, and nothing else."""

import re
from typing import Any

import pytest
from django.test import Client

from core.models import User
from services.selectors import lists, two_way
from tests import factories as make
from tests import weft_factories as weave
from tests.cast import Cast
from tests.governance.counted import signed_in, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def woven(cast: Cast) -> Cast:
    """In both communities: promises in every state, a member who reported, an activity, one of each list."""
    for here in (cast.a, cast.b):
        for number, state in enumerate(("open", "reported", "done", "done", "moved", "dropped")):
            weave.make_commitment(here.unit, here.building, title=f"承诺{number}", state=state)
        weave.make_member_checkin(here.member, here.compound)
        weave.make_activity(here.node, here.unit)
        weave.make_resource(here.unit, here.node)
        weave.make_project(here.building, here.unit)
        make.make_demand(here.building, cast.category)
    return cast


def page(user: User, code: str = "") -> str:
    response = signed_in(user).get(f"/dashboard/{code}/weft/" if code else "/dashboard/weft/")
    assert response.status_code == 200
    return words(response.content.decode())


def test_a_community_reads_its_own_figures(woven: Cast) -> None:
    shown = page(woven.a.officer, woven.a.node.code)
    line = two_way.board(woven.county, woven.a.node).whole
    assert (line.units, line.lead, line.supporting, line.members) == (2, 1, 1, 1)
    assert (line.kept.promised, line.kept.done, line.activities) == (4, 2, 1)
    for said in ("报到单位 2 个 牵头 1，配合 1", "报到党员 1 名", "承诺完成 50 % 2 / 4", "共建活动 1 次"):
        assert said in shown
    for total in lists.four_lists(woven.a.officer, woven.a.node):
        assert f"{total.label} {total.total} 项" in shown


def test_the_county_is_the_sum_of_what_it_is_made_of(woven: Cast) -> None:
    shown = page(woven.department)
    found = two_way.board(woven.county)
    assert found.whole.kept.promised == 8 == sum(line.kept.promised for line in found.lines)
    assert "承诺完成 50 % 4 / 8" in shown and "合计 4 2 2 2 8 4 50% 2" in shown


def test_what_lies_below_opens_down_to_communities(woven: Cast) -> None:
    response = signed_in(woven.department).get("/dashboard/weft/")
    codes = re.findall(r'href="/dashboard/(\w+)/weft/"', response.content.decode())
    assert woven.street.code in codes
    below = signed_in(woven.department).get(f"/dashboard/{woven.street.code}/weft/").content.decode()
    assert f"/dashboard/{woven.a.node.code}/weft/" in below


@pytest.mark.parametrize(
    ("who", "status"), [("b.officer", 404), ("other_county_department", 404), ("a.keeper", 403), ("a.liaison", 403)]
)
def test_strangers_find_nothing(woven: Cast, who: str, status: int) -> None:
    answer = signed_in(woven.people()[who]).get(f"/dashboard/{woven.a.node.code}/weft/")
    assert answer.status_code == status


def test_a_place_with_nothing_yet_says_noughts_and_what_is_missing(cast: Cast) -> None:
    shown = page(cast.street_officer, cast.empty_community.code)
    assert "承诺完成 — 暂无样本" in shown and "报到单位 0 个" in shown


def test_the_page_asks_the_database_so_often_whatever_the_rows(woven: Cast, django_assert_max_num_queries: Any) -> None:
    client: Client = signed_in(woven.department)
    client.get("/dashboard/weft/")
    with django_assert_max_num_queries(30) as first:
        client.get("/dashboard/weft/")
    for number in range(3):
        weave.make_commitment(woven.a.unit, woven.a.entrance, title=f"再{number}")
        weave.make_project(woven.a.node, woven.a.unit)
    with django_assert_max_num_queries(len(first.captured_queries)):
        client.get("/dashboard/weft/")
