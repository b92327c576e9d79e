"""The ledger of the demand list: what is in it, what is not, and that taking it is written down."""

import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from core import jobs
from core.models import AuditEntry, Job
from services.actions import exporting
from tests.cast import Cast
from tests.services.test_admin_demands import LIST, do, raised, signed_in

pytestmark = pytest.mark.django_db


def exported(client: Client, query: str = "") -> Any:
    answer = client.get(f"{LIST}export/{query}")
    assert answer.status_code == 200, answer
    assert "no-store" in answer["Cache-Control"]
    return load_workbook(io.BytesIO(answer.content)).active


def test_the_ledger_masks_contacts_and_keeps_formulas_text(cast: Cast) -> None:
    raised(cast, text='=HYPERLINK("http://x") 请打 13800001111', contact_name="张三丰", contact_phone="13800002222")
    sheet = exported(signed_in(cast.a.officer))
    rows = list(sheet.iter_rows())
    values = [str(cell.value) for row in rows for cell in row if cell.value is not None]
    text = " ".join(values)
    assert "13800002222" not in text
    assert "13800001111" not in text
    assert "138****2222" in values
    assert "张*丰" in values
    formulas = [cell for row in rows for cell in row if str(cell.value).startswith("=")]
    assert formulas
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in formulas)
    assert cast.a.officer.name in str(sheet.oddHeader.right.text), "says who took it"
    entry = AuditEntry.objects.get(action="demand.export")
    assert (entry.actor, entry.changes) == (cast.a.officer, {"rows": [None, 1]})


def test_the_ledger_holds_what_the_list_shows_and_nothing_of_others(cast: Cast) -> None:
    mine, accepted = raised(cast), raised(cast, text="井盖坏了。")
    strange = raised(cast, node=cast.b.building)
    do(cast.a.officer, accepted, "accept")
    client = signed_in(cast.a.officer)
    codes = {cell.value for row in exported(client, "?state=accepted").iter_rows() for cell in row}
    assert accepted.code in codes
    assert not {mine.code, strange.code} & codes
    answer = client.post(LIST, {"action": "export_chosen", "index": 0, "_selected_action": [mine.pk, strange.pk]})
    codes = {cell.value for row in load_workbook(io.BytesIO(answer.content)).active.iter_rows() for cell in row}
    assert mine.code in codes
    assert strange.code not in codes


def test_an_empty_ledger_is_a_sentence_not_a_file(cast: Cast) -> None:
    answer = signed_in(cast.a.officer).get(f"{LIST}export/", follow=True)
    assert "没有可以导出的需求" in answer.content.decode()
    assert signed_in(cast.a.officer).get(f"{LIST}export/?p=x")["Location"] == LIST


def test_a_ledger_is_not_filtered_by_a_field_that_is_no_filter(cast: Cast) -> None:
    raised(cast)
    assert signed_in(cast.a.officer).get(f"{LIST}export/?contact_phone__startswith=139").status_code == 400


def test_a_long_ledger_is_made_in_the_background(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 1)
    first, second = raised(cast), raised(cast, text="井盖坏了。")
    answer = signed_in(cast.a.officer).get(f"{LIST}export/")
    job = Job.objects.get()
    assert answer["Location"] == reverse("core:job", args=[job.pk])
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == "done"
    with job.result.open() as file:
        cells = {cell.value for row in load_workbook(io.BytesIO(file.read())).active.iter_rows() for cell in row}
    assert {first.code, second.code} <= cells


def test_who_may_not_export_gets_no_file(cast: Cast) -> None:
    raised(cast)
    assert signed_in(cast.admin).get(f"{LIST}export/").status_code == 403
    assert not AuditEntry.objects.filter(action="demand.export").exists()
