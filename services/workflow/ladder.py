"""The ladder a late matter climbs (docs/practice.md#loop): a row for each rung, made by the sweeper alone.

When each rung is due stands in `services.actions.ladder`. A new limit (redo, reopening, extension, parking) begins at the
foot again; a matter that is finished climbs no further.
"""

from django.utils.translation import gettext_lazy

from core.workflow import Input, Transition, Workflow
from services import posts, rate_rules
from services.models import Rung

t = gettext_lazy


def _rung(source: Rung, target: Rung, label: object, done: object) -> Transition:
    return Transition(str(target), label, frozenset({str(source)}), target, system=True, done=done)  # type: ignore[arg-type]


LADDER = Workflow(
    name="ladder",
    label=t("逐级提醒"),
    states=dict(Rung.choices),
    initial=Rung.NONE,
    field="rung",
    ends=tuple(Rung),
    transitions=(
        _rung(Rung.NONE, Rung.NEAR, t("将到期提醒"), t("办理时限将到，提醒承办单位")),
        _rung(Rung.NEAR, Rung.LATE, t("超期提醒"), t("超过办理时限")),
        _rung(Rung.LATE, Rung.NEXT_DAY, t("次日催办"), t("超期次日催办")),
        _rung(Rung.NEXT_DAY, Rung.BULLETIN, t("列入通报"), t("超期过久，列入通报范围")),
        _rung(Rung.BULLETIN, Rung.LEADER, t("报包联领导"), t("超期过久，报包联领导")),
        Transition(
            "instruct",
            t("领导批示"),
            frozenset({str(Rung.LEADER)}),
            None,
            posts.INSTRUCT_DEMAND,
            inputs=(Input("text", t("批示"), required=True),),
            guard=rate_rules.paired_leader,
            tone="main",
            done=t("已批示，并通知了承办单位和社区。"),
            help=t("批示记入办理过程，并通知正在承办的单位和社区。"),
        ),
        Transition(
            "remind",
            t("再次提醒领导"),
            frozenset({str(Rung.LEADER)}),
            None,
            system=True,
            done=t("仍未办结，再次提醒包联领导"),
        ),
    ),
)
