"""The base of every admin page: what is shown is what `visible_to` shows, what is written is written by an action.

Out of scope is 404, in scope without the right is 403, nothing is ever deleted, and the page of a row is a page of
facts with buttons (`core.deeds`), not a form. Lists count no further than 10,000 and are filtered without JavaScript.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets, SimpleListFilter, helpers
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _label
from unfold.admin import ModelAdmin

from core import lookups, policies
from core.deeds import SEEN, Deed, DeedForm, Foresight, Shown, Text, foresee, perform
from core.errors import Conflict, NotFound
from core.periods import date_words

COUNT_CAP = 10_000


@dataclass(frozen=True)
class Fact:
    """One line of a row's page. An empty value is shown as a dash."""

    label: Text
    value: Any
    wide: bool = False


@dataclass(frozen=True)
class Part:
    """A table on a row's page: what hangs on the row. `more` leads to the rest, as (words, address)."""

    title: Text
    columns: Sequence[Text]
    rows: Sequence[Sequence[Any]]
    empty: Text = ""
    more: tuple[str, str] | None = None

    @property
    def lines(self) -> list[list[dict[str, Any]]]:
        """The cells with the name of their column, which a phone shows beside each."""
        return [
            [{"label": column, "value": value} for column, value in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]


def chip(words: Any, tone: str = "grey") -> str:
    """A state as components/state_chip.html draws it, for cells of lists."""
    return format_html('<span class="chip tone-{}">{}</span>', tone, words)


def link(words: Any, address: str) -> str:
    return format_html('<a href="{}">{}</a>', address, words)


def day_words(day: Any) -> str:
    """A day or moment for a cell: 2026年3月5日, or nothing."""
    return date_words(day) if day else ""


class CappedPaginator(Paginator):
    """Counts no further than the cap: a full count of a big table costs more than its page."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return min(rows.order_by()[: COUNT_CAP + 1].count(), COUNT_CAP)

    @property
    def is_capped(self) -> bool:
        return self.count == COUNT_CAP


class SelectFilter(SimpleListFilter):
    """A filter drawn as a select in the bar above the list. A value that is not on offer filters nothing."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        # Drawn by templates/admin/desk_list.html from `lookup_choices`; the theme's own panel is not used.
        return iter(())

    def chosen(self) -> str:
        """The value in force, or empty."""
        value = str(self.value() or "")
        return value if value in {str(key) for key, _words in self.lookup_choices} else ""

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.chosen()
        return self.narrow(queryset, value) if value else queryset


def choice_filter(
    field: str, label: Text, choices: Sequence[tuple[str, Text]], *, name: str = ""
) -> type[SelectFilter]:
    """A filter on a field with fixed choices."""

    class ChoiceFilter(SelectFilter):
        title = label  # type: ignore[assignment]
        parameter_name = name or field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(key, str(words)) for key, words in choices]

        def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
            return rows.filter(**{field: value})

    return ChoiceFilter


def flag_filter(field: str, label: Text, yes: Text, no: Text) -> type[SelectFilter]:
    """A filter on a yes-or-no field."""

    class FlagFilter(SelectFilter):
        title = label  # type: ignore[assignment]
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [("1", str(yes)), ("0", str(no))]

        def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
            return rows.filter(**{field: value == "1"})

    return FlagFilter


class ScopedModelAdmin(ModelAdmin):
    """Lists and pages of one model, within the person's scope.

    Attributes:
        view_right: what opens the list; the policy's own when empty.
        adding: the deed that makes a new row, if any.
        deeds: what can be done on a row's page.
        object_related: relations the row's page reads.
        lookup_fields: what suggestions search (the search fields when empty).
    """

    view_right = ""
    adding: Deed | None = None
    deeds: Sequence[Deed] = ()
    object_related: Sequence[str] = ()
    lookup_fields: Sequence[str] = ()
    list_per_page = 25
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = CappedPaginator
    change_list_template = "admin/desk_list.html"
    object_template = "admin/object.html"
    empty_value_display = "—"
    # What an empty list says, and what to do next.
    empty_text: Text = ""

    # --- Who sees what ---

    def sees_list(self, user: Any) -> bool:
        return policies.holds(user, self.view_right or policies.policy_of(self.model).view)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.all().visible_to(request.user)
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def find(self, request: HttpRequest, object_id: int) -> Any:
        """The row, if the person may know of it. Raises `NotFound`."""
        rows = self.model._default_manager.all().visible_to(request.user)
        found = rows.select_related(*self.object_related).filter(pk=object_id).first()
        if found is None:
            raise NotFound(_("没有找到这条记录，或不在您的管辖范围内。"))
        return found

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.sees_list(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.sees_list(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.adding is not None and self.adding.may(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # --- Addresses ---

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("", self.changelist_view, "changelist"),
            self.page("add/", self.add_view, "add"),
            self.page("lookup/", self.lookup_view, "lookup"),
            self.page("<int:object_id>/change/", self.change_view, "change"),
            self.page("<int:object_id>/do/<slug:name>/", self.deed_view, "deed"),
            *self.more_urls(),
        ]

    def more_urls(self) -> list[URLPattern]:
        """Pages of this model alone, made with `page`."""
        return []

    def page(self, route: str, view: Any, name: str) -> URLPattern:
        return path(route, self.admin_site.admin_view(view), name=self.url_name(name))

    def url_name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def url(self, name: str, *args: Any) -> str:
        return reverse(f"admin:{self.url_name(name)}", args=args)

    # --- List ---

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """The filters on offer and nothing else: Django lets an address ask for any field of the model, and with
        `?contact_phone__startswith=139` a masked number would be read digit by digit, with no reveal written down.
        """
        return lookup in {getattr(one, "parameter_name", "") for one in self.list_filter}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.sees_list(request.user):
            raise PermissionDenied
        context = {"title": self.opts.verbose_name_plural, "empty_text": self.empty_text, "tools": self.tools(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @admin.display(description=_label("选择"))
    def action_checkbox(self, obj: Any) -> str:
        """Plain, and named after its row; the theme's own draws its tick with an icon font."""
        return format_html(
            '<input type="checkbox" class="action-select" name="{}" value="{}" aria-label="{}">',
            helpers.ACTION_CHECKBOX_NAME,
            obj.pk,
            _("选择：%(row)s") % {"row": self.object_title(obj)},
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return lookups.search(queryset, self.search_fields, search_term[:200]), False

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        """Buttons above the list: (words, address, tone)."""
        if self.adding is not None and self.has_add_permission(request):
            return [(str(self.adding.label), self.url("add"), "main")]
        return []

    def lookup_text(self, row: Any) -> str:
        return str(row)

    def lookup_rows(self, request: HttpRequest) -> QuerySet[Any]:
        return self.get_queryset(request)

    def lookup_view(self, request: HttpRequest) -> JsonResponse:
        """Suggestions for `core.lookups`: up to twenty rows in the person's scope that answer to `q`."""
        if not self.sees_list(request.user):
            raise PermissionDenied
        text = request.GET.get("q", "").strip()[:200]
        fields = self.lookup_fields or self.search_fields
        rows = lookups.search(self.lookup_rows(request), fields, text)[: lookups.SUGGESTIONS] if text else []
        return JsonResponse({"results": [{"id": row.pk, "text": self.lookup_text(row)} for row in rows]})

    # --- The page of one row ---

    def facts(self, request: HttpRequest, obj: Any) -> list[Fact]:
        raise NotImplementedError

    def parts(self, request: HttpRequest, obj: Any) -> list[Part]:
        return []

    def chips(self, obj: Any) -> list[tuple[str, str]]:
        """States shown beside the title: (words, tone)."""
        return []

    def object_title(self, obj: Any) -> str:
        return str(obj)

    def change_view(
        self, request: HttpRequest, object_id: Any, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.sees_list(request.user):
            raise PermissionDenied
        obj = self.find(request, object_id)
        return self.render(request, self.object_template, self.object_context(request, obj))

    def object_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        buttons = [
            {"label": deed.label, "tone": deed.tone, "url": self.url("deed", obj.pk, deed.name)}
            for deed in self.deeds
            if deed.may(request.user, obj)
        ]
        return {
            "title": self.object_title(obj),
            "original": obj,
            "chips": self.chips(obj),
            "facts": self.facts(request, obj),
            "parts": self.parts(request, obj),
            "buttons": sorted(buttons, key=lambda button: _WEIGHT[button["tone"]]),
        }

    # --- Deeds ---

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.adding is None or not self.adding.may(request.user):
            raise PermissionDenied
        return self._do(request, self.adding, None)

    def deed_view(self, request: HttpRequest, object_id: int, name: str) -> HttpResponse:
        deed = next((deed for deed in self.deeds if deed.name == name), None)
        if deed is None:
            raise NotFound(_("没有这个操作。"))
        obj = self.find(request, object_id)
        policies.require(request.user, deed.right, obj)
        if not deed.is_offered(obj):
            raise Conflict(_("“%(row)s”现在不能“%(deed)s”，请返回查看最新情况。") % {"row": obj, "deed": deed.label})
        return self._do(request, deed, obj)

    def _do(self, request: HttpRequest, deed: Deed, obj: Any) -> HttpResponse:
        sent = request.method == "POST"
        form = deed.form(
            request.POST if sent else None,
            request.FILES if sent else None,
            user=request.user,
            obj=obj,
            **({} if sent else {"initial": self.initial(request, deed, obj)}),
        )
        seen = None
        if sent and form.is_valid():
            asked: dict[str, Any] = {"actor": request.user, "obj": obj, "data": form.cleaned_data}
            able, seen = foresee(deed, form, **asked)
            if able and (seen is None or request.POST.get(SEEN) == seen.seal(request.POST)):
                done, result = perform(deed, form, **asked)
                if done:
                    return self.after(request, deed, obj, result)
        context = {**self.deed_context(deed, obj, form), **self._foreseen(request, seen)}
        return self.render(request, "admin/deed.html", context)

    @staticmethod
    def _foreseen(request: HttpRequest, seen: Foresight | None) -> dict[str, Any]:
        """What is shown of a deed before it is done; that it is not what was shown a moment ago is said."""
        if seen is None:
            return {}
        changed = SEEN in request.POST and request.POST[SEEN] != seen.seal(request.POST)
        return {**seen.context, "foresight": seen, "seal": seen.seal(request.POST), "changed": changed}

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """What the form starts with: the row's own values, for inputs called like its fields; where the row has none,
        the form's own."""
        if obj is None:
            return {}
        names = [field.name for field in self.opts.concrete_fields if field.name in deed.form.base_fields]
        return {name: value for name in names if (value := getattr(obj, name)) is not None}

    def after(self, request: HttpRequest, deed: Deed, obj: Any, result: Any) -> HttpResponse:
        if isinstance(result, Shown):
            response = self.render(request, "admin/shown.html", {"title": result.title, "shown": result})
            response.headers["Cache-Control"] = "no-store"
            return response
        messages.success(request, str(deed.done))
        target = result if isinstance(result, self.model) else obj
        return redirect(self.url("change", target.pk) if target is not None else self.url("changelist"))

    def deed_context(self, deed: Deed, obj: Any, form: DeedForm) -> dict[str, Any]:
        return {
            "title": str(deed.label) if obj is None else f"{deed.label}：{self.object_title(obj)}",
            "deed": deed,
            "original": obj,
            "form": form,
            "back": self.url("changelist") if obj is None else self.url("change", obj.pk),
        }

    def render(self, request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        """A page inside the desk's frame."""
        request.current_app = self.admin_site.name
        base = {**self.admin_site.each_context(request), "opts": self.opts, "list_url": self.url("changelist")}
        return TemplateResponse(request, template, {**base, **context}, status=status).render()


_WEIGHT = {"main": 0, "plain": 1, "danger": 2}
