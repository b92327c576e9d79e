"""Addresses of this floor's own faces; governance/urls.py hangs each list where it belongs."""

from django.urls import path

from grids.views import mobile_care

# /m/
mobile_urls = [
    path("care/", mobile_care.households, name="care"),
    path("care/add/", mobile_care.register, name="care_add"),
    path("care/<int:pk>/", mobile_care.household, name="care_household"),
    path("care/<int:pk>/<slug:name>/", mobile_care.act, name="care_deed"),
]
