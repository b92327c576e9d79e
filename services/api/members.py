"""Members' reports, services, quarterly cards and certificates by API: every read starts at `visible_to`, every write is an
action."""

from collections.abc import Callable
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import policies
from core.api.asked import number, one
from core.api.bodies import caller, given
from core.api.lists import ListView
from core.api.moves import Moves
from core.errors import Forbidden, Invalid, NotFound
from core.models import User
from core.periods import Quarter
from grids.api.nodes import find as find_place
from grids.api.nodes import inside
from grids.models import County, GridNode
from grids.selectors import managed_county
from partybuilding.models import Unit
from services import posts
from services.actions import certificates, member_cards
from services.actions import member_checkins as reports
from services.actions import member_services as services
from services.actions.member_checkins import Offer
from services.api import member_rows as rows
from services.api.public import Open
from services.models import (
    Certificate,
    FreeTime,
    MemberCard,
    MemberCheckIn,
    MemberCheckInState,
    ServiceRecord,
    ServiceState,
    Skill,
    WishedPost,
)
from services.selectors.homes import homes
from services.selectors.members import MemberFigures, figures_by_community
from services.selectors.membership import member_of
from services.views.certificates import certificate_of
from services.workflow import MEMBER_CHECKIN, SERVICE

_NODE = OpenApiParameter("node", str, description="地点编码：这里和它下面的")
_QUARTER = OpenApiParameter("quarter", str, description="季度，如 2026Q1")
_REPORT = ("member", "node__county", "community__county")
_SERVICE = ("checkin__member", "checkin__node__county", "checkin__community__county")


# --- Reports --------------------------------------------------------------------------------------------------------


class MemberReports(ListView):
    @extend_schema(
        operation_id="member_checkins_list",
        summary="可见的党员报到",
        parameters=[
            _NODE,
            OpenApiParameter("state", str, enum=MemberCheckInState.values, description="状态；不填是全部"),
            OpenApiParameter("skill", str, enum=Skill.values, description="特长"),
            OpenApiParameter("free_time", str, enum=FreeTime.values, description="空闲时间"),
            OpenApiParameter("wished_post", str, enum=WishedPost.values, description="意愿岗位"),
        ],
        responses=rows.MemberReportRow(many=True),
    )
    def get(self, request: Request) -> Response:
        asked = request.query_params
        found = MemberCheckIn.objects.visible_to(caller(request))
        found = inside(request, found, "node", community="community", field="node")
        for name, field in (("state", "state"), ("wished_post", "wished_post")):
            if asked.get(name):
                found = found.filter(**{field: asked[name]})
        for name, field in (("skill", "skills"), ("free_time", "free_time")):
            if asked.get(name):
                said = found.alias(**{f"{field}_said": Cast(field, TextField())})
                found = said.filter(**{f"{field}_said__contains": f'"{asked[name]}"'})
        return self.page(request, found.select_related(*_REPORT).order_by("-applied_at", "-pk"), rows.report_row)

    @extend_schema(
        operation_id="member_checkins_report",
        summary="党员本人报到",
        request=rows.ReportHomeInput,
        responses={201: rows.MemberReportRow},
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.ReportHomeInput)
        member = member_of(user)
        if member is None:
            raise Forbidden(_("只能由党员本人报到。"))
        node = _home(member.county, data.pop("node"))
        made = reports.report_home(actor=user, member=member, node=node, offer=Offer(**data))
        return Response(rows.report_row(_report(user, made.pk)), status=status.HTTP_201_CREATED)


class MemberReportDetail(APIView):
    @extend_schema(operation_id="member_checkins_read", summary="一项党员报到", responses=rows.MemberReportRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(rows.report_row(_report(caller(request), pk)))


def _decide_report(name: str) -> Callable[..., Any]:
    def run(*, actor: User, checkin: MemberCheckIn, reason: str, version: int | None, **rest: Any) -> None:
        reports.decide_report(actor=actor, checkin=checkin, name=name, reason=reason, version=version)

    return run


def _end_report(*, actor: User, checkin: MemberCheckIn, reason: str, version: int | None, **rest: Any) -> None:
    reports.end_member_checkin(actor=actor, checkin=checkin, reason=reason, version=version)


def _change_offer(*, actor: User, checkin: MemberCheckIn, version: int | None, **given: Any) -> None:
    reports.change_offer(actor=actor, checkin=checkin, offer=_offer(checkin, given), version=version)


def _resend_report(*, actor: User, checkin: MemberCheckIn, node: str, version: int | None, **given: Any) -> None:
    home = _home(checkin.member.county, node) if node else None
    reports.resend_report(actor=actor, checkin=checkin, offer=_offer(checkin, given), node=home, version=version)


def _offer(checkin: MemberCheckIn, given: dict[str, Any]) -> Offer:
    """What the member offers now; what is not given stays as it is."""
    return Offer(**{key: given.get(key, getattr(checkin, key)) for key in Offer.__dataclass_fields__})


REPORT_MOVES: Moves[MemberCheckIn] = Moves(
    MEMBER_CHECKIN,
    "checkin",
    {
        "accept": (rows.MemberMoveInput, _decide_report("accept")),
        "send_back": (rows.MemberMoveInput, _decide_report("send_back")),
        "decline": (rows.MemberMoveInput, _decide_report("decline")),
        "change": (rows.MemberMoveInput, _change_offer),
        "resend": (rows.MemberMoveInput, _resend_report),
        "withdraw": (rows.MemberMoveInput, _end_report),
        "end": (rows.MemberMoveInput, _end_report),
    },
)


class MemberReportMove(APIView):
    @extend_schema(
        operation_id="member_checkins_move",
        summary="接收、退回、不接收、重新提交、修改、撤回、结束；move 是搬家",
        request=rows.MemberMoveInput,
        responses=rows.MemberReportRow,
    )
    def post(self, request: Request, pk: int, name: str) -> Response:
        user = caller(request)
        row = _report(user, pk)
        if name == "move":  # ends this report and makes another: no move of the table
            data = given(request, rows.MemberMoveInput)
            node = _home(row.member.county, data["node"])
            row = reports.move_house(actor=user, checkin=row, node=node, version=data["version"])
        else:
            REPORT_MOVES.make(request, row, name)
        return Response(rows.report_row(_report(user, row.pk)))


class MemberFiguresView(APIView):
    @extend_schema(
        operation_id="member_checkins_figures",
        summary="报到党员数、已确认的服务次数和时长：一处和其中各社区",
        description="报到党员按现在算；服务按季度算，不填季度的是累计。不按人排名。",
        parameters=[_NODE, _QUARTER],
        responses=rows.MemberFiguresRow,
    )
    def get(self, request: Request) -> Response:
        user, asked = caller(request), request.query_params
        quarter = Quarter.parse(asked["quarter"]) if asked.get("quarter") else None
        place: County | GridNode
        if code := asked.get("node"):
            place = find_place(user, code, field="node")
            policies.require(user, posts.VIEW_CHECKIN, place)
        else:
            place = managed_county(user, posts.VIEW_CHECKIN)
        found = figures_by_community(place, quarter)
        seen = GridNode.objects.filter(policies.within(GridNode, user, posts.VIEW_CHECKIN), pk__in=found)
        if isinstance(place, GridNode) and place.community_id != place.pk:
            seen = seen | GridNode.objects.filter(pk=place.community_id)
        communities = list(seen.order_by("tree_id", "lft"))
        total = sum((found[node.pk] for node in communities if node.pk in found), MemberFigures())
        return Response(
            {
                **rows.figures_row(total),
                "communities": [
                    {"node": node.code, "name": node.name, **rows.figures_row(found[node.pk])}
                    for node in communities
                    if node.pk in found
                ],
            }
        )


# --- Services -------------------------------------------------------------------------------------------------------


class MemberServices(ListView):
    @extend_schema(
        operation_id="member_services_list",
        summary="可见的党员服务记录",
        parameters=[
            _NODE,
            _QUARTER,
            OpenApiParameter("state", str, enum=ServiceState.values, description="状态；不填是全部"),
        ],
        responses=rows.MemberServiceRow(many=True),
    )
    def get(self, request: Request) -> Response:
        asked = request.query_params
        found = ServiceRecord.objects.visible_to(caller(request))
        found = inside(request, found, "checkin__node", community="checkin__community", field="node")
        if asked.get("state"):
            found = found.filter(state=asked["state"])
        if asked.get("quarter"):
            quarter = Quarter.parse(asked["quarter"])
            found = found.filter(served_on__gte=quarter.first_day, served_on__lte=quarter.last_day)
        return self.page(request, found.select_related(*_SERVICE).order_by("-served_on", "-pk"), rows.service_row)

    @extend_schema(
        operation_id="member_services_enter",
        summary="党员本人填写服务",
        request=rows.EnterServiceInput,
        responses={201: rows.MemberServiceRow},
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.EnterServiceInput)
        member = member_of(user)
        open_one = MemberCheckIn.objects.filter(member=member, state=MemberCheckInState.ACCEPTED).first()
        if member is None or open_one is None:
            raise Invalid(_("社区接收报到后，由党员本人填写服务。"))
        made = services.enter_service(actor=user, checkin=open_one, **data)
        return Response(rows.service_row(_service(user, made.pk)), status=status.HTTP_201_CREATED)


class MemberServiceDetail(APIView):
    @extend_schema(operation_id="member_services_read", summary="一次服务", responses=rows.MemberServiceRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(rows.service_row(_service(caller(request), pk)))


def _decide_service(name: str) -> Callable[..., Any]:
    def run(*, actor: User, service: ServiceRecord, reason: str, version: int | None, **rest: Any) -> None:
        services.decide_service(actor=actor, service=service, name=name, reason=reason, version=version)

    return run


def _correct_service(*, actor: User, service: ServiceRecord, version: int | None, **given: Any) -> None:
    told = {key: given.get(key, getattr(service, key)) for key in ("served_on", "hours", "text")}
    services.correct_service(actor=actor, service=service, version=version, **told)


def _drop_service(*, actor: User, service: ServiceRecord, version: int | None, **rest: Any) -> None:
    services.drop_service(actor=actor, service=service, version=version)


SERVICE_MOVES: Moves[ServiceRecord] = Moves(
    SERVICE,
    "service",
    {
        "confirm": (rows.ServiceMoveInput, _decide_service("confirm")),
        "send_back": (rows.ServiceMoveInput, _decide_service("send_back")),
        "take_back": (rows.ServiceMoveInput, _decide_service("take_back")),
        "correct": (rows.ServiceMoveInput, _correct_service),
        "drop": (rows.ServiceMoveInput, _drop_service),
    },
)


class MemberServiceMove(APIView):
    @extend_schema(
        operation_id="member_services_move",
        summary="确认、退回、更正、删除、撤销确认",
        request=rows.ServiceMoveInput,
        responses=rows.MemberServiceRow,
    )
    def post(self, request: Request, pk: int, name: str) -> Response:
        user = caller(request)
        SERVICE_MOVES.make(request, _service(user, pk), name)
        return Response(rows.service_row(_service(user, pk)))


# --- Cards ----------------------------------------------------------------------------------------------------------


class MemberCards(ListView):
    @extend_schema(
        operation_id="member_cards_list",
        summary="可见的季度服务卡，按单位和姓名，不排名次",
        parameters=[_NODE, _QUARTER, OpenApiParameter("unit", int, description="单位")],
        responses=rows.MemberCardRow(many=True),
    )
    def get(self, request: Request) -> Response:
        asked = request.query_params
        found = inside(request, MemberCard.objects.visible_to(caller(request)), "community", field="node")
        if asked.get("quarter"):
            found = found.filter(quarter=Quarter.parse(asked["quarter"]).first_day)
        if (unit := number(request, "unit")) is not None:
            found = found.filter(unit=unit)
        found = found.select_related("member", "community")
        return self.page(request, found.order_by("-quarter", "unit", "member__name", "pk"), rows.card_row)

    @extend_schema(
        operation_id="member_cards_send",
        summary="社区反馈一个季度的服务卡；重复提交只反馈有变化的",
        request=rows.SendCardsInput,
        responses=rows.SentCards,
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.SendCardsInput)
        community, quarter = find_place(user, data["community"], field="community"), Quarter.parse(data["quarter"])
        sent = member_cards.send_cards(actor=user, community=community, quarter=quarter)
        counted = ("made", "corrected", "same", "without_unit")
        return Response({name: getattr(sent, name) for name in counted})


class MemberCardsReceive(APIView):
    @extend_schema(
        operation_id="member_cards_receive",
        summary="单位查收一个季度的服务卡",
        request=rows.ReceiveCardsInput,
        responses=rows.ReceivedCards,
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.ReceiveCardsInput)
        unit = one(Unit.objects.visible_to(user), data["unit"], _("没有找到这个单位。"))
        quarter = Quarter.parse(data["quarter"])
        return Response({"received": member_cards.receive_cards(actor=user, unit=unit, quarter=quarter)})


# --- Certificates ---------------------------------------------------------------------------------------------------


class Certificates(ListView):
    @extend_schema(
        operation_id="certificates_list",
        summary="可见的服务证明",
        parameters=[_NODE],
        responses=rows.CertificateRow(many=True),
    )
    def get(self, request: Request) -> Response:
        found = inside(request, Certificate.objects.visible_to(caller(request)), "community", field="node")
        found = found.select_related("member", "community").order_by("-issued_at", "-pk")
        return self.page(request, found, rows.certificate_row)

    @extend_schema(
        operation_id="certificates_issue",
        summary="出具服务证明：本人，或社区代开",
        request=rows.IssueInput,
        responses={201: rows.CertificateRow},
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.IssueInput)
        row = _report(user, data.pop("checkin"))
        made = certificates.issue_certificate(actor=user, member=row.member, community=row.community, **data)
        return Response(rows.certificate_row(made), status=status.HTTP_201_CREATED)


class CertificateRevoke(APIView):
    @extend_schema(
        operation_id="certificates_revoke",
        summary="作废服务证明",
        request=rows.RevokeInput,
        responses=rows.CertificateRow,
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        row = one(Certificate.objects.visible_to(user), pk, _("没有找到这张证明。"))
        data = given(request, rows.RevokeInput)
        return Response(rows.certificate_row(certificates.revoke_certificate(actor=user, certificate=row, **data)))


class CertificateCheck(Open):
    @extend_schema(operation_id="public_certificate", summary="凭验证码查验服务证明", responses=rows.CheckedCertificate)
    def get(self, request: Request, code: str) -> Response:
        row = certificate_of(request._request, code)
        if row is None:
            raise NotFound(_("没有这张证明。"))
        return Response(
            {
                "name": row.member.masked_name,
                "community": f"{row.county.name}{row.community.name}",
                "since": row.since,
                "until": row.until,
                "services": row.services,
                "hours": str(row.hours),
                "issued_at": row.issued_at,
                "valid": row.revoked_at is None,
            }
        )


# --- Looking up -----------------------------------------------------------------------------------------------------


def _report(user: User, pk: int) -> MemberCheckIn:
    found = MemberCheckIn.objects.visible_to(user).select_related(*_REPORT, "member__county")
    return one(found, pk, _("没有找到这项报到，或不在您的管辖范围内。"))


def _service(user: User, pk: int) -> ServiceRecord:
    found = ServiceRecord.objects.visible_to(user).select_related(*_SERVICE)
    return one(found, pk, _("没有找到这次服务，或不在您的管辖范围内。"))


def _home(county: County, code: str) -> GridNode:
    """Homes are public knowledge: every resident chooses among them without an account."""
    node = homes(county).filter(code=code).first()
    if node is None:
        message = _("本县没有这个小区，请核对编码。")
        raise Invalid(message, fields={"node": message})
    assert isinstance(node, GridNode)
    return node
