"""The forms of pairings: each asks for one deed, the action has the last word."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.deeds import DeedForm
from core.errors import DomainError
from core.forms import add_domain_error
from grids.admin_people import date_input
from grids.admin_places import place_field
from grids.models import County, GridNode
from grids.posts import MANAGE_COUNTY
from grids.selectors import managed_county
from partybuilding.actions.pairing_guides import MOST
from partybuilding.admin.fields import unit_field
from partybuilding.models import Pairing, PairingKind
from partybuilding.pairing_deeds import NO_NAMES, version, words
from partybuilding.pairing_kinds import KINDS, Holder
from partybuilding.posts import MANAGE_PAIRING
from partybuilding.selectors import guides_of, named_person


def _reason(**kwargs: Any) -> forms.CharField:
    return forms.CharField(label=lazy("理由"), max_length=500, **kwargs)


class HolderForm(DeedForm):
    """Who looks after the place: a unit that is looked up, or a person who is named."""

    name = forms.CharField(
        label=lazy("姓名"), max_length=60, required=False, help_text=lazy("县级领导包联、干部包联要填。人要先有账号。")
    )
    phone = forms.CharField(
        label=lazy("手机号码"),
        max_length=30,
        required=False,
        help_text=lazy("有同名的人时要填。"),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )

    def holder_fields(self) -> None:
        help_text = _("部门包抓要填：单位名称或简称中的几个字。")
        self.fields["unit"] = unit_field(self.user, required=False, help_text=help_text)

    def find_holder(self, kind: str, county: County | None) -> dict[str, Any]:
        """Puts `unit` or `user` into the data, by what the kind wants, and takes name and telephone out."""
        data = self.cleaned_data
        name, phone = data.pop("name", ""), data.pop("phone", "")
        if KINDS[kind].holder is Holder.UNIT:
            if not data.get("unit") and "unit" not in self.errors:
                self.add_error("unit", _("请填写单位。"))
            return data
        data["unit"] = None
        if county is not None:
            try:
                data["user"] = named_person(county, name, phone)
            except DomainError as error:
                add_domain_error(self, error)
        return data


class StartForm(HolderForm):
    kind = forms.ChoiceField(
        label=lazy("包联类型"),
        choices=PairingKind.choices,
        widget=forms.RadioSelect,
    )
    duty = forms.CharField(label=lazy("包联职责"), max_length=200, required=False)
    start = forms.DateField(label=lazy("开始日期"), initial=timezone.localdate, widget=date_input())

    def build(self) -> None:
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, MANAGE_PAIRING))
        self.fields["node"] = place_field(places.select_related("county", "level_type"), label=_("包联地点"))
        self.holder_fields()
        self.order_fields(["kind", "node", "unit", "name", "phone", "duty", "start"])

    def clean(self) -> dict[str, Any]:
        super().clean()
        kind = self.cleaned_data.get("kind")
        node = self.cleaned_data.get("node")
        return self.find_holder(kind, node.county if node else None) if kind else self.cleaned_data


class HandOverForm(HolderForm):
    day = forms.DateField(
        label=lazy("交接日期"),
        initial=timezone.localdate,
        widget=date_input(),
        help_text=lazy("原来的到这一天为止，新的从这一天开始。"),
    )
    reason = _reason(required=False)
    version = version()

    def build(self) -> None:
        if KINDS[self.obj.kind].holder is Holder.UNIT:
            self.fields["unit"] = unit_field(self.user, label=_("由哪个单位接手"))
            del self.fields["name"], self.fields["phone"]
        else:
            self.fields["name"].label = _("由谁接手")
            self.fields["name"].required = True
            self.fields["name"].help_text = _("人要先有账号。")
        self.order_fields(["unit", "name", "phone", "day", "reason", "version"])

    def clean(self) -> dict[str, Any]:
        super().clean()
        return self.cleaned_data if self.errors else self.find_holder(self.obj.kind, self.obj.county)


class DutyForm(DeedForm):
    duty = forms.CharField(label=lazy("包联职责"), max_length=200, required=False)
    start = forms.DateField(label=lazy("开始日期"), widget=date_input())
    version = version()


class EndForm(DeedForm):
    end = forms.DateField(
        label=lazy("结束日期"), initial=timezone.localdate, widget=date_input(), help_text=lazy("当天仍然有效。")
    )
    reason = _reason(required=False)
    version = version()


class CorrectVisitForm(DeedForm):
    visited_on = forms.DateField(label=lazy("走访日期"), widget=date_input())
    text = words(lazy("做了什么"), help_text=NO_NAMES)
    version = version()


class ProblemForm(DeedForm):
    found_on = forms.DateField(label=lazy("发现日期"), initial=timezone.localdate, widget=date_input())
    text = words(lazy("问题"), help_text=NO_NAMES)


class CorrectProblemForm(DeedForm):
    found_on = forms.DateField(label=lazy("发现日期"), widget=date_input())
    text = words(lazy("问题"), help_text=NO_NAMES)
    solution = words(lazy("解决情况"))
    solved_on = forms.DateField(label=lazy("解决日期"), widget=date_input())
    version = version()

    def build(self) -> None:
        if not self.obj.is_solved:
            del self.fields["solution"], self.fields["solved_on"]


class ReopenForm(DeedForm):
    reason = _reason()
    version = version()


class GuidesForm(DeedForm):
    """For each kind: how far the county pairs, and how many places one should have at most."""

    def build(self) -> None:
        self.county = managed_county(self.user, MANAGE_COUNTY)
        names = dict(self.county.levels.order_by("order").values_list("key", "name"))
        for key, guide in guides_of(self.county).items():
            levels = [(level, names[level]) for level in names if level in guide.kind.levels]
            self.fields[f"{key}_level"] = forms.ChoiceField(
                label=_("%(kind)s：每个都要有") % {"kind": guide.kind.label},
                choices=[("", _("不要求")), *levels],
                required=False,
                initial=guide.level,
            )
            self.fields[f"{key}_most"] = forms.IntegerField(
                label=_("%(kind)s：最多几处") % {"kind": guide.kind.label},
                min_value=1,
                max_value=MOST,
                initial=guide.most,
                help_text=_("超过的只作提示，不影响登记。"),
            )


def is_open(row: Pairing) -> bool:
    return row.end is None
