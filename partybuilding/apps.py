from django.apps import AppConfig
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _


class PartybuildingConfig(AppConfig):
    name = "partybuilding"
    verbose_name = _("党建")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from core import phone, sheets
        from core import policies as registry
        from grids import place_parts, timeline
        from grids.policies import CountySettings, InTree
        from grids.posts import VIEW_COMPOUND, add_rights
        from grids.querysets import unended
        from partybuilding import audiences, compounds, duties, hanging, place_pairings, place_party, policies, posts
        from partybuilding.actions import alliance_sweep, floating_sweep
        from partybuilding.models import (
            Alliance,
            AllianceSeat,
            Compound,
            CompoundRunning,
            FloatingContact,
            FloatingMember,
            Member,
            Pairing,
            PairingGuide,
            PairingProblem,
            PairingVisit,
            PartyOrganisation,
            Station,
            Unit,
            UnitMembership,
        )
        from partybuilding.resources import alliance_seats, floating, organisations, pairing_ledgers, pairings, units
        from partybuilding.views import mobile

        add_rights(posts.POST_RIGHTS)
        acts_for = UnitMembership.objects.filter(user=OuterRef("pk"))
        registry.provide_scopes(policies.unit_grants, hint="acts_for_units", exists=Exists(acts_for))
        is_member = Member.objects.filter(user=OuterRef("pk"))
        registry.provide_scopes(policies.member_grants, hint="is_member", exists=Exists(is_member))
        is_paired = Pairing.objects.filter(user=OuterRef("pk"))
        registry.provide_scopes(policies.pairing_grants, hint="is_paired", exists=Exists(is_paired))
        registry.name_rights(posts.RIGHT_LABELS)
        registry.register(Unit, policies.UnitPolicy())
        registry.register(PartyOrganisation, policies.OrganisationPolicy())
        registry.register(Member, policies.OfUnit(posts.VIEW_MEMBER, "county_id"))
        registry.register(UnitMembership, policies.OfUnit(posts.VIEW_UNIT, "unit__county_id"))
        registry.register(Pairing, policies.PairingPolicy())
        registry.register(PairingVisit, policies.PairingPolicy("pairing"))
        registry.register(PairingProblem, policies.PairingPolicy("pairing"))
        registry.register(PairingGuide, CountySettings(posts.VIEW_PAIRING))
        registry.register(CompoundRunning, InTree(VIEW_COMPOUND))
        registry.register(Compound, InTree(VIEW_COMPOUND, path=""))
        registry.register(Station, InTree(posts.VIEW_STATION))
        registry.register(FloatingMember, InTree(posts.VIEW_FLOATING, path="station.node"))
        registry.register(
            FloatingContact, InTree(posts.VIEW_FLOATING, path="floating.station.node", county="floating.county")
        )
        registry.register(Alliance, policies.AlliancePolicy())
        registry.register(AllianceSeat, policies.AlliancePolicy("alliance"))
        alliance_sweep.register()
        floating_sweep.register()
        hanging.register()
        compounds.register()
        duties.register("pairing", label=_("未结束的包联"), rows=lambda unit: Pairing.objects.open().filter(unit=unit))
        duties.register(
            "organisation",
            label=_("在用的党组织"),
            rows=lambda unit: PartyOrganisation.objects.filter(unit=unit, is_active=True),
        )
        duties.register(
            "seat", label=_("没有到期的联盟席位"), rows=lambda unit: AllianceSeat.objects.filter(unended(), unit=unit)
        )
        phone.offer_ways("pairings", mobile.ways)
        place_parts.register("pairings", place_pairings.parts)
        place_parts.register("party", place_party.parts)
        timeline.register("pairings", place_pairings.history)
        for sheet in (
            units.UnitSheet,
            organisations.OrganisationSheet,
            alliance_seats.SeatSheet,
            floating.FloatingSheet,
            pairings.PairingSheet,
            *pairing_ledgers.SHEETS,
        ):
            sheets.register(sheet())
        audiences.register()
