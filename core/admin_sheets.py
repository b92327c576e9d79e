"""Excel at the list: import and export as pages of an admin list, the same for every list (`core.sheets`).

Choose a table, see what would come of it, confirm, see what came of it. Works without JavaScript.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import files, jobs
from core.admin_base import Fact, Part, ScopedModelAdmin
from core.errors import Conflict, Invalid, NotFound, TooLarge
from core.forms import add_domain_error
from core.models import Job, JobState, User
from core.periods import datetime_words
from core.sheets import jobs as sheet_jobs
from core.sheets.base import Sheet, sheet_of
from core.spreadsheets import XLSX_TYPE, write_template
from core.spreadsheets.limits import MAX_BYTES
from core.uploads import MEGABYTE
from core.views import JOB_TONES


class UploadForm(forms.Form):
    """The table, and whether rows that stand already are changed."""

    upload = forms.FileField(
        label=gettext_lazy("表格文件"),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
        error_messages={"required": gettext_lazy("请选择要导入的表格。")},
    )
    update = forms.BooleanField(
        label=gettext_lazy("更新已有的内容"),
        required=False,
        help_text=gettext_lazy("勾选后，表格与系统里不同的地方以表格为准；不勾选，只新增，不改动已有的。"),
    )

    def __init__(self, *args: Any, sheet: Sheet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = {"size": MAX_BYTES // MEGABYTE, "rows": sheet.max_rows}
        self.fields["upload"].help_text = _(".xlsx 或 .csv，最大 %(size)d MB，最多 %(rows)d 行。") % most
        if not sheet.can_update:
            del self.fields["update"]


class SheetAdmin(ScopedModelAdmin):
    """A list with Excel both ways. `sheets` are the keys of its tables, in the order of their buttons."""

    sheets: Sequence[str] = ()

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("import/<slug:key>/", self.import_view, "import"),
            self.page("import/<slug:key>/template/", self.template_view, "import_template"),
            self.page("import/<slug:key>/<int:pk>/", self.import_job_view, "import_job"),
            self.page("import/<slug:key>/<int:pk>/confirm/", self.confirm_view, "import_confirm"),
            self.page("export/<slug:key>/", self.export_view, "export"),
            *super().get_urls(),
        ]

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        """Adds 导入 and 导出 of each table to the buttons above the list."""
        found = super().tools(request)
        query = f"?{request.META['QUERY_STRING']}" if request.META.get("QUERY_STRING") else ""
        for key in self.sheets:
            sheet = sheet_of(key)
            several = sheet.label if len(self.sheets) > 1 else ""
            if sheet.may(request.user, sheet.right):
                found.append((_("导入%(what)s") % {"what": several}, self.url("import", key), "plain"))
            if sheet.may(request.user, sheet.export_right):
                found.append((_("导出%(what)s") % {"what": several}, self.url("export", key) + query, "plain"))
        return found

    def sheet(self, key: str) -> Sheet:
        if key not in self.sheets:
            raise NotFound(_("没有这种表格。"))
        return sheet_of(key)

    # --- Coming in ---

    def import_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Choosing a table. Nothing is imported by sending it."""
        user, sheet = self._importer(request, key)
        sent = request.method == "POST"
        form = UploadForm(request.POST if sent else None, request.FILES if sent else None, sheet=sheet)
        if sent and form.is_valid():
            data = form.cleaned_data
            try:
                job = sheet_jobs.submit_check(
                    actor=user,
                    sheet=sheet,
                    upload=data["upload"],
                    update=data.get("update", False),
                    page=f"{self.admin_site.name}:{self.url_name('import_job')}",
                )
            except (Invalid, TooLarge) as error:
                add_domain_error(form, error)
            else:
                return redirect(self.url("import_job", key, job.pk))
        where = sheet.where(user)
        context = {
            "title": _("导入%(what)s") % {"what": sheet.label},
            "form": form,
            "columns": [column for column in sheet.columns(where) if column.offered],
            "notes": sheet.notes(where),
            "template_url": self.url("import_template", key),
            "recent": self._recent(user, key),
        }
        return self.render(request, "core/sheets/start.html", context)

    def template_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """The empty form."""
        user, sheet = self._importer(request, key)
        where = sheet.where(user)
        content = write_template(sheet.columns(where), title=str(sheet.label), notes=sheet.notes(where))
        return _download(content, _("%(what)s导入模板.xlsx") % {"what": sheet.label})

    def import_job_view(self, request: HttpRequest, key: str, pk: int) -> HttpResponse:
        """One's own dry run or import: its progress, then what it found."""
        user, sheet = self._importer(request, key)
        job = self._own_job(user, sheet, pk)
        dry = job.kind == sheet_jobs.CHECK
        found = job.report.get("sheet")
        words = _("核对要导入的%(what)s") if dry else _("导入%(what)s的结果")
        written = sheet_jobs.written_job(job) if dry else None
        context: dict[str, Any] = {
            "title": words % {"what": sheet.label},
            "sheet": sheet,
            "job": job,
            "over": job.state in {JobState.DONE, JobState.FAILED},
            "dry": dry,
            "found": found,
            "kind_label": jobs.kind_label(job.kind),
            "start_url": self.url("import", key),
            "back_url": self.url("import", key),
            "facts": _facts(job, found),
        }
        if found:
            context["faults"] = _faults(found, files.url("job-result", job) if job.result else "")
            context["sample"] = _sample(found, dry)
            context["confirm_url"] = self.url("import_confirm", key, job.pk)
            context["kept"] = bool(job.upload)
            context["deeds"] = [] if dry else self.job_deeds(job)
            context["written_url"] = self.url("import_job", key, written.pk) if written else ""
            context["to_do"] = found["created"] + found["updated"]
        return self.render(request, "core/sheets/job.html", context)

    def confirm_view(self, request: HttpRequest, key: str, pk: int) -> HttpResponse:
        """Yes to what the dry run showed."""
        user, sheet = self._importer(request, key)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        check = self._own_job(user, sheet, pk)
        try:
            job = sheet_jobs.submit_import(actor=user, check=check, keep_good=request.POST.get("keep_good") == "1")
        except Conflict as error:
            messages.error(request, error.message)
            return redirect(self.url("import_job", key, check.pk))
        return redirect(self.url("import_job", key, job.pk))

    def _importer(self, request: HttpRequest, key: str) -> tuple[User, Sheet]:
        sheet = self.sheet(key)
        user = request.user
        assert isinstance(user, User)
        sheet.require(user, sheet.right)
        return user, sheet

    @staticmethod
    def _own_job(user: User, sheet: Sheet, pk: int) -> Job:
        kinds = (sheet_jobs.CHECK, sheet_jobs.WRITE)
        job = Job.objects.visible_to(user).filter(pk=pk, kind__in=kinds, params__sheet=sheet.key).first()
        if job is None:
            raise NotFound(_("没有找到这次导入。只有提交人自己能看到。"))
        return job

    def _recent(self, user: User, key: str) -> list[dict[str, Any]]:
        found = Job.objects.visible_to(user).filter(kind=sheet_jobs.WRITE, params__sheet=key)[:5]
        return [recent_import(job, self.url("import_job", key, job.pk), "sheet") for job in found]

    def job_deeds(self, job: Job) -> list[tuple[str, str]]:
        """What else can be done with the result of an import: (words, address of a POST)."""
        return []

    # --- Going out ---

    def export_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """What the list shows now, as a printable ledger: asked once more, because it is written down."""
        sheet = self.sheet(key)
        user = request.user
        assert isinstance(user, User)
        sheet.require(user, sheet.export_right)
        ids = self.export_ids(request)
        if request.method == "POST":
            try:
                if len(ids) > sheet_jobs.AT_ONCE:
                    return redirect("core:job", sheet_jobs.submit_export(actor=user, sheet=sheet, ids=ids).pk)
                content = sheet_jobs.export(actor=user, sheet=sheet, ids=ids)
            except Invalid as error:
                messages.error(request, error.message)
            else:
                return _download(content, sheet_jobs.ledger_name(sheet))
        context = {
            "title": _("导出%(what)s") % {"what": sheet.ledger_title()},
            "count": len(ids),
            "columns": [column.title for column in sheet.ledger_columns()],
            "unit": sheet.ledger_unit(user),
            "later": len(ids) > sheet_jobs.AT_ONCE,
        }
        return self.render(request, "core/sheets/export.html", context)

    def export_ids(self, request: HttpRequest) -> list[int]:
        """The keys of the rows that the list shows with the filters of the address, in its order."""
        try:
            shown: ChangeList = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            raise Invalid(_("筛选条件有误，请返回列表重新筛选。")) from None
        rows = shown.get_queryset(request).values_list("pk", flat=True)
        return list(rows[: sheet_jobs.MOST + 1])


def recent_import(job: Job, address: str, section: str) -> dict[str, Any]:
    """A line of “最近的导入”. `section`: where its figures stand in the job's report."""
    return {
        "url": address,
        "name": job.params.get("upload_name", ""),
        "at": job.created_at,
        "chip": (job.get_state_display(), JOB_TONES[JobState(job.state)]),
        "created": job.report.get(section, {}).get("created"),
    }


def _download(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=XLSX_TYPE)
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    response.headers["Cache-Control"] = "no-store"
    return response


def _facts(job: Job, found: Mapping[str, Any] | None) -> list[Fact]:
    facts = [
        Fact(_("文件"), job.params.get("upload_name", "")),
        Fact(_("提交时间"), datetime_words(job.created_at)),
        Fact(_("更新已有"), _("是") if job.params.get("update") else _("否")),
    ]
    return [*facts, *reading_facts(found)] if found else facts


def reading_facts(found: Mapping[str, Any]) -> list[Fact]:
    """How a table was read: its letters, its sheet, the columns that nobody asked for."""
    facts = []
    if found["encoding"]:
        facts.append(Fact(_("文字编码"), found["encoding"]))
    if found["sheet"]:
        facts.append(Fact(_("工作表"), found["sheet"]))
    if found["ignored_columns"]:
        facts.append(Fact(_("没有读取的列"), "、".join(found["ignored_columns"]), wide=True))
    return facts


def _faults(found: Mapping[str, Any], workbook: str) -> Part | None:
    if not found["errors"]:
        return None
    more = _("下载错误清单（原表加“错误信息”一列，共 %(count)d 处）") % {"count": found["error_count"]}
    return Part(
        title=_("有错误的行"),
        columns=(_("行号"), _("列"), _("错误"), _("填写的内容")),
        rows=[(row, column or "—", reason, value or "—") for row, column, reason, value in found["errors"]],
        more=(more, workbook) if workbook else None,
    )


def _sample(found: Mapping[str, Any], dry: bool) -> Part | None:
    if not found["sample"]:
        return None
    rows = [
        (
            line["row"],
            line["what"],
            line["name"] or "—",
            "；".join(_change(*change) for change in line["changes"]) or "—",
        )
        for line in found["sample"]
    ]
    return Part(
        title=_("将这样导入（前几条）") if dry else _("导入了什么（前几条）"),
        columns=(_("行号"), _("怎么办"), _("内容"), _("改动")),
        rows=rows,
    )


def _change(header: str, before: str, after: str) -> str:
    if not before and not after:
        return header
    return f"{header}：{before or _('（空）')} → {after or _('（空）')}"
