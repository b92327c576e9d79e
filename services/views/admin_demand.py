"""The page of one demand in the admin: what it is, who has it, how late it is, what happened, what can be done now."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Fact, Part, ScopedModelAdmin, chip, link
from core.periods import date_words, datetime_words
from services import posts
from services.models import (
    Demand,
    DemandEvent,
    Evaluation,
    Extension,
    FollowUp,
    Parking,
    SubOrder,
    Supervision,
    Whistle,
)
from services.models.demand import Desk
from services.selectors import loop as selectors
from services.selectors.loop import Action, DemandPage
from services.views import cards, demand_projects, demand_rates
from services.views.photos import picture

_TONES = {"main": 0, "plain": 1, "danger": 2}


def find(request: HttpRequest, pk: int) -> Demand:
    """The demand with everything its policies and guards read. Raises `NotFound`."""
    return selectors.find_demand(request.user, pk=pk)


def show(page: ScopedModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if not page.sees_list(request.user):
        raise PermissionDenied
    found = selectors.demand_page(request.user, pk=pk)
    return page.render(request, "admin/demand.html", context(page, request, found))


def context(page: ScopedModelAdmin, request: HttpRequest, found: DemandPage) -> dict[str, Any]:
    demand, now = found.demand, timezone.now()
    climb = None if found.summary else demand_rates.climb_of(demand)
    return {
        "title": demand.title,
        "original": demand,
        "chips": [(one.label, one.tone) for one in (cards.state_chip(demand), *cards.flags(demand))]
        + demand_rates.rung_chips(climb),
        "clock": cards.demand_clock(demand, now),
        "buttons": [
            *buttons(page, found),
            *demand_rates.buttons(demand, climb, request.user),
            *_case_button(request, demand),
        ],
        "facts": [*facts(page, request, found), *demand_rates.rung_facts(climb)],
        "contact_url": _contact_url(page, request, found),
        "suborders": [_suborder(row, now) for row in found.suborders],
        "parts": []
        if found.summary
        else [*_records(demand), *demand_rates.parts(demand), *demand_projects.parts(demand, request.user)],
        "events": [line(event) for event in found.events],
        "summary": found.summary,
    }


def move_url(page: ScopedModelAdmin, action: Action, demand: Demand) -> str:
    return f"{page.url('move', demand.pk, action.row.name)}?on={action.key}"


def buttons(page: ScopedModelAdmin, found: DemandPage) -> list[dict[str, Any]]:
    """The next step first, what refuses or stops last; the unit is named where two units could be meant."""
    main = selectors.next_action(found.actions)
    names = [action.row.name for action in found.actions]
    drawn = [
        {
            "label": action.row.label,
            "url": move_url(page, action, found.demand),
            "tone": "main" if action == main else "danger" if action.row.tone == "danger" else "plain",
            "whose": action.whose if names.count(action.row.name) > 1 else "",
        }
        for action in found.actions
    ]
    return sorted(drawn, key=lambda button: _TONES[str(button["tone"])])


def _case_button(request: HttpRequest, demand: Demand) -> list[dict[str, Any]]:
    """From a demand to a case of the household, for the community; the place goes along, and nothing else."""
    if not policies.can(request.user, posts.MANAGE_CASE, demand.node):
        return []
    address = f"{reverse('admin:services_helpcase_add')}?demand={demand.pk}"
    return [{"label": _("建帮扶个案"), "url": address, "tone": "plain", "whose": ""}]


def facts(page: ScopedModelAdmin, request: HttpRequest, found: DemandPage) -> list[Fact]:
    demand = found.demand
    lead = demand.lead_unit.name if demand.lead_unit else ""
    known = [
        Fact(_("地点"), demand.node.path),
        Fact(_("编号"), demand.code),
        Fact(_("类别"), f"{demand.category.name}（{_category(demand)}）"),
        Fact(_("来源"), _origin(demand)),
        Fact(_("登记时间"), datetime_words(demand.registered_at)),
        Fact(_("牵头单位"), lead),
    ]
    if found.summary:
        return known
    known += [
        Fact(_("联系人"), demand.masked_name),
        Fact(_("联系电话"), demand.masked_phone),
        Fact(_("办理时限"), _when(demand.due_at)),
        # Before a limit is set there is nothing it could rest on.
        *([Fact(_("时限依据"), _rules(request, demand))] if demand.rule_version is not None else []),
        Fact(_("下一步时限"), _when(demand.step_due_at)),
        Fact(_("居民评价"), _heard(demand)),
    ]
    if demand.round > 1:
        known.append(Fact(_("办理轮次"), _("第 %(round)d 轮") % {"round": demand.round}))
    if demand.linked_to is not None:
        known.append(Fact(_("并入"), link(demand.linked_to.code, page.url("change", demand.linked_to.pk))))
    if demand.escalated_at:
        known.append(Fact(_("上报街道"), datetime_words(demand.escalated_at)))
    if demand.desk != Desk.COMMUNITY:
        known.append(Fact(_("经办层级"), demand.get_desk_display()))
    if demand.transfers:
        known.append(Fact(_("移交次数"), str(demand.transfers)))
    if demand.external_number:
        known += [
            Fact(_("原编号"), demand.external_number),
            Fact(_("原日期"), date_words(demand.external_date) if demand.external_date else ""),
            Fact(_("来源渠道"), " ".join(text for text in (demand.external_channel, demand.external_nature) if text)),
            Fact(_("原地点"), demand.place_text),
        ]
    return known


def line(event: DemandEvent) -> dict[str, Any]:
    """An event as components/timeline.html takes it."""
    unit = event.suborder.unit.label if event.suborder is not None else ""
    return {
        "what": event.title,
        "who": " · ".join(text for text in (event.actor_name, unit) if text),
        "when": timezone.localtime(event.at),
        "why": event.text,
        "pictures": [picture(photo) for photo in event.photos.all()],
    }


def _origin(demand: Demand) -> str:
    by = demand.raised_by.name if demand.raised_by else ""
    return f"{demand.get_origin_display()}（{by}）" if by else demand.get_origin_display()


def _when(moment: datetime | None) -> str:
    return datetime_words(moment) if moment else ""


def _category(demand: Demand) -> str:
    """How urgent it is, and the limit it would be given; not beside a limit that was set by an older rule."""
    urgency = demand.get_urgency_display()
    return (
        urgency
        if demand.due_at
        else _("%(urgency)s，%(limit)s") % {"urgency": urgency, "limit": demand.category.limit_words}
    )


def _rules(request: HttpRequest, demand: Demand) -> str:
    """Which version of the county's rules its limit was set by, with the way to it for whoever may read it."""
    words = _("按第 %(number)d 版时限规则") % {"number": demand.rule_version}
    if not policies.holds(request.user, posts.VIEW_SETTINGS):
        return words
    return link(words, reverse("admin:services_ruleversion_numbered", args=[demand.county_id, demand.rule_version]))


def _heard(demand: Demand) -> str:
    if demand.solved is None:
        return ""
    words = dict(FollowUp._meta.get_field("satisfaction").flatchoices)
    return _("%(solved)s，%(satisfaction)s") % {
        "solved": _("已解决") if demand.solved else _("未解决"),
        "satisfaction": words.get(demand.satisfaction, _("未表态")),
    }


def _contact_url(page: ScopedModelAdmin, request: HttpRequest, found: DemandPage) -> str:
    demand = found.demand
    has_contact = bool(demand.contact_name or demand.contact_phone)
    if found.summary or not has_contact or not selectors.may_reveal(request.user, demand):  # type: ignore[arg-type]
        return ""
    return page.url("contact", demand.pk)


def _suborder(row: SubOrder, now: datetime) -> dict[str, Any]:
    marks = [(_("主动认领"), "blue")] if row.claimed else []
    marks += [(_("吹哨召集"), "blue")] if row.whistle_id else []
    marks += [(_("指定承办"), "grey")] if row.designated and not row.whistle_id else []
    marks += [(_("延期待审核"), "amber")] if row.extension_waiting else []
    return {
        "unit": row.unit.name,
        "role": row.get_role_display(),
        "chip": cards.state_chip(row),
        "marks": marks,
        "clock": cards.suborder_clock(row, now),
        "facts": _suborder_facts(row, now),
        "people": [(one.member.name, cards.state_chip(one)) for one in row.assignments.all()],
    }


def _suborder_facts(row: SubOrder, now: datetime) -> list[Fact]:
    found = [
        Fact(_("派单时间"), datetime_words(row.dispatched_at)),
        Fact(_("办理时限"), _when(row.due_at)),
        Fact(_("签收"), _kept(row.signed_at, row.sign_due_at, now)),
        Fact(_("首次联系"), _kept(row.contacted_at, row.contact_due_at, now)),
        Fact(_("退单"), _when(row.returned_at)),
        Fact(_("办结"), _when(row.finished_at)),
        Fact(_("派单说明"), row.note, wide=True),
        Fact(_("办理结果"), row.result, wide=True),
    ]
    return [fact for fact in found if fact.value]


def _kept(done: datetime | None, due: datetime | None, now: datetime) -> str:
    """When it was done and whether in time; else until when it should be."""
    if done is not None:
        late = due is not None and done > due
        return f"{datetime_words(done)} {_('（超时）') if late else ''}".rstrip()
    if due is None:
        return ""
    words = _("应在 %(due)s 前，已超时") if now > due else _("应在 %(due)s 前")
    return words % {"due": datetime_words(due)}


def _records(demand: Demand) -> list[Part]:
    """What stands beside the state: supervision, extension, parking, the resident's word. Only what there is."""
    found = [
        Part(
            _("督办"),
            [_("督办要求"), _("督办人"), _("对象"), _("答复时限"), _("答复")],
            [_supervision(row, demand) for row in _of(Supervision, demand, "unit", "by", "answered_by")],
        ),
        Part(
            _("吹哨"),
            [_("吹哨要求"), _("召集单位"), _("到场"), _("吹哨人"), _("办结时限"), _("处置结果")],
            [_whistle(row) for row in _whistles(demand)],
        ),
        Part(
            _("延期"),
            [_("单位"), _("延期至"), _("理由"), _("申请"), _("审核")],
            [_extension(row) for row in _extensions(demand)],
        ),
        Part(
            _("挂账"),
            [_("挂账至"), _("实施计划"), _("经办")],
            [[date_words(row.until), row.plan, _by(row.by, row.at)] for row in _of(Parking, demand, "by")],
        ),
        Part(
            _("居民评价和回访"),
            [_("方式"), _("是否解决"), _("是否满意"), _("意见"), _("时间")],
            [*map(_evaluation, _of(Evaluation, demand)), *map(_follow_up, _of(FollowUp, demand, "by"))],
        ),
    ]
    return [part for part in found if part.rows]


def _of(model: Any, demand: Demand, *related: str) -> Any:
    rows = model.objects.filter(demand=demand)
    return rows.select_related(*related) if related else rows


def _extensions(demand: Demand) -> Iterable[Extension]:
    return Extension.objects.filter(suborder__demand=demand).select_related("suborder__unit", "by", "decided_by")


def _by(person: Any, moment: datetime) -> str:
    return f"{person.name} {datetime_words(moment)}"


def _supervision(row: Supervision, demand: Demand) -> list[Any]:
    answer = (
        f"{row.answer}（{_by(row.answered_by, row.answered_at)}）" if row.answered_at else chip(_("待答复"), "amber")
    )
    whom = row.unit.label if row.unit else demand.community.name
    return [row.text, _by(row.by, row.at), whom, datetime_words(row.due_at), answer]


def _whistles(demand: Demand) -> Iterable[Whistle]:
    """Asked for only where an order was whistled."""
    if not any(row.whistle_id for row in demand.suborders.all()):
        return ()
    rows: Iterable[Whistle] = _of(Whistle, demand, "by", "ended_by").prefetch_related("suborders__unit")
    return rows


def _whistle(row: Whistle) -> list[Any]:
    units = "、".join(one.unit.label for one in row.suborders.all())
    meet = " ".join(part for part in (_when(row.meet_at), row.venue) if part) or "—"
    result = (
        f"{row.result}（{_by(row.ended_by, row.ended_at)}）"
        if row.ended_by and row.ended_at
        else chip(_("待办结"), "amber")
    )
    return [row.text, units, meet, _by(row.by, row.at), datetime_words(row.due_at), result]


def _extension(row: Extension) -> list[Any]:
    number = _("第 %(number)d 次，至%(until)s") % {"number": row.number, "until": date_words(row.until)}
    decided = row.get_state_display()
    if row.decided_by and row.decided_at:
        decided = f"{decided}：{row.note}（{_by(row.decided_by, row.decided_at)}）"
    return [row.suborder.unit.label, number, row.reason, _by(row.by, row.at), decided]


def _evaluation(row: Evaluation) -> list[Any]:
    way = _("居民评价（第 %(round)d 轮）") % {"round": row.round}
    return [way, _solved(row.solved), row.get_satisfaction_display(), row.text or "—", datetime_words(row.at)]


def _follow_up(row: FollowUp) -> list[Any]:
    way = _("电话回访（%(by)s）") % {"by": row.by.name}
    if not row.reached:
        return [way, _("未联系上"), "—", row.text or "—", datetime_words(row.at)]
    return [way, _solved(row.solved), row.get_satisfaction_display(), row.text or "—", datetime_words(row.at)]


def _solved(solved: bool | None) -> str:
    return _("已解决") if solved else _("未解决")
