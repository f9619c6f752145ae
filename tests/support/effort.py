"""How much work something is, on any machine: the lines of Python that it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

_FEW, _MANY = 60, 240


def lines_run(act: Callable[[], object]) -> int:
    """How many lines ``act`` runs, those again that run again."""
    count = 0

    def traced(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


def growth(situation: Callable[[int], Callable[[], object]]) -> float:
    """How many times the work four times as much is: 4 where each is looked at by itself, 16 where everything is
    compared with everything. ``situation`` prepares the work for so many."""
    few, many = situation(_FEW), situation(_MANY)
    few()  # whatever is imported or remembered once
    return lines_run(many) / lines_run(few)
