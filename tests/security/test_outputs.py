"""What providers, manifests and errors say stays data in every output."""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from between import Answered, Asked, between, everywhere
from markdown_it import MarkdownIt
from rows import survives

from reconciler.render import Format
from reconciler.sandbox import Sandbox

from repository import EXAMPLES, SECRETS, Repository

HOSTILE = (
    "\x1b[2J\x1b]52;c;aGk=\x07\x9b2K\r\n::set-output name=x::y\n##[add-mask]x##vso[task.complete]##teamcity[x]"
    "section_start:1:x\r\x1b[0K\u202e\u2066\u200b\ufeff\u2028\n# 0 to delete |`x``y```<img src=//evil.example/x>"
    "<script>alert(1)</script>[a](javascript:x)![b](//evil.example) "
    "@everyone #1 https://evil.example www.evil.example ]]>&amp;\x7f"
)
"""One of each: escapes, OSC, CI commands, line breaks, bidi, and markup."""
NAMED = frozenset(
    {
        "name",
        "description",
        "tag",
        "title",
        "summary",
        "status",
        "message",
        "error",
        "first_name",
        "body",
        "type",
        "detail",
    }
)
CI_COMMANDS = re.compile(r"^\s*(?:::|##\[)|##\w*\[", re.MULTILINE)
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("validate",),
    ("plan", "--calls"),
    ("apply", "--yes"),
    ("status",),
    ("drift",),
    ("history",),
    ("inventory", "list"),
    ("call", "texts", "lists.list"),
    ("call", "voice", "lists.list"),
    ("call", "calls", "lists.list"),
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=EXAMPLES / "four" / "sandbox.yaml", knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def four(repository: Repository, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """All four providers, of which one object each was applied honestly; from then on every text is hostile."""
    shutil.rmtree(repository.root / "manifests")
    shutil.copytree(EXAMPLES / "four", repository.root, dirs_exist_ok=True)
    project = repository.root / "reconciler.yaml"
    with between(sandbox.url) as proxy:
        project.write_text(re.sub(r"(\w+_url: )\S+", rf"\g<1>{proxy.url}", project.read_text()))
        applied = repository("apply", "--yes", "--approve", "delete")
        assert applied.code == 0, applied.err + applied.out
        repository.said.clear()

        def hostile(asked: Asked, answered: Answered) -> Answered:
            def put(key: str, value: Any) -> Any:
                return value + HOSTILE if isinstance(value, str) and key in NAMED and value else value

            answered.body = everywhere(answered.body, put)
            return answered

        proxy.change = hostile
        yield repository


def harmless(text: str) -> None:
    """Nothing in ``text`` moves a cursor, hides anything, or talks to a CI system."""
    odd = {c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Co", "Cn", "Zl", "Zp"}}
    assert not odd, sorted(map(hex, map(ord, odd)))
    found = CI_COMMANDS.search(text)
    assert not found, text[max(found.start() - 100, 0) : found.end() + 60]


@survives("S044")
@survives("S045")
@survives("S046")
@survives("S047")
@survives("S054")
@pytest.mark.parametrize("format_", sorted(map(str, Format)))
def test_s044_s045_s046_s047_no_command_lets_a_provider_talk_to_whoever_reads_it(
    four: Repository, format_: str
) -> None:
    for words in COMMANDS:
        result = four(*words, "--format", format_)
        assert "Traceback" not in result.err
        assert "error[unexpected]" not in result.err, (words, result.err)
        harmless(result.out)
        harmless(result.err)
        assert "\n# 0 to delete" not in result.out + result.err
        if format_ == "json" and result.out:
            json.loads(result.out)


@survives("S044")
@survives("S047")
@survives("S054")
@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_s047_nor_do_the_words_of_a_refusal(four: Repository, sandbox: Sandbox, status: int) -> None:
    body = {"error": HOSTILE, "message": HOSTILE, "errors": [HOSTILE], "detail": HOSTILE}
    sandbox.set_faults([{"fault": {"kind": "error_before", "status": status, "body": body}}])
    for words in COMMANDS:
        result = four(*words)
        assert "Traceback" not in result.err
        harmless(result.out)
        harmless(result.err)


@survives("S045")
@pytest.mark.parametrize(
    "words", [("validate",), ("plan",), ("history", "show", HOSTILE.replace("\x00", "")), ("explain", HOSTILE)]
)
def test_s045_nor_what_stands_on_the_command_line_or_in_a_file_name(
    repository: Repository, words: tuple[str, ...]
) -> None:
    name = "".join(c for c in HOSTILE if c != "/")[:120]
    (repository.root / "manifests" / f"{name}.yaml").write_text("a: [\n")
    result = repository(*words)
    assert result.code in (3, 64)
    harmless(result.out)
    harmless(result.err)


@survives("S047")
def test_s047_nor_the_ids_that_we_own(four: Repository) -> None:
    import sqlite3

    with sqlite3.connect(four.root / ".reconciler" / "store.db") as store:
        tables = [r[0] for r in store.execute("select name from sqlite_master where type = 'table'")]
        owning = next(t for t in tables if "remote_id" in {c[1] for c in store.execute(f"pragma table_info({t})")})
        store.execute(f"update {owning} set remote_id = ? where rowid = 1", (HOSTILE,))
    for format_ in ("text", "json"):
        result = four("inventory", "list", "--format", format_)
        assert result.code == 0, result.err
        harmless(result.out)


@survives("S048")
def test_s048_a_step_summary_is_appended_whole_and_has_no_delimiter_to_guess(
    four: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary, output = four.root.parent / "summary.md", four.root.parent / "output"
    summary.write_text("before\n")
    output.write_text("")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    monkeypatch.setenv("GITHUB_ENV", str(output))
    four("plan")
    harmless(summary.read_text())
    assert summary.read_text().startswith("before\n")
    assert output.read_text() == ""


@survives("S049")
def test_s049_in_markdown_data_is_code_and_nothing_else(four: Repository) -> None:
    for words in (("plan",), ("drift",), ("status",), ("apply", "--yes", "--approve", "delete")):
        result = four(*words, "--format", "markdown")
        assert result.out
        for token in MarkdownIt("commonmark").enable("table").parse(result.out):
            for inner in (token, *(token.children or ())):
                assert inner.type not in {"link_open", "image"}, inner
                # An empty comment is what breaks a mention where data stands in the cell of a table.
                assert inner.type != "html_inline" or inner.content == "<!-- -->", inner
                if inner.type == "html_block":
                    assert "<" not in re.sub(r"</?(?:details|summary)>", "", inner.content), inner.content
                if inner.type == "text":
                    assert "@everyone" not in inner.content
                    assert "://" not in inner.content
                    assert "www." not in inner.content


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and what stands in its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts = ""
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            self.scripts += data


@survives("S050")
def test_s050_in_html_data_is_text_and_nothing_is_loaded(four: Repository) -> None:
    for words in (("plan",), ("drift",), ("apply", "--yes", "--approve", "delete")):
        text = four(*words, "--format", "html").out
        page = Page(text)
        assert "evil.example" in text, "the page has nothing hostile in it"
        assert not [e for e in page.elements if e[0] in {"img", "iframe", "object", "embed", "base"}]
        for tag, attributes in page.elements:
            links = [v for k, v in attributes.items() if k in {"src", "href", "action", "srcset", "data"}]
            assert all(link.startswith("#") or not link for link in links), (tag, links)
            assert not [k for k in attributes if k.startswith("on")], (tag, attributes)
        assert "alert(1)" not in page.scripts
        policies = [
            a["content"] for t, a in page.elements if a.get("http-equiv", "").lower() == "content-security-policy"
        ]
        assert policies
        assert "default-src 'none'" in policies[0]


@survives("S051")
def test_s051_machine_formats_stay_whole(four: Repository) -> None:
    for words in (("plan",), ("drift",), ("apply", "--yes", "--approve", "delete")):
        for format_ in ("json", "sarif", "gitlab"):
            json.loads(four(*words, "--format", format_).out)
        ElementTree.fromstring(four(*words, "--format", "junit").out.encode())
        for row in four(*words, "--format", "ndjson").out.splitlines():
            json.loads(row)


@survives("S055")
@survives("S067")
@pytest.mark.parametrize("flag", ["--out", "--report"])
def test_s055_s067_a_file_is_written_anew_and_for_its_owner_only(texts: Repository, tmp_path: Path, flag: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    target = texts.root / "result.json"
    target.symlink_to(victim)
    named = "result.json" if flag == "--out" else "json=result.json"
    for _ in range(2):
        assert texts("plan", flag, named).code == 0
    assert victim.read_text() == "precious"
    assert not target.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600
    assert {p.name for p in texts.root.iterdir()} == {"manifests", "reconciler.yaml", "result.json", ".reconciler"} & {
        p.name for p in texts.root.iterdir()
    }


@survives("S067")
def test_s067_the_store_is_for_its_owner_only_whatever_the_umask(texts: Repository) -> None:
    import os

    before = os.umask(0)
    try:
        texts.write("list.yaml", "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: join}\nspec: {name: Join}\n")
        texts.apply()
        folder = texts.root / ".reconciler"
        assert folder.stat().st_mode & 0o077 == 0
        assert all(p.stat().st_mode & 0o077 == 0 for p in folder.iterdir() if p.name != ".gitignore")
    finally:
        os.umask(before)


@survives("S055")
def test_s055_a_file_that_somebody_else_prepared_is_not_written_through(texts: Repository, tmp_path: Path) -> None:
    import os

    victim = tmp_path / "victim"
    victim.write_text("precious")
    (texts.root / f".plan.json.{os.getpid()}").symlink_to(victim)
    texts("plan", "--out", "plan.json")
    assert victim.read_text() == "precious"


def test_the_hostile_text_is_hostile() -> None:
    with pytest.raises(AssertionError):
        harmless(HOSTILE)
    assert CI_COMMANDS.search(HOSTILE)
    assert SECRETS
