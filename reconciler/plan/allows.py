"""``--allow``: the exact exceptions that somebody armed for one plan."""

from __future__ import annotations

from dataclasses import dataclass

COUNTED = ("deletes", "removals", "reach")
"""Guards that a number lifts: ``deletes=12`` or ``ACCOUNT:deletes=12``; the number is an upper bound."""

NAMED = ("empty", "shrink", "unknown-members", "recontact", "repeat", "cold", "delete-active", "update-active")
"""Guards that the name of the thing lifts: ``empty=main/Membership/vip``, ``shrink=main``."""


@dataclass(frozen=True, slots=True)
class Allow:
    """One ``--allow`` value."""

    guard: str
    value: str
    account: str = ""

    @classmethod
    def parse(cls, text: str) -> Allow:
        """Raises ValueError, with what would be right."""
        name, equals, value = text.partition("=")
        account, colon, guard = name.rpartition(":")
        if not equals or not value or guard not in (*COUNTED, *NAMED):
            known = ", ".join([f"{g}=N" for g in COUNTED] + [f"{g}=NAME" for g in NAMED])
            raise ValueError(f"{text!r}: one of {known} is expected")
        if guard in COUNTED and not value.isdigit():
            raise ValueError(f"{text!r}: {guard} takes a whole number")
        if colon and guard in NAMED:
            raise ValueError(f"{text!r}: {guard} takes no account before it")
        return cls(guard, value, account)

    def __str__(self) -> str:
        return f"{self.account}:{self.guard}={self.value}" if self.account else f"{self.guard}={self.value}"


@dataclass(frozen=True, slots=True)
class Allows:
    """Everything that was armed."""

    items: tuple[Allow, ...] = ()

    def up_to(self, guard: str, account: str) -> float:
        """The highest number armed for a counted guard in this account; -1 when none was."""
        numbers = [int(a.value) for a in self.items if a.guard == guard and a.account in ("", account)]
        return max(numbers, default=-1)

    def names(self, guard: str, value: str) -> bool:
        """Whether a named guard was lifted for exactly this address or account."""
        return any(a.guard == guard and a.value == value for a in self.items)
