"""Every format of plans, reports and drift: harmless whatever the data, whole for its readers, and saying the same."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from plan_documents import change, drifts, hostile, moves_the_cursor, plan, plans, problem, reports

from reconciler.render import Format, Render, render_drift, render_plan, render_report
from reconciler.render.markdown import BUDGET, plan_markdown

MARKUP = (
    "[a](https://evil.example)",
    "![x](//e.example/p)",
    "<img src=x onerror=y>",
    "@everyone",
    "#1",
    "a`b``c",
    "|x|",
)
names = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-"), min_size=1, max_size=20)
nasty = st.one_of(hostile, st.sampled_from(MARKUP), st.lists(st.sampled_from(MARKUP), max_size=3).map("".join))
documents = st.one_of(
    st.tuples(st.just(render_plan), plans(nasty, nasty)),
    st.tuples(st.just(render_report), reports(nasty)),
    st.tuples(st.just(render_drift), drifts(nasty, nasty)),
)
some = settings(max_examples=60, deadline=None)
CI_COMMANDS = re.compile(r"^\s*::|##\[|##vso\[", re.MULTILINE)
OURS = re.compile(r"</?(details|summary)>")


@some
@given(made=documents, format=st.sampled_from(list(Format)))
def test_no_format_lets_data_talk_to_a_terminal_or_to_ci(made: tuple[Render, dict[str, Any]], format: Format) -> None:
    render, doc = made
    text = render(doc, format, width=100, color=False)
    assert not moves_the_cursor(text)
    assert not CI_COMMANDS.search(text)
    assert text.endswith("\n") or not text


@some
@given(made=documents)
def test_in_markdown_data_is_never_markup(made: tuple[Render, dict[str, Any]]) -> None:
    render, doc = made
    text = render(doc, Format.MARKDOWN, width=100, color=False)
    for token in MarkdownIt("commonmark").parse(text):
        for inner in (token, *(token.children or ())):
            assert inner.type not in {"link_open", "image", "html_inline", "fence", "code_block"}, inner
            if inner.type == "html_block":
                left = OURS.sub("", inner.content)
                assert "<" not in left, inner.content
            if inner.type == "text":
                assert "@everyone" not in inner.content
                assert "evil" not in inner.content


@some
@given(made=documents)
def test_machine_formats_parse_and_agree(made: tuple[Render, dict[str, Any]]) -> None:
    render, doc = made
    sarif = json.loads(render(doc, Format.SARIF, width=100, color=False))
    results = sarif["runs"][0]["results"]
    rules = [rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]]
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in results)
    root = Xml.fromstring(render(doc, Format.JUNIT, width=100, color=False).encode())
    failures = root.findall(".//failure")
    open_errors = [r for r in results if r["level"] == "error" and "suppressions" not in r]
    assert len(failures) == len(open_errors)
    assert sum(int(s.get("failures", "")) for s in root) == len(failures)
    assert sum(int(s.get("tests", "")) for s in root) == len(root.findall(".//testcase"))
    quality = json.loads(render(doc, Format.CODE_QUALITY, width=100, color=False))
    assert len(quality) == len([r for r in results if "suppressions" not in r])
    for shown in render(doc, Format.NDJSON, width=100, color=False).splitlines():
        assert "type" in json.loads(shown)


@pytest.mark.parametrize("budget", [BUDGET, 4_000])
def test_markdown_fits_and_says_what_it_left_out(budget: int) -> None:
    doomed = [change(f"main/List/gone-{i}", "delete") for i in range(30)]
    many = [change(f"main/List/a-list-with-a-long-name-{i}") for i in range(3_000)]
    doc = plan(*many, *doomed, digest="scrypt$ln=14$salt$hash", diagnostics=[problem(message="ü" * 500)])
    text = plan_markdown(doc, budget=budget)
    assert len(text.encode()) <= budget
    assert "main/List/gone-0" in text
    assert text.rstrip().endswith("`scrypt$ln=14$salt$hash`")
    dropped = re.search(r"([\d,]+) rows left out", text)
    assert dropped
    listed = sum(line.startswith("- ") for line in text.splitlines())
    assert int(dropped.group(1).replace(",", "")) + listed == len(many) + len(doomed) + 1


def test_markdown_puts_what_hurts_first() -> None:
    doc = plan(
        change("main/List/new"),
        change("main/List/gone", "delete"),
        change("main/Campaign/loud", "update", contactClass="starts-contacting", reach=120),
    )
    text = plan_markdown(doc)
    first, rest = text.split("<details>", 1)
    assert "main/List/gone" in first
    assert "main/Campaign/loud" in first
    assert "main/List/new" in rest


def test_gitlab_counts_a_replacement_as_both() -> None:
    doc = plan(change("main/List/a", "replace"), change("main/List/b"), change("main/List/c", "adopt"))
    assert json.loads(render_plan(doc, Format.GITLAB, width=100, color=False)) == {
        "create": 2,
        "update": 0,
        "delete": 1,
    }


def test_a_finding_keeps_its_fingerprint_when_its_manifest_moves() -> None:
    def fingerprints(line: int) -> list[str]:
        source = {"file": "m.yaml", "line": line, "column": 1, "length": 0}
        doc = plan(change("main/List/a", source=source), change("main/List/b", source=source))
        sarif = json.loads(render_plan(doc, Format.SARIF, width=100, color=False))
        return [r["partialFingerprints"]["resourceAndRule/v1"] for r in sarif["runs"][0]["results"]]

    assert fingerprints(1) == fingerprints(40)
    assert len(set(fingerprints(1))) == 2


@pytest.mark.parametrize("format", list(Format))
def test_which_formats_tell_the_digest(format: Format) -> None:
    text = render_plan(plan(change(), digest="scrypt$ln$salt$hash"), format, width=100, color=False)
    assert ("scrypt$ln" in text) is format.tells_digest
