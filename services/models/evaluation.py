from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.querysets import ScopedQuerySet
from services.models.demand import Demand


class Satisfaction(models.TextChoices):
    SATISFIED = "satisfied", _("满意")
    FAIRLY = "fairly", _("基本满意")
    DISSATISFIED = "dissatisfied", _("不满意")


class Evaluation(models.Model):
    """What the resident said through the follow-up code, once per round."""

    demand = models.ForeignKey(Demand, models.PROTECT, related_name="evaluations", verbose_name=_("需求"))
    round = models.PositiveSmallIntegerField(_("办理轮次"), default=1)
    solved = models.BooleanField(_("是否解决"))
    satisfaction = models.CharField(_("满意度"), max_length=12, choices=Satisfaction)
    text = models.TextField(_("意见"), blank=True)
    at = models.DateTimeField(_("评价时间"), default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("居民评价")
        verbose_name_plural = _("居民评价")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["demand", "round"], name="evaluation_once_per_round")]

    def __str__(self) -> str:
        return self.get_satisfaction_display()


class FollowUp(models.Model):
    """A follow-up call. Valid for the rates only when the resident was reached."""

    demand = models.ForeignKey(Demand, models.PROTECT, related_name="follow_ups", verbose_name=_("需求"))
    reached = models.BooleanField(_("联系上"))
    solved = models.BooleanField(_("是否解决"), null=True, blank=True)
    satisfaction = models.CharField(_("满意度"), max_length=12, choices=Satisfaction, blank=True)
    text = models.TextField(_("回访记录"), blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("回访人"))
    at = models.DateTimeField(_("回访时间"), default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("回访")
        verbose_name_plural = _("回访")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reached=False, solved__isnull=True) | Q(reached=True, solved__isnull=False),
                name="follow_up_reached_says_solved",
            )
        ]

    def __str__(self) -> str:
        return self.text[:20]


def not_solved() -> Q:
    """Demands of which somebody says "not solved" in this round: the requester, or one whose matter was linked to it.

    Such a matter is never closed off in silence (docs/practice.md#loop).
    """
    linked = Evaluation.objects.filter(demand__linked_to=OuterRef("pk"), round=OuterRef("round"), solved=False)
    return Q(solved=False) | Q(Exists(linked))
