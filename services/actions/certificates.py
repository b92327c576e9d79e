"""Certificates of service: free, from what was confirmed, checked by anybody under a code nobody can guess."""

import datetime

from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import SYSTEM, Actor
from core.codes import new_certificate_code
from core.errors import Conflict, Forbidden, Invalid, Stale
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.text import clean_line
from grids.actions.permission import can, require
from grids.models import GridNode
from partybuilding.actions.homes import lock_members
from partybuilding.models import Member
from partybuilding.policies import MemberScope
from services import posts
from services.models import Certificate, MemberCheckIn, ServiceRecord, ServiceState


@transaction.atomic
def issue_certificate(
    *, actor: Actor, member: Member, community: GridNode, since: datetime.date, until: datetime.date
) -> Certificate:
    """Certifies what the community confirmed of a member between two days, both included.

    Asked for again while nothing changed, it answers the certificate that stands.

    Raises:
        Forbidden: neither the member nor whoever confirms services there. Invalid: the days are the wrong way round or
            in the future, or nothing was confirmed between them.
    """
    _require(actor, member, community)
    _check_days(since, until)
    lock_members([member.pk])
    services, hours = _confirmed(member, community, since, until)
    if not services:
        message = _("这段时间没有社区确认过的服务，开不出证明。请核对起止日期，或等社区确认。")
        raise Invalid(message, fields={"since": message})
    facts = {"since": since, "until": until, "services": services, "hours": hours}
    standing = Certificate.objects.filter(member=member, community=community, revoked_at=None, **facts).first()
    if standing is not None:
        return standing
    row = Certificate.objects.create(
        county=member.county, member=member, community=community, code=new_certificate_code(), **facts
    )
    changes = {"member_id": (None, member.pk), **{name: (None, value) for name, value in facts.items()}}
    audit.record(actor=actor, action="certificate.issue", obj=row, label=str(community), changes=changes, new=True)
    return row


@transaction.atomic
def revoke_certificate(
    *, actor: Actor, certificate: Certificate, reason: str, version: int | None = None
) -> Certificate:
    """The community takes a certificate back; whoever checks its code is told so, not why.

    Raises:
        NotFound, Forbidden: no `member_checkin.manage` there. Invalid: no reason. Conflict: it is revoked already.
        Stale: the page is old.
    """
    rows = Certificate.objects.select_for_update(of=("self",)).select_related("member", "community", "county")
    row = rows.get(pk=certificate.pk)
    require(actor, posts.MANAGE_MEMBER_CHECKIN, row)
    if row.revoked_at is not None:
        raise Conflict(_("这张证明已经作废。"), code="revoked")
    if version is not None and version != row.version:
        raise Stale(_("这张证明刚刚有了变化，请刷新页面查看。"))
    reason = clean_line(reason, max_length=200, label=_("作废原因"), field="reason", required=True)
    row.reason = scrub_identity_numbers(scrub_phone_numbers(reason))
    row.revoked_at, row.version = timezone.now(), row.version + 1
    row.save(update_fields=["reason", "revoked_at", "version"])
    changes = {"revoked_at": (None, row.revoked_at)}
    audit.record(actor=actor, action="certificate.revoke", obj=row, label=str(row.community), changes=changes)
    return row


def communities_of(member: Member) -> list[GridNode]:
    """Where something of the member's was confirmed, the latest home first; else the home they reported to last."""
    rows = (
        MemberCheckIn.objects.filter(member=member).select_related("community__county").order_by("-applied_at", "-pk")
    )
    found = {row.community_id: row.community for row in rows.filter(services__state=ServiceState.CONFIRMED)}
    if not found and (last := rows.first()) is not None:
        return [last.community]
    return list(found.values())


def _require(actor: Actor, member: Member, community: GridNode) -> None:
    if actor is SYSTEM or MemberScope(member.pk) in policies.scopes(actor, posts.REPORT_MEMBER_CHECKIN):
        return
    if not can(actor, posts.MANAGE_MEMBER_CHECKIN, community):
        raise Forbidden(_("服务证明由党员本人或社区出具。"))


def _check_days(since: datetime.date, until: datetime.date) -> None:
    message, field = "", "until"
    if until > timezone.localdate():
        message = _("截止日期不能晚于今天。")
    elif since > until:
        message, field = _("开始日期不能晚于截止日期。"), "since"
    if message:
        raise Invalid(message, fields={field: message})


def _confirmed(member: Member, community: GridNode, since: datetime.date, until: datetime.date) -> tuple[int, object]:
    rows = ServiceRecord.objects.filter(
        checkin__member=member,
        checkin__community=community,
        state=ServiceState.CONFIRMED,
        served_on__gte=since,
        served_on__lte=until,
    )
    found = rows.aggregate(services=Count("pk"), hours=Sum("hours"))
    return found["services"], found["hours"]
