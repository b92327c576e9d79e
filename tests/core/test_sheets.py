"""A list by Excel: dry run, confirmation, import, export; whatever happens to the person, the worker or the file."""

import csv
import datetime
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.db import connections
from django.utils import timezone
from openpyxl import load_workbook

from core import jobs
from core.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from core.models import CalendarDay, Job, JobState, Notice
from core.sheets import jobs as sheet_jobs
from core.sheets import register, sheet_of, submit_check, submit_import
from core.tasks import clean_up_brief_jobs, run_job
from tests.cast import Cast
from tests.core.day_sheet import DaySheet, ResidentSheet, checked, confirmed, done, unregister
from tests.factories import fresh, make_user

pytestmark = pytest.mark.django_db

GOOD = [["2026-10-08", "休息", "县庆"], ["2026-10-09", "上班", ""]]
BAD = ["2026-10-10", "放假", "随便"]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def days() -> Iterator[DaySheet]:
    sheet = DaySheet()
    register(sheet)
    yield sheet
    unregister()


@pytest.fixture
def residents() -> Iterator[DaySheet]:
    sheet = ResidentSheet()
    register(sheet)
    yield sheet
    unregister()


def table(*rows: list[Any], headers: tuple[str, ...] = ("日期", "安排", "说明")) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([headers, *rows])
    return out.getvalue().encode("utf-8-sig")


def standing() -> dict[str, tuple[bool, str]]:
    return {f"{row.date:%m-%d}": (row.is_working, row.note) for row in CalendarDay.objects.all()}


def figures(job: Job) -> tuple[int, int, int, int]:
    found = job.report["sheet"]
    return found["created"], found["updated"], found["unchanged"], found["bad_rows"]


def kept_files(store: Path) -> int:
    return sum(path.is_file() for path in store.rglob("*"))


# --- The way through ----------------------------------------------------------------------------------------------------


def test_a_dry_run_shows_and_the_import_does(cast: Cast, days: DaySheet) -> None:
    CalendarDay.objects.create(date="2026-10-09", is_working=True)
    check = checked(cast.admin, days, table(*GOOD))
    assert (check.state, figures(check)) == (JobState.DONE, (1, 0, 1, 0))
    assert check.report["sheet"]["sample"] == [{"row": 2, "what": "新增", "name": "2026-10-08", "changes": []}]
    assert "按公历读取。" in check.report["sheet"]["notes"]
    assert list(standing()) == ["10-09"]
    assert days.brought == []
    job = confirmed(cast.admin, check)
    assert (job.state, figures(job), job.report["sheet"]["written"]) == (JobState.DONE, (1, 0, 1, 0), True)
    assert standing() == {"10-08": (False, "县庆"), "10-09": (True, "")}
    (found,) = days.brought
    assert (found["rows"], found["created"], found["unchanged"]) == (2, 1, 1)
    assert job.params["prepared"] == 1
    assert ["准备", "1 天"] in job.report["lines"]


def test_the_same_file_twice_changes_nothing(cast: Cast, days: DaySheet) -> None:
    confirmed(cast.admin, checked(cast.admin, days, table(*GOOD)))
    before = standing()
    for update in (False, True):
        check = checked(cast.admin, days, table(*GOOD), update=update)
        assert figures(check) == (0, 0, 2, 0)
        job = confirmed(cast.admin, check)
        assert (job.state, figures(job)) == (JobState.DONE, (0, 0, 2, 0))
    assert standing() == before
    assert len(days.brought) == 1


def test_what_stands_is_changed_only_if_the_person_says_so(cast: Cast, days: DaySheet) -> None:
    confirmed(cast.admin, checked(cast.admin, days, table(*GOOD)))
    other = table(["2026-10-08", "上班", "校庆"], GOOD[1])
    check = checked(cast.admin, days, other)
    assert figures(check) == (0, 0, 1, 1)
    ((row, column, reason, _value),) = check.report["sheet"]["errors"]
    assert (row, column) == (2, "安排")
    assert "安排、说明" in reason
    check = checked(cast.admin, days, other, update=True)
    assert figures(check) == (0, 1, 1, 0)
    (line,) = check.report["sheet"]["sample"]
    assert line["what"] == "修改"
    assert ["说明", "县庆", "校庆"] in line["changes"]
    confirmed(cast.admin, check)
    assert standing()["10-08"] == (True, "校庆")


def test_a_list_without_the_switch_changes_nothing_whoever_asks(cast: Cast, days: DaySheet) -> None:
    days.can_update = False
    confirmed(cast.admin, checked(cast.admin, days, table(*GOOD)))
    check = checked(cast.admin, days, table(["2026-10-08", "上班", ""]), update=True)
    assert figures(check) == (0, 0, 0, 1)


def test_bad_rows_come_back_beside_their_faults_and_stop_everything(cast: Cast, days: DaySheet) -> None:
    check = checked(cast.admin, days, table(*GOOD, BAD))
    assert figures(check) == (2, 0, 0, 1)
    ((row, column, reason, value),) = check.report["sheet"]["errors"]
    assert (row, column, value) == (4, "安排", "放假")
    assert "上班、休息" in reason
    page = load_workbook(check.result.open("rb")).active
    assert page is not None
    assert page["D1"].value == "错误信息"
    assert (page["D2"].value, page["D4"].value is None) == (None, False)
    assert check.params["result_name"] == "调休（错误信息）.xlsx"
    with pytest.raises(Conflict, match="有错误的行"):
        submit_import(actor=fresh(cast.admin), check=check)
    assert not Job.objects.filter(kind=sheet_jobs.WRITE).exists()
    assert standing() == {}


def test_the_good_rows_go_in_if_the_person_says_so(cast: Cast, days: DaySheet) -> None:
    job = confirmed(cast.admin, checked(cast.admin, days, table(*GOOD, BAD)), keep_good=True)
    assert (figures(job), job.report["sheet"]["written"]) == ((2, 0, 0, 1), True)
    assert len(standing()) == 2
    mended = io.BytesIO(job.result.read())
    book = load_workbook(mended)
    assert book.active is not None
    book.active["B4"] = "休息"
    out = io.BytesIO()
    book.save(out)
    job = confirmed(cast.admin, checked(cast.admin, days, out.getvalue(), name="调休.xlsx"))
    assert figures(job) == (1, 0, 2, 0)
    assert len(standing()) == 3


def test_rows_that_broke_between_looking_and_confirming_stop_the_import(cast: Cast, days: DaySheet) -> None:
    check = checked(cast.admin, days, table(*GOOD))
    CalendarDay.objects.create(date="2026-10-08", is_working=True)
    job = confirmed(cast.admin, check)
    assert (job.state, job.report["sheet"]["written"], figures(job)) == (JobState.DONE, False, (1, 0, 0, 1))
    assert list(standing()) == ["10-08"]
    assert job.result


def test_rows_that_collide_while_they_are_written_undo_everything(
    cast: Cast, days: DaySheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = checked(cast.admin, days, table(*GOOD))
    judge = days.plan

    def overtaken(task: Any) -> Any:
        plan = judge(task)
        CalendarDay.objects.create(date="2026-10-09", is_working=False)
        return plan

    monkeypatch.setattr(days, "plan", overtaken)
    job = confirmed(cast.admin, check)
    assert job.state == JobState.FAILED
    assert "重新上传" in job.error
    assert list(standing()) == ["10-09"]
    assert days.brought == []


@pytest.mark.django_db(transaction=True)
def test_progress_is_told_while_rows_are_judged(
    transactional_cast: Cast, days: DaySheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PROGRESS_SECONDS", 0)
    job = submit_check(
        actor=fresh(transactional_cast.admin), sheet=days, upload=ContentFile(table(*GOOD), name="a.csv")
    )
    seen: list[tuple[int, int]] = []
    beat = jobs.JobRun._beat

    def watched(run: jobs.JobRun) -> None:
        beat(run)
        seen.append(Job.objects.values_list("done", "total").get(pk=job.pk))

    monkeypatch.setattr(jobs.JobRun, "_beat", watched)
    run_job(job.pk)
    assert seen[:2] == [(0, 2), (1, 2)]


# --- Who ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["a.secretary", "street_officer", "department", "auditor", "superuser", "nobody"])
def test_whoever_lacks_the_right_asks_in_vain(cast: Cast, days: DaySheet, role: str) -> None:
    user = fresh(cast.people()[role])
    with pytest.raises(Forbidden, match="权限"):
        submit_check(actor=user, sheet=days, upload=ContentFile(table(*GOOD), name="a.csv"))
    with pytest.raises(Forbidden):
        sheet_jobs.check(actor=user, sheet=days, content=table(*GOOD), filename="a.csv")
    with pytest.raises(Forbidden):
        sheet_jobs.export(actor=user, sheet=days, ids=[1])
    assert not Job.objects.exists()


def test_a_list_whose_doors_are_closed_is_closed_to_everybody(cast: Cast, days: DaySheet) -> None:
    days.right = days.export_right = ""
    with pytest.raises(Forbidden):
        submit_check(actor=fresh(cast.admin), sheet=days, upload=ContentFile(table(*GOOD), name="a.csv"))
    with pytest.raises(Forbidden):
        sheet_jobs.export(actor=fresh(cast.admin), sheet=days, ids=[1])


def test_rights_lost_after_looking_stop_the_confirmation(cast: Cast, days: DaySheet) -> None:
    check = checked(cast.admin, days, table(*GOOD))
    cast.admin.appointments.all().delete()
    with pytest.raises(Forbidden):
        submit_import(actor=fresh(cast.admin), check=check)
    assert standing() == {}


def test_rights_lost_after_confirming_stop_the_import(cast: Cast, days: DaySheet) -> None:
    job = submit_import(actor=fresh(cast.admin), check=checked(cast.admin, days, table(*GOOD)))
    cast.admin.appointments.all().delete()
    job = done(job)
    assert job.state == JobState.FAILED
    assert "权限" in job.error
    assert standing() == {}


def test_a_dry_run_is_confirmed_by_whoever_asked_for_it(cast: Cast, days: DaySheet) -> None:
    check = checked(cast.admin, days, table(*GOOD))
    with pytest.raises(NotFound):
        submit_import(actor=fresh(cast.other_county_admin), check=check)
    job = submit_import(actor=fresh(cast.admin), check=check)
    with pytest.raises(NotFound):  # an import is no dry run
        submit_import(actor=fresh(cast.admin), check=job)


def test_nothing_is_confirmed_before_it_was_looked_at(cast: Cast, days: DaySheet) -> None:
    check = submit_check(actor=fresh(cast.admin), sheet=days, upload=ContentFile(table(*GOOD), name="a.csv"))
    with pytest.raises(Conflict, match="还没有核对完"):
        submit_import(actor=fresh(cast.admin), check=check)
    failed = checked(cast.admin, days, b"%PDF-1.7", name="a.xlsx")
    with pytest.raises(Conflict):
        submit_import(actor=fresh(cast.admin), check=failed)


def test_a_list_nobody_knows_is_not_found() -> None:
    with pytest.raises(NotFound):
        sheet_of("days")


# --- What may happen to a job -------------------------------------------------------------------------------------------


def test_confirming_twice_imports_once(cast: Cast, days: DaySheet) -> None:
    check = checked(cast.admin, days, table(*GOOD))
    first = submit_import(actor=fresh(cast.admin), check=check)
    assert submit_import(actor=fresh(cast.admin), check=check) == first
    done(first)
    assert submit_import(actor=fresh(cast.admin), check=check) == first
    assert len(days.brought) == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_import(transactional_cast: Cast, days: DaySheet) -> None:
    admin = transactional_cast.admin
    check = checked(admin, days, table(*GOOD))
    barrier, found, failed = threading.Barrier(4), [], []

    def click() -> None:
        try:
            barrier.wait(timeout=20)
            found.append(submit_import(actor=fresh(admin), check=Job.objects.get(pk=check.pk)).pk)
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    clicks = [threading.Thread(target=click) for _number in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join(timeout=60)
    assert failed == []
    assert len(set(found)) == 1
    assert Job.objects.filter(kind=sheet_jobs.WRITE).count() == 1


def test_an_import_that_failed_may_be_confirmed_again(
    cast: Cast, days: DaySheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = checked(cast.admin, days, table(*GOOD))
    with monkeypatch.context() as broken:
        broken.setattr(days, "write", lambda task, plan: 1 / 0)
        assert confirmed(cast.admin, check).state == JobState.FAILED
    assert standing() == {}
    assert confirmed(cast.admin, check).state == JobState.DONE
    assert len(standing()) == 2


class WorkerKilledError(BaseException):
    """Nothing in the portal may catch it, as nothing catches a kill."""


def killed(*args: Any, **kwargs: Any) -> None:
    raise WorkerKilledError


def again(job: Job) -> Job:
    """What the sweeper does with a job whose worker fell silent; then another worker takes it."""
    Job.objects.filter(pk=job.pk).update(state=JobState.WAITING)
    return done(job)


def test_a_worker_killed_before_the_commit_leaves_nothing_and_the_next_one_does_it_all(
    cast: Cast, days: DaySheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit_import(actor=fresh(cast.admin), check=checked(cast.admin, days, table(*GOOD)))
    with monkeypatch.context() as death:
        death.setattr(days, "imported", killed)
        with pytest.raises(WorkerKilledError):
            run_job(job.pk)
    assert standing() == {}
    assert figures(again(job)) == (2, 0, 0, 0)
    assert len(standing()) == 2


def test_a_worker_killed_after_the_commit_has_lost_nothing(
    cast: Cast, days: DaySheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = checked(cast.admin, days, table(*GOOD, BAD))
    job = submit_import(actor=fresh(cast.admin), check=check, keep_good=True)
    with monkeypatch.context() as death:
        death.setattr(jobs.JobRun, "finish", killed)
        with pytest.raises(WorkerKilledError):
            run_job(job.pk)
    assert len(standing()) == 2
    assert Job.objects.get(pk=job.pk).state == JobState.RUNNING
    job = again(job)
    assert (job.state, figures(job)) == (JobState.DONE, (2, 0, 0, 1))
    assert job.params["prepared"] == 2
    assert "放假" in str(load_workbook(job.result.open("rb")).active["D4"].value)  # type: ignore[index]
    assert len(days.brought) == 1
    assert len(standing()) == 2


def test_a_worker_that_was_given_up_writes_nothing_any_more(
    cast: Cast, days: DaySheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit_import(actor=fresh(cast.admin), check=checked(cast.admin, days, table(*GOOD)))

    def slow(*args: Any) -> None:
        # The sweeper has given the job to somebody else in the meantime.
        Job.objects.filter(pk=job.pk).update(attempts=2)

    monkeypatch.setattr(days, "imported", slow)
    run_job(job.pk)
    assert standing() == {}


def test_a_file_that_is_no_longer_kept_is_asked_for_again(cast: Cast, days: DaySheet) -> None:
    check = checked(cast.admin, days, table(*GOOD))
    job = submit_import(actor=fresh(cast.admin), check=check)
    job.upload.storage.delete(job.upload.name)
    job = done(job)
    assert (job.state, "重新上传" in job.error) == (JobState.FAILED, True)
    check.upload.storage.delete(check.upload.name)
    with pytest.raises(NotFound, match="重新上传"):
        submit_import(actor=fresh(cast.admin), check=check)
    jobs.drop_files(check)
    check.refresh_from_db()
    with pytest.raises(NotFound, match="重新上传"):
        submit_import(actor=fresh(cast.admin), check=check)


# --- Files of residents -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_table_of_residents_is_gone_once_it_is_in(transactional_cast: Cast, residents: DaySheet, store: Path) -> None:
    admin = transactional_cast.admin
    check = checked(admin, residents, table(*GOOD, BAD), name="张三一家.csv")
    assert kept_files(store) == 2
    job = confirmed(admin, check, keep_good=True)
    check.refresh_from_db()
    assert (check.upload.name, check.result.name, job.upload.name) == ("", "", "")
    # What is wrong with the rows left out can still be fetched.
    assert kept_files(store) == 1
    assert job.result.read()
    with pytest.raises(NotFound):
        jobs.files.serve(user=admin, word="job-upload", pk=job.pk)


def test_no_page_of_a_job_tells_what_stands_in_a_row_of_residents(cast: Cast, residents: DaySheet) -> None:
    CalendarDay.objects.create(date="2026-10-08", is_working=True, note="李四")
    job = checked(cast.admin, residents, table(*GOOD, BAD), name="张三一家.csv", update=True)
    assert [line["changes"] for line in job.report["sheet"]["sample"]] == [[["安排", "", ""], ["说明", "", ""]], []]
    told = f"{job.title} {job.report['sheet']['sample']}"
    for secret in ("张三", "李四", "县庆", "2026-10"):
        assert secret not in told
    assert job.report["sheet"]["errors"][0][3] == ""
    assert all("张三" not in notice.title for notice in Notice.objects.all())


@pytest.mark.django_db(transaction=True)
def test_unconfirmed_tables_error_files_and_ledgers_of_residents_are_gone_within_a_day(
    transactional_cast: Cast, residents: DaySheet, store: Path
) -> None:
    admin = transactional_cast.admin
    confirmed(admin, checked(admin, residents, table(*GOOD, BAD)), keep_good=True)
    checked(admin, residents, table(BAD), name="张三一家.csv")
    ids = list(CalendarDay.objects.values_list("pk", flat=True))
    ledger = done(sheet_jobs.submit_export(actor=fresh(admin), sheet=residents, ids=ids))
    assert ledger.result
    clean_up_brief_jobs()
    assert kept_files(store) == 4
    with time_machine.travel(timezone.now() + datetime.timedelta(hours=24)):
        clean_up_brief_jobs()
    assert kept_files(store) == 0
    for job in Job.objects.all():
        assert (job.upload.name, job.result.name) == ("", "")
        assert set(job.report) == {"lines"}
        assert "张三" not in f"{job.title}{job.params}{job.report}"
    # The rows themselves stay, of course.
    assert len(standing()) == 2


@pytest.mark.django_db(transaction=True)
def test_files_of_residents_go_at_once_when_somebody_is_to_be_forgotten(
    transactional_cast: Cast, residents: DaySheet, store: Path
) -> None:
    admin = transactional_cast.admin
    check = checked(admin, residents, table(*GOOD))
    waiting = submit_import(actor=fresh(admin), check=check)
    assert sheet_jobs.forget(residents) == 2
    assert kept_files(store) == 0
    assert done(waiting).state == JobState.FAILED
    assert standing() == {}


def test_ordinary_tables_are_kept_a_month(cast: Cast, days: DaySheet, store: Path) -> None:
    checked(cast.admin, days, table(*GOOD, BAD))
    with time_machine.travel(timezone.now() + datetime.timedelta(days=29)):
        clean_up_brief_jobs()
        jobs.clean_up()
    assert kept_files(store) == 2


# --- Going out ----------------------------------------------------------------------------------------------------------


def test_a_ledger_holds_the_chosen_rows_in_their_order_and_is_written_down(cast: Cast, days: DaySheet) -> None:
    confirmed(cast.admin, checked(cast.admin, days, table(*GOOD)))
    ids = list(CalendarDay.objects.order_by("-date").values_list("pk", flat=True))
    content = sheet_jobs.export(actor=fresh(cast.admin), sheet=days, ids=[*ids, 10**9])
    page = load_workbook(io.BytesIO(content)).active
    assert page is not None
    assert page["A1"].value == "调休日台账"
    assert [[str(cell.value or "")[:10] for cell in row] for row in page["A3:D5"]] == [
        ["序号", "日期", "安排", "说明"],
        ["1", "2026-10-09", "上班", ""],
        ["2", "2026-10-08", "休息", "县庆"],
    ]
    assert page.oddHeader.right.text.startswith("管理员")
    assert days.taken == [2]


def test_a_ledger_comes_back_as_an_import_in_which_nothing_is_new(cast: Cast, days: DaySheet) -> None:
    confirmed(cast.admin, checked(cast.admin, days, table(*GOOD)))
    ids = list(CalendarDay.objects.values_list("pk", flat=True))
    content = sheet_jobs.export(actor=fresh(cast.admin), sheet=days, ids=ids)
    assert figures(checked(cast.admin, days, content, name="台账.xlsx")) == (0, 0, 2, 0)


def test_nothing_and_too_much_are_no_ledger(cast: Cast, days: DaySheet) -> None:
    for ids in ([], [10**9], list(range(sheet_jobs.MOST + 1))):
        with pytest.raises(Invalid):
            sheet_jobs.export(actor=fresh(cast.admin), sheet=days, ids=ids)
    assert days.taken == []


def test_a_long_ledger_is_a_job_judged_by_the_rights_of_the_moment(cast: Cast, days: DaySheet) -> None:
    confirmed(cast.admin, checked(cast.admin, days, table(*GOOD)))
    ids = list(CalendarDay.objects.values_list("pk", flat=True))
    job = done(sheet_jobs.submit_export(actor=fresh(cast.admin), sheet=days, ids=ids))
    assert job.state == JobState.DONE
    assert load_workbook(job.result.open("rb")).active["B4"].value is not None  # type: ignore[index]
    job = sheet_jobs.submit_export(actor=fresh(cast.admin), sheet=days, ids=ids)
    cast.admin.appointments.all().delete()
    assert done(job).state == JobState.FAILED
    assert days.taken == [2]


# --- Tables nobody should send ------------------------------------------------------------------------------------------


def test_a_file_above_the_limit_is_refused_before_it_is_kept(cast: Cast, days: DaySheet, store: Path) -> None:
    big = ContentFile(b"", name="调休.xlsx")
    big.size = 200 * 1024 * 1024
    with pytest.raises(TooLarge, match="文件有 200 MB，最大 20 MB"):
        submit_check(actor=fresh(cast.admin), sheet=days, upload=big)
    assert not Job.objects.exists()
    assert kept_files(store) == 0


def test_nobody_imports_where_there_is_no_place_for_them(cast: Cast, days: DaySheet) -> None:
    lost = make_user("无处可去", county=cast.county)
    cast.admin.appointments.update(user=lost)
    with pytest.raises(NotFound):
        submit_check(actor=fresh(lost), sheet=days, upload=ContentFile(table(*GOOD), name="a.csv"))
