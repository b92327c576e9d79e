"""What units and communities are told about check-ins. Readers are found when a notice is delivered."""

import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import notices
from core.notices import Message
from core.periods import date_words
from services import posts
from services.models import CheckInApplication, UnitCheckIn

t = gettext_lazy

# Move of an application -> whether the community reads of it (else the unit), and what.
MOVES: dict[str, tuple[bool, Any]] = {
    "apply": (True, t("有单位申请报到")),
    "reapply": (True, t("单位补充后再次申请报到")),
    "withdraw": (True, t("单位撤回了报到申请")),
    "accept": (False, t("报到已接收，可以打印回执")),
    "send_back": (False, t("报到申请退回，请补充")),
    "decline": (False, t("报到申请没有接收")),
}
OF_CHECKIN: dict[str, Any] = {
    "started": t("社区已为您单位登记报到"),
    "changed": t("您单位的报到有改动"),
    "ended": t("您单位的报到已结束"),
}
WAITING, SENT_BACK = "checkin_waiting", "checkin_sent_back_waiting"
RUNS_OUT, RUN_OUT_THERE = "checkin_runs_out", "checkin_runs_out_there"


def register() -> None:
    """Gives every kind its name; called once from `apps.py`."""
    for name, (_community, words) in MOVES.items():
        notices.register_kind(f"checkin_{name}", words, outside=name in {"apply", "send_back"})
    for name, words in OF_CHECKIN.items():
        notices.register_kind(f"checkin_{name}", words)
    notices.register_kind(WAITING, t("报到申请等待过久，请接收或退回"))
    notices.register_kind(SENT_BACK, t("报到申请等您补充"))
    notices.register_kind(RUNS_OUT, t("报到协议到期，请续签"))
    notices.register_kind(RUN_OUT_THERE, t("有单位的报到协议到期"))


def moved(name: str, row: CheckInApplication) -> Message:
    """After a move of an application, to the other side."""
    to_community, words = MOVES[name]
    audience = _community(row.node.community_id or row.node_id) if to_community else _unit(row.unit_id)
    link = f"/admin/services/checkinapplication/{row.pk}/change/" if to_community else application_link(row)
    body = _("%(unit)s，%(place)s") % {"unit": row.unit.name, "place": row.node.path}
    if row.reason and not to_community:
        body = _("%(about)s。社区的意见：%(reason)s") % {"about": body, "reason": row.reason}
    return Message(
        kind=f"checkin_{name}",
        title=f"{words}：{row.unit.label if to_community else row.node.name}",
        body=body,
        link=link,
        audience=audience,
        key=f"checkin_application:{row.pk}:{name}:{row.version}",
    )


def started(row: UnitCheckIn) -> Message:
    return _of_checkin("started", row)


def changed(row: UnitCheckIn) -> Message:
    return _of_checkin("changed", row)


def ended(row: UnitCheckIn) -> Message:
    return _of_checkin("ended", row)


def waiting(community_id: int, number: int, day: datetime.date) -> Message:
    """The day's one reminder to a community that units wait for an answer."""
    return Message(
        kind=WAITING,
        title=_("有 %(number)d 份报到申请等待超过 3 个工作日，请接收或退回") % {"number": number},
        link="/admin/services/checkinapplication/?state=applied",
        audience=_community(community_id),
        key=f"community:{community_id}:checkins_wait:{day:%Y%m%d}",
    )


def to_complete(row: CheckInApplication, week: str) -> Message:
    """The week's reminder to a unit that its application was sent back."""
    return Message(
        kind=SENT_BACK,
        title=_("报到申请等您补充：%(place)s") % {"place": row.node.name},
        body=_("社区的意见：%(reason)s。不再报到的，请撤回申请。") % {"reason": row.reason},
        link=application_link(row),
        audience=_unit(row.unit_id),
        key=f"checkin_application:{row.pk}:sent_back:{week}",
    )


def runs_out(row: UnitCheckIn, day: datetime.date) -> Message:
    """The month's reminder to a unit whose agreement runs out, or has."""
    assert row.until is not None
    words = _("报到协议%(day)s到期，请续签：%(place)s")
    if row.until < day:
        words = _("报到协议已于%(day)s到期，请续签：%(place)s")
    return Message(
        kind=RUNS_OUT,
        title=words % {"day": date_words(row.until), "place": row.node.name},
        body=_("到期以后报到仍然有效，续签后协议才接得上。不再共建的，请社区结束报到。"),
        link=checkin_link(row),
        audience=_unit(row.unit_id),
        key=f"checkin:{row.pk}:runs_out:{day:%Y%m}",
    )


def run_out_there(community_id: int, number: int, day: datetime.date) -> Message:
    """The month's one reminder to a community of the agreements that run out, or have."""
    return Message(
        kind=RUN_OUT_THERE,
        title=_("有 %(number)d 个单位的报到协议将到期或已到期，请联系续签或结束报到") % {"number": number},
        link="/admin/services/unitcheckin/?running=out",
        audience=_community(community_id),
        key=f"community:{community_id}:checkins_run_out:{day:%Y%m}",
    )


def application_link(row: CheckInApplication) -> str:
    return f"/m/checkins/applications/{row.pk}/"


def checkin_link(row: UnitCheckIn) -> str:
    return f"/m/checkins/{row.pk}/"


def _of_checkin(name: str, row: UnitCheckIn) -> Message:
    return Message(
        kind=f"checkin_{name}",
        title=f"{OF_CHECKIN[name]}：{row.node.name}",
        body=_("%(place)s，%(role)s") % {"place": row.node.path, "role": row.get_role_display()},
        link=checkin_link(row),
        audience=_unit(row.unit_id),
        key=f"checkin:{row.pk}:{name}:{row.version}",
    )


def _unit(unit_id: int) -> dict[str, Any]:
    return {"unit": {"unit": unit_id, "role": "liaison"}}


def _community(community_id: int) -> dict[str, Any]:
    return {"post": {"right": posts.MANAGE_CHECKIN, "node": community_id}}
