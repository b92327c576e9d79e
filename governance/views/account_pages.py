"""Letting people in: one account on one page, many by a table, and the one taking of their first passwords."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.accounts import MANAGE_ACCOUNT
from core.admin_base import ScopedModelAdmin
from core.deeds import Shown
from core.errors import NotFound
from core.models import Job
from core.spreadsheets import XLSX_TYPE
from governance.accounts import handout as slips
from governance.accounts import imports, sheets
from governance.accounts.forms import CadreForm, ImportForm, LiaisonForm, MemberForm, PersonForm
from grids.actions import GivenAccount
from grids.admin_places import place_field
from grids.models import County
from grids.selectors import managed_county

RECENT = 10
DISPENSED = lazy("首次密码只显示这一次，系统不保存。请当面交给本人；首次登录必须修改。")


def add(page: ScopedModelAdmin, request: HttpRequest) -> HttpResponse:
    """One person, of the kind chosen on top of the page: a cadre, somebody of a unit, a member."""
    county = _county(page, request)
    user: Any = request.user
    kind = request.GET.get("kind", sheets.CADRES)
    sheets.sheet_of(kind)
    sent = request.method == "POST"
    form = _form(kind, county, request.POST if sent else None)
    if sent and form.is_valid():
        given = form.save(user)
        if given is not None:
            return _handed(page, request, given)
    context = {
        "title": _("新建账号"),
        "form": form,
        "kinds": [(sheet.label, f"?kind={sheet.key}", sheet.key == kind) for sheet in sheets.SHEETS.values()],
        "deed": {"label": _("开通账号"), "tone": "main"},
        "back": page.url("changelist"),
    }
    return page.render(request, "admin/account_add.html", context, status=400 if sent else 200)


def _form(kind: str, county: County, data: Any) -> PersonForm:
    if kind == sheets.CADRES:
        return CadreForm(data, county=county, place=place_field)
    return (LiaisonForm if kind == sheets.LIAISONS else MemberForm)(data, county=county)


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


def import_people(page: ScopedModelAdmin, request: HttpRequest) -> HttpResponse:
    county = _county(page, request)
    user: Any = request.user
    sent = request.method == "POST"
    form = ImportForm(request.POST if sent else None, request.FILES if sent else None, county=county)
    if sent and form.is_valid():
        job = form.save(user)
        if job is not None:
            messages.info(request, _("已提交，正在后台检查。"))
            return redirect("core:job", job.pk)
    jobs = Job.objects.visible_to(user).filter(kind=imports.JOB)[:RECENT]
    context = {
        "title": _("用表格导入账号"),
        "form": form,
        "deed": {"label": _("上传"), "tone": "main"},
        "templates": [(sheet.label, page.url("template", sheet.key)) for sheet in sheets.SHEETS.values()],
        "jobs": [(job, page.url("handout", job.pk) if job.params.get("handout") else "") for job in jobs],
        "back": page.url("changelist"),
    }
    return page.render(request, "admin/account_import.html", context, status=400 if sent else 200)


def template(page: ScopedModelAdmin, request: HttpRequest, kind: str) -> HttpResponse:
    """The empty table, with the posts of this county to choose from."""
    county = _county(page, request)
    sheet = sheets.sheet_of(kind)
    return _workbook(sheets.template_of(sheet, county), _("导入模板-%(what)s.xlsx") % {"what": sheet.label})


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
