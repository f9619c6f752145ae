"""``guard``: no file of people's numbers gets into a repository unless a manifest says what it is for.

A contact file is told by its name, a number by what the tool itself would mask in its output. That is a simple rule: it
takes an order number of eleven digits for a phone number, and sees nothing in a file that is called notes.txt.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from reconciler.diagnostics import Diagnostic, Span, error, in_order
from reconciler.errors import InvalidInput, UsageError
from reconciler.manifest.files import SKIPPED, shown_name
from reconciler.manifest.load import LoadOptions, contact_files
from reconciler.masking import has_number

READABLE = (".csv", ".tsv", ".ndjson", ".jsonl", ".vcf")
OPAQUE = (".parquet", ".xlsx", ".xls", ".ods")
PACKED = (".gz", ".zst")

_ENCRYPTED = (
    b"age-encryption.org/",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
    b"-----BEGIN PGP MESSAGE-----",
    b"\0GITCRYPT\0",
)
_REMEDY = "name it in contactsFrom, keep it out of the commit, encrypt it, or allow it with --allow-file"


def guard(paths: Sequence[str], allowed: Sequence[str], options: LoadOptions) -> tuple[Diagnostic, ...]:
    """What is against committing the contact files at or below ``paths``; other files are not looked at.

    ``allowed`` are globs on paths relative to the current folder. Raises UsageError for a path that does not exist and
    InvalidInput for a file that cannot be read.
    """
    folder = Path.cwd()
    if missing := [path for path in paths if not os.path.lexists(path)]:
        raise UsageError(f"There is no {missing[0]}.", hint="Give the path of a file or of a folder.")
    found = {Path(os.path.realpath(file)): file for path in paths for file in _below(folder / path)}
    suspects = {real: shown_name(file, folder) for real, file in found.items() if _is_contact_file(file)}
    suspects = {r: n for r, n in suspects.items() if not any(fnmatchcase(n, glob) for glob in allowed)}
    declared = contact_files(options) if suspects else frozenset()
    problems = (_problem(real, name) for real, name in suspects.items() if real not in declared)
    return in_order(p for p in problems if p is not None)


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, names, files in os.walk(path):
        names[:] = [name for name in names if not name.startswith(".") and name not in SKIPPED]
        yield from (Path(folder) / name for name in files)


def _suffix(path: Path) -> tuple[str, bool]:
    """(the last suffix that is not of an archive, whether there is one of an archive)."""
    name = Path(path.name.lower())
    packed = name.suffix in PACKED
    while name.suffix in PACKED:
        name = name.with_suffix("")
    return name.suffix, packed


def _is_contact_file(path: Path) -> bool:
    return path.is_file() and _suffix(path)[0] in READABLE + OPAQUE


def _problem(path: Path, name: str) -> Diagnostic | None:
    """Why a file that no manifest names must not be committed. The number itself is never told."""
    suffix, packed = _suffix(path)
    try:
        with path.open("rb") as file:
            start = file.read(64)
            if start.startswith(_ENCRYPTED):
                return None
            if packed or suffix in OPAQUE:
                message = "whether this file holds people's numbers cannot be seen, and no manifest names it"
                return error("contact-file-opaque", message, hint=_REMEDY, source=Span(file=name, line=1))
            file.seek(0)
            line = _first_number(_lines(file, start))
    except OSError as failure:
        raise InvalidInput(f"{name} cannot be read: {failure.strerror}") from None
    if line is None:
        return None
    message = "this line has a phone number, and no manifest names this file"
    return error("contact-file-undeclared", message, hint=_REMEDY, source=Span(file=name, line=line))


def _lines(file: Iterable[bytes], start: bytes) -> Iterator[str]:
    """The lines of a file in whatever encoding: of other text than digits it does not matter what comes out."""
    wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for line in file:
        # Half of the bytes of a digit in UTF-16 are zero, whichever half that is.
        yield (line.replace(b"\0", b"") if wide else line).decode("utf-8", errors="replace")


def _first_number(lines: Iterable[str]) -> int | None:
    return next((number for number, line in enumerate(lines, start=1) if has_number(line)), None)
