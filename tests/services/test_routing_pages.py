"""Rules on the desk: shown to everybody there, previewed before they are saved, ordered by plain buttons."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import User
from services.models import CategoryLearning, OutsideMatter, RoutingRule
from tests.cast import Cast
from tests.services.test_routing_rules import leak, make_rule

pytestmark = pytest.mark.django_db
ADD = "/admin/services/routingrule/add/"
PREVIEW = "/admin/services/routingrule/preview/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def form(**fields: Any) -> dict[str, Any]:
    return {"name": "小区事项", "time": "any", "mode": "suggest", "is_active": "on", **fields}


class TestOneRule:
    def test_it_is_previewed_and_then_saved(self, cast: Cast) -> None:
        leak(cast)
        make_rule(cast, "兜底", order=90, unit=cast.a.supporting_unit)
        RoutingRule.objects.update(order=5)
        client = signed_in(cast.department)
        sent = form(unit=cast.a.unit.name, words="漏水、停水", levels=["compound"])
        page = client.post(ADD, sent)
        assert page.status_code == 200
        assert "现在没有未派单的需求会按这条规则派" in text_of(page), "the rule before it takes it"
        RoutingRule.objects.update(words=["电梯"])
        page = client.post(ADD, sent)
        text = text_of(page)
        assert "这 1 条未派单的需求会派给" in text
        assert "规则“小区事项”：地点在小区内，内容提到“漏水”" in text
        assert "没有建议 → 县住建局" in text
        assert RoutingRule.objects.count() == 1, "nothing is saved before it is confirmed"
        seal = re.search(r'name="seen" value="(\w+)"', page.content.decode())
        assert seal is not None
        done = client.post(ADD, {**sent, "seen": seal[1]})
        rule = RoutingRule.objects.get(name="小区事项")
        assert done.url == reverse("admin:services_routingrule_change", args=[rule.pk])  # type: ignore[attr-defined]
        assert (rule.words, rule.levels, rule.unit) == (["漏水", "停水"], ["compound"], cast.a.unit)

    def test_what_is_wrong_is_said_beside_its_field(self, cast: Cast) -> None:
        page = signed_in(cast.department).post(ADD, form())
        assert "请写明派给哪个单位" in text_of(page)
        assert not RoutingRule.objects.exists()

    def test_its_page_shows_what_it_sends_and_what_is_gone(self, cast: Cast) -> None:
        leak(cast)
        rule = make_rule(cast, unit=cast.a.unit, supporting=[cast.a.supporting_unit], categories=[cast.category])
        url = reverse("admin:services_routingrule_change", args=[rule.pk])
        page = signed_in(cast.a.officer).get(url)
        text = text_of(page)
        assert "这 1 条未派单的需求会派给……" in text
        assert "县住建局；配合：县水务局" in text
        assert "/do/edit/" not in page.content.decode()
        cast.category.is_active = False
        cast.category.save()
        text = text_of(signed_in(cast.department).get(url))
        assert "失效" in text
        assert "类别“水电气暖”已停用" in text

    def test_the_form_of_a_change_holds_what_stands(self, cast: Cast) -> None:
        rule = make_rule(cast, unit=cast.a.unit, supporting=[cast.a.supporting_unit], words=["漏水"], node=cast.a.node)
        url = reverse("admin:services_routingrule_deed", args=[rule.pk, "edit"])
        html = signed_in(cast.department).get(url).content.decode()
        for value in ("县住建局", "县水务局", 'value="漏水"', cast.a.node.path):
            assert value in html


class TestAllRules:
    def test_the_preview_is_by_rule_and_unit(self, cast: Cast) -> None:
        for _number in range(3):
            leak(cast)
        leak(cast, title="门坏了", text="单元门坏了")
        leak(cast, state="dispatched")
        make_rule(cast, order=10, unit=cast.a.unit, words=["漏水"])
        text = text_of(signed_in(cast.department).get(PREVIEW))
        assert "未派单的需求 4 条，3 条有规则" in text
        assert "这 3 条未派单的需求会派给： 县住建局" in text
        assert "没有规则符合的 1 条" in text

    def test_who_sees_no_demands_is_not_told_that_none_wait(self, cast: Cast) -> None:
        leak(cast)
        make_rule(cast, order=10, unit=cast.a.unit, words=["漏水"])
        text = text_of(signed_in(cast.admin).get(PREVIEW))
        assert "内容含有：漏水" in text
        assert "未派单的需求" not in text

    def test_it_costs_the_same_for_one_and_for_many(self, cast: Cast) -> None:
        make_rule(cast, order=10, unit=cast.a.unit, words=["漏水"], levels=["compound"])
        leak(cast)
        client = signed_in(cast.department)

        def cost() -> int:
            with CaptureQueriesContext(connection) as seen:
                assert client.get(PREVIEW).status_code == 200
            return len(seen)

        first = cost()
        first = cost()
        for _number in range(5):
            leak(cast)
        assert cost() == first <= 32

    def test_the_order_is_changed_by_the_department_alone(self, cast: Cast) -> None:
        rules = [make_rule(cast, name, order=10 * number, unit=cast.a.unit) for number, name in enumerate("一二三", 1)]
        client = signed_in(cast.department)
        assert 'name="up"' in client.get(PREVIEW).content.decode()
        assert client.post(PREVIEW, {"up": rules[2].pk}).status_code == 302
        assert list(RoutingRule.objects.values_list("name", flat=True)) == ["一", "三", "二"]
        officer = signed_in(cast.a.officer)
        assert 'name="up"' not in officer.get(PREVIEW).content.decode()
        assert officer.post(PREVIEW, {"down": rules[0].pk}).status_code == 403
        assert client.post(PREVIEW, {"down": "abc"}).status_code == 404
        assert list(RoutingRule.objects.values_list("name", flat=True)) == ["一", "三", "二"]

    def test_an_empty_county_is_told_what_to_do(self, cast: Cast) -> None:
        assert "还没有规则" in text_of(signed_in(cast.department).get(PREVIEW))


def test_an_outside_matter_is_added_and_changed(cast: Cast) -> None:
    client = signed_in(cast.department)
    sent = {"name": "违法建设拆除", "basis": "县清单第 3 项", "words": "违建 违章建筑", "is_active": "on"}
    assert client.post("/admin/services/outsidematter/add/", sent).status_code == 302
    matter = OutsideMatter.objects.get()
    assert matter.words == ["违建", "违章建筑"]
    url = reverse("admin:services_outsidematter_deed", args=[matter.pk, "edit"])
    assert client.post(url, {**sent, "version": 1, "is_active": ""}).status_code == 302
    matter.refresh_from_db()
    assert not matter.is_active
    old = client.post(url, {**sent, "version": 1})
    assert old.status_code == 409


def test_what_was_learned_says_how_often_it_was_right_and_on_how_few(cast: Cast) -> None:
    row = CategoryLearning.objects.create(
        county=cast.county, examples=40, tried=10, right=8, counts={str(cast.category.pk): {"": 40, "漏水": 12}}
    )
    url = reverse("admin:services_categorylearning_change", args=[row.pk])
    text = text_of(signed_in(cast.department).get(url))
    assert "8/10（80%），检验的太少，仅供参考" in text
    assert "水电气暖" in text


class TestByKey:
    def test_rules_matters_and_learning_are_listed(self, cast: Cast) -> None:
        make_rule(cast, unit=cast.a.unit, categories=[cast.category], words=["漏水"])
        OutsideMatter.objects.create(county=cast.county, name="违法建设拆除", words=["违建"])
        CategoryLearning.objects.create(county=cast.county, tried=5, right=4)
        client = signed_in(cast.a.officer)
        [rule] = client.get("/api/v1/routing-rules/").json()["results"]
        assert (rule["unit"], rule["categories"], rule["faults"]) == ("县住建局", ["水电气暖"], [])
        assert client.get("/api/v1/outside-matters/").json()["results"][0]["words"] == ["违建"]
        assert client.get("/api/v1/category-learning/").json()["results"][0]["right"] == 4

    def test_a_rule_is_tried_before_it_is_saved(self, cast: Cast) -> None:
        demand = leak(cast)
        client = signed_in(cast.department)
        body = {"unit": cast.a.unit.pk, "words": ["漏水"], "node": cast.a.node.code}
        found = client.post("/api/v1/routing-rules/preview/", body, "application/json").json()
        assert [(group["to"], group["count"]) for group in found["groups"]] == [("县住建局", 1)]
        assert found["changed"] == [{"code": demand.code, "before": "", "after": "县住建局"}]
        assert not RoutingRule.objects.exists()
        officer = signed_in(cast.a.officer)
        assert officer.post("/api/v1/routing-rules/preview/", body, "application/json").status_code in (403, 404)
        wrong = client.post("/api/v1/routing-rules/preview/", {**body, "unit": 10**6}, "application/json")
        assert wrong.status_code == 400
        assert "unit" in wrong.json()["fields"]

    def test_one_sees_in_a_preview_only_what_one_sees(self, cast: Cast) -> None:
        make_rule(cast, desk="street")
        leak(cast)
        leak(cast, node=cast.b.building)
        assert signed_in(cast.department).get("/api/v1/routing-rules/preview/").json()["total"] == 2
        assert signed_in(cast.a.officer).get("/api/v1/routing-rules/preview/").json()["total"] == 1
        assert signed_in(cast.nobody).get("/api/v1/routing-rules/preview/").json()["total"] == 0

    def test_a_demand_comes_with_what_is_suggested(self, cast: Cast) -> None:
        make_rule(cast, unit=cast.a.unit, words=["漏水"])
        first, second = leak(cast), leak(cast)
        found = signed_in(cast.a.officer).get(f"/api/v1/demands/{second.code}/suggestions/").json()
        assert (found["to"], found["unit"]) == (cast.a.unit.label, cast.a.unit.pk)
        assert [one["code"] for one in found["duplicates"]] == [first.code]
        assert signed_in(cast.a.keeper).get(f"/api/v1/demands/{second.code}/suggestions/").status_code == 403
