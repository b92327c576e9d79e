"""`/m/ladder/` and `/m/bulletins/`: what was put into a leader's hands, and what a bulletin asks of a unit or community.

Works without JavaScript. Posts answer with a redirect: WeChat's back button must never send a form again.
"""

from django.core.paginator import Paginator
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core import phone, policies
from core.errors import NotFound
from core.models import User
from core.periods import date_words, datetime_words
from core.phone import Card, Way, person, phone_page
from core.phone_deeds import do_deed
from grids.naming import steps_of
from grids.policies import CountyScope, NodeScope
from partybuilding.models import Pairing, PairingKind
from partybuilding.policies import UnitScope
from services import posts
from services.models import BulletinItem, Climb, Rung
from services.rate_deeds import ANSWER, INSTRUCT, rung_chip
from services.selectors.bulletins import late_days, number_words
from services.workflow import BULLETIN_ITEM

PER_PAGE = 20
_ITEM_TONES = {"open": "red", "answered": "amber", "settled": "green"}


def ways(user: User) -> list[Way]:
    """To what waits for a leader, and for who is named in a bulletin. One query each, for whoever can have any."""
    found = []
    if policies.holds(user, posts.INSTRUCT_DEMAND):
        count = _escalated(user).count()
        address = reverse("mobile:ladder")
        found.append(Way(_("报我的超期事项"), address, "overdue", "", count, _("件超期事项"), desk=address))
    if policies.holds(user, posts.ANSWER_BULLETIN):
        count = _to_answer(user).count()
        desk = f"{reverse('admin:services_bulletinitem_changelist')}?state=open"
        found.append(
            Way(_("通报整改"), reverse("mobile:bulletins"), "warning", "", count, _("件通报事项待答复"), desk=desk)
        )
    return found


# --- What was put into a leader's hands -----------------------------------------------------------------------------


def _escalated(user: User) -> QuerySet[Climb]:
    """Late matters of the communities the person is paired with, as long as they are late."""
    mine = Pairing.objects.current().filter(kind=PairingKind.LEADER, user=user).values("node")
    rows = Climb.objects.visible_to(user).filter(rung=Rung.LEADER, demand__community__in=mine)
    running = Q(demand__state__in=["accepted", "published", "dispatched"], limit=F("demand__due_at"))
    return rows.filter(running)


@phone_page
@require_safe
def ladder(request: HttpRequest) -> HttpResponse:
    """The latest first."""
    user = person(request)
    policies_or_404(user, posts.INSTRUCT_DEMAND)
    rows = _escalated(user).select_related("demand__node", "demand__community", "demand__category", "demand__lead_unit")
    page = Paginator(rows.order_by("limit", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = {"title": _("报我的超期事项"), "cards": [_late_card(row) for row in page], "page": page}
    return phone.show(request, "services/mobile/ladder.html", context, active="me")


def _late_card(row: Climb) -> Card:
    demand = row.demand
    who = demand.lead_unit.label if demand.lead_unit and demand.state == "dispatched" else demand.community.name
    days = _("已超期 %(days)d 个工作日") % {"days": late_days(demand, timezone.now())}
    return Card(
        demand.title,
        reverse("mobile:demand", args=[demand.code]),
        steps_of(demand.node.path),
        [rung_chip(row), (days, "red"), *([(_("已批示"), "green")] if row.instructed_at else [])],
        [demand.category.name, who],
        action=(str(INSTRUCT.label), reverse("mobile:instruct", args=[row.pk])),
    )


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def instruct(request: HttpRequest, pk: int) -> HttpResponse:
    """What is to be done, on one screen."""
    user = person(request)
    related = ("demand__node", "demand__community", "demand__category", "demand__lead_unit")
    row = Climb.objects.visible_to(user).select_related(*related).filter(pk=pk).first()
    if row is None:
        raise NotFound(_("没有找到这件事项，或不在您的管辖范围内。"))
    policies.require(user, INSTRUCT.right, row)
    card = _late_card(row)
    return do_deed(
        request,
        INSTRUCT,
        row,
        template="services/mobile/rate_deed.html",
        back=reverse("mobile:ladder"),
        context={"title": card.title, "place": card.place, "chips": card.chips, "facts": []},
        draft=f"climb-{row.pk}",
        initial={"version": row.version},
    )


# --- What a bulletin names ------------------------------------------------------------------------------------------


def _named(user: User) -> QuerySet[BulletinItem]:
    """What the person may have to answer for: of their units, and what names their community itself."""
    scopes = policies.scopes(user, posts.ANSWER_BULLETIN)
    units = {scope.unit_id for scope in scopes if isinstance(scope, UnitScope)}
    rows = BulletinItem.objects.visible_to(user).filter(bulletin__state="published")
    mine = Q(unit__in=units)
    if any(isinstance(scope, NodeScope | CountyScope) for scope in scopes):
        mine |= policies.within(BulletinItem, user, posts.ANSWER_BULLETIN) & Q(unit__isnull=True)
    return rows.filter(mine)


def _to_answer(user: User) -> QuerySet[BulletinItem]:
    return _named(user).filter(state="open")


@phone_page
@require_safe
def bulletins(request: HttpRequest) -> HttpResponse:
    """What is not settled, what has to be answered first."""
    user = person(request)
    policies_or_404(user, posts.ANSWER_BULLETIN)
    over = request.GET.get("over") == "1"
    rows = _named(user).select_related("bulletin", "demand__node", "demand__category", "community", "unit")
    rows = rows.filter(state="settled") if over else rows.exclude(state="settled")
    page = Paginator(rows.order_by(F("due_at").asc(nulls_last=True), "-pk"), PER_PAGE)
    found = page.get_page(request.GET.get("page"))
    context = {
        "title": _("通报整改"),
        "cards": [_item_card(row) for row in found],
        "page": found,
        "query": "over=1" if over else "",
        "over": over,
    }
    return phone.show(request, "services/mobile/bulletins.html", context, active="me")


def _item_card(row: BulletinItem) -> Card:
    due = [_("请在%(day)s前答复") % {"day": date_words(row.due_at)}] if row.due_at else []
    late = [(_("答复超期"), "red")] if row.due_at and row.due_at < timezone.now() else []
    address = reverse("mobile:bulletin_item", args=[row.pk])
    return Card(
        f"{row.demand.category.name} {row.demand.code}",
        address,
        steps_of(row.demand.node.path),
        [(str(row.get_state_display()), _ITEM_TONES[row.state]), *late],
        [number_words(row.bulletin), row.unit.label if row.unit else row.community.name, *due],
        action=(str(ANSWER.label), address) if row.state == "open" else None,
    )


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def bulletin_item(request: HttpRequest, pk: int) -> HttpResponse:
    """What is named, what was answered, and the answer on one screen."""
    user = person(request)
    related = ("bulletin", "demand__node", "demand__category", "community", "unit", "answered_by")
    row = BulletinItem.objects.visible_to(user).select_related(*related).filter(pk=pk).first()
    if row is None:
        raise NotFound(_("没有找到这件通报事项，或不在您的管辖范围内。"))
    card, back = _item_card(row), reverse("mobile:bulletins")
    context = {"title": card.title, "place": card.place, "chips": card.chips, "facts": _facts(row), "back": back}
    if not BULLETIN_ITEM.offers(row, ANSWER.name, user):
        if request.method == "POST":
            # The table says why, and nothing is written.
            BULLETIN_ITEM.check(row, ANSWER.name, actor=user, data=request.POST)
        context |= {"kind": _("通报事项"), "name": card.title}
        return phone.show(request, "services/mobile/bulletin_item.html", context, active="me")
    return do_deed(
        request,
        ANSWER,
        row,
        template="services/mobile/rate_deed.html",
        back=back,
        context=context,
        draft=f"bulletin-item-{row.pk}",
        initial={"version": row.version, "text": row.answer},
    )


def _facts(row: BulletinItem) -> list[tuple[str, str]]:
    found = [
        (_("通报"), f"{row.bulletin.title}（{number_words(row.bulletin)}）"),
        (_("通报时超期"), _("%(number)d 个工作日") % {"number": row.late_days}),
        (_("答复时限"), datetime_words(row.due_at) if row.due_at else ""),
        (_("县级意见"), row.note),
        (_("整改情况"), row.answer),
    ]
    return [(label, value) for label, value in found if value]


def policies_or_404(user: User, right: str) -> None:
    """Raises NotFound for who has nothing to do with it."""
    if not policies.holds(user, right):
        raise NotFound(_("这里没有您要办的事。"))
