"""The forms of a post: given, handed over, ended, put right. Each calls one action."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.deeds import DeedForm, Shown
from grids import actions, posts
from grids.admin_people import date_input, person_field
from grids.admin_places import place_field
from grids.models import Appointment, GridNode, Level
from grids.policies import CountyScope
from grids.selectors import managed_county

DISPENSED = lazy("首次密码只显示这一次，系统不保存。请当面交给本人；首次登录必须修改。")


class PersonForm(DeedForm):
    """Whom it is about: looked up by whoever reads the county's accounts, named with a telephone by everybody else."""

    who: str | Promise = ""

    def add_person(self) -> list[str]:
        """Adds the inputs that name somebody; answers their names."""
        if policies.holds(self.user, posts.VIEW_ACCOUNT):
            self.fields["user"] = person_field(self.user, **({"label": self.who} if self.who else {}))
            return ["user"]
        self.fields["name"] = forms.CharField(label=_("%(who)s姓名") % {"who": self.who}, max_length=60)
        self.fields["phone"] = forms.CharField(
            label=_("手机号码"),
            max_length=30,
            help_text=_("11 位，就是登录名。没有账号的同时开通，首次密码只显示一次；已有账号的密码不变。"),
            widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        )
        return ["name", "phone"]


class AppointForm(PersonForm):
    post = forms.ChoiceField(label=lazy("岗位"))
    start = forms.DateField(label=lazy("任职日期"), initial=timezone.localdate, widget=date_input())
    note = forms.CharField(label=lazy("备注"), max_length=200, required=False)

    def build(self) -> None:
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_APPOINTMENT))
        person = self.add_person()
        levels = self._levels()
        self.whole = posts.COUNTY in levels
        given = [(key, str(post.label)) for key, post in posts.POSTS.items() if levels & set(post.levels)]
        self.fields["post"].choices = [("", _("请选择")), *given]  # type: ignore[attr-defined]
        self.fields["node"] = place_field(
            places,
            label=_("任职地"),
            required=not self.whole,
            help_text=_("县级岗位不填；其他岗位填街道、社区、网格或楼栋。")
            if self.whole
            else _("填小区、网格或楼栋中的几个字，用空格分开，例如“和谐 2 号楼”。"),
        )
        self.order_fields([*person, "node", "post", "start", "note"])

    def _levels(self) -> set[str]:
        """The levels at which this person gives posts."""
        county = managed_county(self.user, posts.MANAGE_APPOINTMENT)
        scopes = policies.scopes(self.user, posts.MANAGE_APPOINTMENT)
        if any(isinstance(scope, CountyScope) for scope in scopes):
            return {posts.COUNTY, *Level.objects.filter(county=county).values_list("key", flat=True)}
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_APPOINTMENT))
        return set(places.order_by().values_list("level_type__key", flat=True).distinct())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        post = posts.POSTS.get(data.get("post", ""))
        if post is not None and self.whole and "node" not in self.errors:
            at_county = posts.COUNTY in post.levels
            if at_county and data.get("node"):
                self.add_error("node", _("“%(post)s”是县级岗位，不填任职地。") % {"post": post.label})
            elif not at_county and not data.get("node"):
                self.add_error("node", _("请填写任职地。"))
        return data


class HandOverForm(PersonForm):
    who = lazy("接任者")
    day = forms.DateField(
        label=lazy("交接日期"),
        initial=timezone.localdate,
        widget=date_input(),
        help_text=lazy("从这一天起由接任者负责，前任的权限到前一天为止。"),
    )
    note = forms.CharField(label=lazy("备注"), max_length=200, required=False)
    reason = forms.CharField(label=lazy("理由"), max_length=500, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def build(self) -> None:
        self.order_fields([*self.add_person(), "day", "note", "reason", "version"])
        # What stands on the predecessor's appointment is not said of the successor's.
        self.initial.pop("note", None)


class EndForm(DeedForm):
    end = forms.DateField(
        label=lazy("离任日期"),
        widget=date_input(),
        help_text=lazy("当天仍有权限。"),
    )
    reason = forms.CharField(label=lazy("理由"), max_length=500, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def build(self) -> None:
        self.initial["end"] = timezone.localdate()


class CorrectForm(DeedForm):
    start = forms.DateField(label=lazy("任职日期"), widget=date_input())
    end = forms.DateField(
        label=lazy("离任日期"), required=False, widget=date_input(), help_text=lazy("还在任的不填；当天仍有权限。")
    )
    note = forms.CharField(label=lazy("备注"), max_length=200, required=False)
    reason = forms.CharField(label=lazy("更正理由"), max_length=500)
    version = forms.IntegerField(widget=forms.HiddenInput)


def appoint(*, actor: Any, obj: None, node: GridNode | None, **data: Any) -> Appointment | Shown:
    place = node if node is not None else managed_county(actor, posts.MANAGE_APPOINTMENT)
    if "user" in data:
        return actions.appoint(actor=actor, place=place, **data)
    return _told(actions.appoint_person(actor=actor, place=place, **data))


def hand_over(*, actor: Any, obj: Appointment, user: Any = None, **data: Any) -> Appointment | Shown:
    if user is not None:
        return actions.hand_over(actor=actor, appointment=obj, successor=user, **data)
    return _told(actions.hand_over_to(actor=actor, appointment=obj, **data))


def end(*, actor: Any, obj: Appointment, **data: Any) -> Appointment:
    return actions.end_appointment(actor=actor, appointment=obj, **data)


def correct(*, actor: Any, obj: Appointment, **data: Any) -> Appointment:
    return actions.correct_appointment(actor=actor, appointment=obj, **data)


def _told(made: actions.Appointed) -> Appointment | Shown:
    """The appointment's page, or the first password where an account was opened."""
    if made.account.password is None:
        return made.appointment
    lines = (
        (_("姓名"), made.account.user.name),
        (_("岗位"), f"{made.appointment.place} {made.appointment.post_label}"),
        (_("登录手机号码"), made.account.user.phone),
        (_("首次密码"), made.account.password),
    )
    return Shown(_("已任命，账号已开通"), lines, str(DISPENSED))
