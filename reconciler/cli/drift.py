"""``drift``: what moved behind Git's back."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import (
    Globals,
    request_of,
    with_global_options,
    with_input_options,
    with_refresh_option,
    with_selection_options,
)
from reconciler.cli.waiting import wait_for


@click.command("drift")
@with_input_options
@with_selection_options
@with_refresh_option
@with_global_options
@click.pass_context
def command(ctx: click.Context, /, **params: Any) -> int:
    """Show what moved live since the last apply, what is pending in Git, and what is both. Reads only.

    Exits with 2 when something drifted, is in conflict or is missing; what is only pending or unmanaged is no drift.
    """
    from reconciler.app.drifting import drift
    from reconciler.cli.output import deliver
    from reconciler.cli.progress import ProgressLine
    from reconciler.render import render_drift

    shared = Globals.of(ctx)
    progress = ProgressLine()
    try:
        drifted = wait_for(drift(request_of(shared, params, progress)))
    finally:
        progress.clear()
    deliver(render_drift, drifted.document(show_pii=shared.show_pii), shared)
    return drifted.exit_code
