"""The page about writing a provider shows pieces of one that passes the suite, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "writing-a-provider.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
SOURCES = [
    *sorted((HERE / "thirdparty").rglob("*.py")),
    *sorted((HERE / "thirdparty").rglob("*.json")),
    *sorted((HERE / "thirdparty").rglob("*.txt")),
    HERE / "participants" / "acme.py",
]


def lines(text: str) -> str:
    """Without indentation, which depends on where a piece is cut out."""
    return "\n".join(line.strip() for line in dedent(text).strip().splitlines())


@pytest.mark.parametrize(("language", "block"), BLOCKS, ids=[str(n) for n, _ in enumerate(BLOCKS)])
def test_every_block_is_a_piece_of_the_example(language: str, block: str) -> None:
    assert language in ("python", "json", "ini")
    assert any(lines(block) in lines(path.read_text(encoding="utf-8")) for path in SOURCES), block


def test_there_are_blocks() -> None:
    assert len(BLOCKS) > 6
