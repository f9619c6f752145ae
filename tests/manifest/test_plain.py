"""The quick reader against libyaml: what it reads at all, it reads the same, positions included."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifest import plain
from reconciler.manifest.builder import Abandoned
from reconciler.manifest.documents import Document, Source
from reconciler.manifest.yaml import _chunks, _documents

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "examples").rglob("*.yaml"), *(Path(__file__).parent).rglob("*.yaml")])

FRAGMENTS = (
    *(
        "a",
        "b",
        "name",
        "no",
        "y",
        "on",
        "_x",
        "a.b-c",
        "<<",
        "null",
        "true",
        "~",
        "=",
        "1",
        "007",
        "+1555",
        "12:30",
        "-3",
        "1.5",
    ),
    *(
        ": ",
        ":",
        " :",
        "- ",
        "-",
        "  ",
        " ",
        "\n",
        "\n  ",
        "\n    ",
        "\n- ",
        "\n  - ",
        "\n---\n",
        "\n",
        ": ",
        ": ",
        "\n",
    ),
    *(
        "# c",
        " # c",
        "#",
        '"',
        "'",
        '"x"',
        "'x'",
        '"a: b"',
        "''",
        '""',
        "{",
        "}",
        "[",
        "]",
        ",",
        "{a: b}",
        "[a, b]",
        "|\n",
        ">-\n  ",
        "{a: 1, b: x y}",
        "{}",
    ),
    *(
        "&a ",
        "*a",
        "!t ",
        "|",
        ">",
        "%",
        "@",
        "`",
        "?",
        "? ",
        "\\",
        "http://x:80/",
        "${var.x}",
        "é",
        "\u2028",
        "\u00a0",
        "\t",
        "x y",
    ),
)


def source(text: str) -> Source:
    return Source(name="a.yaml", path="/a.yaml", text=text)


def fields(document: Document) -> tuple[object, ...]:
    # As text, so that the order of keys counts and true is not 1.
    data = repr(document.data)
    return (data, document.line, document.column, document.start, document.end, document.start_line, document.flaws)


def agree(text: str) -> int:
    """How many documents of ``text`` are plain; each of them is what libyaml makes of it."""
    found = 0
    whole = source(text)
    for start, end, line in _chunks(text):
        document = plain.read(whole, start, end, line)
        if document is None:
            continue
        found += 1
        try:
            theirs = [fields(d) for d in _documents(whole, start, end, line)]
        except Abandoned as abandoned:
            raise AssertionError(f"libyaml refuses {text!r}: {abandoned.flaw.message}") from None
        assert [fields(document)] == theirs, repr(text)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_every_manifest_here_is_read_the_same(path: Path) -> None:
    agree(path.read_text(errors="replace"))


def test_most_documents_of_the_examples_are_plain() -> None:
    texts = [p.read_text() for p in (ROOT / "examples").rglob("manifests/**/*.yaml")]
    assert sum(map(agree, texts)) > 0.7 * sum(len(list(_chunks(t))) for t in texts)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb:\n- x\n- w: 1\n  z: 2\nc: d\n",
        "a:\n  - b:\n    - c\n    d: e\n  - f\n",
        "# first\n\na: b # c\n---\n# second\n\nc: 'd' # e\n---\nx: {w: \"a, b\", z: 3}\n",
        "a: b#c\nurl: http://127.0.0.1:8080/x\n",
        "a:\n\n  # nothing\n  b: true\n",
        "a: ${var.region}\nb: x {y} [z], w\n",
        "a: 1",
        "a: {b: c, d: {e: f, g: 'h, i'}, j: [k, 1], l: {}}\n",
        "a: [b, 'c, d', 1]\nw: []\n",
        "a: >-\n  b c\n  d # e\nf: |\n    g:\n    - h\ni:\n- j: |-\n    k\n",
    ],
)
def test_plain_documents_are_read_here(text: str) -> None:
    assert agree(text) == len(list(_chunks(text)))


@pytest.mark.parametrize(
    "text",
    [
        *("a: b: c\n", "a: b\n  c\n", "a: b\n  c: d\n", "a:\nb: c\n", "a: null\n", "a: 007\n", "a: no\n", "no: a\n"),
        *(
            "a: b\na: c\n",
            "a: {b: c, b: d}\n",
            "- a\n",
            " a: b\n",
            "a: [b, [c]]\n",
            "a: 'it''s'\n",
            'a: "\\x41"\n',
            "a: |\n\n  b\n",
            "a: |\n  b",
            "a: |+\n  b\n",
            "a: >\n  b\n   c\n",
            "a: |\nb: c\n",
            "- |\n  a\n",
            "a: |\n  b\n\nc: d\n",
        ),
        *(
            "a: &x b\n",
            "a: *x\n",
            "a: !t b\n",
            "? a\n",
            "a:\tb\n",
            "a: b\r\n",
            "a: 'b\n  c'\n",
            "a:\n - b\n- c\n",
            "a: b\n - c\n",
        ),
        *(
            "a:\n  b: c\n d: e\n",
            "a:\n    b: c\n  d: e\n",
            "a: -\n",
            "a: - b\n",
            "- - a\n",
            "a: {b: {c: {d: e}}}\n",
            "a: {b: c # d}\n",
        ),
        *(
            "a: 'b'#c\n",
            "a: b\u00a0c\n",
            "a: {b:c}\n",
            "a: {no: c}\n",
            "a : b\n",
            "a: b\n---",
            "a: {b: 1:2}\n",
            "a: ''b\n",
            "# a\u2028b: c\nd: e\n",
        ),
    ],
)
def test_everything_else_is_libyamls(text: str) -> None:
    start, end, line = next(iter(_chunks(text)))
    if text.endswith("---"):
        start, end, line = list(_chunks(text))[-1]
    assert plain.read(source(text), start, end, line) is None


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join))
def test_nothing_is_read_otherwise_than_libyaml_does(text: str) -> None:
    agree(text)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.sampled_from(["", "", "", "- ", "-  "]),
            st.sampled_from(["a:", "b:", "c:", "d:", ""]),
            st.sampled_from(["", "", " x", " 1", ' "y"', " {p: q}", "x", " # c", " a b"]),
        ).map(lambda t: "  " * t[0] + "".join(t[1:])),
        max_size=8,
    ).map("\n".join)
)
def test_no_indentation_is_read_otherwise(text: str) -> None:
    agree(text)
