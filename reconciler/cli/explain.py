"""``explain``: what a diagnostic's code means and what to do about it."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import with_global_options


@click.command("explain")
@click.argument("code", required=False)
@with_global_options
def command(code: str | None, **_: Any) -> int:
    """Explain CODE, as it stands in brackets after `error` or `warning`; without CODE, list them all."""
    from difflib import get_close_matches

    from reconciler.app.codes import codes
    from reconciler.cli.output import emit
    from reconciler.errors import Exit, UsageError

    known = codes()
    if code is None:
        wide = max(map(len, known))
        emit("\n".join(f"{name:<{wide}}  {meaning}" for name, (meaning, _) in sorted(known.items())))
        return Exit.OK
    if code not in known:
        close = get_close_matches(code, known, n=3)
        raise UsageError(f"there is no code {code!r}", hint=f"did you mean {', '.join(close)}?" if close else "")
    meaning, remedy = known[code]
    emit(f"{code}\n\n  {meaning}\n\n  What to do: {remedy}")
    return Exit.OK
