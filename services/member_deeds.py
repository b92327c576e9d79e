"""What is done with members' reports and services, on the desk and on the phone alike: forms and buttons."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as lazy

from core.deeds import Deed, DeedForm, NothingToFill, deed_of
from grids.admin_people import date_input
from services import posts
from services.actions import member_checkins as reports
from services.actions import member_services as services
from services.actions.member_checkins import Offer
from services.models import FreeTime, MemberCheckIn, MemberCheckInState, ServiceRecord, Skill, WishedPost
from services.workflow import MEMBER_CHECKIN, SERVICE


def version() -> forms.IntegerField:
    return forms.IntegerField(widget=forms.HiddenInput)


class OfferForm(DeedForm):
    """What a member can do, and when: toggles, nothing that must be typed."""

    skills = forms.MultipleChoiceField(
        label=lazy("我会什么"), choices=Skill.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    free_time = forms.MultipleChoiceField(
        label=lazy("什么时候有空"), choices=FreeTime.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    wished_post = forms.ChoiceField(
        label=lazy("愿意做什么"), choices=WishedPost.choices, initial=WishedPost.ANY, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=lazy("还想说的"),
        max_length=reports.NOTE,
        required=False,
        help_text=lazy("例如“修过三十年水暖”。不用写电话，社区有。"),
    )


class ChangeForm(OfferForm):
    version = version()


class WordForm(DeedForm):
    """A word to the member."""

    reason = forms.CharField(
        label=lazy("请写一句说明"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("本人会看到，写清楚要改什么。"),
    )
    version = version()


class NoteForm(DeedForm):
    reason = forms.CharField(
        label=lazy("说明"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    version = version()


class SeenForm(NothingToFill):
    version = version()


class ServiceForm(DeedForm):
    """Three fields."""

    served_on = forms.DateField(label=lazy("哪天"), initial=timezone.localdate, widget=date_input())
    hours = forms.DecimalField(
        label=lazy("大约几个小时"),
        max_digits=4,
        decimal_places=1,
        help_text=lazy("自己估计，例如 1.5。"),
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "0.5", "min": "0.5", "max": "24"}),
    )
    text = forms.CharField(
        label=lazy("做了什么"),
        max_length=services.LONGEST,
        help_text=lazy("例如“清理 3 号楼楼道”。不写住户的姓名、电话。"),
    )


class CorrectForm(ServiceForm):
    version = version()


def offer_of(data: dict[str, Any]) -> Offer:
    """Takes the offer out of cleaned inputs."""
    return Offer(data.pop("skills"), data.pop("wished_post"), data.pop("free_time"), data.pop("note"))


def _change(*, actor: Any, obj: MemberCheckIn, **data: Any) -> MemberCheckIn:
    offer = offer_of(data)
    return reports.change_offer(actor=actor, checkin=obj, offer=offer, **data)


def _end(*, actor: Any, obj: MemberCheckIn, **data: Any) -> MemberCheckIn:
    return reports.end_member_checkin(actor=actor, checkin=obj, **data)


def _decided(name: str) -> Any:
    def run(*, actor: Any, obj: MemberCheckIn, **data: Any) -> MemberCheckIn:
        return reports.decide_report(actor=actor, checkin=obj, name=name, **data)

    return run


def _judged(name: str) -> Any:
    def run(*, actor: Any, obj: ServiceRecord, **data: Any) -> ServiceRecord:
        return services.decide_service(actor=actor, service=obj, name=name, **data)

    return run


def _correct(
    *, actor: Any, obj: ServiceRecord, served_on: Any, hours: Decimal, text: str, version: int
) -> ServiceRecord:
    return services.correct_service(
        actor=actor, service=obj, served_on=served_on, hours=hours, text=text, version=version
    )


def _drop(*, actor: Any, obj: ServiceRecord, version: int) -> ServiceRecord:
    return services.drop_service(actor=actor, service=obj, version=version)


# The member's own.
CHANGE = deed_of(MEMBER_CHECKIN, "change", ChangeForm, _change)
END = replace(
    deed_of(MEMBER_CHECKIN, "end", NoteForm, _end), offered=lambda row: row.state == MemberCheckInState.ACCEPTED
)
WITHDRAW = deed_of(MEMBER_CHECKIN, "withdraw", SeenForm, _end)
CORRECT = deed_of(SERVICE, "correct", CorrectForm, _correct)
DROP = deed_of(SERVICE, "drop", SeenForm, _drop)
MEMBER_DEEDS = {deed.name: deed for deed in (CHANGE, END, WITHDRAW)}

# The community's.
_MANAGE = posts.MANAGE_MEMBER_CHECKIN
REPORT_DEEDS: tuple[Deed, ...] = (
    deed_of(MEMBER_CHECKIN, "accept", SeenForm, _decided("accept")),
    deed_of(MEMBER_CHECKIN, "send_back", WordForm, _decided("send_back")),
    deed_of(MEMBER_CHECKIN, "decline", WordForm, _decided("decline")),
    replace(CHANGE, right=_MANAGE),
    replace(END, right=_MANAGE),
)
SERVICE_DEEDS: tuple[Deed, ...] = (
    deed_of(SERVICE, "confirm", SeenForm, _judged("confirm")),
    deed_of(SERVICE, "send_back", WordForm, _judged("send_back")),
    deed_of(SERVICE, "take_back", WordForm, _judged("take_back")),
)
