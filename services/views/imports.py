"""Importing demands on the desk: choose a table, see what would come of it, confirm, see what came of it.

Two jobs stand behind it (`services.actions.import_jobs`); their page here is one and the same, before, while and after
they run, and asks again by itself while something is running. Works without JavaScript.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import files, jobs, policies
from core.admin_base import Fact, Part, ScopedModelAdmin
from core.admin_sheets import reading_facts, recent_import
from core.errors import Forbidden, Invalid, NotFound, TooLarge
from core.forms import add_domain_error
from core.models import Job, JobState, User
from core.periods import date_words, datetime_words
from core.spreadsheets import XLSX_TYPE
from grids.models import GridNode
from services import posts
from services.actions import import_jobs
from services.actions.import_places import Placed
from services.resources import demands as resources

_HUNG = {
    Placed.FOUND: gettext_lazy("认出了具体地点"),
    Placed.PARTLY: gettext_lazy("只认出开头，挂在认出的地方"),
    Placed.NONE: gettext_lazy("没有写地点，挂在社区"),
    Placed.UNKNOWN: gettext_lazy("认不出，挂在社区"),
    Placed.AMBIGUOUS: gettext_lazy("有重名，挂在社区"),
}


class UploadForm(forms.Form):
    """The table and where it belongs. Whoever has one community is not asked for it."""

    community = forms.IntegerField(label=gettext_lazy("导入到"))
    upload = forms.FileField(
        label=gettext_lazy("表格文件"),
        allow_empty_file=True,
        help_text=gettext_lazy(".xlsx 或 .csv，最大 50 MB，最多 10 万行。"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
        error_messages={"required": gettext_lazy("请选择要导入的表格。")},
    )

    def __init__(self, *args: Any, communities: list[GridNode], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["community"]
        if len(communities) == 1:
            field.widget, field.initial = forms.HiddenInput(), communities[0].pk
        else:
            choices = [("", _("请选择社区")), *((one.pk, one.path) for one in communities)]
            field.widget = forms.Select(choices=choices)


def urls(page: ScopedModelAdmin) -> list[URLPattern]:
    """The addresses, below those of the demands' admin page."""

    def on(view: Any) -> Any:
        return lambda request, **where: view(request, page, **where)

    return [
        page.page("import/", on(start), "import"),
        page.page("import/template/", on(template), "import_template"),
        page.page("import/<int:pk>/", on(show), "import_job"),
        page.page("import/<int:pk>/confirm/", on(confirm), "import_confirm"),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, page: ScopedModelAdmin) -> HttpResponse:
    """Choosing a table. Nothing is imported by sending it."""
    user = _importer(request)
    communities = list(import_jobs.communities_of(user))
    form = UploadForm(request.POST or None, request.FILES or None, communities=communities)
    if request.method == "POST" and form.is_valid():
        community = import_jobs.find_community(user, form.cleaned_data["community"])
        try:
            job = import_jobs.submit_check(actor=user, community=community, upload=form.cleaned_data["upload"])
        except (Invalid, TooLarge) as error:
            add_domain_error(form, error)
        else:
            return redirect(page.url("import_job", job.pk))
    context = {
        "title": _("导入需求"),
        "form": form,
        "only_community": communities[0] if len(communities) == 1 else None,
        "columns": resources.columns(),
        "template_url": page.url("import_template"),
        "recent": _recent(user, page),
    }
    return page.render(request, "services/imports/start.html", context)


@require_safe
def template(request: HttpRequest, page: ScopedModelAdmin) -> HttpResponse:
    """The empty form."""
    _importer(request)
    response = HttpResponse(resources.template(), content_type=XLSX_TYPE)
    response.headers["Content-Disposition"] = content_disposition_header(True, _("需求导入模板.xlsx")) or ""
    return response


@require_safe
def show(request: HttpRequest, page: ScopedModelAdmin, pk: int) -> HttpResponse:
    """One's own dry run or import: its progress, then what it found."""
    user = _importer(request)
    job = _own_job(user, pk)
    over = job.state in {JobState.DONE, JobState.FAILED}
    dry = job.kind == import_jobs.CHECK
    community = GridNode.objects.filter(pk=job.params["community"]).first()
    found = job.report.get("import")
    context: dict[str, Any] = {
        "title": _("核对要导入的需求") if dry else _("导入需求的结果"),
        "job": job,
        "over": over,
        "dry": dry,
        "found": found,
        "kind_label": jobs.kind_label(job.kind),
        "start_url": page.url("import"),
        "back_url": page.url("import"),
        "facts": _facts(job, community, found),
    }
    if found:
        context["faults"] = _faults(found, files.url("job-result", job) if job.result else "")
        context["sample"] = _sample(found, dry)
        context["confirm_url"] = page.url("import_confirm", job.pk)
        context["waiting_url"] = f"{page.url('triage')}?origin=import&state=registered"
        context["written_url"] = _written(user, page, job) if dry else ""
    return page.render(request, "services/imports/job.html", context)


@require_POST
def confirm(request: HttpRequest, page: ScopedModelAdmin, pk: int) -> HttpResponse:
    """Yes to what the dry run showed."""
    user = _importer(request)
    check = _own_job(user, pk)
    keep_good = request.POST.get("keep_good") == "1"
    bad = check.report.get("import", {}).get("bad_rows", 0)
    if bad and not keep_good:
        messages.error(request, _("有错误的行还没有处理：请改好表格重新上传，或勾选“有错误的行不导入”。"))
        return redirect(page.url("import_job", check.pk))
    job = import_jobs.submit_import(actor=user, check=check, keep_good=keep_good)
    return redirect(page.url("import_job", job.pk))


def _importer(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User) or not policies.holds(user, posts.IMPORT_DEMAND):
        raise Forbidden(
            _("您没有“%(right)s”的权限，请联系社区干部办理。") % {"right": policies.label(posts.IMPORT_DEMAND)}
        )
    return user


def _own_job(user: User, pk: int) -> Job:
    job = Job.objects.visible_to(user).filter(pk=pk, kind__in=import_jobs.KINDS).first()
    if job is None:
        raise NotFound(_("没有找到这次导入。只有提交人自己能看到。"))
    return job


def _written(user: User, page: ScopedModelAdmin, check: Job) -> str:
    """Where the import of this dry run stands, if it was confirmed before."""
    job = (
        Job.objects.visible_to(user)
        .filter(kind=import_jobs.WRITE, params__check=check.pk)
        .exclude(state=JobState.FAILED)
        .first()
    )
    return page.url("import_job", job.pk) if job else ""


def _recent(user: User, page: ScopedModelAdmin) -> list[dict[str, Any]]:
    found = Job.objects.visible_to(user).filter(kind=import_jobs.WRITE)[:5]
    return [recent_import(job, page.url("import_job", job.pk), "import") for job in found]


def _facts(job: Job, community: GridNode | None, found: Mapping[str, Any] | None) -> list[Fact]:
    facts = [
        Fact(_("文件"), job.params.get("upload_name", "")),
        Fact(_("导入到"), community.path if community else ""),
        Fact(_("提交时间"), datetime_words(job.created_at)),
    ]
    if found is None:
        return facts
    facts += reading_facts(found)
    if found["categories"]:
        counted = "、".join(f"{name} {count}" for name, count in found["categories"])
        facts.append(Fact(_("类别"), f"{counted}\n{_('按标题和内容里的关键词判断，受理时可以改。')}", wide=True))
        hung = "；".join(
            f"{_HUNG[placed]} {found['places'][placed]}" for placed in Placed if found["places"].get(placed)
        )
        facts.append(Fact(_("地点"), hung, wide=True))
    return facts


def _faults(found: Mapping[str, Any], workbook: str) -> Part | None:
    if not found["errors"]:
        return None
    return Part(
        title=_("有错误的行"),
        columns=(_("行号"), _("编号"), _("列"), _("错误")),
        rows=[(row, number or "—", column or "—", reason) for row, number, column, reason in found["errors"]],
        more=(_("下载错误清单（原表加“错误信息”一列，共 %(count)d 处）") % {"count": found["error_count"]}, workbook)
        if workbook
        else None,
    )


def _sample(found: Mapping[str, Any], dry: bool) -> Part | None:
    if not found["sample"]:
        return None
    rows = [
        (
            row["number"],
            date_words(date.fromisoformat(row["day"])),
            row["title"],
            row["category"],
            _place(row),
        )
        for row in found["sample"]
    ]
    return Part(
        title=_("将这样登记（前几条）") if dry else _("登记的样子（前几条）"),
        columns=(_("编号"), _("日期"), _("标题"), _("类别"), _("地点")),
        rows=rows,
    )


def _place(row: Mapping[str, Any]) -> str:
    """What the table says of the place, and what was made of it."""
    placed = Placed(row["placed"])
    hung = row["path"] if placed is Placed.FOUND else _HUNG[placed]
    if placed is Placed.PARTLY:
        hung = _("只认出%(place)s") % {"place": row["path"]}
    return format_html('<span>{}<span class="cell-under">{}</span></span>', row["place"], hung)
