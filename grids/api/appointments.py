"""Posts by API: who holds what, given and handed over by the same actions as on the pages; and how far they are filled."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import policies
from core.api.asked import number
from core.api.bodies import caller, given
from core.api.lists import ListView, Shown
from core.errors import Forbidden, Invalid, NotFound
from core.models import User
from grids import actions, coverage, posts
from grids.api.nodes import find
from grids.models import Appointment, County, Vacancy
from grids.posts import POSTS
from grids.querysets import current, in_subtree
from grids.resources.coverage import with_last_leave
from grids.selectors import managed_county

_PLACE = OpenApiParameter("place", str, description="地点编码，含其下级")
_POST = OpenApiParameter("post", str, enum=list(POSTS), description="岗位")
_STATE = OpenApiParameter("state", str, enum=["current", "past", "all"], description="在任（默认）、其余、全部")
_PERSON = OpenApiParameter("person", int, description="人员编号：此人的任职经历")


class AppointmentRow(Shown):
    id = serializers.IntegerField()
    person = serializers.IntegerField(label=lazy("人员编号"))
    name = serializers.CharField(label=lazy("姓名"))
    phone = serializers.CharField(label=lazy("手机号码（已隐去）"))
    post = serializers.CharField(label=lazy("岗位"))
    post_name = serializers.CharField(label=lazy("岗位名称"))
    place = serializers.CharField(label=lazy("任职地编码（县级岗位为空）"), allow_null=True)
    place_name = serializers.CharField(label=lazy("任职地"))
    start = serializers.DateField(label=lazy("任职日期"))
    end = serializers.DateField(label=lazy("离任日期（当天仍有权限）"), allow_null=True)
    note = serializers.CharField(label=lazy("备注"))
    version = serializers.IntegerField(label=lazy("版本"))


def appointment_row(row: Appointment) -> dict[str, Any]:
    """A row from an appointment with user, node and county loaded."""
    return {
        "id": row.pk,
        "person": row.user_id,
        "name": row.user.name,
        "phone": row.user.masked_phone,
        "post": row.post,
        "post_name": row.post_label,
        "place": row.node.code if row.node else None,
        "place_name": row.place,
        "start": row.start,
        "end": row.end,
        "note": row.note,
        "version": row.version,
    }


class MadeRow(AppointmentRow):
    """An appointment just made. `first_password` when an account was opened for it: told this once."""

    first_password = serializers.CharField(label=lazy("首次密码（只给这一次）"), allow_null=True)


class _Versioned(serializers.Serializer[Any]):
    version = serializers.IntegerField(label=lazy("看到的版本"), required=False)
    reason = serializers.CharField(label=lazy("理由"), max_length=500, required=False, allow_blank=True)


class _Named(serializers.Serializer[Any]):
    """Somebody, by name and telephone."""

    name = serializers.CharField(label=lazy("姓名"), max_length=60)
    phone = serializers.CharField(label=lazy("手机号码"), max_length=30)
    note = serializers.CharField(label=lazy("备注"), max_length=200, required=False, allow_blank=True)


class AppointInput(_Named):
    post = serializers.ChoiceField(label=lazy("岗位"), choices=list(POSTS))
    place = serializers.CharField(label=lazy("任职地编码（县级岗位不填）"), required=False, allow_blank=True)
    start = serializers.DateField(label=lazy("任职日期（默认今天）"), required=False)


class AppointmentHandOverInput(_Named, _Versioned):
    day = serializers.DateField(label=lazy("交接日期（默认今天），从这一天起由接任者负责"), required=False)


class AppointmentEndInput(_Versioned):
    end = serializers.DateField(label=lazy("离任日期（默认今天），当天仍有权限"), required=False)


class AppointmentCorrectInput(_Versioned):
    start = serializers.DateField(label=lazy("任职日期"), required=False)
    end = serializers.DateField(label=lazy("离任日期（空为在任）"), required=False, allow_null=True)
    note = serializers.CharField(label=lazy("备注"), max_length=200, required=False, allow_blank=True)


def _appointment(user: User, pk: int) -> Appointment:
    rows = Appointment.objects.visible_to(user).select_related("user", "county", "node__county", "node__level_type")
    found: Appointment | None = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound(_("没有找到这项任职，或不在您的管辖范围内。"))
    return found


def _row(row: Appointment) -> dict[str, Any]:
    """After a write, read again with what a row shows."""
    return appointment_row(Appointment.objects.select_related("user", "county", "node").get(pk=row.pk))


def _made(made: actions.Appointed) -> Response:
    body = {**_row(made.appointment), "first_password": made.account.password}
    return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class AppointmentList(ListView):
    @extend_schema(
        operation_id="appointments_list",
        summary="可见的任职：在任的，或一个地点、一个人的任职经历",
        parameters=[_PLACE, _POST, _STATE, _PERSON],
        responses=AppointmentRow(many=True),
    )
    def get(self, request: Request) -> Response:
        asked, user = request.query_params, caller(request)
        rows = Appointment.objects.visible_to(user)
        state = asked.get("state") or "current"
        if state not in ("current", "past", "all"):
            raise _odd("state", _("state 应为 current、past 或 all。"))
        if state != "all":
            rows = rows.filter(current()) if state == "current" else rows.exclude(current())
        if post := asked.get("post"):
            rows = rows.filter(post=post)
        if (person := number(request, "person")) is not None:
            rows = rows.filter(user_id=person)
        if code := asked.get("place"):
            rows = rows.filter(in_subtree(find(user, code, field="place"), "node"))
        rows = rows.select_related("user", "county", "node").order_by("-start", "-id")
        return self.page(request, rows, appointment_row)

    @extend_schema(
        operation_id="appointments_add",
        summary="任命；手机号码没有账号的同时开通",
        request=AppointInput,
        responses={201: MadeRow},
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, AppointInput)
        code = data.pop("place", "")
        place = find(user, code, field="place") if code else managed_county(user, posts.MANAGE_APPOINTMENT)
        return _made(actions.appoint_person(actor=user, place=place, **data))


class AppointmentDetail(APIView):
    @extend_schema(operation_id="appointments_read", summary="一项任职", responses=AppointmentRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(appointment_row(_appointment(caller(request), pk)))


class AppointmentHandOver(APIView):
    @extend_schema(
        operation_id="appointments_hand_over",
        summary="交接：前任离任和接任者上任一步办完",
        request=AppointmentHandOverInput,
        responses={201: MadeRow},
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        row = _appointment(user, pk)
        return _made(actions.hand_over_to(actor=user, appointment=row, **given(request, AppointmentHandOverInput)))


class AppointmentEnd(APIView):
    @extend_schema(
        operation_id="appointments_end", summary="离任", request=AppointmentEndInput, responses=AppointmentRow
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        row = _appointment(user, pk)
        return Response(
            _row(actions.end_appointment(actor=user, appointment=row, **given(request, AppointmentEndInput)))
        )


class AppointmentCorrect(APIView):
    @extend_schema(
        operation_id="appointments_correct",
        summary="更正；没有给出的保持不变",
        request=AppointmentCorrectInput,
        responses=AppointmentRow,
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        row = _appointment(user, pk)
        stands = {"start": row.start, "end": row.end, "note": row.note, "version": row.version}
        data = {**stands, **given(request, AppointmentCorrectInput)}
        return Response(_row(actions.correct_appointment(actor=user, appointment=row, **data)))


# --- How far the posts are filled -----------------------------------------------------------------------------------


class CoverRow(Shown):
    nodes = serializers.IntegerField(label=lazy("应配"))
    filled = serializers.IntegerField(label=lazy("在岗"))
    vacant = serializers.IntegerField(label=lazy("空缺"))


class LevelCoverRow(CoverRow):
    level = serializers.CharField(label=lazy("层级类型"))
    level_name = serializers.CharField(label=lazy("层级名称"))
    post = serializers.CharField(label=lazy("负责人岗位"))
    post_name = serializers.CharField(label=lazy("负责人岗位名称"))


class PartCoverRow(CoverRow):
    code = serializers.CharField(label=lazy("编码"))
    name = serializers.CharField(label=lazy("名称"))


class HeadRow(Shown):
    post = serializers.CharField(label=lazy("岗位"))
    post_name = serializers.CharField(label=lazy("岗位名称"))
    people = serializers.IntegerField(label=lazy("人数"))


class CoverageRow(Shown):
    place = serializers.CharField(label=lazy("地点编码（全县为空）"), allow_null=True)
    place_name = serializers.CharField(label=lazy("地点"))
    total = CoverRow(label=lazy("合计"))
    levels = LevelCoverRow(label=lazy("各层级"), many=True)
    parts = PartCoverRow(label=lazy("各街道或各社区"), many=True)
    people = HeadRow(label=lazy("在任人数"), many=True)


class VacancyRow(Shown):
    code = serializers.CharField(label=lazy("编码"))
    path = serializers.CharField(label=lazy("位置"))
    level = serializers.CharField(label=lazy("层级类型"))
    post = serializers.CharField(label=lazy("空缺岗位"))
    post_name = serializers.CharField(label=lazy("空缺岗位名称"))
    last_leave = serializers.DateField(label=lazy("上一任离任日期"), allow_null=True)


def _cover(cover: coverage.Cover) -> dict[str, int]:
    return {"nodes": cover.nodes, "filled": cover.filled, "vacant": cover.vacant}


def _coverage(found: coverage.Coverage) -> dict[str, Any]:
    place = found.place
    return {
        "place": None if isinstance(place, County) else place.code,
        "place_name": str(place),
        "total": _cover(found.total),
        "levels": [
            {
                "level": level.key,
                "level_name": level.name,
                "post": level.holder_post,
                "post_name": level.holder_words,
                **_cover(cover),
            }
            for level, cover in found.levels
        ],
        "parts": [{"code": node.code, "name": node.name, **_cover(cover)} for node, cover in found.parts],
        "people": [
            {"post": post, "post_name": str(POSTS[post].label), "people": count}
            for post, count in coverage.heads_of(place).items()
        ],
    }


class CoverageView(APIView):
    @extend_schema(
        operation_id="coverage_read",
        summary="岗位覆盖；不给地点时，是自己管辖的县或地点",
        parameters=[OpenApiParameter("place", str, description="地点编码")],
        responses=CoverageRow,
    )
    def get(self, request: Request) -> Response:
        user = _looks(request)
        if code := request.query_params.get("place"):
            place = find(user, code, field="place")
            policies.require(user, posts.VIEW_APPOINTMENT, place)
            return Response(_coverage(coverage.coverage_of(place)))
        tops = coverage.tops_of(user)
        if len(tops) != 1:
            raise _odd("place", _("您在几处任职，请用 place 指定地点编码。"))
        return Response(_coverage(coverage.coverage_of(tops[0])))


class VacancyList(ListView):
    @extend_schema(
        operation_id="vacancies_list",
        summary="没有人负责的地点",
        parameters=[_PLACE, OpenApiParameter("level", str, description="层级类型，如 building")],
        responses=VacancyRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user, asked = _looks(request), request.query_params
        nodes = Vacancy.objects.visible_to(user)
        if code := asked.get("place"):
            nodes = nodes.filter(in_subtree(find(user, code, field="place")))
        if level := asked.get("level"):
            nodes = nodes.filter(level_type__key=level)
        rows = with_last_leave(coverage.vacant(nodes)).select_related("level_type").order_by("tree_id", "lft")
        return self.page(request, rows, _vacancy)


def _vacancy(node: Any) -> dict[str, Any]:
    return {
        "code": node.code,
        "path": node.path,
        "level": node.level_type.key,
        "post": node.level_type.holder_post,
        "post_name": node.level_type.holder_words,
        "last_leave": node.last_leave,
    }


def _looks(request: Request) -> User:
    """The caller, if they look at posts anywhere. Raises Forbidden."""
    user = caller(request)
    if not policies.holds(user, posts.VIEW_APPOINTMENT):
        raise Forbidden(
            _("您没有“%(right)s”的权限，请联系有此职责的人员办理。") % {"right": policies.label(posts.VIEW_APPOINTMENT)}
        )
    return user


def _odd(name: str, message: str) -> Invalid:
    return Invalid(message, fields={name: message})
