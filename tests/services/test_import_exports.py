"""The tables of hotlines and petition desks as they are exported, nothing renamed."""

import datetime
from collections import Counter
from typing import Any

import pytest

from core.spreadsheets.headers import header_key
from grids.models import GridNode
from services.models import Demand, DemandEvent
from services.resources import demands as resources
from tests import factories as make
from tests.cast import Cast
from tests.services.import_tables import as_csv
from tests.services.test_import_demands import bring, everything, faults, refused

pytestmark = pytest.mark.django_db

GOOD = {"编号": "A1", "日期": "2020-09-03", "内容": "晚上走路看不见。\n请修好路灯。"}


def table(*rows: dict[str, str]) -> bytes:
    """A csv file of rows by header; the headers are those of the first."""
    return as_csv([list(row.values()) for row in rows], headers=tuple(rows[0]))


def notes(outcome: Any) -> str:
    return "\n".join(outcome.report.notes)


# --- Headers ------------------------------------------------------------------------------------------------------------


def test_a_hotlines_export_goes_in_as_it_comes(cast: Cast) -> None:
    outcome = bring(
        cast,
        table(
            {
                "序号": "1",
                "工单编号": "GD2020-77",
                "工单标题": "路灯不亮",
                "工单内容": "晚上走路看不见。",
                "工单类型": "求助",
                "受理时间": "2020-09-03 10:20:33",
                "来电人": "王某某",
                "来电号码": "13812345678",
                "事发地点": "和谐小区 2 号楼",
                "承办单位": "城管局",
            }
        ),
    )
    demand = Demand.objects.get()
    assert (demand.external_number, demand.external_date) == ("GD2020-77", datetime.date(2020, 9, 3))
    assert (demand.title, demand.text, demand.external_nature) == ("路灯不亮", "晚上走路看不见。", "求助")
    assert demand.node == cast.a.other_building
    # Who called stays with the hotline.
    assert set(outcome.report.ignored_columns) == {"序号", "来电人", "来电号码", "承办单位"}
    assert (demand.contact_name, demand.contact_phone) == ("", "")


def test_a_petition_desks_export_goes_in_as_it_comes(cast: Cast) -> None:
    bring(
        cast,
        table(
            {
                "信访编号": "XF-9",
                "信访日期": "2020年9月3日",
                "信访形式": "网上信访",
                "信访目的": "意见建议",
                "问题属地": "和谐小区",
                "概况信息": "建议把空地划为车位。",
            }
        ),
    )
    demand = Demand.objects.get()
    assert (demand.external_number, demand.external_channel, demand.external_nature) == ("XF-9", "网上信访", "意见建议")
    assert (demand.title, demand.node) == ("建议把空地划为车位。", cast.a.compound)


@pytest.mark.parametrize(
    "header",
    ["信访人", "信访人姓名", "信访次数", "信访人数", "是否信访户", "重复信访", "信访史", "信访类型", "上访时间"],
)
def test_what_an_export_says_of_the_person_refuses_it_whole(cast: Cast, header: str) -> None:
    assert header in refused(cast, table({**GOOD, "信访编号": "XF-9", header: "x"}))


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("title", ["工单标题"]),
        ("text", ["工单内容", "诉求描述", "主要内容", "反映内容", "概况信息", "诉求内容", "问题描述", "信访内容"]),
        ("day", ["受理时间", "登记时间", "来电时间", "反映时间", "来信日期", "信访日期", "交办时间"]),
        ("number", ["流水号", "受理单号", "工单编号", "信访编号", "编号"]),
        ("place", ["事发地点", "问题属地", "地址"]),
        ("nature", ["信访目的", "诉求目的"]),
    ],
)
def test_the_usual_headers_are_known(name: str, headers: list[str]) -> None:
    column = next(each for each in resources.columns() if each.name == name)
    assert {header_key(header) for header in headers} <= column.keys


def test_no_header_means_two_columns() -> None:
    counted = Counter(key for column in resources.columns() for key in column.keys)
    assert [key for key, count in counted.items() if count > 1] == []


def test_of_two_columns_for_one_thing_the_better_one_is_read_and_said(cast: Cast) -> None:
    one = {"工单编号": "A1", "受理时间": "2020-09-05", "来电时间": "2020-09-03", "工单内容": "路灯不亮", "主要内容": ""}
    outcome = bring(cast, table(one))
    demand = Demand.objects.get()
    assert (demand.external_date, demand.text) == (datetime.date(2020, 9, 3), "路灯不亮")
    assert "“日期”读取“来电时间”一列，没有读取“受理时间”。" in notes(outcome)
    assert set(outcome.report.ignored_columns) == {"受理时间", "主要内容"}


def test_a_column_without_anything_in_it_gives_way(cast: Cast) -> None:
    bring(cast, table({"标题": "", "工单标题": "路灯不亮", **GOOD}))
    assert Demand.objects.get().title == "路灯不亮"


def test_the_same_header_twice_is_still_refused(cast: Cast) -> None:
    content = as_csv([["A1", "A2", "2020-09-03", "路灯不亮"]], headers=("编号", "编号", "日期", "内容"))
    assert "标题重复" in refused(cast, content)


# --- Titles -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"标题": ""}])
def test_without_a_title_the_first_line_of_the_text_is_one(cast: Cast, given: dict[str, str]) -> None:
    outcome = bring(cast, table({**GOOD, **given}))
    demand = Demand.objects.get()
    assert (demand.title, demand.text) == ("晚上走路看不见。", GOOD["内容"])
    assert "1 行没有标题" in notes(outcome)
    assert bring(cast, table({**GOOD, **given})).report.unchanged == 1


def test_a_title_taken_from_the_text_shows_no_number_of_a_person(cast: Cast) -> None:
    bring(cast, table({**GOOD, "内容": "请回电 13812345678 谢谢"}))
    assert "13812345678" not in Demand.objects.get().title


# --- Places -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def others(cast: Cast) -> Cast:
    """Other communities of the county: one in the next street, a namesake there, a village."""
    street = GridNode.objects.get(county=cast.county, name="城南街道")
    for name in ("北关社区", cast.a.node.name, "李村"):
        make.make_node(street, "community", name)
    return cast


@pytest.mark.parametrize("place", ["清水河边", ""])
@pytest.mark.parametrize(
    "said",
    [
        "北关社区",
        "北关",
        "北关社区居委会",
        "城南街道北关社区",
        "某某市西乡县城南街道北关社区",
        "北关社区第二网格",
        "李村",
    ],
)
def test_a_row_of_another_community_is_a_fault_that_names_it(others: Cast, said: str, place: str) -> None:
    content = table({**GOOD, "所属社区": said, "地点": place}, {**GOOD, "编号": "A2", "所属社区": "", "地点": said})
    before = everything()
    outcome = bring(others, content)
    name = "李村" if said == "李村" else "北关社区"
    message = f"这一行写的是{name}，请到那里导入，或改地点"
    expected = [(2, "所属社区", message)]
    if said != "北关":
        expected.append((3, "地点", message))
    assert faults(outcome) == expected
    assert everything() == before


@pytest.mark.parametrize(
    "said", ["白龙塘社区", "白龙塘", "白龙塘社区居委会", "城北街道白龙塘社区", "城北街道", "西乡县", ""]
)
def test_a_row_that_names_its_own_community_goes_in(others: Cast, said: str) -> None:
    # What the column says goes before how an address begins.
    outcome = bring(others, table({**GOOD, "所属社区": said, "地点": "北关社区市场" if "白龙塘" in said else said}))
    assert (outcome.report.created, outcome.report.bad_rows) == (1, 0)


def test_a_namesake_in_another_street_is_told_by_its_street(others: Cast) -> None:
    outcome = bring(others, table({**GOOD, "地点": "城南街道白龙塘社区和谐小区"}))
    assert "城南街道 · 白龙塘社区" in faults(outcome)[0][2]


def test_a_road_that_begins_like_a_village_is_not_in_it(others: Cast) -> None:
    assert bring(others, table({**GOOD, "地点": "李村路 12 号"})).report.created == 1


def test_a_place_of_ones_own_goes_before_another_communitys_name(others: Cast) -> None:
    own = make.make_node(others.a.node, "compound", "北关社区家属院")
    bring(others, table({**GOOD, "地点": "北关社区家属院东门"}))
    assert Demand.objects.get().node == own


def test_a_community_nobody_knows_is_said(others: Cast) -> None:
    outcome = bring(others, table({**GOOD, "所属社区": "远山社区"}))
    assert outcome.report.created == 1
    assert "1 行的“所属社区”不是本县的社区" in notes(outcome)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("和谐小区2栋附近垃圾站", "other_building"),
        ("白龙塘社区和谐小区 2 栋 3 单元 501", "other_building"),
        ("西乡县城北街道白龙塘社区和谐小区1幢1单元501室", "entrance"),
        ("某某省某某市西乡县和谐小区旁边", "compound"),
        ("和谐小区路灯", "compound"),
        ("和谐小区12栋", "compound"),
    ],
)
def test_the_longest_known_beginning_of_a_text_is_where_it_hangs(cast: Cast, text: str, place: str) -> None:
    outcome = bring(cast, table({**GOOD, "地点": text}))
    demand = Demand.objects.get()
    assert demand.node == getattr(cast.a, place)
    assert (demand.place_text, outcome.places["partly"]) == (text, 1)
    assert demand.node.name in DemandEvent.objects.get().text


def test_a_compound_may_be_called_one_where_its_name_does_not_say_so(cast: Cast) -> None:
    compound = make.make_node(cast.a.node, "compound", "采薇家园")
    building = make.make_node(compound, "building", "3 号楼")
    outcome = bring(
        cast,
        table(
            {**GOOD, "地点": "采薇家园小区"},
            {**GOOD, "编号": "A2", "地点": "白龙塘社区采薇家园小区 3 幢"},
            {**GOOD, "编号": "A3", "地点": "采薇家园小区 3 栋 501"},
        ),
    )
    hung = dict(Demand.objects.values_list("external_number", "node"))
    assert hung == {"A1": compound.pk, "A2": building.pk, "A3": building.pk}
    assert (outcome.places["found"], outcome.places["partly"]) == (2, 1)


@pytest.mark.parametrize("text", ["白龙塘社区清水河边", "和谐小区路 3 号", "2 号线地铁口", "610724", "1号"])
def test_what_only_looks_like_a_known_beginning_stays_on_the_community(cast: Cast, text: str) -> None:
    outcome = bring(cast, table({**GOOD, "地点": text}))
    assert Demand.objects.get().node == cast.a.node
    assert outcome.places["unknown"] == 1


# --- What is closed already ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["办理状态", "状态", "办理情况", "是否办结"])
def test_what_is_closed_by_its_own_word_is_left_out_and_named(cast: Cast, header: str) -> None:
    closed = "是" if header == "是否办结" else "已办结"
    content = table(
        {**GOOD, header: "办理中"},
        {**GOOD, "编号": "A2", header: closed},
        # What is left out is not judged either.
        {**GOOD, "编号": "", "日期": "不详", header: f" {closed}。"},
        {**GOOD, "编号": "A4", header: "未办结"},
        {**GOOD, "编号": "A5", header: "已转城管局，已完成现场查看，待修复。" * 40},
        {**GOOD, "编号": "A6", header: ""},
    )
    outcome = bring(cast, content)
    report = outcome.report
    assert set(Demand.objects.values_list("external_number", flat=True)) == {"A1", "A4", "A5", "A6"}
    assert (report.created, report.skipped, report.bad_rows, report.total) == (4, 2, 0, 6)
    assert f"2 行写着已办结，没有导入（第 3、4 行）。要一起导入，请删去“{header}”一列后重新上传。" in notes(outcome)


def test_a_table_of_closed_matters_brings_nothing_and_is_no_error(cast: Cast) -> None:
    before = everything()
    outcome = bring(cast, table({**GOOD, "办理状态": "已办结"}))
    assert (outcome.report.created, outcome.report.skipped, outcome.report.bad_rows) == (0, 1, 0)
    assert everything() == before
