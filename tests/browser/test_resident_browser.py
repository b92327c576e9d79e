"""A resident before the building's door: scan, order, keep the code, follow, evaluate; also without JavaScript."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.models import Demand, Evaluation
from tests.browser.looking import PHONE, enlarge, faults, faults_at_every_width, until
from tests.cast import Cast
from tests.services.test_loop import checked, do, raised
from tests.services.test_resident import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def finish(cast: Cast, demand: Demand) -> None:
    """Everything the offices do with it."""
    do(cast.a.officer, demand, "accept")
    do(cast.a.officer, demand, "dispatch", unit=cast.a.unit)
    suborder = demand.suborders.get()
    do(cast.a.liaison, suborder, "sign")
    do(cast.a.liaison, suborder, "report", text="到了现场")
    do(cast.a.liaison, suborder, "finish", text="更换阀门一个，水已止住。", photos=[picture()])
    do(cast.a.officer, demand, "check")


def test_a_resident_orders_follows_and_evaluates(
    page: Any, live_server: Any, transactional_cast: Cast, tmp_path: Path
) -> None:
    cast = transactional_cast
    file = tmp_path / "现场.jpg"
    Image.new("RGB", (1600, 1200), "navy").save(file)
    page.set_viewport_size(PHONE)
    page.goto(f"{live_server.url}/r/{cast.a.building.public_token}/")
    assert not faults(page)
    page.locator("label.category", has_text="水电气暖").click()
    page.get_by_label("说说情况").fill("三单元一楼水管漏水，已经两天。")
    page.get_by_label("照片").set_input_files(str(file))
    page.locator(".preview img").wait_for()
    page.get_by_label("联系电话").fill("139 1234 5678")
    page.get_by_role("button", name="提交").click()

    page.get_by_text("已经登记，请记下查询码").wait_for()
    demand = Demand.objects.get()
    assert demand.contact_phone == "13912345678"
    digits = page.locator(".code__digits").inner_text()
    assert "".join(digits.split()) == demand.follow_code
    until(page, "document.getElementById('code-picture').src.startsWith('data:image/png')")
    assert page.get_by_role("link", name="保存图片").get_attribute("href").startswith("data:image/png")
    assert page.locator("#code-picture").evaluate("(one) => one.naturalWidth") == 1200
    assert not faults(page)

    page.go_back()
    page.go_forward()
    assert Demand.objects.count() == 1, "the back button sends nothing again"

    page.get_by_role("link", name="看进度").click()
    page.get_by_text("等社区受理").wait_for()
    assert not faults(page)
    finish(cast, demand)
    page.reload()
    page.get_by_text("水已止住").wait_for()
    assert not faults(page)
    page.get_by_label("已解决").check()
    page.get_by_label("满意", exact=True).check()
    page.get_by_role("button", name="提交评价").click()
    page.get_by_text("谢谢您的评价").wait_for()
    evaluation = Evaluation.objects.get()
    assert (evaluation.solved, evaluation.satisfaction) == (True, "satisfied")


def test_a_resident_orders_without_javascript(browser: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    context = browser.new_context(java_script_enabled=False, viewport=PHONE, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{live_server.url}/r/")
    for name in ("城北街道", "白龙塘社区", "和谐小区", "1 号楼"):
        page.get_by_role("link", name=name).first.click()
    page.locator("label.category", has_text="其他").click()
    page.get_by_label("说说情况").fill("路灯不亮")
    page.get_by_role("button", name="提交").click()
    page.get_by_text("已经登记，请记下查询码").wait_for()
    picture_width = page.locator("#code-picture").bounding_box()["width"]
    assert picture_width > 300, "the drawing is there without JavaScript too"
    context.close()
    assert Demand.objects.get().node == cast.a.building


def test_what_was_typed_survives_a_lost_page(page: Any, live_server: Any, transactional_cast: Cast) -> None:
    page.set_viewport_size(PHONE)
    address = f"{live_server.url}/r/{transactional_cast.a.building.public_token}/"
    page.goto(address)
    page.get_by_label("说说情况").fill("水管漏水")
    until(page, "Object.keys(localStorage).some((key) => key.includes('draft.order-'))")
    page.goto(f"{live_server.url}/r/")
    page.goto(address)
    assert page.get_by_label("说说情况").input_value() == "水管漏水"


@pytest.mark.parametrize("large", [False, True])
def test_pages_fit_every_phone(page: Any, live_server: Any, transactional_cast: Cast, large: bool) -> None:
    cast = transactional_cast
    text = "三单元一楼水管漏水，" * 20 + "https://example.com/" + "a" * 200
    open_one = raised(cast, text=text, contact_phone="13912345678", photos=[picture(), picture(), picture()])
    refused = raised(cast)
    do(cast.a.officer, refused, "decline", reason=text)
    done = checked(cast)
    closed = do(cast.a.secretary, checked_other(cast), "close_off")
    token = cast.a.building.public_token
    if large:
        enlarge(page, live_server)
    found = []
    for path in (
        "/r/",
        "/r/?q=楼",
        "/r/?q=没有这个地方",
        f"/r/in/{cast.street.public_token}/",
        f"/r/{token}/",
        "/r/follow/",
        f"/r/follow/{open_one.follow_code}/card/",
        f"/r/follow/{open_one.follow_code}/",
        f"/r/follow/{open_one.follow_code}/withdraw/",
        f"/r/follow/{refused.follow_code}/",
        f"/r/follow/{done.follow_code}/",
        f"/r/follow/{done.follow_code}/evaluate/",
        f"/r/follow/{closed.follow_code}/",
        "/r/follow/123412341234/",
        "/r/abcdefghjk/",
    ):
        page.goto(live_server.url + path)
        found += faults_at_every_width(page)
    page.goto(f"{live_server.url}/r/{token}/")
    page.get_by_role("button", name="提交").click()
    page.get_by_text("还没有提交").wait_for()
    found += faults_at_every_width(page)
    assert not found


def checked_other(cast: Cast) -> Demand:
    demand = raised(cast, text="路灯不亮")
    finish(cast, demand)
    return Demand.objects.get(pk=demand.pk)
