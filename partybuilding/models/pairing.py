"""Who is paired with which place, and what came of it: visits, problems found, solutions. Source: docs/domain.md#x5."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.models import County, GridNode
from grids.querysets import ScopedQuerySet
from partybuilding.models.unit import Unit
from partybuilding.querysets import PairingQuerySet


class PairingKind(models.TextChoices):
    """What a kind of pairing joins stands in `partybuilding.pairing_kinds`."""

    LEADER = "leader", _("县级领导包联")
    DEPARTMENT = "department", _("部门包抓")
    CADRE = "cadre", _("干部包联")


class Pairing(models.Model):
    """A person (`user`) or a unit that looks after a place, from a day to a day. Never both, never neither."""

    county = models.ForeignKey(County, models.PROTECT, related_name="pairings", verbose_name=_("县"))
    kind = models.CharField(_("包联类型"), max_length=12, choices=PairingKind)
    node = models.ForeignKey(GridNode, models.PROTECT, related_name="pairings", verbose_name=_("包联地点"))
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="pairings", verbose_name=_("包抓单位")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="pairings",
        verbose_name=_("包联人"),
    )
    duty = models.CharField(_("包联职责"), max_length=200, blank=True)
    start = models.DateField(_("开始日期"), default=timezone.localdate)
    end = models.DateField(_("结束日期"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = PairingQuerySet.as_manager()

    class Meta:
        verbose_name = _("包联")
        verbose_name_plural = _("包联")
        ordering = ["kind", "node__tree_id", "node__lft", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(unit__isnull=False, user__isnull=True) | Q(unit__isnull=True, user__isnull=False),
                name="pairing_unit_or_person",
            ),
            models.CheckConstraint(
                condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="pairing_end_after_start"
            ),
            models.UniqueConstraint(
                fields=["kind", "node", "unit"], condition=Q(end__isnull=True), name="pairing_unit_open_once"
            ),
            models.UniqueConstraint(
                fields=["kind", "node", "user"], condition=Q(end__isnull=True), name="pairing_person_open_once"
            ),
        ]
        indexes = [models.Index(fields=["node", "kind"], condition=Q(end__isnull=True), name="pairing_open_node")]

    def __str__(self) -> str:
        return f"{self.holder} – {self.node}"

    @property
    def holder(self) -> str:
        """Who looks after the place, in words."""
        return str(self.unit.label if self.unit else self.user.name if self.user else "")

    @property
    def is_open(self) -> bool:
        """Whether it has no last day yet, or one still to come."""
        return self.end is None or self.end >= timezone.localdate()

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.county_id


class PairingVisit(models.Model):
    """A visit to the paired place, and what was done there."""

    pairing = models.ForeignKey(Pairing, models.PROTECT, related_name="visits", verbose_name=_("包联"))
    visited_on = models.DateField(_("走访日期"))
    text = models.CharField(_("走访情况"), max_length=500)
    visited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(_("记录时间"), default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("包联走访")
        verbose_name_plural = _("包联走访")
        ordering = ["-visited_on", "-id"]

    def __str__(self) -> str:
        return f"{self.pairing} {self.visited_on}"

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.pairing.county_id


class PairingProblem(models.Model):
    """A problem found at the paired place, open until a solution is written down."""

    pairing = models.ForeignKey(Pairing, models.PROTECT, related_name="problems", verbose_name=_("包联"))
    visit = models.ForeignKey(
        PairingVisit, models.PROTECT, null=True, blank=True, related_name="problems", verbose_name=_("走访")
    )
    found_on = models.DateField(_("发现日期"))
    text = models.CharField(_("问题"), max_length=500)
    solution = models.CharField(_("解决情况"), max_length=500, blank=True)
    solved_on = models.DateField(_("解决日期"), null=True, blank=True)
    found_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(_("记录时间"), default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("包联发现的问题")
        verbose_name_plural = _("包联发现的问题")
        ordering = ["-found_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(solved_on__isnull=True) | Q(solved_on__gte=F("found_on"), solution__gt=""),
                name="pairing_problem_solved_with_words",
            )
        ]

    def __str__(self) -> str:
        return self.text[:30]

    @property
    def is_solved(self) -> bool:
        return self.solved_on is not None

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.pairing.county_id


class PairingGuide(models.Model):
    """How a county pairs: of which level every place should have a pairing of the kind, how many places one may hold.

    A guide: what lies beside it is shown, never refused. What a county has not set follows `pairing_kinds`.
    """

    county = models.ForeignKey(County, models.CASCADE, related_name="pairing_guides", verbose_name=_("县"))
    kind = models.CharField(_("包联类型"), max_length=12, choices=PairingKind)
    # A level's key; empty where not every place is meant to have one.
    level = models.CharField(_("应包联到"), max_length=30, blank=True)
    most = models.PositiveSmallIntegerField(_("每人（单位）最多包联几处"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("包联标准")
        verbose_name_plural = _("包联标准")
        ordering = ["county", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["county", "kind"], name="pairing_guide_once"),
            models.CheckConstraint(condition=Q(most__gte=1), name="pairing_guide_most"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())
