"""Who would have been contacted: the reason the sandbox exists.

Filled by the providers, emptied only by a reset. Times are seconds of the sandbox clock. Numbers stand here in full
because every one of them is made up by whoever seeded the sandbox.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.sandbox.wire import JsonObject

BOOKS = ("messages", "consent", "duplicates", "exposed")


class Ledger:
    """Four books: messages and calls, consent that was asserted, duplicates created, people newly exposed."""

    def __init__(self) -> None:
        self.messages: list[JsonObject] = []
        self.consent: list[JsonObject] = []
        self.duplicates: list[JsonObject] = []
        self.exposed: list[JsonObject] = []

    def contacted(self, provider: str, cause: str, at: float, number: str | None, **facts: object) -> None:
        """A person would have been called or texted. ``cause``: campaign, workflow, double_opt_in or run."""
        self.messages.append({"provider": provider, "cause": cause, "time": at, "number": number, **facts})

    def consented(self, provider: str, what: str, at: float, number: str | None, **facts: object) -> None:
        """A write claimed or asked for a person's consent."""
        self.consent.append({"provider": provider, "what": what, "time": at, "number": number, **facts})

    def duplicated(self, provider: str, kind: str, at: float, name: str, ids: Iterable[int | str]) -> None:
        """A create made a second live object under one natural key; ``ids`` has all of them."""
        self.duplicates.append({"provider": provider, "kind": kind, "time": at, "name": name, "ids": list(ids)})

    def exposes(self, provider: str, reason: str, at: float, numbers: Iterable[str], **facts: object) -> None:
        """People came within reach of a campaign that is already active."""
        self.exposed.append({"provider": provider, "reason": reason, "time": at, "numbers": list(numbers), **facts})

    @property
    def entries(self) -> int:
        """How many there are in all four books."""
        return sum(len(getattr(self, book)) for book in BOOKS)

    def clear(self) -> None:
        """Empty all four books."""
        for book in BOOKS:
            getattr(self, book).clear()

    def dump(self) -> JsonObject:
        """The four books, and the distinct numbers contacted per provider."""
        reached: dict[str, set[str]] = {}
        for message in self.messages:
            if message["number"] is not None:
                reached.setdefault(message["provider"], set()).add(message["number"])
        books: JsonObject = {book: list(getattr(self, book)) for book in BOOKS}
        return {**books, "contacted": {name: sorted(numbers) for name, numbers in sorted(reached.items())}}

    def load(self, dump: JsonObject) -> None:
        """Take over a dump."""
        for book in BOOKS:
            setattr(self, book, list(dump.get(book, ())))
