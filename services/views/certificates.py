"""Certificates of service: issued and printed under `/m/`, checked by anybody under `/r/` without an account."""

import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from core import phone
from core.codes import format_certificate_code, parse_certificate_code
from core.errors import DomainError, Forbidden, Invalid, NotFound
from core.forms import add_domain_error
from core.periods import date_words
from core.phone import person, phone_page
from grids.admin_people import date_input
from partybuilding.models import Member
from services.actions.certificates import communities_of, issue_certificate
from services.actions.member_services import plain
from services.models import Certificate
from services.selectors import membership
from services.views import following
from services.views.qr import drawing, public_address
from services.views.resident import resident_page

# A year is what schools and units ask for.
SPAN = datetime.timedelta(days=365)
_NAMED = mark_safe('role="img" aria-label="二维码"')


class SpanForm(forms.Form):
    """From when to when; the community only when there are several."""

    since = forms.DateField(label=lazy("从哪天"), widget=date_input())
    until = forms.DateField(label=lazy("到哪天"), widget=date_input())

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.communities = {str(node.pk): node for node in communities_of(member)}
        today = timezone.localdate()
        self.initial = {"since": today - SPAN, "until": today, **self.initial}
        if len(self.communities) > 1:
            choices = [(key, node.name) for key, node in self.communities.items()]
            self.fields["community"] = forms.ChoiceField(
                label=_("哪个社区的服务"), choices=choices, widget=forms.RadioSelect, initial=choices[0][0]
            )

    def community(self) -> Any:
        """The one chosen, or the only one. Raises `Invalid` when there is none."""
        key = self.cleaned_data.get("community") or next(iter(self.communities), "")
        if key not in self.communities:
            raise Invalid(_("还没有社区确认过的服务，开不出证明。"))
        return self.communities[key]


# --- The member -----------------------------------------------------------------------------------------------------


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def certificates(request: HttpRequest) -> HttpResponse:
    """One's certificates, and a new one: free, at once."""
    user = person(request)
    member = membership.member_of(user)
    if member is None:
        raise Forbidden(_("服务证明由党员本人在手机上开，或由社区代开。"))
    sent = request.method == "POST"
    form = SpanForm(request.POST if sent else None, member=member)
    status = 200
    if sent:
        status = 400
        if form.is_valid():
            try:
                row = issue_certificate(
                    actor=user,
                    member=member,
                    community=form.community(),
                    since=form.cleaned_data["since"],
                    until=form.cleaned_data["until"],
                )
            except DomainError as error:
                add_domain_error(form, error)
                status = error.status
            else:
                messages.success(request, _("服务证明已开好，可以保存、打印。"))
                return redirect("mobile:certificate", row.pk)
    rows = Certificate.objects.filter(member=member).select_related("community")
    context = {"form": form, "certificates": [_card(row) for row in rows[:30]]}
    return phone.show(request, "services/mobile/certificates.html", context, active="me", status=status)


def _card(row: Certificate) -> dict[str, Any]:
    return {
        "row": row,
        "span": _("%(since)s至%(until)s") % {"since": date_words(row.since), "until": date_words(row.until)},
        "hours": plain(row.hours),
        "chip": (_("已作废"), "red") if row.revoked_at else (_("有效"), "green"),
        "issued": date_words(row.issued_at),
    }


@phone_page
@require_safe
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """The certificate as a sheet of A4: by the member, and by whoever sees it at the community."""
    user = person(request)
    seen = Certificate.objects.visible_to(user).select_related("member__unit", "community", "county")
    row = seen.filter(pk=pk).first()
    if row is None:
        raise NotFound(_("没有找到这张证明。"))
    address = public_address(reverse("resident:certificate", args=[row.code]))
    context = {
        **_card(row),
        "sentence": _sentence(row),
        "code": format_certificate_code(row.code),
        "address": address,
        "qr": drawing(address, _NAMED),
        "is_own": row.member.user_id == user.pk,
    }
    return render(request, "services/papers/certificate.html", context)


def _sentence(row: Certificate) -> str:
    who = _("%(name)s同志") % {"name": row.member.name}
    if row.member.unit:
        who += _("（%(unit)s）") % {"unit": row.member.unit.name}
    words = _(
        "%(who)s，%(since)s至%(until)s在%(county)s%(community)s参加社区服务，经社区确认共 %(services)d 次、%(hours)s 小时。"
    )
    return words % {
        "who": who,
        "since": date_words(row.since),
        "until": date_words(row.until),
        "county": row.county.name,
        "community": row.community.name,
        "services": row.services,
        "hours": plain(row.hours),
    }


# --- Anybody --------------------------------------------------------------------------------------------------------


class CodeForm(forms.Form):
    """The code of a certificate, typed from paper."""

    code = forms.CharField(
        label=lazy("验证码"),
        max_length=40,
        help_text=lazy("证明上的 12 位字母和数字，例如 K7QM 3XPD 9TWA，大小写都可以。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )

    def clean_code(self) -> str:
        try:
            return parse_certificate_code(self.cleaned_data["code"])
        except Invalid as error:
            raise forms.ValidationError(error.message) from error


@resident_page
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Where a code is typed in. Leads to its page, which says whether there is one."""
    form = CodeForm(request.POST or None)
    if form.is_bound and form.is_valid():
        return redirect("resident:certificate", form.cleaned_data["code"])
    status = 400 if form.is_bound else 200
    return render(request, "services/resident/check.html", {"form": form}, status=status)


@resident_page
@require_safe
def checked(request: HttpRequest, code: str) -> HttpResponse:
    """Whether a certificate is one, and what it says."""
    row = certificate_of(request, code)
    if row is None:
        return render(request, "services/resident/no_certificate.html", {"form": CodeForm()}, status=404)
    context = {
        **_card(row),
        "name": row.member.masked_name,
        "code": format_certificate_code(row.code),
        "revoked": date_words(row.revoked_at) if row.revoked_at else "",
    }
    return render(request, "services/resident/certificate.html", context)


def certificate_of(request: HttpRequest, code: str) -> Certificate | None:
    """The certificate of a code, for anybody. Every try is counted; a wrong code is told nothing but that.

    Raises `Throttled`.
    """
    following.count(request, "certificate", following.LOOKUPS_PER_ADDRESS)
    try:
        code = parse_certificate_code(code)
    except Invalid:
        return None
    return Certificate.objects.filter(code=code).select_related("member", "community", "county").first()
