"""The tree of places as a table: long (a row for each place) or wide (a row for each path)."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.models import User
from core.sheets import Plan, Task, What
from core.sheets.base import Progress
from core.spreadsheets import Column, LedgerColumn
from grids import naming
from grids.actions.bulk import NewNode, add_nodes
from grids.actions.changes import change_nodes
from grids.actions.locks import lock_forest, lock_trees
from grids.actions.restructuring import move_node
from grids.forest import Place, read
from grids.models import County, GridNode, NodeKind
from grids.posts import ADD_NODE, VIEW_NODE
from grids.resources.base import GridSheet
from grids.resources.node_columns import long_columns, wide_columns
from grids.resources.node_judge import Judge, change_of, needed
from grids.resources.node_long import LongReader
from grids.resources.node_tables import Draft
from grids.resources.node_wide import WideReader

BATCH = 500


class NodeSheet(GridSheet):
    key = "nodes"
    label = lazy("网格")
    right = ADD_NODE
    export_right = VIEW_NODE
    # A whole county, with its streets and communities.
    max_rows = 150_000

    def columns(self, where: County) -> Sequence[Column]:
        return long_columns(list(where.levels.all()))

    def shapes(self, where: County) -> Sequence[Sequence[Column]]:
        levels = list(where.levels.all())
        return long_columns(levels), wide_columns(levels)

    def notes(self, where: County) -> Sequence[str]:
        levels = "、".join(level.name for level in where.levels.all())
        return (
            _("两种表都可以：一行一个地点，写明层级、名称和上级；或一行一条路径，每级一列（%(levels)s）。")
            % {"levels": levels},
            _("行的先后不限，上级可以写在下级后面。一行一条路径的表，编码、户数、地址属于这一行最末一级。"),
            _("已有的地点按编码、外部编码或位置认出来，不会重复新建；空着的格子不改动原有内容。"),
            _("改名、换上级要勾选“更新已有的内容”；换上级的行要写编码。撤销、合并、拆分请在网格页面上办理。"),
        )

    # --- Coming in ---

    def plan(self, task: Task) -> Plan:
        levels = list(task.where.levels.all())
        forest = read(task.where, task.actor, ADD_NODE)
        long = any(column.name == "level" for column in task.table.columns)
        reader = (LongReader if long else WideReader)(task, forest, levels)
        return Judge(reader, reader.read()).judge()

    def write(self, task: Task, plan: Plan) -> None:
        made = needed(plan.to_do)
        changed = [line.data for line in plan.to_do if line.what is What.CHANGED]
        county = self._lock(task.where, made, changed)
        # What the person may is read again, too: scopes are bounds, and somebody may have moved them until now.
        policies.forget_grants(task.actor)
        changes = [change for draft in changed if (change := change_of(draft)).values]
        change_nodes(actor=task.actor, changes=changes)
        for draft in made:
            draft.new = NewNode(
                draft.level.key,
                draft.name,
                _parent_of(draft),
                draft.code,
                draft.external_code,
                draft.kind or NodeKind.BASIC,
                draft.address,
                draft.households,
            )
        add_nodes(actor=task.actor, county=county, nodes=[draft.new for draft in made])
        policies.forget_grants(task.actor)
        for draft in changed:
            if draft.moves:
                parent = _parent_of(draft)
                key = parent.node.pk if isinstance(parent, NewNode) and parent.node else parent
                nodes = GridNode.objects.in_bulk([draft.place.pk, key])
                move_node(actor=task.actor, node=nodes[draft.place.pk], parent=nodes[key])

    @staticmethod
    def _lock(county: County, made: Sequence[Draft], changed: Sequence[Draft]) -> County:
        """All that the actions will lock, in one go and in the fixed order: counties, then streets."""
        locked = lock_forest(county)
        places = [draft.place for draft in changed] + [
            draft.parent.place if isinstance(draft.parent, Draft) else draft.parent for draft in (*made, *changed)
        ]
        # A move has its streets alone from the start: a lock that grows is how two writers block one another.
        moving = any(draft.moves for draft in changed)
        lock_trees({place.tree_id for place in places if place is not None}, alone=moving)
        return locked

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("层级"), "centre"),
            LedgerColumn(_("名称")),
            LedgerColumn(_("上级位置")),
            LedgerColumn(_("编码"), "centre"),
            LedgerColumn(_("外部编码"), "centre"),
            LedgerColumn(_("网格类型"), "centre"),
            LedgerColumn(_("户数"), "right", total=True),
            LedgerColumn(_("地址")),
            LedgerColumn(_("状态"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        rows = GridNode.objects.filter(policies.within(GridNode, actor, self.export_right)).select_related("level_type")
        for start in range(0, len(ids), BATCH):
            progress(start, len(ids))
            some = ids[start : start + BATCH]
            found = rows.in_bulk(some)
            for node in (found[pk] for pk in some if pk in found):
                yield (
                    node.level_type.name,
                    node.name,
                    node.path.rpartition(naming.SEPARATOR)[0],
                    node.code,
                    node.external_code,
                    node.get_kind_display() if node.level_type.key == naming.GRID else "",
                    node.households,
                    node.address,
                    _("已撤销") if node.is_retired else _("在用"),
                )


def _parent_of(draft: Draft) -> NewNode | int | None:
    above = draft.parent
    if isinstance(above, Place):
        return above.pk
    if above is None:
        return None
    return above.place.pk if above.place is not None else above.new
