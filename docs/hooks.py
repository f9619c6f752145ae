"""What the site has beside the folder ``docs``: the change log, the JSON Schemas, what the benchmarks measured, and a
list of the decisions.

On a Git host the pages link to those where they are, above ``docs``; on the site they are inside, and links follow.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
CHANGES = "changelog.md"
_DECISIONS = "Decisions"
_OUTSIDE = re.compile(r"\]\((?P<up>(?:\.\./)*)\.\./(?P<path>(?:schemas|benchmarks)/[^)\s]+|CHANGELOG\.md)\)")
_INSIDE = re.compile(r"\]\(docs/")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Every decision is in the navigation without being named there."""
    pages = sorted(path.relative_to(config.docs_dir).as_posix() for path in Path(config.docs_dir, "adr").glob("*.md"))
    for section in config.nav or []:
        for entries in section.values():
            _fill(entries, pages)
    return config


def _fill(entries: Any, pages: list[str]) -> None:
    for entry in entries if isinstance(entries, list) else []:
        if _DECISIONS in entry:
            entry[_DECISIONS] = pages


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    files.append(File.generated(config, CHANGES, abs_src_path=str(ROOT / "CHANGELOG.md")))
    measured = (ROOT / "benchmarks").glob("*.[ms][dv]*")
    for path in sorted([*(ROOT / "schemas").rglob("*.json"), *measured]):
        files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    if page.file.src_uri == CHANGES:
        return _INSIDE.sub("](", markdown)
    return _OUTSIDE.sub(lambda link: f"]({link['up']}{link['path'].replace('CHANGELOG.md', CHANGES)})", markdown)
