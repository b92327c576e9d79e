"""Posts at the desk: given, handed over, ended, put right; by the county from its accounts, by others by telephone."""

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.models import User
from grids.models import Appointment
from tests.cast import Cast
from tests.factories import fresh, next_phone

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate().isoformat()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user))
    return client


def add(client: Client, **data: Any) -> HttpResponse:
    return client.post(reverse("admin:grids_appointment_add"), {"start": TODAY, **data})


def do(client: Client, row: Appointment, deed: str, **data: Any) -> HttpResponse:
    return client.post(address(row, deed), {"version": row.version, **data})


def address(row: Appointment, deed: str = "") -> str:
    page = "deed" if deed else "change"
    return reverse(f"admin:grids_appointment_{page}", args=[row.pk, deed] if deed else [row.pk])


@pytest.fixture
def keeper(cast: Cast) -> Appointment:
    Appointment.objects.filter(user=cast.a.keeper).update(start="2026-01-05")
    return Appointment.objects.get(user=cast.a.keeper)


def test_a_community_officer_appoints_by_name_and_phone(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    page = client.get(reverse("admin:grids_appointment_add")).content.decode()
    assert 'name="phone"' in page
    assert 'name="user"' not in page
    # Nothing to choose that is not theirs to give.
    assert set(re.findall(r'<option value="(\w+)"', page)) >= {"grid_keeper", "building_head"}
    assert not set(re.findall(r'<option value="(\w+)"', page)) & {"county_admin", "street_officer", "community_officer"}
    phone = next_phone()
    data = {"name": "李新", "phone": phone, "post": "grid_keeper", "node": cast.a.grid.path}
    answer = add(client, **data)
    made = User.objects.get(phone=phone)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    password = re.search(r"\b[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}\b", answer.content.decode())
    assert password
    assert made.check_password(password[0])
    # A second post: the account stands, no password is shown, the page of the appointment opens.
    again = add(client, **{**data, "post": "building_head", "node": cast.a.building.path})
    row = Appointment.objects.get(user=made, post="building_head")
    assert (again.status_code, again["Location"]) == (302, address(row))
    twice = add(client, **data)
    assert "不能重复任职" in twice.content.decode()


def test_an_officer_sees_the_refusal_beside_the_field(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    data = {"name": "别人", "phone": cast.b.keeper.phone, "post": "grid_keeper", "node": cast.a.grid.path}
    page = add(client, **data).content.decode()
    assert "属于别人" in page
    assert cast.b.keeper.name not in page
    assert "没有找到" in add(client, **{**data, "node": cast.b.grid.path}).content.decode()
    wrong = add(client, **{**data, "phone": "123"}).content.decode()
    assert "11 位手机号码" in wrong
    assert "这一项" in add(client, **{**data, "node": ""}).content.decode()


def test_a_vacancy_leads_to_the_form_with_place_and_post_named(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    page = client.get(
        reverse("admin:grids_appointment_add"), {"node": cast.a.grid.pk, "post": "grid_keeper"}
    ).content.decode()
    assert f'value="{cast.a.grid.path}"' in page
    assert '<option value="grid_keeper" selected' in page
    for strange in (cast.b.grid.pk, "x", "9" * 30):
        page = client.get(reverse("admin:grids_appointment_add"), {"node": strange}).content.decode()
        assert cast.b.grid.path not in page


def test_a_handover_is_one_page(cast: Cast, keeper: Appointment) -> None:
    client = signed_in(cast.a.secretary)
    page = client.get(address(keeper)).content.decode()
    assert address(keeper, "hand_over") in page
    form = client.get(address(keeper, "hand_over")).content.decode()
    assert "前任的权限到前一天为止" in form
    same = do(client, keeper, "hand_over", name=cast.a.keeper.name, phone=cast.a.keeper.phone, day=TODAY)
    assert "现任本人" in same.content.decode()
    answer = do(client, keeper, "hand_over", name="接班人", phone=next_phone(), day=TODAY)
    assert "首次密码" in answer.content.decode()
    made = Appointment.objects.get(user__name="接班人")
    keeper.refresh_from_db()
    assert (made.start - keeper.end).days == 1  # type: ignore[operator]
    history = client.get(address(made)).content.decode()
    assert "这个岗位的历任" in history
    assert address(keeper) in history
    # What was handed over offers neither handover nor leave, and an old page says so.
    assert client.get(address(keeper, "hand_over")).status_code == 409


def test_the_county_hands_over_to_somebody_it_looks_up(cast: Cast, keeper: Appointment) -> None:
    client = signed_in(cast.admin)
    assert 'name="user"' in client.get(address(keeper, "hand_over")).content.decode()
    answer = do(client, keeper, "hand_over", user="无职务者", day=TODAY)
    made = Appointment.objects.get(user=cast.nobody)
    assert answer["Location"] == address(made)


def test_an_old_page_changes_nothing(cast: Cast, keeper: Appointment) -> None:
    client = signed_in(cast.a.secretary)
    done = do(client, keeper, "correct", start="2026-01-02", note="", reason="录错了")
    assert done.status_code == 302
    for deed, data in (
        ("correct", {"start": "2025-01-02", "reason": "又改"}),
        ("end", {"end": TODAY}),
        ("hand_over", {"name": "接班人", "phone": next_phone(), "day": TODAY}),
    ):
        assert do(client, keeper, deed, **data).status_code == 409
    keeper.refresh_from_db()
    assert (keeper.start.isoformat(), keeper.end, keeper.version) == ("2026-01-02", None, 2)
    assert not User.objects.filter(name="接班人").exists()


def test_a_person_s_other_posts_stand_on_the_page_as_far_as_one_sees_them(cast: Cast, keeper: Appointment) -> None:
    other = Appointment.objects.create(user=cast.a.keeper, post="building_head", node=cast.a.building)
    strange = Appointment.objects.create(user=cast.a.keeper, post="building_head", node=cast.b.building)
    page = signed_in(cast.a.officer).get(address(keeper)).content.decode()
    assert address(other) in page
    assert address(strange) not in page
    assert cast.b.node.name not in page


@pytest.mark.parametrize("deed", ["hand_over", "end", "correct"])
def test_who_may_not_is_refused(cast: Cast, keeper: Appointment, deed: str) -> None:
    for person, status in (
        (cast.a.team_lead, 403),
        (cast.department, 403),
        (cast.b.officer, 404),
        (cast.other_street_officer, 404),
        (cast.other_county_admin, 404),
    ):
        answer = do(signed_in(person), keeper, deed, end=TODAY, day=TODAY, start=TODAY, reason="x")
        assert answer.status_code == status, (person, deed)
    own = Appointment.objects.get(user=cast.a.officer)
    assert do(signed_in(cast.a.officer), own, deed, end="2030-01-01", start=TODAY, reason="x").status_code == 403
    assert not Appointment.objects.exclude(end=None).exists()


def test_a_place_tells_first_that_nobody_answers_for_it(cast: Cast) -> None:
    page = reverse("admin:grids_gridnode_change", args=[cast.a.other_building.pk])
    add = f"{reverse('admin:grids_appointment_add')}?node={cast.a.other_building.pk}&amp;post=building_head"
    assert add in signed_in(cast.a.officer).get(page).content.decode()
    looking = signed_in(cast.a.team_lead).get(page).content.decode()
    assert "空缺" in looking
    assert add not in looking
    filled = signed_in(cast.a.officer).get(reverse("admin:grids_gridnode_change", args=[cast.a.building.pk]))
    assert "空缺" not in filled.content.decode()
    assert address(Appointment.objects.get(user=cast.a.building_head)) in filled.content.decode()
