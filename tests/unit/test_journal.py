"""Group commit: what is waiting shares one transaction, in an order that a crash may cut anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.running import RunLedger
from reconciler.apply.journal import Intending, Journal, Recorded, Verdict
from reconciler.errors import StoreError
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.inventory import Owned
from reconciler.plan.calls import Call, Created, Method, Phase, Step
from reconciler.store import open_store

CALL = Call(method=Method.POST, path=("lists",), body={"name": "A"})
STEP = Step(phase=Phase.LIST, title="create", call=CALL, effect=Created(kind=Kind.LIST, name="A", fields={}))


def address(name: str) -> Address:
    return Address("main", Kind.LIST, name)


def intending(name: str = "a") -> Intending:
    return Intending(address=address(name), batch=STEP, not_after_s=10)


def ours(name: str, remote_id: str = "7") -> Owned:
    return Owned(address=address(name), provider="slicktext", remote_id=RemoteId(remote_id))


def done(op: int) -> Recorded:
    return Recorded(op=op, verdict=Verdict.DONE)


@dataclass
class Books:
    """A ledger in memory: what each transaction wrote, in its order. ``fails`` is asked before each commit."""

    fails: Callable[[list[str]], bool] = lambda written: False
    transactions: list[list[str]] = field(default_factory=list)
    numbers: int = 0

    @contextmanager
    def together(self) -> Iterator[None]:
        self.transactions.append([])
        yield
        if self.fails(self.transactions[-1]):
            self.transactions.pop()
            raise StoreError("the disk is full")

    def intend(self, intents: list[Intending]) -> list[int]:
        self.transactions[-1] += [f"intent {i.address.name}" for i in intents]
        self.numbers += len(intents)
        return list(range(self.numbers - len(intents) + 1, self.numbers + 1))

    def own(self, owned: list[Owned], gone: list[Address]) -> None:
        self.transactions[-1] += [f"own {o.address.name}" for o in owned]
        self.transactions[-1] += [f"disown {a.name}" for a in gone]

    def record(self, outcomes: list[Recorded]) -> None:
        self.transactions[-1] += [f"outcome {o.op}" for o in outcomes]


def journaled(books: Books, *work: Callable[[Journal], Coroutine[Any, Any, Any]]) -> list[Any]:
    """What becomes of callers that come at the same time, one after the other; failures as they are."""

    async def main() -> list[Any]:
        journal = Journal(books)
        ended = await asyncio.gather(*(one(journal) for one in work), return_exceptions=True)
        await journal.close()
        return ended

    return asyncio.run(main())


def test_who_comes_together_shares_one_transaction() -> None:
    books = Books()
    told = journaled(
        books,
        lambda j: j.intend(intending("a")),
        lambda j: j.record([done(8)]),
        lambda j: j.own(ours("c")),
        lambda j: j.intend(intending("b"), intending("d")),
    )
    assert books.transactions == [["intent a", "intent b", "intent d", "own c", "outcome 8"]]
    assert told == [[1], None, None, [2, 3]]


def test_what_was_created_is_ours_no_later_than_its_outcome() -> None:
    books = Books()
    journaled(books, lambda j: j.record([done(1)]), lambda j: j.own(ours("a")))
    assert books.transactions == [["own a", "outcome 1"]]


def test_an_address_that_was_let_go_of_may_be_taken_again() -> None:
    books = Books()
    journaled(
        books,
        lambda j: j.own(ours("b"), gone=[address("a")]),
        lambda j: j.own(gone=[address("c")]),
        lambda j: j.own(ours("a")),
    )
    assert books.transactions == [["own b", "disown a", "disown c", "own a"]]


def test_nobody_in_a_transaction_that_failed_may_go_on() -> None:
    books = Books(fails=lambda written: "own b" in written)
    told = journaled(books, lambda j: j.intend(intending()), lambda j: j.own(ours("b")), lambda j: j.record([done(8)]))
    assert [type(one) for one in told] == [StoreError] * 3
    assert books.transactions == []


def test_a_failure_is_not_the_next_ones() -> None:
    books = Books(fails=lambda written: "own b" in written)

    async def after(journal: Journal) -> list[int]:
        with pytest.raises(StoreError):
            await journal.own(ours("b"))
        return await journal.intend(intending("c"))

    assert journaled(books, after) == [[1]]
    assert books.transactions == [["intent c"]]


def test_a_request_that_nobody_will_send_is_not_announced() -> None:
    async def main() -> None:
        journal = Journal(books)
        await journal.own(ours("a"))
        waiting = [
            asyncio.ensure_future(journal.intend(intending("b"))),
            asyncio.ensure_future(journal.record([done(8)])),
            asyncio.ensure_future(journal.own(ours("c"))),
        ]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await journal.close()

    books = Books()
    asyncio.run(main())
    # What has happened is written down all the same, and closing waits for it.
    assert books.transactions == [["own a"], ["own c", "outcome 8"]]


def test_a_plan_is_not_used_up_by_a_transaction_that_failed(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/store.db", namespace="shop", create=True) as store:
        run = store.begin_run("apply", tool_version="1.0", plan_digest="d1")
        ledger = RunLedger(run, b"k" * 32, "d1")

        def both() -> None:
            with ledger.together():
                ledger.intend([intending()])
                ledger.record([done(99)])

        with pytest.raises(StoreError, match="not open"):
            both()
        assert not store.plan_used("d1")
        assert store.operations(run.id) == ()
        with ledger.together():
            ledger.intend([intending()])
        assert store.plan_used("d1")
        assert len(store.operations(run.id)) == 1
