"""Many demands sorted in one go: accepted, declined, published, given to a unit, linked; five hundred a transaction.

A batch costs a fixed number of statements, however many of its demands move and whatever is done with each. What a move
needs and does is what `services.actions.move` says of it (`together.make_together`); only reading and writing are done for all
of them together. What can not be done is named with its reason, the rest is done. A worker that is killed leaves whole
batches behind it.
"""

from collections.abc import Collection, Sequence

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.actors import Actor
from core.errors import Conflict, Invalid
from services.actions import routing
from services.actions.together import Answer, Order, Written, make_together

MOST = 2000
BATCH = 500
MOVES = ("accept", "decline", "publish", "dispatch", "link")


def triage(
    *, actor: Actor, orders: Sequence[Order], written: Written | None = None, held: Collection[int] = ()
) -> list[Answer]:
    """Carries out orders on up to 2,000 demands, 500 a transaction.

    Args:
        orders: at most one for each demand.
        written: called inside the transaction of each batch as its last step, with the answers of the batch: whoever
            keeps count of what was done learns it with the batch or not at all.
        held: demands that no automatic rule dispatches when they were accepted, for somebody is to look at them first.

    Returns an answer for each order, in the order given.

    Raises Invalid for more than 2,000 orders, two for one demand, or a move that is none of triage's; nothing was done.
    """
    check(orders)
    answers: list[Answer] = []
    for start in range(0, len(orders), BATCH):
        some = _batch(actor, orders[start : start + BATCH], written)
        # What was accepted and no more goes where an automatic rule sends it, as after a single acceptance.
        accepted = [answer.demand for answer in some if answer.made == ("accept",) and answer.error is None]
        routing.dispatch_many_by_rule([demand for demand in accepted if demand is not None and demand.pk not in held])
        answers += some
    return answers


def check(orders: Sequence[Order]) -> None:
    """Raises `Invalid` for orders that make no sense as a whole; see `triage`."""
    if len(orders) > MOST:
        raise Invalid(_("一次最多办理 %(count)d 条，请分几次。") % {"count": MOST}, code="too_many")
    if len({order.demand for order in orders}) < len(orders):
        raise Invalid(_("同一条需求选了两次，请刷新页面后重新勾选。"), code="twice")
    if any(name not in MOVES for order in orders for name, _data in order.steps):
        raise Invalid(_("批量分拣没有这个操作。"), code="unknown_transition")


def _batch(actor: Actor, orders: Sequence[Order], written: Written | None) -> list[Answer]:
    try:
        with transaction.atomic():
            return make_together(actor=actor, orders=orders, written=written)
    except (IntegrityError, Conflict) as error:
        # The rows were locked, so this is somebody who wrote past the locks: nothing of the batch stands.
        conflict = Conflict(_("办理这一批时数据有变动，这一批没有任何改动，请刷新后再办理。"))
        conflict.__cause__ = error
        refused = [Answer(order, None, (), conflict) for order in orders]
        if written is not None:
            with transaction.atomic():
                written(refused)
        return refused


__all__ = ["BATCH", "MOST", "MOVES", "Answer", "Order", "check", "triage"]
