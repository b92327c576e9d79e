"""The supervision telephone, at the places that have one of their own."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import Fact, ScopedModelAdmin
from core.deeds import Deed, DeedForm
from grids import actions, posts
from grids.models import County, GridNode
from grids.naming import COMMUNITY, STREET

_HELP = lazy("印在下面每个网格的公示牌上，居民扫码也能看到。不填的用上一级的。")


class PhoneForm(DeedForm):
    phone = forms.CharField(
        label=lazy("监督电话"),
        max_length=20,
        required=False,
        help_text=lazy("座机、手机或热线，例如 0916-6212345。"),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )

    def build(self) -> None:
        self.initial["phone"] = self.obj.supervision_phone


class NodePhoneForm(PhoneForm):
    version = forms.IntegerField(widget=forms.HiddenInput)


def _set(*, actor: Any, obj: GridNode | County, **data: Any) -> Any:
    return actions.set_supervision_phone(actor=actor, place=obj, **data)


NODE_PHONE = Deed(
    "phone",
    lazy("监督电话"),
    posts.MANAGE_NODE,
    NodePhoneForm,
    _set,
    lazy("已保存。"),
    help=_HELP,
    offered=lambda node: not node.is_retired and node.level_type.key in (STREET, COMMUNITY),
)


@admin.register(County)
class CountyAdmin(ScopedModelAdmin):
    """What a county says of itself; its streets and levels have pages of their own."""

    view_right = posts.MANAGE_COUNTY
    list_display = ("name", "code", "department", "supervision_phone")
    list_display_links = ("name",)
    ordering = ("code",)
    sortable_by = ()
    deeds = (
        Deed(
            "phone", lazy("监督电话"), posts.MANAGE_COUNTY, PhoneForm, _set, lazy("已保存。"), help=_HELP, tone="main"
        ),
    )

    def facts(self, request: HttpRequest, obj: County) -> list[Fact]:
        return [
            Fact(lazy("区划代码"), obj.code),
            Fact(lazy("主管部门"), obj.department),
            Fact(lazy("监督电话"), obj.supervision_phone),
        ]
