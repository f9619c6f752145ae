"""What a diagnostic quotes: enough to find the place, and nothing that must not be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.diagnostics import Diagnostic
from reconciler.manifest.findings import LISTED
from reconciler.manifest.load import LoadOptions, load
from reconciler.masking import BULLET

HEAD = "apiVersion: slicktext/v1\nkind: Membership\nmetadata: {name: a}\nspec:\n  list: {id: 5}\n  mode: exact\n"
ACCOUNT = "apiVersion: slicktext/v1\nkind: Account\nmetadata: {name: main}\nspec:\n  brandId: 1\n"
OKAY = "  auth: {apiKey: {env: KEY}}\n"


def found(folder: Path, text: str, *, show_pii: bool = False) -> tuple[Diagnostic, ...]:
    (folder / "a.yaml").write_text(text)
    return load([folder], LoadOptions(providers={}, show_pii=show_pii)).diagnostics


def under(diagnostic: Diagnostic) -> str:
    """What is underlined."""
    assert diagnostic.source is not None
    start = diagnostic.source.column - 1
    return diagnostic.excerpt[start : start + diagnostic.source.length]


def test_the_place_is_underlined_exactly(tmp_path: Path) -> None:
    (told,) = found(tmp_path, ACCOUNT + OKAY + "  colour: red\n")
    assert (told.excerpt, under(told)) == ("  colour: red", "colour")
    (told,) = found(tmp_path, ACCOUNT.replace("brandId: 1", "brandId: x1") + OKAY)
    assert under(told) == "x1"


def test_numbers_are_masked_where_they_stand(tmp_path: Path) -> None:
    text = ACCOUNT + OKAY + "---\n" + HEAD + "  contacts:\n  - {number: +16155550123, first_name: Marty}\n"
    (told,) = found(tmp_path, text)
    assert told.excerpt == f"  - {{number: +1615{BULLET * 5}23, first_name: {BULLET * 5}}}"
    assert len(under(told)) == len("+16155550123")
    (told,) = found(tmp_path, text, show_pii=True)
    assert told.excerpt == "  - {number: +16155550123, first_name: Marty}"


@pytest.mark.parametrize("number", ["0712345671", "615.555.0123", "5550123", "(615) 555 0123", "911"])
def test_every_spelling_of_a_number_is_masked(tmp_path: Path, number: str) -> None:
    text = ACCOUNT + OKAY + "---\n" + HEAD + f"  contacts:\n  - {{number: '{number}', colour: 5}}\n"
    for told in found(tmp_path, text):
        assert number not in told.excerpt + told.message + told.hint
        assert number[-4:] not in told.excerpt


def test_numbers_in_messages_are_masked(tmp_path: Path) -> None:
    (told,) = found(tmp_path, ACCOUNT + OKAY + "  '+16155550123': x\n")
    assert "6155550123" not in told.message + told.excerpt


@pytest.mark.parametrize(
    "auth",
    [
        "  auth: {apiKey: hunter2hunter2}\n",
        "  auth: {apiKey: [hunter2hunter2]}\n",
        "  auth: {apiKey: {literal: hunter2hunter2}}\n",
        "  auth: {apiKey: {env: hunter2hunter2 x}}\n",
        "  auth: {apiKey: |\n    hunter2hunter2\n  }\n",
        "  auth:\n    apiKey: |\n      hunter2hunter2\n",
        "  auth:\n    apiKey: {env: KEY}\n    apiToken: hunter2hunter2\n",
        "  auth:\n    apiKey: !mine hunter2hunter2\n",
        "  auth:\n    apiKey: &x hunter2hunter2\n",
        "  auth: {apiKey: {env: KEY}}\n  apiKey: hunter2hunter2\n",
        "  auth: {apiKey: {env: KEY}}\n  password: 'hunter2hunter2', x: 5\n",
        "  auth: {apiKey: 'hunter2hunter2\n",
        "  auth: hunter2hunter2\n",
        "  auth: {apiKey: {env: KEY}}\n  baseUrl: https://a:hunter2@hunter2@dev.slicktext.com\n",
    ],
)
def test_secrets_are_never_quoted(tmp_path: Path, auth: str) -> None:
    for show_pii in (False, True):
        told = found(tmp_path, ACCOUNT + auth, show_pii=show_pii)
        assert told
        assert "hunter2" not in str(told)


def test_a_document_with_contacts_that_cannot_be_read_is_not_quoted(tmp_path: Path) -> None:
    text = ACCOUNT + OKAY + "---\n" + HEAD + "  contacts:\n  - {number: '1', first_name: Marty\n"
    (told,) = found(tmp_path, text)
    assert (told.code, told.excerpt) == ("yaml-syntax", "")


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (told,) = found(tmp_path, ACCOUNT + OKAY + '  "\\e[2Jcolour": red\n')
    assert "\x1b" not in str(told.message) + told.excerpt


def test_long_lines_are_cut(tmp_path: Path) -> None:
    (told,) = found(tmp_path, ACCOUNT + OKAY + f"  colour: {'x' * 5_000}\n")
    assert told.excerpt.startswith("  colour: xxx")
    assert len(told.excerpt) == 160
    (told,) = found(tmp_path, ACCOUNT + OKAY + f"  {'x' * 100}: {{colour: red}}\n")
    assert told.source is not None
    assert told.source.column == 3


def test_very_many_problems_of_one_kind_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"  - {{number: +1615555{i:04}, zip: 5}}\n" for i in range(3_000))
    told = found(tmp_path, ACCOUNT + OKAY + "---\n" + HEAD + "  contacts:\n" + rows)
    assert len(told) == LISTED + 1
    assert told[-1].message == "… and 5,900 more like this in this document"
    assert told[-1].source is not None
    assert told[-1].source.line > 50


def test_one_mistake_is_one_problem(tmp_path: Path) -> None:
    (told,) = found(tmp_path, ACCOUNT + "  atuh: {apiKey: {env: KEY}}\n")
    assert (told.code, told.hint) == ("unknown-field", 'did you mean "auth"?')
