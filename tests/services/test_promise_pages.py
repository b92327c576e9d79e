"""Promises on their faces: one set of figures for page, API and ledger; lists, the public page, the table both ways, and
reminders."""

import datetime
import io
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from core.models import OutboxMessage, User
from core.sheets import jobs as sheet_jobs
from core.sheets import sheet_of
from services.actions import Settlement, confirm_commitment, report_done, settle_commitments
from services.actions.commitment_sweep import sweep_commitments
from services.models import Commitment
from services.selectors.checkins import figures_at
from services.selectors.commitments import by_unit
from services.selectors.members import member_figures
from services.selectors.two_way import board
from tests import factories as make
from tests import weft_factories as weave
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.factories import fresh

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)
FIGURES = "/admin/services/commitment/figures/"
LEDGER = "/admin/services/commitment/figures/ledger/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user))
    return client


@pytest.fixture
def world(cast: Cast) -> Cast:
    """Two units in `a`: five promises that count (two done, one late), one dropped, one moved; one in `b`."""
    a = cast.a
    make.check_in(a.unit, a.compound, "supporting")
    for number in range(2):
        weave.make_commitment(a.unit, a.building, title=f"做完的 {number}", state="done", done_on=TODAY(), percent=100)
    weave.make_commitment(a.unit, a.grid, title="超期的", due_on=TODAY() - 3 * DAY)
    weave.make_commitment(a.supporting_unit, a.node, title="待确认的", state="reported", reported_at=timezone.now())
    moved = weave.make_commitment(a.supporting_unit, a.node, title="转走的")
    dropped = weave.make_commitment(a.unit, a.node, title="不做的")
    rows = [Settlement(moved, a.unit, ""), Settlement(dropped, None, "不做了")]
    settle_commitments(actor=a.officer, rows=rows)
    weave.make_commitment(cast.b.unit, cast.b.node, title="邻社区的")
    weave.make_member_checkin(a.member, a.compound)
    weave.make_member_checkin(a.second_member, a.compound, state="applied")
    weave.make_activity(a.node, a.unit)
    weave.make_activity(a.compound, a.unit, a.supporting_unit, title="义诊")
    return cast


# --- Figures --------------------------------------------------------------------------------------------------------


def test_the_table_of_a_community_a_street_and_a_county(world: Cast) -> None:
    a, county = world.a, world.county
    line = board(county, a.node).whole
    assert (line.units, line.lead, line.supporting, line.members, line.activities) == (2, 1, 1, 1, 2)
    assert (line.kept.promised, line.kept.done, line.kept.waiting, line.kept.overdue) == (5, 2, 1, 1)
    assert (line.kept.dropped, line.kept.percent, line.kept.rate) == (1, 40, "40%（2/5）")
    (compound,) = board(county, a.node).lines
    assert (compound.place, compound.units, compound.kept.promised) == (a.compound, 1, 3)
    street = board(county, world.street)
    assert [one.kept.promised for one in street.lines] == [5, 1, 0]
    assert (street.whole.kept.promised, street.whole.units) == (6, 4)
    whole = board(county).whole
    assert (whole.kept.promised, whole.units, whole.members) == (6, 4, 1)
    assert board(world.other_county).whole.kept.promised == 0


def test_units_and_members_are_counted_as_their_own_lists_count_them(world: Cast) -> None:
    for place in (world.a.node, world.street, world.a.compound):
        line, units = board(world.county, place).whole, figures_at(place)
        assert (line.units, line.lead, line.supporting) == (units.units, units.lead, units.supporting)
        assert line.members == member_figures(place).reported


def test_the_place_page_tells_of_promises_and_activities(world: Cast) -> None:
    client = signed_in(world.a.officer)
    page = client.get(f"/admin/grids/gridnode/{world.a.node.pk}/change/").content.decode()
    assert "承诺事项：完成率 40%（2/5）" in page
    assert "超期的" in page and "超期 3 天" in page
    assert "承诺完成：做完的 0" in page and "共建活动：义诊" in page
    assert f"/admin/services/commitment/add/?node={world.a.node.pk}" in page
    form = client.get(f"/admin/services/commitment/add/?node={world.a.node.pk}").content.decode()
    assert world.a.node.path in form


def test_what_waits_for_the_community_stands_on_its_desk_and_phone(world: Cast) -> None:
    client = signed_in(world.a.officer)
    assert "/admin/services/commitment/?state=reported" in client.get("/admin/").content.decode()
    assert "承诺待确认" in client.get("/m/").content.decode()
    confirm_commitment(actor=world.a.officer, commitment=Commitment.objects.get(state="reported"))
    assert "承诺待确认" not in client.get("/m/").content.decode()


def test_each_unit_by_name_and_no_ranking(world: Cast) -> None:
    found = by_unit(world.county, world.a.node)
    assert [(one.unit.name, one.kept.promised, one.kept.done) for one in found] == [
        ("县住建局", 4, 2),
        ("县水务局", 1, 0),
    ]


def test_a_closed_promise_counts_where_it_was_kept(world: Cast) -> None:
    """Its place has gone to the neighbour since; the column says where it happened."""
    row = Commitment.objects.filter(state="done").first()
    assert row is not None
    row.node = world.b.building
    row.save(update_fields=["node"])
    assert board(world.county, world.a.node).whole.kept.done == 2
    assert board(world.county, world.b.node).whole.kept.done == 0


@pytest.mark.parametrize("rows", [1, 12])
def test_the_figures_cost_the_same_whatever_the_rows(
    world: Cast, django_assert_max_num_queries: Any, rows: int
) -> None:
    for number in range(rows):
        weave.make_commitment(world.a.unit, world.a.building, title=f"又一项 {number}")
    with django_assert_max_num_queries(6):
        board(world.county)
    with django_assert_max_num_queries(2):
        by_unit(world.county)


def test_page_api_and_ledger_say_the_same(world: Cast) -> None:
    client = signed_in(world.a.officer)
    page = client.get(FIGURES).content.decode()
    assert "40%" in page and "2 / 5" in page
    assert "牵头 1，配合 1" in page
    assert f"/admin/services/commitment/?place={world.a.node.pk}&amp;state=done" in page
    told = client.get("/api/v1/two-way/").json()
    assert (told["units"], told["lead"], told["members"], told["activities"]) == (2, 1, 1, 2)
    assert told["commitments"]["promised"] == 5
    assert [one["done"] for one in told["by_unit"]] == [2, 0]
    sheet = load_workbook(io.BytesIO(client.get(LEDGER).content)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert any(row[1:11] == ["合计", 2, 1, 1, 1, 5, 2, "40%", 1, 2] for row in rows), rows
    units = load_workbook(io.BytesIO(client.get(f"{LEDGER}?by=unit").content)).active
    words = [[cell.value for cell in row] for row in units.iter_rows()]
    assert any(row[1:4] == ["县住建局", 4, 2] for row in words), words


def test_every_figure_leads_to_as_many_rows(world: Cast) -> None:
    client = signed_in(world.a.officer)
    place = world.a.node.pk
    for state, count in (("counted", 5), ("done", 2), ("reported", 1), ("overdue", 1), ("dropped", 1)):
        page = client.get(f"/admin/services/commitment/?place={place}&state={state}").content.decode()
        assert f"共 {count} 条" in page, state


def test_nobody_reads_figures_of_places_out_of_sight(world: Cast) -> None:
    client = signed_in(world.a.officer)
    assert client.get(f"{FIGURES}?place={world.b.node.pk}").status_code == 404
    assert client.get(f"{FIGURES}?place=x").status_code == 404
    assert signed_in(world.department).get(f"{FIGURES}?place={world.b.node.pk}").status_code == 200
    assert signed_in(world.admin).get(FIGURES).status_code == 403
    assert signed_in(world.a.liaison).get("/api/v1/two-way/").status_code == 404


# --- Done at the desk -----------------------------------------------------------------------------------------------


def test_the_community_confirms_with_one_button_and_an_old_page_is_refused(world: Cast) -> None:
    client, row = signed_in(world.a.officer), Commitment.objects.get(state="reported")
    address = f"/admin/services/commitment/{row.pk}/do/confirm/"
    assert client.post(address, {"version": row.version + 1}).status_code == 409
    assert client.post(address, {"version": row.version}).status_code == 302
    row.refresh_from_db()
    assert row.state == "done"
    assert client.post(address, {"version": row.version}).status_code == 409, "a second click"


def test_a_promise_is_made_at_the_desk_for_a_unit_that_has_reported(world: Cast) -> None:
    client, a = signed_in(world.a.officer), world.a
    given = {
        "unit": "县气象局",
        "node": a.building.code,
        "title": "装气象屏",
        "measure": "能看天气",
        "owner": "李主任",
        "due_on": str(TODAY() + DAY),
    }
    refused = client.post("/admin/services/commitment/add/", given).content.decode()
    assert "没有在" in refused and "报到" in refused
    answer = client.post("/admin/services/commitment/add/", {**given, "unit": "县住建局"})
    assert answer.status_code == 302
    assert Commitment.objects.get(title="装气象屏").unit == a.unit


# --- For everybody --------------------------------------------------------------------------------------------------


def test_the_public_list_names_units_and_nobody(world: Cast, client: Client) -> None:
    a = world.a
    weave.make_commitment(a.unit, a.node, title="公示的", owner="李不该看见")
    Commitment.objects.create(
        county=world.county,
        member=a.member,
        node=a.node,
        community=a.node,
        title="党员自己的",
        measure="做到",
        owner=a.member.name,
        due_on=TODAY(),
    )
    for address in (f"/r/promises/units/{a.unit.pk}/", f"/r/promises/{a.node.public_token}/"):
        page = client.get(address).content.decode()
        assert "公示的" in page and "超期 3 天" in page
        assert "不做的" not in page and "党员自己的" not in page
        assert "李不该看见" not in page and a.member.name not in page and "王主任" not in page
    unit = client.get(f"/r/promises/units/{a.unit.pk}/").content.decode()
    assert "承诺 5 项，已完成 2 项，完成率 40%（2/5）" in unit
    assert client.get(f"/r/promises/{a.building.public_token}/")["Location"] == f"/r/promises/{a.node.public_token}/"
    a.unit.is_active = False
    a.unit.save()
    assert client.get(f"/r/promises/units/{a.unit.pk}/").status_code == 404
    assert client.get("/r/promises/abcdefghjk/").status_code == 404


def test_the_printed_code_leads_to_the_public_list(world: Cast) -> None:
    a = world.a
    page = signed_in(a.liaison).get(f"/units/{a.unit.pk}/promises/").content.decode()
    assert f"/r/promises/units/{a.unit.pk}/" in page and "<svg" in page
    assert signed_in(a.officer).get(f"/places/{a.node.pk}/promises/").status_code == 200
    assert signed_in(a.officer).get(f"/places/{a.building.pk}/promises/").status_code == 404
    assert signed_in(world.b.liaison).get(f"/units/{a.unit.pk}/promises/").status_code == 404


# --- The table ------------------------------------------------------------------------------------------------------

HEADERS = ["序号", "承诺单位", "受益小区", "承诺内容", "目标", "负责人", "完成时限", "承诺时间", "进度", "办结日期"]


def table(*rows: list[str]) -> bytes:
    return "\n".join(",".join(row) for row in [HEADERS, *rows]).encode("gb18030")


def bring(user: User, *rows: list[str], **how: Any) -> tuple[Any, Any]:
    check = checked(user, sheet_of("commitments"), table(*rows), **how)
    found = check.report["sheet"]
    return check, (found["created"], found["updated"], found["unchanged"], found["bad_rows"])


def test_a_countys_list_comes_in_and_the_same_again_changes_nothing(cast: Cast) -> None:
    past, due = str(TODAY() - 60 * DAY), str(TODAY() + 30 * DAY)
    rows = [
        ["1", "县住建局", "白龙塘社区和谐小区", "更换楼道灯", "灯都亮", "王一", due, "", "30%", ""],
        ["2", "县水务局", "白龙塘社区", "修水管", "不漏水", "王二", str(TODAY() - DAY), past, "", str(TODAY() - DAY)],
    ]
    officer = cast.a.officer
    check, figures = bring(officer, *rows)
    assert figures == (2, 0, 0, 0), check.report["sheet"]["errors"]
    confirmed(officer, check)
    first, second = Commitment.objects.order_by("pk")
    assert (first.node, first.percent, first.state) == (cast.a.compound, 30, "open")
    assert (second.state, second.done_on, second.percent) == ("done", TODAY() - DAY, 100)
    assert bring(officer, *rows)[1] == (0, 0, 2, 0)
    rows[0][5] = "王三"
    check, figures = bring(officer, *rows)
    assert figures == (0, 0, 1, 1)
    assert "责任人" in str(check.report["sheet"]["errors"])
    check, figures = bring(officer, *rows, update=True)
    assert figures == (0, 1, 1, 0)
    confirmed(officer, check)
    first.refresh_from_db()
    assert first.owner == "王三"


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (1, "住建局", "是不是“县住建局”"),
        (1, "西乡县住建局", "是不是“县住建局”"),
        (1, "县财政局", "没有登记“县财政局”"),
        (1, "县气象局", "没有在"),
        (2, "城北社区", "不在您的管辖范围内"),
        (2, "", "请填写地点"),
        (6, "2020-01-01", "完成期限不能早于今天"),
        (8, "101%", "0 到 100"),
        (9, "2099-01-01", "完成日期要在"),
    ],
)
def test_what_a_row_can_not_say(cast: Cast, place: int, value: str, words: str) -> None:
    row = ["1", "县住建局", "白龙塘社区", "更换楼道灯", "灯都亮", "王一", str(TODAY() + DAY), "", "", ""]
    row[place] = value
    check, figures = bring(cast.a.officer, row)
    assert figures == (0, 0, 0, 1)
    assert words in str(check.report["sheet"]["errors"])
    assert not Commitment.objects.exists()


def test_a_list_does_not_say_that_a_running_promise_is_done(cast: Cast) -> None:
    weave.make_commitment(cast.a.unit, cast.a.node)
    row = [
        "1",
        "县住建局",
        "白龙塘社区",
        "更换楼道灯",
        "12 盏灯都亮",
        "王主任",
        str(weave.soon()),
        "",
        "",
        str(TODAY()),
    ]
    check, figures = bring(cast.a.officer, row, update=True)
    assert figures == (0, 0, 0, 1)
    assert "由单位申报、社区确认" in str(check.report["sheet"]["errors"])


def test_the_ledger_adds_up_and_hides_who_answers(world: Cast) -> None:
    ids = list(Commitment.objects.filter(community=world.a.node).values_list("pk", flat=True))
    content = sheet_jobs.export(actor=fresh(world.a.officer), sheet=sheet_of("commitments"), ids=ids)
    rows = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(content)).active.iter_rows()]
    assert [row[-3:] for row in rows if "合计" in [str(cell) for cell in row]] == [[5, 2, 1]]
    assert "王主任" not in str(rows) and "王*任" in str(rows)


# --- Reminders ------------------------------------------------------------------------------------------------------


def kinds() -> list[str]:
    found = OutboxMessage.objects.filter(kind__startswith="commitment_").order_by("pk")
    return sorted(kind.removeprefix("commitment_") for kind in found.values_list("kind", flat=True))


def test_who_promised_is_reminded_once_and_the_community_of_what_it_has_not_confirmed(cast: Cast) -> None:
    a = cast.a
    soon = weave.make_commitment(a.unit, a.node, title="快到期", due_on=TODAY() + 2 * DAY)
    weave.make_commitment(a.unit, a.node, title="早着", due_on=TODAY() + 60 * DAY)
    weave.make_commitment(a.unit, a.node, title="过了", due_on=TODAY() - DAY)
    waits = weave.make_commitment(a.unit, a.node, title="等着", state="reported", reported_at=timezone.now())
    assert sweep_commitments() == 2
    assert kinds() == ["due_soon", "overdue"]
    assert sweep_commitments() == 0, "a beat that runs twice tells once"
    later = timezone.now() + 20 * DAY
    assert sweep_commitments(later) == 2, "the one soon due is past its day, the other waits too long"
    assert kinds() == ["due_soon", "overdue", "overdue", "unconfirmed"]
    told = OutboxMessage.objects.get(kind="commitment_unconfirmed")
    assert told.audience == {"post": {"right": "commitment.confirm", "node": a.node.pk}}
    assert told.link == f"/admin/services/commitment/{waits.pk}/change/"
    confirm_commitment(actor=a.officer, commitment=waits)
    report_done(actor=a.liaison, commitment=soon, text="好了")
    OutboxMessage.objects.all().delete()
    assert sweep_commitments() == 1, "only the one that is past its day is left"
