"""A flame graph of what a sampling profiler saw, as one SVG file that needs nothing else.

Each box is a function of ours, a library or an import; as wide as its share of the time, and on top of what called it.
Written by hand, as the other pictures are: the same samples give the same bytes, it follows the reader's dark mode, and
a screen reader gets its title and what is in it. Opened on its own, each box tells its whole name and share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from benchmarks.samples import Node, shares

LEAST = 0.005
"""Smaller boxes are left out: they would be narrower than a line."""
_WIDE, _ROW, _CHARACTER, _KEY = 1200, 18, 6.7, 4
_COLOURS = ("#f6a6a1", "#f7c982", "#e9e07f", "#b5dd8c", "#8ed9c0", "#93c9f2", "#c3b4f3", "#efaed8")
_GREY = "#cfd4da"
_STYLE = """\
text { font: 11px ui-monospace, monospace; fill: #1f2328; pointer-events: none }
.key { font: 13px system-ui, sans-serif } rect { stroke: #fff; stroke-width: .6 }
@media (prefers-color-scheme: dark) { .key { fill: #e6edf3 } rect { stroke: #0d1117 } .box { opacity: .92 } }"""


def svg(root: Node, title: str) -> str:
    """The picture. The greatest parts of the time have colours of their own, which a line above the boxes explains."""
    parts = shares(root)
    colours = dict(zip(parts, _COLOURS, strict=False))
    boxes = list(_boxes(root, 0.0, 0, root.seconds))
    top = 24 + 20 * -(-min(len(parts), len(_COLOURS)) // _KEY)
    height = top + _ROW * (1 + max(depth for _, _, depth, _ in boxes)) + 4
    told = ", ".join(f"{part} {share:.0%}" for part, share in parts.items() if share >= 0.02)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height}" role="img"'
            ' aria-labelledby="title desc">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">Shares of the time: {escape(told)}.</desc>',
            f"<style>{_STYLE}</style>",
            *_key(parts, colours),
            *(_box(*box, root.seconds, height, colours) for box in boxes),
            "</svg>\n",
        ]
    )


def _boxes(node: Node, x: float, depth: int, total: float) -> Iterator[tuple[Node, float, int, float]]:
    """Node, where it begins, how deep it is, and its share; the widest of siblings first."""
    share = node.seconds / total
    if share < LEAST:
        return
    yield node, x, depth, share
    for child in sorted(node.children, key=lambda child: (-child.seconds, child.name)):
        yield from _boxes(child, x, depth + 1, total)
        x += child.seconds / total


def _box(node: Node, x: float, depth: int, share: float, total: float, height: int, colours: Mapping[str, str]) -> str:
    left, wide, y = x * _WIDE, share * _WIDE, height - _ROW * (depth + 1)
    colour = colours.get(node.part, _GREY)
    box = f'<rect class="box" x="{left:.1f}" y="{y}" width="{wide:.1f}" height="{_ROW}" fill="{colour}"/>'
    told = f"<title>{escape(node.name)}: {share:.1%}, {node.own / total:.1%} of it itself ({escape(node.part)})</title>"
    fits = int((wide - 6) / _CHARACTER)
    short = next((name for name in (node.name, node.name.rpartition(".")[2]) if len(name) <= fits), None)
    said = short or (f"{node.name.rpartition('.')[2][: fits - 1]}…" if fits >= 4 else "")
    text = f'<text x="{left + 3:.1f}" y="{y + 13}">{escape(said)}</text>' if said else ""
    return f"<g>{told}{box}{text}</g>"


def _key(parts: Mapping[str, float], colours: Mapping[str, str]) -> Iterator[str]:
    for i, (part, colour) in enumerate(colours.items()):
        x, y = _WIDE / _KEY * (i % _KEY), 6 + 20 * (i // _KEY)
        yield f'<rect x="{x:.0f}" y="{y}" width="12" height="12" fill="{colour}"/>'
        yield f'<text class="key" x="{x + 18:.0f}" y="{y + 11}">{escape(part)} {parts[part]:.0%}</text>'
