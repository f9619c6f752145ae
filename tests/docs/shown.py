"""What pages show of the shell: blocks of commands, what they print, and files that the reader is told to write.

A block of code that is indented, or fenced as ``sh``, is a shell's; every other block is fenced and says its language.
A line that begins with ``$ `` is a command and what follows is what it prints; without such lines every line is a
command.
A comment of HTML right before a block says how it is run::

    <!-- run: in=slicktext exit=2 -->

====== ===============================================================================================================
in     the situation (``situations.py``) in which this block and those after it run, fresh from here on
exit   the exit code of every command of the block, or one for each, with commas between them; 0 when left out
type   what the reader types when asked; for several commands one for each, empty for none
file   no command: this block is the content of that file
====== ===============================================================================================================
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

_DIRECTIVE = re.compile(r"<!-- run: (?P<pairs>[^\n]+) -->\s*")
_KEYS = {"in", "exit", "type", "file"}
SHELLS = {"sh", "shell", "bash", "console"}


_Typed = list[tuple[int, str, tuple[str, ...] | None]]
"""The line within its block, the command, and what is shown below it."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command, whole, and the lines that the page shows below it (None: none)."""

    line: int
    text: str
    exit: int
    answer: str = ""
    shown: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Block:
    """A shell block, or with ``file`` the content of one. ``place`` is the situation that begins here, if one does."""

    line: int
    place: str = ""
    commands: tuple[Command, ...] = ()
    file: str = ""
    content: str = field(default="", repr=False)


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in their order. Raises ValueError, with the line, for one that cannot be understood."""
    return list(_blocks(page.read_text(encoding="utf-8")))


def mentioned(page: Path) -> set[str]:
    """The commands that stand in the prose of a page, whole ones only."""
    spans = re.findall(r"`(reconciler [^`\n…]+)`", page.read_text(encoding="utf-8"))
    return {span for span in spans if " COMMAND " not in span}


def _blocks(text: str) -> Iterator[Block]:
    directive: Token | None = None
    for token in MarkdownIt("commonmark").parse(text):
        if token.type in ("code_block", "fence"):
            if (block := _block(token, _said(directive))) is not None:
                yield block
            directive = None
        elif token.type == "html_block" and "run:" in token.content:
            directive = token
        elif token.type != "html_block" and directive is not None:
            raise ValueError(f"line {_line(directive)}: this comment is not right before a block of code")


def _line(token: Token) -> int:
    return (token.map or [0])[0] + 1


def _block(token: Token, said: Mapping[str, str]) -> Block | None:
    line, language = _line(token), token.info.strip().partition(" ")[0]
    if "file" in said:
        return Block(line=line, file=said["file"], content=token.content, place=said.get("in", ""))
    if token.type == "code_block" or language in SHELLS:
        return _shell_block(token, said, line + (token.type == "fence"))
    if not language:
        raise ValueError(f"line {line}: a fenced block says its language: sh or console, or text when it has none")
    if said:
        raise ValueError(f"line {line}: nothing is run of a block of {language}")
    if re.search(r"^(\$ |reconciler )", token.content, re.MULTILINE):
        raise ValueError(f"line {line}: commands are in an indented block, or one fenced as sh")
    return None


def _said(directive: Token | None) -> Mapping[str, str]:
    if directive is None:
        return {}
    if not (found := _DIRECTIVE.fullmatch(directive.content)):
        raise ValueError(f"line {_line(directive)}: this comment cannot be read")
    said = dict(pair.split("=", 1) for pair in shlex.split(found["pairs"]))
    if strange := said.keys() - _KEYS:
        raise ValueError(f"line {_line(directive)}: unknown in this comment: {', '.join(sorted(strange))}")
    return said


def _shell_block(token: Token, said: Mapping[str, str], line: int) -> Block:
    lines = token.content.splitlines()
    typed = _typed(lines) if any(text.startswith("$ ") for text in lines) else _plain(lines)
    exits = _for_each(typed, said.get("exit", "0"), line)
    answers = _for_each(typed, said.get("type", ""), line)
    commands = tuple(
        Command(line=line + at, text=command, exit=int(code), answer=answer, shown=shown)
        for (at, command, shown), code, answer in zip(typed, exits, answers, strict=True)
    )
    return Block(line=line, place=said.get("in", ""), commands=commands)


def _for_each(typed: _Typed, said: str, line: int) -> list[str]:
    """One value for each command: the same for all, or as many as there are."""
    values = said.split(",")
    if len(values) not in (1, len(typed)):
        raise ValueError(f"line {line}: {len(typed)} commands, and for them {said}")
    return values * len(typed) if len(values) == 1 else values


def _plain(lines: list[str]) -> _Typed:
    """A command a line; one goes on after a backslash, and as long as a quote is open."""
    found: _Typed = []
    whole: list[str] = []
    for at, text in enumerate(lines):
        whole.append(text)
        if text.endswith("\\") or _is_open("\n".join(whole)):
            continue
        if (command := "\n".join(whole)).strip() and not command.lstrip().startswith("#"):
            found.append((at - len(whole) + 1, command, None))
        whole = []
    if whole:
        raise ValueError(f"this command does not end: {whole[0]}")
    return found


def _is_open(command: str) -> bool:
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return True
    return False


def _typed(lines: list[str]) -> _Typed:
    """What follows ``$ ``, each with the lines below it."""
    starts = [at for at, text in enumerate(lines) if text.startswith("$ ")]
    if starts[0] != 0:
        raise ValueError("output without a command")
    found: _Typed = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        stop = start + 1
        while lines[stop - 1].endswith("\\"):
            stop += 1
        shown = tuple(text for text in lines[stop:end] if text.strip())
        command = "\n".join(lines[start:stop]).removeprefix("$ ")
        found.append((start, command, shown or None))
    return found


# --- what was printed, against what is shown -------------------------------------------------------------------------

_VARIES = (
    r"\d{4}-\d{2}-\d{2}T\d{2}\.\d{2}\.\d{2}-[0-9a-f]{4}",  # a run
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z",
    r"scrypt\$[\w$./+=-]+",
    r"\d+\.\d s\b",
    r"about \d+ s\b",
    r"\b[0-9a-f]{7,40}\b",  # a commit
)


def mismatch(shown: tuple[str, ...], printed: str) -> str:
    """What is shown and was not printed there; empty when all was.

    ``…`` stands for anything in a line, and alone for any lines. Times, runs, digests and the width of columns may
    differ.
    """
    lines = [text for text in printed.splitlines() if text.strip()]
    at, skipping = 0, False
    for text in shown:
        if text.strip() == "…":
            skipping = True
            continue
        pattern = _pattern(text)
        here = next((n for n in range(at, len(lines)) if pattern.fullmatch(lines[n].rstrip())), None)
        if here is None or (here > at and not skipping):
            return f"{text!r} is not what comes after line {at}"
        at, skipping = here + 1, False
    return "" if at == len(lines) or skipping else f"{lines[at]!r} comes after what is shown"


def _pattern(text: str) -> re.Pattern[str]:
    varies = re.compile("|".join(f"(?:{one})" for one in _VARIES))
    pattern, at = "", 0
    for found in varies.finditer(text.rstrip()):
        kind = next(one for one in _VARIES if re.fullmatch(one, found[0]))
        pattern += _literal(text[at : found.start()]) + kind
        at = found.end()
    return re.compile(pattern + _literal(text[at:].rstrip()))


def _literal(text: str) -> str:
    pieces = re.split(r"(…|\s+)", text)
    return "".join({"…": ".*"}.get(p, r"\s+" if p.isspace() else re.escape(p)) for p in pieces if p)
