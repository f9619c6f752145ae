"""How long the calls of a plan take, with what is looked at before and after them. Pure: a model of the executor.

Within a phase, what does not wait for each other goes side by side; the phases of one account follow each other. What
is counted is waiting: for answers, of which so many may be under way at once, and for the provider's limits. The limits
are windows, so that their first share costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from reconciler.plan.calls import MembersAdded, MembersRemoved, Phase, Step
from reconciler.plan.changes import Change, Plan

OWN_S = 0.005
"""What a request costs besides its answer: the journal, and our own processor time."""


class Speed(Struct, frozen=True, kw_only=True):
    """How fast one account goes: seconds to an answer, as they were measured, how its lists are read, and its limits.
    None: unlimited."""

    latency_s: float
    concurrency: int = 1
    page_rows: int = 100
    list_reads: int = 0
    requests_per_second: float | None = None
    reads_per_minute: float | None = None
    writes_per_minute: float | None = None


class _Work(Struct, frozen=True):
    """One step, or all of a phase: requests, and how many of them wait for each other at least."""

    reads: int
    writes: int
    chain: int

    @classmethod
    def side_by_side(cls, works: Iterable[_Work]) -> _Work:
        each = list(works)
        return cls(sum(w.reads for w in each), sum(w.writes for w in each), max(w.chain for w in each))


def seconds(plan: Plan, speeds: Mapping[str, Speed]) -> float | None:
    """Until the last account is done; None where no account's answers were timed."""
    by_account: dict[str, list[Change]] = {}
    for change in plan.changes:
        by_account.setdefault(change.address.account, []).append(change)
    timed = [(changes, speeds[name]) for name, changes in by_account.items() if name in speeds]
    return max((_account_s(changes, speed) for changes, speed in timed), default=None)


def _account_s(changes: Iterable[Change], speed: Speed) -> float:
    phases: dict[Phase, list[_Work]] = {}
    for change in changes:
        for step in change.steps:
            on_list = change.members.live_count + len(change.members.add) if change.members is not None else 0
            phases.setdefault(step.phase, []).append(_work(step, on_list, speed))
    works = [_Work.side_by_side(found) for _, found in sorted(phases.items())]
    answers = sum(_answered_s(work, speed) for work in works)
    reads, writes = sum(w.reads for w in works), sum(w.writes for w in works)
    limited = max(
        _window_s(reads, speed.reads_per_minute, 60.0),
        _window_s(writes, speed.writes_per_minute, 60.0),
        _window_s(reads + writes, speed.requests_per_second, 1.0),
    )
    return max(answers, limited)


def _work(step: Step, on_list: int, speed: Speed) -> _Work:
    if step.rows is None:
        return _Work(reads=2, writes=1, chain=3)  # looked for, sent, read back
    sent = step.count
    if isinstance(step.effect, MembersAdded) and step.effect.counted:
        return _Work(reads=sent, writes=sent, chain=2 * sent)
    over_list = isinstance(step.effect, MembersAdded | MembersRemoved)
    pages = -(-max(on_list if over_list else len(step.rows), 1) // speed.page_rows)
    besides = speed.list_reads if over_list else 0
    # The first request is looked at before the rest, and the first page tells how many there are.
    first = 1 + (sent > 1)
    rest = -(-(sent - 1) // speed.concurrency)
    look = besides + 1 + -(-(pages - 1) // speed.concurrency)
    return _Work(reads=besides + pages + first - 1, writes=sent, chain=first + rest + look)


def _answered_s(work: _Work, speed: Speed) -> float:
    each = speed.latency_s + OWN_S
    return max(work.chain, (work.reads + work.writes) / speed.concurrency) * each


def _window_s(requests: int, rate: float | None, window_s: float) -> float:
    """How long so many requests take where in any window only so many may begin."""
    if not rate or not requests:
        return 0.0
    share = max(1, int(rate))
    return (requests - 1) // share * window_s * share / rate
