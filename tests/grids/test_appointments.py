"""Posts given and taken, and what a person may do in consequence."""

import datetime

import pytest
from django.utils import timezone

from core import policies
from core.accounts import deactivate
from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry
from grids.actions import appoint, end_appointment, retire_node
from grids.models import Appointment
from grids.posts import MANAGE_NODE, POSTS, VIEW_NODE
from tests.cast import Cast
from tests.factories import fresh, make_user

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)


def test_a_post_opens_its_place_and_nothing_beside_it(cast: Cast) -> None:
    assert not policies.sees(cast.nobody, cast.a.building)
    appoint(actor=cast.admin, user=cast.nobody, post="grid_keeper", place=cast.a.grid)
    keeper = fresh(cast.nobody)
    assert policies.sees(keeper, cast.a.building)
    assert not policies.sees(keeper, cast.a.compound)
    assert not policies.sees(keeper, cast.b.building)
    assert not policies.can(keeper, MANAGE_NODE, cast.a.building)


def test_rights_are_there_at_once_on_the_object_the_action_was_given(cast: Cast) -> None:
    assert not policies.holds(cast.nobody, VIEW_NODE)
    row = appoint(actor=cast.admin, user=cast.nobody, post="building_head", place=cast.a.building)
    assert policies.holds(row.user, VIEW_NODE)


def test_an_ended_post_gives_nothing_from_the_next_day_on(cast: Cast) -> None:
    row = Appointment.objects.get(user=cast.a.secretary)
    Appointment.objects.filter(pk=row.pk).update(start=TODAY() - 10 * DAY)
    end_appointment(actor=cast.admin, appointment=row, end=TODAY() - DAY, reason="换届")
    assert not policies.sees(fresh(cast.a.secretary), cast.a.node)
    row.refresh_from_db()
    assert row.end == TODAY() - DAY
    trail = AuditEntry.objects.get(chain=f"grids.appointment:{row.pk}")
    assert (trail.action, trail.reason, trail.county_id) == ("appointment.end", "换届", cast.county.pk)


def test_the_last_day_still_counts_and_a_future_one_does_not_yet(cast: Cast) -> None:
    row = Appointment.objects.get(user=cast.a.secretary)
    end_appointment(actor=cast.admin, appointment=row)
    assert policies.sees(fresh(cast.a.secretary), cast.a.node)
    appoint(actor=cast.admin, user=cast.nobody, post="community_secretary", place=cast.a.node, start=TODAY() + DAY)
    assert not policies.sees(fresh(cast.nobody), cast.a.node)


def test_every_post_can_be_held_at_its_own_levels_and_at_no_other(cast: Cast) -> None:
    places = {
        "county": cast.county,
        "street": cast.street,
        "community": cast.a.node,
        "compound": cast.a.compound,
        "grid": cast.a.grid,
        "building": cast.a.building,
        "unit_entrance": cast.a.entrance,
        "floor": cast.a.floor,
    }
    for number, (key, post) in enumerate(POSTS.items()):
        for level, place in places.items():
            user = make_user(f"人{number}", county=cast.county)
            if level in post.levels:
                assert appoint(actor=cast.admin, user=user, post=key, place=place).post == key
            else:
                with pytest.raises(Invalid):
                    appoint(actor=cast.admin, user=user, post=key, place=place)
                assert not Appointment.objects.filter(user=user).exists()


def test_nobody_is_given_the_same_post_twice_while_it_is_open(cast: Cast) -> None:
    count = Appointment.objects.count()
    with pytest.raises(Conflict):
        appoint(actor=cast.admin, user=cast.a.secretary, post="community_secretary", place=cast.a.node)
    with pytest.raises(Conflict):
        appoint(actor=cast.admin, user=cast.department, post="county_department", place=cast.county)
    assert Appointment.objects.count() == count
    # Another person beside, another post, another place: all of these a county really has.
    appoint(actor=cast.admin, user=cast.nobody, post="community_secretary", place=cast.a.node)
    appoint(actor=cast.admin, user=cast.a.secretary, post="community_secretary", place=cast.b.node)
    appoint(actor=cast.admin, user=cast.a.secretary, post="community_officer", place=cast.a.node)


def test_a_post_may_be_held_again_after_it_ended(cast: Cast) -> None:
    row = Appointment.objects.get(user=cast.a.secretary)
    Appointment.objects.filter(pk=row.pk).update(start=TODAY() - 10 * DAY, end=TODAY() - DAY)
    appoint(actor=cast.admin, user=cast.a.secretary, post="community_secretary", place=cast.a.node)
    assert policies.sees(fresh(cast.a.secretary), cast.a.node)


def test_nobody_but_the_street_and_the_county_names_who_runs_a_community(cast: Cast) -> None:
    count = Appointment.objects.count()
    may = (cast.admin, cast.street_secretary, cast.street_officer)
    for actor in cast.people().values():
        if actor in may:
            continue
        for place, post in ((cast.a.node, "community_officer"), (cast.county, "county_admin")):
            with pytest.raises((Forbidden, NotFound)):
                appoint(actor=actor, user=cast.nobody, post=post, place=place)
        with pytest.raises((Forbidden, NotFound)):
            end_appointment(actor=actor, appointment=Appointment.objects.get(user=cast.a.secretary))
    for actor in (cast.street_secretary, cast.street_officer):
        with pytest.raises((Forbidden, NotFound)):
            appoint(actor=actor, user=cast.nobody, post="street_officer", place=cast.street)
    assert Appointment.objects.count() == count
    assert not Appointment.objects.filter(end__isnull=False).exists()


def test_a_community_names_its_keepers_and_nobody_above_or_beside(cast: Cast) -> None:
    for actor in (cast.a.secretary, cast.a.officer, cast.street_officer):
        row = appoint(actor=actor, user=cast.nobody, post="grid_keeper", place=cast.a.grid)
        end_appointment(actor=actor, appointment=row, end=row.start)
        Appointment.objects.filter(pk=row.pk).delete()
    for place, post in (
        (cast.a.node, "community_officer"),
        (cast.street, "street_officer"),
        (cast.b.grid, "grid_keeper"),
        (cast.county, "county_admin"),
    ):
        with pytest.raises((Forbidden, NotFound)):
            appoint(actor=cast.a.secretary, user=cast.nobody, post=post, place=place)


def test_an_administrator_gives_no_post_to_themselves(cast: Cast) -> None:
    with pytest.raises(Forbidden, match="另一位管理员"):
        appoint(actor=cast.admin, user=cast.admin, post="county_department", place=cast.county)
    assert Appointment.objects.filter(user=cast.admin).count() == 1


@pytest.mark.parametrize(("first", "second"), [("auditor", "county_admin"), ("admin", "county_auditor")])
def test_auditor_and_administrator_are_never_one_person(cast: Cast, first: str, second: str) -> None:
    with pytest.raises(Conflict, match="不能由同一人担任"):
        appoint(actor=SYSTEM, user=getattr(cast, first), post=second, place=cast.county)


def test_stopped_accounts_and_those_of_another_county_get_no_post(cast: Cast) -> None:
    deactivate(actor=cast.admin, user=cast.nobody, reason="调离")
    for user in (cast.nobody, cast.other_county_secretary, make_user("无县")):
        with pytest.raises(Invalid):
            appoint(actor=cast.admin, user=user, post="community_officer", place=cast.a.node)
        with pytest.raises(Invalid):
            appoint(actor=SYSTEM, user=user, post="community_officer", place=cast.a.node)


def test_a_retired_place_has_no_posts_to_give(cast: Cast) -> None:
    stale = cast.a.other_building
    retire_node(actor=cast.admin, node=cast.a.other_building, reason="已拆除")
    with pytest.raises(Invalid, match="已撤销"):
        appoint(actor=cast.admin, user=cast.nobody, post="building_head", place=stale)


def test_a_county_keeps_an_administrator(cast: Cast) -> None:
    row = Appointment.objects.get(user=cast.admin)
    with pytest.raises(Conflict, match="唯一的管理员"):
        end_appointment(actor=cast.admin, appointment=row)
    second = make_user("第二管理员", county=cast.county)
    appoint(actor=cast.admin, user=second, post="county_admin", place=cast.county)
    end_appointment(actor=cast.admin, appointment=row)
    assert Appointment.objects.current(TODAY() + DAY).filter(post="county_admin", county=cast.county).count() == 1


def test_a_post_ends_once_and_not_before_it_began(cast: Cast) -> None:
    row = Appointment.objects.get(user=cast.a.keeper)
    with pytest.raises(Invalid):
        end_appointment(actor=cast.admin, appointment=row, end=TODAY() - DAY)
    end_appointment(actor=cast.admin, appointment=row)
    with pytest.raises(Conflict):
        end_appointment(actor=cast.admin, appointment=row)
    assert AuditEntry.objects.filter(chain=f"grids.appointment:{row.pk}").count() == 1


def test_the_trail_of_an_appointment_names_no_person(cast: Cast) -> None:
    row = appoint(actor=cast.admin, user=cast.nobody, post="grid_keeper", place=cast.a.grid)
    entry = AuditEntry.objects.get(chain=f"grids.appointment:{row.pk}")
    assert entry.label == f"{cast.a.grid.path} 网格员"
    assert cast.nobody.name not in str(entry.changes)
    assert entry.changes["user_id"] == [None, cast.nobody.pk]
