"""One applier per account at a time. Leases are per account identity, across projects that share a store.

No provider can check a fencing token, so a lease narrows the window for two appliers, it does not close it: a holder
that could not renew stops sending before ``expires``, and whoever takes over settles first.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Row, select, text, update

from reconciler.errors import LeaseHeld
from reconciler.store.inventory import upsert
from reconciler.store.process import Process, certainly_gone, this_process
from reconciler.store.schema import leases

LEASE_TTL = timedelta(seconds=60)


class Lease(Struct, frozen=True, kw_only=True):
    """Held on all of ``identities`` until ``expires`` (UTC). ``taken_over``: those a dead or late holder had."""

    identities: tuple[str, ...]
    nonce: str
    expires: datetime
    ttl: timedelta = LEASE_TTL
    taken_over: tuple[str, ...] = ()


class Holder(Struct, frozen=True, kw_only=True):
    """Who holds the lease of one account. ``epoch`` counts how often it changed hands.

    ``process_started`` tells the process from a later one of the same ``pid``; it is opaque. ``dead``: nobody needs to
    wait for this holder, because it has certainly ended or has not renewed in time.
    """

    identity: str
    host: str
    pid: int
    process_started: str
    command: str
    since: datetime
    expires: datetime
    epoch: int
    dead: bool


def acquire(
    connection: Connection,
    identities: Iterable[str],
    *,
    command: str,
    ttl: timedelta,
    session_locks: bool,
    now: datetime,
) -> Lease:
    """All of ``identities`` or none. Raises LeaseHeld when somebody who may still be alive has one."""
    wanted = tuple(sorted(set(identities)))
    holder = this_process()
    lease = Lease(identities=wanted, nonce=secrets.token_hex(16), expires=now + ttl, ttl=ttl)
    taken_over = []
    locked: list[str] = []
    try:
        for identity in wanted:
            row = _row(connection, identity)
            if session_locks:
                if not _try_lock(connection, identity):
                    raise _held(identity, row)
                locked.append(identity)
            elif row is not None and _alive(row, now):
                raise _held(identity, row)
            if row is not None and row.nonce:
                taken_over.append(identity)
            epoch = 1 if row is None else row.epoch + 1
            _take(connection, identity, lease, holder, command=command, epoch=epoch, now=now)
    except LeaseHeld:
        # The session's locks outlive the transaction that is about to be rolled back.
        _unlock(connection, locked)
        raise
    return replace(lease, taken_over=tuple(taken_over))


def renew(connection: Connection, lease: Lease, *, now: datetime) -> Lease:
    """``lease`` for another ``ttl``. Raises LeaseHeld when somebody has taken it over: stop sending."""
    renewed = replace(lease, expires=now + lease.ttl)
    for identity in lease.identities:
        where = (leases.c.identity == identity, leases.c.nonce == lease.nonce)
        if connection.execute(update(leases).where(*where).values(expires_at=renewed.expires)).rowcount != 1:
            raise _lost(identity, _row(connection, identity))
    return renewed


def _lost(identity: str, row: Row[Any] | None) -> LeaseHeld:
    if row is None or not row.nonce:
        return LeaseHeld(
            f"somebody broke the lease of {identity}", hint="nothing more is sent; run `reconciler apply` again"
        )
    return LeaseHeld(
        f"another {row.command or 'apply'} has taken over the lease of {identity}",
        hint="nothing more is sent; run `reconciler apply` again when that one is done",
    )


def release(connection: Connection, lease: Lease, *, session_locks: bool, now: datetime) -> None:
    """Gives ``lease`` back. One that somebody has taken over stays theirs."""
    where = (leases.c.identity.in_(lease.identities), leases.c.nonce == lease.nonce)
    connection.execute(update(leases).where(*where).values(nonce="", expires_at=now))
    if session_locks:
        _unlock(connection, lease.identities)


def find_holder(connection: Connection, identity: str, *, now: datetime) -> Holder | None:
    """Who holds the lease, None when it is free for the taking."""
    row = _row(connection, identity)
    return _holder(connection, row, now) if row is not None and _alive(row, now) else None


def read_holders(connection: Connection, *, now: datetime) -> tuple[Holder, ...]:
    """Everybody who has not given a lease back, the dead included, by identity."""
    rows = connection.execute(select(leases).where(leases.c.nonce != "").order_by(leases.c.identity))
    return tuple(_holder(connection, row, now) for row in rows.all())


def break_(connection: Connection, identities: Iterable[str], *, now: datetime) -> tuple[Holder, ...]:
    """Takes the leases away from whoever holds them: a living holder finds out when it renews next. Those it had.

    On a server, a holder keeps its session lock until it has noticed. One that did not even renew in time notices
    nothing any more, so its connection is ended.
    """
    found = tuple(h for h in read_holders(connection, now=now) if h.identity in set(identities))
    for holder in found:
        connection.execute(update(leases).where(leases.c.identity == holder.identity).values(nonce="", expires_at=now))
        if holder.expires <= now and _on_server(connection):
            for pid in _session_holders(connection, holder.identity):
                connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    return found


def _row(connection: Connection, identity: str) -> Row[Any] | None:
    return connection.execute(select(leases).where(leases.c.identity == identity)).one_or_none()


def _alive(row: Row[Any], now: datetime) -> bool:
    return bool(row.nonce) and row.expires_at > now and not certainly_gone(_process(row))


def _process(row: Row[Any]) -> Process:
    return Process(host=row.host, scope=row.scope, pid=row.pid, started=row.process_started)


def _holder(connection: Connection, row: Row[Any], now: datetime) -> Holder:
    # On a server only the session lock decides: a holder that is late still has it.
    on_server = _on_server(connection)
    dead = not _session_holders(connection, row.identity) if on_server else not _alive(row, now)
    return Holder(
        identity=row.identity,
        host=row.host,
        pid=row.pid,
        process_started=row.process_started,
        command=row.command,
        since=row.acquired_at,
        expires=row.expires_at,
        epoch=row.epoch,
        dead=dead,
    )


def _on_server(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _session_holders(connection: Connection, identity: str) -> tuple[int, ...]:
    """The server's processes that hold the session lock of an identity: one, or none."""
    key = _lock_key(identity) % 2**64
    found = connection.execute(
        text(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid = CAST(:high AS oid) AND objid = CAST(:low AS oid)"
        ),
        {"high": str(key >> 32), "low": str(key & 0xFFFFFFFF)},
    )
    return tuple(found.scalars())


def _held(identity: str, row: Row[Any] | None) -> LeaseHeld:
    # The row of a holder that has only just locked is not there yet, or still tells of the one before.
    by = ""
    if row is not None and row.nonce:
        by = f" (host {row.host}, process {row.pid}, since {row.acquired_at:%H:%M:%S} UTC)"
    what = row.command if row is not None and row.nonce and row.command else "apply"
    return LeaseHeld(
        f"another {what} holds the lease of {identity}{by}",
        hint="wait until it is done; a lease nobody renews is free after a minute (reconciler lock list)",
    )


def _take(
    connection: Connection,
    identity: str,
    lease: Lease,
    holder: Process,
    *,
    command: str,
    epoch: int,
    now: datetime,
) -> None:
    upsert(
        connection,
        leases,
        {
            "identity": identity,
            "nonce": lease.nonce,
            "epoch": epoch,
            "host": holder.host,
            "scope": holder.scope,
            "pid": holder.pid,
            "process_started": holder.started,
            "acquired_at": now,
            "expires_at": lease.expires,
            "command": command,
        },
    )


def _lock_key(identity: str) -> int:
    digest = blake2b(identity.encode(), digest_size=8, person=b"reconciler-lease").digest()
    return int.from_bytes(digest, "big", signed=True)


def _try_lock(connection: Connection, identity: str) -> bool:
    found = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _lock_key(identity)})
    return bool(found.scalar_one())


def _unlock(connection: Connection, identities: Iterable[str]) -> None:
    for identity in identities:
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _lock_key(identity)})
