"""A new store is made, an older one is brought up to date, a newer one is refused."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, inspect, select, update

from reconciler.errors import StoreError
from reconciler.store.schema import APPLICATION, SCHEMA_VERSION, meta, metadata

Migration = Callable[[Connection], None]


def _to_2(connection: Connection) -> None:
    """Leases tell which command holds them."""
    connection.exec_driver_sql("ALTER TABLE reconciler_leases ADD COLUMN command TEXT NOT NULL DEFAULT ''")


MIGRATIONS: Mapping[int, Migration] = {1: _to_2}
"""From each version to the one after it. A step may only use names of its own, never today's tables: they move on."""

_KEY_SIZE = 32


def initialise(connection: Connection, now: datetime) -> None:
    """Makes every table, the store's id and the secret behind the member hashes; the caller's transaction commits."""
    metadata.create_all(connection)
    connection.execute(
        meta.insert().values(
            id=1,
            application=APPLICATION,
            schema_version=SCHEMA_VERSION,
            store_id=str(uuid4()),
            member_key=secrets.token_bytes(_KEY_SIZE),
            created_at=now,
        )
    )


def found_version(connection: Connection) -> int | None:
    """The schema version of the store in this database, None when there is none.

    Raises StoreError when there is something by our name that is no store of ours.
    """
    tables = [name for name in inspect(connection).get_table_names() if name.startswith("reconciler_")]
    if not tables:
        return None
    if meta.name not in tables:
        raise StoreError("the store is damaged: its meta table is gone", hint="restore it from a backup")
    # Only what every version has: an older or newer table may lack, or have, other columns.
    row = connection.execute(select(meta.c.application, meta.c.schema_version)).one_or_none()
    if row is None or row.application != APPLICATION:
        raise StoreError("the store is damaged: it does not say what it is", hint="restore it from a backup")
    return int(row.schema_version)


def check_version(found: int, *, wanted: int = SCHEMA_VERSION) -> None:
    """Raises StoreError for a store that a newer tool wrote."""
    if found > wanted:
        raise StoreError(
            f"a newer reconciler wrote this store (schema {found}, this one knows {wanted})",
            hint="upgrade reconciler; an older one could misread what is owned",
        )


def migrate(
    connection: Connection,
    found: int,
    *,
    wanted: int = SCHEMA_VERSION,
    steps: Mapping[int, Migration] | None = None,
) -> None:
    """Brings the store from version ``found`` to ``wanted``, within the caller's transaction: all of it or nothing."""
    check_version(found, wanted=wanted)
    steps = MIGRATIONS if steps is None else steps
    for version in range(found, wanted):
        if version not in steps:
            raise StoreError(
                f"no way is known from store schema {version} to {version + 1}",
                hint="open the store once with a reconciler of the time between",
            )
        steps[version](connection)
        connection.execute(update(meta).values(schema_version=version + 1))
