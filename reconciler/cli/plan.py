"""``plan``: what an apply would do, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import (
    Duration,
    Globals,
    check_writable,
    request_of,
    with_global_options,
    with_input_options,
    with_refresh_option,
    with_scope_options,
)
from reconciler.cli.waiting import wait_for

if TYPE_CHECKING:
    from reconciler.plan.changes import Plan


@click.command("plan")
@with_input_options
@with_scope_options
@with_refresh_option
@click.option("--out", metavar="FILE", help="Save the plan for `apply FILE`; it holds no secret and no number.")
@click.option("--ttl", type=Duration(), default="24h", show_default=True, help="How long a saved plan may be applied.")
@click.option("--calls", is_flag=True, help="Show each request in order: method, path, body.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there is anything to do.")
@with_global_options
@click.pass_context
def command(
    ctx: click.Context, /, out: str | None, ttl: timedelta, calls: bool, detailed_exitcode: bool, **params: Any
) -> int:
    """Show what differs between the manifests and the providers. Reads only: nothing is written anywhere."""
    from reconciler.app.planning import plan, sealed
    from reconciler.cli.output import emit_plan, note, tells_digest, write_file
    from reconciler.cli.progress import ProgressLine
    from reconciler.errors import Exit
    from reconciler.plan.saved import dump

    shared = Globals.of(ctx)
    if out is not None:
        check_writable(out, "--out", ctx)
    progress = ProgressLine()
    request = request_of(shared, params, progress)
    planned = wait_for(plan(request))
    progress.clear()
    now = datetime.now(UTC)
    whole = planned.exit_code is Exit.OK
    digest = sealed(planned, ttl=ttl, now=now) if whole and (out is not None or tells_digest(shared)) else ""
    if out is not None and whole:
        saved = planned.document(digest=digest, created=now, calls=True, timings=False)
        write_file(Path(out), dump(saved, request.inputs, planned.fingerprint))
    emit_plan(planned.document(digest=digest, created=now, calls=calls, show_pii=shared.show_pii), shared)
    if out is not None:
        note(_saved(out, planned.plan) if whole else f"Not saved to {out}: see above.")
    if planned.exit_code is Exit.OK and detailed_exitcode and planned.plan.differs:
        return Exit.DIFFERENCES
    return planned.exit_code


def _saved(out: str, plan: Plan) -> str:
    if plan.refusals or plan.guards:
        against = "policies" if plan.refusals else "guards"
        return f"Saved to {out}; an apply of it would be refused: {against} are against it, see above."
    return f"Saved to {out}; apply it with: reconciler apply {out}"
