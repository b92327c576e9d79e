"""Red partners (红色合伙人) of the sample: services a community buys in from social organisations (docs/domain.md#c6). All
invented; who is hired does not report, so these are none of the county's reporting units."""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Model

from core.periods import day_start
from grids.models import County, GridNode
from partybuilding.models import Domain, Unit, UnitKind
from services.models import Project, ProjectState

# Who, what, what for, yuan, begun so many days ago, accepted so many days ago (None: under way).
_BOUGHT = (
    ("示例阳光社会工作服务中心", "四点半课堂", "放学后照看双职工家庭的孩子，每周五次", 32_000, 60, None),
    ("示例阳光社会工作服务中心", "独居老人居家探访", "每周上门一次，做探访记录", 8_000, 120, 12),
    ("示例夕阳红养老服务中心", "助餐送餐上门", "为行动不便的老人送午餐，每个工作日一次", 24_000, 45, None),
)


def buy_services(county: County, community: GridNode, day: datetime.date) -> tuple[Sequence[Model], ...]:
    """Writes the organisations and the projects they lead in a community."""
    organisations = {
        name: Unit(county=county, name=name, kind=UnitKind.SOCIAL, domain=Domain.SOCIAL, duty="社会工作服务")
        for name in dict.fromkeys(name for name, *_rest in _BOUGHT)
    }
    units = Unit.objects.bulk_create(organisations.values())
    projects = []
    for number, (name, title, text, cost, begun, accepted) in enumerate(_BOUGHT, start=1):
        began = day - datetime.timedelta(days=begun)
        done = day - datetime.timedelta(days=accepted) if accepted else None
        projects.append(
            Project(
                county=county,
                node=community,
                community=community,
                code=f"{began:%Y%m%d}-{999_900 + number}",
                name=title,
                text=text,
                lead_unit=organisations[name],
                budget=Decimal(cost),
                start_on=began,
                due_on=done or began + datetime.timedelta(days=180),
                state=ProjectState.DONE if done else ProjectState.RUNNING,
                created_at=day_start(began),
                claimed_at=day_start(began),
                finished_at=day_start(done - datetime.timedelta(days=1)) if done else None,
                done_on=done,
                result="按约定完成，走访记录齐全，老人满意。" if done else "",
            )
        )
    Project.objects.bulk_create(projects)
    return units, projects
