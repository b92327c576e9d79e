"""What people and programs get wrong with the loop: on page and API alike the answer says so in plain words with the
right status, and nothing is changed."""

import datetime
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.actors import SYSTEM
from core.errors import Invalid
from core.models import AuditEntry, User
from partybuilding.models import UnitMembership
from services.actions import move
from services.actions.settings import update_category
from services.models import Assignment, Demand, DemandEvent, Evaluation, Extension, SubOrder
from services.views import following
from tests import factories as make
from tests.cast import Cast
from tests.services.loop_truths import columns
from tests.services.test_api import client_of
from tests.services.test_loop import checked, dispatched, do, in_service, raised

pytestmark = pytest.mark.django_db

PHONE_AND_API = pytest.mark.parametrize("face", ["phone", "api"])
DESK_AND_API = pytest.mark.parametrize("face", ["desk", "api"])


def world() -> list[dict[str, Any]]:
    """Everything of the loop that a move could change, and whether it left a trace."""
    models = (Demand, SubOrder, Assignment, Extension, Evaluation)
    rows = [columns(row) for model in models for row in model.objects.order_by("pk")]
    return [
        *rows,
        {
            "events": DemandEvent.objects.count(),
            "audit": AuditEntry.objects.filter(chain__startswith="services.").count(),
        },
    ]


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(make.fresh(person))
    return client


def ask(face: str, person: User, demand: Demand, name: str, on: Any = None, **data: Any) -> Any:
    """Sends a move as the face does, past its form: what a form would not have offered is sent all the same."""
    key = f"{on._meta.model_name}-{on.pk}" if isinstance(on, SubOrder | Assignment) else str(on or "")
    target = on if isinstance(on, SubOrder | Assignment) else demand
    sent = {"version": type(target).objects.get(pk=target.pk).version, **data}
    if face == "api":
        body = {**sent, **({"on": key} if key else {})}
        return client_of(make.fresh(person)).post(
            f"/api/v1/demands/{demand.code}/{name}/", body, content_type="application/json"
        )
    page = (
        f"/m/demands/{demand.code}/{name}/"
        if face == "phone"
        else reverse("admin:services_demand_move", args=[demand.pk, name])
    )
    return signed_in(person).post(page + (f"?on={key}" if key else ""), sent)


def refused(answer: Any, status: int, words: str) -> None:
    text = answer.content.decode()
    if answer["Content-Type"].startswith("application/json"):
        text = str(answer.json())
    assert (answer.status_code, words in text) == (status, True), (answer.status_code, text[:2000])


@PHONE_AND_API
def test_a_designated_unit_returns_nothing(cast: Cast, face: str) -> None:
    demand, order = dispatched(cast, designated=True)
    before = world()
    refused(
        ask(face, cast.a.liaison, demand, "request_return", order, reason="不归我管"), 409, "指定承办的单位不能退单"
    )
    assert world() == before


@PHONE_AND_API
def test_an_extension_after_the_limit_comes_too_late(cast: Cast, face: str) -> None:
    demand, order = in_service(cast)
    before = world()
    until = timezone.localdate() + datetime.timedelta(days=90)
    with time_machine.travel(order.due_at + datetime.timedelta(minutes=1), tick=False):
        answer = ask(face, cast.a.liaison, demand, "request_extension", order, until=f"{until}", reason="等配件")
    refused(answer, 409, "已超过办理时限，不能再申请延期")
    assert world() == before


def evaluate(face: str, demand: Demand, code: str) -> Any:
    data = {"solved": "yes", "satisfaction": "satisfied", "version": Demand.objects.get(pk=demand.pk).version}
    if face == "page":
        return Client().post(f"/r/follow/{code}/evaluate/", data)
    return Client().post(f"/api/v1/public/orders/{code}/evaluate/", data, content_type="application/json")


@pytest.mark.parametrize("face", ["page", "api"])
def test_a_second_evaluation_is_thanked_for_and_not_kept(cast: Cast, face: str) -> None:
    demand = checked(cast)
    assert evaluate(face, demand, demand.follow_code).status_code in (200, 302)
    before = world()
    answer = evaluate(face, demand, demand.follow_code)
    refused(answer, 409 if face == "page" else 400, "评价")
    assert world() == before


@pytest.mark.parametrize("face", ["page", "api"])
def test_guessing_a_code_to_evaluate_with_is_refused_and_then_stopped(cast: Cast, face: str) -> None:
    demand = checked(cast)
    before = world()
    cache.clear()
    guesses = [evaluate(face, demand, f"{100000000000 + number}") for number in range(following.LOOKUPS_PER_ADDRESS)]
    assert {answer.status_code for answer in guesses} == {404}
    stopped = evaluate(face, demand, demand.follow_code)
    assert stopped.status_code == 429  # even the right code, from the address that guesses
    assert world() == before


# --- A category that is retired while matters carry it --------------------------------------------------------------


def retire(cast: Cast) -> None:
    update_category(actor=cast.admin, category=cast.category, is_active=False)
    cast.category.refresh_from_db()


def test_retiring_a_category_says_how_many_matters_carry_it(cast: Cast) -> None:
    raised(cast)
    checked(cast)
    do(cast.a.officer, raised(cast), "decline", reason="不属于社区事项")
    form = signed_in(cast.admin).get(reverse("admin:services_category_deed", args=[cast.category.pk, "edit"]))
    assert "还有 2 条没有办结的需求是这个类别" in form.content.decode()
    page = signed_in(cast.admin).get(reverse("admin:services_category_change", args=[cast.category.pk]))
    assert "2 条" in page.content.decode()


def test_matters_keep_a_category_that_was_retired_and_go_on(cast: Cast) -> None:
    demand, order = in_service(cast)
    due = demand.due_at
    retire(cast)
    demand = do(cast.a.liaison, order, "finish", text="修好了")
    assert (demand.state, demand.category_id, demand.due_at) == ("finished", cast.category.pk, due)
    again = do(cast.a.officer, demand, "redo", reason="又坏了")
    assert again.due_at is not None


@DESK_AND_API
def test_accepting_with_a_retired_category_asks_for_another(cast: Cast, face: str) -> None:
    demand = raised(cast)
    retire(cast)
    before = world()
    refused(ask(face, cast.a.officer, demand, "accept"), 400, "已停用，请改选一个正在使用的类别")
    assert world() == before
    other = cast.categories["环境卫生"]
    done = ask(face, cast.a.officer, demand, "accept", category=other.pk)
    assert done.status_code in (200, 302)
    assert Demand.objects.get().category == other


@DESK_AND_API
def test_nothing_is_changed_to_a_retired_category(cast: Cast, face: str) -> None:
    demand = raised(cast, category=cast.categories["其他"])
    retire(cast)
    before = world()
    answer = ask(face, cast.a.officer, demand, "accept", category=cast.category.pk)
    assert answer.status_code == 400
    assert world() == before


def test_nothing_new_is_raised_under_a_retired_category(cast: Cast) -> None:
    retire(cast)
    with pytest.raises(Invalid, match="类别"):
        raised(cast)
    body = {"node": cast.a.building.code, "category": cast.category.name, "text": "楼道灯不亮"}
    answer = client_of(cast.a.officer).post("/api/v1/demands/", body, content_type="application/json")
    refused(answer, 400, "没有这个类别")
    assert not Demand.objects.exists()


# --- Whoever served ---------------------------------------------------------------------------------------------------


@DESK_AND_API
@pytest.mark.parametrize("name", ["check", "close_off"])
def test_whoever_served_does_not_say_that_it_was_served_well(cast: Cast, face: str, name: str) -> None:
    """An officer of the community who is also the lead unit's liaison."""
    demand, order = in_service(cast)
    demand = do(cast.a.liaison, order, "finish", text="修好了")
    if name == "close_off":
        demand = do(cast.a.secretary, demand, "check")
    UnitMembership.objects.create(user=cast.a.officer, unit=cast.a.unit, role="liaison")
    before = world()
    refused(ask(face, cast.a.officer, demand, name), 409, "不能")
    assert world() == before


# --- Pages that are old, and things that are not there ----------------------------------------------------------------


@DESK_AND_API
def test_an_old_page_changes_nothing(cast: Cast, face: str) -> None:
    demand = raised(cast)
    do(cast.a.secretary, demand, "accept")
    before = world()
    refused(ask(face, cast.a.officer, demand, "publish", version=1), 409, "已经不是最新的")
    assert world() == before


@PHONE_AND_API
def test_an_order_of_another_matter_is_not_moved_under_this_ones_name(cast: Cast, face: str) -> None:
    mine, _order = dispatched(cast)
    _other, order = dispatched_elsewhere(cast)
    before = world()
    answer = ask(face, cast.a.liaison, mine, "sign", order)
    assert answer.status_code == 404
    assert world() == before


def dispatched_elsewhere(cast: Cast) -> tuple[Demand, SubOrder]:
    demand = raised(cast, node=cast.a.other_building)
    do(cast.a.officer, demand, "accept")
    do(cast.a.officer, demand, "dispatch", unit=cast.a.unit)
    return demand, SubOrder.objects.get(demand=demand)


@PHONE_AND_API
@pytest.mark.parametrize(
    "key", ["suborder-abc", "suborder-99999999999999999999999", "demand-1", "-", "suborder-", "x" * 300]
)
def test_an_object_that_does_not_exist_is_not_found(cast: Cast, face: str, key: str) -> None:
    demand, _order = dispatched(cast)
    before = world()
    assert ask(face, cast.a.liaison, demand, "sign", key).status_code == 404
    assert world() == before


@pytest.mark.parametrize("number", ["abc", "1e3", "", "１２", "9" * 40])
def test_ids_that_are_text_are_refused_by_the_field(cast: Cast, number: str) -> None:
    demand = do(cast.a.officer, raised(cast), "accept")
    before = world()
    for face in ("desk", "api"):
        answer = ask(face, cast.a.officer, demand, "dispatch", unit=number)
        refused(answer, 400, "请填写“牵头单位”" if face == "api" and not number else "请")
    assert world() == before


def test_addresses_with_text_for_a_number_are_not_found(cast: Cast) -> None:
    desk = signed_in(cast.a.officer)
    for page in ("/admin/services/demand/abc/change/", "/admin/services/demand/abc/move/accept/", "/m/demands/abc/"):
        assert desk.get(page).status_code == 404
    assert client_of(cast.a.officer).get("/api/v1/rule-versions/abc/").status_code == 404


@DESK_AND_API
def test_a_move_that_is_in_no_table_is_not_found(cast: Cast, face: str) -> None:
    demand = raised(cast)
    before = world()
    assert ask(face, cast.a.officer, demand, "explode").status_code == 404
    assert world() == before


def test_the_system_can_be_asked_for_nothing_a_person_must_do(cast: Cast) -> None:
    demand = raised(cast)
    before = world()
    with pytest.raises(Exception, match="不能由"):
        move(actor=SYSTEM, target=demand, name="accept")
    assert world() == before
