"""What the API shows of promises, joint activities and ratings, and reads about them. Rows are made by plain functions; the
serializers are their schema."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.asked import BIG
from core.api.lists import Shown
from services.models import (
    Activity,
    ActivityKind,
    Commitment,
    CommitmentState,
    RatingSide,
    Satisfaction,
    ServiceRating,
)
from services.selectors.commitments import Kept, UnitKept
from services.selectors.ratings import Graded
from services.selectors.two_way import Line


class CommitmentRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    title = serializers.CharField(label=_("承诺事项"))
    measure = serializers.CharField(label=_("完成标准"))
    node = serializers.CharField(label=_("受益地点编码"))
    place = serializers.CharField(label=_("受益地点"))
    unit = serializers.IntegerField(label=_("承诺单位"), allow_null=True)
    holder = serializers.CharField(label=_("承诺方"))
    owner = serializers.CharField(label=_("责任人"))
    promised_on = serializers.DateField(label=_("承诺日期"))
    due_on = serializers.DateField(label=_("完成期限"))
    percent = serializers.IntegerField(label=_("进度"))
    state = serializers.ChoiceField(label=_("状态"), choices=CommitmentState.choices)
    state_label = serializers.CharField(label=_("状态名称"))
    done_on = serializers.DateField(label=_("完成日期"), allow_null=True)
    reason = serializers.CharField(label=_("意见"))
    moved_to = serializers.IntegerField(label=_("转接为"), allow_null=True)
    version = serializers.IntegerField(label=_("版本"))


class CommitmentStepRow(Shown):
    at = serializers.DateTimeField(label=_("时间"))
    percent = serializers.IntegerField(label=_("进度"))
    text = serializers.CharField(label=_("进展"))


class CommitmentDetailRow(CommitmentRow):
    steps = CommitmentStepRow(label=_("进展，最新的 200 条"), many=True)


class KeptRow(Shown):
    promised = serializers.IntegerField(label=_("承诺"))
    done = serializers.IntegerField(label=_("完成"))
    percent = serializers.IntegerField(label=_("完成率（%）"), allow_null=True)
    waiting = serializers.IntegerField(label=_("待确认"))
    overdue = serializers.IntegerField(label=_("超期"))
    dropped = serializers.IntegerField(label=_("终止，不计入"))


class UnitKeptRow(KeptRow):
    unit = serializers.IntegerField(label=_("单位"))
    name = serializers.CharField(label=_("单位名称"))


class TwoWayRow(Shown):
    code = serializers.CharField(label=_("地点编码；全县为空"))
    name = serializers.CharField(label=_("地点"))
    units = serializers.IntegerField(label=_("报到单位"))
    lead = serializers.IntegerField(label=_("牵头单位"))
    supporting = serializers.IntegerField(label=_("配合单位"))
    members = serializers.IntegerField(label=_("报到党员"))
    commitments = KeptRow(label=_("承诺事项"))
    activities = serializers.IntegerField(label=_("共建活动"))


class TwoWayBoardRow(TwoWayRow):
    below = TwoWayRow(label=_("下一级"), many=True)
    by_unit = UnitKeptRow(label=_("各单位，按名称"), many=True)


class ActivityRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    title = serializers.CharField(label=_("活动名称"))
    kind = serializers.ChoiceField(label=_("类型"), choices=ActivityKind.choices)
    kind_label = serializers.CharField(label=_("类型名称"))
    node = serializers.CharField(label=_("地点编码"))
    place = serializers.CharField(label=_("地点"))
    held_on = serializers.DateField(label=_("日期"))
    units = serializers.ListField(label=_("参加单位"), child=serializers.CharField())
    people = serializers.IntegerField(label=_("参加人数"), allow_null=True)
    text = serializers.CharField(label=_("活动情况"))
    version = serializers.IntegerField(label=_("版本"))


class RatingRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    side = serializers.ChoiceField(label=_("评价方"), choices=RatingSide.choices)
    unit = serializers.IntegerField(label=_("单位"))
    unit_name = serializers.CharField(label=_("单位名称"))
    community = serializers.CharField(label=_("社区编码"))
    community_name = serializers.CharField(label=_("社区"))
    service = serializers.CharField(label=_("服务：suborder、project 或 commitment"))
    service_id = serializers.IntegerField(label=_("服务编号"))
    grade = serializers.ChoiceField(label=_("评价"), choices=Satisfaction.choices)
    grade_label = serializers.CharField(label=_("评价名称"))
    text = serializers.CharField(label=_("意见"))
    at = serializers.DateTimeField(label=_("评价时间"))


class GradedRow(Shown):
    id = serializers.CharField(label=_("单位编号，或社区编码"))
    name = serializers.CharField(label=_("名称"))
    count = serializers.IntegerField(label=_("评价次数"))
    satisfied = serializers.IntegerField(label=_("满意"))
    fairly = serializers.IntegerField(label=_("基本满意"))
    dissatisfied = serializers.IntegerField(label=_("不满意"))
    percent = serializers.IntegerField(label=_("满意和基本满意（%）；不足 5 次为空"), allow_null=True)


class RatingFiguresRow(Shown):
    units = GradedRow(label=_("社区评单位"), many=True)
    communities = GradedRow(label=_("单位评社区"), many=True)


def commitment_row(row: Commitment) -> dict[str, Any]:
    """A row from a promise with its place, unit and member loaded."""
    return {
        "id": row.pk,
        "title": row.title,
        "measure": row.measure,
        "node": row.node.code,
        "place": row.node.path,
        "unit": row.unit_id,
        "holder": row.holder,
        "owner": row.owner,
        "promised_on": row.promised_on,
        "due_on": row.due_on,
        "percent": row.percent,
        "state": row.state,
        "state_label": row.get_state_display(),
        "done_on": row.done_on,
        "reason": row.reason,
        "moved_to": row.moved_to_id,
        "version": row.version,
    }


def kept_row(kept: Kept) -> dict[str, Any]:
    return {
        "promised": kept.promised,
        "done": kept.done,
        "percent": kept.percent,
        "waiting": kept.waiting,
        "overdue": kept.overdue,
        "dropped": kept.dropped,
    }


def unit_kept_row(one: UnitKept) -> dict[str, Any]:
    return {"unit": one.unit.pk, "name": one.unit.name, **kept_row(one.kept)}


def line_row(line: Line, name: str) -> dict[str, Any]:
    """A line of the board; `name` of the county for the line without a place."""
    return {
        "code": line.place.code if line.place else "",
        "name": line.place.name if line.place else name,
        "units": line.units,
        "lead": line.lead,
        "supporting": line.supporting,
        "members": line.members,
        "commitments": kept_row(line.kept),
        "activities": line.activities,
    }


def activity_row(row: Activity) -> dict[str, Any]:
    """A row from an activity with its place and units loaded."""
    return {
        "id": row.pk,
        "title": row.title,
        "kind": row.kind,
        "kind_label": row.get_kind_display(),
        "node": row.node.code,
        "place": row.node.path,
        "held_on": row.held_on,
        "units": sorted(unit.name for unit in row.units.all()),
        "people": row.people,
        "text": row.text,
        "version": row.version,
    }


def rating_row(row: ServiceRating) -> dict[str, Any]:
    service = "suborder" if row.suborder_id else "project" if row.project_id else "commitment"
    return {
        "id": row.pk,
        "side": row.side,
        "unit": row.unit_id,
        "unit_name": row.unit.name,
        "community": row.community.code,
        "community_name": row.community.name,
        "service": service,
        "service_id": getattr(row, f"{service}_id"),
        "grade": row.grade,
        "grade_label": row.get_grade_display(),
        "text": row.text,
        "at": row.at,
    }


def graded_row(key: object, name: str, found: Graded) -> dict[str, Any]:
    return {
        "id": str(key),
        "name": name,
        "count": found.count,
        "satisfied": found.satisfied,
        "fairly": found.fairly,
        "dissatisfied": found.dissatisfied,
        "percent": found.percent,
    }


class CommitmentInput(serializers.Serializer[Any]):
    """`unit` empty: the caller promises as a party member."""

    unit = serializers.IntegerField(label=_("承诺单位"), required=False, min_value=1, max_value=BIG)
    node = serializers.CharField(label=_("受益地点编码"), max_length=60)
    title = serializers.CharField(label=_("承诺事项"), max_length=100)
    measure = serializers.CharField(label=_("完成标准"), max_length=200)
    owner = serializers.CharField(label=_("责任人"), max_length=60)
    due_on = serializers.DateField(label=_("完成期限"))


class _Versioned(serializers.Serializer[Any]):
    version = serializers.IntegerField(label=_("版本"), required=False)


class CommitmentProgressInput(_Versioned):
    percent = serializers.IntegerField(label=_("进度"), min_value=0, max_value=100)
    text = serializers.CharField(label=_("进展"), max_length=500)


class CommitmentReportInput(_Versioned):
    text = serializers.CharField(label=_("完成情况"), max_length=500)


class CommitmentConfirmInput(_Versioned):
    pass


class CommitmentReasonInput(_Versioned):
    reason = serializers.CharField(label=_("理由"), max_length=500)


class CommitmentMoveInput(_Versioned):
    unit = serializers.IntegerField(label=_("接手单位"), min_value=1, max_value=BIG)
    reason = serializers.CharField(label=_("理由"), required=False, allow_blank=True, max_length=500)


class CommitmentStepInput(_Versioned):
    """What each move takes: progress percent and text; report text; send_back and drop reason; move unit."""

    percent = serializers.IntegerField(label=_("进度"), required=False)
    text = serializers.CharField(label=_("进展"), required=False)
    unit = serializers.IntegerField(label=_("接手单位"), required=False)
    reason = serializers.CharField(label=_("理由"), required=False)


class ActivityInput(serializers.Serializer[Any]):
    node = serializers.CharField(label=_("地点编码"), max_length=60)
    kind = serializers.ChoiceField(label=_("类型"), choices=ActivityKind.choices)
    title = serializers.CharField(label=_("活动名称"), max_length=80)
    held_on = serializers.DateField(label=_("日期"))
    units = serializers.ListField(
        label=_("参加单位编号"), child=serializers.IntegerField(min_value=1, max_value=BIG), max_length=200
    )
    people = serializers.IntegerField(label=_("参加人数"), required=False, allow_null=True)
    text = serializers.CharField(label=_("活动情况"), required=False, allow_blank=True, max_length=500)


class RatingInput(serializers.Serializer[Any]):
    side = serializers.ChoiceField(label=_("评价方"), choices=RatingSide.choices)
    service = serializers.ChoiceField(label=_("服务"), choices=["suborder", "project", "commitment"])
    service_id = serializers.IntegerField(label=_("服务编号"), min_value=1, max_value=BIG)
    unit = serializers.IntegerField(label=_("项目的哪个单位"), required=False, min_value=1, max_value=BIG)
    grade = serializers.ChoiceField(label=_("评价"), choices=Satisfaction.choices)
    text = serializers.CharField(label=_("意见"), required=False, allow_blank=True, max_length=500)
