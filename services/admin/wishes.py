"""Small wishes at the desk: the community checks, confirms and keeps them; street and county see them without persons."""

from typing import Any

from django.contrib import admin
from django.db.models import Case, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, SelectFilter, chip, day_words
from core.admin_sheets import SheetAdmin
from core.audit_words import name_deeds, name_fields
from core.deeds import Deed
from core.periods import datetime_words
from core.text import ellipsis
from grids.admin_places import PlaceFilter
from grids.models import GridNode
from grids.querysets import in_subtree
from services import posts, wish_deeds
from services.actions.wish_moves import check_wishes
from services.admin import wish_figures
from services.admin.member_parts import MOST, over, tell
from services.models import Wish, WishState
from services.selectors.wishes import in_place_q, waiting_here
from services.wishes import DUE_WORDS, Difficulty, chips, face, holder_told, known_to, of_difficulty, told

name_deeds(
    {
        "wish.collect": lazy("征集微心愿"),
        "wish.reveal": lazy("查看心愿人联系方式"),
        "wish.erase": lazy("清除心愿人姓名和电话"),
    }
)
name_fields({"thanks": lazy("答谢的话"), "cost": lazy("预计费用（元）"), "consent": lazy("同意方式")})


class WishPlaceFilter(PlaceFilter):
    """Pieces of a community are on offer, and tell anything, only to those who collect there."""

    community = "community"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = super().lookups(request, model_admin)
        self.known = known_to(request.user)
        if policies.holds(request.user, posts.COLLECT_WISH):
            return found
        small = GridNode.objects.at("sector", "compound", "grid").filter(pk__in=[int(key) for key, _words in found])
        hidden = {str(pk) for pk in small.values_list("pk", flat=True)}
        return [one for one in found if one[0] not in hidden]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        node = GridNode.objects.get(pk=int(value))
        if node.community_id in (None, node.pk):
            return rows.filter(in_place_q(node))
        return rows.filter(in_subtree(node, self.path, community=self.community), self.known)


class StateFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("todo", _("等社区办")), *WishState.choices]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(waiting_here()) if value == "todo" else rows.filter(state=value)


class DifficultyFilter(SelectFilter):
    title = lazy("困难类型")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Difficulty.choices)

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(of_difficulty(value))


class AdopterFilter(SelectFilter):
    title = lazy("认领方")
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("member", _("党员")), ("unit", _("单位"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(Q(member__isnull=False) if value == "member" else Q(unit__isnull=False))


@admin.register(Wish)
class WishAdmin(SheetAdmin):
    list_display = ("what", "for_whom", "where", "who", "money", "state_words")
    list_display_links = ("what",)
    list_filter = (WishPlaceFilter, StateFilter, DifficultyFilter, AdopterFilter)
    list_select_related = ("node", "community", "unit", "member")
    # Never by name: a search would stand in the address and in the logs, and read a masked name bit by bit.
    search_fields = ("title", "^code", "unit__name", "unit__short_name")
    search_help_text = lazy("心愿、编号、认领单位")
    sortable_by = ()
    object_related = ("node", "community", "unit", "member", "collected_by")
    sheets = ("wishes",)
    actions = ("check_chosen",)
    empty_text = lazy("网格员、楼栋长在手机上征集，社区也可以在这里登记或整表导入。")
    adding = wish_deeds.COLLECT
    deeds = (
        wish_deeds.CHECK,
        wish_deeds.THANK,
        wish_deeds.ASK,
        wish_deeds.EXTEND,
        wish_deeds.RELEASE,
        wish_deeds.CHANGE,
        wish_deeds.REVEAL,
        wish_deeds.UNDELIVERED,
        wish_deeds.DECLINE,
        wish_deeds.END,
    )

    def get_ordering(self, request: HttpRequest) -> Any:
        """What waits for the community first, then what runs, what is due first; what is over last."""
        rank = Case(When(waiting_here(), then=0), When(due_at__isnull=False, then=1), default=2)
        return (rank, "due_at", "-collected_at", "-pk")

    def has_check_permission(self, request: HttpRequest) -> bool:
        return policies.holds(request.user, posts.MANAGE_WISH)

    @admin.action(description=lazy("审核通过所选"), permissions=["check"])
    def check_chosen(self, request: HttpRequest, queryset: QuerySet[Wish]) -> None:
        rows = list(queryset.order_by("pk")[:MOST])
        user: Any = request.user
        tell(self, request, check_wishes(actor=user, wishes=rows), _("已通过"))

    # --- List ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Each row says whether this reader belongs to those who keep it (`inside`)."""
        inside = Case(When(known_to(request.user), then=Value(True)), default=Value(False))
        return super().get_queryset(request).annotate(inside=inside)

    @admin.display(description=lazy("心愿"))
    def what(self, row: Wish) -> str:
        return over(ellipsis(row.title, 40), row.code)

    @admin.display(description=lazy("为谁"))
    def for_whom(self, row: Any) -> str:
        said = told(row, inside=row.inside)
        return over(said.name or said.kind, said.kind if said.name else "")

    @admin.display(description=lazy("地点"))
    def where(self, row: Any) -> str:
        place = told(row, inside=row.inside).place
        return " · ".join(place[1:] or place)

    @admin.display(description=lazy("认领"), empty_value="—")
    def who(self, row: Any) -> str | None:
        return holder_told(row, inside=row.inside) or None

    @admin.display(description=lazy("费用（元）"))
    def money(self, row: Wish) -> int:
        return row.cost

    @admin.display(description=lazy("状态"))
    def state_words(self, row: Wish) -> str:
        return format_html_join(" ", "{}", ((chip(words, tone),) for words, tone in chips(row)))

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [*super().tools(request), (_("微心愿统计"), self.url("figures"), "plain")]

    # --- One ---

    def chips(self, obj: Wish) -> list[tuple[str, str]]:
        return chips(obj)

    def facts(self, request: HttpRequest, obj: Wish) -> list[Fact]:
        said = face(obj, request.user)
        found = [
            Fact(_("编号"), obj.code),
            Fact(_("困难类型"), said.kind),
            Fact(_("地点"), " · ".join(said.place), wide=True),
            Fact(_("说明"), obj.text, wide=True),
            Fact(_("预计费用"), _("%(cost)d 元") % {"cost": obj.cost}),
            Fact(_("认领"), holder_told(obj, inside=said.inside)),
            Fact(_("征集"), day_words(obj.collected_at)),
            Fact(DUE_WORDS.get(WishState(obj.state), ""), datetime_words(obj.due_at) if obj.due_at else ""),
            Fact(_("发布"), day_words(obj.opened_at)),
            Fact(_("认领时间"), day_words(obj.adopted_at)),
            Fact(_("圆梦"), day_words(obj.done_at)),
            Fact(_("答谢时间"), day_words(obj.thanked_at)),
            Fact(_("送了什么"), obj.result, wide=True),
            Fact(_("答谢的话"), obj.thanks, wide=True),
            Fact(_("意见"), obj.reason, wide=True),
        ]
        if said.inside:
            found[1:1] = [
                Fact(_("心愿人"), said.name),
                Fact(_("联系电话"), said.phone),
                Fact(_("同意方式"), obj.get_consent_display()),
                Fact(_("征集人"), obj.collected_by.name),
            ]
        # What is still to come is not told as a row of dashes.
        return [fact for fact in found if fact.value]

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """What stands is shown where it is changed; who wishes is shown nowhere, and a reason is always a new one."""
        if obj is None:
            return {}
        if deed is not wish_deeds.CHANGE:
            return {"version": obj.version}
        found = super().initial(request, deed, obj)
        return {name: value for name, value in found.items() if name not in ("recipient_name", "recipient_phone")}

    # --- Figures ---

    def more_urls(self) -> list[URLPattern]:
        return [
            self.page("figures/", self.figures_view, "figures"),
            self.page("figures/ledger/", self.ledger_view, "figures_ledger"),
        ]

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        return wish_figures.show(self, request)

    def ledger_view(self, request: HttpRequest) -> HttpResponse:
        return wish_figures.ledger(self, request)
