"""Two people at one help, or one case, at the same moment: one of them moves it, the other learns how it stands."""

from core.errors import Conflict, InvalidTransition, NotFound
from services import actions
from services.models import CaseEntry, Help, HelpCase, HelpState
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together
from tests.services.test_cases import asked, opened
from tests.weft_factories import soon, today


def test_of_two_colleagues_one_answers(transactional_cast: Cast) -> None:
    cast = transactional_cast
    (row,) = asked(cast, opened(cast))
    first, second = fresh(cast.a.liaison), fresh(make.make_unit_person("另一联络员", cast.a.unit))
    errors = together(
        lambda: actions.accept_help(actor=first, help=row, due_on=soon()),
        lambda: actions.decline_help(actor=second, help=row),
    )
    # After a colleague declined the help is out of sight; after one took it on it is another step.
    assert [type(error) for error in errors] in ([InvalidTransition], [NotFound])
    state = Help.objects.get().state
    assert CaseEntry.objects.filter(name__in=["accept", "decline"]).count() == 1
    assert state in (HelpState.HELPING, HelpState.DECLINED)


def test_a_help_is_taken_on_or_withdrawn_and_never_both(transactional_cast: Cast) -> None:
    cast = transactional_cast
    (row,) = asked(cast, opened(cast))
    liaison, officer = fresh(cast.a.liaison), fresh(cast.a.officer)
    errors = together(
        lambda: actions.accept_help(actor=liaison, help=row, due_on=soon()),
        lambda: actions.withdraw_help(actor=officer, help=row),
    )
    assert len(errors) == 1
    assert CaseEntry.objects.filter(name__in=["accept", "withdraw"]).count() == 1


def test_nobody_helps_in_a_case_that_was_closed_meanwhile(transactional_cast: Cast) -> None:
    cast = transactional_cast
    case = opened(cast)
    (row,) = asked(cast, case)
    liaison, officer = fresh(cast.a.liaison), fresh(cast.a.officer)
    errors = together(
        lambda: actions.accept_help(actor=liaison, help=row, due_on=soon()),
        lambda: actions.close_case(actor=officer, case=case, result="好了", ended=[row]),
    )
    assert len(errors) <= 1
    closed = HelpCase.objects.get().state == "closed"
    assert not (closed and Help.objects.get().state == HelpState.HELPING)


def test_a_form_sent_twice_at_once_opens_one_case(transactional_cast: Cast) -> None:
    cast = transactional_cast
    people = [fresh(cast.a.officer), fresh(cast.a.officer)]
    node = cast.a.building
    errors = together(
        *(
            lambda user=user: actions.open_case(
                actor=user, node=node, title="火灾", consent="written", consent_on=today()
            )
            for user in people
        )
    )
    assert [type(error) for error in errors] == [Conflict]
    assert HelpCase.objects.count() == 1


def test_one_unit_is_asked_once_for_a_kind(transactional_cast: Cast) -> None:
    cast = transactional_cast
    case = opened(cast)
    people = [fresh(cast.a.officer), fresh(cast.a.secretary)]
    errors = together(
        *(
            lambda user=user: actions.ask_help(
                actor=user, case=case, units=[cast.a.unit], kind="grant", wanted="救助金"
            )
            for user in people
        )
    )
    assert [type(error) for error in errors] == [Conflict]
    assert Help.objects.count() == 1
