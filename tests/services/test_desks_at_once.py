"""Two people at two desks at once: exactly one wins, the other is told plainly, and nothing is half done.

All races run on one cast, each on matters of its own and in several rounds: setting up the cast costs more than racing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from core import policies
from core.actors import RESIDENT
from core.errors import Conflict, DomainError, NotFound
from core.models import AuditEntry
from services.actions import approve_exclusion, move, reject_exclusion, request_exclusion, withdraw_exclusion
from services.models import Demand, DemandEvent, RateExclusion, SubOrder
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together
from tests.services.test_loop import dispatched, do, raised

pytestmark = pytest.mark.postgres
ROUNDS = 3


def accepted(cast: Cast) -> Demand:
    return do(cast.a.officer, raised(cast), "accept")


def on_the_streets_desk(cast: Cast) -> Demand:
    return do(cast.a.officer, accepted(cast), "escalate", reason="社区协调不了。")


def published(cast: Cast) -> Demand:
    return do(cast.a.officer, accepted(cast), "publish")


def whistled(cast: Cast) -> Demand:
    return do(cast.street_officer, accepted(cast), "whistle", units=[cast.b.unit, cast.idle_unit], reason="到场处置。")


def taken_up(cast: Cast) -> Demand:
    _demand, order = dispatched(cast)
    do(cast.a.liaison, order, "sign")
    return do(cast.a.liaison, SubOrder.objects.get(pk=order.pk), "report", text="到现场看过。")


def checked(cast: Cast) -> Demand:
    order = SubOrder.objects.get(demand=taken_up(cast))
    do(cast.a.liaison, order, "finish", text="已更换灯泡。")
    return do(cast.a.officer, order.demand, "check")


@dataclass(frozen=True)
class Race:
    """Two moves of one matter that is made by `stage`: who, which move, its inputs. `paged`: both saw the same page."""

    stage: Callable[[Cast], Demand]
    one: tuple[str, str, dict[str, Any]]
    other: tuple[str, str, dict[str, Any]]
    paged: bool = True


def races(cast: Cast) -> dict[str, Race]:
    why = {"reason": "事情在那边。"}
    units = {"units": [cast.b.unit, cast.idle_unit], "reason": "到场处置。"}
    to_b, to_empty = {"place": cast.b.node, **why}, {"place": cast.empty_community, **why}
    give = {"unit": cast.a.unit}
    return {
        "two transfers by the street": Race(
            accepted, ("street_officer", "transfer", to_b), ("street_secretary", "transfer", to_empty)
        ),
        "two transfers by the community": Race(
            accepted, ("a.officer", "transfer", to_b), ("a.secretary", "transfer", to_empty), paged=False
        ),
        "transfer and dispatch": Race(
            accepted, ("a.officer", "transfer", to_b), ("street_officer", "dispatch", give), paged=False
        ),
        "whistle and withdrawal": Race(
            accepted, ("street_officer", "whistle", units), ("resident", "withdraw", why), paged=False
        ),
        "two whistles": Race(
            accepted, ("street_officer", "whistle", units), ("department", "whistle", units), paged=False
        ),
        "two ends of a whistle": Race(
            whistled, ("street_officer", "end_whistle", why), ("street_secretary", "end_whistle", why), paged=False
        ),
        "up to the county and back": Race(
            on_the_streets_desk, ("street_officer", "hand_up", why), ("street_secretary", "hand_down", why), paged=False
        ),
        "up to the county and dispatch": Race(
            on_the_streets_desk, ("street_officer", "hand_up", why), ("a.officer", "dispatch", give)
        ),
        "claim and withdrawal": Race(published, ("a.liaison", "claim", {}), ("resident", "withdraw", why), paged=False),
        "closing and doing it again": Race(
            checked, ("a.officer", "close_off", {}), ("a.secretary", "redo", why), paged=False
        ),
        "supervision and supervision": Race(
            taken_up, ("street_officer", "supervise", why), ("department", "supervise", why), paged=False
        ),
    }


def person(cast: Cast, name: str) -> Any:
    return RESIDENT if name == "resident" else fresh(cast.people()[name])


def test_of_two_who_move_one_matter_one_wins(transactional_cast: Cast) -> None:
    cast = transactional_cast
    for words, race in races(cast).items():
        for _round in range(ROUNDS):
            demand = race.stage(cast)
            audited = AuditEntry.objects.count()
            version = demand.version if race.paged else None

            def go(side: tuple[str, str, dict[str, Any]], demand: Any = demand, version: Any = version) -> None:
                move(actor=person(cast, side[0]), target=demand, name=side[1], data=side[2], version=version)

            errors = together(lambda race=race: go(race.one), lambda race=race: go(race.other))  # type: ignore[misc]
            assert len(errors) == 1, (words, errors)
            after = Demand.objects.get(pk=demand.pk)
            assert is_clean(errors[0], after, [person(cast, race.one[0]), person(cast, race.other[0])]), (words, errors)
            assert after.version == demand.version + 1, words
            names = list(DemandEvent.objects.filter(demand=demand).order_by("pk").values_list("name", flat=True))
            assert names[-1] in (race.one[1], race.other[1]), words
            assert sum(name == names[-1] for name in names) == 1, words
            done_whole(after, names[-1], AuditEntry.objects.count() - audited)


def is_clean(error: BaseException, after: Demand, people: list[Any]) -> bool:
    """Told what is the matter; who does not see it any more is told that there is nothing."""
    if isinstance(error, NotFound):
        return not all(one is RESIDENT or policies.sees(one, after) for one in people)
    return isinstance(error, Conflict) and "一" <= str(error)[0] <= "鿿"


def done_whole(demand: Demand, name: str, deeds: int) -> None:
    """What the winner brings along is there, and nothing of the loser's."""
    orders = SubOrder.objects.filter(demand=demand)
    leads = orders.filter(role="lead").exclude(state="returned")
    whistles = demand.whistles.filter(ended_at__isnull=True)
    assert leads.count() == (demand.lead_unit_id is not None)
    assert (whistles.count() == 1) == (demand.whistled_at is not None)
    assert (demand.supervisions.filter(answered_at__isnull=True).count() == 1) == (demand.supervised_at is not None)
    # A transfer is also written down with the community that let go.
    assert deeds == (2 if name == "transfer" else 1)
    if name in ("transfer", "withdraw", "hand_up", "hand_down", "escalate"):
        assert not orders.exists()


EXCLUDES: dict[str, Callable[[Any, RateExclusion], Any]] = {
    "approve": lambda actor, row: approve_exclusion(actor=actor, exclusion=row, note="属实"),
    "reject": lambda actor, row: reject_exclusion(actor=actor, exclusion=row, note="不充分"),
    "withdraw": lambda actor, row: withdraw_exclusion(actor=actor, exclusion=row),
}


def ask(cast: Cast, demand: Demand) -> RateExclusion:
    return request_exclusion(actor=fresh(cast.a.officer), demand=demand, rates=["resolution"], reason="停电三天。")


def test_of_two_who_decide_one_exclusion_one_wins(transactional_cast: Cast) -> None:
    cast = transactional_cast
    sides = {"approve": cast.department, "reject": cast.department, "withdraw": cast.a.officer}
    for one, other in (("approve", "withdraw"), ("approve", "reject"), ("approve", "approve")):
        for _round in range(ROUNDS):
            row = ask(cast, raised(cast))
            errors = together(
                *(lambda name=name, row=row: EXCLUDES[name](fresh(sides[name]), row) for name in (one, other))
            )
            assert [isinstance(error, Conflict) for error in errors] == [True], (one, other, errors)
            row.refresh_from_db()
            demand = Demand.objects.get(pk=row.demand_id)
            assert row.version == 2
            assert demand.skip_resolution == (row.state == "approved")
            said = DemandEvent.objects.filter(demand=demand, name__startswith="exclude")
            assert said.count() == 2, (one, other)


def test_of_two_who_ask_to_leave_one_matter_out_one_wins(transactional_cast: Cast) -> None:
    cast = transactional_cast
    for _round in range(ROUNDS):
        demand = raised(cast)
        errors = together(*[lambda demand=demand: ask(cast, demand)] * 2)  # type: ignore[misc]
        assert [isinstance(error, DomainError) and error.status for error in errors] == [409]
        assert demand.exclusions.count() == 1
