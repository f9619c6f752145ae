"""The one form of manifests: what it changes, what it never touches, and who a comment stays with."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from reconciler.manifest.files import decode
from reconciler.manifest.formatting.form import CannotFormat, formatted
from reconciler.manifest.formatting.printing import WIDTH
from reconciler.manifest.yaml import parse


def form(text: str) -> str:
    source, flaws = decode("m.yaml", "m.yaml", text.encode())
    parsed = parse(source)
    assert not flaws
    assert not parsed.broken
    return formatted(source, parsed.documents)


def inside(text: str) -> str:
    """The form of a spec, without what stands around it."""
    head = "apiVersion: x/v1\nkind: List\nspec:\n"
    found = form(head + indent(dedent(text).removeprefix("\n"), "  "))
    assert found.startswith(head)
    return dedent(found.removeprefix(head))


def test_the_envelope_has_its_order_and_the_rest_stays_as_written() -> None:
    messy = """\
---

# About the file.

spec:
   mode: exact   # required
   contacts:
   # the boss
   - { number: "+12025550143" ,first_name: 'Marty' }

   - {number: '+12025550144',
      first_name: NOT}   # no reader asks
   # the end of the people
   list: join
# about the kind
kind: Membership
metadata: {name: join-members}
apiVersion: slicktext/v1
...
---   # next
{apiVersion: slicktext/v1, kind: List, metadata: {name: join}, spec: {name: Join}}
"""
    assert (
        form(messy)
        == """\
# About the file.

apiVersion: slicktext/v1
# about the kind
kind: Membership
metadata: {name: join-members}
spec:
  mode: exact    # required
  contacts:
    # the boss
    - {number: "+12025550143", first_name: 'Marty'}

    - {number: '+12025550144', first_name: NOT}  # no reader asks
  # the end of the people
  list: join
---
# next
apiVersion: slicktext/v1
kind: List
metadata: {name: join}
spec: {name: Join}
"""
    )


@pytest.mark.parametrize(
    "text",
    [
        '"+12025550143"',
        "'0712345671'",
        '"21:00"',
        '"NO"',
        '"007"',
        "95420",
        "true",
        "1.50",
        '"\\u00e9"',
        "${var.region}",
    ],
)
def test_a_scalar_keeps_its_characters(text: str) -> None:
    assert inside(f"name:   {text}\n") == f"name: {text}\n"


def test_a_document_without_an_envelope_keeps_its_order() -> None:
    assert form("spec: {a: b}\nkind: x\n") == "spec: {a: b}\nkind: x\n"


def test_braces_become_a_block_when_they_do_not_fit() -> None:
    room = WIDTH - len("  name: {a: , b: b}")
    fits, wide = "x" * room, "x" * (room + 1)
    assert inside(f"name: {{a: {fits},\n b: b}}\n") == f"name: {{a: {fits}, b: b}}\n"
    assert inside(f"name: {{a: {wide}, b: b}}\n") == f"name:\n  a: {wide}\n  b: b\n"
    assert inside(f"name: [{{a: {wide}xx, b: b}}]  # c\n") == f"name:  # c\n  - a: {wide}xx\n    b: b\n"


def test_braces_with_comments_become_a_block() -> None:
    found = inside("""
        name: { # why
          a: b, # one
          # two
          c: [ ] # three
          # four
        } # five
        """)
    assert found == dedent("""\
        name:  # five
          # why
          a: b  # one
          # two
          c: []  # three
          # four
        """)


def test_blank_lines_part_and_do_not_pile_up() -> None:
    assert inside("\n\na: b\n\n\n# c\n\nd:\n\n  e: f\n\n\n") == "a: b\n\n# c\n\nd:\n  e: f\n"


def test_aligned_comments_stay_aligned() -> None:
    text = "a: b         # one\nlong: value  # two\n"
    assert inside(text) == text
    assert inside("a:   b # one\n") == "a: b   # one\n"
    assert inside("a: b # one\n") == "a: b  # one\n"


def test_texts_of_several_lines_keep_what_they_say() -> None:
    text = "a: |\n    one\n      two  \n\n    three\n\n\nb: >-\n folded\n text\nc: |+\n  kept\n\n\nd: e\n"
    same = "a: |\n  one\n    two  \n\n  three\n\nb: >-\n  folded\n  text\nc: |+\n  kept\n\n\nd: e\n"
    assert inside(text) == same
    assert inside("a: |2\n    deep\n  less\n") == "a: |2\n    deep\n  less\n"
    assert inside("a: 'one\n     two'\nb: plain\n    text\n") == "a: 'one\n  two'\nb: plain\n  text\n"
    assert inside("a: |\n    no line end") == "a: |-\n  no line end\n"


def test_lists_are_indented_and_comments_know_whose_they_are() -> None:
    found = inside("""
        a:
        - b
        # about c
        c:
        -
          - d # of d
          - e
          # the end of the list
        """)
    assert found == dedent("""\
        a:
          - b
        # about c
        c:
          - - d  # of d
            - e
            # the end of the list
        """)


def test_a_comment_between_a_dash_and_its_item_goes_above() -> None:
    assert inside("a:\n  - # why\n    b: c\n") == "a:\n  # why\n  - b: c\n"
    assert inside("a:\n  - b: # why\n      c\n") == "a:\n  # why\n  - b: c\n"
    assert inside("a: # why\n  b\n") == "# why\na: b\n"
    assert inside("a: # why\n  b: c\n") == "a:  # why\n  b: c\n"


def test_a_file_of_comments_stays_one() -> None:
    assert form("\n# only\n\n\n  # comments  \n") == "# only\n\n# comments\n"
    assert form("") == ""
    assert form("---\n") == ""


def test_line_ends_are_those_of_the_first_line_and_the_mark_goes() -> None:
    assert form("apiVersion: x\r\nkind: z\n") == "apiVersion: x\r\nkind: z\r\n"
    assert form("apiVersion: x\nkind: z\r\n\r\n") == "apiVersion: x\nkind: z\n"
    assert form("\ufeffapiVersion: x") == "apiVersion: x\n"


def test_only_mappings_have_a_form() -> None:
    with pytest.raises(CannotFormat):
        form("- a\n- b\n")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"0712345671"', "0712345671"),
        ('"1.50"', "1.50"),
        ('"1.50"', '"1.5"'),
        ("true", '"true"'),
        ("  # why", ""),
        ("zip: b", "zip: b\n  zap: c"),
        ("  a: x\n  zip: b", "  zip: b\n  a: x"),
    ],
)
def test_a_form_that_says_something_else_is_never_given(
    right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the printing may get wrong one day, what was typed is compared with what comes of it."""
    text = (
        "apiVersion: x\nkind: List\nspec:\n"
        '  number: "0712345671"\n  size: "1.50"\n  on: true  # why\n  a: x\n  zip: b\n'
    ).replace("  on:", '  "on":')
    assert form(text) == text
    monkeypatch.setattr("reconciler.manifest.formatting.form.printed", lambda _: text.replace(right, wrong))
    assert text.replace(right, wrong) != text
    with pytest.raises(CannotFormat):
        form(text)
