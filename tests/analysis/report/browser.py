"""A real, headless Chromium that opens pages from disk, with the network cut off.

A test takes `open_page`. When it is over, whatever the browser complained of fails it: errors and
warnings on the console, uncaught exceptions, what the page's policy forbids, and any request for
something other than the page itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 60_000
"""Milliseconds after which a page that doesn't get there is given up."""

OpenPage = Callable[..., Page]


def wait_until(page: Page, expression: str) -> None:
    """Wait for a JavaScript expression to be true of the page.

    Not by `wait_for_function`, which asks again from within the page: there its policy may forbid
    to evaluate text.

    Raises:
        TimeoutError: if it does not come true.
    """
    _until(page, expression, lambda: page.wait_for_timeout(50))


def reload_until(page: Page, expression: str) -> None:
    """Load the page anew until a JavaScript expression is true of it.

    What a page stores reaches the browser's storage service while the page goes on. A reload that
    follows within milliseconds may be in another process, which asks the service before.

    Raises:
        TimeoutError: if it does not come true.
    """
    page.reload()
    _until(page, expression, page.reload)


def _until(page: Page, expression: str, meanwhile: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(expression):
        if time.monotonic() > give_up:
            raise TimeoutError(f"{expression} must come true within {PATIENCE} ms")
        meanwhile()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser, with an empty profile.

    It is a module's, not the session's: as long as it is there, an event loop runs in this thread,
    which others (notebooks, Ray) want for themselves.
    """
    if not CHROMIUM.is_file():
        pytest.fail(f"{CHROMIUM} must be there for tests of pages: `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """``open_page(path, width=1280, height=900, scheme="light", **context_options) -> Page``."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(
        path: Path, *, width: int = 1280, height: int = 900, scheme: str = "light", **options: Any
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            offline=True,
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        # A page behind others may get no frames to draw.
        page.bring_to_front()
        listen(page, complaints)
        page.goto(path.resolve().as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints, "the browser complained:\n" + "\n".join(complaints)


def listen(page: Page, complaints: list[str]) -> None:
    """Have all that is wrong with the page noted."""

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type} on the console: {message.text}")

    def asked(request: Request) -> None:
        if not (request.is_navigation_request() or request.url.startswith(("data:", "blob:"))):
            complaints.append(f"request: {request.url[:200]}")

    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
    page.on("request", asked)


def inaccessible(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is shown now: rule, and the elements."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {rule['help']}: "
        + "; ".join(f"{node['target']} {node['html'][:120]}" for node in rule["nodes"][:5])
        for rule in found
    ]
