"""The telephone under which residents complain of who answers for their place: on every public card below it."""

import re
import unicodedata

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict, Invalid, Stale
from grids.actions.locks import lock_nodes
from grids.actions.permission import require
from grids.models import County, GridNode
from grids.posts import MANAGE_COUNTY, MANAGE_NODE

# 0916-6212345, 6212345, 12345, 13800000000, 0916-6212345-802
_PHONE = re.compile(r"(?:0\d{2,3}-?)?\d{5,8}(?:-\d{1,5})?|1\d{10}")


@transaction.atomic
def set_supervision_phone(
    *, actor: Actor, place: GridNode | County, phone: str, version: int | None = None
) -> GridNode | County:
    """Sets the supervision telephone of a county, street, community or smaller place; empty for the one above.

    Nobody sets the telephone under which they are supervised themselves: a street's is the county's to set, a
    community's the street's.

    Args:
        version: of the node, as the person saw it.

    Raises:
        NotFound, Forbidden: no `county.manage` in the county, no `node.manage` at the node. Stale.
        Invalid: no telephone number. Conflict: the place is retired.
    """
    require(actor, MANAGE_COUNTY if isinstance(place, County) else MANAGE_NODE, place)
    row: GridNode | County
    if isinstance(place, County):
        row = County.objects.select_for_update(no_key=True).get(pk=place.pk)
    else:
        row = lock_nodes(place)[0]
        if row.is_retired:
            raise Conflict(_("“%(place)s”已撤销，不能再改动。") % {"place": row.path}, code="retired")
        if version is not None and version != row.version:
            raise Stale(
                _("“%(place)s”刚刚被别人改动过。没有做任何改动，请看过最新情况后再办理。") % {"place": row.path}
            )
    before, row.supervision_phone = row.supervision_phone, clean_office_phone(phone)
    if before == row.supervision_phone:
        return row
    fields = ["supervision_phone"]
    if isinstance(row, GridNode):
        row.version += 1
        fields.append("version")
    row.save(update_fields=fields)
    changes = {"supervision_phone": (before, row.supervision_phone)}
    audit.record(actor=actor, action="place.supervision_phone", obj=row, changes=changes, label=str(row))
    return row


def clean_office_phone(value: str) -> str:
    """An office's telephone as it is printed; empty stays empty. Raises Invalid."""
    text = unicodedata.normalize("NFKC", value or "").strip()
    digits = re.sub(r"[\s()]", "", re.sub(r"[–—－]", "-", text.replace(")", "-"))).strip("-").replace("--", "-")
    if digits and not _PHONE.fullmatch(digits):
        message = _("请填写电话号码，例如 0916-6212345、12345 或手机号码。")
        raise Invalid(message, fields={"phone": message})
    return digits
