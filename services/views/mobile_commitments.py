"""`/m/commitments/`: promises on the phone. A liaison promises for the unit, a member for themself; both tell how far it is
and when it is done; the community confirms here as well as at the desk.

Works without JavaScript. Posts answer with a redirect: WeChat's back button must never send a form again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from core import phone, policies
from core.errors import Conflict, DomainError, Forbidden, NotFound
from core.forms import PhotosField, add_domain_error
from core.models import User
from core.periods import date_words
from core.phone import Button, Card, Way, person, phone_page
from grids.admin_people import date_input
from grids.models import GridNode
from grids.naming import steps_of
from partybuilding.models import Member, Unit
from partybuilding.policies import MemberScope, UnitScope
from services import actions, evidence, posts, standing
from services.commitment_words import chips
from services.commitment_words import steps_of as progress_of
from services.models import COMMITMENT_OPEN, Commitment, CommitmentState
from services.selectors.commitments import overdue
from services.selectors.spread import PIECES
from services.workflow import COMMITMENT

PER_PAGE = 20
MOST_PLACES = 300


# --- Whose promises -------------------------------------------------------------------------------------------------


def _sides(user: User, right: str) -> tuple[set[int], set[int]]:
    """The units the person speaks for, and the members they are."""
    scopes = policies.scopes(user, right)
    units = {scope.unit_id for scope in scopes if isinstance(scope, UnitScope)}
    return units, {scope.member_id for scope in scopes if isinstance(scope, MemberScope)}


def _own(user: User) -> Q:
    units, members = _sides(user, posts.VIEW_COMMITMENT)
    return Q(unit__in=units) | Q(member__in=members)


def ways(user: User) -> list[Way]:
    """The way to one's promises, for whoever can have any; what is past its day stands on the first page. For the
    community: to what waits for it, on the phone and the desk. One query each."""
    found, page = [], reverse("mobile:commitments")
    if any(_sides(user, posts.VIEW_COMMITMENT)):
        late = Commitment.objects.filter(_own(user), overdue()).count()
        found.append(Way(_("我的承诺"), page, "lists", "", late, _("项超期的承诺")))
    if policies.holds(user, posts.CONFIRM_COMMITMENT):
        waits = Commitment.objects.filter(policies.within(Commitment, user, posts.CONFIRM_COMMITMENT))
        count = waits.filter(state=CommitmentState.REPORTED).count()
        desk = f"{reverse('admin:services_commitment_changelist')}?state=reported"
        found.append(Way(_("承诺待确认"), page, "check", "", count, _("项承诺待确认"), desk=desk))
    return found


@phone_page
@require_safe
def commitments(request: HttpRequest) -> HttpResponse:
    """One's promises: those that run, what is due first; then those that are over. For the community: what waits for it."""
    user = person(request)
    over = request.GET.get("over") == "1"
    rows = Commitment.objects.visible_to(user).filter(_own(user))
    confirms = policies.holds(user, posts.CONFIRM_COMMITMENT)
    if confirms:
        place = policies.within(Commitment, user, posts.CONFIRM_COMMITMENT)
        waits = place if over else place & Q(state=CommitmentState.REPORTED)
        rows = Commitment.objects.visible_to(user).filter(_own(user) | waits)
    rows = rows.exclude(state__in=COMMITMENT_OPEN) if over else rows.filter(state__in=COMMITMENT_OPEN)
    rows = rows.select_related("node", "unit", "member").order_by("-done_on" if over else "due_on", "pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    units, members = _sides(user, posts.MAKE_COMMITMENT)
    makes = bool(units or members)
    context = {
        "title": _("我的承诺") if makes else _("承诺事项"),
        "cards": [_card(row, user) for row in page],
        "page": page,
        "query": "over=1" if over else "",
        "over": over,
        "make_url": reverse("mobile:commitment_make") if makes else "",
        "codes": [
            (unit.label, reverse("resident:unit_promises", args=[unit.pk]))
            for unit in Unit.objects.active().filter(pk__in=units)
        ],
    }
    return phone.show(request, "services/mobile/commitments.html", context, active="me")


def _card(row: Commitment, user: User) -> Card:
    next_step = _buttons(row, user)[:1]
    return Card(
        title=row.title,
        url=reverse("mobile:commitment", args=[row.pk]),
        place=steps_of(row.node.path),
        chips=chips(row),
        meta=[
            row.holder,
            _("%(day)s前完成") % {"day": date_words(row.due_on)},
            _("进度 %(percent)d%%") % {"percent": row.percent},
        ],
        action=(str(next_step[0].label), next_step[0].url) if next_step else None,
        action_kind="plain",
    )


def _buttons(row: Commitment, user: User) -> list[Button]:
    """What can be done: the next step first. Until it is all but done that is to tell how far it is."""
    tones = {move.name: move.tone for move in COMMITMENT.available(row, user) if move.name in DEEDS}
    if "progress" in tones and row.percent < 100:
        tones |= {"progress": "main", "report": "plain"}
    return phone.in_order(
        Button(COMMITMENT.get(name).label, reverse("mobile:commitment_move", args=[row.pk, name]), tone)
        for name, tone in tones.items()
    )


@phone_page
@require_safe
def commitment(request: HttpRequest, pk: int) -> HttpResponse:
    """One promise: what was promised, how far it is, what can be done."""
    user = person(request)
    row = _find(user, pk)
    facts = [
        (_("谁承诺"), row.holder),
        (_("完成标准"), row.measure),
        (_("责任人"), row.owner),
        (_("完成期限"), date_words(row.due_on)),
        (_("进度"), f"{row.percent}%"),
        (_("完成日期"), date_words(row.done_on) if row.done_on else ""),
        (_("社区意见"), row.reason),
    ]
    context = {
        "kind": _("承诺事项"),
        "name": row.title,
        "chips": chips(row),
        "place": steps_of(row.node.path),
        "facts": [(label, words) for label, words in facts if words],
        "buttons": _buttons(row, user),
        "back": reverse("mobile:commitments"),
        "events": [
            {
                "what": _("进度 %(percent)d%%") % {"percent": step.percent},
                "who": step.by.name if step.by else "",
                "when": step.at,
                "why": step.text,
                "pictures": [evidence.picture(one) for one in step.photos.all()],
            }
            for step in progress_of(row)
        ],
    }
    return phone.show(request, "services/mobile/commitment.html", context, active="me")


def _find(user: User, pk: int) -> Commitment:
    rows = Commitment.objects.visible_to(user).select_related("node__county", "community", "unit", "member")
    row: Commitment | None = rows.filter(pk=pk).first()
    if row is None:
        raise NotFound(_("没有找到这项承诺，或不在您的范围内。"))
    return row


# --- What is done with one ------------------------------------------------------------------------------------------


class _VersionForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)


class ProgressForm(_VersionForm):
    percent = forms.IntegerField(
        label=lazy("进度（%）"),
        min_value=0,
        max_value=100,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=lazy("0 到 100，大致估计就可以。"),
    )
    text = forms.CharField(
        label=lazy("进展"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("写地方和事情，不写住户的姓名、电话。"),
    )
    photos = PhotosField(label=lazy("照片"), required=False, help_text=lazy("可不传；最多 6 张。"))


class DoneForm(ProgressForm):
    percent = None  # type: ignore[assignment]
    text = forms.CharField(
        label=lazy("完成情况"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("照完成标准写清楚，社区据此确认。"),
    )


class ReasonForm(_VersionForm):
    reason = forms.CharField(
        label=lazy("退回理由"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("还差什么，请写清楚，承诺人会看到。"),
    )


@dataclass(frozen=True)
class _Deed:
    form: type[forms.Form]
    run: Callable[..., Any]
    done: Any


DEEDS = {
    "progress": _Deed(ProgressForm, actions.report_progress, lazy("已反馈进展。")),
    "report": _Deed(DoneForm, actions.report_done, lazy("已申报完成，等待社区确认。")),
    "confirm": _Deed(_VersionForm, actions.confirm_commitment, lazy("已确认完成。")),
    "send_back": _Deed(ReasonForm, actions.send_back_commitment, lazy("已退回。")),
}


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One step on one screen."""
    user, sent = person(request), request.method == "POST"
    row, deed = _find(user, pk), DEEDS.get(name)
    if deed is None:
        raise NotFound(_("没有这个操作。"))
    back = reverse("mobile:commitment", args=[pk])
    try:
        step = COMMITMENT.may(row, name, actor=user)
    except Conflict as error:
        return phone.conflict(request, error, back)
    start = {"version": row.version, "percent": row.percent}
    form = deed.form(request.POST if sent else None, request.FILES if sent else None, initial={} if sent else start)
    status, draft = 400 if sent else 200, f"commitment-{pk}-{name}"
    if sent and form.is_valid():
        try:
            deed.run(actor=user, commitment=row, **form.cleaned_data)
        except Conflict as error:
            return phone.conflict(request, error, back)
        except (Forbidden, NotFound):
            raise
        except DomainError as error:
            add_domain_error(form, error)
            status = error.status
        else:
            messages.success(request, str(deed.done), extra_tags=draft)
            return redirect(back)
    context = {"step": step, "form": form, "row": row, "place": steps_of(row.node.path), "back": back, "draft": draft}
    return phone.show(request, "services/mobile/commitment_move.html", context, active="me", status=status)


# --- A new one ------------------------------------------------------------------------------------------------------


class MakeForm(forms.Form):
    """For whom is asked only where there is a choice; places are those where one has reported, and the parts of them."""

    title = forms.CharField(label=lazy("承诺事项"), max_length=100, help_text=lazy("会公示，不写住户的姓名、电话。"))
    measure = forms.CharField(label=lazy("完成标准"), max_length=200, help_text=lazy("怎样算完成，例如“12 盏灯都亮”。"))
    owner = forms.CharField(label=lazy("责任人"), max_length=60, help_text=lazy("公示时不显示。"))
    due_on = forms.DateField(label=lazy("完成期限"), widget=date_input())

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units, members = _sides(user, posts.MAKE_COMMITMENT)
        self.speakers: dict[str, Unit | Member] = {
            f"unit-{unit.pk}": unit for unit in Unit.objects.active().filter(pk__in=units).order_by("name")
        }
        self.speakers |= {f"member-{one.pk}": one for one in Member.objects.active().filter(pk__in=members)}
        choices = [(key, one.label if isinstance(one, Unit) else _("我本人")) for key, one in self.speakers.items()]
        self.fields["speaker"] = forms.ChoiceField(
            label=_("谁承诺"),
            choices=choices,
            widget=forms.RadioSelect if len(choices) > 1 else forms.HiddenInput,
            initial=choices[0][0] if choices else "",
        )
        self.places = _places(units, members)
        self.fields["node"] = forms.ChoiceField(
            label=_("受益地点"),
            choices=[
                ("", _("请选择")),
                *((str(node.pk), " · ".join(steps_of(node.path)[1:])) for node in self.places.values()),
            ],
        )
        self.fields["owner"].initial = user.name
        # A hidden field goes last: before the others it would leave a gap.
        first, last = (["speaker"], []) if len(choices) > 1 else ([], ["speaker"])
        self.order_fields([*first, "node", "title", "measure", "owner", "due_on", *last])

    def promise(self) -> dict[str, Any]:
        """What the action takes."""
        data = dict(self.cleaned_data)
        speaker = self.speakers[data.pop("speaker")]
        data["node"] = self.places[int(data["node"])]
        return {**data, "unit" if isinstance(speaker, Unit) else "member": speaker}


def _places(units: set[int], members: set[int]) -> dict[int, GridNode]:
    """Where the units and members have reported, the community of it, and the pieces inside it."""
    held = [row.node for rows in standing.checkins_of(units).values() for row in rows]
    wanted = Q(pk__in=[node.community_id for node in held if node.community_id])
    for node in held:
        wanted |= Q(tree_id=node.tree_id, lft__gte=node.lft, lft__lte=node.rght, level_type__key__in=PIECES)
        wanted |= Q(pk=node.pk)
    taken_in = {row.community_id for row in standing.member_checkins_of(members).values()}
    wanted |= Q(pk__in=taken_in) | Q(community_id__in=taken_in, level_type__key__in=PIECES)
    rows = GridNode.objects.standing().filter(wanted, community__isnull=False).select_related("county")
    return {node.pk: node for node in rows.order_by("tree_id", "lft")[:MOST_PLACES]}


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def make(request: HttpRequest) -> HttpResponse:
    """A promise on one screen."""
    user, sent = person(request), request.method == "POST"
    if not any(_sides(user, posts.MAKE_COMMITMENT)):
        raise Forbidden(_("在这里作出承诺的是单位联络员和党员本人。社区代单位登记，请到电脑端“承诺事项”。"))
    form = MakeForm(request.POST if sent else None, user=user)
    back, status = reverse("mobile:commitments"), 400 if sent else 200
    if sent and form.is_valid():
        try:
            row = actions.make_commitment(actor=user, **form.promise())
        except DomainError as error:
            if error.status not in (400, 409):
                raise
            add_domain_error(form, error)
            status = error.status
        else:
            messages.success(request, _("已作出承诺。"), extra_tags="commitment-new")
            return redirect("mobile:commitment", row.pk)
    context = {"form": form, "back": back, "nowhere": not form.places}
    return phone.show(request, "services/mobile/commitment_make.html", context, active="me", status=status)
