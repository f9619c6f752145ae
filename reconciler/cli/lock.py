"""``lock``: who is writing to which account; take a lease away from somebody who will not come back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.inventory import agreed
from reconciler.cli.options import Globals, request_of, with_formats

if TYPE_CHECKING:
    from reconciler.app.loading import Request
    from reconciler.store import Holder


@click.command("lock")
@click.argument("words", nargs=-1, metavar="[list | break IDENTITY]")
@click.option("--all", "every", is_flag=True, help="Break every lease in the store.")
@click.option("--yes", is_flag=True, help="Do not ask before breaking a lease.")
@with_formats("text", "json")
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], every: bool, yes: bool, **_: Any) -> int:
    """List who holds the lease of which account; break one that nobody will give back.

    The lease of a dead process on this machine, and one that nobody renewed for a minute, is free by itself. A living
    holder whose lease is broken stops starting anything when it renews next, within 20 seconds.
    """
    from reconciler.errors import Exit, UsageError

    shared = Globals.of(ctx)
    request = request_of(shared, {})
    match words:
        case () | ("list",) if not every:
            _list(request, shared)
        case ("break",) if every:
            _break(request, shared, None, yes)
        case ("break", identity) if not every:
            _break(request, shared, identity, yes)
        case _:
            raise UsageError("write: reconciler lock list, lock break IDENTITY, or lock break --all")
    return Exit.OK


def _list(request: Request, shared: Globals) -> None:
    from reconciler.app.locking import holders

    found = holders(request)
    _tell(shared, found, [_line(h) for h in found])


def _break(request: Request, shared: Globals, identity: str | None, yes: bool) -> None:
    from reconciler.app.locking import break_leases, holders
    from reconciler.cli.output import note

    found = [h for h in holders(request) if identity in (None, h.identity)]
    for holder in found:
        note(_line(holder))
    if identity is None and not found:
        _tell(shared, (), [])
        return
    if found:
        agreed(f"Break {'this lease' if len(found) == 1 else f'these {len(found)} leases'}?", yes)
    broken = break_leases(request, (identity,) if identity is not None else tuple(h.identity for h in found))
    _tell(shared, broken, [f"{h.identity}  broken" for h in broken])
    if any(not h.dead for h in broken):
        note("A living holder stops starting anything when it renews next, within 20 seconds; wait for that.")


def _tell(shared: Globals, found: tuple[Holder, ...], lines: list[str]) -> None:
    from reconciler.cli.output import present_either

    document = {"formatVersion": "1", "locks": [_document(h) for h in found]}
    text = "\n".join(lines) or "No lease is held."
    present_either(shared, document, text)


def _document(holder: Holder) -> dict[str, Any]:
    return {
        "identity": holder.identity,
        "host": holder.host,
        "pid": holder.pid,
        "processStarted": holder.process_started,
        "command": holder.command,
        "acquiredAt": holder.since.isoformat(),
        "expiresAt": holder.expires.isoformat(),
        "dead": holder.dead,
    }


def _line(holder: Holder) -> str:
    from reconciler.masking import visible

    left_s = (holder.expires - datetime.now(UTC)).total_seconds()
    state = "dead" if holder.dead else f"expires in {left_s:.0f} s" if left_s > 0 else "late"
    who = f"{holder.command or 'apply'} of process {holder.pid} on {holder.host}"
    return visible(f"{holder.identity}  {who}  since {holder.since:%Y-%m-%d %H:%M:%S} UTC  {state}")
