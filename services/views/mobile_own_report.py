"""`/m/checkin/`: a member reports to where they live, and writes down what they did. Under a minute, mostly by touch.

Works without JavaScript. Posts answer with a redirect: WeChat's back button must never send a form again.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from core import phone, policies
from core.deeds import Deed, DeedForm, perform
from core.errors import Conflict, DomainError, Forbidden, NotFound, Stale
from core.forms import add_domain_error
from core.models import User
from core.periods import Quarter, date_words
from core.phone import Way, person, phone_page
from grids.models import GridNode
from grids.naming import steps_of
from partybuilding.models import Member
from services.actions import member_checkins as actions
from services.actions.member_services import enter_service, plain
from services.member_deeds import CORRECT, DROP, MEMBER_DEEDS, ChangeForm, OfferForm, ServiceForm, offer_of
from services.models import (
    FreeTime,
    MemberCheckIn,
    MemberCheckInState,
    ServiceRecord,
    ServiceState,
    Skill,
    WishedPost,
    labels_of,
)
from services.selectors import homes, membership
from services.selectors.members import figures_of
from services.workflow import MEMBER_CHECKIN, SERVICE

PER_PAGE = 30
SHOWN = 30
STATE_TONES = {
    MemberCheckInState.APPLIED: "amber",
    MemberCheckInState.SENT_BACK: "red",
    MemberCheckInState.ACCEPTED: "green",
}
SERVICE_TONES = {ServiceState.ENTERED: "amber", ServiceState.SENT_BACK: "red", ServiceState.CONFIRMED: "green"}
# What stands on the page of a report, by its state.
_SENTENCES = {
    MemberCheckInState.APPLIED: lazy("已送到社区，社区接收后会通知您。"),
    MemberCheckInState.SENT_BACK: lazy("社区退回了您的报到，请改好再提交。"),
    MemberCheckInState.ACCEPTED: lazy("社区已接收。参加了服务，在这里记一笔。"),
}
# Ways of choosing a home: what is done with it.
_PURPOSES = {"report": lazy("党员报到"), "move": lazy("搬家了"), "resend": lazy("改报到")}


def ways(user: User) -> Iterator[Way]:
    """The way to one's own report, for members. One query."""
    if not membership.is_member(user):
        return
    own = membership.own_report(user)
    address = reverse("mobile:own_report")
    if own.checkin is None:
        yield Way(_("党员报到"), address, "home", _("到居住小区报到，一分钟办好"), 1, _("项待办"))
        return
    waits = own.sent_back + (own.checkin.state == MemberCheckInState.SENT_BACK)
    note = _("%(place)s · %(state)s") % {"place": own.checkin.node.name, "state": own.checkin.get_state_display()}
    yield Way(_("我的报到和服务"), address, "home", note, waits, _("项要您核对"))


# --- One's own page -------------------------------------------------------------------------------------------------


@phone_page
@require_safe
def checkin(request: HttpRequest) -> HttpResponse:
    """What one reported, and what one did."""
    user = person(request)
    member = _member(user)
    row = membership.own_report(user).checkin
    if row is None:
        return redirect("mobile:own_do", "report")
    services = ServiceRecord.objects.filter(checkin__member=member).exclude(state=ServiceState.DROPPED)
    counted = figures_of(member)
    accepted = row.state == MemberCheckInState.ACCEPTED
    context = {
        "row": row,
        "place": steps_of(row.node.path),
        "chip": (row.get_state_display(), STATE_TONES[MemberCheckInState(row.state)]),
        "sentence": _SENTENCES[MemberCheckInState(row.state)],
        "facts": facts_of(row),
        "may_enter": accepted,
        "buttons": _buttons(row),
        "confirmed": (counted.services, plain(counted.hours)),
        "services": [service_card(service) for service in services.order_by("-served_on", "-pk")[:SHOWN]],
        "has_certificates": accepted or services.filter(state=ServiceState.CONFIRMED).exists(),
    }
    return phone.show(request, "services/mobile/checkin.html", context, active="me")


def facts_of(row: MemberCheckIn) -> list[tuple[str, str]]:
    """What a report says, in words; only what was said."""
    told = [
        (_("特长"), labels_of(Skill, row.skills)),
        (_("空闲时间"), labels_of(FreeTime, row.free_time)),
        (_("意愿岗位"), str(WishedPost(row.wished_post).label)),
        (_("补充说明"), row.note),
        (_("报到日期"), date_words(row.applied_at)),
    ]
    return [(str(label), words) for label, words in told if words]


def _buttons(row: MemberCheckIn) -> list[tuple[str, str, str]]:
    """(words, address, tone); the one that waits first."""
    found = []
    if row.state == MemberCheckInState.SENT_BACK:
        found.append((_("改好再提交"), reverse("mobile:own_do", args=["resend"]), "main"))
    else:
        found.append((_("修改特长和时间"), reverse("mobile:own_do", args=["change"]), "plain"))
        found.append((_("搬家了"), f"{reverse('mobile:own_home')}?for=move", "plain"))
    ending = "end" if row.state == MemberCheckInState.ACCEPTED else "withdraw"
    found.append((str(MEMBER_DEEDS[ending].label), reverse("mobile:own_do", args=[ending]), "plain"))
    return found


def service_card(service: ServiceRecord) -> dict[str, Any]:
    mendable = service.state in (ServiceState.ENTERED, ServiceState.SENT_BACK)
    return {
        "row": service,
        "chip": (service.get_state_display(), SERVICE_TONES.get(ServiceState(service.state), "grey")),
        "day": date_words(service.served_on),
        "hours": _("%(hours)s 小时") % {"hours": plain(service.hours)},
        "url": reverse("mobile:own_service", args=[service.pk]) if mendable else "",
    }


# --- Choosing one's home --------------------------------------------------------------------------------------------


@phone_page
@require_safe
def place(request: HttpRequest) -> HttpResponse:
    """Finding one's compound: by its name, by the code at the door, or step by step."""
    member = _member(person(request))
    purpose = request.GET.get("for", "")
    purpose = purpose if purpose in _PURPOSES else "report"
    asked = " ".join(request.GET.get("q", "")[:60].split())
    inside = _standing(member, request.GET.get("in", ""))
    if asked:
        rows = homes.find_homes(member.county, asked)
    elif inside is None:
        rows = GridNode.objects.standing().filter(county=member.county, parent=None).order_by("code")
    elif inside.community_id is None:
        rows = GridNode.objects.standing().filter(parent=inside).order_by("lft")
    else:
        rows = homes.homes(member.county).filter(community=inside.community_id).order_by("-depth", "lft")
    number = _number(request)
    found = list(rows[(number - 1) * PER_PAGE : number * PER_PAGE + 1])
    query = urlencode({"for": purpose, **({"q": asked} if asked else {}), **({"in": inside.pk} if inside else {})})
    chooses = bool(asked) or (inside is not None and inside.community_id is not None)
    deed = reverse("mobile:own_do", args=[purpose])
    context = {
        "purpose": purpose,
        "title": _PURPOSES[purpose],
        "asked": asked,
        "inside": inside,
        "place": steps_of(inside.path) if inside else [],
        "rows": [
            (row, f"{deed}?at={row.pk}" if chooses else f"?for={purpose}&in={row.pk}") for row in found[:PER_PAGE]
        ],
        "whole": chooses,
        "previous_url": f"?{query}&page={number - 1}" if number > 1 else "",
        "next_url": f"?{query}&page={number + 1}" if len(found) > PER_PAGE else "",
    }
    return phone.show(request, "services/mobile/checkin_place.html", context, active="me")


def _number(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return min(int(text), 1000) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) else 1


def _standing(member: Member, pk: str) -> GridNode | None:
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return None
    rows = GridNode.objects.standing().filter(county=member.county, pk=int(pk))
    found: GridNode | None = rows.select_related("level_type", "county").first()
    return found


# --- Reporting, moving, changing, ending ----------------------------------------------------------------------------


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def do(request: HttpRequest, name: str) -> HttpResponse:
    """One screen for one thing done with one's report."""
    user = person(request)
    member = _member(user)
    row = membership.own_report(user).checkin
    if name == "report":
        return _report(request, user, member, row)
    if row is None:
        return redirect("mobile:own_do", "report")
    if name in ("move", "resend"):
        return _with_home(request, name, user, member, row)
    deed = MEMBER_DEEDS.get(name)
    if deed is None:
        raise NotFound(_("没有这个操作。"))
    return _deed(request, deed, row, reverse("mobile:own_report"), steps_of(row.node.path))


def _report(request: HttpRequest, user: User, member: Member, row: MemberCheckIn | None) -> HttpResponse:
    if row is not None and request.method != "POST":
        return redirect("mobile:own_report")
    home = _standing(member, request.GET.get("at", "")) or member.home
    if home is None or home.is_retired:
        return redirect("mobile:own_home")
    sent = request.method == "POST"
    form = OfferForm(request.POST if sent else None, user=user)
    status = 200
    if sent:
        status = 400
        if form.is_valid():
            offer = offer_of(dict(form.cleaned_data))
            try:
                actions.report_home(actor=user, member=member, node=home, offer=offer)
            except Conflict as error:
                return _conflict(request, error)
            except DomainError as error:
                add_domain_error(form, error)
                status = error.status
            else:
                words = _("已向“%(place)s”报到，等社区接收。") % {"place": home.name}
                messages.success(request, words, extra_tags="checkin-report")
                return redirect("mobile:own_report")
    return _home_page(request, "report", form, home, status=status)


def _with_home(request: HttpRequest, name: str, user: User, member: Member, row: MemberCheckIn) -> HttpResponse:
    """A report that changes its home: mended after it was sent back, or because the member moved."""
    home = _standing(member, request.GET.get("at", "")) or row.node
    if name == "move" and home.pk == row.node_id:
        return redirect(f"{reverse('mobile:own_home')}?for=move")
    sent = request.method == "POST"
    initial = {field: getattr(row, field) for field in ("skills", "free_time", "wished_post", "note", "version")}
    form = ChangeForm(request.POST if sent else None, user=user, obj=row, initial=initial)
    if name == "move":
        for field in ("skills", "free_time", "wished_post", "note"):
            del form.fields[field]
    status = 200
    if sent:
        status = 400
        if form.is_valid():
            try:
                _written(name, user, row, home, dict(form.cleaned_data))
            except Conflict as error:
                return _conflict(request, error)
            except DomainError as error:
                add_domain_error(form, error)
                status = error.status
            else:
                words = _("已向“%(place)s”报到，等社区接收。") % {"place": home.name}
                messages.success(request, words, extra_tags=f"checkin-{name}")
                return redirect("mobile:own_report")
    return _home_page(request, name, form, home, status=status, old=row)


def _written(name: str, user: User, row: MemberCheckIn, home: GridNode, data: dict[str, Any]) -> None:
    if name == "move":
        actions.move_house(actor=user, checkin=row, node=home, version=data["version"])
    else:
        offer = offer_of(data)
        actions.resend_report(actor=user, checkin=row, node=home, offer=offer, version=data["version"])


def _home_page(
    request: HttpRequest, name: str, form: DeedForm, home: GridNode, *, status: int, old: MemberCheckIn | None = None
) -> HttpResponse:
    context = {
        "name": name,
        "title": _PURPOSES[name],
        "form": form,
        "home": home,
        "place": steps_of(home.path),
        "old": old,
        "other_url": f"{reverse('mobile:own_home')}?for={name}",
        "back": reverse("mobile:own_report") if old else reverse("mobile:me"),
        "draft": f"checkin-{name}",
    }
    return phone.show(request, "services/mobile/checkin_report.html", context, active="me", status=status)


# --- Services -------------------------------------------------------------------------------------------------------


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def new_service(request: HttpRequest) -> HttpResponse:
    """Three fields."""
    user = person(request)
    _member(user)
    row = membership.own_report(user).checkin
    if row is None:
        return redirect("mobile:own_do", "report")
    if row.state != MemberCheckInState.ACCEPTED:
        return _conflict(request, Conflict(_("社区接收报到后才能填写服务。")))
    sent = request.method == "POST"
    form = ServiceForm(request.POST if sent else None, user=user)
    status = 200
    if sent:
        status = 400
        if form.is_valid():
            try:
                enter_service(actor=user, checkin=row, **form.cleaned_data)
            except DomainError as error:
                add_domain_error(form, error)
                status = error.status
            else:
                messages.success(request, _("已记下，等社区确认。"), extra_tags="service-new")
                return redirect("mobile:own_report")
    context = {
        "title": _("记一次服务"),
        "button": _("记下来"),
        "form": form,
        "place": steps_of(row.node.path),
        "back": reverse("mobile:own_report"),
        "draft": "service-new",
    }
    return phone.show(request, "services/mobile/member_deed.html", context, active="me", status=status)


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def service(request: HttpRequest, pk: int, name: str = "correct") -> HttpResponse:
    """A service that waits or came back: mended, or taken out."""
    user = person(request)
    seen = ServiceRecord.objects.visible_to(user).select_related("checkin__member", "checkin__node__county")
    row = seen.filter(pk=pk).first()
    if row is None:
        raise NotFound(_("没有找到这次服务。"))
    deed = {"correct": CORRECT, "drop": DROP}.get(name)
    if deed is None:
        raise NotFound(_("没有这个操作。"))
    more: dict[str, Any] = {
        "drop_url": reverse("mobile:own_service_do", args=[row.pk, "drop"]) if deed is CORRECT else ""
    }
    if deed is DROP:
        more = {"about": service_card(row)}
    elif row.reason:
        more["reason"] = row.reason
    back = reverse("mobile:own_report")
    return _deed(request, deed, row, back, steps_of(row.checkin.node.path), **more)


def _deed(request: HttpRequest, deed: Deed, row: Any, back: str, at: list[str], **more: Any) -> HttpResponse:
    """The page of a deed on one's own report or service."""
    return deed_page(request, deed, row, back=back, at=at, active="me", **more)


def deed_page(
    request: HttpRequest, deed: Deed, row: Any, *, back: str, at: list[str], active: str, **more: Any
) -> HttpResponse:
    """One deed on one screen: its form, and what came of sending it."""
    user, sent = person(request), request.method == "POST"
    policies.require(user, deed.right, row)
    if not deed.is_offered(row):
        flow = SERVICE if isinstance(row, ServiceRecord) else MEMBER_CHECKIN
        words = _("现在是“%(state)s”，不能“%(deed)s”。") % {"state": flow.state_label(row.state), "deed": deed.label}
        return _conflict(request, Conflict(words), back)
    fields = deed.form.base_fields
    initial = {} if sent else {name: getattr(row, name) for name in fields if hasattr(row, name) and name != "reason"}
    form = deed.form(request.POST if sent else None, user=user, obj=row, initial=initial)
    draft = f"{deed.name}-{row._meta.model_name}-{row.pk}"
    if sent and form.is_valid():
        try:
            done, _result = perform(deed, form, actor=user, obj=row, data=form.cleaned_data)
        except Stale as error:
            return _conflict(request, error, back)
        if done:
            messages.success(request, _("%(deed)s，已办好。") % {"deed": deed.done}, extra_tags=draft)
            return redirect(back)
    context = {
        "title": deed.label,
        "button": deed.label,
        "danger": deed.tone == "danger",
        "help": deed.help,
        "form": form,
        "place": at,
        "back": back,
        "draft": draft,
        **more,
    }
    status = 400 if sent else 200
    return phone.show(request, "services/mobile/member_deed.html", context, active=active, status=status)


def _member(user: User) -> Member:
    member = membership.member_of(user)
    if member is None:
        raise Forbidden(_("党员本人用自己的账号报到。还没有账号的，请联系所在单位或县级管理员开通。"))
    return member


def _conflict(request: HttpRequest, error: Conflict, back: str = "") -> HttpResponse:
    return phone.conflict(request, error, back or reverse("mobile:own_report"))


def quarter_of(text: str) -> Quarter:
    """The quarter of an address. Raises `NotFound` for what is none."""
    try:
        return Quarter.parse(text)
    except DomainError as error:
        raise NotFound(_("没有这一页。")) from error


__all__ = ["checkin", "do", "new_service", "place", "service", "ways"]
