"""The HTML page in a real Chromium: it shows what the JSON says, on a phone, in the dark, and by keyboard alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from reconciler.render import Format, Render, render_drift, render_plan, render_report

GOLDEN = Path(__file__).parents[1] / "golden"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
NASTY = '</script><script>document.title="owned"</script><img src=x onerror=\'document.title="owned"\'>'

Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For this module only: while Playwright runs, no other event loop can run in this thread."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """A document as its page, opened from a file; whatever it asks the network for, or complains about, fails."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def open_(render: Render, doc: dict[str, Any], **options: Any) -> Page:
        path = tmp_path / "page.html"
        path.write_text(render(doc, Format.HTML, width=100, color=False), encoding="utf-8")
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: None if r.url.startswith("file:") else troubles.append(r.url))
        page.on("console", lambda m: troubles.append(m.text))
        page.on("pageerror", lambda e: troubles.append(str(e)))
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert troubles == []


def item(address: str, state: str, **more: Any) -> dict[str, Any]:
    account, kind, _ = address.split("/", 2)
    plain = {
        "address": address,
        "account": account,
        "provider": "slicktext",
        "kind": kind,
        "title": "",
        "state": state,
        "reason": "",
        "accepted": "",
        "waiver": "",
        "fields": [],
        "members": None,
        "dependents": [],
        "source": {"file": "manifests/lists.yaml", "line": 12, "column": 1, "length": 0},
        "remedy": f"reconciler apply --select {address}",
    }
    return plain | more


def field(path: str, last: Any, live: Any, desired: Any, state: str) -> dict[str, Any]:
    return {"path": path, "lastApplied": last, "live": live, "desired": desired, "state": state, "accepted": ""}


@pytest.fixture
def doc() -> dict[str, Any]:
    items = [
        item("main/List/vip", "conflict", fields=[field("description", "a", "b", "c", "conflict")]),
        item("main/List/join", "drifted", fields=[field("name", "Join", "Joyn", "Join", "drifted")]),
        item("main/Campaign/spring", "missing", dependents=["main/Association/spring--vip"]),
        item("engage/List/calls", "pending", reason="not at the provider yet"),
        item("engage/List/~77", "unmanaged", title="By hand " + "x" * 120),
        item("engage/List/kept", "drifted", accepted="waived", waiver="until the launch (until 2027-01-31)"),
    ]
    summary = {"drifted": 1, "pending": 1, "conflict": 1, "missing": 1, "unmanaged": 1, "accepted": 1}
    return {
        "formatVersion": "1",
        "tool": "reconciler 0.1.0",
        "project": "acme",
        "environment": "prod",
        "createdAt": "2026-11-22T06:00:00Z",
        "accounts": [],
        "items": items,
        "summary": summary | {"compared": 41, "inOrder": 36},
        "diagnostics": [],
    }


def shown(page: Page) -> list[str]:
    return [str(row.get_attribute("data-address")) for row in page.locator("#rows > li:visible").all()]


def test_the_page_says_what_the_json_says(opened: Opened, doc: dict[str, Any]) -> None:
    page = opened(render_drift, doc)
    assert sorted(shown(page)) == sorted(i["address"] for i in doc["items"])
    assert shown(page)[:3] == ["main/List/vip", "main/List/join", "main/Campaign/spring"]
    for one in doc["items"]:
        row = page.locator(f"[data-address='{one['address']}']")
        text = row.inner_text()
        assert one["state"] in text
        assert one["reason"] in text
        assert (one["remedy"] in text) is not bool(one["accepted"])
        cells = [cell.inner_text() for cell in row.locator("tbody td").all()]
        assert cells == [json.dumps(f[k]) for f in one["fields"] for k in ("lastApplied", "live", "desired")]
    counts = page.locator(".counts li").all_inner_texts()
    assert {tuple(c.split(" ", 1)) for c in counts} >= {("1", "conflict"), ("36", "in order"), ("1", "accepted")}


def test_filters_and_search_narrow_and_say_how_far(opened: Opened, doc: dict[str, Any]) -> None:
    page = opened(render_drift, doc)
    page.get_by_label("Account").select_option("engage")
    assert len(shown(page)) == 3
    page.get_by_label("State").select_option("pending")
    assert shown(page) == ["engage/List/calls"]
    assert page.get_by_role("status").inner_text() == "1 of 6 shown"
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("document.getElementById('shown').textContent === '6 of 6 shown'")
    page.get_by_role("searchbox").fill("joyn main")
    assert shown(page) == ["main/List/join"]


def test_it_works_by_keyboard_alone(opened: Opened, doc: dict[str, Any]) -> None:
    page = opened(render_drift, doc)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "text"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.type("spring")
    page.keyboard.press("Enter")
    assert shown(page) == ["main/Campaign/spring"]
    for expected in ("account", "kind", "state"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == expected
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('shown').textContent === '6 of 6 shown'")


@pytest.mark.parametrize("width", [320, 375, 1200])
def test_nothing_is_wider_than_the_screen(opened: Opened, doc: dict[str, Any], width: int) -> None:
    page = opened(render_drift, doc, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def _contrast(page: Page, selector: str) -> float:
    """The WCAG contrast of a text against what is behind it."""
    script = """(selector) => {
        const parse = (c) => c.match(/[\\d.]+/g).map(Number);
        const luminance = (c) => { const [r, g, b] = c.map((v) => v / 255)
            .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        let worst = 99;
        for (const element of document.querySelectorAll(selector)) {
            let behind = element, ground;
            do { ground = parse(getComputedStyle(behind).backgroundColor); behind = behind.parentElement; }
            while (ground.length === 4 && ground[3] === 0 && behind);
            const ink = parse(getComputedStyle(element).color);
            const [a, b] = [luminance(ink.slice(0, 3)), luminance(ground.slice(0, 3))];
            worst = Math.min(worst, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
        }
        return worst;
    }"""
    return float(page.evaluate(script, selector))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_the_light_and_in_the_dark(opened: Opened, doc: dict[str, Any], scheme: str) -> None:
    page = opened(render_drift, doc, color_scheme=scheme)
    for selector in (".state", ".counts li", ".about", ".remedy", "h1", "td", "tbody th", ".tool", "label"):
        assert _contrast(page, selector) >= 4.5, selector
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is (scheme == "light")


def test_without_scripts_everything_is_there_and_no_dead_filter(opened: Opened, doc: dict[str, Any]) -> None:
    page = opened(render_drift, doc, java_script_enabled=False)
    assert len(shown(page)) == 6
    assert not page.locator("#filters").is_visible()


def test_on_paper_nothing_is_left_out(opened: Opened, doc: dict[str, Any]) -> None:
    page = opened(render_drift, doc)
    page.get_by_role("searchbox").fill("spring")
    page.emulate_media(media="print")
    assert len(shown(page)) == 6
    assert not page.locator("#filters").is_visible()


def test_names_from_portals_are_text(opened: Opened, doc: dict[str, Any]) -> None:
    nasty = item("main/List/~1", "unmanaged", title=NASTY, reason=NASTY, remedy=NASTY)
    nasty["fields"] = [field(NASTY, NASTY, [NASTY], {NASTY: NASTY}, "drifted")]
    page = opened(render_drift, doc | {"items": [nasty], "project": NASTY, "tool": NASTY})
    assert page.title().startswith("Drift: ")
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert NASTY in page.locator("#rows q").inner_text()


def test_it_has_a_structure_that_can_be_listened_to(opened: Opened, doc: dict[str, Any]) -> None:
    page = opened(render_drift, doc)
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.get_by_role("article").count() == 6
    assert page.get_by_role("search").count() == 1
    assert page.get_by_role("table").count() == 2
    assert page.get_by_role("columnheader", name="last applied").count() == 2


@pytest.mark.parametrize("case", sorted((GOLDEN / "plans").iterdir()), ids=lambda case: case.name)
def test_plans_open_as_well(opened: Opened, case: Path) -> None:
    doc = json.loads((case / "plan.json").read_text())
    page = opened(render_plan, doc)
    assert len(shown(page)) == max(len(doc["changes"]), 1)
    if doc["digest"]:
        assert doc["digest"] in page.locator("footer").inner_text()


@pytest.mark.parametrize("case", sorted((GOLDEN / "reports").iterdir()), ids=lambda case: case.name)
def test_reports_open_as_well(opened: Opened, case: Path) -> None:
    doc = json.loads((case / "report.json").read_text())
    page = opened(render_report, doc)
    assert len(shown(page)) == max(len(doc["changes"]), 1)
