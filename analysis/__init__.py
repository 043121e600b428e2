"""Reads finished, running or killed runs: frames of what happened, and pictures of them."""

from __future__ import annotations

import envolve

envolve.require("orchestrator", beside=__file__)

from analysis.ancestry import (  # noqa: E402 - after the check of what it imports
    Ancestry,
    ancestry,
    best_member,
)
from analysis.comparison.comparing import compare  # noqa: E402
from analysis.comparison.values import Comparison, NotComparable  # noqa: E402
from analysis.frames import (  # noqa: E402
    NotARun,
    Run,
    load,
    load_all,
)

__all__ = [
    "Ancestry",
    "Comparison",
    "NotARun",
    "NotComparable",
    "Run",
    "ancestry",
    "best_member",
    "compare",
    "load",
    "load_all",
]
