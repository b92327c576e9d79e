"""The sheet of a case (个案单) for the printer: for the file in the community's cabinet, and for nobody else."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core import policies
from core.periods import date_words
from services import posts
from services.case_faces import due_words, event
from services.selectors import cases as selectors


@login_required
@require_safe
def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """A case with every help and its timeline, on A4. For its community alone."""
    user = request.user
    row = selectors.find_case(user, pk)  # type: ignore[arg-type]
    policies.require(user, posts.MANAGE_CASE, row)
    context = {
        "case": row,
        "consent_on": date_words(row.consent_on),
        "opened": date_words(row.opened_at),
        "closed": date_words(row.closed_at) if row.closed_at else "",
        "helps": [(one, due_words(one)) for one in row.helps.all()],
        "events": [event(one) for one in reversed(selectors.entries_of(user, row))],  # type: ignore[arg-type]
        "today": date_words(timezone.localdate()),
    }
    response = render(request, "services/cases/sheet.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response
