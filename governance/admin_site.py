"""The admin as the cadres' desk: its first page is what waits for me, and it knows scoped models alone."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from core import notices
from core.admin_base import ScopedModelAdmin
from core.forms import SignInForm
from governance.views import desk, find

# Doors of the framework that nothing here uses: they answer about rows without asking our policies, or in English.
_CLOSED = {"autocomplete", "view_on_site", "search", "password_change_done", "jsi18n"}


class DeskSite(UnfoldAdminSite):
    """`/admin/`. Its own pages are in `governance.views`, which must not import admin modules: those register here."""

    site_title: str | Promise = _("经纬")
    site_header: str | Promise = _("经纬")
    index_title: str | Promise = _("等我办")
    login_form = SignInForm
    enable_nav_sidebar = True

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Takes pages that know scope; what other packages bring along (groups, keys) has no place on the desk."""
        if admin_class is not None and issubclass(admin_class, ScopedModelAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[Any]:
        return [one for one in super().get_urls() if getattr(one, "name", None) not in _CLOSED]

    def extra_urls(self) -> list[URLPattern]:
        return [
            path("find/", self.admin_view(find.find), name="find"),
            path("burden/", self.admin_view(desk.burden), name="burden"),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        if self.has_permission(request):
            context["unread_count"] = notices.unread_count(request.user)
        return context

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Nothing: what is offered stands at the left by task (`governance.navigation`). The framework's list by app
        would be put together for every page and shown on none."""
        return []

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return desk.index(request)

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:  # type: ignore[override]
        # The apps are our floors; a cadre knows tasks.
        return redirect("admin:index")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("core:password")
