"""`/m/compounds/`: the profile of one's compounds, to look at; and pictures of what is put right, by whoever keeps them.

Works without JavaScript. A form that is sent answers with a redirect: WeChat's back button must never send it again.
"""

from collections.abc import Iterator
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from core import lookups, phone, policies
from core.errors import DomainError, NotFound
from core.forms import PhotosField, add_domain_error
from core.models import User
from core.periods import date_words
from core.phone import Card, person, phone_page
from grids import pictures
from grids.actions import add_remediation_photos
from grids.models import FacilityKind, PhotoStage, Remediation, RemediationState
from grids.naming import steps_of
from grids.posts import MANAGE_COMPOUND
from partybuilding.models import Compound, Management
from partybuilding.resources.compounds import facilities_of, whole

PER_PAGE = 20
MOST_PROJECTS = 50
_TONES = {Management.MANAGED: "green", Management.COMMUNITY: "blue", Management.UNMANAGED: "amber"}
_STATES = {RemediationState.PLANNED: "grey", RemediationState.GOING: "blue", RemediationState.FINISHED: "green"}


class PhotosForm(forms.Form):
    """One screen: which stage, which pictures."""

    stage = forms.ChoiceField(
        label=lazy("这是"),
        choices=PhotoStage.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": lazy("请选择整治前或整治后。"),
            "invalid_choice": lazy("请选择整治前或整治后。"),
        },
    )
    photos = PhotosField(label=lazy("照片"), help_text=lazy("最多 6 张。拍整治的地方，不要拍到居民的脸和车牌。"))


def register_ways() -> None:
    """Called once from `apps.py`."""
    phone.offer_ways("compounds", _ways, counted=False)


def _ways(user: User) -> Iterator[phone.Way]:
    if Compound.objects.visible_to(user).standing().exists():
        yield phone.Way(lazy("小区档案"), reverse("mobile:compounds"), "unit", lazy("小区情况，整治前后的照片"))


@phone_page
@require_safe
def compounds(request: HttpRequest) -> HttpResponse:
    """One's compounds as cards, found by name."""
    asked = request.GET.get("q", "").strip()[:60]
    number = _page(request)
    rows = whole(Compound.objects.visible_to(person(request)).standing()).order_by("tree_id", "lft")
    if asked:
        rows = lookups.search(rows, ("path",), asked)
    start = (number - 1) * PER_PAGE
    found = list(rows[start : start + PER_PAGE + 1])

    def address(page: int) -> str:
        return "?" + urlencode({**({"q": asked} if asked else {}), "page": page})

    context = {
        "title": _("小区档案"),
        "cards": [_card(compound) for compound in found[:PER_PAGE]],
        "asked": asked,
        "previous_url": address(number - 1) if number > 1 else "",
        "next_url": address(number + 1) if len(found) > PER_PAGE else "",
    }
    return phone.show(request, "partybuilding/mobile/compounds.html", context, active="me")


@phone_page
@require_safe
def compound(request: HttpRequest, pk: int) -> HttpResponse:
    """One compound: what stands there, who runs it, what was put right, before beside after."""
    user = person(request)
    rows = whole(Compound.objects.visible_to(user).select_related("county"))
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound(_("没有找到这个小区，或不在您的管辖范围内。"))
    projects = Remediation.objects.visible_to(user).filter(node=pk).prefetch_related("photos")
    may_add = policies.can(user, MANAGE_COMPOUND, found) and not found.is_retired
    context = {
        "kind": _("小区档案"),
        "name": found.name,
        "back": reverse("mobile:compounds"),
        "place": steps_of(found.path),
        "chips": _chips(found),
        "facts": _facts(found),
        "projects": [
            {
                "pair": pair,
                "chip": _state(pair.remediation),
                "words": _words(pair.remediation),
                "url": reverse("mobile:remediation_photos", args=[pair.remediation.pk]) if may_add else "",
            }
            for pair in pictures.pairs(projects[:MOST_PROJECTS])
        ],
    }
    return phone.show(request, "partybuilding/mobile/compound.html", context, active="me")


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def photos(request: HttpRequest, pk: int) -> HttpResponse:
    """Adds pictures to a project, from the camera or the album."""
    user = person(request)
    row = Remediation.objects.visible_to(user).select_related("node__county").filter(pk=pk).first()
    if row is None:
        raise NotFound(_("没有找到这个整治项目，或不在您的管辖范围内。"))
    policies.require(user, MANAGE_COMPOUND, row)
    back = reverse("mobile:compound", args=[row.node_id])
    stage = PhotoStage.BEFORE if row.state == RemediationState.PLANNED else PhotoStage.AFTER
    form = PhotosForm(request.POST or None, request.FILES or None, initial={"stage": stage})
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                made = add_remediation_photos(actor=user, remediation=row, **form.cleaned_data)
            except DomainError as error:
                if error.status not in (400, 409, 413):
                    raise
                add_domain_error(form, error)
                status = error.status
            else:
                messages.success(request, _("已保存 %(count)d 张照片。") % {"count": len(made)})
                return redirect(back)
        if request.FILES:
            form["photos"].help_text = _("照片没有保存，请重新选一次；最多 6 张。")
    context = {"row": row, "place": steps_of(row.node.path), "chip": _state(row), "form": form, "back": back}
    return phone.show(request, "partybuilding/mobile/remediation_photos.html", context, active="me", status=status)


def _page(request: HttpRequest) -> int:
    """The page asked for; the first one for anything that is no number."""
    text = request.GET.get("page", "")
    return min(int(text), 1000) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) else 1


def _card(found: Compound) -> Card:
    running = found.running
    meta = [_("%(count)d 户") % {"count": found.households}] if found.households else []
    if running is not None and running.firm_name:
        meta.append(running.firm_name)
    return Card(
        title=found.name,
        url=reverse("mobile:compound", args=[found.pk]),
        place=steps_of(found.path)[:-1],
        chips=_chips(found),
        meta=meta,
    )


def _chips(found: Compound) -> list[tuple[str, str]]:
    running, chips = found.running, []
    if running is None:
        chips.append((_("未登记"), "grey"))
    else:
        chips.append((running.get_management_display(), _TONES[Management(running.management)]))
        if running.branch is not None and running.branch.is_active:
            chips.append((_("有党支部"), "blue"))
    if found.profile is not None and found.profile.is_demonstration:
        chips.append((_("示范小区"), "green"))
    return [*chips, (_("已撤销"), "grey")] if found.is_retired else chips


def _state(row: Remediation) -> tuple[str, str]:
    return str(row.state.label), _STATES[row.state]


def _facts(found: Compound) -> list[tuple[str, str]]:
    """What is known, each with its name; nothing is said of what is not."""
    running, profile = found.running, found.profile
    committee = running.get_committee_display() if running else ""
    if running and running.committee_on:
        committee += f"（{date_words(running.committee_on)}）"
    branch = f"{running.branch.name}（{running.get_branch_setup_display()}）" if running and running.branch else ""
    facilities = "，".join(f"{FacilityKind(kind).label} {count}" for kind, count in facilities_of(found).items())
    known = [
        (_("建成年份"), _("%(year)d年") % {"year": profile.built_year} if profile and profile.built_year else ""),
        (_("户数"), str(found.households or "")),
        (_("物业公司"), running.firm_name if running else ""),
        (_("业主委员会"), committee),
        (_("党支部"), branch),
        (_("设施"), facilities),
        (_("备注"), profile.note if profile else ""),
    ]
    return [(label, words) for label, words in known if words]


def _words(row: Remediation) -> str:
    """What a project is, in a line: 电梯 4，2026年3月5日完成."""
    what = f"{row.get_kind_display()} {row.quantity}"
    if row.finished_on:
        return what + _("，%(day)s完成") % {"day": date_words(row.finished_on)}
    if row.planned_on:
        return what + _("，计划%(day)s完成") % {"day": date_words(row.planned_on)}
    return what
