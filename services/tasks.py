"""Thin tasks: ids in, one action called."""

from celery import shared_task

from services.actions import (
    case_sweep,
    checkin_sweep,
    commitment_sweep,
    learning,
    list_reminders,
    matching,
    meeting_sweep,
    member_sweep,
    rate_sweep,
    sweeping,
    tallies,
    wish_sweep,
)


@shared_task(name="services.tasks.sweep_clocks", ignore_result=True)
def sweep_clocks() -> dict[str, int]:
    """Every minute: lateness, reminders, silent closings."""
    return sweeping.sweep()


@shared_task(name="services.tasks.update_tallies", ignore_result=True)
def update_tallies() -> int:
    """Every half minute: the cells in which something happened."""
    return tallies.refresh_tallies()


@shared_task(name="services.tasks.sweep_members", ignore_result=True)
def sweep_members() -> dict[str, int]:
    """Every hour: members' reports, services and cards that wait."""
    return member_sweep.sweep_members()


@shared_task(name="services.tasks.sweep_checkins", ignore_result=True)
def sweep_checkins() -> dict[str, int]:
    """Every hour: units that wait for an answer, agreements that run out."""
    return checkin_sweep.sweep_checkins()


@shared_task(name="services.tasks.sweep_proposals", ignore_result=True)
def sweep_proposals() -> int:
    """Every hour: proposals of matching that nobody decided on for a month."""
    return matching.outdate_old()


@shared_task(name="services.tasks.sweep_commitments", ignore_result=True)
def sweep_commitments() -> int:
    """Every hour: promises near their day, past it, or waiting to be confirmed."""
    return commitment_sweep.sweep_commitments()


@shared_task(name="services.tasks.remind_lists", ignore_result=True)
def remind_lists() -> dict[str, int]:
    """Every hour: the four lists' monthly refresh, what is overdue on them, and what waits."""
    return list_reminders.remind_lists()


@shared_task(name="services.tasks.sweep_meetings", ignore_result=True)
def sweep_meetings() -> dict[str, int]:
    """Every minute: reminders, meetings left open, resolutions whose project or commitment has ended."""
    return meeting_sweep.sweep_meetings()


@shared_task(name="services.tasks.sweep_cases", ignore_result=True)
def sweep_cases() -> dict[str, int]:
    """Every hour: cases and helps that wait, and what is over for a year."""
    return case_sweep.sweep_cases()


@shared_task(name="services.tasks.sweep_wishes", ignore_result=True)
def sweep_wishes() -> dict[str, int]:
    """Every hour: small wishes past their limits, and names whose time is over."""
    return wish_sweep.sweep_wishes()


@shared_task(name="services.tasks.sweep_rates", ignore_result=True)
def sweep_rates() -> dict[str, int]:
    """Every hour: exclusions nobody decides on, bulletins nobody answers, matters of a bulletin that have ended."""
    return rate_sweep.sweep_rates()


@shared_task(name="services.tasks.learn_categories", ignore_result=True)
def learn_categories() -> int:
    """Every night: which words speak for which category, from each county's own demands."""
    return learning.learn_categories()
