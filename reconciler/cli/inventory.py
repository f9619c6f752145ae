"""``inventory``: what we own; take ownership of something live; let go without deleting."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import Globals, request_of, with_formats
from reconciler.cli.waiting import wait_for

if TYPE_CHECKING:
    from reconciler.app.loading import Request
    from reconciler.model.addresses import Address


@click.command("inventory")
@click.argument("words", nargs=-1, metavar="[list | adopt ADDRESS REMOTE_ID | forget ADDRESS]")
@click.option("--yes", is_flag=True, help="Do not ask before adopting or forgetting.")
@with_formats("text", "json")
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], yes: bool, **_: Any) -> int:
    """List every address we own; adopt a live object by its id; forget one without deleting it."""
    from reconciler.errors import Exit, UsageError

    shared = Globals.of(ctx)
    request = request_of(shared, {})
    match words:
        case () | ("list",):
            _list(request, shared)
        case ("adopt", address, remote_id):
            _adopt(request, _parsed(address), remote_id, yes)
        case ("forget", address):
            _forget(request, _parsed(address), yes)
        case _:
            raise UsageError(
                "write: reconciler inventory list, inventory adopt ADDRESS REMOTE_ID, or inventory forget ADDRESS"
            )
    return Exit.OK


def _parsed(text: str) -> Address:
    from reconciler.errors import UsageError
    from reconciler.model.addresses import Address

    try:
        return Address.parse(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no address", hint="write ACCOUNT/KIND/NAME, for example main/List/join"
        ) from None


def _list(request: Request, shared: Globals) -> None:
    from reconciler.app.loading import loaded, required
    from reconciler.app.planning import store_for
    from reconciler.cli.output import present_either
    from reconciler.masking import harmless
    from reconciler.plan.codec import field_value

    with store_for(required(loaded(request)), request, create=False) as store:
        owned = sorted(store.inventory(members=False).owned.values(), key=lambda o: o.address)
    objects = [
        {
            "address": str(o.address),
            "remoteId": o.remote_id,
            "protected": o.protect,
            "lastApplied": field_value(dict(o.fields), shared.show_pii),
        }
        for o in owned
    ]
    document = {"formatVersion": "1", "objects": objects}
    wide = max((len(str(o.address)) for o in owned), default=0)
    lines = [f"{o.address!s:<{wide}}  {harmless(o.remote_id)}{'  protected' if o.protect else ''}" for o in owned]
    text = "\n".join(lines) or "Nothing is owned yet."
    present_either(shared, document, text)


def _adopt(request: Request, address: Address, remote_id: str, yes: bool) -> None:
    from reconciler.app.owning import adopt
    from reconciler.cli.output import note
    from reconciler.masking import harmless, mask_text
    from reconciler.model.addresses import RemoteId

    agreed(f"Take ownership of {remote_id} as {address}?", yes)
    found = wait_for(adopt(request, address, RemoteId(remote_id)))
    note(f"{address} is now {remote_id}, {harmless(mask_text(found.name))!r}. What differs is in the next plan.")


def _forget(request: Request, address: Address, yes: bool) -> None:
    from reconciler.app.owning import forget
    from reconciler.cli.output import note

    agreed(f"Let go of {address}? The live object stays.", yes)
    forget(request, address)
    note(f"{address} is no longer ours; nothing live was touched.")


def agreed(question: str, yes: bool) -> None:
    """Raises Refused unless somebody said the whole word."""
    from reconciler.errors import Refused

    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused("nobody can be asked here", hint="add: --yes")
    if str(click.prompt(f"{question} Type 'yes' to approve", default="", show_default=False, err=True)) != "yes":
        raise Refused("not approved")
