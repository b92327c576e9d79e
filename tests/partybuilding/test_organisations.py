"""Party organisations: a forest that stays sound whatever is made, moved and retired."""

import contextlib
import datetime
from collections.abc import Sequence
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry
from partybuilding.actions import (
    NewOrganisation,
    OrganisationChange,
    arrange_organisations,
    create_organisation,
    move_organisation,
    reopen_organisation,
    retire_organisation,
    update_organisation,
    update_unit,
)
from partybuilding.models import CompoundRunning, Member, OrganisationKind, PartyOrganisation
from partybuilding.organisation_kinds import BELOW, kind_of_name
from partybuilding.selectors.organisations import organisation_board
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db


def sound(county: Any) -> None:
    """The bounds say what the parents say."""
    rows = list(PartyOrganisation.objects.filter(county=county).order_by("tree_id", "lft"))
    for row in rows:
        inside = {one.pk for one in rows if one.tree_id == row.tree_id and row.lft < one.lft and one.rght < row.rght}
        below: set[int] = set()
        waiting = [row.pk]
        while waiting:
            key = waiting.pop()
            children = [one.pk for one in rows if one.parent_id == key]
            below.update(children)
            waiting += children
        assert inside == below, row
        assert row.rght - row.lft == 2 * len(below) + 1, row
        assert row.depth == (0 if row.parent is None else row.parent.depth + 1)
    tops = [row.tree_id for row in rows if row.parent_id is None]
    assert len(tops) == len(set(tops))
    strange = PartyOrganisation.objects.exclude(county=county).filter(tree_id__in=tops)
    assert not strange.exists(), "a tree is one county's"


class Tree:
    """城北街道党工委 over 白龙塘社区党委 over two branches, one with a group."""

    def __init__(self, cast: Cast) -> None:
        def create(name: str, kind: str, **fields: Any) -> PartyOrganisation:
            return create_organisation(actor=cast.admin, county=cast.county, name=name, kind=kind, **fields)

        self.top = create("城北街道党工委", "work_committee", node=cast.street)
        self.committee = create("白龙塘社区党委", "committee", parent=self.top, node=cast.a.node)
        self.branch = create("和谐小区党支部", "branch", parent=self.committee, node=cast.a.compound)
        self.group = create("1 号楼党小组", "group", parent=self.branch)
        self.other = create("第二党支部", "branch", parent=self.committee)


@pytest.fixture
def tree(cast: Cast) -> Tree:
    return Tree(cast)


def names(rows: Sequence[PartyOrganisation]) -> list[str]:
    return [row.name for row in rows]


def test_a_branch_of_the_tree_goes_where_it_is_moved_with_everything_below(cast: Cast, tree: Tree) -> None:
    elsewhere = create_organisation(actor=cast.admin, county=cast.county, name="县直机关工委", kind="work_committee")
    moved = move_organisation(actor=cast.admin, organisation=tree.committee, parent=elsewhere, reason="调整隶属")
    assert (moved.depth, moved.version) == (1, 2)
    elsewhere.refresh_from_db()
    assert names(elsewhere.get_descendants()) == ["白龙塘社区党委", "和谐小区党支部", "1 号楼党小组", "第二党支部"]
    sound(cast.county)
    entry = AuditEntry.objects.get(action="organisation.move")
    assert entry.changes == {"parent": [tree.top.pk, elsewhere.pk]}
    assert entry.reason == "调整隶属"
    on_top = move_organisation(actor=cast.admin, organisation=tree.committee, parent=None)
    assert on_top.parent is None
    sound(cast.county)


def test_nothing_hangs_below_itself_or_its_own_branch(cast: Cast, tree: Tree) -> None:
    for parent in (tree.committee, tree.branch, tree.group):
        with pytest.raises(Invalid) as refused:
            move_organisation(actor=cast.admin, organisation=tree.committee, parent=parent)
        assert "parent" in refused.value.fields
    tree.committee.refresh_from_db()
    assert tree.committee.parent == tree.top
    sound(cast.county)


def test_what_hangs_below_what_is_a_table(cast: Cast, tree: Tree) -> None:
    for kind, parent in (
        ("branch", tree.branch),
        ("group", tree.committee),
        ("group", None),
        ("committee", tree.other),
    ):
        with pytest.raises(Invalid) as refused:
            create_organisation(actor=cast.admin, county=cast.county, name="新的", kind=kind, parent=parent)
        assert "parent" in refused.value.fields
    with pytest.raises(Invalid, match="之下不设党小组"):
        update_organisation(actor=cast.admin, organisation=tree.branch, kind="general_branch")
    with pytest.raises(Invalid):
        move_organisation(actor=cast.admin, organisation=tree.group, parent=tree.committee)
    assert set(BELOW) == set(OrganisationKind)


def test_a_page_that_is_old_moves_and_changes_nothing(cast: Cast, tree: Tree) -> None:
    seen = tree.branch.version
    update_organisation(actor=cast.admin, organisation=tree.branch, name="和谐小区联合党支部", version=seen)
    for stale in (
        lambda: move_organisation(actor=cast.admin, organisation=tree.branch, parent=tree.top, version=seen),
        lambda: update_organisation(actor=cast.admin, organisation=tree.branch, name="别的", version=seen),
        lambda: retire_organisation(actor=cast.admin, organisation=tree.branch, version=seen),
    ):
        with pytest.raises(Stale):
            stale()
    tree.branch.refresh_from_db()
    assert (tree.branch.name, tree.branch.parent, tree.branch.is_active) == ("和谐小区联合党支部", tree.committee, True)


def test_facts_are_corrected_and_the_domain_follows_the_seat_until_it_is_chosen(cast: Cast, tree: Tree) -> None:
    assert (tree.committee.domain, tree.branch.domain) == ("community", "compound")
    school = make.make_unit(cast.county, "城北小学", kind="school", domain="school")
    day = datetime.date(2021, 6, 30)
    found = update_organisation(
        actor=cast.admin, organisation=tree.other, unit=school, domain="", secretary=cast.a.member, founded_on=day
    )
    assert (found.domain, found.secretary, found.founded_on, found.version) == ("school", cast.a.member, day, 2)
    assert update_organisation(actor=cast.admin, organisation=tree.other, domain="chain").domain == "chain"
    far = make.make_member("邻县党员", make.make_unit(cast.other_county, "邻县局"))
    left = make.make_member("调走党员", cast.a.unit, is_active=False)
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    for wrong in (
        {"secretary": far},
        {"secretary": left},
        {"founded_on": tomorrow},
        {"domain": "army"},
        {"node": cast.a.node},
        {"unit": make.make_unit(cast.county, "停了的局", is_active=False)},
    ):
        with pytest.raises(Invalid):
            update_organisation(actor=cast.admin, organisation=tree.other, **wrong)  # type: ignore[arg-type]


def test_an_organisation_with_members_is_retired_when_it_is_said_where_they_go(cast: Cast, tree: Tree) -> None:
    Member.objects.filter(pk__in=[cast.a.member.pk, cast.a.second_member.pk]).update(branch=tree.other)
    with pytest.raises(Conflict, match="2 名党员"):
        retire_organisation(actor=cast.admin, organisation=tree.other)
    for nowhere in (tree.other, make.make_organisation(cast.other_county, "邻县支部")):
        with pytest.raises(Invalid):
            retire_organisation(actor=cast.admin, organisation=tree.other, members_to=nowhere)
    gone = retire_organisation(actor=cast.admin, organisation=tree.other, members_to=tree.branch, reason="合并")
    assert not gone.is_active
    assert set(Member.objects.filter(branch=tree.branch)) == {cast.a.member, cast.a.second_member}
    assert AuditEntry.objects.filter(action="member.update").count() == 2
    with pytest.raises(Conflict):
        retire_organisation(actor=cast.admin, organisation=tree.other)
    assert reopen_organisation(actor=cast.admin, organisation=tree.other).is_active


def test_what_a_compound_calls_its_branch_is_not_retired_nor_reopened_below_what_is_closed(
    cast: Cast, tree: Tree
) -> None:
    here = {"node": cast.a.compound, "county": cast.county, "management": "managed"}
    run = CompoundRunning.objects.create(**here, branch=tree.branch)
    retire_organisation(actor=cast.admin, organisation=tree.group)
    with pytest.raises(Conflict, match="小区档案"):
        retire_organisation(actor=cast.admin, organisation=tree.branch)
    run.delete()
    retire_organisation(actor=cast.admin, organisation=tree.branch)
    with pytest.raises(Invalid, match="已停用"):
        reopen_organisation(actor=cast.admin, organisation=tree.group)


def test_a_unit_whose_organisation_is_in_use_is_not_closed(cast: Cast) -> None:
    branch = create_organisation(actor=cast.admin, county=cast.county, name="气象局党支部", unit=cast.idle_unit)
    with pytest.raises(Conflict, match="1 件在用的党组织"):
        update_unit(actor=cast.admin, unit=cast.idle_unit, is_active=False)
    retire_organisation(actor=cast.admin, organisation=branch)
    assert not update_unit(actor=cast.admin, unit=cast.idle_unit, is_active=False).is_active


def test_only_the_county_administrator_keeps_organisations(cast: Cast, tree: Tree) -> None:
    before = (PartyOrganisation.objects.count(), AuditEntry.objects.count())
    for actor in cast.people().values():
        if actor == cast.admin:
            continue
        for deed in (
            lambda who: move_organisation(actor=who, organisation=tree.other, parent=tree.top),
            lambda who: update_organisation(actor=who, organisation=tree.other, name="改名"),
            lambda who: retire_organisation(actor=who, organisation=tree.other),
            lambda who: arrange_organisations(actor=who, county=cast.county, new=[NewOrganisation("新的")]),
        ):
            with pytest.raises((Forbidden, NotFound)):
                deed(actor)
    assert (PartyOrganisation.objects.count(), AuditEntry.objects.count()) == before


def test_many_are_arranged_at_once_in_any_order_or_not_at_all(
    cast: Cast, tree: Tree, django_assert_max_num_queries: Any
) -> None:
    rows = [
        NewOrganisation("第三党支部", parent="机关党总支"),
        NewOrganisation("机关党总支", "general_branch", parent="县直机关工委"),
        NewOrganisation("县直机关工委", "work_committee"),
        *[NewOrganisation(f"机关第{number}党支部", parent="机关党总支") for number in range(60)],
    ]
    change = OrganisationChange(tree.other, parent="机关党总支")
    with django_assert_max_num_queries(25):
        made = arrange_organisations(actor=fresh(cast.admin), county=cast.county, new=rows, changed=[change])
    assert made[0].parent == made[1]
    assert made[1].parent == made[2]
    tree.other.refresh_from_db()
    assert tree.other.parent == made[1]
    sound(cast.county)
    before = PartyOrganisation.objects.count()
    circle = [OrganisationChange(tree.top, parent="白龙塘社区党委")]
    with pytest.raises(Invalid, match="→"):
        arrange_organisations(actor=cast.admin, county=cast.county, new=[NewOrganisation("多余的")], changed=circle)
    assert PartyOrganisation.objects.count() == before
    sound(cast.county)


def test_the_board_counts_what_is_below_and_reads_it_at_once(
    cast: Cast, tree: Tree, django_assert_num_queries: Any
) -> None:
    Member.objects.filter(pk=cast.a.member.pk).update(branch=tree.group)
    Member.objects.filter(pk=cast.a.second_member.pk).update(branch=tree.other)
    retired = create_organisation(actor=cast.admin, county=cast.county, name="旧党支部", parent=tree.committee)
    retire_organisation(actor=cast.admin, organisation=retired)
    viewer = fresh(cast.a.officer)
    organisation_board(viewer)
    with django_assert_num_queries(2):
        board = organisation_board(viewer)
    (top,) = board.branches
    assert (top.organisation, top.members, top.own) == (tree.top, 2, 0)
    assert top.below == [("党委", 1), ("党支部", 2), ("党小组", 1)]
    assert [one.organisation.name for one in top.branches[0].branches] == ["和谐小区党支部", "第二党支部"]
    assert (board.organisations, board.members) == (5, 2)
    compounds = organisation_board(viewer, domain="compound")
    assert (compounds.organisations, compounds.members) == (1, 0)
    assert [branch.found for branch in (compounds.branches[0], compounds.branches[0].branches[0].branches[0])] == [
        False,
        True,
    ]
    assert organisation_board(viewer, place=cast.a.compound).organisations == 1
    assert organisation_board(viewer, place=cast.b.node).branches == []
    assert not organisation_board(fresh(cast.other_county_secretary)).branches


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("中共城北街道工作委员会", "work_committee"),
        ("中共白龙塘社区委员会", "committee"),
        ("县住建局党总支", "general_branch"),
        ("中共县医院总支部委员会", "general_branch"),
        ("和谐小区党支部", "branch"),
        ("中共县一中支部委员会", "branch"),
        ("1 号楼党小组", "group"),
        ("先锋队", ""),
    ],
)
def test_a_name_says_its_kind_by_how_it_ends(name: str, kind: str) -> None:
    assert kind_of_name(name) == kind


STEPS = st.lists(
    st.tuples(st.sampled_from(["create", "move", "top"]), st.integers(0, 30), st.integers(0, 30)), max_size=14
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_forest_is_sound_after_whatever_was_done_to_it(cast: Cast, steps: list[tuple[str, int, int]]) -> None:
    PartyOrganisation.objects.update(parent=None)
    PartyOrganisation.objects.all().delete()
    kept = {"actor": cast.admin}
    rows = [create_organisation(**kept, county=cast.county, name="根", kind="committee")]
    for number, (step, one, other) in enumerate(steps):
        row, parent = rows[one % len(rows)], rows[other % len(rows)]
        with contextlib.suppress(Invalid):  # a circle
            if step == "create":
                name = f"组织{number}"
                rows.append(create_organisation(**kept, county=cast.county, name=name, kind="committee", parent=parent))
            else:
                move_organisation(**kept, organisation=row, parent=parent if step == "move" else None)
    sound(cast.county)
