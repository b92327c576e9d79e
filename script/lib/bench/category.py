"""Suggestions: how often the suggested category is right on texts it has not seen, and what looking for duplicates costs.

The texts are made up, or those of a table that is named (编号, 日期, 来源渠道, 性质, 地点, 标题, 内容 ...), read where it lies. Two
ways to label them, both told: the 性质 the desk wrote down, and the category the words of `services.category_words` give.
Part of script/bench.
"""

import csv
import random
import statistics
import time
from collections import Counter
from pathlib import Path

CANDIDATES = 2000
ROUNDS = 3
LABELLED = "性质", "类别（按 services.category_words 的关键词贴的）"


def report(table: Path | None) -> None:
    from services.category_words import FALLBACK, WORDS, guesser

    guess = guesser([*WORDS, FALLBACK])
    if table is None:
        made = _made_up()
        print(f"类别：编的 {len(made)} 条（用词固定，只说明程序没有坏；真实的用 --requests 表格）")
        _trial("类别", [label for label, _text in made], [text for _label, text in made])
        texts = [text for _label, text in made]
    else:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("内容")]
        texts = [f"{row.get('标题', '')}\n{row['内容']}" for row in rows]
        print(f"类别：{table.name}，{len(rows)} 条，一半学、一半考")
        _trial(LABELLED[0], [row.get("性质", "") for row in rows], texts)
        print("  “性质”说的是怎么反映（投诉、咨询），不是什么事：认不出来不奇怪。")
        _trial(LABELLED[1], [guess(row.get("标题", ""), row["内容"]) for row in rows], texts)
        print("  关键词贴的类别有现成的词可循，比人贴的好认：这个数偏高。")
    _duplicates(texts)


def _trial(name: str, labels: list[str], texts: list[str]) -> None:
    from services.suggesting import SURE, Model, learn

    names = sorted(set(labels))
    half = [at for at in range(len(texts)) if at % 2 == 0]
    rest = [at for at in range(len(texts)) if at % 2]
    began = time.perf_counter()
    model = Model(learn((names.index(labels[at]), texts[at]) for at in half))
    learned = time.perf_counter() - began
    usual = Counter(labels[at] for at in half).most_common(1)[0][0]
    first = third = sure = right = 0
    began = time.perf_counter()
    for at in rest:
        found = model.guesses(texts[at])
        said = [names[one.category] for one in found]
        first += said[:1] == [labels[at]]
        third += labels[at] in said
        if found and found[0].share >= SURE:
            sure += 1
            right += said[0] == labels[at]
    asked = (time.perf_counter() - began) * 1000 / len(rest)
    base = sum(labels[at] == usual for at in rest)

    def share(part: int, whole: int) -> str:
        return f"{part}/{whole}（{part / whole:.1%}）" if whole else "0"

    print(f"  按{name}，{len(names)} 类：")
    print(f"    第一个就对 {share(first, len(rest))}，前三个里有 {share(third, len(rest))}")
    print(f"    一律猜“{usual}” {share(base, len(rest))}")
    print(f"    有把握才说：说了 {share(sure, len(rest))}，说对 {share(right, sure)}")
    print(f"    学 {len(half)} 条用 {learned * 1000:.0f} 毫秒，判断一条 {asked:.2f} 毫秒")


def _made_up() -> list[tuple[str, str]]:
    from match import MATTERS, PEOPLE

    rng = random.Random(1)
    drawn = [(name, rng.choice(MATTERS[name][0])) for name in (rng.choice(list(MATTERS)) for _each in range(600))]
    return [(name, f"{what}，{rng.choice(PEOPLE)}，{rng.choice(PEOPLE)}") for name, what in drawn]


def _duplicates(texts: list[str]) -> None:
    """One demand beside 2,000 of its community, and 2,000 at once, from the database to the answer."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from services.models import Demand
    from services.selectors.duplicates import likely, likely_many
    from tests import factories as make
    from tests.factories import spec

    county = make.make_county("查重县", "610922")
    category = make.make_categories(county)["其他"]
    compounds = [spec("compound", f"第{number}小区") for number in range(20)]
    nodes = make.grow(county, spec("street", "查重街道", spec("community", "查重社区", *compounds)))
    rng = random.Random(2)
    doors = [node for node in nodes if node.level_key == "compound"]
    Demand.objects.bulk_create(
        Demand(
            county=county,
            node=(node := rng.choice(doors)),
            community_id=node.community_id,
            code=f"20260103-{number:06d}",
            follow_code=f"d{number:011d}",
            category=category,
            title=texts[number % len(texts)].partition("\n")[0][:80],
            text=texts[number % len(texts)][:2000],
        )
        for number in range(CANDIDATES)
    )
    rows = list(Demand.objects.filter(county=county).select_related("node"))
    spent: dict[str, list[float]] = {"一条": [], f"{CANDIDATES} 条一起": []}
    for _round in range(ROUNDS):
        for name, some in (("一条", rows[:1]), (f"{CANDIDATES} 条一起", rows)):
            began = time.perf_counter()
            with CaptureQueriesContext(connection) as captured:
                found = likely(some[0]) if len(some) == 1 else likely_many(some)
            spent[name].append(time.perf_counter() - began)
            assert len(captured) <= 2, f"{len(captured)} statements"
    print(f"查重：一个社区 60 天里 {CANDIDATES} 条（最近的一次找到 {len(found)} 条有相似的），2 条 SQL")
    for name, seconds in spent.items():
        print(f"    {name} {statistics.median(seconds) * 1000:.0f} 毫秒")
