"""Two-way ratings in the admin: the community rates what units did, everybody reads what both sides said."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import Fact, Part, chip, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm
from core.errors import Invalid
from core.text import ellipsis
from grids.admin_places import PlaceFilter
from services import posts
from services.actions.ratings import rate
from services.admin import two_way
from services.models import RatingSide, Satisfaction, ServiceRating
from services.selectors import ratings
from services.selectors.two_way import place_of

TONES = {Satisfaction.SATISFIED: "green", Satisfaction.FAIRLY: "blue", Satisfaction.DISSATISFIED: "amber"}


class RateForm(DeedForm):
    """One service that is over, and what to say of it."""

    grade = forms.ChoiceField(label=lazy("评价"), choices=Satisfaction.choices, widget=forms.RadioSelect)
    text = forms.CharField(
        label=lazy("意见"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("单位会看到。对事不对人，不写个人姓名、电话。"),
    )

    def build(self) -> None:
        self.waiting = {one.key: one for one in ratings.waiting(self.user, RatingSide.COMMUNITY)}
        choices = [
            (key, f"{one.unit.label}：{ellipsis(one.title, 40)}（{one.service._meta.verbose_name}）")
            for key, one in self.waiting.items()
        ]
        self.fields["service"] = forms.ChoiceField(
            label=_("服务"),
            choices=[("", _("请选择")), *choices],
            help_text=_("最近 %(days)d 天办完、还没有评价的派单、项目和承诺。") % {"days": ratings.ASKED_DAYS}
            if choices
            else _("现在没有待评价的服务。派单销号、项目验收、承诺确认完成后，可以在这里评价。"),
        )
        self.order_fields(["service", "grade", "text"])


def _rate(*, actor: Any, obj: None, service: str, grade: str, text: str) -> ServiceRating:
    found = ratings.find_waiting(actor, RatingSide.COMMUNITY, service)
    if found is None:
        message = _("这次服务已经评价过了，或不在您的管辖范围内。")
        raise Invalid(message, fields={"service": message})
    return rate(actor=actor, side=RatingSide.COMMUNITY, service=found.service, unit=found.unit, grade=grade, text=text)


class RatingPlaceFilter(PlaceFilter):
    path = "community"


@admin.register(ServiceRating)
class ServiceRatingAdmin(SheetAdmin):
    list_display = ("what", "side_words", "who", "place", "day", "grade_words")
    list_display_links = ("what",)
    list_filter = (
        RatingPlaceFilter,
        choice_filter("side", lazy("评价方"), RatingSide.choices),
        choice_filter("grade", lazy("评价"), Satisfaction.choices),
    )
    list_select_related = ("unit", "community", "suborder__demand", "project", "commitment")
    search_fields = ("unit__name", "unit__short_name", "community__name", "text")
    search_help_text = lazy("单位、社区、意见")
    ordering = ("-at", "-id")
    sortable_by = ()
    object_related = ("unit", "community", "suborder__demand", "project", "commitment", "by")
    sheets = ("ratings",)
    empty_text = lazy("派单销号、项目验收、承诺确认完成后，社区和单位互相评价，结果列在这里。")
    adding = Deed(
        "add",
        lazy("评价单位"),
        posts.RATE_UNIT,
        RateForm,
        _rate,
        lazy("已评价，谢谢。"),
        help=lazy("每次服务社区评一次、单位评一次，各评各的，评过不能再改。"),
        tone="main",
    )

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        return {"service": request.GET.get("service", "")[:40]} if obj is None else super().initial(request, deed, obj)

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [*super().tools(request), (_("评价统计"), self.url("figures"), "plain")]

    def more_urls(self) -> list[URLPattern]:
        return [self.page("figures/", self.figures_view, "figures")]

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        """By unit and by community, each with how many ratings it stands on; no order of merit."""
        if not self.sees_list(request.user):
            raise PermissionDenied
        county, place = place_of(two_way.person(request), request.GET.get("place", ""))
        listed = self.url("changelist")
        query = f"place={place.pk}&" if place else ""
        context = {
            "title": _("双向评价统计"),
            "where": place.name if place else county.name,
            "parts": [
                _part(
                    _("社区评单位"),
                    _("单位"),
                    [
                        (link(unit.name, f"{listed}?{query}side=community&q={unit.name}"), found)
                        for unit, found in ratings.of_units(county, place)
                    ],
                ),
                _part(
                    _("单位评社区"),
                    _("社区"),
                    [
                        (link(node.name, f"{listed}?place={node.pk}&side=unit"), found)
                        for node, found in ratings.of_communities(county, place)
                    ],
                ),
            ],
        }
        return self.render(request, "admin/rating_figures.html", context)

    # --- List ---

    @admin.display(description=lazy("服务"))
    def what(self, row: ServiceRating) -> str:
        return ellipsis(service_words(row), 40)

    @admin.display(description=lazy("评价方"))
    def side_words(self, row: ServiceRating) -> str:
        return row.get_side_display()

    @admin.display(description=lazy("单位"))
    def who(self, row: ServiceRating) -> str:
        return row.unit.label

    @admin.display(description=lazy("社区"))
    def place(self, row: ServiceRating) -> str:
        return row.community.name

    @admin.display(description=lazy("评价时间"))
    def day(self, row: ServiceRating) -> str:
        return day_words(row.at)

    @admin.display(description=lazy("评价"))
    def grade_words(self, row: ServiceRating) -> str:
        return chip(row.get_grade_display(), TONES[Satisfaction(row.grade)])

    # --- One ---

    def object_title(self, obj: ServiceRating) -> str:
        return _("%(side)s：%(what)s") % {"side": obj.get_side_display(), "what": ellipsis(service_words(obj), 40)}

    def chips(self, obj: ServiceRating) -> list[tuple[str, str]]:
        return [(obj.get_grade_display(), TONES[Satisfaction(obj.grade)])]

    def facts(self, request: HttpRequest, obj: ServiceRating) -> list[Fact]:
        what: Any = service_words(obj)
        if obj.commitment_id:
            what = link(what, reverse("admin:services_commitment_change", args=[obj.commitment_id]))
        elif obj.suborder is not None:
            what = link(what, reverse("admin:services_demand_change", args=[obj.suborder.demand_id]))
        return [
            Fact(_("服务"), what, wide=True),
            Fact(_("单位"), obj.unit.name),
            Fact(_("社区"), obj.community.name),
            Fact(_("评价时间"), day_words(obj.at)),
            Fact(_("评价人"), obj.by.name if obj.by else ""),
            Fact(_("意见"), obj.text, wide=True),
        ]


def service_words(row: ServiceRating) -> str:
    """What was rated: the order's demand, the project or the promise."""
    if row.suborder is not None:
        return row.suborder.demand.title
    return row.project.name if row.project is not None else str(row.commitment)


def _part(title: str, head: str, rows: list[tuple[Any, ratings.Graded]]) -> Part:
    shown = [
        [
            name,
            found.count,
            found.satisfied,
            found.fairly,
            found.dissatisfied,
            _("样本不足") if found.is_small else f"{found.percent}%（{found.satisfied + found.fairly}/{found.count}）",
        ]
        for name, found in rows
    ]
    titles = [head, _("评价次数"), _("满意"), _("基本满意"), _("不满意"), _("满意和基本满意")]
    return Part(title, titles, shown, _("还没有评价。"))
