"""Loads the sample counties, each in its order: places, people, units, demands, tallies."""

import datetime
import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import connection, models, transaction

from core import audit
from core.actors import SYSTEM
from core.audit import Deed
from core.periods import day_start
from governance.sample.alliances import open_station, seat_alliances
from governance.sample.care import raise_households
from governance.sample.cases import open_cases
from governance.sample.checkins import tell_applications, write_checkins
from governance.sample.compounds import branches_of, plan_compounds, write_compounds
from governance.sample.demands import Demands, Ground
from governance.sample.facts import COUNTIES, ZHENLAI, CountyFacts
from governance.sample.firms import advise_and_rate, tell_passed_on
from governance.sample.matches import busiest, match_lists, offer_resources
from governance.sample.meetings import hold_meetings
from governance.sample.members import report_members, settle_members
from governance.sample.pairings import hire_leaders, pair_places
from governance.sample.partners import buy_services
from governance.sample.people import BATCH, Accounts, SignIn, fill_posts, show_place
from governance.sample.promises import write_promises
from governance.sample.routing import write_rules
from governance.sample.shown import tell_shown
from governance.sample.steering import exclude_some, write_bulletins
from governance.sample.supply import write_lists
from governance.sample.tree import streets_of
from governance.sample.weft import raise_units, report_units, staff_units, write_people
from governance.sample.wishes import write_wishes
from grids.actions import create_county
from grids.actions.bulk import build_street
from grids.models import Appointment, County, GridNode
from services.actions.learning import learn_county
from services.actions.tallies import rebuild_tallies
from services.clocks import clock_for
from services.defaults import make_defaults
from services.models import Category

# The county of docs/domain.md#z9.
HELPED = "611025"


@dataclass(frozen=True)
class Loaded:
    """What was loaded. `token`: of the building whose head can be signed in with; empty without one."""

    sign_ins: list[SignIn]
    token: str
    counts: dict[str, dict[str, int]]


@contextmanager
def _nothing_thrown_away() -> Iterator[None]:
    """Of the hundreds of thousands of rows made here every one is kept: looking for waste among them, again and again,
    takes a quarter of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@_nothing_thrown_away()
@transaction.atomic
def load(day: datetime.date, password: str, counties: Sequence[CountyFacts] = COUNTIES) -> Loaded:
    """Loads sample counties into a database that holds none.

    Args:
        day: the sample's day; everything in it happened before that day began.
        password: of every account that is shown; nobody else can sign in.
        counties: which; the people of the first one are shown, of the others one cadre.
    """
    # Hashed once: a good hash is slow on purpose.
    accounts = Accounts(day, make_password(password))
    token, counts = "", {}
    for number, facts in enumerate(counties):
        shown = number == 0 and facts.preset == "xixiang"
        nodes, told = _load_county(facts, accounts, shown)
        if shown:
            token = show_place(nodes)[1].public_token
        counts[facts.name] = told
    # Tables that were empty a moment ago: without this the planner takes them for empty until it looks by itself.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return Loaded(accounts.sign_ins, token, counts)


def _load_county(facts: CountyFacts, accounts: Accounts, shown: bool) -> tuple[list[GridNode], dict[str, int]]:
    county = _found(facts, accounts.founded)
    nodes = [
        node
        for street in streets_of(facts)
        for node in build_street(actor=SYSTEM, county=county, street=street, valid_from=accounts.founded)
    ]
    posts = fill_posts(accounts, county, facts, nodes, shown)
    weft = raise_units(county, facts, accounts.founded)
    staff_units(accounts, county, facts, weft, shown)
    leaders = hire_leaders(accounts, county, facts, posts, shown)
    users = accounts.write()
    Appointment.objects.bulk_create(posts.rows, batch_size=BATCH)
    compounds = plan_compounds(facts, nodes, weft.units)
    homes = settle_members(facts, nodes, weft, shown)
    write_people(weft, county, nodes, branches_of(compounds))
    compound_rows = write_compounds(county, compounds, accounts.day)
    report_units(facts, nodes, weft, accounts.day)
    write_checkins(weft, posts, facts.code)
    members = [row for rows in weft.members.values() for row in rows]
    _audit(users, posts.rows, weft.units, weft.memberships, members, weft.checkins)
    if shown:
        _audit(tell_applications(nodes, weft, accounts.day))
    reported = report_members(county, facts, homes, weft, posts, accounts.day, shown)
    _audit(*reported.tables)
    paired = pair_places(county, facts, nodes, weft, leaders, accounts.day)
    _audit(paired.pairings, paired.visits, paired.problems)
    ground = Ground(
        county=county,
        facts=facts,
        nodes=nodes,
        posts=posts,
        weft=weft,
        categories={row.name: row for row in Category.objects.filter(county=county)},
        clock=clock_for(county.pk),
        moment=day_start(accounts.day),
    )
    _audit(*seat_alliances(county, nodes, weft, posts, leaders, accounts.day, of_communities=facts.alliances))
    if shown:
        _audit(*open_station(county, show_place(nodes)[0].community, posts, accounts.day))
    demands = Demands(ground)
    demands.tell_all()
    if not facts.exact_demands:
        tell_shown(demands, shown)
        tell_passed_on(demands, compounds)
    demands.write()
    excluded = exclude_some(county, ground.moment) if shown else []
    rebuild_tallies(county)
    write_rules(county)
    learn_county(actor=SYSTEM, county=county)
    if shown:
        _audit(*write_bulletins(county, excluded, ground.moment).tables)
    known = [story.demand for story in demands.stories]
    met = hold_meetings(county, facts, nodes, posts, weft, paired.pairings, known, accounts.day, shown)
    _audit(*(rows for rows in met.tables if rows))
    households = raise_households(county, nodes, posts, accounts.day, show_place(nodes)[0] if shown else None)
    _audit(households)
    if shown or facts.code == HELPED:
        _audit(*open_cases(county, nodes, weft, posts, accounts.day))
    first = next(node for node in nodes if node.level_key == "community") if shown else None
    promised = write_promises(county, facts, nodes, weft, posts, accounts.day, first)
    _audit(*promised.tables)
    if shown:
        _audit(*advise_and_rate(demands, compounds, accounts.day))
    if facts is ZHENLAI or first is not None:
        _audit(*write_wishes(county, nodes, weft, posts, reported.checkins, accounts.day, first).tables)
    listed = write_lists(demands, accounts.day, first)
    _audit(*(table for table in listed.tables if table))
    _audit(*compound_rows)
    if first is not None:
        _audit(offer_resources(first, weft.units, ground.categories, accounts.day))
        _audit(*buy_services(county, first, accounts.day))
    match_lists(first or busiest(county, [node for node in nodes if node.level_key == "community"]), accounts.day)
    return nodes, {
        "nodes": len(nodes),
        "people": len(users),
        "units": len(weft.units),
        "pairings": len(paired.pairings),
        "demands": len(demands.stories),
        "households": len(households),
        "reports": len(reported.checkins),
        "commitments": len(promised.commitments),
        "projects": len(listed.projects),
    }


def _found(facts: CountyFacts, founded: datetime.date) -> County:
    county = create_county(actor=SYSTEM, code=facts.code, name=facts.name, preset=facts.preset)
    county.note, county.created_at = facts.note, day_start(founded)
    county.save(update_fields=["note", "created_at"])
    make_defaults(county)
    return county


def _audit(*tables: Sequence[models.Model]) -> None:
    for rows in tables:
        deeds = (Deed(row) for row in rows)
        audit.record_many(actor=SYSTEM, action=f"{rows[0]._meta.model_name}.sample", deeds=deeds, new=True)
