"""The import of demands: good tables in, bad rows named, nothing twice, nothing half."""

import datetime
import io
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone
from openpyxl import Workbook, load_workbook

from core import notices
from core.actors import SYSTEM
from core.audit_check import Check
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notice, OutboxMessage
from grids.models import GridNode
from services.actions import importing, sweeping, tallies
from services.actions.importing import Outcome, import_demands
from services.models import Category, Demand, DemandEvent, DemandState, Tally
from services.resources import demands as resources
from tests import factories as make
from tests.cast import Cast, make_cast
from tests.factories import fresh
from tests.services.import_tables import HEADERS, as_csv, as_xlsx, rows

pytestmark = pytest.mark.django_db


def bring(cast: Cast, content: bytes, name: str = "来件.csv", *, actor: Any = None, **how: Any) -> Outcome:
    """Imports into the community `a` as its officer."""
    community = how.pop("community", cast.a.node)
    return import_demands(
        actor=actor or fresh(cast.a.officer),
        community=GridNode.objects.select_related("county__loop_settings").get(pk=community.pk),
        content=content,
        filename=name,
        **how,
    )


def row(**values: str) -> list[str]:
    """One good row; what the test is about it says itself."""
    good = {
        "编号": "A1",
        "日期": "2020-09-03",
        "来源渠道": "网站",
        "性质": "投诉",
        "地点": "",
        "标题": "路灯不亮",
        "内容": "晚上走路看不见。",
        "答复": "",
        "转办次数": "",
    }
    return list({**good, **values}.values())


def faults(outcome: Outcome) -> list[tuple[int, str, str]]:
    return [(error.row, error.column, error.message) for error in outcome.report.errors]


def everything() -> dict[str, int]:
    """How many rows every table of the portal has."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models() if model._meta.managed}


def refused(cast: Cast, content: bytes, name: str = "来件.csv", **how: Any) -> str:
    before = everything()
    with pytest.raises(DomainError) as error:
        bring(cast, content, name, **how)
    assert everything() == before
    return error.value.message


# --- Good tables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030", "utf-16"])
def test_a_csv_goes_in_whatever_its_encoding(cast: Cast, encoding: str) -> None:
    outcome = bring(cast, as_csv(rows(12), encoding=encoding))
    assert (outcome.report.created, outcome.report.bad_rows) == (12, 0)
    assert set(Demand.objects.values_list("external_number", flat=True)) == {str(n) for n in range(1, 13)}
    assert Demand.objects.get(external_number="1").text == "小区北侧的河水发臭，\n夏天蚊虫很多，老人孩子不敢开窗。"


def test_a_workbook_goes_in_with_dates_as_text_or_as_dates(cast: Cast) -> None:
    table = rows(4)
    table[2][1] = datetime.date(2020, 2, 29)
    outcome = bring(cast, as_xlsx(table), "来件.xlsx")
    assert outcome.report.created == 4
    assert Demand.objects.get(external_number="3").external_date == datetime.date(2020, 2, 29)


def test_a_row_becomes_a_registered_demand_with_its_timeline_and_trail(cast: Cast) -> None:
    bring(cast, as_csv([row(编号="2020-7", 日期="2020-09-03", 地点="清水河边", 内容="河水发臭。", 标题="河道黑臭")]))
    demand = Demand.objects.get()
    assert (demand.state, demand.origin, demand.community, demand.node) == (
        DemandState.REGISTERED,
        "import",
        cast.a.node,
        cast.a.node,
    )
    assert (demand.title, demand.text, demand.place_text) == ("河道黑臭", "河水发臭。", "清水河边")
    assert (demand.external_number, demand.external_channel, demand.external_nature) == ("2020-7", "网站", "投诉")
    assert timezone.localtime(demand.registered_at).replace(tzinfo=None) == datetime.datetime(2020, 9, 3, 9)  # noqa: DTZ001
    assert demand.code.startswith("20200903-")
    assert len(demand.follow_code) == 12
    assert (demand.raised_by, demand.version, demand.due_at) == (cast.a.officer, 1, None)
    event = DemandEvent.objects.get()
    assert (event.demand, event.name, event.actor, event.to_state) == (
        demand,
        "raise",
        cast.a.officer,
        DemandState.REGISTERED,
    )
    assert "2020-7" in event.text
    entry = AuditEntry.objects.get(action="demand.raise")
    assert (entry.chain, entry.actor, entry.label) == (f"services.demand:{demand.pk}", cast.a.officer, demand.code)


def test_a_petition_of_five_years_ago_is_not_born_late(cast: Cast) -> None:
    bring(cast, as_csv(rows(5, since=datetime.date(2015, 1, 5))))
    now = timezone.now()
    assert all(demand.step_due_at > now for demand in Demand.objects.all())
    assert not Demand.objects.step_late(now).exists()
    assert sum(sweeping.sweep(now).values()) == 0


def test_what_came_today_is_not_registered_in_the_future(cast: Cast) -> None:
    bring(cast, as_csv([row(日期=f"{timezone.localdate():%Y-%m-%d}")]))
    assert Demand.objects.get().registered_at <= timezone.now()


def test_extra_columns_are_left_out_and_named(cast: Cast) -> None:
    outcome = bring(cast, as_csv(rows(1)))
    assert outcome.report.ignored_columns == ("答复", "转办次数")
    assert "您好" not in Demand.objects.get().text


def test_a_column_may_bear_another_usual_name(cast: Cast) -> None:
    headers = ("工单编号", "登记日期", "来源", "诉求类型", "事发地点", "主题", "诉求内容")
    assert bring(cast, as_csv([row()[:7]], headers=headers)).report.created == 1


def test_an_alias_beside_the_column_itself_is_an_extra_column(cast: Cast) -> None:
    outcome = bring(cast, as_csv([[*row(), "GD-99"]], headers=(*HEADERS, "工单号")))
    assert Demand.objects.get().external_number == "A1"
    assert "工单号" in outcome.report.ignored_columns


def test_channel_nature_and_place_may_be_missing_altogether(cast: Cast) -> None:
    table = [["A1", "2020-09-03", "路灯不亮", "晚上走路看不见。"]]
    outcome = bring(cast, as_csv(table, headers=("编号", "日期", "标题", "内容")))
    assert Demand.objects.get().node == cast.a.node
    assert any("没有“地点”一列" in note for note in outcome.report.notes)


def test_blank_rows_and_trailing_blanks_are_no_rows(cast: Cast) -> None:
    table = [row(), [""] * 9, row(编号="A2 　"), ["", "  ", "　"], [""] * 9]
    outcome = bring(cast, as_xlsx(table), "来件.xlsx")
    assert (outcome.report.total, outcome.report.created) == (2, 2)
    assert set(Demand.objects.values_list("external_number", flat=True)) == {"A1", "A2"}


# --- Dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "order", "read", "told"),
    [
        (["2016-09-03", "2016/9/4"], "YMD", "2016-09-03", "年-月-日"),
        (["09/03/2016", "09/23/2016"], "MDY", "2016-09-03", "文件里有日期能够证明"),
        (["09/03/2016", "23/09/2016"], "DMY", "2016-03-09", "文件里有日期能够证明"),
        (["09/03/2016", "2016-10-01"], "MDY", "2016-09-03", "请核对"),
    ],
)
def test_the_order_of_dates_is_decided_for_the_file_and_said(
    cast: Cast, given: list[str], order: str, read: str, told: str
) -> None:
    outcome = bring(cast, as_csv([row(编号=f"A{n}", 日期=day) for n, day in enumerate(given)]))
    assert outcome.report.date_order == order
    assert any(told in note for note in outcome.report.notes)
    assert Demand.objects.get(external_number="A0").external_date == datetime.date.fromisoformat(read)


def test_dates_that_contradict_each_other_are_read_only_where_they_prove_themselves(cast: Cast) -> None:
    given = ["09/23/2016", "23/09/2016", "03/04/2016"]
    outcome = bring(cast, as_csv([row(编号=f"A{n}", 日期=day) for n, day in enumerate(given)]), keep_good=True)
    assert [(number, column) for number, column, _message in faults(outcome)] == [(4, "日期")]
    assert Demand.objects.count() == 2


# --- Bad rows ---------------------------------------------------------------------------------------------------------


def bad_table() -> list[list[str]]:
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    return [
        row(编号="A1"),
        row(编号=""),
        row(编号="A3", 日期="2020-02-30"),
        row(编号="A4", 日期=f"{tomorrow:%Y-%m-%d}"),
        row(编号="A5", 标题="", 内容=""),
        row(编号="A6", 内容="长" * 2001),
        row(编号="A7" * 30),
        row(编号="A8"),
    ]


def test_each_bad_row_is_named_with_its_column_and_reason_and_nothing_goes_in(cast: Cast) -> None:
    before = everything()
    outcome = bring(cast, as_csv(bad_table()))
    assert [(number, column) for number, column, _message in faults(outcome)] == [
        (3, "编号"),
        (4, "日期"),
        (5, "日期"),
        (6, "内容"),
        (7, "内容"),
        (8, "编号"),
    ]
    assert "不存在" in faults(outcome)[1][2]
    assert "2001" in faults(outcome)[4][2]
    assert (outcome.written, outcome.report.created, outcome.report.bad_rows) == (False, 0, 6)
    assert everything() == before


def test_the_good_rows_go_in_if_the_person_says_so(cast: Cast) -> None:
    outcome = bring(cast, as_csv(bad_table()), keep_good=True)
    assert (outcome.written, outcome.report.created, outcome.report.bad_rows) == (True, 2, 6)
    assert set(Demand.objects.values_list("external_number", flat=True)) == {"A1", "A8"}
    report = outcome.report
    assert report.total == report.created + report.unchanged + report.skipped + report.bad_rows


def test_a_comma_without_quotes_makes_a_fault_not_a_shifted_row(cast: Cast) -> None:
    content = as_csv([row()]) + "A2,2020-09-03,网站,投诉,,标题,内容里有,逗号,没有加引号,您好,1\r\n".encode()
    outcome = bring(cast, content, keep_good=True)
    assert faults(outcome)[0][0] == 3
    assert Demand.objects.count() == 1


def test_the_table_comes_back_with_its_errors_and_goes_in_when_mended(cast: Cast) -> None:
    outcome = bring(cast, as_xlsx([row(编号="A1"), row(编号="A2", 日期="不详")]), "来件.xlsx", keep_good=True)
    book = load_workbook(io.BytesIO(outcome.error_file()))
    assert [cell.value for cell in book.active[1]][-1] == "错误信息"
    assert book.active.cell(2, 10).value is None
    assert "不是日期" in book.active.cell(3, 10).value
    book.active.cell(3, 2).value = "2020-09-04"
    out = io.BytesIO()
    book.save(out)
    mended = bring(cast, out.getvalue(), "来件（错误信息）.xlsx")
    assert (mended.report.created, mended.report.unchanged, mended.report.bad_rows) == (1, 1, 0)
    assert "错误信息" not in mended.report.ignored_columns


def test_a_formula_counts_with_its_value_and_without_one_is_a_fault(cast: Cast) -> None:
    book = Workbook()
    book.active.append(list(HEADERS))
    book.active.append(row())
    book.active.append(row(编号="A2", 标题="=A1&B1"))
    out = io.BytesIO()
    book.save(out)
    assert faults(bring(cast, out.getvalue(), "来件.xlsx"))[0][:2] == (3, "标题")


# --- Twice ------------------------------------------------------------------------------------------------------------


def test_the_same_file_twice_creates_nothing_new(cast: Cast) -> None:
    content = as_csv(rows(20))
    bring(cast, content)
    before = everything()
    outcome = bring(cast, content)
    assert (outcome.report.created, outcome.report.unchanged, outcome.report.bad_rows) == (0, 20, 0)
    assert everything() == before


def test_the_same_matters_in_another_format_are_the_same_matters(cast: Cast) -> None:
    bring(cast, as_csv(rows(6), encoding="gb18030"))
    assert bring(cast, as_xlsx(rows(6)), "来件.xlsx").report.unchanged == 6


def test_a_longer_file_brings_only_what_is_new(cast: Cast) -> None:
    bring(cast, as_csv(rows(5)))
    outcome = bring(cast, as_csv(rows(8)))
    assert (outcome.report.created, outcome.report.unchanged) == (3, 5)


def test_other_words_under_the_same_number_and_date_are_an_error_and_overwrite_nothing(cast: Cast) -> None:
    bring(cast, as_csv([row()]))
    code = Demand.objects.get().code
    before = everything()
    outcome = bring(cast, as_csv([row(内容="改过的内容。"), row(编号="A2")]))
    ((number, column, message),) = faults(outcome)
    assert (number, column) == (2, "编号")
    assert code in message
    assert "内容不同" in message
    assert Demand.objects.get().text == "晚上走路看不见。"
    assert everything() == before


def test_what_was_done_with_a_demand_meanwhile_makes_it_no_other_one(cast: Cast) -> None:
    content = as_csv([row()])
    bring(cast, content)
    Demand.objects.update(state=DemandState.ACCEPTED, node=cast.a.building, category=cast.categories["其他"], version=3)
    assert bring(cast, content).report.unchanged == 1


def test_the_same_number_on_another_day_or_in_another_community_is_another_matter(cast: Cast) -> None:
    bring(cast, as_csv([row()]))
    assert bring(cast, as_csv([row(日期="2021-09-03")])).report.created == 1
    assert bring(cast, as_csv([row()]), community=cast.b.node, actor=fresh(cast.b.officer)).report.created == 1


def test_a_row_that_says_another_one_again_is_registered_once(cast: Cast) -> None:
    outcome = bring(cast, as_csv([row(), row(编号="A2"), row()]))
    assert (outcome.report.created, outcome.report.skipped, outcome.report.bad_rows) == (2, 1, 0)
    assert any("完全相同" in note for note in outcome.report.notes)


def test_two_rows_that_contradict_each_other_are_an_error_of_the_second(cast: Cast) -> None:
    outcome = bring(cast, as_csv([row(), row(标题="另一件事")]), keep_good=True)
    ((number, column, message),) = faults(outcome)
    assert (number, column) == (3, "编号")
    assert "第 2 行" in message
    assert "标题不同" in message
    assert Demand.objects.get().title == "路灯不亮"


# --- Files that are refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["身份证号", "民族", "信访人", "信访次数", "重点人员", "政治面貌", "车牌号"])
def test_a_forbidden_column_refuses_the_whole_file_and_says_why(cast: Cast, header: str) -> None:
    message = refused(cast, as_csv([[*row(), "x"]], headers=(*HEADERS, header)))
    assert header in message
    assert "平台不" in message


def test_none_of_the_seven_columns_is_forbidden(cast: Cast) -> None:
    assert bring(cast, as_csv([row()[:7]], headers=HEADERS[:7])).report.created == 1


def test_a_missing_column_is_named(cast: Cast) -> None:
    message = refused(cast, as_csv([row()[:5]], headers=HEADERS[:5]))
    assert "缺少必需的列：“内容”" in message


def zip_bomb() -> bytes:
    out = io.BytesIO(as_xlsx([row()]))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/sheet9.xml", b"\0" * (25 * 1024 * 1024))
    return out.getvalue()


def merged() -> bytes:
    book = load_workbook(io.BytesIO(as_xlsx([row(), row(编号="A2"), row(编号="A3")])))
    book.active.merge_cells("B2:B3")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("make_content", "name", "said"),
    [
        (lambda: b"%PDF-1.7\n%...", "来件.xlsx", "PDF"),
        (lambda: b"%PDF-1.7\n%...", "来件.csv", "PDF"),
        (zip_bomb, "来件.xlsx", "解压后过大"),
        (merged, "来件.xlsx", "合并单元格"),
        (lambda: b"", "来件.csv", "空的"),
        (lambda: as_csv([]), "来件.csv", "没有任何数据"),
        (lambda: as_csv([row()]).replace("路灯".encode(), b"\xff\xfe\xff") + "好".encode() * 30, "来件.csv", "乱码"),
        (lambda: as_xlsx([row()])[:-400], "来件.xlsx", "损坏"),
        (lambda: as_csv([row()]), "来件.xlsx", "不是 Excel"),
    ],
    ids=["pdf", "pdf-as-csv", "zip-bomb", "merged", "empty", "no-rows", "garbled", "torn", "csv-as-xlsx"],
)
def test_a_file_that_is_no_usable_table_is_refused_with_a_reason(
    cast: Cast, make_content: Any, name: str, said: str
) -> None:
    assert said in refused(cast, make_content(), name)


def test_a_county_without_categories_is_told_so(cast: Cast) -> None:
    Category.objects.filter(county=cast.county).update(is_active=False)
    assert "类别" in refused(cast, as_csv([row()]))


# --- Words --------------------------------------------------------------------------------------------------------------


def test_a_long_title_is_shortened_and_nothing_of_it_is_lost(cast: Cast) -> None:
    title = "请尽快修好" + "很长的一条路" * 20
    outcome = bring(cast, as_csv([row(标题=title), row(编号="A2", 标题=title, 内容=f"{title}，谢谢。")]))
    first, second = Demand.objects.order_by("external_number")
    assert len(first.title) == 80
    assert first.title.endswith("…")
    assert first.text == f"{title}\n晚上走路看不见。"
    assert second.text == f"{title}，谢谢。"
    assert any("2 行的标题过长" in note for note in outcome.report.notes)
    assert bring(cast, as_csv([row(标题=title)])).report.unchanged == 1


def test_a_long_title_that_leaves_no_room_for_the_text_is_a_fault(cast: Cast) -> None:
    outcome = bring(cast, as_csv([row(标题="题" * 200, 内容="文" * 1900)]))
    assert faults(outcome)[0][:2] == (2, "标题")


def test_telephone_and_identity_numbers_in_the_text_are_hidden(cast: Cast) -> None:
    text = "请联系李师傅 13912345678，座机 0916-6212345，身份证 11010519491231002X。"
    outcome = bring(cast, as_csv([row(内容=text, 标题="请回电 13912345678")]))
    demand = Demand.objects.get()
    for number in ("13912345678", "6212345", "11010519491231002X"):
        assert number not in demand.text + demand.title
    assert "139****5678" in demand.text
    assert any("1 行" in note and "隐去" in note for note in outcome.report.notes)
    assert bring(cast, as_csv([row(内容=text, 标题="请回电 13912345678")])).report.unchanged == 1


def test_a_text_that_looks_like_a_formula_stays_text(cast: Cast) -> None:
    bring(cast, as_csv([row(内容="=1+1 是多少")]))
    assert Demand.objects.get().text == "=1+1 是多少"


# --- Places -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("和谐小区", "compound"),
        ("2 号楼", "other_building"),
        ("2号楼", "other_building"),
        ("２号楼", "other_building"),
        ("和谐小区2号楼", "other_building"),
        ("和谐小区 - 2号楼", "other_building"),
        ("白龙塘社区和谐小区第一网格2号楼", "other_building"),
        ("城北街道 · 白龙塘社区 · 和谐小区", "compound"),
        ("西乡县城北街道白龙塘社区和谐小区1号楼1单元", "entrance"),
        ("白龙塘社区", "node"),
        ("", "node"),
        ("清水河", "node"),
        ("2-2号楼", "node"),
        ("12号楼", "node"),
    ],
)
def test_a_place_that_names_one_node_hangs_the_demand_there_else_on_the_community(
    cast: Cast, text: str, place: str
) -> None:
    bring(cast, as_csv([row(地点=text)]))
    demand = Demand.objects.get()
    assert demand.node == getattr(cast.a, place)
    assert demand.community == cast.a.node
    assert demand.place_text == text


def test_a_place_is_known_by_its_code_too(cast: Cast) -> None:
    bring(cast, as_csv([row(地点=cast.a.building.code)]))
    assert Demand.objects.get().node == cast.a.building


def test_a_name_that_two_places_have_hangs_the_demand_on_the_community(cast: Cast) -> None:
    make.make_node(cast.a.compound, "building", "2 号楼")
    outcome = bring(cast, as_csv([row(地点="2 号楼"), row(编号="A2", 地点="第一网格 2 号楼"), row(编号="A3")]))
    assert Demand.objects.get(external_number="A1").node == cast.a.node
    assert Demand.objects.get(external_number="A2").node == cast.a.other_building
    assert outcome.places == {"found": 1, "partly": 0, "none": 1, "unknown": 0, "ambiguous": 1}


def test_nothing_is_hung_on_a_retired_place(cast: Cast) -> None:
    GridNode.objects.filter(pk=cast.a.other_building.pk).update(retired_at=timezone.now())
    bring(cast, as_csv([row(地点="2 号楼")]))
    assert Demand.objects.get().node == cast.a.node


# --- Categories ---------------------------------------------------------------------------------------------------------


def test_the_category_follows_from_the_words_and_the_report_counts_them(cast: Cast) -> None:
    table = [
        row(编号="A1", 标题="河道黑臭", 内容="停水了"),
        row(编号="A2", 标题="请问", 内容="昨天起停水，什么时候来水？"),
        row(编号="A3", 标题="感谢", 内容="谢谢大家。"),
    ]
    outcome = bring(cast, as_csv(table))
    assert [demand.category.name for demand in Demand.objects.order_by("external_number")] == [
        "环境卫生",
        "水电气暖",
        "其他",
    ]
    assert outcome.categories == [("其他", 1), ("水电气暖", 1), ("环境卫生", 1)]


def test_a_category_out_of_use_gets_nothing(cast: Cast) -> None:
    Category.objects.filter(name__in=["环境卫生", "其他"]).update(is_active=False)
    bring(cast, as_csv([row(标题="河道黑臭"), row(编号="A2", 标题="感谢")]))
    assert {demand.category.name for demand in Demand.objects.all()} == {"水电气暖"}


# --- Who ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["a.officer", "a.secretary", "a.team_lead"])
def test_the_community_imports_into_itself(cast: Cast, role: str) -> None:
    assert bring(cast, as_csv([row()]), actor=fresh(cast.people()[role])).report.created == 1


@pytest.mark.parametrize("role", ["b.officer", "b.secretary", "other_county_secretary"])
def test_to_another_community_this_one_does_not_exist(cast: Cast, role: str) -> None:
    before = everything()
    with pytest.raises(NotFound):
        bring(cast, as_csv([row()]), actor=fresh(cast.people()[role]))
    assert everything() == before


@pytest.mark.parametrize(
    "role", ["a.keeper", "a.building_head", "a.liaison", "street_officer", "department", "admin", "superuser", "nobody"]
)
def test_whoever_may_not_import_is_refused_everywhere(cast: Cast, role: str) -> None:
    before = everything()
    for community in (cast.a.node, cast.b.node):
        with pytest.raises(Forbidden):
            bring(cast, as_csv([row()]), actor=fresh(cast.people()[role]), community=community)
    assert everything() == before


def test_only_a_community_in_use_takes_an_import(cast: Cast) -> None:
    assert "不是社区" in refused(cast, as_csv([row()]), actor=SYSTEM, community=cast.a.building)
    GridNode.objects.filter(pk=cast.a.node.pk).update(retired_at=timezone.now())
    assert "已撤销" in refused(cast, as_csv([row()]), actor=SYSTEM)


# --- What it leaves behind ----------------------------------------------------------------------------------------------


def test_a_dry_run_changes_nothing(cast: Cast) -> None:
    before = everything()
    outcome = bring(cast, as_csv([*rows(30), *bad_table()[1:4]]), dry_run=True)
    assert everything() == before
    assert (outcome.written, outcome.report.created, outcome.report.bad_rows) == (False, 30, 3)


def test_the_community_gets_one_notice_for_all(cast: Cast) -> None:
    bring(cast, as_csv(rows(30)))
    message = OutboxMessage.objects.get()
    assert "30 条" in message.title
    notices.deliver()
    readers = set(Notice.objects.values_list("reader", flat=True))
    assert {cast.a.officer.pk, cast.a.secretary.pk} <= readers
    assert cast.b.officer.pk not in readers


def test_the_import_itself_stands_in_the_trail(cast: Cast) -> None:
    bring(cast, as_csv([*rows(3), row(日期="")]), "张三的来件.csv", keep_good=True)
    entry = AuditEntry.objects.get(action="demand.import")
    assert entry.chain == f"grids.gridnode:{cast.a.node.pk}"
    assert (entry.actor, entry.county_id) == (cast.a.officer, cast.county.pk)
    assert (entry.changes["created"], entry.changes["errors"]) == ([None, 3], [None, 1])
    assert "张三" not in str(entry.changes)


def test_the_trail_and_the_figures_are_sound_afterwards(cast: Cast) -> None:
    bring(cast, as_csv(rows(40)))
    assert not [finding for finding in Check().run() if finding.problem]
    while tallies.refresh_tallies():
        pass
    assert sum(Tally.objects.values_list("registered", flat=True)) == 40
    assert not list(tallies.differences(cast.county))


def test_codes_are_given_once_even_where_many_matters_share_a_day(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    make.make_demand(cast.b.building, code="20200903-000001")
    drawn = iter([1, 2, 2, 3, 2, 1, 4, 5, 6])
    monkeypatch.setattr(importing, "new_matter_code", lambda day: f"{day:%Y%m%d}-{next(drawn):06d}")
    bring(cast, as_csv([row(编号=f"A{n}") for n in range(3)]))
    codes = set(Demand.objects.filter(community=cast.a.node).values_list("code", flat=True))
    assert codes == {"20200903-000002", "20200903-000003", "20200903-000004"}


# --- At once ------------------------------------------------------------------------------------------------------------


def test_whoever_is_overtaken_looks_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    content, give = as_csv(rows(10)), importing._give_codes
    outcomes: list[Outcome] = []

    def overtaken(lines: Any) -> None:
        # Between judging and writing, somebody else imports the same file.
        monkeypatch.setattr(importing, "_give_codes", give)
        outcomes.append(bring(cast, content))
        give(lines)

    monkeypatch.setattr(importing, "_give_codes", overtaken)
    late = bring(cast, content)
    assert (outcomes[0].report.created, late.report.created, late.report.unchanged) == (10, 0, 10)
    assert Demand.objects.count() == DemandEvent.objects.count() == OutboxMessage.objects.count() * 10 == 10


def test_a_place_retired_between_judging_and_writing_gets_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    give = importing._give_codes

    def retire(lines: Any) -> None:
        monkeypatch.setattr(importing, "_give_codes", give)
        GridNode.objects.filter(pk=cast.a.other_building.pk).update(retired_at=timezone.now())
        give(lines)

    monkeypatch.setattr(importing, "_give_codes", retire)
    with pytest.raises(Conflict):
        bring(cast, as_csv([row(地点="2 号楼")]))
    assert not Demand.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_make_each_matter_once() -> None:
    cast = make_cast()
    content, start = as_csv(rows(60)), threading.Barrier(2)
    outcomes: list[Outcome] = []
    broken: list[BaseException] = []

    def one(person: Any) -> None:
        try:
            start.wait()
            outcomes.append(bring(cast, content, actor=fresh(person)))
        except BaseException as error:  # a thread's failure must fail the test
            broken.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(person,)) for person in (cast.a.officer, cast.a.secretary)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not broken
    assert sorted(outcome.report.created for outcome in outcomes) == [0, 60]
    assert sorted(outcome.report.unchanged for outcome in outcomes) == [0, 60]
    assert Demand.objects.count() == DemandEvent.objects.count() == 60
    assert not [finding for finding in Check().run() if finding.problem]


def test_an_import_that_fails_half_way_leaves_nothing(cast: Cast) -> None:
    def fail(outcome: Outcome) -> None:
        raise RuntimeError("the worker died")

    before = everything()
    with pytest.raises(RuntimeError):
        bring(cast, as_csv(rows(10)), written=fail)
    assert everything() == before


# --- Size ---------------------------------------------------------------------------------------------------------------


def statements(work: Any) -> tuple[int, int]:
    """How many statements some work takes: reads, and others."""
    found: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        work()
    reads = sum(sql.startswith("SELECT") for sql in found)
    return reads, len(found) - reads


def test_a_row_costs_a_fraction_of_a_statement(cast: Cast) -> None:
    """What holds for these holds for a hundred thousand: nothing is asked or written row by row."""
    few, many = 500, 6000
    first = as_csv(rows(few, first=1_000_000))
    second = as_csv(rows(many))
    few_reads, _few_writes = statements(lambda: bring(cast, first))
    reads, writes = statements(lambda: bring(cast, second))
    assert Demand.objects.count() == few + many
    # Beside the fixed ones: whether 500 codes, and 500 follow-up codes, are free.
    assert reads <= few_reads + 2 * many / 500
    # Demand, event and audit row together; SQLite takes 24 demands in one statement, PostgreSQL a thousand.
    assert writes <= many / (12 if connection.vendor == "sqlite" else 200)
    again, nothing = statements(lambda: bring(cast, second))
    # The same file again is read beside what stands there, 500 at a time, and writes nothing.
    assert (again <= few_reads + many / 500, nothing) == (True, 0)


# --- Template -----------------------------------------------------------------------------------------------------------


def test_the_template_goes_in_once_it_is_filled(cast: Cast) -> None:
    assert "没有任何数据" in refused(cast, resources.template(), "模板.xlsx")
    book = load_workbook(io.BytesIO(resources.template()))
    sheet = book.worksheets[0]
    assert [str(cell.value).rstrip("*") for cell in sheet[2]] == list(HEADERS[:7])
    for column, value in enumerate(row()[:7], start=1):
        sheet.cell(4, column).value = value
    out = io.BytesIO()
    book.save(out)
    outcome = bring(cast, out.getvalue(), "模板.xlsx")
    assert outcome.report.created == 1
    assert any("示例" in note for note in outcome.report.notes)


# --- The command --------------------------------------------------------------------------------------------------------


def command(file: Path, cast: Cast, *options: str) -> str:
    out = io.StringIO()
    call_command("import_demands", str(file), "--community", cast.a.node.code, *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def good_file(tmp_path: Path) -> Path:
    file = tmp_path / "来件.csv"
    file.write_bytes(as_csv(rows(7)))
    return file


@pytest.fixture
def bad_file(tmp_path: Path) -> Path:
    file = tmp_path / "有错误.csv"
    file.write_bytes(as_csv(bad_table()))
    return file


def test_the_command_imports_in_the_systems_name_and_says_what_it_did(cast: Cast, good_file: Path) -> None:
    said = command(good_file, cast)
    assert "新增 7，以前已导入 0" in said
    assert "答复、转办次数" in said
    assert "环境卫生" in said
    assert Demand.objects.filter(raised_by=None).count() == 7
    assert AuditEntry.objects.get(action="demand.import").actor_kind == "system"
    assert "新增 0，以前已导入 7" in command(good_file, cast)


def test_the_command_in_somebodys_name_has_their_rights(cast: Cast, good_file: Path) -> None:
    with pytest.raises(CommandError):
        command(good_file, cast, "--as", cast.b.officer.phone)
    with pytest.raises(CommandError):
        command(good_file, cast, "--as", "13000000000")
    assert not Demand.objects.exists()
    command(good_file, cast, "--as", cast.a.officer.phone)
    assert Demand.objects.filter(raised_by=cast.a.officer).count() == 7


def test_the_command_writes_nothing_in_a_dry_run(cast: Cast, good_file: Path) -> None:
    before = everything()
    assert "可以新增 7" in command(good_file, cast, "--dry-run")
    assert everything() == before


def test_the_command_fails_on_bad_rows_unless_told_to_keep_the_good(
    cast: Cast, bad_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match="--keep-good"):
        command(bad_file, cast)
    assert not Demand.objects.exists()
    said = command(bad_file, cast, "--keep-good", "--errors", str(tmp_path / "errors.xlsx"))
    assert "第 4 行（编号 A3）“日期”" in said
    assert Demand.objects.count() == 2
    sheet = load_workbook(tmp_path / "errors.xlsx").active
    assert "不存在" in sheet.cell(4, 10).value


def test_the_command_says_what_is_wrong_with_its_arguments(cast: Cast, good_file: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="打不开文件"):
        command(tmp_path / "没有.csv", cast)
    with pytest.raises(CommandError, match="没有编码为"):
        call_command("import_demands", str(good_file), "--community", "999999999999")
    with pytest.raises(CommandError, match="不是社区"):
        call_command("import_demands", str(good_file), "--community", cast.a.building.code)


def test_the_command_refuses_a_forbidden_column_whole(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "来件.csv"
    file.write_bytes(as_csv([[*row(), "x"]], headers=(*HEADERS, "信访人")))
    with pytest.raises(CommandError, match="信访人"):
        command(file, cast, "--keep-good")
    assert not Demand.objects.exists()


def test_refusals_are_errors_of_the_input_for_every_face(cast: Cast) -> None:
    with pytest.raises(Invalid):
        bring(cast, b"x", "x.csv")
