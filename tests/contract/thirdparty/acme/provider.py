"""The plug-in: what the tool asks before any session is opened."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from acme.rules import CODES, AcmeRules
from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import Kind
from reconciler.model.kinds import ContactClass
from reconciler.model.resources import Account
from reconciler.providers.base import Connection, Defaults, Operation, Param, Session
from reconciler.providers.pace import base_url

DEFAULTS = Defaults(base_url="https://api.acme.example/acme", landing_s=0.0, visibility_s=0.0)
ID = Param(name="id", place="path", required=True)
OPERATIONS = (
    Operation(name="lists.list", method="GET", path="/lists", summary="All lists"),
    Operation(
        name="lists.create",
        method="POST",
        path="/lists",
        summary="Create a list",
        params=(Param(name="name", place="body", required=True), Param(name="note", place="body")),
    ),
    Operation(name="lists.update", method="PUT", path="/lists/{id}", summary="Change a list", params=(ID,)),
    Operation(name="lists.delete", method="DELETE", path="/lists/{id}", summary="Delete a list", params=(ID,)),
    Operation(name="members.list", method="GET", path="/lists/{id}/members", summary="Who is on a list", params=(ID,)),
    Operation(
        name="members.add",
        method="POST",
        path="/lists/{id}/members",
        summary="Put people on a list",
        params=(ID, Param(name="numbers", place="body", required=True)),
        contact_class=ContactClass.MAY_NOTIFY,
    ),
    Operation(
        name="members.remove",
        method="DELETE",
        path="/lists/{id}/members",
        summary="Take people off a list",
        params=(ID, Param(name="numbers", place="body", required=True)),
    ),
)


class AcmeProvider:
    """See ``reconciler.providers.base.Provider``."""

    name = "acme"
    rules = AcmeRules()
    defaults = DEFAULTS
    kinds = (Kind.LIST, Kind.MEMBERSHIP)
    credentials = (frozenset({"token"}),)
    operations = OPERATIONS
    codes = CODES
    schemas = Path(__file__).parent / "schemas"

    def identity(self, account: Account) -> str:
        return f"acme:{urlsplit(base_url(account, DEFAULTS)).hostname}"

    def check_account(self, account: Account) -> tuple[Diagnostic, ...]:
        return ()

    def connect(self, account: Account, connection: Connection) -> Session:
        # Here and not above: `validate` must not pay for an HTTP client.
        from acme.session import AcmeSession

        return AcmeSession(account, connection, DEFAULTS, self.identity(account))
