"""Matching: a street of 400 waiting demands and 220 resources (docs/domain.md#l1), from the database to stored proposals,
beside going down the list by hand. Part of script/bench."""

import datetime
import random
import statistics
import time
from typing import Any

from django.utils import timezone

DEMANDS, RESOURCES, COMMUNITIES, UNITS = 400, 220, 10, 60
ROUNDS = 5
AIM = 3.0
COUNTY = "610923"
# Category -> what is asked for, and what helps with it. Made up; drawn from in a fixed order.
MATTERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "水电气暖": (
        ("楼上水管漏水", "厨房水龙头坏了", "暖气不热", "停水两天", "电路跳闸", "燃气管道老化"),
        ("水管维修队", "暖气检修", "电路排查", "燃气安检", "水龙头更换"),
    ),
    "环境卫生": (
        ("楼道堆满杂物", "垃圾没有清运", "绿化带枯死", "下水道污水外溢", "墙面小广告"),
        ("清运垃圾车", "楼道清理志愿者", "绿化修剪", "管道疏通", "小广告清洗"),
    ),
    "物业维修": (
        ("楼道灯不亮", "单元门禁坏了", "电梯总停", "屋顶漏雨"),
        ("楼道灯更换", "门禁维修", "电梯检修", "屋顶防水"),
    ),
    "停车交通": (("车位不够", "门前乱停车", "路面坑洼"), ("夜间开放停车场", "交通劝导员", "路面修补")),
    "邻里纠纷": (("楼上噪音", "油烟扰民", "漏水赔偿谈不拢"), ("法律咨询", "纠纷调解员", "油烟检测")),
    "困难帮扶": (("老人独居没人照料", "孩子放学没人管", "想找工作"), ("助老送餐", "四点半课堂", "就业招聘会", "义诊")),
    "其他": (("想学用手机", "办证要带什么", "想办一场活动"), ("会议室", "手机课堂", "政务代办", "音响设备")),
}
PEOPLE = ("老人上下不方便", "反映过几次", "一周了", "孩子也受影响", "请尽快安排", "晚上更明显", "几户都这样")
HOW = ("每周可用", "提前一天约", "自带工具", "免费上门", "周末优先", "节假日照常")
KINDS = ("people", "skill", "place", "equipment", "service", "service", "money")


def load() -> Any:
    """A street with its lists, loaded in bulk. Deterministic: the same numbers give the same rows."""
    from grids.models import County
    from services.models import Commitment, Demand, Resource
    from tests import factories as make
    from tests.factories import spec

    rng = random.Random(1)
    county: County = make.make_county("比试县", COUNTY)
    make.make_settings(county)
    categories = make.make_categories(county, MATTERS)
    compounds = [spec("compound", f"第{number}小区", spec("building", "1 号楼")) for number in range(4)]
    communities = [spec("community", f"第{number}社区", *compounds) for number in range(COMMUNITIES)]
    nodes = make.grow(county, spec("street", "比试街道", *communities))
    street = nodes[0]
    areas = [node for node in nodes if node.level_key in ("community", "compound")]
    doors = [node for node in nodes if node.level_key in ("compound", "building")]
    units = [make.make_unit(county, f"比试单位{number}") for number in range(UNITS)]
    today = timezone.localdate()
    Resource.objects.bulk_create(
        _resource(rng, number, county, street, areas, units, categories) for number in range(RESOURCES)
    )
    Demand.objects.bulk_create(_demand(rng, number, county, doors, categories) for number in range(DEMANDS))
    Commitment.objects.bulk_create(
        _promise(rng, number, county, rng.choice(areas), rng.choice(units), today) for number in range(300)
    )
    return street


def _demand(rng: random.Random, number: int, county: Any, doors: Any, categories: Any) -> Any:
    from services.models import Demand

    name = rng.choice(list(MATTERS))
    what, node = rng.choice(MATTERS[name][0]), rng.choice(doors)
    return Demand(
        county=county,
        node=node,
        community_id=node.community_id,
        code=f"20260102-{number:06d}",
        follow_code=f"m{number:011d}",
        category=categories[name],
        title=what,
        text=f"{what}，{'，'.join(rng.sample(PEOPLE, 4))}。",
        state=rng.choice(("accepted", "published")),
    )


def _resource(
    rng: random.Random, number: int, county: Any, street: Any, areas: Any, units: Any, categories: Any
) -> Any:
    from services.models import Resource

    name = rng.choice(list(MATTERS))
    what = rng.choice(MATTERS[name][1])
    return Resource(
        county=county,
        unit=rng.choice(units) if rng.random() < 0.9 else None,
        node=street if rng.random() < 0.3 else rng.choice(areas),
        kind=rng.choice(KINDS),
        category=categories[name] if rng.random() < 0.8 else None,
        name=f"{what}{number}",
        text="，".join(rng.sample(HOW, 2)),
        quantity=rng.randint(1, 6),
        measure="次",
        state="available",
    )


def _promise(rng: random.Random, number: int, county: Any, node: Any, unit: Any, today: Any) -> Any:
    from services.models import Commitment

    due = today + datetime.timedelta(days=rng.randint(-300, 60))
    done = rng.random() < 0.6
    return Commitment(
        county=county,
        unit=unit,
        node=node,
        community_id=node.community_id,
        title=f"承诺 {number}",
        measure="办完",
        owner="负责人",
        due_on=due,
        state="done" if done else "open",
        done_on=due + datetime.timedelta(days=rng.choice((-9, -3, 5))) if done else None,
    )


def report() -> bool:
    """Prints seconds and totals; whether the aim is met."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from core.actors import SYSTEM
    from services.actions.matching import run_match

    street = load()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    began = time.perf_counter()
    run_match(actor=SYSTEM, node=street)
    first = time.perf_counter() - began
    seconds = []
    for _round in range(ROUNDS):
        began = time.perf_counter()
        run = run_match(actor=SYSTEM, node=street)
        seconds.append(time.perf_counter() - began)
    with CaptureQueriesContext(connection) as captured:
        run_match(actor=SYSTEM, node=street)
    made, better = run.proposals.count(), run.score - run.greedy_score
    met = first <= AIM and better >= 0
    print(f"\n供需匹配：{run.demands} 条需求，{run.resources} 项资源，配上 {made} 条")
    print(
        f"从读库到存好建议：头一次 {first:.2f} 秒（含装入 scipy），以后 {statistics.median(seconds):.2f} 秒，{len(captured)} 条 SQL"
    )
    print(
        f"总分 {run.score}，逐条匹配 {run.greedy_score}，多 {better}   目标 ≤{AIM:g} 秒且不少于逐条匹配 {'达到' if met else '未达到'}"
    )
    return met
