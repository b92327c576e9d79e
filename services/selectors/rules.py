"""Reads of a county's rule versions: what a version says in words, and what it says otherwise than the one before."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from services.models import LimitUnit, LoopSettings, RuleVersion


@dataclass(frozen=True)
class Line:
    """One limit in words. `before` is empty for what was not there, `after` for what is no longer."""

    name: str
    label: str
    before: str
    after: str


def lines_of(version: RuleVersion) -> list[Line]:
    """Every limit of a version, settings first, then the categories."""
    return [Line(name, label, "", value) for name, (label, value) in _said(version.rules).items()]


def before(version: RuleVersion) -> RuleVersion | None:
    """The version before this one."""
    earlier = RuleVersion.objects.filter(county_id=version.county_id, number__lt=version.number)
    return earlier.order_by("-number").first()


def differences(old: RuleVersion | None, new: RuleVersion) -> list[Line]:
    """What the new version says otherwise than the old; nothing for the first one."""
    if old is None:
        return []
    was, now = _said(old.rules), _said(new.rules)
    found = []
    for name in [*now, *(name for name in was if name not in now)]:
        one, other = was.get(name), now.get(name)
        if (one and one[1]) != (other and other[1]):
            label = other[0] if other else was[name][0]
            found.append(Line(name, label, one[1] if one else "", other[1] if other else ""))
    return found


def _said(rules: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Name of each limit -> its label and value in words. Names of fields no longer in use stand for themselves."""
    found = dict(_settings(rules.get("limits", {})))
    for key, (name, value, unit, contact) in rules.get("categories", {}).items():
        label = _("类别“%(name)s”") % {"name": name}
        found[f"category.{key}"] = (label, f"{value} {LimitUnit(unit).label}")
        own = _("%(hours)d 个工作小时") % {"hours": contact} if contact else _("按全县的时限")
        found[f"category.{key}.contact"] = (_("类别“%(name)s”首次联系") % {"name": name}, own)
    return found


def _settings(limits: dict[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    known = {field.name: str(field.verbose_name) for field in LoopSettings._meta.concrete_fields}
    for field in [*(name for name in known if name in limits), *(name for name in limits if name not in known)]:
        yield field, (known.get(field, field), str(limits[field]))
