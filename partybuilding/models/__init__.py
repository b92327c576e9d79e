from partybuilding.models.organisation import OrganisationKind, PartyOrganisation
from partybuilding.models.people import Member, UnitMembership, UnitRole
from partybuilding.models.unit import Unit, UnitKind

__all__ = [
    "Member",
    "OrganisationKind",
    "PartyOrganisation",
    "Unit",
    "UnitKind",
    "UnitMembership",
    "UnitRole",
]
