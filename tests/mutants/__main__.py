"""``python tests/mutants [NAME…]``: whether the tests notice what was broken on purpose; see ``mutants.toml``."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from seeding import ROOT, copy_of_the_tree, exit_code, mutants, tried


def main(names: list[str]) -> int:
    say = sys.stdout.write
    every = mutants()
    if unknown := set(names) - {m.name for m in every}:
        say(f"no such mutant: {', '.join(sorted(unknown))}\n")
        return 64
    chosen = [m for m in every if not names or m.name in names]
    if broken := [f"{m.name}: {problem}" for m in chosen if (problem := m.problem(ROOT))]:
        say("\n".join(broken) + "\n")
        return 1
    pending, ready = [m for m in chosen if m.pending], [m for m in chosen if not m.pending]
    workers = min(4, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        root = copy_of_the_tree(Path(folder) / "tree")
        needed = sorted({t for m in ready for t in m.tests})
        if exit_code(root, needed, workers):
            say("the tests fail without any mutant\n")
            return 1
        survivors, started = [], time.monotonic()
        for mutant, killed in tried(ready, root, workers):
            say(f"{'killed  ' if killed else 'SURVIVED'} {mutant.name} ({time.monotonic() - started:.0f} s)\n")
            sys.stdout.flush()
            started = time.monotonic()
            survivors += [] if killed else [mutant]
    for mutant in pending:
        say(f"pending  {mutant.name}: {mutant.pending}\n")
    say(f"killed {len(ready) - len(survivors)} of {len(ready)}\n")
    for mutant in survivors:
        say(f"\n{mutant.name}: {mutant.why}\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
