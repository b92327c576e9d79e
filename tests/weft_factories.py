"""Check-ins, promises, lists and meetings, made with as little as a test needs to say."""

import datetime
from typing import Any

from django.utils import timezone

from core.codes import new_certificate_code, new_matter_code
from core.models import User
from grids.models import County, GridNode
from partybuilding.models import (
    Alliance,
    AllianceSeat,
    CompoundRunning,
    FloatingContact,
    FloatingMember,
    Member,
    Station,
    Unit,
    UnitKind,
)
from services.models import (
    Activity,
    AgendaItem,
    Attendance,
    Bulletin,
    BulletinItem,
    CaseEntry,
    Certificate,
    CheckInApplication,
    Climb,
    Commitment,
    CommitmentProgress,
    Demand,
    Evidence,
    Help,
    HelpCase,
    JointMeeting,
    MatchProposal,
    MatchRun,
    MemberCard,
    MemberCheckIn,
    Milestone,
    Project,
    ProjectResource,
    RateExclusion,
    Resolution,
    Resource,
    Responsibility,
    ServiceRating,
    ServiceRecord,
    Wish,
)
from tests.cast import CommunityCast
from tests.factories import make_demand, next_phone


def today() -> datetime.date:
    return timezone.localdate()


def soon(days: int = 30) -> datetime.date:
    return today() + datetime.timedelta(days=days)


def make_application(unit: Unit, node: GridNode, **fields: Any) -> CheckInApplication:
    return CheckInApplication.objects.create(unit=unit, node=node, **{"brings": "会议室一间、志愿者十名", **fields})


def make_member_checkin(member: Member, node: GridNode, **fields: Any) -> MemberCheckIn:
    return MemberCheckIn.objects.create(
        member=member, node=node, community=node.community, **{"state": "accepted", **fields}
    )


def make_service(checkin: MemberCheckIn, **fields: Any) -> ServiceRecord:
    given = {"served_on": today(), "hours": "1.5", "text": "清理楼道", **fields}
    return ServiceRecord.objects.create(checkin=checkin, **given)


def make_card(member: Member, community: GridNode, **fields: Any) -> MemberCard:
    given = {"unit": member.unit, "quarter": today().replace(month=1, day=1), "services": 1, "hours": "1.5", **fields}
    return MemberCard.objects.create(member=member, community=community, **given)


def make_certificate(member: Member, community: GridNode, **fields: Any) -> Certificate:
    given = {
        "code": new_certificate_code(),
        "since": today(),
        "until": today(),
        "services": 1,
        "hours": "1.5",
        **fields,
    }
    return Certificate.objects.create(county=community.county, member=member, community=community, **given)


def make_commitment(unit: Unit, node: GridNode, **fields: Any) -> Commitment:
    given = {"title": "更换楼道灯", "measure": "12 盏灯都亮", "owner": "王主任", "due_on": soon(), **fields}
    return Commitment.objects.create(county=node.county, unit=unit, node=node, community=node.community, **given)


def make_activity(node: GridNode, *units: Unit, **fields: Any) -> Activity:
    given = {"kind": "hygiene", "title": "环境卫生清理", "held_on": today(), **fields}
    row = Activity.objects.create(county=node.county, node=node, community=node.community, **given)
    row.units.set(units)
    return row


def make_firm(county: County, *compounds: GridNode, name: str = "安居物业公司", **fields: Any) -> Unit:
    """A property firm that runs some compounds and has reported nowhere."""
    firm = Unit.objects.create(county=county, name=name, **{"kind": UnitKind.PROPERTY, "domain": "property", **fields})
    for node in compounds:
        CompoundRunning.objects.create(node=node, county=county, management="managed", firm_name=name, firm=firm)
    return firm


def make_resource(unit: Unit | None, node: GridNode, **fields: Any) -> Resource:
    given = {"kind": "place", "name": "三楼会议室", "quantity": 1, "measure": "间", "state": "available", **fields}
    return Resource.objects.create(county=node.county, unit=unit, node=node, **given)


def make_project(node: GridNode, lead: Unit | None = None, **fields: Any) -> Project:
    given = {
        "code": new_matter_code(today()),
        "name": "楼道亮化",
        "state": "running" if lead else "draft",
        "due_on": soon(),
        **fields,
    }
    return Project.objects.create(county=node.county, node=node, community=node.community, lead_unit=lead, **given)


def make_responsibility(project: Project, **fields: Any) -> Responsibility:
    given = {"unit": project.lead_unit, "person": "王主任", "measure": "换灯", "due_on": soon(), **fields}
    return Responsibility.objects.create(project=project, **given)


def make_meeting(node: GridNode, *units: Unit, **fields: Any) -> JointMeeting:
    given = {
        "title": "第三季度联席会议",
        "quarter": today().replace(day=1),
        "held_at": timezone.now(),
        "venue": "社区会议室",
        "state": "published",
        **fields,
    }
    row = JointMeeting.objects.create(county=node.county, node=node, **given)
    for unit in units:
        Attendance.objects.create(meeting=row, unit=unit)
    return row


def make_alliance(node: GridNode, *units: Unit, **fields: Any) -> Alliance:
    given = {"kind": "alliance", "name": f"{node.name}党建联盟", **fields}
    row = Alliance.objects.create(county=node.county, node=node, **given)
    for unit in units:
        AllianceSeat.objects.create(alliance=row, role="member", unit=unit, name="李书记")
    return row


def make_floating(node: GridNode, **fields: Any) -> FloatingMember:
    station = Station.objects.create(county=node.county, node=node, name=f"{node.name}流动党员驿站")
    given = {"name": "张流动", "phone": next_phone(), "kept_at": "外省某支部", **fields}
    return FloatingMember.objects.create(county=node.county, station=station, **given)


def make_rating(commitment: Commitment, **fields: Any) -> ServiceRating:
    """What the community says of a promise that was kept."""
    given = {"side": "community", "grade": "satisfied", **fields}
    return ServiceRating.objects.create(
        county=commitment.county,
        community=commitment.community,
        unit=commitment.unit,
        commitment=commitment,
        **given,
    )


def make_case(node: GridNode, officer: User, *units: Unit, **fields: Any) -> HelpCase:
    """A case, with a help of each unit that is being given."""
    given = {
        "code": new_matter_code(today()),
        "title": "突发火灾，一家四口无处居住",
        "text": "房屋过火，急需过渡住处。",
        "consent": "written",
        "consent_on": today(),
        "opened_by": officer,
        **fields,
    }
    row = HelpCase.objects.create(county=node.county, node=node, community=node.community, **given)
    for unit in units:
        make_help(row, unit)
    return row


def make_help(case: HelpCase, unit: Unit, **fields: Any) -> Help:
    given = {"kind": "grant", "wanted": "临时救助金", "state": "helping", "asked_by": case.opened_by, **fields}
    return Help.objects.create(case=case, unit=unit, **given)


def make_wish(node: GridNode, keeper: User, **fields: Any) -> Wish:
    given = {
        "code": new_matter_code(today()),
        "title": "想要一辆轮椅",
        "recipient_kind": "disability",
        "recipient_name": "周某",
        "recipient_phone": next_phone(),
        "consent": "written",
        "cost": 300,
        "state": "open",
        "collected_by": keeper,
        "due_at": timezone.now() + datetime.timedelta(days=30),
        **fields,
    }
    return Wish.objects.create(county=node.county, node=node, community=node.community, **given)


def make_exclusion(demand: Demand, officer: User, **fields: Any) -> RateExclusion:
    given = {"response": True, "reason": "停电三天", "due_at": timezone.now() + datetime.timedelta(days=3), **fields}
    return RateExclusion.objects.create(demand=demand, by=officer, **given)


def make_bulletin(demand: Demand, drafter: User, **fields: Any) -> Bulletin:
    """One that names the demand, published unless told otherwise."""
    given = {
        "year": today().year,
        "number": 1,
        "title": "需求办理情况通报",
        "since": today(),
        "until": today(),
        "state": "published",
        **fields,
    }
    row = Bulletin.objects.create(county=demand.county, by=drafter, **given)
    BulletinItem.objects.create(
        bulletin=row,
        demand=demand,
        community_id=demand.community_id,
        unit=demand.lead_unit,
        due_at=timezone.now() + datetime.timedelta(days=5),
    )
    return row


def make_climb(demand: Demand, rung: str = "leader", **fields: Any) -> Climb:
    given = {"limit": demand.due_at or timezone.now(), "at": timezone.now(), **fields}
    return Climb.objects.create(demand=demand, rung=rung, **given)


def hang_weft(community: CommunityCast, officer: User) -> None:
    """One of everything of the weft in a community, for tests that walk all models."""
    node, unit, member = community.node, community.unit, community.member
    make_application(community.supporting_unit, community.compound)
    checkin = make_member_checkin(member, community.compound)
    make_service(checkin)
    make_card(member, node)
    make_certificate(member, node)
    commitment = make_commitment(unit, community.building)
    step = CommitmentProgress.objects.create(commitment=commitment, percent=50, text="买了灯")
    make_activity(node, unit)
    resource = make_resource(unit, node)
    project = make_project(community.building, unit)
    project.supporting.add(community.supporting_unit)
    open_project = make_project(community.grid, None, state="open")
    ProjectResource.objects.create(project=project, resource=resource, quantity=1)
    Milestone.objects.create(project=project, title="进场", due_on=soon())
    Responsibility.objects.create(project=project, unit=unit, person="王主任", measure="换灯", due_on=soon())
    for fields in ({"project": project, "stage": "before"}, {"step": step, "stage": "progress"}):
        Evidence.objects.create(file="x.jpg", size=1, digest="0", **fields)
    demand = make_demand(community.building, state="accepted")
    run = MatchRun.objects.create(county=node.county, node=node, demands=1, resources=1)
    MatchProposal.objects.create(run=run, demand=demand, resource=resource, score=60, reasons=["类别相同"])
    meeting = make_meeting(node, unit)
    item = AgendaItem.objects.create(meeting=meeting, order=1, title="楼道亮化", project=open_project)
    Resolution.objects.create(meeting=meeting, item=item, kind="task", text="换灯", owner="王主任", due_on=soon())
    ServiceRating.objects.create(
        county=node.county,
        community=node,
        unit=unit,
        side="community",
        commitment=commitment,
        grade="satisfied",
        by=officer,
    )
    make_alliance(node, unit)
    FloatingContact.objects.create(floating=make_floating(node), contacted_on=today(), text="通了电话")
    hang_cases_and_wishes(community, officer)


def hang_cases_and_wishes(community: CommunityCast, officer: User) -> None:
    case = make_case(community.building, officer, community.unit)
    make_help(case, community.supporting_unit, state="asked")
    declined = make_case(community.building, officer)
    make_help(declined, community.unit, state="declined")
    for one in (case, declined):
        CaseEntry.objects.create(case=one, name="open", title="建案", actor=officer)
    for fields in (
        {"state": "collected"},
        {"state": "open"},
        {"state": "adopted", "unit": community.unit},
        {"state": "adopted", "member": community.member},
    ):
        make_wish(community.building, officer, **fields)
