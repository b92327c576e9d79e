"""Versions of the limits in the admin: a list and a page each, to read. Nobody changes what a demand was promised by."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import Fact, Part, ScopedModelAdmin, link
from core.errors import NotFound
from core.periods import datetime_words
from services.models import RuleVersion
from services.selectors import rules


@admin.register(RuleVersion)
class RuleVersionAdmin(ScopedModelAdmin):
    list_display = ("numbered", "county_name", "since", "who", "changed")
    list_display_links = ("numbered",)
    list_select_related = ("county", "by")
    ordering = ("county", "-number")
    sortable_by = ()
    object_related = ("county", "by")
    empty_text = lazy("第一次修改办理时限或类别时限时，会自动记下修改前后的版本。")

    def more_urls(self) -> list[URLPattern]:
        return [self.page("of/<int:county>/<int:number>/", self.numbered_view, "numbered")]

    def numbered_view(self, request: HttpRequest, county: int, number: int) -> HttpResponse:
        """Where a demand's page leads: it knows the number of its version alone."""
        seen = RuleVersion.objects.visible_to(request.user).filter(county_id=county, number=number)
        found = seen.values_list("pk", flat=True).first()
        if found is None:
            raise NotFound(_("没有找到这个版本，或不在您的管辖范围内。"))
        return redirect(self.url("change", found))

    @admin.display(description=lazy("版本"))
    def numbered(self, row: RuleVersion) -> str:
        return _("第 %(number)d 版") % {"number": row.number}

    @admin.display(description=lazy("县"))
    def county_name(self, row: RuleVersion) -> str:
        return row.county.name

    @admin.display(description=lazy("生效时间"))
    def since(self, row: RuleVersion) -> str:
        return datetime_words(row.at)

    @admin.display(description=lazy("经办人"))
    def who(self, row: RuleVersion) -> str:
        return row.by.name if row.by else _("系统")

    @admin.display(description=lazy("与上一版的不同"))
    def changed(self, row: RuleVersion) -> str:
        found = rules.differences(rules.before(row), row)
        if not found:
            return _("最早的记录")
        words = _("、").join(one.label for one in found[:2])
        return words if len(found) < 3 else _("%(words)s等 %(number)d 项") % {"words": words, "number": len(found)}

    def object_title(self, obj: RuleVersion) -> str:
        return _("%(county)s时限规则第 %(number)d 版") % {"county": obj.county.name, "number": obj.number}

    def facts(self, request: HttpRequest, obj: RuleVersion) -> list[Fact]:
        earlier = rules.before(obj)
        return [
            Fact(_("县"), obj.county.name),
            Fact(_("生效时间"), datetime_words(obj.at)),
            Fact(_("经办人"), self.who(obj)),
            Fact(_("上一版"), link(self.numbered(earlier), self.url("change", earlier.pk)) if earlier else ""),
            Fact(_("说明"), _("派单、重办、重启时按当时的版本计时；以后再改时限，已经在计时的不变。"), wide=True),
        ]

    def parts(self, request: HttpRequest, obj: RuleVersion) -> list[Part]:
        changed = rules.differences(rules.before(obj), obj)
        return [
            Part(
                _("与上一版的不同"),
                [_("项目"), _("上一版"), _("这一版")],
                [[one.label, one.before or "—", one.after or "—"] for one in changed],
                empty=_("这是最早的记录，没有上一版。"),
            ),
            Part(
                _("这一版的全部时限"),
                [_("项目"), _("时限")],
                [[one.label, one.after] for one in rules.lines_of(obj)],
            ),
        ]
