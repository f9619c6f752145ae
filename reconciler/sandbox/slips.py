"""How far the pages of a collection have slipped: a row left out between two pages, or shown on both."""

from __future__ import annotations

from reconciler.sandbox.wire import Request


class Slips:
    """By path. What slipped stays slipped until the collection is read from its start again."""

    def __init__(self, *positions: str) -> None:
        self._positions = positions  # query parameters that say where a page starts
        self._shifts: dict[str, int] = {}

    def shift(self, request: Request) -> int:
        """By how many rows the page of this request is off."""
        if request.method != "GET":
            return 0
        later = any(request.query.get(name, "0") != "0" for name in self._positions)
        shift = (self._shifts.get(request.path, 0) if later else 0) + request.twist.row_shift
        if shift:
            self._shifts[request.path] = shift
        else:
            self._shifts.pop(request.path, None)
        return shift
