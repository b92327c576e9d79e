"""A deed (`core.deeds`) on one screen of the phone: its form, its refusals, and where it leads when it is done.

The desk has the same in `core.admin_base`. Templates extend `base_deed.html`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from core import phone
from core.deeds import Deed, perform
from core.errors import Stale


def do_deed(
    request: HttpRequest,
    deed: Deed,
    obj: Any,
    *,
    template: str,
    back: str,
    context: Mapping[str, Any],
    active: str = "me",
    draft: str = "",
    initial: Mapping[str, Any] | None = None,
    done: Callable[[Any], HttpResponse] | None = None,
) -> HttpResponse:
    """Shows the form of a deed, and does it when it is sent. Whether the person may is the caller's to ask.

    Args:
        obj: the row it is done to, or whatever its form and action take; None for a new one.
        context: what the template says besides deed, form, back and draft.
        draft: key under which the phone keeps what is typed until it is done; empty where it is somebody's.
        done: called with what the deed answered; leads back with the deed's words when not given.
    """
    user, sent = phone.person(request), request.method == "POST"
    given = (request.POST, request.FILES) if sent else (None, None)
    form = deed.form(*given, user=user, obj=obj, initial={} if sent else dict(initial or {}))
    if sent and form.is_valid():
        try:
            is_done, result = perform(deed, form, actor=user, obj=obj, data=form.cleaned_data)
        except Stale as error:
            return phone.conflict(request, error, back)
        if is_done:
            return done(result) if done else lead_on(request, deed, back, draft=draft)
    context = {**context, "deed": deed, "form": form, "back": back, "draft": draft}
    return phone.show(request, template, context, active=active, status=400 if sent else 200)


def lead_on(request: HttpRequest, deed: Deed, address: str, *, draft: str = "") -> HttpResponse:
    """Says that a deed is done, and leads on; the draft of its form is forgotten."""
    messages.success(request, str(deed.done), extra_tags=draft)
    return redirect(address)
