"""A bulletin as a Word file in the layout of official documents. Of a published one it says what was frozen then, so that
the paper of last year is still the same paper. Source: docs/domain.md#z8, docs/practice.md#habits."""

from django.utils.translation import gettext as _

from core.documents import OfficialDocument
from core.periods import date_words
from services.models import Bulletin, BulletinState
from services.rate_deeds import tables
from services.selectors.bulletins import number_words, said, span_words

_NUMBERS = ("一", "二", "三", "四")
# In millimetres; the page holds 156.
_RATES = (12, 33, 37, 37, 37)
_ITEMS = (12, 34, 28, 24, 34, 24)


def paper(bulletin: Bulletin) -> bytes:
    """The bulletin; a draft says that it is one."""
    found = said(bulletin)
    draft = (
        ""
        if bulletin.state == BulletinState.PUBLISHED
        else _("（%(state)s）") % {"state": bulletin.get_state_display()}
    )
    document = OfficialDocument(bulletin.title + draft)
    document.line(number_words(bulletin))
    document.paragraph(
        _("现将%(span)s登记的需求办理情况通报如下。各项比率后为分子、分母和经审核剔除的件数；不足 10 件的不作排名。")
        % {"span": span_words(bulletin)}
    )
    parts = tables(found)
    for number, part, widths in zip(_NUMBERS, parts, (_RATES, _ITEMS, _ITEMS), strict=False):
        document.heading(f"{number}、{part.title}")
        if part.rows:
            document.table([str(column) for column in part.columns], part.rows, widths)
        else:
            document.paragraph(str(part.empty))
    if bulletin.text:
        document.heading(f"{_NUMBERS[len(parts)]}、{_('工作要求')}")
        document.paragraph(bulletin.text)
    issued = date_words(bulletin.published_at) if bulletin.published_at else ""
    document.signature(bulletin.county.department or bulletin.county.name, issued)
    return document.content()
