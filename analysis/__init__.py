"""Reads finished, running or killed runs: frames of what happened, and pictures of them."""

from __future__ import annotations

import envolve

envolve.require("orchestrator", beside=__file__)

from analysis.frames import NotARun, Run, load  # noqa: E402 - after the check of what it imports

__all__ = ["NotARun", "Run", "load"]
