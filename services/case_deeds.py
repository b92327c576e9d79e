"""What can be done with a case and with a help, with its form: the same on the desk and on the phone."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.actors import SYSTEM
from core.deeds import Deed, DeedForm, deed_of
from grids.admin_people import date_input
from grids.admin_places import place_field
from grids.models import CareHousehold, ConsentKind, GridNode
from grids.posts import VIEW_CARE
from partybuilding.admin.fields import unit_field
from partybuilding.pairing_deeds import version
from services import actions, posts
from services.actions.case_helps import HELP_DAYS
from services.actions.cases import OPEN_HELPS, REVIEW_DAYS
from services.forms import RowsField
from services.models import CaseState, Help, HelpCase, HelpKind, HelpState
from services.selectors.cases import reported_units
from services.workflow import CASE, HELP
from services.workflow.cases import NO_NAMES


def _area(label: Any, *, required: bool = True, help_text: Any = NO_NAMES) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 4})
    return forms.CharField(label=label, max_length=1000, required=required, widget=widget, help_text=help_text)


def _in(days: int) -> Any:
    return lambda: timezone.localdate() + datetime.timedelta(days=days)


class HouseholdChoice(forms.ModelChoiceField):
    """A household as the ledger's own list shows it: masked."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.node.name} {obj.room} {obj.masked_name}"


class OpenForm(DeedForm):
    """`household` and `node` may be preset; what the ledger says of a household is not copied."""

    title = forms.CharField(
        label=lazy("事由"), max_length=60, help_text=lazy("一句话，例如“突发火灾，一家四口无处居住”。不写姓名、电话。")
    )
    text = _area(lazy("困难情况"), required=False)
    consent = forms.ChoiceField(
        label=lazy("怎样同意的"),
        choices=ConsentKind.choices,
        widget=forms.RadioSelect,
        help_text=lazy("要说清楚：会请几个单位一起帮，他们会看到困难情况，看不到姓名和电话。"),
    )
    consent_on = forms.DateField(label=lazy("同意日期"), widget=date_input(), initial=timezone.localdate)
    review_on = forms.DateField(
        label=lazy("下次回看"),
        widget=date_input(),
        initial=_in(REVIEW_DAYS),
        help_text=lazy("到那天提醒社区再去看看。"),
    )

    def build(self) -> None:
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_CASE))
        self.fields["node"] = place_field(places.filter(community__isnull=False), label=_("地点"))
        households = CareHousehold.objects.none()
        if policies.holds(self.user, VIEW_CARE):
            households = (
                CareHousehold.objects.visible_to(self.user).select_related("node").order_by("node", "room", "pk")
            )
        self.fields["household"] = HouseholdChoice(
            queryset=households,
            label=_("关爱台账里的哪一户"),
            required=False,
            empty_label=_("不在台账里，或不关联"),
            help_text=_("只记着是哪户，方便社区自己找；参加帮扶的单位看不到。"),
        )
        self.order_fields(["node", "household", "title", "text", "consent", "consent_on", "review_on"])


class AskForm(DeedForm):
    kind = forms.ChoiceField(label=lazy("帮扶方式"), choices=HelpKind.choices)
    wanted = forms.CharField(
        label=lazy("希望提供"),
        max_length=200,
        help_text=lazy("单位回应以前就能看到，例如“临时救助金”“一个保洁岗位”。不写姓名、电话。"),
    )
    version = version()

    def build(self) -> None:
        reported = reported_units(self.obj)
        self.fields["units"] = RowsField(
            queryset=reported,
            label=_("在本社区报到的单位"),
            required=False,
            help_text=_("可以选几个，各帮各的。一个单位帮几样的，分几次邀请。"),
        )
        self.fields["other"] = unit_field(
            self.user, label=_("别的单位"), required=False, help_text=_("没有报到的也可以请，填名称中的几个字。")
        )
        if not reported.exists():
            del self.fields["units"]
        self.order_fields(["units", "other", "kind", "wanted", "version"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        other = data.pop("other", None)
        units = [*(data.get("units") or ()), *([other] if other else [])]
        if not units and not self.errors:
            self.add_error("units" if "units" in self.fields else "other", _("请选择至少一个单位。"))
        return {**data, "units": list({unit.pk: unit for unit in units}.values())}


class NoteForm(DeedForm):
    text = _area(lazy("情况"))
    version = version()


class ReviewForm(NoteForm):
    text = _area(lazy("回看情况"))
    review_on = forms.DateField(label=lazy("下次回看"), widget=date_input(), initial=_in(REVIEW_DAYS))

    field_order = ["text", "review_on", "version"]


class ChangeForm(DeedForm):
    title = forms.CharField(label=lazy("事由"), max_length=60)
    text = _area(lazy("困难情况"), required=False)
    version = version()


class HelpsField(RowsField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.unit.label}（{obj.get_kind_display()}，{obj.get_state_display()}）"


class CloseForm(DeedForm):
    result = _area(lazy("帮扶成效"))
    version = version()

    def build(self) -> None:
        running = Help.objects.filter(case=self.obj, state__in=OPEN_HELPS).select_related("unit").order_by("pk")
        if running.exists():
            self.fields["ended"] = HelpsField(
                queryset=running,
                label=_("还没有帮完的"),
                required=False,
                help_text=_("选上的随结案终止，并告诉这些单位；有没选的就不能结案。"),
            )
            self.order_fields(["ended", "result", "version"])


class ReopenForm(NoteForm):
    text = _area(lazy("又有什么困难"))


class ConfirmForm(DeedForm):
    version = version()


class AcceptForm(DeedForm):
    due_on = forms.DateField(label=lazy("哪天以前办到"), widget=date_input(), initial=_in(HELP_DAYS))
    text = _area(lazy("打算怎么帮"), required=False, help_text=lazy("可以不填。不写姓名、电话。"))
    version = version()


class ReportForm(DeedForm):
    text = _area(lazy("进展"))
    due_on = forms.DateField(
        label=lazy("改到哪天以前办到"), widget=date_input(), required=False, help_text=lazy("不改的不用填。")
    )
    version = version()


class FinishForm(DeedForm):
    result = _area(lazy("帮了什么"))
    version = version()


class LeaveForm(DeedForm):
    text = _area(lazy("要交代的话"), required=False, help_text=lazy("可以不填，不用说明理由。不写姓名、电话。"))
    version = version()


class EndForm(DeedForm):
    text = _area(lazy("为什么终止"))
    version = version()


def _of_case(action: Any) -> Any:
    def run(*, actor: Any, obj: HelpCase, **data: Any) -> None:
        action(actor=actor, case=obj, **data)

    return run


def _of_help(action: Any) -> Any:
    def run(*, actor: Any, obj: Help, **data: Any) -> None:
        action(actor=actor, help=obj, **data)

    return run


def _open(*, actor: Any, obj: None, **data: Any) -> HelpCase:
    return actions.open_case(actor=actor, **data)


OPEN = Deed(
    "add",
    lazy("建立个案"),
    posts.MANAGE_CASE,
    OpenForm,
    _open,
    lazy("已建立个案，请邀请单位。"),
    help=lazy("一户突然有难，请几个单位一起帮。只有本社区和接受了帮扶的单位看得到内容，街道、县里、邻居都看不到。"),
    tone="main",
)


def _guarded(deed: Deed) -> Deed:
    """The button stands only where the guard of its move lets anybody pass: these guards look at the case alone."""
    guard = CASE.get(deed.name).guard
    assert guard is not None
    return replace(deed, offered=lambda obj: obj.state == CaseState.CLOSED and guard(obj, SYSTEM) is None)


def main_deed(case: HelpCase, helps: Sequence[Help]) -> str:
    """The name of the next step of the community in an open case: to look again when the day has come, to close when
    everybody has helped, else to ask somebody."""
    if case.review_on is not None and case.review_on <= timezone.localdate():
        return "review"
    over = not any(row.state in OPEN_HELPS for row in helps)
    return "close" if over and any(row.state == HelpState.DONE for row in helps) else "ask"


# In the order of their buttons.
CASE_DEEDS = (
    deed_of(CASE, "ask", AskForm, _of_case(actions.ask_help)),
    deed_of(CASE, "note", NoteForm, _of_case(actions.note_case)),
    deed_of(CASE, "review", ReviewForm, _of_case(actions.review_case)),
    deed_of(CASE, "change", ChangeForm, _of_case(actions.change_case)),
    deed_of(CASE, "close", CloseForm, _of_case(actions.close_case)),
    _guarded(deed_of(CASE, "reopen", ReopenForm, _of_case(actions.reopen_case))),
    _guarded(deed_of(CASE, "erase", ConfirmForm, _of_case(actions.erase_case))),
)
HELP_DEEDS = (
    deed_of(HELP, "accept", AcceptForm, _of_help(actions.accept_help)),
    deed_of(HELP, "report", ReportForm, _of_help(actions.report_help)),
    deed_of(HELP, "finish", FinishForm, _of_help(actions.finish_help)),
    deed_of(HELP, "decline", ConfirmForm, _of_help(actions.decline_help)),
    deed_of(HELP, "leave", LeaveForm, _of_help(actions.leave_help)),
    deed_of(HELP, "withdraw", ConfirmForm, _of_help(actions.withdraw_help)),
    deed_of(HELP, "end", EndForm, _of_help(actions.end_help)),
)
