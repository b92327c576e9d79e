"""Rights of this floor, and which posts and unit roles hold them. Data: the role overview is drawn from it."""

from django.utils.translation import gettext_lazy as _

VIEW_DEMAND = "demand.view"
RAISE_DEMAND = "demand.raise"
ACCEPT_DEMAND = "demand.accept"
PUBLISH_DEMAND = "demand.publish"
DISPATCH_DEMAND = "demand.dispatch"
CHECK_DEMAND = "demand.check"
FOLLOW_UP_DEMAND = "demand.follow_up"
CLOSE_DEMAND = "demand.close"
PARK_DEMAND = "demand.park"
ESCALATE_DEMAND = "demand.escalate"
SUPERVISE_DEMAND = "demand.supervise"
IMPORT_DEMAND = "demand.import"
EXPORT_DEMAND = "demand.export"
REVEAL_CONTACT = "demand.reveal"
CLAIM_DEMAND = "demand.claim"
REVIEW_RETURN = "suborder.review_return"
REVIEW_EXTENSION = "suborder.review_extension"
REVIEW_SECOND_EXTENSION = "suborder.review_second_extension"
SIGN_SUBORDER = "suborder.sign"
ASSIGN_SUBORDER = "suborder.assign"
REPORT_SUBORDER = "suborder.report"
FINISH_SUBORDER = "suborder.finish"
ANSWER_SUPERVISION = "supervision.answer"
ANSWER_ASSIGNMENT = "assignment.answer"
VIEW_CHECKIN = "checkin.view"
MANAGE_CHECKIN = "checkin.manage"
VIEW_SETTINGS = "settings.view"
MANAGE_SETTINGS = "settings.manage"

RIGHT_LABELS = {
    VIEW_DEMAND: _("查看需求"),
    RAISE_DEMAND: _("登记需求"),
    ACCEPT_DEMAND: _("受理"),
    PUBLISH_DEMAND: _("发布认领"),
    DISPATCH_DEMAND: _("派单"),
    CHECK_DEMAND: _("核查"),
    FOLLOW_UP_DEMAND: _("回访"),
    CLOSE_DEMAND: _("销号"),
    PARK_DEMAND: _("挂账"),
    ESCALATE_DEMAND: _("上报"),
    SUPERVISE_DEMAND: _("督办"),
    IMPORT_DEMAND: _("导入需求"),
    EXPORT_DEMAND: _("导出需求"),
    REVEAL_CONTACT: _("查看联系方式"),
    CLAIM_DEMAND: _("认领"),
    REVIEW_RETURN: _("审核退单"),
    REVIEW_EXTENSION: _("审核延期"),
    REVIEW_SECOND_EXTENSION: _("审核再次延期"),
    SIGN_SUBORDER: _("签收"),
    ASSIGN_SUBORDER: _("安排人员"),
    REPORT_SUBORDER: _("反馈进展"),
    FINISH_SUBORDER: _("办结"),
    ANSWER_SUPERVISION: _("答复督办"),
    ANSWER_ASSIGNMENT: _("回应安排"),
    VIEW_CHECKIN: _("查看单位报到"),
    MANAGE_CHECKIN: _("维护单位报到"),
    VIEW_SETTINGS: _("查看类别和时限"),
    MANAGE_SETTINGS: _("维护类别和时限"),
}

_LOOKS = {VIEW_DEMAND, VIEW_CHECKIN, VIEW_SETTINGS}
_COMMUNITY = {
    *_LOOKS,
    RAISE_DEMAND,
    ACCEPT_DEMAND,
    PUBLISH_DEMAND,
    DISPATCH_DEMAND,
    CHECK_DEMAND,
    FOLLOW_UP_DEMAND,
    CLOSE_DEMAND,
    PARK_DEMAND,
    ESCALATE_DEMAND,
    IMPORT_DEMAND,
    EXPORT_DEMAND,
    REVEAL_CONTACT,
    REVIEW_RETURN,
    REVIEW_EXTENSION,
    ANSWER_SUPERVISION,
    MANAGE_CHECKIN,
}
# The street steps in where a community is stuck, and decides what was escalated to it.
_STREET = {
    *_LOOKS,
    RAISE_DEMAND,
    PUBLISH_DEMAND,
    DISPATCH_DEMAND,
    SUPERVISE_DEMAND,
    EXPORT_DEMAND,
    REVIEW_SECOND_EXTENSION,
    MANAGE_CHECKIN,
}
_KEEPER = {VIEW_DEMAND, RAISE_DEMAND, VIEW_SETTINGS}

POST_RIGHTS: dict[str, set[str]] = {
    "county_department": {*_LOOKS, SUPERVISE_DEMAND, EXPORT_DEMAND, REVIEW_SECOND_EXTENSION},
    # Leaders look after communities and take the hard matters; contacts stay masked for them.
    "county_leader": {*_LOOKS},
    "county_admin": {VIEW_CHECKIN, MANAGE_CHECKIN, VIEW_SETTINGS, MANAGE_SETTINGS},
    "street_secretary": _STREET,
    "street_officer": _STREET,
    "community_secretary": _COMMUNITY,
    "community_officer": _COMMUNITY,
    "community_team_lead": _COMMUNITY,
    # Not `property_lead`: a firm's manager does not read what residents say of the firm.
    **dict.fromkeys(
        (
            "sector_lead",
            "compound_lead",
            "grid_keeper",
            "grid_branch_secretary",
            "building_group_lead",
            "building_head",
            "entrance_head",
            "floor_section_head",
            "floor_head",
            "core_household",
            "place_head",
        ),
        _KEEPER,
    ),
}

UNIT_RIGHTS: dict[str, set[str]] = {
    "liaison": {
        VIEW_DEMAND,
        VIEW_CHECKIN,
        SIGN_SUBORDER,
        ASSIGN_SUBORDER,
        REPORT_SUBORDER,
        FINISH_SUBORDER,
        ANSWER_SUPERVISION,
        REVEAL_CONTACT,
    },
    "staff": {VIEW_DEMAND, VIEW_CHECKIN, REPORT_SUBORDER},
    "member": {VIEW_DEMAND, ANSWER_ASSIGNMENT, REPORT_SUBORDER, REVEAL_CONTACT},
}

# What a unit's people may do with the published demands of the places where the unit has checked in: role -> rights.
CHECKIN_RIGHTS: dict[str, frozenset[str]] = {
    "liaison": frozenset({VIEW_DEMAND, CLAIM_DEMAND}),
    "staff": frozenset({VIEW_DEMAND}),
}
