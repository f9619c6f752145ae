"""Drafts as text: YAML as a person would write it, and contact files.

Everything in here was typed by other people. Text is written plainly only where no YAML reader can take it for
anything else, as a block where it has several lines, and in double quotes otherwise.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from reconciler.manifest.drafts.draft import Draft
from reconciler.manifest.scalars import SPECIAL
from reconciler.manifest.variables import escaped
from reconciler.masking import mask_text, visible
from reconciler.model.contacts import ContactSet

WIDTH = 110

_PLAIN = re.compile(r"[^\W\d_](?:[\w./@()+&' -]*[\w./@()+&'])?\Z")
"""What begins with a letter and has nothing in it that means anything in YAML, in a flow or out of it."""


def file_text(draft_texts: Iterable[str], head: Sequence[str] = ()) -> str:
    """A file of documents, with comments at its head."""
    body = "---\n".join(draft_texts)
    top = "".join(comment(text) for text in head)
    return f"{top}\n{body}" if top and body else top + body


def document_text(draft: Draft, file: str = "") -> str:
    """One document. ``file`` is where its contacts are, seen from it."""
    metadata = f"metadata: {{name: {scalar(draft.address.name)}, account: {scalar(draft.address.account)}}}"
    lines = [f"apiVersion: {draft.api_version}", f"kind: {draft.address.kind}", metadata, "spec:"]
    body = "".join(f"{line}\n" for line in (*lines, *_mapping(draft.spec(file), 2)))
    if draft.why_mode:
        mode = f"  mode: {draft.members.mode}" if draft.members is not None else ""
        body = body.replace(f"{mode}\n", f"{mode}  # {draft.why_mode}\n", 1)
    return "".join(comment(note) for note in draft.notes) + body


def comment(text: str) -> str:
    """A sentence as comment lines, whatever is in it."""
    safe = mask_text(visible(text))
    safe = f"{safe[:1].upper()}{safe[1:]}" + ("" if safe.endswith(".") else ".")
    lines = wrap(safe, WIDTH - 2, break_long_words=False, break_on_hyphens=False) or [""]
    return "".join(f"# {line}\n" for line in lines)


def scalar(value: Any) -> str:
    """A scalar on one line, as YAML reads it back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return text if _PLAIN.match(text) and text not in SPECIAL else quoted(text)


def quoted(text: str) -> str:
    """Text in double quotes; what JSON escapes, YAML reads the same."""
    return json.dumps(text, ensure_ascii=False)


def value_text(value: Any) -> str:
    """A whole value on one line. Text that looks like a variable is none."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(k)}: {value_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(value_text, value)) + "]"
    return scalar(escaped(value) if isinstance(value, str) else value)


def _mapping(values: Mapping[str, Any], indent: int) -> Iterator[str]:
    pad = " " * indent
    for name, value in values.items():
        if isinstance(value, Mapping) and "id" not in value:
            yield f"{pad}{name}:"
            yield from _mapping(value, indent + 2)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            yield f"{pad}{name}:"
            for entry in value:
                first, *others = _mapping(entry, 0)
                yield f"{pad}  - {first}"
                yield from (f"{pad}    {line}" for line in others)
        elif isinstance(value, str) and fits_block(value):
            yield f"{pad}{name}: |{'' if value.endswith(chr(10)) else '-'}"
            yield from (f"{pad}  {line}" if line else "" for line in escaped(value).rstrip("\n").split("\n"))
        elif isinstance(value, list) and len(value_text(value)) > WIDTH - indent - len(name):
            yield f"{pad}{name}:"
            yield from (f"{pad}  - {value_text(entry)}" for entry in value)
        else:
            yield f"{pad}{name}: {value_text(value)}"


def fits_block(text: str) -> bool:
    """Whether a block of lines says exactly this text, and can be edited without seeing what is at its ends."""
    if (
        "\n" not in text.rstrip("\n")
        or text.endswith("\n\n")
        or text[0] in " \n"
        or not text.replace("\n", "").isprintable()
    ):
        return False
    return not any(line != line.rstrip() for line in text.split("\n"))


def contacts_text(contacts: ContactSet) -> str:
    """A contact file: one line a person, in the order of the numbers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(contacts.columns)
    columns = [contacts.column(name) for name in contacts.columns]
    writer.writerows([value or "" for value in row] for row in zip(*columns, strict=True))
    return out.getvalue()
