"""What can be done with a small wish: one table for the desk and the phone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.deeds import Deed, Shown, deed_of
from services import posts
from services import wish_forms as forms
from services.actions import wish_moves as moves
from services.actions.wishes import change_wish, collect_wish
from services.list_forms import VersionForm
from services.models import Wish
from services.wishes import CLOSED
from services.workflow import WISH
from services.workflow.wishes import is_over


def _collect(*, actor: Any, obj: None, **data: Any) -> Wish:
    return collect_wish(actor=actor, **data)


def _on(action: Callable[..., Wish]) -> Callable[..., Wish]:
    def run(*, actor: Any, obj: Wish, **data: Any) -> Wish:
        return action(actor=actor, wish=obj, **data)

    return run


def _reveal(*, actor: Any, obj: Wish, reason: str) -> Shown:
    found = moves.reveal_recipient(actor=actor, wish=obj, reason=reason)
    return Shown(
        _("联系方式"),
        ((_("心愿人"), found.name), (_("联系电话"), found.phone or _("没有电话")), (_("地点"), obj.node.path)),
        _("只显示这一次，这次查看和理由已经记录。请不要告诉认领人。"),
    )


COLLECT = Deed(
    "add",
    lazy("征集心愿"),
    posts.COLLECT_WISH,
    forms.CollectForm,
    _collect,
    lazy("已征集，等待社区审核。"),
    help=lazy("只征集本人或监护人同意的。认领人只看到心愿和社区，看不到姓名、电话和门牌。"),
    tone="main",
)
CHECK = deed_of(WISH, "check", VersionForm, _on(moves.check_wish))
DECLINE = deed_of(WISH, "decline", forms.ReasonForm, _on(moves.decline_wish))
CHANGE = deed_of(WISH, "change", forms.ChangeForm, _on(change_wish))
ADOPT = deed_of(WISH, "adopt", forms.AdoptForm, _on(moves.adopt_wish))
ASK = deed_of(WISH, "ask", forms.AskForm, _on(moves.ask_unit))
EXTEND = deed_of(WISH, "extend", VersionForm, _on(moves.extend_wish))
GIVE_BACK = deed_of(WISH, "give_back", VersionForm, _on(moves.give_back_wish))
RELEASE = replace(
    deed_of(WISH, "release", forms.ReasonForm, _on(moves.release_wish)),
    offered=lambda wish: wish.state in WISH.get("release").sources and is_over(wish),
)
FINISH = deed_of(WISH, "finish", forms.FinishForm, _on(moves.finish_wish))
THANK = deed_of(WISH, "thank", forms.ThankForm, _on(moves.thank_wish))
UNDELIVERED = deed_of(WISH, "undelivered", forms.ReasonForm, _on(moves.undelivered_wish))
END = deed_of(WISH, "end", forms.ReasonForm, _on(moves.end_wish))
REVEAL = Deed(
    "reveal",
    lazy("查看联系方式"),
    posts.MANAGE_WISH,
    forms.RevealForm,
    _reveal,
    "",
    help=lazy("谁、什么时候、为什么查看，都会记录。"),
    offered=lambda wish: wish.erased_at is None and wish.state not in CLOSED,
)
MOVES = (CHECK, ADOPT, FINISH, THANK, GIVE_BACK, ASK, EXTEND, RELEASE, CHANGE, UNDELIVERED, DECLINE, END)
DEEDS = (*MOVES, REVEAL)
