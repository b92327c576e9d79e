"""The party organisations of a county as a forest in memory, whose bounds follow from what hangs below what."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Max
from django.utils.translation import gettext as _

from core.errors import Invalid, NotFound
from grids.models import County
from partybuilding.models import PartyOrganisation

BOUNDS = ("tree_id", "lft", "rght", "depth")


class Forest:
    """Read under the county's lock (`grids.actions.locks.lock_forest`). One query, a few hundred or thousand rows."""

    def __init__(self, county: County) -> None:
        found = PartyOrganisation.objects.filter(county=county).select_related("county", "node__level_type", "unit")
        rows = list(found.select_related("secretary").order_by("tree_id", "lft"))
        # In reading order; what is new or moved comes last.
        self._rows = {id(row): row for row in rows}
        self._by_pk = {row.pk: row for row in rows}
        self._by_name = {row.name: row for row in rows}
        for row in rows:
            row.parent = self._by_pk[row.parent_id] if row.parent_id else None
        self._tops = {row.pk for row in rows if row.parent_id is None}

    def find(self, row: PartyOrganisation) -> PartyOrganisation | None:
        return self._by_pk.get(row.pk)

    def get(self, row: PartyOrganisation) -> PartyOrganisation:
        """The row as it stands here. Raises NotFound when it is none of the county's."""
        found = self.find(row)
        if found is None:
            raise NotFound(_("没有找到这个党组织，或不在您的管辖范围内。"))
        return found

    def named(self, name: str) -> PartyOrganisation | None:
        """By the name it had when this was read, or came in with."""
        return self._by_name.get(name)

    def children(self) -> Mapping[int, list[PartyOrganisation]]:
        """`id` of a row -> what hangs on it directly."""
        found: dict[int, list[PartyOrganisation]] = defaultdict(list)
        for row in self._rows.values():
            if row.parent is not None:
                found[id(row.parent)].append(row)
        return found

    def add(self, row: PartyOrganisation) -> None:
        self._rows[id(row)] = self._by_name[row.name] = row

    def hang(self, row: PartyOrganisation, parent: PartyOrganisation | None) -> None:
        """Hangs a row with all below it under another one, as its last. `bind` finds circles."""
        row.parent = parent
        self._rows[id(row)] = self._rows.pop(id(row))

    def bind(self) -> list[PartyOrganisation]:
        """Works out the bounds; answers the rows that stand already and whose bounds are others now.

        Raises Invalid when the superiors of some form a circle.
        """
        self._refuse_circles()
        below = self.children()
        before = {pk: self._bounds(row) for pk, row in self._by_pk.items()}
        last = PartyOrganisation.objects.aggregate(last=Max("tree_id"))["last"] or 0
        for row in self._rows.values():
            if row.parent is None:
                if row.pk not in self._tops:
                    last += 1
                    row.tree_id = last
                self._number(row, below)
        return [row for pk, row in self._by_pk.items() if before[pk] != self._bounds(row)]

    @staticmethod
    def generations(rows: Iterable[PartyOrganisation]) -> Sequence[list[PartyOrganisation]]:
        """Rows to be written, those above first."""
        found: dict[int, list[PartyOrganisation]] = defaultdict(list)
        for row in rows:
            found[row.depth].append(row)
        return [found[depth] for depth in sorted(found)]

    def _refuse_circles(self) -> None:
        sound: set[int] = set()
        for row in self._rows.values():
            trail: list[PartyOrganisation] = []
            seen: set[int] = set()
            one: PartyOrganisation | None = row
            while one is not None and id(one) not in sound:
                if id(one) in seen:
                    words = " → ".join(each.name for each in [*trail[trail.index(one) :], one])
                    message = _("上级不能是它自己，也不能是它的下级：%(names)s。") % {"names": words}
                    raise Invalid(message, fields={"parent": message})
                seen.add(id(one))
                trail.append(one)
                one = one.parent
            sound |= seen

    @staticmethod
    def _number(root: PartyOrganisation, below: Mapping[int, list[PartyOrganisation]]) -> None:
        """Bounds of one tree, without recursion: nobody knows how deep a table nests."""
        edge, root.depth, waiting = 0, 0, [(root, False)]
        while waiting:
            row, is_done = waiting.pop()
            edge += 1
            if is_done:
                row.rght = edge
                continue
            row.lft, row.tree_id = edge, root.tree_id
            row.depth = row.parent.depth + 1 if row.parent else 0
            waiting.append((row, True))
            waiting += [(child, False) for child in reversed(below[id(row)])]

    @staticmethod
    def _bounds(row: PartyOrganisation) -> tuple[int, ...]:
        return tuple(getattr(row, name) for name in BOUNDS)
