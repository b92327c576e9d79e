"""A project from draft to acceptance. It counts as done once the community has accepted it (docs/domain.md#g2)."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as t

from core import policies
from core.actors import SYSTEM
from core.workflow import Input, Transition, Workflow
from partybuilding.policies import UnitScope
from services import posts
from services.models import Project, ProjectState

P = ProjectState


def _states(*states: Any) -> frozenset[str]:
    return frozenset(str(state) for state in states)


def serves(actor: Any, unit_id: int | None) -> bool:
    """Whether the actor does projects for that unit."""
    if actor is SYSTEM or unit_id is None:
        return False
    return UnitScope(unit_id) in policies.scopes(actor, posts.SERVE_PROJECT)


def _has_due_day(row: Project, actor: Any) -> str | None:
    return None if row.due_on else _("请先在“修改”里填写完成期限。")


def _claimed(row: Project) -> str | None:
    if row.lead_unit is None:
        return None
    return _("已由%(unit)s牵头，不能再认领；可以联系社区作为配合单位参加。") % {"unit": row.lead_unit.label}


def _by_lead_or_place(row: Project, actor: Any) -> str | None:
    """Supporting units see the project; the lead unit answers for it."""
    if serves(actor, row.lead_unit_id) or actor is SYSTEM or policies.can(actor, posts.MANAGE_PROJECT, row):
        return None
    return _("申报完成由牵头单位办理。")


def _not_by_lead(row: Project, actor: Any) -> str | None:
    """Nobody accepts their own work."""
    return _("验收要由社区办理，牵头单位不能验收自己的项目。") if serves(actor, row.lead_unit_id) else None


PROJECT = Workflow(
    name="project",
    label=t("项目"),
    states=dict(P.choices),
    initial=P.DRAFT,
    transitions=(
        Transition(
            "publish",
            t("发布认领"),
            _states(P.DRAFT),
            P.OPEN,
            posts.MANAGE_PROJECT,
            guard=_has_due_day,
            tone="main",
            done=t("已发布，报到单位可以认领。"),
            help=t("发布后，在这里报到的单位能看到这个项目并认领。"),
        ),
        Transition(
            "claim",
            t("认领"),
            _states(P.OPEN),
            P.RUNNING,
            posts.CLAIM_PROJECT,
            inputs=(Input("unit", t("认领单位"), "unit", required=True),),
            otherwise=_claimed,
            tone="main",
            done=t("已认领。"),
            help=t("认领后由本单位牵头实施，按期申报完成。"),
        ),
        Transition(
            "appoint",
            t("确定牵头单位"),
            _states(P.DRAFT, P.OPEN, P.RUNNING),
            P.RUNNING,
            posts.MANAGE_PROJECT,
            inputs=(Input("unit", t("牵头单位"), "unit", required=True),),
            guard=_has_due_day,
            done=t("已确定牵头单位。"),
            help=t("商定了由谁牵头的，直接确定；实施中换牵头单位也在这里办。"),
        ),
        Transition(
            "finish",
            t("申报完成"),
            _states(P.RUNNING),
            P.FINISHED,
            posts.SERVE_PROJECT,
            also=(posts.MANAGE_PROJECT,),
            inputs=(Input("result", t("完成情况"), required=True, max_length=1000),),
            guard=_by_lead_or_place,
            tone="main",
            done=t("已申报完成，等待验收。"),
            help=t("社区验收后才算完成。"),
        ),
        Transition(
            "accept",
            t("验收"),
            _states(P.FINISHED),
            P.DONE,
            posts.MANAGE_PROJECT,
            inputs=(Input("reason", t("验收意见")),),
            guard=_not_by_lead,
            tone="main",
            done=t("已验收，项目完成。"),
            help=t(
                "验收后项目完成：场所、人力、设备空出来，资金和服务按用掉计算。对应的需求不会随之销号，请到需求里办理。"
            ),
        ),
        Transition(
            "send_back",
            t("退回继续"),
            _states(P.FINISHED),
            P.RUNNING,
            posts.MANAGE_PROJECT,
            inputs=(Input("reason", t("意见"), required=True, help=t("写明还差什么，牵头单位会看到。")),),
            done=t("已退回，请牵头单位继续实施。"),
        ),
        Transition(
            "drop",
            t("取消项目"),
            _states(P.DRAFT, P.OPEN, P.RUNNING),
            P.DROPPED,
            posts.MANAGE_PROJECT,
            inputs=(Input("reason", t("理由"), required=True),),
            tone="danger",
            done=t("项目已取消。"),
            help=t("取消后，占用的资源都空出来，没有落实的责任一并取消。"),
        ),
    ),
)
