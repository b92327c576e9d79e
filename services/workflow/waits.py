"""Everything of the loop that waits: who has to act, what clock runs, and what happens when nobody does. Data, no code.

No wait ends with a reminder to the one who lets it wait: each has a step that somebody else takes, or that is told to the
desk above, up to the county. `tests/services/test_waits.py` walks every state and drives each row past its limits; the
table is drawn into docs/workflow.md. What is told is in `services.notices`, by whom in `services.reminders` (orders) and
`services.actions.wait_sweep` (the rest). Rules: docs/practice.md#waits.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from core.workflow import Text
from services.models import AssignmentState, DemandState, SubOrderState

t = gettext_lazy

# Working days past a limit after which the desk above is told.
UP_AFTER = 1


@dataclass(frozen=True)
class Wait:
    """One thing that waits.

    Attributes:
        of: the table or record; `state`: its state, "" for a record that has none.
        who: who has to act. clock: the column that holds the limit.
        at_limit: what the sweeper does when it passes; `then`: what comes after that.
        ends: the move the sweeper itself makes; "" where a person must act.
        tells: the notices it comes to, in this order.
    """

    of: str
    state: str
    who: Text
    clock: str
    at_limit: Text
    then: Text
    ends: str = ""
    tells: tuple[str, ...] = ()


D, S, A = DemandState, SubOrderState, AssignmentState
_STEP = ("demand_step_late", "demand_step_late_street", "demand_step_late_county")
_REMINDED = t("每天提醒经办层级一次")
_CLIMBS = t("次个工作日起每天提醒街道，到通报期限起每天提醒县级")
_SERVED = t("提醒单位并告知社区，次日再提醒一次")
_LATE = ("demand_late", "demand_late_community", "demand_bulletin")
_LADDER = t("到通报期限列入通报，请有督办权的督办")
# A supporting order goes on when its lead, and with it the ladder, has ended (services.reminders).
_ORDER = t("到通报期限列入通报，请有督办权的督办；配合单位此后每五个工作日再提醒，直到办结")

WAITS: tuple[Wait, ...] = (
    Wait("demand", D.REGISTERED, t("社区：受理"), "step_due_at", _REMINDED, _CLIMBS, tells=_STEP),
    Wait("demand", D.ACCEPTED, t("经办层级：派单"), "step_due_at", _REMINDED, _CLIMBS, tells=_STEP),
    Wait(
        "demand", D.PUBLISHED, t("报到单位：认领"), "step_due_at", t("回到社区的待办，每天提醒"), _CLIMBS, tells=_STEP
    ),
    Wait("demand", D.DISPATCHED, t("承办单位：办结"), "due_at", _SERVED, _LADDER, tells=_LATE),
    Wait("demand", D.FINISHED, t("社区：核查"), "step_due_at", _REMINDED, _CLIMBS, tells=_STEP),
    Wait(
        "demand",
        D.CHECKED,
        t("居民：评价"),
        "step_due_at",
        t("自动销号；有居民说没解决的不自动销号，每天提醒社区"),
        _CLIMBS,
        ends="close_off",
        tells=_STEP,
    ),
    Wait(
        "suborder",
        S.DISPATCHED,
        t("承办单位：签收"),
        "sign_due_at",
        t("计入响应超时，提醒单位"),
        t("次个工作日告知社区；办理时限照常走"),
        tells=("demand_sign_late", "demand_sign_late_community", *_LATE),
    ),
    Wait("suborder", S.SIGNED, t("承办单位：安排、办理"), "due_at", _SERVED, _ORDER, tells=_LATE),
    Wait(
        "suborder",
        S.RETURN_REQUESTED,
        t("社区：审核退单"),
        "review_due_at",
        t("提醒社区；从这时起街道也可以审核"),
        t("次个工作日提醒街道，到通报期限提醒县级；办理时限照常走"),
        tells=("demand_review_late", "demand_review_late_street", "demand_review_late_county"),
    ),
    Wait("suborder", S.IN_SERVICE, t("承办单位：办结"), "due_at", _SERVED, _ORDER, tells=_LATE),
    Wait(
        "assignment",
        A.OFFERED,
        t("党员：接受或婉拒"),
        "due_at",
        t("转为未回应，告知联络员另行安排"),
        t("单位的办理时限照常走"),
        ends="lapse",
        tells=("demand_lapse",),
    ),
    Wait("assignment", A.TAKEN, t("党员：参加服务"), "suborder.due_at", _SERVED, _LADDER, tells=_LATE),
    Wait(
        "supervision",
        "",
        t("被督办的单位或社区：答复"),
        "due_at",
        t("提醒答复"),
        t("次个工作日起每天提醒街道和县级"),
        tells=("demand_answer_late", "demand_answer_late_street", "demand_answer_late_up"),
    ),
    Wait(
        "extension",
        "waiting",
        t("社区（再次延期由街道）：审核"),
        "suborder.review_due_at",
        t("提醒审核的层级；首次延期从这时起街道也可以审核"),
        t("次个工作日提醒街道，到通报期限提醒县级；办理时限照常走"),
        tells=("demand_review_late", "demand_review_late_street", "demand_review_late_county"),
    ),
    Wait(
        "parking",
        "",
        t("等季节、等预算"),
        "demand.parked_until",
        t("各项时限接着走，告知社区"),
        t("同所在状态"),
        ends="unpark",
        tells=("demand_unparked",),
    ),
    Wait(
        "whistle",
        "",
        t("街道：吹哨办结"),
        "due_at",
        t("每天提醒街道"),
        t("次个工作日起每天提醒县级"),
        tells=("demand_whistle_late", "demand_whistle_late_county"),
    ),
    Wait("exclusion", "requested", t("县级：审核剔除申请"), "due_at", t("提醒县级"), t("未审核的照常计入")),
)

# States in which nobody waits for anybody: the matter rests, or another one speaks for it.
AT_REST = {
    "demand": {D.DECLINED, D.CLOSED_OFF, D.WITHDRAWN, D.LINKED},
    "suborder": {S.RETURNED, S.FINISHED},
    "assignment": {A.PASSED_UP, A.LAPSED},
}

_NAMES = {
    "demand": t("需求"),
    "suborder": t("派单"),
    "assignment": t("人员安排"),
    "supervision": t("督办"),
    "extension": t("延期申请"),
    "parking": t("挂账"),
    "whistle": t("吹哨"),
    "exclusion": t("剔除申请"),
}
_STATES = {
    "demand": dict(DemandState.choices),
    "suborder": dict(SubOrderState.choices),
    "assignment": dict(AssignmentState.choices),
}


def table() -> str:
    """The waits as a Markdown table."""
    lines = ["| 等待 | 等谁做什么 | 时限 | 到时限 | 再不办 |", "| --- | --- | --- | --- | --- |"]
    for row in WAITS:
        state = _STATES.get(row.of, {}).get(row.state, "")
        what = f"{_NAMES[row.of]}：{state}" if state else _NAMES[row.of]
        lines.append(f"| {what} | {row.who} | `{row.clock}` | {row.at_limit} | {row.then} |")
    return "\n".join(lines)
