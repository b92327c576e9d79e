from typing import Any

import pytest

from grids.actions import create_node, describe_node, retire_node
from grids.selectors import (
    child_levels,
    communities,
    holders_of,
    level_counts,
    size_warning,
    who_answers_for,
)
from tests.cast import Cast


def test_child_levels_are_exactly_those_the_tree_takes(cast: Cast) -> None:
    for parent in (cast.street, cast.a.node, cast.a.grid, cast.a.entrance, cast.a.floor):
        offered = [level.key for level in child_levels(cast.county, parent)]
        for level in cast.county.levels.all():
            taken = True
            try:
                create_node(actor=cast.admin, parent=parent, level=level.key, name=f"新{level.key}")
            except Exception:
                taken = False
            assert taken == (level.key in offered), (parent.name, level.key)
    assert [level.key for level in child_levels(cast.county, None)] == ["street"]


def test_counts_leave_out_what_is_retired_and_what_lies_elsewhere(cast: Cast) -> None:
    assert level_counts(cast.county)["building"] == 4
    assert level_counts(cast.a.node)["building"] == 2
    retire_node(actor=cast.admin, node=cast.a.other_building, reason="已拆除")
    assert level_counts(cast.county)["building"] == 3
    assert level_counts(cast.county)["sector"] == 0
    assert [node.name for node in communities(cast.county)] == ["白龙塘社区", "城北社区", "新民社区", "南门社区"]


def test_the_nearest_person_in_post_answers(cast: Cast, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        assert [row.user.name for row in who_answers_for(cast.a.floor)] == ["楼栋长甲"]
    assert [row.user.name for row in who_answers_for(cast.a.other_building)] == ["网格员甲"]
    assert [row.user.name for row in who_answers_for(cast.empty_community)] == ["街道书记", "街道干部"]
    with django_assert_num_queries(1):
        held = holders_of([cast.a.node, cast.b.node, cast.empty_community])
    assert [row.user.name for row in held[cast.b.node.pk]] == ["书记乙", "两委乙", "队长乙"]
    assert held[cast.empty_community.pk] == []


@pytest.mark.parametrize(
    ("households", "remarked"), [(None, False), (299, True), (300, False), (500, False), (501, True)]
)
def test_a_grid_outside_the_guide_is_remarked_on_and_kept(cast: Cast, households: int | None, remarked: bool) -> None:
    node = describe_node(actor=cast.admin, node=cast.a.grid, households=households)
    assert bool(size_warning(node)) == remarked
    assert size_warning(cast.a.building) == ""
