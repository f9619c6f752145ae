"""Requests at 20 ms of latency: how near to ``c / latency`` they get, reads and writes, 1, 8 and 32 at a time."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.case import Budget, Case, Share, Size, Task, Variant
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
        left = iter(range(concurrency * _size(folder)))

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
)
