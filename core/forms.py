from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from core import accounts, channels, notice_choices, notice_kinds, quiet
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


class NoticesForm(forms.Form):
    """What a person chooses about notices of their own. A group and a way make one input, where the way is offered."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = notice_choices.preference_of(user)
        self.user = user
        self.fields["version"].initial = row.version
        self.asked: list[tuple[str, str, str]] = []
        if channels.find(notice_choices.EMAIL):
            self.fields["email"] = forms.CharField(
                label=_("邮箱"),
                max_length=120,
                required=False,
                initial=row.email,
                widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
                help_text=_("填了才发邮件，保存后选每类通知怎么发。邮件里不写具体事项，只提醒您登录查看。"),
            )
        for way in notice_choices.WAYS:
            if way == notice_choices.EMAIL and not row.email:
                # Nothing goes there yet: nobody needs to read through the choices.
                continue
            for group in notice_kinds.groups():
                self._ask(group, way, notice_choices.chosen(row, group.name, way))
        times = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        self.is_any = len(self.fields) > 1
        if self.is_any:
            digest = forms.TimeField(label=_("每日汇总几点发"), initial=row.digest_at, widget=times)
            own = _("不填则按统一的免打扰时段（%(hours)s）。督办和紧急派单随时会发。") % {"hours": _hours_words()}
            begins = forms.TimeField(
                label=_("免打扰从几点"), required=False, initial=row.quiet_from, widget=times, help_text=own
            )
            ends = forms.TimeField(label=_("到几点"), required=False, initial=row.quiet_until, widget=times)
            self.fields |= {"digest_at": digest, "quiet_from": begins, "quiet_until": ends}

    def _ask(self, group: notice_kinds.Group, way: str, chosen: str) -> None:
        channel = channels.find(way)
        offered = notice_choices.options(group.name, way) if channel is not None else []
        if channel is None or not offered:
            return
        name = f"{group.name}_{way}"
        self.fields[name] = forms.ChoiceField(
            label=f"{channel.label}：{group.label}",
            choices=[(one, notice_choices.WORDS[one]) for one in offered],
            initial=chosen,
            help_text=str(group.note),
        )
        self.asked.append((name, group.name, way))

    def clean_version(self) -> int:
        """Before anything else: an old page may lack what is asked for by now."""
        seen: int = self.cleaned_data["version"]
        notice_choices.require_version(self.user, seen)
        return seen

    def save(self) -> bool:
        """Keeps the choices, or puts the refusal into the form and answers False. Raises Stale."""
        choices: dict[str, dict[str, str]] = {}
        for name, group, way in self.asked:
            choices.setdefault(group, {})[way] = self.cleaned_data[name]
        row = notice_choices.preference_of(self.user)
        try:
            notice_choices.choose(
                actor=self.user,
                version=self.cleaned_data["version"],
                email=self.cleaned_data.get("email", row.email),
                choices=choices,
                digest_at=self.cleaned_data.get("digest_at", row.digest_at),
                quiet_from=self.cleaned_data.get("quiet_from"),
                quiet_until=self.cleaned_data.get("quiet_until"),
            )
        except Invalid as error:
            add_domain_error(self, error)
            return False
        return True


def _hours_words() -> str:
    hours = quiet.parse(settings.NOTICE_QUIET_HOURS)
    if hours is None:
        return str(_("没有设"))
    return str(_("%(begins)s 至 %(ends)s") % {"begins": f"{hours[0]:%H:%M}", "ends": f"{hours[1]:%H:%M}"})


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
