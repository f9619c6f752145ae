"""``fmt`` as people and pre-commit use it: in place, looking only, and as a filter."""

from __future__ import annotations

import io
import os
import stat
from types import SimpleNamespace

import pytest

from repository import Repository

MESSY = """\
# Our lists
kind: List
apiVersion: slicktext/v1
metadata:   {name: join}   # ours
spec: { name: Join,description: "0712" }
"""
TIDY = """\
# Our lists
apiVersion: slicktext/v1
kind: List
metadata: {name: join}     # ours
spec: {name: Join, description: "0712"}
"""
MEMBERS = """\
apiVersion: slicktext/v1
kind: Membership
metadata: {name: join-members}
spec:
  list: join
  mode: exact
  contacts:
  - {number: "+12025550143", first_name: Marty}
"""


def text(repository: Repository, name: str) -> str:
    return (repository.root / "manifests" / name).read_bytes().decode()


def test_files_are_formatted_in_place_and_keep_their_mode(texts: Repository) -> None:
    texts.write("lists.yaml", MESSY)
    path = texts.root / "manifests/lists.yaml"
    path.chmod(0o640)
    before = texts("plan", "--format", "json").json["changes"]
    found = texts("fmt")
    assert (found.code, found.out) == (0, "~ manifests/lists.yaml\n1 file formatted, 2 as they should be.\n")
    assert text(texts, "lists.yaml") == TIDY
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(p.name for p in path.parent.iterdir()) == ["account.yaml", "lists.yaml"]
    again = texts("fmt")
    assert (again.code, again.out) == (0, "0 files formatted, 3 as they should be.\n")
    after = texts("plan", "--format", "json").json["changes"]
    assert [c | {"source": None} for c in after] == [c | {"source": None} for c in before]


def test_check_and_diff_write_nothing_and_end_with_2(texts: Repository) -> None:
    texts.write("lists.yaml", MESSY)
    checked = texts("fmt", "--check")
    assert (checked.code, checked.out) == (2, "~ manifests/lists.yaml\n1 file to format, 2 as they should be.\n")
    shown = texts("fmt", "--diff")
    assert shown.code == 2
    assert "+apiVersion: slicktext/v1\n kind: List" in shown.out
    assert '-spec: { name: Join,description: "0712" }' in shown.out
    assert text(texts, "lists.yaml") == MESSY
    assert texts("fmt", "--check", "reconciler.yaml", "manifests/account.yaml").code == 0


def test_a_path_is_formatted_and_nothing_beside_it(texts: Repository) -> None:
    texts.write("a/lists.yaml", MESSY)
    texts.write("b/lists.yaml", MESSY.replace("join", "other"))
    assert texts("fmt", "manifests/a").out.startswith("~ manifests/a/lists.yaml\n1 file")
    assert text(texts, "a/lists.yaml") == TIDY
    assert text(texts, "b/lists.yaml") == MESSY.replace("join", "other")
    assert texts("fmt", "nowhere").code == 64


def test_a_diff_shows_nobody(texts: Repository) -> None:
    texts.write("members.yaml", MEMBERS)
    shown = texts("fmt", "--diff")
    assert shown.code == 2
    assert "+    - {number:" in shown.out
    assert "5550143" not in shown.out
    assert "Marty" not in shown.out
    assert "5550143" in texts("fmt", "--diff", "--show-pii").out


def test_what_cannot_be_read_stays_and_the_others_are_formatted(texts: Repository) -> None:
    texts.write("lists.yaml", MESSY)
    broken = 'apiVersion: slicktext/v1\nkind:   List\nspec: {name: "x}\n'
    changed = "kind: List\napiVersion: slicktext/v1\nspec:   {name: +12025550143}\n"
    texts.write("broken.yaml", broken)
    texts.write("changed.yaml", changed)
    found = texts("fmt")
    assert found.code == 3
    assert "manifests/broken.yaml:3:" in found.err
    assert "error[yaml-changed-value]" in found.err
    assert "5550143" not in found.out + found.err
    assert text(texts, "broken.yaml") == broken
    assert text(texts, "changed.yaml") == changed
    assert text(texts, "lists.yaml") == TIDY
    assert texts("fmt", "--check").code == 3


def test_stdin_goes_to_stdout_to_the_byte(texts: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def piped(content: str, *words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content.encode()), isatty=lambda: False))
        found = texts("fmt", "-", *words)
        return found.code, found.out, found.err

    assert piped(MESSY) == (0, TIDY, "")
    assert piped(MESSY.replace("\n", "\r\n")) == (0, TIDY.replace("\n", "\r\n"), "")
    assert piped(MESSY, "--check")[0] == 2
    assert piped(TIDY, "--check")[0] == 0
    code, out, err = piped("a: [b\n")
    assert (code, out) == (3, "")
    assert "<stdin>:" in err
    assert piped(MESSY, "manifests")[0] == 64


def test_what_has_no_form_is_told_and_stays(texts: Repository) -> None:
    odd = f"apiVersion: slicktext/v1\nkind:   List\nmetadata:\n  ? {'k' * 2000}\n  : v\n"
    texts.write("odd.yaml", odd)
    found = texts("fmt")
    assert found.code == 3
    assert "manifests/odd.yaml:1:1: error[format-refused]" in found.err
    assert text(texts, "odd.yaml") == odd
    texts.write("odd.yaml", "null\n")
    assert "error[format-refused]" in texts("fmt").err
    assert text(texts, "odd.yaml") == "null\n"


def test_a_number_in_a_name_is_hidden(texts: Repository) -> None:
    texts.write("+12025550143.yaml", MESSY)
    assert "5550143" not in texts("fmt", "--diff").out


def test_json_says_which_files(texts: Repository) -> None:
    texts.write("lists.yaml", MESSY)
    found = texts("fmt", "--check", "--format", "json")
    assert found.code == 2
    assert {f["path"]: f["changed"] for f in found.json["files"]} == {
        "reconciler.yaml": False,
        "manifests/account.yaml": False,
        "manifests/lists.yaml": True,
    }


def test_a_file_that_cannot_be_written_is_told(texts: Repository) -> None:
    texts.write("lists.yaml", MESSY)
    (texts.root / "manifests" / f".lists.yaml.{os.getpid()}").mkdir()  # in the way of the new file
    found = texts("fmt")
    assert found.code == 3
    assert "manifests/lists.yaml cannot be written" in found.err
    assert text(texts, "lists.yaml") == MESSY
