"""How a small wish goes on: checked, adopted by one, done, thanked, or given back. Source: docs/domain.md#l5.

Locks: the adopter's check-in first, then the wish, then the service record that comes of it.
"""

import datetime
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies, throttle
from core.actors import Actor, user_of
from core.errors import Conflict, Invalid, InvalidTransition, NotFound
from core.models import User
from core.moving import Moved, advance, advance_many
from core.periods import date_words, local_date
from grids.care import REVEALS_AN_HOUR
from partybuilding.models import Member, Unit
from partybuilding.policies import MemberScope
from services import posts, standing, wish_notices
from services.actions.member_services import correct_service, decide_services, enter_service
from services.actions.revealing import Contact
from services.actions.wishes import PERSONAL, RELATED, label_of
from services.clocks import clock_for, limits_of
from services.models import MemberCheckIn, ServiceRecord, ServiceState, Wish, WishState
from services.policies import CheckInScope
from services.wishes import clean_words, scrubbed
from services.workflow import WISH

Effect = Callable[[Wish, Mapping[str, Any]], None]


# --- The community checks -------------------------------------------------------------------------------------------


@transaction.atomic
def check_wishes(*, actor: Actor, wishes: Collection[Wish], versions: Mapping[int, int] | None = None) -> Moved[Wish]:
    """The community lets wishes be adopted, many in a few statements. What can not be is named in the answer.

    Args:
        versions: key -> the version the person saw.
    """
    now = timezone.now()

    def effect(row: Wish, data: Mapping[str, Any]) -> None:
        row.opened_at, row.reason = now, ""
        row.due_at = adopt_until(row, now)

    moved = advance_many(
        WISH,
        wishes,
        "check",
        actor=actor,
        versions=versions,
        effect=effect,
        related=RELATED,
        label=label_of,
        personal=PERSONAL,
    )
    wish_notices.opened(moved.done)
    return moved


def check_wish(*, actor: Actor, wish: Wish, version: int | None = None) -> Wish:
    """One wish. Raises NotFound, Forbidden, Conflict, Stale: nothing was changed."""
    versions = {wish.pk: version} if version is not None else None
    return check_wishes(actor=actor, wishes=[wish], versions=versions).only()


def decline_wish(*, actor: Actor, wish: Wish, reason: str, version: int | None = None) -> Wish:
    """The community does not take a wish up; who collected it learns why. Raises as `check_wish`, and Invalid."""
    words = _reason(wish, reason)

    def effect(row: Wish, data: Mapping[str, Any]) -> None:
        row.reason = words
        _close(row)
        wish_notices.tell("declined", row, body=words)

    return _advance(wish, "decline", actor=actor, version=version, effect=effect, data={"reason": words})


def end_wish(*, actor: Actor, wish: Wish, reason: str, version: int | None = None) -> Wish:
    """A wish that nobody adopted ends: it is not wanted any more, or nobody will. Raises as `decline_wish`."""
    words = _reason(wish, reason)

    def effect(row: Wish, data: Mapping[str, Any]) -> None:
        row.reason = words
        _close(row)
        wish_notices.tell("ended", row, body=words)

    return _advance(wish, "end", actor=actor, version=version, effect=effect, data={"reason": words})


def ask_unit(*, actor: Actor, wish: Wish, unit: Unit, version: int | None = None) -> Wish:
    """The community asks one unit whether it will adopt. The unit decides.

    Raises as `check_wish`; Invalid: the unit is not in use, or has not reported in this community.
    """

    def effect(row: Wish, data: Mapping[str, Any]) -> None:
        if not unit.is_active or row.community_id not in _communities(unit.pk):
            words = _("“%(unit)s”没有在“%(place)s”报到，请选在这里报到的单位。")
            message = words % {"unit": unit.label, "place": row.community.name}
            raise Invalid(message, fields={"unit": message})
        wish_notices.tell("asked", row, unit=unit)

    return _advance(
        wish,
        "ask",
        actor=actor,
        version=version,
        effect=effect,
        data={"unit": unit},
        label=f"{label_of(wish)} {unit.label}",
    )


def extend_wish(*, actor: Actor, wish: Wish, version: int | None = None) -> Wish:
    """The time to adopt begins anew. Raises as `check_wish`."""

    def effect(row: Wish, data: Mapping[str, Any]) -> None:
        row.due_at = adopt_until(row, timezone.now())

    return _advance(wish, "extend", actor=actor, version=version, effect=effect)


# --- Adopting -------------------------------------------------------------------------------------------------------


def sides_of(user: Any, wish: Wish) -> tuple[list[Unit], Member | None]:
    """As whom a person could adopt a wish: the units they act for that have reported in its community, and the member
    they are, taken in there. Three queries."""
    scopes = policies.scopes(user, posts.ADOPT_WISH)
    units = {scope.unit_id for scope in scopes if isinstance(scope, CheckInScope)}
    wanted = sorted(pk for pk in units if wish.community_id in _communities(pk))
    members = {scope.member_id for scope in scopes if isinstance(scope, MemberScope)}
    home = next((row for row in _homes(members) if row.community_id == wish.community_id), None)
    return list(Unit.objects.active().filter(pk__in=wanted).order_by("name")), home.member if home else None


@transaction.atomic
def adopt_wish(*, actor: User, wish: Wish, unit: Unit | None = None, version: int | None = None) -> Wish:
    """A member, or a unit by its liaison, adopts a wish: of two at once exactly one does.

    Args:
        wish: as the person saw it. unit: for which unit; empty for the member themself, or for the only unit there is.

    Raises:
        NotFound, Forbidden: the wish is out of sight, or the person may not. Stale: the page is old.
        Conflict: somebody was quicker. Invalid: it is not clear for whom, or that unit has not reported there.
    """
    WISH.may(wish, "adopt", actor=actor)
    unit, member = _side(actor, wish, unit)
    if not _still_there(wish, unit, member):
        raise Conflict(_("报到刚刚结束，不能在这里认领了。"), code="left")
    locked = Wish.objects.select_for_update(of=("self",)).filter(pk=wish.pk).first()
    if locked is None:
        raise NotFound(_("没有找到这个心愿。"))
    if locked.state != WishState.OPEN:
        # What was adopted is out of the others' sight: without this they would read that there is no such wish.
        raise InvalidTransition(_("这个心愿刚刚被别人认领了，谢谢您的心意。请看看其他心愿。"), code="taken")
    now = timezone.now()

    def effect(row: Wish, data: Mapping[str, Any]) -> None:
        row.unit, row.member = unit, member
        row.adopted_at, row.reason = now, ""
        row.due_at = fulfil_until(row, now)
        wish_notices.tell("adopted", row, body=unit.label if unit is not None else _("党员认领"))

    return _advance(wish, "adopt", actor=actor, version=version, effect=effect)


def give_back_wish(*, actor: Actor, wish: Wish, version: int | None = None) -> Wish:
    """Who adopted a wish gives it back, without a reason. Raises as `check_wish`."""

    def effect(row: Wish, data: Mapping[str, Any]) -> None:
        _reopen(row)
        wish_notices.tell("given_back", row)

    return _advance(wish, "give_back", actor=actor, version=version, effect=effect)


def release_wish(*, actor: Actor, wish: Wish, reason: str, version: int | None = None) -> Wish:
    """The community (or the sweeper) takes a wish back whose time is over. Raises as `decline_wish`."""
    words = _reason(wish, reason)

    def effect(row: Wish, data: Mapping[str, Any]) -> None:
        wish_notices.several([wish_notices.message("released", row, body=words)])
        _reopen(row)

    return _advance(wish, "release", actor=actor, version=version, effect=effect, data={"reason": words})


# --- Done, arrived, thanked -----------------------------------------------------------------------------------------


@transaction.atomic
def finish_wish(
    *,
    actor: Actor,
    wish: Wish,
    text: str,
    done_on: datetime.date,
    hours: Decimal | str | float | None = None,
    version: int | None = None,
) -> Wish:
    """Who adopted a wish says what was given and when. A member's becomes a service on their own check-in, with the
    hours they say, to be confirmed with the delivery.

    Args:
        done_on: from the day of adoption to today. hours: of a member alone; as they say, above 0.

    Raises:
        NotFound, Forbidden, Conflict, Stale. Invalid: day, hours or text are not usable.
    """
    home = None
    if wish.member_id is not None:
        home = standing.member_checkins_of([wish.member_id], lock=True).get(wish.member_id)
    names = [wish.recipient_name] if wish.recipient_name else []
    words = scrubbed(text, limit=300, label=_("送了什么"), field="text", names=names, required=True)

    def effect(row: Wish, data: Mapping[str, Any]) -> None:
        _check_day(row, done_on)
        now = timezone.now()
        row.result, row.reason, row.done_at = words, "", _moment(done_on, now)
        row.due_at = confirm_until(row, now)
        if home is not None and home.community_id == row.community_id:
            row.service = _serve(actor, row, home, done_on, hours)
        wish_notices.tell("finished", row)

    data = {"text": words, "done_on": done_on, "hours": hours}
    return _advance(wish, "finish", actor=actor, version=version, effect=effect, data=data)


@transaction.atomic
def thank_wish(*, actor: Actor, wish: Wish, thanks: str = "", version: int | None = None) -> Wish:
    """The community (or the sweeper) says that it arrived, and passes on what the person said. Raises as `decline_wish`;
    Conflict also for one's own.
    """
    names = [wish.recipient_name] if wish.recipient_name else []
    words = clean_words(thanks, limit=300, label=_("答谢的话"), field="thanks", names=names)

    def effect(row: Wish, data: Mapping[str, Any]) -> None:
        row.thanks, row.thanked_at = words, timezone.now()
        _close(row)
        _decide_service(actor, row, "confirm")
        wish_notices.tell("thanked", row, body=words)

    return _advance(wish, "thank", actor=actor, version=version, effect=effect, data={"thanks": words})


@transaction.atomic
def undelivered_wish(*, actor: Actor, wish: Wish, reason: str, version: int | None = None) -> Wish:
    """The community says what is still missing; who adopted goes on. Raises as `thank_wish`."""
    words = _reason(wish, reason)

    def effect(row: Wish, data: Mapping[str, Any]) -> None:
        row.reason, row.done_at = words, None
        row.due_at = fulfil_until(row, timezone.now())
        _decide_service(actor, row, "send_back", words)
        wish_notices.tell("undelivered", row, body=words)

    return _advance(wish, "undelivered", actor=actor, version=version, effect=effect, data={"reason": words})


def reveal_recipient(*, actor: User, wish: Wish, reason: str) -> Contact:
    """Shows whose wish it is and how to reach them, and writes down who looked and why.

    Raises:
        NotFound, Forbidden: no `wish.manage` there. Invalid: no reason, or one that names somebody. Conflict: name and
        number are erased. Throttled: too many in an hour.
    """
    policies.require(actor, posts.MANAGE_WISH, wish)
    words = _reason(wish, reason, label=_("查看理由"), limit=200)
    # Outside the transaction: a look that fails counts as well.
    throttle.hit(f"wish.reveal:{actor.pk}", limit=REVEALS_AN_HOUR, window_seconds=3600)
    with transaction.atomic():
        locked = Wish.objects.select_for_update(of=("self",)).get(pk=wish.pk)
        if locked.erased_at is not None:
            raise Conflict(_("心愿人的姓名和电话已经按期清除。"), code="erased")
        audit.record(actor=actor, action="wish.reveal", obj=locked, label=label_of(locked), reason=words)
    return Contact(locked.recipient_name, locked.recipient_phone)


# --- Limits ---------------------------------------------------------------------------------------------------------


def adopt_until(wish: Wish, now: datetime.datetime) -> datetime.datetime:
    return now + datetime.timedelta(days=limits_of(wish.county_id).wish_adopt_days)


def fulfil_until(wish: Wish, now: datetime.datetime) -> datetime.datetime:
    return clock_for(wish.county_id).workdays(now, limits_of(wish.county_id).wish_workdays)


def confirm_until(wish: Wish, now: datetime.datetime) -> datetime.datetime:
    """The community has as long to confirm as it has to check."""
    return clock_for(wish.county_id).workdays(now, limits_of(wish.county_id).wish_check_workdays)


# --- Parts of moves -------------------------------------------------------------------------------------------------


def _advance(wish: Wish, name: str, **given: Any) -> Wish:
    return advance(WISH, wish, name, related=RELATED, personal=PERSONAL, **{"label": label_of(wish), **given})


def _reason(wish: Wish, text: str, *, label: str = "", limit: int = 300) -> str:
    names = [wish.recipient_name] if wish.recipient_name else []
    return clean_words(text, limit=limit, label=label or _("理由"), field="reason", names=names, required=True)


def _close(row: Wish) -> None:
    row.closed_at, row.due_at = timezone.now(), None


def _reopen(row: Wish) -> None:
    # A service that was sent back stays with the member who gave it, whoever adopts next.
    row.unit = row.member = row.adopted_at = row.service = None
    row.reason = ""
    row.due_at = adopt_until(row, timezone.now())


def _communities(unit_id: int) -> set[int | None]:
    return {row.node.community_id for row in standing.checkins_of([unit_id]).get(unit_id, ())}


def _homes(members: Collection[int]) -> list[MemberCheckIn]:
    rows = MemberCheckIn.objects.filter(pk__in=[row.pk for row in standing.member_checkins_of(members).values()])
    return list(rows.select_related("member"))


def _side(actor: User, wish: Wish, unit: Unit | None) -> tuple[Unit | None, Member | None]:
    units, member = sides_of(actor, wish)
    message = ""
    if unit is not None:
        if unit.pk not in {one.pk for one in units}:
            message = _("“%(unit)s”没有在“%(place)s”报到，不能认领。")
            message = message % {"unit": unit.label, "place": wish.community.name}
    elif member is not None:
        return None, member
    elif len(units) == 1:
        unit = units[0]
    else:
        message = _("请选择以哪个单位认领。")
    if message:
        raise Invalid(message, fields={"unit": message})
    return unit, None


def _still_there(wish: Wish, unit: Unit | None, member: Member | None) -> bool:
    """Whether who adopts is reported there, read again under the lock of the check-in: it can not end meanwhile."""
    if unit is not None:
        held = standing.checkins_of([unit.pk], lock=True).get(unit.pk, ())
        return any(row.node.community_id == wish.community_id for row in held)
    assert member is not None
    home = standing.member_checkins_of([member.pk], lock=True).get(member.pk)
    return home is not None and home.community_id == wish.community_id


def _check_day(row: Wish, day: datetime.date) -> None:
    message = ""
    if day > timezone.localdate():
        message = _("日期不能晚于今天，送到了再填。")
    elif row.adopted_at is not None and day < local_date(row.adopted_at):
        message = _("日期不能早于认领的 %(day)s。") % {"day": date_words(row.adopted_at)}
    if message:
        raise Invalid(message, fields={"done_on": message})


def _moment(day: datetime.date, now: datetime.datetime) -> datetime.datetime:
    if day == local_date(now):
        return now
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time(12)))


def _serve(
    actor: Actor, row: Wish, home: MemberCheckIn, day: datetime.date, hours: Decimal | str | float | None
) -> ServiceRecord:
    """The member's service: entered, or the one that was sent back, put right."""
    text = _("圆微心愿 %(code)s：%(title)s") % {"code": row.code, "title": row.title}
    if hours in (None, ""):
        message = _("请填写用了多少小时，例如 1.5。")
        raise Invalid(message, fields={"hours": message})
    assert hours is not None
    given: dict[str, Any] = {"served_on": day, "hours": hours, "text": text}
    before = row.service
    try:
        if before is None or before.state == ServiceState.DROPPED:
            return enter_service(actor=actor, checkin=home, **given)
        if before.state == ServiceState.CONFIRMED:
            return before
        return correct_service(actor=actor, service=before, **given)
    except Invalid as error:
        fields = {("done_on" if name == "served_on" else name): words for name, words in error.fields.items()}
        raise Invalid(error.message, fields=fields) from None


def _decide_service(actor: Actor, row: Wish, name: str, reason: str = "") -> None:
    """What is said of the delivery is said of the member's service. What can not be decided here (one's own, told in a
    card already) stays for those who confirm services."""
    user = user_of(actor)
    service = row.service
    if service is None or user is None or not policies.can(user, posts.MANAGE_MEMBER_CHECKIN, service):
        return
    decide_services(actor=user, services=[service], name=name, reason=reason)
