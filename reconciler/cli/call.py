"""``call``: one documented endpoint, typed, for what is not desired state."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import Globals, request_of, with_formats, with_loading_options
from reconciler.cli.waiting import wait_for

if TYPE_CHECKING:
    from reconciler.app.calling import Called, Wanted
    from reconciler.app.loading import Request
    from reconciler.cli.progress import ProgressLine


@click.command("call", add_help_option=False)
@click.argument("account", required=False)
@click.argument("operation", required=False)
@click.argument("arguments", nargs=-1, metavar="[NAME=TEXT | NAME:=JSON | NAME=@FILE]...")
@click.option("--list", "list_", is_flag=True, help="List the operations of ACCOUNT, or of every provider.")
@click.option("--yes", is_flag=True, help="Approve a write; one that can start contacting people needs more.")
@click.option("--approve", multiple=True, metavar="contact", help="Approve a write that can start contacting people.")
@click.option("-h", "--help", "help_", is_flag=True, help="Show this, or with ACCOUNT and OPERATION what that takes.")
@with_loading_options
@with_formats("text", "concise", "json")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    account: str | None,
    operation: str | None,
    arguments: tuple[str, ...],
    list_: bool,
    yes: bool,
    approve: tuple[str, ...],
    help_: bool,
    **params: Any,
) -> int:
    """Send one OPERATION of ACCOUNT's provider and print the answer as JSON, people masked.

    Reads need nothing. Writes need --yes, those that can start contacting people --approve contact, and none goes to
    anybody whom a Suppression names. Exits with 0 for a 2xx, with 4 for 401 and 403, with 1 for every other answer.
    --format and --report are for --list; an answer is always JSON.
    """
    from reconciler.app.calling import Wanted
    from reconciler.cli.apply import approvals, on_signals
    from reconciler.cli.progress import ProgressLine
    from reconciler.errors import Exit, UsageError

    shared = Globals.of(ctx)
    if help_ or list_:
        return _explain(ctx, shared, params, (account, operation), listing=list_ and not help_)
    if account is None or operation is None:
        raise UsageError(
            "write: reconciler call ACCOUNT OPERATION [NAME=VALUE]...", hint="`reconciler call --list` names them all"
        )
    progress = ProgressLine()
    wanted = Wanted(
        account=account,
        operation=operation,
        words=arguments,
        approved=approvals(yes, approve, ctx),
        signals=lambda control: on_signals(control, progress),
    )
    return Exit(_call(shared, request_of(shared, params, progress), wanted, progress))


def _call(shared: Globals, request: Request, wanted: Wanted, progress: ProgressLine) -> int:
    from reconciler.app.calling import call
    from reconciler.cli.output import emit
    from reconciler.render.answers import answer_json

    try:
        called = wait_for(call(request, wanted))
    finally:
        progress.clear()
    emit(answer_json(called.response.body, show_pii=shared.show_pii, people=called.people))
    _tell(called)
    return called.exit_code


def _tell(called: Called) -> None:
    """A refusal in one line on stderr; the answer itself is on stdout already."""
    from reconciler.cli.output import note
    from reconciler.masking import harmless, mask_text

    if (failure := called.response.failure) is not None:
        note(f"error[{failure.code}]: {harmless(mask_text(failure.message))}")


def _explain(
    ctx: click.Context,
    shared: Globals,
    params: dict[str, Any],
    about: tuple[str | None, str | None],
    *,
    listing: bool,
) -> int:
    """The list of operations, or help: general, or about one operation."""
    from reconciler.app.arguments import find
    from reconciler.app.calling import operations_of
    from reconciler.cli.output import colored, emit, width
    from reconciler.errors import Exit
    from reconciler.render.operations import operation_text

    account, operation = about
    color = colored(shared, sys.stdout)
    if listing:
        _list(shared, params, account, color)
    elif account is None or operation is None:
        emit(ctx.get_help())
    else:
        provider, operations = operations_of(request_of(shared, params), account)
        found = find(operations, operation, provider.name)
        emit(operation_text(account, found, width=width(), color=color))
    return Exit.OK


def _list(shared: Globals, params: dict[str, Any], account: str | None, color: bool) -> None:
    from reconciler.app.calling import operations_of
    from reconciler.cli.output import present, width
    from reconciler.providers.registry import providers
    from reconciler.render.json import document_json
    from reconciler.render.operations import operation_document, operations_text

    if account is None:
        tables = {name: provider.operations for name, provider in providers().items()}
    else:
        provider, operations = operations_of(request_of(shared, params), account)
        tables = {provider.name: operations}
    documents = [operation_document(name, o) for name, operations in tables.items() for o in operations]

    def written(format_: str) -> str:
        if format_ == "json":
            return document_json({"formatVersion": "1", "operations": documents})
        return operations_text(tables, width=width(), color=color, concise=format_ == "concise")

    present(shared, written)
