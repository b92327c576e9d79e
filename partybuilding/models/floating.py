"""Floating members: registered and kept in touch with at a station. Source: docs/domain.md#h2."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.masking import mask_name, mask_phone
from core.models import mobile_validator
from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet


class Station(models.Model):
    """A station for floating members (流动党员驿站) at a place, and who keeps it."""

    county = models.ForeignKey(County, models.PROTECT, related_name="stations", verbose_name=_("县"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="stations", verbose_name=_("所在地"))
    name = models.CharField(_("驿站名称"), max_length=60)
    address = models.CharField(_("地址"), max_length=200, blank=True)
    keeper = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("负责人")
    )
    is_active = models.BooleanField(_("在用"), default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("流动党员驿站")
        verbose_name_plural = _("流动党员驿站")
        ordering = ["node__tree_id", "node__lft", "name"]
        constraints = [models.UniqueConstraint(fields=["county", "name"], name="station_county_name")]

    def __str__(self) -> str:
        return self.name


class FloatingMember(models.Model):
    """A member whose membership is kept elsewhere, registered at a station from a day to a day."""

    county = models.ForeignKey(County, models.PROTECT, related_name="+", verbose_name=_("县"))
    station = models.ForeignKey(Station, models.PROTECT, related_name="members", verbose_name=_("驿站"))
    name = models.CharField(_("姓名"), max_length=60)
    phone = models.CharField(_("手机号码"), max_length=11, validators=[mobile_validator])
    kept_at = models.CharField(_("组织关系所在党组织"), max_length=100)
    contact = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("联系人")
    )
    start = models.DateField(_("登记日期"), default=timezone.localdate)
    end = models.DateField(_("离开日期"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("流动党员")
        verbose_name_plural = _("流动党员")
        ordering = ["station", "-start", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["county", "phone"], condition=Q(end__isnull=True), name="floating_phone_once"
            ),
            models.CheckConstraint(
                condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="floating_end_after_start"
            ),
        ]

    def __str__(self) -> str:
        return mask_name(self.name)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)

    @property
    def node(self) -> GridNode:
        """Where the station is."""
        return self.station.node


class FloatingContact(models.Model):
    """A time somebody got in touch with a floating member."""

    floating = models.ForeignKey(FloatingMember, models.PROTECT, related_name="contacts", verbose_name=_("流动党员"))
    contacted_on = models.DateField(_("联系日期"))
    text = models.CharField(_("联系情况"), max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(_("记录时间"), default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("流动党员联系记录")
        verbose_name_plural = _("流动党员联系记录")
        ordering = ["-contacted_on", "-id"]

    def __str__(self) -> str:
        return f"{self.floating} {self.contacted_on}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.floating.county_id
