"""The faces of joint meetings: desk, phone, papers, and screens that ask whether anything changed."""

import io
import re
from typing import Any

import docx
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.models import User
from services.actions import meeting_moves, meeting_table, meetings
from services.actions.meetings import NewItem
from services.models import AgendaItem, JointMeeting, Resolution
from services.resources.meetings import MeetingLedger
from services.selectors.meetings import figures, table_of
from services.views.meeting_faces import key_of
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.services.test_meetings import DAY, item_of, planned, published_demand, running, task
from tests.weft_factories import make_meeting, make_project, soon

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user), backend="core.backends.PhoneBackend")
    return client


def desk(page: str, *args: Any) -> str:
    return reverse(f"admin:services_{page}", args=args)


# --- The desk -------------------------------------------------------------------------------------------------------


def test_a_community_holds_a_meeting_from_its_pages(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    demand, project = published_demand(cast), make_project(cast.a.grid, state="open")
    page = client.get(desk("jointmeeting_add"))
    assert cast.a.node.path in page.content.decode()
    held_at = timezone.localtime() + 8 * DAY
    given = {
        "node": cast.a.node.path,
        "held_at": f"{held_at:%Y-%m-%dT%H:%M}",
        "venue": "社区会议室",
        "host": "书记甲",
        "quarter": page.context["form"].fields["quarter"].initial,
        "title": "",
    }
    assert client.post(desk("jointmeeting_add"), {**given, "venue": ""}).status_code == 200
    assert not JointMeeting.objects.exists()
    client.post(desk("jointmeeting_add"), given)
    meeting = JointMeeting.objects.get()
    agenda = desk("jointmeeting_deed", meeting.pk, "agenda")
    page = client.get(agenda)
    assert demand.title in page.content.decode()
    assert not page.context["form"]["title"].value()
    chosen = {"demands": [demand.pk], "projects": [project.pk], "title": "", "text": "", "theme": ""}
    client.post(agenda, {**chosen, "version": meeting.version})
    assert meeting.items.count() == 2
    answer = client.post(agenda, {**chosen, "demands": [], "projects": [], "title": "再加", "version": meeting.version})
    assert answer.status_code == 409, "the page was old"
    assert meeting.items.count() == 2
    meeting.refresh_from_db()
    client.post(desk("jointmeeting_deed", meeting.pk, "publish"), {"reason": "", "version": meeting.version})
    meeting.refresh_from_db()
    answer = client.post(desk("jointmeeting_deed", meeting.pk, "start"), {"version": meeting.version})
    assert answer["Location"] == desk("jointmeeting_table", meeting.pk)
    item = item_of(meeting)
    claim = desk("agendaitem_deed", item.pk, "claim")
    answer = client.post(claim, {"unit": cast.a.unit.pk, "version": item.version})
    assert answer["Location"] == desk("jointmeeting_table", meeting.pk)
    item.refresh_from_db()
    resolve = desk("agendaitem_deed", item.pk, "resolve")
    words = {"kind": "task", "text": "换灯", "unit": cast.a.unit.pk, "owner": "", "due_on": soon()}
    answer = client.post(resolve, {**words, "version": item.version})
    assert "请写明责任人" in answer.content.decode()
    assert not Resolution.objects.exists()
    assert not client.get(resolve).context["form"]["text"].value()
    client.post(resolve, {**words, "owner": "王主任", "version": item.version})
    meeting.refresh_from_db()
    other = item_of(meeting, 1)
    close = desk("jointmeeting_deed", meeting.pk, "close")
    assert f"item_{other.pk}_owner" in client.get(close).content.decode()
    fate = {f"item_{other.pk}": "task", f"item_{other.pk}_owner": "", f"item_{other.pk}_due_on": soon()}
    answer = client.post(close, {"summary": "", "version": meeting.version, **fate})
    assert "请写明责任人" in answer.content.decode()
    client.post(close, {"summary": "", "version": meeting.version, **fate, f"item_{other.pk}_owner": "李主任"})
    meeting.refresh_from_db()
    demand.refresh_from_db()
    assert (meeting.state, demand.lead_unit, Resolution.objects.count()) == ("closed", cast.a.unit, 2)
    page = client.get(desk("jointmeeting_change", meeting.pk)).content.decode()
    assert "换灯" in page and "王主任" in page
    made = Resolution.objects.get(text="换灯")
    client.post(desk("resolution_deed", made.pk, "finish"), {"result": "已换", "version": made.version})
    made.refresh_from_db()
    assert made.state == "done"
    page = client.get(desk("jointmeeting_figures"), {"place": cast.a.node.pk}).content.decode()
    assert re.search(r'召开会议\s*</p>\s*<p class="figure__value">\s*1<span', page)


def test_what_is_typed_into_addresses_breaks_nothing(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    for query in ({"place": "x"}, {"place": "9" * 30}, {"place": "²"}):
        assert client.get(desk("jointmeeting_figures"), query).status_code == 200
    assert client.get(desk("jointmeeting_figures"), {"quarter": "bad"}).status_code == 400
    assert client.get(desk("jointmeeting_changelist"), {"quarter": "bad"}).status_code == 200
    meeting = running(cast)
    for key in ("", "x", "x:y"):
        assert client.get(desk("jointmeeting_live", meeting.pk), {"key": key}).status_code == 200


def test_the_papers_of_a_meeting_say_what_happened(cast: Cast) -> None:
    leader = make.make_cadre("县领导", "county_leader", cast.county)
    make.make_pairing(cast.a.node, leader, "leader")
    officer = fresh(cast.a.officer)
    meeting = running(cast, NewItem("楼道亮化"), NewItem("老旧管网"), NewItem("广场舞噪音"))
    first, second, third = (item_of(meeting, number) for number in range(3))
    mine, other = (meeting.attendances.get(unit=unit) for unit in (cast.a.unit, cast.a.supporting_unit))
    meeting_table.answer_meeting(actor=officer, attendance=mine, coming=True, words="李科长")
    meeting_table.answer_meeting(actor=officer, attendance=other, coming=False, words="防汛值班")
    meeting_table.mark_present(actor=officer, meeting=meeting, present=[mine])
    meetings.change_item(actor=officer, item=first, title="楼道亮化", said="住建局愿意出材料")
    meeting_table.claim_item(actor=fresh(cast.a.liaison), item=first)
    meeting_table.resolve_item(actor=officer, item=first, resolution=task("更换 12 盏灯"))
    hard = task("协调管网资金", kind="leader", owner="")
    meeting_table.resolve_item(actor=officer, item=second, resolution=hard)
    client = signed_in(cast.a.officer)
    assert "草稿" in _text(client.get(desk("jointmeeting_minutes", meeting.pk)).content)
    meeting_moves.close_meeting(actor=officer, meeting=meeting, summary="逐项落实", fates={third.pk: "defer"})
    text = _text(client.get(desk("jointmeeting_minutes", meeting.pk)).content)
    for words in (
        f"{meeting.title}纪要",
        "地点：社区会议室",
        "主持人：书记甲",
        f"参会单位（1 个）：{cast.a.unit.name}（李科长）",
        f"请假单位（1 个）：{cast.a.supporting_unit.name}（防汛值班）",
        "（一）楼道亮化。讨论情况：住建局愿意出材料。",
        f"由{cast.a.unit.label}认领。会议议定：更换 12 盏灯，责任人王主任",
        "（二）老旧管网。会议议定：协调管网资金，责任人县领导",
        "提请包联领导协调",
        "（三）广场舞噪音。缓议，列入下次会议",
        "逐项落实",
    ):
        assert words in text, words
    assert "草稿" not in text
    sheet = client.get(desk("jointmeeting_sign_in", meeting.pk)).content.decode()
    assert cast.a.unit.name in sheet and "签名" in sheet
    assert signed_in(cast.b.officer).get(desk("jointmeeting_minutes", meeting.pk)).status_code == 404


def _text(content: bytes) -> str:
    paper = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in paper.paragraphs), *cells])


def test_ledgers_count_as_the_figures_do(cast: Cast) -> None:
    meeting, officer = running(cast), fresh(cast.a.officer)
    meeting_table.resolve_item(actor=officer, item=item_of(meeting), resolution=task())
    meeting_moves.close_meeting(actor=officer, meeting=meeting)
    running(cast, NewItem("还没有议的"))
    keys = list(JointMeeting.objects.values_list("pk", flat=True))
    lines = list(MeetingLedger().ledger_rows(fresh(cast.a.officer), keys, lambda done, total: None))
    found = figures(fresh(cast.a.officer))
    totals = [sum(int(str(line[column])) for line in lines) for column in (7, 8, 9, 10)]
    assert totals == [found.problems, found.leaders, found.resolutions, found.done] == [1, 0, 1, 0]
    client = signed_in(cast.a.officer)
    for page in (desk("jointmeeting_export", "meetings"), desk("resolution_export", "resolutions")):
        answer = client.post(page)
        assert answer["Content-Type"].endswith("sheet"), page


# --- The phone ------------------------------------------------------------------------------------------------------


def test_a_unit_answers_claims_and_takes_back_from_the_phone(cast: Cast) -> None:
    meeting = running(cast)
    client, item = signed_in(cast.a.liaison), item_of(meeting)
    row = meeting.attendances.get(unit=cast.a.unit)
    answer = reverse("mobile:meeting_answer", args=[row.pk, "come"])
    assert client.post(answer, {"words": "", "version": row.version}).status_code == 400
    client.post(answer, {"words": "李科长", "version": row.version})
    row.refresh_from_db()
    assert (row.state, row.person) == ("coming", "李科长")
    claim = reverse("mobile:meeting_claim", args=[item.pk])
    sent = client.post(claim, {"version": item.version})
    assert sent["Location"] == reverse("mobile:meeting", args=[meeting.pk])
    late = signed_in(cast.a.supporting_liaison).post(claim, {"version": item.version})
    assert late.status_code == 409
    assert cast.a.unit.label in late.content.decode()
    release = reverse("mobile:meeting_release", args=[item.pk])
    assert signed_in(cast.a.supporting_liaison).post(release).status_code == 409
    assert client.post(release, {"version": "x"}).status_code == 302
    assert item_of(meeting).state == "open"
    for stranger in (cast.b.liaison, cast.idle_liaison):
        other = signed_in(stranger)
        assert other.get(reverse("mobile:meeting", args=[meeting.pk])).status_code == 404
        assert other.post(claim, {"version": 1}).status_code == 404
    assert signed_in(cast.a.staff).post(claim, {"version": 1}).status_code == 403


def test_what_is_planned_is_not_shown_to_the_units_yet(cast: Cast) -> None:
    meeting = planned(cast)
    client = signed_in(cast.a.liaison)
    assert client.get(reverse("mobile:meeting", args=[meeting.pk])).status_code == 404
    assert meeting.title not in client.get(reverse("mobile:meetings")).content.decode()
    meetings.add_items(actor=fresh(cast.a.officer), meeting=meeting, rows=[NewItem("楼道亮化")])
    meeting_moves.publish_meeting(actor=fresh(cast.a.officer), meeting=meeting)
    assert meeting.title in client.get(reverse("mobile:meetings")).content.decode()
    page = client.get(reverse("mobile:todo")).content.decode()
    assert "个会议通知待回复" in page


def test_a_leader_reads_and_settles_a_matter_on_the_phone(cast: Cast) -> None:
    leader = make.make_cadre("县领导", "county_leader", cast.county)
    make.make_pairing(cast.a.node, leader, "leader")
    meeting, officer = running(cast), fresh(cast.a.officer)
    hard = task("协调资金", kind="leader", owner="")
    made = meeting_table.resolve_item(actor=officer, item=item_of(meeting), resolution=hard)
    page = reverse("mobile:meeting_matter", args=[made.pk])
    client = signed_in(leader)
    assert client.get(page).status_code == 404, "until the meeting closes it is a draft"
    meeting_moves.close_meeting(actor=officer, meeting=meeting)
    assert "请我协调的事" in client.get(reverse("mobile:todo")).content.decode()
    assert "协调资金" in client.get(reverse("mobile:meeting_matters")).content.decode()
    assert signed_in(cast.a.liaison).post(page, {"words": "冒名", "version": made.version}).status_code == 409
    made.refresh_from_db()
    client.post(page, {"words": "已列入计划", "version": made.version})
    made.refresh_from_db()
    assert (made.state, made.result) == ("done", "已列入计划")


# --- Screens that ask -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("face", ["phone", "desk"])
def test_an_open_screen_is_answered_cheaply_until_something_changes(
    cast: Cast, face: str, django_assert_max_num_queries: Any
) -> None:
    meeting = running(cast)
    person = cast.a.liaison if face == "phone" else cast.a.officer
    address = (
        reverse("mobile:meeting_live", args=[meeting.pk]) if face == "phone" else desk("jointmeeting_live", meeting.pk)
    )
    client = signed_in(person)
    client.get(address)
    shown = table_of(fresh(person), meeting.pk)
    assert shown is not None
    key = key_of(shown, person)
    # Session and account, at the desk's door the posts; and one of its own.
    with django_assert_max_num_queries(3 if face == "phone" else 4):
        assert client.get(address, {"key": key}).status_code == 204
    stranger = signed_in(cast.b.liaison if face == "phone" else cast.b.officer)
    assert stranger.get(address, {"key": key}).status_code == 404, "a key is good for nobody else"
    meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item_of(meeting))
    answer = client.get(address, {"key": key})
    assert answer.status_code == 200
    assert cast.a.unit.label in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_a_screen_whose_sign_in_ran_out_shows_the_door_and_not_inside_itself(cast: Cast) -> None:
    meeting = running(cast)
    for address in (reverse("mobile:meeting_live", args=[meeting.pk]), desk("jointmeeting_live", meeting.pk)):
        answer = Client().get(address, headers={"HX-Request": "true"})
        assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")
        assert Client().get(address).status_code == 302


def test_a_meeting_that_is_over_asks_no_more(cast: Cast) -> None:
    meeting, officer = running(cast), fresh(cast.a.officer)
    page = reverse("mobile:meeting", args=[meeting.pk])
    assert "every 2s" in signed_in(cast.a.liaison).get(page).content.decode()
    meeting_moves.close_meeting(actor=officer, meeting=meeting, fates={item_of(meeting).pk: "defer"})
    assert "every 2s" not in signed_in(cast.a.liaison).get(page).content.decode()


@pytest.mark.parametrize("what", ["phone", "board", "list", "page"])
def test_a_long_table_costs_no_more_queries_than_a_short_one(
    cast: Cast, what: str, django_assert_num_queries: Any
) -> None:
    meeting = running(cast, *(NewItem(f"议题 {number}") for number in range(2)))
    person = cast.a.liaison if what == "phone" else cast.a.officer
    address = {
        "phone": reverse("mobile:meeting", args=[meeting.pk]),
        "board": desk("jointmeeting_table", meeting.pk),
        "list": desk("jointmeeting_changelist"),
        "page": desk("jointmeeting_change", meeting.pk),
    }[what]
    client = signed_in(person)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    officer = fresh(cast.a.officer)
    more = [NewItem(demand=published_demand(cast)) for _number in range(5)]
    more += [NewItem(project=make_project(cast.a.grid, state="open", name=f"项目{number}")) for number in range(5)]
    meetings.add_items(actor=officer, meeting=meeting, rows=more)
    for item in AgendaItem.objects.filter(meeting=meeting)[:4]:
        meeting_table.claim_item(actor=officer, item=item, unit=cast.a.unit)
        meeting_table.resolve_item(actor=officer, item=item, resolution=task())
    for number in range(5):
        make_meeting(cast.a.node, cast.a.unit, held_at=timezone.now() + (20 + number) * DAY)
    with django_assert_num_queries(len(few)):
        client.get(address)


def test_a_place_shows_its_meetings_and_their_history(cast: Cast) -> None:
    meeting = running(cast)
    client = signed_in(cast.a.officer)
    address = reverse("admin:grids_gridnode_change", args=[cast.a.node.pk])
    page = client.get(address).content.decode()
    assert meeting.title in page and "召集会议" in page
    assert f"召开{meeting.title}" not in page
    meeting_moves.close_meeting(actor=fresh(cast.a.officer), meeting=meeting, fates={item_of(meeting).pk: "defer"})
    assert f"召开{meeting.title}" in client.get(address).content.decode()
