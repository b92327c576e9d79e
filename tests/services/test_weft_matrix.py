"""The tables of the weft as a tester reads them: which move starts where, leads where, who may make it, what must be given.

Written down apart from `services.workflow`, so that a slip of the finger there turns something red here; what the moves do
is proved in the tests of each capability. A `!` marks what must be given.
"""

import pytest

from core.workflow import Workflow
from services.workflow import ALL, LOOP

WEFT = {flow.name: flow for flow in ALL if flow not in LOOP}
# Table, move, states it starts from, where it leads, who may make it, inputs, guard.
MOVES = [
    ("checkin_application", "accept", "applied", "accepted", "checkin.manage", "community_liaison!", ""),
    ("checkin_application", "send_back", "applied", "sent_back", "checkin.manage", "reason!", ""),
    ("checkin_application", "decline", "applied sent_back", "declined", "checkin.manage", "reason!", ""),
    (
        "checkin_application",
        "reapply",
        "sent_back",
        "applied",
        "checkin.apply",
        "role! brings! years! unit_liaison!",
        "",
    ),
    ("checkin_application", "withdraw", "applied sent_back", "withdrawn", "checkin.apply SYSTEM", "", ""),
    ("commitment", "progress", "open", "", "commitment.make", "percent! text! photos", ""),
    ("commitment", "report", "open", "reported", "commitment.make", "text! photos", ""),
    ("commitment", "confirm", "reported", "done", "commitment.confirm", "", "not_ones_own"),
    ("commitment", "send_back", "reported", "open", "commitment.confirm", "reason!", "not_ones_own"),
    ("commitment", "change", "open", "", "commitment.manage", "", ""),
    ("commitment", "move", "open reported", "moved", "commitment.manage checkin.manage SYSTEM", "unit! reason", ""),
    ("commitment", "drop", "open reported", "dropped", "commitment.manage checkin.manage SYSTEM", "reason!", ""),
    ("member_checkin", "accept", "applied", "accepted", "member_checkin.manage", "", "_can_live_there"),
    ("member_checkin", "send_back", "applied", "sent_back", "member_checkin.manage", "reason!", ""),
    ("member_checkin", "resend", "sent_back", "applied", "member_checkin.report", "", ""),
    ("member_checkin", "decline", "applied sent_back", "declined", "member_checkin.manage", "reason!", ""),
    ("member_checkin", "change", "applied accepted", "", "member_checkin.report member_checkin.manage", "", ""),
    ("member_checkin", "withdraw", "applied sent_back", "ended", "member_checkin.report", "", ""),
    ("member_checkin", "end", "accepted", "ended", "member_checkin.report member_checkin.manage", "reason", ""),
    ("member_service", "confirm", "entered", "confirmed", "member_checkin.manage", "", "_not_ones_own"),
    ("member_service", "send_back", "entered", "sent_back", "member_checkin.manage", "reason!", "_not_ones_own"),
    ("member_service", "correct", "entered sent_back", "entered", "member_checkin.report", "", ""),
    ("member_service", "drop", "entered sent_back", "dropped", "member_checkin.report", "", ""),
    ("member_service", "take_back", "confirmed", "sent_back", "member_checkin.manage", "reason!", "_not_told_yet"),
    ("match_proposal", "accept", "proposed", "accepted", "match.run", "", ""),
    ("match_proposal", "refuse", "proposed", "refused", "match.run", "reason!", ""),
    ("match_proposal", "outdate", "proposed", "outdated", "SYSTEM", "", ""),
    ("resource", "check", "offered", "available", "resource.manage", "", ""),
    ("resource", "send_back", "offered", "sent_back", "resource.manage", "reason!", ""),
    ("resource", "offer", "sent_back", "offered", "resource.offer resource.manage", "", ""),
    ("resource", "confirm", "available", "", "resource.manage resource.offer", "", ""),
    (
        "resource",
        "withdraw",
        "offered available sent_back",
        "withdrawn",
        "resource.manage resource.offer",
        "reason!",
        "_not_in_use",
    ),
    ("project", "publish", "draft", "open", "project.manage", "", "_has_due_day"),
    ("project", "claim", "open", "running", "project.claim", "unit!", ""),
    ("project", "appoint", "draft open running", "running", "project.manage", "unit!", "_has_due_day"),
    ("project", "finish", "running", "finished", "project.serve project.manage", "result!", "_by_lead_or_place"),
    ("project", "accept", "finished", "done", "project.manage", "reason", "_not_by_lead"),
    ("project", "send_back", "finished", "running", "project.manage", "reason!", ""),
    ("project", "drop", "draft open running", "dropped", "project.manage", "reason!", ""),
    ("responsibility", "do", "open", "done", "project.manage project.serve", "text!", "_on_project"),
    ("responsibility", "reopen", "done", "open", "project.manage", "reason!", "_on_project"),
    ("responsibility", "drop", "open", "dropped", "project.manage", "reason!", "_on_project"),
    ("meeting", "publish", "planned", "published", "meeting.manage", "reason", ""),
    ("meeting", "change", "planned published", "", "meeting.manage", "", ""),
    ("meeting", "start", "published", "running", "meeting.manage", "", ""),
    ("meeting", "close", "running", "closed", "meeting.manage SYSTEM", "summary", ""),
    ("meeting", "cancel", "planned published", "cancelled", "meeting.manage", "reason!", ""),
    ("meeting", "lapse", "planned published", "cancelled", "SYSTEM", "", ""),
    (
        "attendance",
        "come",
        "invited coming excused",
        "coming",
        "meeting.attend meeting.manage",
        "person!",
        "own_answer",
    ),
    (
        "attendance",
        "excuse",
        "invited coming excused",
        "excused",
        "meeting.attend meeting.manage",
        "note!",
        "own_answer",
    ),
    ("attendance", "arrive", "invited coming excused", "present", "meeting.manage", "", "under_way"),
    ("attendance", "absent", "present", "invited", "meeting.manage", "", "under_way"),
    ("agendaitem", "claim", "open", "claimed", "meeting.attend meeting.manage", "unit", "free_to_claim"),
    ("agendaitem", "release", "claimed", "open", "meeting.attend meeting.manage", "", "own_claim"),
    ("agendaitem", "resolve", "open claimed resolved leader", "resolved", "meeting.manage", "", "still_here"),
    ("agendaitem", "lead", "open claimed resolved leader", "leader", "meeting.manage", "", "still_here"),
    ("agendaitem", "defer", "open claimed", "deferred", "meeting.manage SYSTEM", "", "at_the_table"),
    ("resolution", "finish", "open", "done", "meeting.manage", "result!", "not_followed"),
    ("resolution", "coordinate", "open", "done", "meeting.view", "result!", "own_matter"),
    ("resolution", "drop", "open", "dropped", "meeting.manage", "reason!", "not_made_yet"),
    ("resolution", "follow", "open", "done", "SYSTEM", "", ""),
    ("wish", "check", "collected", "open", "wish.manage", "", ""),
    ("wish", "decline", "collected", "declined", "wish.manage", "reason!", ""),
    ("wish", "change", "collected open", "", "wish.manage", "", ""),
    ("wish", "adopt", "open", "adopted", "wish.adopt", "unit", ""),
    ("wish", "ask", "open", "", "wish.manage", "unit!", ""),
    ("wish", "extend", "open", "", "wish.manage", "", ""),
    ("wish", "give_back", "adopted", "open", "wish.adopt", "", ""),
    ("wish", "release", "adopted", "open", "wish.manage SYSTEM", "reason!", "time_is_over"),
    ("wish", "finish", "adopted", "done", "wish.adopt", "text! done_on! hours", ""),
    ("wish", "thank", "done", "thanked", "wish.manage SYSTEM", "thanks", "not_by_adopter"),
    ("wish", "undelivered", "done", "adopted", "wish.manage", "reason!", "not_by_adopter"),
    ("wish", "end", "collected open", "ended", "wish.manage wish.collect SYSTEM", "reason!", ""),
    ("resolution", "fall", "open", "dropped", "SYSTEM", "", ""),
    ("case", "ask", "open", "", "case.manage", "units! kind! wanted!", ""),
    ("case", "note", "open", "", "case.manage", "text!", ""),
    ("case", "review", "open", "", "case.manage", "text! review_on!", ""),
    ("case", "change", "open", "", "case.manage", "title! text", ""),
    ("case", "close", "open", "closed", "case.manage SYSTEM", "result! ended", ""),
    ("case", "reopen", "closed", "open", "case.manage", "text!", "reopenable"),
    ("case", "erase", "closed", "", "case.manage SYSTEM", "", "not_erased"),
    ("help", "accept", "asked", "helping", "case.help", "due_on! text", ""),
    ("help", "decline", "asked", "declined", "case.help", "", ""),
    ("help", "report", "helping", "", "case.help", "text! due_on", ""),
    ("help", "finish", "helping", "done", "case.help", "result!", ""),
    ("help", "leave", "helping", "ended", "case.help", "text", ""),
    ("help", "withdraw", "asked", "ended", "case.manage", "", ""),
    ("help", "lapse", "asked", "ended", "SYSTEM", "", ""),
    ("help", "end", "helping", "ended", "case.manage SYSTEM", "text!", ""),
    ("exclusion", "approve", "requested", "approved", "exclusion.decide", "note!", "asked_by_another"),
    ("exclusion", "reject", "requested", "rejected", "exclusion.decide", "note!", "asked_by_another"),
    ("exclusion", "withdraw", "requested", "withdrawn", "exclusion.request", "", "asked_oneself"),
    ("exclusion", "reverse", "approved", "reversed", "exclusion.decide", "reason!", ""),
    ("ladder", "near", "none", "near", "SYSTEM", "", ""),
    ("ladder", "late", "near", "late", "SYSTEM", "", ""),
    ("ladder", "next_day", "late", "next_day", "SYSTEM", "", ""),
    ("ladder", "bulletin", "next_day", "bulletin", "SYSTEM", "", ""),
    ("ladder", "leader", "bulletin", "leader", "SYSTEM", "", ""),
    ("ladder", "instruct", "leader", "", "demand.instruct", "text!", "paired_leader"),
    ("ladder", "remind", "leader", "", "SYSTEM", "", ""),
    ("bulletin", "change", "draft", "", "bulletin.publish", "", ""),
    ("bulletin", "add", "draft", "", "bulletin.publish", "demand!", ""),
    ("bulletin", "take_out", "draft", "", "bulletin.publish", "item! reason!", ""),
    ("bulletin", "publish", "draft", "published", "bulletin.publish", "", ""),
    ("bulletin", "withdraw", "draft published", "withdrawn", "bulletin.publish", "reason!", ""),
    ("bulletin_item", "answer", "open answered", "answered", "bulletin.answer", "text!", "named_oneself"),
    ("bulletin_item", "send_back", "answered", "open", "bulletin.publish", "reason!", "is_published"),
    ("bulletin_item", "settle", "open answered", "settled", "bulletin.publish SYSTEM", "note!", "is_published"),
]


def told(flow: Workflow) -> list[tuple[str, ...]]:
    """A table in the words above."""
    found = []
    for row in flow.transitions:
        who = [row.right or "", *row.also, "SYSTEM" if row.system else "", "RESIDENT" if row.resident else ""]
        inputs = [item.name + ("!" if item.required else "") for item in row.inputs]
        starts = [state for state in flow.states if state in row.sources]
        guard = getattr(row.guard, "__name__", "")
        found.append(
            (
                flow.name,
                row.name,
                " ".join(starts),
                row.target or "",
                " ".join(filter(None, who)),
                " ".join(inputs),
                guard,
            )
        )
    return found


@pytest.mark.parametrize("name", sorted(WEFT))
def test_a_table_holds_these_moves_and_no_others(name: str) -> None:
    assert told(WEFT[name]) == [row for row in MOVES if row[0] == name]


def test_every_table_is_written_down() -> None:
    assert {row[0] for row in MOVES} == set(WEFT)


@pytest.mark.parametrize("name", sorted(WEFT))
def test_nothing_rests_where_nobody_leads_it_on(name: str) -> None:
    """Every state but the last ones has a way out, and every state can be reached."""
    flow = WEFT[name]
    leaving = {state for row in flow.transitions if row.target for state in row.sources}
    reached = {flow.initial, *(row.target for row in flow.transitions if row.target)}
    assert reached == set(flow.states), "a state nothing leads to"
    ends = set(flow.ends) or set(flow.states) - leaving
    assert set(flow.states) - leaving <= ends
