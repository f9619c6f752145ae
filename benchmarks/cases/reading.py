"""Reading one long live list, as a plan does, beside nothing but decoding the same bytes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import GenericAlias

from benchmarks.case import Budget, Cap, Case, Ratio, Size, Task, Variant
from benchmarks.child import Stopwatch
from benchmarks.pages import Shape

Facts = dict[str, float]


def prepare_slicktext(folder: Path, watch: Stopwatch, size: int) -> None:
    """Pages of 100 people."""
    from benchmarks.pages import write

    write(folder, Shape.SLICKTEXT, size)
    (folder / "size").write_text(str(size), encoding="ascii")


def prepare_exotel(folder: Path, watch: Stopwatch, size: int) -> None:
    """Pages of 500 people."""
    from benchmarks.pages import write

    write(folder, Shape.EXOTEL, size)
    (folder / "size").write_text(str(size), encoding="ascii")


def serve(folder: Path, watch: Stopwatch, shape: str) -> Facts:
    """The pages, from the page cache."""
    from benchmarks.pages import Pages
    from benchmarks.serving import serve

    pages, people = Pages(folder, Shape(shape)), int((folder / "size").read_text(encoding="ascii"))
    return serve(lambda method, target, body: pages.answer(people, target))


def ours(folder: Path, watch: Stopwatch, shape: str) -> Facts:
    """The members of a list as a plan reads them, from the session's first request to the ContactSet."""
    from benchmarks.data import number
    from benchmarks.pages import REPOSITORY, STYLES
    from reconciler.manifest.load import load
    from reconciler.model.inventory import Inventory
    from reconciler.model.live import AccountLive
    from reconciler.providers.base import Scope
    from reconciler.providers.reading import connected, read
    from reconciler.providers.registry import get

    os.environ["BENCH_KEY"] = "a-key"
    style = STYLES[Shape(shape)]
    url = os.environ["BENCH_URL"]
    text = REPOSITORY.format(api_version=style.api_version, account=style.account, url=url, number=number(0))
    (folder / "all.yaml").write_text(text, encoding="utf-8")
    loaded = load([folder / "all.yaml"])
    assert loaded.desired is not None, loaded.diagnostics[:3]
    scope = Scope(desired=loaded.desired, inventory=Inventory())

    async def run() -> AccountLive:
        async with connected(scope.desired.accounts, {shape: get(shape)}, read_only=True) as sessions:
            live = (await read(scope.desired.accounts, sessions, scope)).accounts["main"]
        assert isinstance(live, AccountLive), live
        return live

    with watch:
        live = asyncio.run(run())
    (members,) = live.members.values()
    return {"people": len(members.contacts)}


def floor(folder: Path, watch: Stopwatch, shape: str) -> Facts:
    """Every page decoded into nothing but ids and numbers, and dropped."""
    import msgspec

    from benchmarks.pages import Pages

    rows, fields = "data", [("mobile_number", str), ("contact_id", int), ("opt_in_status", str)]
    if shape == Shape.EXOTEL:
        rows, fields = "response", [("data", msgspec.defstruct("Inner", [("sid", str), ("number", str)]))]
    contacts = GenericAlias(list, (msgspec.defstruct("Contact", fields, gc=False),))
    decoder = msgspec.json.Decoder(msgspec.defstruct("Page", [(rows, contacts)]))
    with watch:
        people = sum(len(getattr(decoder.decode(body), rows)) for body in Pages(folder, Shape(shape)))
    return {"people": people}


def decoded(folder: Path, watch: Stopwatch, shape: str) -> Facts:
    """Every page decoded into plain Python values, as most clients do, and dropped."""
    import msgspec

    from benchmarks.pages import Pages

    rows = "response" if shape == Shape.EXOTEL else "data"
    with watch:
        people = sum(len(msgspec.json.decode(body)[rows]) for body in Pages(folder, Shape(shape)))
    return {"people": people}


def _case(shape: Shape, page: int) -> Case:
    arguments = {"shape": str(shape)}
    about = f"live read of 1,000,000 people, {page} a page"

    def task(name: str) -> Task:
        return Task(target=f"{__name__}:{name}", arguments=arguments)

    def cpu(what: str, peer: str, to: str, at_most: float | None) -> Budget:
        measure = Ratio(of="ours", to=to, value="inner_cpu_s", at_most=at_most)
        return Budget(what=what, peer=peer, measure=measure, seconds="inner_cpu_s")

    return Case(
        name=f"read-{page}",
        what=f"{about}, as a plan reads it, beside decoding the same bytes",
        prepare=f"{__name__}:prepare_{shape}",
        sizes={Size.TINY: 1_500, Size.NORMAL: 1_000_000},
        variants=(
            Variant(name="floor", run=task("floor")),
            Variant(name="decoded", run=task("decoded")),
            Variant(name="ours", run=task("ours"), server=task("serve")),
        ),
        budgets=(
            cpu(f"{about}: CPU", "decoding the same bytes into ids and numbers", "floor", 3.0),
            cpu(f"{about}: CPU", "decoding the same bytes into plain values", "decoded", None),
            Budget(what=f"{about}: memory", peer="whole process", measure=Cap(of="ours", at_most=400)),
        ),
        agree=("people",),
    )


CASES = (_case(Shape.SLICKTEXT, 100), _case(Shape.EXOTEL, 500))
