"""The tree of places by API: every read starts at `visible_to`, every write is an action. A place goes by its code."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import policies
from core.api.bodies import caller, given
from core.api.lists import ListView
from core.errors import Invalid, NotFound
from core.models import User
from grids import actions, hanging, history, posts
from grids.api import node_rows as rows
from grids.models import GridNode
from grids.querysets import in_subtree
from grids.selectors import managed_county, successor_of
from grids.tree_reads import find_places

_STATE = OpenApiParameter("state", str, enum=["standing", "retired", "all"], description="在用（默认）、已撤销、全部")
_SEARCH = OpenApiParameter("search", str, description="名称、位置、编码、地址或负责人姓名中的几个字，用空格分开")
M = TypeVar("M", bound=Model)

_LEVEL = OpenApiParameter("level", str, description="层级类型，如 grid")


def find(user: User, code: str, *, field: str = "") -> GridNode:
    """The place with this code, if the person may know of it.

    Args:
        field: the input that named it, when it was not the address.

    Raises NotFound.
    """
    nodes = GridNode.objects.visible_to(user).select_related("county", *rows.RELATED)
    node = nodes.filter(code=code).first()
    if node is None:
        raise _not_found(code, field)
    return node


def _not_found(code: str, field: str) -> NotFound:
    message = _("没有找到编码为 %(code)s 的地点，或不在您的管辖范围内。") % {"code": code[:40]}
    return NotFound(message, fields={field: message} if field else None)


def inside(request: Request, rows: QuerySet[M], path: str, *, community: str = "", field: str = "place") -> QuerySet[M]:
    """The rows at the place that the address names and in it; all of them when it names none.

    Args:
        path, community: where rows have their place, as `grids.querysets.in_subtree` takes them.
        field: the parameter with the place's code.

    Raises NotFound.
    """
    code = request.query_params.get(field)
    if not code:
        return rows
    return rows.filter(in_subtree(find(caller(request), code, field=field), path, community=community))


class _Nodes(ListView):
    def listed(self, request: Request, nodes: Any, *, state: str = "standing") -> Response:
        """A page of nodes, narrowed by what the address asks for."""
        asked = request.query_params
        state = asked.get("state") or state
        if state not in ("standing", "retired", "all"):
            message = _("state 应为 standing、retired 或 all。")
            raise Invalid(message, fields={"state": message})
        if state != "all":
            nodes = nodes.filter(retired_at__isnull=state == "standing")
        if level := asked.get("level"):
            nodes = nodes.filter(level_type__key=level)
        if search := asked.get("search"):
            nodes = find_places(nodes, search[:200], caller(request))
        return self.page(request, nodes.select_related(*rows.RELATED).order_by("tree_id", "lft"), rows.node_row)


class NodeList(_Nodes):
    @extend_schema(
        operation_id="nodes_list",
        summary="可见的网格节点：列表和查找",
        parameters=[_SEARCH, _LEVEL, _STATE, OpenApiParameter("community", str, description="社区编码")],
        responses=rows.NodeRow(many=True),
    )
    def get(self, request: Request) -> Response:
        nodes = GridNode.objects.visible_to(request.user)
        if community := request.query_params.get("community"):
            nodes = nodes.filter(community__code=community)
        return self.listed(request, nodes)

    @extend_schema(
        operation_id="nodes_create", summary="新建网格节点", request=rows.CreateInput, responses={201: rows.NodeRow}
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.CreateInput)
        code = data.pop("parent", "")
        parent = find(user, code, field="parent") if code else None
        county = None if parent else managed_county(user, posts.ADD_NODE)
        node = actions.create_node(actor=user, parent=parent, county=county, **data)
        return Response(_row(node), status=status.HTTP_201_CREATED)


class NodeDetail(APIView):
    @extend_schema(operation_id="nodes_read", summary="一个节点", responses=rows.NodeRow)
    def get(self, request: Request, code: str) -> Response:
        return Response(rows.node_row(find(caller(request), code)))


class NodeCurrent(APIView):
    @extend_schema(
        operation_id="nodes_current",
        summary="编码现在指向的节点：在用的是它自己，已撤销的沿承接者找到在用的那个",
        responses=rows.NodeRow,
    )
    def get(self, request: Request, code: str) -> Response:
        user = caller(request)
        found = successor_of(find(user, code))
        if found is None:
            raise NotFound(_("编码 %(code)s 的地点已撤销，没有承接者。") % {"code": code}, code="no_successor")
        return Response(rows.node_row(find(user, found.code)))


class NodeChildren(_Nodes):
    @extend_schema(
        operation_id="nodes_children",
        summary="直接下级",
        parameters=[_SEARCH, _LEVEL, _STATE],
        responses=rows.NodeRow(many=True),
    )
    def get(self, request: Request, code: str) -> Response:
        node = find(caller(request), code)
        return self.listed(request, GridNode.objects.visible_to(request.user).filter(parent=node))


class NodeSubtree(_Nodes):
    @extend_schema(
        operation_id="nodes_subtree",
        summary="节点和它下面的全部节点，按树的顺序",
        parameters=[_SEARCH, _LEVEL, _STATE],
        responses=rows.NodeRow(many=True),
    )
    def get(self, request: Request, code: str) -> Response:
        node = find(caller(request), code)
        return self.listed(request, GridNode.objects.filter(in_subtree(node)))


class NodeBreadcrumb(APIView):
    @extend_schema(
        operation_id="nodes_breadcrumb",
        summary="从街道到这个节点（只列可见的）",
        responses=rows.StepRow(many=True),
    )
    def get(self, request: Request, code: str) -> Response:
        node = find(caller(request), code)
        above = GridNode.objects.visible_to(request.user).filter(
            tree_id=node.tree_id, lft__lte=node.lft, rght__gte=node.rght
        )
        return Response([rows.step_row(one) for one in above.select_related("level_type").order_by("lft")])


class NodeRename(APIView):
    @extend_schema(operation_id="nodes_rename", summary="改名", request=rows.RenameInput, responses=rows.NodeRow)
    def post(self, request: Request, code: str) -> Response:
        user = caller(request)
        node = find(user, code)
        return Response(_row(actions.rename_node(actor=user, node=node, **given(request, rows.RenameInput))))


class NodeDescribe(APIView):
    @extend_schema(
        operation_id="nodes_describe",
        summary="修改资料；没有给出的保持不变",
        request=rows.NodeDescribeInput,
        responses=rows.NodeRow,
    )
    def post(self, request: Request, code: str) -> Response:
        user = caller(request)
        node = find(user, code)
        return Response(_row(actions.describe_node(actor=user, node=node, **given(request, rows.NodeDescribeInput))))


class NodeMove(APIView):
    @extend_schema(operation_id="nodes_move", summary="调整隶属", request=rows.NodeMoveInput, responses=rows.NodeRow)
    def post(self, request: Request, code: str) -> Response:
        user, data = caller(request), given(request, rows.NodeMoveInput)
        node, parent = find(user, code), find(user, data.pop("parent"), field="parent")
        return Response(_row(actions.move_node(actor=user, node=node, parent=parent, **data)))


class NodeRetire(APIView):
    @extend_schema(operation_id="nodes_retire", summary="撤销", request=rows.RetireInput, responses=rows.NodeRow)
    def post(self, request: Request, code: str) -> Response:
        user, data = caller(request), given(request, rows.RetireInput)
        node, successor = find(user, code), data.pop("successor", None)
        if successor:
            data["successor"] = find(user, successor, field="successor")
        return Response(_row(actions.retire_node(actor=user, node=node, **data)))


class NodeSplit(APIView):
    @extend_schema(
        operation_id="nodes_split",
        summary="拆分：旁边新建同级节点，选定的下级划过去；原节点保留编码和其余下级",
        request=rows.SplitInput,
        responses={201: rows.NodeRow(many=True)},
    )
    def post(self, request: Request, code: str) -> Response:
        user, data = caller(request), given(request, rows.SplitInput)
        node = find(user, code)
        named = _by_code(user, [code for part in data["parts"] for code in part["children"]], field="parts")
        data["parts"] = [
            actions.NewPart(**{**part, "children": [named[code] for code in part["children"]]})
            for part in data["parts"]
        ]
        made = actions.split_node(actor=user, node=node, **data)
        return Response([_row(one) for one in made], status=status.HTTP_201_CREATED)


class NodeMerge(APIView):
    @extend_schema(
        operation_id="nodes_merge",
        summary="把同级的其他节点并入这个节点：下级和挂着的记录转过来，被并入的撤销并以这里为承接者",
        request=rows.MergeInput,
        responses=rows.NodeRow,
    )
    def post(self, request: Request, code: str) -> Response:
        user, data = caller(request), given(request, rows.MergeInput)
        node, sources = find(user, code), data.pop("sources")
        named = _by_code(user, sources, field="sources")
        data["sources"] = [named[source] for source in sources]
        return Response(_row(actions.merge_nodes(actor=user, node=node, **data)))


class NodeHanging(APIView):
    @extend_schema(
        operation_id="nodes_hanging",
        summary="挂在这个节点上的未了结记录，以及撤销（或由 successor 承接）时会怎样",
        parameters=[OpenApiParameter("successor", str, description="承接者编码")],
        responses=rows.HangingRow(many=True),
    )
    def get(self, request: Request, code: str) -> Response:
        user = caller(request)
        node, successor = find(user, code), request.query_params.get("successor")
        policies.require(user, posts.MANAGE_NODE, node)
        heir = find(user, successor, field="successor") if successor else None
        return Response([rows.hanging_row(line) for line in hanging.what_hangs([node], user, successor=heir)])


class NodeHistory(ListView):
    @extend_schema(
        operation_id="nodes_history",
        summary="对这个节点做过的事：谁、什么时候、为什么、从什么到什么",
        responses=rows.HistoryRow(many=True),
    )
    def get(self, request: Request, code: str) -> Response:
        node = find(caller(request), code)
        paginator = self.pagination_class()
        entries = paginator.paginate_queryset(history.deeds(node), request, view=self)
        return paginator.get_paginated_response([rows.history_row(one) for one in history.told(entries, node)])


def _by_code(user: User, codes: list[str], *, field: str) -> dict[str, GridNode]:
    """The places with some codes, in one query. Raises NotFound for the first that is not in sight."""
    nodes = GridNode.objects.visible_to(user).filter(code__in=codes).select_related("county", *rows.RELATED)
    found = {node.code: node for node in nodes}
    for code in codes:
        if code not in found:
            raise _not_found(code, field)
    return found


def _row(node: GridNode) -> dict[str, Any]:
    """A node after a write, read again with what a row shows."""
    return rows.node_row(GridNode.objects.select_related(*rows.RELATED).get(pk=node.pk))
