"""Contact files: every format read, every damage told with its line, and nothing of anybody shown."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.diagnostics import Severity, Span
from reconciler.manifest import _contact_csv, _contact_files, contacts
from reconciler.manifest.contacts import (
    CODES,
    ContactFile,
    ContactsRead,
    Duplicate,
    InlineContacts,
    OnInvalid,
    Rejected,
    read_contacts,
)

ANN, BOB, CYD, DEE = (f"+1615555010{i}" for i in range(4))
PEOPLE = [(ANN, "Ann", "gold"), (BOB, "Böb", None), (CYD, "Cyd, Jr.", "silver")]
CSV = f'number,first,tier\n{ANN},Ann,gold\n{BOB},Böb,\n{CYD},"Cyd, Jr.",silver\n'.encode()
NDJSON = "".join(
    json.dumps({"number": n, "first": f, "tier": t} if t else {"number": n, "first": f}) + "\n" for n, f, t in PEOPLE
).encode()


def parquet(columns: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out)
    return out.getvalue()


PARQUET = parquet({"number": [ANN, BOB, CYD], "first": ["Ann", "Böb", "Cyd, Jr."], "tier": ["gold", None, "silver"]})


def read(folder: Path, content: bytes, name: str = "c.csv", **options: Any) -> ContactsRead:
    """``content`` as the only contact file of a project."""
    path = folder / name
    path.write_bytes(content)
    entry = ContactFile(file=name, base=folder, source=lambda: Span(file="members.yaml", line=7), **options)
    return read_contacts([entry], folder)


def rows_of(result: ContactsRead) -> list[tuple[str | None, ...]]:
    return [tuple(row.get(name) for name in ("number", "first", "tier")) for row in result.contacts.rows()]


def told(result: ContactsRead) -> list[tuple[str, str]]:
    return [(d.code, str(d.source)) for d in result.diagnostics]


@pytest.fixture
def through_polars(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every text file were large: blocks of a few lines, each of them offered to Polars."""
    monkeypatch.setattr(_contact_files, "BLOCK", 48)


GOOD_FILES = {
    "csv": ("c.csv", CSV),
    "csv with BOM": ("c.csv", b"\xef\xbb\xbf" + CSV),
    "csv with CRLF": ("c.csv", CSV.replace(b"\n", b"\r\n")),
    "csv without last line end": ("c.csv", CSV.rstrip()),
    "csv with blank lines": ("c.csv", b"\n" + CSV.replace(b"\n", b"\n\n")),
    "gzip": ("c.csv.gz", gzip.compress(CSV)),
    "gzip of two members, padded": ("c.csv.gz", gzip.compress(CSV[:50]) + gzip.compress(CSV[50:]) + b"\0" * 512),
    "zstd": ("c.csv.zst", zstandard.compress(CSV)),
    "zstd of two frames": ("c.csv.zst", zstandard.compress(CSV[:50]) + zstandard.compress(CSV[50:])),
    "ndjson": ("c.ndjson", NDJSON),
    "ndjson with BOM, CRLF and blank lines": ("c.jsonl", b"\xef\xbb\xbf" + NDJSON.replace(b"\n", b"\r\n\n")),
    "ndjson, gzip": ("c.ndjson.gz", gzip.compress(NDJSON)),
    "ndjson, zstd": ("c.jsonl.zst", zstandard.compress(NDJSON)),
    "parquet": ("c.parquet", PARQUET),
}


@pytest.mark.parametrize(("name", "content"), GOOD_FILES.values(), ids=GOOD_FILES)
@pytest.mark.parametrize("block", [_contact_files.BLOCK, 48])
def test_every_format_gives_the_same_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, block: int
) -> None:
    monkeypatch.setattr(_contact_files, "BLOCK", block)
    result = read(tmp_path, content, name)
    assert result.diagnostics == ()
    assert rows_of(result) == PEOPLE
    assert result.digests == (sha256(content).hexdigest(),)


@pytest.mark.parametrize("name", ["c.txt", "c.csv", "c", "c.txt.gz"])
def test_declared_format_and_delimiter(tmp_path: Path, name: str) -> None:
    content = CSV.replace(b",", b";").replace(b"; Jr", b", Jr")
    packed = gzip.compress(content) if name.endswith(".gz") else content
    result = read(tmp_path, packed, name, format="csv", delimiter=";")
    assert (rows_of(result), result.diagnostics) == (PEOPLE, ())


def test_columns_are_mapped_and_others_left(tmp_path: Path) -> None:
    content = f"Mobile Number,first,note\n{ANN},Ann,private\n".encode()
    result = read(tmp_path, content, columns={"number": "Mobile Number", "first_name": "first"})
    assert list(result.contacts.rows()) == [{"number": ANN, "first_name": "Ann"}]


def test_number_keeps_its_name_when_only_others_are_mapped(tmp_path: Path) -> None:
    result = read(tmp_path, CSV, columns={"name": "first"})
    assert result.contacts.columns == ("number", "name")


def test_parquet_columns_become_text(tmp_path: Path) -> None:
    content = parquet({"number": [ANN, BOB], "age": [41, None], "vip": [True, False], "city": ["", "Nashville"]})
    result = read(tmp_path, content, "c.parquet")
    assert result.contacts.get(ANN) == {"number": ANN, "age": "41", "vip": "true", "city": None}
    assert result.contacts.get(BOB) == {"number": BOB, "age": None, "vip": "false", "city": "Nashville"}


def test_json_attributes_become_text(tmp_path: Path) -> None:
    content = json.dumps({"number": ANN, "age": 41, "vip": True, "city": ""}).encode()
    result = read(tmp_path, content, "c.ndjson")
    assert result.contacts.get(ANN) == {"number": ANN, "age": "41", "vip": "true", "city": None}


def test_national_numbers_need_a_region(tmp_path: Path) -> None:
    content = b"number\n615-555-0100\n"
    assert list(read(tmp_path, content, default_region="US").contacts.numbers()) == [ANN]
    assert read(tmp_path, content).rejected == (Rejected(file="c.csv", line=2, reason="no-country"),)


def test_quoted_fields_may_span_lines_and_blocks(tmp_path: Path, through_polars: None) -> None:
    note = "a\n" * 100 + 'say "hi"'
    content = f'number,note\n{ANN},"{note.replace(chr(34), chr(34) * 2)}"\n{BOB},x\nbad,y\n'.encode()
    result = read(tmp_path, content)
    assert list(result.contacts.column("note")) == [note, "x"]
    assert told(result) == [("contact-invalid-number", "c.csv:104:1")]


def test_wide_files_need_only_their_columns(tmp_path: Path, through_polars: None) -> None:
    header = ",".join(f"c{i}" for i in range(30))
    lines = "".join(f"{',' * 14}{n}{',' * 15}\n" for n in (BOB, ANN, CYD, DEE))
    result = read(tmp_path, f"{header}\n{lines}".encode(), columns={"number": "c14", "x": "c3"})
    assert list(result.contacts.rows()) == [{"number": n, "x": None} for n in (ANN, BOB, CYD, DEE)]


@dataclass(frozen=True, kw_only=True)
class Bad:
    """A file that cannot be used: its code, and the line to blame (None: the entry in the manifest)."""

    id: str
    content: bytes
    code: str
    line: int | None
    name: str = "c.csv"
    options: dict[str, Any] = field(default_factory=dict)
    hint: str = ""


GOOD_ROW = f"{ANN},Ann,gold\n".encode()
TEXT = CSV.decode()
BAD_FILES = [
    Bad(id="empty", content=b"", code="contact-file-empty", line=None),
    Bad(id="only a BOM", content=b"\xef\xbb\xbf", code="contact-file-empty", line=None),
    Bad(id="only blank lines", content=b"\n\n\r\n", code="contact-file-empty", line=None),
    Bad(id="empty ndjson", content=b"\n", code="contact-file-empty", line=None, name="c.ndjson"),
    Bad(id="empty gzip", content=gzip.compress(b""), code="contact-file-empty", line=None, name="c.csv.gz"),
    Bad(id="empty parquet", content=b"", code="contact-file-empty", line=None, name="c.parquet"),
    Bad(
        id="missing column",
        content=b"Number,first\n",
        code="contact-file-missing-column",
        line=1,
        hint='did you mean "Number"?',
    ),
    Bad(
        id="missing mapped column",
        content=CSV,
        code="contact-file-missing-column",
        line=1,
        options={"columns": {"name": "first_nam"}},
    ),
    Bad(id="column list", content=b"a,b\n1,2\n", code="contact-file-missing-column", line=1, hint='has "a", "b"'),
    Bad(
        id="missing json key",
        content=b'{"nubmer": "+16155550100"}\n',
        code="contact-file-missing-column",
        line=1,
        name="c.ndjson",
        hint='"nubmer"',
    ),
    Bad(
        id="missing json attribute",
        content=NDJSON,
        code="contact-file-missing-column",
        line=1,
        name="c.ndjson",
        options={"columns": {"city": "town"}},
    ),
    Bad(
        id="missing parquet column",
        content=PARQUET,
        code="contact-file-missing-column",
        line=1,
        name="c.parquet",
        options={"columns": {"city": "town"}},
    ),
    Bad(id="same column twice", content=b"number,number\n", code="contact-file-duplicate-column", line=1),
    Bad(id="no header", content=GOOD_ROW, code="contact-file-no-header", line=1),
    Bad(id="no header, national", content=b"Ann,615-555-0100\n", code="contact-file-no-header", line=1),
    Bad(
        id="semicolons",
        content=CSV.replace(b",", b";"),
        code="contact-file-delimiter",
        line=1,
        hint="delimiter: ';'",
    ),
    Bad(id="tabs", content=CSV.replace(b",", b"\t"), code="contact-file-delimiter", line=1, hint="'\\t'"),
    Bad(id="commas", content=CSV, code="contact-file-delimiter", line=1, options={"delimiter": ";"}, hint="','"),
    Bad(id="UTF-16", content=TEXT.encode("utf-16"), code="contact-file-encoding", line=None),
    Bad(id="UTF-16 BE", content=b"\xfe\xff" + TEXT.encode("utf-16-be"), code="contact-file-encoding", line=None),
    Bad(id="UTF-16 without BOM", content=TEXT.encode("utf-16-le"), code="contact-file-nul", line=1),
    Bad(id="Latin-1", content=TEXT.encode("latin-1"), code="contact-file-encoding", line=3),
    Bad(
        id="Latin-1 json", content=NDJSON + b'{"number": "\xe9"}', code="contact-file-encoding", line=4, name="c.ndjson"
    ),
    Bad(id="NUL", content=CSV + b"\0\n", code="contact-file-nul", line=5),
    Bad(
        id="lone carriage returns",
        content=CSV + GOOD_ROW.replace(b"\n", b"\r") * 2,
        code="contact-file-line-ends",
        line=5,
    ),
    Bad(id="too few fields", content=CSV + b"+16155550103,Dee\n", code="contact-file-ragged-row", line=5),
    Bad(id="too many fields", content=CSV + b"+16155550103,Dee,gold,\n", code="contact-file-ragged-row", line=5),
    Bad(id="unclosed quote", content=CSV + b'"' + GOOD_ROW * 3, code="contact-file-quote", line=5),
    Bad(id="unclosed quote, long", content=CSV + b'"' + GOOD_ROW * 9_000, code="contact-file-quote", line=5),
    Bad(id="quote in the header", content=b'number,"first\n' + GOOD_ROW, code="contact-file-quote", line=1),
    Bad(id="text after a quote", content=CSV + b'"+16155550103"x,Dee,gold\n', code="contact-file-quote", line=5),
    Bad(
        id="long field",
        content=CSV + f"{DEE},{'x' * 70_000},gold\n".encode(),
        code="contact-file-field-too-long",
        line=5,
    ),
    Bad(
        id="very long field",
        content=CSV + f"{DEE},{'x' * 200_000},gold\n".encode(),
        code="contact-file-field-too-long",
        line=5,
    ),
    Bad(
        id="long json text",
        content=json.dumps({"number": "1" * 70_000}).encode(),
        code="contact-file-field-too-long",
        line=1,
        name="c.ndjson",
    ),
    Bad(
        id="LFS pointer",
        content=b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n",
        code="contact-file-lfs-pointer",
        line=None,
        hint="git lfs pull",
    ),
    Bad(
        id="conflict",
        content=CSV + b"<<<<<<< HEAD\n" + GOOD_ROW + b"=======\n>>>>>>> other\n",
        code="contact-file-conflict",
        line=5,
    ),
    Bad(id="half a conflict", content=CSV + GOOD_ROW + b">>>>>>> x\n", code="contact-file-conflict", line=6),
    Bad(id="unknown suffix", content=CSV, code="contact-file-format", line=None, name="c.txt", hint=".csv"),
    Bad(id="packed parquet", content=PARQUET, code="contact-file-format", line=None, name="c.parquet.gz"),
    Bad(id="unmarked gzip", content=gzip.compress(CSV), code="contact-file-format", line=None),
    Bad(id="unmarked zstd", content=zstandard.compress(CSV), code="contact-file-format", line=None),
    Bad(id="workbook", content=b"PK\x03\x04" + b"x" * 99, code="contact-file-format", line=None),
    Bad(id="parquet called csv", content=PARQUET, code="contact-file-format", line=None),
    Bad(id="csv called gzip", content=CSV, code="contact-file-damaged", line=None, name="c.csv.gz"),
    Bad(id="csv called zstd", content=CSV, code="contact-file-damaged", line=None, name="c.csv.zst"),
    Bad(id="csv called parquet", content=CSV, code="contact-file-damaged", line=None, name="c.parquet"),
    Bad(id="torn gzip", content=gzip.compress(CSV)[:-9], code="contact-file-damaged", line=None, name="c.csv.gz"),
    Bad(
        id="gzip with a wrong sum",
        content=gzip.compress(CSV)[:-8] + b"\1" * 8,
        code="contact-file-damaged",
        line=None,
        name="c.csv.gz",
    ),
    Bad(
        id="garbage after gzip",
        content=gzip.compress(CSV) + b"garbage",
        code="contact-file-damaged",
        line=None,
        name="c.csv.gz",
    ),
    Bad(id="torn zstd", content=zstandard.compress(CSV)[:-3], code="contact-file-damaged", line=None, name="c.csv.zst"),
    Bad(
        id="torn parquet",
        content=PARQUET[:40] + PARQUET[-40:],
        code="contact-file-damaged",
        line=None,
        name="c.parquet",
    ),
    Bad(
        id="parquet of nothing",
        content=b"PAR1" + b"\xff" * 60 + b"PAR1",
        code="contact-file-damaged",
        line=None,
        name="c.parquet",
    ),
    Bad(id="no json", content=NDJSON + b"{'number': 1}\n", code="contact-file-json", line=4, name="c.ndjson"),
    Bad(id="json array", content=b"\n[]\n", code="contact-file-json", line=2, name="c.ndjson"),
    Bad(id="two objects", content=b'{"number":"1"}{}', code="contact-file-json", line=1, name="c.ndjson"),
    Bad(id="deep json", content=b'{"a":' * 9_999, code="contact-file-json", line=1, name="c.ndjson"),
    Bad(
        id="json number",
        content=NDJSON + b'{"number": 16155550103}\n',
        code="contact-invalid-number",
        line=4,
        name="c.ndjson",
    ),
    Bad(
        id="json float attribute",
        content=NDJSON + b'{"number": "+16155550103", "score": 1.50}\n',
        code="contact-file-value-not-text",
        line=4,
        name="c.ndjson",
    ),
    Bad(
        id="json nested attribute",
        content=NDJSON + b'{"number": "+16155550103", "tags": ["a"]}\n',
        code="contact-file-value-not-text",
        line=4,
        name="c.ndjson",
    ),
    Bad(
        id="numeric parquet",
        content=parquet({"number": [16155550100]}),
        code="contact-file-number-not-text",
        line=None,
        name="c.parquet",
    ),
    Bad(
        id="float parquet attribute",
        content=parquet({"number": [ANN], "score": [1.5]}),
        code="contact-file-value-not-text",
        line=None,
        name="c.parquet",
    ),
    Bad(id="spreadsheet", content=b"number\n9.19877E+11\n", code="contact-invalid-number", line=2),
    Bad(id="no number", content=b"number,first\n,Ann\n", code="contact-invalid-number", line=2),
    Bad(id="national", content=b"number\n615-555-0100\n", code="contact-invalid-number", line=2),
    Bad(
        id="parquet row",
        content=parquet({"number": [ANN, "x"]}),
        code="contact-invalid-number",
        line=2,
        name="c.parquet",
    ),
    Bad(id="delimiter", content=CSV, code="contact-file-option", line=None, options={"delimiter": ";;"}),
    Bad(id="format", content=CSV, code="contact-file-option", line=None, options={"format": "xlsx"}),
    Bad(id="region", content=CSV, code="contact-file-option", line=None, options={"default_region": "UK"}, hint="GB"),
]


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.id)
@pytest.mark.parametrize("block", [_contact_files.BLOCK, 48])
def test_a_bad_file_is_one_error_at_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: Bad, block: int
) -> None:
    monkeypatch.setattr(_contact_files, "BLOCK", block)
    result = read(tmp_path, bad.content, bad.name, **bad.options)
    place = "members.yaml:7:1" if bad.line is None else f"{bad.name}:{bad.line}:1"
    assert told(result) == [(bad.code, place)]
    [diagnostic] = result.diagnostics
    assert diagnostic.severity is Severity.ERROR
    assert bad.hint in diagnostic.hint
    assert bad.line is not None or bad.name in diagnostic.message
    assert diagnostic.code in CODES
    assert "0100" not in diagnostic.message + diagnostic.hint
    assert "Ann" not in diagnostic.message + diagnostic.hint


def test_all_problems_of_a_file_come_at_once(tmp_path: Path) -> None:
    content = f'number,first\nx,Ann\n{BOB}\n{CYD},"Cyd\n'.encode()
    assert told(read(tmp_path, content)) == [
        ("contact-invalid-number", "c.csv:2:1"),
        ("contact-file-ragged-row", "c.csv:3:1"),
        ("contact-file-quote", "c.csv:4:1"),
    ]


def test_rows_beyond_twenty_are_counted(tmp_path: Path) -> None:
    result = read(tmp_path, b"number\n" + b"x\n" * 1_025)
    assert len(result.diagnostics) == 21
    assert result.diagnostics[-1].message == "… and 1,005 more rows of c.csv that cannot be used"
    assert str(result.diagnostics[-1].source) == "c.csv:22:1"
    assert result.rejected_count == len(result.rejected) == 1_025


@pytest.mark.parametrize(
    ("on_invalid", "severity"), [(OnInvalid.FAIL, Severity.ERROR), (OnInvalid.SKIP, Severity.WARNING)]
)
def test_invalid_numbers_fail_or_are_skipped(tmp_path: Path, on_invalid: OnInvalid, severity: Severity) -> None:
    result = read(tmp_path, CSV + b"911,Eve,gold\n", on_invalid=on_invalid)
    assert [(d.severity, str(d.source)) for d in result.diagnostics] == [(severity, "c.csv:5:1")]
    assert result.diagnostics[0].message.startswith("short-code-or-emergency: ")
    assert rows_of(result) == PEOPLE


def test_a_ragged_row_is_never_skipped(tmp_path: Path) -> None:
    result = read(tmp_path, CSV + b"+16155550103\n", on_invalid=OnInvalid.SKIP)
    assert [d.severity for d in result.diagnostics] == [Severity.ERROR]
    assert result.diagnostics[0].message == "the row has 1 field, the header 3 fields"


@pytest.mark.parametrize(
    ("name", "content"),
    [("c.csv", b"number,first\n"), ("c.parquet", parquet({"number": pl.Series([], dtype=pl.String)}))],
    ids=["csv", "parquet"],
)
def test_a_file_without_rows_is_told_and_allowed(tmp_path: Path, name: str, content: bytes) -> None:
    result = read(tmp_path, content, name)
    assert [(d.code, d.severity) for d in result.diagnostics] == [("contact-file-header-only", Severity.WARNING)]
    assert len(result.contacts) == 0


@pytest.mark.parametrize("block", [_contact_files.BLOCK, 32])
def test_the_same_number_twice_is_told_and_collapses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(_contact_files, "BLOCK", block)
    (tmp_path / "a.csv").write_text(f"number,tier\n{ANN},gold\n{BOB},gold\n+1 615 555 0100,gold\n")
    (tmp_path / "b.csv").write_text(f"number,tier\n{ANN},silver\n{CYD},gold\n{BOB},gold\n")
    inline = InlineContacts(
        columns={"number": [CYD, DEE], "tier": ["gold", None]}, place=lambda i: Span(file="members.yaml", line=10 + i)
    )
    result = read_contacts(
        [ContactFile(file=name, base=tmp_path) for name in ("a.csv", "b.csv")], tmp_path, inline=inline
    )
    assert [(row["number"], row["tier"]) for row in result.contacts.rows()] == [
        (ANN, "gold"),
        (BOB, "gold"),
        (CYD, "gold"),
        (DEE, None),
    ]
    assert set(result.duplicates) == {
        Duplicate(file="a.csv", line=4, first_file="a.csv", first_line=2),
        Duplicate(file="b.csv", line=2, first_file="a.csv", first_line=2, differs=True),
        Duplicate(file="b.csv", line=3, first_file="members.yaml", first_line=10),
        Duplicate(file="b.csv", line=4, first_file="a.csv", first_line=3),
    }
    assert sorted(told(result)) == [
        ("contact-duplicate", "a.csv:4:1"),
        ("contact-duplicate", "b.csv:3:1"),
        ("contact-duplicate", "b.csv:4:1"),
        ("contact-duplicate-differs", "b.csv:2:1"),
    ]
    assert {d.severity for d in result.diagnostics} == {Severity.WARNING}
    assert len(result.digests) == 2


def test_many_duplicates_are_one_warning(tmp_path: Path, through_polars: None) -> None:
    result = read(tmp_path, b"number\n" + f"{ANN}\n".encode() * 40)
    [warning] = result.diagnostics
    assert warning.message == "39 rows repeat numbers: c.csv:3, c.csv:4, c.csv:5, c.csv:6, c.csv:7, …"
    assert result.duplicate_count == 39


def test_inline_rows_are_judged_like_those_of_files(tmp_path: Path) -> None:
    inline = InlineContacts(
        columns={"number": ["615-555-0100", "x"], "tier": ["", "gold"]},
        place=lambda i: Span(file="members.yaml", line=10 + i, column=5),
        default_region="US",
    )
    result = read_contacts([], tmp_path, inline=inline)
    assert list(result.contacts.rows()) == [{"number": ANN, "tier": None}]
    assert told(result) == [("contact-invalid-number", "members.yaml:11:5")]


def refusal(folder: Path, file: str, base: Path | None = None) -> str:
    result = read_contacts([ContactFile(file=file, base=base or folder)], folder)
    [diagnostic] = result.diagnostics
    assert result.digests == ("",)
    return diagnostic.code


def test_a_file_must_exist_and_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    assert refusal(tmp_path, "none.csv") == "contact-file-missing"
    assert refusal(tmp_path, "folder.csv") == "contact-file-not-regular"
    assert refusal(tmp_path, "pipe.csv") == "contact-file-not-regular"
    assert refusal(tmp_path, "folder.csv/x.csv") == "contact-file-missing"


def test_a_file_must_be_inside_the_project(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    (project / "manifests").mkdir(parents=True)
    outside.mkdir()
    (outside / "c.csv").write_bytes(CSV)
    (project / "c.csv").write_bytes(CSV)
    (project / "link.csv").symlink_to(outside / "c.csv")
    (project / "folder").symlink_to(outside)
    (project / "inner.csv").symlink_to(project / "c.csv")
    (project / "loop.csv").symlink_to(project / "loop.csv")
    leaving = "contact-file-path-leaves-project"
    assert refusal(project, "../outside/c.csv") == leaving
    assert refusal(project, "link.csv") == leaving
    assert refusal(project, "folder/c.csv") == leaving
    assert refusal(project, "/dev/zero", project) == "contact-file-format"
    assert refusal(project, str(project / "c.csv")) == leaving
    assert refusal(project, "../outside/none.csv") == leaving
    assert refusal(project, "c\0.csv") == leaving
    assert refusal(project, "loop.csv") == "contact-file-unreadable"
    upwards = ContactFile(file="../c.csv", base=project / "manifests")
    through_link = ContactFile(file="inner.csv", base=project)
    result = read_contacts([upwards, through_link], project)
    assert {d.code for d in result.diagnostics} == {"contact-duplicate"}
    assert len(result.contacts) == 3


def test_a_folder_that_becomes_a_link_between_two_reads_is_noticed(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    for folder in (project / "lists", outside):
        folder.mkdir(parents=True)
        (folder / "c.csv").write_bytes(CSV)
    assert not read_contacts([ContactFile(file="lists/c.csv", base=project)], project).diagnostics
    (project / "lists").rename(tmp_path / "moved")
    (project / "lists").symlink_to(outside)
    assert refusal(project, "lists/c.csv") == "contact-file-path-leaves-project"
    (project / "lists").unlink()
    (project / "lists").symlink_to(tmp_path / "moved")
    assert refusal(project, "lists/c.csv") == "contact-file-path-leaves-project"


def test_a_small_file_is_read_at_once_only_where_it_was_looked_for(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    for folder in (project / "lists", outside):
        folder.mkdir(parents=True)
        (folder / "c.csv").write_bytes(CSV)
    os.mkfifo(project / "pipe.csv")
    (project / "file.csv").symlink_to("lists/c.csv")
    (project / "within").symlink_to("lists")
    (project / "without").symlink_to(outside)
    (tmp_path / "alias").symlink_to(project)

    def small(file: str, root: Path = project, below: int = 1_000) -> bytes | None:
        return _contact_files.small_file(file, base=root, root=root, below=below)

    assert small("lists/c.csv") == CSV
    assert small("lists/c.csv", below=len(CSV)) is None
    assert small("lists/c.csv", tmp_path / "alias") is None
    others = ["none.csv", "lists", "pipe.csv", "file.csv", "within/c.csv", "without/c.csv", "c\0.csv"]
    others += ["../outside/c.csv", "lists/../lists/c.csv", "/c.csv", str(project / "lists/c.csv")]
    assert [small(file) for file in others] == [None] * len(others)
    assert _contact_files.small_file("c.csv", base=outside, root=project, below=1_000) is None


def test_a_file_with_which_nothing_is_wrong_is_read_once_and_nothing_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object, **__: object) -> Span:
        raise AssertionError("there is nothing to tell")

    content = f"\ufeffMobile;first\n{ANN};Ann\n{BOB};\n".encode()
    (tmp_path / "c.csv").write_bytes(content)
    entry = ContactFile(
        file="c.csv", base=tmp_path, source=asked, columns={"number": "Mobile"}, delimiter=";", default_region="US"
    )
    monkeypatch.setattr(contacts, "locate", asked)
    result = read_contacts([entry], tmp_path)
    assert list(result.contacts.numbers()) == [ANN, BOB]
    assert result.digests == (sha256(content).hexdigest(),)
    assert (result.diagnostics, result.rejected, result.duplicates) == ((), (), ())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_bytes(CSV)
    (tmp_path / "c.csv").chmod(0)
    assert refusal(tmp_path, "c.csv") == "contact-file-unreadable"


def test_a_file_that_became_a_pipe_does_not_hang(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_bytes(CSV)
    located = _contact_files.locate("c.csv", base=tmp_path, root=tmp_path)
    (tmp_path / "c.csv").unlink()
    os.mkfifo(tmp_path / "c.csv")
    with pytest.raises(_contact_files.BadFile, match="regular"):
        list(_contact_files.Stored(located).stored())


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_an_archive_that_swells_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(_contact_files, "_RATIO_FREE", 1 << 20)
    bomb = pack(b"number\n" + b"+16155550100\n" * 200_000)
    result = read(tmp_path, bomb, f"c.csv{suffix}")
    assert [d.code for d in result.diagnostics if d.severity is Severity.ERROR] == ["contact-file-too-large"]


def test_a_file_may_be_capped(tmp_path: Path) -> None:
    numbers = [f"+1202555{i:04}" for i in range(5_000)]
    for name, content in [
        ("c.csv.gz", gzip.compress("\n".join(["number", *numbers]).encode())),
        ("c.parquet", parquet({"number": numbers})),
    ]:
        (tmp_path / name).write_bytes(content)
        result = read_contacts([ContactFile(file=name, base=tmp_path)], tmp_path, max_decoded=50_000)
        assert [d.code for d in result.diagnostics] == ["contact-file-too-large"]


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through_polars: None) -> None:
    monkeypatch.setattr(_contact_files, "_MAX_LINE", 1_000)
    result = read(tmp_path, b"number,first\n" + GOOD_ROW[:-1] * 500)
    assert [d.code for d in result.diagnostics] == ["contact-file-field-too-long"]


def test_files_are_named_as_the_caller_wants(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_bytes(b"number\nx\n")
    entry = ContactFile(file="c.csv", base=tmp_path)
    result = read_contacts([entry], tmp_path, shown=lambda path: f"here/{path.name}")
    assert told(result) == [("contact-invalid-number", "here/c.csv:2:1")]


def test_reading_small_files_never_imports_polars(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_bytes(CSV)
    (tmp_path / "c.ndjson").write_bytes(NDJSON)
    code = (
        "import sys; from pathlib import Path; from reconciler.manifest.contacts import *\n"
        f"base = Path({str(tmp_path)!r}); files = [ContactFile(file=f, base=base) for f in ('c.csv', 'c.ndjson')]\n"
        "read = read_contacts(files, base); assert len(read.contacts) == 3 and read.duplicate_count == 3\n"
        "sys.exit('polars' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_codes_are_explained_and_stable_words() -> None:
    assert all(code.startswith(("contact-file-", "contact-duplicate", "contact-invalid-")) for code in CODES)
    assert all(meaning and remedy for meaning, remedy in CODES.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engines")


FIELDS = st.sampled_from(
    [ANN, BOB, CYD, "x", "", " ", '"', '""', "a\nb", "a,b", "é", "615-555-0103", "\r", "\r\n", "\ufeff"]
)
WILD = st.lists(st.sampled_from([ANN, BOB, ",", ",", "\n", "\n", "\n", '"', '""', "\r\n", "x", "é", " "]), max_size=40)
TAME = st.lists(st.tuples(FIELDS, FIELDS, st.booleans()), max_size=25)


def wild_csv(parts: list[str]) -> bytes:
    return ("number,a\n" + "".join(parts)).encode()


def tame_csv(rows: list[tuple[str, str, bool]]) -> bytes:
    def cell(value: str, quoted: bool) -> str:
        quoted |= any(c in value for c in '",\r\n')
        return '"' + value.replace('"', '""') + '"' if quoted else value

    return "\n".join(["number,a", *(f"{cell(a, q)},{cell(b, q)}" for a, b, q in rows)]).encode()


def whole(result: ContactsRead) -> list[object]:
    return [result.contacts, result.contacts.digest(), result.rejected, result.duplicates, result.diagnostics]


def with_header(width: int, end: str, parts: list[str]) -> bytes:
    return (",".join(["number", "a", "b"][:width]) + "\n" + "".join(parts) + end).encode()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    content=st.builds(
        with_header,
        st.integers(1, 3),
        st.sampled_from(["", "\n"]),
        st.lists(
            st.sampled_from([ANN, BOB, ",", ",x", ",é,\n", f"{CYD}\n", f"{ANN},x\n", "\n", f"{BOB},,z\n"]), max_size=12
        ),
    ),
    columns=st.sampled_from([{}, {"number": "number"}]),
)
def test_text_without_quotes_is_split_into_what_csv_reads(
    folder: Path, content: bytes, columns: dict[str, str]
) -> None:
    """Rows, lines and flaws of a block that is split as a whole are those that the loop over its rows finds."""
    split = read(folder, content, columns=columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_contact_csv.CsvReader, "_simple", lambda self, block: None)
        assert whole(read(folder, content, columns=columns)) == whole(split)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    content=st.builds(wild_csv, WILD) | st.builds(tame_csv, TAME),
    region=st.sampled_from(["", "US"]),
    columns=st.sampled_from([{}, {"number": "a"}, {"number": "number"}]),
    size=st.integers(9, 80),
)
def test_both_engines_read_a_file_alike(
    folder: Path, content: bytes, region: str, columns: dict[str, str], size: int
) -> None:
    """Rows, lines, diagnostics: a block through Polars says what the plain reader says, or is left to it."""
    plain = read(folder, content, default_region=region, columns=columns)
    with blocks_of(size):
        assert whole(read(folder, content, default_region=region, columns=columns)) == whole(plain)


@contextmanager
def blocks_of(size: int) -> Iterator[None]:
    before = _contact_files.BLOCK
    _contact_files.BLOCK = size
    try:
        yield
    finally:
        _contact_files.BLOCK = before


def test_ten_thousand_rows_are_the_same_through_every_engine(tmp_path: Path) -> None:
    rows = [(f"+1202555{i:04}", f"name {i % 7}", "gold" if i % 3 else "") for i in range(9_999, -1, -1)]
    rows[5_000] = ("x", "nobody", "")
    text = "".join(f"{','.join(row)}\n" for row in [("number", "first", "tier"), *rows])
    plain = read(tmp_path, text.encode())
    objects = "".join(json.dumps(dict(zip(("number", "first", "tier"), row, strict=True))) + "\n" for row in rows)
    columns = {name: [row[i] for row in rows] for i, name in enumerate(("number", "first", "tier"))}
    assert plain.rejected == (Rejected(file="c.csv", line=5_002, reason="not-a-number"),)
    with blocks_of(10_000):
        for name, content, line in [
            ("c.csv", text.encode(), 5_002),
            ("c.csv.gz", gzip.compress(text.encode()), 5_002),
            ("c.csv.zst", zstandard.compress(text.encode()), 5_002),
            ("c.ndjson", objects.encode(), 5_001),
            ("c.parquet", parquet(columns), 5_001),
        ]:
            result = read(tmp_path, content, name)
            assert result.rejected == (Rejected(file=name, line=line, reason="not-a-number"),)
            assert result.contacts == plain.contacts


def test_polars_is_really_used_for_plain_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through_polars: None
) -> None:
    def refuse(*_: object) -> Iterator[None]:
        raise AssertionError("the plain reader was asked")

    monkeypatch.setattr(_contact_csv.CsvReader, "_plain", refuse)
    lines = "".join(f'{n},"{f}",\n' if f == "Ann" else f"{n},{f},x\n" for n, f, _ in PEOPLE[:2])
    assert len(read(tmp_path, f"number,first,tier\n{lines * 2}".encode()).contacts) == 2
    assert contacts.LISTED == 20


def test_a_path_is_resolved_as_the_system_does_it(tmp_path: Path) -> None:
    inside, beside = tmp_path / "inside", tmp_path / "beside"
    inside.mkdir()
    beside.mkdir()
    (inside / "people.csv").write_bytes(b"number\n")
    (inside / "link.csv").symlink_to("people.csv")
    (inside / "dangling.csv").symlink_to("nowhere.csv")
    (beside / "folder").symlink_to(inside)
    names = ("people.csv", "link.csv", "dangling.csv", "missing.csv", "", ".", "..", "../inside/people.csv")
    paths = [f"{folder}/{name}" for folder in (inside, beside / "folder", tmp_path / "gone") for name in names]

    for path in (*paths, *paths):  # remembered the second time
        assert _contact_files.resolved(path)[0] == os.path.realpath(path)
