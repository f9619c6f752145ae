"""``completion``: a shell's completion script."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import with_formats


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@with_formats("text")
def command(shell: str, **_: Any) -> None:
    """Print the completion script for SHELL; for bash: eval "$(reconciler completion bash)"."""
    from click.shell_completion import get_completion_class

    from reconciler.cli import cli

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"click does not know {shell}.")
    click.echo(found(cli, {}, "reconciler", "_RECONCILER_COMPLETE").source())
