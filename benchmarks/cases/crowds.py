"""Everything that a plan of one enormous list takes, as a command: contact file, live list by HTTP, store, digest."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import tempfile
from pathlib import Path
from types import GenericAlias
from typing import TYPE_CHECKING, Any

from benchmarks.case import Budget, Cap, Case, Ratio, Size, Task, Variant
from benchmarks.child import Stopwatch
from benchmarks.platform import MOST

if TYPE_CHECKING:
    import polars

Facts = dict[str, float]

_APART = 0.0005
"""The share of people who are declared and not on the list; as many are on it and not declared."""
_KEPT = 100_000
"""Numbers that a connection keeps as Python's text before they become a column."""
_PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: crowd}
---
apiVersion: slicktext/v1
kind: Account
metadata: {name: main}
spec:
  brandId: "26136"
  baseUrl: URL
  auth: {apiKey: {env: SLICKTEXT_API_KEY}}
  limits: {concurrency: 8}
  maxRows: 20000000
---
apiVersion: slicktext/v1
kind: List
metadata: {name: everybody}
spec: {name: Everybody}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: everybody}
spec:
  list: everybody
  mode: exact
  contactsFrom: [{file: people.csv}]
"""
_STORE = "sqlite:///store.db"


def prepare(folder: Path, watch: Stopwatch, size: int) -> None:
    """``size`` declared people, and a store that has all of them in its inventory."""
    from benchmarks.crowd import write_people

    (folder / "size").write_text(str(size), encoding="ascii")
    write_people(folder / "people.csv", size)
    _own(folder, size)


def _own(folder: Path, size: int) -> None:
    """A store in which the list is ours with everybody on it, as after an apply."""
    from benchmarks.crowd import NAME, digits
    from reconciler.model.addresses import Address, Kind, RemoteId
    from reconciler.model.hashes import MemberHashes
    from reconciler.model.inventory import Owned
    from reconciler.model.keys import member_hasher
    from reconciler.store import open_store

    with open_store(_STORE, namespace="crowd/", create=True, root=folder) as store:
        hashed, of = member_hasher(store.inventory().key), RemoteId("1")
        everybody = MemberHashes(hashed(f"+{digits(i)}") for i in range(size))
        run = store.begin_run("apply", tool_version="bench")
        with run.batch():
            run.identity("main", "slicktext:127.0.0.1:brand=26136")
            where = Address("main", Kind.LIST, "everybody")
            run.own(Owned(address=where, provider="slicktext", remote_id=of, fields={"name": NAME}))
            run.own(
                Owned(
                    address=Address("main", Kind.MEMBERSHIP, "everybody"),
                    provider="slicktext",
                    remote_id=of,
                    parent=of,
                    applied=everybody,
                    added=everybody,
                )
            )
        run.close(exit_code=0)


def _size(folder: Path) -> int:
    return int((folder / "size").read_text(encoding="ascii"))


def serve(folder: Path, watch: Stopwatch, drifted: int) -> Facts:
    """A brand with these people on its list, or with some of them replaced by others."""
    from benchmarks.crowd import Crowd
    from benchmarks.serving import serve

    size = _size(folder)
    apart = max(1, round(size * _APART)) if drifted else 0
    return serve(Crowd(size + apart, apart).answer)


def floor(folder: Path, watch: Stopwatch, book: int) -> Facts:
    """The same pages on bare sockets, decoded into numbers and nothing else, and anti-joins with the file both ways.

    ``book``: the address book as well, which a plan reads for whoever is to be added.
    """
    import polars as pl

    with watch:
        numbers = asyncio.run(_numbers("lists/1/contacts"))
        if book:
            asyncio.run(_numbers("contacts"))
        live = pl.DataFrame({"number": pl.concat(numbers)}).lazy()
        declared = pl.scan_csv(folder / "people.csv", infer_schema=False)
        adds, removes = pl.collect_all(
            [declared.join(live, on="number", how="anti"), live.join(declared, on="number", how="anti")],
            engine="streaming",
        )
    return {"adds": len(adds), "removes": len(removes)}


async def _numbers(path: str) -> list[polars.Series]:
    """Of everybody in a collection, as many pages at a time as our account may ask for."""
    import msgspec
    import polars as pl

    contacts = GenericAlias(list, (msgspec.defstruct("Contact", [("mobile_number", str)], gc=False),))
    decoder: Any = msgspec.json.Decoder(msgspec.defstruct("Page", [("data", contacts)]))
    host, _, port = os.environ["BENCH_URL"].removeprefix("http://").partition(":")
    pages, numbers, ended = itertools.count(), list[pl.Series](), False

    async def connection() -> None:
        nonlocal ended
        reader, writer = await asyncio.open_connection(host, int(port))
        found: list[str] = []
        while not ended:
            target = f"/v1/brands/26136/{path}?limit={MOST}&offset={next(pages) * MOST}"
            writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            page = decoder.decode(await reader.readexactly(int(head.rpartition(b"Length: ")[2])))
            found += [row.mobile_number for row in page.data]
            ended = ended or not page.data
            if ended or len(found) >= _KEPT:
                numbers.append(pl.Series(found, dtype=pl.String))
                found = []
        writer.close()

    await asyncio.gather(*(connection() for _ in range(8)))
    return numbers


def ours(folder: Path, watch: Stopwatch, owned: int) -> Facts:
    """``reconciler plan`` as a user types it, with an empty store or one that knows everybody; what it found."""
    from reconciler.cli import run

    os.environ["SLICKTEXT_API_KEY"] = "a-key"
    root = Path(tempfile.mkdtemp(dir=folder))
    try:
        (root / "reconciler.yaml").write_text(_PROJECT.replace("URL", os.environ["BENCH_URL"]), encoding="utf-8")
        (root / "people.csv").hardlink_to(folder / "people.csv")
        if owned:
            shutil.copy(folder / "store.db", root / "store.db")
        os.chdir(root)
        with watch:
            code = run(["plan", "--store", _STORE, "--out", "plan.json"])
        assert code == 0, f"the plan ended with {code}"
        summary = json.loads((root / "plan.json").read_text(encoding="utf-8"))["summary"]
    finally:
        shutil.rmtree(root)
    return {"adds": summary["membersAdd"], "removes": summary["membersRemove"]}


# --- cases


def _case(name: str, about: str, *, drifted: int, owned: int) -> Case:
    server = Task(target=f"{__name__}:serve", arguments={"drifted": drifted})

    def variant(function: str, **arguments: int) -> Variant:
        return Variant(name=function, run=Task(target=f"{__name__}:{function}", arguments=arguments), server=server)

    def ratio(what: str, value: str) -> Budget:
        peer = "bare sockets, the same pages decoded into numbers, and anti-joins"
        return Budget(what=what, peer=peer, measure=Ratio(of="ours", to="floor", value=value), seconds=value)

    return Case(
        name=f"crowd-{name}",
        what=f"`reconciler plan` as a whole, as many people declared as live, by HTTP: {about}",
        prepare=f"{__name__}:prepare",
        sizes={Size.TINY: 3_000, Size.NORMAL: 500_000, Size.LARGE: 10_000_000},
        variants=(variant("floor", book=drifted), variant("ours", owned=owned)),
        budgets=(
            Budget(
                what=f"plan of a list of as many people, {about}: memory",
                peer="whole process",
                measure=Cap(of="ours", at_most=1024),
            ),
            ratio(f"plan of a list of as many people, {about}", "wall_s"),
            ratio(f"plan of a list of as many people, {about}: CPU", "cpu_s"),
        ),
        agree=("adds", "removes"),
        runs=1,
    )


CASES = (
    _case("first", "0.1 % apart, nothing known", drifted=1, owned=0),
    _case("second", "nothing apart, everybody in the inventory", drifted=0, owned=1),
)
