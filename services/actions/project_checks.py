"""What a project must be before anything of it is written: its words, days, units, demands and resources."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core import policies
from core.actors import Actor
from core.errors import Forbidden, Invalid, NotFound
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.text import clean_line, clean_text
from grids.actions.terms import check_person
from partybuilding.models import Unit
from services.models import Demand, DemandState, Project, ProjectState, Resource
from services.selectors.resources import usable_at
from services.workflow.projects import serves

if TYPE_CHECKING:
    from services.actions.projects import NewProject

MOST_BUDGET = Decimal("9999999999.99")
# What is nobody's matter (any more) is met by no project.
_NO_MATTER = (DemandState.DECLINED, DemandState.WITHDRAWN, DemandState.LINKED)

FACTS = ("name", "text", "budget", "start_on", "due_on", "leader")


def clean_fact(name: str, value: Any, one: Project) -> Any:
    if name == "name":
        return scrub(clean_line(value, max_length=80, label=_("项目名称"), field="name", required=True))
    if name == "text":
        return scrub(clean_text(value, max_length=1000, label=_("项目内容"), field="text"))
    if name == "budget" and value is not None and not 0 <= value <= MOST_BUDGET:
        raise bad("budget", _("预算请填写 0 或更大的金额，单位：元。"))
    if name == "leader" and value is not None:
        check_person(value, one.county)
    return value


def scrub(text: str) -> str:
    return scrub_identity_numbers(scrub_phone_numbers(text))


def clean_reason(text: str) -> str:
    return clean_line(text, max_length=500, label=_("意见"), field="reason")


def check_days(one: Project) -> None:
    if one.start_on and one.due_on and one.due_on < one.start_on:
        raise bad("due_on", _("完成期限不能早于开始日期。"))


_BEGUN = (ProjectState.DRAFT, ProjectState.OPEN, ProjectState.RUNNING, ProjectState.DONE)


def begin(actor: Actor, one: Project, row: "NewProject") -> None:
    """Puts a project that a list brings along into its state, by the rules of the moves that would have led there."""
    if row.state not in _BEGUN:
        raise bad("state", _("新项目的状态只能是草拟、待认领、实施中或已完成。"))
    one.state = row.state
    if row.state != ProjectState.DRAFT and one.due_on is None:
        raise bad("due_on", _("请填写完成期限。"))
    if row.state in (ProjectState.RUNNING, ProjectState.DONE):
        if one.lead_unit is None:
            raise bad("lead_unit", _("请填写牵头单位。"))
        one.claimed_at = one.created_at
    if row.state == ProjectState.DONE:
        if serves(actor, one.lead_unit_id):
            raise Forbidden(_("验收要由社区办理，牵头单位不能验收自己的项目。"))
        if row.done_on is None or row.done_on > timezone.localdate():
            raise bad("done_on", _("请填写验收日期，不能晚于今天。"))
        one.done_on, one.finished_at, one.result = row.done_on, one.created_at, clean_fact("text", row.result, one)


def check_units(one: Project, units: Sequence[Unit]) -> None:
    for unit in units:
        if unit.county_id != one.county_id or not unit.is_active:
            raise bad("unit", _("“%(unit)s”不是本县在用的单位。") % {"unit": unit})


def check_demands(actor: Actor, one: Project, demands: Sequence[Demand]) -> None:
    if not demands:
        return
    rows = Demand.objects.filter(pk__in=[demand.pk for demand in demands]).select_related("node")
    seen = {row.pk: row for row in policies.seen_by(rows, actor)}
    for demand in demands:
        row = seen.get(demand.pk)
        if row is None:
            raise NotFound(_("没有找到这条需求，或不在您的管辖范围内。"))
        there = row.community_id == one.community_id if one.community_id else row.node.tree_id == one.node.tree_id
        if not there:
            words = _("需求 %(code)s 不在“%(place)s”，不能放进这个项目。") % {"code": row.code, "place": one.node.path}
            raise bad("demands", words)
        if row.state in _NO_MATTER:
            words = _("需求 %(code)s %(state)s，不能放进项目。")
            raise bad("demands", words % {"code": row.code, "state": row.get_state_display()})


def check_resources(actor: Actor, one: Project, resources: Sequence[Resource]) -> None:
    if not resources:
        return
    rows = Resource.objects.filter(pk__in=[resource.pk for resource in resources])
    seen = set(policies.seen_by(rows, actor).values_list("pk", flat=True))
    here = set(rows.filter(usable_at(one.node, one.start_on)).values_list("pk", flat=True))
    names: set[int] = set()
    for row in resources:
        if row.pk not in seen:
            raise NotFound(_("没有找到这项资源，或不在您的管辖范围内。"))
        if row.pk not in here:
            words = _("“%(name)s”只能在“%(area)s”使用，或那天还不能用。")
            raise bad("resources", words % {"name": row.name, "area": row.node.path})
        if row.pk in names:
            raise bad("resources", _("“%(name)s”写了两次，请合成一行。") % {"name": row.name})
        names.add(row.pk)


def bad(name: str, message: str) -> Invalid:
    return Invalid(message, fields={name: message})
