"""What time it is, for every rule that depends on it: one place, so that a test can say another time."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)
