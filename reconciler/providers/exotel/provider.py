"""The plug-in: what Exotel is to the rest of the tool."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import Kind
from reconciler.model.live import Observed
from reconciler.model.resources import Account, Fields
from reconciler.providers.base import Connection, Defaults, Session
from reconciler.providers.exotel.codes import CODES
from reconciler.providers.exotel.convert import OPEN, spelling_of, status_of
from reconciler.providers.exotel.memberships import WRITES_PER_MINUTE
from reconciler.providers.exotel.operations import OPERATIONS
from reconciler.providers.exotel.rules import ExotelRules
from reconciler.providers.exotel.settings import HOSTS, ROOT, Settings, problems
from reconciler.providers.pace import base_url

DEFAULTS = Defaults(
    base_url=HOSTS["singapore"] + ROOT,
    # 200 a minute in all is one published figure, 30 writes another; each holds whatever the others are set to.
    requests_per_second=200 / 60,
    reads_per_minute=100.0,
    writes_per_minute=WRITES_PER_MINUTE,
    concurrency=4,
    timeout_s=60.0,
    landing_s=60.0,
    visibility_s=15.0,
    page_rows=500,
    other_urls=(HOSTS["mumbai"] + ROOT,),
)


def defaults_of(account: Account) -> Defaults:
    """``DEFAULTS`` with the host of the account's region."""
    return replace(DEFAULTS, base_url=Settings.of(account).base_url)


class ExotelProvider:
    """See ``base.Provider``."""

    name = "exotel"
    rules = ExotelRules()
    defaults = DEFAULTS
    kinds = (Kind.LIST, Kind.CAMPAIGN, Kind.ASSOCIATION, Kind.MEMBERSHIP)
    credentials = (frozenset({"apiKey", "apiToken"}),)
    operations = OPERATIONS
    codes = CODES
    undiallable = "Exotel starts a campaign at its own time; declare schedule.send_at and apply"

    def identity(self, account: Account) -> str:
        if next(problems(account), None) is not None:
            return ""
        host = urlsplit(self.location(account)).hostname or ""
        return f"exotel:{host}:account={Settings.of(account).sid}"

    def location(self, account: Account) -> str:
        return base_url(account, defaults_of(account))

    def check_account(self, account: Account) -> tuple[Diagnostic, ...]:
        return tuple(problems(account))

    def path_parameters(self, account: Account) -> Mapping[str, str]:
        """What operations have in their paths and nobody has to give: the account's sid."""
        return {"account_sid": Settings.of(account).sid}

    def connect(self, account: Account, connection: Connection) -> Session:
        # Here and not above: what needs no network must not pay for loading an HTTP client.
        from reconciler.providers.exotel.session import ExotelSession

        return ExotelSession(account, connection, defaults_of(account), self.identity(account))

    def over(self, live: Observed) -> str:
        """Only campaigns that people may still be called by can be declared; every other status is history."""
        status = status_of(live)
        return "" if live.kind is not Kind.CAMPAIGN or status in OPEN else status or "of no known status"

    def spelled(self, live: Observed) -> Fields:
        """Caller ids and flow addresses, which are compared in a spelling that nobody would write."""
        return spelling_of(live)
