"""Finding and reading files: nothing outside the project, nothing but regular files, nothing without an end."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from reconciler.manifest.documents import Flaw, Source
from reconciler.manifest.scalars import hidden_characters

MAX_FILE_BYTES = 64 << 20
MAX_FOLDERS_DEEP = 50
SKIPPED = frozenset({"node_modules"})
SUFFIXES = (".yaml", ".yml")


class Unreadable(Struct, frozen=True):
    """A file that must not or cannot be read."""

    path: Path
    code: str
    message: str
    hint: str = ""


class Found(Struct, frozen=True):
    """A file to read: ``path`` as people wrote it, ``real`` with no link left in it."""

    path: str
    real: str


def manifest_files(path: Path, root: Path) -> Iterator[Found | Unreadable]:
    """Every YAML file at or below ``path``, sorted by name, hidden folders and ``node_modules`` left out.

    What leaves ``root`` through a symbolic link is refused; ``root`` must be a real path.
    """
    real = path.resolve()
    if not real.is_relative_to(root):
        yield _leaving(path)
    elif real.is_dir():
        yield from _below(str(path), str(real), root, 0)
    else:
        yield Found(str(path), str(real))


def _below(folder: str, real: str, root: Path, depth: int) -> Iterator[Found | Unreadable]:
    """The real folder is carried along, because asking the system for every file's real path takes longer than reading
    it; an entry that is no link in a real folder is real itself."""
    if depth > MAX_FOLDERS_DEEP:
        yield Unreadable(Path(folder), "file-unreadable", f"folders are nested deeper than {MAX_FOLDERS_DEEP} levels")
        return
    try:
        entries = sorted(os.scandir(real), key=lambda e: e.name)
    except OSError as error:
        yield Unreadable(Path(folder), "file-unreadable", f"this folder cannot be read: {error.strerror}")
        return
    for entry in entries:
        name = entry.name
        if name.startswith(".") or name in SKIPPED:
            continue
        path, wanted = f"{folder}/{name}", name.endswith(SUFFIXES)
        if entry.is_symlink():
            # A link to a folder is not followed: what it leads to inside the project is found without it.
            target = _target(Path(entry.path), root)
            if target is None:
                if wanted or Path(entry.path).is_dir():
                    yield _leaving(Path(path))
            elif wanted and target.is_file():
                yield Found(path, str(target))
        elif entry.is_dir():
            yield from _below(path, entry.path, root, depth + 1)
        elif wanted:
            yield Found(path, entry.path)


def _target(link: Path, root: Path) -> Path | None:
    """What ``link`` really leads to, asked once: the next answer may differ. None when outside ``root``."""
    try:
        real = link.resolve()
    except (OSError, RuntimeError):
        return None
    return real if real.is_relative_to(root) else None


def _leaving(path: Path) -> Unreadable:
    return Unreadable(path, "path-outside-project", "this link leads out of the project", "put the file itself here")


def read_bytes(found: Found, *, limit: int = MAX_FILE_BYTES) -> bytes | Unreadable:
    """The content of a regular file. What is checked is what was opened: a pipe or a device is not even waited for."""
    try:
        descriptor = os.open(found.real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        return Unreadable(Path(found.path), "file-unreadable", f"this file cannot be read: {error.strerror}")
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return Unreadable(Path(found.path), "file-unreadable", "this is not a regular file")
        if not is_opened(descriptor, found.real):
            return Unreadable(Path(found.path), "path-outside-project", "this was swapped for a link while it was read")
        if status.st_size > limit:
            message = f"this file has {status.st_size >> 20} MiB; at most {limit >> 20} MiB are read"
            hint = "put contacts into a file and name it in contactsFrom"
            return Unreadable(Path(found.path), "file-too-large", message, hint)
        return os.read(descriptor, status.st_size)
    finally:
        os.close(descriptor)


def is_opened(descriptor: int, real: Path | str) -> bool:
    """Whether an open file is the one at ``real``: a folder above may have become a link after it was resolved.

    Where the system does not tell (no ``/proc``), that only the last part is no link has to do.
    """
    try:
        at = real_path(descriptor)
    except OSError:
        return True
    # Replaced by a newer version of itself is fine; and some file systems keep a name in another case.
    return at == str(real) or at.removesuffix(" (deleted)").casefold() == str(real).casefold()


def real_path(descriptor: int) -> str:
    """Where an open file is, without a link. Raises OSError where the system does not tell."""
    return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - making the Path takes longer than asking


def shown_name(path: Path | str, folder: Path | str) -> str:
    """How diagnostics call a file, given absolute: relative to ``folder`` when it is below, else as it is."""
    absolute = os.path.normpath(path)
    below = f"{folder}{os.sep}"
    return "." if absolute == str(folder) else absolute.removeprefix(below)


def decode(path: str, name: str, content: bytes) -> tuple[Source, list[Flaw]]:
    """A file as text, and what is wrong with its characters; those are replaced, so that the rest can be read."""
    flaws: list[Flaw] = []
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        text = ""
        flaws.append(_not_utf8(content, error))
    text = text.removeprefix("\ufeff")
    if hidden := hidden_characters(text):
        flaws += _hidden_flaws(text, hidden)
        bad = set(hidden)
        text = "".join("?" if i in bad else c for i, c in enumerate(text))
    return Source(name=name, path=path, text=text, has_mark="${" in text), flaws


def _not_utf8(content: bytes, error: UnicodeDecodeError) -> Flaw:
    before = content[: error.start]
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encoding = "UTF-16" if wide else "not UTF-8"
    return Flaw(
        code="yaml-not-utf8",
        message=f"this file is {encoding}",
        line=1 if wide else before.count(b"\n") + 1,
        column=1 if wide else len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1,
        hint="save it as UTF-8",
    )


def _hidden_flaws(text: str, hidden: list[int]) -> Iterator[Flaw]:
    """One flaw for each line that has such characters."""
    told: set[int] = set()
    for index in hidden:
        line = text.count("\n", 0, index) + 1
        if line not in told:
            told.add(line)
            column = index - (text.rfind("\n", 0, index) + 1) + 1
            message = f"this line has a control or invisible character (U+{ord(text[index]):04X})"
            yield Flaw(
                code="yaml-control-character", message=message, line=line, column=column, length=1, hint="take it out"
            )
