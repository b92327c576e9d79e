"""A member's check-in, and what they enter of their services, as tables.

Source: docs/practice.md#checkin. A registration and a record: nothing here measures, counts points or ranks.
"""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as t

from core.actors import Actor, user_of
from core.periods import Quarter
from core.workflow import Input, Transition, Workflow
from services import posts
from services.models import Certificate, MemberCard, MemberCheckIn, MemberCheckInState, ServiceRecord, ServiceState

C = MemberCheckInState
S = ServiceState

_WORD = Input("reason", t("请写一句说明"), required=True, help=t("本人会看到。"))
_NOTE = Input("reason", t("说明"), help=t("可以不填。"))


def _states(*states: Any) -> frozenset[str]:
    return frozenset(str(state) for state in states)


def _can_live_there(row: MemberCheckIn, actor: Actor) -> str | None:
    if row.node.is_retired:
        return _("“%(place)s”已撤销，请退回本人另选小区。") % {"place": row.node.name}
    if not row.member.is_active:
        return _("这位党员已停用，不能接收。")
    return None


def _not_ones_own(row: ServiceRecord, actor: Actor) -> str | None:
    """Nobody confirms what they entered themselves, whatever post they hold."""
    user = user_of(actor)
    if user is not None and row.checkin.member.user_id == user.pk:
        return _("这是您自己填的服务，请由社区的其他同志确认。")
    return None


def _not_told_yet(row: ServiceRecord, actor: Actor) -> str | None:
    """What the member's unit or a certificate says stays true."""
    own = _not_ones_own(row, actor)
    if own is not None:
        return own
    member, community = row.checkin.member_id, row.checkin.community_id
    quarter = Quarter.of(row.served_on)
    if MemberCard.objects.filter(member=member, community=community, quarter=quarter.first_day).exists():
        return _("%(quarter)s的服务卡已经反馈给单位，不能再撤销。") % {"quarter": quarter.label}
    certified = Certificate.objects.filter(member=member, community=community, revoked_at=None)
    if certified.filter(since__lte=row.served_on, until__gte=row.served_on).exists():
        return _("这次服务已经写进服务证明，请先作废那张证明。")
    return None


MEMBER_CHECKIN = Workflow(
    "member_checkin",
    t("党员报到"),
    dict(C.choices),
    C.APPLIED,
    (
        Transition(
            "accept",
            t("接收"),
            _states(C.APPLIED),
            C.ACCEPTED,
            posts.MANAGE_MEMBER_CHECKIN,
            guard=_can_live_there,
            tone="main",
            done=t("接收了报到"),
            help=t("接收后，党员可以填写服务，社区按特长和空闲时间安排。"),
        ),
        Transition(
            "send_back",
            t("退回完善"),
            _states(C.APPLIED),
            C.SENT_BACK,
            posts.MANAGE_MEMBER_CHECKIN,
            inputs=(_WORD,),
            done=t("退回完善"),
            help=t("小区选错了、写得不清楚时退回，本人改好再提交。"),
        ),
        Transition(
            "resend",
            t("重新提交"),
            _states(C.SENT_BACK),
            C.APPLIED,
            posts.REPORT_MEMBER_CHECKIN,
            tone="main",
            done=t("重新提交了报到"),
        ),
        Transition(
            "decline",
            t("不接收"),
            _states(C.APPLIED, C.SENT_BACK),
            C.DECLINED,
            posts.MANAGE_MEMBER_CHECKIN,
            inputs=(_WORD,),
            tone="danger",
            done=t("没有接收报到"),
            help=t("不住在本社区等确实不能接收的。"),
        ),
        # What was said of skills and time changes; the registration stands.
        Transition(
            "change",
            t("修改特长和时间"),
            _states(C.APPLIED, C.ACCEPTED),
            None,
            posts.REPORT_MEMBER_CHECKIN,
            also=(posts.MANAGE_MEMBER_CHECKIN,),
            done=t("修改了报到信息"),
        ),
        Transition(
            "withdraw",
            t("撤回报到"),
            _states(C.APPLIED, C.SENT_BACK),
            C.ENDED,
            posts.REPORT_MEMBER_CHECKIN,
            tone="danger",
            done=t("撤回了报到"),
        ),
        # Moving house is an end and a new report in one step (`move_house`).
        Transition(
            "end",
            t("结束报到"),
            _states(C.ACCEPTED),
            C.ENDED,
            posts.REPORT_MEMBER_CHECKIN,
            also=(posts.MANAGE_MEMBER_CHECKIN,),
            inputs=(_NOTE,),
            tone="danger",
            done=t("结束了报到"),
            help=t("结束后不再安排服务；已经填写的服务仍由社区确认，照样反馈单位。"),
        ),
    ),
    ends=(C.DECLINED, C.ENDED),
)

SERVICE = Workflow(
    "member_service",
    t("服务记录"),
    dict(S.choices),
    S.ENTERED,
    (
        Transition(
            "confirm",
            t("确认"),
            _states(S.ENTERED),
            S.CONFIRMED,
            posts.MANAGE_MEMBER_CHECKIN,
            guard=_not_ones_own,
            tone="main",
            done=t("确认了服务"),
            help=t("确认后计入季度服务卡和服务证明。"),
        ),
        Transition(
            "send_back",
            t("退回核对"),
            _states(S.ENTERED),
            S.SENT_BACK,
            posts.MANAGE_MEMBER_CHECKIN,
            inputs=(_WORD,),
            guard=_not_ones_own,
            done=t("退回核对"),
            help=t("日期、时长或内容有出入时退回，本人改好会再送来。"),
        ),
        Transition(
            "correct",
            t("更正"),
            _states(S.ENTERED, S.SENT_BACK),
            S.ENTERED,
            posts.REPORT_MEMBER_CHECKIN,
            tone="main",
            done=t("更正了服务"),
        ),
        Transition(
            "drop",
            t("删除"),
            _states(S.ENTERED, S.SENT_BACK),
            S.DROPPED,
            posts.REPORT_MEMBER_CHECKIN,
            tone="danger",
            done=t("删除了服务"),
        ),
        # A slip of the one who confirmed, as long as nobody was told.
        Transition(
            "take_back",
            t("撤销确认"),
            _states(S.CONFIRMED),
            S.SENT_BACK,
            posts.MANAGE_MEMBER_CHECKIN,
            inputs=(_WORD,),
            guard=_not_told_yet,
            tone="danger",
            done=t("撤销了确认"),
            help=t("确认错了才用；还没有反馈单位、没有开过证明的才能撤销。"),
        ),
    ),
    ends=(S.CONFIRMED, S.DROPPED),
)
