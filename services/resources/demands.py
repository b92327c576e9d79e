"""The table by which demands come in: its columns, its empty form, and how a row stands on a demand.

Who does what (docs/decisions/0003-one-way-to-import.md): `core.spreadsheets` reads and writes the files, the resource
here carries a row onto a demand and says in which columns two demands differ, `services.actions.importing` decides and
writes. The columns are those of an ordinary petition-desk export (docs/guide/import.md).
"""

import re
from collections.abc import Sequence
from typing import Any

from django.db.models import CharField, TextField
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.resources import ModelResource

from core.spreadsheets import Column, write_template
from services.models import Demand

# Longer than a title may be: a long one is shortened, not refused (see `services.actions.import_rows`).
LONGEST_TITLE = 500
# What a cell of a workbook holds.
LONGEST_CELL = 32767

_PLAIN = re.compile(r"[\W_]+")
_FINISHED = frozenset(
    [
        *("办结", "已办结", "按期办结", "超期办结", "正常办结", "已办结归档", "归档", "已归档", "结案", "已结案"),
        *("完成", "已完成", "办理完成", "处理完成", "办理完毕", "完结", "已完结", "已办理", "已办完", "已处理"),
        *("已解决", "已结束", "已关闭", "是"),
    ]
)

NUMBER, DAY, CHANNEL, NATURE, PLACE, TITLE, TEXT = "编号", "日期", "来源渠道", "性质", "地点", "标题", "内容"
# Read, and never stored.
COMMUNITY, STATUS = "所属社区", "办理状态"


def _limit(field: str) -> int:
    found = Demand._meta.get_field(field)
    assert isinstance(found, CharField | TextField) and found.max_length is not None, field
    return found.max_length


def columns() -> tuple[Column, ...]:
    """The columns. Their headers are part of the format, not words of a page, and stay as they are.

    The aliases are those of hotlines (12345) and petition desks. Where an export has several for one thing, the first
    here is read: of days the one on which the resident spoke, of places the one that says most.
    """
    return (
        Column(
            "number",
            NUMBER,
            aliases=(
                *("诉求编号", "工单编号", "工单号", "受理编号", "来件编号", "信访编号", "信访件编号", "信访事项编号"),
                *("事项编号", "受理单号", "工单单号", "流水号", "工单流水号", "受理流水号"),
            ),
            required=True,
            ranked=True,
            max_length=_limit("external_number"),
            note=_("原系统里的编号。同一社区里编号和日期都相同，就是同一件事"),
            example="2026-0315",
            width=18,
        ),
        Column(
            "day",
            DAY,
            aliases=(
                *("反映日期", "反映时间", "诉求日期", "诉求时间", "来电日期", "来电时间", "来信日期", "来信时间"),
                *("来访日期", "来访时间", "信访日期", "信访时间", "来件日期", "来件时间", "提交日期", "提交时间"),
                *("登记日期", "登记时间", "信访登记日期", "信访登记时间", "受理日期", "受理时间", "信访受理日期"),
                *("创建时间", "交办日期", "交办时间", "派单日期", "派单时间"),
            ),
            required=True,
            ranked=True,
            kind="date",
            note=_("居民反映的日期，如 2026-03-05"),
            example="2026-03-05",
            width=14,
        ),
        Column(
            "channel",
            CHANNEL,
            aliases=(
                *("来源", "渠道", "诉求来源", "诉求渠道", "受理渠道", "受理方式", "工单来源", "来件渠道"),
                *("反映渠道", "反映方式", "信访渠道", "信访形式", "信访方式", "信访来源"),
            ),
            ranked=True,
            max_length=_limit("external_channel"),
            note=_("如 网站、电话、微信"),
            example="网站",
        ),
        Column(
            "nature",
            NATURE,
            aliases=("诉求性质", "诉求类型", "工单性质", "工单类型", "诉求目的", "信访目的"),
            ranked=True,
            max_length=_limit("external_nature"),
            note=_("如 投诉、咨询、建议"),
            example="投诉",
        ),
        Column(
            "place",
            PLACE,
            aliases=(
                *("诉求地点", "事发地点", "问题地点", "发生地点", "反映地点", "信访地点", "事发地址", "发生地址"),
                *("问题地址", "诉求地址", "详细地址", "具体地址", "具体位置", "地址", "问题属地"),
                *("所属小区", "小区名称", "小区"),
            ),
            ranked=True,
            max_length=_limit("place_text"),
            note=_("小区、楼栋的名称或编码；不填或认不出，就挂在社区"),
            example="和谐小区 1 号楼",
            width=24,
        ),
        Column(
            "community",
            COMMUNITY,
            aliases=(
                *(
                    "社区",
                    "社区名称",
                    "所在社区",
                    "归属社区",
                    "责任社区",
                    "街道社区",
                    "所属街道社区",
                    "村社区",
                    "所属村社区",
                ),
                *("村（社区）", "所属村（社区）", "社区（村）", "所属社区（村）", "村/社区", "社区/村"),
            ),
            ranked=True,
            offered=False,
            note=_("写着本县另一个社区的行不导入"),
            example="新民社区",
        ),
        Column(
            "title",
            TITLE,
            aliases=(
                *("主题", "诉求标题", "诉求主题", "工单标题", "工单主题", "信访标题", "信访主题", "事项标题"),
                *("事项名称", "问题标题", "来件标题"),
            ),
            ranked=True,
            max_length=LONGEST_TITLE,
            note=_("不填就用内容的第一行；超过 80 字的自动缩短"),
            example="楼道灯不亮",
            width=30,
        ),
        Column(
            "text",
            TEXT,
            aliases=(
                *("诉求内容", "反映内容", "问题描述", "工单内容", "信访内容", "信访事项内容", "来电内容", "来信内容"),
                *("诉求描述", "事项内容", "问题内容", "内容描述", "工单描述", "主要内容", "主要诉求", "反映问题"),
                *("反映情况", "具体内容", "详细内容", "概况信息", "信访概况", "内容摘要", "信访诉求", "信访问题"),
                *("信访事项",),
            ),
            required=True,
            ranked=True,
            kind="text",
            max_length=_limit("text"),
            note=_("最多 2000 字；电话和身份证号导入时自动隐去"),
            example="三楼楼道灯坏了一周，老人晚上上下楼不方便。",
            width=50,
        ),
        Column(
            "status",
            STATUS,
            aliases=(
                *("状态", "工单状态", "处理状态", "诉求状态", "事项状态", "当前状态", "信访状态", "信访件状态"),
                *("信访办理状态", "信访件办理状态"),
                *("办结状态", "是否办结", "办理情况", "办理进度", "处理情况"),
            ),
            ranked=True,
            offered=False,
            # 办理情况 may tell the whole story: that is no status, and no fault either.
            max_length=LONGEST_CELL,
            note=_("写着已办结的行不导入"),
            example="办理中",
        ),
    )


def finished(status: str) -> bool:
    """Whether a cell for the status says that the matter is closed, and nothing else."""
    return _PLAIN.sub("", status) in _FINISHED


def template() -> bytes:
    """The empty form, as a workbook."""
    return write_template(
        columns(),
        title=_("需求"),
        notes=[
            _("地点写小区、楼栋的名称即可，重名时写“和谐小区 1 号楼”；没有地点或认不出的，都挂在社区，原文照存。"),
            _("同一份表格可以反复导入，已经导入过的行不会重复登记。"),
        ],
    )


class DemandResource(ModelResource):
    """A row of the table on a demand. Rows are dicts by header, their values already cleaned."""

    number = Field("external_number", NUMBER)
    day = Field("external_date", DAY)
    channel = Field("external_channel", CHANNEL)
    nature = Field("external_nature", NATURE)
    place = Field("place_text", PLACE)
    title = Field("title", TITLE)
    text = Field("text", TEXT)

    class Meta:
        model = Demand
        fields = ("number", "day", "channel", "nature", "place", "title", "text")
        import_id_fields = ("number", "day")

    @property
    def attributes(self) -> list[str]:
        """The demand's fields that a row fills."""
        return [str(field.attribute) for field in self.get_import_fields()]

    def differing(self, one: Any, other: Any) -> Sequence[str]:
        """The headers of the columns in which two demands are not the same."""
        return [
            str(field.column_name)
            for field in self.get_import_fields()
            if field.get_value(one) != field.get_value(other)
        ]
