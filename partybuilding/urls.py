"""Addresses of this floor's own faces; governance/urls.py hangs each list where it belongs."""

from django.urls import path

from partybuilding.views import mobile, mobile_compounds

# /m/
mobile_urls = [
    path("pairings/", mobile.pairings, name="pairings"),
    path("pairings/<int:pk>/", mobile.pairing, name="pairing"),
    path("pairings/<int:pk>/visit/", mobile.visit, name="pairing_visit"),
    path("pairings/problems/<int:pk>/solve/", mobile.solve, name="pairing_solve"),
    path("compounds/", mobile_compounds.compounds, name="compounds"),
    path("compounds/<int:pk>/", mobile_compounds.compound, name="compound"),
    path("remediations/<int:pk>/photos/", mobile_compounds.photos, name="remediation_photos"),
]
