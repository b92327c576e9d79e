"""What the API shows of joint meetings and reads about them. Rows are made by plain functions; the serializers are their
schema."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.lists import Shown
from services.models import (
    AgendaItem,
    Attendance,
    ItemState,
    JointMeeting,
    MeetingState,
    Presence,
    Resolution,
    ResolutionKind,
    ResolutionState,
    Theme,
)
from services.selectors.meetings import MeetingFigures, is_late


class MeetingRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    title = serializers.CharField(label=_("会议名称"))
    node = serializers.CharField(label=_("召集地编码"), allow_null=True, help_text=_("空是全县的会议"))
    place = serializers.CharField(label=_("召集地"))
    quarter = serializers.DateField(label=_("季度第一天"))
    held_at = serializers.DateTimeField(label=_("会议时间"))
    venue = serializers.CharField(label=_("会议地点"))
    host = serializers.CharField(label=_("主持人"))
    state = serializers.ChoiceField(label=_("状态"), choices=MeetingState.choices)
    state_label = serializers.CharField(label=_("状态名称"))
    revision = serializers.IntegerField(label=_("议程的版次"), help_text=_("会上有任何变化就加一"))
    version = serializers.IntegerField(label=_("版本"))


class AttendanceRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    unit = serializers.IntegerField(label=_("单位"))
    unit_name = serializers.CharField(label=_("单位名称"))
    state = serializers.ChoiceField(label=_("出席"), choices=Presence.choices)
    person = serializers.CharField(label=_("参会人"))
    note = serializers.CharField(label=_("说明"))
    version = serializers.IntegerField(label=_("版本"))


class ResolutionRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    meeting = serializers.IntegerField(label=_("会议"))
    item = serializers.IntegerField(label=_("议题"))
    item_title = serializers.CharField(label=_("议题名称"))
    kind = serializers.ChoiceField(label=_("形式"), choices=ResolutionKind.choices)
    text = serializers.CharField(label=_("决议"))
    unit = serializers.IntegerField(label=_("责任单位"), allow_null=True)
    unit_name = serializers.CharField(label=_("责任单位名称"))
    owner = serializers.CharField(label=_("责任人"))
    due_on = serializers.DateField(label=_("完成期限"))
    state = serializers.ChoiceField(label=_("状态"), choices=ResolutionState.choices)
    state_label = serializers.CharField(label=_("状态名称"))
    late = serializers.BooleanField(label=_("已到期未落实"))
    done_on = serializers.DateField(label=_("落实日期"), allow_null=True)
    result = serializers.CharField(label=_("落实情况"))
    project = serializers.IntegerField(label=_("项目"), allow_null=True)
    commitment = serializers.IntegerField(label=_("承诺事项"), allow_null=True)
    version = serializers.IntegerField(label=_("版本"))


class AgendaItemRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    meeting = serializers.IntegerField(label=_("会议"))
    order = serializers.IntegerField(label=_("序号"))
    title = serializers.CharField(label=_("议题"))
    text = serializers.CharField(label=_("说明"))
    said = serializers.CharField(label=_("讨论情况"))
    theme = serializers.ChoiceField(label=_("问题类型"), choices=[("", ""), *Theme.choices])
    state = serializers.ChoiceField(label=_("状态"), choices=ItemState.choices)
    state_label = serializers.CharField(label=_("状态名称"))
    unit = serializers.IntegerField(label=_("认领单位"), allow_null=True)
    unit_name = serializers.CharField(label=_("认领单位名称"))
    demand = serializers.CharField(label=_("需求编号"), allow_null=True)
    project = serializers.CharField(label=_("项目编号"), allow_null=True)
    version = serializers.IntegerField(label=_("版本"))


class AgendaItemDetail(AgendaItemRow):
    resolutions = ResolutionRow(label=_("决议"), many=True)


class MeetingDetail(MeetingRow):
    summary = serializers.CharField(label=_("会议小结"))
    attendances = AttendanceRow(label=_("参会单位"), many=True)
    items = AgendaItemDetail(label=_("议程"), many=True)


class MeetingTotals(Shown):
    """As `selectors.meetings.figures` counts: the pages say the same."""

    held = serializers.IntegerField(label=_("召开会议"))
    problems = serializers.IntegerField(label=_("研究问题"))
    themes = serializers.DictField(label=_("问题类型"), child=serializers.IntegerField())
    leaders = serializers.IntegerField(label=_("领导协调"))
    resolutions = serializers.IntegerField(label=_("决议"))
    done = serializers.IntegerField(label=_("已落实"))
    open = serializers.IntegerField(label=_("落实中"))
    late = serializers.IntegerField(label=_("已到期未落实"))
    dropped = serializers.IntegerField(label=_("不再办理"))


def meeting_row(row: JointMeeting) -> dict[str, Any]:
    return {
        "id": row.pk,
        "title": row.title,
        "node": row.node.code if row.node else None,
        "place": row.node.path if row.node else row.county.name,
        "quarter": row.quarter,
        "held_at": row.held_at,
        "venue": row.venue,
        "host": row.host,
        "state": row.state,
        "state_label": row.get_state_display(),
        "revision": row.revision,
        "version": row.version,
    }


def attendance_row(row: Attendance) -> dict[str, Any]:
    return {
        "id": row.pk,
        "unit": row.unit_id,
        "unit_name": row.unit.name,
        "state": row.state,
        "person": row.person,
        "note": row.note,
        "version": row.version,
    }


def item_row(row: AgendaItem) -> dict[str, Any]:
    return {
        "id": row.pk,
        "meeting": row.meeting_id,
        "order": row.order,
        "title": row.title,
        "text": row.text,
        "said": row.said,
        "theme": row.theme,
        "state": row.state,
        "state_label": row.get_state_display(),
        "unit": row.unit_id,
        "unit_name": row.unit.name if row.unit else "",
        "demand": row.demand.code if row.demand else None,
        "project": row.project.code if row.project else None,
        "version": row.version,
    }


def item_detail(row: AgendaItem) -> dict[str, Any]:
    made = list(row.resolutions.all())
    for one in made:
        one.item = row
    return {**item_row(row), "resolutions": [resolution_row(one) for one in made]}


def resolution_row(row: Resolution) -> dict[str, Any]:
    return {
        "id": row.pk,
        "meeting": row.meeting_id,
        "item": row.item_id,
        "item_title": row.item.title,
        "kind": row.kind,
        "text": row.text,
        "unit": row.unit_id,
        "unit_name": row.unit.name if row.unit else "",
        "owner": row.owner,
        "due_on": row.due_on,
        "state": row.state,
        "state_label": row.get_state_display(),
        "late": is_late(row),
        "done_on": row.done_on,
        "result": row.result,
        "project": row.project_id,
        "commitment": row.commitment_id,
        "version": row.version,
    }


def meeting_detail(row: JointMeeting) -> dict[str, Any]:
    """The meeting must come from `selectors.meetings.table_of`."""
    return {
        **meeting_row(row),
        "summary": row.summary,
        "attendances": [attendance_row(one) for one in row.attendances.all()],
        "items": [item_detail(one) for one in row.items.all()],
    }


def totals_row(found: MeetingFigures) -> dict[str, Any]:
    names = ("held", "problems", "themes", "leaders", "resolutions", "done", "open", "late", "dropped")
    return {name: getattr(found, name) for name in names}


class ClaimInput(serializers.Serializer[Any]):
    unit = serializers.IntegerField(label=_("认领单位"), required=False, min_value=1, max_value=10**18)
    version = serializers.IntegerField(label=_("版本"), required=False)


class ReleaseInput(serializers.Serializer[Any]):
    version = serializers.IntegerField(label=_("版本"), required=False)


class ResolveInput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(label=_("形式"), choices=ResolutionKind.choices)
    text = serializers.CharField(label=_("决议"), max_length=300)
    # Left to the action, so that every face says the same of a resolution without an owner.
    owner = serializers.CharField(label=_("责任人"), required=False, allow_blank=True, default="", max_length=60)
    due_on = serializers.DateField(label=_("完成期限"), required=False, allow_null=True, default=None)
    unit = serializers.IntegerField(label=_("责任单位"), required=False, min_value=1, max_value=10**18)
    version = serializers.IntegerField(label=_("版本"), required=False)


class FinishInput(serializers.Serializer[Any]):
    result = serializers.CharField(label=_("落实情况"), max_length=500)
    version = serializers.IntegerField(label=_("版本"), required=False)
