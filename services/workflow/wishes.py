"""The life of a small wish (微心愿): collected, checked, adopted one to one, done, thanked. Source: docs/domain.md#l5.

Whoever adopts is asked, never bound: a wish goes back without a reason. The community takes one back only when its time
is over, and it alone says that what was given has arrived.
"""

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.actors import SYSTEM, Actor
from core.workflow import Input, Transition, Workflow
from services import posts
from services.guards import is_ones_own
from services.models import Wish, WishState

W = WishState
t = gettext_lazy

_COLLECTED = frozenset({str(W.COLLECTED)})
_OPEN = frozenset({str(W.OPEN)})
_ADOPTED = frozenset({str(W.ADOPTED)})
_DONE = frozenset({str(W.DONE)})
_REASON = Input("reason", t("理由"), required=True, max_length=300)


def not_by_adopter(wish: Wish, actor: Actor) -> str | None:
    """Nobody says of their own gift that it arrived, whatever post they hold."""
    if is_ones_own(wish, actor):
        return _("这是您本人或您单位认领的心愿，请由社区其他同志确认。")
    return None


def is_over(wish: Wish) -> bool:
    """Whether the time of who adopted it is over, or they can not act any more."""
    adopter = wish.unit or wish.member
    late = wish.due_at is not None and wish.due_at < timezone.now()
    return late or (adopter is not None and not adopter.is_active)


def time_is_over(wish: Wish, actor: Actor) -> str | None:
    """Nobody is hurried: a wish is taken back when its time is over."""
    if actor is SYSTEM or is_over(wish):
        return None
    return _("圆梦期限还没有到，请先联系认领人。认领人自己可以随时退回。")


WISH = Workflow(
    name="wish",
    label=t("微心愿"),
    states=dict(W.choices),
    initial=W.COLLECTED,
    ends=(W.THANKED, W.DECLINED, W.ENDED),
    transitions=(
        Transition(
            "check",
            t("审核通过"),
            _COLLECTED,
            W.OPEN,
            posts.MANAGE_WISH,
            tone="main",
            done=t("审核通过，可以认领"),
            clock=t("认领期从这时起算"),
            help=t("通过后，在社区报到的党员和单位能看到这个心愿，看不到心愿人的姓名、电话和门牌。"),
        ),
        Transition(
            "decline",
            t("不采纳"),
            _COLLECTED,
            W.DECLINED,
            posts.MANAGE_WISH,
            inputs=(_REASON,),
            tone="danger",
            done=t("没有采纳"),
            help=t("征集人会收到理由。费用较大的，请按帮扶个案或项目办理。"),
        ),
        Transition(
            "change",
            t("修改"),
            _COLLECTED | _OPEN,
            None,
            posts.MANAGE_WISH,
            done=t("已保存。"),
        ),
        Transition(
            "adopt",
            t("认领"),
            _OPEN,
            W.ADOPTED,
            posts.ADOPT_WISH,
            inputs=(Input("unit", t("以哪个单位认领"), "unit"),),
            tone="main",
            done=t("认领成功，谢谢您"),
            clock=t("圆梦期限从这时起算"),
            help=t("一个心愿由一名党员或一个单位认领。东西交给社区，由社区送到心愿人手里；办不了可以随时退回。"),
        ),
        Transition(
            "ask",
            t("请单位认领"),
            _OPEN,
            None,
            posts.MANAGE_WISH,
            inputs=(Input("unit", t("单位"), "unit", required=True),),
            done=t("已请单位认领"),
            help=t("单位的联络员会收到通知；愿不愿意认领，由单位决定。"),
        ),
        Transition(
            "extend",
            t("延长认领期"),
            _OPEN,
            None,
            posts.MANAGE_WISH,
            done=t("延长了认领期"),
            clock=t("认领期重新起算"),
            help=t("从今天起重新计算认领期。"),
        ),
        Transition(
            "give_back",
            t("退回"),
            _ADOPTED,
            W.OPEN,
            posts.ADOPT_WISH,
            done=t("已退回，由别人认领"),
            clock=t("认领期重新起算"),
            help=t("不用写理由。心愿重新等待认领。"),
        ),
        Transition(
            "release",
            t("收回"),
            _ADOPTED,
            W.OPEN,
            posts.MANAGE_WISH,
            system=True,
            inputs=(_REASON,),
            guard=time_is_over,
            done=t("收回，重新等待认领"),
            clock=t("认领期重新起算"),
            help=t("过了圆梦期限才能收回；认领人会收到通知。"),
        ),
        Transition(
            "finish",
            t("圆梦"),
            _ADOPTED,
            W.DONE,
            posts.ADOPT_WISH,
            inputs=(
                Input("text", t("送了什么"), required=True, max_length=300),
                Input("done_on", t("哪天送到社区"), "date", required=True),
                Input("hours", t("用了多少小时"), "line"),
            ),
            tone="main",
            done=t("已圆梦，等待社区确认送达"),
            clock=t("确认期限从这时起算"),
            help=t("东西交给社区后填写，不写心愿人的姓名和住处。"),
        ),
        Transition(
            "thank",
            t("确认送达并答谢"),
            _DONE,
            W.THANKED,
            posts.MANAGE_WISH,
            system=True,
            inputs=(Input("thanks", t("答谢的话"), max_length=300),),
            guard=not_by_adopter,
            tone="main",
            done=t("确认送达，转达了谢意"),
            help=t("心愿人说了什么，转达给认领人；没有说的可以不填。党员填写的服务一并确认。"),
        ),
        Transition(
            "undelivered",
            t("没有送达"),
            _DONE,
            W.ADOPTED,
            posts.MANAGE_WISH,
            inputs=(_REASON,),
            guard=not_by_adopter,
            tone="danger",
            done=t("没有送达，继续办理"),
            clock=t("圆梦期限重新起算"),
            help=t("还差什么，请写清楚，认领人会看到。"),
        ),
        Transition(
            "end",
            t("结束心愿"),
            _COLLECTED | _OPEN,
            W.ENDED,
            posts.MANAGE_WISH,
            also=(posts.COLLECT_WISH,),
            system=True,
            inputs=(_REASON,),
            tone="danger",
            done=t("心愿已结束"),
            help=t("心愿人不要了、已经解决了、没有人能认领的，写明理由后结束。"),
        ),
    ),
)
