"""Pictures of a demand: cleaned before anything is written, kept with the event they belong to."""

from collections.abc import Sequence
from uuid import uuid4

from django.core.files.base import ContentFile

from core.photos import Photo as CleanPhoto
from core.photos import make_thumbnail
from services.models import DemandEvent, Photo


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
