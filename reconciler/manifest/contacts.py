"""Contact files and inline contacts of a Membership or a Suppression, read into one ``ContactSet``.

CSV, NDJSON (also gzipped or zstd-compressed) and Parquet. Every problem is a diagnostic with file and line, and none
quotes a number or an attribute. A small repository is read in plain Python; Polars is imported for large files, for
Parquet, and for sets that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic, Severity, Span, in_order
from reconciler.manifest import _contact_files
from reconciler.manifest._contact_codes import CODES
from reconciler.manifest._contact_csv import CsvReader
from reconciler.manifest._contact_files import (
    MAX_DECODED,
    BadFile,
    Format,
    Located,
    Stored,
    is_named_csv,
    locate,
    small_file,
)
from reconciler.manifest._contact_merge import KEPT, Duplicate, Gathering, Place, Read
from reconciler.manifest._contact_objects import NdjsonReader, ParquetReader
from reconciler.manifest._contact_rows import NUMBER, Asked, Flaw, Framed, Piece, Plain, normalised
from reconciler.manifest.files import shown_name
from reconciler.manifest.numbers import all_e164, known_region
from reconciler.masking import visible
from reconciler.model.contacts import ContactSet

__all__ = [
    "CODES",
    "ContactFile",
    "ContactsRead",
    "Duplicate",
    "InlineContacts",
    "OnInvalid",
    "Rejected",
    "read_contacts",
]

LISTED: Final = 20
"""Rows of one file that get a diagnostic of their own; the others are counted."""


class OnInvalid(StrEnum):
    """What a row without a usable number means for its file."""

    FAIL = "fail"
    SKIP = "skip"


class ContactFile(Struct, frozen=True, kw_only=True):
    """One entry of ``contactsFrom``. ``base`` is the absolute folder of the manifest. ``source`` finds the entry's
    place, which takes long: it is only asked where there is something to tell.

    ``columns`` maps our names to the file's; empty: every column under its own name. An empty ``delimiter``
    is a comma, an empty ``format`` what the suffix says.
    """

    file: str
    base: Path
    source: Callable[[], Span] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    on_invalid: OnInvalid = OnInvalid.FAIL
    default_region: str = ""
    delimiter: str = ""
    format: str = ""


class InlineContacts(Struct, frozen=True, kw_only=True):
    """Contacts written in the manifest: columns of one length, ``number`` among them. ``place`` finds row ``i``."""

    columns: Mapping[str, Sequence[str | None]]
    place: Callable[[int], Span]
    default_region: str = ""


class Rejected(Struct, frozen=True, kw_only=True):
    """A row that was left out. ``line`` counts from 1 (Parquet: the row); ``reason`` is a short stable word."""

    file: str
    line: int
    reason: str


class ContactsRead(Struct, frozen=True, kw_only=True):
    """What was read. ``contacts`` is complete only if no diagnostic blocks.

    ``digests`` are the SHA-256 of each file's bytes in the order asked for, empty for one that could not be read whole.
    ``rejected`` and ``duplicates`` hold at most ``KEPT`` rows each; the counts are complete.
    """

    contacts: ContactSet
    rejected: tuple[Rejected, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    digests: tuple[str, ...] = ()
    rejected_count: int = 0
    duplicate_count: int = 0


def read_contacts(
    files: Sequence[ContactFile],
    root: Path,
    *,
    inline: InlineContacts | None = None,
    shown: Callable[[Path], str] | None = None,
    max_decoded: int = MAX_DECODED,
) -> ContactsRead:
    """All contacts of one manifest: inline rows first, then the files in their order. The first row of a number wins.

    Paths must stay inside ``root``. ``shown`` names a file in diagnostics; by default relative to ``root``.
    ``max_decoded`` is the most that one file may unpack to, in bytes.
    """
    if inline is None and len(files) == 1 and (found := _flawless(files[0], root)) is not None:
        return found
    name = shown or _relative_to(root)
    gathering = Gathering()
    if inline is not None:
        _read_inline(inline, gathering)
    for file in files:
        _read_file(file, root, name, max_decoded, gathering)
    reads, (contacts, repeats) = gathering.reads, gathering.build()
    digests = [read.digest for read in reads]
    return ContactsRead(
        contacts=contacts,
        rejected=tuple(islice(_rejected(reads), KEPT)),
        duplicates=tuple(repeats.kept),
        diagnostics=in_order([*(d for read in reads for d in read.problems), *repeats.warnings()]),
        digests=tuple(digests if inline is None else digests[1:]),
        rejected_count=sum(read.flawed for read in reads),
        duplicate_count=repeats.count,
    )


def _flawless(file: ContactFile, root: Path) -> ContactsRead | None:
    """One small CSV file with which nothing is wrong, as is true of nearly every membership; None for any other.

    A hot path: nothing is made here that it takes to tell a problem, or to put several files together.
    """
    if file.format or not is_named_csv(file.file):
        return None
    content = small_file(file.file, base=file.base, root=root, below=_contact_files.BLOCK)
    if content is None:
        return None
    try:
        _check_options(file)
        rows = CsvReader(iter(()), _asked(file)).simple(content)
    except BadFile:
        return None
    if rows is None or not all_e164(rows.columns[NUMBER]):
        return None
    contacts = ContactSet.from_columns(rows.columns)
    if len(contacts) < len(rows.lines):
        return None
    return ContactsRead(contacts=contacts, digests=(sha256(content).hexdigest(),))


def places_of(
    wrong: Callable[[str], bool],
    files: Sequence[ContactFile],
    root: Path,
    *,
    inline: InlineContacts | None = None,
    shown: Callable[[Path], str] | None = None,
) -> Iterator[Span]:
    """Where the rows are whose number, in E.164, is ``wrong``, as far as they can be read. The files are read once
    more: only for what is to be told."""
    name = shown or _relative_to(root)
    if inline is not None:
        rows = Plain(columns={NUMBER: list(inline.columns[NUMBER])}, lines=range(len(inline.columns[NUMBER])))
        yield from map(inline.place, _lines_of(normalised(rows, inline.default_region), wrong))
    for file in files:
        try:
            located = locate(file.file, base=file.base, root=root, declared=file.format)
            for piece in _pieces(file, located, Stored(located, block=_contact_files.BLOCK), MAX_DECODED):
                for line in _lines_of(normalised(piece, file.default_region), wrong):
                    yield Span(file=visible(name(Path(located.path))), line=line)
        except BadFile:
            continue  # it was read before: somebody is changing it right now


def _lines_of(piece: Piece, wrong: Callable[[str], bool]) -> Iterator[int]:
    numbers = piece.frame[NUMBER] if isinstance(piece, Framed) else piece.columns[NUMBER]
    return (line for number, line in zip(numbers, piece.lines, strict=True) if number is not None and wrong(number))


def _rejected(reads: Sequence[Read]) -> Iterator[Rejected]:
    for read in reads:
        for flaw in read.flaws:
            span = read.place(flaw.line)
            yield Rejected(file=span.file, line=span.line, reason=flaw.reason)


def _relative_to(root: Path) -> Callable[[Path], str]:
    return lambda path: shown_name(path, _contact_files.real_folder(root))


def _read_inline(inline: InlineContacts, gathering: Gathering) -> None:
    read = gathering.begin(inline.place)
    columns = {name: [value or None for value in values] for name, values in inline.columns.items()}
    rows = Plain(columns=columns, lines=range(len(columns[NUMBER])))
    gathering.take([normalised(rows, inline.default_region)])
    read.problems += _flaw_diagnostics(read, "the inline contacts", Severity.ERROR)


def _read_file(
    file: ContactFile, root: Path, name: Callable[[Path], str], max_decoded: int, gathering: Gathering
) -> None:
    located: Located | None = None

    def shown() -> str:
        # Asked only where there is something to tell.
        return visible(file.file if located is None else name(Path(located.path)))

    read = gathering.begin(lambda line: Span(file=shown(), line=line))
    try:
        _check_options(file)
        located = locate(file.file, base=file.base, root=root, declared=file.format)
        stored = Stored(located, max_decoded=max_decoded, block=_contact_files.BLOCK)
        pieces = _pieces(file, located, stored, max_decoded)
        gathering.take(normalised(piece, file.default_region) for piece in pieces)
        read.digest = stored.digest
    except BadFile as bad:
        read.problems.append(_refusal(bad, file, read.place, shown()))
    else:
        if not read.flawed and not read.rows:
            read.problems.append(_header_only(read.place))
    if read.flawed:
        severity = Severity.WARNING if file.on_invalid is OnInvalid.SKIP else Severity.ERROR
        read.problems += _flaw_diagnostics(read, shown(), severity)


def _asked(file: ContactFile) -> Asked:
    return Asked(columns=file.columns, region=file.default_region, delimiter=file.delimiter or ",")


def _pieces(file: ContactFile, located: Located, stored: Stored, max_decoded: int) -> Iterator[Piece]:
    asked = _asked(file)
    match located.format:
        case Format.CSV:
            return CsvReader(stored.blocks(), asked).pieces()
        case Format.NDJSON:
            return NdjsonReader(stored.blocks(), asked).pieces()
        case Format.PARQUET:
            return ParquetReader(located, stored, asked, max_decoded=max_decoded).pieces()


def _check_options(file: ContactFile) -> None:
    def bad(message: str, hint: str) -> BadFile:
        return BadFile("contact-file-option", message, hint=hint)

    if len(file.delimiter) > 1 or not file.delimiter.isascii() or file.delimiter in {'"', "\n", "\r", "\0"}:
        raise bad("delimiter must be one ASCII character", 'write delimiter: ";" or "\\t"')
    if file.format and file.format not in {str(known) for known in Format}:
        raise bad(f"format {visible(file.format)} is not known", f"use one of {', '.join(Format)}")
    if file.default_region and not known_region(file.default_region):
        raise bad(f"defaultRegion {visible(file.default_region)} is no country", "use an ISO code such as US or GB")


def _refusal(bad: BadFile, file: ContactFile, place: Place, shown: str) -> Diagnostic:
    """At the line of the file when there is one, else at the manifest entry that names the file."""
    source = file.source() if file.source is not None and not bad.line else place(bad.line or 1)
    message = bad.message if source.file == shown or shown in bad.message else f"{shown}: {bad.message}"
    return Diagnostic(code=bad.code, severity=Severity.ERROR, message=message, hint=bad.hint, source=source)


def _header_only(place: Place) -> Diagnostic:
    return Diagnostic(
        code="contact-file-header-only",
        severity=Severity.WARNING,
        message="the file has no rows, so it contributes nobody",
        source=place(1),
    )


def _flaw_diagnostics(read: Read, shown: str, invalid: Severity) -> Iterator[Diagnostic]:
    """One diagnostic for each of the first ``LISTED`` rows, and one that counts the others."""

    def severity(flaw: Flaw) -> Severity:
        return invalid if flaw.code == "contact-invalid-number" else Severity.ERROR

    for flaw in read.flaws[:LISTED]:
        text = f"{flaw.reason}: {flaw.text}" if flaw.code == "contact-invalid-number" else flaw.text
        yield Diagnostic(code=flaw.code, severity=severity(flaw), message=text, source=read.place(flaw.line))
    if read.flawed > LISTED:
        more = read.flaws[LISTED:]
        gravest = next((flaw for flaw in more if severity(flaw) is Severity.ERROR), more[0])
        yield Diagnostic(
            code=gravest.code,
            severity=severity(gravest),
            message=f"… and {read.flawed - LISTED:,} more rows of {shown} that cannot be used",
            source=read.place(more[0].line),
        )
