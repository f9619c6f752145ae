"""The wrapping around every answer, and errors in it (items 2 to 4 and 14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.sandbox.exotel.knobs import ExotelKnobs
from reconciler.sandbox.wire import JsonObject, Refusal, Reply, json_reply

UNKNOWN, MANDATORY, INVALID, UNREADABLE, DUPLICATE, UNAUTHORISED, MEDIA_TYPE = 1000, 1001, 1002, 1007, 1008, 1010, 1011
INTERNAL = 1100
MESSAGES: Mapping[int, str] = {
    UNKNOWN: "Not Found",
    MANDATORY: "Mandatory Parameter missing",
    INVALID: "Invalid parameter",
    1003: "Authorization failed",
    UNREADABLE: "Invalid request body,failed parsing ",  # the blank at the end is theirs
    DUPLICATE: "Duplicate resource",
    UNAUTHORISED: "Authorization failed",
    MEDIA_TYPE: "unsupported content type",
    INTERNAL: "internal error",
}
USUAL: Mapping[int, int] = {400: INVALID, 401: UNAUTHORISED, 403: 1003, 404: UNKNOWN, 409: DUPLICATE, 415: MEDIA_TYPE}


class Rejected(Refusal):
    """A refusal of this platform: HTTP or item status, its error code, and what was wrong."""

    def __init__(self, status: int, code: int, description: str | None = None, data: JsonObject | None = None) -> None:
        text = MESSAGES[code] if description is None else description
        super().__init__(status, text)
        self.code = code
        self.description = text
        self.data = data


def unknown(what: str) -> Rejected:
    """404 for an id that nothing has."""
    return Rejected(404, UNKNOWN, f"{what} not found")


def missing(field: str) -> Rejected:
    """400 for a required field."""
    return Rejected(400, MANDATORY, f"{field} is mandatory")


def invalid(description: str) -> Rejected:
    """400 for a value that cannot be."""
    return Rejected(400, INVALID, description)


def success(data: Any, **beside: Any) -> JsonObject:
    """One item that went well; ``beside`` stands next to its data."""
    return {"code": 200, "error_data": None, "status": "success", "data": data, **beside}


def failure(rejected: Rejected) -> JsonObject:
    """One item that did not."""
    error = {"code": rejected.code, "message": MESSAGES[rejected.code], "description": rejected.description}
    return {"code": rejected.status, "error_data": error, "status": "failure", "data": rejected.data}


def enveloped(request_id: str, method: str, status: int, response: Any, metadata: JsonObject | None = None) -> Reply:
    """The whole answer, keys in their documented order."""
    body: JsonObject = {"request_id": request_id, "method": method, "http_code": status}
    if metadata is not None:
        body["metadata"] = metadata
    return json_reply({**body, "response": response}, status)


def error(request_id: str, method: str, knobs: ExotelKnobs, status: int, texts: Sequence[str], code: int) -> Reply:
    """A request that failed as a whole, in the shape of the knob; 429 comes from the gateway in its own shape."""
    text = "; ".join(texts)
    if status == 429 or knobs.error_shape == "rest_exception":
        limited = "Rate limit exceeded. Try again in 30 seconds."
        name = "RATE_LIMIT_EXCEEDED" if status == 429 else str(code)
        message = text or (limited if status == 429 else MESSAGES[code])
        return json_reply({"RestException": {"Status": status, "Message": message, "Code": name}}, status)
    if knobs.error_shape == "error":
        short = {"error": {"code": code, "message": text or MESSAGES[code]}}
        return json_reply({"request_id": request_id, "http_code": status, "response": short}, status)
    item = failure(Rejected(status, code, text or None))
    return enveloped(request_id, method, status, [item] if knobs.error_shape == "array" else item)
