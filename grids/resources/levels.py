"""The levels of a county as a table: one row a level, in the county's order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core.errors import DomainError
from core.models import User
from core.sheets import Line, Plan, RowResource, Task, What
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import Column, LedgerColumn
from core.spreadsheets.columns import Record
from core.spreadsheets.headers import header_key
from grids.actions.levels import LevelDraft, arrange_levels, check_arrangement, draft_of
from grids.levels import KNOWN, OWN_KEYS, OWN_KIND, by_words, key_of
from grids.models import County, Level
from grids.posts import MANAGE_COUNTY, POSTS, posts_at
from grids.resources.base import GridSheet


class LevelRows(RowResource):
    name = Field("name", lazy("层级名称"))
    kind = Field("kind_words", lazy("类型"))
    holder = Field("holder_words", lazy("负责人"))


@dataclass
class _Row:
    """A row that was read. `level` is the one it is about, None for a new one."""

    record: Record
    level: Level | None
    draft: LevelDraft


class LevelSheet(GridSheet):
    key = "levels"
    label = lazy("层级")
    right = export_right = MANAGE_COUNTY
    max_rows = 50

    def columns(self, where: County) -> Sequence[Column]:
        kinds = (*(str(spec.name) for spec in KNOWN.values()), str(OWN_KIND))
        return (
            Column(
                "name",
                _("层级名称"),
                aliases=(_("层级"), _("名称"), _("级别"), _("层级名")),
                required=True,
                max_length=30,
                note=_("本县对这一级的叫法。从大到小一行一级，第一行是街道（镇），第二行是社区（村）。"),
                example=_("综治网格"),
            ),
            Column(
                "kind",
                _("类型"),
                aliases=(_("层级类型"), _("相当于")),
                choices=kinds,
                note=_("它相当于哪一级；都不是的填“自定”。不填的按名称判断。"),
                example=_("网格"),
            ),
            Column(
                "holder",
                _("负责人"),
                aliases=(_("负责人称呼"), _("负责人岗位"), _("责任人"), _("称呼"), _("岗位")),
                max_length=30,
                note=_("本县对这一级负责人的称呼，例如网格长。不填的用通常的称呼。"),
                example=_("网格长"),
            ),
            Column("order", _("顺序"), aliases=(_("级次"), _("排序")), note=_("不填的按行的先后。"), example="3"),
        )

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("表里没有的层级仍然保留；不用的到“层级”页面逐个去掉。"),
            _("已有网格的层级，不能排到它的上级前面。"),
        )

    # --- Coming in ---

    def plan(self, task: Task) -> Plan:
        plan = Plan()
        standing = list(task.where.levels.all())
        rows = self._rows(task, standing, plan)
        arranged = _arranged(standing, [row.draft for row in rows])
        try:
            arranged = check_arrangement(task.where, standing, arranged)
        except DomainError as error:
            plan.errors.append(fault(rows[0].record.number if rows else 1, "", error.message))
            return plan
        moved = _moved(standing, [draft.key for draft in arranged])
        resource = LevelRows()
        for row in rows:
            if row.level is None:
                plan.lines.append(Line(row.record.number, What.NEW, row.draft.name, data=row.draft))
                continue
            after = Level(key=row.level.key, name=row.draft.name, holder_post=row.draft.holder_post)
            after.holder_title = row.draft.holder_title
            changes = resource.differing(row.level, after)
            if row.level.key in moved:
                changes.append((_("顺序"), str(moved[row.level.key][0]), str(moved[row.level.key][1])))
            if changes and not task.update:
                headers = "、".join(header for header, _before, _after in changes)
                words = _("已有这个层级，%(headers)s与表格不同；要以表格为准，请勾选“更新已有的内容”")
                plan.errors.append(fault(row.record.number, changes[0][0], words % {"headers": headers}, changes[0][2]))
                continue
            what = What.CHANGED if changes else What.SAME
            plan.lines.append(Line(row.record.number, what, row.draft.name, changes, data=row.draft))
        absent = [level.name for level in standing if level.key not in {row.draft.key for row in rows}]
        if absent:
            plan.notes.append(_("表里没有“%(names)s”，这些层级仍然保留。") % {"names": "”“".join(absent)})
        return plan

    def _rows(self, task: Task, standing: Sequence[Level], plan: Plan) -> list[_Row]:
        """The rows without faults of their own, in the order the table wants."""
        found: list[tuple[float | None, _Row]] = []
        by_key = {level.key: level for level in standing}
        names: dict[str, int] = {}
        keys: dict[str, int] = {}
        for record in task.table.records():
            faults = list(record.errors)
            name, place = record.text("name"), record.text("order")
            if place and _number(place) is None:
                faults.append(fault(record.number, _("顺序"), _("请填写数字"), place))
            if name and names.setdefault(header_key(name), record.number) != record.number:
                first = names[header_key(name)]
                faults.append(fault(record.number, _("层级名称"), _("与第 %(row)d 行重复") % {"row": first}, name))
            key = self._key(record, standing)
            if key and keys.setdefault(key, record.number) != record.number:
                words = _("与第 %(row)d 行是同一类层级") % {"row": keys[key]}
                faults.append(fault(record.number, _("类型"), words, str(KNOWN[key].name) if key in KNOWN else ""))
            plan.errors.extend(faults)
            if not faults:
                level = by_key.get(key)
                row = _Row(record, level, self._draft(record, key, level))
                found.append((_number(place), row))
        if all(place is not None for place, _row in found):
            found.sort(key=lambda pair: pair[0] or 0)
        return [row for _place, row in found]

    @staticmethod
    def _key(record: Record, standing: Sequence[Level]) -> str:
        """Which level a row is about: by its type, else by its name; empty for one of the county's own that is new."""
        name, kind = header_key(record.text("name")), record.text("kind")
        own = next((level.key for level in standing if header_key(level.name) == name), "")
        if kind:
            known = next((key for key, spec in KNOWN.items() if str(spec.name) == kind), "")
            return known or (own if own in OWN_KEYS else "")
        named = by_words(standing).get(name)
        return own or (named.key if named else key_of(record.text("name")))

    @staticmethod
    def _draft(record: Record, key: str, level: Level | None) -> LevelDraft:
        """What a cell leaves empty, or the file has no column for, stays as it is."""
        words = record.text("holder")
        kept = draft_of(level) if level else LevelDraft(key, "", KNOWN[key].holder_post if key in KNOWN else "")
        if not words:
            return LevelDraft(key, record.text("name"), kept.holder_post, kept.holder_title)
        post = next((post.key for post in posts_at(key) if str(post.label) == words), kept.holder_post)
        usual = post in POSTS and str(POSTS[post].label) == words
        return LevelDraft(key, record.text("name"), post, "" if usual else words)

    def write(self, task: Task, plan: Plan) -> None:
        standing = list(Level.objects.filter(county=task.where))
        drafts = [line.data for line in plan.lines]
        arrange_levels(actor=task.actor, county=task.where, levels=_arranged(standing, drafts))

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("层级名称")),
            LedgerColumn(_("类型"), "centre"),
            LedgerColumn(_("负责人"), "centre"),
            LedgerColumn(_("在用网格"), "right", total=True),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        counted = Count("nodes", filter=Q(nodes__retired_at__isnull=True))
        rows = Level.objects.visible_to(actor).filter(pk__in=ids).annotate(count=counted).order_by("county", "order")
        for level in rows:
            yield (*LevelRows().cells(level), level.count)


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.replace(".", "", 1).isdigit() else None


def _arranged(standing: Sequence[Level], rows: Sequence[LevelDraft]) -> list[LevelDraft]:
    """The county's levels with the table's: in the table's order, each absent one behind the one it stood behind, and
    behind the new ones that the table puts there."""
    arranged = list(rows)
    there = {level.key for level in standing}
    named = {draft.key for draft in rows}
    before = ""
    for level in standing:
        if level.key not in named:
            place = next((number for number, draft in enumerate(arranged, start=1) if draft.key == before), 0)
            while place and place < len(arranged) and arranged[place].key not in there:
                place += 1
            arranged.insert(place, draft_of(level))
        before = level.key
    return arranged


def _moved(standing: Sequence[Level], keys: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Key -> (place before, place after) among the levels there are, where the two differ."""
    before = [level.key for level in standing]
    after = [key for key in keys if key in before]
    return {
        key: (before.index(key) + 1, after.index(key) + 1) for key in before if before.index(key) != after.index(key)
    }
