"""Who learns what of exclusions, of the ladder and of bulletins. Readers are found when a notice is delivered."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import notices
from core.notices import Message
from core.text import ellipsis
from services import posts
from services.models import Bulletin, BulletinItem, Climb, DemandState, RateExclusion

t = gettext_lazy
Audience = dict[str, Any]

KINDS = {
    "exclusion_request": t("申请剔除统计，请审核"),
    "exclusion_approve": t("已同意剔除统计"),
    "exclusion_reject": t("不同意剔除统计"),
    "exclusion_reverse": t("剔除的需求已恢复统计"),
    "exclusion_late": t("剔除申请等待过久，请审核"),
    "exclusion_stuck": t("剔除申请超过审核时限，仍未审核"),
    "ladder_leader": t("您包联的社区有需求超期过久"),
    "ladder_unpaired": t("超期过久，社区没有包联领导"),
    "ladder_remind": t("您包联的社区有需求仍未办结"),
    "ladder_instruct": t("领导批示，请抓紧办理"),
    "bulletin_publish": t("通报已印发"),
    "bulletin_item": t("被通报，请答复整改情况"),
    "bulletin_withdraw": t("通报已撤回"),
    "bulletin_answer": t("通报事项已答复，请销项"),
    "bulletin_send_back": t("整改答复被退回，请再答复"),
    "bulletin_settle": t("通报事项已销项"),
    "bulletin_late": t("通报事项超过答复时限"),
    "bulletin_silent": t("通报事项一直没有答复"),
}
_OUTSIDE = {"ladder_leader", "ladder_instruct", "bulletin_item"}


def register() -> None:
    """Gives every kind its name; called once from `apps.py`."""
    for name, words in KINDS.items():
        notices.register_kind(name, words, outside=name in _OUTSIDE)


# --- Exclusions -----------------------------------------------------------------------------------------------------


def of_exclusion(name: str, row: RateExclusion, *, period: str = "") -> Message:
    """To the county while it has to decide; then to who asked, and to the community when it counts again."""
    demand = row.demand
    deciders: Audience = {"post": {"right": posts.DECIDE_EXCLUSION, "county": demand.county_id}}
    readers: dict[str, Audience] = {
        "request": deciders,
        "late": deciders,
        # The next rung: the county's leaders, and who waits for the answer.
        "stuck": {"post": {"right": posts.INSTRUCT_DEMAND, "county": demand.county_id}, "user": row.by_id},
        "reverse": {"post": {"right": posts.ACCEPT_DEMAND, "node": demand.community_id}, "user": row.by_id},
    }
    return Message(
        kind=f"exclusion_{name}",
        title=f"{KINDS[f'exclusion_{name}']}：{ellipsis(demand.title, 40)}",
        body=_("%(place)s，编号 %(code)s") % {"place": demand.community.name, "code": demand.code},
        link=f"/admin/services/rateexclusion/{row.pk}/change/",
        audience=readers.get(name, {"user": row.by_id}),
        key=f"exclusion:{row.pk}:{name}:{period or row.version}",
    )


# --- The ladder -----------------------------------------------------------------------------------------------------


def to_leader(name: str, climb: Climb, leader_id: int, period: str) -> Message:
    demand = climb.demand
    return Message(
        kind=f"ladder_{name}",
        title=f"{KINDS[f'ladder_{name}']}：{ellipsis(demand.title, 40)}",
        body=_("%(place)s，编号 %(code)s") % {"place": demand.community.name, "code": demand.code},
        link=f"/m/demands/{demand.code}/",
        audience={"user": leader_id},
        key=f"ladder:{demand.pk}:{name}:{leader_id}:{period}",
    )


def unpaired(climb: Climb, period: str) -> Message:
    """To the county: the community has no leader who could be told."""
    demand = climb.demand
    return Message(
        kind="ladder_unpaired",
        title=f"{KINDS['ladder_unpaired']}：{demand.community.name}",
        body=_("%(title)s，编号 %(code)s") % {"title": ellipsis(demand.title, 40), "code": demand.code},
        link=f"/admin/services/demand/{demand.pk}/change/",
        audience={"post": {"right": posts.SUPERVISE_DEMAND, "county": demand.county_id}},
        key=f"ladder:{demand.pk}:unpaired:{period}",
    )


def instructed(climb: Climb, text: str) -> list[Message]:
    """To the unit while it is at work, and to the community."""
    demand = climb.demand
    said = {
        "kind": "ladder_instruct",
        "title": f"{KINDS['ladder_instruct']}：{ellipsis(demand.title, 40)}",
        "body": text,
    }
    found = [
        Message(
            **said,
            audience={"post": {"right": posts.DISPATCH_DEMAND, "node": demand.community_id}},
            link=f"/admin/services/demand/{demand.pk}/change/",
            key=f"ladder:{demand.pk}:instruct:{climb.pk}.{climb.version}.community",
        )
    ]
    if demand.state == DemandState.DISPATCHED and demand.lead_unit_id:
        found.append(
            Message(
                **said,
                audience={"unit": {"unit": demand.lead_unit_id, "role": "liaison"}},
                link=f"/m/demands/{demand.code}/",
                key=f"ladder:{demand.pk}:instruct:{climb.pk}.{climb.version}.unit",
            )
        )
    return found


# --- Bulletins ------------------------------------------------------------------------------------------------------


def of_bulletin(name: str, bulletin: Bulletin, items: Iterable[BulletinItem]) -> list[Message]:
    """To each community of it, and once to every unit and community that is named."""
    told: dict[str, Message] = {}
    for item in items:
        readers: Audience = named(item)
        key = f"bulletin:{bulletin.pk}:{name}:{item.unit_id or 0}.{0 if item.unit_id else item.community_id}"
        told[key] = Message(
            kind=f"bulletin_{name}",
            title=f"{KINDS[f'bulletin_{name}']}：{bulletin.title}",
            link=_item_link(item) if name == "item" else _bulletin_link(item, bulletin),
            audience=readers,
            key=key,
        )
    return list(told.values())


def of_item(name: str, item: BulletinItem, *, period: str = "") -> Message:
    """To who is named; what it answered, and that it does not answer, to the county."""
    county: Audience = {"post": {"right": posts.PUBLISH_BULLETIN, "county": item.bulletin.county_id}}
    to_county = name in {"answer", "silent"}
    return Message(
        kind=f"bulletin_{name}",
        title=f"{KINDS[f'bulletin_{name}']}：{item.bulletin.title}",
        body=_("%(place)s，编号 %(code)s") % {"place": item.community.name, "code": item.demand.code},
        link=f"/admin/services/bulletinitem/{item.pk}/change/" if to_county else _item_link(item),
        audience=county if to_county else named(item),
        key=f"bulletin_item:{item.pk}:{name}:{period or item.version}",
    )


def named(item: BulletinItem) -> Audience:
    if item.unit_id is not None:
        return {"unit": {"unit": item.unit_id, "role": "liaison"}}
    return {"post": {"right": posts.ANSWER_BULLETIN, "node": item.community_id}}


def _item_link(item: BulletinItem) -> str:
    return f"/m/bulletins/{item.pk}/" if item.unit_id else f"/admin/services/bulletinitem/{item.pk}/change/"


def _bulletin_link(item: BulletinItem, bulletin: Bulletin) -> str:
    return "/m/bulletins/" if item.unit_id else f"/admin/services/bulletin/{bulletin.pk}/change/"
