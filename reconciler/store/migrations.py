"""A new store is made, an older one is brought up to date, a newer one is refused."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, inspect, update

from reconciler.errors import StoreError
from reconciler.store.database import rows_of
from reconciler.store.reading import APPLICATION, SCHEMA_VERSION, check_version, read_version
from reconciler.store.schema import meta, metadata

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
    """See ``reading.read_version``."""
    return read_version(inspect(connection).get_table_names(), rows_of(connection))


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
