"""The forms of rules and of outside matters: each asks for one deed, the action has the last word."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.deeds import DeedForm
from grids.admin_places import place_field
from grids.models import GridNode, Level, NodeKind
from grids.policies import CountyScope
from partybuilding.admin.fields import unit_field
from partybuilding.pairing_deeds import version
from services import posts
from services.forms import RowsField
from services.models import Category, Desk, Origin, RouteMode, RouteTime
from services.selectors.routing import DEDICATED

HELPERS = 3
_NO_CHOICE = [("", lazy("不限"))]


class WordsField(forms.CharField):
    """Words separated by a comma of any kind, a space or a new line."""

    widget = forms.TextInput

    def prepare_value(self, value: Any) -> Any:
        return "、".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        return [word for word in re.split(r"[\s,，、;；]+", str(value or "")) if word]


def _words() -> WordsField:
    return WordsField(
        label=lazy("内容含有"),
        required=False,
        max_length=500,
        help_text=lazy("标题或内容里有其中一个词就算，词之间用顿号分开，例如：电梯、门禁。"),
    )


class _CountyForm(DeedForm):
    """Knows the county: the row's own, or the one in which the person keeps rules."""

    @property
    def county_ids(self) -> list[int]:
        if self.obj is not None:
            return [self.obj.county_id]
        held = policies.scopes(self.user, posts.MANAGE_ROUTING)
        return [scope.county_id for scope in held if isinstance(scope, CountyScope)]

    def _categories(self, label: Any, **kwargs: Any) -> RowsField:
        rows = Category.objects.filter(county_id__in=self.county_ids, is_active=True)
        return RowsField(queryset=rows, label=label, required=False, **kwargs)


class RuleForm(_CountyForm):
    name = forms.CharField(label=lazy("规则名称"), max_length=40, help_text=lazy("承办单位会看到，例如：小区事项。"))
    words = _words()
    time = forms.ChoiceField(label=lazy("登记时间"), choices=RouteTime.choices, widget=forms.RadioSelect, initial="any")
    desk = forms.ChoiceField(
        label=lazy("经办层级"),
        choices=[("", lazy("不改变")), *Desk.choices],
        required=False,
        help_text=lazy("由哪一级派单。只写这一项的规则，只作提示。"),
    )
    mode = forms.ChoiceField(
        label=lazy("方式"),
        choices=RouteMode.choices,
        widget=forms.RadioSelect,
        initial=RouteMode.SUGGEST,
        help_text=lazy("建议：派单时替经办人选好单位，由人确认。自动派单：社区一受理，系统就派出去；导入的除外。"),
    )
    is_active = forms.BooleanField(label=lazy("在用"), required=False, initial=True)

    def build(self) -> None:
        places = GridNode.objects.standing().filter(county_id__in=self.county_ids)
        levels = Level.objects.filter(county_id__in=self.county_ids).order_by("order")
        keys = [(level.key, level.name) for level in levels if level.key not in ("street", "community")]
        self.fields["categories"] = self._categories(_("类别"), help_text=_("不选就是所有类别。"))
        self.fields["node"] = place_field(places, label=_("地点范围"), required=False)
        self.fields["levels"] = forms.MultipleChoiceField(
            label=_("地点层级"),
            choices=[*keys, (DEDICATED, f"{NodeKind.DEDICATED.label}（园区、学校、市场）")],
            required=False,
            widget=forms.CheckboxSelectMultiple,
            help_text=_("地点在其中一种里面就算，例如在小区里。"),
        )
        self.fields["origins"] = forms.MultipleChoiceField(
            label=_("来源"), choices=Origin.choices, required=False, widget=forms.CheckboxSelectMultiple
        )
        self.fields["unit"] = unit_field(self.user, label=_("牵头单位"), required=False)
        for number in range(1, HELPERS + 1):
            label = _("配合单位 %(number)d") % {"number": number}
            self.fields[f"helper_{number}"] = unit_field(self.user, label=label, required=False, help_text="")
        self.fields["category"] = forms.ModelChoiceField(
            Category.objects.filter(county_id__in=self.county_ids, is_active=True),
            label=_("改为类别"),
            required=False,
            empty_label=_("不改"),
            help_text=_("改了类别以后，接着按那个类别的规则派；不能同时写单位。"),
        )
        self.order_fields(
            ["name", "categories", "node", "levels", "words", "origins", "time", "unit"]
            + [f"helper_{number}" for number in range(1, HELPERS + 1)]
            + ["category", "desk", "mode", "is_active", "version"]
        )
        if self.obj is not None:
            self.fields["version"] = version()
            supporting = dict(enumerate(self.obj.supporting.all(), start=1))
            self.initial = {
                **self.initial,
                "version": self.obj.version,
                "categories": [one.pk for one in self.obj.categories.all()],
                "levels": self.obj.levels,
                "origins": self.obj.origins,
                "words": self.obj.words,
                "node": self.obj.node,
                "unit": self.obj.unit,
                "category": self.obj.category_id,
                **{f"helper_{number}": unit for number, unit in supporting.items()},
            }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        helpers = [data.pop(f"helper_{number}", None) for number in range(1, HELPERS + 1)]
        data["supporting"] = list(dict.fromkeys(unit for unit in helpers if unit is not None))
        return data


class MatterForm(_CountyForm):
    name = forms.CharField(label=lazy("事项"), max_length=60, help_text=lazy("例如：违法建设拆除。"))
    basis = forms.CharField(
        label=lazy("依据"), max_length=200, required=False, help_text=lazy("文件名称和条目，社区照着说得清。")
    )
    words = _words()
    is_active = forms.BooleanField(label=lazy("在用"), required=False, initial=True)

    def build(self) -> None:
        self.fields["categories"] = self._categories(_("类别"), help_text=_("这些类别的需求都算。"))
        self.order_fields(["name", "basis", "categories", "words", "is_active", "version"])
        if self.obj is not None:
            self.fields["version"] = version()
            chosen = [one.pk for one in self.obj.categories.all()]
            self.initial = {**self.initial, "version": self.obj.version, "categories": chosen, "words": self.obj.words}
