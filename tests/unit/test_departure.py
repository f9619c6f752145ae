"""The way of a request from its intent to the wire: everything that may stop it is asked again when it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from raw_server import RawServer, answer

from reconciler.app.leasing import Held
from reconciler.apply import control as control_module
from reconciler.apply.control import Control, Elapsed
from reconciler.apply.departure import NOT_AFTER_S, Stop
from reconciler.apply.journal import Intending, Journal, Recorded, Verdict
from reconciler.apply.operation import Operator
from reconciler.errors import LeaseHeld, NoAnswer, ProviderError, Withheld
from reconciler.model.addresses import Address, Kind
from reconciler.model.inventory import Owned
from reconciler.model.kinds import ContactClass
from reconciler.plan.calls import Call, Created, Effect, Method, Phase, Step
from reconciler.providers import http
from reconciler.providers.base import Answer, Start, at_once
from reconciler.providers.http import Http, Pace, StaticAuth
from reconciler.store import Lease

ADDRESS = Address("main", Kind.LIST, "a")
CALL = Call(method=Method.POST, path=("lists",), body={"name": "A"})
STEP = Step(phase=Phase.LIST, title="create", call=CALL, effect=Created(kind=Kind.LIST, name="A", fields={}))


@dataclass
class Books:
    """A ledger in memory."""

    intents: list[Intending] = field(default_factory=list)
    outcomes: list[Recorded] = field(default_factory=list)

    def intend(self, intents: list[Intending]) -> list[int]:
        self.intents += intents
        return list(range(len(self.intents) - len(intents), len(self.intents)))

    def record(self, outcomes: list[Recorded]) -> None:
        self.outcomes += outcomes

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    def own(self, owned: list[Owned], gone: list[Address]) -> None: ...


@dataclass
class Clock:
    """Both clocks, set by hand."""

    monotonic_s: float = 1000.0
    wall_s: float = 5000.0

    def monotonic(self) -> float:
        return self.monotonic_s

    def time(self) -> float:
        return self.wall_s

    def goes_on(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.wall_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(control_module, "time", made)
    return made


class Wire:
    """A session that waits as it is told, and counts what left."""

    requests = 0

    def __init__(self, *waits: Callable[[], None], again: bool = True) -> None:
        self.waits, self.again, self.left = waits or (lambda: None,), again, 0

    async def send(self, call: Call, effect: Effect, *, start: Start = at_once) -> Answer:
        for index, wait in enumerate(self.waits):
            wait()
            await start(again=self.again and index > 0)
            self.left += 1
        return Answer(status=201)


def sent(wire: Wire, control: Control, books: Books) -> Any:
    """What comes of one request: the failure, None for an answer, or Stop."""

    async def main() -> Any:
        journal = Journal(books)
        operator = Operator(
            session=wire,  # type: ignore[arg-type]
            journal=journal,
            control=control,
            account="main",
            landing_s=0,
            visibility_s=0,
            slots=1,
        )
        try:
            _, _, failure = await operator.send(ADDRESS, STEP, {})
        except Stop as stop:
            return stop
        finally:
            await journal.close()
        assert operator.under_way == set()
        return failure

    return asyncio.run(main())


def test_nothing_in_the_way(tmp_path: Path, clock: Clock) -> None:
    wire, books = Wire(), Books()
    assert sent(wire, Control(root=tmp_path), books) is None
    assert (wire.left, len(books.intents), books.outcomes) == (1, 1, [])


def stops(tmp_path: Path, control: Control, clock: Clock) -> dict[str, Callable[[], None]]:
    return {
        "freeze": lambda: (tmp_path / "FREEZE").touch(),
        "deadline": lambda: clock.goes_on(60),
        "interrupt": lambda: control.interrupt(terminated=False),
        "credentials": lambda: control.halted.update(main="refused"),
    }


@pytest.mark.parametrize("what", ["freeze", "deadline", "interrupt", "credentials"])
def test_what_happens_while_a_request_waits_keeps_it_from_leaving(tmp_path: Path, clock: Clock, what: str) -> None:
    control = Control(root=tmp_path, deadline=1005.0)
    wire, books = Wire(stops(tmp_path, control, clock)[what]), Books()
    stopped = sent(wire, control, books)
    assert isinstance(stopped, Stop)
    assert wire.left == 0
    assert [o.verdict for o in books.outcomes] == [Verdict.NOT_PROCESSED]


def test_a_lease_that_was_lost_meanwhile_keeps_it_from_leaving(tmp_path: Path, clock: Clock) -> None:
    async def lost() -> str:
        return "taken over" if wire.waits else ""

    control = Control(root=tmp_path)
    books, wire = Books(), Wire()
    wire.waits = (lambda: setattr(control, "lost", lost),)
    stopped = sent(wire, control, books)
    assert isinstance(stopped, Stop)
    assert stopped.reason == "taken over"
    assert wire.left == 0


@pytest.mark.parametrize("waited_s", [NOT_AFTER_S - 0.1, NOT_AFTER_S, 70.0])
def test_a_request_that_is_late_gets_a_new_intent_and_never_leaves_after_its_bound(
    tmp_path: Path, clock: Clock, waited_s: float
) -> None:
    wire, books = Wire(lambda: clock.goes_on(waited_s)), Books()
    assert sent(wire, Control(root=tmp_path), books) is None
    late = waited_s >= NOT_AFTER_S
    assert len(books.intents) == (2 if late else 1)
    assert [o.verdict for o in books.outcomes] == ([Verdict.NOT_PROCESSED] if late else [])


def test_a_machine_that_slept_shows_it_on_the_wall_clock_alone(tmp_path: Path, clock: Clock) -> None:
    def sleep() -> None:
        clock.wall_s += 3600

    wire, books = Wire(sleep), Books()
    assert sent(wire, Control(root=tmp_path), books) is None
    assert len(books.intents) == 2


def test_a_clock_set_back_shortens_no_time(clock: Clock) -> None:
    since = Elapsed()
    clock.goes_on(50)
    clock.wall_s -= 86_400
    assert since.seconds == 50


def test_what_was_turned_away_and_is_stopped_then_was_not_processed(tmp_path: Path, clock: Clock) -> None:
    wire, books = Wire(lambda: None, lambda: (tmp_path / "FREEZE").touch()), Books()
    assert isinstance(sent(wire, Control(root=tmp_path), books), Stop)
    assert wire.left == 1
    assert [o.verdict for o in books.outcomes] == [Verdict.NOT_PROCESSED]


def test_what_left_in_part_and_is_stopped_then_is_unknown(tmp_path: Path, clock: Clock) -> None:
    wire, books = Wire(lambda: None, lambda: (tmp_path / "FREEZE").touch(), again=False), Books()
    assert isinstance(sent(wire, Control(root=tmp_path), books), NoAnswer)
    assert wire.left == 1
    assert books.outcomes == []


def test_the_second_part_of_a_request_is_announced_anew_when_it_is_late(tmp_path: Path, clock: Clock) -> None:
    wire, books = Wire(lambda: None, lambda: clock.goes_on(40), again=False), Books()
    assert sent(wire, Control(root=tmp_path), books) is None
    assert len(books.intents) == 2
    assert [o.verdict for o in books.outcomes] == [Verdict.VOID]


# --- the HTTP core asks


def over_http(
    script: list[Any], use: Callable[[Http, RawServer], Awaitable[Any]], monkeypatch: pytest.MonkeyPatch
) -> Any:
    monkeypatch.setattr(http, "backoff_s", lambda attempt, *, base_s: 0.0)

    async def main() -> Any:
        async with RawServer(script, {}) as server:
            core = Http(
                account="main",
                base_url=server.url,
                auth=StaticAuth({}),
                pace=Pace(timeout_s=5.0),
                read_only=False,
                error_text=lambda body, raw: "",
            )
            try:
                return await use(core, server)
            finally:
                await core.aclose()

    return asyncio.run(main())


def test_every_attempt_is_asked_for_and_reads_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    async def start(*, again: bool) -> None:
        asked.append(again)

    async def use(core: Http, server: RawServer) -> None:
        await core.send(CALL, start=start)
        await core.get("lists")

    over_http([answer(status=429, headers={"retry-after": "0"}), answer(), answer()], use, monkeypatch)
    assert asked == [False, True]


def test_what_is_withheld_is_neither_sent_nor_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def start(*, again: bool) -> None:
        raise Withheld("frozen")

    async def use(core: Http, server: RawServer) -> tuple[ProviderError, int]:
        with pytest.raises(Withheld) as caught:
            await core.send(CALL, start=start)
        return caught.value, len(server.seen)

    failure, seen = over_http([answer()], use, monkeypatch)
    assert (failure.message, seen) == ("frozen", 0)


# --- announced ahead


class Unanswered(Wire):
    """A session whose requests leave and are never answered."""

    async def send(self, call: Call, effect: Effect, *, start: Start = at_once) -> Answer:
        await start(again=False)
        self.left += 1
        await asyncio.Event().wait()
        raise AssertionError("nobody answers")


def cancelled(step: Step, tmp_path: Path) -> tuple[Books, Unanswered]:
    """Five requests for the one place there is, all of them stopped while the first is under way."""

    async def main() -> None:
        journal = Journal(books)
        operator = Operator(
            session=session,  # type: ignore[arg-type]
            journal=journal,
            control=Control(root=tmp_path),
            account="main",
            landing_s=0,
            visibility_s=0,
            slots=1,
        )
        waiting = [asyncio.ensure_future(operator.send(ADDRESS, step, {})) for _ in range(5)]
        while not session.left:
            await asyncio.sleep(0.001)
        for _ in range(20):  # whoever might be announced by now is
            await asyncio.sleep(0.001)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await journal.close()

    books, session = Books(), Unanswered()
    asyncio.run(main())
    return books, session


def test_one_more_than_there_is_a_place_for_is_announced_and_known_not_to_have_left(tmp_path: Path) -> None:
    books, session = cancelled(STEP, tmp_path)
    assert (session.left, len(books.intents)) == (1, 2)
    assert sorted((o.op, o.verdict) for o in books.outcomes) == [(0, Verdict.UNKNOWN), (1, Verdict.NOT_PROCESSED)]


def test_what_starts_contacting_people_is_announced_in_its_turn(tmp_path: Path) -> None:
    books, session = cancelled(replace(STEP, contact_class=ContactClass.STARTS_CONTACTING), tmp_path)
    assert (session.left, len(books.intents)) == (1, 1)
    assert [o.verdict for o in books.outcomes] == [Verdict.UNKNOWN]


# --- the lease


class Leases:
    """A store that renews until somebody takes over."""

    def __init__(self) -> None:
        self.renewed, self.taken = 0, False

    def renew(self, lease: Any) -> Any:
        if self.taken:
            raise LeaseHeld("somebody else has the lease")
        self.renewed += 1
        return lease


def test_the_lease_is_renewed_before_anything_leaves_after_a_gap(clock: Clock) -> None:
    store = Leases()
    held = Lease(identities=("x",), nonce="n", expires=datetime.now(UTC), ttl=timedelta(seconds=60))
    lease = Held(store, held)  # type: ignore[arg-type]
    clock.goes_on(29.9)
    assert asyncio.run(lease.lost()) == ""
    assert store.renewed == 0
    clock.wall_s += 3600  # asleep: the monotonic clock stands still
    assert asyncio.run(lease.lost()) == ""
    assert store.renewed == 1
    store.taken = True
    assert asyncio.run(lease.lost()) == ""
    clock.goes_on(30)
    assert asyncio.run(lease.lost()) == "somebody else has the lease"
