from datetime import UTC, date, datetime

import pytest
import time_machine
from django.template import Context, Template
from django.utils.safestring import mark_safe

NOW = datetime(2026, 3, 5, 6, 30, tzinfo=UTC)  # 14:30 in Beijing
FILTERS = ["mask_phone", "mask_name", "cn_date", "cn_datetime", "cn_datetime_full", "time_left", "follow_code"]


def shown(name: str, value: object) -> str:
    return Template("{% load jw %}{{ value|" + name + " }}").render(Context({"value": value}))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("mask_phone", "13812345678", "138****5678"),
        ("mask_name", "张三丰", "张*丰"),
        ("cn_date", date(2026, 3, 5), "2026年3月5日"),
        ("cn_date", datetime(2026, 3, 4, 17, 0, tzinfo=UTC), "2026年3月5日"),
        ("cn_datetime", datetime(2026, 3, 5, 6, 25, tzinfo=UTC), "5 分钟前"),
        ("cn_datetime", datetime(2026, 3, 6, 2, 0, tzinfo=UTC), "明天 10:00"),
        ("cn_datetime_full", datetime(2026, 3, 6, 2, 0, tzinfo=UTC), "2026年3月6日 10:00"),
        ("time_left", datetime(2026, 3, 5, 9, 30, tzinfo=UTC), "还剩 3 小时"),
        ("time_left", datetime(2026, 3, 3, 6, 30, tzinfo=UTC), "超期 2 天"),
        ("follow_code", "384729156602", "3847 2915 6602"),
        ("mask_name", "<b>", "&lt;***"),
    ],
)
def test_a_value_is_shown_the_way_people_read_it(name, value, text):
    with time_machine.travel(NOW, tick=False):
        assert shown(name, value) == text


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_is_shown_as_nothing(name, nothing):
    assert shown(name, nothing) == ""


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ('<td class="field-due">2026年12月13日</td>', True),
        ('<td class="field-state"><span class="chip tone-blue">帮扶中</span></td>', True),
        ('<td class="field-code">20261103-253110</td>', True),
        ('<td class="field-why">因修路停水，居民已经知道，不算超期</td>', False),
    ],
)
def test_a_short_cell_stays_on_one_line_and_a_sentence_does_not(cell: str, kept: bool) -> None:
    drawn = Template("{% load jw %}{{ cell|whole_cell }}").render(Context({"cell": mark_safe(cell)}))
    assert drawn == (cell.replace('">', ' nowrap">', 1) if kept else cell)


def test_a_cell_that_was_not_drawn_is_escaped_like_any_text() -> None:
    drawn = Template("{% load jw %}{% if cell|is_short %}short{% endif %} {{ cell }}").render(Context({"cell": "<b>"}))
    assert drawn == "short &lt;b&gt;"
