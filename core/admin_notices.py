"""Notices in the admin, for whoever looks after them: what went to the outside and what did not, the channels, the words.

Nobody reads other people's news here. A message shows the very text that left the portal, which names no matter and no
person; a notice that found no reader shows its kind alone.
"""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import channels, notice_kinds, policies, sending
from core.admin_base import Fact, Part, ScopedModelAdmin, SelectFilter, chip, link
from core.admin_trail import history
from core.audit_words import name_deeds
from core.deeds import Deed, DeedForm, NothingToFill
from core.errors import DomainError, NotFound
from core.forms import add_domain_error
from core.models import DEAD, ChannelState, OutboxMessage, OutboxState, User
from core.notice_words import MANAGE_NOTICE
from core.periods import datetime_words

name_deeds(
    {
        "outbox.resend": lazy("重发通知"),
        "outbox.drop": lazy("放弃发送通知"),
        "outbox.test": lazy("发送测试消息"),
        "account.notices": lazy("修改通知设置"),
    }
)

TONES = {
    OutboxState.WAITING: "blue",
    OutboxState.SENDING: "blue",
    OutboxState.DONE: "green",
    OutboxState.FAILED: "red",
    OutboxState.UNSURE: "amber",
    OutboxState.DROPPED: "grey",
}
# As many as a person can look at before deciding.
MOST = 200

_TWICE = lazy("“不确定是否送达”的，对方可能已经收到：短信会被识别，不会重复；群机器人和邮箱可能收到两次。")


class DeadFilter(SelectFilter):
    """By state, the dead letters first."""

    title = lazy("状态")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("dead", _("等待处理")), *((state.value, str(state.label)) for state in OutboxState)]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(state__in=DEAD) if value == "dead" else rows.filter(state=value)


class ChannelFilter(SelectFilter):
    title = lazy("渠道")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((one.name, str(one.label)) for one in channels.known()), ("inside", _("站内通知"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(channel="" if value == "inside" else value)


class GroupFilter(SelectFilter):
    title = lazy("类别")
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(group.name, str(group.label)) for group in notice_kinds.groups()]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(kind__in=[kind.name for kind in notice_kinds.kinds() if kind.group == value])


class ReasonForm(DeedForm):
    reason = forms.CharField(label=lazy("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


def _resend(*, actor: Any, obj: OutboxMessage) -> OutboxMessage:
    sending.resend(actor=actor, messages=[obj])
    return obj


def _drop(*, actor: Any, obj: OutboxMessage, reason: str) -> OutboxMessage:
    sending.drop(actor=actor, messages=[obj], reason=reason)
    return obj


def _is_dead(row: OutboxMessage) -> bool:
    return row.state in DEAD


RESEND = Deed(
    "resend",
    lazy("重发"),
    MANAGE_NOTICE,
    NothingToFill,
    _resend,
    done=lazy("已放回发送队列，稍后看结果。"),
    help=_TWICE,
    tone="main",
    offered=_is_dead,
)
DROP = Deed(
    "drop",
    lazy("不再发送"),
    MANAGE_NOTICE,
    ReasonForm,
    _drop,
    done=lazy("已放弃发送。站内通知不受影响。"),
    help=lazy("这条消息不再发到站外。站内通知不受影响，收件人登录后看得到。"),
    tone="danger",
    offered=_is_dead,
)


@admin.register(OutboxMessage)
class OutboxAdmin(ScopedModelAdmin):
    list_display = ("moment", "way", "what", "status", "tries", "why")
    list_display_links = ("moment",)
    list_filter = (DeadFilter, ChannelFilter, GroupFilter)
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50
    deeds = (RESEND, DROP)
    actions = ("resend_chosen", "drop_chosen")
    empty_text = lazy("没有配置对外渠道，或者还没有通知发到站外。渠道在“通知渠道”里查看。")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(_shown())

    def find(self, request: HttpRequest, object_id: int) -> OutboxMessage:
        row: OutboxMessage = super().find(request, object_id)
        if not row.channel and not _is_dead(row) and not row.resends and row.state != OutboxState.DROPPED:
            # A notice that is on its way inside the portal is its readers' alone.
            raise NotFound(_("没有找到这条记录，或不在您的管辖范围内。"))
        return row

    # --- Columns ---

    @admin.display(description=lazy("产生时间"))
    def moment(self, row: OutboxMessage) -> str:
        return datetime_words(row.created_at)

    @admin.display(description=lazy("渠道"))
    def way(self, row: OutboxMessage) -> str:
        return channels.label_of(row.channel) if row.channel else _("站内通知")

    @admin.display(description=lazy("通知类型"))
    def what(self, row: OutboxMessage) -> str:
        return notice_kinds.kind_label(row.kind) or _("通知")

    @admin.display(description=lazy("状态"))
    def status(self, row: OutboxMessage) -> str:
        return chip(row.get_state_display(), TONES[OutboxState(row.state)])

    @admin.display(description=lazy("尝试"))
    def tries(self, row: OutboxMessage) -> int:
        return row.attempts

    @admin.display(description=lazy("原因"), empty_value="—")
    def why(self, row: OutboxMessage) -> str | None:
        return row.error or None

    # --- The page of one message ---

    def object_title(self, obj: OutboxMessage) -> str:
        return sending.label_of(obj)

    def chips(self, obj: OutboxMessage) -> list[tuple[str, str]]:
        return [(obj.get_state_display(), TONES[OutboxState(obj.state)])]

    def facts(self, request: HttpRequest, obj: OutboxMessage) -> list[Fact]:
        readers = len(obj.audience.get("readers", [])) if obj.channel else 0
        return [
            Fact(_("渠道"), self.way(obj)),
            Fact(_("通知类型"), self.what(obj)),
            Fact(_("收件人"), _("%(n)d 人") % {"n": readers} if readers else ""),
            Fact(_("发出的文字"), obj.body if obj.channel else "", wide=True),
            Fact(_("产生时间"), datetime_words(obj.created_at)),
            Fact(_("最近一次发送"), datetime_words(obj.claimed_at) if obj.claimed_at else ""),
            Fact(_("下次发送"), datetime_words(obj.due_at) if obj.state == OutboxState.WAITING else ""),
            Fact(_("尝试次数"), obj.attempts),
            Fact(_("原因"), obj.error, wide=True),
        ]

    def parts(self, request: HttpRequest, obj: OutboxMessage) -> list[Part]:
        return [history(obj)]

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [(_("通知渠道"), self.url("channels"), "plain")]

    # --- Several at once ---

    @admin.action(description=lazy("重发所选"))
    def resend_chosen(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> HttpResponse:
        return self._several("resend", queryset)

    @admin.action(description=lazy("不再发送所选"))
    def drop_chosen(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> HttpResponse:
        return self._several("drop", queryset)

    def _several(self, name: str, queryset: QuerySet[OutboxMessage]) -> HttpResponse:
        chosen = queryset.order_by().values_list("pk", flat=True)[:MOST]
        return redirect(f"{self.url('bulk', name)}?{urlencode({'id': list(chosen)}, doseq=True)}")

    def bulk_view(self, request: HttpRequest, name: str) -> HttpResponse:
        if not self.sees_list(request.user):
            raise PermissionDenied
        deed = next((one for one in self.deeds if one.name == name), None)
        if deed is None:
            raise NotFound(_("没有这个操作。"))
        sent = request.method == "POST"
        rows = self._chosen(request, (request.POST if sent else request.GET).getlist("id"))
        form = deed.form(request.POST if sent else None, user=request.user)
        if sent and rows and form.is_valid():
            act: Any = sending.resend if deed is RESEND else sending.drop
            try:
                count = act(actor=request.user, messages=rows, **form.cleaned_data)
            except DomainError as error:
                add_domain_error(form, error)
            else:
                messages.success(request, _("%(deed)s：%(count)d 条。") % {"deed": deed.label, "count": count})
                return redirect(f"{self.url('changelist')}?state=dead")
        title = _("%(deed)s %(count)d 条") % {"deed": deed.label, "count": len(rows)}
        context = {"title": title, "deed": deed, "form": form, "rows": rows, "back": self.url("changelist")}
        return self.render(request, "admin/notice_bulk.html", context, status=400 if sent else 200)

    def _chosen(self, request: HttpRequest, ids: list[str]) -> list[OutboxMessage]:
        wanted = [int(text) for text in ids if text.isascii() and text.isdigit() and len(text) < 19][:MOST]
        return list(self.get_queryset(request).filter(pk__in=wanted, state__in=DEAD).order_by("pk"))

    # --- Channels ---

    def more_urls(self) -> list[URLPattern]:
        return [
            self.page("bulk/<slug:name>/", self.bulk_view, "bulk"),
            self.page("channels/", self.channels_view, "channels"),
            self.page("channels/<slug:name>/test/", self.test_view, "test"),
        ]

    def channels_view(self, request: HttpRequest) -> HttpResponse:
        if not self.sees_list(request.user):
            raise PermissionDenied
        context = {"title": _("通知渠道"), "channels": self._channels(request)}
        return self.render(request, "admin/notice_channels.html", context)

    def _channels(self, request: HttpRequest) -> list[dict[str, Any]]:
        """How each channel stands. Two statements."""
        states = ChannelState.objects.in_bulk()
        open_states = [OutboxState.WAITING, OutboxState.SENDING, *DEAD]
        rows = self.get_queryset(request).order_by().exclude(channel="").filter(state__in=open_states)
        counts = {
            row["channel"]: (row["going"], row["dead"])
            for row in rows.values("channel").annotate(
                going=Count("pk", ~Q(state__in=DEAD)), dead=Count("pk", Q(state__in=DEAD))
            )
        }
        return [self._channel(one, states.get(one.name), *counts.get(one.name, (0, 0))) for one in channels.known()]

    def _channel(self, one: channels.Channel, state: ChannelState | None, waiting: int, dead: int) -> dict[str, Any]:
        worked = state.worked_at if state is not None else None
        failed = state.failed_at if state is not None else None
        letters = f"{self.url('changelist')}?{urlencode({'channel': one.name, 'state': 'dead'})}"
        facts = [
            Fact(_("最近成功"), datetime_words(worked) if worked else ""),
            Fact(_("最近失败"), datetime_words(failed) if failed else ""),
            Fact(_("失败原因"), state.error if state is not None else "", wide=True),
            Fact(_("待发送"), waiting),
            Fact(_("等待处理"), link(dead, letters) if dead else 0),
        ]
        if not one.configured():
            words, tone = _("没有配置"), "grey"
        elif dead:
            words, tone = _("有消息等待处理"), "red"
        elif failed and (worked is None or failed > worked):
            words, tone = _("最近一次没有发出"), "amber"
        else:
            words, tone = (_("正常"), "green") if worked else (_("还没有用过"), "grey")
        return {
            "label": one.label,
            "words": words,
            "tone": tone,
            "facts": facts if one.configured() or state is not None or dead else [],
            "test_url": self.url("test", one.name) if one.configured() else "",
        }

    def test_view(self, request: HttpRequest, name: str) -> HttpResponse:
        if not self.sees_list(request.user):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        assert isinstance(request.user, User)
        try:
            sending.send_test(actor=request.user, channel=name, county_key=county_of(request.user))
        except NotFound:
            raise
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, _("测试消息已放入发送队列，稍后刷新本页看结果。"))
        return redirect(self.url("channels"))


def _shown() -> Q:
    """What went to the outside, and what found no way inside."""
    return ~Q(channel="") | Q(state__in=DEAD)


def county_of(user: Any) -> int | None:
    """The county whose notices the person looks after."""
    counties = [getattr(scope, "county_id", None) for scope in policies.scopes(user, MANAGE_NOTICE)]
    return next((one for one in counties if one is not None), None)
