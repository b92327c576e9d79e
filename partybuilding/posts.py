"""What a person may do for a unit, by role; and as a member. Higher floors add theirs with `add_rights`."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext_lazy as _

from core.policies import USE_MOBILE

VIEW_UNIT = "unit.view"
MANAGE_UNIT = "unit.manage"
VIEW_MEMBER = "member.view"
MANAGE_MEMBER = "member.manage"
VIEW_ORGANISATION = "organisation.view"
MANAGE_ORGANISATION = "organisation.manage"
VIEW_PAIRING = "pairing.view"
MANAGE_PAIRING = "pairing.manage"
VISIT_PAIRING = "pairing.visit"
VIEW_STATION = "station.view"
MANAGE_STATION = "station.manage"
VIEW_FLOATING = "floating.view"
MANAGE_FLOATING = "floating.manage"
VIEW_ALLIANCE = "alliance.view"
MANAGE_ALLIANCE = "alliance.manage"

RIGHT_LABELS = {
    VIEW_UNIT: _("查看单位"),
    MANAGE_UNIT: _("维护单位"),
    VIEW_MEMBER: _("查看党员"),
    MANAGE_MEMBER: _("维护党员"),
    VIEW_ORGANISATION: _("查看党组织"),
    MANAGE_ORGANISATION: _("维护党组织"),
    VIEW_PAIRING: _("查看包联"),
    MANAGE_PAIRING: _("维护包联"),
    VISIT_PAIRING: _("记录包联走访"),
    VIEW_STATION: _("查看流动党员驿站"),
    MANAGE_STATION: _("维护流动党员驿站"),
    VIEW_FLOATING: _("查看流动党员"),
    MANAGE_FLOATING: _("登记和联系流动党员"),
    VIEW_ALLIANCE: _("查看党建联盟"),
    MANAGE_ALLIANCE: _("维护党建联盟"),
}

# Role in a unit (or `member` for the member's own account) -> rights, inside that unit (or for oneself).
RIGHTS: dict[str, set[str]] = {
    "liaison": {USE_MOBILE, VIEW_UNIT, VIEW_MEMBER, VIEW_PAIRING, VISIT_PAIRING, VIEW_ALLIANCE},
    "staff": {USE_MOBILE, VIEW_UNIT, VIEW_PAIRING, VISIT_PAIRING},
    "member": {USE_MOBILE},
}
# Whoever is paired with a place in person -> rights on that pairing alone.
PAIRED_RIGHTS = frozenset({USE_MOBILE, VIEW_PAIRING, VISIT_PAIRING})

# What the posts of the grid see of this floor: post -> rights.
_SEES = {VIEW_UNIT, VIEW_ORGANISATION, VIEW_PAIRING, VIEW_STATION, VIEW_ALLIANCE}
_KEEPS = {MANAGE_PAIRING, VISIT_PAIRING, MANAGE_ALLIANCE}
_STATION = {MANAGE_STATION, VIEW_FLOATING, MANAGE_FLOATING}
POST_RIGHTS: dict[str, set[str]] = {
    "county_department": {*_SEES, VIEW_MEMBER, *_KEEPS},
    "county_admin": {
        *_SEES,
        VIEW_MEMBER,
        MANAGE_UNIT,
        MANAGE_MEMBER,
        MANAGE_ORGANISATION,
        MANAGE_PAIRING,
        MANAGE_STATION,
        MANAGE_ALLIANCE,
    },
    "county_leader": {*_SEES},
    "county_officer": {*_SEES},
    "street_secretary": {*_SEES, *_KEEPS},
    "street_officer": {*_SEES, *_KEEPS},
    "community_secretary": {*_SEES, *_KEEPS, *_STATION},
    "community_officer": {*_SEES, *_KEEPS, *_STATION},
    "community_team_lead": {*_SEES},
}


def add_rights(table: Mapping[str, Iterable[str]]) -> None:
    """Adds a higher floor's rights to unit roles: role -> rights."""
    for role, rights in table.items():
        RIGHTS[role].update(rights)
