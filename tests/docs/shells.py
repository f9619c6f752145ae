"""A shell in a folder of its own, with a sandbox beside it: runs what pages show, as a reader types it."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from reconciler.sandbox import Sandbox

USUAL_URL = "http://127.0.0.1:8765"
"""Where a sandbox is when nobody says otherwise, and so in every page. Those of tests have a port of their own."""

_WITHIN_S = 60.0
_COLUMNS = 100

# What a command leaves behind for the next one: where it is, and what it exported.
_ONE_OF_MANY = """\
if [ -e "$1" ]; then . "$1"; fi
cd "$(cat "$2")" || exit 70
trap 'ended=$?; export -p >"$1"; pwd >"$2"; exit $ended' EXIT
eval "$3"
"""


@dataclass
class Shell:
    """``words`` stand for others in every command (``RUN`` for a run that is there); ``url`` is that of the sandbox."""

    home: Path
    closing: ExitStack
    environment: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def __post_init__(self) -> None:
        (self.home / "bin").mkdir(parents=True)
        self.folder = self.home / "work"
        self.folder.mkdir()
        (self.home / "place").write_text(f"{self.folder}\n")
        # The command of this checkout, whatever is installed.
        command = self.home / "bin" / "reconciler"
        root = Path(__file__).parents[2]
        command.write_text(
            f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(root))} exec {shlex.quote(sys.executable)} -m reconciler "$@"\n'
        )
        command.chmod(0o755)

    def begin_sandbox(self, seed: Mapping[str, Any] | Path | None) -> Sandbox:
        """Simulated providers in this process."""
        sandbox = self.closing.enter_context(Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}))
        self.url = sandbox.url
        return sandbox

    def run(self, command: str, answer: str = "") -> tuple[int, str]:
        """Exit code and all that was printed, on a terminal; ``answer`` is typed when a question waits for it."""
        for word, meant in self.words.items():
            command = " ".join(meant if part == word else part for part in command.split(" "))
        if shlex.split(command, comments=True)[:2] == ["reconciler", "sandbox"]:
            return self._serve(command)
        self._lead_to_sandbox()
        code, printed = self._typed(command.replace(USUAL_URL, self.url or USUAL_URL), answer)
        return code, printed.replace(self.url or USUAL_URL, USUAL_URL)

    def _serve(self, command: str) -> tuple[int, str]:
        """``reconciler sandbox``, which goes on beside what comes after it, on any port that is free."""
        process = subprocess.Popen(
            [str(self.home / "bin" / "reconciler"), *shlex.split(command, comments=True)[1:], "--port", "0"],
            cwd=(self.home / "place").read_text().strip(),
            env=self._variables(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.closing.callback(process.communicate)
        self.closing.callback(process.kill)
        assert process.stderr is not None
        announced = self._first_lines(process.stderr)
        self.url = announced.partition("Sandbox at ")[2].partition(";")[0]
        assert self.url.startswith("http://127.0.0.1:"), announced
        return 0, announced.replace(self.url, USUAL_URL)

    @staticmethod
    def _first_lines(stream: IO[str], count: int = 6) -> str:
        return "".join(stream.readline() for _ in range(count))

    def _lead_to_sandbox(self) -> None:
        """What was written for the usual sandbox, by hand or by ``init``, is meant for the one of this test."""
        for path in self.folder.rglob("*.yaml"):
            text = path.read_text()
            if self.url and USUAL_URL in text:
                path.write_text(text.replace(USUAL_URL, self.url))

    def _variables(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.home / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
        return {
            "HOME": str(self.home),
            "PATH": path,
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "COLUMNS": str(_COLUMNS),
            "GIT_CONFIG_NOSYSTEM": "1",
            "NO_PROXY": "127.0.0.1",
            "TZ": "UTC",
            "TMPDIR": str(self.folder),
            **self.environment,
        }

    def _typed(self, command: str, answer: str) -> tuple[int, str]:
        words = ["bash", "-c", _ONE_OF_MANY, "bash", str(self.home / "kept"), str(self.home / "place"), command]
        ours, theirs = pty.openpty()
        options: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
        with subprocess.Popen(
            words, env=self._variables(), cwd=self.home, start_new_session=True, **options
        ) as process:
            os.close(theirs)
            try:
                printed = _printed(ours, answer)
            except BaseException:
                process.kill()
                raise
            finally:
                os.close(ours)
        return process.returncode, printed


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that nobody has the other end open any more
        return b""


def _printed(terminal: int, answer: str) -> str:
    """All that comes from a command on a terminal. The answer is typed when a question is the last of it."""
    printed, left, end = b"", [answer] if answer else [], time.monotonic() + _WITHIN_S
    while True:
        if select.select([terminal], [], [], 0.05)[0]:
            if not (more := _read(terminal)):
                break
            printed += more
        elif printed.endswith(b": "):
            assert left, f"it asks, and the page does not say what is typed:\n{printed.decode()}"
            os.write(terminal, f"{left.pop()}\n".encode())
        assert time.monotonic() < end, f"it does not end:\n{printed.decode()}"
    assert not left, f"nobody asked for {answer}:\n{printed.decode()}"
    # A line that tells of progress is written over.
    return re.sub(r"[^\n]*\r", "", printed.decode().replace("\r\n", "\n"))
