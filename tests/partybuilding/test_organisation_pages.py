"""Party organisations at the desk: the list, what is done with one, the tree at a glance."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from grids.models import GridNode
from partybuilding.models import Member, PartyOrganisation
from tests.cast import Cast
from tests.governance.test_admin_matrix import signed_in, url
from tests.partybuilding.test_organisations import Tree, sound
from tests.services.test_api import client_of
from tests.weft_factories import make_alliance, make_floating

pytestmark = pytest.mark.django_db
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


@pytest.fixture
def tree(cast: Cast) -> Tree:
    return Tree(cast)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_tree_is_read_at_a_glance_in_a_fixed_number_of_queries(cast: Cast, tree: Tree) -> None:
    Member.objects.filter(pk=cast.a.member.pk).update(branch=tree.branch)
    client = signed_in(cast.a.officer)
    client.get(url(PartyOrganisation, "tree"))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = text(client.get(url(PartyOrganisation, "tree")))
    assert len(asked) == COUNTS["admin.organisations_tree"]
    assert "城北街道党工委" in page
    assert "党员 1 名" in page
    narrowed = text(client.get(url(PartyOrganisation, "tree"), {"domain": "compound"}))
    assert "和谐小区党支部" in narrowed
    assert "第二党支部" not in narrowed
    assert "这里没有党组织" in text(client.get(url(PartyOrganisation, "tree"), {"domain": "park"}))
    here = {"place": str(cast.a.compound.pk)}
    assert "1 号楼党小组" not in text(client.get(url(PartyOrganisation, "tree"), here))
    beyond = {"place": str(cast.other_county_community.pk)}
    assert "第二党支部" in text(client.get(url(PartyOrganisation, "tree"), beyond)), "a strange place narrows nothing"


def test_a_communitys_page_shows_what_stands_there(cast: Cast, tree: Tree) -> None:
    make_alliance(cast.a.node, cast.a.unit)
    make_floating(cast.a.node)
    page = text(signed_in(cast.a.officer).get(url(GridNode, "change", cast.a.node.pk)))
    assert "这里和下面共 2 个党组织" in page
    assert "白龙塘社区党建联盟" in page
    assert "白龙塘社区流动党员驿站" in page
    elsewhere = text(signed_in(cast.b.officer).get(url(GridNode, "change", cast.b.node.pk)))
    assert "还没有设在这里的党组织" in elsewhere
    assert "党建联盟</h2>" not in elsewhere
    below = text(signed_in(cast.a.officer).get(url(GridNode, "change", cast.a.compound.pk)))
    assert "个党组织" not in below


def test_the_api_says_what_the_tree_says(cast: Cast, tree: Tree) -> None:
    Member.objects.filter(pk=cast.a.member.pk).update(branch=tree.branch)
    client = client_of(cast.a.officer)
    rows = client.get("/api/v1/organisations/").json()["results"]
    assert [(row["name"], row["depth"], row["members"]) for row in rows] == [
        ("城北街道党工委", 0, 0),
        ("白龙塘社区党委", 1, 0),
        ("和谐小区党支部", 2, 1),
        ("1 号楼党小组", 3, 0),
        ("第二党支部", 2, 0),
    ]
    narrowed = client.get("/api/v1/organisations/?domain=compound&kind=branch").json()["results"]
    assert [row["name"] for row in narrowed] == ["和谐小区党支部"]
    detail = client.get(f"/api/v1/organisations/{tree.committee.pk}/").json()
    assert [row["name"] for row in detail["children"]] == ["和谐小区党支部", "第二党支部"]
    figures = client.get("/api/v1/organisations/figures/").json()
    assert (figures["organisations"], figures["members"]) == (5, 1)
    assert {row["domain"]: row["organisations"] for row in figures["domains"]} == {"community": 4, "compound": 1}
    here = client.get(f"/api/v1/organisations/figures/?node={cast.a.compound.code}").json()
    assert (here["organisations"], here["members"]) == (1, 1)
    assert client.get("/api/v1/organisations/?node=x").status_code == 404
    assert client_of(cast.other_county_secretary).get(f"/api/v1/organisations/{tree.top.pk}/").status_code == 404
    unit = client.get(f"/api/v1/units/{cast.a.unit.pk}/").json()
    assert (unit["name"], unit["domain"], unit["organisations"]) == ("县住建局", "department", [])


def test_an_organisation_is_moved_and_retired_on_its_page(cast: Cast, tree: Tree) -> None:
    client = signed_in(cast.admin)
    move = url(PartyOrganisation, "deed", tree.other.pk, "move")
    assert "白龙塘社区党委" in text(client.get(move))
    wrong = client.post(move, {"parent": "和谐小区党支部", "version": 1})
    assert "之下不设党支部" in text(wrong)
    assert client.post(move, {"parent": "城北街道党工委", "version": 1}).status_code == 302
    tree.other.refresh_from_db()
    assert tree.other.parent == tree.top
    assert client.post(move, {"parent": "", "version": 1}).status_code == 409, "the page is old"
    sound(cast.county)
    Member.objects.filter(pk=cast.a.member.pk).update(branch=tree.other)
    close = url(PartyOrganisation, "deed", tree.other.pk, "close")
    assert "1 名党员转到" in text(client.get(close))
    assert "请填写这一项" in text(client.post(close, {"version": 2}))
    assert client.post(close, {"members_to": "和谐小区党支部", "version": 2}).status_code == 302
    assert Member.objects.get(pk=cast.a.member.pk).branch == tree.branch
    listed = text(client.get(url(PartyOrganisation, "changelist"), {"domain": "compound", "kind": "branch"}))
    assert "和谐小区党支部" in listed
    assert "第二党支部" not in listed


def test_an_organisation_is_corrected_with_what_it_had(cast: Cast, tree: Tree) -> None:
    client = signed_in(cast.admin)
    edit = url(PartyOrganisation, "deed", tree.branch.pk, "edit")
    page = text(client.get(edit))
    assert cast.a.compound.path in page
    sent = {
        "name": "和谐小区党支部",
        "kind": "branch",
        "domain": "",
        "node": cast.a.compound.path,
        "unit": "",
        "secretary": cast.a.member.phone,
        "founded_on": "2021-06-30",
        "version": 1,
    }
    assert client.post(edit, sent).status_code == 302
    tree.branch.refresh_from_db()
    assert (tree.branch.secretary, tree.branch.node, tree.branch.domain) == (cast.a.member, cast.a.compound, "compound")
    shown = text(signed_in(cast.a.officer).get(url(PartyOrganisation, "change", tree.branch.pk)))
    assert "党员甲" in shown
    assert "2021年6月30日" in shown
