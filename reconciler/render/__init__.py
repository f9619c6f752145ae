"""Documents into text: pure functions from the JSON documents of plans and reports to what people or machines read.

Renderers draw from the documents and never from the values behind them, so a saved plan looks the same later. This is
the door: one function for plans, one for reports, and the closed set of formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, assert_never

from reconciler.render.apply import report_concise, report_text
from reconciler.render.concise import plan_concise
from reconciler.render.drift import drift_concise, drift_text
from reconciler.render.json import document_json, plan_json
from reconciler.render.text import plan_text


class Format(StrEnum):
    """What ``--format`` takes for plans and reports."""

    TEXT = "text"
    CONCISE = "concise"
    JSON = "json"


def render_plan(doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
    """A plan document (``schemas/plan.json``) in a format; ``width`` in columns and ``color`` are for terminals."""
    match format:
        case Format.TEXT:
            return plan_text(doc, width=width, color=color)
        case Format.CONCISE:
            return plan_concise(doc, width=width, color=color)
        case Format.JSON:
            return plan_json(doc)
        case _:
            assert_never(format)


def render_report(doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
    """A report document (``schemas/report.json``) in a format."""
    match format:
        case Format.TEXT:
            return report_text(doc, width=width, color=color)
        case Format.CONCISE:
            return report_concise(doc, width=width, color=color)
        case Format.JSON:
            return document_json(doc)
        case _:
            assert_never(format)


def render_drift(doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
    """A drift document (``schemas/drift.json``) in a format."""
    match format:
        case Format.TEXT:
            return drift_text(doc, width=width, color=color)
        case Format.CONCISE:
            return drift_concise(doc, width=width, color=color)
        case Format.JSON:
            return document_json(doc)
        case _:
            assert_never(format)
