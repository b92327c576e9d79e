"""How cases and helps look on every face: their chips, the lines of the timeline; and where they hang: the phone's ways, the
place's page. The pages themselves are in `admin.cases` and `views.mobile_cases`.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import phone, policies
from core.actors import label_of
from core.admin_base import Part, chip, link
from core.models import User
from core.periods import date_words, moment_words
from core.phone import Way
from grids import place_parts
from grids.models import GridNode
from grids.querysets import in_subtree
from services import case_notices, posts
from services.models import CaseEntry, CaseState, Help, HelpCase, HelpState
from services.selectors import cases as selectors

Chip = tuple[str, str]
MOST = 20
_TONES = {
    HelpState.ASKED: "amber",
    HelpState.HELPING: "blue",
    HelpState.DONE: "green",
    HelpState.DECLINED: "grey",
    HelpState.ENDED: "grey",
}


def case_chip(row: HelpCase) -> Chip:
    return row.get_state_display(), "blue" if row.state == CaseState.OPEN else "grey"


def help_chips(row: Help) -> list[Chip]:
    found = [(row.get_state_display(), _TONES[HelpState(row.state)])]
    if selectors.is_late(row):
        found.append((_("已过期"), "red"))
    return found


def due_words(row: Help) -> str:
    """Until when somebody answers or helps, in words; empty for what is over."""
    if row.state == HelpState.ASKED and row.due_at is not None:
        return _("请在%(when)s前回应") % {"when": moment_words(row.due_at, timezone.now())}
    if row.state == HelpState.HELPING and row.due_on is not None:
        return _("%(day)s以前办到") % {"day": date_words(row.due_on)}
    return ""


def event(row: CaseEntry) -> dict[str, Any]:
    """A line as `components/timeline.html` draws it."""
    return {"what": row.title, "who": label_of(row.actor, row.actor_kind), "when": row.at, "why": row.text}


def ways(user: User) -> list[Way]:
    """To the helps of one's units and to the cases of one's community. Two queries."""
    found = []
    if selectors.units_of(user):
        asked, helping = selectors.own_figures(user)
        if asked or helping:
            note = _("帮扶中 %(count)d 项") % {"count": helping} if helping else ""
            found.append(Way(_("帮扶邀请"), reverse("mobile:cases"), "care", note, asked, _("份邀请等您回应")))
    if policies.holds(user, posts.MANAGE_CASE):
        count = selectors.waiting(user)
        desk = f"{reverse('admin:services_helpcase_changelist')}?next=1"
        found.append(Way(_("帮扶个案"), reverse("mobile:cases"), "care", "", count, _("件个案等您办"), desk))
    return found


def parts(node: GridNode, user: Any) -> Iterable[Part]:
    """The open cases of a place, for its community. Two queries."""
    if not policies.holds(user, posts.MANAGE_CASE):
        return
    rows = selectors.cases(user).filter(selectors.manages(user), in_subtree(node, "node", community="community"))
    lines = []
    for row in rows.filter(state=CaseState.OPEN).order_by("review_on", "pk")[:MOST]:
        words, tone = selectors.next_step(row, list(row.helps.all()))
        lines.append(
            [
                link(row.title, reverse("admin:services_helpcase_change", args=[row.pk])),
                row.node.name if row.node_id != node.pk else _("本处"),
                sum(1 for one in row.helps.all() if one.state in (HelpState.HELPING, HelpState.DONE)),
                chip(words, tone),
            ]
        )
    way = None
    if not node.is_retired and node.community_id is not None and policies.can(user, posts.MANAGE_CASE, node):
        way = _("建立个案"), f"{reverse('admin:services_helpcase_add')}?{urlencode({'node': node.pk})}"
    if lines or way:
        columns = [_("事由"), _("地点"), _("在帮的单位"), _("下一步")]
        yield Part(_("帮扶个案"), columns, lines, _("没有进行中的个案。"), way)


def register() -> None:
    """Called once from `apps.py`."""
    case_notices.register()
    place_parts.register("cases", parts)
    phone.offer_ways("cases", ways, desk=True)
