"""The care ledger on a keeper's phone: registered, visited, confirmed, called; nothing of it left behind on the phone."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from grids.models import CareHousehold, CareVisit
from tests import factories as make
from tests.browser.looking import PHONE, enlarge, faults, faults_at_every_width, sign_in
from tests.cast import Cast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAME, NUMBER = "欧阳惠莲", "13987651234"
LONG_ROOM = "和谐小区二期东区十七号楼三单元二十八层二八零一室（请走北门）"


def kept(page: Any) -> str:
    """Everything the phone remembers."""
    return str(page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"))


def test_a_keeper_looks_after_a_household(page: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    page.set_viewport_size(PHONE)
    sign_in(page, live_server, cast.a.keeper)
    page.goto(f"{live_server.url}/m/me/")
    page.get_by_role("link", name="关爱走访").click()
    expect(page.get_by_text("还没有登记家庭")).to_be_visible()
    assert not faults(page)

    page.get_by_role("link", name="登记家庭").click()
    page.get_by_label("地点").select_option(label="　1 号楼")
    page.get_by_label("门牌").fill("502室")
    page.get_by_label("联系人").fill(NAME)
    page.get_by_label("联系电话").fill(NUMBER)
    page.get_by_label("残疾人").check()
    page.get_by_label("本人当面口头同意").check()
    page.get_by_role("button", name="登记家庭").click()
    expect(page.get_by_text("有误：登记残疾、儿童方面的需要")).to_be_visible()
    assert not faults(page)
    page.get_by_label("本人书面同意").check()
    page.get_by_role("button", name="登记家庭").click()
    expect(page.get_by_text("已登记。")).to_be_visible()
    expect(page.get_by_text("502室 · 欧*惠莲")).to_be_visible()
    assert not faults(page)

    page.get_by_role("link", name="记录走访").click()
    page.get_by_label("情况").fill("要人帮忙取药")
    page.get_by_label("一并核实").check()
    page.get_by_role("button", name="记录走访").click()
    expect(page.get_by_text("走访已记录。")).to_be_visible()
    assert CareVisit.objects.get().text == "要人帮忙取药"

    page.get_by_role("link", name="查看联系方式").click()
    page.get_by_label("电话问候").check()
    page.get_by_role("button", name="查看联系方式").click()
    expect(page.get_by_role("link", name="拨打电话")).to_have_attribute("href", f"tel:{NUMBER}")
    assert not faults(page)
    for word in (NAME, NUMBER, "取药"):
        assert word not in kept(page)

    page.goto(f"{live_server.url}/m/care/")
    expect(page.get_by_text("都办完了")).to_be_visible()
    expect(page.get_by_text("已核实 1 / 1 户")).to_be_visible()


@pytest.mark.parametrize("large", [False, True])
def test_pages_fit_every_phone(page: Any, live_server: Any, transactional_cast: Cast, large: bool) -> None:
    cast = transactional_cast
    needs = ("elderly_alone", "disability", "low_income", "veteran_family")
    one = make.make_household(cast.a.building, needs, name="买买提·吐尔逊", room=LONG_ROOM, days_ago=120)
    CareVisit.objects.create(household=one, visited_on=timezone.localdate(), visited_by=cast.a.keeper, text="好" * 300)
    gone = make.make_household(cast.a.building, days_ago=370)
    sign_in(page, live_server, cast.a.officer)
    if large:
        enlarge(page, live_server)
    paths = ["/m/", "/m/care/", "/m/care/?all=1", "/m/care/add/", f"/m/care/{one.pk}/", f"/m/care/{gone.pk}/"]
    paths += [f"/m/care/{one.pk}/{name}/" for name in ("visit", "confirm", "correct", "move", "reveal", "erase")]
    found = []
    for path in paths:
        page.goto(live_server.url + path)
        found += faults_at_every_width(page)
    assert not found


def test_the_round_goes_without_javascript(browser: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    one = make.make_household(cast.a.building, days_ago=370)
    context = browser.new_context(java_script_enabled=False, viewport=PHONE, locale="zh-CN")
    page = context.new_page()
    sign_in(page, live_server, cast.a.keeper)
    page.get_by_role("link", name="关爱走访").click()
    page.get_by_role("link", name="核实", exact=True).click()
    page.get_by_role("button", name="核实").click()
    expect(page.get_by_text("有误：请当面问过再勾选")).to_be_visible()
    page.get_by_label("已当面核实").check()
    page.get_by_role("button", name="核实").click()
    expect(page.get_by_text("已核实。")).to_be_visible()
    context.close()
    one.refresh_from_db()
    assert one.confirmed_on == timezone.localdate()


def test_the_community_brings_its_ledger_in_and_erases_at_the_desk(
    page: Any, live_server: Any, transactional_cast: Cast, tmp_path: Any
) -> None:
    cast = transactional_cast
    today = timezone.localdate()
    file = tmp_path / "台账.csv"
    lines = [
        "社区,小区,楼栋,门牌,联系人,电话,关爱类别,同意方式,同意日期",
        f"白龙塘社区,和谐小区,1 号楼,502室,{NAME},{NUMBER},独居老人,口头,{today}",
    ]
    file.write_text("\n".join(lines), encoding="gb18030")
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, live_server, cast.a.officer)
    page.goto(f"{live_server.url}/admin/grids/carehousehold/")
    page.get_by_role("link", name="导入").click()
    page.get_by_label("表格文件").set_input_files(str(file))
    page.get_by_role("button", name="上传并核对").click()
    expect(page.get_by_role("heading", name="核对要导入的关爱台账")).to_be_visible()
    assert NAME not in page.content()
    one = make.make_household(cast.a.building, name=NAME, room="503室")
    page.goto(f"{live_server.url}/admin/grids/carehousehold/{one.pk}/change/")
    page.get_by_role("link", name="删除").click()
    page.get_by_label("本人或监护人要求删除").check()
    page.get_by_role("button", name="删除").click()
    expect(page.get_by_text("系统里不再有这户的任何内容")).to_be_visible()
    assert not CareHousehold.objects.exists()
