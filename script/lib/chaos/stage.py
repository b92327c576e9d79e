"""The county the run plays in, and the hand that lets time pass for some of its orders."""

import queue
from contextlib import suppress

from clients import People
from django.core.management import call_command
from django.db import Error, close_old_connections, connection
from django.utils import timezone
from rest_framework.authtoken.models import Token

from grids.models import County
from services.models import Demand, SubOrder
from tests import factories as make
from tests.factories import spec

UNITS = 6


def build() -> tuple[People, County]:
    """A community with units that have reported to it, and somebody to act for each."""
    call_command("migrate", verbosity=0)
    county = make.make_county()
    make.make_settings(county)
    category = next(iter(make.make_categories(county).values()))
    nodes = make.grow(county, spec("street", "永乐街道", spec("community", "新城社区", spec("compound", "一号小区"))))
    community, compound = nodes[1], nodes[2]
    liaisons = {}
    for number in range(UNITS):
        unit = make.make_unit(county, f"第{number + 1}单位")
        make.check_in(unit, community)
        liaisons[unit.pk] = Token.objects.create(user=make.make_unit_person(f"联络员{number + 1}", unit)).key
    officer = Token.objects.create(user=make.make_cadre("社区干部", "community_officer", community)).key
    return People(officer, liaisons, compound.code, category.name), county


def make_late(waiting: "queue.Queue[str]") -> None:
    """Lets the limit of each order named in the queue pass, as a week would. Tried again while the database is away."""
    with suppress(queue.Empty):
        while True:
            code = waiting.get_nowait()
            try:
                close_old_connections()
                now = timezone.now()
                orders = SubOrder.objects.running().filter(demand__code=code, role="lead")
                orders.update(due_at=now, warn_at=now, remind_at=now)
                Demand.objects.filter(code=code).update(due_at=now, warn_at=now)
            except Error:
                connection.close()
                waiting.put(code)
                return
