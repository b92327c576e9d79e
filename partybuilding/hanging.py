"""What of this floor hangs on places (`grids.hanging`): party organisations, pairings, and who runs a compound."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from core import audit
from grids import hanging
from grids.compounds import have_profiles
from grids.hanging import Fate, Passage
from grids.querysets import unended
from partybuilding.models import (
    Alliance,
    CompoundRunning,
    Member,
    Pairing,
    PairingProblem,
    PartyOrganisation,
    Station,
)
from partybuilding.pairing_kinds import kinds_at


def register() -> None:
    """Called once from `apps.py`."""
    hanging.register(PartyOrganisation, label=_("在用的党组织"), open=lambda: Q(is_active=True))
    hanging.register(
        Pairing,
        label=_("未结束的包联"),
        open=unended,
        fates=(Fate.FOLLOW, Fate.END),
        no_room=_paired_there,
        follower=_pass_problems,
        begun="pairing.start",
        ended="pairing.end",
    )
    hanging.register(
        CompoundRunning,
        label=_("小区管理情况"),
        open=lambda: Q(node__retired_at__isnull=True),
        fates=(Fate.FOLLOW, Fate.STAY),
        no_room=_run_already,
    )
    hanging.register(Member, node="home", label=_("居住在这里的党员"), open=lambda: Q(is_active=True))
    hanging.register(Station, label=_("在用的流动党员驿站"), open=lambda: Q(is_active=True))
    hanging.register(Alliance, label=_("在用的党建联盟"), open=lambda: Q(is_active=True), no_room=_allied_there)


def _allied_there(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """A place has one joint body of a kind."""
    return Q(Exists(Alliance.objects.filter(node=successor, is_active=True, kind=OuterRef("kind"))))


def _paired_there(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """Kinds that are not made at the successor's level, and holders who are paired with it already."""
    fitting = [str(kind.key) for kind in kinds_at(successor.level_type.key)]
    twins = Pairing.objects.filter(unended(), node=successor, kind=OuterRef("kind"))
    same = Exists(twins.filter(unit=OuterRef("unit"))) | Exists(twins.filter(user=OuterRef("user")))
    return ~Q(kind__in=fitting) | Q(same)


def _run_already(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """A compound has one such sheet; what is no compound has none."""
    if not have_profiles([successor]) or CompoundRunning.objects.filter(node=successor).exists():
        return Q(pk__isnull=False)
    return Q(pk__in=[])


def _pass_problems(passage: Passage, went: Mapping[int, int]) -> None:
    """The problems that are not solved go along; visits and solved ones stay with the pairing under which they were."""
    open_ones = list(PairingProblem.objects.filter(pairing__in=list(went), solved_on=None).order_by("pk"))
    anew = Pairing.objects.in_bulk(went.values())
    deeds = []
    for problem in open_ones:
        before, problem.pairing = problem.pairing_id, anew[went[problem.pairing_id]]
        deeds.append(audit.Deed(problem, {"pairing_id": (before, problem.pairing_id)}, label=passage.successor.path))
    PairingProblem.objects.bulk_update(open_ones, ["pairing"])
    audit.record_many(actor=passage.actor, action="pairing.problem_pass", deeds=deeds)
