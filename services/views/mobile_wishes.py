"""`/m/wishes/`: small wishes on the phone. Keepers collect them, the community checks and confirms, members and units'
liaisons adopt. Source: docs/domain.md#l5.

Works without JavaScript. Nothing typed into a form that asks for somebody's name is kept on the phone as a draft, and no
address names anybody.
"""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core import phone, policies
from core.deeds import Deed, Shown
from core.errors import Conflict, Forbidden, NotFound
from core.masking import is_mobile
from core.models import User
from core.periods import date_words
from core.phone import Button, Card, Way, person, phone_page
from core.phone_deeds import do_deed
from grids.selectors import who_answers_for
from services import posts, wish_deeds
from services.models import Wish, WishState
from services.selectors import wishes as selectors
from services.wishes import DUE_WORDS, chips, face, holder_told
from services.workflow import WISH

PER_PAGE = 20
_RELATED = ("node", "community", "unit", "member")


def ways(user: User) -> list[Way]:
    """The ways to the wishes; what waits for somebody stands on the first page. One or two queries."""
    if not policies.holds(user, posts.VIEW_WISH):
        return []
    page, found = reverse("mobile:wishes"), []
    if policies.holds(user, posts.MANAGE_WISH):
        count = selectors.to_see_to(user).count()
        desk = f"{reverse('admin:services_wish_changelist')}?state=todo"
        found.append(Way(_("微心愿"), page, "care", _("审核、确认送达"), count, _("个微心愿等您办"), desk))
    elif selectors.adopts(user):
        count = selectors.in_hand(user).count()
        found.append(Way(_("微心愿"), page, "care", _("认领、圆梦"), count, _("个认领的微心愿")))
    elif policies.holds(user, posts.COLLECT_WISH):
        found.append(Way(_("微心愿"), page, "care", _("征集困难家庭的小心愿")))
    return found


# --- Lists ----------------------------------------------------------------------------------------------------------


def _lists(user: User) -> list[tuple[str, str, QuerySet[Wish]]]:
    """The lists a person has: (key, words, rows), the one that opens first on top."""
    found: list[tuple[str, str, QuerySet[Wish]]] = []
    if policies.holds(user, posts.MANAGE_WISH):
        found.append(("todo", _("要办的"), selectors.to_see_to(user).order_by("due_at", "pk")))
    if selectors.adopts(user):
        mine = Wish.objects.visible_to(user).filter(selectors.own(user))
        found.append(("open", _("可以认领"), selectors.to_adopt(user).order_by("due_at", "pk")))
        found.append(("mine", _("我认领的"), mine.order_by("-adopted_at", "-pk")))
    if policies.holds(user, posts.COLLECT_WISH):
        found.append(("kept", _("征集的"), selectors.kept(user).order_by("-collected_at", "-pk")))
    elif not found:
        found.append(("all", _("全部"), Wish.objects.visible_to(user).order_by("-collected_at", "-pk")))
    return found


@phone_page
@require_safe
def wishes(request: HttpRequest) -> HttpResponse:
    """What the person can do something about, and what became of the rest."""
    user = _reader(request)
    lists = _lists(user)
    key, words, rows = next((one for one in lists if one[0] == request.GET.get("list")), lists[0])
    page = Paginator(rows.select_related(*_RELATED), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": _("微心愿"),
        "lists": [(one, label) for one, label, _rows in lists] if len(lists) > 1 else [],
        "chosen": key,
        "words": words,
        "cards": [card_of(row, user) for row in page],
        "page": page,
        "query": f"list={key}",
        "may_collect": policies.holds(user, posts.COLLECT_WISH),
        "empty": _EMPTY[key](),
    }
    return phone.show(request, "services/mobile/wishes.html", context, active="me")


_EMPTY: dict[str, Any] = {
    "todo": lambda: (_("都办完了"), _("新征集的、送到的和没有人认领的，会列在这里。")),
    "open": lambda: (_("现在没有可以认领的"), _("您报到的社区审核通过的心愿，会列在这里。")),
    "mine": lambda: (_("还没有认领过"), _("在“可以认领”里选一个，东西交给社区就行。")),
    "kept": lambda: (_("还没有征集心愿"), _("走访时听到的小心愿，点“征集心愿”记下来，一分钟就好。")),
    "all": lambda: (_("还没有微心愿"), _("网格员、楼栋长征集，社区审核后，会列在这里。")),
}


def card_of(row: Wish, user: User) -> Card:
    told = face(row, user)
    cost = _("约 %(cost)d 元") % {"cost": row.cost} if row.cost else _("不花钱")
    who = f"{told.name}（{told.kind}）" if told.name else told.kind
    main = next((deed for deed in _offered(row, user) if deed.tone == "main"), None)
    return Card(
        title=row.title,
        url=reverse("mobile:wish", args=[row.pk]),
        place=told.place[1:] or told.place,
        chips=chips(row),
        meta=[who, cost, *filter(None, [holder_told(row, inside=told.inside)])],
        action=(str(main.label), _deed_url(row, main)) if main else None,
    )


# --- One ------------------------------------------------------------------------------------------------------------


@phone_page
@require_safe
def wish(request: HttpRequest, pk: int) -> HttpResponse:
    """One wish: what is wished, how far it is, what can be done; for who adopted it, whom to go to."""
    user = _reader(request)
    row = _find(user, pk)
    told = face(row, user)
    facts = [
        (_("心愿人") if told.inside else _("为谁"), f"{told.name}（{told.kind}）" if told.name else told.kind),
        (_("联系电话"), told.phone),
        (_("说明"), row.text),
        (_("预计费用"), _("%(cost)d 元") % {"cost": row.cost} if row.cost else _("不花钱")),
        (_("认领"), holder_told(row, inside=told.inside)),
        (DUE_WORDS.get(WishState(row.state), ""), date_words(row.due_at) if row.due_at else ""),
        (_("圆梦"), date_words(row.done_at) if row.done_at else ""),
        (_("送了什么"), row.result),
        (_("答谢"), row.thanks),
        (_("意见"), row.reason),
    ]
    adopted = row.state == WishState.ADOPTED and not told.inside
    context = {
        "row": row,
        "kind": _("微心愿"),
        "name": row.title,
        "chips": chips(row),
        "place": told.place,
        "facts": [(label, value) for label, value in facts if value],
        "buttons": phone.in_order(Button(deed.label, _deed_url(row, deed), deed.tone) for deed in _offered(row, user)),
        "back": reverse("mobile:wishes"),
        "contacts": _contacts(row) if adopted else [],
        "adopted": adopted,
        "outside": not told.inside and row.state == WishState.OPEN,
    }
    return phone.show(request, "services/mobile/wish.html", context, active="me")


def _contacts(row: Wish) -> list[str]:
    """Who answers for the community, with the post."""
    return [f"{held.user.name}（{held.post_label}）" for held in who_answers_for(row.community)[:3]]


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def collect(request: HttpRequest) -> HttpResponse:
    """Another wish, at one of the person's own places."""
    user = person(request)
    if not policies.holds(user, posts.COLLECT_WISH):
        raise Forbidden(_("微心愿由网格员、楼栋长和社区征集。"))
    return _do(request, wish_deeds.COLLECT, None)


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One thing to do, on one screen."""
    user = _reader(request)
    deed = next((deed for deed in wish_deeds.DEEDS if deed.name == name), None)
    if deed is None:
        raise NotFound(_("没有这个操作。"))
    row = _find(user, pk)
    try:
        if deed is wish_deeds.REVEAL:
            policies.require(user, deed.right, row)
        else:
            WISH.may(row, name, actor=user)
        if not deed.is_offered(row):
            raise Conflict(_("“%(deed)s”现在不能办，请看过最新情况再说。") % {"deed": deed.label})
    except Conflict as error:
        return phone.conflict(request, error, _page_of(row))
    return _do(request, deed, row)


def _do(request: HttpRequest, deed: Deed, row: Wish | None) -> HttpResponse:
    user = person(request)
    return do_deed(
        request,
        deed,
        row,
        template="services/mobile/wish_deed.html",
        back=_page_of(row),
        context={"row": row, "face": face(row, user) if row is not None else None},
        initial={"version": row.version} if row is not None else None,
        done=lambda result: _done(request, deed, row, result),
    )


def _done(request: HttpRequest, deed: Deed, row: Wish | None, result: Any) -> HttpResponse:
    if isinstance(result, Shown) and row is not None:
        # Shown once, in this answer alone: nothing personal goes into the session or an address.
        number = next((value for _label, value in result.lines if is_mobile(value)), "")
        context = {"shown": result, "number": number, "place": [], "back": _page_of(row)}
        response = phone.show(request, "grids/mobile/care_shown.html", context, active="me")
        response.headers["Cache-Control"] = "private, no-store"
        return response
    messages.success(request, str(deed.done))
    # What was given back is the others' again, and may be out of sight.
    seen = isinstance(result, Wish) and policies.sees(person(request), result)
    return redirect(_page_of(result if seen else None))


def _offered(row: Wish, user: User) -> list[Deed]:
    """The deeds the person can do now, in the order of the table of deeds."""
    able = {move.name for move in WISH.available(row, user)}
    found = [deed for deed in wish_deeds.MOVES if deed.name in able]
    return [*found, wish_deeds.REVEAL] if wish_deeds.REVEAL.may(user, row) else found


def _deed_url(row: Wish, deed: Deed) -> str:
    return reverse("mobile:wish_deed", args=[row.pk, deed.name])


def _page_of(row: Wish | None) -> str:
    return reverse("mobile:wish", args=[row.pk]) if row is not None else reverse("mobile:wishes")


def _reader(request: HttpRequest) -> User:
    user = person(request)
    if not policies.holds(user, posts.VIEW_WISH):
        raise Forbidden(_("您没有“%(right)s”的权限。") % {"right": policies.label(posts.VIEW_WISH)})
    return user


def _find(user: User, pk: int) -> Wish:
    rows = Wish.objects.visible_to(user).select_related(*_RELATED)
    row: Wish | None = rows.filter(pk=pk).first()
    if row is None:
        raise NotFound(_("没有找到这个心愿。可能已经被别人认领，或不在您的范围内。"))
    return row
