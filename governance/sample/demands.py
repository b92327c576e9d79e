"""The demands of a sample county: where, when, by whom, and how each fared up to the sample's moment."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from core import audit
from core.actors import RESIDENT, SYSTEM, Actor
from core.audit import Deed
from core.models import User
from core.periods import Quarter, day_start
from governance.sample import names, texts
from governance.sample.facts import CountyFacts
from governance.sample.fate import Fate, draw
from governance.sample.life import Life, People
from governance.sample.people import BATCH, Posts
from governance.sample.story import Story
from governance.sample.texts import DemandText
from governance.sample.weft import Weft
from grids.models import County, GridNode
from partybuilding.models import Unit
from services.clocks import Clock
from services.models import Category, Demand, DemandEvent, LimitUnit, Origin

# How many of a community's officers work the portal.
_DESK = 3
# Where demands hang: on buildings mostly, as the QR codes do.
_LEVELS = {"building": 60, "unit_entrance": 14, "compound": 14, "sector": 5, "grid": 8, "community": 4}
_ORIGINS = {Origin.RESIDENT: 50, Origin.KEEPER: 22, Origin.PHONE: 13, Origin.CADRE: 10, Origin.IMPORT: 5}
_OPENINGS = {
    Origin.KEEPER: "住户向网格员反映：",
    Origin.PHONE: "来电反映：",
    Origin.CADRE: "走访中了解到：",
}
# How long demands wait for a joint meeting.
_LATELY = datetime.timedelta(days=14)
# One in so many demands comes in a second time from a neighbour.
_TWICE = 45


@dataclass
class Ground:
    """A county as far as demands are concerned.

    Attributes:
        moment: the sample's moment; nothing happens at or after it.
        categories: by name.
    """

    county: County
    facts: CountyFacts
    nodes: list[GridNode]
    posts: Posts
    weft: Weft
    categories: dict[str, Category]
    clock: Clock
    moment: datetime.datetime

    def __post_init__(self) -> None:
        self.by_key = {node.pk: node for node in self.nodes}
        self.communities = [node for node in self.nodes if node.level_key == "community"]
        self.places: dict[tuple[int, str], list[GridNode]] = defaultdict(list)
        for node in self.nodes:
            if node.community_id:
                self.places[node.community_id, node.level_key].append(node)
        self.liaisons = {key: row.user for key, row in self.weft.liaisons.items()}
        self._here: dict[int, list[Unit]] = {}

    def units_here(self, node: GridNode) -> list[Unit]:
        """The units that have reported to the node or to a place around it."""
        if node.pk not in self._here:
            self._here[node.pk] = [
                row.unit
                for row in self.weft.checkins
                if row.node.tree_id == node.tree_id and row.node.lft <= node.lft <= node.rght <= row.node.rght
            ]
        return self._here[node.pk]

    def words(self, node: GridNode) -> str:
        """The place as a resident calls it: 青禾小区7栋2单元."""
        said: list[str] = []
        here: GridNode | None = node
        while here is not None and here.level_key not in ("community", "street"):
            if here.level_key in ("compound", "building", "unit_entrance"):
                said.insert(0, here.name)
            here = self.by_key.get(here.parent_id or 0)
        return "".join(said) or self.by_key[node.community_id].name

    def keeper(self, node: GridNode) -> User:
        """Who answers for the node, or for the next one above that somebody answers for."""
        here = node
        while True:
            found = self.posts.holders(here.level_type.holder_post, here.pk)
            if found:
                return found[0]
            here = self.by_key[here.parent_id]

    def desk(self, community: GridNode) -> list[User]:
        """The community's people who work the portal; the secretary among them."""
        officers = self.posts.holders("community_officer", community.pk)[:_DESK]
        return [*officers, *self.posts.holders("community_secretary", community.pk)]


@dataclass(frozen=True)
class Case:
    """A demand to be: everything that is settled before it is told."""

    node: GridNode
    text: DemandText
    origin: str
    registered_at: datetime.datetime
    people: People
    officer: User


class Demands:
    """Makes and writes all demands of a county."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.stories: list[Story] = []
        self._codes: set[str] = set()
        self._dice = Random(f"{ground.facts.code} codes")  # noqa: S311
        self._weights = [2.2, *(Random(node.code).uniform(0.5, 1.4) for node in ground.communities[1:])]  # noqa: S311

    # --- Telling ---

    def tell_all(self) -> None:
        """The ordinary run of demands over the last two quarters, and the second voices among them."""
        for number in range(self.ground.facts.demands):
            rng = Random(f"{self.ground.facts.code} demand {number}")  # noqa: S311
            case = self.case(rng, self._registered(rng))
            anonymous = case.origin in (Origin.IMPORT, Origin.KEEPER)
            urgent = self.category(case.text).limit_unit == LimitUnit.HOURS
            works = case.text.topic in texts.WORKS
            fate = draw(rng, anonymous=anonymous, urgent=urgent, works=works)
            if self._awaits_meeting(case):
                fate = replace(fate, opening="accept", route="claim", halt="claim")
            story = self.tell(case, fate, rng)
            self.stories.append(story)
            if number % _TWICE == 0 and story.demand.accepted_at and not self.ground.facts.exact_demands:
                self._tell_again(case, story, rng)

    def _awaits_meeting(self, case: Case) -> bool:
        """In a county of four lists (docs/domain.md#l1), what came in lately at the community that is shown waits to be
        claimed: the resources are matched to it."""
        shown = self.ground.communities[0]
        lately = self.ground.moment - case.registered_at < _LATELY
        return self.ground.facts.exact_demands and lately and case.node.community_id == shown.pk

    def tell(self, case: Case, fate: Fate, rng: Random) -> Story:
        """Tells one demand up to the sample's moment."""
        supporting = case.people.supporting[: fate.supporting]
        people = replace(case.people, supporting=supporting)
        life = Life(self._begin(case, rng), fate, people, rng, case.text)
        return life.tell(self.ground.moment)

    def case(
        self,
        rng: Random,
        registered_at: datetime.datetime,
        *,
        node: GridNode | None = None,
        lead: Unit | None = None,
        fits: Callable[[DemandText], bool] = lambda text: True,
    ) -> Case:
        """Draws a place, a text that fits the units there, and the people.

        Args:
            node: the place, when it is settled. lead: the unit that shall have it. fits: which texts will do.
        """
        ground = self.ground
        node = node or self._place(rng)
        community = ground.by_key[node.community_id]
        here = ground.units_here(node)
        fields = {field for unit in here for field in ground.weft.fields[unit.pk]}
        if lead is not None:
            fields = set(ground.weft.fields[lead.pk])
        text = rng.choice([text for text in texts.demand_texts() if text.field in fields and fits(text)])
        right = [unit for unit in here if text.field in ground.weft.fields[unit.pk] and unit != lead]
        others = [unit for unit in here if unit not in right and unit != lead]
        order = [*([lead] if lead else []), *rng.sample(right, len(right)), *rng.sample(others, min(4, len(others)))]
        officer = rng.choice(ground.desk(community))
        supervisors = [ground.posts.county["county_department"], *self._street_officers(community)]
        people = People(
            officer=officer,
            street_officer=rng.choice(self._street_officers(community)),
            county=ground.posts.county["county_department"],
            elsewhere=ground.communities[1 if community == ground.communities[0] else 0],
            supervisor=rng.choice(supervisors),
            lead=order[0],
            second=order[1],
            supporting=tuple(order[2:4]),
            liaisons=ground.liaisons,
            members=ground.weft.members,
        )
        origin = rng.choices(list(_ORIGINS), list(_ORIGINS.values()))[0]
        return Case(node, text, origin, self._awake(registered_at, origin, rng), people, officer)

    @staticmethod
    def with_origin(case: Case, origin: str) -> Case:
        return replace(case, origin=origin)

    def category(self, text: DemandText) -> Category:
        return self.ground.categories[texts.TOPICS[text.topic]]

    def _street_officers(self, community: GridNode) -> list[User]:
        return self.ground.posts.holders("street_officer", community.parent_id or 0)

    def _place(self, rng: Random) -> GridNode:
        ground = self.ground
        community = rng.choices(ground.communities, self._weights)[0]
        levels = [level for level in _LEVELS if ground.places[community.pk, level]]
        level = rng.choices(levels, [_LEVELS[level] for level in levels])[0]
        node = rng.choice(ground.places[community.pk, level])
        # Where no unit has reported nothing can be dispatched; two are needed for a return.
        return node if len(ground.units_here(node)) > 1 else community

    def _registered(self, rng: Random) -> datetime.datetime:
        """A day since the quarter before this one began; workdays more than others, lately more than before."""
        first = day_start(Quarter.of(self.ground.moment).previous().first_day)
        span = (self.ground.moment - first).days
        day = first + datetime.timedelta(days=min(int(span * rng.random() ** 0.9), span - 1))
        if not self.ground.clock.calendar.is_working_day(day.date()) and rng.random() < 0.6:
            day -= datetime.timedelta(days=min(2, (day - first).days))
        return day

    def _awake(self, day: datetime.datetime, origin: str, rng: Random) -> datetime.datetime:
        """A time of day at which people of this origin raise demands, when only the day is given."""
        if (day.hour, day.minute) != (0, 0):
            return day
        if origin in (Origin.RESIDENT, Origin.KEEPER):
            hour = rng.triangular(7, 22, 18) if rng.random() < 0.5 else rng.triangular(7, 20, 9.5)
            return (day + datetime.timedelta(hours=hour)).replace(microsecond=0)
        at = self.ground.clock.calendar.add_hours(day, rng.uniform(0.1, 6.8))
        # A day off: the office is closed, so it came on the last day before.
        return (at if at < self.ground.moment else self.ground.clock.calendar.subtract_hours(day, 3)).replace(
            microsecond=0
        )

    def _begin(self, case: Case, rng: Random) -> Story:
        """The demand as `services.actions.raise_demand` leaves it."""
        ground, limits = self.ground, self.ground.clock.limits
        category = self.category(case.text)
        place = ground.words(case.node)
        actor: Actor = RESIDENT
        if case.origin != Origin.RESIDENT:
            actor = ground.keeper(case.node) if case.origin == Origin.KEEPER else case.officer
        demand = Demand(
            county=ground.county,
            node=case.node,
            community=ground.by_key[case.node.community_id],
            code=self._code(case.registered_at.date()),
            follow_code=str(10**11 + self._dice.randrange(9 * 10**11)),
            category=category,
            urgency=category.urgency,
            origin=case.origin,
            title=case.text.title.format(place=place),
            text=_OPENINGS.get(Origin(case.origin), "") + case.text.text.format(place=place),
            raised_by=actor if isinstance(actor, User) else None,
            registered_at=case.registered_at,
            step_due_at=ground.clock.workdays(case.registered_at, limits.accept_workdays),
        )
        if case.origin == Origin.IMPORT:
            self._from_table(demand, place, rng)
        elif case.origin == Origin.PHONE or rng.random() < 0.7:
            demand.contact_phone = names.resident_phone(rng.randrange(10_000))
            demand.contact_name = names.person(rng.randrange(10_000)) if rng.random() < 0.8 else ""
        return Story(ground.clock, demand, actor)

    def _from_table(self, demand: Demand, place: str, rng: Random) -> None:
        demand.external_number = f"S{rng.randrange(10**6):06d}"
        demand.external_date = demand.registered_at.date()
        demand.external_channel = rng.choice(texts.CHANNELS)
        demand.external_nature = rng.choice(texts.NATURES)
        demand.place_text = place

    def _code(self, day: datetime.date) -> str:
        while True:
            code = f"{day:%Y%m%d}-{self._dice.randrange(10**6):06d}"
            if code not in self._codes:
                self._codes.add(code)
                return code

    def _tell_again(self, case: Case, first: Story, rng: Random) -> None:
        """A neighbour raises the same matter; the community links the two, and each keeps a code."""
        at = case.registered_at + datetime.timedelta(hours=rng.uniform(0.5, 30))
        linked = self.ground.clock.calendar.add_hours(at, rng.uniform(0.3, 4)).replace(microsecond=0)
        if linked >= self.ground.moment:
            return
        told = self._begin(replace(case, origin=Origin.RESIDENT, registered_at=at.replace(microsecond=0)), rng)
        told.demand.text = rng.choice(texts.AGAIN)
        told.move(told.demand, "link", linked, case.officer, matter=first.demand)
        self.stories.append(told)

    # --- Writing ---

    def write(self) -> None:
        """Writes everything told, a few statements per table."""
        self.stories.sort(key=lambda story: story.demand.registered_at)
        demands = [story.demand for story in self.stories]
        linked = {demand.code: demand.linked_to for demand in demands if demand.linked_to is not None}
        for demand in demands:
            demand.linked_to = None
        Demand.objects.bulk_create(demands, batch_size=BATCH)
        for demand in demands:
            demand.linked_to = linked.get(demand.code)
        Demand.objects.bulk_update([row for row in demands if row.linked_to is not None], ["linked_to"])
        _write(row for story in self.stories for row in story.whistles)
        _write(row for story in self.stories for row in story.suborders)
        _write(row for story in self.stories for row in story.assignments)
        events = [event for story in self.stories for event in story.events]
        DemandEvent.objects.bulk_create(sorted(events, key=lambda event: event.at), batch_size=BATCH)
        for kind in ("evaluations", "follow_ups", "supervisions", "extensions", "parkings"):
            _write(row for story in self.stories for row in getattr(story, kind))
        audit.record_many(
            actor=SYSTEM,
            action="demand.sample",
            deeds=(Deed(row, {"state": (None, row.state), "node": (None, row.node_id)}, row.code) for row in demands),
            new=True,
        )


def _write(rows: Iterable[Any]) -> None:
    found = list(rows)
    if found:
        type(found[0])._default_manager.bulk_create(found, batch_size=BATCH)
