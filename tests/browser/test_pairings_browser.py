"""A paired place in a unit's pocket: visited, a problem found and solved; and the gaps at the desk."""

from typing import Any

import pytest
from playwright.sync_api import expect

from partybuilding.models import PairingProblem, PairingVisit
from tests import factories as make
from tests.browser.looking import PHONE, enlarge, faults, faults_at_every_width, sign_in
from tests.browser.test_admin_loop import faults as desk_faults
from tests.browser.test_phone_loop import LONG
from tests.cast import Cast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_unit_visits_its_place_from_the_phone(page: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    make.make_pairing(cast.a.compound, cast.a.unit, duty="牵头整治停车和充电")
    page.set_viewport_size(PHONE)
    sign_in(page, live_server, cast.a.liaison)
    page.get_by_role("link", name="我的", exact=True).click()
    page.get_by_role("link", name="我的包联").click()
    expect(page.get_by_role("heading", name="和谐小区")).to_be_visible()
    assert not faults(page)
    page.get_by_role("link", name="记录走访").click()
    page.get_by_label("做了什么").fill("看了车棚和消防通道")
    page.get_by_label("发现的问题").fill("车棚漏雨")
    assert not faults(page)
    page.get_by_role("button", name="记录走访").click()
    expect(page.get_by_text("已记录走访。")).to_be_visible()
    expect(page.get_by_role("heading", name="车棚漏雨")).to_be_visible()
    assert not faults(page)
    page.get_by_role("link", name="登记解决").click()
    page.get_by_label("解决情况").fill("更换顶棚")
    assert not faults(page)
    page.get_by_role("button", name="登记解决").click()
    expect(page.get_by_text("车棚漏雨 → 更换顶棚")).to_be_visible()
    assert PairingVisit.objects.get().problems.get().is_solved
    # Back and in again: nothing is sent twice.
    page.go_back()
    page.go_forward()
    assert (PairingVisit.objects.count(), PairingProblem.objects.count()) == (1, 1)


def test_long_words_and_large_letters_fit_the_phone(page: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    cast.a.unit.short_name = LONG[:20]
    cast.a.unit.save()
    node = make.make_node(cast.a.node, "compound", LONG)
    row = make.make_pairing(node, cast.a.unit, duty=LONG * 3)
    make.make_problem(row, LONG * 4, visit=make.make_visit(row, LONG * 6))
    sign_in(page, live_server, cast.a.liaison)
    for large in (False, True):
        if large:
            enlarge(page, live_server)
        for path in ("/m/pairings/", f"/m/pairings/{row.pk}/", f"/m/pairings/{row.pk}/visit/"):
            page.goto(f"{live_server.url}{path}")
            assert not faults_at_every_width(page), (large, path)


def test_a_gap_is_found_and_filled_at_the_desk(page: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    make.make_pairing(cast.b.building, cast.b.building_head)
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, live_server, cast.street_officer)
    page.goto(f"{live_server.url}/admin/partybuilding/pairing/gaps/")
    assert not desk_faults(page)
    row = page.get_by_role("row").filter(has_text="白龙塘社区")
    row.get_by_role("link", name="缺 2／2").click()
    expect(page.get_by_role("heading", name="没有干部包联的楼栋（2 处）")).to_be_visible()
    page.get_by_role("link", name="登记", exact=True).first.click()
    page.get_by_label("姓名").fill("楼栋长甲")
    assert not desk_faults(page)
    page.get_by_role("button", name="登记包联").click()
    expect(page.get_by_role("heading", name="楼栋长甲 → 1 号楼")).to_be_visible()
    page.goto(f"{live_server.url}/admin/partybuilding/pairing/gaps/")
    row = page.get_by_role("row").filter(has_text="白龙塘社区")
    expect(row.get_by_role("link", name="缺 1／2")).to_be_visible()
    page.set_viewport_size(PHONE)
    assert not desk_faults(page)
