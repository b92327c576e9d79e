"""The list behind a figure: which demands a figure counts, and how each stands now."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Invalid, NotFound
from core.periods import Period, Quarter, parse_period
from core.workflow import Text
from governance.dashboard.places import Atlas, Place
from partybuilding.models import Unit
from services.actions.tallies import rows_of
from services.models import Category, Demand
from services.selectors.rates import MEASURES, Measure

PAGE = 25
# Nobody reads a number beyond this, and counting further costs more than the page.
COUNT_CAP = 10_000
_FURTHEST = 10_000

t = gettext_lazy


@dataclass(frozen=True)
class What:
    """What happened to the demands of a list. `where` is called late: it holds subqueries."""

    label: Text
    where: Callable[[], Q]


def _counted(name: str) -> Callable[[], Q]:
    return lambda: rows_of(name)


def _less(whole: str, part: str) -> Callable[[], Q]:
    return lambda: rows_of(whole) & ~rows_of(part)


def _left_out(measure: Measure) -> Text:
    return format_lazy("{} · {}", measure.label, t("已剔除"))


# By the definitions the tally counts with, so that a list is as long as the figure it opens from.
WHAT = {
    "registered": What(t("登记"), _counted("registered")),
    "finished": What(t("办结"), _counted("finished")),
    "in_time": What(t("按时办结"), _counted("finished_in_time")),
    "unfinished": What(t("未办结"), _less("registered", "finished")),
    "declined": What(t("不予受理"), _counted("declined")),
    "response_due": What(t("应响应"), _counted("response_due")),
    "response_met": What(t("按时响应"), _counted("response_met")),
    "response_missed": What(t("未按时响应"), _less("response_due", "response_met")),
    "followed_up": What(t("有效回访"), _counted("followed_up")),
    "solved": What(t("已解决"), _counted("solved")),
    "unsolved": What(t("未解决"), _less("followed_up", "solved")),
    "rated": What(t("有效评价"), _counted("rated")),
    "satisfied": What(t("满意和基本满意"), _counted("satisfied")),
    "unsatisfied": What(t("不满意"), _less("rated", "satisfied")),
    **{one.excluded: What(_left_out(one), _counted(one.excluded)) for one in MEASURES},
}
# A list offers what belongs to the same figure.
FAMILIES = (
    ("registered", "finished", "in_time", "unfinished", "declined"),
    ("response_due", "response_met", "response_missed", "excluded_response"),
    ("followed_up", "solved", "unsolved", "excluded_resolution"),
    ("rated", "satisfied", "unsatisfied", "excluded_satisfaction"),
)
LIGHTS: dict[str, Text] = {
    "late": t("已超期"),
    "soon": t("将到期"),
    "on_time": t("按时"),
    "running": t("在办"),
    "stuck": t("环节超时"),
}


@dataclass(frozen=True)
class Question:
    """What a list was asked for: in a place, either what happened in a period or what runs now."""

    place: Place
    period: Period | None
    what: str
    light: str
    category: Category | None
    unit: Unit | None
    no_unit: bool

    @property
    def label(self) -> str:
        parts = [
            str(LIGHTS[self.light] if self.light else WHAT[self.what].label),
            self.category.name if self.category else "",
            self.unit.label if self.unit else _("尚未派单") if self.no_unit else "",
        ]
        return " · ".join(part for part in parts if part)

    def query(self, **changes: str) -> str:
        """The address of this list, or of one beside it."""
        values = {
            "place": self.place.code,
            "period": self.period.code if self.period else "",
            "what": self.what if not self.light else "",
            "light": self.light,
            "category": str(self.category.pk) if self.category else "",
            "unit": str(self.unit.pk) if self.unit else "0" if self.no_unit else "",
        } | changes
        asked = QueryDict(mutable=True)
        asked.update({name: value for name, value in values.items() if value})
        return asked.urlencode()


def read(user: Any, atlas: Atlas, given: QueryDict, now: datetime.datetime) -> Question:
    """Reads the question from an address. Raises `Invalid` and `NotFound`; nothing is guessed."""
    wanted, asked = given.get("place", ""), given.get("period", "")
    place = atlas.find(wanted) if wanted else atlas.start()
    light, what = given.get("light", ""), given.get("what") or "registered"
    if light and light not in LIGHTS:
        raise Invalid(_("没有“%(word)s”这种颜色。") % {"word": light[:20]}, code="light")
    if what not in WHAT:
        raise Invalid(_("没有“%(word)s”这项数字。") % {"word": what[:20]}, code="what")
    period: Period | None = None
    if asked:
        period = parse_period(asked)
    elif not light:
        period = Quarter.of(now)
    return Question(
        place=place,
        period=period,
        what=what,
        light=light,
        category=_chosen(Category.objects.filter(county_id=place.county_id).visible_to(user), given.get("category")),
        unit=_chosen(Unit.objects.filter(county_id=place.county_id).visible_to(user), given.get("unit")),
        no_unit=given.get("unit") == "0",
    )


def _chosen(rows: Any, value: str | None) -> Any:
    if not value or value == "0":
        return None
    found = rows.filter(pk=number(value)).first()
    if found is None:
        raise NotFound(_("没有找到这个类别或单位。"))
    return found


def number(value: str) -> int:
    """Raises `Invalid`."""
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise Invalid(_("“%(value)s”不是数字。") % {"value": value[:20]}, code="number")
    return int(value)


def demands(user: Any, question: Question, now: datetime.datetime) -> Any:
    """The demands a question is about, most pressing or newest first."""
    rows = Demand.objects.visible_to(user).filter(question.place.inside())
    if question.light:
        rows = _lit(rows, question.light, now)
    else:
        rows = rows.filter(WHAT[question.what].where()).order_by("-registered_at", "-pk")
    if question.period is not None:
        rows = rows.filter(registered_at__gte=question.period.start, registered_at__lt=question.period.end)
    if question.category:
        rows = rows.filter(category=question.category)
    if question.unit or question.no_unit:
        rows = rows.filter(lead_unit=question.unit)
    return rows


def _lit(rows: Any, light: str, now: datetime.datetime) -> Any:
    if light == "stuck":
        return rows.step_late(now).order_by("step_due_at", "pk")
    running = rows.under_limit()
    if light == "late":
        running = rows.late(now)
    elif light == "soon":
        running = rows.due_soon(now)
    elif light == "on_time":
        running = rows.on_time(now)
    return running.order_by("due_at", "pk")


@dataclass(frozen=True)
class Sheet:
    """One page of a list. `count` is no larger than the cap says; `capped` when there are more."""

    rows: list[Any]
    number: int
    has_next: bool
    count: int

    @property
    def words(self) -> str:
        if self.count > COUNT_CAP:
            return _("超过 %(count)s 件") % {"count": f"{COUNT_CAP:,}"}
        return _("共 %(count)s 件") % {"count": f"{self.count:,}"}


def sheet(rows: Any, asked: str) -> Sheet:
    """A page of 25. Raises `Invalid` for a page that is none, `NotFound` beyond the end."""
    page = number(asked) if asked else 1
    if not 1 <= page <= _FURTHEST:
        raise NotFound(_("没有这一页。"))
    start = (page - 1) * PAGE
    found = list(rows[start : start + PAGE + 1])
    if not found and page > 1:
        raise NotFound(_("没有这一页。"))
    has_next = len(found) > PAGE
    count = rows.order_by()[: COUNT_CAP + 1].count() if has_next else start + len(found)
    return Sheet(found[:PAGE], page, has_next, count)
