"""Requests at 20 ms of latency: how near to ``c / latency`` they get, reads and writes, 1, 8 and 32 at a time."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.case import Budget, Case, Ratio, Share, Size, Task, Variant
from benchmarks.child import Stopwatch

Facts = dict[str, float]

_LATENCY_S = 0.020
_AT_LEAST = {1: 0.9, 8: 0.9, 32: 0.8}
_PER_PAGE = 100
_LIST = "apiVersion: slicktext/v1\nkind: List\nmetadata: {{name: list-{i}}}\nspec: {{name: List number {i}}}\n"
_MEMBERSHIP = """\
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: everybody}
spec:
  list: list-0
  mode: exact
  missingContacts: create
  contactsFrom: [{file: people.csv}]
"""


def prepare(folder: Path, watch: Stopwatch, size: int) -> None:
    """``size`` is how many requests each connection makes, one after the other."""
    (folder / "size").write_text(str(size), encoding="ascii")


def _size(folder: Path) -> int:
    return int((folder / "size").read_text(encoding="ascii"))


# --- the other end


def serve(folder: Path, watch: Stopwatch, concurrency: int, mark: str, members: int = 0) -> Facts:
    """A brand at 20 ms; ``members`` pages for each request in a row of its one list."""
    from benchmarks.data import number
    from benchmarks.platform import Brand
    from benchmarks.serving import serve

    brand = Brand()
    if members:
        brand.add_list("List number 0", None)
        count = members * concurrency * _size(folder) * _PER_PAGE
        for i in range(count):
            brand.add_contact(number(i))
        brand.add_members(1, range(1, count + 1))
    return serve(brand.answer, latency_s=_LATENCY_S, concurrency=concurrency, mark=mark)


def serve_burst(folder: Path, watch: Stopwatch, concurrency: int) -> Facts:
    """A brand that after a while turns everything away for a moment, and asks for a pause. Counted are the answers a
    second before, and those from the first answer after it on."""
    from benchmarks.platform import Brand
    from benchmarks.serving import served

    each_s, pause_s = _burst(folder)
    began: list[float] = []
    away: list[float] = []

    def throttle(now: float) -> float:
        """Whatever is under way at that moment, if it is a single request."""
        began.append(now)
        if now - began[0] < each_s or (away and now - away[0] > pause_s / 2):
            return 0.0
        away.append(now)
        return pause_s

    log = served(Brand().answer, latency_s=_LATENCY_S, throttle=throttle)
    burst = log.turned_away[0]
    again = min(left for left in log.left if left > log.turned_away[-1] + pause_s)
    before = sum(left < burst for left in log.left) / (burst - log.left[0])
    after = sum(again <= left < again + each_s for left in log.left) / each_s
    return {"before_per_s": before, "after_per_s": after, "turned_away": float(len(log.turned_away))}


def _burst(folder: Path) -> tuple[float, float]:
    """How long requests are counted before and after, and how long a pause is asked for."""
    return _size(folder) * _LATENCY_S, _size(folder) * _LATENCY_S / 2


# --- the ceiling


def bare_reads(folder: Path, watch: Stopwatch, concurrency: int) -> None:
    """One small read after the other on as many sockets."""
    asyncio.run(_on_sockets(b"GET /v1/brands HTTP/1.1\r\nHost: x\r\n\r\n", concurrency, _size(folder)))


def bare_writes(folder: Path, watch: Stopwatch, concurrency: int) -> None:
    """One small write after the other on as many sockets."""
    body = b'{"mobile_number": "+12025550123"}'
    head = b"POST /v1/brands/26136/contacts HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    asyncio.run(_on_sockets(head + body, concurrency, _size(folder)))


async def _on_sockets(request: bytes, concurrency: int, each: int) -> None:
    host, _, port = os.environ["BENCH_URL"].removeprefix("http://").partition(":")

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for _ in range(each):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.rpartition(b"Length: ")[2]))
        writer.close()

    await asyncio.gather(*(connection() for _ in range(concurrency)))


# --- ours


def core_reads(folder: Path, watch: Stopwatch, concurrency: int) -> None:
    """The HTTP core under every adapter, asked by as many workers as the account may have requests."""
    _read_brands(concurrency, range(concurrency * _size(folder)))


def burst_reads(folder: Path, watch: Stopwatch, concurrency: int) -> None:
    """The same, for as long as the server counts, and a little."""
    each_s, pause_s = _burst(folder)
    end = time.monotonic() + 2 * each_s + 2 * pause_s + 0.5
    _read_brands(concurrency, itertools.takewhile(lambda _: time.monotonic() < end, itertools.count()))


def _read_brands(concurrency: int, times: Iterable[int]) -> None:
    from reconciler.providers.http import Http, Pace, StaticAuth

    async def run() -> None:
        http = Http(
            account="main",
            base_url=os.environ["BENCH_URL"] + "/v1",
            auth=StaticAuth({"authorization": "Bearer a-key"}),
            pace=Pace(concurrency=concurrency),
            read_only=True,
            error_text=lambda body, raw: "",
        )
        left = iter(times)

        async def worker() -> None:
            for _ in left:
                await http.get("brands")

        await asyncio.gather(*(worker() for _ in range(concurrency)))
        await http.aclose()

    asyncio.run(run())


def fetch_list(folder: Path, watch: Stopwatch, concurrency: int) -> None:
    """What a plan reads of an account whose one list has many people: page after page, a hundred on each."""
    from reconciler.manifest.load import load
    from reconciler.model.inventory import Inventory
    from reconciler.providers.base import Scope
    from reconciler.providers.reading import connected, read
    from reconciler.providers.registry import get

    with _repository(folder, concurrency, lists=1, people=1) as root:
        loaded = load([root])
    assert loaded.desired is not None, loaded.diagnostics[:3]
    scope = Scope(desired=loaded.desired, inventory=Inventory())

    async def run() -> int:
        accounts = scope.desired.accounts
        async with connected(accounts, {"slicktext": get("slicktext")}, read_only=True) as sessions:
            state = (await read(accounts, sessions, scope)).accounts["main"]
        members = getattr(state, "members", None)
        assert members, state
        return sum(each.count for each in members.values())

    members = asyncio.run(run())
    assert members == concurrency * _size(folder) * _PER_PAGE, members


def apply_lists(folder: Path, watch: Stopwatch, concurrency: int) -> None:
    """``reconciler apply`` of new lists: each looked for, created, journaled and read back by itself."""
    _apply(folder, concurrency, lists=max(2, concurrency * _size(folder) // 3), people=0)


def apply_contacts(folder: Path, watch: Stopwatch, concurrency: int) -> None:
    """``reconciler apply`` of a membership of new people: one write each, journaled."""
    _apply(folder, concurrency, lists=1, people=concurrency * _size(folder))


def unjournaled_contacts(folder: Path, watch: Stopwatch, concurrency: int) -> None:
    """``apply_contacts``, with a ledger that takes intents and outcomes and writes none of them."""
    _unjournaled()
    apply_contacts(folder, watch, concurrency)


def unjournaled_lists(folder: Path, watch: Stopwatch, concurrency: int) -> None:
    """``apply_lists`` in the same way. What is ours is written down: without, there would be something to do again."""
    _unjournaled()
    apply_lists(folder, watch, concurrency)


def _unjournaled() -> None:
    from reconciler.app import running
    from reconciler.apply.journal import Intending, Recorded
    from reconciler.model.addresses import Address
    from reconciler.model.inventory import Owned

    class Unwritten(running.RunLedger):
        numbers = 0

        @contextmanager
        def together(self) -> Iterator[None]:
            yield

        def intend(self, intents: list[Intending]) -> list[int]:
            self.numbers += len(intents)
            return list(range(self.numbers - len(intents), self.numbers))

        def own(self, owned: list[Owned], gone: list[Address]) -> None:
            with super().together():
                super().own(owned, gone)

        def record(self, outcomes: list[Recorded]) -> None:
            pass

    vars(running)["RunLedger"] = Unwritten


def _apply(folder: Path, concurrency: int, *, lists: int, people: int) -> None:
    from reconciler.cli import run

    with _repository(folder, concurrency, lists=lists, people=people) as root:
        code = run(["apply", str(root), "--yes", "--store", f"sqlite:///{root}/store.db", "--format", "concise"])
    assert code == 0, f"the apply ended with {code}"


class _repository:
    """A repository for one run, at the server's address; away afterwards."""

    def __init__(self, folder: Path, concurrency: int, *, lists: int, people: int) -> None:
        from benchmarks.data import number
        from benchmarks.platform import ACCOUNT, KEY

        os.environ.update(KEY)
        self.root = Path(tempfile.mkdtemp(dir=folder))
        text = ACCOUNT.format(url=os.environ["BENCH_URL"], concurrency=concurrency)
        text += "".join("---\n" + _LIST.format(i=i) for i in range(lists))
        (self.root / "all.yaml").write_text(text + (_MEMBERSHIP if people else ""), encoding="utf-8")
        numbers = "".join(number(i) + "\n" for i in range(people))
        (self.root / "people.csv").write_text("number\n" + numbers, encoding="utf-8")

    def __enter__(self) -> Path:
        return self.root

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.root)


# --- cases


def _sizes(concurrency: int) -> frozenset[Size]:
    """One of them is enough to see that all of them still run."""
    return frozenset({Size.TINY, Size.NORMAL}) if concurrency == 8 else frozenset({Size.NORMAL})


def _variants(function: Callable[..., object], mark: str, **server: int) -> tuple[Variant, ...]:
    return tuple(
        Variant(
            name=f"{function.__name__} {c}",
            run=Task(target=f"{__name__}:{function.__name__}", arguments={"concurrency": c}),
            server=Task(target=f"{__name__}:serve", arguments={"concurrency": c, "mark": mark, **server}),
            sizes=_sizes(c),
        )
        for c in _AT_LEAST
    )


def _budgets(what: str, function: Callable[..., object], *, shown: bool = False) -> tuple[Budget, ...]:
    return tuple(
        Budget(
            what=f"{what}, {c} at a time",
            peer="ideal: concurrency / latency",
            measure=Share(
                of=f"{function.__name__} {c}",
                part="ideal_s",
                whole="window_s",
                at_least=None if shown else least,
            ),
            seconds="window_s",
            sizes=_sizes(c),
        )
        for c, least in _AT_LEAST.items()
    )


def _journal_costs(what: str, journaled: Callable[..., object], not_: Callable[..., object]) -> tuple[Budget, ...]:
    return tuple(
        Budget(
            what=f"{what}, {c} at a time: with its journal",
            peer="a ledger that writes no intent and no outcome",
            measure=Ratio(of=f"{journaled.__name__} {c}", to=f"{not_.__name__} {c}", value="window_s", at_most=1.05),
            seconds="window_s",
            sizes=_sizes(c),
        )
        for c in _AT_LEAST
    )


def _bursts(*at_once: int) -> Case:
    return Case(
        name="burst",
        what="reads before and after a moment in which everything is answered 429 with a Retry-After",
        prepare=f"{__name__}:prepare",
        sizes=_SIZES,
        variants=tuple(
            Variant(
                name=f"burst_reads {c}",
                run=Task(target=f"{__name__}:burst_reads", arguments={"concurrency": c}),
                server=Task(target=f"{__name__}:serve_burst", arguments={"concurrency": c}),
                sizes=_sizes(c),
            )
            for c in at_once
        ),
        budgets=tuple(
            Budget(
                what=f"answers a second after a burst of 429, {c} at a time",
                peer="before it",
                measure=Share(of=f"burst_reads {c}", part="after_per_s", whole="before_per_s", at_least=0.9),
                sizes=_sizes(c),
            )
            for c in at_once
        ),
    )


_SIZES = {Size.TINY: 3, Size.NORMAL: 100}

CASES = (
    Case(
        name="reads",
        what="reads at 20 ms of latency, 1, 8 and 32 at a time",
        prepare=f"{__name__}:prepare",
        sizes=_SIZES,
        variants=(
            *_variants(bare_reads, ""),
            *_variants(core_reads, ""),
            *_variants(fetch_list, "GET /contacts", members=1),
        ),
        budgets=(
            *_budgets("reads at 20 ms, HTTP core", core_reads),
            *_budgets("people of one list at 20 ms, 100 a page", fetch_list),
            *_budgets("reads at 20 ms, bare sockets", bare_reads, shown=True),
        ),
    ),
    Case(
        name="writes",
        what="writes at 20 ms of latency, journal included, 1, 8 and 32 at a time",
        prepare=f"{__name__}:prepare",
        sizes=_SIZES,
        variants=(
            *_variants(bare_writes, "POST"),
            *_variants(apply_contacts, "POST 26136/contacts"),
            *_variants(apply_lists, "POST"),
        ),
        budgets=(
            *_budgets("apply of new people at 20 ms, journaled", apply_contacts),
            *_budgets("apply of new lists at 20 ms, each read back", apply_lists),
            *_budgets("writes at 20 ms, bare sockets", bare_writes, shown=True),
        ),
    ),
    Case(
        name="journal",
        what="applies at 20 ms of latency with their journal and without it, 1, 8 and 32 at a time",
        prepare=f"{__name__}:prepare",
        sizes=_SIZES,
        variants=(
            *_variants(apply_contacts, "POST 26136/contacts"),
            *_variants(unjournaled_contacts, "POST 26136/contacts"),
            *_variants(apply_lists, "POST"),
            *_variants(unjournaled_lists, "POST"),
        ),
        budgets=(
            *_journal_costs("apply of new people at 20 ms", apply_contacts, unjournaled_contacts),
            *_journal_costs("apply of new lists at 20 ms", apply_lists, unjournaled_lists),
        ),
    ),
    _bursts(8, 32),
)
