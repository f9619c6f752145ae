"""The settings that only IntelePeer accounts have, as closed sets of words."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from reconciler.diagnostics import Diagnostic
from reconciler.model.resources import Account
from reconciler.providers.intelepeer.codes import diagnose


class AuthScheme(StrEnum):
    """How the token stands in ``Authorization``: alone, as the current documents have it, or after ``Bearer``."""

    RAW = "raw"
    BEARER = "bearer"


class AssociateSemantics(StrEnum):
    """What associating does to the lists that a campaign has already. The documents do not say."""

    UNKNOWN = "unknown"
    ADD = "add"
    REPLACE = "replace"


class MembershipMode(StrEnum):
    """Whether contacts may be uploaded, through an endpoint that only older documents describe."""

    NONE = "none"
    APPEND = "append"


class Settings(Struct, frozen=True, kw_only=True):
    """An account's own settings with the defaults filled in. ``auth_url`` is empty when the account names none."""

    auth_scheme: AuthScheme = AuthScheme.RAW
    auth_url: str = ""
    associate: AssociateSemantics = AssociateSemantics.UNKNOWN
    membership: MembershipMode = MembershipMode.NONE


_Word = TypeVar("_Word", AuthScheme, AssociateSemantics, MembershipMode)

_WORDS: tuple[tuple[str, type[StrEnum]], ...] = (
    ("authScheme", AuthScheme),
    ("associateSemantics", AssociateSemantics),
    ("membershipMode", MembershipMode),
)


def settings_of(account: Account) -> Settings:
    """The account's settings. A word that is not known reads as the default, which is always the cautious one."""

    def word(name: str, kind: type[_Word], default: _Word) -> _Word:
        given = account.settings.get(name)
        return kind(given) if given in set(kind) else default

    return Settings(
        auth_scheme=word("authScheme", AuthScheme, AuthScheme.RAW),
        auth_url=str(account.settings.get("authUrl") or ""),
        associate=word("associateSemantics", AssociateSemantics, AssociateSemantics.UNKNOWN),
        membership=word("membershipMode", MembershipMode, MembershipMode.NONE),
    )


def unknown_words(account: Account) -> Iterator[Diagnostic]:
    """Settings whose value is none of the words there are."""
    for name, words in _WORDS:
        given = account.settings.get(name)
        if given is not None and given not in set(words):
            known = ", ".join(words)
            message = f"{name} of account {account.name!r} is one of {known}"
            yield diagnose("intelepeer-settings", message, source=account.source)
