"""The card of a grid: what stands on it, the supervision telephone, the print run, and the page behind the code."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.accounts import deactivate
from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry, User
from grids.actions import appoint, end_appointment, retire_node, set_supervision_phone
from grids.actions.supervision import clean_office_phone
from grids.cards import NAMED, card_of, cards_of
from grids.models import Appointment, County, GridNode
from services.views import door_cards
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
PHONE = "0916-6212345"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user))
    return client


def text(client: Client, address: str, **query: Any) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200
    return answer.content.decode()


# --- What stands on a card ------------------------------------------------------------------------------------------


def test_a_card_names_the_keeper_of_the_grid_wherever_it_hangs(cast: Cast, django_assert_num_queries: Any) -> None:
    for node in (cast.a.grid, cast.a.building, cast.a.floor):
        card = card_of(node)
        assert card is not None
        assert (card.kept, card.title, card.keepers) == (cast.a.grid, "网格员", ("网格员甲",))
    with django_assert_num_queries(3):
        cards = cards_of([cast.a.building, cast.a.other_building, cast.a.grid])
    assert [card.covers for card in cards] == [("1 号楼", "2 号楼")] * 3
    assert card_of(cast.street) is None


def test_where_there_is_no_grid_the_next_place_up_answers(cast: Cast) -> None:
    compound = card_of(cast.a.compound)
    assert compound
    assert (compound.title, compound.keepers) == ("小区党组织负责人", ())
    alone = make.make_node(cast.empty_community, "building", "独栋")
    card = card_of(alone)
    assert card
    assert (card.kept, card.title) == (cast.empty_community, "社区党组织书记")


def test_only_who_keeps_it_today_is_named(cast: Cast) -> None:
    row = Appointment.objects.get(user=cast.a.keeper)
    appoint(actor=cast.admin, user=cast.nobody, post="grid_branch_secretary", place=cast.a.grid)
    card = card_of(cast.a.grid)
    assert card and card.keepers == ("网格员甲",), "another post at the grid is not the keeper's"
    deactivate(actor=cast.admin, user=cast.a.keeper, reason="离开")
    card = card_of(cast.a.grid)
    assert card and card.keepers == ()
    end_appointment(actor=cast.admin, appointment=row, end=timezone.localdate())


def test_a_card_names_so_many_parts_and_counts_the_rest(cast: Cast) -> None:
    GridNode.objects.filter(pk=cast.a.grid.pk).update(households=380)
    for number in range(3, NAMED + 4):
        make.make_node(cast.a.grid, "building", f"{number} 号楼")
    card = cards_of([GridNode.objects.get(pk=cast.a.grid.pk)])[0]
    assert card.area == f"{'、'.join(f'{number} 号楼' for number in range(1, NAMED + 1))}等 {NAMED + 3} 处，约 380 户"


def test_the_county_s_own_title_stands_on_the_card(cast: Cast) -> None:
    cast.county.levels.filter(key="grid").update(holder_title="网格长")
    card = card_of(cast.a.building)
    assert card and card.title == "网格长"


# --- The supervision telephone --------------------------------------------------------------------------------------


def phone_of(node: GridNode) -> str:
    card = card_of(GridNode.objects.select_related("county").get(pk=node.pk))
    assert card
    return card.phone


def test_the_nearest_telephone_above_is_printed(cast: Cast) -> None:
    assert phone_of(cast.a.building) == ""
    set_supervision_phone(actor=cast.admin, place=cast.county, phone="12345")
    assert phone_of(cast.a.building) == "12345"
    set_supervision_phone(actor=cast.admin, place=cast.street, phone="(0916) 6212345")
    assert phone_of(cast.a.building) == PHONE
    set_supervision_phone(actor=cast.street_officer, place=cast.a.node, phone="6218888", version=1)
    assert (phone_of(cast.a.building), phone_of(cast.b.building)) == ("6218888", PHONE)
    cast.a.node.refresh_from_db()
    assert cast.a.node.version == 2
    trail = AuditEntry.objects.get(chain=f"grids.gridnode:{cast.a.node.pk}")
    assert (trail.action, trail.changes) == ("place.supervision_phone", {"supervision_phone": ["", "6218888"]})
    set_supervision_phone(actor=cast.street_officer, place=cast.a.node, phone="")
    assert phone_of(cast.a.building) == PHONE


@pytest.mark.parametrize("wrong", ["电话", "123", "0916-62123456789", "1380013800", "12345<script>"])
def test_what_is_no_telephone_is_refused(cast: Cast, wrong: str) -> None:
    with pytest.raises(Invalid, match="电话号码"):
        set_supervision_phone(actor=cast.admin, place=cast.county, phone=wrong)
    assert County.objects.get(pk=cast.county.pk).supervision_phone == ""


def test_telephones_are_read_as_people_write_them() -> None:
    written = {
        "０９１６－６２１２３４５": PHONE,
        "0916 6212345": "09166212345",
        "138 0013 8000": "13800138000",
        " ": "",
    }
    assert {raw: clean_office_phone(raw) for raw in written} == written


def test_nobody_sets_the_telephone_by_which_they_are_supervised(cast: Cast) -> None:
    for actor, place in (
        (cast.a.secretary, cast.a.node),
        (cast.street_officer, cast.street),
        (cast.street_secretary, cast.county),
        (cast.a.keeper, cast.a.grid),
        (cast.b.officer, cast.a.grid),
        (cast.department, cast.county),
        (cast.other_county_admin, cast.county),
    ):
        with pytest.raises((Forbidden, NotFound)):
            set_supervision_phone(actor=actor, place=place, phone=PHONE)
    assert not GridNode.objects.exclude(supervision_phone="").exists()
    with pytest.raises(Stale):
        set_supervision_phone(actor=cast.admin, place=cast.a.node, phone=PHONE, version=7)
    retired = cast.a.other_building
    retire_node(actor=cast.admin, node=retired, reason="拆除")
    with pytest.raises(Conflict, match="已撤销"):
        set_supervision_phone(actor=cast.admin, place=retired, phone=PHONE)


def test_the_telephone_is_set_on_the_pages_of_county_street_and_community(cast: Cast) -> None:
    county = reverse("admin:grids_county_deed", args=[cast.county.pk, "phone"])
    assert signed_in(cast.admin).post(county, {"phone": "12345"}).status_code == 302
    for person, status in ((cast.department, 403), (cast.street_officer, 403), (cast.other_county_admin, 404)):
        assert signed_in(person).post(county, {"phone": "1"}).status_code == status
    assert phone_of(cast.a.building) == "12345"
    community = reverse("admin:grids_gridnode_deed", args=[cast.a.node.pk, "phone"])
    client = signed_in(cast.street_officer)
    assert 'value="' in text(client, community)
    assert client.post(community, {"phone": "x", "version": 1}).status_code == 200
    assert client.post(community, {"phone": PHONE, "version": 1}).status_code == 302
    assert client.post(community, {"phone": "12345", "version": 1}).status_code == 409
    assert phone_of(cast.a.building) == PHONE
    assert signed_in(cast.a.officer).post(community, {"phone": "1"}).status_code == 403
    grid = reverse("admin:grids_gridnode_deed", args=[cast.a.grid.pk, "phone"])
    assert signed_in(cast.a.officer).get(grid).status_code == 409, "a grid has its community's"


# --- On paper -------------------------------------------------------------------------------------------------------


def test_a_card_is_printed_with_its_code(cast: Cast, settings: Any) -> None:
    settings.PUBLIC_URL = "https://jingwei.example"
    set_supervision_phone(actor=cast.admin, place=cast.county, phone=PHONE)
    client = signed_in(cast.a.keeper)
    page = text(client, reverse("places:card", args=[cast.a.building.pk]))
    for words in ("白龙塘社区", "和谐小区 · 第一网格", "1 号楼", "网格员甲", PHONE, "<svg"):
        assert words in page
    assert f"https://jingwei.example/r/{cast.a.building.public_token}/" in page
    assert cast.a.keeper.phone not in page
    assert "还没有设置监督电话" not in page
    assert "paper-a5.css" not in page
    assert "paper-a5.css" in text(client, reverse("places:card", args=[cast.a.building.pk]), paper="a5")
    # The way there, from the page of the place.
    node = text(signed_in(cast.a.officer), reverse("admin:grids_gridnode_change", args=[cast.a.building.pk]))
    assert reverse("places:card", args=[cast.a.building.pk]) in node


def test_a_card_without_keeper_or_telephone_says_so_to_who_prints_it(cast: Cast) -> None:
    Appointment.objects.filter(user=cast.a.keeper).delete()
    page = text(signed_in(cast.a.officer), reverse("places:card", args=[cast.a.grid.pk]))
    assert "暂缺" in page
    assert "还没有设置监督电话" in page


def test_one_run_prints_all_grids_or_all_buildings_of_a_community(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    address = reverse("places:cards", args=[cast.a.node.pk])
    grids = client.get(address)
    assert [sheet.card.node for sheet in grids.context["sheets"]] == [cast.a.grid]
    assert grids.context["levels"] == [
        ("compound", "小区", 1),
        ("grid", "网格", 1),
        ("building", "楼栋", 2),
        ("unit_entrance", "单元", 1),
        ("floor", "楼层", 1),
    ]
    buildings = client.get(address, {"level": "building"})
    assert [sheet.here for sheet in buildings.context["sheets"]] == ["1 号楼", "2 号楼"]
    assert buildings.content.decode().count('class="sheet door-card') == 2
    for odd in ({"level": "street"}, {"level": "x"}, {"page": "x"}, {"paper": "x"}):
        assert client.get(address, odd).context["level"] == "grid"
    empty = text(signed_in(cast.street_officer), reverse("places:cards", args=[cast.empty_community.pk]))
    assert "这里还没有更小的地点" in empty


def test_a_long_run_is_printed_in_batches_at_a_fixed_price(cast: Cast, django_assert_max_num_queries: Any) -> None:
    for number in range(3, door_cards.PER_RUN + 5):
        make.make_node(cast.a.grid, "building", f"{number} 号楼")
    client = signed_in(cast.a.officer)
    address = reverse("places:cards", args=[cast.a.node.pk])
    client.get(address)
    with django_assert_max_num_queries(COUNTS["places.cards"]):
        first = client.get(address, {"level": "building"})
    assert len(first.context["sheets"]) == door_cards.PER_RUN
    assert "level=building&amp;paper=a4&amp;page=2" in first.content.decode()
    assert len(client.get(address, {"level": "building", "page": 2}).context["sheets"]) == 4


@pytest.mark.parametrize("name", ["card", "cards"])
def test_strangers_print_nothing(cast: Cast, name: str) -> None:
    address = reverse(f"places:{name}", args=[cast.a.building.pk])
    assert Client().get(address)["Location"].startswith("/accounts/login/")
    for stranger in (cast.b.secretary, cast.b.keeper, cast.a.liaison, cast.a.member_user, cast.nobody, cast.superuser):
        assert signed_in(stranger).get(address).status_code == 404, stranger
    for own in (cast.a.keeper, cast.a.building_head, cast.street_officer, cast.department):
        assert signed_in(own).get(address).status_code == 200, own


def test_a_street_has_no_card_but_a_run(cast: Cast) -> None:
    client = signed_in(cast.street_secretary)
    assert client.get(reverse("places:card", args=[cast.street.pk])).status_code == 404
    run = client.get(reverse("places:cards", args=[cast.street.pk]))
    assert len(run.context["sheets"]) == 2


# --- Behind the code ------------------------------------------------------------------------------------------------


def test_who_scans_the_code_reads_who_keeps_the_place(
    cast: Cast, client: Client, django_assert_max_num_queries: Any
) -> None:
    set_supervision_phone(actor=cast.admin, place=cast.county, phone=PHONE)
    address = reverse("resident:order", args=[cast.a.building.public_token])
    client.get(address)
    with django_assert_max_num_queries(COUNTS["resident.order"]):
        page = text(client, address)
    assert "谁为您服务" in page
    assert "网格员甲" in page
    assert f'href="tel:{PHONE}"' in page
    assert cast.a.keeper.phone not in page
