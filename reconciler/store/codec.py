"""Between the model's values and what a column holds: small, deterministic, and the same in every database."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, TypeVar

from reconciler.errors import StoreError
from reconciler.model.hashes import MemberHashes
from reconciler.model.keys import MEMBER_HASH_SIZE
from reconciler.model.resources import Fields, FieldValue

_SET = "$set"
_MAP = "$map"
_JSON = json.JSONDecoder()

T = TypeVar("T")


def dump_json(value: object) -> str:
    """Sorted, without white space, ASCII only: lone surrogates and NUL survive in both databases."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def dump_fields(fields: Fields) -> str:
    """``fields`` as JSON. Raises ValueError for a number that is not finite."""
    return dump_json({name: _plain(value) for name, value in fields.items()})


def load_fields(text: str) -> Fields:
    """What ``dump_fields`` wrote, types included."""
    return {name: value if value.__class__ is str else _rich(value) for name, value in _object(text).items()}


def dump_counts(counts: Mapping[Any, int]) -> str:
    return dump_json({str(name): count for name, count in counts.items()})


def load_counts(text: str, key: Callable[[str], T]) -> Mapping[T, int]:
    return {key(name): int(count) for name, count in _object(text).items()}


def _object(text: str) -> dict[str, Any]:
    # Not json.loads, which looks for white space around it first: half of its time for so small an object.
    value, end = _JSON.raw_decode(text)
    if not isinstance(value, dict) or end != len(text):
        raise ValueError("not a JSON object")
    return value


def _plain(value: FieldValue) -> Any:
    match value:
        case frozenset():
            return {_SET: sorted(value)}
        case tuple():
            return [_plain(item) for item in value]
        case Mapping():
            plain = {name: _plain(item) for name, item in value.items()}
            # A mapping that looks like one of our own marks is wrapped, or it would come back as something else.
            return {_MAP: plain} if plain.keys() in ({_SET}, {_MAP}) else plain
        case _:
            return value


def _rich(value: Any) -> FieldValue:
    match value:
        case list():
            return tuple(_rich(item) for item in value)
        case dict():
            if value.keys() == {_SET}:
                return frozenset(value[_SET])
            inner = value[_MAP] if value.keys() == {_MAP} else value
            return {name: _rich(item) for name, item in inner.items()}
        case str() | bool() | int() | float() | None:
            return value
        case _:
            raise ValueError("not a field value")


def pack_hashes(hashes: MemberHashes) -> bytes:
    """Member hashes, sorted and end to end. Raises ValueError for what is no member hash."""
    # An eleven-digit number with its plus is as long as a hash. A hash is never all digits, so the first one tells.
    if hashes.packed[:MEMBER_HASH_SIZE].lstrip(b"+").isdigit():
        raise ValueError("numbers in place of member hashes")
    return hashes.packed


def pack_ids(ids: frozenset[str]) -> tuple[str, bytes]:
    """A set of remote ids as its digest and its compressed content."""
    content = dump_json(sorted(ids)).encode()
    return sha256(content).hexdigest(), zlib.compress(content, 1)


def unpack_ids(packed: bytes) -> frozenset[str]:
    return frozenset(json.loads(zlib.decompress(packed)))


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """A row that cannot be understood is a damaged store, never a row to skip. Raises StoreError."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error):
        raise StoreError(
            f"the store holds {what} that cannot be read",
            hint="restore the store from a backup; do not delete it, or what it owns becomes unknown",
        ) from None
