"""``validate``: everything that needs no network, all problems at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import Globals, request_of, with_formats, with_input_options

if TYPE_CHECKING:
    from reconciler.diagnostics import Diagnostic


@click.command("validate")
@with_input_options
@with_formats("text", "json")
@click.pass_context
def command(ctx: click.Context, /, **params: Any) -> int:
    """Check manifests and contact files. Secrets need not be there; nothing is sent."""
    from reconciler.app.loading import loaded
    from reconciler.app.policies import Judging
    from reconciler.errors import Exit
    from reconciler.render.words import counted

    shared = Globals.of(ctx)
    found = loaded(request_of(shared, params))
    judging = Judging.of(found)
    judged = (*judging.declared, *judging.unjudgeable(shared.environment))
    code, verdict = Exit.OK, ""
    if found.desired is None:
        code = Exit.INVALID
    elif any(d.blocking for d in judged):
        code = Exit.REFUSED
    else:
        accounts, resources = len(found.desired.accounts), len(found.desired.resources)
        verdict = f"Valid: {counted(accounts, 'accounts')}, {counted(resources, 'resources')}."
    tell_diagnostics(shared, (*found.diagnostics, *judged), verdict)
    return code


def tell_diagnostics(shared: Globals, told: Sequence[Diagnostic], verdict: str = "") -> None:
    """What is wrong on stderr and a ``verdict`` on stdout, or both as one document there, and in every ``--report``."""
    from reconciler.cli.output import colored, emit, note, stderr_width, write_reports
    from reconciler.render.diagnostics import diagnostics_json, diagnostics_text

    def written(format_: str) -> str:
        if format_ == "json":
            return diagnostics_json(told, show_pii=shared.show_pii)
        return "\n".join(filter(None, [diagnostics_text(told, False, show_pii=shared.show_pii), verdict]))

    if shared.format == "json":
        emit(written("json"))
    else:
        if told:
            color = colored(shared, sys.stderr)
            note(diagnostics_text(told, color, width=stderr_width(), show_pii=shared.show_pii))
        if verdict:
            emit(verdict)
    write_reports(shared, written)
