"""What the API shows of pairings and reads about them. Rows are made by plain functions; the serializers are their schema."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.lists import Shown
from partybuilding.models import Pairing, PairingKind, PairingProblem, PairingVisit


class PairingRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    kind = serializers.ChoiceField(label=_("包联类型"), choices=PairingKind.choices)
    kind_label = serializers.CharField(label=_("类型名称"))
    node = serializers.CharField(label=_("地点编码"))
    place = serializers.CharField(label=_("地点"))
    unit = serializers.IntegerField(label=_("单位"), allow_null=True)
    holder = serializers.CharField(label=_("包联单位（人）"))
    duty = serializers.CharField(label=_("包联职责"))
    start = serializers.DateField(label=_("开始日期"))
    end = serializers.DateField(label=_("结束日期"), allow_null=True)
    visits = serializers.IntegerField(label=_("走访次数"))
    last_visit = serializers.DateField(label=_("最近走访"), allow_null=True)
    open_problems = serializers.IntegerField(label=_("未解决的问题"))
    version = serializers.IntegerField(label=_("版本"))


class VisitRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    visited_on = serializers.DateField(label=_("走访日期"))
    text = serializers.CharField(label=_("走访情况"))
    visited_by = serializers.CharField(label=_("记录人"), allow_null=True)
    version = serializers.IntegerField(label=_("版本"))


class ProblemRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    visit = serializers.IntegerField(label=_("走访"), allow_null=True)
    found_on = serializers.DateField(label=_("发现日期"))
    text = serializers.CharField(label=_("问题"))
    solution = serializers.CharField(label=_("解决情况"))
    solved_on = serializers.DateField(label=_("解决日期"), allow_null=True)
    version = serializers.IntegerField(label=_("版本"))


class PairingDetail(PairingRow):
    """`visit_records` and `problems`: the latest 200 of each."""

    visit_records = VisitRow(label=_("走访"), many=True)
    problems = ProblemRow(label=_("问题"), many=True)


def pairing_row(row: Any) -> dict[str, Any]:
    """A row from a pairing with its place and holder loaded and its counts (`with_counts`)."""
    return {
        "id": row.pk,
        "kind": row.kind,
        "kind_label": row.get_kind_display(),
        "node": row.node.code,
        "place": row.node.path,
        "unit": row.unit_id,
        "holder": row.holder,
        "duty": row.duty,
        "start": row.start,
        "end": row.end,
        "visits": row.visit_count,
        "last_visit": row.last_visit,
        "open_problems": row.open_count,
        "version": row.version,
    }


def visit_row(row: PairingVisit) -> dict[str, Any]:
    return {
        "id": row.pk,
        "visited_on": row.visited_on,
        "text": row.text,
        "visited_by": row.visited_by.name if row.visited_by else None,
        "version": row.version,
    }


def problem_row(row: PairingProblem) -> dict[str, Any]:
    return {
        "id": row.pk,
        "visit": row.visit_id,
        "found_on": row.found_on,
        "text": row.text,
        "solution": row.solution,
        "solved_on": row.solved_on,
        "version": row.version,
    }


def pairing_detail(row: Pairing, *, most: int) -> dict[str, Any]:
    return {
        **pairing_row(row),
        "visit_records": [visit_row(one) for one in row.visits.select_related("visited_by")[:most]],
        "problems": [problem_row(one) for one in row.problems.all()[:most]],
    }


class _Person(serializers.Serializer[Any]):
    """Who looks after the place: a unit by its number, or a person by name (and telephone where the name is not enough)."""

    unit = serializers.IntegerField(label=_("单位"), required=False, min_value=1, max_value=10**18)
    name = serializers.CharField(label=_("姓名"), required=False, max_length=60)
    phone = serializers.CharField(label=_("手机号码"), required=False, max_length=30)
    duty = serializers.CharField(label=_("包联职责"), required=False, allow_blank=True, max_length=200)


class StartInput(_Person):
    kind = serializers.ChoiceField(label=_("包联类型"), choices=PairingKind.choices)
    node = serializers.CharField(label=_("地点编码"), max_length=30)
    start = serializers.DateField(label=_("开始日期"), required=False)


class HandOverInput(_Person):
    day = serializers.DateField(label=_("交接日期"), required=False)
    reason = serializers.CharField(label=_("理由"), required=False, allow_blank=True, max_length=500)
    version = serializers.IntegerField(label=_("版本"), required=False)


class EndInput(serializers.Serializer[Any]):
    end = serializers.DateField(label=_("结束日期"), required=False)
    reason = serializers.CharField(label=_("理由"), required=False, allow_blank=True, max_length=500)
    version = serializers.IntegerField(label=_("版本"), required=False)


class PairingVisitInput(serializers.Serializer[Any]):
    visited_on = serializers.DateField(label=_("走访日期"))
    text = serializers.CharField(label=_("走访情况"), max_length=500)
    problem = serializers.CharField(label=_("发现的问题"), required=False, allow_blank=True, max_length=500)


class ProblemInput(serializers.Serializer[Any]):
    found_on = serializers.DateField(label=_("发现日期"))
    text = serializers.CharField(label=_("问题"), max_length=500)


class SolveInput(serializers.Serializer[Any]):
    solution = serializers.CharField(label=_("解决情况"), max_length=500)
    solved_on = serializers.DateField(label=_("解决日期"), required=False)
    version = serializers.IntegerField(label=_("版本"), required=False)
