"""Who learns what: one table from move to readers and words. Readers are found when the notice is delivered."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import notices
from core.notices import Message
from core.periods import datetime_words
from core.text import ellipsis
from services import notice_groups, posts
from services.models import Assignment, Demand, SubOrder, Urgency

t = gettext_lazy

Audience = dict[str, Any]
Readers = Callable[[Demand, SubOrder | None, Assignment | None], Audience]


def community(right: str) -> Readers:
    """Those who hold a right in a post at the demand's community."""
    return lambda demand, suborder, assignment: {"post": {"right": right, "node": demand.community_id}}


def _of_street(right: str) -> Readers:
    """Those who hold a right in a post at the street of the demand."""

    def readers(demand: Demand, suborder: SubOrder | None, assignment: Assignment | None) -> Audience:
        street_id = demand.community.parent_id
        return {"post": {"right": right, "node": street_id}} if street_id else {}

    return readers


def _reviewer(right: str) -> Readers:
    """Who reviews what a unit asked for: the community, or the street where it asks for more time again."""

    def readers(demand: Demand, suborder: SubOrder | None, assignment: Assignment | None) -> Audience:
        again = suborder is not None and suborder.extension_waiting > 1
        who = _of_street(posts.REVIEW_SECOND_EXTENSION) if again else community(right)
        return who(demand, suborder, assignment)

    return readers


def _county(right: str) -> Readers:
    """Those who hold a right in a post of the county itself."""
    return lambda demand, suborder, assignment: {"post": {"right": right, "county": demand.county_id}}


def _lead(demand: Demand, suborder: SubOrder | None, assignment: Assignment | None) -> Audience:
    return {"unit": {"unit": demand.lead_unit_id, "role": "liaison"}} if demand.lead_unit_id else {}


def _own_unit(demand: Demand, suborder: SubOrder | None, assignment: Assignment | None) -> Audience:
    return {"unit": {"unit": suborder.unit_id, "role": "liaison"}} if suborder else {}


def _own_unit_at_work(demand: Demand, suborder: SubOrder | None, assignment: Assignment | None) -> Audience:
    return _own_unit(demand, suborder, None) if suborder and suborder.is_running else {}


def _supervised(demand: Demand, suborder: SubOrder | None, assignment: Assignment | None) -> Audience:
    if demand.supervised_unit_id:
        return {"unit": {"unit": demand.supervised_unit_id, "role": "liaison"}}
    return community(posts.ANSWER_SUPERVISION)(demand, None, None)


def _supervisors(demand: Demand, suborder: SubOrder | None, assignment: Assignment | None) -> Audience:
    return {"post": {"right": posts.SUPERVISE_DEMAND, "county": demand.county_id}}


def _raiser(demand: Demand, suborder: SubOrder | None, assignment: Assignment | None) -> Audience:
    return {"user": demand.raised_by_id} if demand.raised_by_id else {}


# Move -> who is told, in which words. The dispatch of supporting units is told per sub-order (see `tell`).
TABLE: dict[str, tuple[Readers, Any]] = {
    "raise": (community(posts.ACCEPT_DEMAND), t("新需求待受理")),
    "decline": (_raiser, t("您上报的需求不予受理")),
    "publish": (
        lambda demand, suborder, assignment: {"checked_in": {"node": demand.node_id}},
        t("需求清单有新需求，可以认领"),
    ),
    "claim": (community(posts.DISPATCH_DEMAND), t("需求已被认领")),
    "dispatch": (_own_unit, t("新派单待签收")),
    "request_return": (community(posts.REVIEW_RETURN), t("单位申请退单，请审核")),
    "approve_return": (_own_unit, t("退单申请已同意")),
    "reject_return": (_own_unit, t("退单申请被驳回，请签收办理")),
    "assign": (
        lambda demand, suborder, assignment: {"member": {"member": assignment.member_id}} if assignment else {},
        t("请您参加一次服务，可以接受也可以婉拒"),
    ),
    "take": (_own_unit, t("党员接受了安排")),
    "pass_up": (_own_unit, t("党员婉拒了安排，请另行安排")),
    "lapse": (_own_unit_at_work, t("党员没有回应安排，请另行安排")),
    "finish": (community(posts.CHECK_DEMAND), t("单位已办结，请核查")),
    "redo": (_lead, t("社区要求重办")),
    "reopen": (_lead, t("需求重启，请继续办理")),
    "evaluate": (community(posts.CLOSE_DEMAND), t("居民作出了评价")),
    "request_extension": (_reviewer(posts.REVIEW_EXTENSION), t("单位申请延期，请审核")),
    "approve_extension": (_own_unit, t("延期申请已同意")),
    "reject_extension": (_own_unit, t("延期申请被驳回")),
    "escalate": (_of_street(posts.DISPATCH_DEMAND), t("社区上报了一条需求，请协调")),
    "transfer": (community(posts.ACCEPT_DEMAND), t("其他社区移交来一条需求，待受理")),
    "hand_up": (_county(posts.DISPATCH_DEMAND), t("街道上报了一条需求，请派单")),
    "hand_down": (community(posts.DISPATCH_DEMAND), t("上报的需求已交回，请按意见办理")),
    "whistle": (_own_unit, t("街道吹哨，请签收并到场")),
    "end_whistle": (community(posts.DISPATCH_DEMAND), t("吹哨已办结")),
    "supervise": (_supervised, t("督办：请答复")),
    "answer_supervision": (_supervisors, t("督办已答复")),
    # What the sweeper finds (services.actions.sweeping).
    "due_soon": (_own_unit, t("即将超期，请抓紧办理")),
    "late": (_own_unit, t("已超期，请尽快办结")),
    "late_community": (community(posts.DISPATCH_DEMAND), t("有派单已超期")),
    "bulletin": (_supervisors, t("超期需求，可以督办")),
    "review_late": (_reviewer(posts.REVIEW_RETURN), t("退单或延期申请等待过久，请审核")),
    # Where nobody acts on that, the desk above is told (services.workflow.waits).
    "review_late_street": (_of_street(posts.REVIEW_RETURN), t("社区没有审核退单或延期，请审核")),
    "review_late_county": (_county(posts.SUPERVISE_DEMAND), t("退单或延期申请长期没有审核，请督办")),
    "sign_late_community": (community(posts.DISPATCH_DEMAND), t("单位超过签收时限没有签收，请催办")),
    "answer_late_street": (_of_street(posts.SUPERVISE_DEMAND), t("督办超过答复时限没有答复")),
    "answer_late_up": (_county(posts.SUPERVISE_DEMAND), t("督办超过答复时限没有答复")),
    "whistle_late": (_of_street(posts.WHISTLE_DEMAND), t("吹哨超过办结时限，请办结")),
    "whistle_late_county": (_county(posts.WHISTLE_DEMAND), t("吹哨超过办结时限没有办结")),
    "sign_late": (_own_unit, t("派单超过签收时限")),
    "answer_late": (_supervised, t("督办超过答复时限")),
    "unparked": (community(posts.DISPATCH_DEMAND), t("挂账到期，请继续办理")),
}


def message(
    name: str,
    demand: Demand,
    *,
    suborder: SubOrder | None = None,
    assignment: Assignment | None = None,
    period: str = "",
) -> Message | None:
    """The notice of a move, or None when it has no reader. One per (what, who, period): a beat that runs twice
    writes it once. `period` is empty for moves (the versions make them unique), a stage or day for reminders.
    """
    if name not in TABLE:
        return None
    readers, words = TABLE[name]
    audience = readers(demand, suborder, assignment)
    if not audience:
        return None
    about = f"{suborder.pk if suborder else 0}.{assignment.pk if assignment else 0}"
    versions = f"{demand.version}.{suborder.version if suborder else 0}"
    mobile = not {"post"} & set(audience)
    return Message(
        kind=f"demand_{name}",
        title=f"{words}：{ellipsis(demand.title, 40)}",
        body=_("%(place)s，编号 %(code)s") % {"place": demand.node.path, "code": demand.code},
        link=f"/m/demands/{demand.code}/" if mobile else f"/admin/services/demand/{demand.pk}/change/",
        audience=audience,
        key=f"demand:{demand.pk}:{about}:{name}:{period or versions}",
        fields=_fields(demand, suborder),
        urgent=demand.urgency == Urgency.URGENT and name in notice_groups.OUTSIDE,
    )


def _fields(demand: Demand, suborder: SubOrder | None) -> dict[str, str]:
    """What a county's own words may name (`services.notice_groups`)."""
    due = (suborder.due_at if suborder is not None else None) or demand.due_at
    when = datetime_words(timezone.localtime(due)) if due is not None else _("未定")
    return {"title": demand.title, "place": demand.node.path, "code": demand.code, "due": when}


# Told of a community as a whole, not of one demand: it stands outside the table.
STEP_LATE = "demand_step_late"


def waiting_message(community_id: int, number: int, day: str) -> Message:
    """The day's one reminder to a community that matters wait beyond the limit of their next step."""
    return Message(
        kind=STEP_LATE,
        title=_("有 %(number)d 条需求等待过久，请办理下一步") % {"number": number},
        link="/admin/",
        audience={"post": {"right": posts.ACCEPT_DEMAND, "node": community_id}},
        key=f"community:{community_id}:step_late:{day}",
    )


_ABOVE: dict[str, tuple[str, Any]] = {
    "street": ("node", t("有 %(number)d 条需求等待过久，请督促或派单")),
    "county": ("county", t("有 %(number)d 条需求等待过久，请督办或派单")),
}


def late_message(level: str, key: int, number: int, day: str) -> Message:
    """The day's one reminder to a street or a county that matters wait on its desk, or too long on one below."""
    place, words = _ABOVE[level]
    return Message(
        kind=f"{STEP_LATE}_{level}",
        title=words % {"number": number},
        link="/admin/",
        audience={"post": {"right": posts.SUPERVISE_DEMAND, place: key}},
        key=f"{level}:{key}:step_late:{day}",
    )


def told(
    name: str, demand: Demand, *, suborders: Iterable[SubOrder] = (), assignments: Iterable[Assignment] = ()
) -> list[Message]:
    """The notices of a move: to each sub-order and assignment named, else to whom the demand as a whole concerns."""
    found = [
        *(message(name, demand, suborder=row) for row in suborders),
        *(message(name, demand, suborder=row.suborder, assignment=row) for row in assignments),
    ] or [message(name, demand)]
    return [row for row in found if row is not None]


def tell(name: str, demand: Demand) -> None:
    """Puts the notices of a move into the outbox, in the caller's transaction, with one statement."""
    notices.post_many(told(name, demand))


def register() -> None:
    """Gives every kind its name; called once from `apps.py`."""
    notices.register_kind(STEP_LATE, t("需求等待过久，请办理下一步"))
    notices.register_kind(f"{STEP_LATE}_street", t("辖区需求等待过久"))
    notices.register_kind(f"{STEP_LATE}_county", t("全县需求等待过久"))
    for name, (_readers, words) in TABLE.items():
        outside, urgent = name in notice_groups.OUTSIDE, name in notice_groups.URGENT
        notices.register_kind(f"demand_{name}", words, outside=outside, urgent=urgent)
