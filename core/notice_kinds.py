"""Kinds of notices: what they are called, in which group a person finds them, what their words may name.

Each floor registers its own from its `apps.py`. Groups and fields go by the beginning of a kind's name, so that a new
kind of a matter that is there already needs neither.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise
T = TypeVar("T")

SYSTEM_GROUP = "system"


@dataclass(frozen=True)
class Kind:
    """A kind of notice. `outside` ones also leave the portal, over whatever channels are configured; `urgent` ones do so
    at night as well, and never wait for a digest."""

    name: str
    label: Text
    outside: bool = False
    urgent: bool = False

    @property
    def group(self) -> str:
        return group_of(self.name)


@dataclass(frozen=True)
class Field:
    """Something the words of a notice may name: by its label in braces, {需求编号}.

    Attributes:
        name: by which who posts the notice gives its value. label: what it is called in templates and on pages.
        example: what it looks like, for previews.
        outside: whether it may leave the portal. Never what tells of a matter, a place or a person (`core.channels`).
    """

    name: str
    label: Text
    example: str
    outside: bool = False

    @property
    def word(self) -> str:
        return str(self.label)


@dataclass(frozen=True)
class Group:
    """Kinds about which a person chooses together."""

    name: str
    label: Text
    note: Text = ""


# Of every kind. `headline` and `text` are the words the portal has built in, as they stand in the case at hand.
COMMON = (
    Field("kind", _("通知类型"), "", outside=True),
    Field("headline", _("系统标题"), ""),
    Field("text", _("系统内容"), "新城街道清溪社区阳光小区"),
)
LINK = Field("link", _("登录网址"), "", outside=True)

_kinds: dict[str, Kind] = {}
_groups: dict[str, Group] = {SYSTEM_GROUP: Group(SYSTEM_GROUP, _("系统和账号"), _("后台任务、账号和导入"))}
_prefixes: dict[str, str] = {}
_exact: dict[str, str] = {}
_fields: dict[str, tuple[Field, ...]] = {}


def register_kind(name: str, label: Text, *, outside: bool = False, urgent: bool = False) -> None:
    """Gives a kind its Chinese name, and says whether it also goes out over outside channels, and at any hour."""
    _kinds[name] = Kind(name, label, outside, urgent)


def register_group(
    name: str, label: Text, *, kinds: Iterable[str] = (), exactly: Iterable[str] = (), note: Text = ""
) -> None:
    """Puts kinds into a group: every kind whose name begins with one of `kinds`, where the longest beginning wins, and
    those called as `exactly` says, before any beginning."""
    _groups[name] = Group(name, label, note)
    _exact.update(dict.fromkeys(exactly, name))
    _prefixes.update(dict.fromkeys(kinds, name))


def register_fields(beginning: str, fields: Iterable[Field]) -> None:
    """Says what the words of the kinds with this beginning may name, beside `COMMON`. Who posts such a kind gives the
    values (`Message.fields`)."""
    _fields[beginning] = tuple(fields)


def find(name: str) -> Kind | None:
    return _kinds.get(name)


def is_urgent(name: str) -> bool:
    return name in _kinds and _kinds[name].urgent


def kind_label(name: str) -> str:
    return str(_kinds[name].label) if name in _kinds else ""


def kinds() -> list[Kind]:
    return list(_kinds.values())


def groups() -> list[Group]:
    """The groups in which there is a kind: those that leave the portal first, the system's last."""
    used = {group_of(name) for name in _kinds}
    found = [group for group in _groups.values() if group.name in used and group.name != SYSTEM_GROUP]
    return [*sorted(found, key=lambda group: not goes_outside(group.name)), _groups[SYSTEM_GROUP]]


def group_of(kind: str) -> str:
    return _exact.get(kind) or _longest(_prefixes, kind) or SYSTEM_GROUP


def group_label(kind: str) -> Text:
    return _groups[group_of(kind)].label


def all_urgent(group: str) -> bool:
    """Whether whatever the group tells must be told at once."""
    return all(kind.urgent for kind in _kinds.values() if kind.group == group)


def goes_outside(group: str) -> bool:
    """Whether anything in the group leaves the portal by text message."""
    return any(kind.outside for kind in _kinds.values() if kind.group == group)


def fields_of(kind: str) -> tuple[Field, ...]:
    """What title and body of a kind may name."""
    return (*COMMON, *(_longest(_fields, kind) or ()))


def outside_fields_of(kind: str) -> tuple[Field, ...]:
    """What may leave the portal."""
    return (*(field for field in fields_of(kind) if field.outside), LINK)


def examples(kind: str) -> dict[str, str]:
    """A made-up case of a kind, for previews."""
    label = kind_label(kind)
    values = {field.name: field.example for field in fields_of(kind)}
    about = values.get("title") or "阳光小区3栋楼道灯不亮"
    return {**values, "kind": label, "headline": f"{label}：{about}"}


def _longest(table: Mapping[str, T], name: str) -> T | None:
    """The entry with the longest key that `name` begins with."""
    fitting = [key for key in table if name.startswith(key)]
    return table[max(fitting, key=len)] if fitting else None
