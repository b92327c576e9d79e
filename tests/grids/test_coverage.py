"""How far the posts are filled: what counts as vacant, the figures of a place, and where nobody is."""

import datetime
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from core.accounts import deactivate
from core.models import AuditEntry, User
from grids import coverage
from grids.actions import appoint, end_appointment, retire_node
from grids.coverage import Cover
from grids.models import Appointment, GridNode, Vacancy
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh, spec

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
DAY = datetime.timedelta(days=1)


def figures(place: Any) -> dict[str, tuple[int, int]]:
    """Level -> places in use, filled."""
    return {level.key: (cover.nodes, cover.filled) for level, cover in coverage.coverage_of(place).levels}


def missing(place: GridNode) -> list[str]:
    return [node.name for node in coverage.vacant(GridNode.objects.inside(place)).order_by("tree_id", "lft")]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(fresh(user))
    return client


# --- Figures --------------------------------------------------------------------------------------------------------


def test_a_place_is_filled_by_whoever_holds_the_post_that_answers_for_it(cast: Cast) -> None:
    assert figures(cast.a.node) == {
        "community": (1, 1),
        "compound": (1, 0),
        "grid": (1, 1),
        "building": (2, 1),
        "unit_entrance": (1, 0),
        "floor": (1, 0),
    }
    assert missing(cast.a.node) == ["和谐小区", "1 单元", "1 层", "2 号楼"]
    # Another post at the place is a person there, and answers for nothing.
    appoint(actor=cast.admin, user=cast.nobody, post="property_lead", place=cast.a.compound)
    assert figures(cast.a.node)["compound"] == (1, 0)
    appoint(actor=cast.admin, user=cast.nobody, post="compound_lead", place=cast.a.compound)
    assert figures(cast.a.node)["compound"] == (1, 1)


def test_two_in_one_post_fill_one_place(cast: Cast) -> None:
    appoint(actor=cast.admin, user=cast.nobody, post="grid_keeper", place=cast.a.grid)
    assert figures(cast.a.node)["grid"] == (1, 1)
    assert coverage.heads_of(cast.a.node)["grid_keeper"] == 2


def test_who_left_or_has_not_come_or_is_stopped_fills_nothing(cast: Cast) -> None:
    today = timezone.localdate()
    row = Appointment.objects.get(user=cast.a.keeper)
    Appointment.objects.filter(pk=row.pk).update(start=today - 9 * DAY)
    row.refresh_from_db()
    end_appointment(actor=cast.admin, appointment=row, end=today)
    assert figures(cast.a.node)["grid"] == (1, 1), "the last day counts"
    Appointment.objects.filter(pk=row.pk).update(end=today - DAY)
    assert figures(cast.a.node)["grid"] == (1, 0)
    appoint(actor=cast.admin, user=cast.nobody, post="grid_keeper", place=cast.a.grid, start=today + DAY)
    assert figures(cast.a.node)["grid"] == (1, 0)
    deactivate(actor=cast.admin, user=cast.a.building_head, reason="离开")
    assert figures(cast.a.node)["building"] == (2, 0)
    assert cast.a.building.name in missing(cast.a.node)


def test_what_is_retired_needs_nobody(cast: Cast) -> None:
    retire_node(actor=cast.admin, node=cast.a.other_building, reason="已拆除")
    assert figures(cast.a.node)["building"] == (1, 1)
    assert cast.a.other_building.name not in missing(cast.a.node)


def test_a_level_without_a_post_asks_for_nobody(cast: Cast) -> None:
    cast.county.levels.filter(key="floor").update(holder_post="")
    assert "floor" not in figures(cast.county)
    assert "1 层" not in missing(cast.a.node)


def test_parts_add_up_to_the_whole(cast: Cast, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(4):
        county = coverage.coverage_of(cast.county)
    assert [node.name for node, _cover in county.parts] == ["城北街道", "城南街道"]
    assert sum((cover for _node, cover in county.parts), Cover()) == county.total
    with django_assert_num_queries(4):
        street = coverage.coverage_of(cast.street)
    assert [node.name for node, _cover in street.parts] == ["白龙塘社区", "城北社区", "新民社区"]
    own = Cover(1, 1)
    assert sum((cover for _node, cover in street.parts), own) == street.total
    assert county.total.nodes == 18
    assert coverage.coverage_of(cast.a.node).parts == []


def test_a_share_is_never_rounded_up_to_everything() -> None:
    assert [Cover(*pair).share for pair in ((0, 0), (3, 3), (3, 0), (3, 2), (10_000, 9_999))] == [
        "—",
        "100%",
        "0%",
        "66.6%",
        "99.9%",
    ]


def test_the_heads_are_those_of_the_report(cast: Cast) -> None:
    """docs/domain.md#x4 counts people by post over a whole county."""
    assert coverage.heads_of(cast.county) == {
        "street_secretary": 1,
        "street_officer": 2,
        "community_secretary": 2,
        "community_officer": 2,
        "community_team_lead": 2,
        "grid_keeper": 2,
        "building_head": 2,
    }
    assert coverage.heads_of(cast.other_county) == {"community_secretary": 1}


# --- Pages ----------------------------------------------------------------------------------------------------------


def page(user: User, name: str = "coverage", *args: Any, **query: Any) -> Any:
    return signed_in(user).get(reverse(f"admin:grids_vacancy_{name}", args=args), query)


def test_everybody_s_look_begins_where_they_hold_a_post(cast: Cast) -> None:
    for person, place in (
        (cast.department, "西乡县"),
        (cast.admin, "西乡县"),
        (cast.street_officer, "城北街道"),
        (cast.a.officer, "白龙塘社区"),
    ):
        assert f"岗位覆盖：{place}" in page(person).content.decode()
    make.make_appointment(cast.a.officer, "community_officer", cast.b.node)
    both = page(cast.a.officer).content.decode()
    assert "选择地点" in both
    assert reverse("admin:grids_vacancy_coverage_place", args=[cast.b.node.pk]) in both


def test_the_figures_lead_down_to_a_button_for_each_vacancy(cast: Cast) -> None:
    county = page(cast.admin).content.decode()
    street = reverse("admin:grids_vacancy_coverage_place", args=[cast.street.pk])
    assert street in county
    community = page(cast.admin, "coverage_place", cast.a.node.pk).content.decode()
    listed = f"{reverse('admin:grids_vacancy_changelist')}?place={cast.a.node.pk}&amp;level=building"
    assert listed in community or listed.replace("&amp;", "&") in community
    rows = page(cast.admin, "changelist", place=cast.a.node.pk, level="building").content.decode()
    assert cast.a.other_building.path in rows
    assert cast.a.building.path + "<" not in rows
    assert f"{reverse('admin:grids_appointment_add')}?node={cast.a.other_building.pk}&amp;post=building_head" in rows


def test_only_who_may_fill_it_is_offered_the_vacancy(cast: Cast) -> None:
    add = reverse("admin:grids_appointment_add")
    Appointment.objects.filter(post="community_secretary", node=cast.a.node).delete()
    rows = page(cast.a.officer, "changelist").content.decode()
    assert f"{add}?node={cast.a.compound.pk}&" in rows
    assert cast.a.node.path in rows
    # The community's own secretary is not theirs to choose.
    assert f"{add}?node={cast.a.node.pk}&" not in rows
    assert add not in page(cast.a.team_lead, "changelist").content.decode()
    own = page(cast.a.officer, "change", cast.a.node.pk).content.decode()
    assert add not in own


def test_a_neighbour_s_figures_are_not_found(cast: Cast) -> None:
    for stranger in (cast.b.officer, cast.other_street_officer, cast.other_county_admin):
        for name, args in (("coverage_place", [cast.a.node.pk]), ("change", [cast.a.building.pk])):
            assert page(stranger, name, *args).status_code == 404
        for name in ("changelist", "coverage"):
            assert cast.a.node.name not in page(stranger, name).content.decode()
    assert page(cast.a.officer, "coverage_place", cast.street.pk).status_code == 404
    assert page(cast.auditor).status_code == 403
    assert page(cast.a.keeper).status_code == 302, "not at the desk"


def test_pages_cost_the_same_however_many_places(cast: Cast, django_assert_max_num_queries: Any) -> None:
    buildings = [spec("building", f"{number} 号楼") for number in range(40)]
    communities = [spec("community", f"第{number}社区", spec("grid", "第一网格", *buildings)) for number in range(5)]
    make.grow(cast.county, spec("street", "城东街道", *communities))
    client = signed_in(cast.admin)
    for name in ("coverage", "changelist"):
        client.get(reverse(f"admin:grids_vacancy_{name}"))
        with django_assert_max_num_queries(COUNTS[f"admin.vacancy_{name}"]):
            assert client.get(reverse(f"admin:grids_vacancy_{name}")).status_code == 200


# --- Ledgers --------------------------------------------------------------------------------------------------------


def ledger(user: User, key: str, **query: Any) -> list[list[Any]]:
    address = reverse("admin:grids_vacancy_export", args=[key])
    if query:
        address += "?" + "&".join(f"{name}={value}" for name, value in query.items())
    answer = signed_in(user).post(address)
    assert answer["Content-Type"].endswith("sheet"), answer.content.decode()[:500]
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_the_figures_go_out_community_by_community(cast: Cast) -> None:
    rows = ledger(cast.street_officer, "coverage")
    assert rows[2][1:] == ["街道", "社区", "层级", "负责人岗位", "应配", "在岗", "空缺", "覆盖率"]
    body = rows[3:-2]
    assert body[0][1:] == ["城北街道", None, "街道", "街道党工委书记", 1, 1, 0, "100%"]
    building = ["城北街道", "白龙塘社区", "楼栋", "楼栋长", 2, 1, 1, "50%"]
    assert building in [row[1:] for row in body]
    total = coverage.coverage_of(cast.street).total
    assert rows[-2][5:8] == [total.nodes, total.filled, total.vacant]
    assert "南门社区" not in str(rows)
    assert AuditEntry.objects.filter(action="sheet.export", chain=f"grids.county:{cast.county.pk}").count() == 1
    inside = ledger(cast.street_officer, "coverage", place=cast.b.node.pk)
    assert {row[2] for row in inside[3:-2]} == {"城北社区"}


def test_the_vacancies_go_out_as_the_list_shows_them(cast: Cast) -> None:
    row = Appointment.objects.get(user=cast.a.keeper)
    Appointment.objects.filter(pk=row.pk).update(start="2026-01-05", end="2026-02-06")
    rows = ledger(cast.a.officer, "vacancies")
    body = {row[3]: row for row in rows[3:-2]}
    assert set(body) == {
        "和谐小区",
        "和谐小区 · 第一网格",
        "和谐小区 · 第一网格 · 1 号楼 · 1 单元",
        "和谐小区 · 第一网格 · 1 号楼 · 1 单元 · 1 层",
        "和谐小区 · 第一网格 · 2 号楼",
    }
    grid = body["和谐小区 · 第一网格"]
    assert grid[1:3] + grid[5:7] == ["城北街道", "白龙塘社区", "网格", "网格员"]
    assert "2026" in str(grid[7])
    only = ledger(cast.a.officer, "vacancies", level="building")
    assert [row[3] for row in only[3:-2]] == ["和谐小区 · 第一网格 · 2 号楼"]


def test_nobody_takes_the_neighbour_s_vacancies_out(cast: Cast) -> None:
    address = reverse("admin:grids_vacancy_export", args=["coverage"])
    strange = signed_in(cast.b.officer).post(f"{address}?place={cast.a.node.pk}")
    assert strange.status_code == 404
    assert cast.a.node.name not in str(ledger(cast.b.officer, "coverage"))
    assert signed_in(cast.auditor).post(address).status_code == 403
    assert not Vacancy.objects.visible_to(fresh(cast.a.keeper)).exists()
