"""The unit's part of a demand's life on a phone: signed, assigned, taken, reported with a picture, finished."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.models import Demand, DemandState, SubOrderState
from tests.browser.looking import PHONE, enlarge, faults, faults_at_every_width, sign_in, through_the_door, until
from tests.cast import Cast
from tests.services.test_loop import checked, dispatched, do, raised
from tests.services.test_resident import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "西乡县城市管理执法局市政设施维护与老旧小区改造联合服务中心驻永乐街道新城社区第三网格党员志愿服务队暨物业纠纷调解工作站"


@pytest.fixture
def snapshot(tmp_path: Path) -> str:
    file = tmp_path / "现场.jpg"
    Image.new("RGB", (1600, 1200), "navy").save(file)
    return str(file)


def switch_to(page: Any, live_server: Any, person: Any) -> None:
    page.context.clear_cookies()
    sign_in(page, live_server, person)


def test_a_unit_serves_a_demand_from_the_phone(
    page: Any, live_server: Any, transactional_cast: Cast, snapshot: str
) -> None:
    cast = transactional_cast
    demand, suborder = dispatched(cast)
    page.set_viewport_size(PHONE)

    through_the_door(page, live_server, cast.a.liaison)
    assert not faults(page)
    page.get_by_role("link", name="签收", exact=True).click()
    page.get_by_label("已与群众取得联系").check()
    assert not faults(page)
    page.get_by_role("button", name="签收").click()
    page.get_by_text("“签收”已办好。").wait_for()
    assert not faults(page)
    page.get_by_role("link", name="安排人员").click()
    page.get_by_label("党员甲", exact=True).check()
    assert not faults(page)
    page.get_by_role("button", name="安排人员").click()
    page.get_by_text("“安排人员”已办好。").wait_for()

    switch_to(page, live_server, cast.a.member_user)
    page.get_by_role("link", name="接受", exact=True).click()
    page.get_by_role("button", name="接受").click()
    page.get_by_text("“接受”已办好。").wait_for()
    page.get_by_role("link", name="反馈进展").click()
    page.get_by_label("进展").fill("阀门已换，明天回看。")
    page.get_by_label("照片").set_input_files(snapshot)
    page.locator(".preview img").wait_for()
    assert not faults(page)
    page.get_by_role("button", name="反馈进展").click()
    page.get_by_text("“反馈进展”已办好。").wait_for()
    shown = page.locator(".timeline .pictures img").first
    shown.scroll_into_view_if_needed()
    until(page, "document.querySelector('.timeline .pictures img').naturalWidth > 0")
    assert not faults(page)

    switch_to(page, live_server, cast.a.liaison)
    page.get_by_role("link", name="办结", exact=True).click()
    page.get_by_label("办理结果").fill("更换阀门一个，水已止住。")
    page.get_by_role("button", name="办结").click()
    page.get_by_text("“办结”已办好。").wait_for()
    suborder.refresh_from_db()
    demand.refresh_from_db()
    assert (suborder.state, demand.state) == (SubOrderState.FINISHED, DemandState.FINISHED)
    assert suborder.contacted_at is not None
    assert demand.photos.count() == 1


def test_a_keeper_reports_with_a_picture_and_a_draft_outlives_a_lost_page(
    page: Any, live_server: Any, transactional_cast: Cast, snapshot: str
) -> None:
    cast = transactional_cast
    page.set_viewport_size(PHONE)
    sign_in(page, live_server, cast.a.keeper)
    page.get_by_role("link", name="上报", exact=True).click()
    assert not faults(page)
    page.locator("label.category", has_text="环境卫生").click()
    page.get_by_label("说说情况").fill("一楼大件垃圾堵住通道。")
    page.get_by_label("联系电话").fill("13912345678")
    until(page, "localStorage.getItem('jingwei.draft.report')?.includes('大件垃圾')")
    page.reload()
    assert page.get_by_label("说说情况").input_value() == "一楼大件垃圾堵住通道。"
    assert page.get_by_label("联系电话").input_value() == "", "a telephone number is not left on a phone"
    page.get_by_label("照片").set_input_files(snapshot)
    page.get_by_role("button", name="上报").click()
    page.get_by_text("已上报，编号").wait_for()
    assert page.evaluate("localStorage.getItem('jingwei.draft.report')") is None
    demand = Demand.objects.get()
    assert (demand.category.name, demand.node, demand.photos.count()) == ("环境卫生", cast.a.grid, 1)


def test_the_second_liaison_reads_who_has_it(page: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    do(cast.a.officer, demand, "publish")
    page.set_viewport_size(PHONE)
    sign_in(page, live_server, cast.a.supporting_liaison)
    page.get_by_role("link", name="清单", exact=True).click()
    page.get_by_role("link", name="认领", exact=True).click()
    do(cast.a.liaison, demand, "claim")
    page.get_by_role("button", name="认领").click()
    page.get_by_text("已由“县住建局”承办").wait_for()
    assert not faults(page)
    page.get_by_role("link", name="查看最新情况").click()
    page.get_by_text("办理中").wait_for()


@pytest.mark.parametrize("large", [False, True])
def test_pages_fit_every_phone(page: Any, live_server: Any, transactional_cast: Cast, large: bool) -> None:
    cast = transactional_cast
    first = raised(cast, text=LONG, contact_name="张三丰", contact_phone="13912345678", photos=[picture(), picture()])
    do(cast.a.officer, first, "accept")
    do(cast.a.officer, first, "dispatch", unit=cast.a.unit, supporting=[cast.a.supporting_unit], note=LONG)
    suborder = first.suborders.get(unit=cast.a.unit)
    do(cast.a.liaison, suborder, "sign")
    checked_one = raised(cast, text="第二件事")
    own = f"/m/demands/{first.code}/"
    pages = {
        cast.a.liaison: [
            "/m/",
            own,
            f"{own}assign/",
            f"{own}report/",
            f"{own}contact/",
            "/m/lists/?list=unit",
            "/m/me/",
        ],
        cast.a.officer: ["/m/", f"/m/demands/{checked_one.code}/accept/", "/m/report/place/", "/m/report/"],
        cast.a.keeper: ["/m/", "/m/lists/", f"/places/{cast.a.building.pk}/qr/", f"/places/{cast.a.grid.pk}/qr/sheet/"],
        cast.b.member_user: ["/m/", "/m/lists/", "/m/report/", "/m/demands/20260101-000000/"],
    }
    found = []
    for person, paths in pages.items():
        switch_to(page, live_server, person)
        if large:
            enlarge(page, live_server)
        for path in paths:
            page.goto(live_server.url + path)
            found += faults_at_every_width(page)
    assert not found


def test_the_loop_goes_without_javascript(browser: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    demand = checked(cast)
    context = browser.new_context(java_script_enabled=False, viewport=PHONE, locale="zh-CN")
    page = context.new_page()
    through_the_door(page, live_server, cast.a.secretary)
    page.get_by_role("link", name="销号", exact=True).click()
    page.get_by_role("button", name="销号").click()
    page.get_by_text("“销号”已办好。").wait_for()
    context.close()
    demand.refresh_from_db()
    assert demand.state == DemandState.CLOSED_OFF
