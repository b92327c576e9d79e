"""Members who reported, in the admin: whom a community can ask, and for what. Without any order of merit."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import audit, policies
from core.admin_base import Fact, Part, chip, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm, Shown
from grids.admin_people import date_input
from grids.admin_places import PlaceFilter, place_field
from grids.compounds import with_profiles
from grids.models import GridNode
from grids.naming import COMMUNITY
from services.actions import certificates
from services.actions.member_checkins import NewCheckIn, decide_reports, register_members
from services.actions.member_services import plain
from services.admin.member_parts import (
    MANAGE,
    MOST,
    SHOWN,
    over,
    span_of,
    state_chip,
    tell,
    validity,
    word_filter,
)
from services.member_deeds import REPORT_DEEDS, OfferForm, offer_of
from services.models import (
    Certificate,
    FreeTime,
    MemberCheckIn,
    MemberCheckInState,
    ServiceRecord,
    ServiceState,
    Skill,
    WishedPost,
    labels_of,
)
from services.selectors.members import figures_of
from services.selectors.membership import named_member


class RegisterForm(OfferForm):
    """A member the community registers itself: named, not looked up."""

    name = forms.CharField(label=lazy("姓名"), max_length=60)
    phone = forms.CharField(
        label=lazy("手机号码"),
        max_length=20,
        help_text=lazy("要和县里登记的一致。"),
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "numeric", "autocomplete": "off"}),
    )

    def build(self) -> None:
        mine = GridNode.objects.standing().filter(policies.within(GridNode, self.user, MANAGE))
        homes = mine.filter(with_profiles()) | mine.filter(level_type__key=COMMUNITY)
        self.fields["node"] = place_field(
            homes.select_related("county", "level_type"),
            label=_("居住小区"),
            help_text=_("填小区名称中的几个字；不住小区的填社区。"),
        )
        self.order_fields(["name", "phone", "node", "skills", "free_time", "wished_post", "note"])


def _register(*, actor: Any, obj: None, name: str, phone: str, node: GridNode, **data: Any) -> MemberCheckIn:
    member = named_member(node.county, name, phone)
    return register_members(actor=actor, rows=[NewCheckIn(member, node, offer_of(data))])[0]


class RevealForm(DeedForm):
    reason = forms.CharField(label=lazy("用途"), max_length=200, help_text=lazy("例如“约周六下午修水管”。会记入日志。"))


def _reveal(*, actor: Any, obj: MemberCheckIn, reason: str) -> Shown:
    """The number, in this one answer; the trail says who asked, and why."""
    policies.require(actor, MANAGE, obj)
    audit.record(actor=actor, action="member_checkin.reveal", obj=obj, label=str(obj.node), reason=reason)
    return Shown(
        _("联系方式"), ((_("姓名"), obj.member.name), (_("手机号码"), obj.member.phone)), _("只用于这次联系。")
    )


class CertifyForm(DeedForm):
    since = forms.DateField(label=lazy("从哪天"), widget=date_input())
    until = forms.DateField(label=lazy("到哪天"), initial=timezone.localdate, widget=date_input())


def _certify(*, actor: Any, obj: MemberCheckIn, **data: Any) -> Certificate:
    return certificates.issue_certificate(actor=actor, member=obj.member, community=obj.community, **data)


class CommunityFilter(PlaceFilter):
    community = "community"


@admin.register(MemberCheckIn)
class MemberCheckInAdmin(SheetAdmin):
    list_display = ("who", "place", "can", "free", "wish", "state_words")
    list_display_links = ("who",)
    list_filter = (
        CommunityFilter,
        word_filter("skills", lazy("特长"), Skill.choices),
        word_filter("free_time", lazy("空闲时间"), FreeTime.choices),
        choice_filter("wished_post", lazy("意愿岗位"), WishedPost.choices),
        choice_filter("state", lazy("状态"), MemberCheckInState.choices),
    )
    list_select_related = ("member__unit", "node", "community")
    search_fields = ("member__name", "member__unit__name", "node__path")
    search_help_text = lazy("姓名、单位、小区")
    ordering = ("-applied_at", "-id")
    sortable_by = ()
    object_related = ("member__unit", "member__branch", "node__county", "community__county")
    sheets = ("member_checkins",)
    actions = ("accept_chosen",)
    empty_text = lazy("党员在手机上向居住小区报到后会列在这里；已有名单的，用“导入”一次登记。")
    adding = Deed(
        "add",
        lazy("登记报到"),
        MANAGE,
        RegisterForm,
        _register,
        lazy("已登记报到。"),
        help=lazy("党员不方便用手机的，由社区代为登记，当即接收。"),
        tone="main",
    )
    deeds = (
        *REPORT_DEEDS,
        Deed(
            "reveal",
            lazy("查看电话"),
            MANAGE,
            RevealForm,
            _reveal,
            lazy("已显示。"),
            help=lazy("约服务时用。谁在什么时候为什么看过，都有记录。"),
            offered=lambda row: row.state == MemberCheckInState.ACCEPTED,
        ),
        Deed(
            "certify",
            lazy("开服务证明"),
            MANAGE,
            CertifyForm,
            _certify,
            lazy("服务证明已开好。"),
            help=lazy("只算社区确认过的服务。党员本人也能在手机上自己开。"),
        ),
    )

    def has_accept_permission(self, request: HttpRequest) -> bool:
        return policies.holds(request.user, MANAGE)

    @admin.action(description=lazy("接收所选"), permissions=["accept"])
    def accept_chosen(self, request: HttpRequest, queryset: QuerySet[MemberCheckIn]) -> None:
        rows = list(queryset.select_related("node")[:MOST])
        user: Any = request.user
        tell(self, request, decide_reports(actor=user, checkins=rows, name="accept"), _("已接收"))

    @admin.display(description=lazy("党员"))
    def who(self, row: MemberCheckIn) -> str:
        return over(row.member.name, row.member.unit.label if row.member.unit else _("未登记单位"))

    @admin.display(description=lazy("居住小区"))
    def place(self, row: MemberCheckIn) -> str:
        return over(row.node.name, row.community.name if row.community_id != row.node_id else "")

    @admin.display(description=lazy("特长"), empty_value="—")
    def can(self, row: MemberCheckIn) -> str | None:
        return labels_of(Skill, row.skills) or None

    @admin.display(description=lazy("空闲时间"), empty_value="—")
    def free(self, row: MemberCheckIn) -> str | None:
        return labels_of(FreeTime, row.free_time) or None

    @admin.display(description=lazy("意愿岗位"))
    def wish(self, row: MemberCheckIn) -> str:
        return row.get_wished_post_display()

    @admin.display(description=lazy("状态"))
    def state_words(self, row: MemberCheckIn) -> str:
        return chip(*state_chip(row))

    def object_title(self, obj: MemberCheckIn) -> str:
        return _("%(member)s → %(place)s") % {"member": obj.member.name, "place": obj.node.name}

    def chips(self, obj: MemberCheckIn) -> list[tuple[str, str]]:
        return [state_chip(obj)]

    def facts(self, request: HttpRequest, obj: MemberCheckIn) -> list[Fact]:
        counted = figures_of(obj.member)
        return [
            Fact(_("所在单位"), obj.member.unit.name if obj.member.unit else ""),
            Fact(_("所在支部"), obj.member.branch.name if obj.member.branch else ""),
            Fact(_("手机号码"), obj.member.masked_phone),
            Fact(_("居住小区"), obj.node.path, wide=True),
            Fact(_("特长"), labels_of(Skill, obj.skills)),
            Fact(_("空闲时间"), labels_of(FreeTime, obj.free_time)),
            Fact(_("意愿岗位"), obj.get_wished_post_display()),
            Fact(_("补充说明"), obj.note),
            Fact(_("报到日期"), day_words(obj.applied_at)),
            Fact(_("接收日期"), day_words(obj.decided_at) if obj.state == MemberCheckInState.ACCEPTED else ""),
            Fact(_("结束日期"), day_words(obj.ended_on)),
            Fact(_("意见"), obj.reason),
            Fact(_("已确认服务"), _("%(count)d 次") % {"count": counted.services}),
        ]

    def parts(self, request: HttpRequest, obj: MemberCheckIn) -> list[Part]:
        services = ServiceRecord.objects.visible_to(request.user).filter(checkin=obj)
        services = services.exclude(state=ServiceState.DROPPED).order_by("-served_on", "-pk")[:SHOWN]
        done = [
            [
                link(row.text, reverse("admin:services_servicerecord_change", args=[row.pk])),
                day_words(row.served_on),
                plain(row.hours),
                chip(*state_chip(row)),
            ]
            for row in services
        ]
        certified = Certificate.objects.visible_to(request.user).filter(member=obj.member, community=obj.community)
        papers = [
            [
                link(span_of(row), reverse("admin:services_certificate_change", args=[row.pk])),
                day_words(row.issued_at),
                chip(*validity(row)),
            ]
            for row in certified[:SHOWN]
        ]
        columns = [_("服务内容"), _("日期"), _("小时"), _("状态")]
        return [
            Part(_("服务记录"), columns, done, _("还没有填过服务。")),
            Part(_("服务证明"), [_("起止"), _("出具日期"), _("状态")], papers, _("还没有开过证明。")),
        ]

    def after(self, request: HttpRequest, deed: Deed, obj: Any, result: Any) -> HttpResponse:
        answer = super().after(request, deed, obj, result)
        if isinstance(result, Certificate):
            return redirect("admin:services_certificate_change", result.pk)
        return answer
