"""`/m/meetings/`: the meetings one is asked to, the table with its claims, and the matters that went to a leader.

Works without JavaScript; with it the table draws itself anew (`services.views.meeting_faces`). Posts answer with a redirect:
WeChat's back button must never send a form again.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import phone, policies
from core.errors import Conflict, DomainError, NotFound
from core.forms import add_domain_error
from core.models import User
from core.periods import date_words
from core.phone import Card, Way, person, phone_page
from partybuilding.models import Unit
from partybuilding.policies import UnitScope
from services import posts
from services.actions import meeting_table, resolutions
from services.meeting_rules import own_units
from services.models import AgendaItem, Attendance, JointMeeting, MeetingState, Resolution
from services.selectors import meetings as selectors
from services.views import meeting_faces as faces
from services.workflow.meetings import AGENDA_ITEM, ATTENDANCE, RESOLUTION

PER_PAGE = 20
_SOONEST = Case(
    When(state=MeetingState.RUNNING, then=Value(0)),
    When(state=MeetingState.PUBLISHED, then=Value(1)),
    When(state=MeetingState.PLANNED, then=Value(2)),
    default=Value(3),
    output_field=IntegerField(),
)


def ways(user: User) -> list[Way]:
    """The way to one's meetings, and to the matters a leader was asked about; with what waits behind each."""
    if not policies.holds(user, posts.VIEW_MEETING):
        return []
    waiting = selectors.unanswered(user)
    found = [Way(_("联席会议"), reverse("mobile:meetings"), "talk", "", waiting, _("个会议通知待回复"))]
    # A leader sees meetings by a post; whoever sees them for a unit alone is asked about nothing as a leader.
    posted = not all(isinstance(scope, UnitScope) for scope in policies.scopes(user, posts.VIEW_MEETING))
    total, open_ = selectors.leader_counts(user) if posted else (0, 0)
    if total:
        found.append(Way(_("请我协调的事"), reverse("mobile:meeting_matters"), "up", "", open_, _("件待协调")))
    return found


# --- Meetings -------------------------------------------------------------------------------------------------------


@phone_page
@require_safe
def meetings(request: HttpRequest) -> HttpResponse:
    """A unit's people: what they are asked to. Cadres: what is in their sight."""
    user = person(request)
    mine = own_units(user)
    rows = JointMeeting.objects.visible_to(user).select_related("node", "county")
    if mine and not policies.holds(user, posts.MANAGE_MEETING):
        rows = selectors.meetings_asked(user)
    rows = rows.order_by(_SOONEST, "-held_at", "-pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    answers: dict[int, list[Attendance]] = {}
    asked = Attendance.objects.filter(meeting__in=[row.pk for row in shown], unit__in=mine).select_related("unit")
    for answer in asked if mine else []:
        answers.setdefault(answer.meeting_id, []).append(answer)
    cards = [_card(row, answers.get(row.pk, [])) for row in shown]
    context = {"title": _("联席会议"), "cards": cards, "page": page}
    return _show(request, "meetings", context)


def _card(row: JointMeeting, answers: list[Attendance]) -> dict[str, Any]:
    ahead = row.state in (MeetingState.PUBLISHED, MeetingState.RUNNING)
    return {
        "row": row,
        "url": reverse("mobile:meeting", args=[row.pk]),
        "chip": faces.meeting_chip(row),
        "when": faces.when_words(row),
        "answers": [(one.unit.label, faces.presence_chip(one)) for one in answers] if ahead else [],
    }


@phone_page
@require_safe
def meeting(request: HttpRequest, pk: int) -> HttpResponse:
    """One meeting: when and where, one's own answer, and the table."""
    user = person(request)
    row = _find(user, pk)
    answers = [
        {
            "row": one,
            "chip": faces.presence_chip(one),
            "words": one.person or one.note,
            "moves": [move for move in ATTENDANCE.available(one, user) if move.name in ("come", "excuse")],
        }
        for one in faces.speaks_for(user, row)
    ]
    context = {
        **_table(row, user),
        "answers": answers,
        "when": faces.when_words(row),
        "chip": faces.meeting_chip(row),
        "asked": [(one, faces.presence_chip(one)) for one in row.attendances.all()],
    }
    return _show(request, "meeting", context)


@require_safe
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """The table alone, for an open page that asks whether anything changed."""
    return faces.signed_out(request) or faces.unchanged(request, pk) or _live(request, pk)


@phone_page
def _live(request: HttpRequest, pk: int) -> HttpResponse:
    user = person(request)
    return render(request, "services/mobile/meeting_table.html", _table(_find(user, pk), user))


def _find(user: User, pk: int) -> JointMeeting:
    row = selectors.table_of(user, pk)
    if row is None:
        raise NotFound(_("没有找到这次会议，或没有邀请您的单位。"))
    return row


def _table(row: JointMeeting, user: User) -> dict[str, Any]:
    return {
        "meeting": row,
        "lines": faces.lines_of(row, user),
        "count": faces.count_of(row),
        "several": len(faces.speaks_for(user, row)) > 1 or policies.can(user, posts.MANAGE_MEETING, row),
        "live": faces.is_live(row),
        "key": faces.key_of(row, user),
    }


# --- Answers --------------------------------------------------------------------------------------------------------


class WordsForm(forms.Form):
    """Who comes, why nobody does, or what came of a matter."""

    words = forms.CharField(label=lazy("说明"), max_length=500)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, label: Any, max_length: int, long: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["words"] = forms.CharField(
            label=label, max_length=max_length, widget=forms.Textarea(attrs={"rows": 4}) if long else forms.TextInput()
        )


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """A unit says who comes, or that nobody can."""
    user = person(request)
    row = Attendance.objects.visible_to(user).select_related("meeting__node", "meeting__county", "unit").filter(pk=pk)
    found = row.first()
    if found is None or name not in ("come", "excuse"):
        raise NotFound(_("没有找到这次会议，或没有邀请您的单位。"))
    move = ATTENDANCE.may(found, name, actor=user)
    wanted = move.inputs[0]
    start = found.person or user.name if name == "come" else found.note

    def run(words: str, version: int) -> None:
        meeting_table.answer_meeting(actor=user, attendance=found, coming=name == "come", words=words, version=version)

    return _ask(
        request,
        title=move.label,
        about=[found.meeting.title, found.unit.name],
        back=reverse("mobile:meeting", args=[found.meeting_id]),
        form={"label": wanted.label, "max_length": wanted.max_length},
        initial={"words": start, "version": found.version},
        run=run,
        done=str(move.done),
        field=wanted.name,
    )


# --- Claims ---------------------------------------------------------------------------------------------------------


class UnitForm(forms.Form):
    """Which of several units."""

    unit = forms.ModelChoiceField(label=lazy("认领单位"), queryset=Unit.objects.none(), widget=forms.RadioSelect)
    version = forms.IntegerField(widget=forms.HiddenInput)


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    """One touch for whoever speaks for one unit; whoever speaks for several chooses."""
    user = person(request)
    item = _item(user, pk)
    try:
        AGENDA_ITEM.may(item, "claim", actor=user)
    except Conflict as error:
        return _conflict(request, item.meeting_id, error)
    units = Unit.objects.filter(attendances__meeting=item.meeting_id, is_active=True).order_by("name")
    if not policies.can(user, posts.MANAGE_MEETING, item):
        units = units.filter(pk__in=own_units(user))
    form = UnitForm(request.POST or None, initial={"version": item.version})
    form.fields["unit"].queryset = units  # type: ignore[attr-defined]
    one = units.count() == 1
    if one:
        form.fields["unit"].required = False
    if request.method == "POST" and form.is_valid():
        try:
            chosen = form.cleaned_data["unit"] or units.first()
            meeting_table.claim_item(actor=user, item=item, unit=chosen, version=form.cleaned_data["version"])
        except Conflict as error:
            return _conflict(request, item.meeting_id, error)
        except DomainError as error:
            if error.status != 400:
                raise
            add_domain_error(form, error)
        else:
            messages.success(request, _("已认领“%(title)s”。") % {"title": item.title})
            return redirect("mobile:meeting", item.meeting_id)
    context = {
        "item": item,
        "form": form,
        "title": _("认领"),
        "back": reverse("mobile:meeting", args=[item.meeting_id]),
    }
    return _show(request, "meeting_claim", context, status=400 if request.method == "POST" else 200)


@phone_page
@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a claim back."""
    user = person(request)
    item = _item(user, pk)
    version = request.POST.get("version", "")
    try:
        meeting_table.release_item(
            actor=user, item=item, version=int(version) if version.isascii() and version.isdigit() else None
        )
    except Conflict as error:
        return _conflict(request, item.meeting_id, error)
    messages.success(request, _("已撤回“%(title)s”的认领。") % {"title": item.title})
    return redirect("mobile:meeting", item.meeting_id)


def _item(user: User, pk: int) -> AgendaItem:
    rows = AgendaItem.objects.visible_to(user).select_related("meeting__node", "meeting__county", "unit")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound(_("没有找到这个议题，或没有邀请您的单位。"))
    assert isinstance(found, AgendaItem)
    return found


# --- Leaders --------------------------------------------------------------------------------------------------------


@phone_page
@require_safe
def matters(request: HttpRequest) -> HttpResponse:
    """What meetings asked the person to see to, as a leader."""
    page = Paginator(selectors.matters_of_leader(person(request)), PER_PAGE).get_page(request.GET.get("page"))
    cards = [_matter_card(row) for row in page.object_list]
    context = {"title": _("请我协调的事"), "cards": cards, "page": page}
    return _show(request, "meeting_matters", context)


def _matter_card(row: Resolution) -> Card:
    return Card(
        title=row.item.title,
        url=reverse("mobile:meeting_matter", args=[row.pk]),
        place=[],
        chips=[faces.resolution_chip(row)],
        meta=[row.meeting.title, _("期限：%(day)s") % {"day": date_words(row.due_on)}],
        text=row.text,
    )


def _matter(row: Resolution) -> dict[str, Any]:
    return {"row": row, "chip": faces.resolution_chip(row), "due": date_words(row.due_on)}


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def matter(request: HttpRequest, pk: int) -> HttpResponse:
    """One resolution: what was resolved, who answers for it, and for its leader: what came of it."""
    user = person(request)
    rows = Resolution.objects.visible_to(user).filter(meeting__state=MeetingState.CLOSED)
    found = rows.select_related("meeting__node", "meeting__county", "item", "unit", "leader", "project").filter(pk=pk)
    row = found.first()
    if row is None:
        raise NotFound(_("没有找到这项决议，或不在您的管辖范围内。"))
    moves = [move for move in RESOLUTION.available(row, user) if move.name == "coordinate"]
    if not moves:
        if request.method == "POST":
            RESOLUTION.check(row, "coordinate", actor=user, data={"result": "-"})
        return _show(request, "meeting_matter", {**_matter(row), "meeting": row.meeting})

    def run(words: str, version: int) -> None:
        resolutions.coordinate_resolution(actor=user, resolution=row, result=words, version=version)

    return _ask(
        request,
        title=moves[0].label,
        about=[],
        back=reverse("mobile:meeting_matters"),
        form={"label": moves[0].inputs[0].label, "max_length": 500, "long": True},
        initial={"version": row.version},
        run=run,
        done=str(moves[0].done),
        field="result",
        template="meeting_matter",
        extra={**_matter(row), "meeting": row.meeting},
    )


# --- Pages ----------------------------------------------------------------------------------------------------------


def _ask(
    request: HttpRequest,
    *,
    title: Any,
    about: list[str],
    back: str,
    form: dict[str, Any],
    initial: dict[str, Any],
    run: Callable[[str, int], None],
    done: str,
    field: str,
    template: str = "meeting_answer",
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    """One field on one screen, one action; a refusal stands beside the field."""
    sent = request.method == "POST"
    asked = WordsForm(request.POST if sent else None, initial=initial, **form)
    if sent and asked.is_valid():
        try:
            run(asked.cleaned_data["words"], asked.cleaned_data["version"])
        except Conflict as error:
            return phone.conflict(request, error, back)
        except DomainError as error:
            if error.status != 400:
                raise
            asked.add_error("words", error.fields.get(field, error.message))
        else:
            messages.success(request, done)
            return redirect(back)
    context = {"title": title, "about": about, "back": back, "form": asked, **(extra or {})}
    return _show(request, template, context, status=400 if sent else 200)


def _show(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return phone.show(request, f"services/mobile/{template}.html", context, active="me", status=status)


def _conflict(request: HttpRequest, meeting_id: int, error: Conflict) -> HttpResponse:
    return phone.conflict(request, error, reverse("mobile:meeting", args=[meeting_id]))
