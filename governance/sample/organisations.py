"""Party organisations of a sample county, as a forest: those of places, of units, and joint ones of industries, chains and
parks (docs/domain.md#c2, #p1). Names of the joint ones are invented."""

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Max

from governance.sample.people import BATCH
from grids.models import County, GridNode
from partybuilding.models import Domain, Member, OrganisationKind, PartyOrganisation, Unit
from partybuilding.organisation_kinds import may_hang

_KINDS = OrganisationKind
# Depth below the county's joint work committee, name, kind, domain.
_JOINT: tuple[tuple[int, str, str, str], ...] = (
    (1, "快递物流行业党委", _KINDS.COMMITTEE, Domain.INDUSTRY),
    (2, "快递员流动党支部", _KINDS.BRANCH, Domain.INDUSTRY),
    (2, "外卖配送员党支部", _KINDS.BRANCH, Domain.INDUSTRY),
    (1, "律师行业党总支", _KINDS.GENERAL_BRANCH, Domain.INDUSTRY),
    (2, "律师行业第一党支部", _KINDS.BRANCH, Domain.INDUSTRY),
    (1, "小微商户联合党支部", _KINDS.BRANCH, Domain.INDUSTRY),
    (1, "物业行业党委", _KINDS.COMMITTEE, Domain.PROPERTY),
    (2, "物业企业联合党支部", _KINDS.BRANCH, Domain.PROPERTY),
    (1, "特色农产品产业链党委", _KINDS.COMMITTEE, Domain.CHAIN),
    (2, "种植环节党支部", _KINDS.BRANCH, Domain.CHAIN),
    (2, "加工环节党支部", _KINDS.BRANCH, Domain.CHAIN),
    (2, "销售环节党支部", _KINDS.BRANCH, Domain.CHAIN),
    (1, "工业园区党委", _KINDS.COMMITTEE, Domain.PARK),
    (2, "园区企业联合党支部", _KINDS.BRANCH, Domain.PARK),
    (1, "中心商圈楼宇党支部", _KINDS.BRANCH, Domain.BUILDING),
    (1, "社会组织联合党支部", _KINDS.BRANCH, Domain.SOCIAL),
    (1, "非公企业联合党支部", _KINDS.BRANCH, Domain.NON_PUBLIC),
)


def found_organisations(
    county: County, nodes: Sequence[GridNode], units: Sequence[Unit], compounds: Mapping[int, str]
) -> dict[int, PartyOrganisation]:
    """Street work committees over community committees over the branches of compounds; one work committee for the county's
    units over their branches, and one for what is neither of a place nor of one unit.

    Args:
        compounds: compound key -> the branch that is set up there.

    Answers unit key -> branch.
    """
    first = (PartyOrganisation.objects.aggregate(last=Max("tree_id"))["last"] or 0) + 1
    generations: list[list[PartyOrganisation]] = [[], [], []]
    above: list[PartyOrganisation] = []

    def found(depth: int, name: str, kind: str, domain: str, **seat: Unit | GridNode) -> PartyOrganisation:
        """Organisations come in reading order, so that each hangs below the last one above its depth."""
        del above[depth:]
        number = sum(map(len, generations))
        row = PartyOrganisation(name=name, kind=kind, domain=domain, **seat)
        row.county, row.depth = county, depth
        row.parent = above[-1] if above else None
        assert may_hang(kind, row.parent.kind if row.parent else None), name
        row.founded_on = datetime.date(2014 + number % 9, 1 + number % 12, 1 + number % 28)
        above.append(row)
        generations[depth].append(row)
        return row

    for node in nodes:
        if node.level_key == "street":
            found(0, f"中共{node.name}工作委员会", _KINDS.WORK_COMMITTEE, Domain.COMMUNITY, node=node)
        elif node.level_key == "community":
            found(1, f"中共{node.name}委员会", _KINDS.COMMITTEE, Domain.COMMUNITY, node=node)
        elif node.pk in compounds:
            found(2, compounds[node.pk], _KINDS.BRANCH, Domain.COMPOUND, node=node)
    found(0, f"中共{county.name}直属机关工作委员会", _KINDS.WORK_COMMITTEE, Domain.DEPARTMENT)
    branches = [found(1, f"中共{unit.name}支部", _KINDS.BRANCH, unit.domain, unit=unit) for unit in units]
    joint = f"中共{county.name}行业和新兴领域工作委员会"
    found(0, joint, _KINDS.WORK_COMMITTEE, Domain.INDUSTRY)
    for depth, name, kind, domain in _JOINT:
        found(depth, f"{county.name}{name}", kind, domain)
    _bind(generations, first)
    for rows in generations:
        for row in rows:
            row.parent_id = row.parent.pk if row.parent else None
        PartyOrganisation.objects.bulk_create(rows, batch_size=BATCH)
    return {unit.pk: branch for unit, branch in zip(units, branches, strict=True)}


def choose_secretaries(county: County, members: Sequence[Member]) -> None:
    """Every unit's branch is led by one of its own, every other organisation by somebody who lives there or by anybody."""
    of_branch: dict[int, Member] = {}
    at_home: dict[int, Member] = {}
    for member in members:
        if member.branch_id is not None:
            of_branch.setdefault(member.branch_id, member)
        if member.home_id is not None:
            at_home[member.home_id] = member
    rows = list(PartyOrganisation.objects.filter(county=county).order_by("tree_id", "lft"))
    for number, row in enumerate(rows):
        anybody = members[(number * 7 + 3) % len(members)]
        row.secretary = of_branch.get(row.pk) or at_home.get(row.node_id or 0) or anybody
    PartyOrganisation.objects.bulk_update(rows, ["secretary"], batch_size=BATCH)


def _bind(generations: list[list[PartyOrganisation]], first: int) -> None:
    """The bounds of every tree, the first of which has the number `first`."""
    below: dict[int, list[PartyOrganisation]] = defaultdict(list)
    for row in (row for rows in generations[1:] for row in rows):
        below[id(row.parent)].append(row)

    def walk(row: PartyOrganisation, tree_id: int, edge: int) -> int:
        row.tree_id, row.lft = tree_id, edge
        for child in below[id(row)]:
            edge = walk(child, tree_id, edge + 1)
        row.rght = edge + 1
        return edge + 1

    for number, root in enumerate(generations[0], start=first):
        walk(root, number, 1)
