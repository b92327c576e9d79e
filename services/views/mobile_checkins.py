"""`/m/checkins/`: where one's unit has reported (我的报到), applying, renewing; and the applications that wait for the community.

Works without JavaScript. Posts answer with a redirect: WeChat's back button must never send a form again.
"""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core import phone, policies
from core.deeds import Deed
from core.errors import Conflict, Forbidden, NotFound
from core.models import User
from core.periods import date_words
from core.phone import Button, Card, Way, person, phone_page
from core.phone_deeds import do_deed, lead_on
from grids.models import GridNode
from grids.naming import COMMUNITY, steps_of
from services import posts
from services.checkin_deeds import APPLY, MOVES, RENEW
from services.models import ApplicationState, CheckInApplication, UnitCheckIn
from services.selectors import checkins as selectors
from services.views import checkin_papers

PER_PAGE = 20
# Answered applications are shown this long: what came of them, and then the list is short again.
RECENT = 20
TONES = {
    ApplicationState.APPLIED: "blue",
    ApplicationState.SENT_BACK: "amber",
    ApplicationState.ACCEPTED: "green",
}


def ways(user: User) -> list[Way]:
    """The ways to one's unit's check-ins and to the applications that wait, for whoever can have any. Two queries."""
    found = []
    if any(selectors.is_unit(scope) for scope in policies.scopes(user, posts.VIEW_CHECKIN)):
        places, to_do = selectors.own_figures(user)
        note = _("%(count)d 处") % {"count": places}
        found.append(Way(_("我的报到"), reverse("mobile:checkins"), "unit", note, to_do, _("件要办")))
    if policies.holds(user, posts.MANAGE_CHECKIN):
        count = selectors.waiting(user).order_by().count()
        if count:
            desk = f"{reverse('admin:services_checkinapplication_changelist')}?state=applied"
            address = reverse("mobile:checkins_waiting")
            found.append(Way(_("报到申请"), address, "unit", "", count, _("份申请等待接收"), desk))
    return found


def checkin_card(row: Any, *, may_apply: bool) -> Card:
    """A card of a check-in; `row.asked`: whether its renewal has been applied for."""
    until = _("协议%(day)s到期") % {"day": date_words(row.until)} if row.until else _("不定期")
    renewing = may_apply and not row.asked and (selectors.runs_out(row) or selectors.has_run_out(row))
    return Card(
        title=row.node.name,
        url=reverse("mobile:checkin", args=[row.pk]),
        place=steps_of(row.node.path),
        chips=chips_of(row),
        meta=[row.unit.label, until],
        action=(_("申请续签"), reverse("mobile:checkin_renew", args=[row.pk])) if renewing else None,
    )


def chips_of(row: Any) -> list[tuple[str, str]]:
    found = [(row.get_role_display(), "blue")]
    if row.end is not None:
        found.append((_("到%(day)s结束") % {"day": date_words(row.end)}, "grey"))
    elif getattr(row, "asked", False):
        found.append((_("已申请续签"), "blue"))
    elif selectors.has_run_out(row):
        found.append((_("已到期"), "red"))
    elif selectors.runs_out(row):
        found.append((_("将到期"), "amber"))
    else:
        found.append((_("报到中"), "green"))
    return found


def application_card(row: CheckInApplication, *, by_place: bool) -> Card:
    """A card of an application, under its place for the unit, under the unit for the community."""
    state = (row.get_state_display(), TONES.get(ApplicationState(row.state), "grey"))
    kind = _("续签") if row.renews_id else row.get_role_display()
    return Card(
        title=row.node.name if by_place else row.unit.name,
        url=reverse("mobile:checkin_application", args=[row.pk]),
        place=steps_of(row.node.path),
        chips=[state, (kind, "grey")],
        meta=[_("%(day)s申请") % {"day": date_words(row.applied_at)}, *([row.unit.label] if by_place else [])],
        text=row.reason or ("" if by_place else row.brings),
    )


# --- The unit's own -------------------------------------------------------------------------------------------------


@phone_page
@require_safe
def checkins(request: HttpRequest) -> HttpResponse:
    """Where one's units have reported, and what came of what they applied for."""
    user = person(request)
    asked = CheckInApplication.objects.filter(renews=OuterRef("pk"), state__in=selectors.open_states())
    rows = selectors.own_checkins(user).annotate(asked=Exists(asked))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    may_apply = policies.holds(user, posts.APPLY_CHECKIN)
    context = {
        "title": _("我的报到"),
        "cards": [checkin_card(row, may_apply=may_apply) for row in page.object_list],
        "applications": [application_card(row, by_place=True) for row in selectors.own_news(user)[:RECENT]],
        "page": page,
        "may_apply": may_apply,
    }
    return phone.show(request, "services/checkins/mobile_list.html", context, active="me")


@phone_page
@require_safe
def checkin(request: HttpRequest, pk: int) -> HttpResponse:
    """One check-in: its facts, its papers, renewing."""
    user = person(request)
    row: Any = checkin_papers.find(user, pk)
    row.asked = row.renewals.filter(state__in=selectors.open_states()).exists()
    may = policies.can(user, posts.APPLY_CHECKIN, row) and selectors.may_renew(row) and not row.asked
    facts = [
        (_("报到单位"), row.unit.name),
        (_("回执编号"), row.number),
        (_("报到日期"), date_words(row.start)),
        (_("协议到期"), date_words(row.until) if row.until else _("不定期")),
        (_("带来的资源和服务"), row.brings),
        (_("单位联络员"), row.unit_liaison.name if row.unit_liaison else "—"),
        (_("社区联络员"), row.community_liaison.name if row.community_liaison else "—"),
    ]
    renewing = [Button(_("申请续签"), reverse("mobile:checkin_renew", args=[row.pk]), "main")] if may else []
    context = {
        "kind": _("报到"),
        "name": row.node.name,
        "place": steps_of(row.node.path),
        "chips": chips_of(row),
        "facts": [(label, words) for label, words in facts if words],
        "buttons": [
            *renewing,
            Button(_("看回执"), reverse("places:checkin_receipt", args=[row.pk])),
            Button(_("下载共建协议"), reverse("places:checkin_agreement", args=[row.pk])),
        ],
        "back": _list_of(user, row),
    }
    return phone.show(request, "services/checkins/mobile_one.html", context, active="me")


@phone_page
@require_safe
def places(request: HttpRequest) -> HttpResponse:
    """Where to report: the county's communities, then what lies in the one that was touched."""
    user = person(request)
    _require_apply(user)
    inside = _node(user, request.GET.get("in", "")) if request.GET.get("in") else None
    if inside is not None and inside.level_type.key != COMMUNITY:
        return redirect("mobile:checkin_apply", inside.pk)
    rows = selectors.places_to_report(_county(user), inside)
    page = Paginator(rows, 100).get_page(request.GET.get("page"))
    taken = selectors.taken_places(user)
    words = {True: _("已报到"), False: _("已申请"), None: ""}
    context = {
        "node": inside,
        "place": steps_of(inside.path) if inside else [],
        "taken": words[taken.get(inside.pk)] if inside else "",
        "rows": [(row, words[taken.get(row.pk)]) for row in page.object_list],
        "page": page,
        "query": f"in={inside.pk}" if inside else "",
    }
    return phone.show(request, "services/checkins/mobile_places.html", context, active="me")


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """The application, on one screen."""
    user = person(request)
    _require_apply(user)
    node = _node(user, str(pk))
    back = reverse("mobile:checkin_places")
    return _do(request, APPLY, node, node, back, draft=f"checkin-apply-{pk}", to=_to_application)


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """What shall go on, on one screen."""
    user = person(request)
    row = checkin_papers.find(user, pk)
    policies.require(user, posts.APPLY_CHECKIN, row)
    back = reverse("mobile:checkin", args=[pk])
    if not RENEW.is_offered(row):
        return phone.conflict(request, Conflict(_("协议到期前 30 天内才用续签。")), back)
    return _do(request, RENEW, row, row.node, back, draft=f"checkin-renew-{pk}", to=_to_application)


# --- An application ---------------------------------------------------------------------------------------------------


@phone_page
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """The applications that wait for the community, the oldest first."""
    user = person(request)
    if not policies.holds(user, posts.MANAGE_CHECKIN):
        raise Forbidden(_("您没有接收单位报到的权限。"))
    page = Paginator(selectors.waiting(user), PER_PAGE).get_page(request.GET.get("page"))
    cards = [application_card(row, by_place=False) for row in page.object_list]
    context = {"title": _("报到申请"), "cards": cards, "page": page}
    return phone.show(request, "services/checkins/mobile_waiting.html", context, active="me")


@phone_page
@require_safe
def application(request: HttpRequest, pk: int) -> HttpResponse:
    """One application: what is offered, what was said, what can be done."""
    user = person(request)
    row = _application(user, pk)
    leads = (
        [Button(_("看报到和回执"), reverse("mobile:checkin", args=[row.checkin_id]), "main")] if row.checkin_id else []
    )
    context = {
        "application": row,
        "kind": _("报到申请"),
        "name": row.unit.name,
        "chips": application_card(row, by_place=False).chips,
        "place": steps_of(row.node.path),
        "facts": [
            (_("角色"), row.get_role_display()),
            (_("带来的资源和服务"), row.brings),
            (_("共建年限"), _("%(years)d 年") % {"years": row.years}),
            (_("单位联络员"), row.unit_liaison.name if row.unit_liaison else "—"),
            (_("申请日期"), date_words(row.applied_at)),
        ],
        "buttons": [
            *leads,
            *(
                Button(deed.label, reverse("mobile:checkin_move", args=[row.pk, deed.name]), deed.tone)
                for deed in MOVES
                if deed.may(user, row)
            ),
        ],
        "back": _list_of(user, row),
    }
    return phone.show(request, "services/checkins/mobile_application.html", context, active="me")


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One move of an application, on one screen."""
    user = person(request)
    row = _application(user, pk)
    deed = next((deed for deed in MOVES if deed.name == name), None)
    if deed is None:
        raise NotFound(_("没有这个操作。"))
    policies.require(user, deed.right, row)
    back = reverse("mobile:checkin_application", args=[pk])
    if not deed.is_offered(row):
        state = row.get_state_display()
        return phone.conflict(request, Conflict(_("这份申请现在是“%(state)s”，请返回查看。") % {"state": state}), back)
    return _do(request, deed, row, row.node, back, draft=f"checkin-{pk}-{name}", to=lambda result: back)


def _application(user: User, pk: int) -> CheckInApplication:
    rows = CheckInApplication.objects.visible_to(user).filter(pk=pk)
    row: CheckInApplication | None = rows.select_related("unit", "node__county", "unit_liaison", "checkin").first()
    if row is None:
        raise NotFound(_("没有找到这份申请，或不在您的管辖范围内。"))
    return row


def _list_of(user: User, row: CheckInApplication | UnitCheckIn) -> str:
    """The list from which the person came: of their own unit, or of the community."""
    mine = selectors.own_units(user, posts.VIEW_CHECKIN).filter(pk=row.unit_id).exists()
    if mine:
        return reverse("mobile:checkins")
    return reverse("mobile:checkins_waiting" if policies.holds(user, posts.MANAGE_CHECKIN) else "mobile:me")


def _to_application(result: Any) -> str:
    return reverse("mobile:checkin_application", args=[result.pk])


# --- What the screens share -------------------------------------------------------------------------------------------


def _require_apply(user: User) -> None:
    if not policies.holds(user, posts.APPLY_CHECKIN):
        raise Forbidden(_("单位报到由单位的联络员申请。"))


def _county(user: User) -> int:
    unit = selectors.own_units(user, posts.APPLY_CHECKIN).first()
    if unit is None:
        raise NotFound(_("没有找到您的单位。"))
    return int(unit.county_id)


def _node(user: User, pk: str) -> GridNode:
    """A place to report to in the county of the user's units. Raises NotFound."""
    node = None
    if pk.isascii() and pk.isdigit() and len(pk) < 19:
        standing = GridNode.objects.standing().filter(county=_county(user)).at(*selectors.LEVELS)
        node = standing.select_related("level_type", "county").filter(pk=int(pk)).first()
    if node is None:
        raise NotFound(_("没有找到这个地点，请返回重新选择。"))
    return node


def _do(request: HttpRequest, deed: Deed, obj: Any, node: GridNode, back: str, *, draft: str, to: Any) -> HttpResponse:
    known = {name: getattr(obj, name, None) for name in deed.form.base_fields}
    return do_deed(
        request,
        deed,
        obj,
        template="services/checkins/mobile_deed.html",
        back=back,
        context={"place": steps_of(node.path)},
        draft=draft,
        initial={name: value for name, value in known.items() if value not in (None, "")},
        done=lambda result: lead_on(request, deed, to(result), draft=draft),
    )


__all__ = ["application", "apply", "checkin", "checkins", "move", "places", "renew", "waiting", "ways"]
