"""``dial``: send one campaign now; the one command that exists to contact people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import Globals, request_of, with_formats, with_loading_options
from reconciler.cli.waiting import wait_for

if TYPE_CHECKING:
    from reconciler.app.dial_sending import Dialled
    from reconciler.app.dialling import Preview
    from reconciler.cli.progress import ProgressLine
    from reconciler.model.addresses import Address


@click.command("dial")
@click.argument("address")
@click.option("--approve", multiple=True, metavar="contact", help="Approve contacting people; needs --confirm.")
@click.option("--confirm", metavar="NAME", default="", help="The campaign's metadata.name, where nobody can be asked.")
@click.option("--request-id", metavar="ID", help="Sent at most once for this id; a repeat does nothing.")
@click.option("--again", is_flag=True, help="Send it although it was sent within the last 24 hours.")
@click.option("--allow", multiple=True, metavar="reach=N", help="Contact up to N people, more than guards.maxReach.")
@click.option(
    "--found",
    type=click.Choice(["sent", "not-sent"]),
    help="Send nothing: say what a look at the provider showed of an unresolved dial.",
)
@with_loading_options
@with_formats("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    address: str,
    approve: tuple[str, ...],
    confirm: str,
    request_id: str | None,
    again: bool,
    found: str | None,
    **params: Any,
) -> int:
    """Send the campaign ADDRESS (ACCOUNT/Campaign/NAME) to everybody on its lists, now.

    On a terminal it asks for the campaign's name. Elsewhere it needs --approve contact and --confirm NAME. A dial whose
    answer was lost is looked up and never repeated.
    """
    from reconciler.app.dialling import DialOptions, dial
    from reconciler.cli.apply import approvals
    from reconciler.cli.progress import ProgressLine

    shared = Globals.of(ctx)
    progress = ProgressLine()
    options = DialOptions(
        address=_parsed(address),
        approve=approvals(False, approve, ctx),
        confirm=confirm,
        again=again,
        request_id=_named(request_id),
        found=None if found is None else found == "sent",
        show=lambda preview: _show(preview, progress),
        ask=_ask if sys.stdin.isatty() and sys.stderr.isatty() else None,
        signals=lambda control: _signals(control, progress),
    )
    try:
        dialled = wait_for(dial(request_of(shared, params, progress), options))
    finally:
        progress.clear()
    _finish(dialled, shared)
    return dialled.exit_code


def _named(request_id: str | None) -> str:
    """Raises UsageError for an id that is empty: an unset variable of a job must not lift what the id is there for."""
    from reconciler.errors import UsageError

    if request_id is not None and not request_id.strip():
        raise UsageError("--request-id is empty", hint="give the id of the job or of its time, or leave it out")
    return request_id or ""


def _parsed(text: str) -> Address:
    from reconciler.errors import UsageError
    from reconciler.model.addresses import Address

    try:
        return Address.parse(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no address", hint="write ACCOUNT/Campaign/NAME, for example main/Campaign/spring"
        ) from None


def _signals(control: Any, progress: ProgressLine) -> None:
    from reconciler.cli.apply import on_signals

    on_signals(control, progress)


def _show(preview: Preview, progress: ProgressLine) -> None:
    from reconciler.cli.output import note
    from reconciler.masking import harmless, mask_text

    progress.clear()
    dial = preview.dial
    lines = [f"{preview.address} ({dial.name!r}) contacts {_people(dial.recipients)} now:"]
    lines += [f"  {name}: {size}" for name, size in preview.lists.items()]
    lines += [f"  {name}: {value}" for name, value in dial.shown.items() if value]
    lines += [f"  not checked against the suppression list: {why}" for why in dial.unread]
    note("\n".join(harmless(mask_text(line)) for line in lines))


def _ask(preview: Preview) -> str:
    """What a person typed; the empty answer is no."""
    from reconciler.errors import Refused

    people = _people(preview.dial.recipients)
    question = f"This contacts {people} and cannot be taken back. Type the campaign's name to send it"
    answer = str(click.prompt(question, default="", show_default=False, err=True)).strip()
    if not answer:
        raise Refused("not approved; nothing was sent")
    return answer


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


_SAID = {
    "done": "sent to {people}",
    "rejected": "refused by the provider, nobody was contacted",
    "not-processed": "not sent, the provider did not take the request",
    "void": "not sent",
}


def _finish(dialled: Dialled, shared: Globals) -> None:
    from reconciler.cli.apply import regardless
    from reconciler.cli.output import present_either
    from reconciler.masking import harmless

    document = dialled.document(show_pii=shared.show_pii)
    said = _SAID.get(dialled.state, "unresolved, it may have been sent").format(people=_people(dialled.recipients))
    before = "before, by" if dialled.repeated else "by"
    more = f": {harmless(document['detail'])}" if document["detail"] else ""
    text = f"{dialled.address}: {said} ({before} run {dialled.run}){more}"
    with regardless():
        present_either(shared, document, text)
