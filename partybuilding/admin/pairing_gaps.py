"""The page 缺口与超载: places nobody looks after, and holders of too many. Read over `partybuilding.covers`."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.deeds import Deed
from core.errors import NotFound
from core.models import User
from grids.models import County, GridNode
from grids.posts import MANAGE_COUNTY
from grids.selectors import managed_county
from partybuilding import actions, posts, selectors
from partybuilding.admin.pairing_forms import GuidesForm
from partybuilding.pairing_kinds import KINDS
from partybuilding.selectors import Column

SHEETS = ("pairing_gaps", "pairing_loads")
PER_PAGE = 50


def _set_guides(*, actor: Any, obj: None, **data: Any) -> None:
    county = managed_county(actor, MANAGE_COUNTY)
    for key in KINDS:
        actions.set_pairing_guide(
            actor=actor, county=county, kind=key, level=data[f"{key}_level"], most=data[f"{key}_most"]
        )


GUIDES = Deed(
    "guides",
    lazy("修改包联标准"),
    MANAGE_COUNTY,
    GuidesForm,
    _set_guides,
    lazy("已保存。"),
    help=lazy("定下每一类包联要到哪一级、一个人（单位）最多包联几处。缺口和超载按这里计算，只作提示。"),
    tone="main",
)


def show(page: Any, request: HttpRequest) -> HttpResponse:
    """The sums by street and community; with a column chosen, the places themselves."""
    if not page.sees_list(request.user):
        raise PermissionDenied
    user = person(request)
    county, place = _where(request)
    columns = selectors.columns_of(county)
    column = next((one for one in columns if one.cover.key == request.GET.get("lack")), None)
    query = {"place": place.pk} if place else {}
    context = {
        "title": _("缺口与超载"),
        "county": county,
        "place": place,
        "columns": columns,
        "column": column,
        "query": urlencode(query),
        "guides": _guides(county, columns),
        "guides_url": page.url("guides") if GUIDES.may(request.user) else "",
        "gaps_export": f"{page.url('export', 'pairing_gaps')}?{urlencode(query | ({'lack': column.cover.key} if column else {}))}",
        "loads_export": f"{page.url('export', 'pairing_loads')}?{urlencode(query)}",
        "here": page.url("gaps"),
    }
    if column is not None:
        context |= _lacking(request, county, column, place, query)
    else:
        context["total"] = selectors.gaps(user, county, columns, place)
        context["loads"] = [
            (load, f"{page.url('changelist')}?{urlencode({'q': load.holder, 'kind': load.kind.key, 'running': 1})}")
            for load in selectors.overloads(user, county, place)
        ]
    return page.render(request, "admin/pairing_gaps.html", context)


def _lacking(
    request: HttpRequest, county: County, column: Column, place: GridNode | None, query: dict[str, Any]
) -> dict[str, Any]:
    rows = selectors.missing(person(request), county, column, place).select_related("level_type")
    found = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    address, right = column.cover.add
    may = policies.holds(request.user, right)
    more = {"kind": column.cover.key} if column.cover.key in KINDS else {}
    lines = [
        (node, f"{reverse(address)}?{urlencode({'node': node.pk, **more})}" if may else "")
        for node in found.object_list
    ]
    return {
        "found": found,
        "lines": lines,
        "page_query": urlencode({**query, "lack": column.cover.key}),
    }


def change_guides(page: Any, request: HttpRequest) -> HttpResponse:
    """How far the county pairs."""
    if not GUIDES.may(request.user):
        raise PermissionDenied
    return page._do(request, GUIDES, None)


def export_ids(request: HttpRequest, key: str) -> list[int]:
    """What the page shows, for its ledgers."""
    county, place = _where(request)
    columns = selectors.columns_of(county)
    if key == "pairing_loads":
        return [load.pairing_id for load in selectors.overloads(person(request), county, place)]
    columns = [one for one in columns if one.cover.key == request.GET.get("lack")] or columns
    return list(selectors.missing_any(person(request), county, columns, place).values_list("pk", flat=True))


def person(request: HttpRequest) -> User:
    """Whoever passed the door of the admin."""
    assert isinstance(request.user, User)
    return request.user


def _where(request: HttpRequest) -> tuple[County, GridNode | None]:
    """The county, or the street or community that is asked for. Raises NotFound for one out of sight."""
    pk = request.GET.get("place", "")
    if not pk:
        return managed_county(request.user, posts.VIEW_PAIRING), None
    nodes = (
        GridNode.objects.standing()
        .at("street", "community")
        .filter(policies.within(GridNode, request.user, posts.VIEW_PAIRING))
    )
    found = (
        nodes.filter(pk=int(pk)).select_related("county").first()
        if pk.isascii() and pk.isdigit() and len(pk) < 19
        else None
    )
    if found is None:
        raise NotFound(_("没有找到这个街道或社区，或不在您的管辖范围内。"))
    return found.county, found


def _guides(county: County, columns: list[Column]) -> list[str]:
    """The county's standard in sentences."""
    due = {column.cover.key: column.level.name for column in columns}
    said = []
    for key, guide in selectors.guides_of(county).items():
        level = _("每个%(level)s都要有") % {"level": due[key]} if key in due else _("不要求处处都有")
        holder = _("一个单位") if guide.kind.holder == "unit" else _("一人")
        said.append(
            _("%(kind)s：%(level)s，%(holder)s最多 %(most)d 处")
            % {"kind": guide.kind.label, "level": level, "holder": holder, "most": guide.most}
        )
    return said
