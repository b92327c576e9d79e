"""The one engine that moves an object from state to state. Floors bring the tables; nobody writes `if state ==`.

A move goes: policy on the object in hand, version, transition table, required inputs, guard; only then is anything
written, by the caller, on a row it has locked. Buttons on every face come from `Workflow.available`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import policies
from core.actors import RESIDENT, SYSTEM, Actor, user_of
from core.errors import Forbidden, Invalid, InvalidTransition, NotFound, Stale

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# A text, translated now or when it is shown.
Text = Union[str, "_StrPromise"]
Guard = Callable[[Any, Actor], str | None]


@dataclass(frozen=True)
class Input:
    """Something the person must or may give with a move. Forms and API schemas are drawn from it.

    `kind` is one of: text, line, choice, flag, date, moment, photos, unit, units, county_unit, county_units, members,
    place, category, matter.
    """

    name: str
    label: Text
    kind: str = "text"
    required: bool = False
    help: Text = ""
    max_length: int = 500
    choices: tuple[tuple[str, Text], ...] = ()


# What a move may do to the limit of the service; "" leaves it as it is. Whoever makes the move holds it to that.
LIMITS: dict[str, Text] = {
    "": "",
    "starts": gettext_lazy("开始计时"),
    "pauses": gettext_lazy("停住，顺延"),
    "extends": gettext_lazy("延长"),
    "restarts": gettext_lazy("重新计时"),
    "stops": gettext_lazy("停止计时"),
}


@dataclass(frozen=True)
class Transition:
    """One row of a table.

    Attributes:
        name: the move in code and in the API's address; `label`: the button.
        sources: states it starts from; `target`: state it leads to, None when it leaves the state as it is.
        right: what a person must hold on the object; None when no person may do it. `also`: rights that do as well.
        inputs: what must be given with it.
        guard: extra condition, returns the reason for a refusal in Chinese, or None.
        otherwise: what to say instead of the plain refusal when the state is against the move.
        tone: main, plain or danger, for the button.
        resident / system: whether a resident with the follow-up code, or the system itself, may do it.
        clock: what the move does to the clocks, in words for the reader of the table.
        limit: what it may do to the service limit itself, one of `LIMITS`.
        done: the words of the timeline ("受理了诉求").
    """

    name: str
    label: Text
    sources: frozenset[str]
    target: str | None
    right: str | None = None
    also: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    guard: Guard | None = None
    otherwise: Callable[[Any], str | None] | None = None
    tone: str = "plain"
    resident: bool = False
    system: bool = False
    clock: Text = ""
    limit: str = ""
    done: Text = ""
    help: Text = ""


@dataclass(frozen=True)
class Workflow:
    """A table of transitions over one field of one model, with the Chinese names of the states.

    `driven` and `ends` are for the reader of the diagram: changes of state that a move of another table brings along
    (from, to, words), and the states in which the matter may rest for good (those nothing leads out of, when empty).
    """

    name: str
    label: Text
    states: Mapping[str, Text]
    initial: str
    transitions: tuple[Transition, ...]
    field: str = "state"
    driven: tuple[tuple[str, str, Text], ...] = ()
    ends: tuple[str, ...] = ()

    def find(self, name: str) -> Transition | None:
        return next((row for row in self.transitions if row.name == name), None)

    def get(self, name: str) -> Transition:
        """Raises `NotFound` for a move that is in no table."""
        found = self.find(name)
        if found is None:
            raise NotFound(_("没有“%(name)s”这个操作。") % {"name": name}, code="unknown_transition")
        return found

    def state_label(self, state: str) -> str:
        return str(self.states.get(state, state))

    def available(self, obj: Any, user: Any) -> list[Transition]:
        """The moves this user can make on this object now, in the table's order."""
        return [row for row in self.transitions if self._offers(row, obj, user)]

    def offers(self, obj: Any, name: str, user: Any) -> bool:
        """Whether one move is among `available`, without a look at the others."""
        row = self.find(name)
        return row is not None and self._offers(row, obj, user)

    def _offers(self, row: Transition, obj: Any, user: Any) -> bool:
        return (
            getattr(obj, self.field) in row.sources
            and row.right is not None
            and any(policies.can(user, right, obj) for right in (row.right, *row.also))
            and (row.guard is None or row.guard(obj, user) is None)
        )

    def check(
        self, obj: Any, name: str, *, actor: Actor, data: Mapping[str, Any] | None = None, version: int | None = None
    ) -> Transition:
        """Answers whether the move may be made, and raises when not. Changes nothing.

        Args:
            obj: the object, its row locked by the caller.
            version: the version the person saw; None when the caller has no page (system, resident).

        Raises:
            NotFound, Forbidden: the actor may not know of the object, or may not do this.
            InvalidTransition: the state or the guard is against it. Stale: the page was old.
            Invalid: a required input is missing (`fields` names it).
        """
        row = self.may(obj, name, actor=actor, version=version)
        self._check_inputs(row, data or {})
        if row.guard is not None and (reason := row.guard(obj, actor)) is not None:
            raise InvalidTransition(reason, code="guard")
        return row

    def may(self, obj: Any, name: str, *, actor: Actor, version: int | None = None) -> Transition:
        """The part of `check` that needs no inputs: for faces, before they show or read the form of a move."""
        row = self.get(name)
        self._check_actor(row, obj, actor)
        state = getattr(obj, self.field)
        if state not in row.sources:
            raise InvalidTransition(
                (row.otherwise(obj) if row.otherwise else None)
                or _("当前状态是“%(state)s”，不能“%(move)s”。请刷新后查看最新情况。")
                % {"state": self.state_label(state), "move": row.label}
            )
        if version is not None and version != obj.version:
            raise Stale(
                _("您看到的页面已经不是最新的：这条记录刚刚有了新的进展。没有做任何改动，请看过最新情况后再办理。")
            )
        return row

    @staticmethod
    def _check_actor(row: Transition, obj: Any, actor: Actor) -> None:
        if (actor is SYSTEM and row.system) or (actor is RESIDENT and row.resident):
            return
        user = user_of(actor)
        if user is None or row.right is None:
            if user is not None:  # who may not know of the object is not told that this move is nobody's
                policies.require(user, policies.policy_of(type(obj)).view, obj)
            raise Forbidden(_("“%(move)s”不能由%(who)s办理。") % {"move": row.label, "who": actor.name})
        if not any(policies.can(actor, right, obj) for right in row.also):
            policies.require(actor, row.right, obj)

    @staticmethod
    def _check_inputs(row: Transition, data: Mapping[str, Any]) -> None:
        missing = {
            item.name: _("请填写“%(label)s”。") % {"label": item.label}
            for item in row.inputs
            if item.required and data.get(item.name) in (None, "", [], ())
        }
        if missing:
            raise Invalid(" ".join(missing.values()), code="missing_input", fields=missing)


_workflows: dict[str, Workflow] = {}


def register(workflow: Workflow) -> Workflow:
    """Registers a table, so that `manage.py workflow_graph` and the docs know of it."""
    known = set(workflow.states)
    for row in workflow.transitions:
        strange = (row.sources | ({row.target} if row.target else set())) - known
        if strange:
            raise ValueError(f"{workflow.name}.{row.name}: unknown states {sorted(strange)}")
        if row.limit not in LIMITS:
            raise ValueError(f"{workflow.name}.{row.name}: unknown limit {row.limit}")
    _workflows[workflow.name] = workflow
    return workflow


def registered() -> list[Workflow]:
    return list(_workflows.values())


def mermaid(workflow: Workflow) -> str:
    """The table as a Mermaid state diagram. Moves that leave the state as it is are drawn as loops, joined in one."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{label}" as {state}' for state, label in workflow.states.items()]
    lines.append(f"    [*] --> {workflow.initial}")
    leaving: set[str] = set()
    for source in workflow.states:
        loops = []
        for row in workflow.transitions:
            if source not in row.sources:
                continue
            if row.target is None or row.target == source:
                loops.append(f"{row.label} {row.name}")
            else:
                leaving.add(source)
                lines.append(f"    {source} --> {row.target}: {row.label} {row.name}")
        if loops:
            lines.append(f"    {source} --> {source}: {' / '.join(loops)}")
    lines += [f"    {source} --> {target}: （{words}）" for source, target, words in workflow.driven]
    ends = workflow.ends or [state for state in workflow.states if state not in leaving]
    lines += [f"    {state} --> [*]" for state in ends]
    return "\n".join(lines)


def clocks(workflow: Workflow) -> str:
    """The moves of a table that touch a clock, as a Markdown table; empty when none does."""
    rows = [
        f"| {row.label} `{row.name}` | {LIMITS[row.limit]} | {row.clock} |" for row in workflow.transitions if row.limit
    ]
    if not rows:
        return ""
    return "\n".join(["| 操作 | 办理时限 | 说明 |", "| --- | --- | --- |", *rows, "", "其余操作不改变办理时限。"])


# Tables of other rooms that belong beside the diagrams: heading, and what draws the Markdown below it.
_appendices: dict[str, Callable[[], str]] = {}


def append(heading: str, draw: Callable[[], str]) -> None:
    """Registers a section for the end of docs/workflow.md."""
    _appendices[heading] = draw


def document() -> str:
    """All tables as a page of diagrams: docs/workflow.md."""
    parts = [
        "# 流转图",
        "由 `manage.py workflow_graph` 从流转表生成，请勿手改。箭头上是按钮和接口里的名称；括号里的是另一张表的操作带来的变化。",
    ]
    for flow in registered():
        parts += [f"## {flow.label}", f"```mermaid\n{mermaid(flow)}\n```"]
        parts += [table for table in (clocks(flow),) if table]
    for heading, draw in _appendices.items():
        parts += [f"## {heading}", draw()]
    return "\n\n".join(parts) + "\n"
