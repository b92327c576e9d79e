"""Pairings from a county's own table and back to it: what is read, what is refused, what a second time changes."""

import datetime
import io
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from core.errors import Forbidden, NotFound
from core.models import AuditEntry, Job, User
from core.sheets import sheet_of
from core.sheets.jobs import export
from partybuilding.models import Pairing
from tests import factories as make
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.factories import fresh

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)
HEADER = "包联类型,街道,社区,小区,网格,楼栋,单位,姓名,手机号码,包联职责,开始日期,结束日期"


def table(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows]).encode()


def read(person: User, *rows: str, header: str = HEADER, update: bool = False) -> Job:
    return checked(person, sheet_of("pairings"), table(*rows, header=header), name="包联.csv", update=update)


def found(job: Job) -> dict[str, Any]:
    assert job.state == "done", (job.state, job.report)
    return dict(job.report["sheet"])


def faults(job: Job) -> list[tuple[int, str, str]]:
    return [(row, column, words) for row, column, words, _value in found(job)["errors"]]


def bring(person: User, *rows: str, header: str = HEADER, update: bool = False, keep_good: bool = False) -> Job:
    return confirmed(person, read(person, *rows, header=header, update=update), keep_good=keep_good)


def rows(cast: Cast) -> list[str]:
    return [
        "县级领导包联,,白龙塘社区,,,,,县领导,,联系社区,2026-01-05,",
        "部门包抓,,白龙塘社区,和谐小区,,,县住建局,,,牵头整治停车,2026-01-05,",
        ",,城北社区,和谐小区,,,县交通局,,,,2026-01-05,",
        f",,白龙塘,和谐小区,第一网格,2 号楼,县住建局,队长甲,{cast.a.team_lead.phone},,,",
        ",城北街道,白龙塘社区,和谐小区,,,县卫健局,,,,2025-01-05,2025-12-31",
    ]


@pytest.fixture
def leader(cast: Cast) -> User:
    return make.make_cadre("县领导", "county_leader", cast.county)


def test_a_table_is_shown_then_written_and_a_second_time_changes_nothing(cast: Cast, leader: User) -> None:
    check = read(cast.admin, *rows(cast))
    assert not Pairing.objects.exists(), "a dry run writes nothing"
    report = found(check)
    assert (report["created"], report["updated"], report["unchanged"], report["bad_rows"]) == (5, 0, 0, 0), report
    assert report["sample"][0]["name"] == "城北街道 · 白龙塘社区 县领导"
    confirmed(cast.admin, check)
    made = {(str(row.kind), row.holder, row.node.name, row.duty, row.start, row.end) for row in Pairing.objects.all()}
    day = datetime.date(2026, 1, 5)
    assert made == {
        ("leader", "县领导", "白龙塘社区", "联系社区", day, None),
        ("department", "县住建局", "和谐小区", "牵头整治停车", day, None),
        ("department", "县交通局", "和谐小区", "", day, None),
        ("cadre", "队长甲", "2 号楼", "", TODAY(), None),
        ("department", "县卫健局", "和谐小区", "", datetime.date(2025, 1, 5), datetime.date(2025, 12, 31)),
    }
    assert AuditEntry.objects.filter(action="pairing.start").count() == 5
    entry = AuditEntry.objects.get(action="sheet.import")
    assert entry.changes["created"] == [None, 5]
    again = found(bring(cast.admin, *rows(cast)))
    assert (again["created"], again["updated"], again["unchanged"], again["bad_rows"]) == (0, 0, 5, 0), again
    assert Pairing.objects.count() == 5


def test_what_stands_is_changed_only_when_that_was_asked_for(cast: Cast, leader: User) -> None:
    bring(cast.admin, *rows(cast)[:2])
    end = TODAY().isoformat()
    changed = (
        "县级领导包联,,白龙塘社区,,,,,县领导,,联系社区和网格,2026-01-05,",
        f"部门包抓,,白龙塘社区,和谐小区,,,县住建局,,,,2026-01-05,{end}",
        f"部门包抓,,白龙塘社区,和谐小区,,,县水务局,,,,{end},",
    )
    refused = read(cast.admin, *changed)
    assert [(row, column) for row, column, _words in faults(refused)] == [(2, "包联职责"), (3, "结束日期")]
    assert "包联职责与系统里不同" in faults(refused)[0][2]
    job = read(cast.admin, *changed, update=True)
    report = found(job)
    assert (report["created"], report["updated"], report["bad_rows"]) == (1, 2, 0), report
    assert report["sample"][0]["changes"] == [["包联职责", "联系社区", "联系社区和网格"]]
    confirmed(cast.admin, job)
    assert Pairing.objects.get(kind="leader").duty == "联系社区和网格"
    ended, begun = Pairing.objects.filter(kind="department").order_by("pk")
    assert (ended.end, ended.duty, begun.holder, begun.start) == (TODAY(), "牵头整治停车", "县水务局", TODAY())
    same = found(bring(cast.admin, *changed, update=True))
    assert (same["created"], same["updated"], same["unchanged"]) == (0, 0, 3)


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("部门包抓,,白龙塘社区,,,,县住建局,,,,,", "包联类型", "不能到社区"),
        (",,白龙塘社区,,,,县住建局,,,,,", "姓名", "请填写姓名"),
        ("县级领导,,白龙塘社区,,,,,没这个人,,,,", "姓名", "没有这个人的账号"),
        ("领导,,白龙塘社区,,,,,书记甲,13900009999,,,", "手机号码", "还没有账号"),
        ("领导,,白龙塘社区,,,,,书记甲,1390000,,,", "手机号码", "11 位手机号码"),
        ("领导,,白龙塘社区,,,,,王芳,,,,", "手机号码", "有 2 人叫这个姓名"),
        ("部门,,白龙塘社区,和谐小区,,,,书记甲,,,,", "单位", "请填写单位"),
        ("部门,,白龙塘社区,和谐小区,,,县没有局,,,,,", "单位", "没有这个在用的单位"),
        ("部门,,,和谐小区,,,县住建局,,,,,", "小区", "有 2 处叫这个名称"),
        ("部门,,新民社区,和谐小区,,,县住建局,,,,,", "小区", "没有找到“"),
        ("部门,,白龙塘社区,没有小区,,,县住建局,,,,,", "小区", "没有找到“"),
        ("部门,,,,,,县住建局,,,,,", "地点", "请填写地点"),
        (",,白龙塘社区,和谐小区,第一网格,,县住建局,书记甲,,,,", "包联类型", "请填写包联类型"),
        (",城北街道,,,,,,书记甲,,,,", "包联类型", "这一级不设包联"),
        ("部门,,白龙塘社区,和谐小区,,,县住建局,,,,2026-03-05,2026-03-01", "结束日期", "不能早于开始日期"),
        ("部门,,白龙塘社区,和谐小区,,,县住建局,,,,,2020-03-01", "开始日期", "请填写开始日期"),
        ("其他,,白龙塘社区,和谐小区,,,县住建局,,,,,", "包联类型", "不在可选项里"),
    ],
)
def test_a_bad_row_says_in_which_column_and_why(cast: Cast, row: str, column: str, words: str) -> None:
    for _each in range(2):
        make.make_user("王芳", county=cast.county)
    [(number, where, said)] = faults(read(cast.admin, row))
    assert (number, where) == (2, column)
    assert words in said


def test_good_rows_are_kept_without_the_bad_when_that_is_said(cast: Cast) -> None:
    good = "部门,,白龙塘社区,和谐小区,,,县住建局,,,,,"
    bad = "部门,,白龙塘社区,没有小区,,,县住建局,,,,,"
    twice = [good, bad, good]
    assert [(row, words) for row, _column, words in faults(read(cast.admin, *twice))] == [
        (3, "没有找到“白龙塘社区 · 没有小区”，或不在您的管辖范围内"),
        (4, "与第 2 行重复"),
    ]
    report = found(bring(cast.admin, *twice, keep_good=True))
    assert (report["created"], report["written"]) == (1, True)
    assert Pairing.objects.get().holder == "县住建局"


def test_a_place_may_be_given_by_code_or_as_a_whole(cast: Cast) -> None:
    header = "位置,包抓部门,包抓时间"
    made = bring(
        cast.admin,
        f"{cast.a.compound.code},县住建局,2026年3月5日",
        "城北街道/城北社区/和谐小区,县交通局,2026.3.6",
        header=header,
    )
    assert found(made)["created"] == 2
    assert {row.node for row in Pairing.objects.all()} == {cast.a.compound, cast.b.compound}


def test_a_community_brings_in_its_own_places_alone(cast: Cast) -> None:
    report = read(cast.a.officer, *rows(cast)[1:4])
    assert [(row, column) for row, column, _words in faults(report)] == [(3, "小区")]
    assert found(bring(cast.a.officer, *rows(cast)[1:4], keep_good=True))["created"] == 2
    for looker in (cast.a.team_lead, cast.a.keeper, cast.a.liaison, cast.nobody):
        with pytest.raises((Forbidden, NotFound)):
            read(looker, *rows(cast))
    assert Pairing.objects.count() == 2


def test_a_forbidden_column_refuses_the_whole_table(cast: Cast) -> None:
    job = read(cast.admin, "部门,,白龙塘社区,和谐小区,,,县住建局,,,,,,汉族", header=f"{HEADER},民族")
    assert job.state == "failed"
    assert "民族" in str(job.report) + job.error


# --- Going out ------------------------------------------------------------------------------------------------------


def lines(person: User, key: str, ids: list[int]) -> list[list[Any]]:
    book = load_workbook(io.BytesIO(export(actor=fresh(person), sheet=sheet_of(key), ids=ids)))
    assert book.active is not None
    return [list(row) for row in book.active.iter_rows(min_row=4, values_only=True) if isinstance(row[0], int)]


def test_ledgers_say_what_came_of_it_and_mask_telephones(cast: Cast) -> None:
    row = make.make_pairing(cast.a.building, cast.a.team_lead, duty="联系 1 号楼")
    visit = make.make_visit(row, "看了楼道")
    make.make_problem(row, "灯不亮", visit=visit)
    make.make_problem(row, "门坏了", solution="换了", solved_on=TODAY())
    other = make.make_pairing(cast.b.compound, cast.b.unit)
    [line] = lines(cast.a.officer, "pairings", [row.pk, other.pk])
    assert line[1:8] == [
        "城北街道",
        "白龙塘社区",
        "和谐小区 · 第一网格 · 1 号楼",
        "干部包联",
        "队长甲",
        cast.a.team_lead.masked_phone,
        "联系 1 号楼",
    ]
    assert line[10:] == [1, line[11], 2, 1]
    assert len(lines(cast.department, "pairings", [row.pk, other.pk])) == 2
    [been] = lines(cast.a.officer, "pairing_visits", [visit.pk])
    assert been[7:9] == ["看了楼道", "灯不亮"]
    problems = lines(cast.a.officer, "pairing_problems", list(row.problems.order_by("pk").values_list("pk", flat=True)))
    assert [(one[7], one[10]) for one in problems] == [("灯不亮", "未解决"), ("门坏了", "已解决")]
    assert cast.a.team_lead.phone not in str(line)
    assert AuditEntry.objects.filter(action="sheet.export").count() == 4
    with pytest.raises(Forbidden):
        lines(cast.a.keeper, "pairings", [row.pk])


def test_a_big_table_costs_no_more_statements_a_row(cast: Cast, django_assert_max_num_queries: Any) -> None:
    buildings = [make.make_node(cast.a.grid, "building", f"{number} 栋") for number in range(10, 40)]
    lines = [f",,白龙塘社区,和谐小区,第一网格,{node.name},,队长甲,,,," for node in buildings]
    check = read(cast.admin, *lines)
    with django_assert_max_num_queries(75):
        confirmed(cast.admin, check)
    assert Pairing.objects.count() == 30
