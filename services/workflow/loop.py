"""The closed loop as three tables. Data, no code: every odd edge is explained beside it.

Source: docs/domain.md#x1 (the five steps of 西乡), #c3 (order, dispatch, accept), docs/practice.md#loop.
Supervision, extension, parking, follow-up and evaluation leave the state as it is: they are records beside it.
"""

from typing import Any

from django.utils.translation import gettext_lazy

from core.workflow import Input, Text, Transition, Workflow
from services import guards, posts
from services.models import (
    Assignment,
    AssignmentState,
    Demand,
    DemandState,
    Satisfaction,
    SubOrder,
    SubOrderState,
)
from services.workflow import desks

D = DemandState
S = SubOrderState
A = AssignmentState
t = gettext_lazy


def _states(*states: Any) -> frozenset[str]:
    return frozenset(str(state) for state in states)


# Inputs that several moves share.

_REASON, _NOTE = t("理由"), t("说明")


def _reason(label: Text = _REASON, help: Text = "") -> Input:
    return Input("reason", label, required=True, help=help)


def _note(label: Text = _NOTE) -> Input:
    return Input("note", label)


_PHOTOS = Input("photos", t("照片"), "photos", help=t("可不传；最多 6 张。"))
_CONTACTED = Input("contacted", t("已与群众取得联系"), "flag")
_SATISFACTION = tuple((str(value), label) for value, label in Satisfaction.choices)


DEMAND = Workflow(
    name="demand",
    label=t("需求"),
    states=dict(DemandState.choices),
    initial=D.REGISTERED,
    driven=(
        (D.DISPATCHED, D.FINISHED, t("牵头单位办结 finish")),
        (D.DISPATCHED, D.ACCEPTED, t("同意牵头单位退单 approve_return")),
    ),
    ends=(D.DECLINED, D.CLOSED_OFF, D.WITHDRAWN, D.LINKED),
    transitions=(
        Transition(
            "accept",
            t("受理"),
            _states(D.REGISTERED),
            D.ACCEPTED,
            posts.ACCEPT_DEMAND,
            inputs=(Input("category", t("调整类别"), "category", help=t("类别不对时在这里改，时限随之改变。")),),
            tone="main",
            clock=t("派单限时开始"),
            done=t("受理"),
        ),
        Transition(
            "decline",
            t("不予受理"),
            _states(D.REGISTERED),
            D.DECLINED,
            posts.ACCEPT_DEMAND,
            inputs=(_reason(help=t("居民会看到这段话，请说明原因和可以找谁。")),),
            tone="danger",
            clock=t("计时结束"),
            limit="stops",
            done=t("不予受理"),
        ),
        Transition(
            "publish",
            t("发布认领"),
            _states(D.ACCEPTED),
            D.PUBLISHED,
            posts.PUBLISH_DEMAND,
            clock=t("认领限时开始"),
            done=t("发布到需求清单"),
            help=t("本社区的报到单位都能看到并认领。"),
        ),
        # A claim is a dispatch to oneself: its clock starts here.
        Transition(
            "claim",
            t("认领"),
            _states(D.PUBLISHED),
            D.DISPATCHED,
            posts.CLAIM_DEMAND,
            inputs=(Input("unit", t("认领单位"), "unit"),),
            otherwise=guards.who_has_it,
            tone="main",
            clock=t("办理限时开始"),
            limit="starts",
            done=t("认领"),
        ),
        Transition(
            "dispatch",
            t("派单"),
            _states(D.ACCEPTED, D.PUBLISHED),
            D.DISPATCHED,
            posts.DISPATCH_DEMAND,
            inputs=(
                Input("unit", t("牵头单位"), "unit", required=True),
                Input("supporting", t("配合单位"), "units"),
                _note(t("派单说明")),
                Input("designated", t("指定承办"), "flag", help=t("指定承办的单位不能退单。")),
            ),
            tone="main",
            system=True,  # by an automatic rule (docs/decisions/0029-routing-rules.md)
            clock=t("办理限时开始"),
            limit="starts",
            done=t("派单"),
            guard=guards.desk_dispatches,
        ),
        Transition(
            "check",
            t("核查通过"),
            _states(D.FINISHED),
            D.CHECKED,
            posts.CHECK_DEMAND,
            inputs=(_note(t("核查情况")),),
            tone="main",
            clock=t("评价限时开始"),
            done=t("核查通过"),
            guard=guards.not_who_served,
        ),
        # The lead unit goes on; what it had finished is open again.
        Transition(
            "redo",
            t("重办"),
            _states(D.FINISHED, D.CHECKED),
            D.DISPATCHED,
            posts.CHECK_DEMAND,
            inputs=(_reason(t("重办要求")),),
            tone="danger",
            clock=t("重新计算办理限时"),
            limit="restarts",
            done=t("要求重办"),
        ),
        Transition(
            "follow_up",
            t("回访"),
            _states(D.CHECKED, D.CLOSED_OFF),
            None,
            posts.FOLLOW_UP_DEMAND,
            inputs=(
                Input("reached", t("联系上了居民"), "flag"),
                Input("solved", t("问题是否解决"), "choice", choices=(("yes", t("已解决")), ("no", t("未解决")))),
                Input("satisfaction", t("是否满意"), "choice", choices=_SATISFACTION),
                _note(t("回访记录")),
            ),
            done=t("回访"),
            guard=guards.not_who_served,
        ),
        # Only the resident evaluates; the community asks by a follow-up call instead. Whose matter was linked says how the
        # one service was for them, and is heard without counting a second time (docs/practice.md#rates).
        Transition(
            "evaluate",
            t("评价"),
            _states(D.CHECKED, D.CLOSED_OFF, D.LINKED),
            None,
            None,
            inputs=(
                Input(
                    "solved",
                    t("问题解决了吗"),
                    "choice",
                    required=True,
                    choices=(("yes", t("已解决")), ("no", t("未解决"))),
                ),
                Input("satisfaction", t("您满意吗"), "choice", required=True, choices=_SATISFACTION),
                _note(t("想说的话")),
            ),
            resident=True,
            done=t("评价"),
            guard=guards.may_still_evaluate,
        ),
        # By itself a set time after the check, when nobody evaluates.
        Transition(
            "close_off",
            t("销号"),
            _states(D.CHECKED),
            D.CLOSED_OFF,
            posts.CLOSE_DEMAND,
            inputs=(_note(t("销号说明")),),
            tone="main",
            system=True,
            clock=t("计时结束"),
            done=t("销号"),
            guard=guards.not_who_served,
        ),
        Transition(
            "reopen",
            t("重启"),
            _states(D.CLOSED_OFF),
            D.DISPATCHED,
            posts.CHECK_DEMAND,
            inputs=(_reason(t("重启理由")),),
            guard=guards.within_reopen_window,
            resident=True,
            clock=t("重新计算办理限时"),
            limit="restarts",
            done=t("重启"),
        ),
        Transition(
            "withdraw",
            t("撤回"),
            _states(D.REGISTERED, D.ACCEPTED, D.PUBLISHED),
            D.WITHDRAWN,
            posts.ACCEPT_DEMAND,
            inputs=(_reason(),),
            tone="danger",
            resident=True,
            clock=t("计时结束"),
            limit="stops",
            done=t("撤回"),
        ),
        # Duplicates are linked, never merged away: each requester keeps a code and gets an answer.
        Transition(
            "link",
            t("并案"),
            _states(D.REGISTERED, D.ACCEPTED),
            D.LINKED,
            posts.ACCEPT_DEMAND,
            inputs=(Input("matter", t("并入的需求编号"), "matter", required=True),),
            clock=t("计时结束"),
            limit="stops",
            done=t("并案"),
        ),
        Transition(
            "park",
            t("挂账"),
            _states(D.ACCEPTED, D.DISPATCHED),
            None,
            posts.PARK_DEMAND,
            inputs=(
                Input("until", t("挂账至"), "date", required=True),
                Input("reason", t("实施计划"), required=True, help=t("需要等季节或预算的事项：写明计划。")),
            ),
            guard=guards.not_parked,
            clock=t("各项时限顺延到挂账结束之后"),
            limit="pauses",
            done=t("挂账"),
        ),
        Transition(
            "escalate",
            t("上报"),
            _states(D.ACCEPTED, D.PUBLISHED),
            None,
            posts.ESCALATE_DEMAND,
            inputs=(_reason(t("上报理由")),),
            done=t("上报街道"),
            help=t("社区协调不了的，请街道派单。"),
            guard=guards.on_the_communitys_desk,
            clock=t("街道派单限时开始"),
        ),
        Transition(
            "supervise",
            t("督办"),
            _states(D.REGISTERED, D.ACCEPTED, D.PUBLISHED, D.DISPATCHED, D.FINISHED),
            None,
            posts.SUPERVISE_DEMAND,
            inputs=(_reason(t("督办要求")),),
            guard=guards.no_open_supervision,
            tone="danger",
            clock=t("答复限时开始"),
            done=t("督办"),
        ),
        # Also where the matter ended meanwhile: who was asked still owes the answer, and nothing can wait for ever.
        Transition(
            "answer_supervision",
            t("答复督办"),
            _states(*D),
            None,
            posts.ANSWER_SUPERVISION,
            inputs=(_reason(t("答复")),),
            guard=guards.community_is_supervised,
            tone="main",
            done=t("答复督办"),
        ),
        *desks.MOVES,
    ),
)

SUBORDER = Workflow(
    name="suborder",
    label=t("派单"),
    states=dict(SubOrderState.choices),
    initial=S.DISPATCHED,
    driven=(
        (S.SIGNED, S.IN_SERVICE, t("党员接受安排 take")),
        (S.FINISHED, S.IN_SERVICE, t("社区重办 redo、重启 reopen")),
    ),
    ends=(S.RETURNED, S.FINISHED),
    transitions=(
        Transition(
            "sign",
            t("签收"),
            _states(S.DISPATCHED),
            S.SIGNED,
            posts.SIGN_SUBORDER,
            inputs=(_CONTACTED,),
            tone="main",
            clock=t("签收计入响应率"),
            done=t("签收"),
        ),
        Transition(
            "request_return",
            t("退单"),
            _states(S.DISPATCHED, S.SIGNED),
            S.RETURN_REQUESTED,
            posts.SIGN_SUBORDER,
            inputs=(_reason(help=t("只有明显不属于本单位职责的才能退单，由社区审核。")),),
            guard=guards.not_designated,
            tone="danger",
            clock=t("审核限时开始，办理时限不停"),
            done=t("申请退单"),
        ),
        # The first receiver stays answerable until another unit has signed (docs/practice.md#loop).
        Transition(
            "approve_return",
            t("同意退单"),
            _states(S.RETURN_REQUESTED),
            S.RETURNED,
            posts.REVIEW_RETURN,
            inputs=(_note(t("审核意见")),),
            tone="main",
            clock=t("本单位的时限停止，办理总时限不重置"),
            limit="stops",
            done=t("同意退单"),
            guard=guards.review_is_due,
        ),
        Transition(
            "reject_return",
            t("驳回退单"),
            _states(S.RETURN_REQUESTED),
            S.DISPATCHED,
            posts.REVIEW_RETURN,
            inputs=(_reason(),),
            tone="danger",
            done=t("驳回退单"),
            guard=guards.review_is_due,
        ),
        Transition(
            "assign",
            t("安排人员"),
            _states(S.SIGNED, S.IN_SERVICE),
            None,
            posts.ASSIGN_SUBORDER,
            inputs=(Input("members", t("党员"), "members", required=True),),
            tone="main",
            done=t("安排人员"),
        ),
        Transition(
            "report",
            t("反馈进展"),
            _states(S.SIGNED, S.IN_SERVICE),
            S.IN_SERVICE,
            posts.REPORT_SUBORDER,
            inputs=(Input("text", t("进展"), required=True, max_length=2000), _PHOTOS, _CONTACTED),
            guard=guards.has_taken,
            tone="main",
            clock=t("首次反馈计为首次联系"),
            done=t("反馈进展"),
        ),
        Transition(
            "finish",
            t("办结"),
            _states(S.IN_SERVICE),
            S.FINISHED,
            posts.FINISH_SUBORDER,
            inputs=(
                Input("text", t("办理结果"), required=True, max_length=2000, help=t("居民会看到这段话。")),
                _PHOTOS,
            ),
            tone="main",
            clock=t("办理限时停止"),
            limit="stops",
            done=t("办结"),
        ),
        Transition(
            "request_extension",
            t("申请延期"),
            _states(S.SIGNED, S.IN_SERVICE),
            None,
            posts.FINISH_SUBORDER,
            inputs=(Input("until", t("延期至"), "date", required=True), _reason()),
            guard=guards.may_extend,
            done=t("申请延期"),
        ),
        Transition(
            "approve_extension",
            t("同意延期"),
            _states(S.SIGNED, S.IN_SERVICE),
            None,
            posts.REVIEW_EXTENSION,
            also=(posts.REVIEW_SECOND_EXTENSION,),  # which of the two decides depends on the extension: the guard says
            inputs=(_note(t("审核意见")),),
            guard=guards.extension_waits,
            clock=t("时限改到新日期"),
            limit="extends",
            done=t("同意延期"),
        ),
        Transition(
            "reject_extension",
            t("驳回延期"),
            _states(S.SIGNED, S.IN_SERVICE),
            None,
            posts.REVIEW_EXTENSION,
            also=(posts.REVIEW_SECOND_EXTENSION,),
            inputs=(_reason(),),
            guard=guards.extension_waits,
            tone="danger",
            done=t("驳回延期"),
        ),
        # Also after a return: who was asked still owes the answer, and nothing can wait for ever.
        Transition(
            "answer_supervision",
            t("答复督办"),
            _states(*S),
            None,
            posts.ANSWER_SUPERVISION,
            inputs=(_reason(t("答复")),),
            guard=guards.unit_is_supervised,
            tone="main",
            done=t("答复督办"),
        ),
    ),
)

ASSIGNMENT = Workflow(
    name="assignment",
    label=t("人员安排"),
    states=dict(AssignmentState.choices),
    initial=A.OFFERED,
    transitions=(
        Transition(
            "take",
            t("接受"),
            _states(A.OFFERED),
            A.TAKEN,
            posts.ANSWER_ASSIGNMENT,
            guard=guards.still_wanted,
            tone="main",
            clock=t("派单转为服务中"),
            done=t("接受安排"),
        ),
        # Declining has no consequence and needs no reason (docs/practice.md#lines).
        Transition(
            "pass_up",
            t("婉拒"),
            _states(A.OFFERED),
            A.PASSED_UP,
            posts.ANSWER_ASSIGNMENT,
            inputs=(_note(t("想说明的情况（可不填）")),),
            done=t("婉拒安排"),
        ),
        # Silence is no consequence either: the unit is told to ask somebody else, and the member may be asked again.
        Transition(
            "lapse",
            t("未回应"),
            _states(A.OFFERED),
            A.LAPSED,
            system=True,
            clock=t("回应限时已过"),
            done=t("没有回应安排"),
        ),
    ),
)

# The tables along which a demand moves (`services.actions.moving`), by the model each is about.
BY_MODEL = {Demand: DEMAND, SubOrder: SUBORDER, Assignment: ASSIGNMENT}
