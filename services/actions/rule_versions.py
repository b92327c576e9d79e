"""The numbered versions of a county's limits. Whoever changes a limit writes the next one in the same transaction.

A demand or an order names the version it was given its limits by; no version is changed or taken back, and a new one
moves no limit that runs already (docs/practice.md#loop).
"""

from typing import Any

from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, user_of
from grids.models import County
from services.models import Category, LoopSettings, RuleVersion

# Every limit of `LoopSettings` with its smallest and largest value. Zero would end a limit the moment it begins.
LIMITS: dict[str, tuple[int, int]] = {
    "accept_workdays": (1, 30),
    "dispatch_workdays": (1, 30),
    "publish_workdays": (1, 60),
    "sign_hours": (1, 80),
    "contact_hours": (1, 80),
    "check_workdays": (1, 30),
    "assignment_workdays": (1, 30),
    "auto_close_days": (1, 90),
    "reopen_days": (1, 365),
    "supervision_workdays": (1, 30),
    "review_workdays": (1, 30),
    "bulletin_workdays": (1, 60),
    "leader_workdays": (1, 90),
    "bulletin_answer_workdays": (1, 60),
    "exclusion_workdays": (1, 30),
    "whistle_hours": (1, 80),
    "whistle_workdays": (1, 60),
    "case_workdays": (1, 30),
    "wish_check_workdays": (1, 30),
    "wish_adopt_days": (1, 365),
    "wish_workdays": (1, 120),
    "wish_cost": (1, 100_000),
    "yellow_percent": (1, 90),
}


def hold_rules(actor: Actor, county: County) -> None:
    """Locks a county's rules until the transaction ends: one writer at a time. A county without a version gets its
    first, the limits as they stand before whatever the caller is about to change.
    """
    County.objects.select_for_update(of=("self",), no_key=True).get(pk=county.pk)
    if not RuleVersion.objects.filter(county=county).exists():
        _write(actor, county, 1, rules_in_force(county))


def note_rules(actor: Actor, county: County) -> RuleVersion | None:
    """Writes the county's next version when its limits are no longer those of the newest; None when they are.

    The caller holds the rules (`hold_rules`) and has made its change.
    """
    newest = RuleVersion.objects.filter(county=county).order_by("-number").first()
    rules = rules_in_force(county)
    if newest is not None and _bare(newest.rules) == _bare(rules):
        return None
    return _write(actor, county, newest.number + 1 if newest else 1, rules)


def rules_in_force(county: County) -> dict[str, Any]:
    """A county's limits as they stand in its settings and categories, in the shape of `RuleVersion.rules`."""
    limits = LoopSettings.objects.filter(county=county).first() or LoopSettings(county=county)
    rows = Category.objects.filter(county=county).order_by("pk")
    return {
        "limits": {name: getattr(limits, name) for name in LIMITS},
        "categories": {str(row.pk): [row.name, row.limit_value, row.limit_unit, row.contact_hours] for row in rows},
    }


def _bare(rules: dict[str, Any]) -> tuple[Any, Any]:
    """What makes rules differ: a new name of a category alone is no new rule."""
    return rules["limits"], {key: row[1:] for key, row in rules["categories"].items()}


def _write(actor: Actor, county: County, number: int, rules: dict[str, Any]) -> RuleVersion:
    row = RuleVersion.objects.create(county=county, number=number, by=user_of(actor), rules=rules)
    label = _("第 %(number)d 版") % {"number": number}
    audit.record(actor=actor, action="rules.version", obj=row, label=label, new=True)
    return row
