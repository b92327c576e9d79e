"""The look: colours that can be read, components that are wired, pages that keep the Content-Security-Policy."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.test.signals import template_rendered
from django.urls import path
from django.utils import translation

from core.errors import Conflict
from governance import styleguide
from governance.elder import elder
from governance.theme import UNFOLD

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SHEETS = sorted((ROOT / "static/css").glob("*.css"))
SCRIPTS = sorted((ROOT / "static/js").glob("*.js"))

# Own addresses: what is tested here is the look, wherever the portal puts its pages.
urlpatterns = [path("elder/", elder), path("styleguide/", styleguide.styleguide)]
own_urls = pytest.mark.urls(__name__)


def tokens() -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", (ROOT / "static/css/tokens.css").read_text()))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast of two colours, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


TEXT_ON = [
    *((ink, ground) for ink in ("ink", "muted", "action", "clock-green", "clock-amber", "clock-red", "red-ink", "green-ink")
      for ground in ("paper", "ground")),
    *((f"{tone}-ink", f"{tone}-soft") for tone in ("blue", "green", "amber", "red", "grey")),
    ("paper", "action"), ("paper", "action-dark"), ("paper", "brand"), ("paper", "clock-green"), ("ink", "blue-soft"),
    ("muted", "blue-soft"),
    *((ink, "navy") for ink in ("screen-ink", "screen-muted", "screen-gold", "screen-red", "screen-green")),
]  # fmt: skip


@pytest.mark.parametrize(("ink", "ground"), TEXT_ON)
def test_text_can_be_read_on_its_ground(ink: str, ground: str) -> None:
    colours = tokens()
    assert contrast(colours[ink], colours[ground]) >= 4.5


def test_the_border_of_an_input_can_be_seen() -> None:
    colours = tokens()
    assert contrast(colours["line-strong"], colours["paper"]) >= 3


def test_contrast_is_computed_as_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_admin_wears_the_same_colours() -> None:
    colours, base, primary = tokens(), UNFOLD["COLORS"]["base"], UNFOLD["COLORS"]["primary"]
    # unfold writes its own notation over these when a page is drawn, so compare numbers.
    assert [numbers(primary["600"]), numbers(primary["700"])] == [
        numbers(colours["action"]),
        numbers(colours["action-dark"]),
    ]
    assert [numbers(base[step]) for step in ("50", "200", "500", "900")] == [
        numbers(colours[name]) for name in ("ground", "line", "muted", "ink")
    ]


def numbers(colour: str) -> list[int]:
    if colour.startswith("#"):
        return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return [int(part) for part in re.findall(r"\d+", colour)]


@pytest.mark.parametrize(
    "sheet", [sheet for sheet in SHEETS if sheet.name != "tokens.css"], ids=lambda sheet: sheet.name
)
def test_colours_are_named_in_one_place(sheet: Path) -> None:
    found = re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*[;}])", sheet.read_text())
    # Paper has no tokens: black ink, grey hair lines.
    assert set(found) <= ({"#000", "#999"} if sheet.name == "print.css" else set())


@pytest.mark.parametrize("file", [*SHEETS, *SCRIPTS, *TEMPLATES], ids=lambda file: file.name)
def test_nothing_is_asked_from_another_host(file: Path) -> None:
    text = file.read_text().replace("http://www.w3.org/", "")
    assert not re.search(r"""(?:https?:)?//[a-z0-9-]+\.[a-z]""", text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: str(file.relative_to(ROOT / "templates")))
def test_no_page_carries_inline_style_or_script(template: Path) -> None:
    text = re.sub(r"{% comment %}.*?{% endcomment %}|{#.*?#}", "", template.read_text(), flags=re.S)
    assert not re.search(r"\sstyle\s*=|<style\b|\son[a-z]+\s*=\s*[\"']|javascript:", text)
    # Data for a chart may stand in the page; a program may not.
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: str(file.relative_to(ROOT / "templates")))
def test_every_included_component_and_icon_exists(template: Path) -> None:
    text = re.sub(r"{% comment %}.*?{% endcomment %}", "", template.read_text(), flags=re.S)
    for name in re.findall(r"{% include \"([^\"]+)\"", text):
        engines["django"].get_template(name)
    icons = set(re.findall(r'<symbol id="([a-z-]+)"', (ROOT / "static/img/icons.svg").read_text()))
    assert set(re.findall(r"icon\.html\" with name=\"([a-z-]+)\"", text)) <= icons


@own_urls
def test_the_style_guide_shows_every_component() -> None:
    shown: set[str] = set()

    def note(template: Any, **_: Any) -> None:
        shown.add(template.name)

    template_rendered.connect(note)
    try:
        page = Client().get("/styleguide/")
    finally:
        template_rendered.disconnect(note)
    assert page.status_code == 200
    assert {f"components/{file.name}" for file in (ROOT / "templates/components").glob("*.html")} <= shown
    assert styleguide.LONG_NAME in page.content.decode()
    assert len(styleguide.LONG_NAME) == 60


class Page(HTMLParser):
    """Ids, labels and references of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, attribute: str) -> Iterator[str]:
        return (attrs[attribute] for _, attrs in self.tags if attribute in attrs)


@own_urls
def test_labels_help_and_errors_lead_to_what_is_there() -> None:
    page = Page(Client().get("/styleguide/").content.decode())
    ids = list(page.all("id"))
    described = [word for value in page.all("aria-describedby") for word in value.split()]
    assert "bad_text_error" in described
    assert "bad_text_helptext" in described
    assert "bad_solved_error" in described
    assert set(described) <= set(ids)
    assert set(page.all("for")) <= set(ids)
    assert {link[1:] for link in page.all("href") if re.match(r"#.", link)} <= set(ids)


def test_every_input_of_a_form_has_its_label() -> None:
    page = Page(render_to_string("components/form.html", {"form": styleguide.SampleForm()}))
    named = {attrs.get("id") for tag, attrs in page.tags if tag in {"input", "select", "textarea"}}
    assert named == set(page.all("for"))
    assert len(named) == 11


def test_a_filled_in_text_is_escaped() -> None:
    html = render_to_string("components/card.html", {"title": "<script>1</script>", "url": "/m/"})
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    html = render_to_string("components/banner.html", {"text": "<b>一</b>\n二"})
    assert "&lt;b&gt;一&lt;/b&gt;<br>二" in html


def test_a_rate_without_a_sample_is_not_shown_as_nought() -> None:
    html = render_to_string(
        "components/figure.html", {"label": "满意率", "value": "0", "numerator": 0, "denominator": 0}
    )
    assert "暂无样本" in html
    assert "0" not in re.sub(r"<[^>]+>", "", html)
    html = render_to_string(
        "components/figure.html", {"label": "满意率", "value": "0", "numerator": 0, "denominator": 4}
    )
    assert "0 / 4" in html


@pytest.mark.parametrize(("colour", "word"), [("green", "按时"), ("amber", "将到期"), ("red", "已超期")])
def test_a_clock_never_speaks_by_colour_alone(colour: str, word: str) -> None:
    html = render_to_string("components/clock_chip.html", {"colour": colour, "left": "还剩 3 小时"})
    assert word in html
    assert "<svg" in html


def test_a_follow_up_code_stands_in_groups_of_four() -> None:
    html = render_to_string("components/code.html", {"code": "2846105933"})
    assert re.findall(r"<span>(\w+)</span>", html) == ["2846", "1059", "33"]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 429, 500, 503])
def test_an_error_page_says_what_to_do_even_with_nothing_to_go_by(status: int) -> None:
    html = render_to_string(f"errors/{status}.html")
    assert re.search(r"<h1>\s*[一-鿿]{5,}", html)
    assert 'href="/"' in html


def test_an_error_page_tells_the_reader_what_the_action_said() -> None:
    error = Conflict("这件需求刚刚被「县住建局」认领。", fields={"unit": "请另选一件<b>"})
    html = render_to_string("errors/409.html", {"error": error, "back_url": "/m/7/"})
    assert "这件需求刚刚被「县住建局」认领。" in html
    assert "请另选一件&lt;b&gt;" in html
    assert 'href="/m/7/"' in html


@pytest.mark.parametrize("name", ["400.html", "403.html", "404.html", "errors/500.html", "errors/503.html"])
def test_an_exception_of_another_kind_is_not_shown(name: str) -> None:
    html = render_to_string(
        name, {"exception": "No Demand matches", "error": "No Demand matches", "reason": "No Demand"}
    )
    assert "Demand" not in html


def test_the_page_names_elderly_mode_once_for_all_sizes() -> None:
    request = RequestFactory().get("/r/")
    assert 'class=" elder"' not in render_to_string("front.html", {}, request)
    request.COOKIES["elder"] = "1"
    assert re.search(r'<html[^>]+class="[^"]* elder"', render_to_string("front.html", {}, request))
    assert re.search(
        r"html\.elder \{ font-size: 150%; --target: 60px; \}", (ROOT / "static/css/tokens.css").read_text()
    )


@own_urls
def test_the_switch_remembers_and_forgets_elderly_mode() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/elder/", {"on": "1", "next": "/r/A1/?step=2"})
    assert answer.status_code == 302
    assert answer["Location"] == "/r/A1/?step=2"
    assert answer.cookies["elder"].value == "1"
    assert answer.cookies["elder"]["samesite"] == "Lax"
    answer = client.post("/elder/", {"on": "0", "next": "/r/"})
    assert answer.cookies["elder"].value == ""
    assert "elder" not in {name for name, cookie in client.cookies.items() if cookie.value}


@own_urls
@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", ""])
def test_the_switch_leads_nowhere_else(target: str) -> None:
    assert Client().post("/elder/", {"on": "1", "next": target})["Location"] == "/"


@own_urls
def test_a_link_can_not_flip_the_switch() -> None:
    answer = Client().get("/elder/?on=1")
    assert answer.status_code == 405
    assert not answer.cookies


# --- Chinese of other packages --------------------------------------------------------------------------------------

CATALOGUE = ROOT / "locale/zh_Hans/LC_MESSAGES"


def source_entries() -> Iterator[dict[str, str]]:
    """The .po file, read without gettext's tools (a bare machine has none)."""
    entry: dict[str, str] = {}
    key = ""
    for line in [*(CATALOGUE / "django.po").read_text().splitlines(), ""]:
        if not line.strip():
            if entry:
                yield entry
            entry = {}
        elif found := re.match(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?) (".*")$', line):
            key = found[1]
            entry[key] = ast.literal_eval(found[2])
        elif line.startswith('"'):
            entry[key] += ast.literal_eval(line)


def test_the_compiled_catalogue_is_the_one_in_the_source() -> None:
    source: dict[Any, str] = {}
    for entry in source_entries():
        if "msgid_plural" in entry:
            source[(entry["msgid"], 0)] = entry["msgstr[0]"]
        else:
            source[entry["msgid"]] = entry["msgstr"]
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    assert compiled == source, (
        "run: msgfmt -o locale/zh_Hans/LC_MESSAGES/django.mo locale/zh_Hans/LC_MESSAGES/django.po"
    )


def test_a_translation_asks_for_nothing_its_original_does_not_give() -> None:
    for entry in source_entries():
        for key, text in entry.items():
            if key.startswith("msgstr") and entry["msgid"]:
                given = re.findall(r"%\(\w+\)\w|%[sd]|{\w*}", entry["msgid"])
                assert set(re.findall(r"%\(\w+\)\w|%[sd]|{\w*}", text)) <= set(given), entry["msgid"]
                assert text.strip(), entry["msgid"]


@pytest.mark.parametrize(
    "said",
    ["Type to search", "Apply Filters", "Reset filters", "Return to site", "Select action to run", "This field is required.",
     "Account locked: too many login attempts. Please try again later."],
)  # fmt: skip
def test_what_other_packages_say_is_chinese(said: str) -> None:
    with translation.override("zh-hans"):
        assert re.search(r"[一-鿿]", translation.gettext(said))


def test_the_length_of_a_password_is_asked_for_in_chinese() -> None:
    with translation.override("zh-hans"):
        text = translation.ngettext(
            "This password is too short. It must contain at least %d character.",
            "This password is too short. It must contain at least %d characters.",
            8,
        )
    assert text % 8 == "密码太短，至少要 8 位。"


# --- Sign-in --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_admin_asks_for_a_phone_number_in_the_portals_own_box() -> None:
    html = Client().get("/admin/login/").content.decode()
    page = Page(html)
    phone = next(attrs for tag, attrs in page.tags if attrs.get("name") == "username")
    assert phone["inputmode"] == "numeric"
    assert phone["autocomplete"] == "username"
    assert "css/app.css" in html
    assert "unfold" not in html


@pytest.mark.django_db
def test_a_wrong_password_is_told_in_words_and_the_number_kept() -> None:
    answer = Client().post("/admin/login/", {"username": "13800000000", "password": "wrong"})
    html = answer.content.decode()
    assert "手机号码或密码不对" in html
    assert 'value="13800000000"' in html
    assert 'value="wrong"' not in html


# --- In a browser ----------------------------------------------------------------------------------------------------

SAMPLE_PAGE = """{% extends "base.html" %}{% load static %}{% block content %}
<form method="post" data-draft="sample">{% csrf_token %}
<label for="text">说明</label><textarea id="text" name="text"></textarea>
<label><input type="radio" name="kind" value="a"> 甲</label><label><input type="radio" name="kind" value="b"> 乙</label>
<label for="secret">密码</label><input id="secret" name="secret" type="password">
<button type="submit" name="move" value="finish">办结</button>
<button type="submit" name="move" value="return" data-confirm="退回给社区，确定吗？">退单</button></form>
<input id="photo" type="file"><div data-preview="photo"></div>
<a href="/away/">走开</a>{% endblock %}"""

DONE_PAGE = '{% extends "base.html" %}{% block content %}<p data-draft-done="sample">已提交</p>{% endblock %}'

received: list[dict[str, str]] = []


def sample(request: HttpRequest) -> HttpResponse:
    """A form that notes what it is sent; `move=refuse` in the address shows the form again, as a view does on errors."""
    if request.method == "POST":
        received.append({name: value for name, value in request.POST.items() if name != "csrfmiddlewaretoken"})
        return HttpResponse(engines["django"].from_string(DONE_PAGE).render({}, request))
    return HttpResponse(engines["django"].from_string(SAMPLE_PAGE).render({}, request))


def away(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<!doctype html><title>-</title><p>-</p>")


urlpatterns += [path("sample/", sample), path("away/", away)]


@pytest.fixture
def sent() -> list[dict[str, str]]:
    received.clear()
    return received


VIEWS = [(390, 844, False), (320, 640, False), (1440, 900, False), (390, 844, True)]


@own_urls
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("width", "height", "large"), VIEWS)
def test_the_style_guide_fits_its_screen(page: Any, live_server: Any, width: int, height: int, large: bool) -> None:
    from axe_playwright_python.sync_playwright import Axe

    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{live_server.url}/styleguide/")
    if large:
        page.get_by_role("button", name="大字版").click()
        page.get_by_role("button", name="标准版").wait_for()
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "24px"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('.button, .category, .bar a, .field--choices label, .switch')]"
        ".map(each => each.getBoundingClientRect().height))"
    )
    assert smallest >= (60 if large else 44)
    result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]})
    assert result.violations_count == 0, result.generate_report()
    assert complaints == []


@own_urls
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_draft_survives_a_lost_page_and_ends_with_the_submit(page: Any, live_server: Any, sent: list[Any]) -> None:
    page.goto(f"{live_server.url}/sample/")
    page.fill("#text", "三单元一楼水管漏水")
    page.fill("#secret", "mine")
    page.check("[value=b]")
    page.goto(f"{live_server.url}/away/")
    page.goto(f"{live_server.url}/sample/")
    assert page.input_value("#text") == "三单元一楼水管漏水"
    assert page.is_checked("[value=b]")
    assert page.input_value("#secret") == ""
    assert "mine" not in page.evaluate("JSON.stringify(localStorage)")
    assert page.get_by_text("已恢复上次没有提交的内容。").is_visible()
    page.get_by_role("button", name="办结").click()
    page.get_by_text("已提交").wait_for()
    page.goto(f"{live_server.url}/sample/")
    assert page.input_value("#text") == ""
    assert page.evaluate("localStorage.length") == 0
    assert sent == [{"text": "三单元一楼水管漏水", "kind": "b", "secret": "", "move": "finish"}]


@own_urls
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_second_tap_sends_nothing(page: Any, live_server: Any, sent: list[Any]) -> None:
    page.goto(f"{live_server.url}/sample/")
    # Counted on the way out and then held back: a browser drops a request that a newer one replaces, a server does not.
    page.evaluate(
        "window.through = 0; window.addEventListener('submit', e => { through += !e.defaultPrevented; e.preventDefault() })"
    )
    tap = "document.querySelector('[value=finish]').click()"
    page.evaluate(f"{tap}; {tap}; {tap}")
    assert page.evaluate("through") == 1
    page.wait_for_selector("form[aria-busy] [value=finish][aria-disabled]")
    # Back from the next page, as WeChat's back button does it: the page is as it was left, and must send again.
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.evaluate(tap)
    assert page.evaluate("through") == 2


@own_urls
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_form_sends_the_button_that_was_pressed(page: Any, live_server: Any, sent: list[Any]) -> None:
    page.goto(f"{live_server.url}/sample/")
    page.get_by_role("button", name="办结").click()
    page.get_by_text("已提交").wait_for()
    assert [each["move"] for each in sent] == ["finish"]


@own_urls
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_question_answered_with_no_sends_nothing(page: Any, live_server: Any, sent: list[Any]) -> None:
    page.goto(f"{live_server.url}/sample/")
    asked: list[str] = []

    def refuse(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", refuse)
    page.get_by_role("button", name="退单").click()
    assert asked == ["退回给社区，确定吗？"]
    assert sent == []
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="退单").click()
    page.get_by_text("已提交").wait_for()
    assert [each["move"] for each in sent] == ["return"]


@own_urls
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_chosen_picture_is_shown_before_it_is_sent(page: Any, live_server: Any) -> None:
    page.goto(f"{live_server.url}/sample/")
    picture = {"name": "楼道.svg", "mimeType": "image/svg+xml", "buffer": (ROOT / "static/img/mark.svg").read_bytes()}
    page.set_input_files("#photo", picture)
    page.get_by_alt_text("楼道.svg").wait_for()
    page.wait_for_function("document.querySelector('[data-preview] img').naturalWidth > 0")
    page.set_input_files("#photo", {"name": "说明.txt", "mimeType": "text/plain", "buffer": b"-"})
    assert page.locator("[data-preview] img").count() == 0
