"""What the API shows of small wishes, and reads about them. Rows are cut down to the reader: who wishes, where they live and
what ails them is told, masked, to those who collect and keep the wish, and to nobody else."""

from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.asked import BIG
from core.api.lists import Shown
from grids.models import CareKind, ConsentKind
from services.models import Wish, WishState
from services.selectors.wishes import Line, UnitLine, WishFigures
from services.wishes import GENERAL, Difficulty, face, holder_told


class WishRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    code = serializers.CharField(label=_("心愿编号"))
    title = serializers.CharField(label=_("心愿"))
    text = serializers.CharField(label=_("说明"))
    difficulty = serializers.ChoiceField(label=_("困难类型，大类"), choices=Difficulty.choices)
    kind = serializers.CharField(label=_("困难类型的名称；社区以外只有大类"))
    community = serializers.CharField(label=_("社区编码"))
    place = serializers.CharField(label=_("地点；社区以外只到社区"))
    recipient = serializers.CharField(label=_("心愿人，已遮住；社区以外为空"))
    phone = serializers.CharField(label=_("联系电话，已遮住；社区以外为空"))
    cost = serializers.IntegerField(label=_("预计费用（元）"))
    state = serializers.ChoiceField(label=_("状态"), choices=WishState.choices)
    state_label = serializers.CharField(label=_("状态名称"))
    holder = serializers.CharField(label=_("认领方"))
    unit = serializers.IntegerField(label=_("认领单位"), allow_null=True)
    collected_at = serializers.DateTimeField(label=_("征集时间"))
    adopted_at = serializers.DateTimeField(label=_("认领时间"), allow_null=True)
    done_at = serializers.DateTimeField(label=_("圆梦时间"), allow_null=True)
    due_at = serializers.DateTimeField(label=_("本步时限"), allow_null=True)
    result = serializers.CharField(label=_("送了什么"))
    thanks = serializers.CharField(label=_("答谢的话"))
    reason = serializers.CharField(label=_("意见"))
    version = serializers.IntegerField(label=_("版本"))


class WishFiguresRow(Shown):
    collected = serializers.IntegerField(label=_("征集"))
    waiting = serializers.IntegerField(label=_("待审核"))
    open = serializers.IntegerField(label=_("待认领"))
    adopted = serializers.IntegerField(label=_("认领"))
    done = serializers.IntegerField(label=_("圆梦"))
    thanked = serializers.IntegerField(label=_("答谢"))
    members = serializers.IntegerField(label=_("认领的党员"))
    units = serializers.IntegerField(label=_("认领的单位"))
    money = serializers.IntegerField(label=_("折合费用（元）"))


class WishCommunityRow(WishFiguresRow):
    code = serializers.CharField(label=_("社区编码"))
    name = serializers.CharField(label=_("社区"))


class WishUnitRow(Shown):
    unit = serializers.IntegerField(label=_("单位"))
    name = serializers.CharField(label=_("单位名称"))
    adopted = serializers.IntegerField(label=_("认领"))
    done = serializers.IntegerField(label=_("圆梦"))
    money = serializers.IntegerField(label=_("折合费用（元）"))


class WishBoardRow(WishFiguresRow):
    communities = WishCommunityRow(label=_("各社区"), many=True)
    by_unit = WishUnitRow(label=_("各单位，按名称"), many=True)


def wish_row(row: Wish, user: Any) -> dict[str, Any]:
    """Needs node, community, unit and member."""
    said = face(row, user)
    return {
        "id": row.pk,
        "code": row.code,
        "title": row.title,
        "text": row.text,
        "difficulty": str(GENERAL[row.recipient_kind]),
        "kind": said.kind,
        "community": row.community.code,
        "place": " · ".join(said.place),
        "recipient": said.name,
        "phone": said.phone,
        "cost": row.cost,
        "state": row.state,
        "state_label": row.get_state_display(),
        "holder": holder_told(row, inside=said.inside),
        "unit": row.unit_id,
        "collected_at": row.collected_at,
        "adopted_at": row.adopted_at,
        "done_at": row.done_at,
        "due_at": row.due_at,
        "result": row.result,
        "thanks": row.thanks,
        "reason": row.reason,
        "version": row.version,
    }


def figures_row(found: WishFigures) -> dict[str, int]:
    return asdict(found)


def community_row(line: Line) -> dict[str, Any]:
    return {"code": line.community.code, "name": line.community.name, **figures_row(line.figures)}


def unit_row(one: UnitLine) -> dict[str, Any]:
    return {
        "unit": one.unit.pk,
        "name": one.unit.name,
        "adopted": one.adopted,
        "done": one.done,
        "money": one.money,
    }


class WishInput(serializers.Serializer[Any]):
    node = serializers.CharField(label=_("地点编码，只有社区知道"), max_length=60)
    title = serializers.CharField(label=_("心愿"), max_length=60)
    text = serializers.CharField(label=_("说明"), max_length=300, required=False, allow_blank=True, default="")
    recipient_kind = serializers.ChoiceField(label=_("困难类型"), choices=CareKind.choices)
    recipient_name = serializers.CharField(label=_("心愿人"), max_length=60)
    recipient_phone = serializers.CharField(
        label=_("联系电话"), max_length=20, required=False, allow_blank=True, default=""
    )
    consent = serializers.ChoiceField(label=_("同意方式"), choices=ConsentKind.choices)
    cost = serializers.IntegerField(label=_("预计费用（元）"), min_value=0, max_value=1_000_000)


class WishVersionInput(serializers.Serializer[Any]):
    version = serializers.IntegerField(label=_("版本"), required=False)


class WishReasonInput(WishVersionInput):
    reason = serializers.CharField(label=_("理由"), max_length=300)


class WishAdoptInput(WishVersionInput):
    unit = serializers.IntegerField(label=_("认领单位；党员本人认领的不填"), required=False, min_value=1, max_value=BIG)


class WishAskInput(WishVersionInput):
    unit = serializers.IntegerField(label=_("请哪个单位"), min_value=1, max_value=BIG)


class WishFinishInput(WishVersionInput):
    text = serializers.CharField(label=_("送了什么"), max_length=300)
    done_on = serializers.DateField(label=_("哪天送到社区"))
    hours = serializers.DecimalField(
        label=_("用了多少小时，党员认领的要填"), max_digits=4, decimal_places=1, required=False
    )


class WishThankInput(WishVersionInput):
    thanks = serializers.CharField(label=_("答谢的话"), max_length=300, required=False, allow_blank=True)


class WishStepInput(WishVersionInput):
    """What each move takes: adopt and ask unit; finish text, done_on, hours; thank thanks; decline, release, undelivered and
    end reason."""

    unit = serializers.IntegerField(label=_("单位"), required=False)
    text = serializers.CharField(label=_("送了什么"), required=False)
    done_on = serializers.DateField(label=_("哪天送到社区"), required=False)
    hours = serializers.DecimalField(label=_("小时"), max_digits=4, decimal_places=1, required=False)
    thanks = serializers.CharField(label=_("答谢的话"), required=False)
    reason = serializers.CharField(label=_("理由"), required=False)
