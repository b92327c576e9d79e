"""What the API shows and reads. Rows are made by plain functions (a list of 25 is hot); the serializer classes give
them their schema, and a test holds the two together.
"""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.lists import Shown
from core.masking import mask_name, mask_phone
from services.clocks import WORDS, colour, light
from services.models import Demand, DemandEvent, DemandState, LimitUnit, Origin, SubOrder, SubOrderState
from services.models.demand import CLOCK_STATES, Desk
from services.selectors.loop import Action, DemandPage
from services.workflow import DEMAND, SUBORDER


class DemandRow(Shown):
    code = serializers.CharField(label=_("编号"))
    title = serializers.CharField(label=_("标题"))
    place = serializers.CharField(label=_("地点"))
    node = serializers.CharField(label=_("地点编码"))
    community = serializers.CharField(label=_("社区"))
    category = serializers.CharField(label=_("类别"))
    urgency = serializers.CharField(label=_("紧急程度"))
    origin = serializers.CharField(label=_("来源"))
    state = serializers.ChoiceField(label=_("状态"), choices=DemandState.choices)
    state_label = serializers.CharField(label=_("状态名称"))
    colour = serializers.ChoiceField(label=_("灯色"), choices=[(key, key) for key in WORDS])
    desk = serializers.ChoiceField(label=_("经办层级"), choices=Desk.choices)
    desk_label = serializers.CharField(label=_("经办层级名称"))
    lead_unit = serializers.CharField(label=_("牵头单位"), allow_null=True)
    registered_at = serializers.DateTimeField(label=_("登记时间"))
    due_at = serializers.DateTimeField(label=_("办理时限"), allow_null=True)
    step_due_at = serializers.DateTimeField(label=_("本步时限"), allow_null=True)
    supervised = serializers.BooleanField(label=_("督办中"))
    version = serializers.IntegerField(label=_("版本"))


# What a row is made of, as `values()` names it: a list asks for just these columns and makes no objects.
ROW_FIELDS = (
    "code",
    "title",
    "node__path",
    "node__code",
    "community__name",
    "category__name",
    "urgency",
    "origin",
    "state",
    "desk",
    "lead_unit__name",
    "registered_at",
    "warn_at",
    "due_at",
    "finished_at",
    "step_due_at",
    "supervised_at",
    "version",
)


_DESKS = dict(Desk.choices)


def demand_row(values: Mapping[str, Any]) -> dict[str, Any]:
    """A row from the values of `ROW_FIELDS`."""
    state, due_at = values["state"], values["due_at"]
    running = state in CLOCK_STATES
    return {
        "code": values["code"],
        "title": values["title"],
        "place": values["node__path"],
        "node": values["node__code"],
        "community": values["community__name"],
        "category": values["category__name"],
        "urgency": values["urgency"],
        "origin": values["origin"],
        "state": state,
        "state_label": DEMAND.state_label(state),
        "colour": light(running, values["warn_at"], due_at, values["finished_at"], timezone.now()),
        "desk": values["desk"],
        "desk_label": _DESKS[values["desk"]],
        "lead_unit": values["lead_unit__name"],
        "registered_at": values["registered_at"],
        "due_at": due_at,
        "step_due_at": values["step_due_at"],
        "supervised": values["supervised_at"] is not None,
        "version": values["version"],
    }


def values_of(demand: Demand) -> dict[str, Any]:
    """The values of `ROW_FIELDS` from a demand in hand."""
    found: dict[str, Any] = {}
    for name in ROW_FIELDS:
        value: Any = demand
        for step in name.split("__"):
            value = getattr(value, step) if value is not None else None
        found[name] = value
    return found


class ActionRow(Shown):
    name = serializers.CharField(label=_("操作"))
    label = serializers.CharField(label=_("按钮"))  # type: ignore[assignment]
    on = serializers.CharField(label=_("对象"))
    version = serializers.IntegerField(label=_("对象版本"))
    inputs = serializers.ListField(label=_("填写项"), child=serializers.DictField())


def action_row(action: Action) -> dict[str, Any]:
    return {
        "name": action.row.name,
        "label": str(action.row.label),
        "on": action.key,
        "version": action.version,
        "inputs": [
            {"name": item.name, "label": str(item.label), "kind": item.kind, "required": item.required}
            for item in action.row.inputs
        ],
    }


class AssignmentRow(Shown):
    id = serializers.IntegerField()
    member = serializers.IntegerField(label=_("党员"))
    name = serializers.CharField(label=_("姓名"))
    state = serializers.CharField(label=_("状态"))


class SubOrderRow(Shown):
    id = serializers.IntegerField()
    unit = serializers.IntegerField(label=_("单位"))
    unit_name = serializers.CharField(label=_("单位名称"))
    role = serializers.CharField(label=_("角色"))
    state = serializers.ChoiceField(label=_("状态"), choices=SubOrderState.choices)
    state_label = serializers.CharField(label=_("状态名称"))
    colour = serializers.CharField(label=_("灯色"))
    due_at = serializers.DateTimeField(label=_("办理时限"), allow_null=True)
    rule_version = serializers.IntegerField(label=_("时限规则版本"), allow_null=True)
    signed_at = serializers.DateTimeField(label=_("签收时间"), allow_null=True)
    finished_at = serializers.DateTimeField(label=_("办结时间"), allow_null=True)
    result = serializers.CharField(label=_("办理结果"))
    version = serializers.IntegerField(label=_("版本"))
    assignments = AssignmentRow(many=True)


def suborder_row(row: SubOrder) -> dict[str, Any]:
    return {
        "id": row.pk,
        "unit": row.unit_id,
        "unit_name": row.unit.name,
        "role": row.role,
        "state": row.state,
        "state_label": SUBORDER.state_label(row.state),
        "colour": colour(row),
        "due_at": row.due_at,
        "rule_version": row.rule_version,
        "signed_at": row.signed_at,
        "finished_at": row.finished_at,
        "result": row.result,
        "version": row.version,
        "assignments": [
            {"id": one.pk, "member": one.member_id, "name": one.member.name, "state": one.state}
            for one in row.assignments.all()
        ],
    }


class EventRow(Shown):
    at = serializers.DateTimeField(label=_("时间"))
    name = serializers.CharField(label=_("操作"))
    title = serializers.CharField(label=_("事项"))
    text = serializers.CharField(label=_("说明"))
    actor = serializers.CharField(label=_("经办人"))
    photos = serializers.ListField(label=_("图片"), child=serializers.IntegerField())


def event_row(event: DemandEvent) -> dict[str, Any]:
    return {
        "at": event.at,
        "name": event.name,
        "title": event.title,
        "text": event.text,
        "actor": event.actor_name,
        "photos": [photo.pk for photo in event.photos.all()],
    }


class DemandDetail(DemandRow):
    text = serializers.CharField(label=_("内容"))
    contact_name = serializers.CharField(label=_("联系人（已隐去）"))
    contact_phone = serializers.CharField(label=_("联系电话（已隐去）"))
    accepted_at = serializers.DateTimeField(label=_("受理时间"), allow_null=True)
    dispatched_at = serializers.DateTimeField(label=_("派单时间"), allow_null=True)
    finished_at = serializers.DateTimeField(label=_("办结时间"), allow_null=True)
    closed_at = serializers.DateTimeField(label=_("销号时间"), allow_null=True)
    rule_version = serializers.IntegerField(label=_("时限规则版本"), allow_null=True)
    solved = serializers.BooleanField(label=_("是否解决"), allow_null=True)
    satisfaction = serializers.CharField(label=_("满意度"))
    suborders = SubOrderRow(many=True)
    events = EventRow(many=True)
    actions = ActionRow(many=True)


def demand_detail(page: DemandPage) -> dict[str, Any]:
    demand = page.demand
    return {
        **demand_row(values_of(demand)),
        "text": demand.text,
        "contact_name": "" if page.summary else mask_name(demand.contact_name),
        "contact_phone": "" if page.summary else mask_phone(demand.contact_phone),
        "accepted_at": demand.accepted_at,
        "dispatched_at": demand.dispatched_at,
        "finished_at": demand.finished_at,
        "closed_at": demand.closed_at,
        "rule_version": demand.rule_version,
        "solved": demand.solved,
        "satisfaction": demand.satisfaction,
        "suborders": [suborder_row(row) for row in page.suborders],
        "events": [event_row(event) for event in page.events],
        "actions": [action_row(action) for action in page.actions],
    }


class MoveDone(Shown):
    """The demand after a move."""

    code = serializers.CharField(label=_("编号"))
    state = serializers.CharField(label=_("状态"))
    state_label = serializers.CharField(label=_("状态名称"))
    version = serializers.IntegerField(label=_("版本"))


def move_done(demand: Demand) -> dict[str, Any]:
    return {
        "code": demand.code,
        "state": demand.state,
        "state_label": DEMAND.state_label(demand.state),
        "version": demand.version,
    }


class RaiseInput(serializers.Serializer[Any]):
    """A new demand, raised by the signed-in account."""

    node = serializers.CharField(label=_("地点编码"), max_length=60)
    category = serializers.CharField(label=_("类别名称"), max_length=20)
    text = serializers.CharField(label=_("内容"), trim_whitespace=False)
    title = serializers.CharField(label=_("标题"), required=False, default="", allow_blank=True)
    contact_name = serializers.CharField(label=_("联系人"), required=False, default="", allow_blank=True)
    contact_phone = serializers.CharField(label=_("联系电话"), required=False, default="", allow_blank=True)
    origin = serializers.ChoiceField(
        label=_("来源"), choices=[Origin.KEEPER, Origin.CADRE, Origin.PHONE], required=False, default=Origin.CADRE
    )
    photos = serializers.ListField(label=_("图片"), child=serializers.FileField(), required=False, default=list)
    once = serializers.CharField(
        label=_("发送标识"),
        help_text=_("自己定一个不重复的标识：网络中断后原样再发一次，不会登记成两条。"),
        max_length=60,
        required=False,
        default="",
        allow_blank=True,
    )


class MoveInput(serializers.Serializer[Any]):
    """Inputs of a move: `on` and `version` from the demand's `actions`, the rest as its `inputs` say."""

    on = serializers.CharField(label=_("对象"), required=False)
    version = serializers.IntegerField(label=_("对象版本"), required=False)
    reason = serializers.CharField(label=_("理由"), required=False)
    note = serializers.CharField(label=_("说明"), required=False)
    text = serializers.CharField(label=_("进展或结果"), required=False)
    unit = serializers.IntegerField(label=_("牵头单位"), required=False)
    supporting = serializers.ListField(label=_("配合单位"), child=serializers.IntegerField(), required=False)
    place = serializers.CharField(label=_("移交到的地点编码"), required=False)
    units = serializers.ListField(label=_("召集单位"), child=serializers.IntegerField(), required=False)
    lead = serializers.IntegerField(label=_("牵头单位（吹哨）"), required=False)
    meet_at = serializers.DateTimeField(label=_("到场时间"), required=False)
    venue = serializers.CharField(label=_("到场地点"), required=False)
    members = serializers.ListField(label=_("党员"), child=serializers.IntegerField(), required=False)
    until = serializers.DateField(label=_("日期"), required=False)
    solved = serializers.ChoiceField(label=_("是否解决"), choices=["yes", "no"], required=False)
    satisfaction = serializers.ChoiceField(
        label=_("满意度"), choices=["satisfied", "fairly", "dissatisfied"], required=False
    )
    matter = serializers.CharField(label=_("需求编号"), required=False)
    category = serializers.IntegerField(label=_("类别"), required=False)
    reached = serializers.BooleanField(label=_("联系上"), required=False)
    contacted = serializers.BooleanField(label=_("已联系"), required=False)
    designated = serializers.BooleanField(label=_("指定承办"), required=False)
    follow_code = serializers.CharField(label=_("查询码（居民）"), required=False)
    photos = serializers.ListField(label=_("图片"), child=serializers.FileField(), required=False)


class RevealInput(serializers.Serializer[Any]):
    reason = serializers.CharField(label=_("查看理由"), max_length=200)


class ContactRow(Shown):
    name = serializers.CharField(label=_("联系人"))
    phone = serializers.CharField(label=_("联系电话"))


class PlaceRow(Shown):
    code = serializers.CharField(label=_("编码"))
    name = serializers.CharField(label=_("名称"))
    path = serializers.CharField(label=_("位置"))
    level = serializers.CharField(label=_("层级"))
    parent_code = serializers.CharField(label=_("上级编码"), allow_null=True)


class CategoryRow(Shown):
    id = serializers.IntegerField()
    name = serializers.CharField(label=_("类别"))
    hint = serializers.CharField(label=_("举例"))
    urgency = serializers.CharField(label=_("紧急程度"))
    limit = serializers.CharField(label=_("办理时限"))
    limit_value = serializers.IntegerField(label=_("办理时限的数值"))
    limit_unit = serializers.ChoiceField(label=_("办理时限的单位"), choices=LimitUnit.choices)
    contact_hours = serializers.IntegerField(label=_("首次联系时限（工作小时）；空为按全县的时限"), allow_null=True)


class UnitRow(Shown):
    id = serializers.IntegerField()
    name = serializers.CharField(label=_("单位"))
    kind = serializers.CharField(label=_("类型"))
    domain = serializers.CharField(label=_("所属领域"))


class MemberRow(Shown):
    id = serializers.IntegerField()
    name = serializers.CharField(label=_("姓名"))
    unit = serializers.CharField(label=_("单位"), allow_null=True)


class MeRow(Shown):
    name = serializers.CharField(label=_("姓名"))
    phone = serializers.CharField(label=_("手机号码（已隐去）"))
    rights = serializers.ListField(label=_("权限"), child=serializers.CharField())
    held = serializers.ListField(label=_("岗位和单位"), child=serializers.CharField())
