"""Accounts: who may make, reset and stop them; first passwords; sign-in by page and by API."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth import hashers
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password, pbkdf2
from django.contrib.auth.password_validation import validate_password
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.authtoken.models import Token

from core import accounts, notices
from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.hashers import FirstPasswordHasher
from core.models import AuditEntry, Notice, OutboxMessage, User
from core.tasks import clean_up
from governance import settings as portal
from tests.cast import Cast
from tests.factories import PASSWORD, fresh, make_cadre, make_user

pytestmark = pytest.mark.django_db

PHONE = "13711112222"


def deeds(user: User) -> list[str]:
    found = AuditEntry.objects.filter(chain=f"core.user:{user.pk}").order_by("position")
    return [entry.action for entry in found]


def everything_recorded() -> str:
    return str(list(AuditEntry.objects.values_list("label", "changes", "reason", "origin")))


# --- Making accounts --------------------------------------------------------------------------------------------------


def test_an_administrator_makes_an_account_with_a_password_shown_once(cast: Cast) -> None:
    user, password = accounts.create_account(
        actor=cast.admin, phone="137 1111 2222", name=" 赵 六 ", place=cast.county, county_key=cast.county.pk
    )
    user.refresh_from_db()
    assert (user.phone, user.name, user.must_change_password) == (PHONE, "赵 六", True)
    assert user.check_password(password)
    assert password not in user.password
    assert deeds(user) == ["account.create"]


def test_neither_phone_nor_name_nor_password_enters_the_trail(cast: Cast) -> None:
    user, password = accounts.create_account(actor=cast.admin, phone=PHONE, name="赵六", place=cast.county)
    accounts.update_account(actor=SYSTEM, user=user, phone="13711113333", name="赵小六")
    recorded = everything_recorded()
    for secret in (PHONE, "13711113333", "赵六", "赵小六", password):
        assert secret not in recorded


@pytest.mark.parametrize("who", ["department", "auditor", "street_secretary", "nobody", "superuser"])
def test_others_make_no_accounts(cast: Cast, who: str) -> None:
    before = User.objects.count()
    with pytest.raises((Forbidden, NotFound)):
        accounts.create_account(actor=getattr(cast, who), phone=PHONE, name="赵六", place=cast.county)
    assert User.objects.count() == before


def test_an_administrator_makes_no_account_in_the_county_next_door(cast: Cast) -> None:
    with pytest.raises(NotFound):
        accounts.create_account(actor=cast.admin, phone=PHONE, name="赵六", place=cast.other_county)
    assert not User.objects.filter(phone=PHONE).exists()


def test_a_person_must_say_where_the_account_belongs(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        accounts.create_account(actor=cast.admin, phone=PHONE, name="赵六", place=None)
    assert not User.objects.filter(phone=PHONE).exists()


def test_a_phone_has_one_account(cast: Cast) -> None:
    with pytest.raises(Conflict) as caught:
        accounts.create_account(actor=SYSTEM, phone=cast.nobody.phone, name="赵六", place=None)
    assert "phone" in caught.value.fields


@pytest.mark.parametrize("phone", ["", "12345678901", "1371111222", "137111122223", "１２３", "13711112222x", "phone"])
def test_what_is_no_mobile_number_is_refused(phone: str) -> None:
    with pytest.raises(Invalid) as caught:
        accounts.create_account(actor=SYSTEM, phone=phone, name="赵六", place=None)
    assert "phone" in caught.value.fields
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "typed", ["137-1111-2222", "+86 13711112222", "１３７１１１１２２２２", "0086137 11112222", " 13711112222 "]
)
def test_spellings_of_a_mobile_number_are_one(typed: str) -> None:
    assert accounts.clean_phone(typed) == PHONE


@given(st.text(max_size=30))
def test_any_text_is_a_mobile_number_or_refused(text: str) -> None:
    try:
        cleaned = accounts.clean_phone(text)
    except Invalid:
        return
    assert re.fullmatch("1[3-9][0-9]{9}", cleaned)


@pytest.mark.parametrize("name", ["", "  ", "名" * 61])
def test_a_name_that_can_not_be_used_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        accounts.create_account(actor=SYSTEM, phone=PHONE, name=name, place=None)


def test_first_passwords_differ_and_meet_the_rules() -> None:
    made = {accounts.new_password() for _number in range(50)}
    assert len(made) == 50
    for password in made:
        validate_password(password, User(phone=PHONE, name="赵六"))
        assert not set(password) & set("0o1liI")


def test_many_accounts_are_made_in_few_statements(
    cast: Cast, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    people = [(f"137222200{number:02}", f"党员{number}") for number in range(40)]
    assert cast.admin.is_staff
    with django_assert_max_num_queries(6):
        made = accounts.create_accounts(actor=cast.admin, people=people, place=cast.county, county_key=cast.county.pk)
    assert [(user.phone, user.name) for user, _password in made] == people
    assert all(user.check_password(password) for user, password in made[:3])
    assert {tuple(deeds(user)) for user, _password in made} == {("account.create",)}
    assert accounts.taken_phones(["13722220000", "13722220039", "13799999999"]) == {"13722220000", "13722220039"}


@pytest.fixture
def real_hashers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the portal, the ordinary one with less work."""
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 20_000)
    settings.PASSWORD_HASHERS = portal.PASSWORD_HASHERS


@pytest.mark.usefixtures("real_hashers")
def test_a_first_password_of_many_is_stored_anew_at_the_first_sign_in(cast: Cast, client: Client) -> None:
    ((user, password),) = accounts.create_accounts(
        actor=cast.admin, people=[(PHONE, "赵六")], place=cast.county, county_key=cast.county.pk
    )
    assert user.password.startswith("first_pbkdf2_sha256$10000$")
    wrong = {"username": PHONE, "password": "abcd-efgh-jk23"}
    assert client.post("/accounts/login/", wrong).status_code == 200
    assert fresh(user).password == user.password
    assert client.post("/accounts/login/", {**wrong, "password": password}).status_code == 302
    assert fresh(user).password.startswith("pbkdf2_sha256$20000$")
    assert fresh(user).check_password(password)
    # The session that began with the old hash goes on, to the page that asks for a password of one's own.
    assert client.get("/account/password/").status_code == 200
    first = fresh(user).password
    assert change(client, password, "Ying-Chun-2026-6").status_code == 302
    assert fresh(user).password != first


@pytest.mark.usefixtures("real_hashers")
def test_a_wrong_password_costs_the_same_before_and_after_the_first_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[int] = []

    def counted(password: str, salt: str, iterations: int, **how: Any) -> bytes:
        spent.append(iterations)
        return pbkdf2(password, salt, iterations, **how)

    monkeypatch.setattr(hashers, "pbkdf2", counted)
    monkeypatch.setattr("core.hashers.pbkdf2", counted)
    first = make_password("abcd-efgh-jk23", hasher=FirstPasswordHasher.algorithm)
    assert spent == [FirstPasswordHasher.iterations]
    spent.clear()
    assert not check_password("wrong", first)
    assert sum(spent) == 20_000
    spent.clear()
    assert not check_password("wrong", make_password("x"))
    assert spent == [20_000, 20_000]


def test_passwords_that_people_choose_never_get_the_quick_hash() -> None:
    assert portal.PASSWORD_HASHERS[0] == "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    user = User(phone=PHONE, name="赵六")
    user.set_password("Ying-Chun-2026")
    assert not user.password.startswith(FirstPasswordHasher.algorithm)


def test_of_many_accounts_all_are_made_or_none(cast: Cast) -> None:
    people = [("13722220001", "甲"), (cast.nobody.phone, "乙")]
    with pytest.raises(Conflict):
        accounts.create_accounts(actor=cast.admin, people=people, place=cast.county)
    assert not User.objects.filter(phone="13722220001").exists()
    with pytest.raises(NotFound):
        accounts.create_accounts(actor=cast.b.secretary, people=people[:1], place=cast.other_county)
    assert not User.objects.filter(phone="13722220001").exists()


# --- Corrections, resets, stops ---------------------------------------------------------------------------------------


def test_a_correction_changes_what_was_given_only(cast: Cast) -> None:
    user = accounts.update_account(actor=cast.admin, user=cast.a.officer, name="新名字")
    assert (user.name, user.phone) == ("新名字", cast.a.officer.phone)
    assert AuditEntry.objects.get(chain=f"core.user:{user.pk}").changes == {"name": ["***", "***"]}


def test_a_correction_that_changes_nothing_is_no_deed(cast: Cast) -> None:
    accounts.update_account(actor=cast.admin, user=cast.a.officer, name=cast.a.officer.name)
    assert deeds(cast.a.officer) == []


def test_a_correction_can_not_take_anothers_phone(cast: Cast) -> None:
    with pytest.raises(Conflict):
        accounts.update_account(actor=cast.admin, user=cast.a.officer, phone=cast.nobody.phone)
    assert fresh(cast.a.officer).phone == cast.a.officer.phone


def test_a_reset_gives_a_new_password_ends_keys_and_lifts_the_lock(cast: Cast, client: Client, settings: Any) -> None:
    officer = cast.a.officer
    Token.objects.create(user=officer)
    sign_in = {"username": officer.phone, "password": "wrong"}
    for _number in range(settings.AXES_FAILURE_LIMIT):
        response = client.post("/accounts/login/", sign_in)
    assert response.status_code == 429
    assert client.post("/accounts/login/", {**sign_in, "password": PASSWORD}).status_code == 429
    password = accounts.reset_password(actor=cast.admin, user=officer)
    assert not fresh(officer).check_password(PASSWORD)
    assert fresh(officer).must_change_password
    assert not Token.objects.exists()
    assert client.post("/accounts/login/", {**sign_in, "password": password}).status_code == 302
    assert deeds(officer) == ["account.reset_password", "account.sign_in"]


def test_whoever_audits_the_county_hears_of_a_reset(cast: Cast) -> None:
    far = make_cadre("邻县审计员", "county_auditor", cast.other_county)
    accounts.reset_password(actor=cast.admin, user=cast.a.officer)
    notices.deliver()
    (notice,) = Notice.objects.all()
    assert notice.reader == cast.auditor
    assert notice.title == "管理员重置了两委甲的密码"
    assert cast.a.officer.phone not in notice.title + notice.body
    auditor = Client()
    auditor.force_login(fresh(cast.auditor))
    shown = auditor.get(notice.link).content.decode()
    assert "重置密码" in shown
    assert "管理员" in shown
    assert not Notice.objects.filter(reader=far).exists()


def test_a_reset_that_was_refused_is_no_news(cast: Cast) -> None:
    for actor, user in ((cast.a.secretary, cast.a.officer), (cast.admin, cast.admin)):
        with pytest.raises((Forbidden, NotFound, Conflict)):
            accounts.reset_password(actor=actor, user=user)
    assert not OutboxMessage.objects.exists()


def test_the_system_resets_an_account_that_belongs_to_no_county(cast: Cast) -> None:
    accounts.reset_password(actor=SYSTEM, user=cast.superuser)
    notices.deliver()
    assert not Notice.objects.exists()


def test_a_reset_ends_the_sessions_of_the_account(cast: Cast, client: Client) -> None:
    client.force_login(cast.a.officer)
    assert client.get("/notices/").status_code == 200
    accounts.reset_password(actor=cast.admin, user=cast.a.officer)
    assert client.get("/notices/").status_code == 302


@pytest.mark.parametrize("who", ["other_county_admin", "a.secretary", "department", "superuser"])
@pytest.mark.parametrize("deed", ["reset", "update", "deactivate"])
def test_who_does_not_manage_an_account_changes_nothing_of_it(cast: Cast, who: str, deed: str) -> None:
    actor, user = cast.people()[who], cast.a.officer
    attempts: dict[str, Callable[[], Any]] = {
        "reset": lambda: accounts.reset_password(actor=actor, user=user),
        "update": lambda: accounts.update_account(actor=actor, user=user, name="别人"),
        "deactivate": lambda: accounts.deactivate(actor=actor, user=user, reason="试试"),
    }
    with pytest.raises((NotFound, Forbidden)):
        attempts[deed]()
    after = fresh(user)
    assert (after.password, after.name, after.is_active) == (user.password, user.name, True)
    assert deeds(user) == []


def test_nobody_but_the_system_resets_the_account_that_runs_the_machine(cast: Cast) -> None:
    machine = cast.superuser
    User.objects.filter(pk=machine.pk).update(county_key=cast.county.pk)
    with pytest.raises(Forbidden):
        accounts.reset_password(actor=cast.admin, user=fresh(machine))
    assert fresh(machine).password == machine.password


def test_ones_own_account_is_neither_reset_nor_stopped(cast: Cast) -> None:
    with pytest.raises(Conflict):
        accounts.reset_password(actor=cast.admin, user=cast.admin)
    with pytest.raises(Conflict):
        accounts.deactivate(actor=cast.admin, user=cast.admin, reason="手滑")
    assert fresh(cast.admin).is_active


def test_a_stopped_account_is_out_at_once_and_comes_back_with_its_password(cast: Cast, client: Client) -> None:
    officer = cast.a.officer
    key = Token.objects.create(user=officer).key
    client.force_login(officer)
    accounts.deactivate(actor=cast.admin, user=officer, reason="调离")
    assert client.get("/notices/").status_code == 302
    assert client.get("/api/v1/demands/", headers={"Authorization": f"Token {key}"}).status_code == 401
    stranger = Client()
    assert stranger.post("/accounts/login/", {"username": officer.phone, "password": PASSWORD}).status_code == 200
    accounts.reactivate(actor=cast.admin, user=fresh(officer), reason="调回")
    assert stranger.post("/accounts/login/", {"username": officer.phone, "password": PASSWORD}).status_code == 302
    assert deeds(officer)[1:3] == ["account.deactivate", "account.reactivate"]


def test_stopping_needs_a_reason_and_happens_once(cast: Cast) -> None:
    with pytest.raises(Invalid):
        accounts.deactivate(actor=cast.admin, user=cast.a.officer, reason="  ")
    assert fresh(cast.a.officer).is_active
    accounts.deactivate(actor=cast.admin, user=cast.a.officer, reason="调离")
    with pytest.raises(Conflict):
        accounts.deactivate(actor=cast.admin, user=cast.a.officer, reason="再来")
    with pytest.raises(Conflict):
        accounts.reset_password(actor=cast.admin, user=cast.a.officer)


# --- One's own password -----------------------------------------------------------------------------------------------


def change(client: Client, current: str, new: str, again: str | None = None, address: str = "") -> Any:
    data = {"current": current, "new": new, "again": again or new}
    return client.post(address or "/account/password/", data)


def test_a_first_password_must_be_changed_before_anything_else(cast: Cast, client: Client) -> None:
    user, first = accounts.create_account(actor=SYSTEM, phone=PHONE, name="赵六", place=None)
    assert client.post("/accounts/login/", {"username": PHONE, "password": first}).status_code == 302
    response = client.get("/notices/?unread=1")
    assert response.url == "/account/password/?next=%2Fnotices%2F%3Funread%3D1"
    assert client.post("/notices/read/").url == "/account/password/"
    assert client.get("/api/v1/demands/").json()["code"] == "password_change_required"
    assert client.get(response.url).status_code == 200
    done = change(client, first, "Xin-Mima-2026", address=response.url)
    assert done.url == "/notices/?unread=1"
    # The session goes on; the first password is gone.
    assert client.get("/notices/").status_code == 200
    assert fresh(user).must_change_password is False
    assert fresh(user).password_changed_at is not None
    assert not fresh(user).check_password(first)


@pytest.mark.parametrize(
    ("current", "new", "again", "field"),
    [
        ("wrong", "Xin-Mima-2026", "Xin-Mima-2026", "current"),
        (PASSWORD, PASSWORD, PASSWORD, "new"),
        (PASSWORD, "12345678", "12345678", "new"),
        (PASSWORD, "short1", "short1", "new"),
        (PASSWORD, "password", "password", "new"),
        (PASSWORD, "13799998888a", "13799998888a", "new"),
        (PASSWORD, "Xin-Mima-2026", "Xin-Mima-2027", "again"),
        (PASSWORD, "", "", "new"),
    ],
)
def test_a_password_that_will_not_do_is_refused_beside_its_field(
    client: Client, current: str, new: str, again: str, field: str
) -> None:
    user = make_user("王一", phone="13799998888")
    client.force_login(user)
    response = change(client, current, new, again)
    assert response.status_code == 200
    assert field in response.context["form"].errors
    assert fresh(user).password == user.password


def test_a_new_password_ends_other_sessions_and_keys(client: Client) -> None:
    user = make_user("王一")
    Token.objects.create(user=user)
    elsewhere = Client()
    elsewhere.force_login(user)
    client.force_login(user)
    assert change(client, PASSWORD, "Xin-Mima-2026").status_code == 302
    assert client.get("/notices/").status_code == 200
    assert elsewhere.get("/notices/").status_code == 302
    assert not Token.objects.exists()


def test_the_way_on_stays_inside_the_portal(client: Client) -> None:
    client.force_login(make_user("王一"))
    response = change(client, PASSWORD, "Xin-Mima-2026", address="/account/password/?next=https://example.org/")
    assert response.url == "/home/"


# --- Sign-in ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling", ["{0}", " {0} ", "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}{0[6]} {0[7]}{0[8]}{0[9]}{0[10]}"]
)
def test_sign_in_by_phone_however_it_is_typed(client: Client, spelling: str) -> None:
    user = make_user("王一")
    response = client.post("/accounts/login/", {"username": spelling.format(user.phone), "password": PASSWORD})
    assert response.status_code == 302
    assert deeds(user) == ["account.sign_in"]


def test_a_wrong_password_and_an_unknown_phone_are_answered_alike(client: Client) -> None:
    user = make_user("王一")
    stopped = make_user("李二", is_active=False)
    answers = set()
    for phone, password in ((user.phone, "wrong"), ("13788887777", PASSWORD), (stopped.phone, PASSWORD)):
        response = client.post("/accounts/login/", {"username": phone, "password": password})
        assert response.status_code == 200
        answers.add(str(response.context["form"].non_field_errors()))
    assert len(answers) == 1
    assert not AuditEntry.objects.exists()


def test_spellings_of_a_phone_have_no_tries_of_their_own(client: Client, settings: Any) -> None:
    user = make_user("王一")
    for number in range(settings.AXES_FAILURE_LIMIT):
        client.post("/accounts/login/", {"username": " " * number + user.phone, "password": "wrong"})
    assert client.post("/accounts/login/", {"username": user.phone, "password": PASSWORD}).status_code == 429


def ask(client: Client, phone: str, password: str) -> Any:
    return client.post("/api/v1/token/", {"phone": phone, "password": password}, content_type="application/json")


def use(client: Client, key: str) -> Any:
    return client.get("/api/v1/demands/", headers={"Authorization": f"Token {key}"})


def test_a_program_signs_in_with_the_same_phone_and_password(cast: Cast, client: Client) -> None:
    response = ask(client, cast.a.officer.phone, PASSWORD)
    assert response.status_code == 200
    assert use(client, response.json()["token"]).status_code == 200
    assert deeds(cast.a.officer) == ["account.token"]
    assert ask(client, cast.a.officer.phone, PASSWORD).json()["token"] == response.json()["token"]


def test_a_wrong_password_or_key_opens_nothing(cast: Cast, client: Client) -> None:
    response = ask(client, cast.a.officer.phone, "wrong")
    assert (response.status_code, response.json()["code"]) == (400, "wrong_credentials")
    assert use(client, "0" * 40).status_code == 401
    assert not Token.objects.exists()


def test_programs_and_pages_share_one_lock(cast: Cast, client: Client, settings: Any) -> None:
    phone = cast.a.officer.phone
    for number in range(settings.AXES_FAILURE_LIMIT):
        if number % 2:
            ask(client, phone, "wrong")
        else:
            client.post("/accounts/login/", {"username": phone, "password": "wrong"})
    response = ask(client, phone, PASSWORD)
    assert (response.status_code, response.json()["code"]) == (429, "throttled")
    assert not Token.objects.exists()


def test_a_first_password_gives_no_key_and_a_key_no_way_around_it(cast: Cast, client: Client) -> None:
    key = ask(client, cast.a.officer.phone, PASSWORD).json()["token"]
    User.objects.filter(pk=cast.a.officer.pk).update(must_change_password=True)
    assert use(client, key).json()["code"] == "password_change_required"
    assert ask(client, cast.a.officer.phone, PASSWORD).json()["code"] == "password_change_required"


def test_a_key_lives_a_year(cast: Cast, client: Client) -> None:
    key = ask(client, cast.a.officer.phone, PASSWORD).json()["token"]
    with time_machine.travel(timezone.now() + accounts.TOKEN_LIFETIME, tick=False) as clock:
        clock.shift(-60)
        assert use(client, key).status_code == 200
        clock.shift(120)
        assert use(client, key).status_code == 401
        assert ask(client, cast.a.officer.phone, PASSWORD).json()["token"] != key
    Token.objects.update(created=timezone.now() - accounts.TOKEN_LIFETIME)
    clean_up()
    assert not Token.objects.exists()
