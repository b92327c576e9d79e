"""What becomes of a proposal: taken up it makes a project draft, turned down it is not made again.

Source: docs/domain.md#g2. Nothing leads back: a new run makes new proposals.
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as t

from core.workflow import Input, Transition, Workflow
from services import posts
from services.models import MatchProposal, ProposalState


def _which(row: MatchProposal) -> str:
    """Said of one of several that were chosen together: which one it is that can not be moved any more."""
    return _("对“%(demand)s”的建议已是“%(state)s”，没有做任何改动。请刷新页面，看过最新情况后再办理。") % {
        "demand": row.demand.title,
        "state": row.get_state_display(),
    }


_OPEN = frozenset({str(ProposalState.PROPOSED)})

PROPOSAL = Workflow(
    name="match_proposal",
    label=t("匹配建议"),
    states=dict(ProposalState.choices),
    initial=ProposalState.PROPOSED,
    transitions=(
        Transition(
            "accept",
            t("采纳"),
            _OPEN,
            ProposalState.ACCEPTED,
            posts.RUN_MATCH,
            otherwise=_which,
            tone="main",
            done=t("已采纳，生成了项目草稿。"),
            help=t("采纳后生成一个草拟的项目，占用一份资源；请到项目清单里补充内容后发布。"),
        ),
        Transition(
            "refuse",
            t("不采纳"),
            _OPEN,
            ProposalState.REFUSED,
            posts.RUN_MATCH,
            otherwise=_which,
            inputs=(Input("reason", t("理由"), "line", required=True),),
            done=t("已记为不采纳。"),
            help=t("以后不再给这条需求推荐这项资源。"),
        ),
        # A new run, or the demand or the resource is not what it was when they were brought together.
        Transition("outdate", t("失效"), _OPEN, ProposalState.OUTDATED, system=True, done=t("已失效")),
    ),
)
