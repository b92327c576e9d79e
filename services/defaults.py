"""What a new county begins with: eight categories, the buttons a resident presses, and the limits of the loop. Data.

Limits: docs/practice.md#loop (urgent 24 hours, ordinary 5 working days, complex 15). Every figure is a setting; the
county's administrator changes them in the admin.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import SYSTEM
from core.errors import Conflict
from grids.models import County
from services.actions.rule_versions import hold_rules
from services.models import Category, LimitUnit, LoopSettings, Urgency

STEP = 10


@dataclass(frozen=True)
class CategorySpec:
    """A category to be. `icon` is a symbol of static/img/icons.svg."""

    name: str
    hint: str
    icon: str
    urgency: Urgency


# Names and examples are a county's own data, not words of the pages: they are stored as they stand here.
CATEGORIES: tuple[CategorySpec, ...] = (
    CategorySpec("水电气暖", "停水停电、管道漏水、燃气、暖气不热", "water", Urgency.URGENT),
    CategorySpec("安全隐患", "消防通道堵塞、飞线充电、井盖缺失", "safety", Urgency.URGENT),
    CategorySpec("环境卫生", "垃圾清运、污水、楼道杂物、绿化", "clean", Urgency.ORDINARY),
    CategorySpec("物业维修", "楼道灯、门禁、电梯、屋顶漏雨、物业服务", "building", Urgency.ORDINARY),
    # Both need agreement among neighbours or works on the street.
    CategorySpec("停车交通", "车位不足、乱停乱放、道路破损", "road", Urgency.COMPLEX),
    CategorySpec("邻里纠纷", "噪音、油烟、漏水、公共空间", "talk", Urgency.COMPLEX),
    CategorySpec("困难帮扶", "看病、就业、上学、照料老人孩子", "care", Urgency.ORDINARY),
    CategorySpec("其他", "咨询、建议和别的事情", "more", Urgency.ORDINARY),
)
LIMITS: dict[Urgency, tuple[int, LimitUnit]] = {
    Urgency.URGENT: (24, LimitUnit.HOURS),
    Urgency.ORDINARY: (5, LimitUnit.WORKDAYS),
    Urgency.COMPLEX: (15, LimitUnit.WORKDAYS),
}


@transaction.atomic
def make_defaults(county: County) -> list[Category]:
    """Gives a new county its categories and limits, in the system's name; for the commands that set a county up.

    Raises Conflict when the county has categories or limits already: what somebody changed is never written over.
    """
    if Category.objects.filter(county=county).exists() or LoopSettings.objects.filter(county=county).exists():
        raise Conflict(_("%(county)s已有类别和时限，没有改动。") % {"county": county.name}, code="defaults_exist")
    rows = Category.objects.bulk_create(
        Category(
            county=county,
            name=spec.name,
            hint=spec.hint,
            icon=spec.icon,
            order=number * STEP,
            urgency=spec.urgency,
            limit_value=LIMITS[spec.urgency][0],
            limit_unit=LIMITS[spec.urgency][1],
        )
        for number, spec in enumerate(CATEGORIES, start=1)
    )
    limits = LoopSettings.objects.create(county=county)
    deeds = [audit.Deed(row, {"name": (None, row.name)}, label=row.name) for row in rows]
    audit.record_many(actor=SYSTEM, action="category.create", deeds=deeds, new=True)
    audit.record(actor=SYSTEM, action="settings.create", obj=limits, label=str(limits), new=True)
    hold_rules(SYSTEM, county)
    return rows
