"""Sixteen people in one street at once on PostgreSQL, for a few seconds. `script/stress-tree` does it for longer."""

import pytest

from grids.soundness import faults
from services.actions.tallies import differences, refresh_tallies
from tests.grids import writers


@pytest.mark.postgres
def test_sixteen_writers_in_one_street_leave_it_sound(transactional_db: None) -> None:
    street = writers.build()
    outcome = writers.run(street, seconds=4, seed=1)
    assert outcome.deadlocks == []
    assert outcome.faults == []
    assert set(outcome.done) >= {"create", "move", "retire", "demand"}, outcome
    assert list(faults()) == []
    while refresh_tallies():
        pass
    assert list(differences(street.county)) == []
