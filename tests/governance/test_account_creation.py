"""Accounts for cadres, liaisons and members: one by one, and by a table."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from core import policies
from core.accounts import deactivate
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import Job, User
from core.spreadsheets import Report
from governance.accounts import imports
from governance.accounts.actions import create_cadre_account, create_liaison_account, create_member_account
from governance.accounts.sheets import SHEETS, template_of
from grids.models import Appointment
from partybuilding.models import Member, UnitMembership
from tests.cast import Cast
from tests.factories import fresh, make_member, make_user
from tests.governance.tables import HEADERS, book, everything

PHONE = "13612345678"


def checked(cast: Cast, kind: str, *rows: list[Any], actor: User | None = None, **how: Any) -> imports.Checked:
    content = book(kind, *rows, **how)
    return imports.check(
        actor=actor or cast.admin, county=cast.county, kind=kind, content=content, filename="人员.xlsx"
    )


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.bad_rows


# --- One by one -----------------------------------------------------------------------------------------------------


def test_a_cadre_gets_account_and_post_in_one_step(cast: Cast) -> None:
    given = create_cadre_account(
        actor=cast.admin, phone=PHONE, name="张三", post="community_officer", place=cast.a.node
    )
    assert given.password is not None
    user = User.objects.get(phone=PHONE)
    assert user.check_password(given.password)
    assert user.must_change_password
    assert policies.sees(user, cast.a.building)
    assert not policies.sees(user, cast.b.building)


def test_a_liaison_gets_account_and_unit_and_a_member_is_registered_with_theirs(cast: Cast) -> None:
    create_liaison_account(actor=cast.admin, phone=PHONE, name="李四", unit=cast.a.unit)
    assert policies.sees(User.objects.get(phone=PHONE), cast.a.unit)
    given = create_member_account(
        actor=cast.admin, county=cast.county, phone="13612345679", name="王五", unit=cast.a.unit
    )
    member = Member.objects.get(phone="13612345679")
    assert (member.user, member.unit) == (given.user, cast.a.unit)


def test_somebody_known_keeps_their_account_and_password(cast: Cast) -> None:
    before = cast.a.officer.password
    given = create_cadre_account(
        actor=cast.admin,
        phone=cast.a.officer.phone,
        name=cast.a.officer.name,
        post="community_officer",
        place=cast.b.node,
    )
    assert (given.user, given.password) == (cast.a.officer, None)
    cast.a.officer.refresh_from_db()
    assert cast.a.officer.password == before
    assert policies.sees(fresh(cast.a.officer), cast.b.node)
    registered = make_member("赵六", cast.a.unit, account=False)
    given = create_member_account(actor=cast.admin, county=cast.county, phone=registered.phone, name="赵六")
    registered.refresh_from_db()
    assert registered.user == given.user
    assert registered.unit == cast.a.unit


def test_a_refused_post_leaves_no_account_behind(cast: Cast) -> None:
    before = everything()
    for wrong in ({"post": "street_officer"}, {"post": "no_such_post"}, {"phone": "123"}, {"name": ""}):
        with pytest.raises(Invalid):
            create_cadre_account(
                **{
                    "actor": cast.admin,
                    "phone": PHONE,
                    "name": "张三",
                    "post": "community_officer",
                    "place": cast.a.node,
                    **wrong,
                }
            )
    with pytest.raises(Conflict, match="属于别人"):
        create_cadre_account(
            actor=cast.admin, phone=cast.b.officer.phone, name="张三", post="community_officer", place=cast.a.node
        )
    with pytest.raises(Conflict):
        create_member_account(actor=cast.admin, county=cast.county, phone=cast.a.member.phone, name="别人")
    deactivate(actor=cast.admin, user=cast.nobody, reason="调离")
    with pytest.raises(Invalid, match="已停用"):
        create_liaison_account(actor=cast.admin, phone=cast.nobody.phone, name=cast.nobody.name, unit=cast.a.unit)
    assert everything()[:4] == before[:4]


def test_only_the_countys_administrator_makes_accounts(cast: Cast) -> None:
    before = everything()
    content = book("cadres", ["张三", PHONE, "网格员", cast.a.grid.code, ""])
    for actor in cast.people().values():
        if actor == cast.admin:
            continue
        for attempt in (
            lambda actor=actor: create_cadre_account(
                actor=actor, phone=PHONE, name="张三", post="grid_keeper", place=cast.a.grid
            ),
            lambda actor=actor: create_liaison_account(actor=actor, phone=PHONE, name="张三", unit=cast.a.unit),
            lambda actor=actor: create_member_account(actor=actor, county=cast.county, phone=PHONE, name="张三"),
            lambda actor=actor: imports.check(
                actor=actor, county=cast.county, kind="cadres", content=content, filename="a.xlsx"
            ),
            lambda actor=actor: imports.start(
                actor=actor, county=cast.county, kind="cadres", file=SimpleUploadedFile("a.xlsx", content)
            ),
        ):
            with pytest.raises((Forbidden, NotFound)):
                attempt()
    assert everything() == before
    assert not Job.objects.exists()


# --- By a table -----------------------------------------------------------------------------------------------------


def test_a_dry_run_counts_and_writes_nothing(cast: Cast) -> None:
    before = everything()
    found = checked(
        cast,
        "cadres",
        ["张三", PHONE, "网格员", cast.a.grid.code, "2026-03-05"],
        ["书记甲", cast.a.secretary.phone, "社区党组织书记", "城北社区", ""],
        ["书记乙", cast.b.secretary.phone, "社区党组织书记", "城北社区", ""],
        ["王五", "12345", "网格员", cast.a.grid.code, ""],
    )
    assert counts(found.report) == (1, 1, 1, 1)
    assert found.report.total == 4
    assert everything() == before


def test_places_are_found_by_code_path_or_name_of_a_community(cast: Cast) -> None:
    rows = [
        ["甲", "13612340001", "网格员", cast.a.grid.code, ""],
        ["乙", "13612340002", "楼栋长", "城北街道·白龙塘社区·和谐小区·第一网格·2 号楼", ""],
        ["丙", "13612340003", "楼栋长", "城北街道/城北社区/和谐小区/第一网格/2 号楼", ""],
        ["丁", "13612340004", "社区党组织书记", "新民社区", ""],
        ["戊", "13612340005", "街道干部", "城南街道", ""],
        ["己", "13612340006", "县委组织部", "", ""],
    ]
    found = checked(cast, "cadres", *rows)
    assert found.report.errors == []
    imports.write(actor=cast.admin, checked=found)
    held = {row.user.name: row.place for row in Appointment.objects.filter(user__phone__startswith="1361234")}
    assert held == {
        "甲": cast.a.grid.path,
        "乙": cast.a.other_building.path,
        "丙": cast.b.other_building.path,
        "丁": cast.empty_community.path,
        "戊": cast.other_street.path,
        "己": "西乡县",
    }


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (["", PHONE, "网格员", "第一网格", ""], "姓名", "必填"),
        (["张三", "12345", "网格员", "610724001001001001", ""], "手机号码", "11 位"),
        (["张三", PHONE, "大总管", "白龙塘社区", ""], "岗位", "可选项"),
        (["张三", PHONE, "网格员", "", ""], "任职地", "请填写"),
        (["张三", PHONE, "网格员", "第一网格", ""], "任职地", "有 2 处"),
        (["张三", PHONE, "网格员", "城关社区", ""], "任职地", "没有找到"),
        (["张三", PHONE, "街道干部", "白龙塘社区", ""], "岗位", "不设街道干部"),
        (["张三", PHONE, "县委组织部", "白龙塘社区", ""], "任职地", "不用填"),
        (["张三", PHONE, "社区党组织书记", "白龙塘社区", "不知道"], "任职日期", ""),
    ],
)
def test_a_bad_row_of_cadres_is_told_with_its_column_and_reason(
    cast: Cast, row: list[str], column: str, words: str
) -> None:
    found = checked(cast, "cadres", ["好人", "13612340001", "社区党组织书记", "白龙塘社区", ""], row)
    (error,) = found.report.errors
    assert (error.row, error.column) == (3, column)
    assert words in error.message
    assert [person.name for person in found.plan.rows] == ["好人"]


def test_people_who_contradict_one_another_or_what_stands_are_refused(cast: Cast) -> None:
    deactivate(actor=cast.admin, user=cast.nobody, reason="调离")
    far = make_user("远人", county=cast.other_county)
    found = checked(
        cast,
        "cadres",
        ["张三", PHONE, "社区党组织书记", "白龙塘社区", ""],
        ["李四", PHONE, "社区党组织书记", "城北社区", ""],
        ["张三", PHONE, "社区党组织书记", "白龙塘社区", ""],
        ["别人", cast.a.officer.phone, "社区党组织书记", "白龙塘社区", ""],
        [cast.nobody.name, cast.nobody.phone, "社区党组织书记", "白龙塘社区", ""],
        [far.name, far.phone, "社区党组织书记", "白龙塘社区", ""],
        [cast.auditor.name, cast.auditor.phone, "县级管理员", "", ""],
        [cast.admin.name, cast.admin.phone, "县委组织部", "", ""],
    )
    messages = {error.row: error.message for error in found.report.errors}
    assert set(messages) == {3, 4, 5, 6, 7, 8, 9}
    assert "姓名却不同" in messages[3]
    assert "与第 2 行重复" in messages[4]
    assert "属于别人" in messages[5]
    assert "已停用" in messages[6]
    assert "属于别人" in messages[7]
    assert "同一人担任" in messages[8]
    assert "另一位管理员" in messages[9]
    assert cast.a.officer.phone not in str(found.report.as_dict())


def test_one_person_with_two_posts_gets_one_account_and_one_slip(cast: Cast) -> None:
    found = checked(
        cast,
        "cadres",
        ["张三", PHONE, "网格员", cast.a.grid.code, ""],
        ["张三", PHONE, "楼栋长", cast.a.other_building.code, ""],
    )
    (slip,) = imports.write(actor=cast.admin, checked=found)
    user = User.objects.get(phone=PHONE)
    assert slip.password is not None
    assert user.check_password(slip.password)
    assert user.appointments.count() == 2
    assert "网格员" in slip.what
    assert "楼栋长" in slip.what


@pytest.mark.parametrize("kind", ["cadres", "liaisons", "members"])
def test_the_same_table_twice_creates_nothing_new(cast: Cast, kind: str) -> None:
    rows = {
        "cadres": [["张三", PHONE, "网格员", cast.a.grid.code, ""]],
        "liaisons": [["张三", PHONE, "县住建局", ""], ["李四", "13612345679", "县水务局", "工作人员"]],
        "members": [["张三", PHONE, "县住建局", "", ""], ["李四", "13612345679", "", "", "否"]],
    }[kind]
    first = checked(cast, kind, *rows)
    assert counts(first.report) == (len(rows), 0, 0, 0)
    assert imports.write(actor=cast.admin, checked=first)
    before = everything()
    second = checked(cast, kind, *rows)
    assert counts(second.report) == (0, 0, len(rows), 0)
    assert imports.write(actor=cast.admin, checked=second) == []
    assert everything() == before


def test_liaisons_are_added_to_units_by_name_or_short_name(cast: Cast) -> None:
    cast.a.unit.short_name = "住建局"
    cast.a.unit.save()
    found = checked(
        cast,
        "liaisons",
        ["张三", PHONE, "住建局", "工作人员"],
        ["李四", "13612345679", "县统计局", ""],
        [cast.a.liaison.name, cast.a.liaison.phone, "县住建局", "工作人员"],
        [cast.b.liaison.name, cast.b.liaison.phone, "县住建局", "联络员"],
    )
    assert counts(found.report) == (1, 1, 0, 2)
    assert {error.row: error.column for error in found.report.errors} == {3: "单位", 4: "角色"}
    imports.write(actor=cast.admin, checked=found)
    acting = UnitMembership.objects.get(user__phone=PHONE)
    assert (acting.unit, acting.role) == (cast.a.unit, "staff")
    assert policies.sees(fresh(cast.b.liaison), cast.a.unit)


def test_members_are_registered_linked_or_left_without_account_as_asked(cast: Cast) -> None:
    known = make_member("赵六", cast.a.unit, account=False)
    cadre = cast.a.officer
    found = checked(
        cast,
        "members",
        ["张三", PHONE, "县住建局", "", "是"],
        ["李四", "13612345679", "县住建局", "", "否"],
        ["赵六", known.phone, "", "", ""],
        [cadre.name, cadre.phone, "", "", ""],
        ["改名", cast.a.member.phone, "", "", ""],
        ["钱七", "13612345680", "无此单位", "", ""],
    )
    assert counts(found.report) == (3, 1, 0, 2)
    slips = imports.write(actor=cast.admin, checked=found)
    users = {member.name: member.user for member in Member.objects.filter(county=cast.county)}
    assert users["张三"] is not None
    assert users["张三"].phone == PHONE
    assert users["李四"] is None
    assert users["赵六"] is not None
    assert users[cadre.name] == cadre
    assert {slip.name: slip.password is not None for slip in slips} == {"张三": True, "赵六": True, cadre.name: False}


def test_a_member_roster_may_say_that_they_are_members_and_no_table_may_say_more(cast: Cast) -> None:
    row = ["张三", PHONE, "中共党员"]
    found = checked(cast, "members", row, headers=["姓名", "手机号码", "政治面貌"])
    assert found.report.errors == []
    assert list(found.report.ignored_columns) == ["政治面貌"]
    for kind, header in (("cadres", "政治面貌"), ("members", "民族"), ("members", "身份证号")):
        headers = ["姓名", "手机号码", header, *HEADERS[kind][2:]]
        with pytest.raises(Invalid, match="不能导入"):
            checked(cast, kind, row, headers=headers)


def test_a_hundred_people_cost_few_statements(cast: Cast, django_assert_max_num_queries: Any) -> None:
    rows = [[f"人{n}", f"1361234{n:04}", "楼栋长", cast.a.other_building.code, ""] for n in range(100)]
    assert cast.admin.is_staff
    with django_assert_max_num_queries(16):
        found = checked(cast, "cadres", *rows)
    with django_assert_max_num_queries(20):
        imports.write(actor=cast.admin, checked=found)
    assert Appointment.objects.filter(node=cast.a.other_building).count() == 100


def test_what_changed_since_the_check_stops_the_whole_import(cast: Cast) -> None:
    found = checked(
        cast,
        "cadres",
        ["张三", PHONE, "网格员", cast.a.grid.code, ""],
        ["李四", "13612345679", "网格员", cast.a.grid.code, ""],
    )
    make_user("先来的人", county=cast.county, phone=PHONE)
    before = everything()
    with pytest.raises(Conflict):
        imports.write(actor=cast.admin, checked=found)
    assert everything() == before


@pytest.mark.parametrize("kind", sorted(SHEETS))
def test_the_template_comes_back_filled_in_and_its_example_is_skipped(cast: Cast, kind: str) -> None:
    sheet = load_workbook(io.BytesIO(template_of(SHEETS[kind], cast.county)))
    page = sheet.worksheets[0]
    headers = [str(cell.value).rstrip("*") for cell in page[2]]
    assert headers == HEADERS[kind]
    values = {"姓名": "张三", "手机号码": PHONE, "岗位": "网格员", "任职地": cast.a.grid.code, "单位": "县住建局"}
    for index, header in enumerate(headers, start=1):
        page.cell(4, index).value = values.get(header)
    out = io.BytesIO()
    sheet.save(out)
    found = imports.check(actor=cast.admin, county=cast.county, kind=kind, content=out.getvalue(), filename="模板.xlsx")
    assert counts(found.report) == (1, 0, 0, 0)


def test_the_template_offers_the_posts_of_the_countys_levels(cast: Cast) -> None:
    cast.county.levels.filter(key="sector").delete()
    text = str([cell.value for row in _help_rows(template_of(SHEETS["cadres"], cast.county)) for cell in row])
    assert "网格员" in text
    assert "片区长" not in text
    assert "党员中心户" not in text


def _help_rows(content: bytes) -> Any:
    return load_workbook(io.BytesIO(content)).worksheets[1].iter_rows()


def test_a_table_nobody_knows_is_not_found(cast: Cast) -> None:
    with pytest.raises(NotFound):
        imports.check(actor=cast.admin, county=cast.county, kind="wizards", content=b"", filename="a.xlsx")


def test_a_wish_for_more_than_the_limit_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MAX_ROWS", 1)
    with pytest.raises(DomainError):
        checked(cast, "liaisons", ["张三", PHONE, "县住建局", ""], ["李四", "13612345679", "县住建局", ""])
