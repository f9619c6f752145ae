"""Tokens as this platform issues them: JWTs that clients may look into (item 3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import msgspec

KEY = b"sandbox-contactcenter-signing-key"


def issued(kind: str, identity: str, expires: float, serial: int, *, opaque: bool) -> str:
    """A token of ``kind`` access or refresh; ``serial`` makes each different."""
    head = _part({"alg": "HS256", "typ": "JWT"})
    body = _part({"identity": identity, "type": kind, "exp": int(expires), "jti": serial})
    signature = hmac.new(KEY, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return signature.hex() if opaque else f"{head}.{body}.{_text(signature)}"


def _part(value: Any) -> str:
    return _text(msgspec.json.encode(value))


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
