"""The exception tree: what ends a run or an account, as opposed to a problem in an input (see ``diagnostics``).

HTTP failures become one of the ``ProviderError`` classes once, in ``providers.http``; everybody else names the class
they can live with. No message here may hold a credential or a person's number.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command. 130 and 143 follow the shell's convention for signals."""

    OK = 0
    ERROR = 1
    DIFFERENCES = 2
    INVALID = 3
    CREDENTIALS = 4
    REFUSED = 5
    STALE = 6
    PARTIAL = 7
    LEASED = 8
    UNRESOLVED = 9
    UNREACHABLE = 10
    USAGE = 64
    INTERRUPTED = 130
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """What it tells a script, in a few words."""
        return _MEANINGS[self][0]

    @property
    def remedy(self) -> str:
        """What to do next."""
        return _MEANINGS[self][1]


_MEANINGS: Mapping[Exit, tuple[str, str]] = {
    Exit.OK: ("success; nothing differs", "Nothing."),
    Exit.ERROR: (
        "unexpected error",
        "Read the message. It is the store that cannot be used, or a mistake of this tool: `--debug` shows more.",
    ),
    Exit.DIFFERENCES: (
        "differences (`drift`, `plan --detailed-exitcode`, `fmt --check`, `status --exit-code`)",
        "Read them. What drifted is put back by `reconciler apply`, or taken over into Git.",
    ),
    Exit.INVALID: (
        "invalid input; nothing was sent",
        "Correct the manifests where the messages point; `reconciler explain CODE` tells more.",
    ),
    Exit.CREDENTIALS: ("credentials refused", "Check the secrets that the Account names."),
    Exit.REFUSED: (
        "refused by a guard, approval, policy or freeze; nothing was sent",
        "The message names the flag that lifts exactly this. Use it if the change is meant.",
    ),
    Exit.STALE: (
        "plan stale, used, expired, or for another project or account",
        "Make a new plan, and read it again.",
    ),
    Exit.PARTIAL: (
        "partial: some operations failed or were not attempted",
        "See what failed, then apply again: live state decides what is left to do.",
    ),
    Exit.LEASED: ("another apply holds the lease", "Wait for it; `reconciler lock list` names the holder."),
    Exit.UNRESOLVED: (
        "an outcome is unresolved; a person is needed",
        "Look in the portal. The message has the command or flag that says what was found.",
    ),
    Exit.UNREACHABLE: (
        "a provider is unreachable or its read incomplete",
        "Try again later; `--exclude account:NAME` leaves the account out.",
    ),
    Exit.USAGE: ("usage error", "Correct the command line; `--help` shows what it takes."),
    Exit.INTERRUPTED: ("interrupted, journal closed", "That was Ctrl-C. Apply again when you are ready."),
    Exit.TERMINATED: ("interrupted, journal closed", "That was a signal to end. Apply again when you are ready."),
}
"""What each means and what to do next; the user guide is made of it."""


class ReconcilerError(Exception):
    """Ends the command with ``exit_code``; the text is for people, ``hint`` says what to do next."""

    exit_code: Exit = Exit.ERROR
    code: str = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ReconcilerError):
    exit_code = Exit.USAGE
    code = "usage"


class InvalidInput(ReconcilerError):
    exit_code = Exit.INVALID
    code = "invalid-input"


class StoreError(ReconcilerError):
    """The store is damaged, foreign, newer than this tool, or out of reach. Never read as empty."""

    exit_code = Exit.ERROR
    code = "store-unusable"


class Refused(ReconcilerError):
    """A guard, a policy, an approval or a freeze said no; nothing was sent."""

    exit_code = Exit.REFUSED
    code = "refused"


class Interruption(ReconcilerError):
    """A signal ended the command before it sent anything."""

    code = "interrupted"

    def __init__(self, exit_code: Exit) -> None:
        super().__init__("interrupted; nothing was sent")
        self.exit_code = exit_code


class StalePlan(ReconcilerError):
    """A saved plan that is stale, used, expired, damaged or of another project."""

    exit_code = Exit.STALE
    code = "plan-stale"


class LeaseHeld(ReconcilerError):
    """Another apply holds, or has taken over, the lease of an account."""

    exit_code = Exit.LEASED
    code = "lease-held"


class ProviderError(ReconcilerError):
    """A provider did not do as asked. ``status`` is the HTTP status, 0 when there was no answer."""

    exit_code = Exit.UNREACHABLE
    code = "provider-error"

    def __init__(self, message: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class CredentialsRefused(ProviderError):
    """401 or 403 for the account, also after renewing the token once."""

    exit_code = Exit.CREDENTIALS
    code = "credentials-refused"


class NotSent(ProviderError):
    """Proven not processed: no connection, TLS refused, or nothing was written. Safe to send again."""

    code = "provider-unreachable"


class Withheld(ProviderError):
    """Whoever wanted it sent takes that back at the last moment: nothing left, or nothing more did."""

    code = "withheld"


class NoAnswer(ProviderError):
    """The request left and no usable answer came back (reset, time-out, 5xx, unreadable 2xx): it may have landed."""

    code = "no-answer"


class NotFound(ProviderError):
    """404 for an id."""

    code = "not-found"


class Rejected(ProviderError):
    """The provider answered and refused (other 4xx): certainly not processed, and sending it again will not help."""

    code = "rejected"


class Unchecked(Rejected):
    """Whether it may be sent could not be read. Nothing was sent."""


class RateLimited(ProviderError):
    """429 until the retry budget or the longest acceptable wait was used up: not processed."""

    code = "rate-limited"


class ReadIncomplete(ProviderError):
    """A read that cannot be proven whole: paging that does not advance, an unknown shape, counts that differ."""

    code = "read-incomplete"
