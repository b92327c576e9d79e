"""The import on the desk: upload, dry run, confirmation, result; and the two jobs behind it, whatever happens to them."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from core import jobs
from core.errors import Conflict, Forbidden, NotFound, TooLarge
from core.jobs import JobRun
from core.models import Job, JobState, OutboxMessage, User
from core.tasks import run_job
from grids.models import GridNode
from services.actions import import_jobs, importing
from services.models import Demand
from tests.cast import Cast
from tests.factories import PASSWORD, fresh, make_appointment
from tests.services.import_tables import HEADERS, as_csv, as_xlsx, rows
from tests.services.test_import_demands import bad_table, everything, row

pytestmark = pytest.mark.django_db

START = "/admin/services/demand/import/"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user))
    return client


def table(content: bytes | None = None, name: str = "来件.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, as_csv(rows(12)) if content is None else content)


def upload(client: Client, cast: Cast, file: Any = None, community: GridNode | None = None) -> Any:
    place = community or cast.a.node
    return client.post(START, {"community": place.pk, "upload": table() if file is None else file})


def checked(client: Client, cast: Cast, content: bytes | None = None, name: str = "来件.csv") -> Job:
    """Uploads a table and lets the worker read it."""
    response = upload(client, cast, table(content, name))
    job = Job.objects.get(kind=import_jobs.CHECK, state=JobState.WAITING)
    assert response["Location"] == page_of(job)
    return done(job)


def done(job: Job) -> Job:
    run_job(job.pk)
    job.refresh_from_db()
    return job


def page_of(job: Job) -> str:
    return reverse("admin:services_demand_import_job", args=[job.pk])


def text_of(response: Any) -> str:
    """What a reader of the page sees, spaces and tags aside."""
    assert response.status_code == 200
    return re.sub(r"\s+|<[^>]*>", "", response.content.decode())


# --- The way through --------------------------------------------------------------------------------------------------


def test_an_officer_uploads_looks_confirms_and_sees_what_came_of_it(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    assert "白龙塘社区" in text_of(client.get(START))
    response = upload(client, cast)
    check = Job.objects.get()
    assert "排队中" in text_of(client.get(response["Location"]))
    before = everything()
    done(check)
    shown = text_of(client.get(page_of(check)))
    assert "可以导入12条" in shown
    assert "确认导入12条" in shown
    assert "月/日/年" in shown
    assert "答复、转办次数" in shown
    assert "河道黑臭" in shown
    assert "环境卫生" in shown
    after = everything()
    assert {name: after[name] - count for name, count in before.items() if after[name] != count} == {
        "core.OutboxMessage": 1  # that the dry run is over
    }
    response = client.post(reverse("admin:services_demand_import_confirm", args=[check.pk]))
    job = done(Job.objects.get(kind=import_jobs.WRITE))
    assert response["Location"] == page_of(job)
    shown = text_of(client.get(page_of(job)))
    assert "已导入12条需求" in shown
    assert Demand.objects.filter(community=cast.a.node, raised_by=cast.a.officer).count() == 12
    assert "已经确认导入" in text_of(client.get(page_of(check)))
    assert "新增12条" in text_of(client.get(START))


def test_the_check_says_where_a_half_known_place_hangs_and_what_is_left_out(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    table = [[*row(地点="和谐小区 2 栋附近"), "办理中"], [*row(编号="A2"), "已办结"]]
    check = checked(client, cast, as_csv(table, headers=(*HEADERS, "办理状态")))
    shown = text_of(client.get(page_of(check)))
    assert "和谐小区2栋附近只认出和谐小区·第一网格·2号楼" in shown
    assert "1行写着已办结，没有导入（第3行）" in shown
    # A report of before places were known by their beginning.
    del check.report["import"]["places"]["partly"]
    check.save()
    assert "认出了具体地点" not in text_of(client.get(page_of(check)))


def test_a_running_job_shows_how_far_it_is_and_asks_again_without_scripts_too(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    upload(client, cast)
    Job.objects.update(state=JobState.RUNNING, done=300, total=715)
    response = client.get(page_of(Job.objects.get()))
    assert "300/715" in text_of(response)
    assert 'http-equiv="refresh"' in response.content.decode()
    assert 'hx-get="?poll=1"' in response.content.decode()
    Job.objects.update(state=JobState.FAILED, error="读不出来")
    response = client.get(page_of(Job.objects.get()))
    assert "读不出来" in text_of(response)
    assert "hx-get" not in response.content.decode()


def test_the_demands_list_leads_to_the_import_and_only_for_those_who_may(cast: Cast) -> None:
    listed = reverse("admin:services_demand_changelist")
    assert START in signed_in(cast.a.officer).get(listed).content.decode()
    assert START not in signed_in(cast.street_officer).get(listed).content.decode()


def test_whoever_has_two_communities_chooses(cast: Cast) -> None:
    make_appointment(cast.a.officer, "community_officer", cast.b.node)
    client = signed_in(cast.a.officer)
    assert "<select" in client.get(START).content.decode()
    assert "还没有提交" in text_of(client.post(START, {"upload": table()}))
    upload(client, cast, community=cast.b.node)
    assert Job.objects.get().params["community"] == cast.b.node.pk


def test_the_template_is_a_workbook_with_the_seven_columns(cast: Cast) -> None:
    response = signed_in(cast.a.officer).get(reverse("admin:services_demand_import_template"))
    sheet = load_workbook(io.BytesIO(response.content)).worksheets[0]
    assert [str(cell.value).rstrip("*") for cell in sheet[2]] == list(HEADERS[:7])
    assert "attachment" in response["Content-Disposition"]


# --- Bad rows and bad files -------------------------------------------------------------------------------------------


def test_bad_rows_are_shown_with_a_workbook_and_go_in_only_without_them_and_on_request(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    check = checked(client, cast, as_csv(bad_table()))
    response = client.get(page_of(check))
    shown = text_of(response)
    assert "有错误的6行不导入，其余2条导入" in shown
    assert "4A3日期" in shown
    link = reverse("core:file", args=["job-result", check.pk])
    assert link in response.content.decode()
    book = load_workbook(io.BytesIO(b"".join(client.get(link).streaming_content)))
    assert "不存在" in book.active.cell(4, 10).value
    confirm = reverse("admin:services_demand_import_confirm", args=[check.pk])
    assert "还没有处理" in text_of(client.post(confirm, follow=True))
    assert not Job.objects.filter(kind=import_jobs.WRITE).exists()
    client.post(confirm, {"keep_good": "1"})
    job = done(Job.objects.get(kind=import_jobs.WRITE))
    shown = text_of(client.get(page_of(job)))
    assert "已导入2条需求" in shown
    assert job.result
    assert Demand.objects.count() == 2


def test_a_table_in_which_nothing_is_new_offers_nothing_to_confirm(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    content = as_csv(rows(3))
    importing.import_demands(
        actor=fresh(cast.a.officer),
        community=GridNode.objects.get(pk=cast.a.node.pk),
        content=content,
        filename="来件.csv",
    )
    shown = text_of(client.get(page_of(checked(client, cast, content))))
    assert "没有新的需求" in shown
    assert "确认导入" not in shown


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"%PDF-1.7\n%...", "来件.xlsx", "PDF"),
        (as_csv([[*row(), "x"]], headers=(*HEADERS, "信访人")), "来件.csv", "信访人"),
        (b"", "来件.csv", "空的"),
    ],
    ids=["pdf", "forbidden", "empty"],
)
def test_a_file_that_can_not_be_used_says_why_and_changes_nothing(
    cast: Cast, content: bytes, name: str, said: str
) -> None:
    client = signed_in(cast.a.officer)
    check = checked(client, cast, content, name)
    assert check.state == JobState.FAILED
    shown = text_of(client.get(page_of(check)))
    assert said in shown
    assert "重新上传" in shown
    assert not Demand.objects.exists()
    with pytest.raises(Conflict):
        import_jobs.submit_import(actor=fresh(cast.a.officer), check=check)


def test_fifty_megabytes_are_refused_at_once_and_kept_nowhere(cast: Cast, store: Path) -> None:
    big = ContentFile(b"", name="来件.xlsx")
    big.size = 50 * 1024 * 1024 + 1
    with pytest.raises(TooLarge):
        import_jobs.submit_check(actor=fresh(cast.a.officer), community=cast.a.node, upload=big)
    assert not Job.objects.exists()
    assert [path for path in store.rglob("*") if path.is_file()] == []


def test_the_page_says_that_a_file_is_too_large(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_UPLOAD_BYTES", 10)
    shown = text_of(upload(signed_in(cast.a.officer), cast))
    assert "超过50MB" in shown
    assert not Job.objects.exists()


def test_a_form_without_a_file_says_so(cast: Cast) -> None:
    assert "还没有提交" in text_of(signed_in(cast.a.officer).post(START, {"community": cast.a.node.pk}))


# --- Who --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["street_officer", "department", "admin"])
def test_whoever_may_not_import_gets_no_page_of_it(cast: Cast, role: str) -> None:
    client = signed_in(cast.people()[role])
    for name, where in (("import", []), ("import_template", []), ("import_job", [1])):
        assert client.get(reverse(f"admin:services_demand_{name}", args=where)).status_code == 403
    assert upload(client, cast).status_code == 403
    assert client.post(reverse("admin:services_demand_import_confirm", args=[1])).status_code == 403
    assert not Job.objects.exists()


@pytest.mark.parametrize("role", ["a.keeper", "a.liaison", "nobody"])
def test_whoever_has_no_desk_does_not_get_there_at_all(cast: Cast, role: str) -> None:
    client = signed_in(cast.people()[role])
    assert client.get(START).status_code in {302, 403}
    assert upload(client, cast).status_code in {302, 403}
    assert not Job.objects.exists()


def test_a_keeper_is_refused_by_the_action_itself(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        import_jobs.find_community(fresh(cast.a.keeper), cast.a.node.pk)


def test_another_community_does_not_exist(cast: Cast) -> None:
    client = signed_in(cast.b.officer)
    assert upload(client, cast).status_code == 404
    assert client.post(START, {"community": 10**9, "upload": table()}).status_code == 404
    assert not Job.objects.exists()


def test_an_import_is_its_owners_alone(cast: Cast) -> None:
    check = checked(signed_in(cast.a.officer), cast)
    for other in (cast.a.secretary, cast.b.officer):
        client = signed_in(other)
        assert client.get(page_of(check)).status_code == 404
        assert client.post(reverse("admin:services_demand_import_confirm", args=[check.pk])).status_code == 404
    assert not Job.objects.filter(kind=import_jobs.WRITE).exists()


def test_a_job_of_another_kind_is_no_import(cast: Cast) -> None:
    job = Job.objects.create(kind="export_demands", title="导出", owner=cast.a.officer, state=JobState.DONE)
    assert signed_in(cast.a.officer).get(page_of(job)).status_code == 404


def test_asking_is_not_confirming(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    check = checked(client, cast)
    assert client.get(reverse("admin:services_demand_import_confirm", args=[check.pk])).status_code == 405


def test_a_post_lost_before_the_job_runs_stops_the_import(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    check = checked(client, cast)
    client.post(reverse("admin:services_demand_import_confirm", args=[check.pk]))
    cast.a.officer.appointments.all().delete()
    job = done(Job.objects.get(kind=import_jobs.WRITE))
    assert job.state == JobState.FAILED
    assert "权限" in job.error
    assert not Demand.objects.exists()


# --- What may happen to a job -------------------------------------------------------------------------------------------


def asked(cast: Cast, content: bytes | None = None, **how: Any) -> Job:
    """A confirmed import that waits for a worker."""
    check = checked(signed_in(cast.a.officer), cast, content)
    return import_jobs.submit_import(actor=fresh(cast.a.officer), check=check, **how)


def test_confirming_twice_imports_once(cast: Cast) -> None:
    first = asked(cast)
    check = Job.objects.get(kind=import_jobs.CHECK)
    assert import_jobs.submit_import(actor=fresh(cast.a.officer), check=check) == first
    done(first)
    assert import_jobs.submit_import(actor=fresh(cast.a.officer), check=check) == first
    assert Demand.objects.count() == 12


def test_a_file_that_is_no_longer_kept_is_asked_for_again(cast: Cast) -> None:
    check = checked(signed_in(cast.a.officer), cast)
    check.upload.storage.delete(check.upload.name)
    with pytest.raises(NotFound, match="重新上传"):
        import_jobs.submit_import(actor=fresh(cast.a.officer), check=check)
    Job.objects.update(upload="")
    check.refresh_from_db()
    with pytest.raises(NotFound, match="重新上传"):
        import_jobs.submit_import(actor=fresh(cast.a.officer), check=check)


def again(job: Job) -> Job:
    """What the sweeper does with a job whose worker fell silent; then another worker takes it."""
    Job.objects.filter(pk=job.pk).update(state=JobState.WAITING)
    return done(job)


class WorkerKilled(BaseException):
    """Not an Exception: nothing in the portal may catch it, as nothing catches a kill."""


def test_a_worker_killed_before_the_commit_leaves_nothing_and_the_next_one_does_it_all(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = asked(cast)
    told = importing._tell

    def killed(*args: Any) -> None:
        raise WorkerKilled

    monkeypatch.setattr(importing, "_tell", killed)
    with pytest.raises(WorkerKilled):
        run_job(job.pk)
    assert not Demand.objects.exists()
    assert Job.objects.get(pk=job.pk).state == JobState.RUNNING
    monkeypatch.setattr(importing, "_tell", told)
    assert again(job).report["import"]["created"] == 12
    assert Demand.objects.count() == 12


def test_a_worker_killed_after_the_commit_has_not_lost_the_figures(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    job = asked(cast, as_csv(bad_table()), keep_good=True)
    save = JobRun.save_result

    def killed(*args: Any) -> None:
        raise WorkerKilled

    monkeypatch.setattr(JobRun, "save_result", killed)
    with pytest.raises(WorkerKilled):
        run_job(job.pk)
    assert Demand.objects.count() == 2
    monkeypatch.setattr(JobRun, "save_result", save)
    job = again(job)
    assert (job.state, job.report["import"]["created"], job.report["import"]["bad_rows"]) == (JobState.DONE, 2, 6)
    assert Demand.objects.count() == 2
    book = load_workbook(io.BytesIO(job.result.read()))
    assert "不存在" in book.active.cell(4, 10).value
    assert OutboxMessage.objects.filter(kind=importing.NOTICE_KIND).count() == 1


def test_a_worker_that_was_given_up_writes_nothing_any_more(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    job = asked(cast)
    tell = importing._tell

    def slow(*args: Any) -> None:
        # The sweeper has given the job to somebody else in the meantime.
        Job.objects.filter(pk=job.pk).update(attempts=2)
        tell(*args)

    monkeypatch.setattr(importing, "_tell", slow)
    run_job(job.pk)
    assert not Demand.objects.exists()


def test_rows_that_broke_between_looking_and_confirming_stop_the_import(cast: Cast) -> None:
    job = asked(cast, as_csv([row(), row(编号="A2")]))
    importing.import_demands(
        actor=fresh(cast.a.secretary),
        community=GridNode.objects.get(pk=cast.a.node.pk),
        content=as_csv([row(内容="另一种说法。")]),
        filename="x.csv",
    )
    job = done(job)
    assert (job.state, job.report["import"]["written"]) == (JobState.DONE, False)
    assert Demand.objects.count() == 1
    assert "没有导入任何内容" in text_of(signed_in(cast.a.officer).get(page_of(job)))


def test_the_page_of_jobs_leads_to_the_page_of_the_import(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    check = checked(client, cast)
    assert page_of(check) in client.get(f"/jobs/{check.pk}/").content.decode()


# --- In a browser -------------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_dry_run_appears_by_itself_and_is_confirmed_with_one_click(
    live_server: Any, page: Any, transactional_cast: Cast, tmp_path: Path
) -> None:
    cast = transactional_cast
    file = tmp_path / "来件.xlsx"
    file.write_bytes(as_xlsx(rows(30)))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{live_server.url}/accounts/login/?next={START}")
    page.fill("#id_username", cast.a.officer.phone)
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    page.set_input_files("input[type=file]", file)
    page.click("text=上传并核对")
    page.wait_for_selector("text=排队中")
    run_job(Job.objects.get(kind=import_jobs.CHECK).pk)
    page.click("text=确认导入 30 条")
    page.wait_for_selector("text=排队中")
    run_job(Job.objects.get(kind=import_jobs.WRITE).pk)
    page.wait_for_selector("text=已导入 30 条需求")
    assert Demand.objects.count() == 30
    assert complaints == []
