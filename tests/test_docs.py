"""The documents are true where a machine can tell: links, anchors, pictures, commands, variables, diagrams."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands

from core import workflow
from governance.env import Env

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
IMAGES = DOCS / "images"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
GUIDES = (
    "resident",
    "keeper",
    "member",
    "liaison",
    "community",
    "street",
    "department",
    "admin",
    "auditor",
    "import",
)
CODE = ("core", "grids", "partybuilding", "services", "governance", "script", "templates", "static/css", "static/js")

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# "docs/domain.md#x1 (the five steps), #c3": the anchors that follow belong to the same page.
CITED = re.compile(r"docs/([\w/-]+\.md)((?:(?:(?!docs/)[^\n\"']){0,60}?#[a-z][\w-]*)*)")
NUMBERED = re.compile(r"docs/decisions/(\d{4})")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def anchors_of(path: Path) -> set[str]:
    """What a link may point at: anchors written out, and headings as they are shown on the web."""
    text = path.read_text(encoding="utf-8")
    found = set(re.findall(r'<a id="([\w-]+)"></a>', text))
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"[`*]", "", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("document", PAGES, ids=named)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in LINK.findall(without_code(document.read_text(encoding="utf-8"))):
        assert not target.startswith("http"), f"{target}: the project speaks of itself"
        path, _hash, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), target
        if anchor:
            assert anchor in anchors_of(found), target


def sources() -> Iterator[Path]:
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in {"", ".py", ".html", ".css", ".js", ".sh"}:
                yield path


def test_every_page_that_code_cites_stands_and_has_the_anchor() -> None:
    wrong = []
    for path in sources():
        text = path.read_text(encoding="utf-8")
        for page, anchors in CITED.findall(text):
            target = DOCS / page
            if not target.exists():
                wrong.append(f"{named(path)}: docs/{page}")
                continue
            cited = re.findall(r"#([a-z][\w-]*)", anchors)
            wrong += [f"{named(path)}: docs/{page}#{one}" for one in cited if one not in anchors_of(target)]
        for number in NUMBERED.findall(text):
            if len(list((DOCS / "decisions").glob(f"{number}-*.md"))) != 1:
                wrong.append(f"{named(path)}: decision {number}")
    assert not wrong


def test_decisions_are_numbered_once_and_listed() -> None:
    files = sorted((DOCS / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in files]
    assert numbers == sorted(set(numbers))
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    for path in files:
        assert f"decisions/{path.name}" in index
        assert path.read_text(encoding="utf-8").startswith(f"# {path.name[:4]} ")


def test_every_role_has_its_page_and_the_index_names_every_page() -> None:
    assert {path.stem for path in (DOCS / "guide").glob("*.md")} == set(GUIDES)
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    for path in DOCS.rglob("*.md"):
        if path != DOCS / "README.md":
            assert str(path.relative_to(DOCS)) in index


# --- Pictures -------------------------------------------------------------------------------------------------------


def shots() -> Any:
    spec = importlib.util.spec_from_file_location("screenshots", ROOT / "script" / "lib" / "screenshots.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["screenshots"] = module
    spec.loader.exec_module(module)
    return module


def test_pictures_are_those_the_script_takes_and_small() -> None:
    script = shots()
    there = {path.stem: path for path in IMAGES.glob("*")}
    assert set(there) == set(script.SHOTS)
    assert sum(path.stat().st_size for path in there.values()) < script.MOST_BYTES
    shown = {
        Path(target).stem
        for document in PAGES
        for target in LINK.findall(document.read_text(encoding="utf-8"))
        if target.endswith(".png")
    }
    assert shown <= set(there)


# --- Commands and variables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", PAGES, ids=named)
def test_every_command_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    known = set(get_commands())
    named_commands = set(re.findall(r"manage\.py ([a-z_]+)", text)) | set(
        re.findall(r"`((?:check|load)_[a-z]+)`", text)
    )
    assert named_commands <= known
    for script in set(re.findall(r"script/([a-z_/-]+(?:\.py)?)", text)):
        path = ROOT / "script" / script
        assert path.exists(), script
        if path.suffix == "" and path.is_file():
            assert path.stat().st_mode & 0o100, f"{script} can not be run"


@pytest.mark.parametrize("document", PAGES, ids=named)
def test_every_path_in_the_code_that_is_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:core|grids|partybuilding|services|governance|tests)/[\w/.*-]+)`", text):
        assert list(ROOT.glob(path.rstrip("/"))), path


VARIABLE = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`|^\s*([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)=", re.MULTILINE)
# Words of other people's programs.
STRANGE = {"ALWAYS_EAGER"}


@pytest.mark.parametrize("document", PAGES, ids=named)
def test_every_variable_named_is_one(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    compose = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("docker-compose.yml", ".env.example"))
    known = {each.name for each in fields(Env)} | STRANGE | set(re.findall(r"[A-Z][A-Z0-9_]+", compose))
    assert {one or other for one, other in VARIABLE.findall(text)} <= known


def test_both_readmes_begin_with_the_two_commands() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        first = text.split("```bash\n", 1)[1].split("```", 1)[0]
        assert [line.split()[0] for line in first.splitlines()] == ["script/server", "script/test"]
        assert text.index("script/test") < text.index("docs/images/") < text.index("docs/deploy.md")


# --- The diagrams, and what has no place here -----------------------------------------------------------------------


def test_the_diagrams_are_those_of_the_tables() -> None:
    said = (DOCS / "workflow.md").read_text(encoding="utf-8")
    assert said == workflow.document(), "run: manage.py workflow_graph > docs/workflow.md"


FORBIDDEN = re.compile(
    r"/(?:work|root|home|Users|tmp)/|(?:pypi|npmjs|registry|mirrors?)\.[a-z0-9.-]+|\.internal\b|localhost:\d{5}",
    re.IGNORECASE,
)
HOSTS = re.compile(r"https?://([^\s/`|），。：；;)>\"]+)")
OURS = re.compile(r"(?:127\.0\.0\.1|10\.1\.2\.3|localhost|HOST|…)(?::\w+)?|[\w.]*example(?:\.\w+)+|")


@pytest.mark.parametrize("document", PAGES, ids=named)
def test_no_machine_and_no_outside_host_is_named(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert not FORBIDDEN.findall(text)
    assert not [host for host in HOSTS.findall(text) if not OURS.fullmatch(host)]
