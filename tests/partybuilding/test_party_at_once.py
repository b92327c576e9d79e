"""Two people at the tree of organisations, at a joint body, at a station at the same time: one wins, nothing is broken."""

import datetime

import pytest
from django.utils import timezone

from core.errors import Conflict, DomainError, Invalid
from partybuilding.actions import (
    add_seat,
    create_alliance,
    create_organisation,
    create_station,
    move_organisation,
    register_floating,
    retire_organisation,
    update_station,
)
from partybuilding.models import AllianceSeat, FloatingMember, Member, PartyOrganisation, Station
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together
from tests.partybuilding.test_organisations import sound

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_two_moves_that_would_close_a_circle_one_is_refused(transactional_cast: Cast) -> None:
    cast = transactional_cast
    made = [
        create_organisation(actor=cast.admin, county=cast.county, name=f"{name}党委", kind="committee")
        for name in "甲乙"
    ]
    people = [fresh(cast.admin), fresh(cast.admin)]
    errors = together(
        lambda: move_organisation(actor=people[0], organisation=made[0], parent=made[1]),
        lambda: move_organisation(actor=people[1], organisation=made[1], parent=made[0]),
    )
    assert [type(error) for error in errors] == [Invalid]
    sound(cast.county)


def test_an_organisation_closed_while_another_hangs_itself_below(transactional_cast: Cast) -> None:
    cast = transactional_cast
    top = create_organisation(actor=cast.admin, county=cast.county, name="甲党委", kind="committee")
    branch = create_organisation(actor=cast.admin, county=cast.county, name="乙支部")
    people = [fresh(cast.admin), fresh(cast.admin)]
    errors = together(
        lambda: retire_organisation(actor=people[0], organisation=top),
        lambda: move_organisation(actor=people[1], organisation=branch, parent=top),
    )
    assert len(errors) == 1
    top.refresh_from_db()
    branch.refresh_from_db()
    assert top.is_active == (branch.parent_id == top.pk)
    sound(cast.county)


def test_of_two_rotating_chairs_of_the_same_days_one_is_seated(transactional_cast: Cast) -> None:
    cast = transactional_cast
    body = create_alliance(actor=cast.a.secretary, node=cast.a.node, kind="alliance")
    end = timezone.localdate() + datetime.timedelta(days=90)
    people = [fresh(cast.a.secretary), fresh(cast.a.officer)]
    errors = together(
        *(
            lambda user=user: add_seat(actor=user, alliance=body, role="rotating_chair", name=user.name, end=end)
            for user in people
        )
    )
    assert [type(error) for error in errors] == [Conflict]
    assert AllianceSeat.objects.count() == 1


def test_one_number_is_registered_once_and_nobody_at_a_station_that_closes(transactional_cast: Cast) -> None:
    cast = transactional_cast
    stations = [
        create_station(actor=cast.admin, node=community.node, name=f"{community.node.name}驿站")
        for community in (cast.a, cast.b)
    ]
    people = [fresh(cast.a.officer), fresh(cast.b.officer)]
    errors = together(
        *(
            lambda user=user, station=station: register_floating(
                actor=user, station=station, name="张流动", phone="13812345678", kept_at="外省某支部"
            )
            for user, station in zip(people, stations, strict=True)
        )
    )
    assert [type(error) for error in errors] == [Conflict]
    assert FloatingMember.objects.count() == 1
    FloatingMember.objects.all().delete()
    errors = together(
        lambda: update_station(actor=fresh(cast.a.secretary), station=stations[0], is_active=False),
        lambda: register_floating(
            actor=fresh(cast.a.officer), station=stations[0], name="李", phone="13812345679", kept_at="外省"
        ),
    )
    assert len(errors) == 1
    assert isinstance(errors[0], DomainError)
    assert Station.objects.get(pk=stations[0].pk).is_active == FloatingMember.objects.exists()


def test_members_of_a_retired_branch_all_go_where_it_was_said(transactional_cast: Cast) -> None:
    cast = transactional_cast
    old, new = (create_organisation(actor=cast.admin, county=cast.county, name=name) for name in ("旧支部", "新支部"))
    Member.objects.filter(unit=cast.a.unit).update(branch=old)
    people = [fresh(cast.admin), fresh(cast.admin)]
    errors = together(
        *(lambda user=user: retire_organisation(actor=user, organisation=old, members_to=new) for user in people)
    )
    assert [type(error) for error in errors] == [Conflict]
    assert not Member.objects.filter(branch=old).exists()
    assert not PartyOrganisation.objects.get(pk=old.pk).is_active
