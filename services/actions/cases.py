"""A case of a household in hardship is opened, units are asked, the community looks again and closes it. Source:
docs/domain.md#z9. Each unit's own help is `services.actions.case_helps`.

Locks, in this order: the street of the place, the community, units, the care household, the case, its helps.
"""

import datetime
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, notices, policies
from core.actors import Actor, user_of
from core.codes import new_matter_code
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.moving import advance
from grids.actions import hold_places
from grids.care import add_months
from grids.models import CareHousehold, ConsentKind, GridNode
from grids.posts import VIEW_CARE
from partybuilding.models import Unit
from partybuilding.selectors import liaisons_of
from services import case_notices, posts
from services.actions.case_words import PERSONAL, line, say, words
from services.actions.checkins import locked_units
from services.clocks import clock_for
from services.models import CaseState, Help, HelpCase, HelpKind, HelpState
from services.workflow import CASE

# Days until the community looks again, when it says nothing else; no case is left alone for longer than the most.
REVIEW_DAYS = 30
MOST_REVIEW_DAYS = 180
# Months after closing in which what was written is still there (docs/personal-data.md).
KEPT_MONTHS = 12
ERASED_TITLE = "（内容已清除）"
OPEN_HELPS = (HelpState.ASKED, HelpState.HELPING)
RELATED = ("node__county", "community")
_TRIES = 5


@transaction.atomic
def open_case(
    *,
    actor: Actor,
    node: GridNode,
    title: str,
    text: str = "",
    consent: str,
    consent_on: datetime.date,
    review_on: datetime.date | None = None,
    household: CareHousehold | None = None,
) -> HelpCase:
    """Opens a case at a place inside a community, with the household's consent.

    Args:
        title, text: what happened and what is hard, without names and numbers.
        consent: a key of `ConsentKind`. consent_on: not in the future.
        review_on: when the community looks again; in 30 days when not given.
        household: of the care ledger of that community; nothing is copied from it.

    Raises:
        NotFound, Forbidden: no `case.manage` there, or the household is not in the actor's sight.
        Invalid: a text, a date or the consent is not usable, the place is retired or in no community.
        Conflict: there is such a case already, of this household or of these words at this place.
    """
    user = user_of(actor)
    if user is None:
        raise Forbidden(_("个案由社区的人建立。"))
    (node,) = hold_places(node)
    policies.require(actor, posts.MANAGE_CASE, node)
    if node.is_retired or node.community_id is None:
        raise _bad("node", _("“%(place)s”已撤销或不在社区内，请选社区里的地点。") % {"place": node.path})
    if consent not in ConsentKind.values:
        raise _bad("consent", _("请选择这户怎样同意的。没有同意，不能建个案。"))
    if consent_on > timezone.localdate():
        raise _bad("consent_on", _("同意日期不能晚于今天。"))
    row = HelpCase(
        county_id=node.county_id,
        node=node,
        community_id=node.community_id,
        household=_household(actor, household, node),
        title=line(title, label=_("事由"), field="title", max_length=60),
        text=words(text, label=_("困难情况"), required=False),
        consent=consent,
        consent_on=consent_on,
        opened_by=user,
        review_on=_review_day(review_on or timezone.localdate() + datetime.timedelta(days=REVIEW_DAYS)),
    )
    _refuse_twice(row)
    _write(row)
    shown = ("community_id", "node_id", "title", "text", "consent", "consent_on", "review_on")
    changes = {name: (None, getattr(row, name)) for name in shown if getattr(row, name)}
    audit.record(actor=actor, action="case.open", obj=row, label=row.code, changes=changes, personal=PERSONAL, new=True)
    say(row, "open", _("建立个案"), actor=actor)
    return row


def ask_help(
    *,
    actor: Actor,
    case: HelpCase,
    units: Sequence[Unit],
    kind: str,
    wanted: str,
    version: int | None = None,
) -> list[Help]:
    """Asks one or several units of the county for a kind of help each; they answer when they can, or not at all.

    Args:
        wanted: what is hoped for, at most 200 characters; read by who is asked before it has answered.

    Raises:
        As `core.moving.advance`. Invalid: no unit, one of another county, out of use or without a liaison, no such kind, a
            text that is not usable. Conflict: one is asked or helping in this kind already.
    """
    with transaction.atomic():
        asked = list(locked_units(unit.pk for unit in units).values())
        data = {
            "units": asked,
            "kind": kind,
            "wanted": line(wanted, label=_("希望提供"), field="wanted", max_length=200),
        }
        made: list[Help] = []

        def effect(row: HelpCase, data: Mapping[str, Any]) -> None:
            made.extend(_helps(actor, row, asked, data["kind"], data["wanted"]))

        row = advance(
            CASE,
            case,
            "ask",
            actor=actor,
            data=data,
            version=version,
            effect=effect,
            related=RELATED,
            label=case.code,
            personal=PERSONAL,
        )
        fields = ("case_id", "unit_id", "kind", "wanted", "due_at")
        deeds = [
            audit.Deed(one, {name: (None, getattr(one, name)) for name in fields}, label=row.code, personal=PERSONAL)
            for one in made
        ]
        audit.record_many(actor=actor, action="help.ask", deeds=deeds, new=True)
        for one in made:
            title = _("邀请%(unit)s：%(kind)s") % {"unit": one.unit.label, "kind": one.get_kind_display()}
            say(row, "ask", title, actor=actor, help=one)
        notices.post_many(case_notices.to_unit("asked", one) for one in made)
    return made


def note_case(*, actor: Actor, case: HelpCase, text: str, version: int | None = None) -> HelpCase:
    """The community writes a line that every helping unit reads. Raises as `core.moving.advance`, and Invalid."""

    def effect(row: HelpCase, data: Mapping[str, Any]) -> None:
        say(row, "note", _("社区记录"), actor=actor, text=data["text"])

    return _move(actor, case, "note", {"text": words(text, label=_("情况"))}, version, effect)


def review_case(
    *, actor: Actor, case: HelpCase, text: str, review_on: datetime.date, version: int | None = None
) -> HelpCase:
    """The community has looked again (回看), and says when next. Raises as `note_case`."""

    def effect(row: HelpCase, data: Mapping[str, Any]) -> None:
        row.review_on = data["review_on"]
        say(row, "review", _("社区回看"), actor=actor, text=data["text"])

    data = {"text": words(text, label=_("回看情况")), "review_on": _review_day(review_on)}
    return _move(actor, case, "review", data, version, effect)


def change_case(*, actor: Actor, case: HelpCase, title: str, text: str = "", version: int | None = None) -> HelpCase:
    """Corrects what a case says. Raises as `note_case`."""

    def effect(row: HelpCase, data: Mapping[str, Any]) -> None:
        row.title, row.text = data["title"], data["text"]

    data = {
        "title": line(title, label=_("事由"), field="title", max_length=60),
        "text": words(text, label=_("困难情况"), required=False),
    }
    return _move(actor, case, "change", data, version, effect)


def close_case(
    *, actor: Actor, case: HelpCase, result: str, ended: Collection[Help] = (), version: int | None = None
) -> HelpCase:
    """Closes a case with what came of it. Nobody is asked or helping any more, or their helps are named and end with it.

    Raises as `note_case`. Invalid: a help that is not over is not named (`fields["ended"]`).
    """
    data = {"result": words(result, label=_("帮扶成效"), field="result"), "ended": {one.pk for one in ended}}

    def effect(row: HelpCase, data: Mapping[str, Any]) -> None:
        _end_named(actor, row, data["ended"])
        row.result, row.closed_at, row.review_on = data["result"], timezone.now(), None
        row.erase_on = add_months(timezone.localdate(), KEPT_MONTHS)
        say(row, "close", _("结案"), actor=actor)
        helped = row.helps.filter(state=HelpState.DONE).select_related("case__community").order_by("unit", "pk")
        first = {one.unit_id: one for one in reversed(helped)}
        notices.post_many(case_notices.to_unit("closed", one, period=str(row.version)) for one in first.values())

    return _move(actor, case, "close", data, version, effect)


def reopen_case(*, actor: Actor, case: HelpCase, text: str, version: int | None = None) -> HelpCase:
    """Opens a case again within the county's reopening days. Raises as `note_case`; Conflict later than that."""

    def effect(row: HelpCase, data: Mapping[str, Any]) -> None:
        if row.node.is_retired:
            raise Conflict(_("“%(place)s”已撤销，不能重启，请在新的地点另建个案。") % {"place": row.node.path})
        row.closed_at = row.erase_on = None
        row.result = ""
        row.review_on = timezone.localdate() + datetime.timedelta(days=REVIEW_DAYS)
        say(row, "reopen", _("重启个案"), actor=actor, text=data["text"])

    with transaction.atomic():
        hold_places(case.node)
        return _move(actor, case, "reopen", {"text": words(text, label=_("又有什么困难"))}, version, effect)


def erase_case(*, actor: Actor, case: HelpCase, version: int | None = None) -> HelpCase:
    """Takes every word out of a closed case: its year is over, or the household has withdrawn its consent. What stays are
    kinds, states and days, for the figures. Raises as `core.moving.advance`.
    """

    def effect(row: HelpCase, data: Mapping[str, Any]) -> None:
        row.title, row.text, row.result = ERASED_TITLE, "", ""
        row.household, row.node = None, row.community
        row.erase_on, row.erased_at = None, timezone.now()
        row.helps.update(wanted="", result="")
        row.entries.update(text="")

    return _move(actor, case, "erase", {}, version, effect)


# --- What they share --------------------------------------------------------------------------------------------------


def _move(
    actor: Actor, case: HelpCase, name: str, data: Mapping[str, Any], version: int | None, effect: Any
) -> HelpCase:
    return advance(
        CASE,
        case,
        name,
        actor=actor,
        data=data,
        version=version,
        effect=effect,
        related=RELATED,
        label=case.code,
        personal=PERSONAL,
    )


def _household(actor: Actor, household: CareHousehold | None, node: GridNode) -> CareHousehold | None:
    if household is None:
        return None
    held = CareHousehold.objects.select_for_update(no_key=True, of=("self",)).select_related("node", "community")
    found = held.filter(pk=household.pk).first()
    if found is None:
        raise NotFound(_("关爱台账里没有这户了，可能刚刚被删除。"))
    policies.require(actor, VIEW_CARE, found)
    if found.community_id != node.community_id:
        raise _bad("household", _("这户不在“%(place)s”所在的社区。") % {"place": node.path})
    return found


def _refuse_twice(row: HelpCase) -> None:
    """One open case of a household, and of the same words at a place: a form sent twice opens one."""
    # Whoever opens a case in a community waits for who opens another.
    GridNode.objects.select_for_update(no_key=True).get(pk=row.community_id)
    opened = HelpCase.objects.filter(state=CaseState.OPEN, community_id=row.community_id)
    twin = opened.filter(node=row.node, title=row.title).first()
    if twin is None and row.household is not None:
        twin = opened.filter(household=row.household).first()
    if twin is not None:
        message = _("这里已有没有结案的个案 %(code)s，不用再建，请在那里邀请单位。") % {"code": twin.code}
        raise Conflict(message, code="opened_already")


def _write(row: HelpCase) -> None:
    for attempt in range(_TRIES):
        row.code = new_matter_code(timezone.localdate())
        try:
            with transaction.atomic():
                row.save()
            return
        except IntegrityError:
            # Two cases drew the same random number: draw again.
            if attempt == _TRIES - 1:
                raise


def _helps(actor: Actor, case: HelpCase, units: Sequence[Unit], kind: str, wanted: str) -> list[Help]:
    if kind not in HelpKind.values:
        raise _bad("kind", _("请选择帮扶方式。"))
    user = user_of(actor)
    assert user is not None  # the table lets no other ask
    held = liaisons_of(units)
    for unit in units:
        if not unit.is_active or unit.county_id != case.county_id:
            raise _bad("units", _("“%(unit)s”不是本县在用的单位。") % {"unit": unit})
        if not any(one.user.is_active for one in held[unit.pk]):
            message = _("“%(unit)s”还没有联络员账号，收不到邀请。请先请管理员开通，或换一个单位。")
            raise _bad("units", message % {"unit": unit})
    twin = case.helps.filter(unit__in=units, kind=kind, state__in=OPEN_HELPS).select_related("unit").first()
    if twin is not None:
        message = _("“%(unit)s”已在这个个案里%(state)s：%(kind)s，不用再邀请。") % {
            "unit": twin.unit,
            "state": twin.get_state_display(),
            "kind": twin.get_kind_display(),
        }
        raise Conflict(message, code="asked_already", fields={"units": message})
    clock, now = clock_for(case.county_id), timezone.now()
    due = clock.workdays(now, clock.limits.case_workdays)
    return [
        Help.objects.create(case=case, unit=unit, kind=kind, wanted=wanted, due_at=due, asked_by=user, asked_at=now)
        for unit in units
    ]


def _end_named(actor: Actor, case: HelpCase, named: Collection[int]) -> None:
    """Ends the helps that are named; raises Invalid when one that is not over is not among them."""
    found = case.helps.select_for_update(of=("self",)).filter(state__in=OPEN_HELPS)
    running = list(found.select_related("unit").order_by("pk"))
    left = [row for row in running if row.pk not in named]
    if left:
        units = _("、").join(f"{row.unit.label}（{row.get_kind_display()}）" for row in left)
        message = _("还有单位没有帮完或没有回应：%(units)s。请等他们完成，或选上一起终止。") % {"units": units}
        raise _bad("ended", message)
    deeds, told = [], []
    for row in running:
        before, row.state = row.state, HelpState.ENDED
        row.version += 1
        row.save(update_fields=["state", "version"])
        deeds.append(audit.Deed(row, {"state": (before, row.state)}, label=case.code))
        name, title = ("withdraw", _("撤回邀请")) if before == HelpState.ASKED else ("end", _("结案时终止"))
        say(case, name, f"{title}：{row.unit.label}（{row.get_kind_display()}）", actor=actor, help=row)
        row.case = case
        told.append(case_notices.to_unit("ended", row))
    audit.record_many(actor=actor, action="help.end", deeds=deeds)
    notices.post_many(told)


def _review_day(day: datetime.date) -> datetime.date:
    today = timezone.localdate()
    if not today < day <= today + datetime.timedelta(days=MOST_REVIEW_DAYS):
        raise _bad("review_on", _("下次回看请填明天到 %(days)d 天以内的日期。") % {"days": MOST_REVIEW_DAYS})
    return day


def _bad(field: str, message: str) -> Invalid:
    return Invalid(message, fields={field: message})
