"""What is written in a case, and the lines of its timeline. Source: docs/domain.md#z9, docs/decisions/0027.

A number in a text is refused, not masked: who writes it shall know that a case is no place for it. The audit trail holds no
word of a case, and not where it is; what it holds is who did what, and when.
"""

from django.utils.translation import gettext as _

from core.actors import Actor, kind_of, user_of
from core.errors import Invalid
from core.masking import names_a_number
from core.text import clean_line, clean_text, ellipsis
from services.models import CaseEntry, Help, HelpCase

LONGEST = 1000
# Columns whose values the trail does not hold: it is never erased, and a case is.
PERSONAL = ("title", "text", "result", "wanted", "node_id", "household_id")


def line(value: str, *, label: str, field: str, max_length: int, required: bool = True) -> str:
    """A text of one line, ready to store. Raises Invalid: empty, too long, or with a number of a person in it."""
    return _plain(clean_line(value, max_length=max_length, label=label, field=field, required=required), label, field)


def words(value: str, *, label: str, field: str = "text", required: bool = True) -> str:
    """A text of several lines, as `line`."""
    return _plain(clean_text(value, max_length=LONGEST, label=label, field=field, required=required), label, field)


def say(case: HelpCase, name: str, title: str, *, actor: Actor, text: str = "", help: Help | None = None) -> CaseEntry:
    """Writes a line of the timeline; the same words of the same person sent twice in a row stand once.

    Args:
        case: its row locked by the caller.
        title: what was done; names units and kinds of help, never a person, and stays when the case is erased.
    """
    user = user_of(actor)
    if text:
        last = case.entries.order_by("-at", "-pk").first()
        mine = (name, text, help.pk if help else None, user.pk if user else None)
        if last is not None and (last.name, last.text, last.help_id, last.actor_id) == mine:
            return last
    return CaseEntry.objects.create(
        case=case, help=help, name=name, title=ellipsis(title, 120), text=text, actor=user, actor_kind=kind_of(actor)
    )


def _plain(value: str, label: str, field: str) -> str:
    if not names_a_number(value):
        return value
    message = _("“%(label)s”里有电话号码或身份证号。个案只写困难和帮扶，不写能找到人的号码；要联系的，由社区当面转告。")
    message %= {"label": label}
    raise Invalid(message, code="number_in_text", fields={field: message})
