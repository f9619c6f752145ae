"""The one request that is no JSON: a file of people (E10), written as a form with real parts.

Its call holds the parts as data, so that a plan can show them; the file is either rows or, from the command line, text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from hashlib import sha256

from reconciler.plan.calls import Call, Json
from reconciler.providers.exotel.calls import is_upload

FILE = "file_name"
"""The part that is the file itself, whatever its name suggests."""


def written(call: Call) -> tuple[bytes, str] | None:
    """The body of an upload and its content type; None for every other call."""
    if not is_upload(call) or not isinstance(call.body, Mapping):
        return None
    texts = {name: str(value) for name, value in call.body.items() if name != FILE and value is not None}
    content = _file(call.body.get(FILE)).encode()
    # From the content, so that the same call is the same bytes; it cannot occur in them but by design of SHA-256.
    boundary = sha256(content + repr(sorted(texts.items())).encode()).hexdigest()
    parts = [_part(boundary, f'name="{name}"', text.encode()) for name, text in texts.items()]
    parts.append(_part(boundary, f'name="{FILE}"; filename="contacts.csv"', content, "text/csv"))
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, about: str, content: bytes, kind: str = "") -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {about}\r\n"
    head += f"Content-Type: {kind}\r\n" if kind else ""
    return head.encode() + b"\r\n" + content + b"\r\n"


def _file(value: Json) -> str:
    if isinstance(value, str):
        return value
    rows = [row for row in value if isinstance(row, Mapping)] if isinstance(value, tuple) else []
    others = sorted({name for row in rows for name in row} - {"number"})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["number", *others])
    writer.writerows([[row.get(name) or "" for name in ("number", *others)] for row in rows])
    return out.getvalue()
