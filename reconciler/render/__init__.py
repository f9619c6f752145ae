"""Documents into text: pure functions from the JSON documents of plans, reports and drift to what somebody reads.

Renderers draw from the documents and never from the values behind them, so a saved plan looks the same later. This is
the door: one function for each kind of document, and the closed set of formats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, assert_never

from reconciler.render.apply import report_concise, report_text
from reconciler.render.concise import plan_concise
from reconciler.render.drift import drift_concise, drift_text
from reconciler.render.findings import Findings, drift_findings, plan_findings, report_findings
from reconciler.render.gitlab import code_quality, plan_counts, report_counts
from reconciler.render.json import document_json
from reconciler.render.junit import junit
from reconciler.render.markdown import drift_markdown, plan_markdown, report_markdown
from reconciler.render.ndjson import document_lines
from reconciler.render.page import drift_html, plan_html, report_html
from reconciler.render.sarif import sarif
from reconciler.render.text import plan_text


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


class Render(Protocol):
    """A document in a format; ``width`` in columns and ``color`` are for terminals."""

    def __call__(self, doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How one kind of document is written: what every format needs of it."""

    name: str
    text: _Drawn
    concise: _Drawn
    markdown: Callable[[Mapping[str, Any]], str]
    html: Callable[[Mapping[str, Any]], str]
    findings: Callable[[Mapping[str, Any]], Findings]
    gitlab: Callable[[Mapping[str, Any]], str]

    def written(self, doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
        match format:
            case Format.TEXT:
                return self.text(doc, width=width, color=color)
            case Format.CONCISE:
                return self.concise(doc, width=width, color=color)
            case Format.JSON:
                return document_json(doc)
            case Format.NDJSON:
                return document_lines(doc, self.name)
            case Format.MARKDOWN:
                return self.markdown(doc)
            case Format.HTML:
                return self.html(doc)
            case Format.JUNIT:
                return junit(self.findings(doc))
            case Format.SARIF:
                return sarif(self.findings(doc))
            case Format.GITLAB:
                return self.gitlab(doc)
            case Format.CODE_QUALITY:
                return code_quality(self.findings(doc))
            case _:
                assert_never(format)


class _Drawn(Protocol):
    def __call__(self, doc: Mapping[str, Any], *, width: int, color: bool) -> str: ...


_PLAN = _Kind(
    name="plan",
    text=plan_text,
    concise=plan_concise,
    markdown=plan_markdown,
    html=plan_html,
    findings=plan_findings,
    gitlab=plan_counts,
)
_REPORT = _Kind(
    name="report",
    text=report_text,
    concise=report_concise,
    markdown=report_markdown,
    html=report_html,
    findings=report_findings,
    gitlab=report_counts,
)
_DRIFT = _Kind(
    name="drift",
    text=drift_text,
    concise=drift_concise,
    markdown=drift_markdown,
    html=drift_html,
    findings=drift_findings,
    gitlab=lambda doc: code_quality(drift_findings(doc)),
)


def render_plan(doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
    """A plan document (``schemas/plan.json``) in a format."""
    return _PLAN.written(doc, format, width=width, color=color)


def render_report(doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
    """A report document (``schemas/report.json``) in a format."""
    return _REPORT.written(doc, format, width=width, color=color)


def render_drift(doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
    """A drift document (``schemas/drift.json``) in a format."""
    return _DRIFT.written(doc, format, width=width, color=color)
