"""Tables of a petition desk as the tests of the import need them: invented, in the shape of real exports."""

import csv
import datetime
import io
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook

HEADERS = ("编号", "日期", "来源渠道", "性质", "地点", "标题", "内容", "答复", "转办次数")
MATTERS = (
    ("投诉", "河道黑臭", "小区北侧的河水发臭，\n夏天蚊虫很多，老人孩子不敢开窗。", "清水河"),
    ("投诉", "深夜施工扰民", "工地凌晨一点还在施工，噪音很大，请有关部门处理。", ""),
    ("建议", "增设车位", "停车位太少，建议把空地划为车位。", "和谐小区"),
    ("咨询", "何时恢复供水", "昨天起停水，“通知”里没有写时间，请问何时恢复？", ""),
    ("举报", "偷工减料", "施工单位不按图纸施工，请核查。", "东大街"),
)

Row = Sequence[Any]


def rows(count: int, *, first: int = 1, since: datetime.date = datetime.date(2019, 1, 7)) -> list[list[Any]]:
    """So many good rows: days with the year first and, for the older half, as 05/03/2016."""
    made = []
    for position in range(count):
        nature, title, text, place = MATTERS[position % len(MATTERS)]
        day = since + datetime.timedelta(days=(position * 37) % 1500)
        shown = f"{day:%Y-%m-%d}" if position % 2 else f"{day:%m/%d/%Y}"
        number = str(first + position)
        made.append(
            [
                number,
                shown,
                "网站",
                nature,
                place,
                f"{title}（{number}）",
                text,
                "您好，已转有关部门。",
                str(position % 4),
            ]
        )
    return made


def as_csv(table: Iterable[Row], *, encoding: str = "utf-8-sig", headers: Row = HEADERS) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([headers, *table])
    return out.getvalue().encode(encoding)


def as_xlsx(table: Iterable[Row], *, headers: Row = HEADERS) -> bytes:
    book = Workbook()
    book.active.append(list(headers))
    for row in table:
        book.active.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
