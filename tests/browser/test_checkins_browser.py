"""A unit reports from the liaison's phone, the community takes it in at the desk, and the receipt is there."""

from typing import Any

import pytest
from playwright.sync_api import expect

from services.models import UnitCheckIn
from tests.browser.looking import PHONE, enlarge, faults, sign_in
from tests.browser.test_admin_loop import faults as desk_faults
from tests.browser.test_phone_loop import LONG
from tests.cast import Cast
from tests.services.test_checkin_applications import applied

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_unit_reports_from_the_phone_and_is_taken_in(page: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    page.set_viewport_size(PHONE)
    sign_in(page, live_server, cast.idle_liaison)
    page.get_by_role("link", name="我的", exact=True).click()
    page.get_by_role("link", name="我的报到").click()
    expect(page.get_by_role("heading", name="单位还没有报到")).to_be_visible()
    page.get_by_role("link", name="申请报到").click()
    page.get_by_role("link", name="白龙塘社区").click()
    expect(page.get_by_role("heading", name="只到其中一处")).to_be_visible()
    assert not faults(page)
    page.get_by_role("link", name="向白龙塘社区报到").click()
    page.get_by_text("牵头单位", exact=True).click()
    page.get_by_label("带来的资源和服务").fill("气象科普 4 场")
    page.get_by_label("共建年限").select_option("3 年")
    assert not faults(page)
    page.get_by_role("button", name="申请报到").click()
    expect(page.get_by_text("待接收")).to_be_visible()
    assert not faults(page)
    page.context.clear_cookies()
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, live_server, cast.a.officer)
    page.goto(f"{live_server.url}/admin/services/checkinapplication/")
    page.get_by_role("link", name="县气象局").click()
    page.get_by_role("link", name="接收报到").click()
    assert not desk_faults(page)
    page.get_by_role("button", name="接收报到").click()
    expect(page.get_by_text("已接收", exact=True)).to_be_visible()
    made = UnitCheckIn.objects.get(unit=cast.idle_unit)
    page.get_by_role("link", name=made.number).click()
    expect(page.get_by_role("heading", name="县气象局 → 白龙塘社区")).to_be_visible()
    assert not desk_faults(page)
    page.get_by_role("link", name="打印回执").click()
    expect(page.get_by_role("heading", name="单位报到回执")).to_be_visible()
    expect(page.get_by_text(made.number)).to_be_visible()
    assert not desk_faults(page)


def test_long_words_and_large_letters_fit_the_phone(page: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    row = applied(cast, brings=LONG * 5)
    UnitCheckIn.objects.filter(unit=cast.a.unit).update(brings=LONG * 5, unit_liaison=cast.a.liaison)
    held = UnitCheckIn.objects.get(unit=cast.a.unit)
    cast.idle_unit.name = LONG[:30]
    cast.idle_unit.save()
    page.set_viewport_size({"width": 320, "height": PHONE["height"]})
    sign_in(page, live_server, cast.a.officer)
    enlarge(page, live_server)
    for path in (
        "/m/checkins/waiting/",
        f"/m/checkins/applications/{row.pk}/",
        f"/m/checkins/applications/{row.pk}/accept/",
        f"/m/checkins/{held.pk}/",
        f"/checkins/{held.pk}/receipt/",
    ):
        page.goto(f"{live_server.url}{path}")
        assert not faults(page), path
