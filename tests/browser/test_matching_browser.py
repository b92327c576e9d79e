"""A community's lists brought together at the desk: run, read, take several up, turn one down; with long words too."""

from typing import Any

import pytest
from playwright.sync_api import expect

from services.models import MatchProposal, Project
from tests.browser.looking import sign_in
from tests.browser.test_admin_loop import faults
from tests.browser.test_phone_loop import LONG
from tests.cast import Cast
from tests.services.test_matching import leak, water

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_community_matches_and_takes_several_up(page: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    water(cast, name=f"水管维修队{LONG}"[:60])
    for title in ("水管漏水", "水管爆裂", f"水管{LONG}"[:80]):
        leak(cast, title=title)
    leak(cast, title="想学跳舞", text="想学。", category=cast.categories["其他"])
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, live_server, cast.a.officer)
    page.goto(f"{live_server.url}/admin/services/demand/")
    page.locator(".admin-head__tools").get_by_role("link", name="供需匹配").click()
    assert not faults(page)
    page.get_by_role("button", name="供需匹配").click()
    expect(page.get_by_text("匹配好了，请逐条看过后采纳。")).to_be_visible()
    expect(page.get_by_text("文字相近：水管").first).to_be_visible()
    expect(page.get_by_text("没有这个类别的资源")).to_be_visible()
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert not faults(page), width
    page.get_by_role("listitem").filter(has_text="水管爆裂").get_by_role("link", name="不采纳").click()
    page.get_by_label("理由").fill("已经请物业修好")
    assert not faults(page)
    page.get_by_role("button", name="不采纳").click()
    expect(page.get_by_text("已经请物业修好")).to_be_visible()
    page.get_by_role("link", name="全选本页").click()
    page.get_by_role("button", name="采纳所选").click()
    expect(page.get_by_text("已生成 2 个项目草稿")).to_be_visible()
    assert not faults(page)
    page.get_by_role("link", name=Project.objects.order_by("pk")[0].code).click()
    expect(page.get_by_role("heading", name="水管")).to_be_visible()
    assert sorted(MatchProposal.objects.values_list("state", flat=True)) == ["accepted", "accepted", "refused"]
