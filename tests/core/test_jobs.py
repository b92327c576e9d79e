"""Jobs: started after commit, run once, seen by their owner alone, started again when a worker dies."""

import datetime
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError, connections, transaction
from django.test import Client
from django.utils import timezone

from core import jobs, notices
from core.actors import SYSTEM
from core.errors import Invalid, TooLarge
from core.jobs import JobRun
from core.models import Job, JobState, Notice, OutboxMessage, User
from core.tasks import clean_up, run_job, sweep_jobs
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user("王一")


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def kind() -> Iterator[Callable[[Callable[[JobRun], Any]], str]]:
    """Registers a function as the work of the kind "test"."""

    def register(work: Callable[[JobRun], Any]) -> str:
        jobs.job_kind("test", label="试验")(work)
        return "test"

    yield register
    jobs._kinds.pop("test", None)


def submit(owner: User, **details: Any) -> Job:
    values = {"actor": owner, "kind": "test", "title": "导入诉求", "params": {}, **details}
    with transaction.atomic():
        return jobs.submit(**values)


def done(job: Job) -> Job:
    run_job(job.pk)
    job.refresh_from_db()
    return job


# --- Running ----------------------------------------------------------------------------------------------------------


def test_a_job_does_its_work_and_reports(owner: User, kind: Any) -> None:
    def work(run: JobRun) -> dict[str, Any]:
        assert run.actor == owner
        with run.upload() as file:
            rows = file.read().decode().splitlines()
        run.progress(len(rows), len(rows))
        run.save_result("问题行.csv", b"row\n")
        return {"lines": [["新增", len(rows)]], "params": run.params["community"]}

    kind(work)
    job = done(submit(owner, params={"community": 7}, upload=ContentFile("甲\n乙\n".encode(), name="诉求.csv")))
    assert (job.state, job.done, job.total, job.error) == (JobState.DONE, 2, 2, "")
    assert job.report == {"lines": [["新增", 2]], "params": 7}
    assert job.params == {"community": 7, "upload_name": "诉求.csv", "result_name": "问题行.csv"}
    assert job.result.read() == b"row\n"
    assert job.finished_at is not None


def test_submitting_starts_the_job_after_commit_only(
    owner: User, kind: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    kind(lambda run: None)
    with django_capture_on_commit_callbacks() as callbacks:
        job = submit(owner)
        assert job.state == JobState.WAITING
    assert [(start.name, start.args) for start in callbacks] == [("core.tasks.run_job", (job.pk,))]


def test_an_unknown_kind_is_refused(owner: User) -> None:
    with pytest.raises(LookupError):
        submit(owner, kind="nobody_registered_this")
    assert not Job.objects.exists()


def test_a_file_that_is_too_large_is_refused_and_not_kept(owner: User, kind: Any, store: Path) -> None:
    kind(lambda run: None)
    upload = ContentFile(b"", name="big.xlsx")
    upload.size = jobs.MAX_UPLOAD_BYTES + 1
    with pytest.raises(TooLarge):
        submit(owner, upload=upload)
    assert not Job.objects.exists()
    assert list(store.rglob("*.xlsx")) == []


def test_the_name_of_an_upload_decides_nothing_about_where_it_is_kept(owner: User, kind: Any, store: Path) -> None:
    kind(lambda run: None)
    upload = ContentFile(b"x", name="x")
    upload.name = "../../../etc/passwd.html"
    job = submit(owner, upload=upload)
    assert job.params["upload_name"] == "passwd.html"
    assert Path(job.upload.path).is_relative_to(store / "jobs" / "in")
    assert Path(job.upload.path).suffix == ""


def test_a_refusal_of_the_work_is_what_the_owner_reads(owner: User, kind: Any) -> None:
    def work(run: JobRun) -> None:
        raise Invalid("第 3 行缺少“标题”。", fields={"标题": "必填"})

    kind(work)
    job = done(submit(owner))
    assert (job.state, job.error, job.report) == (JobState.FAILED, "第 3 行缺少“标题”。", {"fields": {"标题": "必填"}})


def test_an_unexpected_error_shows_no_internals(owner: User, kind: Any) -> None:
    def work(run: JobRun) -> None:
        raise ZeroDivisionError("secret detail")

    kind(work)
    job = done(submit(owner))
    assert job.state == JobState.FAILED
    assert "secret" not in job.error
    assert str(job.pk) in job.error


def test_a_busy_database_means_another_try(owner: User, kind: Any) -> None:
    tries = []

    def work(run: JobRun) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("database is locked")

    kind(work)
    job = done(submit(owner))
    assert job.state == JobState.WAITING
    assert done(job).state == JobState.DONE


def test_work_asked_for_by_an_account_that_was_stopped_is_not_done(owner: User, kind: Any) -> None:
    worked = []
    kind(lambda run: worked.append(run))
    job = submit(owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert done(job).state == JobState.FAILED
    assert worked == []


def test_a_kind_that_is_gone_fails_with_a_word(owner: User, kind: Any) -> None:
    kind(lambda run: None)
    job = submit(owner)
    jobs._kinds.pop("test")
    assert done(job).state == JobState.FAILED
    assert job.error


def test_the_system_may_ask_for_work_too(kind: Any) -> None:
    kind(lambda run: {"actor": run.actor.name})
    job = done(submit(SYSTEM))  # type: ignore[arg-type]
    assert (job.owner, job.report) == (None, {"actor": "系统"})


@pytest.mark.parametrize("fails", [False, True])
def test_the_owner_is_told_when_it_is_over(owner: User, kind: Any, fails: bool) -> None:
    def work(run: JobRun) -> None:
        if fails:
            raise Invalid("不行")

    kind(work)
    job = done(submit(owner))
    notices.deliver()
    notice = Notice.objects.get(reader=owner)
    assert notice.link == f"/jobs/{job.pk}/"
    assert ("没有完成" in notice.title) is fails


def test_a_job_runs_once_however_often_it_is_started(owner: User, kind: Any) -> None:
    worked = []
    kind(lambda run: worked.append(1))
    job = submit(owner)
    run_job(job.pk)
    run_job(job.pk)
    run_job(job.pk + 1)
    assert worked == [1]


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_gets_the_job(kind: Any) -> None:
    worked = []
    kind(lambda run: worked.append(1))
    job = submit(make_user("王一"))
    barrier = threading.Barrier(2, timeout=30)

    def run() -> None:
        try:
            barrier.wait()
            run_job(job.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worked == [1]


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_while_the_work_goes_on_but_costs_little(
    kind: Any, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    seen: list[tuple[int, int]] = []

    def work(run: JobRun) -> None:
        run.progress(1, 1000)
        seen.append(Job.objects.values_list("done", "total").get())
        with django_assert_max_num_queries(2):
            for number in range(1000):
                run.progress(number, 1000)

    kind(work)
    job = done(submit(make_user("王一")))
    assert seen == [(1, 1000)]
    assert (job.done, job.state) == (1000, JobState.DONE)


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_progress_waits_for_the_beat(
    kind: Any, django_assert_num_queries: Callable[[int], Any]
) -> None:
    def work(run: JobRun) -> None:
        with transaction.atomic(), django_assert_num_queries(0):
            run.progress(5, 10)
        run._beat()
        assert Job.objects.get().done == 5

    kind(work)
    assert done(submit(make_user("王一"))).error == ""


@pytest.mark.django_db(transaction=True)
def test_a_silent_work_still_beats(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.02)

    def work(run: JobRun) -> dict[str, bool]:
        began = Job.objects.get().beat_at
        deadline = timezone.now() + datetime.timedelta(seconds=20)
        while Job.objects.get().beat_at == began and timezone.now() < deadline:
            threading.Event().wait(0.02)
        return {"beat": Job.objects.get().beat_at != began}

    kind(work)
    assert done(submit(make_user("王一"))).report == {"beat": True}


# --- The sweeper ------------------------------------------------------------------------------------------------------


def later(minutes: float) -> Any:
    return time_machine.travel(timezone.now() + datetime.timedelta(minutes=minutes))


def test_a_job_whose_start_was_lost_is_started_again(
    owner: User, kind: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    kind(lambda run: None)
    job = submit(owner)
    with django_capture_on_commit_callbacks() as callbacks:
        sweep_jobs()
    assert callbacks == []
    with later(3), django_capture_on_commit_callbacks() as callbacks:
        sweep_jobs()
        sweep_jobs()
    assert [(start.name, start.args) for start in callbacks] == [("core.tasks.run_job", (job.pk,))]
    assert done(job).state == JobState.DONE


def test_a_job_whose_worker_died_is_started_again_but_not_for_ever(owner: User, kind: Any) -> None:
    kind(lambda run: None)
    job = submit(owner)
    for attempt in range(1, jobs.MAX_ATTEMPTS + 1):
        # Claimed by a worker that was killed at once.
        Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, attempts=attempt, beat_at=timezone.now())
        assert jobs.sweep() == 0
        with later(6):
            assert jobs.sweep() == 1
        job.refresh_from_db()
        assert job.state == (JobState.WAITING if attempt < jobs.MAX_ATTEMPTS else JobState.FAILED)
    assert "多次中断" in job.error
    assert OutboxMessage.objects.filter(key=f"job:{job.pk}:failed").exists()


def test_a_slow_worker_whose_job_was_given_away_writes_nothing_more(owner: User, kind: Any) -> None:
    def work(run: JobRun) -> dict[str, str]:
        if run.job.attempts == 1:
            Job.objects.filter(pk=run.job.pk).update(state=JobState.WAITING)
            run_job(run.job.pk)
            return {"by": "slow"}
        return {"by": "second"}

    kind(work)
    job = done(submit(owner))
    assert (job.state, job.report, job.attempts) == (JobState.DONE, {"by": "second"}, 2)


def test_a_slow_worker_does_not_close_the_job_another_one_is_at(owner: User, kind: Any) -> None:
    kind(lambda run: Job.objects.filter(pk=run.job.pk).update(attempts=2) and None)
    job = done(submit(owner))
    assert (job.state, job.finished_at) == (JobState.RUNNING, None)
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_slow_worker_stops_at_its_next_progress(kind: Any) -> None:
    reached = []

    def work(run: JobRun) -> None:
        Job.objects.filter(pk=run.job.pk).update(state=JobState.WAITING)
        run.progress(1, 2)
        run.progress(2, 2)
        reached.append(1)

    kind(work)
    assert done(submit(make_user("王一"))).state == JobState.WAITING
    assert reached == []


def test_files_go_after_thirty_days_and_the_report_stays(owner: User, kind: Any, store: Path) -> None:
    kind(lambda run: run.save_result("结果.xlsx", b"x"))
    job = done(submit(owner, upload=ContentFile(b"x", name="a.csv")))
    default_storage.save("photos/stays.jpg", ContentFile(b"x"))
    default_storage.save("jobs/in/2026/03/never-committed.csv", ContentFile(b"x"))
    clean_up()
    assert len([path for path in store.rglob("*") if path.is_file()]) == 4
    with later(31 * 24 * 60):
        clean_up()
    job.refresh_from_db()
    assert (bool(job.upload), bool(job.result), job.state) == (False, False, JobState.DONE)
    assert [path.name for path in store.rglob("*") if path.is_file()] == ["stays.jpg"]


# --- Pages ------------------------------------------------------------------------------------------------------------


def test_the_page_asks_for_progress_until_the_job_is_over(client: Client, owner: User, kind: Any) -> None:
    kind(lambda run: {"lines": [["新增", 12]], "problems": [[3, "标题", "不能为空"]]})
    job = submit(owner)
    client.force_login(owner)
    waiting = client.get(f"/jobs/{job.pk}/").content.decode()
    assert f'hx-get="/jobs/{job.pk}/progress/?poll=1"' in waiting
    assert "排队中" in waiting
    done(job)
    for address in (f"/jobs/{job.pk}/", f"/jobs/{job.pk}/progress/"):
        page = client.get(address).content.decode()
        assert "hx-get" not in page
        assert "已完成" in page
        assert "新增" in page
        assert "不能为空" in page


def test_the_owner_alone_sees_a_job_and_its_files(client: Client, owner: User, kind: Any) -> None:
    kind(lambda run: run.save_result("结果.xlsx", b"content"))
    job = done(submit(owner, upload=ContentFile(b"secret", name="a.csv")))
    addresses = [f"/jobs/{job.pk}/", f"/jobs/{job.pk}/progress/", f"/files/job-result/{job.pk}/"]
    for stranger in (make_user("陌生人"), make_user("系统维护", is_superuser=True)):
        client.force_login(stranger)
        assert {client.get(address).status_code for address in addresses} == {404}
        assert "导入诉求" not in client.get("/jobs/").content.decode()
    client.force_login(owner)
    assert {client.get(address).status_code for address in addresses} == {200}
    assert "导入诉求" in client.get("/jobs/").content.decode()


def test_a_result_is_downloaded_under_its_own_name(client: Client, owner: User, kind: Any) -> None:
    kind(lambda run: run.save_result("结果 2026.xlsx", b"content"))
    job = done(submit(owner))
    client.force_login(owner)
    response = client.get(f"/files/job-result/{job.pk}/")
    assert b"".join(response.streaming_content) == b"content"
    assert response["Content-Disposition"].startswith("attachment")
    assert "%E7%BB%93%E6%9E%9C" in response["Content-Disposition"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_moves_by_itself_without_breaking_the_content_policy(live_server: Any, page: Any, kind: Any) -> None:
    kind(lambda run: None)
    owner = make_user("王一")
    job = submit(owner)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{live_server.url}/accounts/login/?next=/jobs/{job.pk}/")
    page.fill("#id_username", owner.phone)
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    page.wait_for_selector("text=排队中")
    Job.objects.update(state=JobState.RUNNING, done=312, total=715)
    page.wait_for_selector("text=312 / 715")
    Job.objects.update(state=JobState.DONE, finished_at=timezone.now())
    page.wait_for_selector("text=已完成")
    assert complaints == []
