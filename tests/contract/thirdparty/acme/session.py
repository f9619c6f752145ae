"""One account, logged in: fetch, send, look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.errors import NoAnswer, NotFound, ReadIncomplete
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import AccountLive, LiveMembers, Observed
from reconciler.model.resources import Account
from reconciler.plan.calls import Call, Changed, Created, Deleted, Effect, Evidence, MembersAdded, MembersRemoved
from reconciler.providers.base import (
    Answer,
    Concerned,
    Connection,
    Defaults,
    HealthRow,
    Operation,
    Response,
    Scope,
    Start,
    at_once,
)
from reconciler.providers.http import Http, StaticAuth
from reconciler.providers.pace import base_url, pace

State = Evidence.State
TRIES = 3


class AcmeSession:
    """See ``reconciler.providers.base.Session``."""

    def __init__(self, account: Account, connection: Connection, defaults: Defaults, identity: str) -> None:
        self._identity = identity
        self._http = Http(
            account=account.name,
            base_url=base_url(account, defaults),
            auth=StaticAuth({"authorization": f"Bearer {connection.secrets['token'].reveal()}"}),
            pace=pace(account, defaults, connection.concurrency),
            read_only=connection.read_only,
            error_text=lambda body, raw: str(body.get("error", "")) if isinstance(body, dict) else "",
        )

    @property
    def requests(self) -> int:
        return self._http.requests

    async def fetch(self, scope: Scope) -> AccountLive:
        lists = await self._lists()
        members = {}
        for remote_id in lists:
            found = await self._members(remote_id)
            members[remote_id] = LiveMembers(contacts=found, count=len(found))
        return AccountLive(
            identity=self._identity, objects={(Kind.LIST, i): o for i, o in lists.items()}, members=members
        )

    async def send(self, call: Call, effect: Effect, *, start: Start = at_once) -> Answer:
        reply = await self._http.send(call, start=start)
        if not isinstance(effect, Created):
            return Answer(status=reply.status, body=reply.body)
        if not isinstance(reply.body, dict) or "id" not in reply.body:
            raise NoAnswer("Acme answered a create without an id.")
        return Answer(status=reply.status, body=reply.body, remote_id=RemoteId(str(reply.body["id"])))

    async def observe(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        people = rows if rows is not None else ContactSet.empty()
        match effect:
            case Created(name=name, known_ids=known):
                mine = sorted(i for i, o in (await self._lists()).items() if o.name == name and i not in known)
                if len(mine) > 1:
                    return Evidence(state=State.AMBIGUOUS, candidates=tuple(mine))
                return Evidence(state=State.HOLDS, remote_id=mine[0]) if mine else Evidence(state=State.ABSENT)
            case Changed(target=str() as target, base=base, expected=expected):
                live = (await self._lists()).get(target)
                if live is None:
                    return Evidence(state=State.DIFFERS, detail="the list is gone")
                if all(live.fields.get(n) == v for n, v in expected.items()):
                    return Evidence(state=State.HOLDS, remote_id=target)
                same = all(live.fields.get(n) == v for n, v in base.items())
                return Evidence(state=State.ABSENT if same else State.DIFFERS)
            case Deleted(target=str() as target):
                return Evidence(state=State.ABSENT if target in await self._lists() else State.HOLDS)
            case MembersAdded(of=str() as target) | MembersRemoved(of=str() as target):
                return await self._moved(effect, target, people)
            case _:
                raise ValueError(f"no plan for Acme has a {type(effect).__name__}")

    async def call(self, operation: Operation, call: Call) -> Response:
        return await self._http.ask(call)

    async def concerned(self, operation: Operation, call: Call) -> Concerned:
        """Everybody a write is about is named by number, and numbers are screened before this is asked."""
        return Concerned()

    async def health(self) -> tuple[HealthRow, ...]:
        return tuple(HealthRow(subject="list", remote_id=i, name=o.name) for i, o in (await self._lists()).items())

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _moved(self, effect: Effect, target: RemoteId, rows: ContactSet) -> Evidence:
        adding = isinstance(effect, MembersAdded)
        try:
            now = await self._members(target)
        except NotFound:
            return Evidence(state=State.DIFFERS if adding else State.HOLDS, detail="the list is gone")
        left = rows.without(now) if adding else rows.within(now)
        if not left:
            return Evidence(state=State.HOLDS)
        return Evidence(state=State.ABSENT if len(left) == len(rows) else State.PARTLY, remaining=left)

    async def _lists(self) -> Mapping[RemoteId, Observed]:
        rows = await self._whole("lists", path=("lists",))
        return {
            RemoteId(str(r["id"])): Observed(
                kind=Kind.LIST,
                remote_id=RemoteId(str(r["id"])),
                name=r["name"],
                fields={"name": r["name"], "note": r["note"]},
            )
            for r in rows
        }

    async def _members(self, remote_id: RemoteId) -> ContactSet:
        rows = await self._whole("members", path=("lists", remote_id, "members"))
        return ContactSet.from_columns({"number": [r["number"] for r in rows]})

    async def _whole(self, what: str, path: tuple[str, ...]) -> list[dict[str, Any]]:
        """Every row of a collection. Each page tells the collection's version and size, so a torn read shows."""
        for _ in range(TRIES):
            pages: list[dict[str, Any]] = []
            while not pages or pages[-1]["next"] is not None:
                page = str(pages[-1]["next"] if pages else 0)
                reply = await self._http.get(*path, query=(("page", page),))
                if not isinstance(reply.body, dict) or not {"rows", "next", "total", "version"} <= reply.body.keys():
                    raise ReadIncomplete(f"The {what} of Acme came in an unknown shape.")
                pages.append(reply.body)
            rows = {str(row.get("id") or row.get("number")): row for page in pages for row in page["rows"]}
            if len({(p["version"], p["total"]) for p in pages}) == 1 and len(rows) == pages[0]["total"]:
                return list(rows.values())
        raise ReadIncomplete(f"The {what} of Acme kept changing while they were read.", hint="Try again.")
