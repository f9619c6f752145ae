"""Saved plans: what a file holds besides the document, and when it may still be run. Pure; time is an argument.

The end of a plan's life is part of the salt of its digest, so nobody can lengthen it by hand, and ``--expect DIGEST``
knows it without the file.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from reconciler.errors import StalePlan
from reconciler.masking import mask_text
from reconciler.plan.codec import FORMAT_VERSION
from reconciler.plan.digest import SALT_BYTES, seal
from reconciler.plan.selection import Refresh

DEFAULT_TTL = timedelta(hours=24)
_EXPIRY_BYTES = 8


class Inputs(Struct, frozen=True, kw_only=True):
    """What it takes to make the same plan again; as given on the command line."""

    paths: tuple[str, ...] = ()
    environment: str = ""
    variables: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    refresh: Refresh = Refresh.FULL

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Inputs:
        """From JSON. Raises KeyError when something is missing, ValueError for an unknown word."""

        def texts(name: str) -> tuple[str, ...]:
            return tuple(map(str, document[name]))

        return cls(
            paths=texts("paths"),
            environment=str(document["environment"]),
            variables=texts("variables"),
            values=texts("values"),
            select=texts("select"),
            exclude=texts("exclude"),
            allow=texts("allow"),
            allow_hosts=texts("allow_hosts"),
            refresh=Refresh(document.get("refresh", Refresh.FULL)),
        )


class SavedPlan(Struct, frozen=True, kw_only=True):
    """A plan file, read and whole."""

    document: Mapping[str, Any]
    inputs: Inputs
    whole: Mapping[str, Any]
    """Everything that was in the file, for its seal."""

    @property
    def digest(self) -> str:
        return str(self.document["digest"])


def salt(expires: datetime, randomness: bytes) -> bytes:
    """The salt of a digest that ends at ``expires``; ``randomness`` has at least 8 bytes."""
    return int(expires.timestamp()).to_bytes(_EXPIRY_BYTES, "big") + randomness[: SALT_BYTES - _EXPIRY_BYTES]


def expiry(digest: str) -> datetime:
    """When a digest ends. Raises StalePlan for what is no digest of ours."""
    parts = digest.strip().split("$")
    try:
        if len(parts) != 6 or parts[0] != "scrypt":
            raise ValueError(digest)
        raw = urlsafe_b64decode(parts[4] + "=" * (-len(parts[4]) % 4))
        return datetime.fromtimestamp(int.from_bytes(raw[:_EXPIRY_BYTES], "big"), UTC)
    except (ValueError, OverflowError, OSError):
        raise StalePlan("this is not the digest of a plan", hint="copy it whole from the plan") from None


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def dump(document: Mapping[str, Any], inputs: Inputs, secret: bytes) -> str:
    """The content of a plan file, sealed with the plan's fingerprint ``secret``. Numbers among the variables are
    masked, and must be given again on apply."""
    kept = asdict(replace(inputs, variables=tuple(map(mask_text, inputs.variables)), allow_hosts=()))
    whole = json.loads(json.dumps({**document, "inputs": kept}))
    return json.dumps({**whole, "seal": _sealed(whole, secret)}, indent=2, ensure_ascii=False) + "\n"


def _sealed(document: Mapping[str, Any], secret: bytes) -> str:
    text = json.dumps(document, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return seal(secret, str(document["digest"]), text)


def looks_like_plan(content: bytes) -> bool:
    """Whether a file is a plan rather than a manifest: by what is in it, not by its name."""
    head = content.lstrip()[:1]
    return head == b"{" and (b'"formatVersion"' in content or b'"digest"' in content)


def parse(content: bytes) -> SavedPlan:
    """Raises StalePlan for a file that is damaged or of another version."""
    damaged = StalePlan("the plan file is damaged", hint="make a new one with plan --out")
    try:
        whole = json.loads(content)
        document = {k: v for k, v in whole.items() if k not in ("inputs", "seal")}
        saved = SavedPlan(document=document, inputs=Inputs.of(whole["inputs"]), whole=whole)
        if not _shaped(document):
            raise damaged
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged from None
    if document.get("formatVersion") != FORMAT_VERSION:
        raise StalePlan(
            f"the plan file has format {document.get('formatVersion')!r}, this tool writes {FORMAT_VERSION!r}",
            hint="make a new plan",
        )
    if stamp(expiry(saved.digest)) != document.get("expiresAt"):
        raise damaged
    return saved


def _shaped(document: Any) -> bool:
    """Whether everything that is looked at later is there and of its kind."""
    changes, accounts = document["changes"], document["accounts"]
    return (
        isinstance(document["digest"], str)
        and document["digest"].isascii()
        and all(isinstance(document[k], str) for k in ("project", "environment", "expiresAt"))
        and all(isinstance(c["address"], str) for c in changes)
        and all(isinstance(a["name"], str) and isinstance(a["identity"], str) for a in accounts)
    )


def check_life(digest: str, now: datetime) -> None:
    """Raises StalePlan when the plan has ended."""
    if now >= (end := expiry(digest)):
        raise StalePlan(f"the plan expired at {stamp(end)}", hint="make a new one; --ttl sets how long it lives")


def check_seal(saved: SavedPlan, secret: bytes) -> None:
    """Raises StalePlan when anything in the file is not as it was written: what a reviewer saw must be what is run."""
    rest = {k: v for k, v in saved.whole.items() if k != "seal"}
    if not compare_digest(str(saved.whole.get("seal", "")).encode(), _sealed(rest, secret).encode()):
        raise StalePlan("the plan file was edited after it was made", hint="make a new plan")


def differences(saved: SavedPlan, fresh: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses whose change is not what it was, for the message about a stale plan."""

    def by_address(document: Mapping[str, Any]) -> dict[str, Any]:
        return {c["address"]: c for c in document["changes"]}

    before, now = by_address(saved.document), by_address(json.loads(json.dumps(fresh)))
    return tuple(sorted(a for a in before.keys() | now.keys() if before.get(a) != now.get(a)))
