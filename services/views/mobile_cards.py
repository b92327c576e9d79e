"""`/m/cards/`: a unit's quarterly cards, to read on the phone, to print, to mark as received. By name, never by merit."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import Count, Max, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core import phone
from core.errors import NotFound
from core.models import User
from core.periods import Quarter, date_words
from core.phone import Card, Way, person, phone_page
from partybuilding.models import Unit
from services.actions.member_cards import receive_cards
from services.actions.member_services import plain
from services.models import MemberCard
from services.selectors import membership
from services.views.mobile_own_report import quarter_of

MOST = 40


def ways(user: User) -> Iterator[Way]:
    """The way to the unit's cards, once there are some. One query."""
    if not membership.receives_cards(user):
        return
    sent = list(_quarters(user))
    if not sent:
        return
    unread = sum(bool(row["unread"]) for row in sent)
    note = _("社区反馈的本单位党员服务情况")
    yield Way(_("党员服务卡"), reverse("mobile:cards"), "unit", note, unread, _("个季度待查收"))


@phone_page
@require_safe
def cards(request: HttpRequest) -> HttpResponse:
    """The quarters of the units one acts for, newest first."""
    found = [_quarter_card(row) for row in _quarters(person(request))]
    return phone.show(request, "services/mobile/cards.html", {"title": _("党员服务卡"), "cards": found}, active="me")


def _quarter_card(row: dict[str, Any]) -> Card:
    quarter = Quarter.of(row["quarter"])
    counts = {"people": row["people"], "services": row["services"], "hours": plain(row["hours"])}
    return Card(
        title=quarter.label,
        url=reverse("mobile:unit_cards", args=[row["unit"], quarter.code]),
        place=[],
        chips=[(_("待查收"), "amber") if row["unread"] else (_("已查收"), "green")],
        meta=[row["unit__name"], _("%(people)d 人，服务 %(services)d 次，%(hours)s 小时") % counts],
    )


def _quarters(user: User) -> Any:
    """What the user's units were sent, by unit and quarter."""
    return (
        membership.cards_for(user)
        .values("unit", "unit__name", "quarter")
        .annotate(
            people=Count("member", distinct=True),
            services=Sum("services"),
            hours=Sum("hours"),
            unread=Count("pk", filter=Q(read_at=None)),
        )
        .order_by("-quarter", "unit__name")[:MOST]
    )


@phone_page
@require_safe
def unit_cards(request: HttpRequest, unit: int, quarter: str) -> HttpResponse:
    """A unit's cards of a quarter: one a member and community."""
    user = person(request)
    context = _cards(user, unit, quarter)
    mine = membership.cards_for(user).filter(unit=unit)
    context["may_receive"] = mine.filter(quarter=context["quarter"].first_day, read_at=None).exists()
    return phone.show(request, "services/mobile/unit_cards.html", context, active="me")


@phone_page
@require_safe
def print_cards(request: HttpRequest, unit: int, quarter: str) -> HttpResponse:
    """The same as a sheet of A4, for the unit's file."""
    return render(request, "services/papers/member_cards.html", _cards(person(request), unit, quarter))


@phone_page
@require_POST
def receive(request: HttpRequest, unit: int, quarter: str) -> HttpResponse:
    """The liaison has read them."""
    user = person(request)
    found = _cards(user, unit, quarter)
    receive_cards(actor=user, unit=found["unit"], quarter=found["quarter"])
    messages.success(request, _("已查收。"))
    return redirect("mobile:unit_cards", unit, found["quarter"].code)


def _cards(user: User, unit: int, text: str) -> dict[str, Any]:
    quarter = quarter_of(text)
    rows: Any = MemberCard.objects.visible_to(user).filter(unit=unit, quarter=quarter.first_day)
    # The order of GB 18030 is that of the dictionary, by sound.
    rows = sorted(
        rows.select_related("member", "community", "unit").order_by("member", "community"),
        key=lambda row: row.member.name.encode("gb18030"),
    )
    if not rows:
        raise NotFound(_("没有找到这个季度的服务卡。"))
    of: Unit = rows[0].unit
    total = MemberCard.objects.filter(pk__in=[row.pk for row in rows])
    summed = total.aggregate(services=Sum("services"), hours=Sum("hours"), sent=Max("sent_at"))
    return {
        "unit": of,
        "quarter": quarter,
        "cards": [
            {
                "name": row.member.name,
                "community": row.community.name,
                "services": row.services,
                "hours": plain(row.hours),
            }
            for row in rows
        ],
        "people": len({row.member_id for row in rows}),
        "services": summed["services"],
        "hours": plain(summed["hours"]),
        "sent_on": date_words(summed["sent"]),
        "read": all(row.read_at for row in rows),
    }
