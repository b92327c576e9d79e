"""The dashboard in a browser: charts draw under the strict policy, tables stand without scripts, nobody is kept out."""

import datetime
import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from core.models import User
from services.actions import tallies
from services.models import Demand, Supervision
from tests import factories as make
from tests.browser.looking import faults, sign_in, until
from tests.cast import Cast
from tests.services.test_loop import dispatched

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def county(transactional_cast: Cast) -> Cast:
    """Two quarters of matters in three communities; one demand of 白龙塘 has been late since yesterday."""
    cast = transactional_cast
    now = timezone.now()
    units = [cast.a.unit, cast.a.supporting_unit, cast.b.unit]
    for number in range(120):
        node = (cast.a.building, cast.b.building, cast.other_street_community)[number % 3]
        done = number % 5 > 0
        make.make_demand(
            node,
            cast.categories[("环境卫生", "水电气暖", "其他")[number % 3]],
            registered_at=now - datetime.timedelta(days=number * 1.4),
            state="closed_off" if done else "registered",
            lead_unit=units[number % 3] if done else None,
            finished_at=now if done else None,
            due_at=now if done else None,
            solved=number % 7 > 0 if done else None,
            satisfaction="satisfied" if done else "",
        )
    demand, _suborder = dispatched(cast)
    Demand.objects.filter(pk=demand.pk).update(
        due_at=now - datetime.timedelta(days=1), title="门前下水道堵了一周，污水漫到楼道里"
    )
    tallies.rebuild_tallies(cast.county)
    return cast


def open_as(page: Any, live_server: Any, person: User, path: str) -> list[str]:
    """Opens a page as somebody who is signed in. Returns what the browser complains of, as it comes."""
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, live_server, person, start=path)
    return complaints


DRAWN = "[...document.querySelectorAll('[data-chart]')].filter((box) => box.querySelector('canvas')).length"


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])
def test_the_department_walks_from_the_county_to_the_row_and_supervises_it(
    page: Any, live_server: Any, county: Cast, screen: dict[str, int]
) -> None:
    page.set_viewport_size(screen)
    complaints = open_as(page, live_server, county.department, "/dashboard/")
    until(page, f"{DRAWN} === 4")
    assert page.locator("details[open]").count() == 0, "the tables wait behind their charts"
    assert not faults(page)

    page.get_by_role("row", name="城北街道").get_by_role("link", name="城北街道").click()
    page.get_by_role("row", name="白龙塘社区").get_by_role("link", name="白龙塘社区").click()
    expect(page.locator("h1")).to_contain_text("白龙塘社区")
    until(page, f"{DRAWN} === 3")
    assert not faults(page)

    page.get_by_role("link", name="已超期").first.click()
    expect(page.get_by_text("共 1 件")).to_be_visible()
    assert not faults(page)
    page.get_by_role("link", name="督办 门前下水道").click()
    expect(page.get_by_label("督办要求")).to_be_visible()
    assert not faults(page)
    page.get_by_label("督办要求").fill("居民多次来电，请今日到场。")
    page.get_by_role("button", name="督办").click()
    page.get_by_text("请县住建局于").wait_for()
    assert Supervision.objects.get().text == "居民多次来电，请今日到场。"

    page.get_by_role("link", name="督办", exact=True).click()
    expect(page.get_by_text("居民多次来电，请今日到场。")).to_be_visible()
    assert not faults(page)
    assert complaints == []


def test_a_community_sees_its_own_figures_and_no_way_up(page: Any, live_server: Any, county: Cast) -> None:
    page.set_viewport_size(DESK)
    complaints = open_as(page, live_server, county.a.secretary, "/dashboard/")
    until(page, f"{DRAWN} === 3")
    expect(page.locator(".place a")).to_have_count(0)
    expect(page.get_by_role("link", name="城北社区")).to_have_count(0)
    assert not faults(page)
    assert complaints == []


def test_choosing_a_period_goes_there_at_once(page: Any, live_server: Any, county: Cast) -> None:
    page.set_viewport_size(DESK)
    open_as(page, live_server, county.department, "/dashboard/")
    expect(page.get_by_role("button", name="查看")).to_be_hidden()
    before = page.locator("#period option").nth(1)
    label, code = before.inner_text(), before.get_attribute("value")
    page.select_option("#period", code)
    page.wait_for_url(f"**?period={code}")
    expect(page.locator("h1")).to_contain_text(label)


def test_a_tile_and_a_bar_lead_where_they_say(page: Any, live_server: Any, county: Cast) -> None:
    page.set_viewport_size(DESK)
    open_as(page, live_server, county.department, "/dashboard/")
    until(page, f"{DRAWN} === 4")
    page.locator("[data-chart=map] canvas").click(position={"x": 60, "y": 200})
    page.wait_for_url(f"**/dashboard/{county.county.code}*/**")
    expect(page.locator("h1")).to_contain_text(re.compile("白龙塘|城北|城南|南门"))
    page.go_back()
    until(page, f"{DRAWN} === 4")
    page.locator("[data-chart=mix] canvas").click(position={"x": 100, "y": 70})
    page.wait_for_url("**/dashboard/rows/**category=**")


def test_without_scripts_every_figure_is_there(browser: Any, live_server: Any, county: Cast) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    open_as(page, live_server, county.department, "/dashboard/")
    expect(page.get_by_role("table", name="各月登记、办结和三率")).to_be_visible()
    expect(page.get_by_role("table", name="各类别登记和办结")).to_be_visible()
    expect(page.get_by_role("table", name="各街道情况")).to_be_visible()
    assert page.get_by_text("三率趋势").count() == 0 or not page.get_by_text("三率趋势").first.is_visible()
    page.get_by_role("link", name="上一期").click()
    page.select_option("#period", index=0)
    page.get_by_role("button", name="查看").click()
    page.wait_for_url("**?period=*")
    page.get_by_role("link", name="已超期").first.click()
    page.get_by_role("link", name="督办 门前下水道").click()
    page.get_by_label("督办要求").fill("请办。")
    page.get_by_role("button", name="督办").click()
    page.get_by_text("请县住建局于").wait_for()
    assert Supervision.objects.count() == 1
    context.close()


def test_on_paper_the_charts_keep_inside_the_sheet(page: Any, live_server: Any, county: Cast) -> None:
    page.set_viewport_size(DESK)
    open_as(page, live_server, county.department, "/dashboard/")
    until(page, f"{DRAWN} === 4")
    page.set_viewport_size({"width": 680, "height": 960})  # A4 within its margins
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    wider = page.evaluate(
        "[...document.querySelectorAll('canvas')].filter((one) => one.offsetWidth > one.closest('.chart').offsetWidth).length"
    )
    assert wider == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    expect(page.locator(".picker")).to_be_hidden()
