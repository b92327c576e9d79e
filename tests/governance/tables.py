"""Tables of people as a cadre sends them, and what an import could have written."""

import io
from typing import Any

from openpyxl import Workbook

from core.models import AuditEntry, User
from grids.models import Appointment
from partybuilding.models import Member, UnitMembership

HEADERS = {
    "cadres": ["姓名", "手机号码", "岗位", "任职地", "任职日期"],
    "liaisons": ["姓名", "手机号码", "单位", "角色"],
    "members": ["姓名", "手机号码", "单位", "支部", "开通账号"],
}


def book(kind: str, *rows: list[Any], headers: list[str] | None = None) -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(headers or HEADERS[kind])
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def everything() -> tuple[int, ...]:
    models = (User, Appointment, UnitMembership, Member, AuditEntry)
    return tuple(model._default_manager.count() for model in models)
