"""The pictures of remediation as pages show them. They are served by the one door for files, to whoever sees the compound."""

from collections.abc import Iterable
from dataclasses import dataclass

from core import files
from grids.models import PhotoStage, Remediation, RemediationPhoto
from grids.timeline import Picture

FULL, SMALL = "remediation-photo", "remediation-thumb"


def picture(photo: RemediationPhoto) -> Picture:
    """A picture with its address and what it shows, in words."""
    full = files.url(FULL, photo)
    thumb = files.url(SMALL, photo) if photo.thumbnail else full
    return Picture(full, thumb, f"{photo.remediation.title} {photo.get_stage_display()}")


@dataclass(frozen=True)
class Side:
    """The pictures of one stage of a project."""

    label: str
    pictures: list[Picture]


@dataclass(frozen=True)
class Pair:
    """Before and after, side by side."""

    remediation: Remediation
    before: Side
    after: Side

    @property
    def any(self) -> bool:
        return bool(self.before.pictures or self.after.pictures)


def pairs(remediations: Iterable[Remediation]) -> list[Pair]:
    """The pictures of some projects, read with `prefetch_related("photos")`."""
    found = []
    for one in remediations:
        sides = {}
        for stage in PhotoStage:
            shown = []
            for photo in one.photos.all():
                if photo.stage == stage:
                    photo.remediation = one
                    shown.append(picture(photo))
            sides[stage] = Side(str(stage.label), shown)
        found.append(Pair(one, sides[PhotoStage.BEFORE], sides[PhotoStage.AFTER]))
    return found
