"""What is done with a check-in and an application on the desk and on the phone alike: the forms, and the buttons."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.deeds import Deed, DeedForm, deed_of
from core.models import User
from grids.admin_people import person_text
from grids.models import GridNode
from services import posts
from services.actions import applications
from services.models import CheckInApplication, CheckInRole, UnitCheckIn
from services.selectors.checkins import community_people, may_renew, own_units, unit_liaisons
from services.workflow.checkins import CHECKIN_APPLICATION, YEARS

WHAT_IT_BRINGS = lazy("能开放的场地、能派出的人、能办的实事，写清数量和时间。")


def version(**kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(widget=forms.HiddenInput, **kwargs)


def role_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=lazy("角色"), choices=CheckInRole.choices, widget=forms.RadioSelect, initial=CheckInRole.SUPPORTING
    )


def brings_field(**kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=lazy("带来的资源和服务"),
        help_text=WHAT_IT_BRINGS,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        **kwargs,
    )


def years_field(**kwargs: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(label=lazy("共建年限"), coerce=int, **{"choices": YEARS, "initial": "1", **kwargs})


class PersonChoice(forms.ModelChoiceField):
    """One of a few people who come into question, by name and the end of the telephone number."""

    def label_from_instance(self, obj: Any) -> str:
        return person_text(obj)


def person_choice(label: Any, people: QuerySet[User], *, initial: User | None = None, **kwargs: Any) -> PersonChoice:
    return PersonChoice(label=label, queryset=people, empty_label=_("请选择"), initial=initial, **kwargs)


class AcceptForm(DeedForm):
    version = version()

    def build(self) -> None:
        people = community_people(self.obj.node)
        mine = self.user if people.filter(pk=self.user.pk).exists() else None
        self.fields["community_liaison"] = person_choice(
            _("社区联络员"), people, initial=mine, help_text=_("单位有事找谁，印在回执上。")
        )


class ReasonForm(DeedForm):
    reason = forms.CharField(label=lazy("原因"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    version = version()


class SendBackForm(ReasonForm):
    def build(self) -> None:
        self.fields["reason"].label = _("请单位补充什么")


class WithdrawForm(DeedForm):
    version = version()


class OfferForm(DeedForm):
    """What a unit offers when it applies, applies again or renews."""

    role = role_field()
    brings = brings_field()
    years = years_field()

    def people(self) -> QuerySet[User]:
        """Who can answer for the unit."""
        return unit_liaisons(self.obj.unit)

    def build(self) -> None:
        people = self.people()
        named = getattr(self.obj, "unit_liaison", None) or self.user
        self.fields["unit_liaison"] = person_choice(
            _("单位联络员"), people, initial=named if people.filter(pk=named.pk).exists() else None
        )


class ReapplyForm(OfferForm):
    version = version()


class RenewForm(OfferForm):
    """What shall go on, as it is unless somebody says otherwise."""


class ApplyForm(OfferForm):
    """A first application; the place is known, the unit too where the person acts for one alone."""

    field_order = ("unit", "role", "brings", "years", "unit_liaison")

    def build(self) -> None:
        self.units = own_units(self.user, posts.APPLY_CHECKIN)
        super().build()
        found = list(self.units[:2])
        choice = forms.ModelChoiceField(label=_("报到单位"), queryset=self.units, empty_label=_("请选择"))
        if len(found) == 1:
            choice.initial, choice.empty_label = found[0], None
        self.fields["unit"] = choice
        self.order_fields(self.field_order)

    def people(self) -> QuerySet[User]:
        found = User.objects.none()
        for unit in self.units:
            found = found | unit_liaisons(unit)
        return found


def _apply(*, actor: Any, obj: GridNode, **data: Any) -> CheckInApplication:
    return applications.apply_to_check_in(actor=actor, node=obj, **data)


def _renew(*, actor: Any, obj: UnitCheckIn, **data: Any) -> CheckInApplication:
    return applications.renew(actor=actor, checkin=obj, **data)


def _accept(*, actor: Any, obj: CheckInApplication, **data: Any) -> CheckInApplication:
    return applications.accept(actor=actor, application=obj, **data)


def _send_back(*, actor: Any, obj: CheckInApplication, **data: Any) -> CheckInApplication:
    return applications.send_back(actor=actor, application=obj, **data)


def _decline(*, actor: Any, obj: CheckInApplication, **data: Any) -> CheckInApplication:
    return applications.decline(actor=actor, application=obj, **data)


def _reapply(*, actor: Any, obj: CheckInApplication, **data: Any) -> CheckInApplication:
    return applications.reapply(actor=actor, application=obj, **data)


def _withdraw(*, actor: Any, obj: CheckInApplication, **data: Any) -> CheckInApplication:
    return applications.withdraw(actor=actor, application=obj, **data)


# `obj` is the place.
APPLY = Deed(
    "apply",
    lazy("申请报到"),
    posts.APPLY_CHECKIN,
    ApplyForm,
    _apply,
    lazy("已申请，请等社区接收。"),
    help=lazy("社区接收后，就能认领这里的需求；社区一般 3 个工作日内答复。"),
    tone="main",
)
RENEW = Deed(
    "renew",
    lazy("申请续签"),
    posts.APPLY_CHECKIN,
    RenewForm,
    _renew,
    lazy("已申请续签，请等社区接收。"),
    help=lazy("从原来的到期日接着算；已经到期的，从社区接收那天算。"),
    tone="main",
    offered=may_renew,
)
# In the order of their buttons.
MOVES = (
    deed_of(CHECKIN_APPLICATION, "accept", AcceptForm, _accept),
    deed_of(CHECKIN_APPLICATION, "reapply", ReapplyForm, _reapply),
    deed_of(CHECKIN_APPLICATION, "send_back", SendBackForm, _send_back),
    deed_of(CHECKIN_APPLICATION, "decline", ReasonForm, _decline),
    deed_of(CHECKIN_APPLICATION, "withdraw", WithdrawForm, _withdraw),
)
