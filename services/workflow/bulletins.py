"""The bulletin and what it names. Source: docs/domain.md#z8 (published bulletin, and following up what it named).

A bulletin is drafted, published with figures that do not change any more, or withdrawn. Each matter in it is answered by
whoever is named, and settled by the county, or by itself when the matter has ended.
"""

from typing import Any

from django.utils.translation import gettext_lazy

from core.workflow import Input, Transition, Workflow
from services import posts, rate_rules
from services.models import BulletinItemState, BulletinState

B, I = BulletinState, BulletinItemState  # noqa: E741
t = gettext_lazy


def _states(*states: Any) -> frozenset[str]:
    return frozenset(str(state) for state in states)


BULLETIN = Workflow(
    name="bulletin",
    label=t("通报"),
    states=dict(B.choices),
    initial=B.DRAFT,
    ends=(B.PUBLISHED, B.WITHDRAWN),
    transitions=(
        Transition(
            "change",
            t("修改"),
            _states(B.DRAFT),
            None,
            posts.PUBLISH_BULLETIN,
            done=t("已保存。"),
        ),
        Transition(
            "add",
            t("列入事项"),
            _states(B.DRAFT),
            None,
            posts.PUBLISH_BULLETIN,
            inputs=(Input("demand", t("需求编号"), "line", required=True),),
            done=t("已列入。"),
            help=t("超过办理时限还没有办结的需求可以列入。"),
        ),
        Transition(
            "take_out",
            t("移出事项"),
            _states(B.DRAFT),
            None,
            posts.PUBLISH_BULLETIN,
            inputs=(Input("item", t("事项"), "choice", required=True), Input("reason", t("移出理由"), required=True)),
            done=t("已移出。"),
        ),
        Transition(
            "publish",
            t("印发"),
            _states(B.DRAFT),
            B.PUBLISHED,
            posts.PUBLISH_BULLETIN,
            tone="main",
            done=t("已印发，并通知了被通报的单位和社区。"),
            help=t("编定期号，三率和事项按现在的情况定格；通知被通报的单位和社区在时限内答复。"),
        ),
        Transition(
            "withdraw",
            t("撤回"),
            _states(B.DRAFT, B.PUBLISHED),
            B.WITHDRAWN,
            posts.PUBLISH_BULLETIN,
            inputs=(Input("reason", t("撤回理由"), required=True),),
            tone="danger",
            done=t("已撤回。"),
            help=t("已经印发的，单位和社区不再看到，期号不再使用。"),
        ),
    ),
)

ITEM = Workflow(
    name="bulletin_item",
    label=t("通报事项"),
    states=dict(I.choices),
    initial=I.OPEN,
    ends=(I.SETTLED,),
    transitions=(
        Transition(
            "answer",
            t("答复整改情况"),
            _states(I.OPEN, I.ANSWERED),
            I.ANSWERED,
            posts.ANSWER_BULLETIN,
            inputs=(Input("text", t("整改情况"), required=True, max_length=1000),),
            guard=rate_rules.named_oneself,
            tone="main",
            done=t("已答复，等待县级销项。"),
            help=t("写明原因、做了什么、什么时候办完。不写住户的姓名、电话。"),
        ),
        Transition(
            "send_back",
            t("退回再答"),
            _states(I.ANSWERED),
            I.OPEN,
            posts.PUBLISH_BULLETIN,
            inputs=(Input("reason", t("退回理由"), required=True),),
            guard=rate_rules.is_published,
            tone="danger",
            clock=t("答复限时重新开始"),
            done=t("已退回，请再答复。"),
        ),
        # By itself when the matter has ended.
        Transition(
            "settle",
            t("销项"),
            _states(I.OPEN, I.ANSWERED),
            I.SETTLED,
            posts.PUBLISH_BULLETIN,
            inputs=(Input("note", t("销项意见"), required=True),),
            guard=rate_rules.is_published,
            tone="main",
            system=True,
            done=t("已销项。"),
        ),
    ),
)
