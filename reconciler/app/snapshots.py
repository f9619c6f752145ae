"""Snapshots of what an apply takes away: files beside the store, readable by their owner alone.

They hold numbers, because that is what they are for. The folder ignores itself in Git, and old files go by themselves.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from reconciler.app import clock
from reconciler.errors import InvalidInput, StoreError
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.plan.losses import End, Losses, LostMembers, LostObject
from reconciler.plan.saved import stamp
from reconciler.store.codec import dump_fields, load_fields

FOLDER = Path(".reconciler") / "snapshots"
FORMAT_VERSION = "1"
KEPT = timedelta(days=90)

ROWS_IN_JSON = 100_000
"""Members above this number go into a Parquet file of their own."""


def write(root: Path, run: str, losses: Losses, *, project: str, environment: str) -> Path:
    """The snapshot of a run, whole and on disk when this returns. Raises StoreError, and then nothing may go."""
    folder = root / FOLDER
    path = folder / f"{run}.json"
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        (folder / ".gitignore").write_text("*\n", encoding="ascii")
        _tidy(folder)
        document = {
            "formatVersion": FORMAT_VERSION,
            "run": run,
            "createdAt": stamp(clock.now()),
            "project": project,
            "environment": environment,
            "accounts": dict(losses.identities),
            "objects": [_object(o) for o in losses.objects],
            "members": [_members(m, folder, f"{run}-{at}.parquet") for at, m in enumerate(losses.members)],
        }
        _private(path, json.dumps(document, indent=1, ensure_ascii=False).encode())
    except OSError as failure:
        raise StoreError(
            f"the snapshot of what would be removed cannot be written: {failure.strerror}",
            hint="make room for it, or go without one: --no-snapshot",
        ) from None
    return path


def _tidy(folder: Path) -> None:
    ends = (clock.now() - KEPT).timestamp()
    for old in folder.iterdir():
        if old.suffix in (".json", ".parquet") and old.stat().st_mtime < ends:
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


def _members(lost: LostMembers, folder: Path, name: str) -> dict[str, Any]:
    head = {"address": str(lost.address), "provider": lost.provider, "of": _end(lost.of), "count": len(lost.contacts)}
    columns = {column: list(lost.contacts.column(column)) for column in lost.contacts.columns}
    if len(lost.contacts) <= ROWS_IN_JSON:
        return {**head, "columns": columns}
    import polars as pl

    _private(folder / name, b"")
    pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).write_parquet(folder / name)
    return {**head, "file": name}


def find(root: Path, name: str) -> Path:
    """The snapshot file that somebody named, by its path or by its run. Raises InvalidInput when there is none."""
    by_run = root / FOLDER / f"{name}.json"
    for path in (Path(name), by_run):
        if path.is_file() and (path == by_run or path.suffix == ".json"):
            return path
    known = sorted(p.stem for p in (root / FOLDER).glob("*.json")) if (root / FOLDER).is_dir() else []
    hint = f"there are snapshots of {', '.join(known[-5:])}" if known else "no run of this project has left one"
    raise InvalidInput(f"{name} is no snapshot and no run that left one", hint=hint)


def read(path: Path, *, project: str, environment: str) -> Losses:
    """What ``write`` wrote. Raises InvalidInput for a file that is damaged, or of another project or environment."""
    try:
        document = json.loads(path.read_bytes())
        if document["formatVersion"] != FORMAT_VERSION:
            raise InvalidInput(f"{path} has format {document['formatVersion']!r}, this tool reads {FORMAT_VERSION!r}")
        found = Losses(
            identities=dict(document["accounts"]),
            objects=tuple(_lost_object(o) for o in document["objects"]),
            members=tuple(_lost_members(m, path.parent) for m in document["members"]),
        )
        whose = (document["project"], document["environment"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInput(f"{path} is no snapshot, or it is damaged") from None
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


def _lost_members(given: Mapping[str, Any], folder: Path) -> LostMembers:
    if "file" in given:
        import polars as pl

        contacts = ContactSet.from_frame(pl.read_parquet(folder / Path(given["file"]).name))
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
