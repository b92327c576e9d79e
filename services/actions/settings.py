"""A county's own figures: its categories, its limits, its departures from the national calendar. Every change is audited."""

import datetime
from collections.abc import Collection
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import SYSTEM, Actor, user_of
from core.errors import Conflict, Forbidden, Invalid
from core.models import CalendarDay
from core.text import clean_line
from grids.models import County
from services import posts
from services.actions.rule_versions import LIMITS, hold_rules, note_rules
from services.models import Category, LimitUnit, LoopSettings, Urgency

_CATEGORY = (
    "name",
    "hint",
    "icon",
    "order",
    "urgency",
    "limit_value",
    "limit_unit",
    "contact_hours",
    "is_public",
    "is_active",
)


@transaction.atomic
def create_category(*, actor: Actor, county: County, **values: Any) -> Category:
    """Makes a category of a county. `values`: its fields, see `Category`.

    Raises:
        NotFound, Forbidden: without `settings.manage` in the county. Invalid: a value can not be used.
        Conflict: the county has one of that name.
    """
    _require(actor, county)
    hold_rules(actor, county)
    row = Category(county=county, **_clean_category(values))
    _save_category(row)
    note_rules(actor, county)
    changes = {name: (None, getattr(row, name)) for name in _CATEGORY}
    audit.record(actor=actor, action="category.create", obj=row, changes=changes, label=row.name, new=True)
    return row


@transaction.atomic
def update_category(*, actor: Actor, category: Category, **values: Any) -> Category:
    """Changes a category. Demands that carry it keep the limits they were given. Raises as `create_category`."""
    _require(actor, category.county)
    hold_rules(actor, category.county)
    row = Category.objects.select_for_update(of=("self",)).select_related("county").get(pk=category.pk)
    changes = _apply(row, _clean_category(values))
    if changes:
        _save_category(row)
        note_rules(actor, row.county)
        audit.record(actor=actor, action="category.update", obj=row, changes=changes, label=row.name)
    return row


@transaction.atomic
def update_limits(*, actor: Actor, limits: LoopSettings, **values: Any) -> LoopSettings:
    """Changes a county's limits. Clocks that run already keep theirs; the next step takes the new one.

    Raises `NotFound`, `Forbidden`, `Invalid` (a figure outside `LIMITS`; `fields` names it).
    """
    _require(actor, limits.county)
    hold_rules(actor, limits.county)
    row = LoopSettings.objects.select_for_update(of=("self",)).select_related("county").get(pk=limits.pk)
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        if name == "promise":
            cleaned[name] = clean_line(value, max_length=60, label=_("对居民的承诺"), required=True)
            continue
        low, high = LIMITS[name]
        if not low <= value <= high:
            message = _("请填写 %(low)d 到 %(high)d 之间的整数。") % {"low": low, "high": high}
            raise Invalid(message, fields={name: message})
        cleaned[name] = value
    changes = _apply(row, cleaned)
    if changes:
        row.save(update_fields=list(changes))
        note_rules(actor, row.county)
        audit.record(actor=actor, action="settings.limits", obj=row, changes=changes, label=str(row))
    return row


@transaction.atomic
def set_calendar_day(*, actor: Actor, date: datetime.date, is_working: bool, note: str = "") -> CalendarDay:
    """Says whether a day is worked here, whatever the national calendar says. A second call for the day changes it.

    Raises `Forbidden` without `settings.manage`, `Invalid` for a day far from today's years.
    """
    _require_calendar(actor)
    if not 2000 <= date.year <= 2100:
        raise Invalid(_("请核对日期。"), fields={"date": _("请核对年份。")})
    note = clean_line(note, max_length=60, label=_("说明"))
    row = CalendarDay.objects.select_for_update().filter(date=date).first()
    before = (row.is_working, row.note) if row else (None, None)
    row = row or CalendarDay(date=date)
    row.is_working, row.note = is_working, note
    row.save()
    changes = {"is_working": (before[0], is_working), "note": (before[1], note)}
    _write_day(actor, "calendar.set", row, changes)
    return row


# A longer stretch is a slip of the finger: the longest holiday there is has nine days.
LONGEST_STRETCH = 31


@transaction.atomic
def set_calendar_days(
    *, actor: Actor, date: datetime.date, until: datetime.date | None, is_working: bool | None, note: str = ""
) -> CalendarDay | None:
    """The same for every day from `date` until `until` (None: that day alone), both included.

    Args:
        is_working: None when the days shall follow the national calendar again.

    Returns the first day, None when it follows the national calendar. Raises as `set_calendar_day`.
    """
    length = (until - date).days + 1 if until else 1
    if not 1 <= length <= LONGEST_STRETCH:
        message = _("结束日期应在开始日期之后，一次最多 %(days)d 天。") % {"days": LONGEST_STRETCH}
        raise Invalid(message, fields={"until": message})
    days = [date + datetime.timedelta(days=number) for number in range(length)]
    if is_working is None:
        unset_calendar_days(actor=actor, days=days)
        return None
    rows = [set_calendar_day(actor=actor, date=day, is_working=is_working, note=note) for day in days]
    return rows[0]


@transaction.atomic
def unset_calendar_days(*, actor: Actor, days: Collection[datetime.date]) -> None:
    """Days follow the national calendar again; those that do already stay as they are. Raises `Forbidden`."""
    _require_calendar(actor)
    for row in CalendarDay.objects.select_for_update().filter(date__in=days).order_by("date"):
        changes = {"is_working": (row.is_working, None), "note": (row.note, None)}
        _write_day(actor, "calendar.unset", row, changes)
        row.delete()


def _require_calendar(actor: Actor) -> None:
    if actor is not SYSTEM and not policies.holds(user_of(actor), posts.MANAGE_SETTINGS):
        raise Forbidden(_("您没有“%(right)s”的权限。") % {"right": policies.label(posts.MANAGE_SETTINGS)})


def _write_day(actor: Actor, action: str, row: CalendarDay, changes: dict[str, tuple[Any, Any]]) -> None:
    # The calendar is the installation's; the deed belongs to the county of whoever did it, whose auditor reads it.
    row.county_key = getattr(user_of(actor), "county_key", None)  # type: ignore[attr-defined]
    audit.record(actor=actor, action=action, obj=row, changes=changes, label=f"{row.date:%Y-%m-%d}")


def _require(actor: Actor, county: County) -> None:
    if actor is SYSTEM:
        return
    policies.require(actor, posts.MANAGE_SETTINGS, county)


def _clean_category(values: dict[str, Any]) -> dict[str, Any]:
    found = dict(values)
    for name, length, label in (("name", 20, _("类别")), ("hint", 60, _("举例")), ("icon", 20, _("图标"))):
        if name in found:
            found[name] = clean_line(found[name], max_length=length, label=label, required=name == "name")
    if "urgency" in found and found["urgency"] not in Urgency.values:
        raise Invalid(_("请选择紧急程度。"), fields={"urgency": _("没有这一项。")})
    if "limit_unit" in found and found["limit_unit"] not in LimitUnit.values:
        raise Invalid(_("请选择时限单位。"), fields={"limit_unit": _("没有这一项。")})
    if "limit_value" in found and not 1 <= found["limit_value"] <= 400:
        message = _("请填写 1 到 400 之间的整数。")
        raise Invalid(message, fields={"limit_value": message})
    contact = found.get("contact_hours")
    low, high = LIMITS["contact_hours"]
    if contact is not None and not low <= contact <= high:
        message = _("请填写 %(low)d 到 %(high)d 之间的整数，或不填。") % {"low": low, "high": high}
        raise Invalid(message, fields={"contact_hours": message})
    return found


def _save_category(row: Category) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        message = _("已有“%(name)s”这个类别，请换一个名称。") % {"name": row.name}
        raise Conflict(message, code="name_taken", fields={"name": message}) from error


def _apply(row: Any, values: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    changes = {name: (getattr(row, name), value) for name, value in values.items() if getattr(row, name) != value}
    for name, (_before, after) in changes.items():
        setattr(row, name, after)
    return changes
