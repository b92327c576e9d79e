"""The words of notices in the admin: what a county put in the place of the built-in ones, with a look before it holds."""

import json
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import digests, notice_kinds, notice_words, sending
from core.admin_base import Fact, Part, ScopedModelAdmin, chip, link
from core.admin_notices import GroupFilter, county_of
from core.admin_trail import history
from core.audit_words import name_deeds
from core.deeds import Deed, DeedForm, Foresight
from core.errors import NotFound
from core.models import NoticeTemplate
from core.notice_words import MANAGE_NOTICE
from core.periods import datetime_words

name_deeds(
    {
        "notice_template.make": lazy("改用本县的通知文字"),
        "notice_template.change": lazy("修改通知文字"),
        "notice_template.restore": lazy("恢复系统通知文字"),
    }
)


def _kind_choices() -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("", _("请选择"))]
    for group in notice_kinds.groups():
        kinds = [(kind.name, str(kind.label)) for kind in changeable() if kind.group == group.name]
        if kinds:
            found.append((str(group.label), kinds))
    return found


def changeable() -> list[notice_kinds.Kind]:
    """The kinds whose words a county may change: those that somebody posts."""
    return [kind for kind in notice_kinds.kinds() if kind.name not in {digests.KIND, sending.TEST_KIND}]


class _WordsForm(DeedForm):
    title = forms.CharField(label=lazy("标题"), max_length=240, required=False, help_text=lazy("不填则用系统标题。"))
    body = forms.CharField(
        label=lazy("内容"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("不填则用系统内容。"),
    )
    outside = forms.CharField(
        label=lazy("对外文字（短信、群机器人、邮件）"),
        max_length=240,
        required=False,
        help_text=lazy("不填则用系统文字。不能出现人名、电话、地址和事项，前面自动加“【经纬】”。"),
    )

    def name_fields(self, kind: str) -> None:
        """Says beside each input what it may name."""
        inside = "、".join(f"{{{one.word}}}" for one in notice_kinds.fields_of(kind))
        outside = "、".join(f"{{{one.word}}}" for one in notice_kinds.outside_fields_of(kind))
        known = _("可用字段：%(fields)s。")
        for name, fields in (("title", inside), ("body", inside), ("outside", outside)):
            self.fields[name].help_text = f"{self.fields[name].help_text}{known % {'fields': fields}}"


class NewWordsForm(_WordsForm):
    def build(self) -> None:
        self.fields["kind"] = forms.ChoiceField(label=_("通知类型"), choices=_kind_choices)
        self.order_fields(["kind", "title", "body", "outside"])
        chosen = str((self.data or self.initial or {}).get("kind") or "")
        if notice_kinds.find(chosen) is not None:
            self.name_fields(chosen)
        else:
            self.fields["kind"].help_text = _(
                "每类能用哪些字段，写在“全部通知类型”里；从那里点“修改”，字段会列在下面。"
            )


class WordsForm(_WordsForm):
    version = forms.IntegerField(widget=forms.HiddenInput)

    def build(self) -> None:
        self.name_fields(self.obj.kind)


class VersionForm(DeedForm):
    version = forms.IntegerField(widget=forms.HiddenInput)


def _shown_before(kind: str, data: dict[str, Any]) -> Foresight:
    texts = notice_words.clean(kind, **{name: data[name] for name in notice_words.LIMITS})
    shown = notice_words.preview(kind, **texts)
    facts = [
        Fact(_("标题"), shown["title"]),
        Fact(_("内容"), shown["body"], wide=True),
        Fact(_("对外文字"), shown["outside"], wide=True),
    ]
    return Foresight("admin/notice_preview.html", {"preview": facts}, json.dumps([kind, shown]))


def _foresee_new(*, actor: Any, obj: Any, kind: str, **data: Any) -> Foresight:
    return _shown_before(kind, data)


def _foresee_change(*, actor: Any, obj: NoticeTemplate, **data: Any) -> Foresight:
    return _shown_before(obj.kind, data)


def _make(*, actor: Any, obj: Any, **data: Any) -> NoticeTemplate:
    county = county_of(actor)
    if county is None:
        raise NotFound(_("没有找到您管理的县。"))
    return notice_words.make_template(actor=actor, county_key=county, **data)


def _change(*, actor: Any, obj: NoticeTemplate, **data: Any) -> NoticeTemplate:
    return notice_words.change_template(actor=actor, template=obj, **data)


def _restore(*, actor: Any, obj: NoticeTemplate, version: int) -> NoticeTemplate:
    return notice_words.restore_template(actor=actor, template=obj, version=version)


def _is_own(row: NoticeTemplate) -> bool:
    return not row.is_built_in


@admin.register(NoticeTemplate)
class TemplateAdmin(ScopedModelAdmin):
    list_display = ("what", "group", "own_title", "state", "changed")
    list_display_links = ("what",)
    list_filter = (GroupFilter,)
    sortable_by = ()
    empty_text = lazy("所有通知都用系统文字。要改哪一类，点“修改一类通知”。")
    adding = Deed(
        "add",
        lazy("修改一类通知"),
        MANAGE_NOTICE,
        NewWordsForm,
        _make,
        done=lazy("已改用本县的文字，以后发出的通知按它写。"),
        help=lazy("用 {字段} 代表每条通知里不同的内容。下一步先看样例，再确认。"),
        tone="main",
        foresee=_foresee_new,
    )
    deeds = (
        Deed(
            "change",
            lazy("修改文字"),
            MANAGE_NOTICE,
            WordsForm,
            _change,
            done=lazy("已保存，以后发出的通知按它写。"),
            help=lazy("用 {字段} 代表每条通知里不同的内容。下一步先看样例，再确认。"),
            tone="main",
            foresee=_foresee_change,
        ),
        Deed(
            "restore",
            lazy("恢复系统文字"),
            MANAGE_NOTICE,
            VersionForm,
            _restore,
            done=lazy("已恢复系统文字。"),
            offered=_is_own,
        ),
    )

    @admin.display(description=lazy("通知类型"))
    def what(self, row: NoticeTemplate) -> str:
        return notice_kinds.kind_label(row.kind) or row.kind

    @admin.display(description=lazy("类别"))
    def group(self, row: NoticeTemplate) -> str:
        return str(notice_kinds.group_label(row.kind))

    @admin.display(description=lazy("标题"), empty_value="—")
    def own_title(self, row: NoticeTemplate) -> str | None:
        return row.title or None

    @admin.display(description=lazy("文字"))
    def state(self, row: NoticeTemplate) -> str:
        return chip(*_words_of(row))

    @admin.display(description=lazy("修改时间"))
    def changed(self, row: NoticeTemplate) -> str:
        return datetime_words(row.changed_at)

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [*super().tools(request), (_("全部通知类型"), self.url("kinds"), "plain")]

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        if obj is None:
            return {"kind": request.GET.get("kind", "")}
        return super().initial(request, deed, obj)

    def object_title(self, obj: NoticeTemplate) -> str:
        return self.what(obj)

    def chips(self, obj: NoticeTemplate) -> list[tuple[str, str]]:
        return [_words_of(obj)]

    def facts(self, request: HttpRequest, obj: NoticeTemplate) -> list[Fact]:
        built_in = _("（系统文字）")
        shown = notice_words.preview(obj.kind, title=obj.title, body=obj.body, outside=obj.outside)
        return [
            Fact(_("类别"), self.group(obj)),
            Fact(_("修改时间"), self.changed(obj)),
            Fact(_("标题"), obj.title or built_in, wide=True),
            Fact(_("内容"), obj.body or built_in, wide=True),
            Fact(_("对外文字"), obj.outside or built_in, wide=True),
            Fact(_("样例：标题"), shown["title"], wide=True),
            Fact(_("样例：内容"), shown["body"], wide=True),
            Fact(_("样例：对外"), shown["outside"], wide=True),
        ]

    def parts(self, request: HttpRequest, obj: NoticeTemplate) -> list[Part]:
        return [_fields_part(obj.kind), history(obj)]

    def more_urls(self) -> list[URLPattern]:
        return [self.page("kinds/", self.kinds_view, "kinds")]

    def kinds_view(self, request: HttpRequest) -> HttpResponse:
        """Every kind there is, what it looks like, and the way to other words. One statement."""
        if not self.sees_list(request.user):
            raise PermissionDenied
        own = {row.kind: row for row in self.get_queryset(request)}
        parts = []
        for group in notice_kinds.groups():
            rows = [self._kind_row(kind, own.get(kind.name)) for kind in changeable() if kind.group == group.name]
            columns = [_("通知类型"), _("样例"), _("发到站外"), _("可用字段"), _("文字")]
            if rows:
                parts.append(Part(group.label, columns, rows))
        context = {"title": _("全部通知类型"), "parts": parts, "kinds": True}
        return self.render(request, "admin/notice_kinds.html", context)

    def _kind_row(self, kind: notice_kinds.Kind, own: NoticeTemplate | None) -> list[Any]:
        sample = notice_words.preview(
            kind.name, title=own.title if own else "", body=own.body if own else "", outside=""
        )
        out = _("发，任何时间") if kind.outside and kind.urgent else _("发") if kind.outside else "—"
        fields = " ".join(f"{{{field.word}}}" for field in notice_kinds.fields_of(kind.name))
        if own is not None:
            words = link(_words_of(own)[0], self.url("change", own.pk))
        else:
            words = link(_("修改"), f"{self.url('add')}?{urlencode({'kind': kind.name})}")
        return [kind.label, sample["title"], out, fields, words]


def _words_of(row: NoticeTemplate) -> tuple[str, str]:
    return (_("系统文字"), "grey") if row.is_built_in else (_("本县文字"), "blue")


def _fields_part(kind: str) -> Part:
    outside = {field.name for field in notice_kinds.outside_fields_of(kind)}
    values = notice_kinds.examples(kind)
    rows = [
        [f"{{{one.word}}}", values.get(one.name, ""), _("可以") if one.name in outside else _("不可以")]
        for one in notice_kinds.fields_of(kind)
    ]
    return Part(_("可用字段"), [_("写法"), _("例子"), _("对外文字")], rows)
