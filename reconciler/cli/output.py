"""Where text goes: stdout carries what was asked for, stderr everything else; nothing leaves unmasked by accident."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from reconciler.cli.options import Globals
from reconciler.errors import Exit, InvalidInput, ReconcilerError, Refused
from reconciler.masking import harmless, mask_text

if TYPE_CHECKING:
    from reconciler.render import Render

UNEXPECTED = "unexpected"
"""The code of an error that nobody foresaw."""

MAX_WIDTH = 140
"""Wider lines are harder to read, whatever the terminal could show."""


def width() -> int:
    """Columns to write for: the terminal's, or 100 where there is none."""
    columns = shutil.get_terminal_size((100, 24)).columns
    return max(60, min(columns, MAX_WIDTH))


def stderr_width() -> int | None:
    """Columns to wrap messages at: the terminal's; elsewhere a message stays on its line, for whoever searches it."""
    return width() if sys.stderr.isatty() else None


def colored(shared: Globals | None, stream: Any) -> bool:
    """Colour only on a terminal, and never when somebody said no."""
    if (shared is not None and shared.color is False) or os.environ.get("NO_COLOR"):
        return False
    return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"


def emit(text: str) -> None:
    """The result, on stdout. That nobody reads it any more is no reason to stop half-way, or to end otherwise."""
    try:
        sys.stdout.write(text.rstrip("\n") + "\n")
        sys.stdout.flush()
    except OSError as failure:
        _nowhere(sys.stdout)
        if not isinstance(failure, BrokenPipeError):
            note(f"warning: the output cannot be written: {failure.strerror}")


def note(text: str) -> None:
    """Something by the way, on stderr."""
    aside(text.rstrip("\n") + "\n")


def aside(text: str) -> None:
    """Exactly this on stderr; whether anybody can read it changes nothing, in the middle of an apply least of all."""
    try:
        click.echo(text, nl=False, err=True)
    except OSError:
        _nowhere(sys.stderr)


def _nowhere(stream: TextIO) -> None:
    """What is written to ``stream`` from now on is lost, and so is what it still holds."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def emit_plan(document: Mapping[str, Any], shared: Globals) -> None:
    """A plan document in the format asked for, and in every format of ``--report``."""
    from reconciler.render import render_plan

    deliver(render_plan, document, shared)


def tells_digest(shared: Globals) -> bool:
    """Whether anything that ``emit_plan`` writes has the digest of the plan in it."""
    from reconciler.render import Format

    wanted = (shared.format, *(name for name, _ in shared.reports))
    return bool(os.environ.get("GITHUB_STEP_SUMMARY")) or any(Format(name).tells_digest for name in wanted)


def deliver(render: Render, document: Mapping[str, Any], shared: Globals) -> None:
    """A document on stdout, in every format of ``--report``, and on the page that the CI system shows for this step."""
    from reconciler.render import Format

    emit(render(document, Format(shared.format), width=width(), color=colored(shared, sys.stdout)))
    _beside(render, document, shared)


def present(shared: Globals, written: Callable[[str], str]) -> None:
    """What a command has to say, ``written`` in a format: on stdout in the one asked for, and in every ``--report``."""
    emit(written(shared.format))
    write_reports(shared, written)


def present_either(shared: Globals, document: Mapping[str, Any], text: str) -> None:
    """The same where there are two formats: the ``document`` as JSON, and its ``text``."""

    def written(format_: str) -> str:
        if format_ != "json":
            return text
        from reconciler.render.json import document_json

        return document_json(document)

    present(shared, written)


def report_plan(document: Mapping[str, Any], shared: Globals) -> None:
    """A plan document that stdout had already, where else it is wanted."""
    from reconciler.render import render_plan

    _beside(render_plan, document, shared)


def _beside(render: Render, document: Mapping[str, Any], shared: Globals) -> None:
    """In every format of ``--report``, and on the page that the CI system shows for this step."""
    from reconciler.render import Format

    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(Path(summary), render(document, Format.MARKDOWN, width=100, color=False))
    write_reports(shared, lambda name: render(document, Format(name), width=100, color=False))


def write_reports(shared: Globals, written: Callable[[str], str]) -> None:
    """Every file of ``--report``, ``written`` in its format. One that cannot be written keeps no other from it.

    Raises InvalidInput at the end, with all that could not.
    """
    failures = []
    for name, file in shared.reports:
        try:
            write_file(Path(file), written(name))
        except InvalidInput as failure:
            failures.append(failure.message)
    if failures:
        raise InvalidInput("; ".join(failures))


def _append(path: Path, text: str) -> None:
    """A CI step's page is shared by everything that runs in it, and no reason for the command to fail."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as failure:
        note(f"the step summary cannot be written: {failure.strerror}")


def write_file(path: Path, text: str) -> None:
    """A whole file or none, readable by its owner only. Raises InvalidInput when it cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    except OSError as failure:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise InvalidInput(f"{path} cannot be written: {failure.strerror}") from None


def tell_failure(problem: ReconcilerError) -> Exit:
    """What ended a command, on stderr; its exit code."""
    diagnostics = getattr(problem, "diagnostics", None)
    if diagnostics:
        from reconciler.render.diagnostics import diagnostics_text

        note(diagnostics_text(diagnostics, colored(None, sys.stderr), width=stderr_width()))
        if isinstance(problem, Refused):
            note(f"error[{problem.code}]: {problem.message}")
        return problem.exit_code
    note(f"error[{problem.code}]: {harmless(mask_text(problem.message))}")
    if problem.hint:
        note(f"  hint: {harmless(mask_text(problem.hint))}")
    return problem.exit_code


_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|URL", re.IGNORECASE)


def tell_bug(bug: BaseException, *, whole: bool = False) -> Exit:
    """An error that nobody foresaw: what and where, without its text, which could hold anything.

    ``whole``: the traceback with its texts, as far as they can be shown, for somebody who asked for it.
    """
    import traceback

    if whole:
        secrets = {v for k, v in os.environ.items() if len(v) >= 4 and _SECRET_NAME.search(k)}
        for text in "".join(traceback.format_exception(bug)).splitlines():
            for secret in sorted(secrets, key=len, reverse=True):
                text = text.replace(secret, "***")
            note(harmless(mask_text(text)))
        return Exit.ERROR
    frames = traceback.extract_tb(bug.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno} ({frames[-1].name})" if frames else ""
    note(f"error[{UNEXPECTED}]: {type(bug).__name__}{where}")
    note("  hint: this is a bug in reconciler; --debug shows all of it. What was sent is in: reconciler history")
    return Exit.ERROR
