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


def of(remediation: Remediation, stage: str) -> tuple[Picture, ...]:
    """The pictures of one stage of a project, read with `prefetch_related("photos")`."""
    found = []
    for photo in remediation.photos.all():
        if photo.stage == stage:
            photo.remediation = remediation
            found.append(picture(photo))
    return tuple(found)


@dataclass(frozen=True)
class Side:
    """The pictures of one stage of a project."""

    label: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Pair:
    """Before and after, side by side."""

    remediation: Remediation
    before: Side
    after: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.before, self.after

    @property
    def any(self) -> bool:
        return bool(self.before.pictures or self.after.pictures)


def pairs(remediations: Iterable[Remediation]) -> list[Pair]:
    """The pictures of some projects, read with `prefetch_related("photos")`."""
    return [
        Pair(
            one,
            Side(str(PhotoStage.BEFORE.label), of(one, PhotoStage.BEFORE)),
            Side(str(PhotoStage.AFTER.label), of(one, PhotoStage.AFTER)),
        )
        for one in remediations
    ]
