"""How many requests a plan and its apply send, counted by the sandbox, beside the fewest that could do it."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.case import Budget, Cap, Case, Share, Size, Task, Variant
from benchmarks.change_sets import CHANGE_SETS, SECRETS
from benchmarks.child import Stopwatch

Facts = dict[str, float]

_LOGINS = ("/authenticate", "/login", "/user_auth")


def prepare(folder: Path, watch: Stopwatch, size: int) -> None:
    """The files of people."""
    from benchmarks.data import number

    for provider, wanted in CHANGE_SETS.items():
        (folder / provider).mkdir()
        rows = "".join(number(i) + "\n" for i in wanted.people)
        (folder / provider / "people.csv").write_text("number\n" + rows, encoding="utf-8")


def serve(folder: Path, watch: Stopwatch, provider: str) -> Facts:
    """The sandbox, with what is live at first."""
    import sys

    from reconciler.sandbox import Sandbox

    sandbox = Sandbox(seed={provider: CHANGE_SETS[provider].seed})

    def ready(url: str) -> None:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()

    sandbox.serve_forever(on_ready=ready)
    return {}


def counted(folder: Path, watch: Stopwatch, provider: str) -> Facts:
    """Plan, apply, and apply again."""
    wanted = CHANGE_SETS[provider]
    os.environ.update(SECRETS)
    root = folder / provider
    store = root / "store.db"
    for old in root.glob("store.db*"):
        old.unlink()
    manifests = wanted.manifests.replace("URL", os.environ["BENCH_URL"])
    (root / "all.yaml").write_text(manifests, encoding="utf-8")
    options = [str(root), "--store", f"sqlite:///{store}"]

    reads, _ = _sent(["plan", *options], 0)
    with watch:
        after, writes = _sent(["apply", *options, "--yes", "--approve", "delete,contact"], 0)
    _, again = _sent(["apply", *options, "--yes"], 0)
    return {
        "plan_reads": reads,
        "fewest_reads": wanted.reads,
        "writes": writes,
        "fewest_writes": wanted.writes,
        "read_backs": after - 2 * reads,
        "writes_again": again,
    }


def _sent(words: list[str], code: int) -> tuple[int, int]:
    """Runs a command; the reads and the writes that it sent, logins left out."""
    from reconciler.cli import run

    before = len(_log())
    ended = run(words)
    assert ended == code, f"{words[0]} ended with {ended}"
    new = [entry for entry in _log()[before:] if not entry["path"].endswith(_LOGINS)]
    methods = Counter(entry["method"] == "GET" for entry in new)
    return methods[True], methods[False]


def _log() -> list[dict[str, Any]]:
    with urlopen(os.environ["BENCH_URL"] + "/__sandbox__/requests") as answer:
        found: list[dict[str, Any]] = json.load(answer)["requests"]
    return found


def _case(provider: str) -> Case:
    arguments = {"provider": provider}
    wanted = CHANGE_SETS[provider]

    def share(what: str, part: str, whole: str, at_most: float | None) -> Budget:
        return Budget(
            what=f"{provider}: {what}",
            peer=f"fewest possible: {getattr(wanted, whole.removeprefix('fewest_'))}",
            measure=Share(of="ours", part=part, whole=whole, at_most=at_most),
            seconds="inner_s",
        )

    return Case(
        name=f"requests-{provider}",
        what=f"requests of one change set at {provider}, beside the fewest possible",
        prepare=f"{__name__}:prepare",
        sizes={Size.TINY: 1, Size.NORMAL: 1},
        variants=(
            Variant(
                name="ours",
                run=Task(target=f"{__name__}:counted", arguments=arguments),
                server=Task(target=f"{__name__}:serve", arguments=arguments),
            ),
        ),
        budgets=(
            share("requests of a plan", "plan_reads", "fewest_reads", 1.0),
            share("writes of its apply", "writes", "fewest_writes", 1.0),
            share("reads between the writes", "read_backs", "fewest_writes", None),
            Budget(
                what=f"{provider}: writes of a second apply",
                peer="none",
                measure=Cap(of="ours", value="writes_again", at_most=0),
                seconds="inner_s",
            ),
        ),
        runs=1,  # they are counted, not timed
    )


CASES = tuple(map(_case, CHANGE_SETS))
