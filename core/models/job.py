from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class JobState(models.TextChoices):
    WAITING = "waiting", _("排队中")
    RUNNING = "running", _("进行中")
    DONE = "done", _("已完成")
    FAILED = "failed", _("未完成")


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: Any) -> "JobQuerySet":
        """A job and its files belong to the person who asked for it."""
        return self.filter(owner_id=user.pk) if user.pk else self.none()


class Job(models.Model):
    """Long work somebody asked for: its progress, its report, its files. Kinds are registered in `core.jobs`."""

    kind = models.CharField(_("类别"), max_length=40)
    title = models.CharField(_("标题"), max_length=120)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="jobs", verbose_name=_("申请人")
    )
    state = models.CharField(_("状态"), max_length=10, choices=JobState, default=JobState.WAITING)
    params = models.JSONField(default=dict)
    done = models.PositiveIntegerField(_("已处理"), default=0)
    total = models.PositiveIntegerField(_("总数"), default=0)
    report = models.JSONField(_("结果"), default=dict)
    error = models.CharField(_("原因"), max_length=500, blank=True)
    # How often a worker has begun it. Also the fence: a run that lost its claim may write nothing any more.
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    upload = models.FileField(upload_to="jobs/in/%Y/%m/", blank=True)
    result = models.FileField(upload_to="jobs/out/%Y/%m/", blank=True)
    created_at = models.DateTimeField(_("提交时间"), default=timezone.now)
    beat_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(_("结束时间"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("后台任务")
        verbose_name_plural = _("后台任务")
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "beat_at"], name="job_state")]

    def __str__(self) -> str:
        return self.title
