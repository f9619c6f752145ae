"""A portal to read from and plan against: a sandbox session, or a client that answers from a script."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, cast

from reconciler.diagnostics import Span
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired, Project
from reconciler.model.inventory import Inventory
from reconciler.model.live import AccountLive, Live
from reconciler.model.resources import Account, Declared, Lifecycle, Literally, Members, Mode, Resource
from reconciler.plan.changes import Plan
from reconciler.plan.planner import PlanOptions, plan
from reconciler.providers.base import Connection, Scope, Secret
from reconciler.providers.contactcenter import PROVIDER
from reconciler.providers.contactcenter.client import Client
from reconciler.providers.contactcenter.leads import LeadPage
from reconciler.providers.contactcenter.provider import DEFAULTS
from reconciler.providers.contactcenter.session import ContactCenterSession
from reconciler.sandbox import Sandbox

ACCOUNT_ID = "0123456789abcdef0123456789abcdef"
ANNA, BORIS, CLARA, DORA = (f"+120255501{n}" for n in range(10, 14))
SPAN = Span(file="center.yaml", line=1)
SPRING = RemoteId("spring0")
CAMPAIGN = Address("center", Kind.CAMPAIGN, "spring")
SECRETS = {"username": Secret("sandbox"), "password": Secret("sandbox-contactcenter-password")}


def account(base_url: str = "http://127.0.0.1:1", **settings: Any) -> Account:
    return Account(
        name="center",
        provider="contactcenter",
        auth={"username": Literally("sandbox"), "password": Literally("x")},
        source=SPAN,
        base_url=base_url,
        settings={"accountId": ACCOUNT_ID, "domain": "sandbox", **settings},
    )


def people(*numbers: str, **columns: Sequence[str | None]) -> ContactSet:
    return ContactSet.from_columns({"number": list(numbers), **columns})


def campaign(name: str = "Spring", lifecycle: Lifecycle | None = None, **fields: Any) -> Resource:
    return Resource(
        address=CAMPAIGN,
        provider="contactcenter",
        fields={"name": name, **fields},
        source=SPAN,
        lifecycle=lifecycle or Lifecycle(),
    )


def membership(contacts: ContactSet, mode: Mode = Mode.EXACT, **options: Any) -> Resource:
    return Resource(
        address=Address("center", Kind.MEMBERSHIP, "people"),
        provider="contactcenter",
        fields={},
        source=SPAN,
        members=Members(of=Declared(CAMPAIGN), mode=mode, contacts=contacts, options=options),
    )


def desired(*resources: Resource, base_url: str = "http://127.0.0.1:1", **settings: Any) -> Desired:
    return Desired(
        project=Project(root="/project"),
        accounts={"center": account(base_url, **settings)},
        resources={r.address: r for r in (campaign(), *resources)},
    )


def seed(*leads: Any, status: str = "stopped", **more: Any) -> dict[str, Any]:
    user = {"username": "sandbox", "password": "sandbox-contactcenter-password"}
    return {
        "contactcenter": {
            "accounts": [{"account_id": ACCOUNT_ID, "domain": "sandbox", "users": [user]}],
            "campaigns": [{"id": SPRING, "name": "Spring", "status": status, "leads": list(leads)}],
            **more,
        }
    }


class Clock:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def using(
    sandbox: Sandbox,
    act: Callable[[ContactCenterSession], Awaitable[Any]],
    *,
    clock: Callable[[], float] | None = None,
    read_only: bool = False,
    **settings: Any,
) -> Any:
    """What ``act`` makes of a session with the sandbox."""

    async def run() -> Any:
        connection = Connection(secrets=SECRETS, read_only=read_only)
        held = account(sandbox.url, **settings)
        session = ContactCenterSession(held, connection, DEFAULTS, PROVIDER.identity(held), clock or Clock())
        try:
            return await act(session)
        finally:
            await session.aclose()

    return asyncio.run(run())


def fetched(sandbox: Sandbox, wanted: Desired, **settings: Any) -> AccountLive:
    scope = Scope(desired=wanted, inventory=Inventory())
    live: AccountLive = using(sandbox, lambda s: s.fetch(scope), read_only=True, **settings)
    return live


def planned(wanted: Desired, live: AccountLive) -> Plan:
    return plan(wanted, Live(accounts={"center": live}), Inventory(), {"contactcenter": PROVIDER.rules}, PlanOptions())


def leads(sandbox: Sandbox) -> list[dict[str, Any]]:
    (held,) = sandbox.state()["contactcenter"]["accounts"]
    found: list[dict[str, Any]] = held["campaigns"][0]["leads"]
    return found


class Script:
    """A client whose reads are answered one after the other."""

    def __init__(self, answers: Iterable[Any]) -> None:
        self._answers = iter(answers)
        self.asked: list[tuple[Any, ...]] = []

    async def leads(self, campaign: RemoteId, size: int, cursor: str = "") -> LeadPage:
        self.asked.append((campaign, size, cursor))
        page: LeadPage = next(self._answers)
        return page

    async def activity(self, start: int, end: int, size: int, cursor: str = "") -> Any:
        self.asked.append((start, end, size, cursor))
        return next(self._answers)

    @property
    def client(self) -> Client:
        return cast(Client, self)
