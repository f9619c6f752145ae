"""Contact files that lead elsewhere, never end, unpack without end, or are not what they look like."""

from __future__ import annotations

import gzip
import io
import os
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import zstandard
from attacks import Attacked, measured, members, members_from
from rows import survives

from repository import Repository

Attack = Callable[..., Attacked]
ROWS = b"number,first_name\n+16155550123,Ann\n"
CANARY = "+16155550177"


@pytest.fixture
def outside(texts: Repository) -> Path:
    """A contact file beside the project that nobody may read."""
    path = texts.root.parent / "outside.csv"
    path.write_text(f"number\n{CANARY}\n")
    return path


def placed(texts: Repository, content: bytes, name: str = "people.csv", more: str = "") -> Attacked:
    (texts.root / "manifests" / name).write_bytes(content)
    texts.write("people.yaml", members_from(f'"{name}"', more))
    return Attacked.run(texts)


@survives("S010")
@pytest.mark.parametrize(
    "path",
    [
        "../../outside.csv",
        "/etc/passwd",
        "~/outside.csv",
        "C:/outside.csv",
        "..\\\\..\\\\outside.csv",
        "file:///outside.csv",
        "https://evil.example/outside.csv",
        "s3://bucket/outside.csv",
        "x/../../../outside.csv",
        "..//..//outside.csv",
        "",
        ".",
        "../../outside*.csv",
    ],
)
def test_s010_contact_files_stay_inside_the_project(attack: Attack, outside: Path, path: str) -> None:
    result = attack(members_from(f'"{path}"', ", format: csv"))
    assert result.code == 3, result.said
    assert "5550177" not in result.said


@survives("S011")
@pytest.mark.parametrize("kind", ["file", "folder", "hard way round"])
def test_s011_links_out_of_the_project_are_not_followed(texts: Repository, outside: Path, kind: str) -> None:
    manifests = texts.root / "manifests"
    if kind == "file":
        (manifests / "in.csv").symlink_to(outside)
        name = "in.csv"
    else:
        (manifests / "in").symlink_to(outside.parent)
        name = "in/outside.csv" if kind == "folder" else "in/repository/../outside.csv"
    texts.write("people.yaml", members_from(f'"{name}"'))
    assert "contact-file-path-leaves-project" in Attacked.run(texts).codes


@survives("S011")
def test_s011_a_link_to_itself_ends(texts: Repository) -> None:
    (texts.root / "manifests" / "loop.csv").symlink_to("loop.csv")
    texts.write("people.yaml", members_from("loop.csv"))
    assert Attacked.run(texts).code == 3


@survives("S012")
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "environment", "socket"])
def test_s012_only_regular_files_are_read(texts: Repository, kind: str) -> None:
    import socket

    path = texts.root / "manifests" / "odd.csv"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case "environment":
            path.symlink_to("/proc/self/environ")
        case _:
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(os.path.relpath(path))
    texts.write("people.yaml", members_from("odd.csv"))
    result = Attacked.run(texts)
    assert result.code == 3
    assert result.codes <= {"contact-file-not-regular", "contact-file-path-leaves-project"}


@survives("S013")
def test_s013_a_contact_file_that_is_swapped_is_never_read_through_a_link(texts: Repository, outside: Path) -> None:
    path, spare = texts.root / "manifests" / "people.csv", texts.root / "spare"
    path.write_bytes(ROWS)
    texts.write("people.yaml", members_from("people.csv"))
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            spare.unlink(missing_ok=True)
            spare.symlink_to(outside)
            spare.replace(path)
            spare.write_bytes(ROWS)
            spare.replace(path)

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        results = [texts("plan", "--show-pii", "--calls") for _ in range(15)]
    finally:
        stop.set()
        swapping.join()
    assert {r.code for r in results} <= {0, 3}, [r.err for r in results if r.code not in (0, 3)]
    assert "5550177" not in "".join(texts.said)


@survives("S016")
@pytest.mark.parametrize(
    "content",
    ["canary-content\n", "canary-content of, a private file, with {commas}\n", '{"key":"canary-content","a":"b"}\n'],
)
def test_s016_a_message_about_a_foreign_file_has_nothing_of_its_content(texts: Repository, content: str) -> None:
    inside = texts.root / "manifests" / "notes.csv"
    inside.write_text(content * 3)
    texts.write("people.yaml", members_from("notes.csv"))
    result = Attacked.run(texts)
    assert result.code == 3
    assert "canary-content" not in result.said


@survives("S017")
def test_s017_no_path_of_ours_reaches_a_provider(texts: Repository) -> None:
    (texts.root / "manifests" / "people.csv").write_bytes(ROWS)
    texts.write("list.yaml", "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: join}\nspec: {name: Join}\n")
    texts.write("people.yaml", members_from("people.csv", "").replace('{id: "1"}', "join"))
    texts.write(
        "people.yaml", members_from("people.csv").replace('list: {id: "1"}', "list: join, missingContacts: create")
    )
    texts.apply()
    sent = str(texts.sandbox.requests())
    assert "people.csv" not in sent
    assert str(texts.root) not in sent


@survives("S018")
@pytest.mark.parametrize(
    "content",
    [
        b"number,first_name\n+16155550123,A\x00nn\n",
        b'number,first_name\n+16155550123,"Ann\n',
        b"number,first_name\n+16155550123," + b"x" * 200_000 + b"\n",
        b"number,first_name\n+16155550123\n",
        b"number,first_name\n+16155550123,Ann,more\n",
        b"number;first_name\n+16155550123;Ann\n",
        b"number,first_name\r+16155550123,Ann\r",
        b"Number ,first_name\n+16155550123,Ann\n",
        b"+16155550123,Ann\n+16155550124,Bob\n",
        b"number,number\n+16155550123,+16155550124\n",
        ROWS.decode().encode("utf-16"),
        b"number,first_name\n+16155550123,\xff\n",
        b"<<<<<<< ours\n" + ROWS,
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        b"PK\x03\x04" + ROWS,
        b"\x1f\x8b" + ROWS,
        b"",
        b"\xef\xbb\xbf",
        b"\n" * 100_000,
        b'"\n' + b"\n" * 100_000,
        b",".join(b"c%d" % i for i in range(130_000)) + b"\n",
        b",".join(b"number%d" % i for i in range(130_000)) + b"\n",
        b"number," + b",".join(b"c%d" % i for i in range(130_000)) + b"\n",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_s018_a_file_that_is_not_what_it_should_be_is_refused(texts: Repository, content: bytes) -> None:
    result = placed(texts, content)
    assert result.code == 3, result.said
    assert "5550123" not in result.said


@survives("S018")
def test_s018_a_byte_order_mark_is_no_part_of_the_header(texts: Repository) -> None:
    assert placed(texts, b"\xef\xbb\xbf" + ROWS).code == 0


@survives("S019")
@pytest.mark.parametrize(
    "number", ["9.19877E+11", "1.61556E+10", "16155550123.0", '"1,61556E+10"', "'+16155550123", "########", "#N/A"]
)
def test_s019_what_a_spreadsheet_left_of_a_number_is_refused(texts: Repository, number: str) -> None:
    placed(texts, f"number\n{number}\n".encode(), more=", defaultRegion: US").refused("contact-invalid-number")


@survives("S020")
@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3"])
def test_s020_a_formula_is_text_that_stays_as_it_is(texts: Repository, cell: str) -> None:
    texts.write("list.yaml", "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: join}\nspec: {name: Join}\n")
    (texts.root / "manifests" / "people.csv").write_text(f"number,first_name\n+16155550123,{cell}\n")
    texts.write(
        "people.yaml", members_from("people.csv").replace('list: {id: "1"}', "list: join, missingContacts: create")
    )
    assert texts("validate").code == 0
    texts.apply()
    bodies = [str(r.get("body")) for r in texts.sandbox.requests() if r["method"] == "POST"]
    assert any(cell in body or cell.replace("'", "\\'") in body for body in bodies), bodies


@survives("S021")
@pytest.mark.parametrize("number", ["911", "112", "999", "+911", "+112", "+1911", "72727", "+44999", "100"])
def test_s021_emergency_numbers_and_short_codes_are_never_contacted(attack: Attack, number: str) -> None:
    attack(members(f'[{{number: "{number}"}}]')).refused("contact-invalid-number")


@survives("S027")
def test_s027_many_lists_over_one_large_file_read_it_in_bounds(texts: Repository) -> None:
    rows = "".join(f"+1615555{i:04d}\n" for i in range(10_000))
    (texts.root / "manifests" / "people.csv").write_text("number\n" + rows)
    documents = [members_from("people.csv").replace("name: people", f"name: people-{i}") for i in range(100)]
    documents = [d.replace('id: "1"', f'id: "{i}"') for i, d in enumerate(documents)]
    texts.write("people.yaml", "---\n".join(documents))
    code, said, seconds, mib = measured(texts.root, "validate")
    assert code == 0, said
    assert seconds < 30
    assert mib < 600


def _gzip_bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    zeros = b"number\n" + b"+16155550123\n" * 80_000
    return b"".join([*(packer.compress(zeros) for _ in range(100)), packer.flush()])


def _zstd_bomb() -> bytes:
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    zeros = b"0" * (1 << 20)
    return b"".join([packer.compress(b"number\n"), *(packer.compress(zeros) for _ in range(1024)), packer.flush()])


def _zstd_window() -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=31, compression_level=1, enable_ldm=True)
    return (
        zstandard.ZstdCompressor(compression_params=parameters).compressobj().compress(ROWS)
        or b"\x28\xb5\x2f\xfd\x00\xa8"
    )


def _parquet_bomb() -> bytes:
    held = io.BytesIO()
    pl.DataFrame({"number": pl.repeat("+16155550123", 60_000_000, eager=True)}).write_parquet(
        held, compression="zstd", compression_level=1, row_group_size=60_000_000
    )
    return held.getvalue()


BOMBS: dict[str, Callable[[], bytes]] = {
    "people.csv.gz": _gzip_bomb,
    "people.ndjson.gz": _gzip_bomb,
    "people.csv.zst": _zstd_bomb,
    "people.parquet": _parquet_bomb,
}


@survives("S038")
@pytest.mark.parametrize("name", BOMBS)
def test_s038_what_unpacks_without_end_is_not_unpacked(texts: Repository, name: str) -> None:
    content = BOMBS[name]()
    assert len(content) < 4 << 20
    (texts.root / "manifests" / name).write_bytes(content)
    texts.write("people.yaml", members_from(name))
    code, said, seconds, mib = measured(texts.root, "validate")
    assert "Traceback" not in said
    assert (code, mib < 1_000, seconds < 15) == (3, True, True), (said, mib, seconds)


@survives("S038")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("people.csv.gz", gzip.compress(ROWS, mtime=0)[:-9]),
        ("people.csv.gz", gzip.compress(ROWS, mtime=0)[:20] + b"\xff" * 20),
        ("people.csv.gz", ROWS),
        ("people.csv.zst", zstandard.compress(ROWS)[:-3]),
        ("people.csv.zst", _zstd_window()),
        ("people.parquet", b"PAR1" + b"\xff" * 40 + b"\xff\xff\xff\x7fPAR1"),
        ("people.parquet", b"PAR1PAR1"),
        ("people.parquet", ROWS),
        ("people.ndjson", b"[" * 100_000),
        ("people.ndjson", b'{"number": ' + b"9" * 5_000 + b"}\n"),
        ("people.ndjson", b'{"number": "+16155550123", "number": "+16155550124"}\n'),
        ("people.ndjson", b'{"number": NaN}\n'),
        ("people.ndjson", b'{"number": "+16155550123", "first_name": {"a": 1}}\n'),
        ("people.ndjson", b'{"number": "\\ud800+16155550123"}\n'),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:20]),
)
def test_s038_damaged_archives_and_odd_rows_are_refused(texts: Repository, name: str, content: bytes) -> None:
    result = placed(texts, content, name)
    assert result.code == 3, result.said
    assert "5550123" not in result.said


@survives("S008")
@pytest.mark.parametrize("char", ["\u202e", "\x1b", "\u200b"])
def test_s008_hidden_characters_in_contact_files_never_reach_the_terminal(texts: Repository, char: str) -> None:
    for header, row in ((f"number,first{char}name", "+16155550123,Ann"), ("number,first_name", f"+16155550{char},Ann")):
        result = placed(texts, f"{header}\n{row}\n".encode())
        assert char not in result.said
