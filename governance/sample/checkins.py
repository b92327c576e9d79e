"""What the sample's units bring to the places they report to, how long they stay, who answers; and the applications that
wait in the community whose people can be signed in with."""

import datetime
from collections.abc import Sequence
from random import Random

from core.models import User
from core.periods import day_start
from governance.sample.people import BATCH, Posts
from governance.sample.weft import SHOWN_UNITS, Weft
from grids.models import GridNode
from partybuilding.models import Unit
from services.actions.checkins import number, years_later
from services.models import ApplicationState, CheckInApplication, CheckInRole, UnitCheckIn

# Field of a unit (`units.py`) -> what it brings.
_BRINGS = {
    "property": "物业纠纷调解每月 1 次，指导业主委员会换届",
    "works": "楼道和路面小修小补，技术人员 2 名",
    "city": "环境卫生整治每月 1 次，洒水车按需调配",
    "police": "防诈骗宣传每季度 1 次，警务室开放日",
    "civil": "居家养老咨询，困难家庭走访每月 1 次",
    "labour": "招聘信息进小区，技能培训每年 2 期",
    "business": "证照办理上门帮办，消费维权咨询",
    "justice": "法律咨询每月 2 次，人民调解员 2 名",
    "fire": "消防检查每季度 1 次，灭火器使用演练",
    "water": "管网巡检和抢修，水质知识讲座",
    "power": "线路检查每季度 1 次，老旧小区用电排查",
    "gas": "入户安全检查每年 1 次，更换软管志愿服务",
    "road": "门前道路养护，停车标线补划",
    "bus": "公交线路意见收集，便民乘车卡办理",
    "emergency": "应急演练每年 2 次，物资借用",
    "health": "义诊每季度 1 次，健康讲座",
    "school": "假期课业辅导，操场周末开放",
    "culture": "文艺演出每季度 1 场，图书流动点",
    "medical": "医保政策咨询，异地就医备案帮办",
    "environment": "噪声油烟监测，环保宣传",
    "volunteer": "志愿者 10 名，会议室周末开放",
    "women": "家庭教育讲座每季度 1 次",
    "science": "科普讲座每季度 1 场，科普器材借用",
    "telecom": "线路整理，手机使用培训每月 1 次",
    "bank": "防诈骗讲座，金融服务上门办理",
    "housing": "公租房政策咨询，维修资金办理指导",
    "compound": "老旧小区改造技术指导，小修小补基金",
    "green": "绿化修剪，认养绿地 1 处",
}
_OTHER = "志愿者 5 名，政策宣传每季度 1 次"
# Most stay for two or three years; after one year the first agreements run out.
_YEARS = (1, 2, 2, 3, 3, 3)


def brings_of(weft: Weft, unit: Unit) -> str:
    return next((_BRINGS[field] for field in weft.fields[unit.pk] if field in _BRINGS), _OTHER)


def write_checkins(weft: Weft, posts: Posts, code: str) -> None:
    """Writes the check-ins of a county with all that belongs to them.

    Args:
        code: of the county; the same county gets the same agreements.
    """
    rng = Random(f"{code} agreements")  # noqa: S311
    for row in weft.checkins:
        row.brings = brings_of(weft, row.unit)
        row.until = years_later(row.start, rng.choice(_YEARS))
        row.unit_liaison = weft.liaisons[row.unit_id].user
        row.community_liaison = next(iter(_cadres(posts, row.node)), None)
    UnitCheckIn.objects.bulk_create(weft.checkins, batch_size=BATCH)
    number(weft.checkins)


def _cadres(posts: Posts, node: GridNode) -> list[User]:
    community = node.community_id or node.pk
    return [*posts.holders("community_officer", community), *posts.holders("community_secretary", community)]


def tell_applications(nodes: Sequence[GridNode], weft: Weft, day: datetime.date) -> list[CheckInApplication]:
    """In the first community: an application in every state, one agreement that runs out, one that has, and one that is
    to be renewed. The unit whose liaison can be signed in with has something to do as well."""
    first = next(node for node in nodes if node.level_key == "community")
    here = {row.unit_id: row for row in weft.checkins if row.node_id == first.pk}
    mine, other = (next(unit for unit in weft.units if unit.short_name == name) for name in SHOWN_UNITS)
    strangers = iter(unit for unit in weft.units if unit.pk not in here and unit.pk not in (mine.pk, other.pk))
    held = [
        row for row in here.values() if row.role == CheckInRole.SUPPORTING and row.unit_id not in (mine.pk, other.pk)
    ]
    soon, gone, asked = held[:3]
    own, again = [row for row in weft.checkins if row.unit_id == mine.pk and row.node_id != first.pk][:2]
    for row, days in ((soon, 15), (gone, -12), (asked, 9), (own, 20), (again, 25)):
        row.until = day + datetime.timedelta(days=days)
    UnitCheckIn.objects.bulk_update([soon, gone, asked, own, again], ["until"])
    told = _Told(weft, day)
    # Unit, place, state, days ago, years.
    told.add(next(strangers), first, ApplicationState.APPLIED, 1, 2)
    told.add(next(strangers), first, ApplicationState.APPLIED, 8, 1)
    told.add(asked.unit, first, ApplicationState.APPLIED, 2, 2, renews=asked)
    told.add(next(strangers), first, ApplicationState.SENT_BACK, 6, 1, reason="请写明会议室什么时间开放、能坐多少人。")
    told.add(
        next(strangers), first, ApplicationState.DECLINED, 20, 1, reason="本社区报到单位已满，建议向相邻社区报到。"
    )
    told.add(next(strangers), first, ApplicationState.WITHDRAWN, 30, 1)
    told.add(mine, again.node, ApplicationState.SENT_BACK, 4, 2, reason="请补充能派几名技术人员。", renews=again)
    lead = next(row for row in here.values() if row.role == CheckInRole.LEAD)
    since = (day - lead.start).days + 3
    told.add(lead.unit, first, ApplicationState.ACCEPTED, since, 3, role=CheckInRole.LEAD, checkin=lead)
    return CheckInApplication.objects.bulk_create(told.rows)


class _Told:
    """Applications told one after the other, unsaved."""

    def __init__(self, weft: Weft, day: datetime.date) -> None:
        self.weft, self.day = weft, day
        self.rows: list[CheckInApplication] = []

    def add(
        self,
        unit: Unit,
        node: GridNode,
        state: ApplicationState,
        days_ago: int,
        years: int,
        *,
        role: CheckInRole = CheckInRole.SUPPORTING,
        reason: str = "",
        renews: UnitCheckIn | None = None,
        checkin: UnitCheckIn | None = None,
    ) -> None:
        liaison = self.weft.liaisons[unit.pk].user
        at = day_start(self.day - datetime.timedelta(days=days_ago)) + datetime.timedelta(hours=9, minutes=20)
        answered = state is not ApplicationState.APPLIED
        self.rows.append(
            CheckInApplication(
                unit=unit,
                node=node,
                role=role,
                brings=brings_of(self.weft, unit),
                years=years,
                unit_liaison=liaison,
                applied_by=liaison,
                state=state,
                reason=reason,
                applied_at=at,
                decided_at=at + datetime.timedelta(hours=6) if answered else None,
                renews=renews,
                checkin=checkin,
            )
        )
