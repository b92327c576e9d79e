"""What script/screenshots runs: the sample county, each role's pages, small PNG files in docs/images.

Everybody signs in as the sample prints it. The pictures follow the clock, so they differ from one day to the next in
dates alone; no picture is ever made or touched by hand.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGES = ROOT / "docs" / "images"
PHONE, DESK = (390, 844), (1440, 900)
COLOURS = 96
MOST_BYTES = 4_000_000
PASSWORD = "Chun-Feng-2026"

sys.path.insert(0, str(ROOT))
os.chdir(ROOT)

Step = Callable[[Any], None]


@dataclass(frozen=True)
class Shot:
    """A picture: who looks (a role as the sample prints it, empty for residents), at what, how large."""

    role: str
    size: tuple[int, int]
    address: str
    steps: tuple[Step, ...] = ()


def order(page: Any) -> None:
    """A resident's order, filled in but not sent."""
    page.locator(".categories label.category").nth(3).click()
    page.fill("textarea[name=text]", "三楼的楼道灯坏了一周，老人晚上上下楼看不清。")


def send(page: Any) -> None:
    order(page)
    page.locator("button[type=submit].button--main").click()
    page.wait_for_load_state("networkidle")


# The follow page of the order just sent is one link further.
def merge(page: Any) -> None:
    """Ticks a neighbour and looks at what would happen."""
    page.locator("input[name=sources]").first.check()
    page.fill("[name=reason]", "户数太少")
    page.locator("form.form button[type=submit]").click()
    page.locator("#foresight").scroll_into_view_if_needed()


SHOTS: dict[str, Shot] = {
    "resident-start": Shot("", PHONE, "/r/"),
    "resident-order": Shot("", PHONE, "/r/{token}/", (order,)),
    "resident-card": Shot("", PHONE, "/r/{token}/", (send,)),
    "resident-follow": Shot("", PHONE, "/r/follow/{follow}/"),
    "phone-keeper": Shot("网格员", PHONE, "/m/lists/"),
    "phone-report": Shot("网格员", PHONE, "/m/report/"),
    "phone-care": Shot("网格员", PHONE, "/m/care/"),
    "phone-liaison": Shot("住建局联络员", PHONE, "/m/"),
    "phone-claim": Shot("住建局联络员", PHONE, "/m/lists/"),
    "phone-demand": Shot("住建局联络员", PHONE, "/m/demands/{running}/"),
    "phone-assign": Shot("住建局联络员", PHONE, "/m/demands/{signed}/assign/?on={signed_key}"),
    "phone-member": Shot("党员", PHONE, "/m/demands/{offered}/"),
    "desk-community": Shot("东关社区党组织书记", DESK, "/admin/"),
    "desk-demand": Shot("东关社区党组织书记", DESK, "/admin/services/demand/{accepted_pk}/change/"),
    "desk-triage": Shot("东关社区党组织书记", DESK, "/admin/services/demand/triage/"),
    "desk-list": Shot("东关社区党组织书记", DESK, "/admin/services/demand/"),
    "desk-care": Shot("东关社区党组织书记", DESK, "/admin/grids/carehousehold/"),
    "desk-compound": Shot("东关社区党组织书记", DESK, "/admin/partybuilding/compound/{compound_pk}/change/"),
    "desk-exclusion": Shot("县委组织部", DESK, "/admin/services/rateexclusion/{exclusion_pk}/change/"),
    "desk-bulletin": Shot("县委组织部", DESK, "/admin/services/bulletin/{bulletin_pk}/change/"),
    "desk-routing": Shot("县委组织部", DESK, "/admin/services/routingrule/preview/"),
    "desk-compounds": Shot("县委组织部", DESK, "/admin/partybuilding/compound/figures/"),
    "phone-compound": Shot("东关社区“两委”干部", PHONE, "/m/compounds/{compound_pk}/"),
    "phone-tree": Shot("东关社区党组织书记", PHONE, "/admin/grids/gridnode/tree/"),
    "desk-checkins": Shot("东关社区党组织书记", DESK, "/admin/services/unitcheckin/"),
    "desk-case": Shot("东关社区党组织书记", DESK, "/admin/services/helpcase/{case_pk}/change/"),
    "phone-case": Shot("住建局联络员", PHONE, "/m/cases/{asked_case_pk}/"),
    "phone-checkins": Shot("住建局联络员", PHONE, "/m/checkins/"),
    "desk-wishes": Shot("东关社区党组织书记", DESK, "/admin/services/wish/"),
    "phone-wishes": Shot("住建局联络员", PHONE, "/m/wishes/"),
    "desk-matching": Shot("东关社区党组织书记", DESK, "/admin/services/matchrun/{match_pk}/change/"),
    "desk-two-way": Shot("东关社区党组织书记", DESK, "/admin/services/commitment/figures/"),
    "desk-meeting": Shot("东关社区党组织书记", DESK, "/admin/services/jointmeeting/{meeting_pk}/change/"),
    "phone-meeting": Shot("住建局联络员", PHONE, "/m/meetings/{meeting_pk}/"),
    "phone-home": Shot("党员（住建局）", PHONE, "/m/checkin/"),
    "resident-promises": Shot("", PHONE, "/r/promises/{token}/"),
    "dashboard-weft": Shot("镇安县", DESK, "/dashboard/weft/"),
    "desk-coverage": Shot("县委组织部", DESK, "/admin/grids/vacancy/coverage/"),
    "desk-gaps": Shot("县委组织部", DESK, "/admin/partybuilding/pairing/gaps/"),
    "desk-street": Shot("城北街道干部", DESK, "/admin/"),
    "desk-tree": Shot("城北街道干部", DESK, "/admin/grids/gridnode/tree/?open={branches}"),
    "desk-merge": Shot("城北街道干部", DESK, "/admin/grids/gridnode/{grid_pk}/do/merge/", (merge,)),
    "dashboard-county": Shot("县委组织部", DESK, "/dashboard/"),
    "dashboard-late": Shot("县委组织部", DESK, "/dashboard/rows/?light=late"),
    "admin-desk": Shot("县级管理员", DESK, "/admin/"),
    "admin-accounts": Shot("县级管理员", DESK, "/admin/core/user/"),
    "admin-import": Shot("县级管理员", DESK, "/admin/core/user/import/"),
    "admin-limits": Shot("县级管理员", DESK, "/admin/services/category/"),
    "admin-calendar": Shot("县级管理员", DESK, "/admin/core/calendarday/year/{year}/"),
    "admin-notices": Shot("县级管理员", DESK, "/admin/core/noticetemplate/kinds/"),
    "auditor-trail": Shot("县级审计员", DESK, "/admin/core/auditentry/"),
    "phone-pairing": Shot("县级领导（包联社区）", PHONE, "/m/pairings/"),
    "print-qr": Shot("网格员", DESK, "/places/{building_pk}/qr/"),
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def load() -> tuple[dict[str, str], dict[str, str]]:
    """The sample in an empty data folder. Returns role -> phone, and what the addresses are filled in with."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections
    from django.utils import timezone

    from governance.sample.load import load as load_sample
    from grids.models import GridNode, RemediationPhoto
    from services.models import (
        Assignment,
        Bulletin,
        Demand,
        HelpCase,
        JointMeeting,
        MatchRun,
        RateExclusion,
        SubOrder,
        SubOrderState,
    )

    call_command("migrate", interactive=False, verbosity=0)
    loaded = load_sample(timezone.localdate(), PASSWORD)
    phones = {one.role: one.user.phone for one in loaded.sign_ins}
    here = Demand.objects.filter(community__name="东关社区")
    mine = SubOrder.objects.filter(unit__short_name="住建局", unit__county__name="西乡县", role="lead")
    building = GridNode.objects.get(public_token=loaded.token)
    running = mine.filter(state=SubOrderState.IN_SERVICE, finished_at=None).order_by("-pk")[0].demand
    signed = mine.filter(state=SubOrderState.SIGNED, assignments__isnull=True).order_by("-pk")[0]
    member = next(phone for role, phone in phones.items() if role.startswith("党员"))
    offered = Assignment.objects.filter(member__user__phone=member, state="offered").order_by("-pk")[0]
    there = RemediationPhoto.objects.filter(remediation__community__name="东关社区", remediation__kind="lift")
    shown = there.select_related("remediation").order_by("pk")[0].remediation
    values = {
        "compound_pk": str(shown.node_id),
        "match_pk": str(MatchRun.objects.get(node__name="东关社区").pk),
        "case_pk": str(HelpCase.objects.filter(community__name="东关社区", state="open").earliest("opened_at").pk),
        "asked_case_pk": str(
            HelpCase.objects.get(community__name="东关社区", helps__unit__short_name="住建局", helps__state="asked").pk
        ),
        "bulletin_pk": str(Bulletin.objects.filter(state="published").latest("pk").pk),
        "exclusion_pk": str(RateExclusion.objects.filter(state="approved").earliest("pk").pk),
        "year": str(timezone.localdate().year),
        "meeting_pk": str(JointMeeting.objects.get(node__name="东关社区", state="published").pk),
        "offered": offered.suborder.demand.code,
        "token": loaded.token,
        "building_pk": str(building.pk),
        "grid_pk": str(building.parent_id),
        "branches": ",".join(str(node.pk) for node in building.get_ancestors()),
        "follow": here.filter(state="checked", solved=None).order_by("-pk")[0].follow_code,
        "accepted_pk": str(here.filter(state="accepted", parked_until=None).order_by("-pk")[0].pk),
        "running": running.code,
        "signed": signed.demand.code,
        "signed_key": f"suborder-{signed.pk}",
    }
    connections.close_all()
    return phones, values


@contextlib.contextmanager
def served(port: int) -> Iterator[str]:
    """The portal, as script/server starts it, until the block ends."""
    process = subprocess.Popen([sys.executable, "script/lib/serve.py"], start_new_session=True)
    try:
        for _try in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
                break
            if process.poll() is not None:
                sys.exit("the portal did not start")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def take(base: str, phones: dict[str, str], values: dict[str, str], names: list[str]) -> int:
    """Takes the pictures; returns how many could not be taken."""
    from playwright.sync_api import Error, sync_playwright

    executable = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("chromium-browser")
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    failed = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=["--disable-gpu", "--lang=zh-CN", *sandbox],
            env={**os.environ, "LANGUAGE": "zh_CN"},
        )
        sessions: dict[tuple[str, tuple[int, int]], Any] = {}
        for name in names:
            shot = SHOTS[name]
            key = (shot.role, shot.size)
            if key not in sessions:
                sessions[key] = signed_in(browser, base, shot, phones)
            page = sessions[key].new_page()
            try:
                answer = page.goto(base + shot.address.format(**values), wait_until="networkidle")
                if answer is None or answer.status >= 400:
                    raise Error(f"status {answer.status if answer else 'none'}")
                for step in shot.steps:
                    step(page)
                page.wait_for_timeout(400)  # charts are drawn after the page is there
                size = keep(name, page.screenshot())
                print(f"{name}.png {size // 1000} kB", flush=True)
            except Error as error:
                failed += 1
                print(f"{name}: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
            page.close()
        browser.close()
    return failed


def signed_in(browser: Any, base: str, shot: Shot, phones: dict[str, str]) -> Any:
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    context.set_default_timeout(10_000)
    if shot.role:
        phone = next(phone for role, phone in phones.items() if role.startswith(shot.role))
        page = context.new_page()
        page.goto(f"{base}/accounts/login/")
        page.fill("input[name=username]", phone)
        page.fill("input[name=password]", PASSWORD)
        page.locator("button[type=submit].button--main").click()
        page.wait_for_load_state("networkidle")
        page.close()
    return context


def keep(name: str, png: bytes) -> int:
    """Fewer colours make a page's picture a third of its size without a visible loss."""
    from PIL import Image

    IMAGES.mkdir(exist_ok=True)
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    path = IMAGES / f"{name}.png"
    image.save(path, optimize=True)
    return path.stat().st_size


def main() -> int:
    names = sys.argv[1:] or list(SHOTS)
    if unknown := set(names) - set(SHOTS):
        sys.exit(f"no such picture: {', '.join(sorted(unknown))}. There are: {', '.join(SHOTS)}")
    folder = tempfile.mkdtemp(prefix="jingwei-pictures-")
    port = free_port()
    os.environ |= {"DATA_DIR": folder, "PORT": str(port), "LOG_LEVEL": "WARNING"}
    os.environ["DJANGO_SETTINGS_MODULE"] = "governance.settings"
    os.environ["PUBLIC_URL"] = "http://jingwei.example.org"  # what the QR codes say; nobody goes there
    for name in ("DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS"):
        os.environ.pop(name, None)
    try:
        phones, values = load()
        with served(port) as base:
            failed = take(base, phones, values, names)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    total = sum(path.stat().st_size for path in IMAGES.glob("*.png"))
    print(f"{total / 1e6:.1f} MB altogether")
    return 1 if failed or total > MOST_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
