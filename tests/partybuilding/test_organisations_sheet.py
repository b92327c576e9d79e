"""Party organisations by Excel: rows in any order, superiors in the same table, and everything that can be wrong."""

import csv
import datetime
import io
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from core.errors import Forbidden, NotFound
from core.sheets import check, sheet_of
from core.sheets import jobs as sheet_jobs
from grids.actions import retire_node
from partybuilding.models import Member, PartyOrganisation
from tests import factories as make
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.factories import fresh
from tests.partybuilding.test_organisations import sound

pytestmark = pytest.mark.django_db

HEADERS = [
    "党组织名称",
    "类型",
    "所属领域",
    "上级党组织",
    "社区",
    "小区",
    "所在单位",
    "书记",
    "书记手机号码",
    "成立日期",
]


def table(*rows: list[str], headers: list[str] | None = None) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([headers or HEADERS, *[[*row, *[""] * (len(HEADERS) - len(row))] for row in rows]])
    return out.getvalue().encode("utf-8")


def look(cast: Cast, *rows: list[str], **how: Any) -> Any:
    return checked(cast.admin, sheet_of("organisations"), table(*rows), **how)


def figures(job: Any) -> tuple[int, int, int, int]:
    found = job.report["sheet"]
    return found["created"], found["updated"], found["unchanged"], found["bad_rows"]


def faults(job: Any) -> dict[int, tuple[str, str]]:
    return {row: (column, words) for row, column, words, _value in job.report["sheet"]["errors"]}


SOON = (timezone.localdate() + datetime.timedelta(days=9)).isoformat()
ROWS = [
    ["和谐小区党支部", "", "", "中共白龙塘社区委员会", "白龙塘社区", "和谐小区", "", "党员甲", "", "2021-06-30"],
    ["中共白龙塘社区委员会", "党委", "", "城北街道党工委", "白龙塘", ""],
    ["县住建局机关党支部", "", "", "县直机关工委", "", "", "县住建局"],
    ["快递行业联合党支部", "联合党支部", "行业", "县直机关工委"],
    ["城北街道党工委", "", "", ""],
    ["县直机关工委", "", "机关", ""],
]


def test_a_countys_list_goes_in_whatever_the_order_of_its_rows_and_again_changes_nothing(cast: Cast) -> None:
    job = look(cast, *ROWS)
    assert figures(job) == (6, 0, 0, 0), faults(job)
    assert not PartyOrganisation.objects.exists()
    confirmed(cast.admin, job)
    made = {row.name: row for row in PartyOrganisation.objects.select_related("parent", "unit", "node")}
    branch = made["和谐小区党支部"]
    assert (branch.parent, branch.node, branch.kind, branch.domain, branch.secretary) == (
        made["中共白龙塘社区委员会"],
        cast.a.compound,
        "branch",
        "compound",
        cast.a.member,
    )
    assert made["快递行业联合党支部"].domain == "industry"
    assert made["县住建局机关党支部"].unit == cast.a.unit
    assert made["中共白龙塘社区委员会"].parent == made["城北街道党工委"]
    sound(cast.county)
    for update in (False, True):
        assert figures(look(cast, *ROWS, update=update)) == (0, 0, 6, 0)


def test_a_superior_changes_only_when_that_was_asked_for(cast: Cast) -> None:
    confirmed(cast.admin, look(cast, *ROWS))
    moved = ["快递行业联合党支部", "", "", "中共白龙塘社区委员会"]
    job = look(cast, moved)
    assert faults(job)[2][0] == "上级党组织"
    job = look(cast, moved, update=True)
    assert figures(job) == (0, 1, 0, 0)
    confirmed(cast.admin, job)
    assert PartyOrganisation.objects.get(name="快递行业联合党支部").parent.name == "中共白龙塘社区委员会"
    sound(cast.county)


def test_superiors_that_form_a_circle_are_told_by_name(cast: Cast) -> None:
    rows = [
        ["甲党委", "党委", "", "乙党委"],
        ["乙党委", "党委", "", "丙党委"],
        ["丙党委", "党委", "", "甲党委"],
        ["丁党支部", "", "", "甲党委"],
        ["自己的党委", "", "", "自己的党委"],
        ["好的党委", "", "", ""],
    ]
    job = look(cast, *rows)
    wrong = faults(job)
    assert set(wrong) == {2, 3, 4, 5, 6}
    assert "绕成了一圈：甲党委 → 乙党委 → 丙党委 → 甲党委" in wrong[2][1]
    assert "上级那一行有错误" in wrong[5][1]
    confirmed(cast.admin, job, keep_good=True)
    assert [row.name for row in PartyOrganisation.objects.all()] == ["好的党委"]


def test_a_table_may_not_close_a_circle_through_what_stands(cast: Cast) -> None:
    confirmed(cast.admin, look(cast, *ROWS))
    job = look(cast, ["城北街道党工委", "", "", "中共白龙塘社区委员会"], update=True)
    assert "绕成了一圈" in faults(job)[2][1]


def test_what_is_wrong_with_a_row_is_told_with_its_column(cast: Cast) -> None:
    confirmed(cast.admin, look(cast, *ROWS))
    make.make_organisation(cast.county, "停了的党委", kind="committee", is_active=False)
    make.make_member("王芳", cast.a.unit)
    make.make_member("王芳", cast.b.unit)
    retired = make.make_node(cast.empty_community, "compound", "拆了的小区")
    retire_node(actor=cast.admin, node=retired, reason="征收")
    cases: list[tuple[list[str], str, str]] = [
        (["新甲支部", "", "", "中共白龙塘社区委员", "", ""], "上级党组织", "是不是“中共白龙塘社区委员会”"),
        (["新乙支部", "", "", "没影的党委"], "上级党组织", "没有登记"),
        (["新丙支部", "", "", "停了的党委"], "上级党组织", "已停用"),
        (["新丁支部", "", "", "和谐小区党支部"], "上级党组织", "之下不设党支部"),
        (["先锋队", "", "", ""], "类型", "看不出类型"),
        (["新戊支部", "", "", "", "", "", "县委住建局"], "所在单位", "是不是“县住建局”"),
        (["新己支部", "", "", "", "", "", "县住建局（盖章）"], "所在单位", "是不是“县住建局”"),
        (["新庚支部", "", "", "", "白龙塘社区", "", "县住建局"], "所在单位", "只填一个"),
        (["新辛支部", "", "", "", "新民社区", "拆了的小区"], "小区", "撤销"),
        (["新壬支部", "", "", "", "", "", "", "王芳"], "书记手机号码", "2 名党员"),
        (["新癸支部", "", "", "", "", "", "", "没这人"], "书记", "没有登记这名党员"),
        (["新子支部", "", "", "", "", "", "", "", "", SOON], "成立日期", "不能晚于今天"),
        (["停了的党委"], "党组织名称", "已停用"),
        (["新丑小组", "党小组", "", ""], "上级党组织", "要有上级党支部"),
        (["和谐小区党支部"], "", ""),
        (["和谐小区 党支部"], "党组织名称", "重复"),
    ]
    job = look(cast, *[row for row, _column, _words in cases])
    wrong = faults(job)
    for number, (_row, column, words) in enumerate(cases, start=2):
        if column:
            assert number in wrong, _row
            assert wrong[number][0] == column, (wrong[number], _row)
            assert words in wrong[number][1], wrong[number]
        else:
            assert number not in wrong


def test_organisations_are_brought_in_by_the_administrator_alone(cast: Cast) -> None:
    for role in ("a.secretary", "department", "street_officer", "auditor", "a.liaison"):
        person = fresh(cast.people()[role])
        with pytest.raises((Forbidden, NotFound)):
            check(actor=person, sheet=sheet_of("organisations"), content=table(*ROWS), filename="a.csv")


def test_the_ledger_says_what_the_table_asks_for(cast: Cast) -> None:
    confirmed(cast.admin, look(cast, *ROWS))
    branch = PartyOrganisation.objects.get(name="和谐小区党支部")
    Member.objects.filter(pk=cast.a.second_member.pk).update(branch=branch)
    content = sheet_jobs.export(actor=fresh(cast.a.officer), sheet=sheet_of("organisations"), ids=[branch.pk])
    cells = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(content)).active.iter_rows(min_row=4)]  # type: ignore[union-attr]
    assert cells[0][1:] == [
        "和谐小区党支部",
        "党支部",
        "小区",
        "中共白龙塘社区委员会",
        "城北街道 · 白龙塘社区 · 和谐小区",
        None,
        "党员甲",
        "2021年6月30日",
        1,
        "在用",
    ]
