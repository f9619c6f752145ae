"""Command lines that stand in documents and pipelines, read as the command line reads them."""

from __future__ import annotations

import re
import shlex
from typing import Any

import click

from reconciler.cli import cli


def check_typed(line: str) -> None:
    """That ``reconciler …`` names a command and options it has. Raises click.UsageError, or fails."""
    words = shlex.split(line, comments=True)[1:]
    words = words[: words.index(">")] if ">" in words else words
    top = click.Context(cli, info_name="reconciler")
    command = cli.get_command(top, words[0])
    assert command is not None, f"there is no command {words[0]}"
    parsed = command.make_context(words[0], words[1:], parent=top)
    for parameter in command.params:
        # These commands take their own subcommands as plain words, which they name in their help.
        if isinstance(parameter, click.Argument) and parameter.name == "words" and parsed.params["words"]:
            assert parsed.params["words"][0] in re.findall(r"[a-z]+", parameter.metavar or "")


def command_lines(script: str) -> list[str]:
    """The ``reconciler …`` commands in a shell script, without what the shell does with their outcome."""
    joined = script.replace("\\\n", " ")
    found = re.findall(r"^\s*(?:-\s+)?(reconciler .*?)(?=\s*(?:\|\||&&|;|$))", joined, re.MULTILINE)
    return [line for line in found if "…" not in line]


def scripts(node: Any) -> list[str]:
    """Every shell script in a pipeline."""
    match node:
        case dict():
            own = [node[key] for key in ("run", "script", "before_script") if key in node]
            found = [line for text in own for line in (text if isinstance(text, list) else [text])]
            return found + [text for value in node.values() for text in scripts(value)]
        case list():
            return [text for value in node for text in scripts(value)]
        case _:
            return []
