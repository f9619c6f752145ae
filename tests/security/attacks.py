"""What is the same in every attack on the input: how it is tried, and what must not come of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from repository import Repository

PATIENCE_S = 2.0
"""Longer than this nobody waits to hear that an input is bad. In time of the processor: machines are shared."""
MAX_RSS_MIB = 200


@dataclass(frozen=True, slots=True)
class Attacked:
    """How ``validate`` took an input; ``codes`` are those of its errors."""

    code: int
    said: str
    codes: frozenset[str]

    @classmethod
    def run(cls, texts: Repository) -> Self:
        """``validate``, then ``plan``: the same refusal, and no request before it."""
        before = time.process_time()
        result = texts("validate")
        took = time.process_time() - before
        said = result.out + result.err
        assert took <= PATIENCE_S, f"{took:.1f} s"
        assert "Traceback" not in said
        assert "error[unexpected]" not in said
        if result.code:
            assert texts("plan").code == result.code
            assert texts.sandbox.requests() == []
        return cls(result.code, said, frozenset(re.findall(r"error\[([\w-]+)\]", said)))

    def refused(self, *codes: str) -> None:
        """Exit 3 for these reasons, and for no others."""
        assert (self.code, self.codes) == (3, set(codes)), self.said


def a_list(name: str = "Join", description: str = "") -> str:
    """A list whose name is the YAML given."""
    more = f", description: {description}" if description else ""
    return f"apiVersion: slicktext/v1\nkind: List\nmetadata: {{name: join}}\nspec: {{name: {name}{more}}}\n"


def members_from(file: str, more: str = "") -> str:
    """A membership that takes its contacts from a file, named by the YAML given."""
    return (
        "apiVersion: slicktext/v1\nkind: Membership\nmetadata: {name: people}\n"
        f'spec: {{list: {{id: "1"}}, mode: exact, contactsFrom: [{{file: {file}{more}}}]}}\n'
    )


def members(contacts: str) -> str:
    """A membership with these contacts."""
    return (
        "apiVersion: slicktext/v1\nkind: Membership\nmetadata: {name: people}\n"
        f'spec: {{list: {{id: "1"}}, mode: exact, contacts: {contacts}}}\n'
    )


def measured(folder: Path, *words: str) -> tuple[int, str, float, float]:
    """The tool in a process of its own: exit code, what it said, processor seconds, and MiB that it had at most."""
    # A parent's size counts as its child's until the child has become another program, so a small one is in between.
    starter = (
        "import os, resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)\n"
        "sys.stdout.buffer.write(done.stdout)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_maxrss, used.ru_utime + used.ru_stime, done.returncode, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", starter, sys.executable, "-m", "reconciler", *words],
        cwd=folder,
        env={**os.environ},
        capture_output=True,
        check=True,
        timeout=110,
    )
    kib, seconds, code = done.stderr.split()
    return int(code), done.stdout.decode(), float(seconds), int(kib) / 1024
