"""The browser that tests of pages use sees what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.analysis.report.browser import OpenPage, inaccessible, listen

FORBIDDING = """<meta http-equiv=Content-Security-Policy content="default-src 'none'">"""
PAGE = "<!doctype html><html lang=en><title>t</title><main><h1>{}</h1></main>"


def test_a_page_is_opened_from_disk(tmp_path: Path, open_page: OpenPage) -> None:
    (tmp_path / "page.html").write_text(PAGE.format("hello"))
    page = open_page(tmp_path / "page.html", width=390, scheme="dark")
    assert page.inner_text("h1") == "hello"
    assert page.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]") == [
        390,
        True,
    ]
    assert inaccessible(page) == []


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("<script>console.error('boom')</script>", "error on the console: boom"),
        ("<script>throw new Error('boom')</script>", "uncaught: boom"),
        ("<img src='https://example.org/x.png' alt=''>", "request: https://example.org/x.png"),
        (FORBIDDING + "<style>p {color: red}</style>", "Content Security Policy"),
    ],
)
def test_what_is_wrong_with_a_page_is_noted(
    tmp_path: Path, chromium: Browser, body: str, complaint: str
) -> None:
    (tmp_path / "page.html").write_text(PAGE.format("x") + body)
    page = chromium.new_page(offline=True)
    complaints: list[str] = []
    listen(page, complaints)
    page.goto((tmp_path / "page.html").as_uri())
    page.wait_for_load_state("networkidle")
    page.close()
    assert any(complaint in each for each in complaints), complaints


def test_an_inaccessible_page_is_noticed(tmp_path: Path, open_page: OpenPage) -> None:
    (tmp_path / "page.html").write_text(PAGE.format("x") + "<img src='data:,'>")
    assert any(
        each.startswith("image-alt") for each in inaccessible(open_page(tmp_path / "page.html"))
    )
