"""The four lists of a place in numbers. Defined here once: the overview, the API and the printed ledger all call this."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as t

from core.models import User
from grids.models import GridNode
from grids.querysets import in_subtree
from services.models import (
    Demand,
    DemandState,
    Project,
    ProjectState,
    Resource,
    ResourceState,
    Responsibility,
    ResponsibilityState,
)
from services.selectors.projects import overdue_projects, overdue_responsibilities

DEMANDS, RESOURCES, PROJECTS, RESPONSIBILITIES = "demands", "resources", "projects", "responsibilities"
LABELS = {
    DEMANDS: t("需求清单"),
    RESOURCES: t("资源清单"),
    PROJECTS: t("项目清单"),
    RESPONSIBILITIES: t("责任清单"),
}
# States in the order of the pages, and those in which a row of the list has come to its good end.
_STATES: dict[str, Any] = {
    DEMANDS: DemandState,
    RESOURCES: ResourceState,
    PROJECTS: ProjectState,
    RESPONSIBILITIES: ResponsibilityState,
}
# What was never a matter, or is none any more, stands on no list: it is left out of its total, and said so.
_OFF: dict[str, tuple[str, ...]] = {
    DEMANDS: (),
    RESOURCES: (ResourceState.WITHDRAWN,),
    PROJECTS: (ProjectState.DROPPED,),
    RESPONSIBILITIES: (ResponsibilityState.DROPPED,),
}
_DONE: dict[str, tuple[str, ...]] = {
    DEMANDS: (DemandState.CLOSED_OFF,),
    RESOURCES: (ResourceState.AVAILABLE,),
    PROJECTS: (ProjectState.DONE,),
    RESPONSIBILITIES: (ResponsibilityState.DONE,),
}
DONE_WORDS = {
    DEMANDS: t("已销号"),
    RESOURCES: t("可用"),
    PROJECTS: t("已完成"),
    RESPONSIBILITIES: t("已落实"),
}


@dataclass(frozen=True)
class State:
    """How many rows of a list stand in one state."""

    key: str
    label: str
    count: int


@dataclass(frozen=True)
class ListTotal:
    """One of the four lists in numbers.

    Attributes:
        total: rows on the list; withdrawn resources, dropped projects and responsibilities are on it no more.
        done: of these, closed off, available, accepted or carried out. late: beyond their day.
        states: every state that occurs, also those that are on the list no more.
    """

    key: str
    label: str
    total: int
    done: int
    late: int
    states: list[State] = field(default_factory=list)
    done_words: str = ""


def rows_of(key: str, user: User, node: GridNode | None = None) -> QuerySet[Any]:
    """The rows of a list the person sees, of a place and everything below it (of all they see when not given)."""
    model: Any = {DEMANDS: Demand, RESOURCES: Resource, PROJECTS: Project, RESPONSIBILITIES: Responsibility}[key]
    rows = model.objects.visible_to(user)
    if node is None:
        return rows
    if key == DEMANDS:
        return rows.filter(in_subtree(node, "node", community="community"))
    return rows.filter(in_subtree(node, "project__node" if key == RESPONSIBILITIES else "node"))


def four_lists(user: User, node: GridNode | None = None) -> list[ListTotal]:
    """The totals of the four lists by state, in the order of the lists. Two queries a list at most; their sum over `by_community` is the same."""
    return [_total(key, rows_of(key, user, node)) for key in LABELS]


_COMMUNITY = {
    DEMANDS: "community",
    RESOURCES: "node__community",
    PROJECTS: "node__community",
    RESPONSIBILITIES: "project__node__community",
}


def by_community(user: User, node: GridNode | None = None) -> dict[int | None, dict[str, int]]:
    """Community key -> the total of each list there; under None what belongs to a whole street. One query a list."""
    found: dict[int | None, dict[str, int]] = {}
    for key, path in _COMMUNITY.items():
        rows = rows_of(key, user, node).exclude(state__in=_OFF[key]).order_by()
        for community, count in rows.values_list(path).annotate(Count("pk")):
            found.setdefault(community, dict.fromkeys(LABELS, 0))[key] = count
    return found


def _total(key: str, rows: Any) -> ListTotal:
    counted = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    states = [State(str(key_), str(label), counted[key_]) for key_, label in _STATES[key].choices if key_ in counted]
    total = sum(count for state, count in counted.items() if state not in _OFF[key])
    done = sum(counted.get(state, 0) for state in _DONE[key])
    return ListTotal(key, str(LABELS[key]), total, done, _late(key, rows), states, str(DONE_WORDS[key]))


def _late(key: str, rows: Any) -> int:
    if key == DEMANDS:
        return int(rows.late().count())
    late: dict[str, Q] = {PROJECTS: overdue_projects(), RESPONSIBILITIES: overdue_responsibilities()}
    return int(rows.filter(late[key]).count()) if key in late else 0
