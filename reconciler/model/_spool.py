"""Frames outside of memory, for sets too large to be held there.

They are people's numbers, so it matters where they lie: in one anonymous temporary file per set, in the folder that
``TMPDIR`` names, open to its owner alone and without a name from the start (Linux) or from the moment after
(elsewhere). Nobody can open it by a path and no backup finds it, and the operating system frees it with the process,
however that ends: after a crash there is nothing left to wipe. It is never in the repository. What is small stays in
memory.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from threading import Lock
from weakref import finalize

import polars as pl

from reconciler.errors import ReconcilerError

IN_MEMORY = 16 << 20
"""Bytes up to which a spool makes no file."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a frame lies in its spool, in bytes."""

    start: int
    size: int


class Spool:
    """Frames appended and read back, from any thread. The file goes with the last reference to it."""

    __slots__ = ("__weakref__", "_end", "_file", "_lock")

    def __init__(self) -> None:
        # Parts of several sets can lie in it, so it is closed when nobody has any of them.
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY, prefix="reconciler-")  # noqa: SIM115
        finalize(self, self._file.close)
        self._lock = Lock()
        self._end = 0

    @property
    def is_file(self) -> bool:
        """Whether it has outgrown memory."""
        return self._end > IN_MEMORY

    def append(self, frame: pl.DataFrame) -> Extent:
        # Uncompressed: packing the rows takes longer than writing them, and what is written is read within seconds.
        packed = io.BytesIO()
        frame.write_ipc_stream(packed, compression="uncompressed")
        try:
            return self._appended(packed.getbuffer())
        except OSError as cause:
            raise ReconcilerError(
                f"there is no room for the contacts in the temporary folder: {cause.strerror}",
                hint="set TMPDIR to a private folder with more room; millions of people take some hundred MiB",
            ) from None

    def _appended(self, packed: memoryview) -> Extent:
        with self._lock:
            extent = Extent(self._end, packed.nbytes)
            self._file.seek(extent.start)
            self._file.write(packed)
            self._end += extent.size
        return extent

    def read(self, extent: Extent) -> pl.DataFrame:
        with self._lock:
            self._file.seek(extent.start)
            packed = self._file.read(extent.size)
        return pl.read_ipc_stream(packed)
