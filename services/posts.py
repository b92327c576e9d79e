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
TRANSFER_DEMAND = "demand.transfer"
HAND_UP_DEMAND = "demand.hand_up"
HAND_DOWN_DEMAND = "demand.hand_down"
WHISTLE_DEMAND = "demand.whistle"
SUPERVISE_DEMAND = "demand.supervise"
INSTRUCT_DEMAND = "demand.instruct"
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
APPLY_CHECKIN = "checkin.apply"
VIEW_MEMBER_CHECKIN = "member_checkin.view"
MANAGE_MEMBER_CHECKIN = "member_checkin.manage"
REPORT_MEMBER_CHECKIN = "member_checkin.report"
VIEW_CARD = "card.view"
VIEW_COMMITMENT = "commitment.view"
MAKE_COMMITMENT = "commitment.make"
MANAGE_COMMITMENT = "commitment.manage"
CONFIRM_COMMITMENT = "commitment.confirm"
VIEW_ACTIVITY = "activity.view"
MANAGE_ACTIVITY = "activity.manage"
VIEW_RESOURCE = "resource.view"
OFFER_RESOURCE = "resource.offer"
MANAGE_RESOURCE = "resource.manage"
VIEW_PROJECT = "project.view"
MANAGE_PROJECT = "project.manage"
CLAIM_PROJECT = "project.claim"
SERVE_PROJECT = "project.serve"
VIEW_EVIDENCE = "evidence.view"
VIEW_MATCH = "match.view"
RUN_MATCH = "match.run"
VIEW_MEETING = "meeting.view"
MANAGE_MEETING = "meeting.manage"
ATTEND_MEETING = "meeting.attend"
VIEW_RATING = "rating.view"
RATE_UNIT = "rating.unit"
RATE_COMMUNITY = "rating.community"
REQUEST_EXCLUSION = "exclusion.request"
DECIDE_EXCLUSION = "exclusion.decide"
VIEW_FIRM = "firm.view"
VIEW_BULLETIN = "bulletin.view"
PUBLISH_BULLETIN = "bulletin.publish"
ANSWER_BULLETIN = "bulletin.answer"
VIEW_CASE = "case.view"
MANAGE_CASE = "case.manage"
HELP_CASE = "case.help"
VIEW_WISH = "wish.view"
COLLECT_WISH = "wish.collect"
MANAGE_WISH = "wish.manage"
ADOPT_WISH = "wish.adopt"
MANAGE_ROUTING = "routing.manage"
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
    TRANSFER_DEMAND: _("移交其他社区"),
    HAND_UP_DEMAND: _("上报县级"),
    HAND_DOWN_DEMAND: _("交回社区"),
    WHISTLE_DEMAND: _("吹哨"),
    SUPERVISE_DEMAND: _("督办"),
    INSTRUCT_DEMAND: _("领导批示"),
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
    APPLY_CHECKIN: _("申请报到"),
    VIEW_MEMBER_CHECKIN: _("查看党员报到"),
    MANAGE_MEMBER_CHECKIN: _("接收党员报到、确认服务"),
    REPORT_MEMBER_CHECKIN: _("报到、填写服务"),
    VIEW_CARD: _("查看季度服务卡"),
    VIEW_COMMITMENT: _("查看承诺事项"),
    MAKE_COMMITMENT: _("作出承诺、反馈进展"),
    MANAGE_COMMITMENT: _("维护承诺事项"),
    CONFIRM_COMMITMENT: _("确认承诺完成"),
    VIEW_ACTIVITY: _("查看共建活动"),
    MANAGE_ACTIVITY: _("登记共建活动"),
    VIEW_RESOURCE: _("查看资源清单"),
    OFFER_RESOURCE: _("提供资源"),
    MANAGE_RESOURCE: _("维护资源清单"),
    VIEW_PROJECT: _("查看项目清单"),
    MANAGE_PROJECT: _("维护项目清单"),
    CLAIM_PROJECT: _("认领项目"),
    SERVE_PROJECT: _("实施项目"),
    VIEW_EVIDENCE: _("查看佐证照片"),
    VIEW_MATCH: _("查看供需匹配"),
    RUN_MATCH: _("供需匹配"),
    VIEW_MEETING: _("查看联席会议"),
    MANAGE_MEETING: _("组织联席会议"),
    ATTEND_MEETING: _("参加联席会议"),
    VIEW_RATING: _("查看双向评价"),
    RATE_UNIT: _("评价单位"),
    RATE_COMMUNITY: _("评价社区"),
    REQUEST_EXCLUSION: _("申请剔除统计"),
    DECIDE_EXCLUSION: _("审核剔除统计"),
    VIEW_FIRM: _("查看物业服务"),
    VIEW_BULLETIN: _("查看通报"),
    PUBLISH_BULLETIN: _("印发通报"),
    ANSWER_BULLETIN: _("答复通报"),
    VIEW_CASE: _("查看帮扶个案"),
    MANAGE_CASE: _("办理帮扶个案"),
    HELP_CASE: _("参加帮扶"),
    VIEW_WISH: _("查看微心愿"),
    COLLECT_WISH: _("征集微心愿"),
    MANAGE_WISH: _("办理微心愿"),
    ADOPT_WISH: _("认领微心愿"),
    MANAGE_ROUTING: _("维护派单规则"),
    VIEW_SETTINGS: _("查看类别和时限"),
    MANAGE_SETTINGS: _("维护类别和时限"),
}

_LOOKS = {
    VIEW_DEMAND,
    VIEW_CHECKIN,
    VIEW_COMMITMENT,
    VIEW_ACTIVITY,
    VIEW_RESOURCE,
    VIEW_PROJECT,
    VIEW_EVIDENCE,
    VIEW_MATCH,
    VIEW_MEETING,
    VIEW_RATING,
    VIEW_FIRM,
    VIEW_BULLETIN,
    VIEW_WISH,
    VIEW_SETTINGS,
}
# Whoever works at a place on its lists: the community, and the street for what concerns several of its communities.
_LISTS = {MANAGE_CHECKIN, MANAGE_COMMITMENT, MANAGE_RESOURCE, MANAGE_PROJECT, RUN_MATCH, MANAGE_MEETING}
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
    *_LISTS,
    VIEW_MEMBER_CHECKIN,
    MANAGE_MEMBER_CHECKIN,
    VIEW_CARD,
    CONFIRM_COMMITMENT,
    MANAGE_ACTIVITY,
    RATE_UNIT,
    REQUEST_EXCLUSION,
    ANSWER_BULLETIN,
    VIEW_CASE,
    MANAGE_CASE,
    COLLECT_WISH,
    MANAGE_WISH,
    TRANSFER_DEMAND,
}
# The street steps in where a community is stuck, decides what was escalated to it, and reviews what a community let wait
# beyond its limit (`guards.review_is_due`).
_STREET = {
    *_LOOKS,
    RAISE_DEMAND,
    PUBLISH_DEMAND,
    DISPATCH_DEMAND,
    SUPERVISE_DEMAND,
    EXPORT_DEMAND,
    REVIEW_SECOND_EXTENSION,
    REQUEST_EXCLUSION,
    ANSWER_BULLETIN,
    *_LISTS,
    TRANSFER_DEMAND,
    HAND_UP_DEMAND,
    HAND_DOWN_DEMAND,
    WHISTLE_DEMAND,
    REVIEW_RETURN,
    REVIEW_EXTENSION,
}
_KEEPER = {VIEW_DEMAND, RAISE_DEMAND, VIEW_WISH, COLLECT_WISH, VIEW_SETTINGS}

POST_RIGHTS: dict[str, set[str]] = {
    "county_department": {
        *_LOOKS,
        SUPERVISE_DEMAND,
        EXPORT_DEMAND,
        REVIEW_SECOND_EXTENSION,
        MANAGE_MEETING,
        VIEW_MEMBER_CHECKIN,
        VIEW_CARD,
        DECIDE_EXCLUSION,
        PUBLISH_BULLETIN,
        MANAGE_ROUTING,
        DISPATCH_DEMAND,
        TRANSFER_DEMAND,
        HAND_DOWN_DEMAND,
        WHISTLE_DEMAND,
    },
    # Leaders look after communities and take the hard matters; contacts stay masked for them.
    "county_leader": {*_LOOKS, INSTRUCT_DEMAND},
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

# What a unit's people see of what is their unit's own.
_OWN = {VIEW_COMMITMENT, VIEW_RESOURCE, VIEW_PROJECT, VIEW_EVIDENCE, VIEW_MEETING, VIEW_RATING}

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
        *_OWN,
        APPLY_CHECKIN,
        VIEW_CARD,
        MAKE_COMMITMENT,
        OFFER_RESOURCE,
        SERVE_PROJECT,
        ATTEND_MEETING,
        RATE_COMMUNITY,
        VIEW_CASE,
        HELP_CASE,
        VIEW_BULLETIN,
        ANSWER_BULLETIN,
        VIEW_WISH,
        ADOPT_WISH,
    },
    "staff": {VIEW_DEMAND, VIEW_CHECKIN, REPORT_SUBORDER, VIEW_CASE, VIEW_WISH, *_OWN},
    "member": {
        VIEW_DEMAND,
        ANSWER_ASSIGNMENT,
        REPORT_SUBORDER,
        REVEAL_CONTACT,
        VIEW_MEMBER_CHECKIN,
        REPORT_MEMBER_CHECKIN,
        VIEW_CARD,
        VIEW_COMMITMENT,
        VIEW_EVIDENCE,
        MAKE_COMMITMENT,
        VIEW_WISH,
        ADOPT_WISH,
    },
}

# What a unit's people may do with the published demands of the places where the unit has checked in: role -> rights.
CHECKIN_RIGHTS: dict[str, frozenset[str]] = {
    "liaison": frozenset({VIEW_DEMAND, CLAIM_DEMAND, VIEW_PROJECT, CLAIM_PROJECT, VIEW_WISH, ADOPT_WISH}),
    "staff": frozenset({VIEW_DEMAND, VIEW_PROJECT, VIEW_WISH}),
}
