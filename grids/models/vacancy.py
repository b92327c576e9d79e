from django.utils.translation import gettext_lazy as _

from grids.models.node import GridNode


class Vacancy(GridNode):
    """A place as the list of vacant posts shows it (`grids.coverage.vacant`). No rows of its own."""

    class Meta:
        proxy = True
        verbose_name = _("岗位空缺")
        verbose_name_plural = _("岗位空缺")
        ordering = ["tree_id", "lft"]
