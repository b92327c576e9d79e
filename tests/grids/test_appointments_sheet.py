"""Appointments come from Excel and go back to it: begun, ended, handed over, put right; by the county and by communities."""

import datetime
import io
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from core.accounts import deactivate
from core.masking import mask_phone
from core.models import Job, User
from core.sheets import check as read_through
from core.sheets import sheet_of
from core.sheets.jobs import export
from core.spreadsheets import write_template
from grids.actions import retire_node
from grids.models import Appointment
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.core.test_sheets import table
from tests.factories import fresh, make_user, next_phone

pytestmark = pytest.mark.django_db

HEADERS = ("姓名", "手机号码", "岗位", "任职地", "任职日期", "离任日期", "备注")
TODAY = timezone.localdate()
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def keeper(cast: Cast) -> Appointment:
    Appointment.objects.filter(user=cast.a.keeper).update(start="2026-01-05")
    return Appointment.objects.get(user=cast.a.keeper)


def row(
    user: User, post: str, place: Any, start: str = "", end: str = "", note: str = "", phone: Any = None
) -> list[str]:
    where = place if isinstance(place, str) else place.path
    return [user.name, user.phone if phone is None else phone, post, where, start, end, note]


def brought(actor: User, *rows: list[str], update: bool = True, headers: tuple[str, ...] = HEADERS) -> Job:
    check = checked(fresh(actor), sheet_of("appointments"), table(*rows, headers=headers), update=update)
    if check.report["sheet"]["bad_rows"]:
        return check
    return confirmed(fresh(actor), check)


def figures(job: Job) -> tuple[int, int, int]:
    found = job.report["sheet"]
    assert not found["bad_rows"], faults(job)
    return found["created"], found["updated"], found["unchanged"]


def faults(job: Job) -> list[str]:
    return [f"{line} {column} {reason}" for line, column, reason, _value in job.report["sheet"]["errors"]]


def refused(actor: User, words: str, *rows: list[str], update: bool = True) -> None:
    before = list(Appointment.objects.order_by("pk").values())
    job = brought(actor, *rows, update=update)
    assert any(words in one for one in faults(job)), faults(job)
    assert list(Appointment.objects.order_by("pk").values()) == before


def held(user: User) -> list[tuple[str, Any, Any]]:
    rows = Appointment.objects.filter(user=user).order_by("start", "pk")
    return [(one.post, one.start.isoformat(), one.end and one.end.isoformat()) for one in rows]


def test_the_same_table_twice_changes_nothing(cast: Cast, keeper: Appointment) -> None:
    rows = (
        row(cast.nobody, "网格员", cast.a.grid, "2026-03-05", "", "兼"),
        row(cast.nobody, "楼栋长", cast.a.other_building),
        row(cast.a.keeper, "网格员", cast.a.grid, "2026-01-05"),
    )
    first = brought(cast.admin, *rows)
    assert figures(first) == (2, 0, 1)
    assert held(cast.nobody) == [("grid_keeper", "2026-03-05", None), ("building_head", TODAY.isoformat(), None)]
    assert figures(brought(cast.admin, *rows)) == (0, 0, 3)


def test_posts_and_places_are_read_as_people_write_them(cast: Cast) -> None:
    headers = ("姓名", "手机", "职务", "社区", "小区", "网格", "楼栋", "任职时间")
    rows = (
        [cast.nobody.name, cast.nobody.phone, "楼长", "白龙塘", "和谐小区", "第1网格", "2", "2026/3/5"],
        [cast.a.officer.name, cast.a.officer.phone, "县领导", "", "", "", "", ""],
    )
    assert figures(brought(cast.admin, *rows, headers=headers)) == (2, 0, 0)
    assert Appointment.objects.get(user=cast.nobody).node == cast.a.other_building
    assert Appointment.objects.get(user=cast.a.officer, post="county_leader").county == cast.county


def test_ending_needs_the_switch_and_shows_before_and_after(cast: Cast, keeper: Appointment) -> None:
    leaving = row(cast.a.keeper, "网格员", cast.a.grid, "", "2026-03-05", "调离")
    refused(cast.admin, "请勾选“更新已有的内容”", leaving, update=False)
    check = checked(fresh(cast.admin), sheet_of("appointments"), table(leaving, headers=HEADERS), update=True)
    changes = check.report["sheet"]["sample"][0]["changes"]
    assert changes == [["离任日期", "", "2026年3月5日"], ["备注", "", "调离"]]
    assert figures(confirmed(fresh(cast.admin), check)) == (0, 1, 0)
    keeper.refresh_from_db()
    assert (keeper.end, keeper.note, keeper.version) == (datetime.date(2026, 3, 5), "调离", 2)
    # Again, and again without its dates: nothing is undone by an empty cell.
    assert figures(brought(cast.admin, leaving)) == (0, 0, 1)
    assert figures(brought(cast.admin, row(cast.a.keeper, "网格员", cast.a.grid, "2026-01-05"))) == (0, 0, 1)


def test_one_leaves_and_another_comes_on_the_same_day(cast: Cast, keeper: Appointment) -> None:
    rows = (
        row(cast.a.keeper, "网格员", cast.a.grid, "2026-01-05", "2026-03-05"),
        row(cast.nobody, "网格员", cast.a.grid, "2026-03-05"),
    )
    job = brought(cast.admin, *rows)
    assert figures(job) == (1, 1, 0)
    assert "按交接办理" in str(job.report)
    assert held(cast.a.keeper) == [("grid_keeper", "2026-01-05", "2026-03-04")]
    assert held(cast.nobody) == [("grid_keeper", "2026-03-05", None)]
    assert figures(brought(cast.admin, *rows)) == (0, 0, 2)


def test_nobody_stands_at_both_ends_of_a_handover(cast: Cast, keeper: Appointment) -> None:
    leaving = row(cast.a.keeper, "网格员", cast.a.grid, "2026-01-05", "2026-03-05")
    for start in ("2026-03-05", "2026-03-06"):
        refused(
            cast.admin,
            "第 2 行让网格员甲离任，这一行又让本人接任",
            leaving,
            row(cast.a.keeper, "网格员", cast.a.grid, start),
        )
    # Coming back later is no handover.
    assert figures(brought(cast.admin, leaving, row(cast.a.keeper, "网格员", cast.a.grid, "2026-06-01"))) == (1, 1, 0)


def test_a_wrong_day_is_put_right(cast: Cast, keeper: Appointment) -> None:
    assert figures(brought(cast.admin, row(cast.a.keeper, "网格员", cast.a.grid, "2025-12-01"))) == (0, 1, 0)
    assert held(cast.a.keeper) == [("grid_keeper", "2025-12-01", None)]


def test_past_terms_come_in_beside_the_one_that_runs(cast: Cast, keeper: Appointment) -> None:
    old = row(cast.a.keeper, "网格员", cast.a.grid, "2021-01-01", "2023-12-31")
    assert figures(brought(cast.admin, old, update=False)) == (1, 0, 0)
    assert held(cast.a.keeper) == [("grid_keeper", "2021-01-01", "2023-12-31"), ("grid_keeper", "2026-01-05", None)]
    refused(
        cast.admin,
        "几段任职与这一行重叠",
        row(cast.a.keeper, "网格员", cast.a.grid, "2022-01-01", "2026-02-01"),
    )


def test_who_is_in_post_is_found_without_a_telephone_or_with_a_masked_one(cast: Cast, keeper: Appointment) -> None:
    masked = row(cast.a.keeper, "网格员", cast.a.grid, "", "2026-03-05", phone=mask_phone(cast.a.keeper.phone))
    assert figures(brought(cast.a.officer, masked)) == (0, 1, 0)
    assert figures(brought(cast.a.officer, row(cast.a.keeper, "网格员", cast.a.grid, phone=""))) == (1, 0, 0)
    refused(cast.a.officer, "新任命的请填写完整的手机号码", row(cast.nobody, "网格员", cast.a.grid, phone=""))


@pytest.mark.parametrize(
    ("post", "place", "start", "end", "words"),
    [
        ("网格员", "1 号楼", "", "", "有 2 处叫这个名称"),
        ("网格员", "没有的地方", "", "", "没有找到这个地方"),
        ("网格员", "", "", "", "请填写任职地"),
        ("楼栋长", "城北街道 · 白龙塘社区 · 和谐小区 · 第一网格", "", "", "是网格，不设楼栋长"),
        ("县级领导", "城北街道", "", "", "县级岗位，不填任职地"),
        ("局长", "城北街道", "", "", "不在可选项里"),
        ("网格员", "城北街道 · 白龙塘社区 · 和谐小区 · 第一网格", "2026-03-05", "2026-03-04", "不能早于任职日期"),
        ("网格员", "城北街道 · 白龙塘社区 · 和谐小区 · 第一网格", "某日", "", "任职日期"),
    ],
)
def test_bad_rows_are_told_with_row_and_column(
    cast: Cast, post: str, place: str, start: str, end: str, words: str
) -> None:
    good = row(cast.nobody, "网格员", cast.b.grid)
    refused(cast.admin, words, good, row(cast.nobody, post, place, start, end))


def test_a_person_is_beyond_doubt_or_the_row_is_refused(cast: Cast) -> None:
    grid = cast.a.grid
    refused(cast.admin, "还没有账号", row(cast.nobody, "网格员", grid, phone=next_phone()))
    refused(cast.admin, "属于别人", row(cast.nobody, "网格员", grid, phone=cast.a.keeper.phone))
    refused(cast.admin, "属于别人", row(cast.other_county_secretary, "网格员", grid))
    refused(cast.admin, "11 位手机号码", row(cast.nobody, "网格员", grid, phone="123"))
    refused(
        cast.admin, "与第 2 行重复", row(cast.nobody, "网格员", grid), row(cast.nobody, "网格员", grid, "2026-03-05")
    )
    refused(cast.admin, "自己的任职", row(cast.admin, "县委组织部", ""))
    refused(cast.admin, "不能由同一人担任", row(cast.auditor, "县级管理员", ""))
    deactivate(actor=cast.admin, user=cast.nobody, reason="调离")
    refused(cast.admin, "已停用", row(cast.nobody, "网格员", grid))


def test_a_community_brings_in_what_lies_below_it_and_learns_nothing_else(cast: Cast) -> None:
    officer = cast.a.officer
    assert figures(brought(officer, row(cast.nobody, "网格员", cast.a.grid))) == (1, 0, 0)
    for post, place in (("网格员", cast.b.grid), ("社区“两委”干部", cast.a.node), ("街道干部", cast.street)):
        refused(officer, "没有找到这个地方", row(cast.nobody, post, place))
    refused(officer, "由县级管理员任命", row(cast.nobody, "县级干部", ""))
    # A telephone with an account of somebody else and one with none are answered alike.
    told = {
        faults(brought(officer, row(cast.nobody, "楼栋长", cast.a.building, phone=phone)))[0]
        for phone in (next_phone(), cast.b.keeper.phone, cast.other_county_admin.phone)
    }
    assert len(told) == 1


def test_a_retired_place_takes_nobody(cast: Cast) -> None:
    retire_node(actor=cast.admin, node=cast.a.other_building, reason="已拆除")
    refused(cast.admin, "撤销", row(cast.nobody, "楼栋长", cast.a.other_building))


def test_two_imports_at_once_appoint_once(cast: Cast) -> None:
    rows = [row(cast.nobody, "网格员", cast.a.grid)]
    first, second = (
        checked(fresh(actor), sheet_of("appointments"), table(*rows, headers=HEADERS))
        for actor in (cast.admin, cast.a.officer)
    )
    assert figures(confirmed(fresh(cast.admin), first)) == (1, 0, 0)
    assert figures(confirmed(fresh(cast.a.officer), second)) == (0, 0, 1)
    assert Appointment.objects.filter(user=cast.nobody).count() == 1


def test_hundreds_of_rows_cost_a_fixed_number_of_queries(cast: Cast, django_assert_max_num_queries: Any) -> None:
    people = [make_user(f"人{number}", county=cast.county) for number in range(250)]
    rows = [row(user, "网格员", cast.a.grid, "2026-03-05") for user in people]
    content = table(*rows, headers=HEADERS)

    with django_assert_max_num_queries(30):
        outcome = read_through(
            actor=fresh(cast.admin), sheet=sheet_of("appointments"), content=content, filename="任职.csv"
        )
    assert outcome.report.created == 250


def test_the_ledger_goes_out_masked_and_within_scope(cast: Cast, keeper: Appointment) -> None:
    strange = Appointment.objects.get(user=cast.b.keeper)
    content = export(actor=cast.a.officer, sheet=sheet_of("appointments"), ids=[keeper.pk, strange.pk])
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    rows = [list(cells) for cells in sheet.iter_rows(values_only=True)]
    assert "任职台账" in str(rows[0])
    assert rows[3][1:9] == [
        "网格员甲",
        mask_phone(cast.a.keeper.phone),
        "网格员",
        "城北街道",
        "白龙塘社区",
        "和谐小区 · 第一网格",
        "2026年1月5日",
        None,
    ]
    assert "网格员乙" not in str(rows)
    assert cast.a.keeper.phone not in str(rows)


def test_the_template_has_the_columns_of_the_list(cast: Cast) -> None:
    sheet = sheet_of("appointments")
    content = write_template(sheet.columns(cast.county), title="任职", notes=sheet.notes(cast.county))
    page = load_workbook(io.BytesIO(content)).active
    assert page is not None
    assert HEADERS in [
        tuple(str(cell).strip("*") for cell in cells if cell) for cells in page.iter_rows(values_only=True)
    ]
