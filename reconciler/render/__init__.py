"""Documents into text: pure functions from the JSON documents of plans, reports and drift to what somebody reads.

Renderers draw from the documents and never from the values behind them, so a saved plan looks the same later. This is
the door: one function for each kind of document, and the closed set of formats. A format is imported when it is asked
for: most commands write one of them, and checking manifests none.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, Protocol


class Format(StrEnum):
    """What ``--format`` and ``--report`` take for plans, reports and drift. ``gitlab`` is the widget that a merge
    request has for it: the counts of a plan or an apply, code quality for drift."""

    TEXT = "text"
    CONCISE = "concise"
    JSON = "json"
    NDJSON = "ndjson"
    MARKDOWN = "markdown"
    HTML = "html"
    JUNIT = "junit"
    SARIF = "sarif"
    GITLAB = "gitlab"
    CODE_QUALITY = "gitlab-codequality"

    @property
    def tells_digest(self) -> bool:
        """Whether a plan in it has its digest, which takes long to compute."""
        return self in {Format.JSON, Format.NDJSON, Format.MARKDOWN, Format.HTML}


class Render(Protocol):
    """A document in a format; ``width`` in columns and ``color`` are for terminals."""

    def __call__(self, doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str: ...


def render_plan(doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
    """A plan document (``schemas/plan.json``) in a format."""
    match format:
        case Format.TEXT:
            from reconciler.render.text import plan_text

            return plan_text(doc, width=width, color=color)
        case Format.CONCISE:
            from reconciler.render.concise import plan_concise

            return plan_concise(doc, width=width, color=color)
        case _:
            return _written("plan", doc, format)


def render_report(doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
    """A report document (``schemas/report.json``) in a format."""
    match format:
        case Format.TEXT:
            from reconciler.render.apply import report_text

            return report_text(doc, width=width, color=color)
        case Format.CONCISE:
            from reconciler.render.apply import report_concise

            return report_concise(doc, width=width, color=color)
        case _:
            return _written("report", doc, format)


def render_drift(doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
    """A drift document (``schemas/drift.json``) in a format."""
    match format:
        case Format.TEXT:
            from reconciler.render.drift import drift_text

            return drift_text(doc, width=width, color=color)
        case Format.CONCISE:
            from reconciler.render.drift import drift_concise

            return drift_concise(doc, width=width, color=color)
        case _:
            return _written("drift", doc, format)


def _written(
    name: Literal["plan", "report", "drift"],
    doc: Mapping[str, Any],
    format: Literal[
        Format.JSON,
        Format.NDJSON,
        Format.MARKDOWN,
        Format.HTML,
        Format.JUNIT,
        Format.SARIF,
        Format.GITLAB,
        Format.CODE_QUALITY,
    ],
) -> str:
    """What has no width and no colour."""
    match format:
        case Format.JSON:
            from reconciler.render.json import document_json

            return document_json(doc)
        case Format.NDJSON:
            from reconciler.render.ndjson import document_lines

            return document_lines(doc, name)
        case _:
            from reconciler.render.reviews import written

            return written(name, doc, format)
