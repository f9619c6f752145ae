"""Every broken manifest gives exactly the codes and lines that its first line names, and raises nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.manifest.codes import CODES
from reconciler.manifest.load import LoadOptions, load

HERE = Path(__file__).parent
CASES = sorted((HERE / "bad").glob("*.yaml"))
BASE = HERE / "good" / "base.yaml"
SECRET = "sk-live-0123456789abcdef"


def expected(text: str) -> list[tuple[str, int]]:
    """``# expect: code@line, code@line`` of the first line."""
    first = text.partition("\n")[0].removeprefix("# expect: ")
    return sorted((code, int(line)) for code, line in (item.split("@") for item in first.split(", ")))


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.stem)
def test_a_broken_manifest_is_told_by_code_and_line(case: Path) -> None:
    text = case.read_text()
    paths = [case] if text.splitlines()[1] == "# alone" else [BASE, case]
    loaded = load(paths, LoadOptions(providers={}))
    assert loaded.desired is None
    assert sorted((d.code, d.source.line) for d in loaded.diagnostics if d.source) == expected(text)
    for d in loaded.diagnostics:
        told = f"{d.message} {d.hint} {d.excerpt}"
        assert d.code in CODES
        assert d.source is not None
        assert d.source.file.endswith(case.name)
        assert 1 <= d.source.column <= len(text.splitlines()[d.source.line - 1]) + 1 if d.source.line > 1 else True
        assert SECRET not in told
        assert not re.search(r"6155550\d|0712345671|95420|Marty", told)


def test_the_corpus_is_large_and_covers_what_only_a_manifest_can_get_wrong() -> None:
    told = {code for case in CASES for code, _ in expected(case.read_text())}
    elsewhere = {code for code in CODES if code.startswith("contact-file")}
    assert len(CASES) >= 70
    assert set(CODES) - told - elsewhere <= {
        "contact-duplicate",
        "contact-duplicate-differs",
        "file-too-large",
        "file-unreadable",
        "lifecycle-path-not-found",
        "no-manifests",
        "policy-selects-nothing",
        "project-above",
        "too-long",
        "too-many",
        "bad-value",
        "unknown-environment",
        "yaml-document-too-large",
        "yaml-not-utf8",
    }
