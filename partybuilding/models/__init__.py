from partybuilding.models.organisation import OrganisationKind, PartyOrganisation
from partybuilding.models.pairing import Pairing, PairingGuide, PairingKind, PairingProblem, PairingVisit
from partybuilding.models.people import Member, UnitMembership, UnitRole
from partybuilding.models.running import BranchSetup, Compound, CompoundRunning, Management, OwnersCommittee
from partybuilding.models.unit import Unit, UnitKind

__all__ = [
    "BranchSetup",
    "Compound",
    "CompoundRunning",
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
    "Unit",
    "UnitKind",
    "UnitMembership",
    "UnitRole",
]
