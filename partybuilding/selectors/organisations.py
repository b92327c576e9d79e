"""The party organisations of a county as a tree with its figures, read at once however many there are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, QuerySet

from core.models import User
from grids.querysets import in_subtree
from partybuilding.models import Domain, Member, OrganisationKind, PartyOrganisation


@dataclass
class Branch:
    """An organisation with what is below it.

    Attributes:
        own: members that are its own. members: its own and those of all below it.
        kinds: kind -> how many organisations of it are below, at any depth.
        found: whether it answers to what was asked for; else it stands there for one below it that does.
    """

    organisation: PartyOrganisation
    own: int = 0
    members: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    branches: list["Branch"] = field(default_factory=list)
    found: bool = True

    @property
    def below(self) -> list[tuple[str, int]]:
        """(kind in words, how many), from the highest down."""
        return [(str(kind.label), self.kinds[kind]) for kind in OrganisationKind if self.kinds[kind]]


@dataclass(frozen=True)
class DomainFigures:
    """Organisations in use of one domain by kind, and their members."""

    domain: Domain
    kinds: Counter[str]
    members: int

    @property
    def organisations(self) -> int:
        return sum(self.kinds.values())


@dataclass(frozen=True)
class OrganisationBoard:
    """What answers to the question, as a tree and by domain; `members` are those of the organisations found."""

    branches: Sequence[Branch]
    domains: Sequence[DomainFigures]

    @property
    def kinds(self) -> Counter[str]:
        return sum((row.kinds for row in self.domains), Counter())

    @property
    def organisations(self) -> int:
        return sum(row.organisations for row in self.domains)

    @property
    def members(self) -> int:
        return sum(row.members for row in self.domains)


def in_use(user: User, *, domain: str = "", place: Any = None) -> QuerySet[PartyOrganisation]:
    """The organisations in use that the person may know, of a domain, at a place and below it."""
    found: QuerySet[PartyOrganisation] = PartyOrganisation.objects.visible_to(user).filter(is_active=True)
    if domain:
        found = found.filter(domain=domain)
    return found if place is None else found.filter(in_subtree(place, "node"))


def organisation_board(user: User, *, domain: str = "", place: Any = None) -> OrganisationBoard:
    """The tree and the figures of what is asked for. Three queries."""
    rows = in_use(user).select_related("node", "unit", "secretary").order_by("tree_id", "lft")
    wanted = None
    if domain or place is not None:
        wanted = set(in_use(user, domain=domain, place=place).order_by().values_list("pk", flat=True))
    counted = Member.objects.active().filter(branch__in=in_use(user)).order_by().values("branch")
    own = dict(counted.annotate(n=Count("pk")).values_list("branch", "n"))
    branches: dict[int, Branch] = {}
    for row in rows:
        branches[row.pk] = Branch(row, own.get(row.pk, 0), found=wanted is None or row.pk in wanted)
    found = [branch for branch in branches.values() if branch.found]
    # From below upwards: what is below has its sums by the time it is added to what is above.
    shown: list[Branch] = []
    for branch in reversed(branches.values()):
        branch.branches.reverse()
        branch.members += branch.own if branch.found else 0
        if not (branch.found or branch.branches):
            continue
        above = branches.get(branch.organisation.parent_id or 0)
        if above is None:
            shown.append(branch)
            continue
        above.branches.append(branch)
        above.members += branch.members
        above.kinds += branch.kinds
        if branch.found:
            above.kinds[branch.organisation.kind] += 1
    return OrganisationBoard(shown[::-1], _by_domain(found))


def _by_domain(found: Sequence[Branch]) -> list[DomainFigures]:
    kinds: dict[str, Counter[str]] = {str(domain): Counter() for domain in Domain}
    members: Counter[str] = Counter()
    for branch in found:
        kinds[branch.organisation.domain][branch.organisation.kind] += 1
        members[branch.organisation.domain] += branch.own
    return [DomainFigures(domain, kinds[domain], members[domain]) for domain in Domain if kinds[domain]]
