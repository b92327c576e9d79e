"""What can be done on an admin page: a button, a form of one screen, one action called. Nothing else in the admin writes.

An admin page shows facts; it has no editable fields. Each change is a `Deed` with a page of its own, which works
without JavaScript, says what will happen, and maps the refusals of its action onto the form.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise

from core import policies
from core.errors import DomainError, Forbidden, NotFound, Stale
from core.forms import add_domain_error
from core.workflow import Workflow

Text = str | Promise


class DeedForm(forms.Form):
    """The inputs of a deed. Knows who asks and on which row (None for a new one), for its choices and initial values."""

    def __init__(self, *args: Any, user: Any, obj: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.obj = user, obj
        self.build()

    def build(self) -> None:
        """Adds or narrows fields by user and row."""


class NothingToFill(DeedForm):
    """For deeds that ask for a confirmation alone."""


@dataclass(frozen=True)
class Shown:
    """An answer that is shown once and stored nowhere, such as a first password."""

    title: str
    lines: tuple[tuple[str, str], ...]
    note: str = ""


@dataclass(frozen=True)
class Foresight:
    """What a deed would do, shown before it is done.

    Attributes:
        template, context: draw it. Inputs in it are called `choice.…`: they say how, not what.
        facts: what it amounts to; when that has changed since the person read it, it is shown again.
        blocked: there is something to be seen to first, and nothing to confirm.
    """

    template: str
    context: Mapping[str, Any]
    facts: str
    blocked: bool = False

    def seal(self, inputs: Any) -> str:
        """Stands for what the person was shown, and for what they had filled in then.

        Args:
            inputs: the form as it was sent, a `QueryDict`.
        """
        told = [(name, inputs.getlist(name)) for name in sorted(inputs) if not name.startswith(_NOT_SEALED)]
        return hashlib.sha256(json.dumps([told, self.facts]).encode()).hexdigest()


CHOICE = "choice."
SEEN = "seen"
_NOT_SEALED = ("csrfmiddlewaretoken", CHOICE, SEEN)


@dataclass(frozen=True)
class Deed:
    """One thing a person may do.

    Attributes:
        name: in the address; `label`: the button's verb.
        right: what the person must hold on the row (for a new row: anywhere).
        form: its inputs.
        run: called with `actor`, `obj` and the cleaned inputs as keywords. Returns the row to go to (or None for the
            same one), or `Shown`.
        done: what is said afterwards.
        help: what will happen, and to whom.
        tone: main, plain or danger.
        offered: whether the button stands on this row's page; the action has the last word.
        foresee: for a deed of weight: tells what `run` would do, called with the same keywords. The form is then
            sent twice, the second time to confirm what was shown.
    """

    name: str
    label: Text
    right: str
    form: type[DeedForm]
    run: Callable[..., Any]
    done: Text
    help: Text = ""
    tone: str = "plain"
    offered: Callable[[Any], bool] | None = None
    foresee: Callable[..., Foresight] | None = None

    @property
    def is_foreseen(self) -> bool:
        """For templates, which would call `foresee` itself."""
        return self.foresee is not None

    def is_offered(self, obj: Any) -> bool:
        return self.offered is None or self.offered(obj)

    def may(self, user: Any, obj: Any = None) -> bool:
        """Whether the button is shown to this user (on this row)."""
        if obj is None:
            return policies.holds(user, self.right)
        return policies.can(user, self.right, obj) and self.is_offered(obj)


def deed_of(flow: Workflow, name: str, form: type[DeedForm], run: Callable[..., Any]) -> Deed:
    """The button of a move of a transition table, with the table's words; it stands where the table allows the move."""
    row = flow.get(name)
    right = row.right
    if right is None:
        raise ValueError(f"{flow.name}.{name}: no person makes this move")
    return Deed(
        name,
        row.label,
        right,
        form,
        run,
        done=row.done or row.label,
        help=row.help,
        tone=row.tone,
        offered=lambda obj: getattr(obj, flow.field) in row.sources,
    )


def perform(deed: Deed, form: DeedForm, *, actor: Any, obj: Any, data: Mapping[str, Any]) -> tuple[bool, Any]:
    """Runs a deed whose form is valid. Answers (done, result); a refusal that the person can mend stands in the form.

    Raises `NotFound`, `Forbidden` and `Stale`: the page itself is no longer right.
    """
    return _asked(deed.run, form, actor=actor, obj=obj, data=data)


def foresee(deed: Deed, form: DeedForm, *, actor: Any, obj: Any, data: Mapping[str, Any]) -> tuple[bool, Any]:
    """What a deed whose form is valid would do, None when it needs no foresight. Answers and raises as `perform`."""
    if deed.foresee is None:
        return True, None
    return _asked(deed.foresee, form, actor=actor, obj=obj, data=data)


def _asked(
    call: Callable[..., Any], form: DeedForm, *, actor: Any, obj: Any, data: Mapping[str, Any]
) -> tuple[bool, Any]:
    try:
        return True, call(actor=actor, obj=obj, **data)
    except (NotFound, Forbidden, Stale):
        raise
    except DomainError as error:
        add_domain_error(form, error)
    return False, None
