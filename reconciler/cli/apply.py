"""``apply``: plan, show, ask, run, verify."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from reconciler.cli.options import (
    Duration,
    Globals,
    request_of,
    with_global_options,
    with_input_options,
    with_refresh_option,
    with_scope_options,
)
from reconciler.cli.waiting import wait_for

if TYPE_CHECKING:
    from reconciler.app.applying import Applied, ApplyOptions
    from reconciler.app.loading import Request
    from reconciler.app.planning import Planned, Workspace
    from reconciler.apply.control import Control
    from reconciler.cli.progress import ProgressLine
    from reconciler.model.addresses import Address
    from reconciler.plan.changes import Approval, Change
    from reconciler.plan.saved import SavedPlan
    from reconciler.report import Event


@click.command("apply")
@with_input_options
@with_scope_options
@with_refresh_option
@click.option("--yes", is_flag=True, help="Approve create, update and associate; never delete or contact.")
@click.option(
    "--approve",
    multiple=True,
    metavar="CLASS[,CLASS]",
    help="Approve these classes: create, update, associate, delete, contact.",
)
@click.option("--expect", metavar="DIGEST", help="Run only if the plan has this digest; counts as approval of it.")
@click.option("--deadline", type=Duration(), help="Start nothing new after this long.")
@click.option("--no-snapshot", is_flag=True, help="Keep no file of what is removed; `restore` cannot bring it back.")
@with_global_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    yes: bool,
    approve: tuple[str, ...],
    expect: str | None,
    deadline: timedelta | None,
    no_snapshot: bool,
    **params: Any,
) -> int:
    """Make the changes that `plan` shows, in order, and verify them.

    With the FILE of a saved plan it plans again and runs only if nothing has changed since.
    """
    from reconciler.app.applying import ApplyOptions
    from reconciler.app.planning import merged
    from reconciler.cli.progress import ProgressLine

    shared = Globals.of(ctx)
    progress = ProgressLine()
    saved = saved_plan(params["paths"])
    request = request_of(shared, params | ({"paths": ()} if saved else {}), progress)
    if saved is not None:
        request = merged(request, saved)
    options = ApplyOptions(saved=saved, expect=expect or "", approve=approvals(yes, approve, ctx))
    options.snapshot, options.deadline_s = not no_snapshot, deadline.total_seconds() if deadline else None
    return carried_out(request, options, shared, progress)


def carried_out(
    request: Request, options: ApplyOptions, shared: Globals, progress: ProgressLine, workspace: Workspace | None = None
) -> int:
    """An apply as a command line runs it: shown, asked for on a terminal, told as it goes, reported."""
    from reconciler.app.applying import apply
    from reconciler.app.policies import RefusedByPolicy
    from reconciler.errors import ReconcilerError, Refused

    narrator = _Narrator(progress, events=shared.format == "ndjson")

    def show(planned: Planned) -> None:
        narrator.shown = planned
        _show(planned, shared, progress)

    options = replace(
        options,
        show=show,
        ask=_ask if sys.stdin.isatty() and sys.stderr.isatty() else None,
        emit=narrator.told,
        watch=narrator.watch,
        signals=lambda control: on_signals(control, progress),
    )
    try:
        applied = wait_for(apply(replace(request, tell=progress.told), options, workspace))
    except ReconcilerError as failure:
        progress.clear()
        _unreported(narrator, shared)
        if isinstance(failure, RefusedByPolicy) and narrator.shown is not None and shared.format == "text":
            # Only the plan as text has each finding whole; elsewhere they are still to be told.
            codes = ", ".join(dict.fromkeys(d.code for d in failure.diagnostics))
            raise Refused(failure.message, hint=f"the plan says why: {codes}") from None
        raise
    progress.clear()
    return _finish(applied, shared)


def saved_plan(paths: tuple[str, ...]) -> SavedPlan | None:
    """The plan that is given as the only path, told from a manifest by its content."""
    from reconciler.plan.saved import looks_like_plan, parse

    if len(paths) != 1 or not Path(paths[0]).is_file():
        return None
    content = Path(paths[0]).read_bytes()
    return parse(content) if looks_like_plan(content) or not paths[0].endswith((".yaml", ".yml")) else None


def approvals(yes: bool, approve: tuple[str, ...], ctx: click.Context) -> frozenset[Approval]:
    """``--yes`` and ``--approve`` add up."""
    from reconciler.plan.approvals import YES
    from reconciler.plan.changes import Approval

    granted = set(YES) if yes else set()
    for word in (w.strip() for text in approve for w in text.split(",")):
        if word not in {str(a) for a in Approval}:
            raise click.UsageError(f"--approve {word}: one of {', '.join(Approval)} is expected.", ctx=ctx)
        granted.add(Approval(word))
    return frozenset(granted)


def _show(planned: Planned, shared: Globals, progress: ProgressLine) -> None:
    """The plan before it runs; on stderr where a program reads stdout, which then belongs to the report."""
    from reconciler.cli.output import colored, emit, note, width
    from reconciler.render import Format, render_plan

    progress.clear()
    document = planned.document(show_pii=shared.show_pii)
    if shared.format not in ("text", "concise"):
        note(render_plan(document, Format.CONCISE, width=width(), color=colored(shared, sys.stderr)))
    else:
        emit(render_plan(document, Format(shared.format), width=width(), color=colored(shared, sys.stdout)))


def _ask(planned: Planned, lacking: Mapping[Approval, tuple[Change, ...]]) -> frozenset[Approval]:
    """On a terminal: the whole word, and for what cannot be undone the word for that, each on its own."""
    from reconciler.plan.approvals import YES
    from reconciler.plan.changes import Approval

    named = (Approval.DELETE, Approval.CONTACT)
    granted: set[Approval] = set()
    if not lacking or any(a not in named for a in lacking):
        if not _typed("yes", "Make these changes?"):
            return frozenset()
        granted |= YES
    for approval in named:
        if changes := lacking.get(approval):
            count = "1 change" if len(changes) == 1 else f"{len(changes)} changes"
            what = "Deleting, or taking people off" if approval is Approval.DELETE else "Contacting people"
            if not _typed(str(approval), f"{what}: {count}. Go on?"):
                return frozenset()
            granted.add(approval)
    return frozenset(granted)


def _typed(word: str, question: str) -> bool:
    answer = click.prompt(f"{question} Type {word!r} to approve", default="", show_default=False, err=True)
    return str(answer).strip() == word


class _Narrator:
    """Every finished operation, and how far a long one is, as a line of progress; ``events`` go to stdout as well."""

    def __init__(self, progress: ProgressLine, *, events: bool) -> None:
        self._progress = progress
        self._events = events
        self._started = time.monotonic()
        self._done = self._total = self._requests = 0
        self.shown: Planned | None = None
        self.running = False

    def told(self, event: Event) -> None:
        from reconciler.report import OperationEvent, RunStarted, event_document

        if self._events:
            from reconciler.cli.output import emit
            from reconciler.render.json import lines_json

            emit(lines_json([event_document(event)]))
        match event:
            case RunStarted(changes=changes):
                self.running = True
                self._started = time.monotonic()
                self._total = sum(c.operations for c in changes)
            case OperationEvent(address=address, title=title, count=count):
                self._done += count
                self._show(address, title, None)
            case _:
                pass

    def watch(self, address: Address, title: str, done: int, total: int) -> None:
        self._requests += 1
        self._show(str(address), title, (done, total))

    def _show(self, address: str, title: str, part: tuple[int, int] | None) -> None:
        from reconciler.cli.output import width
        from reconciler.render.apply import progress_line

        if not self._total:
            return
        elapsed = max(time.monotonic() - self._started, 0.001)
        sent = max(self._requests, self._done)
        left = max(self._total - sent, 0)
        self._progress.paced(
            progress_line(
                done=min(self._done, self._total),
                total=self._total,
                address=address,
                title=title,
                width=width() - 1,
                part=part,
                calls_per_s=sent / elapsed if elapsed > 1 else None,
                left_s=left * elapsed / sent if sent and elapsed > 1 else None,
            )
        )


def on_signals(control: Control, progress: ProgressLine) -> None:
    """The first signal stops gently, the second at once."""
    from reconciler.cli.output import note

    loop = asyncio.get_running_loop()

    def interrupted(number: signal.Signals) -> None:
        first = not control.interrupted.is_set()
        control.interrupt(terminated=number is signal.SIGTERM)
        if first:
            progress.clear()
            note("\ninterrupted: finishing what is under way; once more stops at once")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted, number)


def _unreported(narrator: _Narrator, shared: Globals) -> None:
    """What ``--report`` gets of an apply that failed: the plan that was shown and not run. Without one it is told."""
    from reconciler.app import clock
    from reconciler.cli.output import note, report_plan

    if narrator.shown is not None and not narrator.running:
        with regardless():
            report_plan(narrator.shown.document(created=clock.now(), show_pii=shared.show_pii), shared)
        return
    why = "the run did not end in order, see reconciler history" if narrator.running else "nothing was planned"
    for _, file in shared.reports:
        note(f"--report: nothing was written to {file}: {why}")


@contextmanager
def regardless() -> Iterator[None]:
    """A report that cannot be written is told of and no more: the exit code tells what was done, or why nothing was."""
    from reconciler.cli.output import note
    from reconciler.errors import InvalidInput

    try:
        yield
    except InvalidInput as failure:
        note(f"warning: {failure.message}")


def _finish(applied: Applied, shared: Globals) -> int:
    """The report on stdout, and the exit code."""
    with regardless():
        _tell(applied, shared)
    return applied.exit_code


def _tell(applied: Applied, shared: Globals) -> None:
    from reconciler.cli.output import deliver, note
    from reconciler.render import render_report
    from reconciler.report import report_document

    if applied.report is None:
        from reconciler.app import clock
        from reconciler.cli.output import emit_plan, report_plan

        # Nothing was run, so there is nothing to report but the plan and what is in its way.
        told = report_plan if shared.format in ("text", "concise") else emit_plan
        told(applied.planned.document(created=clock.now(), show_pii=shared.show_pii), shared)
        return
    deliver(render_report, report_document(applied.report, show_pii=shared.show_pii), shared)
    if applied.snapshot is not None:
        note(f"What was removed is kept in {applied.snapshot}")
        note(f"Bring it back with: reconciler restore {applied.report.run_id}{shared.there}")
