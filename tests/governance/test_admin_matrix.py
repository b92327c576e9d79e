"""Who gets where in the admin: each model by each role, inside and outside their scope. The tables here are the promise;
nothing in them is computed from the code under test."""

import datetime
import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import TokenProxy

from core.actors import SYSTEM
from core.admin_sheets import SheetAdmin
from core.models import AuditEntry, CalendarDay, NoticeTemplate, OutboxMessage, User
from core.sheets.base import registered
from grids.actions import register_remediation
from grids.models import Appointment, CareCadence, CareHousehold, County, GridNode, Level, Remediation, Vacancy
from partybuilding.models import (
    Alliance,
    AllianceSeat,
    Compound,
    FloatingMember,
    Member,
    Pairing,
    PairingProblem,
    PairingVisit,
    PartyOrganisation,
    Station,
    Unit,
    UnitMembership,
)
from services.actions.rule_versions import rules_in_force
from services.actions.settings import set_calendar_day
from services.models import (
    Activity,
    AgendaItem,
    Bulletin,
    BulletinItem,
    Category,
    CategoryLearning,
    Certificate,
    CheckInApplication,
    Commitment,
    Demand,
    Help,
    HelpCase,
    JointMeeting,
    LoopSettings,
    MatchProposal,
    MatchRun,
    MemberCard,
    MemberCheckIn,
    OutsideMatter,
    Project,
    RateExclusion,
    Resolution,
    Resource,
    Responsibility,
    RoutingRule,
    RuleVersion,
    ServiceRating,
    ServiceRecord,
    UnitCheckIn,
    Wish,
)
from tests import factories as make
from tests import weft_factories as weft
from tests.cast import Cast
from tests.weft_factories import (
    make_alliance,
    make_application,
    make_floating,
    make_meeting,
    make_project,
    make_resource,
    soon,
)

# Every page for everybody: said once, on the engine that counties run on and that forgives least.
pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

COMMUNITY = ["a.secretary", "a.officer", "a.team_lead"]
STREET = ["street_secretary", "street_officer"]
DEPARTMENT, ADMIN, AUDITOR = ["department"], ["admin"], ["auditor"]
# They keep what lies below them.
KEEP = ["a.secretary", "a.officer", *STREET, *ADMIN]
# The care ledger is the community's own; its keepers have it on the phone.
CARE = ["a.secretary", "a.officer"]
CADRES = [*COMMUNITY, *STREET, *DEPARTMENT]
DESK = [*CADRES, *ADMIN, *AUDITOR, "superuser"]
# Work on the phone, or nowhere.
NOT_AT_THE_DESK = [
    "a.keeper",
    "a.building_head",
    "a.liaison",
    "a.staff",
    "a.member",
    "a.second_member",
    "a.supporting_liaison",
    "a.supporting_member",
    "idle_liaison",
    "nobody",
]
# They write down visits to paired places.
VISITS = ["a.secretary", "a.officer", *STREET, *DEPARTMENT]

LISTS: dict[type, list[str]] = {
    Demand: CADRES,
    GridNode: [*CADRES, *ADMIN],
    Appointment: [*CADRES, *ADMIN],
    Vacancy: [*CADRES, *ADMIN],
    Unit: [*CADRES, *ADMIN],
    PartyOrganisation: [*CADRES, *ADMIN],
    UnitMembership: [*DEPARTMENT, *ADMIN],
    Member: [*DEPARTMENT, *ADMIN],
    UnitCheckIn: [*CADRES, *ADMIN],
    CheckInApplication: [*CADRES, *ADMIN],
    Category: [*CADRES, *ADMIN],
    **{model: [*CADRES, *ADMIN] for model in (RoutingRule, OutsideMatter, CategoryLearning)},
    LoopSettings: [*CADRES, *ADMIN],
    RuleVersion: [*CADRES, *ADMIN],
    CalendarDay: ADMIN,
    County: ADMIN,
    Level: ADMIN,
    Compound: [*CADRES, *ADMIN],
    Remediation: [*CADRES, *ADMIN],
    User: ADMIN,
    AuditEntry: AUDITOR,
    OutboxMessage: ADMIN,
    NoticeTemplate: ADMIN,
    CareHousehold: CARE,
    CareCadence: ADMIN,
    Pairing: [*CADRES, *ADMIN],
    **{model: [*COMMUNITY, *DEPARTMENT] for model in (MemberCheckIn, ServiceRecord, MemberCard, Certificate)},
    PairingProblem: [*CADRES, *ADMIN],
    PairingVisit: [*CADRES, *ADMIN],
    MatchRun: CADRES,
    MatchProposal: CADRES,
    HelpCase: COMMUNITY,
    Help: COMMUNITY,
    **dict.fromkeys((RateExclusion, Bulletin, BulletinItem), CADRES),
    Commitment: CADRES,
    Wish: CADRES,
    Activity: CADRES,
    ServiceRating: CADRES,
    Alliance: [*CADRES, *ADMIN],
    AllianceSeat: [*CADRES, *ADMIN],
    Resource: CADRES,
    Project: CADRES,
    Responsibility: CADRES,
    JointMeeting: CADRES,
    AgendaItem: CADRES,
    Resolution: CADRES,
    Station: [*CADRES, *ADMIN],
    FloatingMember: CARE,
}
ADDS: dict[type, list[str]] = {
    Demand: [*COMMUNITY, *STREET],
    GridNode: KEEP,
    Appointment: KEEP,
    Vacancy: [],
    Unit: ADMIN,
    PartyOrganisation: ADMIN,
    UnitMembership: ADMIN,
    Member: ADMIN,
    UnitCheckIn: [*COMMUNITY, *STREET, *ADMIN],
    CheckInApplication: [],
    Category: ADMIN,
    RoutingRule: DEPARTMENT,
    OutsideMatter: DEPARTMENT,
    CategoryLearning: [],
    LoopSettings: [],
    RuleVersion: [],
    CalendarDay: ADMIN,
    County: [],
    Level: ADMIN,
    Compound: [],
    Remediation: KEEP,
    User: ADMIN,
    AuditEntry: [],
    OutboxMessage: [],
    NoticeTemplate: ADMIN,
    CareHousehold: CARE,
    CareCadence: ADMIN,
    Pairing: [*KEEP, *DEPARTMENT],
    MemberCheckIn: COMMUNITY,
    MemberCard: COMMUNITY,
    ServiceRecord: [],
    Certificate: [],
    PairingProblem: [],
    PairingVisit: [],
    MatchRun: [*COMMUNITY, *STREET],
    MatchProposal: [],
    HelpCase: COMMUNITY,
    Help: [],
    RateExclusion: [*COMMUNITY, *STREET],
    Bulletin: DEPARTMENT,
    BulletinItem: [],
    Commitment: [*COMMUNITY, *STREET],
    Wish: COMMUNITY,
    Activity: COMMUNITY,
    ServiceRating: COMMUNITY,
    Alliance: [*KEEP, *DEPARTMENT],
    AllianceSeat: [],
    Resource: [*COMMUNITY, *STREET],
    Project: [*COMMUNITY, *STREET],
    Responsibility: [],
    JointMeeting: CADRES,
    AgendaItem: [],
    Resolution: [],
    Station: [*CARE, *ADMIN],
    FloatingMember: CARE,
}
# Model -> the deed that changes a row, and who may.
CHANGES: dict[type, tuple[str, list[str]]] = {
    GridNode: ("describe", KEEP),
    Appointment: ("end", KEEP),
    Unit: ("edit", ADMIN),
    PartyOrganisation: ("edit", ADMIN),
    UnitMembership: ("end", ADMIN),
    Member: ("edit", ADMIN),
    UnitCheckIn: ("end", [*COMMUNITY, *STREET, *ADMIN]),
    CheckInApplication: ("accept", [*COMMUNITY, *STREET, *ADMIN]),
    Category: ("edit", ADMIN),
    RoutingRule: ("edit", DEPARTMENT),
    OutsideMatter: ("edit", DEPARTMENT),
    LoopSettings: ("edit", ADMIN),
    Level: ("edit", ADMIN),
    Compound: ("describe", KEEP),
    Remediation: ("edit", KEEP),
    User: ("reset", ADMIN),
    CareHousehold: ("visit", CARE),
    Pairing: ("change", [*KEEP, *DEPARTMENT]),
    MemberCheckIn: ("change", COMMUNITY),
    ServiceRecord: ("confirm", COMMUNITY),
    Certificate: ("revoke", COMMUNITY),
    PairingProblem: ("solve", VISITS),
    PairingVisit: ("correct", VISITS),
    MatchProposal: ("refuse", [*COMMUNITY, *STREET]),
    HelpCase: ("change", COMMUNITY),
    Help: ("end", COMMUNITY),
    RateExclusion: ("approve", DEPARTMENT),
    Bulletin: ("withdraw", DEPARTMENT),
    BulletinItem: ("settle", DEPARTMENT),
    Commitment: ("change", [*COMMUNITY, *STREET]),
    Wish: ("change", COMMUNITY),
    Activity: ("edit", COMMUNITY),
    Alliance: ("edit", [*KEEP, *DEPARTMENT]),
    Station: ("edit", [*CARE, *ADMIN]),
    FloatingMember: ("contact", CARE),
    AllianceSeat: ("change", [*KEEP, *DEPARTMENT]),
    Resource: ("change", [*COMMUNITY, *STREET]),
    Project: ("change", [*COMMUNITY, *STREET]),
    Responsibility: ("change", [*COMMUNITY, *STREET]),
    JointMeeting: ("change", CADRES),
    AgendaItem: ("change", CADRES),
    Resolution: ("correct", CADRES),
    OutboxMessage: ("resend", ADMIN),
    NoticeTemplate: ("change", ADMIN),
}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def url(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def inside(cast: Cast) -> dict[type, Any]:
    """A row of each model that belongs to community `a` or its county."""
    demand = make.make_demand(cast.a.building, cast.category)
    return {
        Demand: demand,
        GridNode: cast.a.building,
        Appointment: Appointment.objects.get(user=cast.a.keeper),
        Vacancy: Vacancy.objects.get(pk=cast.a.building.pk),
        Unit: cast.a.unit,
        PartyOrganisation: make.make_organisation(cast.county, "白龙塘社区党委"),
        UnitMembership: UnitMembership.objects.get(user=cast.a.liaison),
        Member: cast.a.member,
        UnitCheckIn: UnitCheckIn.objects.get(unit=cast.a.unit),
        CheckInApplication: make_application(cast.a.unit, cast.a.compound),
        Category: cast.category,
        **routing_rows(cast.county, cast.a.unit),
        LoopSettings: cast.settings,
        RuleVersion: make_version(cast.county),
        County: cast.county,
        Level: cast.county.levels.get(key="grid"),
        Compound: Compound.objects.get(pk=cast.a.compound.pk),
        Remediation: project_at(cast.a.compound),
        CalendarDay: set_calendar_day(actor=SYSTEM, date=datetime.date(2027, 5, 4), is_working=False, note="县庆"),
        User: cast.a.officer,
        **notice_rows(cast.county),
        CareHousehold: make.make_household(cast.a.building),
        CareCadence: CareCadence.objects.create(county=cast.county, kind="low_income", days=60),
        **pairing_rows(cast.a.compound, cast.a.unit),
        **member_rows(cast.a.member, cast.a.compound),
        **meeting_rows(cast.a.node, cast.a.unit),
        **match_rows(cast.a.node, cast.a.unit, demand),
        **rate_rows(demand, cast.a.officer, cast.department),
        **promise_rows(cast.a.node, cast.a.unit),
        **case_rows(cast.a.node, cast.a.officer, cast.a.unit),
        **party_rows(cast.a.node, cast.a.unit),
    }


def routing_rows(county: County, unit: Unit) -> dict[type, Any]:
    return {
        RoutingRule: RoutingRule.objects.create(county=county, name="小区事项", unit=unit),
        OutsideMatter: OutsideMatter.objects.create(county=county, name="违法建设拆除", words=["违建"]),
        CategoryLearning: CategoryLearning.objects.create(county=county),
    }


def notice_rows(county: County) -> dict[type, Any]:
    return {
        OutboxMessage: OutboxMessage.objects.create(
            key=f"lost:{county.pk}", kind="job", title="后台任务", channel="sms", county_key=county.pk, state="failed"
        ),
        NoticeTemplate: NoticeTemplate.objects.create(county_key=county.pk, kind="job", title="{系统标题}"),
    }


def match_rows(node: GridNode, unit: Unit, demand: Demand) -> dict[type, Any]:
    run = MatchRun.objects.create(county=node.county, node=node, demands=1, resources=1)
    resource = make_resource(unit, node)
    made = MatchProposal.objects.create(run=run, demand=demand, resource=resource, score=60, reasons=["类别相同"])
    project = make_project(node, unit)
    duty = Responsibility.objects.create(
        project=project, unit=unit, person="王主任", measure="换灯", due_on="2027-01-01"
    )
    return {MatchRun: run, MatchProposal: made, Resource: resource, Project: project, Responsibility: duty}


def rate_rows(demand: Demand, officer: User, drafter: User) -> dict[type, Any]:
    bulletin = weft.make_bulletin(demand, drafter)
    return {
        RateExclusion: weft.make_exclusion(demand, officer),
        Bulletin: bulletin,
        BulletinItem: bulletin.items.get(),
    }


def meeting_rows(node: GridNode, unit: Unit) -> dict[type, Any]:
    meeting = make_meeting(node, unit)
    item = AgendaItem.objects.create(meeting=meeting, order=1, title="楼道亮化")
    made = Resolution.objects.create(
        meeting=meeting, item=item, kind="task", text="换灯", owner="王主任", due_on=soon()
    )
    return {JointMeeting: meeting, AgendaItem: item, Resolution: made}


def pairing_rows(node: GridNode, unit: Unit) -> dict[type, Any]:
    pairing = make.make_pairing(node, unit)
    return {
        Pairing: pairing,
        PairingProblem: make.make_problem(pairing),
        PairingVisit: make.make_visit(pairing),
    }


def member_rows(member: Member, node: GridNode) -> dict[type, Any]:
    checkin = weft.make_member_checkin(member, node)
    return {
        MemberCheckIn: checkin,
        ServiceRecord: weft.make_service(checkin),
        MemberCard: weft.make_card(member, checkin.community),
        Certificate: weft.make_certificate(member, checkin.community),
    }


def case_rows(node: GridNode, officer: User, unit: Unit) -> dict[type, Any]:
    case = weft.make_case(node, officer, unit)
    return {HelpCase: case, Help: case.helps.get()}


def promise_rows(node: GridNode, unit: Unit) -> dict[type, Any]:
    commitment = weft.make_commitment(unit, node)
    return {
        Commitment: commitment,
        Activity: weft.make_activity(node, unit),
        Wish: weft.make_wish(node, make.make_user("征集人")),
        ServiceRating: weft.make_rating(weft.make_commitment(unit, node, title="清理杂物", state="done")),
    }


def party_rows(node: GridNode, unit: Unit) -> dict[type, Any]:
    alliance = make_alliance(node, unit)
    floating = make_floating(node)
    return {
        Alliance: alliance,
        AllianceSeat: alliance.seats.get(),
        Station: floating.station,
        FloatingMember: floating,
    }


def outside(cast: Cast) -> dict[type, Any]:
    """A row of each model that nobody of county `cast.county` may know of."""
    county = cast.other_county
    unit = make.make_unit(county, "邻县住建局")
    return {
        Demand: make.make_demand(cast.other_county_community),
        GridNode: cast.other_county_community,
        Appointment: Appointment.objects.get(user=cast.other_county_secretary),
        Vacancy: Vacancy.objects.get(pk=cast.other_county_community.pk),
        Unit: unit,
        PartyOrganisation: make.make_organisation(county, "邻县党委"),
        UnitMembership: UnitMembership.objects.get(user=make.make_unit_person("邻县联络员", unit)),
        Member: make.make_member("邻县党员", unit),
        UnitCheckIn: make.check_in(unit, cast.other_county_community),
        CheckInApplication: make_application(unit, cast.other_county_community),
        Category: Category.objects.filter(county=county).first(),
        **routing_rows(county, unit),
        LoopSettings: LoopSettings.objects.get(county=county),
        RuleVersion: make_version(county),
        County: county,
        Level: county.levels.get(key="grid"),
        Compound: Compound.objects.get(
            pk=(far := make.make_node(cast.other_county_community, "compound", "远处小区")).pk
        ),
        Remediation: project_at(far),
        User: cast.other_county_secretary,
        CareHousehold: make.make_household(cast.other_county_community),
        **notice_rows(county),
        **pairing_rows(cast.other_county_community, unit),
        **member_rows(make.make_member("邻县报到党员", unit), cast.other_county_community),
        **meeting_rows(cast.other_county_community, unit),
        **match_rows(cast.other_county_community, unit, make.make_demand(cast.other_county_community)),
        **rate_rows(
            make.make_demand(cast.other_county_community), cast.other_county_secretary, cast.other_county_department
        ),
        **promise_rows(cast.other_county_community, unit),
        **case_rows(cast.other_county_community, cast.other_county_secretary, unit),
        **party_rows(cast.other_county_community, unit),
    }


def make_version(county: County) -> RuleVersion:
    return RuleVersion.objects.create(county=county, number=1, rules=rules_in_force(county))


def project_at(node: GridNode) -> Remediation:
    return register_remediation(actor=SYSTEM, node=node, kind="lift", title="加装电梯")


def test_the_matrix_speaks_of_every_page_of_the_admin() -> None:
    assert set(LISTS) == set(ADDS) == set(admin.site._registry)


# Pages beside the five that every model has (list, new, suggestions, row, deed).
OWN_PAGES = {
    Compound: {"figures", "figures_ledger"},
    GridNode: {"tree"},
    CalendarDay: {"year"},
    RuleVersion: {"numbered"},
    Level: {"preset"},
    Demand: {
        "move",
        "contact",
        "bulk",
        "triage",
        "triage_job",
        "export",
        "import",
        "import_template",
        "import_job",
        "import_confirm",
        "firms",
        "firms_ledger",
        "firm_review",
    },
    OutboxMessage: {"bulk", "channels", "test"},
    NoticeTemplate: {"kinds"},
    User: {"import_door", "handout"},
    CareHousehold: {"figures"},
    Vacancy: {"coverage", "coverage_place"},
    Pairing: {"gaps", "guides"},
    ServiceRecord: {"send_back"},
    PartyOrganisation: {"tree"},
    MatchRun: {"accept"},
    RoutingRule: {"preview"},
    Commitment: {"figures", "figures_ledger"},
    Bulletin: {"paper"},
    ServiceRating: {"figures"},
    Wish: {"figures", "figures_ledger"},
    Project: {"lists"},
    JointMeeting: {"figures", "table", "live", "minutes", "sign_in"},
}
# And those of every list with a table (core.admin_sheets).
TABLE_PAGES = {"import", "import_template", "import_job", "import_confirm", "export"}
# Table -> who brings it in, and who takes it out.
TABLES: dict[str, tuple[list[str], list[str]]] = {
    **dict.fromkeys(("cadres", "liaisons", "members"), (ADMIN, [])),
    "people": ([], ADMIN),
    "units": (ADMIN, [*CADRES, *ADMIN]),
    "organisations": (ADMIN, [*CADRES, *ADMIN]),
    "floating": (CARE, CARE),
    "alliance_seats": ([*KEEP, *DEPARTMENT], [*CADRES, *ADMIN]),
    "levels": (ADMIN, ADMIN),
    "households": (CARE, CARE),
    "appointments": (KEEP, [*CADRES, *ADMIN]),
    "coverage": ([], [*CADRES, *ADMIN]),
    "vacancies": ([], [*CADRES, *ADMIN]),
    "pairings": ([*KEEP, *DEPARTMENT], [*CADRES, *ADMIN]),
    "match_proposals": ([], CADRES),
    "pairing_gaps": ([], [*CADRES, *ADMIN]),
    "pairing_loads": ([], [*CADRES, *ADMIN]),
    "member_checkins": (COMMUNITY, [*COMMUNITY, *DEPARTMENT]),
    "member_services": ([], [*COMMUNITY, *DEPARTMENT]),
    "member_cards": ([], [*COMMUNITY, *DEPARTMENT]),
    "pairing_problems": ([], [*CADRES, *ADMIN]),
    "pairing_visits": ([], [*CADRES, *ADMIN]),
    "checkins": ([*COMMUNITY, *STREET, *ADMIN], [*CADRES, *ADMIN]),
    "compounds": (KEEP, [*CADRES, *ADMIN]),
    "remediations": (KEEP, [*CADRES, *ADMIN]),
    "commitments": ([*COMMUNITY, *STREET], CADRES),
    "activities": (COMMUNITY, CADRES),
    "ratings": ([], CADRES),
    "nodes": (KEEP, [*CADRES, *ADMIN]),
    **dict.fromkeys(("resources", "projects", "responsibilities"), ([*COMMUNITY, *STREET], CADRES)),
    "wishes": (COMMUNITY, [*CADRES]),
    "meetings": ([], CADRES),
    "resolutions": ([], CADRES),
}
SITE_PAGES = {"index", "login", "logout", "password_change", "app_list", "find", "burden"}


def test_every_address_of_the_admin_was_thought_about() -> None:
    found: dict[str, set[str]] = {"": set()}
    for pattern in admin.site.get_urls():
        for one in getattr(pattern, "url_patterns", [pattern]):
            if one.name:
                model = next(
                    (m for m in LISTS if one.name.startswith(f"{m._meta.app_label}_{m._meta.model_name}_")), None
                )
                key = model.__name__ if model else ""
                prefix = f"{model._meta.app_label}_{model._meta.model_name}_" if model else ""
                found.setdefault(key, set()).add(one.name.removeprefix(prefix))
    common = {"changelist", "add", "lookup", "change", "deed"}
    expected = {model.__name__: common | OWN_PAGES.get(model, set()) for model in LISTS}
    for model in with_tables():
        expected[model.__name__] |= TABLE_PAGES
    assert found == {"": SITE_PAGES, **expected}


def with_tables() -> dict[type, list[str]]:
    """Model -> the keys of the tables on its page."""
    pages = admin.site._registry.items()
    return {model: list(page.sheets) for model, page in pages if isinstance(page, SheetAdmin)}


def test_tables_come_and_go_with_those_who_may(cast: Cast) -> None:
    hung = {key: model for model, keys in with_tables().items() for key in keys}
    assert set(hung) == set(TABLES) == {sheet.key for sheet in registered()}
    found, expected = {}, {}
    for name, client in at_the_desk(cast).items():
        for key, (importers, exporters) in TABLES.items():
            for page, allowed in (("import", importers), ("import_template", importers), ("export", exporters)):
                found[name, f"{key} {page}"] = client.get(url(hung[key], page, key)).status_code
                expected[name, f"{key} {page}"] = 200 if name in allowed else 403
    assert wrong(found, expected) == {}


@pytest.mark.parametrize("path", ["autocomplete/", "r/1/1/", "search/?s=a", "jsi18n/", "services/demand/1/delete/"])
def test_doors_of_the_framework_that_ask_no_policy_are_closed(cast: Cast, path: str) -> None:
    assert signed_in(cast.a.officer).get(f"/admin/{path}").status_code == 404


def test_what_other_packages_bring_along_is_not_on_the_desk() -> None:
    assert not admin.site.is_registered(Group)
    assert not admin.site.is_registered(TokenProxy)


def test_who_does_not_work_at_the_desk_is_shown_the_door(cast: Cast) -> None:
    people = cast.people()
    for name in NOT_AT_THE_DESK:
        client = signed_in(people[name])
        for address in ("/admin/", url(Demand, "changelist"), url(GridNode, "changelist"), url(User, "add")):
            answer = client.get(address)
            assert answer.status_code == 302, (name, address)
            assert answer["Location"].startswith("/admin/login/"), (name, address)


def at_the_desk(cast: Cast) -> dict[str, Client]:
    people = cast.people()
    return {name: signed_in(people[name]) for name in DESK}


def wrong(
    found: dict[tuple[str, str], int], expected: dict[tuple[str, str], int]
) -> dict[tuple[str, str], tuple[int, int]]:
    """(role, model) -> (status, promised status) wherever the two differ."""
    return {key: (status, expected[key]) for key, status in found.items() if status != expected[key]}


def test_lists_open_for_those_who_may_see_them(cast: Cast) -> None:
    inside(cast)
    found, expected = {}, {}
    for name, client in at_the_desk(cast).items():
        for model, seers in LISTS.items():
            found[name, model.__name__] = client.get(url(model, "changelist")).status_code
            expected[name, model.__name__] = 200 if name in seers else 403
    assert wrong(found, expected) == {}


def test_new_rows_are_made_by_those_who_may(cast: Cast) -> None:
    found, expected = {}, {}
    for name, client in at_the_desk(cast).items():
        for model, makers in ADDS.items():
            found[name, model.__name__] = client.get(url(model, "add")).status_code
            expected[name, model.__name__] = 200 if name in makers else 403
            if name not in makers:
                assert client.post(url(model, "add"), {"name": "甲"}).status_code == 403, (name, model)
    assert wrong(found, expected) == {}


def test_the_page_of_a_row_is_404_out_of_scope_and_403_without_the_right(cast: Cast) -> None:
    own, strange = inside(cast), outside(cast)
    for name, client in at_the_desk(cast).items():
        found, expected = {}, {}
        for model, row in own.items():
            seen = name in LISTS[model]
            found["own", model.__name__] = client.get(url(model, "change", row.pk)).status_code
            expected["own", model.__name__] = 200 if seen else 403
            if model in strange:
                found["strange", model.__name__] = client.get(url(model, "change", strange[model].pk)).status_code
                expected["strange", model.__name__] = 404 if seen else 403
        assert wrong(found, expected) == {}, name


def test_a_row_is_changed_by_those_who_may(cast: Cast) -> None:
    own, strange = inside(cast), outside(cast)
    for name, client in at_the_desk(cast).items():
        found, expected = {}, {}
        for model, (deed, allowed) in CHANGES.items():
            seen = name in LISTS[model]
            found["own", model.__name__] = client.get(url(model, "deed", own[model].pk, deed)).status_code
            expected["own", model.__name__] = 200 if name in allowed else 403 if seen else 404
            found["strange", model.__name__] = client.get(url(model, "deed", strange[model].pk, deed)).status_code
            expected["strange", model.__name__] = 404
        assert wrong(found, expected) == {}, name


def test_a_neighbouring_community_is_invisible(cast: Cast) -> None:
    rows = inside(cast)
    for stranger in (cast.b.secretary, cast.other_street_officer, cast.other_county_secretary):
        client = signed_in(stranger)
        for model in (GridNode, Appointment, UnitCheckIn, Demand):
            page = url(model, "change", rows[model].pk)
            assert client.get(page).status_code == 404
            assert page not in client.get(url(model, "changelist")).content.decode()


def test_nothing_is_written_or_deleted_past_the_deeds(cast: Cast) -> None:
    rows = inside(cast)
    client = signed_in(cast.admin)
    for model, row in rows.items():
        if model is Demand:
            continue
        assert client.post(url(model, "change", row.pk), {"name": "改了"}).status_code == 405
        for address in (f"{url(model, 'changelist')}{row.pk}/delete/", f"{url(model, 'changelist')}{row.pk}/history/"):
            assert client.get(address).status_code == 404
        assert "delete_selected" not in client.get(url(model, "changelist")).content.decode()
        assert client.post(
            url(model, "changelist"), {"action": "delete_selected", "_selected_action": row.pk, "index": 0}
        )
        assert model.objects.filter(pk=row.pk).exists()  # type: ignore[attr-defined]


def test_suggestions_stay_in_scope(cast: Cast) -> None:
    found = signed_in(cast.a.officer).get(url(GridNode, "lookup"), {"q": "1 号楼"}).json()["results"]
    assert [row["id"] for row in found] == [cast.a.building.pk, cast.a.entrance.pk, cast.a.floor.pk]
    assert signed_in(cast.a.officer).get(url(User, "lookup"), {"q": "两委"}).status_code == 403
    people = signed_in(cast.admin).get(url(User, "lookup"), {"q": "邻县"}).json()["results"]
    assert people == []


def test_no_choice_of_a_form_leads_out_of_scope(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    strange = {"unit": "县交通局", "node": cast.b.building.path, "role": "lead", "start": "2026-03-05"}
    answer = client.post(url(UnitCheckIn, "add"), strange)
    assert answer.status_code == 200
    assert "没有找到" in answer.content.decode()
    assert not UnitCheckIn.objects.filter(node=cast.b.building).exists()
    # The key of the neighbour's building, sent along by hand.
    answer = client.post(url(UnitCheckIn, "add"), {**strange, "node_key": str(cast.b.building.pk)})
    assert "没有找到" in answer.content.decode()
    assert not UnitCheckIn.objects.filter(node=cast.b.building).exists()


def test_no_entry_of_the_menu_leads_to_a_closed_door(cast: Cast) -> None:
    for name, client in at_the_desk(cast).items():
        page = client.get("/admin/").content.decode()
        menu = re.search(r'<nav class="side".*?</nav>', page, re.S)
        assert menu
        links = set(re.findall(r'class="side__link"\s+href="([^"]+)"', menu[0]))
        assert "/admin/" in links
        for link in links:
            assert client.get(link.replace("&amp;", "&"), follow=True).status_code == 200, (name, link)


def test_running_the_machine_opens_no_personal_data(cast: Cast) -> None:
    inside(cast)
    client = signed_in(cast.superuser)
    page = client.get("/admin/").content.decode()
    assert "系统维护不等于查看居民信息" in page
    assert "楼道灯不亮" not in page
    for model in LISTS:
        assert client.get(url(model, "changelist")).status_code == 403
