"""What is owned, and no more of the store: all that a plan needs.

Nothing here imports SQLAlchemy, which takes longer to import than ten thousand resources take to be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from reconciler.model.inventory import Inventory
from reconciler.store.reading import Rows, read_inventory
from reconciler.store.snapshots import open_snapshots

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")

DEFAULT_URL = "sqlite:///.reconciler/store.db"

_FILE = re.compile(r"sqlite:///([^:@?#%]+)")
"""A URL that is a path and nothing else; whatever else there may be to one is understood by SQLAlchemy."""


class Database(Protocol):
    """What the store needs of a database. ``session_locks``: it can hold a lock for as long as its connection lives."""

    session_locks: bool

    def look(self, query: Callable[[Rows], T]) -> T:
        """``query``, in plain SQL, on one consistent state of the store."""
        ...

    def read(self, query: Callable[[Connection], T]) -> T:
        """The same for a query that SQLAlchemy writes."""
        ...

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction, durable when the block ends. Within a block of the same thread it joins the outer one."""
        ...

    def close(self) -> None: ...


class Known:
    """What one namespace of a database owns. Without a database it reads as one that knows nothing."""

    def __init__(self, database: Database | None, *, namespace: str) -> None:
        self._database = database
        self._namespace = namespace

    @property
    def exists(self) -> bool:
        """Whether there is a store. An existing one may still know nothing: see ``Inventory.exists``."""
        return self._database is not None

    def inventory(self, *, members: bool = True) -> Inventory:
        """What is owned. ``members`` false leaves the member hashes out (a million cost 0.3 s and 100 MB)."""
        if self._database is None:
            return Inventory(exists=False)
        return self._database.look(lambda rows: read_inventory(rows, self._namespace, with_members=members))

    def close(self) -> None:
        if self._database is not None:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def known_at(url: str, *, namespace: str, root: Path) -> Known:
    """What the store at ``url`` knows to be owned. Nothing is made or changed; raises what ``open_store`` raises."""
    if (plain := _FILE.fullmatch(url)) is not None:
        return Known(open_snapshots(root / plain[1]), namespace=namespace)
    from reconciler.store.opening import open_store

    return open_store(url, namespace=namespace, create=False, root=root)
