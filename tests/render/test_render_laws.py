"""What holds for every rendering of every document, friendly or hostile."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from plan_documents import hostile, moves_the_cursor, ordinary, plans, problems, reports
from rich.cells import cell_len

from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.render import Format, render_plan, render_report
from reconciler.render.apply import progress_line
from reconciler.render.calls import calls_text
from reconciler.render.diagnostics import diagnostics_json, diagnostics_text

OUR_COLOURS = re.compile(r"\x1b\[(?:0|1|2|31|32|33|1;31)m")
CI_COMMANDS = re.compile(r"^\s*::|##\[|##vso\[", re.MULTILINE)
COMMANDS = ("--allow ", "--approve ", "To continue: ")
"""Lines with something to paste are never broken, whatever the width."""

texts = st.sampled_from([Format.TEXT, Format.CONCISE])
widths = st.integers(60, 200)
names = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-"), min_size=1, max_size=63)


some = settings(max_examples=40, deadline=None)


def harmless(text: str, *, color: bool = False) -> bool:
    plain = OUR_COLOURS.sub("", text) if color else text
    return not moves_the_cursor(plain) and not CI_COMMANDS.search(plain)


def too_wide(text: str, width: int) -> list[str]:
    lines = text.removesuffix("\n").split("\n") if text else []
    return [shown for shown in lines if cell_len(shown) > width and not any(c in shown for c in COMMANDS)]


@some
@given(doc=plans(hostile, hostile), format=texts, width=widths, color=st.booleans())
def test_a_plan_cannot_talk_to_the_terminal_or_to_ci(
    doc: dict[str, Any], format: Format, width: int, color: bool
) -> None:
    assert harmless(render_plan(doc, format, width=width, color=color), color=color)


@some
@given(doc=reports(hostile), format=texts, width=widths, color=st.booleans())
def test_a_report_cannot_either(doc: dict[str, Any], format: Format, width: int, color: bool) -> None:
    assert harmless(render_report(doc, format, width=width, color=color), color=color)


@some
@given(doc=plans(hostile, hostile))
def test_json_is_the_document_and_printable(doc: dict[str, Any]) -> None:
    text = render_plan(doc, Format.JSON, width=80, color=True)

    assert harmless(text)
    assert json.loads(text) == doc
    assert list(json.loads(text)) == list(doc)
    assert text.endswith("}\n")


@some
@given(found=st.lists(problems(hostile, hostile), max_size=4), color=st.booleans(), width=st.none() | widths)
def test_diagnostics_cannot_either(found: list[dict[str, Any]], color: bool, width: int | None) -> None:
    diagnostics = [as_diagnostic(p) for p in found]

    assert harmless(diagnostics_text(diagnostics, color, width=width), color=color)
    assert harmless(diagnostics_json(diagnostics))


@some
@given(doc=plans(ordinary, names), format=texts, width=widths)
def test_a_plan_stays_within_the_width(doc: dict[str, Any], format: Format, width: int) -> None:
    text = render_plan(doc, format, width=width, color=False)

    assert too_wide(text, width) == []
    assert not [shown for shown in text.split("\n") if shown != shown.rstrip()]


@some
@given(doc=plans(ordinary, names), width=widths)
def test_calls_stay_within_the_width(doc: dict[str, Any], width: int) -> None:
    assert too_wide(calls_text(doc, width=width, color=False), width) == []


@some
@given(doc=reports(ordinary), format=texts, width=widths)
def test_a_report_stays_within_the_width(doc: dict[str, Any], format: Format, width: int) -> None:
    assert too_wide(render_report(doc, format, width=width, color=False), width) == []


@some
@given(found=st.lists(problems(ordinary, names), max_size=3), width=widths)
def test_wrapped_diagnostics_stay_within_the_width(found: list[dict[str, Any]], width: int) -> None:
    assert too_wide(diagnostics_text(map(as_diagnostic, found), False, width=width), width) == []


@some
@given(
    address=hostile,
    title=ordinary,
    width=st.integers(20, 200),
    part=st.none() | st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)),
    speed=st.none() | st.floats(0, 10**5),
    left=st.none() | st.floats(0, 10**6),
)
def test_progress_is_one_harmless_line(
    address: str, title: str, width: int, part: tuple[int, int] | None, speed: float | None, left: float | None
) -> None:
    text = progress_line(
        done=7, total=11, address=address, title=title, width=width, part=part, calls_per_s=speed, left_s=left
    )

    assert harmless(text)
    assert "\n" not in text


@some
@given(doc=plans(ordinary, names), format=texts, width=widths)
def test_colour_only_repeats(doc: dict[str, Any], format: Format, width: int) -> None:
    plain = render_plan(doc, format, width=width, color=False)
    coloured = render_plan(doc, format, width=width, color=True)

    assert OUR_COLOURS.sub("", coloured) == plain


@some
@given(doc=plans(ordinary, names), width=widths)
def test_every_address_keeps_its_line(doc: dict[str, Any], width: int) -> None:
    """However long its texts are, no change disappears from the concise plan, and the sums are always told."""
    text = render_plan(doc, Format.CONCISE, width=width, color=False)

    assert len(text.splitlines()) > len(doc["changes"])


def as_diagnostic(found: dict[str, Any]) -> Diagnostic:
    return Diagnostic(
        code=found["code"],
        severity=Severity(found["severity"]),
        message=found["message"],
        hint=found["hint"],
        address=found["address"],
        source=Span(**found["source"]) if found["source"] else None,
        excerpt=found["excerpt"],
    )
