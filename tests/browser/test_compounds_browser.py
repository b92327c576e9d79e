"""Compounds in a browser: at the desk and on the phone, with pictures of before and after, without anything pushed sideways."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from core.actors import SYSTEM
from grids.actions import register_remediation
from grids.models import RemediationPhoto
from tests import factories as make
from tests.browser.looking import PHONE, enlarge, faults, faults_at_every_width, sign_in, until
from tests.cast import Cast
from tests.partybuilding.test_compound_pages import fill

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "县城关街道新城社区原县农业机械厂第三职工家属院暨二〇〇三年棚户区改造安置小区（东区）一期二期合并管理院落"


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "uploads"


@pytest.fixture
def snapshots(tmp_path: Path) -> list[str]:
    files = []
    for name, colour in (("前", "#8b857b"), ("后", "#bcdcf2")):
        files.append(str(tmp_path / f"{name}.jpg"))
        Image.new("RGB", (1600, 1200), colour).save(files[-1])
    return files


def test_pictures_of_before_and_after_are_sent_from_the_phone_and_stand_side_by_side(
    page: Any, live_server: Any, transactional_cast: Cast, snapshots: list[str]
) -> None:
    cast = transactional_cast
    fill(cast)
    row = register_remediation(
        actor=SYSTEM, node=cast.a.compound, kind="door_system", title="更换单元门禁", quantity=53
    )
    page.set_viewport_size(PHONE)
    sign_in(page, live_server, cast.a.officer)
    page.goto(f"{live_server.url}/m/me/")
    page.get_by_role("link", name="小区档案").click()
    assert not faults(page)
    page.get_by_role("link", name="和谐小区").click()
    assert not faults(page)
    for stage, file in zip(("整治前", "整治后"), snapshots, strict=True):
        page.locator(f'a[href="/m/remediations/{row.pk}/photos/"]').click()
        page.get_by_label(stage).check()
        page.get_by_label("照片").set_input_files(file)
        page.locator(".preview img").wait_for()
        assert not faults(page)
        page.get_by_role("button", name="上传照片").click()
        expect(page.get_by_text("已保存 1 张照片。")).to_be_visible()
    pictures = page.locator(".pair").filter(has=page.locator("img")).locator("img")
    expect(pictures).to_have_count(2)
    pictures.first.scroll_into_view_if_needed()
    until(page, "[...document.querySelectorAll('.pair img')].every((one) => one.naturalWidth > 0)")
    left, right = pictures.first.bounding_box(), pictures.last.bounding_box()
    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
    assert RemediationPhoto.objects.count() == 2
    for large in (False, True):
        if large:
            enlarge(page, live_server)
        page.reload()
        assert not faults_at_every_width(page), large


def test_the_desk_shows_long_names_and_leads_from_figures_to_rows(
    page: Any, live_server: Any, transactional_cast: Cast
) -> None:
    cast = transactional_cast
    fill(cast)
    long = make.make_node(cast.a.node, "compound", LONG[:60])
    register_remediation(actor=SYSTEM, node=long, kind="pipes", title=LONG[:60] + "雨污分流改造工程")
    sign_in(page, live_server, cast.a.officer)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for address in ("", f"{long.pk}/change/", "figures/", f"{cast.a.compound.pk}/do/describe/"):
            page.goto(f"{live_server.url}/admin/partybuilding/compound/{address}")
            page.wait_for_load_state()
            wide, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert wide <= screen, f"{page.url} at {width}"
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{live_server.url}/admin/partybuilding/compound/figures/")
    page.get_by_role("link", name="三无小区", exact=True).click()
    expect(page.get_by_role("link", name="旧小区")).to_be_visible()
    expect(page.get_by_role("link", name="和谐小区")).to_have_count(0)
    page.get_by_role("link", name="旧小区").click()
    page.get_by_role("link", name="修改管理情况").click()
    page.get_by_label("社区代管").check()
    page.get_by_role("button", name="修改管理情况").click()
    expect(page.get_by_text("管理情况已保存。")).to_be_visible()
    page.goto(f"{live_server.url}/admin/partybuilding/compound/figures/")
    expect(page.locator(".figure").filter(has_text="三无小区").first).to_contain_text("0")
