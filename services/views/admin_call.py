"""A telephone call, written down by a cadre in one form: on its own page, and in short beside the desk."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import policies
from core.deeds import DeedForm
from grids.admin_places import place_field
from grids.models import GridNode
from services import posts
from services.actions import raise_demand
from services.forms import choose_by_text
from services.models import Category, Demand, Origin


class CallForm(DeedForm):
    """A telephone call, written down in one go. The action has the last word on everything in it."""

    text = forms.CharField(
        label=gettext_lazy("反映的事"),
        max_length=Demand._meta.get_field("text").max_length,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("什么事、在哪里、多久了。"),
    )
    contact_name = forms.CharField(label=gettext_lazy("来电人"), max_length=60, required=False)
    contact_phone = forms.CharField(
        label=gettext_lazy("联系电话"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "numeric", "autocomplete": "off"}),
    )
    # By telephone, unless the form was opened from something a cadre found.
    origin = forms.ChoiceField(
        choices=[(Origin.PHONE, ""), (Origin.CADRE, "")], initial=Origin.PHONE, required=False, widget=forms.HiddenInput
    )

    field_order = ["node", "category", "text", "contact_name", "contact_phone"]

    def build(self) -> None:
        places = GridNode.objects.standing().filter(
            policies.within(GridNode, self.user, posts.RAISE_DEMAND), community__isnull=False
        )
        self.fields["node"] = place_field(places.select_related("county__loop_settings", "level_type"))
        counties = {scope.county_id for scope in policies.scopes(self.user, posts.RAISE_DEMAND)}
        self.fields["category"] = forms.ModelChoiceField(
            Category.objects.filter(county_id__in=counties, is_active=True),
            label=_("类别"),
            empty_label=_("请选择"),
            help_text=_("拿不准可以先不选，填好内容点登记，系统按内容提示。"),
        )
        self.order_fields(self.field_order)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        node = data.get("node")
        choose_by_text(self, node.county_id if node is not None else None)
        return data


def register_call(*, actor: Any, obj: None, **data: Any) -> Demand:
    data["origin"] = data.get("origin") or Origin.PHONE
    return raise_demand(actor=actor, **data)
