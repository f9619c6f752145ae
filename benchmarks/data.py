"""Inputs that are the same on every machine: fictional people by index, and files of them.

Polars is imported where many of them are written; that happens in processes that nobody measures.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars

AREAS = tuple(a for a in range(200, 1000) if a % 100 != 11)
"""Area codes as North America has them, assigned or not; those that end in 11 are services."""
AMERICAN = len(AREAS) * 10_000
"""So many people have a number of the exchange 555; whoever comes after them has one of the unassigned country +999."""

NAMES = ("Ada", "Ben", "Chi", "Dee", "Eli", "Fay", "Gus", "Hal", "Ivy", "Jo", "Kit", "Lou", "Marty", "Nan", "Oz", "Pat")
TIERS = ("gold", "silver", "bronze", "none")


def number(index: int) -> str:
    """The number of one fictional person."""
    if index < AMERICAN:
        return f"+1{AREAS[index // 10_000]}555{index % 10_000:04d}"
    return f"+999{index:09d}"


def people(indexes: polars.Series, *, changed_below: int = 0) -> polars.DataFrame:
    """``number``, ``first_name`` and ``tier`` of these people; those below ``changed_below`` have another tier."""
    import polars as pl

    i = pl.col("i")
    areas = pl.Series(AREAS, dtype=pl.Int64)
    area = pl.lit(areas).gather((i // 10_000).clip(0, len(AREAS) - 1))
    line = (i % 10_000).cast(pl.String).str.zfill(4)
    american = pl.concat_str(pl.lit("+1"), area.cast(pl.String), pl.lit("555"), line)
    others = pl.concat_str(pl.lit("+999"), i.cast(pl.String).str.zfill(9))
    tier = (i + (i < changed_below).cast(pl.Int64)) % len(TIERS)
    return pl.DataFrame({"i": indexes}).select(
        number=pl.when(i < AMERICAN).then(american).otherwise(others),
        first_name=pl.lit(pl.Series(NAMES)).gather(i % len(NAMES)),
        tier=pl.lit(pl.Series(TIERS)).gather(tier),
    )


def write_drifted(folder: Path, size: int, drift: float) -> None:
    """``desired.csv`` and ``live.csv`` of ``size`` people each, shuffled; a third of the drift each are missing, too
    many, and changed."""
    import polars as pl

    apart = max(1, round(size * drift / 3))
    desired = pl.int_range(size, eager=True).shuffle(seed=1)
    people(desired).write_csv(folder / "desired.csv")
    live = pl.int_range(apart, size + apart, eager=True).shuffle(seed=2)
    people(live, changed_below=2 * apart).write_csv(folder / "live.csv")
