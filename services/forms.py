"""Forms of the loop. The form of a move is drawn from its row in the workflow table: one for every face."""

import datetime
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.codes import parse_follow_code
from core.errors import DomainError, Invalid
from core.forms import PhotosField, add_domain_error
from core.lookups import NamesWidget
from core.prepared import Prepared
from core.workflow import Input
from grids.models import County, GridNode
from partybuilding.models import Unit
from partybuilding.unit_names import UnitNames
from services.models import Category, Demand, SubOrder
from services.models.demand import Desk
from services.reach import county_units
from services.selectors import loop as selectors
from services.selectors.loop import Action
from services.suggesting import suggest

_TOO_LONG = _("最多 %(limit_value)d 字，现在有 %(show_value)d 字，请删减后再提交。")


# An input of a move, the object it is made on, who makes it -> the field that asks for it.
Builder = Callable[[Input, Any, Any], forms.Field]


class MatterField(forms.CharField):
    """A demand named by its code. It need only exist here: the move's effect says whether it will do."""

    def clean(self, value: Any) -> Demand | None:
        code = super().clean(value).strip()
        if not code:
            return None
        found = Demand.objects.filter(code=code).first()
        if found is None:
            raise forms.ValidationError(_("没有编号为“%(code)s”的需求。") % {"code": code})
        return found


class DayField(forms.DateField):
    """A day. A program may send something else than text; that is no day, and no fault of ours."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def to_python(self, value: Any) -> datetime.date | None:
        if value in self.empty_values or isinstance(value, datetime.date):
            return super().to_python(value)
        return super().to_python(str(value))


class MomentField(forms.DateTimeField):
    """A day and an hour. What a program sends may be no text, as for a day."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime.datetime | None:
        if value in self.empty_values or isinstance(value, datetime.datetime):
            return super().to_python(value)
        return super().to_python(str(value))


class PlaceChoice(forms.ModelChoiceField):
    """One of the communities listed; a program may name any place inside one of them by its code."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.parent.name} {obj.name}" if obj.parent else str(obj.name)

    def to_python(self, value: Any) -> Any:
        code = str(value or "").strip()
        if re.fullmatch(r"[0-9]{12,40}", code):
            assert self.queryset is not None
            inside = GridNode.objects.standing().filter(community__in=self.queryset.order_by().values("pk"), code=code)
            found = inside.select_related("community").first()
            if found is None:
                raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
            return found
        if code and not re.fullmatch(r"[0-9]{1,11}", code):
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().to_python(value)

    def validate(self, value: Any) -> None:
        forms.Field.validate(self, value)


def unit_words(unit: Any) -> str:
    """A unit to choose. The firm that runs the compound (`services.reach`) says so."""
    return f"{unit.name}（{_('本小区物业')}）" if getattr(unit, "runs_here", False) else str(unit.name)


class RowsField(forms.ModelMultipleChoiceField):
    """Several rows by their numbers. A number no row can have is refused before the database is asked for it."""

    widget: type[forms.Widget] = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> Any:
        for key in value if isinstance(value, list | tuple) else ():
            if not re.fullmatch(r"[0-9]{1,18}", str(key)):
                message = self.error_messages["invalid_pk_value"]
                raise forms.ValidationError(message, code="invalid_pk_value", params={"pk": str(key)[:20]})
        return super().clean(value)


class UnitChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return unit_words(obj)


class UnitsField(RowsField):
    def label_from_instance(self, obj: Any) -> str:
        return unit_words(obj)


class UnitsByName(RowsField):
    """Several units of a county, each by its full or short name, in the order written: there are too many to tick."""

    widget = NamesWidget

    def __init__(self, *, county: County, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("一行填一个单位，填全称或简称；填几个字，会提示单位名称。"))
        super().__init__(**kwargs)
        self.county = county

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)

    def prepare_value(self, value: Any) -> Any:
        """Names as they were written; rows that the form starts with, by their names."""
        if not isinstance(value, list | tuple):
            return super().prepare_value(value)
        keys = [one for one in value if isinstance(one, int)]
        names = dict(self.queryset.filter(pk__in=keys).values_list("pk", "name")) if keys else {}  # type: ignore[union-attr]
        return [names.get(one, one) for one in value if not isinstance(one, int) or one in names]

    def clean(self, value: Any) -> Any:
        names = UnitNames(self.county)
        found: dict[Unit, None] = {}
        faults = []
        for line in value or ():
            try:
                found.update(dict.fromkeys(names.several(line)))
            except DomainError as error:
                faults.append(error.message)
        if faults:
            raise forms.ValidationError(faults)
        if self.required and not found:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return list(found)


class UnitNumber(forms.IntegerField):
    """A unit in use of the county by its number, as programs name it. Whether it can be given the matter, the move says."""

    def __init__(self, *, county_id: int, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=10**18, **kwargs)
        self.county_id = county_id

    def clean(self, value: Any) -> Unit | None:
        number = super().clean(value)
        if number is None:
            return None
        found: Unit | None = _UNIT.one(number, self.county_id)
        if found is None:
            raise forms.ValidationError(_("请填写本县在用的单位。"), code="invalid_choice")
        return found


_UNIT = Prepared(lambda pk, county: Unit.objects.active().filter(pk=pk, county_id=county).order_by(), int, int)


class MoveForm(forms.Form):
    """The inputs of one move on one object, for one user. `cleaned_data` is what `services.actions.move` takes.

    Args:
        action: the button that was pressed, from `selectors.actions_of`.
        user: whose units and people fill the choices.
        builders: what asks for an input, by its kind; `only`: the inputs to ask for, all when not given.
    """

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        action: Action,
        user: Any,
        builders: Mapping[str, Builder] | None = None,
        only: Collection[str] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("initial", {}).setdefault("version", action.version)
        super().__init__(*args, **kwargs)
        self.action, self.user = action, user
        for item in action.row.inputs:
            if only is not None and item.name not in only:
                continue
            field = (builders or _BUILDERS)[item.kind](item, action.target, user)
            field.label, field.required = item.label, item.required
            field.help_text = item.help or field.help_text
            field.error_messages["required"] = _("请填写“%(label)s”。") % {"label": item.label}
            if isinstance(field, forms.CharField):
                field.error_messages["max_length"] = _TOO_LONG
            self.fields[item.name] = field

    @classmethod
    def from_json(cls, data: Any, files: Any, *, action: Action, user: Any) -> dict[str, Any]:
        """The inputs of a move from an API request. What is required is left to the workflow engine.

        Raises `Invalid` naming each field that can not be read.
        """
        given = {*data, *files}
        form = cls(data, files, action=action, user=user, builders=_BY_NUMBER, only=given)
        for field in form.fields.values():
            field.required = False
        if not form.is_valid():
            fields = {name: " ".join(map(str, texts)) for name, texts in form.errors.items()}
            raise Invalid(str(_("提交的内容有误，请按提示修改。")), fields=fields)
        return form.move_data()

    def move_data(self) -> dict[str, Any]:
        """What the move is given. Rows come as a list: the workflow engine knows an empty list for a missing input."""
        said = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        return {name: list(value) if isinstance(value, QuerySet) else value for name, value in said.items()}


def _text(item: Input, target: Any, user: Any) -> forms.Field:
    return forms.CharField(max_length=item.max_length, widget=forms.Textarea(attrs={"rows": 4}))


def _line(item: Input, target: Any, user: Any) -> forms.Field:
    return forms.CharField(max_length=item.max_length)


def _choice(item: Input, target: Any, user: Any) -> forms.Field:
    return forms.ChoiceField(choices=item.choices, widget=forms.RadioSelect)


def _flag(item: Input, target: Any, user: Any) -> forms.Field:
    return forms.BooleanField()


def _date(item: Input, target: Any, user: Any) -> forms.Field:
    return DayField()


def _photos(item: Input, target: Any, user: Any) -> forms.Field:
    return PhotosField()


def _demand(target: Any) -> Demand:
    if isinstance(target, Demand):
        return target
    return target.demand if isinstance(target, SubOrder) else target.suborder.demand


def _unit(item: Input, target: Any, user: Any) -> forms.Field:
    units = selectors.units_to_dispatch(target, user) if item.required else selectors.units_to_claim(user, target)
    return UnitChoice(queryset=units, empty_label=_("请选择"))


def _units(item: Input, target: Any, user: Any) -> forms.Field:
    units, demand = selectors.units_to_dispatch(target, user), _demand(target)
    if demand.desk == Desk.COMMUNITY:
        return UnitsField(queryset=units)
    return UnitsByName(county=demand.county, queryset=units)  # a street's, a county's: too many to tick


def _county_unit(item: Input, target: Any, user: Any) -> forms.Field:
    return UnitChoice(queryset=county_units(_demand(target)), empty_label=_("不指定"))


def _county_units(item: Input, target: Any, user: Any) -> forms.Field:
    demand = _demand(target)
    return UnitsByName(county=demand.county, queryset=county_units(demand))


def _place(item: Input, target: Any, user: Any) -> forms.Field:
    return PlaceChoice(queryset=selectors.places_to_transfer(_demand(target)), empty_label=_("请选择"))


def _moment(item: Input, target: Any, user: Any) -> forms.Field:
    return MomentField()


def _members(item: Input, target: Any, user: Any) -> forms.Field:
    return RowsField(queryset=selectors.members_to_assign(target))


def _category(item: Input, target: Any, user: Any) -> forms.Field:
    demand = _demand(target)
    return forms.ModelChoiceField(
        queryset=selectors.categories_for(demand.county_id),
        initial=demand.category_id,
        empty_label=_("不调整"),
    )


def _matter(item: Input, target: Any, user: Any) -> forms.Field:
    return MatterField(max_length=20)


_BUILDERS: dict[str, Builder] = {
    "text": _text,
    "line": _line,
    "choice": _choice,
    "flag": _flag,
    "date": _date,
    "photos": _photos,
    "unit": _unit,
    "units": _units,
    "members": _members,
    "category": _category,
    "matter": _matter,
    "county_unit": _county_unit,
    "county_units": _county_units,
    "place": _place,
    "moment": _moment,
}


def _unit_number(item: Input, target: Any, user: Any) -> forms.Field:
    return UnitNumber(county_id=_demand(target).county_id)


def _unit_numbers(item: Input, target: Any, user: Any) -> forms.Field:
    return RowsField(queryset=county_units(_demand(target)))


# Programs name units by their numbers: no list of those that would do is drawn up for them.
_BY_NUMBER = _BUILDERS | {
    "unit": _unit_number,
    "units": _unit_numbers,
    "county_unit": _unit_number,
    "county_units": _unit_numbers,
}


def choose_by_text(form: forms.Form, county_id: int | None) -> None:
    """Where no category was chosen, chooses the one the text speaks for and says so: the next touch takes it.

    Nothing is taken without a person: the form comes back with the choice made, and with the words that led to it.
    """
    text = form.cleaned_data.get("text")
    if county_id is None or not text or form.data.get("category"):
        return
    [found] = suggest(county_id, [text])
    rows: Any = form.fields["category"]
    category = rows.queryset.filter(pk=found[0].category_id).first() if found else None
    if category is None:
        return
    form.data = form.data.copy()  # type: ignore[attr-defined]
    form.data["category"] = str(category.pk)  # type: ignore[index]
    words = {"name": category.name, "words": "、".join(found[0].words)}
    form.errors.pop("category", None)
    message = _("没有选类别。可能是“%(name)s”，因为提到：%(words)s。已替您选上，对的话再点一次提交，不对请另选。")
    form.add_error("category", message % words)


class RaiseForm(forms.Form):
    """A new demand in the words of a resident or a keeper. The action has the last word on everything in it.

    `once` names this form: the same words sent twice under it make one demand (`raise_demand`). `county_id`: where the
    category is suggested from the text when none was chosen; for a keeper or cadre, not for a resident.
    """

    category = forms.ModelChoiceField(
        label=_("类别"),
        queryset=Category.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": _("请选一个类别。"), "invalid_choice": _("这个类别已停用，请另选一个。")},
    )
    text = forms.CharField(
        label=_("说说情况"),
        help_text=_("在哪里、什么事、多久了。"),
        max_length=Demand._meta.get_field("text").max_length,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("请写几句话说说情况。"), "max_length": _TOO_LONG},
    )
    photos = PhotosField(label=_("照片"), required=False, help_text=_("可不传；最多 6 张。"))
    contact_phone = forms.CharField(
        label=_("联系电话"),
        help_text=_("留下电话，社区才好联系您；只用于办这件事，不会公开。"),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "numeric", "autocomplete": "tel"}),
    )
    contact_name = forms.CharField(
        label=_("怎么称呼"), required=False, max_length=60, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    once = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput, initial=secrets.token_urlsafe)

    def __init__(self, *args: Any, categories: Any, county_id: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.county_id = county_id
        self.fields["category"].queryset = categories  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        choose_by_text(self, self.county_id)
        return data

    def clean_contact_phone(self) -> str:
        # 138 1234 5678 as the phone's own address book pastes it.
        return "".join(char for char in self.cleaned_data["contact_phone"] if not char.isspace() and char != "-")


class OrderForm(RaiseForm):
    """What a resident fills in, without an account."""

    # People never see it; a robot fills in whatever it finds.
    website = forms.CharField(label=_("网址（请留空）"), required=False, max_length=200)

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise forms.ValidationError(_("这一栏是防机器人用的，请清空后再提交。"))
        return ""


class CodeForm(forms.Form):
    """A follow-up code as somebody types it in."""

    code = forms.CharField(
        label=_("查询码"),
        help_text=_("点单后得到的 12 位数字。"),
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "placeholder": "0000 0000 0000"}),
    )

    def clean_code(self) -> str:
        try:
            return parse_follow_code(self.cleaned_data["code"])
        except DomainError as error:
            raise forms.ValidationError(error.message) from error


class RevealForm(forms.Form):
    """Why somebody looks at a resident's contact: a common reason in one touch, or one's own words."""

    REASONS = (
        ("call", _("联系居民，了解情况")),
        ("visit", _("上门前约时间")),
        ("answer", _("告知办理结果")),
        ("other", _("其他（请写明）")),
    )

    why = forms.ChoiceField(label=_("为什么查看"), choices=REASONS, widget=forms.RadioSelect)
    note = forms.CharField(label=_("补充说明"), required=False, max_length=150)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("why") == "other" and not data.get("note"):
            self.add_error("note", _("请写明理由。"))
        return data

    @property
    def reason(self) -> str:
        """The words for the audit trail."""
        why, note = self.cleaned_data["why"], self.cleaned_data["note"]
        words = "" if why == "other" else str(dict(self.REASONS)[why])
        return "；".join(text for text in (words, note) if text)


def show_refusal(form: forms.Form, error: DomainError) -> None:
    """Puts an action's refusal into the form it came from: beside its field, or on top."""
    about_photos = "photos" in error.fields or (not error.fields and error.code.startswith(("photo", "file_")))
    if about_photos and "photos" in form.fields:
        form.add_error("photos", error.message)
    else:
        add_domain_error(form, error)
