"""This floor's tasks: one action called each; beat runs them (settings.BEAT)."""

from celery import shared_task

from partybuilding.actions import alliance_sweep, floating_sweep


@shared_task(ignore_result=True)
def sweep_party() -> dict[str, int]:
    """Every hour: terms that end soon, floating members nobody has been in touch with, and those who left long ago."""
    return {
        "terms": alliance_sweep.remind_of_terms(),
        "contacts": floating_sweep.remind_of_contacts(),
        "erased": floating_sweep.forget_left(),
    }
