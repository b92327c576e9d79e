"""Matching by API: runs with their totals, proposals with their reasons, and what is done about them."""

from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.asked import one
from core.api.bodies import caller, given
from core.api.lists import ListView, Shown
from core.api.moves import Moves
from core.errors import NotFound
from core.models import User
from grids.api.nodes import find as find_place
from grids.api.nodes import inside
from services.actions.matching import MOST_AT_ONCE, accept_proposals, refuse_proposal, run_match
from services.matching import weights
from services.matching.scorer import MISS_WORDS, Miss
from services.models import MatchProposal, MatchRun, ProposalState
from services.workflow import PROPOSAL

_WITH = ("run", "demand__node", "demand__category", "resource__unit", "project")


class MatchRunRow(Shown):
    id = serializers.IntegerField(label=lazy("编号"))
    node = serializers.CharField(label=lazy("地点编码"))
    place = serializers.CharField(label=lazy("地点"))
    at = serializers.DateTimeField(label=lazy("匹配时间"))
    demands = serializers.IntegerField(label=lazy("参加匹配的需求"))
    resources = serializers.IntegerField(label=lazy("参加匹配的资源"))
    proposals = serializers.IntegerField(label=lazy("建议数"))
    open = serializers.IntegerField(label=lazy("还没有处理的建议"))
    score = serializers.IntegerField(label=lazy("一次统筹的总分"))
    greedy_score = serializers.IntegerField(label=lazy("逐条匹配的总分"))


class MatchMiss(Shown):
    why = serializers.ChoiceField([str(why) for why in Miss], label=lazy("原因"))
    words = serializers.CharField(label=lazy("原因（文字）"))
    count = serializers.IntegerField(label=lazy("条数"))


class MatchRunDetail(MatchRunRow):
    missed = MatchMiss(many=True, label=lazy("没有配上的"))


class MatchProposalRow(Shown):
    id = serializers.IntegerField(label=lazy("编号"))
    run = serializers.IntegerField(label=lazy("批次"))
    demand = serializers.CharField(label=lazy("需求编号"))
    title = serializers.CharField(label=lazy("标题"))
    place = serializers.CharField(label=lazy("地点"))
    category = serializers.CharField(label=lazy("类别"))
    resource = serializers.IntegerField(label=lazy("资源编号"))
    resource_name = serializers.CharField(label=lazy("资源"))
    unit = serializers.CharField(label=lazy("提供单位；社区自有的为空"))
    score = serializers.IntegerField(label=lazy("匹配分"))
    grade = serializers.CharField(label=lazy("评价"))
    reasons = serializers.ListField(child=serializers.CharField(), label=lazy("理由"))
    state = serializers.ChoiceField(ProposalState.choices, label=lazy("状态"))
    reason = serializers.CharField(label=lazy("不采纳的理由"))
    project = serializers.CharField(label=lazy("项目编号；没有时为空"))
    version = serializers.IntegerField(label=lazy("版本"))


class MatchRunInput(serializers.Serializer[Any]):
    node = serializers.CharField(max_length=40, label=lazy("街道或社区的编码"))


class MatchAcceptInput(serializers.Serializer[Any]):
    proposals = serializers.ListField(
        child=serializers.IntegerField(min_value=1), max_length=MOST_AT_ONCE, label=lazy("建议数")
    )


class MatchAccepted(Shown):
    projects = serializers.ListField(child=serializers.CharField(), label=lazy("项目草稿的编号，依次对应"))


class MatchRefuseInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, label=lazy("理由"))
    version = serializers.IntegerField(required=False, label=lazy("版本"))


class MatchRuns(ListView):
    @extend_schema(
        operation_id="matches_list",
        summary="供需匹配的批次",
        parameters=[OpenApiParameter("node", str, description="地点编码：这里和它下面的")],
        responses=MatchRunRow(many=True),
    )
    def get(self, request: Request) -> Response:
        found = inside(request, _runs(caller(request)), "node", field="node")
        return self.page(request, found, run_row)

    @extend_schema(
        operation_id="matches_run", summary="做一次匹配", request=MatchRunInput, responses={201: MatchRunDetail}
    )
    def post(self, request: Request) -> Response:
        user = caller(request)
        made = run_match(actor=user, node=find_place(user, given(request, MatchRunInput)["node"], field="node"))
        return Response(run_detail(_run(user, made.pk)), status=status.HTTP_201_CREATED)


class MatchRunView(APIView):
    @extend_schema(operation_id="matches_read", summary="一个批次：总分，没有配上的", responses=MatchRunDetail)
    def get(self, request: Request, pk: int) -> Response:
        return Response(run_detail(_run(caller(request), pk)))


class MatchProposals(ListView):
    @extend_schema(
        operation_id="matches_proposals",
        summary="一个批次的建议",
        parameters=[OpenApiParameter("state", str, enum=ProposalState.values, description="状态")],
        responses=MatchProposalRow(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        user = caller(request)
        found = MatchProposal.objects.visible_to(user).filter(run=_run(user, pk)).select_related(*_WITH)
        if state := request.query_params.get("state"):
            found = found.filter(state=state)
        return self.page(request, found, proposal_row)


class MatchAccept(APIView):
    @extend_schema(
        operation_id="matches_accept",
        summary="采纳建议，生成项目草稿；要么全部，要么一个也不",
        request=MatchAcceptInput,
        responses={201: MatchAccepted},
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        run, keys = _run(user, pk), given(request, MatchAcceptInput)["proposals"]
        rows = MatchProposal.objects.visible_to(user).filter(run=run).in_bulk(keys)
        if len(rows) < len(set(keys)):
            raise NotFound(_("没有找到这条建议，或不在您的管辖范围内。"), fields={"proposals": _("没有这条建议。")})
        drafts = accept_proposals(actor=user, proposals=[rows[key] for key in keys])
        return Response({"projects": [project.code for project in drafts]}, status=status.HTTP_201_CREATED)


PROPOSAL_MOVES: Moves[MatchProposal] = Moves(PROPOSAL, "proposal", {"refuse": (MatchRefuseInput, refuse_proposal)})


class MatchRefuse(APIView):
    @extend_schema(
        operation_id="matches_refuse", summary="不采纳", request=MatchRefuseInput, responses=MatchProposalRow
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        found = MatchProposal.objects.visible_to(user).select_related(*_WITH)
        row = one(found, pk, _("没有找到这条建议，或不在您的管辖范围内。"))
        PROPOSAL_MOVES.make(request, row, "refuse")
        row.refresh_from_db(fields=["state", "reason", "version"])
        return Response(proposal_row(row))


def _runs(user: User) -> Any:
    waiting = Count("proposals", filter=Q(proposals__state=ProposalState.PROPOSED))
    return MatchRun.objects.visible_to(user).annotate(made=Count("proposals"), waiting=waiting).select_related("node")


def _run(user: User, pk: int) -> Any:
    return one(_runs(user), pk, _("没有找到这次匹配，或不在您的管辖范围内。"))


def run_row(run: Any) -> dict[str, Any]:
    return {
        "id": run.pk,
        "node": run.node.code,
        "place": run.node.path,
        "at": run.at,
        "demands": run.demands,
        "resources": run.resources,
        "proposals": run.made,
        "open": run.waiting,
        "score": run.score,
        "greedy_score": run.greedy_score,
    }


def run_detail(run: Any) -> dict[str, Any]:
    missed = [
        {"why": why, "words": str(MISS_WORDS[why]), "count": len(run.missed[why])}
        for why in Miss
        if run.missed.get(why)
    ]
    return {**run_row(run), "missed": missed}


def proposal_row(row: MatchProposal) -> dict[str, Any]:
    return {
        "id": row.pk,
        "run": row.run_id,
        "demand": row.demand.code,
        "title": row.demand.title,
        "place": row.demand.node.path,
        "category": row.demand.category.name,
        "resource": row.resource_id,
        "resource_name": row.resource.name,
        "unit": row.resource.unit.name if row.resource.unit else "",
        "score": row.score,
        "grade": weights.grade(row.score),
        "reasons": row.reasons,
        "state": row.state,
        "reason": row.reason,
        "project": row.project.code if row.project else "",
        "version": row.version,
    }
