"""The made-up households of the sample: every need and every state, as the actions would have written them."""

from collections.abc import Iterator

import pytest
import time_machine

from core.models import User
from governance.sample.names import phone
from grids.actions.care_facts import cleaned, facts_of
from grids.care import CADENCE, CareState, expiry, next_visit, states_of
from grids.care_selectors import managed
from grids.models import CareHousehold, CareKind, CareNeed, CareVisit, ConsentKind
from tests.governance.sample.conftest import DAY

# Loading takes longer than the tests: on one worker, so that it happens once.
pytestmark = [pytest.mark.django_db, pytest.mark.embedded, pytest.mark.xdist_group("sample")]


@pytest.fixture(scope="module")
def households(loaded: str) -> Iterator[list[CareHousehold]]:
    with time_machine.travel(DAY, tick=False):
        yield list(CareHousehold.objects.select_related("node", "county").prefetch_related("needs", "visits"))


def test_every_need_consent_and_state_is_there(households: list[CareHousehold]) -> None:
    assert 600 < len(households) < 1100
    assert set(CareNeed.objects.values_list("kind", flat=True)) == set(CareKind.values)
    assert {one.consent for one in households} == set(ConsentKind.values)
    states = [states_of(one, DAY) for one in households]
    assert {state for found in states for state in found} == set(CareState)
    assert [] in states


def test_each_row_is_what_the_actions_would_have_written(households: list[CareHousehold]) -> None:
    for one in households:
        said = facts_of(one)
        assert cleaned(said) == said
        assert one.community_id == one.node.community_id
        assert one.expires_on == expiry(one.confirmed_on, one.county.care_months)
        assert one.last_visit_on is not None
        assert one.next_visit_on == next_visit(one.last_visit_on, said.needs, CADENCE)
        assert one.last_visit_on == max(visit.visited_on for visit in one.visits.all())
        assert one.consent_on <= one.confirmed_on <= DAY
        assert one.phone == "" or one.phone.startswith("1990009")
    assert CareHousehold.objects.kept(DAY).count() == len(households)
    assert not CareVisit.objects.filter(visited_on__gt=DAY).exists()


def test_the_keeper_who_signs_in_finds_a_round_to_make(households: list[CareHousehold]) -> None:
    mine = list(managed(User.objects.get(phone=phone(7))))
    assert len(mine) == 14
    assert {state for one in mine for state in states_of(one, DAY)} == set(CareState)
