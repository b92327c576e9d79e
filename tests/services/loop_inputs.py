"""What random people give with a move: by the kinds of input its table declares. Part of `loop_machine`."""

import datetime
from typing import Any, ClassVar

from django.utils import timezone

from core.workflow import Input, Transition
from partybuilding.models import Member, Unit
from services.models import Category, Demand
from services.selectors.rates import RATES
from tests.cast import Cast
from tests.services.loop_truths import World


class Giving:
    """The inputs of moves. A careful person knows what they do; anybody else may type anything."""

    cast: ClassVar[Cast]
    before: World

    def who(self, name: str) -> Any:
        raise NotImplementedError

    def demand(self, pick: int) -> Demand:
        raise NotImplementedError

    def given(self, name: str, row: Transition, target: Any, pick: int, careful: bool) -> dict[str, Any]:
        """Inputs by their kinds. A careful person leaves out nothing that is asked for and names what there is."""
        data = {}
        for place, item in enumerate(row.inputs, start=1):
            draw = pick // place
            if item.required or careful or draw % 2:
                data[item.name] = self.value(item, target, name, draw) if careful else self.anything(item, target, draw)
        return data

    def value(self, item: Input, target: Any, name: str, draw: int) -> Any:
        """What somebody would give who knows what they do."""
        demand = target if isinstance(target, Demand) else getattr(target, "demand", None)
        if item.kind == "unit":
            found = self.units_of(name) if item.name == "unit" and demand and demand.state == "published" else []
            busy = {row.unit_id for row in demand.suborders.all() if row.state != "returned"}
            free = [unit for unit in self.units() if unit.pk not in busy]
            return (found or self.near(demand, free) or free or self.units())[draw % 2 - 1]
        if item.kind == "units":
            return self.near(demand, self.units())[1:2]
        if item.kind == "county_units":
            at_work = {row.unit_id for row in demand.suborders.all() if row.state == "finished"}
            return [unit for unit in self.units() if unit.pk not in at_work][draw % 3 :][:3]
        if item.kind == "county_unit":
            return None
        if item.kind == "members":
            return list(Member.objects.filter(unit_id=target.unit_id, user__isnull=False).order_by("pk"))[
                : 1 + draw % 2
            ]
        if item.kind == "place":
            lived_in = (self.cast.a.node, self.cast.b.node, self.cast.b.building)
            others = [one for one in self.places(draw) if one.community_id != demand.community_id]
            return next((one for one in others if one in lived_in), others[0]) if draw % 5 else others[0]
        if item.kind == "matter":
            others = self.before.of(Demand)
            same = [one for one in others if one.community_id == demand.community_id and one.pk != demand.pk]
            free = [one for one in same if one.state not in ("linked", "withdrawn", "declined")]
            return (free or others)[draw % len(free or others)]
        if item.kind == "flag":
            return draw % 4 == 0
        if item.kind == "date":
            due = max(timezone.now(), target.due_at or timezone.now())
            return timezone.localdate(due) + datetime.timedelta(days=draw % 12 + 1)
        if item.kind == "moment":
            return timezone.now() + datetime.timedelta(hours=draw % 50 + 1)
        if item.kind in ("text", "line"):
            return "已经说明情况"
        return self.anything(item, target, draw)

    def anything(self, item: Input, target: Any, draw: int) -> Any:
        """What somebody may type."""
        units = self.units()
        if item.kind in ("text", "line"):
            return "已经说明情况" if draw % 5 else ""
        if item.kind == "choice":
            return item.choices[draw % len(item.choices)][0]
        if item.kind == "flag":
            return bool(draw % 2)
        if item.kind == "date":
            return timezone.localdate() + datetime.timedelta(days=(draw % 60) - 10)
        if item.kind == "moment":
            return timezone.now() + datetime.timedelta(hours=draw % 50 - 20)
        if item.kind == "photos":
            return []
        if item.kind in ("unit", "county_unit"):
            return units[draw % len(units)]
        if item.kind in ("units", "county_units"):
            return units[draw % 5 :][:2]
        if item.kind == "members":
            cast = self.cast
            members = [cast.a.member, cast.a.second_member, cast.a.supporting_member, cast.b.member]
            return members[draw % 4 :][: 1 + draw % 2]
        if item.kind == "place":
            return next(iter(self.places(draw)))
        if item.kind == "category":
            found = list(Category.objects.filter(county=self.cast.county).order_by("pk"))
            return found[draw % len(found)]
        if item.kind == "matter":
            return self.demand(draw)
        if item.kind == "rates":
            return [name for place, name in enumerate(RATES) if (draw + 1) >> place & 1]
        raise AssertionError(f"an input of a kind the machine does not know: {item.kind}")

    def units(self) -> list[Unit]:
        cast = self.cast
        return [cast.a.unit, cast.a.supporting_unit, cast.b.unit, cast.b.supporting_unit, cast.idle_unit]

    def units_of(self, name: str) -> list[Unit]:
        return [unit for unit in self.units() if unit.memberships.filter(user=self.who(name)).exists()]

    def near(self, demand: Demand, units: list[Unit]) -> list[Unit]:
        """Those of some units that have reported where the matter is."""
        here = self.cast.b if demand.community_id == self.cast.b.node.pk else self.cast.a
        return [unit for unit in units if unit in (here.unit, here.supporting_unit)]

    def places(self, draw: int) -> list[Any]:
        cast = self.cast
        found = [cast.a.node, cast.b.node, cast.b.building, cast.empty_community, cast.other_street_community]
        return found[draw % 5 :] + found[: draw % 5]
