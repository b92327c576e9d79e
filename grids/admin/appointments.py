"""Posts in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, ScopedModelAdmin, SelectFilter, chip, choice_filter, day_words
from core.deeds import Deed, DeedForm
from grids import actions, posts
from grids.admin_people import date_input, person_field
from grids.admin_places import PlaceFilter, place_field
from grids.models import Appointment, County, GridNode, Level
from grids.querysets import current
from grids.selectors import managed_county


class AppointForm(DeedForm):
    post = forms.ChoiceField(label=lazy("岗位"))
    start = forms.DateField(label=lazy("任职日期"), initial=timezone.localdate, widget=date_input())
    note = forms.CharField(label=lazy("备注"), max_length=200, required=False)

    def build(self) -> None:
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_APPOINTMENT))
        county = managed_county(self.user, posts.MANAGE_APPOINTMENT)
        self.fields["user"] = person_field(self.user)
        self.fields["post"].choices = [("", _("请选择")), *self._posts(county)]  # type: ignore[attr-defined]
        self.fields["node"] = place_field(
            places, label=_("任职地"), required=False, help_text=_("县级岗位不填；其他岗位填街道、社区、网格或楼栋。")
        )
        self.order_fields(["user", "post", "node", "start", "note"])

    @staticmethod
    def _posts(county: County) -> list[tuple[str, str]]:
        """The posts of the levels this county has."""
        known = {posts.COUNTY, *Level.objects.filter(county=county).values_list("key", flat=True)}
        return [(post.key, str(post.label)) for post in posts.POSTS.values() if known & set(post.levels)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        post = posts.POSTS.get(data.get("post", ""))
        if post is not None and "node" not in self.errors:
            at_county = posts.COUNTY in post.levels
            if at_county and data.get("node"):
                self.add_error("node", _("“%(post)s”是县级岗位，不填任职地。") % {"post": post.label})
            elif not at_county and not data.get("node"):
                self.add_error("node", _("请填写任职地。"))
        return data


class EndForm(DeedForm):
    end = forms.DateField(
        label=lazy("离任日期"), initial=timezone.localdate, widget=date_input(), help_text=lazy("当天仍有权限。")
    )
    reason = forms.CharField(label=lazy("理由"), max_length=500, required=False)


def _appoint(*, actor: Any, obj: None, node: GridNode | None, **data: Any) -> Appointment:
    place = node if node is not None else managed_county(actor, posts.MANAGE_APPOINTMENT)
    return actions.appoint(actor=actor, place=place, **data)


def _end(*, actor: Any, obj: Appointment, **data: Any) -> Appointment:
    return actions.end_appointment(actor=actor, appointment=obj, **data)


class HeldFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("在任")), ("0", _("已离任"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(current()) if value == "1" else rows.exclude(current())


@admin.register(Appointment)
class AppointmentAdmin(ScopedModelAdmin):
    list_display = ("person", "what", "where", "since", "until", "state")
    list_display_links = ("person",)
    list_filter = (PlaceFilter, choice_filter("post", lazy("岗位"), posts.post_choices()), HeldFilter)
    list_select_related = ("user", "node", "county")
    search_fields = ("user__name", "node__path")
    search_help_text = lazy("姓名、任职地")
    ordering = ("-start", "id")
    sortable_by = ()
    object_related = ("user", "node__county", "county")
    empty_text = lazy("任命以后，这个人就有了岗位对应的权限。")
    adding = Deed(
        "add",
        lazy("任命"),
        posts.MANAGE_APPOINTMENT,
        AppointForm,
        _appoint,
        lazy("已任命。"),
        help=lazy("权限来自岗位：任命后立即生效，在任职地及其下级有效。"),
        tone="main",
    )
    deeds = (
        Deed(
            "end",
            lazy("离任"),
            posts.MANAGE_APPOINTMENT,
            EndForm,
            _end,
            lazy("已离任。"),
            help=lazy("离任后岗位的权限随之停止。要立即停止登录，请到“账号”里停用。"),
            tone="danger",
            offered=lambda row: row.end is None,
        ),
    )

    @admin.display(description=lazy("姓名"))
    def person(self, row: Appointment) -> str:
        return row.user.name

    @admin.display(description=lazy("岗位"))
    def what(self, row: Appointment) -> str:
        return row.post_label

    @admin.display(description=lazy("任职地"))
    def where(self, row: Appointment) -> str:
        return row.place

    @admin.display(description=lazy("任职日期"))
    def since(self, row: Appointment) -> str:
        return day_words(row.start)

    @admin.display(description=lazy("离任日期"), empty_value="—")
    def until(self, row: Appointment) -> str | None:
        return day_words(row.end) or None

    @admin.display(description=lazy("状态"))
    def state(self, row: Appointment) -> str:
        return chip(*_held(row))

    def object_title(self, obj: Appointment) -> str:
        return _("%(name)s：%(post)s") % {"name": obj.user.name, "post": obj.post_label}

    def chips(self, obj: Appointment) -> list[tuple[str, str]]:
        return [_held(obj)]

    def facts(self, request: HttpRequest, obj: Appointment) -> list[Fact]:
        return [
            Fact(_("姓名"), obj.user.name),
            Fact(_("手机号码"), obj.user.masked_phone),
            Fact(_("岗位"), obj.post_label),
            Fact(_("任职地"), obj.place),
            Fact(_("任职日期"), day_words(obj.start)),
            Fact(_("离任日期"), day_words(obj.end)),
            Fact(_("备注"), obj.note, wide=True),
        ]


def _held(row: Appointment) -> tuple[str, str]:
    today = timezone.localdate()
    if row.end is not None and row.end < today:
        return _("已离任"), "grey"
    return (_("在任"), "green") if row.start <= today else (_("未到任"), "blue")
