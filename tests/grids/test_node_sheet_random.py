"""Whatever table a county brings, the trees stay sound, and bringing it again changes nothing."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.models import User
from core.sheets import What, check, sheet_of
from grids.actions import create_node, move_node, retire_node
from grids.models import GridNode
from grids.soundness import faults
from tests.cast import Cast
from tests.core.test_sheets import table

LEVELS = ("街道", "社区", "片区", "小区", "网格", "楼栋", "单元", "分楼层", "楼层", "大队")
NAMES = ("甲", "乙", "丙", "1 号楼", "和谐小区", "第一网格", "城北街道", "白龙塘社区", "")
CODES = tuple(f"K{number}" for number in range(12))
HOUSEHOLDS = ("", "", "12", "420", "900", "许多")

name = st.sampled_from(NAMES)
standing = st.integers(0, 40)
long_row = st.tuples(
    st.sampled_from(LEVELS),
    name,
    # Another row, a place that stands, or nobody.
    st.one_of(st.sampled_from(CODES), standing, st.just("没有")),
    st.one_of(st.sampled_from(("", *CODES)), standing),
    st.sampled_from(HOUSEHOLDS),
)
wide_row = st.tuples(*(st.sampled_from(("", "", *NAMES)) for _level in LEVELS[:-1]), st.sampled_from(HOUSEHOLDS))


def as_code(word: Any, codes: list[str]) -> str:
    return codes[word % len(codes)] if isinstance(word, int) else word


def brought(actor: User, content: bytes, *, update: bool) -> tuple[int, int, int, set[int]]:
    """Writes the good rows of a table, as the job does: made, changed, the same, and the numbers of the bad ones."""
    outcome = check(actor=actor, sheet=sheet_of("nodes"), content=content, filename="网格.csv", update=update)
    if outcome.plan.to_do:
        with transaction.atomic():
            outcome.sheet.write(outcome.task, outcome.plan)
    plan = outcome.plan
    counts = (plan.count(What.NEW), plan.count(What.CHANGED), plan.count(What.SAME))
    return *counts, {error.row for error in plan.errors}


def rows() -> list[Any]:
    return list(GridNode.objects.order_by("pk").values())


def goes_in_once(actor: User, content: bytes, *, update: bool) -> None:
    before = GridNode.objects.count()
    made, changed, _same, _bad = brought(actor, content, update=update)
    assert update or changed == 0
    assert list(faults()) == []
    assert GridNode.objects.count() >= before + made
    found = rows()
    assert brought(actor, content, update=update)[:2] == (0, 0)
    assert rows() == found


@pytest.fixture
def county(cast: Cast) -> Cast:
    """Streets with something retired and something moved in them."""
    old = create_node(actor=cast.admin, parent=cast.a.node, level="grid", name="乙")
    retire_node(actor=cast.admin, node=old, successor=cast.a.grid, reason="合并")
    move_node(actor=cast.admin, node=cast.a.other_building, parent=GridNode.objects.get(pk=cast.b.node.pk))
    return cast


SETTINGS = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@pytest.mark.embedded
@given(data=st.lists(long_row, min_size=1, max_size=30), person=st.sampled_from(["admin", "street", "community"]))
@SETTINGS
def test_long_tables_go_in_once_and_leave_the_trees_sound(
    county: Cast, data: list[tuple[Any, ...]], person: str
) -> None:
    codes = list(GridNode.objects.order_by("pk").values_list("code", flat=True))
    actor = {"admin": county.admin, "street": county.street_officer, "community": county.a.officer}[person]
    table_rows = [
        [level, called, as_code(above, codes), as_code(own, codes), n] for level, called, above, own, n in data
    ]
    content = table(*table_rows, headers=("层级", "名称", "上级编码", "编码", "户数"))
    for update in (False, True):
        with transaction.atomic():
            goes_in_once(User.objects.get(pk=actor.pk), content, update=update)
            transaction.set_rollback(True)


@pytest.mark.embedded
@given(data=st.lists(wide_row, min_size=1, max_size=25), person=st.sampled_from(["admin", "street", "community"]))
@SETTINGS
def test_wide_tables_go_in_once_and_leave_the_trees_sound(
    county: Cast, data: list[tuple[str, ...]], person: str
) -> None:
    actor = {"admin": county.admin, "street": county.street_officer, "community": county.a.officer}[person]
    content = table(*([*row[:-1], row[-1]] for row in data), headers=(*LEVELS[:-1], "户数"))
    if not any("".join(row) for row in data):
        return
    for update in (False, True):
        with transaction.atomic():
            goes_in_once(User.objects.get(pk=actor.pk), content, update=update)
            transaction.set_rollback(True)
