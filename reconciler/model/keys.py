"""What stands for a person in the store: a keyed hash of the number, never the number."""

from __future__ import annotations

from hashlib import blake2b

MEMBER_HASH_SIZE = 12
"""Bytes of a keyed member hash: 2**96 keeps ten million members free of chance collisions."""


def member_hash(number: str, key: bytes) -> bytes:
    """The keyed hash that stands for a number in the store: without ``key`` it cannot be tried against all numbers."""
    return blake2b(number.encode(), digest_size=MEMBER_HASH_SIZE, key=key).digest()


def set_hash(digest: str, key: bytes) -> str:
    """The keyed hash, in hex, that stands for a whole set of contacts: it says only whether they are the same."""
    return blake2b(digest.encode(), digest_size=MEMBER_HASH_SIZE, key=key).hexdigest()
