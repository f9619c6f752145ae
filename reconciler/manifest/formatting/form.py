"""The form of one file, and the proof that it says what the file said: the loader reads both, and they are compared."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from msgspec.structs import replace

from reconciler.manifest.documents import Document, Source
from reconciler.manifest.formatting.printing import printed
from reconciler.manifest.formatting.tree import read
from reconciler.manifest.yaml import parse


class CannotFormat(Exception):
    """The form of this file would not say what the file says, so there is none."""


def formatted(source: Source, documents: Sequence[Document]) -> str:
    """``source`` in its form; ``documents`` are all that the loader reads in it, none of them with a flaw.

    Line ends stay those of the first line. Raises CannotFormat.
    """
    text = re.sub(r"\r\n?", "\n", source.text)
    before = read(text)
    try:
        form = printed(before)
    except ValueError as problem:
        raise CannotFormat(str(problem)) from None
    again = parse(replace(source, text=form))
    if again.broken or any(_flaws(d) for d in again.documents) or _said(again.documents) != _said(documents):
        raise CannotFormat("its values would change")
    if sorted(before.comments) != sorted(read(form).comments):
        raise CannotFormat("a comment would be lost")
    first = source.text.find("\n")
    return form.replace("\n", "\r\n") if first > 0 and source.text[first - 1] == "\r" else form


def _flaws(document: Document) -> bool:
    return any(not flaw.date for flaw in document.flaws)


def _said(documents: Sequence[Document]) -> list[str]:
    """What documents say, to the type of each scalar; only the order of the envelope does not count."""
    return [json.dumps(dict(sorted(d.data.items())) if isinstance(d.data, dict) else d.data) for d in documents]
