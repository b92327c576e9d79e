"""Made-up cases of households in hardship (docs/domain.md#z9), as they would stand on the sample's day: one with a grant, a loan,
a job and a mediation by four units, one in which a unit has not answered yet, one that is over.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from core.models import User
from core.periods import day_start
from governance.sample.people import Posts
from governance.sample.weft import Weft
from grids.care import add_months
from grids.models import County, GridNode
from partybuilding.models import Unit
from services.actions.cases import KEPT_MONTHS, REVIEW_DAYS
from services.clocks import clock_for
from services.models import CaseEntry, CaseState, Help, HelpCase, HelpKind, HelpState

K, S = HelpKind, HelpState


@dataclass(frozen=True)
class _Help:
    """A unit by its short name, what it is asked for, how far it is; days are counted back from the sample's day."""

    unit: str
    kind: str
    wanted: str
    state: str
    asked: int
    told: tuple[tuple[int, str], ...] = ()
    result: str = ""


@dataclass(frozen=True)
class _Case:
    title: str
    text: str
    opened: int
    helps: tuple[_Help, ...]
    notes: tuple[tuple[int, str], ...] = ()
    closed: int = 0
    result: str = ""


_CASES = (
    _Case(
        "突发火灾，一家四口没了住处和收入",
        "厨房起火，房屋过火不能住，男主人烧伤不能出工，两个孩子上学；和楼下邻居因漏水受损有纠纷。",
        26,
        (
            _Help(
                "民政局", K.GRANT, "临时救助金和过渡住处", S.DONE, 25, ((23, "已入户核实"),), "发放临时救助金 8000 元。"
            ),
            _Help("农商银行", K.LOAN, "修房的贴息贷款", S.HELPING, 25, ((20, "材料已收齐，报信贷部审批。"),)),
            _Help("人社局", K.JOB, "女主人的就近岗位", S.HELPING, 24, ((12, "推荐两个保洁岗位，约好下周面谈。"),)),
            _Help(
                "司法局",
                K.MEDIATION,
                "和楼下邻居的赔偿纠纷",
                S.DONE,
                24,
                ((18, "双方第一次坐下来谈。"),),
                "达成赔偿协议，分三期付清。",
            ),
        ),
        ((25, "当天安排住进社区周转房。"), (10, "孩子已正常上学，修房还差钱。")),
    ),
    _Case(
        "家中主要劳力重病，学费和药费有困难",
        "长期在外务工的家人查出重病回家休养，家里没有收入，孩子今年上高中。",
        9,
        (
            _Help("医保局", K.MEDICAL, "大病报销和医疗救助的办理", S.HELPING, 8, ((5, "已帮忙备案，下月报销。"),)),
            _Help("教体局", K.SCHOOLING, "高中助学金", S.ASKED, 1),
            _Help("住建局", K.OTHER, "公租房租金减免", S.ASKED, 1),
        ),
    ),
    _Case(
        "独自带孩子的母亲失去工作",
        "单位停业后没有收入，孩子没人接送，找工作走不开。",
        95,
        (
            _Help("人社局", K.JOB, "时间合适的岗位", S.DONE, 94, ((80, "参加了家政培训。"),), "在社区食堂上岗。"),
            _Help("县妇联", K.COMPANY, "放学后的接送和照看", S.DONE, 94, (), "结对志愿者接送到期末。"),
        ),
        ((60, "已经上班，孩子有人接。"),),
        30,
        "有了稳定收入，孩子有人照看。",
    ),
)


def open_cases(
    county: County, nodes: Sequence[GridNode], weft: Weft, posts: Posts, day: datetime.date
) -> tuple[list[HelpCase], list[Help]]:
    """Writes the cases of a county's first community, with each help and the timeline."""
    community = next(node for node in nodes if node.level_key == "community")
    inside = [node for node in nodes if node.community_id == community.pk and node.level_key == "building"]
    officer = posts.holders("community_secretary", community.pk)[0]
    units = {unit.short_name or unit.name: unit for unit in weft.units}
    cases, helps, entries = [], [], []
    for number, plan in enumerate(_CASES):
        case = _case(county, community, inside[number * 3 % len(inside)], officer, plan, number, day)
        cases.append(case)
        entries.append(_line(case, "open", "建立个案", plan.opened, officer, day))
        entries += [
            _line(
                case,
                *(("review", "社区回看") if ago < plan.opened - 1 else ("note", "社区记录")),
                ago,
                officer,
                day,
                text,
            )
            for ago, text in plan.notes
        ]
        for one in plan.helps:
            unit = units.get(one.unit)
            if unit is None:
                continue
            row = _help(case, unit, one, officer, day)
            helps.append(row)
            entries += _lines(row, one, officer, weft.liaisons[unit.pk].user, day)
        if plan.closed:
            entries.append(_line(case, "close", "结案", plan.closed, officer, day))
    HelpCase.objects.bulk_create(cases)
    Help.objects.bulk_create(helps)
    CaseEntry.objects.bulk_create(sorted(entries, key=lambda entry: entry.at))
    return cases, helps


def _at(day: datetime.date, ago: int, hour: int = 10) -> datetime.datetime:
    return day_start(day - datetime.timedelta(days=ago)) + datetime.timedelta(hours=hour)


def _case(
    county: County, community: GridNode, node: GridNode, officer: User, plan: _Case, number: int, day: datetime.date
) -> HelpCase:
    opened = day - datetime.timedelta(days=plan.opened)
    closed = day - datetime.timedelta(days=plan.closed) if plan.closed else None
    return HelpCase(
        county=county,
        node=node,
        community=community,
        code=f"{opened:%Y%m%d}-{county.code[-3:]}{number + 101}",
        title=plan.title,
        text=plan.text,
        consent="written",
        consent_on=opened,
        state=CaseState.CLOSED if closed else CaseState.OPEN,
        opened_by=officer,
        opened_at=_at(day, plan.opened, 9),
        review_on=None if closed else opened + datetime.timedelta(days=REVIEW_DAYS),
        closed_at=_at(day, plan.closed, 16) if closed else None,
        result=plan.result,
        erase_on=add_months(closed, KEPT_MONTHS) if closed else None,
    )


def _help(case: HelpCase, unit: Unit, plan: _Help, officer: User, day: datetime.date) -> Help:
    asked = _at(day, plan.asked)
    clock = clock_for(case.county_id)
    done = min((ago for ago, _text in plan.told), default=plan.asked) - 2
    return Help(
        case=case,
        unit=unit,
        kind=plan.kind,
        wanted=plan.wanted,
        state=plan.state,
        due_at=clock.workdays(asked, clock.limits.case_workdays) if plan.state == S.ASKED else None,
        due_on=None if plan.state == S.ASKED else (asked + datetime.timedelta(days=40)).date(),
        result=plan.result,
        asked_by=officer,
        asked_at=asked,
        done_at=_at(day, done, 15) if plan.state == S.DONE else None,
    )


def _lines(row: Help, plan: _Help, officer: User, liaison: User, day: datetime.date) -> list[CaseEntry]:
    words = f"{row.unit.label}（{row.get_kind_display()}）"
    found = [
        _line(row.case, "ask", f"邀请{row.unit.label}：{row.get_kind_display()}", plan.asked, officer, day, help=row)
    ]
    if plan.state == S.ASKED:
        return found
    found.append(_line(row.case, "accept", f"接受帮扶：{words}", plan.asked, liaison, day, help=row, hour=14))
    found += [
        _line(row.case, "report", f"反馈进展：{words}", ago, liaison, day, text, help=row) for ago, text in plan.told
    ]
    if row.done_at is not None:
        ago = (day - row.done_at.date()).days
        found.append(_line(row.case, "finish", f"完成帮扶：{words}", ago, liaison, day, plan.result, help=row, hour=15))
    return found


def _line(
    case: HelpCase,
    name: str,
    title: str,
    ago: int,
    actor: User,
    day: datetime.date,
    text: str = "",
    *,
    help: Help | None = None,
    hour: int = 10,
) -> CaseEntry:
    at = _at(day, ago, hour)
    return CaseEntry(case=case, help=help, name=name, title=title, text=text, at=at, actor=actor)
