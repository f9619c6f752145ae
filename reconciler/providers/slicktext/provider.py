"""The plug-in: what SlickText is to the rest of the tool."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import Kind
from reconciler.model.live import Observed
from reconciler.model.resources import Account, Fields
from reconciler.providers.base import Connection, Defaults, Session
from reconciler.providers.pace import base_url
from reconciler.providers.slicktext.codes import CODES
from reconciler.providers.slicktext.convert import EDITABLE, status_of
from reconciler.providers.slicktext.operations import OPERATIONS
from reconciler.providers.slicktext.rules import SlickTextRules
from reconciler.providers.slicktext.settings import Settings, problems

DEFAULTS = Defaults(
    base_url="https://dev.slicktext.com/v1",
    # Half of the published limit: an earlier edition of the documents says 4, and other clients share the window.
    requests_per_second=4.0,
    concurrency=4,
    timeout_s=30.0,
    landing_s=120.0,
    visibility_s=10.0,
    list_reads=2,  # its count before and after
)


class SlickTextProvider:
    """See ``base.Provider``."""

    name = "slicktext"
    rules = SlickTextRules()
    defaults = DEFAULTS
    kinds = (Kind.LIST, Kind.CAMPAIGN, Kind.ASSOCIATION, Kind.MEMBERSHIP)
    credentials = (frozenset({"apiKey"}),)
    operations = OPERATIONS
    codes = CODES

    def identity(self, account: Account) -> str:
        if next(problems(account), None) is not None:
            return ""
        host = urlsplit(base_url(account, DEFAULTS)).hostname or ""
        return f"slicktext:{host}:brand={Settings.of(account).brand}"

    def check_account(self, account: Account) -> tuple[Diagnostic, ...]:
        return tuple(problems(account))

    def path_parameters(self, account: Account) -> Mapping[str, str]:
        """What operations have in their paths and nobody has to give: the account's brand."""
        return {"brand_id": Settings.of(account).brand}

    def connect(self, account: Account, connection: Connection) -> Session:
        # Here and not above: what needs no network must not pay for loading an HTTP client.
        from reconciler.providers.slicktext.session import SlickTextSession

        return SlickTextSession(account, connection, DEFAULTS, self.identity(account))

    def over(self, live: Observed) -> str:
        """Only drafts and scheduled campaigns can be declared; every other status, known or not, is history here."""
        status = status_of(live)
        return "" if live.kind is not Kind.CAMPAIGN or status in EDITABLE else status or "of no known status"

    def spelled(self, live: Observed) -> Fields:
        return {}
