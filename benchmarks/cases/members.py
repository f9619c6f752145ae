"""Membership diffs: two files of people, who is to be added, removed and changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.case import Budget, Cap, Case, Ratio, Size, Task, Variant
from benchmarks.child import Stopwatch

if TYPE_CHECKING:
    from reconciler.model.contacts import ContactSet

Facts = dict[str, float]

_EITHER = frozenset({Size.TINY, Size.NORMAL})
_LARGE = frozenset({Size.LARGE})
_PAGE = 250_000
"""Rows of the live file that are handed on at a time."""


def prepare_tenth(folder: Path, watch: Stopwatch, size: int) -> None:
    """0.1 % of drift."""
    from benchmarks.data import write_drifted

    write_drifted(folder, size, 0.001)


def prepare_one(folder: Path, watch: Stopwatch, size: int) -> None:
    """1 % of drift."""
    from benchmarks.data import write_drifted

    write_drifted(folder, size, 0.01)


def _live(file: Path) -> ContactSet:
    """People of a list as a client has them: pages of columns, which go through no check of contact files."""
    import polars as pl

    from reconciler.model.contacts import FrameBuilder

    builder = FrameBuilder()
    for page in pl.scan_csv(file, infer_schema=False).collect_batches(chunk_size=_PAGE, maintain_order=False):
        builder.append(page)
    return builder.build()


def ours(folder: Path, watch: Stopwatch) -> Facts:
    """One file through the loader of contact files, the other as pages of live people; compared as the planner compares
    a Membership with a live list."""
    from reconciler.diagnostics import Span
    from reconciler.manifest.contacts import ContactFile, read_contacts
    from reconciler.model.addresses import Address, Kind
    from reconciler.model.contacts import ContactSet
    from reconciler.model.kinds import MembershipRules
    from reconciler.model.live import LiveMembers
    from reconciler.model.resources import Declared, Members, Mode, Resource
    from reconciler.plan.members import Population, diff_members

    with watch:
        desired = read_contacts([ContactFile(file="desired.csv", base=folder)], folder)
        live = _live(folder / "live.csv")
        assert not desired.diagnostics, desired.diagnostics[:3]
        members = Members(
            of=Declared(Address("main", Kind.LIST, "everybody")),
            mode=Mode.EXACT,
            contacts=desired.contacts,
            contact_attributes="sync",
        )
        population = Population(
            live=LiveMembers(contacts=live, count=len(live)),
            book=ContactSet.empty(),
            suppressed=ContactSet.empty(),
            ledger=None,
            key=b"",
        )
        resource = Resource(
            address=Address("main", Kind.MEMBERSHIP, "everybody"),
            provider="slicktext",
            fields={},
            source=Span(file="members.yaml", line=1),
            members=members,
        )
        delta, problems = diff_members(resource, MembershipRules(), population)
        assert not problems, problems
    return {"adds": len(delta.add), "removes": len(delta.remove), "changes": len(delta.change)}


def yardstick(folder: Path, watch: Stopwatch) -> Facts:
    """Anti-joins both ways on nothing but the number: less than is asked for, and what people would write first."""
    import polars as pl

    with watch:
        desired, live = (
            pl.scan_csv(folder / name, infer_schema=False).select("number") for name in ("desired.csv", "live.csv")
        )
        adds, removes = pl.collect_all(
            [desired.join(live, on="number", how="anti"), live.join(desired, on="number", how="anti")],
            engine="streaming",
        )
    return {"adds": len(adds), "removes": len(removes)}


def polars_full(folder: Path, watch: Stopwatch) -> Facts:
    """One full join with the attributes compared, and nothing checked."""
    import polars as pl

    with watch:
        desired, live = (pl.scan_csv(folder / name, infer_schema=False) for name in ("desired.csv", "live.csv"))
        other = pl.col("number_right")
        differs = (pl.col("first_name") != pl.col("first_name_right")) | (pl.col("tier") != pl.col("tier_right"))
        apart = (
            desired.join(live, on="number", how="full", coalesce=False)
            .filter(pl.col("number").is_null() | other.is_null() | differs)
            .collect(engine="streaming")
        )
        adds, removes = apart.filter(other.is_null()), apart.filter(pl.col("number").is_null())
    return {"adds": len(adds), "removes": len(removes), "changes": len(apart) - len(adds) - len(removes)}


def duckdb_full(folder: Path, watch: Stopwatch) -> Facts:
    """The same in DuckDB, without a limit to its memory."""
    import duckdb

    with watch:
        found = (
            duckdb.connect()
            .execute(
                f"""
            SELECT count(*) FILTER (l.number IS NULL),
                   count(*) FILTER (d.number IS NULL),
                   count(*) FILTER (l.first_name <> d.first_name OR l.tier <> d.tier)
            FROM read_csv('{folder}/desired.csv', all_varchar = true, header = true) d
            FULL JOIN read_csv('{folder}/live.csv', all_varchar = true, header = true) l USING (number)
            """
            )
            .fetchall()[0]
        )
    return dict(zip(("adds", "removes", "changes"), map(float, found), strict=True))


def _variants() -> tuple[Variant, ...]:
    named = {"ours": ours, "anti-joins": yardstick, "polars full join": polars_full, "duckdb full join": duckdb_full}
    return tuple(
        Variant(name=name, run=Task(target=f"{__name__}:{function.__name__}")) for name, function in named.items()
    )


def _budgets(drift: str) -> tuple[Budget, ...]:
    about, peer = f"membership diff from CSV, {drift} drift", "Polars anti-joins both ways, on the number alone"

    def ratio(of: str, what: str, at_most: float | None, sizes: frozenset[Size]) -> Budget:
        return Budget(what=what, peer=peer, measure=Ratio(of=of, to="anti-joins", at_most=at_most), sizes=sizes)

    def cap(mib: float, sizes: frozenset[Size]) -> Budget:
        return Budget(what=f"{about}: memory", peer="whole process", measure=Cap(of="ours", at_most=mib), sizes=sizes)

    return (
        ratio("ours", about, 1.2, _EITHER),
        cap(400, _EITHER),
        ratio("ours", about, 1.25, _LARGE),
        cap(768, _LARGE),
        ratio("polars full join", "Polars full join, unchecked", None, frozenset(Size)),
        ratio("duckdb full join", "DuckDB full join, unchecked", None, frozenset(Size)),
    )


_SIZES = {Size.TINY: 3_000, Size.NORMAL: 1_000_000, Size.LARGE: 10_000_000}


def _case(name: str, drift: str, prepare: str) -> Case:
    return Case(
        name=f"members-{name}",
        what=f"people declared in a checked CSV file against live columns of people, {drift} of them apart",
        prepare=f"{__name__}:{prepare}",
        sizes=_SIZES,
        variants=_variants(),
        budgets=_budgets(drift),
        agree=("adds", "removes", "changes"),
    )


CASES = (_case("0.1", "0.1 %", "prepare_tenth"), _case("1", "1 %", "prepare_one"))
