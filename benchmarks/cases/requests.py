"""How many requests a plan and its apply send, counted by the sandbox, beside the fewest that could do it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.case import Budget, Cap, Case, Share, Size, Task, Variant
from benchmarks.change_sets import CHANGE_SETS, SECRETS
from benchmarks.child import Stopwatch

Facts = dict[str, float]

_LOGINS = ("/authenticate", "/login", "/user_auth")


def prepare(folder: Path, watch: Stopwatch, size: int) -> None:
    """The files of people; ``size`` is the latency of the sandbox in milliseconds."""
    from benchmarks.data import number

    (folder / "latency").write_text(str(size), encoding="ascii")
    for provider, wanted in CHANGE_SETS.items():
        (folder / provider).mkdir()
        rows = "".join(number(i) + "\n" for i in wanted.people)
        (folder / provider / "people.csv").write_text("number\n" + rows, encoding="utf-8")


def serve(folder: Path, watch: Stopwatch, provider: str) -> Facts:
    """The sandbox, with what is live at first."""
    import sys

    from reconciler.sandbox import Sandbox

    slow = [{"fault": {"kind": "latency", "ms": _latency_ms(folder)}}]
    sandbox = Sandbox(seed={provider: CHANGE_SETS[provider].seed}, faults=slow)

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

    planned = _sent(["plan", *options, "--report", f"json={root}/plan.json"])
    with watch:
        applied = _sent(["apply", *options, "--yes", "--approve", "delete,contact"])
    again = _sent(["apply", *options, "--yes"])
    # An apply plans first and reads everything once more at the end, as one with nothing to do does.
    between = applied[len(planned) : -len(again)]
    document = json.loads((root / "plan.json").read_text(encoding="utf-8"))
    return {
        "plan_reads": len(planned),
        "fewest_reads": wanted.reads,
        "writes": _writes(applied),
        "fewest_writes": wanted.writes,
        "read_backs": len(between) - _writes(between),
        "writes_again": _writes(again),
        "estimated_s": document.get("estimate", {}).get("seconds", 0.0),
        "took_s": between[-1]["time"] - between[0]["time"] + _latency_ms(folder) / 1000,
    }


def _latency_ms(folder: Path) -> int:
    return int((folder / "latency").read_text(encoding="ascii"))


def _sent(words: list[str]) -> list[dict[str, Any]]:
    """Runs a command; what it sent, logins left out."""
    from reconciler.cli import run

    before = len(_log())
    code = run(words)
    assert code == 0, f"{words[0]} ended with {code}"
    return [entry for entry in _log()[before:] if not entry["path"].endswith(_LOGINS)]


def _writes(sent: list[dict[str, Any]]) -> int:
    return sum(entry["method"] != "GET" for entry in sent)


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
        sizes={Size.TINY: 1, Size.NORMAL: 20},
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
                what=f"{provider}: how long the plan says that it takes",
                peer="how long it took at the sandbox, at 20 ms",
                measure=Share(of="ours", part="estimated_s", whole="took_s", at_least=0.8, at_most=1.2),
                seconds="took_s",
            ),
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
