"""The plug-in: what a contact centre portal is to the rest of the tool."""

from __future__ import annotations

from urllib.parse import urlsplit

from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import Kind
from reconciler.model.resources import Account
from reconciler.plan.rules import Rules
from reconciler.providers.base import Connection, Defaults, Operation, Session
from reconciler.providers.contactcenter.codes import CODES
from reconciler.providers.contactcenter.operations import OPERATIONS
from reconciler.providers.contactcenter.rules import ContactCenterRules
from reconciler.providers.contactcenter.settings import Settings, portal_url, problems

# Nothing is published about limits. One request at a time: writes to a campaign go one after the other, and the
# activity report is heavy (contact centre API notes, section 1, Q-18, A-19). A write shows within ten seconds.
DEFAULTS = Defaults(
    base_url="", requests_per_second=2.0, concurrency=1, timeout_s=30.0, landing_s=120.0, visibility_s=10.0
)


class ContactCenter:
    """Implements ``providers.base.Provider``."""

    name: str = "contactcenter"
    defaults: Defaults = DEFAULTS
    kinds: tuple[Kind, ...] = (Kind.CAMPAIGN, Kind.MEMBERSHIP)
    credentials: tuple[frozenset[str], ...] = (frozenset({"username", "password"}),)
    operations: tuple[Operation, ...] = OPERATIONS
    codes = CODES
    undiallable: str = "its campaigns are started and stopped in the portal only; a running one calls every new lead"

    def __init__(self) -> None:
        self.rules: Rules = ContactCenterRules()

    def identity(self, account: Account) -> str:
        if next(problems(account), None) is not None:
            return ""
        host = urlsplit(portal_url(account)).hostname or ""
        return f"contactcenter:{host}:account={Settings.of(account).account_id}"

    def check_account(self, account: Account) -> tuple[Diagnostic, ...]:
        return tuple(problems(account))

    def connect(self, account: Account, connection: Connection) -> Session:
        # Here and not above: what needs no network must not pay for loading an HTTP client.
        from reconciler.providers.contactcenter.session import ContactCenterSession

        return ContactCenterSession(account, connection, DEFAULTS, self.identity(account))
