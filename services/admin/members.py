"""Members who reported, what they did, what is sent back of it: lists a community works from, without any order of merit."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import audit, policies
from core.admin_base import Fact, Part, SelectFilter, chip, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm, Shown
from core.moving import Moved
from core.periods import Quarter
from grids.admin_people import date_input
from grids.admin_places import PlaceFilter, place_field
from grids.compounds import with_profiles
from grids.models import GridNode
from grids.naming import COMMUNITY
from services import posts
from services.actions import certificates
from services.actions.member_cards import last_quarter, send_cards
from services.actions.member_checkins import NewCheckIn, decide_reports, register_members
from services.actions.member_services import decide_services, plain
from services.member_deeds import REPORT_DEEDS, SERVICE_DEEDS, OfferForm, offer_of
from services.models import (
    Certificate,
    FreeTime,
    MemberCard,
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

MOST = 500
SHOWN = 20
TONES = {"applied": "amber", "entered": "amber", "sent_back": "red", "accepted": "green", "confirmed": "green"}
MANAGE = posts.MANAGE_MEMBER_CHECKIN


def state_chip(row: Any) -> tuple[str, str]:
    return row.get_state_display(), TONES.get(row.state, "grey")


def word_filter(field: str, label: Any, choices: Any) -> type[SelectFilter]:
    """Rows whose list of words holds the one chosen. The keys are our own; both databases read the list as text."""

    class WordFilter(SelectFilter):
        title = label
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            return list(choices)

        def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
            said = rows.alias(**{f"{field}_said": Cast(field, TextField())})
            return said.filter(**{f"{field}_said__contains": f'"{value}"'})

    return WordFilter


# --- Reports --------------------------------------------------------------------------------------------------------


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
    list_display = ("who", "unit", "place", "can", "free", "wish", "state_words")
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
        tell(self, request, decide_reports(actor=request.user, checkins=rows, name="accept"), _("已接收"))

    @admin.display(description=lazy("姓名"))
    def who(self, row: MemberCheckIn) -> str:
        return row.member.name

    @admin.display(description=lazy("所在单位"), empty_value="—")
    def unit(self, row: MemberCheckIn) -> str | None:
        return row.member.unit.label if row.member.unit else None

    @admin.display(description=lazy("居住小区"))
    def place(self, row: MemberCheckIn) -> str:
        return row.node.path

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


def tell(page: SheetAdmin, request: HttpRequest, moved: Moved[Any], words: str) -> None:
    """What came of many."""
    if moved.done:
        page.message_user(request, _("%(words)s %(count)d 项。") % {"words": words, "count": len(moved.done)})
    for reason in dict.fromkeys(refused.reason for refused in moved.refused):
        count = sum(refused.reason == reason for refused in moved.refused)
        text = _("%(count)d 项没有办：%(reason)s") % {"count": count, "reason": reason}
        page.message_user(request, text, messages.WARNING)


# --- Services -------------------------------------------------------------------------------------------------------


class ServicePlaceFilter(PlaceFilter):
    path = "checkin__node"
    community = "checkin__community"


class QuarterFilter(SelectFilter):
    """The running quarter and the four before it."""

    title = lazy("季度")
    parameter_name = "quarter"
    field = "served_on"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(quarter.code, quarter.label) for quarter in recent_quarters()]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        quarter = Quarter.parse(value)
        return rows.filter(**{f"{self.field}__gte": quarter.first_day, f"{self.field}__lte": quarter.last_day})


def recent_quarters() -> list[Quarter]:
    found = [Quarter.of(timezone.localdate())]
    while len(found) < 5:
        found.append(found[-1].previous())
    return found


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=lazy("请写一句说明"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("每位党员都会看到同一句话。"),
    )


@admin.register(ServiceRecord)
class ServiceRecordAdmin(SheetAdmin):
    list_display = ("what", "who", "place", "day", "length", "state_words")
    list_display_links = ("what",)
    list_filter = (ServicePlaceFilter, QuarterFilter, choice_filter("state", lazy("状态"), ServiceState.choices))
    list_select_related = ("checkin__member", "checkin__node")
    search_fields = ("checkin__member__name", "text", "checkin__node__path")
    search_help_text = lazy("姓名、内容、小区")
    ordering = ("-served_on", "-id")
    sortable_by = ()
    object_related = ("checkin__member__unit", "checkin__node__county", "checkin__community__county", "decided_by")
    sheets = ("member_services",)
    actions = ("confirm_chosen", "send_back_chosen")
    empty_text = lazy("党员在手机上填写服务后会列在这里，由社区确认。")
    deeds = SERVICE_DEEDS

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return policies.holds(request.user, MANAGE)

    @admin.action(description=lazy("确认所选"), permissions=["decide"])
    def confirm_chosen(self, request: HttpRequest, queryset: QuerySet[ServiceRecord]) -> None:
        moved = decide_services(actor=request.user, services=list(queryset[:MOST]), name="confirm")
        tell(self, request, moved, _("已确认"))

    @admin.action(description=lazy("退回所选"), permissions=["decide"])
    def send_back_chosen(self, request: HttpRequest, queryset: QuerySet[ServiceRecord]) -> HttpResponse:
        keys = queryset.order_by().values_list("pk", flat=True)[:MOST]
        return redirect(f"{self.url('send_back')}?{'&'.join(f'id={key}' for key in keys)}")

    def more_urls(self) -> list[URLPattern]:
        return [self.page("send-back/", self.send_back_view, "send_back")]

    def send_back_view(self, request: HttpRequest) -> HttpResponse:
        """Many at once, with one word."""
        if not self.has_decide_permission(request):
            return redirect(self.url("changelist"))
        sent = request.method == "POST"
        asked = (request.POST if sent else request.GET).getlist("id")
        keys = [int(key) for key in asked if key.isascii() and key.isdigit() and len(key) < 19][:MOST]
        rows = list(self.get_queryset(request).filter(pk__in=keys).select_related("checkin__member"))
        form = ReasonForm(request.POST if sent else None)
        if sent and form.is_valid():
            reason = form.cleaned_data["reason"]
            tell(
                self,
                request,
                decide_services(actor=request.user, services=rows, name="send_back", reason=reason),
                _("已退回"),
            )
            return redirect(self.url("changelist"))
        context = {"title": _("退回所选的服务"), "rows": rows, "form": form, "back": self.url("changelist")}
        return self.render(request, "admin/services_back.html", context, status=400 if sent else 200)

    @admin.display(description=lazy("服务内容"))
    def what(self, row: ServiceRecord) -> str:
        return row.text

    @admin.display(description=lazy("党员"))
    def who(self, row: ServiceRecord) -> str:
        return row.checkin.member.name

    @admin.display(description=lazy("小区"))
    def place(self, row: ServiceRecord) -> str:
        return row.checkin.node.path

    @admin.display(description=lazy("日期"))
    def day(self, row: ServiceRecord) -> str:
        return day_words(row.served_on)

    @admin.display(description=lazy("小时"))
    def length(self, row: ServiceRecord) -> str:
        return plain(row.hours)

    @admin.display(description=lazy("状态"))
    def state_words(self, row: ServiceRecord) -> str:
        return chip(*state_chip(row))

    def object_title(self, obj: ServiceRecord) -> str:
        return str(obj)

    def chips(self, obj: ServiceRecord) -> list[tuple[str, str]]:
        return [state_chip(obj)]

    def facts(self, request: HttpRequest, obj: ServiceRecord) -> list[Fact]:
        checkin = reverse("admin:services_membercheckin_change", args=[obj.checkin_id])
        return [
            Fact(_("服务内容"), obj.text, wide=True),
            Fact(_("党员"), link(obj.checkin.member.name, checkin)),
            Fact(_("所在单位"), obj.checkin.member.unit.name if obj.checkin.member.unit else ""),
            Fact(_("小区"), obj.checkin.node.path, wide=True),
            Fact(_("日期"), day_words(obj.served_on)),
            Fact(_("时长（小时）"), plain(obj.hours)),
            Fact(_("填写日期"), day_words(obj.entered_at)),
            Fact(_("确认日期"), day_words(obj.decided_at) if obj.state == ServiceState.CONFIRMED else ""),
            Fact(_("确认人"), obj.decided_by.name if obj.decided_by else ""),
            Fact(_("意见"), obj.reason, wide=True),
        ]


# --- Cards ----------------------------------------------------------------------------------------------------------


class SendForm(DeedForm):
    """A community's quarter."""

    def build(self) -> None:
        mine = GridNode.objects.standing().at(COMMUNITY).filter(policies.within(GridNode, self.user, MANAGE))
        communities = forms.ModelChoiceField(
            mine.order_by("tree_id", "lft"), label=_("社区"), empty_label=None, initial=mine.first()
        )
        self.fields["community"] = communities
        choices = [(quarter.code, quarter.label) for quarter in recent_quarters()[1:]]
        self.fields["quarter"] = forms.ChoiceField(label=_("季度"), choices=choices, initial=last_quarter().code)


def _send(*, actor: Any, obj: None, community: GridNode, quarter: str) -> Shown:
    sent = send_cards(actor=actor, community=community, quarter=Quarter.parse(quarter))
    told = Quarter.parse(quarter).label
    return Shown(
        _("%(quarter)s服务卡") % {"quarter": told}, ((community.name, sent.words),), _("单位联络员已收到通知。")
    )


class CardPlaceFilter(PlaceFilter):
    path = "community"


class CardQuarterFilter(QuarterFilter):
    field = "quarter"


@admin.register(MemberCard)
class MemberCardAdmin(SheetAdmin):
    list_display = ("who", "unit_name", "community_name", "when", "services", "length", "read")
    list_display_links = ("who",)
    list_filter = (CardPlaceFilter, CardQuarterFilter)
    list_select_related = ("member", "unit", "community")
    search_fields = ("member__name", "unit__name", "unit__short_name")
    search_help_text = lazy("姓名、单位")
    ordering = ("-quarter", "unit__name", "member__name", "id")
    sortable_by = ()
    object_related = ("member", "unit", "community", "sent_by")
    sheets = ("member_cards",)
    empty_text = lazy("季度结束后，点“反馈服务卡”，把社区确认的服务一次发给党员所在单位。")
    adding = Deed(
        "add",
        lazy("反馈服务卡"),
        MANAGE,
        SendForm,
        _send,
        lazy("已反馈。"),
        help=lazy(
            "把这个季度社区确认过的服务，按党员所在单位一次发出去。可以重复点：没有变化的不会再发，有更正的重新发给单位。"
        ),
        tone="main",
    )

    @admin.display(description=lazy("党员"))
    def who(self, row: MemberCard) -> str:
        return row.member.name

    @admin.display(description=lazy("所在单位"))
    def unit_name(self, row: MemberCard) -> str:
        return row.unit.label

    @admin.display(description=lazy("社区"))
    def community_name(self, row: MemberCard) -> str:
        return row.community.name

    @admin.display(description=lazy("季度"))
    def when(self, row: MemberCard) -> str:
        return Quarter.of(row.quarter).label

    @admin.display(description=lazy("小时"))
    def length(self, row: MemberCard) -> str:
        return plain(row.hours)

    @admin.display(description=lazy("查收"))
    def read(self, row: MemberCard) -> str:
        return chip(*received(row))

    def object_title(self, obj: MemberCard) -> str:
        return _("%(member)s %(quarter)s") % {"member": obj.member.name, "quarter": Quarter.of(obj.quarter).label}

    def chips(self, obj: MemberCard) -> list[tuple[str, str]]:
        return [received(obj)]

    def facts(self, request: HttpRequest, obj: MemberCard) -> list[Fact]:
        paper = reverse("mobile:unit_cards_print", args=[obj.unit_id, Quarter.of(obj.quarter).code])
        return [
            Fact(_("所在单位"), obj.unit.name),
            Fact(_("社区"), obj.community.path),
            Fact(_("服务次数"), obj.services),
            Fact(_("时长（小时）"), plain(obj.hours)),
            Fact(_("反馈日期"), day_words(obj.sent_at)),
            Fact(_("反馈人"), obj.sent_by.name if obj.sent_by else ""),
            Fact(_("查收日期"), day_words(obj.read_at)),
            Fact(_("回单"), link(_("打印这个单位的回单"), paper)),
        ]


def received(row: MemberCard) -> tuple[str, str]:
    return (_("已查收"), "green") if row.read_at else (_("待查收"), "amber")


# --- Certificates ---------------------------------------------------------------------------------------------------


class RevokeForm(DeedForm):
    reason = forms.CharField(label=lazy("作废原因"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}))
    version = forms.IntegerField(widget=forms.HiddenInput)


def _revoke(*, actor: Any, obj: Certificate, **data: Any) -> Certificate:
    return certificates.revoke_certificate(actor=actor, certificate=obj, **data)


class ValidFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "valid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("有效")), ("0", _("已作废"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(revoked_at__isnull=value == "1")


@admin.register(Certificate)
class CertificateAdmin(SheetAdmin):
    list_display = ("who", "community_name", "span", "services", "length", "issued", "state_words")
    list_display_links = ("who",)
    list_filter = (CardPlaceFilter, ValidFilter)
    list_select_related = ("member", "community")
    search_fields = ("member__name",)
    search_help_text = lazy("姓名")
    ordering = ("-issued_at", "-id")
    sortable_by = ()
    object_related = ("member", "community", "county")
    empty_text = lazy("党员在手机上自己开，或由社区在报到的页面上点“开服务证明”。")
    deeds = (
        Deed(
            "revoke",
            lazy("作废"),
            MANAGE,
            RevokeForm,
            _revoke,
            lazy("证明已作废。"),
            help=lazy("作废后，任何人查验都会看到“已作废”，不会看到原因。"),
            tone="danger",
            offered=lambda row: row.revoked_at is None,
        ),
    )

    @admin.display(description=lazy("党员"))
    def who(self, row: Certificate) -> str:
        return row.member.name

    @admin.display(description=lazy("社区"))
    def community_name(self, row: Certificate) -> str:
        return row.community.name

    @admin.display(description=lazy("起止"))
    def span(self, row: Certificate) -> str:
        return span_of(row)

    @admin.display(description=lazy("小时"))
    def length(self, row: Certificate) -> str:
        return plain(row.hours)

    @admin.display(description=lazy("出具日期"))
    def issued(self, row: Certificate) -> str:
        return day_words(row.issued_at)

    @admin.display(description=lazy("状态"))
    def state_words(self, row: Certificate) -> str:
        return chip(*validity(row))

    def object_title(self, obj: Certificate) -> str:
        return _("%(member)s的服务证明") % {"member": obj.member.name}

    def chips(self, obj: Certificate) -> list[tuple[str, str]]:
        return [validity(obj)]

    def facts(self, request: HttpRequest, obj: Certificate) -> list[Fact]:
        return [
            Fact(_("社区"), obj.community.path),
            Fact(_("起止"), span_of(obj)),
            Fact(_("服务次数"), obj.services),
            Fact(_("时长（小时）"), plain(obj.hours)),
            Fact(_("出具日期"), day_words(obj.issued_at)),
            Fact(_("作废日期"), day_words(obj.revoked_at)),
            Fact(_("作废原因"), obj.reason, wide=True),
            Fact(_("证明"), link(_("打开、打印"), reverse("mobile:certificate", args=[obj.pk]))),
        ]


def span_of(row: Certificate) -> str:
    return _("%(since)s至%(until)s") % {"since": day_words(row.since), "until": day_words(row.until)}


def validity(row: Certificate) -> tuple[str, str]:
    return (_("已作废"), "red") if row.revoked_at else (_("有效"), "green")
