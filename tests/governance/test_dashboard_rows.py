"""A list is as long as the figure it opens from, and from there what is late is supervised."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.models import User
from governance.dashboard import rows
from governance.dashboard.places import atlas_of
from services.models import Demand, Supervision
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.governance.counted import DAY, HOUR, World, links, lit, make_running, make_world, page, signed_in, words
from tests.services.test_loop import dispatched, do, raised

pytestmark = pytest.mark.django_db

COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast)


@pytest.fixture
def running(cast: Cast) -> Cast:
    return make_running(cast)


# --- Behind the figures ---------------------------------------------------------------------------------------------


def count_of(person: User, **query: str) -> int:
    user = fresh(person)
    now = timezone.now()
    request = Client().get("/", query).wsgi_request
    question = rows.read(user, atlas_of(user), request.GET, now)
    return rows.demands(user, question, now).count()


def test_a_list_is_as_long_as_its_figure(world: World) -> None:
    names = {"in_time": "finished_in_time"}
    for code, expected in world.expected.items():
        for what in rows.WHAT:
            counted = getattr(expected, names.get(what, what), None)
            if counted is not None:
                assert count_of(world.cast.department, place=code, period="2026Q1", what=what) == counted, (code, what)
        for family in rows.FAMILIES:
            whole, part, rest = family[0], family[1], "unfinished" if family[0] == "registered" else family[2]
            sizes = [
                count_of(world.cast.department, place=code, period="2026Q1", what=what) for what in (whole, part, rest)
            ]
            assert sizes[0] == sizes[1] + sizes[2], (code, family)


def test_a_coloured_list_is_as_long_as_its_light(running: Cast) -> None:
    code = running.a.node.code
    sizes = {light: count_of(running.department, place=code, light=light) for light in rows.LIGHTS}
    assert sizes == {"late": 2, "soon": 1, "on_time": 3, "running": 6, "stuck": 1}


def test_categories_and_units_open_their_own_rows(world: World) -> None:
    cast, found = world.cast, world.read(world.cast.county)
    for by, shares in (("category", found.categories), ("unit", found.units)):
        for share in shares:
            query = {"period": "2026Q1", by: str(share.pk or 0)}
            assert count_of(cast.department, **query) == share.counts.registered, share
            assert count_of(cast.department, what="response_met", **query) == share.counts.response_met, share


def test_every_link_of_a_dashboard_leads_somewhere(world: World) -> None:
    cast = world.cast
    for person, path in ((cast.department, ""), (cast.department, f"{cast.a.node.code}/"), (cast.street_officer, "")):
        client = signed_in(person)
        html = page(person, path, period="2026Q1")
        found = set(links(html, "/dashboard/"))
        assert len(found) > 25
        for link in found:
            assert client.get(link).status_code == 200, link


def test_a_figure_leads_to_the_rows_it_counts(world: World) -> None:
    client = signed_in(world.cast.department)
    html = page(world.cast.department, f"{world.cast.street.code}/", period="2026Q1")
    table = html[html.index('id="below"') :]
    cells = re.findall(r'<a href="(/dashboard/rows/[^"]+)">([\d,]+)</a>', table[: table.index("</table>")])
    assert len(cells) >= 6
    for link, shown in cells:
        answer = client.get(unescape(link))
        assert answer.context["sheet"].count == int(shown.replace(",", "")), link


def test_a_row_says_what_where_whose_and_how_late(running: Cast) -> None:
    late = Demand.objects.late().filter(community=running.a.node).order_by("due_at").first()
    assert late is not None
    late.lead_unit = running.a.unit
    late.contact_name, late.contact_phone = "张翠花", "13912345678"
    late.save()
    html = page(running.department, "rows/", light="late", place=running.a.node.code)
    text = words(html)
    for said in (late.code, late.title, "白龙塘社区", running.a.unit.label, "办理中", "已超期", "超期 2 天"):
        assert said in text
    assert "张翠花" not in html
    assert "13912345678" not in html
    assert links(html, f"/admin/services/demand/{late.pk}/"), "the department works on the desk too"


def test_long_lists_come_in_pages(cast: Cast) -> None:
    now = timezone.now()
    for number in range(30):
        make.make_demand(cast.a.building, title=f"第{number:02d}件", registered_at=now - number * HOUR / 60)
    client = signed_in(cast.department)
    first = client.get("/dashboard/rows/")
    assert "共 30 件" in words(first.content.decode())
    assert len(first.context["faces"]) == 25
    [onward] = links(first.content.decode(), "page=2")
    second = client.get(f"/dashboard/rows/{onward}")
    assert [face.title for face in second.context["faces"]] == [f"第{number:02d}件" for number in range(25, 30)]
    assert client.get("/dashboard/rows/?page=3").status_code == 404
    assert client.get("/dashboard/rows/?page=x").status_code == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("light=blue", 400),
        ("what=everything", 400),
        ("period=2026Q9", 400),
        ("category=999999", 404),
        ("unit=999999", 404),
        ("unit=1;drop", 400),
        ("unit=99999999999999999999", 400),
        ("place=000000", 404),
        ("page=0", 404),
        ("page=99999999", 404),
    ],
)
def test_a_strange_question_is_answered_clearly(cast: Cast, query: str, status: int) -> None:
    answer = signed_in(cast.department).get(f"/dashboard/rows/?{query}")
    assert answer.status_code == status
    assert re.search(r"[一-鿿]{4}", answer.content.decode())


# --- Supervision ----------------------------------------------------------------------------------------------------


def overdue(cast: Cast) -> Demand:
    """A demand the unit has been late with for two days."""
    demand, _suborder = dispatched(cast)
    Demand.objects.filter(pk=demand.pk).update(due_at=timezone.now() - 2 * DAY)
    return Demand.objects.get(pk=demand.pk)


def supervise_url(demand: Demand) -> str:
    return reverse("dashboard:supervise", args=[demand.code])


def test_the_department_supervises_what_is_late_from_its_list(cast: Cast) -> None:
    demand = overdue(cast)
    client = signed_in(cast.department)
    listed = client.get(f"/dashboard/rows/?light=late&place={cast.county.code}").content.decode()
    [link] = links(listed, "/supervise/")
    form = client.get(link)
    assert form.status_code == 200
    version = form.context["form"]["version"].value()
    answer = client.post(link, {"version": version, "reason": "居民多次来电，请两日内办结。"}, follow=True)
    assert answer.redirect_chain[-1][0] == f"/dashboard/rows/?light=late&place={cast.county.code}"
    assert "请县住建局于" in words(answer.content.decode())
    record = Supervision.objects.get()
    assert (record.demand, record.unit, record.by) == (demand, cast.a.unit, cast.department)
    assert record.text == "居民多次来电，请两日内办结。"
    assert "督办中" in words(answer.content.decode())
    assert not links(answer.content.decode(), "/supervise/"), "one at a time"


def test_a_supervision_without_words_is_none(cast: Cast) -> None:
    demand = overdue(cast)
    client = signed_in(cast.department)
    answer = client.post(supervise_url(demand), {"version": demand.version, "reason": "  "})
    assert answer.status_code == 200
    assert "还没有提交" in answer.content.decode()
    assert not Supervision.objects.exists()


def test_a_street_supervises_its_own_communities(cast: Cast) -> None:
    demand = overdue(cast)
    answer = signed_in(cast.street_officer).post(
        supervise_url(demand), {"version": demand.version, "reason": "请抓紧。"}
    )
    assert answer.status_code == 302
    assert Supervision.objects.get().by == cast.street_officer


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("a.officer", 403),
        ("a.secretary", 403),
        ("a.liaison", 403),
        ("a.keeper", 403),
        ("superuser", 403),
        ("b.officer", 404),
        ("other_street_officer", 404),
        ("other_county_department", 404),
    ],
)
def test_others_supervise_nothing(cast: Cast, role: str, status: int) -> None:
    demand = overdue(cast)
    client = signed_in(cast.people()[role])
    for answer in (
        client.get(supervise_url(demand)),
        client.post(supervise_url(demand), {"version": demand.version, "reason": "快办。"}),
    ):
        assert answer.status_code == status
    assert not Supervision.objects.exists()


def test_an_old_page_supervises_nothing(cast: Cast) -> None:
    demand = overdue(cast)
    client = signed_in(cast.department)
    assert client.post(supervise_url(demand), {"version": demand.version - 1, "reason": "快办。"}).status_code == 409
    assert not Supervision.objects.exists()


def test_a_second_supervision_waits_for_the_first_answer(cast: Cast) -> None:
    demand = overdue(cast)
    demand = do(cast.department, demand, "supervise", reason="请办。")
    client = signed_in(cast.department)
    answer = client.post(supervise_url(demand), {"version": demand.version, "reason": "再请办。"})
    assert answer.status_code == 409
    assert "已有一条督办在等待答复" in answer.content.decode()
    assert Supervision.objects.count() == 1


def test_the_button_stands_on_late_matters_and_for_those_who_may(cast: Cast) -> None:
    demand = overdue(cast)
    matter_in_time = raised(cast)
    for person, expected in (
        (cast.department, [demand.code]),
        (cast.street_officer, [demand.code]),
        (cast.a.officer, []),
    ):
        html = page(person, "rows/")
        assert matter_in_time.code in html
        assert [link.split("/")[3] for link in links(html, "/supervise/")] == expected


def test_a_matter_that_waits_to_be_accepted_too_long_can_be_supervised(cast: Cast) -> None:
    demand = raised(cast)
    Demand.objects.filter(pk=demand.pk).update(step_due_at=timezone.now() - HOUR)
    assert links(page(cast.department, "rows/", light="stuck"), "/supervise/")


@pytest.mark.parametrize("back", ["//evil.example/", "javascript:alert(1)", "/\\evil.example"])
def test_one_is_not_led_elsewhere_afterwards(cast: Cast, back: str) -> None:
    demand = overdue(cast)
    client = signed_in(cast.department)
    answer = client.post(f"{supervise_url(demand)}?back={back}", {"version": demand.version, "reason": "请办。"})
    assert answer["Location"] == "/dashboard/rows/?light=late"


def test_supervisions_are_followed_until_they_are_answered(cast: Cast) -> None:
    demand = overdue(cast)
    do(cast.department, demand, "supervise", reason="请说明为何超期。")
    client = signed_in(cast.department)

    def titles(state: str) -> list[str]:
        return [face.text for face in client.get(f"/dashboard/supervisions/?state={state}").context["faces"]]

    assert "督办 等待答复，其中 0 件逾期未答复 1 件" in words(page(cast.department))
    assert (titles("waiting"), titles("overdue"), titles("answered")) == (["请说明为何超期。"], [], [])
    Supervision.objects.update(due_at=timezone.now() - HOUR)
    assert titles("overdue") == ["请说明为何超期。"]
    assert "等待答复，其中 1 件逾期未答复" in words(page(cast.department))
    do(cast.a.liaison, demand.suborders.get(), "answer_supervision", reason="配件今日到货，明日修好。")
    assert (titles("waiting"), titles("overdue")) == ([], [])
    html = client.get("/dashboard/supervisions/?state=answered").content.decode()
    assert "配件今日到货，明日修好。" in html
    assert "等待答复，其中 0 件" in words(page(cast.department))
    assert client.get("/dashboard/supervisions/?state=lost").status_code == 400


def test_a_neighbour_sees_no_supervision_of_this_community(cast: Cast) -> None:
    do(cast.department, overdue(cast), "supervise", reason="请说明为何超期。")
    assert "请说明为何超期。" in page(cast.a.officer, "supervisions/")
    for stranger in (cast.b.officer, cast.other_street_officer, cast.other_county_department):
        assert "请说明为何超期。" not in page(stranger, "supervisions/")


# --- What it costs ---


def test_a_page_of_a_list_costs_the_same_with_thirty_rows_and_with_sixty(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    client = signed_in(cast.department)
    client.get("/dashboard/")
    for _round in range(2):
        for _each in range(30):
            lit(cast.a.building, due_at=timezone.now() - HOUR, lead_unit=cast.a.unit)
        with django_assert_num_queries(COUNTS["dashboard.rows"]):
            assert client.get("/dashboard/rows/?light=late").status_code == 200
