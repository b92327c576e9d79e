from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids.levels import KNOWN, OWN_KIND
from grids.posts import POSTS
from grids.querysets import CountyQuerySet, ScopedQuerySet


class County(models.Model):
    """A county runs one portal for itself; the sample shows two side by side, blind to each other."""

    code = models.CharField(_("区划代码"), max_length=6, unique=True, validators=[RegexValidator(r"^\d{6}$")])
    name = models.CharField(_("县名"), max_length=60)
    department = models.CharField(_("主管部门"), max_length=60, default="县委组织部")
    note = models.TextField(_("说明"), blank=True)
    supervision_phone = models.CharField(_("监督电话"), max_length=20, blank=True)
    # A household leaves the care ledger so many months after it was last confirmed (docs/practice.md#left-out).
    care_months = models.PositiveSmallIntegerField(_("关爱台账有效期（月）"), default=12)
    created_at = models.DateTimeField(_("建立时间"), default=timezone.now, editable=False)

    objects = CountyQuerySet.as_manager()

    class Meta:
        verbose_name = _("县")
        verbose_name_plural = _("县")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    @property
    def county_key(self) -> int:
        """Where the audit trail looks for the county of a deed."""
        return self.pk


class Level(models.Model):
    """A level of a county's tree: its order, its name, and who answers for a node of it.

    `key` is the domain term (`community`, `building` ...), or `own_1` ... for a level that is the county's alone: rules
    hang on it, so a county renames levels freely. `holder_title` is what the county calls the holder of the post, where
    it is not the post's own name. Written by `grids.actions.levels` alone. Source: docs/domain.md#levels.
    """

    county = models.ForeignKey(County, models.CASCADE, related_name="levels", verbose_name=_("县"))
    key = models.CharField(_("层级类型"), max_length=30)
    order = models.PositiveSmallIntegerField(_("顺序"))
    name = models.CharField(_("层级名称"), max_length=30)
    holder_post = models.CharField(_("负责人岗位"), max_length=40, blank=True)
    holder_title = models.CharField(_("负责人称呼"), max_length=30, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("层级")
        verbose_name_plural = _("层级")
        ordering = ["county", "order"]
        constraints = [
            models.UniqueConstraint(fields=["county", "key"], name="level_county_key"),
            models.UniqueConstraint(fields=["county", "order"], name="level_county_order"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def holder_words(self) -> str:
        """What the county calls who answers for a node of this level: 网格员."""
        post = POSTS.get(self.holder_post)
        return self.holder_title or (str(post.label) if post else "")

    def words_for(self, post: str) -> str:
        """A post as it is called at this level: the county's title for who answers, else the post's own name."""
        if post == self.holder_post:
            return self.holder_words
        return str(POSTS[post].label) if post in POSTS else post

    @property
    def kind_words(self) -> str:
        """Which known level it is, whatever the county calls it: 网格; 自定 for one of the county's own."""
        return str(KNOWN[self.key].name if self.key in KNOWN else OWN_KIND)
