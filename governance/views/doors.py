"""The front page, and where each person is led after signing in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core import policies
from grids.models import County

# First right held -> the face a person works on.
_FACES = (
    (policies.USE_DESK, "/admin/"),
    (policies.USE_MOBILE, "/m/"),
    (policies.VIEW_DASHBOARD, "/dashboard/"),
)


def front(request: HttpRequest) -> HttpResponse:
    """The public front page. Names the county when there is only one."""
    names = list(County.objects.values_list("name", flat=True)[:2])
    return render(request, "front.html", {"county_name": names[0] if len(names) == 1 else ""})


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Leads a person to the face of their first right; somebody who holds nothing is told so on their own page."""
    user = request.user
    if getattr(user, "is_superuser", False):
        return redirect("/admin/")
    for right, address in _FACES:
        if policies.holds(user, right):
            return redirect(address)
    return render(request, "registration/no_post.html", status=200)
