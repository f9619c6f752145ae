"""CSV imports: taken now, worked on later (E10 and E11; item 10)."""

from __future__ import annotations

import csv
import email.message
import io
from dataclasses import replace

from reconciler.sandbox.exotel.envelope import MEDIA_TYPE, Rejected, enveloped, invalid, missing, success
from reconciler.sandbox.exotel.knobs import ExotelKnobs
from reconciler.sandbox.exotel.numbers import stored
from reconciler.sandbox.exotel.state import CONTACT_TEXTS, Account, Upload
from reconciler.sandbox.exotel.visit import Visit
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.wire import JsonObject, Reply

LARGEST_FILE = 60 * 1024 * 1024  # bytes
MOST_VARIABLES = 5  # columns of a dynamic list beside the known ones
COLUMNS = ("number", *CONTACT_TEXTS)
Rows = tuple[JsonObject, ...]


def upload(visit: Visit) -> Reply:
    """E10: the list is made at once when its name is new, the contacts follow."""
    parts = _parts(visit)
    name = parts.get("list_name", b"").decode("utf-8", "replace").strip()
    if not name:
        raise missing("ListName")
    if "file_name" not in parts:
        raise missing("FileName")
    content = parts["file_name"]
    if len(content) >= LARGEST_FILE:
        raise invalid("file must be smaller than 60 MB")
    kind = parts.get("type", b"static").decode("utf-8", "replace").strip() or "static"
    if kind not in ("static", "dynamic"):
        raise invalid(f"type {kind} is neither static nor dynamic")
    account = visit.account
    row = account.list_named(name) or account.new_list(name, None, visit.now, kind=kind)
    rows, readable = parsed(content, row["type"])
    one = Upload(
        id=account.ids.next(),
        list_sid=row["sid"],
        due_at=visit.now + visit.knobs.csv_delay_s,
        rows=rows,
        broken=not readable,
    )
    account.put_upload(one)
    return _taken(visit, one)


def status(visit: Visit) -> Reply:
    """E11."""
    one = visit.seen(visit.account.uploads, "upload", "Upload")
    found: JsonObject = {"upload_id": one.id, "list_sid": one.list_sid, "status": one.status}
    stats = {name: visit.number(one.stats.get(name, 0)) for name in ("duplicate", "total", "success", "failed")}
    if visit.knobs.stats_names == "short":
        return visit.single({**found, "stats": stats})
    return visit.single(
        {
            **found,
            "total_records": stats["total"],
            "success_count": stats["success"],
            "duplicate_count": stats["duplicate"],
            "failure_count": stats["failed"],
        }
    )


def advance(account: Account, knobs: ExotelKnobs, ledger: Ledger, now: float) -> None:
    """Work on the uploads that are due."""
    for upload_id in list(account.importing):
        one = account.uploads.get(upload_id)
        if one is not None and one.due_at <= now:
            account.put_upload(_done(account, one, knobs, ledger))


def parsed(content: bytes, kind: str) -> tuple[Rows, bool]:
    """Rows of a file, and whether its header is usable for a list of that kind."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        header = [str(name).strip() for name in reader.fieldnames or ()]
        rows = tuple({str(key).strip(): value for key, value in row.items() if key is not None} for row in reader)
    except (UnicodeDecodeError, csv.Error):
        return (), False
    variables = [name for name in header if name not in COLUMNS]
    return rows, "number" in header and len(variables) <= (MOST_VARIABLES if kind == "dynamic" else 0)


def _done(account: Account, one: Upload, knobs: ExotelKnobs, ledger: Ledger) -> Upload:
    listed = account.lists.get(one.list_sid)
    if listed is None or one.broken or knobs.csv_fails:
        return replace(one, status="failed", rows=())
    stats = {"duplicate": 0, "total": len(one.rows), "success": 0, "failed": 0}
    members, cap, joined = account.membership(one.list_sid), account.cap(listed, knobs), []
    for row in one.rows:
        number = stored((row.get("number") or "").strip())
        known = account.by_number.get(number) if number else None
        if known is not None and known in members:
            stats["duplicate"] += 1
        elif number is None or len(members) >= cap:
            stats["failed"] += 1
        else:
            if known is None:
                extra = {key: value for key, value in row.items() if key not in COLUMNS and value}
                texts = {key: row.get(key) or None for key in CONTACT_TEXTS}
                known = account.new_contact(number, {**texts, "custom_field": extra or None}, one.due_at)["sid"]
            account.join(one.list_sid, known, one.due_at)
            joined.append(number)
            stats["success"] += 1
    account.expose(ledger, "csv", one.list_sid, joined, one.due_at)
    return replace(one, status="completed", rows=(), stats=stats)


def _taken(visit: Visit, one: Upload) -> Reply:
    http, method = visit.knobs.csv_http, visit.request.method
    host = visit.request.headers.get("host", "api.exotel.com")
    url = f"http://{host}/v2/accounts/{visit.account.sid}/csv-status/{one.id}"
    ids = {"upload_id": one.id, "list_sid": one.list_sid}
    if visit.knobs.csv_reply == "array":
        return enveloped(visit.request_id, method, http, [success({**ids, "status": "processing"})])
    if visit.knobs.csv_reply == "list":
        return visit.single({"upload_id": one.id, "list": {"sid": one.list_sid}}, http)
    return visit.single({"summary": {**ids, "url": url}}, http)


def _parts(visit: Visit) -> dict[str, bytes]:
    """The form parts by name."""
    header = email.message.Message()
    header["content-type"] = visit.request.headers.get("content-type", "")
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise Rejected(415, MEDIA_TYPE, visit.request.headers.get("content-type", ""))
    found: dict[str, bytes] = {}
    for piece in (b"\r\n" + visit.request.body).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        part = email.message.Message()
        for line in head.decode("utf-8", "replace").split("\r\n"):
            key, _, value = line.partition(":")
            if key:
                part[key] = value.strip()
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            found[name] = content
    return found
