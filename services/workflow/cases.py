"""The life of a case of a household in hardship (帮扶个案), and of each unit's own help in it. Source: docs/domain.md#z9.

Units are asked, never ordered: they take on, decline or step back with one press, and nothing counts that against them. Each
help has its own end; closing the case is the community's, and comes when nobody is asked or helping any more. What is written
is called text and result, never reason: the trail keeps reasons, and a case must be able to forget.
"""

import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.actors import Actor
from core.workflow import Input, Transition, Workflow
from services import posts
from services.clocks import limits_of
from services.models import CaseState, HelpCase, HelpKind, HelpState

t = gettext_lazy
NO_NAMES = t("不写姓名、电话、身份证号；需要见面的，由社区带着去。")

_OPEN = frozenset({str(CaseState.OPEN)})
_CLOSED = frozenset({str(CaseState.CLOSED)})
_ASKED = frozenset({str(HelpState.ASKED)})
_HELPING = frozenset({str(HelpState.HELPING)})


def reopenable(case: HelpCase, actor: Actor) -> str | None:
    """A closed case reopens for as long as a demand does; later it is a new one, with a new consent."""
    days = limits_of(case.county_id).reopen_days
    if case.erased_at is not None:
        return _("这个个案的内容已清除，不能重启。又有困难的，请另建新的个案。")
    if case.closed_at is not None and timezone.now() > case.closed_at + datetime.timedelta(days=days):
        return _("结案已超过 %(days)d 天，不能重启。又有困难的，请另建新的个案。") % {"days": days}
    return None


def not_erased(case: HelpCase, actor: Actor) -> str | None:
    return _("这个个案的内容已经清除。") if case.erased_at is not None else None


CASE = Workflow(
    name="case",
    label=t("帮扶个案"),
    states=dict(CaseState.choices),
    initial=CaseState.OPEN,
    ends=(CaseState.CLOSED,),
    transitions=(
        Transition(
            "ask",
            t("邀请单位"),
            _OPEN,
            None,
            posts.MANAGE_CASE,
            inputs=(
                Input("units", t("单位"), "units", required=True),
                Input("kind", t("帮扶方式"), "choice", required=True, choices=tuple(HelpKind.choices)),
                Input("wanted", t("希望提供"), "line", required=True, max_length=200, help=NO_NAMES),
            ),
            done=t("已邀请，等单位回应。"),
            help=t("单位可以接受，也可以婉拒，不用说明理由。接受以前只看到事由、哪个社区和希望提供什么。"),
        ),
        Transition(
            "note",
            t("记录情况"),
            _OPEN,
            None,
            posts.MANAGE_CASE,
            inputs=(Input("text", t("情况"), required=True, max_length=1000, help=NO_NAMES),),
            done=t("已记录。"),
            help=t("参加帮扶的单位都能看到。"),
        ),
        Transition(
            "review",
            t("回看"),
            _OPEN,
            None,
            posts.MANAGE_CASE,
            inputs=(
                Input("text", t("回看情况"), required=True, max_length=1000, help=NO_NAMES),
                Input("review_on", t("下次回看"), "date", required=True),
            ),
            done=t("已回看。"),
            help=t("上门或打电话看看困难解决得怎样，再定下次哪天看。"),
        ),
        Transition(
            "change",
            t("修改"),
            _OPEN,
            None,
            posts.MANAGE_CASE,
            inputs=(
                Input("title", t("事由"), "line", required=True, max_length=60),
                Input("text", t("困难情况"), max_length=1000, help=NO_NAMES),
            ),
            done=t("已修改。"),
        ),
        # By itself, when nobody has helped or written anything for a long time: what is left open is kept for ever.
        Transition(
            "close",
            t("结案"),
            _OPEN,
            CaseState.CLOSED,
            posts.MANAGE_CASE,
            system=True,
            inputs=(
                Input("result", t("帮扶成效"), required=True, max_length=1000, help=NO_NAMES),
                Input("ended", t("同时终止的帮扶"), "choice"),
            ),
            done=t("已结案。"),
            help=t("结案后 12 个月清除内容，只留数字。"),
        ),
        Transition(
            "reopen",
            t("重启"),
            _CLOSED,
            CaseState.OPEN,
            posts.MANAGE_CASE,
            inputs=(Input("text", t("又有什么困难"), required=True, max_length=1000, help=NO_NAMES),),
            guard=reopenable,
            done=t("已重启。"),
        ),
        Transition(
            "erase",
            t("清除内容"),
            _CLOSED,
            None,
            posts.MANAGE_CASE,
            system=True,
            guard=not_erased,
            tone="danger",
            done=t("内容已清除。"),
            help=t(
                "这户撤回同意的，结案后马上清除：事由、情况、希望提供什么、各单位写的话和结果都删去，不能恢复，只留数字。"
            ),
        ),
    ),
)

HELP = Workflow(
    name="help",
    label=t("单位帮扶"),
    states=dict(HelpState.choices),
    initial=HelpState.ASKED,
    transitions=(
        Transition(
            "accept",
            t("接受"),
            _ASKED,
            HelpState.HELPING,
            posts.HELP_CASE,
            inputs=(
                Input("due_on", t("哪天以前办到"), "date", required=True),
                Input("text", t("打算怎么帮"), max_length=1000, help=NO_NAMES),
            ),
            tone="main",
            done=t("已接受，谢谢。"),
            help=t("接受后能看到困难情况和其他单位的帮扶，请和社区联系着办。"),
        ),
        Transition(
            "decline",
            t("婉拒"),
            _ASKED,
            HelpState.DECLINED,
            posts.HELP_CASE,
            done=t("已婉拒，谢谢您回复。"),
            help=t("不用说明理由，也没有任何影响；只有社区知道。婉拒后不再看到这个个案。"),
        ),
        Transition(
            "report",
            t("反馈进展"),
            _HELPING,
            None,
            posts.HELP_CASE,
            inputs=(
                Input("text", t("进展"), required=True, max_length=1000, help=NO_NAMES),
                Input("due_on", t("改到哪天以前办到"), "date"),
            ),
            done=t("已反馈进展。"),
        ),
        Transition(
            "finish",
            t("完成帮扶"),
            _HELPING,
            HelpState.DONE,
            posts.HELP_CASE,
            inputs=(Input("result", t("帮了什么"), required=True, max_length=1000, help=NO_NAMES),),
            tone="main",
            done=t("帮扶已完成，谢谢。"),
            help=t("只结束您单位的这一项，别的单位接着帮。"),
        ),
        Transition(
            "leave",
            t("退出帮扶"),
            _HELPING,
            HelpState.ENDED,
            posts.HELP_CASE,
            inputs=(Input("text", t("要交代的话"), max_length=1000, help=NO_NAMES),),
            tone="danger",
            done=t("已退出，社区会另想办法。"),
            help=t("帮不下去的可以退出，不用说明理由。退出后不再看到这个个案。"),
        ),
        Transition(
            "withdraw",
            t("撤回邀请"),
            _ASKED,
            HelpState.ENDED,
            posts.MANAGE_CASE,
            tone="danger",
            done=t("已撤回邀请。"),
        ),
        Transition("lapse", t("邀请失效"), _ASKED, HelpState.ENDED, system=True, done=t("没有回应，邀请已失效。")),
        Transition(
            "end",
            t("终止帮扶"),
            _HELPING,
            HelpState.ENDED,
            posts.MANAGE_CASE,
            # What was promised and not heard of for months ends by itself.
            system=True,
            inputs=(Input("text", t("为什么终止"), required=True, max_length=1000, help=NO_NAMES),),
            tone="danger",
            done=t("已终止这项帮扶。"),
            help=t("只终止这一项，别的单位接着帮。"),
        ),
    ),
)
