"""What of this floor hangs on the nodes of the tree (`grids.hanging`), is in the hands of units (`partybuilding.duties`), and
stands beside pairings (`partybuilding.covers`, `partybuilding.raising`)."""

import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import policies
from grids import hanging
from grids.hanging import Fate
from grids.naming import COMMUNITY
from grids.querysets import unended
from partybuilding import covers, duties, raising
from partybuilding.covers import Cover
from partybuilding.models import PairingProblem, Unit
from services import posts
from services.actions import checkin_ends
from services.actions.following import follow_place
from services.clocks import limits_of
from services.models import (
    APPLICATION_OPEN,
    COMMITMENT_OPEN,
    MEMBER_CHECKIN_OPEN,
    PROJECT_HOLDS,
    BulletinItem,
    CaseState,
    CheckInApplication,
    CheckInRole,
    Commitment,
    Demand,
    Help,
    HelpCase,
    HelpState,
    JointMeeting,
    MeetingState,
    MemberCheckIn,
    Project,
    Resource,
    ResourceState,
    SubOrder,
    SubOrderState,
    UnitCheckIn,
    Wish,
    WishState,
)
from services.models.demand import OPEN_STATES


def register() -> None:
    """Called once from `apps.py`."""
    hanging.register(
        Demand,
        label=_("未销号的需求"),
        community="community",
        open=lambda: Q(state__in=[str(state) for state in OPEN_STATES]),
        no_room=_same_number,
        follower=follow_place,
    )
    hanging.register(
        UnitCheckIn,
        label=_("未结束的单位报到"),
        open=unended,
        fates=(Fate.FOLLOW, Fate.END),
        no_room=_reported_there,
        follower=checkin_ends.follow_place,
        begun="checkin.start",
        ended="checkin.end",
        afresh=_afresh,
        ender=checkin_ends.before_ending,
    )
    hanging.register(
        CheckInApplication,
        label=_("待办的报到申请"),
        open=lambda: Q(state__in=[str(state) for state in APPLICATION_OPEN]),
        no_room=_applied_there,
    )
    hanging.register(
        MemberCheckIn,
        label=_("党员报到"),
        community="community",
        open=lambda: Q(state__in=[str(state) for state in MEMBER_CHECKIN_OPEN]),
    )
    hanging.register(
        Commitment,
        label=_("未完成的承诺事项"),
        community="community",
        open=lambda: Q(state__in=[str(state) for state in COMMITMENT_OPEN]),
        no_room=_promised_there,
    )
    hanging.register(
        Resource,
        label=_("可用的资源"),
        open=lambda: ~Q(state=ResourceState.WITHDRAWN),
        no_room=_offered_there,
    )
    hanging.register(
        Project,
        label=_("未完成的项目"),
        community="community",
        open=lambda: Q(state__in=[str(state) for state in PROJECT_HOLDS]),
    )
    hanging.register(
        JointMeeting,
        label=_("未结束的联席会议"),
        open=lambda: ~Q(state__in=[MeetingState.CLOSED, MeetingState.CANCELLED]),
    )
    hanging.register(
        HelpCase,
        label=_("未结案的帮扶个案"),
        community="community",
        open=lambda: Q(state=CaseState.OPEN),
    )
    hanging.register(
        Wish,
        label=_("未了的微心愿"),
        community="community",
        open=lambda: Q(state__in=[WishState.COLLECTED, WishState.OPEN, WishState.ADOPTED, WishState.DONE]),
    )
    hanging.register(
        BulletinItem,
        label=_("未整改的通报事项"),
        node="community",
        open=lambda: Q(state__in=["open", "answered"]),
    )
    duties.register("suborder", label=_("没有了结的派单"), rows=_in_hand)
    duties.register("commitment", label=_("没有完成的承诺事项"), rows=_promised)
    duties.register("help", label=_("没有了结的帮扶"), rows=_helping)
    duties.register("wish", label=_("没有了结的微心愿"), rows=_wishes)
    covers.register(
        Cover(
            "lead_unit",
            _("牵头单位"),
            level=COMMUNITY,
            held=_led,
            add=("admin:services_unitcheckin_add", posts.MANAGE_CHECKIN),
        )
    )
    raising.register(_raised_at)


def _led() -> Exists:
    """A unit in use that has reported to the community, or inside it, as the lead (docs/domain.md#x5, #z2)."""
    leads = UnitCheckIn.objects.current().filter(role=CheckInRole.LEAD, unit__is_active=True)
    return Exists(leads.filter(node__community=OuterRef("pk")))


def _raised_at(problem: PairingProblem, user: Any, phone: bool) -> str:
    if not policies.can(user, posts.RAISE_DEMAND, problem.pairing.node):
        return ""
    if phone:
        return f"{reverse('mobile:report')}?at={problem.pairing.node_id}"
    return f"{reverse('admin:services_demand_add')}?problem={problem.pk}"


def _same_number(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """Imported matters whose number and date the other community has as well (`demand_external_once`)."""
    twin = Demand.objects.filter(
        community_id=community,
        external_number=OuterRef("external_number"),
        external_date=OuterRef("external_date"),
    ).exclude(pk=OuterRef("pk"))
    return ~Q(external_number="") & Q(Exists(twin))


def _afresh(row: UnitCheckIn) -> None:
    """A receipt's number is of one check-in alone; the follower gives the new one its own. An agreement that has run out
    has run out there as well."""
    row.number = ""
    if row.until is not None:
        row.until = max(row.until, row.start)


def _reported_there(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """Units that have reported to the successor already."""
    return Q(Exists(UnitCheckIn.objects.filter(unended(), node=successor, unit=OuterRef("unit"))))


def _applied_there(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """Units that have applied to the successor already."""
    states = [str(state) for state in APPLICATION_OPEN]
    return Q(Exists(CheckInApplication.objects.filter(state__in=states, node=successor, unit=OuterRef("unit"))))


def _promised_there(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """Promises the successor has from the same unit in the same words of the same day (`commitment_once`)."""
    twin = Commitment.objects.filter(
        node=successor, unit=OuterRef("unit"), title=OuterRef("title"), promised_on=OuterRef("promised_on")
    )
    return Q(Exists(twin)) if successor is not None else Q(pk__in=[])


def _offered_there(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """What the same unit, or the place itself, has there under the same name (`resource_once`, `resource_own_once`)."""
    twin = Resource.objects.exclude(state=ResourceState.WITHDRAWN).filter(node=successor, name=OuterRef("name"))
    own = Q(unit__isnull=True) & Q(Exists(twin.filter(unit__isnull=True)))
    return own | Q(Exists(twin.filter(unit=OuterRef("unit"))))


def _helping(unit: Unit) -> Any:
    return Help.objects.filter(unit=unit, state__in=[HelpState.ASKED, HelpState.HELPING])


def _wishes(unit: Unit) -> Any:
    return Wish.objects.filter(unit=unit, state=WishState.ADOPTED)


def _promised(unit: Unit) -> Any:
    return Commitment.objects.filter(unit=unit, state__in=[str(state) for state in COMMITMENT_OPEN])


def _in_hand(unit: Unit) -> Any:
    """Orders a unit still has to do with: running, finished but not closed off, or closed off and still reopenable.

    A redo or a reopening puts an order in service again; at a unit that is closed nobody could act on it.
    """
    reopenable = timezone.now() - datetime.timedelta(days=limits_of(unit.county_id).reopen_days)
    unfinished = Q(demand__state__in=[str(state) for state in OPEN_STATES]) | Q(demand__closed_at__gte=reopenable)
    kept = SubOrder.objects.filter(unit=unit).exclude(state=SubOrderState.RETURNED)
    return kept.filter(unfinished | Q(pk__in=SubOrder.objects.running().filter(unit=unit)))
