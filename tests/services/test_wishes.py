"""Small wishes: who collects, checks, adopts and thanks; what is refused; and that nothing waits or is kept for ever."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.actors import SYSTEM
from core.errors import Conflict, DomainError, Forbidden, Invalid, InvalidTransition, NotFound, Stale, Throttled
from core.models import AuditEntry, OutboxMessage
from grids.models import CareKind, GridNode
from partybuilding.models import UnitMembership
from services import clocks
from services.actions import wish_moves as moves
from services.actions.member_services import decide_service, drop_service
from services.actions.wish_sweep import GRACE, erase_recipients, sweep_wishes
from services.actions.wishes import WishFacts, change_wish, collect_wish
from services.models import Wish, WishState
from services.selectors.members import figures_of as member_figures
from services.selectors.wishes import board, by_unit
from services.wishes import GENERAL, clean_words, scrubbed
from services.workflow import WISH
from tests import weft_factories as weave
from tests.cast import Cast
from tests.factories import fresh

DAY = datetime.timedelta(days=1)
FACTS: dict[str, Any] = {
    "title": "想要一辆轮椅",
    "recipient_kind": "elderly_alone",
    "recipient_name": "孟秋岚",
    "recipient_phone": "13900001234",
    "consent": "spoken",
    "cost": 300,
    "text": "出门看病用",
}


def collected(cast: Cast, **fields: Any) -> Wish:
    return collect_wish(actor=cast.a.keeper, node=cast.a.building, facts=WishFacts(**{**FACTS, **fields}))


def opened(cast: Cast, **fields: Any) -> Wish:
    return moves.check_wish(actor=cast.a.officer, wish=collected(cast, **fields))


def home(cast: Cast) -> None:
    """The member has reported, long enough ago to have served yesterday."""
    weave.make_member_checkin(cast.a.member, cast.a.compound, applied_at=timezone.now() - 40 * DAY)


def kinds() -> list[str]:
    return sorted(OutboxMessage.objects.values_list("kind", flat=True))


def finished(cast: Cast, wish: Wish, user: Any, **fields: Any) -> Wish:
    given = {"text": "送去轮椅一辆", "done_on": timezone.localdate(), **fields}
    return moves.finish_wish(actor=fresh(user), wish=wish, **given)


# --- The way of a wish ----------------------------------------------------------------------------------------------


def test_a_member_makes_a_wish_come_true_and_the_card_counts_it(cast: Cast) -> None:
    home(cast)
    wish = collected(cast)
    assert (wish.state, wish.community, wish.node) == ("collected", cast.a.node, cast.a.building)
    assert wish.due_at == clocks.clock_for(cast.county.pk).workdays(wish.collected_at, 3)
    wish = moves.check_wish(actor=cast.a.officer, wish=wish, version=1)
    assert (wish.due_at - timezone.now()).days in (29, 30)  # type: ignore[operator]
    wish = moves.adopt_wish(actor=cast.a.member_user, wish=wish, version=2)
    assert (wish.member, wish.unit, wish.state) == (cast.a.member, None, "adopted")
    wish = finished(cast, wish, cast.a.member_user, hours="1.5")
    assert wish.service is not None and wish.service.state == "entered"
    assert wish.code in wish.service.text
    wish = moves.thank_wish(actor=cast.a.officer, wish=wish, thanks="谢谢好心人")
    assert (wish.state, wish.due_at, wish.thanks) == ("thanked", None, "谢谢好心人")
    counted = member_figures(cast.a.member)
    assert (counted.services, str(counted.hours)) == (1, "1.5"), "confirmed with the delivery"
    assert kinds().count("wish_thanked") == 1
    told = OutboxMessage.objects.get(kind="wish_thanked")
    assert told.audience == {"member": {"member": cast.a.member.pk}} and "谢谢好心人" in told.body


def test_a_unit_adopts_and_counts_among_its_own_wishes_alone(cast: Cast) -> None:
    wish = moves.adopt_wish(actor=cast.a.liaison, wish=opened(cast))
    assert (wish.unit, wish.member) == (cast.a.unit, None)
    wish = finished(cast, wish, cast.a.liaison, hours="3")
    assert wish.service is None, "hours are a member's"
    (line,) = by_unit(cast.county)
    assert (line.unit, line.adopted, line.done, line.money) == (cast.a.unit, 1, 1, 300)
    found = board(cast.county, cast.a.node)
    assert (found.whole.collected, found.whole.adopted, found.whole.units, found.whole.members) == (1, 1, 1, 0)
    assert [line.community for line in found.lines] == [cast.a.node]
    assert board(cast.county, cast.b.node).whole.collected == 0


def test_given_back_without_a_reason_and_adopted_by_another(cast: Cast) -> None:
    home(cast)
    wish = moves.adopt_wish(actor=cast.a.member_user, wish=opened(cast))
    wish = moves.give_back_wish(actor=cast.a.member_user, wish=wish)
    assert (wish.state, wish.member, wish.adopted_at) == ("open", None, None)
    wish = moves.adopt_wish(actor=cast.a.supporting_liaison, wish=wish)
    assert wish.unit == cast.a.supporting_unit


def test_what_did_not_arrive_goes_on_and_the_service_with_it(cast: Cast) -> None:
    home(cast)
    wish = moves.adopt_wish(actor=cast.a.member_user, wish=opened(cast))
    wish = finished(cast, wish, cast.a.member_user, hours="1")
    wish = moves.undelivered_wish(actor=cast.a.officer, wish=wish, reason="还没有收到")
    assert (wish.state, wish.done_at, wish.reason) == ("adopted", None, "还没有收到")
    assert wish.service is not None
    wish.service.refresh_from_db()
    assert wish.service.state == "sent_back"
    again = finished(cast, wish, cast.a.member_user, hours="2")
    assert again.service == wish.service, "the same service, put right"
    service = drop_service(actor=cast.a.member_user, service=again.service)
    assert service.state == "dropped"
    done = moves.thank_wish(actor=cast.a.officer, wish=again)
    assert done.state == "thanked", "what the member took out does not hold the wish up"


def test_a_service_left_by_one_member_is_not_the_next_ones(cast: Cast) -> None:
    home(cast)
    wish = finished(cast, moves.adopt_wish(actor=cast.a.member_user, wish=opened(cast)), cast.a.member_user, hours="1")
    wish = moves.undelivered_wish(actor=cast.a.officer, wish=wish, reason="没有收到")
    assert moves.give_back_wish(actor=cast.a.member_user, wish=wish).service is None


def test_a_confirmed_service_stays_when_the_delivery_is_confirmed_later(cast: Cast) -> None:
    home(cast)
    wish = finished(cast, moves.adopt_wish(actor=cast.a.member_user, wish=opened(cast)), cast.a.member_user, hours="1")
    assert wish.service is not None
    decide_service(actor=cast.a.secretary, service=wish.service, name="confirm")
    assert moves.thank_wish(actor=cast.a.officer, wish=wish).state == "thanked"
    wish.service.refresh_from_db()
    assert wish.service.state == "confirmed"


def test_nobody_confirms_their_own_gift(cast: Cast) -> None:
    """An officer of the community who is the unit's liaison as well."""
    UnitMembership.objects.create(user=cast.a.officer, unit=cast.a.unit, role="liaison")
    wish = weave.make_wish(cast.a.building, cast.a.keeper, state="done", unit=cast.a.unit, done_at=timezone.now())
    with pytest.raises(InvalidTransition, match="您单位认领的"):
        moves.thank_wish(actor=fresh(cast.a.officer), wish=wish)
    assert moves.thank_wish(actor=cast.a.secretary, wish=wish).state == "thanked"


def test_the_community_asks_a_unit_extends_and_ends(cast: Cast) -> None:
    wish = opened(cast)
    moves.ask_unit(actor=cast.a.officer, wish=wish, unit=cast.a.supporting_unit)
    moves.ask_unit(actor=cast.a.officer, wish=wish, unit=cast.a.unit)
    moves.ask_unit(actor=cast.a.officer, wish=wish, unit=cast.a.unit)
    asked = OutboxMessage.objects.filter(kind="wish_asked").values_list("audience__unit__unit", flat=True)
    assert sorted(asked) == sorted([cast.a.supporting_unit.pk, cast.a.unit.pk]), "each once"
    with pytest.raises(Invalid) as refused:
        moves.ask_unit(actor=cast.a.officer, wish=wish, unit=cast.b.unit)
    assert "unit" in refused.value.fields
    Wish.objects.update(due_at=timezone.now() - DAY)
    wish = moves.extend_wish(actor=cast.a.officer, wish=wish)
    assert wish.due_at is not None and wish.due_at > timezone.now() + 29 * DAY
    wish = moves.end_wish(actor=cast.a.keeper, wish=wish, reason="子女已经买了")
    assert (wish.state, wish.due_at) == ("ended", None) and wish.closed_at is not None
    assert "wish_ended" in kinds()


def test_taken_back_only_when_the_time_is_over_or_the_adopter_gone(cast: Cast) -> None:
    wish = moves.adopt_wish(actor=cast.a.liaison, wish=opened(cast))
    with pytest.raises(InvalidTransition, match="还没有到"):
        moves.release_wish(actor=cast.a.officer, wish=wish, reason="催了几次")
    Wish.objects.update(due_at=timezone.now() - DAY)
    wish = moves.release_wish(actor=cast.a.officer, wish=wish, reason="催了几次")
    assert (wish.state, wish.unit) == ("open", None)
    told = OutboxMessage.objects.get(kind="wish_released")
    assert told.audience == {"unit": {"unit": cast.a.unit.pk, "role": "liaison"}}
    stopped = weave.make_wish(cast.a.building, cast.a.keeper, state="adopted", unit=cast.a.supporting_unit)
    cast.a.supporting_unit.is_active = False
    cast.a.supporting_unit.save()
    assert moves.release_wish(actor=cast.a.officer, wish=stopped, reason="单位撤销").state == "open"


# --- What is refused ------------------------------------------------------------------------------------------------


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"cost": 501}, "cost", "上限 500 元"),
    ({"cost": -1}, "cost", "负数"),
    ({"title": "给孟秋岚买轮椅"}, "title", "心愿人的姓名"),
    ({"title": "给孟 秋 岚买轮椅"}, "title", "心愿人的姓名"),
    ({"text": "电话 139 0000 1234"}, "text", "电话号码"),
    ({"text": "电话１３９００００１２３４"}, "text", "电话号码"),
    ({"text": "证件 11010519491231002X"}, "text", "身份证号"),
    ({"text": "送到 3号楼"}, "text", "楼栋、门牌"),
    ({"text": "2单元502室"}, "text", "楼栋、门牌"),
    ({"text": "社区矫正人员"}, "text", "不能登记"),
    ({"recipient_kind": "king"}, "recipient_kind", "困难类型"),
    ({"recipient_kind": "disability"}, "consent", "书面同意"),
    ({"consent": ""}, "consent", "不能征集"),
    ({"recipient_name": " "}, "recipient_name", "心愿人"),
    ({"recipient_phone": "12"}, "recipient_phone", ""),
    ({"title": ""}, "title", "心愿"),
]


def test_what_can_not_be_written_down(cast: Cast) -> None:
    for fields, at, words in BAD:
        with pytest.raises(Invalid) as refused:
            collected(cast, **fields)
        assert at in refused.value.fields and words in refused.value.fields[at], fields
    assert not Wish.objects.exists() and not AuditEntry.objects.filter(action="wish.collect").exists()


def test_the_cap_is_the_countys(cast: Cast) -> None:
    cast.settings.wish_cost = 100
    cast.settings.save()
    with pytest.raises(Invalid, match="个案或项目"):
        collected(cast, cost=101)
    assert collected(cast, cost=100).cost == 100


def test_a_place_that_is_retired_or_in_no_community_takes_no_wish(cast: Cast) -> None:
    GridNode.objects.filter(pk=cast.a.building.pk).update(retired_at=timezone.now())
    with pytest.raises(Invalid, match="已撤销"):
        collected(cast)
    with pytest.raises((Forbidden, NotFound)):
        collect_wish(actor=cast.a.keeper, node=cast.street, facts=WishFacts(**FACTS))
    assert not Wish.objects.exists()


def test_sent_twice_it_stands_once(cast: Cast) -> None:
    assert collected(cast) == collected(cast)
    assert Wish.objects.count() == 1


def test_only_those_of_the_place_collect(cast: Cast) -> None:
    a, b = cast.a, cast.b
    for who in (a.liaison, a.member_user, cast.street_officer, b.keeper, b.secretary, cast.department, SYSTEM):
        with pytest.raises((Forbidden, NotFound)):
            collect_wish(actor=who, node=cast.a.building, facts=WishFacts(**FACTS))
    assert not Wish.objects.exists()


MOVES: dict[str, Callable[[Cast, Any, Wish], Any]] = {
    "check": lambda cast, who, wish: moves.check_wish(actor=who, wish=wish),
    "decline": lambda cast, who, wish: moves.decline_wish(actor=who, wish=wish, reason="费用高"),
    "change": lambda cast, who, wish: change_wish(actor=who, wish=wish, facts=WishFacts(**{**FACTS, "cost": 10})),
    "adopt": lambda cast, who, wish: moves.adopt_wish(actor=who, wish=wish),
    "ask": lambda cast, who, wish: moves.ask_unit(actor=who, wish=wish, unit=cast.a.unit),
    "extend": lambda cast, who, wish: moves.extend_wish(actor=who, wish=wish),
    "give_back": lambda cast, who, wish: moves.give_back_wish(actor=who, wish=wish),
    "release": lambda cast, who, wish: moves.release_wish(actor=who, wish=wish, reason="到期"),
    "finish": lambda cast, who, wish: finished(cast, wish, who),
    "thank": lambda cast, who, wish: moves.thank_wish(actor=who, wish=wish, thanks="谢谢"),
    "undelivered": lambda cast, who, wish: moves.undelivered_wish(actor=who, wish=wish, reason="没有收到"),
    "end": lambda cast, who, wish: moves.end_wish(actor=who, wish=wish, reason="不要了"),
}


def in_state(cast: Cast, state: str) -> Wish:
    """A wish of that state, its time over, adopted by the unit where somebody has to have adopted it."""
    adopter = {"unit": cast.a.unit} if state in ("adopted", "done", "thanked") else {}
    times = {"adopted_at": timezone.now() - DAY} if adopter else {}
    return weave.make_wish(cast.a.building, cast.a.keeper, state=state, due_at=timezone.now() - DAY, **adopter, **times)


@pytest.mark.parametrize("name", sorted(MOVES))
def test_every_move_from_every_state(cast: Cast, name: str) -> None:
    """The table walked whole: what it allows goes where it says, all else changes nothing."""
    row = WISH.get(name)
    who = cast.a.liaison if row.right == "wish.adopt" else cast.a.officer
    for state in WishState.values:
        wish = in_state(cast, state)
        mine, chain = Wish.objects.filter(pk=wish.pk), AuditEntry.objects.filter(chain=f"services.wish:{wish.pk}")
        before = mine.values().get()
        if state in row.sources:
            MOVES[name](cast, who, wish)
            after = mine.get()
            assert after.state == (row.target or state)
            assert (after.due_at is None) == (after.state in ("thanked", "declined", "ended"))
            assert [entry.action for entry in chain] == [f"wish.{name}"]
        else:
            with pytest.raises(DomainError):
                MOVES[name](cast, who, wish)
            assert mine.values().get() == before and not chain.exists(), state


@pytest.mark.parametrize("name", sorted(MOVES))
def test_nobody_moves_what_is_not_theirs(cast: Cast, name: str) -> None:
    row = WISH.get(name)
    wish = in_state(cast, sorted(row.sources)[0])
    adopts = row.right == "wish.adopt"
    strangers = [cast.b.officer, cast.b.liaison, cast.street_officer, cast.department, cast.a.staff, cast.nobody]
    strangers += [cast.a.officer] if adopts else [cast.a.liaison]
    if name == "adopt":
        strangers.remove(cast.a.officer)
        strangers.append(cast.a.keeper)
    before = Wish.objects.values().get()
    for stranger in strangers:
        with pytest.raises((NotFound, Forbidden)):
            MOVES[name](cast, stranger, wish)
    assert Wish.objects.values().get() == before


def test_an_old_page_changes_nothing(cast: Cast) -> None:
    wish = opened(cast)
    with pytest.raises(Stale):
        moves.adopt_wish(actor=cast.a.liaison, wish=wish, version=1)
    assert Wish.objects.get().state == "open"


def test_who_acts_for_two_units_says_for_which(cast: Cast) -> None:
    UnitMembership.objects.create(user=cast.a.liaison, unit=cast.a.supporting_unit, role="liaison")
    wish, liaison = opened(cast), fresh(cast.a.liaison)
    with pytest.raises(Invalid, match="哪个单位"):
        moves.adopt_wish(actor=liaison, wish=wish)
    with pytest.raises(Invalid, match="没有在"):
        moves.adopt_wish(actor=liaison, wish=wish, unit=cast.b.unit)
    assert moves.adopt_wish(actor=liaison, wish=wish, unit=cast.a.supporting_unit).unit == cast.a.supporting_unit


def test_a_member_adopts_at_home_alone(cast: Cast) -> None:
    wish = opened(cast)
    with pytest.raises(NotFound):
        moves.adopt_wish(actor=cast.a.member_user, wish=wish)
    weave.make_member_checkin(cast.a.member, cast.b.compound)
    with pytest.raises(NotFound):
        moves.adopt_wish(actor=fresh(cast.a.member_user), wish=wish)
    assert Wish.objects.get().member is None


@pytest.mark.parametrize(("day", "hours", "at"), [(1, "1", "done_on"), (-9, "1", "done_on"), (0, None, "hours")])
def test_a_day_or_hours_that_can_not_be(cast: Cast, day: int, hours: Any, at: str) -> None:
    home(cast)
    wish = moves.adopt_wish(actor=cast.a.member_user, wish=opened(cast))
    with pytest.raises(Invalid) as refused:
        finished(cast, wish, cast.a.member_user, done_on=timezone.localdate() + day * DAY, hours=hours)
    assert at in refused.value.fields
    assert Wish.objects.get().state == "adopted"


# --- Who wishes -----------------------------------------------------------------------------------------------------


def test_the_name_is_shown_once_with_a_reason_and_a_line_in_the_trail(cast: Cast) -> None:
    wish = collected(cast)
    shown = moves.reveal_recipient(actor=cast.a.officer, wish=wish, reason="约送轮椅的时间")
    assert (shown.name, shown.phone) == ("孟秋岚", "13900001234")
    entry = AuditEntry.objects.get(action="wish.reveal")
    assert (entry.actor, entry.reason) == (cast.a.officer, "约送轮椅的时间")
    for reason in ("", "给孟秋岚打电话"):
        with pytest.raises(Invalid):
            moves.reveal_recipient(actor=cast.a.officer, wish=wish, reason=reason)
    for stranger in (cast.a.keeper, cast.a.liaison, cast.street_officer, cast.b.officer, cast.department):
        with pytest.raises((Forbidden, NotFound)):
            moves.reveal_recipient(actor=stranger, wish=wish, reason="看看")
    assert AuditEntry.objects.filter(action="wish.reveal").count() == 1


def test_looking_again_and_again_is_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves, "REVEALS_AN_HOUR", 1)
    wish = collected(cast)
    moves.reveal_recipient(actor=cast.a.officer, wish=wish, reason="联系")
    with pytest.raises(Throttled):
        moves.reveal_recipient(actor=cast.a.officer, wish=wish, reason="联系")


def test_the_trail_and_the_notices_never_hold_who_wishes(cast: Cast) -> None:
    """The whole life of a wish, with the name slipped in wherever somebody writes."""
    home(cast)
    wish = collected(cast)
    change_wish(actor=cast.a.officer, wish=wish, facts=WishFacts(**{**FACTS, "recipient_phone": "13900005678"}))
    for refused in (
        lambda: moves.decline_wish(actor=cast.a.officer, wish=wish, reason="孟秋岚已有轮椅"),
        lambda: moves.end_wish(actor=cast.a.keeper, wish=wish, reason="打 13900001234 问过"),
    ):
        with pytest.raises(Invalid):
            refused()
    wish = moves.check_wish(actor=cast.a.officer, wish=wish)
    wish = moves.adopt_wish(actor=cast.a.member_user, wish=wish)
    wish = finished(cast, wish, cast.a.member_user, text="送给孟 秋岚，电话 13900001234，3号楼", hours="1")
    assert "孟" not in wish.result and "13900001234" not in wish.result and "号楼" not in wish.result
    with pytest.raises(Invalid):
        moves.thank_wish(actor=cast.a.officer, wish=wish, thanks="孟秋岚说谢谢")
    moves.thank_wish(actor=cast.a.officer, wish=wish, thanks="老人说谢谢")
    written = [f"{row.label} {row.changes} {row.reason}" for row in AuditEntry.objects.all()]
    written += [f"{row.title} {row.body} {row.link} {row.key}" for row in OutboxMessage.objects.all()]
    for secret in ("孟", "秋岚", "13900001234", "13900005678", "elderly", cast.a.building.name):
        assert not [line for line in written if secret in line and "wish" in line.lower()], secret
    assert not [line for line in written if "孟秋岚" in line]


def test_general_words_stand_for_every_need() -> None:
    assert set(GENERAL) == set(CareKind.values)


def test_words_with_what_they_should_not_say() -> None:
    assert clean_words("两室一厅的灯", limit=20, label="心愿", field="title", names=["李"]) == "两室一厅的灯"
    assert scrubbed("李大爷收下了", limit=50, label="x", field="x", names=["李"]) == "李大爷收下了", (
        "one character is no name"
    )


# --- Time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "after", "reminder"),
    [
        ("collected", "ended", "wish_unchecked"),
        ("open", "ended", "wish_unadopted"),
        ("adopted", "open", "wish_overdue"),
        ("done", "thanked", "wish_unconfirmed"),
    ],
)
def test_nothing_waits_for_ever_and_twice_is_once(cast: Cast, state: str, after: str, reminder: str) -> None:
    wish = in_state(cast, state)
    assert sweep_wishes()["told"] == 1 and kinds() == [reminder]
    assert sweep_wishes()["told"] == 0, "a second round writes nothing"
    assert sweep_wishes(timezone.now() + 7 * DAY)["told"] == 1, "again a week later"
    Wish.objects.update(due_at=timezone.now() - GRACE)
    found = sweep_wishes()
    wish.refresh_from_db()
    assert (found["settled"], wish.state) == (1, after)
    assert sweep_wishes() == {"settled": 0, "told": 0, "erased": 0}
    entry = AuditEntry.objects.latest("pk")
    assert entry.actor_kind == "system"


def test_who_adopted_is_reminded_before_the_day(cast: Cast) -> None:
    wish = weave.make_wish(
        cast.a.building, cast.a.keeper, state="adopted", unit=cast.a.unit, due_at=timezone.now() + 2 * DAY
    )
    weave.make_wish(cast.a.building, cast.a.keeper, state="open", due_at=timezone.now() + 2 * DAY)
    sweep_wishes()
    sweep_wishes()
    told = OutboxMessage.objects.get()
    assert told.kind == "wish_due_soon" and told.link == f"/m/wishes/{wish.pk}/"


def test_who_wished_is_forgotten_a_year_after(cast: Cast) -> None:
    now = timezone.now()
    given = {"state": "thanked", "unit": cast.a.unit, "due_at": None, "recipient_name": "孟秋岚"}
    old = weave.make_wish(cast.a.building, cast.a.keeper, done_at=now - 367 * DAY, closed_at=now - 366 * DAY, **given)
    ended = weave.make_wish(
        cast.a.building, cast.a.keeper, state="ended", due_at=None, closed_at=now - 367 * DAY, recipient_name="孟秋岚"
    )
    young = weave.make_wish(cast.a.building, cast.a.keeper, done_at=now - 300 * DAY, closed_at=now, **given)
    waiting = weave.make_wish(cast.a.building, cast.a.keeper, state="open", collected_at=now - 800 * DAY)
    assert erase_recipients(now) == 2 and erase_recipients(now) == 0
    for row in (old, ended):
        row.refresh_from_db()
        assert (row.recipient_name, row.recipient_phone, row.node) == ("", "", cast.a.node)
        assert row.erased_at is not None
        with pytest.raises(Conflict):
            moves.reveal_recipient(actor=cast.a.officer, wish=row, reason="查看")
    for row in (young, waiting):
        row.refresh_from_db()
        assert row.recipient_name and row.node == cast.a.building
    entries = AuditEntry.objects.filter(action="wish.erase")
    assert entries.count() == 2
    assert "孟秋岚" not in str([entry.changes for entry in entries])


@given(names=st.lists(st.sampled_from([*sorted(MOVES), "sweep"]), max_size=9))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_people_do_it_stays_sound(cast: Cast, names: list[str]) -> None:
    """One adopter at most, a limit wherever somebody has to act, and never a state the table does not lead to."""
    wish = weave.make_wish(cast.a.building, cast.a.keeper, state="collected")
    for name in names:
        state = wish.state
        if name == "sweep":
            Wish.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - GRACE)
            sweep_wishes()
        else:
            who = cast.a.liaison if WISH.get(name).right == "wish.adopt" else cast.a.officer
            try:
                MOVES[name](cast, who, wish)
            except DomainError:
                continue
        wish.refresh_from_db()
        if name != "sweep":
            assert state in WISH.get(name).sources
        closed = wish.state in ("thanked", "declined", "ended")
        assert (wish.due_at is None) == closed and (wish.closed_at is not None) == closed
        assert (wish.unit is not None) == (wish.state in ("adopted", "done", "thanked"))
        assert wish.member is None or wish.unit is None
    wish.delete()
