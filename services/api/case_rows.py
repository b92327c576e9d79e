"""What the API shows of cases and reads about them. Rows are made by plain functions; the serializers are their schema.

Who is only asked gets the same row with what is not theirs left empty (docs/decisions/0027).
"""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.actors import label_of
from core.api.asked import BIG
from core.api.lists import Shown
from grids.models import ConsentKind
from services.models import CaseEntry, CaseState, Help, HelpCase, HelpKind, HelpState
from services.selectors.cases import Figures


class HelpRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    case = serializers.IntegerField(label=_("个案"))
    case_title = serializers.CharField(label=_("事由"))
    community = serializers.CharField(label=_("社区编码"))
    unit = serializers.IntegerField(label=_("单位"))
    unit_name = serializers.CharField(label=_("单位名称"))
    kind = serializers.ChoiceField(label=_("帮扶方式"), choices=HelpKind.choices)
    wanted = serializers.CharField(label=_("希望提供"))
    state = serializers.ChoiceField(label=_("状态"), choices=HelpState.choices)
    due_at = serializers.DateTimeField(label=_("回应时限"), allow_null=True)
    due_on = serializers.DateField(label=_("完成期限"), allow_null=True)
    result = serializers.CharField(label=_("帮扶结果"))
    done_at = serializers.DateTimeField(label=_("完成时间"), allow_null=True)
    version = serializers.IntegerField(label=_("版本"))


class CaseRow(Shown):
    id = serializers.IntegerField(label=_("个案"))
    code = serializers.CharField(label=_("编号"))
    title = serializers.CharField(label=_("事由"))
    community = serializers.CharField(label=_("社区编码"))
    community_name = serializers.CharField(label=_("社区"))
    state = serializers.ChoiceField(label=_("状态"), choices=CaseState.choices)
    whole = serializers.BooleanField(label=_("能看到全部内容；没有接受帮扶的单位看不到"))
    opened_at = serializers.DateTimeField(label=_("建案时间"))
    closed_at = serializers.DateTimeField(label=_("结案时间"), allow_null=True)
    version = serializers.IntegerField(label=_("版本"))


class CaseEntryRow(Shown):
    name = serializers.CharField(label=_("操作"))
    title = serializers.CharField(label=_("事项"))
    text = serializers.CharField(label=_("说明"))
    at = serializers.DateTimeField(label=_("时间"))
    who = serializers.CharField(label=_("经办人"))


class CaseDetailRow(CaseRow):
    node = serializers.CharField(label=_("地点编码；看不到全部内容的为空"))
    place = serializers.CharField(label=_("地点"))
    text = serializers.CharField(label=_("困难情况"))
    result = serializers.CharField(label=_("帮扶成效"))
    review_on = serializers.DateField(label=_("下次回看"), allow_null=True)
    helps = HelpRow(label=_("各单位的帮扶"), many=True)
    entries = CaseEntryRow(label=_("帮扶过程，新的在前"), many=True)


class CaseInput(serializers.Serializer[Any]):
    node = serializers.CharField(label=_("地点编码"), max_length=40)
    title = serializers.CharField(label=_("事由"), max_length=60)
    text = serializers.CharField(label=_("困难情况"), max_length=1000, required=False)
    consent = serializers.ChoiceField(label=_("怎样同意的"), choices=ConsentKind.choices)
    consent_on = serializers.DateField(label=_("同意日期"))
    review_on = serializers.DateField(label=_("下次回看；不填是 30 天后"), required=False)


class CaseVersionInput(serializers.Serializer[Any]):
    version = serializers.IntegerField(label=_("版本"), required=False)


class CaseTextInput(CaseVersionInput):
    text = serializers.CharField(label=_("情况"), max_length=1000)


class CaseAskInput(CaseVersionInput):
    units = serializers.ListField(
        label=_("邀请的单位"),
        child=serializers.IntegerField(min_value=1, max_value=BIG),
        allow_empty=False,
        max_length=200,
    )
    kind = serializers.ChoiceField(label=_("帮扶方式"), choices=HelpKind.choices)
    wanted = serializers.CharField(label=_("希望提供"), max_length=200)


class CaseReviewInput(CaseTextInput):
    review_on = serializers.DateField(label=_("下次回看"))


class CaseChangeInput(CaseVersionInput):
    title = serializers.CharField(label=_("事由"), max_length=60)
    text = serializers.CharField(label=_("困难情况"), max_length=1000, required=False)


class CaseCloseInput(CaseVersionInput):
    result = serializers.CharField(label=_("帮扶成效"), max_length=1000)
    ended = serializers.ListField(label=_("随结案终止的帮扶"), child=serializers.IntegerField(), required=False)


class HelpAcceptInput(CaseVersionInput):
    due_on = serializers.DateField(label=_("哪天以前办到"))
    text = serializers.CharField(label=_("说明"), max_length=1000, required=False)


class HelpReportInput(CaseTextInput):
    due_on = serializers.DateField(label=_("哪天以前办到"), required=False)


class HelpFinishInput(CaseVersionInput):
    result = serializers.CharField(label=_("帮了什么"), max_length=1000)


class HelpLeaveInput(CaseVersionInput):
    text = serializers.CharField(label=_("说明"), max_length=1000, required=False)


class CaseMoveInput(serializers.Serializer[Any]):
    """What a move takes; which of it, see the move."""

    units = serializers.ListField(label=_("邀请的单位"), child=serializers.IntegerField(), required=False)
    kind = serializers.ChoiceField(label=_("帮扶方式"), choices=HelpKind.choices, required=False)
    wanted = serializers.CharField(label=_("希望提供"), max_length=200, required=False)
    title = serializers.CharField(label=_("事由"), max_length=60, required=False)
    text = serializers.CharField(label=_("情况"), max_length=1000, required=False)
    review_on = serializers.DateField(label=_("下次回看"), required=False)
    result = serializers.CharField(label=_("帮扶成效"), max_length=1000, required=False)
    ended = serializers.ListField(label=_("随结案终止的帮扶"), child=serializers.IntegerField(), required=False)
    version = serializers.IntegerField(label=_("版本"), required=False)


class HelpMoveInput(serializers.Serializer[Any]):
    """What a move takes; which of it, see the move."""

    due_on = serializers.DateField(label=_("哪天以前办到"), required=False)
    text = serializers.CharField(label=_("说明"), max_length=1000, required=False)
    result = serializers.CharField(label=_("帮了什么"), max_length=1000, required=False)
    version = serializers.IntegerField(label=_("版本"), required=False)


class HelpKindRow(Shown):
    kind = serializers.ChoiceField(label=_("帮扶方式"), choices=HelpKind.choices)
    asked = serializers.IntegerField(label=_("待回应"))
    helping = serializers.IntegerField(label=_("帮扶中"))
    done = serializers.IntegerField(label=_("已完成"))
    not_given = serializers.IntegerField(label=_("没有帮成"))


class CommunityCases(serializers.Serializer[Any]):
    node = serializers.CharField(label=_("社区编码"))
    name = serializers.CharField(label=_("社区"))
    open = serializers.IntegerField(label=_("帮扶中的个案"))
    closed = serializers.IntegerField(label=_("已结案的个案"))
    units = serializers.IntegerField(label=_("参加帮扶的单位"))
    kinds = HelpKindRow(label=_("各种帮扶"), many=True)


class CaseFiguresRow(Shown):
    open = serializers.IntegerField(label=_("帮扶中的个案"))
    closed = serializers.IntegerField(label=_("已结案的个案"))
    units = serializers.IntegerField(label=_("参加帮扶的单位"))
    kinds = HelpKindRow(label=_("各种帮扶"), many=True)
    communities = CommunityCases(label=_("各社区"), many=True)


def help_row(row: Help) -> dict[str, Any]:
    """A row from a help with its unit, case and community loaded."""
    return {
        "id": row.pk,
        "case": row.case_id,
        "case_title": row.case.title,
        "community": row.case.community.code,
        "unit": row.unit_id,
        "unit_name": row.unit.name,
        "kind": row.kind,
        "wanted": row.wanted,
        "state": row.state,
        "due_at": row.due_at,
        "due_on": row.due_on,
        "result": row.result,
        "done_at": row.done_at,
        "version": row.version,
    }


def case_row(row: HelpCase, *, whole: bool) -> dict[str, Any]:
    return {
        "id": row.pk,
        "code": row.code,
        "title": row.title,
        "community": row.community.code,
        "community_name": row.community.name,
        "state": row.state,
        "whole": whole,
        "opened_at": row.opened_at,
        "closed_at": row.closed_at,
        "version": row.version,
    }


def detail_row(row: HelpCase, helps: list[Help], entries: list[CaseEntry], *, whole: bool) -> dict[str, Any]:
    for one in helps:
        one.case = row
    return {
        **case_row(row, whole=whole),
        "node": row.node.code if whole else "",
        "place": row.node.path if whole else row.community.path,
        "text": row.text if whole else "",
        "result": row.result if whole else "",
        "review_on": row.review_on if whole else None,
        "helps": [help_row(one) for one in helps],
        "entries": [
            {
                "name": one.name,
                "title": one.title,
                "text": one.text,
                "at": one.at,
                "who": label_of(one.actor, one.actor_kind),
            }
            for one in entries
        ],
    }


def figures_row(found: Figures) -> dict[str, Any]:
    return {
        "open": found.opened,
        "closed": found.closed,
        "units": found.units,
        "kinds": [
            {
                "kind": row.kind,
                "asked": row.asked,
                "helping": row.helping,
                "done": row.done,
                "not_given": row.not_given,
            }
            for row in found.kinds
        ],
    }
