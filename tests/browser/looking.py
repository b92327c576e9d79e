"""What every browser test of a phone looks at: nothing pushes the page sideways, nothing keeps anybody out."""

import json
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client

from core.models import User
from tests.factories import PASSWORD

PHONE = {"width": 390, "height": 844}
WIDTHS = (390, 320)


def sign_in(page: Any, live_server: Any, person: User, *, start: str = "/m/") -> None:
    """As somebody who signed in a moment ago: where the door is not what a test looks at, it is a page too many."""
    client = Client()
    client.force_login(person)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page.goto(live_server.url + start)


def through_the_door(page: Any, live_server: Any, person: User) -> None:
    """As everybody signs in."""
    page.goto(f"{live_server.url}/accounts/login/?next=/m/")
    page.fill("#id_username", person.phone)
    page.fill("#id_password", PASSWORD)
    page.click("button:has-text('登录')")
    signed_in(page)


def signed_in(page: Any) -> None:
    """Waits until the door is behind: its own address ends with where it leads to, so the end of it says nothing."""
    page.wait_for_url(lambda address: "/login/" not in address)
    page.wait_for_load_state()


def enlarge(page: Any, live_server: Any) -> None:
    """Elderly mode, as the switch remembers it."""
    page.context.add_cookies([{"name": "elder", "value": "1", "url": live_server.url}])


def until(page: Any, expression: str, *, tries: int = 100) -> None:
    """Waits until JavaScript answers true. Playwright's own way evaluates text, which the pages' policy forbids."""
    for _try in range(tries):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never became true: {expression}")


def faults(page: Any, *, axe: bool = True) -> list[str]:
    """What is wrong with the page as it stands: width, targets, accessibility (`axe`)."""
    page.wait_for_load_state()
    found = []
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    if wide > screen:
        found.append(f"{page.url}: {wide} px wide on a screen of {screen}")
    violations = Axe().run(page).response["violations"] if axe else []
    for violation in violations:
        if violation["impact"] in ("serious", "critical"):
            where = [node["target"] for node in violation["nodes"]]
            found.append(f"{page.url}: {violation['id']} {json.dumps(where, ensure_ascii=False)}")
    small = page.evaluate(
        """() => [...document.querySelectorAll("a.button, button, .ways a, .card__action a, .bar a, select, textarea")]
        .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 43.5)
        .map((one) => one.textContent.trim() + " " + one.getBoundingClientRect().height)"""
    )
    found += [f"{page.url}: too small to touch: {one}" for one in small]
    return found


def faults_at_every_width(page: Any) -> list[str]:
    """`faults` of one page on a wide and a narrow phone. axe looks once: what it sees does not change with the width."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": PHONE["height"]})
        found += faults(page, axe=width == WIDTHS[-1])
    return found
