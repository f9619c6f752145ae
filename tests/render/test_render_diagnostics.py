"""Problems as a compiler prints them."""

from __future__ import annotations

import json

from reconciler.diagnostics import Diagnostic, Severity, Span, error, warning
from reconciler.render.diagnostics import LISTED, diagnostics_json, diagnostics_text

NUMBER = Diagnostic(
    code="yaml-changed-value",
    severity=Severity.ERROR,
    message='YAML reads this phone number as an integer and drops its "+"',
    hint="put it in quotes",
    source=Span(file="manifests/vip.yaml", line=9, column=16, length=12),
    excerpt="    - {number: +16155550138}",
)


def test_an_error_is_a_place_a_code_a_text_a_quote_and_a_hint() -> None:
    assert diagnostics_text([NUMBER], False) == (
        "manifests/vip.yaml:9:16: error[yaml-changed-value]: "
        'YAML reads this phone number as an integer and drops its "+"\n'
        "      9 |     - {number: +1615•••••38}\n"
        "                         ^~~~~~~~~~~~\n"
        "  hint: put it in quotes\n"
        "1 error\n"
    )


def test_numbers_of_people_are_masked_unless_somebody_asked() -> None:
    told = error("number-invalid", "+16155550138 is no mobile number", hint="remove +16155550138")

    assert "55501" not in diagnostics_text([told, NUMBER], False)
    assert "55501" not in diagnostics_json([told, NUMBER])
    assert diagnostics_text([told, NUMBER], False, show_pii=True).count("+16155550138") == 3


def test_all_problems_come_in_order_of_place_and_are_counted() -> None:
    found = [
        warning("b", "second", source=Span(file="b.yaml", line=2)),
        error("c", "last, it has no place", address="main/List/x"),
        error("a", "first", source=Span(file="a.yaml", line=7)),
        error("d", "between", source=Span(file="b.yaml", line=1)),
    ]

    assert diagnostics_text(found, False).splitlines() == [
        "a.yaml:7:1: error[a]: first",
        "b.yaml:1:1: error[d]: between",
        "b.yaml:2:1: warning[b]: second",
        "main/List/x: error[c]: last, it has no place",
        "3 errors, 1 warning",
    ]


def test_very_many_problems_are_told_as_a_number_and_json_has_them_all() -> None:
    """A folder of YAML that is no manifests."""
    every = [
        error("missing-field", f"problem {i}", source=Span(file=f"{i:04}.yaml", line=1)) for i in range(LISTED + 5)
    ]
    told = diagnostics_text([*every, warning("empty", "one of them", source=Span(file="z.yaml", line=1))], False)
    assert told.count("error[missing-field]") == LISTED
    assert "warning[empty]" in told
    assert told.endswith(
        f"… and 5 more; `reconciler validate --format json` lists them all\n{LISTED + 5} errors, 1 warning\n"
    )
    assert len(json.loads(diagnostics_json(every))["diagnostics"]) == LISTED + 5


def test_no_problems_is_no_text() -> None:
    assert diagnostics_text([], False) == ""


def caret(excerpt: str, column: int, length: int, width: int | None = None) -> tuple[str, str]:
    """The quoted text, and the part of it that the caret line marks."""
    span = Span(file="f", line=1, column=column, length=length)
    found = Diagnostic(code="c", severity=Severity.ERROR, message="m", source=span, excerpt=excerpt)
    _, quoted, marks, *_ = diagnostics_text([found], False, width=width).splitlines()
    start = marks.index("^")
    return quoted.partition(" | ")[2], quoted[start : start + len(marks.strip())]


def test_the_caret_follows_what_escaping_makes_longer() -> None:
    assert caret("\tname: bad", 8, 3) == ("\\tname: bad", "bad")
    assert caret("a\x1b[31mb: bad", 10, 3)[1] == "bad"


def test_of_a_long_line_the_part_around_the_caret_is_quoted() -> None:
    quoted, marked = caret("x," * 5000 + "bad," + "y," * 5000, 10_001, 3, width=80)

    assert marked == "bad"
    assert quoted.startswith("…")
    assert quoted.endswith("…")
    assert len(quoted) == 80 - len("      1 | ")


def test_an_unknown_length_is_one_caret_and_a_column_past_the_end_is_the_end() -> None:
    assert caret("name: bad", 7, 0)[1] == "b"
    span = Span(file="f", line=1, column=99, length=3)
    found = Diagnostic(code="c", severity=Severity.ERROR, message="m", source=span, excerpt="short")
    assert diagnostics_text([found], False).splitlines()[2] == " " * len("      1 | short") + "^"


def test_a_long_message_is_one_line_unless_there_is_a_width() -> None:
    long = error("c", "word " * 40 + "end", source=Span(file="f.yaml", line=1))

    assert len(diagnostics_text([long], False).splitlines()) == 2
    assert all(len(x) <= 60 for x in diagnostics_text([long], False, width=60).splitlines())


def test_colour_marks_the_severity() -> None:
    assert "\x1b[1;31merror[yaml-changed-value]:\x1b[0m YAML reads" in diagnostics_text([NUMBER], True)


def test_json_has_every_key_and_the_sums() -> None:
    document = json.loads(diagnostics_json([NUMBER, warning("w", "beware", address="main")]))

    assert document["summary"] == {"errors": 1, "warnings": 1, "notes": 0}
    first, second = document["diagnostics"]
    assert first["source"] == {"file": "manifests/vip.yaml", "line": 9, "column": 16, "length": 12}
    assert first["excerpt"] == "    - {number: +1615•••••38}"
    assert list(second) == ["code", "severity", "message", "hint", "address", "source", "excerpt"]
    assert second["source"] is None
