"""The left side of the desk, by task. An entry stands there only for a person whom its page lets in."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _

from core import policies
from core.accounts import MANAGE_ACCOUNT
from core.models import AuditEntry, CalendarDay, NoticeTemplate, OutboxMessage, User
from grids.models import Appointment, CareCadence, CareHousehold, County, GridNode, Level, Remediation, Vacancy
from grids.posts import COUNT_CARE
from partybuilding.models import (
    Alliance,
    AllianceSeat,
    Compound,
    FloatingMember,
    Member,
    Pairing,
    PairingProblem,
    PairingVisit,
    PartyOrganisation,
    Station,
    Unit,
    UnitMembership,
)
from services import posts
from services.models import (
    Activity,
    Bulletin,
    BulletinItem,
    Category,
    CategoryLearning,
    Certificate,
    CheckInApplication,
    Commitment,
    Demand,
    Help,
    HelpCase,
    JointMeeting,
    LoopSettings,
    MatchRun,
    MemberCard,
    MemberCheckIn,
    OutsideMatter,
    Project,
    RateExclusion,
    Resolution,
    Resource,
    Responsibility,
    RoutingRule,
    RuleVersion,
    ServiceRating,
    ServiceRecord,
    UnitCheckIn,
    Wish,
)

Item = dict[str, Any]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of entries, as the theme takes them (SIDEBAR.navigation)."""
    groups = [
        ("", [_desk(request), *_demands(request)]),
        (_("清单"), _lists(request)),
        (
            _("双报到"),
            _models(request, UnitCheckIn, CheckInApplication, MemberCheckIn, ServiceRecord, MemberCard, Certificate),
        ),
        (_("承诺与活动"), _promises(request)),
        (_("联席会议"), _models(request, JointMeeting, Resolution, Alliance, AllianceSeat)),
        (_("单位"), _models(request, Unit, UnitMembership)),
        (_("网格"), [*_places(request), *_coverage(request)]),
        (_("小区"), _compounds(request)),
        (_("包联"), _pairings(request)),
        (_("关爱"), _care(request)),
        (_("党组织"), _models(request, PartyOrganisation, Member, Station, FloatingMember)),
        (_("通报与剔除"), _models(request, Bulletin, BulletinItem, RateExclusion)),
        (_("统计"), _figures(request)),
        (_("管理"), _administration(request)),
        (_("我的"), _mine(request)),
    ]
    return [{"title": title, "items": items} for title, items in groups if items]


def _item(request: HttpRequest, title: str, link: str, *, active: bool | None = None) -> Item:
    if active is None:
        active = request.path == link or (link != reverse("admin:index") and request.path.startswith(link))
    return {"title": title, "link": link, "active": active}


def _desk(request: HttpRequest) -> Item:
    title = _("等我办") if policies.holds(request.user, posts.VIEW_DEMAND) else _("工作台")
    return _item(request, title, reverse("admin:index"))


def _sees(request: HttpRequest, model: Any) -> bool:
    page: Any = admin.site.get_model_admin(model) if admin.site.is_registered(model) else None
    return page is not None and page.sees_list(request.user)


def _models(request: HttpRequest, *models: Any) -> list[Item]:
    return [
        _item(
            request,
            str(model._meta.verbose_name),
            reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"),
        )
        for model in models
        if _sees(request, model)
    ]


def _pairings(request: HttpRequest) -> list[Item]:
    items = _models(request, Pairing, PairingProblem, PairingVisit)
    if items:
        gaps = reverse("admin:partybuilding_pairing_gaps")
        items[0]["active"] = items[0]["active"] and not request.path.startswith(gaps)
        items.append(_item(request, _("缺口与超载"), gaps))
    return items


def _promises(request: HttpRequest) -> list[Item]:
    """Promises, joint activities and ratings, and their figures."""
    items = _models(request, Commitment, Activity, ServiceRating)
    if _sees(request, Commitment):
        figures = _item(request, _("双报到双服务"), reverse("admin:services_commitment_figures"))
        for item in items:
            item["active"] = item["active"] and not figures["active"]
        items.append(figures)
    return items


def _places(request: HttpRequest) -> list[Item]:
    """The tree of places, the same as a list, and who is in post there."""
    items = _models(request, GridNode, Appointment)
    if not _sees(request, GridNode):
        return items
    tree = _item(request, _("网格树"), reverse("admin:grids_gridnode_tree"))
    if tree["active"]:
        items[0]["active"] = False
    return [tree, *items]


def _demands(request: HttpRequest) -> list[Item]:
    if not _sees(request, Demand):
        return []
    listed = reverse("admin:services_demand_changelist")
    register = reverse("admin:services_demand_add")
    open_list = request.GET.get("state") == "published" or request.path.startswith(
        reverse("admin:services_demand_firms")
    )
    items = [
        _item(
            request,
            _("需求"),
            listed,
            active=request.path.startswith(listed) and request.path != register and not open_list,
        )
    ]
    if policies.holds(request.user, posts.RAISE_DEMAND):
        items.append(_item(request, _("登记来电"), register))
    return items


def _lists(request: HttpRequest) -> list[Item]:
    """The four lists, and how demands and resources are brought together. The demand list is what units may claim."""
    if not _sees(request, Demand):
        return []
    listed = reverse("admin:services_demand_changelist")
    active = request.path == listed and request.GET.get("state") == "published"
    demands = _item(request, _("需求清单（待认领）"), f"{listed}?state=published", active=active)
    items = [demands, *_models(request, Resource, Project, Responsibility, MatchRun)]
    if _sees(request, Project):
        overview = _item(request, _("四张清单"), reverse("admin:services_project_lists"))
        for item in items:
            item["active"] = item["active"] and not overview["active"]
        items.insert(0, overview)
    return items


def _care(request: HttpRequest) -> list[Item]:
    """The care ledger for the community; its figures for everybody who may count."""
    items = _models(request, CareHousehold, HelpCase, Help)
    wishes = _models(request, Wish)
    if policies.holds(request.user, COUNT_CARE):
        items.append(_item(request, _("关爱统计"), reverse("admin:grids_carehousehold_figures")))
        for item in items[:-1]:
            item["active"] = item["active"] and not items[-1]["active"]
    return [*items, *wishes]


def _coverage(request: HttpRequest) -> list[Item]:
    if not _sees(request, Vacancy):
        return []
    listed, figures = reverse("admin:grids_vacancy_changelist"), reverse("admin:grids_vacancy_coverage")
    return [_item(request, _("岗位覆盖"), figures, active=request.path.startswith(listed))]


def _compounds(request: HttpRequest) -> list[Item]:
    """Compounds, what is put right in them, and their figures."""
    items = _models(request, Compound, Remediation)
    if _sees(request, Compound):
        figures = _item(request, _("小区统计"), reverse("admin:partybuilding_compound_figures"))
        for item in items:
            item["active"] = item["active"] and not figures["active"]
        items.append(figures)
    if policies.holds(request.user, posts.VIEW_FIRM):
        items.append(_item(request, _("物业服务"), reverse("admin:services_demand_firms")))
    return items


def _figures(request: HttpRequest) -> list[Item]:
    if policies.holds(request.user, policies.VIEW_DASHBOARD) and _stands("/dashboard/"):
        return [_item(request, _("看板"), "/dashboard/")]
    return []


def _administration(request: HttpRequest) -> list[Item]:
    items = _models(request, User) if policies.holds(request.user, MANAGE_ACCOUNT) else []
    items += _models(request, County, Level)
    if policies.holds(request.user, posts.MANAGE_SETTINGS):
        items += _models(request, Category, LoopSettings, RuleVersion, CalendarDay)
    items += _models(request, RoutingRule, OutsideMatter, CategoryLearning)
    return [*items, *_models(request, CareCadence), *_told(request), *_models(request, AuditEntry)]


def _told(request: HttpRequest) -> list[Item]:
    """The words of notices, what went to the outside, and over which channels."""
    items = _models(request, NoticeTemplate, OutboxMessage)
    if _sees(request, OutboxMessage):
        ways = _item(request, _("通知渠道"), reverse("admin:core_outboxmessage_channels"))
        items[-1]["active"] = items[-1]["active"] and not ways["active"]
        items.append(ways)
    return items


def _mine(request: HttpRequest) -> list[Item]:
    items = [_item(request, _("通知"), reverse("core:notices")), _item(request, _("后台任务"), reverse("core:jobs"))]
    if policies.holds(request.user, policies.USE_MOBILE) and _stands("/m/"):
        items.append(_item(request, _("手机版"), "/m/"))
    items.append(_item(request, _("通知设置"), reverse("core:notice_settings")))
    items.append(_item(request, _("修改密码"), reverse("core:password")))
    return items


def _stands(address: str) -> bool:
    try:
        resolve(address)
    except Resolver404:
        return False
    return True
