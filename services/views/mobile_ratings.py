"""`/m/ratings/`: a unit's liaison says how the community did, after a service that is over; and reads what was said."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from core import phone, policies
from core.errors import Conflict, DomainError, NotFound
from core.forms import add_domain_error
from core.models import User
from core.periods import date_words
from core.phone import Way, person, phone_page
from partybuilding.policies import UnitScope
from services import posts
from services.actions import rate
from services.models import RatingSide, Satisfaction, ServiceRating
from services.selectors import ratings as selectors

MOST = 30


class RatingForm(forms.Form):
    grade = forms.ChoiceField(label=lazy("评价"), choices=Satisfaction.choices, widget=forms.RadioSelect)
    text = forms.CharField(
        label=lazy("意见"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("社区会看到。对事不对人，不写个人姓名、电话。"),
    )


def ways(user: User) -> list[Way]:
    """For liaisons: whether there is something to rate. Three queries for who speaks for a unit, none for others."""
    if not any(isinstance(scope, UnitScope) for scope in policies.scopes(user, posts.RATE_COMMUNITY)):
        return []
    note = _("有办完的服务可以评价") if selectors.waiting(user, RatingSide.UNIT) else ""
    return [Way(_("评价社区"), reverse("mobile:ratings"), "talk", note)]


@phone_page
@require_safe
def ratings(request: HttpRequest) -> HttpResponse:
    """What can be rated, and what was said of one's unit and by it."""
    user = person(request)
    units = {scope.unit_id for scope in policies.scopes(user, posts.VIEW_RATING) if isinstance(scope, UnitScope)}
    given = ServiceRating.objects.visible_to(user).filter(unit__in=units)
    given = given.select_related("community", "unit", "suborder__demand", "project", "commitment")
    context = {
        "waiting": [
            {"title": one.title, "community": one.community.name, "unit": one.unit.label, "url": _url(one.key)}
            for one in selectors.waiting(user, RatingSide.UNIT)[:MOST]
        ],
        "given": [
            {
                "title": row.suborder.demand.title if row.suborder else str(row.project or row.commitment),
                "side": row.get_side_display(),
                "grade": row.get_grade_display(),
                "tone": TONES[row.grade],
                "text": row.text,
                "when": date_words(row.at),
                "community": row.community.name,
            }
            for row in given[:MOST]
        ],
    }
    return phone.show(request, "services/mobile/ratings.html", context, active="me")


TONES: dict[str, str] = {"satisfied": "green", "fairly": "blue", "dissatisfied": "amber"}


def _url(key: str) -> str:
    return reverse("mobile:rating", args=[key])


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def rating(request: HttpRequest, key: str) -> HttpResponse:
    """One service in two touches."""
    user, sent = person(request), request.method == "POST"
    found = selectors.find_waiting(user, RatingSide.UNIT, key)
    if found is None:
        raise NotFound(_("这次服务已经评价过了，或不是贵单位的。"))
    form = RatingForm(request.POST if sent else None)
    back, status = reverse("mobile:ratings"), 400 if sent else 200
    if sent and form.is_valid():
        data: dict[str, Any] = form.cleaned_data
        try:
            rate(actor=user, side=RatingSide.UNIT, service=found.service, unit=found.unit, **data)
        except Conflict as error:
            return phone.conflict(request, error, back)
        except DomainError as error:
            if error.status != 400:
                raise
            add_domain_error(form, error)
        else:
            messages.success(request, _("已评价，谢谢。"), extra_tags=f"rating-{key}")
            return redirect(back)
    context = {"form": form, "found": found, "back": back, "draft": f"rating-{key}"}
    return phone.show(request, "services/mobile/rating.html", context, active="me", status=status)
