"""The bytes of a contact file: found inside the project, opened without hanging, decompressed without exploding."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Final

from msgspec import Struct

from reconciler.manifest.files import is_opened, real_path
from reconciler.masking import visible

MIB: Final = 1 << 20
BOM: Final = b"\xef\xbb\xbf"
MAX_DECODED: Final = 4096 * MIB
BLOCK = 4 * MIB
"""Bytes of text parsed at a time. A file of one block is read in plain Python, a larger one through Polars."""

# What has meanwhile become a pipe must not make us wait, and what has become a link is not followed.
_OPENED: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_RATIO_FREE: Final = 64 * MIB
_MAX_RATIO: Final = 200
_MAX_LINE: Final = 16 * MIB
_ZSTD_WINDOW: Final = 128 * MIB
_ZSTD_READ: Final = 2048
"""A zstd block of a few bytes can stand for 128 KiB, so only little input is given at a time."""


class BadFile(Exception):
    """A contact file that cannot be used at all; ``line`` counts from 1, 0 when no line is to blame."""

    def __init__(self, code: str, message: str, *, hint: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line


class Format(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


class Compression(StrEnum):
    NONE = ""
    GZIP = ".gz"
    ZSTD = ".zst"


_SUFFIXES: Final = {
    ".csv": Format.CSV,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".parquet": Format.PARQUET,
}

_FOREIGN: Final = (
    (b"version https://git-lfs.github.com/spec/", "contact-file-lfs-pointer", "is a Git LFS pointer, not the file"),
    (b"\xff\xfe", "contact-file-encoding", "is UTF-16 or UTF-32"),
    (b"\xfe\xff", "contact-file-encoding", "is UTF-16"),
    (b"\x00\x00\xfe\xff", "contact-file-encoding", "is UTF-32"),
    (b"\x1f\x8b", "contact-file-format", "is gzip inside, but its name does not end in .gz"),
    (b"\x28\xb5\x2f\xfd", "contact-file-format", "is zstd inside, but its name does not end in .zst"),
    (b"PK\x03\x04", "contact-file-format", "is a spreadsheet workbook or a zip archive"),
    (b"\xd0\xcf\x11\xe0", "contact-file-format", "is an old spreadsheet workbook"),
    (b"PAR1", "contact-file-format", "is Parquet inside, but is not declared as such"),
)
_FOREIGN_STARTS: Final = tuple(magic for magic, _, _ in _FOREIGN)
_HINTS: Final = {
    "contact-file-lfs-pointer": "run `git lfs pull`",
    "contact-file-encoding": "save it as UTF-8",
    "contact-file-format": "export it as CSV, or give it the suffix of what it is",
}


class Located(Struct, frozen=True):
    """A regular file inside the project. ``path`` has no symbolic links left in it."""

    path: str
    format: Format
    compression: Compression
    size: int


def locate(file: str, *, base: Path, root: Path, declared: str = "") -> Located:
    """The file that ``file`` means, seen from the folder ``base`` of its manifest. Raises BadFile."""
    format_, compression = _kind_of(file, declared)
    if os.path.isabs(file) or "\0" in file:  # noqa: PTH117 - making the Path takes longer than reading a small file
        raise BadFile(
            "contact-file-path-leaves-project",
            f"{visible(file)} is not a path relative to its manifest",
            hint="write the path relative to the manifest, inside the project",
        )
    try:
        path, found = resolved(f"{base}{os.sep}{file}")
    except OSError as cause:  # a link that was something else a moment ago
        raise _unreadable(file, cause) from None
    whole = real_folder(root)
    if path != whole and not path.startswith(whole.rstrip(os.sep) + os.sep):
        raise BadFile(
            "contact-file-path-leaves-project",
            f"{visible(file)} leads out of the project",
            hint="keep contact files inside the project's folder; symbolic links out of it are not followed",
        )
    try:
        found = found or os.stat(path)  # noqa: PTH116 - as above
    except FileNotFoundError:
        raise BadFile(
            "contact-file-missing", f"{visible(file)} does not exist", hint="paths are relative to their manifest"
        ) from None
    except OSError as cause:
        raise _unreadable(file, cause) from None
    if not stat.S_ISREG(found.st_mode):
        raise BadFile("contact-file-not-regular", f"{visible(file)} is not a regular file")
    return Located(path, format_, compression, found.st_size)


def small_file(file: str, *, base: Path, root: Path, below: int) -> bytes | None:
    """All of a regular file inside the project that has less than ``below`` bytes. None where there is anything else to
    do or to say: ``locate`` and ``Stored`` find out what.

    A hot path, so nothing is asked of a path that what is open can tell: the system says where that really is. If it is
    where it was looked for, no part of the way was a link, and none of the project's folder either.
    """
    path = f"{base}{os.sep}{file}"
    if os.pardir in file or not path.startswith(f"{root}{os.sep}"):
        return None
    try:
        opened = os.open(path, _OPENED)
    except (OSError, ValueError):
        return None
    try:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode) or found.st_size >= below or real_path(opened) != path:
            return None
        content = os.read(opened, found.st_size + 1)
    except OSError:
        return None
    finally:
        os.close(opened)
    return content if len(content) == found.st_size else None


def resolved(path: str) -> tuple[str, os.stat_result | None]:
    """As ``os.path.realpath``, which takes longer than reading a small file does; and what is there, where that was
    asked on the way."""
    folder, _, name = path.rpartition(os.sep)
    if folder and name not in {"", os.curdir, os.pardir}:
        real = f"{real_folder(folder).rstrip(os.sep)}{os.sep}{name}"
        try:
            found = os.lstat(real)
        except OSError:
            return os.path.realpath(path), None
        if not stat.S_ISLNK(found.st_mode):
            return real, found
    return os.path.realpath(path), None


def real_folder(folder: Path | str) -> str:
    """``os.path.realpath`` of a folder, remembered as long as the same folder is there."""
    path = os.fspath(folder)
    try:
        found = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return os.path.realpath(path)
    return _resolved(path, found.st_dev, found.st_ino)


@lru_cache(maxsize=256)
def _resolved(folder: str, device: int, inode: int) -> str:
    return os.path.realpath(folder)


def is_named_csv(file: str) -> bool:
    return file.endswith(".csv") and file.rpartition("/")[2] != ".csv"


def _kind_of(file: str, declared: str) -> tuple[Format, Compression]:
    if not declared and is_named_csv(file):
        return Format.CSV, Compression.NONE
    name = PurePath(file)
    compression = Compression(name.suffix) if name.suffix in {".gz", ".zst"} else Compression.NONE
    bare = name.with_suffix("") if compression else name
    format_ = Format(declared) if declared else _SUFFIXES.get(bare.suffix.lower())
    if format_ is None or (format_ is Format.PARQUET and compression):
        suffix = visible("".join(name.suffixes[-2:])) or "(none)"
        raise BadFile(
            "contact-file-format",
            f"{visible(file)}: no contact file format has the suffix {suffix}",
            hint="known are .csv, .ndjson and .jsonl, also with .gz or .zst, and .parquet; or set format",
        )
    return format_, compression


def _unreadable(file: str, cause: OSError) -> BadFile:
    return BadFile("contact-file-unreadable", f"{visible(file)} cannot be read: {cause.strerror}")


class Stored:
    """One file, read once from start to end: decoded on the way, and its stored bytes hashed."""

    def __init__(self, located: Located, *, max_decoded: int = MAX_DECODED, block: int = BLOCK) -> None:
        self._located = located
        self._max_decoded = max_decoded
        self._block = block
        self._read = min(block, MIB)
        self._hash = sha256()

    @property
    def digest(self) -> str:
        """SHA-256 in hex of what was read so far; of the whole file once ``blocks`` or ``stored`` is through."""
        return self._hash.hexdigest()

    def stored(self, size: int = 0) -> Iterator[bytes]:
        """The bytes as they are, at most ``size`` at a time. Raises BadFile."""
        path = self._located.path
        name = os.path.basename(path)  # noqa: PTH119 - making the Path takes longer than reading a small file
        try:
            file = os.open(path, _OPENED)
            try:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise BadFile("contact-file-not-regular", f"{name} is not a regular file")
                if not is_opened(file, path):
                    raise BadFile("contact-file-path-leaves-project", f"{name} was swapped for another file")
                while piece := os.read(file, size or self._read):
                    self._hash.update(piece)
                    yield piece
            finally:
                os.close(file)
        except OSError as cause:
            raise _unreadable(name, cause) from None

    def blocks(self) -> Iterator[bytes]:
        """Decoded text in pieces of about ``block`` bytes that end with a line (but the last). Raises BadFile."""
        parts: list[bytes] = []
        held, started = 0, False
        for piece in self._decoded():
            if not started:
                check_beginning(piece)
                started = True
            parts.append(piece)
            held += len(piece)
            if held < self._block or (b"\n" not in piece and held <= _MAX_LINE):
                continue
            if b"\n" not in piece:
                raise BadFile("contact-file-field-too-long", "a line is longer than any row of contacts can be")
            cut = piece.rfind(b"\n") + 1
            yield b"".join((*parts[:-1], memoryview(piece)[:cut]))
            parts = [piece[cut:]]
            held = len(parts[0])
        if rest := b"".join(parts):
            yield rest

    def _decoded(self) -> Iterator[bytes]:
        match self._located.compression:
            case Compression.NONE:
                return self.stored()
            case Compression.GZIP:
                return self._bounded(self._gunzipped())
            case Compression.ZSTD:
                return self._bounded(self._unzstded())

    def _bounded(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """``pieces`` unless they grow beyond reason: an archive of a few bytes must not fill the memory."""
        total = 0
        for piece in pieces:
            total += len(piece)
            if swollen(total, self._located.size) or total > self._max_decoded:
                raise too_large(total, self._located.size)
            yield piece

    def _gunzipped(self) -> Iterator[bytes]:
        """Any number of gzip members; zeros between and after them are what tape and disk tools pad with."""
        member = None
        try:
            for piece in self.stored():
                while piece:
                    if member is None:
                        piece = piece.lstrip(b"\0")
                        member = zlib.decompressobj(wbits=31) if piece else None
                        continue
                    if decoded := member.decompress(piece, self._read):
                        yield decoded
                    piece = member.unused_data if member.eof else member.unconsumed_tail
                    member = None if member.eof else member
            while member is not None and (decoded := member.decompress(b"", self._read)):
                yield decoded
        except zlib.error:
            raise _damaged("gzip") from None
        if member is not None and not member.eof:
            raise _damaged("gzip")

    def _unzstded(self) -> Iterator[bytes]:
        """Any number of zstd frames."""
        import zstandard

        decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        frame = None
        try:
            for piece in self.stored(_ZSTD_READ):
                while piece:
                    frame = frame or decoder.decompressobj()
                    if decoded := frame.decompress(piece):
                        yield decoded
                    piece = frame.unused_data if frame.eof else b""
                    frame = None if frame.eof else frame
        except zstandard.ZstdError:
            raise _damaged("zstd") from None
        if frame is not None:
            raise _damaged("zstd")


def swollen(decoded: int, stored: int) -> bool:
    """Whether ``stored`` bytes have become more than contacts can be packed into: an archive made to fill memory."""
    return decoded > _RATIO_FREE and decoded > stored * _MAX_RATIO


def too_large(decoded: int, stored: int) -> BadFile:
    return BadFile(
        "contact-file-too-large",
        f"it unpacks to more than {decoded // MIB} MiB from {stored:,} bytes",
        hint="no contact list packs like that; check where the file comes from",
    )


def _damaged(what: str) -> BadFile:
    return BadFile(
        "contact-file-damaged", f"the {what} archive is damaged or cut off", hint="pack it again, or fetch it again"
    )


def check_beginning(start: bytes) -> None:
    if start.startswith(_FOREIGN_STARTS):
        code, what = next((code, what) for magic, code, what in _FOREIGN if start.startswith(magic))
        raise BadFile(code, f"it {what}", hint=_HINTS[code])


def check_text(block: bytes, line: int) -> None:
    """Refuses what no engine may see: NUL, bytes that are no UTF-8, conflict markers. ``line`` is the block's first."""

    def bad(code: str, message: str, at: int, hint: str) -> BadFile:
        return BadFile(code, message, hint=hint, line=line + block.count(b"\n", 0, at))

    if (at := block.find(b"\0")) >= 0:
        raise bad("contact-file-nul", "there is a NUL byte", at, "is it a text file, and saved as UTF-8?")
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError as cause:
            raise bad("contact-file-encoding", "the text is not UTF-8", cause.start, "save it as UTF-8") from None
    for marker in (b"<<<<<<< ", b">>>>>>> "):
        at = _line_starting(block, marker)
        if at >= 0:
            raise bad("contact-file-conflict", "there is a merge conflict", at, "resolve the conflict first")


def has_long_line(block: bytes, longest: int) -> bool:
    """Whether a line may have ``longest`` bytes or more; it surely has half of that when this says so."""
    # Every such line covers a whole stride of half its length.
    stride = longest // 2
    return any(block.find(b"\n", at, at + stride) < 0 for at in range(0, len(block) - stride, stride))


def _line_starting(block: bytes, marker: bytes) -> int:
    # One byte is looked for first: that is eight times as fast as looking for the marker, and nearly always enough.
    if block.find(marker[:1]) < 0:
        return -1
    if block.startswith(marker):
        return 0
    at = block.find(b"\n" + marker)
    return at + 1 if at >= 0 else -1
