"""`/m/checkin/`, `/m/members/`, `/m/cards/`, `/m/certificates/`, and `/r/check/` for anybody."""

import json
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import User
from services.actions.certificates import issue_certificate, revoke_certificate
from services.actions.member_cards import last_quarter, send_cards
from services.models import Certificate, MemberCard, MemberCheckIn, ServiceRecord
from services.views import following
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.partybuilding.test_pairing_pages import words
from tests.weft_factories import make_member_checkin, make_service

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
OFFER = {"skills": ["repair", "law"], "free_time": ["weekend_afternoon"], "wished_post": "safety", "note": ""}


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(fresh(person))
    return client


def test_a_member_reports_in_a_few_touches(cast: Cast) -> None:
    client = signed_in(cast.a.member_user)
    assert "党员报到" in words(client.get("/m/")), "what waits stands on the first page"
    assert client.get("/m/checkin/", follow=True).redirect_chain[-1][0] == "/m/checkin/place/"
    assert "白龙塘社区" in words(client.get(f"/m/checkin/place/?for=report&in={cast.street.pk}"))
    found = client.get("/m/checkin/place/", {"q": "白龙塘 和谐"})
    address = f"/m/checkin/report/?at={cast.a.compound.pk}"
    assert f'href="{address}"' in found.content.decode()
    assert "和谐小区" in words(client.get(address))
    assert client.post(address, {**OFFER, "wished_post": "x"}).status_code == 400
    for _tap in range(2):
        assert client.post(address, OFFER)["Location"] == "/m/checkin/"
    row = MemberCheckIn.objects.get()
    assert (row.state, row.skills, row.community) == ("applied", ["law", "repair"], cast.a.node)
    page = words(client.get("/m/checkin/"))
    assert "已送到社区" in page
    assert "法律咨询、水电维修" in page
    assert "记一次服务" not in page
    assert client.get("/m/checkin/services/new/").status_code == 409


def test_the_known_home_is_chosen_already(cast: Cast) -> None:
    cast.a.member.home = cast.a.compound
    cast.a.member.save()
    client = signed_in(cast.a.member_user)
    assert "和谐小区" in words(client.get("/m/checkin/report/"))
    assert client.post("/m/checkin/report/", OFFER)["Location"] == "/m/checkin/"
    assert MemberCheckIn.objects.get().node == cast.a.compound


def test_the_door_shows_its_own_words_to_strangers(cast: Cast) -> None:
    for person in (cast.a.officer, cast.a.liaison, cast.a.keeper):
        assert "党员本人" in words(signed_in(person).get("/m/checkin/"))
    for person in (cast.a.member_user, cast.a.liaison, cast.street_officer, cast.department):
        assert signed_in(person).get("/m/members/").status_code == 403
    far = f"/m/checkin/report/?at={cast.other_county_community.pk}"
    client = signed_in(cast.a.member_user)
    assert client.post(far, OFFER)["Location"] == "/m/checkin/place/", "another county's place is none"
    assert not MemberCheckIn.objects.exists()


def test_sent_back_moved_changed_and_ended(cast: Cast) -> None:
    row = make_member_checkin(cast.a.member, cast.a.compound, state="sent_back", reason="请选对小区")
    client = signed_in(cast.a.member_user)
    assert "请选对小区" in words(client.get("/m/checkin/"))
    data = {**OFFER, "version": row.version}
    assert client.post("/m/checkin/resend/", {**data, "version": 9}).status_code == 409
    assert client.post("/m/checkin/resend/", data)["Location"] == "/m/checkin/"
    MemberCheckIn.objects.update(state="accepted")
    row.refresh_from_db()
    data = {**OFFER, "skills": ["arts"], "version": row.version}
    assert client.post("/m/checkin/change/", data)["Location"] == "/m/checkin/"
    move = f"/m/checkin/move/?at={cast.b.compound.pk}"
    assert "结束在“和谐小区”的报到" in words(client.get(move))
    assert client.post(move, {"version": row.version + 1})["Location"] == "/m/checkin/"
    new = MemberCheckIn.objects.get(state="applied")
    assert (new.community, new.skills) == (cast.b.node, ["arts"])
    assert client.post("/m/checkin/withdraw/", {"version": new.version})["Location"] == "/m/checkin/"
    assert set(MemberCheckIn.objects.values_list("state", flat=True)) == {"ended"}
    assert client.get("/m/checkin/fly/", follow=True).status_code == 200


def test_a_service_in_three_fields_and_its_correction(cast: Cast) -> None:
    make_member_checkin(cast.a.member, cast.a.compound)
    client = signed_in(cast.a.member_user)
    data = {"served_on": timezone.localdate().isoformat(), "hours": "1.5", "text": "清理楼道"}
    bad = client.post("/m/checkin/services/new/", {**data, "hours": "25"})
    assert bad.status_code == 400
    assert "0.5 到 24" in words(bad)
    for _tap in range(2):
        assert client.post("/m/checkin/services/new/", data)["Location"] == "/m/checkin/"
    row = ServiceRecord.objects.get()
    page = f"/m/checkin/services/{row.pk}/"
    assert client.get(page).status_code == 200
    for stranger in (cast.a.second_member_user, cast.b.officer):
        assert signed_in(stranger).get(page).status_code == 404
    assert signed_in(cast.a.officer).post(page, {**data, "version": 1}).status_code == 403
    assert client.post(page, {**data, "hours": "2", "version": 1})["Location"] == "/m/checkin/"
    assert client.post(page, {**data, "hours": "3", "version": 1}).status_code == 409
    row.refresh_from_db()
    assert row.hours == 2
    assert client.post(f"{page}drop/", {"version": row.version})["Location"] == "/m/checkin/"
    assert client.get(page).status_code == 409
    assert ServiceRecord.objects.get().state == "dropped"


def test_the_community_decides_one_by_one_and_all_that_is_shown(cast: Cast) -> None:
    one = make_member_checkin(cast.a.member, cast.a.compound, state="applied")
    two = make_member_checkin(cast.a.second_member, cast.a.compound, state="applied")
    strange = make_member_checkin(cast.b.member, cast.b.compound, state="applied")
    client = signed_in(cast.a.officer)
    page = words(client.get("/m/members/"))
    assert "党员甲" in page
    assert "党员乙" not in page
    back = f"/m/members/{one.pk}/send_back/"
    assert client.post(back, {"reason": "", "version": 1}).status_code == 400
    assert client.post(back, {"reason": "请选对小区", "version": 1})["Location"] == "/m/members/"
    assert client.get(f"/m/members/{strange.pk}/send_back/").status_code == 404
    rows = [f"{row.pk}.1" for row in (one, two, strange)]
    assert "已接收 1 项" in words(client.post("/m/members/all/accept/", {"row": [*rows, "x", "9" * 30]}, follow=True))
    assert sorted(MemberCheckIn.objects.values_list("state", flat=True)) == ["accepted", "applied", "sent_back"]
    services = [make_service(two, text=f"第 {number} 次") for number in range(3)]
    sent = f"/m/members/services/{services[0].pk}/send_back/"
    assert client.post(sent, {"reason": "时长不对", "version": 1})["Location"] == "/m/members/"
    shown = {"row": [f"{row.pk}.{row.version}" for row in services]}
    assert "已确认 2 项" in words(client.post("/m/members/all/confirm/", shown, follow=True))
    assert client.post("/m/members/all/fly/", shown).status_code == 404


def test_a_unit_reads_prints_and_receives_its_cards(cast: Cast) -> None:
    quarter = last_quarter()
    for member, name in ((cast.a.member, "周党员"), (cast.a.second_member, "安党员")):
        member.name = name
        member.save()
        make_service(make_member_checkin(member, cast.a.compound), served_on=quarter.first_day, state="confirmed")
    send_cards(actor=fresh(cast.a.officer), community=cast.a.node, quarter=quarter)
    client = signed_in(cast.a.liaison)
    assert "党员服务卡" in words(client.get("/m/"))
    page = f"/m/cards/{cast.a.unit.pk}/{quarter.code}/"
    assert page in client.get("/m/cards/").content.decode()
    shown = words(client.get(page))
    assert shown.index("周党员") > shown.index("安党员"), "by name, not by merit"
    assert "2 名党员，服务 2 次，3 小时" in shown
    paper = words(client.get(f"{page}print/"))
    assert "合计 2 人" in paper
    for stranger in (cast.a.supporting_liaison, cast.b.officer, cast.street_officer):
        assert signed_in(stranger).get(page).status_code == 404
    officer = signed_in(cast.a.officer)
    assert "查收</button>" not in officer.get(page).content.decode()
    assert officer.post(f"{page}receive/").status_code == 403
    assert client.post(f"{page}receive/")["Location"] == page
    assert not MemberCard.objects.filter(read_at=None).exists()
    assert client.get(f"/m/cards/{cast.a.unit.pk}/2026Q9/").status_code == 404


def test_a_certificate_is_made_on_the_phone_and_checked_by_anybody(cast: Cast, client: Client) -> None:
    checkin = make_member_checkin(cast.a.member, cast.a.compound)
    member = signed_in(cast.a.member_user)
    data = {"since": "2026-01-01", "until": timezone.localdate().isoformat()}
    assert "没有社区确认过的服务" in words(member.post("/m/certificates/", data))
    make_service(checkin, state="confirmed")
    page = member.post("/m/certificates/", data)["Location"]
    row = Certificate.objects.get()
    paper = words(member.get(page))
    assert "党员甲同志" in paper
    assert "经社区确认共 1 次、1.5 小时" in paper
    assert signed_in(cast.a.officer).get(page).status_code == 200
    for stranger in (cast.a.second_member_user, cast.b.officer, cast.a.liaison):
        assert signed_in(stranger).get(page).status_code == 404
    typed = client.post("/r/check/", {"code": f" {row.code[:4].upper()} {row.code[4:]}"})
    assert typed["Location"] == f"/r/check/{row.code}/"
    seen = words(client.get(typed["Location"]))
    assert "这张证明有效" in seen
    assert "党*甲" in seen
    assert "党员甲" not in seen
    revoke_certificate(actor=fresh(cast.a.officer), certificate=row, reason="姓名写错")
    seen = words(client.get(typed["Location"]))
    assert "作废" in seen
    assert "姓名写错" not in seen, "the reason is between the community and the member"


def test_a_forged_code_is_told_nothing(cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_service(make_member_checkin(cast.a.member, cast.a.compound), state="confirmed")
    day = timezone.localdate()
    row = issue_certificate(
        actor=fresh(cast.a.member_user), member=cast.a.member, community=cast.a.node, since=day, until=day
    )
    forged = row.code[:-1] + ("a" if row.code[-1] != "a" else "b")
    pages = set()
    for code in (forged, "123", "a" * 12, "ABCD-EFGH-JKM0", "x" * 200):
        answer = client.get(f"/r/check/{code}/")
        assert answer.status_code == 404, code
        pages.add(words(answer))
    assert len(pages) == 1, "one and the same page"
    assert "没有这张证明" in pages.pop()
    monkeypatch.setattr(following, "LOOKUPS_PER_ADDRESS", 6)
    assert client.get(f"/r/check/{row.code}/").status_code == 200
    assert client.get(f"/r/check/{forged}/").status_code == 429
    assert client.get(f"/r/check/{row.code}/").status_code == 429


@pytest.mark.parametrize("number", [1, 8])
def test_pages_ask_a_fixed_number_of_questions(cast: Cast, number: int) -> None:
    checkin = make_member_checkin(cast.a.member, cast.a.compound)
    for index in range(number):
        make_service(checkin, text=f"第 {index} 次")
        make_member_checkin(make.make_member(f"党员{index}", cast.a.unit), cast.a.compound, state="applied")
    for name, person, address in (
        ("mobile.own_report", cast.a.member_user, "/m/checkin/"),
        ("mobile.members", cast.a.officer, "/m/members/"),
    ):
        client = signed_in(person)
        client.get("/m/me/")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(address).status_code == 200
        assert len(asked) == COUNTS[name], f"{name}: {len(asked)}"
