"""The seeded mutants: read, checked against the source, and tried one after the other in a copy of the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).with_name("mutants.toml")
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".hypothesis", ".*_cache", "__pycache__", "build", "dist", "*.egg-info"
)
LONGEST_S = 600
NO_TESTS = (3, 4, 5)
"""What pytest ends with when it could not run, or ran nothing: no proof of anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """``old`` becomes ``new`` in ``file``, and one of ``tests`` must fail then. ``pending`` is why not, so far."""

    name: str
    why: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    pending: str = ""

    def problem(self, root: Path) -> str:
        """Why it cannot be tried, or nothing."""
        if self.pending:
            return "" if not self.old and not self.tests else "a pending mutant has no text and no tests"
        path = root / self.file
        found = path.read_text(encoding="utf-8").count(self.old) if path.exists() else 0
        if found != 1:
            return f"its text stands {found} times in {self.file}"
        if self.old == self.new:
            return "it changes nothing"
        gone = [t for t in self.tests if not (root / t.partition("::")[0]).exists()]
        return f"no such tests: {', '.join(gone)}" if gone or not self.tests else ""

    def apply(self, root: Path) -> str:
        """Puts it in; the answer is the file as it was."""
        path = root / self.file
        before = path.read_text(encoding="utf-8")
        path.write_text(before.replace(self.old, self.new), encoding="utf-8")
        return before


def mutants() -> tuple[Mutant, ...]:
    with DATA.open("rb") as file:
        rows = tomllib.load(file)["mutant"]
    return tuple(Mutant(**{**row, "tests": tuple(row["tests"])}) for row in rows)


def copy_of_the_tree(folder: Path) -> Path:
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT, symlinks=True)
    return folder


def exit_code(root: Path, tests: Sequence[str], workers: int) -> int:
    """What pytest says about these tests of the tree at ``root``; 1 when they take far too long."""
    words = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not long", "-n", str(workers), "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(
            [*words, *tests], cwd=root, env=environment, capture_output=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        return 1
    return ended.returncode


def tried(chosen: Sequence[Mutant], root: Path, workers: int) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant, and whether a test noticed it. Tests are tried in their order, until one fails.

    Raises RuntimeError when tests could not be run.
    """
    for mutant in chosen:
        before = mutant.apply(root)
        try:
            codes = (exit_code(root, [test], workers) for test in mutant.tests)
            code = next((c for c in codes if c), 0)
        finally:
            (root / mutant.file).write_text(before, encoding="utf-8")
        if code in NO_TESTS:
            raise RuntimeError(f"{mutant.name}: pytest ended with {code}")
        yield mutant, code != 0
