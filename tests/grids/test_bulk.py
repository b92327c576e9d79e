"""A street built in one pass is the street that `create_node` would have made, node by node."""

from typing import Any

import pytest

from core.actors import SYSTEM
from core.errors import Conflict, Invalid, NotFound
from core.models import AuditEntry
from grids.actions import create_county, create_node
from grids.actions.bulk import Piece, build_street, walk
from grids.models import County, GridNode
from grids.soundness import faults
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def county() -> County:
    return create_county(actor=SYSTEM, code="610724", name="西乡县", preset="xixiang")


def street(code: str = "610724001", name: str = "城北街道") -> Piece:
    entrance = Piece("unit_entrance", "1单元", children=[Piece("floor_section", "1至3层"), Piece("floor", "4层")])
    return Piece(
        "street",
        name,
        code=code,
        children=[
            Piece(
                "community",
                "东关社区",
                code=f"{code}001",
                children=[
                    Piece(
                        "compound",
                        "清泉里",
                        address="示例路1号",
                        children=[
                            Piece("grid", "第1网格", households=320, children=[Piece("building", "1栋")]),
                            Piece("grid", "第2网格", kind="dedicated"),
                        ],
                    ),
                    Piece("grid", "第3网格", children=[Piece("building", "2栋", children=[entrance])]),
                    Piece("building", "3栋"),
                ],
            ),
            Piece("community", "北关社区", children=[Piece("compound", "半山院")]),
        ],
    )


def one_by_one(county: County, piece: Piece, parent: GridNode | None = None) -> None:
    node = create_node(
        actor=SYSTEM,
        level=piece.level,
        name=piece.name,
        code=piece.code,
        kind=piece.kind,
        address=piece.address,
        households=piece.households,
        parent=parent,
        county=None if parent else county,
    )
    for child in piece.children:
        one_by_one(county, child, node)


def rows(tree_id: int) -> list[dict[str, Any]]:
    leave = {"id", "parent_id", "community_id", "public_token", "tree_id", "version", "code", "path"}
    nodes = GridNode.objects.filter(tree_id=tree_id).select_related("parent", "community").order_by("lft")
    return [
        {
            **{
                field.attname: getattr(node, field.attname)
                for field in node._meta.concrete_fields
                if field.attname not in leave
            },
            "parent": node.parent and node.parent.lft,
            "community": node.community and node.community.lft,
            "code": node.code[9:],
            "path": node.path.split(" · ")[1:],
        }
        for node in nodes
    ]


def test_it_is_what_creating_node_by_node_gives(county: County) -> None:
    build_street(actor=SYSTEM, county=county, street=street("610724001", "城北街道"))
    one_by_one(county, street("610724002", "城南街道"))
    built, made = rows(1), rows(2)
    built[0].pop("name"), made[0].pop("name")
    assert len(built) == 14
    assert built == made
    assert list(faults()) == []


def test_nodes_come_back_in_the_order_of_the_description(county: County) -> None:
    described = street()
    described.children[0].token = "abcdefghjk"
    nodes = build_street(actor=SYSTEM, county=county, street=described)
    assert [node.name for node in nodes] == [piece.name for piece in walk(described)]
    assert GridNode.objects.get(name="东关社区").public_token == "abcdefghjk"
    assert AuditEntry.objects.filter(action="node.create").count() == len(nodes)


def test_the_next_street_is_a_tree_of_its_own_and_grows_on(county: County) -> None:
    build_street(actor=SYSTEM, county=county, street=street())
    build_street(actor=SYSTEM, county=county, street=street("610724002", "城南街道"))
    community = GridNode.objects.get(code="610724002001")
    grid = create_node(actor=SYSTEM, level="grid", name="第4网格", parent=community)
    assert grid.code == "610724002001004"
    assert list(faults()) == []


def broken(**change: Any) -> Piece:
    """The street with one thing wrong at its first compound."""
    described = street()
    for name, value in change.items():
        setattr(described.children[0].children[0], name, value)
    return described


def with_community_code(code: str) -> Piece:
    described = street()
    described.children[0].code = code
    return described


@pytest.mark.parametrize(
    ("described", "words"),
    [
        (broken(level="street"), "不能设在"),
        (broken(level="sector"), "本县没有"),
        (broken(level="community"), "不能设在"),
        (Piece("street", "城北街道", "610724001", children=[Piece("grid", "第1网格")]), "某个社区之下"),
        (Piece("community", "东关社区", "610724001001"), "区划代码"),
        (broken(name=""), "名称"),
        (broken(name="清泉 · 里"), "不能用"),
        (broken(name="清" * 61), "60"),
        (broken(kind="large"), "网格类型"),
        (broken(households=-1), "户数"),
        (broken(code="610724001001001"), "系统编排"),
        (with_community_code("610724002001"), "开头"),
        (street("611025001"), "开头"),
        (street(""), "区划代码"),
    ],
)
def test_a_description_that_will_not_do_builds_nothing(county: County, described: Piece, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        build_street(actor=SYSTEM, county=county, street=described)
    assert not GridNode.objects.exists()


def test_two_of_one_name_or_code_are_a_conflict(county: County) -> None:
    described = street()
    described.children[0].children.append(Piece("building", "3栋"))
    with pytest.raises(Conflict, match="两个"):
        build_street(actor=SYSTEM, county=county, street=described)
    build_street(actor=SYSTEM, county=county, street=street())
    with pytest.raises(Conflict, match="“西乡县”之下有两个“城北街道”"):
        build_street(actor=SYSTEM, county=county, street=street("610724002"))
    with pytest.raises(Conflict, match="610724001000"):
        build_street(actor=SYSTEM, county=county, street=street(name="城东街道"))
    assert GridNode.objects.count() == 14


def test_who_does_not_manage_the_county_builds_nothing(county: County) -> None:
    with pytest.raises(NotFound):
        build_street(actor=make_user(county=county), county=county, street=street())
    assert not GridNode.objects.exists()
