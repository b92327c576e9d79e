"""This floor's part of `/api/v1/`; `governance.urls` puts the floors' parts together."""

from django.urls import path

from partybuilding.api import pairings

urlpatterns = [
    path("pairings/", pairings.PairingList.as_view(), name="pairings"),
    path("pairings/<int:pk>/", pairings.PairingDetail.as_view(), name="pairing"),
    path("pairings/<int:pk>/end/", pairings.PairingEnd.as_view(), name="pairing_end"),
    path("pairings/<int:pk>/hand-over/", pairings.PairingHandOver.as_view(), name="pairing_hand_over"),
    path("pairings/<int:pk>/visits/", pairings.PairingVisits.as_view(), name="pairing_visits"),
    path("pairings/<int:pk>/problems/", pairings.PairingProblems.as_view(), name="pairing_problems"),
    path("pairings/problems/<int:pk>/solve/", pairings.ProblemSolve.as_view(), name="pairing_solve"),
]
