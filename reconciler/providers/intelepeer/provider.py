"""The plug-in: what the rest of the tool knows of IntelePeer Engage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import Kind
from reconciler.model.resources import Account
from reconciler.plan.rules import Rules
from reconciler.providers.base import Connection, Defaults, Operation, Session
from reconciler.providers.intelepeer.codes import CODES, diagnose
from reconciler.providers.intelepeer.operations import OPERATIONS
from reconciler.providers.intelepeer.rules import IntelePeerRules
from reconciler.providers.intelepeer.settings import settings_of, unknown_words


class IntelePeer:
    """Implements ``providers.base.Provider``."""

    name: str = "intelepeer"
    kinds: tuple[Kind, ...] = (Kind.LIST, Kind.CAMPAIGN, Kind.ASSOCIATION, Kind.MEMBERSHIP)
    credentials: tuple[frozenset[str], ...] = (frozenset({"username", "password"}), frozenset({"token"}))
    operations: tuple[Operation, ...] = OPERATIONS
    codes: Mapping[str, tuple[str, str]] = CODES
    # No limits are published; creating a campaign takes seconds (IntelePeer API notes, sections 1 and 2, E3).
    defaults: Defaults = Defaults(
        base_url="https://engage.intelepeer.com", requests_per_second=5, concurrency=4, timeout_s=30
    )

    def __init__(self) -> None:
        self.rules: Rules = IntelePeerRules()

    def identity(self, account: Account) -> str:
        """Unknown: the customer behind a login is told by its objects only."""
        return ""

    def check_account(self, account: Account) -> tuple[Diagnostic, ...]:
        """Settings that are none of the words there are, and a login address that is no address."""
        return (*unknown_words(account), *_auth_url(account))

    def connect(self, account: Account, connection: Connection) -> Session:
        """A session; no request is sent yet."""
        from reconciler.providers.intelepeer.session import IntelePeerSession  # httpx: not needed to check or to plan

        return IntelePeerSession(account, connection, self.defaults)


def _auth_url(account: Account) -> Iterator[Diagnostic]:
    url = settings_of(account).auth_url
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
        message = f"authUrl of account {account.name!r} is a complete URL, like the one of the sign-in endpoint"
        yield diagnose("intelepeer-settings", message, source=account.source)


PROVIDER = IntelePeer()
