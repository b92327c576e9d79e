"""The bulletin: what is long late is named, frozen when it is published, answered by who is named, and followed up."""

import datetime
import io
from typing import Any

import docx
import pytest
from django.utils import timezone

from core.actors import RESIDENT
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry, OutboxMessage
from grids.models import GridNode
from services.actions import (
    add_item,
    answer_item,
    change_bulletin,
    draft_bulletin,
    ladder,
    publish_bulletin,
    rate_sweep,
    send_back_item,
    settle_item,
    take_out,
    tallies,
    withdraw_bulletin,
)
from services.bulletin_papers import paper
from services.clocks import clock_for
from services.models import Bulletin, BulletinItem, Demand, DemandEvent, Tally
from services.selectors.bulletins import Line, ranked, said
from services.selectors.rates import Rate, rates_of, totals
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together
from tests.services.test_loop import checked, do

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def late(cast: Cast, community: Any = None, *, days: int = 30, **fields: Any) -> Demand:
    """A matter so many days beyond its limit, in the hands of the community's unit."""
    one = community or cast.a
    due = timezone.now() - days * DAY
    demand = make.make_demand(
        one.building,
        **{"state": "dispatched", "due_at": due, "warn_at": due - DAY, "registered_at": due - 9 * DAY, **fields},
    )
    if demand.state == "dispatched":
        make.make_suborder(demand, one.unit, state="signed", due_at=due, warn_at=due - DAY)
    return demand


def draft(cast: Cast, **fields: Any) -> Bulletin:
    today = timezone.localdate()
    given = {"since": today - 90 * DAY, "until": today, "title": "需求办理情况通报", "text": "请抓紧。", **fields}
    return draft_bulletin(actor=fresh(cast.department), county=cast.county, **given)


def publish(cast: Cast, bulletin: Bulletin) -> Bulletin:
    return publish_bulletin(actor=fresh(cast.department), bulletin=bulletin, version=bulletin.version)


def words(content: bytes) -> str:
    found = docx.Document(io.BytesIO(content))
    lines = [one.text for one in found.paragraphs]
    lines += [" ".join(cell.text for cell in row.cells) for table in found.tables for row in table.rows]
    return "\n".join(lines)


@pytest.fixture
def published(cast: Cast) -> Bulletin:
    """One matter of a unit, one the community itself let wait."""
    late(cast)
    late(cast, state="accepted")
    ladder.climb()
    return publish(cast, draft(cast))


def test_a_draft_names_what_has_stood_long_enough_and_nothing_else(cast: Cast) -> None:
    named = [late(cast), late(cast, cast.b, state="accepted")]
    late(cast, days=1)
    late(cast, state="finished")
    ladder.climb()
    found = draft(cast)
    assert [row.demand for row in found.items.order_by("pk")] == named
    assert [row.unit for row in found.items.order_by("pk")] == [cast.a.unit, None]
    assert draft(cast).items.count() == 0, "what one draft names, another does not"


def test_what_was_named_comes_again_only_after_a_new_limit(cast: Cast, published: Bulletin) -> None:
    assert draft(cast).items.count() == 0
    demand = published.items.order_by("pk")[0].demand
    later = timezone.now() + 60 * DAY
    Demand.objects.filter(pk=demand.pk).update(due_at=later - 30 * DAY, warn_at=later - 31 * DAY)
    ladder.climb(later)
    assert draft(cast).items.count() == 1


def test_what_is_named_is_added_and_taken_out_by_hand_with_a_reason(cast: Cast) -> None:
    ladder.climb()
    demand, department = late(cast, days=1), fresh(cast.department)
    bulletin = draft(cast)
    bulletin = add_item(actor=department, bulletin=bulletin, demand=demand.code)
    with pytest.raises(Invalid):
        add_item(actor=department, bulletin=bulletin, demand=demand.code)
    with pytest.raises(Invalid):
        add_item(actor=department, bulletin=bulletin, demand=make.make_demand(cast.a.building).code)
    item = bulletin.items.get()
    with pytest.raises(Invalid):
        take_out(actor=department, bulletin=bulletin, item=item, reason="")
    take_out(actor=department, bulletin=bulletin, item=item, reason="已约定下周施工")
    assert not bulletin.items.exists()
    assert AuditEntry.objects.get(action="bulletin.take_out").reason == f"{demand.code} 已约定下周施工"


def test_publishing_gives_a_number_tells_who_is_named_and_writes_it_down(cast: Cast, published: Bulletin) -> None:
    assert (published.number, published.year) == (1, timezone.localdate().year)
    assert publish(cast, draft(cast)).number == 2
    told = OutboxMessage.objects.filter(kind="bulletin_item").order_by("pk")
    assert [row.audience for row in told] == [
        {"unit": {"unit": cast.a.unit.pk, "role": "liaison"}},
        {"post": {"right": "bulletin.answer", "node": cast.a.node.pk}},
    ]
    assert DemandEvent.objects.filter(name="bulletin").count() == 2
    clock = clock_for(cast.county.pk)
    assert published.published_at is not None
    assert {row.due_at for row in published.items.all()} == {clock.workdays(published.published_at, 5)}
    with pytest.raises(Conflict):
        change_bulletin(
            actor=fresh(cast.department), bulletin=published, since=published.since, until=published.until, title="改"
        )


def test_what_was_finished_meanwhile_is_not_named(cast: Cast) -> None:
    demand = late(cast)
    ladder.climb()
    bulletin = draft(cast)
    Demand.objects.filter(pk=demand.pk).update(state="finished")
    bulletin = publish(cast, bulletin)
    assert not bulletin.items.exists() and not said(bulletin).items


def test_its_rates_are_those_of_every_other_face(cast: Cast) -> None:
    demand = checked(cast)
    do(RESIDENT, demand, "evaluate", solved="yes", satisfaction="fairly")
    Demand.objects.filter(pk=demand.pk).update(skip_satisfaction=True)
    tallies.rebuild_tallies(cast.county)
    found = said(publish(cast, draft(cast)))
    assert found.total == rates_of(totals(Tally.objects.all()))
    assert found.total["satisfaction"] == Rate(0, 0, 1)
    line = next(one for one in found.lines if one.name == cast.a.node.name)
    assert (line.rates, line.rank) == (found.total, None)


def test_the_paper_of_a_published_bulletin_never_changes_and_names_no_person(cast: Cast, published: Bulletin) -> None:
    first = words(paper(published))
    for said_ in ("第1期", "白龙塘社区", "县住建局", "请抓紧。", "县委组织部"):
        assert said_ in first
    for item in published.items.select_related("demand"):
        assert item.demand.title not in first and item.demand.code in first
    assert not any(person.name in first for person in cast.people().values() if person != cast.department)
    Demand.objects.all().update(state="closed_off", solved=True, satisfaction="satisfied")
    cast.a.unit.name = "改名后的单位"
    cast.a.unit.save()
    GridNode.objects.filter(pk=cast.a.node.pk).update(name="改名后的社区")
    assert words(paper(Bulletin.objects.select_related("county").get(pk=published.pk))) == first


def test_small_samples_are_not_ranked_and_equals_share_a_rank() -> None:
    def line(name: str, solved: int, of: int = 20) -> Line:
        return Line(name, dict.fromkeys(("response", "resolution", "satisfaction"), Rate(solved, of)))

    found = ranked([line("甲", 9, 9), line("乙", 12), line("丙", 18), line("丁", 12)])
    assert [(one.name, one.rank) for one in found] == [("丙", 1), ("乙", 2), ("丁", 2), ("甲", None)]


def test_who_is_named_answers_and_the_county_settles(cast: Cast, published: Bulletin) -> None:
    of_unit, of_community = published.items.order_by("pk")
    answer_item(actor=fresh(cast.a.liaison), item=of_unit, text="已约施工，电话 13912345678", version=of_unit.version)
    answer_item(actor=fresh(cast.a.officer), item=of_community, text="今天派单")
    of_unit.refresh_from_db()
    assert (of_unit.state, of_unit.due_at) == ("answered", None)
    assert "13912345678" not in of_unit.answer
    department = fresh(cast.department)
    of_unit = send_back_item(actor=department, item=of_unit, reason="写明办结日期")
    assert of_unit.state == "open" and of_unit.due_at is not None
    settle_item(actor=department, item=of_community, note="已整改")
    with pytest.raises(Conflict):
        settle_item(actor=department, item=of_community, note="已整改")
    names = set(DemandEvent.objects.filter(name__startswith="bulletin_").values_list("name", flat=True))
    assert names == {"bulletin_answer", "bulletin_send_back", "bulletin_settle"}


def test_nobody_answers_in_anothers_place(cast: Cast, published: Bulletin) -> None:
    of_unit, of_community = published.items.order_by("pk")
    with pytest.raises(Conflict, match="被通报的单位"):
        answer_item(actor=fresh(cast.a.officer), item=of_unit, text="我来答")
    for person in (cast.a.liaison, cast.b.officer, cast.b.liaison, cast.other_county_department, cast.nobody):
        with pytest.raises(NotFound):
            answer_item(actor=fresh(person), item=of_community, text="我来答")
    for person in (cast.a.officer, cast.a.liaison, cast.street_officer):
        with pytest.raises(Forbidden):
            settle_item(actor=fresh(person), item=of_unit, note="好了")
    assert set(BulletinItem.objects.values_list("state", flat=True)) == {"open"}


def test_who_may_not_neither_drafts_nor_publishes(cast: Cast) -> None:
    bulletin = draft(cast)
    today = timezone.localdate()
    for person, error in ((cast.a.officer, NotFound), (cast.street_secretary, NotFound), (cast.nobody, NotFound)):
        with pytest.raises(error):
            draft_bulletin(actor=fresh(person), county=cast.county, since=today, until=today, title="通报")
        with pytest.raises(error):
            publish_bulletin(actor=fresh(person), bulletin=bulletin)
    leader = make.make_cadre("县领导", "county_leader", cast.county)
    with pytest.raises(Forbidden):
        publish_bulletin(actor=leader, bulletin=bulletin)
    with pytest.raises(NotFound):
        publish_bulletin(actor=fresh(cast.other_county_department), bulletin=bulletin)
    with pytest.raises(Invalid):
        draft(cast, since=today, until=today - DAY)
    bulletin.refresh_from_db()
    assert (bulletin.state, bulletin.number) == ("draft", None)


def test_a_withdrawn_number_is_not_given_again_and_nobody_below_sees_it(cast: Cast, published: Bulletin) -> None:
    assert Bulletin.objects.visible_to(fresh(cast.a.officer)).exists()
    withdraw_bulletin(actor=fresh(cast.department), bulletin=published, reason="数字有误")
    assert not Bulletin.objects.visible_to(fresh(cast.a.officer)).exists()
    assert not BulletinItem.objects.visible_to(fresh(cast.a.liaison)).exists()
    with pytest.raises(NotFound):
        answer_item(actor=fresh(cast.a.liaison), item=published.items.order_by("pk")[0], text="好")
    again = draft(cast)
    assert again.items.count() == 2, "what it named is free to be named again"
    assert publish(cast, again).number == 2


def test_the_next_bulletin_follows_up_what_the_last_one_left_open(cast: Cast, published: Bulletin) -> None:
    of_unit, of_community = published.items.order_by("pk")
    settle_item(actor=fresh(cast.department), item=of_community, note="已整改")
    found = said(publish(cast, draft(cast)))
    assert [(one.code, one.bulletin, one.state) for one in found.carried] == [
        (of_unit.demand.code, f"{published.year}年第1期", "待整改")
    ]


def test_what_has_ended_is_settled_by_itself(cast: Cast, published: Bulletin) -> None:
    item = published.items.order_by("pk")[0]
    Demand.objects.filter(pk=item.demand_id).update(state="closed_off")
    assert rate_sweep.sweep_rates()["settled"] == 1
    assert rate_sweep.sweep_rates()["settled"] == 0
    item.refresh_from_db()
    assert (item.state, item.note) == ("settled", "系统销项：需求已销号")


def test_an_answer_nobody_gives_is_brought_to_mind_and_then_told_the_county(cast: Cast, published: Bulletin) -> None:
    due = published.items.order_by("pk")[0].due_at
    assert due is not None
    for moment, kinds in ((due - DAY, 0), (due + DAY, 1), (due + 30 * DAY, 2)):
        for _twice in range(2):
            rate_sweep.sweep_rates(moment)
        found = OutboxMessage.objects.filter(kind__in=["bulletin_late", "bulletin_silent"])
        assert len(set(found.values_list("kind", flat=True))) == kinds
    assert OutboxMessage.objects.filter(kind="bulletin_late").count() == 2
    assert DemandEvent.objects.filter(name="bulletin_late").count() == 2


def test_two_published_at_once_have_two_numbers(transactional_cast: Cast) -> None:
    cast = transactional_cast
    drafts = [draft(cast), draft(cast)]
    second = make.make_cadre("组织部二", "county_department", cast.county)
    people = [fresh(cast.department), fresh(second)]
    errors = together(
        *(
            lambda who=who, row=row: publish_bulletin(actor=who, bulletin=row, version=row.version)  # type: ignore[misc]
            for who, row in zip(people, drafts, strict=True)
        )
    )
    assert errors == []
    assert sorted(Bulletin.objects.values_list("number", flat=True)) == [1, 2]


def test_one_published_twice_at_once_is_published_once(transactional_cast: Cast) -> None:
    cast = transactional_cast
    row = draft(cast)
    people = [fresh(cast.department), fresh(make.make_cadre("组织部二", "county_department", cast.county))]
    errors = together(*(lambda who=who: publish_bulletin(actor=who, bulletin=row) for who in people))  # type: ignore[misc]
    assert len(errors) == 1 and isinstance(errors[0], Conflict)
    assert Bulletin.objects.get().number == 1
