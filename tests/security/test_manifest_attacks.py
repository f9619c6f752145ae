"""Manifests that were written to break whoever reads them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from attacks import MAX_RSS_MIB, Attacked, a_list, measured, members
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import survives

from reconciler.manifest.documents import Source
from reconciler.manifest.files import decode
from reconciler.manifest.yaml import parse

from repository import Repository

Attack = Callable[..., Attacked]


@survives("S001")
@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\nd: [*c, *c, *c]\n",
        "&root {a: *root}\n",
        a_list("&name Join") + "---\n" + a_list("*name"),
    ],
    ids=["bomb", "circle", "across documents"],
)
def test_s001_aliases_are_refused(attack: Attack, bomb: str) -> None:
    result = attack(bomb)
    assert result.code == 3
    assert any("yaml" in code for code in result.codes), result.said


@survives("S001")
def test_s001_a_bomb_of_twenty_levels_takes_no_memory(texts: Repository) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 20)]
    texts.write("bomb.yaml", "\n".join(levels) + "\n")
    code, said, _, mib = measured(texts.root, "validate")
    assert (code, "Traceback" in said) == (3, False)
    assert mib < MAX_RSS_MIB


@survives("S002")
@pytest.mark.parametrize("deep", [51, 1_100, 20_000, 400_000])
@pytest.mark.parametrize("form", ["flow", "block", "mapping"])
def test_s002_nesting_is_refused(attack: Attack, deep: int, form: str) -> None:
    text = {"flow": "[" * deep + "]" * deep, "block": "- " * deep + "x", "mapping": "{a: " * deep + "}" * deep}[form]
    assert attack(f"a:\n  {text}\n").code == 3


@survives("S003")
def test_s003_a_sparse_file_of_two_gigabytes_is_not_read(texts: Repository) -> None:
    path = texts.root / "manifests" / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    Attacked.run(texts).refused("file-too-large")


@survives("S003")
@pytest.mark.parametrize(
    "text",
    ["a: " + "x" * (2 << 20), "# " + "x" * (2 << 20) + "\na: 1\n", "a: '" + "\n" * (2 << 20) + "'"],
    ids=["line", "comment", "blank lines"],
)
def test_s003_a_document_over_its_size_is_refused(attack: Attack, text: str) -> None:
    assert "yaml-document-too-large" in attack(text).codes


@survives("S003")
@pytest.mark.parametrize("separator", ["---\n", "--- {}\n", "...\n"])
def test_s003_a_million_documents_are_not_even_begun(attack: Attack, separator: str) -> None:
    attack(separator * 1_000_000).refused("file-too-large")


@survives("S003")
@pytest.mark.parametrize("separator", ["--- {}\n", "...\n"])
def test_s003_tens_of_thousands_of_broken_documents_are_counted_not_quoted(texts: Repository, separator: str) -> None:
    texts.write("many.yaml", separator * 40_000)
    code, said, seconds, mib = measured(texts.root, "validate")
    assert code == 3
    assert "Traceback" not in said
    assert "more like this in this file" in said
    assert len(said) < 1 << 20
    assert seconds < 15
    assert mib < MAX_RSS_MIB


@survives("S004")
@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['touch owned']",
        "!!binary aGVsbG8=",
        "!!set {a, b}",
        "!!str 12",
        "!custom x",
        "!<tag:example.com,2026:x> x",
        "! x",
    ],
)
def test_s004_tags_are_refused(attack: Attack, texts: Repository, value: str) -> None:
    result = attack(a_list(f'"Join"\n  , description: {value}'))
    assert result.code == 3
    assert "yaml-tag" in result.codes, result.said
    assert not (texts.root / "owned").exists()


@survives("S005")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{name: Join, name: Other}", "yaml-duplicate-key"),
        ('{name: Join, "name": Other}', "yaml-duplicate-key"),
        ("{name: Join, <<: {description: x}}", "yaml-merge-key"),
    ],
)
def test_s005_a_key_stands_once_and_merges_nothing(attack: Attack, text: str, code: str) -> None:
    result = attack(a_list().replace("{name: Join}", text))
    assert result.code == 3
    assert code in result.codes, result.said


@survives("S006")
@pytest.mark.parametrize(
    "written", ["+16155550123", "16155550123", "0123456701", "1_615_555_0123", "1.6155550123e10", "0x3C3A", "21:00"]
)
def test_s006_a_number_that_yaml_would_change_is_refused(attack: Attack, written: str) -> None:
    result = attack(members(f"[{{number: {written}}}]"))
    assert result.code == 3
    assert "quotes" in result.said
    assert "6155550123" not in result.said


@survives("S007")
@pytest.mark.parametrize(
    "content",
    [
        a_list().encode("utf-16"),
        a_list().encode("utf-16-le"),
        a_list().encode("utf-32"),
        a_list("J\u00e9").encode("latin-1"),
        a_list().encode() + b"\x00",
        a_list("Jo\ufeffin").encode(),
        b"\xed\xa0\x80: 1",
        b"\xff\xfe",
    ],
    ids=["utf-16", "utf-16-le", "utf-32", "latin-1", "nul", "bom inside", "surrogate", "bom alone"],
)
def test_s007_what_is_no_plain_utf8_is_refused(attack: Attack, content: bytes) -> None:
    assert attack(content).code == 3


@survives("S007")
def test_s007_a_byte_order_mark_before_utf8_does_no_harm(attack: Attack) -> None:
    assert attack(b"\xef\xbb\xbf" + a_list().encode()).code == 0


@survives("S007")
@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=200) | st.text(alphabet="&*!{}[]:-\n\"' \t<?|>%@`a1~", max_size=80).map(str.encode))
def test_s007_any_bytes_are_documents_or_problems(content: bytes) -> None:
    source, flaws = decode("x.yaml", "x.yaml", content)
    parsed = parse(source)
    assert isinstance(source, Source)
    assert (
        parsed.documents
        or parsed.broken
        or flaws
        or not source.text.strip()
        or source.text.strip()[:1] in "#%-.!&~n\"'"
    )


HIDDEN = [
    "\u202e",
    "\u2066",
    "\u200b",
    "\u2060",
    "\u00ad",
    "\ue000",
    "\u0378",
    "\u0085",
    "\u2028",
    "\x1b",
    "\x07",
    "\x7f",
]


@survives("S008")
@pytest.mark.parametrize("char", HIDDEN, ids=[f"U+{ord(c):04X}" for c in HIDDEN])
@pytest.mark.parametrize("escaped", [False, True], ids=["raw", "escaped"])
def test_s008_hidden_characters_in_names_are_refused(attack: Attack, char: str, escaped: bool) -> None:
    written = f"\\u{ord(char):04x}" if escaped else char
    result = attack(a_list(f'"Jo{written}in"'))
    assert result.code == 3, result.said
    assert char not in result.said


@survives("S008")
@pytest.mark.parametrize("char", HIDDEN, ids=[f"U+{ord(c):04X}" for c in HIDDEN])
def test_s008_and_so_are_those_that_a_variable_brings(texts: Repository, char: str) -> None:
    texts.write("list.yaml", a_list('"Join ${var.name}"'))
    assert texts("validate", "--var", f"name=a{char}b").code in (3, 64)


@survives("S010")
@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../outside",
        "manifests/../../outside",
        "/etc",
        "~",
        "~root",
        "C:/manifests",
        "C:\\manifests",
        "file:///etc",
        "https://evil.example/manifests",
        "..\\\\outside",
        "\\\\host\\share",
    ],
)
def test_s010_a_project_names_manifests_inside_itself_only(texts: Repository, path: str) -> None:
    (texts.root.parent / "outside").mkdir()
    (texts.root.parent / "outside" / "list.yaml").write_text(a_list("Outside"))
    project = texts.root / "reconciler.yaml"
    project.write_text(project.read_text().replace("[manifests]", f"[manifests, '{path}']"))
    result = Attacked.run(texts)
    assert result.code == 3
    assert "path-outside-project" in result.codes, result.said
    assert "Outside" not in result.said


@survives("S011")
@pytest.mark.parametrize("kind", ["file", "folder", "chain"])
def test_s011_links_out_of_the_project_are_refused(texts: Repository, kind: str) -> None:
    outside = texts.root.parent / "outside"
    outside.mkdir()
    (outside / "list.yaml").write_text("canary-content: [\n")
    target = {"file": outside / "list.yaml", "folder": outside, "chain": texts.root / "hop"}[kind]
    if kind == "chain":
        target.symlink_to(outside)
    (texts.root / "manifests" / ("in" if kind != "file" else "in.yaml")).symlink_to(target)
    result = Attacked.run(texts)
    result.refused("path-outside-project")
    assert "canary-content" not in result.said


@survives("S011")
def test_s011_links_in_a_circle_end(texts: Repository) -> None:
    manifests = texts.root / "manifests"
    (manifests / "loop").symlink_to(manifests)
    (manifests / "self.yaml").symlink_to("self.yaml")
    assert Attacked.run(texts).code in (0, 3)


@survives("S012")
@pytest.mark.parametrize("name", ["pipe.yaml", "zero.yaml", "environ.yaml"])
def test_s012_what_is_no_regular_file_is_not_opened(texts: Repository, name: str) -> None:
    path = texts.root / "manifests" / name
    if name == "pipe.yaml":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if name == "zero.yaml" else "/proc/self/environ")
    result = Attacked.run(texts)
    assert result.code == 3
    assert result.codes <= {"file-unreadable", "path-outside-project"}
    assert "PATH=" not in result.said


@survives("S012")
@pytest.mark.parametrize("path", ["/dev/zero", "/proc/self/environ", "/dev/stdin"])
def test_s012_not_even_when_it_is_named(texts: Repository, path: str) -> None:
    result = texts("validate", path)
    assert result.code in (3, 64)
    assert "PATH=" not in result.err + result.out


@survives("S013")
def test_s013_a_file_that_is_swapped_for_a_link_is_never_read_through_it(texts: Repository) -> None:
    """What is checked is what was opened: whatever the moment of the swap, the secret is never in the result."""
    (texts.root.parent / "secret").write_text("canary-content: [\n")
    path, spare = texts.root / "manifests" / "swapped.yaml", texts.root / "spare"
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            spare.unlink(missing_ok=True)
            spare.symlink_to(texts.root.parent / "secret")
            spare.replace(path)
            spare.write_text(a_list("Swapped"))
            spare.replace(path)

    path.write_text(a_list("Swapped"))
    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        codes = {texts("validate").code for _ in range(40)}
    finally:
        stop.set()
        swapping.join()
    assert codes <= {0, 3}
    assert "canary-content" not in "".join(texts.said)


@survives("S014")
def test_s014_folders_without_end_are_not_followed(texts: Repository) -> None:
    folder = texts.root / "manifests"
    for _ in range(60):
        folder = folder / "d"
    folder.mkdir(parents=True)
    (folder / "list.yaml").write_text(a_list())
    assert Attacked.run(texts).code == 3


@survives("S015")
@pytest.mark.parametrize("key", ["$ref", "$schema", "$include", "include", "extends"])
def test_s015_nothing_is_fetched_because_a_manifest_names_it(attack: Attack, texts: Repository, key: str) -> None:
    result = attack(a_list() + f'"{key}": {texts.sandbox.url}/manifest.yaml\n')
    assert result.code == 3
    assert texts.sandbox.requests() == []


@survives("S025")
def test_s025_patterns_of_users_cannot_run_away(texts: Repository) -> None:
    """Selectors are globs; the classical runaway pattern for those is a row of stars."""
    documents = [a_list().replace("name: join", f"name: {'a' * 50}{i}", 1) for i in range(20)]
    texts.write("lists.yaml", "---\n".join(documents))
    code, said, seconds, _ = measured(texts.root, "plan", "--select", "main/List/" + "*a" * 24 + "b")
    assert "Traceback" not in said
    assert seconds < 10, (code, said)


@survives("S026")
@pytest.mark.parametrize("field", ["exec", "hooks", "plugins", "generator", "preApply"])
@pytest.mark.parametrize("where", ["project", "list"])
def test_s026_manifests_have_no_place_for_code(texts: Repository, field: str, where: str) -> None:
    if where == "project":
        path = texts.root / "reconciler.yaml"
        path.write_text(path.read_text().replace("spec: {", f"spec: {{{field}: ['touch owned'], "))
    else:
        texts.write("list.yaml", a_list(f'Join, {field}: ["touch owned"]'))
    assert Attacked.run(texts).code == 3
    assert not (texts.root / "owned").exists()


@survives("S078")
@pytest.mark.parametrize(
    "name", ["reconciler_provider", "sitecustomize", "conftest", "yaml", "httpx", "polars", "acme"]
)
def test_s078_no_code_in_the_repository_is_run(texts: Repository, name: str) -> None:
    """Modules lying about in the working folder shadow nothing, whatever they are called."""
    for folder in (texts.root, texts.root / "manifests"):
        (folder / f"{name}.py").write_text("open('owned', 'w')\n")
    (texts.root / "manifests" / "x.dist-info").mkdir()
    (texts.root / "manifests" / "x.dist-info" / "entry_points.txt").write_text(
        f"[reconciler.providers]\nacme = {name}:PROVIDER\n"
    )
    texts.write("list.yaml", a_list())
    script = Path(os.path.realpath(os.sys.executable))
    assert script.exists()
    assert texts("plan").code == 0
    assert not (texts.root / "owned").exists()
