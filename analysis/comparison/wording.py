"""How figures and lists of names read in a sentence or a cell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from analysis.comparison.values import Estimate
from orchestrator.pictures import counted, rounded

__all__ = [
    "NOTHING",
    "counted",
    "estimated",
    "listed",
    "number",
    "p_is",
    "p_value",
    "seeds_are",
    "signed",
]

NOTHING = "–"


def number(value: float) -> str:
    """A score in a few characters; ``–`` for NaN."""
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return rounded(value)


def signed(value: float) -> str:
    """A difference, with its sign."""
    return f"+{number(value)}" if value > 0 else number(value)


def estimated(estimate: Estimate | None, written: Callable[[float], str] = number) -> str:
    """``412.1 [400.0, 431.2]``; without brackets where there is no interval."""
    if estimate is None:
        return NOTHING
    if math.isnan(estimate.low):
        return written(estimate.value)
    return f"{written(estimate.value)} [{written(estimate.low)}, {written(estimate.high)}]"


def p_value(p: float) -> str:
    """``0.21``, ``0.0042``, ``<0.001``; ``–`` for NaN."""
    return "<0.001" if p < 0.001 else number(float(f"{p:.2g}"))


def p_is(p: float) -> str:
    """``p = 0.21``, ``p < 0.001``."""
    said = p_value(p)
    return f"p < {said[1:]}" if said.startswith("<") else f"p = {said}"


def seeds_are(seeds: Sequence[int]) -> str:
    """``seed 3 is``, ``seeds 3 and 4 are``."""
    numbers = listed([str(seed) for seed in seeds])
    return f"seed {numbers} is" if len(seeds) == 1 else f"seeds {numbers} are"


def listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
