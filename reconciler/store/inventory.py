"""The SQL behind what we own: owned addresses, member hashes, account identities, last good counts.

How all of it is read is in ``reading``, where it is needed without SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Dialect, Table, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from reconciler.errors import StoreError
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.hashes import NO_MEMBERS, MemberHashes
from reconciler.model.inventory import LastRead, Owned
from reconciler.store.codec import decoding, dump_counts, dump_fields, pack_hashes
from reconciler.store.prepared import Prepared
from reconciler.store.schema import identities, inventory, last_reads, members, microseconds


def upsert(connection: Connection, table: Table, values: Mapping[str, Any], *, replacing: bool = True) -> bool:
    """Inserts a row; one with the same primary key is replaced, or left alone. Whether a row was written."""
    statement = _upserting(connection.dialect, table, values, replacing=replacing)
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount > 0


def _upserting(
    dialect: Dialect, table: Table, values: Mapping[str, Any], *, replacing: bool
) -> postgresql.Insert | sqlite.Insert:
    module = postgresql if dialect.name == "postgresql" else sqlite
    statement: postgresql.Insert | sqlite.Insert = module.insert(table).values(**values)
    keys = [column.name for column in table.primary_key]
    if replacing:
        changed = {name: statement.excluded[name] for name in values if name not in keys}
        return statement.on_conflict_do_update(index_elements=keys, set_=changed)
    return statement.on_conflict_do_nothing(index_elements=keys)


_DISOWN = Prepared(
    lambda dialect: delete(inventory).where(
        inventory.c.namespace == bindparam("its_namespace"), inventory.c.address == bindparam("its_address")
    )
)
_OWN = Prepared(
    lambda dialect: _upserting(dialect, inventory, {c.name: bindparam(c.name) for c in inventory.c}, replacing=True)
)


def read_members(connection: Connection, namespace: str, address: Address) -> tuple[MemberHashes, MemberHashes]:
    """The member hashes of one Membership: applied, added."""
    where = (members.c.namespace == namespace, members.c.address == str(address))
    row = connection.execute(select(members.c.applied, members.c.added).where(*where)).one_or_none()
    if row is None:
        return NO_MEMBERS, NO_MEMBERS
    with decoding("member hashes"):
        first = MemberHashes.unpacked(row.applied)
        return first, first if row.added == row.applied else MemberHashes.unpacked(row.added)


def is_owned_elsewhere(
    connection: Connection, namespace: str, provider: str, kind: Kind, remote_id: RemoteId, identity: str
) -> bool:
    """See ``Store.owned_elsewhere``."""
    found = connection.execute(
        select(inventory.c.namespace, inventory.c.address).where(
            inventory.c.namespace != namespace, inventory.c.provider == provider, inventory.c.remote_id == remote_id
        )
    )
    for row in found.all():
        with decoding("an owned resource"):
            address = Address.parse(row.address)
        if address.kind is not kind:
            continue
        where = (identities.c.namespace == row.namespace, identities.c.account == address.account)
        theirs = connection.execute(select(identities.c.identity).where(*where)).scalar_one_or_none()
        if not identity or not theirs or theirs == identity:
            return True
    return False


def write_owned(connection: Connection, namespace: str, owned: Sequence[Owned], now: datetime) -> None:
    rows = [
        {
            "namespace": namespace,
            "address": str(one.address),
            "provider": one.provider,
            "remote_id": one.remote_id,
            "protect": one.protect,
            "on_remove": str(one.on_remove),
            "fields": dump_fields(one.fields),
            "parent": one.parent,
            "updated_at": microseconds(now),
        }
        for one in owned
    ]
    if rows:
        _OWN.run(connection, rows)
    for one in owned:
        if one.applied or one.added:
            write_members(connection, namespace, one.address, applied=one.applied, added=one.added)


def write_members(
    connection: Connection,
    namespace: str,
    address: Address,
    *,
    applied: MemberHashes | None,
    added: MemberHashes | None,
) -> None:
    """Replaces the sets that are given and leaves the others. The address must be owned."""
    changed = {}
    if applied is not None:
        changed["applied"] = pack_hashes(applied)
    if added is not None:
        changed["added"] = pack_hashes(added)
    if changed:
        key = {"namespace": namespace, "address": str(address)}
        upsert(connection, members, {**key, "applied": b"", "added": b""}, replacing=False)
        connection.execute(
            update(members).where(members.c.namespace == namespace, members.c.address == str(address)).values(changed)
        )


def delete_owned(connection: Connection, namespace: str, addresses: Sequence[Address]) -> None:
    """Lets go of ``addresses`` and their member hashes; nothing happens to one that is not owned."""
    if addresses:
        _DISOWN.run(connection, [{"its_namespace": namespace, "its_address": str(a)} for a in addresses])


def rename_owned(connection: Connection, namespace: str, old: Address, new: Address, now: datetime) -> None:
    """Raises StoreError when ``old`` is not owned, or ``new`` is already."""
    where = (inventory.c.namespace == namespace, inventory.c.address == str(old))
    changed = connection.execute(update(inventory).where(*where).values(address=str(new), updated_at=now))
    if changed.rowcount != 1:
        raise StoreError(f"{old} is not in the inventory and cannot be renamed")


def write_identity(connection: Connection, namespace: str, account: str, identity: str) -> None:
    upsert(connection, identities, {"namespace": namespace, "account": account, "identity": identity})


def write_last_read(connection: Connection, namespace: str, account: str, read: LastRead, now: datetime) -> None:
    counts = {"objects": dump_counts(read.objects), "members": dump_counts(read.members), "read_at": now}
    upsert(connection, last_reads, {"namespace": namespace, "account": account, **counts})
