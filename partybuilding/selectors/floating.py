"""Reads over floating members that more than one face needs: who is present, who has to be contacted."""

import datetime
from typing import Any

from django.db.models import Count, DateField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from grids.querysets import unended
from partybuilding.floating_rules import due_before
from partybuilding.models import FloatingContact, FloatingMember


def with_contact(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With `last_on`: the day of the last contact, or of the registration while there was none."""
    found = FloatingContact.objects.filter(floating=OuterRef("pk")).order_by().values("floating")
    newest = Subquery(found.annotate(day=Max("contacted_on")).values("day"), output_field=DateField())
    return rows.annotate(contacted_on=newest, last_on=Coalesce(newest, "start"))


def to_contact(rows: QuerySet[Any], day: datetime.date | None = None) -> QuerySet[Any]:
    """Of some floating members, those present whom nobody has been in touch with for `CONTACT_DAYS`."""
    day = day or timezone.localdate()
    return with_contact(rows).filter(unended(), last_on__lt=due_before(day))


def station_counts(stations: QuerySet[Any]) -> QuerySet[Any]:
    """Stations with `present`: how many are registered there now, and `waiting`: how many are to be contacted."""
    late = to_contact(FloatingMember.objects.filter(station=OuterRef("pk"))).order_by().values("station")
    return stations.annotate(
        present=Count("members", filter=Q(unended("members__")), distinct=True),
        waiting=Coalesce(Subquery(late.annotate(n=Count("pk")).values("n")), 0),
    )
