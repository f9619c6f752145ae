"""``--allow``: the exact exceptions that somebody armed for one plan."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

COUNTED: Mapping[str, tuple[str, str]] = {
    "deletes": (
        "More lists, campaigns and links of one account would be deleted, replaced or unlinked than an ordinary day "
        "takes: more than 10, or more than 30 % of the lists and campaigns that we own there when at least 3.",
        "If they are meant to go, add --allow deletes=N, or set guards.deletes on the Project or the Account.",
    ),
    "removals": (
        "More people would be taken off the lists of one account than an ordinary day takes: more than 100, or more "
        "than 10 % of one list when at least 20. Suppressed people do not count.",
        "Look whether a contact file was cut short. If it is meant, add --allow removals=N, or set guards.removals.",
    ),
    "reach": (
        "More people of one account could newly be contacted than guards.maxReach says.",
        "If all of them are meant, add --allow reach=N, or set guards.maxReach.",
    ),
}
"""Guards that a number lifts: ``deletes=12`` or ``ACCOUNT:deletes=12``; the number is an upper bound. Each with what it
refuses, and what to do."""

NAMED: Mapping[str, tuple[str, str]] = {
    "empty": (
        "Nobody would be left on a list that has members.",
        "If it is meant, add --allow empty=ADDRESS with the address of the Membership.",
    ),
    "shrink": (
        "An account shows less than 80 % of what it had at the last apply, or nothing of ours without telling whose it "
        "is. If the provider hides some of it, acting on that would create and contact again.",
        "Look in the provider's portal. If what is gone is really gone, add --allow shrink=ACCOUNT.",
    ),
    "unknown-members": (
        "Members of a list that nobody can read would be added, and the store that knew who is on it is not there.",
        "Restore the store; or add --allow unknown-members=ADDRESS: whoever is on the list already is added again.",
    ),
    "recontact": (
        "A lead would be added that a campaign has worked already, and so that person would be called once more.",
        "If that is meant, add --allow recontact=ADDRESS with the address of the Membership.",
    ),
    "repeat": (
        "What starts contacting people would be sent again, while nobody knows what came of it the last time.",
        "Look in the provider's portal what came of it; if nothing did, add --allow repeat=ADDRESS.",
    ),
    "cold": (
        "Nothing is known of earlier applies, as when the store is new, and something of them may still land.",
        "Apply again later; if nothing was under way, add --allow cold=ACCOUNT.",
    ),
    "delete-active": (
        "An active IntelePeer campaign would be deleted, which may not stop outreach that is under way.",
        "Pause it in the portal first; or add --allow delete-active=ADDRESS.",
    ),
    "update-active": (
        "An active IntelePeer campaign is updated. That is told as a warning.",
        "Nothing has to be done; --allow update-active=ADDRESS takes the warning away.",
    ),
}
"""Guards that the name of the thing lifts: ``empty=main/Membership/vip``, ``shrink=main``. Told like the others."""


class Allow(Struct, frozen=True):
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


class Allows(Struct, frozen=True):
    """Everything that was armed."""

    items: tuple[Allow, ...] = ()

    def up_to(self, guard: str, account: str) -> float:
        """The highest number armed for a counted guard in this account; -1 when none was."""
        numbers = [int(a.value) for a in self.items if a.guard == guard and a.account in ("", account)]
        return max(numbers, default=-1)

    def names(self, guard: str, value: str) -> bool:
        """Whether a named guard was lifted for exactly this address or account."""
        return any(a.guard == guard and a.value == value for a in self.items)
