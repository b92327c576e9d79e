from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import policies


class OutboxState(models.TextChoices):
    WAITING = "waiting", _("待发送")
    SENDING = "sending", _("发送中")
    DONE = "done", _("已发送")
    FAILED = "failed", _("发送失败")
    UNSURE = "unsure", _("不确定是否送达")
    DROPPED = "dropped", _("不再发送")


# What waits for a person to decide: sent again, or let go.
DEAD = (OutboxState.FAILED, OutboxState.UNSURE)


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    def visible_to(self, user: Any) -> "OutboxQuerySet":
        return policies.visible(self, user)

    def dead(self) -> "OutboxQuerySet":
        """Dead letters."""
        return self.filter(state__in=DEAD)


class OutboxMessage(models.Model):
    """What happened and whom it concerns, written in the transaction in which it happened.

    `audience` names the readers in words a registered resolver understands (`core.notices`), so that finding
    them costs nothing while a cadre waits. `key` is unique: one notice for one (what, who, period).

    A row with a `channel` is one message to the outside, written by the delivery: its body is the very text that leaves
    the portal, and `audience["readers"]` the accounts it is for (`core.fanout`, `core.sending`).
    """

    key = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=120)
    body = models.CharField(max_length=500, blank=True)
    link = models.CharField(max_length=200, blank=True)
    audience = models.JSONField(default=dict)
    # What templates may name beside title and body (`core.notice_words`).
    fields = models.JSONField(default=dict, blank=True)
    # Through quiet hours and never into a digest, whatever its kind.
    urgent = models.BooleanField(default=False)
    channel = models.CharField(_("渠道"), max_length=20, blank=True)
    # The county of its readers, whose administrators look after it; a plain number as in `User`.
    county_key = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(_("状态"), max_length=10, choices=OutboxState, default=OutboxState.WAITING)
    attempts = models.PositiveSmallIntegerField(_("尝试次数"), default=0)
    # How often a person had it sent again: part of what the other side recognises a repetition by.
    resends = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(_("发送时间"), default=timezone.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("产生时间"), default=timezone.now)
    error = models.CharField(_("原因"), max_length=300, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("对外通知")
        verbose_name_plural = _("对外通知")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["channel", "due_at", "id"], condition=Q(state="waiting"), name="outbox_waiting"),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="outbox_sending"),
            models.Index(
                fields=["channel", "claimed_at"], condition=Q(claimed_at__isnull=False), name="outbox_claimed"
            ),
            models.Index(fields=["-id"], condition=Q(state__in=["failed", "unsure"]), name="outbox_dead"),
        ]

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
