"""The frame of the phone pages (`/m/`), for every floor that has some: who gets in, the bottom bar, the ways on.

A floor keeps its phone pages in `views/mobile.py` and names them in `urls.mobile_urls`; governance/urls.py hangs them all
under `/m/`. What the first page counts and what stands under 我的 is registered here from each floor's `apps.py`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core import policies
from core.errors import DomainError, Forbidden, NotFound
from core.models import User

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Way:
    """A way on from the phone's own page: a line to touch.

    Attributes:
        words: where it leads; `note`: a second, smaller line.
        icon: a symbol of static/img/icons.svg.
        count: how many things wait there; such a way stands on the first page as well.
        counted: what is counted, for who listens instead of looking.
        desk: where the same waits on the desk; empty for what is the phone's alone.
        waits: whether its count is part of the number on 待办 (`count_waiting`).
    """

    words: str | Promise
    url: str
    icon: str
    note: str | Promise = ""
    count: int = 0
    counted: str | Promise = ""
    desk: str = ""
    waits: bool = False


@dataclass(frozen=True)
class Button:
    """What can be done with a thing; `kind` as `components/button.html` takes it."""

    label: str | Promise
    url: str
    kind: str = "plain"


@dataclass(frozen=True)
class Card:
    """A row of a list, and the one thing to do with it, as `components/row_card.html` draws it.

    Attributes:
        url: its page; empty where it has none. chips: (words, tone). meta: small texts beneath. action: (words, address).
        action_kind: plain where something else on the page is the main thing to do.
    """

    title: str
    url: str
    place: Sequence[str]
    chips: Sequence[tuple[str, str]]
    meta: Sequence[str] = ()
    text: str = ""
    action: tuple[str, str] | None = None
    action_kind: str = "main"


_WEIGHT = {"main": 0, "plain": 1, "danger": 2}


def in_order(buttons: Iterable[Button]) -> list[Button]:
    """The main one first, the dangerous ones last."""
    return sorted(buttons, key=lambda button: _WEIGHT[button.kind])


Counter = Callable[[User], int]
Source = Callable[[User], Iterable[Way]]

_counters: dict[str, Counter] = {}
_sources: dict[str, Source] = {}
# Sources whose ways count nothing: the first page does not ask them.
_uncounted: set[str] = set()
# Sources whose ways stand on the desk as well.
_on_desk: set[str] = set()


def count_waiting(name: str, counter: Counter) -> None:
    """Adds to the number on 待办; a second counter of the name takes the place of the first."""
    _counters[name] = counter


def offer_ways(name: str, source: Source, *, counted: bool = True, desk: bool = False) -> None:
    """Adds ways on; a second source of the name takes the place of the first. A few queries each, whatever the rows.

    Args:
        counted: whether something may wait behind them; else they stand under 我的 alone.
        desk: whether some of them have an address on the desk (`Way.desk`), which shows them while something waits.
    """
    _sources[name] = source
    if desk:
        _on_desk.add(name)
    if not counted:
        _uncounted.add(name)


def waiting(user: User) -> int:
    """How many things wait for the user, over all floors: the number on 待办, the same on every page."""
    return sum(counter(user) for counter in _counters.values())


def ways(user: User) -> list[Way]:
    """The ways on of all floors, in the order in which they registered."""
    return [way for source in _sources.values() for way in source(user)]


def waiting_ways(user: User) -> list[Way]:
    """Those behind which something waits."""
    asked = [source for name, source in _sources.items() if name not in _uncounted]
    return [way for source in asked for way in source(user) if way.count]


def desk_ways(user: User) -> list[Way]:
    """Those of the desk behind which something waits."""
    asked = [source for name, source in _sources.items() if name in _on_desk]
    return [way for source in asked for way in source(user) if way.count and way.desk]


def phone_page(view: View) -> View:
    """For whoever works on the phone; somebody who does not is led to the face of their own."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not policies.holds(request.user, policies.USE_MOBILE):
            return redirect("home")
        try:
            return view(request, *args, **kwargs)
        except (NotFound, Forbidden) as error:
            context = {"error": error, "back_url": reverse("mobile:todo"), "back_label": _("回待办")}
            return render(request, f"errors/{error.status}.html", context, status=error.status)

    return login_required(page)


def person(request: HttpRequest) -> User:
    """Whoever passed `phone_page`."""
    assert isinstance(request.user, User)
    return request.user


def show(
    request: HttpRequest, template: str, context: dict[str, Any], *, active: str, status: int = 200
) -> HttpResponse:
    """A phone page with its bottom bar. `active`: the key that is lit (todo, report, lists, me)."""
    context = {"active": active, "todo_count": waiting(person(request)), **context}
    return render(request, template, context, status=status)


def conflict(request: HttpRequest, error: DomainError, back: str) -> HttpResponse:
    """Somebody else was quicker: nothing was changed, and the way back leads to how it stands now."""
    return render(request, "errors/409.html", {"error": error, "back_url": back}, status=error.status)
