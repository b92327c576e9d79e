"""What the API shows of compounds, and reads about one."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core import files
from core.api.lists import Shown
from grids import pictures
from grids.models import FacilityKind, PhotoStage, Remediation, RemediationState
from partybuilding.models import BranchSetup, Compound, Management, OwnersCommittee
from partybuilding.resources.compounds import facilities_of
from partybuilding.selectors.compounds import Counts, Figures


class PhotoRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    stage = serializers.ChoiceField(label=_("阶段"), choices=PhotoStage.choices)
    url = serializers.CharField(label=_("图片地址"))
    thumbnail = serializers.CharField(label=_("缩略图地址"))


class RemediationRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    compound = serializers.CharField(label=_("小区编码"))
    place = serializers.CharField(label=_("小区位置"))
    community = serializers.CharField(label=_("整治时所属社区编码"))
    kind = serializers.ChoiceField(label=_("整治内容"), choices=FacilityKind.choices)
    title = serializers.CharField(label=_("项目名称"))
    quantity = serializers.IntegerField(label=_("数量"))
    text = serializers.CharField(label=_("说明"))
    state = serializers.ChoiceField(label=_("状态"), choices=RemediationState.choices)
    planned_on = serializers.DateField(label=_("计划完成日期"), allow_null=True)
    started_on = serializers.DateField(label=_("开工日期"), allow_null=True)
    finished_on = serializers.DateField(label=_("完成日期"), allow_null=True)
    photos = PhotoRow(label=_("照片"), many=True)
    version = serializers.IntegerField(label=_("版本"))


class CompoundRow(Shown):
    code = serializers.CharField(label=_("编码"))
    name = serializers.CharField(label=_("名称"))
    path = serializers.CharField(label=_("位置"))
    community = serializers.CharField(label=_("社区编码"), allow_null=True)
    households = serializers.IntegerField(label=_("户数"), allow_null=True)
    built_year = serializers.IntegerField(label=_("建成年份"), allow_null=True)
    is_demonstration = serializers.BooleanField(label=_("示范小区"))
    note = serializers.CharField(label=_("备注"))
    facilities = serializers.DictField(label=_("设施：种类和数量"), child=serializers.IntegerField())
    management = serializers.ChoiceField(label=_("管理方式"), choices=Management.choices, allow_null=True)
    firm = serializers.CharField(label=_("物业公司"))
    committee = serializers.ChoiceField(label=_("业主委员会"), choices=OwnersCommittee.choices, allow_null=True)
    committee_on = serializers.DateField(label=_("业委会成立日期"), allow_null=True)
    branch = serializers.CharField(label=_("党支部"), allow_null=True)
    branch_setup = serializers.ChoiceField(label=_("支部组建方式"), choices=BranchSetup.choices, allow_null=True)
    profile_version = serializers.IntegerField(label=_("小区情况的版本，没有登记时为 0"))
    running_version = serializers.IntegerField(label=_("管理情况的版本，没有登记时为 0"))


def compound_row(compound: Compound) -> dict[str, Any]:
    """A row from a compound with both halves loaded (`partybuilding.resources.compounds.whole`)."""
    profile, running = compound.profile, compound.running
    return {
        "code": compound.code,
        "name": compound.name,
        "path": compound.path,
        "community": compound.community.code if compound.community else None,
        "households": compound.households,
        "built_year": profile.built_year if profile else None,
        "is_demonstration": bool(profile and profile.is_demonstration),
        "note": profile.note if profile else "",
        "facilities": facilities_of(compound),
        "management": running.management if running else None,
        "firm": running.firm_name if running else "",
        "committee": running.committee if running else None,
        "committee_on": running.committee_on if running else None,
        "branch": running.branch.name if running and running.branch else None,
        "branch_setup": (running.branch_setup or None) if running else None,
        "profile_version": profile.version if profile else 0,
        "running_version": running.version if running else 0,
    }


def remediation_row(row: Remediation) -> dict[str, Any]:
    """A row from a project with its compound, community and photos loaded."""
    return {
        "id": row.pk,
        "compound": row.node.code,
        "place": row.node.path,
        "community": row.community.code,
        "kind": row.kind,
        "title": row.title,
        "quantity": row.quantity,
        "text": row.text,
        "state": str(row.state),
        "planned_on": row.planned_on,
        "started_on": row.started_on,
        "finished_on": row.finished_on,
        "photos": [
            {
                "id": photo.pk,
                "stage": photo.stage,
                "url": files.url(pictures.FULL, photo),
                "thumbnail": files.url(pictures.SMALL, photo),
            }
            for photo in row.photos.all()
        ],
        "version": row.version,
    }


class WorkRow(Shown):
    kind = serializers.ChoiceField(label=_("整治内容"), choices=FacilityKind.choices)
    quantity = serializers.IntegerField(label=_("完成数量"))
    finished = serializers.IntegerField(label=_("已完成的项目"))
    going = serializers.IntegerField(label=_("进行中的项目"))
    planned = serializers.IntegerField(label=_("计划的项目"))


class FiguresRow(Shown):
    place = serializers.CharField(label=_("地点编码；可见的全部范围为空"))
    name = serializers.CharField(label=_("地点名称"))
    compounds = serializers.IntegerField(label=_("小区"))
    managed = serializers.IntegerField(label=_("有物业管理"))
    community_run = serializers.IntegerField(label=_("社区代管"))
    unmanaged = serializers.IntegerField(label=_("三无小区"))
    unknown = serializers.IntegerField(label=_("未登记"))
    branches = serializers.IntegerField(label=_("有党支部（覆盖率的分子；分母是小区）"))
    single = serializers.IntegerField(label=_("单独建"))
    attached = serializers.IntegerField(label=_("挂靠建"))
    merged = serializers.IntegerField(label=_("融合建"))
    managed_branches = serializers.IntegerField(label=_("有物业小区中有党支部（分母是有物业管理）"))
    committees = serializers.IntegerField(label=_("业主委员会"))
    preparing = serializers.IntegerField(label=_("筹备中的业主委员会"))
    demonstration = serializers.IntegerField(label=_("示范小区"))
    homes = serializers.IntegerField(label=_("户数"))
    unmanaged_homes = serializers.IntegerField(label=_("三无小区住户"))
    firms = serializers.IntegerField(label=_("物业企业"))
    firms_with_branch = serializers.IntegerField(label=_("有党组织的物业企业"))
    remediation = WorkRow(label=_("整治"), many=True)


class BoardRow(FiguresRow):
    below = FiguresRow(label=_("下一级各地"), many=True)


_COUNTS = [str(name) for name in FiguresRow().fields if hasattr(Counts(), str(name))]


def figures_row(place: str, name: str, figures: Figures) -> dict[str, Any]:
    """The figures of one place."""
    return {
        "place": place,
        "name": name,
        **{count: getattr(figures.counts, count) for count in _COUNTS},
        "firms": len(figures.firms),
        "firms_with_branch": figures.firms_with_branch,
        "remediation": [
            {
                "kind": kind,
                "quantity": figures.work[kind].quantity,
                "finished": figures.work[kind].finished,
                "going": figures.work[kind].going,
                "planned": figures.work[kind].planned,
            }
            for kind in FacilityKind.values
            if kind in figures.work
        ],
    }


class CompoundDescribeInput(serializers.Serializer[Any]):
    """What is not given stays as it is."""

    built_year = serializers.IntegerField(label=_("建成年份"), required=False, allow_null=True)
    households = serializers.IntegerField(label=_("户数"), required=False, allow_null=True)
    is_demonstration = serializers.BooleanField(label=_("示范小区"), required=False)
    note = serializers.CharField(label=_("备注"), required=False, allow_blank=True)
    facilities = serializers.DictField(
        label=_("设施：种类和数量，0 就是没有"), child=serializers.IntegerField(), required=False
    )
    version = serializers.IntegerField(label=_("看到的 profile_version"), required=False)


class RunningInput(serializers.Serializer[Any]):
    """What is not given stays as it is."""

    management = serializers.ChoiceField(label=_("管理方式"), choices=Management.choices, required=False)
    firm_name = serializers.CharField(label=_("物业公司"), required=False, allow_blank=True)
    committee = serializers.ChoiceField(label=_("业主委员会"), choices=OwnersCommittee.choices, required=False)
    committee_on = serializers.DateField(label=_("业委会成立日期"), required=False, allow_null=True)
    branch = serializers.CharField(label=_("党支部名称"), required=False, allow_null=True)
    branch_setup = serializers.ChoiceField(
        label=_("支部组建方式"), choices=BranchSetup.choices, required=False, allow_blank=True
    )
    version = serializers.IntegerField(label=_("看到的 running_version"), required=False)


class ProjectInput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(label=_("整治内容"), choices=FacilityKind.choices)
    title = serializers.CharField(label=_("项目名称"))
    quantity = serializers.IntegerField(label=_("数量"), required=False)
    text = serializers.CharField(label=_("说明"), required=False, allow_blank=True)
    planned_on = serializers.DateField(label=_("计划完成日期"), required=False, allow_null=True)
    started_on = serializers.DateField(label=_("开工日期"), required=False, allow_null=True)
    finished_on = serializers.DateField(label=_("完成日期"), required=False, allow_null=True)
