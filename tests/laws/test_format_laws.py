"""Whatever a manifest looks like, its form says the same, keeps every comment, and is its own form.

Documents are written in random ways: braces or blocks, every kind of quotes, odd indentation, comments and blank lines
anywhere. What the loader refuses is not formatted, and is not tried.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from reconciler.manifest.documents import Parsed
from reconciler.manifest.files import decode
from reconciler.manifest.formatting.form import CannotFormat, formatted
from reconciler.manifest.yaml import parse

ROOT = Path(__file__).parents[2]
FILES = sorted(
    file
    for folder in ("examples", "tests", "reconciler/app/scaffold")
    for file in (ROOT / folder).rglob("*.yaml")
    if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)
)
WORDS = ("join", "VIP list", "it's", "a: b", "# no comment", "x #y", "- x", "", " two  blanks ", "NO", "21:00", "0712")
WORDS += (
    "+16155550123",
    "null",
    "~",
    "${var.region}",
    "$${var.x}",
    "é 中文",
    "back\\slash",
    'say "hi"',
    "[x]",
    "{y}",
    "%",
)
WIDE = "a long text that does not fit on any line beside another one of its kind and length"
PLAIN = ("join", "VIP list", "it's", "back\\slash", "x#y", "2027-01-31x", WIDE, "${var.region}", "a, [x] {y}")
LINES = (
    "one\ntwo",
    "one\ntwo\n",
    "one\n\ntwo\n\n\n",
    "  deeper\nless\n",
    "\nfirst is blank\n",
    "one\n   \ntwo",
    "x\t\n",
)
KEYS = st.sampled_from(("name", "list", "first_name", "contacts", "a b", "x#y", "é", "quote'd", "zip", "back\\"))


@st.composite
def scalars(draw: st.DrawFn, pad: str, *, block: bool) -> str:
    """A scalar in any of the ways to write it; ``pad`` is how far its other lines are indented."""
    text = draw(st.sampled_from((*WORDS, *LINES, WIDE)))
    way = draw(st.sampled_from(("plain", "single", "double", "literal", "folded", "lines", "number")))
    if way == "number":
        return draw(st.sampled_from(("0", "-12", "1.50", "true", "false", "0.0")))
    if way == "double" or (not block and way in ("literal", "folded")):
        return json.dumps(text, ensure_ascii=draw(st.booleans()))
    if way == "single" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    if way in ("literal", "folded"):
        sign = "|" if way == "literal" else ">"
        deep = draw(st.integers(1, 4))
        number = str(deep) if text[:1] in (" ", "\n") else ""
        lines = [f"{pad[2:]}{' ' * deep}{line}" if line else "" for line in text.split("\n")]
        return "\n".join([sign + number + draw(st.sampled_from(("", "-", "+"))), *lines])
    if way == "lines":
        quote = draw(st.sampled_from(("", '"', "'")))
        inside = draw(st.sampled_from((f"one\n{pad}two", f"one  \n\n {pad}two\n{pad}three", f"one\n\n\n{pad}x# two")))
        escape = draw(st.sampled_from(("", f" \\\n{pad}  \\ x", "\\t \\  \n" + pad))) if quote == '"' else ""
        return f"{quote}{inside}{escape}{quote}"
    return draw(st.sampled_from(PLAIN if block else PLAIN[:-2]))


def _noise(draw: st.DrawFn) -> list[str]:
    """Lines that say nothing: blank ones and comments, at any column."""
    found = draw(st.lists(st.sampled_from(("", "  ", "#", "  # c", "      #c ")), max_size=2))
    return [f"{line}{draw(st.integers(0, 99))}" if line.strip() else line for line in found]


def _behind(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(("", "", "", "  ", " # c", "      #  d", "\t# e")))


@st.composite
def nodes(draw: st.DrawFn, pad: str, depth: int) -> tuple[str, bool]:
    """(text of a value, whether it begins on the next line)."""
    kind = draw(st.sampled_from(("scalar", "scalar", "flow", "mapping", "list") if depth else ("scalar", "flow")))
    if kind == "scalar":
        return draw(scalars(pad, block=True)), False
    if kind == "flow":
        return draw(flows(pad, 2)), False
    return "\n".join(draw(blocks(pad, depth - 1, is_list=kind == "list"))), True


@st.composite
def flows(draw: st.DrawFn, pad: str, depth: int) -> str:
    """Braces or brackets, over several lines at times, with comments in them."""
    if not depth or draw(st.booleans()):
        return draw(scalars(pad, block=False))
    between = draw(st.sampled_from((" ", "", f"\n{pad}", f" # f\n{pad}", f"\n{pad}# g\n\n{pad}")))
    inner = [draw(flows(pad, depth - 1)) for _ in range(draw(st.integers(0, 3)))]
    if draw(st.booleans()):
        return f"[{between}{f',{between}'.join(inner)}{between}]"
    keys = draw(st.lists(KEYS, min_size=len(inner), max_size=len(inner), unique=True))
    pairs = [f"{json.dumps(k) if draw(st.booleans()) else k}: {v}" for k, v in zip(keys, inner, strict=True)]
    return f"{{{between}{f',{between}'.join(pairs)}{between}}}"


@st.composite
def blocks(draw: st.DrawFn, pad: str, depth: int, *, is_list: bool) -> list[str]:
    lines: list[str] = []
    for key in draw(st.lists(KEYS, min_size=1, max_size=3, unique=True)):
        lines += _noise(draw)
        deeper = pad + " " * draw(st.integers(2, 5))
        text, below = draw(nodes(deeper, depth))
        start = f"{pad}-" if is_list else f"{pad}{json.dumps(key) if draw(st.booleans()) else key}:"
        if not below:
            lines.append(f"{start} {text}{_behind(draw)}")
        elif is_list and draw(st.booleans()):
            lines.append(f"{start}{text[len(start) :]}")
        else:
            lines += [start + _behind(draw), *_noise(draw), text]
    return [*lines, *_noise(draw)]


ENVELOPE = ("apiVersion: slicktext/v1", "kind: List", "metadata: {name: join}", "lifecycle:\n  protect: true # why")


@st.composite
def files(draw: st.DrawFn) -> str:
    documents = []
    for _ in range(draw(st.integers(1, 3))):
        lines = _noise(draw)
        spec = "\n".join(["spec:", *draw(blocks("  ", 2, is_list=False))])
        for part in draw(st.permutations((*ENVELOPE, spec))):
            lines += [part, *_noise(draw)]
        documents.append("\n".join(lines))
    between = draw(st.sampled_from(("\n---\n", "\n---\n\n", "\n...\n---  # next\n", "\n---\n---\n# empty\n---\n")))
    text = between.join(documents)
    text = draw(st.sampled_from(("", "---\n", "# top\n---\n"))) + text + draw(st.sampled_from(("", "\n", "\n\n# end")))
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


def read(text: str) -> Parsed | None:
    """None for what the loader would not take."""
    source, flaws = decode("m.yaml", "m.yaml", text.encode())
    parsed = parse(source)
    refused = flaws or parsed.broken or any(not f.date for d in parsed.documents for f in d.flaws)
    return None if refused or not all(isinstance(d.data, dict) for d in parsed.documents) else parsed


def form(text: str) -> str:
    source, _ = decode("m.yaml", "m.yaml", text.encode())
    return formatted(source, parse(source).documents)


def numbered(text: str) -> str:
    """Every comment with a number of its own, so that each can be found again; some will be in texts, no matter."""
    count = iter(range(10_000))
    return re.sub(r"#", lambda _: f"#{next(count)}.", text)


def said(parsed: Parsed) -> list[Any]:
    return [json.dumps(d.data, sort_keys=True) for d in parsed.documents]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(text=files().map(numbered))
def test_a_form_says_the_same_and_is_its_own_form(text: str) -> None:
    before = read(text)
    assume(before is not None)
    assert before is not None
    found = form(text)
    after = read(found)
    assert after is not None
    assert said(after) == said(before)
    assert form(found) == found
    assert sorted(re.findall(r"#\d+\.", found)) == sorted(re.findall(r"#\d+\.", text))
    lines = found.split("\r\n" if "\r\n" in found else "\n")
    assert lines[-1] == ""
    assert lines[0] not in ("", "---")


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_the_manifests_of_this_repository_keep_what_they_say(file: Path) -> None:
    text = file.read_bytes().decode(errors="replace")
    before = read(text)
    if before is None or "<<" in text:
        assert "bad" in file.parts or "scaffold" in file.parts or "support" in file.parts
        return
    found = form(text)
    after = read(found)
    assert after is not None
    assert said(after) == said(before)
    assert form(found) == found
    if "bad" not in file.parts:
        assert found == text


def test_what_cannot_be_written_is_refused() -> None:
    """A key of more than 1,024 characters needs a spelling that the form does not have."""
    with pytest.raises(CannotFormat):
        form(f"apiVersion: x\nkind: y\nmetadata:\n  ? {'k' * 2000}\n  : v\n")
