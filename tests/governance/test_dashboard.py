"""The dashboard's figures are what one counts by hand, each with what it rests on; nobody looks beyond their place."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from core.models import User
from core.periods import Month, Quarter, Year
from governance.dashboard.board import KEYS, sorted_lines
from governance.dashboard.places import atlas_of
from governance.dashboard.selectors import NOTHING, Counts, Lights
from grids.models import GridNode
from services.actions import tallies
from services.models import Demand
from services.selectors.rates import Rate
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.governance.counted import (
    DAY,
    HOUR,
    World,
    figures,
    links,
    make_running,
    make_world,
    matter,
    moment,
    page,
    signed_in,
    words,
)
from tests.services.test_loop import dispatched

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast)


@pytest.fixture
def running(cast: Cast) -> Cast:
    return make_running(cast)


# --- The figures ----------------------------------------------------------------------------------------------------


def test_every_level_counts_what_one_counts_by_hand(world: World) -> None:
    for code, expected in world.expected.items():
        person = fresh(world.cast.department)
        found = figures(person, atlas_of(person).find(code))
        assert found.now == expected, code
        assert found.around == world.expected[world.cast.county.code]


def test_parts_add_up_to_the_whole(world: World) -> None:
    person = fresh(world.cast.department)
    atlas = atlas_of(person)
    for place in atlas.by_code.values():
        found = figures(person, place)
        for parts in ([found.of(child) for child in place.children], [share.counts for share in found.categories]):
            if parts:
                assert Counts(*map(sum, zip(*parts, strict=True))) == found.now, place.name
        units = [share.counts for share in found.units]
        assert Counts(*map(sum, zip(NOTHING, *units, strict=True))) == found.now
        assert found.of(place) == found.now


def test_the_month_of_registration_is_the_month_here(world: World) -> None:
    matter(world.cast.a.building, "2026-03-31", registered_at=moment("2026-04-01 00:30"))
    tallies.rebuild_tallies(world.cast.county)
    assert world.read(world.cast.a.node).now.registered == 12
    assert world.read(world.cast.a.node, period=Month(2026, 4)).now.registered == 1


def test_periods_of_any_length_are_held_against_the_one_before_and_the_year_before(world: World) -> None:
    found = world.read(world.cast.county)
    assert (found.before.registered, found.before.finished) == (3, 3)
    assert found.year_before.registered == 5
    march = world.read(world.cast.county, period=Month(2026, 3))
    assert march.now.registered == 1 + 3 + 4
    assert march.before.registered == 3 + 3
    assert march.year_before.registered == 5
    year = world.read(world.cast.county, period=Year(2026))
    assert (year.now.registered, year.before.registered) == (19, 8)


def test_the_trend_ends_with_the_period_and_begins_where_something_happened(world: World) -> None:
    months = world.read(world.cast.county).months
    assert [month for month, _counts in months][-1] == Month(2026, 3)
    assert {month.code: counts.registered for month, counts in months if counts.registered} == {
        "2025-12": 3,
        "2026-01": 5,
        "2026-02": 6,
        "2026-03": 8,
    }
    assert len(months) == 6, "a line needs some length"


def test_a_share_of_a_part_is_told_to_those_who_see_the_whole(world: World) -> None:
    cast = world.cast
    above = words(page(cast.department, f"{cast.a.node.code}/", period="2026Q1"))
    assert "占全县 63.2%" in above
    assert "全县 81.8%（9/11）" in above
    inside = words(page(cast.a.officer, f"{cast.a.node.code}/", period="2026Q1"))
    assert "登记 12 件" in inside
    assert "全县" not in inside


def test_a_rate_shows_what_it_rests_on(world: World) -> None:
    text = words(page(world.cast.department, f"{world.cast.a.node.code}/", period="2026Q1"))
    assert re.search(r"响应率 80\.0 ?% 8 / 10", text)
    assert re.search(r"解决率 90\.0 ?% 9 / 10", text)
    assert re.search(r"满意率 80\.0 ?% 8 / 10", text)
    assert "占登记 83.3%，其中按时 8 件" in text
    assert "比上季度多 9 件" in text


def test_a_small_sample_is_no_rate(world: World) -> None:
    text = words(page(world.cast.department, f"{world.cast.b.node.code}/", period="2026Q1"))
    assert re.search(r"响应率 样本不足 1 / 2", text)
    assert re.search(r"解决率 样本不足 0 / 1", text)
    assert "50.0%" not in text
    text = words(page(world.cast.department, f"{world.cast.other_street_community.code}/", period="2026Q1"))
    assert "暂无样本" in text


@pytest.mark.parametrize(("rate", "said"), [(Rate(0, 0), "—"), (Rate(9, 9), "样本不足"), (Rate(0, 10), "0.0%")])
def test_ten_are_a_sample(rate: Rate, said: str) -> None:
    assert rate.words == said


def test_a_part_of_a_period_is_not_held_against_a_whole_one(cast: Cast) -> None:
    now = timezone.now()
    before = Quarter.of(now).previous()
    matter(cast.a.building, f"{before.first_day:%Y-%m-%d}")
    make.make_demand(cast.a.building)
    tallies.rebuild_tallies(cast.county)
    text = words(page(cast.department))
    assert "未结束" in text
    assert "上季度全期 1 件" in text
    assert "比上季度" not in text


# --- What runs now --------------------------------------------------------------------------------------------------


def test_the_colours_are_those_of_the_demand_lists(running: Cast) -> None:
    now = timezone.now()
    quarter = Quarter.of(now)
    person = fresh(running.department)
    atlas = atlas_of(person)
    for place in atlas.by_code.values():
        here = Demand.objects.filter(county=running.county).filter(place.inside())
        found = [figures(person, place, quarter, now).lights_of(place)]
        assert [(light.late, light.soon, light.stuck) for light in found] == [
            (here.late(now).count(), here.due_soon(now).count(), here.step_late(now).count())
        ]
    assert figures(person, atlas.find(running.a.node.code), quarter, now).lights == {
        running.a.node.pk: Lights(6, 2, 1, 1)
    }
    assert figures(person, atlas.find(running.street.code), quarter, now).lights[running.b.node.pk] == Lights(
        1, 1, 0, 0
    )


def test_colours_come_with_words(running: Cast) -> None:
    text = words(page(running.department, f"{running.a.node.code}/"))
    for said in ("已超期 超过办理时限还没有办结 2 件", "将到期 临近办理时限 1 件", "按时 正在办理，时限充足 3 件"):
        assert said in text
    assert "环节超时 受理、派单、核查等环节超过本步时限 1 件" in text


def test_what_became_late_is_red_at_once(running: Cast) -> None:
    client = signed_in(running.department)
    assert "已超期 超过办理时限还没有办结 3 件" in words(client.get("/dashboard/").content.decode())
    Demand.objects.late().filter(community=running.b.node).update(state="finished")
    assert "已超期 超过办理时限还没有办结 2 件" in words(client.get("/dashboard/").content.decode())


# --- Who sees what --------------------------------------------------------------------------------------------------


def test_everybody_starts_at_their_own_place(world: World) -> None:
    cast = world.cast
    for person, name in (
        (cast.department, "西乡县"),
        (cast.street_secretary, "城北街道"),
        (cast.street_officer, "城北街道"),
        (cast.other_street_officer, "城南街道"),
        (cast.a.secretary, "白龙塘社区"),
        (cast.a.team_lead, "白龙塘社区"),
        (cast.other_county_department, "镇安县"),
        (cast.other_county_secretary, "城关社区"),
    ):
        assert re.search(rf"<h1>\s*{name}", page(person)), person


@pytest.mark.parametrize(
    "role",
    ["a.keeper", "a.building_head", "a.liaison", "a.staff", "a.member", "admin", "auditor", "superuser", "nobody",
     "idle_liaison"],
)  # fmt: skip
def test_dashboards_are_not_open_to_others(world: World, role: str) -> None:
    client = signed_in(world.cast.people()[role])
    code = world.cast.a.node.code
    demand = Demand.objects.filter(community=world.cast.a.node).first()
    assert demand is not None
    for path in ("", f"{code}/", f"{code}/ledger/", "rows/", "supervisions/", f"rows/{demand.code}/supervise/"):
        answer = client.get(f"/dashboard/{path}")
        assert answer.status_code == 403, path
        assert "看板供县委组织部、街道和社区干部查看" in answer.content.decode()


def test_nobody_looks_beyond_the_own_place(world: World) -> None:
    cast = world.cast
    inside = {
        cast.department: {cast.county, cast.street, cast.other_street, cast.a.node, cast.b.node,
                          cast.other_street_community},
        cast.street_officer: {cast.street, cast.a.node, cast.b.node},
        cast.other_street_officer: {cast.other_street, cast.other_street_community},
        cast.a.officer: {cast.a.node},
        cast.b.secretary: {cast.b.node},
        cast.other_county_department: {cast.other_county, cast.other_county_community},
    }  # fmt: skip
    everywhere = set().union(*inside.values())
    for person, places in inside.items():
        client = signed_in(person)
        for place in everywhere:
            for path in ("{}/", "{}/ledger/", "rows/?place={}", "supervisions/?place={}"):
                answer = client.get(f"/dashboard/{path.format(place.code)}")
                assert answer.status_code == (200 if place in places else 404), (person, place, path)


def test_a_dashboard_ends_at_the_community(world: World) -> None:
    assert signed_in(world.cast.department).get(f"/dashboard/{world.cast.a.grid.code}/").status_code == 404


def test_the_stranger_to_a_page_is_asked_to_sign_in(client: Client) -> None:
    answer = client.get("/dashboard/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


def test_the_same_figures_are_drawn_with_the_own_links(world: World) -> None:
    cast, path = world.cast, f"{world.cast.a.node.code}/"
    own = page(cast.a.officer, path, period="2026Q1")
    assert not links(own, f"/dashboard/{cast.county.code}/")
    assert not links(own, f"/dashboard/{cast.street.code}/")
    seen = page(cast.department, path, period="2026Q1")
    assert links(seen, f"/dashboard/{cast.county.code}/")
    assert not links(page(cast.a.officer, path, period="2026Q1"), f"/dashboard/{cast.county.code}/")


def test_a_second_post_opens_a_second_place(world: World) -> None:
    cast = world.cast
    make.make_appointment(cast.a.officer, "community_officer", cast.b.node)
    html = page(cast.a.officer)
    assert links(html, f"/dashboard/{cast.b.node.code}/")
    assert "城北社区" in page(cast.a.officer, f"{cast.b.node.code}/")


def test_an_ended_post_opens_nothing(world: World) -> None:
    client = signed_in(world.cast.department)
    assert client.get("/dashboard/").status_code == 200
    yesterday = timezone.localdate() - DAY
    world.cast.department.appointments.update(start=yesterday, end=yesterday)
    assert client.get("/dashboard/").status_code == 403


# --- Nothing there, strange questions, sorting ----------------------------------------------------------------------


def test_an_empty_county_says_what_to_do() -> None:
    county = make.make_county("新县", "610799", note="试运行。")
    department = make.make_cadre("新组织部", "county_department", county)
    text = words(page(department))
    assert "这里还没有数字" in text
    assert "试运行。" in text
    assert "这里没有需求" in words(page(department, "rows/"))
    assert "这里没有督办" in words(page(department, "supervisions/"))
    make.grow(county, make.spec("street", "新街道", make.spec("community", "新社区")))
    assert "这里还没有数字" in words(page(department))


def test_the_note_of_a_sample_stands_on_its_page(world: World) -> None:
    world.cast.county.note = "示例县：人数压缩到十四个社区。"
    world.cast.county.save()
    for person in (world.cast.department, world.cast.a.officer):
        assert "示例县：人数压缩到十四个社区。" in page(person)


@pytest.mark.parametrize("value", ["2026Q5", "上季度", "2026-13", "0", "../..", "2026Q1'--", "９９９９"])
def test_a_period_that_is_none_is_a_clear_400(cast: Cast, value: str) -> None:
    client = signed_in(cast.department)
    for path in ("", f"{cast.county.code}/ledger/", "rows/"):
        answer = client.get(f"/dashboard/{path}", {"period": value})
        assert answer.status_code == 400
        assert "2026Q1" in answer.content.decode()


@pytest.mark.parametrize(
    ("asked", "label", "before", "after"),
    [
        ("2026Q1", "2026年第一季度", "2025Q4", "2026Q2"),
        ("2026-01", "2026年1月", "2025-12", "2026-02"),
        ("2025", "2025年", "2024", "2026"),
        ("2026年1月", "2026年1月", "2025-12", "2026-02"),
    ],
)
def test_one_walks_from_period_to_period(world: World, asked: str, label: str, before: str, after: str) -> None:
    html = page(world.cast.department, period=asked)
    assert re.search(rf"<h1>\s*西乡县 <span[^>]*>{label}", html)
    assert f'rel="prev" href="?period={before}"' in html
    assert f'rel="next" href="?period={after}"' in html
    for length in ("月", "季度", "年"):
        assert f">{length}</a>" in html


def test_there_is_no_way_into_the_future(cast: Cast) -> None:
    html = page(cast.department)
    assert 'rel="prev"' in html
    assert 'rel="next"' not in html


def test_the_table_sorts_both_ways_and_small_samples_come_last(world: World) -> None:
    person = fresh(world.cast.department)
    place = atlas_of(person).find(world.cast.county.code)
    client = signed_in(world.cast.department)

    def names(sort: str) -> list[str]:
        html = client.get("/dashboard/", {"period": "2026Q1", "by": "community", "sort": sort}).content.decode()
        table = html[html.index('id="below"') :]
        return re.findall(r'<th scope="row"><a[^>]*>([^<]+)</a>', table[: table.index("</tbody>")])

    assert names("") == ["白龙塘社区", "城北社区", "新民社区", "南门社区"]
    assert names("-registered") == ["白龙塘社区", "南门社区", "城北社区", "新民社区"]
    assert names("registered") == ["新民社区", "城北社区", "南门社区", "白龙塘社区"]
    assert names("-response")[0] == names("response")[0] == "白龙塘社区"
    assert place.level == "county"
    for key in KEYS:
        assert sorted(names(key)) == sorted(names(f"-{key}")) == sorted(names(""))
    assert client.get("/dashboard/?sort=name;drop").status_code == 400
    assert sorted_lines([], "-late") == []


def test_a_sorted_column_says_so(world: World) -> None:
    html = page(world.cast.department, sort="-late")
    assert 'aria-sort="descending"' in html
    assert links(html, "sort=late#below"), "the second click turns it round"


def test_a_retired_community_keeps_its_figures(world: World) -> None:
    cast = world.cast
    GridNode.objects.filter(pk__in=[cast.b.node.pk, cast.empty_community.pk]).update(retired_at=timezone.now())
    html = page(cast.department, f"{cast.street.code}/", period="2026Q1")
    table = html[html.index('id="below"') :]
    assert "城北社区（已撤销）" in table
    assert "新民社区" not in table
    assert world.read(cast.street).now.registered == 15


# --- Charts ---------------------------------------------------------------------------------------------------------


def data_of(html: str) -> Any:
    found = re.search(r'<script id="dashboard-data" type="application/json">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])


def test_charts_draw_the_figures_of_the_tables(world: World) -> None:
    html = page(world.cast.department, period="2026Q1")
    data = data_of(html)
    assert sum(data["trend"]["registered"][slice(data["trend"]["chosen"][0], data["trend"]["chosen"][1] + 1)]) == 19
    assert sum(data["mix"]["registered"]) == 19
    assert [(tile["name"], tile["value"]) for tile in data["map"]] == [("城北街道", 15), ("城南街道", 4)]
    assert [tile["name"] for tile in data["map"][0]["children"]] == ["白龙塘社区", "城北社区"]
    assert set(data["trend"]["rates"]["response"]) <= {None}, "ten a quarter are fewer than ten a month"
    text = words(html)
    for said in ("2026年3月", "2025年12月", "各类别登记和办结", "水电气暖"):
        assert said in text


def test_every_chart_has_a_table_that_is_open_without_scripts(world: World) -> None:
    html = page(world.cast.department, period="2026Q1")
    boxes = re.findall(r'<div class="chart[^>]*>', html)
    assert len(boxes) == 4
    for box in boxes:
        assert " hidden" in box
        assert 'role="img"' in box
        table = re.search(r'data-table="([^"]+)"', box)
        assert table
        assert re.search(rf'<(details|section)[^>]*id="{table[1]}"', html)
    assert html.count("<details") == len(re.findall(r"<details[^>]* open>", html)) == 2


def test_a_name_in_the_data_can_not_leave_it(world: World) -> None:
    world.cast.category.name = "</script><b>类别"
    world.cast.category.save()
    matter(world.cast.a.building, "2026-01-05", category=world.cast.category)
    tallies.rebuild_tallies(world.cast.county)
    html = page(world.cast.department, period="2026Q1")
    assert "<b>类别" not in html
    assert "</script><b>类别" in data_of(html)["mix"]["names"]


# --- Always fresh, and cheap ----------------------------------------------------------------------------------------


def test_what_was_drawn_before_is_drawn_anew_when_anything_shows(world: World) -> None:
    cast = world.cast
    client = signed_in(cast.department)

    def text() -> str:
        return words(client.get("/dashboard/?period=2026Q1").content.decode())

    assert text() == text()
    matter(cast.other_street_community, "2026-03-03", title="又一件")
    tallies.rebuild_tallies(cast.county)
    assert "登记 20 件" in text()
    GridNode.objects.filter(pk=cast.street.pk).update(name="城北新街道", path="城北新街道")
    assert "城北新街道" in text()
    cast.a.unit.name = "县住建和交通局"
    cast.a.unit.save()
    assert "县住建和交通局" in text()
    cast.county.note = "改了说明。"
    cast.county.save()
    assert "改了说明。" in text()


def test_nothing_of_a_person_is_in_what_the_next_one_is_shown(world: World) -> None:
    client, other = signed_in(world.cast.department), signed_in(world.cast.department)
    first = client.get("/dashboard/").content
    assert first == other.get("/dashboard/").content
    assert b"csrfmiddlewaretoken" not in first
    assert world.cast.department.name.encode() + b"<" not in first
    other.cookies["elder"] = "1"
    assert re.search(rb'class="[^"]*elder"', other.get("/dashboard/").content)
    assert client.get("/dashboard/").content == first


def test_what_a_person_is_told_is_told_once_and_to_them(cast: Cast) -> None:
    demand, _suborder = dispatched(cast)
    client, other = signed_in(cast.department), signed_in(cast.department)
    client.get("/dashboard/")
    address = f"/dashboard/rows/{demand.code}/supervise/?back=/dashboard/"
    told = client.post(address, {"version": demand.version, "reason": "请办。"}, follow=True)
    assert told.redirect_chain[-1][0] == "/dashboard/"
    assert "已督办" in told.content.decode()
    for one in (client, other):
        assert "已督办" not in one.get("/dashboard/").content.decode()


def test_the_page_costs_the_same_with_one_demand_and_two_hundred(cast: Cast, django_assert_num_queries: Any) -> None:
    client = signed_in(cast.department)
    client.get("/dashboard/")  # the session notes that somebody is there
    units = [make.make_unit(cast.county, f"单位{number}") for number in range(20)]
    made = 0
    for many in (1, 200):
        while made < many:
            node = (cast.a.building, cast.b.building, cast.other_street_community)[made % 3]
            make.make_demand(
                node,
                cast.categories[("环境卫生", "水电气暖", "其他")[made % 3]],
                registered_at=timezone.now() - (made % 300) * DAY,
                lead_unit=units[made % 20],
                state="dispatched",
                due_at=timezone.now() - HOUR,
            )
            made += 1
        tallies.rebuild_tallies(cast.county)
        for path in ("/dashboard/", f"/dashboard/{cast.street.code}/", f"/dashboard/{cast.a.node.code}/"):
            with django_assert_num_queries(COUNTS["dashboard.page"]):
                assert client.get(path).status_code == 200


# --- The ledger -----------------------------------------------------------------------------------------------------


def ledger(person: User, path: str, **query: str) -> list[list[Any]]:
    answer = signed_in(person).get(f"/dashboard/{path}", query)
    assert answer.status_code == 200
    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    return [list(row) for row in book.active.iter_rows(values_only=True)]


def test_the_ledger_prints_the_table_with_its_totals(world: World) -> None:
    cast = world.cast
    found = ledger(cast.department, f"{cast.county.code}/ledger/", period="2026Q1", by="community", sort="-registered")
    assert found[0][0] == "西乡县2026年第一季度各社区情况"
    assert "填报单位：西乡县" in found[1][0]
    body = {row[1]: row[2:] for row in found[3:-2]}
    assert list(body) == ["白龙塘社区", "南门社区", "城北社区", "新民社区"]
    assert body["白龙塘社区"][:15] == [12, 10, 8, 10, 8, 0, "80.0%", 10, 9, 0, "90.0%", 10, 8, 0, "80.0%"]
    assert body["城北社区"][6] == "样本不足"
    totals = found[-2]
    assert totals[2:7] == [19, 11, 9, 12, 9]


def test_the_ledger_of_a_community_lists_its_categories(world: World) -> None:
    found = ledger(world.cast.a.officer, f"{world.cast.a.node.code}/ledger/", period="2026Q1")
    assert {row[1]: row[2] for row in found[3:-2]} == {"环境卫生": 8, "水电气暖": 4}
