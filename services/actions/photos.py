"""Pictures of a demand: cleaned before anything is written, kept with the event they belong to."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.utils.translation import gettext as _

from core.errors import Invalid
from core.photos import Photo as CleanPhoto
from core.photos import accept_photo, make_thumbnail
from services.models import DemandEvent, Photo

MOST = 6


def accept_photos(uploads: Iterable[Any]) -> list[CleanPhoto]:
    """Checks and cleans uploads, outside any transaction: decoding a picture takes longer than a lock should.

    Raises `Invalid` or `TooLarge` with the number of the picture that is at fault.
    """
    uploads = [upload for upload in uploads if upload]
    if len(uploads) > MOST:
        raise Invalid(_("一次最多上传 %(most)d 张照片。") % {"most": MOST}, fields={"photos": _("照片过多。")})
    return [accept_photo(upload) for upload in uploads]


def keep_photos(event: DemandEvent, photos: Sequence[CleanPhoto]) -> list[Photo]:
    """Stores cleaned pictures with their event. File names say nothing of what they show."""
    rows = []
    for photo in photos:
        name = uuid4().hex
        row = Photo(demand_id=event.demand_id, event=event, size=photo.size, digest=photo.sha256)
        row.file.save(f"{name}.jpg", ContentFile(photo.data), save=False)
        row.thumbnail.save(f"{name}-s.jpg", ContentFile(make_thumbnail(photo.data)), save=False)
        rows.append(row)
    return Photo.objects.bulk_create(rows) if rows else []
