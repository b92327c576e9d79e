"""This floor's part of `/api/v1/`; `governance.urls` puts the floors' parts together."""

from django.urls import path

from partybuilding.api import alliances, compounds, floating, organisations, pairings, units

urlpatterns = [
    path("pairings/", pairings.PairingList.as_view(), name="pairings"),
    path("pairings/<int:pk>/", pairings.PairingDetail.as_view(), name="pairing"),
    path("pairings/<int:pk>/end/", pairings.PairingEnd.as_view(), name="pairing_end"),
    path("pairings/<int:pk>/hand-over/", pairings.PairingHandOver.as_view(), name="pairing_hand_over"),
    path("pairings/<int:pk>/visits/", pairings.PairingVisits.as_view(), name="pairing_visits"),
    path("pairings/<int:pk>/problems/", pairings.PairingProblems.as_view(), name="pairing_problems"),
    path("pairings/problems/<int:pk>/solve/", pairings.ProblemSolve.as_view(), name="pairing_solve"),
    path("alliances/", alliances.AllianceList.as_view(), name="alliances"),
    path("alliances/figures/", alliances.AllianceFigures.as_view(), name="alliance_figures"),
    path("alliances/<int:pk>/", alliances.AllianceDetail.as_view(), name="alliance"),
    path("stations/", floating.StationList.as_view(), name="stations"),
    path("floating/", floating.FloatingList.as_view(), name="floating"),
    path("floating/<int:pk>/", floating.FloatingDetail.as_view(), name="floating_member"),
    path("organisations/", organisations.OrganisationList.as_view(), name="organisations"),
    path("organisations/figures/", organisations.OrganisationFigures.as_view(), name="organisation_figures"),
    path("organisations/<int:pk>/", organisations.OrganisationDetail.as_view(), name="organisation"),
    path("units/<int:pk>/", units.UnitDetail.as_view(), name="unit"),
    path("compounds/", compounds.CompoundList.as_view(), name="compounds"),
    path("compounds/figures/", compounds.CompoundFigures.as_view(), name="compound_figures"),
    path("compounds/<slug:code>/", compounds.CompoundDetail.as_view(), name="compound"),
    path("compounds/<slug:code>/describe/", compounds.CompoundDescribe.as_view(), name="compound_describe"),
    path("compounds/<slug:code>/running/", compounds.CompoundRun.as_view(), name="compound_running"),
    path("compounds/<slug:code>/remediations/", compounds.CompoundProjects.as_view(), name="compound_remediations"),
    path("remediations/", compounds.RemediationList.as_view(), name="remediations"),
]
