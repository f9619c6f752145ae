"""Snapshots of what an apply takes away: encrypted files beside the store, readable with that store alone.

They hold numbers, because that is what they are for; so nobody who gets hold of a file can read it. The folder ignores
itself in Git, and old files go by themselves.
"""

from __future__ import annotations

import io
import json
import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from reconciler.app import clock
from reconciler.errors import InvalidInput, StoreError
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.plan.losses import End, Losses, LostMembers, LostObject
from reconciler.plan.saved import stamp
from reconciler.store.codec import dump_fields, load_fields

FOLDER = Path(".reconciler") / "snapshots"
SUFFIX = ".snapshot"
KEPT = timedelta(days=90)

ROWS_IN_COLUMNS = 100_000
"""Members above this number are a Parquet table inside the file: no object for each person on either way."""

_HEAD = b"reconciler snapshot 1\n"
"""What every file begins with; it is under the seal as well."""
_NONCE = 12
_LARGEST = 2 << 30
"""Bytes that a file may unpack to."""


def write(root: Path, run: str, losses: Losses, *, key: bytes, project: str, environment: str) -> Path:
    """The snapshot of a run, whole and on disk when this returns; ``key`` is the store's.

    Raises StoreError, and then nothing may go.
    """
    folder = root / FOLDER
    path = folder / f"{run}{SUFFIX}"
    document = {
        "run": run,
        "createdAt": stamp(clock.now()),
        "project": project,
        "environment": environment,
        "accounts": dict(losses.identities),
        "objects": [_object(o) for o in losses.objects],
        "members": [_members(m) for m in losses.members],
    }
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        (folder / ".gitignore").write_text("*\n", encoding="ascii")
        _tidy(folder)
        _private(path, _sealed(document, key))
    except OSError as failure:
        raise StoreError(
            f"the snapshot of what would be removed cannot be written: {failure.strerror}",
            hint="make room for it, or go without one: --no-snapshot",
        ) from None
    return path


def _sealed(document: Mapping[str, Any], key: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE)
    packed = zstandard.compress(msgspec.msgpack.encode(document))
    return _HEAD + nonce + AESGCM(_derived(key)).encrypt(nonce, packed, _HEAD)


def _opened(content: bytes, key: bytes) -> Any:
    """The document. Raises ValueError for what is none, or was sealed with another key."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if not content.startswith(_HEAD):
        raise ValueError("no snapshot")
    sealed = content[len(_HEAD) :]
    try:
        packed = AESGCM(_derived(key)).decrypt(sealed[:_NONCE], sealed[_NONCE:], _HEAD)
    except InvalidTag:
        raise ValueError("sealed with another key") from None
    unpacked = zstandard.ZstdDecompressor().decompress(packed, max_output_size=_LARGEST)
    return msgspec.msgpack.decode(unpacked)


def _derived(key: bytes) -> bytes:
    """A key of its own: the store's is for members' hashes."""
    return blake2b(b"snapshots", key=key, digest_size=32).digest()


def _tidy(folder: Path) -> None:
    ends = (clock.now() - KEPT).timestamp()
    for old in folder.glob(f"*{SUFFIX}"):
        if old.stat().st_mtime < ends:
            old.unlink()


def _private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _object(lost: LostObject) -> dict[str, Any]:
    ends = {"campaign": lost.campaign, "list": lost.list}
    return {
        "address": str(lost.address),
        "provider": lost.provider,
        "remoteId": lost.remote_id,
        "fields": json.loads(dump_fields(lost.fields)),
        **{name: _end(end) for name, end in ends.items() if end is not None},
    }


def _end(end: End) -> dict[str, str | None]:
    return {"remoteId": end.remote_id, "address": str(end.address) if end.address else None}


def _members(lost: LostMembers) -> dict[str, Any]:
    head = {"address": str(lost.address), "provider": lost.provider, "of": _end(lost.of), "count": len(lost.contacts)}
    columns = {column: list(lost.contacts.column(column)) for column in lost.contacts.columns}
    if len(lost.contacts) <= ROWS_IN_COLUMNS:
        return {**head, "columns": columns}
    import polars as pl

    table = io.BytesIO()
    pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).write_parquet(table)
    return {**head, "table": table.getvalue()}


def find(root: Path, name: str) -> Path:
    """The snapshot file that somebody named, by its path or by its run. Raises InvalidInput when there is none."""
    by_run = root / FOLDER / f"{name}{SUFFIX}"
    for path in (Path(name), by_run):
        if path.is_file() and path.suffix == SUFFIX:
            return path
    known = sorted(p.stem for p in (root / FOLDER).glob(f"*{SUFFIX}")) if (root / FOLDER).is_dir() else []
    hint = f"there are snapshots of {', '.join(known[-5:])}" if known else "no run of this project has left one"
    raise InvalidInput(f"{name} is no snapshot and no run that left one", hint=hint)


def read(path: Path, *, key: bytes, project: str, environment: str) -> Losses:
    """What ``write`` wrote. Raises InvalidInput for a file that is damaged, or of another store, project or
    environment."""
    try:
        document = _opened(path.read_bytes(), key)
        found = Losses(
            identities=dict(document["accounts"]),
            objects=tuple(_lost_object(o) for o in document["objects"]),
            members=tuple(_lost_members(m) for m in document["members"]),
        )
        whose = (document["project"], document["environment"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zstandard.ZstdError, msgspec.DecodeError):
        hint = "only the store that was there when it was written can read it"
        raise InvalidInput(f"{path} is no snapshot of this store, or it is damaged", hint=hint) from None
    if whose != (project, environment):
        raise InvalidInput(
            f"the snapshot is of project {whose[0]!r} environment {whose[1]!r}, this is {project!r} {environment!r}",
            hint="restore it where it was made",
        )
    return found


def _lost_object(given: Mapping[str, Any]) -> LostObject:
    return LostObject(
        address=Address.parse(given["address"]),
        provider=given["provider"],
        remote_id=RemoteId(given["remoteId"]),
        fields=load_fields(json.dumps(given["fields"])),
        campaign=_found_end(given["campaign"]) if "campaign" in given else None,
        list=_found_end(given["list"]) if "list" in given else None,
    )


def _found_end(given: Mapping[str, Any]) -> End:
    address = given["address"]
    return End(remote_id=RemoteId(given["remoteId"]), address=Address.parse(address) if address else None)


def _lost_members(given: Mapping[str, Any]) -> LostMembers:
    if "table" in given:
        import polars as pl

        contacts = ContactSet.from_frame(pl.read_parquet(io.BytesIO(given["table"])))
    else:
        contacts = ContactSet.from_columns(given["columns"])
    if len(contacts) != given["count"]:
        raise ValueError("rows are missing")
    return LostMembers(
        address=Address.parse(given["address"]),
        provider=given["provider"],
        of=_found_end(given["of"]),
        contacts=contacts,
    )
