"""Places as people write them in tables."""

import pytest
from django.db.models import Q

from core.actors import SYSTEM
from core.spreadsheets import Column, bind_columns, table_of
from grids.actions import retire_node
from grids.models import GridNode
from grids.places import FREE, Words, find_places, places_by_words, why_not
from grids.querysets import in_subtree
from grids.resources.places import PlaceColumns
from tests.cast import Cast


def meant(cast: Cast, *words: tuple[str, str], within: Q | None = None) -> list[GridNode]:
    return find_places(cast.county, [words], within=within)[words].nodes


@pytest.mark.parametrize(
    "text",
    [
        "城北街道 · 白龙塘社区 · 和谐小区 · 第一网格 · 2 号楼",
        "城北街道/白龙塘社区/和谐小区/第一网格/2 号楼",
        "城北街道>白龙塘社区>和谐小区>第一网格>2号楼",
        "城北街道白龙塘社区和谐小区第一网格2号楼",
        "西乡县城北街道白龙塘社区和谐小区第1网格２号楼",
        "白龙塘社区 和谐小区 一网格 二号楼",
        "白龙塘社区/2号楼",
        "白龙塘社区2 号楼",
        "城北街道/白龙塘社区/2号楼",
        "城北街道白龙塘社区和谐小区2号楼",
        "白龙塘社区第一网格2号楼",
    ],
)
def test_a_place_in_one_piece_is_known_however_it_is_written(cast: Cast, text: str) -> None:
    assert meant(cast, (FREE, text)) == [cast.a.other_building]


def test_codes_and_names_of_communities_are_known(cast: Cast) -> None:
    found = places_by_words(cast.county, [cast.a.grid.code, "新民社区", "城南街道", "不存在", ""])
    assert found == {
        cast.a.grid.code: [cast.a.grid],
        "新民社区": [cast.empty_community],
        "城南街道": [cast.other_street],
    }


@pytest.mark.parametrize(
    "words",
    [
        (("street", "城北街道"), ("community", "白龙塘社区"), ("compound", "和谐小区"), ("building", "2 号楼")),
        (("street", "城北"), ("community", "白龙塘"), ("compound", "和谐"), ("grid", "1"), ("building", "2")),
        (("community", "白龙塘社区"), ("building", "2")),
        (("community", "白龙塘社区"), (FREE, "2号楼")),
        (("street", "城北街道"), ("community", "白龙塘社区"), (FREE, "第一网格2号楼")),
    ],
)
def test_a_place_may_be_given_a_column_for_each_level(cast: Cast, words: Words) -> None:
    assert meant(cast, *words) == [cast.a.other_building]


def test_deep_places_are_found_by_bare_numbers(cast: Cast) -> None:
    words = (("community", "白龙塘"), ("compound", "和谐小区"), ("building", "1"), ("unit_entrance", "1"))
    assert meant(cast, *words) == [cast.a.entrance]
    assert meant(cast, *words, ("floor", "一")) == [cast.a.floor]
    assert meant(cast, ("community", "城北社区"), *words[1:]) == [cast.b.entrance]


def test_a_code_in_a_levels_column_is_a_code(cast: Cast) -> None:
    assert meant(cast, ("community", "白龙塘社区"), ("grid", cast.a.grid.code)) == [cast.a.grid]


def test_what_fits_several_places_is_no_answer(cast: Cast) -> None:
    both = meant(cast, (FREE, "2号楼"))
    assert {node.pk for node in both} == {cast.a.other_building.pk, cast.b.other_building.pk}
    assert why_not(both) == "有 2 处叫这个名称，请填编码或完整位置"
    assert len(meant(cast, ("compound", "和谐小区"))) == 2


def test_contradictions_are_not_found(cast: Cast) -> None:
    for words in (
        (("street", "城南街道"), ("community", "白龙塘社区")),
        (("street", "城南街道"), (FREE, "白龙塘社区")),
        (("community", "新民社区"), ("building", "2号楼")),
        (("community", "2号楼"),),
        ((FREE, "白龙塘社区9号楼"),),
        ((FREE, "城关社区"),),
    ):
        found = find_places(cast.county, [words])[words]
        said = f"“{' · '.join(text for _key, text in words)}”" if len(words) > 1 else "这个地方"
        assert (found.node, found.fault) == (None, f"没有找到{said}，或不在您的管辖范围内")


def test_two_numbers_are_never_read_as_one(cast: Cast) -> None:
    GridNode.objects.filter(pk=cast.a.building.pk).update(
        name="12 号楼", path=cast.a.building.path.replace("1 号楼", "12 号楼")
    )
    assert meant(cast, (FREE, "白龙塘社区12号楼")) == [cast.a.building]
    for text in ("白龙塘社区1 2号楼", "白龙塘社区1/2号楼", "白龙塘社区1-2号楼", "白龙塘社区1、2号楼"):
        assert meant(cast, (FREE, text)) == []


def test_what_is_out_of_scope_is_not_found_and_makes_nothing_ambiguous(cast: Cast) -> None:
    within = in_subtree(cast.a.node)
    assert meant(cast, (FREE, "2号楼"), within=within) == [cast.a.other_building]
    assert meant(cast, (FREE, "城北社区"), within=within) == []
    assert meant(cast, (FREE, cast.b.grid.code), within=within) == []


def test_a_retired_place_is_named_with_its_successor(cast: Cast) -> None:
    retire_node(actor=SYSTEM, node=cast.a.other_building, successor=cast.a.building, reason="拆除")
    for words in (
        ((FREE, cast.a.other_building.code),),
        ((FREE, "白龙塘社区2号楼"),),
        (("community", "白龙塘社区"), ("building", "2")),
    ):
        found = find_places(cast.county, [words])[words]
        assert found.node is None
        assert "已于" in found.fault
        assert f"由“{cast.a.building.path}”承接" in found.fault
    retire_node(actor=SYSTEM, node=cast.empty_community, reason="并入")
    found = find_places(cast.county, [((FREE, "新民社区"),)])[((FREE, "新民社区"),)]
    assert found.fault.endswith("撤销，请改填现在的地方")


def test_many_rows_cost_a_few_queries(cast: Cast, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    wanted = [((FREE, f"第{number}号地"),) for number in range(250)]
    wanted += [(("community", "白龙塘社区"), ("building", str(number))) for number in range(50)]
    with django_assert_max_num_queries(8):
        found = find_places(cast.county, wanted)
    assert sum(one.node is not None for one in found.values()) == 2


def test_columns_of_levels_are_read_where_a_file_has_them_and_never_asked_for(cast: Cast) -> None:
    fields = PlaceColumns(cast.county, Column("place", "任职地", aliases=("负责区域",), max_length=400))
    columns = [Column("name", "姓名"), *fields.columns()]
    assert [column.header for column in columns if column.offered] == ["姓名", "任职地"]
    text = "姓名,所属街道,社区名称,小区,网格,楼栋号\n甲,城北街道,白龙塘,和谐小区,无,2\n乙,,,,,\n"
    bound = bind_columns(table_of(text.encode(), filename="a.csv", columns=columns), columns)
    first, second = (fields.read(record) for record in bound.records())
    assert meant(cast, *first) == [cast.a.other_building]
    assert bound.positions[fields.column(first)] == 5
    assert (second, fields.column(second)) == ((), "place")
