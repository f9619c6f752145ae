"""YAML text to documents: values, flaws, places, and what one bad document does to its neighbours."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml as pyyaml

from reconciler.manifest.documents import Document, Parsed, Source
from reconciler.manifest.places import Places
from reconciler.manifest.scalars import Changed, hidden_characters, resolve
from reconciler.manifest.yaml import MAX_DOCUMENT_BYTES, parse

GOOD = Path(__file__).parent / "good"


def parsed(text: str) -> Parsed:
    return parse(Source(name="a.yaml", path="/a.yaml", text=text))


def only(text: str) -> Document:
    (document,) = parsed(text).documents
    return document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("0", 0),
        ("-3", -3),
        ("12345678901234567890", 12345678901234567890),
        ("2.5", 2.5),
        ("true", True),
        ("False", False),
        ("null", None),
        ("", None),
        ("1.2.3", "1.2.3"),
        ("1a", "1a"),
        ("6346d4529ba9c200096f3e8", "6346d4529ba9c200096f3e8"),
        ("-", "-"),
        ("+", "+"),
        (".", "."),
        ("...", "..."),
        ("24h", "24h"),
        ("192.168.0.1", "192.168.0.1"),
        ("+1 615 555 0123", "+1 615 555 0123"),
        ("2027-01", "2027-01"),
    ],
)
def test_an_unquoted_scalar_is_what_yaml_1_2_says(text: str, value: object) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("+16155550123", "0712345671", "007", "-012", "1_000", "0x1F", "0o17", "0b1", "21:00", "09:00", "1:30:00"),
        *("yes", "No", "ON", "off", "y", "N", "1e3", "1E-3", "1.5e3", ".5", "5.", "+1.5", ".inf", "-.INF", ".NaN"),
        *("2027-01-31", "2027-1-3", "2027-01-31 17:00:00", "2027-01-31T17:00:00Z", "1" * 41, "="),
        "6346452e10",
    ],
)
def test_a_scalar_that_some_reader_would_change_is_not_guessed_at(text: str) -> None:
    assert isinstance(resolve(text), Changed)


def test_every_scalar_that_pyyaml_changes_is_refused_or_means_the_same() -> None:
    words = [
        "yes",
        "no",
        "0777",
        "0b11",
        "0x_ff",
        "1_2",
        "190:20:30",
        "685_230.15",
        "2001-12-14t21:59:43.10-05:00",
        "~",
    ]
    for word in [*words, "+12", "-0", "1.", "6.8523e+5", "-.inf", "2002-12-14"]:
        theirs, ours = pyyaml.safe_load(word), resolve(word)
        assert isinstance(ours, Changed) or (ours == theirs and type(ours) is type(theirs))


def test_quoted_and_block_scalars_are_text() -> None:
    document = only('a: "5"\nb: \'no\'\nc: |\n  1\n  2\nd: >\n  x\n  y\ne: "tab\\tline\\nend"\n')
    assert document.data == {"a": "5", "b": "no", "c": "1\n2\n", "d": "x y\n", "e": "tab\tline\nend"}
    assert document.flaws == ()


def test_ordinary_documents_read_as_with_pyyaml() -> None:
    text = (GOOD / "base.yaml").read_text()
    assert [d.data for d in parsed(text).documents] == list(pyyaml.safe_load_all(text))


def test_blank_documents_and_comments_are_nothing() -> None:
    assert parsed("") == Parsed()
    assert parsed("# only\n# words\n") == Parsed()
    assert [d.data for d in parsed("---\n---\na: 1\n...\n# end\n---\n").documents] == [{"a": 1}]


def test_a_document_knows_where_it_begins() -> None:
    documents = parsed("# one\n\na: 1\n---\n# two\nb: 2\n--- {c: 3}\n").documents
    assert [(d.line, d.column) for d in documents] == [(3, 1), (6, 1), (7, 5)]


def test_places_are_found_by_path() -> None:
    text = "a: 1\n---\n# é\nspec:\n  name: Jöin\n  tags: [x, {y: zz}]\n  'quoted key': >\n    folded\n    text\n"
    places = Places(parsed(text).documents[1])
    name = places.find(("spec", "name"))
    assert (name.line, name.column, name.length) == (5, 9, 4)
    assert (places.find(("spec", "name"), "key").column, places.find(("spec",)).line) == (3, 4)
    inner = places.find(("spec", "tags", 1, "y"))
    assert (inner.line, inner.column, inner.length) == (6, 17, 2)
    assert places.find(("spec", "quoted key")).line == 7
    # What is not there is placed at the nearest thing around it.
    assert places.find(("spec", "nothing")).line == 4
    assert places.find(("nothing",)).line == 4


def test_places_count_lines_as_editors_do() -> None:
    places = Places(only("a: 1\r\nb:\r\n  c: 2\r\n"))
    assert (places.find(("b", "c")).line, places.find(("b", "c")).column) == (3, 6)


def test_a_broken_document_does_not_hide_its_neighbours() -> None:
    found = parsed("a: 1\n---\nb: [\n---\nc: 3\n---\nd: &x 4\n")
    assert [d.data for d in found.documents] == [{"a": 1}, {"c": 3}, {"d": 4}]
    assert [(b.flaw.code, b.flaw.line) for b in found.broken] == [("yaml-syntax", 3)]
    assert [(d.line, [f.line for f in d.flaws]) for d in found.documents] == [(1, []), (5, []), (7, [7])]
    assert Places(found.documents[1]).find(("c",)).line == 5


def test_all_flaws_of_a_document_are_found() -> None:
    flaws = only("a: 1\na: 2\nb: ~\nc: &x no\nd: *x\ne: !t 5\n<<: {}\n? \n: x\n").flaws
    assert [(f.code, f.line) for f in flaws] == [
        ("yaml-duplicate-key", 2),
        ("null-value", 3),
        ("yaml-changed-value", 4),
        ("yaml-alias", 4),
        ("yaml-alias", 5),
        ("yaml-tag", 6),
        ("yaml-merge-key", 7),
        ("null-value", 8),
    ]


def test_a_quoted_merge_key_is_a_key() -> None:
    document = only('"<<": x\n')
    assert (document.data, document.flaws) == ({"<<": "x"}, ())


@pytest.mark.parametrize("text", ["[" * 20_000, "{a: " * 20_000, "- " * 1_100 + "x", "a: " + "[" * 51])
def test_deep_nesting_is_refused_at_once(text: str) -> None:
    started = time.perf_counter()
    found = parsed(text)
    assert [b.flaw.code for b in found.broken] == ["yaml-too-deep"]
    assert time.perf_counter() - started < 2


def test_fifty_levels_are_fine() -> None:
    assert only("a: " + "[" * 49 + "]" * 49).flaws == ()


@pytest.mark.parametrize("line", ["x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", "----", "ä"])
def test_a_document_over_one_mebibyte_is_refused_and_its_neighbours_are_not(line: str) -> None:
    large = "b: |\n" + f"  {line}\n" * (MAX_DOCUMENT_BYTES // len(f"  {line}\n".encode()))
    found = parsed(f"a: 1\n---\n{large}---\nc: 3\n")
    assert [d.data for d in found.documents] == [{"a": 1}, {"c": 3}]
    assert [(b.flaw.code, b.flaw.line) for b in found.broken] == [("yaml-document-too-large", 2)]


def test_many_small_documents_in_a_large_file_are_fine() -> None:
    text = "---\n".join(f"name: document number {i}\n" for i in range(60_000))
    assert len(text) > MAX_DOCUMENT_BYTES
    assert len(parsed(text).documents) == 60_000


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("plain\ttext\r\n", []),
        ("Grüße, 你好, مرحبا", []),
        ("family 👨‍👩‍👧 ❤️ flag 🇩🇪", []),
        ("می‌خواهم", []),
        ("a\x00b", [1]),
        ("a\u202eb", [1]),
        ("a\u200bb\u200bc", [1, 3]),
        ("a\u200db", [1]),
        ("\u200dä", [0]),
        ("soft\u00adhyphen", [4]),
        ("\x1b[2J", [0]),
        ("\x7f\x85", [0, 1]),
        ("\ufeff", [0]),
        ("\U000e0041", [0]),
        ("line\u2028end", [4]),
    ],
)
def test_hidden_characters_are_found_and_scripts_are_left_alone(text: str, places: list[int]) -> None:
    assert hidden_characters(text) == places
