"""What is known of a demand and of a resource when they are held together, and the words of a text."""

import datetime
import re
from dataclasses import dataclass
from enum import Enum

_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
# Said in nearly every matter; in a short list the counting alone would take them for rare.
_SAID_EVERYWHERE = """
社区 居民 小区 街道 问题 解决 处理 反映 希望 情况 服务 生活 群众 业主 部门 有关 相关 单位 工作 进行 现在 目前 已经 一直 尽快
及时 安排 帮忙 帮助 联系 管理 提供 可以 每天 每周 多次 严重 影响 附近 门口 人员 需要 投诉 咨询 建议 举报 开展 组织 免费 上门
方便 周边 时候 时间 今天 昨天 上午 下午 晚上
"""
# Particles, pronouns, the words of asking.
_PARTICLES = "的了在是和及与等我你您们请有个这那就都也不为从到被把对于或而但以其之该此吗呢吧啊很还没"
# Where one word ends and the next begins.
_BREAKS = re.compile("|".join([*_SAID_EVERYWHERE.split(), f"[{_PARTICLES}]"]))


class Reach(Enum):
    """How far the place goes that a resource is meant for."""

    STREET = "street"
    COMMUNITY = "community"
    NEAR = "near"


@dataclass(frozen=True, slots=True)
class Need:
    """A demand. `due`: the day by which it would be done if it were given out today."""

    key: int
    category: int
    category_name: str
    title: str
    text: str
    tree: int
    at: int
    due: datetime.date


@dataclass(frozen=True, slots=True)
class Offer:
    """A resource.

    Attributes:
        category: None when it names none.
        tree, first, last: bounds of the place inside which it may be used; `place` its name, `reach` how large it is.
        start, end: days on which it may be used.
        left: how much is not promised. most: how many demands it serves in one run.
        load: matters the unit has in hand; None for what the community itself has.
        kept, due: promises of the unit that were due in the last year, and those of them done in time.
    """

    key: int
    category: int | None
    name: str
    text: str
    tree: int
    first: int
    last: int
    place: str
    reach: Reach
    start: datetime.date
    end: datetime.date | None
    left: int
    measure: str
    most: int
    load: int | None
    kept: int
    due: int

    @property
    def capacity(self) -> int:
        return max(min(self.left, self.most), 0)


def grams(text: str) -> set[str]:
    """The pairs of neighbouring characters, which do for the words of Chinese without a dictionary."""
    found: set[str] = set()
    for run in _CHINESE.findall(text):
        for part in _BREAKS.split(run):
            found.update(part[at : at + 2] for at in range(len(part) - 1))
    return found
