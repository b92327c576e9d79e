"""The portal's addresses with one page more: the list of `tests.core.day_sheet`."""

from django.contrib import admin
from django.urls import path

from core.models import CalendarDay
from governance.admin_site import DeskSite
from governance.urls import urlpatterns as portal
from tests.core.day_sheet import DayAdmin

site = DeskSite()
site._registry = {**admin.site._registry, CalendarDay: DayAdmin(CalendarDay, site)}
urlpatterns = [*(one for one in portal if str(one.pattern) != "admin/"), path("admin/", site.urls)]
