"""Queries in plain SQL, the same for both databases: what a plan reads of a store, and whether it is one.

They need no SQLAlchemy, so that a plan over a SQLite file does not wait for its import; everything else that is read,
and all that is written, goes through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from reconciler.errors import StoreError
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.hashes import NO_MEMBERS, MemberHashes
from reconciler.model.inventory import Inventory, LastRead, Owned
from reconciler.model.resources import OnRemove
from reconciler.store.codec import decoding, load_counts, load_fields

SCHEMA_VERSION = 2
"""What this tool writes. Raise it together with a step in ``migrations``."""

APPLICATION = "reconciler"
META = "reconciler_meta"

_Hashes: TypeAlias = tuple[MemberHashes, MemberHashes]


class Rows(Protocol):
    """Runs a query, whose parameters are written ``:name``, and returns every row."""

    def __call__(self, sql: str, **values: str) -> Sequence[tuple[Any, ...]]: ...


def read_version(tables: Iterable[str], rows: Rows) -> int | None:
    """The schema version of the store in a database with these ``tables``, None when there is none.

    Raises StoreError when there is something by our name that is no store of ours.
    """
    ours = {name for name in tables if name.startswith("reconciler_")}
    if not ours:
        return None
    if META not in ours:
        raise StoreError("the store is damaged: its meta table is gone", hint="restore it from a backup")
    # Only what every version has: an older or newer table may lack, or have, other columns.
    found = rows(f"SELECT application, schema_version FROM {META}")
    if len(found) != 1 or found[0][0] != APPLICATION:
        raise StoreError("the store is damaged: it does not say what it is", hint="restore it from a backup")
    return int(found[0][1])


def check_version(found: int, *, wanted: int = SCHEMA_VERSION) -> None:
    """Raises StoreError for a store that a newer tool wrote."""
    if found > wanted:
        raise StoreError(
            f"a newer reconciler wrote this store (schema {found}, this one knows {wanted})",
            hint="upgrade reconciler; an older one could misread what is owned",
        )


def check_up_to_date(found: int, place: str) -> None:
    """Raises StoreError for a store that only a command that writes may bring up to date."""
    check_version(found)
    if found < SCHEMA_VERSION:
        raise StoreError(
            f"an older reconciler wrote {place} (schema {found}, now {SCHEMA_VERSION})",
            hint="`reconciler apply` brings it up to date; commands that only read do not change it",
        )


def read_progress(rows: Rows) -> tuple[str, int]:
    """Which store this is, and how many runs it knows: a number that only grows."""
    [(store, runs)] = rows(f"SELECT store_id, (SELECT count(*) FROM reconciler_runs) FROM {META}")
    return store, runs


def read_inventory(rows: Rows, namespace: str, *, with_members: bool) -> Inventory:
    """Everything owned in ``namespace``. Without members, ``applied`` and ``added`` are empty everywhere."""
    hashes = _hashes(rows, namespace) if with_members else {}
    found = rows(
        "SELECT address, provider, remote_id, protect, on_remove, fields, parent FROM reconciler_inventory"
        " WHERE namespace = :namespace",
        namespace=namespace,
    )
    with decoding("an owned resource"):
        owned = [_owned(hashes.get(row[0], (NO_MEMBERS, NO_MEMBERS)), *row) for row in found]
    who = rows("SELECT account, identity FROM reconciler_identities WHERE namespace = :namespace", namespace=namespace)
    [(key,)] = rows(f"SELECT member_key FROM {META}")
    return Inventory(
        owned={each.address: each for each in owned},
        identities=dict(who),
        last_reads=_last_reads(rows, namespace),
        key=key,
        # A store that was made a moment ago knows no more than none at all: a plan must be the same with both.
        exists=bool(owned or who) or _has_operations(rows, namespace),
    )


def _hashes(rows: Rows, namespace: str) -> Mapping[str, _Hashes]:
    """Applied and added, by address. Where we added everybody, which is the rule, one set serves for both and is read
    once: of ten million people each is 115 MiB, and the driver holds it a second time while it hands it over."""
    query = "SELECT address, {} FROM reconciler_members WHERE namespace = :namespace"
    with decoding("member hashes"):
        found = rows(query.format("applied"), namespace=namespace)
        applied = {address: MemberHashes.unpacked(packed) for address, packed in found}
        found = rows(query.format("added") + " AND added != applied", namespace=namespace)
        added = {address: MemberHashes.unpacked(packed) for address, packed in found}
    return {address: (first, added.get(address, first)) for address, first in applied.items()}


def _owned(
    hashes: _Hashes,
    address: str,
    provider: str,
    remote_id: str,
    protect: bool,
    on_remove: str,
    fields: str,
    parent: str | None,
) -> Owned:
    return Owned(
        address=Address.parse(address),
        provider=provider,
        remote_id=RemoteId(remote_id),
        protect=bool(protect),
        on_remove=OnRemove(on_remove),
        fields=load_fields(fields),
        parent=None if parent is None else RemoteId(parent),
        applied=hashes[0],
        added=hashes[1],
    )


def _last_reads(rows: Rows, namespace: str) -> Mapping[str, LastRead]:
    found = rows(
        "SELECT account, objects, members FROM reconciler_last_reads WHERE namespace = :namespace", namespace=namespace
    )
    with decoding("the counts of a read"):
        return {
            account: LastRead(objects=load_counts(objects, Kind), members=load_counts(members, RemoteId))
            for account, objects, members in found
        }


def _has_operations(rows: Rows, namespace: str) -> bool:
    return bool(rows("SELECT seq FROM reconciler_operations WHERE namespace = :namespace LIMIT 1", namespace=namespace))
