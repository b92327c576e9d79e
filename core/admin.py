"""The audit trail in the admin, read only, for whoever audits the county."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import admin_notice_words as admin_notice_words  # these pages register themselves
from core import admin_notices as admin_notices
from core.admin_base import Fact, Part, ScopedModelAdmin, SelectFilter
from core.audit_words import change_words, deed_words, name_deeds, object_words
from core.models import AuditEntry
from core.periods import Month, datetime_words

name_deeds(
    {
        "account.create": lazy("新建账号"),
        "account.update": lazy("修改账号"),
        "account.reset_password": lazy("重置密码"),
        "account.change_password": lazy("修改密码"),
        "account.deactivate": lazy("停用账号"),
        "account.reactivate": lazy("启用账号"),
        "account.token": lazy("换取接口密钥"),
        "account.sign_in": lazy("登录"),
        "account.handout": lazy("领取首次密码发放单"),
    }
)


class MonthFilter(SelectFilter):
    """The months a trail is kept, newest first."""

    title = lazy("月份")
    parameter_name = "month"
    shown = 14

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        month = Month.of(timezone.localdate())
        found = []
        for _number in range(self.shown):
            found.append((month.code, month.label))
            month = month.previous()
        return found

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        month = Month.parse(value)
        return rows.filter(at__gte=month.start, at__lt=month.end)


class DeedFilter(SelectFilter):
    """What an auditor looks for first. A prefix of deeds, or one deed."""

    title = lazy("操作")
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("demand.reveal_contact", _("查看联系方式")),
            ("care.reveal", _("查看关爱家庭联系方式")),
            ("care.", _("关爱台账（全部）")),
            ("demand.export", _("导出需求")),
            ("sheet.export", _("导出台账")),
            ("account.sign_in", _("登录")),
            ("account.reset_password", _("重置密码")),
            ("account.", _("账号（全部）")),
            ("appointment.", _("任职")),
            ("settings.", _("时限设置")),
        ]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(action__startswith=value) if value.endswith(".") else rows.filter(action=value)


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedModelAdmin):
    list_display = ("moment", "who", "deed", "what", "why", "origin")
    list_display_links = ("moment",)
    list_filter = (DeedFilter, MonthFilter)
    list_select_related = ("actor",)
    search_fields = ("label", "actor__name")
    search_help_text = lazy("操作人、对象名称")
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50
    object_related = ("actor", "seal")
    empty_text = lazy("每一次办理、查看联系方式、导出和登录都会记在这里。")

    @admin.display(description=lazy("时间"))
    def moment(self, row: AuditEntry) -> str:
        return datetime_words(row.at)

    @admin.display(description=lazy("操作人"))
    def who(self, row: AuditEntry) -> str:
        return row.actor_name

    @admin.display(description=lazy("操作"))
    def deed(self, row: AuditEntry) -> str:
        return deed_words(row.action)

    @admin.display(description=lazy("对象"))
    def what(self, row: AuditEntry) -> str:
        return row.label or object_words(row.chain)

    @admin.display(description=lazy("理由"), empty_value="—")
    def why(self, row: AuditEntry) -> str | None:
        return row.reason or None

    def object_title(self, obj: AuditEntry) -> str:
        return _("%(deed)s：%(what)s") % {"deed": deed_words(obj.action), "what": self.what(obj)}

    def facts(self, request: HttpRequest, obj: AuditEntry) -> list[Fact]:
        sealed = _("第 %(number)d 号封存") % {"number": obj.seal.number} if obj.seal else _("等待封存")
        place = {"object": object_words(obj.chain), "position": obj.position}
        return [
            Fact(_("时间"), datetime_words(obj.at)),
            Fact(_("操作人"), obj.actor_name),
            Fact(_("操作"), deed_words(obj.action)),
            Fact(_("对象"), self.what(obj)),
            Fact(_("来源"), obj.origin),
            Fact(_("理由"), obj.reason),
            Fact(_("链上位置"), _("%(object)s 的第 %(position)d 条") % place),
            Fact(_("封存"), sealed),
        ]

    def parts(self, request: HttpRequest, obj: AuditEntry) -> list[Part]:
        rows = [change_words(obj.chain, name, pair) for name, pair in sorted(obj.changes.items())]
        return [Part(_("变更"), [_("项目"), _("改动前"), _("改动后")], rows, _("这次操作没有改动内容。"))]
