"""Quarterly cards and certificates in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, ScopedModelAdmin, SelectFilter, chip, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm, Shown
from core.periods import Quarter
from grids.admin_places import PlaceFilter
from grids.models import GridNode
from grids.naming import COMMUNITY
from services.actions import certificates
from services.actions.member_cards import last_quarter, send_cards
from services.actions.member_services import plain
from services.admin.member_parts import (
    MANAGE,
    QuarterFilter,
    recent_quarters,
    span_of,
    validity,
)
from services.models import (
    Certificate,
    MemberCard,
)


class SendForm(DeedForm):
    """A community's quarter."""

    def build(self) -> None:
        mine = GridNode.objects.standing().at(COMMUNITY).filter(policies.within(GridNode, self.user, MANAGE))
        communities = forms.ModelChoiceField(
            mine.order_by("tree_id", "lft"), label=_("社区"), empty_label=None, initial=mine.first()
        )
        self.fields["community"] = communities
        running, *ended = recent_quarters()
        choices = [(quarter.code, quarter.label) for quarter in ended]
        choices.append((running.code, _("%(quarter)s（还没有结束）") % {"quarter": running.label}))
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
class CertificateAdmin(ScopedModelAdmin):
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
