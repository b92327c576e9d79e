"""Sheets with the QR codes of buildings, for the printer: one to a page, or all of a place to cut apart."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core import qr
from core.errors import NotFound
from grids.models import GridNode
from grids.naming import steps_of
from services.clocks import limits_of

# Six to a sheet of A4, ten sheets at a time: what a printer swallows and a browser draws at once.
PER_PAGE = 60
_LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104  # compared with, not bound to


@dataclass(frozen=True)
class Code:
    """One code as it is printed. `token` is typed by hand where the camera fails."""

    place: list[str]
    svg: SafeString
    address: str
    token: str


def public_address(path: str) -> str:
    """A page as people outside reach it (PUBLIC_URL)."""
    return f"{settings.PUBLIC_URL}{path}"


def drawing(data: str, attributes: SafeString) -> SafeString:
    """The code as an SVG element with some attributes, to stand inside a page or another drawing."""
    element = qr.svg(data).decode()
    # Our own drawing of black squares: nothing of anybody's input is in it but the squares.
    return mark_safe(element[element.index("<svg") :].replace("<svg ", f"<svg {attributes} ", 1).strip())  # noqa: S308


def code_of(node: GridNode) -> Code:
    address = public_address(reverse("resident:order", args=[node.public_token]))
    named = format_html('role="img" aria-label="{}"', _("%(place)s的二维码") % {"place": node.name})
    return Code(steps_of(node.path), drawing(address, named), address, node.public_token)


@login_required
@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The code of one place, to hang up there."""
    node = visible_place(request, pk)
    if node.community_id is None:
        raise NotFound(_("街道没有二维码，请选择社区或更小的地点。"))
    context = {
        **_context(node),
        "code": code_of(node),
        "has_more": not node.is_leaf_node() and node.level_key != "building",
    }
    return render(request, "services/qr/page.html", context)


@login_required
@require_safe
def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """The codes of every building inside a place, `PER_PAGE` at a time."""
    node = visible_place(request, pk)
    buildings = GridNode.objects.standing().inside(node).at("building")
    found = Paginator(buildings, PER_PAGE).get_page(request.GET.get("page"))
    context = {**_context(node), "page": found, "codes": [code_of(one) for one in found]}
    return render(request, "services/qr/sheet.html", context)


def visible_place(request: HttpRequest, pk: int) -> GridNode:
    """A place in use in the person's sight, with its level and county. Raises NotFound."""
    nodes = GridNode.objects.visible_to(request.user).standing().select_related("level_type", "county")
    node: GridNode | None = nodes.filter(pk=pk).first()
    if node is None:
        raise NotFound(_("没有找到这个地点，或不在您的管辖范围内。"))
    return node


def unreachable() -> str:
    """The portal's address where it opens on the machine that printed it and on no telephone; else empty."""
    return settings.PUBLIC_URL if urlsplit(settings.PUBLIC_URL).hostname in _LOCAL else ""


def _context(node: GridNode) -> dict[str, Any]:
    return {
        "node": node,
        "place": steps_of(node.path),
        "promise": limits_of(node.county_id).promise,
        "unreachable": unreachable(),
    }
