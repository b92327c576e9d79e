"""The places of a sample county, as a plain nested description for `grids.actions.bulk`."""

from itertools import count, pairwise
from random import Random

from core.codes import PLACE_TOKEN_ALPHABET, PLACE_TOKEN_LENGTH
from governance.sample import facts
from governance.sample.facts import CountyFacts
from governance.sample.names import COMPOUNDS
from grids.actions.bulk import Piece, walk
from grids.models import NodeKind

# Households of an entrance by its floors, two to a floor.
_NINE, _SEVEN, _SIX = 18, 14, 12
# Size guide of a grid (docs/practice.md, "Codes"); some lie beside it, as everywhere.
_GRID_HOUSEHOLDS = (300, 500)


def streets_of(county: CountyFacts) -> list[Piece]:
    """The county's streets with everything below them; the same description every time."""
    rng = Random(f"{county.code} tree")  # noqa: S311
    streets = [
        Piece(
            "street",
            street.name,
            code=street.code,
            children=[
                Piece("community", name, code=f"{street.code}{number:03d}", address=f"示例路{number}号")
                for number, name in enumerate(street.communities, start=1)
            ],
        )
        for street in county.streets
    ]
    communities = [community for street in streets for community in street.children]
    if county.preset == "xixiang":
        _fill_xixiang(communities, county.heads, rng)
    else:
        _fill_zhenan(communities, county.heads, rng)
    for street in streets:
        for piece in walk(street):
            piece.token = "".join(rng.choices(PLACE_TOKEN_ALPHABET, k=PLACE_TOKEN_LENGTH))
    return streets


def share(total: int, parts: int, rng: Random) -> list[int]:
    """`total` in `parts` whole numbers of at least 1, uneven as in life."""
    shares = [1] * parts
    for part in rng.choices(range(parts), k=total - parts):
        shares[part] += 1
    return shares


def even(total: int, parts: int) -> list[int]:
    """`total` in `parts` whole numbers that differ by 1 at most, the larger ones first."""
    low, more = divmod(total, parts)
    return [low + (part < more) for part in range(parts)]


def _compounds(parents: list[Piece], total: int, rng: Random) -> list[Piece]:
    names = iter(rng.sample(COMPOUNDS, total))
    made = []
    for number, (parent, few) in enumerate(zip(parents, even(total, len(parents)), strict=True), start=1):
        for serial in range(1, few + 1):
            made.append(Piece("compound", next(names), address=f"示例路{number * 100 + serial}号"))
            parent.children.append(made[-1])
    return made


def _buildings(parents: list[Piece], total: int, rng: Random) -> list[Piece]:
    made = []
    for parent, few in zip(parents, share(total, len(parents), rng), strict=True):
        parent.children += [Piece("building", "") for _number in range(few)]
        made += parent.children[-few:]
    return made


def _entrances(buildings: list[Piece], total: int, rng: Random) -> None:
    for building, few in zip(buildings, share(total, len(buildings), rng), strict=True):
        building.children = [
            Piece("unit_entrance", f"{number}单元", households=rng.choice((10, 12, 12))) for number in range(1, few + 1)
        ]


def _fill_xixiang(communities: list[Piece], heads: dict[str, int], rng: Random) -> None:
    compounds = _compounds(communities, heads["compound_lead"], rng)
    for compound, few in zip(compounds, share(heads["grid_keeper"], len(compounds), rng), strict=True):
        compound.children = [Piece("grid", "") for _number in range(few)]
    grids = [grid for compound in compounds for grid in compound.children]
    buildings = _buildings(grids, heads["building_head"], rng)
    _entrances(buildings, heads["entrance_head"], rng)
    if "floor_head" in heads:
        _floors(buildings, rng)
    for community in communities:
        _number_grids([grid for compound in community.children for grid in compound.children], rng)
    for compound in compounds:
        buildings_here = [building for grid in compound.children for building in grid.children]
        _number_buildings(buildings_here)
        compound.households = sum(building.households or 0 for building in buildings_here)
    for grid in grids:
        low, high = _GRID_HOUSEHOLDS if rng.random() < 0.93 else (220, 580)
        # Street shops and self-built houses belong to a grid too, so it holds more than its buildings.
        grid.households = max(rng.randint(low, high), sum(building.households or 0 for building in grid.children))


def _number_grids(grids: list[Piece], rng: Random) -> None:
    """Numbered through the community; two of each community serve a market and a school of their own."""
    dedicated = dict(zip(rng.sample(range(len(grids)), 2), ("市场", "学校"), strict=True))
    for place, grid in enumerate(grids):
        grid.name = f"第{place + 1}网格"
        if place in dedicated:
            grid.kind = NodeKind.DEDICATED
            grid.name += f"（{dedicated[place]}）"


def _number_buildings(buildings: list[Piece]) -> None:
    for number, building in enumerate(buildings, start=1):
        building.name = f"{number}栋"
        building.households = sum(entrance.households or 0 for entrance in building.children)


def _floors(buildings: list[Piece], rng: Random) -> None:
    """Heads of floors, building by building, until the counts of `facts` are reached exactly."""
    left = {9: facts.NINE_FLOORS, 7: facts.SEVEN_FLOORS, 6: facts.SIX_FLOORS}
    for building in rng.sample(buildings, len(buildings)):
        few = len(building.children)
        floors = next((floors for floors in left if left[floors] >= few), 0)
        if not floors:
            continue
        left[floors] -= few
        for entrance in building.children:
            entrance.children = _stack(floors)
            entrance.households = {9: _NINE, 7: _SEVEN, 6: _SIX}[floors]
    if any(left.values()):
        raise AssertionError(f"entrances left over: {left}")


def _stack(floors: int) -> list[Piece]:
    """What an entrance consists of: floors alone, or sections of floors."""
    if floors == 6:
        return [Piece("floor", f"{floor}层", households=2) for floor in range(1, 7)]
    sections, edges = [], [1, 4, 7, 10] if floors == 9 else [1, 4, 8]
    for first, behind in pairwise(edges):
        section = Piece("floor_section", f"{first}至{behind - 1}层", households=2 * (behind - first))
        section.children = [Piece("floor", f"{floor}层", households=2) for floor in range(first, behind)]
        sections.append(section)
    return sections


def _fill_zhenan(communities: list[Piece], heads: dict[str, int], rng: Random) -> None:
    numbers = count(1)
    for community, few in zip(communities, even(heads["sector_lead"], len(communities)), strict=True):
        community.children = [Piece("sector", f"第{next(numbers)}片区") for _number in range(few)]
    sectors = [sector for community in communities for sector in community.children]
    compounds = _compounds(sectors, heads["compound_lead"], rng)
    buildings = _buildings(compounds, heads["building_head"], rng)
    _entrances(buildings, heads["entrance_head"], rng)
    for compound in compounds:
        _number_buildings(compound.children)
        compound.households = sum(building.households or 0 for building in compound.children)
