"""The tree: an import of a whole county, single insertions, and the reads behind its pages, each beside SQL written by
hand for the same rows. Part of script/bench."""

import io
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

LEVELS = ("街道", "社区", "网格", "楼栋", "单元", "楼层")
HEADERS = ("层级", "名称", "上级编码", "编码", "户数")
# Below each: five streets of 20,000 places make a county of 100,000.
WIDTHS = (5, 9, 12, 6, 5, 6)
ROUNDS = 15
COUNTY, OTHER = "610921", "610922"
NODE = "grids_gridnode"


def rows(nodes: int) -> list[tuple[str, ...]]:
    """A long table of so many places, every level complete before the next. Codes by the rule, so that they are kept."""
    found: list[tuple[str, ...]] = []
    above = [("", COUNTY)]
    for level, width in zip(LEVELS, WIDTHS, strict=True):
        below = []
        for parent, prefix in above:
            for number in range(1, width + 1):
                code = f"{prefix}{number:03d}"
                given = f"{code}000" if level == "街道" else code
                below.append((given, code))
                homes = "420" if level == "网格" else ""
                found.append((level, f"第{number}{level}", parent, given, homes))
        above = below
    return found[:nodes]


def workbook(table: Sequence[Sequence[str]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("网格")
    for row in (HEADERS, *table):
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = work()
    return time.perf_counter() - began, answer


def side_by_side(ours: Callable[[], Any], hand: Callable[[], Any]) -> tuple[float, float]:
    """Medians in milliseconds, taken in turns, so that a busy machine weighs on both."""
    pairs = [(timed(ours)[0], timed(hand)[0]) for _round in range(ROUNDS + 2)][2:]
    mine, others = zip(*pairs, strict=True)
    return statistics.median(mine) * 1000, statistics.median(others) * 1000


def line(name: str, ours: float, hand: float, aim: float = 0) -> None:
    ratio = ours / hand
    words = f"   目标 ≤{aim:g}x {'达到' if ratio <= aim else '未达到'}" if aim else ""
    print(f"{name:34} {ours:>10.1f} {hand:>10.1f} {ratio:>8.1f}x{words}")


def sql(text: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return list(cursor.fetchall()) if cursor.description else []


# --- The import -----------------------------------------------------------------------------------------------------


def report_import(admin: Any, nodes: int) -> None:
    from core.sheets import check, sheet_of

    content = workbook(rows(nodes))
    read, outcome = timed(lambda: check(actor=admin, sheet=sheet_of("nodes"), content=content, filename="网格.xlsx"))
    if outcome.plan.errors:
        raise SystemExit(str(outcome.plan.errors[:3]))

    def write() -> None:
        with transaction.atomic():
            outcome.sheet.write(outcome.task, outcome.plan)

    wrote, _none = timed(write)
    sql("VACUUM ANALYZE")
    hand = by_hand(NODE, admin.county_key) + by_hand("core_auditentry", admin.county_key)
    print(f"\n导入 {nodes} 个地点：读表和核对 {read:.1f} 秒，写入 {wrote:.1f} 秒（含审计）")
    line("写入，手写 SQL 插入同样的行", wrote * 1000, hand * 1000)


def by_hand(table: str, county: int) -> float:
    """Seconds for a county's rows to go into a table of the same columns and indexes, a thousand a statement."""
    found = sql(f"SELECT * FROM {table} WHERE county_id = %s", county)
    sql(f"CREATE TABLE bench_copy (LIKE {table} INCLUDING ALL)")
    raw = [tuple(_plain(value) for value in row) for row in found]
    row = f"({','.join(['%s'] * len(raw[0]))})"

    def insert() -> None:
        with transaction.atomic():
            for start in range(0, len(raw), 1000):
                some = raw[start : start + 1000]
                values = [value for each in some for value in each]
                sql(f"INSERT INTO bench_copy VALUES {','.join([row] * len(some))}", *values)

    seconds, _none = timed(insert)
    sql("DROP TABLE bench_copy")
    return seconds


def _plain(value: Any) -> Any:
    import json

    return json.dumps(value) if isinstance(value, dict | list) else value


# --- One insertion --------------------------------------------------------------------------------------------------


@dataclass
class Insertion:
    """New grids at the end of one community, in turns by the action and by hand."""

    actor: Any
    community: Any
    made: int = 0

    def action(self) -> None:
        from grids.actions import create_node
        from grids.models import GridNode

        self.made += 1
        parent = GridNode.objects.get(pk=self.community.pk)
        create_node(actor=self.actor, level="grid", name=f"新{self.made}", parent=parent)

    def by_hand(self) -> None:
        """The lock, the bounds, the row and its audit row."""
        self.made += 1
        tree, parent = self.community.tree_id, self.community.pk
        with transaction.atomic():
            sql(f"SELECT id FROM {NODE} WHERE tree_id = %s AND parent_id IS NULL FOR NO KEY UPDATE", tree)
            ((end, depth, path, level),) = sql(
                f"SELECT rght, depth, path, (SELECT id FROM grids_level l WHERE l.county_id = n.county_id AND key = 'grid')"
                f" FROM {NODE} n WHERE id = %s",
                parent,
            )
            sql(
                f"UPDATE {NODE} SET lft = CASE WHEN lft > %s THEN lft + 2 ELSE lft END, rght = rght + 2"
                " WHERE tree_id = %s AND rght >= %s",
                end,
                tree,
                end,
            )
            ((made,),) = sql(
                f"INSERT INTO {NODE} (county_id, level_type_id, parent_id, community_id, name, path, code, external_code,"
                " kind, address, supervision_phone, public_token, valid_from, version, lft, rght, tree_id, depth)"
                " SELECT county_id, %s, id, id, %s, %s, %s, '', 'basic', '', '', %s, now(), 1, %s, %s, tree_id, %s"
                f" FROM {NODE} WHERE id = %s RETURNING id",
                level,
                f"手{self.made}",
                f"{path} · 手{self.made}",
                f"H{parent}-{self.made}",
                f"h{parent}-{self.made}",
                end,
                end + 1,
                depth + 1,
                parent,
            )
            sql(
                "INSERT INTO core_auditentry (chain, position, at, actor_id, actor_kind, action, label, changes, reason,"
                " origin, county_id, previous, digest) VALUES (%s, 1, now(), %s, 'user', 'node.create', %s, '{}', '', '',"
                " %s, '', %s)",
                f"bench:{made}",
                self.actor.pk,
                path,
                self.community.county_id,
                "0" * 64,
            )


def report_insertions(admin: Any, other_admin: Any) -> None:
    """In streets of different sizes, and in streets of one size in counties of different sizes."""
    from core.actors import SYSTEM
    from grids.actions.bulk import Piece, build_street
    from grids.models import GridNode

    def street(county: Any, code: str, communities: int) -> Any:
        children = [
            Piece("community", f"第{number}社区", children=[Piece("grid", f"第{grid}网格") for grid in range(60)])
            for number in range(communities)
        ]
        nodes = build_street(actor=SYSTEM, county=county, street=Piece("street", f"街{code}", code, children=children))
        return nodes[0]

    big = GridNode.objects.filter(parent__isnull=True, county__code=COUNTY).order_by("pk").first()
    assert big is not None
    places = [
        (admin, big),
        (admin, street(big.county, f"{COUNTY}050", 33)),
        (other_admin, street(_county_of(other_admin), f"{OTHER}050", 33)),
        (admin, street(big.county, f"{COUNTY}051", 6)),
    ]
    sql("VACUUM ANALYZE")
    print(f"\n{'新建一个地点（毫秒）':28} {'动作':>10} {'手写 SQL':>8} {'比':>7}")
    for actor, root in places:
        inside = GridNode.objects.filter(tree_id=root.tree_id)
        communities = list(inside.filter(level_type__key="community").order_by("lft"))
        insertion = Insertion(_signed_in(actor), communities[len(communities) // 2])
        size, county = inside.count(), GridNode.objects.filter(county=root.county).count()
        line(f"街道 {size} 个，全县 {county} 个", *side_by_side(insertion.action, insertion.by_hand), aim=3)


def _county_of(admin: Any) -> Any:
    from grids.models import County

    return County.objects.get(pk=admin.county_key)


def _signed_in(user: Any) -> Any:
    """As a request has the person: with what sign-in reads along."""
    from core import policies
    from core.models import User

    return policies.with_hints(User.objects.all()).get(pk=user.pk)


# --- Reads ----------------------------------------------------------------------------------------------------------


def report_reads(admin: Any) -> None:
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from grids import tree_reads
    from grids.models import GridNode
    from grids.querysets import in_subtree

    user = _signed_in(admin)
    street = GridNode.objects.select_related("level_type").filter(parent__isnull=True).order_by("pk")[0]
    deep = GridNode.objects.filter(tree_id=street.tree_id).order_by("depth", "lft").last()
    assert deep is not None
    seen = GridNode.objects.visible_to(user)
    bounds = (street.tree_id, street.lft, street.rght)
    inside = f"FROM {NODE} WHERE tree_id = %s AND lft BETWEEN %s AND %s"

    def listed() -> Any:
        nodes = seen.filter(in_subtree(street)).select_related("level_type").order_by("tree_id", "lft")
        return [(node.name, node.level_type.name, node.path) for node in nodes[:25]]

    def branch() -> Any:
        return [(row.node.name, row.count) for row in tree_reads.read([street], user, opened=[street.pk])[0].rows]

    children = f"FROM {NODE} WHERE parent_id = %s AND retired_at IS NULL"
    counted = (
        f"SELECT parent_id, level_type_id, count(*) FROM {NODE} WHERE retired_at IS NULL"
        f" AND parent_id IN (SELECT id {children} UNION ALL SELECT %s) GROUP BY 1, 2"
    )
    held = (
        "SELECT node_id, post, u.name FROM grids_appointment a JOIN core_user u ON u.id = a.user_id"
        f' WHERE a."end" IS NULL AND node_id IN (SELECT id {children} UNION ALL SELECT %s)'
    )

    def branch_by_hand() -> Any:
        sql(f"SELECT id, name, code, households, path {children} ORDER BY lft LIMIT 50", street.pk)
        sql(counted, street.pk, street.pk)
        return sql(held, street.pk, street.pk)

    print(f"\n{'读（毫秒）':32} {'查询':>10} {'手写 SQL':>8} {'比':>7}")
    count = f"SELECT count(*) {inside}"
    within = f"{count} AND county_id = %s"
    line("下级个数", *side_by_side(GridNode.objects.inside(street).count, lambda: sql(count, *bounds)))
    line(
        "下级个数，限于管辖范围",
        *side_by_side(seen.filter(in_subtree(street)).count, lambda: sql(within, *bounds, street.county_id)),
    )
    line(
        "下级列表（25 行）",
        *side_by_side(
            listed,
            lambda: sql(
                f"SELECT n.name, l.name, n.path FROM {NODE} n JOIN grids_level l ON l.id = n.level_type_id"
                " WHERE tree_id = %s AND lft BETWEEN %s AND %s ORDER BY lft LIMIT 25",
                *bounds,
            ),
        ),
    )
    line(
        "上级各级",
        *side_by_side(
            lambda: list(
                seen.filter(tree_id=deep.tree_id, lft__lte=deep.lft, rght__gte=deep.rght)
                .order_by("lft")
                .values_list("pk", "name")
            ),
            lambda: sql(
                f"SELECT id, name FROM {NODE} WHERE tree_id = %s AND lft <= %s AND rght >= %s ORDER BY lft",
                deep.tree_id,
                deep.lft,
                deep.rght,
            ),
        ),
    )
    line("树的一枝", *side_by_side(branch, branch_by_hand))

    client = Client()
    client.force_login(user, backend="core.backends.PhoneBackend")
    print(f"\n{'页面':32} {'毫秒':>10} {'SQL 条数':>8}")
    for name, address in (
        ("网格列表", f"/admin/grids/gridnode/?place={street.pk}"),
        ("网格树", f"/admin/grids/gridnode/tree/?open={street.pk}"),
        ("地点页面", f"/admin/grids/gridnode/{deep.pk}/change/"),
    ):
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
        asked = len(captured)
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code}")
        took = statistics.median(timed(lambda page=address: client.get(page))[0] for _round in range(ROUNDS))
        print(f"{name:32} {took * 1000:>10.1f} {asked:>8}")


def report(nodes: int) -> None:
    """A county of so many places, and one that is empty but for a street, beside whatever the database holds."""
    from core.actors import SYSTEM
    from grids.actions import create_county
    from tests import factories as make

    county = create_county(actor=SYSTEM, code=COUNTY, name="大县", preset="standard")
    other = create_county(actor=SYSTEM, code=OTHER, name="小县", preset="standard")
    admin = make.make_cadre("大县管理员", "county_admin", county)
    report_import(admin, nodes)
    report_insertions(admin, make.make_cadre("小县管理员", "county_admin", other))
    report_reads(admin)
