"""The verdicts as a picture: how much of each budget is used, on a scale of doublings, 1 being the budget.

Written by hand, so that the same verdicts give the same bytes, and so that it follows the reader's dark mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import inf, log2
from pathlib import Path

from benchmarks.case import Size
from benchmarks.judge import Verdict, bounds

_ROW, _TOP, _LEFT, _WIDE = 22, 40, 430, 860
_LEAST, _MOST = 1 / 16, 4.0
_STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #24292f }
.grid { stroke: #d0d7de } .budget { stroke: #57606a; stroke-width: 1.5 }
.met { fill: #1a7f37; stroke: #1a7f37 } .missed { fill: #cf222e; stroke: #cf222e }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .grid { stroke: #30363d } .budget { stroke: #8b949e }
  .met { fill: #3fb950; stroke: #3fb950 } .missed { fill: #f85149; stroke: #f85149 }
}"""


def path(size: Size) -> Path:
    return Path(__file__).parent / f"budgets-{size}.svg"


def used(verdict: Verdict) -> tuple[float, ...]:
    """The share of the budget that each run used: above 1 is too much, whichever way the bound points."""
    low, high = bounds(verdict.budget)
    shares = []
    for value in verdict.values:
        over = 0.0 if high is None or not value else value / high if high else inf
        under = 0.0 if low is None else low / value if value else inf
        shares.append(max(over, under))
    return tuple(shares)


def svg(verdicts: Sequence[Verdict]) -> str:
    rows = [v for v in verdicts if v.met is not None]
    height = _TOP + _ROW * len(rows) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height}" role="img">',
        "<title>How much of each budget is used</title>",
        f"<style>{_STYLE}</style>",
        *_axis(height),
        *(line for i, v in enumerate(rows) for line in _row(v, _TOP + _ROW * i + _ROW // 2)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _axis(height: int) -> list[str]:
    lines = []
    for exponent in range(int(log2(_LEAST)), int(log2(_MOST)) + 1):
        x, kind = _x(2.0**exponent), "budget" if exponent == 0 else "grid"
        label = "budget" if exponent == 0 else f"{2.0**exponent:g}x" if exponent > 0 else f"1/{2**-exponent}"
        lines.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{height - 6}"/>')
        lines.append(f'<text x="{x:.1f}" y="{_TOP - 16}" text-anchor="middle">{label}</text>')
    return lines


def _row(verdict: Verdict, y: int) -> list[str]:
    shares = sorted(used(verdict))
    middle = shares[len(shares) // 2] if len(shares) % 2 else sum(shares[len(shares) // 2 - 1 :][:2]) / 2
    kind = "met" if verdict.met else "missed"
    return [
        f'<text x="{_LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(_short(verdict.budget.what))}</text>',
        f'<line class="{kind}" x1="{_x(shares[0]):.1f}" x2="{_x(shares[-1]):.1f}" y1="{y}" y2="{y}"/>',
        f'<circle class="{kind}" cx="{_x(middle):.1f}" cy="{y}" r="4"/>',
    ]


def _short(text: str) -> str:
    plain = text.replace("`", "")
    return plain if len(plain) <= 62 else plain[:61] + "…"


def _x(share: float) -> float:
    inside = min(max(share, _LEAST), _MOST)
    return _LEFT + (_WIDE - _LEFT - 30) * (log2(inside) - log2(_LEAST)) / (log2(_MOST) - log2(_LEAST))
