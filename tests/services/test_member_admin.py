"""Members who reported on the desk: found by what they can do, decided many at once, brought in from a table."""

import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from core.errors import Forbidden, NotFound
from core.models import AuditEntry, Job, User
from core.sheets import sheet_of
from core.sheets.jobs import export
from partybuilding.models import Member
from services.actions.member_cards import last_quarter
from services.models import Certificate, MemberCard, MemberCheckIn, ServiceRecord
from tests import factories as make
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.factories import fresh
from tests.partybuilding.test_pairing_pages import words
from tests.weft_factories import make_certificate, make_member_checkin, make_service

pytestmark = pytest.mark.django_db

HEADER = "姓名,手机号码,社区,小区,特长,空闲时间,意愿岗位,备注"
LIST = "/admin/services/membercheckin/"


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(fresh(person))
    return client


# --- Lists and deeds ------------------------------------------------------------------------------------------------


def test_who_can_repair_and_is_free_on_weekend_afternoons_is_found(cast: Cast) -> None:
    make_member_checkin(cast.a.member, cast.a.compound, skills=["repair"], free_time=["weekend_afternoon"])
    make_member_checkin(cast.a.second_member, cast.a.compound, skills=["repair"], free_time=["evening"])
    make_member_checkin(cast.a.supporting_member, cast.a.compound, skills=["law"], free_time=["weekend_afternoon"])
    found = words(signed_in(cast.a.officer).get(f"{LIST}?skills=repair&free_time=weekend_afternoon"))
    assert "党员甲" in found
    assert "第二党员甲" not in found
    assert "配合党员甲" not in found


def test_many_are_taken_in_and_confirmed_from_the_list(cast: Cast) -> None:
    rows = [
        make_member_checkin(cast.a.member, cast.a.compound, state="applied"),
        make_member_checkin(cast.a.second_member, cast.a.compound, state="sent_back"),
    ]
    client = signed_in(cast.a.officer)
    data = {"action": "accept_chosen", "_selected_action": [row.pk for row in rows], "index": 0}
    told = words(client.post(LIST, data, follow=True))
    assert "已接收 1 项" in told
    assert "1 项没有办" in told
    services = [make_service(rows[0], text=f"第 {number} 次") for number in range(3)]
    keys = [row.pk for row in services]
    listed = "/admin/services/servicerecord/"
    confirm = {"action": "confirm_chosen", "_selected_action": keys[:1], "index": 0}
    assert "已确认 1 项" in words(client.post(listed, confirm, follow=True))
    back = client.post(listed, {"action": "send_back_chosen", "_selected_action": keys[1:], "index": 0})
    page = back["Location"]
    assert "将退回 2 次服务" in words(client.get(page))
    assert client.post(page, {"id": keys[1:], "reason": ""}).status_code == 400
    assert "已退回 2 项" in words(client.post(page, {"id": keys[1:], "reason": "请核对时长"}, follow=True))
    assert sorted(ServiceRecord.objects.values_list("state", flat=True)) == ["confirmed", "sent_back", "sent_back"]
    stranger = signed_in(cast.b.officer)
    stranger.post(page, {"id": keys, "reason": "乱退"})
    assert not ServiceRecord.objects.filter(reason="乱退").exists()


def test_the_community_registers_calls_and_certifies(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    data = {"name": "党员甲", "phone": cast.a.member.phone, "node": cast.a.compound.path, "wished_post": "any"}
    assert "登记的不是这个姓名" in words(client.post(f"{LIST}add/", {**data, "name": "别人"}))
    assert "没有找到" in words(client.post(f"{LIST}add/", {**data, "node": cast.b.compound.path}))
    made = client.post(f"{LIST}add/", data)
    row = MemberCheckIn.objects.get()
    assert (row.state, made.status_code) == ("accepted", 302)
    page = f"{LIST}{row.pk}/"
    assert cast.a.member.phone not in words(client.get(f"{page}change/"))
    shown = client.post(f"{page}do/reveal/", {"reason": "约周六修水管"})
    assert cast.a.member.phone in words(shown)
    assert AuditEntry.objects.get(action="member_checkin.reveal").reason == "约周六修水管"
    assert signed_in(cast.department).get(f"{page}do/reveal/").status_code == 403
    make_service(row, state="confirmed")
    day = timezone.localdate().isoformat()
    certified = client.post(f"{page}do/certify/", {"since": day, "until": day})
    paper = Certificate.objects.get()
    assert certified["Location"] == reverse("admin:services_certificate_change", args=[paper.pk])
    revoke = f"/admin/services/certificate/{paper.pk}/do/revoke/"
    assert client.post(revoke, {"reason": "写错了", "version": 9}).status_code == 409
    assert client.post(revoke, {"reason": "写错了", "version": paper.version}).status_code == 302
    assert client.get(revoke).status_code == 409


def test_a_quarters_cards_are_sent_from_the_desk(cast: Cast) -> None:
    row = make_member_checkin(cast.a.member, cast.a.compound)
    make_service(row, served_on=last_quarter().first_day, state="confirmed")
    client = signed_in(cast.a.officer)
    data = {"community": cast.a.node.pk, "quarter": last_quarter().code}
    assert "已反馈 1 张服务卡" in words(client.post("/admin/services/membercard/add/", data))
    assert "1 张没有变化" in words(client.post("/admin/services/membercard/add/", data))
    assert MemberCard.objects.count() == 1
    assert client.post("/admin/services/membercard/add/", {**data, "community": cast.b.node.pk}).status_code == 200
    assert MemberCard.objects.count() == 1, "not the neighbour's"


def test_a_place_says_how_many_reported_and_names_nobody(cast: Cast) -> None:
    make_service(make_member_checkin(cast.a.member, cast.a.compound), state="confirmed")
    for person in (cast.a.officer, cast.street_officer):
        page = words(signed_in(person).get(reverse("admin:grids_gridnode_change", args=[cast.a.node.pk])))
        assert "报到党员（人）" in page
        assert "党员甲" not in page


# --- The table ------------------------------------------------------------------------------------------------------


def read(person: User, *rows: str, update: bool = False) -> Job:
    content = "\n".join([HEADER, *rows]).encode()
    return checked(person, sheet_of("member_checkins"), content, name="党员报到.csv", update=update)


def found(job: Job) -> dict[str, Any]:
    assert job.state == "done", (job.state, job.report)
    return dict(job.report["sheet"])


def counts(job: Job) -> tuple[int, int, int, int]:
    report = found(job)
    return report["created"], report["updated"], report["unchanged"], report["bad_rows"]


def rows_of(cast: Cast) -> list[str]:
    return [
        f"党员甲,{cast.a.member.phone},白龙塘社区,和谐小区,水电维修、法律,周末,治安巡防,有电工证",
        f"第二党员甲,{cast.a.second_member.phone},白龙塘社区,,,,,",
    ]


def test_a_list_is_shown_then_written_and_a_second_time_changes_nothing(cast: Cast) -> None:
    waiting = make_member_checkin(cast.a.second_member, cast.a.node, state="applied", skills=["arts"])
    check = read(cast.a.officer, *rows_of(cast))
    assert counts(check) == (2, 0, 0, 0), found(check)
    assert MemberCheckIn.objects.get().state == "applied", "a dry run writes nothing"
    confirmed(cast.a.officer, check)
    row = MemberCheckIn.objects.get(member=cast.a.member)
    weekend = ["weekend_morning", "weekend_afternoon", "weekend_evening"]
    assert (row.state, row.skills, row.free_time, row.wished_post) == ("accepted", ["law", "repair"], weekend, "safety")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.skills) == ("accepted", ["arts"]), "what a cell leaves empty stays"
    assert Member.objects.get(pk=cast.a.member.pk).home == cast.a.compound
    assert counts(read(cast.a.officer, *rows_of(cast))) == (0, 0, 2, 0)


def test_what_differs_is_changed_only_when_asked_for(cast: Cast) -> None:
    make_member_checkin(cast.a.member, cast.a.compound, skills=["arts"])
    line = f"党员甲,{cast.a.member.phone},白龙塘社区,和谐小区,水电维修,,,"
    refused = found(read(cast.a.officer, line))
    assert [(column, "特长" in reason) for _row, column, reason, _value in refused["errors"]] == [("特长", True)]
    confirmed(cast.a.officer, read(cast.a.officer, line, update=True))
    assert MemberCheckIn.objects.get().skills == ["repair"]


def test_rows_that_can_not_be_are_named(cast: Cast) -> None:
    make_member_checkin(cast.b.member, cast.b.compound)
    elsewhere = make.make_member("邻县党员", make.make_unit(cast.other_county, "邻县单位"))
    lines = [
        f"别人,{cast.a.member.phone},白龙塘社区,和谐小区,,,,",
        f"邻县党员,{elsewhere.phone},白龙塘社区,和谐小区,,,,",
        f"党员乙,{cast.b.member.phone},白龙塘社区,和谐小区,,,,",
        f"第二党员甲,{cast.a.second_member.phone},城北社区,和谐小区,,,,",
        f"配合党员甲,{cast.a.supporting_member.phone},白龙塘社区,和谐小区,飞行,,,",
        f"第二党员乙,{cast.b.second_member.phone},白龙塘社区,没有的小区,,,,",
        "无号,123,白龙塘社区,和谐小区,,,,",
    ]
    report = found(read(cast.a.officer, *lines))
    faults = {row: (column, reason) for row, column, reason, _value in report["errors"]}
    assert [faults[number][0] for number in sorted(faults)] == [
        "姓名",
        "手机号码",
        "居住小区",
        "小区",
        "特长",
        "小区",
        "手机号码",
    ], faults
    assert "搬家了" in faults[4][1]
    for stranger in (cast.street_officer, cast.department, cast.a.liaison):
        with pytest.raises((Forbidden, NotFound)):
            read(stranger, rows_of(cast)[0])


def test_the_ledger_is_masked_and_kept_in_scope(cast: Cast) -> None:
    rows = [
        make_member_checkin(cast.a.member, cast.a.compound, skills=["repair"]),
        make_member_checkin(cast.b.member, cast.b.compound),
    ]
    content = export(actor=fresh(cast.a.officer), sheet=sheet_of("member_checkins"), ids=[row.pk for row in rows])
    sheet = load_workbook(io.BytesIO(content)).active
    text = "\n".join(str(cell.value) for line in sheet.iter_rows() for cell in line if cell.value)
    assert "党*甲" in text
    assert "党员甲" not in text
    assert cast.a.member.phone not in text
    assert "党*乙" not in text
    make_service(rows[0], state="confirmed")
    certificate = make_certificate(cast.a.member, cast.a.node)
    services = export(
        actor=fresh(cast.a.officer),
        sheet=sheet_of("member_services"),
        ids=list(ServiceRecord.objects.values_list("pk", flat=True)),
    )
    cells = [cell.value for line in load_workbook(io.BytesIO(services)).active.iter_rows() for cell in line]
    assert 1.5 in cells
    assert certificate.code not in str(cells)
