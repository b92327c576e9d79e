"""Bulletins in the admin: drafted, previewed, published, withdrawn; and what they name, answered and settled."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, ScopedModelAdmin, chip, choice_filter, day_words, link
from core.documents import CONTENT_TYPE
from core.errors import NotFound
from core.periods import datetime_words
from grids.admin_places import PlaceFilter
from services import posts
from services.bulletin_papers import paper
from services.models import Bulletin, BulletinItem, BulletinItemState, BulletinState
from services.rate_deeds import DRAFT, OF_BULLETIN, OF_ITEM, tables
from services.selectors.bulletins import number_words, said, span_words

TONES = {BulletinState.DRAFT: "amber", BulletinState.PUBLISHED: "green"}
ITEM_TONES = {BulletinItemState.OPEN: "red", BulletinItemState.ANSWERED: "amber", BulletinItemState.SETTLED: "green"}


def state_of(row: Bulletin) -> tuple[str, str]:
    return str(row.get_state_display()), TONES.get(BulletinState(row.state), "grey")


def item_state(row: BulletinItem) -> tuple[str, str]:
    if row.bulletin.state == BulletinState.DRAFT:
        # Nobody has been named yet, so nobody has anything to put right.
        return _("未印发"), "grey"
    return str(row.get_state_display()), ITEM_TONES[BulletinItemState(row.state)]


@admin.register(Bulletin)
class BulletinAdmin(ScopedModelAdmin):
    list_display = ("name", "issue", "span", "named", "issued", "state_chip")
    list_display_links = ("name",)
    list_filter = (choice_filter("state", lazy("状态"), BulletinState.choices),)
    search_fields = ("title",)
    search_help_text = lazy("标题")
    ordering = ("-created_at", "-id")
    sortable_by = ()
    object_related = ("county", "by")
    empty_text = lazy("还没有通报。县委组织部点“起草通报”，超期过久的事项会自动列入。")
    adding = DRAFT
    deeds = OF_BULLETIN

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        unsettled = ~Q(items__state=BulletinItemState.SETTLED)
        counts = {"n_items": Count("items"), "n_open": Count("items", filter=unsettled & Q(items__isnull=False))}
        return super().get_queryset(request).annotate(**counts)

    @admin.display(description=lazy("标题"))
    def name(self, row: Bulletin) -> str:
        return row.title

    @admin.display(description=lazy("期号"))
    def issue(self, row: Bulletin) -> str:
        return number_words(row)

    @admin.display(description=lazy("统计时段"))
    def span(self, row: Bulletin) -> str:
        return span_words(row)

    @admin.display(description=lazy("通报事项"))
    def named(self, row: Any) -> str:
        if row.state != BulletinState.PUBLISHED:
            return _("%(count)d 件") % {"count": row.n_items}
        return _("%(count)d 件，未销项 %(open)d 件") % {"count": row.n_items, "open": row.n_open}

    @admin.display(description=lazy("印发日期"))
    def issued(self, row: Bulletin) -> str:
        return day_words(row.published_at)

    @admin.display(description=lazy("状态"))
    def state_chip(self, row: Bulletin) -> str:
        return chip(*state_of(row))

    def chips(self, obj: Bulletin) -> list[tuple[str, str]]:
        return [state_of(obj)]

    def object_context(self, request: HttpRequest, obj: Bulletin) -> dict[str, Any]:
        context = super().object_context(request, obj)
        word = {"label": _("下载通报"), "tone": "plain", "url": self.url("paper", obj.pk)}
        danger = [button for button in context["buttons"] if button["tone"] == "danger"]
        others = [button for button in context["buttons"] if button["tone"] != "danger"]
        context["buttons"] = [*others, word, *danger]
        return context

    def facts(self, request: HttpRequest, obj: Bulletin) -> list[Fact]:
        return [
            Fact(_("期号"), number_words(obj)),
            Fact(_("统计时段"), span_words(obj)),
            Fact(_("起草"), f"{obj.by.name} {datetime_words(obj.created_at)}"),
            Fact(_("印发时间"), datetime_words(obj.published_at) if obj.published_at else ""),
            Fact(_("工作要求"), obj.text, wide=True),
        ]

    def parts(self, request: HttpRequest, obj: Bulletin) -> list[Part]:
        rates, items, carried = tables(said(obj))
        if obj.state != BulletinState.PUBLISHED:
            return [rates, items, carried]
        # Beside what was named then, how it stands today.
        seen = BulletinItem.objects.visible_to(request.user).filter(bulletin=obj)
        rows = [
            [
                link(row.demand.code, reverse("admin:services_bulletinitem_change", args=[row.pk])),
                row.community.name,
                row.unit.label if row.unit else row.community.name,
                _("%(number)d 个工作日") % {"number": row.late_days},
                row.answer or "—",
                chip(*item_state(row)),
            ]
            for row in seen.select_related("demand", "community", "unit").order_by("pk")
        ]
        columns = [_("编号"), _("社区"), _("责任单位"), _("超期"), _("整改情况"), _("状态")]
        return [rates, Part(_("通报事项"), columns, rows, str(items.empty)), carried]

    def more_urls(self) -> list[URLPattern]:
        return [self.page("<int:object_id>/paper/", self.paper_view, "paper")]

    def paper_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The bulletin as Word."""
        if not self.sees_list(request.user):
            raise NotFound(_("没有找到这期通报。"))
        obj = self.find(request, object_id)
        response = HttpResponse(paper(obj), content_type=CONTENT_TYPE)
        name = f"{obj.title}（{number_words(obj)}）.docx"
        response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
        response.headers["Cache-Control"] = "no-store"
        return response


class ItemPlaceFilter(PlaceFilter):
    path = "demand__node"
    community = "community"


@admin.register(BulletinItem)
class BulletinItemAdmin(ScopedModelAdmin):
    list_display = ("matter", "issue", "place", "whose", "late", "due", "state_chip")
    list_display_links = ("matter",)
    list_filter = (ItemPlaceFilter, choice_filter("state", lazy("状态"), BulletinItemState.choices))
    list_select_related = ("bulletin", "demand", "community", "unit")
    search_fields = ("^demand__code", "community__name", "unit__name")
    search_help_text = lazy("需求编号、社区、单位")
    ordering = ("-bulletin__year", "-bulletin__number", "id")
    sortable_by = ()
    object_related = ("bulletin", "demand__node", "demand__category", "community", "unit", "answered_by")
    empty_text = lazy("没有通报事项。通报印发后，被通报的事项列在这里，由单位和社区答复、县级销项。")
    deeds = OF_ITEM

    @admin.display(description=lazy("需求"))
    def matter(self, row: BulletinItem) -> str:
        return row.demand.code

    @admin.display(description=lazy("期号"))
    def issue(self, row: BulletinItem) -> str:
        return number_words(row.bulletin)

    @admin.display(description=lazy("社区"))
    def place(self, row: BulletinItem) -> str:
        return row.community.name

    @admin.display(description=lazy("责任单位"))
    def whose(self, row: BulletinItem) -> str:
        return row.unit.label if row.unit else row.community.name

    @admin.display(description=lazy("通报时超期"))
    def late(self, row: BulletinItem) -> str:
        return _("%(number)d 个工作日") % {"number": row.late_days}

    @admin.display(description=lazy("答复时限"))
    def due(self, row: BulletinItem) -> str:
        return day_words(row.due_at)

    @admin.display(description=lazy("状态"))
    def state_chip(self, row: BulletinItem) -> str:
        return chip(*item_state(row))

    def object_title(self, obj: BulletinItem) -> str:
        return _("通报事项 %(code)s") % {"code": obj.demand.code}

    def chips(self, obj: BulletinItem) -> list[tuple[str, str]]:
        return [item_state(obj)]

    def facts(self, request: HttpRequest, obj: BulletinItem) -> list[Fact]:
        user, demand = request.user, obj.demand
        matter: Any = demand.code
        if policies.holds(user, posts.VIEW_DEMAND) and policies.sees(user, demand):
            matter = link(f"{demand.code} {demand.title}", reverse("admin:services_demand_change", args=[demand.pk]))
        bulletin: Any = f"{obj.bulletin.title}（{number_words(obj.bulletin)}）"
        if policies.sees(user, obj.bulletin):
            bulletin = link(bulletin, reverse("admin:services_bulletin_change", args=[obj.bulletin_id]))
        answered = (
            f"{obj.answered_by.name} {datetime_words(obj.answered_at)}" if obj.answered_by and obj.answered_at else ""
        )
        return [
            Fact(_("需求"), matter, wide=True),
            Fact(_("通报"), bulletin, wide=True),
            Fact(_("社区"), obj.community.name),
            Fact(_("责任单位"), obj.unit.name if obj.unit else obj.community.name),
            Fact(_("通报时超期"), _("%(number)d 个工作日") % {"number": obj.late_days}),
            Fact(_("答复时限"), datetime_words(obj.due_at) if obj.due_at else ""),
            Fact(_("整改情况"), obj.answer, wide=True),
            Fact(_("答复"), answered),
            Fact(_("县级意见"), obj.note, wide=True),
            Fact(_("销项时间"), datetime_words(obj.settled_at) if obj.settled_at else ""),
        ]
