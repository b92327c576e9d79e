"""Figures of compounds: counted by community in a fixed number of queries, added up for streets and counties.

What is counted: docs/domain.md#z3 (unmanaged compounds, three ways of a branch, remediation), #z5 (managed compounds and
their branches, firms and theirs), #l6 (owners' committees). A rate always comes with its numerator and denominator.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from grids.models import IN_STATE, GridNode, Remediation, RemediationState
from grids.naming import COMMUNITY, STREET
from grids.querysets import in_subtree
from partybuilding.models import BranchSetup, Compound, Management, OwnersCommittee, PartyOrganisation

_MANAGED = Q(compound_running__management=Management.MANAGED)
_COMMUNITY_RUN = Q(compound_running__management=Management.COMMUNITY)
_UNMANAGED = Q(compound_running__management=Management.UNMANAGED)
# A branch that was closed is none.
HAS_BRANCH = Q(compound_running__branch__is_active=True)


# A street's tree, and a community in it.
Key = tuple[int, int]


def _set_up(way: str) -> Q:
    return HAS_BRANCH & Q(compound_running__branch_setup=way)


_COUNTED: dict[str, Any] = {
    "compounds": Count("pk"),
    "managed": Count("pk", filter=_MANAGED),
    "community_run": Count("pk", filter=_COMMUNITY_RUN),
    "unmanaged": Count("pk", filter=_UNMANAGED),
    "single": Count("pk", filter=_set_up(BranchSetup.SINGLE)),
    "attached": Count("pk", filter=_set_up(BranchSetup.ATTACHED)),
    "merged": Count("pk", filter=_set_up(BranchSetup.MERGED)),
    "managed_branches": Count("pk", filter=_MANAGED & HAS_BRANCH),
    "committees": Count("pk", filter=Q(compound_running__committee=OwnersCommittee.FORMED)),
    "preparing": Count("pk", filter=Q(compound_running__committee=OwnersCommittee.PREPARING)),
    "demonstration": Count("pk", filter=Q(compound_profile__is_demonstration=True)),
    "homes": Sum("households"),
    "unmanaged_homes": Sum("households", filter=_UNMANAGED),
}


@dataclass
class Counts:
    """Compounds of a place, by what is known of them. All can be added up."""

    compounds: int = 0
    managed: int = 0
    community_run: int = 0
    unmanaged: int = 0
    single: int = 0
    attached: int = 0
    merged: int = 0
    managed_branches: int = 0
    committees: int = 0
    preparing: int = 0
    demonstration: int = 0
    homes: int = 0
    unmanaged_homes: int = 0

    @property
    def unknown(self) -> int:
        """Compounds of which nobody has said who runs them."""
        return self.compounds - self.managed - self.community_run - self.unmanaged

    @property
    def branches(self) -> int:
        """Compounds with a branch, whichever way it was set up."""
        return self.single + self.attached + self.merged

    def add(self, other: "Counts") -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@dataclass
class Work:
    """Remediation of one kind: how much is done, in how many projects; and the projects that are not."""

    quantity: int = 0
    finished: int = 0
    going: int = 0
    planned: int = 0

    def add(self, other: "Work") -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@dataclass
class Firm:
    """A property firm in a place."""

    name: str
    compounds: int = 0
    homes: int = 0
    has_branch: bool = False


@dataclass
class Figures:
    """One place: its compounds, its remediation by kind, its firms by name."""

    counts: Counts = field(default_factory=Counts)
    work: dict[str, Work] = field(default_factory=dict)
    firms: dict[str, Firm] = field(default_factory=dict)

    @property
    def firms_with_branch(self) -> int:
        return sum(firm.has_branch for firm in self.firms.values())

    @property
    def finished(self) -> int:
        """Finished projects of every kind."""
        return sum(work.finished for work in self.work.values())

    def add(self, other: "Figures") -> None:
        self.counts.add(other.counts)
        for kind, work in other.work.items():
            self.work.setdefault(kind, Work()).add(work)
        for name, firm in other.firms.items():
            mine = self.firms.setdefault(name, Firm(name))
            mine.compounds += firm.compounds
            mine.homes += firm.homes
            mine.has_branch |= firm.has_branch


@dataclass(frozen=True)
class Board:
    """A place (None: everything the person sees), its figures, and those of the places one step below."""

    place: GridNode | None
    whole: Figures
    below: Sequence[tuple[GridNode, Figures]]


def standing(user: Any, place: GridNode | None = None) -> QuerySet[Any]:
    """The compounds in use that the person sees, in a place or everywhere."""
    rows = Compound.objects.visible_to(user).standing()
    found: QuerySet[Any] = rows.filter(in_subtree(place, community="community")) if place is not None else rows
    return found


def board(user: Any, place: GridNode | None = None) -> Board:
    """The figures of a place and of what lies below it: streets, then communities. Four queries, whatever the rows.

    Args:
        place: one that the person sees; None for all they see.
    """
    by_community = _by_community(user, place)
    whole = Figures()
    for figures in by_community.values():
        whole.add(figures)
    return Board(place, whole, list(_below(user, place, by_community)))


def _by_community(user: Any, place: GridNode | None) -> dict[Key, Figures]:
    found: dict[Key, Figures] = {}
    rows = standing(user, place).order_by()
    for key, counted in _grouped(rows, "", **_COUNTED):
        found.setdefault(key, Figures()).counts = Counts(**counted)
    own_branch = PartyOrganisation.objects.filter(unit=OuterRef("compound_running__firm"), is_active=True)
    firms = rows.filter(_MANAGED).exclude(compound_running__firm_name="").annotate(own=Exists(own_branch))
    by = {"name": "compound_running__firm_name", "has_branch": "own"}
    for key, counted in _grouped(firms, "", by, compounds=Count("pk"), homes=Sum("households")):
        found.setdefault(key, Figures()).add(Figures(firms={counted["name"]: Firm(**counted)}))
    projects = Remediation.objects.visible_to(user).order_by()
    if place is not None:
        projects = projects.filter(in_subtree(place, "node", community="community"))
    states = {str(state): Count("pk", filter=where) for state, where in IN_STATE.items()}
    amount = Sum("quantity", filter=IN_STATE[RemediationState.FINISHED])
    for key, counted in _grouped(projects, "community__", {"what": "kind"}, amount=amount, **states):
        work = Work(counted["amount"], counted["finished"], counted["going"], counted["planned"])
        found.setdefault(key, Figures()).work[counted["what"]] = work
    return found


def _grouped(
    rows: QuerySet[Any], at: str, by: Mapping[str, str] | None = None, **counted: Any
) -> Iterator[tuple[Key, dict[str, Any]]]:
    """Rows counted by community, and by other columns. `at` leads to the tree; `by`: name in the answer -> column."""
    tree, community = f"{at}tree_id", "community_id"
    by = by or {}
    for row in rows.values(tree, community, *by.values()).annotate(**counted):
        answer = {name: row[column] for name, column in by.items()}
        yield (row[tree], row[community]), answer | {name: row[name] or 0 for name in counted}


def _below(user: Any, place: GridNode | None, by_community: dict[Key, Figures]) -> Iterator[tuple[GridNode, Figures]]:
    if place is not None and place.community_id is not None:
        return
    seen = GridNode.objects.visible_to(user).standing().order_by("tree_id", "lft")
    places = list(seen.at(STREET, COMMUNITY).filter(in_subtree(place) if place is not None else Q()))
    streets = [node for node in places if node.community_id is None]
    shown = streets if place is None and streets else [node for node in places if node.community_id is not None]
    for node in shown:
        figures = Figures()
        for (tree, community), part in by_community.items():
            if community == node.pk or (node.community_id is None and tree == node.tree_id):
                figures.add(part)
        yield node, figures
