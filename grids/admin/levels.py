"""The levels of a county in the admin."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import Fact
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm, NothingToFill
from grids import actions, posts
from grids.actions import LevelDraft
from grids.levels import KNOWN, PRESETS
from grids.models import Level
from grids.naming import COMMUNITY, STREET
from grids.selectors import managed_county


class AfterForm(DeedForm):
    """Where a level stands: behind which other one."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def build(self) -> None:
        levels = list(Level.objects.filter(county=managed_county(self.user, posts.MANAGE_COUNTY)))
        others = [level for level in levels if self.obj is None or level.pk != self.obj.pk]
        # The community is the second level, whatever else a county has.
        choices = [(level.key, level.name) for level in others if level.key != STREET]
        self.fields["after"] = forms.ChoiceField(label=_("排在哪个层级之后"), choices=choices)
        if self.obj is not None:
            self.initial["after"] = next((level.key for level in reversed(others) if level.order < self.obj.order), "")
        elif choices:
            self.initial["after"] = choices[-1][0]


class AddForm(AfterForm):
    name = forms.CharField(label=lazy("层级名称"), max_length=30, help_text=lazy("本县对这一级的叫法。"))
    holder_title = forms.CharField(
        label=lazy("负责人称呼"),
        max_length=30,
        required=False,
        help_text=lazy("本县怎么称呼这一级的负责人，例如网格长。不填的用通常的称呼。"),
    )

    def build(self) -> None:
        super().build()
        taken = set(
            Level.objects.filter(county=managed_county(self.user, posts.MANAGE_COUNTY)).values_list("key", flat=True)
        )
        known = [(key, spec.name) for key, spec in KNOWN.items() if key not in taken]
        self.fields["key"] = forms.ChoiceField(
            label=_("类型"),
            choices=[("", _("自定：本县自己的一级")), *known],
            required=False,
            help_text=_("它相当于哪一级。编码、岗位和权限跟着类型走；都不是的选“自定”。"),
        )
        self.order_fields(["name", "key", "after", "holder_title"])


class EditForm(DeedForm):
    name = forms.CharField(label=lazy("层级名称"), max_length=30)
    holder_title = forms.CharField(
        label=lazy("负责人称呼"), max_length=30, required=False, help_text=lazy("与岗位名称相同的不用填。")
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def build(self) -> None:
        held = [(post.key, post.label) for post in posts.posts_at(self.obj.key)]
        self.fields["holder_post"] = forms.ChoiceField(
            label=_("谁负责"), choices=held, initial=self.obj.holder_post, help_text=_("权限跟着岗位走。")
        )
        self.order_fields(["name", "holder_post", "holder_title", "version"])


class RemoveForm(NothingToFill):
    version = forms.IntegerField(widget=forms.HiddenInput)


class PresetForm(DeedForm):
    preset = forms.ChoiceField(label=lazy("选用哪一套"), widget=forms.RadioSelect)

    def build(self) -> None:
        choices = [
            (preset.key, f"{preset.name}：{' → '.join(str(level.name) for level in preset.levels)}")
            for preset in PRESETS.values()
        ]
        self.fields["preset"].choices = choices  # type: ignore[attr-defined]


def _add(*, actor: Any, obj: None, after: str, version: None, **data: Any) -> Any:
    county = managed_county(actor, posts.MANAGE_COUNTY)
    return actions.add_level(actor=actor, county=county, level=LevelDraft(**data), after=after)


def _edit(*, actor: Any, obj: Level, version: int, **data: Any) -> Any:
    return actions.edit_level(actor=actor, level=obj, draft=LevelDraft(obj.key, **data), version=version)


def _move(*, actor: Any, obj: Level, **data: Any) -> Any:
    return actions.move_level(actor=actor, level=obj, **data)


def _remove(*, actor: Any, obj: Level, version: int) -> Any:
    return actions.remove_level(actor=actor, level=obj, version=version)


def _load(*, actor: Any, obj: None, preset: str) -> Any:
    return actions.load_preset(actor=actor, county=managed_county(actor, posts.MANAGE_COUNTY), preset=preset)


def _is_free(level: Level) -> bool:
    return level.key not in (STREET, COMMUNITY)


@admin.register(Level)
class LevelAdmin(SheetAdmin):
    list_display = ("name", "kind", "holder", "places")
    list_display_links = ("name",)
    ordering = ("county", "order")
    sortable_by = ()
    sheets = ("levels",)
    object_related = ("county",)
    empty_text = lazy("先选用一套层级，再按本县的情况增减。")
    adding = Deed(
        "add",
        lazy("新增层级"),
        posts.MANAGE_COUNTY,
        AddForm,
        _add,
        lazy("层级已新增。"),
        help=lazy("下级的层级总在上级的层级之后，中间可以隔级。街道（镇）和社区（村）总是第一、第二级。"),
        tone="main",
    )
    deeds = (
        Deed(
            "edit",
            lazy("修改"),
            posts.MANAGE_COUNTY,
            EditForm,
            _edit,
            lazy("已保存。"),
            help=lazy("改名后，所有页面和表格都用新名称；网格、编码和二维码不变。"),
            tone="main",
        ),
        Deed(
            "move",
            lazy("调整顺序"),
            posts.MANAGE_COUNTY,
            AfterForm,
            _move,
            lazy("顺序已调整。"),
            help=lazy("已有网格的层级，不能排到它的上级前面；有碍的网格会列出来。"),
            offered=_is_free,
        ),
        Deed(
            "remove",
            lazy("去掉"),
            posts.MANAGE_COUNTY,
            RemoveForm,
            _remove,
            lazy("层级已去掉。"),
            help=lazy("还有网格（包括已撤销的）的层级不能去掉；有碍的网格会列出来。"),
            tone="danger",
            offered=_is_free,
        ),
    )
    preset = Deed(
        "preset",
        lazy("选用一套层级"),
        posts.MANAGE_COUNTY,
        PresetForm,
        _load,
        lazy("层级已换成所选的一套。"),
        help=lazy("原来的层级换成所选的一套，自己起的名称和称呼不保留。已有网格的层级若不在这一套里，不能更换。"),
    )

    def more_urls(self) -> list[URLPattern]:
        return [self.page("preset/", self.preset_view, "preset"), *super().more_urls()]

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        first, *others = super().tools(request) or [("", "", "")]
        return [first, (str(self.preset.label), self.url("preset"), "plain"), *others]

    def preset_view(self, request: HttpRequest) -> HttpResponse:
        """Choosing one of the shipped sets of levels."""
        if not self.preset.may(request.user):
            raise PermissionDenied
        return self._do(request, self.preset, None)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(count=Count("nodes", filter=Q(nodes__retired_at__isnull=True)))

    @admin.display(description=lazy("类型"))
    def kind(self, level: Level) -> str:
        return level.kind_words

    @admin.display(description=lazy("负责人"))
    def holder(self, level: Level) -> str:
        return level.holder_words

    @admin.display(description=lazy("在用网格"))
    def places(self, level: Any) -> int:
        return int(level.count)

    def facts(self, request: HttpRequest, obj: Level) -> list[Fact]:
        post = posts.POSTS.get(obj.holder_post)
        return [
            Fact(_("类型"), obj.kind_words),
            Fact(_("岗位"), post.label if post else ""),
            Fact(_("负责人称呼"), obj.holder_words),
            Fact(_("在用网格"), obj.nodes.filter(retired_at__isnull=True).count()),
        ]

    def after(self, request: HttpRequest, deed: Deed, obj: Any, result: Any) -> HttpResponse:
        """Back to the list: what matters of a level is where it stands among the others."""
        messages.success(request, str(deed.done))
        return redirect(self.url("changelist"))
