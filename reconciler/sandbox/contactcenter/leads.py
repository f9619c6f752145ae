"""Campaign reports and leads (E2, E3 and E6 to E8; items 5 to 9)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import msgspec

from reconciler.sandbox.contactcenter.state import NEW, SHOWN, WRITABLE, WRITE_ONLY
from reconciler.sandbox.contactcenter.visit import Visit, is_kind, window
from reconciler.sandbox.wire import JsonObject, Refusal, Reply, json_reply

EMPTY = {"object": b"{}", "array": b"[]", "null": b"null"}


def report(visit: Visit) -> Reply:
    """E2: every campaign with its counts, statuses without leads left out (item 5)."""
    found: JsonObject = {}
    for campaign in visit.account.campaigns.shown(visit.now):
        rows = _shown(visit, campaign["id"])
        if not rows and visit.knobs.hide_empty_campaigns:
            continue
        found[campaign["id"]] = {
            "name": campaign["name"],
            "status": campaign["status"],
            "total_leads": len(rows),
            "leads_by_status": dict(Counter(row["status"] for row in rows)),
        }
    _unveil(visit)
    if not found or visit.request.twist.empty:
        return Reply(200, EMPTY[visit.knobs.empty_report])
    body = msgspec.json.encode(found)
    if visit.knobs.dup_status_key:  # an object with a key twice has no other way to come about
        body = body.replace(b'"leads_by_status":{', b'"leads_by_status":{"success":0,')
    return Reply(200, body)


def enumerate_leads(visit: Visit) -> Reply:
    """E3: by id, the cursor is the id that the next page starts with (item 6)."""
    knobs, campaign = visit.knobs, visit.params["campaign"]
    if visit.account.campaigns.show(campaign, visit.now) is None:
        if knobs.unknown_campaign == 200:
            return json_reply({knobs.rows_key: []})
        raise Refusal(knobs.unknown_campaign)
    size = visit.size("page_size", knobs.default_page, knobs.max_page)
    rows = _shown(visit, campaign)
    _unveil(visit)
    if visit.request.twist.empty:
        rows = []
    if knobs.bare_array:
        return json_reply(_spelled(visit, rows))
    asked = visit.request.query.get("next_start_key") or ""
    blank = asked.endswith("~")  # the page after an empty one starts where that one stood, also the first
    start = bisect_left(rows, asked.rstrip("~"), key=lambda row: str(row["id"]))
    positions, following = window(start, size, len(rows), visit.request.twist.row_shift)
    page = _spelled(visit, [rows[at] for at in positions])
    cursor = rows[following]["id"] if following < len(rows) else None
    if knobs.cursor_repeats and cursor is not None:
        cursor = rows[start]["id"]
    elif knobs.empty_page_with_cursor and rows and not blank:
        page, cursor = [], f"{asked}~"
    return json_reply({knobs.rows_key: page, **visit.cursor(cursor)})


def add(visit: Visit) -> Reply:
    """E6: no id comes back, and a known number is one more lead (item 7)."""
    knobs, account = visit.knobs, visit.account
    refused = knobs.put_add_refused if visit.request.method == "PUT" else not knobs.allow_post_add
    if refused:
        raise Refusal(405)
    body, campaign = visit.json_object(), visit.params["campaign"]
    for name, value in body.items():
        wrong = knobs.strict_fields if name not in WRITABLE else not is_kind(value, WRITABLE[name])
        if wrong:
            raise Refusal(400)
    if not body.get("number") or campaign not in account.campaigns:
        raise Refusal(400)
    fields = {name: body[name] for name in WRITABLE if name in body}
    fields["number"] = _normalised(visit, fields["number"])
    namesakes = account.namesakes(campaign, fields["number"])
    if namesakes and knobs.dedupe == "reject400":
        raise Refusal(400)
    if not namesakes or knobs.dedupe == "off":
        row = account.new_lead(campaign, visit.ids.next(), visit.now, fields)
        _hide(visit, row)
        account.expose(visit.ledger, "lead", row, visit.now)
        if namesakes:
            visit.ledger.duplicated("contactcenter", "lead", visit.now, row["number"], [*namesakes, row["id"]])
    return visit.done("Lead added to campaign successfully.")


def set_status(visit: Visit) -> Reply:
    """E7: ``new`` means that the person is called again (item 8)."""
    row, status = visit.lead(), visit.params["status"]
    if row is None or status not in [word.strip() for word in visit.knobs.statuses.split(",")]:
        raise Refusal(400)
    if row["status"] != status:
        changed = {**row, "status": status, "ready_at": visit.now, "ends_at": None}
        visit.account.put_lead(changed)
        if status == NEW:
            visit.account.expose(visit.ledger, "status", changed, visit.now)
    return visit.done("Lead status set successfully.")


def delete(visit: Visit) -> Reply:
    """E8 (item 9)."""
    if not visit.account.drop_lead(visit.params["lead"]) and visit.knobs.missing_lead != 200:
        raise Refusal(visit.knobs.missing_lead)
    return visit.done("Lead deleted successfully.")


def _shown(visit: Visit, campaign: str) -> list[JsonObject]:
    leads, veiled = visit.account.leads.get(campaign), visit.account.veiled
    rows = [] if leads is None else leads.shown(visit.now)
    return [row for row in rows if row["id"] not in veiled] if veiled else rows


def _unveil(visit: Visit) -> None:
    """One more read has passed."""
    veiled = visit.account.veiled
    visit.account.veiled = {lead: reads - 1 for lead, reads in veiled.items() if reads > 1}


def _hide(visit: Visit, row: JsonObject) -> None:
    """A new lead may take its time to show (item 7)."""
    if visit.knobs.visibility_delay_requests:
        visit.account.veiled[row["id"]] = visit.knobs.visibility_delay_requests
    if visit.knobs.visibility_delay_s:
        until = visit.now + visit.knobs.visibility_delay_s
        visit.account.leads[row["campaign_id"]].hide(row["id"], None, until)


def _spelled(visit: Visit, rows: Sequence[JsonObject]) -> list[JsonObject | str]:
    names = (*SHOWN, *WRITE_ONLY) if visit.knobs.echo_write_only else SHOWN
    found: list[JsonObject | str] = [{name: row[name] for name in names} for row in rows]
    return ["malformed", *found[1:]] if visit.knobs.malformed_record and found else found


def _normalised(visit: Visit, number: str) -> str:
    match visit.knobs.normalise:
        case "none":
            return number
        case "strip_plus":
            return number.removeprefix("+")
        case "add_plus":
            return f"+{number.removeprefix('+')}"
