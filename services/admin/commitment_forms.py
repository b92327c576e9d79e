"""The forms of promises: each asks for one deed, the action has the last word."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.deeds import DeedForm
from grids.admin_people import date_input
from grids.admin_places import place_field
from grids.models import GridNode
from partybuilding.admin.fields import unit_field
from partybuilding.pairing_deeds import version
from services import posts

_NO_NAMES = lazy("会在承诺公示里公开，写地方和事情，不写住户的姓名、电话。")


class _WhatForm(DeedForm):
    title = forms.CharField(label=lazy("承诺事项"), max_length=100, help_text=_NO_NAMES)
    measure = forms.CharField(
        label=lazy("完成标准"), max_length=200, help_text=lazy("怎样算完成，写得能核对，例如“12 盏灯都亮”。")
    )
    owner = forms.CharField(label=lazy("责任人"), max_length=60, help_text=lazy("单位里负责这件事的人，公示时不显示。"))
    due_on = forms.DateField(label=lazy("完成期限"), widget=date_input())


class MakeForm(_WhatForm):
    def build(self) -> None:
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_COMMITMENT))
        self.fields["unit"] = unit_field(self.user, label=_("承诺单位"))
        self.fields["node"] = place_field(places.filter(community__isnull=False), label=_("受益地点"))
        self.order_fields(["unit", "node", "title", "measure", "owner", "due_on"])


class ChangeForm(_WhatForm):
    version = version()


class ConfirmForm(DeedForm):
    version = version()


class ReasonForm(DeedForm):
    reason = forms.CharField(label=lazy("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    version = version()


class MoveForm(DeedForm):
    reason = forms.CharField(label=lazy("理由"), max_length=500, required=False)
    version = version()

    def build(self) -> None:
        help_text = _("接手单位要已经在受益地点报到。")
        self.fields["unit"] = unit_field(self.user, label=_("接手单位"), help_text=help_text)
        self.order_fields(["unit", "reason", "version"])
