"""A demand is left out of a rate: asked for with a reason, decided by the county, taken back, or counted again.

Source: docs/practice.md#rates (exclusions approved and logged). Nothing is left out by waiting: until it is decided, the
demand counts.
"""

from django.utils.translation import gettext_lazy

from core.workflow import Input, Transition, Workflow
from services import posts, rate_rules
from services.models import ExclusionState

E = ExclusionState
t = gettext_lazy
_REQUESTED = frozenset({str(E.REQUESTED)})

EXCLUSION = Workflow(
    name="exclusion",
    label=t("剔除申请"),
    states=dict(E.choices),
    initial=E.REQUESTED,
    transitions=(
        Transition(
            "approve",
            t("同意剔除"),
            _REQUESTED,
            E.APPROVED,
            posts.DECIDE_EXCLUSION,
            inputs=(Input("note", t("审核意见"), required=True),),
            guard=rate_rules.asked_by_another,
            tone="main",
            done=t("已同意剔除。"),
            help=t("这条需求不再计入所选的率；各处显示率的地方都会写明剔除了几件。"),
        ),
        Transition(
            "reject",
            t("不同意"),
            _REQUESTED,
            E.REJECTED,
            posts.DECIDE_EXCLUSION,
            inputs=(Input("note", t("审核意见"), required=True),),
            guard=rate_rules.asked_by_another,
            tone="danger",
            done=t("已答复：不同意剔除。"),
        ),
        Transition(
            "withdraw",
            t("撤回申请"),
            _REQUESTED,
            E.WITHDRAWN,
            posts.REQUEST_EXCLUSION,
            guard=rate_rules.asked_oneself,
            done=t("已撤回申请。"),
        ),
        Transition(
            "reverse",
            t("恢复统计"),
            frozenset({str(E.APPROVED)}),
            E.REVERSED,
            posts.DECIDE_EXCLUSION,
            inputs=(Input("reason", t("恢复理由"), required=True),),
            tone="danger",
            done=t("已恢复统计。"),
            help=t("这条需求重新计入率，并通知申请的社区或街道。"),
        ),
    ),
)
