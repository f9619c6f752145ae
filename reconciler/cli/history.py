"""``history``: past applies and every operation in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import Globals, request_of, with_formats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.store import OperationRecord, RunRecord


@click.command("history")
@click.argument("words", nargs=-1, metavar="[show RUN]")
@with_formats("text", "json")
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], **_: Any) -> int:
    """List past applies, newest first; `history show RUN` lists every operation of one.

    RUN is `latest`, the id of a run, or so much of its beginning that no other run begins like it.
    """
    from reconciler.app.loading import loaded, required
    from reconciler.app.planning import store_for
    from reconciler.cli.output import note, present_either
    from reconciler.errors import Exit, UsageError

    if words and (len(words) != 2 or words[0] != "show"):
        raise UsageError("write: reconciler history, or: reconciler history show RUN")
    shared = Globals.of(ctx)
    request = request_of(shared, {})
    with store_for(required(loaded(request)), request, create=False) as store:
        if words:
            run = _meant(words[1], [r.id for r in store.runs()])
            operations = store.operations(run)
            document: dict[str, Any] = {
                "formatVersion": "1",
                "run": run,
                "operations": [_operation(o) for o in operations],
            }
            lines = [_operation_line(o) for o in operations] or [f"Run {run} sent nothing."]
        else:
            runs = store.runs()
            document = {"formatVersion": "1", "runs": [_run(r) for r in runs]}
            lines = [_run_line(r) for r in runs] or ["Nothing has been applied yet."]
            if not runs and not shared.environment:
                note("hint: where a project has environments, each has a history of its own: -e NAME")
    present_either(shared, document, "\n".join(lines))
    return Exit.OK


def _meant(run: str, runs: Sequence[str]) -> str:
    """The run that is called so, newest first in ``runs``. Raises UsageError."""
    from reconciler.errors import UsageError

    if run in runs:
        return run
    meant = runs[:1] if run == "latest" else [known for known in runs if run and known.startswith(run)]
    if len(meant) > 1:
        few = ", ".join(meant[:5]) + (", …" if meant[5:] else "")
        raise UsageError(f"{len(meant)} runs begin with {run!r}: {few}", hint="give more of the one that is meant")
    if not meant:
        hint = (
            f"the newest is {runs[0]}; `reconciler history` lists them all" if runs else "nothing has been applied yet"
        )
        raise UsageError(f"there is no run {run!r}", hint=hint)
    return meant[0]


def _run(run: RunRecord) -> dict[str, Any]:
    return {
        "id": run.id,
        "command": run.command,
        "startedAt": run.started.isoformat(),
        "endedAt": run.ended.isoformat() if run.ended else None,
        "exit": run.exit_code,
        "counts": dict(run.counts),
    }


def _run_line(run: RunRecord) -> str:
    ended = "did not end" if run.exit_code is None else f"exit {run.exit_code}"
    counts = ", ".join(f"{name} {count}" for name, count in sorted(run.counts.items()) if count)
    return f"{run.id}  {run.command:<6}  {ended:<11}  {counts}".rstrip()


def _operation(operation: OperationRecord) -> dict[str, Any]:
    intent = operation.intent
    return {
        "operation": operation.op,
        "address": str(intent.address),
        "title": intent.title,
        "method": str(intent.method),
        "path": intent.path,
        "people": intent.rows,
        "contactClass": str(intent.contact_class),
        "state": str(operation.state),
        "remoteId": operation.remote_id,
        "note": operation.note,
        "intendedAt": operation.intended_at.isoformat(),
        "recordedAt": operation.recorded_at.isoformat() if operation.recorded_at else None,
    }


def _operation_line(operation: OperationRecord) -> str:
    from reconciler.masking import harmless

    intent = operation.intent
    people = f" ({intent.rows} {'person' if intent.rows == 1 else 'people'})" if intent.rows else ""
    text = f"{operation.op:>4}  {operation.state:<13}  {intent.address}  {intent.title}{people}  {operation.note}"
    return harmless(text.rstrip())
