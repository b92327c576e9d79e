from django.urls import path

from services.api import public, views

urlpatterns = [
    path("me/", views.Me.as_view(), name="me"),
    path("demands/", views.DemandList.as_view(), name="demands"),
    path("demands/<str:code>/", views.DemandDetail.as_view(), name="demand"),
    path("demands/<str:code>/contact/", views.DemandContact.as_view(), name="contact"),
    path("demands/<str:code>/<slug:transition>/", views.DemandMove.as_view(), name="move"),
    path("public/places/<str:token>/", public.PlaceView.as_view(), name="public_place"),
    path("public/orders/", public.OrderList.as_view(), name="public_orders"),
    path("public/orders/<str:follow_code>/", public.OrderView.as_view(), name="public_order"),
    path("public/orders/<str:follow_code>/<slug:transition>/", public.OrderMove.as_view(), name="public_move"),
    path("places/", views.PlaceList.as_view(), name="places"),
    path("categories/", views.CategoryList.as_view(), name="categories"),
    path("units/", views.UnitList.as_view(), name="units"),
    path("members/", views.MemberList.as_view(), name="members"),
]
