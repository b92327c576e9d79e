"""The county's people as a ledger, their telephones masked; and what a person holds, in words."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.models import User
from core.sheets.base import Progress
from core.spreadsheets import LedgerColumn
from governance.accounts.people import BATCH
from grids.models import Appointment
from grids.naming import SEPARATOR, steps_of
from grids.posts import VIEW_ACCOUNT
from grids.resources.base import GridSheet
from partybuilding.models import UnitMembership


def with_holdings(rows: QuerySet[User]) -> QuerySet[User]:
    """Accounts with what they hold today read along, two queries however many; for `held_words`."""
    posts = Appointment.objects.current().select_related("node", "county")
    units = UnitMembership.objects.current().select_related("unit")
    return rows.select_related("member__unit").prefetch_related(
        Prefetch("appointments", posts, to_attr="posts_now"), Prefetch("unit_memberships", units, to_attr="units_now")
    )


def held_words(user: Any) -> str:
    """网格员（白龙塘社区 · 第一网格）；县住建局联络员；党员（县住建局）"""
    posts = [f"{row.post_label}（{_short(row)}）" for row in user.posts_now]
    units = [f"{row.unit.label}{row.get_role_display()}" for row in user.units_now]
    return "；".join([*posts, *units, *_membership(user)])


def _membership(user: User) -> Sequence[str]:
    member = getattr(user, "member", None)
    if member is None or not member.is_active:
        return ()
    return (_("党员（%(unit)s）") % {"unit": member.unit.label} if member.unit else _("党员"),)


def _short(row: Appointment) -> str:
    """Where a post is held, without the street, which the community tells."""
    if row.node is None:
        return row.place
    steps = steps_of(row.node.path)
    return SEPARATOR.join(steps[1:] or steps)


class PeopleLedger(GridSheet):
    """Goes out only: people come in by the tables of `people`."""

    key = "people"
    label = gettext_lazy("人员")
    export_right = VIEW_ACCOUNT

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("姓名"), "centre"),
            LedgerColumn(_("手机号码"), "centre", width=16),
            LedgerColumn(_("岗位和单位")),
            LedgerColumn(_("密码"), "centre"),
            LedgerColumn(_("状态"), "centre"),
            LedgerColumn(_("开通日期"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            found = {user.pk: user for user in with_holdings(User.objects.visible_to(actor).filter(pk__in=some))}
            for user in (found[pk] for pk in some if pk in found):
                yield (
                    user.name,
                    user.masked_phone,
                    held_words(user),
                    _("首次密码未改") if user.must_change_password else _("已改"),
                    _("在用") if user.is_active else _("停用"),
                    user.created_at,
                )
            progress(start + len(some), len(ids))
