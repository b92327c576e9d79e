"""Forms of small wishes, the same at the desk and on the phone.

None of them shows a name or a number that is stored: what is masked on the page is masked in the form, and an empty input
leaves it as it is.
"""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.deeds import DeedForm
from grids.admin_people import date_input
from grids.care_forms import place_choice
from grids.models import CareKind, ConsentKind, GridNode
from partybuilding.models import Unit
from services import posts
from services.actions.wish_moves import sides_of
from services.actions.wishes import FIELDS, WishFacts
from services.list_forms import VersionForm, text_area
from services.models import UnitCheckIn


class WishForm(DeedForm):
    """What is written down, in the order in which it is asked at the door."""

    title = forms.CharField(
        label=lazy("心愿"), max_length=60, help_text=lazy("一句话，例如“想要一辆轮椅”。不写姓名、电话、门牌。")
    )
    recipient_kind = forms.ChoiceField(label=lazy("困难类型"), choices=[("", lazy("请选择")), *CareKind.choices])
    recipient_name = forms.CharField(
        label=lazy("心愿人"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=lazy("只有社区知道。"),
    )
    recipient_phone = forms.CharField(
        label=lazy("联系电话"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=lazy("只有社区知道；没有可以不填。"),
    )
    consent = forms.ChoiceField(
        label=lazy("同意方式"),
        choices=ConsentKind.choices,
        widget=forms.RadioSelect,
        help_text=lazy("没有本人或监护人的同意不能征集。残疾、儿童方面的要书面同意。"),
    )
    cost = forms.IntegerField(
        label=lazy("预计费用（元）"),
        min_value=0,
        max_value=1_000_000,
        initial=0,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=lazy("大致估计；不花钱的填 0。"),
    )
    text = text_area(
        lazy("说明"), limit=300, required=False, help_text=lazy("尺码、用途等，可以不填。不写姓名、电话、门牌。")
    )

    def clean(self) -> dict[str, Any]:
        """What was typed as `facts`, and the inputs that are none."""
        data = super().clean() or {}
        if self.errors:
            return data
        said = {name: self.stated(name, data.pop(name)) for name in FIELDS}
        return {**data, "facts": WishFacts(**said)}

    def stated(self, name: str, value: Any) -> Any:
        return value


class CollectForm(WishForm):
    def build(self) -> None:
        within = policies.within(GridNode, self.user, posts.COLLECT_WISH)
        rows = GridNode.objects.standing().filter(within, community__isnull=False)
        self.fields["node"] = place_choice(rows)
        self.fields["node"].label = _("住在哪里")
        self.fields["node"].help_text = _("选到楼栋就可以，只有社区知道。")
        self.order_fields(["title", "recipient_kind", "node"])


class ChangeForm(WishForm):
    drop_phone = forms.BooleanField(label=lazy("删去登记的电话"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def build(self) -> None:
        self.fields["recipient_name"].required = False
        self.fields["recipient_name"].help_text = _("现在是 %(name)s，不改可以不填。") % {"name": self.obj.masked_name}
        shown = self.obj.masked_phone or _("没有电话")
        self.fields["recipient_phone"].help_text = _("现在是 %(phone)s，不改可以不填。") % {"phone": shown}
        for name in ("title", "text", "recipient_kind", "consent", "cost", "version"):
            self.fields[name].initial = getattr(self.obj, name)
        order = ["title", "recipient_kind", "recipient_name", "recipient_phone", "drop_phone"]
        self.order_fields(order)

    def stated(self, name: str, value: Any) -> Any:
        """An input left empty says what stands."""
        if name == "recipient_phone" and self.cleaned_data.get("drop_phone"):
            return ""
        return value or getattr(self.obj, name) if name in ("recipient_name", "recipient_phone") else value

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        data.pop("drop_phone", None)
        return data


class ReasonForm(VersionForm):
    reason = text_area(lazy("理由"), limit=300)

    def build(self) -> None:
        self.order_fields(["reason"])


class AdoptForm(VersionForm):
    """For whom is asked only where there is a choice."""

    def build(self) -> None:
        units, member = sides_of(self.user, self.obj)
        self.sides: dict[str, Unit | None] = {"self": None} if member is not None else {}
        self.sides |= {str(unit.pk): unit for unit in units}
        if len(self.sides) > 1:
            words = [(key, unit.label if unit is not None else _("我本人")) for key, unit in self.sides.items()]
            self.fields["side"] = forms.ChoiceField(label=_("以谁的名义"), choices=words, widget=forms.RadioSelect)
            self.order_fields(["side"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        side = data.pop("side", next(iter(self.sides), ""))
        data["unit"] = self.sides.get(side)
        return data


class AskForm(VersionForm):
    def build(self) -> None:
        held = UnitCheckIn.objects.current().filter(node__community=self.obj.community_id)
        units = Unit.objects.active().filter(pk__in=held.values("unit_id")).order_by("name")
        self.fields["unit"] = forms.ModelChoiceField(
            label=_("单位"),
            queryset=units,
            empty_label=_("请选择"),
            help_text=_("在本社区报到的单位。单位的联络员会收到通知，愿不愿意由单位决定。"),
        )
        self.order_fields(["unit"])


class FinishForm(VersionForm):
    text = text_area(lazy("送了什么"), limit=300, help_text=lazy("例如“送去轮椅一辆”。不写心愿人的姓名和住处。"))
    done_on = forms.DateField(label=lazy("哪天送到社区"), widget=date_input(), initial=timezone.localdate)

    def build(self) -> None:
        order = ["text", "done_on"]
        if self.obj.member_id is not None:
            self.fields["hours"] = forms.DecimalField(
                label=_("用了多少小时"),
                min_value=0,
                max_value=24,
                decimal_places=1,
                widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "0.5"}),
                help_text=_("由您自己填，例如 1.5；记入您的服务记录，由社区确认。"),
            )
            order.append("hours")
        self.order_fields(order)


class ThankForm(VersionForm):
    thanks = text_area(
        lazy("答谢的话"),
        limit=300,
        required=False,
        help_text=lazy("心愿人说的话，转达给认领人；没有可以不填。不写姓名。"),
    )

    def build(self) -> None:
        self.order_fields(["thanks"])


class RevealForm(DeedForm):
    reason = forms.CharField(
        label=lazy("查看理由"), max_length=200, help_text=lazy("例如“约送轮椅的时间”。会记入日志，不写姓名。")
    )
