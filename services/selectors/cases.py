"""Cases as somebody may see them, what waits in them, and the figures, which name nobody. Source: docs/domain.md#z9."""

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core import policies
from core.errors import NotFound
from core.models import User
from core.periods import date_words
from grids.models import County, GridNode
from grids.querysets import in_subtree
from partybuilding.models import Unit
from partybuilding.policies import UnitScope
from services import posts
from services.models import CaseEntry, CaseState, Help, HelpCase, HelpKind, HelpState, UnitCheckIn
from services.policies import CASE_POLICY

OPEN_HELPS = (HelpState.ASKED, HelpState.HELPING)
_RUNNING = Help.objects.filter(case=OuterRef("pk"), state__in=[str(state) for state in OPEN_HELPS])


# --- Who sees what ----------------------------------------------------------------------------------------------------


def reads(user: User, case: HelpCase) -> bool:
    """Whether the person reads the whole of a case in their sight, or is only asked in it."""
    return any(CASE_POLICY.reads(scope, case) for scope in policies.scopes(user, posts.VIEW_CASE))


def cases(user: User) -> QuerySet[HelpCase]:
    """The cases in sight, with what lists and policies read of them. Two queries however many."""
    helps = Help.objects.select_related("unit").order_by("pk")
    found: QuerySet[HelpCase] = HelpCase.objects.visible_to(user).select_related("node__county", "community")
    return found.prefetch_related(Prefetch("helps", helps))


def find_case(user: User, pk: int) -> HelpCase:
    """Raises NotFound: no such case, or out of sight; never told apart."""
    found = cases(user).filter(pk=pk).first()
    if found is None:
        raise NotFound(_("没有找到这个个案，或不在您的范围内。"))
    return found


def find_help(user: User, pk: int) -> Help:
    """Raises NotFound as `find_case`."""
    rows = Help.objects.visible_to(user).select_related("case__node__county", "case__community", "unit")
    found: Help | None = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound(_("没有找到这项帮扶，或不在您的范围内。"))
    return found


def units_of(user: User, right: str = posts.VIEW_CASE) -> set[int]:
    """The units for which the person holds a right."""
    return {scope.unit_id for scope in policies.scopes(user, right) if isinstance(scope, UnitScope)}


def manages(user: User) -> Q:
    """The cases the person's community answers for."""
    return policies.within(HelpCase, user, posts.MANAGE_CASE)


def helps_shown(user: User, case: HelpCase) -> list[Help]:
    """The helps of a case as the person may know of them: the community all; who helps its own and those that are given or
    were; who is only asked its own. The case as from `cases`: no query.
    """
    rows, mine = list(case.helps.all()), units_of(user)
    if policies.can(user, posts.MANAGE_CASE, case):
        return rows
    own = [row for row in rows if row.unit_id in mine and row.state not in (HelpState.DECLINED, HelpState.ENDED)]
    if not reads(user, case):
        return own
    given = (HelpState.HELPING, HelpState.DONE)
    return [row for row in rows if row in own or row.state in given]


def entries_of(user: User, case: HelpCase) -> QuerySet[CaseEntry]:
    """The timeline of a case, newest first, as the person may read it. One query."""
    rows: QuerySet[CaseEntry] = CaseEntry.objects.visible_to(user).filter(case=case)
    return rows.select_related("actor", "help__unit").order_by("-at", "-pk")


# --- What waits -------------------------------------------------------------------------------------------------------


def own_helps(user: User) -> QuerySet[Help]:
    """What the person's units are asked for or give, what is due first."""
    rows: QuerySet[Help] = Help.objects.visible_to(user).filter(unit__in=units_of(user), state__in=OPEN_HELPS)
    rows = rows.select_related("case__community", "case__node", "unit")
    return rows.order_by("state", F("due_at").asc(nulls_last=True), F("due_on").asc(nulls_last=True), "pk")


def over(user: User) -> Q:
    """The cases that are closed, and those in which the person's units have done their part."""
    mine = Help.objects.filter(case=OuterRef("pk"), unit__in=units_of(user))
    done = Exists(mine.filter(state=HelpState.DONE)) & ~Exists(mine.filter(state__in=OPEN_HELPS))
    return Q(state=CaseState.CLOSED) | Q(done)


def own_figures(user: User) -> tuple[int, int]:
    """How many helps the person's units are asked for, and how many they give. One query."""
    found = Counter(own_helps(user).order_by().values_list("state", flat=True))
    return found[HelpState.ASKED], found[HelpState.HELPING]


def to_do(now: datetime.datetime | None = None) -> Q:
    """Open cases in which the community has a next step to make: to look again, to ask somebody else, to close."""
    now = now or timezone.now()
    today = timezone.localdate(now)
    late = Help.objects.filter(
        Q(state=HelpState.ASKED, due_at__lte=now) | Q(state=HelpState.HELPING, due_on__lt=today), case=OuterRef("pk")
    )
    return Q(state=CaseState.OPEN) & (Q(review_on__lte=today) | Q(Exists(late)) | ~Q(Exists(_RUNNING)))


def waiting(user: User) -> int:
    """How many cases of the person's community wait for it. One query."""
    return HelpCase.objects.filter(manages(user), to_do()).count()


def is_late(row: Help, now: datetime.datetime | None = None) -> bool:
    """Whether an answer, or the help itself, is past its day."""
    now = now or timezone.now()
    if row.state == HelpState.ASKED:
        return row.due_at is not None and row.due_at <= now
    return row.state == HelpState.HELPING and row.due_on is not None and row.due_on < timezone.localdate(now)


def next_step(case: HelpCase, helps: Sequence[Help], now: datetime.datetime | None = None) -> tuple[str, str]:
    """What the community does next in a case, in words, and the tone of it."""
    now = now or timezone.now()
    if case.state == CaseState.CLOSED:
        if case.erased_at is not None:
            return _("内容已清除"), "grey"
        return _("%(day)s清除内容") % {"day": date_words(case.erase_on)} if case.erase_on else "", "grey"
    late = [row for row in helps if is_late(row, now)]
    silent = [row.unit.label for row in late if row.state == HelpState.ASKED]
    if silent:
        return _("%(units)s还没有回应，请另请单位") % {"units": _("、").join(silent)}, "red"
    if late:
        return _("%(units)s过了说好的日子，请问一问") % {"units": _("、").join(row.unit.label for row in late)}, "red"
    if case.review_on is not None and case.review_on <= timezone.localdate(now):
        return _("该回看了"), "amber"
    asked = [row for row in helps if row.state == HelpState.ASKED]
    giving = [row for row in helps if row.state == HelpState.HELPING]
    if not asked and not giving:
        if any(row.state == HelpState.DONE for row in helps):
            return _("各单位都帮完了，可以结案"), "amber"
        return _("还没有单位帮，请邀请单位"), "amber"
    if asked:
        return _("等%(units)s回应") % {"units": _("、").join(row.unit.label for row in asked)}, "blue"
    return _("%(count)d 项帮扶进行中") % {"count": len(giving)}, "green"


# Below this many cases the kinds of help are for the community alone.
FEW = 5

# --- Figures ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kinds:
    """Helps of one kind: asked and not answered yet, being given, given, and what came to nothing, which says nothing of
    anybody: declined, lapsed, withdrawn and ended are one figure."""

    kind: str
    asked: int = 0
    helping: int = 0
    done: int = 0
    not_given: int = 0

    @property
    def label(self) -> str:
        return str(HelpKind(self.kind).label)


@dataclass(frozen=True)
class Figures:
    """The cases of a place (a county): no titles, no households, no units by name."""

    opened: int = 0
    closed: int = 0
    units: int = 0
    kinds: tuple[Kinds, ...] = ()

    @property
    def cases(self) -> int:
        return self.opened + self.closed

    @property
    def for_others(self) -> "Figures":
        """As whoever does not answer for the place may know them: what kind of help a few households got is theirs."""
        return self if self.cases >= FEW else replace(self, kinds=())

    @property
    def helping(self) -> int:
        return sum(row.helping for row in self.kinds)

    @property
    def done(self) -> int:
        return sum(row.done for row in self.kinds)


def figures(county: County, place: GridNode | None = None) -> Figures:
    """The figures of a place, erased cases included. Three queries. `place` is a community or more: below one, a figure
    would point at a household."""
    found = _inside(county, place)
    states = Counter({row["state"]: row["n"] for row in found.order_by().values("state").annotate(n=Count("pk"))})
    helps = Help.objects.filter(case__in=found.order_by().values("pk")).order_by()
    grouped = helps.values("kind", "state").annotate(n=Count("pk"))
    given = helps.filter(state__in=(HelpState.HELPING, HelpState.DONE))
    return Figures(
        states[CaseState.OPEN],
        states[CaseState.CLOSED],
        given.aggregate(n=Count("unit", distinct=True))["n"],
        _kinds((row["kind"], row["state"], row["n"]) for row in grouped),
    )


def by_community(county: County, place: GridNode | None = None) -> list[tuple[GridNode, Figures]]:
    """The same for each community inside a place that has any, in the order of the tree. Four queries."""
    found = _inside(county, place).order_by()
    states: Counter[tuple[int, str]] = Counter()
    for row in found.values("community_id", "state").annotate(n=Count("pk")):
        states[row["community_id"], row["state"]] = row["n"]
    helps: dict[int, list[tuple[str, str, int]]] = {}
    rows: Any = Help.objects.filter(case__in=found.values("pk")).order_by()
    for row in rows.values("case__community_id", "kind", "state").annotate(n=Count("pk")):
        helps.setdefault(row["case__community_id"], []).append((row["kind"], row["state"], row["n"]))
    given = rows.filter(state__in=(HelpState.HELPING, HelpState.DONE)).values("case__community_id")
    units = {row["case__community_id"]: row["n"] for row in given.annotate(n=Count("unit", distinct=True))}
    nodes = GridNode.objects.filter(pk__in={key for key, _state in states}).order_by("tree_id", "lft")
    return [
        (
            node,
            Figures(
                states[node.pk, CaseState.OPEN],
                states[node.pk, CaseState.CLOSED],
                units.get(node.pk, 0),
                _kinds(helps.get(node.pk, ())),
            ),
        )
        for node in nodes
    ]


def _inside(county: County, place: GridNode | None) -> QuerySet[HelpCase]:
    rows: QuerySet[HelpCase] = HelpCase.objects.filter(county=county)
    return rows if place is None else rows.filter(in_subtree(place, "community"))


def _kinds(found: Iterable[tuple[str, str, int]]) -> tuple[Kinds, ...]:
    told: dict[str, Counter[str]] = {}
    for kind, state, number in found:
        shown = state if state in (*OPEN_HELPS, HelpState.DONE) else "not_given"
        told.setdefault(kind, Counter())[shown] += number
    return tuple(Kinds(kind, **told[kind]) for kind in HelpKind.values if kind in told)


def reported_units(case: HelpCase) -> QuerySet[Unit]:
    """The units that have reported inside the case's community: those to think of first."""
    held = UnitCheckIn.objects.current().filter(node__community=case.community_id)
    return Unit.objects.active().filter(pk__in=held.order_by().values("unit")).order_by("name")
