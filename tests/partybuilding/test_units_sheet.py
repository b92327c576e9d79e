"""Units by Excel: in as counties keep them, out as a ledger."""

import csv
import io
from typing import Any

import pytest
from openpyxl import load_workbook

from core.errors import Forbidden, NotFound
from core.models import AuditEntry
from core.sheets import check, sheet_of
from core.sheets import jobs as sheet_jobs
from partybuilding.actions import update_unit
from partybuilding.models import Unit
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.factories import fresh

HEADERS = ["单位名称", "简称", "单位类型", "统一社会信用代码", "地址", "主要职责"]
CODE, OTHER = "91350100M000100Y43", "91110108551385082Q"


def table(*rows: list[str], headers: list[str] | None = None) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([headers or HEADERS, *rows])
    return out.getvalue().encode("gb18030")


def bring(cast: Cast, *rows: list[str], headers: list[str] | None = None, **how: Any) -> Any:
    check = checked(cast.admin, sheet_of("units"), table(*rows, headers=headers), **how)
    found = check.report["sheet"]
    figures = (found["created"], found["updated"], found["unchanged"], found["bad_rows"])
    return check, figures


def test_a_countys_own_list_of_units_goes_in_and_the_same_again_changes_nothing(cast: Cast) -> None:
    headers = ["序号", "单位全称", "单位性质", "信用代码", "职能"]
    rows = [
        ["1", "县统计局", "机关", "", "统计"],
        ["2", "城北小学", "学校", "", ""],
        ["3", "恒兴公司", "民企", CODE.lower(), ""],
    ]
    check, figures = bring(cast, *rows, headers=headers)
    assert figures == (3, 0, 0, 0)
    confirmed(cast.admin, check)
    made = {
        unit.name: (unit.kind, unit.credit_code, unit.duty)
        for unit in Unit.objects.filter(name__in=[row[1] for row in rows])
    }
    assert made == {
        "县统计局": ("department", "", "统计"),
        "城北小学": ("school", "", ""),
        "恒兴公司": ("company", CODE, ""),
    }
    assert AuditEntry.objects.filter(action="unit.create").count() == 3
    for update in (False, True):
        assert bring(cast, *rows, headers=headers, update=update)[1] == (0, 0, 3, 0)


def test_the_domain_is_read_in_a_countys_own_words_or_goes_with_the_kind(cast: Cast) -> None:
    headers = ["单位名称", "单位类型", "领域"]
    rows = [["城北小学", "学校", ""], ["恒兴公司", "民企", "产业园区"], ["快递协会", "协会", "新业态"]]
    check, figures = bring(cast, *rows, headers=headers)
    assert figures == (3, 0, 0, 0), check.report
    confirmed(cast.admin, check)
    made = dict(Unit.objects.filter(name__in=[row[0] for row in rows]).values_list("name", "domain"))
    assert made == {"城北小学": "school", "恒兴公司": "park", "快递协会": "industry"}
    assert bring(cast, *rows, headers=headers)[1] == (0, 0, 3, 0)
    other = ["恒兴公司", "国企", ""]
    assert bring(cast, other, headers=headers)[1] == (0, 0, 0, 1)
    check, figures = bring(cast, other, ["城北小学", "", "军营"], headers=headers, update=True)
    assert figures == (0, 1, 0, 1)
    confirmed(cast.admin, check, keep_good=True)
    company = Unit.objects.get(name="恒兴公司")
    assert (company.kind, company.domain) == ("state_company", "park")


def test_what_stands_is_filled_in_freely_and_changed_only_on_request(cast: Cast) -> None:
    fill = [cast.a.unit.name, "住建局", "", CODE, "", "物业管理"]
    check, figures = bring(cast, fill)
    assert figures == (0, 1, 0, 0)
    confirmed(cast.admin, check)
    cast.a.unit.refresh_from_db()
    assert (cast.a.unit.short_name, cast.a.unit.credit_code) == ("住建局", CODE)
    other = [cast.a.unit.name, "住建", "事业单位", "", "", ""]
    check, figures = bring(cast, other)
    assert figures == (0, 0, 0, 1)
    assert "简称、单位类型" in check.report["sheet"]["errors"][0][2]
    check, figures = bring(cast, other, update=True)
    assert figures == (0, 1, 0, 0)
    confirmed(cast.admin, check)
    cast.a.unit.refresh_from_db()
    assert (cast.a.unit.short_name, cast.a.unit.kind, cast.a.unit.duty) == ("住建", "institution", "物业管理")


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (["", "", "", "", "", ""], "单位名称", "必填"),
        (["县统计局", "", "外星单位", "", "", ""], "单位类型", "可选"),
        (["县统计局", "", "", "91350100M000100Y44", "", ""], "统一社会信用代码", "校验不通过"),
        (["县统计局", "", "", OTHER, "", ""], "统一社会信用代码", "别的单位"),
        (["县住建局", "", "", "", "", ""], "单位名称", "与第 2 行重复"),
        (["县气象局", "", "", "", "", ""], "单位名称", "已停用"),
        (["县统计局", "一" * 21, "", "", "", ""], "简称", "20"),
    ],
)
def test_a_bad_row_is_told_with_its_column_and_reason(cast: Cast, row: list[str], column: str, words: str) -> None:
    update_unit(actor=cast.admin, unit=cast.b.unit, credit_code=OTHER)
    update_unit(actor=cast.admin, unit=cast.idle_unit, is_active=False)
    before = Unit.objects.count()
    check, figures = bring(
        cast,
        ["县住建局", "", "", "", "", ""],
        ["x" if not row[0] else row[0], *row[1:]] if row[0] else ["", "x", *row[2:]],
    )
    assert figures[3] == 1
    ((number, header, reason, _value),) = check.report["sheet"]["errors"]
    assert (number, header) == (3, column)
    assert words in reason
    assert Unit.objects.count() == before


@pytest.mark.parametrize("role", ["a.secretary", "department", "street_officer", "auditor", "a.liaison"])
def test_units_are_brought_in_by_the_administrator_alone(cast: Cast, role: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        check(actor=fresh(cast.people()[role]), sheet=sheet_of("units"), content=table(["x"] * 6), filename="a.csv")


def test_the_same_name_next_door_is_another_unit(cast: Cast) -> None:
    content = table(["县住建局", "", "", "", "", ""])
    found = check(actor=fresh(cast.other_county_admin), sheet=sheet_of("units"), content=content, filename="a.csv")
    assert found.report.created == 1


def test_the_ledger_counts_who_acts_for_each_unit(cast: Cast) -> None:
    ids = [cast.a.unit.pk, cast.idle_unit.pk, 10**9]
    content = sheet_jobs.export(actor=fresh(cast.a.officer), sheet=sheet_of("units"), ids=ids)
    cells = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(content)).active.iter_rows(min_row=4)]  # type: ignore[union-attr]
    assert [(row[1], row[3], row[4], row[8], row[9]) for row in cells[:2]] == [
        ("县住建局", "机关单位", "机关", 2, "在用"),
        ("县气象局", "机关单位", "机关", 1, "在用"),
    ]
