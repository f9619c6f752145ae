"""The SQL behind what we own: owned addresses, member hashes, account identities, last good counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Row, Table, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from reconciler.errors import StoreError
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.hashes import NO_MEMBERS, MemberHashes
from reconciler.model.inventory import Inventory, LastRead, Owned
from reconciler.model.resources import OnRemove
from reconciler.store.codec import (
    decoding,
    dump_counts,
    dump_fields,
    load_counts,
    load_fields,
    pack_hashes,
)
from reconciler.store.prepared import Prepared
from reconciler.store.schema import identities, inventory, last_reads, members, meta, microseconds, operations

_OWNED = tuple(column for column in inventory.c if column.name not in ("namespace", "updated_at"))


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


def read_inventory(connection: Connection, namespace: str, *, with_members: bool) -> Inventory:
    """Everything owned in ``namespace``. Without members, ``applied`` and ``added`` are empty everywhere."""
    hashes = _hashes(connection, members.c.namespace == namespace) if with_members else {}
    rows = connection.execute(select(*_OWNED).where(inventory.c.namespace == namespace)).all()
    with decoding("an owned resource"):
        owned = [_owned(row, hashes) for row in rows]
    who = connection.execute(select(identities).where(identities.c.namespace == namespace))
    accounts = {row.account: row.identity for row in who}
    counted = connection.execute(select(last_reads).where(last_reads.c.namespace == namespace))
    with decoding("the counts of a read"):
        reads = {row.account: _last_read(row) for row in counted}
    return Inventory(
        owned={each.address: each for each in owned},
        identities=accounts,
        last_reads=reads,
        key=connection.execute(select(meta.c.member_key)).scalar_one(),
        # A store that was made a moment ago knows no more than none at all: a plan must be the same with both.
        exists=bool(owned or accounts) or _has_operations(connection, namespace),
    )


def read_members(connection: Connection, namespace: str, address: Address) -> tuple[MemberHashes, MemberHashes]:
    """The member hashes of one Membership: applied, added."""
    where = (members.c.namespace == namespace, members.c.address == str(address))
    return _hashes(connection, *where).get(str(address), (NO_MEMBERS, NO_MEMBERS))


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


def _has_operations(connection: Connection, namespace: str) -> bool:
    found = connection.execute(select(operations.c.seq).where(operations.c.namespace == namespace).limit(1))
    return found.first() is not None


def _hashes(connection: Connection, *where: ColumnElement[bool]) -> dict[str, tuple[MemberHashes, MemberHashes]]:
    """Applied and added, by address. Where we added everybody, which is the rule, one set serves for both and is read
    once: of ten million people each is 115 MiB, and the driver holds it a second time while it hands it over."""
    first = connection.execute(select(members.c.address, members.c.applied).where(*where))
    others = select(members.c.address, members.c.added).where(*where, members.c.added != members.c.applied)
    with decoding("member hashes"):
        applied = {row.address: MemberHashes.unpacked(row.applied) for row in first}
        added = {row.address: MemberHashes.unpacked(row.added) for row in connection.execute(others)}
    return {address: (found, added.get(address, found)) for address, found in applied.items()}


def _owned(row: Row[Any], hashes: Mapping[str, tuple[MemberHashes, MemberHashes]]) -> Owned:
    applied, added = hashes.get(row.address, (NO_MEMBERS, NO_MEMBERS))
    return Owned(
        address=Address.parse(row.address),
        provider=row.provider,
        remote_id=RemoteId(row.remote_id),
        protect=row.protect,
        on_remove=OnRemove(row.on_remove),
        fields=load_fields(row.fields),
        parent=None if row.parent is None else RemoteId(row.parent),
        applied=applied,
        added=added,
    )


def _last_read(row: Row[Any]) -> LastRead:
    return LastRead(objects=load_counts(row.objects, Kind), members=load_counts(row.members, RemoteId))
