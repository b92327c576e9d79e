"""An administrator brings the county's people in with a file of their own, and hands out the first passwords."""

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from playwright.sync_api import Page, expect

from core.models import Job, User
from core.sheets import jobs as sheet_jobs
from grids.models import Appointment
from tests.cast import Cast
from tests.factories import PASSWORD
from tests.governance.tables import done

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def own_file(path: Path, *rows: list[str]) -> Path:
    """As a street keeps its people: a title, a column for each level, extra columns, the sum below."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["西乡县网格人员花名册"])
    page.merge_cells("A1:H1")
    page.append(["序号", "街道", "社区", "小区", "楼栋", "职务", "名字", "联系电话"])
    for number, row in enumerate(rows, start=1):
        page.append([str(number), *row])
    page.append(["合计", "", "", "", "", "", f"{len(rows)} 人", ""])
    book.save(path)
    return path


def test_people_come_in_from_a_file_of_ones_own_and_get_their_first_passwords(
    live_server: Any, page: Page, transactional_cast: Cast, tmp_path: Path
) -> None:
    cast = transactional_cast
    file = own_file(
        tmp_path / "花名册.xlsx",
        ["城北街道", "白龙塘", "和谐小区", "2", "楼长", "张三", "13612345678"],
        ["城北街道", "白龙塘", "和谐小区", "9", "楼长", "李四", "13612345679"],
    )
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{live_server.url}/accounts/login/?next=/admin/core/user/import/")
    page.fill("#id_username", cast.admin.phone)
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    page.get_by_role("link", name="导入干部和网格人员").click()
    page.set_input_files("#id_upload", file)
    page.get_by_role("button", name="上传并核对").click()
    expect(page.get_by_text("可以关掉这一页")).to_be_visible()
    done(Job.objects.get(kind=sheet_jobs.CHECK))
    expect(page.get_by_text("将新开 1 个账号。")).to_be_visible()
    expect(page.get_by_text("没有找到“城北街道 · 白龙塘 · 和谐小区 · 9”")).to_be_visible()
    with page.expect_download() as faulty:
        page.get_by_role("link", name="下载错误清单").click()
    sheet = load_workbook(faulty.value.path().open("rb")).active
    assert sheet is not None
    assert "没有找到" in str(sheet["I4"].value)
    page.get_by_label("有错误的 1 行不导入，其余 1 行导入").check()
    page.get_by_role("button", name="确认导入 1 行").click()
    expect(page.get_by_text("可以关掉这一页")).to_be_visible()
    done(Job.objects.get(kind=sheet_jobs.WRITE))
    expect(page.get_by_text("已导入：新增 1 行，修改 0 行。")).to_be_visible()
    assert Appointment.objects.get(user__phone="13612345678").node == cast.a.other_building
    with page.expect_download() as taken:
        page.get_by_role("button", name="领取首次密码发放单").click()
    slips = load_workbook(taken.value.path().open("rb")).active
    assert slips is not None
    assert User.objects.get(phone="13612345678").check_password(str(slips["D4"].value))
    page.reload()
    expect(page.get_by_text("已导入：新增 1 行，修改 0 行。")).to_be_visible()
    expect(page.get_by_role("button", name="领取首次密码发放单")).to_have_count(0)
    assert complaints == []
