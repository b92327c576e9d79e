"""Of two who adopt a wish at once exactly one does, and the other is told so."""

from core.errors import Conflict
from core.models import AuditEntry, OutboxMessage
from services.actions.wish_moves import adopt_wish, finish_wish, give_back_wish
from services.models import ServiceRecord, Wish
from tests import weft_factories as weave
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together


def test_of_a_unit_and_a_member_one_adopts(transactional_cast: Cast) -> None:
    a = transactional_cast.a
    weave.make_member_checkin(a.member, a.compound)
    wish = weave.make_wish(a.building, a.keeper)
    people = [fresh(a.liaison), fresh(a.member_user)]
    errors = together(*(lambda user=user: adopt_wish(actor=user, wish=wish, version=1) for user in people))  # type: ignore[misc]
    assert len(errors) == 1 and isinstance(errors[0], Conflict)
    assert "别人认领" in str(errors[0])
    row = Wish.objects.get()
    assert row.state == "adopted" and (row.unit is None) != (row.member is None)
    assert AuditEntry.objects.filter(action="wish.adopt").count() == 1
    assert OutboxMessage.objects.filter(kind="wish_adopted").count() == 1


def test_done_and_given_back_at_once_is_one_of_them(transactional_cast: Cast) -> None:
    a = transactional_cast.a
    weave.make_member_checkin(a.member, a.compound)
    wish = adopt_wish(actor=fresh(a.member_user), wish=weave.make_wish(a.building, a.keeper))
    one, two = fresh(a.member_user), fresh(a.member_user)
    errors = together(
        lambda: finish_wish(
            actor=one, wish=wish, text="送去了", done_on=weave.today(), hours="1", version=wish.version
        ),
        lambda: give_back_wish(actor=two, wish=wish, version=wish.version),
    )
    assert len(errors) == 1, errors
    row = Wish.objects.get()
    assert row.state in ("done", "open")
    assert ServiceRecord.objects.exists() == (row.state == "done"), "no service of what was given back"
