"""How each move of the loop comes about: what has to be done before it, from the day a matter is registered.

For the machine (`loop_machine`): left to chance alone, random people hardly ever come to a second extension or the seventh
rung. Names are `table.move`, `exclusion.request` is the asking itself. A move that is in no story is made by nobody.
"""

from services.workflow import ASSIGNMENT, DEMAND, EXCLUSION, LADDER, SUBORDER

REQUEST = "exclusion.request"
ALL_MOVES = (
    *(f"{flow.name}.{row.name}" for flow in (DEMAND, SUBORDER, ASSIGNMENT) for row in flow.transitions),
    REQUEST,
    *(f"{flow.name}.{row.name}" for flow in (EXCLUSION, LADDER) for row in flow.transitions),
)
# What only time brings about, through the sweeper: the machine lets the next limit pass until it has.
WAITED = {"assignment.lapse", "ladder.near", "ladder.late", "ladder.next_day", "ladder.bulletin", "ladder.leader"}
WAITED |= {"ladder.remind"}

# What comes first; nothing for what can be done with a matter just registered.
BEFORE: dict[str, tuple[str, ...]] = {
    "demand.accept": (),
    "demand.decline": (),
    "demand.withdraw": (),
    "demand.link": (),
    "demand.transfer": (),
    "demand.supervise": (),
    "demand.publish": ("demand.accept",),
    "demand.claim": ("demand.publish",),
    "demand.dispatch": ("demand.accept",),
    "demand.park": ("demand.dispatch",),
    "demand.escalate": ("demand.publish",),
    "demand.hand_up": ("demand.escalate",),
    "demand.hand_down": ("demand.hand_up",),
    "demand.whistle": ("demand.accept",),
    "demand.end_whistle": ("demand.whistle",),
    "demand.check": ("suborder.finish",),
    "demand.redo": ("demand.check",),
    "demand.follow_up": ("demand.check",),
    "demand.evaluate": ("demand.check",),
    "demand.close_off": ("demand.check",),
    "demand.reopen": ("demand.close_off",),
    "demand.answer_supervision": ("demand.supervise",),
    "suborder.sign": ("demand.dispatch",),
    "suborder.request_return": ("suborder.sign",),
    "suborder.approve_return": ("suborder.request_return",),
    "suborder.reject_return": ("suborder.request_return",),
    "suborder.assign": ("suborder.sign",),
    "suborder.report": ("suborder.sign",),
    "suborder.finish": ("suborder.report",),
    "suborder.request_extension": ("suborder.sign",),
    "suborder.approve_extension": ("suborder.request_extension",),
    "suborder.reject_extension": ("suborder.request_extension",),
    "suborder.answer_supervision": ("demand.dispatch", "demand.supervise"),
    "assignment.take": ("suborder.assign",),
    "assignment.pass_up": ("suborder.assign",),
    "assignment.lapse": ("suborder.assign",),
    REQUEST: (),
    "exclusion.approve": (REQUEST,),
    "exclusion.reject": (REQUEST,),
    "exclusion.withdraw": (REQUEST,),
    "exclusion.reverse": ("exclusion.approve",),
    "ladder.near": ("demand.dispatch",),
    "ladder.late": ("ladder.near",),
    "ladder.next_day": ("ladder.late",),
    "ladder.bulletin": ("ladder.next_day",),
    "ladder.leader": ("ladder.bulletin",),
    "ladder.instruct": ("ladder.leader",),
    "ladder.remind": ("ladder.leader",),
}


def way_to(name: str) -> tuple[str, ...]:
    """The moves from a matter just registered up to this one."""
    steps: list[str] = []
    for before in BEFORE[name]:
        steps += [step for step in way_to(before) if step not in steps]
    return (*steps, name)


_SERVED = way_to("demand.check")
_SIGNED = way_to("suborder.sign")
# Ways that go round and come back, which no single move asks for.
LONGER: dict[str, tuple[str, ...]] = {
    "a second extension goes up": (
        *_SIGNED,
        *("suborder.request_extension", "suborder.approve_extension") * 2,
    ),
    "returned and given to another": (
        *way_to("suborder.approve_return"),
        "demand.supervise",
        "demand.dispatch",
        "demand.answer_supervision",
        "suborder.sign",
    ),
    "given back while more time is asked for": (
        *way_to("suborder.request_extension"),
        "suborder.request_return",
        "suborder.reject_return",
        "suborder.sign",
        "suborder.request_extension",
    ),
    "given back and called together": (*way_to("suborder.approve_return"), "demand.whistle", "suborder.sign"),
    "near its limit it goes elsewhere": (
        *way_to("suborder.sign"),
        "ladder.near",
        "suborder.request_return",
        "suborder.approve_return",
        "demand.transfer",
        "demand.accept",
        "ladder.late",
    ),
    "done again, closed and opened": (
        *_SERVED,
        "demand.evaluate",
        "demand.redo",
        "suborder.finish",
        "demand.check",
        "demand.evaluate",
        "exclusion.request",
        "exclusion.approve",
        "demand.close_off",
        "demand.reopen",
        "exclusion.reverse",
    ),
    "several units come to the whistle": (
        *way_to("demand.whistle"),
        *("suborder.sign", "suborder.report", "suborder.finish") * 2,
        "demand.end_whistle",
        "demand.check",
    ),
    "parked on the desk": ("demand.accept", "demand.park", "demand.dispatch", "suborder.sign", "suborder.assign"),
    "a late supporting unit": (*way_to("ladder.late"), "demand.whistle", "suborder.sign", "ladder.leader"),
    "passed on, up and down": (
        "demand.transfer",
        "demand.accept",
        "demand.escalate",
        "demand.hand_up",
        "demand.hand_down",
        "demand.dispatch",
    ),
}
STORIES: dict[str, tuple[str, ...]] = {**{name: way_to(name) for name in ALL_MOVES}, **LONGER}
