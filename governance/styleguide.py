"""Every component with sample states on one page: where a page builder looks first, and what the look is tested on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.forms import PhotosField
from core.phone import Card, Way

# 60 characters: the longest name a unit or a place may carry.
LONG_NAME = "西乡县城市管理执法局市政设施维护与老旧小区改造联合服务中心驻永乐街道新城社区第十三网格党员志愿服务队暨物业纠纷调解工作站"


class SampleForm(forms.Form):
    title = forms.CharField(label=gettext_lazy("标题"), max_length=60)
    phone = forms.CharField(
        label=gettext_lazy("联系电话"),
        required=False,
        help_text=gettext_lazy("只用于联系您，不会公开。"),
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "numeric", "autocomplete": "tel", "maxlength": "11"}),
    )
    text = forms.CharField(
        label=gettext_lazy("说说情况"),
        help_text=gettext_lazy("在哪里、什么事、多久了。"),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("性质"),
        choices=[("", gettext_lazy("请选择")), ("1", gettext_lazy("求助")), ("2", gettext_lazy("投诉"))],
    )
    solved = forms.ChoiceField(
        label=gettext_lazy("问题解决了吗？"),
        choices=[("yes", gettext_lazy("解决了")), ("no", gettext_lazy("没有解决"))],
        widget=forms.RadioSelect,
    )
    time = forms.MultipleChoiceField(
        label=gettext_lazy("方便的时间"),
        required=False,
        choices=[("1", gettext_lazy("工作日白天")), ("2", gettext_lazy("工作日晚上")), ("3", gettext_lazy("周末"))],
        widget=forms.CheckboxSelectMultiple,
    )
    photo = forms.FileField(
        label=gettext_lazy("拍张照片"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": "image/*"}),
    )
    agree = forms.BooleanField(label=gettext_lazy("同意社区为办理这件事联系我"))


class PictureForm(forms.Form):
    photos = PhotosField(label=gettext_lazy("照片"), required=False, help_text=gettext_lazy("最多 6 张。"))


class Sample:
    """A plain object, as a selector would hand one to a template."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def _when(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=get_current_timezone())


def _events() -> list[Sample]:
    return [
        Sample(what=_("登记"), who=_("居民 · 扫码"), when=_when(3, 5, 9, 12), why=_("三单元一楼水管漏水，已经两天。")),
        Sample(what=_("派单"), who=LONG_NAME, when=_when(3, 5, 10, 40), why=_("牵头：县住建局；配合：阳光物业。")),
        Sample(
            what=_("反馈进展"),
            who=_("王某某 · 县住建局"),
            when=_when(3, 6, 15, 5),
            why=_("已更换阀门，明天回看。"),
            pictures=[Sample(url="/static/img/mark.svg"), Sample(url="/static/img/mark.svg")],
        ),
    ]


def _table() -> dict[str, Any]:
    columns = [
        Sample(label=_("社区"), url="?sort=name"),
        Sample(label=_("受理"), url="?sort=-count", sort="descending", number=True),
        Sample(label=_("响应率"), url="?sort=rate", number=True),
        Sample(label=_("超期"), number=True),
    ]
    rows = [
        [
            Sample(text=name, url="#"),
            Sample(text=count, number=True),
            Sample(text=rate, number=True),
            Sample(text=0, number=True),
        ]
        for name, count, rate in [
            (_("新城社区"), "1,502", "96.4%（1,448/1,502）"),
            (LONG_NAME, "37", "73.0%（27/37）"),
            (_("东关社区"), "0", _("暂无样本")),
        ]
    ]
    totals = [
        Sample(text=_("合计")),
        Sample(text="1,539", number=True),
        Sample(text="", number=True),
        Sample(text=0, number=True),
    ]
    return {"columns": columns, "rows": rows, "totals": totals}


def _categories() -> list[Sample]:
    names = [
        (_("水电气暖"), "water"), (_("环境卫生"), "clean"), (_("道路停车"), "road"), (_("公共安全"), "safety"),
        (_("邻里纠纷"), "talk"), (_("老幼帮扶"), "care"), (_("小区物业"), "building"), (_("其他"), "more"),
    ]  # fmt: skip
    return [Sample(pk=number, name=name, icon=icon) for number, (name, icon) in enumerate(names, 1)]


def _pair() -> Sample:
    picture = Sample(url="#", thumb="/static/img/mark.svg", alt=_("整治前"))
    return Sample(
        remediation=Sample(title=_("更换楼道门禁"), state=Sample(label=_("已完成"))),
        sides=[Sample(label=_("整治前"), pictures=[picture]), Sample(label=_("整治后"), pictures=[])],
    )


def context() -> dict[str, Any]:
    """All samples. Deterministic, so that two pictures of the page can be compared."""
    place = [_("永乐街道"), _("新城社区"), _("阳光小区 3 栋")]
    return {
        "long_name": LONG_NAME,
        "place": place,
        "long_place": [_("永乐街道"), LONG_NAME, LONG_NAME],
        "row_card": Card(
            title=_("老年人理发服务"),
            url="#",
            place=[_("永乐街道"), LONG_NAME],
            chips=[(_("可用"), "green"), (_("剩 3 次"), "grey")],
            meta=[LONG_NAME],
            text=_("每周三上午，自带工具。"),
            action=(_("查看"), "#"),
        ),
        "form": SampleForm(),
        "bad_form": SampleForm({"phone": "12"}, auto_id="bad_%s"),
        "events": _events(),
        "steps": [
            Sample(label=_("已登记"), state="done", when=_("3月5日")),
            Sample(label=_("已受理"), state="done", when=_("3月5日")),
            Sample(label=_("服务中"), state="now"),
            Sample(label=_("已办结"), state="todo"),
            Sample(label=_("已评价"), state="todo"),
        ],
        "picture_form": PictureForm(auto_id="picture_%s"),
        "ways": [
            Way(_("我的包联"), "#", "place", _("3 处"), 2, _("个未解决的问题")),
            Way(LONG_NAME, "#", "care", LONG_NAME, 120, _("件")),
        ],
        "pair": _pair(),
        "table": _table(),
        "page": Paginator(range(100), 25).page(2),
        "categories": _categories(),
        "tones": ["blue", "green", "amber", "red", "grey"],
        "meta": [_("县住建局"), _("3月5日 09:12")],
        "icons": [
            "clock", "check", "on-time", "warning", "overdue", "info", "place", "back", "next", "todo", "report", "lists",
            "me", "camera", "phone", "up", "down", "same", "search", "empty", "home", "water", "power", "clean", "road",
            "safety", "care", "talk", "building", "unit", "chart", "more", "print",
        ],
    }  # fmt: skip


def styleguide(request: HttpRequest) -> HttpResponse:
    """The page. Shows invented samples only, so it needs no sign-in."""
    return render(request, "styleguide.html", context())
