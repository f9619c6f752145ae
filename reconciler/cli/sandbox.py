"""``sandbox``: the simulated providers, served on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import with_formats

DEFAULT_PORT = 8765
_MEANINGLESS = frozenset({"format_", "reports", "show_pii", "environment", "parallelism"})


@click.command("sandbox")
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: any free one.")
@click.option("--seed", metavar="FILE", help="What is there at the start (YAML or JSON).")
@click.option("--faults", metavar="FILE", help="Rules for what goes wrong (YAML or JSON).")
@click.option("--knobs", metavar="JSON", help='Behaviour where the documents leave a choice: {"slicktext": {…}}.')
@with_formats("text")
def command(port: int, seed: str | None, faults: str | None, knobs: str | None, store: str | None, **_: Any) -> int:
    """Serve the simulated providers on loopback until interrupted. Nobody is ever contacted.

    Point an account at it with `baseUrl: http://127.0.0.1:8765`; `GET /__sandbox__/ledger` tells whom the real
    providers would have contacted. With --store FILE the state is kept there between runs.
    """
    from reconciler.errors import Exit, InvalidInput

    try:
        from reconciler.sandbox import Sandbox, SandboxError
    except ImportError as missing:
        raise InvalidInput(str(missing)) from None
    try:
        sandbox = Sandbox(
            seed=Path(seed) if seed else None,
            faults=Path(faults) if faults else None,
            store=Path(store) if store else None,
            port=port,
            knobs=json.loads(knobs) if knobs else None,
        )
        sandbox.serve_forever(on_ready=_announce)
    except (SandboxError, ImportError, json.JSONDecodeError) as problem:
        raise InvalidInput(f"the sandbox cannot start: {problem}") from None
    except OSError as problem:
        raise InvalidInput(
            f"port {port} cannot be used: {problem.strerror}", hint="choose another with --port"
        ) from None
    return Exit.OK


for _option in command.params:
    # It takes every global flag, as all commands do; those that mean nothing here are not told of.
    if isinstance(_option, click.Option) and _option.name in _MEANINGLESS:
        _option.hidden = True
    elif isinstance(_option, click.Option) and _option.name == "store":
        _option.metavar, _option.help = "FILE", "Keep the state in this file between runs."


def _announce(url: str) -> None:
    click.echo(f"Sandbox at {url}; Ctrl-C ends it.", err=True)
    click.echo("Its credentials, unless the seed names others:", err=True)
    for line in (
        "  export SLICKTEXT_API_KEY=sandbox-slicktext-key            # brand 123456789",
        "  export INTELEPEER_USERNAME=sandbox INTELEPEER_PASSWORD=sandbox-intelepeer-password",
        "  export EXOTEL_API_KEY=sandbox-exotel-key EXOTEL_API_TOKEN=sandbox-exotel-token   # account sandbox1",
        "  export CONTACTCENTER_USERNAME=sandbox CONTACTCENTER_PASSWORD=sandbox-contactcenter-password",
    ):
        click.echo(line, err=True)
