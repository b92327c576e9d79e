"""How a demand of the sample fares: the diary of who does what when.

It is worked through in time, so that supporting units, members and supervision go on side by side; what lies
behind the sample's day has not happened yet. That alone leaves demands in every state.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import count
from random import Random

from core.actors import RESIDENT, SYSTEM
from core.models import User
from core.periods import day_start
from governance.sample import texts
from governance.sample.fate import Fate
from governance.sample.story import Story
from governance.sample.texts import DemandText
from grids.models import GridNode
from partybuilding.models import Member, Unit
from services.models import Assignment, DemandState, LimitUnit, Satisfaction, SubOrder, SubOrderState

Moment = datetime.datetime
Step = Callable[[Moment], None]

# Work on urgent matters goes on by the wall clock, this much quicker than the hours drawn.
_URGENT_SPEED = 0.12
# Nobody finishes at night what began the day before.
_DAWN = 7
_SWEEP = datetime.timedelta(seconds=30)


@dataclass(frozen=True)
class People:
    """Who has to do with a demand. `lead`, `second`: the unit it is given to, and the one after a return; `elsewhere`: a
    community it may be found to belong to."""

    officer: User
    street_officer: User
    supervisor: User
    county: User
    elsewhere: GridNode
    lead: Unit
    second: Unit
    supporting: tuple[Unit, ...]
    liaisons: dict[int, User]
    members: dict[int, list[Member]]


class Life:
    """Tells one story according to its fate."""

    def __init__(self, story: Story, fate: Fate, people: People, rng: Random, text: DemandText) -> None:
        self.story, self.fate, self.people, self.rng, self.text = story, fate, people, rng, text
        self.calendar = story.clock.calendar
        self.demand = story.demand
        self.urgent = story.demand.category.limit_unit == LimitUnit.HOURS
        self._diary: list[tuple[Moment, int, str, Step]] = []
        self._numbers = count()
        self._again = False

    def tell(self, moment: Moment) -> Story:
        """Works through the diary up to the sample's moment."""
        self._open()
        while self._diary:
            at, _number, name, step = heappop(self._diary)
            if at >= moment:
                break
            if name != self.fate.halt:
                step(at)
        self.story.until(moment)
        return self.story

    # --- Time ---

    def _plan(self, name: str, at: Moment, step: Step) -> None:
        heappush(self._diary, (at.replace(microsecond=0), next(self._numbers), name, step))

    def _work(self, at: Moment, low: float, high: float) -> Moment:
        """So many working hours on; by the wall clock where the matter is urgent."""
        hours = self.rng.uniform(low, high)
        if self.urgent:
            return at + datetime.timedelta(hours=hours * _URGENT_SPEED, minutes=2)
        return self.calendar.add_hours(at, hours)

    def _office(self, at: Moment, low: float, high: float) -> Moment:
        return self.calendar.add_hours(at, self.rng.uniform(low, high))

    def _share(self, start: Moment, due: Moment, part: float, after: Moment) -> Moment:
        """When a part of the span is used up, not before `after`: within working hours, or by day where it is urgent."""
        at = max(start + (due - start) * part, after)
        if not self.urgent:
            return self.calendar.add_hours(self.calendar.next_opening(at), self.rng.uniform(0, 0.6))
        return at if at.hour >= _DAWN else at.replace(hour=_DAWN, minute=self.rng.randrange(60))

    def _say(self, words: tuple[str, ...]) -> str:
        return self.rng.choice(words)

    # --- Up to the dispatch ---

    def _open(self) -> None:
        at = self._work(self.demand.registered_at, 0.2, 4)
        if self.fate.opening == "withdraw":
            self._plan("withdraw", self._work(self.demand.registered_at, 0.1, 2), self._withdraw)
        elif self.fate.opening == "decline":
            self._plan("decline", at, self._decline)
        else:
            self._plan("accept", at, self._accept)

    def _withdraw(self, at: Moment) -> None:
        actor = RESIDENT if self.demand.raised_by is None else self.people.officer
        self.story.move(self.demand, "withdraw", at, actor, reason=self._say(texts.WITHDRAW))

    def _decline(self, at: Moment) -> None:
        self.story.move(self.demand, "decline", at, self.people.officer, reason=self._say(texts.DECLINE))

    def _accept(self, at: Moment) -> None:
        self.story.move(self.demand, "accept", at, self.people.officer)
        if self.fate.parked == "before":
            self._plan("park", self._office(at, 1, 5), self._park_before)
        elif self.fate.supervised == "community":
            self._plan("supervise", self.calendar.add_days(at, 2), self._supervise_community)
        elif self.fate.route in ("claim", "unclaimed"):
            self._plan("publish", self._work(at, 0.2, 4), self._publish)
        elif self.fate.route == "transfer":
            self._plan("transfer", self._office(at, 0.5, 4), self._transfer)
        elif self.fate.route == "whistle":
            self._plan("whistle", self._office(at, 1, 6), self._whistle)
        elif self.fate.route in ("escalate", "hand_up", "hand_down"):
            self._plan("escalate", self._office(at, 1, 5), self._escalate)
        else:
            self._plan("dispatch", self._work(at, 0.1, 5), self._dispatch)

    def _park_before(self, at: Moment) -> None:
        self._plan("dispatch", self._work(self._park(at), 0.2, 3), self._dispatch)

    def _park(self, at: Moment) -> Moment:
        """Parks, and answers the opening of the day on which it goes on."""
        until = at.date() + datetime.timedelta(days=self.rng.randint(25, 100))
        reason = self._say(texts.PARKING)
        self.story.move(self.demand, "park", at, self.people.officer, until=until, reason=reason)
        return self.calendar.next_opening(day_start(until))

    def _supervise_community(self, at: Moment) -> None:
        reason = self._say(texts.SUPERVISE_COMMUNITY)
        self.story.move(self.demand, "supervise", at, self.people.street_officer, reason=reason)
        self._plan("answer_supervision", self._office(at, 1, 7), self._answer_as_community)

    def _answer_as_community(self, at: Moment) -> None:
        reason = self._say(texts.ANSWER_COMMUNITY)
        self.story.move(self.demand, "answer_supervision", at, self.people.officer, reason=reason)
        self._plan("dispatch", self._work(at, 0.1, 2), self._dispatch)

    def _publish(self, at: Moment) -> None:
        self.story.move(self.demand, "publish", at, self.people.officer)
        if self.fate.route == "claim":
            self._plan("claim", self._work(at, 0.5, 14), self._claim)
        else:
            self._plan("dispatch", self._work(at, 15, 21), self._dispatch)

    def _claim(self, at: Moment) -> None:
        lead = self.people.lead
        self.story.move(self.demand, "claim", at, self.people.liaisons[lead.pk], unit=lead)
        self._given(at)

    def _escalate(self, at: Moment) -> None:
        self.story.move(self.demand, "escalate", at, self.people.officer, reason=self._say(texts.ESCALATE))
        if self.fate.route == "hand_up":
            self._plan("hand_up", self._office(at, 1, 6), self._hand_up)
        elif self.fate.route == "hand_down":
            self._plan("hand_down", self._office(at, 1, 6), self._hand_down)
        else:
            self._plan("dispatch", self._office(at, 1, 6), partial(self._dispatch, actor=self.people.street_officer))

    def _hand_up(self, at: Moment) -> None:
        self.story.move(self.demand, "hand_up", at, self.people.street_officer, reason=self._say(texts.HAND_UP))
        self._plan("dispatch", self._office(at, 1, 6), partial(self._dispatch, actor=self.people.county))

    def _hand_down(self, at: Moment) -> None:
        self.story.move(self.demand, "hand_down", at, self.people.street_officer, reason=self._say(texts.HAND_DOWN))
        self._plan("dispatch", self._office(at, 1, 6), self._dispatch)

    def _transfer(self, at: Moment) -> None:
        """What becomes of it in the other community is not told."""
        place, reason = self.people.elsewhere, self._say(texts.TRANSFER)
        self.story.move(self.demand, "transfer", at, self.people.officer, place=place, reason=reason)

    def _whistle(self, at: Moment) -> None:
        units = [self.people.lead, self.people.second]
        self.story.move(
            self.demand, "whistle", at, self.people.street_officer, units=units, reason=self._say(texts.WHISTLE)
        )
        self._given(at)
        self._plan("end_whistle", self._office(at, 10, 20), self._end_whistle)

    def _end_whistle(self, at: Moment) -> None:
        reason = self._say(texts.WHISTLE_ENDED)
        self.story.move(self.demand, "end_whistle", at, self.people.street_officer, reason=reason)

    def _dispatch(self, at: Moment, actor: User | None = None) -> None:
        self.story.move(
            self.demand,
            "dispatch",
            at,
            actor or self.people.officer,
            unit=self.people.lead,
            supporting=list(self.people.supporting),
            note=self._say(texts.DISPATCH),
        )
        self._given(at)

    def _dispatch_again(self, at: Moment) -> None:
        self.story.move(self.demand, "dispatch", at, self.people.officer, unit=self.people.second)
        self._given(at, again=True)

    def _given(self, at: Moment, again: bool = False) -> None:
        lead = self.story.lead()
        if self.fate.returned and not again:
            self._plan("request_return", self._work(at, 0.2, 2), self._request_return)
        else:
            self._plan_sign(lead, at)
        for row in self.story.suborders if not again else ():
            if not row.is_lead:
                self._plan("support", self._work(at, 0.2, 1.7), partial(self._support_sign, row))
        if self.fate.supervised == "unit" and lead.due_at:
            self._plan("supervise", self._office(lead.due_at, 1, 9), self._supervise_unit)

    # --- The lead unit ---

    def _liaison(self, row: SubOrder) -> User:
        return self.people.liaisons[row.unit_id]

    def _request_return(self, at: Moment) -> None:
        row = self.story.lead()
        self.story.move(row, "request_return", at, self._liaison(row), reason=self._say(texts.RETURN))
        self._plan("review_return", self._work(at, 0.5, 5), self._review_return)

    def _review_return(self, at: Moment) -> None:
        row, officer = self.story.lead(), self.people.officer
        if self.fate.returned == "approved":
            self.story.move(row, "approve_return", at, officer, note=self._say(texts.RETURN_APPROVED))
            self._plan("dispatch", self._work(at, 0.2, 2), self._dispatch_again)
        else:
            self.story.move(row, "reject_return", at, officer, reason=self._say(texts.RETURN_REJECTED))
            self._plan_sign(row, at)

    def _plan_sign(self, row: SubOrder, at: Moment) -> None:
        slow = not self.fate.prompt and self.rng.random() < 0.6
        due = self._office(at, 4.5, 9) if slow else self._work(at, 0.15, 1.6)
        self._plan("sign", due, partial(self._sign, row))

    def _sign(self, row: SubOrder, at: Moment) -> None:
        self.story.move(row, "sign", at, self._liaison(row), contacted=self.fate.prompt)
        if self.fate.members:
            self._plan("assign", self._work(at, 0.2, 3), partial(self._assign, row))
        else:
            self._plan("report", self._work(at, 0.5, 6), partial(self._report_first, row, self._liaison(row)))

    def _assign(self, row: SubOrder, at: Moment) -> None:
        asked = {one.member_id for one in self.story.assignments if one.suborder is row}
        free = [member for member in self.people.members[row.unit_id] if member.pk not in asked]
        chosen = [free[0]] if not asked and (self.fate.first_asked or self.rng.random() < 0.15) else []
        chosen += self.rng.sample(free[1:], min(self.fate.members - len(chosen), len(free) - 1))
        self.story.move(row, "assign", at, self._liaison(row), members=chosen)
        for number, one in enumerate(self.story.assignments[-len(chosen) :]):
            away = self.fate.passed_up and not asked and number == 0
            step = partial(self._pass_up if away else self._take, one)
            self._plan("answer", self._work(at, 0.2, 5), step)

    def _pass_up(self, one: Assignment, at: Moment) -> None:
        self.story.move(one, "pass_up", at, _account(one), note=self._say(texts.PASS_UP))
        if not any(other.state != "passed_up" for other in self.story.assignments):
            self._plan("assign", self._work(at, 0.2, 2), partial(self._assign, one.suborder))

    def _take(self, one: Assignment, at: Moment) -> None:
        self.story.move(one, "take", at, _account(one))
        taken = [other for other in self.story.assignments if other.state == "taken"]
        if len(taken) == 1:
            self._plan("report", self._work(at, 0.5, 6), partial(self._report_first, one.suborder, _account(one)))

    def _report(self, row: SubOrder, by: User, at: Moment) -> None:
        if row.state not in (SubOrderState.SIGNED, SubOrderState.IN_SERVICE):
            return
        words: tuple[str, ...] = texts.LATER_PROGRESS
        if row.state == SubOrderState.SIGNED or row.contacted_at is None or by != self._liaison(row):
            words = texts.FIRST_PROGRESS if by == self._liaison(row) else texts.MEMBER_PROGRESS
        self.story.move(row, "report", at, by, text=self._say(words))

    def _report_first(self, row: SubOrder, by: User, at: Moment) -> None:
        self._report(row, by, at)
        if self.fate.parked == "during":
            self._plan("park", self._office(at, 1, 6), partial(self._park_during, row))
        elif self.fate.extension and row.due_at:
            asked = self._share(row.dispatched_at, row.due_at, self.rng.uniform(0.55, 0.75), at)
            self._plan("request_extension", asked, partial(self._extend, row))
        else:
            self._plan_finish(row, row.dispatched_at, self.fate.pace, at)

    def _plan_finish(self, row: SubOrder, start: Moment, pace: float, at: Moment) -> None:
        assert row.due_at is not None
        end = self._share(start, row.due_at, pace, self._work(at, 0.4, 1))
        if self.rng.random() < 0.4 and end - at > datetime.timedelta(hours=8):
            between = self._share(at, end, 0.5, at)
            self._plan("report", between, partial(self._report, row, self._liaison(row)))
        self._plan("finish", end, partial(self._finish, row))

    def _park_during(self, row: SubOrder, at: Moment) -> None:
        morning = self._park(at)
        self._plan_finish(row, morning, min(self.fate.pace, 0.8), morning)

    def _extend(self, row: SubOrder, at: Moment) -> None:
        assert row.due_at is not None
        if at >= row.due_at:
            self._plan_finish(row, at, 1, at)
            return
        until = row.due_at.date() + datetime.timedelta(days=self.rng.randint(3, 9))
        reason = self._say(texts.EXTENSION_OF_WORKS if self.text.topic in texts.WORKS else texts.EXTENSION)
        self.story.move(row, "request_extension", at, self._liaison(row), until=until, reason=reason)
        self._plan("review_extension", self._office(at, 0.5, 6), partial(self._decide, row))

    def _decide(self, row: SubOrder, at: Moment) -> None:
        officer = self.people.officer
        if self.fate.extension == "approved":
            self.story.move(row, "approve_extension", at, officer, note=self._say(texts.EXTENSION_APPROVED))
        else:
            self.story.move(row, "reject_extension", at, officer, reason=self._say(texts.EXTENSION_REJECTED))
        self._plan_finish(row, at, self.rng.uniform(0.3, 0.85), at)

    def _supervise_unit(self, at: Moment) -> None:
        if self.demand.state != DemandState.DISPATCHED or self.demand.supervised_at:
            return
        reason = self._say(texts.SUPERVISE)
        self.story.move(self.demand, "supervise", at, self.people.supervisor, reason=reason)
        self._plan("answer_supervision", self._office(at, 1, 12), self._answer_as_unit)

    def _answer_as_unit(self, at: Moment) -> None:
        row = self.story.lead()
        self.story.move(row, "answer_supervision", at, self._liaison(row), reason=self._say(texts.ANSWER))

    def _finish(self, row: SubOrder, at: Moment) -> None:
        text = self.text.result if row.is_lead else self._say(texts.SUPPORT_RESULT)
        self.story.move(row, "finish", at, self._liaison(row), text=text)
        if row.is_lead:
            self._plan("check", self._office(at, 0.5, 9), self._check)

    # --- Supporting units ---

    def _support_sign(self, row: SubOrder, at: Moment) -> None:
        self.story.move(row, "sign", at, self._liaison(row), contacted=self.rng.random() < 0.9)
        self._plan("support", self._work(at, 1, 9), partial(self._support_report, row))

    def _support_report(self, row: SubOrder, at: Moment) -> None:
        assert row.due_at is not None
        self._report(row, self._liaison(row), at)
        end = self._share(row.dispatched_at, row.due_at, self.rng.uniform(0.3, 0.85), self._work(at, 0.4, 1))
        self._plan("support", end, partial(self._finish, row))

    # --- After the service ---

    def _check(self, at: Moment) -> None:
        if self.fate.redone and not self._again:
            self._redo(at, "redo", texts.REDO)
            return
        self.story.move(self.demand, "check", at, self.people.officer, note=self._say(texts.CHECK))
        # Whatever is said by then: the sweeper closes off what nobody did.
        assert self.demand.step_due_at is not None
        self._plan("silence", self.demand.step_due_at + _SWEEP, partial(self._close_silent, self.demand.round))
        if self.fate.voice == "evaluate":
            self._plan("evaluate", self._awake(at), self._evaluate)
        elif self.fate.voice in ("call", "unreached"):
            self._plan("follow_up", self._office(at, 1, 14), self._follow_up)

    def _redo(self, at: Moment, name: str, words: tuple[str, ...]) -> None:
        if name == "redo" and self.demand.state == DemandState.CLOSED_OFF:
            return
        self._again = True
        actor = RESIDENT if name == "reopen" else self.people.officer
        self.story.move(self.demand, name, at, actor, reason=self._say(words))
        row = self.story.lead()
        self._plan("report", self._work(at, 0.5, 4), partial(self._report_again, row, at))

    def _report_again(self, row: SubOrder, start: Moment, at: Moment) -> None:
        self._report(row, self._liaison(row), at)
        self._plan_finish(row, start, self.rng.uniform(0.25, 0.7), at)

    def _awake(self, at: Moment) -> Moment:
        """Residents evaluate when they are at home and awake: some evening within five days."""
        day = at.replace(hour=0, minute=0, second=0) + datetime.timedelta(
            days=self.rng.choice((0, 0, 0, 1, 1, 2, 3, 5))
        )
        return max(day + datetime.timedelta(hours=self.rng.uniform(12, 22)), at + datetime.timedelta(minutes=20))

    def _words(self) -> tuple[bool, str, str]:
        """Solved, satisfaction, and what is said with it; better the second time."""
        solved = self.fate.solved or self._again
        satisfaction = Satisfaction.FAIRLY if self._again and not self.fate.solved else self.fate.satisfaction
        words = {
            Satisfaction.SATISFIED: texts.SATISFIED,
            Satisfaction.FAIRLY: texts.FAIRLY,
            Satisfaction.DISSATISFIED: texts.DISSATISFIED,
        }[Satisfaction(satisfaction)]
        return solved, satisfaction, self._say(words)

    def _evaluate(self, at: Moment) -> None:
        solved, satisfaction, words = self._words()
        answer = "yes" if solved else "no"
        self.story.move(self.demand, "evaluate", at, RESIDENT, solved=answer, satisfaction=satisfaction, note=words)
        self._heard(at, solved)

    def _follow_up(self, at: Moment) -> None:
        officer = self.people.officer
        if self.fate.voice == "unreached":
            self.story.move(self.demand, "follow_up", at, officer, note=self._say(texts.NO_ANSWER))
            return
        solved, satisfaction, _words = self._words()
        self.story.move(
            self.demand,
            "follow_up",
            at,
            officer,
            reached=True,
            solved="yes" if solved else "no",
            satisfaction=satisfaction,
            note=self._say(texts.CALLED),
        )
        self._heard(at, solved)

    def _heard(self, at: Moment, solved: bool) -> None:
        if solved:
            self._plan("close_off", self._office(at, 0.5, 8), self._close)
        elif self.fate.heard_redone:
            self._plan("redo", self._office(at, 0.5, 6), partial(self._redo, name="redo", words=texts.REDO))
        else:
            self._plan("close_off", self._office(at, 2, 12), partial(self._close, note=texts.CLOSE_UNSOLVED))

    def _close_silent(self, round: int, at: Moment) -> None:
        demand = self.demand
        if demand.state == DemandState.CHECKED and demand.round == round and demand.solved is not False:
            self.story.move(demand, "close_off", at, SYSTEM)

    def _close(self, at: Moment, note: tuple[str, ...] = ("",)) -> None:
        if self.demand.state != DemandState.CHECKED:
            return
        self.story.move(self.demand, "close_off", at, self.people.officer, note=self._say(note))
        if self.fate.reopened and not self._again:
            again = self._office(at, 6, 40)
            self._plan("reopen", again, partial(self._redo, name="reopen", words=texts.REOPEN))


def _account(one: Assignment) -> User:
    """The account of the member who is asked: every member of the sample has one."""
    assert one.member.user is not None
    return one.member.user
