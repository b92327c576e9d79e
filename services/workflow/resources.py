"""Resources and responsibilities as tables: offered, checked, withdrawn; carried out or called off."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as t

from core.workflow import Input, Transition, Workflow
from services import posts
from services.models import PROJECT_HOLDS, ResourceState, Responsibility, ResponsibilityState

R = ResourceState
S = ResponsibilityState


def _states(*states: Any) -> frozenset[str]:
    return frozenset(str(state) for state in states)


def _not_in_use(row: Any, actor: Any) -> str | None:
    """What projects under way count on is not taken from under them."""
    names = row.allocations.filter(project__state__in=[str(state) for state in PROJECT_HOLDS]).order_by("pk")
    held = list(names.values_list("project__name", flat=True)[:3])
    if not held:
        return None
    words = _("、").join(held)
    return _("“%(projects)s”正在使用这项资源，请先在项目里调整，再撤回。") % {"projects": words}


RESOURCE = Workflow(
    name="resource",
    label=t("资源"),
    states=dict(R.choices),
    initial=R.OFFERED,
    transitions=(
        Transition(
            "check",
            t("核实通过"),
            _states(R.OFFERED),
            R.AVAILABLE,
            posts.MANAGE_RESOURCE,
            tone="main",
            done=t("已核实，可以用于项目。"),
            help=t("核实后，这项资源可以对接需求、用于项目。"),
        ),
        Transition(
            "send_back",
            t("退回完善"),
            _states(R.OFFERED),
            R.SENT_BACK,
            posts.MANAGE_RESOURCE,
            inputs=(Input("reason", t("意见"), required=True, help=t("写明要补充、改正什么，单位会看到。")),),
            done=t("已退回。"),
        ),
        Transition(
            "offer",
            t("重新提交"),
            _states(R.SENT_BACK),
            R.OFFERED,
            posts.OFFER_RESOURCE,
            also=(posts.MANAGE_RESOURCE,),
            done=t("已提交，等待核实。"),
        ),
        Transition(
            "confirm",
            t("确认没有变化"),
            _states(R.AVAILABLE),
            None,
            posts.MANAGE_RESOURCE,
            also=(posts.OFFER_RESOURCE,),
            done=t("已核对。"),
        ),
        Transition(
            "withdraw",
            t("撤回"),
            _states(R.OFFERED, R.SENT_BACK, R.AVAILABLE),
            R.WITHDRAWN,
            posts.MANAGE_RESOURCE,
            also=(posts.OFFER_RESOURCE,),
            inputs=(Input("reason", t("理由"), required=True),),
            guard=_not_in_use,
            tone="danger",
            done=t("已撤回。"),
            help=t("撤回后不再对接需求；已完成项目的记录保留。"),
        ),
    ),
)


def _on_project(row: Responsibility, actor: Any) -> str | None:
    if row.project.state not in {str(state) for state in PROJECT_HOLDS}:
        return _("项目已经%(state)s，责任清单不能再改。") % {"state": row.project.get_state_display()}
    return None


RESPONSIBILITY = Workflow(
    name="responsibility",
    label=t("责任"),
    states=dict(S.choices),
    initial=S.OPEN,
    transitions=(
        Transition(
            "do",
            t("登记落实"),
            _states(S.OPEN),
            S.DONE,
            posts.MANAGE_PROJECT,
            also=(posts.SERVE_PROJECT,),
            inputs=(Input("text", t("落实情况"), required=True),),
            guard=_on_project,
            tone="main",
            done=t("已登记落实情况。"),
        ),
        Transition(
            "reopen",
            t("重新打开"),
            _states(S.DONE),
            S.OPEN,
            posts.MANAGE_PROJECT,
            inputs=(Input("reason", t("理由"), required=True),),
            guard=_on_project,
            done=t("已重新打开。"),
        ),
        Transition(
            "drop",
            t("取消"),
            _states(S.OPEN),
            S.DROPPED,
            posts.MANAGE_PROJECT,
            inputs=(Input("reason", t("理由"), required=True),),
            guard=_on_project,
            tone="danger",
            done=t("已取消。"),
        ),
    ),
)
