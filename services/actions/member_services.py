"""What members did: entered by themselves, confirmed by their community; hours count when confirmed and not before.

The check-in is the lock of the services entered under it: the same service sent twice is written once.
"""

import datetime
from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, notices
from core.actors import Actor, user_of
from core.errors import Conflict, Invalid, NotFound
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.moving import Moved, advance, advance_many
from core.notices import Message
from core.periods import Quarter, date_words, local_date
from core.text import clean_line
from grids.actions.permission import require
from services import posts
from services.models import MemberCard, MemberCheckIn, MemberCheckInState, ServiceRecord, ServiceState
from services.workflow.members import SERVICE

RELATED = ("checkin__member", "checkin__node__county", "checkin__community__county")
PERSONAL = ("text", "reason")
LONGEST = 200
DAY_HOURS = 24


@transaction.atomic
def enter_service(
    *, actor: Actor, checkin: MemberCheckIn, served_on: datetime.date, hours: Decimal | str | float, text: str
) -> ServiceRecord:
    """A member writes down a service. Sent twice, it answers the first one.

    Args:
        hours: as the member says, above 0, at most 24 a day, one decimal.
        text: what was done, at most 200 characters; telephone and identity numbers are taken out of it.

    Raises:
        NotFound, Forbidden: somebody else's check-in. Conflict: it is not accepted; the same service stands with other
            hours, or was confirmed. Invalid: day, hours or text are not usable.
    """
    row = _lock(checkin)
    require(actor, posts.REPORT_MEMBER_CHECKIN, row)
    if row.state != MemberCheckInState.ACCEPTED:
        raise Conflict(_("社区接收报到后才能填写服务。"), code="not_accepted")
    given = _checked(row, served_on, hours, text)
    twin = _twins(row, given).first()
    if twin is not None:
        if twin.state == ServiceState.ENTERED and twin.hours == given["hours"]:
            return twin
        raise _twice(twin)
    service = ServiceRecord.objects.create(checkin=row, **given)
    _record(actor, "member_service.enter", service, {name: (None, value) for name, value in given.items()}, new=True)
    notices.post_many([_entered(service)])
    return service


@transaction.atomic
def correct_service(
    *,
    actor: Actor,
    service: ServiceRecord,
    served_on: datetime.date,
    hours: Decimal | str | float,
    text: str,
    version: int | None = None,
) -> ServiceRecord:
    """The member mends a service that is not confirmed; it comes to the community again. Raises as `enter_service`."""
    checkin = _lock(service.checkin)

    def effect(row: ServiceRecord, data: Mapping[str, Any]) -> None:
        given = _checked(checkin, served_on, hours, text, besides=row.pk)
        twin = _twins(checkin, given).exclude(pk=row.pk).first()
        if twin is not None:
            raise _twice(twin)
        for name, value in given.items():
            setattr(row, name, value)
        row.reason, row.decided_at, row.decided_by = "", None, None

    row = _advance(service, "correct", actor=actor, version=version, effect=effect)
    notices.post_many([_entered(row)])
    return row


def drop_service(*, actor: Actor, service: ServiceRecord, version: int | None = None) -> ServiceRecord:
    """The member takes a service out that is not confirmed. Raises as `core.moving.advance`."""
    return _advance(service, "drop", actor=actor, version=version)


@transaction.atomic
def decide_services(
    *,
    actor: Actor,
    services: Collection[ServiceRecord],
    name: str,
    reason: str = "",
    versions: Mapping[int, int] | None = None,
) -> Moved[ServiceRecord]:
    """Confirms many services or sends them back, in a few statements.

    Args:
        name: confirm, send_back or take_back. reason: what the members are told; needed for all but confirming.
        versions: key -> the version the person saw.

    What can not be decided stays as it is and is named in the answer: one's own, and what changed meanwhile.
    """
    reason = clean_line(reason, max_length=500, label=_("说明"), field="reason")
    reason = scrub_identity_numbers(scrub_phone_numbers(reason))
    now, user = timezone.now(), user_of(actor)

    def effect(row: ServiceRecord, data: Mapping[str, Any]) -> None:
        row.decided_at, row.decided_by, row.reason = now, user, reason

    moved = advance_many(
        SERVICE,
        services,
        name,
        actor=actor,
        data={"reason": reason},
        versions=versions,
        effect=effect,
        related=RELATED,
        label=label_of,
        personal=PERSONAL,
    )
    if name != "confirm":
        notices.post_many(_sent_back(row) for row in moved.done)
    return moved


def decide_service(
    *, actor: Actor, service: ServiceRecord, name: str, reason: str = "", version: int | None = None
) -> ServiceRecord:
    """One service. Raises what `core.moving.advance` raises instead of naming it."""
    versions = {service.pk: version} if version is not None else None
    return decide_services(actor=actor, services=[service], name=name, reason=reason, versions=versions).only()


def label_of(row: ServiceRecord) -> str:
    """Place and day. Not the member, not the words: the trail is never erased."""
    return f"{row.checkin.node} {row.served_on}"


# --- Checks ---------------------------------------------------------------------------------------------------------


def _lock(checkin: MemberCheckIn) -> MemberCheckIn:
    rows = MemberCheckIn.objects.select_for_update(of=("self",))
    row = rows.select_related("member", "node__county", "community__county").filter(pk=checkin.pk).first()
    if row is None:
        raise NotFound(_("没有找到这项报到。"))
    return row


def _checked(
    checkin: MemberCheckIn, served_on: datetime.date, hours: Decimal | str | float, text: str, *, besides: int = 0
) -> dict[str, Any]:
    """The inputs fit to store. Raises `Invalid` under the field at fault."""
    _check_day(checkin, served_on)
    given = _hours(hours)
    same_day = checkin.services.filter(served_on=served_on).exclude(state=ServiceState.DROPPED).exclude(pk=besides)
    already = same_day.aggregate(hours=Sum("hours"))["hours"] or Decimal(0)
    if already + given > DAY_HOURS:
        message = _("这一天已经填了 %(hours)s 小时，一天不会超过 24 小时，请核对。") % {"hours": plain(already)}
        raise Invalid(message, fields={"hours": message})
    text = clean_line(text, max_length=LONGEST, label=_("服务内容"), field="text", required=True)
    return {
        "served_on": served_on,
        "hours": given,
        "text": scrub_identity_numbers(scrub_phone_numbers(text)),
    }


def _check_day(checkin: MemberCheckIn, day: datetime.date) -> None:
    today, begun = timezone.localdate(), local_date(checkin.applied_at)
    quarter = Quarter.of(day)
    message = ""
    if day > today:
        message = _("服务日期不能晚于今天，做完再填。")
    elif day < begun:
        message = _("服务日期不能早于报到的 %(day)s。") % {"day": date_words(begun)}
    elif quarter < Quarter.of(today).previous() and _card_sent(checkin, quarter):
        message = _("%(quarter)s的服务卡已经反馈给您的单位，不能再补填那时的服务。") % {"quarter": quarter.label}
    if message:
        raise Invalid(message, fields={"served_on": message})


def _card_sent(checkin: MemberCheckIn, quarter: Quarter) -> bool:
    """Whether the community has sent that quarter's card of the member; before, late entries are still welcome."""
    return MemberCard.objects.filter(
        member_id=checkin.member_id, community_id=checkin.community_id, quarter=quarter.first_day
    ).exists()


def _hours(hours: Decimal | str | float) -> Decimal:
    try:
        given = Decimal(str(hours)).quantize(Decimal("0.1"))
    except InvalidOperation:
        given = Decimal(0)
    if given.is_nan() or not 0 < given <= DAY_HOURS:
        message = _("时长填 0.5 到 24 之间的数，例如 1.5。")
        raise Invalid(message, fields={"hours": message})
    return given


def plain(hours: Decimal) -> str:
    """1.5, and 2 instead of 2.0."""
    return f"{hours.normalize():f}" if hours else "0"


def _twins(checkin: MemberCheckIn, given: Mapping[str, Any]) -> Any:
    same = ServiceRecord.objects.filter(checkin=checkin, served_on=given["served_on"], text=given["text"])
    return same.exclude(state=ServiceState.DROPPED)


def _twice(twin: ServiceRecord) -> Conflict:
    words = _("%(day)s已经填过同样的服务（%(state)s），不用再填。")
    return Conflict(words % {"day": date_words(twin.served_on), "state": twin.get_state_display()}, code="twice")


# --- Writing --------------------------------------------------------------------------------------------------------


def _advance(service: ServiceRecord, name: str, **given: Any) -> ServiceRecord:
    return advance(SERVICE, service, name, related=RELATED, label=label_of(service), personal=PERSONAL, **given)


def _record(actor: Actor, action: str, row: ServiceRecord, changes: dict[str, Any], *, new: bool = False) -> None:
    audit.record(actor=actor, action=action, obj=row, label=label_of(row), changes=changes, personal=PERSONAL, new=new)


def _entered(row: ServiceRecord) -> Message:
    """One a day for the community, however many enter."""
    community = row.checkin.community
    return Message(
        kind="member_service_entered",
        title=_("党员填写了服务，请确认"),
        body=community.path,
        link="/admin/services/servicerecord/?state=entered",
        audience={"post": {"right": posts.MANAGE_MEMBER_CHECKIN, "node": community.pk}},
        key=f"member_service:entered:{community.pk}:{timezone.localdate()}",
    )


def _sent_back(row: ServiceRecord) -> Message:
    return Message(
        kind="member_service_sent_back",
        title=_("有一次服务要您核对"),
        body=_("%(day)s的服务，社区退回：%(reason)s") % {"day": date_words(row.served_on), "reason": row.reason},
        link=f"/m/checkin/services/{row.pk}/",
        audience={"member": {"member": row.checkin.member_id}},
        key=f"member_service:{row.pk}:{row.version}",
    )
