from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from core import accounts
from core.errors import DomainError, Invalid
from core.models import User


class PasswordForm(forms.Form):
    """The account's own new password. Errors of the action come back beside the field they are about."""

    current = forms.CharField(
        label=_("现在的密码"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    new = forms.CharField(
        label=_("新密码"),
        strip=False,
        help_text=_("至少 8 位，不能全是数字，不要用手机号码或姓名。"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("再输一次新密码"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("new") and data.get("again") and data["new"] != data["again"]:
            self.add_error("again", _("两次输入的新密码不一样。"))
        return data

    def save(self, actor: User) -> User | None:
        """Changes the password, or puts the refusal into the form and returns None."""
        try:
            return accounts.change_own_password(
                actor=actor, current=self.cleaned_data["current"], new=self.cleaned_data["new"]
            )
        except DomainError as error:
            add_domain_error(self, error)
            return None


class SignInForm(AuthenticationForm):
    """Phone and password. The phone is tidied up before anything is counted or compared."""

    error_messages = {
        "invalid_login": _("手机号码或密码不对。请核对后重试；忘记密码请联系本社区或本单位的管理员重置。"),
        "inactive": _("手机号码或密码不对。请核对后重试；忘记密码请联系本社区或本单位的管理员重置。"),
    }

    def clean_username(self) -> str:
        typed = str(self.cleaned_data["username"])
        try:
            return accounts.clean_phone(typed)
        except Invalid as error:
            raise forms.ValidationError(error.message) from error


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Several pictures in one input. The action checks and cleans them."""

    widget = ManyFilesInput(attrs={"accept": "image/*"})

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        items = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(PhotosField, self).clean(item, initial) for item in items]


def add_domain_error(form: forms.Form, error: DomainError) -> None:
    """Shows a refusal of an action in the form that asked for it: beside its field, or on top."""
    placed = False
    for name, message in error.fields.items():
        if name in form.fields:
            form.add_error(name, message)
            placed = True
    if not placed:
        form.add_error(None, error.message)
