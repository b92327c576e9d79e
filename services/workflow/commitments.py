"""The life of a promise (承诺服务事项). Source: docs/domain.md#z1, #z2, docs/practice.md#checkin.

Who promised tells how far it is and when it is done; only the community says that it counts, and nobody says so of a
promise of their own unit. A promise leaves its unit in two ways: to another unit, or given up with a reason.
"""

from django.utils.translation import gettext_lazy

from core.workflow import Input, Transition, Workflow
from services import guards, posts
from services.models import CommitmentState

C = CommitmentState
t = gettext_lazy

_PHOTOS = Input("photos", t("照片"), "photos", help=t("可不传；最多 6 张。"))
_OPEN = frozenset({str(C.OPEN)})
_REPORTED = frozenset({str(C.REPORTED)})

COMMITMENT = Workflow(
    name="commitment",
    label=t("承诺事项"),
    states=dict(C.choices),
    initial=C.OPEN,
    ends=(C.DONE, C.MOVED, C.DROPPED),
    transitions=(
        Transition(
            "progress",
            t("反馈进展"),
            _OPEN,
            None,
            posts.MAKE_COMMITMENT,
            inputs=(
                Input("percent", t("进度（%）"), "line", required=True),
                Input("text", t("进展"), required=True),
                _PHOTOS,
            ),
            done=t("反馈了进展"),
        ),
        Transition(
            "report",
            t("申报完成"),
            _OPEN,
            C.REPORTED,
            posts.MAKE_COMMITMENT,
            inputs=(Input("text", t("完成情况"), required=True), _PHOTOS),
            tone="main",
            done=t("申报完成，等待社区确认"),
            help=t("社区确认后才算完成。"),
        ),
        # The unit's own people never confirm, in whatever other post: the guard says so, the right does not know it.
        Transition(
            "confirm",
            t("确认完成"),
            _REPORTED,
            C.DONE,
            posts.CONFIRM_COMMITMENT,
            guard=guards.not_ones_own,
            tone="main",
            done=t("确认完成"),
            help=t("确认后计入完成率，单位的承诺公示上显示“已完成”。"),
        ),
        Transition(
            "send_back",
            t("退回"),
            _REPORTED,
            C.OPEN,
            posts.CONFIRM_COMMITMENT,
            inputs=(Input("reason", t("退回理由"), required=True, help=t("还差什么，请写清楚，承诺人会看到。")),),
            guard=guards.not_ones_own,
            tone="danger",
            done=t("退回，继续落实"),
        ),
        Transition(
            "change",
            t("修改"),
            _OPEN,
            None,
            posts.MANAGE_COMMITMENT,
            done=t("已保存。"),
            help=t("改动会留下记录。换单位请用“转接”。"),
        ),
        # Whoever ends a check-in settles its promises with it, the system where it does that by itself.
        Transition(
            "move",
            t("转接"),
            _OPEN | _REPORTED,
            C.MOVED,
            posts.MANAGE_COMMITMENT,
            also=(posts.MANAGE_CHECKIN,),
            system=True,
            inputs=(Input("unit", t("接手单位"), "unit", required=True), Input("reason", t("理由"))),
            done=t("已转接。"),
            help=t("原来的承诺到此为止，接手单位名下新建同样的承诺，从头反馈进展。"),
        ),
        Transition(
            "drop",
            t("终止"),
            _OPEN | _REPORTED,
            C.DROPPED,
            posts.MANAGE_COMMITMENT,
            also=(posts.MANAGE_CHECKIN,),
            system=True,
            inputs=(Input("reason", t("终止理由"), required=True),),
            tone="danger",
            done=t("已终止。"),
            help=t("终止的承诺不计入承诺数和完成率，另外列出。"),
        ),
    ),
)
