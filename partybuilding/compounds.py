"""What of compounds this floor tells the floors below: their table, and what keeps a property firm in use."""

from django.utils.translation import gettext_lazy as _

from core import sheets
from partybuilding import duties
from partybuilding.models import CompoundRunning
from partybuilding.resources.compounds import CompoundSheet


def register() -> None:
    """Called once from `apps.py`."""
    sheets.register(CompoundSheet())
    duties.register("compound", label=_("在管的小区"), rows=CompoundRunning.objects.run_by)
