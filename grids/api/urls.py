"""This floor's part of `/api/v1/`; `governance.urls` puts the floors' parts together."""

from django.urls import path

from grids.api import appointments, care, nodes

urlpatterns = [
    path("nodes/", nodes.NodeList.as_view(), name="nodes"),
    path("nodes/<slug:code>/", nodes.NodeDetail.as_view(), name="node"),
    path("nodes/<slug:code>/current/", nodes.NodeCurrent.as_view(), name="node_current"),
    path("nodes/<slug:code>/children/", nodes.NodeChildren.as_view(), name="node_children"),
    path("nodes/<slug:code>/subtree/", nodes.NodeSubtree.as_view(), name="node_subtree"),
    path("nodes/<slug:code>/breadcrumb/", nodes.NodeBreadcrumb.as_view(), name="node_breadcrumb"),
    path("nodes/<slug:code>/rename/", nodes.NodeRename.as_view(), name="node_rename"),
    path("nodes/<slug:code>/describe/", nodes.NodeDescribe.as_view(), name="node_describe"),
    path("nodes/<slug:code>/move/", nodes.NodeMove.as_view(), name="node_move"),
    path("nodes/<slug:code>/history/", nodes.NodeHistory.as_view(), name="node_history"),
    path("nodes/<slug:code>/hanging/", nodes.NodeHanging.as_view(), name="node_hanging"),
    path("nodes/<slug:code>/split/", nodes.NodeSplit.as_view(), name="node_split"),
    path("nodes/<slug:code>/merge/", nodes.NodeMerge.as_view(), name="node_merge"),
    path("nodes/<slug:code>/retire/", nodes.NodeRetire.as_view(), name="node_retire"),
    path("appointments/", appointments.AppointmentList.as_view(), name="appointments"),
    path("appointments/<int:pk>/", appointments.AppointmentDetail.as_view(), name="appointment"),
    path("appointments/<int:pk>/hand_over/", appointments.AppointmentHandOver.as_view(), name="appointment_hand_over"),
    path("appointments/<int:pk>/end/", appointments.AppointmentEnd.as_view(), name="appointment_end"),
    path("appointments/<int:pk>/correct/", appointments.AppointmentCorrect.as_view(), name="appointment_correct"),
    path("coverage/", appointments.CoverageView.as_view(), name="coverage"),
    path("vacancies/", appointments.VacancyList.as_view(), name="vacancies"),
    path("care/households/", care.HouseholdList.as_view(), name="care"),
    path("care/households/<int:pk>/", care.HouseholdDetail.as_view(), name="care_household"),
    path("care/households/<int:pk>/visits/", care.HouseholdVisit.as_view(), name="care_visit"),
    path("care/households/<int:pk>/confirm/", care.HouseholdConfirm.as_view(), name="care_confirm"),
    path("care/counts/", care.CountList.as_view(), name="care_counts"),
]
