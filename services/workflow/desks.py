"""Moves between the desks of a county: to another community, up to the county and back, and the street's whistle.

Part of the table of the demand (`loop`). A community hands up what it can not settle (`escalate`, there); each desk that
gets a matter has a limit of its own. Rules: docs/practice.md#desks.
"""

from django.utils.translation import gettext_lazy

from core.workflow import Input, Transition
from services import guards, posts
from services.models import DemandState

D = DemandState
t = gettext_lazy

_WAITING_FOR_A_UNIT = frozenset({str(D.ACCEPTED), str(D.PUBLISHED)})

MOVES = (
    Transition(
        "transfer",
        t("移交其他社区"),
        frozenset({str(D.REGISTERED), str(D.ACCEPTED)}),
        D.REGISTERED,
        posts.TRANSFER_DEMAND,
        inputs=(
            Input("place", t("移交到"), "place", required=True, help=t("事情发生在哪个社区，就移交到哪个社区。")),
            Input("reason", t("移交理由"), required=True, help=t("接收的社区会看到这段话。")),
        ),
        guard=guards.may_transfer,
        tone="danger",
        clock=t("对方社区的受理限时开始"),
        done=t("移交其他社区"),
        help=t("移交后由对方社区受理，本社区不再看到这条需求。"),
    ),
    Transition(
        "hand_up",
        t("上报县级"),
        _WAITING_FOR_A_UNIT,
        None,
        posts.HAND_UP_DEMAND,
        inputs=(Input("reason", t("上报理由"), required=True),),
        guard=guards.on_the_streets_desk,
        clock=t("县级派单限时开始"),
        done=t("上报县级"),
        help=t("街道协调不了的，请县级从全县的单位中派单。"),
    ),
    Transition(
        "hand_down",
        t("交回社区"),
        _WAITING_FOR_A_UNIT,
        None,
        posts.HAND_DOWN_DEMAND,
        inputs=(Input("reason", t("办理意见"), required=True, help=t("写明社区下一步怎么办、找哪个单位。")),),
        guard=guards.on_ones_own_desk,
        clock=t("社区派单限时重新开始"),
        done=t("交回社区"),
    ),
    # Several units come to one matter at once; the street calls, and says when it is concluded.
    Transition(
        "whistle",
        t("吹哨"),
        frozenset({str(D.ACCEPTED), str(D.PUBLISHED), str(D.DISPATCHED)}),
        D.DISPATCHED,
        posts.WHISTLE_DEMAND,
        inputs=(
            Input("units", t("召集单位"), "county_units", required=True),
            Input("lead", t("牵头单位"), "county_unit", help=t("还没有承办单位时，由它牵头；不选的由第一个单位牵头。")),
            Input("reason", t("做什么"), required=True),
            Input("meet_at", t("到场时间"), "moment"),
            Input("venue", t("到场地点"), "line", max_length=60),
        ),
        guard=guards.no_open_whistle,
        clock=t("应哨限时和吹哨办结限时开始；还没有承办单位的，办理限时开始"),
        limit="starts",
        done=t("吹哨"),
        help=t("召集几个单位到同一件事上来。被召集的单位不能退单，须在应哨时限内签收。"),
    ),
    # Also where the matter ended meanwhile: whoever whistled says what came of it.
    Transition(
        "end_whistle",
        t("吹哨办结"),
        frozenset(map(str, D)),
        None,
        posts.WHISTLE_DEMAND,
        inputs=(Input("reason", t("处置结果"), required=True),),
        guard=guards.whistle_is_open,
        tone="main",
        clock=t("吹哨办结限时停止"),
        done=t("吹哨办结"),
    ),
)
