"""What the pages of compounds and their remediation ask for."""

from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.deeds import DeedForm
from core.forms import PhotosField
from core.lookups import LookupField
from grids import pictures
from grids.models import FacilityKind, PhotoStage, RemediationPhoto
from grids.posts import MANAGE_COMPOUND
from partybuilding.admin.fields import organisation_field
from partybuilding.models import BranchSetup, Compound, Management, OwnersCommittee

COMPOUND_LOOKUP = reverse_lazy("admin:partybuilding_compound_lookup")
_NUMBER: dict[str, Any] = {"min_value": 0, "max_value": 1_000_000, "required": False}


def day_field(label: Any, *, required: bool = False, help_text: Any = "", **kwargs: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, widget=widget, help_text=help_text, **kwargs)


class VersionedForm(DeedForm):
    version = forms.IntegerField(widget=forms.HiddenInput)


class ProfileForm(VersionedForm):
    """What stands in a compound. Facilities are asked for one by one: each is a number."""

    built_year = forms.IntegerField(label=lazy("建成年份"), min_value=1900, max_value=2199, required=False)
    households = forms.IntegerField(label=lazy("户数"), **_NUMBER)
    is_demonstration = forms.BooleanField(label=lazy("示范小区"), required=False)
    note = forms.CharField(label=lazy("备注"), max_length=500, required=False, widget=forms.Textarea({"rows": 2}))

    def build(self) -> None:
        for kind in FacilityKind:
            self.fields[f"facility_{kind}"] = forms.IntegerField(label=kind.label, **_NUMBER)
        counts = [f"facility_{kind}" for kind in FacilityKind]
        self.order_fields(["built_year", "households", *counts, "is_demonstration", "note", "version"])

    def clean(self) -> dict[str, Any]:
        """An emptied number says that there is none."""
        data = super().clean() or {}
        counts = {str(kind): data.pop(f"facility_{kind}", None) or 0 for kind in FacilityKind}
        return {**data, "facilities": counts}


class RunningForm(VersionedForm):
    management = forms.ChoiceField(label=lazy("管理方式"), choices=Management.choices, widget=forms.RadioSelect)
    firm_name = forms.CharField(
        label=lazy("物业公司"),
        max_length=60,
        required=False,
        help_text=lazy("有物业管理的才填。本县已登记为单位的，自动连上。"),
    )
    committee = forms.ChoiceField(
        label=lazy("业主委员会"),
        choices=OwnersCommittee.choices,
        widget=forms.RadioSelect,
        initial=OwnersCommittee.NONE,
    )
    committee_on = day_field(lazy("业委会成立日期"))
    branch_setup = forms.ChoiceField(
        label=lazy("支部组建方式"),
        choices=[("", lazy("没有党支部")), *BranchSetup.choices],
        widget=forms.RadioSelect,
        required=False,
    )

    def build(self) -> None:
        help_text = _("填党组织名称中的几个字。还没有登记的，请县级管理员先在“党组织”里登记。")
        self.fields["branch"] = organisation_field(self.user, label=_("党支部"), required=False, help_text=help_text)
        order = ["management", "firm_name", "committee", "committee_on", "branch", "branch_setup", "version"]
        self.order_fields(order)


class NewProjectForm(DeedForm):
    """A project of the compound in hand."""

    kind = forms.ChoiceField(label=lazy("整治内容"), choices=FacilityKind.choices)
    title = forms.CharField(label=lazy("项目名称"), max_length=80, help_text=lazy("如“加装电梯”“更换单元门禁”。"))
    quantity = forms.IntegerField(
        label=lazy("数量"), min_value=1, max_value=1_000_000, initial=1, help_text=lazy("几部、几套、几个。")
    )
    planned_on = day_field(lazy("计划完成日期"))
    started_on = day_field(lazy("开工日期"), help_text=lazy("已经开工的填。"))
    finished_on = day_field(lazy("完成日期"), help_text=lazy("已经完成的填。"))
    text = forms.CharField(label=lazy("说明"), max_length=500, required=False, widget=forms.Textarea({"rows": 3}))


class NewProjectSomewhereForm(NewProjectForm):
    """A project, and the compound it is of."""

    def build(self) -> None:
        places = Compound.objects.standing().filter(policies.within(Compound, self.user, MANAGE_COMPOUND))
        self.fields["node"] = compound_field(places, label=_("小区"))
        self.order_fields(["node"])


class ProjectForm(NewProjectForm, VersionedForm):
    pass


class BeginForm(VersionedForm):
    started_on = day_field(lazy("开工日期"), required=True, initial=timezone.localdate)


class FinishForm(VersionedForm):
    finished_on = day_field(lazy("完成日期"), required=True, initial=timezone.localdate)
    quantity = forms.IntegerField(
        label=lazy("完成数量"), min_value=1, max_value=1_000_000, help_text=lazy("实际完成多少。")
    )


class PhotosForm(DeedForm):
    stage = forms.ChoiceField(label=lazy("哪个阶段"), choices=PhotoStage.choices, widget=forms.RadioSelect)
    photos = PhotosField(label=lazy("照片"), help_text=lazy("一次最多 6 张。照片里的位置、时间信息会自动去掉。"))


class _PhotoChoice(forms.ModelMultipleChoiceField):
    """Pictures to tick, shown as they are."""

    def label_from_instance(self, obj: Any) -> str:
        shown = pictures.picture(obj)
        image = '<img class="tick-picture" src="{}" alt="{}" loading="lazy"> {}'
        return format_html(image, shown.thumb, shown.alt, obj.get_stage_display())


class DropPhotosForm(DeedForm):
    def build(self) -> None:
        rows = RemediationPhoto.objects.filter(remediation=self.obj).select_related("remediation")
        self.fields["photos"] = _PhotoChoice(
            label=_("要删除的照片"), queryset=rows, widget=forms.CheckboxSelectMultiple
        )


class DropForm(VersionedForm):
    reason = forms.CharField(label=lazy("删除理由"), max_length=500, widget=forms.Textarea({"rows": 3}))


def compound_field(rows: Any, **kwargs: Any) -> LookupField:
    """A field for one compound out of `rows`."""
    kwargs.setdefault("help_text", _("填小区名称中的几个字，重名的加上社区。"))
    return LookupField(
        rows=rows.order_by("tree_id", "lft"),
        search=("path", "^code"),
        text=lambda node: node.path,
        url=COMPOUND_LOOKUP,
        **kwargs,
    )
