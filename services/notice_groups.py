"""In which groups a person finds the notices of this floor, and what a county's own words for them may name.

By the beginning of a kind's name: a new kind of a demand is in its group already. Source: docs/practice.md#loop.
"""

from django.utils.translation import gettext_lazy as _

from core.notices import Field, register_fields, register_group

# What is asked of somebody by name and day goes at once, in the night as well.
URGENT = {"supervise", "answer_late", "whistle"}
OUTSIDE = {"dispatch", "assign", "supervise", "late", "whistle"}

_REVIEWS = (
    "demand_request_",
    "demand_review_late",
    "demand_finish",
    "demand_evaluate",
    "demand_exclusion",
    "exclusion_",
    "commitment_reported",
    "commitment_unconfirmed",
    "project_finish",
    "resource_offer",
    "member_service_entered",
)

_DEMAND = (
    Field("title", _("需求标题"), "阳光小区3栋楼道灯不亮"),
    Field("place", _("地点"), "新城街道清溪社区阳光小区3栋"),
    Field("code", _("需求编号"), "QX2026030500012", outside=True),
    Field("due", _("办理期限"), "2026年3月12日 17:30", outside=True),
)


def register() -> None:
    """Called once from `apps.py`."""
    register_group(
        "supervision",
        _("督办"),
        # Only what must be told at once: what else is said of a supervision or a whistle may wait like any news.
        exactly=[f"demand_{name}" for name in sorted(URGENT)],
        note=_("必须及时告知，不能放进每日汇总。"),
    )
    loop = _("派单、签收、超期、挂账、个案、微心愿")
    register_group("loop", _("派单办理"), kinds=("demand_", "case_", "wish_"), note=loop)
    shown = _("通报、超期清单、超期过久请包联领导协调")
    register_group("bulletin", _("通报和协调"), kinds=("bulletin_", "demand_bulletin", "ladder_"), note=shown)
    register_group("review", _("审核和核查"), kinds=_REVIEWS, note=_("退单、延期、办结等等您审核"))
    register_group("meeting", _("会议"), kinds=("meeting_", "resolution_"), note=_("联席会议和决议"))
    register_group(
        "checkin",
        _("报到和承诺"),
        kinds=("checkin_", "member_", "commitment_"),
        note=_("单位报到、党员报到、服务、承诺事项"),
    )
    register_group("lists", _("清单"), kinds=("resource_", "project_", "list_"), note=_("资源清单、项目清单、责任清单"))
    register_fields("demand_", _DEMAND)
    # Told of several at once: there is no one title or day.
    register_fields("demand_import", ())
    register_fields("demand_step_late", ())
