"""The accounts of the sample: who holds which post where, and the few that can be signed in with."""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from core.models import User
from core.periods import day_start
from governance.sample import names
from governance.sample.facts import CountyFacts
from governance.sample.tree import even
from grids.models import Appointment, County, GridNode

BATCH = 1000
# How long before the sample's day everything was set up.
FOUNDED_DAYS = 420
# The first numbers belong to the accounts that can be signed in with.
_FIRST_NUMBER = 101


@dataclass(frozen=True)
class SignIn:
    """An account shown to whoever tries the sample out. `door`: the page it opens."""

    role: str
    user: User
    door: str


class Accounts:
    """Hires invented people one after another and writes them all at once.

    Args:
        day: the sample's day. password: the hash every shown sign-in has; all others can not sign in at all.
    """

    def __init__(self, day: datetime.date, password: str) -> None:
        self.day, self.password = day, password
        self.sign_ins: list[SignIn] = []
        self._number = _FIRST_NUMBER
        self._new: list[User] = []
        self._rng = Random("accounts")  # noqa: S311
        self.founded = day - datetime.timedelta(days=FOUNDED_DAYS)

    def hire(self, county: County) -> User:
        """A person who can not sign in."""
        number, self._number = self._number, self._number + 1
        # What Django writes for an unusable password, from our own dice: the same every time.
        return self._add(county, names.person(number), names.phone(number), f"!{self._rng.getrandbits(160):040x}")

    def show(self, county: County, *, role: str, door: str) -> User:
        """A person whose sign-in is printed."""
        number = len(self.sign_ins) + 1
        user = self._add(county, names.SURNAMES[number] + names.SIGN_IN_GIVEN, names.phone(number), self.password)
        user.password_changed_at = day_start(self.day)
        self.sign_ins.append(SignIn(role, user, door))
        return user

    def _add(self, county: County, name: str, phone: str, password: str) -> User:
        made = day_start(self.founded)
        user = User(name=name, phone=phone, password=password, county_key=county.pk, created_at=made)
        self._new.append(user)
        return user

    def write(self) -> list[User]:
        """Writes the people hired since the last time, and answers them."""
        users, self._new = self._new, []
        User.objects.bulk_create(users, batch_size=BATCH)
        return users


@dataclass
class Posts:
    """Who answers for what in a county.

    Attributes:
        county: post at the county -> person.
        at: (post, node key) -> those who hold it there, in the order of their appointment.
    """

    county: dict[str, User] = field(default_factory=dict)
    at: dict[tuple[str, int], list[User]] = field(default_factory=lambda: defaultdict(list))
    rows: list[Appointment] = field(default_factory=list)

    def holders(self, post: str, node_id: int) -> list[User]:
        return self.at.get((post, node_id), [])


# Held at the county itself, with the page each opens.
_COUNTY_POSTS = {
    "county_department": ("县委组织部", "/dashboard/"),
    "county_admin": ("县级管理员", "/admin/"),
    "county_auditor": ("县级审计员", "/admin/"),
}
_STREET_OFFICERS = 2


def fill_posts(accounts: Accounts, county: County, facts: CountyFacts, nodes: list[GridNode], shown: bool) -> Posts:
    """Puts an invented person into every post. `shown`: whether this is the county whose people sign in.

    The rows are unsaved, in `Posts.rows`: their people are written first.
    """
    posts = Posts()
    rng = Random(f"{facts.code} posts")  # noqa: S311

    def appoint(user: User, post: str, node: GridNode | None) -> None:
        start = accounts.day - datetime.timedelta(days=rng.randint(200, FOUNDED_DAYS - 10))
        posts.rows.append(Appointment(user=user, post=post, node=node, county=None if node else county, start=start))
        if node:
            posts.at[post, node.pk].append(user)
        else:
            posts.county[post] = user

    for post, (role, door) in _COUNTY_POSTS.items():
        appoint(accounts.show(county, role=role, door=door) if shown else accounts.hire(county), post, None)
    known = _shown_posts(nodes, shown, facts)
    for node, post in _vacancies(nodes, facts):
        face = known.get((post, node.pk)) if not posts.holders(post, node.pk) else None
        user = accounts.show(county, role=face[0], door=face[1]) if face else accounts.hire(county)
        appoint(user, post, node)
    return posts


def _vacancies(nodes: list[GridNode], facts: CountyFacts) -> Iterable[tuple[GridNode, str]]:
    """Every post to fill, place by place; the heads of a level come to the county's published number."""
    communities = [node for node in nodes if node.level_key == "community"]
    teams = dict(
        zip(
            (node.pk for node in communities),
            zip(
                even(facts.heads["community_officer"], len(communities)),
                even(facts.heads["community_team_lead"], len(communities)),
                strict=True,
            ),
            strict=True,
        )
    )
    for node in nodes:
        yield node, node.level_type.holder_post
        if node.level_key == "street":
            yield from ((node, "street_officer") for _number in range(_STREET_OFFICERS))
        if node.level_key == "community":
            officers, leads = teams[node.pk]
            yield from ((node, "community_officer") for _number in range(officers))
            yield from ((node, "community_team_lead") for _number in range(leads))


def show_place(nodes: list[GridNode]) -> tuple[GridNode, GridNode]:
    """The grid and, in it, the building whose heads can be signed in with: in the first community, with neighbours."""
    grids = {node.pk: node for node in nodes if node.level_key == "grid"}
    buildings: dict[int, list[GridNode]] = defaultdict(list)
    for node in nodes:
        if node.level_key == "building" and node.parent_id in grids:
            buildings[node.parent_id].append(node)
    grid_id = next(pk for pk in grids if len(buildings[pk]) > 2)
    return grids[grid_id], buildings[grid_id][1]


def _shown_posts(nodes: list[GridNode], shown: bool, facts: CountyFacts) -> dict[tuple[str, int], tuple[str, str]]:
    """(post, node key) -> role in words and the page it opens, for the posts shown."""
    street = next(node for node in nodes if node.level_key == "street")
    first, second = [node for node in nodes if node.level_key == "community"][:2]
    if not shown:
        return {("community_secretary", first.pk): (f"{facts.name} · {first.name}党组织书记", "/admin/")}
    grid, building = show_place(nodes)
    return {
        ("street_officer", street.pk): (f"{street.name}干部", "/admin/"),
        ("community_secretary", first.pk): (f"{first.name}党组织书记", "/admin/"),
        ("community_officer", first.pk): (f"{first.name}“两委”干部", "/admin/"),
        ("community_secretary", second.pk): (f"{second.name}党组织书记（相邻社区）", "/admin/"),
        ("grid_keeper", grid.pk): (f"网格员（{first.name}{grid.name}）", "/m/"),
        ("building_head", building.pk): (f"楼栋长（{building.path.split(' · ', 1)[1]}）", "/m/"),
    }
