"""How rows of the resource, project and responsibility lists look on every face: their chips, and their pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core import files
from services.models import (
    Evidence,
    EvidenceStage,
    Milestone,
    Project,
    ProjectState,
    Resource,
    ResourceState,
    Responsibility,
    ResponsibilityState,
)
from services.selectors.projects import is_bought_in

FULL, SMALL = "project-photo", "project-thumb"
Chip = tuple[str, str]

_RESOURCE_TONES = {
    ResourceState.OFFERED: "amber",
    ResourceState.AVAILABLE: "green",
    ResourceState.SENT_BACK: "red",
    ResourceState.WITHDRAWN: "grey",
}
_PROJECT_TONES = {
    ProjectState.DRAFT: "grey",
    ProjectState.OPEN: "blue",
    ProjectState.RUNNING: "blue",
    ProjectState.FINISHED: "amber",
    ProjectState.DONE: "green",
    ProjectState.DROPPED: "grey",
}
_RESPONSIBILITY_TONES = {
    ResponsibilityState.OPEN: "blue",
    ResponsibilityState.DONE: "green",
    ResponsibilityState.DROPPED: "grey",
}


def register() -> None:
    """Opens the door of `core.files` for pictures of projects; called once from `apps.py`."""
    files.register(FULL, Evidence, "file")
    files.register(SMALL, Evidence, "thumbnail")


def resource_chips(row: Resource) -> list[Chip]:
    found = [(row.get_state_display(), _RESOURCE_TONES[ResourceState(row.state)])]
    if row.state == ResourceState.AVAILABLE and row.end is not None and row.end < timezone.localdate():
        found.append((_("已过期"), "red"))
    return found


def left_words(row: Resource, left: int) -> str:
    """What is left of how much: 剩 2 / 3 间."""
    return _("剩 %(left)s / %(all)s %(measure)s") % {
        "left": f"{left:,}",
        "all": f"{row.quantity:,}",
        "measure": row.measure,
    }


def project_chips(row: Project) -> list[Chip]:
    late = row.state in (ProjectState.OPEN, ProjectState.RUNNING) and _past(row.due_on)
    return [
        (row.get_state_display(), _PROJECT_TONES[ProjectState(row.state)]),
        *([(_("已超期"), "red")] if late else []),
        *([(_("购买服务"), "grey")] if is_bought_in(row) else []),
    ]


def responsibility_chips(row: Responsibility) -> list[Chip]:
    late = row.state == ResponsibilityState.OPEN and _past(row.due_on)
    tone = _RESPONSIBILITY_TONES[ResponsibilityState(row.state)]
    return [(row.get_state_display(), tone), *([(_("已超期"), "red")] if late else [])]


def milestone_chip(row: Milestone) -> Chip:
    if row.done_on is not None:
        return _("已完成"), "green"
    return (_("已超期"), "red") if _past(row.due_on) else (_("未完成"), "grey")


def progress_words(steps: Sequence[Milestone]) -> str:
    """How far the planned steps are: 节点 2 / 3; empty without any."""
    done = sum(step.done_on is not None for step in steps)
    return _("节点 %(done)d / %(all)d") % {"done": done, "all": len(steps)} if steps else ""


def _past(day: Any) -> bool:
    return day is not None and day < timezone.localdate()


@dataclass(frozen=True)
class Picture:
    """A picture with its address and what it shows, in words."""

    url: str
    thumb: str
    alt: str


@dataclass(frozen=True)
class Side:
    """The pictures of one stage of a project, as components/pair.html draws them."""

    label: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Pair:
    """Before and after side by side, and what came in between."""

    sides: tuple[Side, ...]

    @property
    def any(self) -> bool:
        return any(side.pictures for side in self.sides)


def pictures_of(project: Project, photos: Sequence[Evidence]) -> Pair:
    """The pictures of a project by stage; before and after always, in between where there are any."""
    sides = []
    for stage in (EvidenceStage.BEFORE, EvidenceStage.PROGRESS, EvidenceStage.AFTER):
        found = tuple(_picture(project, photo) for photo in photos if photo.stage == stage)
        if found or stage != EvidenceStage.PROGRESS:
            sides.append(Side(str(stage.label), found))
    return Pair(tuple(sides))


def _picture(project: Project, photo: Evidence) -> Picture:
    full = files.url(FULL, photo)
    thumb = files.url(SMALL, photo) if photo.thumbnail else full
    return Picture(full, thumb, f"{project.name} {photo.get_stage_display()}")
