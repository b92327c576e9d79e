from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from mptt.models import MPTTModel, TreeForeignKey

from core.codes import new_place_token
from grids.models.county import County, Level
from grids.naming import ADDRESS_LENGTH, CODE_LENGTH, EXTERNAL_LENGTH, NAME_LENGTH, PATH_LENGTH
from grids.querysets import NodeManager


class NodeKind(models.TextChoices):
    BASIC = "basic", _("基础网格")
    DEDICATED = "dedicated", _("专属网格")


class GridNode(MPTTModel):
    """A piece of the county, from street down to floor. Each street is the root of a tree of its own.

    Written by `grids.actions` alone, under the street's lock. Nodes are retired, never deleted.
    `community` is the community the node lies in (itself, for a community; empty above), `path` its place in words;
    both are kept by the actions and proved by `check_tree`.
    """

    # A new place moves the bounds of half its street, and each moved row costs an entry in every index: none is kept that
    # another one serves as well.
    county = models.ForeignKey(County, models.PROTECT, related_name="nodes", verbose_name=_("县"), db_index=False)
    level_type = models.ForeignKey(Level, models.PROTECT, related_name="nodes", verbose_name=_("层级"), db_index=False)
    parent = TreeForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("上级")
    )
    community = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("所属社区")
    )
    name = models.CharField(_("名称"), max_length=NAME_LENGTH)
    path = models.CharField(_("位置"), max_length=PATH_LENGTH, editable=False)
    code = models.CharField(_("编码"), max_length=CODE_LENGTH)
    external_code = models.CharField(_("外部编码"), max_length=EXTERNAL_LENGTH, blank=True)
    kind = models.CharField(_("网格类型"), max_length=10, choices=NodeKind, default=NodeKind.BASIC)
    address = models.CharField(_("地址"), max_length=ADDRESS_LENGTH, blank=True)
    households = models.PositiveIntegerField(_("户数"), null=True, blank=True)
    # On the public card of every grid inside; empty means the nearest one above, at last the county's.
    supervision_phone = models.CharField(_("监督电话"), max_length=20, blank=True)
    public_token = models.CharField(max_length=16, default=new_place_token, editable=False)
    valid_from = models.DateField(_("启用日期"), default=timezone.localdate)
    retired_at = models.DateTimeField(_("撤销时间"), null=True, blank=True)
    successor = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="predecessors", verbose_name=_("承接者")
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    tree_id = models.PositiveIntegerField(editable=False)

    objects = NodeManager()

    class MPTTMeta:
        level_attr = "depth"

    class Meta:
        verbose_name = _("网格")
        verbose_name_plural = _("网格")
        ordering = ["tree_id", "lft"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="node_code"),
            models.UniqueConstraint(fields=["public_token"], name="node_public_token"),
        ]
        indexes = [
            models.Index(fields=["tree_id", "lft"], name="node_tree_lft"),
            models.Index(fields=["county", "level_type"], name="node_county_level"),
            models.Index(fields=["county", "external_code"], condition=~Q(external_code=""), name="node_external_code"),
        ]

    def __str__(self) -> str:
        return self.path or self.name

    @property
    def level_key(self) -> str:
        return self.level_type.key

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None
