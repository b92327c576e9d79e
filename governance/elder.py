"""The one switch of elderly mode: larger letters and targets, kept in a cookie of this browser."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

COOKIE = "elder"
YEAR = 365 * 24 * 3600


# No token asked for: it changes the size of letters only, and the button stands on pages that have no other form
# (a token would make each of them carry a cookie).
@csrf_exempt
@require_POST
def elder(request: HttpRequest) -> HttpResponse:
    """Sets (`on=1`) or takes away (`on=0`) elderly mode, then goes back to `next` on this site."""
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    response = HttpResponseRedirect(target)
    if request.POST.get("on") == "1":
        response.set_cookie(
            COOKIE, "1", max_age=YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE, httponly=True
        )
    else:
        response.delete_cookie(COOKIE, samesite="Lax")
    return response
