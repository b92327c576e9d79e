"""What is put right in compounds: projects with their pictures of before and after."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import Fact, SelectFilter, chip, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed
from grids import actions, pictures
from grids.admin_places import PlaceFilter
from grids.models import IN_STATE, FacilityKind, PhotoStage, Remediation, RemediationState
from grids.naming import steps_of
from grids.posts import MANAGE_COMPOUND
from partybuilding.admin.compound_forms import (
    BeginForm,
    DropForm,
    DropPhotosForm,
    FinishForm,
    NewProjectSomewhereForm,
    PhotosForm,
    ProjectForm,
)

_TONES = {RemediationState.PLANNED: "grey", RemediationState.GOING: "blue", RemediationState.FINISHED: "green"}


def state_chip(row: Remediation) -> tuple[str, str]:
    """A project's state in words, and its tone."""
    return str(row.state.label), _TONES[row.state]


def _register(*, actor: Any, obj: None, **data: Any) -> Remediation:
    return actions.register_remediation(actor=actor, **data)


def _update(*, actor: Any, obj: Remediation, **data: Any) -> Remediation:
    return actions.update_remediation(actor=actor, remediation=obj, **data)


def _begin(*, actor: Any, obj: Remediation, **data: Any) -> Remediation:
    return actions.begin_remediation(actor=actor, remediation=obj, **data)


def _finish(*, actor: Any, obj: Remediation, **data: Any) -> Remediation:
    return actions.finish_remediation(actor=actor, remediation=obj, **data)


def _add_photos(*, actor: Any, obj: Remediation, **data: Any) -> None:
    actions.add_remediation_photos(actor=actor, remediation=obj, **data)


def _drop_photos(*, actor: Any, obj: Remediation, **data: Any) -> None:
    actions.drop_remediation_photos(actor=actor, remediation=obj, **data)


def _drop(*, actor: Any, obj: Remediation, **data: Any) -> None:
    actions.drop_remediation(actor=actor, remediation=obj, **data)


def _open(row: Remediation) -> bool:
    return not row.node.is_retired


class ProjectPlaceFilter(PlaceFilter):
    community = "community"


class StateFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(RemediationState.choices)

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(IN_STATE[RemediationState(value)])


class PhotosFilter(SelectFilter):
    """What still lacks its pictures."""

    title = lazy("照片")
    parameter_name = "photos"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("both", _("前后都有")), ("none", _("没有照片"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == "none":
            return rows.filter(photos__isnull=True)
        for stage in PhotoStage.values:
            rows = rows.filter(pk__in=Remediation.objects.filter(photos__stage=stage).values("pk"))
        return rows


@admin.register(Remediation)
class RemediationAdmin(SheetAdmin):
    list_display = ("name", "where", "kind_words", "how_many", "when", "shots", "progress")
    list_display_links = ("name",)
    list_filter = (
        ProjectPlaceFilter,
        choice_filter("kind", lazy("整治内容"), FacilityKind.choices),
        StateFilter,
        PhotosFilter,
    )
    list_select_related = ("node",)
    search_fields = ("title", "node__path")
    search_help_text = lazy("项目名称、小区")
    ordering = ("node__tree_id", "node__lft", "-id")
    sortable_by = ()
    sheets = ("remediations",)
    object_related = ("node__county", "community", "created_by")
    object_template = "admin/remediation.html"
    empty_text = lazy("登记小区要整治的内容，如加装电梯、更换门禁；完成后传上整治前后的照片。")
    adding = Deed(
        "add",
        lazy("登记整治项目"),
        MANAGE_COMPOUND,
        NewProjectSomewhereForm,
        _register,
        lazy("整治项目已登记。"),
        tone="main",
    )
    deeds = (
        Deed(
            "begin",
            lazy("开工"),
            MANAGE_COMPOUND,
            BeginForm,
            _begin,
            lazy("已登记开工。"),
            offered=lambda row: _open(row) and row.state == RemediationState.PLANNED,
        ),
        Deed(
            "finish",
            lazy("完成"),
            MANAGE_COMPOUND,
            FinishForm,
            _finish,
            lazy("已登记完成。"),
            help=lazy("完成数量计入小区统计。请再传上整治后的照片。"),
            tone="main",
            offered=lambda row: _open(row) and row.state != RemediationState.FINISHED,
        ),
        Deed(
            "photos",
            lazy("上传照片"),
            MANAGE_COMPOUND,
            PhotosForm,
            _add_photos,
            lazy("照片已保存。"),
            help=lazy("拍整治的地方，不要拍到居民的脸、车牌和门牌上的姓名。"),
            offered=_open,
        ),
        Deed(
            "edit",
            lazy("修改"),
            MANAGE_COMPOUND,
            ProjectForm,
            _update,
            lazy("已保存。"),
            offered=_open,
        ),
        Deed(
            "unphoto",
            lazy("删除照片"),
            MANAGE_COMPOUND,
            DropPhotosForm,
            _drop_photos,
            lazy("照片已删除。"),
            help=lazy("删除后不能恢复。"),
            tone="danger",
            offered=lambda row: _open(row) and row.photos.exists(),
        ),
        Deed(
            "drop",
            lazy("删除项目"),
            MANAGE_COMPOUND,
            DropForm,
            _drop,
            lazy("整治项目已删除。"),
            help=lazy("只用于登记错了的项目，连同照片一起删除，不能恢复。没有做成的项目请在说明里写明。"),
            tone="danger",
            offered=_open,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        shots = {stage: Count("photos", filter=Q(photos__stage=stage), distinct=True) for stage in map(str, PhotoStage)}
        return super().get_queryset(request).annotate(**shots)

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """The stage the pictures are most likely of."""
        found = super().initial(request, deed, obj)
        planned = obj is None or obj.state == RemediationState.PLANNED
        return {**found, "stage": PhotoStage.BEFORE if planned else PhotoStage.AFTER}

    def after(self, request: HttpRequest, deed: Deed, obj: Any, result: Any) -> Any:
        """Back to the compound when the project is gone."""
        if deed.name == "drop":
            messages.success(request, str(deed.done))
            return redirect(compound_url(obj.node_id))
        return super().after(request, deed, obj, result)

    @admin.display(description=lazy("项目名称"))
    def name(self, row: Remediation) -> str:
        return row.title

    @admin.display(description=lazy("小区"))
    def where(self, row: Remediation) -> str:
        return row.node.path

    @admin.display(description=lazy("整治内容"))
    def kind_words(self, row: Remediation) -> str:
        return row.get_kind_display()

    @admin.display(description=lazy("数量"))
    def how_many(self, row: Remediation) -> int:
        return row.quantity

    @admin.display(description=lazy("日期"))
    def when(self, row: Remediation) -> str:
        return _day(row)

    @admin.display(description=lazy("照片（前/后）"))
    def shots(self, row: Any) -> str:
        return f"{row.before} / {row.after}"

    @admin.display(description=lazy("状态"))
    def progress(self, row: Remediation) -> str:
        words, tone = state_chip(row)
        return chip(words, tone)

    def chips(self, obj: Remediation) -> list[tuple[str, str]]:
        return [(obj.get_kind_display(), "grey"), state_chip(obj)]

    def facts(self, request: HttpRequest, obj: Remediation) -> list[Fact]:
        where = " · ".join(steps_of(obj.node.path))
        found = [
            Fact(_("小区"), link(where, compound_url(obj.node_id)), wide=True),
            Fact(_("整治内容"), obj.get_kind_display()),
            Fact(_("数量"), obj.quantity),
            Fact(_("计划完成日期"), day_words(obj.planned_on)),
            Fact(_("开工日期"), day_words(obj.started_on)),
            Fact(_("完成日期"), day_words(obj.finished_on)),
            Fact(_("登记人"), obj.created_by.name if obj.created_by else ""),
            Fact(_("说明"), obj.text, wide=True),
        ]
        if obj.community_id != obj.node.community_id:
            found.append(Fact(_("整治时所属社区"), obj.community.name))
        return found

    def object_context(self, request: HttpRequest, obj: Remediation) -> dict[str, Any]:
        return {**super().object_context(request, obj), "pairs": pictures.pairs([obj])}


def compound_url(pk: int) -> str:
    """The page of a compound, both halves."""
    return reverse("admin:partybuilding_compound_change", args=[pk])


def _day(row: Remediation) -> str:
    """The day that matters now."""
    if row.finished_on:
        return _("%(day)s完成") % {"day": day_words(row.finished_on)}
    if row.planned_on:
        return _("计划%(day)s完成") % {"day": day_words(row.planned_on)}
    return _("%(day)s开工") % {"day": day_words(row.started_on)} if row.started_on else ""
