"""How people are told: words of a county's own, what each person chose, what gathers for a digest, how channels fare."""

import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import policies
from core.models.notice import OutboxMessage

MORNING = datetime.time(8, 0)


class TemplateQuerySet(models.QuerySet["NoticeTemplate"]):
    def visible_to(self, user: Any) -> "TemplateQuerySet":
        return policies.visible(self, user)


class NoticeTemplate(models.Model):
    """A county's own words for one kind of notice; an empty text means the built-in one (`core.notice_words`)."""

    # The county, as in `User`: the ground floor knows no counties.
    county_key = models.BigIntegerField(_("所属县"), editable=False)
    kind = models.CharField(_("通知类型"), max_length=40)
    title = models.CharField(_("标题"), max_length=120, blank=True)
    body = models.CharField(_("内容"), max_length=500, blank=True)
    outside = models.CharField(_("对外文字"), max_length=120, blank=True)
    version = models.PositiveIntegerField(_("版本"), default=1, editable=False)
    changed_at = models.DateTimeField(_("修改时间"), default=timezone.now, editable=False)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("通知模板")
        verbose_name_plural = _("通知模板")
        ordering = ["kind"]
        constraints = [models.UniqueConstraint(fields=["county_key", "kind"], name="notice_template_once")]

    def __str__(self) -> str:
        return self.kind

    @property
    def is_built_in(self) -> bool:
        return not (self.title or self.body or self.outside)


class NoticePreference(models.Model):
    """What one person chose about being told. Without a row everything is as the portal has it.

    `choices` is group -> channel -> "now", "digest" or "off" (`core.notice_choices`). The mail address stands here and
    not on the account: it is read where mail goes out and nowhere else.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="notice_preference",
        verbose_name=_("账号"),
    )
    email = models.EmailField(_("邮箱"), max_length=120, blank=True)
    choices = models.JSONField(_("接收方式"), default=dict)
    digest_at = models.TimeField(_("每日汇总时间"), default=MORNING)
    quiet_from = models.TimeField(_("免打扰开始"), null=True, blank=True)
    quiet_until = models.TimeField(_("免打扰结束"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("通知设置")
        verbose_name_plural = _("通知设置")

    def __str__(self) -> str:
        return str(self.user_id)


class DigestEntry(models.Model):
    """One piece of news that waits for a person's digest; it goes when the digest is written (`core.digests`)."""

    message = models.ForeignKey(OutboxMessage, models.CASCADE, related_name="+")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    channel = models.CharField(max_length=20)
    kind = models.CharField(max_length=40)
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("待汇总通知")
        verbose_name_plural = _("待汇总通知")
        constraints = [models.UniqueConstraint(fields=["message", "reader", "channel"], name="digest_entry_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.channel}"


class ChannelState(models.Model):
    """How a channel fared lately, and the lock under which a channel with a limit hands out its turns."""

    name = models.CharField(max_length=20, primary_key=True)
    worked_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("通知渠道")
        verbose_name_plural = _("通知渠道")

    def __str__(self) -> str:
        return self.name
