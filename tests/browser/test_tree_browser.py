"""The tree of places in a browser: read on a phone, walked by keys, worked without scripts, split before one's eyes."""

from typing import Any

import pytest
from django.db.models import F
from playwright.sync_api import expect

from core.models import User
from grids.models import GridNode
from tests.browser.looking import PHONE, faults, sign_in
from tests.cast import Cast
from tests.factories import make_node

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TREE = "/admin/grids/gridnode/tree/"


def open_tree(page: Any, live_server: Any, person: User) -> None:
    sign_in(page, live_server, person, start=TREE)


def toggle(page: Any, node: GridNode) -> Any:
    return page.locator(f"#n{node.pk} > .tree__row [data-branch]")


def test_a_tree_is_opened_searched_and_left_again_on_a_phone(
    page: Any, live_server: Any, transactional_cast: Cast
) -> None:
    cast = transactional_cast
    GridNode.objects.filter(pk=cast.a.building.pk).update(name="一栋名字长得出奇的楼一直写到行的尽头也没有写完" * 2)
    page.set_viewport_size(PHONE)
    open_tree(page, live_server, cast.street_officer)
    for node in (cast.street, cast.a.node, cast.a.compound, cast.a.grid):
        toggle(page, node).click()
        expect(toggle(page, node)).to_have_attribute("aria-expanded", "true")
    expect(page.locator(f"#n{cast.a.other_building.pk}")).to_be_visible()
    assert faults(page) == []
    # Away to a place and back: the branches are as they were.
    page.locator(f"#n{cast.a.other_building.pk} .tree__name").click()
    expect(page.locator("h1")).to_contain_text("2 号楼")
    assert faults(page) == []
    page.go_back()
    expect(page.locator(f"#n{cast.a.other_building.pk}")).to_be_visible()
    toggle(page, cast.a.node).click()
    expect(page.locator(f"#n{cast.a.other_building.pk}")).to_be_hidden()
    page.fill("#tree-q", "网格员甲")
    page.press("#tree-q", "Enter")
    expect(page.locator(".tree__name")).to_have_text(["第一网格"])
    page.locator(".tree__deeds summary").click()
    expect(page.locator(".tree__menu a").first).to_be_visible()
    assert faults(page) == []


def test_the_tree_is_walked_by_keys(page: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    open_tree(page, live_server, cast.street_officer)
    toggle(page, cast.street).focus()
    page.keyboard.press("ArrowRight")
    expect(toggle(page, cast.street)).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowRight")
    expect(toggle(page, cast.a.node)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(toggle(page, cast.b.node)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(toggle(page, cast.street)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(toggle(page, cast.street)).to_have_attribute("aria-expanded", "false")
    expect(page.locator(f"#n{cast.a.node.pk}")).to_be_hidden()


def test_without_scripts_the_tree_opens_and_a_grid_is_split(
    browser: Any, live_server: Any, transactional_cast: Cast
) -> None:
    cast = transactional_cast
    context = browser.new_context(java_script_enabled=False, viewport=PHONE, locale="zh-CN")
    page = context.new_page()
    sign_in(page, live_server, cast.a.officer)
    page.goto(f"{live_server.url}{TREE}")
    for node in (cast.a.node, cast.a.compound):
        toggle(page, node).click()
        expect(toggle(page, node)).to_have_attribute("aria-expanded", "true")
    page.goto(f"{live_server.url}/admin/grids/gridnode/{cast.a.grid.pk}/do/split/")
    page.fill("[name=name_1]", "第二网格")
    page.check(f"[name=divide-{cast.a.other_building.pk}][value='1']")
    page.fill("[name=reason]", "超过 500 户")
    page.click("button:has-text('下一步')")
    expect(page.locator("#foresight")).to_contain_text("新建“第二网格”")
    page.click("button:has-text('确认拆分')")
    expect(page.locator(".timeline")).to_contain_text("拆分网格")
    assert GridNode.objects.get(pk=cast.a.other_building.pk).path.endswith("第二网格 · 2 号楼")
    context.close()


def test_a_level_of_four_thousand_stays_usable(page: Any, live_server: Any, transactional_cast: Cast) -> None:
    cast = transactional_cast
    parent = make_node(cast.a.node, "grid", "大网格")
    grow_wide(parent, 4000)
    page.set_viewport_size(PHONE)
    open_tree(page, live_server, cast.a.officer)
    toggle(page, cast.a.node).click()
    toggle(page, parent).click()
    expect(page.locator(".tree__more a")).to_contain_text("还有 3950 个")
    page.locator(".tree__more a").click()
    expect(page.locator("h1")).to_have_text("大网格")
    expect(page.locator(".tree__item")).to_have_count(50)
    page.click("a[rel=next]")
    expect(page.locator(".tree__name").first).to_have_text("51 栋")
    page.fill("#tree-q", "3777")
    page.press("#tree-q", "Enter")
    expect(page.locator(".tree__name")).to_have_text(["3777 栋"])
    assert faults(page, axe=False) == []


def grow_wide(parent: GridNode, count: int) -> None:
    """Children in one statement, their bounds counted here."""
    parent.refresh_from_db()
    level = parent.county.levels.get(key="building")
    GridNode.objects.filter(tree_id=parent.tree_id, rght__gte=parent.rght).update(rght=F("rght") + 2 * count)
    GridNode.objects.filter(tree_id=parent.tree_id, lft__gt=parent.rght).update(lft=F("lft") + 2 * count)
    GridNode.objects.bulk_create(
        GridNode(
            county=parent.county,
            level_type=level,
            parent=parent,
            community=parent.community,
            name=f"{number} 栋",
            path=f"{parent.path} · {number} 栋",
            code=f"{parent.code}W{number:04d}",
            tree_id=parent.tree_id,
            depth=parent.depth + 1,
            lft=parent.rght + 2 * (number - 1),
            rght=parent.rght + 2 * (number - 1) + 1,
        )
        for number in range(1, count + 1)
    )
