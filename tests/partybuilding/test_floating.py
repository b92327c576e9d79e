"""Floating members: registered once, kept in touch with, looked up for a reason, and forgotten."""

import datetime
import io
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry, Notice, OutboxMessage
from core.notices import deliver
from core.sheets import jobs as sheet_jobs
from core.sheets import sheet_of
from grids.actions import retire_node
from partybuilding.actions import (
    contact_floating,
    create_station,
    leave_floating,
    register_floating,
    reveal_floating,
    update_floating,
    update_station,
)
from partybuilding.actions.floating_sweep import forget_left, remind_of_contacts
from partybuilding.floating_rules import CONTACT_DAYS, KEEP_DAYS
from partybuilding.models import FloatingContact, FloatingMember, Station
from partybuilding.selectors.floating import to_contact
from partybuilding.tasks import sweep_party
from tests import factories as make
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.factories import fresh
from tests.governance.test_admin_matrix import signed_in, url
from tests.services.test_api import client_of

pytestmark = pytest.mark.django_db

PHONE = "13812345678"


def day(offset: int = 0) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=offset)


@pytest.fixture
def station(cast: Cast) -> Station:
    return create_station(actor=cast.a.secretary, node=cast.a.node, name="白龙塘驿站", keeper=cast.a.team_lead)


@pytest.fixture
def floating(cast: Cast, station: Station) -> FloatingMember:
    return register_floating(actor=cast.a.officer, station=station, name="张流动", phone=PHONE, kept_at="外省某支部")


def test_a_station_stands_in_a_community_and_closes_when_nobody_is_registered(cast: Cast, station: Station) -> None:
    with pytest.raises(Conflict, match="本县已有"):
        create_station(actor=cast.b.secretary, node=cast.b.node, name="白龙塘驿站")
    with pytest.raises(Invalid, match="社区"):
        create_station(actor=cast.admin, node=cast.street, name="街道驿站")
    with pytest.raises(Invalid) as refused:
        create_station(actor=cast.a.secretary, node=cast.a.node, name="新驿站", keeper=cast.other_county_secretary)
    assert "keeper" in refused.value.fields
    one = register_floating(actor=cast.a.officer, station=station, name="张流动", phone=PHONE, kept_at="外省某支部")
    with pytest.raises(Conflict, match="1 名流动党员"):
        update_station(actor=cast.a.officer, station=station, is_active=False)
    leave_floating(actor=cast.a.officer, floating=one)
    closed = update_station(actor=cast.a.officer, station=station, is_active=False, version=1)
    assert not closed.is_active
    with pytest.raises(Stale):
        update_station(actor=cast.a.officer, station=station, name="改名", version=1)
    with pytest.raises(Invalid, match="已停用"):
        register_floating(actor=cast.a.officer, station=station, name="李流动", phone=PHONE, kept_at="外省某支部")


def test_a_station_keeps_its_place_standing(cast: Cast) -> None:
    here = make.make_node(cast.empty_community, "compound", "要拆的小区")
    create_station(actor=cast.admin, node=here, name="要拆的驿站")
    with pytest.raises(Conflict, match="流动党员驿站"):
        retire_node(actor=cast.admin, node=here, reason="征收")


def test_a_number_is_registered_once_while_its_owner_is_here(cast: Cast, floating: FloatingMember) -> None:
    given = {"actor": cast.b.officer, "name": "别人", "phone": PHONE, "kept_at": "外省"}
    other = create_station(actor=cast.b.secretary, node=cast.b.node, name="城北驿站")
    with pytest.raises(Conflict, match=r"138\*\*\*\*5678"):
        register_floating(**given, station=other)
    leave_floating(actor=cast.a.officer, floating=floating)
    assert register_floating(**given, station=other).station == other
    for wrong in ({"name": ""}, {"phone": "123"}, {"kept_at": " "}, {"start": day(1)}):
        with pytest.raises(Invalid):
            register_floating(**{**given, "phone": "13812345679", "station": other, **wrong})


def test_the_trail_holds_nobody_and_contacts_hold_no_numbers(cast: Cast, floating: FloatingMember) -> None:
    made = contact_floating(actor=cast.a.officer, floating=floating, text="打了 13912345678，想找工作")
    assert "13912345678" not in made.text
    again = contact_floating(actor=cast.a.officer, floating=floating, text="打了 13912345678，想找工作")
    assert again == made, "sent twice, written once"
    for wrong in ({"text": ""}, {"text": "联系", "contacted_on": day(1)}, {"text": "联系", "contacted_on": day(-1)}):
        with pytest.raises(Invalid):
            contact_floating(actor=cast.a.officer, floating=floating, **wrong)  # type: ignore[arg-type]
    update_floating(actor=cast.a.officer, floating=floating, name="张改名", version=1)
    told = str(list(AuditEntry.objects.filter(action__startswith="floating.").values_list("label", "changes")))
    for secret in ("张", PHONE, "找工作"):
        assert secret not in told


def test_nobody_but_the_community_sees_or_keeps_floating_members(cast: Cast, floating: FloatingMember) -> None:
    before = AuditEntry.objects.count()
    for actor in cast.people().values():
        if actor in {cast.a.secretary, cast.a.officer}:
            continue
        assert not FloatingMember.objects.visible_to(fresh(actor)).exists()
        for deed in (
            lambda who: register_floating(
                actor=who, station=floating.station, name="甲", phone="13812345679", kept_at="外省"
            ),
            lambda who: contact_floating(actor=who, floating=floating, text="联系"),
            lambda who: leave_floating(actor=who, floating=floating),
            lambda who: reveal_floating(actor=who, floating=floating, reason="contact"),
        ):
            with pytest.raises((Forbidden, NotFound)):
                deed(fresh(actor))
    assert AuditEntry.objects.count() == before


def test_a_number_is_shown_for_a_reason_and_that_is_written_down(cast: Cast, floating: FloatingMember) -> None:
    with pytest.raises(Invalid):
        reveal_floating(actor=cast.a.officer, floating=floating, reason="好奇")
    assert reveal_floating(actor=cast.a.officer, floating=floating, reason="contact") == PHONE
    entry = AuditEntry.objects.get(action="floating.reveal")
    assert entry.reason == "联系本人"
    FloatingMember.objects.update(start=day(-9), end=day(-1))
    with pytest.raises(Conflict, match="离开"):
        reveal_floating(actor=cast.a.officer, floating=floating, reason="contact")


def test_whom_nobody_was_in_touch_with_is_brought_to_mind_once_a_month(cast: Cast, floating: FloatingMember) -> None:
    everybody = FloatingMember.objects.all()
    FloatingMember.objects.update(start=day(-CONTACT_DAYS))
    assert not to_contact(everybody).exists()
    assert remind_of_contacts() == 0
    FloatingMember.objects.update(start=day(-CONTACT_DAYS - 1))
    assert to_contact(everybody).count() == 1
    assert remind_of_contacts() == 1
    assert remind_of_contacts() == 0
    message = OutboxMessage.objects.get(kind="floating_due")
    assert "1 名流动党员" in message.title
    assert "张" not in message.title + message.body
    deliver()
    readers = set(Notice.objects.filter(kind="floating_due").values_list("reader__name", flat=True))
    assert readers == {"书记甲", "两委甲", "队长甲"}, "the community and the keeper"
    contact_floating(actor=cast.a.officer, floating=floating, text="打了电话")
    assert not to_contact(everybody).exists()
    assert remind_of_contacts(day(40)) == 0


def test_who_left_long_ago_is_forgotten_with_every_contact(cast: Cast, floating: FloatingMember) -> None:
    contact_floating(actor=cast.a.officer, floating=floating, text="打了电话")
    leave_floating(actor=cast.a.officer, floating=floating, version=1)
    with pytest.raises(Conflict):
        leave_floating(actor=cast.a.officer, floating=floating)
    assert forget_left(day(KEEP_DAYS - 1)) == 0
    assert forget_left(day(KEEP_DAYS)) == 1
    assert not FloatingMember.objects.exists()
    assert not FloatingContact.objects.exists()
    assert AuditEntry.objects.filter(action="floating.expire").count() == 1
    assert sweep_party() == {"terms": 0, "contacts": 0, "erased": 0}


def test_the_desk_masks_numbers_and_shows_who_waits(cast: Cast, floating: FloatingMember) -> None:
    FloatingMember.objects.update(start=day(-CONTACT_DAYS - 1))
    client = signed_in(cast.a.officer)
    for page in (
        url(FloatingMember, "changelist"),
        url(FloatingMember, "change", floating.pk),
        url(FloatingMember, "deed", floating.pk, "edit"),
    ):
        shown = client.get(page).content.decode()
        assert PHONE not in shown
        assert "138****5678" in shown
    due = client.get(url(FloatingMember, "changelist"), {"touch": "due"}).content.decode()
    assert "张流动" in due
    assert "待联系" in due
    sent = {"contacted_on": day().isoformat(), "text": "上门看望"}
    assert client.post(url(FloatingMember, "deed", floating.pk, "contact"), sent).status_code == 302
    assert "张流动" not in client.get(url(FloatingMember, "changelist"), {"touch": "due"}).content.decode()
    answer = client.post(url(FloatingMember, "deed", floating.pk, "reveal"), {"reason": "contact"})
    assert PHONE in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    edited = {"station": floating.station_id, "name": "张流动", "phone": "", "kept_at": "外省别的支部", "version": 1}
    assert client.post(url(FloatingMember, "deed", floating.pk, "edit"), edited).status_code == 302
    floating.refresh_from_db()
    assert (floating.kept_at, floating.phone) == ("外省别的支部", PHONE)
    page = signed_in(cast.street_officer).get(url(Station, "change", floating.station_id)).content.decode()
    assert "1 名" in page
    assert "floatingmember" not in page.split("</nav>")[-1]


def test_a_station_is_kept_on_the_desk(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    sent = {"node": cast.a.node.path, "name": "新驿站", "keeper_name": "队长甲"}
    assert "没有这个人" in client.post(url(Station, "add"), {**sent, "keeper_name": "没这人"}).content.decode()
    assert client.post(url(Station, "add"), sent).status_code == 302
    made = Station.objects.get()
    assert made.keeper == cast.a.team_lead
    edit = {"name": "新驿站", "address": "一楼", "keeper_name": "队长甲", "version": 1}
    assert client.post(url(Station, "deed", made.pk, "edit"), edit).status_code == 302
    made.refresh_from_db()
    assert (made.address, made.keeper) == ("一楼", cast.a.team_lead)


def test_the_api_masks_as_well(cast: Cast, floating: FloatingMember) -> None:
    client = client_of(cast.a.officer)
    (row,) = client.get("/api/v1/floating/").json()["results"]
    assert (row["name"], row["phone"], row["contacted_on"]) == ("张*动", "138****5678", None)
    assert client.get("/api/v1/floating/?due=true").json()["results"] == []
    (station,) = client.get("/api/v1/stations/").json()["results"]
    assert (station["present"], station["waiting"], station["keeper"]) == (1, 0, "队长甲")
    assert client_of(cast.b.officer).get(f"/api/v1/floating/{floating.pk}/").status_code == 404


# --- By Excel -----------------------------------------------------------------------------------------------------------

HEADER = "驿站,姓名,手机号码,组织关系所在党组织,登记日期,离开日期"


def look(cast: Cast, *rows: str, update: bool = False, actor: Any = None) -> Any:
    content = "\n".join([HEADER, *rows]).encode()
    return checked(actor or cast.a.officer, sheet_of("floating"), content, update=update)


def figures(job: Any) -> tuple[int, int, int, int]:
    found = job.report["sheet"]
    return found["created"], found["updated"], found["unchanged"], found["bad_rows"]


def faults(job: Any) -> dict[int, tuple[str, str]]:
    return {row: (column, words) for row, column, words, _value in job.report["sheet"]["errors"]}


def test_a_table_goes_in_and_the_same_again_changes_nothing(cast: Cast, station: Station) -> None:
    rows = [
        f",张流动,13812345678,外省某支部,{day(-30)},",
        f"白龙塘驿站,李流动,13812345679,外省某支部,{day(-60)},{day(-10)}",
    ]
    job = look(cast, *rows)
    assert figures(job) == (2, 0, 0, 0), faults(job)
    confirmed(cast.a.officer, job)
    for update in (False, True):
        assert figures(look(cast, *rows, update=update)) == (0, 0, 2, 0)
    assert faults(look(cast, f",张流动,13812345678,别的支部,{day(-30)},"))[2][0] == "组织关系所在党组织"
    left = look(cast, f",张流动,13812345678,外省某支部,,{day()}", update=True)
    assert figures(left) == (0, 1, 0, 0)
    confirmed(cast.a.officer, left)
    assert FloatingMember.objects.get(name="张流动").end == day()


def test_what_is_wrong_with_a_row_is_told(cast: Cast, floating: FloatingMember) -> None:
    create_station(actor=cast.a.secretary, node=cast.a.compound, name="第二驿站")
    other = create_station(actor=cast.b.secretary, node=cast.b.node, name="城北驿站")
    register_floating(actor=cast.b.officer, station=other, name="邻居", phone="13812345600", kept_at="外省")
    job = look(
        cast,
        f"白龙塘驿站,别人,{PHONE},外省,,",
        "城北驿站,甲,13812345601,外省,,",
        "白龙塘驿站,邻居,13812345600,外省,,",
        ",乙,13812345602,外省,,",
        "白龙塘驿站,丙,12345,外省,,",
        "白龙塘驿站,丁,13812345603,,,",
        f"白龙塘驿站,戊,13812345604,外省,{day(3)},",
        f"白龙塘驿站,己,13812345605,外省,{day(-3)},{day(-9)}",
        "白龙塘驿站,庚,13812345606,外省,,",
        "白龙塘驿站,辛,138 1234 5606,外省,,",
    )
    wrong = faults(job)
    for number, words in (
        (2, "另一名"),
        (3, "没有这个在用的驿站"),
        (4, "别的驿站"),
        (5, "请填写驿站"),
        (6, "手机"),
        (7, "必填"),
        (8, "不能晚于今天"),
        (9, "不能早于"),
        (11, "相同"),
    ):
        assert words in wrong[number][1], (number, wrong.get(number))
    assert set(wrong) == {2, 3, 4, 5, 6, 7, 8, 9, 11}
    with pytest.raises((Forbidden, NotFound)):
        look(cast, ",乙,13812345602,外省,,", actor=cast.street_officer)


def test_the_ledger_masks_names_and_numbers(cast: Cast, floating: FloatingMember) -> None:
    content = sheet_jobs.export(actor=fresh(cast.a.officer), sheet=sheet_of("floating"), ids=[floating.pk])
    cells = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(content)).active.iter_rows(min_row=4)]  # type: ignore[union-attr]
    assert cells[0][1:5] == ["白龙塘驿站", "张*动", "138****5678", "外省某支部"]
