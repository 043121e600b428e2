"""Tests of pages share one browser."""

from __future__ import annotations

from tests.analysis.report.browser import chromium, open_page

__all__ = ["chromium", "open_page"]
