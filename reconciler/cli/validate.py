"""``validate``: everything that needs no network, all problems at once."""

from __future__ import annotations

import sys
from typing import Any

import click

from reconciler.cli.options import Globals, request_of, with_global_options, with_input_options


@click.command("validate")
@with_input_options
@with_global_options
@click.pass_context
def command(ctx: click.Context, /, **params: Any) -> int:
    """Check manifests and contact files. Secrets need not be there; nothing is sent."""
    from reconciler.app.loading import loaded
    from reconciler.app.policies import Judging
    from reconciler.cli.output import colored, emit, note, stderr_width
    from reconciler.errors import Exit
    from reconciler.render.diagnostics import diagnostics_json, diagnostics_text

    shared = Globals.of(ctx)
    found = loaded(request_of(shared, params))
    judging = Judging.of(found)
    judged = (*judging.declared, *judging.unjudgeable(shared.environment))
    told = (*found.diagnostics, *judged)
    if shared.format == "json":
        emit(diagnostics_json(told, show_pii=shared.show_pii))
    elif told:
        color = colored(shared, sys.stderr)
        note(diagnostics_text(told, color, width=stderr_width(), show_pii=shared.show_pii))
    if found.desired is None:
        return Exit.INVALID
    if any(d.blocking for d in judged):
        return Exit.REFUSED
    if shared.format != "json":
        accounts, resources = len(found.desired.accounts), len(found.desired.resources)
        emit(f"Valid: {accounts} account{'s' * (accounts != 1)}, {resources} resource{'s' * (resources != 1)}.")
    return Exit.OK
