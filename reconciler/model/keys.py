"""What stands for a person in the store: a keyed hash of the number, never the number."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

MEMBER_HASH_SIZE = 12
"""Bytes of a keyed member hash: 2**96 keeps ten million members free of chance collisions."""


def member_hash(number: str, key: bytes) -> bytes:
    """The keyed hash that stands for a number in the store: without ``key`` it cannot be tried against all numbers."""
    return member_hasher(key)(number)


def member_hasher(key: bytes) -> Callable[[str], bytes]:
    """``member_hash`` with this key, for many numbers: what takes the key in is copied, not made anew."""
    keyed = blake2b(digest_size=MEMBER_HASH_SIZE, key=key)

    def hashed(number: str) -> bytes:
        one = keyed.copy()
        one.update(number.encode())
        return one.digest()

    return hashed


def set_hash(digest: str, key: bytes) -> str:
    """The keyed hash, in hex, that stands for a whole set of contacts: it says only whether they are the same."""
    return blake2b(digest.encode(), digest_size=MEMBER_HASH_SIZE, key=key).hexdigest()
