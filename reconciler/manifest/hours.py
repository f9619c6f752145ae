"""``quietHours`` of a Project, an environment or an account, read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.manifest.documents import Document
from reconciler.manifest.documents import Path as Place
from reconciler.manifest.findings import Findings
from reconciler.model.quiet import WEEKDAYS, QuietHours, known_zone


def quiet_hours(
    findings: Findings, document: Document, at: Place, given: Mapping[str, Any] | None
) -> QuietHours | None:
    """What ``at`` says; None when nothing does. An empty block says that nothing is quiet."""
    if given is None:
        return None
    zones = tuple(given.get("zones", ()))
    for index, zone in enumerate(zones):
        if known_zone(zone) is None:
            message = f'"{zone}" is no time zone'
            findings.at(document, (*at, "zones", index), "bad-format", message, hint="such as America/New_York")
    days = frozenset(given.get("days", ()))
    if days == frozenset(WEEKDAYS):
        message = "every day is quiet: nobody could ever be contacted"
        findings.at(document, (*at, "days"), "bad-format", message, hint="to stop every write, use a file FREEZE")
    return QuietHours(start=given.get("from", ""), end=given.get("to", ""), days=days, zones=zones)
