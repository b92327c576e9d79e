"""`/m/members/`: the community takes members in and confirms their services, on the phone; one by one, or all shown.

Works without JavaScript. Posts answer with a redirect: WeChat's back button must never send a form again.
"""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import phone, policies
from core.errors import Forbidden, NotFound
from core.models import User
from core.moving import Moved
from core.periods import date_words
from core.phone import Way, person, phone_page
from grids.naming import steps_of
from services import posts
from services.actions.member_checkins import decide_reports
from services.actions.member_services import decide_services
from services.member_deeds import REPORT_DEEDS, SERVICE_DEEDS
from services.models import MemberCheckIn, MemberCheckInState, ServiceRecord, ServiceState
from services.selectors import membership
from services.views.mobile_own_report import deed_page, facts_of, service_card

SHOWN = 20


def ways(user: User) -> Iterator[Way]:
    """What members wait for, for whoever takes them in. One query."""
    if not policies.holds(user, posts.MANAGE_MEMBER_CHECKIN):
        return
    waits = membership.how_many_wait(user)
    listed = "membercheckin_changelist" if waits.reports else "servicerecord_changelist"
    state = MemberCheckInState.APPLIED if waits.reports else ServiceState.ENTERED
    desk = f"{reverse(f'admin:services_{listed}')}?state={state}"
    note = _("接收报到，确认服务")
    desk = reverse("admin:services_membercheckin_changelist")
    count = waits.reports + waits.services
    yield Way(_("党员报到和服务"), reverse("mobile:members"), "care", note, count, _("项待办"), desk)


@phone_page
@require_safe
def members(request: HttpRequest) -> HttpResponse:
    """Who waits to be taken in, and which services wait to be confirmed."""
    user = _keeper(request)
    reports = list(membership.reports_waiting(user)[: SHOWN + 1])
    services = list(membership.services_waiting(user)[: SHOWN + 1])
    context = {
        "reports": [_report_card(row) for row in reports[:SHOWN]],
        "more_reports": len(reports) > SHOWN,
        "services": [_service_card(row) for row in services[:SHOWN]],
        "more_services": len(services) > SHOWN,
    }
    return phone.show(request, "services/mobile/members.html", context, active="me")


def _report_card(row: MemberCheckIn) -> dict[str, Any]:
    unit = row.member.unit.label if row.member.unit else _("未登记单位")
    return {
        "row": row,
        "name": row.member.name,
        "place": steps_of(row.node.path),
        "meta": [unit, _("%(day)s报到") % {"day": date_words(row.applied_at)}],
        "facts": facts_of(row)[:3],
    }


def _service_card(row: ServiceRecord) -> dict[str, Any]:
    return {**service_card(row), "name": row.checkin.member.name, "place": steps_of(row.checkin.node.path)}


@phone_page
@require_POST
def decide_many(request: HttpRequest, name: str) -> HttpResponse:
    """Accepts or confirms what was shown, with the versions that were shown."""
    user = _keeper(request)
    seen = _seen(request)
    if name == "accept":
        reports = MemberCheckIn.objects.visible_to(user).filter(pk__in=seen).select_related("node")
        _say(request, decide_reports(actor=user, checkins=list(reports), name=name, versions=seen), _("已接收"))
    elif name == "confirm":
        services = ServiceRecord.objects.visible_to(user).filter(pk__in=seen)
        _say(request, decide_services(actor=user, services=list(services), name=name, versions=seen), _("已确认"))
    else:
        raise NotFound(_("没有这个操作。"))
    return redirect("mobile:members")


def _seen(request: HttpRequest) -> dict[int, int]:
    """Key -> version, as the page had them: fields `row` of "12.3"."""
    found = {}
    for text in request.POST.getlist("row")[: SHOWN * 2]:
        key, _dot, version = text.partition(".")
        if all(part.isascii() and part.isdigit() and len(part) < 16 for part in (key, version)):
            found[int(key)] = int(version)
    return found


def _say(request: HttpRequest, moved: Moved[Any], words: str) -> None:
    if moved.done:
        messages.success(request, _("%(words)s %(count)d 项。") % {"words": words, "count": len(moved.done)})
    for reason in dict.fromkeys(refused.reason for refused in moved.refused):
        messages.warning(request, reason)


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def decide_report(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Sending back or declining one report, with a word."""
    row = MemberCheckIn.objects.visible_to(_keeper(request)).select_related("member", "node__county").filter(pk=pk)
    return _decide(request, REPORT_DEEDS, row.first(), name)


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def decide_service(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Sending back one service, with a word."""
    rows = ServiceRecord.objects.visible_to(_keeper(request))
    row = rows.select_related("checkin__member", "checkin__node__county").filter(pk=pk).first()
    return _decide(request, SERVICE_DEEDS, row, name)


def _decide(request: HttpRequest, deeds: Any, row: Any, name: str) -> HttpResponse:
    deed = next((deed for deed in deeds if deed.name == name), None)
    if row is None or deed is None:
        raise NotFound(_("没有找到这条记录，或不在您的管辖范围内。"))
    if isinstance(row, ServiceRecord):
        member, node, about = row.checkin.member, row.checkin.node, service_card(row)
    else:
        member, node, about = row.member, row.node, None
    back, at = reverse("mobile:members"), steps_of(node.path)
    return deed_page(request, deed, row, back=back, at=at, active="me", who=member.name, about=about)


def _keeper(request: HttpRequest) -> User:
    user = person(request)
    if not policies.holds(user, posts.MANAGE_MEMBER_CHECKIN):
        raise Forbidden(_("由社区接收党员报到、确认服务。"))
    return user
