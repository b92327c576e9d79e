"""This floor's part of `/api/v1/`; `governance.urls` puts the floors' parts together."""

from django.urls import path

from grids.api import nodes

urlpatterns = [
    path("nodes/", nodes.NodeList.as_view(), name="nodes"),
    path("nodes/<slug:code>/", nodes.NodeDetail.as_view(), name="node"),
    path("nodes/<slug:code>/children/", nodes.NodeChildren.as_view(), name="node_children"),
    path("nodes/<slug:code>/subtree/", nodes.NodeSubtree.as_view(), name="node_subtree"),
    path("nodes/<slug:code>/breadcrumb/", nodes.NodeBreadcrumb.as_view(), name="node_breadcrumb"),
    path("nodes/<slug:code>/rename/", nodes.NodeRename.as_view(), name="node_rename"),
    path("nodes/<slug:code>/describe/", nodes.NodeDescribe.as_view(), name="node_describe"),
    path("nodes/<slug:code>/move/", nodes.NodeMove.as_view(), name="node_move"),
    path("nodes/<slug:code>/retire/", nodes.NodeRetire.as_view(), name="node_retire"),
]
