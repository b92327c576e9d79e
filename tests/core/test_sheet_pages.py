"""Excel at a list's page: choose a table, look, confirm, see; and the ledger of what the list shows."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from core.models import CalendarDay, Job, JobState, User
from core.sheets import jobs as sheet_jobs
from core.sheets import register
from tests.cast import Cast
from tests.core.day_sheet import DaySheet, done, unregister
from tests.core.test_sheets import BAD, GOOD, table
from tests.factories import PASSWORD, fresh

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.day_urls")]

LIST = "/admin/core/calendarday/"
START = f"{LIST}import/days/"
EXPORT = f"{LIST}export/days/"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture(autouse=True)
def days() -> Iterator[DaySheet]:
    sheet = DaySheet()
    register(sheet)
    yield sheet
    unregister()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user))
    return client


def text_of(response: Any) -> str:
    """What a reader of the page sees, spaces and tags aside."""
    assert response.status_code == 200
    return re.sub(r"\s+|<[^>]*>", "", response.content.decode())


def upload(client: Client, content: bytes, name: str = "调休.csv", **ticked: str) -> Any:
    return client.post(START, {"upload": SimpleUploadedFile(name, content), **ticked})


def looked(client: Client, content: bytes, **how: Any) -> str:
    """Uploads, lets the worker read it, and answers the address of what it found."""
    address = upload(client, content, **how)["Location"]
    done(Job.objects.get(kind=sheet_jobs.CHECK, state=JobState.WAITING))
    return str(address)


# --- Coming in ----------------------------------------------------------------------------------------------------------


def test_a_table_is_uploaded_looked_at_confirmed_and_its_outcome_seen(cast: Cast) -> None:
    client = signed_in(cast.admin)
    assert f'href="{START}"' in client.get(LIST).content.decode()
    shown = text_of(client.get(START))
    for words in ("认这些列", "日期必填", "国家的节假日已经内置。", "更新已有的内容"):
        assert words in shown
    address = looked(client, table(*GOOD))
    shown = text_of(client.get(address))
    for words in ("确认导入2行", "2026-10-08", "新增", "按公历读取。", "调休.csv"):
        assert words in shown
    assert not CalendarDay.objects.exists()
    answer = client.post(f"{address}confirm/")
    job = done(Job.objects.get(kind=sheet_jobs.WRITE))
    assert answer["Location"] == f"{START}{job.pk}/"
    shown = text_of(client.get(answer["Location"]))
    assert "已导入：新增2行，修改0行。" in shown
    assert "准备2天" in shown
    assert CalendarDay.objects.count() == 2
    shown = text_of(client.get(address))
    assert "已经确认导入" in shown
    assert "确认导入2行" not in shown
    assert "新增2条" in text_of(client.get(START))
    for one in Job.objects.all():
        assert f'href="{START}{one.pk}/"' in client.get(f"/jobs/{one.pk}/").content.decode()


def test_changes_are_shown_before_they_are_made(cast: Cast) -> None:
    CalendarDay.objects.create(date="2026-10-08", is_working=False, note="")
    client = signed_in(cast.admin)
    shown = text_of(client.get(looked(client, table(*GOOD), update="on")))
    assert "说明：（空）→县庆" in shown
    assert "更新已有是" in shown


def test_bad_rows_are_shown_with_a_workbook_and_left_out_only_on_request(cast: Cast) -> None:
    client = signed_in(cast.admin)
    address = looked(client, table(*GOOD, BAD))
    page = client.get(address)
    shown = text_of(page)
    for words in ("有错误的1行不导入，其余2行导入", "放假", "不在可选项里", "下载错误清单"):
        assert words in shown
    link = re.search(r'href="(/files/job-result/\d+/)"', page.content.decode())
    assert link
    book = load_workbook(io.BytesIO(b"".join(client.get(link[1])))).active  # type: ignore[arg-type]
    assert book is not None
    assert book["D1"].value == "错误信息"
    shown = text_of(client.post(f"{address}confirm/", follow=True))
    assert "有错误的行还没有处理" in shown
    assert not CalendarDay.objects.exists()
    client.post(f"{address}confirm/", {"keep_good": "1"})
    done(Job.objects.get(kind=sheet_jobs.WRITE))
    assert CalendarDay.objects.count() == 2


def test_a_table_in_which_nothing_is_new_offers_nothing_to_confirm(cast: Cast) -> None:
    client = signed_in(cast.admin)
    for content, words in ((table(*GOOD), "没有改动"), (table(BAD), "没有可以导入的行")):
        CalendarDay.objects.bulk_create(
            [CalendarDay(date=row[0], is_working=row[1] == "上班", note=row[2]) for row in GOOD], ignore_conflicts=True
        )
        shown = text_of(client.get(looked(client, content)))
        assert words in shown
        assert "确认导入" not in shown


def test_a_running_job_shows_how_far_it_is_and_asks_again_without_scripts_too(cast: Cast) -> None:
    client = signed_in(cast.admin)
    address = upload(client, table(*GOOD))["Location"]
    assert "排队中" in text_of(client.get(address))
    Job.objects.update(state=JobState.RUNNING, done=300, total=715)
    response = client.get(address)
    assert "300/715" in text_of(response)
    assert 'http-equiv="refresh"' in response.content.decode()
    assert 'hx-get="?poll=1"' in response.content.decode()
    Job.objects.update(state=JobState.FAILED, error="读不出来")
    response = client.get(address)
    assert "读不出来" in text_of(response)
    assert "改好后重新上传" in text_of(response)
    assert 'http-equiv="refresh"' not in response.content.decode()


def test_what_is_no_longer_kept_is_not_offered(cast: Cast) -> None:
    client = signed_in(cast.admin)
    address = looked(client, table(*GOOD))
    Job.objects.update(upload="")
    shown = text_of(client.get(address))
    assert "已过保存期限" in shown
    assert "确认导入" not in shown
    assert client.post(f"{address}confirm/").status_code == 404
    Job.objects.update(report={"lines": []})
    assert "已过保存期限" in text_of(client.get(address))


def test_the_empty_table_has_notes_choices_and_an_example(cast: Cast) -> None:
    answer = signed_in(cast.admin).get(f"{START}template/")
    assert "filename*=utf-8''%E8%B0%83%E4%BC%91" in answer["Content-Disposition"]
    book = load_workbook(io.BytesIO(answer.content))
    page = book.worksheets[0]
    assert "国家的节假日已经内置。" in page["A1"].value
    assert [cell.value for cell in page[2]] == ["日期*", "安排*", "说明"]
    assert page["A3"].value == "【示例】2026-10-08"
    assert any("$B$1:$B$2" in str(rule.formula1) for rule in page.data_validations.dataValidation)


def test_a_form_without_a_file_or_with_too_large_a_one_says_so(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(cast.admin)
    assert "请选择要导入的表格" in text_of(client.post(START))
    monkeypatch.setattr(sheet_jobs, "MAX_BYTES", 10)
    assert "最大0MB" in text_of(upload(client, table(*GOOD)))
    assert not Job.objects.exists()


def test_the_switch_is_offered_where_there_is_something_to_change(cast: Cast, days: DaySheet) -> None:
    days.can_update = False
    assert "更新已有的内容" not in text_of(signed_in(cast.admin).get(START))


# --- Who ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["a.officer", "street_officer", "department", "auditor"])
def test_whoever_lacks_the_right_gets_no_page_of_it(cast: Cast, role: str) -> None:
    client = signed_in(cast.people()[role])
    for address in (START, f"{START}template/", f"{START}1/", EXPORT):
        assert client.get(address).status_code == 403
    for address in (START, f"{START}1/confirm/", EXPORT):
        assert client.post(address, {"upload": SimpleUploadedFile("a.csv", table(*GOOD))}).status_code == 403
    assert not Job.objects.exists()


@pytest.mark.parametrize("role", ["a.keeper", "a.liaison", "nobody"])
def test_whoever_has_no_desk_is_shown_the_door(cast: Cast, role: str) -> None:
    client = signed_in(cast.people()[role])
    for address in (START, EXPORT):
        assert client.get(address)["Location"].startswith("/admin/login/")
    assert upload(client, table(*GOOD)).status_code == 302
    assert not Job.objects.exists()


def test_an_import_is_its_owners_alone(cast: Cast) -> None:
    address = looked(signed_in(cast.admin), table(*GOOD))
    other = signed_in(cast.other_county_admin)
    assert other.get(address).status_code == 404
    assert other.post(f"{address}confirm/").status_code == 404
    assert not Job.objects.filter(kind=sheet_jobs.WRITE).exists()


def test_what_is_no_import_of_this_list_is_not_found(cast: Cast, days: DaySheet) -> None:
    client = signed_in(cast.admin)
    for kind, params in (("export_demands", {}), (sheet_jobs.CHECK, {"sheet": "nodes"}), (sheet_jobs.CHECK, {})):
        job = Job.objects.create(kind=kind, params=params, title="x", owner=cast.admin, state=JobState.DONE)
        assert client.get(f"{START}{job.pk}/").status_code == 404
        assert client.post(f"{START}{job.pk}/confirm/").status_code == 404
    for key in ("nodes", "residents"):
        assert client.get(f"{LIST}import/{key}/").status_code == 404
        assert client.get(f"{LIST}export/{key}/").status_code == 404


def test_asking_is_not_confirming(cast: Cast) -> None:
    client = signed_in(cast.admin)
    assert client.get(f"{looked(client, table(*GOOD))}confirm/").status_code == 405


def test_rights_lost_after_looking_close_the_page(cast: Cast) -> None:
    client = signed_in(cast.admin)
    address = looked(client, table(*GOOD))
    cast.admin.appointments.all().delete()
    assert client.post(f"{address}confirm/").status_code in {302, 403}
    assert not Job.objects.filter(kind=sheet_jobs.WRITE).exists()


# --- Going out ----------------------------------------------------------------------------------------------------------


def some_days() -> None:
    for number in range(1, 31):
        CalendarDay.objects.create(date=f"2026-09-{number:02}", is_working=number % 2 == 0, note=f"第{number}天")


def exported(client: Client, query: str = "") -> list[Any]:
    """The serial column aside, the first column of the ledger's rows."""
    answer = client.post(EXPORT + query)
    assert answer["Content-Type"].endswith("sheet")
    assert "no-store" in answer["Cache-Control"]
    page = load_workbook(io.BytesIO(answer.content)).active
    assert page is not None
    return [row[3].value for row in page.iter_rows(min_row=4) if isinstance(row[0].value, int)]


def test_the_ledger_holds_what_the_list_shows(cast: Cast, days: DaySheet) -> None:
    some_days()
    client = signed_in(cast.admin)
    listed = client.get(LIST, {"q": "第1", "is_working": "1", "p": "1"}).content.decode()
    assert f'href="{EXPORT}?q=%E7%AC%AC1&amp;is_working=1&amp;p=1"' in listed
    wanted = [f"第{number}天" for number in (18, 16, 14, 12, 10)]
    assert "将导出5条" in text_of(client.get(EXPORT + "?q=第1&is_working=1"))
    assert exported(client, "?q=第1&is_working=1") == wanted
    assert len(exported(client)) == 30
    assert days.taken == [5, 30]


def test_nothing_leaves_by_looking_at_the_page(cast: Cast, days: DaySheet) -> None:
    some_days()
    client = signed_in(cast.admin)
    shown = text_of(client.get(EXPORT))
    assert "填报单位：管理员" in shown
    assert "日期、安排、说明" in shown
    assert "没有可以导出的内容" in text_of(client.get(EXPORT + "?q=没有这一天"))
    assert "没有可以导出的内容" in text_of(client.post(EXPORT + "?q=没有这一天"))
    assert days.taken == []


@pytest.mark.parametrize("query", ["?note__startswith=第", "?p=999", "?p=x", "?o=1.2.x", "?is_working=maybe"])
def test_no_address_gets_more_than_the_list_would_show(cast: Cast, query: str) -> None:
    some_days()
    client = signed_in(cast.admin)
    assert client.get(EXPORT + query).status_code in {200, 400}


def test_a_long_ledger_is_made_by_a_worker(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    some_days()
    monkeypatch.setattr(sheet_jobs, "AT_ONCE", 10)
    client = signed_in(cast.admin)
    assert "由后台生成" in text_of(client.get(EXPORT))
    answer = client.post(EXPORT + "?is_working=1")
    job = done(Job.objects.get(kind=sheet_jobs.EXPORT))
    assert answer["Location"] == f"/jobs/{job.pk}/"
    assert len(job.params["ids"]) == 15
    assert "导出调休日台账" in text_of(client.get(answer["Location"]))


# --- In a browser -------------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_dry_run_appears_by_itself_and_is_confirmed_with_one_click(
    live_server: Any, page: Any, transactional_cast: Cast, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    file = tmp_path / "调休.csv"
    file.write_bytes(table(*GOOD, BAD))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{live_server.url}/accounts/login/?next={START}")
    page.fill("#id_username", transactional_cast.admin.phone)
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    page.set_input_files("#id_upload", file)
    page.get_by_role("button", name="上传并核对").click()
    expect(page.get_by_text("可以关掉这一页")).to_be_visible()
    done(Job.objects.get(kind=sheet_jobs.CHECK))
    page.get_by_label("有错误的 1 行不导入，其余 2 行导入").check()
    page.get_by_role("button", name="确认导入 2 行").click()
    expect(page.get_by_text("可以关掉这一页")).to_be_visible()
    done(Job.objects.get(kind=sheet_jobs.WRITE))
    expect(page.get_by_text("已导入：新增 2 行，修改 0 行。")).to_be_visible()
    assert CalendarDay.objects.count() == 2
    assert complaints == []
