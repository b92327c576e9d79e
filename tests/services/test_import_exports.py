"""The tables of hotlines and petition desks as they are exported, nothing renamed."""

import datetime
from collections import Counter
from typing import Any

import pytest

from core.spreadsheets.headers import header_key
from services.models import Demand
from services.resources import demands as resources
from tests.cast import Cast
from tests.services.import_tables import as_csv
from tests.services.test_import_demands import bring, refused

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
