"""This floor's tasks: one action called each; beat runs them (settings.BEAT)."""

from celery import shared_task

from grids.actions import care_sweep


@shared_task(ignore_result=True)
def sweep_care() -> dict[str, int]:
    """Every hour: the care ledger's reminders, and what nobody confirms any more."""
    return care_sweep.sweep_care()
