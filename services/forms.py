"""Forms of the loop. The form of a move is drawn from its row in the workflow table: one for every face."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from core.errors import Invalid
from core.workflow import Input
from services import selectors
from services.models import Demand, SubOrder
from services.selectors import Action


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Several pictures in one input. The action checks and cleans them."""

    widget = ManyFilesInput(attrs={"accept": "image/*"})

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        items = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(PhotosField, self).clean(item, initial) for item in items]


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


class UnitChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class MoveForm(forms.Form):
    """The inputs of one move on one object, for one user. `cleaned_data` is what `services.actions.move` takes.

    Args:
        action: the button that was pressed, from `selectors.actions_of`.
        user: whose units and people fill the choices.
    """

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, action: Action, user: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {}).setdefault("version", action.version)
        super().__init__(*args, **kwargs)
        self.action, self.user = action, user
        for item in action.row.inputs:
            field = _BUILDERS[item.kind](item, action.target, user)
            field.label, field.help_text, field.required = item.label, item.help, item.required
            self.fields[item.name] = field

    @classmethod
    def from_json(cls, data: Any, files: Any, *, action: Action, user: Any) -> dict[str, Any]:
        """The inputs of a move from an API request. What is required is left to the workflow engine.

        Raises `Invalid` naming each field that can not be read.
        """
        form = cls(data, files, action=action, user=user)
        for field in form.fields.values():
            field.required = False
        if not form.is_valid():
            fields = {name: " ".join(map(str, texts)) for name, texts in form.errors.items()}
            raise Invalid(str(_("提交的内容有误，请按提示修改。")), fields=fields)
        return form.move_data()

    def move_data(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


def _text(item: Input, target: Any, user: Any) -> forms.Field:
    return forms.CharField(max_length=item.max_length, widget=forms.Textarea(attrs={"rows": 4}))


def _line(item: Input, target: Any, user: Any) -> forms.Field:
    return forms.CharField(max_length=item.max_length)


def _choice(item: Input, target: Any, user: Any) -> forms.Field:
    return forms.ChoiceField(choices=item.choices, widget=forms.RadioSelect)


def _flag(item: Input, target: Any, user: Any) -> forms.Field:
    return forms.BooleanField()


def _date(item: Input, target: Any, user: Any) -> forms.Field:
    return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


def _photos(item: Input, target: Any, user: Any) -> forms.Field:
    return PhotosField()


def _demand(target: Any) -> Demand:
    if isinstance(target, Demand):
        return target
    return target.demand if isinstance(target, SubOrder) else target.suborder.demand


def _unit(item: Input, target: Any, user: Any) -> forms.Field:
    units = selectors.units_to_dispatch(target) if item.required else selectors.units_to_claim(user, target)
    return UnitChoice(queryset=units, empty_label=_("请选择"))


def _units(item: Input, target: Any, user: Any) -> forms.Field:
    return forms.ModelMultipleChoiceField(
        queryset=selectors.units_to_dispatch(target), widget=forms.CheckboxSelectMultiple
    )


def _members(item: Input, target: Any, user: Any) -> forms.Field:
    return forms.ModelMultipleChoiceField(
        queryset=selectors.members_to_assign(target), widget=forms.CheckboxSelectMultiple
    )


def _category(item: Input, target: Any, user: Any) -> forms.Field:
    demand = _demand(target)
    return forms.ModelChoiceField(
        queryset=selectors.categories_for(demand.county_id),
        initial=demand.category_id,
        empty_label=_("不调整"),
    )


def _matter(item: Input, target: Any, user: Any) -> forms.Field:
    return MatterField(max_length=20)


_BUILDERS = {
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
}
