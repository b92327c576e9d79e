"""Whoever is not of the community never reads who wishes, where they live or what ails them: on no face at all."""

import datetime
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from core.errors import Invalid
from core.models import AuditEntry, Job, Notice, OutboxMessage, User
from core.notices import deliver
from core.sheets import sheet_of
from core.sheets.jobs import export
from partybuilding.models import UnitMembership
from services.actions import wish_moves as moves
from services.models import Wish
from services.selectors.wishes import board
from tests import weft_factories as weave
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.factories import check_in, fresh

DAY = datetime.timedelta(days=1)
NAME, PHONE = "孟秋岚", "13900001234"
# What nobody outside may read: name (masked as well), number, building, compound, and the need itself.
SECRETS = (NAME, "孟*", PHONE, "139****1234", "1 号楼", "和谐小区", "独居老人", "elderly_alone")
FORM = {
    "title": "想要一辆轮椅",
    "recipient_kind": "elderly_alone",
    "recipient_name": NAME,
    "recipient_phone": PHONE,
    "consent": "spoken",
    "cost": "300",
    "text": "",
}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user))
    return client


def wish_in(cast: Cast, state: str = "open", **fields: Any) -> Wish:
    given = {
        "recipient_name": NAME,
        "recipient_phone": PHONE,
        "recipient_kind": "elderly_alone",
        "state": state,
        **fields,
    }
    return weave.make_wish(cast.a.building, cast.a.keeper, **given)


def told(answer: Any) -> str:
    """What a page says of the wish, without the person's own name and places in its frame."""
    assert answer.status_code == 200, answer.status_code
    text: str = answer.content.decode()
    return text


def leaks(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


# --- Scope ----------------------------------------------------------------------------------------------------------


def test_who_sees_which(cast: Cast) -> None:
    a = cast.a
    weave.make_member_checkin(a.member, a.compound)
    rows = {
        "collected": wish_in(cast, "collected"),
        "open": wish_in(cast),
        "by unit": wish_in(cast, "adopted", unit=a.unit),
        "by member": wish_in(cast, "adopted", member=a.member),
        "done": wish_in(cast, "done", unit=a.unit),
    }

    def seen(user: User) -> set[str]:
        found = set(Wish.objects.visible_to(fresh(user)).values_list("pk", flat=True))
        return {name for name, row in rows.items() if row.pk in found}

    everything = set(rows)
    for user in (a.keeper, a.building_head, a.officer, a.secretary, cast.street_officer, cast.department):
        assert seen(user) == everything
    assert seen(a.liaison) == {"open", "by unit", "done"}
    assert seen(a.supporting_liaison) == {"open"}
    assert seen(a.member_user) == {"open", "by member"}
    assert seen(a.second_member_user) == set(), "a member who has not reported there"
    for stranger in (cast.b.keeper, cast.b.officer, cast.b.liaison, cast.idle_liaison, cast.other_county_department):
        assert seen(stranger) == set()


def test_a_unit_of_one_compound_does_not_learn_that_a_wish_is_from_there(cast: Cast) -> None:
    """It sees the community's open wishes, from wherever they are."""
    check_in(cast.idle_unit, cast.a.compound)
    here = wish_in(cast)
    there = weave.make_wish(cast.a.node, cast.a.keeper)
    assert set(Wish.objects.visible_to(fresh(cast.idle_liaison))) == {here, there}


# --- Masked on every face -------------------------------------------------------------------------------------------


def test_no_face_tells_an_outsider_who_wishes(cast: Cast) -> None:
    a = cast.a
    weave.make_member_checkin(a.member, a.node)
    row = wish_in(cast)
    mine = wish_in(cast, "adopted", unit=a.unit, adopted_at=timezone.now())
    for user in (a.liaison, a.supporting_liaison, a.member_user, cast.street_officer, cast.department):
        client = signed_in(user)
        pages = [client.get(f"/m/wishes/{row.pk}/"), client.get("/m/wishes/"), client.get("/m/wishes/?list=open")]
        pages += [client.get(f"/api/v1/wishes/{row.pk}/"), client.get("/api/v1/wishes/")]
        if user is a.liaison:
            pages += [client.get(f"/m/wishes/{mine.pk}/"), client.get("/m/wishes/?list=mine")]
            pages += [client.get(f"/m/wishes/{mine.pk}/{name}/") for name in ("finish", "give_back")]
        if user in (cast.street_officer, cast.department):
            pages += [client.get("/admin/services/wish/"), client.get(f"/admin/services/wish/{row.pk}/change/")]
            pages += [client.get("/admin/services/wish/figures/")]
            search = client.get("/admin/services/wish/", {"q": NAME})
            assert "想要一辆轮椅" not in told(search), "no search by name"
        for page in pages:
            assert leaks(told(page)) == [], (user.name, page.request["PATH_INFO"])
        assert "老年人" in told(pages[0]), "a general word for the difficulty"
    assert "白龙塘社区" in told(signed_in(a.liaison).get(f"/m/wishes/{mine.pk}/"))
    assert "书记甲" in told(signed_in(a.liaison).get(f"/m/wishes/{mine.pk}/")), "whom to go to"


def test_the_community_reads_it_masked_and_keepers_do_not_unmask(cast: Cast) -> None:
    row = wish_in(cast, "collected")
    for user, pages in (
        (cast.a.keeper, ["/m/wishes/", f"/m/wishes/{row.pk}/", f"/m/wishes/{row.pk}/end/"]),
        (cast.a.officer, ["/m/wishes/", f"/m/wishes/{row.pk}/change/", f"/admin/services/wish/{row.pk}/change/"]),
        (cast.a.officer, ["/admin/services/wish/", f"/admin/services/wish/{row.pk}/do/change/"]),
    ):
        for page in pages:
            text = told(signed_in(user).get(page))
            assert NAME not in text and PHONE not in text, page
            assert "end" in page or "孟*岚" in text, page
    assert signed_in(cast.a.keeper).get(f"/m/wishes/{row.pk}/reveal/").status_code == 403


def test_revealed_once_with_a_reason_on_the_phone_and_the_desk(cast: Cast) -> None:
    row = wish_in(cast, "collected")
    client = signed_in(cast.a.officer)
    assert client.post(f"/m/wishes/{row.pk}/reveal/", {"reason": ""}).status_code == 400
    for address in (f"/m/wishes/{row.pk}/reveal/", f"/admin/services/wish/{row.pk}/do/reveal/"):
        shown = client.post(address, {"reason": "约时间"})
        assert NAME in told(shown) and PHONE in told(shown)
        assert "no-store" in shown["Cache-Control"]
    assert AuditEntry.objects.filter(action="wish.reveal", reason="约时间").count() == 2


def test_a_place_filter_does_not_tell_outsiders_which_building(cast: Cast) -> None:
    """Filtering by a compound would say whether a wish is from there."""
    row = wish_in(cast)
    small, whole = cast.a.compound, cast.a.node
    for user, count in ((cast.street_officer, 0), (cast.department, 0), (cast.a.officer, 1)):
        client = signed_in(user)
        found = client.get("/api/v1/wishes/", {"place": small.code}).json()
        assert len(found["results"]) == count, user.name
        assert len(client.get("/api/v1/wishes/", {"place": whole.code}).json()["results"]) == 1
    desk = told(signed_in(cast.street_officer).get(f"/admin/services/wish/?place={whole.pk}"))
    assert row.title in desk and f'value="{small.pk}"' not in desk
    assert f'value="{small.pk}"' in told(signed_in(cast.a.officer).get(f"/admin/services/wish/?place={whole.pk}"))


def test_the_ledger_is_masked_inside_and_empty_of_persons_outside(cast: Cast) -> None:
    row = wish_in(cast)

    def cells(user: User) -> str:
        content = export(actor=fresh(user), sheet=sheet_of("wishes"), ids=[row.pk])
        sheet = load_workbook(io.BytesIO(content)).worksheets[0]
        return " ".join(str(cell) for line in sheet.iter_rows(values_only=True) for cell in line if cell is not None)

    inside, outside = cells(cast.a.officer), cells(cast.street_officer)
    assert "孟*岚" in inside and NAME not in inside and PHONE not in inside
    assert leaks(outside) == [] and "老年人" in outside and row.code in outside
    with pytest.raises(Invalid, match="没有可以导出的内容"):
        cells(cast.b.officer)


def test_the_places_page_counts_and_names_nobody(cast: Cast) -> None:
    row = wish_in(cast)
    for user in (cast.a.officer, cast.street_officer):
        page = told(signed_in(user).get(f"/admin/grids/gridnode/{cast.a.node.pk}/change/"))
        assert row.title in page and "孟" not in page
    assert row.title not in told(signed_in(cast.a.officer).get(f"/admin/grids/gridnode/{cast.a.building.pk}/change/"))


# --- The way of a wish, on the faces --------------------------------------------------------------------------------


def test_collected_checked_adopted_done_and_thanked_on_the_phone(cast: Cast) -> None:
    a = cast.a
    keeper, officer, liaison = signed_in(a.keeper), signed_in(a.officer), signed_in(a.liaison)
    form = {**FORM, "node": a.building.pk}
    page = told(keeper.get("/m/wishes/new/"))
    assert "城北社区" not in page and "data-draft" not in page, "own places; no draft of a name is kept"
    for bad, words in (({"title": f"给{NAME}"}, "心愿人的姓名"), ({"cost": "900"}, "上限 500 元")):
        answer = keeper.post("/m/wishes/new/", {**form, **bad})
        assert answer.status_code == 400 and words in answer.content.decode()
    assert keeper.post("/m/wishes/new/", {**form, "node": cast.b.building.pk}).status_code == 400
    assert not Wish.objects.exists()
    assert keeper.post("/m/wishes/new/", form).status_code == 302
    row = Wish.objects.get()
    assert "微心愿" in told(officer.get("/m/")), "what waits stands on the first page"
    assert "微心愿" in told(officer.get("/admin/")), "and on the desk"
    assert officer.post(f"/m/wishes/{row.pk}/check/", {"version": 1}).status_code == 302
    assert officer.post(f"/m/wishes/{row.pk}/check/", {"version": 1}).status_code == 409
    assert row.title in told(liaison.get("/m/wishes/"))
    assert liaison.post(f"/m/wishes/{row.pk}/adopt/", {"version": 2}).status_code == 302
    late = signed_in(a.supporting_liaison).post(f"/m/wishes/{row.pk}/adopt/", {"version": 2})
    assert late.status_code == 404 and "已经被别人认领" in late.content.decode()
    given = {"version": 3, "text": "轮椅一辆", "done_on": str(timezone.localdate())}
    assert liaison.post(f"/m/wishes/{row.pk}/finish/", given).status_code == 302
    assert officer.post(f"/m/wishes/{row.pk}/thank/", {"version": 4, "thanks": "谢谢"}).status_code == 302
    assert "谢谢" in told(liaison.get(f"/m/wishes/{row.pk}/"))
    assert Wish.objects.get().state == "thanked"


def test_a_member_who_is_a_liaison_says_as_whom(cast: Cast) -> None:
    weave.make_member_checkin(cast.a.member, cast.a.compound)
    UnitMembership.objects.create(user=cast.a.member_user, unit=cast.a.unit, role="liaison")
    row, client = wish_in(cast), signed_in(cast.a.member_user)
    assert "我本人" in told(client.get(f"/m/wishes/{row.pk}/adopt/"))
    assert client.post(f"/m/wishes/{row.pk}/adopt/", {"version": 1}).status_code == 400
    assert client.post(f"/m/wishes/{row.pk}/adopt/", {"version": 1, "side": "self"}).status_code == 302
    assert Wish.objects.get().member == cast.a.member


def test_many_are_checked_at_once_on_the_desk(cast: Cast) -> None:
    rows = [wish_in(cast, "collected") for _number in range(3)]
    other = wish_in(cast, "done", unit=cast.a.unit)
    client = signed_in(cast.a.officer)
    chosen = {"action": "check_chosen", "_selected_action": [row.pk for row in (*rows, other)]}
    answer = client.post("/admin/services/wish/", chosen, follow=True)
    assert "已通过 3 项" in told(answer) and "1 项没有办" in told(answer)
    assert Wish.objects.filter(state="open").count() == 3
    refused = signed_in(cast.street_officer).post("/admin/services/wish/", chosen, follow=True)
    assert "已通过" not in refused.content.decode()


def test_the_api_walks_the_same_way(cast: Cast) -> None:
    def post(user: User, path: str, body: dict[str, Any]) -> Any:
        return signed_in(user).post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")

    a = cast.a
    body = {**FORM, "cost": 300, "node": a.building.code}
    assert post(a.liaison, "wishes/", body).status_code in (403, 404)
    assert post(a.keeper, "wishes/", {**body, "cost": 900}).json()["fields"]["cost"]
    made = post(a.keeper, "wishes/", body)
    assert made.status_code == 201 and made.json()["recipient"] == "孟*岚"
    pk = made.json()["id"]
    assert post(a.keeper, f"wishes/{pk}/check/", {}).status_code == 403
    assert post(a.officer, f"wishes/{pk}/check/", {"version": 1}).json()["state"] == "open"
    taken = post(a.liaison, f"wishes/{pk}/adopt/", {"unit": a.unit.pk})
    assert (taken.json()["state"], taken.json()["recipient"], taken.json()["place"]) == (
        "adopted",
        "",
        "城北街道 · 白龙塘社区",
    )
    assert post(a.liaison, f"wishes/{pk}/finish/", {"text": "好了", "done_on": "2020-01-01"}).status_code == 400
    assert post(a.liaison, f"wishes/{pk}/fly/", {}).status_code == 404
    assert post(a.liaison, f"wishes/{pk}/give_back/", {}).json()["state"] == "open"
    figures = signed_in(cast.department).get("/api/v1/wishes/figures/").json()
    assert (figures["collected"], figures["open"]) == (1, 1)
    assert [line["code"] for line in figures["communities"]] == [a.node.code]


def test_every_face_tells_the_same_figures(cast: Cast) -> None:
    for state in ("collected", "open", "done", "thanked"):
        unit = {"unit": cast.a.unit} if state in ("done", "thanked") else {}
        wish_in(cast, state, **unit)
    found = board(cast.county, cast.a.node).whole
    assert (found.collected, found.adopted, found.done, found.thanked, found.units, found.money) == (4, 2, 2, 1, 1, 600)
    client = signed_in(cast.a.officer)
    api = client.get("/api/v1/wishes/figures/", {"place": cast.a.node.code}).json()
    assert {name: api[name] for name in ("collected", "done", "money")} == {"collected": 4, "done": 2, "money": 600}
    assert "600" in told(client.get("/admin/services/wish/figures/"))
    ledger = client.get("/admin/services/wish/figures/ledger/")
    line = list(load_workbook(io.BytesIO(ledger.content)).worksheets[0].iter_rows(values_only=True))
    assert ("白龙塘社区", 4, 1, 1, 2, 2, 1, 0, 1, 600) in [tuple(row[1:11]) for row in line]
    assert client.get("/admin/services/wish/figures/ledger/?by=unit").status_code == 200
    dashboard = told(client.get(f"/dashboard/{cast.a.node.code}/weft/"))
    assert "征集 4，答谢 1" in dashboard and "admin/services/wish/" in dashboard


def test_notices_reach_the_right_people_and_name_nobody(cast: Cast) -> None:
    row = wish_in(cast, "collected")
    moves.check_wish(actor=cast.a.officer, wish=row)
    moves.adopt_wish(actor=cast.a.liaison, wish=Wish.objects.get())
    deliver()
    assert not OutboxMessage.objects.filter(state="failed").exists()
    readers = set(Notice.objects.filter(kind="wish_opened").values_list("reader", flat=True))
    assert readers == {cast.a.liaison.pk, cast.a.supporting_liaison.pk}
    assert cast.a.secretary.pk in Notice.objects.filter(kind="wish_adopted").values_list("reader", flat=True)
    assert leaks(" ".join(f"{one.title}{one.body}" for one in Notice.objects.all())) == []


# --- Sheet ----------------------------------------------------------------------------------------------------------

HEADER = "心愿,说明,困难类型,心愿人,联系电话,同意方式,预计费用,地点"
LINE = f"想要一辆轮椅,出门看病,独居老人,{NAME},{PHONE},口头,300元,白龙塘社区和谐小区"


def read(person: User, *rows: str, header: str = HEADER, update: bool = False) -> Job:
    return checked(person, sheet_of("wishes"), "\n".join([header, *rows]).encode(), name="心愿.csv", update=update)


def counts(job: Job) -> tuple[int, int, int, int]:
    assert job.state == "done", job.report
    report = job.report["sheet"]
    return report["created"], report["updated"], report["unchanged"], report["bad_rows"]


def test_a_table_comes_in_once_and_waits_to_be_checked(cast: Cast) -> None:
    check = read(cast.a.officer, LINE)
    assert counts(check) == (1, 0, 0, 0), check.report
    assert not Wish.objects.exists()
    confirmed(cast.a.officer, check)
    row = Wish.objects.get()
    assert (row.state, row.node, row.cost, row.consent, row.recipient_name) == (
        "collected",
        cast.a.compound,
        300,
        "spoken",
        NAME,
    )
    assert counts(read(cast.a.officer, LINE)) == (0, 0, 1, 0), "the same file twice changes nothing"
    assert NAME not in str(check.report) and PHONE not in str(check.report), "no page of a job tells a row"
    assert NAME not in str(list(AuditEntry.objects.values_list("changes", "label", "reason")))
    dearer = LINE.replace("300元", "400")
    assert counts(read(cast.a.officer, dearer)) == (0, 0, 0, 1)
    confirmed(cast.a.officer, read(cast.a.officer, dearer, update=True))
    assert Wish.objects.get().cost == 400
    Wish.objects.update(state="adopted", unit=cast.a.unit)
    assert counts(read(cast.a.officer, LINE, update=True)) == (0, 0, 0, 1), "it is somebody's already"
    Wish.objects.update(state="thanked")
    assert counts(read(cast.a.officer, dearer)) == (0, 0, 1, 0), "what is over does not come again"


def test_rows_at_fault_say_where(cast: Cast) -> None:
    bad = (
        LINE.replace("300元", "900"),
        LINE.replace("想要一辆轮椅", f"给{NAME}买轮椅"),
        LINE.replace("独居老人", "残疾"),
        LINE.replace("300元", "三百"),
        LINE.replace("白龙塘社区和谐小区", "城北社区和谐小区"),
        LINE.replace("口头", ""),
    )
    job = read(cast.a.officer, *bad)
    assert counts(job) == (0, 0, 0, 6), job.report
    columns = [column for _row, column, _words, _value in job.report["sheet"]["errors"]]
    assert columns == ["预计费用", "心愿", "同意方式", "预计费用", "地点", "同意方式"]


def test_a_table_with_what_the_portal_does_not_hold_is_refused(cast: Cast) -> None:
    job = read(cast.a.officer, f"{LINE},是", header=f"{HEADER},是否信教")
    assert job.state == "failed" or "sheet" not in job.report
    assert not Wish.objects.exists()


# --- Cost -----------------------------------------------------------------------------------------------------------


COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


@pytest.mark.parametrize("rows", [1, 8])
def test_lists_cost_the_same_whatever_the_rows(cast: Cast, rows: int) -> None:
    weave.make_member_checkin(cast.a.member, cast.a.compound)
    for _number in range(rows):
        wish_in(cast)
        wish_in(cast, "done", member=cast.a.member)
        wish_in(cast, "adopted", unit=cast.a.unit)
    desk, phone, member = (signed_in(user) for user in (cast.a.officer, cast.a.liaison, cast.a.member_user))
    found = {}
    for client, name, address in (
        (desk, "admin.wishes", "/admin/services/wish/"),
        (desk, "admin.wish", f"/admin/services/wish/{Wish.objects.latest('pk').pk}/change/"),
        (desk, "admin.wish_figures", "/admin/services/wish/figures/"),
        (desk, "api.wishes", "/api/v1/wishes/"),
        (desk, "api.wish_figures", "/api/v1/wishes/figures/"),
        (desk, "mobile.wishes_kept", "/m/wishes/?list=kept"),
        (phone, "mobile.wishes", "/m/wishes/"),
        (phone, "mobile.wish", f"/m/wishes/{Wish.objects.latest('pk').pk}/"),
        (member, "mobile.wishes_mine", "/m/wishes/?list=mine"),
    ):
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        found[name] = len(asked)
    assert found == {name: COUNTS.get(name) for name in found}
