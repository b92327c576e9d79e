"""Imports of people as jobs, and the slips that hand out first passwords."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from core import jobs
from core.errors import NotFound
from core.models import AuditEntry, Job, User
from governance.accounts import handout, imports
from grids.models import Appointment
from tests.cast import Cast
from tests.governance.tables import book

PHONE = "13612345678"


def run(cast: Cast, kind: str, *rows: list[Any], **how: Any) -> Job:
    file = SimpleUploadedFile("人员.xlsx", book(kind, *rows))
    job = imports.start(actor=cast.admin, county=cast.county, kind=kind, file=file, **how)
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


def test_the_job_writes_and_its_slips_are_taken_once(cast: Cast) -> None:
    job = run(cast, "cadres", ["+张三", PHONE, "网格员", cast.a.grid.code, ""], dry_run=False)
    assert (job.state, job.report["created"], job.report["written"]) == ("done", 1, True)
    assert not job.result
    page = load_workbook(io.BytesIO(handout.take(actor=cast.admin, job=job))).worksheets[0]
    _number, name, phone, password, what, _note = [cell.value for cell in page[4]]
    assert (name, phone) == ("+张三", PHONE)
    assert page["B4"].data_type == "s"
    assert "网格员" in what
    assert User.objects.get(phone=PHONE).check_password(password)
    assert password not in str(job.report) + str(job.params)
    with pytest.raises(NotFound, match="只能领取一次"):
        handout.take(actor=cast.admin, job=job)
    assert AuditEntry.objects.filter(action="account.handout").count() == 1


@pytest.mark.django_db(transaction=True)
def test_taken_slips_are_gone_from_the_disk(transactional_cast: Cast) -> None:
    cast = transactional_cast
    job = run(cast, "cadres", ["张三", PHONE, "网格员", cast.a.grid.code, ""], dry_run=False)
    storage, name = handout._storage(), job.params["handout"]
    assert storage.exists(name)
    handout.take(actor=cast.admin, job=job)
    assert not storage.exists(name)


def test_slips_are_the_askers_alone_and_for_a_day(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    job = run(cast, "cadres", ["张三", PHONE, "网格员", cast.a.grid.code, ""], dry_run=False)
    for other in (cast.department, cast.other_county_admin, cast.superuser):
        with pytest.raises(NotFound):
            handout.take(actor=other, job=job)
    name = job.params["handout"]
    handout.purge()
    assert handout._storage().exists(name)
    monkeypatch.setattr(handout, "KEEP", -handout.KEEP)
    with pytest.raises(NotFound):
        handout.take(actor=cast.admin, job=job)
    assert handout.purge() >= 1
    assert not handout._storage().exists(name)


def test_a_dry_run_of_the_job_writes_nothing_and_hands_out_nothing(cast: Cast) -> None:
    before = User.objects.count()
    job = run(cast, "cadres", ["张三", PHONE, "网格员", cast.a.grid.code, ""])
    assert (job.state, job.report["created"], job.report["written"]) == ("done", 1, False)
    assert User.objects.count() == before
    with pytest.raises(NotFound):
        handout.take(actor=cast.admin, job=job)


def test_one_fault_stops_all_unless_the_good_rows_are_to_be_kept(cast: Cast) -> None:
    rows = [["张三", PHONE, "网格员", cast.a.grid.code, ""], ["李四", "1", "网格员", cast.a.grid.code, ""]]
    before = User.objects.count()
    job = run(cast, "cadres", *rows, dry_run=False)
    assert (job.report["written"], User.objects.count()) == (False, before)
    page = load_workbook(job.result.open("rb")).worksheets[0]
    assert page["F1"].value == "错误信息"
    assert page["F2"].value is None
    assert "11 位" in page["F3"].value
    job = run(cast, "cadres", *rows, dry_run=False, keep_good=True)
    assert (job.report["written"], User.objects.count()) == (True, before + 1)
    assert job.report["problems"] == [[3, "手机号码", "请填写 11 位手机号码，以 1 开头。"]]
    assert handout.take(actor=cast.admin, job=job)


def test_a_file_that_is_no_table_fails_the_job_with_its_reason(cast: Cast) -> None:
    file = SimpleUploadedFile("人员.xlsx", b"%PDF-1.7 ...")
    job = imports.start(actor=cast.admin, county=cast.county, kind="cadres", file=file)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "PDF" in job.error


def test_an_administrator_who_lost_the_post_meanwhile_imports_nothing(cast: Cast) -> None:
    file = SimpleUploadedFile("人员.xlsx", book("cadres", ["张三", PHONE, "网格员", cast.a.grid.code, ""]))
    job = imports.start(actor=cast.admin, county=cast.county, kind="cadres", file=file, dry_run=False)
    Appointment.objects.filter(user=cast.admin).update(start="2020-01-01", end="2020-02-01")
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert not User.objects.filter(phone=PHONE).exists()
