from django.urls import path

from services.api import (
    checkins,
    matching,
    public,
    views,
)

urlpatterns = [
    path("matches/", matching.MatchRuns.as_view(), name="matches"),
    path("matches/<int:pk>/", matching.MatchRunView.as_view(), name="match"),
    path("matches/<int:pk>/proposals/", matching.MatchProposals.as_view(), name="match_proposals"),
    path("matches/<int:pk>/accept/", matching.MatchAccept.as_view(), name="match_accept"),
    path("matches/proposals/<int:pk>/refuse/", matching.MatchRefuse.as_view(), name="match_refuse"),
    path("me/", views.Me.as_view(), name="me"),
    path("demands/", views.DemandList.as_view(), name="demands"),
    path("demands/<str:code>/", views.DemandDetail.as_view(), name="demand"),
    path("demands/<str:code>/contact/", views.DemandContact.as_view(), name="contact"),
    path("demands/<str:code>/<slug:transition>/", views.DemandMove.as_view(), name="move"),
    path("checkins/", checkins.CheckInList.as_view(), name="checkins"),
    path("checkins/figures/", checkins.CheckInFigures.as_view(), name="checkin_figures"),
    path("checkins/<int:pk>/", checkins.CheckInDetail.as_view(), name="checkin"),
    path("checkin-applications/", checkins.ApplicationList.as_view(), name="checkin_applications"),
    path("checkin-applications/<int:pk>/", checkins.ApplicationDetail.as_view(), name="checkin_application"),
    path("checkin-applications/<int:pk>/accept/", checkins.ApplicationAccept.as_view(), name="checkin_accept"),
    path("checkin-applications/<int:pk>/send_back/", checkins.ApplicationSendBack.as_view(), name="checkin_send_back"),
    path("checkin-applications/<int:pk>/decline/", checkins.ApplicationDecline.as_view(), name="checkin_decline"),
    path("public/places/<str:token>/", public.PlaceView.as_view(), name="public_place"),
    path("public/orders/", public.OrderList.as_view(), name="public_orders"),
    path("public/orders/<str:follow_code>/", public.OrderView.as_view(), name="public_order"),
    path("public/orders/<str:follow_code>/<slug:transition>/", public.OrderMove.as_view(), name="public_move"),
    path("places/", views.PlaceList.as_view(), name="places"),
    path("categories/", views.CategoryList.as_view(), name="categories"),
    path("units/", views.UnitList.as_view(), name="units"),
    path("members/", views.MemberList.as_view(), name="members"),
]
