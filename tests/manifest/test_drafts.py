"""Manifests in the making: names, text that reads back as it was meant, and edits that touch nothing else."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifest.documents import Document, Source
from reconciler.manifest.drafts.draft import Draft
from reconciler.manifest.drafts.edits import Editor, applied
from reconciler.manifest.drafts.naming import LONGEST, Names, joined, slug
from reconciler.manifest.drafts.rows import Layout, Moves, rewritten
from reconciler.manifest.drafts.texts import comment, contacts_text, document_text
from reconciler.manifest.scalars import hidden_characters
from reconciler.manifest.variables import escaped
from reconciler.manifest.yaml import parse
from reconciler.masking import mask_text
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet

PIECES = (
    *("a", "no", "null", "1", "0", "+", "~", " ", "\n", "\t", "\r", ": ", "#", " #", "'", '"', "\\", "\\n"),
    *("{", "}", "[", "]", ",", "&", "*", "!", "|", ">", "-", "---", "\n---\n", "...", "%", "@", "`", "?", "=", "<<"),
    *("${var.x}", "$${var.x}", "$", "é", "中", "🎉", "👨‍👩‍👧", "\u00a0", "\u3000"),
)
TEXT = (st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(max_size=30)).filter(
    lambda t: not hidden_characters(t)
)


def only(text: str) -> Document:
    parsed = parse(Source(name="x.yaml", path="x.yaml", text=text))
    assert parsed.broken == []
    (document,) = parsed.documents
    assert document.flaws == ()
    return document


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Spring sale", "spring-sale"),
        ("  --VIP__2026!  ", "vip-2026"),
        ("Grüße", "grusse"),
        ("中文", ""),
        ("../../etc/passwd", "etc-passwd"),
        ("a" * 80, "a" * 63),
    ],
)
def test_names_read_like_what_they_name(text: str, name: str) -> None:
    assert slug(text) == name


@given(st.lists(st.text(max_size=80), max_size=12))
def test_every_name_is_possible_and_nobody_elses(texts: list[str]) -> None:
    names = Names(["list", "unnamed"])
    given_out = [names.take(slug(text), slug(f"List-{i}"), "list") for i, text in enumerate(texts)]
    assert len(set(given_out)) == len(given_out)
    for name in given_out:
        assert name
        assert len(name) <= LONGEST
        assert set(name) <= set(string.ascii_lowercase + string.digits + "-")
        assert name[0] != "-"
        assert mask_text(name) == name
        assert name not in {"list", "unnamed"}


def test_a_phone_number_is_no_name() -> None:
    assert Names().take(slug("615-555-0123"), "list-7") == "list-7"


@given(st.integers(1, 63), st.integers(1, 63))
def test_two_names_joined_fit(first: int, last: int) -> None:
    name = joined("a" * first, "b" * last, "--")
    assert len(name) <= LONGEST
    assert name.startswith("a")
    assert name.endswith("b")
    assert "--" in name


# --- text ------------------------------------------------------------------------------------------------------------


@given(TEXT, TEXT, st.booleans(), st.integers(0, 10**9))
def test_whatever_is_written_reads_back(one: str, other: str, flag: bool, number: int) -> None:
    fields: dict[str, Any] = {
        "name": one,
        "retries": {"mechanism": other, "count": number},
        "headers": [one, other, "phone" * 30],
        "flag": flag,
    }
    draft = Draft(
        key=(Kind.CAMPAIGN, RemoteId("1")),
        address=Address("main", Kind.CAMPAIGN, "no"),
        provider="exotel",
        fields=fields,
        pinned=RemoteId("0123"),
        notes=(one, other),
    )
    document = only(document_text(draft))
    assert document.data["metadata"] == {"name": "no", "account": "main"}
    assert document.data["spec"] == {
        "id": "0123",
        "name": escaped(one),
        "retries": {"mechanism": escaped(other), "count": number},
        "headers": [escaped(one), escaped(other), "phone" * 30],
        "flag": flag,
    }


@given(st.text(max_size=200))
def test_a_comment_stays_one(text: str) -> None:
    assert all(line.startswith("#") for line in comment(text).splitlines())


def test_contacts_are_data_whatever_a_spreadsheet_would_make_of_them() -> None:
    contacts = ContactSet.from_columns({"number": ["+12025550101"], "first_name": ['=HYPERLINK("x"),']})
    assert contacts_text(contacts) == 'number,first_name\n+12025550101,"=HYPERLINK(""x""),"\n'


# --- edits -----------------------------------------------------------------------------------------------------------

MANIFEST = """\
# ours
apiVersion: exotel/v1
kind: Campaign
metadata: {name: a, account: main}   # the first
spec:
  name: 'Spring sale'   # agreed
  caller_id: "08047112233"

  schedule: {send_at: "2099-01-01T00:00:00Z", end_at: x}   # Monday
  body: |-
    one

    two
  # nothing below
  retries:
    on_status:
      - busy
      - failed   # as well
    number_of_retries: 2
  tag: plain
"""


@pytest.mark.parametrize(
    ("path", "value", "before", "after"),
    [
        (("name",), "It's over: #1", "'Spring sale'", "'It''s over: #1'"),
        (("name",), "two\nlines", "'Spring sale'", '"two\\nlines"'),
        (("caller_id",), "08047112244", '"08047112233"', '"08047112244"'),
        (("tag",), "other", "tag: plain", "tag: other"),
        (("tag",), "no", "tag: plain", 'tag: "no"'),
        (("tag",), "${var.x}", "tag: plain", 'tag: "$${var.x}"'),
        (("schedule", "end_at"), "a, b", "end_at: x", 'end_at: "a, b"'),
        (("retries", "number_of_retries"), 3, "number_of_retries: 2", "number_of_retries: 3"),
        (("retries", "on_status"), ["busy", "no"], "- busy\n      - failed", '[busy, "no"]'),
        (("body",), "three\n# four", "one\n\n    two", "three\n    # four"),
        (("body",), "five", "|-\n    one\n\n    two", '"five"'),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_edit_changes_its_value_and_nothing_else(
    path: tuple[str, ...], value: Any, before: str, after: str, newline: str
) -> None:
    text = MANIFEST.replace("\n", newline)
    edit = Editor(only(text)).change(("spec", *path), value)
    assert edit is not None
    found = applied(text, [edit])
    assert found == MANIFEST.replace(before, after).replace("\n", newline)
    read: Any = only(found).data["spec"]
    for name in path:
        read = read[name]
    assert read == (escaped(value) if isinstance(value, str) else value)


def test_a_field_is_taken_out_or_put_in_with_its_line() -> None:
    editor = Editor(only(MANIFEST))
    gone, come = editor.drop(("spec", "caller_id")), editor.add_after(("spec", "name"), "flag", True)
    assert gone is not None
    assert come is not None
    expected = MANIFEST.replace('  caller_id: "08047112233"\n', "").replace("# agreed\n", "# agreed\n  flag: true\n")
    assert applied(MANIFEST, [gone, come]) == expected
    inside = editor.add_after(("spec", "schedule", "end_at"), "flag", True)
    assert inside is not None
    assert "end_at: x, flag: true}" in applied(MANIFEST, [inside])
    assert editor.drop(("spec", "schedule", "end_at")) is None
    assert editor.change(("spec", "nothing"), 1) is None


def test_the_second_document_of_a_file_is_edited_where_it_stands() -> None:
    text = f"{MANIFEST}---\n{MANIFEST}"
    _, second = parse(Source(name="x", path="x", text=text)).documents
    edit = Editor(second).change(("spec", "tag"), "other")
    assert edit is not None
    assert applied(text, [edit]) == f"{MANIFEST}---\n{MANIFEST.replace('tag: plain', 'tag: other')}"


@given(TEXT, TEXT, st.sampled_from(["plain", "'single'", '"double"', "|-\n    block\n    of lines"]))
def test_an_edited_value_reads_back(value: str, comment_text: str, style: str) -> None:
    text = f"spec:\n  before: 1\n  name: {style}\n  after: 2  # kept\n"
    edit = Editor(only(text)).change(("spec", "name"), value)
    assert edit is not None
    found = applied(text, [edit])
    assert only(found).data == {"spec": {"before": 1, "name": escaped(value), "after": 2}}
    assert found.endswith("  after: 2  # kept\n")


# --- rows ------------------------------------------------------------------------------------------------------------


def people(*numbers: str) -> ContactSet:
    return ContactSet.from_columns({"number": list(numbers)})


def test_rows_stay_where_and_as_they_are() -> None:
    text = '\ufeffremark;mobile\r\n"two\r\nlines";"(202) 555-0101"\r\n\r\nx;+12025550102\r\n;+12025550103'
    layout = Layout(columns={"number": "mobile"}, delimiter=";", region="US")
    assert rewritten(text, layout, Moves()) == text
    moved = rewritten(text, layout, Moves(gone=people("+12025550102"), come=people("+12025550104")))
    assert moved == text.replace("x;+12025550102\r\n", "") + "\r\n;+12025550104\r\n"
    assert rewritten(text, layout, Moves(gone=people("+12025550101"))) == text.replace(
        '"two\r\nlines";"(202) 555-0101"\r\n', ""
    )


def test_attributes_go_to_their_columns() -> None:
    text = "first_name,number,mine\nAnn,+12025550101,a\nBob,+12025550102,b\n"
    changed = ContactSet.from_columns({"number": ["+12025550102"], "first_name": ["Bo, b"]})
    come = ContactSet.from_columns({"number": ["+12025550103"], "first_name": ["Cy"], "city": ["Rome"]})
    assert rewritten(text, Layout(), Moves(changed=changed, come=come)) == (
        'first_name,number,mine\nAnn,+12025550101,a\n"Bo, b",+12025550102,b\nCy,+12025550103,\n'
    )
