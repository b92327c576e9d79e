from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.actors import label_of
from grids.querysets import ScopedQuerySet
from services.models.demand import Demand
from services.models.suborder import SubOrder


class DemandEvent(models.Model):
    """A line of a demand's timeline: who, when, what, why. Holds no personal data of residents.

    `tallied` is how the tally keeper knows what it has not counted yet: no watermark to miss a late commit.
    """

    demand = models.ForeignKey(Demand, models.PROTECT, related_name="events", verbose_name=_("需求"))
    suborder = models.ForeignKey(
        SubOrder, models.PROTECT, null=True, blank=True, related_name="events", verbose_name=_("派单")
    )
    name = models.CharField(_("操作"), max_length=30)
    title = models.CharField(_("事项"), max_length=160)
    text = models.TextField(_("说明"), blank=True)
    at = models.DateTimeField(_("时间"), default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("经办人")
    )
    actor_kind = models.CharField(max_length=10, default="user")
    from_state = models.CharField(max_length=16, blank=True)
    to_state = models.CharField(max_length=16, blank=True)
    tallied = models.BooleanField(default=False, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("办理记录")
        verbose_name_plural = _("办理记录")
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["demand", "at"], name="event_demand"),
            models.Index(fields=["id"], condition=Q(tallied=False), name="event_not_tallied"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def actor_name(self) -> str:
        return label_of(self.actor, self.actor_kind)


class Photo(models.Model):
    """A picture of a demand or of a step of it. Cleaned of all metadata, served by a scope-checked view alone."""

    demand = models.ForeignKey(Demand, models.PROTECT, related_name="photos", verbose_name=_("需求"))
    event = models.ForeignKey(DemandEvent, models.PROTECT, related_name="photos", verbose_name=_("办理记录"))
    file = models.FileField(_("图片"), upload_to="photos/%Y/%m/")
    thumbnail = models.FileField(upload_to="photos/%Y/%m/", blank=True)
    size = models.PositiveIntegerField(_("大小"))
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("上传时间"), default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("图片")
        verbose_name_plural = _("图片")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.demand_id}/{self.pk}"
