from partybuilding.models.alliance import Alliance, AllianceKind, AllianceSeat, SeatRole
from partybuilding.models.floating import FloatingContact, FloatingMember, Station
from partybuilding.models.organisation import OrganisationKind, PartyOrganisation
from partybuilding.models.pairing import Pairing, PairingGuide, PairingKind, PairingProblem, PairingVisit
from partybuilding.models.people import Member, UnitMembership, UnitRole
from partybuilding.models.running import BranchSetup, Compound, CompoundRunning, Management, OwnersCommittee
from partybuilding.models.unit import DOMAIN_OF_KIND, Domain, Unit, UnitKind

__all__ = [
    "DOMAIN_OF_KIND",
    "Alliance",
    "AllianceKind",
    "AllianceSeat",
    "BranchSetup",
    "Compound",
    "CompoundRunning",
    "Domain",
    "FloatingContact",
    "FloatingMember",
    "Management",
    "Member",
    "OrganisationKind",
    "OwnersCommittee",
    "Pairing",
    "PairingGuide",
    "PairingKind",
    "PairingProblem",
    "PairingVisit",
    "PartyOrganisation",
    "SeatRole",
    "Station",
    "Unit",
    "UnitKind",
    "UnitMembership",
    "UnitRole",
]
