"""How long it takes until the tool does anything: ``--help``, ``version``, completion, a check of a small folder."""

from __future__ import annotations

from pathlib import Path

from benchmarks.case import Budget, Case, Command, Ratio, Size, Variant
from benchmarks.child import Stopwatch

_AT_MOST = 1.5

_REPOSITORY = """\
apiVersion: slicktext/v1
kind: Account
metadata: {name: main}
spec: {brandId: "26136", auth: {apiKey: {env: SLICKTEXT_API_KEY}}}
---
apiVersion: slicktext/v1
kind: List
metadata: {name: join}
spec: {name: Join, description: Join the VIP list}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: join-members}
spec:
  list: join
  mode: exact
  contacts: [{number: "+12025550123"}, {number: "+12025550124"}]
"""


def prepare(folder: Path, watch: Stopwatch, size: int) -> None:
    """A small repository."""
    (folder / "reconciler.yaml").write_text(_REPOSITORY, encoding="utf-8")


def _ours(name: str, *words: str, **environment: str) -> Variant:
    return Variant(name=name, run=Command(words=("-m", "reconciler", *words)), environment=environment)


def _budget(what: str, of: str, at_most: float | None = _AT_MOST) -> Budget:
    return Budget(what=what, peer="bare click group `--help`", measure=Ratio(of=of, to="bare click", at_most=at_most))


CASES = (
    Case(
        name="startup",
        what="start-up: --help, version, completion, and validate of three documents",
        prepare=f"{__name__}:prepare",
        sizes={Size.TINY: 1, Size.NORMAL: 1},
        variants=(
            Variant(name="bare click", run=Command(words=("-m", "benchmarks.peers.bare_click", "--help"))),
            _ours("help", "--help"),
            _ours("version", "version"),
            _ours(
                "completion",
                _RECONCILER_COMPLETE="bash_complete",
                COMP_WORDS="reconciler va",
                COMP_CWORD="1",
            ),
            _ours("completion script", "completion", "bash"),
            _ours("validate", "validate", "."),
        ),
        budgets=(
            _budget("`reconciler --help`", "help"),
            _budget("`reconciler version`", "version"),
            _budget("a completion in the shell (one press of tab)", "completion"),
            _budget("`reconciler completion bash`", "completion script"),
            _budget("`reconciler validate` of three documents", "validate", None),
        ),
    ),
)
