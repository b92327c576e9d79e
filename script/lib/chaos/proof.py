"""What must be true when everything has come to rest: nothing lost, nothing doubled, nothing stuck."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from clients import LATE, RETURNED, SUPPORTED
from django.db.models import Count
from far_end import FarEnd

from core.audit_check import Check
from core.models import Notice, OutboxMessage, OutboxState
from grids.soundness import faults as tree_faults
from services.actions.tallies import differences
from services.models import Demand, DemandEvent, SubOrder

# Moves every demand makes exactly once however often a client had to ask, and their notices (services.notices).
ONCE = ("raise", "accept", "check", "close_off")
UNSENT = ("waiting", "sending")


def at_rest() -> list[str]:
    """What still waits: empty when the background has caught up."""
    waits = {
        "待发通知": OutboxMessage.objects.filter(state__in=UNSENT).count(),
        "未统计的办理记录": DemandEvent.objects.filter(tallied=False).count(),
    }
    return [f"{name} {number}" for name, number in waits.items() if number]


def faults(demands: int, codes: dict[int, str], far_end: FarEnd) -> Iterator[str]:
    """Every way in which what is stored is not what was done."""
    yield from _demands(demands, codes)
    yield from _events(codes)
    yield from _notices(far_end)
    yield from (f"check_tree：{line}" for line in tree_faults())


def _demands(demands: int, codes: dict[int, str]) -> Iterator[str]:
    rows = dict(Demand.objects.values_list("code", "state"))
    titles = Counter(Demand.objects.values_list("title", flat=True))
    if len(rows) != demands:
        yield f"应有 {demands} 条需求，实有 {len(rows)} 条"
    yield from (f"登记了两次：{title}" for title, number in titles.items() if number > 1)
    yield from (f"丢失：第 {number} 条 {code}" for number, code in codes.items() if code not in rows)
    yield from (f"没有办到头：{code} {state}" for code, state in rows.items() if state != "closed_off")
    for row in SubOrder.objects.exclude(state__in=["finished", "returned"]).values_list("demand__code", "state"):
        yield f"派单没有办完：{row}"


def _events(codes: dict[int, str]) -> Iterator[str]:
    numbers = {code: number for number, code in codes.items()}
    lines: dict[str, list[Any]] = {code: [] for code in numbers}
    found = DemandEvent.objects.order_by("pk").values_list(
        "demand__code", "name", "suborder_id", "from_state", "to_state"
    )
    for code, *line in found:
        lines.setdefault(code, []).append(line)
    for code, chain in lines.items():
        number = numbers.get(code)
        if number is None:
            continue
        times = Counter(name for name, *_rest in chain)
        returned = number % RETURNED == 0
        expected = {
            **dict.fromkeys(ONCE, 1),
            "dispatch": 1 + returned,
            "request_return": int(returned),
            "approve_return": int(returned),
            "sign": 1 + (number % SUPPORTED == 0),
            "report": 1 + (number % SUPPORTED == 0),
            "finish": 1 + (number % SUPPORTED == 0),
            "late": int(number % LATE == 3),
        }
        for name, wanted in expected.items():
            if times[name] != wanted:
                yield f"{code}（第 {number} 条）：{name} 有 {times[name]} 条记录，应为 {wanted}"
        yield from _chain(code, chain)


def _chain(code: str, chain: list[Any]) -> Iterator[str]:
    """Each move of the demand starts where the one before ended; orders move beside it and bring it along."""
    brought = {"finish": "finished", "approve_return": "accepted"}
    state, orders = "", {}
    for name, suborder, before, after in chain:
        if not after:
            continue
        if suborder is None:
            if before != state:
                yield f"{code}：{name} 从 {before} 开始，此前是 {state}"
            state = after
            continue
        if orders.get(suborder, "dispatched") != before:
            yield f"{code}：派单 {suborder} 的 {name} 从 {before} 开始，此前是 {orders.get(suborder)}"
        orders[suborder] = after
        lead = SubOrder.objects.filter(pk=suborder, role="lead").exists() if name in brought else False
        state = brought[name] if lead else state


def _notices(far_end: FarEnd) -> Iterator[str]:
    kinds = dict(OutboxMessage.objects.exclude(key__contains="#").order_by().values_list("kind").annotate(Count("pk")))
    events = dict(DemandEvent.objects.order_by().values_list("name").annotate(Count("pk")))
    for name in ("raise", "dispatch", "finish", "request_return", "approve_return", "late"):
        told = kinds.get(f"demand_{name}", 0)
        # A dispatch tells each unit; lateness is told again the next day, which this run does not see.
        wanted = SubOrder.objects.count() if name == "dispatch" else events.get(name, 0)
        if told != wanted:
            yield f"“{name}”应有 {wanted} 份通知，实有 {told} 份"
    twice = Notice.objects.order_by().values("message", "reader").annotate(n=Count("pk")).filter(n__gt=1).count()
    if twice:
        yield f"{twice} 份通知在同一个人的信箱里有两份"
    missing = OutboxMessage.objects.filter(state=OutboxState.DONE, notices__isnull=True).exclude(key__contains="#")
    yield from (f"没有送到任何人：{row.key}" for row in missing[:5])
    yield from _messages(far_end)


def _messages(far_end: FarEnd) -> Iterator[str]:
    """What was said to be sent was taken once; what may have been taken is said to be unsure."""
    if far_end.nameless:
        yield f"{far_end.nameless} 份短信没有带标识，网关认不出重复"
    states = Counter(OutboxMessage.objects.filter(key__contains="#").values_list("state", flat=True))
    sent, perhaps = states["done"], states["unsure"] + states["failed"]
    if not sent <= len(far_end.taken) <= sent + perhaps:
        yield f"短信发出 {sent} 份，不确定 {perhaps} 份，网关收下 {len(far_end.taken)} 份"


def county_faults(county: Any) -> Iterator[str]:
    yield from (f"check_tallies：{line}" for line in differences(county))
    yield from (f"check_audit：{finding.text}" for finding in Check().run() if finding.problem)
