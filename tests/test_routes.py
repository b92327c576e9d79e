"""Every address and every person: who gets in, who is sent to sign in, who is told no, who finds nothing.

A route that is not listed here fails the suite: nothing is reachable that nobody thought about. The admin's pages are
made alike by one base and walked model by model in tests/governance/test_admin_matrix.py.
"""

import datetime
from collections.abc import Iterator

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from core.actors import SYSTEM
from core.models import Job, Notice
from core.periods import Quarter
from grids.actions import register_remediation
from services.models import (
    AgendaItem,
    CategoryLearning,
    Demand,
    DemandEvent,
    MatchRun,
    OutsideMatter,
    Photo,
    Resolution,
    RoutingRule,
    RuleVersion,
)
from tests import factories as make
from tests import weft_factories as weave
from tests.cast import Cast
from tests.services.test_loop import dispatched
from tests.weft_factories import (
    make_alliance,
    make_application,
    make_card,
    make_certificate,
    make_floating,
    make_meeting,
    make_member_checkin,
    make_service,
)

# Every page for everybody: said once, on the engine that counties run on and that forgives least.
pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

ROLES = [
    "anonymous",
    "officer",
    "keeper",
    "liaison",
    "member",
    "street",
    "department",
    "admin",
    "auditor",
    "neighbour",
    "neighbour_liaison",
    "next_county",
    "superuser",
    "nobody",
]
# Status -> roles; "*" is everybody else. An address is opened with GET: what only takes a POST answers 405.
OPEN = {200: "*"}
POST_ONLY = {405: "*"}
SIGNED_IN = {302: "anonymous", 200: "*"}
OWN = {302: "anonymous", 200: "officer", 404: "*"}
# Who has nothing to do on the phone is led to the own face.
NOT_ON_PHONES = "anonymous admin auditor superuser nobody"
ON_PHONES = {302: NOT_ON_PHONES, 200: "*"}
SEES_DEMAND = "officer keeper liaison street department"
DEMAND_ON_PHONE = {302: NOT_ON_PHONES, 200: SEES_DEMAND, 404: "*"}
CARERS = "officer keeper"
CARE_ON_PHONE = {302: NOT_ON_PHONES, 200: f"{CARERS} neighbour", 403: "*"}
HOUSEHOLD_ON_PHONE = {302: NOT_ON_PHONES, 200: CARERS, 404: "neighbour", 403: "*"}
PAIRING_ON_PHONE = {302: NOT_ON_PHONES, 200: "officer liaison street department", 404: "*"}
CHECKIN_ON_PHONE = PAIRING_ON_PHONE
APPLIES_ON_PHONE = {302: NOT_ON_PHONES, 200: "liaison neighbour_liaison", 403: "*"}
MEMBERS_OWN = {302: NOT_ON_PHONES, 200: "member", 403: "*"}
CHECKIN_BY_KEY = {401: "anonymous", 200: "officer liaison street department admin", 404: "*"}
BY_KEY = {401: "anonymous", 200: "*"}
KEY_TO_POST = {401: "anonymous", 405: "*"}
MEETING_BY_KEY = {401: "anonymous", 200: "officer liaison street department", 404: "*"}
NODE = {401: "anonymous", 200: "officer street department admin", 404: "*"}
CADRES = "officer street department neighbour next_county"
DASHBOARD = {302: "anonymous", 200: CADRES, 403: "*"}
HERE = {302: "anonymous", 200: "officer street department", 404: "neighbour next_county", 403: "*"}

TABLE: dict[str, dict[int, str]] = {
    "front": OPEN,
    "home": {302: "*", 200: "nobody"},
    "login": {200: "anonymous", 302: "*"},
    "logout": POST_ONLY,
    "elder": POST_ONLY,
    "styleguide": OPEN,
    "healthz": OPEN,
    "schema": OPEN,
    "docs": OPEN,
    "token": POST_ONLY,
    "api:me": BY_KEY,
    "api:demands": BY_KEY,
    "api:demand": {401: "anonymous", 200: SEES_DEMAND, 404: "*"},
    "api:contact": KEY_TO_POST,
    "api:move": POST_ONLY,
    "api:nodes": BY_KEY,
    "api:node": NODE,
    "api:node_current": NODE,
    "api:node_children": NODE,
    "api:node_subtree": NODE,
    "api:node_breadcrumb": NODE,
    "api:node_rename": KEY_TO_POST,
    "api:node_describe": KEY_TO_POST,
    "api:node_move": KEY_TO_POST,
    "api:node_retire": KEY_TO_POST,
    "api:appointments": BY_KEY,
    "api:appointment": {401: "anonymous", 200: "officer street department admin", 404: "*"},
    "api:appointment_hand_over": KEY_TO_POST,
    "api:appointment_end": KEY_TO_POST,
    "api:appointment_correct": KEY_TO_POST,
    "api:coverage": {401: "anonymous", 200: "officer street department admin neighbour next_county", 403: "*"},
    "api:vacancies": {401: "anonymous", 200: "officer street department admin neighbour next_county", 403: "*"},
    "api:checkins": BY_KEY,
    "api:checkin_figures": BY_KEY,
    "api:checkin": CHECKIN_BY_KEY,
    "api:checkin_applications": BY_KEY,
    "api:checkin_application": CHECKIN_BY_KEY,
    "api:checkin_accept": KEY_TO_POST,
    "api:checkin_send_back": KEY_TO_POST,
    "api:checkin_decline": KEY_TO_POST,
    "api:matches": BY_KEY,
    "api:match": {401: "anonymous", 200: "officer street department", 404: "*"},
    "api:match_proposals": {401: "anonymous", 200: "officer street department", 404: "*"},
    "api:match_accept": KEY_TO_POST,
    "api:match_refuse": KEY_TO_POST,
    "api:meetings": BY_KEY,
    "api:meeting_figures": BY_KEY,
    "api:meeting": MEETING_BY_KEY,
    "api:meeting_items": BY_KEY,
    "api:meeting_item": MEETING_BY_KEY,
    "api:meeting_item_claim": KEY_TO_POST,
    "api:meeting_item_release": KEY_TO_POST,
    "api:meeting_item_resolve": KEY_TO_POST,
    "api:resolutions": BY_KEY,
    "api:resolution": MEETING_BY_KEY,
    "api:resolution_finish": KEY_TO_POST,
    "api:pairings": BY_KEY,
    "api:pairing": {401: "anonymous", 200: "officer liaison street department admin", 404: "*"},
    "api:pairing_end": KEY_TO_POST,
    "api:pairing_hand_over": KEY_TO_POST,
    "api:pairing_visits": KEY_TO_POST,
    "api:pairing_problems": KEY_TO_POST,
    "api:pairing_solve": KEY_TO_POST,
    "api:node_split": KEY_TO_POST,
    "api:node_merge": KEY_TO_POST,
    "api:node_history": NODE,
    "api:node_hanging": {401: "anonymous", 200: "street admin", 403: "officer department", 404: "*"},
    "api:compounds": BY_KEY,
    "api:compound_figures": BY_KEY,
    "api:compound": NODE,
    "api:compound_describe": KEY_TO_POST,
    "api:compound_running": KEY_TO_POST,
    "api:compound_remediations": KEY_TO_POST,
    "api:remediations": BY_KEY,
    "api:places": BY_KEY,
    "api:categories": BY_KEY,
    "api:limits": BY_KEY,
    "api:rule_versions": BY_KEY,
    "api:rule_version": {401: "anonymous", 200: "officer keeper street department admin neighbour", 404: "*"},
    "api:routing_rules": BY_KEY,
    "api:routing_preview": BY_KEY,
    "api:outside_matters": BY_KEY,
    "api:category_learnings": BY_KEY,
    **{
        name: {401: "anonymous", 200: "officer keeper street department admin neighbour", 404: "*"}
        for name in ("api:routing_rule", "api:outside_matter", "api:category_learning")
    },
    "api:demand_suggestions": {401: "anonymous", 200: "officer street department", 403: "keeper liaison", 404: "*"},
    "api:units": BY_KEY,
    "api:alliances": BY_KEY,
    "api:alliance_figures": BY_KEY,
    "api:alliance": {401: "anonymous", 200: "officer liaison street department admin", 404: "*"},
    "api:stations": BY_KEY,
    "api:floating": {401: "anonymous", 200: "officer neighbour", 403: "*"},
    "api:floating_member": {401: "anonymous", 200: "officer", 404: "*"},
    "api:organisations": BY_KEY,
    "api:organisation_figures": BY_KEY,
    "api:organisation": {401: "anonymous", 200: "officer street department admin neighbour", 404: "*"},
    "api:unit": {401: "anonymous", 200: "officer liaison street department admin neighbour", 404: "*"},
    "api:members": BY_KEY,
    "api:public_place": OPEN,
    "api:public_orders": POST_ONLY,
    "api:public_order": OPEN,
    "api:public_move": POST_ONLY,
    "mobile:todo": ON_PHONES,
    # A street officer chooses the place first.
    "mobile:report": {302: f"{NOT_ON_PHONES} street", 200: "*"},
    "mobile:report_place": {302: "*", 200: "officer keeper street neighbour"},
    "mobile:lists": ON_PHONES,
    "mobile:compounds": ON_PHONES,
    "mobile:compound": {302: NOT_ON_PHONES, 200: "officer street department", 404: "*"},
    "mobile:remediation_photos": {302: NOT_ON_PHONES, 200: "officer street", 403: "department", 404: "*"},
    "mobile:me": ON_PHONES,
    "mobile:demand": DEMAND_ON_PHONE,
    "mobile:contact": {302: NOT_ON_PHONES, 200: "officer liaison", 403: "keeper street department", 404: "*"},
    "mobile:move": {302: NOT_ON_PHONES, 200: "liaison", 403: "officer keeper street department", 404: "*"},
    "api:care": {401: "anonymous", 200: f"{CARERS} neighbour", 403: "*"},
    "api:care_household": {401: "anonymous", 200: CARERS, 404: "neighbour", 403: "*"},
    "api:care_visit": {401: "anonymous", 405: "*"},
    "api:care_confirm": {401: "anonymous", 405: "*"},
    "api:care_counts": {401: "anonymous", 200: f"{CARERS} street department neighbour next_county", 403: "*"},
    # The care ledger: the community's and its keepers'; whoever else works on the phone is told so.
    "mobile:care": CARE_ON_PHONE,
    "mobile:care_add": CARE_ON_PHONE,
    "mobile:care_household": HOUSEHOLD_ON_PHONE,
    "mobile:care_deed": HOUSEHOLD_ON_PHONE,
    "mobile:checkins": ON_PHONES,
    "mobile:checkin": CHECKIN_ON_PHONE,
    "mobile:checkin_application": CHECKIN_ON_PHONE,
    "mobile:checkin_places": APPLIES_ON_PHONE,
    "mobile:checkin_apply": APPLIES_ON_PHONE,
    "mobile:checkin_renew": {302: NOT_ON_PHONES, 200: "liaison", 403: "officer street department", 404: "*"},
    "mobile:checkin_move": {302: NOT_ON_PHONES, 200: "officer street", 403: "liaison department", 404: "*"},
    "mobile:checkins_waiting": {302: NOT_ON_PHONES, 200: "officer street neighbour", 403: "*"},
    "places:checkin_receipt": {302: "anonymous", 200: "officer liaison street department admin", 404: "*"},
    "places:checkin_agreement": {302: "anonymous", 200: "officer liaison street department admin", 404: "*"},
    # A member's own: whoever is none is told so.
    "api:member_reports": BY_KEY,
    "api:member_figures": {401: "anonymous", 200: f"{CADRES} admin", 404: "*"},
    "api:member_report": {401: "anonymous", 200: "officer department", 404: "*"},
    "api:member_report_move": KEY_TO_POST,
    "api:member_services": BY_KEY,
    "api:member_service": {401: "anonymous", 200: "officer department member", 404: "*"},
    "api:member_service_move": KEY_TO_POST,
    "api:member_cards": BY_KEY,
    "api:member_cards_receive": KEY_TO_POST,
    "api:certificates": BY_KEY,
    "api:certificate_revoke": KEY_TO_POST,
    "api:public_certificate": OPEN,
    "mobile:own_report": MEMBERS_OWN,
    "mobile:own_home": MEMBERS_OWN,
    "mobile:own_service_new": MEMBERS_OWN,
    "mobile:own_service": {302: NOT_ON_PHONES, 200: "member", 403: "officer department", 404: "*"},
    "mobile:own_service_do": {302: NOT_ON_PHONES, 200: "member", 403: "officer department", 404: "*"},
    "mobile:own_do": MEMBERS_OWN,
    "mobile:certificates": MEMBERS_OWN,
    "mobile:certificate": {302: NOT_ON_PHONES, 200: "officer department member", 404: "*"},
    "mobile:members": {302: NOT_ON_PHONES, 200: "officer neighbour", 403: "*"},
    "mobile:members_all": {302: NOT_ON_PHONES, 405: "*"},
    "mobile:member_report": {302: NOT_ON_PHONES, 200: "officer", 404: "neighbour", 403: "*"},
    "mobile:member_service": {302: NOT_ON_PHONES, 200: "officer", 404: "neighbour", 403: "*"},
    "mobile:cards": ON_PHONES,
    "mobile:unit_cards": {302: NOT_ON_PHONES, 200: "officer liaison department member", 404: "*"},
    "mobile:unit_cards_print": {302: NOT_ON_PHONES, 200: "officer liaison department member", 404: "*"},
    "mobile:unit_cards_receive": {302: NOT_ON_PHONES, 405: "*"},
    "resident:certificate_check": OPEN,
    "resident:certificate": OPEN,
    "mobile:meetings": ON_PHONES,
    "mobile:meeting": PAIRING_ON_PHONE,
    "mobile:meeting_live": PAIRING_ON_PHONE,
    "mobile:meeting_answer": PAIRING_ON_PHONE,
    "mobile:meeting_claim": PAIRING_ON_PHONE,
    "mobile:meeting_release": {302: NOT_ON_PHONES, 405: "*"},
    "mobile:meeting_matters": ON_PHONES,
    "mobile:meeting_matter": PAIRING_ON_PHONE,
    "mobile:pairings": ON_PHONES,
    "mobile:pairing": PAIRING_ON_PHONE,
    "mobile:pairing_visit": PAIRING_ON_PHONE,
    "mobile:pairing_solve": PAIRING_ON_PHONE,
    "api:rates": BY_KEY,
    "api:exclusions": BY_KEY,
    "api:exclusion": {401: "anonymous", 200: SEES_DEMAND, 404: "*"},
    "api:exclusion_move": KEY_TO_POST,
    "api:ladder": BY_KEY,
    "api:ladder_instruct": KEY_TO_POST,
    "api:bulletins": BY_KEY,
    "api:bulletin": {401: "anonymous", 200: "officer liaison street department neighbour", 404: "*"},
    "api:bulletin_items": BY_KEY,
    "api:bulletin_item": {401: "anonymous", 200: "officer liaison street department", 404: "*"},
    "api:bulletin_item_move": KEY_TO_POST,
    "mobile:ladder": {302: NOT_ON_PHONES, 404: "*"},
    "mobile:instruct": {302: NOT_ON_PHONES, 403: SEES_DEMAND, 404: "*"},
    "mobile:bulletins": {302: NOT_ON_PHONES, 200: "officer liaison street neighbour neighbour_liaison", 404: "*"},
    "mobile:bulletin_item": {302: NOT_ON_PHONES, 200: "officer liaison street department", 404: "*"},
    "api:lists": BY_KEY,
    "api:resources": BY_KEY,
    "api:resource": {401: "anonymous", 200: "officer liaison street department", 404: "*"},
    "api:projects": BY_KEY,
    "api:project": {401: "anonymous", 200: "officer liaison street department", 404: "*"},
    "api:project_claim": KEY_TO_POST,
    "api:responsibilities": BY_KEY,
    "api:responsibility": {401: "anonymous", 200: "officer liaison street department", 404: "*"},
    "api:cases": BY_KEY,
    "api:case": {401: "anonymous", 200: "officer liaison", 404: "*"},
    "api:case_move": KEY_TO_POST,
    "api:case_figures": {401: "anonymous", 200: CADRES, 404: "*"},
    "api:helps": BY_KEY,
    "api:help": {401: "anonymous", 200: "officer liaison", 404: "*"},
    "api:help_move": KEY_TO_POST,
    "api:commitments": BY_KEY,
    "api:commitment": {401: "anonymous", 200: "officer liaison street department", 404: "*"},
    "api:commitment_move": KEY_TO_POST,
    "api:property_firms": {401: "anonymous", 200: CADRES, 404: "*"},
    "api:two_way": {401: "anonymous", 200: CADRES, 404: "*"},
    "api:activities": BY_KEY,
    "api:activity": {401: "anonymous", 200: "officer street department", 404: "*"},
    "api:ratings": BY_KEY,
    "api:rating": {401: "anonymous", 200: "officer liaison street department", 404: "*"},
    "api:rating_figures": {401: "anonymous", 200: CADRES, 404: "*"},
    "mobile:resources": {302: NOT_ON_PHONES, 200: "liaison neighbour_liaison", 403: "*"},
    "mobile:resource_new": {302: NOT_ON_PHONES, 200: "liaison neighbour_liaison", 403: "*"},
    "mobile:resources_confirm": {302: NOT_ON_PHONES, 405: "*"},
    "mobile:resource": {302: NOT_ON_PHONES, 200: "officer liaison street department", 404: "*"},
    "mobile:resource_deed": {302: NOT_ON_PHONES, 200: "liaison", 403: "officer street department", 404: "*"},
    "mobile:projects": ON_PHONES,
    "mobile:project": {302: NOT_ON_PHONES, 200: "officer liaison street department", 404: "*"},
    "mobile:project_deed": {302: NOT_ON_PHONES, 200: "liaison", 403: "officer street department", 404: "*"},
    "mobile:milestone": {302: NOT_ON_PHONES, 200: "liaison", 403: "officer street department", 404: "*"},
    "mobile:responsibility": {302: NOT_ON_PHONES, 200: "liaison", 403: "officer street department", 404: "*"},
    "mobile:cases": ON_PHONES,
    "mobile:case": {302: NOT_ON_PHONES, 200: "officer liaison", 404: "*"},
    "mobile:case_open": {302: NOT_ON_PHONES, 200: "officer neighbour", 403: "*"},
    "mobile:case_move": {302: NOT_ON_PHONES, 200: "officer", 403: "liaison", 404: "*"},
    "mobile:help_move": {302: NOT_ON_PHONES, 200: "liaison", 403: "officer", 404: "*"},
    "places:case_sheet": {302: "anonymous", 200: "officer", 403: "liaison", 404: "*"},
    "mobile:commitments": ON_PHONES,
    "mobile:commitment": {302: NOT_ON_PHONES, 200: "officer liaison street department", 404: "*"},
    "mobile:commitment_make": {302: NOT_ON_PHONES, 200: "liaison neighbour_liaison member", 403: "*"},
    "mobile:commitment_move": {302: NOT_ON_PHONES, 200: "liaison", 403: "officer street department", 404: "*"},
    "api:wishes": BY_KEY,
    "api:wish": {401: "anonymous", 200: "officer keeper liaison member street department", 404: "*"},
    "api:wish_move": KEY_TO_POST,
    "api:wish_figures": {401: "anonymous", 200: f"{CADRES} keeper", 404: "*"},
    "mobile:wishes": {302: NOT_ON_PHONES, 200: "*"},
    "mobile:wish_collect": {302: NOT_ON_PHONES, 200: "officer keeper neighbour", 403: "*"},
    "mobile:wish": {302: NOT_ON_PHONES, 200: "officer keeper liaison member street department", 404: "*"},
    "mobile:wish_deed": {302: NOT_ON_PHONES, 200: "officer keeper", 403: "liaison member street department", 404: "*"},
    "mobile:ratings": ON_PHONES,
    "mobile:rating": {302: NOT_ON_PHONES, 200: "liaison", 404: "*"},
    "resident:promises": OPEN,
    "resident:unit_promises": OPEN,
    "places:promises": {302: "anonymous", 200: "officer liaison street department admin neighbour", 404: "*"},
    "places:place_promises": {302: "anonymous", 200: "officer street department admin", 404: "*"},
    "resident:start": OPEN,
    "resident:inside": OPEN,
    "resident:look_up": OPEN,
    "resident:follow": OPEN,
    "resident:card": OPEN,
    "resident:card_picture": OPEN,
    "resident:photo": OPEN,
    "resident:act": {409: "*"},
    "resident:order": OPEN,
    "places:qr": {302: "anonymous", 200: "officer keeper street department admin", 404: "*"},
    "places:card": {302: "anonymous", 200: "officer keeper street department admin", 404: "*"},
    "places:cards": {302: "anonymous", 200: "officer keeper street department admin", 404: "*"},
    "places:qr_sheet": {302: "anonymous", 200: "officer keeper street department admin", 404: "*"},
    "core:notices": SIGNED_IN,
    "core:notices_read": {302: "anonymous", 405: "*"},
    "core:notice_open": {302: "anonymous", 405: "*"},
    "core:jobs": SIGNED_IN,
    "core:job": OWN,
    "core:job_progress": OWN,
    "core:password": SIGNED_IN,
    "core:notice_settings": SIGNED_IN,
    "core:file": OWN,
    "dashboard:start": DASHBOARD,
    "dashboard:rows": DASHBOARD,
    "dashboard:supervisions": DASHBOARD,
    "dashboard:weft": DASHBOARD,
    "dashboard:weft_place": HERE,
    "dashboard:place": HERE,
    "dashboard:ledger": HERE,
    "dashboard:supervise": {302: "anonymous", 200: "street department", 404: "neighbour next_county", 403: "*"},
}


def routes() -> Iterator[tuple[str, str]]:
    """Every (name, pattern) but the admin's."""
    waiting = [(get_resolver().url_patterns, "", "")]
    while waiting:
        patterns, prefix, space = waiting.pop()
        for one in patterns:
            pattern = prefix + str(one.pattern)
            if pattern.startswith("admin/"):
                continue
            if hasattr(one, "url_patterns"):
                waiting.append((one.url_patterns, pattern, f"{space}{one.namespace}:" if one.namespace else space))
            else:
                yield space + (one.name or pattern), pattern


def test_every_route_is_listed() -> None:
    assert {name for name, _pattern in routes()} == set(TABLE)


_SLUGS = {
    "mobile:care_deed": "visit",
    "mobile:checkin_move": "decline",
    "mobile:meeting_answer": "come",
    "mobile:own_do": "change",
    "mobile:own_service_do": "drop",
    "mobile:member_report": "send_back",
    "mobile:member_service": "send_back",
    "mobile:commitment_move": "progress",
    "mobile:case_move": "note",
    "mobile:help_move": "report",
    "mobile:resource_deed": "change",
    "mobile:project_deed": "finish",
    "mobile:wish_deed": "end",
}


class World:
    """A matter of community `a` with a picture, and what `officer` alone owns."""

    def __init__(self, cast: Cast) -> None:
        self.demand: Demand = dispatched(cast)[0]
        event = DemandEvent.objects.filter(demand=self.demand, name="raise").get()
        self.photo = Photo(demand=self.demand, event=event, size=1, digest="0")
        self.photo.thumbnail.save("x-s.jpg", ContentFile(b"x"), save=False)
        self.photo.file.save("x.jpg", ContentFile(b"x"))
        self.unit = cast.a.unit
        self.rules = RuleVersion.objects.create(county=cast.county, number=1)
        self.organisation = make.make_organisation(cast.county, "白龙塘社区党委")
        self.floating = make_floating(cast.a.node)
        self.alliance = make_alliance(cast.a.node, cast.a.unit)
        self.place, self.community, self.compound = cast.a.building, cast.a.node, cast.a.compound
        self.project = register_remediation(actor=SYSTEM, node=self.compound, kind="lift", title="加装电梯")
        self.job = Job(kind="x", title="导入", owner=cast.a.officer)
        self.job.result.save("x.xlsx", ContentFile(b"x"))
        self.household = make.make_household(cast.a.building)
        self.problem = make.make_problem(make.make_pairing(cast.a.compound, cast.a.unit))
        self.checkin = make.check_in(cast.a.unit, cast.a.compound)
        self.application = make_application(cast.a.unit, cast.a.building)
        self.report = make_member_checkin(cast.a.second_member, cast.a.compound, state="applied")
        self.service = make_service(make_member_checkin(cast.a.member, cast.a.compound))
        self.card, self.certificate = (
            make_card(cast.a.member, cast.a.node),
            make_certificate(cast.a.member, cast.a.node),
        )
        self.run = MatchRun.objects.create(county=cast.county, node=cast.a.node, demands=1, resources=1)
        self.resource = weave.make_resource(self.unit, self.community)
        self.lists = weave.make_project(self.community, self.unit)
        self.step = weave.Milestone.objects.create(project=self.lists, title="进场", due_on=weave.soon())
        self.duty = weave.make_responsibility(self.lists)
        self.exclusion = weave.make_exclusion(self.demand, cast.a.officer)
        self.bulletin, self.climb = weave.make_bulletin(self.demand, cast.department), weave.make_climb(self.demand)
        self.commitment = weave.make_commitment(self.unit, self.place)
        self.kept = weave.make_commitment(
            self.unit, self.place, title="清理杂物", state="done", done_on=weave.today(), percent=100
        )
        self.case = weave.make_case(self.place, cast.a.officer, self.unit)
        self.help = self.case.helps.get()
        self.wish = weave.make_wish(self.place, cast.a.keeper)
        self.activity, self.rating = weave.make_activity(self.community, self.unit), weave.make_rating(self.kept)
        self.rule = RoutingRule.objects.create(county=cast.county, name="小区事项", desk="street")
        self.matter = OutsideMatter.objects.create(county=cast.county, name="违法建设拆除")
        self.learning = CategoryLearning.objects.create(county=cast.county)
        self.appointment = cast.a.keeper.appointments.get()
        self.notice = Notice.objects.create(reader=cast.a.officer, kind="x", title="通知")
        self.meeting = make_meeting(self.community, cast.a.unit)
        AgendaItem.objects.create(meeting=self.meeting, order=1, title="楼道亮化")
        past = timezone.now() - datetime.timedelta(days=1)
        closed = make_meeting(self.community, cast.a.unit, state="closed", held_at=past)
        item = AgendaItem.objects.create(meeting=closed, order=1, title="楼道亮化")
        self.resolution = Resolution.objects.create(
            meeting=closed, item=item, kind="task", text="换灯", owner="王主任", due_on=timezone.localdate()
        )
        people = cast.people()
        self.people = {
            "officer": people["a.officer"],
            "keeper": people["a.keeper"],
            "liaison": people["a.liaison"],
            "member": people["a.member"],
            "street": cast.street_officer,
            "department": cast.department,
            "admin": cast.admin,
            "auditor": cast.auditor,
            "neighbour": people["b.officer"],
            "neighbour_liaison": people["b.liaison"],
            "next_county": cast.other_county_department,
            "superuser": cast.superuser,
            "nobody": cast.nobody,
        }

    def address(self, name: str, pattern: str) -> str:
        resident = name.startswith(("resident:", "api:public"))
        values = {
            "<str:code>": self._named(name, resident),
            "<str:follow_code>": self.demand.follow_code,
            "<str:token>": (
                self.community if name in ("resident:inside", "resident:promises") else self.place
            ).public_token,
            "<slug:code>": self._code(name),
            "<slug:transition>": "sign",
            "<slug:name>": "evaluate" if resident else _SLUGS.get(name, "sign"),
            "<slug:key>": f"commitment-{self.kept.pk}",
            "<slug:word>": "job-result",
            "<int:unit>": str(self.card.unit_id),
            "<str:quarter>": Quarter.of(self.card.quarter).code,
            "<int:pk>": str(self._pk(name)),
        }
        for mark, value in values.items():
            pattern = pattern.replace(mark, value)
        return f"/{pattern}"

    def _named(self, name: str, resident: bool) -> str:
        if name.endswith("certificate"):
            return self.certificate.code
        return self.demand.follow_code if resident else self.demand.code

    def _code(self, name: str) -> str:
        if name.startswith("api:compound"):
            return self.compound.code
        return self.demand.code if name == "dashboard:supervise" else self.community.code

    def _meeting_pk(self, name: str) -> int:
        if "answer" in name:
            return self.meeting.attendances.get().pk
        if "claim" in name or "release" in name or "item" in name:
            return self.meeting.items.get().pk
        return self.resolution.pk if "matter" in name or "resolution" in name else self.meeting.pk

    def _pk(self, name: str) -> int:
        kinds = {
            "api:exclusion": self.exclusion.pk,
            "api:bulletin": self.bulletin.pk,
            "api:bulletin_item": self.bulletin.items.get().pk,
            "mobile:bulletin_item": self.bulletin.items.get().pk,
            "mobile:instruct": self.climb.pk,
            "api:resource": self.resource.pk,
            "mobile:resource": self.resource.pk,
            "mobile:resource_deed": self.resource.pk,
            "api:project": self.lists.pk,
            "mobile:project": self.lists.pk,
            "mobile:project_deed": self.lists.pk,
            "mobile:milestone": self.step.pk,
            "api:responsibility": self.duty.pk,
            "mobile:responsibility": self.duty.pk,
            "core:notice_open": self.notice.pk,
            "api:activity": self.activity.pk,
            "api:rule_version": self.rules.pk,
            "api:routing_rule": self.rule.pk,
            "api:outside_matter": self.matter.pk,
            "api:category_learning": self.learning.pk,
            "api:rating": self.rating.pk,
            "mobile:compound": self.compound.pk,
            "mobile:remediation_photos": self.project.pk,
            "api:member_service": self.service.pk,
            "api:member_report": self.report.pk,
            "mobile:own_service": self.service.pk,
            "mobile:own_service_do": self.service.pk,
            "mobile:member_service": self.service.pk,
            "mobile:member_report": self.report.pk,
            "mobile:certificate": self.certificate.pk,
        }
        if ":case" in name or ":help" in name:
            return self.help.pk if ":help" in name else self.case.pk
        if name in ("core:job", "core:job_progress", "core:file"):
            return self.job.pk
        if name.startswith(("mobile:care", "api:care")):
            return self.household.pk
        if name.startswith("api:appointment"):
            return self.appointment.pk
        if "checkin" in name:
            if name.endswith("checkin_apply"):
                return self.community.pk
            of_application = name.endswith(("_application", "_move", "_accept", "_back", "_decline"))
            return self.application.pk if of_application else self.checkin.pk
        if "meeting" in name or "resolution" in name:
            return self._meeting_pk(name)
        if "pairing" in name:
            return self.problem.pk if name.endswith("pairing_solve") else self.problem.pairing_id
        if name.startswith("api:match"):
            return self.run.pk
        if name == "api:alliance":
            return self.alliance.pk
        if name == "api:floating_member":
            return self.floating.pk
        if name == "api:organisation":
            return self.organisation.pk
        if name == "api:unit":
            return self.unit.pk
        if name in ("places:promises", "resident:unit_promises"):
            return self.unit.pk
        if name == "places:place_promises":
            return self.community.pk
        if name.startswith(("api:wish", "mobile:wish")):
            return self.wish.pk
        if name.startswith(("api:commitment", "mobile:commitment")):
            return self.commitment.pk
        if name.startswith("places:"):
            return self.place.pk
        return kinds.get(name, self.photo.pk)


def expected(row: dict[int, str], role: str) -> int:
    named = {one: status for status, names in row.items() for one in names.split()}
    return named.get(role, named.get("*", 0))


@pytest.mark.parametrize("role", ROLES)
def test_each_route_answers_each_role_as_listed(
    cast: Cast, role: str, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the description says is read in tests/services/test_api.py; drawing it takes as long as fifty pages.
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda *_given, **_named: {})
    world = World(cast)
    client = Client()
    if role != "anonymous":
        client.force_login(make.fresh(world.people[role]), backend="core.backends.PhoneBackend")
    wrong = {}
    for name, pattern in sorted(routes()):
        answer = client.get(world.address(name, pattern))
        wanted = expected(TABLE.get(name, {}), role)
        if answer.status_code != wanted:
            wrong[name] = f"{answer.status_code}, not {wanted}"
    assert not wrong, "\n".join(f"{name}: {words}" for name, words in wrong.items())
