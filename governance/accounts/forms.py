"""The forms by which an administrator lets people in. Each calls one action; a refusal comes back beside its field."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from core.forms import add_domain_error
from core.models import User
from governance.accounts.actions import create_cadre_account, create_liaison_account, create_member_account
from grids.actions import GivenAccount
from grids.models import County, GridNode
from grids.posts import COUNTY, POSTS
from grids.resources.posts import posts_of
from partybuilding.models import PartyOrganisation, Unit, UnitRole

PlaceField = Callable[..., forms.Field]


class PersonForm(forms.Form):
    """What every account begins with. `county` is where the administrator makes accounts."""

    name = forms.CharField(label=_("姓名"), max_length=60)
    phone = forms.CharField(
        label=_("手机号码"),
        max_length=30,
        help_text=_("11 位手机号码，就是登录名。已有账号的人只增加职务，密码不变。"),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, county: County, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.county = county

    def save(self, actor: User) -> GivenAccount | None:
        """Makes the account, or puts the refusal into the form and returns None."""
        try:
            return self._give(actor)
        except DomainError as error:
            add_domain_error(self, error)
            return None

    def _give(self, actor: User) -> GivenAccount:
        raise NotImplementedError


class CadreForm(PersonForm):
    """A cadre or keeper with a post. The place is asked for unless the post is the county's."""

    post = forms.ChoiceField(label=_("岗位"))
    start = forms.DateField(label=_("任职日期"), required=False, help_text=_("不填就是今天。"))

    def __init__(self, *args: Any, county: County, place: PlaceField, **kwargs: Any) -> None:
        """Args:
        place: makes the field for one place out of given rows (`grids.admin_places.place_field`).
        """
        super().__init__(*args, county=county, **kwargs)
        rows = GridNode.objects.standing().filter(county=county).select_related("level_type", "county")
        self.fields["place"] = place(rows, label=_("任职地"), required=False, help_text=_("县级岗位不填。"))
        choices: list[tuple[str, str | Promise]] = [("", _("请选择岗位"))]
        self.fields["post"].choices = choices + [  # type: ignore[attr-defined]
            (key, label) for label, key in posts_of(county).items()
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        post = POSTS.get(data.get("post", ""))
        if post is not None and "place" in data:
            if post.levels == (COUNTY,):
                if data["place"] is not None:
                    self.add_error("place", _("县级岗位不用填任职地。"))
            elif data["place"] is None:
                self.add_error("place", _("请填写任职地。"))
        return data

    def _give(self, actor: User) -> GivenAccount:
        data = self.cleaned_data
        return create_cadre_account(
            actor=actor,
            phone=data["phone"],
            name=data["name"],
            post=data["post"],
            place=data["place"] or self.county,
            start=data["start"],
        )


class LiaisonForm(PersonForm):
    """Somebody who acts for a unit."""

    unit = forms.ModelChoiceField(label=_("单位"), queryset=Unit.objects.none(), empty_label=_("请选择单位"))
    role = forms.ChoiceField(label=_("角色"), choices=UnitRole.choices, initial=UnitRole.LIAISON)

    def __init__(self, *args: Any, county: County, **kwargs: Any) -> None:
        super().__init__(*args, county=county, **kwargs)
        self.fields["unit"].queryset = Unit.objects.active().filter(county=county)  # type: ignore[attr-defined]

    def _give(self, actor: User) -> GivenAccount:
        data = self.cleaned_data
        return create_liaison_account(
            actor=actor, phone=data["phone"], name=data["name"], unit=data["unit"], role=data["role"]
        )


class MemberForm(PersonForm):
    """A party member, registered along with the account when the county does not know them yet."""

    unit = forms.ModelChoiceField(label=_("单位"), queryset=Unit.objects.none(), required=False)
    branch = forms.ModelChoiceField(label=_("支部"), queryset=PartyOrganisation.objects.none(), required=False)

    def __init__(self, *args: Any, county: County, **kwargs: Any) -> None:
        super().__init__(*args, county=county, **kwargs)
        branches = PartyOrganisation.objects.filter(county=county, is_active=True)
        self.fields["unit"].queryset = Unit.objects.active().filter(county=county)  # type: ignore[attr-defined]
        self.fields["branch"].queryset = branches  # type: ignore[attr-defined]

    def _give(self, actor: User) -> GivenAccount:
        data = self.cleaned_data
        return create_member_account(
            actor=actor,
            county=self.county,
            phone=data["phone"],
            name=data["name"],
            unit=data["unit"],
            branch=data["branch"],
        )
