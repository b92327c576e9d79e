"""Forms of the resource, project and responsibility lists, for the desk and the phone alike."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as t

from core import policies
from core.deeds import DeedForm
from core.errors import DomainError
from core.forms import PhotosField
from core.lookups import LookupField
from core.models import User
from core.text import split_words
from grids.admin_people import date_input
from grids.admin_places import place_field, place_text
from grids.models import GridNode
from partybuilding.admin.fields import unit_field
from partybuilding.models import Unit
from partybuilding.policies import UnitScope
from partybuilding.unit_names import UnitNames
from services import posts
from services.models import Category, Demand, EvidenceStage, FreeTime, Resource, ResourceKind, UnitCheckIn
from services.policies import CheckInScope
from services.selectors.meetings import paired_leaders
from services.selectors.projects import reported_for
from services.selectors.resources import usable_at


def text_area(label: Any, *, limit: int = 500, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=limit, widget=forms.Textarea(attrs={"rows": 3}), **kwargs)


def version() -> forms.IntegerField:
    return forms.IntegerField(widget=forms.HiddenInput)


class VersionForm(DeedForm):
    """Asks for a confirmation of what the person saw."""

    version = version()


class ReasonForm(DeedForm):
    reason = text_area(t("意见"))
    version = version()


class OpinionForm(DeedForm):
    reason = text_area(t("验收意见"), required=False)
    version = version()


# --- Resources ------------------------------------------------------------------------------------------------------


class ResourceForm(DeedForm):
    """What is offered: asked in the order in which a person would say it."""

    kind = forms.ChoiceField(label=t("类型"), choices=ResourceKind.choices)
    name = forms.CharField(label=t("资源名称"), max_length=60, help_text=t("例如：三楼会议室、法律咨询、志愿者。"))
    quantity = forms.IntegerField(label=t("数量"), min_value=1, max_value=100_000_000, initial=1)
    measure = forms.CharField(label=t("计量单位"), max_length=10, help_text=t("间、人、台、元、场。"))
    category = forms.ModelChoiceField(label=t("对应需求类别"), queryset=Category.objects.none(), required=False)
    text = text_area(t("说明"), limit=300, required=False, help_text=t("写清能做什么、怎么约；不写个人电话。"))
    times = forms.MultipleChoiceField(
        label=t("可用时段"),
        choices=FreeTime.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=t("都不选，就是随时可用。"),
    )
    start = forms.DateField(label=t("可用起"), initial=timezone.localdate, widget=date_input())
    end = forms.DateField(label=t("可用止"), required=False, widget=date_input(), help_text=t("长期可用的不填。"))

    def build(self) -> None:
        seen = Category.objects.filter(is_active=True)
        if self.obj is not None:
            seen = seen.filter(county=self.obj.county_id)
        else:
            seen = seen.visible_to(self.user) | seen.filter(county__in=_counties_of_units(self.user))
        self.fields["category"].queryset = seen  # type: ignore[attr-defined]
        self.fields["category"].empty_label = _("不限")  # type: ignore[attr-defined]


def _counties_of_units(user: Any) -> list[int]:
    units = [scope.unit_id for scope in policies.scopes(user, posts.OFFER_RESOURCE) if isinstance(scope, UnitScope)]
    return list(Unit.objects.filter(pk__in=units).values_list("county", flat=True).distinct())


class RegisterResourceForm(ResourceForm):
    """For the community or street: its own, or on behalf of a unit."""

    def build(self) -> None:
        super().build()
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_RESOURCE))
        self.fields["node"] = place_field(places.select_related("county"), label=_("使用范围"))
        self.fields["node"].help_text = _("在哪个范围内可以使用：社区、小区、网格，或整个街道。")
        self.fields["unit"] = unit_field(
            self.user, label=_("提供单位"), required=False, help_text=_("社区自己的资源不填。")
        )
        self.order_fields(["unit", "node"])


class OfferResourceForm(ResourceForm):
    """For a unit's liaison on the phone: where the unit has checked in, and what lies around that."""

    def build(self) -> None:
        super().build()
        scopes = policies.scopes(self.user, posts.OFFER_RESOURCE)
        units = Unit.objects.filter(pk__in=[scope.unit_id for scope in scopes if isinstance(scope, UnitScope)])
        self.fields["unit"] = forms.ModelChoiceField(label=_("提供单位"), queryset=units.order_by("name"))
        held = UnitCheckIn.objects.current().filter(unit__in=units)
        here = set(held.values_list("node", flat=True)) | set(held.values_list("node__community", flat=True))
        streets = set(held.values_list("node__tree_id", flat=True))
        around = GridNode.objects.standing().filter(pk__in=here - {None})
        around |= GridNode.objects.standing().filter(tree_id__in=streets, parent=None)
        field = forms.ModelChoiceField(
            label=_("使用范围"), queryset=around.order_by("tree_id", "lft"), empty_label=_("请选择")
        )
        field.help_text = _("报到的社区；整个街道都能用的选街道。")
        field.label_from_instance = place_text  # type: ignore[method-assign]
        self.fields["node"] = field
        # Most act for one unit at one place: nothing to choose then.
        for name, rows in (("unit", units), ("node", around)):
            first = list(rows[:2])
            if len(first) == 1:
                self.fields[name].initial = first[0]
        if units.count() == 1:
            self.fields["unit"].widget = forms.HiddenInput()
        self.order_fields(["unit", "kind", "name", "quantity", "measure", "node"])


class ChangeResourceForm(ResourceForm):
    version = version()


# --- Projects -------------------------------------------------------------------------------------------------------


class ProjectForm(DeedForm):
    name = forms.CharField(label=t("项目名称"), max_length=80)
    text = text_area(t("项目内容"), limit=1000, required=False)
    demands = forms.CharField(
        label=t("对应需求"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=t("填需求编号，几个的用空格或换行隔开；在需求清单里能查到编号。"),
    )
    start_on = forms.DateField(label=t("开始日期"), required=False, widget=date_input())
    due_on = forms.DateField(label=t("完成期限"), required=False, widget=date_input(), help_text=t("发布认领前要填。"))
    budget = forms.DecimalField(label=t("预算（元）"), required=False, min_value=0, max_digits=12, decimal_places=2)
    supporting = forms.CharField(
        label=t("配合单位"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=t("填单位全称或简称，一行一个。"),
    )

    def place(self) -> GridNode | None:
        found = self.cleaned_data.get("node") if self.obj is None else self.obj.node
        return found if isinstance(found, GridNode) else None

    def clean(self) -> dict[str, Any]:
        super().clean()
        data, node = self.cleaned_data, self.place()
        if node is None or self.errors:
            return data
        from_words = {
            "demands": self.demands_in(data["demands"]),
            "supporting": units_of(node, data["supporting"]),
        }
        for name, (found, fault) in from_words.items():
            if fault:
                self.add_error(name, fault)
            else:
                data[name] = found
        return data

    def demands_in(self, text: str) -> tuple[Sequence[Demand], str]:
        return demands_of(self.user, text)


class DraftProjectForm(ProjectForm):
    def build(self) -> None:
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_PROJECT))
        self.fields["node"] = place_field(places.select_related("county", "community"), label=_("实施地点"))
        self.fields["node"].help_text = _("社区或更小的地点；涉及几个社区的，由街道填街道。")
        self.order_fields(["name", "node"])


class ChangeProjectForm(ProjectForm):
    """Also which of the leaders paired with the place, or one above it, helps with a hard one (docs/domain.md#g2)."""

    version = version()
    # The codes the field began with: between the page and its answer a demand may leave the person's sight, or come into it.
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def demands_in(self, text: str) -> tuple[Sequence[Demand], str]:
        """Only what was shown and is gone from the words is taken out; what was shown and still stands may stay."""
        shown, wanted = set(split_words(self.cleaned_data.pop("shown"))), split_words(text)
        held = {row.code: row for row in self.obj.demands.all()}
        kept = [row for code, row in held.items() if code not in shown or code in wanted]
        found, fault = demands_of(self.user, " ".join(code for code in wanted if code not in shown & held.keys()))
        return [*kept, *found], fault

    def build(self) -> None:
        paired = paired_leaders(self.obj.node).order_by().values("user")
        known = User.objects.filter(Q(pk__in=paired) | Q(pk=self.obj.leader_id)).order_by("name", "pk")
        self.fields["leader"] = forms.ModelChoiceField(
            label=_("协调领导"), queryset=known, required=False, help_text=_("难办的项目请包联这里的县级领导协调。")
        )


class UseResourceForm(DeedForm):
    """How much of one resource the project uses; nothing gives it back."""

    quantity = forms.IntegerField(label=t("数量"), min_value=0, initial=1, help_text=t("填 0 就是不再使用。"))
    version = version()

    def build(self) -> None:
        here = Resource.objects.visible_to(self.user).filter(usable_at(self.obj.node, self.obj.start_on))
        held = Resource.objects.filter(pk__in=self.obj.allocations.values("resource"))
        self.fields["resource"] = LookupField(
            rows=(here | held).select_related("unit", "node").order_by("kind", "name", "pk"),
            search=("name", "unit__name", "unit__short_name"),
            text=resource_words,
            label=_("资源"),
            help_text=_("填资源名称或提供单位中的几个字；只有已核实、能在这里使用的。"),
        )
        self.order_fields(["resource", "quantity"])


class ClaimForm(DeedForm):
    """Which of one's units takes it; nothing to choose for who acts for one."""

    version = version()

    def build(self) -> None:
        scopes = [scope for scope in policies.scopes(self.user, posts.CLAIM_PROJECT) if isinstance(scope, CheckInScope)]
        here = reported_for(self.obj).filter(unit__in={scope.unit_id for scope in scopes})
        units = Unit.objects.filter(pk__in=here.values("unit")).order_by("name")
        field = forms.ModelChoiceField(label=_("认领单位"), queryset=units, empty_label=None)
        if len(units) == 1:
            field.widget = forms.HiddenInput()
            field.initial = units[0]
        self.fields["unit"] = field


class LeadForm(DeedForm):
    version = version()

    def build(self) -> None:
        units = Unit.objects.active().filter(pk__in=reported_for(self.obj).values("unit"))
        self.fields["unit"] = LookupField(
            rows=units.order_by("name"),
            search=("name", "short_name"),
            text=lambda unit: unit.name,
            label=_("牵头单位"),
            initial=self.obj.lead_unit,
            help_text=_("在这里报到的单位，填名称或简称中的几个字。"),
        )
        self.order_fields(["unit"])


class FinishForm(DeedForm):
    result = text_area(t("完成情况"), limit=1000, help_text=t("做了什么、多少、效果怎样；不写住户的姓名、电话。"))
    version = version()


class MilestoneForm(DeedForm):
    title = forms.CharField(label=t("节点"), max_length=100, help_text=t("例如：现场勘查、材料进场、安装完成。"))
    due_on = forms.DateField(label=t("计划日期"), widget=date_input())


class MilestoneDoneForm(DeedForm):
    done_on = forms.DateField(label=t("完成日期"), initial=timezone.localdate, widget=date_input())
    text = text_area(t("进展"), required=False)
    version = version()


class StepDoneForm(MilestoneDoneForm):
    """On the desk, where the step is chosen on the project's page."""

    def build(self) -> None:
        steps = self.obj.milestones.filter(done_on=None)
        self.fields["milestone"] = forms.ModelChoiceField(label=_("节点"), queryset=steps)
        del self.fields["version"]
        self.order_fields(["milestone"])


class PhotosForm(DeedForm):
    stage = forms.ChoiceField(
        label=t("阶段"), choices=EvidenceStage.choices, widget=forms.RadioSelect, initial=EvidenceStage.AFTER
    )
    photos = PhotosField(label=t("照片"), help_text=t("最多 6 张；不要拍到住户的脸和门牌。"))


class DropPhotoForm(DeedForm):
    reason = forms.CharField(label=t("理由"), max_length=500)

    def build(self) -> None:
        rows = self.obj.photos.all()
        self.fields["photo"] = forms.ModelChoiceField(label=_("照片"), queryset=rows)
        self.order_fields(["photo"])


# --- Responsibilities -----------------------------------------------------------------------------------------------


class AssignForm(DeedForm):
    """Who answers for which measure of the project, by when."""

    person = forms.CharField(label=t("责任人"), max_length=60, help_text=t("姓名或职务，例如：王主任。"))
    measure = forms.CharField(label=t("责任内容"), max_length=200)
    due_on = forms.DateField(label=t("完成期限"), widget=date_input())

    def build(self) -> None:
        self.fields["unit"] = unit_field(
            self.user, label=_("责任单位"), required=False, help_text=_("社区自己负责的不填；填了会列为配合单位。")
        )
        if self.obj.due_on and not self.initial.get("due_on"):
            self.initial["due_on"] = self.obj.due_on
        self.order_fields(["unit"])


class ChangeResponsibilityForm(DeedForm):
    person = forms.CharField(label=t("责任人"), max_length=60)
    due_on = forms.DateField(label=t("完成期限"), widget=date_input())
    version = version()

    def build(self) -> None:
        self.fields["unit"] = unit_field(self.user, label=_("责任单位"), required=False)
        self.order_fields(["unit"])


class DoResponsibilityForm(DeedForm):
    text = text_area(t("落实情况"), help_text=t("做了什么、结果怎样。"))
    version = version()


# --- Words into rows ------------------------------------------------------------------------------------------------


def resource_words(row: Resource) -> str:
    return f"{row.name}（{row.unit.label if row.unit else _('社区自有')}）"


def demands_of(user: Any, text: str) -> tuple[Sequence[Demand], str]:
    """The demands of these codes the person sees, or what is wrong with them."""
    codes = split_words(text)
    found = {row.code: row for row in Demand.objects.visible_to(user).filter(code__in=codes)}
    missing = [code for code in codes if code not in found]
    if missing:
        return [], _("没有找到需求 %(codes)s，或不在您的管辖范围内。") % {"codes": _("、").join(missing[:5])}
    return [found[code] for code in codes], ""


def units_of(node: GridNode, text: str) -> tuple[Sequence[Unit], str]:
    """The units of these names in the place's county, or which name is none."""
    try:
        return UnitNames(node.county).several(text), ""
    except DomainError as error:
        return [], error.message
