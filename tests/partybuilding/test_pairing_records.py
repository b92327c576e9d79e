"""What came of a pairing: visits, problems, solutions; corrected by who may, refused to everybody else."""

import datetime

import pytest
from django.utils import timezone

from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry
from partybuilding.actions import (
    add_problem,
    add_visit,
    correct_problem,
    correct_visit,
    end_pairing,
    hand_over_pairing,
    reopen_problem,
    solve_problem,
)
from partybuilding.models import Pairing, PairingProblem, PairingVisit
from tests import factories as make
from tests.cast import Cast

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)


@pytest.fixture
def paired(cast: Cast) -> Pairing:
    """The department of community `a` looks after its compound."""
    return make.make_pairing(cast.a.compound, cast.a.unit)


def test_a_visit_is_written_down_with_the_problem_it_found(cast: Cast, paired: Pairing) -> None:
    for number, person in enumerate((cast.a.liaison, cast.a.staff, cast.a.officer, cast.street_officer), start=1):
        add_visit(actor=person, pairing=paired, visited_on=TODAY(), text=f"第 {number} 次")
    visit = add_visit(
        actor=cast.a.liaison, pairing=paired, visited_on=TODAY() - DAY, text="看了车棚", problem="车棚漏雨"
    )
    assert paired.visits.count() == 5
    problem = PairingProblem.objects.get()
    assert (problem.visit, problem.pairing, problem.found_on, problem.text) == (
        visit,
        paired,
        TODAY() - DAY,
        "车棚漏雨",
    )
    assert (visit.visited_by, problem.found_by) == (cast.a.liaison, cast.a.liaison)
    again = add_visit(
        actor=cast.a.liaison, pairing=paired, visited_on=TODAY() - DAY, text="看了车棚", problem="车棚漏雨"
    )
    assert again == visit, "a form sent twice is one visit"
    assert PairingProblem.objects.count() == 1


def test_numbers_of_residents_are_taken_out_and_the_trail_holds_no_words(cast: Cast, paired: Pairing) -> None:
    visit = add_visit(
        actor=cast.a.liaison, pairing=paired, visited_on=TODAY(), text="张大爷 13812345678 反映漏水", problem="漏水"
    )
    assert visit.text == "张大爷 138****5678 反映漏水"
    trail = "".join(str(entry.changes) for entry in AuditEntry.objects.all())
    assert "张大爷" not in trail
    assert "漏水" not in trail
    assert "***" in trail
    assert {entry.county_id for entry in AuditEntry.objects.filter(action__startswith="pairing.")} == {cast.county.pk}


@pytest.mark.parametrize(
    ("days", "text", "words"),
    [
        (1, "看了", "不能晚于今天"),
        (-366, "看了", "不能早于包联开始"),
        (0, " ", "请填写走访情况"),
        (0, "长" * 501, "最多"),
    ],
)
def test_a_visit_on_a_wrong_day_or_without_words_is_refused(
    cast: Cast, paired: Pairing, days: int, text: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        add_visit(actor=cast.a.liaison, pairing=paired, visited_on=TODAY() + days * DAY, text=text)
    with pytest.raises(Invalid):
        add_visit(actor=cast.a.liaison, pairing=paired, visited_on=TODAY(), text="看了", problem="长" * 501)
    assert not PairingVisit.objects.exists()


def test_strangers_and_lookers_write_nothing(cast: Cast, paired: Pairing) -> None:
    problem = make.make_problem(paired)
    strangers = [cast.b.officer, cast.b.liaison, cast.idle_liaison, cast.other_county_department, cast.nobody]
    refused = [(one, NotFound) for one in strangers] + [(cast.a.team_lead, Forbidden), (cast.admin, Forbidden)]
    for person, error in refused:
        with pytest.raises(error):
            add_visit(actor=person, pairing=paired, visited_on=TODAY(), text="看了")
        with pytest.raises(error):
            add_problem(actor=person, pairing=paired, found_on=TODAY(), text="坏了")
        with pytest.raises(error):
            solve_problem(actor=person, problem=problem, solution="修了")
        with pytest.raises(error):
            correct_problem(actor=person, problem=problem, text="改")
    problem.refresh_from_db()
    assert (problem.text, problem.is_solved) == ("单元门坏了", False)
    assert not PairingVisit.objects.exists()
    assert PairingProblem.objects.count() == 1


def test_a_problem_is_solved_once_and_opened_again_with_a_reason(cast: Cast, paired: Pairing) -> None:
    problem = add_problem(actor=cast.a.officer, pairing=paired, found_on=TODAY() - 10 * DAY, text="路灯不亮")
    assert add_problem(actor=cast.a.officer, pairing=paired, found_on=TODAY() - 10 * DAY, text="路灯不亮") == problem
    for day, words in ((TODAY() - 11 * DAY, "不能早于发现日期"), (TODAY() + DAY, "不能晚于今天")):
        with pytest.raises(Invalid, match=words):
            solve_problem(actor=cast.a.liaison, problem=problem, solution="换了灯泡", solved_on=day)
    with pytest.raises(Invalid, match="请填写解决情况"):
        solve_problem(actor=cast.a.liaison, problem=problem, solution="")
    with pytest.raises(Stale):
        solve_problem(actor=cast.a.liaison, problem=problem, solution="换了灯泡", version=2)
    solved = solve_problem(
        actor=cast.a.liaison, problem=problem, solution="换了灯泡", solved_on=TODAY() - DAY, version=1
    )
    assert (solved.solution, solved.solved_on, solved.version) == ("换了灯泡", TODAY() - DAY, 2)
    with pytest.raises(Conflict, match="已经解决"):
        solve_problem(actor=cast.a.officer, problem=problem, solution="又修了")
    with pytest.raises(Invalid):
        reopen_problem(actor=cast.a.officer, problem=problem, reason=" ")
    opened = reopen_problem(actor=cast.a.officer, problem=problem, reason="又坏了", version=2)
    assert (opened.solution, opened.solved_on) == ("", None)
    with pytest.raises(Conflict):
        reopen_problem(actor=cast.a.officer, problem=problem, reason="又坏了")


def test_what_was_written_is_corrected_on_a_page_that_is_not_old(cast: Cast, paired: Pairing) -> None:
    visit = make.make_visit(paired)
    problem = make.make_problem(paired, found_on=TODAY() - 5 * DAY)
    assert correct_visit(actor=cast.a.liaison, visit=visit, text="看了屋顶", version=1).text == "看了屋顶"
    with pytest.raises(Stale):
        correct_visit(actor=cast.a.liaison, visit=visit, text="旧页面", version=1)
    with pytest.raises(Invalid, match="不能晚于今天"):
        correct_visit(actor=cast.a.liaison, visit=visit, visited_on=TODAY() + DAY)
    with pytest.raises(Conflict, match="还没有解决"):
        correct_problem(actor=cast.a.liaison, problem=problem, solution="修了")
    solve_problem(actor=cast.a.liaison, problem=problem, solution="修了", solved_on=TODAY() - 2 * DAY)
    correct_problem(actor=cast.a.liaison, problem=problem, text="两个单元门坏了", solution="换了门锁", version=2)
    with pytest.raises(Invalid, match="不能早于发现日期"):
        correct_problem(actor=cast.a.liaison, problem=problem, found_on=TODAY() - DAY)
    problem.refresh_from_db()
    assert (problem.text, problem.solution, problem.found_on) == ("两个单元门坏了", "换了门锁", TODAY() - 5 * DAY)


def test_after_the_end_only_what_happened_before_it_is_written(cast: Cast, paired: Pairing) -> None:
    end_pairing(actor=cast.a.officer, pairing=paired, end=TODAY() - 3 * DAY)
    add_visit(actor=cast.a.officer, pairing=paired, visited_on=TODAY() - 3 * DAY, text="补记")
    with pytest.raises(Invalid, match="已在"):
        add_visit(actor=cast.a.officer, pairing=paired, visited_on=TODAY() - 2 * DAY, text="晚了")
    assert paired.visits.count() == 1


def test_an_inherited_problem_is_solved_and_corrected_by_the_new_holder(cast: Cast, paired: Pairing) -> None:
    problem = make.make_problem(paired, found_on=TODAY() - 100 * DAY)
    hand_over_pairing(actor=cast.a.officer, pairing=paired, unit=cast.a.supporting_unit)
    with pytest.raises(NotFound):
        solve_problem(actor=cast.a.liaison, problem=problem, solution="修了")
    correct_problem(actor=cast.a.supporting_liaison, problem=problem, found_on=TODAY() - 90 * DAY)
    solved = solve_problem(actor=cast.a.supporting_liaison, problem=problem, solution="修了")
    assert solved.solved_on == TODAY()
