"""What the sweeper does where somebody lets another wait and no later step would come of it: part of `sweeping.sweep`."""

import datetime
import logging

from core.actors import SYSTEM
from core.errors import DomainError
from services.actions.moving import move
from services.models import Assignment

logger = logging.getLogger(__name__)
BATCH = 500


def lapse_silent(now: datetime.datetime) -> int:
    """Takes back what members were asked and did not answer in time; the liaison asks somebody else."""
    silent = Assignment.objects.waiting().filter(due_at__lt=now).select_related("suborder__demand", "member")
    lapsed = 0
    for one in silent.order_by("due_at")[:BATCH]:
        try:
            move(actor=SYSTEM, target=one, name="lapse", version=one.version)
        except DomainError as error:
            # Answered in the meantime.
            logger.info("not lapsed: %s %s", one.pk, error.code)
        else:
            lapsed += 1
    return lapsed
