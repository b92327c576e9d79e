"""The forms of what can be done to a place."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.deeds import CHOICE, DeedForm
from grids import posts
from grids.actions import NewPart
from grids.admin_places import place_field
from grids.models import GridNode, Level, NodeKind
from grids.naming import STREET
from grids.selectors import child_levels, managed_county

# Siblings and children that a form lists one by one; more are named by typing, or divided by the API.
LISTED = 400
PARTS = 3


def _places(user: Any, right: str) -> QuerySet[GridNode]:
    return GridNode.objects.standing().filter(policies.within(GridNode, user, right))


def _households(**kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(min_value=0, max_value=1_000_000, required=False, **{"label": lazy("户数"), **kwargs})


def _reason(*, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=lazy("理由"), max_length=500, required=required, widget=forms.Textarea(attrs={"rows": 2})
    )


class VersionedForm(DeedForm):
    """Knows which version of the place the person saw, and why they do it."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class FactsForm(VersionedForm):
    kind = forms.ChoiceField(label=lazy("网格类型"), choices=NodeKind.choices, required=False)
    address = forms.CharField(label=lazy("地址"), max_length=200, required=False)
    households = _households(help_text=lazy("网格以 300 到 500 户为宜。"))
    external_code = forms.CharField(
        label=lazy("外部编码"), max_length=40, required=False, help_text=lazy("省里另有编码的填在这里。")
    )
    reason = _reason()


class CreateForm(DeedForm):
    name = forms.CharField(label=lazy("名称"), max_length=60)
    code = forms.CharField(
        label=lazy("区划代码"), max_length=12, required=False, help_text=lazy("街道、社区可以填；不填由系统编排。")
    )
    kind = forms.ChoiceField(label=lazy("网格类型"), choices=NodeKind.choices, required=False)
    address = forms.CharField(label=lazy("地址"), max_length=200, required=False)
    households = _households()

    def build(self) -> None:
        parent = self.initial.get("parent")
        county = parent.county if parent else managed_county(self.user, posts.ADD_NODE)
        levels = child_levels(county, parent) if parent else Level.objects.filter(county=county).order_by("order")
        choices = [(level.key, level.name) for level in levels]
        if len(choices) != 1:
            choices.insert(0, ("", _("请选择")))
        self.fields["level"] = forms.ChoiceField(label=_("层级"), choices=choices)
        self.fields["parent"] = place_field(
            _places(self.user, posts.ADD_NODE).select_related("county"),
            label=_("上级"),
            required=False,
            help_text=_("新建街道不填；其他都要填所在的街道、社区或网格。"),
        )
        self.order_fields(["parent", "level", "name", "code", "kind", "address", "households"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not data.get("parent") and data.get("level") != STREET:
            self.add_error("parent", _("请填写上级。"))
        if data.get("parent") and data.get("level") == STREET:
            self.add_error("parent", _("街道直接属于县，不填上级。"))
        return data


class RenameForm(VersionedForm):
    name = forms.CharField(label=lazy("新名称"), max_length=60)
    reason = _reason()


class MoveForm(VersionedForm):
    reason = _reason()

    def build(self) -> None:
        places = _places(self.user, posts.ADD_NODE).exclude(pk=self.obj.pk)
        self.fields["parent"] = place_field(places, label=_("调整到哪个上级之下"))
        self.order_fields(["parent", "reason", "version"])


class WantedForm(VersionedForm):
    """Takes along what the person chose where there is a choice (`grids.hanging.Fate`), as `wanted`."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["wanted"] = {
            name.removeprefix(CHOICE): str(value) for name, value in self.data.items() if name.startswith(CHOICE)
        }
        return data


class RetireForm(WantedForm):
    reason = _reason(required=True)

    def build(self) -> None:
        self.fields["successor"] = place_field(
            _places(self.user, posts.ADD_NODE).exclude(pk=self.obj.pk),
            label=_("由谁承接"),
            required=False,
            help_text=_("挂在这里的需求、报到等转到承接者名下；没有承接者可以不填。"),
        )
        self.order_fields(["successor", "reason", "version"])


class MergeForm(WantedForm):
    """Other places into this one: neighbours by a tick, one from elsewhere by its name."""

    households = _households(label=lazy("合并后的户数"), help_text=lazy("不填就把各处的户数加起来。"))
    reason = _reason(required=True)

    def build(self) -> None:
        alike = _places(self.user, posts.MANAGE_NODE).filter(level_type=self.obj.level_type).exclude(pk=self.obj.pk)
        beside = alike.filter(parent=self.obj.parent, county=self.obj.county).order_by("lft")[: LISTED + 1]
        found = list(beside) if self.obj.parent_id else list(alike.filter(county=self.obj.county)[: LISTED + 1])
        self.neighbours = {str(node.pk): node for node in found[:LISTED]}
        if self.neighbours:
            self.fields["sources"] = forms.MultipleChoiceField(
                label=_("把哪些%(level)s并进来") % {"level": self.obj.level_type.name},
                choices=[(key, _named(node)) for key, node in self.neighbours.items()],
                widget=forms.CheckboxSelectMultiple,
                required=False,
            )
        if self.obj.parent_id:
            self.fields["other"] = place_field(
                alike,
                label=_("别处的%(level)s") % {"level": self.obj.level_type.name},
                required=not self.neighbours,
                help_text=_("不在同一个上级之下的，填名称中的几个字。"),
            )
        self.order_fields(["sources", "other", "households", "reason", "version"])

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        sources = [self.neighbours[key] for key in data.pop("sources", [])]
        other = data.pop("other", None)
        if other is not None and other not in sources:
            sources.append(other)
        if not sources and not self.errors:
            self.add_error(None, _("请选择要并入的%(level)s。") % {"level": self.obj.level_type.name})
        known = [node.households for node in (self.obj, *sources)]
        if data.get("households") is None:
            data.pop("households", None)
            if None not in known:
                data["households"] = sum(count for count in known if count is not None)
        return {**data, "sources": sources}


def _named(node: GridNode) -> str:
    if node.households is None:
        return node.name
    return _("%(name)s（%(count)d 户）") % {"name": node.name, "count": node.households}


class DivideWidget(forms.Widget):
    """A row of radios for each child: stays, or goes to the first, second, third new place."""

    use_fieldset = True
    rows: list[tuple[str, str]] = []
    columns: list[tuple[str, str]] = []

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str
    ) -> dict[str, str]:
        return {key: str(data.get(f"{name}-{key}") or "0") for key, _words in self.rows}

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return ""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> Any:
        chosen = value if isinstance(value, dict) else {}
        lines = format_html_join(
            "", "{}", ((self._line(name, key, words, chosen.get(key, "0")),) for key, words in self.rows)
        )
        return format_html('<ul class="divide">{}</ul>', lines)

    def _line(self, name: str, key: str, words: str, chosen: str) -> Any:
        radios = format_html_join(
            "",
            '<label><input type="radio" name="{}" value="{}"{}> <span>{}</span></label>',
            self._radios(f"{name}-{key}", chosen),
        )
        return format_html(
            '<li class="divide__row" role="group" aria-label="{}"><span class="divide__name">{}</span>'
            '<span class="divide__choices">{}</span></li>',
            words,
            words,
            radios,
        )

    def _radios(self, name: str, chosen: str) -> Iterator[tuple[Any, ...]]:
        for value, label in self.columns:
            yield name, value, mark_safe(" checked") if value == chosen else "", label


class DivideField(forms.Field):
    """Child key -> number of the new place to which it goes; 0 stays."""

    widget = DivideWidget

    def __init__(self, *, rows: list[tuple[str, str]], columns: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.widget.rows, self.widget.columns = rows, columns
        self.known = {value for value, _label in columns}

    def clean(self, value: Any) -> dict[str, int]:
        if any(number not in self.known for number in value.values()):
            raise ValidationError(_("请重新选择。"))
        return {key: int(number) for key, number in value.items()}


class SplitForm(VersionedForm):
    """One place into two, three or four: names and households of the new ones, and which child goes where."""

    households = _households(label=lazy("留下的户数"), help_text=lazy("不填保持不变。"))
    reason = _reason(required=True)

    def build(self) -> None:
        children = GridNode.objects.standing().filter(parent=self.obj).order_by("lft")
        self.children = {str(child.pk): child for child in children[:LISTED]}
        ordinals = [_("第一个"), _("第二个"), _("第三个")]
        for number, ordinal in enumerate(ordinals, start=1):
            self.fields[f"name_{number}"] = forms.CharField(
                label=_("%(ordinal)s新%(level)s的名称") % {"ordinal": ordinal, "level": self.obj.level_type.name},
                max_length=60,
                required=number == 1,
            )
            self.fields[f"households_{number}"] = _households(label=_("%(ordinal)s的户数") % {"ordinal": ordinal})
        if self.children:
            self.fields["divide"] = DivideField(
                label=_("下级划到哪里"),
                rows=[(key, _named(child)) for key, child in self.children.items()],
                columns=[("0", _("留在原处")), *((str(n), word) for n, word in enumerate(ordinals, start=1))],
                help_text="" if len(self.children) < LISTED else _("下级太多，这里只列前 %(n)d 个。") % {"n": LISTED},
            )
        parts = [f"{what}_{number}" for number in range(1, PARTS + 1) for what in ("name", "households")]
        self.order_fields([*parts, "divide", "households", "reason", "version"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        divided: dict[int, list[GridNode]] = {number: [] for number in range(PARTS + 1)}
        for key, number in data.pop("divide", {}).items():
            divided[number].append(self.children[key])
        parts = []
        for number in range(1, PARTS + 1):
            name, households = data.pop(f"name_{number}", ""), data.pop(f"households_{number}", None)
            if name:
                parts.append(NewPart(name, divided[number], households))
            elif divided[number] or households is not None:
                self.add_error(f"name_{number}", _("请填写名称。"))
        if data.get("households") is None:
            data.pop("households", None)
        return {**data, "parts": parts}
