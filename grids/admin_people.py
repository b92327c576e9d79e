"""A field for one person, as several admin pages ask for them. Outside the package of pages, so that it loads without them."""

from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from core.lookups import LookupField
from core.models import User


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def person_text(user: Any) -> str:
    return f"{user.name}（{user.masked_phone}）"


def person_field(user: Any, **kwargs: Any) -> LookupField:
    """A field for one account in the person's sight, found by name or by the whole telephone number."""
    kwargs.setdefault("label", _("人员"))
    kwargs.setdefault("help_text", _("填姓名或完整的手机号码。还没有账号的，请先到“账号”里新建。"))
    return LookupField(
        rows=User.objects.visible_to(user).active(),
        search=("name", "=phone"),
        text=person_text,
        url=reverse_lazy("admin:core_user_lookup"),
        **kwargs,
    )
