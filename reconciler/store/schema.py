"""The tables, one schema for SQLite and PostgreSQL.

Everything but ``meta`` and ``leases`` is keyed by a namespace (project and environment), so that one database serves
many. Leases are not: two projects that use the same account must exclude each other. No column holds a person's number
or attribute, or a provider's credential: members are keyed hashes, requests are a method and a path with placeholders.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

from reconciler.store.reading import META

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """A moment as the database keeps it."""
    return (moment - _EPOCH) // _MICROSECOND


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime as whole microseconds since 1970: the same number, and order, in both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


metadata = MetaData()

meta = Table(
    META,
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("application", Text, nullable=False),
    Column("schema_version", Integer, nullable=False),
    Column("store_id", Text, nullable=False),
    Column("member_key", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)
"""One row. Every later version keeps ``application`` and ``schema_version``: that is how an older tool knows."""

inventory = Table(
    "reconciler_inventory",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("protect", Boolean, nullable=False),
    Column("on_remove", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Column("parent", Text),
    Column("updated_at", Moment, nullable=False),
)

members = Table(
    "reconciler_members",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("applied", LargeBinary, nullable=False),
    Column("added", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["namespace", "address"],
        [inventory.c.namespace, inventory.c.address],
        ondelete="CASCADE",
        onupdate="CASCADE",
    ),
)
"""Apart from the inventory, so that a changed field does not rewrite twelve megabytes of hashes."""

identities = Table(
    "reconciler_identities",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("identity", Text, nullable=False),
)

last_reads = Table(
    "reconciler_last_reads",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("objects", Text, nullable=False),
    Column("members", Text, nullable=False),
    Column("read_at", Moment, nullable=False),
)

runs = Table(
    "reconciler_runs",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("command", Text, nullable=False),
    Column("tool_version", Text, nullable=False),
    Column("plan_digest", Text, nullable=False),
    Column("request_id", Text),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("exit_code", Integer),
    Column("counts", Text, nullable=False),
    UniqueConstraint("namespace", "request_id"),
)

id_sets = Table(
    "reconciler_id_sets",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("ids", LargeBinary, nullable=False),
)
"""Ids that were there before a call, by content: the thousand uploads of one plan share one set."""

_OPEN = text("state IN ('intent', 'unknown', 'unresolved')")

operations = Table(
    "reconciler_operations",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("run", Text, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("address", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("phase", Integer, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("contact_class", Text, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("effect", Text, nullable=False),
    Column("known_ids", Text, ForeignKey(id_sets.c.digest)),
    Column("members", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("intended_at", Moment, nullable=False),
    Column("not_after", Moment, nullable=False),
    Column("recorded_at", Moment),
    Column("recorded_by", Text),
    Column("remote_id", Text),
    Column("note", Text, nullable=False),
    ForeignKeyConstraint(["namespace", "run"], [runs.c.namespace, runs.c.id]),
    # Only what is open is looked for by state, and that is next to nothing: the index costs a settled row no upkeep.
    Index("reconciler_operations_open", "namespace", "run", "seq", sqlite_where=_OPEN, postgresql_where=_OPEN),
    sqlite_with_rowid=False,
)

leases = Table(
    "reconciler_leases",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("nonce", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", Text, nullable=False),
    Column("acquired_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("command", Text, nullable=False, server_default=""),
)
"""A row outlives its lease (``nonce`` empty then), so that the epoch never goes back."""

used_plans = Table(
    "reconciler_used_plans",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("run", Text, nullable=False),
    Column("used_at", Moment, nullable=False),
)
