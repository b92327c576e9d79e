"""Which words make a demand of a table one of which category. Data: what else may be guessed from is not looked at.

A petition desk's 性质 (投诉, 咨询, 建议 ...) says how somebody speaks, not what about, so the category is guessed from the
words; a cadre corrects it when accepting. The names are those a county begins with (`services.defaults`). A county that
has renamed or switched off a category gets its rows under the last one, 其他.
"""

from collections.abc import Callable, Iterable, Mapping

FALLBACK = "其他"

# In the order in which a draw is decided: danger first, then what is said most plainly.
WORDS: Mapping[str, tuple[str, ...]] = {
    "安全隐患": (
        "消防", "井盖", "飞线", "坠落", "坍塌", "塌陷", "塌方", "开裂", "危房", "漏电", "触电", "火灾", "围墙倒", "护栏",
        "安全隐患", "电线裸露", "高空抛物", "溺水",
    ),
    "水电气暖": (
        "停水", "停电", "断水", "断电", "自来水", "水压", "供水管", "爆管", "燃气", "天然气", "煤气", "暖气", "供暖", "供水",
        "电费", "水费", "漏水", "电表", "水表",
    ),
    "邻里纠纷": (
        "噪音", "噪声", "扰民", "油烟", "邻居", "楼上", "楼下", "广场舞", "夜间施工", "深夜施工", "养狗", "犬吠", "宠物",
        "占用公共",
    ),
    "环境卫生": (
        "垃圾", "污水", "臭", "河道", "内河", "清淤", "淤泥", "蚊虫", "卫生", "脏", "绿化", "树木",
        "杂物", "排污", "异味", "扬尘", "粉尘", "河水", "雨污", "乱倒", "老鼠", "积水", "内涝",
    ),
    "停车交通": (
        "停车", "车位", "乱停", "公交", "道路", "路面", "堵车", "拥堵", "红绿灯", "斑马线", "坑洼", "出行", "桥梁", "占道",
        "人行道", "路灯", "车库", "便道",
    ),
    "物业维修": (
        "物业", "电梯", "门禁", "楼道", "屋顶", "漏雨", "渗水", "外墙", "维修", "业委会", "单元门", "下水道", "化粪池", "管道堵",
        "健身器材", "监控",
    ),
    "困难帮扶": (
        "低保", "残疾", "救助", "困难", "养老", "独居", "孤寡", "看病", "医保", "就业", "上学", "入学", "补助", "补贴", "高龄",
        "留守",
    ),
}  # fmt: skip


def guesser(names: Iterable[str]) -> Callable[[str, str], str]:
    """A function from title and text to the name of a category, out of `names`; `FALLBACK` where no word fits.

    The title decides if it has any of the words, else the text; the category with the most different words wins, in a
    draw the earlier one of `WORDS`.
    """
    table = [(name, WORDS[name]) for name in WORDS if name in set(names)]

    def best(text: str) -> str:
        found, most = "", 0
        for name, words in table:
            count = sum(word in text for word in words)
            if count > most:
                found, most = name, count
        return found

    return lambda title, text: best(title) or best(text) or FALLBACK
