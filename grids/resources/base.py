"""What every table of a county shares: whose county it is, and how it is written down that it came or went."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, user_of
from core.errors import NotFound
from core.models import User
from core.sheets import Plan, Sheet, Task
from grids.models import County
from grids.selectors import managed_county, reporting_unit

# What stands where nobody said anything yet: filling it in is no contradiction.
_UNSAID = {"", "0", "否", "未成立"}


def differs_from_what_stands(changes: Sequence[tuple[str, str, str]]) -> str:
    """Why a row that differs from what stands is not taken without the switch 更新已有; empty when it only fills in
    what nobody had said.

    Args:
        changes: (header, before, after), as `RowResource.differing` answers.
    """
    headers = "、".join(header for header, before, _after in changes if before not in _UNSAID)
    words = _("与系统里的不一致：%(headers)s。要以表格为准，请勾选“更新已有的内容”后重新上传")
    return words % {"headers": headers} if headers else ""


class GridSheet(Sheet):
    """A list of one county. `Task.where` is the county in which the person holds the sheet's right."""

    def where(self, actor: Actor) -> County:
        user = user_of(actor)
        if user is None:
            raise NotFound(_("没有找到您管理的县。"))
        return managed_county(user, self.right)

    def imported(self, task: Task, plan: Plan, found: Mapping[str, Any]) -> None:
        """In the county's own chain: who brought what in. The county's row is the lock of the chain."""
        county = County.objects.select_for_update(no_key=True).get(pk=task.where.pk)
        changes = {name: (None, value) for name, value in found.items()}
        label = f"{county.name} {self.label}"
        audit.record(actor=task.actor, action="sheet.import", obj=county, label=label, changes=changes)

    def ledger_unit(self, actor: User) -> str:
        return reporting_unit(actor, self.export_right)

    @transaction.atomic
    def exported(self, actor: User, count: int) -> None:
        county = County.objects.select_for_update(no_key=True).get(pk=managed_county(actor, self.export_right).pk)
        label = f"{county.name} {self.ledger_title()}"
        audit.record(actor=actor, action="sheet.export", obj=county, label=label, changes={"rows": (None, count)})
