"""Members report to where they live; the community takes them in (docs/practice.md#checkin).

Locks, in this order: the streets of the places, members, check-ins; each in id order. The member is the lock of what
they report: a form sent twice makes one check-in.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import audit, notices, policies
from core.actors import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.moving import Moved, advance, advance_many
from core.notices import Message
from core.text import clean_line
from grids.actions import hold_places
from grids.actions.permission import require
from grids.actions.terms import BATCH, batches
from grids.models import GridNode
from partybuilding.actions.homes import lock_members, settle_members
from partybuilding.models import Member
from partybuilding.policies import MemberScope
from services import posts
from services.models import (
    MEMBER_CHECKIN_OPEN,
    FreeTime,
    MemberCheckIn,
    MemberCheckInState,
    Skill,
    WishedPost,
    check_words,
)
from services.selectors.homes import is_home
from services.workflow.members import MEMBER_CHECKIN

RELATED = ("member", "node__county", "community__county")
PERSONAL = ("skills", "wished_post", "free_time", "note", "reason")
NOTE = 200
PAGE = "/m/checkin/"


@dataclass(frozen=True)
class Offer:
    """What a member says of themselves: keys of `services.models.words`."""

    skills: Sequence[str] = ()
    wished_post: str = WishedPost.ANY
    free_time: Sequence[str] = ()
    note: str = ""


@dataclass(frozen=True)
class NewCheckIn:
    """A member whom the community itself registers, from its own list."""

    member: Member
    node: GridNode
    offer: Offer = Offer()


@transaction.atomic
def report_home(*, actor: Actor, member: Member, node: GridNode, offer: Offer) -> MemberCheckIn:
    """A member reports to the compound they live in. Sent twice, it answers the first one.

    Raises:
        Forbidden: somebody else's report. Invalid: the place is none to live in, is retired or of another county, the
            member is out of use, or an offer names what there is not. Conflict: the member has reported elsewhere.
    """
    (node,) = hold_places(node)
    member = _lock_member(member)
    _require_oneself(actor, member)
    check_home(member, node)
    offer = cleaned(offer)
    standing = _open_of([member.pk]).get(member.pk)
    if standing is not None:
        if standing.node_id == node.pk and standing.state != MemberCheckInState.SENT_BACK:
            return standing
        raise Conflict(_reported_already(standing), code="reported")
    row = _new(member, node, offer)
    row.save(force_insert=True)
    audit.record(
        actor=actor,
        action="member_checkin.report",
        obj=row,
        label=label_of(row),
        changes=_told(row),
        personal=PERSONAL,
        new=True,
    )
    notices.post_many([applied(row)])
    return row


@transaction.atomic
def move_house(*, actor: Actor, checkin: MemberCheckIn, node: GridNode, version: int | None = None) -> MemberCheckIn:
    """Ends a check-in and reports to the new home in one step, with the same skills and times. Returns the new one.

    Raises as `report_home`; Conflict, Stale when the check-in is not open any more; Invalid for the same home.
    """
    hold_places(*{place.pk: place for place in (checkin.node, node)}.values())
    member = _lock_member(checkin.member)
    _require_oneself(actor, member)
    if node.pk == checkin.node_id:
        message = _("您已经在“%(place)s”报到，不用再报。") % {"place": node.name}
        raise Invalid(message, fields={"node": message})
    check_home(member, node)
    ending = "end" if checkin.state == MemberCheckInState.ACCEPTED else "withdraw"
    old = _advance(checkin, ending, actor=actor, version=version, effect=_end)
    return report_home(
        actor=actor,
        member=member,
        node=node,
        offer=Offer(old.skills, old.wished_post, old.free_time, old.note),
    )


@transaction.atomic
def resend_report(
    *, actor: Actor, checkin: MemberCheckIn, offer: Offer, node: GridNode | None = None, version: int | None = None
) -> MemberCheckIn:
    """The member mends what was sent back, the home as well, and sends it again. Raises as `report_home`, Stale."""
    (place,) = hold_places(node or checkin.node)
    member = _lock_member(checkin.member)
    check_home(member, place)
    offer = cleaned(offer)

    def effect(row: MemberCheckIn, data: Mapping[str, Any]) -> None:
        row.node, row.community = place, place.community  # type: ignore[assignment]
        row.reason, row.applied_at, row.decided_at = "", timezone.now(), None
        _put(row, offer)

    row = _advance(checkin, "resend", actor=actor, version=version, effect=effect)
    notices.post_many([applied(row)])
    return row


def change_offer(*, actor: Actor, checkin: MemberCheckIn, offer: Offer, version: int | None = None) -> MemberCheckIn:
    """Says anew what the member can do and when. Raises as `core.moving.advance`."""
    offer = cleaned(offer)
    return _advance(checkin, "change", actor=actor, version=version, effect=lambda row, data: _put(row, offer))


def end_member_checkin(
    *, actor: Actor, checkin: MemberCheckIn, reason: str = "", version: int | None = None
) -> MemberCheckIn:
    """Ends a check-in, by the member or the community; one that is not accepted yet is withdrawn, by the member.

    Services that wait stay with the community. Raises as `core.moving.advance`.
    """
    name = "end" if checkin.state == MemberCheckInState.ACCEPTED else "withdraw"
    return _advance(checkin, name, actor=actor, data={"reason": _clean(reason)}, version=version, effect=_end)


@transaction.atomic
def decide_reports(
    *,
    actor: Actor,
    checkins: Collection[MemberCheckIn],
    name: str,
    reason: str = "",
    versions: Mapping[int, int] | None = None,
) -> Moved[MemberCheckIn]:
    """Accepts, sends back or declines many reports in a few statements. Accepting says where the members live.

    Args:
        name: accept, send_back or decline. reason: what the members are told; needed for all but accepting.
        versions: key -> the version the person saw.

    What can not be decided stays as it is and is named in the answer, out of sight as well as out of right.
    """
    hold_places(*{row.node_id: row.node for row in checkins}.values())
    members = lock_members(row.member_id for row in checkins)
    now, reason = timezone.now(), _clean(reason)

    def effect(row: MemberCheckIn, data: Mapping[str, Any]) -> None:
        row.decided_at, row.reason = now, reason

    moved = advance_many(
        MEMBER_CHECKIN,
        checkins,
        name,
        actor=actor,
        data={"reason": reason},
        versions=versions,
        effect=effect,
        related=RELATED,
        label=label_of,
        personal=PERSONAL,
    )
    if name == "accept":
        settle_members(actor=actor, homes={members[row.member_id]: row.node for row in moved.done})
    notices.post_many(_decided(row, name) for row in moved.done)
    return moved


def decide_report(
    *, actor: Actor, checkin: MemberCheckIn, name: str, reason: str = "", version: int | None = None
) -> MemberCheckIn:
    """One report. Raises what `core.moving.advance` raises instead of naming it."""
    versions = {checkin.pk: version} if version is not None else None
    return decide_reports(actor=actor, checkins=[checkin], name=name, reason=reason, versions=versions).only()


@transaction.atomic
def register_members(*, actor: Actor, rows: Sequence[NewCheckIn]) -> list[MemberCheckIn]:
    """The community registers members from its own list, accepted at once, in a few statements; all or none.

    A report of the member that waits at the same home is accepted and takes over what the list says.

    Raises:
        NotFound, Forbidden: no `member_checkin.manage` there. Invalid: as `report_home`.
        Conflict: one of them has reported elsewhere.
    """
    places = {node.pk: node for node in hold_places(*{row.node.pk: row.node for row in rows}.values())}
    require(actor, posts.MANAGE_MEMBER_CHECKIN, *places.values())
    members = lock_members(row.member.pk for row in rows)
    standing = _open_of(members)
    now = timezone.now()
    made, kept, homes = [], [], {}
    for given in rows:
        member, node = members[given.member.pk], places[given.node.pk]
        check_home(member, node)
        offer = cleaned(given.offer)
        row = standing.get(member.pk)
        if row is None:
            row = standing[member.pk] = _new(member, node, offer)
            row.state, row.decided_at = MemberCheckInState.ACCEPTED, now
            made.append(row)
        elif row.node_id != node.pk or row.state == MemberCheckInState.ACCEPTED:
            raise Conflict(_reported_already(row), code="reported")
        else:
            _put(row, offer)
            row.state, row.decided_at, row.reason = MemberCheckInState.ACCEPTED, now, ""
            row.version += 1
            kept.append(row)
        homes[member] = node
    MemberCheckIn.objects.bulk_create(made, batch_size=BATCH)
    fields = ["skills", "wished_post", "free_time", "note", "state", "reason", "decided_at", "version"]
    MemberCheckIn.objects.bulk_update(kept, fields, batch_size=BATCH)
    for some, new in ((made, True), (kept, False)):
        deeds = [audit.Deed(row, _told(row), label=label_of(row), personal=PERSONAL) for row in some]
        audit.record_many(actor=actor, action="member_checkin.register", deeds=deeds, new=new)
    settle_members(actor=actor, homes=homes)
    notices.post_many(_decided(row, "accept") for row in (*made, *kept))
    return [*made, *kept]


@transaction.atomic
def change_offers(*, actor: Actor, offers: Mapping[MemberCheckIn, Offer]) -> list[MemberCheckIn]:
    """Says anew, for many, what the community's list says of them; all or none. Raises `Conflict` for one that ended."""
    by_key = {row.pk: cleaned(offer) for row, offer in offers.items()}
    moved = advance_many(
        MEMBER_CHECKIN,
        list(offers),
        "change",
        actor=actor,
        effect=lambda row, data: _put(row, by_key[row.pk]),
        related=RELATED,
        label=label_of,
        personal=PERSONAL,
    )
    for refused in moved.refused:
        raise refused.error
    return moved.done


# --- Checks ---------------------------------------------------------------------------------------------------------


def check_home(member: Member, node: GridNode) -> None:
    """Raises `Invalid` unless a member of that county can live at that place."""
    message = ""
    if not member.is_active:
        message = _("党员信息已停用，请联系所在单位或县级管理员。")
    elif node.county_id != member.county_id:
        message = _("“%(place)s”不在您所在的县，请选择本县的小区。") % {"place": node.name}
    elif node.is_retired:
        message = _("“%(place)s”已撤销，请另选小区。") % {"place": node.name}
    elif not is_home(node):
        message = _("请选到居住的小区；没有小区的，选到社区。")
    if message:
        raise Invalid(message, fields={"node": message})


def cleaned(offer: Offer) -> Offer:
    """The offer in the order of the lists, its note without telephones. Raises `Invalid`."""
    try:
        skills, times = check_words(Skill, offer.skills), check_words(FreeTime, offer.free_time)
    except ValidationError as error:
        message = error.messages[0]
        raise Invalid(message, fields={"skills": message}) from error
    if offer.wished_post not in WishedPost.values:
        message = _("没有这个岗位。")
        raise Invalid(message, fields={"wished_post": message})
    note = clean_line(offer.note, max_length=NOTE, label=_("补充说明"), field="note")
    return Offer(skills, offer.wished_post, times, scrub_identity_numbers(scrub_phone_numbers(note)))


def label_of(row: MemberCheckIn) -> str:
    """The place. Not the member: the trail is never erased."""
    return row.node.path


def _clean(reason: str) -> str:
    reason = clean_line(reason, max_length=500, label=_("说明"), field="reason")
    return scrub_identity_numbers(scrub_phone_numbers(reason))


def _require_oneself(actor: Actor, member: Member) -> None:
    if MemberScope(member.pk) not in policies.scopes(actor, posts.REPORT_MEMBER_CHECKIN):
        raise Forbidden(_("只能由党员本人报到。社区可以在“党员报到”里登记。"))


def _lock_member(member: Member) -> Member:
    locked = lock_members([member.pk])
    if not locked:
        raise NotFound(_("没有找到这位党员。"))
    return locked[member.pk]


def _open_of(members: Iterable[int]) -> dict[int, MemberCheckIn]:
    """Member key -> the check-in of theirs that is open, locked."""
    found: dict[int, MemberCheckIn] = {}
    for some in batches(sorted(members)):
        rows = MemberCheckIn.objects.select_for_update(of=("self",)).filter(
            member_id__in=some, state__in=MEMBER_CHECKIN_OPEN
        )
        found.update({row.member_id: row for row in rows.select_related(*RELATED).order_by("pk")})
    return found


def _reported_already(row: MemberCheckIn) -> str:
    if row.state == MemberCheckInState.SENT_BACK:
        return _("原来的报到被社区退回，请在原来的报到上改好再提交。")
    return _("已经在“%(place)s”报到。搬了家的，请点“搬家了”。") % {"place": row.node.path}


# --- Writing --------------------------------------------------------------------------------------------------------


def _advance(checkin: MemberCheckIn, name: str, **given: Any) -> MemberCheckIn:
    return advance(MEMBER_CHECKIN, checkin, name, related=RELATED, label=label_of(checkin), personal=PERSONAL, **given)


def _new(member: Member, node: GridNode, offer: Offer) -> MemberCheckIn:
    row = MemberCheckIn(member=member, node=node, community=node.community)
    _put(row, offer)
    return row


def _put(row: MemberCheckIn, offer: Offer) -> None:
    row.skills, row.free_time = list(offer.skills), list(offer.free_time)
    row.wished_post, row.note = offer.wished_post, offer.note


def _end(row: MemberCheckIn, data: Mapping[str, Any]) -> None:
    row.ended_on = timezone.localdate()
    row.reason = str(data.get("reason") or "")


def _told(row: MemberCheckIn) -> dict[str, tuple[Any, Any]]:
    return {name: (None, getattr(row, name)) for name in ("member_id", "node_id", "state", *PERSONAL)}


# --- Notices --------------------------------------------------------------------------------------------------------


def applied(row: MemberCheckIn) -> Message:
    """One a day for the community, however many report."""
    return Message(
        kind="member_checkin_applied",
        title=_("有党员报到，请接收"),
        body=row.community.path,
        link="/admin/services/membercheckin/?state=applied",
        audience={"post": {"right": posts.MANAGE_MEMBER_CHECKIN, "node": row.community_id}},
        key=f"member_checkin:applied:{row.community_id}:{timezone.localdate()}",
    )


_WORDS = {
    "accept": lazy("社区已接收您的报到"),
    "send_back": lazy("报到被退回，请改好再提交"),
    "decline": lazy("社区没有接收您的报到"),
}


def _decided(row: MemberCheckIn, name: str) -> Message:
    return Message(
        kind=f"member_checkin_{name}",
        title=str(_WORDS[name]),
        body=row.node.path,
        link=PAGE,
        audience={"member": {"member": row.member_id}},
        key=f"member_checkin:{row.pk}:{name}:{row.version}",
    )


__all__ = [
    "NewCheckIn",
    "Offer",
    "change_offer",
    "change_offers",
    "decide_report",
    "decide_reports",
    "end_member_checkin",
    "move_house",
    "register_members",
    "report_home",
    "resend_report",
]
