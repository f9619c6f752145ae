"""Campaigns under the clock: who is called when, and how it ends (item 12)."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from reconciler.sandbox.exotel.knobs import ExotelKnobs
from reconciler.sandbox.exotel.state import Account, Campaign, Line, stamp
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.wire import JsonObject

CALL_S = 12  # how long an answered call takes
UNREACHABLE = ("failed-dnd", "invalid")  # outcomes for which no telephone rings


def advance(account: Account, knobs: ExotelKnobs, ledger: Ledger, now: float) -> None:
    """Do for every live campaign what is due."""
    for campaign_id in list(account.waiting):
        campaign = account.campaigns.get(campaign_id)
        if campaign is None or campaign.due_at is None or campaign.due_at > now:
            continue
        after = started(account, campaign, knobs, now)
        if after.status == "in-progress":
            after = _called(account, after, knobs, ledger, now)
        elif after.status == "paused" and after.end_at is not None and after.end_at <= now:
            after = replace(after, status="canceled", updated=after.end_at)
        after = replace(after, due_at=_due(after, knobs))
        if after != campaign:
            account.put_campaign(after)


def started(account: Account, campaign: Campaign, knobs: ExotelKnobs, now: float) -> Campaign:
    """In progress, with everybody who will be called, if its time has come; later changes of the lists count no more.

    The calls themselves are left to ``advance``.
    """
    at = min(campaign.created, now) if campaign.send_at is None else campaign.send_at
    if campaign.status != "created" or at > now:
        return campaign
    at = min(max(at, campaign.updated), now)
    fields = campaign.fields
    pace = fields["throttle"] if fields["mode"] == "custom" else knobs.calls_per_minute
    wanted: list[tuple[str, str | None]] = [(number, None) for number in fields["from"]]
    wanted += [(number, one) for one in campaign.lists for number in account.numbers(one)]
    lines: list[Line] = []
    seen: set[str] = set()
    for number, list_sid in wanted:
        if number in seen and not fields["call_duplicate_numbers"]:
            continue
        seen.add(number)
        lines.append(Line(number=number, list_sid=list_sid, next_at=at + (len(lines) * 60 / pace if pace else 0)))
    return replace(campaign, status="in-progress", started=at, updated=at, lines=tuple(lines), due_at=at)


def _called(account: Account, campaign: Campaign, knobs: ExotelKnobs, ledger: Ledger, now: float) -> Campaign:
    """Place the calls that are due; done when nobody is left, or when the window closes."""
    end = inf if campaign.end_at is None else campaign.end_at
    until, earliest = min(now, end), campaign.resumed or 0.0
    lines, placed = [], []
    for line in campaign.lines:
        while line.next_at is not None and max(line.next_at, earliest) <= until and line.next_at < end:
            at = max(line.next_at, earliest)
            placed.append((at, line))
            line = _after_call(account, campaign, line, at)
        lines.append(line)
    placed.sort(key=lambda pair: pair[0])
    calls = tuple(_record(account, campaign, line, at, ledger) for at, line in placed)
    last = placed[-1][0] if placed else campaign.last_call
    campaign = replace(campaign, lines=tuple(lines), calls=(*campaign.calls, *calls), last_call=last)
    finish = None if campaign.held else _finish(campaign, knobs)
    if finish is not None and finish <= now:
        return replace(campaign, status="completed", updated=finish)
    if end <= now:
        if knobs.at_end_at == "paused":
            return replace(campaign, status="paused", updated=end)
        over = (line if line.next_at is None else replace(line, status="failed", next_at=None) for line in lines)
        return replace(campaign, status="completed", updated=end, lines=tuple(over))
    return campaign


def _after_call(account: Account, campaign: Campaign, line: Line, at: float) -> Line:
    """The line after one more attempt: called again later, or done."""
    attempt = line.attempts + 1
    outcome = account.outcome(line.number, attempt)
    retries = campaign.fields["retries"] or {}
    if attempt <= (retries.get("number_of_retries") or 0) and outcome in (retries.get("on_status") or ()):
        wait = retries["interval_mins"] * 60
        next_at = at + (wait * 2 ** (attempt - 1) if retries.get("mechanism") == "Exponential" else wait)
        return replace(line, attempts=attempt, status="retry", next_at=next_at)
    status = "failed" if outcome in ("busy", "no-answer") else outcome
    return replace(line, attempts=attempt, status=status, next_at=None)


def _record(account: Account, campaign: Campaign, line: Line, at: float, ledger: Ledger) -> JsonObject:
    """The row of E24 for the next attempt of ``line``, and its entry in the ledger if a telephone rings."""
    attempt = line.attempts + 1
    outcome = account.outcome(line.number, attempt)
    if outcome not in UNREACHABLE:
        facts = {"campaign": campaign.id, "name": campaign.fields["name"], "list": line.list_sid, "attempt": attempt}
        ledger.contacted("exotel", "campaign", at, line.number, **facts)
    duration = CALL_S if outcome == "completed" else 0
    return {
        "number": line.number,
        "name": None,
        "duration": duration,
        "date_created": stamp(at),
        "status": outcome,
        "digit": None,
        "recording_url": None,
        "start_time": stamp(at),
        "end_time": stamp(at + duration),
        "caller_id": campaign.fields["caller_id"],
        "direction": "outbound-api",
        "call_sid": f"{campaign.id[:24]}{(int(line.number[1:]) * 31 + attempt) % 0x100000000:08x}",
    }


def _finish(campaign: Campaign, knobs: ExotelKnobs) -> float | None:
    """When the last call has ended; None while some are still to be placed."""
    if any(line.next_at is not None for line in campaign.lines):
        return None
    return max(campaign.started or 0.0, campaign.last_call or 0.0) + knobs.call_s


def _due(campaign: Campaign, knobs: ExotelKnobs) -> float | None:
    """When the clock has to look at it again."""
    match campaign.status:
        case "created":
            return campaign.send_at
        case "paused":
            return campaign.end_at
        case "in-progress":
            times = [line.next_at for line in campaign.lines if line.next_at is not None]
            finish = None if campaign.held else _finish(campaign, knobs)
            times += [at for at in (finish, campaign.end_at) if at is not None]
            return min(times, default=None)
        case _:
            return None
