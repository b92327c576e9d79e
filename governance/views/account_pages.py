"""Letting people in: one account on one page, the door to the tables, and the one taking of their first passwords."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.accounts import MANAGE_ACCOUNT
from core.admin_base import ScopedModelAdmin
from core.admin_sheets import SheetAdmin
from core.deeds import Shown
from core.errors import NotFound
from core.models import Job
from core.sheets import jobs as sheet_jobs
from core.sheets import sheet_of
from core.spreadsheets import XLSX_TYPE
from governance.accounts import handout as slips
from governance.accounts.forms import CadreForm, LiaisonForm, MemberForm, PersonForm
from governance.accounts.words import CADRES, KINDS, LIAISONS, MEMBERS, require_kind
from grids.actions import GivenAccount
from grids.admin_places import place_field
from grids.models import County
from grids.selectors import managed_county

RECENT = 10
HELP = {
    CADRES: lazy("街道、社区干部和网格员、楼栋长、单元长……一行一个人、一个岗位、一个地方。"),
    LIAISONS: lazy("报到单位的联络员和工作人员，要先登记单位。"),
    MEMBERS: lazy("党员名册，登记的同时开通账号；要先登记单位和党组织。"),
}
DISPENSED = lazy("首次密码只显示这一次，系统不保存。请当面交给本人；首次登录必须修改。")


def add(page: ScopedModelAdmin, request: HttpRequest) -> HttpResponse:
    """One person, of the kind chosen on top of the page: a cadre, somebody of a unit, a member."""
    county = _county(page, request)
    user: Any = request.user
    kind = request.GET.get("kind", CADRES)
    require_kind(kind)
    sent = request.method == "POST"
    form = _form(kind, county, request.POST if sent else None)
    if sent and form.is_valid():
        given = form.save(user)
        if given is not None:
            return _handed(page, request, given)
    context = {
        "title": _("新建账号"),
        "form": form,
        "kinds": [(label, f"?kind={key}", key == kind) for key, label in KINDS.items()],
        "deed": {"label": _("开通账号"), "tone": "main"},
        "back": page.url("changelist"),
    }
    return page.render(request, "admin/account_add.html", context, status=400 if sent else 200)


def _form(kind: str, county: County, data: Any) -> PersonForm:
    if kind == CADRES:
        return CadreForm(data, county=county, place=place_field)
    return (LiaisonForm if kind == LIAISONS else MemberForm)(data, county=county)


def _handed(page: ScopedModelAdmin, request: HttpRequest, given: GivenAccount) -> HttpResponse:
    """The first password, in this answer alone."""
    lines = ((_("姓名"), given.user.name), (_("登录手机号码"), given.user.phone))
    if given.password is None:
        shown = Shown(_("已增加职务"), lines, _("这个手机号码原来就有账号，密码不变。"))
    else:
        shown = Shown(_("账号已开通"), (*lines, (_("首次密码"), given.password)), str(DISPENSED))
    response = page.render(request, "admin/shown.html", {"title": shown.title, "shown": shown})
    response.headers["Cache-Control"] = "private, no-store"
    return response


def import_door(page: SheetAdmin, request: HttpRequest) -> HttpResponse:
    """The tables by which people come in, and the slips that wait to be taken."""
    _county(page, request)
    user: Any = request.user
    tables = [
        (label, HELP[key], page.url("import", key), page.url("import_template", key))
        for key, label in KINDS.items()
        if sheet_of(key).may(user, sheet_of(key).right)
    ]
    jobs = Job.objects.visible_to(user).filter(kind=sheet_jobs.WRITE, params__has_key="handout")[:RECENT]
    context = {
        "title": _("用表格导入账号"),
        "tables": tables,
        "slips": [(job, page.url("handout", job.pk)) for job in jobs if slips.waits(job)],
    }
    return page.render(request, "admin/account_import.html", context)


def handout(page: ScopedModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """The first passwords of an import, once, to whoever asked for it."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    _county(page, request)
    job = Job.objects.visible_to(request.user).filter(pk=pk).first()
    if job is None:
        raise NotFound(_("没有找到这次导入。只有提交人自己能领取。"))
    return _workbook(slips.take(actor=request.user, job=job), _("首次密码发放单.xlsx"))  # type: ignore[arg-type]


def _county(page: ScopedModelAdmin, request: HttpRequest) -> County:
    if not page.has_add_permission(request):
        raise PermissionDenied
    return managed_county(request.user, MANAGE_ACCOUNT)


def _workbook(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=XLSX_TYPE)
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response.headers["Cache-Control"] = "private, no-store"
    return response
