"""What becomes of a demand of the sample: drawn beforehand, so that the rates come out as a county would have them."""

from dataclasses import dataclass
from random import Random

from services.models import Satisfaction


@dataclass(frozen=True)
class Fate:
    """What becomes of a demand.

    Attributes:
        opening: accept, decline or withdraw.
        route: dispatch, claim, unclaimed (published, then dispatched) or escalate; hand_up, hand_down, transfer, whistle.
        prompt: signed and contacted in time. returned: "", approved or rejected.
        members: how many are asked to serve. passed_up: the first one asked can not. first_asked: the unit's first
            member, who may be the one that can be signed in with, is among them.
        pace: share of the limit that is used when the lead unit finishes; beyond 1 it is late.
        extension: "", approved or rejected. parked: "", before or during the service.
        supervised: "", community (before the dispatch) or unit (when late).
        voice: evaluate, call, unreached or silent. redone: at the check; heard_redone: after "not solved".
        halt: the step that is not made, so that the demand waits there.
    """

    opening: str = "accept"
    route: str = "dispatch"
    supporting: int = 0
    prompt: bool = True
    returned: str = ""
    members: int = 1
    passed_up: bool = False
    first_asked: bool = False
    pace: float = 0.6
    extension: str = ""
    parked: str = ""
    supervised: str = ""
    redone: bool = False
    voice: str = "evaluate"
    solved: bool = True
    satisfaction: str = Satisfaction.SATISFIED
    heard_redone: bool = False
    reopened: bool = False
    halt: str = ""


def draw(rng: Random, *, anonymous: bool, urgent: bool, works: bool) -> Fate:
    """A fate by the odds that give the county its rates: response about 93 %, resolution 88 %, satisfaction 90 %.

    Args:
        anonymous: nobody can be asked afterwards. urgent: the limit is hours. works: it may wait for a budget.
    """

    def one_in(*odds: tuple[str, float]) -> str:
        roll = rng.random()
        for word, share in odds:
            roll -= share
            if roll < 0:
                return word
        return ""

    solved = rng.random() < 0.83
    happy = rng.random() < (0.965 if solved else 0.42)
    content = Satisfaction.SATISFIED if rng.random() < 0.7 else Satisfaction.FAIRLY
    late = rng.random() < 0.08
    voice = one_in(("call", 0.3), ("unreached", 0.1), ("silent", 0.6)) or "silent"
    return Fate(
        opening=one_in(("decline", 0.035), ("withdraw", 0.015)) or "accept",
        route=one_in(("claim", 0.2), ("unclaimed", 0.05), ("escalate", 0.02)) or "dispatch",
        supporting=rng.choice((0, 0, 0, 1, 1, 2)),
        prompt=rng.random() < 0.945,
        returned=one_in(("approved", 0.03), ("rejected", 0.015)),
        members=rng.choice((0, 1, 1, 1, 2)),
        passed_up=rng.random() < 0.08,
        pace=rng.choice((1.1, 1.3, 1.6, 3.0)) * rng.uniform(0.98, 1.25) if late else rng.uniform(0.2, 0.9),
        extension="" if urgent or late else one_in(("approved", 0.04), ("rejected", 0.01)),
        parked=one_in(("before", 0.01), ("during", 0.012)) if works else "",
        supervised="unit" if late and rng.random() < 0.5 else one_in(("community", 0.01)),
        redone=rng.random() < 0.04,
        voice=voice if anonymous else one_in(("evaluate", 0.5), ("call", 0.28), ("unreached", 0.04)) or "silent",
        solved=solved,
        satisfaction=content if happy else Satisfaction.DISSATISFIED,
        heard_redone=rng.random() < 0.25,
        reopened=solved and rng.random() < 0.015,
    )
