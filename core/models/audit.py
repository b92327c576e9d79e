from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import policies
from core.actors import label_of


class AppendOnlyError(RuntimeError):
    """Somebody tried to change or remove a row of the audit trail through the ORM."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Refuses what an append-only table must never see. The seal alone is written later (core.audit)."""

    def update(self, **kwargs: Any) -> int:
        if set(kwargs) <= {"seal", "seal_id"}:
            return super().update(**kwargs)
        raise AppendOnlyError("audit rows are never changed")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("audit rows are never removed")

    def visible_to(self, user: Any) -> Any:
        return policies.visible(self, user)


class AuditSeal(models.Model):
    """A keyed seal over every audit row written since the seal before it."""

    number = models.PositiveIntegerField(_("封存号"), unique=True)
    at = models.DateTimeField(_("封存时间"), default=timezone.now)
    rows = models.PositiveIntegerField(_("行数"))
    digest = models.CharField(max_length=64)
    previous = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("审计封存")
        verbose_name_plural = _("审计封存")
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.number}"


class AuditEntry(models.Model):
    """One deed: who did what to which object, from where. Each object has a hash chain of its own.

    `changes` maps field -> [before, after]; of a personal field it holds only that it changed, never the value.
    """

    chain = models.CharField(_("对象"), max_length=80)
    position = models.PositiveIntegerField(_("序号"))
    at = models.DateTimeField(_("时间"), default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("操作人")
    )
    actor_kind = models.CharField(max_length=10, default="user")
    action = models.CharField(_("操作"), max_length=60)
    label = models.CharField(_("对象名称"), max_length=120, blank=True)
    changes = models.JSONField(_("变更"), default=dict)
    reason = models.CharField(_("理由"), max_length=500, blank=True)
    origin = models.CharField(_("来源"), max_length=80, blank=True)
    county_id = models.BigIntegerField(null=True, editable=False)
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    seal = models.ForeignKey(AuditSeal, models.PROTECT, null=True, editable=False, related_name="entries")

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("审计记录")
        verbose_name_plural = _("审计记录")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["chain", "position"], name="audit_chain_position")]
        indexes = [
            models.Index(fields=["seal", "id"], name="audit_seal"),
            models.Index(fields=["county_id", "-id"], name="audit_county"),
        ]

    def __str__(self) -> str:
        return f"{self.chain} #{self.position}"

    @property
    def actor_name(self) -> str:
        return label_of(self.actor, self.actor_kind)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("audit rows are never removed")
