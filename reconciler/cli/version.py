"""``version``."""

from __future__ import annotations

from typing import Any

import click

from reconciler import __version__
from reconciler.cli.options import with_global_options


@click.command("version")
@with_global_options
def command(**_: Any) -> None:
    """Print the version."""
    click.echo(f"reconciler {__version__}")
