"""People from a table: the form, the empty table to fill in, and the one taking of first passwords."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.accounts import MANAGE_ACCOUNT
from core.admin_base import ScopedModelAdmin
from core.deeds import DeedForm
from core.errors import DomainError, NotFound
from core.forms import add_domain_error
from core.models import Job
from core.spreadsheets import XLSX_TYPE
from governance.accounts import handout as slips
from governance.accounts import imports, sheets
from grids.admin_places import managed_county

RECENT = 10


class ImportForm(DeedForm):
    kind = forms.ChoiceField(
        label=lazy("导入什么"),
        choices=[(sheet.key, sheet.label) for sheet in sheets.SHEETS.values()],
        widget=forms.RadioSelect,
        initial=sheets.CADRES,
    )
    file = forms.FileField(
        label=lazy("表格文件"),
        help_text=lazy("用下面的模板填写；Excel（.xlsx）或逗号分隔的文本（.csv）都可以。"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
    )
    how = forms.ChoiceField(
        label=lazy("怎么办"),
        choices=[
            ("check", lazy("只检查，先不写入")),
            ("write", lazy("没有错误才写入")),
            ("good", lazy("写入没有错误的行，有错误的行退回")),
        ],
        widget=forms.RadioSelect,
        initial="check",
    )


def start(page: ScopedModelAdmin, request: HttpRequest) -> HttpResponse:
    if not page.has_add_permission(request):
        raise PermissionDenied
    user: Any = request.user
    sent, status = request.method == "POST", 200
    form = ImportForm(request.POST if sent else None, request.FILES if sent else None, user=user)
    if sent:
        status = 400
        if form.is_valid():
            try:
                job = _submit(user, form.cleaned_data)
            except DomainError as error:
                if error.status in (403, 404):
                    raise
                add_domain_error(form, error)
            else:
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
    return page.render(request, "admin/account_import.html", context, status=status)


def _submit(user: Any, data: dict[str, Any]) -> Job:
    return imports.start(
        actor=user,
        county=managed_county(user, MANAGE_ACCOUNT),
        kind=data["kind"],
        file=data["file"],
        dry_run=data["how"] == "check",
        keep_good=data["how"] == "good",
    )


def template(page: ScopedModelAdmin, request: HttpRequest, kind: str) -> HttpResponse:
    """The empty table, with the posts of this county to choose from."""
    if not page.has_add_permission(request):
        raise PermissionDenied
    sheet = sheets.sheet_of(kind)
    county = managed_county(request.user, MANAGE_ACCOUNT)
    return _workbook(sheets.template_of(sheet, county), _("导入模板-%(what)s.xlsx") % {"what": sheet.label})


def handout(page: ScopedModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """The first passwords of an import, once, to whoever asked for it."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not page.has_add_permission(request):
        raise PermissionDenied
    job = Job.objects.visible_to(request.user).filter(pk=pk).first()
    if job is None:
        raise NotFound(_("没有找到这次导入。只有提交人自己能领取。"))
    return _workbook(slips.take(actor=request.user, job=job), _("首次密码发放单.xlsx"))  # type: ignore[arg-type]


def _workbook(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=XLSX_TYPE)
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response.headers["Cache-Control"] = "private, no-store"
    return response
