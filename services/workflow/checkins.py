"""A unit's application to report to a place, or to go on reporting there. Source: docs/domain.md#z1, docs/practice.md#checkin."""

from django.utils.translation import gettext_lazy as t

from core.workflow import Input, Text, Transition, Workflow
from services import posts
from services.models import ApplicationState, CheckInRole

A = ApplicationState
YEARS = tuple((str(years), t("%(years)d 年") % {"years": years}) for years in range(1, 6))


def _reason(label: Text, help: Text = "") -> Input:
    return Input("reason", label, required=True, help=help)


CHECKIN_APPLICATION = Workflow(
    name="checkin_application",
    label=t("单位报到申请"),
    states=dict(ApplicationState.choices),
    initial=A.APPLIED,
    transitions=(
        Transition(
            "accept",
            t("接收报到"),
            frozenset({str(A.APPLIED)}),
            A.ACCEPTED,
            posts.MANAGE_CHECKIN,
            # Who answers the unit from now on: named at once, so that nobody looks for them later.
            inputs=(Input("community_liaison", t("社区联络员"), "choice", required=True),),
            tone="main",
            done=t("已接收报到，回执可以打印了。"),
            help=t("接收以后，这个单位能看到这里的需求清单并认领，社区能派单给它；回执和共建协议随即可以打印。"),
        ),
        Transition(
            "send_back",
            t("退回完善"),
            frozenset({str(A.APPLIED)}),
            A.SENT_BACK,
            posts.MANAGE_CHECKIN,
            inputs=(_reason(t("请单位补充什么")),),
            done=t("已退回，单位补充后会再次申请。"),
            help=t("写明缺什么；单位补充后再次申请，不用从头填。"),
        ),
        Transition(
            "decline",
            t("不接收"),
            # Also what was sent back and never came again.
            frozenset({str(A.APPLIED), str(A.SENT_BACK)}),
            A.DECLINED,
            posts.MANAGE_CHECKIN,
            inputs=(_reason(t("原因"), t("单位会看到这段话。")),),
            tone="danger",
            done=t("已答复单位：不接收。"),
            help=t("写明原因，例如已有单位牵头、建议向哪个社区报到。"),
        ),
        Transition(
            "reapply",
            t("补充后再次申请"),
            frozenset({str(A.SENT_BACK)}),
            A.APPLIED,
            posts.APPLY_CHECKIN,
            inputs=(
                Input("role", t("角色"), "choice", required=True, choices=tuple(CheckInRole.choices)),
                Input("brings", t("带来的资源和服务"), required=True),
                Input("years", t("共建年限"), "choice", required=True, choices=YEARS),
                Input("unit_liaison", t("单位联络员"), "choice", required=True),
            ),
            tone="main",
            done=t("已再次申请，请等社区接收。"),
        ),
        Transition(
            "withdraw",
            t("撤回申请"),
            frozenset({str(A.APPLIED), str(A.SENT_BACK)}),
            A.WITHDRAWN,
            posts.APPLY_CHECKIN,
            # The system withdraws a renewal whose check-in is ended meanwhile: there is nothing left to renew.
            system=True,
            tone="danger",
            done=t("已撤回。"),
            help=t("撤回后可以重新申请。"),
        ),
    ),
)
