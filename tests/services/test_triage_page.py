"""批量分拣 in the admin: what is suggested, one button for many, a job for more, and what was not done with its reason."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import jobs
from core.jobs import JobRun
from core.models import Job, JobState
from partybuilding.models import Unit
from services.actions import triage, triage_jobs
from services.models import Category, Demand, DemandEvent, Desk, RouteMode, RoutingRule, SubOrder
from services.selectors.triage import suggestions
from tests.cast import Cast
from tests.factories import fresh, make_demand
from tests.services.test_admin_demands import signed_in
from tests.services.test_triage import many

pytestmark = pytest.mark.django_db
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
PAGE = "/admin/services/demand/triage/"


def rows(*demands: Demand, **each: Any) -> dict[str, Any]:
    """What the page sends of these rows when nothing is changed but `each`."""
    sent: dict[str, Any] = {"shown": [row.pk for row in demands]}
    for row in demands:
        values = {"version": row.version, "do": "dispatch", "category": row.category_id, "unit": "", "matter": ""}
        sent |= {f"{name}-{row.pk}": value for name, value in {**values, **each}.items()}
    return sent


def chosen_of(page: str, name: str, demand: Demand) -> tuple[str, str]:
    """Value and words of what a select of the page starts with, as a browser sees it."""
    [select] = re.findall(rf'<select name="{name}-{demand.pk}"[^>]*>(.*?)</select>', page, re.DOTALL)
    [(value, words)] = re.findall(r'<option value="([^"]*)"\s+selected\s*>([^<]*)<', select)
    return value, words


def state_of(demand: Demand) -> str:
    return Demand.objects.get(pk=demand.pk).state


def different(cast: Cast, count: int, **fields: Any) -> list[Demand]:
    """Demands that speak of nothing in common."""
    demands = many(cast, count, **fields)
    for number, row in enumerate(demands):
        row.title = row.text = "".join(chr(0x4E00 + number * 8 + letter) for letter in range(8))
    Demand.objects.bulk_update(demands, ["title", "text"])
    return demands


def alike(cast: Cast, *states: str) -> list[Demand]:
    """Demands that speak of the same matter, one in each of these states."""
    text = "3 号楼电梯停运三天，老人下不了楼。"
    return [make_demand(cast.a.building, cast.category, title="电梯停运", text=text, state=state) for state in states]


def test_the_page_offers_what_the_words_the_rules_and_the_past_say(cast: Cast) -> None:
    make_demand(cast.a.building, cast.categories["其他"], title="小区经常停水", text="已经停水三天。")
    ruled = make_demand(cast.a.building, cast.categories["环境卫生"], title="有人来信", text="请看附件。")
    RoutingRule.objects.create(county=cast.county, name="环卫", order=1, unit=cast.a.unit, mode=RouteMode.SUGGEST)
    page = signed_in(cast.a.secretary).get(PAGE).content.decode()
    assert "写到“停水”" in page
    assert "建议改" in page
    assert f'value="{cast.a.unit.name}"' in page
    RoutingRule.objects.all().delete()
    for _number in range(3):
        make_demand(cast.a.building, cast.categories["环境卫生"], state="closed_off", lead_unit=cast.a.supporting_unit)
    found = suggestions([ruled])[ruled.pk]
    assert (found.unit, found.category) == (cast.a.supporting_unit, None)
    assert "3 件" in found.unit_why


def test_ticked_rows_are_done_and_the_others_left(cast: Cast) -> None:
    first, second, third, left = many(cast, 4)
    sent = rows(first, second, third, left)
    sent |= {
        "row": [first.pk, second.pk, third.pk],
        f"unit-{first.pk}": cast.a.unit.name,
        f"category-{second.pk}": cast.categories["其他"].pk,
        f"do-{third.pk}": "link",
        f"matter-{third.pk}": left.code,
        "which": "rows",
    }
    answer = signed_in(cast.a.secretary).post(PAGE, sent)
    assert answer.status_code == 200
    assert "全部办好了" in answer.content.decode()
    assert [state_of(row) for row in (first, second, third, left)] == ["dispatched", "accepted", "linked", "registered"]
    second.refresh_from_db()
    assert second.category == cast.categories["其他"]
    assert SubOrder.objects.get().unit == cast.a.unit


def test_what_is_said_for_all_goes_before_what_stands_in_the_rows(cast: Cast) -> None:
    demands = many(cast, 3)
    sent = rows(*demands) | {"which": "page", "unit-all": cast.a.unit.name, "category-all": cast.categories["其他"].pk}
    signed_in(cast.a.secretary).post(PAGE, sent)
    assert SubOrder.objects.filter(unit=cast.a.unit).count() == 3
    assert set(Demand.objects.values_list("category__name", flat=True)) == {"其他"}


def test_a_slip_is_named_and_changes_nothing(cast: Cast) -> None:
    typed, stale, reasonless, linked, fine = many(cast, 5)
    sent = rows(typed, stale, reasonless, linked, fine) | {
        "which": "page",
        f"unit-{typed.pk}": "县住件局",
        f"version-{stale.pk}": 7,
        f"do-{reasonless.pk}": "decline",
        f"do-{linked.pk}": "link",
        f"matter-{linked.pk}": "20260101-999999",
    }
    page = signed_in(cast.a.secretary).post(PAGE, sent).content.decode()
    assert "有 4 条没有办成" in page
    assert "没有登记“县住件局”" in page
    assert "没有找到要并入的需求" in page
    assert [state_of(row) for row in (typed, stale, reasonless, linked, fine)] == ["registered"] * 4 + ["accepted"]
    assert DemandEvent.objects.count() == 1


def test_a_category_out_of_use_is_asked_for_and_never_chosen_by_the_browser(cast: Cast) -> None:
    old = cast.categories["环境卫生"]
    silent = make_demand(cast.a.building, old, title="有人来信", text="请看附件。")
    guessed = make_demand(cast.a.building, old, title="小区经常停水", text="已经停水三天。")
    fine = make_demand(cast.a.building, cast.category, title="另一封信", text="请看附件二。")
    Category.objects.filter(pk=old.pk).update(is_active=False)
    client = signed_in(cast.a.secretary)
    page = client.get(PAGE).content.decode()
    assert chosen_of(page, "category", silent) == ("", "（原类别已停用，请选）")
    assert chosen_of(page, "category", guessed) == (str(cast.categories["水电气暖"].pk), "水电气暖")
    assert chosen_of(page, "category", fine) == (str(cast.category.pk), cast.category.name)
    assert page.count("（原类别已停用，请选）") == page.count("原类别“环境卫生”已停用") == 2
    sent = rows(silent, fine) | {"which": "page", f"category-{silent.pk}": ""}
    answer = client.post(PAGE, sent).content.decode()
    assert "类别“环境卫生”已停用，请改选一个正在使用的类别后再受理" in answer
    assert (state_of(silent), state_of(fine)) == ("registered", "accepted")
    silent.refresh_from_db()
    assert silent.category == old
    assert not silent.events.exists()
    client.post(PAGE, sent | {"shown": [silent.pk], f"category-{silent.pk}": cast.category.pk})
    silent.refresh_from_db()
    assert (silent.state, silent.category) == ("accepted", cast.category)


def helped_rule(cast: Cast) -> RoutingRule:
    rule = RoutingRule.objects.create(
        county=cast.county, name="一起办", order=1, unit=cast.a.unit, mode=RouteMode.SUGGEST
    )
    rule.supporting.add(cast.a.supporting_unit)
    return rule


def orders_of(demand: Demand) -> list[tuple[str, Unit]]:
    return [(row.role, row.unit) for row in demand.suborders.select_related("unit").order_by("role")]


def test_whom_a_rule_adds_goes_along_with_its_unit_and_with_no_other(cast: Cast) -> None:
    followed, short, changed, other = many(cast, 4)
    Unit.objects.filter(pk=cast.a.unit.pk).update(short_name="本单位")
    helped_rule(cast)
    client = signed_in(cast.a.secretary)
    page = client.get(PAGE).content.decode()
    assert page.count(f"配合：{cast.a.supporting_unit.label}") == 4
    sent = rows(followed, short, changed, other, unit=cast.a.unit.name) | {"which": "page"}
    sent |= dict(re.findall(r'name="((?:suggested|supporting)-\d+)"\s+value="([^"]*)"', page))
    sent |= {f"unit-{changed.pk}": cast.a.supporting_unit.name, f"unit-{short.pk}": "本单位"}
    sent |= {f"supporting-{other.pk}": "没有这个单位"}
    answer = client.post(PAGE, sent).content.decode()
    assert orders_of(followed) == orders_of(short) == [("lead", cast.a.unit), ("supporting", cast.a.supporting_unit)]
    assert orders_of(changed) == [("lead", cast.a.supporting_unit)]
    assert (orders_of(other), state_of(other)) == ([], "registered")
    assert "没有登记“没有这个单位”" in answer
    assert f"派单 → 本单位；配合：{cast.a.supporting_unit.label}" in answer


def test_the_rest_takes_along_whom_a_rule_adds(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.views.admin_triage.PAGE", 1)
    shown, *others = different(cast, 3)
    helped_rule(cast)
    signed_in(cast.a.secretary).post(PAGE, rows(shown, do="") | {"which": "page", "rest": "1", "rest_do": "dispatch"})
    assert state_of(shown) == "registered"
    for row in others:
        assert orders_of(row) == [("lead", cast.a.unit), ("supporting", cast.a.supporting_unit)]


def test_a_row_whose_rule_names_a_desk_says_so_and_is_only_accepted(cast: Cast) -> None:
    demand = make_demand(cast.a.building, cast.category, title="有人来信")
    RoutingRule.objects.create(county=cast.county, name="大事", order=1, desk=Desk.STREET, mode=RouteMode.SUGGEST)
    client = signed_in(cast.a.secretary)
    page = client.get(PAGE).content.decode()
    assert "规则：由街道办理" in page
    assert "规则“大事”：适用于所有需求" in page
    client.post(PAGE, rows(demand) | {"which": "page"})
    assert (state_of(demand), orders_of(demand)) == ("accepted", [])


def test_orders_read_all_they_name_in_three_statements(cast: Cast, django_assert_num_queries: Any) -> None:
    plans = [[1, 1, [["dispatch", {"unit": cast.a.unit.pk, "supporting": [cast.a.supporting_unit.pk, 10**9]}]]]]
    with django_assert_num_queries(1):
        [order] = triage_jobs.orders_of(plans)
    assert order.steps == [("dispatch", {"unit": cast.a.unit, "supporting": [cast.a.supporting_unit]})]


def test_only_own_demands_are_shown_and_done(cast: Cast) -> None:
    mine = make_demand(cast.a.building, cast.category, title="我的事")
    foreign = make_demand(cast.b.building, cast.category, title="邻居的事")
    client = signed_in(cast.a.secretary)
    page = client.get(PAGE).content.decode()
    assert "我的事" in page and "邻居的事" not in page
    answer = client.post(PAGE, rows(mine, foreign) | {"which": "page"})
    assert "邻居的事" not in answer.content.decode()
    assert (state_of(mine), state_of(foreign)) == ("accepted", "registered")
    # A street dispatches what was accepted, in any of its communities.
    page = signed_in(cast.street_officer).get(PAGE).content.decode()
    assert "我的事" in page and "邻居的事" not in page
    assert signed_in(cast.auditor).get(PAGE).status_code == 403
    assert client.get(f"{PAGE}?state=nonsense").status_code in (200, 302)


def test_the_whole_filter_goes_as_a_job_that_is_shown_to_its_owner_alone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr("services.views.admin_triage.PAGE", 5)
    many(cast, 130)
    client = signed_in(cast.a.secretary)
    page = client.get(PAGE)
    assert "125 条" in page.content.decode()
    shown = [line.demand for line in page.context["lines"]]
    answer = client.post(PAGE, rows(*shown) | {"which": "page", "rest": "1", "rest_do": "accept"})
    assert answer.status_code == 302
    job = Job.objects.get()
    assert signed_in(cast.a.officer).get(f"{PAGE}{job.pk}/").status_code == 404
    assert "可以关掉这一页" in client.get(f"{PAGE}{job.pk}/").content.decode()
    jobs.run(job.pk)
    assert "全部办好了" in client.get(f"{PAGE}{job.pk}/").content.decode()
    assert Demand.objects.filter(state="accepted").count() == 130
    assert Job.objects.get().state == JobState.DONE


def test_what_is_likely_known_already_starts_with_being_left_alone(cast: Cast) -> None:
    one, other = alike(cast, "registered", "accepted")
    [alone] = different(cast, 1)
    client = signed_in(cast.a.secretary)
    page = client.get(PAGE).content.decode()
    assert chosen_of(page, "do", one) == chosen_of(page, "do", other) == ("", "先不办")
    assert chosen_of(page, "do", alone)[0] == "dispatch"
    assert re.search(rf'name="matter-{one.pk}"[^>]*value="{other.code}"', page)
    assert "请定是并案，还是单独办理" in page
    # What is said for all of the page is not said of what was left; whoever ticks it means it.
    sent = rows(one, other, alone) | {f"do-{one.pk}": "", f"do-{other.pk}": "", "do-all": "dispatch"}
    client.post(PAGE, sent | {"which": "page", "unit-all": cast.a.unit.name})
    assert [state_of(row) for row in (one, other, alone)] == ["registered", "accepted", "dispatched"]
    client.post(PAGE, sent | {"which": "rows", "row": [one.pk], "unit-all": cast.a.unit.name})
    assert [state_of(row) for row in (one, other)] == ["dispatched", "accepted"]


@pytest.mark.parametrize("mode", RouteMode.values)
@pytest.mark.parametrize(
    ("chosen", "alone"), [("dispatch", "dispatched"), ("publish", "published"), ("accept", "accepted")]
)
def test_the_rest_does_no_more_than_accept_what_is_likely_known(cast: Cast, mode: str, chosen: str, alone: str) -> None:
    RoutingRule.objects.create(county=cast.county, name="都派", order=1, unit=cast.a.unit, mode=mode)
    twins = alike(cast, "registered", "registered", "accepted")
    [single] = different(cast, 1)
    answer = signed_in(cast.a.secretary).post(PAGE, {"which": "rows", "rest": "1", "rest_do": chosen}).content.decode()
    assert [state_of(row) for row in twins] == ["accepted"] * 3
    assert state_of(single) == ("dispatched" if (mode, chosen) == ("auto", "accept") else alone)
    assert SubOrder.objects.filter(demand__in=twins).count() == 0
    assert "其余各条中有 2 条可能重复，只受理，没有派单、没有发布" in answer
    assert ("有 1 条早已受理、可能重复，这次没有动" in answer) == (chosen != "accept")


def test_a_job_holds_what_is_likely_known_and_says_how_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.views.admin_triage.AT_ONCE", 1)
    monkeypatch.setattr(triage, "BATCH", 2)
    RoutingRule.objects.create(county=cast.county, name="都派", order=1, unit=cast.a.unit, mode=RouteMode.AUTO)
    twins, singles = alike(cast, "registered", "registered", "accepted"), different(cast, 3)
    client = signed_in(cast.a.secretary)
    client.post(PAGE, {"which": "rows", "rest": "1", "rest_do": "dispatch"})
    jobs.run(Job.objects.get().pk)
    assert {state_of(row) for row in twins} == {"accepted"}
    assert {state_of(row) for row in singles} == {"dispatched"}
    page = client.get(f"{PAGE}{Job.objects.get().pk}/").content.decode()
    assert "有 2 条可能重复，只受理" in page
    assert "有 1 条早已受理、可能重复" in page


def test_a_result_that_did_nothing_says_why(cast: Cast) -> None:
    different(cast, 2, state="accepted")
    answer = signed_in(cast.a.secretary).post(PAGE, {"which": "rows", "rest": "1", "rest_do": "dispatch"})
    page = answer.content.decode()
    assert "有 2 条早已受理、没有建议单位，这次没有动" in page
    assert "全部办好了" not in page and "没有勾选任何需求" not in page


def test_what_is_not_on_the_page_is_taken_in_turns_until_all_of_it_is_done(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.views.admin_triage.PAGE", 2)
    monkeypatch.setattr(triage, "MOST", 6)
    different(cast, 15)
    client = signed_in(cast.a.secretary)
    left = []
    for _turn in range(4):
        page = client.get(f"{PAGE}?p=2")
        shown = [line.demand for line in page.context["lines"]]
        answer = client.post(f"{PAGE}?p=2", rows(*shown) | {"which": "page", "rest": "1", "rest_do": "accept"})
        assert answer.status_code == 200
        left.append(Demand.objects.filter(state="registered").count())
    assert left == [9, 5, 1, 0]


def test_the_number_beside_a_choice_is_the_number_it_does(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.views.admin_triage.PAGE", 2)
    monkeypatch.setattr(triage, "MOST", 8)
    demands = different(cast, 12)
    Demand.objects.filter(pk__in=[row.pk for row in demands[:7]]).update(state="accepted")
    client = signed_in(cast.a.secretary)
    page = client.get(PAGE)
    words = dict(page.context["rest_choices"])
    assert words["accept"] == "只受理（5 条）"
    assert words["dispatch"] == "按建议受理、派单（共 10 条，这次最多 6 条）"
    shown = [line.demand for line in page.context["lines"]]
    client.post(PAGE, rows(*shown, do="") | {"which": "page", "rest": "1", "rest_do": "publish"})
    assert Demand.objects.filter(state="published").count() == 6
    # Nothing is left for a choice that has no step for what waits.
    Demand.objects.filter(state="registered").update(state="declined")
    assert list(dict(client.get(PAGE).context["rest_choices"])) == ["dispatch", "publish"]
    Demand.objects.exclude(pk__in=[row.pk for row in shown]).update(state="declined")
    assert "不在本页的" not in client.get(PAGE).content.decode()


def test_what_has_no_unit_does_not_keep_others_from_theirs(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triage, "MOST", 4)
    different(cast, 6, state="accepted")
    ruled = make_demand(cast.a.building, cast.categories["其他"], title="别的事", text="请看附件。", state="accepted")
    rule = RoutingRule.objects.create(
        county=cast.county, name="其他", order=1, unit=cast.a.unit, mode=RouteMode.SUGGEST
    )
    rule.categories.add(ruled.category)
    signed_in(cast.a.secretary).post(PAGE, {"which": "rows", "rest": "1", "rest_do": "dispatch"})
    assert state_of(ruled) == "dispatched"
    assert Demand.objects.filter(state="accepted").count() == 6


def test_a_worker_that_takes_over_goes_on_after_the_last_batch_that_stands(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triage, "BATCH", 4)
    demands = many(cast, 10)
    plans = [[row.pk, row.version, [["accept", {}]]] for row in demands]
    job = triage_jobs.submit_triage(
        actor=fresh(cast.a.secretary), plans=plans, refused=[[1, "x", "y", "", "没有这个单位"]]
    )
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, attempts=1)
    real, batches = triage._batch, []

    def dies(*args: Any) -> Any:
        if len(batches) == 2:
            raise KeyboardInterrupt
        batches.append(1)
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(triage, "_batch", dies)
        with pytest.raises(KeyboardInterrupt):
            triage_jobs.run_triage(JobRun(Job.objects.get(pk=job.pk)))
    assert Demand.objects.filter(state="accepted").count() == 8
    report = triage_jobs.run_triage(JobRun(Job.objects.get(pk=job.pk)))["triage"]
    assert (report["total"], report["done"], len(report["refused"])) == (11, 10, 1)
    assert DemandEvent.objects.filter(name="accept").count() == 10


def test_an_automatic_rule_is_followed_after_triage_as_after_a_single_acceptance(cast: Cast) -> None:
    RoutingRule.objects.create(county=cast.county, name="自动", order=1, unit=cast.a.unit, mode=RouteMode.AUTO)
    demands = many(cast, 3)
    triage.triage(
        actor=fresh(cast.a.secretary), orders=[triage.Order(row.pk, row.version, [("accept", {})]) for row in demands]
    )
    assert set(Demand.objects.values_list("state", "lead_unit")) == {("dispatched", cast.a.unit.pk)}
    assert set(DemandEvent.objects.filter(name="dispatch").values_list("actor_kind", flat=True)) == {"system"}


def asked(client: Client) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(PAGE).status_code == 200
    return len(captured)


def test_two_hundred_rows_ask_what_three_ask(cast: Cast) -> None:
    RoutingRule.objects.create(county=cast.county, name="环卫", order=1, unit=cast.a.unit, mode=RouteMode.SUGGEST)
    many(cast, 3)
    client = signed_in(cast.a.secretary)
    asked(client)
    few = asked(client)
    Demand.objects.all().delete()
    many(cast, 60)
    assert asked(client) == few == COUNTS["admin triage"]


def read(client: Client, sent: dict[str, Any]) -> int:
    """How often a POST reads: SQLite writes many rows in several statements, however they are given to it."""
    with CaptureQueriesContext(connection) as captured:
        assert client.post(PAGE, sent).status_code == 200
    return sum(query["sql"].lstrip("(").startswith("SELECT") for query in captured.captured_queries)


def test_the_rest_of_forty_reads_what_that_of_four_reads(cast: Cast) -> None:
    helped_rule(cast)
    client = signed_in(cast.a.secretary)
    sent = {"which": "rows", "rest": "1", "rest_do": "dispatch"}
    different(cast, 4)
    read(client, sent)
    counts = []
    for size in (4, 40):
        for model in (DemandEvent, SubOrder, Demand):
            model.objects.all().delete()
        different(cast, size)
        counts.append(read(client, sent))
        assert Demand.objects.filter(state="dispatched").count() == size
    assert counts == [COUNTS["admin triage, the rest"]] * 2
