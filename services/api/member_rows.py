"""What the API shows of members' reports, services, cards and certificates, and reads about them."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.lists import Shown
from core.periods import Quarter
from services.models import (
    Certificate,
    FreeTime,
    MemberCard,
    MemberCheckIn,
    MemberCheckInState,
    ServiceRecord,
    ServiceState,
    Skill,
    WishedPost,
)
from services.selectors.members import MemberFigures


class MemberReportRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    member = serializers.IntegerField(label=_("党员"))
    name = serializers.CharField(label=_("姓名"))
    phone = serializers.CharField(label=_("手机号码（隐去中间）"))
    unit = serializers.IntegerField(label=_("所在单位"), allow_null=True)
    node = serializers.CharField(label=_("地点编码"))
    place = serializers.CharField(label=_("居住小区"))
    community = serializers.CharField(label=_("社区编码"))
    skills = serializers.ListField(label=_("特长"), child=serializers.ChoiceField(choices=Skill.choices))
    free_time = serializers.ListField(label=_("空闲时间"), child=serializers.ChoiceField(choices=FreeTime.choices))
    wished_post = serializers.ChoiceField(label=_("意愿岗位"), choices=WishedPost.choices)
    note = serializers.CharField(label=_("补充说明"))
    state = serializers.ChoiceField(label=_("状态"), choices=MemberCheckInState.choices)
    reason = serializers.CharField(label=_("意见"))
    applied_at = serializers.DateTimeField(label=_("报到时间"))
    decided_at = serializers.DateTimeField(label=_("接收时间"), allow_null=True)
    ended_on = serializers.DateField(label=_("结束日期"), allow_null=True)
    version = serializers.IntegerField(label=_("版本"))


class MemberServiceRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    checkin = serializers.IntegerField(label=_("党员报到"))
    name = serializers.CharField(label=_("姓名"))
    place = serializers.CharField(label=_("居住小区"))
    served_on = serializers.DateField(label=_("服务日期"))
    hours = serializers.DecimalField(label=_("时长（小时）"), max_digits=4, decimal_places=1)
    text = serializers.CharField(label=_("服务内容"))
    state = serializers.ChoiceField(label=_("状态"), choices=ServiceState.choices)
    reason = serializers.CharField(label=_("意见"))
    version = serializers.IntegerField(label=_("版本"))


class MemberCardRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    name = serializers.CharField(label=_("姓名"))
    unit = serializers.IntegerField(label=_("所在单位"))
    community = serializers.CharField(label=_("社区编码"))
    quarter = serializers.CharField(label=_("季度"))
    services = serializers.IntegerField(label=_("服务次数"))
    hours = serializers.DecimalField(label=_("时长（小时）"), max_digits=6, decimal_places=1)
    sent_at = serializers.DateTimeField(label=_("反馈时间"))
    read_at = serializers.DateTimeField(label=_("查收时间"), allow_null=True)


class CertificateRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    name = serializers.CharField(label=_("姓名"))
    community = serializers.CharField(label=_("社区编码"))
    code = serializers.CharField(label=_("验证码"))
    since = serializers.DateField(label=_("起"))
    until = serializers.DateField(label=_("止"))
    services = serializers.IntegerField(label=_("服务次数"))
    hours = serializers.DecimalField(label=_("时长（小时）"), max_digits=7, decimal_places=1)
    issued_at = serializers.DateTimeField(label=_("出具时间"))
    revoked_at = serializers.DateTimeField(label=_("作废时间"), allow_null=True)
    version = serializers.IntegerField(label=_("版本"))


class CheckedCertificate(Shown):
    """What anybody may know of a certificate."""

    name = serializers.CharField(label=_("姓名（隐去一部分）"))
    community = serializers.CharField(label=_("社区"))
    since = serializers.DateField(label=_("起"))
    until = serializers.DateField(label=_("止"))
    services = serializers.IntegerField(label=_("服务次数"))
    hours = serializers.DecimalField(label=_("时长（小时）"), max_digits=7, decimal_places=1)
    issued_at = serializers.DateTimeField(label=_("出具时间"))
    valid = serializers.BooleanField(label=_("是否有效"))


class CommunityMemberFigures(Shown):
    node = serializers.CharField(label=_("社区编码"))
    name = serializers.CharField(label=_("社区"))
    reported = serializers.IntegerField(label=_("报到党员（人）"))
    services = serializers.IntegerField(label=_("已确认服务（次）"))
    hours = serializers.DecimalField(label=_("时长（小时）"), max_digits=9, decimal_places=1)


class MemberFiguresRow(Shown):
    reported = serializers.IntegerField(label=_("报到党员（人）"))
    services = serializers.IntegerField(label=_("已确认服务（次）"))
    hours = serializers.DecimalField(label=_("时长（小时）"), max_digits=9, decimal_places=1)
    communities = CommunityMemberFigures(label=_("各社区"), many=True)


class SentCards(Shown):
    made = serializers.IntegerField(label=_("新反馈（张）"))
    corrected = serializers.IntegerField(label=_("更正（张）"))
    same = serializers.IntegerField(label=_("没有变化（张）"))
    without_unit = serializers.IntegerField(label=_("没有所在单位（人）"))


class ReceivedCards(Shown):
    received = serializers.IntegerField(label=_("查收（张）"))


# --- What comes in --------------------------------------------------------------------------------------------------


class OfferInput(serializers.Serializer[Any]):
    skills = serializers.ListField(label=_("特长"), child=serializers.CharField(), required=False, default=list)
    free_time = serializers.ListField(label=_("空闲时间"), child=serializers.CharField(), required=False, default=list)
    wished_post = serializers.CharField(label=_("意愿岗位"), required=False, default=WishedPost.ANY)
    note = serializers.CharField(label=_("补充说明"), required=False, default="", allow_blank=True)


class ReportHomeInput(OfferInput):
    node = serializers.CharField(label=_("居住小区的编码"), max_length=60)


class MemberMoveInput(serializers.Serializer[Any]):
    """`reason` for moves that need a word; the offer for `change` and `resend`; `node` for `move`."""

    reason = serializers.CharField(label=_("说明"), required=False, default="", allow_blank=True)
    node = serializers.CharField(label=_("居住小区的编码"), required=False, default="", allow_blank=True)
    skills = serializers.ListField(label=_("特长"), child=serializers.CharField(), required=False)
    free_time = serializers.ListField(label=_("空闲时间"), child=serializers.CharField(), required=False)
    wished_post = serializers.CharField(label=_("意愿岗位"), required=False)
    note = serializers.CharField(label=_("补充说明"), required=False, allow_blank=True)
    version = serializers.IntegerField(label=_("看到的版本"), required=False, allow_null=True, default=None)


class EnterServiceInput(serializers.Serializer[Any]):
    served_on = serializers.DateField(label=_("服务日期"))
    hours = serializers.CharField(label=_("时长（小时）"), max_length=10)
    text = serializers.CharField(label=_("服务内容"))


class ServiceMoveInput(serializers.Serializer[Any]):
    """`reason` for moves that need a word; day, hours and text for `correct`."""

    reason = serializers.CharField(label=_("说明"), required=False, default="", allow_blank=True)
    served_on = serializers.DateField(label=_("服务日期"), required=False)
    hours = serializers.CharField(label=_("时长（小时）"), max_length=10, required=False)
    text = serializers.CharField(label=_("服务内容"), required=False)
    version = serializers.IntegerField(label=_("看到的版本"), required=False, allow_null=True, default=None)


class SendCardsInput(serializers.Serializer[Any]):
    community = serializers.CharField(label=_("社区编码"), max_length=60)
    quarter = serializers.CharField(label=_("季度"), max_length=10)


class ReceiveCardsInput(serializers.Serializer[Any]):
    unit = serializers.IntegerField(label=_("单位"))
    quarter = serializers.CharField(label=_("季度"), max_length=10)


class IssueInput(serializers.Serializer[Any]):
    checkin = serializers.IntegerField(label=_("党员报到"))
    since = serializers.DateField(label=_("起"))
    until = serializers.DateField(label=_("止"))


class RevokeInput(serializers.Serializer[Any]):
    reason = serializers.CharField(label=_("作废原因"))
    version = serializers.IntegerField(label=_("看到的版本"), required=False, allow_null=True, default=None)


# --- Rows -----------------------------------------------------------------------------------------------------------


def report_row(row: MemberCheckIn) -> dict[str, Any]:
    return {
        "id": row.pk,
        "member": row.member_id,
        "name": row.member.name,
        "phone": row.member.masked_phone,
        "unit": row.member.unit_id,
        "node": row.node.code,
        "place": row.node.path,
        "community": row.community.code,
        **{
            name: getattr(row, name)
            for name in (
                "skills",
                "free_time",
                "wished_post",
                "note",
                "state",
                "reason",
                "applied_at",
                "decided_at",
                "ended_on",
                "version",
            )
        },
    }


def service_row(row: ServiceRecord) -> dict[str, Any]:
    return {
        "id": row.pk,
        "checkin": row.checkin_id,
        "name": row.checkin.member.name,
        "place": row.checkin.node.path,
        "hours": str(row.hours),
        **{name: getattr(row, name) for name in ("served_on", "text", "state", "reason", "version")},
    }


def card_row(row: MemberCard) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.member.name,
        "unit": row.unit_id,
        "community": row.community.code,
        "quarter": Quarter.of(row.quarter).code,
        "services": row.services,
        "hours": str(row.hours),
        "sent_at": row.sent_at,
        "read_at": row.read_at,
    }


def certificate_row(row: Certificate) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.member.name,
        "community": row.community.code,
        "hours": str(row.hours),
        **{
            name: getattr(row, name)
            for name in ("code", "since", "until", "services", "issued_at", "revoked_at", "version")
        },
    }


def figures_row(found: MemberFigures) -> dict[str, Any]:
    return {"reported": found.reported, "services": found.services, "hours": str(found.hours)}
