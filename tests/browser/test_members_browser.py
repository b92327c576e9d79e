"""A member's minute on the phone, and the community's answer."""

from typing import Any

import pytest
from playwright.sync_api import expect

from services.models import MemberCheckIn, ServiceRecord
from tests.browser.looking import PHONE, enlarge, faults, sign_in
from tests.cast import Cast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_member_reports_serves_and_is_confirmed_on_phones(
    page: Any, browser: Any, live_server: Any, transactional_cast: Cast
) -> None:
    cast = transactional_cast
    page.set_viewport_size(PHONE)
    sign_in(page, live_server, cast.a.member_user)
    page.get_by_role("link", name="党员报到").click()
    page.get_by_label("小区名称").fill("白龙塘 和谐")
    page.get_by_role("button", name="查找").click()
    assert not faults(page)
    page.get_by_role("link", name="和谐小区").click()
    page.get_by_text("水电维修").click()
    page.get_by_text("周末下午").click()
    assert not faults(page)
    page.get_by_role("button", name="报到", exact=True).click()
    expect(page.get_by_text("已送到社区")).to_be_visible()
    assert not faults(page)
    desk = browser.new_context(viewport=PHONE, locale="zh-CN", timezone_id="Asia/Shanghai").new_page()
    sign_in(desk, live_server, cast.a.officer)
    desk.goto(f"{live_server.url}/m/members/")
    assert not faults(desk)
    desk.get_by_role("button", name="接收", exact=True).click()
    expect(desk.get_by_text("已接收 1 项")).to_be_visible()
    enlarge(page, live_server)
    page.goto(f"{live_server.url}/m/checkin/")
    page.get_by_role("link", name="记一次服务").click()
    page.get_by_label("大约几个小时").fill("1.5")
    page.get_by_label("做了什么").fill("清理楼道")
    assert not faults(page)
    page.get_by_role("button", name="记下来").click()
    expect(page.get_by_role("heading", name="清理楼道")).to_be_visible()
    desk.goto(f"{live_server.url}/m/members/")
    desk.get_by_role("button", name="确认", exact=True).click()
    expect(desk.get_by_text("已确认 1 项")).to_be_visible()
    desk.context.close()
    row = MemberCheckIn.objects.get()
    assert (row.state, row.skills, row.free_time) == ("accepted", ["repair"], ["weekend_afternoon"])
    assert ServiceRecord.objects.get().state == "confirmed"
