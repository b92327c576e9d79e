"""`/m/resources/` and `/m/projects/`: what one's unit offers, the projects it may claim and those it carries out.

Works without JavaScript. Posts answer with a redirect: WeChat's back button must never send a form again.
"""

import datetime
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import phone, policies
from core.deeds import Deed
from core.errors import Conflict, Forbidden, NotFound
from core.models import User
from core.periods import Month, date_words
from core.phone import Button, Card, Way, person, phone_page
from core.phone_deeds import do_deed
from grids.naming import steps_of
from partybuilding.models import Unit
from partybuilding.policies import UnitScope
from services import list_deeds as deeds
from services import posts
from services.actions.list_reminders import REFRESH_BY, refresh_words
from services.actions.resources import confirm_unchanged
from services.list_faces import (
    left_words,
    milestone_chip,
    pictures_of,
    progress_words,
    project_chips,
    resource_chips,
    responsibility_chips,
)
from services.models import FreeTime, Milestone, Project, ProjectState, Resource, ResourceState, Responsibility
from services.models.words import labels_of
from services.policies import CheckInScope
from services.selectors.resources import left_of

PER_PAGE = 20
# Shown of a project's long lists on the phone.
MOST = 50


def ways(user: User) -> list[Way]:
    """The ways to one's unit's resources and projects. A few queries."""
    units = _units(user, posts.VIEW_PROJECT)
    if not units:
        return []
    old = _unconfirmed(user, timezone.localdate()).count() if _units(user, posts.OFFER_RESOURCE) else 0
    found = [Way(_("本单位资源"), reverse("mobile:resources"), "lists", "", old, _("项资源本月要核对"))]
    open_ones = _to_claim(user).count()
    found.append(Way(_("项目"), reverse("mobile:projects"), "todo", "", open_ones, _("个项目可以认领")))
    return found


def _units(user: User, right: str) -> set[int]:
    return {scope.unit_id for scope in policies.scopes(user, right) if isinstance(scope, UnitScope)}


def _to_claim(user: User) -> Any:
    """Open projects of the places where one's units have checked in."""
    if not any(isinstance(scope, CheckInScope) for scope in policies.scopes(user, posts.CLAIM_PROJECT)):
        return Project.objects.none()
    rows = Project.objects.filter(policies.within(Project, user, posts.CLAIM_PROJECT), state=ProjectState.OPEN)
    return rows.select_related("node", "lead_unit").order_by("due_on", "pk")


# --- Resources ------------------------------------------------------------------------------------------------------


def _unconfirmed(user: User, day: datetime.date) -> Any:
    """One's units' resources that nobody has looked at this month."""
    own = Resource.objects.filter(unit__in=_units(user, posts.OFFER_RESOURCE), state=ResourceState.AVAILABLE)
    return own.filter(checked_on__lt=Month.of(day).first_day)


def resource_card(row: Resource, left: int) -> Card:
    return Card(
        title=row.name,
        url=reverse("mobile:resource", args=[row.pk]),
        place=steps_of(row.node.path),
        chips=[*resource_chips(row), (row.get_kind_display(), "grey")],
        meta=[left_words(row, left), _("%(day)s核对") % {"day": date_words(row.checked_on)}],
        text=row.reason if row.state == ResourceState.SENT_BACK else "",
    )


@phone_page
@require_safe
def resources(request: HttpRequest) -> HttpResponse:
    """What one's units offer: what was sent back first; and whether it still stands this month."""
    user, today = person(request), timezone.localdate()
    units = _units(user, posts.VIEW_RESOURCE)
    if not units:
        raise Forbidden(_("本单位的资源由单位的联络员提供。"))
    rows = Resource.objects.filter(unit__in=units).exclude(state=ResourceState.WITHDRAWN).select_related("node", "unit")
    # sent_back, offered, available: in the order of the alphabet backwards.
    page = Paginator(rows.order_by("-state", "name", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    left = left_of(page.object_list)
    context = {
        "title": _("本单位资源"),
        "cards": [resource_card(row, left[row.pk]) for row in page.object_list],
        "page": page,
        "may_offer": policies.holds(user, posts.OFFER_RESOURCE),
        "old": _unconfirmed(user, today).count(),
        "asks": refresh_words(today) if today.day <= REFRESH_BY else _("本月还没有核对资源清单"),
    }
    return phone.show(request, "services/lists/mobile_resources.html", context, active="me")


@phone_page
@require_POST
def confirm_all(request: HttpRequest) -> HttpResponse:
    """本单位资源没有变化, for every unit one offers for."""
    user = person(request)
    units = Unit.objects.filter(pk__in=_units(user, posts.OFFER_RESOURCE)).order_by("pk")
    if not units:
        raise Forbidden(_("资源清单由单位的联络员核对。"))
    for unit in units:
        confirm_unchanged(actor=user, unit=unit)
    messages.success(request, _("已核对：本单位资源没有变化。"))
    return redirect("mobile:resources")


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def resource_new(request: HttpRequest) -> HttpResponse:
    user = person(request)
    if not policies.holds(user, posts.OFFER_RESOURCE):
        raise Forbidden(_("资源由单位的联络员提供。"))
    return _do(request, deeds.OFFER, None, [], reverse("mobile:resources"), draft="resource-new")


@phone_page
@require_safe
def resource(request: HttpRequest, pk: int) -> HttpResponse:
    """One resource: what it is, how much is left, who uses it, what can be done."""
    user = person(request)
    row = _resource(user, pk)
    until = date_words(row.end) if row.end else _("长期")
    left = left_of([row])[row.pk]
    held = row.allocations.select_related("project__node", "project__lead_unit").order_by("-pk")[:MOST]
    context = {
        "kind": _("资源"),
        "name": row.name,
        "chips": resource_card(row, left).chips,
        "place": steps_of(row.node.path),
        # Cadres come from a project or a notice: the list of a unit's own is not theirs.
        "back": reverse("mobile:resources" if _units(user, posts.VIEW_RESOURCE) else "mobile:me"),
        "facts": [
            (_("提供单位"), row.unit.name if row.unit else _("社区自有")),
            (_("数量"), left_words(row, left)),
            (_("对应需求类别"), row.category.name if row.category else _("不限")),
            (_("可用时段"), labels_of(FreeTime, row.times) or _("随时")),
            (_("可用期限"), _("%(start)s 至 %(end)s") % {"start": date_words(row.start), "end": until}),
            *([(_("说明"), row.text)] if row.text else []),
            *([(_("意见"), row.reason)] if row.reason else []),
        ],
        "uses": [(one.project.name, f"{one.quantity:,} {row.measure}", project_chips(one.project)) for one in held],
        "buttons": _buttons(deeds.OWN_RESOURCE_DEEDS, user, row, "mobile:resource_deed"),
    }
    return phone.show(request, "services/lists/mobile_resource.html", context, active="me")


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def resource_deed(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    user = person(request)
    row = _resource(user, pk)
    deed = _deed(deeds.OWN_RESOURCE_DEEDS, name, user, row)
    back = reverse("mobile:resource", args=[pk])
    return _do(request, deed, row, steps_of(row.node.path), back, draft=f"resource-{pk}-{name}")


def _resource(user: User, pk: int) -> Resource:
    rows = Resource.objects.visible_to(user).select_related("node", "unit", "category", "county")
    row: Resource | None = rows.filter(pk=pk).first()
    if row is None:
        raise NotFound(_("没有找到这项资源，或不在您的管辖范围内。"))
    return row


# --- Projects -------------------------------------------------------------------------------------------------------


def project_card(row: Project, *, claim: bool = False) -> Card:
    meta = [row.lead_unit.label] if row.lead_unit else []
    if row.due_on:
        meta.append(_("%(day)s前完成") % {"day": date_words(row.due_on)})
    if steps := progress_words(list(row.milestones.all())):
        meta.append(steps)
    return Card(
        title=row.name,
        url=reverse("mobile:project", args=[row.pk]),
        place=steps_of(row.node.path),
        chips=project_chips(row),
        meta=meta,
        action=(_("认领"), reverse("mobile:project_deed", args=[row.pk, "claim"])) if claim else None,
    )


@phone_page
@require_safe
def projects(request: HttpRequest) -> HttpResponse:
    """What can be claimed, then the projects of one's units (of one's places, for cadres): those under way first."""
    user = person(request)
    claimable = list(_to_claim(user).prefetch_related("milestones")[:MOST])
    rows = Project.objects.visible_to(user).exclude(state=ProjectState.DROPPED)
    rows = rows.exclude(pk__in=[row.pk for row in claimable]).select_related("node", "lead_unit")
    rows = rows.prefetch_related("milestones").order_by(F("done_on").desc(nulls_first=True), "due_on", "-pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": _("项目"),
        "claimable": [project_card(row, claim=True) for row in claimable],
        "cards": [project_card(row) for row in page.object_list],
        "page": page,
    }
    return phone.show(request, "services/lists/mobile_projects.html", context, active="me")


@phone_page
@require_safe
def project(request: HttpRequest, pk: int) -> HttpResponse:
    """One project: what it is for, its steps, who answers for what, its pictures, what can be done."""
    user = person(request)
    row = _project(user, pk)
    serves = policies.can(user, posts.SERVE_PROJECT, row)
    demands = row.demands.all().visible_to(user).order_by("code")[:MOST]
    context = {
        "kind": _("项目"),
        "name": row.name,
        "chips": project_chips(row),
        "place": steps_of(row.node.path),
        "back": reverse("mobile:projects"),
        "facts": _facts(row),
        "demands": [(one.title, reverse("mobile:demand", args=[one.code])) for one in demands],
        "resources": [
            (one.resource.name, f"{one.quantity:,} {one.resource.measure}")
            for one in row.allocations.select_related("resource")[:MOST]
        ],
        "steps": [_step(user, one, serves) for one in row.milestones.order_by("due_on", "pk")[:MOST]],
        "duties": [
            _duty(user, one, serves) for one in row.responsibilities.select_related("unit").order_by("due_on")[:MOST]
        ],
        "pair": pictures_of(row, list(row.photos.order_by("stage", "pk"))),
        "buttons": _buttons((deeds.CLAIM, *deeds.LEAD_DEEDS), user, row, "mobile:project_deed"),
    }
    return phone.show(request, "services/lists/mobile_project.html", context, active="me")


def _facts(row: Project) -> list[tuple[str, str]]:
    proposed = row.state in (ProjectState.DRAFT, ProjectState.OPEN)
    found = [
        (_("编号"), row.code),
        (_("拟牵头单位") if proposed else _("牵头单位"), row.lead_unit.name if row.lead_unit else _("还没有")),
        (_("配合单位"), _("、").join(unit.label for unit in row.supporting.order_by("name"))),
        (_("完成期限"), date_words(row.due_on) if row.due_on else ""),
        (_("预算"), _("%(sum)s 元") % {"sum": f"{row.budget:,.2f}"} if row.budget is not None else ""),
        (_("项目内容"), row.text),
        (_("完成情况"), row.result),
        (_("意见"), row.reason),
    ]
    return [(label, words) for label, words in found if words]


def _step(user: User, one: Milestone, serves: bool) -> Card:
    may = serves and deeds.OWN_STEP.is_offered(one)
    return Card(
        title=one.title,
        url="",
        place=(),
        chips=[milestone_chip(one)],
        meta=[date_words(one.done_on or one.due_on)],
        text=one.text,
        action=(_("节点完成"), reverse("mobile:milestone", args=[one.pk])) if may else None,
        action_kind="plain",
    )


def _duty(user: User, one: Responsibility, serves: bool) -> Card:
    may = serves and deeds.OWN_DO.is_offered(one)
    who = " ".join(words for words in (one.unit.label if one.unit else _("社区"), one.person) if words)
    return Card(
        title=one.measure,
        url="",
        place=(),
        chips=responsibility_chips(one),
        meta=[who, date_words(one.due_on)],
        text=one.text,
        action=(_("登记落实"), reverse("mobile:responsibility", args=[one.pk])) if may else None,
        action_kind="plain",
    )


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def project_deed(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    user = person(request)
    row = _project(user, pk)
    deed = _deed((deeds.CLAIM, *deeds.LEAD_DEEDS), name, user, row)
    back = reverse("mobile:project", args=[pk])
    return _do(request, deed, row, steps_of(row.node.path), back, draft=f"project-{pk}-{name}", about=row.name)


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def milestone(request: HttpRequest, pk: int) -> HttpResponse:
    """A step is done."""
    user = person(request)
    rows = Milestone.objects.visible_to(user).select_related("project__node", "project__lead_unit", "project__county")
    one: Milestone | None = rows.filter(pk=pk).first()
    if one is None:
        raise NotFound(_("没有找到这个节点，或不在您的管辖范围内。"))
    deed = _deed((deeds.OWN_STEP,), deeds.OWN_STEP.name, user, one)
    back = reverse("mobile:project", args=[one.project_id])
    return _do(request, deed, one, steps_of(one.project.node.path), back, draft=f"milestone-{pk}", about=one.title)


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def responsibility(request: HttpRequest, pk: int) -> HttpResponse:
    """A measure is carried out."""
    user = person(request)
    rows = Responsibility.objects.visible_to(user).select_related("project__node", "project__lead_unit", "unit")
    one: Responsibility | None = rows.filter(pk=pk).first()
    if one is None:
        raise NotFound(_("没有找到这条责任，或不在您的管辖范围内。"))
    deed = _deed((deeds.OWN_DO,), deeds.OWN_DO.name, user, one)
    back = reverse("mobile:project", args=[one.project_id])
    place = steps_of(one.project.node.path)
    return _do(request, deed, one, place, back, draft=f"responsibility-{pk}", about=one.measure)


def _project(user: User, pk: int) -> Project:
    rows = Project.objects.visible_to(user).select_related("node", "lead_unit", "county", "community")
    row: Project | None = rows.filter(pk=pk).first()
    if row is None:
        raise NotFound(_("没有找到这个项目，或已由别的单位认领。"))
    return row


# --- What the screens share -------------------------------------------------------------------------------------------


def _buttons(offered: Iterable[Deed], user: User, row: Any, name: str) -> list[Button]:
    return [
        Button(deed.label, reverse(name, args=[row.pk, deed.name]), deed.tone)
        for deed in offered
        if deed.may(user, row)
    ]


def _deed(offered: Iterable[Deed], name: str, user: User, row: Any) -> Deed:
    """The deed of that name, if the person holds its right on the row. Raises NotFound, Forbidden."""
    deed = next((deed for deed in offered if deed.name == name), None)
    if deed is None:
        raise NotFound(_("没有这个操作。"))
    policies.require(user, deed.right, row)
    return deed


def _do(
    request: HttpRequest, deed: Deed, obj: Any, place: list[str], back: str, *, draft: str, about: str = ""
) -> HttpResponse:
    if obj is not None and not deed.is_offered(obj):
        return phone.conflict(
            request, Conflict(_("情况已有变化，现在不能“%(deed)s”，请返回查看。") % {"deed": deed.label}), back
        )
    columns = [field.name for field in obj._meta.concrete_fields] if obj is not None else []
    known = {name: getattr(obj, name) for name in columns if name in deed.form.base_fields}
    return do_deed(
        request,
        deed,
        obj,
        template="services/lists/mobile_deed.html",
        back=back,
        context={"place": place, "about": about},
        draft=draft,
        initial={name: value for name, value in known.items() if value not in (None, "")},
    )
