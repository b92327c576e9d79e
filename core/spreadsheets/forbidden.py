"""Columns that no import may carry. The portal holds care needs, never these; the whole file is refused.

docs/domain.md, section 5, and docs/practice.md, section 8: no ethnicity, religion, politics, petition history, criminal
record or "key persons", no tracks of vehicles or faces, no identity numbers. A file that has such a column is not
stored, not even its other columns: the person takes the column out and sends the file again.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Invalid

_BETWEEN = re.compile(r"[\W_]+")


class Matter(StrEnum):
    """Why a column is refused."""

    IDENTITY = "identity"
    ETHNICITY = "ethnicity"
    RELIGION = "religion"
    POLITICS = "politics"
    PETITION = "petition"
    CRIME = "crime"
    DRUGS = "drugs"
    HEALTH = "health"
    ILLNESS = "illness"
    KEY_PERSON = "key_person"
    TRACKING = "tracking"
    DISCIPLINE = "discipline"
    SCORE = "score"


REASONS: dict[Matter, Promise] = {
    Matter.IDENTITY: gettext_lazy("平台不收集身份证号等证件号码，办事用不到，泄露危害大"),
    Matter.ETHNICITY: gettext_lazy("平台不登记民族"),
    Matter.RELIGION: gettext_lazy("平台不登记宗教信仰"),
    Matter.POLITICS: gettext_lazy("平台不登记居民的政治面貌"),
    Matter.PETITION: gettext_lazy("平台不登记个人的信访经历"),
    Matter.CRIME: gettext_lazy("平台不登记犯罪、矫正、刑满释放等记录"),
    Matter.DRUGS: gettext_lazy("平台不登记吸毒、戒毒记录"),
    Matter.HEALTH: gettext_lazy("平台不登记精神障碍等病情，关爱台账只登记照护需要"),
    Matter.ILLNESS: gettext_lazy("平台不登记病情和病史，上门帮忙用不到"),
    Matter.KEY_PERSON: gettext_lazy("平台不设“重点人员”，也不给人分风险等级"),
    Matter.TRACKING: gettext_lazy("平台不登记人脸、车辆和行踪"),
    Matter.DISCIPLINE: gettext_lazy("党员只登记姓名、单位、支部、联系方式，不登记处分、党费和档案"),
    Matter.SCORE: gettext_lazy("平台不给人打分、排名，不登记信用分和积分"),
}

# Part of a header -> why. Parts long enough not to be met by chance: 精神文明 and 视力矫正 are no one's record.
PARTS: dict[str, Matter] = {
    "身份证": Matter.IDENTITY,
    "身份号码": Matter.IDENTITY,
    "公民身份": Matter.IDENTITY,
    "证件号": Matter.IDENTITY,
    "护照": Matter.IDENTITY,
    "idcard": Matter.IDENTITY,
    "民族": Matter.ETHNICITY,
    "族别": Matter.ETHNICITY,
    "族群": Matter.ETHNICITY,
    "种族": Matter.ETHNICITY,
    "宗教": Matter.RELIGION,
    "信仰": Matter.RELIGION,
    "信教": Matter.RELIGION,
    "教派": Matter.RELIGION,
    "邪教": Matter.RELIGION,
    "教徒": Matter.RELIGION,
    "信徒": Matter.RELIGION,
    "信众": Matter.RELIGION,
    # Members are party members by definition: a member roster that says so again may say it (see `allowed`).
    "政治面貌": Matter.POLITICS,
    "政治倾向": Matter.POLITICS,
    "政治表现": Matter.POLITICS,
    "政治身份": Matter.POLITICS,
    "党派": Matter.POLITICS,
    "信访": Matter.PETITION,
    "上访": Matter.PETITION,
    "缠访": Matter.PETITION,
    "闹访": Matter.PETITION,
    "越级访": Matter.PETITION,
    "越访": Matter.PETITION,
    "进京访": Matter.PETITION,
    "赴省访": Matter.PETITION,
    "访民": Matter.PETITION,
    "犯罪": Matter.CRIME,
    "前科": Matter.CRIME,
    "刑满": Matter.CRIME,
    "刑释": Matter.CRIME,
    "服刑": Matter.CRIME,
    "判刑": Matter.CRIME,
    "劳教": Matter.CRIME,
    "社区矫正": Matter.CRIME,
    "社矫": Matter.CRIME,
    "矫正对象": Matter.CRIME,
    "矫正人员": Matter.CRIME,
    "安置帮教": Matter.CRIME,
    "释放人员": Matter.CRIME,
    "两劳": Matter.CRIME,
    "缓刑": Matter.CRIME,
    "假释": Matter.CRIME,
    "案底": Matter.CRIME,
    "拘留": Matter.CRIME,
    "违法记录": Matter.CRIME,
    "涉黑": Matter.CRIME,
    "吸毒": Matter.DRUGS,
    "戒毒": Matter.DRUGS,
    "涉毒": Matter.DRUGS,
    "毒品": Matter.DRUGS,
    "禁毒": Matter.DRUGS,
    "精神障碍": Matter.HEALTH,
    "精神病": Matter.HEALTH,
    "精神疾病": Matter.HEALTH,
    "精神患": Matter.HEALTH,
    "精神异常": Matter.HEALTH,
    "精神状": Matter.HEALTH,
    "精神残疾": Matter.HEALTH,
    "肇事肇祸": Matter.HEALTH,
    "艾滋": Matter.HEALTH,
    "传染病": Matter.HEALTH,
    "病史": Matter.ILLNESS,
    "病情": Matter.ILLNESS,
    "病种": Matter.ILLNESS,
    "疾病": Matter.ILLNESS,
    "患病": Matter.ILLNESS,
    "诊断": Matter.ILLNESS,
    "重点人": Matter.KEY_PERSON,
    "重点对象": Matter.KEY_PERSON,
    "重点管控": Matter.KEY_PERSON,
    "特殊人员": Matter.KEY_PERSON,
    "高危人": Matter.KEY_PERSON,
    "管控对象": Matter.KEY_PERSON,
    "预警颜色": Matter.KEY_PERSON,
    "三色预警": Matter.KEY_PERSON,
    "风险颜色": Matter.KEY_PERSON,
    "特殊人群": Matter.KEY_PERSON,
    "稳控": Matter.KEY_PERSON,
    "维稳": Matter.KEY_PERSON,
    "管控等级": Matter.KEY_PERSON,
    "人员等级": Matter.KEY_PERSON,
    "人员风险": Matter.KEY_PERSON,
    "风险人员": Matter.KEY_PERSON,
    "人脸": Matter.TRACKING,
    "车牌": Matter.TRACKING,
    "轨迹": Matter.TRACKING,
    "行踪": Matter.TRACKING,
    "指纹": Matter.TRACKING,
    "号牌": Matter.TRACKING,
    "虹膜": Matter.TRACKING,
    "声纹": Matter.TRACKING,
    "处分": Matter.DISCIPLINE,
    "违纪": Matter.DISCIPLINE,
    "党费": Matter.DISCIPLINE,
    "人事档案": Matter.DISCIPLINE,
    "干部档案": Matter.DISCIPLINE,
    "信用分": Matter.SCORE,
    "信用积分": Matter.SCORE,
    "信用等级": Matter.SCORE,
    "诚信分": Matter.SCORE,
    "诚信积分": Matter.SCORE,
    "个人积分": Matter.SCORE,
    "文明积分": Matter.SCORE,
    "党员积分": Matter.SCORE,
}

# Words that contain a part above and mean something harmless: what a banner says, and where people live.
HARMLESS = (
    "民族团结",
    *(
        f"民族{place}"
        for place in ("路", "街", "巷", "大道", "广场", "小区", "社区", "村", "新村", "苑", "中学", "小学")
    ),
)

# What an import of party members may carry besides: it is never stored, and refusing it would only cost a clerk a column
# of identical words.
MEMBER_ROSTER = frozenset({"政治面貌"})

# How a petition desk heads what it says of the matter: whole headers, never parts, so that whatever says something of
# the person (信访人, 信访次数, 是否信访户) is refused in its table as in every other.
PETITION_DESK = frozenset(
    f"信访{of}{what}"
    for of in ("", "件", "事项")
    for what in (
        *("编号", "日期", "时间", "登记日期", "登记时间", "受理日期", "受理时间", "标题", "主题", "内容", "概况"),
        *("诉求", "问题", "目的", "形式", "方式", "渠道", "来源", "地点", "状态", "办理状态"),
    )
) | {"信访事项"}


@dataclass(frozen=True)
class ForbiddenHeader:
    header: str
    matter: Matter

    @property
    def reason(self) -> str:
        return str(REASONS[self.matter])


def forbidden_headers(headers: Iterable[str], *, allowed: Collection[str] = ()) -> list[ForbiddenHeader]:
    """The headers that no import may carry, in their order, each with its reason.

    Args:
        headers: as they stand in the file.
        allowed: parts of `PARTS`, or whole headers, that this one import may carry (`MEMBER_ROSTER`, `PETITION_DESK`).
    """
    found = []
    for header in headers:
        matter = _matter_of(header, allowed=allowed)
        if matter is not None:
            found.append(ForbiddenHeader(header, matter))
    return found


def refuse_forbidden(headers: Iterable[str], *, allowed: Collection[str] = ()) -> None:
    """Raises Invalid naming every forbidden column and why, when there is any."""
    found = forbidden_headers(headers, allowed=allowed)
    if not found:
        return
    columns = "、".join(f"“{each.header}”" for each in found)
    reasons = "；".join(dict.fromkeys(each.reason for each in found))
    raise Invalid(
        _("表格里有不能导入的列：%(columns)s。%(reasons)s。请删去这些列后重新导入，本次没有保存任何内容。")
        % {"columns": columns, "reasons": reasons},
        code="forbidden_columns",
    )


# What no line of free text about a household may say either. Illness in general is not among it: that somebody is ill is
# why a visit helps.
_NEVER_SAID = frozenset(
    {
        Matter.ETHNICITY,
        Matter.RELIGION,
        Matter.POLITICS,
        Matter.PETITION,
        Matter.CRIME,
        Matter.DRUGS,
        Matter.HEALTH,
        Matter.KEY_PERSON,
    }
)


def why_not_said(text: str) -> str:
    """Why a text about a household can not be kept, in words; empty when it can. For cells and forms alike."""
    matter = _matter_of(text, among=_NEVER_SAID)
    return "" if matter is None else str(REASONS[matter])


def _matter_of(
    text: str, *, allowed: Collection[str] = (), among: Collection[Matter] = frozenset(Matter)
) -> Matter | None:
    """The matter of the first forbidden part in a text, whatever stands between its characters."""
    plain = _BETWEEN.sub("", unicodedata.normalize("NFKC", text)).casefold()
    if plain in allowed:
        return None
    for word in HARMLESS:
        plain = plain.replace(word, "")
    return next(
        (matter for part, matter in PARTS.items() if matter in among and part not in allowed and part in plain), None
    )
