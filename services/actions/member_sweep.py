"""Nothing of the members' check-in waits for ever: reminders to communities once a week, to members once a matter.

Runs every hour from beat; each reminder is keyed on whom, what and which week, so that twice is once.
"""

import datetime

from django.db.models import Count, Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from core import notices
from core.notices import Message
from core.periods import Quarter, date_words
from services import posts
from services.actions.member_cards import last_quarter
from services.actions.member_checkins import PAGE
from services.models import MemberCard, MemberCheckIn, MemberCheckInState, ServiceRecord, ServiceState

# A report or a service that waited so long is asked after.
PATIENCE = datetime.timedelta(days=3)
# What was sent back to a member and did not come again.
MENDING = datetime.timedelta(days=7)
BATCH = 500


def sweep_members(now: datetime.datetime | None = None) -> dict[str, int]:
    """Goes round everything that waits. Returns how many reminders each round asked for."""
    now = now or timezone.now()
    return {"communities": remind_communities(now), "members": remind_members(now)}


def remind_communities(now: datetime.datetime) -> int:
    """Reports to accept, services to confirm, and last quarter's cards to send."""
    year, number, _day = timezone.localdate(now).isocalendar()
    week = f"{year}-{number}"
    reports = _by_community(
        MemberCheckIn.objects.filter(state=MemberCheckInState.APPLIED, applied_at__lt=now - PATIENCE), "community"
    )
    services = _by_community(
        ServiceRecord.objects.filter(state=ServiceState.ENTERED, entered_at__lt=now - PATIENCE), "checkin__community"
    )
    words = _("待接收报到 %(reports)d 人，待确认服务 %(services)d 次")
    messages = [
        Message(
            kind="member_waiting",
            title=words % {"reports": reports.get(pk, 0), "services": services.get(pk, 0)},
            link="/m/members/",
            audience={"post": {"right": posts.MANAGE_MEMBER_CHECKIN, "node": pk}},
            key=f"member_waiting:{pk}:{week}",
        )
        for pk in sorted(reports.keys() | services.keys())
    ]
    quarter = last_quarter(timezone.localdate(now))
    messages += [
        Message(
            kind="member_waiting_cards",
            title=_("%(quarter)s党员服务卡还没有反馈：%(count)d 人") % {"quarter": quarter.label, "count": count},
            body=_("在“季度服务卡”里点“反馈服务卡”，一次发给所有单位。"),
            link="/admin/services/membercard/",
            audience={"post": {"right": posts.MANAGE_MEMBER_CHECKIN, "node": pk}},
            key=f"member_waiting_cards:{pk}:{quarter.code}:{week}",
        )
        for pk, count in sorted(without_card(quarter).items())
    ]
    notices.post_many(messages)
    return len(messages)


def without_card(quarter: Quarter) -> dict[int, int]:
    """Community key -> members with confirmed services in the quarter and a unit, but no card."""
    card = MemberCard.objects.filter(
        quarter=quarter.first_day, member=OuterRef("checkin__member"), community=OuterRef("checkin__community")
    )
    rows = ServiceRecord.objects.filter(
        ~Exists(card),
        state=ServiceState.CONFIRMED,
        served_on__gte=quarter.first_day,
        served_on__lte=quarter.last_day,
        checkin__member__unit__isnull=False,
        checkin__community__retired_at__isnull=True,
    )
    counted = rows.order_by().values_list("checkin__community").annotate(Count("checkin__member", distinct=True))
    return dict(counted)


def remind_members(now: datetime.datetime) -> int:
    """What was sent back and did not come again."""
    before = now - MENDING
    reports = MemberCheckIn.objects.filter(state=MemberCheckInState.SENT_BACK, decided_at__lt=before)
    messages = [
        Message(
            kind="member_waiting_report",
            title=_("您的报到还等着补充"),
            body=row.reason,
            link=PAGE,
            audience={"member": {"member": row.member_id}},
            key=f"member_waiting_report:{row.pk}:{row.version}",
        )
        for row in reports.order_by("decided_at", "pk")[:BATCH]
    ]
    services = ServiceRecord.objects.filter(state=ServiceState.SENT_BACK, decided_at__lt=before)
    messages += [
        Message(
            kind="member_waiting_service",
            title=_("%(day)s的服务还等着您核对") % {"day": date_words(row.served_on)},
            body=row.reason,
            link=f"/m/checkin/services/{row.pk}/",
            audience={"member": {"member": row.checkin.member_id}},
            key=f"member_waiting_service:{row.pk}:{row.version}",
        )
        for row in services.select_related("checkin").order_by("decided_at", "pk")[:BATCH]
    ]
    notices.post_many(messages)
    return len(messages)


def _by_community(rows: object, path: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(path).annotate(Count("pk")))  # type: ignore[attr-defined]
