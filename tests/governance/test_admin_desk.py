"""The first page of the admin: what waits for each kind of cadre, their figures, one search, a fixed number of statements."""

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import audit
from core.actors import RESIDENT, SYSTEM
from core.models import User
from governance.desk import Desk, desk_of
from grids.models import Appointment
from partybuilding.models import UnitMembership
from services.actions import move, raise_demand, reveal_contact
from services.models import Demand, Origin, SubOrder, Supervision
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def raised(cast: Cast, text: str = "楼道灯坏了。", **fields: Any) -> Demand:
    values = {"node": cast.a.building, "category": cast.category, "text": text}
    return raise_demand(actor=RESIDENT, origin=Origin.RESIDENT, **{**values, **fields})


def do(actor: User, target: Any, name: str, **data: Any) -> Demand:
    return move(actor=fresh(actor), target=target, name=name, data=data)


def dispatched(cast: Cast, text: str = "停水。", **fields: Any) -> Demand:
    demand = raised(cast, text, **fields)
    community = cast.a if demand.community_id == cast.a.node.pk else cast.b
    do(community.officer, demand, "accept")
    return do(community.officer, demand, "dispatch", unit=community.unit)


def late(demand: Demand, hours: int = 50) -> Demand:
    due = timezone.now() - datetime.timedelta(hours=hours)
    Demand.objects.filter(pk=demand.pk).update(due_at=due)
    SubOrder.objects.filter(demand=demand).update(due_at=due)
    return demand


def codes(rows: Any) -> list[str]:
    return [row.demand.code for row in rows.rows]


def desk(user: User) -> Desk:
    return desk_of(fresh(user))


def test_a_community_sees_what_waits_for_it_ordered_by_the_clock(cast: Cast) -> None:
    new, older = raised(cast), raised(cast, "井盖坏了。")
    Demand.objects.filter(pk=older.pk).update(step_due_at=timezone.now() - datetime.timedelta(days=2))
    returned = dispatched(cast)
    lead = SubOrder.objects.get(demand=returned)
    do(cast.a.liaison, lead, "request_return", reason="不归我们。")
    SubOrder.objects.filter(pk=lead.pk).update(review_due_at=timezone.now() - datetime.timedelta(days=1))
    with_the_unit, strange = dispatched(cast, "漏水。"), raised(cast, "邻居的事。", node=cast.b.building)
    shown = desk(cast.a.officer)
    assert shown.waiting
    assert codes(shown.waiting) == [older.code, returned.code, new.code]
    assert [row.action.row.name for row in shown.waiting.rows if row.action] == ["accept", "approve_return", "accept"]
    assert shown.waiting.rows[0].clock.colour == "red"
    assert "超期" in shown.waiting.rows[0].clock.left
    everything = {row.demand.code for part in (shown.waiting, shown.soon, shown.late) for row in part.rows}
    assert not {with_the_unit.code, strange.code} & everything


def test_every_button_of_the_desk_opens_its_page(cast: Cast) -> None:
    raised(cast)
    do(cast.a.officer, raised(cast, "井盖坏了。"), "accept")
    late(dispatched(cast))
    for person in (cast.a.officer, cast.street_officer, cast.department):
        client = signed_in(person)
        page = client.get("/admin/").content.decode()
        links = set(re.findall(r'desk-row__go[^"]*"\s+href="([^"]+)"', page))
        for link in links:
            assert client.get(link).status_code == 200, (person, link)
        assert links or person == cast.street_officer


def test_a_street_sees_what_was_escalated_and_second_extensions(cast: Cast) -> None:
    plain, escalated = raised(cast), raised(cast, "修路。")
    do(cast.a.officer, escalated, "accept")
    do(cast.a.officer, escalated, "escalate", reason="跨社区。")
    extended = dispatched(cast)
    lead = SubOrder.objects.get(demand=extended)
    do(cast.a.liaison, lead, "sign")
    until = timezone.localdate() + datetime.timedelta(days=40)
    do(cast.a.liaison, lead, "request_extension", until=until, reason="等配件")
    do(cast.a.officer, lead, "approve_extension")
    do(cast.a.liaison, lead, "request_extension", until=until + datetime.timedelta(days=30), reason="又等")
    shown = desk(cast.street_officer).waiting
    assert shown
    assert {row.demand.code: row.action.row.name for row in shown.rows if row.action} == {
        escalated.code: "dispatch",
        extended.code: "approve_extension",
    }
    assert plain.code not in codes(shown)
    assert not desk(cast.other_street_officer).waiting.rows  # type: ignore[union-attr]


def test_the_county_sees_what_is_late_and_who_did_not_answer(cast: Cast) -> None:
    overdue, fine = late(dispatched(cast)), dispatched(cast, "漏水。")
    asked = raised(cast, "没人管。")
    do(cast.department, asked, "supervise", reason="请说明。")
    shown = desk(cast.department)
    assert codes(shown.late) == [overdue.code]
    assert shown.late.rows[0].action
    assert shown.late.rows[0].action.row.name == "supervise"
    assert codes(shown.unanswered) == []
    Supervision.objects.update(due_at=timezone.now() - datetime.timedelta(hours=1))
    assert codes(desk(cast.department).unanswered) == [asked.code]
    assert fine.code not in codes(shown.late)
    assert not desk(cast.other_county_department).late.rows


def test_the_figures_and_the_colour_list_count_what_is_in_sight(cast: Cast) -> None:
    raised(cast)
    late(dispatched(cast))
    running = dispatched(cast, "漏水。")
    soon = dispatched(cast, "快到期。")
    now = timezone.now()
    Demand.objects.filter(pk=soon.pk).update(warn_at=now - datetime.timedelta(1), due_at=now + datetime.timedelta(1))
    late(dispatched(cast, "邻居停水。", node=cast.b.building))
    own = desk(cast.a.officer)
    assert own.figures == {"registered": 1, "to_dispatch": 0, "running": 3, "soon": 1, "late": 1, "to_check": 0}
    assert [(row.name, row.green, row.amber, row.red) for row in own.colours] == [(cast.a.unit.name, 1, 1, 1)]
    assert codes(own.soon) == [soon.code]
    street = desk(cast.street_officer)
    assert street.figures["late"] == 2
    assert {(row.name, row.red) for row in street.colours} == {(cast.a.node.name, 1), (cast.b.node.name, 1)}
    page = signed_in(cast.a.officer).get("/admin/").content.decode()
    assert cast.b.unit.name not in page
    assert running.title not in codes(own.late)


def test_recent_closings_are_shown_newest_first(cast: Cast) -> None:
    first, second = dispatched(cast), dispatched(cast, "漏水。")
    for days, demand in ((2, first), (1, second)):
        lead = SubOrder.objects.get(demand=demand)
        do(cast.a.liaison, lead, "sign")
        do(cast.a.liaison, lead, "report", text="在办。")
        do(cast.a.liaison, lead, "finish", text="好了。")
        do(cast.a.officer, demand, "check")
        do(cast.a.officer, demand, "close_off")
        Demand.objects.filter(pk=demand.pk).update(closed_at=timezone.now() - datetime.timedelta(days=days))
    assert codes(desk(cast.a.officer).closed) == [second.code, first.code]


def test_an_administrator_sees_where_nobody_answers(cast: Cast) -> None:
    shown = desk(cast.admin)
    assert shown.waiting is None
    assert shown.setup
    assert [node.name for node in shown.setup.unmanned] == ["新民社区", "南门社区"]
    assert shown.setup.without_liaison == []
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    UnitMembership.objects.filter(user=cast.a.liaison).update(start=yesterday, end=yesterday)
    Appointment.objects.filter(node=cast.b.node).update(start=yesterday, end=yesterday)
    make.make_user("新人", county=cast.county, must_change_password=True)
    setup = desk(cast.admin).setup
    assert setup
    assert [unit.name for unit in setup.without_liaison] == [cast.a.unit.name]
    assert "城北社区" in [node.name for node in setup.unmanned]
    assert setup.first_passwords == 1
    page = signed_in(cast.admin).get("/admin/").content.decode()
    assert "没有人受理需求" in page
    assert "楼道灯" not in page


def test_an_auditor_sees_the_sensitive_deeds_of_their_county(cast: Cast) -> None:
    demand = raised(cast, contact_name="张三", contact_phone="13800001111")
    reveal_contact(actor=fresh(cast.a.officer), demand=demand, reason="回电")
    far = make.make_demand(cast.other_county_community)
    with transaction.atomic():
        audit.record(actor=cast.other_county_secretary, action="demand.reveal_contact", obj=far, reason="邻县")
        audit.record(actor=SYSTEM, action="appointment.start", obj=cast.a.node)
    deeds = desk(cast.auditor).deeds
    assert deeds is not None
    assert [(entry.actor, entry.reason) for entry in deeds] == [(cast.a.officer, "回电")]
    page = signed_in(cast.auditor).get("/admin/").content.decode()
    assert "查看联系方式" in page
    assert "13800001111" not in page


def test_an_empty_desk_says_so(cast: Cast) -> None:
    page = signed_in(cast.b.officer).get("/admin/").content.decode()
    assert "没有等您办的事" in page
    assert "登记来电" in page


# --- One search -----------------------------------------------------------------------------------------------------


def test_a_whole_code_leads_straight_there(cast: Cast) -> None:
    demand = raised(cast)
    answer = signed_in(cast.a.officer).get("/admin/find/", {"q": demand.code})
    assert answer["Location"] == f"/admin/services/demand/{demand.pk}/change/"
    assert signed_in(cast.b.officer).get("/admin/find/", {"q": demand.code}).status_code == 200


def test_the_search_finds_by_title_and_place_within_scope(cast: Cast) -> None:
    raised(cast, "独特的井盖。")
    mine, neighbour = signed_in(cast.a.officer), signed_in(cast.b.officer)
    assert "独特的井盖" in mine.get("/admin/find/", {"q": "井盖"}).content.decode()
    assert "没有找到" in neighbour.get("/admin/find/", {"q": "独特"}).content.decode()
    page = mine.get("/admin/find/", {"q": "和谐小区 2 号楼"}).content.decode()
    assert f"/admin/grids/gridnode/{cast.a.other_building.pk}/change/" in page
    assert f"/{cast.b.other_building.pk}/change/" not in page
    assert "县交通局" in mine.get("/admin/find/", {"q": "交通"}).content.decode(), "units are known county-wide"
    assert "<script>" not in mine.get("/admin/find/", {"q": "<script>x"}).content.decode()


def test_who_sees_no_demands_finds_none(cast: Cast) -> None:
    demand = raised(cast, "独特的井盖。")
    for person in (cast.admin, cast.auditor, cast.superuser):
        answer = signed_in(person).get("/admin/find/", {"q": demand.code})
        assert answer.status_code == 200
        assert demand.title not in answer.content.decode()


# --- Statements -----------------------------------------------------------------------------------------------------


def counted(client: Client) -> int:
    client.get("/admin/")
    with CaptureQueriesContext(connection) as found:
        assert client.get("/admin/").status_code == 200
    return len(found)


def test_statements_of_the_desk_do_not_grow_with_its_rows(cast: Cast) -> None:
    roles = {
        "admin.desk_community": cast.a.officer,
        "admin.desk_street": cast.street_officer,
        "admin.desk_county": cast.department,
        "admin.desk_admin": cast.admin,
        "admin.desk_auditor": cast.auditor,
    }
    clients = {name: signed_in(person) for name, person in roles.items()}
    dispatched(cast)
    few = {name: counted(client) for name, client in clients.items()}
    for number in range(8):
        raised(cast, f"第 {number} 件。")
        late(dispatched(cast, f"超期第 {number} 件。"))
    many = {name: counted(client) for name, client in clients.items()}
    assert many == {name: COUNTS[name] for name in roles}
    assert all(few[name] <= many[name] for name in roles)


def test_the_desk_says_whom_to_tell_about_burdens(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    assert "/admin/burden/" in client.get("/admin/").content.decode()
    assert cast.county.department in client.get("/admin/burden/").content.decode()
