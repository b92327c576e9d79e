"""The printed codes: what stands in them, for whom, and how many to a page."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from core.qr import svg as draw
from services.views import qr
from tests import factories as make
from tests.cast import Cast

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


def test_a_building_has_a_page_with_its_code(client: Client, cast: Cast, settings: Any) -> None:
    settings.PUBLIC_URL = "https://jingwei.example"
    client.force_login(cast.a.secretary)
    response = client.get(f"/places/{cast.a.building.pk}/qr/")
    page = response.content.decode()
    address = f"https://jingwei.example/r/{cast.a.building.public_token}/"
    assert response.context["code"].address == address
    assert address in page
    modules = draw(address).decode().partition("viewBox")[2]
    assert modules in page, "the code says this very address"
    assert "和谐小区 · 第一网格 · 1 号楼" in page
    assert "2 小时内联系您" in page
    assert "请不要张贴" not in page


def test_two_buildings_have_two_codes(client: Client, cast: Cast) -> None:
    client.force_login(cast.a.secretary)
    response = client.get(f"/places/{cast.a.node.pk}/qr/sheet/")
    codes = response.context["codes"]
    assert [code.place[-1] for code in codes] == ["1 号楼", "2 号楼"]
    assert codes[0].svg != codes[1].svg


def test_a_code_no_telephone_can_open_is_warned_of(client: Client, cast: Cast, settings: Any) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    client.force_login(cast.a.secretary)
    assert "请不要张贴" in client.get(f"/places/{cast.a.building.pk}/qr/").content.decode()


@pytest.mark.parametrize("path", ["qr/", "qr/sheet/"])
def test_strangers_print_nothing(client: Client, cast: Cast, path: str) -> None:
    address = f"/places/{cast.a.building.pk}/{path}"
    assert client.get(address)["Location"].startswith("/accounts/login/")
    for stranger in (cast.b.secretary, cast.b.keeper, cast.a.liaison, cast.a.member_user, cast.nobody, cast.superuser):
        client.force_login(stranger)
        assert client.get(address).status_code == 404, stranger
    for own in (cast.a.keeper, cast.a.building_head, cast.street_officer, cast.department):
        client.force_login(own)
        assert client.get(address).status_code == 200, own


def test_a_street_has_no_code_of_its_own(client: Client, cast: Cast) -> None:
    client.force_login(cast.street_secretary)
    assert client.get(f"/places/{cast.street.pk}/qr/").status_code == 404
    assert len(client.get(f"/places/{cast.street.pk}/qr/sheet/").context["codes"]) == 4


def test_many_buildings_are_printed_in_batches(client: Client, cast: Cast, django_assert_max_num_queries: Any) -> None:
    for number in range(3, qr.PER_PAGE + 4):
        make.make_node(cast.a.grid, "building", f"{number} 号楼")
    client.force_login(cast.a.secretary)
    address = f"/places/{cast.a.node.pk}/qr/sheet/"
    with django_assert_max_num_queries(COUNTS["places.qr_sheet"]):
        first = client.get(address)
    assert len(first.context["codes"]) == qr.PER_PAGE
    assert len(client.get(address, {"page": 2}).context["codes"]) == 3


def test_a_place_without_buildings_says_where_to_register_them(client: Client, cast: Cast) -> None:
    client.force_login(cast.street_secretary)
    page = client.get(f"/places/{cast.empty_community.pk}/qr/sheet/").content.decode()
    assert "还没有登记楼栋" in page
