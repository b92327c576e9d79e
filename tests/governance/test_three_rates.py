"""The three rates are one definition: whatever happened, every face gives the same numerator, denominator, exclusions.

The recount here is written by hand, row by row, and knows nothing of the definition it holds the faces to.
"""

import datetime
import io
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from core.periods import Month
from governance import desk
from governance.dashboard import rows
from governance.dashboard.places import atlas_of
from services.actions import tallies
from services.models import Demand, SubOrder, Tally
from services.selectors.rates import RATES, Rate, rate, rates_of, totals
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.governance.counted import figures, signed_in, words

pytestmark = pytest.mark.django_db

HOUR = datetime.timedelta(hours=1)
FATES = st.lists(
    st.fixed_dictionaries(
        {
            "state": st.sampled_from(["signed", "finished", "dispatched", "returned"]),
            "signed": st.sampled_from([None, 1, 9]),
            "contacted": st.sampled_from([None, 1, 9]),
            "marked": st.booleans(),
            "solved": st.sampled_from([None, True, False]),
            "satisfaction": st.sampled_from(["satisfied", "fairly", "dissatisfied"]),
            "skip_response": st.booleans(),
            "skip_resolution": st.booleans(),
            "skip_satisfaction": st.booleans(),
        }
    ),
    min_size=1,
    max_size=8,
)


def make_fate(cast: Cast, fate: dict[str, Any]) -> None:
    at = timezone.now()
    demand = make.make_demand(
        cast.a.building,
        state="closed_off",
        registered_at=at,
        solved=fate["solved"],
        satisfaction=fate["satisfaction"] if fate["solved"] is not None else "",
        **{name: fate[name] for name in fate if name.startswith("skip_")},
    )
    make.make_suborder(
        demand,
        cast.a.unit,
        state=fate["state"],
        dispatched_at=at,
        sign_due_at=at + 4 * HOUR,
        contact_due_at=at + 2 * HOUR,
        signed_at=at + fate["signed"] * HOUR if fate["signed"] else None,
        contacted_at=at + fate["contacted"] * HOUR if fate["contacted"] else None,
        response_late_at=at + 4 * HOUR if fate["marked"] else None,
    )


def by_hand() -> dict[str, Rate]:
    found = {name: [0, 0, 0] for name in RATES}

    def put(name: str, met: bool, skipped: bool) -> None:
        found[name][2 if skipped else 1] += 1
        found[name][0] += met and not skipped

    for demand in Demand.objects.all():
        order = SubOrder.objects.get(demand=demand)
        if order.state != "returned":
            answered = order.signed_at is not None and order.contacted_at is not None
            if answered or order.response_late_at is not None:
                in_time = (
                    answered and order.signed_at <= order.sign_due_at and order.contacted_at <= order.contact_due_at
                )  # type: ignore[operator]
                put("response", bool(in_time), demand.skip_response)
        if demand.solved is not None:
            put("resolution", demand.solved, demand.skip_resolution)
            put("satisfaction", demand.satisfaction in ("satisfied", "fairly"), demand.skip_satisfaction)
    return {name: Rate(*counts) for name, counts in found.items()}


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fates=FATES)
def test_every_face_gives_the_same_figures(cast: Cast, fates: list[dict[str, Any]]) -> None:
    SubOrder.objects.all().delete()
    Demand.objects.all().delete()
    for fate in fates:
        make_fate(cast, fate)
    tallies.rebuild_tallies(cast.county)
    true, month, now = by_hand(), Month.of(timezone.localdate()), timezone.now()
    user = fresh(cast.department)

    assert rates_of(totals(Tally.objects.all())) == true, "tally"
    assert not list(tallies.differences(cast.county))
    place = atlas_of(user).find(cast.a.node.code)
    assert {name: rate(figures(user, place, month, now).now, name) for name in RATES} == true, "dashboard"
    assert rates_of(desk.month_figures(user, now)) == true, "desk"
    assert in_lists(user, month, now) == true, "lists behind the figures"
    assert from_ledger(user, cast, month) == true, "Excel"
    assert from_api(user, month) == (true, true), "API"


def in_lists(user: Any, month: Month, now: datetime.datetime) -> dict[str, Rate]:
    def size(what: str) -> int:
        asked = Client().get("/", {"period": month.code, "what": what}).wsgi_request.GET
        return int(rows.demands(user, rows.read(user, atlas_of(user), asked, now), now).count())

    return {name: Rate(size(one.numerator), size(one.denominator), size(one.excluded)) for name, one in RATES.items()}


def from_ledger(user: Any, cast: Cast, month: Month) -> dict[str, Rate]:
    address = reverse("dashboard:ledger", args=[cast.street.code])
    answer = signed_in(user).get(address, {"period": month.code})
    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    lines = [[cell.value for cell in line] for line in book.active.iter_rows()]
    line = next(line for line in lines if cast.a.node.name in line)
    cells = line[5:17]
    return {name: Rate(cells[4 * at + 1], cells[4 * at], cells[4 * at + 2]) for at, name in enumerate(RATES)}


def from_api(user: Any, month: Month) -> tuple[dict[str, Rate], dict[str, Rate]]:
    body = signed_in(user).get("/api/v1/rates/", {"period": month.code}).json()

    def read(found: dict[str, Any]) -> dict[str, Rate]:
        return {name: Rate(*(found[name][part] for part in ("numerator", "denominator", "excluded"))) for name in RATES}

    return read(body["total"]), read(body["communities"][0]["rates"])


def test_what_was_left_out_is_said_beside_the_rate(cast: Cast) -> None:
    fate = {
        "state": "finished",
        "signed": 1,
        "contacted": 1,
        "marked": False,
        "solved": True,
        "satisfaction": "satisfied",
        "skip_response": False,
        "skip_resolution": False,
        "skip_satisfaction": False,
    }
    for skip in (True, True, False):
        make_fate(cast, {**fate, "skip_resolution": skip})
    tallies.rebuild_tallies(cast.county)
    client = signed_in(cast.department)
    page = words(client.get(reverse("dashboard:place", args=[cast.a.node.code])).content.decode())
    assert re.search(r"解决率 样本不足 1 / 1 已剔除 2 件", page)
    assert re.search(r"响应率 样本不足 3 / 3 (?!已剔除)", page), "nothing is said where nothing was left out"
    front = words(client.get("/admin/").content.decode())
    assert "解决率 样本不足 1/1，已剔除 2 件" in front
    assert "响应率 样本不足 3/3 解决率" in front


def test_denominator_and_exclusions_together_are_all_that_was_due() -> None:
    assert Rate(1, 2, 3).plus(Rate(1, 1, 1)) == Rate(2, 3, 4)
    assert Rate(0, 0).basis == ""
    assert Rate(0, 0, 3).basis == "已剔除 3 件"
    assert Rate(1448, 1502, 3).basis == "1,448/1,502，已剔除 3 件"


def test_a_period_that_is_none_is_refused(cast: Cast) -> None:
    client = signed_in(cast.department)
    assert client.get("/api/v1/rates/", {"period": "2026-99"}).status_code == 400
    assert client.get("/api/v1/rates/", {"place": "1" * 12}).status_code == 404
    assert signed_in(cast.b.officer).get("/api/v1/rates/", {"place": cast.a.node.code}).status_code == 404
