"""Joint bodies: who chairs them today, terms that follow one another, reminders that come once."""

import datetime
import io
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry, Notice, OutboxMessage
from core.notices import deliver
from core.sheets import jobs as sheet_jobs
from core.sheets import sheet_of
from grids.actions import merge_nodes, retire_node
from partybuilding.actions import (
    add_seat,
    change_seat,
    close_alliance,
    create_alliance,
    end_seat,
    replace_seat,
    update_alliance,
    update_unit,
)
from partybuilding.actions.alliance_sweep import remind_of_terms
from partybuilding.models import Alliance, AllianceSeat
from partybuilding.selectors.alliances import alliances_at, chairs_of, seat_counts
from tests import factories as make
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.factories import fresh
from tests.governance.test_admin_matrix import signed_in, url
from tests.services.test_api import client_of

pytestmark = pytest.mark.django_db


def day(offset: int = 0) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=offset)


@pytest.fixture
def alliance(cast: Cast) -> Alliance:
    return create_alliance(actor=cast.a.secretary, node=cast.a.node, kind="alliance")


def rotating(cast: Cast, alliance: Alliance, name: str, start: int, end: int, **fields: Any) -> AllianceSeat:
    return add_seat(
        actor=cast.a.secretary,
        alliance=alliance,
        role="rotating_chair",
        name=name,
        start=day(start),
        end=day(end),
        **fields,
    )


def test_a_joint_body_stands_once_of_a_kind_at_the_level_of_its_kind(cast: Cast, alliance: Alliance) -> None:
    assert alliance.name == "白龙塘社区党建联盟"
    with pytest.raises(Conflict, match="已经有党建联盟"):
        create_alliance(actor=cast.street_officer, node=cast.a.node, kind="alliance")
    create_alliance(actor=cast.street_officer, node=cast.street, kind="street_committee", name="城北街道大工委")
    for node, kind in (
        (cast.a.node, "street_committee"),
        (cast.street, "community_committee"),
        (cast.a.grid, "alliance"),
    ):
        with pytest.raises(Invalid) as refused:
            create_alliance(actor=cast.street_officer, node=node, kind=kind)
        assert "kind" in refused.value.fields
    gone = make.make_node(cast.street, "community", "撤了的社区")
    retire_node(actor=cast.admin, node=gone, reason="撤并")
    with pytest.raises(Invalid, match="已撤销"):
        create_alliance(actor=cast.admin, node=gone, kind="alliance")
    assert Alliance.objects.count() == 2


def test_rotating_chairs_take_turns_and_share_no_more_than_the_handover(cast: Cast, alliance: Alliance) -> None:
    first = rotating(cast, alliance, "王一", -30, 30)
    with pytest.raises(Conflict, match="重叠"):
        rotating(cast, alliance, "李二", 0, 60)
    second = rotating(cast, alliance, "李二", 30, 90)
    with pytest.raises(Invalid, match="任期结束"):
        add_seat(actor=cast.a.secretary, alliance=alliance, role="rotating_chair", name="张三", start=day(90))
    with pytest.raises(Conflict, match="重叠"):
        change_seat(actor=cast.a.secretary, seat=first, end=day(31))
    standing = add_seat(actor=cast.a.secretary, alliance=alliance, role="standing_chair", name="赵书记")
    assert chairs_of([alliance])[alliance.pk] == [standing, first]
    assert chairs_of([alliance], day(30))[alliance.pk] == [standing, second], "on the day of the handover the new one"
    assert chairs_of([alliance], day(91))[alliance.pk] == [standing]


def test_somebody_sits_once_in_a_role_and_units_in_use_alone_send_people(cast: Cast, alliance: Alliance) -> None:
    given = {"actor": cast.a.secretary, "alliance": alliance, "role": "member", "unit": cast.a.unit}
    add_seat(**given, name="王一")
    with pytest.raises(Conflict, match="已是成员"):
        add_seat(**given, name="王一")
    add_seat(**{**given, "unit": cast.a.supporting_unit}, name="王一")
    closed = make.make_unit(cast.county, "停了的局", is_active=False)
    far = make.make_unit(cast.other_county, "邻县局")
    for wrong in ({"unit": closed}, {"unit": far}, {"role": "king"}, {"name": " "}, {"end": day(-1)}):
        with pytest.raises(Invalid):
            add_seat(**{**given, "name": "李二", **wrong})
    with pytest.raises(Conflict, match="联盟席位"):
        update_unit(actor=cast.admin, unit=cast.a.unit, is_active=False)
    entry = AuditEntry.objects.filter(action="alliance.seat_add").first()
    assert entry is not None
    assert entry.changes["name"] == ["***", "***"]
    assert "王一" not in entry.label


def test_a_seat_goes_to_another_on_the_same_day_for_the_rest_of_the_term(cast: Cast, alliance: Alliance) -> None:
    seat = rotating(cast, alliance, "王一", -30, 30, unit=cast.a.unit, title="局长")
    with pytest.raises(Stale):
        replace_seat(actor=cast.a.secretary, seat=seat, name="李二", version=9)
    new = replace_seat(actor=cast.a.secretary, seat=seat, name="李二", reason="调离", version=1)
    seat.refresh_from_db()
    assert (seat.end, new.start, new.end) == (day(), day(), day(30))
    assert (new.unit, new.title, new.role) == (cast.a.unit, "局长", "rotating_chair")
    with pytest.raises(Invalid):
        end_seat(actor=cast.a.secretary, seat=new, end=day(60))
    end_seat(actor=cast.a.secretary, seat=new)
    assert AllianceSeat.objects.filter(end=day()).count() == 2
    long_ago = rotating(cast, alliance, "张三", -90, -60)
    with pytest.raises(Conflict):
        end_seat(actor=cast.a.secretary, seat=long_ago)


def test_a_closed_body_seats_nobody(cast: Cast, alliance: Alliance) -> None:
    rotating(cast, alliance, "王一", -30, 30)
    coming = rotating(cast, alliance, "李二", 30, 60)
    closed = close_alliance(actor=cast.a.secretary, alliance=alliance, reason="合并到街道", version=1)
    assert not closed.is_active
    coming.refresh_from_db()
    assert coming.end == coming.start
    assert seat_counts(Alliance.objects.filter(pk=alliance.pk))["rotating_chair"] == 0
    for deed in (
        lambda: rotating(cast, closed, "张三", 61, 90),
        lambda: close_alliance(actor=cast.a.secretary, alliance=alliance, reason="再来"),
    ):
        with pytest.raises(Conflict):
            deed()
    assert create_alliance(actor=cast.a.secretary, node=cast.a.node, kind="alliance").pk != alliance.pk


def test_who_keeps_the_place_keeps_its_joint_body(cast: Cast, alliance: Alliance) -> None:
    seat = rotating(cast, alliance, "王一", -30, 30)
    may = {cast.a.secretary, cast.a.officer, cast.street_secretary, cast.street_officer, cast.department, cast.admin}
    before = AuditEntry.objects.count()
    for actor in cast.people().values():
        if actor in may:
            continue
        for deed in (
            lambda who: create_alliance(actor=who, node=cast.a.node, kind="community_committee"),
            lambda who: update_alliance(actor=who, alliance=alliance, name="改名"),
            lambda who: add_seat(actor=who, alliance=alliance, role="member", name="自己"),
            lambda who: end_seat(actor=who, seat=seat),
            lambda who: close_alliance(actor=who, alliance=alliance, reason="不要了"),
        ):
            with pytest.raises((Forbidden, NotFound)):
                deed(fresh(actor))
    assert AuditEntry.objects.count() == before
    for actor in may:
        update_alliance(actor=fresh(actor), alliance=alliance, name=f"{actor.name}的联盟")


def test_a_place_that_goes_hands_its_joint_body_on(cast: Cast, alliance: Alliance) -> None:
    merge_nodes(actor=cast.admin, node=cast.empty_community, sources=[cast.a.node], reason="合并")
    alliance.refresh_from_db()
    assert alliance.node == cast.empty_community


def test_terms_that_end_within_a_month_are_reminded_of_once(cast: Cast, alliance: Alliance) -> None:
    rotating(cast, alliance, "王一", -60, 30)
    rotating(cast, alliance, "李二", 30, 61)
    for number in range(3):
        add_seat(actor=cast.a.secretary, alliance=alliance, role="member", name=f"成员{number}", end=day(30))
    assert remind_of_terms() == 1
    assert remind_of_terms() == 0
    message = OutboxMessage.objects.get(kind="seat_ending")
    assert "4 个席位" in message.title
    deliver()
    readers = set(Notice.objects.filter(kind="seat_ending").values_list("reader__name", flat=True))
    assert readers == {"书记甲", "两委甲"}
    assert remind_of_terms(day(31)) == 1, "the next one when its time comes"
    close_alliance(actor=cast.a.secretary, alliance=alliance, reason="合并")
    OutboxMessage.objects.all().delete()
    assert remind_of_terms() == 0


def test_figures_are_the_same_on_the_page_and_by_api(cast: Cast, alliance: Alliance) -> None:
    rotating(cast, alliance, "王一", -30, 30)
    rotating(cast, alliance, "李二", 30, 60)
    rotating(cast, alliance, "旧主席", -90, -60)
    add_seat(actor=cast.a.secretary, alliance=alliance, role="part_time", name="张委员", unit=cast.a.unit)
    other = create_alliance(actor=cast.b.secretary, node=cast.b.node, kind="alliance")
    add_seat(actor=cast.b.secretary, alliance=other, role="member", name="李成员")
    here = {"alliances": 1, "standing_chair": 0, "rotating_chair": 2, "part_time": 1, "member": 0, "legal_adviser": 0}
    assert seat_counts(alliances_at(fresh(cast.a.officer))) == here
    client = client_of(cast.a.officer)
    assert client.get("/api/v1/alliances/figures/").json() == here
    whole = client_of(cast.street_officer).get("/api/v1/alliances/figures/").json()
    assert (whole["alliances"], whole["member"]) == (2, 1)
    part = client_of(cast.street_officer).get(f"/api/v1/alliances/figures/?node={cast.a.node.code}").json()
    assert part == here
    listed = client.get("/api/v1/alliances/").json()["results"]
    assert [(row["name"], [seat["name"] for seat in row["chairs"]]) for row in listed] == [
        ("白龙塘社区党建联盟", ["王一"])
    ]
    detail = client.get(f"/api/v1/alliances/{alliance.pk}/").json()
    assert [seat["name"] for seat in detail["seats"]] == ["张委员", "王一", "李二"]
    assert client.get(f"/api/v1/alliances/{other.pk}/").status_code == 404
    assert client.get("/api/v1/alliances/?node=x").status_code == 404
    page = signed_in(cast.a.officer).get(url(Alliance, "change", alliance.pk)).content.decode()
    assert "轮值主席 2 名、兼职委员 1 名" in page
    assert "王一（轮值主席）" in page
    assert "旧主席" not in page


def test_a_seat_is_given_replaced_and_ended_on_the_desk(cast: Cast, alliance: Alliance) -> None:
    client = signed_in(cast.a.officer)
    give = url(Alliance, "deed", alliance.pk, "seat")
    sent = {"role": "rotating_chair", "name": "王一", "unit": "住建局", "title": "局长", "start": day().isoformat()}
    assert f'name="name" value="{alliance.name}"' not in client.get(give).content.decode()
    assert "请填写任期结束" in client.post(give, sent).content.decode()
    assert client.post(give, {**sent, "end": day(90).isoformat()}).status_code == 302
    seat = AllianceSeat.objects.get()
    listed = client.get(url(Alliance, "changelist")).content.decode()
    assert "王一" in listed
    change = {"name": "李二", "title": "副局长", "unit": "县住建局", "day": day().isoformat(), "version": 1}
    page = client.get(url(AllianceSeat, "deed", seat.pk, "replace")).content.decode()
    assert 'value="局长"' in page
    assert 'value="王一"' not in page
    assert client.post(url(AllianceSeat, "deed", seat.pk, "replace"), change).status_code == 302
    assert (
        client.post(url(AllianceSeat, "deed", seat.pk, "end"), {"end": day().isoformat(), "version": 1}).status_code
        == 409
    )
    found = client.get(url(AllianceSeat, "changelist"), {"term": "now"}).content.decode()
    assert "李二" in found


# --- By Excel -----------------------------------------------------------------------------------------------------------

HEADER = "联盟,社区,席位,姓名,单位,职务,任期开始,任期结束"


def table(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode()


def look(cast: Cast, *rows: str, update: bool = False, actor: Any = None) -> Any:
    return checked(actor or cast.a.officer, sheet_of("alliance_seats"), table(*rows), update=update)


def figures(job: Any) -> tuple[int, int, int, int]:
    found = job.report["sheet"]
    return found["created"], found["updated"], found["unchanged"], found["bad_rows"]


def faults(job: Any) -> dict[int, tuple[str, str]]:
    return {row: (column, words) for row, column, words, _value in job.report["sheet"]["errors"]}


def rows_of() -> list[str]:
    return [
        f"白龙塘社区党建联盟,,常任主席,书记甲,,社区书记,{day(-30)},",
        f",白龙塘,轮值主席,王一,县住建局,局长,{day(-30)},{day(60)}",
        f",白龙塘,轮值主席,李二,县水务局,局长,{day(60)},{day(150)}",
        ",白龙塘社区,成员单位,张三,县水务局,科长,,",
    ]


def test_seats_go_in_and_the_same_again_changes_nothing(cast: Cast, alliance: Alliance) -> None:
    job = look(cast, *rows_of())
    assert figures(job) == (4, 0, 0, 0), faults(job)
    assert not AllianceSeat.objects.exists()
    confirmed(cast.a.officer, job)
    assert AllianceSeat.objects.count() == 4
    for update in (False, True):
        assert figures(look(cast, *rows_of(), update=update)) == (0, 0, 4, 0)
    handed = [
        f",白龙塘,轮值主席,王一,县住建局,局长,{day(-30)},{day(30)}",
        f",白龙塘,轮值主席,新主席,县住建局,局长,{day(30)},{day(60)}",
    ]
    refused = faults(look(cast, *handed))
    assert refused[2][0] == "任期结束"
    job = look(cast, *handed, update=True)
    assert figures(job) == (1, 1, 0, 0), faults(job)
    confirmed(cast.a.officer, job)
    assert chairs_of([alliance], day(40))[alliance.pk][-1].name == "新主席"


def test_what_is_wrong_with_a_seat_is_told(cast: Cast, alliance: Alliance) -> None:
    create_alliance(actor=cast.a.secretary, node=cast.a.node, kind="community_committee")
    make.make_unit(cast.county, "停了的局", is_active=False)
    job = look(
        cast,
        ",白龙塘,成员,王一,,,,",
        ",城北社区,成员,王一,,,,",
        "没有的联盟,,成员,王一,,,,",
        f"白龙塘社区党建联盟,,轮值主席,甲,,,{day()},{day(60)}",
        f"白龙塘社区党建联盟,,轮值主席,乙,,,{day(30)},{day(90)}",
        "白龙塘社区党建联盟,,轮值主席,丙,,,,",
        "白龙塘社区党建联盟,,成员,丁,县委住建局,,,",
        "白龙塘社区党建联盟,,成员,戊,停了的局,,,",
        f"白龙塘社区党建联盟,,成员,己,,,{day()},{day(-1)}",
        ",,成员,庚,,,,",
    )
    wrong = faults(job)
    assert set(wrong) == {2, 3, 4, 6, 7, 8, 9, 10, 11}, wrong
    for number, words in (
        (2, "几个联盟"),
        (3, "没有找到"),
        (4, "没有登记"),
        (6, "重叠"),
        (7, "任期结束"),
        (8, "是不是“县住建局”"),
        (9, "已停用"),
        (10, "不能早于"),
        (11, "请填写联盟名称或所在地"),
    ):
        assert words in wrong[number][1], wrong[number]
    assert not AllianceSeat.objects.exists()


def test_the_ledger_lists_the_seats(cast: Cast, alliance: Alliance) -> None:
    confirmed(cast.a.officer, look(cast, *rows_of()))
    ids = list(AllianceSeat.objects.order_by("pk").values_list("pk", flat=True))
    content = sheet_jobs.export(actor=fresh(cast.street_officer), sheet=sheet_of("alliance_seats"), ids=ids)
    cells = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(content)).active.iter_rows(min_row=4)]  # type: ignore[union-attr]
    assert [row[4] for row in cells[:4]] == ["书记甲", "王一", "李二", "张三"]


# --- Whatever is done, one rotating chair at a time -----------------------------------------------------------------------

TERMS = st.lists(
    st.tuples(st.sampled_from(["add", "end", "replace", "change"]), st.integers(-40, 40), st.integers(0, 40)),
    max_size=10,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=TERMS)
def test_there_is_one_rotating_chair_at_a_time(cast: Cast, steps: list[tuple[str, int, int]]) -> None:
    AllianceSeat.objects.all().delete()
    Alliance.objects.all().delete()
    body = create_alliance(actor=cast.admin, node=cast.a.node, kind="alliance")
    for number, (step, start, length) in enumerate(steps):
        seats = list(body.seats.order_by("pk"))
        seat = seats[length % len(seats)] if seats else None
        try:
            if step == "add" or seat is None:
                rotating(cast, body, f"主席{number}", start, start + length)
            elif step == "end":
                end_seat(actor=cast.admin, seat=seat, end=day(start))
            elif step == "replace":
                replace_seat(actor=cast.admin, seat=seat, name=f"主席{number}", day=day(start))
            else:
                change_seat(actor=cast.admin, seat=seat, start=day(start), end=day(start + length))
        except DomainError:
            continue
    for offset in range(-45, 90, 3):
        chairing = [
            one for one in body.seats.all() if one.start < day(offset) and (one.end is None or one.end > day(offset))
        ]
        assert len(chairing) <= 1
