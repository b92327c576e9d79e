"""Every write of the admin goes through its form to an action: made, refused, written down, shown once."""

import datetime
import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from core import jobs
from core.audit_words import deed_words
from core.models import AuditEntry, CalendarDay, Job, User
from grids.models import Appointment, GridNode
from partybuilding.models import Member, PartyOrganisation, Unit, UnitMembership
from services.actions.rule_versions import LIMITS
from services.models import Category, Demand, LoopSettings, RuleVersion, UnitCheckIn
from services.workflow import DEMAND
from tests import factories as make
from tests.cast import Cast
from tests.governance.test_admin_matrix import inside, signed_in, url
from tests.services.test_loop import dispatched

pytestmark = pytest.mark.django_db
TODAY = "2026-03-05"


def text_of(answer: HttpResponse) -> str:
    return answer.content.decode()


def sent(client: Client, model: Any, data: dict[str, Any], *, to: Any = None, deed: str = "") -> HttpResponse:
    address = url(model, "deed", to.pk, deed) if to is not None else url(model, "add")
    return client.post(address, data)


def confirmed(client: Client, model: Any, data: dict[str, Any], *, to: Any, deed: str) -> HttpResponse:
    """Sends a deed that shows first what it will do, and confirms it."""
    seal = re.search(r'name="seen"\s+value="(\w+)"', text_of(sent(client, model, data, to=to, deed=deed)))
    assert seal
    return sent(client, model, {**data, "seen": seal[1]}, to=to, deed=deed)


# --- Places and posts -----------------------------------------------------------------------------------------------


def test_a_place_is_made_renamed_moved_described_and_retired(cast: Cast) -> None:
    client = signed_in(cast.admin)
    made = sent(client, GridNode, {"level": "building", "parent": cast.a.grid.path, "name": "9 号楼", "households": 60})
    node = GridNode.objects.get(name="9 号楼")
    assert made["Location"] == url(GridNode, "change", node.pk)
    assert (node.parent, node.households) == (cast.a.grid, 60)
    assert sent(client, GridNode, {"name": "九号楼", "version": 1}, to=node, deed="rename").status_code == 302
    old = sent(client, GridNode, {"name": "旧页面", "version": 1}, to=node, deed="rename")
    assert old.status_code == 409
    parent = {"parent": cast.b.grid.path, "version": 2}
    assert confirmed(client, GridNode, parent, to=node, deed="move").status_code == 302
    facts = {"kind": "basic", "address": "人民路 1 号", "households": "", "external_code": "", "version": 3}
    assert sent(client, GridNode, facts, to=node, deed="describe").status_code == 302
    assert sent(client, GridNode, {"reason": "", "version": 4}, to=node, deed="retire").status_code == 200
    assert confirmed(client, GridNode, {"reason": "拆除", "version": 4}, to=node, deed="retire").status_code == 302
    node.refresh_from_db()
    assert (node.name, node.parent, node.address, node.is_retired) == ("九号楼", cast.b.grid, "人民路 1 号", True)
    again = client.get(url(GridNode, "deed", node.pk, "rename"))
    assert again.status_code == 409, "a retired place is not offered the deed, and the page says so"
    deeds = list(AuditEntry.objects.filter(chain=f"grids.gridnode:{node.pk}").values_list("action", flat=True))
    assert sorted(deeds) == ["node.create", "node.describe", "node.move", "node.rename", "node.retire"]


def test_a_place_in_use_is_not_retired(cast: Cast) -> None:
    answer = sent(signed_in(cast.admin), GridNode, {"reason": "拆除", "version": 1}, to=cast.a.grid, deed="retire")
    assert "还有 2 个在用的下级" in text_of(answer)
    cast.a.grid.refresh_from_db()
    assert not cast.a.grid.is_retired


def test_a_street_and_a_community_are_made_with_their_codes(cast: Cast) -> None:
    client = signed_in(cast.admin)
    assert sent(client, GridNode, {"level": "street", "name": "城东街道"}).status_code == 302
    street = GridNode.objects.get(name="城东街道")
    assert sent(client, GridNode, {"level": "community", "parent": street.path, "name": "东门社区"}).status_code == 302
    assert GridNode.objects.get(name="东门社区").community_id
    missing = sent(client, GridNode, {"level": "building", "name": "没有上级"})
    assert "请填写上级" in text_of(missing)


def test_a_post_is_given_and_ended(cast: Cast) -> None:
    person = make.make_user("新书记", county=cast.county)
    client = signed_in(cast.admin)
    data = {"user": "新书记", "post": "community_secretary", "node": cast.empty_community.path, "start": TODAY}
    assert sent(client, Appointment, data).status_code == 302
    held = Appointment.objects.get(user=person)
    assert (held.node, held.start) == (cast.empty_community, datetime.date(2026, 3, 5))
    assert "新书记" in text_of(client.get(url(GridNode, "change", cast.empty_community.pk)))
    twice = sent(client, Appointment, data)
    assert twice.status_code == 200
    assert Appointment.objects.filter(user=person).count() == 1
    wrong = sent(client, Appointment, {**data, "post": "county_department"})
    assert "县级岗位，不填任职地" in text_of(wrong)
    assert (
        sent(client, Appointment, {"end": TODAY, "reason": "调离", "version": 1}, to=held, deed="end").status_code
        == 302
    )
    held.refresh_from_db()
    assert held.end == datetime.date(2026, 3, 5)


def test_two_people_of_one_name_are_told_apart(cast: Cast) -> None:
    first, second = (make.make_user("王芳", county=cast.county) for _ in range(2))
    client = signed_in(cast.admin)
    data = {"user": "王芳", "post": "community_officer", "node": cast.empty_community.path, "start": TODAY}
    asked = text_of(sent(client, Appointment, data))
    assert "有 2 个符合" in asked
    assert {first.pk, second.pk} == {int(key) for key in re.findall(r'name="user_key" value="(\d+)"', asked)}
    assert sent(client, Appointment, {**data, "user_key": second.pk}).status_code == 302
    assert Appointment.objects.get(node=cast.empty_community).user == second
    # A key left over from another choice does not win over the words in the input.
    left_over = {**data, "user": first.phone, "user_key": cast.a.officer.pk}
    assert sent(client, Appointment, left_over).status_code == 302
    assert Appointment.objects.filter(node=cast.empty_community, user=first).exists()


# --- Units, organisations, members ----------------------------------------------------------------------------------


def test_a_unit_is_registered_corrected_and_closed_when_nothing_is_left(cast: Cast) -> None:
    client = signed_in(cast.admin)
    data = {"name": "县残联", "kind": "department", "short_name": "残联", "duty": "助残"}
    assert sent(client, Unit, data).status_code == 302
    unit = Unit.objects.get(name="县残联")
    assert "本县已有" in text_of(sent(client, Unit, data))
    assert sent(client, Unit, {**data, "name": "县残疾人联合会"}, to=unit, deed="edit").status_code == 302
    assert sent(client, Unit, {}, to=unit, deed="close").status_code == 302
    unit.refresh_from_db()
    assert (unit.name, unit.is_active) == ("县残疾人联合会", False)
    busy = make.make_suborder(make.make_demand(cast.a.building, cast.category, state="dispatched"), cast.a.unit)
    assert "没有了结的派单" in text_of(sent(client, Unit, {}, to=busy.unit, deed="close"))
    assert Unit.objects.get(pk=cast.a.unit.pk).is_active


def test_people_of_a_unit_come_and_go(cast: Cast) -> None:
    person = make.make_user("新联络员", county=cast.county)
    client = signed_in(cast.admin)
    data = {"user": "新联络员", "unit": "县气象局", "role": "liaison", "start": TODAY}
    assert sent(client, UnitMembership, data).status_code == 302
    row = UnitMembership.objects.get(user=person)
    assert sent(client, UnitMembership, {"end": "2020-01-01"}, to=row, deed="end").status_code == 200
    assert sent(client, UnitMembership, {"end": TODAY}, to=row, deed="end").status_code == 302
    row.refresh_from_db()
    assert row.end == datetime.date(2026, 3, 5)


def test_an_organisation_is_made_below_another(cast: Cast) -> None:
    client = signed_in(cast.admin)
    top = {"name": "城北街道党工委", "kind": "work_committee", "node": cast.street.path}
    assert sent(client, PartyOrganisation, top).status_code == 302
    branch = {"name": "第一党支部", "kind": "branch", "parent": "党工委", "unit": "县气象局"}
    assert sent(client, PartyOrganisation, branch).status_code == 302
    made = PartyOrganisation.objects.get(name="第一党支部")
    assert (made.parent and made.parent.name, made.unit) == ("城北街道党工委", cast.idle_unit)
    above = PartyOrganisation.objects.get(name="城北街道党工委")
    assert "还有在用的党组织" in text_of(sent(client, PartyOrganisation, {}, to=above, deed="close"))


def test_a_member_is_kept_by_a_masked_number_and_given_an_account_once(cast: Cast) -> None:
    client = signed_in(cast.admin)
    data = {"name": "赵党员", "phone": "13811112222", "unit": "县气象局"}
    assert sent(client, Member, data).status_code == 302
    member = Member.objects.get(name="赵党员")
    for page in (url(Member, "change", member.pk), url(Member, "changelist"), url(Member, "deed", member.pk, "edit")):
        assert "13811112222" not in text_of(client.get(page))
        assert "138****2222" in text_of(client.get(page))
    edited = {"name": "赵党员", "phone": "", "unit": "县住建局"}
    assert sent(client, Member, edited, to=member, deed="edit").status_code == 302
    member.refresh_from_db()
    assert (member.phone, member.unit) == ("13811112222", cast.a.unit)
    shown = sent(client, Member, {}, to=member, deed="account")
    password = re.search(r"[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}", text_of(shown))
    assert password
    assert "no-store" in shown["Cache-Control"]
    member.refresh_from_db()
    assert member.user
    assert member.user.check_password(password[0])
    assert member.user.must_change_password
    assert client.get(url(Member, "deed", member.pk, "account")).status_code == 409


# --- Check-ins, categories, limits, calendar ------------------------------------------------------------------------


def test_a_community_registers_a_unit_and_ends_it(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    data = {"unit": "县气象局", "node": cast.a.node.path, "role": "supporting", "start": TODAY}
    assert sent(client, UnitCheckIn, data).status_code == 302
    row = UnitCheckIn.objects.get(unit=cast.idle_unit)
    assert (row.node, row.role) == (cast.a.node, "supporting")
    assert "已在" in text_of(sent(client, UnitCheckIn, data))
    assert sent(client, UnitCheckIn, {"end": TODAY}, to=row, deed="end").status_code == 302
    assert client.get(url(UnitCheckIn, "deed", row.pk, "end")).status_code == 409


def category_data(**values: Any) -> dict[str, Any]:
    data = {"name": "供暖", "hint": "", "urgency": "urgent", "limit_value": 24, "limit_unit": "hours", "order": 5}
    return {**data, "is_public": "on", "is_active": "on", **values}


def test_categories_are_a_table_the_county_edits(cast: Cast) -> None:
    client = signed_in(cast.admin)
    assert sent(client, Category, category_data()).status_code == 302
    row = Category.objects.get(name="供暖")
    assert (row.county, row.limit_words, row.is_public) == (cast.county, "24 小时", True)
    assert "已有" in text_of(sent(client, Category, category_data()))
    assert sent(client, Category, category_data(limit_value=0)).status_code == 200
    gone = category_data(name="集中供暖")
    del gone["is_active"]
    assert sent(client, Category, gone, to=row, deed="edit").status_code == 302
    row.refresh_from_db()
    assert (row.name, row.is_active) == ("集中供暖", False)
    entry = AuditEntry.objects.get(action="category.update")
    assert entry.changes == {"name": ["供暖", "集中供暖"], "is_active": [True, False]}
    assert entry.county_id == cast.county.pk


def test_limits_are_changed_within_bounds_and_written_down(cast: Cast) -> None:
    client = signed_in(cast.admin)
    page = text_of(client.get(url(LoopSettings, "deed", cast.settings.pk, "edit")))
    names = re.findall(r'name="([a-z_]+)" value="(\d+)"', page)
    data: dict[str, Any] = {**dict(names), "promise": "1 小时内联系您"}
    assert len(names) == len(LIMITS) == 23
    bad = sent(client, LoopSettings, {**data, "yellow_percent": 0}, to=cast.settings, deed="edit")
    assert bad.status_code == 200
    good = sent(client, LoopSettings, {**data, "accept_workdays": 2}, to=cast.settings, deed="edit")
    assert good.status_code == 302
    cast.settings.refresh_from_db()
    assert (cast.settings.accept_workdays, cast.settings.promise) == (2, "1 小时内联系您")
    changes = AuditEntry.objects.get(action="settings.limits").changes
    assert set(changes) == {"accept_workdays", "promise"}


def test_the_calendar_takes_local_days_and_names_the_years_it_does_not_know(cast: Cast) -> None:
    client = signed_in(cast.admin)
    listed = text_of(client.get(url(CalendarDay, "changelist")))
    assert f"{timezone.localdate().year + 1} 年的国家放假安排还没有内置" in listed
    data = {"date": "2026-11-23", "is_working": "0", "note": "县庆"}
    assert sent(client, CalendarDay, data).status_code == 302
    assert sent(client, CalendarDay, {**data, "is_working": "1", "note": "补班"}).status_code == 302
    row = CalendarDay.objects.get()
    assert (row.is_working, row.note) == (True, "补班")
    assert AuditEntry.objects.filter(action="calendar.set", county_id=cast.county.pk).count() == 2
    assert "2026年11月23日" in text_of(client.get(url(CalendarDay, "change", row.pk)))


def test_a_stretch_of_days_is_adjusted_at_once_and_given_back_to_the_national_calendar(cast: Cast) -> None:
    client = signed_in(cast.admin)
    data = {"date": "2027-02-08", "until": "2027-02-10", "is_working": "0", "note": "春节"}
    for wrong in ("2027-02-07", "2027-03-11"):
        refused = sent(client, CalendarDay, {**data, "until": wrong})
        assert refused.status_code == 200
        assert "一次最多 31 天" in text_of(refused)
    assert not CalendarDay.objects.exists()
    assert sent(client, CalendarDay, data).status_code == 302
    assert CalendarDay.objects.filter(is_working=False, note="春节").count() == 3
    year = text_of(client.get(url(CalendarDay, "year", 2027)))
    assert year.count("本地安排休息：春节") == 6  # each day says so twice: for the pointer and for the ear
    assert "已手工填写 3 天" in year
    assert "2027-02-08" in year
    assert sent(client, CalendarDay, {**data, "until": "2027-02-09", "is_working": ""}).status_code == 302
    assert [f"{row.date}" for row in CalendarDay.objects.all()] == ["2027-02-10"]
    assert AuditEntry.objects.filter(action="calendar.unset", county_id=cast.county.pk).count() == 2


def test_a_year_shows_whose_word_each_day_is_and_starts_the_form_with_the_day(cast: Cast) -> None:
    client = signed_in(cast.admin)
    CalendarDay.objects.create(date=datetime.date(2026, 3, 7), is_working=True)
    year = text_of(client.get(url(CalendarDay, "year", 2026)))
    for words in ("国家放假（春节）", "国家调休上班（春节）", "本地安排上班", "周末"):
        assert words in year
    assert "还没有内置" not in year
    form = text_of(client.get(url(CalendarDay, "add") + "?date=2026-02-17"))
    assert 'value="2026-02-17"' in form
    assert client.get(url(CalendarDay, "add") + "?date=nonsense").status_code == 200
    assert client.get(url(CalendarDay, "year", 2201)).status_code == 404
    assert signed_in(cast.a.officer).get(url(CalendarDay, "year", 2026)).status_code == 403


def test_versions_of_the_limits_say_what_changed_and_the_demand_names_its_own(cast: Cast) -> None:
    client = signed_in(cast.admin)
    data = {"name": "水电气暖", "urgency": "ordinary", "order": 1, "is_public": "on", "is_active": "on"}
    changed = {**data, "limit_value": 6, "limit_unit": "work_hours", "contact_hours": 1}
    assert sent(client, Category, changed, to=cast.category, deed="edit").status_code == 302
    demand, _order = dispatched(cast)
    newest = RuleVersion.objects.get(number=2)
    assert "类别“水电气暖”、类别“水电气暖”首次联系" in text_of(client.get(url(RuleVersion, "changelist")))
    page = text_of(client.get(url(RuleVersion, "change", newest.pk)))
    assert "5 个工作日" in page
    assert "6 个工作小时" in page
    officer = signed_in(cast.a.officer)
    shown = text_of(officer.get(url(Demand, "change", demand.pk)))
    address = url(RuleVersion, "numbered", cast.county.pk, 2)
    assert "按第 2 版时限规则" in shown
    # No limit yet, nothing it could rest on.
    fresh_one = make.make_demand(cast.a.building)
    assert "时限依据" in shown and "时限依据" not in text_of(officer.get(url(Demand, "change", fresh_one.pk)))
    assert address in shown
    answer = officer.get(address)
    assert answer.status_code == 302
    assert answer["Location"] == url(RuleVersion, "change", newest.pk)
    assert signed_in(cast.other_county_admin).get(address).status_code == 404
    with_unit = signed_in(cast.a.liaison).get("/api/v1/rule-versions/")
    assert with_unit.json()["results"] == []


# --- Accounts -------------------------------------------------------------------------------------------------------


def password_on(answer: HttpResponse) -> str:
    found = re.search(r"<dd>\s*([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})\s*</dd>", text_of(answer))
    assert found, text_of(answer)[-3000:]
    return found[1]


def test_an_account_is_made_with_a_post_and_its_password_shown_once(cast: Cast) -> None:
    client = signed_in(cast.admin)
    data = {"name": "新干部", "phone": "138 2222 3333", "post": "community_officer", "place": cast.empty_community.path}
    answer = client.post(url(User, "add") + "?kind=cadres", data)
    user = User.objects.get(phone="13822223333")
    assert user.check_password(password_on(answer))
    assert user.must_change_password
    assert "no-store" in answer["Cache-Control"]
    assert Appointment.objects.get(user=user).node == cast.empty_community
    page = text_of(client.get(url(User, "change", user.pk)))
    assert "13822223333" not in page
    assert not re.search(r"[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}", page)


def test_an_account_for_a_unit_and_for_a_member(cast: Cast) -> None:
    client = signed_in(cast.admin)
    data = {"name": "新联络员", "phone": "13822224444", "unit": cast.idle_unit.pk, "role": "liaison"}
    password_on(client.post(url(User, "add") + "?kind=liaisons", data))
    assert UnitMembership.objects.get(user__phone="13822224444").unit == cast.idle_unit
    data = {"name": "新党员", "phone": "13822225555", "unit": cast.idle_unit.pk}
    password_on(client.post(url(User, "add") + "?kind=members", data))
    assert Member.objects.get(phone="13822225555").user
    assert client.get(url(User, "add") + "?kind=nonsense").status_code == 404


def test_a_taken_number_is_refused_beside_its_field(cast: Cast) -> None:
    data = {
        "name": "别人",
        "phone": cast.a.officer.phone,
        "post": "community_officer",
        "place": cast.empty_community.path,
    }
    answer = signed_in(cast.admin).post(url(User, "add") + "?kind=cadres", data)
    assert answer.status_code == 400
    assert "属于别人" in text_of(answer)
    assert cast.a.officer.name not in text_of(answer)


def test_a_password_is_reset_and_the_old_one_is_worth_nothing(cast: Cast) -> None:
    client = signed_in(cast.admin)
    answer = sent(client, User, {}, to=cast.a.officer, deed="reset")
    officer = User.objects.get(pk=cast.a.officer.pk)
    assert officer.check_password(password_on(answer))
    assert not officer.check_password(make.PASSWORD)
    assert officer.must_change_password
    own = sent(client, User, {}, to=cast.admin, deed="reset")
    assert "自己的密码" in text_of(own)
    for stranger in (cast.department, cast.a.secretary, cast.other_county_admin):
        assert sent(signed_in(stranger), User, {}, to=cast.a.officer, deed="reset").status_code in (403, 404)
    assert AuditEntry.objects.filter(action="account.reset_password").count() == 1


def test_an_account_is_stopped_with_a_reason_and_started_again(cast: Cast) -> None:
    client = signed_in(cast.admin)
    assert sent(client, User, {"reason": ""}, to=cast.a.officer, deed="stop").status_code == 200
    officer = signed_in(cast.a.officer)
    assert sent(client, User, {"reason": "调离"}, to=cast.a.officer, deed="stop").status_code == 302
    assert officer.get("/admin/").status_code == 302
    assert sent(client, User, {"reason": "回来"}, to=cast.a.officer, deed="start").status_code == 302
    assert "不能停用自己" in text_of(sent(client, User, {"reason": "x"}, to=cast.admin, deed="stop"))
    name = {"name": "改名的人", "phone": ""}
    assert sent(client, User, name, to=cast.a.officer, deed="edit").status_code == 302
    user = User.objects.get(pk=cast.a.officer.pk)
    assert (user.name, user.phone, user.is_active) == ("改名的人", cast.a.officer.phone, True)


def test_people_come_in_by_a_table_and_their_passwords_are_taken_once(cast: Cast) -> None:
    client = signed_in(cast.admin)
    template = client.get(url(User, "import_template", "liaisons"))
    assert load_workbook(io.BytesIO(template.content)).active
    table = "姓名,手机号码,单位\n表格人,13833334444,县气象局\n".encode()
    file = SimpleUploadedFile("people.csv", table, content_type="text/csv")
    door = text_of(client.get(url(User, "import_door")))
    assert all(words in door for words in ("导入干部和网格人员", "导入单位联络员和工作人员", "导入党员"))
    answer = client.post(url(User, "import", "liaisons"), {"upload": file})
    check = Job.objects.get()
    assert answer["Location"] == url(User, "import_job", "liaisons", check.pk)
    jobs.run(check.pk)
    assert not User.objects.filter(phone="13833334444").exists()
    answer = client.post(url(User, "import_confirm", "liaisons", check.pk))
    job = Job.objects.latest("pk")
    jobs.run(job.pk)
    assert UnitMembership.objects.get(user__phone="13833334444").unit == cast.idle_unit
    handout = url(User, "handout", job.pk)
    for page in (url(User, "import_door"), answer["Location"]):
        assert f'action="{handout}"' in client.get(page).content.decode()
    assert client.get(handout).status_code == 405
    assert signed_in(cast.other_county_admin).post(handout).status_code == 404
    taken = client.post(handout)
    cells = [str(cell.value) for row in load_workbook(io.BytesIO(taken.content)).active.iter_rows() for cell in row]
    assert any(re.fullmatch(r"[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}", cell) for cell in cells)
    assert client.post(handout).status_code == 404
    for page in (url(User, "import_door"), answer["Location"]):
        assert handout not in client.get(page).content.decode()
    assert signed_in(cast.department).get(url(User, "import_door")).status_code == 403


# --- The trail ------------------------------------------------------------------------------------------------------


def test_the_auditor_reads_deeds_in_words(cast: Cast) -> None:
    sent(signed_in(cast.admin), Category, category_data())
    entry = AuditEntry.objects.get(action="category.create")
    client = signed_in(cast.auditor)
    listed = text_of(client.get(url(AuditEntry, "changelist")))
    assert "新增类别" in listed
    page = text_of(client.get(url(AuditEntry, "change", entry.pk)))
    for words in ("新增类别", "供暖", "紧急", "小时", cast.admin.name, "办理时限"):
        assert words in page
    assert "limit_value" not in page
    assert "services.category" not in page
    other = signed_in(cast.other_county_admin)
    assert other.get(url(AuditEntry, "change", entry.pk)).status_code == 403


def test_the_trail_of_another_county_is_out_of_sight(cast: Cast) -> None:
    far_auditor = make.make_cadre("邻县审计员", "county_auditor", cast.other_county)
    sent(signed_in(cast.admin), Category, category_data())
    entry = AuditEntry.objects.get(action="category.create")
    client = signed_in(far_auditor)
    assert client.get(url(AuditEntry, "change", entry.pk)).status_code == 404
    assert "供暖" not in text_of(client.get(url(AuditEntry, "changelist")))


def test_every_deed_in_the_trail_has_a_name() -> None:
    root = Path(__file__).resolve().parents[2]
    sources = [
        path
        for floor in ("core", "grids", "partybuilding", "services", "governance")
        for path in (root / floor).rglob("*.py")
    ]
    found = {name for path in sources for name in re.findall(r'action="([a-z]+\.[a-z_]+)"', path.read_text())}
    assert len(found) > 20
    assert {name for name in found if deed_words(name) == deed_words("nothing.such")} == set()


# --- Words ----------------------------------------------------------------------------------------------------------

# What stands for itself in Latin letters: kinds of files, and the names this test's own rows carry.
ALLOWED = {"xlsx", "xls", "csv", "Excel", "CSV", "WPS"}


def latin_words(page: str) -> set[str]:
    """Words in Latin letters that a person would see or hear on a page; addresses stand for themselves."""
    page = re.sub(r"<(script|style|head)\b.*?</\1>", " ", page, flags=re.S)
    page = re.sub(r"https?://[\w.:/-]+", " ", page)
    heard = " ".join(re.findall(r'(?:title|aria-label|placeholder|alt|data-label)="([^"]*)"', page))
    return set(re.findall(r"[A-Za-z]{2,}", re.sub(r"<[^>]+>", " ", page) + " " + heard)) - ALLOWED


def test_no_page_of_the_admin_speaks_english(cast: Cast) -> None:
    rows = inside(cast)
    demand = rows[Demand]
    make.make_suborder(demand, cast.a.unit)
    pages = ["/admin/", url(AuditEntry, "changelist"), "/admin/burden/", "/admin/find/?q=楼", url(User, "import_door")]
    for model, row in rows.items():
        pages += [
            url(model, "changelist"),
            url(model, "changelist") + "?q=没有这个",
            url(model, "add"),
            url(model, "change", row.pk),
        ]
        pages += [url(model, "deed", row.pk, deed.name) for deed in admin.site.get_model_admin(model).deeds]
    pages += [reverse("admin:services_demand_move", args=[demand.pk, row.name]) for row in DEMAND.transitions]
    pages += [url(User, "add") + f"?kind={kind}" for kind in ("liaisons", "members")]
    pages.append(reverse("admin:services_demand_contact", args=[demand.pk]))
    found: dict[str, set[str]] = {}
    others = dict.fromkeys((cast.street_officer, cast.department, cast.auditor, cast.superuser), pages[:3])
    for person, addresses in ({cast.a.officer: pages, cast.admin: pages} | others).items():
        client = signed_in(person)
        for address in addresses:
            answer = client.get(address)
            if answer.status_code != 302 and (words := latin_words(text_of(answer))):
                found[address] = words
    assert found == {}
