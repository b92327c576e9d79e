"""`visible_to` and `policies.sees` agree: every model, every role, inside and outside; and nobody sees too much."""

import datetime
from collections.abc import Iterable
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.utils import timezone

from core import audit, policies
from core.actors import SYSTEM
from core.models import AuditEntry, NoticeTemplate, OutboxMessage, User
from grids.actions import move_node
from grids.models import (
    Appointment,
    CareCadence,
    CareHousehold,
    CareVisit,
    CompoundProfile,
    County,
    Facility,
    GridNode,
    Remediation,
    RemediationPhoto,
)
from partybuilding.models import (
    Alliance,
    AllianceSeat,
    CompoundRunning,
    FloatingContact,
    FloatingMember,
    Member,
    Pairing,
    PairingGuide,
    PairingProblem,
    PairingVisit,
    PartyOrganisation,
    Station,
    Unit,
    UnitMembership,
)
from services.actions import tallies
from services.models import (
    Activity,
    AgendaItem,
    Assignment,
    Attendance,
    Bulletin,
    BulletinItem,
    CaseEntry,
    Category,
    CategoryLearning,
    Certificate,
    CheckInApplication,
    Climb,
    Commitment,
    CommitmentProgress,
    Demand,
    DemandEvent,
    Evaluation,
    Extension,
    FollowUp,
    Help,
    HelpCase,
    JointMeeting,
    LoopSettings,
    MatchProposal,
    MatchRun,
    MemberCard,
    MemberCheckIn,
    Milestone,
    OutsideMatter,
    Parking,
    Photo,
    Project,
    ProjectResource,
    RateExclusion,
    Resolution,
    Resource,
    Responsibility,
    RoutingRule,
    RuleVersion,
    ServiceRating,
    ServiceRecord,
    SubOrder,
    Supervision,
    Tally,
    UnitCheckIn,
    Whistle,
    Wish,
)
from tests import factories as make
from tests.cast import Cast, CommunityCast
from tests.factories import fresh
from tests.weft_factories import hang_weft, make_meeting, make_resource

pytestmark = pytest.mark.django_db

# Rows without a scope of their own: seen by their reader alone, or machinery nobody looks at through a policy.
WITHOUT_POLICY = {
    "Notice",
    "NoticePreference",
    "DigestEntry",
    "ChannelState",
    "Job",
    "AuditSeal",
    "CalendarDay",
    "ThrottleHit",
}


@pytest.fixture
def world(cast: Cast) -> Cast:
    """In both communities, and in the county next door, one of everything that hangs on a demand."""
    for community in (cast.a, cast.b):
        offered = make.make_demand(community.building, cast.category, state="published", published_at=timezone.now())
        demand = make.make_demand(community.building, cast.category, state="dispatched")
        suborder = make.make_suborder(demand, community.unit)
        returned = make.make_suborder(demand, community.supporting_unit, "supporting")
        for one in (demand, offered):
            _hang_everything(one, suborder if one is demand else None, community.officer)
        Assignment.objects.create(suborder=suborder, member=community.member, asked_by=community.liaison)
        Assignment.objects.create(
            suborder=returned, member=community.supporting_member, asked_by=community.liaison, state="passed_up"
        )
        audit_row(community.officer, demand)
        make_compound(community.compound)
        make_pairings(community)
        hang_weft(community, community.officer)
        household = make.make_household(community.building, ("elderly_alone", "low_income"))
        CareVisit.objects.create(household=household, visited_on=timezone.localdate(), visited_by=community.keeper)
    make.make_organisation(cast.county, "城北街道党工委")
    for place in (cast.street, cast.other_street):
        make_resource(None, place)
        make_meeting(place)
    make_meeting(cast.street, cast.a.unit, state="planned")
    county_meeting = make_meeting(cast.other_county_community, title="县联席会议")
    JointMeeting.objects.filter(pk=county_meeting.pk).update(node=None)
    JointMeeting.objects.create(
        county=cast.county,
        title="全县联席会议",
        quarter=timezone.localdate(),
        held_at=timezone.now(),
        venue="县委会议室",
    )
    CareCadence.objects.create(county=cast.county, kind="low_income", days=60)
    PairingGuide.objects.create(county=cast.county, kind="leader", most=2)
    RuleVersion.objects.create(county=cast.county, number=1)
    for county in (cast.county.pk, cast.other_county.pk, None):
        OutboxMessage.objects.create(key=f"m{county}", kind="job", title="通知", channel="sms", county_key=county)
        if county is not None:
            NoticeTemplate.objects.create(county_key=county, kind="job", title="{系统标题}")
    RoutingRule.objects.create(county=cast.county, name="小区事项", unit=cast.a.unit)
    OutsideMatter.objects.create(county=cast.county, name="违法建设拆除")
    CategoryLearning.objects.create(county=cast.county)
    make_bulletins(cast)
    tallies.rebuild_tallies(cast.county)
    return cast


def make_bulletins(cast: Cast) -> None:
    """A draft and a published one, each naming a unit of the one community and the other community itself."""
    fields = {
        "county": cast.county,
        "since": timezone.localdate(),
        "until": timezone.localdate(),
        "by": cast.department,
    }
    for number, state in enumerate(("draft", "published"), start=1):
        row = Bulletin.objects.create(year=2026, number=number, title="通报", state=state, **fields)
        for one, unit in ((cast.a, cast.a.unit), (cast.b, None)):
            demand = Demand.objects.filter(community=one.node).first()
            BulletinItem.objects.create(bulletin=row, demand=demand, community=one.node, unit=unit)


def make_compound(node: GridNode) -> None:
    """One of everything that hangs on a compound. Finished projects keep their community, whoever moves."""
    here = {"node": node, "county": node.county}
    profile = CompoundProfile.objects.create(**here)
    Facility.objects.create(profile=profile, kind="lift", count=4)
    CompoundRunning.objects.create(**here, management="managed")
    for title, community in (("加装电梯", node.community), ("更换门禁", GridNode.objects.get(name="新民社区"))):
        project = Remediation.objects.create(**here, kind="lift", title=title, community=community)
        RemediationPhoto.objects.create(remediation=project, stage="before", file="x.jpg", size=1, digest="0")


def make_pairings(community: CommunityCast) -> None:
    """A unit and a person who look after places, with what came of it; one that is over."""
    for pairing in (
        make.make_pairing(community.compound, community.unit),
        make.make_pairing(community.building, community.building_head),
        make.make_pairing(community.grid, community.keeper, end=timezone.localdate() - datetime.timedelta(days=1)),
    ):
        make.make_problem(pairing, visit=make.make_visit(pairing))


def audit_row(actor: User, demand: Demand) -> None:
    audit.record(actor=actor, action="demand.test", obj=demand)


def _hang_everything(demand: Demand, suborder: SubOrder | None, officer: User) -> None:
    event = DemandEvent.objects.create(demand=demand, suborder=suborder, name="raise", title="登记")
    Photo.objects.create(demand=demand, event=event, file="photos/x.jpg", size=1, digest="0")
    Evaluation.objects.create(demand=demand, solved=True, satisfaction="satisfied")
    FollowUp.objects.create(demand=demand, reached=False, by=officer)
    Parking.objects.create(demand=demand, plan="等", until=timezone.localdate(), by=officer)
    Supervision.objects.create(demand=demand, text="催", by=officer, due_at=timezone.now())
    Whistle.objects.create(demand=demand, text="请到场", by=officer, due_at=timezone.now())
    RateExclusion.objects.create(demand=demand, response=True, reason="停电", by=officer, due_at=timezone.now())
    Climb.objects.create(demand=demand, limit=timezone.now(), rung="leader")
    if suborder:
        Extension.objects.create(suborder=suborder, until=timezone.localdate(), reason="等", by=officer)


def models_with_policy() -> list[type[Model]]:
    return sorted(policies.registered(), key=lambda model: model._meta.label)


def test_every_model_has_a_policy_or_a_reason_not_to() -> None:
    ours = {
        model.__name__
        for model in apps.get_models()
        if model._meta.app_label in {"core", "grids", "partybuilding", "services"}
    }
    known = {model.__name__ for model in models_with_policy()}
    assert ours - known == WITHOUT_POLICY


def test_lists_and_objects_agree_for_everybody(world: Cast) -> None:
    # Read once: what an object leads to is the same whoever looks.
    rows = {model: list(model._default_manager.all()) for model in models_with_policy()}
    assert [model.__name__ for model, found in rows.items() if not found] == []
    for name, person in world.people().items():
        user = fresh(person)
        for model, found in rows.items():
            visible = set(policies.visible(model._default_manager.all(), user).values_list("pk", flat=True))
            seen = {obj.pk for obj in found if policies.sees(user, obj)}
            assert visible == seen, (name, model.__name__)


def test_they_agree_of_what_happened_at_a_place_that_has_moved_since(world: Cast) -> None:
    """To the neighbouring community, and on into another street; closed matters stay with the old one."""
    closed = Demand.objects.filter(community=world.a.node).first()
    assert closed is not None
    Demand.objects.filter(pk=closed.pk).update(state="closed_off")
    models = [Demand, SubOrder, DemandEvent, Photo]
    for parent in (world.b.compound, world.other_street_community):
        building, target = (GridNode.objects.get(pk=node.pk) for node in (world.a.building, parent))
        move_node(actor=SYSTEM, node=building, parent=target)
        for name, person in world.people().items():
            user = fresh(person)
            for model in models:
                visible = set(policies.visible(model._default_manager.all(), user).values_list("pk", flat=True))
                seen = {obj.pk for obj in model._default_manager.all() if policies.sees(user, obj)}
                assert visible == seen, (name, model.__name__)
    for person, sees in ((world.a.officer, True), (world.street_officer, True), (world.other_street_officer, False)):
        assert policies.sees(fresh(person), Demand.objects.get(pk=closed.pk)) is sees, person


def test_every_right_agrees_with_its_filter(world: Cast) -> None:
    rights = {
        right for person in world.people().values() for g in policies.grants_of(fresh(person)) for right in g.rights
    }
    demands = list(Demand.objects.all())
    for name, person in world.people().items():
        user = fresh(person)
        for right in sorted(rights):
            inside = set(Demand.objects.filter(policies.within(Demand, user, right)).values_list("pk", flat=True))
            assert inside == {one.pk for one in demands if policies.can(user, right, one)}, (name, right)


def sees_nothing_of(user: User, rows: Iterable[Any]) -> bool:
    return not any(policies.sees(fresh(user), row) for row in rows)


@pytest.mark.parametrize("role", ["secretary", "officer", "team_lead", "keeper", "building_head", "liaison", "staff"])
def test_the_neighbour_sees_nothing_of_this_community(world: Cast, role: str) -> None:
    stranger = world.people()[f"b.{role}"]
    here = {"community": world.a.node}
    assert sees_nothing_of(stranger, Demand.objects.filter(**here))
    assert sees_nothing_of(stranger, SubOrder.objects.filter(demand__community=world.a.node))
    assert sees_nothing_of(stranger, Assignment.objects.filter(suborder__demand__community=world.a.node))
    for model in (DemandEvent, Photo, Evaluation, FollowUp, Supervision, Parking):
        rows = model._default_manager.filter(demand__community=world.a.node)
        assert rows.exists()
        assert sees_nothing_of(stranger, rows)
    assert sees_nothing_of(stranger, GridNode.objects.filter(**here))
    for model, path in (
        (CompoundProfile, "node"),
        (Facility, "profile__node"),
        (CompoundRunning, "node"),
        (Remediation, "node"),
        (RemediationPhoto, "remediation__node"),
        (Pairing, "node"),
        (PairingVisit, "pairing__node"),
        (PairingProblem, "pairing__node"),
        (CheckInApplication, "node"),
        (MemberCheckIn, "node"),
        (ServiceRecord, "checkin__node"),
        (MemberCard, "community"),
        (Certificate, "community"),
        (Commitment, "node"),
        (CommitmentProgress, "commitment__node"),
        (Activity, "node"),
        (Resource, "node"),
        (Project, "node"),
        (ProjectResource, "project__node"),
        (Milestone, "project__node"),
        (Responsibility, "project__node"),
        (MatchRun, "node"),
        (MatchProposal, "run__node"),
        (JointMeeting, "node"),
        (Attendance, "meeting__node"),
        (AgendaItem, "meeting__node"),
        (Resolution, "meeting__node"),
        (ServiceRating, "community"),
        (HelpCase, "node"),
        (Help, "case__node"),
        (CaseEntry, "case__node"),
        (Wish, "node"),
        (Alliance, "node"),
        (AllianceSeat, "alliance__node"),
        (Station, "node"),
        (FloatingMember, "station__node"),
        (FloatingContact, "floating__station__node"),
    ):
        rows = model._default_manager.filter(**{f"{path}__community": world.a.node})
        assert rows.exists() and sees_nothing_of(stranger, rows)
    assert sees_nothing_of(stranger, UnitCheckIn.objects.filter(node=world.a.node))
    assert sees_nothing_of(stranger, Tally.objects.filter(**here))
    assert sees_nothing_of(stranger, Appointment.objects.filter(node__community=world.a.node))
    assert sees_nothing_of(stranger, CareHousehold.objects.filter(**here))
    assert sees_nothing_of(stranger, CareVisit.objects.filter(household__community=world.a.node))


@pytest.mark.parametrize(
    "role", ["street_secretary", "street_officer", "department", "admin", "auditor", "a.team_lead", "a.building_head"]
)
def test_nobody_above_the_community_sees_a_household_in_need(world: Cast, role: str) -> None:
    assert sees_nothing_of(world.people()[role], CareHousehold.objects.all())


@pytest.mark.parametrize("role", ["street_secretary", "department", "admin", "a.keeper", "a.member", "b.secretary"])
def test_a_case_is_seen_by_its_community_and_by_who_helps_alone(world: Cast, role: str) -> None:
    assert sees_nothing_of(world.people()[role], HelpCase.objects.filter(community=world.a.node))
    assert sees_nothing_of(world.a.liaison, HelpCase.objects.filter(community=world.a.node, helps__state="declined"))
    asked = Help.objects.get(case__community=world.a.node, state="asked")
    assert policies.sees(fresh(world.a.supporting_liaison), asked.case)
    assert sees_nothing_of(world.a.supporting_liaison, CaseEntry.objects.filter(case=asked.case))


def test_the_county_next_door_sees_nothing_of_this_one(world: Cast) -> None:
    for stranger in (world.other_county_department, world.other_county_admin, world.other_county_secretary):
        for model in (
            Demand,
            SubOrder,
            Unit,
            Member,
            UnitMembership,
            PartyOrganisation,
            Pairing,
            PairingProblem,
            UnitCheckIn,
            Tally,
            MemberCheckIn,
            Commitment,
            Project,
            Alliance,
            FloatingMember,
        ):
            assert sees_nothing_of(stranger, model._default_manager.all()), (stranger, model)
        for model in (Category, LoopSettings, Resource, JointMeeting):
            assert sees_nothing_of(stranger, model._default_manager.filter(county=world.county))
        assert sees_nothing_of(stranger, County.objects.filter(pk=world.county.pk))
        assert sees_nothing_of(stranger, AuditEntry.objects.filter(county_id=world.county.pk))
        assert sees_nothing_of(stranger, User.objects.filter(county_key=world.county.pk))


def test_whoever_holds_nothing_sees_nothing(world: Cast) -> None:
    for person in (world.nobody, world.superuser):
        for model in models_with_policy():
            assert not policies.visible(model._default_manager.all(), fresh(person)).exists(), (person, model)


def test_an_ended_post_sees_nothing(world: Cast) -> None:
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    Appointment.objects.filter(user=world.a.officer).update(start=yesterday, end=yesterday)
    assert not Demand.objects.visible_to(fresh(world.a.officer)).exists()


def test_the_administrator_manages_accounts_and_sees_no_matters(world: Cast) -> None:
    admin = fresh(world.admin)
    assert User.objects.visible_to(admin).exists()
    assert not Demand.objects.visible_to(admin).exists()
    assert not AuditEntry.objects.visible_to(admin).exists()
    assert AuditEntry.objects.visible_to(fresh(world.auditor)).exists()
    assert not Demand.objects.visible_to(fresh(world.auditor)).exists()


def test_a_unit_that_may_only_claim_sees_no_inner_workings(world: Cast) -> None:
    offered = Demand.objects.get(community=world.a.node, state="published")
    liaison = fresh(world.a.liaison)
    assert policies.sees(liaison, offered)
    assert sees_nothing_of(world.a.liaison, DemandEvent.objects.filter(demand=offered))
    assert sees_nothing_of(world.a.liaison, Photo.objects.filter(demand=offered))
