"""Pages of one's own: notices, jobs, password; and the door to stored files."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import files, jobs, notices
from core.errors import NotFound
from core.forms import NoticesForm, PasswordForm
from core.models import Job, JobState, Notice, User

NOTICES_PER_PAGE = 20
JOBS_PER_PAGE = 20

# The colour of a job's state, on every page that shows one.
JOB_TONES = {
    JobState.WAITING: "grey",
    JobState.RUNNING: "blue",
    JobState.DONE: "green",
    JobState.FAILED: "red",
}


@login_required
@require_safe
def notice_list(request: HttpRequest) -> HttpResponse:
    """One's own notices, newest first; keyset pages (`before`), with `unread=1` only those not read."""
    rows = Notice.objects.visible_to(request.user)
    unread = request.GET.get("unread") == "1"
    if unread:
        rows = rows.unread()
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: NOTICES_PER_PAGE + 1])
    page = found[:NOTICES_PER_PAGE]
    query = {"unread": "1"} if unread else {}
    next_url = "?" + urlencode({**query, "before": page[-1].pk}) if len(found) > len(page) else ""
    context = {
        "notices": [(notice, notices.kind_label(notice.kind)) for notice in page],
        "only_unread": unread,
        "unread_count": notices.unread_count(_person(request)),
        "first_url": "?" + urlencode(query) if before else "",
        "next_url": next_url,
    }
    return render(request, "core/notice_list.html", context)


@login_required
@require_POST
def notice_open(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks a notice as read and leads to what it is about."""
    notice = Notice.objects.visible_to(request.user).filter(pk=pk).first()
    if notice is None:
        raise NotFound(_("没有找到这条通知，可能已过保存期限。"))
    notices.mark_read(actor=_person(request), notice_id=pk)
    return redirect(notice.link if notices.is_local(notice.link) else "core:notices")


@login_required
@require_POST
def notice_read_all(request: HttpRequest) -> HttpResponse:
    count = notices.mark_read(actor=_person(request))
    messages.success(request, _("已将 %(n)s 条通知标为已读。") % {"n": count})
    return redirect("core:notices")


@login_required
@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(Job.objects.visible_to(request.user), JOBS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "core/job_list.html", {"page": page, "jobs": [_job_context(job) for job in page]})


@login_required
@require_safe
def job_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "core/job.html", _job_context(_own_job(request, pk)))


@login_required
@require_safe
def job_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the job's page that asks again every two seconds until the job is over."""
    return render(request, "core/job_progress.html", _job_context(_own_job(request, pk)))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save(_person(request))
        if user is not None:
            update_session_auth_hash(request, user)
            messages.success(request, _("密码已修改。下次请用新密码登录。"))
            return redirect(_next(request))
    return render(request, "registration/password_change_form.html", {"form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def notice_settings(request: HttpRequest) -> HttpResponse:
    """How one is told: over which way, at once or in the day's digest, and when not at all."""
    sent = request.method == "POST"
    form = NoticesForm(request.POST if sent else None, user=_person(request))
    if sent and form.is_valid() and form.save():
        messages.success(request, _("通知设置已保存。"))
        return redirect("core:notice_settings")
    return render(request, "core/notice_settings.html", {"form": form}, status=400 if sent else 200)


@login_required
@require_safe
def file(request: HttpRequest, word: str, pk: int) -> FileResponse:
    return files.serve(user=request.user, word=word, pk=pk)


def _person(request: HttpRequest) -> User:
    """Who is signed in; every view here asks for that."""
    assert isinstance(request.user, User)
    return request.user


def _own_job(request: HttpRequest, pk: int) -> Job:
    job = Job.objects.visible_to(request.user).filter(pk=pk).first()
    if job is None:
        raise NotFound(_("没有找到这个后台任务。只有提交人自己能看到。"))
    return job


def _job_context(job: Job) -> dict[str, Any]:
    return {
        "job": job,
        "kind_label": jobs.kind_label(job.kind),
        "over": job.state in {JobState.DONE, JobState.FAILED},
        "tone": JOB_TONES[JobState(job.state)],
        "report": [(label, value) for label, value in job.report.get("lines", [])],
        "problems": job.report.get("problems", []),
        "link": job.report.get("link"),
    }


def _next(request: HttpRequest) -> str:
    """Where the person wanted to go before, if that is a page of ours."""
    target = request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return "/home/"
