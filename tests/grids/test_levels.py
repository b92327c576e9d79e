"""A county chooses its levels, and changes them while that breaks nothing that stands."""

import pytest
from django.test import Client

from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry
from grids.actions import (
    LevelDraft,
    add_level,
    appoint,
    arrange_levels,
    create_county,
    create_node,
    edit_level,
    load_preset,
    move_level,
    remove_level,
    retire_node,
)
from grids.levels import MOST_LEVELS, OWN_KEYS, PRESETS, by_words, key_of
from grids.models import County, Level
from grids.soundness import faults
from tests import factories as make
from tests.cast import Cast
from tests.governance.test_admin_matrix import signed_in, url

pytestmark = pytest.mark.django_db


def keys(county: County) -> list[str]:
    return [level.key for level in county.levels.all()]


def level(county: County, key: str) -> Level:
    return county.levels.get(key=key)


@pytest.fixture
def county() -> County:
    return create_county(actor=SYSTEM, code="610724", name="西乡县", preset="standard")


# --- Changing them --------------------------------------------------------------------------------------------------


def test_a_level_of_ones_own_is_added_with_its_title_and_its_head_can_be_appointed(county: County) -> None:
    add_level(actor=SYSTEM, county=county, level=LevelDraft("", "微网格", holder_title="微网格长"), after="grid")
    assert keys(county) == ["street", "community", "grid", "own_1", "building", "unit_entrance", "floor"]
    own = level(county, "own_1")
    assert (own.name, own.holder_post, own.holder_words) == ("微网格", "place_head", "微网格长")
    community = create_node(
        actor=SYSTEM,
        level="community",
        name="东社区",
        parent=create_node(actor=SYSTEM, county=county, level="street", name="城北街道"),
    )
    grid = create_node(actor=SYSTEM, parent=community, level="grid", name="第一网格")
    piece = create_node(actor=SYSTEM, parent=grid, level="own_1", name="甲片")
    lone = create_node(actor=SYSTEM, parent=community, level="own_1", name="乙片")
    create_node(actor=SYSTEM, parent=piece, level="building", name="1 号楼")
    assert (piece.code, lone.code) == (f"{grid.code}001", f"{community.code}Z001")
    person = make.make_user("微网格长", county=county)
    assert appoint(actor=SYSTEM, user=person, post="place_head", place=piece).node == piece
    assert list(faults()) == []
    entry = AuditEntry.objects.filter(action="county.levels").latest("pk")
    assert "微网格（微网格长）" in entry.changes["levels"][1]
    assert "微网格（微网格长）" not in entry.changes["levels"][0]


def test_a_known_level_comes_with_its_post_and_is_renamed_freely(county: County) -> None:
    add_level(actor=SYSTEM, county=county, level=LevelDraft("sector", "党建片区"), after="community")
    sector = level(county, "sector")
    assert (sector.holder_post, sector.holder_words) == ("sector_lead", "片区长")
    edit_level(
        actor=SYSTEM, level=sector, draft=LevelDraft("", "红色片区", "grid_keeper", "片长"), version=sector.version
    )
    sector = level(county, "sector")
    assert (sector.name, sector.holder_post, sector.holder_words, sector.version) == (
        "红色片区",
        "grid_keeper",
        "片长",
        2,
    )
    with pytest.raises(Stale):
        edit_level(actor=SYSTEM, level=sector, draft=LevelDraft("", "旧页面"), version=1)
    assert level(county, "sector").name == "红色片区"


def test_levels_change_places_while_no_child_comes_to_stand_above_its_parent(cast: Cast) -> None:
    county = cast.county
    move_level(actor=cast.admin, level=level(county, "sector"), after="compound", version=1)
    assert keys(county)[:5] == ["street", "community", "compound", "sector", "grid"]
    with pytest.raises(Conflict) as refused:
        move_level(actor=cast.admin, level=level(county, "building"), after="community")
    assert refused.value.code == "levels_in_use"
    assert "城北街道 · 白龙塘社区 · 和谐小区 · 第一网格 · 1 号楼" in refused.value.message
    assert keys(county)[4:6] == ["grid", "building"]
    assert list(faults()) == []


def test_a_level_goes_when_no_node_stands_at_it_and_not_before(cast: Cast) -> None:
    county = cast.county
    remove_level(actor=cast.admin, level=level(county, "sector"))
    with pytest.raises(Conflict) as refused:
        remove_level(actor=cast.admin, level=level(county, "floor"))
    assert refused.value.message.splitlines()[1:] == [
        "城北街道 · 白龙塘社区 · 和谐小区 · 第一网格 · 1 号楼 · 1 单元 · 1 层",
        "城北街道 · 城北社区 · 和谐小区 · 第一网格 · 1 号楼 · 1 单元 · 1 层",
    ]
    assert "sector" not in keys(county)
    assert "floor" in keys(county)


def test_retired_nodes_are_in_the_way_too_and_a_long_list_ends_with_how_many_more(county: County) -> None:
    street = create_node(actor=SYSTEM, county=county, level="street", name="城北街道")
    community = create_node(actor=SYSTEM, parent=street, level="community", name="东社区")
    grids = [create_node(actor=SYSTEM, parent=community, level="grid", name=f"第{n}网格") for n in range(23)]
    retire_node(actor=SYSTEM, node=grids[0], reason="合并")
    with pytest.raises(Conflict) as refused:
        remove_level(actor=SYSTEM, level=level(county, "grid"))
    lines = refused.value.message.splitlines()
    assert len(lines) == 22
    assert lines[1] == "城北街道 · 东社区 · 第0网格（已撤销）"
    assert lines[-1] == "……还有 3 个。"


def test_a_preset_takes_the_place_of_another_where_every_node_keeps_its_level(county: County) -> None:
    street = create_node(actor=SYSTEM, county=county, level="street", name="城北街道")
    community = create_node(actor=SYSTEM, parent=street, level="community", name="东社区")
    load_preset(actor=SYSTEM, county=county, preset="zhenan")
    assert keys(county) == [spec.key for spec in PRESETS["zhenan"].levels]
    create_node(actor=SYSTEM, parent=community, level="sector", name="一片")
    with pytest.raises(Conflict, match="城北街道 · 东社区 · 一片"):
        load_preset(actor=SYSTEM, county=county, preset="standard")
    assert "sector" in keys(county)
    load_preset(actor=SYSTEM, county=county, preset="zhenan")


@pytest.mark.parametrize(
    ("drafts", "words"),
    [
        ([LevelDraft("community", "社区"), LevelDraft("street", "街道")], "第一级是街道"),
        ([LevelDraft("street", "街道"), LevelDraft("grid", "网格")], "第一级是街道"),
        ([LevelDraft("street", "街道"), LevelDraft("community", "社区"), LevelDraft("community", "村")], "已经有了"),
        ([LevelDraft("street", "街道"), LevelDraft("community", "街 道")], "已有叫"),
        ([LevelDraft("street", "街道"), LevelDraft("community", "社区"), LevelDraft("", " ")], "层级名称"),
        ([LevelDraft("street", "街道"), LevelDraft("community", "社区"), LevelDraft("own_77", "甲")], "最多"),
        ([LevelDraft("street", "街·道"), LevelDraft("community", "社区")], "不能用"),
        ([LevelDraft("street", "街道", "county_admin"), LevelDraft("community", "社区")], "可以设的岗位"),
        (
            [
                *(LevelDraft(key, key) for key in ("street", "community", "grid", "floor")),
                *(LevelDraft("", f"自定{n}") for n in range(9)),
            ],
            f"最多 {MOST_LEVELS} 个",
        ),
        (
            [LevelDraft(key, key) for key in ("street", "community")] + [LevelDraft("", f"自{n}") for n in range(10)],
            "9",
        ),
    ],
)
def test_a_list_that_will_not_do_changes_nothing(county: County, drafts: list[LevelDraft], words: str) -> None:
    before = list(county.levels.values_list("key", "name", "order", "version"))
    with pytest.raises(Invalid, match=words):
        arrange_levels(actor=SYSTEM, county=county, levels=drafts)
    assert list(county.levels.values_list("key", "name", "order", "version")) == before


def test_only_who_manages_the_county_changes_its_levels(cast: Cast) -> None:
    sector = level(cast.county, "sector")
    for person, error in (
        (cast.department, Forbidden),
        (cast.street_secretary, Forbidden),
        (cast.other_county_admin, NotFound),
    ):
        with pytest.raises(error):
            remove_level(actor=person, level=sector)
    assert "sector" in keys(cast.county)


def test_words_for_levels_are_found_by_the_countys_name_and_by_common_ones(county: County) -> None:
    named = by_words(county.levels.all())
    assert named["镇"].key == named["街道(镇)"].key == "street"
    assert (named["村"].key, named["幢号"].key) == ("community", "building")
    assert (key_of("楼栋"), key_of("微网格")) == ("building", "")
    assert set(OWN_KEYS).isdisjoint(level.key for level in county.levels.all())


# --- The page -------------------------------------------------------------------------------------------------------


def page(client: Client, name: str, /, *args: object, **data: object) -> str:
    address = url(Level, name, *args)
    return client.post(address, data, follow=True).content.decode() if data else client.get(address).content.decode()


def test_the_administrator_adds_renames_moves_and_removes_levels_on_the_page(cast: Cast) -> None:
    client = signed_in(cast.admin)
    assert "层级已新增" in page(client, "add", name="微网格", key="", after="grid", holder_title="微网格长", version="")
    own = level(cast.county, "own_1")
    shown = page(client, "changelist")
    assert shown.index("网格") < shown.index("微网格长") < shown.index("分楼层")
    assert 'value="grid" selected' in page(client, "deed", own.pk, "move")
    assert "顺序已调整" in page(client, "deed", own.pk, "move", after="building", version=1)
    old = client.post(url(Level, "deed", own.pk, "edit"), {"name": "旧", "holder_post": "place_head", "version": 1})
    assert old.status_code == 409
    assert "已保存" in page(
        client, "deed", own.pk, "edit", name="小组", holder_post="place_head", holder_title="组长", version=2
    )
    assert level(cast.county, "own_1").holder_words == "组长"
    assert "层级已去掉" in page(client, "deed", own.pk, "remove", version=3)
    assert "own_1" not in keys(cast.county)


def test_the_page_names_what_is_in_the_way_and_offers_nothing_that_never_goes(cast: Cast) -> None:
    client = signed_in(cast.admin)
    refused = page(client, "deed", level(cast.county, "floor").pk, "remove", version=1)
    assert "还有网格，不能去掉：<br>城北街道 · 白龙塘社区" in refused
    refused = page(client, "preset", preset="chengwu")
    assert "还有网格，不能去掉" in refused
    street = level(cast.county, "street")
    assert client.get(url(Level, "deed", street.pk, "remove")).status_code == 409
    assert client.get(url(Level, "deed", street.pk, "move")).status_code == 409
    assert len(keys(cast.county)) == 9


def test_a_county_without_nodes_chooses_a_preset_on_the_page(county: County) -> None:
    admin = make.make_cadre("新管理员", "county_admin", county)
    client = signed_in(admin)
    assert "西乡七级：街道（镇） → 社区（村） → 小区" in page(client, "preset")
    assert "层级已换成所选的一套" in page(client, "preset", preset="xixiang")
    assert keys(county) == [spec.key for spec in PRESETS["xixiang"].levels]
    assert "请" in page(client, "preset", preset="other")


def test_who_does_not_manage_the_county_is_not_let_in(cast: Cast) -> None:
    for person in (cast.department, cast.street_officer, cast.a.secretary, cast.auditor):
        client = signed_in(person)
        for name in ("changelist", "add", "preset"):
            assert client.get(url(Level, name)).status_code in (403, 404), (person, name)
        answer = client.post(url(Level, "preset"), {"preset": "standard"})
        assert answer.status_code in (403, 404)
