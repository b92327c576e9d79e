"""Check-ins from Excel and back: what a row does, what it may not, and that the ledger's totals are the page's."""

import datetime
import io
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from openpyxl import Workbook, load_workbook

from core.errors import Conflict, Forbidden
from core.models import User
from core.sheets import Outcome, check, sheet_of
from core.sheets.jobs import export
from services.models import UnitCheckIn
from services.selectors.checkins import figures_at
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.weft_factories import make_commitment

HEADERS = [
    "报到单位",
    "报到地",
    "角色",
    "报到日期",
    "协议到期",
    "带来的资源和服务",
    "单位联络员",
    "社区联络员",
    "结束日期",
]
TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)


def book(*rows: list[Any], headers: list[str] | None = None) -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (headers or HEADERS, *rows):
        sheet.append(row)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def checked(
    actor: User, *rows: list[Any], headers: list[str] | None = None, update: bool = False, write: bool = False
) -> Outcome:
    outcome = check(
        actor=fresh(actor),
        sheet=sheet_of("checkins"),
        content=book(*rows, headers=headers),
        filename="报到.xlsx",
        update=update,
    )
    if write:
        assert outcome.goes, faults(outcome)
        outcome.sheet.write(outcome.task, outcome.plan)
    return outcome


def faults(outcome: Outcome) -> list[tuple[str, str]]:
    return [(error.column, error.message) for error in outcome.report.errors]


def counts(outcome: Outcome) -> tuple[int, int, int]:
    return outcome.report.created, outcome.report.updated, outcome.report.unchanged


def row_of(cast: Cast, **fields: Any) -> list[Any]:
    given = {
        "报到单位": "县气象局",
        "报到地": "白龙塘社区",
        "角色": "牵头",
        "报到日期": "2026-03-05",
        "协议到期": "2028-03-05",
        "带来的资源和服务": "科普 4 场",
        "单位联络员": "气象联络员",
        "社区联络员": "书记甲",
        **fields,
    }
    return [given.get(header, "") for header in HEADERS]


def test_a_table_comes_in_and_a_second_time_changes_nothing(cast: Cast) -> None:
    rows = [row_of(cast), row_of(cast, 报到地="白龙塘社区和谐小区", 角色="", 报到日期="", 协议到期="")]
    assert counts(checked(cast.a.officer, *rows, write=True)) == (2, 0, 0)
    made = UnitCheckIn.objects.get(unit=cast.idle_unit, node=cast.a.node)
    assert (made.role, made.start, made.until) == ("lead", datetime.date(2026, 3, 5), datetime.date(2028, 3, 5))
    assert (made.brings, made.unit_liaison, made.community_liaison) == (
        "科普 4 场",
        cast.idle_liaison,
        cast.a.secretary,
    )
    assert made.number == f"610724-2026-{made.pk:05d}"
    assert UnitCheckIn.objects.get(unit=cast.idle_unit, node=cast.a.compound).role == "supporting"
    assert counts(checked(cast.a.officer, *rows)) == (0, 0, 2)


def test_a_difference_is_a_fault_until_asked_to_update(cast: Cast) -> None:
    checked(cast.a.officer, row_of(cast), write=True)
    other = row_of(cast, 角色="配合", 带来的资源和服务="会议室", 社区联络员="两委甲")
    (column, message), *_rest = faults(checked(cast.a.officer, other))
    assert column == "角色" and "角色、带来的资源和服务、社区联络员与系统里不同" in message
    assert counts(checked(cast.a.officer, other, update=True, write=True)) == (0, 1, 0)
    row = UnitCheckIn.objects.get(unit=cast.idle_unit)
    assert (row.role, row.brings, row.community_liaison, row.version) == ("supporting", "会议室", cast.a.officer, 2)


def test_a_row_may_end_a_check_in_and_begin_another(cast: Cast) -> None:
    checked(cast.a.officer, row_of(cast, 协议到期=""), write=True)
    rows = [
        row_of(cast, 协议到期="", 结束日期="2026-06-30"),
        row_of(cast, 报到日期="2026-07-01", 协议到期="", 角色="配合"),
    ]
    assert counts(checked(cast.a.officer, *rows, update=True, write=True)) == (1, 1, 0)
    old, new = UnitCheckIn.objects.filter(unit=cast.idle_unit).order_by("start")
    assert (old.end, new.start, new.end, new.role) == (
        datetime.date(2026, 6, 30),
        datetime.date(2026, 7, 1),
        None,
        "supporting",
    )
    assert counts(checked(cast.a.officer, *rows)) == (0, 0, 2)
    changed = [row_of(cast, 协议到期="", 结束日期="2026-06-30", 角色="配合")]
    assert faults(checked(cast.a.officer, *changed, update=True)) == [("角色", "这项报到已结束，不能修改")]


def test_a_check_in_with_open_promises_is_not_ended_by_a_table(cast: Cast) -> None:
    held = UnitCheckIn.objects.get(unit=cast.a.unit)
    make_commitment(cast.a.unit, cast.a.node, checkin=held)
    row = ["县住建局", "白龙塘社区", "", "", "", "", "", "", TODAY().isoformat()]
    assert faults(checked(cast.a.officer, row, update=True)) == [
        ("结束日期", "还有没有完成的承诺，请到这项报到的页面上结束")
    ]


@pytest.mark.parametrize(
    ("fields", "column", "words"),
    [
        ({"报到单位": "西乡县气象局"}, "报到单位", "是不是“县气象局”"),
        ({"报到单位": "县委气象局"}, "报到单位", "是不是“县气象局”"),
        ({"报到单位": "没有这个局"}, "报到单位", "没有登记"),
        ({"报到地": "城北社区"}, "报到地", ""),
        ({"报到地": "没有的社区"}, "报到地", ""),
        ({"报到地": ""}, "报到地", "请填写报到地"),
        ({"角色": "旁观"}, "角色", "不在可选项里"),
        ({"协议到期": "2026-01-01"}, "协议到期", "不能早于报到日期"),
        ({"结束日期": "2026-01-01"}, "结束日期", "不能早于报到日期"),
        ({"报到日期": "", "协议到期": "", "结束日期": "2026-01-01"}, "报到日期", "请填写报到日期"),
        ({"单位联络员": "联络员甲"}, "单位联络员", "不是这个单位的联络员"),
        ({"社区联络员": "书记乙"}, "社区联络员", "不在这个社区任职"),
    ],
)
def test_what_a_row_may_not_say(cast: Cast, fields: dict[str, str], column: str, words: str) -> None:
    found = faults(checked(cast.a.officer, row_of(cast, **fields)))
    assert [one for one, _message in found] == [column] and words in found[0][1], found


def test_twice_in_a_table_and_twice_at_once(cast: Cast) -> None:
    assert faults(checked(cast.a.officer, row_of(cast), row_of(cast))) == [("", "与第 2 行重复")]
    later = row_of(cast, 报到日期="2026-05-01")
    ((column, message),) = faults(checked(cast.a.officer, row_of(cast), later))
    assert column == "报到日期" and "日期重叠" in message


def test_people_of_one_name_are_told_apart_by_telephone(cast: Cast) -> None:
    twin = make.make_unit_person("气象联络员", cast.idle_unit)
    headers = [*HEADERS, "单位联络员手机"]
    plain = row_of(cast)
    assert faults(checked(cast.a.officer, plain)) == [("单位联络员手机", "有几个人叫这个姓名，请填写手机号码")]
    checked(cast.a.officer, [*plain, twin.phone], headers=headers, write=True)
    assert UnitCheckIn.objects.get(unit=cast.idle_unit).unit_liaison == twin


def test_only_who_keeps_check_ins_brings_them_in(cast: Cast) -> None:
    for person in (cast.department, cast.idle_liaison, cast.a.keeper):
        with pytest.raises(Forbidden):
            checked(person, row_of(cast))


def test_the_ledger_adds_up_to_the_figures(cast: Cast) -> None:
    make.check_in(cast.a.unit, cast.a.compound, "supporting")
    make.check_in(cast.idle_unit, cast.a.node, "supporting", until=TODAY(), brings="科普")
    make.check_in(make.make_unit(cast.county, "县林业局"), cast.a.node, start=TODAY() - 9 * DAY, end=TODAY() - DAY)
    ids = list(
        UnitCheckIn.objects.filter(node__community=cast.a.node).order_by("node__lft", "pk").values_list("pk", flat=True)
    )
    content = export(actor=fresh(cast.a.officer), sheet=sheet_of("checkins"), ids=ids)
    sheet: Any = load_workbook(io.BytesIO(content)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    total = next(row for row in rows if row[0] == "合计")
    here = figures_at(cast.a.node)
    assert (here.units, here.lead, here.supporting) == (3, 1, 2)
    assert total[-3:] == [3, 1, 2], rows
    assert sum(1 for row in rows if "县住建局" in row) == 2
    assert not any(cast.idle_liaison.phone in str(cell) for row in rows for cell in row)


def test_what_changed_since_the_dry_run_is_refused_whole(cast: Cast) -> None:
    outcome = checked(cast.a.officer, row_of(cast), row_of(cast, 报到地="白龙塘社区和谐小区"))
    make.check_in(cast.idle_unit, cast.a.node)
    with pytest.raises(Conflict), transaction.atomic():
        outcome.sheet.write(outcome.task, outcome.plan)
    assert UnitCheckIn.objects.filter(unit=cast.idle_unit).count() == 1
