"""The physical facts of a compound: what stands there, and what was put right. Who runs it is of the floor above.

Source: docs/domain.md#z3.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models.county import County
from grids.models.node import GridNode
from grids.querysets import ScopedQuerySet


class FacilityKind(models.TextChoices):
    LIFT = "lift", _("电梯")
    DOOR_SYSTEM = "door_system", _("门禁")
    CAMERA = "camera", _("摄像头")
    PARKING = "parking", _("停车位")
    CHARGER = "charger", _("充电桩")
    LIGHTING = "lighting", _("照明")
    PIPES = "pipes", _("管网")
    ROOF = "roof", _("屋面")
    ROAD = "road", _("道路")
    GREENERY = "greenery", _("绿化")
    FIRE = "fire", _("消防设施")
    ROOM = "room", _("活动场所")
    OTHER = "other", _("其他")


class CompoundProfile(models.Model):
    """What a cadre knows of a compound as a place. Households stand on the node itself."""

    node = models.OneToOneField(GridNode, models.PROTECT, related_name="compound_profile", verbose_name=_("小区"))
    county = models.ForeignKey(County, models.PROTECT, related_name="+", verbose_name=_("县"))
    built_year = models.PositiveSmallIntegerField(_("建成年份"), null=True, blank=True)
    is_demonstration = models.BooleanField(_("示范小区"), default=False)
    note = models.CharField(_("备注"), max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("小区档案")
        verbose_name_plural = _("小区档案")
        ordering = ["node__tree_id", "node__lft"]

    def __str__(self) -> str:
        return str(self.node)


class Facility(models.Model):
    """How many of a kind of facility a compound has today."""

    profile = models.ForeignKey(CompoundProfile, models.CASCADE, related_name="facilities", verbose_name=_("小区档案"))
    kind = models.CharField(_("设施"), max_length=20, choices=FacilityKind)
    count = models.PositiveIntegerField(_("数量"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("设施")
        verbose_name_plural = _("设施")
        ordering = ["profile", "kind"]
        constraints = [models.UniqueConstraint(fields=["profile", "kind"], name="facility_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.count}"


class RemediationState(models.TextChoices):
    """How far a project is: its dates say so."""

    PLANNED = "planned", _("计划")
    GOING = "going", _("进行中")
    FINISHED = "finished", _("已完成")


class Remediation(models.Model):
    """Something put right in a compound: 4 lifts, 41 parking spaces; planned, under way (`started_on`), done."""

    node = models.ForeignKey(GridNode, models.PROTECT, related_name="remediations", verbose_name=_("小区"))
    county = models.ForeignKey(County, models.PROTECT, related_name="+", verbose_name=_("县"))
    community = models.ForeignKey(GridNode, models.PROTECT, related_name="+", verbose_name=_("所属社区"))
    kind = models.CharField(_("整治内容"), max_length=20, choices=FacilityKind)
    title = models.CharField(_("项目名称"), max_length=80)
    quantity = models.PositiveIntegerField(_("数量"), default=1)
    text = models.CharField(_("说明"), max_length=500, blank=True)
    planned_on = models.DateField(_("计划完成日期"), null=True, blank=True)
    started_on = models.DateField(_("开工日期"), null=True, blank=True)
    finished_on = models.DateField(_("完成日期"), null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(_("登记时间"), default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("整治项目")
        verbose_name_plural = _("整治项目")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["node", "title"], name="remediation_once"),
            models.CheckConstraint(
                condition=Q(finished_on__isnull=True)
                | Q(started_on__isnull=True)
                | Q(finished_on__gte=F("started_on")),
                name="remediation_finished_after_start",
            ),
        ]
        indexes = [models.Index(fields=["community", "kind"], name="remediation_community")]

    def __str__(self) -> str:
        return self.title

    @property
    def state(self) -> RemediationState:
        if self.finished_on is not None:
            return RemediationState.FINISHED
        return RemediationState.PLANNED if self.started_on is None else RemediationState.GOING


# The same as `Remediation.state`, as a filter.
IN_STATE = {
    RemediationState.PLANNED: Q(finished_on__isnull=True, started_on__isnull=True),
    RemediationState.GOING: Q(finished_on__isnull=True, started_on__isnull=False),
    RemediationState.FINISHED: Q(finished_on__isnull=False),
}


class PhotoStage(models.TextChoices):
    BEFORE = "before", _("整治前")
    AFTER = "after", _("整治后")


class RemediationPhoto(models.Model):
    """A picture of a place before or after. Cleaned of all metadata, served by a scope-checked view alone."""

    remediation = models.ForeignKey(Remediation, models.PROTECT, related_name="photos", verbose_name=_("整治项目"))
    stage = models.CharField(_("阶段"), max_length=10, choices=PhotoStage)
    file = models.FileField(_("图片"), upload_to="photos/%Y/%m/")
    thumbnail = models.FileField(upload_to="photos/%Y/%m/", blank=True)
    size = models.PositiveIntegerField(_("大小"))
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("上传时间"), default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("整治照片")
        verbose_name_plural = _("整治照片")
        ordering = ["stage", "id"]

    def __str__(self) -> str:
        return f"{self.get_stage_display()} {self.pk}"
