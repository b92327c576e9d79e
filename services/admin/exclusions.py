"""Exclusions in the admin: what was asked to be left out of the rates, who decided, and what that did to the figures."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import Fact, Part, ScopedModelAdmin, chip, choice_filter, day_words, link
from core.deeds import Deed
from core.periods import Month, datetime_words
from core.text import ellipsis
from grids.admin_places import PlaceFilter
from services.models import ExclusionState, RateExclusion
from services.rate_deeds import OF_EXCLUSION, REQUEST_EXCLUSION, rate_words
from services.selectors.rates import RATES, Rate

TONES = {
    ExclusionState.REQUESTED: "amber",
    ExclusionState.APPROVED: "blue",
    ExclusionState.REJECTED: "red",
}


class ExclusionPlaceFilter(PlaceFilter):
    path = "demand__node"
    community = "demand__community"


def rates_words(row: RateExclusion) -> str:
    return "、".join(str(RATES[name].label) for name in row.rates)


def state_of(row: RateExclusion) -> tuple[str, str]:
    return str(row.get_state_display()), TONES.get(ExclusionState(row.state), "grey")


@admin.register(RateExclusion)
class RateExclusionAdmin(ScopedModelAdmin):
    list_display = ("matter", "place", "which", "why", "asked", "state_chip")
    list_display_links = ("matter",)
    list_filter = (ExclusionPlaceFilter, choice_filter("state", lazy("状态"), ExclusionState.choices))
    list_select_related = ("demand__community", "by")
    search_fields = ("^demand__code", "demand__title", "reason")
    search_help_text = lazy("需求编号、标题、理由")
    ordering = ("-at", "-id")
    sortable_by = ()
    object_related = ("demand__node", "demand__community", "by", "decided_by", "reversed_by")
    empty_text = lazy("没有剔除申请：各项率都没有剔除。社区和街道在需求页面上点“申请剔除”。")
    adding = REQUEST_EXCLUSION
    deeds = OF_EXCLUSION

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """A new one may come with its demand, from the demand's own page."""
        return {"demand": request.GET.get("demand", "")[:20]} if obj is None else super().initial(request, deed, obj)

    @admin.display(description=lazy("需求"))
    def matter(self, row: RateExclusion) -> str:
        return f"{row.demand.code} {ellipsis(row.demand.title, 30)}"

    @admin.display(description=lazy("社区"))
    def place(self, row: RateExclusion) -> str:
        return row.demand.community.name

    @admin.display(description=lazy("不计入"))
    def which(self, row: RateExclusion) -> str:
        return rates_words(row)

    @admin.display(description=lazy("理由"))
    def why(self, row: RateExclusion) -> str:
        return ellipsis(row.reason, 30)

    @admin.display(description=lazy("申请"))
    def asked(self, row: RateExclusion) -> str:
        return format_html('{}<span class="cell-under nowrap">{}</span>', row.by.name, day_words(row.at))

    @admin.display(description=lazy("状态"))
    def state_chip(self, row: RateExclusion) -> str:
        return chip(*state_of(row))

    def object_title(self, obj: RateExclusion) -> str:
        return ellipsis(obj.demand.title, 40)

    def chips(self, obj: RateExclusion) -> list[tuple[str, str]]:
        return [state_of(obj)]

    def facts(self, request: HttpRequest, obj: RateExclusion) -> list[Fact]:
        demand = obj.demand
        address = reverse("admin:services_demand_change", args=[demand.pk])
        return [
            Fact(_("需求"), link(f"{demand.code} {demand.title}", address), wide=True),
            Fact(_("社区"), demand.community.name),
            Fact(_("不计入"), rates_words(obj)),
            Fact(_("剔除理由"), obj.reason, wide=True),
            Fact(_("审核时限"), datetime_words(obj.due_at)),
        ]

    def parts(self, request: HttpRequest, obj: RateExclusion) -> list[Part]:
        log = [
            [_("申请"), obj.by.name, datetime_words(obj.at), obj.reason],
            *_line(_("审核：%(state)s") % {"state": obj.get_state_display()}, obj.decided_by, obj.decided_at, obj.note),
            *_line(_("恢复统计"), obj.reversed_by, obj.reversed_at, obj.reversal),
        ]
        return [
            Part(_("经过"), [_("事项"), _("经办人"), _("时间"), _("理由和意见")], log),
            Part(
                _("对统计的影响"),
                [_("事项"), _("统计范围"), _("率"), _("之前"), _("之后")],
                figures_of(obj),
                _("还没有影响任何数字。"),
            ),
        ]


def _line(what: str, who: Any, when: Any, why: str) -> list[list[Any]]:
    return [[what, who.name, datetime_words(when), why or "—"]] if who and when else []


def figures_of(obj: RateExclusion) -> list[list[Any]]:
    """What each decision did to the community's rates of the month of registration."""
    month = Month.of(obj.demand.registered_at).label
    scope = _("%(place)s %(month)s") % {"place": obj.demand.community.name, "month": month}
    words = {"approve": _("同意剔除"), "reverse": _("恢复统计")}
    return [
        [words[name], scope, RATES[rate].label, *(rate_words(Rate(*three)) for three in both)]
        for name, rates in obj.figures.items()
        for rate, both in rates.items()
    ]
