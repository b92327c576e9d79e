"""A household in hardship, helped by several units under one case (docs/domain.md#z9): who sees what, each help with its own
end, what waits, and what is forgotten.
"""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import policies
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry, OutboxMessage
from grids.models import GridNode
from services import actions, posts
from services.actions.case_sweep import sweep_cases
from services.models import CaseEntry, CaseState, Help, HelpCase, HelpKind, HelpState
from services.selectors import cases as selectors
from tests import factories as make
from tests import weft_factories as weave
from tests.cast import Cast
from tests.factories import fresh
from tests.weft_factories import soon, today

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def opened(cast: Cast, **fields: Any) -> HelpCase:
    given = {"title": "突发火灾，一家四口无处居住", "text": "房屋过火，急需过渡住处。", "consent": "written", **fields}
    return actions.open_case(actor=fresh(cast.a.officer), node=cast.a.building, consent_on=today(), **given)


def asked(cast: Cast, case: HelpCase, *units: Any, kind: str = "grant") -> list[Help]:
    return actions.ask_help(
        actor=fresh(cast.a.officer), case=case, units=units or [cast.a.unit], kind=kind, wanted="临时救助金"
    )


def taken(cast: Cast, case: HelpCase, kind: str = "grant") -> Help:
    (row,) = asked(cast, case, kind=kind)
    return actions.accept_help(actor=fresh(cast.a.liaison), help=row, due_on=soon())


# --- One case, several helpers --------------------------------------------------------------------------------------


def test_four_units_help_under_one_case_and_each_help_has_its_own_end(cast: Cast) -> None:
    case = opened(cast)
    officer = fresh(cast.a.officer)
    loan, job = asked(cast, case, cast.a.unit, cast.a.supporting_unit, kind="loan")
    (talk,) = asked(cast, case, cast.b.unit, kind="mediation")
    (grant,) = asked(cast, case, cast.a.unit, kind="grant")
    for row, user in ((loan, cast.a.liaison), (job, cast.a.supporting_liaison), (grant, cast.a.liaison)):
        actions.accept_help(actor=fresh(user), help=row, due_on=soon())
    actions.decline_help(actor=fresh(cast.b.liaison), help=talk)
    actions.report_help(actor=fresh(cast.a.liaison), help=loan, text="已受理贴息贷款申请")
    actions.finish_help(actor=fresh(cast.a.liaison), help=loan, result="放款五万元")
    states = dict(Help.objects.values_list("pk", "state"))
    assert states == {loan.pk: "done", job.pk: "helping", talk.pk: "declined", grant.pk: "helping"}
    actions.end_help(actor=officer, help=grant, text="已由民政救助")
    actions.finish_help(actor=fresh(cast.a.supporting_liaison), help=job, result="已上岗")
    actions.close_case(actor=officer, case=case, result="住进过渡房，有了工作")
    case.refresh_from_db()
    assert (case.state, case.erase_on) == ("closed", datetime.date(today().year + 1, today().month, today().day))
    names = list(CaseEntry.objects.filter(case=case).order_by("pk").values_list("name", flat=True))
    assert names == [
        *["open", "ask", "ask", "ask", "ask", "accept", "accept", "accept", "decline"],
        *["report", "finish", "end", "finish", "close"],
    ]


def test_a_case_closes_when_nobody_is_asked_or_helping_or_each_is_named(cast: Cast) -> None:
    case = opened(cast)
    helping = taken(cast, case)
    (waiting,) = asked(cast, case, cast.a.supporting_unit)
    officer = fresh(cast.a.officer)
    for named in ((), (helping,), (waiting,)):
        with pytest.raises(Invalid) as refused:
            actions.close_case(actor=officer, case=case, result="好了", ended=named)
        assert "ended" in refused.value.fields
    assert set(Help.objects.values_list("state", flat=True)) == {"asked", "helping"}
    assert HelpCase.objects.get().state == CaseState.OPEN
    actions.close_case(actor=officer, case=case, result="好了", ended=(helping, waiting))
    assert set(Help.objects.values_list("state", flat=True)) == {"ended"}
    told = OutboxMessage.objects.filter(kind="case_unit_ended")
    assert {row.audience["unit"]["unit"] for row in told} == {cast.a.unit.pk, cast.a.supporting_unit.pk}


def test_one_unit_gives_several_kinds_and_none_twice(cast: Cast) -> None:
    case = opened(cast)
    taken(cast, case, "grant")
    taken(cast, case, "job")
    with pytest.raises(Conflict):
        asked(cast, case, kind="job")
    assert Help.objects.count() == 2


def test_units_are_asked_and_never_ordered(cast: Cast) -> None:
    """Nobody of the community answers for a unit, nobody of another unit either, and staff do not."""
    (row,) = asked(cast, opened(cast))
    for user in (cast.a.officer, cast.a.staff, cast.a.member_user):
        with pytest.raises((Forbidden, NotFound)):
            actions.accept_help(actor=fresh(user), help=row, due_on=soon())
    with pytest.raises(NotFound):
        actions.accept_help(actor=fresh(cast.a.supporting_liaison), help=row, due_on=soon())
    assert Help.objects.get().state == HelpState.ASKED


def test_another_helping_unit_does_not_act_for_this_one(cast: Cast) -> None:
    case = opened(cast)
    mine = taken(cast, case)
    (other,) = asked(cast, case, cast.a.supporting_unit)
    actions.accept_help(actor=fresh(cast.a.supporting_liaison), help=other, due_on=soon())
    with pytest.raises(NotFound):
        actions.finish_help(actor=fresh(cast.a.supporting_liaison), help=mine, result="我们办的")
    assert Help.objects.get(pk=mine.pk).state == HelpState.HELPING


@pytest.mark.parametrize("reason", ["retired", "other_county", "nobody_there"])
def test_only_units_that_can_answer_are_asked(cast: Cast, reason: str) -> None:
    case, unit = opened(cast), cast.idle_unit
    if reason == "retired":
        type(unit).objects.filter(pk=unit.pk).update(is_active=False)
    elif reason == "other_county":
        unit = make.make_unit(cast.other_county, "邻县民政局")
    else:
        unit = make.make_unit(cast.county, "没有联络员的单位")
    with pytest.raises(Invalid) as refused:
        asked(cast, case, unit)
    assert unit.name in refused.value.fields["units"]
    assert not Help.objects.exists()


# --- Who sees what ----------------------------------------------------------------------------------------------------

SIGHT = {  # what a person sees of a case in which their unit's help is in that state: the case, all of it, own helps
    "asked": (True, False, 1),
    "helping": (True, True, 1),
    "done": (True, True, 1),
    "declined": (False, False, 0),
    "ended": (False, False, 0),
}


@pytest.mark.parametrize("state", SIGHT)
def test_a_unit_sees_a_case_for_as_long_as_it_helps(cast: Cast, state: str) -> None:
    case = weave.make_case(cast.a.building, cast.a.officer, cast.a.supporting_unit)
    weave.make_help(case, cast.a.unit, state=state)
    weave.make_help(case, cast.b.unit, state="declined")
    CaseEntry.objects.create(case=case, name="note", title="社区记录", text="住进了过渡房", actor=cast.a.officer)
    CaseEntry.objects.create(case=case, name="decline", title="婉拒：县交通局", actor=cast.b.liaison)
    liaison, (known, whole, own) = fresh(cast.a.liaison), SIGHT[state]
    assert selectors.cases(liaison).filter(pk=case.pk).exists() == known
    assert Help.objects.visible_to(liaison).count() == own
    seen = {row.name for row in CaseEntry.objects.visible_to(liaison)}
    assert seen == ({"note"} if whole else set())
    if known:
        found = selectors.find_case(liaison, case.pk)
        assert selectors.reads(liaison, found) == whole
        labels = {row.unit_id for row in selectors.helps_shown(liaison, found)}
        assert labels == ({cast.a.unit.pk, cast.a.supporting_unit.pk} if whole else {cast.a.unit.pk})


def test_the_community_knows_who_declined(cast: Cast) -> None:
    case = opened(cast)
    (row,) = asked(cast, case)
    actions.decline_help(actor=fresh(cast.a.liaison), help=row)
    officer = fresh(cast.a.officer)
    assert [one.state for one in selectors.helps_shown(officer, selectors.find_case(officer, case.pk))] == ["declined"]
    assert {one.name for one in selectors.entries_of(officer, case)} == {"open", "ask", "decline"}


STRANGERS = (
    *("street_secretary", "street_officer", "department", "admin", "auditor", "superuser", "idle_liaison"),
    *("a.keeper", "a.building_head", "a.member", "b.secretary", "b.liaison", "other_county_secretary"),
)


@pytest.mark.parametrize("who", STRANGERS)
def test_street_county_and_neighbours_find_nothing_and_can_do_nothing(cast: Cast, who: str) -> None:
    case = opened(cast)
    row = taken(cast, case)
    stranger = fresh(cast.people()[who])
    for model in (HelpCase, Help, CaseEntry):
        assert not model.objects.visible_to(stranger).exists()
    tries: list[Callable[[], Any]] = [
        lambda: actions.note_case(actor=stranger, case=case, text="看过了"),
        lambda: actions.close_case(actor=stranger, case=case, result="好了", ended=(row,)),
        lambda: actions.end_help(actor=stranger, help=row, text="不用了"),
        lambda: actions.finish_help(actor=stranger, help=row, result="好了"),
        lambda: actions.ask_help(actor=stranger, case=case, units=[cast.b.unit], kind="job", wanted="岗位"),
    ]
    for one in tries:
        with pytest.raises(NotFound):
            one()
    assert (Help.objects.get().state, HelpCase.objects.get().state) == ("helping", "open")


@pytest.mark.parametrize("who", ["street_officer", "department", "a.keeper", "a.liaison", "b.officer"])
def test_only_the_community_opens_a_case(cast: Cast, who: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        actions.open_case(
            actor=fresh(cast.people()[who]), node=cast.a.building, title="火灾", consent="written", consent_on=today()
        )
    assert not HelpCase.objects.exists()


# --- What is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["请打 13812345678", "138-1234-5678 联系", "电话１３８１２３４５６７８", "61072419800101123X", "0916-6212345"],
)
def test_a_number_of_a_person_is_refused_in_every_text(cast: Cast, text: str) -> None:
    case = opened(cast)
    row = taken(cast, case)
    officer, liaison = fresh(cast.a.officer), fresh(cast.a.liaison)
    tries: dict[str, Callable[[], Any]] = {
        "title": lambda: opened(cast, title=text),
        "text": lambda: opened(cast, title="别的事", text=text),
        "wanted": lambda: actions.ask_help(
            actor=officer, case=case, units=[cast.a.supporting_unit], kind="job", wanted=text
        ),
        "result": lambda: actions.finish_help(actor=liaison, help=row, result=text),
    }
    for field, one in tries.items():
        with pytest.raises(Invalid) as refused:
            one()
        assert field in refused.value.fields
    for note in (
        lambda: actions.note_case(actor=officer, case=case, text=text),
        lambda: actions.report_help(actor=liaison, help=row, text=text),
        lambda: actions.close_case(actor=officer, case=case, result=text, ended=(row,)),
    ):
        with pytest.raises(Invalid):
            note()
    assert HelpCase.objects.count() == 1
    assert not CaseEntry.objects.exclude(text="").exists()


def test_the_trail_and_the_notices_hold_no_word_of_a_case(cast: Cast) -> None:
    case = opened(cast, household=None)
    row = taken(cast, case)
    actions.report_help(actor=fresh(cast.a.liaison), help=row, text="送去了棉被")
    actions.finish_help(actor=fresh(cast.a.liaison), help=row, result="发放救助金")
    actions.close_case(actor=fresh(cast.a.officer), case=case, result="住下来了")
    kept = str(list(AuditEntry.objects.values_list("label", "changes", "reason")))
    kept += str(list(OutboxMessage.objects.values_list("title", "body")))
    for words in (case.title, case.text, "救助金", "棉被", "住下来", cast.a.building.path):
        assert words not in kept.replace("救助资金", "")


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"consent": "never"}, "consent"),
        ({"consent_on": today() + DAY}, "consent_on"),
        ({"review_on": today()}, "review_on"),
        ({"review_on": today() + 200 * DAY}, "review_on"),
        ({"title": " "}, "title"),
    ],
)
def test_a_case_needs_consent_and_a_day_to_look_again(cast: Cast, fields: dict[str, Any], fault: str) -> None:
    given = {"title": "火灾", "consent": "written", "consent_on": today(), **fields}
    with pytest.raises(Invalid) as refused:
        actions.open_case(actor=fresh(cast.a.officer), node=cast.a.building, **given)
    assert fault in refused.value.fields
    assert not HelpCase.objects.exists()


def test_a_case_opens_at_a_standing_place_of_a_community(cast: Cast) -> None:
    GridNode.objects.filter(pk=cast.a.building.pk).update(retired_at=timezone.now())
    with pytest.raises(DomainError):
        opened(cast)
    assert not HelpCase.objects.exists()


def test_a_case_sent_twice_is_one_and_a_household_has_one(cast: Cast) -> None:
    home = make.make_household(cast.a.building)
    case = opened(cast, household=home)
    assert (case.household, case.title) == (home, "突发火灾，一家四口无处居住")
    for fields in ({}, {"title": "又一件", "household": home}):
        with pytest.raises(Conflict):
            opened(cast, **fields)
    assert HelpCase.objects.count() == 1
    home.delete()
    case.refresh_from_db()
    assert case.household is None


def test_a_household_of_elsewhere_is_not_hung_on_a_case(cast: Cast) -> None:
    with pytest.raises(NotFound):
        opened(cast, household=make.make_household(cast.b.building))
    assert not HelpCase.objects.exists()


def test_what_is_sent_twice_stands_once(cast: Cast) -> None:
    case = opened(cast)
    row = taken(cast, case)
    for _twice in range(2):
        actions.note_case(actor=fresh(cast.a.officer), case=case, text="住进过渡房")
    for _twice in range(2):
        actions.report_help(actor=fresh(cast.a.liaison), help=row, text="已申请")
    assert CaseEntry.objects.filter(name="note").count() == CaseEntry.objects.filter(name="report").count() == 1


def test_a_stale_page_changes_nothing(cast: Cast) -> None:
    (row,) = asked(cast, opened(cast))
    version = row.version
    actions.accept_help(actor=fresh(cast.a.liaison), help=row, due_on=soon(), version=version)
    with pytest.raises(Stale):
        actions.report_help(actor=fresh(cast.a.liaison), help=row, text="办着", version=version)
    with pytest.raises(Conflict):
        actions.decline_help(actor=fresh(cast.a.liaison), help=row)
    assert Help.objects.get().state == HelpState.HELPING


# --- Closed, reopened, forgotten --------------------------------------------------------------------------------------


def test_a_case_reopens_for_as_long_as_a_demand_does(cast: Cast) -> None:
    case, officer = opened(cast), fresh(cast.a.officer)
    case = actions.close_case(actor=officer, case=case, result="好了")
    case = actions.reopen_case(actor=officer, case=case, text="又没有住处了")
    assert (case.state, case.erase_on, case.closed_at) == ("open", None, None)
    case = actions.close_case(actor=officer, case=case, result="又好了")
    HelpCase.objects.update(closed_at=timezone.now() - 11 * DAY)
    with pytest.raises(Conflict):
        actions.reopen_case(actor=officer, case=case, text="第三次")
    assert HelpCase.objects.get().state == CaseState.CLOSED


def written(cast: Cast) -> HelpCase:
    """A closed case in which there are words everywhere."""
    case = opened(cast, household=make.make_household(cast.a.building))
    row = taken(cast, case)
    actions.report_help(actor=fresh(cast.a.liaison), help=row, text="送去了棉被")
    actions.finish_help(actor=fresh(cast.a.liaison), help=row, result="发放救助金")
    return actions.close_case(actor=fresh(cast.a.officer), case=case, result="住下来了")


def words_of(case: HelpCase) -> str:
    case = HelpCase.objects.get(pk=case.pk)
    found = [case.title, case.text, case.result, case.node.path]
    found += [text for row in case.helps.all() for text in (row.wanted, row.result)]
    return " ".join([*found, *(text for row in case.entries.all() for text in (row.text, row.title))])


def test_a_year_after_closing_every_word_is_gone_and_the_figures_stay(cast: Cast) -> None:
    case = written(cast)
    before = selectors.figures(cast.county)
    assert sweep_cases(timezone.now() + 364 * DAY)["erased"] == 0
    assert "棉被" in words_of(case)
    assert sweep_cases(timezone.now() + 367 * DAY)["erased"] == 1
    left = words_of(case)
    for words in ("火灾", "过火", "棉被", "救助金", "住下来", cast.a.building.name):
        assert words not in left
    case.refresh_from_db()
    assert case.household is None and case.erased_at is not None
    assert selectors.figures(cast.county) == before
    assert AuditEntry.objects.filter(action="case.erase", chain=f"services.helpcase:{case.pk}").exists()
    assert sweep_cases(timezone.now() + 368 * DAY)["erased"] == 0


def test_consent_that_is_withdrawn_erases_a_closed_case_at_once(cast: Cast) -> None:
    case, officer = written(cast), fresh(cast.a.officer)
    actions.erase_case(actor=officer, case=case)
    assert "棉被" not in words_of(case)
    for again in (
        lambda: actions.erase_case(actor=officer, case=case),
        lambda: actions.reopen_case(actor=officer, case=case, text="又"),
    ):
        with pytest.raises(Conflict):
            again()
    with pytest.raises(Conflict):
        actions.erase_case(actor=officer, case=opened(cast, title="还没有结案"))


# --- Nothing waits for ever -------------------------------------------------------------------------------------------


def kinds() -> set[str]:
    return set(OutboxMessage.objects.filter(kind__startswith="case_").values_list("kind", flat=True))


def test_who_does_not_answer_is_reminded_then_the_community_then_it_lapses(cast: Cast) -> None:
    (row,) = asked(cast, opened(cast))
    due = row.due_at
    assert due is not None
    sweep_cases(due - datetime.timedelta(minutes=1))
    assert "case_unit_remind" in kinds() and "case_unanswered" not in kinds()
    sweep_cases(due)
    assert "case_unanswered" in kinds()
    sent = OutboxMessage.objects.count()
    assert sweep_cases(due)["lapsed"] == 0
    assert OutboxMessage.objects.count() == sent, "a second round writes nothing"
    assert sweep_cases(due + 14 * DAY)["lapsed"] == 1
    row.refresh_from_db()
    assert row.state == HelpState.ENDED
    assert sweep_cases(due + 14 * DAY)["lapsed"] == 0


def test_help_and_review_past_their_day_are_brought_to_mind_once_a_week(cast: Cast) -> None:
    case = opened(cast)
    row = taken(cast, case)
    assert row.due_on is not None
    later = timezone.now() + (row.due_on - today() + DAY)
    for _hour in range(2):
        sweep_cases(later)
    assert OutboxMessage.objects.filter(kind__in=["case_overdue", "case_unit_overdue"]).count() == 2
    sweep_cases(later + 7 * DAY)
    assert OutboxMessage.objects.filter(kind="case_overdue").count() == 2
    sweep_cases(timezone.now() + 31 * DAY)
    assert "case_review" in kinds()


def test_a_case_in_which_nobody_helps_is_asked_to_be_closed_and_closes_itself(cast: Cast) -> None:
    case = opened(cast)
    sweep_cases(timezone.now() + 29 * DAY)
    assert "case_idle" not in kinds()
    sweep_cases(timezone.now() + 31 * DAY)
    assert "case_idle" in kinds()
    assert sweep_cases(timezone.now() + 91 * DAY)["closed"] == 1
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED and case.erase_on is not None
    assert "case_closed_itself" in kinds()


def test_a_help_nobody_hears_of_for_months_ends_by_itself(cast: Cast) -> None:
    row = taken(cast, opened(cast))
    assert row.due_on is not None
    ahead = timezone.now() + (row.due_on - today()) + 91 * DAY
    assert sweep_cases(ahead)["ended"] == 1
    row.refresh_from_db()
    assert row.state == HelpState.ENDED
    assert {"case_ended", "case_unit_ended"} <= kinds()


def test_a_notice_takes_its_reader_where_they_may_go(cast: Cast, client: Any) -> None:
    (row,) = asked(cast, opened(cast))
    (message,) = OutboxMessage.objects.filter(kind="case_unit_asked")
    client.force_login(fresh(cast.a.liaison), backend="core.backends.PhoneBackend")
    assert client.get(message.link).status_code == 200
    actions.decline_help(actor=fresh(cast.a.liaison), help=row)
    assert client.get(message.link).status_code == 404
    (message,) = OutboxMessage.objects.filter(kind="case_declined")
    client.force_login(fresh(cast.a.officer), backend="core.backends.PhoneBackend")
    assert client.get(message.link).status_code == 200


# --- Figures ----------------------------------------------------------------------------------------------------------


def test_figures_name_nobody_and_add_up(cast: Cast, django_assert_max_num_queries: Any) -> None:
    for part in (cast.a, cast.b):
        case = weave.make_case(part.building, part.officer, part.unit)
        for number, state in enumerate(("asked", "declined", "ended", "done")):
            kind = list(HelpKind.values)[number]
            weave.make_help(case, part.supporting_unit, state=state, kind=kind)
    with django_assert_max_num_queries(3):
        whole = selectors.figures(cast.county)
    with django_assert_max_num_queries(4):
        lines = selectors.by_community(cast.county)
    assert (whole.cases, whole.helping, whole.done, whole.units) == (2, 2, 2, 4)
    assert [(node.name, line.opened, line.done) for node, line in lines] == [("白龙塘社区", 1, 1), ("城北社区", 1, 1)]
    assert selectors.figures(cast.county, cast.a.node) == lines[0][1]
    assert selectors.figures(cast.county, cast.street) == whole
    refused = {row.kind: row.not_given for row in whole.kinds}
    assert refused["loan"] == refused["job"] == 2, "declined and ended are told as one"


# --- Whatever anybody does, in whatever order -------------------------------------------------------------------------

MOVES: dict[str, Callable[[Cast, HelpCase, list[Help]], Any]] = {
    "ask": lambda cast, case, helps: asked(cast, case),
    "ask another": lambda cast, case, helps: asked(cast, case, cast.a.supporting_unit, kind="job"),
    "accept": lambda cast, case, helps: actions.accept_help(actor=fresh(cast.a.liaison), help=helps[-1]),
    "accept other": lambda cast, case, helps: actions.accept_help(
        actor=fresh(cast.a.supporting_liaison), help=helps[-1]
    ),
    "decline": lambda cast, case, helps: actions.decline_help(actor=fresh(cast.a.liaison), help=helps[0]),
    "finish": lambda cast, case, helps: actions.finish_help(actor=fresh(cast.a.liaison), help=helps[0], result="好"),
    "leave": lambda cast, case, helps: actions.leave_help(actor=fresh(cast.a.liaison), help=helps[-1]),
    "withdraw": lambda cast, case, helps: actions.withdraw_help(actor=fresh(cast.a.officer), help=helps[-1]),
    "end": lambda cast, case, helps: actions.end_help(actor=fresh(cast.a.officer), help=helps[0], text="够了"),
    "close": lambda cast, case, helps: actions.close_case(actor=fresh(cast.a.officer), case=case, result="好了"),
    "close all": lambda cast, case, helps: actions.close_case(
        actor=fresh(cast.a.officer), case=case, result="好了", ended=helps
    ),
    "reopen": lambda cast, case, helps: actions.reopen_case(actor=fresh(cast.a.officer), case=case, text="又"),
    "erase": lambda cast, case, helps: actions.erase_case(actor=fresh(cast.a.officer), case=case),
    "sweep": lambda cast, case, helps: sweep_cases(timezone.now() + 20 * DAY),
}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(MOVES)), min_size=6, max_size=16))
def test_in_whatever_order_a_closed_case_has_no_running_help(cast: Cast, walk: list[str]) -> None:
    case = opened(cast, title=f"第{HelpCase.objects.count()}件")
    for name in walk:
        helps = list(case.helps.order_by("pk"))
        before = (HelpCase.objects.get(pk=case.pk).state, dict(case.helps.values_list("pk", "state")))
        try:
            MOVES[name](cast, case, helps)
        except (DomainError, IndexError):
            assert before == (HelpCase.objects.get(pk=case.pk).state, dict(case.helps.values_list("pk", "state")))
        case.refresh_from_db()
        running = case.helps.filter(state__in=selectors.OPEN_HELPS)
        assert case.state == CaseState.OPEN or not running.exists()
        assert (case.closed_at is not None) == (case.state == CaseState.CLOSED)
        sighted = case.helps.filter(unit=cast.a.unit, state__in=["asked", "helping", "done"]).exists()
        assert policies.sees(fresh(cast.a.liaison), HelpCase.objects.get(pk=case.pk)) == sighted
        assert not policies.can(fresh(cast.street_officer), posts.VIEW_CASE, case)
