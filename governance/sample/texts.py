"""What people say in the sample: demands in residents' and cadres' words, and the words of every step. All invented.

The demands themselves stand in `demand_texts.txt`: a heading "# topic / field", then three lines each: title, what was
said, what was done. `{place}` is where.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class DemandText:
    """A demand as somebody put it. `topic` names the category, `field` the kind of unit that is the right one."""

    topic: str
    field: str
    title: str
    text: str
    result: str


@cache
def demand_texts() -> tuple[DemandText, ...]:
    """All demand texts, in the order of the file."""
    topic = field = ""
    found = []
    for block in Path(__file__).with_name("demand_texts.txt").read_text("utf-8").strip().split("\n\n"):
        lines = block.splitlines()
        if lines[0].startswith("# "):
            topic, field = lines.pop(0)[2:].split(" / ")
        title, text, result = lines
        found.append(DemandText(topic, field, title, text, result))
    return tuple(found)


AGAIN = (
    "同一件事，我们单元也有好几户受影响，请一并处理。",
    "前两天有邻居反映过，今天还是老样子，再说一声。",
    "我也来反映一下，情况和邻居说的一样。",
)
DECLINE = (
    "这件事已进入诉讼程序，请以法院判决为准，需要法律援助可到社区法律服务点咨询。",
    "所述地点不在本社区，已电话告知您所在社区的登记电话。",
    "属于住户之间的合同约定，请按合同办理；需要调解可随时联系社区。",
    "与上周答复的事项相同，办理结果未变，详细情况已电话说明。",
)
WITHDRAW = ("问题已经自己解决了，谢谢。", "已经和邻居说好了，不用麻烦社区了。", "重复提交，以前一条为准。")
DISPATCH = (
    "请先与反映人联系，约好上门时间。",
    "请现场查看后提出办法，三天内先回一次话。",
    "涉及老人，请尽快办理。",
    "请牵头单位会同配合单位一并解决。",
    "",
    "",
)
HAND_UP = ("涉及多个县直部门，街道协调不了，请县级派单。", "需要县级部门专业队伍处理，请县级协调。")
HAND_DOWN = ("已与供水公司沟通，请社区直接派单给报到单位。", "情况已核实，请社区联系包联单位先行处置。")
TRANSFER = ("经现场核实，事情发生在相邻社区地界内。", "居民所住小区已划归相邻社区管理。")
WHISTLE = ("请到现场联合处置，当场商定分工。", "请派人到场，一起研究解决办法并落实。")
WHISTLE_ENDED = ("各单位已到场处置，问题已解决。", "已现场商定分工，由牵头单位办结。")
ESCALATE = ("涉及两个社区交界处，需要街道协调。", "需要多个单位一起办，请街道牵头派单。")
FIRST_PROGRESS = (
    "已电话联系反映人，约好明天上午上门查看。",
    "已到现场查看并拍照，正在准备材料。",
    "和反映人一起看了现场，商定了办法。",
    "已上门了解情况，需要的人手和材料正在安排。",
)
LATER_PROGRESS = (
    "人员和材料已到位，今天开始处理。",
    "已完成一半，剩下的明天接着做。",
    "已与相关住户逐户沟通，大家同意这个方案。",
    "相关手续已经办好，正在落实。",
    "今天上门服务两个小时，反映人表示认可。",
)
MEMBER_PROGRESS = (
    "下班后到现场看了一下，和反映人聊了情况，已报给单位。",
    "周末上门帮了半天忙，情况已报给单位。",
    "和社区网格员一起上门，登记了需求。",
)
SUPPORT_RESULT = ("已按分工配合办结。", "已派人到场配合，本单位的部分已完成。", "已提供所需人员和材料，配合完成。")
PASS_UP = ("这周外出学习，抱歉。", "家里有事，这次不能参加。", "")
CHECK = ("现场查看属实，已处理到位。", "电话核实，反映人认可。", "网格员拍照核对，已完成。", "")
REDO = (
    "反映人说只解决了一半，请再上门一次。",
    "还有一处没有落实，请补齐后再报办结。",
    "反映人还有疑问，请再联系一次，说清楚、办到位。",
)
REOPEN = ("刚好了几天又和原来一样，请再来看看。", "当时说好的后续一直没来，请继续办。")
SATISFIED = ("办得很快，谢谢！", "师傅态度好，活也干得细。", "没想到真有人管，点赞。", "", "", "")
FAIRLY = ("办是办了，就是等得有点久。", "基本解决了。", "")
DISSATISFIED = ("没有从根本上解决。", "来看过一次就没有下文了。", "说法和现场不一样。")
CALLED = ("电话回访，反映人说已经办好。", "电话回访，了解了办理情况。", "入户回访，当面听取意见。")
NO_ANSWER = ("两次拨打无人接听。", "电话停机，改日再访。")
CLOSE_UNSOLVED = (
    "受场地条件限制暂时无法解决，已当面说明并纳入改造计划。",
    "涉及产权不清，已告知通过法律途径解决，社区继续跟进。",
)
RETURN = (
    "经核实，所述事项不在我单位职责范围，建议转主管单位办理。",
    "此事项审批权限不在我单位，建议转有权单位办理。",
)
RETURN_APPROVED = ("情况属实，另行派单。", "同意，改派其他单位。")
RETURN_REJECTED = ("按职责清单属贵单位，请签收办理。", "属首接单位职责，请先办理，需要配合的由社区协调。")
EXTENSION = ("需要几方一起协调时间，申请顺延几天。", "还要等一项手续批下来，预计晚几天办好。")
EXTENSION_OF_WORKS = (
    "配件需从外地调货，预计晚几天到。",
    "需要夜间施工，等待统一安排。",
    "连续下雨无法施工，申请顺延。",
)
EXTENSION_APPROVED = ("同意，请提前告知反映人。", "同意延期，抓紧办理。")
EXTENSION_REJECTED = ("已有替代办法，请按原时限办结。",)
PARKING = (
    "需列入下季度改造预算，资金到位后一个月内施工。",
    "冬季不宜施工，开春后安排，施工前先做临时防护。",
    "等老旧小区改造统一实施，期间由网格员每月查看一次。",
)
SUPERVISE = (
    "已超过办理时限，请说明原因和办结时间。",
    "居民多次询问，请两个工作日内答复进展。",
    "请主要负责同志过问，尽快办结并回复居民。",
)
SUPERVISE_COMMUNITY = ("登记多日没有派单，请说明情况并尽快办理。",)
ANSWER = (
    "前期人手不足耽误了，现已安排专人，三天内完成，已向反映人说明。",
    "已增派人手，本周内办结。",
    "情况复杂，已召开协调会，明确了责任人和时间。",
)
ANSWER_COMMUNITY = ("前期在核实权属，今天派单，安排专人跟进。",)

CHANNELS = ("热线电话", "网上留言", "来人反映")
NATURES = ("咨询", "求助", "投诉", "建议")

# Topics that are about works: these wait for parts, weather, a budget or a season.
WORKS = frozenset({"物业服务", "公共设施", "停车出行", "环境卫生"})
# Topic of the texts -> name of the category (`services.defaults`).
TOPICS = {
    "物业服务": "物业维修",
    "公共设施": "物业维修",
    "环境卫生": "环境卫生",
    "水电气暖": "水电气暖",
    "停车出行": "停车交通",
    "安全隐患": "安全隐患",
    "邻里纠纷": "邻里纠纷",
    "困难帮扶": "困难帮扶",
    "政策咨询": "其他",
    "教育文化": "其他",
}
