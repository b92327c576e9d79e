"""Finding one's building without a code: step by step, or by its name."""

from typing import Any

import pytest
from django.test import Client

from core.actors import SYSTEM
from grids.actions import retire_node
from services.views import following, picker
from tests import factories as make
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def names(response: Any) -> list[str]:
    return [row.name for row in response.context["rows"]]


def test_streets_stand_on_the_first_page_by_county(client: Client, cast: Cast) -> None:
    counties = client.get("/r/").context["counties"]
    assert [(county.name, [street.name for street in streets]) for county, streets in counties] == [
        ("西乡县", ["城北街道", "城南街道"]),
        ("镇安县", ["永乐街道"]),
    ]


def test_a_resident_walks_from_street_to_building(client: Client, cast: Cast) -> None:
    street = client.get(f"/r/in/{cast.street.public_token}/")
    assert names(street) == ["白龙塘社区", "城北社区", "新民社区"]
    community = client.get(f"/r/in/{cast.a.node.public_token}/")
    assert names(community) == ["和谐小区"]
    compound = client.get(f"/r/in/{cast.a.compound.public_token}/")
    assert names(compound) == ["1 号楼", "2 号楼"], "no resident knows a grid by name"
    assert client.get(f"/r/in/{cast.a.building.public_token}/")["Location"] == f"/r/{cast.a.building.public_token}/"


def test_whoever_finds_no_building_orders_at_the_community(client: Client, cast: Cast) -> None:
    page = client.get(f"/r/in/{cast.a.node.public_token}/").content.decode()
    assert f'href="/r/{cast.a.node.public_token}/"' in page
    empty = client.get(f"/r/in/{cast.empty_community.public_token}/")
    assert empty["Location"] == f"/r/{cast.empty_community.public_token}/"


def test_places_that_are_gone_are_not_offered(client: Client, cast: Cast) -> None:
    retire_node(actor=SYSTEM, node=cast.a.other_building, reason="拆除")
    assert names(client.get(f"/r/in/{cast.a.compound.public_token}/")) == ["1 号楼"]
    assert client.get("/r/", {"q": "2号楼"}).context["found"] != []
    assert cast.a.other_building not in client.get("/r/", {"q": "2号楼"}).context["found"]
    assert client.get(f"/r/in/{cast.a.other_building.public_token}/").status_code == 302


def test_long_lists_come_in_pages(client: Client, cast: Cast) -> None:
    for number in range(3, picker.PER_PAGE + 5):
        make.make_node(cast.a.grid, "building", f"{number} 号楼")
    address = f"/r/in/{cast.a.compound.public_token}/"
    first, second = client.get(address), client.get(address, {"page": 2})
    assert len(names(first)) == picker.PER_PAGE
    assert first.context["next_url"] == "?page=2"
    assert set(names(first)).isdisjoint(names(second))
    assert second.context["next_url"] == ""
    assert client.get(address, {"page": 99}).status_code == 404
    assert names(client.get(address, {"page": "x"})) == names(first)


@pytest.mark.parametrize("asked", ["1号楼", "和谐小区 1号楼", "白龙塘 1 号楼"])
def test_a_place_is_found_by_its_name(client: Client, cast: Cast, asked: str) -> None:
    found = client.get("/r/", {"q": asked}).context["found"]
    assert cast.a.building in found
    assert not any(node.level_key in picker.UNSEEN for node in found)


def test_nothing_found_says_what_to_do(client: Client, cast: Cast) -> None:
    response = client.get("/r/", {"q": "没有这个小区"})
    assert response.context["found"] == []
    assert "从街道开始一步步选" in response.content.decode()


def test_searching_is_limited(client: Client, cast: Cast) -> None:
    for _time in range(following.SEARCHES_PER_ADDRESS):
        client.get("/r/", {"q": "楼"})
    assert client.get("/r/", {"q": "楼"}).status_code == 429
    assert client.get("/r/").status_code == 200


def test_an_empty_portal_says_so(client: Client, db: None) -> None:
    assert "还没有登记地点" in client.get("/r/").content.decode()
