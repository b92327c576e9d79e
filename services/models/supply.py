"""The resource list, the project list and the responsibility list. Source: docs/domain.md#l1, #g2."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models import Unit
from services.models.demand import Demand
from services.models.settings import Category


class ResourceKind(models.TextChoices):
    """What becomes of a promised quantity when its project is done stands in `services.resource_kinds`."""

    PEOPLE = "people", _("人力")
    SKILL = "skill", _("技术")
    PLACE = "place", _("场所")
    EQUIPMENT = "equipment", _("设施设备")
    MONEY = "money", _("资金")
    SERVICE = "service", _("服务")


class ResourceState(models.TextChoices):
    OFFERED = "offered", _("待核实")
    AVAILABLE = "available", _("可用")
    SENT_BACK = "sent_back", _("退回完善")
    WITHDRAWN = "withdrawn", _("已撤回")


def _empty() -> list[str]:
    return []


class Resource(models.Model):
    """Something a unit, or the community itself (`unit` empty), lets be used: how much, when, and in which area."""

    county = models.ForeignKey(County, models.PROTECT, related_name="resources", verbose_name=_("县"))
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="resources", verbose_name=_("提供单位")
    )
    # The place inside which it may be used; what a unit offers to a whole street hangs on the street.
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="resources", verbose_name=_("使用范围"))
    kind = models.CharField(_("类型"), max_length=12, choices=ResourceKind)
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="resources", verbose_name=_("对应需求类别")
    )
    name = models.CharField(_("资源名称"), max_length=60)
    text = models.CharField(_("说明"), max_length=300, blank=True)
    quantity = models.PositiveIntegerField(_("数量"), default=1, validators=[MinValueValidator(1)])
    measure = models.CharField(_("计量单位"), max_length=10)
    times = models.JSONField(_("可用时段"), default=_empty)
    start = models.DateField(_("可用起"), default=timezone.localdate)
    end = models.DateField(_("可用止"), null=True, blank=True)
    state = models.CharField(_("状态"), max_length=12, choices=ResourceState, default=ResourceState.OFFERED)
    reason = models.CharField(_("意见"), max_length=500, blank=True)
    checked_on = models.DateField(_("最近核对"), default=timezone.localdate)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("资源")
        verbose_name_plural = _("资源清单")
        ordering = ["kind", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "node", "name"], condition=~Q(state="withdrawn"), name="resource_once"
            ),
            # The community's own: to a database nothing is like nothing.
            models.UniqueConstraint(
                fields=["node", "name"],
                condition=Q(unit__isnull=True) & ~Q(state="withdrawn"),
                name="resource_own_once",
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="resource_quantity"),
            models.CheckConstraint(
                condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="resource_end_after_start"
            ),
        ]
        indexes = [models.Index(fields=["county", "state", "kind"], name="resource_county_state")]

    def __str__(self) -> str:
        return self.name


class ProjectState(models.TextChoices):
    DRAFT = "draft", _("草拟")
    OPEN = "open", _("待认领")
    RUNNING = "running", _("实施中")
    FINISHED = "finished", _("待验收")
    DONE = "done", _("已完成")
    DROPPED = "dropped", _("已取消")


# States in which a project holds what it was promised.
PROJECT_HOLDS = (ProjectState.DRAFT, ProjectState.OPEN, ProjectState.RUNNING, ProjectState.FINISHED)


class Project(models.Model):
    """One or more demands met by one or more resources, by a lead unit with others (项目清单).

    `community` is empty for a project of a whole street. `leader` is the paired leader a hard one went to.
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="projects", verbose_name=_("县"))
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="projects", verbose_name=_("实施地点"))
    community = models.ForeignKey(
        GridNode, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("社区")
    )
    code = models.CharField(_("编号"), max_length=20, unique=True)
    name = models.CharField(_("项目名称"), max_length=80)
    text = models.CharField(_("项目内容"), max_length=1000, blank=True)
    lead_unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="led_projects", verbose_name=_("牵头单位")
    )
    supporting = models.ManyToManyField(Unit, blank=True, related_name="supported_projects", verbose_name=_("配合单位"))
    demands = models.ManyToManyField(Demand, blank=True, related_name="projects", verbose_name=_("对应需求"))
    leader = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("协调领导")
    )
    budget = models.DecimalField(_("预算（元）"), max_digits=12, decimal_places=2, null=True, blank=True)
    start_on = models.DateField(_("开始日期"), null=True, blank=True)
    due_on = models.DateField(_("完成期限"), null=True, blank=True)
    state = models.CharField(_("状态"), max_length=10, choices=ProjectState, default=ProjectState.DRAFT)
    created_at = models.DateTimeField(_("立项时间"), default=timezone.now)
    claimed_at = models.DateTimeField(_("认领时间"), null=True, blank=True)
    finished_at = models.DateTimeField(_("申报完成时间"), null=True, blank=True)
    done_on = models.DateField(_("验收日期"), null=True, blank=True)
    result = models.CharField(_("完成情况"), max_length=1000, blank=True)
    reason = models.CharField(_("意见"), max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("项目")
        verbose_name_plural = _("项目清单")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["community", "state"], name="project_community"),
            models.Index(fields=["county", "-created_at", "-id"], name="project_county_recent"),
            models.Index(fields=["lead_unit", "state"], name="project_lead"),
            models.Index(fields=["due_on"], condition=Q(state__in=["open", "running"]), name="project_due"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class ProjectResource(models.Model):
    """How much of a resource a project holds. The resource's row is the lock: nothing is promised twice."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="allocations", verbose_name=_("项目"))
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="allocations", verbose_name=_("资源"))
    quantity = models.PositiveIntegerField(_("数量"), validators=[MinValueValidator(1)])

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("项目所用资源")
        verbose_name_plural = _("项目所用资源")
        ordering = ["project", "id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "resource"], name="allocation_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="allocation_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.resource} × {self.quantity}"


class Milestone(models.Model):
    """A step of a project with its own date."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="milestones", verbose_name=_("项目"))
    title = models.CharField(_("节点"), max_length=100)
    due_on = models.DateField(_("计划日期"))
    done_on = models.DateField(_("完成日期"), null=True, blank=True)
    text = models.CharField(_("进展"), max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("项目节点")
        verbose_name_plural = _("项目节点")
        ordering = ["project", "due_on", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "title"], name="milestone_once")]

    def __str__(self) -> str:
        return self.title


class ResponsibilityState(models.TextChoices):
    OPEN = "open", _("进行中")
    DONE = "done", _("已落实")
    DROPPED = "dropped", _("已取消")


class Responsibility(models.Model):
    """Who answers for which measure of a project, by when (责任清单)."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="responsibilities", verbose_name=_("项目"))
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="responsibilities", verbose_name=_("责任单位")
    )
    person = models.CharField(_("责任人"), max_length=60)
    measure = models.CharField(_("责任内容"), max_length=200)
    due_on = models.DateField(_("完成期限"))
    state = models.CharField(_("状态"), max_length=10, choices=ResponsibilityState, default=ResponsibilityState.OPEN)
    done_on = models.DateField(_("落实日期"), null=True, blank=True)
    text = models.CharField(_("落实情况"), max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("责任")
        verbose_name_plural = _("责任清单")
        ordering = ["state", "due_on", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "measure"], name="responsibility_once")]
        indexes = [models.Index(fields=["due_on"], condition=Q(state="open"), name="responsibility_due")]

    def __str__(self) -> str:
        return self.measure

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.project.county_id


class EvidenceStage(models.TextChoices):
    BEFORE = "before", _("实施前")
    AFTER = "after", _("实施后")
    PROGRESS = "progress", _("进展")


class Evidence(models.Model):
    """A picture of a project before or after, or of progress on a promise. Cleaned, served by a scope-checked view."""

    project = models.ForeignKey(
        Project, models.PROTECT, null=True, blank=True, related_name="photos", verbose_name=_("项目")
    )
    step = models.ForeignKey(
        "services.CommitmentProgress",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="photos",
        verbose_name=_("承诺进展"),
    )
    stage = models.CharField(_("阶段"), max_length=10, choices=EvidenceStage)
    file = models.FileField(_("图片"), upload_to="photos/%Y/%m/")
    thumbnail = models.FileField(upload_to="photos/%Y/%m/", blank=True)
    size = models.PositiveIntegerField(_("大小"))
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("上传时间"), default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("佐证照片")
        verbose_name_plural = _("佐证照片")
        ordering = ["stage", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(project__isnull=False, step__isnull=True) | Q(project__isnull=True, step__isnull=False),
                name="evidence_of_one",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_stage_display()} {self.pk}"
