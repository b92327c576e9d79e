"""The community's part of a demand's life at the desk, on a monitor and on a phone; and the desk without JavaScript."""

import json
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from core.models import User
from grids.models import Appointment
from services.models import Demand, DemandState, Origin, SubOrder
from tests.browser.looking import sign_in, signed_in
from tests.cast import Cast
from tests.factories import PASSWORD
from tests.services.test_loop import do, raised

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCREENS = [(1440, 900), (390, 844)]


def through_the_door(page: Any, live_server: Any, person: User) -> None:
    page.goto(f"{live_server.url}/admin/")
    page.fill("#id_username", person.phone)
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="登录").click()
    signed_in(page)


def faults(page: Any) -> list[str]:
    """What is wrong with the page as it stands: width, and whatever keeps somebody out."""
    page.wait_for_load_state()
    found = []
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    if wide > screen:
        found.append(f"{page.url}: {wide} px wide on a screen of {screen}")
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] in ("serious", "critical"):
            where = [node["target"] for node in violation["nodes"]]
            found.append(f"{page.url}: {violation['id']} {json.dumps(where, ensure_ascii=False)}")
    return found


@pytest.fixture
def quiet(page: Any) -> list[str]:
    """What the browser complains about: blocked scripts and styles, missing files."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    return heard


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_an_officer_takes_a_demand_from_accepting_to_closing(
    page: Any, live_server: Any, transactional_cast: Cast, quiet: list[str], width: int, height: int
) -> None:
    cast = transactional_cast
    demand = raised(cast, contact_name="张三丰", contact_phone="13800001111")
    page.set_viewport_size({"width": width, "height": height})

    through_the_door(page, live_server, cast.a.officer)
    assert not faults(page)
    page.locator(".desk-list").get_by_role("link", name="受理").click()
    assert not faults(page)
    page.get_by_role("button", name="受理", exact=True).click()
    page.get_by_text("“受理”已办好").wait_for()
    assert not faults(page)

    page.get_by_role("link", name="派单", exact=True).click()
    page.get_by_label("牵头单位").select_option(label=cast.a.unit.name)
    page.get_by_label(cast.a.supporting_unit.name, exact=True).check()
    assert not faults(page)
    page.get_by_role("button", name="派单", exact=True).click()
    page.get_by_text("“派单”已办好").wait_for()

    lead = SubOrder.objects.get(unit=cast.a.unit)
    do(cast.a.liaison, lead, "sign")
    do(cast.a.liaison, lead, "report", text="在换。")
    do(cast.a.liaison, lead, "finish", text="换了声控灯。")
    page.goto(f"{live_server.url}/admin/")
    page.locator(".desk-list").get_by_role("link", name="核查通过").click()
    page.get_by_role("button", name="核查通过", exact=True).click()
    page.get_by_text("“核查通过”已办好").wait_for()
    page.get_by_role("link", name="销号", exact=True).click()
    page.get_by_role("button", name="销号", exact=True).click()
    page.get_by_text("“销号”已办好").wait_for()
    assert not faults(page)
    expect(page.locator(".timeline")).to_contain_text("换了声控灯。")

    demand.refresh_from_db()
    assert demand.state == DemandState.CLOSED_OFF
    assert not quiet


def test_an_old_page_is_told_how_things_are(page: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    demand = raised(cast)
    sign_in(page, live_server, cast.a.officer, start="/admin/")
    page.goto(f"{live_server.url}/admin/services/demand/{demand.pk}/move/accept/")
    do(cast.a.secretary, demand, "accept")
    page.get_by_role("button", name="受理", exact=True).click()
    page.get_by_role("heading", name="这件事刚才有了变化").wait_for()
    assert not faults(page)
    page.get_by_role("link", name="查看最新情况").click()
    page.get_by_role("link", name="派单", exact=True).wait_for()


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_a_call_is_registered_with_suggestions_for_the_place(
    page: Any, live_server: Any, transactional_cast: Cast, quiet: list[str], width: int, height: int
) -> None:
    cast = transactional_cast
    page.set_viewport_size({"width": width, "height": height})
    sign_in(page, live_server, cast.a.officer, start="/admin/")
    form = page.locator("form.form--tight")
    form.get_by_label("地点").press_sequentially("2 号楼")
    page.wait_for_selector(f'datalist option[value="{cast.a.other_building.path}"]', state="attached")
    form.get_by_label("地点").fill(cast.a.other_building.path)
    form.get_by_label("类别").select_option(label=cast.category.name)
    form.get_by_label("反映的事").fill("二楼漏水，滴到电表上。")
    form.get_by_label("联系电话").fill("13800001111")
    form.get_by_role("button", name="登记").click()
    page.get_by_text("已登记，等待受理。").wait_for()
    demand = Demand.objects.get()
    assert (demand.node, demand.origin) == (cast.a.other_building, Origin.PHONE)
    expect(page.locator("main")).not_to_contain_text("13800001111")
    assert not faults(page)
    assert not quiet


def test_several_are_accepted_at_once(page: Any, live_server: Any, transactional_cast: Cast, quiet: list[str]) -> None:
    cast = transactional_cast
    demands = [raised(cast, text=f"第 {number} 件事。") for number in range(3)]
    sign_in(page, live_server, cast.a.officer, start="/admin/")
    page.goto(f"{live_server.url}/admin/services/demand/")
    assert not faults(page)
    expect(page.locator(".bulk")).to_be_hidden()
    page.get_by_label("全选本页").check()
    expect(page.locator(".bulk__count")).to_have_text("已选 3 条")
    page.get_by_role("button", name="受理所选").click()
    assert not faults(page)
    page.get_by_role("button", name="受理 3 条").click()
    page.get_by_text("受理 3 条，已办好").wait_for()
    assert {one.state for one in Demand.objects.filter(pk__in=[demand.pk for demand in demands])} == {"accepted"}
    assert not quiet


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_an_administrators_pages_let_everybody_in(
    page: Any, live_server: Any, transactional_cast: Cast, quiet: list[str], width: int, height: int
) -> None:
    cast = transactional_cast
    held = Appointment.objects.get(user=cast.a.officer)
    page.set_viewport_size({"width": width, "height": height})
    sign_in(page, live_server, cast.admin, start="/admin/")
    paths = [
        "/admin/",
        "/admin/core/user/",
        "/admin/core/user/add/",
        "/admin/core/user/import/",
        f"/admin/core/user/{cast.a.officer.pk}/change/",
        "/admin/grids/gridnode/",
        "/admin/grids/gridnode/add/",
        f"/admin/grids/gridnode/{cast.a.node.pk}/change/",
        f"/admin/grids/appointment/{held.pk}/do/end/",
        "/admin/services/category/",
        f"/admin/services/loopsettings/{cast.settings.pk}/do/edit/",
        "/admin/core/calendarday/",
        "/admin/partybuilding/member/",
        "/admin/find/?q=楼",
    ]
    found = []
    for path in paths:
        page.goto(live_server.url + path)
        found += faults(page)
    assert found == []
    assert not quiet


def test_the_desk_works_without_javascript(browser: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    raised(cast)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    through_the_door(page, live_server, cast.a.officer)
    expect(page.locator(".side")).to_be_hidden()
    page.locator(".admin-top__menu").click()
    expect(page.locator(".side")).to_be_visible()
    page.locator(".side").get_by_role("link", name="需求", exact=True).click()
    page.get_by_text("筛选条件").click()
    page.get_by_label("状态", exact=True).select_option(label="待受理")
    page.get_by_role("button", name="查找", exact=True).last.click()
    page.locator("#result_list .field-matter a").first.click()
    page.get_by_role("link", name="受理", exact=True).click()
    page.get_by_role("button", name="受理", exact=True).click()
    page.get_by_text("“受理”已办好").wait_for()
    page.goto(f"{live_server.url}/admin/services/demand/add/")
    page.get_by_label("地点").fill("1 号楼")
    page.get_by_label("类别").select_option(index=1)
    page.get_by_label("反映的事").fill("漏水。")
    page.get_by_role("button", name="登记来电").click()
    page.get_by_text("请从下面选一个").first.wait_for()
    page.get_by_label(cast.a.building.path, exact=True).check()
    page.get_by_role("button", name="登记来电").click()
    page.get_by_text("已登记，等待受理。").wait_for()
    assert Demand.objects.get(origin=Origin.PHONE).node == cast.a.building
    context.close()
