"""The cast every other test stands on: sound trees, and everybody holding what their name says."""

from core import policies
from grids.models import GridNode
from tests.cast import Cast
from tests.factories import grow, make_county, make_demand, make_node, spec


def test_everybody_sees_their_own_place_and_nobody_the_neighbours(cast: Cast) -> None:
    for name in ("secretary", "officer", "team_lead", "keeper", "building_head"):
        ours, theirs = getattr(cast.a, name), getattr(cast.b, name)
        assert policies.sees(ours, cast.a.building), name
        assert not policies.sees(theirs, cast.a.building), name


def test_a_demand_is_seen_by_the_place_and_not_by_strangers(cast: Cast) -> None:
    demand = make_demand(cast.a.building)
    assert demand.community == cast.a.node
    people = cast.people()
    assert {name for name, user in people.items() if policies.sees(user, demand)} == {
        "a.secretary",
        "a.officer",
        "a.team_lead",
        "a.keeper",
        "a.building_head",
        "street_secretary",
        "street_officer",
        "department",
    }


def test_people_names_everybody_once(cast: Cast) -> None:
    people = cast.people()
    assert len({user.pk for user in people.values()}) == len(people)
    assert {"department", "a.member", "b.liaison", "nobody", "superuser", "other_county_secretary"} <= set(people)


def test_grown_and_added_nodes_stand_where_they_should(db: None) -> None:
    county = make_county()
    street, community, building = grow(
        county, spec("street", "城北街道", spec("community", "新民社区", spec("building", "1 号楼")))
    )
    added = make_node(building, "floor", "1 层")
    for node in (street, community, building, added):
        node.refresh_from_db()
    assert (street.lft, street.rght, street.depth) == (1, 8, 0)
    assert (building.lft, building.rght, added.lft, added.rght) == (3, 6, 4, 5)
    assert [community.community_id, building.community_id, added.community_id] == [community.pk] * 3
    assert added.path == "城北街道 · 新民社区 · 1 号楼 · 1 层"
    assert list(GridNode.objects.inside(building)) == [building, added]
