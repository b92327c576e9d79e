"""Pictures of a demand. Staff see them through the one door for files (`core.files`, scope-checked), residents through
their follow-up code: their own pictures and those of the result, nothing from in between.
"""

from dataclasses import dataclass

from django.http import FileResponse, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core import files
from core.errors import NotFound
from services.models import Photo
from services.selectors.loop import resident_events
from services.views.following import followed

FULL, SMALL = "demand-photo", "demand-thumb"


def register() -> None:
    """Opens the door of `core.files` for pictures; called once from `apps.py`."""
    files.register(FULL, Photo, "file")
    files.register(SMALL, Photo, "thumbnail")


@dataclass(frozen=True)
class Picture:
    """What the timeline component shows of a picture."""

    url: str
    thumb: str
    alt: str


def picture(photo: Photo) -> Picture:
    """A picture for somebody who signed in."""
    full = files.url(FULL, photo)
    return Picture(full, files.url(SMALL, photo) if photo.thumbnail else full, _("现场照片"))


def resident_picture(photo: Photo, code: str) -> Picture:
    """A picture for the resident who holds the code."""
    full = reverse("resident:photo", args=[code, photo.pk])
    return Picture(full, f"{full}?small=1" if photo.thumbnail else full, _("现场照片"))


@require_safe
def resident_photo(request: HttpRequest, code: str, pk: int) -> FileResponse:
    """A picture a resident may see. Raises `NotFound` for anything else, whether there is such a picture or not."""
    demand = followed(request, code, counted=False)
    for event in resident_events(demand):
        for photo in event.photos.all():
            if photo.pk == pk:
                small = request.GET.get("small") == "1" and photo.thumbnail
                return files.respond(photo.thumbnail if small else photo.file)
    raise NotFound(_("没有找到这张照片。"))
