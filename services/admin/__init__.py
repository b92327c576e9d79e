"""Admin pages of this floor."""

from django.utils.translation import gettext_lazy as lazy

from core.audit_words import name_deeds, name_fields
from services import workflow
from services.admin import (
    activities,
    agenda,
    applications,
    checkins,
    commitments,
    demands,
    matching,
    meetings,
    member_cards,
    member_services,
    members,
    projects,
    ratings,
    resources,
    responsibilities,
    settings,
)

__all__ = [
    "activities",
    "agenda",
    "applications",
    "checkins",
    "commitments",
    "demands",
    "matching",
    "meetings",
    "member_cards",
    "member_services",
    "members",
    "projects",
    "ratings",
    "resources",
    "responsibilities",
    "settings",
]


name_deeds({f"{flow.name}.{row.name}": row.label for flow in workflow.ALL for row in flow.transitions})
name_deeds(
    {
        "demand.raise": lazy("登记需求"),
        "demand.import": lazy("导入需求"),
        **dict.fromkeys(
            (
                f"{model}.sample"
                for model in (
                    "user",
                    "appointment",
                    "unit",
                    "unitmembership",
                    "member",
                    "unitcheckin",
                    "checkinapplication",
                    "demand",
                    "membercheckin",
                    "servicerecord",
                    "membercard",
                    "certificate",
                    "commitment",
                    "activity",
                    "servicerating",
                    "resource",
                    "jointmeeting",
                    "agendaitem",
                    "resolution",
                )
            ),
            lazy("载入示例"),
        ),
        "demand.export": lazy("导出台账"),
        # The sweeper's marks, on the unit's order.
        "suborder.late": lazy("标记超期"),
        "suborder.response_late": lazy("标记响应超时"),
        "demand.unpark": lazy("挂账到期"),
        "demand.reveal_contact": lazy("查看联系方式"),
        "checkin.start": lazy("登记报到"),
        "checkin.change": lazy("修改报到"),
        "checkin.end": lazy("结束报到"),
        "member_checkin.report": lazy("党员报到"),
        "member_checkin.register": lazy("社区登记党员报到"),
        "member_service.enter": lazy("填写服务"),
        "member_checkin.reveal": lazy("查看党员电话"),
        "member.settle": lazy("登记居住小区"),
        "card.send": lazy("反馈服务卡"),
        "card.correct": lazy("更正服务卡"),
        "card.receive": lazy("查收服务卡"),
        "certificate.issue": lazy("出具服务证明"),
        "certificate.revoke": lazy("作废服务证明"),
        "resource.register": lazy("登记资源"),
        "resource.change": lazy("修改资源"),
        "project.draft": lazy("草拟项目"),
        "project.change": lazy("修改项目"),
        "checkin_application.apply": lazy("申请报到"),
        "match.run": lazy("供需匹配"),
        "project.milestone": lazy("加项目节点"),
        "project.milestone_done": lazy("完成项目节点"),
        "project.photos": lazy("上传项目照片"),
        "project.unphoto": lazy("删除项目照片"),
        "responsibility.assign": lazy("列入责任清单"),
        "responsibility.change": lazy("修改责任"),
        "category.create": lazy("新增类别"),
        "category.update": lazy("修改类别"),
        "settings.create": lazy("建立时限设置"),
        "settings.limits": lazy("修改时限"),
        "calendar.set": lazy("调整工作日历"),
        "commitment.make": lazy("登记承诺"),
        "activity.register": lazy("登记共建活动"),
        "activity.change": lazy("修改共建活动"),
        "activity.drop": lazy("删除共建活动"),
        "rating.give": lazy("双向评价"),
        "meeting.plan": lazy("召集会议"),
        "meeting.units": lazy("调整参会单位"),
        "meeting.agenda": lazy("调整议程"),
        "agendaitem.change": lazy("修改议题"),
        "attendance.mark": lazy("登记到会"),
        "resolution.make": lazy("形成决议"),
        "resolution.correct": lazy("更正决议"),
        "resolution.take_effect": lazy("决议生效"),
    }
)
name_fields({"late": lazy("超期"), "response_late": lazy("响应超时"), "proposals": lazy("建议数")})
