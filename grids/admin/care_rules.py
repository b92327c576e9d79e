"""The form by which a county sets how often it visits."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.deeds import DeedForm
from grids.care import CADENCE, MOST_DAYS, MOST_MONTHS
from grids.care_selectors import cadence_of
from grids.models import CareKind
from grids.posts import MANAGE_COUNTY
from grids.selectors import managed_county


class CareRulesForm(DeedForm):
    """One input a need, called as the need is, and `months`."""

    months = forms.IntegerField(
        label=lazy("登记有效期（月）"),
        min_value=1,
        max_value=MOST_MONTHS,
        help_text=lazy("核实以后管多久，最长 12 个月。"),
    )

    def build(self) -> None:
        county = managed_county(self.user, MANAGE_COUNTY)
        self.fields["months"].initial = county.care_months
        cadence: dict[str, Any] = cadence_of(county.pk)
        for kind, label in CareKind.choices:
            self.fields[kind] = forms.IntegerField(
                label=_("%(need)s：几天走访一次") % {"need": label},
                min_value=1,
                max_value=MOST_DAYS,
                initial=cadence[kind],
                help_text=_("默认 %(days)d 天。") % {"days": CADENCE[CareKind(kind)]},
            )
