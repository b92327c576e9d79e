"""Two people at one promise at once: exactly one wins, and nothing stands twice."""

from core.errors import Conflict
from services.actions import (
    Settlement,
    confirm_commitment,
    make_commitment,
    rate,
    report_done,
    send_back_commitment,
    settle_commitments,
)
from services.models import Commitment, ServiceRating
from tests import weft_factories as weave
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together


def test_of_a_confirmation_and_a_sending_back_one_wins(transactional_cast: Cast) -> None:
    a = transactional_cast.a
    row = report_done(actor=a.liaison, commitment=weave.make_commitment(a.unit, a.node), text="好了")
    officer, secretary = fresh(a.officer), fresh(a.secretary)
    errors = together(
        lambda: confirm_commitment(actor=officer, commitment=row, version=row.version),
        lambda: send_back_commitment(actor=secretary, commitment=row, reason="还差", version=row.version),
    )
    assert len(errors) == 1 and isinstance(errors[0], Conflict)
    row.refresh_from_db()
    assert (row.state == "done") == (row.done_on is not None)
    assert row.state in ("done", "open")


def test_the_same_promise_sent_twice_stands_once(transactional_cast: Cast) -> None:
    a = transactional_cast.a
    given = {"node": a.node, "unit": a.unit, "title": "换灯", "measure": "亮", "owner": "王", "due_on": weave.soon()}
    people = [fresh(a.liaison), fresh(a.officer)]
    errors = together(*(lambda user=user: make_commitment(actor=user, **given) for user in people))  # type: ignore[misc]
    assert len(errors) == 1 and isinstance(errors[0], Conflict)
    assert Commitment.objects.count() == 1


def test_a_member_who_touches_twice_promises_once(transactional_cast: Cast) -> None:
    """No constraint covers members: their check-in's row is the lock."""
    a = transactional_cast.a
    weave.make_member_checkin(a.member, a.compound)
    given = {
        "node": a.node,
        "member": a.member,
        "title": "巡楼",
        "measure": "一周",
        "owner": "本人",
        "due_on": weave.soon(),
    }
    people = [fresh(a.member_user), fresh(a.member_user)]
    errors = together(*(lambda user=user: make_commitment(actor=user, **given) for user in people))  # type: ignore[misc]
    assert len(errors) == 1 and isinstance(errors[0], Conflict)
    assert Commitment.objects.count() == 1


def test_a_promise_is_settled_once(transactional_cast: Cast) -> None:
    a = transactional_cast.a
    row = weave.make_commitment(a.unit, a.node)
    people = [fresh(a.officer), fresh(a.secretary)]
    errors = together(
        *(
            lambda user=user: settle_commitments(actor=user, rows=[Settlement(row, a.supporting_unit, "撤出")])  # type: ignore[misc]
            for user in people
        )
    )
    assert len(errors) == 1 and isinstance(errors[0], Conflict)
    assert sorted(Commitment.objects.values_list("state", flat=True)) == ["moved", "open"]


def test_one_side_rates_once(transactional_cast: Cast) -> None:
    a = transactional_cast.a
    row = weave.make_commitment(a.unit, a.node, state="done", done_on=weave.today())
    people = [fresh(a.officer), fresh(a.secretary)]
    errors = together(
        *(lambda user=user: rate(actor=user, side="community", service=row, grade="satisfied") for user in people)  # type: ignore[misc]
    )
    assert len(errors) == 1 and isinstance(errors[0], Conflict)
    assert ServiceRating.objects.count() == 1
