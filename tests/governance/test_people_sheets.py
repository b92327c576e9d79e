"""People by the hundred: the three tables by which they come in, and the ledger in which they go out."""

import datetime
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Q
from django.utils import timezone
from openpyxl import load_workbook

from core import policies
from core.accounts import deactivate
from core.actors import SYSTEM
from core.errors import Forbidden, Invalid, NotFound
from core.models import AuditEntry, Job, User
from core.sheets import check, sheet_of, submit_check, submit_import
from core.sheets import jobs as sheet_jobs
from core.spreadsheets import Report, write_template
from governance.accounts import people
from grids.actions import end_appointment, retire_node
from grids.models import Appointment, Level
from partybuilding.models import Member, UnitMembership
from tests.cast import Cast
from tests.factories import fresh, make_cadre, make_member, make_organisation, make_unit, make_user
from tests.governance.tables import HEADERS, book, brought, checked, done, everything, looked, slips

PHONE, SECOND = "13612345678", "13612345679"
KINDS = ["cadres", "liaisons", "members"]


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.bad_rows


def figures(job: Job) -> tuple[int, int, int, int]:
    found = job.report["sheet"]
    return found["created"], found["updated"], found["unchanged"], found["bad_rows"]


def faults(outcome: Any) -> dict[int, tuple[str, str]]:
    return {error.row: (error.column, error.message) for error in outcome.report.errors}


# --- What the three have in common --------------------------------------------------------------------------------------


def test_a_dry_run_counts_names_and_writes_nothing(cast: Cast) -> None:
    before = everything()
    job = looked(
        cast,
        "cadres",
        ["张三", PHONE, "网格员", cast.a.grid.code, "2026-03-05"],
        ["书记甲", cast.a.secretary.phone, "社区党组织书记", "城北社区", ""],
        ["书记乙", cast.b.secretary.phone, "社区党组织书记", "城北社区", ""],
        ["王五", "12345", "网格员", cast.a.grid.code, ""],
    )
    assert figures(job) == (2, 0, 1, 1)
    assert {"将新开 1 个账号。", "有 1 人已有账号，只增加职务，密码不变。"} <= set(job.report["sheet"]["notes"])
    names = [line["name"] for line in job.report["sheet"]["sample"]]
    assert names[0] == f"张三（136****5678）{cast.a.grid.path} 网格员"
    assert everything() == before
    assert "handout" not in job.params


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_table_twice_creates_nothing_new(cast: Cast, kind: str) -> None:
    rows = {
        "cadres": [["张三", PHONE, "网格员", cast.a.grid.code, "2026-03-05"]],
        "liaisons": [["张三", PHONE, "县住建局", ""], ["李四", SECOND, "县水务局", "工作人员"]],
        "members": [["张三", PHONE, "县住建局", "", ""], ["李四", SECOND, "", "", "否"]],
    }[kind]
    first = brought(cast, kind, *rows)
    assert figures(first) == (len(rows), 0, 0, 0)
    before = everything()
    for update in (False, True):
        again = brought(cast, kind, *rows, update=update)
        assert figures(again) == (0, 0, len(rows), 0)
        assert "handout" not in again.params
    assert everything() == before


def test_slips_tell_the_first_passwords_once_and_nothing_keeps_them(cast: Cast) -> None:
    job = brought(cast, "cadres", ["+张三", PHONE, "网格员", cast.a.grid.code, ""])
    stored = str(job.params) + str(job.report)
    told = slips(cast, job)
    phone, password, what, remark = told["+张三"]
    assert (phone, remark) == (PHONE, "第一次登录时须修改密码")
    assert "网格员" in what
    user = User.objects.get(phone=PHONE)
    assert user.check_password(password)
    assert user.must_change_password
    assert password not in stored
    with pytest.raises(NotFound, match="只能领取一次"):
        slips(cast, job)
    assert AuditEntry.objects.filter(action="account.handout").count() == 1


def test_one_person_with_two_posts_gets_one_account_and_one_slip(cast: Cast) -> None:
    job = brought(
        cast,
        "cadres",
        ["张三", PHONE, "网格员", cast.a.grid.code, ""],
        ["张三", PHONE, "楼栋长", cast.a.other_building.code, ""],
    )
    ((_phone, password, what, _remark),) = slips(cast, job).values()
    user = User.objects.get(phone=PHONE)
    assert user.check_password(password)
    assert user.appointments.count() == 2
    assert "网格员" in what
    assert "楼栋长" in what


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
        ["张三", "136****5678", "社区党组织书记", "白龙塘社区", ""],
    )
    said = {row: message for row, (_column, message) in faults(found).items()}
    assert set(said) == {3, 4, 5, 6, 7, 8, 9, 10}
    assert "姓名却不同" in said[3]
    assert "与第 2 行重复" in said[4]
    assert "属于别人" in said[5]
    assert "已停用" in said[6]
    assert "属于别人" in said[7]
    assert "同一人担任" in said[8]
    assert "另一位管理员" in said[9]
    assert "号码被隐去了" in said[10]
    assert cast.a.officer.phone not in str(found.report.as_dict())


def test_a_name_is_never_corrected_by_a_table(cast: Cast) -> None:
    found = checked(cast, "cadres", ["两委假", cast.a.officer.phone, "社区“两委”干部", "白龙塘社区", ""], update=True)
    assert "属于别人" in faults(found)[2][1]


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_countys_administrator_brings_people_in(cast: Cast, kind: str) -> None:
    content = book(kind, ["张三", PHONE, *[""] * 3])
    for actor in cast.people().values():
        if actor in (cast.admin, cast.other_county_admin):
            continue
        with pytest.raises((Forbidden, NotFound)):
            submit_check(actor=fresh(actor), sheet=sheet_of(kind), upload=SimpleUploadedFile("a.xlsx", content))
        with pytest.raises((Forbidden, NotFound)):
            check(actor=fresh(actor), sheet=sheet_of(kind), content=content, filename="a.xlsx")
    assert not Job.objects.exists()


def test_whoever_keeps_units_and_no_accounts_brings_nobody_in(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    held = policies.holds
    monkeypatch.setattr(policies, "holds", lambda user, right: right != "account.manage" and held(user, right))
    with pytest.raises(Forbidden):
        check(actor=fresh(cast.admin), sheet=sheet_of("liaisons"), content=b"", filename="a.xlsx")


def test_an_administrator_brings_people_into_their_own_county(cast: Cast) -> None:
    found = checked(
        cast, "cadres", ["张三", PHONE, "网格员", cast.a.grid.code, ""], actor=fresh(cast.other_county_admin)
    )
    assert "没有找到" in faults(found)[2][1]


def test_an_administrator_who_lost_the_post_meanwhile_imports_nothing(cast: Cast) -> None:
    job = submit_import(
        actor=fresh(cast.admin), check=looked(cast, "cadres", ["张三", PHONE, "网格员", cast.a.grid.code, ""])
    )
    Appointment.objects.filter(user=cast.admin).update(start="2020-01-01", end="2020-02-01")
    assert done(job).state == "failed"
    assert not User.objects.filter(phone=PHONE).exists()


def test_a_phone_taken_between_judging_and_writing_undoes_everything(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit_import(
        actor=fresh(cast.admin),
        check=looked(
            cast,
            "cadres",
            ["张三", PHONE, "网格员", cast.a.grid.code, ""],
            ["李四", SECOND, "网格员", cast.a.grid.code, ""],
        ),
    )
    hashed = people.prepare_accounts

    def overtaken(**how: Any) -> Any:
        make_user("先来的人", county=cast.county, phone=PHONE)
        return hashed(**how)

    monkeypatch.setattr(people, "prepare_accounts", overtaken)
    job = done(job)
    assert (job.state, "已经有账号" in job.error) == ("failed", True)
    assert not User.objects.filter(phone=SECOND).exists()
    assert "handout" not in Job.objects.get(pk=job.pk).params or not Appointment.objects.filter(
        node=cast.a.grid
    ).exclude(user=cast.a.keeper)


class WorkerKilledError(BaseException):
    pass


def test_a_worker_killed_after_the_commit_has_not_lost_the_passwords(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit_import(
        actor=fresh(cast.admin), check=looked(cast, "cadres", ["张三", PHONE, "网格员", cast.a.grid.code, ""])
    )

    def killed(*args: Any, **kwargs: Any) -> None:
        raise WorkerKilledError

    with monkeypatch.context() as death:
        death.setattr("core.jobs.JobRun.finish", killed)
        with pytest.raises(WorkerKilledError):
            done(job)
    Job.objects.filter(pk=job.pk).update(state="waiting")
    job = done(Job.objects.get(pk=job.pk))
    assert job.state == "done"
    assert User.objects.get(phone=PHONE).check_password(slips(cast, job)["张三"][1])


def test_a_hundred_people_cost_few_statements(cast: Cast, django_assert_max_num_queries: Any) -> None:
    rows = [[f"人{n}", f"1361234{n:04}", "楼栋长", cast.a.other_building.code, ""] for n in range(100)]
    with django_assert_max_num_queries(24):
        checked(cast, "cadres", *rows)
    job = submit_import(actor=fresh(cast.admin), check=looked(cast, "cadres", *rows))
    with django_assert_max_num_queries(70):
        done(job)
    assert Appointment.objects.filter(node=cast.a.other_building).count() == 100


@pytest.mark.parametrize("kind", KINDS)
def test_the_template_comes_back_filled_in_and_its_example_is_skipped(cast: Cast, kind: str) -> None:
    sheet = sheet_of(kind)
    book = load_workbook(
        io.BytesIO(write_template(sheet.columns(cast.county), title="x", notes=sheet.notes(cast.county)))
    )
    page = book.worksheets[0]
    headers = [str(cell.value).rstrip("*") for cell in page[2]]
    assert headers == HEADERS[kind]
    values = {"姓名": "张三", "手机号码": PHONE, "岗位": "网格员", "任职地": cast.a.grid.code, "单位": "县住建局"}
    for index, header in enumerate(headers, start=1):
        page.cell(4, index).value = values.get(header)
    out = io.BytesIO()
    book.save(out)
    found = check(actor=fresh(cast.admin), sheet=sheet, content=out.getvalue(), filename="模板.xlsx")
    assert counts(found.report) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    "headers",
    [
        ["名字", "手机", "职务", "所在网格"],
        ["姓 名", "联系电话", "岗位名称", "网格编码"],
        ["*姓名", "电话（必填）", "现任职务", "负责区域"],
        ["责任人", "联系方式", "人员类别", "网格名称"],
        ["网格员姓名", "手机号", "岗位", "任职地点"],
    ],
)
def test_headers_found_in_the_wild_are_known(cast: Cast, headers: list[str]) -> None:
    found = checked(cast, "cadres", ["张三", PHONE, "网格长", cast.a.grid.code], headers=headers)
    assert counts(found.report) == (1, 0, 0, 0), faults(found)


def test_forbidden_columns_refuse_the_whole_table(cast: Cast) -> None:
    row = ["张三", PHONE, "中共党员"]
    found = checked(cast, "members", row, headers=["姓名", "手机号码", "政治面貌"])
    assert found.report.errors == []
    assert list(found.report.ignored_columns) == ["政治面貌"]
    for kind, header in (("cadres", "政治面貌"), ("members", "民族"), ("members", "身份证号")):
        headers = ["姓名", "手机号码", header, *HEADERS[kind][2:]]
        with pytest.raises(Invalid, match="不能导入"):
            checked(cast, kind, row, headers=headers)


# --- Cadres -------------------------------------------------------------------------------------------------------------


def test_places_are_found_by_code_path_or_name(cast: Cast) -> None:
    rows = [
        ["甲", "13612340001", "网格员", cast.a.grid.code, ""],
        ["乙", "13612340002", "楼栋长", "城北街道·白龙塘社区·和谐小区·第一网格·2 号楼", ""],
        ["丙", "13612340003", "楼长", "城北街道/城北社区/和谐小区/第一网格/2 号楼", ""],
        ["丁", "13612340004", "社区书记", "新民社区", ""],
        ["戊", "13612340005", "街道干部", "城南街道", ""],
        ["己", "13612340006", "县委组织部", "", ""],
        ["庚", "13612340007", "县级领导", "西乡县", ""],
        ["辛", "13612340008", "单元长", "白龙塘社区和谐小区1号楼1单元", ""],
    ]
    assert figures(brought(cast, "cadres", *rows)) == (8, 0, 0, 0)
    held = {row.user.name: row.place for row in Appointment.objects.filter(user__phone__startswith="1361234")}
    assert held == {
        "甲": cast.a.grid.path,
        "乙": cast.a.other_building.path,
        "丙": cast.b.other_building.path,
        "丁": cast.empty_community.path,
        "戊": cast.other_street.path,
        "己": "西乡县",
        "庚": "西乡县",
        "辛": cast.a.entrance.path,
    }


def test_places_may_stand_in_a_column_for_each_level(cast: Cast) -> None:
    headers = ["序号", "街道", "社区", "小区", "网格", "楼栋", "单元", "楼层", "岗位", "姓名", "联系电话"]
    rows = [
        ["1", "城北街道", "白龙塘社区", "和谐小区", "第一网格", "", "", "", "网格员", "甲", "13612340001"],
        ["2", "城北街道", "白龙塘", "和谐小区", "1", "2", "", "", "楼栋长", "乙", "13612340002"],
        ["3", "城北街道", "城北社区", "和谐", "", "1号", "1", "无", "单元长", "丙", "13612340003"],
        ["4", "城北街道", "城北社区", "和谐小区", "/", "1", "1", "1", "楼层长", "丁", "13612340004"],
        ["5", "城北街道", "新民社区", "", "", "", "", "", "社区党组织书记", "戊", "13612340005"],
        ["6", "城北街道", "城北社区", "和谐小区", "", "9", "", "", "楼栋长", "己", "13612340006"],
        ["7", "城南街道", "城北社区", "", "", "", "", "", "社区“两委”干部", "庚", "13612340007"],
    ]
    job = brought(cast, "cadres", *rows, headers=headers, keep_good=True)
    assert figures(job) == (5, 0, 0, 2)
    assert [(row, column) for row, column, _why, _value in job.report["sheet"]["errors"]] == [(7, "楼栋"), (8, "社区")]
    held = {row.user.name: row.node for row in Appointment.objects.filter(user__phone__startswith="1361234")}
    assert held == {
        "甲": cast.a.grid,
        "乙": cast.a.other_building,
        "丙": cast.b.entrance,
        "丁": cast.b.floor,
        "戊": cast.empty_community,
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
        (
            ["张三", PHONE, "街道干部", "白龙塘社区", ""],
            "岗位",
            "“白龙塘社区”是社区，不设街道干部；可以设：社区党组织书记",
        ),
        (["张三", PHONE, "县委组织部", "白龙塘社区", ""], "任职地", "不用填"),
        (["张三", PHONE, "社区党组织书记", "白龙塘社区", "不知道"], "任职日期", "不是日期"),
    ],
)
def test_a_bad_row_of_cadres_is_told_with_its_column_and_reason(
    cast: Cast, row: list[str], column: str, words: str
) -> None:
    found = checked(cast, "cadres", ["好人", "13612340001", "社区党组织书记", "白龙塘社区", ""], row)
    assert list(faults(found)) == [3]
    assert faults(found)[3][0] == column
    assert words in faults(found)[3][1]
    assert [line.data.name for line in found.plan.lines] == ["好人"]


def test_places_out_of_use_are_named_with_what_came_after_them(cast: Cast) -> None:
    retire_node(actor=SYSTEM, node=cast.a.other_building, successor=cast.a.building, reason="拆除")
    found = checked(
        cast,
        "cadres",
        ["张三", PHONE, "楼栋长", cast.a.other_building.code, ""],
        ["李四", SECOND, "楼栋长", "白龙塘社区2号楼", ""],
    )
    for row in (2, 3):
        assert f"由“{cast.a.building.path}”承接，请改填它" in faults(found)[row][1]


def test_a_place_retired_between_judging_and_writing_gets_nobody(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    check = looked(cast, "cadres", ["张三", PHONE, "楼栋长", cast.a.other_building.code, ""])
    hashed = people.prepare_accounts

    def overtaken(**how: Any) -> Any:
        retire_node(actor=SYSTEM, node=cast.a.other_building, reason="拆除")
        return hashed(**how)

    monkeypatch.setattr(people, "prepare_accounts", overtaken)
    job = done(submit_import(actor=fresh(cast.admin), check=check))
    assert (job.state, "已撤销" in job.error) == ("failed", True)
    assert not User.objects.filter(phone=PHONE).exists()


def test_the_first_day_is_corrected_only_if_the_person_says_so(cast: Cast) -> None:
    row = [cast.a.keeper.name, cast.a.keeper.phone, "网格员", cast.a.grid.code]
    held = Appointment.objects.get(user=cast.a.keeper)
    assert counts(checked(cast, "cadres", [*row, ""]).report) == (0, 0, 1, 0)
    found = checked(cast, "cadres", [*row, "2024-07-01"])
    assert faults(found)[2] == ("任职日期", faults(found)[2][1])
    assert "更新已有的内容" in faults(found)[2][1]
    job = brought(cast, "cadres", [*row, "2024-07-01"], update=True)
    assert figures(job) == (0, 1, 0, 0)
    assert job.report["sheet"]["sample"][0]["changes"][0][2] == "2024年7月1日"
    held.refresh_from_db()
    assert (held.start, held.version) == (datetime.date(2024, 7, 1), 2)
    assert "handout" not in job.params
    own = [cast.admin.name, cast.admin.phone, "县级管理员", "", "2020-01-01"]
    assert "另一位管理员" in faults(checked(cast, "cadres", own, update=True))[2][1]


def test_who_held_a_post_before_may_hold_it_again_later(cast: Cast) -> None:
    held = Appointment.objects.get(user=cast.a.keeper)
    Appointment.objects.filter(pk=held.pk).update(start="2024-01-01")
    held.refresh_from_db()
    end_appointment(actor=cast.admin, appointment=held, end=datetime.date(2025, 6, 30))
    row = [cast.a.keeper.name, cast.a.keeper.phone, "网格员", cast.a.grid.code]
    found = checked(cast, "cadres", [*row, "2025-03-01"])
    assert "2025年6月30日 为止" in faults(found)[2][1]
    assert figures(brought(cast, "cadres", [*row, "2025-09-01"])) == (1, 0, 0, 0)
    assert Appointment.objects.filter(user=cast.a.keeper).count() == 2


def test_a_county_s_own_words_for_posts_are_known(cast: Cast) -> None:
    Level.objects.filter(county=cast.county, key="building").update(holder_title="楼管家")
    for word in ("楼管家", "楼栋长", "楼长"):
        row = ["张三", PHONE, word, cast.a.other_building.code, ""]
        assert counts(checked(cast, "cadres", row).report) == (1, 0, 0, 0)


def test_the_template_offers_the_posts_of_the_countys_levels(cast: Cast) -> None:
    cast.county.levels.filter(key="sector").delete()
    (post,) = (column for column in sheet_of("cadres").columns(cast.county) if column.name == "post")
    assert "网格员" in post.choices
    assert "片区长" not in post.choices
    assert "党员中心户" not in post.choices


# --- Liaisons -----------------------------------------------------------------------------------------------------------


def test_liaisons_are_added_to_units_by_name_or_short_name(cast: Cast) -> None:
    cast.a.unit.short_name = "住建局"
    cast.a.unit.save()
    rows = [
        ["张三", PHONE, "住建 局", "干部"],
        ["李四", SECOND, "县统计局", ""],
        [cast.a.liaison.name, cast.a.liaison.phone, "县住建局", "工作人员"],
        [cast.b.liaison.name, cast.b.liaison.phone, "县住建局", "联络员"],
        [cast.a.staff.name, cast.a.staff.phone, "县住建局", ""],
    ]
    found = checked(cast, "liaisons", *rows)
    assert counts(found.report) == (2, 0, 1, 2)
    assert {row: column for row, (column, _why) in faults(found).items()} == {3: "单位", 4: "角色"}
    brought(cast, "liaisons", *rows, keep_good=True)
    acting = UnitMembership.objects.get(user__phone=PHONE)
    assert (acting.unit, acting.role) == (cast.a.unit, "staff")
    assert policies.sees(fresh(cast.b.liaison), cast.a.unit)


def test_a_role_is_corrected_only_if_the_person_says_so(cast: Cast) -> None:
    row = [cast.a.liaison.name, cast.a.liaison.phone, "县住建局", "工作人员"]
    assert "更新已有的内容" in faults(checked(cast, "liaisons", row))[2][1]
    assert figures(brought(cast, "liaisons", row, update=True)) == (0, 1, 0, 0)
    acting = UnitMembership.objects.get(user=cast.a.liaison)
    assert acting.role == "staff"
    entry = AuditEntry.objects.get(action="membership.role")
    assert entry.changes == {"role": ["liaison", "staff"]}


def test_units_that_share_a_short_name_are_asked_for_by_their_full_one(cast: Cast) -> None:
    for name in ("城南一小", "城北一小"):
        unit = make_unit(cast.county, name)
        unit.short_name = "一小"
        unit.save()
    assert "有几个单位" in faults(checked(cast, "liaisons", ["张三", PHONE, "一小", ""]))[2][1]
    assert counts(checked(cast, "liaisons", ["张三", PHONE, "城南一小", ""]).report) == (1, 0, 0, 0)


# --- Members ------------------------------------------------------------------------------------------------------------


def test_members_are_registered_linked_or_left_without_account_as_asked(cast: Cast) -> None:
    known = make_member("赵六", cast.a.unit, account=False)
    cadre = cast.a.officer
    job = brought(
        cast,
        "members",
        ["张三", PHONE, "县住建局", "", "是"],
        ["李四", SECOND, "县住建局", "", "否"],
        ["赵六", known.phone, "", "", ""],
        [cadre.name, cadre.phone, "", "", ""],
        ["改名", cast.a.member.phone, "", "", ""],
        ["钱七", "13612345680", "无此单位", "", ""],
        keep_good=True,
    )
    assert figures(job) == (4, 0, 0, 2)
    users = {member.name: member.user for member in Member.objects.filter(county=cast.county)}
    assert users["张三"] is not None
    assert users["张三"].phone == PHONE
    assert users["李四"] is None
    assert users["赵六"] is not None
    assert users[cadre.name] == cadre
    assert {name: bool(slip[1]) for name, slip in slips(cast, job).items()} == {
        "张三": True,
        "赵六": True,
        cadre.name: False,
    }


def test_unit_and_branch_follow_the_table_only_if_the_person_says_so(cast: Cast) -> None:
    branch = make_organisation(cast.county, "住建局机关党支部")
    member = make_member("赵六", cast.a.unit, account=False)
    row = ["赵六", member.phone, "县水务局", "住建局机关党支部", "否"]
    found = checked(cast, "members", row)
    assert faults(found)[2][0] == "单位"
    # What nobody had said is filled in without being asked.
    assert counts(checked(cast, "members", ["赵六", member.phone, "", "住建局机关党支部", "否"]).report) == (0, 1, 0, 0)
    job = brought(cast, "members", row, update=True)
    assert figures(job) == (0, 1, 0, 0)
    member.refresh_from_db()
    assert (member.unit, member.branch, member.user) == (cast.a.supporting_unit, branch, None)
    assert AuditEntry.objects.get(action="member.update").changes.keys() == {"unit", "branch"}


def test_where_a_member_lives_is_read_from_the_words_of_the_table(cast: Cast) -> None:
    headers = ["姓名", "联系电话", "所在小区", "开通账号"]
    rows = [
        ["张三", PHONE, "白龙塘社区和谐小区", "否"],
        ["李四", "13800000012", "和谐小区", "否"],
        ["赵六", "13800000013", "白龙塘社区", "否"],
        ["钱七", "13800000014", "天边小区", "否"],
        ["孙八", "13800000015", "", "否"],
    ]
    found = checked(cast, "members", *rows, headers=headers)
    wrong = {row: words for row, (_column, words) in faults(found).items()}
    assert set(wrong) == {3, 4, 5}
    assert "2 处" in wrong[3] and "不是小区" in wrong[4] and "没有找到" in wrong[5]
    job = brought(cast, "members", rows[0], rows[4], headers=headers)
    assert figures(job) == (2, 0, 0, 0)
    homes = dict(Member.objects.filter(name__in=["张三", "孙八"]).values_list("name", "home"))
    assert homes == {"张三": cast.a.compound.pk, "孙八": None}
    moved = ["张三", PHONE, "城北社区和谐小区", "否"]
    assert faults(checked(cast, "members", moved, headers=headers))[2][0] == "所在小区"
    assert figures(brought(cast, "members", moved, headers=headers, update=True)) == (0, 1, 0, 0)


def test_a_correction_that_opens_an_account_comes_with_its_slip(cast: Cast) -> None:
    member = make_member("赵六", cast.a.unit, account=False)
    job = brought(cast, "members", ["赵六", member.phone, "县水务局", "", "是"], update=True)
    assert figures(job) == (0, 1, 0, 0)
    assert slips(cast, job)["赵六"][1]
    member.refresh_from_db()
    assert member.user is not None


def test_an_account_is_one_members_alone(cast: Cast) -> None:
    Member.objects.filter(pk=cast.a.member.pk).update(phone="13699999999")
    row = [cast.a.member.name, cast.a.member_user.phone, "", "", ""]
    assert "已关联另一位党员" in faults(checked(cast, "members", row))[2][1]


# --- Going out ----------------------------------------------------------------------------------------------------------


def test_the_ledger_of_people_masks_their_telephones(cast: Cast) -> None:
    users = User.objects.filter(pk__in=[cast.a.keeper.pk, cast.a.liaison.pk, cast.other_county_admin.pk]).order_by(
        "name"
    )
    content = sheet_jobs.export(actor=fresh(cast.admin), sheet=sheet_of("people"), ids=[user.pk for user in users])
    cells = [[str(cell.value or "") for cell in row] for row in load_workbook(io.BytesIO(content)).active.iter_rows()]  # type: ignore[union-attr]
    assert cells[0][0] == "人员台账"
    rows = {row[1]: row for row in cells if row[0] in ("1", "2", "3")}
    assert set(rows) == {cast.a.keeper.name, cast.a.liaison.name}
    assert rows[cast.a.keeper.name][2].endswith(cast.a.keeper.phone[-4:])
    assert "****" in rows[cast.a.keeper.name][2]
    assert "网格员（白龙塘社区 · 和谐小区 · 第一网格）" in rows[cast.a.keeper.name][3]
    assert rows[cast.a.liaison.name][3] == "县住建局联络员"
    assert cast.a.keeper.phone not in str(cells)
    assert AuditEntry.objects.filter(action="sheet.export").count() == 1


@pytest.mark.parametrize("role", ["department", "a.secretary", "auditor"])
def test_the_ledger_of_people_is_the_administrators(cast: Cast, role: str) -> None:
    with pytest.raises(Forbidden):
        sheet_jobs.export(actor=fresh(cast.people()[role]), sheet=sheet_of("people"), ids=[cast.a.keeper.pk])


def test_nobody_comes_in_by_the_ledger(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        check(actor=fresh(cast.admin), sheet=sheet_of("people"), content=b"", filename="a.xlsx")


def test_who_is_appointed_from_tomorrow_is_not_yet_in_the_ledger(cast: Cast) -> None:
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    user = make_cadre("新人", "community_officer", cast.a.node)
    Appointment.objects.filter(Q(user=user)).update(start=tomorrow)
    content = sheet_jobs.export(actor=fresh(cast.admin), sheet=sheet_of("people"), ids=[user.pk])
    assert "两委" not in str([cell.value for cell in load_workbook(io.BytesIO(content)).active[4]])  # type: ignore[index]
