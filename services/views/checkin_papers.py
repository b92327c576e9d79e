"""The papers of a check-in: the receipt (回执) for the printer, the co-building agreement (共建协议) as a Word file. For
whoever sees the check-in: the unit's own people, and the community."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.documents import CONTENT_TYPE, OfficialDocument
from core.errors import NotFound
from core.periods import date_words
from grids.naming import steps_of
from services.models import COMMITMENT_COUNTED, CheckInRole, Commitment, UnitCheckIn

# To be filled in by hand.
_BLANK = "_" * 12


@login_required
@require_safe
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """The receipt of a check-in, one sheet of A4."""
    row = find(request.user, pk)
    context = {
        "checkin": row,
        "community": community_name(row),
        "where": where(row),
        "since": date_words(row.start),
        "until": date_words(row.until) if row.until else _("不定期"),
        "ended": date_words(row.end) if row.end else "",
        "today": date_words(timezone.localdate()),
    }
    return render(request, "services/checkins/receipt.html", context)


@login_required
@require_safe
def agreement(request: HttpRequest, pk: int) -> HttpResponse:
    """The agreement, ready to be signed and stamped."""
    row = find(request.user, pk)
    response = HttpResponse(agreement_of(row), content_type=CONTENT_TYPE)
    name = _("共建协议（%(unit)s）.docx") % {"unit": row.unit.label}
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    response.headers["Cache-Control"] = "no-store"
    return response


def find(user: Any, pk: int) -> UnitCheckIn:
    """A check-in in the person's sight. Raises NotFound."""
    rows = UnitCheckIn.objects.visible_to(user)
    row: UnitCheckIn | None = (
        rows.select_related("unit", "node__county", "node__community", "unit_liaison", "community_liaison")
        .filter(pk=pk)
        .first()
    )
    if row is None:
        raise NotFound(_("没有找到这项报到，或不在您的管辖范围内。"))
    return row


def community_name(row: UnitCheckIn) -> str:
    return row.node.community.name if row.node.community else row.node.name


def where(row: UnitCheckIn) -> str:
    """The place in running text, without its street: 东关社区清泉里."""
    return "".join(steps_of(row.node.path)[1:]) or row.node.name


def agreement_of(row: UnitCheckIn) -> bytes:
    """The agreement as a Word file. What was promised stands in it; what is over or moved does not."""
    community, unit = community_name(row), row.unit.name
    paper = OfficialDocument(_("党建共建协议书"))
    paper.line(_("甲方：%(community)s") % {"community": community})
    paper.line(_("乙方：%(unit)s") % {"unit": unit})
    paper.line(_("编号：%(number)s") % {"number": row.number})
    words = {"community": community, "unit": unit, "place": where(row), "start": date_words(row.start)}
    paper.paragraph(
        _("为推动单位与社区共建共治，乙方于%(start)s向%(place)s报到，甲方予以接收。双方经协商，达成以下协议。") % words
    )
    paper.heading(_("一、共建期限"))
    if row.until:
        words["until"] = date_words(row.until)
        paper.paragraph(_("自%(start)s至%(until)s。到期前 30 天内由乙方申请续签。") % words)
    else:
        paper.paragraph(_("自%(start)s起，不定期。") % words)
    paper.heading(_("二、乙方的角色和内容"))
    lead = row.role == CheckInRole.LEAD
    duty = (
        _("乙方为牵头单位，组织报到单位参与治理和服务，并提供：") if lead else _("乙方为配合单位，配合牵头单位，提供：")
    )
    paper.paragraph(duty)
    paper.paragraph(row.brings or _("由双方另行商定。"))
    promises = list(_promises(row))
    if promises:
        paper.paragraph(_("乙方承诺的事项："))
        lines = [
            (number, one.title, one.measure, date_words(one.due_on)) for number, one in enumerate(promises, start=1)
        ]
        paper.table([_("序号"), _("承诺事项"), _("完成标准"), _("完成期限")], lines, (14, 58, 48, 36))
    paper.heading(_("三、双方职责"))
    paper.paragraph(_("甲方及时公布居民需求，提前通知联席会议，确认服务结果，每季度向乙方反馈。"))
    paper.paragraph(_("乙方按时办理认领和派给的事项，组织党员参加服务，每月与甲方联系一次。"))
    paper.heading(_("四、联络"))
    for label, person in ((_("甲方联络员"), row.community_liaison), (_("乙方联络员"), row.unit_liaison)):
        name = person.name if person else _BLANK
        paper.paragraph(_("%(label)s：%(name)s，电话：%(blank)s") % {"label": label, "name": name, "blank": _BLANK})
    paper.heading(_("五、其他"))
    paper.paragraph(_("本协议一式两份，双方各执一份。单位调整或者不再共建的，双方先把没有完成的承诺逐项交接清楚。"))
    for label in (_("甲方（盖章）"), _("乙方（盖章）")):
        paper.signature(_("%(label)s：%(blank)s") % {"label": label, "blank": _BLANK})
    paper.signature(_("____年____月____日"))
    return paper.content()


def _promises(row: UnitCheckIn) -> Any:
    kept = [str(state) for state in COMMITMENT_COUNTED]
    return Commitment.objects.filter(checkin=row, state__in=kept).order_by("due_on", "pk")
