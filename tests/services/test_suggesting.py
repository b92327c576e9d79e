"""Categories learned from the county's own demands; texts compared; likely duplicates found."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from core.actors import SYSTEM
from core.models import AuditEntry
from services.actions.learning import learn_categories, learn_county
from services.models import CategoryLearning, Demand
from services.selectors.duplicates import likely, likely_many
from services.suggesting import Model, learn, suggest
from services.suggesting.bayes import TEXTS
from services.suggesting.grams import grams, words_behind
from services.suggesting.likeness import Corpus
from tests import factories as make
from tests.cast import Cast

RUBBISH = ["垃圾堆在楼下没人清运", "垃圾桶满了，气味很大", "垃圾清运不及时，蚊虫多", "楼下垃圾堆了三天"]
WATER = ["水管漏水，厨房积水", "自来水停水两天", "水管爆裂，楼道漏水", "家里停水，水压很低"]


def teach(cast: Cast, times: int = 5) -> None:
    for _number in range(times):
        for category, texts in (("环境卫生", RUBBISH), ("水电气暖", WATER)):
            for text in texts:
                make.make_demand(
                    cast.a.building, cast.categories[category], state="closed_off", title=text[:6], text=text
                )


class TestText:
    def test_pairs_of_neighbours_without_numbers(self) -> None:
        assert grams("3号楼电梯坏了，12345 Wifi") == {"号楼", "楼电", "电梯", "梯坏", "坏了", "wifi"}
        assert grams("") == grams("好") == set()

    def test_words_are_put_together_again(self) -> None:
        weights = dict.fromkeys(["电梯", "物业", "业费"], 1.0)
        assert words_behind("电梯坏了，物业费白交", weights) == ["物业费", "电梯"]

    @settings(max_examples=60, deadline=None)
    @given(text=st.text(alphabet="电梯坏了物业费 ，。abc12", max_size=60))
    def test_any_text_is_read_and_its_words_stand_in_it(self, text: str) -> None:
        found = grams(text)
        assert all(gram in text for gram in found)
        assert all(word in text for word in words_behind(text, dict.fromkeys(found, 1.0)))


class TestCounting:
    def test_what_was_counted_decides_and_says_why(self) -> None:
        model = Model(learn([(1, text) for text in RUBBISH * 3] + [(2, text) for text in WATER * 3]))
        [best, *_rest] = model.guesses("水管又漏水了")
        assert best.category == 2
        assert any("漏水" in word or "水管" in word for word in best.words)
        assert 0 < best.share <= 1
        assert model.guesses("天气不错") == []

    def test_the_order_of_what_is_read_does_not_matter(self) -> None:
        examples = [(1, text) for text in RUBBISH * 2] + [(2, text) for text in WATER * 2]
        assert learn(examples) == learn(reversed(examples))

    def test_a_category_with_too_few_texts_is_left_out(self) -> None:
        counts = learn([(1, text) for text in RUBBISH * 2] + [(2, WATER[0])])
        assert list(counts) == ["1"]
        assert counts["1"][TEXTS] == 8
        assert not Model(counts).is_ready
        assert Model(counts).guesses("垃圾") == Model({}).guesses("垃圾") == []

    def test_only_the_categories_asked_for_are_answered(self) -> None:
        counts = learn(
            [(number, text) for number, texts in ((1, RUBBISH), (2, WATER), (3, WATER)) for text in texts * 2]
        )
        assert {one.category for one in Model(counts, only=[1, 2]).guesses("水管漏水")} <= {1, 2}


@pytest.mark.django_db
class TestCategories:
    def test_untaught_nothing_is_said(self, cast: Cast) -> None:
        assert suggest(cast.county.pk, ["水管漏水", ""]) == [[], []]

    def test_the_countys_own_history_speaks(self, cast: Cast) -> None:
        teach(cast)
        assert learn_categories() == 1
        row = CategoryLearning.objects.get()
        assert row.examples == 40
        assert 0 < row.tried < 40
        assert row.right == row.tried
        water, unsure, nothing = suggest(cast.county.pk, ["厨房水管漏水", "垃圾 水管", "你好"])
        assert water[0].category_id == cast.category.pk
        assert water[0].share > 0.6
        assert water[0].words
        assert nothing == []
        assert len(unsure) <= 2
        assert suggest(cast.other_county.pk, ["厨房水管漏水"]) == [[]]

    def test_learning_twice_changes_nothing(self, cast: Cast) -> None:
        teach(cast)
        learn_categories()
        assert learn_categories() == 0
        assert CategoryLearning.objects.count() == 1
        assert AuditEntry.objects.filter(action="category.learn").count() == 1

    def test_a_retired_category_is_never_suggested(self, cast: Cast) -> None:
        teach(cast)
        other = cast.categories["其他"]
        for _number in range(10):
            make.make_demand(cast.a.building, other, state="accepted", title="咨询", text="请问办证要什么材料")
        learn_county(actor=SYSTEM, county=cast.county)
        assert suggest(cast.county.pk, ["水管漏水"])[0]
        cast.category.is_active = False
        cast.category.save()
        assert all(one.category_id != cast.category.pk for one in suggest(cast.county.pk, ["水管漏水"])[0])
        learn_county(actor=SYSTEM, county=cast.county)
        assert str(cast.category.pk) not in CategoryLearning.objects.get().counts

    def test_what_was_sent_away_or_waits_teaches_nothing(self, cast: Cast) -> None:
        teach(cast)
        Demand.objects.update(state="declined")
        assert learn_categories() == 0
        assert not CategoryLearning.objects.exists()

    def test_a_few_examples_are_not_spoken_of(self, cast: Cast) -> None:
        teach(cast, times=2)
        learn_categories()
        assert suggest(cast.county.pk, ["水管漏水"]) == [[]]


def test_alike_is_alike_whatever_else_is_said() -> None:
    corpus = Corpus(["电梯停运三天", "电梯停运，老人下不了楼", "垃圾没人清运", "电梯停运三天", ""])
    [near, empty] = corpus.nearest([0, 4], range(5), least=0.3)
    alike = dict(near)
    assert round(alike[3], 3) == 1
    assert 0.3 <= alike[1] < 1
    assert 2 not in alike
    assert empty == []
    many = corpus.nearest([0, 4] * 5, range(5), least=0.3)
    assert [(at, round(value, 6)) for at, value in many[0]] == [(at, round(value, 6)) for at, value in near]
    assert many[1] == []
    assert Corpus([]).nearest([], [], least=0.1) == []


def lift(cast: Cast, **fields: Any) -> Demand:
    given_fields = {"title": "电梯停运", "text": "3 号楼电梯停运三天，老人下不了楼。", "state": "accepted", **fields}
    return make.make_demand(given_fields.pop("node", cast.a.building), cast.category, **given_fields)


@pytest.mark.django_db
class TestDuplicates:
    def test_the_same_matter_is_found_with_its_reasons(self, cast: Cast) -> None:
        first = lift(cast)
        second = lift(cast, title="电梯坏了", text="电梯停运三天了，老人没法下楼，请维修。", node=cast.a.other_building)
        make.make_demand(cast.a.building, cast.category, title="楼道灯", text="楼道灯不亮")
        [found] = likely(second)
        assert found.demand == first
        assert found.may_take
        assert 38 <= found.score < 75
        assert any("电梯停运三天" in words for words in found.why)
        assert "地点相邻" in found.why
        assert "同一类别" in found.why

    def test_the_same_telephone_and_place_weigh_more(self, cast: Cast) -> None:
        lift(cast, contact_phone="13900000001")
        lift(cast, node=cast.a.other_building)
        best, other = likely(lift(cast, contact_phone="13900000001"))
        assert best.score > other.score
        assert "同一联系电话" in best.why
        assert "13900000001" not in "".join(best.why)

    @pytest.mark.parametrize("state", ["declined", "withdrawn", "linked"])
    def test_what_has_no_answer_is_left_out(self, cast: Cast, state: str) -> None:
        lift(cast, state=state)
        assert likely(lift(cast)) == []

    def test_what_is_old_long_closed_or_elsewhere_is_left_out(self, cast: Cast) -> None:
        now = timezone.now()
        lift(cast, registered_at=now - datetime.timedelta(days=61))
        lift(cast, state="closed_off", closed_at=now - datetime.timedelta(days=11))
        lift(cast, node=cast.b.building)
        assert likely(lift(cast)) == []

    def test_one_closed_a_little_while_ago_is_shown_and_takes_nothing_in(self, cast: Cast) -> None:
        lift(cast, state="closed_off", closed_at=timezone.now())
        [found] = likely(lift(cast))
        assert not found.may_take

    def test_many_cost_as_much_as_one(self, cast: Cast) -> None:
        for _number in range(4):
            lift(cast)
            lift(cast, node=cast.b.building)
        rows = list(Demand.objects.select_related("node"))

        def cost(some: list[Demand]) -> int:
            with CaptureQueriesContext(connection) as seen:
                assert set(likely_many(some)) == {row.pk for row in some}
            return len(seen)

        assert cost(rows[:1]) == cost(rows) == 2

    def test_no_demand_no_question(self, cast: Cast) -> None:
        assert likely_many([]) == {}
