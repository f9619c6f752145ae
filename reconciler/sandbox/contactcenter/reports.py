"""Queues, call history and its one correction (E4, E5 and E9; items 10 to 12)."""

from __future__ import annotations

from reconciler.sandbox.contactcenter.visit import Visit, window
from reconciler.sandbox.wire import JsonObject, Refusal, Reply, json_reply

MILLISECONDS_FROM = 1e11  # a greater number cannot be seconds
COLUMNS = (
    "datetime",
    "timestamp",
    "campaign_name",
    "lead_name",
    "lead_number",
    "agent_name",
    "agent_extension",
    "lead_history",
)


def queues(visit: Visit) -> Reply:
    """E4: counters follow from the agents (item 11)."""
    rows = [counted(row) for row in visit.account.queues]
    return json_reply([] if visit.request.twist.empty else rows)


def history(visit: Visit) -> Reply:
    """E5: both bounds belong to the window (item 12)."""
    query, knobs = visit.request.query, visit.knobs
    since, until = (_seconds(query.get(name)) for name in ("startDate", "endDate"))
    size = visit.size("pageSize", knobs.history_page, knobs.max_history_page)
    rows = [row for row in visit.account.activity if since <= row["timestamp"] <= until]
    rows = [] if visit.request.twist.empty else sorted(rows, key=lambda row: float(row["timestamp"]))
    asked = query.get("startKey", "") if knobs.history_envelope == "object" else ""
    start = next((at for at, row in enumerate(rows) if row["call_id"] == asked), len(rows)) if asked else 0
    positions, following = window(start, size, len(rows), visit.request.twist.row_shift)
    extra = {name.strip() for name in query.get("fields", "").split(",")} | ({"call_id"} if knobs.call_ids else set())
    page = [_spelled(rows[at], extra) for at in positions]
    if knobs.history_envelope == "array":
        return json_reply(page)
    cursor = rows[following]["call_id"] if following < len(rows) else None
    return json_reply({"data": page, **visit.cursor(cursor)})


def set_voicemail(visit: Visit) -> Reply:
    """E9: a call by its id or by the id of one of its events (item 10)."""
    wanted, activity = visit.params["call"], visit.account.activity
    for at, row in enumerate(activity):
        if wanted in (row["call_id"], *(event.get("uuid") for event in row["lead_history"])):
            activity[at] = {**row, "disposition": "voicemail"}
            visit.account.tally.changes += 1
            return visit.done("Call disposition set successfully.")
    raise Refusal(400)


def counted(queue: JsonObject) -> JsonObject:
    """A queue with its counters."""
    agents: list[JsonObject] = queue["agents"]
    logged_in = [agent for agent in agents if agent["logged_in"]]
    return {
        **queue,
        "total_agents": len(agents),
        "logged_in_agents": len(logged_in),
        "logged_out_agents": len(agents) - len(logged_in),
        "idle_agents": sum(agent["status"] == "idle" for agent in logged_in),
        "misconfigured_agents": sum(not agent["extension_is_valid"] for agent in agents),
        "agents_registered": sum(bool(agent["registered"]) for agent in agents),
        "agents_on_call": sum(agent["status"] == "oncall" for agent in agents),
    }


def _spelled(row: JsonObject, extra: set[str]) -> JsonObject:
    return {name: value for name, value in row.items() if name in COLUMNS or name in extra}


def _seconds(text: str | None) -> float:
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise Refusal(400)
    at = float(text)
    return at / 1000 if at >= MILLISECONDS_FROM else at
