"""Where members live, as they reported it and their community accepted it."""

from collections.abc import Iterable, Mapping

from core import audit
from core.actors import Actor
from grids.actions.terms import BATCH, batches
from grids.compounds import have_profiles
from grids.models import GridNode
from partybuilding.models import Member


def lock_members(pks: Iterable[int]) -> dict[int, Member]:
    """Members as they are now, locked in id order, after the places and before what is theirs."""
    found: dict[int, Member] = {}
    rows = Member.objects.select_for_update(of=("self",), no_key=True).select_related("county", "unit")
    for some in batches(sorted(set(pks))):
        found.update({member.pk: member for member in rows.filter(pk__in=some).order_by("pk")})
    return found


def settle_members(*, actor: Actor, homes: Mapping[Member, GridNode]) -> None:
    """Writes where some members live, inside the transaction of whoever has the right to say so and has locked them.

    Args:
        homes: locked member -> the place they reported to; where that is a whole community, their compound stays
            unknown. The trail does not say which one: where somebody lives is theirs.
    """
    compounds = have_profiles(homes.values())
    deeds = []
    for member, node in homes.items():
        if node.level_type_id in compounds and member.home_id != node.pk:
            changes = {"home_id": (member.home_id, node.pk)}
            member.home = node
            deeds.append(audit.Deed(member, changes, label=str(member.pk), personal=("home_id",)))
    Member.objects.bulk_update([deed.obj for deed in deeds], ["home"], batch_size=BATCH)  # type: ignore[misc]
    audit.record_many(actor=actor, action="member.settle", deeds=deeds)
