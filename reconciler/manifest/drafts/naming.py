"""Names for what was named by somebody else: readable, unique, the same every time, and safe as the name of a file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from reconciler.masking import mask_text

LONGEST = 63


def slug(text: str) -> str:
    """``text`` in small letters, digits and hyphens; empty where nothing of it can be written that way.

    Accents are dropped and other scripts are: nobody can guess how a name should sound in ours.
    """
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return _cut(re.sub(r"[^a-z0-9]+", "-", plain), LONGEST)


class Names:
    """Hands out names that nobody has. ``taken`` are those that are in use."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, *wishes: str) -> str:
        """The first of ``wishes`` that is not empty, with a number behind it when somebody has it already.

        One that looks like a phone number is no name: names are shown everywhere.
        """
        base = next((w for w in wishes if w and mask_text(w) == w), "unnamed")
        name, count = base, 1
        while name in self._taken or mask_text(name) != name:
            count += 1
            name = f"{_cut(base, LONGEST - len(str(count)) - 1)}-{count}"
        self._taken.add(name)
        return name


def joined(first: str, last: str, between: str) -> str:
    """Two names as one: the longer one is cut until both fit."""
    room = LONGEST - len(between)
    kept_first = max(room - len(last), room // 2)
    kept_last = max(room - len(first), room - room // 2)
    return f"{_cut(first, kept_first)}{between}{_cut(last, kept_last)}"


def _cut(text: str, length: int) -> str:
    return text.strip("-")[:length].strip("-")
