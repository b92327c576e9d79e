"""What units and the community are told of cases. A notice names the number of the case, its community and the kind of help;
never what is written in it: notices are kept longer than sight of a case, and go out over other people's channels.
"""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import notices
from core.notices import Message
from services import posts
from services.models import Help, HelpCase

t = gettext_lazy

# To the unit whose help it is.
UNIT: dict[str, Any] = {
    "asked": t("请您单位参加一次帮扶，可以接受也可以婉拒"),
    "remind": t("帮扶邀请等您单位回应"),
    "withdrawn": t("帮扶邀请已撤回，谢谢"),
    "ended": t("您单位的一项帮扶已终止，谢谢"),
    "overdue": t("帮扶过了说好的日子，请反馈进展"),
    "closed": t("您单位参加的帮扶个案已结案，谢谢"),
}
# To the community, of one unit's help.
COMMUNITY: dict[str, Any] = {
    "accepted": t("单位接受了帮扶"),
    "declined": t("单位婉拒了帮扶，请另请单位"),
    "left": t("单位退出了帮扶，请另请单位"),
    "done": t("单位完成了帮扶"),
    "unanswered": t("单位没有回应帮扶邀请，请另请单位"),
    "lapsed": t("邀请没有回应，已失效，请另请单位"),
    "overdue": t("单位的帮扶过了说好的日子"),
    "ended": t("长期没有消息的帮扶已自动终止"),
}
# To the community, of a case.
CASE: dict[str, Any] = {
    "review": t("帮扶个案该回看了"),
    "idle": t("帮扶个案没有单位在帮，请邀请单位或结案"),
    "closed_itself": t("长期无人办理的帮扶个案已自动结案"),
}
# Moves of a help that its unit reads of; the community reads of the others.
_TO_UNIT = frozenset({"withdrawn", "ended"})


def of_help(name: str, row: Help) -> Message:
    """The notice after a move of one help, to the other side."""
    return to_unit(name, row) if name in _TO_UNIT else to_community(name, row)


def to_unit(name: str, row: Help, *, period: str = "") -> Message:
    """`period`: empty for moves (the version makes them unique), a stage or week for reminders."""
    gone = name in _TO_UNIT
    return Message(
        kind=f"case_unit_{name}",
        title=f"{UNIT[name]}：{row.get_kind_display()}",
        body=_about(row.case),
        link="/m/cases/" if gone else f"/m/cases/{row.case_id}/",
        audience={"unit": {"unit": row.unit_id, "role": "liaison"}},
        key=f"help:{row.pk}:unit:{name}:{period or row.version}",
    )


def to_community(name: str, row: Help, *, period: str = "") -> Message:
    return Message(
        kind=f"case_{name}",
        title=f"{COMMUNITY[name]}：{row.unit.label}（{row.get_kind_display()}）",
        body=_about(row.case),
        link=_desk(row.case),
        audience=_managers(row.case),
        key=f"help:{row.pk}:community:{name}:{period or row.version}",
    )


def of_case(name: str, case: HelpCase, *, period: str) -> Message:
    return Message(
        kind=f"case_{name}",
        title=f"{CASE[name]}：{case.code}",
        body=_about(case),
        link=_desk(case),
        audience=_managers(case),
        key=f"case:{case.pk}:{name}:{period}",
    )


def register() -> None:
    """Gives every kind its name; called once from `apps.py`."""
    for name, label in UNIT.items():
        notices.register_kind(f"case_unit_{name}", label, outside=name == "asked")
    for name, label in {**COMMUNITY, **CASE}.items():
        notices.register_kind(f"case_{name}", label)


def _about(case: HelpCase) -> str:
    return _("%(place)s，个案 %(code)s") % {"place": case.community.name, "code": case.code}


def _managers(case: HelpCase) -> dict[str, Any]:
    return {"post": {"right": posts.MANAGE_CASE, "node": case.community_id}}


def _desk(case: HelpCase) -> str:
    return f"/admin/services/helpcase/{case.pk}/change/"
