"""The command line: one module a command, options in, text and exit code out.

Nothing heavy is imported here; a command's module is imported when the command runs, so that ``--help`` and completion
stay quick.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Any, NoReturn, cast

import click

from reconciler import __version__
from reconciler.cli.options import with_options_before

_COMMANDS = {
    "apply": ("reconciler.cli.apply", "Plan, show, ask, and make the changes."),
    "call": ("reconciler.cli.call", "Send one documented operation of a provider, for what is not desired state."),
    "completion": ("reconciler.cli.completion", "Print a shell's completion script."),
    "demo": ("reconciler.cli.demo", "Sandbox and example: plan, apply, plan again, tamper, drift, correct."),
    "dial": ("reconciler.cli.dial", "Send one campaign now, to everybody on its lists."),
    "drift": ("reconciler.cli.drift", "Show what moved behind Git's back; writes nothing."),
    "explain": ("reconciler.cli.explain", "Explain the code of a diagnostic, or a field of a manifest."),
    "fmt": ("reconciler.cli.fmt", "Put manifests into one form, comments kept."),
    "graph": ("reconciler.cli.graph", "Draw what is declared and what feeds what, as DOT or Mermaid."),
    "guard": ("reconciler.cli.guard", "Refuse files of people's numbers that no manifest names."),
    "history": ("reconciler.cli.history", "Show past applies and every operation in them."),
    "import": ("reconciler.cli.importing", "Write a live account as manifests and contact files."),
    "init": ("reconciler.cli.init", "Start a repository: project, account, list, membership, pipeline."),
    "inventory": ("reconciler.cli.inventory", "Show what we own; take ownership; let go."),
    "lock": ("reconciler.cli.lock", "Show who is writing to which account; take a lease away."),
    "plan": ("reconciler.cli.plan", "Show what differs between the manifests and the providers; writes nothing."),
    "restore": ("reconciler.cli.restore", "Bring back what an apply removed."),
    "sandbox": ("reconciler.cli.sandbox", "Serve the simulated providers on this machine."),
    "schema": ("reconciler.cli.schema", "Print the JSON Schema of a kind."),
    "show": ("reconciler.cli.show", "Show a saved plan."),
    "status": ("reconciler.cli.status", "Show how campaigns and lists are doing at the providers."),
    "validate": ("reconciler.cli.validate", "Check everything that needs no network."),
    "version": ("reconciler.cli.version", "Print the version."),
}


class _Commands(click.Group):
    """Commands by name, each imported when it is needed; the one-line help is known without that."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        return cast(click.Command, import_module(_COMMANDS[cmd_name][0]).command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in sorted(_COMMANDS.items())])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx=ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 2 differences, 3 invalid input, 4 credentials, 5 refused, 6 stale plan, 7 partial, "
    "8 leased, 9 unresolved, 10 unreachable, 64 usage, 130 interrupted.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@with_options_before
def cli(**_: Any) -> None:
    """Campaigns, lists and who is on them, from Git to outbound calling and texting platforms.

    Start with `reconciler demo`, then `reconciler init` and `reconciler plan` in a repository of your own.
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    # What is loaded, read and planned stays to the end, and it has no cycles: going through all of it every 700 objects
    # would take a sixth of a large plan.
    gc.set_threshold(100_000, 20, 10)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A plan has the same bytes whatever the locale, and no name in it can stop an apply half-way.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    _leave(run(args))


def _leave(code: int) -> NoReturn:
    """End at once when everything is written. Giving back the memory of a large plan, object by object, would take a
    tenth of its time, and a prompt that still waits for its line in a thread would hold an interruption up.

    What has to be closed, synced or removed is so by now: none of it waits for the interpreter to end.
    """
    try:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):  # None where it was closed
                stream.flush()
    except OSError:
        sys.exit(code)  # Python tells what could not be written
    os._exit(code)


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line; every failure becomes one message on stderr and an exit code, never a traceback."""
    from reconciler.errors import Exit, ReconcilerError

    try:
        result = cli.main(args=list(args) if args is not None else None, prog_name="reconciler", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as problem:
        click.echo(problem.format_message(), err=True)
        return Exit.USAGE
    except click.ClickException as problem:
        click.UsageError(_told(problem), ctx=getattr(problem, "ctx", None)).show(sys.stderr)
        return Exit.USAGE
    except click.exceptions.Exit as ended:
        return int(ended.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return Exit.INTERRUPTED
    except ReconcilerError as problem:
        from reconciler.cli.output import tell_failure

        return tell_failure(problem)
    except Exception as bug:  # the last boundary: a traceback in a CI log could carry what must not leak
        from reconciler.cli.output import tell_bug

        return tell_bug(bug, whole="--debug" in (sys.argv if args is None else args))
    return int(result) if isinstance(result, int) else Exit.OK


def _told(problem: click.ClickException) -> str:
    from reconciler.masking import harmless

    message = problem.format_message()
    if isinstance(problem, click.MissingParameter):
        message = " ".join(message.split())  # nothing was typed: the lines are click's own, one for each choice
    # What was typed may have come from somewhere else: a script, or the name of a branch.
    return harmless(message)
