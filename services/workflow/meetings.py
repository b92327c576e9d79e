"""A joint meeting, who comes, what lies on the table, and what was resolved. Source: docs/domain.md#g2, #l4.

What a unit claims at the table, and what is resolved, takes effect when the meeting closes: until then everything can be
taken back (docs/decisions/0024).
"""

from typing import Any

from django.utils.translation import gettext_lazy as t

from core.workflow import Input, Transition, Workflow
from services import meeting_rules as rules
from services import posts
from services.models import ItemState, MeetingState, Presence, ResolutionState

M, P, A, R = MeetingState, Presence, ItemState, ResolutionState


def _states(*states: Any) -> frozenset[str]:
    return frozenset(str(state) for state in states)


def _reason(label: Any, *, required: bool = True) -> Input:
    return Input("reason", label, required=required)


MEETING = Workflow(
    name="meeting",
    label=t("联席会议"),
    states=dict(M.choices),
    initial=M.PLANNED,
    transitions=(
        Transition(
            "publish",
            t("发会议通知"),
            _states(M.PLANNED),
            M.PUBLISHED,
            posts.MANAGE_MEETING,
            inputs=(_reason(t("提前不足三天的原因"), required=False),),
            tone="main",
            done=t("已发会议通知。"),
            help=t("通知发给参会单位的联络员和包联领导，议程随之公布。至少提前三天；不足三天的要写明原因。"),
        ),
        # The same meeting at another time or place; who had answered is asked again when the time changes.
        Transition(
            "change",
            t("修改时间地点"),
            _states(M.PLANNED, M.PUBLISHED),
            None,
            posts.MANAGE_MEETING,
            done=t("已修改。"),
            help=t("已经发过通知的，会再通知各单位；时间有变的，请单位重新回复。"),
        ),
        Transition(
            "start",
            t("开始会议"),
            _states(M.PUBLISHED),
            M.RUNNING,
            posts.MANAGE_MEETING,
            tone="main",
            done=t("会议已开始，单位可以在手机上认领议题。"),
            help=t("开始后，参会单位可以在手机上认领议题，大屏同步显示。"),
        ),
        Transition(
            "close",
            t("结束会议"),
            _states(M.RUNNING),
            M.CLOSED,
            posts.MANAGE_MEETING,
            inputs=(Input("summary", t("会议小结"), max_length=2000),),
            tone="main",
            system=True,
            done=t("会议已结束，决议已生效。"),
            help=t("结束后，认领和决议生效：立项、承诺、派单一并办好，并通知各单位；此后不能再改。"),
        ),
        Transition(
            "cancel",
            t("取消会议"),
            _states(M.PLANNED, M.PUBLISHED),
            M.CANCELLED,
            posts.MANAGE_MEETING,
            inputs=(_reason(t("取消原因")),),
            tone="danger",
            done=t("会议已取消。"),
            help=t("已经发过通知的，会告诉各单位。议题留到下一次会议。"),
        ),
        # Nobody opened it a week after its time: nothing waits for ever.
        Transition("lapse", t("逾期未开"), _states(M.PLANNED, M.PUBLISHED), M.CANCELLED, system=True),
    ),
)

ATTENDANCE = Workflow(
    name="attendance",
    label=t("参会"),
    states=dict(P.choices),
    initial=P.INVITED,
    ends=tuple(P),
    transitions=(
        Transition(
            "come",
            t("参加"),
            _states(P.INVITED, P.COMING, P.EXCUSED),
            P.COMING,
            posts.ATTEND_MEETING,
            also=(posts.MANAGE_MEETING,),
            inputs=(Input("person", t("谁来参加"), "line", required=True, max_length=60),),
            guard=rules.own_answer,
            tone="main",
            done=t("已回复参加。"),
        ),
        Transition(
            "excuse",
            t("请假"),
            _states(P.INVITED, P.COMING, P.EXCUSED),
            P.EXCUSED,
            posts.ATTEND_MEETING,
            also=(posts.MANAGE_MEETING,),
            inputs=(Input("note", t("请假原因"), "line", required=True, max_length=200),),
            guard=rules.own_answer,
            done=t("已回复请假。"),
        ),
        Transition(
            "arrive",
            t("到会"),
            _states(P.INVITED, P.COMING, P.EXCUSED),
            P.PRESENT,
            posts.MANAGE_MEETING,
            guard=rules.under_way,
            done=t("已登记到会。"),
        ),
        Transition(
            "absent",
            t("取消到会"),
            _states(P.PRESENT),
            P.INVITED,
            posts.MANAGE_MEETING,
            guard=rules.under_way,
            done=t("已取消到会。"),
        ),
    ),
)

AGENDA_ITEM = Workflow(
    name="agendaitem",
    label=t("议题"),
    states=dict(A.choices),
    initial=A.OPEN,
    driven=(
        (A.RESOLVED, A.OPEN, t("决议不再办理 drop")),
        (A.LEADER, A.OPEN, t("决议不再办理 drop")),
        (A.RESOLVED, A.CLAIMED, t("决议不再办理 drop")),
        (A.LEADER, A.CLAIMED, t("决议不再办理 drop")),
    ),
    ends=(A.RESOLVED, A.LEADER, A.DEFERRED),
    transitions=(
        Transition(
            "claim",
            t("认领"),
            _states(A.OPEN),
            A.CLAIMED,
            posts.ATTEND_MEETING,
            also=(posts.MANAGE_MEETING,),
            inputs=(Input("unit", t("认领单位"), "unit"),),
            guard=rules.free_to_claim,
            otherwise=rules.who_claimed,
            tone="main",
            done=t("已认领。"),
            help=t("会议结束时生效；结束前可以撤回。"),
        ),
        Transition(
            "release",
            t("撤回认领"),
            _states(A.CLAIMED),
            A.OPEN,
            posts.ATTEND_MEETING,
            also=(posts.MANAGE_MEETING,),
            guard=rules.own_claim,
            done=t("已撤回认领。"),
        ),
        # A project, a commitment, a task; the last one of them says what became of the item.
        Transition(
            "resolve",
            t("形成决议"),
            _states(A.OPEN, A.CLAIMED, A.RESOLVED, A.LEADER),
            A.RESOLVED,
            posts.MANAGE_MEETING,
            guard=rules.still_here,
            tone="main",
            done=t("决议已记下。"),
            help=t("写明做什么、谁负责、什么时候完成。没有责任人的决议不能保存。会议结束时生效。"),
        ),
        Transition(
            "lead",
            t("提请领导协调"),
            _states(A.OPEN, A.CLAIMED, A.RESOLVED, A.LEADER),
            A.LEADER,
            posts.MANAGE_MEETING,
            guard=rules.still_here,
            done=t("已记下，会议结束时报包联领导。"),
            help=t("难办的事交给包联这里的县级领导协调。会议结束时通知领导，领导在手机上看得到。"),
        ),
        Transition(
            "defer",
            t("缓议"),
            _states(A.OPEN, A.CLAIMED),
            A.DEFERRED,
            posts.MANAGE_MEETING,
            guard=rules.at_the_table,
            system=True,
            done=t("已列入下次会议。"),
            help=t("这次不议，自动列入这里的下一次联席会议。"),
        ),
    ),
)

RESOLUTION = Workflow(
    name="resolution",
    label=t("会议决议"),
    states=dict(R.choices),
    initial=R.OPEN,
    transitions=(
        Transition(
            "finish",
            t("登记落实"),
            _states(R.OPEN),
            R.DONE,
            posts.MANAGE_MEETING,
            inputs=(Input("result", t("落实情况"), required=True),),
            guard=rules.not_followed,
            tone="main",
            done=t("已登记落实情况。"),
        ),
        # The paired leader writes down what came of it; seeing the meeting is enough, being the leader is the guard.
        Transition(
            "coordinate",
            t("登记协调结果"),
            _states(R.OPEN),
            R.DONE,
            posts.VIEW_MEETING,
            inputs=(Input("result", t("协调结果"), required=True),),
            guard=rules.own_matter,
            tone="main",
            done=t("已登记协调结果。"),
        ),
        Transition(
            "drop",
            t("不再办理"),
            _states(R.OPEN),
            R.DROPPED,
            posts.MANAGE_MEETING,
            inputs=(_reason(t("原因")),),
            guard=rules.not_made_yet,
            tone="danger",
            done=t("已记为不再办理。"),
        ),
        # Its project or commitment came to an end: the resolution follows.
        Transition("follow", t("随项目、承诺落实"), _states(R.OPEN), R.DONE, system=True),
        Transition("fall", t("随项目、承诺终止"), _states(R.OPEN), R.DROPPED, system=True),
    ),
)

ALL = (MEETING, ATTENDANCE, AGENDA_ITEM, RESOLUTION)
