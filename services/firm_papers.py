"""The sheet on which a property firm is reviewed (述职评议), as a Word file: its figures in a place and period, what it was late
with, what the community said of it, and room for the meeting's word. Source: docs/domain.md#c5, docs/practice.md#habits."""

from django.utils import timezone
from django.utils.translation import gettext as _

from core.documents import OfficialDocument
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.periods import date_words
from services.selectors.firms import Board, FirmLine, late_orders
from services.selectors.rates import RATES

MOST = 50
# In millimetres; the page holds 156.
_COUNTS = (26,) * 6
_LATE = (36, 60, 30, 30)
_VOTES = (39,) * 4


def review(found: Board, line: FirmLine, *, by: str) -> bytes:
    """The sheet of one firm.

    Args:
        found: of the place and period the review is about; line: the firm's in it. by: who holds the review.
    """
    assert found.period is not None
    figures = line.figures
    document = OfficialDocument(_("物业企业述职评议表"))
    where = found.place.path if found.place else found.county.name
    document.paragraph(_("物业企业：%(firm)s") % {"firm": line.firm.name})
    document.paragraph(_("评议范围：%(where)s，%(period)s登记的需求") % {"where": where, "period": found.period.label})
    document.paragraph(
        _("在管小区 %(compounds)d 个，%(homes)s 户") % {"compounds": line.compounds, "homes": f"{line.homes:,}"}
    )
    document.heading(_("一、办理情况"))
    titles = [_("物业指导"), _("转办"), _("已办结"), _("办理中"), _("超期"), _("已退回")]
    orders = [figures.orders[name] for name in ("finished", "open", "late", "returned")]
    document.table(titles, [[figures.advice, figures.passed, *orders]], _COUNTS)
    for name, measure in RATES.items():
        rate = figures.rate(name)
        basis = f"（{rate.basis}）" if rate.basis else ""
        document.paragraph(f"{measure.label}：{rate.words}{basis}")
    document.paragraph(_("居民确认解决：%(count)d 人次") % {"count": figures.heard})
    graded = figures.graded
    document.paragraph(
        _("社区评价：%(count)d 次，满意 %(satisfied)d，基本满意 %(fairly)d，不满意 %(dissatisfied)d")
        % {
            "count": graded.count,
            "satisfied": graded.satisfied,
            "fairly": graded.fairly,
            "dissatisfied": graded.dissatisfied,
        }
    )
    document.heading(_("二、超期事项"))
    late = late_orders(found.county, found.place, found.period, line.firm)[:MOST]
    rows = [
        [
            row.demand.code,
            scrub_phone_numbers(scrub_identity_numbers(row.demand.title)),
            date_words(row.due_at) if row.due_at else "",
            date_words(row.finished_at) if row.finished_at else _("未办结"),
        ]
        for row in late
    ]
    if rows:
        document.table([_("编号"), _("事项"), _("时限"), _("办结日期")], rows, _LATE)
    else:
        document.paragraph(_("没有超期事项。"))
    document.heading(_("三、评议结果"))
    document.table([_("好（票）"), _("较好（票）"), _("一般（票）"), _("差（票）")], [["", "", "", ""]], _VOTES)
    document.paragraph(_("整改要求："))
    document.paragraph("")
    document.paragraph("")
    document.signature(by, date_words(timezone.localdate()))
    return document.content()
