"""Numbers that a provider cannot reach are told at their rows."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from reconciler.manifest.findings import LISTED
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


def told(*, code: str = "slicktext-not-us-ca") -> list[str]:
    return [str(d.source) for d in load([Path()]).diagnostics if d.code == code and "cannot reach" in d.message]


@pytest.mark.parametrize("written", ["+442079460000", "020 7946 0000"])
def test_one_in_a_file_is_told_at_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("people").mkdir()
    Path("people/c.csv").write_text(f'mobile,first\n+12025550101,"An\nna"\n{written},Bo\n+12025550102,Cy\n')
    file = "{file: people/c.csv, columns: {number: mobile}, defaultRegion: GB}"
    Path("m.yaml").write_text(ACCOUNT + f"  contactsFrom: [{file}]\n")
    (problem,) = load([Path()]).diagnostics
    assert problem.code == "slicktext-not-us-ca"
    assert str(problem.source).startswith("people/c.csv:4")
    assert "7946" not in problem.message + problem.hint + problem.excerpt


@pytest.mark.parametrize("suffix", ["csv.gz", "ndjson", "parquet"])
def test_files_of_every_format_have_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.chdir(tmp_path)
    numbers = ["+12025550101", "+442079460000", "+12025550102"]
    match suffix:
        case "csv.gz":
            Path(f"c.{suffix}").write_bytes(gzip.compress("\n".join(["number", *numbers]).encode()))
        case "ndjson":
            Path(f"c.{suffix}").write_text("".join(f'{{"number": "{n}"}}\n' for n in numbers))
        case _:
            pl.DataFrame({"number": numbers}).write_parquet(f"c.{suffix}")
    Path("m.yaml").write_text(ACCOUNT + f"  contactsFrom: [{{file: c.{suffix}}}]\n")
    (place,) = told()
    line = {"csv.gz": 3, "ndjson": 2, "parquet": 2}[suffix]
    assert place.startswith(f"c.{suffix}:{line}")


def test_rows_in_both_places_are_told_and_a_national_number_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.csv").write_text("number\n+442079460001\n")
    rows = '  defaultRegion: US\n  contacts: [{number: "(202) 555-0101"}, {number: "+442079460000"}]\n'
    Path("m.yaml").write_text(ACCOUNT + rows + "  contactsFrom: [{file: c.csv}]\n")
    assert [place.rpartition(":")[0] for place in told()] == ["c.csv:2", "m.yaml:18"]


def test_of_very_many_the_first_are_told_and_all_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.csv").write_text("number\n" + "".join(f"+44207946{n:04}\n" for n in range(LISTED + 37)))
    Path("m.yaml").write_text(ACCOUNT + "  contactsFrom: [{file: c.csv}]\n")
    found = load([Path()]).diagnostics
    assert len(told()) == LISTED
    assert [d.message for d in found if f"{LISTED + 37} of the numbers are not of the US" in d.message]
