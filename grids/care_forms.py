"""Forms of the care ledger, the same at the desk and on the phone.

None of them shows a name or a phone that is stored: what is masked on the page is masked in the form, and an empty
input leaves it as it is.
"""

from dataclasses import fields, replace
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.deeds import DeedForm
from grids.actions.care_facts import TEXT_LENGTH, Facts
from grids.admin_places import place_field
from grids.care import EraseReason, RevealPurpose
from grids.models import CareKind, ConsentKind, GridNode
from grids.naming import COMMUNITY
from grids.posts import MANAGE_CARE

# So many places fit into a list to choose from on a phone; more are looked for by a few words.
MOST_CHOICES = 120
# What is too small to be worth choosing where one chooses from a list: the door says it.
_FLOORS = ("floor_section", "floor")


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class HouseholdForm(DeedForm):
    """What is written down about a household."""

    room = forms.CharField(label=lazy("门牌"), max_length=40, help_text=lazy("例如 2单元502室。"))
    name = forms.CharField(label=lazy("联系人"), max_length=60, help_text=lazy("上门找谁。"))
    phone = forms.CharField(
        label=lazy("联系电话"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=lazy("11 位手机号码；不方便可以不填。"),
    )
    needs = forms.MultipleChoiceField(
        label=lazy("关爱类别"), choices=CareKind.choices, widget=forms.CheckboxSelectMultiple
    )
    consent = forms.ChoiceField(
        label=lazy("同意方式"),
        choices=ConsentKind.choices,
        widget=forms.RadioSelect,
        help_text=lazy("没有本人或监护人的同意不能登记。残疾、儿童方面的要书面同意；不满 14 周岁的由监护人书面同意。"),
    )
    consent_on = forms.DateField(label=lazy("同意日期"), widget=DayInput(), initial=timezone.localdate)

    def build(self) -> None:
        for name in ("room", "name"):
            self.fields[name].widget.attrs["autocomplete"] = "off"

    def clean(self) -> dict[str, Any]:
        """What was typed as `facts`, and the inputs that are none."""
        data = super().clean() or {}
        if self.errors:
            return data
        said = {field.name: self.stated(field.name, data.pop(field.name)) for field in fields(Facts)}
        return {**data, "facts": Facts(**{**said, "needs": frozenset(said["needs"])})}

    def stated(self, name: str, value: Any) -> Any:
        return value


class RegisterForm(HouseholdForm):
    def build(self) -> None:
        super().build()
        self.fields["node"] = node_field(self.user)
        self.order_fields(["node", "room", "name", "phone", "needs", "consent", "consent_on"])


class CorrectForm(HouseholdForm):
    drop_phone = forms.BooleanField(label=lazy("删去登记的电话"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def build(self) -> None:
        super().build()
        self.fields["name"].required = False
        self.fields["name"].help_text = _("现在是 %(name)s，不改可以不填。") % {"name": self.obj.masked_name}
        shown = self.obj.masked_phone or _("没有电话")
        self.fields["phone"].help_text = _("现在是 %(phone)s，不改可以不填。") % {"phone": shown}
        for name in ("room", "consent", "consent_on", "version"):
            self.fields[name].initial = getattr(self.obj, name)
        self.fields["needs"].initial = [need.kind for need in self.obj.needs.all()]
        self.order_fields(["room", "name", "phone", "drop_phone", "needs", "consent", "consent_on", "version"])

    def stated(self, name: str, value: Any) -> Any:
        """An input left empty says what stands."""
        return value or getattr(self.obj, name) if name in ("name", "phone") else value

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not self.errors and data.pop("drop_phone"):
            data["facts"] = replace(data["facts"], phone="")
        return data


class MoveForm(DeedForm):
    room = forms.CharField(label=lazy("新门牌"), max_length=40)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def build(self) -> None:
        self.fields["node"] = node_field(self.user, community_id=self.obj.community_id, initial=self.obj.node)
        self.fields["version"].initial = self.obj.version
        self.order_fields(["node", "room", "version"])


class VisitForm(DeedForm):
    visited_on = forms.DateField(label=lazy("走访日期"), widget=DayInput(), initial=timezone.localdate)
    text = forms.CharField(
        label=lazy("情况"),
        max_length=TEXT_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=lazy("只写需要什么帮助，不写病情、姓名和证件号码。"),
    )
    confirmed = forms.BooleanField(label=lazy("一并核实：需要没有变化，本人（监护人）仍同意登记"), required=False)


class ConfirmForm(DeedForm):
    agreed = forms.BooleanField(
        label=lazy("已当面核实：仍住在这里，需要没有变化，本人（监护人）仍同意登记"),
        error_messages={"required": lazy("请当面问过再勾选；有变化的先改登记，不再需要的请社区删除。")},
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def build(self) -> None:
        self.fields["version"].initial = self.obj.version


class RevealForm(DeedForm):
    purpose = forms.ChoiceField(label=lazy("用途"), choices=RevealPurpose.choices, widget=forms.RadioSelect)


class EraseForm(DeedForm):
    reason = forms.ChoiceField(label=lazy("删除的原因"), choices=EraseReason.choices, widget=forms.RadioSelect)


def places_of(user: Any, community_id: int | None = None) -> QuerySet[GridNode]:
    """Where the user may register a household: in their own places, below the community."""
    rows = GridNode.objects.standing().filter(policies.within(GridNode, user, MANAGE_CARE), community__isnull=False)
    rows = rows.exclude(level_type__key=COMMUNITY)
    return rows.filter(community_id=community_id) if community_id else rows


def node_field(user: Any, *, community_id: int | None = None, initial: Any = None) -> forms.Field:
    """One of the user's places."""
    return place_choice(places_of(user, community_id), initial=initial)


def place_choice(rows: QuerySet[GridNode], *, initial: Any = None) -> forms.Field:
    """One of some places: from a list where there are few, as in a keeper's grid, else by a few words."""
    few = list(
        rows.exclude(level_type__key__in=_FLOORS)
        .order_by("tree_id", "lft")
        .select_related("county")[: MOST_CHOICES + 1]
    )
    if few and len(few) <= MOST_CHOICES and (initial is None or initial in few):
        top = min(node.depth for node in few)
        field = NodeChoice(few, {node.pk: "　" * (node.depth - top) + node.name for node in few})
        field.initial = initial.pk if initial else None
        return field
    found = place_field(rows, help_text=_("填小区、楼栋或单元中的几个字，用空格分开，例如“和谐 2 号楼”。"))
    found.initial = initial
    return found


class NodeChoice(forms.TypedChoiceField):
    """One of a few places, drawn as a list. Answers the place."""

    def __init__(self, nodes: list[GridNode], words: dict[int, str]) -> None:
        by_key = {str(node.pk): node for node in nodes}
        super().__init__(
            label=_("地点"),
            choices=[("", _("请选择")), *((str(pk), text) for pk, text in words.items())],
            coerce=lambda key: by_key[key],
            empty_value=None,
        )
