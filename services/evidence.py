"""Pictures of projects and of progress on promises, through the one door for files: seen with what they belong to."""

from django.utils.translation import gettext as _

from core import files
from grids.timeline import Picture
from services.models import Evidence

FULL, SMALL = "evidence", "evidence-thumb"


def register() -> None:
    """Opens the door of `core.files`; called once from `apps.py`."""
    files.register(FULL, Evidence, "file")
    files.register(SMALL, Evidence, "thumbnail")


def picture(row: Evidence) -> Picture:
    """A picture as `components/timeline.html` shows it."""
    full = files.url(FULL, row)
    return Picture(
        full, files.url(SMALL, row) if row.thumbnail else full, _("%(stage)s照片") % {"stage": row.get_stage_display()}
    )
