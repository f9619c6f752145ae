"""``restore``: bring back what an apply removed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click
from msgspec.structs import replace

from reconciler.cli.options import (
    Duration,
    Globals,
    request_of,
    with_global_options,
    with_loading_options,
    with_scope_options,
)
from reconciler.cli.waiting import wait_for


@click.command("restore")
@click.argument("snapshot", metavar="SNAPSHOT|RUN")
@with_loading_options
@with_scope_options
@click.option("--apply", "run", is_flag=True, help="Do it; without this it is only shown.")
@click.option("--yes", is_flag=True, help="Approve create, update and associate; never contact.")
@click.option("--approve", multiple=True, metavar="CLASS[,CLASS]", help="Approve these classes, as for apply.")
@click.option("--deadline", type=Duration(), help="Start nothing new after this long.")
@with_global_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    snapshot: str,
    run: bool,
    yes: bool,
    approve: tuple[str, ...],
    deadline: timedelta | None,
    **params: Any,
) -> int:
    """Show what an apply removed and what bringing it back would do; with --apply, do it.

    It is planned and applied like everything else: guards, approvals and quiet hours hold. Nobody comes back who opted
    out, is suppressed, or was worked already. The manifests stay as they are: undo the change in Git as well.
    """
    from reconciler.app import clock
    from reconciler.app.applying import ApplyOptions
    from reconciler.app.planning import plan
    from reconciler.app.restoring import prepare
    from reconciler.cli.apply import approvals, carried_out
    from reconciler.cli.output import emit_plan, note
    from reconciler.cli.progress import ProgressLine

    shared = Globals.of(ctx)
    if (yes or approve or deadline) and not run:
        raise click.UsageError("--yes, --approve and --deadline go with --apply.", ctx=ctx)
    progress = ProgressLine()
    request = replace(request_of(shared, params, progress), tell=progress.told)
    restoration = prepare(request, snapshot)
    if undeclared := restoration.undeclared:
        names = ", ".join(map(str, undeclared[:5])) + (f" and {len(undeclared) - 5} more" if undeclared[5:] else "")
        note(f"No manifest declares {names}: what comes back is let go of by the next apply. Put the manifests back.")
    if not run:
        planned = wait_for(plan(request, restoration.workspace))
        progress.clear()
        emit_plan(planned.document(created=clock.now(), show_pii=shared.show_pii), shared)
        if planned.plan.changes:
            note(f"Nothing was changed. Bring it back with: reconciler restore {snapshot}{shared.there} --apply")
        return planned.exit_code
    options = ApplyOptions(approve=approvals(yes, approve, ctx))
    options.deadline_s = deadline.total_seconds() if deadline else None
    return carried_out(request, options, shared, progress, restoration.workspace)
