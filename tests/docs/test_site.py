"""The user guide as a site: it builds without a warning, its links lead somewhere, and reading it asks nobody else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
# What a browser fetches by itself; a link is followed by a reader only.
FETCHED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "object": "data",
    "link": "href",
    "form": "action",
}
# Of `link`, the relations that only tell something.
TOLD = {"canonical", "next", "prev", "alternate"}


def _build(config: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own: what the builder warns of about itself is no business of these tests."""
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(config), "--site-dir", str(into)]
    # Without a network, as far as a proxy that is not there can take it away.
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    environment = {**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(words, capture_output=True, text=True, timeout=100, check=False, env=environment, cwd=ROOT)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = _build(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stderr
    return folder


class _Fetches(HTMLParser):
    """Addresses that a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in FETCHED and given.get("rel") not in TOLD:
            self.found.append(given.get(FETCHED[tag], ""))
        self.found += re.findall(r"url\(([^)]+)\)", given.get("style", ""))


def test_every_page_is_there(site: Path) -> None:
    pages = {p.relative_to(ROOT / "docs").with_suffix(".html") for p in (ROOT / "docs").rglob("*.md")}
    built = {p.relative_to(site) for p in site.rglob("*.html")}
    beside = {Path("changelog.html"), Path("benchmarks/index.html")}
    assert pages | beside == built - {Path("404.html")}
    assert (site / "schemas" / "plan.json").read_bytes() == (ROOT / "schemas" / "plan.json").read_bytes()


def test_comments_that_say_how_a_block_is_run_are_not_shown(site: Path) -> None:
    shown = re.sub(r"<!--.*?-->", "", (site / "tutorial.html").read_text(), flags=re.DOTALL)
    assert "reconciler plan" in re.sub(r"<[^>]+>", "", shown)
    assert "run:" not in shown


def test_a_page_fetches_nothing_from_elsewhere(site: Path) -> None:
    fetched: dict[str, list[str]] = {}
    for page in site.rglob("*.html"):
        parser = _Fetches()
        parser.feed(page.read_text())
        fetched[page.name] = parser.found
    for sheet in site.rglob("*.css"):
        fetched[sheet.name] = re.findall(r"(?:url\(|@import\s+)[\"']?([^\"')]+)", sheet.read_text())
    addresses = [address for found in fetched.values() for address in found]
    assert any(address.endswith(".js") for address in addresses)
    assert any(address.endswith(".css") for address in addresses)
    abroad = {name: bad for name, found in fetched.items() if (bad := [a for a in found if _is_abroad(a)])}
    assert abroad == {}


def _is_abroad(address: str) -> bool:
    parts = urlsplit(address.strip("\"'"))
    return bool(parts.netloc) or parts.scheme not in ("", "data")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    """The address of the site on this machine: search needs a server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


def test_a_browser_asks_nobody_else(browser: Browser, served: str) -> None:
    """Pages and the search in them."""
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    for name in ("index.html", "tutorial.html", "reference/commands.html"):
        page.goto(f"{served}/{name}", wait_until="networkidle")
        assert page.locator("h1").count() == 1
    page.locator("input[name=query]").click()
    page.keyboard.type("quiet hours", delay=10)
    page.locator(".md-search-result__item").first.wait_for(timeout=30_000)
    page.close()
    assert any(address.endswith("search_index.json") for address in asked)
    assert [address for address in asked if not address.startswith((served, "data:", "blob:"))] == []


def test_what_is_copied_from_a_terminal_is_what_was_typed(browser: Browser, served: str) -> None:
    page = browser.new_page()
    page.goto(f"{served}/tutorial.html", wait_until="networkidle")
    block = page.locator("pre code", has_text="reconciler validate")
    block.evaluate("element => element.setAttribute('data-md-copying', '')")
    typed = block.first.inner_text().split("\n")
    page.close()
    assert [line for line in typed if line.strip()] == ["reconciler validate", "reconciler plan -e sandbox"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[away](nowhere.md)", "nowhere.md"),
        ("[away](index.md#nowhere)", "nowhere"),
        ("[up](../elsewhere.md)", "elsewhere.md"),
    ],
)
def test_a_link_that_leads_nowhere_ends_the_build(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# Home\n\n{text}\n")
    config = (ROOT / "mkdocs.yml").read_text()
    config = re.sub(
        r"^nav:\n.*\Z", "", re.sub(r"^(hooks|extra_css): .*\n", "", config, flags=re.M), flags=re.MULTILINE | re.DOTALL
    )
    (tmp_path / "mkdocs.yml").write_text(config)
    done = _build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode != 0
    assert complaint in done.stderr


def test_a_page_that_nobody_finds_ends_the_build(tmp_path: Path) -> None:
    for name in ("docs", "schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "CHANGELOG.md", tmp_path)
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    (tmp_path / "docs" / "lost.md").write_text("# Lost\n")
    done = _build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode != 0
    assert "lost.md" in done.stderr
