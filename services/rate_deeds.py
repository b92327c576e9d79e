"""What is done with exclusions, the ladder and bulletins, on the desk and on the phone alike: forms and deeds."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Part
from core.deeds import Deed, DeedForm, Foresight, deed_of
from core.errors import NotFound
from core.periods import Month
from grids.admin_people import date_input
from grids.models import County
from grids.policies import CountyScope
from partybuilding.pairing_deeds import version, words
from services import actions, posts
from services.models import Bulletin, BulletinItem, Climb, Demand, RateExclusion
from services.selectors.bulletins import Said, said
from services.selectors.rates import RATES, Rate
from services.workflow import BULLETIN, BULLETIN_ITEM, EXCLUSION, LADDER

NO_NAMES = lazy("不写住户的姓名、电话。")


class Versioned(DeedForm):
    version = version()


# --- Exclusions -----------------------------------------------------------------------------------------------------


class RequestForm(DeedForm):
    demand = forms.CharField(
        label=lazy("需求编号"),
        max_length=20,
        help_text=lazy("例如 20261104-817114。在需求的页面上点“申请剔除”，编号已经填好。"),
    )
    rates = forms.MultipleChoiceField(
        label=lazy("不计入"),
        choices=[(name, one.label) for name, one in RATES.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    reason = words(
        lazy("剔除理由"), help_text=lazy("写清为什么不该计入，例如“停电三天，无法上门”。不写住户的姓名、电话。")
    )


class NoteForm(Versioned):
    note = words(lazy("审核意见"), help_text=NO_NAMES)
    field_order = ("note", "version")


class ReasonForm(Versioned):
    reason = words(lazy("理由"), help_text=NO_NAMES)
    field_order = ("reason", "version")


def _request(*, actor: Any, obj: None, demand: str, rates: list[str], reason: str) -> RateExclusion:
    found = Demand.objects.visible_to(actor).select_related("node", "community").filter(code=demand.strip()).first()
    if found is None:
        raise NotFound(_("没有找到这条需求，或不在您的管辖范围内。"))
    return actions.request_exclusion(actor=actor, demand=found, rates=rates, reason=reason)


def _approve(*, actor: Any, obj: RateExclusion, **data: Any) -> RateExclusion:
    return actions.approve_exclusion(actor=actor, exclusion=obj, **data)


def _reject(*, actor: Any, obj: RateExclusion, **data: Any) -> RateExclusion:
    return actions.reject_exclusion(actor=actor, exclusion=obj, **data)


def _withdraw_exclusion(*, actor: Any, obj: RateExclusion, **data: Any) -> RateExclusion:
    return actions.withdraw_exclusion(actor=actor, exclusion=obj, **data)


def _reverse(*, actor: Any, obj: RateExclusion, **data: Any) -> RateExclusion:
    return actions.reverse_exclusion(actor=actor, exclusion=obj, **data)


REQUEST_EXCLUSION = Deed(
    "add",
    lazy("申请剔除"),
    posts.REQUEST_EXCLUSION,
    RequestForm,
    _request,
    lazy("已申请，等待县级审核。"),
    help=lazy("审核同意以前照常统计。同意以后，各处显示率的地方都会写明剔除了几件。"),
    tone="main",
)
OF_EXCLUSION = (
    deed_of(EXCLUSION, "approve", NoteForm, _approve),
    deed_of(EXCLUSION, "reject", NoteForm, _reject),
    deed_of(EXCLUSION, "withdraw", Versioned, _withdraw_exclusion),
    deed_of(EXCLUSION, "reverse", ReasonForm, _reverse),
)


# --- The ladder -----------------------------------------------------------------------------------------------------


class InstructForm(Versioned):
    text = words(lazy("批示"), help_text=NO_NAMES)
    field_order = ("text", "version")


def _instruct(*, actor: Any, obj: Climb, **data: Any) -> Climb:
    return actions.instruct(actor=actor, climb=obj, **data)


INSTRUCT = deed_of(LADDER, "instruct", InstructForm, _instruct)


# --- Bulletins ------------------------------------------------------------------------------------------------------


class DraftForm(DeedForm):
    title = forms.CharField(label=lazy("标题"), max_length=80)
    since = forms.DateField(label=lazy("统计起"), widget=date_input(), help_text=lazy("按需求登记的日期统计三率。"))
    until = forms.DateField(label=lazy("统计止"), widget=date_input())
    text = forms.CharField(
        label=lazy("工作要求"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=lazy("通报不点名到人：写单位和社区，不写姓名。"),
    )

    def build(self) -> None:
        month = Month.of(timezone.localdate()).previous()
        if self.obj is None:
            self.initial = {
                "title": _("%(month)s需求办理情况通报") % {"month": month.label},
                "since": month.first_day,
                "until": month.last_day,
                **self.initial,
            }


class ChangeForm(DraftForm):
    version = version()


class AddForm(Versioned):
    demand = forms.CharField(
        label=lazy("需求编号"), max_length=20, help_text=lazy("例如 20261104-817114，在需求列表里标题的下面。")
    )
    field_order = ("demand", "version")


class TakeOutForm(Versioned):
    reason = words(lazy("移出理由"))

    def build(self) -> None:
        items = (
            [] if self.obj is None else self.obj.items.select_related("demand__category", "community").order_by("pk")
        )
        choices = [(row.pk, f"{row.demand.code} {row.community.name} {row.demand.category.name}") for row in items]
        self.fields["item"] = forms.TypedChoiceField(label=_("事项"), choices=choices, coerce=int)
        self.order_fields(["item", "reason", "version"])


class AnswerForm(Versioned):
    text = forms.CharField(
        label=lazy("整改情况"), max_length=1000, widget=forms.Textarea(attrs={"rows": 5}), help_text=NO_NAMES
    )
    field_order = ("text", "version")


def county_of(user: Any) -> County:
    """The county whose bulletins the person publishes. Raises NotFound."""
    scopes = policies.scopes(user, posts.PUBLISH_BULLETIN)
    found = County.objects.filter(pk__in=[one.county_id for one in scopes if isinstance(one, CountyScope)]).first()
    if found is None:
        raise NotFound(_("没有找到您可以印发通报的县。"))
    return found


def _draft(*, actor: Any, obj: None, **data: Any) -> Bulletin:
    return actions.draft_bulletin(actor=actor, county=county_of(actor), **data)


def _change(*, actor: Any, obj: Bulletin, **data: Any) -> Bulletin:
    return actions.change_bulletin(actor=actor, bulletin=obj, **data)


def _add(*, actor: Any, obj: Bulletin, **data: Any) -> Bulletin:
    return actions.add_item(actor=actor, bulletin=obj, **data)


def _take_out(*, actor: Any, obj: Bulletin, item: int, **data: Any) -> Bulletin:
    found = obj.items.select_related("demand").filter(pk=item).first()
    if found is None:
        raise NotFound(_("这件事项不在这期通报里。"))
    return actions.take_out(actor=actor, bulletin=obj, item=found, **data)


def _publish(*, actor: Any, obj: Bulletin, **data: Any) -> Bulletin:
    return actions.publish_bulletin(actor=actor, bulletin=obj, **data)


def _foresee_publish(*, actor: Any, obj: Bulletin, **data: Any) -> Foresight:
    """The bulletin as it would go out."""
    found = said(obj)
    return Foresight(
        "admin/bulletin_said.html", {"said_parts": tables(found)}, facts=repr((found, obj.title, obj.text))
    )


def _withdraw(*, actor: Any, obj: Bulletin, **data: Any) -> Bulletin:
    return actions.withdraw_bulletin(actor=actor, bulletin=obj, **data)


def _publishing() -> Deed:
    plain = deed_of(BULLETIN, "publish", Versioned, _publish)
    return Deed(**{**plain.__dict__, "foresee": _foresee_publish})


DRAFT = Deed(
    "add",
    lazy("起草通报"),
    posts.PUBLISH_BULLETIN,
    DraftForm,
    _draft,
    lazy("已起草，超期过久的事项已经列入，请核对。"),
    help=lazy("超期满规定工作日、还没有通报过的需求会自动列入；起草后可以移出、补充，印发前都能改。"),
    tone="main",
)
OF_BULLETIN = (
    _publishing(),
    deed_of(BULLETIN, "add", AddForm, _add),
    deed_of(BULLETIN, "take_out", TakeOutForm, _take_out),
    deed_of(BULLETIN, "change", ChangeForm, _change),
    deed_of(BULLETIN, "withdraw", ReasonForm, _withdraw),
)


def _answer(*, actor: Any, obj: BulletinItem, **data: Any) -> BulletinItem:
    return actions.answer_item(actor=actor, item=obj, **data)


def _settle(*, actor: Any, obj: BulletinItem, **data: Any) -> BulletinItem:
    return actions.settle_item(actor=actor, item=obj, **data)


def _send_back(*, actor: Any, obj: BulletinItem, **data: Any) -> BulletinItem:
    return actions.send_back_item(actor=actor, item=obj, **data)


class SettleForm(NoteForm):
    note = words(lazy("销项意见"), help_text=NO_NAMES)


ANSWER = deed_of(BULLETIN_ITEM, "answer", AnswerForm, _answer)
OF_ITEM = (
    ANSWER,
    deed_of(BULLETIN_ITEM, "settle", SettleForm, _settle),
    deed_of(BULLETIN_ITEM, "send_back", ReasonForm, _send_back),
)


# --- Words ----------------------------------------------------------------------------------------------------------


def rate_words(rate: Rate) -> str:
    """80.0%（8/10，已剔除 2 件）, 样本不足（1/2）, or a dash."""
    return f"{rate.words}（{rate.basis}）" if rate.basis else rate.words


def tables(found: Said) -> list[Part]:
    """What a bulletin says as tables, for page and paper alike: the rates, the matters, what was left open before."""
    rates = [
        [str(line.rank or "—"), line.name, *(rate_words(line.rates[name]) for name in RATES)] for line in found.lines
    ]
    rates.append(["", _("全县"), *(rate_words(found.total[name]) for name in RATES)])
    items = [
        [str(number), one.code, one.community, one.category, one.unit or one.community, _days(one.late_days)]
        for number, one in enumerate(found.items, start=1)
    ]
    carried = [
        [str(number), one.bulletin, one.code, one.community, one.unit or one.community, one.state]
        for number, one in enumerate(found.carried, start=1)
    ]
    return [
        Part(
            _("响应率、解决率、满意率"),
            [_("名次"), _("社区"), *(str(one.label) for one in RATES.values())],
            rates,
        ),
        Part(
            _("超期事项"),
            [_("序号"), _("编号"), _("社区"), _("类别"), _("责任单位"), _("超期")],
            items,
            _("本期没有需要通报的超期事项。"),
        ),
        Part(
            _("往期通报事项整改情况（回头看）"),
            [_("序号"), _("期号"), _("编号"), _("社区"), _("责任单位"), _("整改")],
            carried,
            _("往期通报的事项都已整改销项。"),
        ),
    ]


def _days(number: int) -> str:
    return _("%(number)d 个工作日") % {"number": number}


def rung_chip(climb: Climb) -> tuple[str, str]:
    """The rung a matter stands on, in words and colour."""
    return climb.get_rung_display(), "amber" if climb.rung == "near" else "red"
