"""What the documents say is true: examples are valid, links lead somewhere, codes and commands exist."""

from __future__ import annotations

import ast
import gzip
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.app.codes import codes
from reconciler.errors import Exit
from reconciler.manifest.load import load
from reconciler.sandbox.contactcenter.tampering import PORTAL as contactcenter
from reconciler.sandbox.exotel.tampering import PORTAL as exotel
from reconciler.sandbox.intelepeer.tampering import PORTAL as intelepeer
from reconciler.sandbox.portal import Portal
from reconciler.sandbox.slicktext.tampering import PORTAL as slicktext

from command_lines import check_typed

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


# --- YAML examples ---------------------------------------------------------------------------------------------------

_FENCE = re.compile(
    r"(?:^[ ]*<!-- with: (?P<with>[a-z, ]+) -->\n)?^(?P<indent>[ ]*)```yaml\n(?P<text>.*?)^[ ]*```$",
    re.MULTILINE | re.DOTALL,
)

# What `<!-- with: account, list -->` before an example adds to it, for each provider that the example is about.
_PARTS = {
    ("slicktext", "account"): """\
apiVersion: slicktext/v1
kind: Account
metadata: {name: main}
spec: {brandId: "26136", auth: {apiKey: {env: SLICKTEXT_API_KEY}}}
""",
    ("slicktext", "list"): """\
apiVersion: slicktext/v1
kind: List
metadata: {name: vip}
spec: {name: VIP customers}
""",
    ("slicktext", "campaign"): """\
apiVersion: slicktext/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring sale, body: Hello, status: draft}
""",
    ("intelepeer", "account"): """\
apiVersion: intelepeer/v1
kind: Account
metadata: {name: engage}
spec: {membershipMode: append, associateSemantics: add, auth: {token: {env: INTELEPEER_TOKEN}}}
""",
    ("intelepeer", "list"): """\
apiVersion: intelepeer/v1
kind: List
metadata: {name: vip}
spec: {name: VIP calls, headers: [phone, firstname]}
""",
    ("intelepeer", "campaign"): """\
apiVersion: intelepeer/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring calls, callerIdentification: "+13125550100", flowId: 61a9a3ecf6b8387f078d52a1}
""",
}
# Documents of others, which tests/docs/test_recipes.py looks at.
_OF_OTHERS = {"batch/v1"}
_PEOPLE = (f"+1202555{n:04}" for n in itertools.count(1000))
_PROJECT = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: docs}\nspec: {manifests: [manifests]}\n"


@dataclass(frozen=True)
class Example:
    """One fenced block; ``parts`` are what it says it goes with."""

    place: str
    text: str
    parts: tuple[str, ...]


def _examples(page: Path) -> Iterator[Example]:
    text = page.read_text()
    for found in _FENCE.finditer(text):
        indent = found["indent"]
        block = "".join(line.removeprefix(indent) for line in found["text"].splitlines(keepends=True))
        versions = set(re.findall(r"^apiVersion: (.*)$", block, re.MULTILINE))
        if "apiVersion:" in block and not (versions and versions <= _OF_OTHERS):
            line = text.count("\n", 0, found.start("text")) + 1
            parts = tuple(part.strip() for part in (found["with"] or "").split(",") if part.strip())
            yield Example(place=f"{_name(page)}:{line}", text=block, parts=parts)


EXAMPLES = [example for page in PAGES for example in _examples(page)]


def _write_contact_file(path: Path, columns: dict[str, str], delimiter: str) -> None:
    """A file with the columns that an example takes from it, and one person."""
    names = list(columns.values()) or ["number"]
    person = [next(_PEOPLE) if name == columns.get("number", "number") else "x" for name in names]
    if ".ndjson" in path.suffixes:
        content = json.dumps(dict(zip(names, person, strict=True))) + "\n"
    else:
        content = "".join(delimiter.join(row) + "\n" for row in (names, person))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.place)
def test_every_example_is_valid(example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [d for d in yaml.safe_load_all(example.text) if d]
    # An example that only has our own kinds stands beside SlickText.
    providers = sorted({d["apiVersion"].partition("/")[0] for d in documents} - {"reconciler"}) or ["slicktext"]
    folder = tmp_path / "manifests"
    folder.mkdir()
    parts = [_PARTS[provider, part] for provider in providers for part in example.parts]
    if any(d["kind"] == "Project" for d in documents):
        if not any(d["kind"] == "Account" for d in documents):
            parts.append(_PARTS["slicktext", "account"])
        (tmp_path / "reconciler.yaml").write_text(example.text)
        for rule in (r for d in documents for r in d["spec"].get("lifecycle", ())):
            (tmp_path / rule["path"]).mkdir(exist_ok=True)
        (folder / "parts.yaml").write_text("---\n".join(parts))
    else:
        (tmp_path / "reconciler.yaml").write_text(_PROJECT)
        (folder / "example.yaml").write_text("---\n".join([*parts, example.text]))
    for file in (f for d in documents for f in d.get("spec", {}).get("contactsFrom", ())):
        _write_contact_file(folder / file["file"], file.get("columns", {}), file.get("delimiter", ","))
    monkeypatch.chdir(tmp_path)

    loaded = load([])

    assert [f"{d.source}: {d.code}: {d.message}" for d in loaded.diagnostics] == []
    assert loaded.desired is not None
    assert loaded.desired.resources or all(
        d["kind"] in {"Account", "Policy", "Project", "Suppression"} for d in documents
    )


def test_there_are_examples_of_every_kind() -> None:
    kinds = {d["kind"] for e in EXAMPLES for d in yaml.safe_load_all(e.text) if d}
    assert kinds == {
        *("Account", "List", "Campaign", "Association", "Membership"),
        *("Policy", "Project", "Suppression", "Waiver"),
    }


# --- links -----------------------------------------------------------------------------------------------------------

_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def _anchors(page: Path) -> set[str]:
    """The anchors that a renderer gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.finditer(page.read_text()):
        target, _, anchor = link["target"].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = page.parent / target if target else page
        if not path.exists() or (anchor and anchor not in _anchors(path)):
            broken.append(link["target"])
    assert broken == []


# --- codes -----------------------------------------------------------------------------------------------------------

_CODE = re.compile(r"[a-z]+(?:-[a-z0-9]+)+")
_IN_BACKTICKS = re.compile(r"`([^`\n]+)`")

# Functions and classes that take a code, and where: the position among the arguments, or the keyword ``code``.
_TAKES_CODE = {
    **dict.fromkeys(("error", "warning", "diagnose", "refusal", "say", "_refuse", "BadFile", "bad", "_skipped"), 0),
    **dict.fromkeys(("_error", "_note"), 0),
    **dict.fromkeys(("problem", "refuse", "warn"), 1),
    **dict.fromkeys(("at", "_at", "_flaw"), 2),
    **dict.fromkeys(("Flaw", "Unreadable"), 1),
}
_KEYWORD = "code"


def _used_codes(source: str) -> Iterator[tuple[int, str]]:
    """(line, code) of every string that stands where a code is expected."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=keywords):
                position = _TAKES_CODE.get(name)
                given = [args[position]] if position is not None and position < len(args) else []
                given += [k.value for k in keywords if k.arg == _KEYWORD]
                for value in given:
                    yield from _texts(value)
            case ast.ClassDef(body=body):
                for statement in body:
                    match statement:
                        case (
                            ast.Assign(targets=[ast.Name(id="code")], value=value)
                            | ast.AnnAssign(target=ast.Name(id="code"), value=ast.expr() as value)
                        ):
                            yield from _texts(value)
            case _:
                continue


def _texts(value: ast.expr) -> Iterator[tuple[int, str]]:
    """The texts that an expression can be: itself, or either side of ``a if b else c``."""
    match value:
        case ast.Constant(value=str(text)) if re.fullmatch(r"[a-z]+(?:-[a-z0-9]+)*", text):
            yield value.lineno, text
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body)
            yield from _texts(orelse)
        case _:
            return


SOURCES = {
    file: file.read_text()
    for file in sorted((ROOT / "reconciler").rglob("*.py"))
    if "sandbox" not in file.relative_to(ROOT).parts
}
USED = [(_name(file), line, code) for file, source in SOURCES.items() for line, code in _used_codes(source)]

# Whatever begins like this is a code, also in a table of the sources, where no call gives it away.
_FAMILIES = ("slicktext-", "intelepeer-", "contactcenter-", "exotel-", "yaml-", "contact-file-")


def _strings(source: str) -> set[str]:
    return {n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def test_every_code_that_is_raised_can_be_explained() -> None:
    unknown = [f"{file}:{line}: {code}" for file, line, code in USED if code not in codes()]
    assert unknown == []


def test_the_search_for_codes_finds_them() -> None:
    """Without this a renamed function would make the test above pass for nothing."""
    found = {code for _, _, code in USED}
    assert len(found & codes().keys()) > 0.9 * len(codes()), sorted(codes().keys() - found)


def test_codes_and_the_tables_that_explain_them_agree() -> None:
    """Every text that looks like a code is one, and no code is left of what nobody reports any more."""
    strings = {text for file, source in SOURCES.items() if "codes" not in file.stem for text in _strings(source)}
    alleged = {text for text in strings if text.startswith(_FAMILIES) and _CODE.fullmatch(text)}
    assert alleged - codes().keys() == set()
    assert codes().keys() - strings == set()


# Words of schemas look like codes.
@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "json.md"], ids=_name)
def test_every_code_in_the_documents_exists(page: Path) -> None:
    families = {code.partition("-")[0] for code in codes()}
    quoted = {text for text in _IN_BACKTICKS.findall(page.read_text()) if _CODE.fullmatch(text)}
    alleged = {text for text in quoted if text.partition("-")[0] in families}
    assert alleged - codes().keys() == set()


@pytest.mark.parametrize("provider", ["slicktext", "intelepeer", "exotel", "contactcenter"])
def test_the_page_of_a_provider_names_all_its_codes(provider: str) -> None:
    page = (ROOT / "docs" / "providers" / f"{provider}.md").read_text()
    missing = {c for c in codes() if c.startswith(f"{provider}-")} - set(_IN_BACKTICKS.findall(page))
    assert missing == set()


# --- exit codes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("portal", [slicktext, intelepeer, exotel, contactcenter], ids=lambda portal: portal.provider)
def test_the_page_of_the_sandbox_has_every_edit_in_a_portal(portal: Portal[Any, Any]) -> None:
    titles = {
        "slicktext": "SlickText",
        "intelepeer": "IntelePeer",
        "exotel": "Exotel",
        "contactcenter": "Contact centre",
    }
    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    part = re.split(rf"^{titles[portal.provider]}[:;].*\n\n", page, flags=re.MULTILINE)[-1].split("\n\n")[0]
    told = [op for row in part.splitlines()[2:] for op in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(told) == sorted(portal.edits)


def test_the_readme_lists_the_exit_codes() -> None:
    section = (ROOT / "README.md").read_text().partition("\n## Exit codes\n")[2].partition("\n## ")[0]
    cells = [[c.strip() for c in row.strip("|").split("|")] for row in section.splitlines() if row.startswith("|")]
    pairs = [(row[i], row[i + 1]) for row in cells for i in range(0, len(row) - 1, 2)]
    listed = {int(n): text for numbers, text in pairs for n in re.findall(r"\d+", numbers)}
    assert listed.keys() == {int(code) for code in Exit}
    assert {code: text for code, text in listed.items() if text != Exit(code).meaning} == {}


# --- command lines ---------------------------------------------------------------------------------------------------

_COMMAND_LINE = re.compile(r"^(?: {4,})?(?:\$ )?(reconciler .+)$", re.MULTILINE)


def _command_lines(page: Path) -> Iterator[str]:
    """Command lines in blocks and in backticks; one with an ellipsis, or for any COMMAND, is only part of one."""
    text = page.read_text()
    spans = [s for s in _IN_BACKTICKS.findall(text) if s.startswith("reconciler ")]
    for line in [*_COMMAND_LINE.findall(text), *spans]:
        if "…" not in line and " COMMAND " not in line:
            yield line


COMMAND_LINES = [(page, line) for page in PAGES for line in _command_lines(page)]


@pytest.mark.parametrize(("page", "line"), COMMAND_LINES, ids=lambda x: _name(x) if isinstance(x, Path) else x)
def test_every_command_line_can_be_typed(page: Path, line: str) -> None:
    check_typed(line)


def test_there_are_command_lines_in_the_documents() -> None:
    assert {"plan", "apply", "validate", "schema", "explain", "history", "sandbox"} <= {
        line.split()[1] for _, line in COMMAND_LINES if len(line.split()) > 1
    }


def test_the_table_of_hot_paths_names_what_there_is() -> None:
    from benchmarks.cases import CASES

    page = (ROOT / "docs" / "performance.md").read_text()
    table = page.partition("## The hot paths")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")][1:]
    named = [re.findall(r"`([^`]+)`", cell) for row in rows for cell in row[1:3]]
    files = [name for names in named for name in names if name.endswith(".py")]
    missing = [name for name in files if not (ROOT / name).is_file() and not (ROOT / "reconciler" / name).is_file()]

    assert len(rows) > 10
    assert missing == []
    assert {name.strip() for row in rows for name in row[3].split(",")} <= {case.name for case in CASES}
