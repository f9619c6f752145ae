"""Numbers that a provider cannot reach are told at their rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.manifest.load import load

ACCOUNT = """\
apiVersion: slicktext/v1
kind: Account
metadata: {name: main}
spec: {brandId: "1", auth: {apiKey: {env: KEY}}}
---
apiVersion: slicktext/v1
kind: List
metadata: {name: a}
spec: {name: Letters}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: m}
spec:
  list: a
  mode: additive
"""


def test_a_number_of_another_country_is_told_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    numbers = ("+12025550101", "+442079460000", "+442079460001")
    rows = "  contacts:\n" + "".join(f'    - {{number: "{n}"}}\n' for n in numbers)
    Path("m.yaml").write_text(ACCOUNT + rows)
    found = load([Path()]).diagnostics
    assert [(d.code, d.source.line if d.source else 0) for d in found] == [
        ("slicktext-not-us-ca", 19),
        ("slicktext-not-us-ca", 20),
    ]
    assert all("9460000" not in d.message + d.hint + d.excerpt for d in found)


def test_one_in_a_file_is_told_at_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.csv").write_text("number\n+12025550101\n+442079460000\n")
    Path("m.yaml").write_text(ACCOUNT + "  contactsFrom: [{file: c.csv}]\n")
    (problem,) = load([Path()]).diagnostics
    assert problem.code == "slicktext-not-us-ca"
    assert "1 of the numbers" in problem.message
