from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OutboxState(models.TextChoices):
    WAITING = "waiting", _("待发送")
    DONE = "done", _("已发送")
    FAILED = "failed", _("发送失败")


class OutboxMessage(models.Model):
    """What happened and whom it concerns, written in the transaction in which it happened.

    `audience` names the readers in words a registered resolver understands (`core.notices`), so that finding
    them costs nothing while a cadre waits. `key` is unique: one notice for one (what, who, period).
    """

    key = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=120)
    body = models.CharField(max_length=500, blank=True)
    link = models.CharField(max_length=200, blank=True)
    audience = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=OutboxState, default=OutboxState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("待发通知")
        verbose_name_plural = _("待发通知")
        ordering = ["id"]
        indexes = [models.Index(fields=["due_at", "id"], condition=Q(state="waiting"), name="outbox_waiting")]

    def __str__(self) -> str:
        return self.title


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: Any) -> "NoticeQuerySet":
        """A notice is seen by its reader alone, whatever else a person may hold."""
        return self.filter(reader_id=user.pk) if user.pk else self.none()

    def unread(self) -> "NoticeQuerySet":
        return self.filter(read_at__isnull=True)


class Notice(models.Model):
    """A message in a person's in-app box."""

    message = models.ForeignKey(OutboxMessage, models.SET_NULL, null=True, related_name="notices")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices", verbose_name=_("收件人")
    )
    kind = models.CharField(_("类别"), max_length=40)
    title = models.CharField(_("标题"), max_length=120)
    body = models.CharField(_("内容"), max_length=500, blank=True)
    link = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(_("时间"), default=timezone.now)
    read_at = models.DateTimeField(_("阅读时间"), null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("通知")
        verbose_name_plural = _("通知")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["message", "reader"], name="notice_once_per_reader")]
        indexes = [models.Index(fields=["reader", "-id"], name="notice_reader")]

    def __str__(self) -> str:
        return self.title
