"""The top floor's tasks: one action called each; beat runs them (settings.BEAT)."""

from celery import shared_task

from governance.accounts import handout


@shared_task(ignore_result=True)
def purge_handouts() -> int:
    """Every hour: first passwords nobody fetched in time."""
    return handout.purge()
