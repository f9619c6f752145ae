"""The digest of a plan: what a reviewer approves, and what an apply compares.

It is slow and salted on purpose. A plan is attached to pull requests, and a quick hash over a set of phone numbers
could be tried against all numbers there are.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from hashlib import scrypt, sha256
from hmac import compare_digest
from hmac import digest as hmac_digest

import msgspec

from reconciler.model.contacts import ContactSet
from reconciler.model.resources import Account
from reconciler.plan.allows import Allows
from reconciler.plan.changes import Change, Plan, action

SALT_BYTES = 16
_LOG2_N, _R, _P = 15, 8, 1
_MEMORY = 64 * 1024 * 1024


def fingerprint(plan: Plan, *, tool: str, allows: Allows, accounts: Iterable[Account] = ()) -> bytes:
    """A quick hash over everything that an apply of this plan would depend on; never to be shown or stored.

    What was merely seen (counts, timings, reasons, unrelated live objects) is left out: it may change without making
    the plan another plan.
    """
    whole = {
        "tool": tool,
        "project": plan.project,
        "environment": plan.environment,
        "accounts": [[a.name, a.provider, a.identity] for a in plan.accounts],
        "inputs": plan.digest_inputs,
        # Where the credentials go and how the provider is to be understood; variables can change both.
        "endpoints": [[a.name, a.base_url, a.settings] for a in sorted(accounts, key=lambda a: a.name)],
        "allows": sorted(map(str, allows.items)),
        "changes": [_change(c) for c in plan.changes],
    }
    try:
        text = _ENCODER.encode(whole)
    except UnicodeEncodeError:  # what a provider says may hold half of a pair of surrogates
        text = json.dumps(msgspec.to_builtins(whole, order="deterministic", enc_hook=_spelled)).encode()
    return sha256(text).digest()


def digest(secret: bytes, salt: bytes) -> str:
    """``scrypt$LOG2N$R$P$SALT$HASH``: it carries what is needed to compute it again."""
    key = scrypt(secret, salt=salt, n=1 << _LOG2_N, r=_R, p=_P, maxmem=_MEMORY, dklen=32)
    return f"scrypt${_LOG2_N}${_R}${_P}${_text(salt)}${_text(key)}"


def seal(secret: bytes, digest_: str, document: str) -> str:
    """What tells whether a saved document was edited. Its key comes out of the same slow function as the digest, so
    that it is no quicker way to try numbers out."""
    salt = _salt(digest_)
    key = scrypt(secret, salt=salt, n=1 << _LOG2_N, r=_R, p=_P, maxmem=_MEMORY, dklen=64)[32:]
    return _text(hmac_digest(key, document.encode(), "sha256"))


def _salt(digest_: str) -> bytes:
    text = digest_.strip().split("$")[4]
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def matches(secret: bytes, expected: str) -> bool:
    """Whether ``expected`` is a digest of the same plan. Raises ValueError when it is no digest at all."""
    parts = expected.strip().split("$")
    if len(parts) != 6 or parts[0] != "scrypt" or parts[1:4] != [str(_LOG2_N), str(_R), str(_P)]:
        raise ValueError("not a plan digest of this version")
    return compare_digest(digest(secret, _salt(expected)).encode(), expected.strip().encode())


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _change(change: Change) -> dict[str, object]:
    members = change.members
    return {
        "address": change.address,
        "action": action(change),
        "remote": change.remote_id,
        "deltas": change.deltas,
        "members": None
        if members is None
        else (members.add, members.remove, members.change, members.create, members.protective),
        "steps": change.steps,
        "requires": (change.requires, change.arm_after),
        "carried": change.carried_by,
        "class": change.contact_class,
        "approvals": change.approvals,
    }


def _spelled(value: object) -> object:
    """What msgspec has no spelling for: people are a digest."""
    match value:
        case ContactSet():
            return {"contacts": value.digest()}
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(f"a plan has no {type(value).__name__} in it")


_ENCODER = msgspec.json.Encoder(enc_hook=_spelled, order="deterministic")
"""Everything of a plan with one spelling: names and sets sorted, and what stands beside other records with its class
(``tag``)."""
